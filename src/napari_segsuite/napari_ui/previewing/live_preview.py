"""A preview that follows the settings, the inputs and the slice on display."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QCheckBox

from ...compute import JobRequest
from ...errors import InputError, SegSuiteError
from ...image import Segmentation
from ...method import Method
from ...progress import Progress
from ...slice_preview import Shown, SlicePreview, slice_preview
from ...warmup import prepare
from ..grow.regions import step_of
from ..grow.seed_watch import SeedWatch
from ..runner import Job, runner_for
from .overlay import PreviewOverlay

if TYPE_CHECKING:
    from napari.components import ViewerModel

# A preview that takes longer gives way to a newer one; a faster one is shown before it.
_PATIENCE = 0.2
_SAID_AFTER = 0.5

Order = tuple[JobRequest, Mapping[str, Any]]


class LivePreview(QObject):
    """The preview of one form.

    One is computed at a time, in the background; of those asked for meanwhile only the
    newest follows.

    Parameters
    ----------
    viewer : ViewerModel
    method : Method
    order : callable
        Returns the job that the form would start, its arrays not copied, and the chosen
        layers by input; None where it cannot start any.
    covers : callable
        Returns the result layer that a preview stands in for, or None.
    parent : QObject

    Attributes
    ----------
    box : QCheckBox
        Whether there is a preview.
    said : signal of (str, bool)
        A sentence, and whether it says what is wrong.
    found : signal of object
        The threshold that the method found by itself, None where it cannot be known.
    """

    said = Signal(str, bool)
    found = Signal(object)

    def __init__(
        self,
        viewer: ViewerModel,
        method: Method,
        order: Callable[[], Order | None],
        covers: Callable[[], Any],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._method = method
        self._order = order
        self._covers = covers
        self._job: Job | None = None
        self._last: SlicePreview | None = None
        self._next: SlicePreview | None = None
        self._layers: Mapping[str, Any] = {}
        self._is_held = False
        self._done: tuple[Any, ...] | None = None
        self._overlay = PreviewOverlay(viewer, self._on_removed_by_hand)
        self._prepared: set[tuple[Any, int]] = set()
        self._watches: dict[str, SeedWatch] = {}
        # One change of a setting may bring others along: look once they are all made.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._update)
        self.box = QCheckBox("Live preview")
        self.box.setToolTip(
            "Show what the settings do on the slice in view while you change them. "
            "Run makes the result."
        )
        self.box.toggled.connect(self._on_toggled)
        for name in ("current_step", "order", "ndisplay"):
            getattr(viewer.dims.events, name).connect(self._on_slider)

    @property
    def layer(self) -> Any:
        """The layer of the preview, None while there is none."""
        return self._overlay.layer

    def update(self) -> None:
        """Bring the preview up to date soon, if anything changed since."""
        if self.box.isChecked():
            self._soon.start()

    def _update(self) -> None:
        if not self.box.isChecked() or self._is_held:
            return
        order = self._order()
        if order is None:
            self._stop()
            return
        request, layers = order
        self._watch(layers)
        if self._done is not None and self._done == _facts(request, layers):
            return
        self._done = None
        try:
            preview = slice_preview(request, self._place(layers["image"]))
        except SegSuiteError as error:
            self._stop()
            self.said.emit(str(error), True)
            return
        self._layers = layers
        self._ask_for(preview)

    def hold(self) -> None:
        """Compute no preview while the method runs."""
        order = self._order() if self.box.isChecked() else None
        self._done = _facts(*order) if order is not None else None
        self._is_held = True
        self._cancel()

    def release(self, *, is_done: bool) -> None:
        """Go on after a run; if it is done, its result is shown until something changes."""
        self._is_held = False
        if is_done:
            self._overlay.hide()
        else:
            self._done = None
        self.update()

    def close(self) -> None:
        """Take the preview away, as when the form is closed."""
        self.box.setChecked(False)

    def leave_viewer(self, _sender: Any = None) -> None:
        """Listen to the viewer no more; the form is gone."""
        for name in ("current_step", "order", "ndisplay"):
            getattr(self._viewer.dims.events, name).disconnect(self._on_slider)
        self._overlay.close()

    # --- what asks for a preview ------------------------------------------------------
    def _on_toggled(self, is_on: bool) -> None:
        self._done = None
        if is_on:
            self.update()
        else:
            self._watch({})
            self._stop()
            self.said.emit("", False)

    def _on_slider(self, _event: Any = None) -> None:
        if isalive(self):
            self.update()

    def _on_edit(self) -> None:
        """Look at labels that may have been painted on, also after a run."""
        if self._done is not None and self._last is not None and not self._is_held:
            order = self._order()
            if order is not None and self._differs(*order):
                self._done = None
        self.update()

    def _differs(self, request: JobRequest, layers: Mapping[str, Any]) -> bool:
        assert self._last is not None
        try:
            preview = slice_preview(request, self._place(layers["image"]))
        except SegSuiteError:
            return False
        return self._last.is_at(preview) and not self._last.is_like(preview)

    def _on_removed_by_hand(self) -> None:
        self.box.setChecked(False)

    def _watch(self, layers: Mapping[str, Any]) -> None:
        """Follow what is painted into the inputs."""
        wanted = {name: layer for name, layer in layers.items() if hasattr(layer, "selected_label")}
        for name in {*wanted, *self._watches}:
            if name not in self._watches:
                self._watches[name] = SeedWatch(self)
                self._watches[name].edited.connect(self._on_edit)
            if self._layers.get(name) is not wanted.get(name):
                self._watches[name].watch(wanted.get(name))
        self._layers = layers

    def _place(self, layer: Any) -> tuple[int | None, ...]:
        """Where the slice on display lies in the layer of the image."""
        dims = self._viewer.dims
        if dims.ndisplay == 3:
            raise InputError("The live preview shows slices: switch the display to 2D.")
        offset = dims.ndim - layer.ndim
        shown = {axis - offset for axis in dims.displayed}
        shape = layer.data.shape
        place: list[int | None] = []
        for axis, index in enumerate(step_of(self._viewer, layer)):
            if axis not in shown and not 0 <= index < shape[axis]:
                raise InputError("No preview: the image has no slice here.")
            place.append(None if axis in shown else index)
        return tuple(place)

    # --- computing --------------------------------------------------------------------
    def _ask_for(self, preview: SlicePreview) -> None:
        is_under_way = self._job is not None or self.layer is not None
        if is_under_way and self._last is not None and self._last.is_like(preview):
            self._next = None
            return
        if self._job is None:
            self._start(preview)
            return
        self._next = preview
        is_elsewhere = self._last is None or not self._last.is_at(preview)
        if is_elsewhere or self._job.elapsed > _PATIENCE:
            self._job.cancel()

    def _start(self, preview: SlicePreview) -> None:
        preview = self._last = preview.detached()

        def work(progress: Progress) -> Shown:
            self._prepare(preview.request, progress)
            return preview.run(progress)

        title = f"{self._method.title} preview"
        self._job = job = runner_for(self._viewer).run_in_background(work, title, self)
        job.progressed.connect(self._on_progress)
        job.finished.connect(lambda shown: self._show(preview, shown))
        job.failed.connect(self._fail)
        job.ended.connect(self._on_ended)

    def _prepare(self, request: JobRequest, progress: Progress) -> None:
        """Have the code compiled, once for each kind of image."""
        image = (
            request.image.labels if isinstance(request.image, Segmentation) else request.image.data
        )
        kind = (image.dtype, image.ndim)
        if kind not in self._prepared:
            # For each choice of the settings it would take seconds: most code is common to all.
            prepare(replace(request, settings={}), progress)
            self._prepared.add(kind)

    def _on_ended(self) -> None:
        self._job = None
        preview, self._next = self._next, None
        if preview is not None:
            self._start(preview)

    def _on_progress(self, _fraction: float, message: str, _seconds_left: float) -> None:
        if self._job is not None and self._job.elapsed > _SAID_AFTER and message:
            self.said.emit(f"Preview: {message}", False)

    def _show(self, preview: SlicePreview, shown: Shown) -> None:
        if not self.box.isChecked() or self._is_held:
            return
        colours_of = self._layers.get("seeds")
        if self._method.takes_labels:
            colours_of = self._layers.get("image")
        self._overlay.show(shown.value, colours_of=colours_of, covers=self._covers())
        self.found.emit(shown.threshold)
        self.said.emit(preview.note, False)

    def _fail(self, sentence: str) -> None:
        self._overlay.hide()
        self.found.emit(None)
        self.said.emit(sentence, True)

    def _cancel(self) -> None:
        self._next = None
        if self._job is not None:
            self._last = None
            self._job.cancel()

    def _stop(self) -> None:
        self._cancel()
        self._last = None
        self._overlay.hide()
        self.found.emit(None)


def _facts(request: JobRequest, layers: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a result follows from, as far as it can be told without reading arrays."""
    arrays = tuple((name, id(layer), id(layer.data)) for name, layer in layers.items())
    return tuple(request.settings.items()), arrays, request.frames
