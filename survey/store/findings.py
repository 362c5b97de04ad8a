"""What needs a person, as sentences. Computed from the derived tables whenever someone asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from survey.paper.states import DISPUTED
from survey.store import frame, paper, personal, requests
from survey.store.authority import confirmed
from survey.store.certificates import certified_by
from survey.store.store import Store, now_text
from survey.text import Text, many
from survey.vocabulary import REQUESTS


@dataclass(frozen=True)
class Finding:
    """Something that needs a person: ``kind`` for programs, ``where`` and the sentences for people."""

    kind: str
    where: str
    what: Text
    todo: Text


def findings(store: Store) -> list[Finding]:
    """Everything that needs a person, in a fixed order: conflicts, contradicting decisions, units with two interviews,
    forked feeds, gaps, devices without a certificate, content or parents that have not come, contact data past their
    date."""
    return [
        *_interview_findings(store),
        *_unit_findings(store),
        *_form_findings(store),
        *_feed_findings(store),
        *_device_findings(store),
        *_retention_findings(store),
        *_request_findings(store),
    ]


def _interview_findings(store: Store) -> Iterator[Finding]:
    rows = store.rows(
        "SELECT interview, state, heads, opposed, unknown_parents FROM interviews"
        " WHERE state = 'conflict' OR opposed OR unknown_parents <> '[]' ORDER BY interview"
    )
    for row in rows:
        where = f"interview {row['interview']}"
        if row["state"] == "conflict":
            count = len(json.loads(row["heads"]))
            yield Finding(
                "conflict",
                where,
                Text(f"có {count} bản khác nhau", f"{count} different versions"),
                Text("chọn hoặc ghép một bản (survey review settle)", "choose or combine one (survey review settle)"),
            )
        if row["opposed"]:
            yield Finding(
                "opposed",
                where,
                Text(
                    "các quyết định trái ngược nhau về cùng một bản", "decisions on one version contradict each other"
                ),
                Text("ra một quyết định tiếp theo", "take a further decision"),
            )
        if row["unknown_parents"] != "[]":
            yield Finding(
                "parent",
                where,
                Text("bản trước của phiếu chưa nhận được", "the version it builds on has not come"),
                Text("nhận nốt dữ liệu của máy đã làm phiếu", "sync with the device that made it"),
            )
    if store.role == "device":
        # A laptop is not meant to have what others were told.
        return
    absent = store.rows(
        "SELECT DISTINCT r.subject AS interview FROM missing m CROSS JOIN revisions r ON r.number = m.revision"
        " WHERE m.name = 'answers' ORDER BY r.subject"
    )
    for row in absent:
        yield Finding(
            "pending",
            f"interview {row['interview']}",
            Text("câu trả lời chưa nhận được", "the answers have not come"),
            Text("nhận lại dữ liệu của máy đã làm phiếu", "sync again with the device that made it"),
        )


def _unit_findings(store: Store) -> Iterator[Finding]:
    rows = store.rows(
        "SELECT unit, count(*) AS n FROM interviews WHERE unit <> '' AND state NOT IN ('voided', 'erased')"
        " GROUP BY unit HAVING count(*) > 1 ORDER BY unit"
    )
    for row in rows:
        yield Finding(
            "twice",
            f"unit {row['unit']}",
            Text(f"có {row['n']} phiếu cho cùng một đơn vị mẫu", f"{row['n']} interviews of one sample unit"),
            Text("hủy phiếu thừa (survey review void)", "void the one too many (survey review void)"),
        )
    documents = store.rows(
        "SELECT subject_type, subject FROM documents WHERE json_array_length(heads) > 1"
        " AND NOT (subject_type = 'visit' AND subject LIKE 'f%') ORDER BY subject_type, subject"
    )
    for row in documents:
        yield Finding(
            "document",
            f"{row['subject_type']} {row['subject']}",
            Text("được sửa ở hai nơi cùng lúc", "changed in two places at once"),
            Text("xem lại và ban hành lại", "look at it and issue it again"),
        )


def _form_findings(store: Store) -> Iterator[Finding]:
    """Paper forms of which two laptops tell different things, and the villages that do not add up because of them."""
    rounds = dict.fromkeys(form.round for form in paper.forms(store))
    for round in rounds:
        for form in paper.forms(store, round):
            if form.state == DISPUTED:
                yield Finding(
                    "form",
                    f"form {form.serial}",
                    Text("các máy ghi khác nhau về phiếu giấy này", "laptops tell different things of this paper form"),
                    Text(
                        "tìm tờ phiếu rồi ghi lại ở trang Phiếu giấy", "find it, and record it anew under Paper forms"
                    ),
                )
        for village, tally in paper.tallies(store, round).items():
            if not tally.holds:
                yield Finding(
                    "forms",
                    f"round {round}, village {village}",
                    Text(
                        f"đã phát {tally.issued} phiếu nhưng thu {tally.collected} + chưa thu {tally.outstanding} + "
                        f"hỏng, mất {tally.lost}",
                        f"{tally.issued} forms handed out, but collected {tally.collected} + outstanding "
                        f"{tally.outstanding} + lost {tally.lost}",
                    ),
                    Text("đối chiếu các phiếu đã nêu", "settle the forms named above"),
                )


def _feed_findings(store: Store) -> Iterator[Finding]:
    rows = store.rows(
        "SELECT f.device, f.epoch, s.held, s.forked FROM feed_state s JOIN feeds f ON f.number = s.feed"
        " ORDER BY f.device, f.epoch"
    )
    for row in rows:
        where = f"device {row['device']} epoch {row['epoch']}"
        forked = json.loads(row["forked"])
        if forked:
            yield Finding(
                "forked",
                where,
                Text(
                    f"từ số {forked[0]} có hai chuỗi bản ghi khác nhau: ổ đĩa của máy này đã bị sao chép",
                    f"from number {forked[0]} on there are two lines of entries: this laptop's disk was cloned",
                ),
                _which(store, row["device"], row["epoch"]),
            )
        held = json.loads(row["held"])
        holes = [(before[1] + 1, after[0] - 1) for before, after in pairwise(held)]
        if held and held[0][0] > 1:
            holes.insert(0, (1, held[0][0] - 1))
        if holes:
            shown = ", ".join(f"{first}–{last}" if first < last else str(first) for first, last in holes)
            yield Finding(
                "gap",
                where,
                Text(f"chưa nhận được các bản ghi số {shown}", f"entries {shown} have not come"),
                Text("nhận nốt dữ liệu của máy này", "sync with this device again"),
            )


def _which(store: Store, device: str, epoch: str) -> Text:
    """What to do about a cloned disk. Both sides have the same keys, so only people can tell them apart: by who worked
    there and when, which the entries after the fork say."""
    if device == store.device:
        return Text(
            "cả hai đều được giữ; máy này tự mở chuỗi mới ở lần trao đổi sau",
            "both are kept; this laptop opens a new epoch by itself when it next exchanges",
        )
    rows = store.execute(
        "SELECT json_extract(CAST(r.header AS TEXT), '$.actor'), max(json_extract(CAST(r.header AS TEXT), '$.time'))"
        " FROM revisions r JOIN feeds f ON f.number = r.feed WHERE f.device = ? AND f.epoch = ? AND EXISTS"
        " (SELECT 1 FROM revisions o WHERE o.feed = r.feed AND o.seq = r.seq AND o.id <> r.id) GROUP BY 1 ORDER BY 1",
        (device, epoch),
    ).fetchall()
    name = frame.device_name(store, device)
    who = ", ".join(f"{actor or '?'} {time[:16].replace('T', ' ')}" for actor, time in rows)
    return Text(
        f"cả hai đều được giữ. Hai máy cùng tên “{name}” ({who}): máy là bản sao phải cài lại (survey init) "
        "để mở chuỗi mới; máy kia tự mở chuỗi mới ở lần trao đổi sau",
        f"both are kept. Two laptops are “{name}” ({who}): set the copy up anew (survey init), so that it opens a "
        "feed of its own; the other opens a new epoch by itself when it next exchanges",
    )


def _device_findings(store: Store) -> Iterator[Finding]:
    # A machine that confirmed no round key has enrolled nobody, and a laptop enrols nobody.
    enrols = store.role == "hub" and bool(confirmed(store))
    for row in store.rows("SELECT DISTINCT device FROM feeds ORDER BY device"):
        document = frame.document(store, "device", row["device"]) or {}
        where = f"device {row['device']}"
        if document and certified_by(document):
            continue
        if reason := document.get("revoked"):
            late, waiting = _came_after_its_document(store, row["device"]), _undecided(store, row["device"], late=True)
            yield Finding(
                "late" if waiting else "revoked",
                where,
                Text(
                    f"máy này đã bị thu hồi ({reason}); sau đó còn nhận {late} bản ghi của máy này"
                    f" ({waiting} phiếu chưa ai quyết định)",
                    f"this device was revoked ({reason}); {late} of its entries came after that"
                    f" ({many(waiting, 'interview')} undecided)",
                ),
                Text(
                    "hỏi người giữ máy, duyệt hoặc hủy từng phiếu đến sau",
                    "ask who had it, then approve or void each interview that came after",
                ),
            )
        else:
            waiting = _undecided(store, row["device"]) if enrols else 0
            yield Finding(
                "stranger" if waiting else "uncertified",
                where,
                Text(
                    f"máy này chưa được đăng ký vào đợt khảo sát; {waiting} phiếu của máy này chưa ai quyết định",
                    "this device is not enrolled; "
                    f"{many(waiting, 'interview of it is', 'interviews of it are')} undecided",
                )
                if waiting
                else Text("máy này chưa được đăng ký vào đợt khảo sát", "this device is not enrolled"),
                Text("đăng ký máy (survey device enrol)", "enrol it (survey device enrol)"),
            )


_LAST_WORD = (
    "SELECT coalesce(max(w.number), 0) FROM revisions w JOIN feeds o ON o.number = w.feed"
    " WHERE w.subject_type = 'device' AND w.subject = ? AND o.device <> ?"
)
"""The last word of others on a device: what it says about itself after that hides nothing."""


def _undecided(store: Store, device: str, *, late: bool = False) -> int:
    """How many interviews with content of this device nobody has approved or voided; with ``late`` only those of which
    something came after the last word on the device."""
    return int(
        store.value(
            "SELECT count(DISTINCT i.interview) FROM interviews i JOIN revisions r ON r.subject_type = 'interview'"
            " AND r.subject = i.interview JOIN feeds f ON f.number = r.feed"
            " WHERE f.device = ? AND i.state NOT IN ('approved', 'voided', 'erased') AND r.number >"
            f" CASE WHEN ? THEN ({_LAST_WORD}) ELSE 0 END",
            (device, late, device, device),
        )
    )


def _came_after_its_document(store: Store, device: str) -> int:
    """How many of a device's entries came here after the last word on the device itself. Of what came together nobody
    can tell which was first."""
    return int(
        store.value(
            "SELECT count(*) FROM revisions r JOIN feeds f ON f.number = r.feed WHERE f.device = ? AND r.number >"
            f" ({_LAST_WORD})",
            (device, device, device),
        )
    )


def _retention_findings(store: Store) -> Iterator[Finding]:
    """Rounds whose contact data should be gone by now."""
    for round in personal.due(store, now_text()[:10]):
        until = (frame.document(store, "round", round) or {}).get("contact_until", "")
        held = personal.contact_held(store, round)
        yield Finding(
            "retention",
            f"round {round}",
            Text(
                f"còn giữ {held} bản ghi dữ liệu liên hệ đã hết hạn ngày {until}",
                f"{held} records of contact data that were to be kept until {until} are still here",
            ),
            Text(
                "xóa trên máy chủ (survey erase --contact-due --as …, hoặc trang Dữ liệu cá nhân), rồi đồng bộ",
                "erase them on the hub (survey erase --contact-due --as …, or the page Personal data), then sync",
            ),
        )


def _request_findings(store: Store) -> Iterator[Finding]:
    """What respondents have asked for and nobody has answered or done in time."""
    today = now_text()[:10]
    for one in requests.everything(store):
        if late := one.late(today):
            name, day = REQUESTS[one.kind].name, one.answer_by if late == "answer" else one.do_by
            vi, en = ("trả lời", "answered") if late == "answer" else ("thực hiện", "done")
            yield Finding(
                "request",
                f"request {one.id}",
                Text(
                    f"yêu cầu của người dân ({name.vi}) phải {vi} chậm nhất ngày {day}",
                    f"what a respondent asked for ({name.en}) was to be {en} by {day}",
                ),
                Text(
                    "trang Dữ liệu cá nhân, hoặc survey request list", "the page Personal data, or survey request list"
                ),
            )
