"""The PAPI instruments as shipped: the whole tree of 2023 is asked, in both languages, and walks to its end."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path as Folder
from typing import Any

import pytest

from survey.questionnaire import index_sheet, xlsform
from survey.questionnaire.index_sheet import IndexNode
from survey.questionnaire.model import Node, Questionnaire, Value
from survey.questionnaire.path import Context, Entry, Path, open_path
from survey.text import nfc

YEARS = ("papi_2018", "papi_2019", "papi_2022")
ALL = (*YEARS, "papi_2023")
FRAME = {
    "province": "11",
    "district": "094",
    "commune": "03127",
    "village": "3",
    "stratum": "11-094",
    "psu": "03127-3",
    "urban_rural": "urban",
}
NOW = datetime(2023, 9, 12, 8, 0, tzinfo=timezone(timedelta(hours=7)))
OURS = {"I7.1.3A", "I7.1.4A"}
"""Indicators with a code of our own; docs/instruments-papi.md says why."""


@cache
def instrument(name: str) -> Questionnaire:
    return xlsform.load(xlsform.find(name))


@cache
def index(name: str) -> dict[str, IndexNode]:
    nodes, problems = index_sheet.parse(instrument(name).index, instrument(name))
    assert problems == []
    return {node.code: node for node in nodes}


def leaves(name: str) -> list[IndexNode]:
    parents = {parent for node in index(name).values() for parent in node.parents}
    return [node for code, node in index(name).items() if code not in parents]


def questions() -> list[Node]:
    return [node for node in instrument("papi_2023").walk() if node.kind == "question"]


def is_asked(node: Node) -> bool:
    return node.kind == "question" and node.type not in ("note", "hidden", "calculate")


def tree(folder: Folder, year: int) -> dict[str, set[str]]:
    """The sub-dimensions of a year with the indicators that were published for it, from the reference tree."""
    reference = json.loads((folder / "papi_tree.json").read_text("utf-8"))
    structure = next(s for s in reference["structures"] if year in s["years"])
    return {
        sub["code"]: {i["code"] for i in sub["indicators"] if year in i["rounds_seen"]}
        for dimension in reference["dimensions"]
        for sub in dimension["sub_dimensions"]
        if sub["code"] in structure["codes"]
    }


# --- the sheets


@pytest.mark.parametrize("name", ALL)
def test_an_instrument_is_shipped_and_loads_without_a_problem(name: str) -> None:
    questionnaire, problems = xlsform.check(xlsform.find(name))

    assert problems == []
    assert questionnaire is not None
    assert questionnaire.id == name
    assert set(questionnaire.title) == {"vi", "en"}
    assert name in xlsform.shipped()


@pytest.mark.parametrize("name", YEARS)
def test_the_years_of_published_scores_are_structures_without_questions(name: str) -> None:
    assert not instrument(name).nodes
    assert not [node.code for node in index(name).values() if node.question or node.score]


@pytest.mark.parametrize("name", ALL)
def test_sheets_are_plain_utf8_with_unix_line_ends_and_composed_letters(name: str) -> None:
    for file in sorted(xlsform.find(name).iterdir()):
        data = file.read_bytes()
        assert not data.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in data
        assert data.decode() == nfc(data.decode())


@pytest.mark.parametrize("name", ALL)
def test_every_text_stands_in_both_languages(name: str) -> None:
    for file in sorted(xlsform.find(name).glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        pairs = [(head, head.replace("Tiếng Việt (vi)", "English (en)")) for head in rows[0] if "(vi)" in head]
        assert pairs
        for number, row in enumerate(rows, 2):
            halves = [vi for vi, en in pairs if bool(row[vi].strip()) != bool(row[en].strip())]
            assert not halves, f"{file}, row {number}: {halves}"
    assert not [node.code for node in index(name).values() if set(node.level_name or {}) != {"vi", "en"}]


def test_everything_a_person_sees_has_a_label() -> None:
    nodes = [node for node in instrument("papi_2023").walk() if node.row]
    assert len(nodes) > 200
    assert not [n.name for n in nodes if n.type not in ("hidden", "calculate") and set(n.label) != {"vi", "en"}]
    choices = [choice for items in instrument("papi_2023").lists.values() for choice in items]
    assert not [choice.name for choice in choices if set(choice.label) != {"vi", "en"}]


def test_missing_answers_are_kinds_and_never_codes_of_a_list() -> None:
    for choices in instrument("papi_2023").lists.values():
        for choice in choices:
            assert choice.name not in ("88", "98", "99", "888", "998", "999")
            assert choice.label["vi"] not in ("Không biết", "Không trả lời", "Không thuộc diện hỏi")


# --- the tree


@pytest.mark.parametrize("name", ALL)
def test_the_index_has_exactly_the_published_indicators_of_its_year(name: str, shared_data: Folder) -> None:
    expected = tree(shared_data, int(name[-4:]))
    found: dict[str, set[str]] = {code: set() for code in index(name) if code.startswith("S")}
    for leaf in leaves(name):
        found[leaf.parent].add(leaf.code)
    if name == "papi_2023":
        found["S7.1"] -= OURS
    assert found == expected


@pytest.mark.parametrize(
    ("name", "subs", "indicators"),
    [("papi_2018", 28, 114), ("papi_2019", 29, 122), ("papi_2022", 28, 118), ("papi_2023", 28, 120 + len(OURS))],
)
def test_a_year_has_eight_dimensions_and_its_own_number_of_parts(name: str, subs: int, indicators: int) -> None:
    count = Counter(code[0] for code in index(name))
    assert (count["D"], count["S"], count["I"]) == (8, subs, indicators)
    assert {node.parents for code, node in index(name).items() if code.startswith("S")} == {
        (f"D{number}",) for number in range(1, 9)
    }


@pytest.mark.parametrize("name", ALL)
def test_level_names_are_those_of_papi(name: str) -> None:
    levels = {code[0]: (node.level_name or {})["vi"] for code, node in index(name).items()}
    assert levels["D"] == "chỉ số nội dung"
    assert levels["S"] == "nội dung thành phần"
    assert levels["I"] == "chỉ tiêu"


def test_only_2019_has_a_weighted_total_and_it_shares_the_dimensions_with_the_plain_one() -> None:
    assert [name for name in ALL if "TOTAL_W" in index(name)] == ["papi_2019"]
    dimensions = [node for code, node in index("papi_2019").items() if code.startswith("D")]
    assert {node.parents for node in dimensions} == {("TOTAL_UNW", "TOTAL_W")}
    assert sum(node.share or 0 for node in dimensions) == pytest.approx(8.123067)


def test_every_indicator_of_2023_has_a_question_or_a_calculation() -> None:
    by_name = {question.name: question for question in questions()}
    for leaf in leaves("papi_2023"):
        assert leaf.score is not None
        question = by_name[leaf.question]
        assert question.type == "calculate" or is_asked(question)


@pytest.mark.parametrize(
    ("code", "from_", "to"),
    [
        ("I1.1.1", (0, 2), (1, 10)),
        ("I2.2.2", (0, 1), (10, 1)),
        ("I3.2.1", (0, 4), (1, 10)),
        ("I4.4.3", (0, 150000), (10, 1)),
        ("I6.4.2", (-3, 3), (1, 10)),
        ("S1.1", (1, 10), (0.25, 2.5)),
        ("S3.1", (1, 10), (0.33, 3.3)),
        ("S3.3", (2, 20), (0.22, 2.2)),
        ("S5.1", (1, 10), (1 / 3, 10 / 3)),
        ("S7.2", (1, 10), (1 / 3, 10 / 3)),
        ("S8.1", (1, 10), (0.33, 3.3)),
        ("S8.3", (1, 10), (0.334, 3.34)),
    ],
)
def test_the_published_scales_of_2023_are_data(code: str, from_: tuple[float, float], to: tuple[float, float]) -> None:
    node = index("papi_2023")[code]
    assert node.from_ == pytest.approx(from_)
    assert node.to == pytest.approx(to)


def test_indicators_that_are_published_but_not_scored_have_no_share() -> None:
    shown = {code for code, node in index("papi_2023").items() if node.share == 0}
    assert shown == {
        *("I1.4.3", "I1.4.4", "I2.4.7", "I2.4.8", "I3.3.3", "I4.1.4", "I4.1.5"),
        *("I4.4.1", "I4.4.5", "I4.4.6", "I7.1.2", "I7.1.3", "I7.1.4"),
        *("I8.3.4", "I8.3.5", "I8.3.6", "I8.3.7"),
    }


# --- the form


def test_frame_columns_are_hidden_questions_and_2023_still_has_districts() -> None:
    assert {q.name for q in questions() if q.type == "hidden"} == set(FRAME)


def test_it_ends_with_the_circumstances_of_the_interview_as_the_sipas_form_does() -> None:
    groups = [node for node in instrument("papi_2023").nodes if node.kind == "group" and node.row]
    assert groups[-1].label["vi"] == "Hoàn cảnh phỏng vấn"
    names = [node.name for node in groups[-1].walk()]
    assert {"interview_mode", "interview_language", "interpreter", "others_present", "wrote_answers"} <= set(names)
    for name in ("mode", "language", "interpreter", "present", "wrote"):
        theirs = instrument("sipas_2024").lists[name]
        assert [c.name for c in instrument("papi_2023").lists[name]] == [c.name for c in theirs]


def test_questions_on_bribes_are_asked_in_private_and_about_the_locality() -> None:
    private = [q for q in questions() if q.private]
    assert {"i4_1_2", "i4_2_1", "i4_3_1", "i4_4_1", "i4_4_5", "i4_4_6", "i2_1_5"} <= {q.name for q in private}
    own = [q.name for q in private if "ở đây" not in q.label["vi"] and "địa phương" not in q.label["vi"]]
    # The follow-up to 4.4.1 and the hospital that the question names.
    assert own == ["i4_4_4", "i4_4_6"]
    assert all({"dont_know", "refused"} <= set(q.missing) for q in private)


def test_only_the_telephone_number_is_contact() -> None:
    assert [q.name for q in questions() if q.contact] == ["phone"]


# --- interviews


def start(frame: Mapping[str, str] = FRAME) -> Path:
    context = Context(frame=dict(frame), now=NOW, username="p1", deviceid="d1", interview="7f6f4c5e-0000-4000-8000-1")
    return open_path(instrument("papi_2023"), {}, context)


def name_of(entry: Entry) -> str:
    return entry.path.rpartition("/")[2]


def open_questions(path: Path) -> Iterator[Entry]:
    for entry in path.entries:
        if entry.relevant and not entry.is_answered and is_asked(entry.node):
            yield entry


def first_choice(entry: Entry) -> Value:
    """The first answer offered; a plain number or text where none is."""
    if choices := entry.choices():
        return [choices[0].name] if entry.node.is_list else choices[0].name
    return {"age": "47", "phone": "0912345678", "household_size": "4"}.get(name_of(entry), "1")


def any_answer(entry: Entry, chance: random.Random) -> Value:
    """One of the answers or missing kinds that the question offers, at random; those that let it go on, mostly."""
    if entry.node.missing and chance.random() < 0.1:
        return {"missing": chance.choice(entry.node.missing)}
    if not entry.choices() or name_of(entry) == "consent":
        return first_choice(entry)
    choice = chance.choice(entry.choices()).name
    return [choice] if entry.node.is_list else choice


def fill(path: Path, given: Mapping[str, Value], chance: random.Random | None = None) -> tuple[Path, list[str]]:
    """Answers what is open as ``given``, else with the first choice or at random, until nothing is."""
    names: list[str] = []
    while entry := next(open_questions(path), None):
        name = name_of(entry)
        value = given[name] if name in given else any_answer(entry, chance) if chance else first_choice(entry)
        assert name not in names, f"{name} stays open"
        names.append(name)
        change = path.set(entry.path, value)
        assert change.verdict == "ok", f"{name} = {value}: {change.message}"
        path = change.path
    return path, names


def value(path: Path, name: str) -> Any:
    """What is sealed under this question's name; None if it is off the path."""
    return next((found for key, found in path.values.items() if key.rpartition("/")[2] == name), None)


