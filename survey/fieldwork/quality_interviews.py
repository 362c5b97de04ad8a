"""The checks of single interviews, each against its questionnaire or its commune."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import exp, log
from statistics import median
from typing import Any, NamedTuple

from survey.fieldwork.matches import Group
from survey.fieldwork.measures import QUICK, Measures
from survey.fieldwork.quality import INTERVIEW, Finding, percent, shown
from survey.text import Text, many

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


def norm_of(rows: Sequence[Measures], least: float) -> Norm | None:
    """What is usual among these interviews; None where there are fewer than ``least``."""
    if len(rows) < least:
        return None
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


def duration_findings(rows: Iterable[Measures], limits: Mapping[str, float]) -> Iterator[Finding]:
    """Too short or too long against the questionnaire's own median."""
    durations: dict[str, list[tuple[float, Measures]]] = defaultdict(list)
    for row in rows:
        if row.seconds is not None:
            durations[row.questionnaire].append((row.seconds, row))
    for found in durations.values():
        usual = median([seconds for seconds, _ in found])
        if len(found) < limits["least"] or usual < LEAST_SECONDS:
            continue
        short, long = limits["short"] * usual, limits["long"] * usual
        for seconds, row in found:
            if short <= seconds <= long:
                continue
            took, often = shown(seconds / 60, 1), shown(usual / 60, 1)
            words = Text(
                f"mất {took.vi} phút, bảng hỏi này thường mất {often.vi} phút",
                f"took {took.en} minutes, this questionnaire usually takes {often.en}",
            )
            check = "short" if seconds < short else "long"
            yield _finding(row, check, seconds / usual, limits[check], words)


def quick_findings(rows: Iterable[Measures], limits: Mapping[str, float]) -> Iterator[Finding]:
    """Answers that come within a second of the question."""
    for row in rows:
        if row.timed >= LEAST_SCALE and (share := row.quick / row.timed) > limits["quick"]:
            told, second = percent(share), shown(QUICK)
            words = Text(
                f"{told.vi} câu trả lời được ghi trong vòng {second.vi} giây",
                f"{told.en} of the answers were given within {second.en} second",
            )
            yield _finding(row, "quick", share, limits["quick"], words)


def answer_findings(rows: Iterable[Measures], norm: Norm, limits: Mapping[str, float]) -> Iterator[Finding]:
    """Answers that are too much alike, too far apart, in the middle, or missing, against the norm of the commune (of
    all, where it has too few interviews)."""
    shares = (
        ("neutral", neutral, Text("câu ở giữa thang", "neutral answers")),
        ("dont_know", dont_know, Text("câu không biết", "don't know answers")),
        ("refused", refused, Text("câu không trả lời", "refusals")),
    )
    for row in rows:
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


def match_findings(rows: Iterable[Measures], group: Group, limits: Mapping[str, float]) -> Iterator[Finding]:
    """Interviews of a commune that share more with another than is usual there."""
    for row in rows:
        near = group.nearest.get(row.interview)
        if near is None or near.expected is None or group.pairs < limits["least"]:
            continue
        figure = near.beyond
        if figure is not None and figure > limits["match"]:
            told, often = percent(near.match), percent(near.expected)
            words = Text(
                f"trùng {told.vi} của {near.shared} câu với phiếu {near.other[:8]}; hai phiếu như vậy thường trùng "
                f"{often.vi}",
                f"{told.en} of {near.shared} answers equal those of {near.other[:8]}; {often.en} is usual for two such",
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
                f"giữ nguyên {row.kept} câu trả lời dù có cảnh báo",
                f"{many(row.kept, 'answer was', 'answers were')} kept despite a check",
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


def far_away(counts: Mapping[float, int], reach: float) -> tuple[float, float] | None:
    """The bounds beyond which a number is far from the rest: so many interquartile ranges beyond the quartiles (Tukey),
    on the logarithm where all are positive and the largest is a hundred times the smallest (incomes). ``counts`` say
    how often each number was given; None where there are too few, or half of them are equal."""
    total = sum(counts.values())
    if total < LEAST_NUMBERS:
        return None
    values = sorted(counts)
    by_log = values[0] > 0 and values[-1] > 100 * values[0]
    low, high = (_quantile(values, counts, share * (total - 1)) for share in (0.25, 0.75))
    if by_log:
        low, high = log(low), log(high)
    away = reach * (high - low)
    if not away:
        return None
    bounds = low - away, high + away
    return (exp(bounds[0]), exp(min(bounds[1], 700))) if by_log else bounds


def _quantile(values: Sequence[float], counts: Mapping[float, int], place: float) -> float:
    """The number at a place (from 0, between two as a mean) of the sorted numbers."""
    passed, before = 0, None
    for value in values:
        passed += counts[value]
        if before is not None:
            return before + (place % 1) * (value - before)
        if passed > place + 1 or (passed > place and place % 1 == 0):
            return value
        if passed > place:
            before = value
    return values[-1]


def outlier_findings(
    numbers: Iterable[tuple[Measures, Mapping[str, float]]],
    bounds: Mapping[str, tuple[float, float]],
    limits: Mapping[str, float],
) -> Iterator[Finding]:
    """Numbers beyond the ``bounds`` of their question (path), from :func:`far_away`."""
    for row, given in numbers:
        for path, value in given.items():
            low, high = bounds.get(path, (value, value))
            if not low <= value <= high:
                words = Text(f"ghi {value:g}, xa các phiếu khác", f"says {value:g}, far from the others")
                yield _finding(row, "outlier", value, high if value > high else low, words, question=path)


def respondent_findings(rows: Iterable[Measures], keys: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[Finding]:
    """People who may have been interviewed twice. ``keys``: interview to (path, what the person is known by), equal for
    two interviews only where it is one person's: :func:`known_by`."""
    seen: dict[tuple[str, str], str] = {}
    for row in rows:
        for path, known in keys.get(row.interview, ()):
            other = seen.setdefault((path, known), row.interview)
            if other != row.interview:
                by = (
                    "số điện thoại" if known.startswith("tel:") else "tên và số liệu trong xã",
                    ("telephone" if known.startswith("tel:") else "name and numbers in this commune"),
                )
                words = Text(f"cùng {by[0]} với phiếu {other[:8]}", f"same {by[1]} as {other[:8]}")
                yield _finding(row, "respondent", 1, 0, words, interviews=(other,), question=path)
                break


def known_by(commune: str, contact: Mapping[str, str], numbers: Mapping[str, float]) -> list[tuple[str, str]]:
    """(path, key) of what tells one person from others: a telephone alone; a name only within a commune and together
    with the numbers given (age, year of birth), since many people share a name."""
    found = []
    for path, known in contact.items():
        if known.startswith("tel:"):
            found.append((path, known))
        elif commune and numbers:
            found.append((path, f"{known} {commune} {sorted(numbers.items())}"))
    return found
