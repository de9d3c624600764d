"""Previews of a slice against the whole run, and the histogram of an image."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pytest
from annotated_types import Ge
from scipy import ndimage

import napari_segsuite as nss
from napari_segsuite import slice_preview as module
from napari_segsuite.compute import JobRequest
from napari_segsuite.errors import InputError
from napari_segsuite.method import method
from napari_segsuite.params import PickedOn, Unit
from napari_segsuite.slice_preview import (
    SlicePreview,
    dividing_value,
    intensity_histogram,
    slice_preview,
)
from napari_segsuite.space import Space
from napari_segsuite.typing import ImageArray, LabelArray, MaskArray

SHAPE = (24, 20, 18)


@pytest.fixture
def smooth(scratch_registry):
    """A method whose result depends on a neighbourhood."""

    @method(title="Smooth", family="edges", bytes_per_voxel=8, preview="slice")
    def smooth(
        image: ImageArray,
        mask: MaskArray | None = None,
        *,
        scale: Annotated[float, Ge(0), Unit("physical")] = 1.0,
        spacing: tuple[float, ...] | None = None,
    ) -> LabelArray:
        """Mark what is bright after smoothing.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        mask : (M, N[, P]) bool array, optional
            Voxels that count.
        scale : float
            Standard deviation.
        """
        sigma = scale / np.asarray(spacing or (1.0,) * image.ndim)
        bright = ndimage.gaussian_filter(image.astype(np.float64), sigma) > 128
        if mask is not None:
            bright &= mask
        return bright.astype(np.uint8)

    return nss.get_method("smooth")


@pytest.fixture
def above_mean(scratch_registry):
    """A method that goes by the statistics of the whole image."""

    @method(title="Above mean", family="threshold", bytes_per_voxel=8, preview="volume")
    def above_mean(
        image: ImageArray,
        mask: MaskArray | None = None,
        *,
        value: Annotated[float | None, PickedOn("histogram")] = None,
    ) -> LabelArray:
        """Mark what is brighter than the mean.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        mask : (M, N[, P]) bool array, optional
            Voxels that count.
        value : float, optional
            Instead of the mean.
        """
        bright = image > (image.mean() if value is None else value)
        if mask is not None:
            bright &= mask
        return bright.astype(np.uint8)

    return nss.get_method("above_mean")


def noise(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def job(method, data, space=None, **options):
    image = nss.Image(data, space or Space.regular(data.ndim, (3.0, 1.0, 0.5)[: data.ndim], "mm"))
    settings = method.check(options.pop("settings", {}))
    return JobRequest(method.id, image, settings=settings, **options)


def whole(request):
    return nss.run(request.method, request.image, **request.inputs, **request.settings)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("index", [0, 7, -1])
def test_slice_is_that_of_the_whole_run(smooth, axis, index):
    request = job(smooth, noise(), settings={"scale": 1.3})
    place = [None] * 3
    place[axis] = index % SHAPE[axis]
    preview = slice_preview(request, tuple(place))
    shown = preview.run().value
    expected = whole(request)
    np.testing.assert_array_equal(shown.labels, expected.labels.take([index], axis))
    box = [slice(None)] * 3
    box[axis] = slice(place[axis], place[axis] + 1)
    assert shown.space.is_close(expected.space.crop(box))
    assert "a run sees all and makes the volume" in preview.note


def test_inputs_are_cut_like_the_image(smooth):
    mask = nss.Image(noise(seed=1) > 100, Space.regular(3, (3.0, 1.0, 0.5), "mm"))
    request = job(smooth, noise(), inputs={"mask": mask})
    shown = slice_preview(request, (None, 5, None)).run().value
    np.testing.assert_array_equal(shown.labels, whole(request).labels[:, 5:6])


def test_wide_neighbourhood_is_cut_off_and_that_is_said(smooth, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST_SLAB", 7 * 20 * 18)
    request = job(smooth, noise(), settings={"scale": 30.0})
    preview = slice_preview(request, (12, None, None))
    assert preview.request.image.data.shape == (7, 20, 18)
    assert "sees 7 slices around it" in preview.note
    assert preview.run().value.labels.shape == (1, 20, 18)


def test_flat_image_is_taken_whole(smooth):
    request = job(smooth, noise((30, 40)))
    preview = slice_preview(request, (None, None))
    np.testing.assert_array_equal(preview.run().value.labels, whole(request).labels)
    assert preview.note == ""


def test_statistics_are_those_of_the_whole_image(above_mean):
    data = noise()
    data[12:] //= 4
    request = job(above_mean, data)
    preview = slice_preview(request, (3, None, None))
    shown = preview.run()
    np.testing.assert_array_equal(shown.value.labels, whole(request).labels)
    assert preview.note == ""
    below = data[3][data[3] <= data.mean()].max()
    assert shown.threshold == below


def test_statistics_of_a_slab_are_called_so(above_mean, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST_VOLUME", 5 * 20 * 18)
    request = job(above_mean, noise())
    preview = slice_preview(request, (3, None, None))
    assert preview.request.image.data.shape == (5, 20, 18)
    assert "the values of 5 slices" in preview.note
    assert preview.run().value.labels.shape == (1, 20, 18)


@pytest.mark.parametrize("with_time", [True, False])
def test_time_point_in_view_is_taken(above_mean, with_time):
    series = noise((4, *SHAPE))
    space = Space.regular(4, (1.0, 3.0, 1.0, 0.5), "mm")
    grid, values = (space, series) if with_time else (space.without("time"), series[0])
    mask = nss.Image(values > 50, grid)
    request = job(above_mean, series, space, inputs={"mask": mask})
    shown = slice_preview(request, (2, 6, None, None)).run().value
    assert shown.space.is_close(space.crop([slice(2, 3), *[slice(0, n) for n in SHAPE]]))
    np.testing.assert_array_equal(shown.labels, whole(request).labels[2:3])


def test_time_points_taken_together_have_no_preview(above_mean):
    request = job(above_mean, noise((3, 9, 9)), _series(), frames="together")
    with pytest.raises(InputError, match="time points taken together"):
        slice_preview(request, (1, None, None))


def _series():
    return Space.from_layer_kwargs({"scale": (1, 1, 1), "axis_labels": ("t", "y", "x")})


@pytest.mark.parametrize("place", [(1, 2, None), (None, 1)])
def test_less_than_a_slice_has_no_preview(above_mean, place):
    request = job(above_mean, noise(SHAPE[: len(place)]))
    with pytest.raises(InputError, match="two axes"):
        slice_preview(request, place)


def test_time_on_display_has_no_preview(above_mean):
    with pytest.raises(InputError, match="time axis is on display"):
        slice_preview(job(above_mean, noise((3, 9, 9)), _series()), (None, None, None))


def test_same_previews_are_known_as_such(smooth):
    labels = nss.Segmentation(noise() > 9, Space.regular(3, (3.0, 1.0, 0.5), "mm"))
    request = job(smooth, noise(), inputs={"mask": labels})

    def look(z, **changes) -> SlicePreview:
        return slice_preview(JobRequest(**{**vars(request), **changes}), (z, None, None))

    first = look(4).detached()
    assert first.is_like(look(4))
    assert not first.is_like(look(5))
    assert not first.is_like(look(4, settings={"scale": 9.0}))
    labels.labels[4, 3, 3] = False
    assert first.is_at(look(4))
    assert not first.is_like(look(4))


VALUES = np.array([[1.0, 2.0, np.nan], [5.0, 6.0, 3.0]])


def test_dividing_value_lies_between_the_sides():
    assert dividing_value(VALUES, VALUES > 3) == 4.0
    assert dividing_value(VALUES, VALUES <= 3) == 4.0
    integers = np.array([[1, 2, 9], [5, 6, 3]], np.uint8)
    assert dividing_value(integers, integers > 4) == 3.0
    assert dividing_value(VALUES, np.array([[1, 0, 0], [0, 1, 0]])) is None
    assert dividing_value(VALUES, VALUES > 99) is None
    masked = np.array([[1, 1, 1], [1, 1, 0]], bool)
    assert dividing_value(VALUES, (VALUES > 3) & masked, masked) == 3.5


def _ranges():
    rng = np.random.default_rng(0)
    return {
        "uint8": rng.integers(3, 90, (9, 9, 9), np.uint8),
        "wide integers": rng.integers(-(10**6), 10**6, (20, 20)),
        "floats": rng.normal(0, 1e-3, (30, 30)).astype(np.float32),
        "constant": np.full((4, 4), 2.5),
        "bool": rng.integers(0, 2, (5, 5)).astype(bool),
    }


@pytest.mark.parametrize("kind", _ranges())
def test_histogram_counts_every_value_once(kind):
    data = _ranges()[kind]
    histogram = intensity_histogram(nss.Image.from_array(data))
    assert histogram.counts.sum() == data.size
    assert len(histogram.edges) == len(histogram.counts) + 1 <= 257
    width = np.diff(histogram.edges)
    np.testing.assert_allclose(width, width[0])
    if data.dtype.kind != "f":
        assert width[0] % 1 == 0
        values = data.astype(np.float64)
        np.testing.assert_array_equal(histogram.counts, np.histogram(values, histogram.edges)[0])


def test_histogram_leaves_out_what_is_not_finite_and_takes_one_channel():
    data = np.array([[np.nan, 1.0, 2.0, np.inf]])
    assert intensity_histogram(nss.Image.from_array(data)).counts.sum() == 2
    colours = nss.Image.from_array(np.zeros((4, 4, 3), np.uint8), channel_axis=-1)
    with pytest.raises(InputError, match="one channel"):
        intensity_histogram(colours)
