"""Classes, colours and provenance in the side file of a NIfTI file of labels."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite.errors import FormatError, InputError
from napari_segsuite.image import Image, LabelClass, Segmentation
from napari_segsuite.io import read, write
from napari_segsuite.provenance import Provenance
from napari_segsuite.space import Space

SHAPE = (4, 5, 6)


def test_classes_travel_in_a_side_file_of_their_own_file(tmp_path):
    labels = np.arange(120, dtype=np.uint8).reshape(SHAPE) % 3
    first = (LabelClass(1, "grey, Ω", (1.0, 0.5, 0.0, 1.0)), LabelClass(2, "white"))
    second = (LabelClass(1, "other"),)
    write(tmp_path / "a.nii.gz", Segmentation(labels, Space.regular(3), first))
    write(tmp_path / "a.nii", Segmentation(labels, Space.regular(3), second))
    assert read(tmp_path / "a.nii.gz").classes == first
    assert read(tmp_path / "a.nii").classes == second
    write(tmp_path / "a.nii.gz", Segmentation(labels, Space.regular(3)))
    assert read(tmp_path / "a.nii.gz").classes == ()
    assert read(tmp_path / "a.nii").classes == second


def test_provenance_travels_with_the_classes(tmp_path):
    provenance = Provenance("growcut", {"connectivity": 3}, extras=("strength",))
    labels = np.ones(SHAPE, np.uint8)
    classes = (LabelClass(1, "x"),)
    write(tmp_path / "a.nii", Segmentation(labels, Space.regular(3), classes, provenance))
    assert read(tmp_path / "a.nii").provenance == provenance


def test_files_renamed_together_keep_their_classes(tmp_path):
    classes = (LabelClass(1, "x"),)
    write(tmp_path / "a.nii", Segmentation(np.ones(SHAPE, np.uint8), Space.regular(3), classes))
    for suffix in (".nii", ".labels.json"):
        (tmp_path / f"a{suffix}").rename(tmp_path / f"b{suffix}")
    assert read(tmp_path / "b.nii").classes == classes


def test_an_image_written_over_labels_is_an_image_again(tmp_path):
    labels = np.ones(SHAPE, np.uint8)
    write(tmp_path / "a.nii", Segmentation(labels, Space.regular(3), (LabelClass(1, "x"),)))
    assert (tmp_path / "a.labels.json").exists()
    write(tmp_path / "a.nii", Image.from_array(labels))
    assert isinstance(read(tmp_path / "a.nii"), Image)
    assert [p.name for p in tmp_path.iterdir()] == ["a.nii"]


def test_an_image_that_another_program_wrote_over_labels_is_an_image(tmp_path):
    path = tmp_path / "a.nii"
    classes = (LabelClass(1, "x"),)
    write(path, Segmentation(np.ones(SHAPE, np.uint8), Space.regular(3), classes))
    theirs = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE) - 1000
    nib.save(nib.Nifti1Image(theirs.T, np.eye(4)), path)
    assert np.array_equal(read(path).data, theirs)
    seg = nss.run("global_threshold", path)
    assert np.array_equal(seg.labels, nss.global_threshold(theirs))
    with pytest.raises(FormatError, match="-1000"):
        read(path, kind="labels")


def test_a_damaged_side_file_is_named(tmp_path):
    labels = np.ones(SHAPE, np.uint8)
    write(tmp_path / "a.nii", Segmentation(labels, Space.regular(3), (LabelClass(1, "x"),)))
    side = tmp_path / "a.labels.json"
    side.write_text(side.read_text().replace('"id"', '"no"'))
    with pytest.raises(FormatError, match=r"a\.labels\.json"):
        read(tmp_path / "a.nii")
    assert isinstance(read(tmp_path / "a.nii", kind="image"), Image)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "?", '{"file": "/"}', '{"file": ".."}', '{"kind": 1}']
)
def test_a_side_file_of_another_program_is_left_alone(tmp_path, text):
    side = tmp_path / "a.labels.json"
    side.write_text(text)
    labels = np.ones(SHAPE, np.uint8)
    write(tmp_path / "a.nii", Image.from_array(labels))
    assert isinstance(read(tmp_path / "a.nii"), Image)
    classes = (LabelClass(1, "x"),)
    write(tmp_path / "a.nii", Segmentation(labels, Space.regular(3), classes))
    assert read(tmp_path / "a.nii").classes == classes
    assert side.read_text() == text


@pytest.mark.parametrize("colour", [(1, 0.5, 0), np.array([1, 0.5, 0, 1], np.float32)])
def test_colours_of_any_kind_come_back(tmp_path, colour):
    classes = (LabelClass(1, "x", colour),)
    write(tmp_path / "a.nii", Segmentation(np.ones(SHAPE, np.uint8), Space.regular(3), classes))
    assert read(tmp_path / "a.nii").classes == (LabelClass(1, "x", (1.0, 0.5, 0.0, 1.0)),)


@pytest.mark.parametrize("colour", ["red", (1, 0), (255, 0, 0), (0, 0, 0, 0, 0), (np.nan,) * 4])
def test_what_is_no_colour_is_refused(colour):
    with pytest.raises(InputError, match="expected a colour"):
        LabelClass(1, "x", colour)


def test_an_empty_result_keeps_its_provenance(tmp_path):
    nothing = nss.run("global_threshold", np.zeros(SHAPE))
    write(tmp_path / "a.nii", nothing)
    back = read(tmp_path / "a.nii")
    assert back.classes == ()
    assert back.provenance.to_dict() == nothing.provenance.to_dict()


def test_a_side_file_that_cannot_be_removed_is_named(tmp_path, monkeypatch):
    classes = (LabelClass(1, "x"),)
    write(tmp_path / "a.nii", Segmentation(np.ones(SHAPE, np.uint8), Space.regular(3), classes))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(FormatError, match=r"a\.labels\.json"):
        write(tmp_path / "a.nii", Image.from_array(np.ones(SHAPE)))


def test_kind_decides_over_the_file(tmp_path):
    write(tmp_path / "a.nii", Image.from_array(np.full(SHAPE, 300.0)))
    assert read(tmp_path / "a.nii", kind="labels").labels.dtype == np.uint16
    write(tmp_path / "a.nii", Segmentation(np.ones(SHAPE, np.uint8), Space.regular(3)))
    assert isinstance(read(tmp_path / "a.nii", kind="image"), Image)
    with pytest.raises(InputError, match="expected kind 'image' or 'labels', got 'label'"):
        read(tmp_path / "a.nii", kind="label")
    for bad, word in ((-1, "-1"), (0.5, "0.5"), (np.nan, "nan")):
        write(tmp_path / "b.nii", Image.from_array(np.full(SHAPE, bad)))
        with pytest.raises(FormatError, match=rf"b\.nii.*{word}"):
            read(tmp_path / "b.nii", kind="labels")
