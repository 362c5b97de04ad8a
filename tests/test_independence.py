"""Nobody asks the public of their own employer without a written reason, and the method annex says how often it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from analysis.report.facts import independence_facts
from survey.errors import InputError, Problems
from survey.fieldwork.handing import Scope
from survey.fieldwork.independence import LONGEST, REASON, checked_reason, is_tied
from survey.store import Store, assigning, backcheck, current, frame, handing
from survey.sync import backchecks, founding, staffing
from survey.tables import Table
from survey.vocabulary import EMPLOYERS
from tests import field
from tests.field import HOA, LAN, ROUND, Visitor

UNIT = {
    "id": "u1",
    "commune": "03646",
    "commune_name": "xã Chiềng Mung",
    "province": "14",
    "province_name": "Tỉnh Sơn La",
}
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
MAI = "pmai"


def person(employer: str, kind: str) -> dict[str, Any]:
    return {"id": "p", "name": "Lò Thị Hoa", "employer": employer, "employer_kind": kind}


@pytest.mark.parametrize(
    ("employer", "kind", "tied"),
    [
        ("UBND xã Chiềng Mung", "commune", True),
        ("ubnd xa chieng mung, tỉnh Sơn La", "commune", True),
        ("03646", "commune", True),
        ("UBND xã Chiềng Mungo", "commune", False),
        ("UBND xã Mường Bú, tỉnh Sơn La", "commune", False),
        ("Bộ phận Một cửa Chiềng Mung", "one_stop", True),
        ("Sở Nội vụ tỉnh Sơn La", "province", True),
        ("Công an tỉnh Sơn La", "central", True),
        ("Sở Nội vụ tỉnh Lào Cai", "province", False),
        ("Bưu điện xã Chiềng Mung", "post", False),
        ("Hội Cựu chiến binh xã Chiềng Mung", "front", False),
        ("UBND xã Chiềng Mung", "", False),
        ("", "commune", False),
    ],
)
def test_a_person_is_tied_where_their_employer_is_rated(employer: str, kind: str, tied: bool):
    assert is_tied(person(employer, kind), UNIT) is tied


def test_where_a_unit_names_its_agency_only_that_agency_and_the_commune_are_rated():
    unit = {**UNIT, "agency": "CUC_THUE", "agency_name": "Cục Thuế tỉnh Sơn La"}
    assert is_tied(person("CUC_THUE", "central"), unit)
    assert is_tied(person("Cục Thuế tỉnh Sơn La", "central"), unit)
    assert not is_tied(person("Sở Nội vụ tỉnh Sơn La", "province"), unit)


def test_a_reason_is_kept_with_the_tied_units_alone_and_must_be_there():
    own = person("UBND xã Chiềng Mung", "commune")
    far = {"id": "u2", "commune_name": "xã Mường Bú"}
    assert checked_reason(own, [UNIT, far], "  chỉ có   một người biết tiếng Mông ") == {
        "u1": "chỉ có một người biết tiếng Mông"
    }
    assert checked_reason(own, [far], "") == {}
    with pytest.raises(InputError, match="works for the authority that is rated at 1 of these"):
        checked_reason(own, [UNIT, far], "   ")
    with pytest.raises(InputError, match=f"at most {LONGEST}"):
        checked_reason(own, [UNIT], "x" * (LONGEST + 1))


def employed(store: Store, user: str, employer: str = "UBND xã Chiềng Mung", kind: str = "commune") -> None:
    staffing.change(store, user, {"employer": employer, "employer_kind": kind})


@pytest.fixture
def office(hub: Store) -> Store:
    """A hub with four units of Chiềng Mung given to Hoa; Mai works for its commune authority."""
    field.set_up(hub, field.small(), (*field.PEOPLE, (MAI, "Vì Thị Mai", ["enumerator"])))
    for unit in frame.units(hub, ROUND):
        frame.issue(hub, "unit", unit["id"], {**unit, "commune_name": "xã Chiềng Mung"}, {"name": "Người dân"})
    employed(hub, MAI)
    return hub


def test_at_the_hub_work_goes_to_such_a_person_with_a_reason_only(office: Store):
    scope = Scope(ROUND, HOA, MAI)
    with pytest.raises(InputError, match="Vì Thị Mai: this person works for the authority"):
        handing.reassign(office, scope, LAN, "máy hỏng", NOW)
    assert not frame.units(office, ROUND, assignee=MAI)
    handing.reassign(office, scope, LAN, "máy hỏng", NOW, tie_reason="biết tiếng Mông")
    given = frame.units(office, ROUND, assignee=MAI)
    assert given
    assert {unit[REASON] for unit in given} == {"biết tiếng Mông"}
    handing.reassign(office, Scope(ROUND, MAI, HOA), LAN, "đổi lại", NOW)
    assert not any(REASON in unit for unit in frame.units(office, ROUND))


def test_by_code_too_both_where_it_is_made_and_where_it_is_used(office: Store):
    scope = Scope(ROUND, HOA, MAI)
    with pytest.raises(InputError, match="works for the authority"):
        handing.issue_code(office, scope, LAN, NOW)
    code = handing.issue_code(office, scope, LAN, NOW, tie_reason="biết tiếng Mông")
    with pytest.raises(InputError, match="works for the authority"):
        handing.accept(office, scope, code, NOW)
    handing.accept(office, scope, code, NOW, tie_reason="biết tiếng Mông")  # the refusal did not use the code up
    assert {unit[REASON] for unit in frame.units(office, ROUND, assignee=MAI)} == {"biết tiếng Mông"}


def test_a_draw_names_everybody_who_lacks_a_reason_and_then_writes_nothing(tmp_path: Path):
    rows = [
        {"id": f"h{n}", "commune": str(n % 2), "commune_name": f"xã {'AB'[n % 2]}", "contact": {}} for n in range(8)
    ]
    with Store.create(tmp_path / "hub", "hub") as store:
        founding.create_round(store, "sipas_2026", {"id": "r1", "title": founding.both("Đợt", "Round")})
        for user, commune in (("pa", "UBND xã A"), ("pb", "UBND xã B")):
            told = {"employer": commune, "employer_kind": "commune"}
            founding.add_person(store, user, ["enumerator"], "4711", user, **told)
        frame.import_frame(store, "r1", [*rows[:-1], {**rows[-1], REASON: "không ai khác biết đường"}])
        plan = [founding.read_stage("commune take=2"), founding.read_stage("take=4")]

        def draw(reason: str = "") -> list[dict[str, Any]]:
            return founding.draw_sample(store, "r1", plan, "7", [], ["pb", "pa"], reason=reason)

        with pytest.raises(Problems) as wrong:
            draw()
        assert {problem.where for problem in wrong.value.problems} == {"pa", "pb"}
        assert frame.units(store, "r1") == []
        made = draw("thiếu người")
        reasons = Counter(unit.get(REASON, "") for unit in made)
        assert reasons == {"thiếu người": 7, "không ai khác biết đường": 1}
        assert REASON not in frame.round_document(store, "r1")["frame_columns"]


def test_whoever_works_for_the_rated_authority_is_given_no_back_check_there(office: Store):
    field.sealed(office, "u1", field.small())
    case = backcheck.cases(office, ROUND)[0]
    people = [one for one in frame.people(office) if one["id"] in (MAI, LAN)]
    for number in range(3):
        backchecks._unit(office, f"{ROUND}-pt{number}", case, people, number, LAN)
    given = [unit for unit in frame.documents(office, "unit") if "of_unit" in unit]
    assert [unit["assignee"] for unit in given] == [LAN] * 3


def test_the_annex_says_how_many_by_which_kind_and_why_without_a_name(office: Store):
    assert independence_facts(*assigning.tied(office, ROUND)) == []
    field.sealed(office, "u1", field.small())
    (fact,) = independence_facts(*assigning.tied(office, ROUND))
    assert fact.value.en == "nobody's employer is recorded"
    employed(office, HOA, "Bưu điện tỉnh Sơn La", "post")
    (fact,) = independence_facts(*assigning.tied(office, ROUND))
    assert fact.value.en.endswith("none was made by somebody who works for the authority that was rated")
    employed(office, HOA)
    field.sealed(office, "u2", field.small())
    unit = frame.unit(office, "u2") or {}
    frame.issue(office, "unit", "u2", {**unit, REASON: "biết tiếng Mông"})
    (fact,) = independence_facts(*assigning.tied(office, ROUND))
    assert "2 made by people who work for the authority that was rated: commune authority 2" in fact.value.en
    assert "“biết tiếng Mông” (1)" in fact.value.vi
    assert "chưa ghi lý do (1)" in fact.value.vi
    assert "Lò" not in fact.value.vi + fact.value.en
    current.decide(office, current.interviews(office, unit="u2")[0]["interview"], "voided", reason="thử", actor=LAN)
    assert assigning.tied(office, ROUND).kinds == {"commune": 1}


# -- people from a table, a command, a page ----------------------------------------------------------------------


def table(*rows: dict[str, str]) -> Table:
    return Table("nguoi.xlsx", tuple(rows[0]), rows, tuple(range(2, 2 + len(rows))))


def test_a_table_adds_people_and_describes_those_who_are_known(office: Store):
    done = staffing.bring(
        office,
        table(
            {
                "Họ và tên": "Lò Thị Hoa",
                "Vai trò": "",
                "Mã PIN": "",
                "Cơ quan công tác": "Bưu điện",
                "Loại cơ quan": "Bưu điện",
                "Nhóm": "1",
            },
            {
                "Họ và tên": "Cà Văn Pó",
                "Vai trò": "điều tra viên, giám sát viên",
                "Mã PIN": "2468",
                "Cơ quan công tác": "",
                "Loại cơ quan": "",
                "Nhóm": "2",
            },
        ),
    )
    assert done.changed == [HOA]
    (new,) = done.added
    known = {one["id"]: one for one in frame.people(office)}
    assert (known[HOA]["employer_kind"], known[HOA]["team"], known[HOA]["roles"]) == ("post", "1", ["enumerator"])
    assert (known[new]["roles"], known[new]["team"]) == (["enumerator", "supervisor"], "2")
    assert frame.sign_in(office, new, "2468")


def test_every_row_that_cannot_be_taken_is_named_and_none_is(office: Store):
    before = frame.people(office)
    columns = ("id", "name", "roles", "pin", "employer", "employer_kind", "team")
    cells = (
        (HOA, "", "supervisor", "", "", "", "1"),
        ("", "A", "boss", "1234", "", "", ""),
        ("", "B", "enumerator", "12", "", "", ""),
        (MAI, "", "", "", "Sở", "sở", ""),
        ("pd", "D", "administrator", "1234", "", "", ""),
    )
    rows = [dict(zip(columns, row, strict=True)) for row in cells]
    with pytest.raises(Problems) as wrong:
        staffing.bring(office, table(*rows), may_add=frozenset({"enumerator"}))
    said = [problem("en") for problem in wrong.value.problems]
    assert [line.partition(",")[0] for line in said] == ["nguoi.xlsx"] * 5
    assert [f"row {n}" in line for n, line in enumerate(said, start=2)] == [True] * 5
    assert "neither roles nor PIN" in said[0]
    assert "no such role" in said[1]
    assert frame.people(office) == before
    with pytest.raises(Problems, match="not understood"):
        staffing.bring(office, table({"name": "A", "salary": "1"}))


def test_the_commands_describe_a_person_and_take_it_away_again(
    survey: Callable[..., Result], device: Store, tmp_path: Path
):
    survey("user", "add", "--id", "pa", "--name", "A", "--role", "enumerator", "--pin", "4711", "--team", "Nhóm 1")
    wrong = survey("user", "set", "pa", "--employer", "Sở Nội vụ")
    assert (wrong.exit_code, "kind of employer is not told" in wrong.output) == (2, True)
    assert survey("user", "set", "pa", "--employer", "Sở Nội vụ", "--employer-kind", "province").exit_code == 0
    (one,) = json.loads(survey("user", "list", "--json").stdout)
    assert (one["team"], one["employer"], one["employer_kind"]) == ("Nhóm 1", "Sở Nội vụ", "province")
    file = tmp_path / "people.csv"
    file.write_text("id;team;employer\npa;Nhóm 2;\n", encoding="utf-8")
    assert json.loads(survey("user", "import", file, "--json").stdout) == {"added": [], "changed": ["pa"]}
    person = frame.person(device, "pa") or {}
    assert (person["team"], "employer" in person) == ("Nhóm 2", False)
    assert survey("user", "set", "pa").exit_code == 2


def test_a_kind_of_employer_stands_in_the_vocabulary(office: Store):
    for kind in EMPLOYERS:
        employed(office, HOA, "X", kind)
    with pytest.raises(InputError, match="no kind of employer 'king'"):
        employed(office, HOA, "X", "king")


def test_an_employer_that_is_known_asks_for_the_reason_on_the_page_of_the_code(device: Store, app: Flask):
    employed(device, HOA, "Bưu điện", "post")
    lan = Visitor(app)
    lan.sign_in(LAN)
    assert "tie_reason" not in lan.get("/handing/code").text
    employed(device, HOA)
    assert "tie_reason" in lan.get("/handing/code").text
