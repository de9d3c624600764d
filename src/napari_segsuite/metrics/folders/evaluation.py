"""Evaluate and rank folders of predictions against a folder of references."""

from __future__ import annotations

import os
from collections.abc import Mapping
from inspect import signature
from typing import Any

from ...errors import Cancelled, InputError, ParameterError, SegSuiteError
from ...progress import SILENT, Progress, part_of
from ..catalogue import METRICS
from ..evaluation import evaluate
from ..metric import Metric
from .pairs import FilePair, pair_files
from .ranking import FolderRanking, rank_reports
from .report import Case, FolderReport


def evaluate_folders(
    predictions: str | os.PathLike[str],
    references: str | os.PathLike[str],
    *,
    pattern: str = "{name}",
    progress: Progress = SILENT,
    **settings: Any,
) -> FolderReport:
    """Measure how well the predictions of a folder agree with their references.

    Parameters
    ----------
    predictions, references : path
        Folders of label files, paired by name as `pair_files` says.
    pattern : str
        How the name of a prediction is made of the reference's ``{name}``.
    progress : Progress
        Told the case; raises `Cancelled` to stop.
    **settings
        As for `evaluate`: spacing, ignore, metrics, classes, ….

    Returns
    -------
    FolderReport
        One that cannot be read or compared does not stop the others: its case says why.

    Raises
    ------
    InputError
        If a folder is missing, or nothing in it can be paired.
    ParameterError
        If a setting is not as `evaluate` wants it.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from pathlib import Path
    >>> from napari_segsuite import Image, write
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, row in {"a": [0, 1, 1], "a_pred": [0, 1, 1]}.items():
    ...     write(folder / f"{name}.nii", Image.from_array(np.array([row], np.uint8)))
    >>> report = evaluate_folders(folder, folder, pattern="{name}_pred", metrics="dice")
    >>> [(case.name, case.report.mean["dice"]) for case in report.cases]
    [('a', 1.0)]
    """
    # A setting that does not exist is a mistake in the call, not of a case.
    signature(evaluate).bind(None, None, **settings)
    pairing = pair_files(predictions, references, pattern=pattern)
    n, cases = len(pairing.pairs), []
    for i, pair in enumerate(pairing.pairs):
        cases.append(_evaluate(pair, _of_case(progress, pair.name, i, n), settings))
    progress(1.0, f"{n} cases")
    return FolderReport(tuple(cases), pairing.only_predictions, pairing.only_references)


def rank_folders(
    references: str | os.PathLike[str],
    predictions: Mapping[str, str | os.PathLike[str]],
    *,
    metric: str = "dice",
    pattern: str = "{name}",
    progress: Progress = SILENT,
    **settings: Any,
) -> FolderRanking:
    """Rank several methods by their predictions for the same references.

    Only cases that all methods have a prediction for count, so that none gains by leaving
    out hard ones; and of these, only cases in which there is something to score for each:
    one that rightly predicts nothing where the reference is empty has no score there. The
    score of a case is the metric's mean over its foreground classes, or its value of the
    image. Where a class has no value although prediction or reference contain it, a
    distance from a class that was not predicted say, the case has no score for that method,
    and the worst rank: a mean over the other classes would reward it. Of metrics that are
    best at 0, the size counts.

    Parameters
    ----------
    references : path
        Folder of label files.
    predictions : mapping of str to path
        Folders of two or more methods, by name.
    metric : str
    pattern : str
        How the name of a prediction is made of the reference's ``{name}``.
    progress : Progress
        Told the method and the case; raises `Cancelled` to stop.
    **settings
        As for `evaluate`: spacing, ignore, classes, ….

    Returns
    -------
    FolderRanking

    Raises
    ------
    InputError
        If there are fewer than two methods, a folder is missing, or no case is common to
        all.
    ParameterError
        If the metric is not known or has no better or worse, or a setting is not as
        `evaluate` wants it.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from pathlib import Path
    >>> from napari_segsuite import Image, write
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name, row in {"truth": [0, 1, 1], "good": [0, 1, 1], "bad": [1, 1, 0]}.items():
    ...     (folder / name).mkdir()
    ...     write(folder / name / "case.nii", Image.from_array(np.array([row], np.uint8)))
    >>> methods = {name: folder / name for name in ("bad", "good")}
    >>> found = rank_folders(folder / "truth", methods)
    >>> [(standing.name, standing.mean) for standing in found.ranking.standings]
    [('good', 1.0), ('bad', 0.5)]
    """
    chosen = _chosen(metric)
    if len(predictions) < 2:
        raise InputError(
            f"expected folders of two methods at least, got {len(predictions)}; give one more"
        )
    reports = {}
    for i, (name, folder) in enumerate(predictions.items()):
        part = part_of(progress, i / len(predictions), (i + 1) / len(predictions))
        reports[name] = evaluate_folders(
            folder,
            references,
            pattern=pattern,
            metrics=metric,
            progress=_of_method(part, name),
            **settings,
        )
    return rank_reports(reports, chosen)


def _chosen(metric: str) -> Metric:
    rankable = {name: m for name, m in METRICS.items() if m.better}
    if metric not in rankable:
        raise ParameterError(
            f"expected a metric to rank by among {', '.join(rankable)}; got {metric!r}; "
            "choose one of these",
            name="metric",
        )
    return rankable[metric]


def _evaluate(pair: FilePair, progress: Progress, settings: dict[str, Any]) -> Case:
    progress(0.0)
    try:
        report = evaluate(pair.prediction, pair.reference, progress=progress, **settings)
    except ParameterError as error:
        # A spacing may fit the axes of other files; any other setting is wrong for all.
        if error.name != "spacing":
            raise
        return Case(pair, error=str(error))
    except SegSuiteError as error:
        return Case(pair, error=str(error))
    except Cancelled:
        raise
    except Exception as error:  # noqa: BLE001 - the other cases shall have their turn
        return Case(pair, error=f"{type(error).__name__}: {error}")
    return Case(pair, report)


def _of_case(progress: Progress, name: str, i: int, n: int) -> Progress:
    """Reports of one of n cases, with its name before what they say."""

    def report(fraction: float, message: str = "") -> None:
        progress((i + fraction) / n, f"{name}: {message}" if message else name)

    return report


def _of_method(progress: Progress, name: str) -> Progress:
    """Reports with the name of the method before what they say."""
    return lambda fraction, message="": progress(fraction, f"{name}: {message}")