def test_nothing_but_the_consent_question_is_open_at_the_start() -> None:
    assert [name_of(e) for e in open_questions(start())] == ["consent"]


@pytest.mark.parametrize("seed", range(12))
def test_a_random_complete_interview_reaches_the_end(seed: int) -> None:
    path, names = fill(start(), {}, random.Random(seed))

    assert path.problems() == []
    assert names[0] == "consent"
    assert names[-1] == "enumerator_note"
    assert {section.state for section in path.sections} <= {"done", "here", "not_asked"}
    sure = {leaf.question for leaf in leaves("papi_2023") if leaf.dont_know == "zero"}
    assert not [question for question in sure if value(path, question) is None]


def test_everybody_who_is_concerned_is_asked_everything() -> None:
    """With a first choice everywhere, which is "yes" to every filter, every indicator gets its answer."""
    path, names = fill(start(), {"i3_2_1": ["proposal"]})
    unanswered = [leaf.code for leaf in leaves("papi_2023") if value(path, leaf.question) in (None, "")]
    assert unanswered == []
    assert len(names) > 170


def test_without_consent_the_interview_ends_and_nothing_else_is_asked() -> None:
    path, names = fill(start(), {"consent": "no"})
    assert names == ["consent"]
    assert path.problems() == []
    assert {section.state for section in path.sections if section.path != "opening"} <= {"not_asked", "done"}
    assert not [leaf.code for leaf in leaves("papi_2023") if value(path, leaf.question) not in (None, "")]


