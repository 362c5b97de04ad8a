"""The pass over the respondents on Spark: the same function on every partition, then once more on what comes of it.

A partition sends its cells, not its rows; cells of one key meet by a shuffle of these. With the driver stays the small
table. The worker processes need this package and pyarrow, as on any cluster that runs Python.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.cells import Cells, Declared, Pass, gather, spread_of
from analysis.leaves import Odd, gathered
from analysis.table import Table
from analysis.totals import Slopes, Spread
from survey.errors import InputError
from survey.text import Text

_BATCH = 8192
_COUNT, _SUMS, _SAID = "#count", "#sums", "#said"


class SparkTable(Table):
    """A data frame of Spark; a column comes to this machine only when it is asked for."""

    def __init__(self, frame: Any, source: str = "data"):
        from pyspark.sql.pandas.types import to_arrow_schema

        self.frame, self.source = frame, source
        self.first_row, self.decimal_comma, self._places = 1, False, None
        self._schema: pa.Schema = to_arrow_schema(frame.schema)
        self._labels = {}

    @cached_property
    def _rows(self) -> int:
        return int(self.frame.count())

    def __len__(self) -> int:
        return self._rows

    @property
    def schema(self) -> pa.Schema:
        """The names and types of the columns."""
        return self._schema

    @property
    def arrow(self) -> pa.Table:
        """Every column, brought to this machine."""
        return self.frame.toArrow()

    def column(self, name: str) -> pa.ChunkedArray:
        """One column, brought to this machine."""
        return self.frame.select(_quoted(name)).toArrow().column(0)

    def only(self, columns: list[str]) -> Table:
        """Some columns, brought to this machine."""
        return Table(self.frame.select([_quoted(name) for name in columns]).toArrow(), self.source)


def spark_table(data: Any) -> SparkTable:
    """``data`` as a data frame of Spark: one already, a Parquet file or folder that Spark reads, or any other table.

    Raises:
        InputError: Spark is not installed or does not start, or the data cannot be read as a table.
    """
    if isinstance(data, SparkTable):
        return data
    if hasattr(data, "sparkSession"):
        return SparkTable(data)
    spark = session()
    if isinstance(data, (str, Path)) and Path(data).suffix.lower() in (".parquet", ""):
        return SparkTable(spark.read.parquet(str(data)), Path(data).name)
    table = Table.of(data)
    file = getattr(table, "file", None)
    if file is not None and getattr(table, "_keep", None) is None:
        return SparkTable(spark.read.parquet(str(file)), table.source)
    return SparkTable(spark.createDataFrame(table.arrow), table.source)


def session() -> Any:
    """The running session of Spark; else the one that the machine is set up for, else one on this machine alone.

    Raises:
        InputError: Spark is not installed, or does not start.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise _absent("pyspark") from None
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    builder = SparkSession.builder.appName("survey")
    if not {"SPARK_HOME", "SPARK_CONF_DIR", "SPARK_REMOTE"} & set(os.environ):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        threads = os.cpu_count() or 1
        builder = builder.master(f"local[{threads}]").config(
            map={
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.ui.enabled": "false",
                "spark.ui.showConsoleProgress": "false",
                "spark.sql.shuffle.partitions": str(threads),
            }
        )
    try:
        return builder.getOrCreate()
    except PySparkException as error:
        raise _absent(str(error).partition("\n")[0]) from None


def _absent(detail: str) -> InputError:
    return InputError(
        "--engine spark",
        Text(f"không chạy được Spark ({detail})", f"Spark does not run ({detail})"),
        Text(
            'cài Java 17 trở lên và pip install "citizen-survey[spark]", hoặc dùng --engine local',
            'install Java 17 or newer and pip install "citizen-survey[spark]", or use --engine local',
        ),
    )


def sums(declared: Declared, table: SparkTable) -> Cells:
    """The declared sums of ``table`` by cell."""
    frame = _read(declared, table)
    keys = [table.schema.field(name) for name in declared.keys]
    schema = pa.schema([*keys, (_COUNT, pa.int64()), (_SUMS, pa.binary()), (_SAID, pa.string())])
    like = table.schema.empty_table().select(declared.columns(table))
    added = frame.mapInArrow(partial(_add_up, declared, like, schema), _spark(schema))
    by_key = added.repartition(*(_quoted(name) for name in declared.keys))
    merged = by_key.mapInArrow(partial(_merge, declared.keys, schema), _spark(schema)).toArrow()
    return gather(_read_back(merged.to_batches(), declared.keys), declared.keys)


