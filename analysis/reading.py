"""Files that a person brings, read as a :class:`analysis.table.Table`.

CSV (UTF-8 with or without BOM; comma, semicolon or tab; decimal comma), ``.xlsx`` (first sheet), Parquet, Stata and
SPSS. Every cell of a CSV or a sheet stays text until a number is asked for, so that ``01`` remains ``01``.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from analysis.data_variables import SUPPRESSED
from analysis.table import CHUNK, MISSING_SUFFIX, Table, single_names, text_of
from survey import tables
from survey.errors import InputError
from survey.questionnaire.model import MISSING
from survey.text import Text, fold, nfc

_LARGE = 20_000_000
_DDI = "{ddi:codebook:2_5}"
_KINDS = tuple(MISSING)
_WORDS = {
    SUPPRESSED: ("bao ve nguoi tra loi", "protect the respondent"),
    "dont_know": ("dont know", "don't know", "khong biet"),
    "refused": ("refuse", "tu choi", "khong tra loi"),
    "not_applicable": ("not applicable", "khong ap dung", "khong lien quan", "khong thuoc dien"),
    "blank": ("blank", "bo trong"),
    "multiple": ("multiple", "nhieu o", "several boxes"),
}


def read_table(path: Any, encoding: str = "") -> Table:
    """The file at ``path`` as a table; ``encoding`` (``tcvn3``, ``vni``) is that of a CSV or sheet from before Unicode.

    Raises:
        InputError: no such file, a kind that is not read, a broken row, a repeated column, text that is not UTF-8, a
            file that memory cannot hold.
    """
    file = Path(path)
    readers = {
        **dict.fromkeys((".csv", ".tsv", ".txt", ".xlsx"), _text_table),
        ".parquet": _parquet,
        ".dta": _dta,
        ".sav": _sav,
    }
    if not file.exists():
        raise InputError(
            str(file), Text("không có tệp này", "there is no such file"), Text("kiểm tra đường dẫn", "check the path")
        )
    reader = readers.get(file.suffix.lower())
    if reader is None or not file.is_file():
        raise InputError(
            str(file),
            Text("không đọc được loại tệp này", "files of this kind are not read"),
            Text("dùng .csv, .xlsx, .parquet, .dta hoặc .sav", "use .csv, .xlsx, .parquet, .dta or .sav"),
        )
    if reader is not _parquet:
        _fits(file)
    try:
        return reader(file, encoding)
    except (MemoryError, pa.ArrowMemoryError):
        raise _too_large(file) from None


def _fits(file: Path) -> None:
    """Raises InputError where ``file``, read whole, would need more memory than there is: better than a machine that
    stands still. A system that does not say how much is free is believed to have enough."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return
    if file.stat().st_size > free:
        raise _too_large(file)


def _too_large(file: Path) -> InputError:
    size = f"{file.stat().st_size / 2**30:.1f} GB"
    return InputError(
        str(file),
        Text(f"tệp {size} lớn hơn bộ nhớ còn trống", f"the file of {size} is larger than the memory that is free"),
        Text(
            "lưu thành .parquet (chỉ đọc các cột cần dùng, từng phần), hoặc bỏ bớt cột",
            "save it as .parquet (of which only the columns needed are read, part by part), or leave columns out",
        ),
    )


def read_rows(path: Any) -> list[dict[str, str]]:
    """The rows of a small file (an index sheet, a table of margins) as texts by header."""
    return rows_of(read_table(path))


def rows_of(table: Table) -> list[dict[str, str]]:
    """The rows of a small table as texts by header."""
    columns = [[text_of(value) for value in table.arrow.column(name).to_pylist()] for name in table.names]
    return [dict(zip(table.names, row, strict=True)) for row in zip(*columns, strict=True)]


def _unreadable(file: Path, detail: str) -> InputError:
    return InputError(
        str(file),
        Text(f"không đọc được tệp ({detail})", f"the file cannot be read ({detail})"),
        Text("mở bằng phần mềm bảng tính và lưu lại", "open it in a spreadsheet program and save it again"),
    )


