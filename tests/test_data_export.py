"""``survey data export``: what leaves comes back equal, labelled, missing kinds too; contact data only if asked."""

from __future__ import annotations

import csv
import json
import os
import shutil
import stat
import xml.etree.ElementTree as ET

import openpyxl
import pandas as pd
import pyreadstat
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from analysis import dataset
from analysis.codebook import NAMESPACE
from analysis.data_coding import FORMATS, numeric_codes, short_labels, short_names
from analysis.data_files import guard, write_data
from analysis.data_variables import parts
from analysis.reading import read_table
from analysis.table import Table, text_of
from survey.cli import cli
from survey.errors import InputError
from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.store import Store, current, drafts, frame

ROUND = "r2026"
LONG = "Mức độ hài lòng của Ông/Bà đối với việc cán bộ, công chức tiếp nhận và trả kết quả hồ sơ đúng hẹn"
SCALE = (
    Choice("1", {"vi": "Không hài lòng", "en": "Dissatisfied"}),
    Choice("5", {"vi": "Hài lòng", "en": "Satisfied"}),
    Choice("9", {"vi": "Không biết", "en": "Don't know"}, missing_kind="dont_know"),
)
SEX = (Choice("female", {"vi": "Nữ", "en": "Female"}), Choice("male", {"vi": "Nam", "en": "Male"}))
WARD = (Choice("01", {"vi": "Tổ 1"}), Choice("02", {"vi": "Tổ 2"}))
CHANNELS = (Choice("web", {"vi": "Cổng thông tin", "en": "Website"}), Choice("loa", {"vi": "Loa", "en": "Loudspeaker"}))
MANY = "a_name_that_is_far_longer_than_thirty_two_"


def question(path, type_="select_one", list_name="", vi="", en="", **more):
    label = {"vi": vi, "en": en} if vi else {}
    return Node("question", path.rpartition("/")[2], path, type_, list_name=list_name, label=label, **more)


def form(version, *extra):
    group = (
        question("a/sat", list_name="scale", vi=LONG, en="Satisfaction", missing=("dont_know", "refused")),
        question("a/sex", list_name="sex", vi="Giới tính", en="Sex", relevant="/data/a/sat  != ''"),
        question("a/ward", list_name="ward", vi="Tổ dân phố"),
        question("a/channel", "select_multiple", "channels", vi="Kênh", en="Channels"),
        question("a/minutes", "integer", vi="Số phút", en="Minutes", missing=("refused",)),
        question("a/say", "text", vi="Ý kiến", en="Opinion", missing=("refused",)),
        question(f"a/{MANY}1", "integer", vi="Một", en="One"),
        question(f"a/{MANY}2", "integer", vi="Hai", en="Two"),
        question("a/thanks", "note", vi="Cảm ơn"),
        question("a/phone", "text", vi="Điện thoại", en="Telephone", contact=True),
        *extra,
    )
    members = (question("hh/age", "integer", vi="Tuổi", en="Age", missing=("refused",)), question("hh/nick", "text"))
    return Questionnaire(
        "form",
        version,
        {"vi": "Phiếu", "en": "Form"},
        nodes=(
            question("commune", "hidden"),
            Node("group", "a", "a", relevant="/data/commune  != '99'", children=group),
            Node("repeat", "hh", "hh", label={"vi": "Thành viên"}, children=members),
        ),
        lists={"scale": SCALE, "sex": SEX, "ward": WARD, "channels": CHANNELS},
    )


