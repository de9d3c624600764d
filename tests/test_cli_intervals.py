"""Intervals from the terminal: the Python call, in three forms."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite import cli
from napari_segsuite.space import Space

WORDS = ["intervals", "guess.nii.gz", "truth.nii.gz"]


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, (8, 9, 10)).astype(np.uint8)
    guess = np.where(rng.random(truth.shape) < 0.2, 0, truth)
    for name, labels in (("truth", truth), ("guess", guess)):
        nss.write(f"{name}.nii.gz", nss.Segmentation(labels, Space.regular(3, (3, 1, 1), "mm")))


@pytest.mark.parametrize("over", ["slices", "objects"])
def test_intervals_are_those_of_python(over: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*WORDS, "--over", over, "--confidence", "0.9", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = nss.score_intervals(*WORDS[1:], over=over, confidence=0.9)
    assert found == json.loads(json.dumps(expected.to_dict()))


def test_both_ends_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*WORDS, "--metrics", "dice", "--axis", "2", "--ignore", "2"]
    assert cli.main([*words, "--csv", "ends.csv"]) == 0
    with Path("ends.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["metric"], row["class"]) for row in rows] == [
        ("dice_low", "1"),
        ("dice_high", "1"),
    ]
    assert cli.main(words) == 0
    assert "95 % over slices" in capsys.readouterr().out


def test_what_cannot_be_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*WORDS, "--confidence", "95"]) == 1
    assert "between 0 and 1" in capsys.readouterr().err
    assert cli.main([*WORDS, "--metrics", "kappa"]) == 1
    assert "choose some of these" in capsys.readouterr().err
