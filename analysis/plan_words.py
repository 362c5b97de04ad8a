"""What became of targets, in sentences that a chairman understands."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from analysis.plan import TOO_SMALL, Outcome, Outlook
from analysis.ranking import GROUP_WORDS
from analysis.report.format import count, listed, number
from analysis.targets import Target
from survey.text import LANGUAGES, Text


def _both(write: Callable[[str], str]) -> Text:
    return Text(*(write(language) for language in LANGUAGES))


def said(target: Target) -> Text:
    """The target itself: ``≥ 5,40``, ``hạng ≤ 30/63``, ``nhóm trung bình cao trở lên``."""
    if target.kind == "score":
        return _both(lambda language: "≥ " + number(target.value, 2, language))
    if target.kind == "rank":
        among = f"/{target.of}" if target.of else ""
        return Text(f"hạng ≤ {target.value:g}{among}", f"rank ≤ {target.value:g}{among}")
    group = GROUP_WORDS[target.group]
    if target.group == "best":
        return Text(f"nhóm {group.vi}", f"group {group.en}")
    return Text(f"nhóm {group.vi} trở lên", f"group {group.en} or better")


def result_sentence(outcome: Outcome, name: Text | None = None) -> Text:
    """One target's result: what was reached, whether that meets the target, and how far it can be relied on.

    ``name`` of the node is told where several targets are listed."""
    target, place = outcome.target, Text("", "")
    if outcome.published in ("", "merger"):
        return Text(*(f"{target.domain}, {_named(target, name)(one)}: {outcome.notes[0](one)}." for one in LANGUAGES))
    if outcome.ranked > 1:
        group = GROUP_WORDS[outcome.group]
        place = Text(
            f", hạng {outcome.rank}/{outcome.ranked}" + (f", nhóm {group.vi}" if target.kind == "group" else ""),
            f", rank {outcome.rank} of {outcome.ranked}" + (f", group {group.en}" if target.kind == "group" else ""),
        )
    met, wanted = outcome.published == "reached", said(target)
    about = Text("", "") if name is None else Text(f" ở {name.vi}", f" on {name.en}")
    first = Text(
        f"{target.domain} đạt {number(outcome.value, 2, 'vi')} điểm{about.vi}{place.vi}: "
        f"{'đạt' if met else 'không đạt'} mục tiêu ({wanted.vi}).",
        f"{target.domain} scored {number(outcome.value, 2, 'en')}{about.en}{place.en}: the target ({wanted.en}) was "
        f"{'reached' if met else 'not reached'}.",
    )
    second = _certain(outcome, met)
    return Text(*(f"{first(one)} {second(one)}" for one in LANGUAGES))


def _named(target: Target, name: Text | None) -> Text:
    return name or Text(target.code, target.code)


def _certain(outcome: Outcome, met: bool) -> Text:
    kind = outcome.target.kind
    what = Text("mục tiêu", "the target") if kind == "score" else Text("ngưỡng", "the threshold")
    goal = Text(*(f"{what(one)} {number(outcome.goal, 2, one)}" for one in LANGUAGES))
    chance = _both(lambda one: number(100 * outcome.p, 0, one))
    if outcome.certainty == "open":
        size = Text("Mẫu nhỏ nên khoảng cách tới", "The sample is small: the distance to")
        return Text(
            f"{size.vi} {goal.vi} chưa đủ chắc chắn (xác suất thực sự đạt: {chance.vi}\u00a0%).",
            f"{size.en} {goal.en} is not certain (probability that it was truly reached: {chance.en}%).",
        )
    if outcome.certainty == "no_error":
        return Text(
            "Không có sai số công bố nên không nói được chắc chắn đến đâu.",
            "No error is published, so how certain that is cannot be said.",
        )
    if met == (outcome.certainty == "sure"):
        return Text(
            f"Khoảng cách tới {goal.vi} lớn hơn sai số: kết luận này chắc chắn.",
            f"The distance to {goal.en} is larger than the error: this conclusion is certain.",
        )
    # Rare: the published figure falls on one side, the joint uncertainty of all the units on the other.
    return Text(
        f"Tính cả sai số của mọi đơn vị, xác suất thực sự đạt là {chance.vi}\u00a0%.",
        f"With the errors of all units, the probability that it was truly reached is {chance.en}%.",
    )


def summary(outcomes: Sequence[Outcome]) -> Text:
    """All targets of one unit in two sentences: how many were reached, by name, and how certain that is."""
    told = [one for one in outcomes if one.published in ("reached", "missed")]
    met = [one.target.code for one in told if one.published == "reached"]
    sure = [one.target.code for one in told if one.certainty in ("sure", "sure_not")]
    silent = [one for one in told if one.certainty == "no_error"]
    who = listed(dict.fromkeys(one.target.domain for one in outcomes), "vi")
    named = {one: f" ({listed(met, one)})" if met else "" for one in LANGUAGES}
    if not told:
        return Text(
            f"{who}: chưa mục tiêu nào kết luận được, lý do ghi ở từng mục.",
            f"{who}: nothing is concluded for any target yet; the reason stands with each.",
        )
    parts = [
        Text(
            f"{who}: theo điểm công bố, đạt {len(met)}/{len(told)} mục tiêu{named['vi']}.",
            f"{who}: by the published scores, {len(met)} of {len(told)} targets were reached{named['en']}.",
        )
    ]
    if len(silent) == len(told):
        parts.append(
            Text(
                "Không mục tiêu nào có sai số công bố, nên không nói được kết quả chắc chắn đến đâu.",
                "None of them has a published error, so how certain that is cannot be said.",
            )
        )
    else:
        parts.append(
            Text(
                f"Kết luận chắc chắn: {len(sure)}/{len(told)} mục tiêu.",
                f"The conclusion is certain for {len(sure)} of {len(told)}.",
            )
        )
    without = len(outcomes) - len(told)
    if without:
        parts.append(
            Text(
                f"{without} mục tiêu chưa kết luận được, lý do ghi ở từng mục.",
                f"Nothing is concluded for {without}; the reason stands with each.",
            )
        )
    return Text(*(" ".join(part(one) for part in parts) for one in LANGUAGES))


def outlook_sentence(outlook: Outlook) -> Text:
    """What a person reads before a target is saved."""
    if outlook.verdict in ("merger", "unknown") and not math.isfinite(outlook.baseline):
        return outlook.notes[0]
    if outlook.verdict == "there":
        return Text(
            f"Giá trị gốc {number(outlook.baseline, 2, 'vi')} đã ở mức mục tiêu ({said(outlook.target).vi}).",
            f"The baseline, {number(outlook.baseline, 2, 'en')}, is at the target ({said(outlook.target).en}) already.",
        )
    needed = {one: number(outlook.needed, 2, one) for one in LANGUAGES}
    if outlook.verdict == "unknown":
        return Text(
            f"Cần tăng {needed['vi']} điểm. Giá trị gốc không có sai số công bố: không biết mẫu có phân biệt được "
            "không.",
            f"A rise of {needed['en']} is needed. The baseline has no published error: whether the sample can tell it "
            "is not known.",
        )
    smallest = {one: number(outlook.smallest, 2, one) for one in LANGUAGES}
    first = Text(
        f"Cần tăng {needed['vi']} điểm; mức nhỏ nhất mà mẫu phân biệt được là {smallest['vi']}.",
        f"A rise of {needed['en']} is needed; the smallest that the samples can tell is {smallest['en']}.",
    )
    if outlook.verdict == "enough":
        return first
    return Text(*(f"{first(one)} {TOO_SMALL(one)} {_sizes(outlook)(one)}".rstrip() for one in LANGUAGES))


def _sizes(outlook: Outlook) -> Text:
    if math.isnan(outlook.n_needed):
        return Text("", "")
    if math.isfinite(outlook.n_needed):
        return Text(
            f"Cần {count(outlook.n_needed, 'vi')} phiếu ở đợt đo (đợt gốc có {count(outlook.n, 'vi')}).",
            f"The round measured would need {count(outlook.n_needed, 'en')} interviews (the baseline had "
            f"{count(outlook.n, 'en')}).",
        )
    return Text(
        f"Mẫu đợt đo lớn đến đâu cũng không đủ, vì sai số đợt gốc đã lớn; nếu cả hai đợt cùng cỡ thì mỗi đợt cần "
        f"{count(outlook.n_both, 'vi')} phiếu (đợt gốc có {count(outlook.n, 'vi')}).",
        f"No size of the round measured is enough, as the baseline's own error is large; of equal size, each of the "
        f"two rounds would need {count(outlook.n_both, 'en')} interviews (the baseline had {count(outlook.n, 'en')}).",
    )
