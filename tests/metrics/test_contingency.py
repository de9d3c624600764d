"""Contingency table: exact counts whatever the labels' size, number and memory order."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_segsuite.errors import InputError
from napari_segsuite.kernels.cpu import contingency as kernel
from napari_segsuite.metrics.contingency import contingency_table
from napari_segsuite.progress import Cancelled


def listed(table):
    """The table as {(reference label, predicted label): voxels}."""
    rows, columns = table.reference_ids[table.rows], table.prediction_ids[table.columns]
    return dict(
        zip(zip(rows.tolist(), columns.tolist(), strict=True), table.counts.tolist(), strict=True)
    )


def counted(prediction, reference):
    """The same by counting voxel by voxel."""
    pairs = zip(np.ravel(reference).tolist(), np.ravel(prediction).tolist(), strict=True)
    return dict(Counter((int(r), int(p)) for r, p in pairs))


def assert_sound(table):
    pairs = list(zip(table.rows.tolist(), table.columns.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    assert (np.diff(table.reference_ids) > 0).all()
    assert (np.diff(table.prediction_ids) > 0).all()
    assert set(table.rows) == set(range(len(table.reference_ids)))
    assert set(table.columns) == set(range(len(table.prediction_ids)))
    assert table.reference_sizes.sum() == table.prediction_sizes.sum() == table.total
    types = (table.reference_ids, table.prediction_ids, table.rows, table.counts)
    assert [a.dtype for a in types] == [np.uint64, np.uint64, np.intp, np.int64]


def blobs(shape, n, seed):
    """Blocks of labels from 0 to n - 1, each some voxels wide."""
    coarse = np.random.default_rng(seed).integers(0, n, [-(-side // 4) for side in shape])
    for axis in range(len(shape)):
        coarse = coarse.repeat(4, axis)
    return coarse[tuple(slice(side) for side in shape)]


# --- known tables -------------------------------------------------------------------------
def test_table_by_hand():
    table = contingency_table([[0, 5, 5], [7, 7, 0]], [[0, 5, 5], [5, 9, 0]])
    assert table.reference_ids.tolist() == [0, 5, 9]
    assert table.prediction_ids.tolist() == [0, 5, 7]
    assert table.rows.tolist() == [0, 1, 1, 2]
    assert table.columns.tolist() == [0, 1, 2, 2]
    assert table.counts.tolist() == [2, 2, 1, 1]
    assert table.reference_sizes.tolist() == [2, 3, 1]
    assert table.prediction_sizes.tolist() == [2, 2, 2]
    assert table.total == 6
    assert_sound(table)


def test_ignored_reference_labels_are_left_out():
    prediction, reference = [1, 2, 3, 3], [1, 9, 9, 0]
    assert listed(contingency_table(prediction, reference, ignore=(9,))) == {(1, 1): 1, (0, 3): 1}
    assert listed(contingency_table(prediction, reference, ignore=(3, -1, 2**70))) == counted(
        prediction, reference
    )
    nothing = contingency_table([1, 1], [9, 9], ignore=(9,))
    assert (nothing.total, len(nothing.reference_ids), len(nothing.counts)) == (0, 0, 0)


# --- any type, order and size of labels ---------------------------------------------------
TYPES = ("bool", "uint8", "int8", "uint16", ">i2", "int32", ">u4", "int64", "uint64", "f4", "f8")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("other", ["uint8", "int32", ">u8"])
def test_types_do_not_matter(dtype, other):
    prediction, reference = blobs((9, 30, 31), 2, 0), blobs((9, 30, 31), 2, 1)
    table = contingency_table(prediction.astype(dtype), reference.astype(other))
    assert listed(table) == counted(prediction, reference)
    assert_sound(table)


LAYOUTS = {
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
    "reversed": lambda a: np.ascontiguousarray(a[::-1, :, ::-1])[::-1, :, ::-1],
    "transposed": lambda a: np.ascontiguousarray(a.transpose(1, 2, 0)).transpose(2, 0, 1),
    "read-only": lambda a: np.broadcast_to(a, a.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint64"])
def test_memory_order_does_not_matter(layout, dtype):
    prediction, reference = (blobs((7, 33, 30), 200, seed).astype(dtype) for seed in (0, 1))
    expected = counted(prediction, reference)
    moved = LAYOUTS[layout]
    assert listed(contingency_table(moved(prediction), moved(reference))) == expected
    assert listed(contingency_table(moved(prediction), reference)) == expected


def test_one_line_and_one_voxel():
    assert listed(contingency_table([3, 3, 4], [1, 1, 1])) == {(1, 3): 2, (1, 4): 1}
    assert listed(contingency_table(np.uint64(5), np.int32(7))) == {(7, 5): 1}


def test_labels_beyond_32_bits():
    prediction, reference = (blobs((8, 40, 40), 50, seed).astype(np.uint64) for seed in (0, 1))
    high = np.uint64(2**64 - 100)
    table = contingency_table(prediction + high, reference * np.uint64(2**40 + 1))
    moved = {
        (r * (2**40 + 1), p + 2**64 - 100): n
        for (r, p), n in counted(prediction, reference).items()
    }
    assert listed(table) == moved
    assert_sound(table)


def test_pieces_and_growth_of_the_table():
    prediction, reference = blobs((41, 41, 100), 4000, 0), blobs((41, 41, 100), 3000, 1)
    assert prediction.size > 2 * kernel._PIECE
    table = contingency_table(prediction, reference)
    assert len(table.counts) > kernel._FIRST_SLOTS / 2
    assert listed(table) == counted(prediction, reference)
    assert_sound(table)


@pytest.mark.parametrize("factor", [1, 2**33 + 1])
def test_noise_is_sorted_in_blocks(monkeypatch, factor):
    monkeypatch.setattr(kernel, "_MANY_PAIRS", 100)
    monkeypatch.setattr(kernel, "_BLOCK", 1000)
    noise = np.random.default_rng(0).integers(0, 70, (2, 20, 30, 25)).astype(np.uint64)
    prediction, reference = noise * np.uint64(factor)
    monkeypatch.setattr(kernel, "_PIECE", 500)
    assert kernel._counts_by_hash(prediction, reference, lambda _: None) is None
    table = contingency_table(prediction, reference)
    assert listed(table) == counted(prediction, reference)
    assert_sound(table)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_agrees_with_counting_voxel_by_voxel(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=9))
    values = st.sampled_from([0, 1, 2, 255, 256, 2**31, 2**32, 2**63 + 5, 2**64 - 1])
    arrays = [data.draw(hnp.arrays(np.uint64, shape, elements=values)) for _ in range(2)]
    whole = contingency_table(*arrays)
    assert listed(whole) == counted(*arrays)
    swapped = contingency_table(*arrays[::-1])
    assert listed(swapped) == {(p, r): n for (r, p), n in listed(whole).items()}
    rows = kernel._counts_by_sorting(*arrays, lambda _: None)
    assert {(r, p): n for r, p, n in rows.tolist()} == listed(whole)


# --- what is refused ----------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["int8", "int16", ">i4", "int64", "f8"])
def test_negative_labels_are_refused(dtype):
    bad, good = np.array([0, 3, -2], dtype), np.array([0, 3, 3], np.uint16)
    with pytest.raises(InputError, match=r"prediction: expected labels from 0 up, got -2"):
        contingency_table(bad, good)
    with pytest.raises(InputError, match=r"reference: expected labels from 0 up, got -2"):
        contingency_table(good, bad)


@pytest.mark.parametrize("bad", [[0.5, 1, 1], [np.nan, 1, 1], ["a", "b", "c"], [1j, 0, 0]])
def test_what_is_no_label_is_refused(bad):
    with pytest.raises(InputError, match="prediction: expected"):
        contingency_table(bad, [0, 1, 1])


def test_shapes_must_be_equal_and_not_empty():
    with pytest.raises(InputError, match=r"one shape, got \(2,\) and \(3,\)"):
        contingency_table([0, 1], [0, 1, 1])
    with pytest.raises(InputError, match="empty"):
        contingency_table(np.zeros((0, 3), int), np.zeros((0, 3), int))


def test_inputs_stay_as_they_are():
    prediction, reference = blobs((5, 30, 30), 40, 0), blobs((5, 30, 30), 40, 1)
    before = prediction.copy(), reference.copy()
    contingency_table(prediction, reference, ignore=(0,))
    assert np.array_equal(prediction, before[0])
    assert np.array_equal(reference, before[1])


def test_progress_ends_at_one_and_can_stop():
    labels, fractions = blobs((40, 64, 64), 300, 0), []
    contingency_table(labels, labels, progress=lambda f, message="": fractions.append(f))
    assert len(fractions) > 1
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1

    def stop(fraction, message=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        contingency_table(labels, labels, progress=stop)
