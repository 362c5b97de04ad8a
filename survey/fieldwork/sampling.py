"""Drawing a sample: pure and seeded, with the probability of every stage beside every unit.

A draw is a list of :class:`Stage`, from the largest clusters to the frame's own rows, within strata. Each cluster has
a random stream of its own, named by seed, stratum and cluster, so that a change in one village moves no draw elsewhere,
and rows are put in the order of their key first, so that the order of the file does not matter.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from survey.errors import Problem, Problems
from survey.fieldwork.selection import (
    allocate,
    inclusion,
    permutation,
    pps_systematic,
    pps_with_replacement,
    stream,
    systematic,
)
from survey.text import Text, many

METHODS = ("srs", "systematic", "pps", "pps_wr")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Stage:
    """One stage of a draw.

    ``unit``: the column that names the clusters of this stage; empty for the last stage, the frame's rows.
    ``take``: how many within each cluster of the stage above, or per stratum (a mapping) at the first stage.
    ``total``: instead of ``take``, at the first stage: this many in all, shared among strata in proportion to their
    size (see :func:`allocate`), at least two each where that is possible.
    ``method``: ``srs`` simple random, ``systematic`` (in the order of ``order``), ``pps`` systematic with probability
    proportional to ``size``, ``pps_wr`` the same with replacement (first stage only).
    ``size``: the measure of size, a column; empty = number of rows in the cluster.
    ``certainty``: a column whose non-empty, non-"0" cells mark clusters that are always taken; they count in ``take``.
    ``reserve``: how many more to draw as an ordered reserve list (``srs`` and ``systematic`` only).
    """

    unit: str = ""
    take: int | Mapping[str, int] = 1
    total: int = 0
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


def draw(rows: Sequence[Row], stages: Sequence[Stage], seed: str, key: str, strata: Sequence[str] = ()) -> list[Drawn]:
    """A sample of ``rows``: strata by the ``strata`` columns, then stage by stage; ``key`` names a row uniquely.

    Raises Problems naming every column that is missing, every size that is not a positive number, every cluster that
    is too small for what is to be taken from it.
    """
    check_plan(stages)
    _check(rows, stages, key, strata)
    by_stratum: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row[key]):
        by_stratum.setdefault("|".join(row[column] for column in strata), []).append(row)
    stages = [_shared(stages[0], by_stratum, key), *stages[1:]]
    problems: list[Problem] = []
    drawn: list[Drawn] = []
    for stratum, members in sorted(by_stratum.items()):
        drawn += _Draw(seed, key, stratum, stages, problems).of(members)
    if problems:
        raise Problems(problems)
    return drawn


def check_plan(stages: Sequence[Stage]) -> None:
    """Raises ValueError when the stages do not make a draw: this is about the plan, not about a frame."""
    for stage in stages:
        if stage.method not in METHODS:
            raise ValueError(f"method {stage.method!r}; one of {METHODS}")
        if stage.method.startswith("pps") and stage.reserve:
            raise ValueError("a reserve list needs srs or systematic")
    if not stages or stages[-1].unit or any(not s.unit for s in stages[:-1]):
        raise ValueError("every stage but the last names its clusters, the last one draws rows")
    if any(s.total for s in stages[1:]):
        raise ValueError("total is for the first stage")
    if any(s.method == "pps_wr" for s in stages[1:]):
        raise ValueError("pps_wr is for the first stage")
    if stages[0].method == "pps_wr" and (len(stages) == 1 or stages[1].method == "pps"):
        raise ValueError("what pps_wr hits is drawn from by srs or systematic")


def _shared(first: Stage, by_stratum: Mapping[str, Sequence[Row]], key: str) -> Stage:
    if not first.total:
        return first
    sizes = {name: sum(cluster.size for cluster in _clusters(rows, first, key)) for name, rows in by_stratum.items()}
    return replace(
        first, take=allocate(first.total, sizes, at_least=min(2, max(1, first.total // len(sizes)))), total=0
    )


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
    if problems:
        raise Problems(problems)


_IMPORT = Text("nhập khung mẫu trước", "import a frame first")


def _repeated(rows: Sequence[Row], key: str) -> list[Problem]:
    return [
        Problem(
            f"frame, column {key}",
            Text(f"{value!r} có ở {count} dòng", f"{value!r} stands in {many(count, 'row')}"),
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
            f"has {many(have, 'unit')}, but {take} main and {reserve} reserve are to be drawn",
        ),
        Text("giảm số cần chọn hoặc bổ sung khung mẫu", "draw fewer or complete the frame"),
    )


def _too_certain(where: str, take: int) -> Problem:
    return Problem(
        where,
        Text(f"số đơn vị luôn được chọn vượt quá {take}", f"more than {take} units are marked as always taken"),
        Text("tăng số cần chọn hoặc bỏ bớt dấu", "take more or mark fewer"),
    )
