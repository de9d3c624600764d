"""The terminal: what is said there, and what happens where it cannot take it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper

from ..errors import SegSuiteError


class OutputError(SegSuiteError):
    """Standard output does not take what is written to it."""


class ReaderLeft(Exception):  # noqa: N818 - not an error: they have read enough
    """Whoever read standard output has left, as in ``… | head``."""


def prepare() -> None:
    """Let every character be written, whatever the terminal's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: object) -> None:
    """Print to standard output."""
    with writing():
        print(text)


def complain(message: str) -> None:
    """Print one line to standard error."""
    # Where even that fails, the exit status has to do.
    with suppress(OSError):
        print(" ".join(message.split()), file=sys.stderr)


def show_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    """Print a warning as one line, without the place in the code."""
    complain(f"warning: {message}")


def reason(error: Exception) -> str:
    """What went wrong, in words for the user."""
    if isinstance(error, SegSuiteError):
        return str(error)
    return (
        f"unexpected {type(error).__name__}: {error}; please report this, with what "
        "`napari-segsuite --debug …` prints"
    )


def flush() -> None:
    """Write out what standard output still holds."""
    with writing():
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()


@contextmanager
def writing() -> Iterator[None]:
    """Tell failures of standard output from other ones.

    Raises
    ------
    ReaderLeft
        If nobody reads any more.
    OutputError
        If the device is full or broken.
    """
    try:
        yield
    except BrokenPipeError as error:
        _let_go()
        raise ReaderLeft from error
    except OSError as error:
        _let_go()
        reason = (error.strerror or str(error)).lower()
        raise OutputError(
            f"cannot write to standard output: {reason}; send it somewhere else"
        ) from error


def _let_go() -> None:
    """Drop what is still buffered, which the interpreter would write, and fail, at its end."""
    with suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
