"""Setting up a round: instrument, frame, draw, people. The command line and the pages *Lập đợt* both call this."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from survey.errors import InputError, Problems
from survey.fieldwork import frames, independence, sampling
from survey.store import frame
from survey.store.store import Store
from survey.sync import rounds, staffing
from survey.text import Text, nfc
from survey.vocabulary import ROLES

if TYPE_CHECKING:
    from survey.tables import Table


def both(vi: str, en: str) -> dict[str, str]:
    """A text in two languages; the Vietnamese stands in where there is no English."""
    return {"vi": nfc(vi), "en": nfc(en) or nfc(vi)}


def create_round(store: Store, source: str | Path, document: Mapping[str, Any], actor: str = "") -> dict[str, Any]:
    """Compiles the instrument ``source`` (an id, a folder or an .xlsx) and issues the round ``document`` (``id``,
    ``title``, and what else the caller knows) under this hub's round key; returns the whole document.

    Problems lists everything wrong with the instrument. InputError for an id that is taken or not usable, dates in
    the wrong order, or an instrument without questions; nothing is written then.
    """
    from survey.questionnaire import xlsform

    name = str(document["id"])
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", name):
        raise InputError(
            f"round {name!r}",
            Text(
                "mã đợt bắt đầu bằng một chữ cái, chỉ gồm chữ không dấu và số",
                "an id begins with a letter and has only plain letters and digits",
            ),
            Text("ghi lại, ví dụ r2026", "write another, like r2026"),
        )
    starts, ends = str(document.get("starts") or ""), str(document.get("ends") or "")
    if starts and ends and ends < starts:
        raise InputError(
            f"round {name}",
            Text("ngày kết thúc trước ngày bắt đầu", "the last day is before the first"),
            Text("sửa một trong hai ngày", "correct one of the two"),
        )
    questionnaire = xlsform.load(xlsform.find(source))
    if not questionnaire.nodes:
        raise InputError(
            str(source),
            Text("bộ này chỉ có cây chỉ số, không có câu hỏi", "this has an index and no questions"),
            Text("chọn bộ phiếu có câu hỏi", "choose an instrument with questions"),
        )
    whole = {
        "legal_basis": both("", ""),
        "label": both("", ""),
        "level": 0.95,
        "synthetic": False,
        "frame_columns": [],
        **document,
        "starts": starts,
        "ends": ends,
        "questionnaire_hash": questionnaire.hash,
        "index": questionnaire.id,
    }
    with store.transaction():
        if frame.document(store, "round", name):
            raise InputError(
                f"round {name}",
                Text("đã có đợt mang mã này", "there is a round with this id"),
                Text("chọn mã khác", "choose another id"),
            )
        media: dict[str, bytes | None] = {**xlsform.media_files(source, questionnaire)}
        compiled = questionnaire.to_json()
        frame.issue(store, "questionnaire", questionnaire.hash, compiled, actor=actor, blobs=media)
        rounds.issue_round(store, whole, actor=actor)
    return whole


class Imported(NamedTuple):
    """What came of a frame: rows, the columns that units keep, those kept apart as contact data, and the office's own
    headings of the latter."""

    rows: int
    columns: list[str]
    contact: list[str]
    headings: list[str]


def import_frame(
    store: Store, round: str, table: Table, shape: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] | None = None
) -> Imported:
    """Keeps an office's list as the frame of ``round``; ``shape`` makes other rows of them first (people of cases).
    Problems names every bad row; nothing is kept then."""
    from survey.tables import plain_numbers

    if not table.rows:
        raise InputError(
            str(table.source),
            Text("bảng chỉ có dòng tên cột", "the table has only its header"),
            Text("chọn tệp khác", "choose another"),
        )
    names = frames.standard_names(table.columns)
    plain = plain_numbers(table)
    rows, private = frames.frame_rows(plain, names), frames.private_columns(plain, names)
    if shape is not None:
        rows = shape(rows)
    count = frame.import_frame(store, round, rows)
    return Imported(
        count,
        [name for name in (rows[0] if rows else {}) if name != "contact"],
        [name for name in names.values() if name in private],
        [heading for heading, name in names.items() if name in private],
    )


def draw_sample(
    store: Store,
    round: str,
    plan: Sequence[sampling.Stage],
    seed: str,
    strata: Sequence[str],
    people: Sequence[str],
    actor: str = "",
    reason: str = "",
    watch: Callable[[int], AbstractContextManager[Callable[[int], object]]] = lambda total: nullcontext(int),
) -> list[dict[str, Any]]:
    """Draws the sample of ``round`` from its frame and issues one document per unit; returns them.

    ``people``: ids of enumerators, who get the primary units in turn. ``watch(total)`` gives a context in which a
    function is told how many more are written. The round keeps how it was drawn. ``reason``: why people get units at
    which their employer is rated; a unit's own ``assignee_reason`` in the frame goes before. InputError when there is a
    sample already, no frame, an unknown person or a plan that makes no draw; Problems for what the frame lacks, and for
    people who need such a reason. One transaction: all or nothing.
    """
    document = frame.round_document(store, round)
    if frame.units(store, round):
        raise InputError(
            f"round {round}",
            Text("đợt này đã có mẫu", "this round has a sample already"),
            Text("tạo đợt mới để chọn lại", "make a new round to draw again"),
        )
    for name in people:
        if frame.person(store, name) is None:
            raise InputError(
                f"--assign {name}",
                Text("không có người mang mã này", "there is no person with this id"),
                Text("xem: survey user list", "see: survey user list"),
            )
    rows = frame.frame_rows(store, round)
    if not rows:
        raise InputError(
            f"round {round}",
            Text("đợt này chưa có khung mẫu", "this round has no frame yet"),
            Text("nhập danh sách trước: survey frame import", "import the list first: survey frame import"),
        )
    _check_order(plan)
    contact = {row["id"]: row.pop("contact") for row in rows}
    units = _with_reasons(store, unit_documents(sampling.draw(rows, plan, seed, "id", strata), round, people), reason)
    with watch(len(units)) as advance, store.transaction():
        for unit in units:
            frame.issue(store, "unit", unit["id"], unit, contact[unit["frame_id"]], actor=actor)
            advance(1)
        columns = [column for column in rows[0] if column not in ("id", independence.REASON)]
        how = {"seed": seed, "strata": list(strata), "stages": [write_stage(stage) for stage in plan]}
        rounds.issue_round(store, {**document, "frame_columns": columns, "draw": how}, actor=actor)
    return units


def _with_reasons(store: Store, units: list[dict[str, Any]], reason: str) -> list[dict[str, Any]]:
    """The units, those at which the assignee's employer is rated with the reason why it is them all the same."""
    known = {str(one["id"]): one for one in frame.people(store)}
    lacking: dict[str, int] = {}
    made = []
    for unit in units:
        own = str(unit.get(independence.REASON) or "").strip() or reason
        document = {name: value for name, value in unit.items() if name != independence.REASON}
        person = known.get(str(unit["assignee"]))
        if person is not None and independence.is_tied(person, unit):
            if not own.strip():
                lacking[str(person["id"])] = lacking.get(str(person["id"]), 0) + 1
            else:
                document |= {independence.REASON: independence.checked_reason(person, [unit], own)[str(unit["id"])]}
        made.append(document)
    if lacking:
        raise Problems(independence.lacking(known[who], count) for who, count in lacking.items())
    return made