def test_someone_under_18_is_thanked_and_asked_no_more() -> None:
    _, names = fill(start(), {"age": "17"})
    assert names == ["consent", "age"]
    _, names = fill(start(), {"age": "18"})
    assert len(names) > 100


def test_consent_withdrawn_takes_every_answer_off_the_path() -> None:
    path, _ = fill(start(), {})
    path = path.set("opening/consent", "no").path
    left = {key.rpartition("/")[2] for key in path.values} - set(FRAME)
    assert left <= {"consent", "eligible"}
    assert "profile/sex" in path.off_path


@pytest.mark.parametrize(
    ("answers", "silent"),
    [
        ({"i1_2_5": "commune"}, ["head_voted", "i1_3_1", "i1_3_6"]),
        ({"contributed": "no"}, ["i1_4_1", "i1_4_5"]),
        ({"i2_1_1": "no"}, ["information_received", "i2_1_5", "i2_1_6"]),
        ({"i2_2_1": "no"}, ["i2_2_2", "i2_2_3"]),
        ({"i2_3_1": "yes", "i2_3_2": "no"}, ["i2_3_3"]),
        ({"i2_4_5": "no"}, ["i2_4_6", "i2_4_7", "i2_4_8"]),
        ({"i3_1_3": "no"}, ["i3_1_4"]),
        ({"i3_2_1": ["none"]}, ["appeal_answered"]),
        ({"i4_4_1": "no"}, ["i4_4_4"]),
        ({"i5_3_5": "no"}, ["i5_3_1", "land_title_fee", "i5_3_4", "i4_4_5"]),
        ({"hospital_used": "no"}, ["hospital_bed", "i4_4_6"]),
        ({"pupil": "no"}, ["school_km", "school_solid"]),
        ({"environment_problem": "no"}, ["i7_1_3", "i7_1_4"]),
        ({"i8_3_6": "no"}, ["portal_commune", "i8_3_7"]),
        ({"age": "19"}, ["i1_2_3", "i1_2_4"]),
    ],
)
def test_what_concerns_some_is_asked_of_those_only(answers: dict[str, Value], silent: list[str]) -> None:
    _, everyone = fill(start(), {"i3_2_1": ["proposal"]})
    _, some = fill(start(), answers)
    assert set(silent) <= set(everyone)
    assert not set(silent) & set(some)


