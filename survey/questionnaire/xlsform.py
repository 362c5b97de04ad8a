"""XLSForms in: a folder of CSV sheets or a workbook becomes a :class:`Questionnaire`; and out again as ``.xlsx``.

The standard sheets go through pyxform; the sheet ``index`` and our columns ``missing``, ``missing_codes``, ``contact``
(survey) and ``missing_kind`` (choices) are read beside it.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from survey.errors import InputError, Problem, Problems
from survey.questionnaire.model import Choice, Node, Questionnaire, language_code, shown_media
from survey.questionnaire.sheets import Book, Row, head_of, read_book
from survey.questionnaire.xform import XForm, read_xform
from survey.text import Text, nfc

OUR_SURVEY_COLUMNS = frozenset({"missing", "missing_codes", "contact", "soft_constraint", "soft_constraint_message"})
OUR_CHOICES_COLUMNS = frozenset({"missing_kind"})
_PRIVATE = frozenset({"private", "hoi-rieng"})
_YES = frozenset({"yes", "true", "true()", "1", "x", "có"})


def load(source: str | Path) -> Questionnaire:
    """The questionnaire at ``source``: a shipped id, a folder, or a workbook. Raises Problems naming all of them."""
    questionnaire, problems = check(source)
    if questionnaire is None:
        raise Problems(problems)
    return questionnaire


def check(source: str | Path) -> tuple[Questionnaire | None, list[Problem]]:
    """The questionnaire and everything that is wrong with it, at once.

    Without a questionnaire the problems keep it from being used; with one they are worth a look.
    """
    from survey.questionnaire import problems as rules

    try:
        book = read_book(find(source))
    except InputError as error:
        return None, [error.problem]
    errors, remarks = rules.sheet_problems(book)
    if "survey" not in book.sheets:
        questionnaire = _index_only(book)
        remarks += rules.index_problems(book, questionnaire)
        return (None, errors) if errors else (questionnaire, remarks)
    try:
        form = convert(book)
    except rules.Refused as refused:
        told = rules.pyxform_problem(book, refused, errors)
        return None, errors + ([told] if told else []) + remarks
    if errors:
        return None, errors + remarks
    questionnaire = assemble(book, form)
    found, more = rules.compiled_problems(book, questionnaire)
    remarks += more
    if found:
        return None, found + remarks
    return questionnaire, remarks + rules.index_problems(book, questionnaire)


def convert(book: Book) -> XForm:
    """The standard sheets through pyxform. Raises Refused with pyxform's own words when it does not take them."""
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert as to_xform

    from survey.questionnaire.problems import Refused

    sheets: dict[str, Any] = {"sheet_names": list(book.sheets), "fallback_form_name": book.name}
    for name, sheet in book.sheets.items():
        if name == "index":
            continue
        ours = our_columns(name, sheet.columns)
        sheets[name] = [
            {_handed(k): v for k, v in row.items() if k not in ours or _handed(k) != k} for row in sheet.rows
        ]
        sheets[f"{name}_header"] = [{_handed(c): None for c in sheet.columns if c not in ours or _handed(c) != c}]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = to_xform(sheets, validate=False)
        except PyXFormError as error:
            raise Refused(str(error)) from None
        except Exception as error:
            # pyxform stumbles over some sheets with errors of its own making.
            raise Refused(f"{type(error).__name__}: {error}") from None
    return read_xform(result.xform, dict(_types(result._survey, "")))


def _handed(column: str) -> str:
    """The name under which pyxform gets a column. It carries any attribute of a bind, and resolves the ``${…}`` in it
    as in a constraint."""
    return "bind::soft_constraint" if head_of(column) == "soft_constraint" else column


def our_columns(sheet: str, columns: Iterable[str]) -> frozenset[str]:
    """The columns of a sheet that are ours and that pyxform must not see."""
    if sheet == "settings":
        return frozenset(c for c in columns if "::" in c)
    ours = {"survey": OUR_SURVEY_COLUMNS, "choices": OUR_CHOICES_COLUMNS}.get(sheet, frozenset())
    return frozenset(c for c in columns if head_of(c) in ours)


