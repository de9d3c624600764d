"""What to measure, and what the names of metrics leave open, as a form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QVBoxLayout, QWidget

from ...errors import ParameterError
from ...metrics.catalogue import GROUPS, METRICS
from ...metrics.definitions import Definitions, Objects, Pooling, Surface
from ...metrics.grids import UNSTATED
from ...params import Param
from ...space import Space
from ..adapters import space_of
from ..form_parts import add_row, form_rows, text_label
from ..forms import SettingsForm

if TYPE_CHECKING:
    from napari.layers import Labels

_TITLE = "Measure"
_GROUPS = {
    "overlap": "Overlap",
    "volume": "Volumes",
    "surface": "Surfaces",
    "instances": "Instances",
    "partition": "Partition",
    "warping": "Warping",
}
_TICKED = ("overlap", "volume")
_COLUMNS = 3
_USUAL = Definitions()
_TOLERANCE = "NSD tolerance"
_PARAMS = {
    "Surface": Param(
        "surface", "choice", _USUAL.surface, choices=get_args(Surface),
        help="What distances are measured between: the marching-cubes surface, weighted by "
        "area, or the centres of border voxels, each counted once.",
    ),
    "HD95": Param(
        "hd_pooling", "choice", _USUAL.hd_pooling, choices=get_args(Pooling),
        help="The larger of the two directed 95th percentiles (max), or the percentile of the "
        "distances of both directions together (pooled).",
    ),
    _TOLERANCE: Param(
        "tolerance", "float", None, minimum=0, exclusive_minimum=True, optional=True,
        help="How far apart surfaces may lie for NSD. Left empty, it is the largest step "
        "of the grid.",
    ),
    "F-beta": Param(
        "beta", "float", _USUAL.beta, minimum=0, exclusive_minimum=True,
        help="How many times as much recall counts as precision in F-beta.",
    ),
    "Objects": Param(
        "objects", "choice", _USUAL.objects, choices=get_args(Objects),
        help="Whether each label is an object, or each connected component of a label.",
    ),
    "Ignore": Param(
        "ignore", "ints", (), minimum=0,
        help="Labels of the reference, such as 0, 255, whose voxels are left out. For "
        "surfaces, they count as background in both.",
    ),
    "Classes": Param(
        "mapping", "text", "",
        help="Predicted labels that stand for other classes of the reference: 3=1, 4=1 "
        "reads 3 and 4 as 1. Labels not named stay as they are.",
    ),
    "Other grids": Param(
        "nearest", "bool", False,
        help="Take for each voxel of the reference the nearest one of a prediction on another "
        "grid, instead of refusing it.",
    ),
}  # fmt: skip
_EXAMPLES = {
    "tolerance": "largest voxel step",
    "ignore": "none; e.g. 0, 255",
    "mapping": "none; e.g. 3=1, 4=1",
}


class MeasureOptions(QWidget):
    """Groups of metrics to tick, definitions, and the voxel size in use.

    Attributes
    ----------
    boxes : dict of str to QCheckBox
        By group of metrics.
    form : SettingsForm
    grid_line : QLabel
        Voxel size and unit of the reference.
    changed : signal
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.boxes = {group: _box(group) for group in GROUPS}
        self.form = SettingsForm(_PARAMS.values(), _TITLE)
        self.grid_line = text_label()
        for title, widget in zip(_PARAMS, self.form.widgets.values(), strict=True):
            widget.label = title
        for name, example in _EXAMPLES.items():
            self.form.widgets[name].native.setPlaceholderText(example)
        self.form.widgets["nearest"].text = "Resample by nearest voxel"
        self._lay_out()
        for box in self.boxes.values():
            box.toggled.connect(lambda _is_on: self.changed.emit())
        self.form.changed.connect(self.changed.emit)

    def keywords(self) -> dict[str, Any]:
        """What `evaluate` is called with.

        Raises
        ------
        ParameterError
            If nothing is ticked, or what was typed cannot be read.
        """
        values = self.form.values()
        groups = [group for group, box in self.boxes.items() if box.isChecked()]
        if not groups:
            raise ParameterError("expected something to measure, got nothing; tick a group.")
        values["metrics"] = groups
        values["mapping"] = read_mapping(values["mapping"])
        values["other_grid"] = "nearest" if values.pop("nearest") else "refuse"
        return values

    def shown(self) -> dict[str, Any]:
        """What the form shows, as plain data; `show` takes it back."""
        boxes = {group: box.isChecked() for group, box in self.boxes.items()}
        texts = {name: widget.value for name, widget in self.form.widgets.items()}
        return {"groups": boxes, "settings": texts}

    def show_again(self, shown: Mapping[str, Any]) -> None:
        """Show what `shown` gave."""
        for group, is_on in shown["groups"].items():
            self.boxes[group].setChecked(is_on)
        for name, value in shown["settings"].items():
            self.form.widgets[name].value = value

    def show_grid(self, layers: Sequence[Labels]) -> None:
        """Say which voxel size and unit measurements have.

        Parameters
        ----------
        layers : sequence of Labels
            The reference, and after it the predictions.
        """
        spaces = [space_of(layer) for layer in layers]
        stated = [space for space in spaces if space.unit]
        used = next(iter([*stated, *(s for s in spaces if s.is_physical), *spaces]), None)
        self.grid_line.setText("" if used is None else grid_in_words(used))
        unit = "voxels" if used is None else _unit_of(used)
        self._tolerance_label.setText(f"{_TOLERANCE} ({unit})")

    def _lay_out(self) -> None:
        groups = QGridLayout()
        for i, box in enumerate(self.boxes.values()):
            groups.addWidget(box, i // _COLUMNS, i % _COLUMNS)
        rows = form_rows()
        fields = dict(self.form.widgets)
        nearest = fields.pop("nearest")
        labels = {name: add_row(rows, widget) for name, widget in fields.items()}
        rows.addRow(nearest.native)  # a box says by itself what it is about
        self._tolerance_label = labels["tolerance"]
        layout = QVBoxLayout(self)
        layout.addLayout(groups)
        layout.addLayout(rows)
        layout.addWidget(self.grid_line)


def read_mapping(text: str) -> dict[int, int]:
    """Read pairs of labels such as "3=1, 4=1".

    Raises
    ------
    ParameterError
        If it is something else.

    Examples
    --------
    >>> read_mapping("3=1, 4=1")
    {3: 1, 4: 1}
    """
    pairs = [part.strip() for part in text.split(",") if part.strip()]
    found: dict[int, int] = {}
    for pair in pairs:
        match = re.fullmatch(r"(\d+)\s*=\s*(\d+)", pair)
        if match is None:
            raise ParameterError(
                f"expected pairs of labels such as 3=1, 4=1, got '{text}'; type predicted label "
                "= class of the reference.",
                name="mapping",
            )
        found[int(match[1])] = int(match[2])
    return found


def grid_in_words(space: Space) -> str:
    """Voxel size and unit that is measured with.

    Parameters
    ----------
    space : Space

    Examples
    --------
    >>> grid_in_words(Space.regular(3, (3, 0.5, 0.5), "mm"))
    'Voxel size 3 × 0.5 × 0.5 mm.'
    """
    steps = " × ".join(f"{step:.4g}" for step in space.spacing)
    if space.unit is not None:
        return f"Voxel size {steps} {_unit_of(space)}."
    if space.is_physical:
        return f"Voxel size {steps}, in units that no layer names."
    return "Volumes and distances are in voxels: no layer states a voxel size."


def _unit_of(space: Space) -> str:
    return (space.unit or (UNSTATED if space.is_physical else "voxels")).replace("um", "µm")


def _box(group: str) -> QCheckBox:
    box = QCheckBox(_GROUPS.get(group, group.capitalize()))
    titles = ", ".join(metric.title for metric in METRICS.values() if metric.group == group)
    box.setToolTip(f"{titles}.")
    box.setChecked(group in _TICKED)
    return box
