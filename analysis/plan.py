"""A target against the scores: before it is saved, what the sample can tell; afterwards, whether it was reached.

Before: a change smaller than 1.96·√(SE₀² + SE₁²) cannot be told from chance, SE₁ being SE₀·√(n₀/n₁) under the same
design. Afterwards two statements that are never made one: whether the published figure reaches the target, and how
certain that is, from the probability that the true value of that year does (sampling error only, never a forecast).
A rank target has its probability from the joint distribution of all units' estimates, so it needs all their errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.breaks import breaks
from analysis.index import Index
from analysis.ranking import GROUPS, quartile_groups, rank
from analysis.report.format import number
from analysis.score_file import ScoreTable, score_table
from analysis.targets import Target, index_of, provinces_of, same_share, year_of
from analysis.units import key, provinces
from survey.errors import InputError
from survey.text import Text, many, plural

SURE = 0.975
"""Probability from which a target counts as surely reached, and below 1 − which as surely not: the 95 % interval."""
PUBLISHED_Z = 1.645
"""PAPI's published intervals are the value ± 1.645 standard errors (two-sided 90 %, although labelled 95 %)."""

PUBLISHED = {
    "reached": Text("đạt", "reached"),
    "missed": Text("không đạt", "not reached"),
    "": Text("chưa có số liệu", "no value"),
    "merger": Text("không so được", "not comparable"),
}
CERTAINTY = {
    "sure": Text("chắc đạt", "surely reached"),
    "open": Text("chưa đủ căn cứ", "not enough to tell"),
    "sure_not": Text("chắc không đạt", "surely not reached"),
    "no_error": Text("không có sai số công bố", "no error published"),
    "": Text("", ""),
}
PUBLISHED_HEADING = Text("Theo điểm công bố", "By the published score")
CERTAINTY_HEADING = Text("Mức chắc chắn", "Certainty")
ABOUT = Text(
    "“Mức chắc chắn” chỉ nói về sai số chọn mẫu của chính năm được đo, không dự báo năm sau.",
    "“Certainty” speaks of the sampling error in the year measured only; it forecasts nothing.",
)
TOO_SMALL = Text(
    "Mức tăng này nhỏ hơn sai số, sẽ không kết luận được.",
    "This rise is smaller than the error: nothing will be concluded from it.",
)


@dataclass(frozen=True)
class Rules:
    """How groups are cut, as :func:`analysis.ranking.quartile_groups`: it differs by round of PAPI."""

    ties: str = "up"
    missing: str = "drop"


@dataclass(frozen=True)
class Outlook:
    """What can be told of a target before it is saved.

    ``needed`` is the change from the baseline to ``goal`` (the target, or the score of its rank or group in the
    baseline round), ``smallest`` the smallest change that the two samples can tell, ``n_needed`` the interviews that
    the coming sample needs (inf: no size is enough), ``n_both`` those that both rounds would have needed. NaN where
    not known. ``verdict``: ``enough``, ``too_small``, ``there`` (reached already), ``unknown``, ``merger``.
    """

    target: Target
    verdict: str
    baseline: float = math.nan
    se: float = math.nan
    n: float = math.nan
    goal: float = math.nan
    needed: float = math.nan
    smallest: float = math.nan
    n_needed: float = math.nan
    n_both: float = math.nan
    offered: int = 0
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a target: ``published`` and ``certainty`` are keys of their tables, ``p`` the probability that
    the true value of the year reaches it. ``ranked`` units have an estimate; ``goal`` is the target's score."""

    target: Target
    published: str
    certainty: str = ""
    value: float = math.nan
    se: float = math.nan
    p: float = math.nan
    rank: int = 0
    ranked: int = 0
    group: str = ""
    goal: float = math.nan
    baseline: float = math.nan
    offered: int = 0
    notes: tuple[Text, ...] = ()


