"""How a visit ended, and the outcome rates of a sample.

Codes and formulas are those of AAPOR, *Standard Definitions: Final Dispositions of Case Codes and Outcome Rates for
Surveys* (9th edition, 2016), table 2 "In-Person Household Surveys"; a sample of named persons uses the same codes, read
for that person. Codes that begin with 0 are ours: the case is still open, so no rate takes them for an outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat

from survey.errors import InputError
from survey.text import Text

OUTCOMES: dict[str, Text] = {
    "I": Text("phỏng vấn xong", "complete interview"),
    "P": Text("phỏng vấn được một phần", "partial interview"),
    "R": Text("từ chối hoặc bỏ dở", "refusal or break-off"),
    "NC": Text("không gặp được", "non-contact"),
    "O": Text("không phỏng vấn được vì lý do khác", "other non-interview"),
    "UH": Text("chưa rõ có hộ ở đó không", "unknown whether a household lives there"),
    "UO": Text("chưa rõ có ai thuộc diện hỏi không", "unknown whether someone is eligible"),
    "NE": Text("không thuộc diện khảo sát", "not eligible"),
}
"""AAPOR's classes of outcomes: what the rates count."""


@dataclass(frozen=True)
class Disposition:
    """One way a visit may end: AAPOR code, class of outcome, words, and whether another visit makes sense."""

    code: str
    outcome: str
    label: Text
    again: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the case still waits for something (our codes 0.x); not an outcome in AAPOR's sense."""
        return self.code.startswith("0.")


DISPOSITIONS: dict[str, Disposition] = {
    row.code: row
    for row in (
        Disposition("1.1", "I", Text("Phỏng vấn xong", "Interview completed")),
        Disposition("1.2", "P", Text("Phỏng vấn được một phần, đủ để dùng", "Partial interview, enough to be used")),
        Disposition("2.111", "R", Text("Hộ từ chối", "Household refused")),
        Disposition("2.112", "R", Text("Người được chọn từ chối", "Selected person refused")),
        Disposition("2.12", "R", Text("Bỏ dở giữa chừng", "Broke off during the interview"), again=True),
        Disposition("2.23", "NC", Text("Không vào được nhà", "Could not enter the building"), again=True),
        Disposition("2.24", "NC", Text("Không có ai ở nhà", "No one at home"), again=True),
        Disposition(
            "2.25",
            "NC",
            Text("Người được chọn đi vắng hoặc chưa tiếp được", "Selected person away or unavailable"),
            again=True,
        ),
        Disposition("2.31", "O", Text("Người được chọn đã mất", "Selected person has died")),
        Disposition(
            "2.32",
            "O",
            Text("Người được chọn không đủ sức khỏe để trả lời", "Selected person physically or mentally unable"),
        ),
        Disposition(
            "2.331", "O", Text("Không ai trong hộ hiểu ngôn ngữ phỏng vấn", "No one in the household speaks it")
        ),
        Disposition(
            "2.332",
            "O",
            Text("Người được chọn không hiểu ngôn ngữ phỏng vấn", "Selected person does not speak the language"),
        ),
        Disposition(
            "2.333",
            "O",
            Text("Chưa có điều tra viên hoặc phiên dịch nói tiếng đó", "No enumerator or interpreter for the language"),
            again=True,
        ),
        Disposition("2.36", "O", Text("Lý do khác của người được chọn", "Another reason of the selected person")),
        Disposition("3.11", "UH", Text("Chưa đến hộ", "Not attempted")),
        Disposition(
            "3.17",
            "UH",
            Text("Không đến được: đường bị cắt, thiên tai, không an toàn", "Could not reach: road, disaster, safety"),
            again=True,
        ),
        Disposition("3.18", "UH", Text("Không tìm thấy địa chỉ", "Could not locate the address"), again=True),
        Disposition(
            "3.21",
            "UO",
            Text("Chưa biết trong hộ có người thuộc diện hỏi", "Not known whether someone there is eligible"),
            again=True,
        ),
        Disposition("3.90", "UO", Text("Chưa rõ, lý do khác", "Unknown, other reason"), again=True),
        Disposition("4.10", "NE", Text("Ngoài địa bàn hoặc ngoài mẫu", "Outside the area or out of sample")),
        Disposition("4.51", "NE", Text("Là cơ quan, cơ sở kinh doanh", "Business or office")),
        Disposition("4.52", "NE", Text("Là bệnh viện, trại, cơ sở tập trung", "Institution")),
        Disposition("4.53", "NE", Text("Là nhà tập thể, ký túc xá", "Group quarters")),
        Disposition("4.61", "NE", Text("Nhà không có người ở", "Vacant dwelling")),
        Disposition("4.62", "NE", Text("Nhà chỉ ở theo mùa", "Seasonal dwelling")),
        Disposition(
            "4.70",
            "NE",
            Text("Không có người thuộc diện hỏi (tuổi, đã chuyển đi)", "No eligible person (age, moved away)"),
        ),
        Disposition("4.80", "NE", Text("Đã đủ số phiếu của địa bàn", "Quota of the area filled")),
        Disposition("0.1", "UO", Text("Đã phát phiếu, chờ thu", "Form left, to be collected"), again=True),
        Disposition("0.3", "UO", Text("Đã thu phiếu, chờ nhập", "Form collected, to be keyed")),
        Disposition("0.4", "UO", Text("Phiếu bị hỏng hoặc mất", "Form spoilt or lost"), again=True),
        Disposition("0.2", "UO", Text("Đã hẹn ngày trở lại", "Appointment made"), again=True),
    )
}

