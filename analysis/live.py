"""The index while interviews still come in: what is known so far, and how many more would tell it well enough.

Provisional in every row: interviews that nobody has approved are among them, weights are those of the draw alone, and
who was easy to find comes first. Good for steering fieldwork, never for publication.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.dataset import Dataset
from analysis.scores import WHOLE, score
from survey.errors import InputError
from survey.text import Text

PROVISIONAL = Text(
    "Tạm tính: chưa duyệt hết, chưa hiệu chỉnh quyền số, người dễ gặp được hỏi trước. Không công bố.",
    "Provisional: not all approved, weights not adjusted, those easy to meet come first. Not for publication.",
)

USUAL_MARGIN = 0.03
"""Half of the interval that is wanted where nobody says: three hundredths of the scale of the index."""


@dataclass(frozen=True)
class Area:
    """One area, or all together (``domain`` is ``all``).

    ``effective``: the simple random sample that would tell as much, n / deff. ``margin``: half of the interval.
    ``needed``: how many interviews would have the wanted margin, drawn as until now, and no fewer than there are where
    the margin is reached. None where one interview or one primary unit says nothing.
    """

    domain: str
    name: str
    n: int
    n_psu: int
    effective: float | None
    estimate: float | None
    low: float | None
    high: float | None
    margin: float | None
    needed: int | None

    @property
    def more(self) -> int | None:
        """Interviews still to come until the wanted margin."""
        return None if self.needed is None else max(0, self.needed - self.n)


@dataclass(frozen=True)
class Live:
    """The index of a round so far: its areas, all together last, and the margin that was wanted."""

    code: str
    label: Text
    wanted: float
    left_out: int
    areas: tuple[Area, ...]


def live(
    data: Dataset,
    by: str = "commune",
    *,
    code: str = "",
    margin: float | None = None,
    closed: Collection[str] = (),
    names: Sequence[tuple[str, str]] = (),
) -> Live:
    """Scores so far of one node of the round's index (``code``; its root) by a column of the data.

    Needed n follows from the interval: its half shrinks with the root of n while design effect and spread stay what
    they are. Interviews of the units in ``closed`` are left out, so that nobody sees the results of their own place;
    ``margin`` is on the scale of the index; ``names`` are the domains' codes with their names.

    Raises:
        InputError: there is no such node or column, or nothing is left.
    """
    index = data.index
    table = data.table
    codes, units = table.labels("unit")
    keep = np.array([units[c] not in set(closed) if c >= 0 else True for c in codes])
    left_out = int((~keep).sum())
    if not keep.any():
        raise InputError(
            f"round {data.round['id']}",
            Text("không có phiếu nào được xem", "there is no interview that may be seen"),
            Text("chờ kết quả được công bố", "wait until the results are published"),
        )
    if left_out:
        table = table.filter(keep)
    chosen = next((node for node in index.nodes if (node.code == code if code else not node.parents)), None)
    if chosen is None:
        known = ", ".join(node.code for node in index.nodes[:20])
        raise InputError(
            f"--code {code}",
            Text("chỉ số không có mã này", "the index has no such code"),
            Text(f"các mã: {known}", f"codes: {known}"),
        )
    # Too few primary units in a young round is no error: such an area has no interval yet.
    design = replace(replace(data, table=table).design, lonely_psu="adjust", publication=None)
    found = score(table, index, design, by, total=True, round=str(data.round["id"]), provisional=True)
    low, high = chosen.to or (0.0, 1.0)
    wanted = margin if margin is not None else USUAL_MARGIN * abs(high - low)
    label = dict(names)
    rows = found.table[found.table["code"] == chosen.code]
    areas = [_area(row, label, wanted) for row in rows.to_dict("records")]
    areas.sort(key=lambda area: (area.domain == WHOLE, area.name))
    words = Text(chosen.name("vi"), chosen.name("en"))
    return Live(chosen.code, words, wanted, left_out, tuple(areas))


def _area(row: dict[str, object], names: dict[str, str], wanted: float) -> Area:
    def number(name: str) -> float | None:
        value = float(str(row[name])) if row[name] is not None else math.nan
        return value if math.isfinite(value) else None

    n, deff = int(number("n") or 0), number("deff")
    low, high = number("low"), number("high")
    margin = (high - low) / 2 if low is not None and high is not None else None
    domain = str(row["domain"])
    return Area(
        domain,
        names.get(domain, domain),
        n,
        int(number("n_psu") or 0),
        n / deff if deff else None,
        number("estimate"),
        low,
        high,
        margin,
        max(n if margin <= wanted else 0, math.ceil(n * (margin / wanted) ** 2)) if margin and wanted > 0 else None,
    )
