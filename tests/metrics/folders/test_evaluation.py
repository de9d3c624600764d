"""Whole folders: cases, summaries, tables, pictures and rankings."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from napari_segsuite.errors import Cancelled, FormatError, InputError, ParameterError
from napari_segsuite.image import LabelClass, Segmentation
from napari_segsuite.io import read, write
from napari_segsuite.metrics import evaluate
from napari_segsuite.metrics.folders.evaluation import evaluate_folders, rank_folders
from napari_segsuite.metrics.statistics.bootstrap import bootstrap_interval
from napari_segsuite.space import Space

NAMES = (LabelClass(1, "grey"), LabelClass(2, "white"))
SPACE = Space.regular(3, (2, 1, 1), "mm")


def save(path: Path, labels: np.ndarray, space: Space = SPACE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, Segmentation(labels.astype(np.uint8), space, NAMES))


def volume(*counts: int) -> np.ndarray:
    """Two equal planes of a row of voxels each, so many of each label, 0 first."""
    row = np.repeat(np.arange(len(counts)), counts)
    return np.stack([row[np.newaxis]] * 2)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Dice of class 1 is 1, 0.8 and 2/3; class 2 is in the last case alone."""
    for name, reference, prediction in (
        ("case1", [5, 5, 0], [5, 5, 0]),
        ("case2", [4, 6, 0], [6, 4, 0]),
        ("case10", [4, 4, 2], [6, 2, 2]),
    ):
        save(tmp_path / "ref" / f"{name}.nii.gz", volume(*reference))
        save(tmp_path / "pred" / f"{name}.nii", volume(*prediction))
    return tmp_path / "pred", tmp_path / "ref"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- cases --------------------------------------------------------------------------------
def test_each_case_is_what_evaluate_says(folders):
    predictions, references = folders
    report = evaluate_folders(*folders, metrics=("dice", "volume", "accuracy"), ignore=2)
    assert [case.name for case in report.cases] == ["case1", "case2", "case10"]
    for case in report.cases:
        alone = evaluate(
            predictions / f"{case.name}.nii",
            references / f"{case.name}.nii.gz",
            metrics=("dice", "volume", "accuracy"),
            ignore=2,
        )
        assert case.report.to_dict() == alone.to_dict()
    assert (report.failures, report.only_predictions, report.only_references) == ({}, (), ())


def test_a_bad_case_does_not_stop_the_others(folders):
    predictions, references = folders
    (predictions / "case2.nii").write_bytes(b"no image")
    save(predictions / "case1.nii", volume(5, 5, 5))
    save(predictions / "extra.nii", volume(1))
    save(references / "missing.nii", volume(1))
    report = evaluate_folders(*folders)
    assert list(report.reports) == ["case10"]
    assert "case2.nii" in report.failures["case2"]
    assert "one grid" in report.failures["case1"]
    assert list(map(str, report.only_predictions)) == ["extra.nii"]
    assert list(map(str, report.only_references)) == ["missing.nii"]
    said = report.to_markdown()
    for words in ("1 of 3 pairs", "- case2: ", "- extra.nii", "- missing.nii"):
        assert words in said


def test_what_nobody_foresaw_does_not_stop_the_others(folders, monkeypatch):
    from napari_segsuite.metrics.folders import evaluation as module

    def broken(prediction, *args, **settings):
        if prediction.name == "case2.nii":
            raise ZeroDivisionError("by nought")
        return evaluate(prediction, *args, **settings)

    monkeypatch.setattr(module, "evaluate", broken)
    report = evaluate_folders(*folders)
    assert report.failures == {"case2": "ZeroDivisionError: by nought"}


def test_a_spacing_may_fit_some_cases(folders):
    for folder in folders:
        save(folder / "flat.nii", volume(2, 2)[0], Space.regular(2, (1, 1), "mm"))
    report = evaluate_folders(*folders, spacing=(1, 1), metrics="volume")
    assert list(report.reports) == ["flat"]
    assert "3 positive spacings" in report.failures["case1"]


@pytest.mark.parametrize(
    "setting", [{"metrics": "dyce"}, {"ignore": "x"}, {"tolerance": -1}, {"other_grid": "?"}]
)
def test_wrong_settings_are_not_the_fault_of_cases(folders, setting):
    with pytest.raises(ParameterError) as caught:
        evaluate_folders(*folders, **setting)
    assert caught.value.name == next(iter(setting))


def test_settings_that_do_not_exist(folders):
    with pytest.raises(TypeError, match="metric"):
        evaluate_folders(*folders, metric="dice")


def test_progress_names_the_cases_and_rises(folders):
    seen = []
    evaluate_folders(
        *folders, progress=lambda fraction, message="": seen.append((fraction, message))
    )
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert (fractions[0], seen[-1]) == (0, (1, "3 cases"))
    for name in ("case1", "case2", "case10"):
        assert any(message.partition(":")[0] == name for _, message in seen)