def _check_order(plan: Sequence[sampling.Stage]) -> None:
    try:
        sampling.check_plan(plan)
    except ValueError as error:
        raise InputError(
            "--stage",
            Text(f"các bậc chọn không hợp lệ ({error})", str(error)),
            Text("xem: survey sample draw --help", "see: survey sample draw --help"),
        ) from error


def unit_id(round: str, stratum: str, psu: str, row: str) -> str:
    """The id of a drawn unit, ``row`` in the frame. It begins with its primary unit's: what is visited together comes
    to a hub together (decision 135)."""
    place, own = (
        hashlib.sha256("\x1f".join(names).encode()).hexdigest()
        for names in ((round, stratum, psu), (round, stratum, psu, row))
    )
    return f"u{place[:4]}{own[:28]}"


def unit_documents(drawn: Iterable[sampling.Drawn], round: str, people: Sequence[str]) -> list[dict[str, Any]]:
    """The unit documents of a sample. Their ids follow from round and frame, so that a draw repeated by its seed on
    another machine makes the same units."""
    turn: dict[tuple[str, str], int] = {}
    documents = []
    for unit in drawn:
        place = turn.setdefault((unit.stratum, unit.psu), len(turn))
        stages = {
            f"{key}_{number}": str(value)
            for number, (p, count, take) in enumerate(unit.stages, start=1)
            for key, value in (("p", repr(p)), ("N", count), ("n", take))
        }
        columns = {key: value for key, value in unit.row.items() if key != "id"}
        documents.append(
            {
                **columns,
                "id": unit_id(round, unit.stratum, unit.psu, unit.row["id"]),
                "frame_id": unit.row["id"],
                "round": round,
                "stratum": unit.stratum,
                "psu": unit.psu,
                "list": unit.list,
                "order": str(unit.order),
                **stages,
                "probability": repr(unit.probability),
                "certain": str(int(unit.certain)),
                "assignee": people[place % len(people)] if people else columns.get("assignee", ""),
            }
        )
    return documents


