"""What a saved session holds, taken from the dock and put back into it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from ...errors import InputError, SegSuiteError
from ...growing.engines import SessionEngine
from ...growing.work_file import ImageIdentity, Work
from ...image import Image, LabelClass, Segmentation
from ...space import Space
from ..adapters import METADATA_KEY, classes_in, layer_data, space_of
from ..runner import runner_for
from .guide_user import GuideUser
from .settings_memory import SettingsMemory
from .source import ImageSource
from .work_panel import Guide, Identify, Snapshot, WorkPanel

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from .dock import GrowDock

_RECORD = "record"


class WorkDesk(QObject):
    """Saves and restores the session of a dock.

    Parameters
    ----------
    viewer : ViewerModel
    dock : GrowDock

    Attributes
    ----------
    panel : WorkPanel
    memory : SettingsMemory
    said : signal of (str, bool)
        A sentence for the status line, and whether it is a problem.
    """

    said = Signal(str, bool)

    def __init__(self, viewer: ViewerModel, dock: GrowDock) -> None:
        super().__init__(dock)
        self._viewer = viewer
        self._dock = dock
        self._known: weakref.WeakKeyDictionary[Any, tuple[Any, ImageIdentity]]
        self._known = weakref.WeakKeyDictionary()
        self._looked_at: Any = lambda: None
        self._painted: Any = None
        self.memory = SettingsMemory(viewer, dock, self)
        self.panel = WorkPanel(runner_for(viewer), self.snapshot, self._guide)
        self.panel.said.connect(self.said)
        self._guide_user = GuideUser(viewer, dock)
        self._guide_user.said.connect(self.said)
        self.panel.guide_chosen.connect(self._guide_user.use)
        self.panel.restored.connect(self.restore)
        self.memory.said.connect(self.said)
        dock.inputs.changed.connect(self._watch_seeds)

    def look_for(self, layer: Any) -> None:
        """Look for saved work on an image layer, and for settings; once for each choice."""
        if layer is self._looked_at():
            return
        self._looked_at = (lambda: None) if layer is None else weakref.ref(layer)
        self.panel.look_for(None if layer is None else self._identifier(layer))
        self.memory.recall(layer)

    def snapshot(self) -> Snapshot | None:
        """What there is to save now; None while there are no seeds."""
        layer, seeds = self._dock.inputs.image.value, self._dock.inputs.seeds.value
        if layer is None or seeds is None or not isinstance(seeds.data, np.ndarray):
            return None
        result = self._dock.applying.target.value
        if result is not None and result.data.shape != seeds.data.shape:
            result = None
        space, classes = space_of(seeds), classes_in(seeds.features, seeds.colormap)
        settings = self.memory.settings()
        result_classes: tuple[LabelClass, ...] = ()
        # Painting may go on: a stroke that is half in the file is better than waiting.
        labels, result_labels = seeds.data, None
        if result is not None:
            settings[_RECORD] = result.metadata.get(METADATA_KEY, {})
            result_labels = result.data
            result_classes = classes_in(result.features, result.colormap)

        def make(identity: ImageIdentity) -> Work:
            return Work(
                image=identity,
                space=space,
                seeds=labels,
                result=result_labels,
                settings=settings,
                classes=classes,
                result_classes=result_classes,
            )

        return Snapshot(str(layer.name), layer.source.path, self._identifier(layer), make)

    def restore(self, work: Work, is_same_image: bool) -> None:
        """Add the layers of a saved session, and show its settings."""
        try:
            self._choose_level(work)
        except SegSuiteError as error:
            self.said.emit(str(error), True)
            return
        name = work.image.name
        self._dock.cancel()
        if work.result is not None:
            target = self._add(work.result, work.space, work.result_classes, f"{name} result")
            target.metadata[METADATA_KEY] = dict(work.settings.get(_RECORD) or {})
            self._dock.desk.keeper.adopt(target)
            self._dock.applying.target.value = target
        seeds = self._add(work.seeds, work.space, work.classes, f"{name} seeds")
        self._dock.inputs.seeds.value = seeds
        self._viewer.layers.selection.active = seeds
        self.memory.show(work.settings)
        if is_same_image:
            self.said.emit(f"The session on '{name}' is back; press Preview to go on.", False)
        else:
            self.said.emit(f"This session was made on another image, '{name}'.", True)

    # --- parts ------------------------------------------------------------------------
    def _guide(self) -> Guide | None:
        """What was learned from the strokes, if anything was."""
        growth = self._dock.controller.growth
        engine = None if growth is None else growth.engine
        return engine.session.classifier if isinstance(engine, SessionEngine) else None

    def _choose_level(self, work: Work) -> None:
        """Choose the level of the image on whose grid a session lies.

        Raises
        ------
        InputError
            If there is none.
        """
        inputs = self._dock.inputs
        inputs.source()
        layer = inputs.image.value
        levels = range(len(layer.data) if layer.multiscale else 1)
        for level in levels:
            source = ImageSource(layer, level)
            for shape, space in (
                (source.labels_shape, source.labels_space),
                (source.grid_shape, source.grid),
            ):
                if work.seeds.shape == shape and work.space.is_close(space):
                    inputs.level.value = level
                    return
        raise InputError(
            f"expected a session on the grid of '{layer.name}', got one of shape "
            f"{work.seeds.shape} that was made on '{work.image.name}'; open that image first."
        )

    def _add(self, labels: Any, space: Space, classes: Any, name: str) -> Any:
        from napari.layers import Layer

        segmentation = Segmentation(labels, space, classes, name=name)
        layer = Layer.create(*layer_data(segmentation))
        self._viewer.add_layer(layer)
        return layer

    def _identifier(self, layer: Any) -> Identify:
        """Something that tells which image a layer holds; its values are read once."""
        data, name, path = layer.data, str(layer.name), layer.source.path
        is_multiscale = layer.multiscale

        def identify() -> ImageIdentity:
            known = self._known.get(layer)
            if known is None or known[0] is not data:
                values = _sample(data, is_multiscale)
                image = Image(values, Space.regular(values.ndim), name)
                known = (data, ImageIdentity.of(image, path))
                self._known[layer] = known
            return known[1]

        return identify

    def _watch_seeds(self) -> None:
        """Have what is painted saved, also without a preview."""
        seeds = self._dock.inputs.seeds.value
        if seeds is self._painted:
            return
        if self._painted is not None:
            self._painted.events.paint.disconnect(self._on_paint)
        self._painted = seeds
        if seeds is not None:
            seeds.events.paint.connect(self._on_paint)

    def _on_paint(self, _event: Any = None) -> None:
        self.panel.note_edit()


def _sample(data: Any, is_multiscale: bool) -> NDArray[Any]:
    """What tells an image from others: all of it, but not more than is quickly read.

    That is the coarsest level of several, and the middle plane of an array that is not in
    memory.
    """
    array = data[-1] if is_multiscale else data
    if not is_multiscale and not isinstance(array, np.ndarray) and array.ndim > 2:
        array = array[array.shape[0] // 2]
    return np.asarray(array)