FIRST = form("1", question("a/late", "text", vi="Số nhà", en="House number"))
SECOND = form(
    "2",
    question("a/new", list_name="scale", vi="Câu mới", en="New question"),
    question("a/late", "text", vi="Số nhà", en="House number", contact=True),
)
ANSWERS = (
    (
        FIRST,
        {
            "a/sat": "5",
            "a/sex": "male",
            "a/ward": "02",
            "a/channel": ["loa"],
            "a/minutes": "-1",
            "a/late": "12B Tô Hiệu",
        }
        | {"a/say": "=HYPERLINK(1)", f"a/{MANY}1": "1", f"a/{MANY}2": "2"},
        "approved",
    ),
    (FIRST, {"a/sat": {"missing": "refused"}, "a/sex": "female", "a/minutes": {"missing": "refused"}}, "approved"),
    (
        SECOND,
        {"a/sat": "9", "a/new": "1", "a/say": "Thủ tục\nrườm rà " * 250, "hh": ["r1", "r2"], "hh[r1]/age": "40"}
        | {"hh[r2]/age": {"missing": "refused"}, "hh[r1]/nick": "Tí"},
        "approved",
    ),
    (SECOND, {"a/sat": "1", "a/channel": {"missing": "dont_know"}, "a/say": {"missing": "refused"}}, "sealed"),
)
PRIVATE = ("Lò Thị Hoa", "0912 345 678", "0988 000 111", "12B Tô Hiệu")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with Store.create(tmp_path_factory.mktemp("export") / "instance", role="hub") as store:
        for questionnaire in (FIRST, SECOND):
            frame.issue(store, "questionnaire", questionnaire.hash, questionnaire.to_json())
        title = {"vi": "Khảo sát hài lòng", "en": "Satisfaction"}
        document = {"id": ROUND, "questionnaire_hash": SECOND.hash, "title": title, "synthetic": True}
        frame.issue(store, "round", ROUND, document | {"starts": "2026-10-01", "ends": "2026-10-31"})
        for number, (questionnaire, answers, state) in enumerate(ANSWERS, 1):
            unit = {"id": f"u{number}", "round": ROUND, "commune": "01", "N_1": "9", "n_1": "3", "probability": "0.15"}
            frame.issue(store, "unit", f"u{number}", unit, {"name": "Lò Thị Hoa", "phone": "0912 345 678"})
            interview = drafts.start(store, f"u{number}", questionnaire.hash, "phoa")
            phone = {"a/phone": {"missing": "refused"} if number == 2 else "0988 000 111"}
            drafts.seal(store, interview, answers, {}, phone, {}, "phoa")
            if state == "approved":
                current.decide(store, interview, "approved", actor="plan")
        yield store


