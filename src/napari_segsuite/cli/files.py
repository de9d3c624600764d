"""Verbs that work on files: evaluate, convert and the developers' generate."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import SegSuiteError
from .listing import AddVerb, print_json


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this module."""
    evaluate = add("evaluate", evaluate_files, "compare labels with a reference")
    evaluate.add_argument("prediction", metavar="PREDICTION", help="label file")
    evaluate.add_argument("reference", metavar="REFERENCE", help="label file held to be true")
    evaluate.add_argument(
        "--metrics",
        metavar="NAME",
        nargs="+",
        default=["overlap"],
        help="overlap (default), volume, all, or names of metrics",
    )
    evaluate.add_argument(
        "--spacing",
        metavar="A,B,C",
        type=_numbers,
        help="voxel size per axis, z,y,x; by default what the reference says",
    )
    evaluate.add_argument(
        "--ignore",
        metavar="L",
        type=int,
        nargs="+",
        default=[],
        help="reference labels to leave out",
    )
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

    report = metrics.evaluate(
        arguments.prediction,
        arguments.reference,
        spacing=arguments.spacing,
        ignore=tuple(arguments.ignore),
        metrics=arguments.metrics if len(arguments.metrics) > 1 else arguments.metrics[0],
    )
    if arguments.json:
        print_json(report.to_dict())
    elif arguments.csv is not None:
        report.to_csv(arguments.csv)
    else:
        print(report.to_markdown())


def convert_file(arguments: argparse.Namespace) -> None:
    """`convert`: the same values and geometry in another file format."""
    from .. import io
    from ..io.formats import format_of

    format_of(arguments.target)
    io.write(arguments.target, io.read(arguments.source))
    print(arguments.target)


def generate_files(arguments: argparse.Namespace) -> None:
    """`generate`: for developers, the manifest and the README's tables."""
    from .. import docs_gen

    if arguments.write:
        for path in docs_gen.write(arguments.root):
            print(path)
        return
    stale = docs_gen.outdated(arguments.root)
    if stale:
        raise SegSuiteError(
            f"{', '.join(map(str, stale))} differ from the declared methods; "
            f"run `napari-segsuite generate --write`"
        )


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))
