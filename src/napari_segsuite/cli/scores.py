"""What verbs about scores have in common: labels left out, and the form of the answer."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .arguments import integers
from .listing import print_json
from .terminal import say


def add_ignore(parser: argparse.ArgumentParser) -> None:
    """Declare ``--ignore``, labels of the reference whose voxels do not count."""
    parser.add_argument(
        "--ignore",
        metavar="L",
        type=integers,
        action="extend",
        default=[],
        help="reference label to leave out; several as 0,255 or 0 255",
    )


def add_form(parser: argparse.ArgumentParser) -> Any:
    """Declare ``--json`` and ``--csv``, and return their group for further forms."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document")
    form.add_argument("--csv", metavar="FILE", type=Path, help="write the table to a file")
    return form


def tell(found: Any, arguments: argparse.Namespace) -> None:
    """Print what was found, or write it to a file, in the form asked for."""
    if arguments.json:
        print_json(found.to_dict())
    elif arguments.csv is not None:
        found.to_csv(arguments.csv)
    else:
        say(found.to_markdown())
