"""Random walker: each voxel goes to the seeds that a walker from it reaches first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le

from ...label_values import smallest_label_dtype
from ...method import Extras, method
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray, Spacing
from ..threshold.connected import connected_to
from ..voxels import channels_of, usable_voxels
from .as_volume import as_volume, steps_of
from .intensity_scale import measure, scaled
from .seeds import check_seeds, painted_classes

# Least share of the conductance within flat regions that any edge of the image keeps, so that
# walkers get everywhere: as little as numbers of 32 bits bear.
_FLOOR = 1e-6
_PREPARED = 0.05


@method(
    title="Random walker",
    family="seeded",
    channels="any",
    extras=("probabilities",),
    devices=("cpu", "cuda", "mps"),
    requires=("numba",),
    bytes_per_voxel=56,
    bytes_per_channel=0,
    references=("10.1109/TPAMI.2006.233", "10.1007/s00791-004-0137-0"),
)
def random_walker(
    image: ImageArray,
    seeds: LabelArray,
    mask: MaskArray | None = None,
    *,
    beta: Annotated[float, Ge(0), Le(1e6)] = 1000.0,
    tolerance: Annotated[float, Gt(0), Le(0.1)] = 5e-4,
    spacing: Spacing | None = None,
    channel_axis: int | None = None,
    device: str = "cpu",
    extras: Extras | None = None,
    progress: Progress = SILENT,
) -> LabelArray:
    """Give each voxel to the class whose seeds a random walker would reach first.

    A walker steps from a voxel to a neighbour by a face with a chance that falls with the
    change of intensity: the conductance of a step of length h is
    ``exp(-beta * d**2 / (10 * s * h**2)) / h**2``, at least a millionth of its value without
    a change. d is the difference of intensities, and s their standard deviation, both after
    the intensities have been scaled to [0, 1]; of several channels, d**2 is the sum over
    them, divided by the root of their number. h is in units of the shortest step: thick
    slices conduct less, and an image with equal steps has the weights of scikit-image for an
    image in [0, 1]. The probabilities solve a linear system, by conjugate gradients with
    multigrid; of K classes K - 1 are computed, one after the other.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` several channels. Voxels that are NaN or infinite
        stay unlabelled.
    seeds : (M, N[, P]) unsigned integer array
        Painted classes, 0 = unpainted; at least two classes.
    mask : (M, N[, P]) bool array, optional
        Where walkers may go; voxels outside, and pockets without a seed, stay 0.
    beta : float
        How much changes of intensity hold a walker up: higher values follow the image's
        edges more closely, and noise too; 0 goes by distance alone. scikit-image's 130 is
        little for tissues that differ by a tenth of the image's range.
    tolerance : float
        Share of the first error, in the energy norm, at which the solution is good enough.
    spacing : tuple of float, optional
        Voxel size per axis.
    channel_axis : int, optional
        Axis of `image` that holds channels.
    device : str
        "cpu", "cuda" or "mps".
    extras : Extras, optional
        "probabilities": of each class in ascending order, (K, M, N[, P]) float32; they sum
        to 1 where a seed can be reached and are 0 elsewhere.
    progress : callable
        Called with (fraction, message).

    Returns
    -------
    (M, N[, P]) unsigned integer array
        The most probable class, the lowest of equally probable ones; 0 where no seed can be
        reached. The same for any number of threads.

    Raises
    ------
    InputError
        If seeds and image do not match, or fewer than two classes are painted.

    References
    ----------
    .. [1] L. Grady, "Random walks for image segmentation", IEEE TPAMI 28(11), 2006,
       10.1109/TPAMI.2006.233.
    .. [2] M. Mohr, R. Wienands, "Cell-centred multigrid revisited", Computing and
       Visualization in Science 7, 2004, 10.1007/s00791-004-0137-0.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[10, 11, 12, 80, 81, 82]], dtype=np.uint8)
    >>> seeds = np.array([[1, 0, 0, 0, 0, 2]], dtype=np.uint8)
    >>> nss.random_walker(image, seeds)
    array([[1, 1, 1, 2, 2, 2]], dtype=uint8)
    """
    channels = channels_of(image, channel_axis)
    allowed = usable_voxels(channels, mask)
    check_seeds(seeds, allowed, "Random walker")
    progress(0.0, "conductances")
    reached = _reached(seeds, allowed)
    classes = painted_classes(seeds, reached)
    free = seeds == 0 if reached is None else (seeds == 0) & reached
    weights = _weights(channels, reached, beta, spacing)
    progress(_PREPARED, "walking")
    solutions = _solver(device)(
        weights,
        as_volume(seeds),
        as_volume(free),
        classes[:-1],
        tolerance,
        progress=part_of(progress, _PREPARED, 1.0),
    )
    wanted = extras is not None and "probabilities" in extras.wanted
    election = _Election(seeds, reached, classes, keep_all=wanted)
    for k, solution in enumerate(solutions):
        election.count(k, solution.reshape(seeds.shape))
    labels = election.close()
    if extras is not None and election.probabilities is not None:
        extras["probabilities"] = election.probabilities
    progress(1.0)
    return labels


class _Election:
    """Finds the most probable class while the probabilities come in one by one."""

    def __init__(
        self, seeds: LabelArray, reached: MaskArray | None, classes: Sequence[int], keep_all: bool
    ) -> None:
        self._reached = reached
        self._classes = classes
        self.probabilities: FloatArray | None = None
        if keep_all:
            self.probabilities = np.zeros((len(classes), *seeds.shape), dtype=np.float32)
        self._labels = np.full(seeds.shape, classes[0], smallest_label_dtype(classes[-1]))
        self._most = np.zeros(seeds.shape, dtype=np.float32)
        self._left = np.ones(seeds.shape, dtype=np.float32)

    def count(self, k: int, probability: FloatArray) -> None:
        """Take in the probability of the k-th class."""
        is_more = probability > self._most
        self._labels[is_more] = self._classes[k]
        np.copyto(self._most, probability, where=is_more)
        if k < len(self._classes) - 1:
            self._left -= probability
        if self.probabilities is not None:
            kept = self.probabilities[k]
            np.clip(probability, 0, 1, out=kept)
            if self._reached is not None:
                kept[~self._reached] = 0

    def close(self) -> LabelArray:
        """Let the last class have what the others leave; the labels."""
        self.count(len(self._classes) - 1, self._left)
        if self._reached is not None:
            self._labels[~self._reached] = 0
        return self._labels


def _solver(device: str) -> Any:
    """What solves for the probabilities on the device."""
    if device != "cpu":
        from functools import partial

        from ...kernels.gpu import random_walker as gpu

        return partial(gpu.solve, device=device)
    from ...kernels.cpu import random_walker as cpu

    return cpu.solve


def _reached(seeds: LabelArray, allowed: MaskArray | None) -> MaskArray | None:
    """Voxels connected to a seed; None where all are."""
    return None if allowed is None else connected_to((seeds > 0) & allowed, allowed, 1)


def _weights(
    channels: Sequence[ImageArray],
    reached: MaskArray | None,
    beta: float,
    spacing: Spacing | None,
) -> FloatArray:
    """Conductances to the next voxel along each of three axes."""
    from numba import config

    from ...kernels.cpu.crew import Crew
    from ...kernels.cpu.random_walker_grid import add_squared_differences, conductances

    scale = measure(channels, reached, "Random walker")
    falloff = beta / (10 * scale.deviation * np.sqrt(len(channels))) if scale.deviation else 0.0
    weights = np.zeros((3, *as_volume(channels[0]).shape), dtype=np.float32)
    steps = steps_of(spacing, channels[0].ndim)
    where = None if reached is None else as_volume(reached)
    with Crew(int(config.NUMBA_NUM_THREADS)) as crew:
        for channel in channels:
            add_squared_differences(as_volume(scaled(channel, reached, scale)), weights, crew)
        conductances(weights, where, falloff, _FLOOR, steps, crew)
    return weights
