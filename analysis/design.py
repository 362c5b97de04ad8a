"""The design of a survey, declared once and taken by every estimate.

``Design`` names columns; laid on a table it becomes a :class:`analysis.sample.Sample`, after every column has been
checked and every problem has been told at once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from survey.errors import InputError, Problem, Problems
from survey.text import Text

LONELY = ("error", "adjust", "average", "certainty", "remove", "collapse")
METHODS = ("poststratify", "raking", "linear", "logit", "bounded")
VARIANCES = ("regression", "sweeps")
PPS = ("", "brewer", "overton", "hartley_rao", "joint")
FORMS = ("YG", "HT")
REPLICATES = ("JK1", "JKn", "BRR", "Fay", "bootstrap", "SDR", "given")


@dataclass(frozen=True)
class Calibration:
    """How the weights were, or shall be, calibrated to known margins.

    ``margins`` is a file (or, in Python, rows) of ``variable, category, total``; ``bounds`` limit the ratio of the
    weights after and before (methods ``logit`` and ``bounded``); ``variance`` is ``regression``, or ``sweeps`` for
    that of R's ``rake()``.
    """

    method: str = "raking"
    already_applied: bool = False
    base_weight: str = ""
    margins: Any = ""
    bounds: tuple[float, ...] = ()
    variance: str = "regression"


@dataclass(frozen=True)
class Replicates:
    """Replicate weights: columns of the data (``given``) or a way to make them."""

    type: str = "given"
    columns: str = ""
    scale: float | None = None
    rscales: tuple[float, ...] = ()
    mse: bool = False
    combined: bool = True


@dataclass(frozen=True)
class Sensitivity:
    """Coarser variance units, whose interval is shown beside the design's own (where the finer ones are debatable)."""

    strata: tuple[str, ...] = ()
    psu: tuple[str, ...] = ()


@dataclass(frozen=True)
class Publication:
    """From how many respondents and sampled units on a figure is published, and whether the next smallest cell of a
    family is hidden with a single small one."""

    least_n: int = 15
    least_psu: int = 2
    complementary: bool = True

    @classmethod
    def of(cls, round: Mapping[str, Any]) -> Publication | None:
        """The rule that a round's document declares (``publication``); None where it declares none."""
        told = round.get("publication")
        if not isinstance(told, Mapping):
            return None
        return cls(
            int(told.get("least_n", cls.least_n)),
            int(told.get("least_psu", cls.least_psu)),
            bool(told.get("complementary", cls.complementary)),
        )


@dataclass(frozen=True)
class Design:
    """Which columns hold weight, strata, PSU stages and population counts, and the rules for intervals.

    ``strata`` are crossed when several; ``psu`` are the stages, the first is the variance unit; no ``psu`` means that
    each row is one. ``fpc`` holds the population *count* of each stage; without it PSUs count as drawn with
    replacement. Without ``weight`` the weights follow from ``fpc``, or are all 1. With ``pps`` the first column of
    ``fpc`` holds the *inclusion probability* of the PSU, drawn without replacement (:mod:`analysis.pps`).
    """

    weight: str = ""
    strata: tuple[str, ...] = ()
    psu: tuple[str, ...] = ()
    fpc: tuple[str, ...] = ()
    certainty: str = ""
    pps: str = ""
    pps_variance: str = "YG"
    joint: Any = ""
    nest: bool = False
    lonely_psu: str = "error"
    collapse: str = ""
    lonely_domain: bool = False
    df: str = "domain"
    level: float = 0.95
    calibration: Calibration | None = None
    replicates: Replicates | None = None
    sensitivity: Sensitivity | None = None
    publication: Publication | None = None

    def __init__(self, weight: str | None = "", strata: Any = (), psu: Any = (), fpc: Any = (), **rest: Any):
        known = {field.name: field.default for field in fields(self)}
        for name in rest:
            if name not in known:
                raise TypeError(f"Design has no {name!r}")
        values = {**known, **rest, "weight": weight or "", "strata": _names(strata), "psu": _names(psu)}
        values["fpc"] = _names(fpc)
        for name, value in values.items():
            object.__setattr__(self, name, value)
        problems = list(self._problems("Design"))
        if problems:
            raise Problems(problems)

    def _problems(self, where: str) -> list[Problem]:
        found = []
        options = {"lonely_psu": LONELY, "df": ("domain", "design"), "pps": PPS, "pps_variance": FORMS}
        for name, allowed in options.items():
            value = getattr(self, name)
            if value not in allowed:
                found.append(_not_one_of(f"{where}, {name}", value, allowed))
        if not 0 < self.level < 1:
            found.append(
                Problem(
                    f"{where}, level",
                    Text(f"{self.level} không nằm giữa 0 và 1", f"{self.level} is not between 0 and 1"),
                    Text("ví dụ 0.95", "for example 0.95"),
                )
            )
        if self.pps and not self.fpc:
            found.append(
                Problem(
                    f"{where}, fpc",
                    Text("pps cần cột xác suất chọn của đơn vị bậc một", "pps needs the PSU's inclusion probability"),
                    Text("ghi cột đó ở vị trí đầu của fpc", "name its column first in fpc"),
                )
            )
        if self.pps == "joint" and isinstance(self.joint, str) and not self.joint:
            found.append(
                Problem(
                    f"{where}, joint",
                    Text("pps = joint nhưng thiếu tệp xác suất của từng cặp", "pps = joint names no file of pairs"),
                    Text('thêm joint = "pairs.csv" (psu, other, probability)', 'add joint = "pairs.csv"'),
                )
            )
        if self.lonely_psu == "collapse" and not self.collapse:
            found.append(
                Problem(
                    f"{where}, collapse",
                    Text("lonely_psu = collapse nhưng thiếu cột gộp", "lonely_psu = collapse names no column"),
                    Text("ghi cột nêu tầng được gộp vào", "name the column with the stratum to join"),
                )
            )
        return found


