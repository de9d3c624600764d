"""What words on the command line mean, and how to say that they mean nothing."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Values of a list are told from file names that follow it, which have an extension.
INTEGER_WORD = re.compile(r"\d+(,\d+)*,?")
_LABEL_PAIR = re.compile(r"(\d+)\s*=\s*(\d+)")
NAME_WORD = re.compile(r"[^-./\\][^./\\]*")


class VerbParser(argparse.ArgumentParser):
    """A parser that answers for its own verb.

    Attributes
    ----------
    lists : mapping of option to pattern
        Options that take one value or several, and what a further value looks like.
    """

    lists: Mapping[str, re.Pattern[str]] = {}

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse all words: unknown ones are told here, with the usage of the verb."""
        known, unknown = super().parse_known_args(join_lists(args, self.lists), namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


def join_lists(words: Iterable[str], lists: Mapping[str, re.Pattern[str]]) -> list[str]:
    """Give each option one word.

    Examples
    --------
    >>> join_lists(["--ignore", "1", "2", "a.nii"], {"--ignore": INTEGER_WORD})
    ['--ignore', '1,2', 'a.nii']
    """
    joined: list[str] = []
    further: re.Pattern[str] | None = None
    for word in words:
        if further is not None and further.fullmatch(word):
            joined[-1] += f",{word}"
            continue
        option, _, value = word.partition("=")
        further = lists.get(option) if value else lists.get(joined[-1]) if joined else None
        joined.append(word)
    return joined


def integer(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None


def count(text: str) -> int:
    """A whole number above zero."""
    number = integer(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above zero, got {number}")
    return number


def integers(text: str) -> Sequence[int]:
    """Whole numbers with commas between them."""
    try:
        return [int(part) for part in names(text)]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected whole numbers such as 255 or 0,255, got {text!r}"
        ) from None


def names(text: str) -> Sequence[str]:
    """Words with commas between them."""
    return [part.strip() for part in text.split(",") if part.strip()]


def lengths(text: str) -> tuple[float, ...]:
    """Numbers above zero with commas between them."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not values or not all(math.isfinite(value) and value > 0 for value in values):
        raise argparse.ArgumentTypeError(
            f"expected numbers above zero such as 3,0.7,0.7, got {text!r}"
        )
    return values


def length(text: str) -> float:
    """A number above zero."""
    values = lengths(text)
    if len(values) != 1:
        raise argparse.ArgumentTypeError(f"expected one number above zero, got {text!r}")
    return values[0]


def label_pairs(text: str) -> dict[int, int]:
    """Predicted labels and the classes they count as, with commas between the pairs.

    Examples
    --------
    >>> label_pairs("3=1,4=1")
    {3: 1, 4: 1}
    """
    found = [_LABEL_PAIR.fullmatch(part) for part in names(text)]
    if not found or None in found:
        raise argparse.ArgumentTypeError(
            f"expected pairs of label numbers such as 3=1,4=1, got {text!r}"
        )
    return {int(pair[1]): int(pair[2]) for pair in found if pair is not None}
