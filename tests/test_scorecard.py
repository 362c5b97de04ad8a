"""PAR INDEX scorecards: structure as data, self-score, appraisal, survey points, result, ranks, evidence, trail."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from analysis.scorecard import (
    Entry,
    Structure,
    check,
    count,
    grade,
    ranks,
    read_structure,
    sipas_points,
    structure_rows,
)
from survey import evidence
from survey.errors import InputError, Problems
from survey.store import Store, frame, scorecards
from survey.store.scope import Scope
from survey.sync.exchange import export, sync
from tests import field
from tests.commands import run
from tests.field import BINH, LAN, Visitor

CHAIR = "pchair"
PEOPLE = (*field.PEOPLE, (CHAIR, "Đỗ Thị Hạnh", ["administrator"]))

CRITERIA = """code,parent,name_vi,name_en,points_max,method
1,,Chỉ đạo điều hành,Direction,10,
1.1,1,Kế hoạch,Plan,4,appraisal
1.2,1,Kiểm tra,Checks,,appraisal
1.2.1,1.2,Số đơn vị được kiểm tra,Units checked,2.5,appraisal
1.2.2,1.2,Xử lý sau kiểm tra,What followed,3.5,appraisal
8,,Tác động,Impact,15,
8.1,8,Điều tra lãnh đạo,Survey of leaders,5,survey
8.2,8,SIPAS,SIPAS,10,sipas
"""


@pytest.fixture
def criteria(tmp_path: Path) -> Path:
    file = tmp_path / "bo_tieu_chi.csv"
    file.write_text(CRITERIA, encoding="utf-8")
    return file


@pytest.fixture
def structure(criteria: Path) -> Structure:
    return read_structure(criteria, "tinh-2026", "province")


def scored() -> list[Entry]:
    """Every criterion entered, by other people at each step."""
    return [
        Entry("1.1", "self", 4, actor="a"), Entry("1.1", "appraisal", 3.5, reason="thiếu báo cáo", actor="b"),
        Entry("1.2.1", "self", 2, actor="a"), Entry("1.2.1", "appraisal", 2, reason="đủ", actor="b"),
        Entry("1.2.2", "self", 3, actor="a"), Entry("1.2.2", "appraisal", 2.5, reason="chậm", actor="b"),
        Entry("8.1", "survey", 4.2), Entry("8.2", "survey", sipas_points(10, 91.17)),
    ]  # fmt: skip


# -- published values ---------------------------------------------------------------------------------------------


def test_sipas_of_91_17_percent_is_9_12_points_as_published_for_ha_tinh_2021():
    assert round(sipas_points(10, 91.17), 2) == 9.12
    with pytest.raises(InputError, match=r"103 is no percentage"):
        sipas_points(10, 103)


def test_the_published_rise_of_binh_thuan_adds_up(shared_data: Path):
    """2023: 81.87; 2024: 6.39 points more. The published value of 2024 is 88.26, group B."""
    with (shared_data / "parindex_published.csv").open(encoding="utf-8-sig") as file:
        rows = {
            row["year"]: row for row in csv.DictReader(file) if row["unit"] == "Bình Thuận" and row["code"] == "PAR"
        }
    assert rows["2023"]["value"] == "81.87"
    assert rows["2024"]["value"] == "88.26"
    assert round(81.87 + 6.39, 2) == 88.26
    assert grade(88.26) == grade(81.87) == "B"


def test_the_areas_published_for_quang_nam_2023_add_up_to_its_total(shared_data: Path):
    """Seven areas and A8 as points earned of a scorecard on 100: 84.60, as published."""
    versions = json.loads((shared_data / "parindex_tree.json").read_text(encoding="utf-8"))["versions"]
    (province,) = [one for one in versions if one["id"] == "par-876-province"]
    earned = province["observed_points"]["2023"]
    rows = [f"{code},,{code},,12.5,{'survey' if code == 'A8' else 'appraisal'}" for code in earned]
    from survey.tables import Table

    names = ("code", "parent", "name_vi", "name_en", "points_max", "method")
    table = Table("t", names, tuple(dict(zip(names, row.split(","), strict=True)) for row in rows), tuple(range(2, 10)))
    structure = read_structure(table, "par-876-province", "province")
    entries = [
        entry
        for code, points in earned.items()
        for entry in (
            [Entry(code, "survey", points)]
            if code == "A8"
            else [Entry(code, "self", points, actor="a"), Entry(code, "appraisal", points, reason="đủ", actor="b")]
        )
    ]
    found = count(structure, entries)
    assert found.percent == pytest.approx(84.60)
    assert (found.survey, found.grade) == (pytest.approx(11.45), "B")


# -- the structure ------------------------------------------------------------------------------------------------


def test_points_of_a_parent_that_are_left_out_are_the_sum_of_its_parts(structure: Structure):
    assert structure.by_code["1.2"].most == 6
    assert [leaf.code for leaf in structure.leaves] == ["1.1", "1.2.1", "1.2.2", "8.1", "8.2"]
    assert Structure.of(structure.document) == structure


def test_what_the_known_versions_do_not_say_is_left_for_the_person_to_enter(shared_data: Path, tmp_path: Path):
    out = tmp_path / "bo.csv"
    tree = shared_data / "parindex_tree.json"
    assert run("scorecard", "structure", tree, "--version", "par-876-province", "--out", out)[0] == 0
    assert len(structure_rows(tree, "par-876-province")) == 8
    assert {row["points_max"] for row in structure_rows(tree, "par-876-province")} == {""}
    with pytest.raises(Problems, match="A1: its maximum points are not entered") as error:
        read_structure(out, "x", "province")
    assert len(error.value.problems) == 8


def test_everything_wrong_with_a_structure_is_told_at_once(tmp_path: Path):
    file = tmp_path / "bo.csv"
    file.write_text(
        "code,parent,name_vi,points_max,method\n1,,A,10,\n1.1,1,B,-2,\n1.1,1,C,3,\n2,9,D,4,guess\n", encoding="utf-8"
    )
    with pytest.raises(Problems) as error:
        read_structure(file, "x", "province")
    told = error.value("en")
    for part in (
        "row 3, column points_max: '-2' are no points",
        "row 4, column code: the code '1.1' is empty or used",
        "row 5, column parent: there is no code '9'",
        "row 5, column method: there is no method 'guess'",
    ):
        assert part in told
    file.write_text("code,parent,name_vi,points_max\n1,,A,10\n1.1,1,B,4\n1.2,1,C,5\n", encoding="utf-8")
    with pytest.raises(Problems, match="its parts add up to 9, not 10"):
        read_structure(file, "x", "province")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("1,,A,10\n1.1,1,B,\n1.1.1,1.1,C,4\n1.1.2,1.1,D,5.5", "x.csv, 1: các phần cộng lại 9,5, không phải 10"),
        ("1,,A,10\n2,3,B,\n3,2,C,5", "row 3, column parent: mã “2” nằm dưới chính nó"),
    ],
)
def test_no_points_are_lost_between_a_leaf_and_its_area(tmp_path: Path, rows: str, told: str):
    """A criterion without points of its own between them, or two that hang on each other."""
    file = tmp_path / "x.csv"
    file.write_text(f"code,parent,name_vi,points_max\n{rows}\n", encoding="utf-8")
    with pytest.raises(Problems) as error:
        read_structure(file, "x", "province")
    assert told in error.value("vi")


# -- entries and results ------------------------------------------------------------------------------------------


def test_the_index_is_appraised_and_survey_points_of_the_maximum(structure: Structure):
    found = count(structure, scored())
    assert (found.appraised, found.survey) == (8.0, pytest.approx(4.2 + 9.117))
    assert found.percent == pytest.approx(100 * (8 + 13.317) / 25)
    assert found.grade == "B"
    assert found.self == 9
    assert found.rows["1"].difference == pytest.approx(-1.0)
    assert found.rows["1.2"].appraised == 4.5


def test_what_does_not_apply_is_out_of_the_maximum_on_the_appraisers_word(structure: Structure):
    entries = [one for one in scored() if one.code != "1.2.2"]
    entries += [Entry("1.2.2", "self", None, True, "không có đơn vị trực thuộc", actor="a")]
    claimed = count(structure, entries)
    assert claimed.most == 21.5
    refused = count(structure, [*entries, Entry("1.2.2", "appraisal", 0, reason="có 3 đơn vị", actor="b")])
    assert (refused.most, refused.rows["1.2.2"].appraised) == (25, 0)
    agreed = count(structure, [*entries, Entry("1.2.2", "appraisal", None, True, "đúng", actor="b")])
    assert agreed.percent == pytest.approx(100 * (5.5 + 13.317) / 21.5)


def test_what_is_missing_is_missing_and_not_zero(structure: Structure):
    found = count(structure, [one for one in scored() if (one.code, one.step) != ("1.1", "appraisal")])
    assert (found.percent, found.grade, found.missing) == (None, "", ("1.1",))
    assert found.rows["1"].appraised is None
    assert found.rows["8"].percent == pytest.approx(100 * 13.317 / 15)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (Entry("1.1", "self", 4.5), "4.5 is beyond the scale 0–4"),
        (Entry("1.1", "self", -1), "−1 is beyond the scale"),
        (Entry("1.1", "self"), "there are no points"),
        (Entry("1.2", "self", 1), "it is no criterion that is scored"),
        (Entry("8.1", "self", 1), "this one is scored by survey"),
        (Entry("1.1", "survey", 1), "this one is scored by self-score and appraisal"),
        (Entry("1.1", "appraisal", 3, actor="b"), "an appraisal needs its reason"),
        (Entry("1.1", "self", None, True), "what does not apply needs its reason"),
        (Entry("1.2.1", "appraisal", 1, reason="đủ", actor="b"), "the unit has not scored it yet"),
        (Entry("1.1", "appraisal", 3, reason="đủ", actor="a"), "who scored it does not appraise it"),
    ],
)
def test_what_may_not_be_entered_is_refused_with_the_reason(structure: Structure, entry: Entry, told: str):
    standing = {("1.1", "self"): Entry("1.1", "self", 4, actor="a")}
    with pytest.raises(Problems, match=told):
        check(structure, entry, standing, "Sơn La")


@pytest.mark.parametrize(
    ("percent", "group"), [(90, "A"), (89.996, "A"), (89.99, "B"), (80, "B"), (70, "C"), (69.99, "D")]
)
def test_groups_go_by_the_published_decimals(percent: float, group: str):
    assert grade(percent) == group


def test_ties_share_the_better_rank_and_the_unfinished_have_none():
    assert ranks({"a": 88.261, "b": 88.26, "c": 90.0, "d": None}) == {"c": 1, "a": 2, "b": 2}


# -- evidence -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("virus.exe", b"MZ\x90\x00", "a program and no document"),
        ("ke_hoach.pdf", b"MZ\x90\x00", "a program and no document"),
        ("chay.sh", b"#!/bin/sh\n", "a program and no document"),
        ("ke_hoach.pdf", b"hello", "its content is not what its ending says"),
        ("nen.zip", b"PK\x03\x04", "files of this kind are not taken"),
        ("trong.pdf", b"", "the file is empty"),
    ],
)
def test_evidence_that_is_no_document_is_refused(name: str, content: bytes, told: str):
    with pytest.raises(InputError, match=told):
        evidence.taken(name, content)


def test_evidence_of_500_mb_is_refused_before_it_is_read():
    with pytest.raises(InputError, match="500 MB, more than 20 MB"):
        evidence.too_large("quet.pdf", 500 << 20)


# -- in the store -------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "hub", "hub", name="tỉnh") as store:
        field.set_up(store, field.small(), PEOPLE)
        yield store


def open_card(store: Store, structure: Structure) -> str:
    body = {"unit_name": "Sơn La", "level": "province", "period": "2026", "version": "tinh-2026"}
    return scorecards.create(store, {**body, "structure": structure.document}, LAN)


def put(store: Store, card: str, code: str, points: float, actor: str = LAN, step: str = "self", files=()) -> str:
    body = {"points": repr(points), "percent": "", "not_applicable": False, "reason": f"vì {points}"}
    return scorecards.enter(store, card, code, step, body, files, actor)


PDF = b"%PDF-1.4 ke hoach"


def test_every_entry_stays_in_the_trail_and_evidence_is_kept_by_its_hash(hub: Store, structure: Structure):
    card = open_card(hub, structure)
    put(hub, card, "1.1", 4, files=[("kế hoạch.pdf", PDF)])
    put(hub, card, "1.1", 3.5, files=[("bản ký.pdf", PDF + b" ky")])
    put(hub, card, "1.1", 3, BINH, "appraisal")
    (own,) = [one for one in scorecards.entries(hub, card) if one["step"] == "self"]
    assert own["points"] == "3.5"
    assert [file["name"] for file in own["evidence"]] == ["kế hoạch.pdf", "bản ký.pdf"]
    assert scorecards.file(hub, card, own["evidence"][0]["hash"]) == PDF
    told = [(one.actor, one.document.get("points")) for one in scorecards.trail(hub, card) if "step" in one.document]
    assert sorted(told) == sorted([(LAN, "4"), (LAN, "3.5"), (BINH, "3")])


def test_two_people_who_score_on_two_machines_are_both_kept_and_the_next_entry_settles(
    hub: Store, structure: Structure, tmp_path: Path
):
    card = open_card(hub, structure)
    put(hub, card, "1.1", 4)
    with Store.create(tmp_path / "other", "hub", name="sở") as other:
        stick = tmp_path / "stick"
        stick.mkdir()
        export(hub, stick)
        sync(other, [stick])
        put(other, card, "1.1", 2, BINH)
        put(hub, card, "1.1", 3)
        export(other, stick)
        sync(hub, [stick])
    (entry,) = scorecards.entries(hub, card)
    assert entry["conflict"]
    assert len([one for one in scorecards.trail(hub, card) if one.document.get("code") == "1.1"]) == 3
    put(hub, card, "1.1", 3)
    assert not scorecards.entries(hub, card)[0]["conflict"]


def test_a_field_laptop_gets_no_part_of_a_scorecard(hub: Store, structure: Structure, tmp_path: Path):
    from survey.store import feed

    card = open_card(hub, structure)
    header = next(feed.revisions(hub, scorecards.TYPE, card))
    assert not Scope(hub, "d" + "0" * 40).may_have(header, "document")


# -- from the command line ----------------------------------------------------------------------------------------


def test_a_whole_scorecard_is_entered_from_tables(hub: Store, criteria: Path, tmp_path: Path):
    at = ("--instance", hub.folder, "--lang", "en")
    named = ("--unit", "Sở Nội vụ", "--level", "department", "--period", "2026", "--name", "so-2026")
    code, told, _ = run("scorecard", "new", criteria, *named, "--as", BINH, *at)
    assert code == 0
    card = told.split()[-1]
    files = tmp_path / "tai_lieu"
    files.mkdir()
    (files / "kh.pdf").write_bytes(PDF)
    own, final, asked = (tmp_path / f"{name}.csv" for name in ("own", "final", "asked"))
    own.write_text("code,points,evidence\n1.1,4,kh.pdf\n1.2.1,2.5,\n1.2.2,3,\n", encoding="utf-8")
    assert run("scorecard", "enter", card, own, "--step", "self", "--evidence", files, "--as", LAN, *at)[0] == 0
    rows = "code,points,not_applicable,reason\n1.1,4,,đủ\n1.2.1,,x,chưa giao\n1.2.2,{},,đủ\n"
    final.write_text(rows.format(9), encoding="utf-8")
    code, _, said = run("scorecard", "enter", card, final, "--step", "appraisal", "--as", BINH, *at)
    assert code == 2
    assert "final.csv, row 4, 1.2.2: 9 is beyond the scale 0–3.5" in said
    assert [one["step"] for one in scorecards.entries(hub, card)] == ["self"] * 3  # nothing of it was taken
    final.write_text(rows.format(3), encoding="utf-8")
    assert run("scorecard", "enter", card, final, "--step", "appraisal", "--as", BINH, *at)[0] == 0
    asked.write_text("code,points\n8.1,5\n8.2,90\n", encoding="utf-8")
    assert run("scorecard", "enter", card, asked, "--step", "survey", "--as", BINH, *at)[0] == 0
    (row,) = json.loads(run("scorecard", "show", "--json", *at)[1])
    assert (row["most"], row["total"], row["rank"], row["group"]) == (22.5, 21.0, 1, "A")
    assert row["percent"] == pytest.approx(100 * 21 / 22.5)
    assert "Kế hoạch" in run("scorecard", "show", card, "--instance", hub.folder, "--lang", "vi")[1]
    assert len(json.loads(run("scorecard", "trail", card, "--json", *at)[1])) == 9
    assert run("scorecard", "enter", card, own, "--step", "self", "--as", CHAIR, *at)[0] == 2


# -- on the pages -------------------------------------------------------------------------------------------------


@pytest.fixture
def app(hub: Store, tmp_path: Path) -> Iterator[Flask]:
    with field.running(tmp_path / "hub") as app:
        yield app


def visit(app: Flask, user: str) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(user)
    return visitor


@pytest.fixture
def card(app: Flask, hub: Store, criteria: Path) -> str:
    binh = visit(app, BINH)
    binh.get("/scorecards")
    page = binh.post("/scorecards", unit_name="Sơn La", level="province", period="2026", version="tinh-2026",
                     structure=(BytesIO(criteria.read_bytes()), "bo_tieu_chi.csv"))  # fmt: skip
    assert page.status_code == 200, page.text
    return page.request.path.rpartition("/")[2]


def test_a_scorecard_goes_from_self_score_to_appraisal_to_result(app: Flask, hub: Store, card: str):
    lan, chair, binh = visit(app, LAN), visit(app, CHAIR), visit(app, BINH)
    for code, points in (("1.1", "4"), ("1.2.1", "2"), ("1.2.2", "3")):
        lan.get(f"/scorecards/{card}/criteria/{code}")
        page = lan.post(f"/scorecards/{card}/criteria/{code}/self", points=points, reason="",
                        evidence=(BytesIO(PDF), f"{code}.pdf"))  # fmt: skip
        assert page.status_code == 200
    lan.get(f"/scorecards/{card}")
    assert "đã nộp, chờ thẩm định" in lan.post(f"/scorecards/{card}/submit").text
    late = lan.post(f"/scorecards/{card}/criteria/1.1/self", points="1")
    assert late.status_code == 403
    for code, points in (("1.1", "3,5"), ("1.2.1", "2"), ("1.2.2", "2,5")):
        chair.get(f"/scorecards/{card}/criteria/{code}")
        assert (
            chair.post(f"/scorecards/{card}/criteria/{code}/appraisal", points=points, reason="đủ").status_code == 200
        )
    for code, points in (("8.1", "4,2"), ("8.2", "91,17")):
        binh.get(f"/scorecards/{card}/criteria/{code}")
        assert binh.post(f"/scorecards/{card}/criteria/{code}/survey", points=points).status_code == 200
    result = binh.get(f"/scorecards/{card}").text
    assert "21,32 / 25,00" in result
    assert "85,27" in result
    assert ">B<" in result
    assert "9,12" in result
    trail = binh.get(f"/scorecards/{card}/trail").text
    assert trail.count("Nguyễn Thị Lan") >= 4
    assert "Đỗ Thị Hạnh" in trail
    listed = binh.get("/scorecards").text
    assert "85,27" in listed


def test_pages_refuse_what_may_not_stand_and_lose_nothing_that_was_typed(
    app: Flask, card: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(evidence, "LARGEST", 100 << 10)
    lan, binh = visit(app, LAN), visit(app, BINH)
    lan.get(f"/scorecards/{card}/criteria/1.1")
    above = lan.post(f"/scorecards/{card}/criteria/1.1/self", points="4,5", reason="làm đủ")
    assert above.status_code == 400
    assert "4,5 điểm vượt thang 0–4" in above.text
    assert 'value="làm đủ"' in above.text
    program = lan.post(f"/scorecards/{card}/criteria/1.1/self", points="4", evidence=(BytesIO(b"MZ"), "a.exe"))
    assert "chương trình chạy được" in program.text
    large = lan.post(
        f"/scorecards/{card}/criteria/1.1/self", points="4", evidence=(BytesIO(b"%PDF-" + bytes(101 << 10)), "lon.pdf")
    )
    assert large.status_code == 400
    assert "lớn hơn" in large.text
    lan.post(f"/scorecards/{card}/criteria/1.1/self", points="4")
    binh.get(f"/scorecards/{card}/criteria/1.1")
    silent = binh.post(f"/scorecards/{card}/criteria/1.1/appraisal", points="3", reason=" ")
    assert silent.status_code == 400
    assert "thẩm định phải ghi lý do" in silent.text.lower()
    lan.get(f"/scorecards/{card}")
    unfinished = lan.post(f"/scorecards/{card}/submit")
    assert "Còn 2 tiêu chí chưa tự chấm" in unfinished.text


def test_each_role_does_its_own_step(app: Flask, card: str):
    lan, chair = visit(app, LAN), visit(app, CHAIR)
    lan.get(f"/scorecards/{card}/criteria/1.1")
    chair.get(f"/scorecards/{card}/criteria/1.1")
    assert lan.post(f"/scorecards/{card}/criteria/1.1/appraisal", points="1", reason="x").status_code == 403
    assert chair.post(f"/scorecards/{card}/criteria/1.1/self", points="1").status_code == 403
    hoa = visit(app, field.HOA)
    assert hoa.get("/scorecards").status_code == 403
    # Bình may do both, but not at the same criterion.
    binh = visit(app, BINH)
    binh.get(f"/scorecards/{card}/criteria/1.1")
    binh.post(f"/scorecards/{card}/criteria/1.1/self", points="4")
    own = binh.post(f"/scorecards/{card}/criteria/1.1/appraisal", points="4", reason="đủ")
    assert own.status_code == 400
    assert "không thẩm định điểm của chính mình" in own.text


def test_evidence_is_kept_and_never_opened_by_the_page(app: Flask, hub: Store, card: str):
    lan = visit(app, LAN)
    lan.get(f"/scorecards/{card}/criteria/1.1")
    lan.post(f"/scorecards/{card}/criteria/1.1/self", points="4", evidence=(BytesIO(PDF), "kế hoạch.pdf"))
    (entry,) = scorecards.entries(hub, card)
    file = lan.get(f"/scorecards/{card}/evidence/{entry['evidence'][0]['hash']}")
    assert (file.data, file.mimetype) == (PDF, "application/pdf")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert lan.get(f"/scorecards/{card}/evidence/sha256:{'0' * 64}").status_code == 404


def test_evidence_of_500_mb_is_refused_on_the_page_before_it_is_read(app: Flask, card: str):
    lan = visit(app, LAN)
    lan.get(f"/scorecards/{card}/criteria/1.1")
    page = lan.client.post(
        f"/scorecards/{card}/criteria/1.1/self",
        base_url=field.ADDRESS,
        input_stream=BytesIO(b"--x\r\n"),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(500 << 20)},
    )
    assert page.status_code == 413
    assert "tệp quá lớn" in page.text


def test_a_hub_without_the_analysis_part_has_no_such_door_and_says_why(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    binh = visit(app, BINH)
    assert 'href="/scorecards"' not in binh.get("/interviews").text
    for page in ("/scorecards", "/plans"):
        told = binh.get(page)
        assert told.status_code == 400
        assert "chưa cài phần phân tích" in told.text


def test_the_criteria_of_a_form_with_blank_points_are_not_opened(app: Flask, hub: Store):
    binh = visit(app, BINH)
    binh.get("/scorecards")
    page = binh.post("/scorecards", unit_name="Sơn La", level="province", period="2026", version="v",
                     structure=(BytesIO(b"code,parent,name_vi,points_max\nA1,,A,\n"), "bo.csv"))  # fmt: skip
    assert page.status_code == 400
    assert "Chưa nhập điểm tối đa" in page.text
    assert 'value="Sơn La"' in page.text
    assert scorecards.cards(hub) == []
    assert frame.documents(hub, scorecards.TYPE) == []
