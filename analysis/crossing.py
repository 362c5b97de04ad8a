"""One crossing of domains: every node of an index in each of them, from the totals to the rows of the tidy table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from analysis.cells import CellSums
from analysis.ends import kept_within, scales
from analysis.estimation import df_of, interval
from analysis.index import Base, Index, Values, evaluate
from analysis.replicates import Replicated, rao_wu_sums, replicate_sums
from analysis.totals import Rows, Slopes, Totals, influence
from survey.errors import Problem
from survey.text import Text

PROVISIONAL = Text("tạm tính, phiếu chưa duyệt", "provisional, interviews not yet approved")
WITHIN = Text("khoảng giữ trong thang điểm", "interval kept on its scale")
UNWEIGHTED = Text("gộp không quyền số (cách hiểu của chúng tôi)", "unweighted pooled share (our reading)")
_AT_ONCE = 64
"""Replicates whose nodes are worked out together."""


@dataclass(frozen=True)
class Block:
    """The nodes of one domain with their influence sums by sampled unit."""

    level: str
    domain: str
    units: np.ndarray
    sums: np.ndarray


def noted(texts: Sequence[Text]) -> str:
    """Texts as the column ``note`` holds them: both languages of each."""
    return "; ".join(f"{text.vi} / {text.en}" for text in texts)


def note_in(note: str, language: str) -> str:
    """What the column ``note`` says, in one language."""
    return "; ".join(part.partition(" / ")[0 if language == "vi" else 2] for part in note.split("; ")) if note else ""


class Crossing:
    """The scores of one crossing of domains."""

    def __init__(
        self,
        index: Index,
        source: Rows | CellSums,
        level: str,
        names: Sequence[str],
        answered: Sequence[Any],
        domain: np.ndarray,
        deff: bool,
    ):
        self.index, self.sample, self.level, self.names = index, source.sample, level, names
        self.codes = [node.code for node in index.nodes]
        self.columns = {node.code: k for k, node in enumerate(answered)}
        self.totals = source.collect(domain, len(names))
        self.pooling = self._pooling()
        self.values, slopes = self._evaluate(self.totals)
        counts = np.array([self._counts(code) for code in self.codes])
        self.spread = source.spread(self.totals, slopes, counts) if deff else None
        self.counts = counts
        made = self._blocks(source, slopes)
        self.blocks = [Block(level, name, *part) for name, part in zip(names, made, strict=True)]
        self.unweighted = self._unweighted(source, domain)

    def answers(self) -> np.ndarray:
        """The weighted number of answers to each leaf, in all domains together."""
        return np.asarray(sum(self.totals.sums(d)[1] for d in range(self.totals.domains)))

    def _pooling(self) -> dict[str, np.ndarray]:
        """Which leaves each pooled node adds up."""
        found = {}
        for node in self.index.nodes:
            members = [self.columns[leaf.code] for leaf in self.index.leaves_of(node.code) if leaf.code in self.columns]
            if node.combine == "pooled" and members:
                found[node.code] = np.isin(np.arange(len(self.columns)), members).astype(float)
        return found

    def _mixing(self) -> np.ndarray:
        """The sums of the leaves, then those of the pooled nodes, from the sums of the leaves."""
        return np.vstack([np.eye(len(self.columns)), *self.pooling.values()])

    def _counts(self, code: str) -> np.ndarray:
        """Which leaves make a person count for a node: those that count in it, or the leaf itself."""
        below = [leaf.code for leaf in self.index.leaves_of(code)] or [code]
        return np.isin(list(self.columns), below)

    def _evaluate(self, totals: Totals) -> tuple[Values, Slopes]:
        """Node values and how they answer to the sums of the leaves, through the pooled sums where there are some."""
        mixing = self._mixing()
        sums = [totals.sums(d) for d in range(totals.domains)]
        values, ratio, scale = self._nodes(np.array([pair[0] for pair in sums]), np.array([pair[1] for pair in sums]))
        gradient = values.gradient * scale[:, None, :]
        centred = gradient * np.nan_to_num(ratio)[:, None, :]
        return values, Slopes(gradient @ mixing, centred @ mixing) if self.pooling else Slopes(gradient, centred)

    def _nodes(
        self, numerator: np.ndarray, denominator: np.ndarray, slopes: bool = True
    ) -> tuple[Values, np.ndarray, np.ndarray]:
        """The tree from the sums of its leaves: node values, the ratios they rest on, and one over the denominators."""
        leaf_count = len(self.columns)
        if self.pooling:
            mixing = self._mixing()
            numerator, denominator = numerator @ mixing.T, denominator @ mixing.T
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(denominator != 0, numerator / denominator, np.nan)
            scale = np.where(denominator != 0, 1 / denominator, 0.0)
        pooled = {code: leaf_count + k for k, code in enumerate(self.pooling)}
        return evaluate(self.index, Base(ratio, self.columns, pooled), slopes), ratio, scale

    def _blocks(self, source: Rows | CellSums, slopes: Slopes) -> list[tuple[np.ndarray, np.ndarray]]:
        """What the covariance needs, by domain: influence sums by unit, or deviations by replicate."""
        if not isinstance(self.sample, Replicated) or not isinstance(source, Rows):
            return [influence(self.totals, d, slopes) for d in range(self.totals.domains)]
        numerator, denominator = replicate_sums(self.sample, self.totals, source.statistics)
        count, domains, leaves = numerator.shape
        values, _, _ = self._nodes(numerator.reshape(-1, leaves), denominator.reshape(-1, leaves), slopes=False)
        again = values.value.reshape(count, domains, -1)
        return [self.sample.deviations(self.values.value[d], again[:, d]) for d in range(domains)]

    def bootstrap(self, codes: Sequence[str], count: int, seed: int) -> np.ndarray:
        """The nodes ``codes`` in Rao–Wu replicates, by replicate, domain and code."""
        numerator, denominator = rao_wu_sums(self.totals, count, seed)
        leaves, wanted = numerator.shape[2], [self.codes.index(code) for code in codes]
        found = np.empty((count, len(self.names), len(wanted)))
        for first in range(0, count, _AT_ONCE):  # every node of all replicates at once would be the peak of memory
            some = slice(first, first + _AT_ONCE)
            z, d = (part[some].reshape(-1, leaves) for part in (numerator, denominator))
            values, _, _ = self._nodes(z, d, slopes=False)
            found[some] = values.value[:, wanted].reshape(-1, len(self.names), len(wanted))
        return found

    def _unweighted(self, source: Rows | CellSums, domain: np.ndarray) -> dict[tuple[str, str], float]:
        if not self.pooling:
            return {}
        values, _ = self._evaluate(source.collect(domain, len(self.names), plain=True))
        return {
            (name, code): float(values.value[d, self.codes.index(code)])
            for d, name in enumerate(self.names)
            for code in self.pooling
        }

    def rows(self, round: str, provisional: bool) -> list[dict[str, Any]]:
        found, counts = [], self.counts.T.astype(np.float32)
        ends = scales(self.index)
        for d, name in enumerate(self.names):
            block, part = self.blocks[d], self.totals.rows(d)
            value = self.values.value[d]
            df = float(df_of(self.sample, self.totals, d))
            se = np.sqrt(self.sample.known(value, self.sample.variance(block.units, block.sums), df))
            low, high = interval(value, se, df, self.sample.level)
            observed = (self.totals.denominator[part] != 0).astype(np.float32) @ counts > 0
            of = self.sample.stages[0].unit[self.totals.unit[part]]  # grows with the unit
            starts = np.flatnonzero(np.concatenate([[True], of[1:] != of[:-1]])[: len(of)])
            psus = np.logical_or.reduceat(observed, starts, axis=0).sum(axis=0)
            for k, node in enumerate(self.index.nodes):
                spread = self.spread
                n = int(spread.n[d, k]) if spread else int(self.totals.count[part].sum())
                level, both = self.sample.level, (float(low[k]), float(high[k]))
                lowest, highest, moved = kept_within(value[k], se[k], df, level, both, ends.get(node.code), n)
                found.append(
                    {
                        "index": self.index.id,
                        "round": round,
                        "domain_level": self.level,
                        "domain": name,
                        "level": self.index.level_of(node),
                        "code": node.code,
                        "estimate": value[k],
                        "se": se[k],
                        "low": lowest,
                        "high": highest,
                        "df": df,
                        "n": n,
                        "n_psu": int(psus[k]),
                        "deff": self._deff(d, k, se[k]),
                        "note": self._note(d, node.code, provisional, df, moved),
                    }
                )
        return found

    def _deff(self, d: int, k: int, se: float) -> float:
        """Against sampling without replacement where the weights add up to a population, else with replacement."""
        if self.spread is None:
            return float("nan")
        population = self.spread.weight[d, k] >= 2 * self.spread.n[d, k]
        reference = self._reference[0 if population else 1][d, k]
        return float(se**2 / reference) if reference > 0 else float("nan")

    @cached_property
    def _reference(self) -> tuple[np.ndarray, np.ndarray]:
        assert self.spread is not None
        return self.spread.srs(replacement=False), self.spread.srs(replacement=True)

    def _note(self, d: int, code: str, provisional: bool, df: float, moved: bool) -> str:
        said = [self.values.reasons[d, code]] if (d, code) in self.values.reasons else []
        if df <= 0:
            said.append(Text("không đủ đơn vị chọn mẫu để tính khoảng", "too few sampled units for an interval"))
        if (self.names[d], code) in self.unweighted:
            figure = f"{self.unweighted[self.names[d], code]:.6g}"
            said.append(Text(f"{UNWEIGHTED.vi} {figure}", f"{UNWEIGHTED.en} {figure}"))
        if moved:
            said.append(WITHIN)
        if provisional:
            said.append(PROVISIONAL)
        return noted(said)

    def findings(self) -> list[Problem]:
        found = []
        for d, code, value, (low, high) in self.values.findings:
            found.append(
                Problem(
                    f"{code}, {self.level} {self.names[d]}",
                    Text(
                        f"{value:.6g} nằm ngoài thang {low:g}..{high:g}",
                        f"{value:.6g} is outside the scale {low:g}..{high:g}",
                    ),
                    Text("kiểm tra cột `from` và số liệu", "check the column `from` and the data"),
                )
            )
        return found
