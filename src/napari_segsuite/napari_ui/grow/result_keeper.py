"""The results: written into in one step each, and taken back step by step."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from ...errors import InputError
from ...growing.result_history import ResultHistory
from ...label_values import smallest_label_dtype
from ...progress import Progress
from ...typing import Box, LabelArray
from ..adapters import METADATA_KEY
from ..runner import Job, runner_for
from ..settings import preferences
from .inputs_panel import check_grid
from .source import ImageSource

if TYPE_CHECKING:
    import napari.layers
    from napari.components import ViewerModel

Record = Mapping[str, Any] | None


class Made(NamedTuple):
    """New labels of a result, and the record of how they came about."""

    labels: LabelArray
    record: Record


Make = Callable[[LabelArray, Progress], Made]


@dataclass(eq=False)
class _Place:
    """One time point of one layer, and what was done to it."""

    layer: weakref.ref[Any]
    index: tuple[Any, ...]
    history: ResultHistory

    def array(self) -> LabelArray:
        """The labels; InputError if the layer is gone."""
        layer = self.layer()
        if layer is None:
            raise InputError("The result layer is gone; its steps cannot be taken back.")
        view: LabelArray = layer.data[self.index]
        return view


class _Step(NamedTuple):
    """Where something was done, and the records of the layer before and after."""

    place: _Place
    before: Record
    after: Record


class _Outcome(NamedTuple):
    """Where a step changed labels, its record, and the array they are in if that is another."""

    box: Box | None
    record: Record = None
    wider: LabelArray | None = None


class ResultKeeper(QObject):
    """Writes into result layers, in the background, and remembers how to undo it.

    One step is made at a time. A layer's own undo, of what was painted by hand, goes on
    as if nothing had happened; so does this one.

    Parameters
    ----------
    viewer : ViewerModel
    parent : QObject

    Attributes
    ----------
    written : signal of (str, object, bool)
        A step's name, the layer, and whether that changed; also for steps taken back.
    failed : signal of str
    """

    written = Signal(str, object, bool)
    failed = Signal(str)

    def __init__(self, viewer: ViewerModel, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._own: weakref.WeakSet[Any] = weakref.WeakSet()
        self._places: list[_Place] = []
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._job: Job | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a step is being made."""
        return self._job is not None

    @property
    def undo_name(self) -> str | None:
        """What `undo` takes back."""
        return self._name_of_last(self._done, "undo_name")

    @property
    def redo_name(self) -> str | None:
        """What `redo` makes again."""
        return self._name_of_last(self._undone, "redo_name")

    def new_layer(
        self, source: ImageSource, seeds: napari.layers.Labels, name: str
    ) -> napari.layers.Labels:
        """An empty result with the classes of the seeds, for `change` to show."""
        from napari.layers import Labels

        layer = Labels(
            np.zeros(source.labels_shape, np.uint8),
            name=name,
            features=seeds.features.copy(),
            colormap=copy.deepcopy(seeds.colormap),
            metadata={METADATA_KEY: {}},
            **source.labels_space.to_layer_kwargs(),
        )
        self.adopt(layer)
        return layer

    def adopt(self, layer: napari.layers.Labels) -> None:
        """Count a layer among the plugin's own, whose array may be replaced by a wider one."""
        self._own.add(layer)

    def is_own(self, layer: napari.layers.Labels) -> bool:
        """Whether a layer was made here, and is not the user's own."""
        return layer in self._own

    def change(
        self,
        layer: napari.layers.Labels,
        source: ImageSource,
        time: int | None,
        make: Make,
        name: str,
        *,
        beneath: napari.layers.Labels | None = None,
    ) -> None:
        """Replace the labels of one time point by what `make` gives for them.

        Parameters
        ----------
        layer : Labels
        source : ImageSource
            On whose grid the layer lies.
        time : int or None
        make : callable
            Given the labels so far and a progress, in a thread, returns the new ones.
        name : str
            Of the step.
        beneath : Labels, optional
            Show the layer, a new one, beneath this one once it holds something.

        Raises
        ------
        InputError
            If the layer does not lie on the grid of the image, or is not in memory, or
            another step is under way.
        """
        self._require_rest()
        if not isinstance(layer.data, np.ndarray):
            raise InputError(
                f"expected a result in memory, but '{layer.name}' is lazy; choose another layer."
            )
        check_grid(layer, "result", source)
        place = self._place(layer, source, time)
        is_own = self.is_own(layer)
        before: Record = layer.metadata.get(METADATA_KEY)

        def work(progress: Progress) -> _Outcome:
            return _commit(place, layer, is_own, make(place.array(), progress), name)

        def then(outcome: _Outcome) -> None:
            if outcome.wider is not None:
                layer.data = outcome.wider
            if beneath is not None:
                self._show(layer, beneath)
            if outcome.box is not None:
                self._done.append(_Step(place, before, outcome.record))
                self._undone.clear()
                _put_record(layer, outcome.record)

        self._run(work, name, layer, then)

    def undo(self) -> None:
        """Take the last step back, in whichever result it was."""
        self._move(self.undo_name, self._done, self._undone, "taken back")

    def redo(self) -> None:
        """Make the step again that was taken back last."""
        self._move(self.redo_name, self._undone, self._done, "made again")

    # --- parts ------------------------------------------------------------------------
    def _move(self, name: str | None, pile: list[_Step], other: list[_Step], words: str) -> None:
        """Take the last step of one pile to the other one."""
        if name is None:
            return
        try:
            self._require_rest()
        except InputError as error:
            self.failed.emit(str(error))
            return
        step = pile.pop()
        is_undo = pile is self._done
        history = step.place.history
        move = history.undo if is_undo else history.redo
        layer = step.place.layer()

        def then(_outcome: _Outcome) -> None:
            other.append(step)
            _put_record(layer, step.before if is_undo else step.after)

        # A step that cannot be moved, as its layer has another shape now, bars no others.
        self._run(
            lambda _progress: _Outcome(move(step.place.array())), f"{name} {words}", layer, then
        )

    def _require_rest(self) -> None:
        if self.is_busy:
            raise InputError("The last step is still being made; try again in a moment.")

    def _place(self, layer: napari.layers.Labels, source: ImageSource, time: int | None) -> _Place:
        index: list[Any] = [slice(None)] * layer.ndim
        if source.time_axis is not None and layer.ndim > source.grid.ndim:
            index[source.time_axis] = time
        self._places = [place for place in self._places if place.layer() is not None]
        for place in self._places:
            if place.layer() is layer and place.index == tuple(index):
                return place
        wishes = preferences()
        history = ResultHistory(wishes.undo_bytes, wishes.undo_steps)
        self._places.append(_Place(weakref.ref(layer), tuple(index), history))
        return self._places[-1]

    def _run(
        self,
        work: Callable[[Progress], _Outcome],
        name: str,
        layer: Any,
        then: Callable[[_Outcome], None],
    ) -> None:
        def finish(outcome: _Outcome) -> None:
            self._job = None
            then(outcome)
            layer.refresh()
            self.written.emit(name, layer, outcome.box is not None)

        def fail(sentence: str) -> None:
            self._job = None
            self.failed.emit(sentence)

        self._job = runner_for(self._viewer).run_in_background(work, name, self)
        self._job.finished.connect(finish)
        self._job.failed.connect(fail)

    def _show(self, layer: napari.layers.Labels, beneath: napari.layers.Labels) -> None:
        layers = self._viewer.layers
        active = layers.selection.active
        layers.insert(layers.index(beneath) if beneath in layers else len(layers), layer)
        layers.selection.active = active

    def _name_of_last(self, pile: list[_Step], name: str) -> str | None:
        """Name of the last step in a pile, without those of layers that are gone or forgotten."""
        while pile:
            place = pile[-1].place
            found: str | None = getattr(place.history, name)
            if found is not None and place.layer() in self._viewer.layers:
                return found
            pile.pop()
        return None


def _commit(
    place: _Place, layer: napari.layers.Labels, is_own: bool, made: Made, name: str
) -> _Outcome:
    """Write new labels; into a wider copy of the plugin's own array where they do not fit."""
    data = layer.data
    largest = int(made.labels.max(initial=0))
    if is_own and largest > np.iinfo(data.dtype).max:
        data = data.astype(smallest_label_dtype(largest))
    box = place.history.commit(data[place.index], made.labels, name)
    return _Outcome(box, made.record, None if data is layer.data else data)


def _put_record(layer: napari.layers.Labels, record: Record) -> None:
    if record is None:
        layer.metadata.pop(METADATA_KEY, None)
    else:
        layer.metadata[METADATA_KEY] = dict(record)
