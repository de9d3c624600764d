"""Every number carries its definition, and choices that are none are refused."""

from __future__ import annotations

import pytest

from napari_segsuite.errors import ParameterError
from napari_segsuite.metrics import METRICS, Definitions, evaluate


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_says_what_it_is(metric):
    assert metric.formula
    assert metric.title[0].isupper() or metric.title[0].isdigit()
    assert 1 <= metric.help.count(". ") + 1 <= 3
    assert metric.help.endswith(".")
    assert metric.better in ("higher", "lower", "zero", "")
    if metric.unit:
        assert metric.limits is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("surface", "mesh"), ("hd_pooling", "mean"), ("objects", "blobs"), ("tolerance", 0),
        ("tolerance", -1), ("tolerance", float("nan")), ("beta", float("inf")), ("beta", "2"),
        ("boundary_width", True), ("other_grid", "linear"),
    ],
)  # fmt: skip
def test_choices_that_are_none_are_refused_by_name(setting, value):
    with pytest.raises(ParameterError, match=setting):
        evaluate([0, 1], [0, 1], **{setting: value})


def test_choices_are_printed_with_the_number(tmp_path):
    report = evaluate([0, 1, 1], [0, 1, 0], metrics=("f_beta", "dice"), beta=0.5)
    rows = {row["metric"]: row["definition"] for row in report.rows()}
    assert rows["f_beta"].endswith("; beta 0.5")
    assert rows["dice"] == METRICS["dice"].formula
    assert "F-beta: " in report.to_markdown()
    assert "% F-beta: " in report.to_latex()


def test_a_formula_is_complete_without_choices():
    assert Definitions().of(METRICS["dice"], "mm") == METRICS["dice"].formula
