"""Open data: what of a round's responses may be given to everybody. Pure.

The round declares its rules (``open_data`` in its document): the key variables by which somebody could be recognised,
the fewest people who must share their values (k), ceilings and floors of numbers, columns to keep or to leave out. Of
the frame only the keys and the design go out, of the questions everything but free text, places, dates, photographs
and files. Sampled units and strata are numbered anew, interviews too and in another order, so that nothing points back
into the store and every estimate stays what it was.

A combination of keys that fewer than k people share loses keys, the last declared first, until k share it. A blank
matches everything, as in sdcMicro (Templ, Kowarik & Meindl 2015, Journal of Statistical Software 67(4)).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.data_variables import SUPPRESSED, TEXT, parts
from analysis.dataset import WEIGHT, Dataset
from analysis.design import Design, Publication
from analysis.table import MISSING_SUFFIX, Table, text_of
from analysis.weighting import STEPS
from analysis.weighting import WEIGHT as FINAL
from survey.errors import InputError, Problem, Problems
from survey.questionnaire.model import ATTACHED_TYPES
from survey.text import Text, many

LEAST_K = 3
_SYSTEM = ("interview", "round", "state", "mode")
_TYPES = ("select_one", "select_multiple", "rank", "integer", "decimal", "range", "calculate")

FRAME = Text("cột của khung mẫu hoặc của hệ thống", "a column of the frame or of the system")
FREE = Text(
    "câu trả lời bằng lời, vị trí, ngày giờ, ảnh hoặc tệp", "free text, a place, a date, a photograph or a file"
)
SOURCE = Text("biến khóa được tính từ cột này", "a key is calculated from this column")
CHOSEN = Text("bỏ theo quy tắc của đợt", "left out by the rules of the round")
NUMBERED = Text(
    "đánh số lại cho dữ liệu mở: không phải mã của khung mẫu", "numbered anew for open data: no code of the frame"
)


@dataclass(frozen=True)
class Rules:
    """The rules of a round for open data: ``keys`` in the order in which they are given up last, ``k``, ``top`` and
    ``bottom`` by column, ``keep`` (columns that would be left out) and ``drop``."""

    keys: tuple[str, ...] = ()
    k: int = LEAST_K
    top: Mapping[str, float] = field(default_factory=dict)
    bottom: Mapping[str, float] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    @classmethod
    def of(cls, round: Mapping[str, Any]) -> Rules | None:
        """The rules that a round document declares; None where it declares none."""
        told = round.get("open_data")
        if not isinstance(told, Mapping):
            return None
        top, bottom = ({str(k): float(v) for k, v in (told.get(name) or {}).items()} for name in ("top", "bottom"))
        keys, keep, drop = (tuple(map(str, told.get(name) or ())) for name in ("keys", "keep", "drop"))
        return cls(keys, int(told.get("k", LEAST_K)), top, bottom, keep, drop)

    @property
    def document(self) -> dict[str, Any]:
        """As a round document holds it."""
        return {
            "keys": list(self.keys),
            "k": self.k,
            "top": dict(self.top),
            "bottom": dict(self.bottom),
            "keep": list(self.keep),
            "drop": list(self.drop),
        }


@dataclass(frozen=True)
class Classes:
    """People by how many share their keys: the ``smallest`` class, people alone in theirs (``unique``), people in
    classes below k (``below``)."""

    smallest: int
    unique: int
    below: int


@dataclass(frozen=True)
class Protected:
    """Open data and what was done to them. ``blanked`` counts cells by key, ``coded`` answers at a ceiling or floor,
    ``left_out`` says why a column is not there, ``cells`` are the cells of single keys and pairs of keys: (keys,
    values, n, whether n is below the rule for published cells). ``weights`` are the people whose weight nobody else
    has: a weight can tell a village."""

    data: Dataset
    design: Design
    rules: Rules
    before: Classes
    after: Classes
    blanked: Mapping[str, int]
    coded: Mapping[str, int]
    left_out: Mapping[str, Text]
    cells: Sequence[tuple[str, str, int, bool]]
    weights: int


def class_sizes(keys: np.ndarray) -> np.ndarray:
    """For each row of ``keys`` (rows × keys, codes, -1 blank) the rows that it could be: equal, or blank, in every key.

    Rows are taken by their pattern of blanks, so that the work is that of a sort for each pair of patterns.
    """
    patterns, which = np.unique(keys < 0, axis=0, return_inverse=True)
    groups = [np.flatnonzero(which.reshape(-1) == number) for number in range(len(patterns))]
    found = np.zeros(len(keys), dtype=np.int64)
    for blank, rows in zip(patterns, groups, strict=True):
        for other_blank, others in zip(patterns, groups, strict=True):
            common = ~(blank | other_blank)
            if not common.any():
                found[rows] += len(others)
                continue
            both = np.concatenate([keys[rows][:, common], keys[others][:, common]])
            number = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
            found[rows] += np.bincount(number[len(rows) :], minlength=number.max() + 1)[number[: len(rows)]]
    return found


def suppressed(keys: np.ndarray, k: int, free: Sequence[int] | None = None) -> np.ndarray:
    """``keys`` with blanks (-1) so that at least ``k`` rows share what is left of each row: the last key goes first.

    Only the columns ``free`` are blanked (by default all). A row that is blank throughout could be anybody.
    """
    found = keys.copy()
    for column in reversed(range(keys.shape[1]) if free is None else free):
        small = class_sizes(found) < k
        if not small.any():
            break
        found[small, column] = -1
    return found


def protect(data: Dataset, design: Design, rules: Rules, least: Publication | None = None) -> Protected:
    """The open data of ``data`` under ``rules``, and the design in its columns; repeats stay behind.

    Raises:
        Problems: a column of the rules is not there, is no number, or is contact data.
        InputError: no keys, or fewer than k interviews.
    """
    _checked(data, rules)
    mixed = [hashlib.sha256(str(key).encode()).digest() for key in data.table.arrow["interview"].to_pylist()]
    order = sorted(range(len(mixed)), key=mixed.__getitem__)
    table = Table(data.table.arrow.take(pa.array(order)), data.table.source)
    blanks = _dependents(data, rules.keys)
    left_out = dict(_left_out(data, design, rules, {name for of in blanks.values() for name in of}))
    table = Table(table.arrow.select([name for name in table.names if name not in left_out]), table.source)
    table, coded = _coded(table, rules)
    codes = np.column_stack([table.codes(name)[0] for name in rules.keys])
    told = [k for k in range(codes.shape[1]) if _is_told(table, design, codes[:, k])]
    safe = suppressed(codes, rules.k, [k for k in range(codes.shape[1]) if k not in told])
    _enough(data, rules, table, told, safe)
    table = _blanked(data, table, rules, blanks, (safe < 0) & (codes >= 0))
    numbered: dict[str, list[str | None]] = {"interview": [str(number) for number in range(1, len(table) + 1)]}
    for name in {*design.strata, *design.psu[:1]} - set(rules.keys):
        numbered[name] = _numbered(table, name)
    table = _with(table, numbered)
    remarks: dict[str, tuple[Text, ...]] = {"": (_statement(rules),), **dict.fromkeys(numbered, (NUMBERED,))}
    for name in {*rules.top, *rules.bottom}:
        remarks[name] = tuple(_limits(rules, name))
    opened = replace(data, table=table, children={}, remarks=remarks)
    weight = design.weight if design.weight in table else ""
    shared = np.unique(table.numbers(weight), return_counts=True)[1] if weight else np.zeros(0)
    return Protected(
        opened,
        replace(design, psu=design.psu[:1], sensitivity=None, publication=None),
        rules,
        _classes(codes, rules.k),
        _classes(safe, rules.k),
        {name: int(((safe < 0) & (codes >= 0))[:, k].sum()) for k, name in enumerate(rules.keys)},
        coded,
        left_out,
        list(_cells(table, rules.keys, least or Publication())),
        int((shared == 1).sum()),
    )


def _checked(data: Dataset, rules: Rules) -> None:
    table = data.table
    if not rules.keys:
        raise InputError(
            f"round {data.round['id']}",
            Text("đợt chưa khai báo biến khóa cho dữ liệu mở", "the round declares no keys for open data"),
            Text(
                "khai báo: survey data rules --key province --key sex --key age_group --k 3",
                "declare them: survey data rules --key province --key sex --key age_group --k 3",
            ),
        )
    named = [*rules.keys, *rules.top, *rules.bottom, *rules.keep, *rules.drop]
    problems = [table.missing_column(name) for name in dict.fromkeys(named) if name not in table]
    contact = {node.path for form in data.questionnaires.values() for node in form.walk() if node.contact}
    problems += [
        Problem(
            f"round {data.round['id']}, {name}",
            Text("là dữ liệu liên hệ, không bao giờ có trong dữ liệu mở", "contact data, which are never open data"),
            Text("bỏ khỏi --keep và --key", "take it out of --keep and --key"),
        )
        for name in (*rules.keep, *rules.keys)
        if name in data.questions and data.questions[name].path in contact
    ]
    problems += [
        Problem(
            f"round {data.round['id']}, {name}",
            Text(
                "ảnh, bản ghi âm, tệp không có trong dữ liệu mở",
                "photographs, recordings and files are never open data",
            ),
            Text("bỏ khỏi --keep", "take it out of --keep"),
        )
        for name in rules.keep
        if name in data.questions and data.questions[name].type in ATTACHED_TYPES
    ]
    if problems:
        raise Problems(problems)
    if len(table) < rules.k:
        raise InputError(
            f"round {data.round['id']}",
            Text(
                f"chỉ có {len(table)} phiếu, ít hơn k = {rules.k}",
                f"{many(len(table), 'interview is', 'interviews are')} fewer than k",
            ),
            Text("chưa thể công bố dữ liệu mở", "there can be no open data yet"),
        )


def _is_told(table: Table, design: Design, key: np.ndarray) -> bool:
    """Whether strata or sampled units tell a key, as a village does its province: blank in one row, it would be read
    from the next one of the same unit."""
    for name in (*design.strata, *design.psu[:1]):
        units, names = table.codes(name)
        pairs = np.unique(np.column_stack([units, key])[(units >= 0) & (key >= 0)], axis=0)
        if len(pairs) == len(np.unique(pairs[:, 0])) and len(names) < len(table):
            return True
    return False


def _enough(data: Dataset, rules: Rules, table: Table, told: Sequence[int], safe: np.ndarray) -> None:
    small = class_sizes(safe) < rules.k
    if not small.any():
        return
    names = [rules.keys[k] for k in told]
    shown = sorted({" × ".join(str(table.arrow[name][int(row)]) for name in names) for row in np.flatnonzero(small)})
    listed = ", ".join(shown[:5])
    raise InputError(
        f"round {data.round['id']}, {' × '.join(names)}",
        Text(
            f"có ít hơn {rules.k} phiếu ở: {listed}; tầng hay đơn vị chọn mẫu cho biết biến khóa này nên không ẩn được",
            f"fewer than {rules.k} interviews in: {listed}; strata or sampled units tell this key, so that hiding it "
            "is no use",
        ),
        Text(
            "bỏ biến khóa này, dùng cấp rộng hơn, hoặc giảm k: survey data rules",
            "leave this key out, take a wider level, or lower k: survey data rules",
        ),
    )


def _left_out(data: Dataset, design: Design, rules: Rules, safe: Collection[str]) -> Iterator[tuple[str, Text]]:
    """The columns that do not go out, with the reason."""
    sampled = {*design.strata, *design.psu[:1], *design.fpc, design.weight, design.certainty}
    replicate = design.replicates.columns.rstrip("*") if design.replicates else ""
    kept = {*_SYSTEM, *rules.keys, *rules.keep, *sampled, *STEPS, FINAL, WEIGHT, *(f"{key}_name" for key in rules.keys)}
    kinds = {variable.name: variable.kind for variable in parts(data)[0].variables}
    sources = {name for key in rules.keys for name in _sources(data, key)} - set(rules.keys) - set(rules.keep)
    for name in data.table.names:
        base = name.removesuffix(MISSING_SUFFIX)
        base = base if base in data.questions else name.partition("/")[0] if "/" in name else base
        node = data.questions.get(base) or data.questions.get(name)
        if {name, base} & set(rules.drop) - set(rules.keys):
            yield name, CHOSEN
        elif name in kept or base in kept or (replicate and name.startswith(replicate)):
            continue
        elif base in sources:
            yield name, SOURCE
        elif node is None or node.type == "hidden":
            yield name, FRAME
        elif base not in safe and not _is_coded(node.type, kinds.get(base, "")):
            yield name, FREE


def _is_coded(type: str, kind: str) -> bool:
    """Whether a question's answers are codes or numbers; what is calculated may be a text."""
    return type.startswith(_TYPES) and not (type == "calculate" and kind == TEXT)


