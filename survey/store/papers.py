"""What the auditors' papers are made of (:mod:`survey.fieldwork.papers`), read without a single answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from survey.errors import InputError, NotAllowed
from survey.fieldwork.papers import Fieldwork, Handed, Interview, Machine, Unit, chosen_commune
from survey.fieldwork.reviewing import Rule
from survey.paper.states import Form
from survey.store import daysheet, feed, fieldlog, frame, paper, reading
from survey.store.store import Store
from survey.text import Text


def gather(
    store: Store,
    round: str,
    states: Collection[str] = ("approved",),
    *,
    commune: str = "",
    closed: Collection[str] = (),
) -> Fieldwork:
    """Everything that happened at the units of a round, or of one commune (its code or name); units of the communes in
    ``closed`` are left out. An interview in one of ``states`` is a valid form; where the round asks for two approvals,
    one that was approved once is as good as sealed.

    InputError for a commune that is not in the round, and where nothing happened yet; NotAllowed where all of it is
    closed.
    """
    documents = {str(unit["id"]): unit for unit in frame.units(store, round)}
    communes = {str(unit.get("commune", "")): str(unit.get("commune_name", "")) for unit in documents.values()}
    only = chosen_commune(commune, communes) if commune else ""
    volunteers = {str(unit["id"]) for unit in frame.units(store, round, list=frame.VOLUNTEER)}
    twice = Rule.of(frame.round_document(store, round)).second
    once = reading.approved_once(store) if twice else set()
    visits, rows, forms = defaultdict(list), defaultdict(list), defaultdict(list)
    for visit in frame.visits(store, round=round):
        visits[str(visit.get("unit", ""))].append(visit)
    for row in reading.interviews(store, round):
        rows[row["unit"]].append({**row, "state": _state(row, once)})
    for form in paper.forms(store, round):
        forms[form.unit].append(form)
    makers = reading.interviewers(store)
    private, chosen = frame.contacts(store, "unit"), _chosen(store, round)
    found = []
    for id in {*visits, *rows, *forms} & documents.keys():
        document = documents[id]
        place = str(document.get("commune", ""))
        if place in closed or (only and place != only):
            continue
        name, withheld = _name(store, id, private.get(id, {}), chosen.get(id))
        handed = tuple(_handed(store, form) for form in forms[id])
        own = [visit for visit in visits[id] if "serial" not in visit]
        found.append(
            Unit(
                id,
                str(document.get("order") or id[:8]),
                document.get("list") == "reserve",
                place,
                str(document.get("commune_name", "")),
                str(document.get("village", "")),
                str(document.get("village_name", "")),
                name,
                str(private.get(id, {}).get("address") or ""),
                withheld,
                tuple(fieldlog.codes(visits[id], rows[id])),
                tuple(day for visit in own if (day := _day(visit.get("time"))) is not None),
                tuple(str(visit.get("actor") or "") for visit in own),
                tuple(_interviews(rows[id], handed, makers, states)),
                handed,
            )
        )
    if not found and ({only} if only else set(communes)) <= set(closed):
        raise NotAllowed(
            commune or round,
            Text(
                "giấy tờ có tên người dân của xã mình không được in trước khi kết quả được công bố",
                "nobody prints the names of their own commune before the results are published",
            ),
            Text("giao việc này cho người của xã khác", "leave this to someone from another commune"),
        )
    if not found:
        raise InputError(
            commune or round,
            Text("chưa có lần đến, phiếu nào ở đây", "nobody has been here yet: no visit, interview or form"),
            Text("in sau khi các máy đã nộp phiếu", "print it after the laptops have handed over"),
        )
    people = {str(one["id"]): str(one.get("name") or one["id"]) for one in frame.people(store)}
    valid = sum(row["state"] in states for unit in volunteers for row in rows[unit])
    return Fieldwork(tuple(found), people, valid)


def machines(store: Store, day: str) -> list[Machine]:
    """The laptops of the day sheet; ``day`` is an ISO date."""
    return [
        Machine(
            frame.device_name(store, line.device),
            line.interviews,
            line.today,
            line.created,
            line.safe,
            line.open,
            f"{line.seq}: {daysheet.mark(line.head)}",
        )
        for line in daysheet.lines(store, day)
    ]


def _state(row: dict[str, Any], once: set[str]) -> str:
    return "sealed" if row["state"] == "approved" and row["interview"] in once else str(row["state"])


def _chosen(store: Store, round: str) -> dict[str, tuple[str, str]]:
    """Unit → (id of the event, name) of the person chosen in a household."""
    names = frame.contacts(store, "visit")
    return {
        unit: (str(event["id"]), str(names.get(event["id"], {}).get("name") or ""))
        for unit, event in fieldlog.respondents(store, round).items()
    }


def _name(store: Store, unit: str, private: dict[str, Any], chosen: tuple[str, str] | None) -> tuple[str, str]:
    """(name, why there is none) of who signs: the person chosen in the household, else whom the list names."""
    subject = ("visit", chosen[0]) if chosen else ("unit", unit)
    if name := chosen[1] if chosen else str(private.get("name") or ""):
        return name, ""
    if any(feed.is_erased(store, *one) or feed.is_contact_erased(store, *one) for one in (subject, ("unit", unit))):
        return "", "erased"
    head = store.value("SELECT head FROM documents WHERE subject_type = ? AND subject = ?", subject)
    header = feed.header(store, head) if head else None
    given = header is not None and "contact" in header.parts
    return "", "absent" if given and (chosen or not private) else "none"


def _handed(store: Store, form: Form) -> Handed:
    steps = {step["state"]: step for step in paper.history(store, form.id)}
    issued, collected, keyed = (steps.get(state, {}) for state in ("issued", "collected", "keyed"))
    keyed = keyed or steps.get("invalid", {})
    return Handed(
        form,
        _day(issued.get("time")),
        str(issued.get("by", "")),
        _day(collected.get("time")),
        str(collected.get("by", "")),
        str(keyed.get("by", "")),
    )


def _interviews(
    rows: Iterable[dict[str, Any]], handed: Iterable[Handed], makers: dict[str, list[str]], states: Collection[str]
) -> Iterable[Interview]:
    """An interview is of who sealed it first; one from a paper form of who collected that."""
    forms = {one.form.interview: one for one in handed if one.form.interview}
    for row in rows:
        form = forms.get(row["interview"])
        maker = next(iter(makers.get(row["interview"], ())), str(row["actor"]))
        by = (form.collected_by or form.issued_by or maker) if form else maker
        yield Interview(row["state"], row["state"] in states, by, form.form.serial if form else "")


def _day(time: object) -> date | None:
    try:
        return date.fromisoformat(str(time)[:10])
    except ValueError:
        return None
