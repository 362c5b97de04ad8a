"""The papers that auditors ask for, as tables made from what happened in the field: what they are made of, forms handed
out and collected, the record of hand-over (:mod:`survey.fieldwork.papers_paid`: what is paid and signed for). Pure.

None of them has an answer, or the id of an interview, by which answers could be found: names stand beside form serials
and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from survey.errors import InputError
from survey.fieldwork.dispositions import final
from survey.paper.states import DISPUTED, STATES, Form, tally
from survey.text import Text, fold, natural

Cell = str | int | date | Text | None

WITHHELD: dict[str, Text] = {
    "erased": Text("dữ liệu liên hệ đã xóa", "contact data erased"),
    "absent": Text("dữ liệu liên hệ không có trên máy này", "contact data not on this machine"),
    "none": Text("danh sách không ghi tên", "no name on the list"),
}
"""Why a line has no name."""


@dataclass(frozen=True)
class Handed:
    """A paper form with the days and people (ids) of its steps; a day is ``None`` where there was no such step."""

    form: Form
    issued: date | None = None
    issued_by: str = ""
    collected: date | None = None
    collected_by: str = ""
    keyed_by: str = ""


@dataclass(frozen=True)
class Interview:
    """An interview without what it says: its state, whether it counts as a valid form, who made it (id), and the serial
    of its paper form."""

    state: str
    valid: bool
    by: str
    serial: str = ""


@dataclass(frozen=True)
class Unit:
    """A sample unit where somebody was. ``codes`` are the dispositions of its visits in their order; ``days`` and
    ``by`` (ids) those of the visits; ``withheld`` a key of :data:`WITHHELD` where there is no name."""

    id: str
    number: str
    reserve: bool = False
    commune: str = ""
    commune_name: str = ""
    village: str = ""
    village_name: str = ""
    name: str = ""
    address: str = ""
    withheld: str = ""
    codes: tuple[str, ...] = ()
    days: tuple[date, ...] = ()
    by: tuple[str, ...] = ()
    interviews: tuple[Interview, ...] = ()
    forms: tuple[Handed, ...] = ()

    @property
    def valid(self) -> tuple[Interview, ...]:
        """The valid forms of the unit: more than one means that somebody was asked twice."""
        return tuple(one for one in self.interviews if one.valid)

    @property
    def listed(self) -> Text:
        """Its number on the list; both lists of a village count from one."""
        return (
            Text(f"{self.number} dự phòng", f"{self.number} reserve")
            if self.reserve
            else Text(self.number, self.number)
        )

    @property
    def where(self) -> str:
        """The address, with the village where the address does not name it."""
        village = self.village_name or self.village
        return ", ".join(filter(None, (self.address, "" if fold(village) in fold(self.address) else village)))


@dataclass(frozen=True)
class Fieldwork:
    """What happened at the drawn units of a round, or of a commune; ``people`` are the names of staff by id;
    ``volunteers`` counts valid forms of people who were not drawn and stand on no list of addresses."""

    units: tuple[Unit, ...]
    people: Mapping[str, str] = field(default_factory=dict)
    volunteers: int = 0

    @property
    def sorted(self) -> list[Unit]:
        """The units as people look them up: by commune, village, main before reserve list, number."""
        return sorted(self.units, key=lambda u: (natural(u.commune_name or u.commune), natural(u.village_name or
                      u.village), u.reserve, natural(u.number), u.id))  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """A laptop of the record of hand-over: its interviews, those of the day, and its entries made = safe + open."""

    name: str
    interviews: int
    today: int
    created: int
    safe: int
    open: int
    last: str


@dataclass(frozen=True)
class Table:
    """One table of a paper. ``align`` has a letter (l, c, r) a column; ``total``: the last row is a sum; ``signed``:
    its rows are high enough for a signature."""

    title: Text
    heads: tuple[Text, ...]
    rows: tuple[tuple[Cell, ...], ...]
    align: str
    widths: tuple[float, ...]
    total: bool = False
    signed: bool = False
    note: Text = Text("", "")


@dataclass(frozen=True)
class Paper:
    """A paper: kind and subject as an office writes them, tables, who signs. ``private``: it names respondents;
    ``lines``: how many of them or rows; ``findings``: what does not add up, or could not be written."""

    kind: Text
    subject: Text
    symbol: str
    tables: tuple[Table, ...]
    signers: tuple[Text, ...]
    private: bool
    lines: int
    findings: tuple[Text, ...] = ()


def chosen_commune(told: str, communes: Mapping[str, str]) -> str:
    """The code of the commune that ``told`` names by code or by name; InputError with those there are (code → name)."""
    found = [code for code, name in communes.items() if told.strip() == code or fold(told) == fold(name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{code} {name}".strip() for code, name in sorted(communes.items())) or "–"
    raise InputError(
        f"--commune {told}",
        Text("có nhiều xã cùng tên này, ghi mã", "several communes have this name, give the code")
        if found
        else Text("đợt này không có xã, phường này", "the round has no such commune"),
        Text(f"chọn một: {known}", f"choose one: {known}"),
    )


# -- danh sách phát – thu phiếu ------------------------------------------------------------------------------------


def handed_out(work: Fieldwork) -> Paper:
    """Danh sách phát – thu phiếu: every paper form with its household, hand-out and collection; then every household
    that was visited, with the days and how it ended."""
    forms = [(unit, one) for unit in work.sorted for one in sorted(unit.forms, key=lambda h: natural(h.form.serial))]
    tables = []
    if forms:
        rows = [
            (
                n,
                one.form.serial,
                unit.listed,
                unit.name,
                unit.where,
                one.issued,
                called(work, one.issued_by),
                one.collected,
                called(work, one.collected_by),
                DISPUTED_WORDS if one.form.state == DISPUTED else STATES[one.form.state],
            )
            for n, (unit, one) in enumerate(forms, 1)
        ]
        tables.append(
            Table(
                Text("Phiếu giấy phát – thu", "Paper forms handed out and collected"),
                heads_of("TT|No.", "Số phiếu|Serial", "Số mẫu|Sample no.", "Họ và tên|Name", "Địa chỉ|Address",
                       "Ngày phát|Handed out", "Người phát|by", "Ngày thu|Collected", "Người thu|by",
                       "Tình trạng|State"),
                tuple(rows),
                "rlllllllll",
                (7, 17, 10, 23, 24, 19, 16, 19, 16, 14),
                note=_counted(work),
            )
        )  # fmt: skip
    visited = [unit for unit in work.sorted if unit.days]
    if visited or not forms:
        rows_ = [
            (
                n,
                unit.listed,
                unit.name,
                unit.where,
                len(unit.days),
                unit.days[0],
                unit.days[-1],
                ", ".join(dict.fromkeys(called(work, one) for one in unit.by)),
                final(unit.codes).label,
            )
            for n, unit in enumerate(visited, 1)
        ]
        tables.append(
            Table(
                Text("Các lần đến hộ", "Visits"),
                heads_of("TT|No.", "Số mẫu|Sample no.", "Họ và tên|Name", "Địa chỉ|Address", "Số lần|Visits",
                       "Lần đầu|First", "Lần cuối|Last", "Điều tra viên|Enumerator", "Kết quả|Outcome"),
                tuple(rows_),
                "rlllrllll",
                (7, 10, 27, 32, 9, 19, 19, 21, 21),
            )
        )  # fmt: skip
    touched = [unit for unit in work.units if unit.forms or unit.days]
    return Paper(
        Text("Danh sách", "List"),
        Text("Phát – thu phiếu khảo sát", "Forms handed out and collected"),
        "DS-…",
        tuple(tables),
        (MADE, SUPERVISOR),
        private=True,
        lines=len(forms) + len(visited),
        findings=(*unnamed(touched), *disputed(work)),
    )


# -- biên bản giao nhận phiếu --------------------------------------------------------------------------------------


def handed_over(work: Fieldwork, machines: Sequence[Machine] = (), *, hub: bool = True) -> Paper:
    """Biên bản giao nhận phiếu: interviews and paper forms by village; the entries of every machine, where the paper is
    of the whole store. It names no respondent."""
    paper = any(unit.forms for unit in work.units)
    villages: dict[tuple[str, str], list[Unit]] = {}
    for unit in work.sorted:
        villages.setdefault((unit.commune_name or unit.commune, unit.village_name or unit.village), []).append(unit)
    rows: list[tuple[Cell, ...]] = [
        (n, commune, village, *_handed(units, paper))
        for n, ((commune, village), units) in enumerate(villages.items(), 1)
    ]
    rows.append(("", Text("Cộng", "Total"), "", *_handed(work.units, paper)))
    heads = ["TT|No.", "Xã, phường|Commune", "Thôn, tổ|Village", "Phiếu|Interviews", "Hợp lệ|Valid",
             "Chờ duyệt|Waiting", "Yêu cầu sửa|Returned", "Hủy|Voided", "Khác|Other"]  # fmt: skip
    heads += (
        ["Giấy phát|Paper out", "Giấy thu|Paper in", "Giấy chưa thu|Paper due", "Giấy hỏng, mất|Paper lost"]
        if paper
        else []
    )
    tables = [
        Table(
            Text("Phiếu theo thôn", "Interviews by village"),
            heads_of(*heads),
            tuple(rows),
            "rll" + "r" * (len(heads) - 3),
            (9, 22, 22, *[12] * (len(heads) - 3)),
            total=True,
        )
    ]
    wrong = [one.name for one in machines if one.created != one.safe + one.open]
    if machines:
        safe, waiting = (
            ("Đã nhận|Received", "Chưa nhận|Not received") if hub else ("Đã xác nhận|Confirmed", "Còn chờ|Pending")
        )
        tables.append(
            Table(
                Text("Bản ghi theo máy, mọi đợt trên kho này", "Entries by machine, of all rounds in this store"),
                heads_of("Máy|Machine", "Phiếu đã khóa|Sealed", "Trong ngày|Today", "Bản ghi đã tạo|Entries made", safe,
                       waiting, "Bản ghi cuối|Last entry"),
                tuple(tuple(vars(one).values()) for one in machines),
                "lrrrrrl",
                (36, 18, 17, 20, 19, 19, 36),
                note=Text("Bản ghi đã tạo = đã nhận + chưa nhận; lệch thì không ký.",
                          "Entries made = received + not received; do not sign where they differ."),
            )
        )  # fmt: skip
    return Paper(
        Text("Biên bản", "Record"),
        Text("Giao nhận phiếu khảo sát", "Hand-over of interviews and forms"),
        "BB-…",
        tuple(tables),
        (Text("BÊN GIAO", "HANDED OVER BY"), Text("BÊN NHẬN", "RECEIVED BY")),
        private=False,
        lines=len(villages),
        findings=(
            *(
                Text(f"máy {name}: bản ghi không khớp, đừng ký", f"{name}: entries do not add up, do not sign")
                for name in wrong
            ),
            *disputed(work),
        ),
    )


def _handed(units: Iterable[Unit], paper: bool) -> tuple[int, ...]:
    units = list(units)
    states = Counter(one.state for unit in units for one in unit.interviews if not one.valid)
    valid = sum(len(unit.valid) for unit in units)
    plain = [states[state] for state in COUNTED]
    found = (valid + states.total(), valid, *plain, states.total() - sum(plain))
    count = tally(one.form for unit in units for one in unit.forms)
    return (*found, count.issued, count.collected, count.outstanding, count.lost) if paper else found


# -- words ---------------------------------------------------------------------------------------------------------

COUNTED = ("sealed", "returned", "voided")
"""States of interviews that are not valid and have a column of their own; the rest are other."""

MADE = Text("NGƯỜI LẬP", "MADE BY")
SUPERVISOR = Text("GIÁM SÁT VIÊN", "SUPERVISOR")
DISPUTED_WORDS = Text("các máy ghi khác nhau", "machines tell different things")


def heads_of(*pairs: str) -> tuple[Text, ...]:
    return tuple(Text(*pair.split("|")) for pair in pairs)


def called(work: Fieldwork, person: str) -> str:
    return work.people.get(person) or person


def numbers(units: Iterable[Unit]) -> Text:
    """Sample numbers with their villages, never names: a sheet of counts goes to more people than a list."""
    told = [(unit.village_name or unit.village, unit.listed) for unit in units]
    return Text("; ".join(f"{v} {n.vi}".strip() for v, n in told), "; ".join(f"{v} {n.en}".strip() for v, n in told))


def _counted(work: Fieldwork) -> Text:
    count = tally(one.form for unit in work.units for one in unit.forms)
    apart = count.disputed
    return Text(
        f"Phát {count.issued} = thu {count.collected} + chưa thu {count.outstanding} + hỏng, mất {count.lost}"
        + (f" + các máy ghi khác nhau {apart}." if apart else "."),
        f"Out {count.issued} = collected {count.collected} + outstanding {count.outstanding} + lost {count.lost}"
        + (f" + told differently {apart}." if apart else "."),
    )


def unnamed(units: Iterable[Unit]) -> list[Text]:
    count = Counter(unit.withheld for unit in units if unit.withheld)
    return [
        Text(f"{count[key]} dòng để trống tên: {why.vi}", f"lines without a name: {count[key]} ({why.en})")
        for key, why in WITHHELD.items()
        if count[key]
    ]


def disputed(work: Fieldwork) -> list[Text]:
    serials = ", ".join(one.form.serial for unit in work.sorted for one in unit.forms if one.form.state == DISPUTED)
    return (
        [Text(f"phiếu giấy các máy ghi khác nhau: {serials}", f"forms told differently: {serials}")] if serials else []
    )