def _types(element: Any, at: str) -> Iterator[tuple[str, str]]:
    for child in getattr(element, "children", None) or []:
        path = f"{at}/{child.name}" if at else str(child.name)
        kind = getattr(child, "type", None)
        if kind:
            yield path, str(kind)
        yield from _types(child, path)


def assemble(book: Book, form: XForm) -> Questionnaire:
    """The questionnaire from the XForm and what pyxform does not read."""
    settings = {k: v for row in book.rows("settings")[:1] for k, v in row.items()}
    written = dict(survey_rows(book))
    choices = list(book.sheets["choices"].numbered()) if "choices" in book.sheets else []
    kinds = {
        (row.get("list_name", ""), row.get("name") or row.get("value", "")): row["missing_kind"]
        for _, row in choices
        if row.get("missing_kind")
    }
    lists = {
        name: tuple(_with_kind(c, kinds.get((name, c.name), "")) for c in found) for name, found in form.lists.items()
    }
    listed = {(row.get("list_name", ""), row.get("name") or row.get("value", "")) for _, row in choices}
    lists = {
        name: tuple(
            replace(c, label=_translated(c.label)) if c.name == "other" and (name, "other") not in listed else c
            for c in found
        )
        for name, found in lists.items()
    }
    files = {name: tuple(dict(row) for row in book.files[name]) for name in form.files if name in book.files}
    title = {form.default_language: nfc(form.title)}
    title.update(_titles(settings))
    settings["name"] = form.root
    made = Questionnaire(
        id=settings.get("form_id") or settings.get("id_string") or book.name,
        version=settings.get("version", ""),
        title=title,
        languages=form.languages,
        default_language=form.default_language,
        nodes=tuple(_with_row(node, written) for node in form.nodes),
        lists=lists,
        index=tuple(dict(row) for row in book.rows("index")),
        settings=settings,
        files=files,
    )
    named = sorted({name for _, name in shown_media(made)} & book.media.keys())
    return replace(made, media={name: _hash(book.media[name]) for name in named})


def _hash(file: Path) -> str:
    return "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


def media_files(source: str | Path, questionnaire: Questionnaire) -> dict[str, bytes]:
    """The pictures and recordings of a questionnaire by their hash, read from beside its sheets."""
    if not questionnaire.media:
        return {}
    book = read_book(find(source))
    return {hash: book.media[name].read_bytes() for name, hash in questionnaire.media.items()}


