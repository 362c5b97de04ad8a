"""Replicate weights that repeat the whole recipe: base, nonresponse, calibration and trimming in every replicate.

PSUs of the sample, those without respondents too, are drawn again by Rao and Wu's bootstrap; every step is then made
anew, so that each leaves its own part in the variance (Rao, Wu & Yue 1992; Valliant 2004 for nonresponse).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.design import Design, Replicates
from analysis.layout import lay
from analysis.nonresponse import RESPONDENT, statuses
from analysis.replicates import SEED, make_factors
from analysis.table import Table
from analysis.trimming import trim
from analysis.weight_steps import Plan, base_weights, nonresponse
from analysis.weighting import REPLICATED, read_margins, solve
from survey.errors import InputError
from survey.text import Text


def recipe_replicates(
    data: Table, design: Design, plan: Plan, count: int, seed: int = SEED
) -> tuple[dict[str, np.ndarray], tuple[Text, ...]]:
    """The columns ``rw_001`` … of all respondents, and what has to be said of them.

    A replicate in which a step cannot be made (a class lost its respondents, a margin cannot be met) is left out.

    Raises:
        Problems: design columns that cannot be used. InputError: no replicate can be made.
    """
    status, _ = statuses(data)
    base, _ = base_weights(data, design, plan.probability)
    units = replace(design, weight="", fpc=(), pps="", calibration=None, replicates=None)
    sample = lay(units, data, calibrated=False)
    factors, _, _ = make_factors(sample, Replicates("bootstrap"), count, seed)
    by_row = factors[sample.stages[0].unit[sample.unit]]
    answered = status == RESPONDENT
    respondents = data.filter(answered)
    rule = design.calibration
    margins = read_margins(rule, respondents) if rule is not None else None
    found = []
    for factor in by_row.T:
        weight, _, _ = _tried(data, base * factor, status, plan)
        if weight is None:
            continue
        column = weight[answered]
        there = column > 0
        try:
            if margins is not None and rule is not None:
                column = column.copy()
                column[there] = solve(column[there], replace(margins, x=margins.x[there]), rule)
            if plan.trim is not None and there.any():
                part = None if margins is None else replace(margins, x=margins.x[there])
                column[there] = trim(column[there], plan.trim, part, rule)[0]
        except InputError:
            continue
        found.append(column)
    if not found:
        raise InputError(
            "--replicates",
            Text("không lập được bộ quyền số lặp nào", "no replicate can be made"),
            Text("gộp lớp hoặc gộp nhóm của các tổng", "join classes, or categories of the margins"),
        )
    notes = [Text(f"{len(found)} bộ quyền số lặp", f"{len(found)} replicate weights repeat every step")]
    if len(found) < count:
        lost = count - len(found)
        notes.append(
            Text(
                f"{lost} bộ không lập được nên bỏ ra",
                f"{lost} could not be made (an empty class or margin) and are left out",
            )
        )
    return {f"{REPLICATED}{number:03d}": column for number, column in enumerate(found, 1)}, tuple(notes)


def _tried(data: Table, weight: np.ndarray, status: np.ndarray, plan: Plan) -> tuple[np.ndarray | None, object, object]:
    try:
        return nonresponse(data, weight, status, plan)
    except InputError:
        return None, None, None
