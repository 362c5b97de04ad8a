"""Two versions put together without a person: only when they changed different questions and every check passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey.questionnaire.path import Context, open_path
from survey.store import Store, current, derived, drafts, feed, verify
from survey.sync import exchange
from tests import field, laptops
from tests.field import HOA, sealed
from tests.laptops import stores


def corrected(store: Store, interview: str, kind: str = "corrected", **changes: str) -> None:
    """Takes the interview up and seals it with other answers."""
    drafts.take_over(store, interview, HOA)
    answers = {**drafts.answers(store, interview), **{path.replace("__", "/"): v for path, v in changes.items()}}
    way = open_path(field.small(), answers, Context(frame={"commune": "03646"}, interview=interview))
    drafts.seal(store, interview, *way.sealed, {}, HOA, kind)


def torn(
    tmp_path: Path, device: Store, hub: Store, left: dict[str, str], right: dict[str, str]
) -> tuple[str, exchange.Report]:
    """Two laptops correct one interview without knowing of each other; both hand over by stick."""
    field.set_up(hub, field.small())
    exchange.export(hub, tmp_path / "stick")
    exchange.sync(device, [tmp_path / "stick"])
    interview = sealed(device, "u1", field.small())
    with stores(laptops.clone(device, tmp_path / "clone")) as (second,):
        second.new_epoch()
        corrected(device, interview, **left)
        corrected(second, interview, **right)
        exchange.export(device, tmp_path / "stick")
        exchange.export(second, tmp_path / "stick")
    return interview, exchange.sync(hub, [tmp_path / "stick"])


def test_different_questions_are_combined_and_the_result_is_unreviewed(tmp_path: Path, device: Store, hub: Store):
    interview, report = torn(tmp_path, device, hub, {"a__age": "48"}, {"b__b1": "2"})
    row = current.interviews(hub, interview=interview)[0]
    assert (row["state"], row["kind"]) == ("sealed", "combined")
    content = current.content(hub, interview)
    assert (content["answers"]["a/age"], content["answers"]["b/b1"]) == ("48", "2")
    assert report.conflicts == []
    header = feed.header(hub, row["head"])
    assert header is not None
    assert len(header.parents) == 2
    # Both versions are still there, and the rebuild says the same.
    assert [current.content(hub, interview, head)["answers"]["a/age"] for head in header.parents].count("48") == 1
    assert derived.differences(hub) == []
    assert verify.verify(hub).problems == []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a__age": "48"}, {"a__age": "49"}),
        ({"a__age": "48", "b__b1": "2"}, {"a__age": "49"}),
    ],
)
def test_the_same_question_waits_for_a_person(
    tmp_path: Path, device: Store, hub: Store, left: dict[str, str], right: dict[str, str]
):
    interview, report = torn(tmp_path, device, hub, left, right)
    assert current.interviews(hub, interview=interview)[0]["state"] == "conflict"
    assert report.conflicts == [interview]


def test_a_combination_that_fails_a_check_waits_for_a_person(tmp_path: Path, device: Store, hub: Store):
    # Nobody under 18 is asked: a combination with such an age needs somebody to look at it.
    interview, _ = torn(tmp_path, device, hub, {"a__age": "17"}, {"b__b1": "2"})
    assert current.interviews(hub, interview=interview)[0]["state"] == "conflict"


def test_without_the_questionnaire_nothing_is_combined(tmp_path: Path, device: Store, hub: Store):
    made = laptops.interview(device)
    with stores(laptops.clone(device, tmp_path / "clone")) as (second,):
        second.new_epoch()
        laptops.correct(device, made, {"q1": "1", "q2": "5"})
        laptops.correct(second, made, {"q1": "4", "q2": "1"})
        for store in (device, second):
            exchange.export(store, tmp_path / "stick")
    exchange.sync(hub, [tmp_path / "stick"])
    assert current.interviews(hub, interview=made)[0]["state"] == "conflict"
