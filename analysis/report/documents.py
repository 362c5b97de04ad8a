"""Documents in every form: how the papers of a report become files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.output import whole_file
from analysis.report.blocks import Paper
from analysis.report.making import Report
from analysis.report.office import Office
from survey.text import LANGUAGES

TIDY = ("csv", "parquet")


@dataclass(frozen=True)
class Wanted:
    """How a document is to be written: its ``formats``, the ``languages`` of what holds one only, the ``office`` that
    issues it, ``fonts`` of the PDF, and in which language a page ``opens``."""

    formats: Iterable[str] = ("html",)
    languages: Iterable[str] = ("vi",)
    office: Office = field(default_factory=lambda: Office(""))
    fonts: Sequence[Path] = ()
    opens: str = "vi"


def write(report: Report, papers: Mapping[str, Paper], stem: Path, wanted: Wanted) -> list[Path]:
    """Writes ``papers`` (by language) to ``stem`` with the ending of each format, whole or not at all; a second
    language of a form that holds one only is named in its ending (``.en.docx``). Returns the files.

    Raises:
        InputError: a font without Vietnamese letters.
    """
    from analysis.report.page import page
    from analysis.report.pdf import pdf
    from analysis.report.sheets import workbook, write_tidy
    from analysis.report.word import word

    made = []
    day = report.meta.made
    for form in wanted.formats:
        ways: dict[str, Callable[[Paper], bytes]] = {
            "docx": lambda paper: word(paper, wanted.office, day),
            "pdf": lambda paper: pdf(paper, day=day, fonts=wanted.fonts),
            "xlsx": workbook,
        }
        if form == "html":
            text = page([papers[spoken] for spoken in LANGUAGES], wanted.opens)
            made.append(_put(stem, f".{form}", text.encode()))
        elif form in TIDY:
            file = stem.with_name(f"{stem.name}.{form}")
            write_tidy(report.cells, report.tree, report.meta, file)
            made.append(file)
        else:
            for k, spoken in enumerate(wanted.languages):
                ending = f".{spoken}.{form}" if k else f".{form}"
                made.append(_put(stem, ending, ways[form](papers[spoken])))
    return made


def _put(stem: Path, ending: str, content: bytes) -> Path:
    file = stem.with_name(stem.name + ending)
    whole_file(file, lambda path: path.write_bytes(content))
    return file
