"""``survey user``: who may sign in."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from survey.errors import NotAllowed
from survey.store import Store, frame

Survey = Callable[..., Result]


def add(survey: Survey, *more: str) -> Result:
    return survey("user", "add", "--name", "Lò Thị Hoa", "--role", "enumerator", *more)


def test_a_person_who_was_added_signs_in_until_disabled(survey: Survey, device: Store):
    user = json.loads(add(survey, "--pin", "4711", "--json").stdout)["id"]
    assert frame.sign_in(device, user, "4711")["name"] == "Lò Thị Hoa"
    assert survey("user", "disable", user).exit_code == 0
    with pytest.raises(NotAllowed):
        frame.sign_in(device, user, "4711")


def test_the_pin_is_asked_for_twice_when_it_is_not_given(survey: Survey, device: Store):
    result = survey(
        "user", "add", "--name", "A", "--role", "supervisor", "--id", "pa", input="2468\n8642\n2468\n2468\n"
    )
    assert result.exit_code == 0
    assert "The two differ" in result.stderr
    assert frame.sign_in(device, "pa", "2468")["roles"] == ["supervisor"]
    assert "2468" not in result.output


def test_the_list_shows_roles_and_state_and_never_a_pin(survey: Survey, device: Store):
    add(survey, "--id", "phoa", "--pin", "4711")
    survey("user", "disable", "phoa")
    (person,) = json.loads(survey("user", "list", "--json").stdout)
    assert person == {"id": "phoa", "name": "Lò Thị Hoa", "roles": ["enumerator"], "language": "vi", "disabled": True}
    shown = survey("user", "list", "--lang", "vi").stdout
    assert "điều tra viên" in shown
    assert "đã ngừng" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pin", "12"], "--pin: a PIN has 4 to 12 digits"),
        (["--pin", "١٢٣٤"], "--pin: a PIN has 4 to 12 digits"),
        (["--pin", "4711", "--id", "7"], "user 7: an id begins with a letter"),
        (["--pin", "4711", "--id", "phoa"], "--id phoa: there is a person with this id"),
    ],
)
def test_what_cannot_be_added_is_told_and_nothing_is_written(
    survey: Survey, device: Store, arguments: list[str], message: str
):
    add(survey, "--id", "phoa", "--pin", "1111")
    result = add(survey, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert [person["id"] for person in frame.people(device)] == ["phoa"]


def test_disabling_someone_unknown_is_an_error(survey: Survey, device: Store):
    assert survey("user", "disable", "pnobody").exit_code == 2


def test_a_person_who_forgot_the_pin_gets_a_new_one_and_the_old_one_ends(survey: Survey, device: Store):
    add(survey, "--id", "phoa", "--pin", "4711")
    assert survey("user", "pin", "phoa", input="2468\n2468\n").exit_code == 0
    assert frame.sign_in(device, "phoa", "2468")["roles"] == ["enumerator"]
    with pytest.raises(NotAllowed):
        frame.sign_in(device, "phoa", "4711")


@pytest.mark.parametrize(("user", "pin"), [("pnobody", "2468"), ("phoa", "12")])
def test_a_new_pin_for_nobody_or_a_short_one_changes_nothing(survey: Survey, device: Store, user: str, pin: str):
    add(survey, "--id", "phoa", "--pin", "4711")
    assert survey("user", "pin", user, "--pin", pin).exit_code == 2
    assert frame.sign_in(device, "phoa", "4711")["name"] == "Lò Thị Hoa"
