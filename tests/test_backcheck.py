"""Back-checks: the draw, the blind short form, the comparison by type, rates with intervals, tests of differences."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.backcheck import paired
from survey.errors import InputError, NotAllowed, Problems
from survey.fieldwork.backcheck import (
    CAME,
    INTERVIEWED,
    NOBODY,
    VISITED,
    Case,
    Pair,
    Plan,
    compare,
    draw,
    rates,
    same,
    visits,
    wilson,
)
from survey.fieldwork.backcheck_form import comparable, short_form
from survey.questionnaire.model import Questionnaire
from survey.store import Store, backcheck, current, drafts, frame
from survey.sync.backchecks import draw_backchecks
from tests import field, forms
from tests.outside import data_folder, missing
from tests.quality_field import ROUND, answers, interview, set_up

Survey = Callable[..., Result]


# -- the cases of bcstats ----------------------------------------------------------------------------------------

PLAN = Plan({"gender": 1, "gameresult": 2, "itemssold": 3}, tolerance={"gameresult": "1", "itemssold": "5%"})


def bcstats(case: str) -> list[Pair]:
    """The survey and back-check data of one case of bcstats, as pairs; a blank of the back-check was not asked."""
    folder = data_folder()
    if folder is None or not (folder / "bcstats" / case).is_dir():
        missing("the case pairs of bcstats")

    def read(name: str) -> dict[str, dict[str, str]]:
        with (folder / "bcstats" / case / name).open(encoding="utf-8-sig", newline="") as file:
            return {row["id"]: row for row in csv.DictReader(file)}

    first, found = read("bcstats_survey.csv"), []
    for key, row in read("bcstats_bc.csv").items():
        said = first[key]
        found.append(
            Pair(
                key,
                said["enum"],
                row["bcer"],
                {name: said[name] or {"missing": "blank"} for name in PLAN.variables},
                {name: row[name] for name in PLAN.variables if row[name]},
                team=said["enumteam"],
            )
        )
    return found


@pytest.mark.parametrize("case", ["1", "2"])
def test_the_cases_of_bcstats_compare_as_counted_from_their_tables(case: str):
    # Counted by hand in the two CSV files, with the options of bcstats' own help file: blanks of the back-check are not
    # compared, gameresult may be one apart, itemssold five per cent.
    compared = compare(bcstats(case), PLAN)
    differing = [(one.unit, one.variable) for one in compared if one.differs]
    assert {key for key in differing if key[1] == "gameresult"} == {("14", "gameresult")}
    assert {key for key in differing if key[1] == "itemssold"} == {
        ("2", "itemssold"),
        ("5", "itemssold"),
        ("12", "itemssold"),
    }
    by_variable = {one.name: one for one in rates(compared, "variable")}
    assert (by_variable["gameresult"].compared, by_variable["gameresult"].differ) == (7, 1)
    assert (by_variable["itemssold"].compared, by_variable["itemssold"].differ) == (7, 3)
    assert by_variable["itemssold"].low == pytest.approx(proportion_confint(3, 7, method="wilson")[0])
    teams = {one.name: (one.compared, one.differ) for one in rates(compared, "team", (2,))}
    assert teams == {"1": (3, 0), "2": (2, 0), "3": (2, 1)}
    (items,) = (one for one in paired(compared) if one.variable == "itemssold")
    first, second = [7, 3, 1, 3, 1, 3, 1], [10, 5, 1, 3, 1, 6, 1]
    assert items.pairs == 7
    assert items.mean == pytest.approx(8 / 7)
    assert items.t == pytest.approx(stats.ttest_rel(second, first).pvalue)
    assert items.signed_rank == pytest.approx(stats.wilcoxon(second, first).pvalue)


# -- comparing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "tolerance", "expected"),
    [
        ("Female", " female.", "", True),
        ("Đặng Hoà", "dang hoa", "", True),
        ("40", "41", "", False),
        ("40", "41", "1", True),
        ("100", "105", "5%", True),
        ("100", "106", "5%", False),
        ("-100", "-105", "5 %", True),
        (["a", "b"], ["b", "a"], "", True),
        (["a"], ["a", "b"], "", False),
        ({"missing": "dont_know"}, "4", "", False),
        ("4", "4.0", "", True),
    ],
)
def test_what_says_the_same(first: Any, second: Any, tolerance: str, expected: bool):
    assert same(first, second, tolerance) is expected


def test_what_the_back_check_did_not_get_is_not_compared():
    plan = Plan({"a": 1, "b": 2, "c": 3})
    pair = Pair("u1", "e", "c", {"a": "1", "b": "2"}, {"a": {"missing": "refused"}, "c": "3"})
    assert compare([pair], plan) == []


def test_what_people_say_of_the_first_visit():
    def visit(disposition: str, said: str) -> list[bool]:
        return [one.differs for one in visits([Pair("u", "e", "c", {}, {VISITED: said}, disposition)])]

    assert visit("1.1", INTERVIEWED) == [False]
    assert visit("1.1", NOBODY) == visit("1.1", CAME) == [True]
    assert visit("2.112", CAME) == [False]
    assert visit("2.112", NOBODY) == visit("2.112", INTERVIEWED) == [True]
    assert visit("2.24", NOBODY) == [False]
    assert visit("1.1", "unsure") == []


def test_the_interval_of_a_rate_knows_that_one_persons_answers_err_together():
    plan = Plan({f"q{n}": 1 for n in range(10)})

    def pairs(wrong: Callable[[int, int], bool]) -> list[Pair]:
        return [
            Pair(
                f"u{i}",
                "e",
                "c",
                {f"q{n}": "1" for n in range(10)},
                {f"q{n}": "2" if wrong(i, n) else "1" for n in range(10)},
            )
            for i in range(20)
        ]

    (apart,) = rates(compare(pairs(lambda i, n: (i + n) % 10 < 2), plan), "")
    (together,) = rates(compare(pairs(lambda i, n: i < 4), plan), "")
    assert (apart.rate, together.rate) == (0.2, 0.2)
    assert (apart.low, apart.high) == pytest.approx(proportion_confint(40, 200, method="wilson"))
    assert (together.low, together.high) == pytest.approx(proportion_confint(4, 20, method="wilson"), abs=0.01)
    assert wilson(0.0, 5)[0] == 0
    assert wilson(0.0, 5)[1] == pytest.approx(proportion_confint(0, 5, method="wilson")[1])


def test_questions_of_words_are_tested_by_mcnemar():
    plan = Plan({"q": 3})
    answers = [("yes", "no")] * 9 + [("no", "yes")] + [("yes", "yes")] * 10
    (found,) = paired(compare([Pair(str(n), "e", "c", {"q": a}, {"q": b}) for n, (a, b) in enumerate(answers)], plan))
    assert (found.pairs, found.t) == (20, None)
    assert found.mcnemar == pytest.approx(stats.binomtest(1, 10).pvalue)


def test_the_reliability_ratio_is_that_of_bcstats():
    first, second = [1, 2, 3, 4, 5, 3], [1, 3, 3, 4, 4, 3]
    pairs = [
        Pair(str(n), "e", "c", {"q": str(a)}, {"q": str(b)}) for n, (a, b) in enumerate(zip(first, second, strict=True))
    ]
    (found,) = paired(compare(pairs, Plan({"q": 3})))
    assert found.reliability == pytest.approx(1 - (0.4 / 2) / 1.2)


# -- the draw ----------------------------------------------------------------------------------------------------


def cases(count: int = 30) -> list[Case]:
    return [Case(f"{who}{n}", who, f"i{who}{n}", points=9 * (n < 5)) for who in "ab" for n in range(count)]


def test_each_enumerator_gives_the_share_and_the_least_and_later_draws_add():
    plan = Plan({"q": 1}, share=0.1, least=2, seed=4)
    found = draw(cases(), plan)
    assert [case.enumerator for case in found] == ["a"] * 3 + ["b"] * 3
    assert draw(cases(), plan) == found
    assert draw(reversed(cases()), plan) == found
    assert draw(cases(), Plan({"q": 1}, seed=5)) != found
    drawn = [case.unit for case in found]
    assert draw(cases(), plan, drawn) == []
    later = draw(cases(40), plan, drawn)
    assert sorted(case.enumerator for case in later) == ["a", "b"]
    assert not {case.unit for case in later} & set(drawn)
    assert len(draw(cases(1), plan)) == 2
    refusals = [Case(f"r{n}", "a") for n in range(20)]
    assert sum(not case.interview for case in draw([*cases(), *refusals], plan)) == 2


def test_interviews_with_signs_are_drawn_more_often_by_risk_and_evenly_otherwise():
    def flagged(by_risk: bool) -> int:
        return sum(
            case.points > 0
            for seed in range(200)
            for case in draw(cases(), Plan({"q": 1}, share=0.1, by_risk=by_risk, seed=seed))
        )

    # Five of thirty have ten times the weight: about two thirds of a draw, against a sixth.
    assert flagged(False) / 1200 == pytest.approx(5 / 30, abs=0.04)
    assert flagged(True) / 1200 > 0.55


@pytest.mark.parametrize(
    "wrong",
    [
        {"variables": {"q": 4}},
        {"variables": {"q": 1}, "tolerance": {"q": "viel"}},
        {"variables": {"q": 1}, "tolerance": {"other": "1"}},
        {"variables": {"q": 1}, "share": 1.5},
    ],
)
def test_a_plan_that_is_none_is_told(wrong: dict[str, Any]):
    with pytest.raises(Problems):
        Plan.of({"id": "r", "backcheck": wrong})


# -- the short form ----------------------------------------------------------------------------------------------


def test_the_short_form_asks_what_is_wanted_and_what_decides_about_it_and_holds_no_answer():
    form = field.small()
    short = Questionnaire.from_json(short_form(form, ["a/age"]).to_json())
    asked = {node.path for node in short.walk() if node.kind == "question"}
    assert VISITED in asked
    assert {"opening/consent", "a/age"} <= asked
    assert not asked & {"b/b1", "a/channels", "a/phone"}
    assert short.index == ()
    begun = forms.begin(short)
    assert [entry.path for entry in begun.entries if entry.asked] == [VISITED]
    nobody = forms.answered(begun, visited=NOBODY)
    assert [entry.path for entry in nobody.entries if entry.asked] == [VISITED]
    met = forms.answered(forms.answered(begun, visited=INTERVIEWED), consent="yes")
    assert "a/age" in [entry.path for entry in met.entries if entry.asked]


@pytest.mark.parametrize("instrument", ["sipas_2026", "papi_2023"])
def test_every_question_that_may_be_asked_again_makes_a_form_that_can_be_walked(instrument: str):
    from survey.questionnaire import xlsform
    from tests.outside import ROOT as TOP

    form = xlsform.load(TOP / "questionnaires" / instrument)
    paths = list(comparable(form))
    short = short_form(form, paths[:: len(paths) // 6])
    begun = forms.begin(Questionnaire.from_json(short.to_json()))
    begun = forms.answered(begun, visited=INTERVIEWED)
    assert not begun.trouble
    assert len([entry for entry in begun.entries if entry.asked]) > 1


# -- in the store ------------------------------------------------------------------------------------------------


@pytest.fixture
def office(hub: Store) -> Store:
    """A hub with six interviews of Hoa and six of Bình, and two people to check: Lan and an observer."""
    set_up(hub, {"k": 12, "m": 3})
    for user, roles, commune in (
        ("phoa", ["enumerator"], ""),
        ("plan", ["supervisor"], ""),
        ("pmai", ["observer"], "m"),
    ):
        person = {"id": user, "name": user, "roles": roles, "pin": "", **({"commune": commune} if commune else {})}
        frame.issue(hub, "user", user, person)
    with hub.transaction():
        for number in range(12):
            who = "phoa" if number < 6 else "pbinh"
            interview(hub, f"uk{number:03d}", answers([4] * 24, age=30 + number), actor=who)
    visit = {"id": "v1", "unit": "um000", "round": ROUND, "disposition": "2.112", "time": "2026-11-24T09:00:00+07:00"}
    frame.issue(hub, "visit", "v1", visit, actor="phoa")
    return hub


PLANNED = Plan({"age": 1, "b1": 3}, share=0.5, tolerance={"age": "1"})


def answer(store: Store, unit: str, said: str, given: dict[str, Any], actor: str) -> None:
    """A back-check of one unit, made as the pages make it."""
    document = frame.unit(store, unit) or {}
    round = frame.round_document(store, document["round"])
    content = frame.questionnaire(store, round["questionnaire_hash"])
    assert content is not None
    begun = forms.begin(Questionnaire.from_json(content))
    way = forms.answered(forms.answered(begun, visited=said), **(given if said == INTERVIEWED else {}))
    name = drafts.start(store, unit, round["questionnaire_hash"], actor)
    drafts.seal(store, name, *way.sealed, {}, actor)


def test_back_checks_are_a_round_of_their_own_that_never_enters_the_data(office: Store):
    own, found = draw_backchecks(office, ROUND, PLANNED, ["plan"])
    assert sorted(bool(case.interview) for case in found) == [False] + [True] * 6
    units = frame.units(office, own["id"])
    assert {unit["assignee"] for unit in units} == {"plan"}
    assert not {"probability", "interview"} & set(units[0])
    first = {unit["of_unit"]: unit["id"] for unit in units}
    for checked, unit in first.items():
        age = (current.content(office, f"i{checked}")["answers"]["a/age"]) if checked != "um000" else "0"
        said = NOBODY if checked == "um000" else INTERVIEWED
        answer(office, unit, said, {"age": str(int(age) + 2), "b1": "4"}, "plan")
    pairs = backcheck.pairs(office, own)
    compared = compare(pairs, Plan.of(own))
    assert {(one.variable, one.differs) for one in compared} == {("a/age", True), ("b/b1", False)}
    assert {(one.unit, one.disposition) for one in visits(pairs) if one.differs} == {("um000", "2.112")}
    assert backcheck.progress(office, own["id"]) == {"pbinh": (3, 3), "phoa": (4, 4)}
    assert len(list(current.responses(office, ROUND, ("sealed",)))) == 12
    assert not [one for one in current.findings(office) if one.kind == "twice"]
    again, more = draw_backchecks(office, ROUND, Plan.of(own), ["plan"])
    assert (again["id"], more) == (own["id"], [])


def test_nobody_checks_themselves_or_their_own_commune(office: Store):
    with pytest.raises(NotAllowed):
        draw_backchecks(office, ROUND, PLANNED, ["phoa"])
    with pytest.raises(NotAllowed):
        draw_backchecks(office, ROUND, PLANNED, ["pmai"])
    assert backcheck.round_of(office, ROUND) is None
    own, _ = draw_backchecks(office, ROUND, PLANNED, ["pmai", "plan"])
    assert {u["commune"]: u["assignee"] for u in frame.units(office, own["id"])}["m"] == "plan"


@pytest.mark.parametrize("variables", [{}, {"age": 1, "nothing": 2}, {"phone": 1}])
def test_what_cannot_be_asked_again_is_told(office: Store, variables: dict[str, int]):
    with pytest.raises((InputError, Problems)):
        draw_backchecks(office, ROUND, Plan(variables), ["plan"])
    with pytest.raises(InputError):
        draw_backchecks(office, ROUND, PLANNED, [])


def test_the_commands_draw_list_and_compare(survey: Survey, office: Store):
    def told(*arguments: object) -> Result:
        return survey("backcheck", *arguments, "--instance", office.folder)

    assert "no back-checks yet" in told("list").output
    drawn = told(
        "draw",
        "--question",
        "age=1",
        "--question",
        "b1=3",
        "--tolerance",
        "age=1",
        "--share",
        "0.5",
        "--to",
        "plan",
        "--json",
    )
    assert len(json.loads(drawn.output)["drawn"]) == 7
    for unit in frame.units(office, f"{ROUND}-pt"):
        if unit["of_unit"].startswith("uk00"):
            answer(
                office,
                unit["id"],
                NOBODY if unit["of_unit"] == "uk000" else INTERVIEWED,
                {"age": "99", "b1": "5"},
                "plan",
            )
    listed = json.loads(told("list", "--json").output)
    assert {row["state"] for row in listed["units"]} == {"sealed", ""}
    plain = told("compare")
    assert "type 1: cannot change" in plain.output
    said = json.loads(told("compare", "--by", "variable", "--json").output)
    assert {one["name"]: one["rate"] for one in said["rates"]["1"]} == {"a/age": 1.0}
    assert said["backchecks"] == sum(row["state"] == "sealed" for row in listed["units"])
    assert told("draw", "--question", "age=7", "--to", "plan").exit_code == 2
    assert told("draw", "--question", "age", "--to", "plan").exit_code == 2
    assert told("draw", "--to", "nobody").exit_code == 2
    assert survey("quality", "--instance", office.folder).exit_code in (0, 1)
