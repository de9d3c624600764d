"""Reports as rows of a file, as Markdown and as LaTeX."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from .metric import Metric
from .report import Report
from .score import Score
from .tables import COLUMNS, harmless, markdown_table, shown

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "²": r"\textsuperscript{2}", "³": r"\textsuperscript{3}", "–": "--", "µ": r"\textmu{}",
}  # fmt: skip


def rows_of(report: Report) -> Iterator[dict[str, str]]:
    """One row per metric and class, one per average, one per value of the whole image."""
    voxels = dict(zip(report.labels, report.confusion.sum(axis=1).tolist(), strict=True))
    for metric in report.metrics:
        score = report.scores[metric.name]
        for label, value in score.per_class.items():
            name, n = report.names.get(label, ""), voxels.get(label, 0)
            reason = score.reasons.get(label, "")
            yield _row(report, metric, (str(label), name, value, n, reason))
        for scope, value, n, reason in _averages(report, metric, score):
            yield _row(report, metric, (scope, "", value, n, reason))


def object_rows(report: Report) -> Iterator[dict[str, str]]:
    """One row per object, with its size in the unit of volumes, too."""
    voxel = math.prod(report.spacing)
    for row in report.objects:
        cells = {name: str(value) for name, value in vars(row).items() if name != "centroid"}
        yield {
            **cells,
            "volume": repr(row.size * voxel),
            "unit": harmless(report.unit),
            "centroid": " ".join(f"{place:.6g}" for place in row.centroid),
        }


def markdown(report: Report) -> str:
    """Table of classes by metrics with the means below, then the whole-image values."""
    heads, table = _table(report)
    whole = [
        f"- {report.title_of(m)}: {shown(report.mean[m.name])}\n"
        for m in report.metrics
        if not m.per_class
    ]
    parts = [
        markdown_table(heads, table) if table else "",
        "".join(whole),
        "".join(f"{note}\n" for note in definition_notes(report)),
    ]
    return "\n".join(filter(None, parts))


def latex(report: Report) -> str:
    """The table of classes and means as a tabular of booktabs; whole-image values below it."""
    heads, table = _table(report)
    lines = []
    if table:
        lines += [rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}", r"\toprule", _latex(heads)]
        lines += [r"\midrule", *map(_latex, table), r"\bottomrule", r"\end{tabular}"]
    lines += [
        f"{_escaped(report.title_of(m))}: {_escaped(shown(report.mean[m.name]))}\\\\"
        for m in report.metrics
        if not m.per_class
    ]
    lines += [f"% {note}" for note in definition_notes(report)]
    return "\n".join(lines) + "\n"


def definition_notes(report: Report) -> list[str]:
    """What the names of the metrics in a report leave open, one line each."""
    return [
        f"{metric.title}: {said}."
        for metric in report.metrics
        if (said := report.definition_of(metric)) != metric.formula
    ]


def _averages(
    report: Report, metric: Metric, score: Score
) -> Iterator[tuple[str, float, int, str]]:
    reason = score.mean_reason
    if not metric.per_class:
        yield "all", score.mean, int(report.confusion.sum()), reason
        return
    yield "mean", score.mean, score.n_used, reason
    if metric.group == "overlap":
        yield "micro", score.micro, score.n_used + score.n_nan - score.n_empty, reason
        yield "weighted", score.weighted, score.n_used, score.weighted_reason or reason


def _row(report: Report, metric: Metric, cells: tuple[str, str, float, int, str]) -> dict[str, str]:
    scope, name, value, n, reason = cells
    missing = math.isnan(value)
    texts = (
        metric.name,
        report.definition_of(metric),
        scope,
        harmless(name),
        "" if missing else repr(float(value)),
        harmless(report.unit_of(metric)),
        str(n),
        reason if missing else "",
    )
    return dict(zip(COLUMNS, texts, strict=True))


def _table(report: Report) -> tuple[list[str], list[list[str]]]:
    """Heads and cells; empty if no metric is of classes."""
    columns = [metric for metric in report.metrics if metric.per_class]
    if not columns:
        return [], []
    rows = [
        [
            report.class_title(label),
            *(shown(report.per_class[m.name][label]) for m in columns),
        ]
        for label in report.classes
    ]
    rows.append(["mean, foreground", *(shown(report.mean[m.name]) for m in columns)])
    if report.micro:
        averages = {"micro, foreground": report.micro, "weighted, foreground": report.weighted}
        rows += [
            [name, *(shown(found.get(m.name, math.nan)) for m in columns)]
            for name, found in averages.items()
        ]
    return ["Class", *map(report.title_of, columns)], rows


def _latex(cells: Sequence[str]) -> str:
    return " & ".join(map(_escaped, cells)) + r" \\"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(letter, letter) for letter in text.replace("\n", " "))
