"""Published scores rolled up: the lowest codes that a scores file holds are the leaves, upper nodes are computed.

A foreign file needs only domain, code and estimate (`province`, `mean`; `round` or `year` where it holds several). Its
domains keep their spelling, a blank stays blank, unknown codes are counted. Standard errors of upper nodes are known
only where covariances are, so a roll-up of bare figures has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.carried import Carried
from analysis.estimation import interval
from analysis.index import Base, Index, Values, evaluate, load_index
from analysis.scores import COLUMNS, Scores, noted
from analysis.table import Table, cross
from survey.errors import InputError, Problem, Problems
from survey.text import Text, many

ROUND = ("round", "year")
DOMAIN = ("domain", "province")
ESTIMATE = ("estimate", "mean")


def is_scores(table: Table) -> bool:
    """Whether ``table`` is a file of scores: it has a code, a domain and an estimate in every row."""
    return "code" in table and all(_first(table, names) for names in (DOMAIN, ESTIMATE))


def roll_up(data: Any, index: Any, *, round: str = "", carried: Carried | None = None) -> Scores:
    """The nodes of ``index`` above the lowest codes that the scores file ``data`` holds, by round and domain.

    ``carried`` are the influence sums that belong to the file: with them upper nodes have standard errors. ``round``
    takes one round of the file. Without it every round is rolled up, unless the index was made for a year that some
    of them are not.

    Raises:
        Problems: columns that are missing; InputError: rounds that do not fit, codes none of which the index knows,
        two different figures for one cell.
    """
    table, index = Table.of(data), load_index(index)
    found = _columns(table)
    rounds, names = _rounds(table, found.get("round"))
    wanted = _fitting(index, names, round, table.source)
    codes, code_names = table.labels("code")
    unknown = [name for name in code_names if name not in index.by_code]
    if len(unknown) == len(code_names):
        raise InputError(
            f"{table.source}, column code",
            Text(f"không mã nào thuộc chỉ số {index.id}", f"none of the codes belongs to the index {index.id}"),
            Text("chọn chỉ số khác bằng --index", "name another index with --index"),
        )
    domains, domain_names = _domains(table, found["domain"])
    values = table.numbers(found["estimate"])
    rows: list[dict[str, Any]] = []
    findings: list[Problem] = []
    for k, name in enumerate(names):
        if name not in wanted:
            continue
        chosen = rounds == k
        present = np.unique(domains[chosen & (domains >= 0)])
        place = {int(d): i for i, d in enumerate(present)}
        known = _lowest(index, {code_names[c] for c in np.unique(codes[chosen]) if c >= 0})
        base = np.full((len(present), len(known)), np.nan)
        column = {code: i for i, code in enumerate(known)}
        for row in np.flatnonzero(chosen & (domains >= 0) & (codes >= 0)):
            code = code_names[codes[row]]
            if code in column and np.isfinite(values[row]):
                cell = place[int(domains[row])], column[code]
                if np.isfinite(base[cell]) and base[cell] != values[row]:
                    raise InputError(
                        f"{table.source}, row {table.places[row]}",
                        Text(f"{code} có hai giá trị khác nhau", f"{code} has two different values"),
                        Text("giữ lại một giá trị", "keep one of them"),
                    )
                base[cell] = values[row]
        labels = [domain_names[d] for d in present]
        result = evaluate(index, Base(base, column, {}, ratios=False))
        freedom = _freedom(table, chosen, domains) if carried is not None else {}
        for d, label in enumerate(labels):
            errors = _errors(carried, result, d, name, label, known, freedom.get(int(present[d]), np.nan))
            rows += _tidy(index, result, d, name, label, errors)
        findings += [_finding(entry, labels, name) for entry in result.findings]
    taken = np.isin(rounds, [k for k, name in enumerate(names) if name in wanted])
    strange = taken & np.isin(codes, [k for k, name in enumerate(code_names) if name in unknown])
    unknown = [code_names[k] for k in np.unique(codes[strange])]
    times = int(strange.sum())
    return Scores(index, pd.DataFrame(rows, columns=list(COLUMNS)), tuple(findings), _notes(unknown, times))


def _first(table: Table, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in table), None)


def _columns(table: Table) -> dict[str, str]:
    found = {key: _first(table, names) for key, names in (("round", ROUND), ("domain", DOMAIN), ("estimate", ESTIMATE))}
    problems = [table.missing_column(key) for key in ("domain", "estimate") if found[key] is None]
    if "code" not in table:
        problems.append(table.missing_column("code"))
    if problems:
        raise Problems(problems)
    return {key: name for key, name in found.items() if name}


def _domains(table: Table, column: str) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Domain of each row, and (level, name) of each domain: one name may stand for a province and for a commune."""
    if "domain_level" in table:
        codes, pairs = cross([table.labels("domain_level"), table.labels(column)], len(table))
        return codes, [(level, name) for level, name in pairs]
    codes, names = table.labels(column)
    return codes, [("province" if column == "province" else "domain", name) for name in names]


