"""Weights: joined from a file, or calibrated to known margins with what that leaves for the variance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.calibration import Calibrated
from analysis.design import Calibration, Design, Replicates
from analysis.reading import read_table, rows_of
from analysis.sample import Sample
from analysis.table import Table, cross, take, text_of
from survey.errors import InputError, Problem, Problems
from survey.text import Text

INTERVIEW, DISPOSITION, WEIGHT = "interview", "disposition", "weight"
REPLICATED = "rw_"
"""How the columns of replicate weights begin that ``survey weight --replicates`` writes."""
STEPS = ("w_base", "w_nonresponse", "w_calibrated")
"""The columns that ``survey weight`` writes between ``interview`` and ``weight``, one a step."""
EVERYONE = "1"
"""The variable of a margin that counts everyone."""
_ROUNDS = 200
_EXACT = 1e-12
_ROUNDING = 1e-8


def join_weights(data: Table, weights: Table) -> Table:
    """``data`` with the column ``weight`` of a weights file, and those of the steps to it where the file has them,
    joined by ``interview``. Rows without an interview leave where ``disposition`` says what became of them: they are
    of the sample that the weights were made from, and have no answers.

    Raises:
        Problems: a column is missing, an interview has no weight or two of them.
    """
    problems = [table.missing_column(INTERVIEW) for table in (data, weights) if INTERVIEW not in table]
    if WEIGHT not in weights:
        problems.append(weights.missing_column(WEIGHT))
    if problems:
        raise Problems(problems)
    codes, names = weights.labels(INTERVIEW)
    if len(np.unique(codes)) < len(codes):
        repeated = np.bincount(codes[codes >= 0])[codes] > 1
        raise InputError(
            f"{weights.source}, column {INTERVIEW}, {weights.rows_text(repeated)}",
            Text("một phiếu có hơn một quyền số", "an interview has more than one weight"),
            Text("mỗi phiếu một dòng", "give each interview one row"),
        )
    place_of = {names[code]: row for row, code in enumerate(codes) if code >= 0}
    if DISPOSITION in data:
        data = data.filter(data.labels(INTERVIEW)[0] >= 0)
    wanted, interviews = data.labels(INTERVIEW)
    places = take(np.array([place_of.get(name, -1) for name in interviews], dtype=np.int64), wanted, -1)
    columns = [name for name in (*STEPS, WEIGHT) if name in weights]
    columns += [name for name in weights.names if name.startswith(REPLICATED)]
    found = {name: take(weights.numbers(name), places, np.nan) for name in columns}
    without = np.isnan(found[WEIGHT])
    if without.any():
        raise InputError(
            f"{data.source}, column {INTERVIEW}, {data.rows_text(without)}",
            Text(f"phiếu không có quyền số trong {weights.source}", f"interviews without a weight in {weights.source}"),
            Text("tính lại quyền số cho đủ các phiếu", "make the weights again for all interviews"),
        )
    return data.with_columns(found)


def joined_design(design: Design, weights: Table) -> Design:
    """``design`` for data whose weights come from a file: the column ``weight``; where ``survey weight`` made it, its
    calibration is done, and the variance is that of the residuals under the weights before it.
    """
    if any(name.startswith(REPLICATED) for name in weights.names):
        given = Replicates("given", f"{REPLICATED}*", mse=True)
        return replace(design, weight=WEIGHT, calibration=None, replicates=given)
    rule = design.calibration
    if rule is not None and _is_calibrated(weights) and not (rule.already_applied and rule.base_weight):
        rule = replace(rule, already_applied=True, base_weight=STEPS[1])
    return replace(design, weight=WEIGHT, calibration=rule)


def _is_calibrated(weights: Table) -> bool:
    """Whether the file's steps are there and the one of calibration did something."""
    before, after = STEPS[1:]
    if before not in weights or after not in weights:
        return False
    return not np.allclose(weights.numbers(before), weights.numbers(after), rtol=1e-12, atol=0)


@dataclass(frozen=True)
class Margins:
    """Known totals: one column of ``x`` each, and what they are called."""

    x: np.ndarray
    totals: np.ndarray
    names: tuple[str, ...]
    variables: np.ndarray
    """Which margin each column belongs to, numbered from 0."""

    def variable(self, number: int) -> str:
        """The name of a margin's variable."""
        return self.names[int(np.argmax(self.variables == number))].partition(" = ")[0]

    def is_partition(self, number: int) -> bool:
        """Whether a margin has categories, so that its totals add up to the population."""
        return " = " in self.names[int(np.argmax(self.variables == number))]


