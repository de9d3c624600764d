"""Many filters of one image at once, piece by piece, as bytes where edges are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import config
from numpy.typing import NDArray

from ...errors import InputError
from ...progress import SILENT, Progress
from .bins import EDGES, quantile_edges, to_bins
from .boxes import Ints, cut, slices
from .crew import Crew
from .filters import Filter

# Pieces: margins of wide filters do not weigh too much, and the planes of one filter
# stay in the processor's cache.
_PIECE = (16, 64, 256)
_SLICES_SAMPLED = 8
_VALUES_SAMPLED = 1 << 16


def feature_names(filters: Sequence[Filter]) -> tuple[str, ...]:
    """Name the planes that filters make, in order."""
    return tuple(name for each in filters for name in each.names)


def compute_features(
    image: NDArray[np.float32],
    filters: Sequence[Filter],
    *,
    edges: NDArray[np.float32] | None = None,
    box: tuple[slice, ...] | None = None,
    out: NDArray[Any] | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> NDArray[Any]:
    """Compute the features of an image, or of a box of it.

    Needs F or 4 F bytes per voxel of the box for the result and up to 35 MB per thread; the
    image is read in place.

    Parameters
    ----------
    image : (M, N[, P]) float32 array
        C-contiguous. NaN spreads as far as the filters reach.
    filters : sequence of Filter
        Those of `filters` and `filter_windows`, say; together they make F planes.
    edges : (F, 255) float32 array, optional
        Ascending edges of the bins of each feature, from `sampled_edges`; without them
        values are not binned.
    box : tuple of slices, optional
        The part that is wanted, without steps; the whole image by default. A voxel has
        the same features in every box.
    out : (F, ...) array of the shape of the box, optional
        Where to write: uint8 with edges, float32 without.
    threads : int, optional
        As many as numba would use by default.
    progress : Progress
        Called from this thread after pieces of the work; may raise `Cancelled`.

    Returns
    -------
    (F, ...) uint8 or float32 array
        `out`, or a new array.

    Raises
    ------
    InputError
        If arrays do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_segsuite.kernels.cpu.filters import Intensity, Scale
    >>> image = np.eye(20, dtype=np.float32)
    >>> filters = (Intensity(), Scale((1, 1)))
    >>> feature_names(filters)
    ('intensity', 'smooth', 'gradient', 'deviation', 'bend 1', 'bend 2')
    >>> bank = compute_features(image, filters, edges=sampled_edges(image, filters))
    >>> bank.shape, bank.dtype, int(bank[0].max())
    ((6, 20, 20), dtype('uint8'), 1)
    """
    solid = _solid(image)
    corner, shape = _corner_and_shape(box, image.shape)
    missing = 3 - image.ndim
    count = len(feature_names(filters))
    if out is None:
        dtype = np.float32 if edges is None else np.uint8
        out = np.empty((count, *shape[missing:]), dtype=dtype)
    _check(out, edges, count, shape[missing:])
    room = out.reshape(count, *shape)
    pieces = list(cut(shape, _PIECE))
    done = 0

    def fill(low: Ints, size: Ints) -> None:
        at = tuple(a + b for a, b in zip(corner, low, strict=True))
        plane = 0
        for each in filters:
            for values in each(solid, at, size):
                where = room[plane][slices(low, size)]
                if edges is None:
                    where[...] = values
                else:
                    to_bins(values, edges[plane], where)
                plane += 1

    def report() -> None:
        nonlocal done
        done += 1
        progress(done / len(pieces), "Computing features")

    with Crew(int(config.NUMBA_NUM_THREADS) if threads is None else threads) as crew:
        crew.run(fill, pieces, report)
    return out


def sampled_edges(
    image: NDArray[np.float32], filters: Sequence[Filter], *, threads: int | None = None
) -> NDArray[np.float32]:
    """Find edges of bins of about equal content, from slices spread over the image.

    Parameters
    ----------
    image : (M, N[, P]) float32 array
        C-contiguous.
    filters : sequence of Filter
        Together they make F planes.
    threads : int, optional
        As many as numba would use by default.

    Returns
    -------
    (F, 255) float32 array
        See `quantile_edges`.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_segsuite.kernels.cpu.filters import Intensity
    >>> edges = sampled_edges(np.array([[2, 3, 5]], dtype=np.float32), [Intensity()])
    >>> edges[0, :3]
    array([ 3.,  5., inf], dtype=float32)
    """
    solid = _solid(image)
    count = min(len(solid), _SLICES_SAMPLED)
    middles = [len(solid) * (2 * i + 1) // (2 * count) for i in range(count)]
    rest = (slice(None), slice(None))
    samples = [
        compute_features(solid, filters, box=(slice(z, z + 1), *rest), threads=threads)
        for z in middles
    ]
    values = np.concatenate([sample.reshape(len(sample), -1) for sample in samples], axis=1)
    if values.shape[1] > _VALUES_SAMPLED:
        rng = np.random.default_rng(0)
        values = values[:, rng.choice(values.shape[1], _VALUES_SAMPLED, replace=False)]
    return np.stack([quantile_edges(plane) for plane in values])


def _corner_and_shape(box: tuple[slice, ...] | None, shape: Ints) -> tuple[Ints, Ints]:
    """Where a box begins and how large it is, with axes of length one in front."""
    parts = box or (slice(None),) * len(shape)
    missing = 3 - len(shape)
    ranges = [part.indices(n) for part, n in zip(parts, shape, strict=True)]
    corner = (0,) * missing + tuple(a for a, _, _ in ranges)
    return corner, (1,) * missing + tuple(b - a for a, b, _ in ranges)


def _solid(image: NDArray[np.float32]) -> NDArray[np.float32]:
    if image.dtype != np.float32 or image.ndim not in (2, 3) or not image.flags.c_contiguous:
        raise InputError(
            "expected a C-contiguous float32 image of two or three axes, got "
            f"{image.dtype} {image.shape}; convert it with numpy.ascontiguousarray"
        )
    return image.reshape((1,) * (3 - image.ndim) + image.shape)


def _check(
    out: NDArray[Any], edges: NDArray[np.float32] | None, count: int, shape: tuple[int, ...]
) -> None:
    dtype = np.float32 if edges is None else np.uint8
    if out.dtype != dtype or out.shape != (count, *shape):
        raise InputError(
            f"expected room for {np.dtype(dtype)} features {(count, *shape)}, got {out.dtype} "
            f"{out.shape}; give an array like that or none"
        )
    if edges is not None and edges.shape != (count, EDGES):
        raise InputError(
            f"expected edges {(count, EDGES)}, got {edges.shape}; give those of the same filters"
        )
