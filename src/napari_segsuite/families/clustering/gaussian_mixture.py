"""Clusters as components of a mixture of Gaussians."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from ...method import Extras, method
from ...progress import SILENT, Progress, part_of
from ...typing import FloatArray, ImageArray, LabelArray, MaskArray
from ..voxels import channels_of
from .features import Features, features_of, full_crew
from .lines import Line, line_of, segment_of
from .lloyd import fit_centres
from .mixture import Covariance, Mixture, fit_mixture

if TYPE_CHECKING:
    from ...kernels.cpu.crew import Crew

_TITLE = "Gaussian mixture"
_DEFAULT = 4
_MOST = 16
_SAMPLE = 1 << 15
_STARTS = 5
_START_ITERATIONS = 100
# Shape of the Gaussians, and iterations.
_Kind = tuple[Covariance, int]


@method(
    title=_TITLE,
    family="clustering",
    channels="any",
    extras=("probabilities",),
    requires=("numba",),
    bytes_per_voxel=16 + 4 * _DEFAULT,
    bytes_per_channel=8,
    bytes_by_setting={"n_clusters": {n: (4 * (n - 4), 0) for n in range(_DEFAULT + 1, _MOST + 1)}},
    is_pixelwise=True,
    references=("10.1111/j.2517-6161.1977.tb01600.x", "10.1002/0471721182"),
)
def gaussian_mixture(
    image: ImageArray,
    labels: LabelArray | None = None,
    mask: MaskArray | None = None,
    *,
    n_clusters: Annotated[int, Ge(1), Le(_MOST)] = _DEFAULT,
    covariance: Literal["full", "diag", "spherical", "tied"] = "full",
    max_iterations: Annotated[int, Ge(1), Le(10000)] = 200,
    standardize: bool = False,
    channel_axis: int | None = None,
    rng: int | np.random.Generator = 0,
    progress: Progress = SILENT,
    extras: Extras | None = None,
) -> LabelArray:
    """Fit a sum of Gaussians to the intensities and give each voxel to the likeliest one.

    Other than for K-means, clusters may differ in spread and in how common they are. The fit,
    by expectation maximisation, starts from K-means. Of one channel it is made on all
    voxels: on the exact values of integers of up to 16 bits and of regions, on 65536 bins of
    the range for others. Of several channels it is made on up to 32768 voxels.

    Parameters
    ----------
    image : (M, N[, P]) array
        Intensities; with `channel_axis` voxels are compared by all channels. NaN and
        infinite voxels stay 0.
    labels : (M, N[, P]) unsigned integer array, optional
        Regions, such as superpixels. Their mean intensities are clustered in place of
        voxels, each weighted by its size, and a region's voxels share its cluster. Region 0
        stays 0.
    mask : (M, N[, P]) bool array, optional
        Voxels that count; the others stay 0.
    n_clusters : int
        How many Gaussians; fewer where there are fewer different values. One that is
        nowhere the likeliest leaves its number unused.
    covariance : {"full", "diag", "spherical", "tied"}
        Shapes of the Gaussians: any ellipsoids; ellipsoids along the channels; balls;
        ellipsoids that are all alike. Of one channel only "tied" differs from the others.
    max_iterations : int
        Iterations at most.
    standardize : bool
        Whether each channel is divided by its standard deviation, for several channels,
        which changes the K-means that the fit starts from, and "spherical".
    channel_axis : int, optional
        Axis of `image` that holds channels.
    rng : int or Generator
        Seed of the sample and the start, for several channels.
    progress : callable
        Called with (fraction, message).
    extras : Extras, optional
        Collects "probabilities", a (K, M, N[, P]) float32 array: how likely each voxel comes
        from each Gaussian; 0 where the labels are.

    Returns
    -------
    (M, N[, P]) uint8 array
        Clusters from 1, by ascending mean of the Gaussians in the first channel. The voxels of
        a wide one may lie around a narrow one, and average otherwise.

    Raises
    ------
    InputError
        If no voxel counts, or intensities span more than float64 holds.

    References
    ----------
    .. [1] A. P. Dempster, N. M. Laird, D. B. Rubin, "Maximum likelihood from incomplete data
       via the EM algorithm", J R Stat Soc B 39(1), 1977, 10.1111/j.2517-6161.1977.tb01600.x.
    .. [2] G. McLachlan, D. Peel, "Finite mixture models", Wiley, 2000, 10.1002/0471721182.

    Examples
    --------
    >>> import numpy as np, napari_segsuite as nss
    >>> image = np.array([[90, 1, 2, 40, 42, 91]], dtype=np.uint8)
    >>> nss.gaussian_mixture(image, n_clusters=3)
    array([[3, 1, 1, 2, 2, 3]], dtype=uint8)
    """
    channels = channels_of(image, channel_axis)
    wants = extras is not None and "probabilities" in extras.wanted
    kind = covariance, max_iterations
    if len(channels) == 1:
        line = line_of(channels[0], labels, mask, _TITLE)
        found, likely = _on_line(line, n_clusters, kind, wants, progress)
    else:
        points = features_of(channels, labels, mask, standardize, _TITLE)
        with full_crew() as crew:
            mixture = _fit(points, n_clusters, kind, np.random.default_rng(rng), progress, crew)
            found, likely = _in_space(points, mixture, wants, progress, crew)
    if extras is not None and likely is not None:
        extras["probabilities"] = likely
    return found


def _on_line(
    line: Line, n_clusters: int, kind: _Kind, wants: bool, progress: Progress
) -> tuple[LabelArray, FloatArray | None]:
    """Fit the values of one channel; labels, and probabilities if wanted."""
    from ...kernels.cpu.optimal_segments import optimal_segments

    starts = optimal_segments(line.values, line.counts, n_clusters)
    above = line.values - line.values[0]
    points = (above / (above[-1] or 1.0) - 0.5)[None]
    cluster = segment_of(starts, len(above))
    mixture = fit_mixture(
        points, line.counts.astype(np.float64), cluster, *kind, part_of(progress, 0.1, 0.9)
    ).ascending()
    likely = mixture.probabilities(points)
    found = line.label((likely.argmax(axis=0) + 1).astype(np.uint8))
    return found, _on_grid(likely, line.label, found.shape, progress) if wants else None


def _on_grid(
    likely: NDArray[Any],
    give: Callable[[NDArray[Any]], NDArray[Any]],
    shape: tuple[int, ...],
    progress: Progress,
) -> FloatArray:
    """Probabilities of values or regions as those of voxels."""
    out = np.empty((len(likely), *shape), np.float32)
    for k, row in enumerate(likely):
        progress(0.9 + 0.1 * k / len(likely), "probabilities")
        out[k] = give(row.astype(np.float32, copy=False))
    return out


def _fit(
    points: Features,
    n_clusters: int,
    kind: _Kind,
    rng: np.random.Generator,
    progress: Progress,
    crew: Crew,
) -> Mixture:
    """Fit a sample of points with several coordinates."""
    from ...kernels.cpu.kmeans import nearest

    sample = points.sample(_SAMPLE, rng)
    start = part_of(progress, 0, 0.2)
    centres = fit_centres(sample, n_clusters, _STARTS, _START_ITERATIONS, rng, start, crew)
    # Colours of few bits occur many times each.
    drawn, place = np.unique(sample.points(slice(None)), axis=1, return_inverse=True)
    weights = np.bincount(place.ravel(), sample.weights_of(slice(None))).astype(np.float64)
    cluster = np.unique(nearest(drawn, centres)[0], return_inverse=True)[1]
    report = part_of(progress, 0.2, 0.8)
    return fit_mixture(drawn.astype(np.float64), weights, cluster, *kind, report).ascending()


def _in_space(
    points: Features, mixture: Mixture, wants: bool, progress: Progress, crew: Crew
) -> tuple[LabelArray, FloatArray | None]:
    """Labels of all voxels, and probabilities if wanted."""
    found = np.zeros(points.shape, np.uint8)
    shape = (len(mixture.shares), *points.shape)
    likely = np.zeros(shape, np.float32) if wants else None

    def add(rows: slice) -> None:
        shares = mixture.probabilities(points.points(rows).astype(np.float64))
        points.place(shares.argmax(axis=0).astype(np.uint8) + np.uint8(1), rows, found)
        if likely is not None:
            for row, plane in zip(shares, likely, strict=True):
                points.place(row, rows, plane)

    crew.run(add, [(rows,) for rows in points.slabs()], partial(progress, 0.9, "labels"))
    labels = points.on_grid(found)
    if likely is None or points.regions is None:
        return labels, likely
    return labels, _on_grid(likely, points.on_grid, labels.shape, progress)