DONT_KNOW: Value = {"missing": "dont_know"}


@pytest.mark.parametrize(
    ("answers", "indicator", "expected"),
    [
        ({"knows_democracy_law": "yes", "knows_residence_book": "no"}, "i1_1_1", "0.5"),
        ({"names_province_chair": "right", "names_commune_chair": DONT_KNOW}, "i1_1_2", "0.5"),
        ({"i1_2_5": "other"}, "i1_2_6", "0"),
        ({"head_voted": "proxy"}, "i1_2_6", "0"),
        ({"i2_1_1": "no"}, "i2_1_2", "0"),
        ({"information_received": "yes", "information_useful": "no"}, "i2_1_3", "0"),
        ({"i3_2_1": ["none"]}, "i3_2_2", "0"),
        ({"post_land": "no", "post_teacher": "no", "post_police": DONT_KNOW}, "i4_3_2", "2"),
        ({"certification_fee": "no", "certification_skill": DONT_KNOW}, "i5_1_1", "2"),
        ({f"land_title_{part}": DONT_KNOW for part in ("fee", "skill", "respect", "on_time")}, "i5_3_3", ""),
        ({"hospital_pharmacy": "no"}, "i6_1_6", "10"),
        ({"hospital_pharmacy": "yes", "hospital_bed": "no"}, "i6_1_6", "8"),
        ({"school_shifts": "no", "school_favour": "no"}, "i6_2_4", "8"),
        ({"school_km": "0.8", "school_minutes": "12"}, "i6_2_1", "0.8"),
        ({"school_km": "12", "school_minutes": "45"}, "i6_2_2", "30"),
        ({"school_km": DONT_KNOW}, "i6_2_1", ""),
        ({"i6_4_1": "3", "safety_before": "1"}, "i6_4_2", "2"),
        ({"i6_4_1": "1", "safety_before": "3"}, "i6_4_2", "-2"),
        ({"safety_before": {"missing": "not_applicable"}}, "i6_4_2", ""),
        (
            {"crime_vehicle": "yes", "crime_burglary": "no", "crime_robbery": "yes", "crime_assault": "no"},
            "i6_4_3",
            "200",
        ),
        ({"environment_problem": "no"}, "i7_1_3_all", "0"),
        ({"portal_certification": "partly"}, "i8_1_1", "0"),
        ({"portal_visited": "no"}, "i8_1_3", "0"),
        ({"website_known": "yes", "website_easy": "yes"}, "i8_3_4", "1"),
    ],
)
def test_an_indicator_made_of_several_answers_is_counted(
    answers: dict[str, Value], indicator: str, expected: str
) -> None:
    path, _ = fill(start(), answers)
    assert (value(path, indicator) or "") == expected


