"""``survey paper``: the round's rules for paper forms, and how the forms stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from survey.paper.validity import Rule, rule_of
from survey.store import Store, frame, paper
from survey.store.merge import unite
from survey.sync.rounds import issue_round
from tests import field, laptops
from tests.field import HOA, ROUND
from tests.test_paper_forms import NOW, number


@pytest.fixture
def office(instance: Path) -> Path:
    with Store.create(instance, "hub") as store:
        frame.issue(store, "questionnaire", field.small().hash, field.small().to_json())
        issue_round(store, {"id": ROUND, "questionnaire_hash": field.small().hash})
        frame.issue(store, "unit", "u1", field.unit_document("u1", 1))
    return instance


def test_the_rule_goes_into_the_signed_round(survey: Callable[..., Result], office: Path) -> None:
    assert survey("paper", "rule", "--valid-share", "0.8", "--valid-if", "${age} >= 18").exit_code == 0
    said = survey("paper", "rule", "--double", "0.2")
    assert "80%" in said.output
    assert "20%" in said.output
    with Store.open(office) as store:
        assert rule_of(frame.round_document(store, ROUND)) == Rule(0.8, "${age} >= 18", 0.2)
        assert frame.round_document(store, ROUND)["signed"]


@pytest.mark.parametrize("condition", ["${nobody} = 1", "${age} >="])
def test_a_condition_that_cannot_be_worked_out_is_refused_at_once(
    survey: Callable[..., Result], office: Path, condition: str
) -> None:
    assert survey("paper", "rule", "--valid-if", condition).exit_code == 2
    with Store.open(office) as store:
        assert "paper" not in frame.round_document(store, ROUND)


def test_the_list_counts_and_ends_with_one_where_a_village_does_not_add_up(
    survey: Callable[..., Result], office: Path, tmp_path: Path
) -> None:
    with Store.open(office) as store:
        for n, steps in ((1, ["issued", "collected"]), (2, ["issued"]), (3, ["issued", "lost"])):
            for step in steps:
                paper.record(store, ROUND, number(n), step, HOA, unit="u1", now=NOW)
    said = survey("paper", "list")
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[1].split() == ["03646-07", "3", "1", "1", "1", "0", "0", "yes"]
    with Store.open(office) as store, Store.create(tmp_path / "other") as other:
        for step in ("issued", "lost"):
            paper.record(other, ROUND, number(1), step, HOA, unit="u1", now=NOW)
        unite(store, laptops.records(other), "", laptops.keys(other))
    said = survey("paper", "list", "--json")
    assert said.exit_code == 1
    assert json.loads(said.output)["not_adding_up"] == ["03646-07"]
