"""What stays in memory between two pages: the settings, open stores, compiled questionnaires, and open paths.

Nothing here is the truth: everything can be dropped at any moment and is read again from the store.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock, RLock
from typing import Any

from flask import current_app, g, request

from survey.config import Config
from survey.errors import InputError
from survey.fieldwork import places
from survey.questionnaire.model import Answers, Questionnaire
from survey.questionnaire.path import Context, open_path
from survey.questionnaire.path import Path as Way
from survey.store import Store, access_log, current, drafts, fieldlog, frame, remarks
from survey.store.whereabouts import whereabouts
from survey.text import Text

PATIENCE = 2.0
"""Seconds for which a page counts what is new; what is left, the next one counts."""

_KEPT_PATHS = 8
"""Open interviews whose path stays evaluated; a laptop has one or two at a time."""


@dataclass
class Open:
    """An open draft: its row, its questionnaire, its unit, the path that follows from its answers, the comments
    at its questions, and why its unusual answers stay."""

    draft: dict[str, Any]
    unit: dict[str, Any]
    path: Way
    comments: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    """The paths that the enumerator marked to come back to."""
    alone: frozenset[str] = frozenset()
    """The paths that the respondent answered alone: what was said there is not for the enumerator."""
    asked: dict[str, str] = field(default_factory=dict)
    """What the supervisor asks about single questions of a returned interview, by path."""

    @property
    def questionnaire(self) -> Questionnaire:
        """The questionnaire with which the interview was begun; a newer one never changes it underneath."""
        return self.path.questionnaire


@dataclass
class Desk:
    """One process's memory over one instance."""

    instance: Path
    settings: Config
    now: Callable[[], datetime]
    lock: RLock = field(default_factory=RLock)
    """Held while one answer is worked on, so that two requests never build on the same state."""
    typed: dict[str, dict[str, tuple[list[str], str]]] = field(default_factory=dict)
    """interview -> path -> what was typed and could not be taken, so that no page loses it."""
    _handed: dict[str, tuple[str, int]] = field(default_factory=dict)
    _sheets: dict[str, tuple[tuple[str, ...], Any]] = field(default_factory=dict)
    practice: Desk | None = None
    """The desk of the practice store below the instance, once somebody practises."""
    wrong_passphrases: int = 0
    """How many were typed since this machine was last unlocked."""
    log_proved: access_log.Proved = access_log.NOTHING
    """How far the log of access held when its page was last drawn."""
    _views: tuple[str, dict[str, set[str]]] = field(default_factory=lambda: ("", {}))
    _questionnaires: dict[str, Questionnaire] = field(default_factory=dict)
    _paths: OrderedDict[str, tuple[int, Way]] = field(default_factory=OrderedDict)
    _idle: list[Store] = field(default_factory=list)
    _pool: Lock = field(default_factory=Lock)

    def take(self) -> Store:
        """An open store for one request. Kept open between requests: closing the last one would fold the whole
        write-ahead log into the file, which takes as long as several answers."""
        with self._pool:
            if self._idle:
                return self._idle.pop()
        return Store.open(self.instance)

    def give_back(self, store: Store) -> None:
        """Ends the use of a store that :meth:`take` gave."""
        with self._pool:
            self._idle.append(store)

    def close(self) -> None:
        """Closes every store that nobody uses; the server calls it when it stops."""
        with self._pool:
            while self._idle:
                self._idle.pop().close()
        if self.practice is not None:
            self.practice.close()

    def questionnaire(self, store: Store, hash: str) -> Questionnaire:
        """The compiled questionnaire with this hash. InputError when it has not come to this machine yet."""
        if hash not in self._questionnaires:
            compiled = frame.questionnaire(store, hash)
            if compiled is None:
                raise InputError(
                    hash,
                    Text("máy này chưa có bảng hỏi của phiếu này", "this laptop lacks the interview's questionnaire"),
                    Text(
                        "nhận lại tệp đợt khảo sát từ giám sát viên", "load the round file from your supervisor again"
                    ),
                )
            self._questionnaires[hash] = Questionnaire.from_json(compiled)
        return self._questionnaires[hash]

    def open(self, store: Store, interview: str) -> Open:
        """The open draft ``interview`` with its path. InputError when there is no such draft on this machine."""
        row = drafts.draft(store, interview)
        if row is None:
            drafts.answers(store, interview)  # says in words that there is none
            raise AssertionError("unreachable")
        unit = frame.unit(store, row["unit"]) or {"id": row["unit"]}
        unit |= fieldlog.respondent_columns(store, row["unit"])
        kept = self._paths.get(interview)
        if kept is None or kept[0] != row["changes"]:
            questionnaire = self.questionnaire(store, row["questionnaire_hash"])
            way = open_path(questionnaire, drafts.answers(store, interview), self.context(store, interview, unit, row))
            self.keep(interview, row["changes"], way)
        else:
            way = kept[1]
        return Open(
            row,
            unit,
            way,
            remarks.comments(store, interview),
            remarks.reasons(store, interview),
            remarks.flags(store, interview),
            remarks.alone(store, interview),
            _asked_again(store, row),
        )

    def keep(self, interview: str, changes: int, way: Way) -> None:
        """Remembers the path that follows from the draft's state after ``changes`` changes."""
        self._paths[interview] = (changes, way)
        self._paths.move_to_end(interview)
        while len(self._paths) > _KEPT_PATHS:
            self._paths.popitem(last=False)

    def hand_on(self, interview: str, lease: str, changes: int) -> None:
        """Remembers which page could write to an interview before the one that is being opened, and after how many
        changes."""
        self._handed[interview] = (lease, changes)

    def is_parting(self, interview: str, lease: str, changes: int) -> bool:
        """Whether an answer that a page sent while it was left may still be written: nothing has been written since the
        page that took its place was opened."""
        return bool(lease) and self._handed.get(interview) == (lease, changes)

    def forget(self, interview: str) -> None:
        """Drops what is remembered of an interview that is no draft any more."""
        self._paths.pop(interview, None)
        self._sheets.pop(interview, None)
        self._handed.pop(interview, None)
        self.typed.pop(interview, None)

    def remember_sheet(self, interview: str, *page: Any) -> None:
        """Keeps what the page of an interview shows now: ``page`` is its section, its languages, and the sheet."""
        self._sheets[interview] = (page[:-1], page[-1])

    def sheet(self, interview: str, *page: str) -> Any:
        """The sheet that the page of an interview shows, when it is the page meant; None after a restart."""
        known = self._sheets.get(interview)
        return known[1] if known and known[0] == page else None

    def noted_views(self, day: str) -> dict[str, set[str]]:
        """person -> the sample units whose contact data that person was shown on this day, as far as it is noted."""
        if self._views[0] != day:
            self._views = (day, {})
        return self._views[1]

    def context(self, store: Store, interview: str, unit: Mapping[str, Any], row: Mapping[str, Any]) -> Context:
        """What an interview knows of the world: its sample unit's columns, the time, who and where."""
        return Context(
            frame=frame_columns(unit),
            now=self.now(),
            username=str(row["actor"]),
            deviceid=store.device,
            interview=interview,
        )

    def read(self, store: Store, questionnaire_hash: str, unit: Mapping[str, Any], answers: Answers, row: Any) -> Way:
        """The path of answers that are not a draft here: for showing a sealed interview."""
        questionnaire = self.questionnaire(store, questionnaire_hash)
        return open_path(questionnaire, answers, self.context(store, row["interview"], unit, row))


