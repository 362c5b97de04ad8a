"""Two laptops and two hubs, each a process of its own: stick, LAN and HTTPS mixed, a conflict made and decided.

Receipts at every level, and every store is proved at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from survey.questionnaire.path import Context, open_path
from survey.store import Store, current, drafts, frame, receipts
from survey.sync import rounds
from tests import field
from tests.field import HOA, sealed
from tests.keyboard import COMMAND, survey


@contextmanager
def serving(hub: Path) -> Iterator[str]:
    """``survey run --hub`` in a process; gives the address at which it listens for devices."""
    process = subprocess.Popen(
        [*COMMAND, "--instance", str(hub), "run", "--port", "0", "--no-browser", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SURVEY_LANG": "en", "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        assert "Open at http://127.0.0.1" in process.stdout.readline()
        yield process.stdout.readline().split()[4].rstrip(";")
    finally:
        process.terminate()
        process.wait(timeout=30)
        assert process.stdout is not None
        process.stdout.close()


def corrected(instance: Path, interview: str, age: str) -> None:
    """The laptop corrects a returned interview."""
    with Store.open(instance) as store:
        drafts.take_over(store, interview, HOA)
        answers = {**drafts.answers(store, interview), "a/age": age}
        way = open_path(field.small(), answers, Context(frame={"commune": "03646"}, interview=interview))
        drafts.seal(store, interview, *way.sealed, {}, HOA, "corrected")


def joined(instance: Path, hub: Path, address: str) -> None:
    """Enrols by a code that the hub's process makes and the laptop's process uses."""
    code = json.loads(survey(hub, "device", "invite", "--json"))["code"]
    survey(instance, "device", "join", address, code)


def proved(*instances: Path) -> None:
    for instance in instances:
        told = json.loads(survey(instance, "verify", "--json"))
        assert told["report"]["problems"] == []
        assert told["report"]["created"] == told["report"]["receipted"] + told["report"]["pending"]


def test_two_laptops_and_two_hubs_by_stick_lan_and_https(tmp_path: Path) -> None:
    first, second, office, province = (tmp_path / name for name in ("may1", "may2", "giamsat", "tinh"))
    stick = tmp_path / "USB"
    stick.mkdir()
    with Store.create(office, "hub", name="giám sát") as store:
        field.set_up(store, field.small())
        rounds.issue_round(store, {"id": "rkey", "title": {"vi": "Khóa", "en": "Key"}})
    with Store.create(province, "hub", tier="province", name="tỉnh") as store:
        rounds.issue_round(store, {"id": "rtinh", "title": {"vi": "Tỉnh", "en": "Province"}})
    for laptop in (first, second):
        Store.create(laptop).close()
    with serving(office) as lan, serving(province) as internet:
        joined(first, office, lan)
        joined(second, office, lan)
        joined(office, province, internet)
        for laptop in (first, second):
            survey(laptop, "sync", lan)
        # The first hands over by LAN, the second by stick.
        with Store.open(first) as store:
            interview = sealed(store, "u1", field.small())
        with Store.open(second) as store:
            other = sealed(store, "u2", field.small())
        survey(first, "sync", lan)
        survey(second, "export", "--to", stick)
        survey(office, "sync", stick)
        # Returned at the office; both laptops correct it, one gets it by LAN, the other by stick.
        with Store.open(office) as store:
            head = current.content(store, interview)["head"]
            current.decide(store, interview, "returned", head, "Hỏi lại tuổi", field.LAN)
        survey(office, "export", "--to", stick)
        with Store.open(second) as store:
            frame.sign_in(store, HOA, field.PIN)
        survey(second, "sync", stick)
        survey(first, "sync", lan)
        corrected(first, interview, "48")
        corrected(second, interview, "49")
        survey(first, "export", "--to", stick)
        survey(office, "sync", stick)
        told = json.loads(survey(second, "sync", lan, "--json", code=1))
        assert told["receipt"]
        with Store.open(office) as store:
            assert [row["interview"] for row in current.conflicts(store)] == [interview]
        # Both versions reach the province over HTTPS before anybody has decided, then the decision follows by stick.
        survey(office, "sync", internet)
        with Store.open(province) as store:
            assert [row["interview"] for row in current.conflicts(store)] == [interview]
        with Store.open(office) as store:
            heads = current.interviews(store, interview=interview)[0]["heads"]
            taken = next(h for h in heads if current.content(store, interview, h)["answers"]["a/age"] == "49")
            settled = current.settle(store, interview, taken, reason="Người dân xác nhận 49", actor=field.LAN)
        survey(office, "export", "--to", stick)
        survey(province, "sync", stick)
        survey(office, "sync", internet)
        for laptop in (first, second):
            survey(laptop, "sync", lan)
        # Every machine says the same, and both laptops know that the province has it.
        for instance in (office, province):
            with Store.open(instance) as store:
                row = current.interviews(store, interview=interview)[0]
                assert (row["state"], row["head"]) == ("sealed", settled)
                assert current.content(store, interview)["answers"]["a/age"] == "49"
                assert len(current.interviews(store, state="sealed")) == 2
        with Store.open(first) as store:
            assert current.interviews(store, interview=interview)[0]["head"] == settled
            assert receipts.safe_at(store, interview) == ["device", "supervisor", "province"]
            assert receipts.conservation(store).pending == 0
        with Store.open(second) as store:
            assert receipts.safe_at(store, other) == ["device", "supervisor", "province"]
        proved(first, second, office, province)
