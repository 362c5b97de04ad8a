"""The weights of a survey, step by step: base, nonresponse, calibration, trimming; each with its diagnosis.

What a step adds to the variance: calibration is carried by the residuals of the estimates (analysis.calibration), with
the weights after nonresponse as those before it. Linearised, the factors for nonresponse are taken as given and
trimming has no term of its own; replicate weights that repeat the recipe (analysis.weight_replicates) have both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis.design import Calibration, Design
from analysis.layout import lay
from analysis.nonresponse import (
    RESPONDENT,
    Class,
    adjust,
    classes_of,
    propensity_classes,
    share_with_reserve,
    statuses,
)
from analysis.table import Table
from analysis.trimming import Trim, trim
from analysis.weighting import DISPOSITION, INTERVIEW, STEPS, WEIGHT, Margins, check_sums, read_margins, solve
from survey.errors import InputError, Problem, Problems
from survey.text import Text

COLUMNS = (INTERVIEW, *STEPS, WEIGHT)
WORDS = {
    "w_base": Text("quyền số gốc", "base weight"),
    "w_nonresponse": Text("sau hiệu chỉnh không trả lời", "after nonresponse"),
    "w_calibrated": Text("sau hiệu chỉnh theo tổng", "after calibration"),
    "weight": Text("cuối cùng", "final"),
}
SUBSTITUTED = Text(
    "chưa hiệu chỉnh không trả lời (--class, --propensity): người dự phòng coi như thay đúng người được chọn",
    "nonresponse not corrected (--class, --propensity): reserve units stand in for those they replaced",
)


@dataclass(frozen=True)
class Plan:
    """What to do. ``probability``: columns of stage probabilities (their product is inverted); ``classes``: columns of
    weighting classes; ``propensity``, ``numbers``: columns of the response propensity (categories, numbers), cut into
    ``groups`` classes; ``least``: respondents below which a class is called small.
    """

    probability: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    propensity: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    groups: int = 5
    least: int = 20
    trim: Trim | None = None


@dataclass(frozen=True)
class Weights:
    """The weights of all respondents.

    ``table`` has the columns of a weights file; ``steps`` one row a step (``n, sum, min, median, max, deff,
    n_effective``); ``margins`` each known total with the sums of weights before and after; ``classes`` those of the
    nonresponse step. ``findings`` want a person's eye.
    """

    table: pd.DataFrame
    steps: pd.DataFrame
    margins: pd.DataFrame
    classes: tuple[Class, ...] = ()
    findings: tuple[Problem, ...] = ()
    notes: tuple[Text, ...] = field(default=())


def make_weights(data: Table, design: Design, plan: Plan) -> Weights:
    """The weights of a sample: one row a unit that was gone to, with ``disposition`` where not all of them responded.

    Raises:
        Problems: columns that are missing or blank, probabilities that are none, margins that do not fit.
        InputError: no weights meet a margin, weights of 0 or below, a class without respondents.
    """
    _interviews(data)
    status, without = statuses(data)
    answered = status == RESPONDENT
    if not answered.any():
        raise InputError(
            f"{data.source}, column {DISPOSITION}",
            Text("không có người trả lời nào", "there are no respondents"),
            Text("kiểm tra mã kết quả", "check the dispositions"),
        )
    base, notes = base_weights(data, design, plan.probability)
    weight, classes, findings = nonresponse(data, base, status, plan)
    if without.any():
        findings.append(_unfinished(data, without))
    if not (plan.classes or plan.propensity or plan.numbers) and not answered.all():
        notes.append(SUBSTITUTED)
    respondents = data.filter(answered)
    columns = {"w_base": base[answered], "w_nonresponse": weight[answered]}
    rule = design.calibration
    margins = None
    columns["w_calibrated"] = columns["w_nonresponse"]
    if rule is not None:
        margins = read_margins(rule, respondents)
        check_sums(margins, rule)
        columns["w_calibrated"] = solve(columns["w_nonresponse"], margins, rule)
        _positive(columns["w_calibrated"], respondents, rule)
    columns[WEIGHT] = columns["w_calibrated"]
    if plan.trim is not None:
        columns[WEIGHT], trimmed, lost = trim(columns["w_calibrated"], plan.trim, margins, rule)
        notes.append(trimmed)
        findings += lost
    codes, names = respondents.labels(INTERVIEW)
    table = pd.DataFrame({INTERVIEW: np.array(names, dtype=object)[codes], **columns})
    steps = pd.DataFrame([{"column": name, **diagnosis(columns[name])} for name in (*STEPS, WEIGHT)])
    return Weights(table, steps, _margins(margins, columns), tuple(classes), tuple(findings), tuple(notes))


def diagnosis(weight: np.ndarray) -> dict[str, float]:
    """Number, sum and range of weights; Kish's design effect of weighting n Σw² / (Σw)² and n divided by it."""
    n, total = len(weight), float(weight.sum())
    deff = n * float(weight @ weight) / total**2
    return {
        "n": n,
        "sum": total,
        "min": float(weight.min()),
        "median": float(np.median(weight)),
        "max": float(weight.max()),
        "deff": deff,
        "n_effective": n / deff,
    }


