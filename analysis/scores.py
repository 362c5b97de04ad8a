"""Scores: every node of an index, in every domain, with its standard error and its covariance with every other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis import checks, engines, leaves
from analysis.cells import CellSums, Declared
from analysis.crossing import PROVISIONAL, UNWEIGHTED, Block, Crossing, note_in, noted
from analysis.design import Design
from analysis.estimation import Estimates, domains_of, join
from analysis.index import Index, load_index
from analysis.layout import lay
from analysis.leaves import Odd
from analysis.replicates import COUNT, SEED, Replicated
from analysis.sample import Sample
from analysis.table import Table, text_of
from analysis.totals import Rows, Statistic
from survey.errors import InputError, Problem, Problems
from survey.text import Text

__all__ = [
    "COLUMNS",
    "PILOT",
    "PROVISIONAL",
    "SYNTHETIC",
    "UNWEIGHTED",
    "WHOLE",
    "Block",
    "Scores",
    "note_in",
    "noted",
    "score",
]

COLUMNS = (
    "index",
    "round",
    "domain_level",
    "domain",
    "level",
    "code",
    "estimate",
    "se",
    "low",
    "high",
    "df",
    "n",
    "n_psu",
    "deff",
    "note",
)
WHOLE = "all"
SYNTHETIC = Text("dữ liệu giả lập", "synthetic data")
PILOT = Text("đợt thí điểm", "pilot round")


@dataclass(frozen=True)
class Scores:
    """The tidy table of an index's scores with all that their covariance needs.

    ``findings`` want a person's eye (values off their scale, answers without a score); ``notes`` say what the figures
    are. ``unweighted`` gives pooled nodes without weights, by (domain, code). ``hidden`` are the cells (kind of
    domain, domain, code) that the rule of publication took out, with the note that says why.
    """

    index: Index
    table: pd.DataFrame
    findings: tuple[Problem, ...] = ()
    notes: tuple[Text, ...] = ()
    unweighted: Mapping[tuple[str, str], float] = field(default_factory=dict)
    blocks: tuple[Block, ...] = field(default=(), repr=False)
    sample: Sample | None = field(default=None, repr=False)
    hidden: Mapping[tuple[str, str, str], str] = field(default_factory=dict, repr=False)
    crossings: tuple[Crossing, ...] = field(default=(), repr=False)

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        return {
            (str(d), str(c)): k for k, (d, c) in enumerate(zip(self.table["domain"], self.table["code"], strict=True))
        }

    def marked(self, mark: Text) -> Scores:
        """The same scores with ``mark`` in the note of every row, so that it goes wherever the figures go."""
        notes = ["; ".join(part for part in (note, f"{mark.vi} / {mark.en}") if part) for note in self.table["note"]]
        return replace(self, table=self.table.assign(note=notes), notes=(*self.notes, mark))

    def estimates(self, codes: Sequence[str] | None = None, domains: Sequence[str] | None = None) -> Estimates:
        """The scores of ``codes`` in ``domains`` (all of them by default) as estimates that can be compared.

        Raises:
            InputError: there is no such code or domain, or the scores came without their covariances.
        """
        if self.sample is None:
            raise InputError(
                self.index.id,
                Text("không có hiệp phương sai cho các điểm này", "these scores came without covariances"),
                Text("tính lại từ số liệu từng phiếu", "score the respondents again"),
            )
        codes = [node.code for node in self.index.nodes] if codes is None else list(codes)
        domains = [block.domain for block in self.blocks] if domains is None else list(domains)
        place = {node.code: k for k, node in enumerate(self.index.nodes)}
        blocks = {block.domain: block for block in self.blocks}
        for wanted, known in ((codes, place), (domains, blocks)):
            for name in wanted:
                if name not in known:
                    raise InputError(self.index.id, Text(f"không có “{name}”", f"there is no '{name}'"))
        columns = [place[code] for code in codes]
        units, sums = join([(blocks[d].units, blocks[d].sums[:, columns]) for d in domains])
        rows = self.table.iloc[[self._rows[d, c] for d in domains for c in codes]]
        nothing = np.full(len(rows), np.nan)
        return Estimates(
            self.sample,
            tuple(codes) * len(domains),
            tuple((d,) for d in domains for _ in codes),
            rows["estimate"].to_numpy(),
            units,
            sums,
            rows["df"].to_numpy(),
            rows["n"].to_numpy(),
            rows["n_psu"].to_numpy(),
            nothing,
            nothing,
            self.sample.level,
        )

    def cov(self, codes: Sequence[str] | None = None, domains: Sequence[str] | None = None) -> pd.DataFrame:
        """The covariance of the scores of ``codes`` in ``domains``, labelled by (domain, code)."""
        found = self.estimates(codes, domains)
        labels = pd.MultiIndex.from_tuples(
            [(d[0], c) for d, c in zip(found.domains, found.names, strict=True)], names=["domain", "code"]
        )
        return pd.DataFrame(found.covariance, labels, labels)

    def bootstrap(self, codes: Sequence[str], count: int = COUNT, seed: int = SEED) -> np.ndarray:
        """The scores of ``codes`` in ``count`` Rao–Wu replicates, by replicate, domain (as in ``blocks``) and code.

        Made from the totals by PSU: n_h − 1 PSUs of each stratum drawn with replacement. Calibration is not repeated
        in the replicates; a design that needs that says ``[replicates]``.

        Raises:
            InputError: the scores are of published figures, of a calibrated or replicated design, or some are hidden.
        """
        sample = self.sample
        if not self.crossings or sample is None or sample.calibrated is not None or isinstance(sample, Replicated):
            raise InputError(
                self.index.id,
                Text("không lặp lại được các điểm này bằng bootstrap", "these scores cannot be bootstrapped here"),
                Text("dùng mục [replicates] của design.toml", "use the section [replicates] of design.toml"),
            )
        return np.concatenate([part.bootstrap(codes, count, seed) for part in self.crossings], axis=1)

    def psu_table(self) -> pd.DataFrame:
        """Influence sums by PSU, domain and code: what differences between rounds take their covariance from."""
        if self.sample is None or isinstance(self.sample, Replicated):
            return pd.DataFrame()
        first = self.sample.stages[0]
        codes = [node.code for node in self.index.nodes]
        frames = []
        for block in self.blocks:
            psus, place = np.unique(first.unit[block.units], return_inverse=True)
            sums = np.zeros((len(psus), len(codes)))
            np.add.at(sums, place.reshape(-1), block.sums)
            frames.append(
                pd.DataFrame(
                    {
                        "round": self.table["round"].iloc[0] if len(self.table) else "",
                        "domain_level": block.level,
                        "domain": block.domain,
                        "code": np.repeat(codes, len(psus)),
                        "stratum": np.tile([self.sample.stratum_names[h] for h in first.stratum[psus]], len(codes)),
                        "psu": np.tile([self.sample.psu_names[i] for i in psus], len(codes)),
                        "influence": sums.T.ravel(),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def score(
    data: Any,
    index: Any,
    design: Design,
    by: str | Sequence[str] = (),
    *,
    level: float | None = None,
    total: bool = False,
    round: str = "",
    provisional: bool = False,
    deff: bool = True,
    dont_know: str = "",
    engine: str = "local",
) -> Scores:
    """Scores of ``index`` in every crossing of the columns ``by``, and of everybody together with ``total``.

    Columns are crossed whether they come as a list, as ``province*sex`` or as ``province,sex``.

    ``data`` is a table of respondents of any kind (:meth:`analysis.table.Table.of`); ``level`` overrides the design's
    confidence level; ``provisional`` marks every row. ``deff`` false spares the second pass over the rows: then there
    are no design effects, and n counts the members of the domain. ``engine`` is where the pass over the rows runs:
    ``local``, in threads of this machine, or ``spark`` (``data`` may then be a data frame of Spark).

    ``dont_know`` (``worst``, ``best``) gives every "don't know" that end of its scale. Small cells are taken out by the
    design's rule of publication (:mod:`analysis.publication`).

    Raises:
        Problems: columns of the design, of the index or of ``by`` that are missing or unusable, all at once.
        InputError: there is no such engine, it does not start, or the design needs every row at hand.
    """
    table, index = engines.table_of(data, engine), load_index(index)
    columns = _split(by)
    answered = [node for node in index.leaves if node.question]
    if level is not None:
        design = replace(design, level=level)
    found = checks.unusable(table, index, answered, columns)
    source: Rows | CellSums | None = None
    if not found and not dont_know and engines.suits(design, table):
        pooled = any(node.combine == "pooled" for node in index.nodes)
        declared = Declared(engines.keys_of(design, table, columns), design.weight, tuple(answered), pooled)
        source = engines.by_cell(declared, design, table)
    strange: Sequence[Odd]
    if isinstance(source, CellSums):
        strange, by_key = source.cells.odd, Table(source.cells.keys, table.source)
    else:
        if engine != "local":
            table = engines.brought(table, design, bool(dont_know))
        source, strange = _by_row(table, design, answered, found, dont_know)
        by_key = table
    findings = [odd.problem(table.source) for odd in strange]
    rounds = _rounds(by_key, round)
    parts = []
    for crossing in [[], columns] if total and columns else [columns]:
        domain, labels = domains_of(by_key, crossing)
        checks.no_domain(table, crossing, labels)
        names = ["|".join(label) if crossing else WHOLE for label in labels]
        parts.append(Crossing(index, source, "*".join(crossing) or WHOLE, names, answered, domain, deff))
    rows = [row for part in parts for row in part.rows(rounds, provisional)]
    for part in parts:
        findings += part.findings()
    findings += [*checks.bare(index), *checks.unanswered(table, answered, parts[-1].answers())]
    coarse, wider, said = _coarser(design, table)
    if coarse is not None and design.sensitivity is not None:
        coarse = replace(coarse, publication=None)
        other = score(wider, index, coarse, by, total=total, deff=False, engine=engine).table
        _beside(rows, other.to_dict("records"), design.sensitivity.psu)
    members = source.cells.count if isinstance(source, CellSums) else np.ones(len(table), dtype=np.int64)
    outside = checks.outside(by_key, columns, members)
    scores = Scores(
        index=index,
        table=pd.DataFrame(rows, columns=list(COLUMNS)),
        findings=tuple(findings),
        notes=(
            *_notes(provisional, any(part.unweighted for part in parts)),
            *said,
            *outside,
            *checks.single_units(rows, [node.code for node in index.nodes if not node.parents]),
        ),
        unweighted={key: value for part in parts for key, value in part.unweighted.items()},
        blocks=tuple(block for part in parts for block in part.blocks),
        sample=source.sample,
        crossings=tuple(parts),
    )
    if design.publication is None:
        return scores
    from analysis.publication import suppress

    # Replicates of what is hidden would tell it.
    return replace(suppress(scores, design.publication), crossings=())


def _by_row(
    table: Table, design: Design, answered: Sequence[Any], found: Sequence[Problem], dont_know: str = ""
) -> tuple[Rows, list[Odd]]:
    """Every leaf by row, under the design laid on the rows.

    Raises:
        Problems: what is wrong with the design's columns, and what was ``found`` before.
    """
    try:
        sample = lay(design, table)
    except Problems as more:
        raise Problems([*found, *more.problems]) from None
    if found:
        raise Problems(found)
    statistics: list[Statistic] = []
    strange: list[Odd] = []
    for node in answered:
        statistic, odd = leaves.statistic(node, table, dont_know)
        statistics.append(statistic)
        strange += odd
    return Rows(sample, statistics), strange


def _coarser(design: Design, table: Table) -> tuple[Design | None, Table, tuple[Text, ...]]:
    """The design with the coarser variance units that are shown for comparison, where the data have them."""
    rule = design.sensitivity
    if rule is None:
        return None, table, ()
    named = ", ".join((*rule.strata, *rule.psu))
    if any(name not in table or table.blank(name).any() for name in (*rule.strata, *rule.psu)):
        return (
            None,
            table,
            (
                Text(
                    f"chưa tính khoảng theo đơn vị lớn hơn: thiếu cột {named}",
                    f"no interval by coarser units: without the columns {named}",
                ),
            ),
        )
    found = replace(design, strata=rule.strata, psu=rule.psu, fpc=(), pps="", certainty="", collapse="")
    found = replace(found, lonely_psu="remove", nest=True, replicates=None, sensitivity=None)
    if not design.weight and design.fpc:
        found = replace(found, weight=_COARSE_WEIGHT)
        table = table.with_columns({_COARSE_WEIGHT: lay(design, table, calibrated=False).weight})
    return (
        found,
        table,
        (
            Text(
                f"khoảng theo đơn vị lớn hơn ({named}) ghi ở cột note; chọn khoảng nào là giả định phải nêu rõ",
                f"the interval by coarser units ({named}) stands in the notes; which holds is an assumption to state",
            ),
        ),
    )


_COARSE_WEIGHT = "weight of the finer design"


def _beside(rows: list[dict[str, Any]], wider: list[dict[str, Any]], psu: Sequence[str]) -> None:
    """Puts the coarser interval into the note of each row."""
    named = ", ".join(psu)
    for row, other in zip(rows, wider, strict=True):
        if np.isnan(row["estimate"]):
            continue
        df = f"{other['df']:g}"
        told = Text(f"theo {named}: không có khoảng ({df} bậc tự do)", f"by {named}: no interval ({df} df)")
        if np.isfinite(other["low"]):
            ends = f"{other['low']:.6g} … {other['high']:.6g}"
            told = Text(f"theo {named}: {ends} ({df} bậc tự do)", f"by {named}: {ends} ({df} df)")
        row["note"] = "; ".join(part for part in (row["note"], noted([told])) if part)


def _split(by: str | Sequence[str]) -> list[str]:
    named = [by] if isinstance(by, str) else list(by)
    return [column.strip() for name in named for column in name.replace(",", "*").split("*") if column.strip()]


def _rounds(table: Table, round: str) -> str:
    if round or "round" not in table:
        return round
    _, values = table.codes("round")
    return text_of(values[0]) if len(values) == 1 else ""


def _notes(provisional: bool, pooled: bool) -> tuple[Text, ...]:
    found = [PROVISIONAL] if provisional else []
    if pooled:
        found.append(
            Text(
                "tỷ lệ gộp không quyền số là cách hiểu của chúng tôi về số công bố, in cạnh ước lượng có quyền số",
                "the unweighted pooled share is our reading of the published figure, beside the weighted estimate",
            )
        )
    return tuple(found)
