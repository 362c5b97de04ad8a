"""The codebook beside a data set: DDI-Codebook 2.5 for archives and programs, a workbook for people.

Elements stand in the order of the schema ``codebook.xsd`` of DDI-Codebook 2.5.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.data_coding import Column
from analysis.data_files import Written, has_provisional, title, write_workbook
from analysis.data_variables import CODES, FLAG, KIND, NUMBER, TEXT, Variable, missing_words, said
from analysis.dataset import WEIGHT, Dataset
from analysis.output import whole_file
from analysis.table import natural
from analysis.weighting import WEIGHT as FINAL
from survey.errors import InputError
from survey.text import LANGUAGES, Text

NAMESPACE = "ddi:codebook:2_5"
LAW = Text(
    "Dữ liệu cá nhân được bảo vệ theo Luật Bảo vệ dữ liệu cá nhân (Luật số 91/2025/QH15); "
    "dữ liệu liên hệ không có trong tệp này.",
    "Personal data are protected by the Law on Personal Data Protection (Law 91/2025/QH15); "
    "contact data are not in these files.",
)
_PROVISIONAL = Text(
    "Có phiếu chưa được duyệt (cột provisional = 1): số liệu tạm tính.",
    "Some interviews are not approved yet (column provisional = 1): the data are provisional.",
)
_SYNTHETIC = Text(
    "Dữ liệu giả lập, không phải kết quả của cuộc khảo sát nào.", "Synthetic data, not the result of any survey."
)
_PILOT = Text("Đợt thí điểm, không phải kết quả của đợt chính.", "A pilot round, not the result of the main one.")
_MISSING = {
    ".dta": Text(
        "Lý do thiếu trả lời là các giá trị .a .b .c … có nhãn; chưa hỏi đến thì là “.”.",
        "Missing kinds are the extended missing values .a .b .c … with labels; what was not asked is '.'.",
    ),
    ".sav": Text(
        "Lý do thiếu trả lời là các giá trị âm khai báo khuyết có nhãn; chưa hỏi đến thì để trống.",
        "Missing kinds are labelled negative user-missing values; what was not asked is empty.",
    ),
    "": Text(
        "Thiếu trả lời thì ô trống và cột q__missing nêu lý do; chưa hỏi đến thì cả hai cột trống.",
        "A missing answer is an empty cell and its kind in q__missing; what was not asked is empty in both.",
    ),
}
_GUARDED = Text(
    "ô bắt đầu bằng = + - @ mà không phải là số được thêm dấu nháy đơn (') ở đầu để bảng tính không chạy như công thức",
    "cells that begin with = + - @ and are no numbers have an apostrophe (') in front: no spreadsheet runs them",
)
_SEVERAL = Text("nhiều mã, cách nhau bằng dấu cách", "several codes, separated by spaces")
_KINDS = {
    NUMBER: Text("số", "number"),
    CODES: Text("một mã", "one code"),
    FLAG: Text("0 hoặc 1", "0 or 1"),
    TEXT: Text("chữ", "text"),
    KIND: Text("lý do trống", "missing kind"),
}
_HEADINGS = (
    "Tệp / File",
    "Cột / Column",
    "Tên trong bảng hỏi / Name in the questionnaire",
    "Kiểu / Kind",
    "Nguồn / Source",
    "Nhãn (vi)",
    "Label (en)",
    "Người được hỏi (vi)",
    "Universe (en)",
    "Lý do thiếu / Missing kinds",
    "Công thức / Calculation",
    "Ghi chú (vi)",
    "Notes (en)",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def write_codebook(data: Dataset, written: Sequence[Written], file: Path, language: str, made: str) -> list[Path]:
    """Writes ``X.csv.ddi.xml`` and ``X.csv.codebook.xlsx`` beside the data ``X.csv``; ``made`` is an ISO 8601 date."""
    ddi, book = file.with_name(f"{file.name}.ddi.xml"), file.with_name(f"{file.name}.codebook.xlsx")
    text = ddi_codebook(data, written, language, made)
    whole_file(ddi, lambda path: path.write_bytes(text))
    write_workbook(book, _sheets(data, written, made))
    return [ddi, book]


def facts(data: Dataset, made: str) -> list[tuple[Text, Text]]:
    """What a reader must know of the whole: round, dates, questionnaires with version and hash, marks."""
    round = data.round
    found = [
        (Text("Đợt khảo sát", "Round"), Text(str(round["id"]), str(round["id"]))),
        (Text("Tên", "Title"), Text(title(data, "vi"), title(data, "en"))),
        (Text("Thời gian", "Dates"), _same(f"{round.get('starts', '')} – {round.get('ends', '')}".strip(" –"))),
        (Text("Căn cứ pháp lý", "Legal basis"), _bilingual(round.get("legal_basis"))),
        (Text("Số phiếu", "Interviews"), _same(str(len(data.table)))),
    ]
    for form in sorted(data.questionnaires.values(), key=lambda form: natural(form.version)):
        name = f"{form.id}, {form.version}, {form.hash}"
        found.append((Text("Bảng hỏi (mã, phiên bản, hàm băm)", "Questionnaire (id, version, hash)"), _same(name)))
    if round.get("synthetic"):
        found.append((Text("Dữ liệu giả lập", "Synthetic"), _SYNTHETIC))
    if round.get("pilot"):
        found.append((Text("Thí điểm", "Pilot"), _PILOT))
    if has_provisional(data):
        found.append((Text("Tạm tính", "Provisional"), _PROVISIONAL))
    found += [
        (Text("Bảo vệ người trả lời", "Protection of respondents"), remark) for remark in data.remarks.get("", ())
    ]
    if sampled := design_words(data):
        found.append((Text("Thiết kế mẫu", "Sample design"), sampled))
    found += [
        (Text("Dữ liệu cá nhân", "Personal data"), LAW),
        (Text("Ngày xuất", "Exported on"), _same(made)),
    ]
    return [(name, value) for name, value in found if value.vi or value.en]


def design_words(data: Dataset) -> Text | None:
    """The columns that carry the sample design; None where none does."""
    try:
        design = data.design
    except InputError:  # a design column is blank for some: nothing can be declared
        return None
    named = {
        Text("quyền số", "weight"): (design.weight,),
        Text("tầng", "strata"): design.strata,
        Text("đơn vị chọn mẫu cấp một", "primary sampling unit"): design.psu[:1],
    }
    there = {words: ", ".join(names) for words, names in named.items() if any(names)}
    if not there:
        return None
    return Text(*("; ".join(f"{words(spoken)}: {names}" for words, names in there.items()) for spoken in LANGUAGES))


def _same(text: str) -> Text:
    return Text(text, text)


def _bilingual(words: Mapping[str, str] | None) -> Text:
    return Text(*(str((words or {}).get(language, "")) for language in LANGUAGES))


# -- DDI ------------------------------------------------------------------------------------------------------------


def ddi_codebook(data: Dataset, written: Sequence[Written], language: str, made: str) -> bytes:
    """The codebook as DDI-Codebook 2.5 XML."""
    root = ET.Element("codeBook", {"xmlns": NAMESPACE, "version": "2.5", "xml:lang": language})
    citation = _at(root, "docDscr", "citation")
    _titles(citation, data, Text("Sổ mã: ", "Codebook: "), language)
    production = _at(citation, "prodStmt")
    _add(production, "prodDate", made, date=made)
    _add(production, "software", "citizen-survey")
    _study(_at(root, "stdyDscr"), data, language, made)
    for number, one in enumerate(written, 1):
        _file(_at(root, "fileDscr", ID=f"F{number}"), one)
    description = _at(root, "dataDscr")
    count = 0
    for number, one in enumerate(written, 1):
        for column in one.columns:
            count += 1
            _variable(description, column, f"V{count}", f"F{number}")
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _study(study: ET.Element, data: Dataset, language: str, made: str) -> None:
    citation = _at(study, "citation")
    _titles(citation, data, Text("", ""), language)
    _add(_at(citation, "prodStmt"), "software", "citizen-survey")
    versions = sorted({form.version for form in data.questionnaires.values()}, key=natural)
    _add(_at(citation, "verStmt"), "version", ", ".join(filter(None, versions)) or "1", date=made, type="questionnaire")
    summary = _at(study, "stdyInfo", "sumDscr")
    for event, key in (("start", "starts"), ("end", "ends")):
        if data.round.get(key):
            _add(summary, "collDate", str(data.round[key]), date=str(data.round[key]), event=event)
    _add(summary, "nation", "Việt Nam", abbr="VNM")
    _both(summary, "anlyUnit", Text("người", "person"))
    _both(summary, "dataKind", Text("khảo sát", "survey"))
    collected = _at(study, "method", "dataColl")
    for form in sorted(data.questionnaires.values(), key=lambda form: natural(form.version)):
        _add(collected, "resInstru", f"{form.id}, version {form.version}, {form.hash}")
    if sampled := design_words(data):
        _both(collected, "weight", sampled)
    use = _at(study, "dataAccs", "useStmt")
    _both(use, "confDec", LAW)
    for remark in data.remarks.get("", ()):
        _both(use, "restrctn", remark)
    for kind, there, text in (
        ("synthetic", bool(data.round.get("synthetic")), _SYNTHETIC),
        ("pilot", bool(data.round.get("pilot")), _PILOT),
        ("provisional", has_provisional(data), _PROVISIONAL),
    ):
        if there:
            _both(study, "notes", text, type=kind)


def _titles(citation: ET.Element, data: Dataset, prefix: Text, language: str) -> None:
    statement = _at(citation, "titlStmt")
    other = next(one for one in LANGUAGES if one != language)
    _add(statement, "titl", prefix(language) + title(data, language), **{"xml:lang": language})
    _add(statement, "parTitl", prefix(other) + title(data, other), **{"xml:lang": other})
    _add(statement, "IDNo", str(data.round["id"]))


def _file(description: ET.Element, one: Written) -> None:
    about = _at(description, "fileTxt")
    _add(about, "fileName", one.file.name + (f" ({one.sheet})" if one.sheet else ""))
    _both(about, "fileCont", _content(one))
    size = _at(about, "dimensns")
    _add(size, "caseQnty", str(len(one.part.table)))
    _add(size, "varQnty", str(len(one.columns)))
    _add(about, "fileType", one.file.suffix.lstrip("."), charset="UTF-8")
    _both(about, "dataMsng", _missing_text(one))
    if one.guarded:
        _both(description, "notes", _guarded(one), type="formula")


def _content(one: Written) -> Text:
    if not one.part.name:
        return Text("một dòng một phiếu", "one row an interview")
    return Text(f"một dòng một lần của nhóm lặp {one.part.name}", f"one row an instance of the repeat {one.part.name}")


def _missing_text(one: Written) -> Text:
    return _MISSING.get(one.file.suffix.lower(), _MISSING[""])


def _guarded(one: Written) -> Text:
    return Text(f"{one.guarded} {_GUARDED.vi}", f"{one.guarded} {_GUARDED.en}")


def _variable(description: ET.Element, column: Column, id: str, file: str) -> None:
    variable = column.variable
    held = {NUMBER: "numeric", TEXT: "text"}.get(variable.kind, "code")
    attributes = {"intrvl": "contin" if variable.kind == NUMBER else "discrete", "representationType": held}
    if variable.name in (WEIGHT, FINAL):
        attributes["wgt"] = "wgt"
    element = _at(description, "var", ID=id, name=column.name, files=file, **attributes)
    _words(element, "labl", variable.label)
    if variable.question or variable.hint:
        question = _at(element, "qstn")
        _words(question, "qstnLit", variable.question)
        _words(question, "ivuInstr", variable.hint)
    numbers = [value for value in column.missing.values() if not isinstance(value, str)]
    if numbers:
        invalid = _at(element, "invalrng")
        _at(invalid, "range", min=str(min(numbers)), max=str(max(numbers)))
    _both(element, "universe", variable.universe)
    for code, words in variable.categories.items():
        category = _at(element, "catgry")
        value = str(column.values.get(code, code))
        _add(category, "catValu", value)
        _words(category, "labl", words)
        if value != code:  # analysis.reading takes the codes of the form back from here
            _add(category, "txt", code)
    for kind, value in column.missing.items():
        category = _at(element, "catgry", missing="Y", missType=kind)
        _add(category, "catValu", f".{value}" if isinstance(value, str) else str(value))
        _words(category, "labl", missing_words(kind))
    if variable.calculation:
        _add(_at(element, "derivation"), "drvcmd", variable.calculation)
    numeric = bool(column.values) or variable.kind in (NUMBER, FLAG)
    _at(element, "varFormat", type="numeric" if numeric else "character")
    for note in _notes(column):
        _both(element, "notes", note)


def _notes(column: Column) -> Iterator[Text]:
    variable = column.variable
    yield Text(f"nguồn: {variable.source.vi}", f"source: {variable.source.en}")
    if variable.kind == TEXT and variable.categories:
        yield _SEVERAL
    yield from variable.notes
    yield from column.notes


def _at(parent: ET.Element, *tags: str, **attributes: str) -> ET.Element:
    """An element below another, through elements in between; the attributes are those of the last."""
    for tag in tags[:-1]:
        parent = ET.SubElement(parent, tag)
    return ET.SubElement(parent, tags[-1], {name: _CONTROL.sub("", value) for name, value in attributes.items()})


def _add(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    _at(parent, tag, **attributes).text = _CONTROL.sub("", text)


def _both(parent: ET.Element, tag: str, text: Text, **attributes: str) -> None:
    """The element in both languages, or once where the schema takes it once (``confDec``, ``dataMsng``)."""
    if tag in ("confDec", "restrctn", "dataMsng", "fileCont"):
        _add(parent, tag, f"{text.vi} / {text.en}", **attributes)
        return
    for language in LANGUAGES:
        _add(parent, tag, text(language), **attributes, **{"xml:lang": language})


def _words(parent: ET.Element, tag: str, words: Mapping[str, str]) -> None:
    for language in dict.fromkeys([*LANGUAGES, *words]):
        if text := words.get(language, ""):
            known = {"xml:lang": language} if re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", language) else {}
            _add(parent, tag, said({language: text}, language), **known)


# -- for people -----------------------------------------------------------------------------------------------------


def _sheets(data: Dataset, written: Sequence[Written], made: str) -> dict[str, list[list[Any]]]:
    study: list[list[Any]] = [["Mục / Item", "Tiếng Việt", "English"]]
    study += [[f"{name.vi} / {name.en}", value.vi, value.en] for name, value in facts(data, made)]
    variables: list[list[Any]] = [list(_HEADINGS)]
    categories: list[list[Any]] = [
        ["Tệp / File", "Cột / Column", "Giá trị / Value", "Mã trên phiếu / Code on the form", "Nhãn (vi)", "Label (en)"]
    ]
    for one in written:
        name = one.sheet or one.file.name
        content, missing = _content(one), _missing_text(one)
        study.append([f"Tệp / File: {name}", f"{content.vi}. {missing.vi}", f"{content.en}. {missing.en}"])
        if one.guarded:
            study.append([f"Tệp / File: {name}", *_guarded(one)])
        for column in one.columns:
            variables.append([name, column.name, *_row(column.variable, tuple(_notes(column))[1:])])
            categories += [[name, column.name, *row] for row in _categories(column)]
    return {"Đợt - Round": study, "Biến - Variables": variables, "Mã - Categories": categories}


def _row(variable: Variable, notes: Sequence[Text]) -> list[str]:
    kind = _KINDS[variable.kind]
    return [
        variable.name,
        f"{kind.vi} / {kind.en}",
        f"{variable.source.vi} / {variable.source.en}",
        *(said(variable.label, language) for language in LANGUAGES),
        *variable.universe,
        ", ".join(variable.missing),
        variable.calculation,
        *("; ".join(note(language) for note in notes) for language in LANGUAGES),
    ]


def _categories(column: Column) -> Iterator[list[Any]]:
    for code, words in column.variable.categories.items():
        yield [str(column.values.get(code, code)), code, *(said(words, language) for language in LANGUAGES)]
    for kind, value in column.missing.items():
        shown = f".{value}" if isinstance(value, str) else str(value)
        yield [shown, kind, *(said(missing_words(kind), language) for language in LANGUAGES)]
