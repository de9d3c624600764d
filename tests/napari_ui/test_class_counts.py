"""Voxels by class, and what volume they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from napari.layers import Labels

from napari_segsuite.errors import Cancelled
from napari_segsuite.napari_ui.class_counts import (
    VoxelCounter,
    VoxelVolume,
    amount_text,
    label_counts,
)

label_arrays = st.sampled_from([np.uint8, np.uint16, np.uint32, np.int16, np.int64]).flatmap(
    lambda dtype: arrays.arrays(
        dtype, arrays.array_shapes(min_dims=1, max_dims=4, max_side=6), elements=st.integers(0, 120)
    )
)


@settings(max_examples=80, deadline=None)
@given(labels=label_arrays, turned=st.booleans(), step=st.sampled_from([-1, 1, 2]))
def test_counts_are_those_of_a_naive_loop(labels, turned, step):
    labels = (labels.T if turned else labels)[::step]
    expected: dict[int, int] = {}
    for value in labels.ravel().tolist():
        if value:
            expected[value] = expected.get(value, 0) + 1
    assert label_counts(labels) == expected


def test_counts_of_many_pieces_and_large_ids():
    labels = np.zeros((70, 70, 70), np.uint32)
    labels[3:5] = 2**32 - 1
    labels[69] = 7
    assert label_counts(labels) == {7: 4900, 2**32 - 1: 9800}
    assert label_counts(labels.astype(np.uint16)) == {7: 4900, 65535: 9800}
    assert label_counts(np.zeros((0, 3), np.uint8)) == {}


def test_counting_can_be_stopped():
    def stop(_fraction, _message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        label_counts(np.ones((4, 4), np.uint8), stop)


ROTATION = np.array(
    [[2.0, 0.0, 0.0, 9.0], [0.0, 0.8, -0.6, 0.0], [0.0, 0.6, 0.8, 0.0], [0.0, 0.0, 0.0, 1.0]]
)


@pytest.mark.parametrize(
    ("shape", "geometry", "expected"),
    [
        ((2, 2, 2), {"scale": (3, 0.5, 0.5), "units": ("mm",) * 3}, VoxelVolume(0.75, "mm³")),
        ((2, 2), {"scale": (0.5, 0.2), "units": ("um",) * 2}, VoxelVolume(0.1, "µm²")),
        ((2, 2, 2), {"affine": ROTATION, "units": ("mm",) * 3}, VoxelVolume(2.0, "mm³")),
        ((2, 2, 2), {"scale": (-3, 1, 1), "units": ("mm",) * 3}, VoxelVolume(3.0, "mm³")),
        ((2, 2, 2), {"scale": (2, 1, 1)}, VoxelVolume(2.0, "unit³")),
        ((2, 2, 2), {}, None),
        (
            (5, 2, 2, 2),
            {"scale": (9, 3, 1, 1), "units": ("s", "mm", "mm", "mm"), "axis_labels": tuple("tzyx")},
            VoxelVolume(3.0, "mm³"),
        ),
    ],
)
def test_the_volume_of_a_voxel(shape, geometry, expected):
    volume = VoxelVolume.of(Labels(np.zeros(shape, np.uint8), **geometry))
    if expected is None:
        assert volume is None
    else:
        assert volume.unit == expected.unit
        assert volume.size == pytest.approx(expected.size)


def test_large_volumes_are_in_millilitres():
    cubic = VoxelVolume(0.5, "mm³")
    assert cubic.readable(1999) == cubic
    assert cubic.readable(2000) == VoxelVolume(0.0005, "ml")
    flat = VoxelVolume(0.5, "mm²")
    assert flat.readable(10**6) == flat


def test_amounts_are_short():
    texts = [amount_text(value) for value in (0, 0.0123456, 1.0, 12.34, 999.4, 999.6, 1234567)]
    assert texts == ["0", "0.0123", "1", "12.3", "999", "1\u202f000", "1\u202f234\u202f567"]


def test_counts_follow_strokes_undo_and_redo_but_not_the_slices_seen(viewer, qtbot):
    layer = viewer.add_labels(np.zeros((4, 10, 10), np.uint8))
    layer.brush_size = 1
    counter = VoxelCounter(viewer, viewer.window._qt_window)
    with qtbot.waitSignal(counter.counted) as first:
        counter.watch([layer])
    assert first.args[0] == [{}]
    with qtbot.waitSignal(counter.counted) as painted:
        layer.paint((1, 2, 3), 1)
    assert painted.args[0] == [{1: 1}]
    with qtbot.waitSignal(counter.counted) as undone:
        layer.undo()
    assert undone.args[0] == [{}]
    with qtbot.waitSignal(counter.counted) as redone:
        layer.redo()
    assert redone.args[0] == [{1: 1}]
    with qtbot.assertNotEmitted(counter.counted, wait=500):
        viewer.dims.set_current_step(0, 3)
    counter.stop()
    with qtbot.assertNotEmitted(counter.counted, wait=500):
        layer.paint((1, 2, 3), 2)


def test_the_newest_of_many_counts_is_the_last_and_some_come_on_the_way(viewer, qtbot):
    counter = VoxelCounter(viewer, viewer.window._qt_window)
    heard = []
    counter.counted.connect(lambda counts: heard.append(counts[0].get(1, 0)))
    labels = np.zeros((40, 40), np.uint8)
    for row in range(40):
        labels = labels.copy()
        labels[row] = 1
        counter.count([labels])
        qtbot.wait(5)
    qtbot.waitUntil(lambda: bool(heard) and heard[-1] == 1600)
    assert heard == sorted(heard)
    assert len(heard) > 1