def spread(
    declared: Declared, table: SparkTable, places: Mapping[tuple[Any, ...], int], slopes: Slopes, counts: np.ndarray
) -> Iterator[Spread]:
    """The second pass (see :func:`analysis.totals.spread`), one share a partition."""
    like = table.schema.empty_table().select(declared.columns(table))
    schema = pa.schema([(_SUMS, pa.binary())])
    made = _read(declared, table).mapInArrow(
        partial(_squares, declared, like, dict(places), slopes, counts), _spark(schema)
    )
    shape = (3, *slopes.numerator.shape[:2])
    for content in made.toArrow().column(0).to_pylist():
        yield Spread(*np.frombuffer(content).reshape(shape))


def _read(declared: Declared, table: SparkTable) -> Any:
    return table.frame.select([_quoted(name) for name in declared.columns(table)])


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _spark(schema: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)


def _add_up(
    declared: Declared, like: pa.Table, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    one = Pass(declared, Table(like))
    parts = (one.add_up(Table(pa.Table.from_batches([batch]))) for batch in batches if batch.num_rows)
    yield from _written(parts, declared.keys, schema)


def _merge(keys: tuple[str, ...], schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from _written(_read_back(batches, keys), keys, schema)


def _squares(
    declared: Declared,
    like: pa.Table,
    places: Mapping[tuple[Any, ...], int],
    slopes: Slopes,
    counts: np.ndarray,
    batches: Iterator[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    one = Pass(declared, Table(like))
    total = np.zeros((3, *slopes.numerator.shape[:2]))
    for batch in batches:
        if batch.num_rows:
            part = spread_of(one, Table(pa.Table.from_batches([batch])), places, slopes, counts)
            total += [part.n, part.weight, part.squares]
    yield pa.record_batch({_SUMS: pa.array([total.tobytes()], pa.binary())})


def _written(parts: Iterator[Cells], keys: tuple[str, ...], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Cells as rows that Spark can carry; what was said of a partition goes with its first row."""
    first = next(parts, None)
    if first is None:
        return
    cells = gather(_with(first, parts), keys)
    odd = [asdict(replace(one, rows=())) for one in gathered(cells.odd)]  # rows of a partition have no number
    said = json.dumps({"sound": cells.sound, "odd": odd})
    for start in range(0, len(cells), _BATCH):
        stop = min(start + _BATCH, len(cells))
        block = np.ascontiguousarray(cells.sums[:, start:stop].T)
        texts = [said if row == 0 else None for row in range(start, stop)]
        columns = [
            *(cells.keys.column(name).slice(start, stop - start).combine_chunks() for name in keys),
            pa.array(cells.count[start:stop]),
            pa.array([row.tobytes() for row in block], pa.binary()),
            pa.array(texts, pa.string()),
        ]
        whole = [pa.concat_arrays(c.chunks) if isinstance(c, pa.ChunkedArray) else c for c in columns]
        yield pa.record_batch([c.cast(f.type) for c, f in zip(whole, schema, strict=True)], schema=schema)


def _with(first: Cells, rest: Iterator[Cells]) -> Iterator[Cells]:
    yield first
    yield from rest


def _read_back(batches: Any, keys: tuple[str, ...]) -> Iterator[Cells]:
    for batch in batches:
        if not batch.num_rows:
            continue
        rows = pa.Table.from_batches([batch])
        sums = np.frombuffer(b"".join(rows.column(_SUMS).to_pylist())).reshape(rows.num_rows, -1)
        sound, odd = True, []
        for text in rows.column(_SAID).to_pylist():
            if text is not None:
                said = json.loads(text)
                sound &= said["sound"]
                odd += [Odd(**_tuples(one)) for one in said["odd"]]
        yield Cells(rows.select(list(keys)), rows.column(_COUNT).to_numpy(), np.ascontiguousarray(sums.T), odd, sound)


def _tuples(one: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in one.items()}
