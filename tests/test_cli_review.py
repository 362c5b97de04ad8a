"""``survey review``: decisions from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from survey.store import Store, current, frame
from survey.store.merge import unite
from tests.laptops import correct, interview, keys, records

Survey = Callable[..., Result]


def state(store: Store, interview: str) -> str:
    (row,) = current.interviews(store, interview=interview)
    return row["state"]


@pytest.fixture
def two_versions(device: Store, tmp_path: Path) -> str:
    """An interview that this machine and another corrected differently."""
    with Store.create(tmp_path / "other", "hub") as other:
        id = interview(device, "u1", {"q1": "3", "q2": "3"})
        unite(other, records(device), "", keys(device))
        correct(other, id, {"q1": "3", "q2": {"missing": "refused"}})
        correct(device, id, {"q1": "3", "q2": "5"})
        unite(device, records(other), "", keys(other))
    return id


def test_approve_return_and_void(survey: Survey, device: Store):
    first, second, third = (interview(device, f"u{n}") for n in range(3))
    assert survey("review", "approve", first).exit_code == 0
    assert survey("review", "return", second, "--reason", "Hỏi lại tuổi", "--question", "q1").exit_code == 0
    assert survey("review", "void", third, "--reason", "Nhầm hộ").exit_code == 0
    assert [state(device, id) for id in (first, second, third)] == ["approved", "returned", "voided"]
    (decision,) = current.decisions(device, second)
    assert decision["reason"] == "Hỏi lại tuổi"


def test_a_return_needs_a_reason(survey: Survey, device: Store):
    id = interview(device)
    result = survey("review", "return", id)
    assert result.exit_code == 2
    assert "--reason is missing" in result.stderr
    assert state(device, id) == "sealed"


def test_approving_all_leaves_what_was_decided_and_what_shares_a_unit(survey: Survey, device: Store):
    good, returned, twin, other_twin = (interview(device, unit) for unit in ("u1", "u2", "u3", "u3"))
    survey("review", "return", returned, "--reason", "Hỏi lại tuổi")
    result = survey("review", "approve", "--all", "--json")
    assert json.loads(result.stdout) == {"approved": [good], "left": 2}
    assert result.exit_code == 1
    assert [state(device, id) for id in (good, returned, twin, other_twin)] == [
        "approved",
        "returned",
        "sealed",
        "sealed",
    ]


def test_the_decision_bears_the_name_of_who_took_it(survey: Survey, device: Store):
    frame.issue(device, "user", "plan", {"id": "plan", "name": "Lan", "roles": ["supervisor"]})
    id = interview(device)
    assert survey("review", "approve", id, "--as", "pnobody").exit_code == 2
    assert survey("review", "approve", id, "--as", "plan").exit_code == 0
    (decision,) = current.decisions(device, id)
    assert decision["actor"] == "plan"


def test_the_list_says_what_needs_a_person_and_leaves_with_1(survey: Survey, device: Store, two_versions: str):
    listed = survey("review", "list", "--json")
    assert listed.exit_code == 1
    body = json.loads(listed.stdout)
    assert [(row["interview"], row["state"]) for row in body["interviews"]] == [(two_versions, "conflict")]
    assert "conflict" in [finding["kind"] for finding in body["findings"]]
    shown = survey("review", "list", "--lang", "vi").stdout
    assert "hai bản khác nhau" in shown
    assert f"interview {two_versions}: có 2 bản khác nhau" in shown


def test_a_conflict_shows_only_what_differs_and_ends_with_a_choice(survey: Survey, device: Store, two_versions: str):
    shown = survey("review", "settle", two_versions, "--json")
    assert shown.exit_code == 1
    body = json.loads(shown.stdout)
    assert list(body["differing"]) == ["q2"]
    heads = {json.dumps(value): head for head, value in body["differing"]["q2"].items()}
    table = survey("review", "settle", two_versions).stdout
    assert "(refused)" in table
    assert "q1" not in table
    chosen = heads['"5"']
    arguments = ("--choose", chosen.removeprefix("sha256:")[:12], "--reason", "Bản sau đầy đủ hơn")
    assert survey("review", "settle", two_versions, *arguments).exit_code == 0
    assert state(device, two_versions) == "sealed"
    assert current.content(device, two_versions)["answers"] == {"q1": "3", "q2": "5"}


def test_a_choice_that_names_no_version_changes_nothing(survey: Survey, device: Store, two_versions: str):
    result = survey("review", "settle", two_versions, "--choose", "zz")
    assert result.exit_code == 2
    assert "does not name one version of this interview" in result.stderr
    assert state(device, two_versions) == "conflict"


def test_an_unknown_interview_is_an_error(survey: Survey, device: Store):
    for arguments in (["approve", "x"], ["void", "x", "--reason", "r"], ["settle", "x", "--choose", "a"]):
        assert survey("review", *arguments).exit_code == 2
    assert survey("review", "approve").exit_code == 2


def test_approving_all_of_a_round_that_is_not_here_is_told(survey: Survey, device: Store):
    result = survey("review", "approve", "--all", "--round", "nope")
    assert result.exit_code == 2
    assert "round nope: there is no such round" in result.stderr
