"""The checks of single interviews, each against its questionnaire or its commune."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import log
from statistics import median, quantiles
from typing import Any, NamedTuple

from survey.fieldwork.matches import Group, beyond
from survey.fieldwork.measures import QUICK, Details, Measures
from survey.fieldwork.quality import INTERVIEW, Finding, percent, shown
from survey.text import Text

LEAST_SECONDS = 120
"""Median seconds below which durations of a questionnaire are not judged: keyed, imported or made up."""

LEAST_SCALE = 10
LEAST_BATTERIES = 3
LEAST_RUN = 12
LEAST_SPREAD = 0.05
LEAST_NUMBERS = 30


class Norm(NamedTuple):
    """What is usual in a commune: medians over its interviews."""

    run: float
    straight: float
    neutral: float
    spread: float
    dont_know: float
    refused: float


def straight(row: Measures) -> float:
    """The share of batteries answered with one answer throughout."""
    return row.straight / row.batteries if row.batteries else 0.0


def neutral(row: Measures) -> float:
    """The share of scale answers in the middle."""
    return row.neutral / row.scale if row.scale else 0.0


def dont_know(row: Measures) -> float:
    """The share of questions that the respondent did not know."""
    return row.dont_know / row.asked if row.asked else 0.0


def refused(row: Measures) -> float:
    """The share of questions that the respondent would not answer."""
    return row.refused / row.asked if row.asked else 0.0


class Norms:
    """The norm of each commune, and of the whole questionnaire where a commune has too few interviews."""

    def __init__(self, rows: Iterable[Measures], least: float):
        groups: dict[tuple[str, str], list[Measures]] = defaultdict(list)
        for row in rows:
            groups[row.questionnaire, row.commune].append(row)
        whole: dict[str, list[Measures]] = defaultdict(list)
        for (questionnaire, _), members in groups.items():
            whole[questionnaire] += members
        self.durations = {
            name: median(seconds)
            for name, members in whole.items()
            if len(seconds := [row.seconds for row in members if row.seconds is not None]) >= least
        }
        self._whole = {name: _norm(members) for name, members in whole.items() if len(members) >= least}
        self._communes = {key: _norm(members) for key, members in groups.items() if key[1] and len(members) >= least}

    def of(self, row: Measures) -> Norm | None:
        """The norm that an interview is held against; None where there are too few interviews for any."""
        return self._communes.get((row.questionnaire, row.commune)) or self._whole.get(row.questionnaire)


def _norm(rows: Sequence[Measures]) -> Norm:
    spreads = [row.spread for row in rows if row.spread is not None]
    return Norm(
        median([row.run for row in rows]),
        median([straight(row) for row in rows]),
        median([neutral(row) for row in rows]),
        median(spreads) if spreads else 0.0,
        median([dont_know(row) for row in rows]),
        median([refused(row) for row in rows]),
    )


def _finding(row: Measures, check: str, figure: float, threshold: float, words: Text, **more: Any) -> Finding:
    return Finding(
        INTERVIEW,
        row.interview,
        check,
        figure,
        threshold,
        words,
        enumerator=row.enumerator,
        commune=row.commune,
        **more,
    )


def duration_findings(rows: Iterable[Measures], norms: Norms, limits: Mapping[str, float]) -> Iterator[Finding]:
    """Too short or too long against the questionnaire's own median; answers that come within a second."""
    for row in rows:
        usual = norms.durations.get(row.questionnaire)
        if usual is not None and usual >= LEAST_SECONDS and row.seconds is not None:
            ratio = row.seconds / usual
            took, often = shown(row.seconds / 60), shown(usual / 60)
            words = Text(
                f"mất {took.vi} phút, bảng hỏi này thường mất {often.vi} phút",
                f"took {took.en} minutes, this questionnaire usually takes {often.en}",
            )
            if ratio < limits["short"]:
                yield _finding(row, "short", ratio, limits["short"], words)
            elif ratio > limits["long"]:
                yield _finding(row, "long", ratio, limits["long"], words)
        if row.timed >= LEAST_SCALE and (share := row.quick / row.timed) > limits["quick"]:
            told, second = percent(share), shown(QUICK)
            words = Text(
                f"{told.vi} câu trả lời được ghi trong vòng {second.vi} giây",
                f"{told.en} of the answers were given within {second.en} second",
            )
            yield _finding(row, "quick", share, limits["quick"], words)


