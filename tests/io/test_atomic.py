"""Files appear whole or not at all."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from napari_segsuite.errors import FormatError
from napari_segsuite.image import Image
from napari_segsuite.io import atomic_path, read, write


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_failure_in_the_middle_leaves_the_old_file(tmp_path, monkeypatch, error, suffix):
    from napari_segsuite.io.formats import nifti

    path = tmp_path / f"a{suffix}"
    write(path, Image.from_array(np.ones((2, 3, 4), np.uint8)))
    before = path.read_bytes()

    def failing(data):
        yield data[:1]
        raise error

    monkeypatch.setattr(nifti, "_chunks", failing)
    with pytest.raises(FormatError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        write(path, Image.from_array(np.zeros((9, 9, 9), np.uint8)))
    if isinstance(error, OSError):
        assert "no space left" in str(caught.value)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_new_file_does_not_appear_before_it_is_whole(tmp_path):
    target = tmp_path / "table.csv"
    with atomic_path(target) as scratch:
        scratch.write_text("half")
        assert scratch.parent == tmp_path
        assert scratch.suffix == ".csv"
        assert not target.exists()
    assert target.read_text() == "half"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with atomic_path(tmp_path / "link.txt") as scratch:
        scratch.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        write(tmp_path / "none" / "a.nii", Image.from_array(np.zeros((2, 2, 2))))
    (tmp_path / "folder.nii").mkdir()
    with pytest.raises(FormatError, match="is a folder"):
        write(tmp_path / "folder.nii", Image.from_array(np.zeros((2, 2, 2))))


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may write anywhere"
)
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FormatError, match="permission"):
            write(tmp_path / "a.nii", Image.from_array(np.zeros((2, 2, 2))))
    finally:
        tmp_path.chmod(0o700)


def test_a_file_can_be_written_over_while_its_values_are_mapped(tmp_path):
    data = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    write(tmp_path / "a.nii", Image.from_array(data))
    mapped = read(tmp_path / "a.nii")
    write(tmp_path / "a.nii", Image(mapped.data, mapped.space))
    assert np.array_equal(mapped.data, data)
    assert np.array_equal(read(tmp_path / "a.nii").data, data)


def test_a_write_protected_file_stays(tmp_path, monkeypatch):
    (tmp_path / "table.csv").write_text("precious")
    monkeypatch.setattr(os, "access", lambda *_: False)  # also where the superuser runs this
    with pytest.raises(FormatError, match="write-protected"), atomic_path(tmp_path / "table.csv"):
        pass
    assert (tmp_path / "table.csv").read_text() == "precious"