def export(store, file, *arguments):
    line = ["data", "export", "--instance", str(store.folder), str(file), "--state", "sealed", *arguments]
    result = CliRunner().invoke(cli, line, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def files(store, tmp_path_factory):
    """The round in every format, in Vietnamese."""
    folder = tmp_path_factory.mktemp("files")
    for name in FORMATS:
        assert export(store, folder / f"phieu.{name}", "--lang", "vi")[0] == 0
    return folder


def cells(table):
    return {name: [text_of(value) for value in table.arrow.column(name).to_pylist()] for name in table.names}


def by_unit(frame_, column, unit="unit"):
    return dict(zip(frame_[unit], frame_[column], strict=True))


# -- CSV, Parquet, workbook -----------------------------------------------------------------------------------------


def expected(store):
    """The data set, without what an export leaves out: empty notes, and contact data of any version."""
    found = cells(dataset.load(store, ROUND, ("approved", "sealed")).table)
    return {name: column for name, column in found.items() if name not in ("thanks", "late")}


def test_parquet_is_the_data_set_with_its_marks(store, files):
    found = cells(Table(parquet.read_table(files / "phieu.parquet")))
    marks = {name: found.pop(name) for name in ("provisional", "synthetic")}
    assert found == expected(store)
    assert sorted(marks["provisional"]) == ["0", "0", "0", "1"]
    assert marks["synthetic"] == ["1"] * 4
    schema = parquet.read_schema(files / "phieu.parquet")
    assert (str(schema.field("minutes").type), str(schema.field("channel/web").type)) == ("int64", "int8")
    assert schema.metadata[b"provisional"] == b"1"


def test_csv_is_the_data_set_but_for_the_apostrophe_before_a_formula(store, files):
    raw = (files / "phieu.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    with (files / "phieu.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found = {name: [row[name] for row in rows] for name in rows[0]}
    whole = {name: [text.strip() for text in column] for name, column in found.items() if name in expected(store)}
    want = expected(store)
    assert "=HYPERLINK(1)" in want["say"]
    want["say"] = ["'" + text if text.startswith("=") else text for text in want["say"]]
    assert whole == want
    assert {row["minutes"] for row in rows} == {"-1", ""}
    assert "1 cells that begin with = + - @" in ddi_text(files / "phieu.csv.ddi.xml")


def test_a_workbook_has_no_formula_and_keeps_leading_zeros(files):
    book = openpyxl.load_workbook(files / "phieu.xlsx")
    assert book.sheetnames == ["interviews", "hh"]
    rows = [[(cell.value, cell.data_type) for cell in row] for row in book["interviews"]]
    column = {name: [row[k] for row in rows[1:]] for k, (name, _) in enumerate(rows[0])}
    assert ("=HYPERLINK(1)", "s") in column["say"]
    assert not [cell for row in rows for cell in row if cell[1] == "f"]
    assert {("01", "s")} == set(column["commune"])
    assert (-1, "n") in column["minutes"]
    assert ("02", "s") in column["ward"]


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        *[(run, "'" + run) for run in ("=1+1", "@SUM(1)", "+cmd|' /C calc'!A0", "\t=1", " = 2", "-", "-2+3", "＝1+1")],
        *[(kept, kept) for kept in ("-5", "+84", "-1,5", "1=1", "", "a@b", "Bản 12")],
    ],
)
def test_only_what_a_spreadsheet_would_run_gets_an_apostrophe(text, safe):
    assert guard(text) == safe


def test_a_repeat_is_a_file_of_its_own(store, files):
    with (files / "phieu.hh.csv").open(encoding="utf-8-sig", newline="") as stream:
        members = list(csv.DictReader(stream))
    assert [(row["hh"], row["age"], row["age__missing"], row["nick"]) for row in members] == [
        ("r1", "40", "", "Tí"),
        ("r2", "", "refused", ""),
    ]
    frame_, meta = pyreadstat.read_dta(str(files / "phieu.hh.dta"), user_missing=True)
    assert frame_["age"].tolist() == [40, "b"]
    assert meta.column_names_to_labels["age"] == "Tuổi"


# -- Stata and SPSS -------------------------------------------------------------------------------------------------


def test_stata_has_labels_and_extended_missing_values(files):
    frame_, meta = pyreadstat.read_dta(str(files / "phieu.dta"), user_missing=True)
    labels = meta.variable_value_labels
    assert by_unit(frame_, "sat") == {"u1": 5, "u2": "b", "u3": "a", "u4": 1}
    assert labels["sat"] == {1: "Không hài lòng", 5: "Hài lòng", "a": "Không biết", "b": "Không trả lời"}
    assert by_unit(frame_, "sex")["u1"] == 2
    assert labels["sex"] == {1: "Nữ", 2: "Nam"}
    assert by_unit(frame_, "minutes")["u1"] == -1
    assert by_unit(frame_, "minutes")["u2"] == "b"
    assert pd.isna(by_unit(frame_, "minutes")["u3"])
    assert by_unit(frame_, "ward")["u1"] == 2
    assert labels["ward"] == {1: "Tổ 1", 2: "Tổ 2"}
    # Stata's own reader in pandas sees the same.
    own = pd.read_stata(files / "phieu.dta", convert_categoricals=False, convert_missing=True)
    assert [str(by_unit(own, "sat")[unit]) for unit in ("u2", "u3")] == [".b", ".a"]


