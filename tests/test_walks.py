"""Every recorded walk of every form in ``SURVEY_WALKS``, played by our engine: verdicts, relevant and required
questions, repeats and values after every step are those of JavaRosa."""

from __future__ import annotations

from typing import Any

import pytest

from survey.questionnaire.model import generic
from tests import outside, walk_cases

GROW_ONLY = (
    "counted repeats: grow_only shows plain JavaRosa, which never removes an instance; ours follow the exact count"
)


def _items() -> list[Any]:
    folder = outside.walks_folder()
    found = []
    for document in walk_cases.documents(folder) if folder else ():
        stem = document["form"].rpartition("/")[2].rpartition(".")[0]
        for walk in document["walks"]:
            counted = walk.get("counted_repeats", "")
            marks = [pytest.mark.xfail(reason=GROW_ONLY, run=False)] if counted == "grow_only" else []
            name = "-".join([stem, str(walk["seed"]), *([counted] if counted else [])])
            found.append(pytest.param(document, walk, id=name, marks=marks))
    return found


@pytest.mark.parametrize(("document", "walk"), _items() or [pytest.param(None, None, id="no-folder")])
def test_walk(document: dict[str, Any] | None, walk: dict[str, Any]) -> None:
    folder = outside.walks_folder()
    if folder is None or document is None:
        outside.missing("SURVEY_WALKS")
    left_out = walk_cases.not_compared(document)
    unstable_checks = left_out | set(document.get("volatile_checks", ()))
    player = walk_cases.Player(document, folder)

    def compared(paths: set[str]) -> set[str]:
        return {p for p in paths if generic(p) not in left_out}

    for step, expected in walk_cases.states(document, walk):
        at = f"step {step['n']}" if step else "start"
        if step is not None:
            if "choices" in step and generic(step["path"]) not in unstable_checks:
                assert player.offered(step["path"]) == step["choices"], f"{at}: choices of {step['path']}"
            assert player.do(step) == step.get("verdict", "OK"), f"{at}: verdict on {step['path']}={step.get('value')}"
        assert compared(player.relevant()) == compared(expected.relevant), f"{at}: relevant"
        assert compared(player.required()) == compared(expected.required), f"{at}: required"
        assert player.repeats() == {p: n for p, n in expected.repeats.items() if n}, f"{at}: repeats"
        got = player.values()
        wrong = {
            p: (expected.values.get(p), got.get(p))
            for p in compared(set(got) | set(expected.values))
            if not walk_cases.same_value(expected.values.get(p), got.get(p))
        }
        assert not wrong, f"{at}: values (expected, got)"
    found = player.problems()
    expected_problems = {p: v for p, v in walk["problems_at_end"].items() if generic(p) not in unstable_checks}
    # We name one more kind: a required select_multiple whose last answer its filter took away is empty.
    assert {p: found.get(p) for p in expected_problems} == expected_problems, "problems at the end"
