"""A design laid on a table: columns checked, units numbered, lonely strata found.

:func:`lay` tells every problem at once: a missing column, blanks, weights that are not positive, a PSU in two strata,
a stratum with one PSU, a population count below the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.design import Design
from analysis.pps import CERTAIN, joint_matrix, quadratic, read_joint
from analysis.sample import Sample, Stage
from analysis.table import Table, cross, take
from survey.errors import InputError, Problem, Problems
from survey.text import Text, many

_TRUE = ("1", "true", "yes", "t", "y", "có", "x")


def lay(design: Design, data: Table, calibrated: bool = True) -> Sample:
    """``design`` laid on ``data``.

    ``calibrated`` false leaves the declared calibration out (as the step that makes the weights must).

    Raises:
        Problems: everything that is wrong with the design's columns.
    """
    rows = _Columns(design, data)
    rows.read()
    _raise(rows.problems)
    strata, units, counts = rows.stages()
    _raise(rows.problems)
    stages, names = _number(strata, units, counts, rows)
    _raise(rows.problems)
    weight = rows.weight if rows.weight is not None else _weights_of(stages, names.unit) / rows.drawn()
    sample = Sample(
        weight=weight,
        unit=names.unit,
        stages=tuple(stages),
        psu_names=names.psus,
        stratum_names=names.strata,
        lonely_psu=design.lonely_psu,
        lonely_domain=design.lonely_domain,
        df_rule=design.df,
        level=design.level,
    )
    if design.calibration is not None and calibrated:
        from analysis.weighting import calibrate

        sample = calibrate(sample, design, data)
    if design.replicates is not None:
        from analysis.replicates import replicate

        sample = replicate(sample, design, data)
    return sample


def _raise(problems: list[Problem]) -> None:
    if problems:
        raise Problems(problems)


@dataclass
class _Names:
    unit: np.ndarray
    psus: Sequence[str]
    strata: Sequence[str]


class _Columns:
    """The design's columns as codes and numbers, with what is wrong with them."""

    def __init__(self, design: Design, data: Table):
        self.design = design
        self.data = data
        self.problems: list[Problem] = []
        self.weight: np.ndarray | None = None
        self.probability: np.ndarray | None = None
        """With ``pps``, by row the inclusion probability of its PSU; NaN where that was taken with certainty."""

    def drawn(self) -> np.ndarray:
        """The chance of the first stage by row, as far as population counts do not say it."""
        found = np.ones(len(self.data)) if self.probability is None else self.probability
        return np.where(np.isnan(found), 1.0, found)

    def read(self) -> None:
        design = self.design
        for name, use in (
            *((design.weight, use) for use in ["weight"] if design.weight),
            *((name, "strata") for name in design.strata),
            *((name, "psu") for name in design.psu),
            *((name, "fpc") for name in design.fpc),
            *((design.certainty, use) for use in ["certainty"] if design.certainty),
            *((design.collapse, use) for use in ["collapse"] if design.collapse),
        ):
            if name not in self.data:
                self.problems.append(self.data.missing_column(name, use))
            elif use != "collapse":
                self._no_blanks(name, use)
        if len(design.fpc) > max(len(design.psu), 1) + (1 if design.psu else 0):
            self.problems.append(
                Problem(
                    "fpc",
                    Text("nhiều cột fpc hơn số giai đoạn chọn mẫu", "more fpc columns than stages of sampling"),
                    Text("mỗi giai đoạn một cột", "give one column a stage"),
                )
            )
        if design.weight and design.weight in self.data:
            self.weight = self._positive(design.weight, Text("quyền số", "weight"))
        self.counts = [
            self._positive(name, Text("số đơn vị trong tổng thể", "population count"))
            for name in design.fpc
            if name in self.data
        ]
        if design.pps and self.counts and self.counts[0] is not None:
            self._at_most_one(design.fpc[0], self.counts[0])

    def _at_most_one(self, name: str, values: np.ndarray) -> None:
        bad = values > 1 + 1e-9
        if bad.any():
            self.problems.append(
                Problem(
                    f"{self.data.source}, column {name}, {self.data.rows_text(bad)}",
                    Text("xác suất chọn lớn hơn 1", "an inclusion probability above 1"),
                    Text("với pps, cột đầu của fpc là xác suất", "with pps the first column of fpc is a probability"),
                )
            )

    def _no_blanks(self, name: str, use: str) -> None:
        blank = self.data.blank(name)
        if blank.any():
            self.problems.append(
                Problem(
                    f"{self.data.source}, column {name} ({use}), {self.data.rows_text(blank)}",
                    Text("ô trống trong cột của thiết kế mẫu", "a design column has blank cells"),
                    Text(
                        "điền giá trị hoặc bỏ các dòng này có lý do",
                        "fill them in, or leave these rows out for a reason",
                    ),
                )
            )

    def _positive(self, name: str, what: Text) -> np.ndarray | None:
        try:
            values = self.data.numbers(name)
        except InputError as error:
            self.problems.append(error.problem)
            return None
        bad = values <= 0
        if bad.any():
            self.problems.append(
                Problem(
                    f"{self.data.source}, column {name}, {self.data.rows_text(bad)}",
                    Text(f"{what.vi} phải lớn hơn 0", f"a {what.en} must be above 0"),
                    Text("sửa các giá trị này", "correct these values"),
                )
            )
        return values

    def stages(self) -> tuple[tuple[np.ndarray, list[str]], list[tuple[np.ndarray, list[str]]], list[np.ndarray]]:
        """Stratum, unit of each stage, population count of each stage, by row; certainty units moved one stage down."""
        design, data, n = self.design, self.data, len(self.data)
        strata, crossed = cross([data.labels(name) for name in design.strata], n)
        stratum = (strata, ["|".join(parts) for parts in crossed])
        units: list[tuple[np.ndarray, list[str]]] = [data.labels(name) for name in design.psu] or [self._rows()]
        if design.psu:
            units[0] = self._nested(stratum, units[0])
        if design.collapse and design.lonely_psu == "collapse":
            stratum = self._collapse(stratum, units[0][0])
        depth = max(1, len(design.fpc))
        if len(units) < depth:
            units.append(self._rows())
        counts = [count for count in self.counts if count is not None]
        while len(counts) < depth:
            counts.append(np.full(n, np.inf))
        certain = self._flags() if design.certainty else np.zeros(n, dtype=bool)
        if design.pps:
            certain = certain | (counts[0] >= CERTAIN)
            self.probability = np.where(certain, np.nan, counts[0])
            counts = [np.full(n, np.inf), *counts[1:]]
        if certain.any():
            stratum, units, counts = self._certain(certain, stratum, [*units, self._rows()], counts)
        return stratum, units[:depth], counts

    def _rows(self) -> tuple[np.ndarray, list[str]]:
        """Rows as units. Rows of two rounds with one number are not the same unit (see analysis.score_file.ROW)."""
        return np.arange(len(self.data)), [f"#{place}" for place in self.data.places]

    def _nested(
        self, stratum: tuple[np.ndarray, list[str]], psu: tuple[np.ndarray, list[str]]
    ) -> tuple[np.ndarray, list[str]]:
        """PSU ids made one of a kind: within their stratum with ``nest``, else checked to lie in one stratum only."""
        both, pairs = cross([(psu[0], psu[1]), (stratum[0], stratum[1])], len(self.data))
        if self.design.nest:
            return both, [f"{h}/{i}" if h else i for i, h in pairs]
        found: dict[str, list[str]] = {}
        for i, h in pairs:
            found.setdefault(i, []).append(h)
        twice = {i: hs for i, hs in found.items() if len(hs) > 1}
        if twice:
            shown = "; ".join(f"{i}: {', '.join(hs[:5])}" for i, hs in list(twice.items())[:5])
            bad = take(np.array([name in twice for name in psu[1]], dtype=bool), psu[0], False)
            self.problems.append(
                Problem(
                    f"{self.data.source}, column {self.design.psu[0]}, {self.data.rows_text(bad)}",
                    Text(
                        f"{len(twice)} đơn vị chọn mẫu nằm trong hơn một tầng ({shown})",
                        f"{len(twice)} PSU in more than one stratum ({shown})",
                    ),
                    Text(
                        "đặt nest = true nếu mã được dùng lại trong mỗi tầng, hoặc sửa mã",
                        "set nest = true if the ids start anew in each stratum, or correct them",
                    ),
                )
            )
        return psu

    def _collapse(self, stratum: tuple[np.ndarray, list[str]], psu: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Lonely strata take the name of the stratum that their rows say they join."""
        codes, names = stratum
        pairs = np.unique(np.column_stack([codes, psu]), axis=0)
        lonely = np.bincount(pairs[:, 0], minlength=len(names)) == 1
        targets, target_names = self.data.labels(self.design.collapse)
        every = list(dict.fromkeys([*names, *target_names]))
        place = {name: k for k, name in enumerate(every)}
        moved = take(np.array([place[name] for name in target_names], dtype=np.int64), targets, -1)
        own = np.array([place[name] for name in names], dtype=np.int64)[codes]
        joined = np.where(lonely[codes] & (moved >= 0), moved, own)
        kept, dense = np.unique(joined, return_inverse=True)
        return dense.reshape(len(codes)), [every[k] for k in kept]

    def _flags(self) -> np.ndarray:
        flags, words = self.data.labels(self.design.certainty)
        return take(np.array([word.casefold() in _TRUE for word in words], dtype=bool), flags, False)

    def _certain(
        self,
        certain: np.ndarray,
        stratum: tuple[np.ndarray, list[str]],
        units: list[tuple[np.ndarray, list[str]]],
        counts: list[np.ndarray],
    ) -> tuple[tuple[np.ndarray, list[str]], list[tuple[np.ndarray, list[str]]], list[np.ndarray]]:
        """A PSU drawn with certainty is a stratum of its own, and its variance units are those of the next stage."""
        psu, psu_names = units[0]
        within_codes, within = cross(
            [(stratum[0], stratum[1]), (np.where(certain, psu + 1, 0), ["", *psu_names])], len(certain)
        )
        shifted: list[tuple[np.ndarray, list[str]]] = []
        for k in range(len(units) - 1):
            here, below = units[k], units[k + 1]
            shifted.append((np.where(certain, below[0] + len(here[1]), here[0]), [*here[1], *below[1]]))
        own = [
            np.where(certain, below, here)
            for here, below in zip(counts, [*counts[1:], np.full(len(certain), np.inf)], strict=True)
        ]
        return (within_codes, [f"{h}/{i}" if i else h for h, i in within]), shifted, own


def _number(
    stratum: tuple[np.ndarray, list[str]],
    units: list[tuple[np.ndarray, list[str]]],
    counts: list[np.ndarray],
    rows: _Columns,
) -> tuple[list[Stage], _Names]:
    """Units numbered in the order stratum, PSU, next stage, …, and what each stage contributes."""
    keys = [stratum[0], *(codes for codes, _ in units)]
    order = np.lexsort(tuple(reversed(keys)))
    changed = np.zeros(len(order), dtype=bool)
    levels = []
    for key in keys:
        values = key[order]
        changed = changed | np.r_[True, values[1:] != values[:-1]][: len(values)]
        levels.append(np.cumsum(changed) - 1)
    finest = levels[-1]
    first = np.flatnonzero(np.r_[True, finest[1:] != finest[:-1]][: len(finest)])
    unit = np.empty(len(order), dtype=np.int64)
    unit[order] = finest
    stages: list[Stage] = []
    above = np.ones(int(levels[0][-1]) + 1 if len(order) else 0)
    for k in range(len(units)):
        level, parent = levels[k + 1], levels[k]
        starts = np.flatnonzero(np.r_[True, level[1:] != level[:-1]][: len(level)])
        inside = parent[starts]
        size = np.bincount(inside, minlength=len(above))
        low, high = _ends(counts[k][order], parent, len(above))
        names = (
            [str(units[k - 1][1][i]) for i in keys[k][order][_first_of(parent)]]
            if k
            else _picked(stratum, order, parent)
        )
        _check_counts(rows, k, names, low, high, size)
        fraction = np.where(np.isfinite(low), size / low, 0.0)
        scale = above * (1 - fraction)
        matrices: dict[int, np.ndarray] = {}
        if k == 0 and rows.probability is not None:
            chance, labels = rows.probability[order][starts], [units[0][1][i] for i in keys[1][order][starts]]
            matrices = _unequal(rows, order, level, inside, chance, labels)
            scale[list(matrices)] = 0.0
        alone = (size == 1) & (scale > 0)
        alone[[h for h in matrices if size[h] == 1]] = True
        if (
            rows.design.lonely_psu in ("error", "collapse")
            and alone.any()
            and (k == 0 or np.isfinite(low[alone]).any())
        ):
            there = np.empty(len(order), dtype=bool)
            there[order] = alone[parent]
            _lonely(rows, k, [names[i] for i in np.flatnonzero(alone)], there)
        stages.append(Stage(level[first], inside, size, scale, fraction, matrices))
        above = (above * fraction)[inside]
        if matrices:
            above = np.where(np.isnan(chance), above, chance)
    psus = _picked(units[0], order, levels[1])
    return stages, _Names(unit, psus, _picked(stratum, order, levels[0]))


def _unequal(
    rows: _Columns,
    order: np.ndarray,
    level: np.ndarray,
    stratum: np.ndarray,
    chance: np.ndarray,
    labels: list[str],
) -> dict[int, np.ndarray]:
    """The variance of each stratum whose PSUs were drawn by size without replacement, as a matrix."""
    assert rows.probability is not None
    design, data = rows.design, rows.data
    low, high = _ends(np.nan_to_num(rows.probability)[order], level, len(chance))
    varies = [labels[i] for i in np.flatnonzero(low != high)]
    if varies:
        shown = ", ".join(varies[:5])
        rows.problems.append(
            Problem(
                f"{data.source}, column {design.fpc[0]} (fpc)",
                Text(f"xác suất không thống nhất trong {shown}", f"the probability differs within {shown}"),
                Text("mỗi đơn vị bậc một chỉ có một xác suất", "a PSU has one probability"),
            )
        )
        return {}
    pairs = read_joint(design.joint) if design.pps == "joint" else {}
    found = {}
    for h in np.unique(stratum[np.isfinite(chance)]).tolist():
        inside = np.flatnonzero(stratum == h)
        names = [labels[i].rpartition("/")[2] if design.nest else labels[i] for i in inside]
        joint = joint_matrix(pairs, names) if design.pps == "joint" else None
        found[h] = quadratic(design.pps, design.pps_variance, chance[inside], joint)
    return found


def _first_of(level: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.r_[True, level[1:] != level[:-1]][: len(level)])


def _picked(coded: tuple[np.ndarray, list[str]], order: np.ndarray, level: np.ndarray) -> list[str]:
    codes, names = coded
    return [names[k] for k in codes[order][_first_of(level)]]


def _ends(values: np.ndarray, group: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    if not len(values):
        return np.zeros(0), np.zeros(0)
    starts = _first_of(group)
    return np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)


def _check_counts(
    rows: _Columns, stage: int, names: list[str], low: np.ndarray, high: np.ndarray, size: np.ndarray
) -> None:
    if stage >= len(rows.design.fpc):
        return
    column = f"{rows.data.source}, column {rows.design.fpc[stage]} (fpc)"
    varies = [names[i] for i in np.flatnonzero(low != high)]
    if varies:
        shown = ", ".join(varies[:5])
        rows.problems.append(
            Problem(
                column,
                Text(f"số đơn vị không thống nhất trong {shown}", f"the count differs within {shown}"),
                Text("mỗi tầng chỉ có một số đơn vị", "a stratum has one count"),
            )
        )
    small = [f"{names[i]} ({low[i]:g} < {size[i]})" for i in np.flatnonzero(low < size)]
    if small:
        shown = ", ".join(small[:5])
        rows.problems.append(
            Problem(
                column,
                Text(f"số đơn vị tổng thể nhỏ hơn mẫu: {shown}", f"population count below the sample: {shown}"),
                Text(
                    "ghi số đơn vị của tổng thể, không phải tỷ lệ", "give the count in the population, not a fraction"
                ),
            )
        )


def _lonely(rows: _Columns, stage: int, names: list[str], there: np.ndarray) -> None:
    shown = ", ".join(name or "(…)" for name in names[:5]) + (", …" if len(names) > 5 else "")
    column = (rows.design.strata[0] if rows.design.strata else "strata") if stage == 0 else rows.design.psu[stage - 1]
    rows.problems.append(
        Problem(
            f"{rows.data.source}, column {column}, {rows.data.rows_text(there)}",
            Text(
                f"{len(names)} tầng chỉ có một đơn vị chọn mẫu: {shown}",
                f"{many(len(names), 'stratum', 'strata')} with a single sampled unit: {shown}",
            ),
            Text(
                'gộp tầng (lonely_psu = "collapse") hoặc chọn adjust, average, certainty, remove',
                'join strata (lonely_psu = "collapse") or choose adjust, average, certainty, remove',
            ),
        )
    )


def _weights_of(stages: Sequence[Stage], unit: np.ndarray) -> np.ndarray:
    """Inverse sampling fractions of all stages, from the population counts; 1 where there are none."""
    weight = np.ones(len(stages[-1].unit))
    for stage in stages:
        fraction = stage.fraction[stage.stratum]
        weight = weight / np.where(fraction > 0, fraction, 1.0)[stage.unit]
    return weight[unit]
