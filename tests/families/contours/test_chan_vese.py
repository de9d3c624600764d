"""Chan–Vese on scenes whose optimum is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import napari_segsuite as nss
from napari_segsuite.errors import InputError


def bright_ball(ndim: int, radius: float = 8, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    axes = np.ogrid[(slice(30),) * ndim]
    truth = sum((axis - 15) ** 2 for axis in axes) <= radius**2
    image = 100 + 50.0 * truth + np.random.default_rng(0).normal(0, noise or 1e-9, truth.shape)
    return image, truth


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("start", ["otsu", "checkerboard", "disk"])
def test_every_start_finds_the_bright_ball(ndim: int, start: str) -> None:
    image, truth = bright_ball(ndim, noise=5)
    labels = nss.chan_vese(image, start=start)
    assert labels.dtype == np.uint8
    assert (labels == truth).mean() > 0.985


def test_smoothing_removes_what_noise_puts_on_either_side() -> None:
    image, truth = bright_ball(3, noise=25)
    wrong = [(nss.chan_vese(image, smoothing=n) != truth).mean() for n in (0, 2)]
    assert wrong[1] < min(0.01, wrong[0] / 1.5)


def test_labels_say_where_to_start_and_dark_objects_stay_the_inside() -> None:
    image, truth = bright_ball(2)
    start = np.ones(image.shape, dtype=np.uint8)
    start[12:18, 12:18] = 0
    assert (nss.chan_vese(image, start) == ~truth).mean() > 0.99
    assert (nss.chan_vese(image, 3 * (1 - start)) == truth).mean() > 0.985


def test_a_heavy_inside_is_smaller() -> None:
    image = ndimage.gaussian_filter(bright_ball(2)[0], 4)
    sizes = [nss.chan_vese(image, inside_weight=w).sum() for w in (0.5, 1.0, 2.0)]
    assert sizes[0] > sizes[1] > sizes[2] > 0


def test_watched_frames_are_what_as_many_iterations_give() -> None:
    image, _ = bright_ball(2, noise=20)
    watch = (3, 0, 1, 500)
    frames = nss.chan_vese(image, start="disk", watch=watch)
    assert frames.shape == (4, *image.shape)
    for n, frame in zip(watch, frames, strict=True):
        if n:
            expected = nss.chan_vese(image, start="disk", iterations=n)
            np.testing.assert_array_equal(frame, expected)
    assert frames[1].sum() == np.sum(np.hypot(*np.ogrid[-15:15, -15:15]) <= 3 / 8 * 30)


def test_channels_decide_together_where_one_alone_cannot() -> None:
    y, x = np.mgrid[:24, :24]
    left, top = x < 12, y < 12
    image = np.stack([100.0 * left, 300.0 * left + 30.0 * top], axis=-1)
    np.testing.assert_array_equal(nss.chan_vese(image, channel_axis=-1, smoothing=0), left)


def test_outside_the_mask_and_at_nan_there_is_nothing_and_it_counts_for_nothing() -> None:
    image, truth = bright_ball(3)
    mask = np.ones(image.shape, dtype=bool)
    mask[:, :, :14] = False
    image[:, :, :14] = 1e5
    image[15, 15, 20] = np.nan
    labels = nss.chan_vese(image, mask=mask)
    assert not labels[~mask].any()
    assert labels[15, 15, 20] == 0
    mask[15, 15, 20] = False
    assert (labels == truth)[mask].mean() > 0.99


def test_no_usable_voxel_is_refused() -> None:
    with pytest.raises(InputError, match="widen the mask"):
        nss.chan_vese(np.ones((4, 4)), mask=np.zeros((4, 4), dtype=bool))