def answer_findings(rows: Iterable[Measures], norms: Norms, limits: Mapping[str, float]) -> Iterator[Finding]:
    """Answers that are too much alike, too far apart, in the middle, or missing, against the commune's norm."""
    shares = (
        ("neutral", neutral, Text("câu ở giữa thang", "neutral answers")),
        ("dont_know", dont_know, Text("câu không biết", "don't know answers")),
        ("refused", refused, Text("câu không trả lời", "refusals")),
    )
    for row in rows:
        norm = norms.of(row)
        if norm is None:
            continue
        for check, share, what in shares:
            enough = row.scale >= LEAST_SCALE if check == "neutral" else row.asked >= LEAST_SCALE
            usual = getattr(norm, check)
            if enough and (figure := share(row)) - usual > limits[check]:
                told, often = percent(figure), percent(usual)
                words = Text(
                    f"{told.vi} {what.vi}, xã này thường có {often.vi}",
                    f"{told.en} {what.en}, {often.en} are usual in this commune",
                )
                yield _finding(row, check, figure, usual + limits[check], words)
        if row.batteries >= LEAST_BATTERIES:
            yield from _battery_findings(row, norm, limits)
        longest = max(LEAST_RUN, limits["run"] * norm.run)
        if row.run > longest:
            words = Text(
                f"{row.run} câu liền nhau cùng một câu trả lời, xã này thường dài nhất {norm.run:.0f}",
                f"{row.run} answers in a row are the same, {norm.run:.0f} at most are usual in this commune",
            )
            yield _finding(row, "run", row.run, longest, words)


def _battery_findings(row: Measures, norm: Norm, limits: Mapping[str, float]) -> Iterator[Finding]:
    if (figure := straight(row)) - norm.straight > limits["straight"]:
        often = percent(norm.straight)
        words = Text(
            f"{row.straight}/{row.batteries} bảng câu hỏi chỉ có một câu trả lời, xã này thường có {often.vi}",
            f"{row.straight} of {row.batteries} batteries have one answer throughout, {often.en} is usual here",
        )
        yield _finding(row, "straight", figure, norm.straight + limits["straight"], words)
    if row.spread is not None and norm.spread >= LEAST_SPREAD:
        ratio = row.spread / norm.spread
        told = shown(ratio, 1)
        words = Text(
            f"câu trả lời trong bảng thay đổi bằng {told.vi} lần mức thường thấy ở xã",
            f"answers within batteries vary {told.en} times as much as usual in this commune",
        )
        if ratio < limits["even"]:
            yield _finding(row, "even", ratio, limits["even"], words)
        elif ratio > limits["uneven"]:
            yield _finding(row, "uneven", ratio, limits["uneven"], words)


def match_findings(
    rows: Iterable[Measures], groups: Mapping[tuple[str, str], Group], limits: Mapping[str, float]
) -> Iterator[Finding]:
    """Interviews that share more with another than is usual in their commune; ``groups`` by questionnaire, commune."""
    for row in rows:
        group = groups.get((row.questionnaire, row.commune))
        near = group.nearest.get(row.interview) if group else None
        if group is None or near is None or group.expected is None or group.pairs < limits["least"]:
            continue
        figure = beyond(near.match, group.expected)
        if figure > limits["match"]:
            told, often = percent(near.match), percent(group.expected)
            words = Text(
                f"trùng {told.vi} với phiếu {near.other[:8]} ({near.shared} câu), xã này thường trùng {often.vi}",
                f"{told.en} of {near.shared} answers equal those of {near.other[:8]}, {often.en} is usual here",
            )
            yield _finding(row, "match", figure, limits["match"], words, interviews=(near.other,))


def time_findings(
    rows: Sequence[Measures], round: Mapping[str, Any], limits: Mapping[str, float], now: datetime
) -> Iterator[Finding]:
    """Odd hours, dates outside the round, two interviews at once on one laptop."""
    first, last = _day(round.get("starts")), _day(round.get("ends"))
    early = (first - timedelta(days=1)).timestamp() if first else 0.0
    late = min(now.timestamp() + 86_400, (last + timedelta(days=15)).timestamp() if last else float("inf"))
    devices: dict[str, list[tuple[float, float, Measures]]] = defaultdict(list)
    for row in rows:
        if row.began is None or row.hour is None:
            continue
        if not early <= row.began <= late or (row.ended is not None and row.ended < row.began):
            day = datetime.fromtimestamp(row.began, now.tzinfo)
            words = Text(
                f"máy ghi ngày {day:%d/%m/%Y}, ngoài thời gian của đợt", f"dated {day:%Y-%m-%d}, outside the round"
            )
            yield _finding(row, "clock", row.began, late if row.began > late else early, words)
            continue
        if not limits["earliest"] <= row.hour < limits["latest"]:
            minutes = round_minutes(row.hour)
            words = Text(f"bắt đầu lúc {minutes}", f"began at {minutes}")
            limit = limits["earliest"] if row.hour < limits["earliest"] else limits["latest"]
            yield _finding(row, "hours", row.hour, limit, words)
        # An interview that was left and gone on with another day spans many others without overlapping any.
        if row.ended is not None and row.seconds is not None and row.ended - row.began <= 1.25 * row.seconds + 600:
            devices[row.device].append((row.began, row.ended, row))
    for spans in devices.values():
        yield from _overlaps(sorted(spans, key=lambda span: span[:2]), limits["overlap"])


