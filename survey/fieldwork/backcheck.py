"""Back-checks (phúc tra): who is visited again, what is asked, and how the two answers compare.

The three types are those of IPA's back-check manual and its program bcstats. *Type 1* should never change (age, which
office): a difference may be the enumerator's. *Type 2* is hard to ask: a difference asks for training. *Type 3* is
about how stable an answer is (opinions): a difference says nothing about anybody.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from survey.errors import InputError, Problem, Problems
from survey.text import Text, fold

TYPES: dict[int, Text] = {
    1: Text("loại 1: không thể thay đổi", "type 1: cannot change"),
    2: Text("loại 2: khó hỏi", "type 2: hard to ask"),
    3: Text("loại 3: xem câu trả lời ổn định đến đâu", "type 3: how stable an answer is"),
}

VISITED = "phuc_tra/visited"
"""Path of the first question of every back-check: whether anybody came, and what came of it."""

INTERVIEWED, CAME, NOBODY, UNSURE = "interviewed", "came", "nobody", "unsure"

_TOLERANCE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(%?)")


@dataclass(frozen=True)
class Plan:
    """What a round says of back-checks.

    ``share`` of the interviews of each enumerator, ``least`` of them at least; ``by_risk``: those with signs are drawn
    more often. ``variables``: path to type; ``tolerance``: path to how far numbers may be apart, ``"1"`` or ``"5%"``.
    """

    variables: Mapping[str, int]
    share: float = 0.1
    least: int = 2
    by_risk: bool = False
    seed: int = 1
    tolerance: Mapping[str, str] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The plan as a round's document keeps it."""
        return {
            "variables": dict(self.variables),
            "share": str(self.share),
            "least": str(self.least),
            "by_risk": self.by_risk,
            "seed": str(self.seed),
            "tolerance": dict(self.tolerance),
        }

    @classmethod
    def of(cls, round: Mapping[str, Any]) -> Plan:
        """The plan in a back-check round's document (key ``backcheck``). Problems when it is none."""
        told = round.get("backcheck")
        told = told if isinstance(told, Mapping) else {}
        plan = cls(
            {str(path): int(type) for path, type in dict(told.get("variables") or {}).items()},
            float(told.get("share", cls.share)),
            int(told.get("least", cls.least)),
            bool(told.get("by_risk")),
            int(told.get("seed", 1)),
            dict(told.get("tolerance") or {}),
        )
        plan.check(f"round {round.get('id', '')}, backcheck")
        return plan

    def check(self, where: str) -> None:
        """Problems for types that are none, tolerances that are none, a share beyond 0 and 1."""
        problems = [
            Problem(
                f"{where}, {path}",
                Text(f"không có loại {type}", f"there is no type {type}"),
                Text("dùng 1, 2 hoặc 3", "use 1, 2 or 3"),
            )
            for path, type in self.variables.items()
            if type not in TYPES
        ]
        problems += [
            Problem(
                f"{where}, {path}",
                Text(f"{told!r} không phải sai số cho phép", f"{told!r} is no tolerance"),
                Text("viết 1 hoặc 5%, cho câu được hỏi lại", "write 1 or 5%, for a question that is asked again"),
            )
            for path, told in self.tolerance.items()
            if not _TOLERANCE.fullmatch(str(told)) or path not in self.variables
        ]
        if not 0 <= self.share <= 1 or self.least < 0:
            problems.append(
                Problem(
                    where,
                    Text("tỷ lệ phải từ 0 đến 1", "the share lies between 0 and 1"),
                    Text("ví dụ: 0.1 là một phần mười", "for example: 0.1 is one in ten"),
                )
            )
        if problems:
            raise Problems(problems)


# -- the draw -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A first visit that may be checked: its sample unit, who made it, its interview ("" where it ended without), and
    the points of its signs."""

    unit: str
    enumerator: str
    interview: str = ""
    points: int = 0


def draw(cases: Iterable[Case], plan: Plan, drawn: Iterable[str] = ()) -> list[Case]:
    """The cases to check beyond the units ``drawn`` before, by enumerator.

    Of each enumerator the share of the plan, and the least number where there are as many; interviews and visits
    without one are drawn apart, so that both are looked at. Every case has a number between 0 and 1 that follows from
    seed and unit; the smallest are taken, with risk after dividing by 1 + points (Efraimidis and Spirakis, 2006). The
    same seed gives the same draw, whatever came in between, and later draws add to earlier ones.
    """
    before = set(drawn)
    groups: dict[tuple[str, bool], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.enumerator, bool(case.interview)].append(case)
    found = []
    for (_, interviewed), members in sorted(groups.items()):
        wanted = math.ceil(plan.share * len(members) - 1e-9)
        if interviewed:
            wanted = min(len(members), max(wanted, plan.least))
        wanted -= sum(case.unit in before for case in members)
        rest = sorted((case for case in members if case.unit not in before), key=lambda case: _turn(case, plan))
        found += rest[: max(wanted, 0)]
    return found


def _turn(case: Case, plan: Plan) -> tuple[float, str]:
    digest = hashlib.sha256(f"{plan.seed}/{case.unit}".encode()).digest()
    chance = (int.from_bytes(digest[:7], "big") + 1) / 2**56
    return -math.log(chance) / (1 + case.points if plan.by_risk else 1), case.unit


# -- the comparison -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """Two visits to one sample unit: answers by path, the first's final disposition (AAPOR), and who is who."""

    unit: str
    enumerator: str
    checker: str
    first: Mapping[str, Any]
    second: Mapping[str, Any]
    disposition: str = "1.1"
    team: str = ""
    commune: str = ""
    interview: str = ""


