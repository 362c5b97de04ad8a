"""The data set: interviews of a store as columns, missing answers typed, contact data never there."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from analysis import dataset, score
from analysis.table import text_of
from survey.cli import cli
from survey.errors import InputError
from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.store import Store, current, drafts, fieldlog, frame

ROUND = "r2026"
SCALE = (Choice("1"), Choice("4"), Choice("5"), Choice("9", missing_kind="dont_know"))
CHANNELS = (Choice("web"), Choice("phone"), Choice("desk"))


def question(path, type_="select_one", list_name="", **more):
    return Node("question", path.rpartition("/")[2], path, type_, list_name=list_name, **more)


def form(version, *extra):
    return Questionnaire(
        "form",
        version,
        nodes=(
            question("commune", "hidden"),
            Node(
                "group",
                "a",
                "a",
                children=(
                    question("a/sat", list_name="scale", missing=("refused",)),
                    question("a/channel", "select_multiple", "channels"),
                    question("a/minutes", "integer", missing_codes={"888": "dont_know"}),
                    question("a/phone", "text", contact=True),
                    *extra,
                ),
            ),
            Node("repeat", "hh", "hh", children=(question("hh/age", "integer"), question("hh/name", "text"))),
        ),
        lists={"scale": SCALE, "channels": CHANNELS},
        index=(
            {"code": "T", "combine": "pooled", "if_missing": "rest"},
            {"code": "SAT", "parent": "T", "question": "sat", "score": "4 5", "refused": "zero"},
            {"code": "WEB", "parent": "T", "question": "channel", "score": "any web"},
        ),
    )


FIRST, SECOND = form("1"), form("2", question("a/new", list_name="scale"))
ANSWERS = (
    (FIRST, {"a/sat": "4", "a/channel": ["web", "desk"], "a/minutes": "12", "commune": "01"}, "approved"),
    (FIRST, {"a/sat": {"missing": "refused"}, "a/channel": ["phone"], "a/minutes": "888"}, "approved"),
    (SECOND, {"a/sat": "9", "a/new": "5", "hh": ["r1", "r2"], "hh[r1]/age": "40", "hh[r2]/age": "7"}, "approved"),
    (SECOND, {"a/sat": "1", "hh": [], "a/channel": {"missing": "dont_know"}}, "sealed"),
)


@pytest.fixture
def store(tmp_path):
    with Store.create(tmp_path / "instance", role="hub") as store:
        for questionnaire in (FIRST, SECOND):
            frame.issue(store, "questionnaire", questionnaire.hash, questionnaire.to_json())
        frame.issue(store, "round", ROUND, {"id": ROUND, "questionnaire_hash": SECOND.hash, "index": "form"})
        for number, (questionnaire, answers, state) in enumerate(ANSWERS, 1):
            unit = {
                "id": f"u{number}",
                "round": ROUND,
                "list": "main",
                "commune": "01" if number < 3 else "02",
                "stratum": "rural",
                "psu": f"v{number}",
                "probability": str(0.5 / number),
                "certain": "0",
            }
            frame.issue(store, "unit", f"u{number}", unit, {"name": "Lò Thị Hoa", "phone": "0912 345 678"})
            interview = drafts.start(store, f"u{number}", questionnaire.hash, "phoa")
            contact = {"a/phone": "0912 345 678"}
            drafts.seal(store, interview, answers, {"a/off": "1"}, contact, {}, "phoa")
            if state == "approved":
                current.decide(store, interview, "approved", actor="plan")
        yield store


def rows(table):
    """Rows by sample unit, empty cells left out."""
    columns = {name: table.arrow.column(name).to_pylist() for name in table.names}
    found = [{name: text_of(column[k]) for name, column in columns.items()} for k in range(len(table))]
    return [{name: cell for name, cell in row.items() if cell} for row in found]


def by_unit(data):
    return {row["unit"]: row for row in rows(data.table)}


def test_an_interview_is_a_row_with_the_columns_of_its_sample_unit(store):
    first = by_unit(dataset.load(store, ROUND))["u1"]
    assert (first["commune"], first["stratum"], first["psu"], first["w_base"]) == ("01", "rural", "v1", "2.0")
    assert (first["round"], first["state"], first["actor"]) == (ROUND, "approved", "phoa")


def test_only_approved_interviews_count_unless_sealed_ones_are_asked_for(store):
    approved, sealed = dataset.load(store, ROUND), dataset.load(store, ROUND, ("approved", "sealed"))
    assert (len(approved.table), approved.provisional) == (3, False)
    assert (len(sealed.table), sealed.provisional) == (4, True)


def test_missing_answers_leave_the_column_empty_and_name_their_kind(store):
    found = by_unit(dataset.load(store, ROUND, ("approved", "sealed")))
    assert ("sat" in found["u2"], found["u2"]["sat__missing"]) == (False, "refused")
    assert ("channel" in found["u4"], found["u4"]["channel__missing"]) == (False, "dont_know")


def test_an_imported_form_s_own_codes_are_typed(store):
    found = by_unit(dataset.load(store, ROUND))
    assert ("sat" in found["u3"], found["u3"]["sat__missing"]) == (False, "dont_know")
    assert ("minutes" in found["u2"], found["u2"]["minutes__missing"]) == (False, "dont_know")
    assert found["u1"]["minutes"] == "12"


def test_a_select_multiple_has_its_text_and_a_column_for_each_choice(store):
    first = by_unit(dataset.load(store, ROUND))["u1"]
    assert first["channel"] == "web desk"
    assert [first[f"channel/{name}"] for name in ("web", "phone", "desk")] == ["1", "0", "1"]


def test_versions_are_merged_by_the_path_of_the_question(store):
    data = dataset.load(store, ROUND)
    assert by_unit(data)["u3"]["new"] == "5"
    assert "new" not in by_unit(data)["u1"]
    assert len(data.questionnaires) == 2
    assert data.questions["sat"].path == "a/sat"


def test_a_repeat_is_a_number_and_a_table_of_its_own(store):
    data = dataset.load(store, ROUND)
    third = by_unit(data)["u3"]
    assert third["hh"] == "2"
    members = rows(data.children["hh"])
    assert [(member["interview"], member["hh"], member["age"]) for member in members] == [
        (third["interview"], "r1", "40"),
        (third["interview"], "r2", "7"),
    ]


def test_contact_data_and_answers_off_the_path_are_nowhere(store):
    data = dataset.load(store, ROUND, ("approved", "sealed"))
    assert not {"phone", "name", "a/off", "off"} & set(data.table.names)
    assert "0912 345 678" not in str(rows(data.table))


def test_the_frame_declares_the_design(store):
    design = dataset.load(store, ROUND).design
    assert (design.weight, design.strata, design.psu, design.certainty) == ("w_base", ("stratum",), ("psu",), "")


@pytest.mark.parametrize("column", ["stratum", "psu", "probability", "certain"])
def test_a_design_column_that_one_unit_lacks_is_an_error_that_names_the_unit_and_never_another_design(store, column):
    unit = {**frame.unit(store, "u2"), column: ""}
    frame.issue(store, "unit", "u2", unit, {"name": "Lò Thị Hoa"})
    with pytest.raises(InputError, match="1 interview is blank here: u2"):
        _ = dataset.load(store, ROUND).design


def test_a_design_column_that_no_unit_has_is_no_part_of_the_design(store):
    for number in range(1, 5):
        unit = {**frame.unit(store, f"u{number}"), "stratum": ""}
        frame.issue(store, "unit", f"u{number}", unit, {"name": "Lò Thị Hoa"})
    assert dataset.load(store, ROUND).design.strata == ()


def test_a_round_without_interviews_says_what_to_do(store):
    frame.issue(store, "round", "r2027", {"id": "r2027", "questionnaire_hash": FIRST.hash})
    with pytest.raises(InputError, match=r"round r2027: no interview is approved; approve interviews first"):
        dataset.load(store, "r2027")
    with pytest.raises(InputError, match="there is no such round"):
        dataset.load(store, "r1999")


def test_the_round_s_own_index_scores_its_interviews(store):
    data = dataset.load(store, ROUND, ("approved", "sealed"))
    table = score(data.table, data.index, data.design, provisional=data.provisional).table.set_index("code")
    weights = [2.0, 4.0, 6.0, 8.0]
    # u1 satisfied, u2 refused (counted as not), u3 don't know (out), u4 not satisfied.
    assert table.loc["SAT", "estimate"] == pytest.approx(weights[0] / (weights[0] + weights[1] + weights[3]))
    assert table.loc["WEB", "estimate"] == pytest.approx(weights[0] / (weights[0] + weights[1]))
    assert (table.loc["SAT", "n"], table.loc["WEB", "n"]) == (3, 2)


def run(store, *arguments):
    result = CliRunner().invoke(cli, ["score", "--instance", str(store.folder), *arguments], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_the_command_scores_a_round_and_marks_provisional_figures_everywhere(store):
    _, printed, _ = run(store, "--round", ROUND, "--state", "sealed", "--by", "commune")
    figures = [line for line in printed.splitlines() if "unweighted" in line or "SAT" in line]
    assert "provisional" in printed.splitlines()[0]
    assert all("provisional" in line for line in figures[1:])
    code, out, _ = run(store, "--round", ROUND, "--state", "sealed", "--json")
    assert json.loads(out)["provisional"] is True
    found = json.loads(out)["scores"]
    assert code == 0
    assert {row["round"] for row in found} == {ROUND}
    assert all("provisional" in row["note"] for row in found)


def test_a_sample_without_probabilities_is_scored_unweighted_and_says_so(store):
    for unit in frame.units(store, ROUND):
        frame.issue(store, "unit", unit["id"], {name: cell for name, cell in unit.items() if name != "probability"})
    assert "all interviews count the same" in run(store, "--round", ROUND)[1].splitlines()[0]


def test_approved_scores_say_nothing_of_the_kind(store):
    found = json.loads(run(store, "--round", ROUND, "--json")[1])
    assert found["provisional"] is False
    assert "provisional" not in str(found["scores"]) + str(found["notes"])


# -- facts of fieldwork -------------------------------------------------------------------------------------------


def changed_round(store, **more):
    """The round with more keys in its document."""
    frame.issue(store, "round", ROUND, {**frame.round_document(store, ROUND), **more})


def listed(store, unit, count, method="next_birthday"):
    """Notes a list of ``count`` adults of a household and the choice among them."""
    changed_round(store, respondent={"method": method, "age": 18})
    body = {"adults": str(count), "probability": repr(1 / count), "list": "1", "method": method}
    fieldlog.write(store, fieldlog.SELECTION, body, round=ROUND, unit=unit)


def test_the_chance_within_the_household_is_in_the_base_weight(store):
    for number, count in ((1, 2), (2, 3), (3, 5), (4, 1)):
        listed(store, f"u{number}", count)
    table = dataset.load(store, ROUND).table
    assert table.numbers("w_base").tolist() == pytest.approx([2 * 2, 4 * 3, 6 * 5])
    assert table.numbers("respondent_adults").tolist() == [2, 3, 5]
    sample = dataset.load_sample(store, ROUND).table
    weights = dict(zip((row["unit"] for row in rows(sample)), sample.numbers("w_base"), strict=True))
    assert weights["u4"] == pytest.approx(8), "chosen there, not approved yet"


def test_a_household_where_nobody_was_chosen_stands_for_as_many_as_the_others_do(store):
    for number, count in ((1, 2), (2, 3), (3, 4)):
        listed(store, f"u{number}", count)
    sample = dataset.load_sample(store, ROUND).table
    weights = dict(zip((row["unit"] for row in rows(sample)), sample.numbers("w_base"), strict=True))
    assert weights["u4"] == pytest.approx(8 * 3)


def test_an_interview_whose_choice_was_not_noted_is_named(store):
    listed(store, "u1", 2)
    with pytest.raises(InputError, match=r"column w_base: 2 interviews are blank here: u2, u3"):
        score(dataset.load(store, ROUND).table, "papi_2023", dataset.load(store, ROUND).design)


def test_persons_weigh_as_many_cases_as_they_had_where_the_round_counts_cases(store):
    for number, cases in ((1, "3"), (2, "1"), (3, "4")):
        unit = {**frame.unit(store, f"u{number}"), "cases": cases}
        frame.issue(store, "unit", f"u{number}", unit)
    assert dataset.load(store, ROUND).table.numbers("w_base").tolist() == pytest.approx([2, 4, 6])
    changed_round(store, count_by="case")
    assert dataset.load(store, ROUND).table.numbers("w_base").tolist() == pytest.approx([2 * 3, 4, 6 * 4])


def test_who_replaces_whom_and_places_of_today_are_columns(store):
    fieldlog.write(store, fieldlog.REPLACEMENT, {"replaces": "u9"}, round=ROUND, unit="u2")
    change = {"level": "commune", "old": "01", "new": "07", "name": "xã Mường Bú", "date": "2026-07-01"}
    changed_round(store, places=[change, {**change, "old": "02", "name": "sau này", "date": "2999-01-01"}])
    found = {row["unit"]: row for row in rows(dataset.load(store, ROUND).table)}
    assert [found[unit].get("replaces", "") for unit in ("u1", "u2", "u3")] == ["", "u9", ""]
    assert (found["u1"]["commune"], found["u1"]["commune_now"]) == ("01", "07")
    assert found["u1"]["commune_now_name"] == "xã Mường Bú"
    assert found["u3"].get("commune_now", "") == "", "a change that is not in force yet"
