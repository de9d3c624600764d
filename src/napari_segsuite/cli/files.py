"""Verbs that work on files: evaluate, convert and the developers' generate."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import SegSuiteError
from .arguments import INTEGER_WORD, NAME_WORD, integers, lengths, names
from .listing import AddVerb, print_json
from .outputs import check_outputs, check_table
from .terminal import say


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this module."""
    evaluate = add("evaluate", evaluate_files, "compare labels with a reference")
    evaluate.add_argument("prediction", metavar="PREDICTION", help="label file")
    evaluate.add_argument("reference", metavar="REFERENCE", help="label file held to be true")
    evaluate.add_argument(
        "--metrics",
        metavar="NAME",
        type=names,
        action="extend",
        help="overlap (default), volume, all, or names of metrics; several as A,B or A B",
    )
    evaluate.add_argument(
        "--spacing",
        metavar="A,B,C",
        type=lengths,
        help="voxel size per axis, z,y,x; by default what the reference says",
    )
    evaluate.add_argument(
        "--ignore",
        metavar="L",
        type=integers,
        action="extend",
        default=[],
        help="reference label to leave out; several as 0,255 or 0 255",
    )
    evaluate.lists = {"--metrics": NAME_WORD, "--ignore": INTEGER_WORD}
    form = evaluate.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--csv", metavar="FILE", type=Path, help="write the table to a file")

    convert = add("convert", convert_file, "write an image or labels in another format")
    convert.add_argument("source", metavar="IN", help="file to read")
    convert.add_argument("target", metavar="OUT", help="file to write; its name says the format")

    generate = add("generate", generate_files, None)
    what = generate.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="bring the generated files up to date")
    what.add_argument("--check", action="store_true", help="fail if one of them is out of date")
    generate.add_argument("--root", metavar="DIR", type=Path, default=Path(), help="a clone")


def evaluate_files(arguments: argparse.Namespace) -> None:
    """`evaluate`: a table of scores per class."""
    from .. import metrics

    if arguments.csv is not None:
        check_outputs([arguments.csv], [arguments.prediction, arguments.reference])
        check_table(arguments.csv)
    report = metrics.evaluate(
        arguments.prediction,
        arguments.reference,
        spacing=arguments.spacing,
        ignore=tuple(arguments.ignore),
        metrics=arguments.metrics or "overlap",
    )
    if arguments.json:
        print_json(report.to_dict())
    elif arguments.csv is not None:
        report.to_csv(arguments.csv)
    else:
        say(report.to_markdown())


def convert_file(arguments: argparse.Namespace) -> None:
    """`convert`: the same values and geometry in another file format."""
    from .. import io
    from ..io.formats import format_of

    format_of(arguments.target)
    check_outputs([arguments.target], [arguments.source])
    io.write(arguments.target, io.read(arguments.source))
    say(arguments.target)


def generate_files(arguments: argparse.Namespace) -> None:
    """`generate`: for developers, the manifest and the README's tables."""
    from .. import docs_gen

    if arguments.write:
        for path in docs_gen.write(arguments.root):
            say(path)
        return
    stale = docs_gen.outdated(arguments.root)
    if stale:
        raise SegSuiteError(
            f"{', '.join(map(str, stale))} differ from the declared methods; "
            f"run `napari-segsuite generate --write`"
        )
