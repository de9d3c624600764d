"""Lazy label volumes: the same counts as in memory, block by block, within a few blocks."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_segsuite.errors import InputError
from napari_segsuite.metrics.blocks import block_pairs, is_lazy, read_blocks
from napari_segsuite.metrics.confusion import confusion_matrix
from napari_segsuite.progress import Cancelled


class Stored:
    """A chunked file in the manner of an HDF5 dataset; counts how often a voxel is read."""

    def __init__(self, values, chunks):
        self.values, self.chunks = values, chunks
        self.n_read = np.zeros(values.shape, int)

    shape = property(lambda self: self.values.shape)
    dtype = property(lambda self: self.values.dtype)

    def __getitem__(self, box):
        self.n_read[box] += 1
        return self.values[box].copy()


def two_volumes(shape=(20, 30, 25), n=5, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, n, (2, *shape)).astype(dtype)


def in_dask(values, chunks):
    return pytest.importorskip("dask.array").from_array(values, chunks=chunks)


def in_zarr(values, chunks):
    stored = pytest.importorskip("zarr").create_array(
        {}, shape=values.shape, chunks=chunks, dtype=values.dtype
    )
    stored[...] = values
    return stored


def mapped(values, path):
    np.save(path, values)
    return np.load(path, mmap_mode="r")


def same(found, expected):
    return found.labels == expected.labels and np.array_equal(found.counts, expected.counts)


# --- equal to in memory -------------------------------------------------------------------
@pytest.mark.parametrize("store", [in_dask, in_zarr, Stored])
@pytest.mark.parametrize("dtype", ["uint8", "bool", "int32", "uint64", "float32"])
def test_one_lazy_or_both_of_any_chunks(store, dtype):
    prediction, reference = two_volumes(dtype=dtype)
    expected = confusion_matrix(prediction, reference)
    first, second = store(prediction, (7, 30, 11)), store(reference, (20, 4, 9))
    for pair in ((first, second), (first, reference), (prediction, second)):
        assert same(confusion_matrix(*pair), expected)
    assert same(confusion_matrix(first, second, ignore=(1,)),
                confusion_matrix(prediction, reference, ignore=(1,)))  # fmt: skip


def test_mapped_files(tmp_path):
    prediction, reference = two_volumes(n=300, dtype=np.int16)
    pair = mapped(prediction, tmp_path / "a.npy"), mapped(reference, tmp_path / "b.npy")
    assert same(confusion_matrix(*pair), confusion_matrix(prediction, reference))


def test_dask_of_irregular_chunks():
    prediction, reference = two_volumes()
    lazy = in_dask(prediction, ((3, 17), (30,), (1, 20, 4)))
    found = confusion_matrix(lazy, in_dask(reference, (5, 5, 5)))
    assert same(found, confusion_matrix(prediction, reference))


def test_labels_that_appear_block_after_block():
    values = np.repeat(np.array([2**40, 7, 300, 0, 2**63], np.uint64), 6).reshape(5, 6)
    found = confusion_matrix(Stored(values, (1, 6)), Stored(values[::-1], (5, 2)))
    assert same(found, confusion_matrix(values, values[::-1]))
    assert found.labels == (0, 7, 300, 2**40, 2**63)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.integers(1, 9)] * 4), st.integers(1, 400), st.integers(0, 2**20))
def test_any_chunks(chunks, n, offset):
    prediction, reference = two_volumes((9, 8), n, np.int64) + offset
    first = Stored(prediction, chunks[:2])
    second = Stored(reference, chunks[2:])
    assert same(confusion_matrix(first, second), confusion_matrix(prediction, reference))
    assert (first.n_read == 1).all()
    assert (second.n_read == 1).all()


@pytest.mark.parametrize("start", range(9))
@pytest.mark.parametrize("n_voxels", [1, 7, 8, 9, 100])
def test_runs_at_any_place_in_memory(start, n_voxels):
    prediction, reference = two_volumes((40,), 3).repeat(5, axis=1)
    part, other = prediction[start:][:n_voxels], reference[3:][:n_voxels]
    expected = np.zeros((3, 3), int)
    np.add.at(expected, (other, part), 1)
    found = confusion_matrix(part, other)
    assert np.array_equal(found.counts, expected[np.ix_(found.labels, found.labels)])
    assert found.counts.sum() == n_voxels


# --- blocks -------------------------------------------------------------------------------
def test_the_larger_chunks_of_the_two_are_the_blocks():
    prediction, reference = two_volumes((6, 6, 6))
    boxes = list(block_pairs(Stored(prediction, (1, 2, 3)), Stored(reference, (4, 6, 3))))
    assert [box[0] for box in boxes] == [slice(0, 4)] * 2 + [slice(4, 6)] * 2
    assert [box[2] for box in boxes] == [slice(0, 3), slice(3, 6)] * 2


@pytest.mark.parametrize("shape", [(), (7,), (3, 4), (3, 1300, 900), (2, 1100, 1000)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_in_memory_cover_everything_once(shape, order):
    array = np.zeros(shape, np.uint8, order)
    n_read = np.zeros(shape, int)
    for box in block_pairs(array, array):
        part = array[box]
        assert np.size(part) <= 1 << 20
        assert not shape or part.flags[f"{order}_CONTIGUOUS"]
        n_read[box] += 1
    assert (n_read == 1).all()


def test_what_is_lazy(tmp_path):
    values = np.zeros((4, 4), np.uint8)
    assert is_lazy(mapped(values, tmp_path / "a.npy"))
    assert is_lazy(Stored(values, None))
    assert is_lazy(in_dask(values, 2))
    assert is_lazy(in_zarr(values, (2, 2)))
    assert not any(is_lazy(value) for value in (values, values.tolist(), None, 3))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_memory_stays_within_four_blocks(dtype):
    prediction, reference = two_volumes((128, 128, 128), 4, dtype)
    block = 64**3 * prediction.itemsize
    first, second = Stored(prediction, (64, 64, 64)), Stored(reference, (32, 64, 16))
    confusion_matrix(Stored(prediction[:8], (4, 64, 64)), reference[:8])  # imports, compiles
    tracemalloc.start()
    try:
        confusion_matrix(first, second)
        assert tracemalloc.get_traced_memory()[1] <= 4 * block
    finally:
        tracemalloc.stop()


def test_memory_of_dask_stays_within_four_blocks():
    da, dask = pytest.importorskip("dask.array"), pytest.importorskip("dask")

    def made(block_info):
        return np.full((64, 64, 64), sum(block_info[None]["chunk-location"]), np.int32)

    lazy = da.map_blocks(made, chunks=((64,) * 4, (64,) * 2, (64,) * 2), dtype=np.int32)
    with dask.config.set(scheduler="synchronous"):
        confusion_matrix(lazy[:64], lazy[:64])
        tracemalloc.start()
        try:
            found = confusion_matrix(lazy, 2 * lazy)
            assert tracemalloc.get_traced_memory()[1] <= 4 * 64**3 * 4
        finally:
            tracemalloc.stop()
    assert found.counts.sum() == 256 * 128 * 128


# --- progress -----------------------------------------------------------------------------
def test_progress_names_the_block():
    prediction, reference = two_volumes((4, 6, 6))
    said = []
    confusion_matrix(
        Stored(prediction, (2, 3, 6)), reference, progress=lambda f, m="": said.append((f, m))
    )
    assert said[0] == (0, "block 1 of 4")
    assert said[-2:] == [(0.75, "block 4 of 4"), (1, "block 4 of 4")]


def test_cancelling_stops_before_the_next_block():
    prediction, reference = two_volumes((4, 6, 6))
    lazy = Stored(prediction, (1, 6, 6))

    def progress(fraction, message=""):
        if fraction >= 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        confusion_matrix(lazy, reference, progress=progress)
    assert lazy.n_read[:, 0, 0].tolist() == [1, 1, 0, 0]


# --- what cannot be compared --------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "words"), [(-1, "from 0 up, got -1"), (0.5, "whole numbers.*0.5"), (np.nan, "nan")]
)
def test_a_value_that_is_no_label_is_named_with_its_place(value, words):
    prediction, reference = two_volumes((4, 6, 6), dtype=type(value))
    prediction[3, 4, 5] = value
    with pytest.raises(InputError, match=rf"prediction in \[2:4, 3:6, 0:6\]: .*{words}"):
        confusion_matrix(Stored(prediction, (2, 3, 6)), reference)
    with pytest.raises(InputError, match=rf"reference: .*{words}"):
        confusion_matrix(reference, prediction)


def test_shapes_and_numbers_of_labels():
    with pytest.raises(InputError, match=r"one shape.*\(4, 6\).*\(6, 4\)"):
        confusion_matrix(Stored(np.zeros((4, 6), int), (2, 2)), np.zeros((6, 4), int))
    with pytest.raises(InputError, match="empty"):
        confusion_matrix(Stored(np.zeros((0, 6), int), (2, 2)), np.zeros((0, 6), int))
    ids = np.arange(6000).reshape(6, 1000)
    with pytest.raises(InputError, match="4096"):
        confusion_matrix(Stored(ids, (1, 1000)), ids)
    with pytest.raises(InputError, match="unequal length"):
        confusion_matrix([[0, 1], [2]], [[0, 1], [2]])


def test_dask_of_unknown_shape():
    lazy = in_dask(np.arange(6), 3)
    unknown = lazy[lazy > 2]
    with pytest.raises(InputError, match="compute_chunk_sizes"):
        list(read_blocks(unknown, lazy[lazy > 3]))