def test_spss_has_labels_and_user_missing_values(files):
    frame_, meta = pyreadstat.read_sav(str(files / "phieu.sav"), user_missing=True)
    assert by_unit(frame_, "sat") == {"u1": 5, "u2": -2, "u3": -1, "u4": 1}
    assert meta.missing_ranges["sat"] == [{"lo": -2, "hi": -1}]
    assert meta.variable_value_labels["sat"][-2] == "Không trả lời"
    # An answer of -1 minute is an answer: the missing kinds go below it.
    assert by_unit(frame_, "minutes")["u1"] == -1
    assert by_unit(frame_, "minutes")["u2"] == -92
    assert meta.missing_ranges["minutes"] == [{"lo": -92, "hi": -92}]
    plain, _ = pyreadstat.read_sav(str(files / "phieu.sav"))
    assert pd.isna(by_unit(plain, "sat")["u2"])


@pytest.mark.parametrize("ending", ["dta", "sav"])
def test_several_answers_are_flags_and_text_keeps_its_kind_beside(files, ending):
    read = pyreadstat.read_dta if ending == "dta" else pyreadstat.read_sav
    frame_, meta = read(str(files / f"phieu.{ending}"), user_missing=True)
    assert (by_unit(frame_, "channel")["u1"], by_unit(frame_, "channel_loa")["u1"]) == ("loa", 1)
    assert by_unit(frame_, "channel_web")["u1"] == 0
    assert by_unit(frame_, "channel_web")["u4"] == ("a" if ending == "dta" else -1)
    assert meta.column_names_to_labels["channel_web"] == "Cổng thông tin — Kênh"
    assert meta.variable_value_labels["say__missing"] == {1: "Không trả lời"}
    assert by_unit(frame_, "say__missing")["u4"] == 1
    assert by_unit(frame_, "say")["u1"] == "=HYPERLINK(1)"
    assert len(by_unit(frame_, "say")["u3"]) > 3000
    assert by_unit(frame_, "provisional")["u4"] == 1
    assert meta.file_label.startswith("[dữ liệu giả lập, tạm tính, phiếu chưa duyệt]")


@pytest.mark.parametrize("ending", ["dta", "sav", "parquet", "xlsx"])
def test_what_was_exported_is_read_back_with_its_missing_kinds(store, files, ending):
    found, want = cells(read_table(files / f"phieu.{ending}")), expected(store)
    # "male" and "02" are numbers in Stata and SPSS; the codebook beside the file gives them back.
    for name in ("sat", "sat__missing", "minutes", "minutes__missing", "w_base", "sex", "ward", "state"):
        assert found[name] == want[name], name


def test_a_codebook_that_is_damaged_is_told_and_not_passed_over(files, tmp_path):
    shutil.copy(files / "phieu.sav", tmp_path)
    (tmp_path / "phieu.sav.ddi.xml").write_text("<codeBook>", encoding="utf-8")
    with pytest.raises(InputError, match=r"phieu\.sav\.ddi\.xml: the file cannot be read"):
        read_table(tmp_path / "phieu.sav")


def test_labels_and_names_keep_to_the_limits_of_stata(files):
    frame_, meta = pyreadstat.read_dta(str(files / "phieu.dta"))
    assert max(map(len, frame_.columns)) <= 32
    assert max(len(label or "") for label in meta.column_names_to_labels.values()) <= 80
    assert meta.column_names_to_labels["sat"] == LONG[:79].rstrip() + "…"
    short = [name for name in frame_.columns if name.startswith(MANY[:20])]
    assert [by_unit(frame_, name)["u1"] for name in short] == [1, 2]
    text = ddi_text(files / "phieu.dta.ddi.xml")
    assert f"full label: {LONG}" in text
    assert all(f"name in the questionnaire: {MANY}{number}" in text for number in (1, 2))


