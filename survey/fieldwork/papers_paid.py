"""The papers about money: the list that respondents sign with its reconciliation, and pay by form. Pure.

What is paid is given by the caller; what is not given stays blank, to be filled in by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from survey.fieldwork.dispositions import DISPOSITIONS, OUTCOMES, final
from survey.fieldwork.papers import (
    COUNTED,
    DISPUTED_WORDS,
    MADE,
    WITHHELD,
    Cell,
    Fieldwork,
    Paper,
    Table,
    Unit,
    called,
    disputed,
    heads_of,
    numbers,
    unnamed,
)
from survey.paper.states import STATES, tally
from survey.text import Text, fold, natural
from survey.vocabulary import STATES as INTERVIEWS

_CASHIER = Text("KẾ TOÁN", "ACCOUNTANT")
_HEAD = Text("THỦ TRƯỞNG ĐƠN VỊ", "HEAD OF THE OFFICE")
_IN_WORDS = Text("Bằng chữ: ………………………………………………", "In words: ………………………………………………")
_OPEN = tuple(row.label for row in DISPOSITIONS.values() if row.is_open)
_NOT_VALID = Text("có phiếu nhưng chưa hoặc không hợp lệ", "with a form that is not valid, or not yet")


# -- danh sách ký nhận ---------------------------------------------------------------------------------------------


def sign_for(work: Fieldwork, amount: int | None = None, gift: str = "") -> Paper:
    """Danh sách ký nhận: a line for each household with a valid form, to sign; and why lines and forms differ.

    ``amount`` is what one person gets, in đồng; ``gift`` what else. Without either the column stays blank.
    """
    listed = [unit for unit in work.sorted if unit.valid]
    money = amount is not None or not gift
    heads = ["TT|No.", "Số mẫu|Sample no.", "Họ và tên|Name", "Địa chỉ|Address", "Số phiếu giấy|Paper form"]
    heads += ["Số tiền (đồng)|Amount (VND)"] if money else []
    heads += ["Quà|Gift"] if gift else []
    heads += ["Ký nhận|Signature", "Ghi chú|Remark"]
    rows: list[tuple[Cell, ...]] = []
    for n, unit in enumerate(listed, 1):
        serials = ", ".join(one.serial for one in unit.valid if one.serial)
        given: tuple[Cell, ...] = ((amount,) if money else ()) + ((gift,) if gift else ())
        rows.append(
            (n, unit.listed, unit.name, unit.where, serials, *given, "", WITHHELD.get(unit.withheld, Text("", "")))
        )
    if money:
        total = amount * len(listed) if amount is not None else None
        rows.append(("", "", Text("Cộng", "Total"), "", "", total, *([""] if gift else []), "", ""))
    tables = (
        Table(
            Text("Người trả lời ký nhận", "Respondents' signatures"),
            heads_of(*heads),
            tuple(rows),
            "rllll" + ("r" if money else "") + ("l" if gift else "") + "ll",
            (7, 11, 28, 32, 18, *([18] if money else []), *([18] if gift else []), 26, 19),
            total=money,
            signed=True,
            note=_IN_WORDS if money else Text("", ""),
        ),
        _reconciled(work, listed),
    )
    return Paper(
        Text("Danh sách ký nhận", "Signature list"),
        Text("Tiền, quà của người trả lời phiếu khảo sát", "Money or gifts to respondents"),
        "DS-…",
        tables,
        (MADE, _CASHIER, _HEAD),
        private=True,
        lines=len(listed),
        findings=(*unnamed(listed), *_twice(listed), *disputed(work)),
    )


def _reconciled(work: Fieldwork, listed: Sequence[Unit]) -> Table:
    """Forms down to lines, lines down to signatures; households without a valid form; paper forms."""
    states = Counter(one.state for unit in work.units for one in unit.interviews if not one.valid)
    valid = sum(len(unit.valid) for unit in work.units)
    rows: list[tuple[Cell, ...]] = [
        (Text("Phiếu của mẫu, mọi trạng thái", "Forms of the sample, in any state"), valid + states.total(), "")
    ]
    rows += [(_minus(INTERVIEWS[state]), states[state], "") for state in INTERVIEWS if states[state]]
    rows.append((Text("= Phiếu hợp lệ", "= Valid forms"), valid, ""))
    double = [unit for unit in listed if len(unit.valid) > 1]
    if double:
        why = Text("phiếu thứ hai trở đi của cùng một hộ", "further forms of the same household")
        rows.append((_minus(why), sum(len(unit.valid) - 1 for unit in double), numbers(double)))
    rows.append((Text("= Số dòng ký nhận", "= Lines to sign"), len(listed), ""))
    for key, why in WITHHELD.items():
        blank = [unit for unit in listed if unit.withheld == key]
        if blank:
            words = Text(f"trong đó để trống tên: {why.vi}", f"of them without a name: {why.en}")
            rows.append((words, len(blank), numbers(blank)))
    rows.append((Text("Số chữ ký (đếm, ghi tay)", "Signatures (counted, by hand)"), None, ""))
    rows.append((Text("Chênh lệch và lý do (ghi tay)", "Difference and why (by hand)"), None, ""))
    without = [unit for unit in work.units if not unit.valid]
    rows.append((Text("Hộ đã đến hoặc có phiếu", "Households visited or with a form"), len(work.units), ""))
    rows.append((_minus(Text("có phiếu hợp lệ", "with a valid form")), len(listed), ""))
    ended = Counter(_ended(unit) for unit in without)
    rows += [(_minus(words), ended[words], "") for words in (_NOT_VALID, *OUTCOMES.values(), *_OPEN) if ended[words]]
    if work.volunteers:
        words = Text("Phiếu tự nguyện, không có trong danh sách này", "Volunteers' forms, not on this list")
        rows.append((words, work.volunteers, ""))
    count = tally(one.form for unit in work.units for one in unit.forms)
    if count.issued:
        waiting = count.collected - count.keyed - count.invalid
        rows += [
            (Text("Phiếu giấy đã phát", "Paper forms handed out"), count.issued, ""),
            (_minus(Text("chưa thu", "outstanding")), count.outstanding, ""),
            (_minus(STATES["lost"]), count.lost, ""),
            *([(_minus(DISPUTED_WORDS), count.disputed, "")] if count.disputed else []),
            (Text("= Phiếu giấy đã thu", "= Paper forms collected"), count.collected, ""),
            (Text("trong đó đã nhập", "of them keyed"), count.keyed, ""),
            (Text("trong đó không hợp lệ", "of them not valid"), count.invalid, ""),
            (Text("trong đó chờ nhập", "of them to be keyed"), waiting, ""),
        ]
    return Table(
        Text("Đối chiếu chữ ký với phiếu hợp lệ", "Signatures against valid forms"),
        heads_of("Nội dung|What", "Số|Number", "Số mẫu|Sample no."),
        tuple(rows),
        "lrl",
        (85, 20, 60),
    )


# -- bảng tính công theo phiếu -------------------------------------------------------------------------------------


def pay(work: Fieldwork, rate: int | None = None, keying: int | None = None) -> Paper:
    """Bảng tính công theo phiếu: a row a person, all their forms by state, the valid ones times ``rate`` (đồng a form).
    Who keyed paper forms stands in a table of its own, with ``keying``; the form itself is of who collected it."""
    made: dict[str, Counter[str]] = {}
    keyed: Counter[str] = Counter()
    for unit in work.units:
        for one in unit.interviews:
            known = one.state if one.state in COUNTED else "other"
            made.setdefault(one.by, Counter())["valid" if one.valid else known] += 1
        keyed.update(one.keyed_by for one in unit.forms if one.keyed_by)
    order = sorted(made, key=lambda person: natural(fold(called(work, person))))
    kinds = ("valid", *COUNTED, "other")
    rows: list[tuple[Cell, ...]] = [
        (n, called(work, person), made[person].total(), *(made[person][kind] for kind in kinds), rate,
         _times(made[person]["valid"], rate), "")
        for n, person in enumerate(order, 1)
    ]  # fmt: skip
    sums = [sum(made[person][kind] for person in order) for kind in kinds]
    rows.append(("", Text("Cộng", "Total"), sum(sums), *sums, "", _times(sums[0], rate), ""))
    tables = [
        Table(
            Text("Công phỏng vấn, phát – thu phiếu", "Interviewing, handing out and collecting"),
            heads_of("TT|No.", "Họ và tên|Name", "Phiếu|Forms", "Hợp lệ|Valid", "Chờ duyệt|Waiting",
                   "Yêu cầu sửa|Returned", "Hủy|Voided", "Khác|Other", "Đơn giá (đồng)|Rate (VND)",
                   "Thành tiền (đồng)|Pay (VND)", "Ký nhận|Signature"),
            tuple(rows),
            "rlrrrrrrrrl",
            (7, 30, 12, 11, 12, 12, 10, 12, 17, 20, 22),
            total=True,
            signed=True,
            note=_IN_WORDS,
        )
    ]  # fmt: skip
    if keyed:
        keyers = sorted(keyed, key=lambda person: natural(fold(called(work, person))))
        rows = [
            (n, called(work, person), keyed[person], keying, _times(keyed[person], keying), "")
            for n, person in enumerate(keyers, 1)
        ]
        rows.append(("", Text("Cộng", "Total"), keyed.total(), "", _times(keyed.total(), keying), ""))
        tables.append(
            Table(
                Text("Công nhập phiếu giấy", "Keying paper forms"),
                heads_of("TT|No.", "Họ và tên|Name", "Phiếu đã nhập|Keyed", "Đơn giá (đồng)|Rate (VND)",
                       "Thành tiền (đồng)|Pay (VND)", "Ký nhận|Signature"),
                tuple(rows),
                "rlrrrl",
                (8, 50, 20, 24, 26, 37),
                total=True,
                signed=True,
                note=_IN_WORDS,
            )
        )  # fmt: skip
    return Paper(
        Text("Bảng tính công", "Pay sheet"),
        Text("Theo phiếu khảo sát", "By form"),
        "BC-…",
        tuple(tables),
        (MADE, _CASHIER, _HEAD),
        private=False,
        lines=len(order),
    )


def _times(count: int, rate: int | None) -> int | None:
    return None if rate is None else count * rate


def _minus(words: Text) -> Text:
    return Text(f"− {words.vi}", f"− {words.en}")


def _ended(unit: Unit) -> Text:
    """Why a household has no valid form."""
    last = DISPOSITIONS[final(unit.codes).code]
    if unit.interviews and (last.outcome in ("I", "P") or not unit.codes):
        return _NOT_VALID
    return last.label if last.is_open else OUTCOMES[last.outcome]


def _twice(units: Iterable[Unit]) -> list[Text]:
    double = [unit for unit in units if len(unit.valid) > 1]
    told = numbers(double)
    if not double:
        return []
    return [Text(f"hơn một phiếu hợp lệ ở một hộ: {told.vi}", f"more than one valid form at: {told.en}")]
