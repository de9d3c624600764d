"""NIfTI files against nibabel, an independent reader and writer, in both directions."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_segsuite.errors import FormatError
from napari_segsuite.image import Image, Segmentation
from napari_segsuite.io import GeometryWarning, read, write
from napari_segsuite.orientation import closest_canonical
from napari_segsuite.space import Axis, Space

REVERSAL = np.eye(4)[[2, 1, 0, 3]]
SHAPE = (4, 5, 6)


def cardinal_affines():
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            affine = np.eye(4)
            affine[:3, :3] = np.eye(3)[list(order)] * (np.array(signs) * (0.7, 1.5, 3))
            affine[:3, 3] = (-31.5, 12.25, 100)
            yield affine


def rotations(n, seed):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        q, _r = np.linalg.qr(rng.normal(size=(3, 3)))
        yield q, rng


def oblique_affines():
    for q, rng in rotations(20, 0):
        affine = np.eye(4)
        affine[:3, :3] = q * rng.uniform(0.3, 5, 3)
        affine[:3, 3] = rng.uniform(-200, 200, 3)
        yield affine


def sheared_affines():
    for affine in itertools.islice(oblique_affines(), 5):
        sheared = affine.copy()
        sheared[:3, 1] += 0.2 * sheared[:3, 0]
        yield sheared


AFFINES = [*cardinal_affines(), *oblique_affines(), *sheared_affines()]


@pytest.mark.parametrize("affine", AFFINES)
def test_geometry_and_values_agree_with_nibabel_both_ways(tmp_path, affine):
    values = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    theirs, ours = tmp_path / "theirs.nii.gz", tmp_path / "ours.nii"
    nib.save(nib.Nifti1Image(values, affine), theirs)
    image = read(theirs)
    assert np.array_equal(image.data.T, values)
    scale = np.abs(affine).max()
    expected = REVERSAL @ affine @ REVERSAL
    assert np.abs(image.space.matrix - expected).max() <= 1e-5 * scale
    # A new array in the same space: geometry comes from the space alone.
    write(ours, Image(image.data, image.space))
    back = nib.load(ours)
    assert np.array_equal(np.asanyarray(back.dataobj), values)
    assert np.abs(back.affine - affine).max() <= 1e-5 * scale
    assert read(ours).space.is_close(image.space)


def test_qform_is_written_only_where_it_says_the_same(tmp_path):
    data = np.zeros(SHAPE, np.uint8)
    for affine, coded in ((AFFINES[50], True), (AFFINES[-1], False)):
        space = Space.from_matrix(REVERSAL @ affine @ REVERSAL, "mm")
        write(tmp_path / "a.nii", Image(data, space))
        header = nib.load(tmp_path / "a.nii").header
        assert bool(header["qform_code"]) is coded
        if coded:
            assert np.allclose(header.get_qform(), affine, atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [
        ("bool", "uint8"), ("uint8", "uint8"), ("int8", "int8"), ("uint16", "uint16"),
        ("int16", "int16"), ("uint32", "uint32"), ("int32", "int32"), ("float16", "float32"),
        ("float32", "float32"), ("float64", "float64"), ("int64", "int32"), (">i2", "int16"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_image_dtypes(tmp_path, dtype, stored, suffix):
    data = (np.arange(120).reshape(SHAPE) % 2).astype(dtype)
    path = tmp_path / f"a{suffix}"
    write(path, Image.from_array(data, spacing=(3, 2, 1), unit="mm"))
    image = read(path)
    assert image.data.dtype == np.dtype(stored)
    assert np.array_equal(image.data, data)
    assert np.array_equal(np.asanyarray(nib.load(path).dataobj).T, data)


@pytest.mark.parametrize("value", [2**40, -(2**40)])
def test_wide_integers_that_do_not_fit_are_refused(tmp_path, value):
    with pytest.raises(FormatError, match="64-bit"):
        write(tmp_path / "a.nii", Image.from_array(np.full(SHAPE, value)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("array", [np.zeros((2, 2), complex), np.array([["a"]]), np.zeros((2, 0))])
def test_values_without_a_place_in_nifti_are_refused(tmp_path, array):
    with pytest.raises(FormatError):
        write(tmp_path / "a.nii", Image.from_array(array))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("make", [np.asfortranarray, lambda a: a[::-1, :, ::-1], lambda a: a.T])
def test_arrays_in_any_memory_order(tmp_path, make):
    rng = np.random.default_rng(0)
    data = make(rng.integers(0, 999, (70, 180, 190)).astype(np.int16))  # several chunks
    data.flags.writeable = False
    write(tmp_path / "a.nii.gz", Image.from_array(data))
    assert np.array_equal(read(tmp_path / "a.nii.gz").data, data)


@pytest.mark.parametrize(
    ("largest", "dtype"),
    [(1, np.uint8), (255, np.uint8), (256, np.uint16), (65536, np.uint32), (2**32 - 1, np.uint32)],
)
def test_labels_take_the_smallest_type_and_never_wrap(tmp_path, largest, dtype):
    labels = np.zeros(SHAPE, np.uint64)
    labels[1, 2, 3] = largest
    write(tmp_path / "a.nii.gz", Segmentation(labels, Space.regular(3)))
    segmentation = read(tmp_path / "a.nii.gz")
    assert isinstance(segmentation, Segmentation)
    assert segmentation.labels.dtype == dtype
    assert np.array_equal(segmentation.labels, labels)
    stored = nib.load(tmp_path / "a.nii.gz")
    assert int(stored.header["intent_code"]) == 1002
    assert float(stored.header["cal_max"]) == 0
    assert (stored.dataobj.slope, stored.dataobj.inter) == (1, 0)


@pytest.mark.parametrize("labels", [np.full(SHAPE, 2**32), np.full(SHAPE, -1), np.full(SHAPE, 0.5)])
def test_what_is_no_label_is_refused(tmp_path, labels):
    with pytest.raises(FormatError, match="label"):
        write(tmp_path / "a.nii", Segmentation(labels, Space.regular(3)))
    assert not list(tmp_path.iterdir())


def test_a_plane_stays_a_plane(tmp_path):
    data = np.arange(12, dtype=np.uint8).reshape(3, 4)
    space = Space((Axis("y", scale=2, translate=5, unit="um"), Axis("x", scale=0.5, unit="um")))
    write(tmp_path / "a.nii", Image(data, space))
    assert nib.load(tmp_path / "a.nii").shape == (4, 3, 1)
    image = read(tmp_path / "a.nii")
    assert np.array_equal(image.data, data)
    assert image.space == space


def test_time_comes_first_and_in_seconds(tmp_path):
    data = np.arange(48, dtype=np.int16).reshape(2, 2, 3, 4)
    series = nib.Nifti1Image(data.T, np.diag([1, 2, 3, 1]))
    series.header.set_xyzt_units("mm", "msec")
    series.header["pixdim"][4] = 1500
    nib.save(series, tmp_path / "a.nii")
    image = read(tmp_path / "a.nii")
    assert np.array_equal(image.data, data)
    assert image.space.axes[0] == Axis("t", "time", 1.5, 0.0, "s")
    assert image.space.spacing == (3, 2, 1)
    write(tmp_path / "b.nii", image)
    assert np.array_equal(np.asanyarray(nib.load(tmp_path / "b.nii").dataobj), data.T)
    assert nib.load(tmp_path / "b.nii").header.get_zooms()[3] == 1.5
    assert read(tmp_path / "b.nii").space == image.space


def test_time_axis_in_another_place_is_moved(tmp_path):
    data = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    space = Space((Axis("y"), Axis("t", "time", unit="s"), Axis("x")))
    write(tmp_path / "a.nii", Image(data, space))
    assert np.array_equal(read(tmp_path / "a.nii").data, np.moveaxis(data, 1, 0))


@pytest.mark.parametrize(
    ("channels", "dtype"), [(3, "uint8"), (4, "uint8"), (2, "uint8"), (3, "f4")]
)
def test_channels(tmp_path, channels, dtype):
    data = np.arange(24 * channels).reshape(2, 3, 4, channels).astype(dtype)
    write(tmp_path / "a.nii.gz", Image.from_array(data, channel_axis=3))
    image = read(tmp_path / "a.nii.gz")
    axis = image.space.channel_axis
    assert axis == (3 if dtype == "uint8" and channels > 2 else 0)
    assert np.array_equal(np.moveaxis(image.data, axis, -1), data)
    stored = np.asanyarray(nib.load(tmp_path / "a.nii.gz").dataobj)
    if stored.dtype.names:
        stored = np.stack([stored[name] for name in stored.dtype.names], axis=-1)
    assert np.array_equal(stored.squeeze().transpose(2, 1, 0, 3), data)


def test_channels_of_a_series_and_of_labels(tmp_path):
    space = Space.regular(4, channel_axis=1).with_leading(Axis("t", "time", unit="s"))
    data = np.arange(2 * 3 * 2 * 3 * 4, dtype=np.float32).reshape(2, 3, 2, 3, 4)
    axes = (space.axes[0], *space.axes[1:])
    image = Image(data, Space((axes[0], axes[2], axes[1], *axes[3:])))
    write(tmp_path / "a.nii", image)
    back = read(tmp_path / "a.nii")
    assert np.array_equal(back.data, np.moveaxis(data, 1, 0))
    assert [a.kind for a in back.space.axes] == ["channel", "time", "space", "space", "space"]
    labels = Segmentation(np.zeros((2, 3, 3), np.uint8), Space.regular(3, channel_axis=2))
    with pytest.raises(FormatError, match="channel"):
        write(tmp_path / "b.nii", labels)
    write(tmp_path / "c.nii", Image.from_array(np.zeros((4, 4, 3), np.uint8), channel_axis=2))
    with pytest.raises(FormatError, match="channels"):
        read(tmp_path / "c.nii", kind="labels")


def test_an_axis_too_long_for_nifti_1_makes_a_nifti_2_file(tmp_path):
    data = np.arange(80_000, dtype=np.uint16).reshape(2, 40_000)
    write(tmp_path / "a.nii.gz", Image.from_array(data))
    assert isinstance(nib.load(tmp_path / "a.nii.gz"), nib.Nifti2Image)
    assert np.array_equal(read(tmp_path / "a.nii.gz").data, data)


@pytest.mark.parametrize(
    ("unit", "step"), [("mm", 2), ("um", 2), ("m", 2), ("cm", 20), ("nm", 2e-3)]
)
def test_units(tmp_path, unit, step):
    write(tmp_path / "a.nii", Image.from_array(np.zeros(SHAPE), spacing=(2, 2, 2), unit=unit))
    space = read(tmp_path / "a.nii").space
    assert space.unit == {"cm": "mm", "nm": "um"}.get(unit, unit)
    assert space.spacing == pytest.approx((step,) * 3)


def test_a_unit_without_a_nifti_word_is_refused(tmp_path):
    with pytest.raises(FormatError, match="parsec"):
        write(tmp_path / "a.nii", Image.from_array(np.zeros(SHAPE), unit="parsec"))


def test_scaling_is_applied_once_and_not_written_back(tmp_path):
    image = nib.Nifti1Image(np.arange(120, dtype=np.int16).reshape(SHAPE), np.eye(4))
    nib.save(image, tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[112:120] = np.array([0.25, -3], "<f4").tobytes()  # scl_slope, scl_inter
    (tmp_path / "a.nii").write_bytes(raw)
    got = read(tmp_path / "a.nii")
    assert got.data.dtype == np.float32
    assert np.array_equal(got.data.T, nib.load(tmp_path / "a.nii").get_fdata())
    write(tmp_path / "b.nii", got)
    assert nib.load(tmp_path / "b.nii").dataobj.slope == 1
    assert np.array_equal(read(tmp_path / "b.nii").data, got.data)


def test_plain_files_are_mapped_read_only_and_not_copied(tmp_path):
    write(tmp_path / "a.nii", Image.from_array(np.zeros(SHAPE, np.int16)))
    data = read(tmp_path / "a.nii").data
    base = data
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert not data.flags.writeable


def test_big_endian_files(tmp_path):
    data = np.arange(120, dtype=">i4").reshape(SHAPE)
    for name in ("a.nii", "a.nii.gz"):
        nib.save(
            nib.Nifti1Image(data, np.eye(4), nib.Nifti1Header(endianness=">")), tmp_path / name
        )
        got = read(tmp_path / name).data
        assert got.dtype.isnative
        assert np.array_equal(got.T, data)


def test_sform_wins_over_a_different_qform_with_a_warning(tmp_path):
    image = nib.Nifti1Image(np.zeros(SHAPE, np.uint8), np.diag([0.9, 0.8, 1.2, 1]))
    image.header.set_qform(np.diag([2, 2, 2, 1]), 1)
    image.header.set_sform(np.diag([0.9, 0.8, 1.2, 1]), 1)
    image.to_filename(tmp_path / "a.nii")
    with pytest.warns(GeometryWarning, match="sform is used"):
        got = read(tmp_path / "a.nii")
    assert got.space.spacing == pytest.approx((1.2, 0.8, 0.9))
    write(tmp_path / "b.nii", got)
    header = nib.load(tmp_path / "b.nii").header
    assert np.allclose(header.get_qform(), np.diag([2, 2, 2, 1]))


@pytest.mark.parametrize("size", [0.0, np.nan, np.inf])
def test_an_unusable_voxel_size_becomes_one_with_a_warning(tmp_path, size):
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.uint8)
    header["pixdim"][1:4] = (size, 2, -3)
    header["vox_offset"] = 352
    (tmp_path / "a.nii").write_bytes(header.binaryblock + bytes(4 + 120))
    with pytest.warns(GeometryWarning, match="voxel size"):
        space = read(tmp_path / "a.nii").space
    assert space.spacing == (3, 2, 1)
    assert not space.matrix[:3, 3].any()


def test_header_words_and_codes_survive_an_unchanged_save(tmp_path):
    image = nib.Nifti1Image(np.zeros(SHAPE, np.int16), AFFINES[55])
    image.header.set_sform(AFFINES[55], 4)
    image.header.set_qform(AFFINES[55], 3)
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = b"a scan"
    image.header["cal_max"] = 900
    image.header.set_intent("z score")
    nib.save(image, tmp_path / "a.nii.gz")
    write(tmp_path / "b.nii.gz", read(tmp_path / "a.nii.gz"))
    before, after = (nib.load(tmp_path / name) for name in ("a.nii.gz", "b.nii.gz"))
    assert np.array_equal(before.affine, after.affine)
    for field in ("sform_code", "qform_code", "xyzt_units", "descrip", "cal_max", "intent_code"):
        assert before.header[field] == after.header[field], field


def test_codes_are_dropped_when_the_grid_changed(tmp_path):
    image = nib.Nifti1Image(np.zeros(SHAPE, np.int16), np.eye(4))
    image.header.set_sform(np.eye(4), 4)
    nib.save(image, tmp_path / "a.nii")
    got = read(tmp_path / "a.nii")
    moved = Image(got.data[1:], got.space.crop((slice(1, None), slice(None), slice(None))),
                  metadata=got.metadata)  # fmt: skip
    write(tmp_path / "b.nii", moved)
    after = nib.load(tmp_path / "b.nii")
    assert int(after.header["sform_code"]) == 1
    assert after.affine[2, 3] == 1


def test_equal_data_give_equal_bytes(tmp_path):
    image = Image.from_array(np.arange(120, dtype=np.int16).reshape(SHAPE))
    for name in ("a.nii.gz", "b.nii.gz"):
        write(tmp_path / name, image)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


@pytest.mark.parametrize(("sform", "qform"), [(127, 2), (1, 258), (32514, 5)])
def test_form_codes_that_the_standard_does_not_list_are_written_as_aligned(tmp_path, sform, qform):
    write(tmp_path / "a.nii", Image.from_array(np.ones(SHAPE), spacing=(3, 2, 1), unit="mm"))
    header = nib.load(tmp_path / "a.nii").header.copy()
    header["sform_code"], header["qform_code"] = sform, qform
    blob = bytearray((tmp_path / "a.nii").read_bytes())
    blob[: header.sizeof_hdr] = header.binaryblock
    (tmp_path / "a.nii").write_bytes(blob)
    write(tmp_path / "b.nii", read(tmp_path / "a.nii"))
    again = nib.load(tmp_path / "b.nii").header
    known = [code if code <= 5 else 2 for code in (sform, qform)]
    assert [again["sform_code"], again["qform_code"]] == known
    assert read(tmp_path / "b.nii").space.is_close(read(tmp_path / "a.nii").space)


# --- samples ------------------------------------------------------------------------------
def test_every_nifti_sample_agrees_with_nibabel(test_data, tmp_path):
    folders = ("formats/nifti_and_friends", "formats/orientation", "brain_t2_parcellated")
    paths = [p for folder in folders for p in sorted((test_data / folder).glob("*.nii*"))]
    assert len(paths) >= 15
    for path in paths:
        image, theirs = read(path), nib.load(path)
        values = np.asanyarray(theirs.dataobj).T
        assert np.allclose(image.data, values.squeeze(), rtol=1e-6), path.name
        matrix = image.space.without("time").matrix
        if max(theirs.header["sform_code"], theirs.header["qform_code"]) > 0:
            assert np.allclose(matrix, REVERSAL @ theirs.affine @ REVERSAL, atol=1e-6), path.name
        else:  # nibabel then centres the volume; the standard's first method has its origin at 0
            assert np.allclose(matrix, np.diag([*theirs.header.get_zooms()[:3][::-1], 1]))
        write(tmp_path / "again.nii.gz", image)
        again = nib.load(tmp_path / "again.nii.gz")
        assert np.array_equal(again.affine, theirs.affine), path.name
        assert np.array_equal(read(tmp_path / "again.nii.gz").data, image.data), path.name


@pytest.mark.parametrize("kind", ["t1", "tissue"])
def test_the_same_brain_in_any_orientation(test_data, kind):
    reference = read(test_data / "brain_mni152" / f"{kind}_2mm.nii.gz")
    for name in ("LAS", "PIR", "SAL"):
        turned = closest_canonical(
            read(test_data / f"formats/orientation/mni_2mm_{kind}_{name}.nii.gz")
        )
        assert np.array_equal(turned.data, closest_canonical(reference).data)
        assert turned.space.is_close(closest_canonical(reference).space)


def test_labels_of_another_grid_overlay_the_image_by_affine(test_data):
    folder = test_data / "brain_t2_parcellated"
    fine = read(folder / "parcellation_gif_1mm.nii.gz", kind="labels")
    coarse = read(folder / "parcellation_gif_on_t2grid.nii.gz", kind="labels")
    image = read(folder / "t2.nii.gz")
    assert coarse.space.is_close(image.space)
    index = np.argwhere(coarse.labels > 3)[::997]
    world = index @ coarse.space.matrix[:3, :3].T + coarse.space.matrix[:3, 3]
    back = np.linalg.inv(fine.space.matrix)
    there = np.rint(world @ back[:3, :3].T + back[:3, 3]).astype(int)
    same = fine.labels[tuple(there.T)] == coarse.labels[tuple(index.T)]
    assert same.mean() > 0.99


def test_reading_warns_of_nothing_without_cause(tmp_path: Path):
    write(tmp_path / "a.nii", Image.from_array(np.zeros(SHAPE)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(tmp_path / "a.nii")
