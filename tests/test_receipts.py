"""What is handed over is safe when a receipt that verifies says so, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from survey.errors import InputError, VerifyError
from survey.store import Store, current, daysheet, drafts, feed, receipts
from survey.store.merge import unite
from survey.store.signed import read_signed, write_signed
from survey.store.whereabouts import whereabouts
from survey.sync.exchange import export, sync
from tests.laptops import FORM, headers, interview, keys, records
from tests.test_current import kinds


def test_what_was_handed_over_is_pending_until_a_receipt_comes_back(device: Store, hub: Store, stick: Path):
    id = interview(device)
    first = export(device, stick)
    assert first.path is not None
    assert (first.revisions, first.partials) == (2, 0)
    assert receipts.conservation(device) == (2, 0, 2)
    assert sync(hub, [stick]).new == 2
    assert receipts.conservation(device) == (2, 0, 2)
    report = sync(device, [stick])
    assert report.receipts_read == 1
    assert receipts.conservation(device) == (2, 2, 0)
    assert receipts.safe_at(device, id) == ["device", "supervisor"]
    assert whereabouts(device) == {"device": 1, "supervisor": 1, "province": 0, "ministry": 0}
    assert export(device, stick).path is None


def test_a_device_signs_no_receipts(device: Store, stick: Path):
    interview(device)
    export(device, stick)
    assert sync(device, [stick]).receipts_written == []
    with pytest.raises(InputError, match="this is not a hub"):
        receipts.make_receipt(device)


def test_the_same_stick_twice_brings_no_second_receipt(device: Store, hub: Store, stick: Path):
    interview(device)
    export(device, stick)
    first = sync(hub, [stick])
    assert sync(hub, [stick]).receipts_written == first.receipts_written
    assert len(list((stick / "receipts").iterdir())) == 1


def test_open_drafts_are_handed_over_and_still_open(device: Store, hub: Store, stick: Path):
    id = drafts.start(device, "u1", FORM, "phoa")
    drafts.save(device, id, {"q1": "4"})
    assert export(device, stick).partials == 1
    sync(hub, [stick])
    (row,) = current.interviews(hub)
    assert (row["interview"], row["state"]) == (id, "partial")
    assert whereabouts(hub)["device"] == whereabouts(device)["device"] == 0
    assert drafts.answers(device, id) == {"q1": "4"}


def test_a_receipt_travels_down_from_the_province(device: Store, hub: Store, province: Store, stick: Path):
    id = interview(device)
    export(device, stick)
    sync(hub, [stick])
    up = stick.parent / "up"
    export(hub, up)
    assert sync(province, [up]).new == 3
    sync(hub, [up])
    assert receipts.safe_at(hub, id) == ["supervisor", "province"]
    assert receipts.conservation(hub) == (1, 1, 0)
    assert whereabouts(hub) == {"device": 1, "supervisor": 1, "province": 1, "ministry": 0}
    sync(hub, [stick])
    sync(device, [stick])
    assert receipts.safe_at(device, id) == ["device", "supervisor", "province"]


def test_a_receipt_from_below_makes_nothing_safe(hub: Store, province: Store, stick: Path):
    export(province, stick)
    sync(hub, [stick])
    sync(province, [stick])
    assert receipts.conservation(province) == (1, 0, 1)


@pytest.mark.parametrize("place", range(0, 700, 7))
def test_a_changed_receipt_is_refused(device: Store, hub: Store, place: int):
    content = bytearray(receipts.make_receipt(hub))
    content[place % len(content)] ^= 4
    with pytest.raises(VerifyError, match="the signature does not hold"):
        receipts.read_receipt(device, bytes(content))
    assert device.rows("SELECT * FROM receipts") == []


@pytest.mark.parametrize(
    "statement",
    [
        {"tier": "moon"},
        {"feeds": 7},
        {"feeds": [{}]},
        {"missing_parts": [7]},
        {"feeds": [{"device": "d", "epoch": "e", "held": [[1, 2]], "head": 5, "forks": {}}]},
    ],
)
def test_a_hub_that_signs_nonsense_is_refused(device: Store, hub: Store, statement: dict):
    good = read_signed(receipts.make_receipt(hub), "receipt", "hub", "")
    with pytest.raises(VerifyError, match="malformed"):
        receipts.read_receipt(device, write_signed({**good, **statement}, hub.key))


def test_a_receipt_says_which_parts_the_hub_lacks(device: Store, hub: Store):
    interview(device)
    without = [record._replace(parts={}) if i else record for i, record in enumerate(records(device))]
    unite(hub, without, "", keys(device))
    receipts.read_receipt(device, receipts.make_receipt(hub))
    assert receipts.conservation(device) == (2, 1, 1)
    assert kinds(hub) == ["pending"]
    outcome = unite(hub, records(device), "", keys(device))
    assert (outcome.new, outcome.known, outcome.late_parts) == (0, 2, 3)
    receipts.read_receipt(device, receipts.make_receipt(hub))
    assert receipts.conservation(device) == (2, 2, 0)
    assert kinds(hub) == []


def test_the_day_sheet_says_of_each_laptop_what_was_made_what_is_safe_and_where_its_feed_ends(
    device: Store, hub: Store, stick: Path
):
    interview(device, "u1")
    interview(device, "u2")
    day = headers(device)[-1].time[:10]
    (made,) = daysheet.lines(device, day)
    assert (made.interviews, made.today, made.safe) == (2, 2, 0)
    assert made.created == made.open == made.seq == len(headers(device))
    export(device, stick)
    sync(hub, [stick])
    sync(device, [stick])
    (given,) = daysheet.lines(device, day)
    assert (given.created, given.safe, given.open) == (made.created, made.created, 0)
    (there,) = daysheet.lines(hub, day)
    assert (there.created, there.safe, there.open) == (made.created, made.created, 0)
    assert (there.interviews, there.epoch, there.seq, there.head) == (2, given.epoch, given.seq, given.head)
    assert daysheet.mark(there.head) == daysheet.mark(given.head)
    # An entry that did not come: the laptop has numbered it, the hub says that it is missing.
    interview(device, "u3")
    interview(device, "u4")
    unite(hub, records(device)[-1:], "", keys(device))
    (there,) = daysheet.lines(hub, day)
    assert (there.created, there.safe, there.open) == (made.created + 2, made.created + 1, 1)
    (now,) = daysheet.lines(device, "2001-01-01")
    assert (now.today, now.interviews, now.open) == (0, 4, 2)


def test_a_receipt_takes_no_longer_with_every_revision_that_is_held(hub: Store):
    """One is signed after each bundle: a step for all that is held would make a merge cost the square of its size."""

    def steps() -> int:
        taken = [0]

        def step() -> int:
            taken[0] += 1
            return 0

        hub.db.set_progress_handler(step, 10)
        receipts.make_receipt(hub)
        hub.db.set_progress_handler(None, 0)
        return taken[0]

    def hold(count: int) -> None:
        with hub.transaction():
            for number in range(count):
                feed.append(hub, subject_type="unit", subject=f"u{number}", kind="issued", parts={})

    hold(10)
    few = steps()
    hold(300)
    assert steps() < few + 20