def _rounds(table: Table, column: str | None) -> tuple[np.ndarray, list[str]]:
    if column is None:
        return np.zeros(len(table), dtype=np.int64), [""]
    codes, names = table.labels(column)
    return (np.where(codes < 0, len(names), codes), [*names, ""]) if (codes < 0).any() else (codes, names)


def _fitting(index: Index, names: Sequence[str], round: str, source: str) -> list[str]:
    """The rounds to take: the one asked for, or all of them where the index is not made for one year among others."""
    if round:
        if round not in names:
            listed = ", ".join(names)
            raise InputError(
                f"{source}, round",
                Text(f"không có đợt “{round}”", f"there is no round '{round}'"),
                Text(f"các đợt: {listed}", f"the rounds are {listed}"),
            )
        return [round]
    year = re.search(r"(?:19|20)\d\d", index.id)
    if year and len(names) > 1:
        raise InputError(
            f"{source}, round",
            Text(
                f"tệp có nhiều đợt ({', '.join(names)}) nhưng chỉ số {index.id} dành cho {year[0]}",
                f"the file holds several rounds ({', '.join(names)}) but the index {index.id} is for {year[0]}",
            ),
            Text(f"thêm --round, ví dụ --round {year[0]}", f"add --round, for example --round {year[0]}"),
        )
    if year and names != [""] and names[0] != year[0] and re.fullmatch(r"(?:19|20)\d\d", names[0]):
        raise InputError(
            f"{source}, round",
            Text(f"chỉ số {index.id} không dành cho {names[0]}", f"the index {index.id} is not for {names[0]}"),
            Text(f"thêm --round {names[0]} nếu vẫn muốn dùng", f"add --round {names[0]} to use it all the same"),
        )
    return list(names)


def _lowest(index: Index, codes: set[str]) -> list[str]:
    """The codes below which nothing is given, in the order of the sheet."""
    covered: set[str] = set()
    for node in index.upwards:
        children = {child.code for child in index.below[node.code]}
        if children & (covered | codes):
            covered.add(node.code)
    return [node.code for node in index.nodes if node.code in codes and node.code not in covered]


def _freedom(table: Table, chosen: np.ndarray, domains: np.ndarray) -> dict[int, float]:
    """The degrees of freedom that the file gives each domain."""
    if "df" not in table:
        return {}
    df = table.numbers("df")
    return {int(d): float(np.nanmax(np.append(df[chosen & (domains == d)], -1.0))) for d in np.unique(domains[chosen])}


def _errors(
    carried: Carried | None, result: Values, d: int, round: str, label: tuple[str, str], known: Sequence[str], df: float
) -> dict[str, np.ndarray]:
    """Standard errors and intervals of the nodes of one domain; empty where covariances are not known."""
    found = carried.of(round, *label, known) if carried is not None else None
    if found is None or carried is None:
        return {}
    units, sums = found
    se = np.sqrt(carried.sample.variance(units, sums @ result.gradient[d].T))
    se = np.where(np.isfinite(result.value[d]), se, np.nan)
    low, high = interval(result.value[d], se, df, carried.sample.level)
    return {"se": se, "low": low, "high": high, "df": np.full(len(se), df)}


def _tidy(
    index: Index, result: Values, d: int, round: str, label: tuple[str, str], errors: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    blank = dict.fromkeys(("se", "low", "high", "df", "deff"), np.nan)
    rows = []
    for k, node in enumerate(index.nodes):
        reason = result.reasons.get((d, node.code))
        rows.append(
            {
                **blank,
                **{name: float(values[k]) for name, values in errors.items()},
                "index": index.id,
                "round": round,
                "domain_level": label[0],
                "domain": label[1],
                "level": index.level_of(node),
                "code": node.code,
                "estimate": float(result.value[d, k]),
                "n": None,
                "n_psu": None,
                "note": noted([reason]) if reason else "",
            }
        )
    return rows


def _finding(
    entry: tuple[int, str, float, tuple[float, float]], labels: Sequence[tuple[str, str]], round: str
) -> Problem:
    d, code, value, (low, high) = entry
    scale = f"{low:g}..{high:g}"
    return Problem(
        f"{code}, {labels[d][1]}" + (f", {round}" if round else ""),
        Text(f"{value:.6g} nằm ngoài thang {scale}", f"{value:.6g} is outside the scale {scale}"),
        Text("kiểm tra số liệu nguồn", "check the source's figures"),
    )


def _notes(unknown: Sequence[str], times: int) -> tuple[Text, ...]:
    if not unknown:
        return ()
    shown = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
    return (
        Text(
            f"{len(unknown)} mã không có trong chỉ số, bỏ qua {times} dòng ({shown})",
            f"{many(len(unknown), 'code is', 'codes are')} not in the index, {many(times, 'row')} left out ({shown})",
        ),
    )