def _asked_again(store: Store, row: Mapping[str, Any]) -> dict[str, str]:
    if not row["parents"]:
        return {}
    asked: dict[str, str] = {}
    for told in current.asked_again(store, row["interview"]):
        if told["question"]:
            asked[told["question"]] = "\n".join(filter(None, [asked.get(told["question"], ""), str(told["reason"])]))
    return asked


def frame_columns(unit: Mapping[str, Any]) -> dict[str, str]:
    """A unit's columns as texts: what ``hidden`` questions of the same name are filled with."""
    return {name: str(value) for name, value in unit.items() if isinstance(value, (str, int, float))}


def desk() -> Desk:
    """The desk of the app that answers this request; of a practice interview its own (:mod:`survey.web.practising`)."""
    found = g.get("desk") or current_app.extensions["survey"]
    assert isinstance(found, Desk)
    return found


def store() -> Store:
    """This request's store, opened at first use."""
    if "store" not in g:
        g.store = desk().take()
    held = g.store
    assert isinstance(held, Store)
    return held


def asked_round(rounds: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The round that the address or the form names, else the first; None when there is none."""
    named = request.values.get("round", "")
    return next((one for one in rounds if one.get("id") == named), rounds[0] if rounds else None)


def put_back(exception: BaseException | None = None) -> None:
    """Ends this request's use of its store."""
    held = g.pop("store", None)
    if held is not None:
        desk().give_back(held)


# -- the line on top ---------------------------------------------------------------------------------------------


def top_line() -> dict[str, Any]:
    """``where`` (the round that the address names, else one's own · place) and how many interviews are on this machine
    and confirmed by each tier."""
    from survey.web.words import pick

    counts = whereabouts(store(), PATIENCE)
    here = g.get("unit")
    mine = [here] if here else frame.units(store(), assignee=g.person["id"])
    rounds = {document.get("id"): document for document in frame.rounds(store())}
    named = str((request.view_args or {}).get("round") or request.args.get("round", ""))
    own = rounds.get(mine[0].get("round")) if mine else next(iter(rounds.values()), None)
    round_ = rounds.get(named) or own
    mine = mine if round_ is own else []
    where = [pick(round_.get("title")) if round_ else "", place(mine)]
    return {
        "where": " · ".join(word for word in where if word),
        "synthetic": bool(round_ and round_.get("synthetic")),
        "pilot": bool(round_ and round_.get("pilot")),
        "hub": store().role == "hub",
        "here": counts["device"],
        "supervisor": counts["supervisor"],
        "province": counts["province"],
    }


def place(units: list[dict[str, Any]]) -> str:
    """The narrowest place that all the units share: village, else commune, else province, in words."""
    for level in ("village", "commune", "province"):
        names = {place_name(unit, level) for unit in units}
        if len(names) == 1 and names != {""}:
            return names.pop()
    return ""


def place_name(unit: Mapping[str, Any], level: str) -> str:
    """A unit's village, commune or province: its name where the frame has one, else its code. Of a place that changed
    since the draw both names, with the date."""
    named = str(unit.get(f"{level}_name") or unit.get(level) or "")
    changes = _place_changes(str(unit.get("round", "")))
    if not changes:
        return named
    placed = places.placed_now(unit, changes, f"{desk().now():%Y-%m-%d}")
    if f"{level}_now" not in placed:
        return named
    from survey.web.words import day, t

    since = day(placed[f"{level}_since"])
    was = t(f"trước {since}: {named}", f"before {since}: {named}")
    return f"{placed[f'{level}_now_name']} ({was})"


def _place_changes(round: str) -> list[places.Change]:
    """What the round says of renamed, merged and split places; read once a request."""
    known: dict[str, list[places.Change]] = g.setdefault("place_changes", {})
    if round not in known:
        known[round] = places.changes(frame.document(store(), "round", round) or {})
    return known[round]
