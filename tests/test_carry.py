"""A draft carried to another version of its questionnaire: what goes along, what is put aside."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from survey.errors import InputError, NotAllowed
from survey.questionnaire.aside import aside
from survey.questionnaire.carry import Carried, carry
from survey.questionnaire.model import Answers, Questionnaire
from survey.questionnaire.path import Context, open_path
from survey.store import Store, current, drafts, feed, frame
from survey.store.carrying import carry_draft
from tests.forms import NOW, form

Survey = Callable[..., Result]

SHEET = """
    type               | name  | label   | missing           | contact
    integer            | age   | Age?    | refused dont_know |
    select_one scale   | happy | Happy?  | refused           |
    select_multiple by | how   | How?    |                   |
    text               | phone | Phone?  |                   | yes
    begin_repeat       | hh    | Person  |                   |
    text               | first | Name?   |                   |
    end_repeat         |       |         |                   |
"""
CHOICES = """
    list_name | name | label
    scale     | 1    | Bad
    scale     | 2    | Good
    by        | a    | By foot
    by        | b    | By bus
"""
ANSWERS: Answers = {
    "age": "40",
    "happy": "2",
    "how": ["a", "b"],
    "phone": "0912345678",
    "hh": ["r1", "r2"],
    "hh[r1]/first": "Hoa",
    "hh[r2]/first": "Lan",
}
OLD = form(SHEET, choices=CHOICES)


def version(*changes: tuple[str, str]) -> Questionnaire:
    """The questionnaire after these replacements in its sheets, each of which must replace something."""
    survey, choices = SHEET, CHOICES
    for before, after in changes:
        assert before in survey + choices, before
        survey, choices = survey.replace(before, after), choices.replace(before, after)
    return form(survey, choices=choices)


def carried(*changes: tuple[str, str], answers: Answers = ANSWERS) -> Carried:
    return carry(OLD, version(*changes), answers)


def reasons(found: Carried) -> dict[str, str]:
    return {one.path: one.reason.en for one in found.dropped}


# -- the pure function ---------------------------------------------------------------------------------------------


def test_new_words_and_new_questions_leave_every_answer_where_it_was():
    found = carried(("Happy?", "How happy?"), ("    integer ", "    text | new | New? | |\n    integer "))
    assert found == Carried(ANSWERS, (), (), {})


def test_an_answer_to_a_question_that_is_gone_is_put_aside_under_the_version_that_asked_it():
    found = carried(("    integer            | age   | Age?    | refused dont_know |\n", ""))
    assert reasons(found) == {"age": "the new version has no such question"}
    assert found.answers == {**{k: v for k, v in ANSWERS.items() if k != "age"}, aside(OLD.hash, "age"): "40"}


def test_a_question_in_another_group_is_found_by_its_name_and_instances_keep_their_ids():
    found = carried(
        ("begin_repeat       | hh    | Person  |", "begin_group | g | G | |\n    begin_repeat | hh | P |"),
        ("end_repeat         |       |         |                   |", "end_repeat | | | |\n end_group | | | |"),
    )
    assert {k: v for k, v in found.answers.items() if "hh" in k} == {
        "g/hh": ["r1", "r2"],
        "g/hh[r1]/first": "Hoa",
        "g/hh[r2]/first": "Lan",
    }
    assert ("hh[r1]/first", "g/hh[r1]/first") in found.moved
    assert found.dropped == ()


def test_answers_of_people_do_not_move_out_of_their_repeat():
    found = carried(("begin_repeat", "begin_group "), ("end_repeat", "end_group "))
    assert set(reasons(found)) == {"hh", "hh[r1]/first", "hh[r2]/first"}
    assert found.answers[aside(OLD.hash, "hh[r2]/first")] == "Lan"


@pytest.mark.parametrize(
    ("before", "after", "value", "reason"),
    [
        ("integer            | age", "text | age", "40", "the type was “integer”, is “text”"),
        ("refused dont_know", "refused", {"missing": "dont_know"}, "the new version does not offer this box"),
    ],
)
def test_another_type_or_a_box_that_is_gone(before: str, after: str, value: str, reason: str):
    found = carried((before, after), answers={"age": value})
    assert found.answers == {aside(OLD.hash, "age"): value}
    assert reasons(found) == {"age": reason}


def test_a_whole_number_is_a_decimal_too_and_what_paper_said_stays():
    assert carried(("integer ", "decimal "), answers={"age": "40"}).answers == {"age": "40"}
    assert carried(("refused dont_know", ""), answers={"age": {"missing": "multiple"}}).dropped == ()


def test_a_choice_that_is_gone_takes_a_single_answer_with_it_and_leaves_the_others_of_several():
    gone = carried(("    scale     | 2    | Good\n", ""), ("    by        | b    | By bus\n", ""))
    assert reasons(gone) == {"happy": "the choice 2 is gone", "how": "the choice b is gone"}
    assert gone.answers["how"] == ["a"]
    assert gone.answers[aside(OLD.hash, "how")] == ["a", "b"]
    assert "happy" not in gone.answers


def test_a_code_that_means_something_else_now_is_not_taken():
    found = carried(("| 1    | Bad", "| 1    | Good"), ("| 2    | Good", "| 2    | Bad"))
    assert reasons(found) == {"happy": "the code 2 has another meaning now"}


def test_carried_there_and_back_a_draft_is_what_it_was():
    new = version(
        ("    scale     | 2    | Good\n", ""),
        ("    by        | b    | By bus\n", ""),
        ("begin_repeat", "begin_group "),
        ("end_repeat", "end_group "),
    )
    there = carry(OLD, new, ANSWERS)
    assert len(there.dropped) == 5
    assert carry(new, OLD, there.answers).answers == ANSWERS


def test_a_newer_answer_is_not_replaced_by_the_one_put_aside():
    new = version(("    scale     | 2    | Good\n", ""))
    there = carry(OLD, new, ANSWERS).answers
    assert carry(new, OLD, {**there, "happy": "1"}).answers["happy"] == "1"


VERSIONS = [
    OLD,
    version(("integer ", "decimal "), ("    scale     | 2    | Good\n", "")),
    version(("begin_repeat", "begin_group "), ("end_repeat", "end_group "), ("refused dont_know", "")),
    version(
        ("    text               | phone | Phone?  |                   | yes\n", ""), ("| 1    | Bad", "| 3 | Bad")
    ),
]


@given(st.lists(st.sampled_from(VERSIONS), max_size=6))
def test_whatever_the_way_every_answer_is_somewhere(way: list[Questionnaire]):
    at, answers = OLD, ANSWERS
    for new in way:
        answers = carry(at, new, answers).answers
        at = new
    values = [json.dumps(value) for value in answers.values()]
    for value in ANSWERS.values():
        assert json.dumps(value) in values
    # No question of the present version reads what was put aside.
    path = open_path(at, answers, Context(now=NOW))
    assert not any("sha256:" in path for path in (*path.values, *path.off_path))


# -- the store -----------------------------------------------------------------------------------------------------

NEW = version(
    ("    integer            | age   | Age?    | refused dont_know |\n", ""),
    ("    text               | phone | Phone?  |                   | yes\n", ""),
)


@pytest.fixture
def draft(device: Store) -> str:
    """A draft under the old version on a device that has both."""
    for one in (OLD, NEW):
        frame.issue(device, "questionnaire", one.hash, one.to_json())
    interview = drafts.start(device, "u1", OLD.hash, "phoa", now=NOW)
    drafts.save(device, interview, ANSWERS, now=NOW)
    return interview


def test_a_draft_goes_on_under_the_new_version_and_keeps_every_answer(device: Store, draft: str):
    token = drafts.lease(device, draft)
    changes = drafts.draft(device, draft)["changes"]  # type: ignore[index]
    found = carry_draft(device, draft, NEW.hash, now=NOW)
    row = drafts.draft(device, draft)
    assert row is not None
    assert row["questionnaire_hash"] == NEW.hash
    assert row["changes"] > changes
    assert drafts.answers(device, draft) == found.answers
    assert found.answers[aside(OLD.hash, "age")] == "40"
    with pytest.raises(NotAllowed):
        drafts.save(device, draft, {"happy": "1"}, token=token)


def test_what_was_put_aside_is_sealed_off_the_path_and_a_phone_number_among_the_contacts(device: Store, draft: str):
    carry_draft(device, draft, NEW.hash, now=NOW)
    (partial,) = drafts.partials(device, now=NOW)
    assert "0912345678" not in json.dumps(feed.part_json(device, partial, "answers"))
    answers = drafts.answers(device, draft)
    path = open_path(NEW, answers, Context(now=NOW))
    drafts.seal(device, draft, *path.sealed, {}, "phoa", now=NOW)
    content = current.content(device, draft)
    assert content["off_path"] == {aside(OLD.hash, "age"): "40"}
    assert content["contact"] == {aside(OLD.hash, "phone"): "0912345678"}
    assert "0912345678" not in json.dumps([content["answers"], content["off_path"], content["paradata"]])
    assert not any("sha256" in path for path in content["answers"])


def test_a_sealed_interview_taken_up_again_still_has_what_was_put_aside(device: Store, draft: str):
    carry_draft(device, draft, NEW.hash, now=NOW)
    path = open_path(NEW, drafts.answers(device, draft), Context(now=NOW))
    drafts.seal(device, draft, *path.sealed, {}, "phoa", now=NOW)
    drafts.take_over(device, draft, "phoa", now=NOW)
    back = carry_draft(device, draft, OLD.hash, now=NOW)
    assert back.answers.items() >= ANSWERS.items()


def test_a_version_that_is_not_here_changes_nothing(device: Store, draft: str):
    with pytest.raises(InputError, match="no questionnaire with this hash"):
        carry_draft(device, draft, "sha256:" + "0" * 64)
    with pytest.raises(InputError, match="no such draft"):
        carry_draft(device, "nobody", NEW.hash)
    assert drafts.answers(device, draft) == ANSWERS
    assert drafts.draft(device, draft)["questionnaire_hash"] == OLD.hash  # type: ignore[index]


def test_the_command_says_what_moved_and_what_did_not_and_no_answer(survey: Survey, device: Store, draft: str):
    result = survey("questionnaire", "carry", draft, "--to", NEW.hash[:20])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{draft}: 5 answers carried, 2 put aside",
        "  age: the new version has no such question",
        "  phone: the new version has no such question",
    ]
    again = survey("questionnaire", "carry", draft, "--to", NEW.hash, "--json")
    assert (again.exit_code, json.loads(again.stdout)["dropped"]) == (0, [])
