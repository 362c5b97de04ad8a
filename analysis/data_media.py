"""Photographs, recordings and other files of a data set: each gets a name that says whose answer to what it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from analysis.dataset import Dataset
from analysis.output import whole_file
from analysis.table import Table
from survey.questionnaire.model import ATTACHED_TYPES

FOLDER = "media"
CONTACT_FOLDER = "contact-media"
BETWEEN = "+"
"""Stands between interview, groups, instances and question: no name in a questionnaire holds it."""


class MediaFile(NamedTuple):
    """One file: the interview and the answer that mean it, and its place relative to the data file."""

    interview: str
    answer: str
    place: str


class _Names:
    """Gives each file a name of its own, also where a disk takes capitals for small letters."""

    def __init__(self, folder: str):
        self.folder = folder
        self.taken: set[str] = set()

    def place(self, interview: str, parts: Iterable[str], answer: str) -> str:
        ending = answer.rpartition(".")[2]
        stem, number = BETWEEN.join([interview, *parts]), 2
        name = f"{stem}.{ending}"
        while name.lower() in self.taken:
            name, number = f"{stem}{BETWEEN}{number}.{ending}", number + 1
        self.taken.add(name.lower())
        return f"{self.folder}/{name}"


def with_places(data: Dataset, is_here: Callable[[str, str], bool]) -> tuple[Dataset, list[MediaFile], int]:
    """The data set with ``media/…`` in the cells of files, those files, and how many have not come to this machine
    (their cells keep the answer, which names the bytes by hash).

    A question that any version of the questionnaire calls contact data is left as it is: it does not leave.
    """
    contact = {node.path for form in data.questionnaires.values() for node in form.walk() if node.contact}
    columns = {
        name: node.path
        for name, node in data.questions.items()
        if node.type in ATTACHED_TYPES and node.path not in contact
    }
    names, found, absent = _Names(FOLDER), list[MediaFile](), 0

    def placed(table: Table, repeat: str) -> Table:
        nonlocal absent
        changed: dict[str, list[str | None]] = {}
        interviews = table.arrow.column("interview").to_pylist()
        instances = table.arrow.column(repeat).to_pylist() if repeat else [""] * len(interviews)
        for name in [name for name in table.names if name in columns]:
            cells = table.arrow.column(name).to_pylist()
            for row, answer in enumerate(cells):
                if answer and is_here(interviews[row], answer):
                    parts = _parts(columns[name], repeat, instances[row])
                    cells[row] = names.place(interviews[row], parts, answer)
                    found.append(MediaFile(interviews[row], answer, cells[row]))
                elif answer:
                    absent += 1
            changed[name] = cells
        arrow = table.arrow
        for name, cells in changed.items():
            arrow = arrow.set_column(arrow.column_names.index(name), name, pa.array(cells, pa.string()))
        return Table(arrow, table.source, table.first_row)

    table = placed(data.table, "")
    children = {repeat: placed(child, repeat) for repeat, child in data.children.items()}
    return replace(data, table=table, children=children), found, absent


def _parts(path: str, repeat: str, instance: str) -> list[str]:
    """The question's path, with the ids of the instances behind their repeat."""
    if not repeat:
        return path.split("/")
    return [*repeat.split("/"), *instance.split("/"), *path.removeprefix(f"{repeat}/").split("/")]


def contact_places(
    rows: Iterable[Mapping[str, str]], is_here: Callable[[str, str], bool]
) -> tuple[list[dict[str, str]], list[MediaFile]]:
    """The rows of the contact file with ``contact-media/…`` in the cells of files, and those files."""
    names, found, placed = _Names(CONTACT_FOLDER), list[MediaFile](), []
    for row in rows:
        cells = dict(row)
        for name, text in row.items():
            if name in ("interview", "unit"):
                continue
            several = text.split("; ")
            for number, answer in enumerate(several):
                if is_here(row["interview"], answer):
                    several[number] = names.place(row["interview"], [name], answer)
                    found.append(MediaFile(row["interview"], answer, several[number]))
            cells[name] = "; ".join(several)
        placed.append(cells)
    return placed, found


def write_media(
    found: Iterable[MediaFile], beside: Path, content: Callable[[str, str], bytes | None], mode: int = 0o666
) -> int:
    """Writes the files into their folders beside the data file, each whole or not at all; returns how many."""
    count = 0
    for one in found:
        held = content(one.interview, one.answer)
        if held is not None:
            place = beside / one.place
            place.parent.mkdir(exist_ok=True)
            whole_file(place, partial(_write, held, mode))
            count += 1
    return count


def _write(content: bytes, mode: int, path: Path) -> None:
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as stream:
        stream.write(content)


def remove_media(interviews: Iterable[str], beside: Path) -> int:
    """Deletes what an earlier export wrote of these interviews (erased since); returns how many files."""
    gone = set(interviews)
    old = [
        file
        for folder in (FOLDER, CONTACT_FOLDER)
        if (beside / folder).is_dir()
        for file in (beside / folder).iterdir()
        if file.name.partition(BETWEEN)[0] in gone
    ]
    for file in old:
        file.unlink()
    return len(old)
