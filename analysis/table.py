"""A data set as columns, whatever it came in: pandas, polars, Arrow, DuckDB, a dictionary, or a file.

Text stays as it is written (a province code keeps its leading zero); numbers are read from it when a number is asked
for, and what is not a number is reported with its rows.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from survey.errors import InputError, Problem
from survey.text import Text, many, nfc

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+$")
MISSING_SUFFIX = "__missing"
CHUNK = 65_536
"""Rows that a pass takes at a time."""


class Table:
    """Columns by name over an Arrow table.

    ``source`` names the data in messages, ``first_row`` (or ``places``, row by row) is the number by which a person
    knows a row of it (2 for the first of a sheet with a header), ``decimal_comma`` says that "1,5" is one and a half.
    """

    def __init__(
        self,
        arrow: pa.Table,
        source: str = "data",
        first_row: int = 1,
        decimal_comma: bool = False,
        places: np.ndarray | None = None,
    ):
        single_names(arrow.column_names, source)
        self._arrow = arrow
        self.source = source
        self.first_row = first_row
        self.decimal_comma = decimal_comma
        self._places = places
        self._labels: dict[str, tuple[np.ndarray, list[Any]]] = {}

    @classmethod
    def of(cls, data: Any) -> Table:
        """``data`` as a table: a Table, a path, pandas, columns by name, or what offers Arrow (polars, DuckDB, Spark).

        Raises:
            InputError: the file or the object cannot be read as a table.
        """
        if isinstance(data, Table):
            return data
        if isinstance(data, str) or hasattr(data, "__fspath__"):
            from analysis.reading import read_table

            return read_table(data)
        if isinstance(data, pa.Table):
            return cls(data)
        for method in ("to_arrow", "to_arrow_table", "fetch_arrow_table", "toArrow"):  # polars, DuckDB, Spark
            if hasattr(data, method):
                arrow = getattr(data, method)()
                return cls(arrow if isinstance(arrow, pa.Table) else _plain(pa.table(arrow)))
        if isinstance(data, pa.RecordBatch):
            return cls(pa.Table.from_batches([data]))
        if hasattr(data, "collect_schema") and hasattr(data, "collect"):  # polars, not yet computed
            return cls.of(data.collect())
        if isinstance(data, Mapping):
            return cls(pa.table({str(name): _arrow_column(values) for name, values in data.items()}))
        if hasattr(data, "iloc"):
            single_names([str(name) for name in data.columns], "data")
            return cls(pa.table({str(name): _arrow_column(data.iloc[:, k]) for k, name in enumerate(data.columns)}))
        if hasattr(data, "__arrow_c_stream__"):
            return cls(_plain(pa.table(data)))
        raise InputError(
            type(data).__name__,
            Text("không đọc được dữ liệu kiểu này", "data of this kind cannot be read"),
            Text("dùng pandas, polars, Arrow hoặc đường dẫn tệp", "use pandas, polars, Arrow or a file"),
        )

    @property
    def arrow(self) -> pa.Table:
        """Every column, in memory."""
        return self._arrow

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    @property
    def places(self) -> np.ndarray:
        """By row, the number by which a person knows it."""
        if self._places is None:
            self._places = np.arange(len(self)) + self.first_row
        return self._places

    def column(self, name: str) -> pa.ChunkedArray:
        """The column ``name``, which is there."""
        return self.arrow.column(name)

    def whole(self, name: str) -> pa.Array:
        """The column ``name`` in one piece."""
        column = self.column(name)
        whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole

    def parts(self, columns: Sequence[str]) -> list[Callable[[], Iterable[Table]]]:
        """The rows in order, with these columns, in parts that can be read by several threads: each gives tables."""
        arrow = self.arrow.select(columns)

        def part(start: int) -> Callable[[], Iterable[Table]]:
            return lambda: [self._like(arrow.slice(start, CHUNK), start)]

        return [part(start) for start in range(0, len(self), CHUNK)]

    def _like(self, rows: pa.Table, start: int) -> Table:
        """``rows``, which begin at ``start``, as a part of this table."""
        places = None if self._places is None else self._places[start : start + rows.num_rows]
        return Table(rows, self.source, self.first_row + start, self.decimal_comma, places)

    @property
    def schema(self) -> pa.Schema:
        """The names and types of the columns."""
        return self.arrow.schema

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self.schema.names)

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def find(self, question: str) -> str | None:
        """The column with the answers to ``question``, named by its name or its path; ``None`` if there is none."""
        if question in self:
            return question
        short = question.rpartition("/")[2]
        found = [name for name in self.names if name.endswith("/" + short)]
        return found[0] if len(found) == 1 else (short if short in self else None)

    def missing_column(self, name: str, used_for: str = "") -> Problem:
        """The problem of a column that is not there, with the likeliest name."""
        close = get_close_matches(name, self.names, 1)
        shown = ", ".join(self.names[:12])
        return Problem(
            f"{self.source}, column {name}" + (f" ({used_for})" if used_for else ""),
            Text("không có cột này", "there is no such column"),
            Text(f"có phải là “{close[0]}” không?", f"did you mean '{close[0]}'?")
            if close
            else Text(f"các cột hiện có: {shown}", f"the columns are: {shown}"),
        )

    def codes(self, name: str) -> tuple[np.ndarray, list[Any]]:
        """``(code of each row, value of each code)``; −1 where the cell is empty. Values in order of appearance.

        Raises:
            InputError: there is no such column.
        """
        if name not in self._labels:
            if name not in self:
                problem = self.missing_column(name)
                raise InputError(problem.where, problem.what, problem.todo)
            self._labels[name] = _encode(self.column(name))
        return self._labels[name]

    def forget(self, name: str) -> None:
        """Drops the remembered codes of a column that is not needed again."""
        self._labels.pop(name, None)

    def blank(self, name: str) -> np.ndarray:
        """The rows whose cell is empty."""
        return np.isnan(self.numbers(name)) if self._is_number(name) else self.codes(name)[0] < 0

    def _is_number(self, name: str) -> bool:
        kind = self.schema.field(name).type if name in self else pa.null()
        return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))

    def labels(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Codes and their texts, numbers written the short way (``3``, not ``3.0``); texts in their natural order."""
        codes, values = self.codes(name)
        if pa.types.is_integer(self.schema.field(name).type):  # distinct already, and in their order as numbers
            turn = np.argsort(np.array(values, dtype=np.int64), kind="stable")
            place = np.empty(len(values), dtype=np.int64)
            place[turn] = np.arange(len(values))
            return take(place, codes, -1), [str(values[k]) for k in turn]
        texts = [text_of(value) for value in values]
        order = sorted(set(texts) - {""}, key=natural)
        known = {text: k for k, text in enumerate(order)}
        return take(np.array([known.get(text, -1) for text in texts], dtype=np.int64), codes, -1), order

    def numbers(self, name: str) -> np.ndarray:
        """The column as numbers, NaN where empty.

        Raises:
            InputError: some cells are not numbers; says how many and in which rows.
        """
        if self._is_number(name):
            # Numbers as they come; a dictionary of a weight column would hold every row.
            return pc.cast(self.column(name), pa.float64()).to_numpy(zero_copy_only=False).astype(float, copy=False)
        codes, values = self.codes(name)
        found = np.array([self.number(value) for value in values], dtype=float)
        wrong = np.array([np.isnan(x) and text_of(v) != "" for x, v in zip(found, values, strict=True)], dtype=bool)
        if wrong.any():
            bad = take(wrong, codes, False)
            sample = text_of(values[int(np.flatnonzero(wrong)[0])])
            raise InputError(
                f"{self.source}, column {name}, {self.rows_text(bad)}",
                Text(f"“{sample}” không phải là số", f"'{sample}' is not a number"),
                Text("sửa các ô này hoặc để trống", "correct these cells or leave them blank"),
            )
        return take(found, codes, np.nan)

    def number(self, value: Any) -> float:
        """One value as a number; NaN if it is not one."""
        if isinstance(value, str):
            text = value.strip()
            if self.decimal_comma and _DECIMAL_COMMA.match(text):
                text = text.replace(",", ".")
            try:
                found = float(text) if "_" not in text else math.nan
            except ValueError:
                found = math.nan
            return found if math.isfinite(found) else math.nan
        try:
            return float(value)
        except (TypeError, ValueError):
            return math.nan

    def rows_text(self, bad: np.ndarray) -> str:
        """``3 rows (2, 5, 9)``: how many rows are meant and the first five of them."""
        where = np.flatnonzero(bad)
        return said(len(where), self.places[where[:5]].tolist())

    def kinds(self, name: str) -> tuple[np.ndarray, list[str]] | None:
        """Codes of the missing kinds of a question and their words, where the data set types them."""
        column = name + MISSING_SUFFIX
        return self.labels(column) if column in self else None

    def with_columns(self, columns: Mapping[str, Any]) -> Table:
        """A table with ``columns`` added or replaced."""
        arrow = self.arrow
        for name, values in columns.items():
            column = _arrow_column(values)
            if name in arrow.column_names:
                arrow = arrow.set_column(arrow.column_names.index(name), name, column)
            else:
                arrow = arrow.append_column(name, column)
        return Table(arrow, self.source, self.first_row, self.decimal_comma, self._places)

    def renamed(self, source: str) -> Table:
        """The same columns under another name in messages."""
        return Table(self.arrow, source, self.first_row, self.decimal_comma, self._places)

    def filter(self, keep: np.ndarray) -> Table:
        """The rows of ``keep`` (booleans). Never a way to estimate for a domain: a domain keeps the whole design."""
        rows = self.arrow.filter(pa.array(keep))
        return Table(rows, self.source, self.first_row, self.decimal_comma, self.places[keep])