class Figures:
    """Scores from one or several sources, a table a round, looked up by code and round; domains by name without
    diacritics."""

    def __init__(self, sources: Sequence[Any], rules: Rules | None = None):
        self.rules = rules or Rules()
        self.tables: list[ScoreTable] = []
        for table in map(score_table, sources):
            rounds = table.frame["round"]
            self.tables += [replace(table, frame=table.frame[rounds == name]) for name in rounds.unique()]

    @property
    def own(self) -> bool:
        """Whether any of it was computed from answers (it knows its n): such figures are no official publication."""
        return any(table.frame["n"].notna().any() for table in self.tables)

    def table(self, code: str, round: str) -> ScoreTable | None:
        """The source that has this code in this round, None if none has."""
        for table in self.tables:
            frame = table.frame
            if ((frame["code"] == code) & (frame["round"] == round)).any():
                return table
        return None

    def rows(self, index: str, code: str, round: str) -> pd.DataFrame | None:
        """One row a unit, the errors of published PAPI intervals filled in; None: no value is there."""
        table = self.table(code, round) if round else None
        return None if table is None else self.filled(table, index).choose(code, round=round)

    def filled(self, table: ScoreTable, index: str) -> ScoreTable:
        """``table`` with the standard errors that published PAPI intervals have within them."""
        frame = table.frame
        half = (frame["high"] - frame["low"]) / 2
        derived = half / PUBLISHED_Z if index.startswith("papi") else half * np.nan
        return replace(table, frame=frame.assign(se=frame["se"].where(frame["se"].notna(), derived)))

    def n(self, row: pd.Series) -> float:
        """Interviews behind a row: its own n, else the published code N of its domain and round."""
        if np.isfinite(row["n"]):
            return float(row["n"])
        for table in self.tables:
            frame = table.frame
            same = frame[(frame["code"] == "N") & (frame["round"] == row["round"]) & (frame["domain"] == row["domain"])]
            if len(same):
                return float(same["estimate"].iloc[0])
        return math.nan


def find_domain(rows: pd.DataFrame, name: str, where: str) -> pd.Series:
    """The row of a unit, its name compared without diacritics, case and punctuation (Hoà, Hòa, Hoa).

    Raises:
        InputError: no such unit, or several.
    """
    wanted = key(name)
    found = rows[[key(domain) == wanted for domain in rows["domain"]]]
    if len(found) == 1:
        row: pd.Series = found.iloc[0]
        return row
    near = [domain for domain in rows["domain"] if key(domain)[:3] == wanted[:3]] or list(rows["domain"])
    listed = ", ".join(near[:12])
    raise InputError(
        where,
        Text(f"không có đơn vị “{name}” trong bảng điểm", f"there is no unit '{name}' among the scores"),
        Text(
            f"sửa tên (có: {listed}); tỉnh đã hợp nhất thì dùng tên tỉnh mới",
            f"mend the name (there are {listed}); a merged province goes by its new name",
        ),
    )


def outlook(target: Target, figures: Figures, n: float = math.nan) -> Outlook:
    """What the sample can tell of ``target``, given the baseline's scores; ``n`` interviews are planned for the round
    measured (default: as many as in the baseline).

    Raises:
        InputError: the unit is not among the scores.
    """
    merger = _merger(target, provincial=True)
    if merger:
        return Outlook(target, "merger", offered=merger, notes=(_merged(target, merger),))
    rows = figures.rows(target.index, target.code, target.baseline_round)
    if rows is None:
        return Outlook(target, "unknown", notes=(_no_value(target, target.baseline_round or "?"),))
    row = find_domain(rows, target.domain, target.where)
    value, se, n0 = float(row["estimate"]), float(row["se"]), figures.n(row)
    goal = _goal(target, rows, figures.rules)
    notes = [*_broken(target), *_carried(target)]
    if target.kind != "score":
        notes.append(
            Text(
                f"ngưỡng {number(goal, 2, 'vi')} là của {target.baseline_round}; các đơn vị khác cũng thay đổi",
                f"the threshold {number(goal, 2, 'en')} is that of {target.baseline_round}; other units move too",
            )
        )
    found = Outlook(target, "unknown", value, se, n0, goal, goal - value, notes=tuple(notes))
    if np.isfinite(found.needed) and found.needed <= 0:
        return replace(found, verdict="there")
    if not (np.isfinite(se) and np.isfinite(found.needed)):
        return found
    se1 = se * math.sqrt(n0 / n) if n and np.isfinite(n) and np.isfinite(n0) else se
    smallest = smallest_change(se, se1)
    return replace(
        found,
        verdict="enough" if found.needed >= smallest else "too_small",
        smallest=smallest,
        n_needed=n_needed(found.needed, se, n0),
        n_both=math.ceil(2 * n0 * (1.96 * se / found.needed) ** 2) if np.isfinite(n0) else math.nan,
    )


