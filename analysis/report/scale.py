"""Scores told on 0 to 100 instead of each node's own scale: a declared, linear conversion, the same for every place.

Offices below the province are used to points out of a hundred. Nothing is gained or lost by it: ranks, groups and tests
stay as they are, and the document says what was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.report.cells import Cells
from analysis.report.making import Report
from analysis.report.meta import Fact
from analysis.report.tree import Tree
from analysis.score_file import ScoreTable, score_table
from survey.text import Text

SAID = Fact(
    Text("Quy đổi thang", "Conversion"),
    Text(
        "mọi điểm được quy về thang 0–100: 100 × (điểm − thấp nhất) / (cao nhất − thấp nhất) của thang từng chỉ số",
        "every score is told on 0–100: 100 × (score − lowest) / (highest − lowest) of its node's own scale",
    ),
)


def on_hundred(report: Report) -> Report:
    """``report`` with every node whose scale is known on 0 to 100; the others stay on their own."""
    lines = _lines(report.tree)
    cells = []
    for cell in report.cells.all:
        slope, low = lines.get(cell.code, (1.0, 0.0))
        cells.append(replace(
            cell,
            estimate=slope * (cell.estimate - low),
            low=slope * (cell.low - low),
            high=slope * (cell.high - low),
            se=slope * cell.se,
        ))  # fmt: skip
    nodes = {
        code: replace(node, scale=(0.0, 100.0)) if code in lines else node for code, node in report.tree.nodes.items()
    }
    meta = replace(report.meta, method=(*report.meta.method, SAID), notes=(*report.meta.notes, _sentence()))
    return replace(
        report,
        cells=Cells(tuple(cells)),
        tree=Tree(nodes, nodes[report.tree.top.code]),
        meta=meta,
        sources=tuple(table_on_hundred(source, report.tree) for source in report.sources),
    )


def table_on_hundred(source: Any, tree: Tree) -> ScoreTable:
    """Scores with their errors and influence sums on 0 to 100, as :func:`on_hundred` does the figures."""
    table, lines = score_table(source), _lines(tree)
    codes = table.frame["code"]
    slope = codes.map(lambda code: lines.get(code, (1.0, 0.0))[0]).to_numpy(dtype=float)
    low = codes.map(lambda code: lines.get(code, (1.0, 0.0))[1]).to_numpy(dtype=float)
    held = {name: table.frame[name].to_numpy(dtype=float) for name in ("estimate", "low", "high", "se")}
    moved = {name: slope * (values - (0 if name == "se" else low)) for name, values in held.items()}
    frame = table.frame.assign(**moved)
    sums = table.sums
    if sums is not None:
        factor = np.array([lines.get(str(code), (1.0, 0.0))[0] for code in sums.frame["code"]])
        sums = replace(sums, frame=sums.frame.assign(influence=sums.frame["influence"].to_numpy(dtype=float) * factor))
    return replace(table, frame=frame, sums=sums, scores=None)


def _lines(tree: Tree) -> Mapping[str, tuple[float, float]]:
    """By code: the slope and the lowest value of its scale."""
    return {
        code: (100.0 / node.width, node.scale[0])
        for code, node in tree.nodes.items()
        if node.scale is not None and node.width > 0
    }


def _sentence() -> Text:
    return Text(f"{SAID.value.vi[:1].upper()}{SAID.value.vi[1:]}.", f"{SAID.value.en[:1].upper()}{SAID.value.en[1:]}.")
