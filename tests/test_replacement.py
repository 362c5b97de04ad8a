"""Which reserve unit may be opened, in place of whom: the rule of the round, and the pages that keep it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from survey.fieldwork.replacement import ALLOWED, Rule, Unit, is_given_up, is_open, opening
from survey.store import Store, fieldlog, frame
from tests import field
from tests.field import HOA, WHOLE, Clock, Interviewer


def papi(done: int = 0, refused: int = 0, opened: int = 0) -> list[Unit]:
    """A village of PAPI: 20 main, 10 reserve."""
    codes = [("1.1",)] * done + [("2.112",)] * refused + [()] * (20 - done - refused)
    main = [Unit(f"m{n}", False, n, codes[n - 1]) for n in range(1, 21)]
    reserve = [Unit(f"r{n}", True, n, replaces=f"m{done + n}" if n <= opened else "") for n in range(1, 11)]
    return main + reserve


def test_no_one_at_home_is_given_up_after_three_visits_and_a_refusal_at_once():
    rule = Rule()
    assert not is_given_up(Unit("a", False, 1, ("2.24", "2.24")), rule)
    assert is_given_up(Unit("a", False, 1, ("2.24", "2.24", "2.25")), rule)
    assert is_given_up(Unit("a", False, 1, ("2.112",)), rule)
    assert not is_given_up(Unit("a", False, 1, ("2.24", "2.24", "0.2")), rule)
    assert not is_given_up(Unit("a", False, 1, ()), rule)


def test_the_round_says_which_outcomes_allow_it():
    rule = Rule.of({"replacement": {"visits": 2, "dispositions": ["2.24"]}})
    assert not is_given_up(Unit("a", False, 1, ("2.112",)), rule)
    assert is_given_up(Unit("a", False, 1, ("2.24", "2.24")), rule)
    assert Rule.of({"replacement": rule.document}) == rule
    assert opening(papi(refused=1), Rule(allowed=False)).reserve is None


def test_sixteen_of_twenty_need_no_reserve_until_five_are_lost():
    rule = Rule(target=16)
    assert opening(papi(refused=4), rule).reserve is None
    assert "not needed yet: 0 done, 16 still open, 16 wanted" in opening(papi(refused=4), rule).reason.en
    opened = opening(papi(refused=5), rule).reserve
    assert opened is not None
    assert opened.id == "r1"
    assert opening(papi(refused=5, opened=1), rule).reserve is None
    assert opening(papi(done=16, refused=4), rule).reserve is None


def test_a_reserve_unit_that_is_given_up_releases_the_next_one():
    units = [
        Unit("m1", False, 1, ("2.112",)),
        Unit("r1", True, 1, ("2.111",), replaces="m1"),
        Unit("r2", True, 2),
    ]
    found = opening(units, Rule())
    assert found.reserve is not None
    assert (found.reserve.id, [unit.id for unit in found.given_up]) == ("r2", ["r1"])


@given(st.data(), st.integers(0, 12), st.integers(1, 3))
def test_reserve_units_open_in_order_one_for_each_unit_lost_and_never_beyond_the_target(data, target, visits):
    rule = Rule(visits=visits, target=target)
    units = [Unit(f"m{n}", False, n) for n in range(1, 7)] + [Unit(f"r{n}", True, n) for n in range(1, 5)]
    for _ in range(data.draw(st.integers(0, 40))):
        replaced = {unit.replaces for unit in units}
        able = [unit for unit in units if is_open(unit) and not unit.complete and unit.id not in replaced]
        chosen = data.draw(st.sampled_from(able)) if able else None
        found = opening(units, rule)
        if found.reserve is not None and data.draw(st.booleans()):
            out = data.draw(st.sampled_from(found.given_up))
            units = [u if u.id != found.reserve.id else Unit(u.id, True, u.order, replaces=out.id) for u in units]
        elif chosen is not None:
            code = data.draw(st.sampled_from(["1.1", "2.24", "2.112", "4.61", "0.2"]))
            units = [
                u if u.id != chosen.id else Unit(u.id, u.reserve, u.order, (*u.codes, code), replaces=u.replaces)
                for u in units
            ]
    opened = [unit for unit in units if unit.reserve and unit.replaces]
    assert [unit.order for unit in opened] == list(range(1, len(opened) + 1))
    assert len({unit.replaces for unit in opened}) == len(opened)
    if target:
        assert sum(is_open(unit) and (unit.complete or not is_given_up(unit, rule)) for unit in units) <= max(6, target)


# -- the pages ---------------------------------------------------------------------------------------------------


def visit(hoa: Interviewer, unit: str, code: str) -> None:
    hoa.get(f"/units/{unit}/visit")
    assert "Đã lưu kết quả" in hoa.post(f"/units/{unit}/visit", disposition=code).text


def test_a_reserve_unit_cannot_be_visited_before_it_is_opened(device: Store, hoa: Interviewer):
    page = hoa.get("/today").text
    assert "chưa mở" in page
    assert "/units/u4/start" not in page
    for answer in (hoa.post("/units/u4/start"), hoa.get("/units/u4/visit")):
        assert answer.status_code == 403
        assert "ộ dự phòng chưa được mở" in answer.text
    assert fieldlog.read(device, fieldlog.REPLACEMENT) == []


def test_after_a_refusal_the_next_reserve_unit_opens_and_the_record_says_who_why_and_for_whom(
    device: Store, hoa: Interviewer, clock: Clock
):
    visit(hoa, "u2", "2.112")
    assert "/units/u2/replace" in hoa.get("/today").text
    page = hoa.get("/units/u2/replace").text
    assert "Cà Văn Đức" in page
    assert hoa.post("/units/u2/replace", reserve="u4", reason=" ").status_code == 400
    done = hoa.post("/units/u2/replace", reserve="u4", reason="Từ chối, không tiếp").text
    assert "Đã mở hộ dự phòng: Cà Văn Đức" in done
    (event,) = fieldlog.read(device, fieldlog.REPLACEMENT)
    assert {key: event[key] for key in ("unit", "replaces", "disposition_of_replaced", "visits_of_replaced")} == {
        **{"unit": "u4", "replaces": "u2", "disposition_of_replaced": "2.112", "visits_of_replaced": "1"},
    }
    assert (event["reason"], event["rule"], event["actor"]) == ("Từ chối, không tiếp", Rule().document, HOA)
    page = hoa.get("/today").text
    assert "thay cho Quàng Văn Ơn" in page
    assert "đã thay bằng Cà Văn Đức" in page
    hoa.start("u4")
    hoa.answers(WHOLE)
    hoa.finish()
    assert [(unit["id"], code) for unit, code in fieldlog.cases(device, field.ROUND)] == [
        *(("u1", "3.11"), ("u2", "2.112"), ("u3", "3.11"), ("u4", "1.1")),
    ]


def test_the_same_unit_is_not_replaced_twice_and_nobody_is_replaced_without_cause(device: Store, hoa: Interviewer):
    assert "Chưa có hộ nào được thay" in hoa.post("/units/u1/replace", reserve="u4", reason="x").text
    visit(hoa, "u1", "2.24")
    assert "Chưa có hộ nào được thay" in hoa.post("/units/u1/replace", reserve="u4", reason="x").text
    visit(hoa, "u1", "2.24")
    visit(hoa, "u1", "2.24")
    hoa.get("/units/u1/replace")
    hoa.post("/units/u1/replace", reserve="u4", reason="Vắng ba lần")
    assert "Danh sách dự phòng đã hết" in hoa.post("/units/u1/replace", reserve="u4", reason="x").text
    assert len(fieldlog.read(device, fieldlog.REPLACEMENT)) == 1
    assert "Đến lại" not in hoa.get("/today").text


def test_progress_of_the_village_stands_beside_its_name_when_the_round_sets_a_target(device: Store, hoa: Interviewer):
    document = frame.round_document(device, field.ROUND)
    frame.issue(device, "round", field.ROUND, {**document, "replacement": {"target": 2}})
    field.sealed(device, "u1", field.small())
    assert "1 / 2 phiếu" in hoa.get("/today").text
    assert all(code in ALLOWED for code in Rule().dispositions)