def test_names_that_differ_only_in_case_are_told_apart_in_spss(files):
    assert {"N_1", "n_1"} <= set(pyreadstat.read_dta(str(files / "phieu.dta"))[0].columns)
    assert {"N_1", "n_1_2"} <= set(pyreadstat.read_sav(str(files / "phieu.sav"))[0].columns)


names = st.lists(st.text(min_size=1, max_size=90), min_size=1, max_size=20, unique=True)


@given(names, st.sampled_from(["dta", "sav"]))
def test_any_names_become_names_that_the_format_takes(wanted, name):
    format = FORMATS[name]
    found = short_names(wanted, format)
    keys = [one.lower() for one in found] if format.one_case else found
    assert len(set(keys)) == len(wanted)
    assert all(one.isascii() and one.isidentifier() and 0 < len(one) <= format.name_limit for one in found)
    assert not {one.lower() if format.one_case else one for one in found} & format.reserved


@given(st.lists(st.text("aạ ờ", max_size=200), max_size=9), st.sampled_from([80, 120]), st.booleans())
def test_shortened_labels_keep_to_their_limit_and_stay_apart(labels, limit, in_bytes):
    def size(text):
        return len(text.encode()) if in_bytes else len(text)

    found = short_labels(labels, limit, size)
    assert all(size(short) <= limit for short in found)
    cut = [short for short, label in zip(found, labels, strict=True) if short != label]
    assert len(set(cut)) == len(cut)


def test_codes_are_their_own_numbers_where_they_can_be():
    assert numeric_codes(["1", "2", "-9"]) == {"1": 1, "2": 2, "-9": -9}
    assert numeric_codes(["01", "02"]) == {"01": 1, "02": 2}
    assert numeric_codes(["1", "01"]) == {"1": 1, "01": 2}
    assert numeric_codes(["yes", "no"]) == {"yes": 1, "no": 2}


# -- what is rare ---------------------------------------------------------------------------------------------------


def data_set(questionnaire, columns):
    """A data set without a store: ``columns`` beside the ids and states of approved interviews."""
    rows = len(next(iter(columns.values())))
    table = Table.of({"interview": [f"i{k}" for k in range(rows)], "state": ["approved"] * rows, **columns})
    questions = {node.name: node for node in questionnaire.walk() if node.kind == "question"}
    return dataset.Dataset({"id": ROUND}, table, {}, questions, {questionnaire.hash: questionnaire})


def variable_of(data, name):
    return parts(data)[0].variable(name)


def test_a_number_that_is_none_keeps_the_whole_question_as_text():
    asked = Questionnaire("q", nodes=(question("minutes", "integer", vi="Số phút"),))
    assert variable_of(data_set(asked, {"minutes": ["5", "-7", None]}), "minutes").kind == "number"
    odd = variable_of(data_set(asked, {"minutes": ["5", "khoảng 10", None]}), "minutes")
    assert (odd.kind, odd.notes[0].en) == ("text", "some answers are no numbers: kept as text")


def test_of_thousands_of_choices_only_those_that_occur_are_listed():
    choices = tuple(Choice(f"{code:05}", {"vi": f"Xã {code}"}) for code in range(3000))
    asked = Questionnaire("q", nodes=(question("xa", list_name="xa", vi="Xã"),), lists={"xa": choices})
    found = variable_of(data_set(asked, {"xa": ["00017", "02999", "99999"]}), "xa")
    assert list(found.categories) == ["00017", "02999", "99999"]
    assert found.categories["02999"] == {"vi": "Xã 2999"}


def test_a_label_that_changed_between_versions_is_told_and_the_latest_stands():
    def version(number, label):
        lists = {"s": (Choice("1", {"vi": label}),)}
        return Questionnaire("q", number, nodes=(question("sat", list_name="s", vi="Hài lòng"),), lists=lists)

    old, new = version("9", "Kém"), version("10", "Yếu")
    data = data_set(old, {"sat": ["1"]})
    data.questionnaires.update({new.hash: new})
    found = variable_of(data, "sat")
    assert found.categories == {"1": {"vi": "Yếu"}}
    assert found.notes[0].en == "labels of 1 changed between versions"


