"""Interviews being made.

1. An answer that was confirmed is on disk, whatever happens next.
2. Two pages cannot overwrite each other unseen.
3. Sealing turns a draft into a revision, wholly or not at all.
4. An interview can be handed on before it is finished, and taken over.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from survey.errors import InputError, NotAllowed
from survey.store import Store, current, drafts, feed, frame
from survey.store.merge import unite
from survey.store.verify import verify
from tests.laptops import FORM, headers, interview, keys, records
from tests.outside import ROOT
from tests.tried import tried


@pytest.fixture
def draft(device: Store) -> str:
    """An open draft at unit u1."""
    return drafts.start(device, "u1", FORM, "phoa")


# -- 1 saving ---------------------------------------------------------------------------------------------------


def test_an_answer_is_there_for_the_next_process(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4", "q2": ["a", "b"], "q3": {"missing": "refused"}})
    with Store.open(device.folder) as other:
        assert drafts.answers(other, draft) == {"q1": "4", "q2": ["a", "b"], "q3": {"missing": "refused"}}


def test_none_clears_an_answer(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4", "q2": "5"})
    drafts.save(device, draft, {"q1": None, "never": None})
    assert drafts.answers(device, draft) == {"q2": "5"}


def test_saving_the_same_again_changes_nothing(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4"}, {"q1": 2.5})
    before = list(device.execute("SELECT * FROM draft_events")), drafts.draft(device, draft)
    drafts.save(device, draft, {"q1": "4"}, {"q1": 9.0})
    assert (list(device.execute("SELECT * FROM draft_events")), drafts.draft(device, draft)) == before


def test_text_is_kept_in_one_normal_form(device: Store, draft: str):
    written = unicodedata.normalize("NFD", "Chiềng Mung")
    drafts.save(device, draft, {"q1": written, "q2": [written]})
    assert drafts.answers(device, draft) == {"q1": "Chiềng Mung", "q2": ["Chiềng Mung"]}


def test_what_people_type_is_only_text(device: Store, draft: str):
    nasty = "'); DROP TABLE drafts; -- <script>\x00\u2028💥"
    drafts.save(device, draft, {nasty: nasty})
    assert drafts.answers(device, draft) == {nasty: nasty}


def test_a_draft_that_is_not_there_is_told(device: Store):
    for attempt in (
        lambda: drafts.answers(device, "x"),
        lambda: drafts.save(device, "x", {"q1": "4"}),
        lambda: drafts.seal(device, "x", {}, {}, {}, {}, "phoa"),
        lambda: drafts.lease(device, "x"),
        lambda: drafts.discard(device, "x"),
    ):
        with pytest.raises(InputError, match="no such draft on this device"):
            attempt()


def test_the_list_of_drafts_says_how_far_each_is(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4", "q2": "5"})
    (row,) = drafts.drafts(device)
    assert (row["interview"], row["unit"], row["answered"]) == (draft, "u1", 2)


def test_a_failing_save_leaves_every_answer_as_it_was(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4"})
    with pytest.raises(TypeError):
        drafts.save(device, draft, {"q1": "5", "q2": object()})  # type: ignore[dict-item]
    assert drafts.answers(device, draft) == {"q1": "4"}


# A laptop that says "saved q=v" only after save() returned; and kills itself, without warning, at the n-th statement.
LAPTOP = """
import os, signal, sys
from survey.store import Store, drafts
folder, at = sys.argv[1], int(sys.argv[2])
store = Store.open(folder)
count = 0
def statement(sql):
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), signal.SIGKILL)
store.db.set_trace_callback(statement)
for number in range(1000):
    interview = drafts.start(store, f"u{number}", "sha256:00", "phoa")
    print("start", interview, flush=True)
    for question in range(4):
        drafts.save(store, interview, {f"q{question}": str(number)})
        print("saved", interview, f"q{question}", str(number), flush=True)
    if number % 3 == 2:
        for partial in drafts.partials(store):
            print("partial", interview, partial, flush=True)
    drafts.seal(store, interview, drafts.answers(store, interview), {}, {}, {}, "phoa")
    print("sealed", interview, flush=True)