def _titles(settings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(language code, title) of the columns ``title::English (en)``, also written ``form_title::`` or ``label::``."""
    for key, value in settings.items():
        head, _, language = key.partition("::")
        if language and head in ("title", "form_title", "label"):
            yield language_code(language), value


def _index_only(book: Book) -> Questionnaire:
    """A structure for published scores: an ``index`` sheet, perhaps ``settings``, no questions."""
    settings = {k: v for row in book.rows("settings")[:1] for k, v in row.items()}
    columns = book.sheets["index"].columns if "index" in book.sheets else []
    names = [c.partition("::")[2] for c in columns if c.startswith("label::")]
    languages = {language_code(name): name for name in names}
    default = next(iter(languages), "default")
    title = {default: settings.get("form_title", book.name)}
    title.update(_titles(settings))
    return Questionnaire(
        id=settings.get("form_id") or book.name,
        version=settings.get("version", ""),
        title=title,
        languages=languages,
        default_language=default,
        index=tuple(dict(row) for row in book.rows("index")),
        settings=settings,
    )


def _with_kind(choice: Choice, kind: str) -> Choice:
    columns = {k: v for k, v in choice.columns.items() if k not in OUR_CHOICES_COLUMNS}
    return replace(choice, missing_kind=kind, columns=columns)


_OF_OR_OTHER = {"Other": "Khác", "Specify other.": "Ghi rõ"}
"""What pyxform makes of ``or_other`` is English whatever the language of the sheet."""


def _translated(label: Mapping[str, str]) -> dict[str, str]:
    return {code: _OF_OR_OTHER.get(text, text) if code == "vi" else text for code, text in label.items()}


def _with_row(node: Node, written: dict[str, tuple[int, Row]]) -> Node:
    number, row = written.get(node.path, (0, {}))
    children = tuple(_with_row(child, written) for child in node.children)
    if not number and node.name.endswith("_other"):
        node = replace(node, label=_translated(node.label))
    pairs = [part.partition("=") for part in row.get("missing_codes", "").split()]
    parameters = dict(node.parameters)
    parameters.update(
        {k: v for k, eq, v in (p.partition("=") for p in row.get("parameters", "").replace(",", " ").split()) if eq}
    )
    return replace(
        node,
        children=children,
        row=number,
        missing=tuple(row.get("missing", "").replace(",", " ").split()),
        missing_codes={code: kind for code, _, kind in pairs if kind},
        contact=row.get("contact", "").lower() in _YES,
        soft_message={
            language_code(column.partition("::")[2]): text
            for column, text in row.items()
            if head_of(column) == "soft_constraint_message"
        },
        private=bool(_PRIVATE & set(node.appearance.split())),
        parameters=parameters,
    )


def survey_rows(book: Book) -> Iterator[tuple[str, tuple[int, Row]]]:
    """(generic path, (row number, row)) of the sheet ``survey``, groups followed as they open and close."""
    if "survey" not in book.sheets:
        return
    at: list[str] = []
    for number, row in book.sheets["survey"].numbered():
        kind = " ".join(row.get("type", row.get("command", "")).replace("_", " ").lower().split())
        name = row.get("name") or row.get("tag") or row.get("value", "")
        if kind.startswith("end ") and at:
            at.pop()
        elif name or kind.startswith("begin "):
            path = "/".join([*at, name])
            yield path, (number, row)
            if kind.startswith("begin "):
                at.append(name)
        elif kind in _NAMED_BY_TYPE:
            yield "/".join([*at, kind]), (number, row)


_NAMED_BY_TYPE = frozenset({"start", "end", "today", "deviceid", "username", "phonenumber", "email", "audit"})


# -- shipped instruments -------------------------------------------------------------------------------------------


def shipped() -> list[str]:
    """The ids of the instruments that come with the program."""
    folder = resources.files("questionnaires")
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and any((entry / f"{sheet}.csv").is_file() for sheet in ("survey", "index"))
    )


def find(name: str | Path) -> Path:
    """The path of a shipped instrument by its id (``sipas_2024``), else ``name`` itself (a folder or a workbook)."""
    if isinstance(name, str) and name and "/" not in name and "\\" not in name and not Path(name).exists():
        entry = resources.files("questionnaires") / name
        if entry.is_dir():
            return Path(str(entry))
    return Path(name)


def title(source: str | Path) -> dict[str, str]:
    """An instrument's title by language, from its settings alone: nothing else is read or checked."""
    book = read_book(find(source))
    settings = {k: v for row in book.rows("settings")[:1] for k, v in row.items()}
    return dict(_titles(settings)) or {"vi": settings.get("form_title", book.name)}


def write_xlsx(source: Questionnaire | str | Path, file: str | Path) -> None:
    """Writes the questionnaire's sheets as they were written into one workbook, which means the same.

    ``source`` is a shipped id, a folder or a workbook (a compiled questionnaire is looked up by its id among the
    shipped). CSV files that questions read go into ``NAME-media`` beside it.
    """
    import csv

    import openpyxl
    from openpyxl.styles import Font

    book = read_book(find(source.id if isinstance(source, Questionnaire) else source))
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, sheet in book.sheets.items():
        page = workbook.create_sheet(name)
        page.append(sheet.columns)
        for cell in page[1]:
            cell.font = Font(bold=True)
        page.freeze_panes = "A2"
        for row in sheet.rows:
            page.append([row.get(column) for column in sheet.columns])
        for cells in page.iter_rows(min_row=2):
            for cell in cells:
                if isinstance(cell.value, str):
                    # Text stays text: a code 01 is not the number 1, an expression is no formula of Excel.
                    cell.data_type = "s"
                    cell.number_format = "@"
    target = Path(file)
    try:
        workbook.save(target)
    except OSError as error:
        raise InputError(
            str(target), Text(f"không ghi được tệp ({error})", f"the file cannot be written ({error})")
        ) from None
    if book.files:
        media = target.with_name(f"{target.stem}-media")
        media.mkdir(exist_ok=True)
        for name, rows in book.files.items():
            with (media / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
                writer = csv.DictWriter(out, list(dict.fromkeys(k for row in rows for k in row)))
                writer.writeheader()
                writer.writerows(rows)