def single_names(names: Sequence[str], source: str) -> None:
    """Raises InputError where a column's name stands twice."""
    if len(set(names)) < len(names):
        repeated = ", ".join([name for name, times in Counter(names).items() if times > 1][:5])
        raise InputError(
            source,
            Text(f"tên cột bị lặp: {repeated}", f"repeated column: {repeated}"),
            Text("đặt cho mỗi cột một tên", "give every column a name of its own"),
        )


def _plain(rows: pa.Table) -> pa.Table:
    """Texts that came as views, which Arrow cannot yet sort into categories, as texts."""
    kinds = [pa.string() if kind == pa.string_view() else kind for kind in rows.schema.types]
    return rows.cast(pa.schema([field.with_type(kind) for field, kind in zip(rows.schema, kinds, strict=True)]))


def said(count: int, rows: Sequence[int]) -> str:
    """``count`` rows of which the first are ``rows``, in words."""
    shown = ", ".join(map(str, rows)) + (", …" if count > len(rows) else "")
    if count == 1 and rows:
        return f"row {shown}"
    return many(count, "row") + (f" ({shown})" if rows else "")


def _arrow_column(values: Any) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if hasattr(values, "dtype") and getattr(values.dtype, "kind", "O") not in "OUS":
        return pa.array(np.asarray(values) if isinstance(values, np.ndarray) else values, from_pandas=True)
    cells = [None if _is_blank(value) else value for value in values]
    kinds = {type(value) for value in cells if value is not None}
    if len(kinds) > 1 or not kinds <= {str, bool, int, float, list}:
        # A column of mixed cells (a spreadsheet's) is text; numbers are read from it when they are asked for.
        cells = [None if value is None else text_of(value) for value in cells]
    return pa.array(cells)