@dataclass(frozen=True)
class Compared:
    """One answer asked twice."""

    unit: str
    enumerator: str
    checker: str
    team: str
    variable: str
    type: int
    first: Any
    second: Any
    differs: bool


def compare(pairs: Iterable[Pair], plan: Plan) -> list[Compared]:
    """Every variable of the plan that both visits asked, of pairs in which somebody was interviewed.

    What the back-check did not ask or could not get (not on its path, don't know, refused) is not compared; a first
    visit that says it was not known or left blank, where the person now has an answer, is a difference. Texts are
    compared without case, diacritics, punctuation and double blanks; choices of several as a set; numbers within the
    tolerance.
    """
    found = []
    for pair in pairs:
        for variable, type in plan.variables.items():
            first, second = pair.first.get(variable), pair.second.get(variable)
            if first is None or second is None or isinstance(second, Mapping):
                continue
            differs = not same(first, second, plan.tolerance.get(variable, ""))
            found.append(
                Compared(pair.unit, pair.enumerator, pair.checker, pair.team, variable, type, first, second, differs)
            )
    return found


def same(first: Any, second: Any, tolerance: str = "") -> bool:
    """Whether two answers say the same."""
    if isinstance(first, Mapping):
        return False
    if isinstance(first, list) or isinstance(second, list):
        return set(_listed(first)) == set(_listed(second))
    one, other = _number(first), _number(second)
    if one is not None and other is not None:
        told = _TOLERANCE.fullmatch(tolerance.strip())
        reach = float(told[1].replace(",", ".")) if told else 0.0
        if told and told[2]:
            reach *= abs(one) / 100
        return abs(other - one) <= reach + 1e-9
    return _plain(first) == _plain(second)


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _plain(value: Any) -> str:
    return " ".join(re.sub(r"[^\w\s]|_", " ", fold(str(value))).split())


@dataclass(frozen=True)
class Visit:
    """What the person says of the first visit, against how it was recorded."""

    unit: str
    enumerator: str
    disposition: str
    said: str
    differs: bool


def visits(pairs: Iterable[Pair]) -> list[Visit]:
    """The first visits, as recorded and as remembered. Who is unsure is not counted; who says that nobody came, though
    an interview, a refusal or a talk was recorded, or that they were interviewed where none was, differs."""
    found = []
    for pair in pairs:
        said = pair.second.get(VISITED)
        if said not in (INTERVIEWED, CAME, NOBODY):
            continue
        interviewed = pair.disposition.startswith("1.")
        # Nobody was met (2.2 not met, 3 unknown, 4 not eligible): nothing that the person could have seen.
        met = interviewed or pair.disposition.startswith(("2.1", "2.3"))
        differs = (said == INTERVIEWED) != interviewed or (said == NOBODY and met)
        found.append(Visit(pair.unit, pair.enumerator, pair.disposition, str(said), differs))
    return found


# -- rates --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rate:
    """How many of ``compared`` answers of ``interviews`` back-checks differ, with a 95 % interval."""

    name: str
    interviews: int
    compared: int
    differ: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The error rate."""
        return self.differ / self.compared if self.compared else 0.0


BY: dict[str, Text] = {
    "enumerator": Text("điều tra viên", "enumerator"),
    "team": Text("nhóm", "team"),
    "checker": Text("người phúc tra", "back-checker"),
    "variable": Text("câu hỏi", "question"),
}


def rates(compared: Iterable[Compared], by: str, types: Sequence[int] = (1, 2, 3)) -> list[Rate]:
    """Error rates by ``by`` (a key of :data:`BY`; "" for all together), of these types, highest first.

    The answers of one person err together, so the interval is Wilson's with the number of answers that would tell as
    much if they did not: r (1 − r) over the variance of the ratio between interviews, and no less than the number of
    interviews nor more than that of answers.
    """
    groups: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for one in compared:
        if one.type in types:
            groups[getattr(one, by) if by else ""][one.unit].append(one.differs)
    found = [_rate(name, list(units.values())) for name, units in groups.items()]
    return sorted(found, key=lambda one: (-one.rate, one.name))


def _rate(name: str, clusters: Sequence[Sequence[bool]]) -> Rate:
    sizes, errors = [len(one) for one in clusters], [sum(one) for one in clusters]
    n, k = sum(sizes), len(clusters)
    rate = sum(errors) / n
    enough = float(k)
    if k > 1 and 0 < rate < 1:
        squares = sum((e - rate * m) ** 2 for e, m in zip(errors, sizes, strict=True)) * k / (k - 1)
        enough = min(max(rate * (1 - rate) * n * n / squares, k), n) if squares else n
    return Rate(name, k, n, sum(errors), *wilson(rate, enough))


def wilson(share: float, n: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's score interval of a share of ``n`` (Wilson 1927)."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def require_variables(variables: Mapping[str, int]) -> None:
    """InputError where nothing is to be asked again."""
    if not variables:
        raise InputError(
            "survey backcheck draw",
            Text("chưa nêu câu hỏi nào để hỏi lại", "no question is named to be asked again"),
            Text("thêm --question ten_cau=1 (loại 1, 2 hoặc 3)", "add --question name=1 (type 1, 2 or 3)"),
        )