"""


def _promised(lines: list[str]) -> dict[str, dict[str, str]]:
    promised: dict[str, dict[str, str]] = {}
    for line in lines:
        word, interview, *answer = line.split()
        promised.setdefault(interview, {})
        if word == "saved":
            promised[interview][answer[0]] = answer[1]
    return promised


def _found(store: Store) -> dict[str, dict[str, Any]]:
    """Every answer in the store, in a draft or sealed."""
    found = {
        row["interview"]: current.content(store, row["interview"])["answers"]
        for row in current.interviews(store)
        if row["head"]
    }
    for row in drafts.drafts(store):
        found[row["interview"]] = drafts.answers(store, row["interview"])
    return found


def _check(folder: Path, lines: list[str]) -> None:
    with Store.open(folder) as store:
        found = _found(store)
        for interview, answers in _promised(lines).items():
            assert answers.items() <= found[interview].items()
        sealed = {line.split()[1] for line in lines if line.startswith("sealed")}
        assert sealed <= {row["interview"] for row in current.interviews(store, state="sealed")}
        drafts_left = {row["interview"] for row in drafts.drafts(store)}
        assert not drafts_left & {row["interview"] for row in current.interviews(store, state="sealed")}
        assert current.verify(store).problems == []


def test_a_clock_that_steps_in_the_middle_of_an_interview_changes_no_answer_and_no_order(device: Store, draft: str):
    years = ("2026", "2036", "2016", "2026")
    for number, year in enumerate(years):
        now = datetime.fromisoformat(f"{year}-11-23T08:00:00+07:00")
        drafts.save(device, draft, {f"q{number}": year, "last": year}, {"last": 2.0}, now=now)
        tried()
    assert drafts.answers(device, draft) == {**{f"q{n}": year for n, year in enumerate(years)}, "last": "2026"}
    sealed = drafts.seal(device, draft, drafts.answers(device, draft), {}, {}, {}, "phoa")
    events = (feed.part_json(device, sealed, "paradata") or {})["events"]
    # The order of the key presses and the time on each question come from no wall clock.
    assert [event["time"][:4] for event in events if event["path"] == "last"] == list(years)
    assert [event["ms"] for event in events] == sorted(event["ms"] for event in events)
    assert verify(device).problems == []


@pytest.mark.soak
def test_a_laptop_killed_at_any_statement_loses_no_confirmed_answer(tmp_path: Path, trials: Callable[[int, int], int]):
    chance = random.Random(2026)
    # One interview takes about 60 statements: the short run kills at a sample of them, the long one at every one.
    places = chance.sample(range(1, 400), trials(20, 399))
    for number, place in enumerate(sorted(places)):
        folder = tmp_path / f"laptop{number}"
        Store.create(folder).close()
        died = subprocess.run(
            [sys.executable, "-c", LAPTOP, str(folder), str(place)], cwd=ROOT, capture_output=True, text=True
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
        _check(folder, died.stdout.splitlines())


@pytest.mark.soak
def test_a_laptop_killed_at_any_moment_loses_no_confirmed_answer(tmp_path: Path, trials: Callable[[int, int], int]):
    chance = random.Random(7)
    folder = tmp_path / "laptop"
    Store.create(folder).close()
    lines: list[str] = []
    for _ in range(trials(4, 200)):
        with subprocess.Popen(
            [sys.executable, "-c", LAPTOP, str(folder), "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as laptop:
            assert laptop.stdout is not None
            lines.append(laptop.stdout.readline())
            lines += [laptop.stdout.readline() for _ in range(chance.randrange(60))]
            os.kill(laptop.pid, signal.SIGKILL)
            # What was printed before the blow was confirmed; the last line may have been cut by it.
            lines += [line for line in laptop.stdout.readlines() if line.endswith("\n")]
        _check(folder, lines)


# -- 2 two pages ------------------------------------------------------------------------------------------------


def test_the_page_opened_last_writes_and_the_other_is_told(device: Store, draft: str):
    first = drafts.lease(device, draft)
    drafts.save(device, draft, {"q1": "4"}, token=first)
    second = drafts.lease(device, draft)
    with pytest.raises(NotAllowed, match="opened in another window"):
        drafts.save(device, draft, {"q1": "1"}, token=first)
    with pytest.raises(NotAllowed, match="opened in another window"):
        drafts.seal(device, draft, {"q1": "1"}, {}, {}, {}, "phoa", token=first)
    with pytest.raises(NotAllowed, match="opened in another window"):
        drafts.discard(device, draft, token=first)
    drafts.save(device, draft, {"q2": "5"}, token=second)
    assert drafts.answers(device, draft) == {"q1": "4", "q2": "5"}


# -- 3 sealing --------------------------------------------------------------------------------------------------


def test_sealing_leaves_a_revision_and_no_draft(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4", "q2": "x", "phone": "0912"}, {"q1": 3.25})
    revision = drafts.seal(
        device, draft, {"q1": "4", "sum": "9"}, {"q2": "x"}, {"phone": "0912"}, {"mode": "capi"}, "phoa"
    )
    assert drafts.drafts(device) == []
    assert list(device.execute("SELECT * FROM draft_answers")) == []
    content = current.content(device, draft)
    assert content["head"] == revision
    assert content["answers"] == {"q1": "4", "sum": "9"}
    assert content["off_path"] == {"q2": "x"}
    assert content["contact"] == {"phone": "0912"}
    assert (content["unit"], content["questionnaire_hash"], content["actor"]) == ("u1", FORM, "phoa")
    assert content["paradata"]["mode"] == "capi"
    first = content["paradata"]["events"][0]
    assert first.keys() == {"path", "cleared", "time", "ms", "seconds"}
    assert (first["path"], first["seconds"]) == ("q1", 3.25)


def test_what_is_sealed_is_text_in_one_normal_form(device: Store, draft: str):
    loose = unicodedata.normalize("NFD", "Lò Thị Hoa")
    head = drafts.seal(device, draft, {"both": loose}, {"off": [loose]}, {"name": loose}, {}, "phoa")
    content = current.content(device, draft, head)
    assert (content["answers"], content["off_path"]) == ({"both": "Lò Thị Hoa"}, {"off": ["Lò Thị Hoa"]})
    assert content["contact"] == {"name": "Lò Thị Hoa"}
    number = drafts.start(device, "u2", FORM, "phoa")
    with pytest.raises(TypeError, match="an answer is text"):
        drafts.seal(device, number, {"age": 47}, {}, {}, {}, "phoa")
    assert drafts.draft(device, number) is not None


def test_contact_answers_stand_in_no_other_part(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4", "phone": "0912345678"})
    revision = drafts.seal(device, draft, {"q1": "4"}, {}, {"phone": "0912345678"}, {}, "phoa")
    for name in ("answers", "paradata"):
        assert b"0912345678" not in (feed.part(device, revision, name) or b"")


def test_a_seal_that_fails_leaves_the_draft(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4"})
    with pytest.raises(ValueError, match="no content kind"):
        drafts.seal(device, draft, {"q1": "4"}, {}, {}, {}, "phoa", "approved")
    (device.folder / "keys" / "device.key").unlink()
    with Store.open(device.folder) as keyless:
        with pytest.raises(Exception, match="key of this device is missing"):
            drafts.seal(keyless, draft, {"q1": "4"}, {}, {}, {}, "phoa")
        assert drafts.answers(keyless, draft) == {"q1": "4"}
        assert headers(keyless, "interview") == []


def test_a_refused_interview_leaves_nothing(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4"})
    before = records(device)
    drafts.discard(device, draft)
    assert drafts.drafts(device) == []
    assert (
        list(device.execute("SELECT * FROM draft_answers UNION ALL SELECT interview, path, time FROM draft_events"))
        == []
    )
    assert records(device) == before


def test_an_interview_refused_after_a_hand_over_leaves_nothing_here_nor_at_the_hub(
    device: Store, hub: Store, draft: str
):
    drafts.save(device, draft, {"q1": "chiềng mung"})
    drafts.partials(device)
    unite(hub, records(device), "", keys(device))
    assert current.content(hub, draft)["contact"] == {"q1": "chiềng mung"}
    drafts.save(device, draft, {"consent": "no"})
    drafts.discard(device, draft)
    unite(hub, records(device), "", keys(device))
    for store in (device, hub):
        assert [row["state"] for row in current.interviews(store)] == ["erased"]
        assert not any({"answers", "contact"} & record.parts.keys() for record in records(store))
        assert "chiềng mung".encode() not in b"".join(file.read_bytes() for file in store.folder.glob("survey.sqlite*"))
        assert verify(store).problems == []


# -- 4 handing on -----------------------------------------------------------------------------------------------


def test_open_drafts_are_written_as_partial_once_a_change(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4"})
    (first,) = drafts.partials(device)
    assert drafts.partials(device) == []
    drafts.save(device, draft, {"q2": "5"})
    (second,) = drafts.partials(device)
    header = feed.header(device, second)
    assert header is not None
    assert (header.kind, header.parents) == ("partial", (first,))
    sealed = drafts.seal(device, draft, {"q1": "4", "q2": "5"}, {}, {}, {}, "phoa")
    (row,) = current.interviews(device)
    assert (row["state"], row["heads"]) == ("sealed", [sealed])


def test_a_partial_keeps_contact_answers_apart(device: Store, draft: str):
    form = {"id": "f", "nodes": [{"kind": "group", "name": "g", "children": [{"name": "phone", "contact": True}]}]}
    frame.issue(device, "questionnaire", FORM, json.dumps(form).encode())
    drafts.save(device, draft, {"q1": "4", "g/phone": "0912", "g[r1]/phone": "0913"})
    (partial,) = drafts.partials(device)
    assert feed.part_json(device, partial, "answers") == {"q1": "4"}
    assert feed.part_json(device, partial, "contact") == {"g/phone": "0912", "g[r1]/phone": "0913"}


def test_while_the_questionnaire_is_not_here_a_partial_counts_as_contact_whole(device: Store, draft: str):
    drafts.save(device, draft, {"q1": "4"})
    (partial,) = drafts.partials(device)
    assert feed.part_json(device, partial, "answers") == {}
    assert feed.part_json(device, partial, "contact") == {"q1": "4"}


def test_a_sealed_interview_is_taken_up_again_with_everything_it_had(device: Store, draft: str):
    sealed = drafts.seal(device, draft, {"q1": "4"}, {"q2": "x"}, {"phone": "0912"}, {}, "phoa")
    assert drafts.take_over(device, draft, "pmai") == draft
    assert drafts.answers(device, draft) == {"q1": "4", "q2": "x", "phone": "0912"}
    drafts.save(device, draft, {"q1": "5"})
    corrected = drafts.seal(device, draft, {"q1": "5"}, {}, {}, {}, "pmai", "corrected")
    header = feed.header(device, corrected)
    assert header is not None
    assert (header.kind, header.parents, header.target) == ("corrected", (sealed,), "u1")


def test_an_open_draft_is_not_opened_twice(device: Store):
    id = interview(device)
    drafts.take_over(device, id, "phoa")
    with pytest.raises(InputError, match="already open on this device"):
        drafts.take_over(device, id, "pmai")


def test_a_draft_taken_up_again_and_thrown_away_leaves_what_was_sealed(device: Store):
    id = interview(device)
    drafts.take_over(device, id, "phoa")
    drafts.discard(device, id)
    assert current.content(device, id)["answers"] == {"q1": "4", "q2": "5"}
