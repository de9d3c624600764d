"""Images that are not in memory, or come in several resolutions."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from grow_docks import blobs, grown, settle, shown, start, strokes
from napari_segsuite.napari_ui.grow import inputs_panel
from napari_segsuite.napari_ui.grow.dock import GrowDock
from napari_segsuite.napari_ui.settings import Preferences

SHAPE = (8, 24, 32)


class OnDisk:
    """What arrays of zarr and HDF5 have in common: a shape, a type, and reading by slices."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.shape, self.dtype, self.ndim, self.size = (
            values.shape,
            values.dtype,
            values.ndim,
            values.size,
        )
        self.boxes: list[Any] = []
        self.threads: list[int] = []

    def __getitem__(self, index: Any) -> np.ndarray:
        self.boxes.append(index)
        self.threads.append(threading.get_ident())
        return self._values[index]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self[...], dtype)


def test_dask_array(viewer: Any, dock: GrowDock) -> None:
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(blobs(SHAPE), chunks=(4, 12, 16))
    viewer.add_image(lazy, name="lazy")
    seeds = viewer.add_labels(strokes(SHAPE), name="lazy seeds")
    np.testing.assert_array_equal(start(dock), grown(blobs(SHAPE), seeds.data))


def test_array_on_disk_is_read_in_another_thread_and_only_where_needed(
    viewer: Any, dock: GrowDock
) -> None:
    array = OnDisk(blobs(SHAPE))
    viewer.add_image(array, name="lazy", contrast_limits=(0, 255))
    data = np.zeros(SHAPE, np.uint8)
    data[4, 2:4, 2:8], data[4, 6:8, 2:8] = 1, 2
    viewer.add_labels(data, name="lazy seeds")
    dock.limits.region.value, dock.limits.margin.value = "seeds", 1.0
    array.boxes.clear()
    array.threads.clear()
    start(dock)
    region = dock.controller.growth.plan.region
    assert region in array.boxes
    assert [i for i, box in enumerate(array.boxes) if box == region and
            array.threads[i] != threading.main_thread().ident]  # fmt: skip
    expected = np.zeros(SHAPE, np.uint8)
    expected[region] = grown(blobs(SHAPE)[region], data[region])
    np.testing.assert_array_equal(shown(dock), expected)


def test_lazy_mask_is_read_where_growth_goes(
    viewer: Any, dock: GrowDock, image: Any, seeds: Any
) -> None:
    da = pytest.importorskip("dask.array")
    inside = np.zeros(image.data.shape, np.uint8)
    inside[:, 1:20, 2:24] = 1
    mask = viewer.add_labels(da.from_array(inside, chunks=(2, 22, 26)), name="head")
    dock.limits.mask.value = mask
    np.testing.assert_array_equal(start(dock), grown(image.data, seeds.data, mask=inside != 0))


def test_lazy_seeds_are_refused(viewer: Any, dock: GrowDock, image: Any) -> None:
    da = pytest.importorskip("dask.array")
    viewer.add_labels(da.from_array(strokes(), chunks=3), name="brain seeds")
    dock.preview()
    assert dock.message.startswith("Expected seeds in memory")


@pytest.fixture
def pyramid(viewer: Any, dock: GrowDock, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two resolutions, of which only the coarse one fits into the memory allowed."""
    allowed = 12 * 4 * 12 * 16
    monkeypatch.setattr(inputs_panel, "preferences", lambda: Preferences(memory_limit=allowed))
    fine = blobs(SHAPE)
    return viewer.add_image([fine, fine[::2, ::2, ::2]], name="big", scale=(2, 1, 1), units="mm")


def test_multiscale_image_at_the_finest_level_that_fits(
    viewer: Any, dock: GrowDock, pyramid: Any
) -> None:
    assert dock.inputs.level.value == 1
    assert not dock.inputs.level.native.isHidden()
    dock.inputs.new_button.click()
    seeds = dock.inputs.seeds.value
    coarse = np.asarray(pyramid.data[1])
    assert seeds.data.shape == coarse.shape
    np.testing.assert_allclose(seeds.scale, (4, 2, 2))
    painted = strokes(coarse.shape)
    seeds.data_setitem(np.nonzero(painted), painted[painted > 0])
    np.testing.assert_array_equal(start(dock), grown(coarse, seeds.data, spacing=(4, 2, 2)))
    assert "level 1 of 1" in dock.message


def test_seeds_of_another_level_are_refused_and_end_the_preview(
    viewer: Any, dock: GrowDock, pyramid: Any
) -> None:
    dock.inputs.new_button.click()
    start(dock)
    dock.inputs.level.value = 0
    settle(dock)
    assert not dock.controller.is_on
    assert "as the image 'big' has at this level" in dock.message
