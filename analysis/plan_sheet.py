"""The improvement plan as a table, an item a row: what was found at an indicator, why, who answers for it, the task,
who leads and who assists, until when, by what it is proved, how far it is. Pure.

A draft is made from scores; people fill in what only they know. Extracts go to agencies, come back filled, and are
collected: what two people say of one item by one agency is a conflict that keeps both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from typing import Any

from analysis.agencies import Whom
from analysis.ranking import GROUP_WORDS
from analysis.report.format import number
from analysis.standing import Part
from survey.errors import InputError, Problem, Problems
from survey.tables import Table
from survey.text import Text, fold

FINDINGS = {
    "strength": Text("ưu điểm cần phát huy", "strength to build on"),
    "weakness": Text("tồn tại, hạn chế", "weakness"),
}
STATUS = {
    "planned": Text("chưa thực hiện", "not begun"),
    "doing": Text("đang thực hiện", "under way"),
    "done": Text("đã hoàn thành", "done"),
    "stopped": Text("dừng (ghi lý do)", "stopped (say why)"),
}
STANDS = {**STATUS, "conflict": Text("báo cáo khác nhau", "reports differ")}
"""How an item stands in a quarter's report: as its lead says, or with reports that differ."""
HEADINGS = {
    "id": Text("Mã nhiệm vụ", "Item"),
    "code": Text("Mã chỉ số", "Code"),
    "name": Text("Chỉ số", "Indicator"),
    "finding": Text("Loại", "Kind"),
    "assessment": Text("Hiện trạng", "As it stands"),
    "cause": Text("Nguyên nhân", "Cause"),
    "responsible": Text("Trách nhiệm", "Who answers for it"),
    "task": Text("Nhiệm vụ", "Task"),
    "lead": Text("Cơ quan chủ trì", "Leads"),
    "assist": Text("Cơ quan phối hợp", "Assist"),
    "assigned": Text("Phân công", "Assignment"),
    "due": Text("Thời hạn", "Due"),
    "evidence": Text("Minh chứng", "Evidence"),
    "status": Text("Tình trạng", "Status"),
    "progress": Text("Kết quả thực hiện", "What was done"),
    "plan": Text("Kế hoạch", "Plan"),
    "agency": Text("Cơ quan báo cáo", "Reporting agency"),
    "role": Text("Vai trò", "Role"),
    "by": Text("Người điền", "Filled in by"),
}
"""Columns by name, with their headings in the files that people see; a file may use any of the three."""
ASSIGNED = {"suggested": Text("gợi ý, chưa xác nhận", "suggested, not confirmed")}
ROLES = {"lead": Text("chủ trì", "leads"), "assist": Text("phối hợp", "assists")}


@dataclass(frozen=True)
class Item:
    """One row of the plan. Texts but for ``assist``; ``due`` is an ISO date or empty; ``assigned`` is ``suggested``
    where nobody has confirmed the agencies yet."""

    id: str
    code: str = ""
    name: str = ""
    finding: str = ""
    assessment: str = ""
    cause: str = ""
    responsible: str = ""
    task: str = ""
    lead: str = ""
    assist: tuple[str, ...] = ()
    assigned: str = ""
    due: str = ""
    evidence: str = ""
    status: str = "planned"
    progress: str = ""

    @property
    def agencies(self) -> dict[str, str]:
        """Agency → ``lead`` or ``assist``."""
        return {**dict.fromkeys(self.assist, "assist"), **({self.lead: "lead"} if self.lead else {})}


@dataclass(frozen=True)
class Answer:
    """What one agency, by one person, reports on one item; ``where`` names the row of the file."""

    item: str
    agency: str
    status: str
    progress: str
    evidence: str
    by: str
    where: str


