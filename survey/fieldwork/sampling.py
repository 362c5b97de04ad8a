"""Drawing a sample: pure and seeded, with the probability of every stage beside every unit.

A draw is a list of :class:`Stage`, from the largest clusters to the frame's own rows, within strata. Each cluster has
a random stream of its own, named by seed, stratum and cluster, so that a change in one village moves no draw elsewhere,
and rows are put in the order of their key first, so that the order of the file does not matter.

Only ``random.random()`` is used: of Python's generator it alone is promised to stay the same between versions.

Sources: Särndal, Swensson & Wretman, *Model Assisted Survey Sampling* (1992), chapters 2 and 3; Hansen & Hurwitz (1943)
for draws with replacement and their expected number of hits.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from survey.errors import InputError, Problem, Problems
from survey.text import Text

METHODS = ("srs", "systematic", "pps", "pps_wr")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    """One stage of a draw.

    ``unit``: the column that names the clusters of this stage; empty for the last stage, the frame's rows.
    ``take``: how many within each cluster of the stage above, or per stratum (a mapping) at the first stage.
    ``method``: ``srs`` simple random, ``systematic`` (in the order of ``order``), ``pps`` systematic with probability
    proportional to ``size``, ``pps_wr`` the same with replacement (first stage only).
    ``size``: the measure of size, a column; empty = number of rows in the cluster.
    ``certainty``: a column whose non-empty, non-"0" cells mark clusters that are always taken; they count in ``take``.
    ``reserve``: how many more to draw as an ordered reserve list (``srs`` and ``systematic`` only).
    """

    unit: str = ""
    take: int | Mapping[str, int] = 1
    method: str = "srs"
    size: str = ""
    certainty: str = ""
    order: str = ""
    reserve: int = 0


@dataclass(frozen=True)
class Drawn:
    """One drawn row of the frame.

    ``list`` is ``main`` or ``reserve`` and ``order`` its place (from 1) in the list of its last cluster. ``stages`` has
    for each stage (probability, population count, number taken); with replacement, "probability" is the expected
    number of hits. A reserve unit carries the probabilities of the main list: in a random order of all, whoever is
    asked instead has the same chance. ``psu`` names the first-stage draw; a cluster hit twice gives ``name`` and
    ``name/2``.
    """

    row: Row
    stratum: str
    psu: str
    list: str
    order: int
    stages: tuple[tuple[float, int, int], ...]

    @property
    def probability(self) -> float:
        """Product over the stages."""
        return math.prod(p for p, _, _ in self.stages)

    @property
    def certain(self) -> bool:
        """Whether the first-stage cluster was taken with probability 1 by rule or by its size."""
        return len(self.stages) > 1 and self.stages[0][0] == 1.0


@dataclass(frozen=True)
class _Cluster:
    key: str
    rows: tuple[Row, ...]
    size: float
    certain: bool
    order: str


def stream(*names: object) -> random.Random:
    """The random stream of this name; equal names give equal streams on every machine and version of Python."""
    return random.Random("/".join(str(n) for n in names))


def permutation(count: int, source: random.Random) -> list[int]:
    """The numbers 0 … count − 1 in random order."""
    keys = [source.random() for _ in range(count)]
    return sorted(range(count), key=keys.__getitem__)


def systematic(count: int, take: int, source: random.Random) -> list[int]:
    """Every (count / take)-th number from a random start; each has probability take / count exactly."""
    interval = count / take
    start = source.random() * interval
    return [min(int(start + step * interval), count - 1) for step in range(take)]


def inclusion(sizes: Sequence[float], take: int, certain: Sequence[bool] = ()) -> list[float]:
    """Inclusion probabilities of a pps draw of ``take``: proportional to size, 1 for certain units and for those so
    large that they would exceed 1; these leave and the rest share what remains, until none exceeds."""
    fixed = list(certain) or [False] * len(sizes)
    while True:
        left = take - sum(fixed)
        total = sum(size for size, is_fixed in zip(sizes, fixed, strict=True) if not is_fixed)
        large = [
            not f and left > 0 and size * left >= total * (1 - 1e-12) for size, f in zip(sizes, fixed, strict=True)
        ]
        if not any(large):
            share = left / total if total else 0.0
            return [1.0 if f else size * share for size, f in zip(sizes, fixed, strict=True)]
        fixed = [f or g for f, g in zip(fixed, large, strict=True)]


def pps_systematic(probabilities: Sequence[float], source: random.Random) -> list[int]:
    """The units hit by a grid of step 1 with a random start, laid over the cumulated inclusion probabilities.

    Units of probability 1 are taken; the others have exactly their probability, none twice.
    """
    certain = [i for i, p in enumerate(probabilities) if p == 1.0]
    others = [i for i, p in enumerate(probabilities) if 0.0 < p < 1.0]
    ends = list(accumulate(probabilities[i] for i in others))
    take = round(ends[-1]) if ends else 0
    start = source.random()
    hits = (min(bisect_right(ends, start + step), len(others) - 1) for step in range(take))
    return sorted([*certain, *(others[hit] for hit in hits)])


def pps_with_replacement(sizes: Sequence[float], take: int, source: random.Random) -> list[int]:
    """``take`` independent draws with probability proportional to size; a unit may come several times."""
    ends = list(accumulate(sizes))
    return [min(bisect_right(ends, source.random() * ends[-1]), len(ends) - 1) for _ in range(take)]


def allocate(total: int, sizes: Mapping[str, float], at_least: int = 1) -> dict[str, int]:
    """``total`` shared among strata in proportion to size by largest remainders, each at least ``at_least``.

    Two PSUs a stratum are the least from which a variance can be estimated.
    """
    if total < at_least * len(sizes):
        raise InputError(
            "allocation",
            Text(
                f"{total} không đủ cho {len(sizes)} tầng, mỗi tầng ít nhất {at_least}",
                f"{total} is not enough for {len(sizes)} strata with at least {at_least} each",
            ),
            Text("tăng cỡ mẫu hoặc gộp tầng", "enlarge the sample or merge strata"),
        )
    spare = total - at_least * len(sizes)
    whole = sum(sizes.values())
    exact = {name: spare * size / whole if whole else 0.0 for name, size in sizes.items()}
    given = {name: at_least + int(share) for name, share in exact.items()}
    by_remainder = sorted(sizes, key=lambda name: (int(exact[name]) - exact[name], name))
    for name in by_remainder[: total - sum(given.values())]:
        given[name] += 1
    return given


def draw(rows: Sequence[Row], stages: Sequence[Stage], seed: str, key: str, strata: Sequence[str] = ()) -> list[Drawn]:
    """A sample of ``rows``: strata by the ``strata`` columns, then stage by stage; ``key`` names a row uniquely.

    Raises Problems naming every column that is missing, every size that is not a positive number, every cluster that
    is too small for what is to be taken from it.
    """
    _check(rows, stages, key, strata)
    by_stratum: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row[key]):
        by_stratum.setdefault("|".join(row[column] for column in strata), []).append(row)
    problems: list[Problem] = []
    drawn: list[Drawn] = []
    for stratum, members in sorted(by_stratum.items()):
        drawn += _Draw(seed, key, stratum, stages, problems).of(members)
    if problems:
        raise Problems(problems)
    return drawn


@dataclass(frozen=True)
class _Draw:
    """The draw within one stratum; problems are gathered, so that all are told at once."""

    seed: str
    key: str
    stratum: str
    stages: Sequence[Stage]
    problems: list[Problem]

    def of(self, rows: Sequence[Row]) -> list[Drawn]:
        return self._stage(0, rows, psu="", above=(), path=(self.stratum,), split=1, part=0)

    def _stage(
        self,
        number: int,
        rows: Sequence[Row],
        psu: str,
        above: tuple[tuple[float, int, int], ...],
        path: tuple[str, ...],
        split: int,
        part: int,
    ) -> list[Drawn]:
        """One stage within one cluster. ``split``, ``part``: a cluster hit k times is drawn once for k·take and cut
        into k parts, so that no one is asked twice."""
        stage = self.stages[number]
        clusters = _clusters(rows, stage, self.key)
        take = stage.take if isinstance(stage.take, int) else stage.take.get(self.stratum, 0)
        source = stream(self.seed, number, *path)
        where = " / ".join(name for name in path if name) or "frame"
        if stage.method == "pps_wr":
            chosen = self._with_replacement(clusters, take, source)
        else:
            if take * split + stage.reserve * split > len(clusters):
                self.problems.append(_too_few(where, take * split, stage.reserve * split, len(clusters)))
                return []
            if sum(cluster.certain for cluster in clusters) > take:
                self.problems.append(_too_certain(where, take))
                return []
            chosen = _without_replacement(clusters, stage, take * split, stage.reserve * split, source)
        mine = [entry for place, entry in enumerate(chosen) if place % split == part]
        found: list[Drawn] = []
        main = reserve = 0
        for cluster, probability, kind, hit, hits in mine:
            chain = (*above, (probability / split, len(clusters), take))
            name = psu or (cluster.key if hit == 0 else f"{cluster.key}/{hit + 1}")
            if number + 1 < len(self.stages):
                found += self._stage(number + 1, cluster.rows, name, chain, (*path, cluster.key), hits, hit)
                continue
            if kind == "main":
                main += 1
            else:
                reserve += 1
            order = main if kind == "main" else reserve
            found.append(Drawn(cluster.rows[0], self.stratum, name, kind, order, chain))
        return found

    def _with_replacement(
        self, clusters: Sequence[_Cluster], take: int, source: random.Random
    ) -> list[tuple[_Cluster, float, str, int, int]]:
        sizes = [cluster.size for cluster in clusters]
        hits = pps_with_replacement(sizes, take, source)
        total = sum(sizes)
        return [
            (clusters[i], take * sizes[i] / total, "main", hits[:place].count(i), hits.count(i))
            for place, i in enumerate(hits)
        ]


def _without_replacement(
    clusters: Sequence[_Cluster], stage: Stage, take: int, reserve: int, source: random.Random
) -> list[tuple[_Cluster, float, str, int, int]]:
    certain = [cluster.certain for cluster in clusters]
    if stage.method == "pps":
        probabilities = inclusion([cluster.size for cluster in clusters], take, certain)
        return [(clusters[i], probabilities[i], "main", 0, 1) for i in pps_systematic(probabilities, source)]
    always = [i for i, is_certain in enumerate(certain) if is_certain]
    rest = [i for i, is_certain in enumerate(certain) if not is_certain]
    open_places = take - len(always)
    probability = open_places / len(rest) if rest else 1.0
    if stage.method == "systematic" and open_places + reserve:
        ordered = sorted(rest, key=lambda i: clusters[i].order)
        spread = [ordered[place] for place in systematic(len(ordered), open_places + reserve, source)]
        # Which of the evenly spread units are reserve is random, so that every unit of the main list keeps its chance.
        shuffled = permutation(len(spread), source)
        picked = [spread[place] for place in sorted(shuffled[:open_places])]
        picked += [spread[place] for place in shuffled[open_places:]]
    else:
        picked = [rest[place] for place in permutation(len(rest), source)[: open_places + reserve]]
    entries = [(clusters[i], 1.0, "main", 0, 1) for i in always]
    entries += [(clusters[i], probability, "main", 0, 1) for i in picked[:open_places]]
    return entries + [(clusters[i], probability, "reserve", 0, 1) for i in picked[open_places:]]


def _clusters(rows: Sequence[Row], stage: Stage, key: str) -> list[_Cluster]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[stage.unit or key], []).append(row)
    return [
        _Cluster(
            name,
            tuple(members),
            float(members[0][stage.size]) if stage.size else float(len(members)),
            bool(stage.certainty) and members[0][stage.certainty] not in ("", "0"),
            members[0][stage.order] if stage.order else name,
        )
        for name, members in groups.items()
    ]


def _check(rows: Sequence[Row], stages: Sequence[Stage], key: str, strata: Sequence[str]) -> None:
    problems: list[Problem] = []
    have = set(rows[0]) if rows else set()
    if not rows:
        problems.append(Problem("frame", Text("khung mẫu trống", "the frame has no rows"), _IMPORT))
    wanted = [key, *strata, *(c for s in stages for c in (s.unit, s.size, s.certainty, s.order) if c)]
    for column in dict.fromkeys(wanted if rows else []):
        if column not in have:
            problems.append(
                Problem(
                    f"frame, column {column}",
                    Text("khung mẫu không có cột này", "the frame has no such column"),
                    Text("các cột có: " + ", ".join(sorted(have)), "it has " + ", ".join(sorted(have))),
                )
            )
    if not problems:
        problems += _repeated(rows, key)
        for stage in stages:
            if stage.size:
                problems += _bad_sizes(rows, stage)
    for stage in stages:
        if stage.method not in METHODS:
            raise ValueError(f"method {stage.method!r}; one of {METHODS}")
        if stage.method.startswith("pps") and stage.reserve:
            raise ValueError("a reserve list needs srs or systematic")
    if not stages or stages[-1].unit or any(not s.unit for s in stages[:-1]):
        raise ValueError("every stage but the last names its clusters, the last one draws rows")
    if any(s.method == "pps_wr" for s in stages[1:]):
        raise ValueError("pps_wr is for the first stage")
    if stages[0].method == "pps_wr" and (len(stages) == 1 or stages[1].method == "pps"):
        raise ValueError("what pps_wr hits is drawn from by srs or systematic")
    if problems:
        raise Problems(problems)


_IMPORT = Text("nhập khung mẫu trước", "import a frame first")


def _repeated(rows: Sequence[Row], key: str) -> list[Problem]:
    return [
        Problem(
            f"frame, column {key}",
            Text(f"{value!r} có ở {count} dòng", f"{value!r} stands in {count} rows"),
            Text("mỗi dòng cần một mã riêng", "every row needs a key of its own"),
        )
        for value, count in sorted(Counter(row[key] for row in rows).items())
        if count > 1
    ]


def _bad_sizes(rows: Sequence[Row], stage: Stage) -> list[Problem]:
    problems = []
    first: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        where = f"frame, row {number}, column {stage.size}"
        value = row[stage.size]
        if not _is_size(value):
            problems.append(
                Problem(
                    where,
                    Text(f"{value!r} không phải số dương", f"{value!r} is not a positive number"),
                    Text("sửa quy mô hoặc bỏ dòng này", "correct the size or leave the row out"),
                )
            )
        elif stage.unit and first.setdefault(row[stage.unit], value) != value:
            problems.append(
                Problem(
                    where,
                    Text(
                        f"{row[stage.unit]} có hai quy mô: {first[row[stage.unit]]} và {value}",
                        f"{row[stage.unit]} has two sizes: {first[row[stage.unit]]} and {value}",
                    ),
                    Text("ghi cùng một quy mô ở mọi dòng của nó", "write the same size in all of its rows"),
                )
            )
    return problems


def _is_size(value: str) -> bool:
    try:
        return math.isfinite(float(value)) and float(value) > 0
    except ValueError:
        return False


def _too_few(where: str, take: int, reserve: int, have: int) -> Problem:
    return Problem(
        where,
        Text(
            f"chỉ có {have} đơn vị, cần {take} chính thức và {reserve} dự phòng",
            f"has {have} units, but {take} main and {reserve} reserve are to be drawn",
        ),
        Text("giảm số cần chọn hoặc bổ sung khung mẫu", "draw fewer or complete the frame"),
    )


def _too_certain(where: str, take: int) -> Problem:
    return Problem(
        where,
        Text(f"số đơn vị luôn được chọn vượt quá {take}", f"more than {take} units are marked as always taken"),
        Text("tăng số cần chọn hoặc bỏ bớt dấu", "take more or mark fewer"),
    )
