"""What lies beside exported data for the programs that read them: the design, and labels in the other language.

``X.design.toml`` for ``survey score``; for Stata a do-file that adds the labels of the second language and declares the
design (``svyset``); for SPSS a syntax file with the labels of the second language. Names are those of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.data_coding import FORMATS, Column, columns
from analysis.data_files import Written
from analysis.design import Design
from analysis.output import whole_file
from survey.text import LANGUAGES


def write_syntax(written: Sequence[Written], design: Design | None, file: Path, language: str) -> list[Path]:
    """Writes what goes with the interviews in ``file``; returns the files made."""
    first = written[0]
    found = []
    names = {column.variable.name: column.name for column in first.columns}
    if design is not None and (design.weight or design.psu):
        place = file.with_name(f"{file.name}.design.toml")
        text = "\n".join(_toml(design, names)) + "\n"
        whole_file(place, lambda path: path.write_text(text, encoding="utf-8", newline="\n"))
        found.append(place)
    ending = file.suffix.lower().lstrip(".")
    if ending in ("dta", "sav"):
        other = next(one for one in LANGUAGES if one != language)
        labelled = columns(first.part, FORMATS[ending], other)
        lines = _stata(first, labelled, design, names, language, other) if ending == "dta" else _spss(first, labelled)
        place = file.with_name(f"{file.name}.{'do' if ending == 'dta' else 'sps'}")
        whole = "\n".join(lines) + "\n"
        whole_file(place, lambda path: path.write_text(whole, encoding="utf-8", newline="\n"))
        found.append(place)
    return found


def _toml(design: Design, names: dict[str, str]) -> Iterator[str]:
    def listed(given: Sequence[str]) -> str:
        return json.dumps([names.get(name, name) for name in given], ensure_ascii=False)

    if design.weight:
        yield f"weight = {json.dumps(names.get(design.weight, design.weight))}"
    for key in ("strata", "psu", "fpc"):
        if getattr(design, key):
            yield f"{key} = {listed(getattr(design, key))}"
    if design.certainty:
        yield f"certainty = {json.dumps(names.get(design.certainty, design.certainty))}"
    yield f"nest = {str(design.nest).lower()}"
    yield f"level = {design.level:g}"
    if design.replicates is not None:
        yield "[replicates]"
        yield f'type = "{design.replicates.type}"'
        yield f"columns = {json.dumps(design.replicates.columns)}"
        yield f"mse = {str(design.replicates.mse).lower()}"


def _stata(
    one: Written, labelled: Sequence[Column], design: Design | None, names: dict[str, str], language: str, other: str
) -> Iterator[str]:
    yield "version 14"
    yield f"use {_quoted(one.file.name)}, clear"
    yield f"label language {language}, rename"
    yield f"label language {other}, new"
    for number, column in enumerate(labelled, 1):
        yield f"label variable {column.name} {_quoted(column.label)}"
        if column.labels:
            values = " ".join(
                f"{'.' if isinstance(value, str) else ''}{value} {_quoted(words)}"
                for value, words in column.labels.items()
            )
            yield f"label define {other}{number} {values}"
            yield f"label values {column.name} {other}{number}"
    yield f"label language {language}"
    if design is not None:
        yield from svyset(design, names)


def svyset(design: Design, names: dict[str, str]) -> list[str]:
    """The commands that tell Stata the design: it takes one variable of strata, made of several where there are."""
    if not (design.weight and design.psu):
        return []
    strata, made = [names.get(name, name) for name in design.strata], []
    if len(strata) > 1:
        made, strata = [f"egen svy_strata = group({' '.join(strata)})"], ["svy_strata"]
    psu, weight = (names.get(name, name) for name in (design.psu[0], design.weight))
    return [*made, f"svyset {psu} [pweight={weight}]" + (f", strata({strata[0]})" if strata else "")]


def _quoted(text: str) -> str:
    """Stata's compound quotes, inside which a quotation mark means itself; a backquote or dollar would be a macro."""
    return '`"' + text.replace("`", "'").replace("$", "\\$") + "\"'"


def _spss(one: Written, labelled: Sequence[Column]) -> Iterator[str]:
    yield "* Encoding: UTF-8."
    yield f"GET FILE={_single(one.file.name)}."
    for column in labelled:
        yield f"VARIABLE LABELS {column.name} {_single(column.label)}."
        if column.labels:
            yield f"VALUE LABELS {column.name}"
            yield from (f"  {value} {_single(words)}" for value, words in column.labels.items())
            yield "  ."
    yield "EXECUTE."


def _single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