@dataclass(frozen=True)
class Collected:
    """The plan with what the agencies reported: answers by item, the items two people of one agency differ on, what no
    lead has reported, and rows that fit no item."""

    items: tuple[Item, ...]
    answers: Mapping[str, tuple[Answer, ...]]
    conflicts: Mapping[str, tuple[Answer, ...]]
    silent: tuple[Item, ...]
    problems: tuple[Problem, ...] = field(default=())

    def counts(self) -> dict[str, int]:
        """Items by status, those of conflicting answers under ``conflict``; they add up to all items."""
        found = dict.fromkeys(STANDS, 0)
        for item in self.items:
            found["conflict" if item.id in self.conflicts else item.status] += 1
        return found


# -- the draft ----------------------------------------------------------------------------------------------------


def draft(
    parts: Sequence[tuple[str, Part]], agencies: Mapping[str, Whom], language: str = "vi", since: str = ""
) -> list[Item]:
    """An item for each part ``(code of its parent, part)``: found a strength or a weakness, with the figures in words.

    ``agencies`` are those of the index by code (:func:`analysis.agencies.assigned`). A part's group decides; where
    there are too few units for groups, whether it stands above the mean of its siblings on its scale.
    """
    found = []
    for k, (parent, part) in enumerate(parts, 1):
        siblings = [other.place for above, other in parts if above == parent]
        mean = sum(siblings) / len(siblings)
        strong = part.group in ("best", "high_average") if part.group else part.place >= mean
        whom = agencies.get(part.code) or agencies.get(parent) or Whom(())
        lead, *assist = whom.names or ("",)
        found.append(
            Item(
                id=f"N{k:02d}",
                code=part.code,
                name=part.label(language),
                finding="strength" if strong else "weakness",
                assessment=assessment(part, language, since),
                lead=lead,
                assist=tuple(assist),
                assigned="suggested" if whom.suggested else "",
            )
        )
    return found


def assessment(part: Part, language: str, since: str = "") -> str:
    """How a part stands, as a draft says it: points, rank, group, change since an earlier round, room."""
    vi = language == "vi"
    told = [f"{number(part.value, 2, language)} điểm" if vi else f"scored {number(part.value, 2, language)}"]
    if part.ranked > 1:
        told.append(f"hạng {part.rank}/{part.ranked}" if vi else f"rank {part.rank} of {part.ranked}")
    if part.group:
        told.append(f"nhóm {GROUP_WORDS[part.group].vi}" if vi else f"group {GROUP_WORDS[part.group].en}")
    if part.broken:
        told.append(f"gãy chuỗi so với {since}" if vi else f"break of series since {since}")
    elif since and part.change == part.change:
        change = number(abs(part.change), 2, language)
        up = part.change >= 0
        told.append(
            f"{'tăng' if up else 'giảm'} {change} so với {since}"
            if vi
            else f"{'up' if up else 'down'} {change} since {since}"
        )
    if part.room == part.room:
        room = number(part.room, 2, language)
        told.append(f"còn dư địa {room} điểm" if vi else f"room of {room}")
    return ", ".join(told)


# -- as a table ---------------------------------------------------------------------------------------------------


def columns_of(table: Table) -> dict[str, str]:
    """Our column names by the table's own, which may be headings in either language."""
    known = {fold(word): name for name, words in HEADINGS.items() for word in (name, *words)}
    return {column: known[fold(column)] for column in table.columns if fold(column) in known}


def rows_of(items: Iterable[Item], language: str = "vi") -> list[dict[str, str]]:
    """The plan's rows as people see them: status and kind in words, agencies joined."""
    found = []
    for item in items:
        row: dict[str, Any] = asdict(item)
        row["assist"] = "; ".join(item.assist)
        row["finding"] = FINDINGS[item.finding](language) if item.finding else ""
        row["status"] = STATUS[item.status](language)
        row["assigned"] = ASSIGNED[item.assigned](language) if item.assigned else ""
        found.append({name: str(row[name]) for name in (entry.name for entry in fields(Item))})
    return found


