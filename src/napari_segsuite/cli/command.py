"""From the words of a command to its verb, and from what went wrong to a status."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence

from .. import __version__
from ..errors import Cancelled
from . import (
    batching,
    comparing,
    evaluating,
    files,
    intervals,
    listing,
    predicting,
    rating,
    running,
    terminal,
)
from .arguments import VerbParser

Verb = Callable[[argparse.Namespace], None]

_DESCRIPTION = "Image segmentation in 2D and 3D from the terminal."
_EPILOG = "napari-segsuite VERB --help tells more; run METHOD --help lists the method's settings."


def execute(words: Sequence[str]) -> int:
    """Carry out a command and return its exit status; an interruption is raised."""
    terminal.prepare()
    debug = words[:1] == ["--debug"]
    with warnings.catch_warnings():
        warnings.showwarning = terminal.show_warning
        try:
            status = _carry_out(words)
            terminal.flush()
        except Cancelled as stop:
            raise KeyboardInterrupt from stop
        except terminal.ReaderLeft:
            return 0
        except Exception as error:  # the user never sees a traceback unasked
            if debug:
                raise
            terminal.complain(f"error: {terminal.reason(error)}")
            return 1
        return status


def _carry_out(words: Sequence[str]) -> int:
    try:
        # Only help and version are written here.
        with terminal.writing():
            arguments = _parser(words).parse_args(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    verb: Verb = arguments.verb
    verb(arguments)
    return 0


def _parser(words: Sequence[str]) -> VerbParser:
    parser = VerbParser(
        prog="napari-segsuite", description=_DESCRIPTION, epilog=_EPILOG, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def add(name: str, verb: Verb, help_text: str | None) -> VerbParser:
        if help_text is None:  # a verb for developers, which the list of verbs leaves out
            entry = verbs.add_parser(name, allow_abbrev=False)
        else:
            entry = verbs.add_parser(
                name, help=help_text, description=help_text, allow_abbrev=False
            )
        entry.set_defaults(verb=verb)
        return entry

    listing.add_verbs(add)
    running.add_verbs(add, words)
    predicting.add_verbs(add)
    batching.add_verbs(add)
    comparing.add_verbs(add)
    evaluating.add_verbs(add)
    intervals.add_verbs(add)
    rating.add_verbs(add)
    files.add_verbs(add)
    return parser
