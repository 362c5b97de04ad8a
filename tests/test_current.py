"""What is current.

1. Content makes heads, decisions name one and never make one.
2. A decision replaces those that stood before; contradictions are findings.
3. Two contents are both kept until a person settles them.
4. What was erased stays erased.
5. What is derived is proved by deriving it again.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from survey.errors import InputError
from survey.store import Store, current, drafts, feed, frame
from survey.store.fold import Feed, Revision, extend_feed, fold
from survey.store.header import CONTENT_KINDS
from survey.store.merge import unite
from tests.laptops import FORM, clone, correct, headers, interview, keys, records, state


def only(store: Store) -> dict:
    """The one interview of a store."""
    (row,) = current.interviews(store)
    return row


def kinds(store: Store) -> list[str]:
    """The kinds of the findings, but that no laptop here is enrolled."""
    return [finding.kind for finding in current.findings(store) if finding.kind != "uncertified"]


@pytest.fixture
def conflict(hub: Store, tmp_path: Path) -> str:
    """An interview that two laptops corrected, merged into the hub."""
    with Store.create(tmp_path / "a") as first, Store.create(tmp_path / "b", "hub") as second:
        id = interview(first, "u1", {"q1": "3", "q2": "3"})
        unite(second, records(first), "", keys(first))
        correct(first, id, {"q1": "4", "q2": "3"})
        correct(second, id, {"q1": "3", "q2": "5"})
        for store in (first, second):
            unite(hub, records(store), "", keys(store))
    return id


# -- 1 heads ----------------------------------------------------------------------------------------------------


def test_a_draft_a_sealed_and_a_corrected_interview(device: Store):
    id = drafts.start(device, "u1", FORM, "phoa")
    assert (only(device)["state"], only(device)["heads"], only(device)["draft"]) == ("draft", [], True)
    first = drafts.seal(device, id, {"q1": "1"}, {}, {}, {}, "phoa")
    assert (only(device)["state"], only(device)["head"], only(device)["draft"]) == ("sealed", first, False)
    second = correct(device, id, {"q1": "2"})
    assert (only(device)["state"], only(device)["heads"], only(device)["kind"]) == ("sealed", [second], "corrected")


def test_an_interview_belongs_to_its_units_round(hub: Store):
    frame.issue(hub, "unit", "u1", {"id": "u1", "round": "r1", "assignee": "phoa"})
    id = interview(hub, "u1")
    interview(hub, "u9")
    (row,) = current.interviews(hub, "r1")
    assert (row["interview"], row["round"], row["assignee"]) == (id, "r1", "phoa")
    assert current.interviews(hub, "r1", "draft") == []
    assert [row["interview"] for row in current.interviews(hub, "r1", ("sealed", "approved"))] == [id]


def test_responses_come_in_the_order_of_their_units_so_that_sums_repeat_to_the_last_digit(hub: Store):
    units = [f"u{number}" for number in range(8)]
    for unit in reversed(units):
        frame.issue(hub, "unit", unit, {"id": unit, "round": "r1"})
        interview(hub, unit)
    assert [document["id"] for _, document, *_ in current.responses(hub, "r1", ("sealed",))] == units


def test_a_new_head_is_unreviewed(device: Store):
    id = interview(device)
    current.decide(device, id, "approved", actor="psup")
    correct(device, id, {"q1": "1"})
    assert only(device)["state"] == "sealed"


def test_a_returned_interview_that_is_open_again_stays_returned_until_it_is_sealed(device: Store):
    id = interview(device)
    current.decide(device, id, "returned", reason="Hỏi lại câu 2", actor="psup")
    drafts.take_over(device, id, "phoa")
    assert (only(device)["state"], only(device)["draft"]) == ("returned", True)


# -- 2 decisions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["approved", "returned", "voided"])
def test_a_decision_gives_the_state(device: Store, kind: str):
    id = interview(device)
    decision = current.decide(device, id, kind, reason="vì sao", actor="psup")
    row = only(device)
    assert (row["state"], row["decisions"]) == (kind, [decision])
    header = feed.header(device, decision)
    assert header is not None
    assert (header.target, header.parents) == (row["head"], ())
    (shown,) = current.decisions(device, id)
    assert (shown["reason"], shown["actor"], shown["standing"]) == ("vì sao", "psup", True)


def test_a_decision_on_a_new_version_replaces_none_on_the_old(device: Store):
    id = interview(device)
    current.decide(device, id, "approved", actor="psup")
    correct(device, id, {"q1": "2"})
    current.decide(device, id, "approved", actor="psup")
    assert [header.parents for header in headers(device, "interview") if header.kind == "approved"] == [(), ()]


def test_a_later_decision_replaces_the_standing_one(device: Store):
    id = interview(device)
    first = current.decide(device, id, "approved", actor="psup")
    second = current.decide(device, id, "returned", actor="psup", question="q1")
    assert feed.header(device, second).parents == (first,)  # type: ignore[union-attr]
    assert only(device)["state"] == "returned"
    assert [shown["standing"] for shown in current.decisions(device, id)] == [False, True]


def test_a_comment_decides_nothing(device: Store):
    id = interview(device)
    current.decide(device, id, "approved", actor="psup")
    current.decide(device, id, "commented", reason="rõ", actor="psup")
    assert only(device)["state"] == "approved"


def test_nobody_decides_on_what_they_have_not_seen(device: Store):
    id = interview(device)
    seen = only(device)["head"]
    correct(device, id, {"q1": "1"})
    with pytest.raises(InputError, match="newer content"):
        current.decide(device, id, "approved", seen, actor="psup")
    with pytest.raises(InputError, match="no such sealed interview"):
        current.decide(device, "x", "approved", actor="psup")
    assert only(device)["state"] == "sealed"


def test_opposite_decisions_on_one_head_are_a_finding_that_a_further_decision_settles(hub: Store, tmp_path: Path):
    id = interview(hub)
    with Store.create(tmp_path / "b", "hub") as other:
        unite(other, records(hub), "", keys(hub))
        current.decide(hub, id, "approved", actor="psup")
        current.decide(other, id, "returned", actor="pmai")
        unite(hub, records(other), "", keys(other))
    assert (only(hub)["state"], only(hub)["opposed"]) == ("sealed", True)
    assert kinds(hub) == ["opposed"]
    current.decide(hub, id, "approved", actor="psup")
    assert (only(hub)["state"], only(hub)["opposed"]) == ("approved", False)
    assert kinds(hub) == []


def test_the_same_decision_twice_is_no_contradiction(hub: Store, tmp_path: Path):
    id = interview(hub)
    with Store.create(tmp_path / "b", "hub") as other:
        unite(other, records(hub), "", keys(hub))
        for store in (hub, other):
            current.decide(store, id, "approved", actor="psup")
        unite(hub, records(other), "", keys(other))
    assert (only(hub)["state"], kinds(hub)) == ("approved", [])


def test_two_interviews_of_one_unit_are_a_finding_until_one_is_voided_or_erased(hub: Store):
    interview(hub, "u1")
    extra = interview(hub, "u1")
    assert kinds(hub) == ["twice"]
    current.decide(hub, extra, "voided", reason="trùng", actor="psup")
    assert kinds(hub) == []
    third = interview(hub, "u1")
    assert kinds(hub) == ["twice"]
    current.erase(hub, "interview", third, "padmin")
    assert kinds(hub) == []


# -- 3 conflicts ------------------------------------------------------------------------------------------------


def test_two_contents_are_both_kept_and_not_scored(hub: Store, conflict: str):
    row = only(hub)
    assert (row["state"], row["head"], len(row["heads"])) == ("conflict", "", 2)
    assert [c["interview"] for c in current.conflicts(hub)] == [conflict]
    assert kinds(hub) == ["conflict"]
    both = [current.content(hub, conflict, head)["answers"] for head in row["heads"]]
    assert sorted(both, key=str) == [{"q1": "3", "q2": "5"}, {"q1": "4", "q2": "3"}]
    frame.issue(hub, "unit", "u1", {"id": "u1", "round": "r1"})
    frame.issue(hub, "unit", "u2", {"id": "u2", "round": "r1"})
    whole = interview(hub, "u2")
    assert [id for id, *_ in current.responses(hub, "r1", ("conflict", "sealed"))] == [whole]
    with pytest.raises(InputError, match="several versions"):
        current.content(hub, conflict)
    with pytest.raises(InputError, match="several versions"):
        current.decide(hub, conflict, "approved", actor="psup")


def test_one_of_several_is_chosen(hub: Store, conflict: str):
    chosen, other = only(hub)["heads"]
    wanted = current.content(hub, conflict, chosen)["answers"]
    settled = current.settle(hub, conflict, chosen, reason="hỏi lại người dân", actor="psup")
    row = only(hub)
    assert (row["state"], row["heads"], row["kind"]) == ("sealed", [settled], "combined")
    assert set(feed.header(hub, settled).parents) == {chosen, other}  # type: ignore[union-attr]
    assert current.content(hub, conflict)["answers"] == wanted
    assert kinds(hub) == []


def test_answers_are_chosen_row_by_row(hub: Store, conflict: str):
    current.settle(hub, conflict, answers={"q1": "4", "q2": "5"}, reason="cả hai", actor="psup")
    assert current.content(hub, conflict)["answers"] == {"q1": "4", "q2": "5"}
    assert only(hub)["unit"] == "u1"


def test_settling_needs_a_conflict_and_a_choice(hub: Store, conflict: str):
    with pytest.raises(InputError, match="no several versions"):
        current.settle(hub, conflict, actor="psup")
    with pytest.raises(InputError, match="no several versions"):
        current.settle(hub, conflict, "sha256:00", actor="psup")
    current.settle(hub, conflict, only(hub)["heads"][0], actor="psup")
    with pytest.raises(InputError, match="no several versions"):
        current.settle(hub, conflict, only(hub)["heads"][0], actor="psup")


def test_one_head_may_be_decided_on_while_others_stand(hub: Store, conflict: str):
    head = only(hub)["heads"][0]
    current.decide(hub, conflict, "voided", head, actor="psup")
    current.decide(hub, conflict, "commented", head, "nhầm người", actor="psup")
    assert only(hub)["state"] == "conflict"


def test_a_conflict_settled_at_two_hubs_is_a_conflict_again(hub: Store, conflict: str, tmp_path: Path):
    with Store.create(tmp_path / "c", "hub") as other:
        unite(other, records(hub), "", keys(hub))
        for store, head in zip((hub, other), only(hub)["heads"], strict=True):
            current.settle(store, conflict, head, actor="psup")
        unite(hub, records(other), "", keys(other))
    assert only(hub)["state"] == "conflict"
    assert len(only(hub)["heads"]) == 2


# -- 4 erasure --------------------------------------------------------------------------------------------------


def test_erasing_takes_the_content_and_leaves_the_chain(device: Store):
    id, other = interview(device, "u1", {"q1": "bí mật"}), interview(device, "u2")
    correct(device, id, {"q1": "bí mật hơn"})
    drafts.take_over(device, id, "phoa")
    current.erase(device, "interview", id, "padmin", "người dân yêu cầu")
    (row,) = current.interviews(device, state="erased")
    assert row["interview"] == id
    assert [h.kind for h in headers(device, "interview", id)] == ["sealed", "corrected", "erased"]
    with pytest.raises(InputError, match="not on this device"):
        current.content(device, id, row["heads"][0])
    assert drafts.drafts(device) == []
    assert current.content(device, other)["answers"] == {"q1": "4", "q2": "5"}
    assert current.verify(device).problems == []


def test_what_was_erased_is_not_readable_in_any_file(device: Store):
    id = interview(device, "u1", {"q1": "Nguyễn-Văn-Rất-Riêng"})
    files = [file for file in device.folder.rglob("*") if file.is_file()]
    assert any("Rất-Riêng".encode() in file.read_bytes() for file in files)
    current.erase(device, "interview", id, "padmin")
    assert not any("Rất-Riêng".encode() in file.read_bytes() for file in files if file.exists())


@pytest.mark.parametrize("tombstone_first", [True, False])
def test_no_merge_brings_back_what_was_erased(hub: Store, tmp_path: Path, tombstone_first: bool):
    with Store.create(tmp_path / "a") as laptop, clone(laptop, tmp_path / "copy") as spare:
        id = interview(laptop)
        content = records(laptop)
        current.erase(laptop, "interview", id, "padmin")
        after = records(laptop)
        for batch in (after, content, after) if tombstone_first else (content, after, content):
            unite(hub, batch, "", keys(laptop))
        assert unite(spare, content, "", keys(laptop)).erased == 0
        unite(spare, after, "", keys(laptop))
        assert unite(spare, content, "", keys(laptop)).new == 0
        assert state(spare) == state(laptop)
        for derived_table in ("interviews", "erased", "missing"):
            assert state(hub)[derived_table] == state(laptop)[derived_table]
    assert only(hub)["state"] == "erased"
    assert (
        hub.value("SELECT count(*) FROM parts p JOIN revisions r ON r.number = p.revision WHERE r.kind = 'sealed'") == 0
    )
    assert hub.value("SELECT count(*) FROM missing") == 0
    assert current.verify(hub).problems == []


def test_only_erasure_opens_the_way_to_deleting_parts(device: Store):
    id, other = interview(device, "u1"), interview(device, "u2")
    current.erase(device, "interview", id, "padmin")
    left = {h.subject for h in headers(device, "interview") for name in h.parts if feed.part(device, h.id, name)}
    assert left == {id, other}  # of the erased one, the tombstone's own reason
    (stone,) = [h for h in headers(device, "interview", id) if h.kind == "erased"]
    assert feed.part_json(device, stone.id, "decision") == {"reason": ""}


# -- 5 proof ----------------------------------------------------------------------------------------------------


def test_the_fold_does_not_look_at_the_order(hub: Store, conflict: str):
    current.settle(hub, conflict, only(hub)["heads"][0], actor="psup")
    current.decide(hub, conflict, "approved", actor="psup")
    revisions = [Revision(header) for header in headers(hub, "interview")]
    assert len(revisions) == 5
    expected = fold(revisions)
    assert all(fold(order) == expected for order in itertools.permutations(revisions))


@pytest.mark.parametrize("kind", sorted(CONTENT_KINDS))
def test_one_content_stands_as_it_does_with_a_comment_beside_it(device: Store, kind: str):
    (content,) = [header for header in headers(device, "interview", interview(device)) if header.kind == "sealed"]
    alone = Revision(content._replace(kind=kind, parents=("sha256:b", "sha256:a", "sha256:b")))
    comment = Revision(content._replace(id="sha256:c", kind="commented", target=content.id, parents=()))
    assert fold([alone]).interviews == fold([alone, comment]).interviews


def test_a_feeds_numbers_are_kept_as_ranges_whatever_their_order():
    entries = [(1, "a"), (2, "b"), (3, "c"), (6, "f"), (8, "h"), (9, "i")]
    expected = Feed(6, ((1, 3), (6, 6), (8, 9)), (), "i")
    for order in itertools.permutations(entries):
        feed = Feed()
        for entry in order:
            feed = extend_feed(feed, [entry])
        assert feed == expected == extend_feed(Feed(), order)
    assert extend_feed(expected, [(9, "e"), (3, "z")]) == Feed(8, ((1, 3), (6, 6), (8, 9)), (3, 9), "e")


TAMPERING = [
    "UPDATE interviews SET state = 'approved'",
    "DELETE FROM interviews",
    "INSERT INTO interviews VALUES ('x', '', '', 'sealed', '', '[]', '', '[]', 0, '', '', '', '[]')",
    "UPDATE documents SET round = 'r9'",
    "DELETE FROM documents",
    "UPDATE feed_state SET revisions = 1",
    "INSERT INTO missing (revision, name) VALUES (1, 'answers')",
    "INSERT INTO erased (subject_type, subject) VALUES ('unit', 'u1')",
]


@pytest.mark.parametrize("statement", TAMPERING)
def test_verify_finds_what_a_rebuild_would_change_and_a_rebuild_mends_it(device: Store, statement: str):
    interview(device)
    expected = state(device)
    device.execute(statement)
    report = current.verify(device)
    assert {problem.what.en for problem in report.problems} == {"what is derived differs from a rebuild"}
    current.rebuild(device)
    assert state(device) == expected
    assert current.verify(device).problems == []


def test_verify_counts_what_there_is(device: Store):
    interview(device)
    drafts.start(device, "u2", FORM, "phoa")
    report = current.verify(device)
    assert (report.problems, report.created, report.receipted, report.pending) == ([], 2, 0, 2)
    assert report.counts["revisions"] == 2
    assert report.counts["interviews"] == 1
    assert report.counts["drafts"] == 1


@pytest.mark.parametrize(
    ("trigger", "statement", "said"),
    [
        ("revisions_never_change", "UPDATE revisions SET subject = 'other' WHERE number = 2", "not what its id says"),
        ("revisions_never_change", "UPDATE revisions SET header = x'7b7d' WHERE number = 2", "lacks fields"),
        ("", "UPDATE revisions SET signature = zeroblob(64) WHERE number = 2", "the signature does not hold"),
        ("parts_never_change", "UPDATE parts SET content = x'7b7d' WHERE name = 'answers'", "commits to"),
        ("parts_stay", "DELETE FROM parts WHERE name = 'answers'", "differs from a rebuild"),
    ],
)
def test_verify_finds_what_someone_changed_behind_the_triggers(device: Store, trigger: str, statement: str, said: str):
    interview(device)
    if trigger:
        device.execute(f"DROP TRIGGER {trigger}")
    device.execute(statement)
    assert said in "\n".join(problem("en") for problem in current.verify(device).problems)