def test_a_question_with_value_labels_and_the_longest_name_of_stata_is_written(tmp_path):
    name = "a" * 32
    asked = Questionnaire("q", nodes=(question(name, list_name="sex", vi="Giới tính"),), lists={"sex": SEX})
    write_data(data_set(asked, {name: ["male"]}), tmp_path / "x.dta", "dta", "vi")
    _, meta = pyreadstat.read_dta(str(tmp_path / "x.dta"))
    (short,) = (column for column in meta.column_names if column.startswith("aaa"))
    assert meta.variable_value_labels[short] == {1: "Nữ", 2: "Nam"}


def test_a_column_of_the_frame_called_provisional_keeps_its_content_under_another_name(tmp_path):
    data = data_set(Questionnaire("q"), {"provisional": ["x"]})
    write_data(data, tmp_path / "x.parquet", "parquet", "en")
    found = cells(read_table(tmp_path / "x.parquet"))
    assert (found["provisional"], found["frame_provisional"]) == (["0"], ["x"])


def test_a_workbook_that_cannot_hold_the_data_is_refused_in_a_sentence(tmp_path):
    data = data_set(Questionnaire("q"), {"say": ["ạ" * 32_768]})
    with pytest.raises(InputError, match=r"exceed what an Excel workbook holds; use \.csv or \.parquet"):
        write_data(data, tmp_path / "x.xlsx", "xlsx", "en")
    assert list(tmp_path.iterdir()) == []
    for name in ("dta", "sav", "csv"):
        write_data(data, tmp_path / f"x.{name}", name, "en")
        assert cells(read_table(tmp_path / f"x.{name}"))["say"] == ["ạ" * 32_768], name


# -- contact data ---------------------------------------------------------------------------------------------------


def test_contact_data_are_nowhere_without_the_flag(files):
    for file in files.iterdir():
        if file.suffix == ".xlsx":
            sheets = openpyxl.load_workbook(file).worksheets
            content = " ".join(
                str(cell) for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row
            )
        elif file.suffix in (".dta", ".sav", ".parquet"):
            content = str(cells(read_table(file)))
        else:
            content = file.read_text(encoding="utf-8-sig")
        assert "hh" in content or "w_base" in content, file.name
        assert not [secret for secret in PRIVATE if secret in content], file.name
        assert "contact" not in file.name
    described = [one.get("name") for one in ddi(files / "phieu.csv.ddi.xml").iter(f"{{{NAMESPACE}}}var")]
    # What one version of the questionnaire calls contact data is contact data in all of them.
    assert {"phone", "late"}.isdisjoint(described)


@pytest.mark.parametrize("name", ["phieu.csv", "phieu.sav", "phieu.xlsx"])
def test_contact_data_go_to_their_own_file_with_a_word_on_the_law(store, tmp_path, name):
    _, printed, _ = export(store, tmp_path / name, "--with-contact", "--lang", "en")
    assert "Law 91/2025/QH15" in printed
    private = tmp_path / ("phieu.contact.xlsx" if name.endswith("xlsx") else "phieu.contact.csv")
    found = cells(read_table(private))
    assert found["unit_name"] == ["Lò Thị Hoa"] * 4
    assert found["phone"] == ["0988 000 111", "", "0988 000 111", "0988 000 111"]
    assert found["phone__missing"] == ["", "refused", "", ""]
    assert found["late"] == ["12B Tô Hiệu", "", "", ""]
    assert set(found["interview"]) == set(cells(read_table(tmp_path / name))["interview"])
    assert "unit_phone" not in cells(read_table(tmp_path / name))
    if os.name == "posix":
        assert stat.S_IMODE(private.stat().st_mode) == 0o600


# -- codebook -------------------------------------------------------------------------------------------------------

