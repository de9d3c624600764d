"""Seeing how sure the preview is, and where to paint next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import CheckBox
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ...growing.certainty import least_certain_slice
from ...growing.margins import margin
from ...progress import Progress
from ...typing import FloatArray, LabelArray
from ..form_parts import side_by_side
from ..runner import Job, runner_for
from .controller import GrowController
from .regions import go_to
from .shortcuts import explain
from .source import frame_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

_REST_MS = 500
_DARKEST = 0.75


class CertaintyPanel(QWidget):
    """Layers of strength and doubt beside a preview; the way to the least certain slice.

    They are brought up to date in moments of rest.

    Parameters
    ----------
    viewer : ViewerModel
    controller : GrowController

    Attributes
    ----------
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, controller: GrowController) -> None:
        super().__init__()
        self._viewer = viewer
        self._controller = controller
        self._layers: dict[str, Any] = {}
        self._job: Job | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.refresh)
        self.strength = CheckBox(
            text="strength", tooltip="Add a layer of how firmly each voxel is held."
        )
        self.doubt = CheckBox(
            text="dim what is uncertain",
            tooltip="Darken voxels that another class would almost have won.",
        )
        self.go_button = QPushButton("Go to the least certain slice")
        explain(self.go_button, "least_certain", "Paint here next: where borders are in doubt.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(side_by_side([self.strength.native, self.doubt.native]))
        layout.addWidget(self.go_button)
        self.strength.changed.connect(self._on_choice)
        self.doubt.changed.connect(self._on_choice)
        self.go_button.clicked.connect(self.go_to_least_certain)
        controller.grown.connect(lambda _growth: self._rest.start())
        controller.state_changed.connect(self._on_state)

    def go_to_least_certain(self) -> None:
        """Move the slider to the slice whose borders are most in doubt."""
        if self._viewer.dims.ndisplay == 3 or self._layer_ndim() < 3:
            self.said.emit("Show slices of a volume to be led from one to the next.", True)
            return
        self._measure(self._go)

    def refresh(self) -> None:
        """Bring the layers that are shown up to date."""
        if not self._controller.is_settled:
            return
        if self.strength.value:
            self._show_strength()
        if self.doubt.value:
            self._measure(self._show_doubt)

    def close_layers(self) -> None:
        """Take the layers away."""
        if self._job is not None:
            self._job.cancel()
        for layer in self._layers.values():
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._layers.clear()

    # --- parts ------------------------------------------------------------------------
    def _on_choice(self, _value: Any = None) -> None:
        for name, box in (("strength", self.strength), ("doubt", self.doubt)):
            layer = self._layers.pop(name, None) if not box.value else None
            if layer is not None and layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self.refresh()

    def _on_state(self) -> None:
        """Give way to what follows the brush."""
        if self._controller.task is not None and self._job is not None:
            self._job.cancel()
        if not self._controller.is_on:
            self.close_layers()

    def _layer_ndim(self) -> int:
        order = self._controller.order
        return 0 if order is None else order.source.grid.ndim

    def _measure(self, then: Any) -> None:
        """Find the margins of the preview in the background, and hand them on."""
        growth, order = self._controller.growth, self._controller.order
        if growth is None or order is None:
            self.said.emit("Start the preview first.", True)
            return
        plan = growth.plan
        seeds = frame_of(order.seeds.data, order.source, order.time)[plan.region].copy()
        labels = growth.shown[plan.region]

        def work(progress: Progress) -> tuple[FloatArray, LabelArray, LabelArray]:
            return margin(plan, seeds, progress), labels, seeds

        self._job = runner_for(self._viewer).run_in_background(
            work, "Certainty", self, supersedes=self._job
        )
        self._job.finished.connect(lambda found: then(*found))
        self._job.failed.connect(lambda sentence: self.said.emit(sentence, True))

    def _go(self, margins: FloatArray, labels: LabelArray, seeds: LabelArray) -> None:
        growth, order = self._controller.growth, self._controller.order
        preview = self._controller.preview.layer
        if growth is None or order is None or preview is None:
            return
        extra = preview.ndim - order.source.grid.ndim
        hidden = [a - (self._viewer.dims.ndim - preview.ndim) for a in self._hidden_axes()]
        axis = next(a - extra for a in reversed(hidden) if a >= extra)
        index = least_certain_slice(margins, labels, axis, seeds)
        if index is None:
            self.said.emit("No border is in doubt.", False)
            return
        place = growth.plan.region[axis].start + index
        go_to(self._viewer, preview, axis + extra, place)
        self.said.emit(f"Slice {place} is the least certain: paint here next.", False)

    def _hidden_axes(self) -> tuple[int, ...]:
        return tuple(self._viewer.dims.not_displayed)

    def _show_strength(self) -> None:
        growth = self._controller.growth
        if growth is not None and growth.strength is not None:
            self._show("strength", growth.strength.copy(), contrast_limits=(0, 1))

    def _show_doubt(self, margins: FloatArray, labels: LabelArray, _seeds: LabelArray) -> None:
        from napari.utils.colormaps import Colormap

        dark = Colormap([[0, 0, 0, 0], [0, 0, 0, _DARKEST]], name="doubt")
        doubt = np.where(labels != 0, 1 - margins, 0).astype(np.float32)
        self._show("doubt", doubt, colormap=dark, contrast_limits=(0, 1), blending="translucent")

    def _show(self, name: str, values: FloatArray, **look: Any) -> None:
        from napari.layers import Image

        growth, order = self._controller.growth, self._controller.order
        preview = self._controller.preview.layer
        if growth is None or order is None or preview is None:
            return
        layer: Any = self._layers.get(name)
        if layer in self._viewer.layers and layer.data.shape == values.shape:
            layer.data = values
            return
        space = order.source.grid.crop(growth.plan.region)
        layer = Image(values, name=f"{order.source.name} {name}", **look, **space.to_layer_kwargs())
        active = self._viewer.layers.selection.active
        self._viewer.layers.insert(self._viewer.layers.index(preview) + 1, layer)
        self._viewer.layers.selection.active = active
        self._layers[name] = layer