def calibrate(sample: Sample, design: Design, data: Table) -> Sample:
    """``sample`` with weights that meet the design's margins, and the calibration variables for the variance.

    With ``already_applied`` the weights stay, and ``base_weight`` names those before.

    Raises:
        Problems: margins that do not fit the data; InputError: no weights meet a margin (which is named).
    """
    rule = design.calibration
    assert rule is not None
    margins = read_margins(rule, data)
    if not rule.already_applied:
        check_sums(margins, rule)
    before = data.numbers(rule.base_weight) if rule.base_weight else sample.weight
    after = sample.weight if rule.already_applied else solve(before, margins, rule)
    swept = margins.variables if rule.variance == "sweeps" else None
    reference = np.ones(len(before)) if rule.variance == "sweeps" else before
    return replace(sample, weight=after, calibrated=Calibrated(margins.x, reference, after, swept))


def read_margins(rule: Calibration, data: Table) -> Margins:
    """The margins of a calibration (a file, or rows ``variable, category, total``) laid on the data.

    ``variable`` may cross several columns (``province*sex``, categories ``01|female``); a blank category means the
    total of a numeric column, and the variable ``1`` stands for everyone: its total is the size of the population,
    which a calibration on numbers alone needs as its intercept. Every category of the data must have its total,
    and every total its category.
    """
    file = read_table(rule.margins) if isinstance(rule.margins, str) else None
    rows: Sequence[Mapping[str, Any]] = rule.margins if file is None else rows_of(file)
    number_of = data.number if file is None else file.number
    lacking = [name for name in ("variable", "category", "total") if rows and name not in rows[0]]
    if lacking or not rows:
        raise InputError(
            "margins",
            Text(f"thiếu cột {', '.join(lacking)}", f"without the column {', '.join(lacking)}")
            if lacking
            else Text("bảng không có dòng nào", "the table has no rows"),
            Text("ghi các cột variable, category, total", "give the columns variable, category, total"),
        )
    problems: list[Problem] = []
    wanted: dict[str, dict[str, float]] = {}
    for number, row in enumerate(rows, 2):
        total = number_of(str(row.get("total", "")))
        if not total >= 0:
            problems.append(
                Problem(
                    f"margins, row {number}, column total",
                    Text("không phải số không âm", "not a number of at least 0"),
                    Text("ghi tổng số đã biết", "give the known total"),
                )
            )
        variable, category = text_of(row.get("variable")), text_of(row.get("category"))
        if category in wanted.setdefault(variable, {}):
            problems.append(
                Problem(
                    f"margins, row {number}, {variable} = {category}",
                    Text("nhóm này đã có ở dòng trên", "this category stands above already"),
                    Text("mỗi nhóm một dòng", "give each category one row"),
                )
            )
        wanted[variable][category] = total
    columns, totals, names, variables = [], [], [], []
    for number, (variable, categories) in enumerate(wanted.items()):
        everyone = variable == EVERYONE and set(categories) == {""} and variable not in data
        parts = [] if everyone else variable.split("*")
        absent = [data.missing_column(part, "margins") for part in parts if part not in data]
        if absent:
            problems += absent
        elif set(categories) == {""}:
            blank = np.zeros(0, bool) if everyone else data.blank(variable)
            problems += [_blank(variable, blank, data)] if blank.any() else []
            columns.append(np.ones(len(data)) if everyone else data.numbers(variable))
            totals.append(categories[""])
            names.append(variable)
            variables.append(number)
        else:
            codes, crossed = cross([data.labels(part) for part in parts], len(data))
            found = ["|".join(name) for name in crossed]
            problems += _differences(variable, found, categories, codes, data)
            for k, category in enumerate(found):
                columns.append((codes == k).astype(float))
                totals.append(categories.get(category, np.nan))
                names.append(f"{variable} = {category}")
                variables.append(number)
    if problems:
        raise Problems(problems)
    return Margins(np.column_stack(columns), np.array(totals), tuple(names), np.array(variables))


def _differences(
    variable: str, found: Sequence[str], wanted: Mapping[str, float], codes: np.ndarray, data: Table
) -> list[Problem]:
    problems = []
    unknown = [k for k, name in enumerate(found) if name not in wanted]
    unmet = [name for name, total in wanted.items() if name not in found and total > 0]
    if unknown:
        shown = _listed([found[k] for k in unknown])
        problems.append(
            Problem(
                f"{data.source}, column {variable}, {data.rows_text(np.isin(codes, unknown))}",
                Text(f"bảng tổng không có nhóm: {shown}", f"categories without a total in the margins: {shown}"),
                _CORRECT,
            )
        )
    if unmet:
        shown = _listed(unmet)
        problems.append(
            Problem(
                f"margins, {variable}",
                Text(f"có tổng nhưng không có trong dữ liệu: {shown}", f"with a total but not in the data: {shown}"),
                _CORRECT,
            )
        )
    return [*problems, _blank(variable, codes < 0, data)] if (codes < 0).any() else problems