_NUMBERS = ("take", "total", "reserve")
_WORDS = ("method", "size", "certainty", "order")


def read_stage(text: str) -> sampling.Stage:
    """``village take=3 method=pps size=persons`` as a stage; InputError for a word that is not understood."""
    unit = ""
    given: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals and not unit:
            unit = name
        elif name in _NUMBERS and value.isascii() and value.isdigit():
            given[name] = int(value)
        elif name in _WORDS and value and (name != "method" or value in sampling.METHODS):
            given[name] = value
        else:
            raise InputError(
                f"--stage {text!r}",
                Text(f"không hiểu {word!r}", f"{word!r} is not understood"),
                Text(
                    "dùng: CỘT take=3 method=" + "|".join(sampling.METHODS) + " size=CỘT certainty=CỘT reserve=2",
                    "use: COLUMN take=3 method="
                    + "|".join(sampling.METHODS)
                    + " size=COLUMN certainty=COLUMN order=COLUMN reserve=2",
                ),
            )
    if ("take" in given) == ("total" in given):
        raise InputError(
            f"--stage {text!r}",
            Text("cần đúng một trong take= và total=", "needs one of take= and total="),
            Text("thêm take=SỐ", "add take=NUMBER"),
        )
    return sampling.Stage(unit=unit, **given)


def write_stage(stage: sampling.Stage) -> str:
    """A stage as :func:`read_stage` reads it."""
    taken = stage.take if isinstance(stage.take, int) else "quota"
    number = f"total={stage.total}" if stage.total else f"take={taken}"
    words = [stage.unit, number, f"method={stage.method}" if stage.method != "srs" else ""]
    words += [f"{name}={getattr(stage, name)}" for name in ("size", "certainty", "order") if getattr(stage, name)]
    words += [f"reserve={stage.reserve}"] if stage.reserve else []
    return " ".join(word for word in words if word)


def add_person(
    store: Store,
    name: str,
    roles: Iterable[str],
    pin: str,
    user: str = "",
    language: str = "vi",
    actor: str = "",
    commune: str = "",
    **about: str,
) -> dict[str, Any]:
    """Issues a person who may sign in; returns the document. ``commune``: the code of the one that the person belongs
    to, whose interviews stay closed to them until the results are published; ``about``: ``employer``,
    ``employer_kind``, ``team`` (:func:`survey.sync.staffing.described`).

    InputError for an empty name, a role that is none, a PIN that is not 4 to 12 digits, an id that is taken, or an
    employer of no kind.
    """
    wanted = sorted(set(roles))
    if not name.strip() or not wanted or not set(wanted) <= ROLES.keys():
        raise InputError(
            name or "name",
            Text("cần họ tên và ít nhất một vai trò", "a name and at least one role are needed"),
            Text("ghi họ tên, chọn vai trò: " + ", ".join(ROLES), "write the name, choose a role: " + ", ".join(ROLES)),
        )
    check_pin(pin)
    subject = user or frame.new_id("user")
    if frame.person(store, subject):
        raise InputError(
            f"--id {subject}",
            Text("đã có người mang mã này", "there is a person with this id"),
            Text("chọn mã khác", "choose another"),
        )
    document = {
        "id": subject,
        "name": nfc(name).strip(),
        "roles": wanted,
        "pin": frame.hash_pin(pin),
        "language": language,
    }
    document = staffing.described(document, {"commune": commune, **about})
    frame.issue(store, "user", subject, document, actor=actor)
    return document


def check_pin(pin: str) -> str:
    """``pin``, if it has 4 to 12 digits; else InputError."""
    if not re.fullmatch(r"\d{4,12}", pin, re.ASCII):
        raise InputError(
            "--pin",
            Text("mã PIN phải gồm 4 đến 12 chữ số", "a PIN has 4 to 12 digits"),
            Text("đặt mã khác", "choose another"),
        )
    return pin