def _overlaps(spans: Sequence[tuple[float, float, Measures]], least: float) -> Iterator[Finding]:
    before: tuple[float, float, Measures] | None = None
    for span in spans:
        if before is not None:
            minutes = (min(before[1], span[1]) - span[0]) / 60
            if minutes > least:
                other = before[2].interview
                words = Text(
                    f"chồng {minutes:.0f} phút với phiếu {other[:8]} trên cùng một máy",
                    f"overlaps {minutes:.0f} minutes with {other[:8]} on the same laptop",
                )
                yield _finding(span[2], "overlap", minutes, least, words, interviews=(other,))
        if before is None or span[1] > before[1]:
            before = span


def round_minutes(hour: float) -> str:
    """``7:05`` of 7.09 hours."""
    whole, rest = divmod(int(hour * 60 + 0.5), 60)
    return f"{whole}:{rest:02d}"


def _day(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone()
    except ValueError:
        return None


def kept_findings(rows: Iterable[Measures], limits: Mapping[str, float]) -> Iterator[Finding]:
    """Interviews in which many unusual answers were kept with a reason."""
    for row in rows:
        if row.kept > limits["kept"]:
            words = Text(
                f"giữ nguyên {row.kept} câu trả lời dù có cảnh báo", f"{row.kept} answers were kept despite a check"
            )
            yield _finding(row, "kept", row.kept, limits["kept"], words)


def version_findings(rows: Iterable[Measures], round: Mapping[str, Any], current: str) -> Iterator[Finding]:
    """Interviews begun with another version of the questionnaire after the round's current one was issued.
    ``current`` is the time of that issue."""
    newest = str(round.get("questionnaire_hash", ""))
    since = _day(current)
    for row in rows:
        if newest and row.questionnaire != newest and since and row.began and row.began > since.timestamp():
            words = Text(
                "phỏng vấn bằng bảng hỏi cũ sau khi đã có bản mới", "used the old questionnaire after a new one"
            )
            yield _finding(row, "version", 1, 0, words)


def outlier_findings(
    rows: Iterable[Measures], details: Mapping[str, Details], limits: Mapping[str, float]
) -> Iterator[Finding]:
    """Numbers far from the rest: beyond the quartiles by so many interquartile ranges (Tukey), on the logarithm where
    all are positive and the largest is a hundred times the smallest (incomes)."""
    values: dict[tuple[str, str], list[tuple[Measures, float]]] = defaultdict(list)
    for row in rows:
        for path, value in details[row.interview].numbers.items():
            values[row.questionnaire, path].append((row, value))
    for (_, path), given in values.items():
        if len(given) < LEAST_NUMBERS:
            continue
        smallest, largest = min(v for _, v in given), max(v for _, v in given)
        by_log = smallest > 0 and largest > 100 * smallest
        scaled = [log(value) if by_log else value for _, value in given]
        low, _, high = quantiles(scaled, n=4)
        reach = limits["outlier"] * (high - low)
        if not reach:
            continue
        for (row, value), place in zip(given, scaled, strict=True):
            away = max(low - place, place - high) / (high - low)
            if away > limits["outlier"]:
                words = Text(f"ghi {value:g}, xa các phiếu khác", f"says {value:g}, far from the others")
                yield _finding(row, "outlier", away, limits["outlier"], words, question=path)


def respondent_findings(rows: Iterable[Measures], details: Mapping[str, Details]) -> Iterator[Finding]:
    """People who may have been interviewed twice: one telephone, or one name with the same numbers (age, year of birth)
    in one commune."""
    seen: dict[tuple[Any, ...], str] = {}
    for row in rows:
        mine = details[row.interview]
        keys: list[tuple[Any, ...]] = []
        for path, known in mine.contact.items():
            if known.startswith("tel:"):
                keys.append((path, known))
            elif row.commune and mine.numbers:
                keys.append((path, known, row.commune, tuple(sorted(mine.numbers.items()))))
        for key in keys:
            other = seen.setdefault(key, row.interview)
            if other != row.interview:
                words = Text(
                    f"cùng số điện thoại với phiếu {other[:8]}"
                    if len(key) == 2
                    else f"cùng tên và số liệu với phiếu {other[:8]} trong xã",
                    f"same telephone as {other[:8]}"
                    if len(key) == 2
                    else f"same name and numbers as {other[:8]} in this commune",
                )
                yield _finding(row, "respondent", 1, 0, words, interviews=(other,), question=str(key[0]))
                break