def _refers(calculation: str, name: str) -> bool:
    return bool(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", calculation))


def _dependents(data: Dataset, keys: Sequence[str]) -> dict[str, list[str]]:
    """By key, the columns that are blanked with it: its name, and what is calculated from it, however far."""
    found: dict[str, list[str]] = {}
    for key in keys:
        reached = [key]
        for name in reached:
            last = name.rpartition("/")[2]
            reached += [
                other
                for other, node in data.questions.items()
                if node.calculation and other not in reached and _refers(node.calculation, last)
            ]
        found[key] = [*reached, f"{key}_name"]
    return found


def _sources(data: Dataset, key: str) -> list[str]:
    """The columns that a key is calculated from, however far back."""
    reached = [key]
    for name in reached:
        node = data.questions.get(name)
        if node is not None and node.calculation:
            reached += [
                other
                for other in data.questions
                if other not in reached and _refers(node.calculation, other.rpartition("/")[2])
            ]
    return reached[1:]


def _coded(table: Table, rules: Rules) -> tuple[Table, dict[str, int]]:
    """Numbers beyond a ceiling or a floor are set to it; how many by column."""
    changed: dict[str, Any] = {}
    counts: dict[str, int] = {}
    for name in dict.fromkeys((*rules.top, *rules.bottom)):
        numbers = table.numbers(name)
        limited = np.clip(numbers, rules.bottom.get(name, -np.inf), rules.top.get(name, np.inf))
        moved = np.isfinite(numbers) & (limited != numbers)
        texts = table.arrow[name].to_pylist()
        changed[name] = [text_of(limited[row]) if moved[row] else text for row, text in enumerate(texts)]
        counts[name] = int(moved.sum())
    return _with(table, changed), counts


def _limits(rules: Rules, name: str) -> Iterator[Text]:
    if name in rules.top:
        limit = text_of(rules.top[name])
        yield Text(f"mã hóa trần: từ {limit} trở lên ghi {limit}", f"top-coded: {limit} stands for {limit} or more")
    if name in rules.bottom:
        least = text_of(rules.bottom[name])
        yield Text(f"mã hóa sàn: từ {least} trở xuống ghi {least}", f"bottom-coded: {least} stands for {least} or less")


def _blanked(
    data: Dataset, table: Table, rules: Rules, blanks: Mapping[str, Sequence[str]], hidden: np.ndarray
) -> Table:
    """The table with the hidden cells of each key, and of what follows from it, empty; questions name the reason."""
    for column, key in enumerate(rules.keys):
        rows = hidden[:, column]
        if not rows.any():
            continue
        for name in blanks[key]:
            if name not in table:
                continue
            cells = table.arrow[name].to_pylist()
            changed = {name: [None if gone else cell for cell, gone in zip(cells, rows, strict=True)]}
            if name in data.questions:
                kind = name + MISSING_SUFFIX
                before = table.arrow[kind].to_pylist() if kind in table else [None] * len(table)
                changed[kind] = [SUPPRESSED if gone else one for one, gone in zip(before, rows, strict=True)]
            table = _with(table, changed, after=name)
    return table


def _with(table: Table, columns: Mapping[str, Sequence[str | None]], after: str = "") -> Table:
    """``table`` with these columns of text in place of those of their names; a new one stands ``after`` another."""
    arrow = table.arrow
    for name, cells in columns.items():
        made = pa.array(cells, pa.string())
        if name in arrow.column_names:
            arrow = arrow.set_column(arrow.column_names.index(name), name, made)
        else:
            place = arrow.column_names.index(after) + 1 if after else len(arrow.column_names)
            arrow = arrow.add_column(place, name, made)
    return Table(arrow, table.source)


def _numbered(table: Table, name: str) -> list[str | None]:
    """Numbers for codes, in the order in which the rows come."""
    numbers: dict[str, str] = {}
    texts = table.arrow[name].to_pylist()
    return [numbers.setdefault(text, str(len(numbers) + 1)) if text else None for text in texts]


def _classes(keys: np.ndarray, k: int) -> Classes:
    sizes = class_sizes(keys)
    return Classes(int(sizes.min()), int((sizes == 1).sum()), int((sizes < k).sum()))


def _cells(table: Table, keys: Sequence[str], least: Publication) -> Iterator[tuple[str, str, int, bool]]:
    columns = {name: table.arrow[name].to_pylist() for name in keys}
    for chosen in [*((key,) for key in keys), *combinations(keys, 2)]:
        counts = Counter(zip(*(columns[name] for name in chosen), strict=True))
        for values, n in sorted(counts.items(), key=lambda item: (item[1], str(item[0]))):
            if None not in values:
                yield " × ".join(chosen), " × ".join(map(str, values)), n, n < least.least_n


def _statement(rules: Rules) -> Text:
    keys = ", ".join(rules.keys)
    return Text(
        f"Dữ liệu mở: mỗi tổ hợp của các biến khóa ({keys}) có ít nhất {rules.k} người; ô bị ẩn để bảo vệ người trả "
        "lời mang lý do “suppressed”; mã phiếu, tầng và đơn vị chọn mẫu đã đánh số lại; không có dữ liệu liên hệ, câu "
        "trả lời bằng lời, vị trí, ảnh và tệp.",
        f"Open data: every combination of the keys ({keys}) is shared by at least {rules.k} people; cells hidden to "
        "protect respondents have the missing kind 'suppressed'; interviews, strata and sampled units are numbered "
        "anew; there are no contact data, free texts, places, photographs or files.",
    )
