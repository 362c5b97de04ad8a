"""Quality findings: what an interview's measures are, when a sign is given, and that only what is new is measured."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from statistics import fmean, pvariance, quantiles
from typing import Any

import pytest
import rfc8785
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import f, f_oneway, norm

from survey.errors import Problems
from survey.fieldwork.matches import Answered, Nearest, matches
from survey.fieldwork.measures import Events, Items, decoded, measure, recognisable, scanned
from survey.fieldwork.quality import CHECKS, Finding, risk, thresholds
from survey.fieldwork.quality_enumerators import standings
from survey.fieldwork.quality_interviews import far_away
from survey.fieldwork.quality_questions import Counted, bit_counts, count, deviates, effect, question_findings
from survey.fieldwork.quality_summary import day, summaries
from survey.store import Store, access_log, current, feed, frame, quality
from survey.tables import read_table
from tests.quality_field import (
    MORNING,
    ROUND,
    answers,
    batteries,
    interview,
    measured,
    paradata,
    set_up,
)

Survey = Callable[..., Result]


def checks(found: list[Finding], subject: str) -> set[str]:
    """The checks that speak of one subject."""
    return {one.check for one in found if one.subject == subject}


def someone(source: random.Random) -> list[int]:
    """The scale answers of a made-up person with an opinion of their own."""
    leaning = source.gauss(0, 0.6)
    return [min(5, max(1, round(3.4 + leaning + source.gauss(0, 0.8)))) for _ in range(24)]


@pytest.fixture
def village(hub: Store) -> Store:
    """A hub with 24 honest interviews of two enumerators in one commune, and room for more."""
    set_up(hub, {"k": 30}, starts="2026-11-20", ends="2026-12-05")
    source = random.Random(7)
    with hub.transaction():
        for number in range(24):
            at = MORNING + timedelta(minutes=30 * (number % 16), days=number // 16)
            given = answers(someone(source), age=source.randint(20, 70))
            times = paradata(given, at=at, seconds=15 + source.random() * 5)
            interview(hub, f"uk{number:03d}", given, actor=("phoa", "plan")[number % 2], times=times)
    return hub


# -- one interview -----------------------------------------------------------------------------------------------


def test_an_interview_in_numbers():
    row = measured(answers([4] * 8 + [3, 3, 3, 3, 2, 2, 2, 2] + [5, 1, "dont_know", 3, "refused", 3, 3, 3]))
    assert (row.asked, row.dont_know, row.refused, row.scale) == (26, 1, 1, 22)
    assert (row.neutral, row.run, row.batteries, row.straight) == (8, 8, 3, 1)
    assert row.spread == pytest.approx((0 + 0.25 + 4 / 3) / 3)
    assert row.level == pytest.approx((8 * 3 + 4 * 2 + 4 * 1 + 4 + 0 + 4 * 2) / 22 / 4)
    assert (row.seconds, row.timed, row.quick, row.hour) == (26 * 15, 26, 0, 8.0)


CODES = st.sampled_from(["1", "2", "3", "4", "5", "9", "", 5, ["1"], {}, None]) | st.sampled_from(
    [{"missing": kind} for kind in ("dont_know", "refused", "not_applicable", "sealed_by_another_program")]
)


@given(scale=st.lists(CODES, min_size=24, max_size=24), left_out=st.sets(st.integers(0, 23)))
def test_what_is_counted_from_packed_answers_is_what_counting_one_by_one_gives(
    scale: list[Any], left_out: set[int]
) -> None:
    items = Items(batteries())
    paths = [path for path, _ in items.scale]
    told = {path: value for turn, (path, value) in enumerate(zip(paths, scale, strict=True)) if turn not in left_out}
    told = {path: value for path, value in told.items() if value is not None}
    row, details = measure(items, told, {}, {}, {})
    kinds = {path: value.get("missing", "") for path, value in told.items() if isinstance(value, dict)}
    places = {path: int(value) - 1 for path, value in told.items() if value in ("1", "2", "3", "4", "5")}
    runs = [len(list(same)) for _, same in groupby(places[path] for path in paths if path in places)]
    spreads = []
    for letter in "bcd":
        own = [place for path, place in places.items() if path.startswith(letter)]
        if len(own) >= 4:
            spreads.append(pvariance(own))
    assert row.asked == len(told) - list(kinds.values()).count("not_applicable")
    assert (row.dont_know, row.refused) == tuple(list(kinds.values()).count(kind) for kind in ("dont_know", "refused"))
    assert (row.scale, row.neutral) == (len(places), list(places.values()).count(2))
    assert row.run == max(runs, default=0)
    assert (row.batteries, row.straight) == (len(spreads), sum(spread == 0 for spread in spreads))
    assert row.spread == (pytest.approx(fmean(spreads)) if spreads else None)
    assert row.level == (pytest.approx(fmean(places.values()) / 4) if places else None)
    said = {path: str(place + 1) for path, place in places.items()}
    for path, kind in kinds.items():
        if kind and kind != "not_applicable":
            said[path] = f"?{kind}" if kind in ("dont_know", "refused") else "?other"
    assert dict(decoded(items, details.bits)) == said
    assert details.closed.bit_count() == len(said)


def test_time_at_work_leaves_pauses_out_and_survives_a_restart():
    given = answers([4] * 24)
    times = paradata(given, seconds=10)
    for event in times["events"][13:]:
        event["ms"] += 7_200_000
    assert measured(given, times).seconds == 25 * 10 + 600
    for event in times["events"][13:]:
        event["ms"] -= 12_000_000
    assert measured(given, times).seconds == 25 * 10


def test_a_form_keyed_from_paper_has_no_duration():
    given = answers([4] * 24)
    row = measure(Items(batteries()), given, paradata(given), {}, {"mode": "paper"})[0]
    assert (row.seconds, row.began, row.timed) == (None, None, 0)


def test_a_scan_of_the_times_reads_what_json_reads():
    given = answers([4] * 24)
    told = {**paradata(given, seconds=7.25), "kept": {"a/age": {"reason": "đúng vậy", "value": "40"}}, "mode": ""}
    content = rfc8785.dumps(told)
    assert isinstance(scanned(content)["events"], Events)
    assert measured(given, scanned(content)) == measured(given, told)
    told["events"][3]["more"] = 1
    assert isinstance(scanned(rfc8785.dumps(told))["events"], list)
    assert measured(given, scanned(rfc8785.dumps(told))) == measured(given, told)


@pytest.mark.parametrize("broken", [{}, {"events": "x"}, {"events": [3, {"ms": "a", "time": 5}]}, {"kept": 7}])
def test_paradata_of_another_program_are_no_error(broken: dict[str, object]):
    assert measured(answers([4] * 24), broken).seconds is None


def test_a_telephone_is_recognised_however_it_is_written():
    written = {recognisable(text) for text in ("0912 345 678", "+84 912.345.678", "(0912)345678")}
    assert written == {"tel:912345678"}
    assert recognisable("Đặng Thị HOÀ ") == recognisable("dang thi hoa")
    assert recognisable("000000000") == recognisable(" ") == recognisable({"missing": "refused"}) == ""


# -- signs --------------------------------------------------------------------------------------------------------


def test_honest_interviews_give_no_sign(village: Store):
    assert quality.findings(village, ROUND, MORNING + timedelta(days=3)) == []


def test_each_unusual_interview_is_told_with_its_figure_and_threshold(village: Store):
    source = random.Random(11)
    hurried = answers(someone(source))
    interview(village, "uk024", hurried, times=paradata(hurried, at=MORNING + timedelta(days=3), seconds=0.8))
    interview(village, "uk025", answers([4] * 24), times=paradata(hurried, at=MORNING + timedelta(days=4), seconds=15))
    copied = current.content(village, "iuk003")["answers"] | {"a/age": "99"}
    at_night = MORNING + timedelta(days=4, hours=15)
    interview(village, "uk026", copied, times=paradata(copied, at=at_night, seconds=17))
    unsure = answers(["dont_know"] * 10 + someone(source)[:14])
    interview(village, "uk027", unsure, times=paradata(unsure, at=MORNING + timedelta(days=5), seconds=17))
    long_ago = answers(someone(source))
    interview(village, "uk028", long_ago, times=paradata(long_ago, at=MORNING.replace(year=2019), seconds=17))

    found = quality.findings(village, ROUND, MORNING + timedelta(days=9))
    assert checks(found, "iuk024") == {"short", "quick"}
    assert {"straight", "even", "run"} <= checks(found, "iuk025")
    assert checks(found, "iuk026") == {"match", "hours"}
    assert checks(found, "iuk027") == {"dont_know"}
    assert checks(found, "iuk028") == {"clock"}
    (match,) = (one for one in found if one.check == "match" and one.subject == "iuk026")
    assert (match.interviews, match.enumerator, match.commune) == (("iuk003",), "phoa", "k")
    assert match.figure == pytest.approx(1)
    assert match.threshold == 0.6
    assert "100 %" in match.words.vi
    assert "100 %" in match.words.en
    assert risk(found)["iuk024"] == CHECKS["short"].points + CHECKS["quick"].points


def test_two_interviews_at_once_on_one_laptop_and_one_telephone_twice(village: Store):
    given = answers(someone(random.Random(3)), age=51)
    contact = {"a/phone": "0912 345 678"}
    later = MORNING + timedelta(days=5)
    interview(village, "uk024", given, times=paradata(given, at=later), contact=contact)
    other = answers(someone(random.Random(4)), age=33)
    times = paradata(other, at=later + timedelta(minutes=1))
    interview(village, "uk025", other, times=times, contact={"a/phone": "+84 912345678"})
    found = quality.findings(village, ROUND, MORNING + timedelta(days=9))
    assert {("iuk025", "overlap", ("iuk024",))} == {
        (one.subject, one.check, one.interviews) for one in found if one.check == "overlap"
    }
    assert {"iuk024", "iuk025"} == {
        s for one in found if one.check == "respondent" for s in (one.subject, *one.interviews)
    }
    kept = village.value("SELECT group_concat(known) FROM quality_known")
    assert "912345678" not in kept


def test_the_rounds_own_thresholds_count_and_a_wrong_one_is_told():
    assert thresholds({"quality": {"short": "0.6"}})["short"] == 0.6
    with pytest.raises(Problems) as told:
        thresholds({"id": "r1", "quality": {"shrot": 1, "long": "viele", "match": True}})
    assert len(told.value.problems) == 3


def test_few_or_equal_interviews_say_nothing_of_what_is_usual(hub: Store):
    set_up(hub, {"k": 30})
    assert quality.findings(hub, ROUND) == []
    interview(hub, "uk000", answers([5] * 24))
    assert quality.findings(hub, ROUND) == []
    with hub.transaction():
        for number in range(1, 30):
            interview(hub, f"uk{number:03d}", answers([5] * 24))
    assert {one.check for one in quality.findings(hub, ROUND)} == {"overlap", "day"}


# -- matches ------------------------------------------------------------------------------------------------------


def test_matches_are_those_of_a_plain_count():
    source = random.Random(5)
    items = Items(batteries())
    given = [answers(someone(source)) for _ in range(12)]
    packed = [measure(items, one, {}, {}, {})[1] for one in given]
    group = matches([Answered(str(n), "ab"[n % 2], p.bits, p.closed) for n, p in enumerate(packed)])
    closed = [path for path in items.bits if path in given[0]]

    def share(one: int, other: int) -> float:
        return sum(given[one][path] == given[other][path] for path in closed) / len(closed)

    for n in range(12):
        others = [share(n, other) for other in range(12) if other != n]
        assert group.nearest[str(n)].match == pytest.approx(max(others))
    pairs = [share(a, b) for a in range(12) for b in range(a) if a % 2 != b % 2]
    assert (group.pairs, group.independent) == (36, True)
    assert group.expected == pytest.approx(sum(pairs) / 36)
    assert [Nearest("x", match, 9, expected).beyond for match, expected in ((1, 0.6), (0.6, 0.6), (1, 1))] == [1, 0, 0]


# -- only what is new ---------------------------------------------------------------------------------------------


def test_only_what_is_new_is_measured_and_what_is_gone_is_forgotten(village: Store):
    assert quality.refresh(village) == 24
    assert quality.refresh(village) == 0
    interview(village, "uk024", answers([4] * 24))
    assert quality.refresh(village) == 1
    current.decide(village, "iuk024", "voided", reason="Hộ không có người này", actor="plan")
    assert quality.refresh(village) == 0
    assert len(quality.rows(village, ROUND)) == 24
    current.erase(village, "interview", "iuk003", "padmin")
    assert len(quality.rows(village, ROUND)) == village.value("SELECT count(*) FROM quality_details") == 23


def test_a_kept_comparison_gives_the_findings_that_a_fresh_one_gives(village: Store):
    quality.findings(village, ROUND)
    copied = current.content(village, "iuk003")["answers"]
    interview(village, "uk024", copied)
    kept = quality.findings(village, ROUND, MORNING)
    quality.forget(village)
    assert quality.findings(village, ROUND, MORNING) == kept


def test_an_interview_whose_questionnaire_has_not_come_waits_and_is_counted(survey: Survey, village: Store):
    feed.append(
        village,
        subject_type="interview",
        subject="istrange",
        kind="sealed",
        target="uk029",
        questionnaire_hash="sha256:" + "ab" * 32,
        actor="phoa",
        parts={"answers": answers([4] * 24), "paradata": {}},
    )
    assert quality.refresh(village) == 24
    assert quality.unmeasured(village, ROUND) == 1
    assert "1 interview cannot be looked at yet" in survey("quality", "--instance", village.folder).output


def test_who_corrected_an_interview_is_not_who_made_it(village: Store):
    before = current.content(village, "iuk002")
    feed.append(
        village,
        subject_type="interview",
        subject="iuk002",
        kind="corrected",
        parents=[before["head"]],
        target="uk002",
        questionnaire_hash=batteries().hash,
        actor="pchief",
        parts={"answers": before["answers"], "paradata": {}},
    )
    quality.refresh(village)
    (row,) = (row for row in quality.rows(village, ROUND) if row.interview == "iuk002")
    assert (row.enumerator, row.seconds) == ("phoa", measured(before["answers"], before["paradata"]).seconds)


# -- figures side by side ----------------------------------------------------------------------------------------


def test_the_figures_of_each_enumerator_commune_and_day(village: Store):
    found = quality.findings(village, ROUND)
    rows = quality.rows(village, ROUND)
    hoa, lan = summaries(rows, found)
    assert (hoa.name, hoa.interviews, hoa.days, lan.interviews) == ("phoa", 12, 2, 12)
    assert hoa.minutes is not None
    assert hoa.minutes[0] <= hoa.minutes[2] <= hoa.minutes[3]
    assert [one.name for one in summaries(rows, found, "day")] == ["2026-11-23", "2026-11-24"]
    assert {day(row) for row in rows} == {"2026-11-23", "2026-11-24"}


def test_the_command_tells_signs_figures_and_thresholds(survey: Survey, village: Store, tmp_path: Path):
    interview(village, "uk024", answers([4] * 24))

    def told(*arguments: str) -> Result:
        return survey("quality", *arguments, "--instance", village.folder)

    plain = told()
    assert (plain.exit_code, "Signs to look at again, not conclusions" in plain.output) == (1, True)
    said = json.loads(told("--by", "enumerator", "--json").output)
    assert {one["check"] for one in said["findings"] if one["subject"] == "iuk024"} >= {"straight"}
    assert [(one["name"], one["interviews"]) for one in said["by"]] == [("phoa", 13), ("plan", 12)]
    assert said["rates"]["RR1"] == said["by"][0]["rates"]["RR1"] == pytest.approx(25 / 30)
    assert told("--set", "straight=5", "--set", "run=9").exit_code == 0
    assert json.loads(told("--thresholds", "--json").output)["thresholds"]["straight"] == 5
    assert told("--check", "straight").exit_code == 0
    assert (
        "straight" not in frame.round_document(village, ROUND)["quality"] or told("--set", "straight=").exit_code == 0
    )
    assert json.loads(told("--thresholds", "--json").output)["thresholds"]["straight"] == 0.5
    wrong = told("--set", "shrot=1")
    assert (wrong.exit_code, "shrot" in wrong.output, "short" in wrong.output) == (2, True, True)
    assert told("--check", "nothing").exit_code == 2


# -- enumerators, communes, questions ----------------------------------------------------------------------------


def test_an_enumerator_is_held_against_colleagues_in_the_same_commune():
    def cell(mean: float, n: int = 20) -> tuple[int, float, float]:
        return n, n * mean, n * (mean * mean + 0.01)

    # Commune b is far more content than a; that is nobody's doing. Only p7 stands out among colleagues.
    cells = {(f"p{n}", "ab"[n % 2]): cell(0.4 + 0.4 * (n % 2) + 0.005 * n) for n in range(7)}
    cells["p7", "b"] = cell(0.55)
    found = {one.enumerator: one for one in standings(cells, "level")}
    assert [who for who, one in found.items() if abs(one.distance) > 3.5] == ["p7"]
    assert found["p7"].mean == pytest.approx(0.55)
    assert found["p7"].expected > 0.75
    assert standings({("p1", "a"): (1, 0.5, 0.25)}, "level") == []


def test_bits_are_counted_like_one_by_one():
    source = random.Random(3)
    rows = [source.getrandbits(40) for _ in range(77)]
    assert bit_counts(rows, 40) == [sum(row >> place & 1 for row in rows) for place in range(40)]
    assert bit_counts([], 3) == [0, 0, 0]


def test_the_share_of_variance_between_enumerators_is_that_of_the_analysis_of_variance():
    items = Items(batteries())
    source = random.Random(9)
    given = {who: [answers(someone(source)) for _ in range(7 + turn)] for turn, who in enumerate("abcdefg")}
    packed = {who: [measure(items, one, {}, {}, {})[1].bits for one in found] for who, found in given.items()}
    counted = count(items, packed)
    places = {who: [int(one["b/b3"]) for one in found] for who, found in given.items()}
    expected = f_oneway(*places.values())
    told = effect(counted.parts(items)["b/b3"])
    assert told is not None
    assert told[1] == pytest.approx(expected.statistic)
    assert told[2:] == (6, sum(map(len, places.values())) - 7)
    assert deviates(3.0, 6, 60) == pytest.approx(norm.isf(f.sf(3.0, 6, 60)), abs=0.01)


def test_a_question_that_depends_on_who_asks_is_told():
    items = Items(batteries())
    source = random.Random(9)
    counted = []
    for _ in range(4):
        packed = {
            who: [
                measure(items, {**answers(someone(source)), "c/c2": str(1 + (turn + n // 8) % 5)}, {}, {}, {})[1].bits
                for n in range(10)
            ]
            for turn, who in enumerate("abcd")
        }
        counted.append(count(items, packed))
    found = list(question_findings(items, Counted.sum(counted), thresholds({})))
    assert [(one.check, one.subject) for one in found if one.check == "effect"] == [("effect", "c/c2")]


def test_numbers_far_from_the_rest():
    ages = Counter({float(age): 5 for age in range(20, 60)})
    low, high = far_away(ages, 3) or (0, 0)
    q1, q3 = quantiles([age for age, n in ages.items() for _ in range(n)], n=4, method="inclusive")[::2]
    assert (low, high) == pytest.approx((q1 - 3 * (q3 - q1), q3 + 3 * (q3 - q1)))
    assert far_away(Counter({5.0: 100, 6.0: 2}), 3) is None
    assert far_away(Counter({5.0: 10}), 3) is None
    incomes = Counter({1000 * 1.2**n: 2 for n in range(30)})
    assert (far_away(incomes, 3) or (0, 0))[0] > 0


def test_what_is_said_at_other_is_listed_with_the_choice_that_says_the_same(
    survey: Survey, village: Store, tmp_path: Path
):
    for number, said in enumerate(("Loa phường", "loa  phuong", "nghe Đài ở quán", " "), start=24):
        given = answers(someone(random.Random(number)), source="other") | {"a/specify": said}
        interview(village, f"uk{number:03d}", given)
    file = tmp_path / "others.csv"
    told = survey("quality", "--others", file, "--instance", village.folder)
    assert (told.exit_code, "Wrote 2 different answers" in told.output) == (0, True)
    assert [tuple(row.values()) for row in read_table(file).rows] == [
        ("a/specify", "a/source", "Loa phường", "2", "", ""),
        ("a/specify", "a/source", "nghe Đài ở quán", "1", "radio", "Đài"),
    ]
    (noted,) = access_log.entries(village, actions=["export"])
    assert (noted.detail["file"], noted.detail["others"]) == ("others.csv", 2)
