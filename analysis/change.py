"""Change between two rounds: differences with their errors, tested, with the number of tests taken into account.

θ₂ − θ₁ in one stacked design: the influence sums of both rounds are added within shared PSUs, so that what they have
in common cancels (R: both files stacked with shared ids). Without sums, or without a PSU in common, the rounds are
independent and that is said. Beside the t test stands PAPI's rule of thumb, which looks at the relative change alone
and knows no error. Where the two indices differ under one code, no change is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.breaks import breaks
from analysis.estimation import interval
from analysis.index import Index, load_index
from analysis.publication import HIDDEN
from analysis.ranking import satterthwaite
from analysis.score_file import ScoreTable, completed, provisional, score_table, stacked
from analysis.scores import PILOT, note_in, noted
from analysis.succession import Rule, align
from survey.errors import InputError, Problem
from survey.text import Text

ADJUST = {
    "holm": Text("hiệu chỉnh Holm", "Holm"),
    "bh": Text("tỷ lệ phát hiện sai, Benjamini–Hochberg", "false discovery rate, Benjamini–Hochberg"),
    "none": Text("không hiệu chỉnh", "not adjusted"),
}
PAPI_RULE = 0.05
INDEPENDENT = Text("hai đợt được coi là độc lập với nhau", "the two rounds are taken as independent")
SHARED = Text("có tính đến các đơn vị chọn mẫu chung", "with the covariance from shared sampled units")
UNCHECKED = Text(
    "không biết cấu trúc chỉ số của cả hai đợt: chưa kiểm tra thay đổi cách tính",
    "the index of both rounds is not known: breaks in the series were not looked for",
)


@dataclass(frozen=True)
class Changes:
    """``domain_level, domain, code, before, after, change, se, df, low, high, p, p_adjusted, verdict (up, down,
    unclear), relative, rule5 (up, down), note``. ``breaks`` are the codes refused, with the reason."""

    table: pd.DataFrame
    before: str
    after: str
    level: float
    adjust: str
    breaks: tuple[Problem, ...]
    notes: tuple[Text, ...]


def compare(
    before: Any,
    after: Any,
    *,
    codes: Sequence[str] = (),
    by: str = "",
    rounds: tuple[str, str] = ("", ""),
    indices: Sequence[Any] = (),
    level: float | None = None,
    adjust: str = "holm",
    rule: float = PAPI_RULE,
    independent: bool = False,
    days: tuple[str, str] = ("", ""),
    carry: Rule | None = None,
    pilots: bool = False,
) -> Changes:
    """The change of every node (or of ``codes``) in every domain from ``before`` to ``after``.

    Both are scores (from :func:`analysis.score`, a file, a table); ``rounds`` names the round of each where they hold
    several; ``indices`` are the index of both or of each, by default the one the table names. ``adjust`` (``holm``,
    ``bh``, ``none``) is over the domains of one code. ``rule`` is the relative change that PAPI calls notable.
    ``days`` are the days whose list of provinces each round uses (by default from the rounds' names), and ``carry``
    the rule by which the earlier series goes over a merger; without one, merged provinces are not compared. A pilot
    round is compared with a main one only with ``pilots``.

    Raises:
        InputError: a pilot round against a main one, nothing in common, a code that is broken between the rounds or is
            in neither; as :func:`analysis.succession.align`.
        ValueError: no such adjustment.
    """
    if adjust not in ADJUST:
        raise ValueError(f"adjust must be one of {', '.join(ADJUST)}")
    tables = score_table(before), score_table(after)
    level = tables[0].level if level is None else level
    wanted = _codes(tables, rounds, codes)
    if not pilots:
        _same_standing(tables, rounds)
    known = _indices(tables, indices, rounds)
    named = _round(tables[0], rounds[0]), _round(tables[1], rounds[1])
    refused = breaks(*known, named) if known else {}
    problems = _problems(refused, wanted, codes)
    aligned = align(*tables, named, days, carry)
    tables = aligned.table, tables[1]
    notes: tuple[Text, ...] = (*(() if known else (UNCHECKED,)), *aligned.notes)
    parts, ways = [], []
    for code in wanted:
        if code not in refused:
            part, shared = _code(tables, code, by, rounds, level, adjust, rule, independent)
            parts.append(part)
            ways.append(shared)
    table = pd.concat(parts, ignore_index=True)
    pairs = zip(table["note"], table["domain"], strict=True)
    table["note"] = ["; ".join(filter(None, [note, noted(aligned.told.get(domain, ()))])) for note, domain in pairs]
    if table["se"].notna().any():
        notes += (SHARED if all(ways) else INDEPENDENT,)
    notes += tuple(provisional(*table["note"]))
    return Changes(table, named[0], named[1], level, adjust, problems, notes)


def _same_standing(tables: tuple[ScoreTable, ScoreTable], rounds: tuple[str, str]) -> None:
    """A pilot tries the questionnaire out; what it found is no earlier value of the main round."""
    pilot = []
    for table, round in zip(tables, rounds, strict=True):
        frame = table.frame[table.frame["round"].astype(str) == round] if round else table.frame
        pilot.append(frame["note"].astype(str).str.contains(PILOT.en, regex=False).any())
    if pilot[0] != pilot[1]:
        source = tables[0 if pilot[0] else 1].source
        raise InputError(
            source,
            Text("đây là đợt thí điểm, không so với đợt chính", "a pilot round is no value of the main one"),
            Text("vẫn muốn so thì thêm --with-pilot", "add --with-pilot to compare them all the same"),
        )


def _round(table: ScoreTable, choice: str) -> str:
    names = table.frame["round"].unique()
    return choice or (str(names[0]) if len(names) == 1 else "")


def _codes(tables: tuple[ScoreTable, ScoreTable], rounds: tuple[str, str], codes: Sequence[str]) -> list[str]:
    there = []
    for table, round in zip(tables, rounds, strict=True):
        rows = table.frame[table.frame["round"] == round] if round else table.frame
        there.append(list(dict.fromkeys(rows["code"])))
    common = [code for code in there[1] if code in set(there[0])]
    missing = [code for code in codes if code not in common]
    if missing or not common:
        shown = ", ".join(missing) or "code"
        raise InputError(
            f"{tables[0].source}, {tables[1].source}, {shown}",
            Text("không có trong cả hai đợt", "not in both rounds"),
            Text(f"mã chung: {', '.join(common[:12])}", f"codes in common: {', '.join(common[:12])}"),
        )
    return list(codes) or common


def _indices(
    tables: tuple[ScoreTable, ScoreTable], given: Sequence[Any], rounds: tuple[str, str]
) -> tuple[Index, Index] | None:
    if given:
        return load_index(given[0]), load_index(given[-1])
    found = []
    for table, round in zip(tables, rounds, strict=True):
        rows = table.frame[table.frame["round"] == round] if round else table.frame
        names = list(dict.fromkeys(rows["index"]))
        if table.scores is not None:
            found.append(table.scores.index)
        elif len(names) == 1 and names[0]:
            try:
                found.append(load_index(names[0]))
            except InputError:
                return None
    return (found[0], found[1]) if len(found) == 2 else None


def _problems(refused: dict[str, Text], wanted: Sequence[str], named: Sequence[str]) -> tuple[Problem, ...]:
    """The breaks among the wanted codes.

    Raises:
        InputError: a code asked for by name is broken, or all of them are.
    """
    found = tuple(
        Problem(
            code,
            Text(f"chuỗi số liệu bị gián đoạn: {refused[code].vi}", f"a break in the series: {refused[code].en}"),
            Text("không so sánh mã này giữa hai đợt", "this code is not compared between the rounds"),
        )
        for code in wanted
        if code in refused
    )
    if found and (named or len(found) == len(wanted)):
        raise InputError(found[0].where, found[0].what, found[0].todo)
    return found


def _code(
    tables: tuple[ScoreTable, ScoreTable],
    code: str,
    by: str,
    rounds: tuple[str, str],
    level: float,
    adjust: str,
    rule: float,
    independent: bool,
) -> tuple[pd.DataFrame, bool]:
    """The changes of one code, and whether shared PSUs gave their covariance."""
    rows = [table.choose(code, by, round) for table, round in zip(tables, rounds, strict=True)]
    names = list(dict.fromkeys([*rows[1]["domain"], *rows[0]["domain"]]))
    old, new = (part.set_index("domain").reindex(names) for part in rows)
    frame = pd.DataFrame(
        {
            "domain_level": rows[1]["domain_level"].iloc[0],
            "domain": names,
            "code": code,
            "before": old["estimate"].to_numpy(),
            "after": new["estimate"].to_numpy(),
        }
    )
    frame["change"] = frame["after"] - frame["before"]
    variance, df, shared = _variance(tables, (old, new), code, rows, independent)
    change = frame["change"].to_numpy()
    frame["se"] = se = np.sqrt(np.where(np.isfinite(change), variance, np.nan))
    frame["df"] = np.where(np.isfinite(se), df, np.nan)
    frame["low"], frame["high"] = interval(change, se, np.where(np.isnan(df), 0, df), level)
    with np.errstate(divide="ignore", invalid="ignore"):
        frame["p"] = np.where(df > 0, 2 * stdtr(df, -np.abs(change / se)), np.nan)
        relative = change / np.abs(frame["before"].to_numpy())
    frame["p_adjusted"] = adjusted(frame["p"].to_numpy(), adjust)
    sign = np.where(change > 0, "up", "down")
    frame["verdict"] = np.where(
        frame["p_adjusted"].isna(), "", np.where(frame["p_adjusted"] < 1 - level, sign, "unclear")
    )
    frame["relative"] = np.where(np.isfinite(relative), relative, np.nan)
    frame["rule5"] = np.where(np.abs(frame["relative"]) > rule, sign, "")
    cells = zip(frame["before"], frame["after"], frame["p"], old["note"], new["note"], strict=True)
    frame["note"] = [noted([*_why(x, y, p, *notes), *provisional(*notes)]) for x, y, p, *notes in cells]
    return frame, shared


def _why(before: float, after: float, p: float, *notes: Any) -> list[Text]:
    if np.isnan(before) or np.isnan(after):
        side = Text("đợt trước", "before") if np.isnan(before) else Text("đợt sau", "after")
        note = str(notes[0 if np.isnan(before) else 1])
        hidden = Text(*(f" ({note_in(note, spoken)})" for spoken in ("vi", "en"))) if HIDDEN in note else Text("", "")
        return [Text(f"không có điểm {side.vi}{hidden.vi}", f"no estimate {side.en}{hidden.en}")]
    if np.isnan(p):
        return [Text("không có sai số chuẩn: không kiểm định", "no standard error: not tested")]
    return []


def adjusted(p: np.ndarray, how: str) -> np.ndarray:
    """p values adjusted for their number, the missing ones left out of it: Holm 1979 or Benjamini & Hochberg 1995."""
    from statsmodels.stats.multitest import multipletests

    there = np.isfinite(p)
    if how == "none" or not there.any():
        return p.copy()
    found = np.full(len(p), np.nan)
    found[there] = multipletests(p[there], method={"holm": "holm", "bh": "fdr_bh"}[how])[1]
    return found


def _variance(
    tables: tuple[ScoreTable, ScoreTable],
    sides: tuple[pd.DataFrame, pd.DataFrame],
    code: str,
    rows: Sequence[pd.DataFrame],
    independent: bool,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Variance and df of each change, and whether the rounds were taken together."""
    se = [side["se"].to_numpy(dtype=float) for side in sides]
    own = [side["df"].to_numpy(dtype=float) for side in sides]
    df = [np.where(np.isfinite(e) & np.isnan(own_df), np.inf, own_df) for e, own_df in zip(se, own, strict=True)]
    apart = se[0] ** 2 + se[1] ** 2
    separate = satterthwaite(se[0] ** 2, df[0], se[1] ** 2, df[1])
    first, second = (table.sums for table in tables)
    if independent or first is None or second is None:
        return apart, separate, False
    chosen = [
        side.reset_index().assign(code=code, domain_level=part["domain_level"].iloc[0], round=part["round"].iloc[0])
        for side, part in zip(sides, rows, strict=True)
    ]
    if not {psu for psu in first.psus() & second.psus() if not psu[1].startswith("#")}:
        return apart, separate, False
    count = len(apart)
    sample, units, sums, members = stacked([(first, chosen[0]), (second, chosen[1])])
    together = sample.variance(units, sums[:, count:] - sums[:, :count])
    freedom = np.empty(count)
    for k in range(count):
        freedom[k] = _freedom(sample.design_df, members[k], members[count + k], (own[0][k], own[1][k]), (first, second))
    # What the sums of a round do not hold (stages below the first, lonely strata) comes on top, once a round.
    for table, side, errors in zip(tables, chosen, se, strict=True):
        assert table.sums is not None
        alone, at, held, _ = stacked([(table.sums, side)])
        inside = np.diag(completed(alone.covariance(at, held), errors, table.source))
        beyond = inside - alone.variance(at, held)
        together = together + np.where(beyond > 1e-9 * inside, beyond, 0.0)
    # A round whose error is not known leaves that of the change unknown too.
    return np.where(np.isfinite(apart), together, np.nan), freedom, True


def _freedom(
    design: int,
    old: tuple[np.ndarray, np.ndarray],
    new: tuple[np.ndarray, np.ndarray],
    df: tuple[float, float],
    sums: tuple[Any, Any],
) -> float:
    """PSUs minus strata of both rounds together: of the domain where the rounds' df are the domain's, else of the
    whole design; the smaller of the rounds' own where neither can be told."""
    if df == tuple(side.design_df for side in sums):
        return design
    if df == tuple(float(len(psus) - len(strata)) for psus, strata in (old, new)):
        return float(len(np.union1d(old[0], new[0])) - len(np.union1d(old[1], new[1])))
    return min(df)
