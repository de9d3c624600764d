"""From choices to a plan: only what is needed is read, and nothing too large is begun."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from builders import two_halves
from napari_segsuite import boxes
from napari_segsuite.errors import InputError, OutOfMemoryError
from napari_segsuite.growing.limits import Limits
from napari_segsuite.growing.planner import Planner
from napari_segsuite.image import Image
from napari_segsuite.registry import get_method
from napari_segsuite.space import Space
from napari_segsuite.typing import Box

SHAPE = (16, 64, 64)
GRID = Space.regular(3, (2.0, 1.0, 1.0), "mm")
IMAGE = two_halves(SHAPE)


class Source:
    """An image that notes which parts of it were read."""

    def __init__(self) -> None:
        self.read: list[Box] = []

    def load(self, box: Box) -> Image:
        self.read.append(box)
        return Image(IMAGE[box], GRID.crop(box), "halves")


@pytest.fixture
def source() -> Source:
    return Source()


def seeds() -> np.ndarray:
    painted = np.zeros(SHAPE, np.uint8)
    painted[8, 20:22, 20:22], painted[8, 20:22, 40:42] = 1, 2
    return painted


def planner(source: Source, **choices: Any) -> Planner:
    return Planner(source.load, GRID, SHAPE, **choices)


def test_choices_become_a_plan(source: Source) -> None:
    settings = {"connectivity": 3}
    plan = planner(source, method="watershed", settings=settings, smoothing=1.5).plan(seeds())
    assert source.read == [boxes.whole(SHAPE)]
    assert (plan.method, plan.settings, plan.smoothing) == ("watershed", settings, 1.5)
    assert plan.region == boxes.whole(SHAPE)
    assert plan.allowed is None
    np.testing.assert_array_equal(plan.image.data, IMAGE)


def test_only_the_region_is_read(source: Source) -> None:
    mask, result = np.zeros(SHAPE, np.int32), np.zeros(SHAPE, np.uint16)
    mask[:, 8:50], result[:, :, 30:33] = 9, 4
    limits = Limits(value_range=(0, 150), margin=4.0, locked=(4,))
    plan = planner(source, limits=limits, mask=mask, result=result).plan(seeds())
    box = plan.region
    assert source.read == [box]
    assert boxes.contains(box, (slice(6, 11), slice(16, 26), slice(16, 46)))
    assert box != boxes.whole(SHAPE)
    expected = (mask != 0) & (result != 4) & (IMAGE <= 150)
    np.testing.assert_array_equal(plan.allowed, expected[box])
    assert plan.image.space.is_close(GRID.crop(box))


def test_a_drawn_box_bounds_the_region(source: Source) -> None:
    drawn = (slice(4, 12), slice(0, 32), slice(10, 64))
    assert planner(source, limits=Limits(box=drawn)).plan(seeds()).region == drawn
    within = planner(source, limits=Limits(box=drawn, margin=100.0)).plan(seeds()).region
    assert within == drawn


def test_a_plan_serves_until_seeds_leave_its_region(source: Source) -> None:
    painted, choices = seeds(), planner(source, limits=Limits(margin=4.0))
    plan = choices.plan(painted)
    painted[8, 22:24, 22:24] = 1
    assert choices.still_fits(plan, painted)
    painted[8, 60, 60] = 2
    assert not choices.still_fits(plan, painted)
    larger = choices.region(painted, plan.region)
    assert boxes.contains(larger, plan.region)
    painted[8, 60, 60] = 0
    assert choices.region(painted, larger) == larger
    assert planner(source).still_fits(plan, painted)


def test_no_seeds_to_work_around_are_said(source: Source) -> None:
    with pytest.raises(InputError, match="paint"):
        planner(source, limits=Limits(margin=4.0)).plan(np.zeros(SHAPE, np.uint8))
    assert source.read == []


def test_further_images_become_channels_of_the_region(source: Source) -> None:
    other = Image(IMAGE[::-1].astype(np.float32), GRID)
    limits = Limits(margin=4.0, value_range=(0, 90))
    plan = planner(source, others=[lambda: other], limits=limits).plan(seeds())
    assert plan.image.data.shape == (2, *boxes.shape_of(plan.region))
    np.testing.assert_array_equal(plan.allowed, IMAGE[plan.region] <= 90)


def test_what_does_not_fit_is_not_begun(source: Source) -> None:
    per_voxel = get_method("growcut").bytes_per_voxel
    enough = int(IMAGE.size * per_voxel)
    planner(source, memory_limit=enough).plan(seeds())
    with pytest.raises(OutOfMemoryError, match="margin or on a drawn box"):
        planner(source, memory_limit=enough - 1).plan(seeds())
    assert len(source.read) == 1
    planner(source, memory_limit=enough - 1, limits=Limits(margin=4.0)).plan(seeds())
    other = Image(IMAGE, GRID)
    with pytest.raises(OutOfMemoryError):
        planner(source, memory_limit=enough, others=[lambda: other]).plan(seeds())
