"""The desk's half: designs, estimates with their uncertainty, index scores. Pure but for ``dataset`` and ``report``."""

from __future__ import annotations

from analysis.change import compare
from analysis.design import Design, load_design
from analysis.estimation import Estimate, mean, ratio, total
from analysis.index import load_index
from analysis.ranking import rank
from analysis.scores import Scores, score

__all__ = [
    "Design",
    "Estimate",
    "Scores",
    "compare",
    "load_design",
    "load_index",
    "mean",
    "rank",
    "ratio",
    "score",
    "total",
]
