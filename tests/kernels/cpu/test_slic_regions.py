"""Parts made connected, against labelling each number by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from napari_segsuite.kernels.cpu import slic_regions
from napari_segsuite.kernels.cpu.slic_regions import connect

images = hnp.arrays(
    np.int32, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7), elements=st.integers(0, 3)
)


def parts_of(labels: np.ndarray) -> np.ndarray:
    """Parts of equal labels above 0, joined by faces, numbered in scan order."""
    parts, total = np.zeros(labels.shape, dtype=int), 0
    for value in np.unique(labels[labels > 0]):
        own, count = ndimage.label(labels == value)
        parts[own > 0] = own[own > 0] + total
        total += count
    return in_scan_order(parts)


def in_scan_order(parts: np.ndarray) -> np.ndarray:
    values, firsts = np.unique(parts[parts > 0], return_index=True)
    numbers = np.zeros(parts.max() + 1, dtype=int)
    numbers[values[np.argsort(firsts)]] = np.arange(1, len(values) + 1)
    return numbers[parts]


@settings(max_examples=150, deadline=None)
@given(images)
def test_without_a_least_size_parts_are_connected_components(labels: np.ndarray) -> None:
    parts, count = connect(labels, labels > 0, 0)
    np.testing.assert_array_equal(parts, parts_of(labels))
    assert count == parts.max()


@settings(max_examples=150, deadline=None)
@given(images, st.integers(2, 9))
def test_small_parts_join_others_unless_alone(labels: np.ndarray, smallest: int) -> None:
    usable = labels > 0
    parts, count = connect(labels, usable, smallest)
    np.testing.assert_array_equal(parts > 0, usable)
    np.testing.assert_array_equal(parts, parts_of(parts))
    assert count == parts.max()
    islands, _ = ndimage.label(usable)
    sizes, room = np.bincount(parts.ravel()), np.bincount(islands.ravel())
    for part in range(1, count + 1):
        island = islands[parts == part][0]
        assert sizes[part] >= min(smallest, room[island])
    # What was large enough keeps all of its voxels together.
    for own in np.unique(parts_of(labels)[usable]):
        assert len(np.unique(parts[parts_of(labels) == own])) == 1


@pytest.mark.parametrize(("beside", "joined"), [(1, 1), (2, 2)], ids=["tie", "longest"])
def test_the_longest_border_decides_and_of_equal_ones_the_first(beside: int, joined: int) -> None:
    # Part 3 has two faces with 1 above, three with 2 to the right and below, and one beside it.
    labels = np.array([[[1, 1, 1, 1], [beside, 3, 3, 2], [2, 2, 2, 2]]], dtype=np.int32)
    parts, _ = connect(labels, labels > 0, 3)
    np.testing.assert_array_equal(parts, np.where(labels == 3, joined, labels))


def test_planes_taken_in_turn_are_joined_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.random.default_rng(0).integers(0, 2, (6, 5, 4)).astype(np.int32)
    expected, _ = connect(labels, labels >= 0, 3)
    monkeypatch.setattr(slic_regions, "_VOXELS_PER_PIECE", 40)
    shares: list[float] = []
    found, _ = connect(labels, labels >= 0, 3, shares.append)
    np.testing.assert_array_equal(found, expected)
    assert len(shares) == 5
    assert shares == sorted(shares)