def smallest_change(se: float, se1: float) -> float:
    """The smallest change that two independent samples can tell: 1.96·√(SE₀² + SE₁²), two-sided at 5 %."""
    return 1.96 * math.hypot(se, se1)


def n_needed(change: float, se: float, n: float) -> float:
    """Interviews that the second sample needs, under the design of the first with ``n`` and ``se``, so that
    :func:`smallest_change` is ``change``; inf where the first sample's error alone is too large."""
    if not (np.isfinite(n) and np.isfinite(se)):
        return math.nan
    left = (change / 1.96) ** 2 - se**2
    return math.ceil(n * se**2 / left) if left > 0 else math.inf


def outcome(target: Target, figures: Figures) -> Outcome:
    """Whether ``target`` was reached by the scores of its round, and how certain that is.

    Raises:
        InputError: the unit is not among the scores.
    """
    rows = figures.rows(target.index, target.code, target.round)
    merger = _merger(target, provincial=rows is None or str(rows["domain_level"].iloc[0]) == "province")
    if merger:
        return Outcome(target, "merger", offered=merger, notes=(_merged(target, merger),))
    if rows is None:
        return Outcome(target, "", notes=(_no_value(target, target.round),))
    row = find_domain(rows, target.domain, target.where)
    value, se = float(row["estimate"]), float(row["se"])
    if not np.isfinite(value):
        return Outcome(target, "", notes=(_no_value(target, target.round),))
    estimates = rows["estimate"].to_numpy(dtype=float)
    place, ranked = 1 + int((estimates > value).sum()), int(np.isfinite(estimates).sum())
    rules = figures.rules
    group = quartile_groups(estimates, rules.ties, rules.missing).names[int(rows.index.get_loc(row.name))]
    goal = _goal(target, rows, rules)
    if target.kind == "score":
        reached, p = value >= goal, _above(value, goal, se, float(row["df"]))
    else:
        within = target.value if target.kind == "rank" else _sizes(target, estimates, rules)
        reached = place <= within if target.kind == "rank" else GROUPS.index(group) <= GROUPS.index(target.group)
        p = _chance(target, figures, row, int(within), ranked)
    notes = [*_broken(target), *_carried(target), *_others(target, len(rows), ranked)]
    if target.kind == "score" and not reached and round(value, 2) >= goal:
        notes.append(Text("làm tròn hai số lẻ thì đạt", "reached when rounded to two decimals"))
    return Outcome(
        target,
        "reached" if reached else "missed",
        certainty(p),
        value,
        se,
        p,
        place,
        ranked,
        group,
        goal,
        _baseline(target, figures),
        notes=tuple(notes),
    )


def certainty(p: float) -> str:
    """The key of :data:`CERTAINTY` for the probability that the true value reaches the target."""
    if math.isnan(p):
        return "no_error"
    return "sure" if p >= SURE else "sure_not" if p <= 1 - SURE else "open"


def _above(value: float, goal: float, se: float, df: float) -> float:
    if not np.isfinite(se):
        return math.nan
    if se == 0:
        return float(value >= goal)
    return float(stdtr(df if df > 0 else np.inf, (value - goal) / se))


def _chance(target: Target, figures: Figures, row: pd.Series, within: int, ranked: int) -> float:
    """The probability that the unit is among the best ``within``."""
    table = figures.table(target.code, target.round)
    if table is None or within >= ranked:
        return 1.0 if within >= ranked else math.nan
    rules = figures.rules
    found = rank(
        figures.filled(table, target.index),
        target.code,
        round=target.round,
        first=within,
        ties=rules.ties,
        missing=rules.missing,
    ).table
    return float(found.loc[found["domain"] == row["domain"], "p_first"].iloc[0])


