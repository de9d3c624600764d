"""The range of intensities that count."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segsuite.errors import InputError
from napari_segsuite.families.intensities import lowest_and_highest


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float64])
def test_only_what_counts_has_a_part_in_the_range(dtype) -> None:
    image = np.array([[0, 1, 1, 0, 1]]).astype(dtype)
    mask = np.array([[False, True, True, False, False]])
    assert lowest_and_highest((image, image), mask, "Test") == (1, 1)
    assert lowest_and_highest((image,), None, "Test") == (0, 1)


def test_what_is_not_finite_may_lie_outside_the_mask() -> None:
    image = np.array([[np.nan, 3, -4, np.inf]])
    assert lowest_and_highest((image,), np.isfinite(image), "Test") == (-4, 3)


def test_too_wide_a_range_over_channels_is_refused() -> None:
    ends = np.array([[1.7e308]]), np.array([[-1.7e308]])
    with pytest.raises(InputError, match="Test: expected intensities that span less than 2e"):
        lowest_and_highest(ends, None, "Test")