# The children of elements of DDI-Codebook 2.5 (codebook.xsd) that we write, in the order of their sequences.
ORDER = {
    "codeBook": "docDscr stdyDscr fileDscr dataDscr otherMat",
    "docDscr": "citation guide docStatus docSrc controlledVocabUsed notes",
    "stdyDscr": "citation studyAuthorization stdyInfo studyDevelopment method dataAccs othrStdyMat notes",
    "citation": "titlStmt rspStmt prodStmt distStmt serStmt verStmt biblCit holdings notes",
    "titlStmt": "titl subTitl altTitl parTitl IDNo",
    "prodStmt": "producer copyright prodDate prodPlac software fundAg grantNo",
    "verStmt": "version verResp notes",
    "stdyInfo": "studyBudget subject abstract sumDscr qualityStatement notes exPostEvaluation",
    "sumDscr": "timePrd collDate nation geogCover geogUnit geoBndBox boundPoly anlyUnit universe dataKind",
    "method": "dataColl notes anlyInfo stdyClas dataProcessing codingInstructions",
    "dataColl": "timeMeth dataCollector collectorTraining frequenc sampProc sampleFrame targetSampleSize deviat"
    " collMode resInstru instrumentDevelopment sources collSitu actMin ConOps weight cleanOps",
    "dataAccs": "setAvail useStmt notes",
    "useStmt": "confDec specPerm restrctn contact citReq deposReq conditions disclaimer",
    "fileDscr": "fileTxt locMap notes",
    "fileTxt": "fileName fileCitation fileCont fileStrc dimensns fileType format filePlac dataChck ProcStat dataMsng"
    " software verStmt",
    "dimensns": "caseQnty varQnty logRecL recPrCas recNumTot",
    "dataDscr": "varGrp nCubeGrp var nCube notes",
    "var": "location labl imputation security embargo respUnit anlysUnit qstn valrng invalrng undocCod universe"
    " TotlResp sumStat txt stdCatgry catgryGrp catgry codInstr verStmt concept derivation varFormat geoMap catLevel"
    " notes",
    "qstn": "qstnLit ivuInstr",
    "invalrng": "range",
    "catgry": "catValu labl txt catStat mrow",
    "derivation": "drvdesc drvcmd",
}
ONCE = {"confDec", "restrctn", "fileCont", "dataMsng", "derivation", "varFormat", "catValu", "fileName", "dimensns"}


def ddi(file):
    return ET.parse(file).getroot()


def ddi_text(file):
    return " ".join(ddi(file).itertext())


def named(element):
    return element.tag.removeprefix(f"{{{NAMESPACE}}}")


def variable(root, name):
    return next(one for one in root.iter(f"{{{NAMESPACE}}}var") if one.get("name") == name)


def below(element, tag):
    return [
        (one.get("{http://www.w3.org/XML/1998/namespace}lang"), one.text)
        for one in element.iter(f"{{{NAMESPACE}}}{tag}")
    ]


@pytest.mark.parametrize("ending", FORMATS)
def test_the_codebook_keeps_to_the_order_of_the_schema(files, ending):
    root = ddi(files / f"phieu.{ending}.ddi.xml")
    assert root.tag == f"{{{NAMESPACE}}}codeBook"
    for element in root.iter():
        children = [named(child) for child in element]
        order = ORDER.get(named(element), "").split()
        assert set(children) <= set(order), named(element)
        assert children == sorted(children, key=order.index)
        assert all(children.count(tag) <= 1 for tag in ONCE), children
    ids = [element.get("ID") for element in root.iter() if element.get("ID")]
    assert len(set(ids)) == len(ids)
    assert all(one.get("files") in ids for one in root.iter(f"{{{NAMESPACE}}}var"))


