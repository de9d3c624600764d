"""Damaged and hostile files: a sentence in time and memory, never wrong values."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

from napari_segsuite import device
from napari_segsuite.errors import FormatError
from napari_segsuite.image import Image
from napari_segsuite.io import gzip_stream, memory, read, write

SHAPE = (8, 9, 10)


@pytest.fixture
def whole(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.integers(-500, 500, SHAPE).astype(np.int16)
    paths = tmp_path / "whole.nii", tmp_path / "whole.nii.gz"
    for path in paths:
        write(path, Image.from_array(data, spacing=(3, 1, 1), unit="mm"))
    return data, *paths


def refused(path, match=None):
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(FormatError, match=match) as caught:
            read(path)
        assert time.perf_counter() - start < 1
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert path.name in text
    assert "\n" not in text
    return text


@pytest.mark.filterwarnings("ignore::napari_segsuite.io.GeometryWarning")
def test_malformed_samples(test_data):
    folder = test_data / "formats" / "malformed"
    names = [name for name in json.loads((folder / "expected.json").read_text()) if ".nii" in name]
    assert len(names) >= 8
    for name in names:
        if name == "zero_pixdim.nii.gz":  # its sform says where the voxels are
            assert read(folder / name).space.spacing == pytest.approx((5.5, 1.5, 1.5), rel=1e-5)
        else:
            refused(folder / name)


def test_truncated_files(whole, tmp_path):
    _data, *paths = whole
    for path in paths:
        content = path.read_bytes()
        for size in np.linspace(0, len(content) - 1, 25).astype(int):
            cut = tmp_path / f"cut{''.join(path.suffixes)}"
            cut.write_bytes(content[:size])
            refused(cut)


def test_flipped_bits_in_compressed_files_never_change_values(whole, tmp_path):
    data, _plain, path = whole
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    n_refused = 0
    for position in rng.integers(0, len(content) * 8, 60):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << (position % 8)
        damaged = tmp_path / "flip.nii.gz"
        damaged.write_bytes(flipped)
        try:
            image = read(damaged)
        except FormatError:
            n_refused += 1
        else:  # bits of the gzip header that say nothing of the content
            assert np.array_equal(image.data, data)
    assert n_refused >= 55


@pytest.mark.filterwarnings("ignore::napari_segsuite.io.GeometryWarning")
def test_flipped_bits_in_plain_headers_are_read_or_refused(whole, tmp_path):
    _data, path, _packed = whole
    content = path.read_bytes()
    rng = np.random.default_rng(2)
    for position in rng.integers(0, 352 * 8, 150):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << (position % 8)
        damaged = tmp_path / "flip.nii"
        damaged.write_bytes(flipped)
        try:
            image = read(damaged)
        except FormatError:
            continue
        assert image.data.size == np.prod(SHAPE)
        assert np.isfinite(image.space.matrix).all()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_trailing_bytes_are_refused(whole, tmp_path, suffix):
    content = whole[1].read_bytes() + b"more"
    path = tmp_path / f"long{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)
    refused(path, "expected")


def header_with(dim):
    header = nib.Nifti2Header()
    header["dim"] = dim
    header["datatype"], header["bitpix"] = 2, 8
    header["vox_offset"] = 544
    return header.binaryblock + bytes(4)


@pytest.mark.parametrize(
    "dim",
    [[3, 30000, 30000, 30000, 1, 1, 1, 1], [7, *[2**31 - 1] * 7], [3, 2**62, 2**62, 4, 1, 1, 1, 1]],
)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_headers_that_promise_the_impossible(tmp_path, dim, suffix):
    path = tmp_path / f"bomb{suffix}"
    content = header_with(dim) + bytes(100)
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)
    refused(path)


def test_a_bomb_is_inflated_no_further_than_declared(tmp_path):
    path = tmp_path / "bomb.nii.gz"
    content = header_with([3, 100, 100, 100, 1, 1, 1, 1]) + bytes(100_000_000)
    path.write_bytes(gzip.compress(content, 6))
    refused(path, "more")


def test_more_than_the_free_memory_is_refused_before_it_is_taken(whole, monkeypatch):
    # What a container or a batch job leaves counts, not only what the machine has.
    monkeypatch.setattr(device, "_control_group_memory", lambda _: 100)
    refused(whole[2], "memory")
    assert memory.require_memory(100, "x") is None


@pytest.mark.parametrize("dim", [[0, 1, 1, 1, 1, 1, 1, 1], [3, 0, 4, 4, 1, 1, 1, 1],
                                 [3, -4, 4, 4, 1, 1, 1, 1], [6, 2, 2, 2, 2, 2, 2, 1]])  # fmt: skip
def test_impossible_axes(tmp_path, dim):
    path = tmp_path / "dim.nii"
    path.write_bytes(header_with(dim) + bytes(64))
    refused(path, "axes")


def test_half_of_a_pair_is_named(tmp_path, whole):
    content = bytearray(whole[1].read_bytes())
    content[344:348] = b"ni1\0"
    path = tmp_path / "half.nii"
    path.write_bytes(content)
    refused(path, "pair")


def test_missing_files_folders_and_unknown_extensions(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        read(tmp_path / "none.nii")
    (tmp_path / "folder.nii").mkdir()
    with pytest.raises(FormatError, match="folder"):
        read(tmp_path / "folder.nii")
    with pytest.raises(FormatError, match="no such file"):
        read(tmp_path / "none.docx")
    (tmp_path / "a.docx").touch()
    with pytest.raises(FormatError, match=r"\.nii\.gz.* convert"):
        read(tmp_path / "a.docx")
    with pytest.raises(FormatError, match="choose such a name"):
        write(tmp_path / ".nii", Image.from_array(np.zeros(SHAPE)))


def test_the_content_not_the_name_says_whether_it_is_compressed(whole, tmp_path):
    data, plain, packed = whole
    (tmp_path / "a.NII.GZ").write_bytes(plain.read_bytes())
    (tmp_path / "b.nii").write_bytes(packed.read_bytes())
    assert np.array_equal(read(tmp_path / "a.NII.GZ").data, data)
    assert np.array_equal(read(tmp_path / "b.nii").data, data)


def test_without_isal_the_standard_library_does_it(whole, tmp_path, monkeypatch):
    import sys

    data, _plain, packed = whole
    for name in ("isal", "isal.igzip", "isal.isal_zlib"):
        monkeypatch.setitem(sys.modules, name, None)
    assert len(gzip_stream.inflate_errors()) == 3
    assert np.array_equal(read(packed).data, data)
    write(tmp_path / "b.nii.gz", Image.from_array(data))
    assert np.array_equal(read(tmp_path / "b.nii.gz").data, data)
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(packed.read_bytes()[:-20])
    refused(cut)


def test_writing_takes_no_copy_of_the_array(tmp_path):
    data = np.asfortranarray(np.zeros((64, 512, 512), np.uint8)).transpose(0, 2, 1)
    tracemalloc.start()
    write(tmp_path / "a.nii.gz", Image.from_array(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6 + 0.5 * data.nbytes  # nibabel's first import counts too
    tracemalloc.start()
    write(tmp_path / "a.nii.gz", Image.from_array(data))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 14e6
