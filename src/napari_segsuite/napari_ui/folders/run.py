"""Evaluating folders in the background: the work itself, without a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import InputError, ParameterError, SegSuiteError
from ...metrics.folders.evaluation import evaluate_folders
from ...metrics.folders.report import FolderReport
from ...progress import Progress, part_of


@dataclass(frozen=True)
class FolderOrder:
    """What to evaluate.

    Attributes
    ----------
    references : Path
    predictions : mapping of str to Path
        Folders by name.
    pattern : str
    settings : mapping
        Keywords of `evaluate`.
    """

    references: Path
    predictions: Mapping[str, Path]
    pattern: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FolderOutcome:
    """What was found.

    Attributes
    ----------
    reports : mapping of str to FolderReport
        By name of the folder of predictions.
    problems : mapping of str to str
        Why other folders have none.
    """

    reports: Mapping[str, FolderReport]
    problems: Mapping[str, str] = field(default_factory=dict)


def evaluate_order(order: FolderOrder, progress: Progress) -> FolderOutcome:
    """Evaluate each folder of predictions; one that cannot be does not stop the others.

    Parameters
    ----------
    order : FolderOrder
    progress : Progress
        Raises `Cancelled` to stop.

    Raises
    ------
    InputError
        If no folder can be evaluated.
    ParameterError
        If a setting is wrong, which it is for all.
    """
    n, reports, problems = len(order.predictions), {}, {}
    for i, (name, folder) in enumerate(order.predictions.items()):
        part = part_of(progress, i / n, (i + 1) / n)
        try:
            reports[name] = evaluate_folders(
                folder,
                order.references,
                pattern=order.pattern,
                progress=part if n == 1 else _named(part, name),
                **order.settings,
            )
        except ParameterError:
            raise
        except SegSuiteError as error:
            problems[name] = str(error)
    if not reports:
        raise InputError(" ".join(dict.fromkeys(problems.values())))
    for report in reports.values():
        _ = report.summary  # found here once, and not when it is first shown
    return FolderOutcome(reports, problems)


def _named(progress: Progress, name: str) -> Progress:
    return lambda fraction, message="": progress(fraction, f"{name}: {message}")
