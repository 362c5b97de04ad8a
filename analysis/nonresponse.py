"""Weights after nonresponse: what nobody answered for goes to those who are like the ones missing.

Two steps within each class, each keeping the class's total of weights (Valliant, Dever & Kreuter 2013, ch. 13): the
weight of cases of unknown eligibility goes to all whose eligibility is known, in proportion; then the weight of
eligible nonrespondents goes to respondents. Ineligible cases leave with their weight, since they stand for others like
them. Classes are columns of the sample, or fifths of the estimated propensity to respond (Little 1986).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from analysis.model_terms import terms_of
from analysis.table import Table, cross, take
from analysis.weighting import DISPOSITION, INTERVIEW
from survey.errors import InputError, Problem, Problems
from survey.fieldwork.dispositions import DISPOSITIONS
from survey.text import Text

LIST = "list"
RESPONDENT, NONRESPONDENT, UNKNOWN, INELIGIBLE = range(4)
_LARGEST_FACTOR = 2.0


@dataclass(frozen=True)
class Class:
    """One weighting class: cases by how they ended, the total of weights it keeps, the factor its respondents get."""

    name: str
    respondents: int
    nonrespondents: int
    unknown: int
    ineligible: int
    total: float
    factor: float


def statuses(data: Table) -> tuple[np.ndarray, np.ndarray]:
    """What each row of the sample is, from its ``disposition`` (AAPOR code) and whether it has an interview; and the
    rows that were interviewed but have none, which count as nonrespondents. Without such a column all responded.

    Raises:
        Problems: blank or unknown codes.
    """
    if DISPOSITION not in data:
        return np.full(len(data), RESPONDENT), np.zeros(len(data), dtype=bool)
    codes, words = data.labels(DISPOSITION)
    # A spreadsheet turns 4.10 into 4.1.
    by_number = {float(code): code for code in DISPOSITIONS}
    known = [DISPOSITIONS.get(word) or DISPOSITIONS.get(by_number.get(data.number(word), "")) for word in words]
    outcome = {"I": RESPONDENT, "P": RESPONDENT, "NE": INELIGIBLE, "UH": UNKNOWN, "UO": UNKNOWN}
    kinds = [-1 if row is None else outcome.get(row.outcome, NONRESPONDENT) for row in known]
    status = take(np.array(kinds, dtype=np.int64), codes, -1)
    if (status < 0).any():
        raise InputError(
            f"{data.source}, column {DISPOSITION}, {data.rows_text(status < 0)}",
            Text("trống hoặc không phải mã kết quả AAPOR", "blank or no AAPOR disposition code"),
            Text("ghi mã như 1.1, 2.112, 4.70", "write codes such as 1.1, 2.112, 4.70"),
        )
    without = (status == RESPONDENT) & (data.labels(INTERVIEW)[0] < 0)
    return np.where(without, NONRESPONDENT, status), without


def share_with_reserve(data: Table, weight: np.ndarray) -> np.ndarray:
    """Weights of main and reserve units that were gone to, scaled so that together they stand for what the main list
    alone stands for: m drawn and r released after them are a draw of m + r.

    Draws are told apart by stratum, PSU and the stages' probabilities and counts.
    """
    if LIST not in data:
        return weight
    stages = [name for name in data.names if name[:2] in ("p_", "N_") and name[2:].isdigit()]
    parts = [data.labels(name) for name in ("stratum", "psu", *stages) if name in data]
    group, names = cross([(codes + 1, ["", *texts]) for codes, texts in parts], len(data))
    codes, words = data.labels(LIST)
    reserve = take(np.array([word == "reserve" for word in words], dtype=bool), codes, False)
    everyone = np.bincount(group, minlength=len(names))
    main = np.bincount(group, ~reserve, minlength=len(names))
    return weight * np.where(main > 0, main / np.maximum(everyone, 1), 1.0)[group]


def classes_of(data: Table, columns: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Weighting classes: the columns crossed; without columns the whole sample is one.

    Raises:
        Problems: a column is missing or has blanks.
    """
    if not columns:
        return np.zeros(len(data), dtype=np.int64), [""]
    _whole(data, columns)
    group, names = cross([data.labels(name) for name in columns], len(data))
    return group, ["|".join(name) for name in names]