def test_every_substantive_question_can_go_unanswered() -> None:
    offered = {q.name: {"missing": q.missing[0]} for q in questions() if is_asked(q) and q.missing}
    gate_and_circumstances = {q.name for q in questions() if is_asked(q)} - set(offered)
    assert gate_and_circumstances == {
        *("consent", "age", "recontact"),
        *("interview_mode", "interview_language", "interpreter", "wrote_answers", "enumerator_note"),
    }
    path, _ = fill(start(), offered)
    assert path.problems() == []


@pytest.mark.parametrize(
    ("question", "refused", "taken"),
    [
        ("age", "121", "120"),
        ("i1_2_1", ["none", "women"], ["party", "women"]),
        ("i3_2_1", ["none", "complaint"], ["none"]),
        ("i4_4_3", "150001", "150000"),
        ("school_km", "51", "0.5"),
        ("phone", "912345678", "0912345678"),
    ],
)
def test_answers_that_cannot_be_are_refused_with_a_reason(question: str, refused: Value, taken: Value) -> None:
    path, _ = fill(start(), {})
    entry = next(e for e in path.entries if name_of(e) == question)
    change = path.set(entry.path, refused)
    assert change.verdict == "constraint"
    assert change.message
    assert path.set(entry.path, taken).verdict == "ok"


# --- the score


def row(path: Path) -> dict[str, str]:
    """One interview as a row of the data set: answers by question, missing ones typed beside an empty cell."""
    cells: dict[str, str] = {}
    for key, found in path.values.items():
        name = key.rpartition("/")[2]
        if isinstance(found, dict):
            cells[name], cells[f"{name}__missing"] = "", found["missing"]
        else:
            cells[name] = " ".join(found) if isinstance(found, list) else found
    return cells


