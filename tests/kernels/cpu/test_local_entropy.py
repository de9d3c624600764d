"""The sliding histogram against skimage's ranks and against counting afresh."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.filters import rank
from skimage.morphology import ball, disk

from napari_segsuite.kernels.cpu.local_entropy import local_entropy, n_pieces


def counted_entropy(image: np.ndarray, footprint: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Entropy of the neighbours that count, gathered for every voxel anew."""
    reach = [n // 2 for n in footprint.shape]
    offsets = np.argwhere(footprint) - reach
    result = np.zeros(image.shape)
    for at in np.ndindex(*image.shape):
        near = [tuple(np.add(at, offset)) for offset in offsets]
        inside = [p for p in near if all(0 <= i < n for i, n in zip(p, image.shape, strict=True))]
        values = [image[p] for p in inside if mask[p]]
        if values:
            share = np.unique(values, return_counts=True)[1] / len(values)
            result[at] = -(share * np.log2(share)).sum()
    return result


@pytest.mark.parametrize(
    ("shape", "footprint"),
    [((40, 50), disk(3)), ((33, 31), disk(6)), ((14, 15, 16), ball(2)), ((9, 20, 12), ball(4))],
)
@pytest.mark.parametrize("levels", [2, 30, 256])
def test_it_equals_skimage_up_to_the_border(
    shape: tuple[int, ...], footprint: np.ndarray, levels: int
) -> None:
    image = np.random.default_rng(levels).integers(0, levels, shape, dtype=np.uint8)
    expected = rank.entropy(image, footprint)
    np.testing.assert_allclose(local_entropy(image, footprint.astype(bool)), expected, atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(2, 3), st.integers(2, 256))
@settings(max_examples=30, deadline=None)
def test_any_window_and_mask_give_what_counting_gives(seed: int, ndim: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 7, ndim))
    image = rng.integers(0, levels, shape, dtype=np.uint8)
    footprint = rng.random(tuple(rng.integers(0, 3, ndim) * 2 + 1)) < 0.6
    mask = rng.random(shape) < 0.7
    found = local_entropy(image, footprint, mask)
    np.testing.assert_allclose(found, counted_entropy(image, footprint, mask), atol=1e-6)


def test_one_value_has_exactly_no_entropy_and_equal_shares_have_the_most() -> None:
    flat = np.full((5, 6, 7), 9, dtype=np.uint8)
    assert not local_entropy(flat, ball(2).astype(bool)).any()
    row = np.arange(16, dtype=np.uint8)[np.newaxis] % 4
    middle = local_entropy(row, np.ones((1, 5), dtype=bool), row != 0)[0, 2]
    assert middle == pytest.approx(np.log2(3))


def test_threads_do_not_matter_and_pieces_are_reported() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 80, 90), dtype=np.uint8)
    calls: list[None] = []
    window = ball(1).astype(bool)
    one = local_entropy(image, window, threads=1, done=lambda: calls.append(None))
    np.testing.assert_array_equal(local_entropy(image, window, threads=3), one)
    assert len(calls) == n_pieces(image.shape) > 1
