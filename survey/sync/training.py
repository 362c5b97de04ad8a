"""Practice sets of a round: made, changed and dropped where the round is signed; how everybody did. Pages and commands
both call this."""

from __future__ import annotations

import csv
import io
import secrets
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from survey.errors import InputError
from survey.fieldwork.practice import OUTCOMES, Key, Score, key_of, read_key
from survey.questionnaire.model import Questionnaire
from survey.store import frame, practice, reading
from survey.store.store import Store
from survey.sync import rounds
from survey.sync.founding import both
from survey.text import Text

if TYPE_CHECKING:
    from survey.tables import Table


def set_from_table(
    store: Store, round: str, table: Table, title: str, least: str, *, set: str = "", actor: str = ""
) -> dict[str, Any]:
    """Keeps a practice set whose key is a table (:func:`survey.fieldwork.practice.read_key`); returns it.

    ``set`` names one to be replaced, or is the id of the new one (default: a random one); ``least`` is the per cent
    that pass. Problems for rows that cannot be used, InputError for the rest, NotAllowed where the round was signed
    elsewhere; nothing is written then.
    """
    hash = str(frame.round_document(store, round)["questionnaire_hash"])
    rows = [(table.where(number), row) for number, row in enumerate(table.rows)]
    key = read_key(Questionnaire.from_json(frame.compiled(store, hash)), table.columns, rows)
    return _keep(store, round, key, hash, title, least, set, actor)


def set_from_interview(
    store: Store,
    practice_store: Store,
    round: str,
    interview: str,
    title: str,
    least: str,
    *,
    set: str = "",
    actor: str = "",
) -> dict[str, Any]:
    """Keeps a practice set whose key is a practice interview that the trainer filled, otherwise as
    :func:`set_from_table`. InputError when there is no such practice interview of this round."""
    content = reading.content(practice_store, interview)
    unit = frame.unit(practice_store, str(content["unit"])) or {}
    if unit.get("round") != round:
        raise InputError(
            interview,
            Text("phiếu tập huấn này của đợt khác", "this practice interview is of another round"),
            Text("chọn phiếu khác", "choose another"),
        )
    hash = str(content["questionnaire_hash"])
    key = key_of(Questionnaire.from_json(frame.compiled(store, hash)), content["answers"])
    return _keep(store, round, key, hash, title, least, set, actor)


def _keep(
    store: Store, round: str, key: Key, hash: str, title: str, least: str, set: str, actor: str
) -> dict[str, Any]:
    known = {str(one["id"]): one for one in frame.round_document(store, round).get("practice") or ()}
    before = known.get(set, {})
    if not title.strip() and not before:
        raise InputError(
            "title",
            Text("bài tập huấn chưa có tên", "the practice set has no title"),
            Text("ghi tên, ví dụ Tình huống 1", "write one, like Scene 1"),
        )
    if not (least.isascii() and least.isdigit() and 0 < int(least) <= 100):
        raise InputError(
            f"pass {least}",
            Text("điểm đạt là số từ 1 đến 100", "what passes is a number from 1 to 100"),
            Text("ghi ví dụ 80", "write 80, for example"),
        )
    made: dict[str, Any] = {
        "id": set or "t" + secrets.token_hex(4),
        "title": both(title, "") if title.strip() else before["title"],
        "pass": least,
        "questionnaire_hash": hash,
        "columns": before.get("columns") or practice.place_of(store, round),
        "key": key,
    }
    _issue(store, round, {**known, str(made["id"]): made}, actor)
    return made


def drop(store: Store, round: str, set: str, actor: str = "") -> None:
    """Takes a practice set out of its round. InputError when there is none."""
    known = {str(one["id"]): one for one in frame.round_document(store, round).get("practice") or ()}
    if known.pop(set, None) is None:
        raise _unknown(set, known)
    _issue(store, round, known, actor)