def _text_table(file: Path, encoding: str) -> Table:
    """CSV or a sheet: small files by the forgiving reader that all tables share, large CSV files by Arrow's."""
    if file.suffix.lower() != ".xlsx" and file.stat().st_size > _LARGE and not encoding:
        return _large_csv(file)
    found = tables.read_table(file, encoding)
    columns = {name: pa.array([row[name] or None for row in found.rows], pa.string()) for name in found.columns}
    comma = found.decimal_comma or file.suffix.lower() == ".xlsx"
    return Table(pa.table(columns), found.source, 2, comma, np.array(found.places))


def _large_csv(file: Path) -> Table:
    with file.open("rb") as stream:
        head = stream.readline().decode("utf-8-sig", errors="replace")
    separator = max(",;\t", key=head.count)
    names = [nfc(name).strip() for name in next(csv.reader(io.StringIO(head), delimiter=separator))]
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        raise InputError(
            f"{file.name}, row 1",
            Text(f"tên cột bị lặp: {', '.join(repeated)}", f"repeated column: {', '.join(repeated)}"),
            Text("đặt cho mỗi cột một tên", "give every column a name of its own"),
        )
    try:
        rows = arrow_csv.read_csv(
            file,
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable(file, str(error)) from None
    return Table(rows, file.name, 2, separator != ",")


def _parquet(file: Path, encoding: str) -> Table:
    try:
        return ParquetTable(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(file, type(error).__name__) from None


class ParquetTable(Table):
    """A Parquet file of which only what is asked for is read: columns by name, or rows part by part."""

    def __init__(self, file: Path, keep: np.ndarray | None = None):
        from pyarrow import parquet

        with parquet.ParquetFile(file) as opened:
            self._meta, self._schema = opened.metadata, opened.schema_arrow
        single_names(self._schema.names, file.name)
        self.file, self._keep = file, keep
        self.source, self.first_row, self.decimal_comma = file.name, 1, False
        self._places = None if keep is None else np.flatnonzero(keep) + 1
        self._read: dict[str, pa.ChunkedArray] = {}
        self._labels = {}

    def __len__(self) -> int:
        return int(self._meta.num_rows if self._keep is None else self._keep.sum())

    @property
    def schema(self) -> pa.Schema:
        """The names and types of the columns, from the foot of the file."""
        return self._schema

    @property
    def arrow(self) -> pa.Table:
        """Every column, in memory."""
        return self._columns(self.names)

    def column(self, name: str) -> pa.ChunkedArray:
        """One column, read when it is first asked for."""
        if name not in self._read:
            self._read[name] = self._columns([name]).column(0)
        return self._read[name]

    def forget(self, name: str) -> None:
        """Drops what is remembered of a column that is not needed again."""
        super().forget(name)
        self._read.pop(name, None)

    def _columns(self, names: Sequence[str]) -> pa.Table:
        from pyarrow import parquet

        try:
            rows = parquet.read_table(self.file, columns=list(names))
        except (pa.ArrowInvalid, OSError) as error:
            raise _unreadable(self.file, type(error).__name__) from None
        return rows if self._keep is None else rows.filter(pa.array(self._keep))

    def filter(self, keep: np.ndarray) -> Table:
        """The rows of ``keep``, still in the file."""
        every = np.ones(self._meta.num_rows, dtype=bool) if self._keep is None else self._keep.copy()
        every[every] = keep
        return ParquetTable(self.file, every)

    def parts(self, columns: Sequence[str]) -> list[Callable[[], Iterable[Table]]]:
        """The row groups, each read chunk by chunk by the thread that takes it."""
        from pyarrow import parquet

        texts = [name for name in columns if pa.types.is_string(self._schema.field(name).type)]
        starts = np.cumsum([0, *(self._meta.row_group(g).num_rows for g in range(self._meta.num_row_groups))])

        def part(group: int) -> Callable[[], Iterable[Table]]:
            def chunks() -> Iterable[Table]:
                at = int(starts[group])
                try:
                    with parquet.ParquetFile(self.file, metadata=self._meta, read_dictionary=texts) as opened:
                        for batch in opened.iter_batches(CHUNK, [group], list(columns), use_threads=False):
                            yield from self._chunk(batch, at)
                            at += batch.num_rows
                except (pa.ArrowInvalid, OSError) as error:
                    raise _unreadable(self.file, type(error).__name__) from None

            return chunks

        return [part(group) for group in range(self._meta.num_row_groups)]

    def _chunk(self, batch: pa.RecordBatch, at: int) -> Iterable[Table]:
        rows = pa.Table.from_batches([batch])
        if self._keep is None:
            yield Table(rows, self.source, at + 1)
            return
        keep = self._keep[at : at + batch.num_rows]
        if keep.any():
            yield Table(rows.filter(pa.array(keep)), self.source, places=np.flatnonzero(keep) + at + 1)


def _dta(file: Path, encoding: str) -> Table:
    import pyreadstat

    return _statistical(file, pyreadstat.read_dta)


def _sav(file: Path, encoding: str) -> Table:
    import pyreadstat

    return _statistical(file, pyreadstat.read_sav)


def _statistical(file: Path, reader: Any) -> Table:
    """Stata's ``.a .b …`` and SPSS's user-missing values become ``q__missing``, by their labels, else in our order."""
    import pyreadstat

    try:
        frame, meta = reader(str(file), user_missing=True)
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
        raise _unreadable(file, str(error)) from None
    columns: dict[str, Any] = {}
    codes = _codes_of_the_form(file.with_name(f"{file.name}.ddi.xml"))
    for name in frame.columns:
        values: list[Any] = [None if value != value else value for value in frame[name].tolist()]
        typed = _user_missing(meta, name, values)
        if typed:
            labels = meta.variable_value_labels.get(name, {})
            columns[name + MISSING_SUFFIX] = [_kind(v, labels, typed) if v in typed else None for v in values]
            values = [None if value in typed else value for value in values]
        if name in codes:
            values = [codes[name].get(text_of(value), value) for value in values]
        columns[name] = values
    return Table.of(columns).renamed(file.name)


def _codes_of_the_form(codebook: Path) -> dict[str, dict[str, str]]:
    """Column to {number in the file: code on the form}, from the codebook that ``survey data export`` wrote beside it.

    Stata and SPSS label only numbers; an index asks for the codes that the form has ("some", "many").
    """
    if not codebook.is_file():
        return {}
    try:
        root = ElementTree.parse(codebook).getroot()
    except ElementTree.ParseError as error:
        raise _unreadable(codebook, str(error)) from None
    found: dict[str, dict[str, str]] = {}
    for variable in root.iter(f"{_DDI}var"):
        for category in variable.iter(f"{_DDI}catgry"):
            code = category.findtext(f"{_DDI}txt")
            if code is not None and variable.get("files") == "F1":
                found.setdefault(variable.get("name", ""), {})[category.findtext(f"{_DDI}catValu", "")] = code
    return found


def _user_missing(meta: Any, name: str, values: list[Any]) -> list[Any]:
    found = set(meta.missing_user_values.get(name, ()) if meta.missing_user_values else ())
    for span in (meta.missing_ranges or {}).get(name, ()):
        low, high = span["lo"], span["hi"]
        found |= {v for v in values if v is not None and type(v) is type(low) and low <= v <= high}
    return sorted(found, key=str)


def _kind(value: Any, labels: dict[Any, str], typed: list[Any]) -> str:
    label = fold(str(labels.get(value, value))).replace("_", " ")
    for kind, words in _WORDS.items():
        if any(word in label for word in (*words, kind.replace("_", " "))):
            return kind
    return _KINDS[min(typed.index(value), len(_KINDS) - 1)]
