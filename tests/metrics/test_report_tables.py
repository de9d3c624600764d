"""Reports as LaTeX and as rows."""

from __future__ import annotations

import csv

import pytest

from napari_segsuite.image import LabelClass
from napari_segsuite.metrics import evaluate


@pytest.fixture
def report():
    classes = (LabelClass(1, "50% & more_{x}"), LabelClass(2, "b"), LabelClass(3, "-c"))
    metrics = ("dice", "volume_difference", "accuracy")
    spacing = (2, 1, 0.5)
    return evaluate([[[0, 1, 2, 0]]], [[[0, 1, 2, 2]]], spacing=spacing, metrics=metrics,
                    classes=classes)  # fmt: skip


def test_latex_escapes_names_and_has_a_column_per_metric(report):
    text = report.to_latex()
    assert r"\begin{tabular}{lrr}" in text
    assert r"1 50\% \& more\_\{x\} & 1 & 0 \\" in text
    assert r"Volume difference (mm\textsuperscript{3})" in text
    assert "Accuracy: 0.75" in text


def test_rows_have_scopes_units_and_reasons(report, tmp_path):
    rows = {(row["metric"], row["class"]): row for row in report.rows()}
    assert float(rows["dice", "micro"]["value"]) == 0.8
    assert float(rows["dice", "weighted"]["value"]) == pytest.approx((1 + 2 * 2 / 3) / 3)
    assert ("volume_difference", "micro") not in rows
    assert rows["volume_difference", "2"]["unit"] == "mm³"
    assert rows["dice", "3"]["reason"] == "absent from both prediction and reference"
    assert rows["dice", "3"]["name"] == "'-c"
    report.to_csv(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == report.rows()
