"""The raters of a consensus, one line each."""

from __future__ import annotations

from ...metrics.raters.consensus import DEFINITIONS
from ..number_table import NumberCell, NumberTable
from .merging import Merged

_RATER = ("Rater", "The layer whose labels count as one rater.")
_DICE = ("Dice", "Dice with the consensus, mean over the foreground classes.")
_NO_FOREGROUND = "neither rater nor consensus has any foreground"


class RaterTable(NumberTable):
    """Dice with the consensus, then sensitivity and specificity for each class."""

    def show_merged(self, merged: Merged) -> None:
        """Show the raters of a consensus."""
        found = merged.consensus
        names = {entry.id: entry.name for entry in found.segmentation.classes}
        titles = [names.get(label, _usual(label)) for label in found.performance.classes]
        heads = [
            (f"{title}\n{measure}", f"{measure.capitalize()}: {definition}.")
            for title in titles
            for measure, definition in DEFINITIONS.items()
        ]
        self.set_heads([_RATER, _DICE, *heads])
        self.show_rows(_lines(merged))


def _lines(merged: Merged) -> list[list[NumberCell]]:
    found = merged.consensus
    lines = [
        [NumberCell(name), NumberCell(float(dice), "" if dice == dice else _NO_FOREGROUND)]
        for name, dice in zip(found.agreement.names, merged.dice, strict=True)
    ]
    order = {label: i for i, label in enumerate(found.performance.classes)}
    cells = sorted(found.performance.values(), key=lambda entry: order[entry[2]])
    for _measure, rater, _label, value, reason in cells:
        lines[rater].append(NumberCell(value, reason))
    return lines


def _usual(label: int) -> str:
    return "background" if label == 0 else f"class {label}"