def read_sheet(table: Table, agency: Callable[[str], str] = str) -> list[Item]:
    """The plan of a table. ``agency`` gives the name of an agency that a cell names, and raises InputError for none.

    Raises:
        Problems: everything wrong at once: no ids, an id twice, an unknown kind, status, date or agency.
    """
    names = columns_of(table)
    problems, found = [], []
    for wanted in ("id", "task"):
        if wanted not in names.values():
            problems.append(_missing(table, wanted))
    if problems:
        raise Problems(problems)
    seen: dict[str, int] = {}
    for k, row in enumerate(table.rows):
        cells = {ours: row[theirs] for theirs, ours in names.items()}
        item, wrong = _item(cells, table, k, agency)
        if item.id in seen:
            first = table.places[seen[item.id]]
            wrong.append(
                Problem(
                    table.where(k),
                    Text(f"mã {item.id} đã có ở dòng {first}", f"the item {item.id} stands in row {first} already"),
                    Text("đặt mã khác", "give it another id"),
                )
            )
        seen.setdefault(item.id, k)
        problems += wrong
        found.append(item)
    if problems:
        raise Problems(problems)
    return found


def _item(cells: Mapping[str, str], table: Table, k: int, agency: Callable[[str], str]) -> tuple[Item, list[Problem]]:
    wrong: list[Problem] = []
    kind, bad = _word(cells.get("finding", ""), FINDINGS)
    if bad:
        wrong.append(_unknown(table.where(k, "finding"), bad, FINDINGS))
    status, bad = _word(cells.get("status", "") or "planned", STATUS)
    if bad:
        wrong.append(_unknown(table.where(k, "status"), bad, STATUS))
    assigned, bad = _word(cells.get("assigned", ""), ASSIGNED)
    if bad:
        wrong.append(_unknown(table.where(k, "assigned"), bad, ASSIGNED))
    due = day_of(cells.get("due", ""))
    if due is None:
        wrong.append(
            Problem(
                table.where(k, "due"),
                Text(f"“{cells['due']}” không phải ngày", f"'{cells['due']}' is no date"),
                Text("ghi 30/9/2026 hoặc 2026-09-30", "write 2026-09-30 or 30/9/2026"),
            )
        )
    if not cells.get("id"):
        wrong.append(Problem(table.where(k, "id"), Text("thiếu mã", "the id is missing"), Text("đặt mã", "give one")))
    named = {"lead": cells.get("lead", ""), "assist": cells.get("assist", "")}
    listed: dict[str, list[str]] = {"lead": [], "assist": []}
    for column, text in named.items():
        for one in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
            try:
                listed[column].append(agency(one))
            except InputError as error:
                wrong.append(replace(error.problem, where=table.where(k, column)))
    plain = {name: cells.get(name, "") for name in ("id", "code", "name", "assessment", "cause", "responsible",
                                                    "task", "evidence", "progress")}  # fmt: skip
    return (
        Item(
            **plain,
            finding=kind,
            status=status or "planned",
            lead=next(iter(listed["lead"]), ""),
            assist=(*listed["lead"][1:], *listed["assist"]),
            due=due or "",
            assigned=assigned,
        ),
        wrong,
    )


def day_of(text: str) -> str | None:
    """A date as people write it (30/9/2026, 30.9.2026, 2026-09-30) in ISO form; "" for none, None for no date."""
    if not text.strip():
        return ""
    found = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", text.strip())
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1])).isoformat()
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return None


# -- extracts and what comes back ---------------------------------------------------------------------------------


def extracts(items: Iterable[Item]) -> dict[str, list[Item]]:
    """The items of each agency that leads or assists, by agency; what nobody has confirmed goes to none."""
    found: dict[str, list[Item]] = {}
    for item in (item for item in items if not item.assigned):
        for agency in item.agencies:
            found.setdefault(agency, []).append(item)
    return found


