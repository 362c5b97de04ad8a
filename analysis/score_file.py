"""Scores read back: the tidy table, and the covariances that the influence sums beside it give.

`survey score --out X.csv` writes X.psu.parquet: per PSU the influence sums of every score, and for each stratum the
PSUs in the sample. The variance of a total follows from them as in :mod:`analysis.sample`. What is in the standard
errors of the table and not in the sums (stages below the first, a lonely stratum's share) is added to the variances.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.index import load_index
from analysis.rollup import DOMAIN, ESTIMATE, ROUND
from analysis.sample import Sample, Stage
from analysis.scores import PROVISIONAL, WHOLE, Scores
from analysis.table import Table, natural, take
from survey.errors import InputError, Problems
from survey.text import Text

INDEPENDENT = Text(
    "không có tệp .psu.parquet bên cạnh: coi các ước lượng là độc lập với nhau",
    "no .psu.parquet beside it: the estimates are taken as independent of each other",
)
ROW = "#"
"""How the name of a PSU begins that is a row of the data, and hence no unit that another round could share."""
_KEY = ["round", "domain_level", "domain", "code"]
_TEXTS = ("index", "round", "domain_level", "domain", "level", "code", "note")
_FIGURES = ("estimate", "se", "low", "high", "df", "n", "n_psu")


@dataclass(frozen=True)
class PsuSums:
    """Influence sums by PSU (``round, domain_level, domain, code, stratum, psu, influence``) and the strata they
    lie in: the number of PSUs in the sample, and 1 − f."""

    frame: pd.DataFrame
    size: Mapping[str, int]
    scale: Mapping[str, float]

    @property
    def design_df(self) -> int:
        """PSUs minus strata of the whole design."""
        return sum(self.size.values()) - len(self.size)

    def psus(self) -> set[tuple[str, str]]:
        """Every PSU as (stratum, name)."""
        pairs = self.frame[["stratum", "psu"]].drop_duplicates()
        return set(zip(pairs["stratum"].astype(str), pairs["psu"].astype(str), strict=True))

    def of(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The sums of these rows of the table, ``column`` saying of which."""
        wanted = rows[_KEY].reset_index(drop=True)
        here = self.frame[self.frame["code"].isin(set(wanted["code"]))].astype(dict.fromkeys(_KEY, str))
        return here.merge(wanted.assign(column=np.arange(len(wanted))), on=_KEY)


@dataclass(frozen=True)
class ScoreTable:
    """A table of scores with what is known of its covariances; ``source`` names it in messages."""

    source: str
    frame: pd.DataFrame
    sums: PsuSums | None = None
    level: float = 0.95
    scores: Scores | None = None
    """The scores themselves where they were just computed: their covariances are exact."""

    def choose(self, code: str = "", by: str = "", round: str = "") -> pd.DataFrame:
        """The rows of one code, one kind of domain, one round: one row a domain, missing estimates too.

        A domain of that round without a row of the code is a missing one. By default the only round, the only kind of
        domain that is not the whole, and the only code or the only one at the top.

        Raises:
            InputError: nothing of that name, or several to choose from, which are named.
        """
        frame = self.frame
        for column, value, option in (("round", round, "--round"), ("domain_level", by, "--by")):
            frame = frame[frame[column] == self._one(frame, column, value, option)]
        code = self._one(frame, "code", code, "--code")
        found = frame[frame["code"] == code]
        if found["domain"].duplicated().any():
            twice = found["domain"][found["domain"].duplicated()].iloc[0]
            raise InputError(
                f"{self.source}, {code}, {twice}",
                Text("có hai dòng cho cùng một ô", "two rows for one cell"),
                Text("giữ lại một dòng", "keep one of them"),
            )
        absent = frame[~frame["domain"].isin(found["domain"])].drop_duplicates("domain")
        blank = absent.assign(code=code, level=found["level"].iloc[0], note="", **dict.fromkeys(_FIGURES, np.nan))
        both = pd.concat([found, blank]) if len(blank) else found
        return both.sort_values("domain", key=lambda names: names.map(natural)).reset_index(drop=True)

    def _one(self, frame: pd.DataFrame, column: str, value: str, option: str) -> str:
        names = list(dict.fromkeys(frame[column]))
        if value:
            if value in names:
                return value
            listed = ", ".join(names[:12])
            raise InputError(
                f"{self.source}, column {column}",
                Text(f"không có “{value}”", f"there is no '{value}'"),
                Text(f"hiện có: {listed}", f"there are {listed}"),
            )
        if column == "domain_level":
            names = [name for name in names if name != WHOLE] or names
        elif column == "code" and len(names) > 1:
            tops = [name for name in names if name in self._tops(frame)]
            names = tops if len(tops) == 1 else names
        if len(names) == 1:
            return str(names[0])
        listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        raise InputError(
            f"{self.source}, column {column}",
            Text(f"có nhiều giá trị: {listed}", f"there are several: {listed}"),
            Text(f"chọn một bằng {option}", f"choose one with {option}"),
        )

    def _tops(self, frame: pd.DataFrame) -> list[str]:
        """The codes at the top of the tree, where the table's index is known here."""
        try:
            index = self.scores.index if self.scores is not None else load_index(frame["index"].iloc[0] or "?")
        except InputError:
            return list(frame.loc[frame["level"] == "1", "code"])
        return [node.code for node in index.nodes if index.depth[node.code] == 1]

    def covariance(self, rows: pd.DataFrame) -> tuple[np.ndarray, tuple[Text, ...]]:
        """The covariance of the estimates of ``rows``, and what has to be said about it."""
        se = rows["se"].to_numpy(dtype=float)
        if self.scores is not None and self.scores.sample is not None:
            return self.scores.estimates([rows["code"].iloc[0]], list(rows["domain"])).covariance, ()
        if self.sums is None:
            return np.diag(se**2), (INDEPENDENT,) if np.isfinite(se).any() else ()
        sample, units, sums, _ = stacked([(self.sums, rows)])
        return completed(sample.covariance(units, sums), se, self.source), ()

    def own_df(self, rows: pd.DataFrame) -> bool:
        """Whether the rows' degrees of freedom are each domain's own rather than the whole design's."""
        if self.scores is not None and self.scores.sample is not None:
            return self.scores.sample.df_rule == "domain"
        df = rows["df"].dropna()
        return self.sums is not None and len(df) > 0 and bool((df != self.sums.design_df).any())