def _is_blank(value: Any) -> bool:
    return value is None or value is getattr(value, "NA", ...) or (isinstance(value, float) and math.isnan(value))


def _encode(column: pa.ChunkedArray) -> tuple[np.ndarray, list[Any]]:
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = pa.chunked_array(
            [pa.array([None if v is None else " ".join(map(text_of, v)) for v in column.to_pylist()])]
        )
    if pa.types.is_floating(column.type):
        nan = pc.is_nan(column)
        column = pc.if_else(nan, None, column)
    if pa.types.is_integer(column.type):
        found = _encode_small(column)
        if found is not None:
            return found
    encoded = column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    encoded = encoded.combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], encoded.type)
    values = encoded.dictionary.to_pylist()
    indices = encoded.indices
    if pa.types.is_unsigned_integer(indices.type):
        indices = indices.cast(pa.int64())
    codes = indices.fill_null(-1).to_numpy(zero_copy_only=False)
    if pa.types.is_dictionary(column.type):
        codes, values = _in_use(codes, values)
    if any(isinstance(value, str) and not value.strip() for value in values):
        blank = np.array([text_of(value) == "" for value in values], dtype=bool)
        codes = np.where(take(blank, codes, True), -1, codes)
    kind = np.int8 if len(values) < 127 else np.int32
    return codes.astype(kind, copy=False), values