def _goal(target: Target, rows: pd.DataFrame, rules: Rules) -> float:
    """The score that the target amounts to in the round of ``rows``."""
    estimates = rows["estimate"].to_numpy(dtype=float)
    known = np.sort(estimates[np.isfinite(estimates)])[::-1]
    if target.kind == "score":
        return target.value
    if target.kind == "rank":
        return float(known[int(target.value) - 1]) if target.value <= len(known) else math.nan
    place = GROUPS.index(target.group)
    if place == len(GROUPS) - 1:
        return float(known[-1])
    return quartile_groups(estimates, rules.ties, rules.missing).cuts[place]


def _sizes(target: Target, estimates: np.ndarray, rules: Rules) -> int:
    sizes = quartile_groups(estimates, rules.ties, rules.missing).sizes
    return sum(sizes[group] for group in GROUPS[: GROUPS.index(target.group) + 1])


def _baseline(target: Target, figures: Figures) -> float:
    rows = figures.rows(target.index, target.code, target.baseline_round)
    if rows is None:
        return math.nan
    found = rows[[key(domain) == key(target.domain) for domain in rows["domain"]]]
    return float(found["estimate"].iloc[0]) if len(found) == 1 else math.nan


# -- what must be said --------------------------------------------------------------------------------------------


def _merger(target: Target, provincial: bool) -> int:
    """The rank to offer instead, where a rank among the provinces of then is asked of the provinces of now; else 0."""
    if target.kind != "rank" or not provincial:
        return 0
    now = provinces_of(target.round)
    of = target.of or provinces_of(target.baseline_round)
    return same_share(target.value, of, now) if 0 < now < of else 0


def _merged(target: Target, offered: int) -> Text:
    now, of = provinces_of(target.round), target.of or provinces_of(target.baseline_round)
    return Text(
        f"hạng {target.value:g}/{of} không chuyển qua đợt hợp nhất tỉnh; cùng tỷ lệ là hạng {offered}/{now}",
        f"rank {target.value:g} of {of} is not carried over the merger of provinces; the same share is {offered} "
        f"of {now}",
    )


def _no_value(target: Target, round: str) -> Text:
    name = " ".join(part for part in (target.code, round) if part)
    return Text(
        f"chưa nạp giá trị nào của {name}: không kết luận", f"no value of {name} is loaded: nothing is concluded"
    )


def _broken(target: Target) -> list[Text]:
    index: Index | None = index_of(target.index)
    if index is None or not target.baseline_round:
        return []
    why = breaks(index, index, (target.baseline_round, target.round)).get(target.code)
    if why is None:
        return []
    return [
        Text(
            f"gãy chuỗi giữa {target.baseline_round} và {target.round} ({why.vi}): không trừ cho giá trị gốc",
            f"break of series between {target.baseline_round} and {target.round} ({why.en}): not to be compared "
            "with the baseline",
        )
    ]


def _carried(target: Target) -> list[Text]:
    then, now = provinces_of(target.baseline_round), provinces_of(target.round)
    if not then or then == now or target.kind == "rank" or _same_province(target):
        return []
    return [
        Text(
            "giá trị gốc là của tỉnh trước hợp nhất (1/7/2025): tỉnh mới là đơn vị khác, không chính thức so được",
            "the baseline is of the province before the merger (1 July 2025): another unit, not officially comparable",
        )
    ]


def _same_province(target: Target) -> bool:
    """Whether the unit is a province that the merger left as it was."""
    days = [f"{year_of(round)}-12-31" for round in (target.baseline_round, target.round)]
    found = provinces().lookup(target.domain, days[0])
    return len(found) == 1 and provinces().same(found[0], days[1]) is not None


def _others(target: Target, listed: int, ranked: int) -> list[Text]:
    if target.kind == "score":
        return []
    if target.of and target.of != ranked:
        return [
            Text(
                f"mục tiêu nêu {target.of} đơn vị; {target.round} xếp được {ranked}",
                f"the target speaks of {many(target.of, 'unit')}; {ranked} {plural(ranked, 'was', 'were')} "
                f"ranked in {target.round}",
            )
        ]
    if listed != ranked:
        return [
            Text(
                f"{listed - ranked} đơn vị không có điểm", f"{many(listed - ranked, 'unit has', 'units have')} no score"
            )
        ]
    return []
