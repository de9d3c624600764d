"""Drop-downs whose choices change with what was measured."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from magicgui.widgets import ComboBox

from .results import Result


def offer(choice: ComboBox, choices: Iterable[tuple[str, Any]]) -> None:
    """Offer other choices without a signal; what was chosen stays if it is among them.

    Parameters
    ----------
    choice : ComboBox
    choices : iterable of (str, object)
        Titles and values.
    """
    offered, before = list(choices), choice.value
    with choice.changed.blocked():
        choice.choices = offered
        if before in [value for _, value in offered]:
            choice.value = before


def offer_results(choice: ComboBox, results: Iterable[Result]) -> None:
    """Offer results by their names, without a signal."""
    offer(choice, [(result.name, result.name) for result in results])
