"""The demo does the main job from end to end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite import demo, samples
from napari_segsuite.errors import FormatError


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> demo.Outcome:
    return demo.run(tmp_path_factory.mktemp("demo"))


def test_tissue_is_found(outcome: demo.Outcome) -> None:
    scores = {row.name: row.dice for row in outcome.rows}
    assert list(scores) == ["background", "CSF and rest", "grey matter", "white matter"]
    assert scores["background"] > 0.99
    assert min(scores.values()) > 0.7
    assert sum(row.millilitres for row in outcome.rows) == pytest.approx(outcome.n_voxels / 1000)


def test_labels_lie_on_the_image(outcome: demo.Outcome) -> None:
    image = samples.load("brain")["image"]
    labels = nss.read(outcome.files[0], kind="labels")
    assert labels.space.is_close(image.space)
    assert labels.classes[0].name == "background"
    assert labels.provenance.method == demo.METHOD


def test_picture_shows_every_class(outcome: demo.Outcome) -> None:
    from matplotlib.image import imread

    pixels = imread(outcome.files[2])[..., :3]
    assert min(pixels.shape[:2]) > 800
    for entry in samples.load("brain")["seeds"].classes[1:]:
        near = np.abs(pixels - np.asarray(entry.colour[:3])).max(axis=-1) < 0.02
        assert near.sum() > 100, f"the legend's {entry.name}"


def test_table_names_what_was_measured(outcome: demo.Outcome) -> None:
    text = outcome.to_text()
    for word in ("Dice", "volume (ml)", "grey matter", "segmented in", "peak memory", "demo.png"):
        assert word in text
    assert outcome.peak_bytes > 2**24
    assert outcome.files[1].read_text(encoding="utf-8").count("\n") > 4


def test_unwritable_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(FormatError, match="choose another folder"):
        demo.run(tmp_path / "taken")


def test_folder_that_takes_no_files_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def touch(path: Path) -> None:  # permissions do not hold back an administrator
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "touch", touch)
    monkeypatch.setattr(samples, "load", lambda _: pytest.fail("the work has begun"))
    with pytest.raises(FormatError, match="Permission denied; choose another folder"):
        demo.run(tmp_path)