def _in_use(codes: np.ndarray, values: list[Any]) -> tuple[np.ndarray, list[Any]]:
    """Given categories without those that nobody has, repeated ones and nulls, in order of appearance."""
    used, first = np.unique(codes[codes >= 0], return_index=True)
    place: dict[Any, int] = {}
    new = np.full(len(values) + 1, -1, dtype=np.int64)
    for k in used[np.argsort(first, kind="stable")].tolist():
        if values[k] is not None:
            new[k] = place.setdefault(values[k], len(place))
    return new[codes], list(place)


def _encode_small(column: pa.ChunkedArray) -> tuple[np.ndarray, list[Any]] | None:
    """Whole numbers of a narrow range, such as answers and strata: coded by subtraction, no dictionary needed."""
    ends = pc.min_max(column).as_py()
    low, high = ends["min"], ends["max"]
    if low is None or high - low > 32_000:
        return None
    kind = np.int8 if high - low < 127 else np.int32
    whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    codes = (np.asarray(whole.fill_null(low)).astype(np.int64, copy=False) - low).astype(kind)
    if whole.null_count:
        codes[~np.asarray(whole.is_valid())] = -1
    present = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=high - low + 1))
    if len(present) <= high - low:
        place = np.full(high - low + 2, -1, dtype=kind)
        place[present] = np.arange(len(present))
        codes = place[codes]
    return codes, [low + int(k) for k in present]


def text_of(value: Any) -> str:
    """A cell as text: stripped, in NFC, whole numbers without a decimal point, truth as 1 and 0."""
    if value is None:
        return ""
    if isinstance(value, str):
        return nfc(value).strip()
    if isinstance(value, (bool, np.bool_)):
        return "1" if value else "0"
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if math.isnan(number):
            return ""
        return str(int(number)) if abs(number) < 1e15 and number.is_integer() else repr(number)
    return str(value)


def natural(text: str) -> tuple[Any, ...]:
    """A key that sorts 2 before 10 and keeps texts in their alphabet."""
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, text.casefold(), text)


def take(values: np.ndarray, codes: np.ndarray, missing: Any) -> np.ndarray:
    """``values[codes]`` with ``missing`` where the code is −1."""
    return np.append(values, np.array([missing], dtype=values.dtype))[codes]


def cross(parts: Sequence[tuple[np.ndarray, Sequence[str]]], rows: int) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """One code for each combination of several coded columns that occurs; −1 where any of them is empty.

    Combinations keep the order of the columns' own codes.
    """
    code = np.zeros(rows, dtype=np.int64)
    missing = np.zeros(rows, dtype=bool)
    for codes, texts in parts:
        code = code * (len(texts) + 1) + codes
        missing |= codes < 0
    code[missing] = -1
    present, inverse = np.unique(code, return_inverse=True)
    first = int(len(present) > 0 and present[0] == -1)
    names = []
    for value in present[first:].tolist():
        name: list[str] = []
        for _, texts in reversed(parts):
            value, k = divmod(value, len(texts) + 1)
            name.append(texts[k])
        names.append(tuple(reversed(name)))
    return inverse.reshape(rows).astype(np.int64) - first, names