def test_evaluation_can_be_cancelled(folders):
    def cancel(fraction, message=""):
        if message.startswith("case2"):
            raise Cancelled

    with pytest.raises(Cancelled):
        evaluate_folders(*folders, progress=cancel)


def test_files_stay_as_they_were(folders):
    files = [path for folder in folders for path in sorted(folder.rglob("*"))]
    before = [path.read_bytes() for path in files]
    evaluate_folders(*folders)
    assert [path for folder in folders for path in sorted(folder.rglob("*"))] == files
    assert [path.read_bytes() for path in files] == before


# --- summary ------------------------------------------------------------------------------
def summary_of(report):
    return {(row.metric.name, row.scope): row for row in report.summary}


def test_the_summary_by_hand(folders):
    rows = summary_of(evaluate_folders(*folders, metrics=("dice", "accuracy", "volume")))
    row = rows["dice", "1"]
    values = [1, 0.8, 2 / 3]
    assert (row.n, row.n_nan, row.name, row.unit) == (3, 0, "grey", "")
    assert row.mean == pytest.approx(np.mean(values))
    assert row.sd == pytest.approx(np.std(values, ddof=1))
    assert (row.median, row.q1, row.q3) == pytest.approx((0.8, (0.8 + 2 / 3) / 2, 0.9))
    assert (row.min, row.max) == pytest.approx((2 / 3, 1))
    assert (row.min_case, row.max_case) == ("case10", "case1")
    interval = bootstrap_interval(values)
    assert (row.low, row.high) == pytest.approx((interval.low, interval.high))
    assert rows["accuracy", "all"].mean == pytest.approx((1 + 0.8 + 0.8) / 3)
    assert rows["volume", "1"].unit == "mm³"
    assert rows["volume", "1"].mean == pytest.approx(2 * 2 * (5 + 4 + 2) / 3)


def test_a_class_absent_from_a_case_has_no_value_there(folders):
    rows = summary_of(evaluate_folders(*folders, metrics="dice"))
    row = rows["dice", "2"]
    assert (row.n, row.n_nan, row.mean, row.min_case) == (1, 2, 1, "case10")
    assert math.isnan(row.sd)
    assert math.isnan(row.low)
    assert "two at least" in row.reason
    assert rows["dice", "mean"].mean == pytest.approx((1 + 0.8 + (2 / 3 + 1) / 2) / 3)


def test_a_class_without_any_value(folders):
    row = summary_of(evaluate_folders(*folders, metrics="dice", classes=(1, 7)))["dice", "7"]
    assert (row.n, row.n_nan, row.reason) == (0, 3, "no case has a value")
    assert math.isnan(row.mean)


def test_volumes_in_several_units_are_not_averaged(folders, tmp_path):
    for folder in folders:
        save(folder / "small.nii", volume(5, 5), Space.regular(3, (1, 1, 1), "um"))
    report = evaluate_folders(*folders, metrics=("volume", "dice"))
    rows = summary_of(report)
    assert math.isnan(rows["volume", "1"].mean)
    assert "mm³ and um³" in rows["volume", "1"].reason
    assert rows["dice", "1"].n == 4
    report.plot(tmp_path / "mixed.svg", ("volume",))


# --- tables, files, pictures --------------------------------------------------------------
def test_the_csv_has_the_rows_of_each_case(folders, tmp_path):
    predictions, _ = folders
    (predictions / "case2.nii").write_bytes(b"no image")
    report = evaluate_folders(*folders, metrics=("dice", "accuracy"))
    report.to_csv(tmp_path / "scores.csv")
    rows = rows_of(tmp_path / "scores.csv")
    assert next(iter(rows[0])) == "case"
    for name, alone in report.reports.items():
        mine = [
            {key: text for key, text in row.items() if key != "case"}
            for row in rows
            if row["case"] == name
        ]
        assert mine == alone.rows()
    (failed,) = [row for row in rows if row["case"] == "case2"]
    assert (failed["value"], failed["metric"]) == ("", "")
    assert "case2.nii" in failed["reason"]
    with pytest.raises(FormatError):
        report.to_csv(tmp_path / "none" / "scores.csv")


def test_names_that_spreadsheets_would_compute(folders, tmp_path):
    for folder in folders:
        save(folder / "=1+1.nii", volume(1, 1))
    evaluate_folders(*folders).to_csv(tmp_path / "scores.csv")
    assert "'=1+1" in {row["case"] for row in rows_of(tmp_path / "scores.csv")}