_CORRECT = Text("sửa bảng tổng hoặc gộp nhóm", "correct the margins or join categories")


def _blank(variable: str, blank: np.ndarray, data: Table) -> Problem:
    return Problem(
        f"{data.source}, column {variable}, {data.rows_text(blank)}",
        Text("ô trống trong biến hiệu chỉnh", "a calibration variable is blank"),
        Text("điền giá trị", "fill in the values"),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def check_sums(margins: Margins, rule: Calibration) -> None:
    """Raises InputError where the categories of two variables add up to different totals, which no weights meet, or
    where post-strata are not one variable with categories."""
    whole = [k for k in range(int(margins.variables.max()) + 1) if margins.is_partition(k)]
    if rule.method == "poststratify" and (len(whole) != 1 or margins.variables.max() > 0):
        raise InputError(
            "margins",
            Text("phân tầng sau cần đúng một biến có nhóm", "post-stratification takes one variable with categories"),
            Text("ghép biến bằng dấu * (sex*age), hoặc dùng raking", "cross them (sex*age), or use raking"),
        )
    sums = {margins.variable(k): margins.totals[margins.variables == k].sum() for k in whole}
    if sums and max(sums.values()) - min(sums.values()) > _ROUNDING * max(sums.values()):
        shown = ", ".join(f"{name} {total:.10g}" for name, total in sums.items())
        raise InputError(
            "margins",
            Text(f"các biến cộng lại không bằng nhau: {shown}", f"the variables add up to different totals: {shown}"),
            Text("sửa các tổng, hoặc quy về cùng một tổng", "correct the totals, or scale them to the same sum"),
        )


def solve(before: np.ndarray, margins: Margins, rule: Calibration) -> np.ndarray:
    """The weights closest to ``before`` that meet the margins, in the distance of ``rule`` (Deville & Särndal 1992).

    Raises InputError naming the margin that is met worst, when none are found.
    """
    if rule.method == "poststratify":
        cells = margins.x.T @ before
        return before * (margins.x @ (margins.totals / np.where(cells > 0, cells, 1.0)))
    ratio, slope = _distance(rule)
    size = np.maximum(np.abs(margins.x).max(axis=0), 1e-300)
    x, totals = margins.x / size, margins.totals / size
    scale = np.maximum(np.abs(totals), 1.0)
    multiplier = np.zeros(x.shape[1])
    gap = totals - x.T @ before
    for _ in range(_ROUNDS):
        if np.all(np.abs(gap) <= _EXACT * scale):
            break
        u = x @ multiplier
        step = np.linalg.pinv(x.T @ (x * (before * slope(u))[:, None]), hermitian=True) @ gap
        worst = np.abs(gap / scale).max()
        for _ in range(30):  # a step too far is halved: the exponential distance overshoots from a bad start
            tried = multiplier + step
            left = totals - x.T @ (before * ratio(x @ tried))
            if np.isfinite(left).all() and np.abs(left / scale).max() < worst:
                break
            step = step / 2
        else:
            break
        multiplier, gap = tried, left
    off = np.abs(gap) / scale
    if off.max() > 1e-9:
        name = margins.names[int(off.argmax())]
        short = abs(gap[int(off.argmax())] * size[int(off.argmax())])
        raise InputError(
            f"margins, {name}",
            Text(f"hiệu chỉnh không hội tụ, còn lệch {short:.6g}", f"calibration does not converge, {short:.6g} off"),
            Text("kiểm tra tổng, gộp nhóm hoặc nới giới hạn", "check the totals, join categories or widen the bounds"),
        )
    return before * ratio(x @ multiplier)


def _distance(rule: Calibration) -> tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """``F`` with g = F(x'λ), and its derivative."""
    low, high = rule.bounds or (0.0, np.inf)
    if rule.method == "linear":
        return lambda u: 1 + u, np.ones_like
    if rule.method == "raking":
        return lambda u: np.exp(np.minimum(u, 700)), lambda u: np.exp(np.minimum(u, 700))
    if rule.method == "bounded":
        return lambda u: np.clip(1 + u, low, high), lambda u: ((1 + u > low) & (1 + u < high)).astype(float)
    scale = (high - low) / ((1 - low) * (high - 1))

    def logit(u: np.ndarray) -> np.ndarray:
        e = np.exp(np.clip(scale * u, -700, 700))
        return (low * (high - 1) + high * (1 - low) * e) / (high - 1 + (1 - low) * e)

    def slope(u: np.ndarray) -> np.ndarray:
        g = logit(u)
        return scale * (g - low) * (high - g) / (high - low)

    return logit, slope
