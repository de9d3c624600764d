"""Choosing the image, at which level and with what beside it, and the seeds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import napari.layers
import numpy as np
from magicgui.widgets import ComboBox, Select
from qtpy.compat import isalive
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from ...device import available_memory
from ...errors import InputError, SpaceMismatchError
from ...growing.engines import LIVE_METHOD
from ...image import Image
from ...method import Input
from ...registry import get_method
from ..adapters import METADATA_KEY, space_of
from ..form_parts import add_row, form_rows
from ..layer_choice import LayerChooser
from ..new_seeds import add_seeds_layer
from ..settings import preferences
from .engine_panel import LIVE_DEFAULTS
from .source import ImageSource, finest_level

if TYPE_CHECKING:
    from napari.components import ViewerModel

NO_IMAGE = "Open an image to start."
NO_SEEDS = "Press New seeds layer, paint a stroke of each of two classes, and press Preview."

_IMAGE = Input("image", True, "The image or volume to segment.")
_SEEDS = Input("seeds", True, "The Labels layer that is painted into.")
_LIST_HEIGHT = 70
_COLOURS = ["red", "green", "blue", "alpha"]
_WATCHED = ("data", "scale", "translate", "rotate", "shear", "affine", "units")


class InputsPanel(QWidget):
    """The choosers of image and seeds.

    Parameters
    ----------
    viewer : ViewerModel

    Attributes
    ----------
    changed : signal
        Another image, level, channel or seeds layer was chosen, or a chosen one was moved or
        got other values; painting does not count.
    image, seeds : LayerChooser
    level, channels, others : magicgui widget
    """

    changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._watched: list[Any] = []
        self.image = LayerChooser(viewer, _IMAGE, (napari.layers.Image,))
        self.seeds = LayerChooser(viewer, _SEEDS, (napari.layers.Labels,))
        self.level = ComboBox(
            choices=[("0", 0)],
            label="Level",
            tooltip="Resolution to work at; seeds and result get the grid of this level.",
        )
        self.channels = Select(
            choices=[],
            label="Channels",
            tooltip="Channels that count. Ctrl+click adds one or takes it away.",
        )
        self.others = Select(
            choices=lambda _widget: self._offered_others(),
            label="Guided by",
            tooltip="Further images that the engine looks at: other MR sequences, stains. They "
            "may lie on other grids. Ctrl+click adds one or takes it away.",
        )
        self.new_button = QPushButton("New seeds layer")
        self.new_button.setToolTip("Add an empty layer on the image's grid and paint into it.")
        self._lay_out()
        self.image.changed.connect(self._on_image)
        for widget in (self.seeds, self.level, self.channels, self.others):
            widget.changed.connect(self._on_change)
        self._on_image()

    # --- what a dock asks -------------------------------------------------------------
    def source(self) -> ImageSource:
        """The chosen image at the chosen level.

        Raises
        ------
        InputError
            If no image is chosen, or it has too many axes.
        """
        if self.image.value is None:
            raise InputError(NO_IMAGE)
        return ImageSource(self.image.value, int(self.level.value or 0))

    def seeds_layer(self, source: ImageSource) -> Any:
        """The chosen seeds, on the grid of the image.

        Raises
        ------
        InputError
            If none are chosen or they are no labels in memory.
        SpaceMismatchError
            If they lie elsewhere.
        """
        layer = self.seeds.value
        if layer is None:
            raise InputError(NO_SEEDS)
        check_grid(layer, "seeds", source)
        return layer

    def chosen_channels(self) -> tuple[int, ...]:
        """The channels that count; empty for all."""
        chosen = tuple(int(index) for index in self.channels.value)
        return () if len(chosen) == len(self.channels.choices) else chosen

    def other_images(self, time: int | None) -> tuple[Callable[[], Image], ...]:
        """The further images to look at, of one time point, to be loaded when they are needed.

        Raises
        ------
        InputError
            If one has several channels, or too many axes.
        """
        chosen = [layer for layer in self._viewer.layers if layer.name in self.others.value]
        return tuple(_loader(ImageSource(layer), time) for layer in chosen)

    def new_seeds(self) -> None:
        """Add an empty seeds layer for the chosen image and start painting."""
        source = self.source()
        blank = np.broadcast_to(np.uint8(0), source.labels_shape)
        layer = add_seeds_layer(self._viewer, Image(blank, source.labels_space, source.name))
        self.seeds.value = layer

    def refresh(self) -> None:
        """Offer the layers there are now."""
        image, seeds, others = self.image.value, self.seeds.value, self.others.value
        # Of some changes the choosers tell, of others not.
        with self.image.changed.blocked(), self.seeds.changed.blocked():
            self.image.refresh()
            self.seeds.refresh()
        self._offer_others()
        if self.image.value is not image:
            self._on_image()
        elif self.seeds.value is not seeds or self.others.value != others:
            self._on_change()

    # --- parts ------------------------------------------------------------------------
    def _lay_out(self) -> None:
        rows = form_rows()
        add_row(rows, self.image)
        self._labels = {
            name: add_row(rows, getattr(self, name)) for name in ("level", "channels", "others")
        }
        for name in ("channels", "others"):
            getattr(self, name).native.setMaximumHeight(_LIST_HEIGHT)
        add_row(rows, self.seeds)
        rows.addRow("", self.new_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)

    def _offer_others(self) -> None:
        with self.others.changed.blocked():
            self.others.reset_choices()
        self._show("others", bool(self.others.choices))

    def _offered_others(self) -> list[str]:
        chosen = self.image.value
        return [
            layer.name
            for layer in self._viewer.layers
            if isinstance(layer, napari.layers.Image)
            and layer is not chosen
            and METADATA_KEY not in layer.metadata  # what a method made is none to be guided by
        ]

    def _on_image(self, _value: Any = None) -> None:
        layer = self.image.value
        levels = len(layer.data) if layer is not None and layer.multiscale else 1
        with self.level.changed.blocked():
            self.level.choices = [(_level_name(layer, level), level) for level in range(levels)]
            if levels > 1:
                self.level.value = _fitting_level(layer)
        n_channels = 1 if layer is None else _n_channels(layer)
        with self.channels.changed.blocked():
            self.channels.choices = _channel_names(layer, n_channels)
            self.channels.value = list(range(n_channels))
        self._offer_others()
        self._show("level", levels > 1)
        self._show("channels", n_channels > 1)
        self.new_button.setEnabled(layer is not None)
        self._on_change()

    def _show(self, name: str, is_wanted: bool) -> None:
        getattr(self, name).visible = is_wanted
        self._labels[name].setVisible(is_wanted)

    def _on_change(self, _value: Any = None) -> None:
        self._watch([layer for layer in (self.image.value, self.seeds.value) if layer is not None])
        self.changed.emit()

    def _watch(self, layers: list[Any]) -> None:
        for layer in self._watched:
            for name in _WATCHED:
                getattr(layer.events, name).disconnect(self._on_replaced)
        self._watched = layers
        for layer in layers:
            for name in _WATCHED:
                getattr(layer.events, name).connect(self._on_replaced)

    def _on_replaced(self, _event: Any = None) -> None:
        if isalive(self):
            self.changed.emit()


def check_grid(layer: napari.layers.Labels, name: str, source: ImageSource) -> None:
    """Refuse labels that do not lie on the grid of the image.

    Raises
    ------
    InputError, SpaceMismatchError
    """
    shapes = (source.labels_shape, source.grid_shape)
    shape = tuple(layer.data.shape)
    if layer.multiscale or shape not in shapes:
        raise InputError(
            f"expected {name} of shape {source.labels_shape}, as the image '{source.name}' has "
            f"at this level, got '{layer.name}' of shape {shape}; make a new layer for it."
        )
    if np.dtype(layer.data.dtype).kind not in "uib":
        raise InputError(
            f"expected integer labels in the layer '{layer.name}', got {layer.data.dtype}; "
            f"right-click it and choose Convert to Labels."
        )
    grid = source.labels_space if shape == source.labels_shape else source.grid
    if not space_of(layer).is_close(grid):
        raise SpaceMismatchError(
            f"expected the {name} on the grid of the image, but '{layer.name}' lies at "
            f"{space_of(layer)} and the image at {grid}; make a new layer for this image."
        )


def _loader(source: ImageSource, time: int | None) -> Callable[[], Image]:
    if source.n_channels > 1:
        raise InputError(
            f"expected one channel in each image to be guided by, got {source.n_channels} in "
            f"'{source.name}'; split its channels into layers of their own."
        )
    return partial(source.load, time)


def _n_channels(layer: napari.layers.Image) -> int:
    try:
        return ImageSource(layer).n_channels
    except InputError:
        return 1


def _channel_names(layer: Any, n_channels: int) -> list[tuple[str, int]]:
    is_colour = layer is not None and layer.rgb
    names = _COLOURS if is_colour else [f"channel {i}" for i in range(n_channels)]
    return [(name, index) for index, name in enumerate(names[:n_channels])]


def _fitting_level(layer: napari.layers.Image) -> int:
    limit = preferences().memory_limit or available_memory()
    per_voxel = get_method(LIVE_METHOD).memory_per_voxel(_n_channels(layer), LIVE_DEFAULTS)
    try:
        return finest_level(layer, per_voxel, limit)
    except InputError:
        return 0


def _level_name(layer: Any, level: int) -> str:
    if layer is None or not layer.multiscale:
        return "full"
    return f"{level}: {' × '.join(str(n) for n in layer.data[level].shape)}"
