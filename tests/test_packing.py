"""Parts come out of the database byte for byte as they went in, packed or not, whatever they are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.store import Store, current, feed
from survey.store.packing import PACKED, pack, unpack
from tests.laptops import interview, records

names = st.sampled_from(["answers", "off_path", "contact", "paradata", "document", "sha256:" + "0" * 64])


@given(names, st.one_of(st.binary(), st.binary(min_size=150, max_size=300).map(lambda some: b"\0" + some * 3)))
def test_what_was_packed_comes_out_as_it_went_in(name: str, content: bytes):
    assert unpack(name, pack(name, content)) == content


def test_answers_lie_packed_and_everything_that_queries_look_into_does_not():
    content = json.dumps({f"group/q{number}": "4" for number in range(250)}).encode()
    for name in ("answers", "off_path", "contact", "paradata", "decision", "document"):
        assert (len(pack(name, content)) < len(content) / 3) == (name in PACKED)


@pytest.mark.parametrize("place", [0, 1, 40, -1])
def test_damaged_packed_answers_are_told_and_travel_as_they_are(device: Store, place: int):
    answers = {f"group/q{number}": "4" for number in range(250)}
    id = interview(device, "u1", answers)
    head = current.interviews(device)[0]["head"]
    (kept,) = device.execute("SELECT content FROM parts WHERE name = 'answers'").fetchone()
    assert len(kept) < 1_000
    damaged = bytearray(kept)
    damaged[place] ^= 4
    device.execute("DROP TRIGGER parts_never_change")
    device.execute("UPDATE parts SET content = ? WHERE name = 'answers'", (bytes(damaged),))
    assert f"{head}/answers" in [problem.where for problem in current.verify(device).problems]
    assert feed.part(device, head, "answers") is not None
    assert [record for record in records(device) if "answers" in record.parts]
    device.execute("UPDATE parts SET content = ? WHERE name = 'answers'", (kept,))
    assert current.content(device, id)["answers"] == answers
