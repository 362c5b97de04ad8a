"""Quality findings: what a finding is, which checks there are, and from which figure on they speak.

A finding is a sign that something deserves a second look ("dấu hiệu cần xem lại"). It never says that anybody did
wrong: an honest person can be quick, and a village can be of one mind. The checks themselves are in
:mod:`survey.fieldwork.quality_interviews` and :mod:`survey.fieldwork.quality_enumerators`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from survey.errors import Problem, Problems
from survey.text import Text

INTERVIEW, ENUMERATOR, COMMUNE, QUESTION = "interview", "enumerator", "commune", "question"

SUBJECTS: dict[str, Text] = {
    INTERVIEW: Text("phiếu", "interview"),
    ENUMERATOR: Text("điều tra viên", "enumerator"),
    COMMUNE: Text("xã, phường", "commune"),
    QUESTION: Text("câu hỏi", "question"),
}

WORDING = Text(
    "Dấu hiệu cần xem lại, không phải kết luận: hãy đọc phiếu, nghe điều tra viên, phúc tra rồi mới quyết định.",
    "Signs to look at again, not conclusions: read the interview, hear the enumerator, back-check, then decide.",
)


@dataclass(frozen=True)
class Finding:
    """One sign. ``subject`` is the id of what ``subject_type`` names (of a question its path).

    ``figure`` and ``threshold`` are in the unit that ``words`` tell; ``interviews`` are those behind it, the subject
    itself apart; ``enumerator``, ``commune`` and ``question`` say where it belongs, "" where it belongs to none.
    """

    subject_type: str
    subject: str
    check: str
    figure: float
    threshold: float
    words: Text
    interviews: tuple[str, ...] = ()
    enumerator: str = ""
    commune: str = ""
    question: str = ""


@dataclass(frozen=True)
class Check:
    """A check: what it speaks of, its name for people, and how much one finding adds to the risk of an interview."""

    subject_type: str
    name: Text
    points: int = 1


CHECKS: dict[str, Check] = {
    "short": Check(INTERVIEW, Text("thời gian phỏng vấn ngắn", "short duration"), 3),
    "long": Check(INTERVIEW, Text("thời gian phỏng vấn dài", "long duration")),
    "quick": Check(INTERVIEW, Text("nhiều câu trả lời dưới một giây", "many answers within a second"), 3),
    "straight": Check(INTERVIEW, Text("trả lời giống nhau trong cả bảng", "one answer throughout batteries"), 2),
    "even": Check(INTERVIEW, Text("câu trả lời ít thay đổi", "answers vary little"), 2),
    "uneven": Check(INTERVIEW, Text("câu trả lời thay đổi nhiều", "answers vary much"), 2),
    "run": Check(INTERVIEW, Text("chuỗi dài một câu trả lời", "long run of one answer"), 2),
    "neutral": Check(INTERVIEW, Text("nhiều câu trả lời ở giữa thang", "many neutral answers")),
    "dont_know": Check(INTERVIEW, Text("nhiều câu không biết", "many don't know answers")),
    "refused": Check(INTERVIEW, Text("nhiều câu không trả lời", "many refusals")),
    "match": Check(INTERVIEW, Text("trùng nhiều với phiếu khác", "matches another interview"), 4),
    "hours": Check(INTERVIEW, Text("giờ phỏng vấn khác thường", "unusual hour")),
    "overlap": Check(INTERVIEW, Text("hai phiếu cùng lúc trên một máy", "two interviews at once on one laptop"), 3),
    "clock": Check(INTERVIEW, Text("ngày giờ của máy không đúng", "the laptop's date is off")),
    "outlier": Check(INTERVIEW, Text("con số khác thường", "unusual number")),
    "kept": Check(INTERVIEW, Text("nhiều câu giữ nguyên dù có cảnh báo", "many soft checks passed")),
    "respondent": Check(INTERVIEW, Text("người trả lời có thể trùng", "respondent may be a duplicate"), 3),
    "version": Check(INTERVIEW, Text("phiên bản bảng hỏi cũ", "outdated questionnaire")),
    "differs": Check(ENUMERATOR, Text("khác các điều tra viên khác", "differs from the others")),
    "day": Check(ENUMERATOR, Text("ngày làm việc dài hoặc nhiều phiếu", "a long or full day")),
    "effect": Check(QUESTION, Text("câu trả lời tùy người hỏi", "answers depend on who asks")),
    "unanswered": Check(QUESTION, Text("nhiều người không trả lời câu này", "often left unanswered")),
    "one_answer": Check(QUESTION, Text("gần như chỉ một câu trả lời", "nearly everyone answers the same")),
    "alike": Check(COMMUNE, Text("các phiếu giống nhau", "interviews are alike")),
}

THRESHOLDS: dict[str, tuple[float, Text]] = {
    "short": (0.4, Text("ngắn: dưới mấy lần thời gian giữa của bảng hỏi", "short: below this times the median")),
    "long": (3.0, Text("dài: trên mấy lần thời gian giữa", "long: above this times the median")),
    "quick": (0.15, Text("phần câu trả lời dưới một giây", "share of answers within a second")),
    "straight": (
        0.5,
        Text("phần bảng trả lời một kiểu, cao hơn mức của xã", "share of straight batteries above commune"),
    ),
    "even": (0.25, Text("phương sai trong bảng, so với xã: dưới", "variance in batteries to the commune's: below")),
    "uneven": (1.8, Text("phương sai trong bảng, so với xã: trên", "variance in batteries to the commune's: above")),
    "run": (3.0, Text("chuỗi dài nhất, gấp mấy lần mức của xã", "longest run, times the commune's")),
    "neutral": (0.4, Text("phần câu ở giữa thang, cao hơn mức của xã", "share of neutral answers above commune")),
    "dont_know": (0.25, Text("phần không biết, cao hơn mức của xã", "share of don't know above commune")),
    "refused": (0.15, Text("phần không trả lời, cao hơn mức của xã", "share of refusals above commune")),
    "match": (
        0.6,
        Text("trùng vượt mức của xã (0 như xã, 1 giống hệt)", "match beyond the usual (0 as usual, 1 same)"),
    ),
    "earliest": (6.0, Text("giờ sớm nhất", "earliest hour")),
    "latest": (21.0, Text("giờ muộn nhất", "latest hour")),
    "overlap": (5.0, Text("số phút chồng nhau trên một máy", "minutes of overlap on one laptop")),
    "outlier": (3.0, Text("xa tứ phân vị mấy lần khoảng tứ phân vị", "interquartile ranges beyond a quartile")),
    "kept": (5.0, Text("số câu giữ nguyên dù có cảnh báo", "soft checks passed in an interview")),
    "differs": (3.5, Text("cách xa đồng nghiệp mấy độ lệch chuẩn", "standard deviations from colleagues")),
    "day_hours": (12.0, Text("số giờ một ngày", "hours in a day")),
    "day_interviews": (12.0, Text("số phiếu một ngày", "interviews in a day")),
    "effect": (0.1, Text("phần phương sai do người hỏi", "share of variance between enumerators")),
    "unanswered": (0.3, Text("phần không trả lời một câu", "share without an answer to a question")),
    "one_answer": (0.98, Text("phần chọn cùng một câu trả lời", "share giving one answer")),
    "alike": (0.15, Text("mức trùng của xã cao hơn các xã khác", "match in a commune above that of the others")),
    "least": (10.0, Text("số phiếu ít nhất để nói về một nhóm", "fewest interviews to speak of a group")),
}
"""Name to default and meaning. A round's document may set others under ``quality``; docs/guides/quality.md says how
the defaults were found."""


def thresholds(round: Mapping[str, Any]) -> dict[str, float]:
    """The thresholds of a round: the defaults, and what its document sets.

    Raises Problems for a name that is no threshold or a value that is no number of zero or more.
    """
    told = round.get("quality") or {}
    found = {name: default for name, (default, _) in THRESHOLDS.items()}
    problems = []
    for name, value in (told if isinstance(told, Mapping) else {"quality": told}).items():
        if name not in THRESHOLDS:
            what = Text("không có ngưỡng này", "there is no such threshold")
            todo = Text("các ngưỡng: " + ", ".join(THRESHOLDS), "thresholds: " + ", ".join(THRESHOLDS))
        elif isinstance(value, bool) or not isinstance(value, (int, float, str)) or not _is_number(str(value)):
            what = Text(f"{value!r} không phải số từ 0 trở lên", f"{value!r} is not a number of zero or more")
            todo = Text(f"mặc định là {found[name]:g}", f"the default is {found[name]:g}")
        else:
            found[name] = float(value)
            continue
        problems.append(Problem(f"round {round.get('id', '')}, quality, {name}", what, todo))
    if problems:
        raise Problems(problems)
    return found


def _is_number(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False


def risk(findings: Iterable[Finding]) -> dict[str, int]:
    """Interview to the points of the findings about it, for sorting a queue; without findings it is not there."""
    found: dict[str, int] = {}
    for one in findings:
        if one.subject_type == INTERVIEW:
            found[one.subject] = found.get(one.subject, 0) + CHECKS[one.check].points
    return found


def shown(value: float, digits: int = 0) -> Text:
    """A number for both languages: with a decimal comma in Vietnamese."""
    text = f"{value:.{digits}f}"
    return Text(text.replace(".", ","), text)


def percent(share: float) -> Text:
    """A share in whole per cent."""
    return Text(f"{share * 100:.0f} %", f"{share * 100:.0f} %")