def _issue(store: Store, round: str, sets: dict[str, Any], actor: str) -> None:
    document = {name: value for name, value in frame.round_document(store, round).items() if name != "practice"}
    rounds.issue_round(store, {**document, **({"practice": list(sets.values())} if sets else {})}, actor)


def _unknown(set: str, known: dict[str, Any]) -> InputError:
    listed = ", ".join(known) or "–"
    return InputError(
        set,
        Text("không có bài tập huấn này", "there is no such practice set"),
        Text(f"các bài có: {listed}", f"sets here: {listed}"),
    )


def chosen(store: Store, round: str, set: str = "") -> dict[str, Any]:
    """One practice set of a round; without ``set`` the only one. InputError when none is meant."""
    known = {str(one["id"]): one for one in practice.sets(store) if one["round"] == round}
    if not set and len(known) == 1:
        return next(iter(known.values()))
    if set not in known:
        raise _unknown(set, known)
    return known[set]


# -- how everybody did ---------------------------------------------------------------------------------------------


class Result(NamedTuple):
    """How one person did: by the last attempt, with the per cent of the first and how many there were."""

    person: str
    team: str
    attempts: int
    first: float
    last: Score
    counts: Counter[str]
    passed: bool
    time: str
    """when the last attempt ended, by the laptop's clock"""


def is_passed(score: Score, set: dict[str, Any]) -> bool:
    """Whether enough is right for this set."""
    return score.percent >= float(set["pass"])


def results(store: Store, set: dict[str, Any]) -> list[Result]:
    """Everybody who played a set, by person."""
    found: dict[str, list[dict[str, Any]]] = {}
    for attempt in practice.attempts(store, set["round"], set["id"]):
        found.setdefault(str(attempt["actor"]), []).append(attempt)
    teams = {str(one["id"]): str(one.get("team") or "") for one in frame.people(store)}
    made = []
    for person, own in sorted(found.items()):
        last: Score = own[-1]["score"]
        counts = Counter(mark.outcome for mark in last.marks)
        made.append(
            Result(
                person,
                teams.get(person, ""),
                len(own),
                own[0]["score"].percent,
                last,
                counts,
                is_passed(last, set),
                str(own[-1]["time"]),
            )
        )
    return made


def table(store: Store, set: dict[str, Any], language: str, label: Callable[[str], str]) -> list[list[str | float]]:
    """The results as rows for an office: head, a row a person, a column a question; last how often each was right."""
    names = {str(one["id"]): str(one.get("name") or one["id"]) for one in frame.people(store)}
    head = [
        Text("họ tên", "name"),
        Text("nhóm", "team"),
        Text("số lần làm", "attempts"),
        Text("lần đầu, %", "first, %"),
        Text("lần cuối, %", "last, %"),
        Text("đạt", "passed"),
        *OUTCOMES.values(),
    ]
    rows: list[list[str | float]] = [[*(text(language) for text in head), *(label(path) for path in set["key"])]]
    found = results(store, set)
    yes, no = Text("đạt", "passed")(language), Text("chưa đạt", "not passed")(language)
    for one in found:
        marks = [OUTCOMES[mark.outcome](language) for mark in one.last.marks]
        figures = [one.attempts, round(one.first, 1), round(one.last.percent, 1)]
        counts = [one.counts[name] for name in OUTCOMES]
        rows.append([names.get(one.person, one.person), one.team, *figures, yes if one.passed else no, *counts, *marks])
    right: Counter[str] = Counter(mark.path for one in found for mark in one.last.marks if mark.outcome == "right")
    blank = [""] * (len(head) - 1)
    rows.append([Text("số người đúng", "people right")(language), *blank, *(right[path] for path in set["key"])])
    return rows


def as_csv(rows: list[list[str | float]]) -> bytes:
    """A table as CSV with a byte order mark, for people."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(rows: list[list[str | float]]) -> bytes:
    """A table as a workbook; needs the analysis part."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "B2"
    sheet.column_dimensions["A"].width = 28
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
