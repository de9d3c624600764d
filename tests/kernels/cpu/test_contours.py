"""Operators on contours against skimage's, away from the border, which it treats as empty."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from skimage.segmentation import morphsnakes

from napari_segsuite.families.contours.evolution import as_volume
from napari_segsuite.kernels.cpu.contours import Contour
from napari_segsuite.kernels.cpu.crew import Crew

shapes = pytest.mark.parametrize("shape", [(60, 70), (26, 30, 32)], ids=["2D", "3D"])


def scene(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Blobs that keep away from the border, and a smooth image, dark near the border."""
    rng = np.random.default_rng(len(shape))
    middle = np.zeros(shape, dtype=bool)
    middle[(slice(7, -7),) * len(shape)] = True
    blobs = ndimage.binary_dilation(rng.random(shape) < 0.02, iterations=2) & middle
    image = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
    image[~middle] = image.min()
    return blobs, image.astype(np.float32)


@pytest.fixture(autouse=True)
def fresh_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin the peer's turns anew: it goes on where its last call has stopped."""
    turns = [
        lambda u: morphsnakes.sup_inf(morphsnakes.inf_sup(u)),
        lambda u: morphsnakes.inf_sup(morphsnakes.sup_inf(u)),
    ]
    monkeypatch.setattr(morphsnakes, "_curvop", morphsnakes._fcycle(turns))


@shapes
@pytest.mark.parametrize("threads", [1, 3])
def test_smoothing_equals_the_peers(shape: tuple[int, ...], threads: int) -> None:
    blobs, _ = scene(shape)
    expected = blobs.astype(np.int8)
    with Crew(threads) as crew:
        contour = Contour(as_volume(blobs), None, crew)
        for turn in range(3):
            contour.smooth(range(turn, turn + 1))
            expected = morphsnakes._curvop(expected)
            np.testing.assert_array_equal(contour.inside.reshape(shape), expected)
    assert expected.any()


@shapes
@pytest.mark.parametrize("smoothing", [0, 1, 2])
def test_following_the_means_equals_the_peers(shape: tuple[int, ...], smoothing: int) -> None:
    blobs, image = scene(shape)
    expected = morphsnakes.morphological_chan_vese(
        image.astype(float), 8, blobs.astype(np.int8), smoothing, 1.0, 1.3
    )
    with Crew(2) as crew:
        contour = Contour(as_volume(blobs), None, crew)
        for i in range(8):
            contour.follow_means(as_volume(image)[np.newaxis], 1.0, 1.3)
            contour.smooth(range(i * smoothing, (i + 1) * smoothing))
    np.testing.assert_array_equal(contour.inside.reshape(shape), expected)
    assert expected.any()


@shapes
@pytest.mark.parametrize("balloon", [1, 0.5, 0, -1])
def test_moving_to_edges_equals_the_peers(shape: tuple[int, ...], balloon: float) -> None:
    blobs, image = scene(shape)
    speed = morphsnakes.inverse_gaussian_gradient(image.astype(float), 100, 1).astype(np.float32)
    n = 4 if balloon >= 0 else 1
    expected = morphsnakes.morphological_geodesic_active_contour(
        speed.astype(float), n, blobs.astype(np.int8), 1, 0.3, balloon
    )
    with Crew(2) as crew:
        contour = Contour(as_volume(blobs), None, crew)
        for i in range(n):
            if balloon:
                contour.inflate(as_volume(speed), 0.3 / abs(balloon), outward=balloon > 0)
            contour.descend(as_volume(speed))
            contour.smooth(range(i, i + 1))
    np.testing.assert_array_equal(contour.inside.reshape(shape), expected)
    assert expected.any()


def test_what_the_border_cuts_off_goes_on_beyond_it() -> None:
    half = np.zeros((1, 12, 14), dtype=bool)
    half[..., 7:] = True
    with Crew(1) as crew:
        contour = Contour(half, None, crew)
        contour.smooth(range(4))
        np.testing.assert_array_equal(contour.inside, half)
        contour.inflate(np.ones(half.shape, np.float32), 0.5, outward=False)
    assert contour.inside[0].any(axis=0).tolist() == [False] * 8 + [True] * 6


def test_means_leave_out_what_cannot_be_used() -> None:
    image = np.array([[[[1, 2, np.nan, 10, 20]]]], dtype=np.float32)
    inside = np.array([[[False, False, True, True, True]]])
    with Crew(1) as crew:
        contour = Contour(inside, np.isfinite(image[0]), crew)
        mean_inside, mean_outside = contour.means(image)
    assert mean_inside == [15]
    assert mean_outside == [1.5]
