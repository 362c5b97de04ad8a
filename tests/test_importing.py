"""``survey import``: forms keyed in Excel or Google Forms come into a round whole, once, and apart where nobody was
drawn."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from openpyxl import Workbook

from survey import create_app
from survey.cli.importing import MODES as OFFERED
from survey.errors import Problems
from survey.paper import states
from survey.paper.importing import MODES, Map, read_map, read_rows, read_times
from survey.store import Store, current, frame, keying, paper, verify
from survey.store.commune import closed_units
from survey.store.fieldlog import cases, outcomes
from survey.tables import Table, read_table
from tests import field, laptops
from tests.field import LAN, ROUND, Visitor
from tests.test_paper_forms import NOW, number

Survey = Callable[..., Result]

STAMP, UNIT = "Dấu thời gian", "Mã đơn vị mẫu"
HEADINGS = [
    STAMP,
    UNIT,
    "Ông/Bà có đồng ý không?",
    "ong/ba bao nhieu tuoi?",
    "Ông/Bà có việc làm không?",
    "What job?",
    "channels",
    "Hài lòng về [Biển chỉ dẫn]",
    "Hài lòng về [Chỗ ngồi]",
    "Hài lòng về [Thời gian chờ]",
    "Chờ mấy giờ?",
    "Xã",
]
LONG = "Không đồng ý"
FIRST = [
    "25/11/2026 8:05:00",
    "u1",
    "Đồng ý",
    "47",
    "Không",
    "",
    "Đài, Hàng xóm",
    "Hài lòng",
    "Không hài lòng",
    "5",
    "2,5",
    "",
]
SECOND = [
    "25/11/2026 8:30:00",
    "",
    "đồng ý",
    "12",
    "có",
    "thợ xây",
    "Đài",
    "Rất hài lòng",
    "Không trả lời",
    "3",
    "",
    "03646",
]


def write(file: Path, *rows: Sequence[str], separator: str = ";") -> Path:
    """A file as Excel writes it in Viet Nam: a byte order mark, semicolons, decimal commas."""
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, delimiter=separator).writerows(rows)
    return file


def changed(row: Sequence[str], **cells: str) -> list[str]:
    """The row with other cells: ``age="48"``."""
    places = {"stamp": 0, "unit": 1, "consent": 2, "age": 3, "job": 4, "b1": 7, "b2": 8, "hours": 10}
    found = list(row)
    for name, cell in cells.items():
        found[places[name]] = cell
    return found


@pytest.fixture
def office(device: Store) -> Store:
    field.set_up(device, field.small())
    return device


@pytest.fixture
def made_map(office: Store, survey: Survey, tmp_path: Path) -> Path:
    """The map as it is drafted, with the commune added by hand."""
    data, file = write(tmp_path / "phieu.csv", HEADINGS, FIRST, SECOND), tmp_path / "map.csv"
    said = survey("import", "map", str(data), "--out", str(file))
    assert said.exit_code == 0, said.output
    assert "Xã" in said.output
    file.write_text(file.read_text("utf-8-sig").replace("Xã,,,", "Xã,#commune,,"), encoding="utf-8")
    return file


@pytest.fixture
def bring(survey: Survey, made_map: Path, tmp_path: Path) -> Callable[..., Result]:
    """Writes rows into a file and brings it."""

    def run(*rows: Sequence[str], name: str = "phieu.csv", more: Sequence[str] = ()) -> Result:
        file = write(tmp_path / name, HEADINGS, *rows)
        return survey("import", "responses", str(file), "--map", str(made_map), "--as", LAN, *more)

    return run


def told(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


# -- the map -------------------------------------------------------------------------------------------------------


def test_a_map_is_drafted_from_headings_and_words_without_diacritics(made_map: Path):
    rows = list(csv.reader(made_map.read_text("utf-8").splitlines()))
    heads = {(row[0], row[1]) for row in rows[1:] if not row[2]}
    assert heads == {
        ("", "#mode"),
        (STAMP, "#key"),
        (STAMP, "#time"),
        (UNIT, "#unit"),
        *zip(HEADINGS[2:11], ["consent", "age", "job", "what_job", "channels", "b1", "b2", "b3", "hours"], strict=True),
        ("Xã", "#commune"),
    }
    assert ["", "#mode", "", "web"] in rows
    assert [HEADINGS[2], "", "đồng ý", "yes"] in rows
    assert [HEADINGS[8], "", "Không trả lời", "refused"] in rows
    assert tuple(MODES) == OFFERED


def test_a_map_that_somebody_may_have_worked_on_is_not_written_over(survey: Survey, made_map: Path, tmp_path: Path):
    before = made_map.read_bytes()
    assert survey("import", "map", str(tmp_path / "phieu.csv"), "--out", str(made_map)).exit_code == 2
    assert made_map.read_bytes() == before


def test_everything_wrong_with_a_map_is_told_at_once(tmp_path: Path):
    data = read_table(write(tmp_path / "d.csv", ["STT", "Tuổi", "Hài lòng", "Điện thoại"], ["1", "47", "4", "09"]))
    lines = [
        ["column", "question", "value", "choice"],
        ["Tuoi", "age", "", ""],
        ["Tuổi", "nobody", "", ""],
        ["Hài lòng", "b1", "", ""],
        ["Hài lòng", "", "4", "tốt"],
        ["Hài lòng", "", "9", "not_applicable"],
        ["Điện thoại", "phone", "", ""],
        ["Điện thoại", "#key", "", ""],
    ]
    with pytest.raises(Problems) as wrong:
        read_map(read_table(write(tmp_path / "m.csv", *lines)), data, field.small())
    said = wrong.value("en")
    assert "m.csv, row 2, column column: d.csv has no column 'Tuoi'" in said
    assert "no question or choice 'nobody'" in said
    assert "b1 has no choice 'tốt'" in said
    assert "b1 has no choice 'not_applicable'" in said
    assert "#mode" in said
    assert "contact data cannot be a key" in said
    with pytest.raises(Problems, match="lacks the columns value, choice"):
        read_map(read_table(write(tmp_path / "n.csv", ["column", "question"], ["a", "b"])), data, field.small())


# -- cells ---------------------------------------------------------------------------------------------------------


def answers(
    column: str, question: str, *cells: str, values: dict[str, str] | None = None, comma: bool = True
) -> list[Any]:
    """What the cells of one column are read as; None for one that is refused."""
    rows = tuple({"STT": str(n), column: cell} for n, cell in enumerate(cells))
    table = Table("d.csv", ("STT", column), rows, tuple(range(2, len(cells) + 2)), comma)
    meant = Map("paper", ("STT",), questions={column: question}, values={column: values or {}})
    found, problems = read_rows(table, meant, field.small())
    refused = {problem.where for problem in problems}
    assert len(problems) == len(refused)
    return [
        None if table.where(n, column) in refused else next(iter(r.answers.values()), "") for n, r in enumerate(found)
    ]


def test_choices_are_read_by_what_the_map_says_by_name_by_words_and_by_the_code_printed():
    assert answers("c", "job", "1", "khong", "YES", "Có", "", "7") == ["yes", "no", "yes", "yes", "", None]
    assert answers("c", "job", "1", "2", "9", values={"1": "no", "2": "yes", "9": "refused"}) == [
        "no",
        "yes",
        {"missing": "refused"},
    ]
    assert answers("c", "channels", "Đài; Hàng xóm", "radio,none", "none radio", "12", "-", "Tivi") == [
        ["radio", "people"],
        ["radio", "none"],
        ["radio", "none"],
        ["radio", "people"],
        {"missing": "blank"},
        None,
    ]


def test_numbers_and_days_are_read_as_people_write_them():
    assert answers("c", "hours", "2,5", "1.250,75", "ba") == ["2.5", "1250.75", None]
    assert answers("c", "hours", "2.5", "1,250.75", comma=False) == ["2.5", "1250.75"]
    assert answers("c", "age", "47", "47,0", "1.200", "47,5") == ["47", "47", "1200", None]
    assert answers("c", "day", "5/3/2026", "2026-03-05", "2026-03-05T00:00:00", "31/6/2026") == [
        "2026-03-05",
        "2026-03-05",
        "2026-03-05",
        None,
    ]
    assert answers("c", "channels/radio", "x", "0", "", "có lẽ") == [["radio"], "", "", None]


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2026/11/25 8:05:00 CH GMT+7"], "2026-11-25T20:05:00+07:00"),
        (["25/11/2026 08:05"], "2026-11-25T08:05:00+07:00"),
        (["1/2/2026 8:05:00", "1/25/2026 9:00:00"], "2026-01-02T08:05:00+07:00"),
        (["1/2/2026 8:05:00", "25/1/2026 9:00:00"], "2026-02-01T08:05:00+07:00"),
        (["2026-11-25T08:05:00"], "2026-11-25T08:05:00+07:00"),
    ],
)
def test_moments_are_read_in_the_order_that_the_column_as_a_whole_allows(cells: list[str], first: str):
    assert read_times(cells)[0] == datetime.fromisoformat(first)
    assert read_times(["hôm qua", "", "32/1/2026"]) == ["hôm qua", None, "32/1/2026"]


# -- rows become interviews ----------------------------------------------------------------------------------------


def test_a_row_with_a_unit_is_that_units_interview_and_one_without_is_a_volunteers(bring, office: Store):
    done = told(bring(FIRST, SECOND, more=["--json"]))
    assert (done["drawn"], done["volunteers"], done["mode"]) == (1, 1, "web")
    (drawn,) = current.interviews(office, ROUND, unit="u1")
    content = current.content(office, drawn["interview"])
    assert content["answers"] | {"opening/commune": "03646", "a/birth": "1979"} == content["answers"]
    assert {path: content["answers"][path] for path in field.WHOLE} == {
        **field.WHOLE,
        "b/b1": "4",
        "b/b2": "2",
    }
    assert content["answers"]["c/hours"] == "2.5"
    assert content["paradata"]["mode"] == "web"
    assert content["paradata"]["started"] == "2026-11-25T08:05:00+07:00"
    assert {name: content["paradata"]["imported"][name] for name in ("source", "row")} == {
        "source": "phieu.csv",
        "row": 2,
    }
    assert drawn["actor"] == LAN
    (unit,) = frame.units(office, ROUND, list="volunteer")
    (own,) = current.interviews(office, ROUND, unit=unit["id"])
    assert unit["commune"] == "03646"
    # A child of twelve is kept as the form says it, and flagged: nothing is refused.
    assert current.content(office, own["interview"])["answers"]["a/age"] == "12"
    assert current.content(office, own["interview"])["paradata"]["flags"]["a/age"] == "constraint"
    assert not verify.verify(office).problems


def test_a_workbook_with_real_dates_and_numbers_says_the_same(
    bring, office: Store, survey: Survey, made_map: Path, tmp_path: Path
):
    told(bring(FIRST, more=["--json"]))
    book = Workbook()
    assert book.active is not None
    book.active.append(HEADINGS)
    moment = datetime.fromisoformat("2026-11-25T08:05:00")
    cells = [moment, "u1", "yes", 47, "no", None, "radio people", 4, 2, 5.0, 2.5, None]
    book.active.append(cells)
    book.save(tmp_path / "phieu.xlsx")
    done = told(survey("import", "responses", tmp_path / "phieu.xlsx", "--map", made_map, "--json"))
    assert done["unchanged"] == 1


def test_the_same_file_again_changes_nothing(bring, office: Store):
    told(bring(FIRST, SECOND, more=["--json"]))
    before = office.value("SELECT count(*) FROM revisions")
    done = told(bring(SECOND, FIRST, name="phieu (1).csv", more=["--json"]))
    assert (done["unchanged"], done["drawn"], done["volunteers"]) == (2, 0, 0)
    assert office.value("SELECT count(*) FROM revisions") == before


def test_a_row_that_changed_is_refused_until_it_is_called_a_correction(bring, office: Store):
    told(bring(FIRST, SECOND, more=["--json"]))
    (row,) = current.interviews(office, ROUND, unit="u1")
    current.decide(office, row["interview"], "approved", actor=LAN)
    later = changed(FIRST, age="48"), SECOND
    refused = bring(*later)
    assert refused.exit_code == 2
    assert "row 2: is not as it was brought before: age" in refused.output
    assert told(bring(*later, more=["--correct", "--json"]))["corrected"] == 1
    (row,) = current.interviews(office, ROUND, unit="u1")
    assert (row["kind"], row["state"]) == ("corrected", "sealed")
    assert current.content(office, row["interview"])["answers"]["a/age"] == "48"


def test_what_was_corrected_by_hand_is_never_set_back(bring, office: Store):
    told(bring(FIRST, more=["--json"]))
    (row,) = current.interviews(office, ROUND, unit="u1")
    content = current.content(office, row["interview"])
    laptops.correct(office, row["interview"], {**content["answers"], "a/age": "50"})
    assert told(bring(FIRST, more=["--json"]))["unchanged"] == 1
    refused = bring(changed(FIRST, age="48"), more=["--correct"])
    assert refused.exit_code == 2
    assert "so did the interview" in refused.output
    assert current.content(office, row["interview"])["answers"]["a/age"] == "50"


def test_all_that_is_wrong_is_told_by_row_and_column_and_nothing_is_brought(bring, office: Store):
    field.sealed(office, "u2", field.small())
    before = office.value("SELECT count(*) FROM revisions")
    said = bring(
        FIRST,
        changed(SECOND, age="mười hai", b1="tuyệt"),
        changed(SECOND, stamp="hôm qua"),
        changed(FIRST, stamp="25/11/2026 9:00", unit="u99"),
        changed(FIRST, stamp="25/11/2026 9:01", unit="u2"),
        changed(FIRST, stamp="25/11/2026 9:02"),
        changed(SECOND, stamp="25/11/2026 9:02"),
        changed(SECOND, stamp=""),
    )
    assert said.exit_code == 2
    for words in (
        "row 3, column ong/ba bao nhieu tuoi?: 'mười hai' is no answer to age",
        "row 3, column Hài lòng về [Biển chỉ dẫn]: 'tuyệt' is no answer to b1",
        "row 4, column Dấu thời gian: 'hôm qua' is no time",
        "row 5: no unit or form has the number 'u99'",
        "row 6: this unit has an interview already",
        "row 7: names the same unit as phieu.csv, row 2",
        "row 8, column Dấu thời gian: has the same key as phieu.csv, row 7",
        "row 9, column Dấu thời gian: has no key",
    ):
        assert words in said.output
    assert office.value("SELECT count(*) FROM revisions") == before


def test_a_volunteers_row_that_later_names_a_unit_is_not_counted_twice(bring, office: Store):
    told(bring(SECOND, more=["--json"]))
    said = bring(changed(SECOND, unit="u3"))
    assert said.exit_code == 2
    assert "brought as a volunteer's" in said.output


def test_refused_consent_leaves_the_refusal_of_a_drawn_unit_and_nothing_else(bring, office: Store):
    done = told(bring(changed(FIRST, consent=LONG), changed(SECOND, consent=LONG), more=["--json"]))
    assert (done["refused"], done["interviews"]) == (2, [])
    assert current.interviews(office, ROUND) == []
    assert outcomes(office, ROUND) == {"u1": ["2.112"]}
    told(bring(changed(FIRST, consent=LONG), more=["--json"]))
    assert len(frame.visits(office, "u1")) == 1


def test_a_form_of_paper_named_by_its_serial_is_keyed_and_counted(bring, office: Store):
    one = number(7)
    refused = bring(changed(FIRST, unit=one.printed), more=["--mode", "paper"])
    assert "not recorded as handed out" in refused.output
    paper.record(office, ROUND, one, "issued", LAN, unit="u1", now=NOW)
    told(bring(changed(FIRST, unit=one.printed), more=["--mode", "paper", "--json"]))
    form = paper.form(office, ROUND, one)
    assert form is not None
    assert (form.state, form.interview) == ("keyed", keying.interview_of(form))
    assert states.tally(paper.forms(office, ROUND)).holds
    assert told(bring(changed(FIRST, unit="u1"), more=["--mode", "paper", "--json"]))["unchanged"] == 1


def test_a_form_that_is_not_valid_is_kept_and_voided(bring, office: Store):
    body = frame.round_document(office, ROUND)
    frame.issue(office, "round", ROUND, {**body, "paper": {"valid_if": "${age} >= 18"}})
    done = told(bring(FIRST, SECOND, more=["--json"]))
    assert (done["invalid"], done["volunteers"]) == (1, 1)
    (unit,) = frame.units(office, ROUND, list="volunteer")
    (row,) = current.interviews(office, ROUND, unit=unit["id"])
    assert row["state"] == "voided"
    assert told(bring(FIRST, SECOND, more=["--json"]))["unchanged"] == 2


def test_a_person_or_mode_that_is_not_known_is_refused(bring, survey: Survey, made_map: Path, tmp_path: Path):
    assert bring(FIRST, more=["--as", "nobody"]).exit_code == 2
    assert bring(FIRST, more=["--mode", "fax"]).exit_code == 2


# -- volunteers stay apart -----------------------------------------------------------------------------------------


def approve_all(store: Store) -> None:
    for row in current.interviews(store, ROUND, "sealed"):
        current.decide(store, row["interview"], "approved", actor=LAN)


def test_volunteers_are_in_no_data_weights_or_rates_of_the_sample_and_stand_alone_when_asked(
    bring, office: Store, survey: Survey, tmp_path: Path
):
    told(bring(FIRST, SECOND, more=["--json"]))
    approve_all(office)
    from analysis import dataset

    sample, apart = dataset.load(office, ROUND), dataset.load(office, ROUND, volunteers=True)
    assert sample.table.labels("unit")[1] == ["u1"]
    assert sample.table.labels("mode")[1] == ["web"]
    assert len(apart.table) == 1
    assert apart.volunteers
    (volunteer,) = apart.table.labels("unit")[1]
    weighted = dataset.load_sample(office, ROUND).table.labels("unit")[1]
    assert sorted(weighted) == ["u1", "u2", "u3"]
    assert volunteer not in {unit["id"] for unit, _ in cases(office, ROUND)}
    assert "1 volunteers" in survey("round", "show").output
    out = tmp_path / "v.csv"
    said = survey("data", "export", str(out), "--volunteers")
    assert "stand for nobody else" in said.output
    assert volunteer in out.read_text("utf-8-sig")
    survey("data", "export", str(tmp_path / "s.csv"))
    assert volunteer not in (tmp_path / "s.csv").read_text("utf-8-sig")


def test_the_supervisor_finds_a_volunteers_interview_by_its_name(bring, office: Store, instance: Path):
    told(bring(SECOND, more=["--json"]))
    (unit,) = frame.units(office, ROUND, list="volunteer")
    visitor = Visitor(create_app(instance))
    visitor.sign_in(LAN)
    page = visitor.get("/interviews").get_data(as_text=True)
    assert f"Volunteer {unit['id'][:8]}" in page or f"Người tự nguyện {unit['id'][:8]}" in page


def test_the_record_shows_where_a_form_came_from_and_what_is_odd_about_it(bring, office: Store, instance: Path):
    told(bring(changed(FIRST, age="12", job="Không"), more=["--mode", "paper", "--json"]))
    (row,) = current.interviews(office, ROUND, unit="u1")
    visitor = Visitor(create_app(instance))
    visitor.sign_in(LAN)
    page = visitor.get(f"/interviews/{row['interview']}").text
    assert "phiếu giấy · tệp phieu.csv, dòng 2" in page
    assert "ngoài giới hạn cho phép" in page
    assert "Ghi trên phiếu ở câu không phải trả lời" not in page


def test_what_stands_on_a_form_where_nothing_was_to_be_answered_is_shown_apart(bring, office: Store, instance: Path):
    row = changed(FIRST)
    row[5] = "thợ mộc"  # a job, of someone who has none
    told(bring(row, more=["--json"]))
    (found,) = current.interviews(office, ROUND, unit="u1")
    visitor = Visitor(create_app(instance))
    visitor.sign_in(LAN)
    page = visitor.get(f"/interviews/{found['interview']}").text
    assert "Ghi trên phiếu ở câu không phải trả lời" in page
    assert "thợ mộc" in page


def test_a_volunteer_of_ones_own_commune_is_not_read_before_the_results_are_out(bring, office: Store):
    told(bring(SECOND, more=["--json"]))
    (unit,) = frame.units(office, ROUND, list="volunteer")
    assert unit["id"] in closed_units(office, {"id": LAN, "commune": "03646"})
    assert unit["id"] not in closed_units(office, {"id": LAN, "commune": "03700"})
