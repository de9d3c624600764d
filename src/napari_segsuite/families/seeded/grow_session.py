"""GrowCut for live editing: every stroke updates the result at once, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import InputError, ParameterError
from ...inputs import check_image, check_on_grid
from ...kernels.growcut_cost import build_steps
from ...label_values import compact_labels, smallest_label_dtype
from ...progress import SILENT, Progress
from ...typing import Box, FloatArray, LabelArray, MaskArray
from .growcut_inputs import (
    channels_first,
    check_growth_settings,
    in_kernel_dtype,
    largest_difference,
)
from .margins import margin_of
from .seed_history import SeedEdit, SeedHistory, differing

if TYPE_CHECKING:
    from ...kernels.cpu.growcut import Forest
    from ...kernels.cpu.growcut_grid import Grid

_TITLE = "GrowSession"
# Share of the voxels beyond which an edit is solved anew: growing serially costs some
# twenty times as much per voxel as the sweeps of a full solve.
_SOLVE_ANEW_ABOVE = 0.05
_AT_LEAST = 4096


class Regrowth(NamedTuple):
    """Seeds grown in other features, for a session to take over."""

    grid: Grid
    forest: Forest
    painted: LabelArray


class GrowSession:
    """GrowCut that stays up to date while seeds are painted, erased and relabelled.

    After any sequence of edits, `labels` and `strength` are bit for bit what `growcut`
    gives for the seeds as they then are. An edit costs time in proportion to what it
    changes, a few milliseconds for a brush stroke in a volume of millions of voxels;
    edits that change more than some 5 % of the voxels are solved anew.

    The input is copied. The session holds 4 bytes per voxel and channel, 5 per voxel and
    twice the label type (11 in all for one channel and labels up to 255), plus the
    history. It may be used from any thread, but from one at a time.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels. NaN and infinite voxels stay
        unlabelled.
    seeds : (M, N[, P]) integer array
        Painted classes, 0 = unpainted; may still be empty.
    connectivity : int
        Neighbours differ in at most this many axes; at most the number of axes counts.
    cost : {"growcut", "slicer"}
        Force of an attack, as in `growcut`.
    spacing : tuple of float, optional
        Voxel size per axis, as in `growcut`.
    locality : float
        Loss of strength per unit of path length.
    mask : (M, N[, P]) bool array, optional
        Where growth may go. Seeds outside are kept but do not grow.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    undo_bytes : int
        Memory for undo and redo; the oldest edits are forgotten beyond it.
    progress : callable
        Called with (fraction, message) while the session is made; may raise `Cancelled`.

    Raises
    ------
    InputError
        If an array cannot be used as it is.
    ParameterError
        If a setting is out of range.

    References
    ----------
    .. [1] V. Vezhnevets, V. Konouchine, "GrowCut: Interactive multi-label N-D image
       segmentation by cellular automata", Graphicon 2005, 150-156.
    .. [2] A. X. Falcão, F. P. G. Bergo, "Interactive volume segmentation with differential
       image foresting transforms", IEEE TMI 23(9), 2004, 10.1109/TMI.2004.829335.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 11, 12, 80, 81, 82]], dtype=np.uint8)
    >>> session = nss.GrowSession(image, np.array([[1, 0, 0, 0, 0, 2]], dtype=np.uint8))
    >>> session.labels
    array([[1, 1, 1, 2, 2, 2]], dtype=uint8)
    >>> session.paint(([0], [3]), 3)
    (slice(0, 1, None), slice(3, 4, None))
    >>> session.labels
    array([[1, 1, 1, 3, 2, 2]], dtype=uint8)
    """

    def __init__(
        self,
        image: ArrayLike,
        seeds: ArrayLike,
        connectivity: int = 1,
        *,
        cost: Literal["growcut", "slicer"] = "growcut",
        spacing: Sequence[float] | None = None,
        locality: float = 0.0,
        mask: ArrayLike | None = None,
        channel_axis: int | None = None,
        undo_bytes: int = 64 << 20,
        progress: Progress = SILENT,
    ) -> None:
        from ...kernels.cpu.growcut import empty_forest, solve

        array = check_image(_TITLE, image, (2, 3), channel_axis)
        planes = channels_first(array, channel_axis)
        check_growth_settings(_TITLE, planes.ndim - 1, connectivity, cost, spacing, locality)
        painted = compact_labels(self._checked_seeds(seeds, array, channel_axis))
        self._allowed: MaskArray | None = None
        if mask is not None:
            self._allowed = check_on_grid(_TITLE, "mask", mask, array, channel_axis)
        self._steps = partial(
            build_steps,
            painted.ndim,
            min(connectivity, painted.ndim),
            cost=cost,
            spacing=None if spacing is None else tuple(spacing),
            locality=locality,
        )
        self._grid = self._laid_out(planes)
        self._forest = empty_forest(self._grid, painted.dtype)
        self._painted = np.zeros_like(self._forest.label)
        self._grid.inner(self._painted)[...] = painted
        self._history = SeedHistory(undo_bytes)
        self._n_edits = 0
        self._limit = max(_AT_LEAST, int(_SOLVE_ANEW_ABOVE * painted.size))
        solve(self._grid, painted, self._forest, progress=progress)

    @property
    def seeds(self) -> LabelArray:
        """(M, N[, P]) read-only view of the seeds as they are now."""
        return self._view(self._painted)

    @property
    def labels(self) -> LabelArray:
        """(M, N[, P]) read-only view of the labels, 0 where no seed reaches.

        It follows later edits, unless one brings a label that needs a larger type.
        """
        return self._view(self._forest.label)

    @property
    def strength(self) -> FloatArray:
        """(M, N[, P]) read-only view of the strengths, 1 at seeds, 0 where none reaches."""
        return self._view(self._forest.strength)

    @property
    def n_edits(self) -> int:
        """How often the seeds were changed, undone and redone edits included."""
        return self._n_edits

    def paint(self, index_arrays: Sequence[ArrayLike], label: int) -> Box | None:
        """Paint voxels with a class.

        Parameters
        ----------
        index_arrays : sequence of ndim int arrays
            Indices per axis, as `numpy.nonzero` gives them.
        label : int
            The class; 0 erases.

        Returns
        -------
        tuple of slice or None
            Bounding box of the voxels whose label changed.

        Raises
        ------
        InputError
            If the indices do not lie in the image.
        ParameterError
            If `label` is not a whole number that a label can hold.
        """
        positions = self._positions(index_arrays)
        if not isinstance(label, int | np.integer) or not 0 <= label <= np.iinfo(np.uint32).max:
            raise ParameterError(
                f"{_TITLE}: expected a label from 0 to {np.iinfo(np.uint32).max}, got {label!r}; "
                f"0 erases.",
                name="label",
            )
        self._make_room(int(label))
        positions = np.unique(positions[self._painted[positions] != label])
        return self._edit(positions, np.full(len(positions), label, self._painted.dtype))

    def set_seeds(self, seeds: ArrayLike) -> Box | None:
        """Take over a whole seed array; only what differs is computed, as one edit.

        Parameters
        ----------
        seeds : (M, N[, P]) integer array

        Returns
        -------
        tuple of slice or None
            Bounding box of the voxels whose label changed.

        Raises
        ------
        InputError
            If the seeds are not whole numbers >= 0 on the grid of the image.
        """
        wanted = self._checked_seeds(seeds, self.seeds, None)
        indices = differing(wanted, self.seeds)
        if not indices[0].size:
            return None
        values = compact_labels(wanted[indices])
        self._make_room(int(values.max()))
        return self._edit(self._positions(indices), values.astype(self._painted.dtype))

    def undo(self) -> Box | None:
        """Take the last edit of the seeds back; None where nothing changes."""
        edit = self._history.step_back()
        return None if edit is None else self._apply(edit.positions, edit.before)

    def redo(self) -> Box | None:
        """Make an edit again that was taken back; None where nothing changes."""
        edit = self._history.step_forward()
        return None if edit is None else self._apply(edit.positions, edit.after)

    def regrown(self, planes: NDArray[Any], progress: Progress = SILENT) -> Regrowth:
        """Grow the seeds as they are in other features of the same image.

        The session stays as it is, and may be edited meanwhile from another thread.

        Parameters
        ----------
        planes : (C, M, N[, P]) array
        progress : callable
            May raise `Cancelled`.
        """
        from ...kernels.cpu.growcut import empty_forest, solve

        painted = self._painted.copy()
        grid = self._laid_out(planes)
        forest = empty_forest(grid, painted.dtype)
        solve(grid, grid.inner(painted), forest, progress=progress)
        return Regrowth(grid, forest, painted)

    def take_over(self, regrowth: Regrowth) -> Box | None:
        """Go on with another growth, brought up to date; what was painted stays undoable.

        Returns
        -------
        tuple of slice or None
            Bounding box of the voxels whose label changed.
        """
        former, painted = self._forest.label, self._painted
        self._grid, self._forest, self._painted = regrowth
        self._make_room(np.iinfo(painted.dtype).max)
        later = np.flatnonzero(painted != self._painted)
        if later.size:
            self._apply(later, painted[later])
        return self._changed_since(former)

    def margin(self, progress: Progress = SILENT) -> FloatArray:
        """Strength that holds each voxel minus that of the runner-up among the classes.

        Takes one growth for each class, and 10 bytes per voxel meanwhile.

        Returns
        -------
        (M, N[, P]) float32 array
        """
        from ...kernels.cpu.growcut import empty_forest, solve

        scratch = empty_forest(self._grid, self._painted.dtype)

        def grow(seeds: LabelArray, progress: Progress) -> FloatArray:
            solve(self._grid, seeds, scratch, progress=progress)
            return self._view(scratch.strength)

        return margin_of(self.labels, self.strength, self.seeds, grow, progress)

    def _laid_out(self, planes: NDArray[Any]) -> Grid:
        from ...kernels.cpu.growcut_grid import build_grid

        steps = self._steps(largest_difference(planes, self._allowed))
        return build_grid(in_kernel_dtype(planes), steps, self._allowed)

    def _edit(self, positions: NDArray[np.int64], values: LabelArray) -> Box | None:
        if not len(positions):
            return None
        self._history.add(SeedEdit(positions, self._painted[positions], values))
        return self._apply(positions, values)

    def _apply(self, positions: NDArray[np.int64], values: LabelArray) -> Box | None:
        from ...kernels.cpu import growcut_edit

        before = self._painted[positions]
        self._painted[positions] = values
        self._n_edits += 1  # only now: who learns beside it counts first and looks then
        grows = ~np.isnan(self._grid.features[0, positions])
        status, changed = growcut_edit.update(
            *self._forest,
            self._painted,
            self._grid.law,
            self._grid.links,
            positions[grows & (before != 0) & (values == 0)],
            positions[grows & (before == 0) & (values != 0)],
            positions[grows & (before != 0) & (values != 0)],
            self._limit,
        )
        if status != growcut_edit.DONE:
            return self._solve_anew(labels_only=status == growcut_edit.LABELS_STALE)
        return _bounds([i - 1 for i in self._indices(changed)]) if len(changed) else None

    def _solve_anew(self, labels_only: bool) -> Box | None:
        from ...kernels.cpu.growcut import solve, trace

        former = self._forest.label.copy()
        if labels_only:
            trace(self._grid, self.seeds, self._forest)
        else:
            solve(self._grid, self.seeds, self._forest)
        return self._changed_since(former)

    def _changed_since(self, former: NDArray[Any]) -> Box | None:
        changed = self._grid.inner(self._forest.label != former)
        axes = range(changed.ndim)
        hits = [changed.any(axis=tuple(a for a in axes if a != axis)) for axis in axes]
        return _bounds([np.flatnonzero(hit) for hit in hits]) if hits[0].any() else None

    def _make_room(self, label: int) -> None:
        """Hold seeds and labels in a larger type where `label` needs one."""
        dtype = np.promote_types(self._painted.dtype, smallest_label_dtype(label))
        if dtype != self._painted.dtype:
            self._painted = self._painted.astype(dtype)
            self._forest = self._forest._replace(label=self._forest.label.astype(dtype))

    def _checked_seeds(
        self, seeds: ArrayLike, grid: NDArray[Any], channel_axis: int | None
    ) -> NDArray[Any]:
        array = check_on_grid(_TITLE, "seeds", seeds, grid, channel_axis)
        if array.dtype.kind not in "bui":
            raise InputError(
                f"{_TITLE}: expected whole numbers as seeds, got {array.dtype}; "
                f"convert the seeds to an integer labels layer."
            )
        return array

    def _positions(self, index_arrays: Sequence[ArrayLike]) -> NDArray[np.int64]:
        """Flat padded positions of indices."""
        shape = self._grid.shape
        arrays = [np.asarray(a) for a in index_arrays]
        if len(arrays) != len(shape) or len({a.shape for a in arrays}) != 1:
            raise InputError(
                f"{_TITLE}: expected {len(shape)} index arrays of one length, got "
                f"{[a.shape for a in arrays]}; give them as numpy.nonzero does."
            )
        if arrays[0].size == 0:
            return np.empty(0, dtype=np.int64)
        if any(a.dtype.kind not in "ui" for a in arrays):
            raise InputError(
                f"{_TITLE}: expected whole numbers as indices, got "
                f"{[str(a.dtype) for a in arrays]}; give them as numpy.nonzero does."
            )
        if any(a.min() < 0 or a.max() >= n for a, n in zip(arrays, shape, strict=True)):
            raise InputError(
                f"{_TITLE}: expected indices inside the shape {shape}, got some outside; "
                f"clip the stroke to the image."
            )
        _, rows, width = self._grid.padded
        strides = (rows * width, width, 1)[-len(shape) :]
        flat = [(a.astype(np.int64).ravel() + 1) * s for a, s in zip(arrays, strides, strict=True)]
        return np.asarray(sum(flat), dtype=np.int64)

    def _indices(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Padded indices of flat positions."""
        padded = self._grid.padded
        return np.unravel_index(positions, padded)[-len(self._grid.shape) :]

    def _view(self, flat: NDArray[Any]) -> NDArray[Any]:
        view = self._grid.inner(flat)
        view.setflags(write=False)
        return view


def _bounds(indices: Sequence[NDArray[np.int64]]) -> Box:
    return tuple(slice(int(i.min()), int(i.max()) + 1) for i in indices)
