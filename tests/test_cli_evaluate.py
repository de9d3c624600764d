"""Judging labels from the terminal: the Python calls, files and folders."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_segsuite as nss
from napari_segsuite import cli
from napari_segsuite.metrics import METRICS
from napari_segsuite.space import Space

SPACE = Space.regular(3, (3.0, 0.7, 0.7), "mm")


def box(*, shift: int = 0, label: int = 1) -> np.ndarray:
    labels = np.zeros((12, 20, 20), np.uint8)
    labels[3:9, 4:14, 4 + shift : 14 + shift] = label
    return labels


def write(path: Path | str, labels: np.ndarray, space: Space = SPACE) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    nss.write(path, nss.Segmentation(labels, space))


def fails(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(list(words)) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    return said.err


def document(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert cli.main([*words, "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return json.loads(said.out)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("truth.nii.gz", box())
    write("guess.nii.gz", box(shift=2))


# --- metrics --------------------------------------------------------------------------
def test_every_metric_is_listed_with_its_trap(capsys: pytest.CaptureFixture[str]) -> None:
    listed = document(capsys, "metrics")
    assert [entry["name"] for entry in listed] == list(METRICS)
    assert cli.main(["metrics", "surface"]) == 0
    text = capsys.readouterr().out
    assert METRICS["hd95"].help in text
    assert METRICS["dice"].help not in text
    assert "choose some of these" in fails(capsys, "metrics", "dyce")


# --- evaluate -------------------------------------------------------------------------
def test_definitions_are_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--metrics", "surface", "f_beta", "--surface", "voxel", "--tolerance", "1.5",
             "--hd-pooling", "pooled", "--beta", "0.5", "--boundary-width", "2"]  # fmt: skip
    found = document(capsys, "evaluate", "guess.nii.gz", "truth.nii.gz", *words)
    expected = nss.evaluate(
        "guess.nii.gz", "truth.nii.gz", metrics=("surface", "f_beta"), surface="voxel",
        tolerance=1.5, hd_pooling="pooled", beta=0.5, boundary_width=2.0,
    )  # fmt: skip
    assert found == json.loads(json.dumps(expected.to_dict()))
    assert found["metrics"]["nsd"]["definition"].endswith("tolerance 1.5 mm")
    assert found["metrics"]["hausdorff"]["unit"] == "mm"
    assert found["per_class"]["hausdorff"]["1"] == pytest.approx(1.4, abs=1e-6)


def test_objects_are_matched(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "evaluate", "guess.nii.gz", "truth.nii.gz", "--metrics", "ap50,pq")
    assert found["mean"] == {"ap50": 1.0, "pq": pytest.approx(2 / 3)}


def test_the_fate_of_each_object_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    both = box()
    both[:, 16:, :3] = 9
    write("both.nii.gz", both)
    words = ["evaluate", "both.nii.gz", "truth.nii.gz", "--object-table", "objects.csv"]
    assert cli.main(words) == 0
    with Path("objects.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["role"], row["label"], row["status"]) for row in rows] == [
        ("reference", "1", "matched"), ("prediction", "1", "matched"),
        ("prediction", "9", "spurious"),
    ]  # fmt: skip
    assert rows[0]["centroid"] == "5.5 8.5 8.5"
    assert (float(rows[0]["volume"]), rows[0]["unit"]) == (pytest.approx(600 * 1.47), "mm³")


def test_labels_are_mapped(capsys: pytest.CaptureFixture[str]) -> None:
    write("seven.nii.gz", box(label=7))
    found = document(capsys, "evaluate", "seven.nii.gz", "truth.nii.gz", "--map", "7=1")
    assert found["mean"]["dice"] == 1
    assert cli.main(["evaluate", "seven.nii.gz", "truth.nii.gz", "--map", "7"]) == 2


def test_another_grid_is_refused_unless_the_nearest_voxel_will_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fine = box().repeat(2, axis=1).repeat(2, axis=2)
    write("fine.nii.gz", fine, SPACE.resample((1, 2, 2)))
    words = ["evaluate", "fine.nii.gz", "truth.nii.gz"]
    assert "--nearest" in fails(capsys, *words)
    assert document(capsys, *words, "--nearest")["mean"]["dice"] == 1


def test_latex_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "guess.nii.gz", "truth.nii.gz", "--latex"]) == 0
    assert r"\toprule" in capsys.readouterr().out


# --- folders --------------------------------------------------------------------------
@pytest.fixture
def folders() -> None:
    for case in range(7):
        write(f"truth/case{case}.nii.gz", box())
        write(f"near/case{case}_auto.nii.gz", box(shift=1 + case % 2))
        write(f"far/case{case}_auto.nii.gz", box(shift=3 + case % 3))
    write("near/extra_auto.nii.gz", box())
    Path("near/case3_auto.nii.gz").write_bytes(b"damaged")


FOLDERS = ["--pattern", "{name}_auto"]


def test_folders_survive_a_bad_case(
    folders: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "near", "truth", *FOLDERS]
    found = document(capsys, *words)
    cases = {case["name"]: case for case in found["cases"]}
    assert len(cases) == 7
    assert cases["case3"]["error"]
    assert cases["case0"]["report"]["mean"]["dice"] == pytest.approx(0.9)
    assert found["only_predictions"] == ["extra_auto.nii.gz"]
    assert cli.main([*words, "--csv", "scores.csv", "--plot", "scores.svg"]) == 0
    assert "case" in Path("scores.csv").read_text(encoding="utf-8").splitlines()[0]
    assert Path("scores.svg").read_bytes().startswith(b"<?xml")
    capsys.readouterr()
    assert cli.main(words) == 0
    assert "extra_auto" in capsys.readouterr().out


def test_a_folder_and_a_file_are_no_pair(folders: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert "two folders" in fails(capsys, "evaluate", "near", "truth.nii.gz")
    assert "plot" in fails(capsys, "evaluate", "guess.nii.gz", "truth.nii.gz", "--plot", "a.png")
    assert "latex" in fails(capsys, "evaluate", "near", "truth", "--latex", *FOLDERS)


def test_predictions_are_ranked(folders: None, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["rank", "truth", "near", "other=far", *FOLDERS]
    assert cli.main(words) == 0
    text = capsys.readouterr().out
    assert text.index("near") < text.index("other")
    assert document(capsys, *words, "--metrics", "hausdorff")
    assert cli.main([*words, "--csv", "ranks.csv"]) == 0
    assert Path("ranks.csv").is_file()
    capsys.readouterr()
    assert "one metric" in fails(capsys, *words, "--metrics", "dice,iou")
    assert "NAME=FOLDER" in fails(capsys, "rank", "truth", "near", "near", *FOLDERS)


# --- consensus and probabilities ------------------------------------------------------
def test_raters_are_merged(capsys: pytest.CaptureFixture[str]) -> None:
    write("third.nii.gz", box(shift=1))
    raters = ["guess.nii.gz", "truth.nii.gz", "third.nii.gz"]
    found = document(capsys, "consensus", *raters, "--rule", "majority", "-o", "merged.nii.gz")
    assert found
    merged = nss.read("merged.nii.gz", kind="labels")
    np.testing.assert_array_equal(merged.labels, box(shift=1))
    assert merged.space.is_close(SPACE)
    assert cli.main(["consensus", *raters, "-o", "staple.nii.gz", "--csv", "raters.csv"]) == 0
    assert Path("raters.csv").is_file()
    assert "at least 2" in fails(capsys, "consensus", "truth.nii.gz", "-o", "merged.nii.gz")
    assert "input" in fails(capsys, "consensus", *raters, "-o", "truth.nii.gz")


def test_probabilities_are_judged(capsys: pytest.CaptureFixture[str]) -> None:
    values = (box() * 0.6 + box(shift=2) * 0.3).astype(np.float32)
    nss.write("p.nii.gz", nss.Image(values, SPACE))
    found = document(capsys, "probabilities", "p.nii.gz", "truth.nii.gz", "--plot", "curves.png")
    assert found["average_precision"] == pytest.approx(1)
    assert found["best_threshold"] == pytest.approx(0.6, abs=1e-6)
    assert Path("curves.png").read_bytes().startswith(b"\x89PNG")
    assert cli.main(["probabilities", "p.nii.gz", "truth.nii.gz"]) == 0
    assert "Area under ROC" in capsys.readouterr().out


# --- outputs --------------------------------------------------------------------------
def test_pictures_that_cannot_be_drawn_are_refused_at_once(
    folders: None, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "near", "truth", *FOLDERS, "--csv", "scores.csv"]
    assert ".png" in fails(capsys, *words, "--plot", "scores.jpg")
    assert not Path("scores.csv").exists()
    nss.write("p.nii.gz", nss.Image(box() * np.float32(0.5), SPACE))
    told = fails(capsys, "probabilities", "p.nii.gz", "truth.nii.gz", "--plot", "curves.xyz")
    assert ".png" in told


def test_the_metrics_asked_for_are_drawn(folders: None) -> None:
    words = ["evaluate", "near", "truth", *FOLDERS, "--metrics", "hd95,nsd", "--plot", "a.svg"]
    assert cli.main(words) == 0
    assert Path("a.svg").is_file()


def test_no_picture_replaces_labels(capsys: pytest.CaptureFixture[str]) -> None:
    flat = Space.regular(2)
    for folder in ("guesses", "truths"):
        write(f"{folder}/a.png", box()[5], flat)
        write(f"{folder}/{folder}.png", box()[5], flat)
    before = Path("truths/a.png").read_bytes()
    for target in ("truths/a.png", "guesses/a.png", "truths/truths.png", "guesses/guesses.png"):
        assert "input" in fails(capsys, "evaluate", "guesses", "truths", "--plot", target)
    assert Path("truths/a.png").read_bytes() == before


def test_two_tables_need_two_files(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "guess.nii.gz", "truth.nii.gz", "--csv", "a.csv"]
    assert "two outputs" in fails(capsys, *words, "--object-table", "a.csv")
    assert not Path("a.csv").exists()


def test_cases_missing_from_a_written_table_are_told(
    folders: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", "near", "truth", *FOLDERS, "--csv", "scores.csv"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("warning: could not compare 1 of 7 cases, for instance case3")


def test_folders_in_which_nothing_can_be_compared_are_an_error(
    folders: None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad").mkdir()
    Path("bad/case1.nii.gz").write_bytes(b"damaged")
    assert cli.main(["evaluate", "bad", "truth", "--plot", "a.png"]) == 1
    said = capsys.readouterr()
    assert "0 of 1 pair of files compared" in said.out
    assert said.err.startswith("error: expected files that can be compared, got none in 1 of 1")
    assert not Path("a.png").exists()