def base_weights(data: Table, design: Design, probability: tuple[str, ...] = ()) -> tuple[np.ndarray, list[Text]]:
    """The weight of every row before anything is known of who responded, and a note of where it comes from.

    From the first of these that is there: the named ``probability`` columns, the base weight or the weight that the
    design names, ``w_base``, ``probability``, the stages' ``p_1, p_2, …``, the design's population counts.

    Raises:
        Problems: probabilities that are not above 0 and at most 1, weights that are not above 0. InputError: no source.
    """
    stages = sorted((name for name in data.names if re.fullmatch(r"p_\d+", name)), key=lambda name: int(name[2:]))
    given = design.calibration.base_weight if design.calibration else ""
    if probability:
        return _inverse(data, probability)
    for name in (given, design.weight if design.weight != WEIGHT else "", STEPS[0]):
        # A file that an earlier `survey weight` was joined to still holds its base weights: steps start from them.
        if name and name in data and name not in STEPS[1:]:
            return _positive_column(data, name), [_from(name)]
    if "probability" in data or stages:
        return _inverse(data, ("probability",) if "probability" in data else tuple(stages))
    if design.weight and design.weight in data:
        return _positive_column(data, design.weight), [_from(design.weight)]
    if design.fpc:
        # Counts alone make these weights; how the variance treats a stratum with one PSU is no matter here.
        counts = replace(design, weight="", lonely_psu="remove", collapse="", replicates=None)
        return lay(counts, data, calibrated=False).weight, [_from(", ".join(design.fpc))]
    raise InputError(
        data.source,
        Text("không có xác suất chọn hay quyền số gốc", "neither probabilities of selection nor base weights"),
        Text("nêu cột xác suất bằng --probability", "name the columns of probabilities with --probability"),
    )


def _from(columns: str) -> Text:
    return Text(f"quyền số gốc lấy từ {columns}", f"base weights from {columns}")


def _inverse(data: Table, columns: tuple[str, ...]) -> tuple[np.ndarray, list[Text]]:
    absent = [data.missing_column(name, "probability") for name in columns if name not in data]
    if absent:
        raise Problems(absent)
    # Drawn with replacement, a stage's expected number of hits may exceed 1; the product may not.
    stages = [_positive_column(data, name) for name in columns]
    product, named = np.prod(stages, axis=0), " × ".join(columns)
    large = product > 1 + 1e-12
    if large.any():
        raise InputError(
            f"{data.source}, column {named}, {data.rows_text(large)}",
            Text("xác suất lớn hơn 1", "a probability above 1"),
            Text("ghi xác suất từ trên 0 đến 1, không ghi phần trăm", "give probabilities up to 1, not per cent"),
        )
    return 1 / product, [Text(f"quyền số gốc = 1 / ({named})", f"base weights = 1 / ({named})")]


