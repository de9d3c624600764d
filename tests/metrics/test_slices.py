"""Tables and scores per slice: each slice as if it were an image of its own."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import InputError, ParameterError
from napari_segsuite.metrics.confusion import confusion_matrix
from napari_segsuite.metrics.counts import Counts
from napari_segsuite.metrics.overlap import OVERLAP
from napari_segsuite.metrics.slices import slice_confusions, slice_scores
from napari_segsuite.progress import Cancelled

FUNCTIONS = {metric.name: metric.function for metric in OVERLAP if metric.per_class}


def two_volumes(shape, n=5, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, n, (2, *shape)).astype(dtype)


def table_of(prediction, reference, labels):
    """Counts of one slice, one pair of labels after the other."""
    return [[int(((reference == r) & (prediction == p)).sum()) for p in labels] for r in labels]


def check(prediction, reference, axis, ignore=()):
    tables = slice_confusions(prediction, reference, axis, ignore=ignore)
    prediction, reference = np.asarray(prediction), np.asarray(reference)
    assert len(tables.counts) == prediction.shape[axis]
    for place, table in enumerate(tables.counts):
        rows = table_of(prediction.take(place, axis), reference.take(place, axis), tables.labels)
        expected = [
            [0] * len(row) if r in ignore else row
            for r, row in zip(tables.labels, rows, strict=True)
        ]
        assert table.tolist() == expected
    whole = confusion_matrix(prediction, reference, ignore=ignore)
    assert tables.labels == whole.labels
    assert np.array_equal(tables.counts.sum(axis=0), whole.counts)


# --- tables -------------------------------------------------------------------------------
LAYOUTS = [
    np.ascontiguousarray,
    np.asfortranarray,
    lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
    lambda a: a[::-1, :, ::-1],
]


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "float32"])
def test_any_axis_layout_and_type(axis, layout, dtype):
    prediction, reference = two_volumes((6, 20, 18), 2 if dtype == "bool" else 4, dtype)
    check(layout(prediction), layout(reference), axis)
    check(layout(prediction), reference, axis, ignore=(1,))


@pytest.mark.parametrize("axis", [0, 1])
def test_rows_and_columns_of_an_image(axis):
    check(*two_volumes((9, 33), 4), axis)


@pytest.mark.parametrize("labels", [(0, 255), (3, 70, 200), (0, 2**40, 2**63)])
@pytest.mark.parametrize("axis", [0, 2])
def test_labels_far_apart(labels, axis):
    numbers = two_volumes((4, 5, 20), len(labels))
    check(*np.array(labels, np.uint64)[numbers], axis)


def test_more_than_256_labels():
    prediction, reference = two_volumes((3, 700), 300, np.int32)
    tables = slice_confusions(prediction, reference)
    for place in range(3):
        part = confusion_matrix(prediction[place], reference[place])
        rows = np.searchsorted(tables.labels, part.labels)
        assert np.array_equal(tables.counts[place][np.ix_(rows, rows)], part.counts)
        assert tables.counts[place].sum() == 700


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_volumes_larger_than_a_block(axis):
    prediction, reference = two_volumes((3, 800, 900), 3)
    tables = slice_confusions(prediction, reference, axis)
    for place in (0, 2, prediction.shape[axis] - 1):
        part = prediction.take(place, axis), reference.take(place, axis)
        assert tables.counts[place].tolist() == table_of(*part, tables.labels)
    assert np.array_equal(tables.counts.sum(axis=0), confusion_matrix(prediction, reference).counts)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_lazy_volumes(axis):
    da = pytest.importorskip("dask.array")
    prediction, reference = two_volumes((7, 8, 9), 4)
    prediction[:3] = 0  # labels appear only in later blocks
    lazy = da.from_array(prediction, chunks=(2, 3, 4))
    tables = slice_confusions(lazy, reference, axis)
    expected = slice_confusions(prediction, reference, axis)
    assert tables.labels == expected.labels
    assert np.array_equal(tables.counts, expected.counts)


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.integers(1, 20)] * 3), st.integers(1, 6), st.integers(-3, 2),
    st.sets(st.integers(0, 5), max_size=2),
)  # fmt: skip
def test_slices_add_up(shape, n, axis, ignore):
    check(*two_volumes(shape, n), axis, tuple(ignore))


def test_no_copy_of_the_volume():
    prediction, reference = two_volumes((64, 160, 160), 4)
    slice_confusions(prediction[:2], reference[:2], 1)  # imports, compiles
    for axis in range(3):
        tracemalloc.start()
        try:
            slice_confusions(prediction, reference, axis)
            assert tracemalloc.get_traced_memory()[1] < prediction.nbytes / 4
        finally:
            tracemalloc.stop()


# --- scores -------------------------------------------------------------------------------
@pytest.mark.parametrize("metric", FUNCTIONS)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_scores_are_those_of_the_slices_alone(metric, axis):
    prediction, reference = two_volumes((3, 4, 5), 4)
    scores = slice_scores(prediction, reference, axis=axis, metric=metric)
    assert (scores.axis, scores.metric, scores.labels) == (axis, metric, (0, 1, 2, 3))
    for place in range(prediction.shape[axis]):
        table = confusion_matrix(prediction.take(place, axis), reference.take(place, axis))
        alone = FUNCTIONS[metric](Counts.of(table, (0, 1, 2, 3)))
        found = [scores.values[label][place] for label in range(4)]
        np.testing.assert_array_equal(found, alone)


def test_dice_by_hand():
    reference = np.array([[1, 1, 0], [0, 0, 0], [2, 2, 2], [0, 0, 2]])
    prediction = np.array([[1, 0, 0], [0, 0, 0], [2, 2, 2], [0, 1, 0]])
    scores = slice_scores(prediction, reference)
    np.testing.assert_array_equal(scores.values[1], [2 / 3, np.nan, np.nan, 0])
    np.testing.assert_array_equal(scores.values[2], [np.nan, np.nan, 1, 0])
    assert scores.values[0].dtype == np.float64
    columns = slice_scores(prediction, reference, axis=-1, metric="recall", classes=[1, 9])
    assert columns.axis == 1
    np.testing.assert_array_equal(columns.values[1], [1, 0, np.nan])
    assert np.isnan(columns.values[9]).all()


def test_ignored_labels_are_not_reported():
    prediction, reference = two_volumes((3, 40), 4)
    scores = slice_scores(prediction, reference, ignore=(0, 2))
    assert scores.labels == (1, 3)
    everything = slice_scores(prediction, reference, ignore=(0, 1, 2, 3))
    assert everything.values == {}


# --- what cannot be done ------------------------------------------------------------------
@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_there_is_not(axis):
    for function in (slice_confusions, slice_scores):
        with pytest.raises(ParameterError, match="from -2 to 1, got") as caught:
            function(np.zeros((3, 4), int), np.zeros((3, 4), int), axis=axis)
        assert caught.value.name == "axis"


@pytest.mark.parametrize("metric", ["dyce", "kappa", "hd95"])
def test_metrics_without_a_value_per_class(metric):
    with pytest.raises(ParameterError, match="dice, iou") as caught:
        slice_scores([[1]], [[1]], metric=metric)
    assert caught.value.name == "metric"


@pytest.mark.parametrize("axis", [0, 1])
def test_tables_that_would_fill_the_memory(axis):
    ids = np.arange(2000).reshape(2, 1000)
    shape = (1000, 2) if axis == 0 else (2, 1000)
    with pytest.raises(InputError, match=r"512 MB, got 2000 labels in 1000 slices, 30518 MB"):
        slice_confusions(ids.reshape(shape), ids.reshape(shape), axis)


def test_bad_labels_and_shapes():
    with pytest.raises(InputError, match=r"reference: .*-1"):
        slice_confusions([[0, 1]], [[0, -1]])
    with pytest.raises(InputError, match="one shape"):
        slice_confusions(np.zeros((3, 4), int), np.zeros((4, 3), int))
    with pytest.raises(ParameterError, match="axis"):
        slice_confusions(1, 1)


def test_cancelling():
    def progress(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        slice_confusions([[0, 1]], [[0, 1]], progress=progress)
