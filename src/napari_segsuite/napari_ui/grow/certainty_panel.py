"""Seeing how sure the preview is, and where to paint next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from magicgui.widgets import CheckBox
from qtpy.compat import isalive
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ...growing.certainty import doubt, least_certain_slice
from ...progress import Progress
from ...registry import get_method
from ...typing import Box, FloatArray
from ..adapters import METADATA_KEY
from ..form_parts import side_by_side
from ..runner import Job, runner_for
from .controller import GrowController
from .regions import go_to
from .shortcuts import explain

if TYPE_CHECKING:
    from napari.components import ViewerModel

_REST_MS = 500
_DARKEST = 0.75
_OPACITY = 0.85
# Below this percentile strengths share one colour: few voxels are held far less than the rest.
_WEAKEST = 2


class _Found(NamedTuple):
    """What was measured, as far as it was asked for."""

    doubt: FloatArray | None
    slice: int | None


class _Shown(NamedTuple):
    """A layer of this panel, and the region it covers."""

    layer: Any
    region: Box


class CertaintyPanel(QWidget):
    """Layers of strength and doubt beside a preview; the way to the least certain slice.

    They are brought up to date in moments of rest, and go with the preview.

    Parameters
    ----------
    viewer : ViewerModel
    controller : GrowController

    Attributes
    ----------
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    strength, doubt : CheckBox
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, controller: GrowController) -> None:
        super().__init__()
        self._viewer = viewer
        self._controller = controller
        self._shown: dict[str, _Shown] = {}
        self._job: Job | None = None
        self._is_behind = False
        self._wants_to_go = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self.refresh)
        self.strength = CheckBox(
            text="Show strength", tooltip="Add a layer of how firmly each voxel is held."
        )
        self.doubt = CheckBox(
            text="Dim what is uncertain",
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
        controller.grown.connect(self._on_grown)
        controller.state_changed.connect(self._on_state)
        viewer.layers.events.removed.connect(self._on_removed)

    def go_to_least_certain(self) -> None:
        """Move the slider to the slice whose borders are most in doubt, once that is known."""
        order = self._controller.order
        if order is None or (self._controller.growth is None and self._controller.is_settled):
            self.said.emit("Nothing has grown yet; press Preview, or Update now.", True)
        elif self._viewer.dims.ndisplay == 3 or order.source.grid.ndim < 3:
            self.said.emit("Show slices of a volume to be led from one to the next.", True)
        else:
            self.said.emit("Looking for the least certain slice …", False)
            self._wants_to_go = self._is_behind = True
            self.refresh()

    def refresh(self) -> None:
        """Bring the layers up to date; where the preview is still changing, after that."""
        if not self._is_behind or not self._controller.is_settled:
            return
        if self._controller.growth is None:  # off, or it could not start
            return
        self._is_behind = False
        if self.strength.value:
            self._show_strength()
        if self.doubt.value or self._wants_to_go:
            self._measure()

    def close_layers(self) -> None:
        """Take the layers away."""
        self._give_way()
        for name in list(self._shown):
            self._take_away(name)

    # --- what happens -----------------------------------------------------------------
    def _on_choice(self, _value: Any = None) -> None:
        for name, box in (("strength", self.strength), ("doubt", self.doubt)):
            if not box.value:
                self._take_away(name)
        self._is_behind = True
        self.refresh()

    def _on_grown(self, _growth: Any) -> None:
        self._is_behind = True
        self._rest.start()

    def _on_state(self) -> None:
        if not self._controller.is_on:
            self.close_layers()
        elif self._controller.task is not None:
            self._give_way()
        elif self._is_behind:
            self._rest.start()

    def _give_way(self) -> None:
        """Leave the machine to what follows the brush."""
        self._rest.stop()
        if self._job is not None:
            self._job.cancel()
            self._job = None
            self._is_behind = True
            self._wants_to_go = False

    def _on_removed(self, event: Any) -> None:
        """A layer that the user takes away is wanted no more."""
        if not isalive(self):
            return
        for name, box in (("strength", self.strength), ("doubt", self.doubt)):
            if name in self._shown and self._shown[name].layer is event.value:
                del self._shown[name]
                box.value = False

    # --- measuring --------------------------------------------------------------------
    def _measure(self) -> None:
        """Find in the background how far each voxel is from another class."""
        growth = self._controller.growth
        assert growth is not None
        assert growth.engine is not None
        engine, painted = growth.engine, growth.painted
        axis = self._axis() if self._wants_to_go else None
        wants_doubt = bool(self.doubt.value)
        self._wants_to_go = False

        def work(progress: Progress) -> _Found:
            margins = engine.margin(progress)
            # What is shown may lack the background, and with it the borders that matter most.
            labels = engine.labels
            return _Found(
                doubt(margins, labels) if wants_doubt else None,
                None if axis is None else least_certain_slice(margins, labels, axis, painted),
            )

        def show(found: _Found) -> None:
            self._job = None
            if found.doubt is not None:
                self._show_doubt(found.doubt)
            if axis is not None:
                self._go(axis, found.slice)

        def fail(sentence: str) -> None:
            self._job = None
            self.said.emit(sentence, True)

        runner = runner_for(self._viewer)
        self._job = runner.run_in_background(work, "Certainty", self, supersedes=self._job)
        self._job.finished.connect(show)
        self._job.failed.connect(fail)

    def _axis(self) -> int:
        """The axis of the grid that the slider of the slices moves along."""
        order, dims = self._controller.order, self._viewer.dims
        assert order is not None
        kinds = [entry.kind for entry in order.source.labels_space.axes]
        hidden = [axis - (dims.ndim - len(kinds)) for axis in dims.not_displayed]
        slider = next(axis for axis in reversed(hidden) if axis >= 0 and kinds[axis] == "space")
        return kinds[:slider].count("space")

    def _go(self, axis: int, index: int | None) -> None:
        growth, order = self._controller.growth, self._controller.order
        preview = self._controller.preview.layer
        if growth is None or order is None or preview is None:
            return
        if index is None:
            self.said.emit("No border is in doubt.", False)
            return
        place = growth.plan.region[axis].start + index
        kinds = [entry.kind for entry in order.source.labels_space.axes]
        own = [i for i, kind in enumerate(kinds) if kind == "space"][axis]
        go_to(self._viewer, preview, own, place)
        self.said.emit(f"Slice {place} is the least certain: paint here next.", False)

    # --- layers -----------------------------------------------------------------------
    def _show_strength(self) -> None:
        growth, order = self._controller.growth, self._controller.order
        assert growth is not None
        assert order is not None
        if growth.strength is None:
            title = get_method(growth.plan.method).title
            self.said.emit(f"{title} does not say how firmly voxels are held.", True)
            return
        values = growth.strength.copy()
        weakest = float(np.percentile(values[::4, ::4], _WEAKEST))
        limits = (min(weakest, 0.99), 1.0)
        self._show("strength", values, colormap="viridis", contrast_limits=limits, opacity=_OPACITY)

    def _show_doubt(self, values: FloatArray) -> None:
        from napari.utils.colormaps import Colormap

        dark = Colormap([[0, 0, 0, 0], [0, 0, 0, _DARKEST]], name="doubt")
        self._show("doubt", values, colormap=dark, contrast_limits=(0, 1), blending="translucent")

    def _show(self, name: str, values: FloatArray, **look: Any) -> None:
        from napari.layers import Image

        growth, order = self._controller.growth, self._controller.order
        preview = self._controller.preview.layer
        if growth is None or order is None or preview is None:
            return
        region = growth.plan.region
        if name in self._shown and self._shown[name].region == region:
            self._shown[name].layer.data = values
            return
        self._take_away(name)
        space = order.source.grid.crop(region)
        layer = Image(
            values,
            name=f"{order.source.name} {name}",
            metadata={METADATA_KEY: {}},  # nobody offers it as an image to grow in
            **look,
            **space.to_layer_kwargs(),
        )
        layers = self._viewer.layers
        active = layers.selection.active
        layers.insert(layers.index(preview) + 1, layer)
        layers.selection.active = active
        self._shown[name] = _Shown(layer, region)

    def _take_away(self, name: str) -> None:
        shown = self._shown.pop(name, None)
        if shown is not None and shown.layer in self._viewer.layers:
            self._viewer.layers.remove(shown.layer)
