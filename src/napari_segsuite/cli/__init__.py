"""The command ``napari-segsuite``: everything without a viewer, a display or Qt.

Exit status: 0 done; 1 a problem the user can mend, said in one line; 2 wrong usage;
130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence

from .. import __version__
from ..errors import Cancelled, SegSuiteError
from . import files, listing, running

Verb = Callable[[argparse.Namespace], None]

_DESCRIPTION = "Image segmentation in 2D and 3D from the terminal."
_EPILOG = "napari-segsuite VERB --help tells more; run METHOD --help lists the method's settings."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        Words after the program's name; by default those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            arguments = _parser(words).parse_args(words)
        except SystemExit as stop:
            return int(stop.code or 0)
        except SegSuiteError as error:
            return _fail(str(error))
        return _carry_out(arguments)


def _carry_out(arguments: argparse.Namespace) -> int:
    verb: Verb = arguments.verb
    try:
        verb(arguments)
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has left, as in `… | head`: nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SegSuiteError as error:
        if arguments.debug:
            raise
        return _fail(str(error))
    except Exception as error:  # the user never sees a traceback unasked
        if arguments.debug:
            raise
        return _fail(
            f"unexpected {type(error).__name__}: {error}; please report this, with what "
            f"`napari-segsuite --debug …` prints"
        )
    return 0


def _fail(message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
    return 1


def _show_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    print("warning:", " ".join(str(message).split()), file=sys.stderr)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="napari-segsuite", description=_DESCRIPTION, epilog=_EPILOG, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def add(name: str, verb: Verb, help_text: str | None) -> argparse.ArgumentParser:
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
    files.add_verbs(add)
    return parser