def load_design(path: str | Path) -> Design:
    """The design of a ``design.toml`` (or of a folder that holds one).

    Raises:
        Problems: unknown keys, wrong kinds of values, words that are not options; all of them at once.
    """
    file = Path(path)
    file = file / "design.toml" if file.is_dir() else file
    if not file.is_file():
        raise InputError(
            str(file),
            Text("không có tệp thiết kế mẫu này", "there is no such design file"),
            Text("kiểm tra đường dẫn", "check the path"),
        )
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            str(file),
            Text(f"không đúng dạng TOML ({error})", f"not valid TOML ({error})"),
            Text("sửa dòng này", "correct it"),
        ) from None
    calibration = settings.get("calibration")
    if isinstance(calibration, dict) and isinstance(calibration.get("margins"), str):
        calibration["margins"] = str(file.parent / calibration["margins"])
    if isinstance(settings.get("joint"), str) and settings["joint"]:
        settings["joint"] = str(file.parent / settings["joint"])
    return design_of(settings, file.name)


def design_of(settings: Mapping[str, Any], where: str = "design.toml") -> Design:
    """The design of settings as they stand in ``design.toml``. Raises Problems with everything that is wrong."""
    problems: list[Problem] = []
    top = _section(settings, Design, where, problems)
    for name, kind in (
        ("calibration", Calibration),
        ("replicates", Replicates),
        ("sensitivity", Sensitivity),
        ("publication", Publication),
    ):
        if name in settings and isinstance(settings[name], Mapping):
            inner = _section(settings[name], kind, f"{where}, [{name}]", problems)
            if kind is Publication:
                top[name] = Publication(**inner)
                continue
            if kind is Sensitivity:
                top[name] = Sensitivity(_names(inner.get("strata")), _names(inner.get("psu")))
                continue
            allowed = METHODS if kind is Calibration else REPLICATES
            if inner.get("variance", VARIANCES[0]) not in VARIANCES:
                problems.append(_not_one_of(f"{where}, [{name}], variance", inner["variance"], VARIANCES))
            problems += _bounds(inner, f"{where}, [{name}]")
            word = inner.get("method" if kind is Calibration else "type", allowed[0])
            if word not in allowed:
                problems.append(_not_one_of(f"{where}, [{name}]", word, allowed))
            top[name] = kind(**inner)
    if problems:
        try:
            Design(**top)
        except Problems as more:
            problems += more.problems
        raise Problems(problems)
    try:
        return Design(**top)
    except Problems as error:
        raise Problems(Problem(p.where.replace("Design", where, 1), p.what, p.todo) for p in error.problems) from None


_KINDS: dict[str, tuple[type | tuple[type, ...], Text]] = {
    "bool": (bool, Text("true hoặc false", "true or false")),
    "float": ((int, float), Text("một số", "a number")),
    "float | None": ((int, float), Text("một số", "a number")),
    "int": (int, Text("một số nguyên", "a whole number")),
    "str": (str, Text("một tên trong ngoặc kép", "a name in quotes")),
    "Any": (str, Text("tên tệp trong ngoặc kép", "a file name in quotes")),
    "tuple[str, ...]": ((str, list), Text('một danh sách như ["stratum"]', 'a list such as ["stratum"]')),
    "tuple[float, ...]": (list, Text("một danh sách số", "a list of numbers")),
    "Calibration | None": (Mapping, Text("một mục [calibration]", "a section [calibration]")),
    "Replicates | None": (Mapping, Text("một mục [replicates]", "a section [replicates]")),
    "Publication | None": (Mapping, Text("một mục [publication]", "a section [publication]")),
    "Sensitivity | None": (Mapping, Text("một mục [sensitivity]", "a section [sensitivity]")),
}


def _section(settings: Mapping[str, Any], kind: Any, where: str, problems: list[Problem]) -> dict[str, Any]:
    known = {field.name: str(field.type) for field in fields(kind)}
    found: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in known:
            close = get_close_matches(key, known, 1)
            listed = ", ".join(known)
            problems.append(
                Problem(
                    f"{where}, {key}",
                    Text("không có mục này", "there is no such key"),
                    Text(f"có phải là “{close[0]}” không?", f"did you mean '{close[0]}'?")
                    if close
                    else Text(f"các mục: {listed}", f"the keys are {listed}"),
                )
            )
            continue
        wanted, words = _KINDS[known[key]]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            problems.append(
                Problem(
                    f"{where}, {key}",
                    Text("giá trị không đúng kiểu", "the value is of the wrong kind"),
                    Text(f"ghi {words.vi}", f"write {words.en}"),
                )
            )
        else:
            found[key] = tuple(value) if isinstance(value, list) else value
    return found


def _bounds(settings: Mapping[str, Any], where: str) -> list[Problem]:
    bounds = settings.get("bounds", ())
    needed = settings.get("method") in ("logit", "bounded")
    if (not needed and not bounds) or (len(bounds) == 2 and bounds[0] < 1 < bounds[1]):
        return []
    return [
        Problem(
            f"{where}, bounds",
            Text("cần hai giới hạn, dưới 1 và trên 1", "two bounds are needed, below 1 and above 1"),
            Text("ví dụ bounds = [0.5, 2.0]", "for example bounds = [0.5, 2.0]"),
        )
    ]


def _names(value: str | Sequence[str] | None) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _not_one_of(where: str, value: Any, allowed: Sequence[str]) -> Problem:
    listed = ", ".join(allowed)
    return Problem(
        where,
        Text(f"không có lựa chọn “{value}”", f"there is no option '{value}'"),
        Text(f"dùng {listed}", f"use {listed}"),
    )
