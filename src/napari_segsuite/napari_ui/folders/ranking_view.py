"""Several folders of predictions from the best to the worst, and whether that is chance."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from ...errors import SegSuiteError
from ...metrics import Metric
from ...metrics.folders.ranking import FolderRanking, rank_reports
from ...metrics.statistics.ranking import Standing
from ...metrics.statistics.significance import PairedTest
from ..form_parts import text_label
from ..number_table import NumberCell, NumberTable
from .run import FolderOutcome

_STANDING_HEADS = (
    ("Predictions", "Folder of the predictions."),
    ("Place", "By mean rank; equal mean ranks share the better place."),
    ("Mean rank", "Mean over the cases of the rank within each, 1 being best."),
    ("Wins", "Cases in which no other is better; a tie counts in equal parts."),
    ("Mean", "Mean score of the cases that have one."),
    ("Median", "Median score of the cases that have one."),
    ("n", "Cases with a score."),
    ("No value", "Cases without a score, which get the worst rank."),
)
_TEST_HEADS = (
    ("First", "Folder of the predictions."),
    ("Second", "Folder it is compared with."),
    ("p (Holm)", "p-value corrected for the number of tests, by Holm's procedure."),
    ("p", "Wilcoxon's signed-rank test over the cases, two-sided."),
    ("Median difference", "Score of the first less that of the second, median of the cases."),
    ("W", "Sum of the ranks of the cases in which the first has the higher score."),
    ("Cases", "Cases in which both have a score."),
    ("Left out", "Cases in which one has no score."),
)
_NOTHING = (
    "Add further prediction folders above and run again: they are ranked case by case, and "
    "each two of them are tested against each other."
)


class RankingView(QWidget):
    """Drop-down of the metrics, table of standings, and below it that of paired tests.

    Attributes
    ----------
    title : str
    ranking : FolderRanking or None
        What is shown.
    """

    title = "Ranking"

    def __init__(self) -> None:
        super().__init__()
        self._outcome: FolderOutcome | None = None
        self.ranking: FolderRanking | None = None
        self.choice = QComboBox()
        self.choice.setToolTip("The metric by which folders are ranked, case by case.")
        self.sentence = text_label()
        self.standings = NumberTable(_STANDING_HEADS)
        self.test_title = text_label("Differences between each two: Wilcoxon's signed-rank test.")
        self.tests = NumberTable(_TEST_HEADS)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.choice, self.sentence, self.standings, self.test_title, self.tests):
            layout.addWidget(part)
        layout.addStretch()
        self.choice.currentIndexChanged.connect(lambda _: self._rank())
        self.show_outcome(None)

    def show_outcome(self, outcome: FolderOutcome | None) -> None:
        """Rank the folders of an outcome by the metric chosen, if that was measured."""
        self._outcome = outcome
        chosen = self.choice.currentText()
        before = self.choice.blockSignals(True)
        self.choice.clear()
        for metric in _rankable(outcome):
            self.choice.addItem(metric.title, metric)
        self.choice.setCurrentIndex(max(self.choice.findText(chosen), 0))
        self.choice.blockSignals(before)
        self._rank()

    def _rank(self) -> None:
        metric, outcome = self.choice.currentData(), self._outcome
        self.ranking, problem = None, _NOTHING
        if outcome is not None and metric is not None and len(outcome.reports) > 1:
            try:
                self.ranking, problem = rank_reports(outcome.reports, metric), ""
            except SegSuiteError as error:
                problem = str(error)
        self._fill(problem)

    def _fill(self, problem: str) -> None:
        ranking = self.ranking
        self.choice.setVisible(self._outcome is not None and len(self._outcome.reports) > 1)
        for part in (self.standings, self.test_title, self.tests):
            part.setVisible(ranking is not None)
        self.sentence.setText(problem if ranking is None else _summary(ranking))
        left_out = {} if ranking is None else ranking.left_out
        self.sentence.setToolTip("\n".join(f"{case}: {why}" for case, why in left_out.items()))
        if ranking is not None:
            self.standings.show_rows([_standing(row) for row in ranking.ranking.standings])
            self.tests.show_rows([_test(test) for test in ranking.tests.tests])


def _rankable(outcome: FolderOutcome | None) -> list[Metric]:
    """The metrics of which some values are better than others."""
    reports = () if outcome is None else outcome.reports.values()
    metrics = next((report.metrics for report in reports if report.metrics), ())
    return [metric for metric in metrics if metric.better]


def _summary(ranking: FolderRanking) -> str:
    n, better = len(ranking.cases), ranking.ranking.better
    said = f"{ranking.metric.title} over {n} case{'' if n == 1 else 's'}; {better} is better."
    n_left_out = len(ranking.left_out)
    if n_left_out:
        said += f" {n_left_out} left out, since not all folders have a score: hover to see why."
    return said


def _standing(row: Standing) -> list[NumberCell]:
    numbers = (row.place, row.mean_rank, row.wins, row.mean, row.median, row.n, row.n_nan)
    return [NumberCell(row.name), *map(NumberCell, numbers)]


def _test(test: PairedTest) -> list[NumberCell]:
    how = test.reason or test.method
    return [
        NumberCell(test.first),
        NumberCell(test.second),
        *(NumberCell(value, how) for value in (test.p_holm, test.p)),
        NumberCell(test.median_difference),
        NumberCell(test.statistic, how),
        NumberCell(test.n),
        NumberCell(test.n_left_out),
    ]
