"""Trimming: weights above a cap are cut down to it, and what was cut goes to the others.

The cap stays that of the first look; sharing out pushes further weights over it, so both steps are repeated until
nothing changes (Potter 1990). With calibration the weights are calibrated again after each cut; where cap and margins
cannot both be had, the cap is kept and the margins lost are said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from analysis.design import Calibration
from analysis.weighting import Margins, solve
from survey.errors import InputError, Problem
from survey.text import Text, many

_ROUNDS = 200
_STABLE = 1e-9


@dataclass(frozen=True)
class Trim:
    """A cap: ``times`` the median weight, or the ``quantile`` of the weights (one of the two is given)."""

    times: float = 0.0
    quantile: float = 0.0

    def cap(self, weight: np.ndarray) -> float:
        """The largest weight allowed."""
        return float(np.quantile(weight, self.quantile) if self.quantile else self.times * np.median(weight))


def parse_trim(text: str) -> Trim:
    """``5`` is 5 times the median, ``99%`` the quantile of 99 %.

    Raises:
        InputError: anything else.
    """
    word = text.strip().replace(",", ".")
    try:
        if word.endswith("%") and 50 <= float(word[:-1]) < 100:
            return Trim(quantile=float(word[:-1]) / 100)
        if not word.endswith("%") and 1 < float(word) < np.inf:
            return Trim(times=float(word))
    except ValueError:
        pass
    raise InputError(
        f"--trim {text}",
        Text("không phải ngưỡng cắt", "no rule for trimming"),
        Text(
            "ghi 5 (5 lần trung vị, lớn hơn 1) hoặc 99% (phân vị, từ 50% đến dưới 100%)",
            "write 5 (5 times the median, above 1) or 99% (a quantile from 50% to below 100%)",
        ),
    )


def trim(
    weight: np.ndarray, rule: Trim, margins: Margins | None = None, calibration: Calibration | None = None
) -> tuple[np.ndarray, Text, list[Problem]]:
    """The trimmed weights, what was done, and the margins that were lost. Their sum stays.

    Raises:
        InputError: the cap is below the mean weight, so that nobody could take what is cut.
    """
    cap = rule.cap(weight)
    over = int((weight > cap * (1 + _STABLE)).sum())
    done = Text(f"cắt {over} quyền số ở ngưỡng {cap:.6g}", f"{many(over, 'weight')} trimmed at {cap:.6g}")
    if not over:
        return weight, done, []
    if cap * len(weight) < weight.sum():
        raise InputError(
            "--trim",
            Text(
                f"ngưỡng {cap:.6g} thấp hơn trung bình {weight.mean():.6g}",
                f"the cap {cap:.6g} is below the mean weight {weight.mean():.6g}",
            ),
            Text("tăng ngưỡng", "raise the cap"),
        )
    if margins is None or calibration is None:
        return _shared(weight, cap), done, []
    kept = _calibrated(weight, cap, margins, calibration)
    if kept is not None:
        return kept, Text(f"{done.vi}, các tổng được giữ", f"{done.en}, margins kept"), []
    found = _shared(weight, cap)
    off = np.abs(margins.x.T @ found - margins.totals) / np.maximum(np.abs(margins.totals), 1.0)
    worst = int(off.argmax())
    lost = Problem(
        f"margins, {margins.names[worst]}",
        Text(
            f"không giữ được các tổng dưới ngưỡng {cap:.6g}, lệch nhiều nhất {off[worst]:.2%}",
            f"the margins cannot be kept below the cap {cap:.6g}, at worst {off[worst]:.2%} off",
        ),
        Text("tăng ngưỡng cắt hoặc gộp nhóm", "raise the cap or join categories"),
    )
    return found, done, [lost]


def _shared(weight: np.ndarray, cap: float) -> np.ndarray:
    """Cut at the cap, what was cut given to the others in proportion, until nobody is above it."""
    total, capped = weight.sum(), np.zeros(len(weight), dtype=bool)
    found = weight
    while (found > cap * (1 + _STABLE)).any():
        capped |= found > cap
        rest = weight[~capped].sum()
        left = total - cap * capped.sum()
        found = np.where(capped, cap, weight * (left / rest if rest > 0 else 0.0))
    return found


def _calibrated(weight: np.ndarray, cap: float, margins: Margins, calibration: Calibration) -> np.ndarray | None:
    """Cut and calibrated again in turn; ``None`` where this does not settle."""
    method = "poststratify" if calibration.method == "poststratify" else "raking"
    again = replace(calibration, method=method, bounds=())
    found = weight
    for _ in range(_ROUNDS):
        try:
            found = solve(np.minimum(found, cap), margins, again)
        except InputError:
            return None
        if found.max() <= cap * (1 + _STABLE):
            return found
    return None