def test_the_scores_of_a_survey_follow_the_published_formulas() -> None:
    """Sub-dimensions by the formulas of docs/instruments-papi.md, written out by hand, and the sums above them."""
    import pandas as pd

    from analysis import Design, score

    chance = random.Random(2023)
    rows = [row(fill(start({**FRAME, "village": str(k % 6)}), {}, chance)[0]) for k in range(36)]
    data = pd.DataFrame(rows).fillna("")
    result = score(data, "papi_2023", Design(strata="stratum", psu="village"))
    got = dict(zip(result.table["code"], result.table["estimate"], strict=True))

    def share(question: str, *answers: str) -> float:
        """Of everybody, a don't-know or a refusal counts as not."""
        return sum(cells.get(question) in answers for cells in rows) / len(rows)

    def mean(*questions: str) -> float:
        numbers = [float(c[q]) for q in questions for c in rows if c.get(q)]
        return sum(numbers) / len(numbers)

    assert got["I1.1.1"] == pytest.approx(mean("i1_1_1"))
    assert got["S1.1"] == pytest.approx(0.25 * (1 + 9 * (mean("i1_1_1") / 2 + mean("i1_1_2")) / 2))
    appeals = share("i3_2_1", "proposal", "complaint", "denunciation"), mean("i3_2_2")
    assert got["S3.2"] == pytest.approx(0.33 * (1 + 9 * sum(appeals) / 4 / 2))
    courts = share("i3_3_1", "1", "2"), share("i3_3_2", "yes")
    assert got["S3.3"] == pytest.approx(0.11 * ((1 + 9 * courts[0]) + (1 + 9 * courts[1])))
    clean = [share(f"i4_1_{n}", "never") for n in (1, 2, 3)]
    assert got["S4.1"] == pytest.approx(0.25 * (1 + 9 * sum(clean) / 3))
    jobs = share("i4_3_1", "never") + mean("i4_3_2") / 5
    assert got["S4.3"] == pytest.approx(0.25 * (1 + 9 * jobs / 2))
    air = share("i7_2_1", "no") + share("i7_2_2", "yes") + share("i7_2_3", "better")
    assert got["S7.2"] == pytest.approx((1 + 9 * air / 3) / 3)
    assert got["S8.3"] == pytest.approx(0.334 * (1 + 9 * mean("i8_3_3")))
    for number in range(1, 9):
        parts = [code for code in got if code.startswith(f"S{number}.")]
        assert got[f"D{number}"] == pytest.approx(sum(got[code] for code in parts))
    assert got["TOTAL_UNW"] == pytest.approx(sum(got[f"D{number}"] for number in range(1, 9)))
    assert 8 < got["TOTAL_UNW"] < 80
    assert [finding("en") for finding in result.findings] == []


# --- the ready designs


@pytest.mark.parametrize("name", ["papi_2023", "sipas_2024", "sipas_2026"])
def test_a_ready_design_takes_villages_as_variance_units_and_collapses_by_declaration(name: str) -> None:
    from analysis.design import load_design

    design = load_design(xlsform.find(name) / "design.toml")
    assert design.psu == ("village",)
    assert (design.lonely_psu, design.collapse) == ("collapse", "collapse_to")
    assert (design.weight, design.df, design.level) == ("weight", "domain", 0.95)
    text = (xlsform.find(name) / "design.toml").read_text("utf-8")
    assert "Giả định / Assumption" in text


@pytest.mark.parametrize("name", ["papi_2023", "sipas_2024", "sipas_2026"])
def test_a_seat_alone_in_its_stratum_joins_the_declared_one_under_the_ready_design(name: str) -> None:
    import pandas as pd

    from analysis import load_design, mean

    design = load_design(xlsform.find(name) / "design.toml")
    data = pd.DataFrame(
        {
            "weight": 1.0,
            "stratum": ["01-seat"] * 3 + ["01-rest"] * 6,
            "village": ["seat"] * 3 + ["a"] * 2 + ["b"] * 2 + ["c"] * 2,
            "collapse_to": ["01-rest"] * 3 + [""] * 6,
            "answer": [1, 0, 1, 1, 0, 0, 0, 1, 1],
        }
    )
    (together,) = mean(data, "answer", design)
    (one_stratum,) = mean(data.assign(stratum="01-rest"), "answer", design)
    assert together.se == pytest.approx(one_stratum.se)
    assert (together.n_psu, together.df) == (4, 3)