@pytest.mark.parametrize("ending", ["dta", "sav", "parquet"])
def test_every_column_of_the_file_is_in_the_codebook(files, ending):
    root = ddi(files / f"phieu.{ending}.ddi.xml")
    described = [one.get("name") for one in root.iter(f"{{{NAMESPACE}}}var") if one.get("files") == "F1"]
    if ending == "parquet":
        assert described == parquet.read_schema(files / "phieu.parquet").names
    else:
        read = pyreadstat.read_dta if ending == "dta" else pyreadstat.read_sav
        assert described == list(read(str(files / f"phieu.{ending}"))[0].columns)


def test_the_codebook_tells_question_categories_missing_kinds_and_universe(files):
    root = ddi(files / "phieu.sav.ddi.xml")
    sex, sat = variable(root, "sex"), variable(root, "sat")
    assert below(sat, "qstnLit") == [("vi", LONG), ("en", "Satisfaction")]
    universe = dict(below(sex, "universe"))
    assert universe["en"] == "Those asked if: (commune != '99') and (sat != '')"
    assert universe["vi"].startswith("Người được hỏi khi: ")
    assert ("en", "numbers in this file: 1 = female, 2 = male") in below(sex, "notes")
    assert ("en", "code 9 on the form = Don't know") in below(sat, "notes")
    missing = {one.get("missType"): below(one, "catValu")[0][1] for one in sat.iter() if one.get("missing") == "Y"}
    assert missing == {"dont_know": "-1", "refused": "-2"}
    assert ("en", "only in version 2 of the questionnaire") in below(variable(root, "new"), "notes")


def test_the_codebook_names_the_questionnaires_and_marks_what_is_provisional_or_synthetic(store, files, tmp_path):
    text = ddi_text(files / "phieu.csv.ddi.xml")
    assert FIRST.hash in text
    assert SECOND.hash in text
    assert "the data are provisional" in text
    assert "Synthetic data, not the result of any survey." in text
    line = ["data", "export", "--instance", str(store.folder), str(tmp_path / "x.csv"), "--lang", "en", "--json"]
    told = json.loads(CliRunner().invoke(cli, line, catch_exceptions=False).stdout)
    assert (told["interviews"], told["provisional"], told["synthetic"], told["contact"]) == (3, False, True, None)
    assert "the data are provisional" not in ddi_text(tmp_path / "x.csv.ddi.xml")


def test_the_codebook_for_people_has_the_same_in_a_workbook(files):
    book = openpyxl.load_workbook(files / "phieu.dta.codebook.xlsx")
    study, variables, categories = ([list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book)
    assert any(SECOND.hash in str(row) for row in study)
    row = next(row for row in variables if row[1] == "sat" and row[0] == "phieu.dta")
    assert {LONG, "Satisfaction", "dont_know, refused"} <= set(row)
    assert ["phieu.dta", "sat", ".b", "refused", "Không trả lời", "Refused"] in categories
    assert ["phieu.dta", "sex", "1", "female", "Nữ", "Female"] in categories


# -- the command ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "arguments", "message"),
    [
        ("x.doc", (), "files of this kind are not written; use .csv, .xlsx, .parquet, .dta, .sav"),
        ("x.csv", ("--format", "dta"), "the name does not go with --format dta; let it end in .dta"),
        ("x.csv", ("--round", "r1999"), "there is no such round"),
    ],
)
def test_what_cannot_be_exported_is_told_in_a_sentence(store, tmp_path, file, arguments, message):
    code, _, err = export(store, tmp_path / file, *arguments, "--lang", "en")
    assert (code, message in err) == (2, True), err
    assert list(tmp_path.iterdir()) == []


def test_the_format_completes_a_name_without_an_ending(store, tmp_path):
    _, printed, _ = export(store, tmp_path / "phieu", "--format", "sav", "--lang", "vi")
    assert (tmp_path / "phieu.sav").is_file()
    assert "Có phiếu chưa duyệt: số liệu tạm tính." in printed
    assert "Dữ liệu giả lập" in printed
