"""Where saved work is put and found again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from napari_segsuite.errors import FormatError
from napari_segsuite.growing.work_file import ImageIdentity, Work, save_work
from napari_segsuite.growing.work_places import autosave_path, matching_work, work_path_for
from napari_segsuite.image import Image
from napari_segsuite.space import Space


@pytest.fixture
def user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "user data"
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_: str(folder))
    return folder


def identity(tmp_path: Path, value: int = 0) -> ImageIdentity:
    image = Image.from_array(np.full((3, 4), value, np.uint8), name="brain: T1/a")
    return ImageIdentity.of(image, tmp_path / "brain.nii.gz")


def save(path: Path, image: ImageIdentity, age: int = 0) -> None:
    save_work(path, Work(image, Space.regular(2), np.zeros(image.shape, np.uint8)))
    os.utime(path, (1e9 - age, 1e9 - age))


def test_beside_the_image_under_its_whole_name(tmp_path):
    assert work_path_for(tmp_path / "a.nii.gz") == tmp_path / "a.nii.gz.segsuite.zip"
    assert work_path_for("a.tif") != work_path_for("a.nii")


def test_autosaves_of_images_with_one_name_differ(user_data):
    first, second = (autosave_path("brain: T1/a", digit * 64) for digit in "ab")
    assert first != second
    assert first.parent == second.parent == user_data / "autosave"
    assert first.parent.is_dir()
    assert first.name == "brain_T1_a-aaaaaaaaaaaaaaaa.segsuite.zip"


def test_a_folder_that_cannot_be_made_is_said(user_data):
    user_data.write_text("a file in its place")
    with pytest.raises(FormatError, match="cannot make the folder"):
        autosave_path("a", "a" * 64)


def test_the_newest_match_is_found(tmp_path, user_data):
    image = identity(tmp_path)
    assert matching_work(image) is None
    autosave = autosave_path(image.name, image.sha256)
    save(autosave, image, age=10)
    assert matching_work(image) == autosave
    beside = work_path_for(image.path)
    save(beside, image, age=20)
    assert matching_work(image) == autosave
    save(beside, image, age=0)
    assert matching_work(image) == beside


def test_a_renamed_image_is_recognised_by_its_values(tmp_path, user_data):
    image = identity(tmp_path)
    save(autosave_path("another name", image.sha256), image)
    assert matching_work(ImageIdentity("new", image.shape, image.dtype, image.sha256)) is not None


def test_work_on_other_values_and_damaged_files_do_not_match(tmp_path, user_data):
    image = identity(tmp_path)
    save(work_path_for(image.path), identity(tmp_path, value=1))
    autosave_path(image.name, image.sha256).write_bytes(b"cut")
    assert matching_work(image) is None