# A case keeps its most telling outcome: an interview stays one, and a refusal is not undone by finding no one at home.
_TELLING = ("I", "P", "R", "NE", "O", "NC", "UO", "UH")


def disposition(code: str) -> Disposition:
    """The row of ``code``; InputError names the code when there is none."""
    try:
        return DISPOSITIONS[code]
    except KeyError:
        raise InputError(
            f"disposition {code}",
            Text("không có mã kết quả lần đến này", "there is no such disposition"),
            Text("dùng một trong: " + ", ".join(DISPOSITIONS), "use one of " + ", ".join(DISPOSITIONS)),
        ) from None


def final(codes: Iterable[str]) -> Disposition:
    """The disposition of a case from those of its visits in their order; never visited is 3.11.

    Of equally telling outcomes the last one counts. A case with an open code (0.x) and no interview, refusal or
    ineligibility is still that open case.
    """
    best = DISPOSITIONS["3.11"]
    for code in codes:
        row = disposition(code)
        if _rank(row) <= _rank(best):
            best = row
    return best


def _rank(row: Disposition) -> float:
    # A form that waits to be collected tells more than the neighbour's "no one at home" of the next visit.
    return _TELLING.index("O") - 0.5 if row.is_open else _TELLING.index(row.outcome)


@dataclass(frozen=True)
class Rates:
    """AAPOR outcome rates as shares between 0 and 1; None where the denominator is 0.

    ``e`` is the share of cases of unknown eligibility taken to be eligible; ``counts`` has every class of
    :data:`OUTCOMES` (sums of weights where there are weights), ``open`` the cases that still wait and are in no rate.
    """

    counts: Mapping[str, float]
    open: float
    e: float
    rates: Mapping[str, float | None]


def rates(codes: Iterable[str], e: float | None = None, weights: Iterable[float] | None = None) -> Rates:
    """Response, cooperation, refusal and contact rates of a sample, one final code a case.

    Formulas: AAPOR 2016, "Calculating Outcome Rates" (RR1–RR6, COOP1–COOP4, REF1–REF3, CON1–CON3). Without ``e`` the
    proportional ("CASRO") estimate is used: eligible ÷ (eligible + ineligible) among cases whose eligibility is known,
    1 if none is. ``weights``: one a case, the inverse of its probability of selection; AAPOR asks for weighted rates
    where these differ. InputError for a code that does not exist, ValueError when weights and codes differ in number.
    """
    counts: dict[str, float] = dict.fromkeys(OUTCOMES, 0)
    still_open: float = 0
    for code, weight in zip(codes, repeat(1), strict=False) if weights is None else zip(codes, weights, strict=True):
        row = disposition(code)
        if row.is_open:
            still_open += weight
        else:
            counts[row.outcome] += weight
    i, p, r, nc, o = (counts[c] for c in ("I", "P", "R", "NC", "O"))
    unknown = counts["UH"] + counts["UO"]
    known = i + p + r + nc + o
    if e is None:
        e = known / (known + counts["NE"]) if known + counts["NE"] else 1.0
    contacted = i + p + r + o
    pairs: dict[str, tuple[float, float]] = {
        "RR1": (i, known + unknown),
        "RR2": (i + p, known + unknown),
        "RR3": (i, known + e * unknown),
        "RR4": (i + p, known + e * unknown),
        "RR5": (i, known),
        "RR6": (i + p, known),
        "COOP1": (i, contacted),
        "COOP2": (i + p, contacted),
        "COOP3": (i, i + p + r),
        "COOP4": (i + p, i + p + r),
        "REF1": (r, known + unknown),
        "REF2": (r, known + e * unknown),
        "REF3": (r, known),
        "CON1": (contacted, known + unknown),
        "CON2": (contacted, known + e * unknown),
        "CON3": (contacted, known),
    }
    return Rates(counts, still_open, e, {name: top / base if base else None for name, (top, base) in pairs.items()})


@dataclass(frozen=True)
class Case:
    """One drawn unit and how it stands: its final code, the group it is counted in, its weight."""

    code: str
    group: str = ""
    weight: float = 1


def grouped_rates(cases: Iterable[Case], e: float | None = None) -> dict[str, Rates]:
    """:func:`rates` for each group in the order of their names, and for all together under ``""`` at the end.

    Without ``e`` it is estimated once, from all cases: a village with two vacant houses says little about the rest.
    """
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.group, []).append(case)
    everyone = [case for members in groups.values() for case in members]
    whole = rates((c.code for c in everyone), e, [c.weight for c in everyone])
    found = {
        name: rates((c.code for c in members), whole.e, [c.weight for c in members])
        for name, members in sorted(groups.items())
        if name
    }
    return {**found, "": whole}
