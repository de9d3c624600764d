"""`compare` and `sweep`: the Python calls from the terminal, and a folder with what they found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite import cli
from napari_segsuite.cluster_sweep import sweep_clusters
from napari_segsuite.comparing import Entry, compare

COMPARE = ["compare", "image.nii.gz", "global_threshold:algorithm=otsu", "watershed"]
SEEDS = ["--seeds", "seeds.nii.gz"]
SWEEP = ["sweep", "kmeans", "image.nii.gz", "--clusters", "2,3"]


def fails(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command that ends with status 1, and give its one line."""
    assert cli.main(list(words)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    return said.err


@pytest.fixture
def truth(folder: Path) -> np.ndarray:
    """Labels of the bright half, as truth.nii.gz."""
    image = nss.read("image.nii.gz")
    labels = (image.data > 100).astype(np.uint8)
    nss.write("truth.nii.gz", nss.Segmentation(labels, image.space))
    return labels


def test_compare_is_the_python_call(truth: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*COMPARE, *SEEDS, "--reference", "truth.nii.gz", "--slice", "2", "-o", "out"]
    assert cli.main(words) == 0
    said = capsys.readouterr()
    entries = [Entry("global_threshold", {"algorithm": "otsu"}), Entry("watershed")]
    expected = compare("image.nii.gz", entries, seeds="seeds.nii.gz", reference="truth.nii.gz")
    for row in expected.rows:
        assert f"| {row.name} " in said.out
    assert said.out.endswith("report.md\n")
    assert said.err == ""
    names = {path.name for path in Path("out").iterdir()}
    assert {"comparison.png", "comparison.csv", "report.md", "watershed.nii.gz"} <= names
    written = nss.read("out/watershed.nii.gz").labels
    np.testing.assert_array_equal(written, expected.results["Watershed"].labels)


def test_json_is_one_document(truth: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*COMPARE, *SEEDS, "--reference", "truth.nii.gz", "--json", "-o", "out"]
    assert cli.main(words) == 0
    document = json.loads(capsys.readouterr().out)
    first, second = document["rows"]
    assert first["scores"]["mean"]["dice"] == 1
    assert first["settings"]["algorithm"] == "otsu"
    assert second["method"] == "watershed"
    assert all(Path(path).is_file() for path in document["files"])


def test_table_can_go_to_a_file_of_its_own(
    truth: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*COMPARE, *SEEDS, "--reference", "truth.nii.gz", "--csv", "scores.csv", "-o", "out"]
    assert cli.main(words) == 0
    lines = Path("scores.csv").read_text(encoding="utf-8").splitlines()
    # Times differ from run to run, and there is only one.
    assert lines == Path("out/comparison.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert "dice" in lines[0].split(",")


def test_one_method_that_fails_is_told_in_the_table(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*COMPARE, "-o", "out"]) == 0
    said = capsys.readouterr().out
    assert "Watershed: Watershed needs seeds" in said
    assert not Path("out/watershed.nii.gz").exists()


def test_lists_are_told_from_further_settings(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    method = "growcut:guide=none,evolution=1,2,connectivity=1"
    words = ["compare", "image.nii.gz", method, *SEEDS, "--json", "-o", "out"]
    assert cli.main(words) == 0
    row = json.loads(capsys.readouterr().out)["rows"][0]
    assert row["settings"]["evolution"] == [1, 2]
    assert row["settings"]["connectivity"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "image.nii.gz", "luck", "-o", "out"], "there is no method 'luck'"),
        ([*COMPARE, "kmeans:k=3", "-o", "out"], "no setting 'k'"),
        ([*COMPARE, "kmeans:3", "-o", "out"], "settings as name=value"),
        ([*COMPARE, "kmeans:n_clusters=0", "-o", "out"], "'n_clusters' must be"),
        ([*COMPARE, "-o", "image.nii.gz"], "cannot write to image.nii.gz"),
        ([*COMPARE, "--slice", "9", "-o", "out"], "expected a slice from 0 to 8, got 9"),
        ([*COMPARE, "--csv", "image.nii.gz", "-o", "out"], "cannot write a table to image.nii.gz"),
        (["compare", "gone.nii.gz", "kmeans", "-o", "out"], "gone.nii.gz: there is no such file"),
        ([*COMPARE, "--reference", "gone.nii", "-o", "out"], "gone.nii: there is no such file"),
        (["sweep", "watershed", *SWEEP[2:], "-o", "out"], "a setting 'n_clusters'"),
    ],
)
def test_a_problem_the_user_can_mend_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert message in fails(capsys, *words)
    assert not list(folder.glob("out/*"))


def test_inputs_are_not_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("seeds.nii.gz").rename("watershed.nii.gz")
    words = [*COMPARE, "--seeds", "watershed.nii.gz", "-o", "."]
    assert "watershed.nii.gz: it is an input" in fails(capsys, *words)


@pytest.mark.parametrize(
    "words",
    [
        ["compare", "image.nii.gz", "-o", "out"],
        COMPARE,
        [*SWEEP[:3], "--clusters", "5-2", "-o", "out"],
        [*SWEEP[:3], "--clusters", "0,2", "-o", "out"],
        [*SWEEP[:3], "--clusters", "many", "-o", "out"],
    ],
)
def test_wrong_usage_ends_with_two(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert cli.main(words) == 2
    assert capsys.readouterr().err.startswith(f"usage: napari-segsuite {words[0]} ")


def test_sweep_is_the_python_call(truth: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*SWEEP, "--reference", "truth.nii.gz", "-o", "out"]) == 0
    expected = sweep_clusters("image.nii.gz", "kmeans", (2, 3), reference="truth.nii.gz")
    assert capsys.readouterr().out.strip() == expected.to_markdown().strip()
    names = {path.name for path in Path("out").iterdir()}
    assert names == {
        "sweep.csv",
        "sweep.md",
        "sweep.png",
        "labels_2.nii.gz",
        "labels_3.nii.gz",
        "labels_2.labels.json",
        "labels_3.labels.json",
    }
    for number, labels in zip((2, 3), expected.labels, strict=True):
        written = nss.read(f"out/labels_{number}.nii.gz")
        np.testing.assert_array_equal(written.labels, labels)
        assert written.space.is_close(expected.space)


def test_sweep_as_json(truth: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", "kmeans", "image.nii.gz", "--clusters", "2-4", "--mask", "truth.nii.gz"]
    assert cli.main([*words, "--json", "-o", "out"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["n_clusters"] for row in document["rows"]] == [2, 3, 4]
    assert document["rows"][0]["dice"] is None
    assert document["suggested"] in (2, 3, 4)
