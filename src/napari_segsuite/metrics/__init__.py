"""How well a segmentation agrees with a reference."""

from __future__ import annotations

from .catalogue import METRICS
from .confusion import Confusion, confusion_matrix
from .definitions import Definitions
from .evaluation import evaluate
from .metric import Metric
from .report import Report
from .score import Score

__all__ = [
    "METRICS",
    "Confusion",
    "Definitions",
    "Metric",
    "Report",
    "Score",
    "confusion_matrix",
    "evaluate",
]
