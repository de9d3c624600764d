"""Verbs that judge labels: metrics, evaluate and rank."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError, ParameterError
from .arguments import (
    INTEGER_WORD,
    NAME_WORD,
    VerbParser,
    label_pairs,
    length,
    lengths,
    names,
)
from .listing import AddVerb, print_json
from .outputs import check_reports
from .running import progress_bar
from .scores import add_form, add_ignore, tell
from .terminal import complain, say

_CHOICES = ("surface", "hd_pooling", "tolerance", "boundary_width", "beta", "objects")


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this module."""
    listed = add("metrics", show_metrics, "list the metrics, their definitions and traps")
    listed.add_argument("names", metavar="NAME", nargs="*", help="metrics or groups; default all")
    listed.add_argument("--json", action="store_true", help="print one JSON document")

    evaluate = add("evaluate", evaluate_labels, "compare labels with a reference, or folders")
    evaluate.add_argument("prediction", metavar="PREDICTION", help="label file, or folder of them")
    evaluate.add_argument(
        "reference", metavar="REFERENCE", help="label file held to be true, or folder of them"
    )
    _add_comparison(evaluate)
    _add_pattern(evaluate)
    evaluate.add_argument(
        "--object-table",
        metavar="FILE",
        type=Path,
        help="of two files, write what became of each object as CSV too; measures instances",
    )
    evaluate.add_argument(
        "--plot",
        metavar="FILE",
        type=Path,
        help="of folders, write box plots of Dice, or of --metrics, too; as PNG, SVG or PDF",
    )
    form = add_form(evaluate)
    form.add_argument("--latex", action="store_true", help="print the table as LaTeX")

    rank = add("rank", rank_predictions, "rank several folders of predictions")
    rank.add_argument("references", metavar="REFERENCES", help="folder of label files held true")
    rank.add_argument(
        "predictions", metavar="FOLDER", nargs="+", help="folders of label files, or NAME=FOLDER"
    )
    _add_comparison(rank)
    _add_pattern(rank)
    add_form(rank)


def show_metrics(arguments: argparse.Namespace) -> None:
    """`metrics`: what each metric means."""
    from ..metrics.catalogue import choose_metrics

    chosen = choose_metrics(arguments.names or "all")
    if arguments.json:
        keys = ("name", "title", "group", "formula", "unit", "better", "help", "per_class")
        print_json([{key: getattr(metric, key) for key in keys} for metric in chosen])
        return
    for metric in chosen:
        say(f"{metric.name} – {metric.title} ({metric.group})")
        say(f"    {metric.formula}")
        say(f"    {metric.help}")


def evaluate_labels(arguments: argparse.Namespace) -> None:
    """`evaluate`: a table of scores per class, or of cases."""
    folders = [Path(path).is_dir() for path in (arguments.prediction, arguments.reference)]
    if all(folders):
        _evaluate_folders(arguments)
        return
    if any(folders):
        raise InputError(
            f"expected two label files or two folders, got {arguments.prediction} and "
            f"{arguments.reference}; give both of one kind"
        )
    from .. import metrics
    from ..metrics.catalogue import as_tuple

    if arguments.plot is not None:
        raise ParameterError(
            "expected folders with --plot, got two files; leave --plot out", name="plot"
        )
    inputs = [arguments.prediction, arguments.reference]
    check_reports([arguments.csv, arguments.object_table], [], inputs)
    settings = _settings(arguments)
    if arguments.object_table is not None:
        settings["metrics"] = (*as_tuple(settings["metrics"]), "instances")
    with progress_bar() as progress:
        report = metrics.evaluate(
            arguments.prediction, arguments.reference, progress=progress, **settings
        )
    if arguments.object_table is not None:
        report.objects_to_csv(arguments.object_table)
    if arguments.latex:
        say(report.to_latex())
    else:
        tell(report, arguments)


def rank_predictions(arguments: argparse.Namespace) -> None:
    """`rank`: mean ranks over cases, and which differences are more than chance."""
    from ..metrics.folders.evaluation import rank_folders

    settings = _settings(arguments)
    (metric,) = _one_metric(settings.pop("metrics"))
    check_reports([arguments.csv], [], [])
    folders = _named_folders(arguments.predictions)
    with progress_bar() as progress:
        found = rank_folders(
            arguments.references,
            folders,
            metric=metric,
            pattern=arguments.pattern,
            progress=progress,
            **settings,
        )
    tell(found, arguments)


