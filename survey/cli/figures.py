"""What the commands that read respondents or figures have in common: their options, and the table they leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey.cli.base import option, say
from survey.cli.options import FILE, NEW_FILE
from survey.text import Text

if TYPE_CHECKING:
    import pandas as pd

STATES = {"approved": ("approved",), "sealed": ("approved", "sealed")}
"""``--state`` → states of the interviews that count."""

INDEX = option(
    "--index", help=Text("Chỉ số: mã bộ công cụ, thư mục hoặc index.csv.", "Index: an id, a folder or index.csv.")
)
WEIGHTS = option(
    "--weights",
    type=FILE,
    help=Text("Tệp quyền số nối theo cột interview.", "Weights file, joined by the column interview."),
)
STATE = option(
    "--state",
    type=click.Choice(list(STATES)),
    default="approved",
    show_default=True,
    help=Text(
        "Phiếu đã duyệt, hoặc cả phiếu chưa duyệt (tạm tính).", "Approved interviews, or sealed too (provisional)."
    ),
)
VOLUNTEERS = option(
    "--volunteers",
    is_flag=True,
    help=Text("Chỉ phiếu tự nguyện, không thuộc mẫu được chọn.", "Volunteers alone: people who were not drawn."),
)
LEVEL = option("--level", type=float, help=Text("Độ tin cậy, ví dụ 0.95.", "Confidence level, such as 0.95."))
OUT = option("--out", type=NEW_FILE, help=Text("Ghi ra .csv, .parquet hoặc .xlsx.", "Write .csv, .parquet or .xlsx."))


def write(table: pd.DataFrame, out: Path | None) -> None:
    """The table as the file of ``--out``, where one was asked for."""
    if out is not None:
        from analysis.output import write_table

        write_table(table, out)


def say_written(*files: Path | None) -> None:
    """Names the files that were written."""
    for file in files:
        if file is not None:
            say(Text(f"Đã ghi {file}", f"Wrote {file}"))