def provisional(*notes: Any) -> list[Text]:
    """The mark of scores from interviews that nobody has approved, if any of these notes has it."""
    return [PROVISIONAL] if any(PROVISIONAL.vi in str(note) for note in notes) else []


def completed(covariance: np.ndarray, se: np.ndarray, source: str) -> np.ndarray:
    """``covariance`` with the variances of the table's standard errors.

    Raises:
        InputError: the sums give larger variances than the table has: they are of another scoring.
    """
    variance = np.diag(covariance)
    if (variance > se**2 * (1 + 1e-6) + 1e-24).any():
        raise InputError(
            source,
            Text(
                "tệp .psu.parquet bên cạnh không thuộc bảng điểm này", "the .psu.parquet beside it is of other scores"
            ),
            Text("tính lại điểm bằng survey score --out", "score again with survey score --out"),
        )
    found = covariance.copy()
    np.fill_diagonal(found, se**2)
    return found


def stacked(
    parts: Sequence[tuple[PsuSums, pd.DataFrame]],
) -> tuple[Sample, np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Several rounds in one design: a PSU of the same stratum and name is the same PSU, n_h counts the union.

    Returns the design, the PSUs present, the sums of all chosen rows side by side, and for each column the
    (PSUs, their strata) in which it has members. This is what a stacked data file gives (one row a respondent of any
    round). Where rounds differ in their sampling fraction the smaller is taken.
    """
    strata: dict[str, int] = {}
    size: list[int] = []
    scale: list[float] = []
    seen: set[tuple[str, str]] = set()
    for sums, _ in parts:
        here = sums.psus()
        shared = [stratum for stratum, psu in here & seen if not psu.startswith(ROW)]
        for name, count in sums.size.items():
            k = strata.setdefault(name, len(strata))
            if k == len(size):
                size.append(0)
                scale.append(0.0)
            size[k] += count
            scale[k] = max(scale[k], sums.scale[name])
        for stratum in shared:
            size[strata[stratum]] -= 1
        seen |= here
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    filled = np.zeros(len(strata), dtype=np.int64)
    place: dict[tuple[str, str], int] = {}
    columns, entries = 0, []
    for number, (sums, rows) in enumerate(parts):
        found = sums.of(rows)
        unit = np.empty(len(found), dtype=np.int64)
        for i, (stratum, psu) in enumerate(zip(found["stratum"], found["psu"], strict=True)):
            key = (stratum, f"{psu}{ROW}{number}" if psu.startswith(ROW) else psu)
            if key not in place:
                h = strata[stratum]
                place[key] = int(start[h] + filled[h])
                filled[h] += 1
            unit[i] = place[key]
        entries.append((unit, found["column"].to_numpy() + columns, found["influence"].to_numpy(dtype=float)))
        columns += len(rows)
    units = np.array(sorted(place.values()), dtype=np.int64)
    matrix = np.zeros((len(units), columns))
    members = []
    stratum_of = np.repeat(np.arange(len(strata)), size)
    for unit, column, influence in entries:
        np.add.at(matrix, (np.searchsorted(units, unit), column), influence)
    for k in range(columns):
        psus = np.unique(np.concatenate([unit[column == k] for unit, column, _ in entries]))
        members.append((psus, np.unique(stratum_of[psus])))
    sizes = np.array(size, dtype=np.int64)
    every = np.arange(int(sizes.sum()))
    stage = Stage(every, stratum_of, sizes, np.array(scale), 1 - np.array(scale))
    return Sample(np.zeros(0), np.zeros(0, dtype=np.int64), (stage,), (), ()), units, matrix, members


def score_table(data: Any) -> ScoreTable:
    """Scores as they were computed, a file of them (the influence sums taken from beside it), or a table.

    Raises:
        Problems: columns that are missing. InputError: the file or what lies beside it cannot be read.
    """
    if isinstance(data, ScoreTable):
        return data
    if isinstance(data, Scores):
        return _of_scores(data)
    table = Table.of(data)
    frame = _frame(table)
    file = Path(data) if isinstance(data, str) or hasattr(data, "__fspath__") else None
    beside = file.with_suffix(".psu.parquet") if file is not None else None
    if beside is None or not beside.is_file():
        return ScoreTable(table.source, frame)
    sums, level = _beside(beside)
    return ScoreTable(table.source, frame, sums, level)


def _frame(table: Table) -> pd.DataFrame:
    names: dict[str, str | None] = {name: name if name in table else None for name in (*_TEXTS, *_FIGURES)}
    for key, known in (("round", ROUND), ("domain", DOMAIN), ("estimate", ESTIMATE)):
        names[key] = next((name for name in known if name in table), None)
    missing = [table.missing_column(key) for key in ("domain", "code", "estimate") if names[key] is None]
    if missing:
        raise Problems(missing)
    columns: dict[str, Any] = {}
    for key in _TEXTS:
        name = names[key]
        if name is None:
            columns[key] = names["domain"] if key == "domain_level" else ""
        else:
            codes, labels = table.labels(name)
            columns[key] = take(np.array([*labels, ""], dtype=object)[:-1], codes, "")
    for key in _FIGURES:
        columns[key] = np.full(len(table), np.nan) if names[key] is None else table.numbers(str(names[key]))
    frame = pd.DataFrame(columns, index=range(len(table)))
    return frame[(frame["domain"] != "") & (frame["code"] != "")]


def _beside(file: Path) -> tuple[PsuSums, float]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(file)
        design = json.loads((table.schema.metadata or {})[b"survey.design"])
        size = dict(zip(design["strata"], design["size"], strict=True))
        scale = dict(zip(design["strata"], design["scale"], strict=True))
        frame = table.to_pandas()[[*_KEY, "stratum", "psu", "influence"]]
        return PsuSums(frame.astype({"stratum": str, "psu": str}), size, scale), float(design["level"])
    except (pa.ArrowInvalid, OSError, KeyError, ValueError) as error:
        raise InputError(
            str(file),
            Text(f"tệp không đọc được ({type(error).__name__})", f"the file cannot be read ({type(error).__name__})"),
            Text("tính lại điểm bằng survey score --out", "score again with survey score --out"),
        ) from None


def _of_scores(scores: Scores) -> ScoreTable:
    frame = scores.table.astype(dict.fromkeys(_FIGURES, float)).reset_index(drop=True)
    if scores.sample is None:
        return ScoreTable(scores.index.id, frame)
    sums, by_psu = None, scores.psu_table()
    if len(by_psu):
        first, names = scores.sample.stages[0], scores.sample.stratum_names
        size, scale = (dict(zip(names, values.tolist(), strict=True)) for values in (first.size, first.scale))
        sums = PsuSums(by_psu, size, scale)
    return ScoreTable(scores.index.id, frame, sums, scores.sample.level, scores)
