"""How well a segmentation agrees with a reference."""

from __future__ import annotations

from .confusion import Confusion, confusion_matrix
from .evaluation import evaluate
from .overlap import METRICS, Metric
from .report import Report

__all__ = ["METRICS", "Confusion", "Metric", "Report", "confusion_matrix", "evaluate"]
