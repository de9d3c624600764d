"""The bundled data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite import samples
from napari_segsuite.errors import FormatError, ParameterError


@pytest.fixture(scope="module")
def brain() -> samples.Sample:
    return samples.load("brain")


def test_parts_lie_on_one_grid(brain: samples.Sample) -> None:
    spaces = [part.space for part in brain.values()]
    assert brain["image"].data.shape == (159, 189, 153)
    assert all(space.is_close(spaces[0]) for space in spaces)
    assert spaces[0].spacing == (1.0, 1.0, 1.0)
    assert spaces[0].unit == "mm"


def test_seeds_and_reference_share_names_and_colours(
    brain: samples.Sample,
) -> None:
    table = brain["seeds"].classes
    assert table == brain["reference"].classes
    assert [entry.name for entry in table] == [
        "background",
        "CSF and rest",
        "grey matter",
        "white matter",
    ]
    assert all(entry.colour is not None for entry in table)


def test_seeds_are_few_and_agree_with_the_reference(
    brain: samples.Sample,
) -> None:
    seeds, reference = brain["seeds"].labels, brain["reference"].labels
    painted = seeds != 0
    assert 0.004 < painted.mean() < 0.006
    np.testing.assert_array_equal(seeds[painted], reference[painted])
    assert set(np.unique(reference)) == {1, 2, 3, 4}


def test_notice_keeps_the_copyright(tmp_path: Path) -> None:
    written = samples.write("brain", tmp_path / "new" / "folder")
    names = {path.name for path in written}
    assert {"t1.nii.gz", "seeds.nii.gz", "tissue.nii.gz", "NOTICE.txt"} <= names
    notice = (tmp_path / "new/folder/NOTICE.txt").read_text(encoding="utf-8")
    assert "Copyright (C) 1993-2009 Louis Collins" in notice
    assert "above copyright notice appear in all copies" in " ".join(notice.split())


def test_a_copy_opens_with_its_class_names(tmp_path: Path) -> None:
    samples.write("brain", tmp_path)
    assert nss.read(tmp_path / "tissue.nii.gz").classes[2].name == "grey matter"


def test_unknown_sample_is_refused_by_name() -> None:
    with pytest.raises(ParameterError, match="expected a sample among brain, got 'liver'"):
        samples.load("liver")


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(FormatError, match=r"cannot write to .*taken"):
        samples.write("brain", tmp_path / "taken")
