"""How a long computation reports and how it is stopped."""

from __future__ import annotations

from typing import Protocol

from .errors import Cancelled as Cancelled


class Progress(Protocol):
    """Called by methods with a fraction in [0, 1]; raises `Cancelled` to stop them."""

    def __call__(self, fraction: float, message: str = "") -> None:
        """Report that `fraction` of the work is done."""


def _silent(fraction: float, message: str = "") -> None:
    return


SILENT: Progress = _silent


def part_of(progress: Progress, start: float, stop: float) -> Progress:
    """Report the whole of a step as the part from `start` to `stop` of something larger.

    Examples
    --------
    >>> part_of(lambda fraction, message="": print(fraction, message), 0.5, 1)(0.5, "half")
    0.75 half
    """

    def report(fraction: float, message: str = "") -> None:
        progress(start + (stop - start) * fraction, message)

    return report