def _positive_column(data: Table, name: str) -> np.ndarray:
    values = data.numbers(name)
    wrong = ~(values > 0)
    if wrong.any():
        raise InputError(
            f"{data.source}, column {name}, {data.rows_text(wrong)}",
            Text("trống, hoặc không lớn hơn 0", "blank, or not above 0"),
            Text("sửa các ô này", "correct these cells"),
        )
    return values


def _interviews(data: Table) -> None:
    if INTERVIEW not in data:
        raise Problems([data.missing_column(INTERVIEW)])
    codes, _ = data.labels(INTERVIEW)
    blank = (codes < 0) & (DISPOSITION not in data)
    repeated = np.append(np.bincount(codes[codes >= 0]), 0)[codes] > 1
    for wrong, what in (
        (blank, Text("ô mã phiếu để trống", "the interview's id is blank")),
        (repeated, Text("một phiếu có hơn một dòng", "an interview has more than one row")),
    ):
        if wrong.any():
            raise InputError(
                f"{data.source}, column {INTERVIEW}, {data.rows_text(wrong)}",
                what,
                Text("mỗi phiếu một dòng và một mã riêng", "give each interview one row and an id of its own"),
            )


def _unfinished(data: Table, rows: np.ndarray) -> Problem:
    return Problem(
        f"{data.source}, column {INTERVIEW}, {data.rows_text(rows)}",
        Text(
            "đã phỏng vấn nhưng chưa có phiếu dùng được, tính như không trả lời",
            "interviewed, but without an interview that counts: taken as nonrespondents",
        ),
        Text("duyệt phiếu trước khi tính quyền số", "approve the interviews before making weights"),
    )


def nonresponse(
    data: Table, base: np.ndarray, status: np.ndarray, plan: Plan
) -> tuple[np.ndarray, list[Class], list[Problem]]:
    """The weights of all rows after nonresponse, the classes, and what wants a person's eye (:func:`make_weights`)."""
    by_propensity = bool(plan.propensity or plan.numbers)
    if not plan.classes and not by_propensity:
        return np.where(status == RESPONDENT, base, 0.0), [], []
    if plan.classes and by_propensity:
        raise InputError(
            "--class, --propensity",
            Text("chỉ dùng một trong hai cách", "these are two ways to do the same"),
            Text("bỏ một cách", "leave one of them out"),
        )
    if DISPOSITION not in data:
        problem = data.missing_column(DISPOSITION)
        raise InputError(
            problem.where,
            Text("không biết ai không trả lời: thiếu cột này", "without this column nobody is known not to respond"),
            Text(
                "thêm cả các đơn vị không trả lời, kèm mã kết quả AAPOR",
                "give the units that did not respond as well, with their AAPOR codes",
            ),
        )
    weight = share_with_reserve(data, base)
    if by_propensity:
        group, names = propensity_classes(data, plan.propensity, plan.numbers, status, weight, plan.groups)
    else:
        group, names = classes_of(data, plan.classes)
    return adjust(weight, status, group, names, plan.least)


def _positive(weight: np.ndarray, data: Table, rule: Calibration) -> None:
    wrong = weight <= 0
    if wrong.any():
        raise InputError(
            f"{data.source}, column w_calibrated, {data.rows_text(wrong)}",
            Text(
                f"hiệu chỉnh “{rule.method}” cho quyền số không lớn hơn 0",
                f"calibration by '{rule.method}' makes weights of 0 or below",
            ),
            Text(
                'dùng method = "raking", hoặc "logit" với bounds; xem lại các tổng bằng 0',
                'use method = "raking", or "logit" with bounds; look at totals of 0',
            ),
        )


def _margins(margins: Margins | None, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    if margins is None:
        return pd.DataFrame(columns=["variable", "category", "total", "before", "after"])
    parts = [name.partition(" = ") for name in margins.names]
    return pd.DataFrame(
        {
            "variable": [variable for variable, _, _ in parts],
            "category": [category for _, _, category in parts],
            "total": margins.totals,
            "before": margins.x.T @ columns["w_nonresponse"],
            "after": margins.x.T @ columns[WEIGHT],
        }
    )
