"""Two rounds on either side of a merger of provinces: what may be compared, and what only by a declared rule.

Domains of the level ``province`` are joined as units with a day, never by bare codes or names: a unit whose territory
did not change is one series whatever it is called; one that was merged is not, unless a rule carries its parts. A
carried value is ours, not published, and its note says so and names the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.score_file import PsuSums, ScoreTable
from analysis.scores import noted
from analysis.units import Register, Unit, names, provinces
from survey.errors import InputError
from survey.tables import numbers, read_table
from survey.text import Text

PROVINCE = "province"
REORGANISED, _BEFORE = "2025-07-01", "2025-06-30"
"""The day on which districts ended and communes were drawn anew; no list says what became of each."""
RULES = {
    "population": Text("bình quân theo dân số của các tỉnh cũ", "mean of the former provinces by population"),
    "mean": Text("bình quân đơn giản của các tỉnh cũ", "plain mean of the former provinces"),
}
CARRIED = Text("không phải số công bố", "not a published figure")
UNDATED = Text(
    "không biết ngày của hai đợt: coi tỉnh của hai đợt thuộc cùng một danh mục",
    "the days of the rounds are not known: provinces of both are taken as of one list",
)
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")


@dataclass(frozen=True)
class Rule:
    """How a series is carried over a merger: a key of :data:`RULES`, and for ``population`` the weight of each former
    province, by its code and first day; ``source`` names where the weights are from."""

    kind: str
    weights: Mapping[Unit, float] = field(default_factory=dict)
    source: str = ""

    def words(self) -> Text:
        """The rule in a sentence."""
        of = f" ({self.source})" if self.source else ""
        return Text(f"{RULES[self.kind].vi}{of}, {CARRIED.vi}", f"{RULES[self.kind].en}{of}, {CARRIED.en}")


@dataclass(frozen=True)
class Aligned:
    """The earlier scores with the domains called as in the later ones; ``notes`` of the whole, ``told`` by domain."""

    table: ScoreTable
    notes: tuple[Text, ...] = ()
    told: Mapping[str, tuple[Text, ...]] = field(default_factory=dict)


def population_rule(file: Path, day: str, register: Register | None = None) -> Rule:
    """The rule ``population`` with the weights of a table ``province, population`` of the list of ``day``.

    Raises:
        InputError: a column is missing, a province is not of that day, a population is not above 0.
    """
    register = register or provinces()
    table = read_table(file)
    columns = {name.lower(): name for name in table.columns}
    place = next((columns[name] for name in ("province", "code", "name") if name in columns), "")
    people = next((columns[name] for name in ("population", "weight", "dan_so") if name in columns), "")
    if not place or not people:
        raise InputError(
            file.name,
            Text("thiếu cột province hoặc population", "the column province or population is missing"),
            Text("đặt tên hai cột: province, population", "name the columns province, population"),
        )
    found = {}
    weights = numbers([row[people] for row in table.rows], table.decimal_comma)
    for number, (row, weight) in enumerate(zip(table.rows, weights, strict=True)):
        if weight is None or not 0 < weight < float("inf"):
            raise InputError(
                table.where(number, people),
                Text(f"“{row[people]}” không phải là dân số", f"'{row[people]}' is no population"),
                Text("ghi số người, lớn hơn 0", "write a number of people, above 0"),
            )
        found[register.find(row[place], day)] = weight
    return Rule("population", found, file.name)


def day_of(round: str, given: str = "") -> str:
    """The day whose list of provinces a round uses: the one given, else the end of the year in its name; blank where
    there is none, and for 2025, when the list changed."""
    years = set(_YEAR.findall(round))
    year = years.pop() if len(years) == 1 else ""
    return given or (f"{year}-12-31" if year and year != REORGANISED[:4] else "")


def align(
    before: ScoreTable,
    after: ScoreTable,
    rounds: tuple[str, str],
    days: tuple[str, str] = ("", ""),
    rule: Rule | None = None,
    register: Register | None = None,
) -> Aligned:
    """``before`` with its provinces called as the same provinces are in ``after``, those merged since set apart, and
    with ``rule`` a row for each province that was made of them.

    Raises:
        InputError: places of one round are of a list of another day; the day of one round is known and of the other
            not; communes or districts on either side of their reorganisation; a rule that lacks a weight.
    """
    register = register or provinces()
    if not _is_dated(before.frame) or not _is_dated(after.frame):
        return Aligned(before)
    frames = [_of_round(table.frame, round) for table, round in zip((before, after), rounds, strict=True)]
    places = [[name for name in _places(frame) if register.lookup(name)] for frame in frames]
    found = [
        day_of(round, given) or told_by_places(register, listed)
        for round, given, listed in zip(rounds, days, places, strict=True)
    ]
    _reorganised(frames, found, before.source)
    if not any(places):
        return Aligned(before)
    if not all(found):
        if any(found) and places[found.index("")]:
            side = ("--before-date", "--after-date")[found.index("")]
            raise InputError(
                f"{(before, after)[found.index('')].source}, province",
                Text("không biết tỉnh thuộc danh mục ngày nào", "the day of this list of provinces is not known"),
                Text(f"nêu ngày: {side} 2025-06-30", f"name it: {side} 2025-06-30"),
            )
        return Aligned(before, (UNDATED,))
    for source, listed, day in zip((before.source, after.source), places, found, strict=True):
        one_list(register, listed, day, source)
    return _joined(before, register, places, (found[0], found[1]), rule)


def _joined(
    before: ScoreTable, register: Register, places: Sequence[Sequence[str]], days: tuple[str, str], rule: Rule | None
) -> Aligned:
    old = {unit: name for name in places[0] for unit in register.lookup(name, days[0])}
    renamed: dict[str, str] = {}
    parts: dict[str, tuple[Unit, ...]] = {}
    told: dict[str, Text] = {}
    for name in places[1]:
        for unit in register.lookup(name, days[1]):
            same = register.same(unit, days[0])
            if same is not None:
                if same in old:
                    renamed[old[same]] = name
                continue
            parts[name] = register.whole(unit, days[0])
            made = names(parts[name] or register.at(unit, days[0]))
            told[name] = Text(f"lập ngày {unit.valid_from} từ {made}", f"made of {made} on {unit.valid_from}")
    for unit, name in old.items():
        if name not in renamed and unit.valid_to and unit.valid_to < days[1]:
            renamed[name] = f"{name} (… {unit.valid_to})"
    if not told and all(name == new for name, new in renamed.items()):
        return Aligned(before)
    table = _renamed(before, renamed)
    notes: tuple[Text, ...] = ()
    if rule is not None and told:
        labels = {unit: renamed.get(name, name) for unit, name in old.items()}
        table = _carried(table, parts, labels, rule, {name: told[name] for name in parts})
        notes = (
            Text(f"nối chuỗi qua sáp nhập: {rule.words().vi}", f"series carried over a merger: {rule.words().en}"),
        )
    said = (rule.words(),) if rule is not None else ()
    return Aligned(table, notes, {name: (why, *(said if parts[name] else ())) for name, why in told.items()})


def told_by_places(register: Register, places: Sequence[str]) -> str:
    """The day of a list of provinces, where only one side of 1 July 2025 has them all, or where they are the same units
    on both; blank where the places do not tell it."""
    sides = [day for day in (_BEFORE, REORGANISED) if all(register.lookup(name, day) for name in places)]
    if len(sides) == 2 and any(register.lookup(name, _BEFORE) != register.lookup(name, REORGANISED) for name in places):
        return ""
    return sides[-1] if places and sides else ""


def one_list(register: Register, places: Sequence[str], day: str, source: str) -> None:
    """Raises InputError where some of the places are provinces of another day than ``day`` (blank: of no one day)."""
    known = {name: register.lookup(name) for name in places}
    known = {name: units for name, units in known.items() if units}
    tried = [day] if day else [_BEFORE, REORGANISED]
    wrong = [[name for name in known if not register.lookup(name, one)] for one in tried]
    fewest = min(wrong, key=len)
    if not fewest:
        return
    on = tried[wrong.index(fewest)]
    listed = ", ".join(f"{name} ({known[name][0].name}, {known[name][0].valid_from} – {known[name][0].valid_to})"
                       for name in fewest[:5])  # fmt: skip
    raise InputError(
        f"{source}, province",
        Text(f"không phải tỉnh của ngày {on}: {listed}", f"not provinces of {on}: {listed}"),
        Text(
            "không xếp hạng hay so sánh chung tỉnh trước và sau sáp nhập: tách ra, hoặc nêu đúng ngày",
            "provinces of before and after the merger are not ranked or compared together: part them or name the day",
        ),
    )


def of_one_list(rows: pd.DataFrame, source: str, day: str = "") -> None:
    """As :func:`one_list`, for the rows of one round of a table of scores."""
    if len(rows) and _is_dated(rows):
        round = str(rows["round"].iloc[0])
        one_list(provinces(), _places(rows), day_of(round, day), source)


def _is_dated(frame: pd.DataFrame) -> bool:
    return bool(
        {PROVINCE, "commune", "district"} & {part for level in frame["domain_level"] for part in level.split("*")}
    )


def _of_round(frame: pd.DataFrame, round: str) -> pd.DataFrame:
    return frame[frame["round"] == round] if round else frame


def _places(frame: pd.DataFrame) -> list[str]:
    """The provinces among the domains, each once."""
    found: dict[str, None] = {}
    for level, domain in frame[["domain_level", "domain"]].drop_duplicates().itertuples(index=False):
        found |= {
            part: None for name, part in zip(level.split("*"), domain.split("|"), strict=False) if name == PROVINCE
        }
    return list(found)


def _reorganised(frames: Sequence[pd.DataFrame], days: Sequence[str], source: str) -> None:
    """Raises InputError for communes or districts of both sides of 1 July 2025."""
    if not all(days) or (days[0] < REORGANISED) == (days[1] < REORGANISED):
        return
    levels = [{part for level in frame["domain_level"] for part in level.split("*")} for frame in frames]
    for level in {"commune", "district"} & levels[0] & levels[1]:
        raise InputError(
            f"{source}, {level}",
            Text(
                "cấp huyện kết thúc và xã sắp xếp lại ngày 01/07/2025: mã trước và sau ngày ấy không cùng một nơi",
                "districts ended and communes were drawn anew on 1 July 2025: a code before and after is not one place",
            ),
            Text("so sánh ở cấp tỉnh hoặc toàn bộ (--by)", "compare provinces or the whole (--by)"),
        )


def _mapped(frame: pd.DataFrame, change: Callable[[str], str | None]) -> pd.DataFrame:
    """``frame`` with the provinces among its domains changed; None leaves one as it is."""

    def domain(level: str, text: str) -> str:
        parts = zip(level.split("*"), text.split("|"), strict=False)
        return "|".join((change(part) or part) if name == PROVINCE else part for name, part in parts)

    pairs = frame[["domain_level", "domain"]].drop_duplicates()
    new = {(level, text): domain(level, text) for level, text in pairs.itertuples(index=False)}
    keys = zip(frame["domain_level"], frame["domain"], strict=True)
    return frame.assign(domain=[new[pair] for pair in keys])


def _renamed(table: ScoreTable, new: Mapping[str, str]) -> ScoreTable:
    sums = table.sums
    if sums is not None:
        sums = replace(sums, frame=_mapped(sums.frame.astype({"domain_level": str, "domain": str}), new.get))
    return replace(table, frame=_mapped(table.frame, new.get), sums=sums)


def _carried(
    table: ScoreTable,
    parts: Mapping[str, tuple[Unit, ...]],
    labels: Mapping[Unit, str],
    rule: Rule,
    told: Mapping[str, Text],
) -> ScoreTable:
    """The table with a row for each province that was merged from others, whose standard error takes the former
    provinces as independent of each other: they were strata of their own."""
    rows, sums = [], []
    for name, units in parts.items():
        if not units:
            continue
        shares = _shares(rule, units, name)
        where = [labels.get(unit, "") for unit in units]
        for (level, of), group in _groups(table.frame, where):
            told_by = dict(zip(group["part"], group.to_dict("records"), strict=True))
            cells = [told_by.get(part) for part in where]
            rows.append(_mean(cells, shares, level, of, name, noted([told[name], rule.words()])))
        if table.sums is not None:
            sums += _sums(table.sums, where, shares, name)
    if not rows:
        return table
    frame = pd.concat([table.frame, pd.DataFrame(rows)[table.frame.columns]], ignore_index=True)
    carried = table.sums
    if carried is not None and sums:
        carried = PsuSums(pd.concat([carried.frame, *sums], ignore_index=True), carried.size, carried.scale)
    return replace(table, frame=frame, sums=carried)


def _shares(rule: Rule, units: Sequence[Unit], name: str) -> np.ndarray:
    if rule.kind == "mean":
        return np.full(len(units), 1 / len(units))
    without = [unit for unit in units if unit not in rule.weights]
    if without:
        raise InputError(
            f"{rule.source}, {name}",
            Text(f"thiếu dân số của {names(without)}", f"the population of {names(without)} is missing"),
            Text("thêm các dòng này", "add these rows"),
        )
    weights = np.array([rule.weights[unit] for unit in units])
    return weights / weights.sum()


def _groups(frame: pd.DataFrame, where: Sequence[str]) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """The rows of these provinces by round, code and the rest of a crossing: the key, and the rows with ``part``."""
    splits = [
        dict(zip(level.split("*"), domain.split("|"), strict=False))
        for level, domain in zip(frame["domain_level"], frame["domain"], strict=True)
    ]
    part = [split.get(PROVINCE, "") for split in splits]
    other = ["|".join(text if name != PROVINCE else "\0" for name, text in split.items()) for split in splits]
    here = frame.assign(part=part, other=other)
    here = here[here["part"].isin([name for name in where if name])]
    return [
        ((str(level), str(rest)), group)
        for (level, rest, _, _), group in here.groupby(["domain_level", "other", "round", "code"], sort=False)
    ]


def _mean(cells: Sequence[dict | None], shares: np.ndarray, level: str, of: str, name: str, note: str) -> dict:
    there = next(cell for cell in cells if cell)
    blank = dict.fromkeys(("estimate", "se", "low", "high", "df", "n", "n_psu"), np.nan)
    values = [cell or blank for cell in cells]

    def column(key: str) -> np.ndarray:
        return np.array([float(value.get(key, np.nan)) for value in values])

    variance = (shares * column("se")) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        df = variance.sum() ** 2 / (variance**2 / column("df")).sum()
    figures = {
        "estimate": float((shares * column("estimate")).sum()),
        "se": float(np.sqrt(variance.sum())),
        "df": float(df),
        "low": np.nan,
        "high": np.nan,
        "n": column("n").sum(),
        "n_psu": column("n_psu").sum(),
    }
    kept = {key: value for key, value in there.items() if key not in ("part", "other")}
    return {**kept, **figures, "domain_level": level, "domain": of.replace("\0", name), "note": note}


def _sums(sums: PsuSums, where: Sequence[str], shares: np.ndarray, name: str) -> list[pd.DataFrame]:
    """The influence sums of a carried province: those of its parts, times their shares."""
    found = []
    for part, share in zip(where, shares, strict=True):
        changed = _mapped(sums.frame, {part: name}.get) if part else sums.frame[:0]
        rows = changed[changed["domain"] != sums.frame["domain"]] if part else changed
        found.append(rows.assign(influence=rows["influence"] * share))
    return found
