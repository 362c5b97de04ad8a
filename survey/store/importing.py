"""Forms that were keyed elsewhere become sealed interviews: of the drawn unit that a row names, else of a volunteer.

The interview follows from the form, the unit or the row's key, so a file that is brought again changes nothing. All of
a file is brought or none of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from survey.errors import Problem, Problems, SurveyError
from survey.paper import validity
from survey.paper.fields import fields
from survey.paper.importing import Row
from survey.paper.states import Form
from survey.questionnaire.model import Answers, Questionnaire, generic
from survey.questionnaire.path import Context, open_path
from survey.store import decisions, drafts, feed, frame, keying, paper, reading
from survey.store.header import CONTENT_KINDS, Header
from survey.store.store import Store, now_text
from survey.text import Text

_SPACE = uuid.UUID("c0f6a3f1-6a53-4d1f-9c1b-0d3f5f0e8a21")


@dataclass
class Brought:
    """What became of the rows of a file: how many interviews of drawn units and of volunteers are new, corrected or as
    they were, how many are not valid by the round's rule, and how many refused consent and left no interview."""

    drawn: int = 0
    volunteers: int = 0
    corrected: int = 0
    unchanged: int = 0
    invalid: int = 0
    refused: int = 0
    interviews: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    """Where a row belongs: its interview, its unit (None: a volunteer's), the paper form that it was keyed from."""

    interview: str
    unit: Mapping[str, Any] | None
    form: Form | None


class _Wrong(Exception):
    """A row that cannot be brought; all of them are told at once."""

    def __init__(self, what: Text, todo: Text):
        self.what, self.todo = what, todo
        super().__init__(what.en)


def bring(
    store: Store,
    round_document: Mapping[str, Any],
    questionnaire: Questionnaire,
    rows: Sequence[Row],
    *,
    source: str,
    mode: str,
    correct: bool = False,
    problems: Iterable[Problem] = (),
    actor: str = "",
    now: datetime | None = None,
) -> Brought:
    """Brings the rows of the file ``source`` into a round, in one transaction.

    A row that says something else than when it was last brought is refused, or with ``correct`` becomes a corrected
    version that waits for approval again. Raises Problems for all rows that cannot be brought, ``problems`` (of the
    cells) among them; nothing is changed then.
    """
    done, wrong, seen = Brought(), list(problems), dict[str, str]()
    writer = _Writer(store, round_document, questionnaire, source, mode, correct, actor, now, done)
    with store.transaction():
        for row in rows:
            try:
                if not row.unit and (not row.key or row.key in seen):
                    continue  # told among the problems of the cells
                place = writer.place(row)
                earlier = seen.get(place.interview, "")
                if earlier:
                    raise _Wrong(
                        Text(f"cùng đơn vị mẫu với {earlier}", f"names the same unit as {earlier}"),
                        Text("mỗi đơn vị mẫu chỉ có một phiếu", "a unit has one interview"),
                    )
                seen[place.interview] = seen[row.key] = row.where
                writer.write(row, place)
            except _Wrong as found:
                wrong.append(Problem(row.where, found.what, found.todo))
            except SurveyError as found:
                wrong.append(Problem(f"{row.where}, {found.problem.where}", found.problem.what, found.problem.todo))
        if wrong:
            raise Problems(wrong)
    return done


