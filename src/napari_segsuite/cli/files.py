"""Verbs that work on files: convert and the developers' generate."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import SegSuiteError
from .listing import AddVerb
from .outputs import check_outputs
from .terminal import say


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this module."""
    convert = add("convert", convert_file, "write an image or labels in another format")
    convert.add_argument("source", metavar="IN", help="file to read")
    convert.add_argument("target", metavar="OUT", help="file to write; its name says the format")

    generate = add("generate", generate_files, None)
    what = generate.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="bring the generated files up to date")
    what.add_argument("--check", action="store_true", help="fail if one of them is out of date")
    generate.add_argument("--root", metavar="DIR", type=Path, default=Path(), help="a clone")


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
