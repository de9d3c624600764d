"""Strokes are connected voxels of one class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_segsuite.families.seeded.strokes import find_strokes


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(9, 11), (4, 5, 6), (1, 7), (1, 1, 1)]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.1, 0.4, 1.0]),
)
def test_strokes_are_the_connected_components_of_each_class(shape, seed, density) -> None:
    rng = np.random.default_rng(seed)
    seeds = (rng.integers(1, 4, shape) * (rng.random(shape) < density)).astype(np.uint8)
    found = find_strokes(seeds)
    np.testing.assert_array_equal(seeds[found.indices], found.labels)
    assert len(found.labels) == np.count_nonzero(seeds)
    expected = np.zeros(shape, np.int64)
    total = 0
    for label in (1, 2, 3):
        parts, count = ndimage.label(seeds == label, np.ones((3,) * seeds.ndim))
        expected[parts > 0] = parts[parts > 0] + total
        total += count
    pairs = set(zip(found.strokes.tolist(), expected[found.indices].tolist(), strict=True))
    assert len(pairs) == total == len({a for a, _ in pairs})


def test_only_what_is_allowed_counts() -> None:
    seeds = np.array([[1, 1, 1, 2]], dtype=np.uint8)
    found = find_strokes(seeds, np.array([[True, False, True, True]]))
    assert found.labels.tolist() == [1, 1, 2]
    assert found.strokes.tolist() == [0, 1, 2]


@pytest.mark.parametrize("shape", [(5, 6), (3, 4, 5)])
def test_a_stroke_does_not_run_on_from_the_end_of_a_row_into_the_next(shape) -> None:
    seeds = np.zeros(shape, np.uint8)
    seeds[..., 0, -1] = 1
    seeds[..., 2, 0] = 1
    strokes = find_strokes(seeds).strokes
    assert strokes.max() == 1
