"""How sure an engine is, as far as its method says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from live_scenes import plan_for, seeds
from napari_segsuite.errors import InputError
from napari_segsuite.growing.margins import margin
from napari_segsuite.method import Extras, method
from napari_segsuite.typing import ImageArray, LabelArray


@pytest.fixture
def sure(scratch_registry: None) -> list[Any]:
    """A method that says how sure it is, and the masks it was given."""
    masks: list[Any] = []

    @method(title="Sure", family="seeded", channels="single", extras=("margin",), bytes_per_voxel=1)
    def sure(
        image: ImageArray,
        seeds: LabelArray,
        mask: LabelArray | None = None,
        *,
        offset: float = 0.0,
        extras: Extras | None = None,
    ) -> LabelArray:
        """Label by the seeds alone.

        Parameters
        ----------
        image : (M, N[, P]) array
            Intensities.
        seeds : (M, N[, P]) array
            Painted classes.
        mask : (M, N[, P]) array, optional
            Noted.
        offset : float
            Added to the margin.
        """
        masks.append(mask)
        if extras is not None and "margin" in extras.wanted:
            extras["margin"] = image.astype(np.float32) + np.float32(offset)
        return seeds.astype(np.uint8)

    return masks


def test_margin_is_that_of_the_method_in_the_region(sure: list[Any]) -> None:
    region = (slice(1, 6), slice(2, 18), slice(0, 22))
    allowed = np.ones((5, 16, 22), bool)
    plan = plan_for(region, method="sure", settings={"offset": 0.5}, allowed=allowed)
    reports: list[float] = []
    found = margin(plan, seeds()[region], lambda fraction, _message="": reports.append(fraction))
    np.testing.assert_array_equal(found, plan.image.data + np.float32(0.5))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(sure[0], allowed)
    assert reports


def test_methods_that_do_not_say_name_those_that_do(sure: list[Any]) -> None:
    with pytest.raises(InputError, match=r"Watershed does not say how sure it is; .*Sure"):
        margin(plan_for(method="watershed", settings={}), seeds())
