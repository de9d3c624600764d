"""Methods compared on one image."""

from __future__ import annotations

from .report import Comparison, Row
from .runs import compare, warm_up
from .scene import Entry, Scene, names_of

__all__ = ["Comparison", "Entry", "Row", "Scene", "compare", "names_of", "warm_up"]
