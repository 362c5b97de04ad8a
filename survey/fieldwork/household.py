"""Who of a household is interviewed: Kish's grid, next birthday, or an even draw. Pure, and reproducible from a seed.

Sources: Kish (1949), "A Procedure for Objective Respondent Selection within the Household", JASA 44, 380–387, table 1
(the eight tables and how often each is used); Salmon & Nichols (1983), "The Next-Birthday Method of Respondent
Selection", Public Opinion Quarterly 47, 270–276.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from survey.errors import InputError
from survey.fieldwork.selection import stream
from survey.text import Text, many

METHODS: dict[str, Text] = {
    "kish": Text("bảng Kish", "Kish grid"),
    "next_birthday": Text("sinh nhật gần nhất sắp tới", "next birthday"),
    "random": Text("ngẫu nhiên theo số gieo", "even draw by seed"),
}

KISH: dict[str, tuple[Fraction, tuple[int, ...]]] = {
    "A": (Fraction(1, 6), (1, 1, 1, 1, 1, 1)),
    "B1": (Fraction(1, 12), (1, 1, 1, 1, 2, 2)),
    "B2": (Fraction(1, 12), (1, 1, 1, 2, 2, 2)),
    "C": (Fraction(1, 6), (1, 1, 2, 2, 3, 3)),
    "D": (Fraction(1, 6), (1, 2, 2, 3, 4, 4)),
    "E1": (Fraction(1, 12), (1, 2, 3, 3, 3, 5)),
    "E2": (Fraction(1, 12), (1, 2, 3, 4, 5, 5)),
    "F": (Fraction(1, 6), (1, 2, 3, 4, 5, 6)),
}
"""Table -> (the share of households that get it, which adult to take of 1, 2, 3, 4, 5, 6 adults)."""

LARGEST = 20
"""Adults that a list may have; longer ones are several households."""


@dataclass(frozen=True)
class Adult:
    """One listed adult: name as the household says it, ``male`` or ``female``, age in years, and the birthday as
    (month, day) where the method asks for it."""

    name: str
    sex: str
    age: int
    birthday: tuple[int, int] | None = None


@dataclass(frozen=True)
class Chosen:
    """Who was chosen: place in ``order`` (from 1), the adults in the order of the grid, the probability of this person
    within the household, and the table of the grid used ("" for other methods)."""

    number: int
    order: tuple[Adult, ...]
    probability: Fraction
    table: str = ""

    @property
    def adult(self) -> Adult:
        """The person to interview."""
        return self.order[self.number - 1]


def kish_table(seed: str) -> str:
    """The table that belongs to this seed (round and unit), in Kish's proportions."""
    place = stream(seed, "kish").random()
    total = Fraction(0)
    for name, (share, _) in KISH.items():
        total += share
        if place < total:
            return name
    return "F"


def kish_probability(adults: int, number: int) -> Fraction:
    """The chance that the grid takes adult ``number`` of ``adults`` (at most 6), over the tables."""
    return sum((share for share, row in KISH.values() if row[adults - 1] == number), Fraction(0))


def choose(adults: Sequence[Adult], method: str, seed: str, today: date) -> Chosen:
    """The adult to interview.

    ``kish``: men by age, then women by age, the oldest first, and the row of the table that the seed gives; a household
    of more than six is drawn from evenly, since the printed grid would never take the seventh. ``next_birthday``: whose
    birthday comes next, a birthday today first; two on one day are drawn by seed; taken as an even draw.
    ``random``: even, by seed. InputError when the list is empty, too long, or lacks what the method asks for.
    """
    if method not in METHODS:
        raise ValueError(f"method {method!r}; one of {tuple(METHODS)}")
    _check(adults, method)
    order = tuple(sorted(adults, key=lambda adult: (adult.sex != "male", -adult.age, adult.name)))
    count = len(order)
    even = int(stream(seed, "random", count).random() * count) + 1
    if method == "kish" and count <= len(KISH["A"][1]):
        table = kish_table(seed)
        number = KISH[table][1][count - 1]
        return Chosen(number, order, kish_probability(count, number), table)
    if method == "next_birthday":
        waits = [days_to(adult.birthday or (1, 1), today) for adult in order]
        first = [place for place, days in enumerate(waits, start=1) if days == min(waits)]
        even = first[int(stream(seed, "birthday").random() * len(first))]
    return Chosen(even, order, Fraction(1, count))


def days_to(birthday: tuple[int, int], today: date) -> int:
    """Days until the next birthday, 0 on the day itself; 29 February is kept on 1 March in other years."""
    month, day = birthday
    for year in (today.year, today.year + 1):
        try:
            next_one = date(year, month, day)
        except ValueError:
            next_one = date(year, 3, 1)
        if next_one >= today:
            return (next_one - today).days
    raise AssertionError("unreachable")


def _check(adults: Sequence[Adult], method: str) -> None:
    if not adults:
        raise _wrong(
            "adults",
            Text("chưa ghi ai", "nobody is listed"),
            Text("ghi mọi người lớn trong hộ", "list every adult of the household"),
        )
    if len(adults) > LARGEST:
        raise _wrong(
            "adults",
            Text(f"danh sách có {len(adults)} người", f"{many(len(adults), 'person is', 'people are')} listed"),
            Text(f"một hộ không quá {LARGEST} người lớn", f"a household has at most {LARGEST} adults"),
        )
    for number, adult in enumerate(adults, start=1):
        if not 0 < adult.age < 130 or adult.sex not in ("male", "female"):
            raise _wrong(
                f"adult {number}",
                Text(f"người thứ {number} thiếu tuổi hoặc giới tính", f"person {number} lacks age or sex"),
                Text("ghi đủ tuổi và giới tính", "write age and sex"),
            )
        if method == "next_birthday" and not _is_day(adult.birthday):
            raise _wrong(
                f"adult {number}",
                Text(f"người thứ {number} thiếu ngày sinh nhật", f"person {number} lacks a birthday"),
                Text("ghi ngày/tháng, ví dụ 25/3", "write day/month, for example 25/3"),
            )


def _is_day(birthday: tuple[int, int] | None) -> bool:
    if birthday is None:
        return False
    try:
        date(2024, *birthday)
    except ValueError:
        return False
    return True


def _wrong(where: str, what: Text, todo: Text) -> InputError:
    return InputError(where, what, todo)