def _evaluate_folders(arguments: argparse.Namespace) -> None:
    from ..metrics.folders.evaluation import evaluate_folders

    for option in ("latex", "object_table"):
        if getattr(arguments, option):
            raise ParameterError(
                f"expected --{option.replace('_', '-')} with two files, got folders; "
                "use --csv or --json",
                name=option,
            )
    check_reports([arguments.csv], [arguments.plot], _label_files(arguments))
    with progress_bar() as progress:
        found = evaluate_folders(
            arguments.prediction,
            arguments.reference,
            pattern=arguments.pattern,
            progress=progress,
            **_settings(arguments),
        )
    if arguments.plot is not None and found.reports:
        drawn = [metric.name for metric in found.metrics] if arguments.metrics else ["dice"]
        found.plot(arguments.plot, drawn)
    tell(found, arguments)
    _tell_failures(found, to_file=arguments.csv is not None)


def _label_files(arguments: argparse.Namespace) -> list[Path]:
    """The files of both folders, which no output may replace."""
    from ..metrics.folders.pairs import pair_files

    found = pair_files(arguments.prediction, arguments.reference, pattern=arguments.pattern)
    pairs = [path for pair in found.pairs for path in (pair.prediction, pair.reference)]
    lone = [Path(arguments.prediction, path) for path in found.only_predictions]
    return [*pairs, *lone, *(Path(arguments.reference, path) for path in found.only_references)]


def _tell_failures(found: Any, *, to_file: bool) -> None:
    """Say that no case has numbers, or that some lack them where nothing else was printed."""
    if not found.failures:
        return
    case, why = next(iter(found.failures.items()))
    text = f"{len(found.failures)} of {len(found.cases)} cases, for instance {case}: {why}"
    if not found.reports:
        raise InputError(f"expected files that can be compared, got none in {text}")
    if to_file:
        complain(f"warning: could not compare {text}")


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `evaluate` takes besides the labels."""
    given = {name: getattr(arguments, name) for name in _CHOICES}
    return {name: value for name, value in given.items() if value is not None} | {
        "spacing": arguments.spacing,
        "ignore": tuple(arguments.ignore),
        "metrics": arguments.metrics or "overlap",
        "mapping": arguments.map,
        "other_grid": "nearest" if arguments.nearest else "refuse",
    }


def _one_metric(chosen: str | Sequence[str]) -> Sequence[str]:
    wanted = ["dice"] if chosen == "overlap" else list(chosen)
    if len(wanted) != 1:
        raise ParameterError(
            f"expected one metric to rank by, got {', '.join(wanted)}; choose one", name="metrics"
        )
    return wanted


def _named_folders(words: Sequence[str]) -> dict[str, str]:
    """Folders by name: what stands before "=", or else the last part of the path."""
    found: dict[str, str] = {}
    for word in words:
        name, sign, folder = word.partition("=")
        if not sign:
            name, folder = Path(word).resolve().name, word
        if name in found:
            raise ParameterError(
                f"expected folders of different names, got '{name}' twice; write NAME=FOLDER",
                name="predictions",
            )
        found[name] = folder
    return found


# --- options --------------------------------------------------------------------------


def _add_comparison(parser: VerbParser) -> None:
    parser.add_argument(
        "--metrics",
        metavar="NAME",
        type=names,
        action="extend",
        help="overlap (default), volume, surface, instances, partition, warping, all, or names "
        "of metrics, as `metrics` lists them; several as A,B or A B",
    )
    parser.add_argument(
        "--spacing",
        metavar="A,B,C",
        type=lengths,
        help="voxel size per axis, z,y,x, in mm; by default what the reference says",
    )
    add_ignore(parser)
    parser.add_argument(
        "--map",
        metavar="P=R,…",
        type=label_pairs,
        help="count predicted label P as class R of the reference; several as 3=1,4=1",
    )
    parser.add_argument(
        "--nearest",
        action="store_true",
        help="take the nearest voxel of a prediction on another grid, instead of refusing it",
    )
    _add_definitions(parser)
    parser.lists = {"--metrics": NAME_WORD, "--ignore": INTEGER_WORD}


def _add_definitions(parser: VerbParser) -> None:
    parser.add_argument(
        "--surface",
        choices=("marching", "voxel"),
        help="distances between marching-cubes surfaces, weighted by area (default), or border "
        "voxels",
    )
    parser.add_argument(
        "--hd-pooling",
        choices=("max", "pooled"),
        help="HD95 as the larger of both directions (default), or of both together",
    )
    parser.add_argument(
        "--tolerance",
        metavar="X",
        type=length,
        help="how far off NSD lets a surface be; default: the largest voxel step",
    )
    parser.add_argument(
        "--boundary-width",
        metavar="X",
        type=length,
        help="band of boundary IoU; default: 2 %% of the diagonal, the largest voxel step at least",
    )
    parser.add_argument(
        "--beta", metavar="X", type=length, help="weight of recall in F-beta; default 2"
    )
    parser.add_argument(
        "--objects",
        choices=("labels", "components"),
        help="each label is an object (default), or each connected component",
    )


def _add_pattern(parser: VerbParser) -> None:
    parser.add_argument(
        "--pattern",
        metavar="P",
        default="{name}",
        help="of folders: how the name of a prediction is made of the reference's {name}",
    )