class _Writer:
    def __init__(
        self,
        store: Store,
        round_document: Mapping[str, Any],
        questionnaire: Questionnaire,
        source: str,
        mode: str,
        correct: bool,
        actor: str,
        now: datetime | None,
        done: Brought,
    ):
        self.store, self.round, self.questionnaire = store, round_document, questionnaire
        self.source, self.mode, self.correct, self.actor, self.done = source, mode, correct, actor, done
        self.now = now or datetime.now().astimezone()
        self.rule = validity.rule_of(round_document)
        self.boxes = fields(questionnaire)
        self.private = {node.path for node in questionnaire.walk() if node.contact}
        self.units: dict[str, dict[str, Any]] = {}
        drawn = frame.units(store, self.id)
        for unit in drawn:
            self.units |= {str(unit["frame_id"]): unit} if unit.get("frame_id") else {}
        self.units |= {str(unit["id"]): unit for unit in drawn}
        self.at_units: dict[str, list[dict[str, Any]]] = {}
        for one in reading.interviews(store, self.id):
            if one["state"] not in ("voided", "erased"):
                self.at_units.setdefault(one["unit"], []).append(one)

    @property
    def id(self) -> str:
        return str(self.round["id"])

    # -- where a row belongs -----------------------------------------------------------------------------------------

    def place(self, row: Row) -> _Place:
        volunteer = self._interview("volunteer", row.key)
        if not row.unit:
            return _Place(volunteer, None, None)
        if row.key and reading.interviews(self.store, interview=volunteer):
            raise _Wrong(
                Text("dòng này đã được nhập là phiếu tự nguyện", "this row was brought as a volunteer's"),
                Text("hủy phiếu đó trước: survey review void", "void that one first: survey review void"),
            )
        unit, form = self.units.get(row.unit), None
        if unit is None:
            form = self._form(row.unit)
            unit = self.units.get(form.unit) if form else None
        elif self.mode == "paper":
            left = [one for one in paper.forms(self.store, self.id, str(unit["id"])) if one.state != "lost"]
            form = left[0] if len(left) == 1 else None
        if unit is None:
            raise _Wrong(
                Text(f"không có đơn vị mẫu hoặc số phiếu {row.unit!r}", f"no unit or form has the number {row.unit!r}"),
                Text("sửa lại, hoặc để trống nếu là người tự nguyện", "correct it, or leave it empty for a volunteer"),
            )
        own = keying.interview_of(form) if form else self._interview("unit", str(unit["id"]))
        others = [one for one in self.at_units.get(str(unit["id"]), ()) if one["interview"] != own]
        if others:
            raise _Wrong(
                Text("đơn vị mẫu này đã có phiếu", "this unit has an interview already"),
                Text("bỏ dòng này, hoặc hủy phiếu kia", "leave the row out, or void the other interview"),
            )
        return _Place(own, unit, form)

    def _interview(self, *what: str) -> str:
        return str(uuid.uuid5(_SPACE, "\x1f".join((self.id, *what))))

    def _form(self, text: str) -> Form | None:
        try:
            serial = paper.read_serial(text, dict(self.round))
        except SurveyError:
            return None  # no serial of this round: told as a number that nothing here has
        found = paper.form(self.store, self.id, serial)
        if found is None:
            raise _Wrong(
                Text("phiếu này chưa được ghi là đã phát", "this form was not recorded as handed out"),
                Text("ghi phát phiếu trước", "record the hand-out first"),
            )
        return found

    # -- what becomes of it ------------------------------------------------------------------------------------------

    def write(self, row: Row, place: _Place) -> None:
        unit = place.unit or self._volunteer(row, place)
        stamp = row.time or self.now
        known = reading.interviews(self.store, interview=place.interview)
        head = known[0]["head"] if known else ""
        context = Context(
            frame={name: str(value) for name, value in unit.items() if isinstance(value, (str, int, float))},
            now=stamp,
            username=self.actor,
            deviceid=self.store.device,
            interview=place.interview,
        )
        begun = open_path(self.questionnaire, {}, context)
        filled = {p: value for p, value in begun.initial.items() if generic(p) not in self.boxes}
        answers: Answers = {**filled, **{p: drafts.clean(value) for p, value in row.answers.items()}}
        answers = validity.whole(open_path(self.questionnaire, answers, context), answers)
        path = open_path(self.questionnaire, answers, context)
        verdict = validity.judge(path, self.rule)
        if known:
            self._check_known(known[0], verdict)
        if verdict.refused:
            self._refused(row, place, verdict)
            return
        parts = [{p: drafts.clean(v) for p, v in part.items()} for part in validity.sealed(path, answers)]
        if place.unit is None:
            frame.issue(self.store, "unit", str(unit["id"]), unit, actor=self.actor, now=self.now)
        if known and not self._changed(place.interview, self._told(*parts)):
            self.done.unchanged += 1
            return
        head = self._append(place, str(unit["id"]), parts, path, answers, row, verdict, [head] if head else [])
        self._count(place, verdict, first=not known)
        self._record(row, place, str(unit["id"]), head, verdict)

    def _volunteer(self, row: Row, place: _Place) -> dict[str, Any]:
        return {
            **row.place,
            "id": "u" + uuid.UUID(place.interview).hex,
            "round": self.id,
            "list": frame.VOLUNTEER,
        }

    def _check_known(self, known: Mapping[str, Any], verdict: validity.Verdict) -> None:
        if known["state"] == "erased":
            raise _Wrong(
                Text("phiếu này đã được xóa theo yêu cầu", "this interview was erased on request"),
                Text("bỏ dòng này khỏi tệp", "take the row out of the file"),
            )
        if known["state"] == "conflict" or known["draft"]:
            raise _Wrong(
                Text("phiếu này đang làm dở hoặc có hai bản khác nhau", "this interview is open, or has two versions"),
                Text("hoàn thành hoặc giải quyết trước", "finish or settle it first"),
            )
        if verdict.refused:
            raise _Wrong(
                Text("nay dòng này ghi không đồng ý", "now says that consent is refused"),
                Text("hủy phiếu đó rồi bỏ dòng này khỏi tệp", "void that interview and take the row out of the file"),
            )

    def _told(self, *parts: Mapping[str, Any]) -> Answers:
        """The answers to questions, wherever they are kept: what a row can say."""
        return {p: value for part in parts for p, value in part.items() if generic(p) in self.boxes}

    def _changed(self, interview: str, told: Answers) -> bool:
        """Whether the row says something else than when it was last brought. Raises _Wrong for one not allowed."""
        last = self._last_brought(interview)
        if last is None:
            raise _Wrong(
                Text("phiếu này đã nhập trên máy rồi", "this form was keyed on a laptop already"),
                Text("bỏ dòng này khỏi tệp", "take the row out of the file"),
            )
        held = [feed.part_json(self.store, last.id, name) or {} for name in ("answers", "off_path", "contact")]
        before = self._told(*held)
        paths = sorted(p for p in {*before, *told} if before.get(p) != told.get(p))
        same_mode = (feed.part_json(self.store, last.id, "paradata") or {}).get("mode") == self.mode
        if not paths and same_mode:
            return False
        listed = ", ".join(p.rpartition("/")[2] for p in paths[:6]) + (", …" if len(paths) > 6 else "") or "#mode"
        row = reading.interviews(self.store, interview=interview)[0]
        if row["head"] != last.id:
            raise _Wrong(
                Text(f"dòng đã đổi ({listed}), phiếu cũng đã được sửa", f"changed ({listed}); so did the interview"),
                Text("sửa trên phiếu, rồi bỏ dòng này", "correct the interview itself, and leave the row out"),
            )
        if not self.correct:
            raise _Wrong(
                Text(f"khác với lần nhập trước: {listed}", f"is not as it was brought before: {listed}"),
                Text("nếu đúng là sửa lại: thêm --correct", "if these are corrections: add --correct"),
            )
        return True

    def _last_brought(self, interview: str) -> Header | None:
        found = None
        for header in feed.revisions(self.store, "interview", interview):
            told = feed.part_json(self.store, header.id, "paradata") if header.kind in CONTENT_KINDS else None
            found = header if (told or {}).get("imported") else found
        return found

    def _append(
        self,
        place: _Place,
        unit: str,
        parts: Sequence[Answers],
        path: Any,
        answers: Answers,
        row: Row,
        verdict: validity.Verdict,
        parents: list[str],
    ) -> str:
        paradata: dict[str, Any] = {
            "mode": self.mode,
            "imported": {"source": self.source, "row": row.number, "time": now_text(self.now)},
            **({"form": place.form.serial} if place.form else {}),
            **({"started": row.time.isoformat(timespec="seconds")} if row.time else {}),
            "flags": validity.flags(path, answers),
            "disposition": "1.1" if verdict.valid else "2.12",
            "events": [],
        }
        named: dict[str, Any] = {"answers": parts[0], "off_path": parts[1], "contact": parts[2], "paradata": paradata}
        return feed.append(
            self.store,
            subject_type="interview",
            subject=place.interview,
            kind="corrected" if parents else "sealed",
            parts={name: part for name, part in named.items() if part or name == "answers"},
            parents=parents,
            target=unit,
            questionnaire_hash=self.questionnaire.hash,
            actor=self.actor,
            now=self.now,
        )

    def _count(self, place: _Place, verdict: validity.Verdict, *, first: bool) -> None:
        self.done.interviews.append(place.interview)
        self.done.invalid += not verdict.valid
        if not first:
            self.done.corrected += 1
        elif place.unit is None:
            self.done.volunteers += 1
        else:
            self.done.drawn += 1

    def _record(self, row: Row, place: _Place, unit: str, head: str, verdict: validity.Verdict) -> None:
        """Says what came of it: voided where it is not valid, and in the form's steps or the unit's visits."""
        if not verdict.valid:
            reason = f"phiếu không hợp lệ: {verdict.reason.vi} / not valid: {verdict.reason.en}"
            decisions.decide(self.store, place.interview, "voided", head, reason, self.actor, now=self.now)
        if place.form is not None:
            self._keyed(place.form, "keyed" if verdict.valid else "invalid", verdict, place.interview)
        elif place.unit is not None:
            self._visit(row, unit, "1.1" if verdict.valid else "2.12", place.interview)

    def _refused(self, row: Row, place: _Place, verdict: validity.Verdict) -> None:
        """Someone who did not agree leaves no answers: only that the unit refused."""
        self.done.refused += 1
        if place.form is not None:
            if place.form.state != "invalid":
                self._keyed(place.form, "invalid", verdict, "")
        elif place.unit is not None:
            self._visit(row, str(place.unit["id"]), "2.112", "")

    def _keyed(self, form: Form, state: str, verdict: validity.Verdict, interview: str) -> None:
        if form.state == "issued":
            form = paper.record(self.store, self.id, form, "collected", self.actor, now=self.now)
        reason = verdict.reason.vi
        paper.record(self.store, self.id, form, state, self.actor, reason=reason, interview=interview, now=self.now)

    def _visit(self, row: Row, unit: str, code: str, interview: str) -> None:
        """The visit that the form stands for; the same again where the file is brought again."""
        identity = "v" + uuid.uuid5(_SPACE, f"{self.id}\x1fvisit\x1f{unit}\x1f{code}").hex
        if frame.document(self.store, "visit", identity) is not None:
            return
        document = {
            "id": identity,
            "unit": unit,
            "round": self.id,
            "disposition": code,
            "time": (row.time or self.now).isoformat(timespec="seconds"),
            "interview": interview,
        }
        kept = {name: value for name, value in document.items() if value != ""}
        frame.issue(self.store, "visit", identity, kept, actor=self.actor, now=self.now)
