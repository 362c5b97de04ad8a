"""The papers that auditors ask for: from a real store to Word and Excel files that are read back."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from docx import Document
from openpyxl import load_workbook

from survey.cli import cli
from survey.fieldwork.papers import Fieldwork, Interview, Machine, Unit, handed_over
from survey.fieldwork.papers_paid import sign_for
from survey.store import Store, access_log, current, drafts, frame, paper, personal, verify
from survey.store.header import read_header
from survey.store.merge import unite
from survey.store.papers import gather
from survey.text import Text
from tests import field, laptops
from tests.field import HOA, LAN, ROUND
from tests.test_paper_forms import number

QUAN = "pquan"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=7)))
SECRET = "CÂU-TRẢ-LỜI-KÍN"
KINDS = ("forms", "sign-for", "pay", "handover")

NAMES = {
    "u1": "Đặng Thị Hoà",
    "u2": "Quàng Văn Ơn",
    "u3": "Lường Thị Phượng",
    "u4": "Cà Văn Đức",
    "u5": "Tòng Văn Inh",
    "u6": "Vì Thị Sáy",
}


def visited(store: Store, unit: str, code: str, days: int = 0, interview: str = "") -> None:
    """A visit by the enumerator."""
    body = {"id": frame.new_id("visit"), "round": ROUND, "unit": unit, "disposition": code, "actor": HOA,
            "time": (NOW + timedelta(days=days)).isoformat(), "interview": interview}  # fmt: skip
    frame.issue(store, "visit", body["id"], {k: v for k, v in body.items() if v}, actor=HOA)


def answered(store: Store, unit: str) -> str:
    """A sealed interview whose answers hold what no paper may show."""
    interview = drafts.start(store, unit, field.small().hash, HOA)
    drafts.seal(store, interview, {"a/age": "47", "a/note": SECRET}, {}, {"phone": "0912 345 678"}, {}, HOA)
    return interview


@pytest.fixture
def office(hub: Store) -> Store:
    """A hub after a day in two communes: u1 approved; u2 approved from paper; u3 refused; u4 (reserve) voided; u5, in
    another commune, approved twice; u6 left with a form, waiting."""
    field.set_up(hub, field.small(), (*field.PEOPLE, (QUAN, "Vũ Văn Quân", ["administrator"])))
    for order, unit in enumerate(("u5", "u6"), start=5):
        document = {**field.unit_document(unit, order), "commune": "03700", "commune_name": "xã Nà Bó",
                    "village": "03700-01", "village_name": "bản Mòn"}  # fmt: skip
        frame.issue(hub, "unit", unit, document, {"name": NAMES[unit], "address": "bản Mòn"})
    visited(hub, "u1", "2.24")
    one = answered(hub, "u1")
    visited(hub, "u1", "1.1", 1, one)
    two = answered(hub, "u2")
    for n, (step, by) in enumerate((("issued", HOA), ("collected", HOA), ("keyed", LAN))):
        paper.record(hub, ROUND, number(1), step, by, unit="u2", interview=two if step == "keyed" else "",
                     now=NOW + timedelta(days=n))  # fmt: skip
    visited(hub, "u3", "2.111")
    four = answered(hub, "u4")
    visited(hub, "u4", "1.1", 0, four)
    double = [answered(hub, "u5"), answered(hub, "u5")]
    paper.record(hub, ROUND, number(2), "issued", HOA, unit="u6", due="2026-11-25", now=NOW)
    for interview in (one, two, *double):
        current.decide(hub, interview, "approved", actor=LAN)
    current.decide(hub, four, "voided", reason="khai khống", actor=LAN)
    return hub


def run(store: Store, *arguments: object, lang: str = "en") -> Result:
    return CliRunner().invoke(cli, ["--instance", str(store.folder), "--lang", lang, *map(str, arguments)])


def of_word(file: Path) -> tuple[str, list[list[list[str]]]]:
    """(all words, the tables) of a document, without the head and the signatures."""
    made = Document(str(file))
    tables = [[[cell.text for cell in row.cells] for row in table.rows] for table in made.tables]
    words = [one.text for one in made.paragraphs] + [cell for table in tables for row in table for cell in row]
    words += [one.text for section in made.sections for one in section.footer.paragraphs]
    return "\n".join(words), tables[1:-1]


def plain(value: Any) -> Any:
    """A day of a workbook, which it can only tell with a time, as the day."""
    return value.date() if isinstance(value, datetime) else value


def of_excel(file: Path) -> tuple[str, list[list[list[Any]]]]:
    """(all words, the rows of each sheet) of a workbook."""
    rows = [[[plain(cell.value) for cell in row] for row in sheet.iter_rows()] for sheet in load_workbook(file)]
    return "\n".join(str(cell) for sheet in rows for row in sheet for cell in row if cell is not None), rows


# -- what the papers say -------------------------------------------------------------------------------------------


def test_every_household_with_a_valid_form_has_one_line_to_sign(office: Store, tmp_path: Path) -> None:
    done = run(office, "papers", "sign-for", tmp_path / "s.docx", "--amount", "50000", "--as", LAN, lang="vi")
    assert done.exit_code == 1, done.output
    assert "hơn một phiếu hợp lệ ở một hộ: bản Mòn 5" in done.output
    words, (lines, counts) = of_word(tmp_path / "s.docx")
    assert lines[0] == ["TT", "Số mẫu", "Họ và tên", "Địa chỉ", "Số phiếu giấy", "Số tiền (đồng)", "Ký nhận", "Ghi chú"]
    assert lines[1] == ["1", "1", "Đặng Thị Hoà", "Bản Khoang", "", "50.000", "", ""]
    assert lines[2] == ["2", "2", "Quàng Văn Ơn", "Bản Khoang", number(1).printed, "50.000", "", ""]
    assert [row[2] for row in lines[3:]] == ["Tòng Văn Inh", "Cộng"]
    assert lines[4][5] == "150.000"
    told = {row[0]: row[1] for row in counts}
    assert told["Phiếu của mẫu, mọi trạng thái"] == "5"
    assert (told["− đã hủy"], told["= Phiếu hợp lệ"]) == ("1", "4")
    assert told["− phiếu thứ hai trở đi của cùng một hộ"] == "1"
    assert told["= Số dòng ký nhận"] == "3"
    assert told["Số chữ ký (đếm, ghi tay)"] == ""
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in words
    assert "Dữ liệu giả lập" in words
    assert "Luật số 91/2025/QH15" in words


def test_the_reconciliation_adds_up_from_forms_to_lines_and_over_households(office: Store) -> None:
    counts = {row[0].en: row[1] for row in sign_for(gather(office, ROUND)).tables[1].rows if isinstance(row[0], Text)}
    less = sum(counts.get(f"− {words}", 0) for words in ("voided", "sealed, awaiting review", "returned"))
    assert counts["Forms of the sample, in any state"] - less == counts["= Valid forms"]
    assert counts["= Valid forms"] - counts["− further forms of the same household"] == counts["= Lines to sign"]
    ended = [counts[f"− {one}"] for one in ("refusal or break-off", "with a form that is not valid, or not yet",
                                            "Form left, to be collected")]  # fmt: skip
    assert ended == [1, 1, 1]
    assert counts["Households visited or with a form"] == counts["− with a valid form"] + sum(ended)
    assert counts["Paper forms handed out"] == counts["= Paper forms collected"] + counts["− outstanding"] + 0
    assert (counts["of them keyed"], counts["of them to be keyed"]) == (1, 0)


def test_forms_handed_out_and_collected_with_days_people_and_outcome(office: Store, tmp_path: Path) -> None:
    assert run(office, "papers", "forms", tmp_path / "f.xlsx").exit_code == 0
    _, (forms, visits) = of_excel(tmp_path / "f.xlsx")
    hoa = "Lò Thị Hoa"
    (one,) = (row for row in forms if row[1] == number(1).printed)
    assert one[3:] == ["Quàng Văn Ơn", "Bản Khoang", date(2026, 11, 23), hoa, date(2026, 11, 24), hoa, "keyed"]
    (two,) = (row for row in forms if row[1] == number(2).printed)
    assert [two[3], two[5], two[7], two[9]] == ["Vì Thị Sáy", date(2026, 11, 23), None, "left at the household"]
    (first,) = (row for row in visits if row[2] == "Đặng Thị Hoà")
    assert first[4:] == [2, date(2026, 11, 23), date(2026, 11, 24), hoa, "Interview completed"]
    (refused,) = (row for row in visits if row[2] == "Lường Thị Phượng")
    assert refused[-1] == "Household refused"


def test_pay_counts_every_form_once_and_a_rate_that_is_not_given_stays_blank(office: Store, tmp_path: Path) -> None:
    assert run(office, "papers", "pay", tmp_path / "p.xlsx", "--rate", "45000").exit_code == 0
    _, (work, keying) = of_excel(tmp_path / "p.xlsx")
    (hoa,) = (row for row in work if row[1] == "Lò Thị Hoa")
    assert hoa == [1, "Lò Thị Hoa", 5, 4, 0, 0, 1, 0, 45000, 180000, None]
    (lan,) = (row for row in keying if row[1] == "Nguyễn Thị Lan")
    assert lan == [1, "Nguyễn Thị Lan", 1, None, None, None]
    assert run(office, "papers", "pay", tmp_path / "p.docx").exit_code == 0
    _, (work, _) = of_word(tmp_path / "p.docx")
    assert work[1] == ["1", "Lò Thị Hoa", "5", "4", "0", "0", "1", "0", "", "", ""]


def test_the_record_of_hand_over_has_the_counts_of_villages_and_machines_and_no_name(
    office: Store, tmp_path: Path
) -> None:
    assert run(office, "papers", "handover", tmp_path / "h.docx", lang="vi").exit_code == 0
    words, (villages, machines) = of_word(tmp_path / "h.docx")
    assert villages[1][1:] == ["xã Chiềng Mung", "bản Khoang", "3", "2", "0", "0", "1", "0", "1", "1", "0", "0"]
    assert villages[2][1:] == ["xã Nà Bó", "bản Mòn", "2", "2", "0", "0", "0", "0", "1", "0", "1", "0"]
    assert villages[3][1] == "Cộng"
    (line,) = machines[1:]
    assert (line[0], line[1]) == ("hub", "5")
    assert int(line[3]) == int(line[4]) + int(line[5])
    assert not any(name in words for name in NAMES.values())


def test_a_machine_whose_entries_do_not_add_up_is_told_and_so_is_a_paper_of_other_counts() -> None:
    work = Fieldwork((Unit("u1", "1", codes=("1.1",), interviews=(Interview("approved", True, "p"),)),))
    made = handed_over(work, [Machine("máy 1", 1, 1, 7, 4, 2, "7: AB")])
    assert [one.en for one in made.findings] == ["máy 1: entries do not add up, do not sign"]
    assert not handed_over(work, [Machine("máy 1", 1, 1, 6, 4, 2, "6: AB")]).findings


def test_a_commune_alone_by_code_or_by_its_name(office: Store, tmp_path: Path) -> None:
    for told in ("03700", "xa na bo"):
        run(office, "papers", "sign-for", tmp_path / "s.xlsx", "--commune", told, "--gift", "khăn mặt")
        words, (lines, _) = of_excel(tmp_path / "s.xlsx")
        assert "Tòng Văn Inh" in words
        assert "Đặng Thị Hoà" not in words
        assert lines[-3][5] == "khăn mặt"


def test_sealed_interviews_count_when_asked_and_an_approval_of_two_is_not_enough(office: Store) -> None:
    answered(office, "u3")
    assert len(gather(office, ROUND).units) == 6
    listed = sign_for(gather(office, ROUND, ("approved", "sealed")))
    assert listed.lines == 4
    document = frame.round_document(office, ROUND)
    frame.issue(office, "round", ROUND, {**document, "review": {"second": True}})
    assert sign_for(gather(office, ROUND)).lines == 0


# -- names and answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["docx", "xlsx"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_nor_any_id_that_leads_to_one_stands_in_any_paper(
    office: Store, tmp_path: Path, kind: str, ending: str
) -> None:
    file = tmp_path / f"x.{ending}"
    assert run(office, "papers", kind, file).exit_code in (0, 1)
    words = (of_word if ending == "docx" else of_excel)(file)[0]
    assert SECRET not in words
    assert "0912" not in words
    for row in current.interviews(office, ROUND):
        assert row["interview"][:8] not in words.lower()
        assert personal.code_of(row["interview"])[:9] not in words
    assert any(name in words for name in NAMES.values()) == (kind in ("forms", "sign-for"))


def test_a_paper_with_names_is_in_the_log_of_access_as_contact_data(office: Store, tmp_path: Path) -> None:
    run(office, "papers", "sign-for", tmp_path / "s.docx", "--as", LAN)
    run(office, "papers", "pay", tmp_path / "p.docx", "--as", LAN)
    found = {one.action: one for one in access_log.entries(office) if one.action.startswith("export")}
    assert found["export_contact"].actor == LAN
    assert (found["export_contact"].subject, found["export_contact"].detail["paper"]) == (ROUND, "sign-for")
    assert found["export_contact"].detail["lines"] == 3
    assert found["export"].detail["paper"] == "pay"


@pytest.mark.parametrize(
    ("kind", "person", "may"),
    [("forms", LAN, True), ("forms", QUAN, False), ("sign-for", HOA, False), ("sign-for", field.BINH, False),
     ("pay", QUAN, True), ("handover", HOA, False)],
)  # fmt: skip
def test_names_are_for_those_who_check_visits_and_what_is_refused_writes_nothing(
    office: Store, tmp_path: Path, kind: str, person: str, may: bool
) -> None:
    done = run(office, "papers", kind, tmp_path / "x.docx", "--as", person)
    assert (done.exit_code != 2) == may, done.output
    assert (tmp_path / "x.docx").exists() == may
    assert bool([one for one in access_log.entries(office) if one.action.startswith("export")]) == may


def test_nobody_prints_the_names_of_their_own_commune_before_the_results_are_out(office: Store, tmp_path: Path) -> None:
    lan = frame.person(office, LAN)
    assert lan is not None
    frame.issue(office, "user", LAN, {**lan, "commune": "03700"})
    done = run(office, "papers", "sign-for", tmp_path / "s.docx", "--as", LAN)
    assert done.exit_code == 0, done.output
    words, _ = of_word(tmp_path / "s.docx")
    assert "Tòng Văn Inh" not in words
    assert "Without the commune of the person who prints it: 03700" in words
    refused = run(office, "papers", "sign-for", tmp_path / "own.docx", "--as", LAN, "--commune", "03700")
    assert refused.exit_code == 2
    assert "their own commune" in refused.output
    frame.issue(office, "round", ROUND, {**frame.round_document(office, ROUND), "published": "2026-12-01"})
    assert run(office, "papers", "sign-for", tmp_path / "own.docx", "--as", LAN, "--commune", "03700").exit_code == 1


def test_where_contact_data_were_erased_the_line_stays_blank_and_says_so(office: Store, tmp_path: Path) -> None:
    personal.erase_contact(office, "u1", QUAN, "hết hạn")
    done = run(office, "papers", "sign-for", tmp_path / "s.docx", "--as", LAN)
    assert "lines without a name: 1 (contact data erased)" in done.output
    _, (lines, counts) = of_word(tmp_path / "s.docx")
    assert lines[1] == ["1", "1", "", "bản Khoang", "", "", "", "contact data erased"]
    assert ["of them without a name: contact data erased", "1", "bản Khoang 1"] in counts


def test_where_contact_data_never_came_or_the_list_has_none_it_says_which(office: Store, tmp_path: Path) -> None:
    frame.issue(office, "unit", "u2", {**field.unit_document("u2", 2), "note": "1"})
    assert {unit.id for unit in gather(office, ROUND).units if unit.withheld} == {"u2"}
    with Store.create(tmp_path / "other", "hub", name="other") as other:
        given = [
            one._replace(parts={name: part for name, part in one.parts.items() if name != "contact"})
            if read_header(one.header).subject == "u1"
            else one
            for one in laptops.records(office)
        ]
        unite(other, given, "stick", laptops.keys(office))
        withheld = {unit.id: unit.withheld for unit in gather(other, ROUND).units}
    assert (withheld["u1"], withheld["u2"], withheld["u5"]) == ("absent", "none", "")


def test_an_interview_erased_on_request_is_no_valid_form_any_more(office: Store) -> None:
    (one,) = (row["interview"] for row in current.interviews(office, ROUND, unit="u1"))
    personal.erase_person(office, one, QUAN, "người dân yêu cầu")
    work = gather(office, ROUND)
    assert sign_for(work).lines == 2
    counts = {row[0].en: row[1] for row in sign_for(work).tables[1].rows if isinstance(row[0], Text)}
    assert counts["− erased on request"] == 1


def test_the_person_chosen_in_a_household_signs_not_whom_the_list_names(office: Store) -> None:
    event = {"id": "v" + "1" * 32, "event": "selection", "round": ROUND, "unit": "u1", "list": "1"}
    frame.issue(office, "visit", event["id"], event, {"name": "Lường Văn Panh"}, HOA)
    assert [unit.name for unit in gather(office, ROUND).units if unit.id == "u1"] == ["Lường Văn Panh"]


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_round_in_which_nothing_happened_has_no_papers(hub: Store, tmp_path: Path, kind: str) -> None:
    field.set_up(hub, field.small())
    done = run(hub, "papers", kind, tmp_path / "x.docx")
    assert done.exit_code == 2
    assert "nobody has been here yet" in done.output
    assert not (tmp_path / "x.docx").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.docx", "--commune", "99999"], "choose one: 03646 xã Chiềng Mung, 03700 xã Nà Bó"),
        (["x.docx", "--round", "r1999"], "there is no such round"),
        (["x.docx", "--as", "pnobody"], "no person with this id"),
        (["x.pdf"], "use .docx or .xlsx"),
        (["x.docx", "--amount", "0"], "--amount"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    office: Store, tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = run(office, "papers", "sign-for", tmp_path / arguments[0], *arguments[1:])
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / arguments[0]).exists()


def test_a_name_that_begins_like_a_formula_stays_text(office: Store, tmp_path: Path) -> None:
    frame.issue(office, "unit", "u1", field.unit_document("u1", 1), {"name": "=1+1", "address": "Bản Khoang"})
    run(office, "papers", "sign-for", tmp_path / "s.xlsx")
    sheet = load_workbook(tmp_path / "s.xlsx").worksheets[0]
    (kind,) = (cell.data_type for row in sheet.iter_rows() for cell in row if cell.value == "=1+1")
    assert kind == "s"


def test_the_same_store_gives_json_with_what_was_found(office: Store, tmp_path: Path) -> None:
    told = json.loads(run(office, "papers", "sign-for", tmp_path / "s.docx", "--json").output)
    assert (told["paper"], told["lines"], told["private"]) == ("sign-for", 3, True)
    assert [one["en"] for one in told["findings"]] == ["more than one valid form at: bản Mòn 5"]
    assert not verify.verify(office).problems