def test_plain_data_is_json_without_nan(folders):
    report = evaluate_folders(*folders, metrics="all", classes=(1, 7))
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert [case["name"] for case in data["cases"]] == ["case1", "case2", "case10"]
    assert data["cases"][0]["report"]["mean"]["dice"] == 1
    lacking = next(r for r in data["summary"] if (r["metric"], r["scope"]) == ("dice", "7"))
    assert (lacking["mean"], lacking["reason"]) == (None, "no case has a value")


def test_the_tables_name_classes_and_cases(folders):
    said = evaluate_folders(*folders, metrics=("dice", "f_beta")).to_markdown()
    lines = said.splitlines()
    assert any(line.startswith("| Dice | 1 grey | 3 | 0 | 0.8222 | ") for line in lines)
    assert any(line.startswith("| Dice | mean, foreground | 3 |") for line in lines)
    assert any(line.startswith("| case10 | 0.8333 | ") for line in lines)
    assert "beta 2" in said  # what the name leaves open


def test_nothing_could_be_compared(folders, tmp_path):
    predictions, _ = folders
    for path in predictions.glob("*.nii"):
        path.write_bytes(b"no image")
    report = evaluate_folders(*folders)
    assert (report.summary, report.metrics) == ((), ())
    assert "0 of 3 pairs" in report.to_markdown()
    report.to_csv(tmp_path / "scores.csv")
    assert [row["case"] for row in rows_of(tmp_path / "scores.csv")] == ["case1", "case2", "case10"]
    with pytest.raises(ParameterError, match="no case has a report"):
        report.plot(tmp_path / "scores.png")


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("a.pdf", b"%PDF")]
)
def test_pictures(folders, tmp_path, name, start):
    report = evaluate_folders(*folders, metrics=("dice", "volume", "accuracy"))
    for path in (tmp_path / name, tmp_path / f"again_{name}"):
        report.plot(path, ("dice", "volume", "accuracy"))
        assert path.read_bytes().startswith(start)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"again_{name}").read_bytes()