def propensity_classes(
    data: Table,
    columns: Sequence[str],
    numbers: Sequence[str],
    status: np.ndarray,
    weight: np.ndarray,
    groups: int,
) -> tuple[np.ndarray, list[str]]:
    """Classes by the estimated propensity to respond: quantile groups of a logistic regression, weighted by
    ``weight``, of responding among eligible cases on ``columns`` (categories) and ``numbers``.

    Every row gets a class, also those whose eligibility is unknown.

    Raises:
        Problems: a column is missing or has blanks. InputError: everybody or nobody responds, columns that say the
        same.
    """
    _whole(data, [*columns, *numbers])
    terms = terms_of(data, [*columns, *numbers], categorical=columns)
    eligible = (status == RESPONDENT) | (status == NONRESPONDENT)
    x, y = terms.matrix[eligible], (status[eligible] == RESPONDENT).astype(float)
    if y.all() or not y.any():
        raise InputError(
            f"{data.source}, column {DISPOSITION}",
            Text("mọi đơn vị đều trả lời, hoặc không ai trả lời", "everybody responded, or nobody did"),
            Text("bỏ --propensity", "leave --propensity out"),
        )
    if np.linalg.matrix_rank(x) < x.shape[1]:
        raise InputError(
            "--propensity",
            Text("các cột trùng thông tin với nhau", "the columns repeat each other"),
            Text("bỏ bớt cột", "leave some of them out"),
        )
    coefficients = _logistic(x, y, weight[eligible] * (eligible.sum() / weight[eligible].sum()))
    propensity = expit(terms.matrix @ coefficients)
    edges = np.quantile(propensity[eligible], np.arange(1, groups) / groups)
    # Rounding must not part cases of one propensity.
    found = np.searchsorted(edges * (1 - 1e-9), propensity, side="right")
    present, group = np.unique(found, return_inverse=True)
    means = [propensity[found == k].mean() for k in present]
    return group, [f"{place} (~{mean:.2f})" for place, mean in enumerate(means, 1)]


def _logistic(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Coefficients of a weighted logistic regression. A category where everybody responds (or nobody) has no finite
    one, but a propensity near 1 (or 0) all the same, which is all that is wanted here."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        found = sm.GLM(y, x, family=sm.families.Binomial(), var_weights=weight).fit()
    return np.asarray(found.params)


def adjust(
    weight: np.ndarray, status: np.ndarray, group: np.ndarray, names: Sequence[str], least: int
) -> tuple[np.ndarray, list[Class], list[Problem]]:
    """The weights of respondents after nonresponse (0 for everybody else), the classes, and what a person should look
    at: classes with fewer than ``least`` respondents, or whose weights more than double.

    Raises:
        InputError: classes with weight to move and no respondent to move it to.
    """
    counts = np.array([np.bincount(group[status == k], minlength=len(names)) for k in range(4)])
    sums = np.array([np.bincount(group[status == k], weight[status == k], minlength=len(names)) for k in range(4)])
    respondents, nonrespondents, unknown, ineligible = sums
    known = respondents + nonrespondents + ineligible
    empty = (respondents == 0) & (nonrespondents + unknown > 0)
    if empty.any():
        shown = _listed([names[int(k)] or "(…)" for k in np.flatnonzero(empty)])
        raise InputError(
            f"--class {shown}",
            Text("lớp không có người trả lời nào", "a weighting class without respondents"),
            Text("gộp lớp, hoặc dùng ít cột hơn", "join classes or use fewer columns"),
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(known > 0, (known + unknown) / known, 1.0)
        factor = np.where(respondents > 0, spread * (respondents + nonrespondents) / respondents, 1.0)
    adjusted = np.where(status == RESPONDENT, weight * factor[group], 0.0)
    totals = sums.sum(axis=0)
    rows = []
    for k, name in enumerate(names):
        answered, silent, unclear, outside = counts[:, k].tolist()
        rows.append(Class(name, answered, silent, unclear, outside, float(totals[k]), float(factor[k])))
    moved = [row for row in rows if row.factor > 1 + 1e-12]
    findings = []
    small = [f"{row.name} ({row.respondents})" for row in moved if row.respondents < least]
    if small:
        findings.append(
            Problem(
                f"--class {_listed(small)}",
                Text(
                    f"số lớp có dưới {least} người trả lời: {len(small)}",
                    f"classes with fewer than {least} respondents: {len(small)}",
                ),
                Text("nên gộp lớp", "better join classes"),
            )
        )
    steep = [f"{row.name} (×{row.factor:.2f})" for row in moved if row.factor > _LARGEST_FACTOR]
    if steep:
        findings.append(
            Problem(
                f"--class {_listed(steep)}",
                Text(
                    f"số lớp có quyền số tăng hơn {_LARGEST_FACTOR:g} lần: {len(steep)}",
                    f"classes whose weights grow more than {_LARGEST_FACTOR:g} times: {len(steep)}",
                ),
                Text("nên gộp lớp, và xem lý do không trả lời", "better join classes, and look at why so few answer"),
            )
        )
    return adjusted, rows, findings


def _whole(data: Table, columns: Sequence[str]) -> None:
    problems = [data.missing_column(name, "nonresponse") for name in columns if name not in data]
    for name in columns:
        blank = data.blank(name) if name in data else np.zeros(1, dtype=bool)
        if blank.any():
            problems.append(
                Problem(
                    f"{data.source}, column {name}, {data.rows_text(blank)}",
                    Text("ô trống trong cột chia lớp", "a column of weighting classes has blank cells"),
                    Text("dùng cột có cho cả người không trả lời", "take a column that nonrespondents have as well"),
                )
            )
    if problems:
        raise Problems(problems)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
