"""Methods that work on labels: what of the labels' class table and type comes through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite import cli
from napari_segsuite.errors import InputError
from napari_segsuite.space import Space

SPACE = Space.regular(3, (3.0, 0.7, 0.5), "mm")
CLASSES = (
    nss.LabelClass(1, "liver", (1.0, 0.0, 0.0, 1.0)),
    nss.LabelClass(2, "spleen"),
    nss.LabelClass(9, "unused"),
)


@pytest.fixture
def organs() -> nss.Segmentation:
    labels = np.zeros((5, 8, 9), dtype=np.uint16)
    labels[1:4, 1:4, 1:4] = 1
    labels[2, 2, 2] = 0
    labels[1:4, 5:7, 5:8] = 2
    labels[0, 0, 8] = 1
    return nss.Segmentation(labels, SPACE, CLASSES, name="organs")


def test_classes_geometry_and_type_come_through(organs: nss.Segmentation) -> None:
    result = nss.run("clean_labels", organs, keep_largest=True)
    assert result.classes == CLASSES[:2]
    assert result.space == SPACE
    assert result.labels.dtype == np.uint16
    assert np.count_nonzero(result.labels) == np.count_nonzero(organs.labels) - 1


def test_a_class_that_is_gone_leaves_the_table(organs: nss.Segmentation) -> None:
    assert nss.run("clean_labels", organs, min_volume=20.0).classes == CLASSES[:1]


def test_the_command_line_takes_label_files_and_keeps_names(
    organs: nss.Segmentation, tmp_path: Path
) -> None:
    source, target = tmp_path / "organs.nii.gz", tmp_path / "clean.nii.gz"
    nss.write(source, organs)
    words = ["run", "clean_labels", str(source), "--keep-largest", "yes", "--fill-holes", "volume"]
    assert cli.main([*words, "-o", str(target)]) == 0
    written = nss.read(target)
    assert isinstance(written, nss.Segmentation)
    assert written.classes == CLASSES[:2]
    assert written.space.is_close(SPACE)
    expected = nss.run("clean_labels", organs, keep_largest=True, fill_holes="volume")
    np.testing.assert_array_equal(written.labels, expected.labels)
    again = nss.replay(written.provenance, source)
    np.testing.assert_array_equal(again.labels, expected.labels)
    assert again.classes == CLASSES[:2]


def test_replay_takes_the_same_labels_in_another_type(organs: nss.Segmentation) -> None:
    result = nss.run("clean_labels", organs.labels, smoothing=1.0, spacing=(3.0, 0.7, 0.5))
    again = nss.replay(result.provenance, organs.labels.astype(np.int64))
    np.testing.assert_array_equal(again.labels, result.labels)
    with pytest.raises(InputError, match="replay needs the same input"):
        nss.replay(result.provenance, organs.labels + 1)


def test_an_image_of_intensities_is_refused_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nss.write(tmp_path / "t1.nii.gz", nss.Image(np.full((3, 4, 5), 0.5, np.float32), SPACE))
    words = ["run", "clean_labels", str(tmp_path / "t1.nii.gz"), "-o", str(tmp_path / "o.nii.gz")]
    assert cli.main(words) == 1
    assert "expected whole numbers as labels, got 0.5" in capsys.readouterr().err
    assert not (tmp_path / "o.nii.gz").exists()
