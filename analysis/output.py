"""Scores written to a file: tidy CSV, Parquet or a workbook, the influence sums per PSU beside it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.scores import PROVISIONAL, Scores
from survey.errors import InputError
from survey.text import Text


def write_scores(scores: Scores, file: Path) -> list[Path]:
    """Writes the tidy table to ``file`` (.csv, .parquet, .xlsx) and, where covariances are known, ``X.psu.parquet``.

    A file is there whole or not at all. Returns the files written. Raises InputError for another ending.
    """
    write_table(scores.table, file)
    beside, sums = file.with_suffix(".psu.parquet"), scores.psu_table()
    if sums.empty:
        beside.unlink(missing_ok=True)  # those of earlier scores of this name would be wrong for these
        return [file]
    whole_file(beside, lambda path: _write_psus(scores, sums, path))
    return [file, beside]


def write_table(table: pd.DataFrame, file: Path) -> None:
    """Writes a table to ``file`` by its ending (.csv with a BOM, .parquet, .xlsx), whole or not at all.

    Raises:
        InputError: another ending.
    """
    writers: dict[str, Callable[[Path], Any]] = {
        ".csv": lambda path: table.to_csv(path, index=False, encoding="utf-8-sig"),
        ".parquet": lambda path: table.to_parquet(path, index=False),
        ".xlsx": lambda path: _workbook(table, path),
    }
    if file.suffix.lower() not in writers:
        raise InputError(
            str(file),
            Text("không ghi được loại tệp này", "files of this kind are not written"),
            Text("dùng .csv, .parquet hoặc .xlsx", "use .csv, .parquet or .xlsx"),
        )
    whole_file(file, writers[file.suffix.lower()])


def _workbook(table: pd.DataFrame, file: Path) -> None:
    """A text that begins with ``=`` stays a text: a domain's name must never become a formula in somebody's Excel."""
    with pd.ExcelWriter(file, engine="openpyxl") as writer:
        table.to_excel(writer, index=False)
        for sheet in writer.book.worksheets:
            for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
                cell.data_type = "s"


def whole_file(file: Path, write: Callable[[Path], Any]) -> None:
    """Lets ``write`` write a file of another name and then puts it in the place of ``file``: whole or not at all.

    Raises:
        OSError: it cannot be written; its ``filename`` is the folder that is not there, or ``file``.
    """
    if not file.parent.is_dir():  # pandas and pyreadstat would tell it as errors of their own, without the path
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file.parent))
    unfinished = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        write(unfinished)
        os.replace(unfinished, file)
    except OSError as error:
        if str(error.filename or unfinished) == str(unfinished):
            error.filename = str(file)  # the person knows nothing of the unfinished one
        raise
    finally:
        unfinished.unlink(missing_ok=True)


def _write_psus(scores: Scores, frame: pd.DataFrame, path: Path) -> None:
    """The sums with what their variance needs: for each stratum the PSUs in the sample and the factor 1 − f."""
    import pyarrow as pa
    from pyarrow import parquet

    assert scores.sample is not None
    first = scores.sample.stages[0]
    design = {
        "strata": list(scores.sample.stratum_names),
        "size": first.size.tolist(),
        "scale": first.scale.tolist(),
        "stages": len(scores.sample.stages),
        "lonely_psu": scores.sample.lonely_psu,
        "level": scores.sample.level,
    }
    for name in ("round", "domain_level", "domain", "code", "stratum", "psu"):
        frame[name] = frame[name].astype("category")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), b"survey.design": json.dumps(design, ensure_ascii=False).encode()}
    parquet.write_table(table.replace_schema_metadata(metadata), path)


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain values for JSON; what is missing is null."""
    return table.astype(object).where(pd.notna(table), None).to_dict("records")


def as_json(scores: Scores) -> dict[str, Any]:
    """The scores as plain values for JSON; what is missing is null."""
    return {
        "index": scores.index.id,
        "provisional": PROVISIONAL in scores.notes,
        "notes": [{"vi": note.vi, "en": note.en} for note in scores.notes],
        "findings": [{"where": f.where, "what": f.what.en, "todo": f.todo.en, "vi": f("vi")} for f in scores.findings],
        "unweighted": [
            {"domain": domain, "code": code, "estimate": None if np.isnan(value) else value}
            for (domain, code), value in scores.unweighted.items()
        ],
        "scores": rows_of(scores.table),
    }