def read_answers(table: Table, plan: str) -> tuple[list[Answer], list[Problem]]:
    """What an extract reports, and what is wrong in it: rows of another plan, an unknown status. A row nobody touched
    (no status, nothing done, or still as it was sent) is no answer."""
    names = columns_of(table)
    if "id" not in names.values() or "agency" not in names.values():
        return [], [_missing(table, one) for one in ("id", "agency") if one not in names.values()]
    found, problems = [], []
    for k, row in enumerate(table.rows):
        cells = {ours: row[theirs] for theirs, ours in names.items()}
        if cells.get("plan") and cells["plan"] != plan:
            problems.append(
                Problem(
                    table.where(k),
                    Text(f"thuộc kế hoạch khác: {cells['plan']}", f"it belongs to another plan: {cells['plan']}"),
                    Text("gửi đúng tệp trích của kế hoạch này", "send the extract of this plan"),
                )
            )
            continue
        status, bad = _word(cells.get("status", ""), STATUS)
        if bad:
            problems.append(_unknown(table.where(k, "status"), bad, STATUS))
            continue
        if status in ("", "planned") and not cells.get("progress"):
            continue
        found.append(
            Answer(
                cells["id"],
                cells["agency"],
                status or "doing",
                cells.get("progress", ""),
                cells.get("evidence", ""),
                cells.get("by", ""),
                table.where(k),
            )
        )
    return found, problems


def collect(items: Sequence[Item], answers: Iterable[Answer]) -> Collected:
    """The plan with the answers in it. The lead's answer gives an item's status; without one, nothing changes.

    Answers of one agency on one item that say the same count once; that differ, are a conflict, and both are kept.
    """
    known = {item.id: item for item in items}
    by_item: dict[str, list[Answer]] = {}
    problems = []
    for answer in answers:
        if answer.item not in known:
            problems.append(
                Problem(
                    answer.where,
                    Text(f"kế hoạch không có nhiệm vụ {answer.item}", f"the plan has no item {answer.item}"),
                    Text("kiểm tra mã nhiệm vụ", "check the item's id"),
                )
            )
            continue
        held = by_item.setdefault(answer.item, [])
        if not any(_says(one) == _says(answer) for one in held):
            held.append(answer)
    conflicts = {
        item: tuple(answer for answer in held if sum(one.agency == answer.agency for one in held) > 1)
        for item, held in by_item.items()
    }
    conflicts = {item: held for item, held in conflicts.items() if held}
    done, silent = [], []
    for item in items:
        lead = [answer for answer in by_item.get(item.id, ()) if answer.agency == item.lead]
        if not lead:
            silent.append(item)
        if len(lead) == 1:
            told = lead[0]
            item = replace(item, status=told.status, progress=told.progress, evidence=told.evidence or item.evidence)
        done.append(item)
    return Collected(
        tuple(done),
        {item: tuple(held) for item, held in by_item.items()},
        conflicts,
        tuple(silent),
        tuple(problems),
    )


def _says(answer: Answer) -> tuple[str, ...]:
    return answer.agency, answer.status, answer.progress, answer.evidence


def _word(text: str, table: Mapping[str, Text]) -> tuple[str, str]:
    """The key of ``table`` that a word in either language means, and the word itself where it means none."""
    if not text.strip():
        return "", ""
    for key, words in table.items():
        if fold(text.strip()) in (key, fold(words.vi), fold(words.en)):
            return key, ""
    return "", text


def _unknown(where: str, word: str, table: Mapping[str, Text]) -> Problem:
    listed = Text(", ".join(words.vi for words in table.values()), ", ".join(words.en for words in table.values()))
    return Problem(
        where,
        Text(f"không hiểu “{word}”", f"'{word}' is not understood"),
        Text(f"chọn: {listed.vi}", f"one of {listed.en}"),
    )


def _missing(table: Table, name: str) -> Problem:
    words = HEADINGS[name]
    return Problem(
        f"{table.source}, column {name}",
        Text(f"thiếu cột “{words.vi}”", f"the column '{words.en}' is missing"),
        Text("thêm cột này", "add the column"),
    )
