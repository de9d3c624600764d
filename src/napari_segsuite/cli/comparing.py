"""Verbs that compare methods and numbers of clusters: compare and sweep."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ParameterError
from ..job_inputs import as_image
from ..registry import get_method
from .arguments import integer, integers
from .listing import AddVerb, print_json
from .outputs import check_outputs, check_table, make_folder
from .running import add_channel_axis, add_device, progress_bar
from .terminal import say

if TYPE_CHECKING:
    from ..comparing import Entry

_INPUTS = ("seeds", "labels", "mask")
_RANGE = re.compile(r"(\d+)-(\d+)")
_MOST_CLUSTERS = 64


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this module."""
    compare = add("compare", compare_methods, "run several methods on one image and compare them")
    compare.add_argument("image", metavar="IMAGE", help="image file")
    compare.add_argument(
        "entries",
        metavar="METHOD[:SETTING=VALUE,…]",
        nargs="+",
        help="method id, as `methods` lists them, perhaps with settings, as in "
        "kmeans:n_clusters=3; one method may come several times",
    )
    for name in _INPUTS:
        compare.add_argument(f"--{name}", metavar="F", help=f"{name}, for methods that take them")
    _add_common(compare)
    add_device(compare)
    compare.add_argument(
        "--slice", metavar="N", type=integer, help="slice that the picture shows (default: middle)"
    )
    form = compare.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--csv", metavar="FILE", type=Path, help="write the table to a file, too")

    sweep = add("sweep", sweep_clusters, "run a method with several numbers of clusters")
    sweep.add_argument("method", metavar="METHOD", help="method with a number of clusters")
    sweep.add_argument("image", metavar="IMAGE", help="image file")
    sweep.add_argument(
        "--clusters",
        metavar="N",
        type=cluster_numbers,
        default=tuple(range(2, 9)),
        help="numbers of clusters, as 2-8 (default) or 2,3,5",
    )
    sweep.add_argument("--mask", metavar="F", help="voxels that count")
    _add_common(sweep)
    sweep.add_argument("--json", action="store_true", help="print one JSON document")


def compare_methods(arguments: argparse.Namespace) -> None:
    """`compare`: a table on standard output, and a report with picture and labels."""
    from ..comparing import compare, names_of
    from ..comparing.files import ReportFiles
    from ..comparing.picture import slice_of

    entries = [entry_of(text) for text in arguments.entries]
    names = (*_INPUTS, "reference")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    outputs = list(ReportFiles.in_folder(arguments.output, names_of(entries)).all)
    if arguments.csv is not None:
        check_table(arguments.csv)
    image = as_image(arguments.image, channel_axis=arguments.channel_axis)
    slice_of(image, arguments.slice)
    make_folder(arguments.output)
    extra = [] if arguments.csv is None else [arguments.csv]
    check_outputs([*outputs, *extra], [arguments.image, *given.values()])
    with progress_bar() as progress:
        found = compare(
            image,
            entries,
            device=arguments.device,
            rng=arguments.rng,
            progress=progress,
            **given,
        )
    written = found.save_report(arguments.output, arguments.slice)
    if arguments.csv is not None:
        found.to_csv(arguments.csv)
    if arguments.json:
        print_json({**found.to_dict(), "files": [str(path) for path in written]})
        return
    say(found.to_markdown())
    say(written[-1])


def sweep_clusters(arguments: argparse.Namespace) -> None:
    """`sweep`: a table on standard output; table, plot and labels in a folder."""
    from .. import cluster_sweep, io
    from ..image import Segmentation, classes_present
    from ..io.atomic import atomic_path

    table, plot, report = (
        arguments.output / name for name in ("sweep.csv", "sweep.png", "sweep.md")
    )
    labels = [arguments.output / f"labels_{number}.nii.gz" for number in arguments.clusters]
    inputs = {name: getattr(arguments, name) for name in ("image", "mask", "reference")}
    make_folder(arguments.output)
    check_outputs([table, plot, report, *labels], [path for path in inputs.values() if path])
    with progress_bar() as progress:
        found = cluster_sweep.sweep_clusters(
            method=arguments.method,
            n_clusters=arguments.clusters,
            channel_axis=arguments.channel_axis,
            rng=arguments.rng,
            progress=progress,
            **inputs,
        )
    for path, values in zip(labels, found.labels, strict=True):
        io.write(path, Segmentation(values, found.space, classes_present(values)))
    found.plot(plot)
    found.to_csv(table)
    with atomic_path(report) as scratch:
        scratch.write_text(found.to_markdown(), encoding="utf-8")
    if arguments.json:
        rows = [{name: _plain(value) for name, value in vars(row).items()} for row in found.rows]
        print_json({"rows": rows, "suggested": found.suggested})
        return
    say(found.to_markdown())


def entry_of(text: str) -> Entry:
    """The entry that a word such as ``kmeans:n_clusters=3`` names.

    Raises
    ------
    ParameterError
        If there is no such method or setting, or a value is not what it allows.

    Examples
    --------
    >>> entry_of("growcut:guide=none,evolution=1,2").settings["evolution"]
    (1, 2)
    """
    from ..comparing import Entry

    method_id, _, rest = text.partition(":")
    method = get_method(method_id)
    params = {param.name: param for param in method.params}
    settings: dict[str, Any] = {}
    for name, value in _pairs(rest):
        name = name.strip().replace("-", "_")
        if name not in params:
            known = ", ".join(params) or "none"
            raise ParameterError(
                f"{method.title} has no setting '{name}'; it has {known}.", name=name
            )
        settings[name] = params[name].from_text(value.strip(), method.title)
    return Entry(method_id, settings)


def cluster_numbers(text: str) -> tuple[int, ...]:
    """Numbers of clusters, from 2-8 or 2,3,5.

    Examples
    --------
    >>> cluster_numbers("2-4"), cluster_numbers("3,5")
    ((2, 3, 4), (3, 5))
    """
    span = _RANGE.fullmatch(text.strip())
    numbers = tuple(range(int(span[1]), int(span[2]) + 1)) if span else tuple(integers(text))
    if not numbers or min(numbers) < 1 or max(numbers) > _MOST_CLUSTERS:
        raise argparse.ArgumentTypeError(
            f"expected numbers from 1 to {_MOST_CLUSTERS}, such as 2-8 or 2,3,5, got {text!r}"
        )
    return numbers


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reference", metavar="F", help="labels held to be true, to score with")
    add_channel_axis(parser)
    parser.add_argument(
        "--rng",
        metavar="N",
        type=integer,
        default=0,
        help="seed of methods that draw random numbers",
    )
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, required=True, help="folder to write to"
    )


def _pairs(text: str) -> Sequence[tuple[str, str]]:
    """Names and values; a part without a name goes on with the list before it."""
    pairs: list[tuple[str, str]] = []
    for part in filter(None, text.split(",")):
        name, sign, value = part.partition("=")
        if sign:
            pairs.append((name, value))
        elif pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]},{part}")
        else:
            raise ParameterError(
                f"expected settings as name=value, got {part!r}; write for instance n_clusters=3",
                name=part,
            )
    return pairs