def test_the_picture_has_a_point_for_each_case(folders, tmp_path):
    report = evaluate_folders(*folders, metrics="dice")
    report.plot(tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    points = [part.count("<use ") for part in drawn.split('id="PathCollection_')[1:]]
    # Class 1 in three cases, class 2 in one, the mean in three; the last part has the ticks too.
    assert points[:2] == [3, 1]
    assert len(points) == 3
    for words in ("grey", "white", "mean", "(n = 3)", "(n = 1)", "Dice"):
        assert f"<!-- {words} -->" in drawn


def test_without_dice_the_first_metric_is_drawn(folders, tmp_path):
    evaluate_folders(*folders, metrics=("ap50", "pq")).plot(tmp_path / "a.svg")
    assert "<!-- AP at IoU 0.5" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_pictures_that_cannot_be_drawn(folders, tmp_path):
    report = evaluate_folders(*folders, metrics="dice")
    with pytest.raises(FormatError, match=r"\.png, \.svg"):
        report.plot(tmp_path / "a.bmp")
    with pytest.raises(FormatError, match="does not exist"):
        report.plot(tmp_path / "none" / "a.png")
    for metrics in (("iou",), ()):
        with pytest.raises(ParameterError) as caught:
            report.plot(tmp_path / "a.png", metrics)
        assert caught.value.name == "metrics"
    assert not list(tmp_path.glob("*a.*"))


def test_real_labels(test_data, tmp_path):
    """Tissue maps against themselves, as they are and moved by a voxel."""
    atlas = read(test_data / "brain_mni152" / "tissue_2mm.nii.gz", kind="labels")
    for shift in (0, 1):
        for folder, by in (("ref", 0), ("pred", shift)):
            moved = Segmentation(np.roll(atlas.labels, by, axis=0), atlas.space)
            (tmp_path / folder).mkdir(exist_ok=True)
            write(tmp_path / folder / f"by{shift}.nii.gz", moved)
    report = evaluate_folders(tmp_path / "pred", tmp_path / "ref", metrics="dice")
    means = [case.report.mean["dice"] for case in report.cases]
    assert means[0] == 1
    assert 0 < means[1] < 1


# --- rankings -----------------------------------------------------------------------------
@pytest.fixture
def methods(tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    """Eight cases in which "good" misses one voxel of ten, "poor" from two to five."""
    for i in range(8):
        save(tmp_path / "ref" / f"case{i}.nii", volume(10, 10))
        save(tmp_path / "good" / f"case{i}.nii", volume(11, 9))
        save(tmp_path / "poor" / f"case{i}.nii", volume(12 + i % 4, 8 - i % 4))
    return tmp_path / "ref", {name: tmp_path / name for name in ("poor", "good")}


def test_the_better_method_is_first_in_every_case(methods, tmp_path):
    found = rank_folders(*methods)
    good, poor = found.ranking.standings
    assert (good.name, good.mean_rank, good.wins, good.mean) == (
        "good",
        1,
        8,
        pytest.approx(18 / 19),
    )
    assert (poor.name, poor.mean_rank, poor.wins) == ("poor", 2, 0)
    (test,) = found.tests.tests
    assert (test.n, test.p, test.method) == (8, 2 / 2**8, "exact")
    assert found.cases == tuple(f"case{i}" for i in range(8))
    found.to_csv(tmp_path / "ranks.csv")
    rows = rows_of(tmp_path / "ranks.csv")
    assert len(rows) == 16
    assert float(rows[1]["value"]) == pytest.approx(18 / 19)
    assert (rows[1]["case"], rows[1]["prediction"], rows[1]["metric"]) == ("case0", "good", "dice")
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["ranking"]["standings"][0]["name"] == "good"
    said = found.to_markdown()
    assert said.index("| good |") < said.index("| poor |")
    assert "| poor – good | 8 |" in said


def test_lower_and_zero_can_be_better(methods):
    references, predictions = methods
    save(predictions["poor"] / "case0.nii", volume(2, 18))  # eight too many, not too few
    found = rank_folders(references, predictions, metric="volume_difference")
    assert found.ranking.better == "lower"
    good, poor = found.ranking.standings
    assert (good.name, good.mean) == ("good", 4)  # two voxels of 2 mm³ each, without their sign
    assert poor.wins == 0
    assert float(next(found.rows())["value"]) == 32


def test_cases_that_not_all_have_do_not_count(methods):
    references, predictions = methods
    (predictions["good"] / "case0.nii").unlink()
    (predictions["poor"] / "case1.nii").write_bytes(b"no image")
    found = rank_folders(references, predictions)
    assert found.cases == tuple(f"case{i}" for i in range(2, 8))
    assert found.left_out["case0"] == "good: no prediction"
    assert found.left_out["case1"].startswith("poor: case1.nii")
    assert "- case0: good: no prediction" in found.to_markdown()


def test_predicting_nothing_has_the_worst_rank_for_distances(methods):
    references, predictions = methods
    save(predictions["good"] / "case0.nii", volume(20))
    found = rank_folders(references, predictions, metric="hausdorff")
    standings = {row.name: row for row in found.ranking.standings}
    assert (standings["good"].n_nan, standings["poor"].n_nan) == (1, 0)
    assert standings["good"].mean_rank == pytest.approx((7 * 1 + 2) / 8)
    row = next(row for row in found.rows() if row["prediction"] == "good")
    assert (row["value"], row["unit"]) == ("", "mm")
    assert row["reason"]


def test_missing_one_of_two_classes_is_not_rewarded(methods):
    references, predictions = methods
    save(references / "case0.nii", volume(8, 6, 6))
    save(predictions["poor"] / "case0.nii", volume(6, 8, 6))
    save(predictions["good"] / "case0.nii", volume(14, 6))  # class 1 elsewhere, class 2 nowhere
    found = rank_folders(references, predictions, metric="hausdorff")
    assert {row.name: row.n_nan for row in found.ranking.standings} == {"good": 1, "poor": 0}
    row = next(row for row in found.rows() if row["prediction"] == "good")
    assert "absent" in row["reason"]


@pytest.mark.parametrize("metric", ["dice", "kappa"])
def test_rightly_predicting_nothing_is_not_punished(methods, metric):
    references, predictions = methods
    save(references / "case0.nii", volume(20))
    save(predictions["good"] / "case0.nii", volume(20))
    found = rank_folders(references, predictions, metric=metric)
    assert "case0" not in found.cases
    assert found.left_out["case0"].startswith("good: neither")
    assert found.ranking.standings[0].mean_rank == 1


def test_cases_in_several_units_are_not_ranked(methods):
    references, predictions = methods
    for folder in (references, *predictions.values()):
        save(folder / "case0.nii", volume(5, 5), Space.regular(3, (1, 1, 1), "um"))
    with pytest.raises(InputError, match="mm³ and um³"):
        rank_folders(references, predictions, metric="volume_difference")
    assert len(rank_folders(references, predictions).cases) == 8


def test_progress_of_rankings_names_the_method_and_rises(methods):
    seen = []
    rank_folders(*methods, progress=lambda fraction, message="": seen.append((fraction, message)))
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert seen[0][1] == "poor: case0"


@pytest.mark.parametrize("metric", ["dyce", "volume", "overlap"])
def test_metrics_that_nothing_can_be_ranked_by(methods, metric):
    with pytest.raises(ParameterError) as caught:
        rank_folders(*methods, metric=metric)
    assert caught.value.name == "metric"


def test_what_cannot_be_ranked(methods):
    references, predictions = methods
    with pytest.raises(InputError, match="two methods"):
        rank_folders(references, {"good": predictions["good"]})
    for path in predictions["good"].iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(InputError, match="case0: good: "):
        rank_folders(references, predictions)
