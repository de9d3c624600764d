"""The running median against the median of each box."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_segsuite.kernels.cpu.local_median import local_median
from napari_segsuite.progress import Cancelled


def naive(levels, usable, half_widths):
    result = np.zeros_like(levels)
    for index in np.ndindex(levels.shape):
        box = tuple(
            slice(max(i - w, 0), i + w + 1) for i, w in zip(index, half_widths, strict=True)
        )
        values = np.sort(levels[box][usable[box]])
        result[index] = values[(len(values) - 1) // 2] if len(values) else 0
    return result


@pytest.mark.parametrize(
    ("shape", "half_widths"),
    [((9, 12), (2, 3)), ((200, 7), (1, 20)), ((5, 6, 7), (1, 2, 0)), ((4, 5, 6), (9, 0, 1))],
)
def test_every_box_has_its_median(shape, half_widths):
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, shape, dtype=np.uint8)
    everything = np.ones(shape, dtype=bool)
    expected = naive(levels, everything, half_widths)
    np.testing.assert_array_equal(local_median(levels, None, half_widths), expected)
    some = rng.random(shape) < 0.3
    expected = naive(levels, some, half_widths)
    np.testing.assert_array_equal(local_median(levels, some, half_widths), expected)


def test_inside_it_is_the_median_filter_of_the_peer():
    levels = np.random.default_rng(1).integers(0, 256, (150, 140), dtype=np.uint8)
    inner = np.s_[5:-5, 7:-7]
    expected = ndimage.median_filter(levels, (11, 15))
    np.testing.assert_array_equal(local_median(levels, None, (5, 7))[inner], expected[inner])


def test_it_can_be_stopped():
    def stop(_fraction, _message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        local_median(np.zeros((3, 9, 9), np.uint8), None, (1, 1, 1), stop)
