"""From scores files and from the store to a report: what is read, what is said about how the figures were made."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from analysis.design import Calibration, Design
from analysis.index import index_of, load_index
from analysis.report import facts
from analysis.report.reading import read_scores
from survey.errors import InputError, Problems
from survey.questionnaire import xlsform
from survey.questionnaire.model import Questionnaire
from survey.store import Store, current, drafts, frame
from survey.text import Text

Survey = Callable[..., Result]

INDEX = [
    {"code": "T", "label::Tiếng Việt (vi)": "Hài lòng chung", "label::English (en)": "Overall", "combine": "pooled",
     "from": "0..1", "to": "0..100"},
    {"code": "T1", "parent": "T", "label::Tiếng Việt (vi)": "Biển chỉ dẫn", "label::English (en)": "Signs",
     "from": "0..1", "to": "0..100", "question": "b1", "score": "4 5"},
    {"code": "T2", "parent": "T", "label::Tiếng Việt (vi)": "Chỗ ngồi", "label::English (en)": "Seats",
     "from": "0..1", "to": "0..100", "question": "b2", "score": "4 5", "refused": "zero"},
]  # fmt: skip
HEAD = ("code", "parent", "label::Tiếng Việt (vi)", "label::English (en)", "combine", "from", "to", "question", "score",
        "refused")  # fmt: skip


def written(file: Path, rows: list[dict[str, Any]], delimiter: str = ",") -> Path:
    """``rows`` as a CSV file with all their columns."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with file.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, columns, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return file


def tidy(code: str, estimate: float, level: str = "all", domain: str = "all", **more: Any) -> dict[str, Any]:
    row = {"index": "t", "round": "r1", "domain_level": level, "domain": domain, "code": code, "estimate": estimate}
    return row | {"se": 1, "low": estimate - 2, "high": estimate + 2, "df": 9, "n": 40, "n_psu": 10, "deff": 1} | more


# -- scores files -----------------------------------------------------------------------------------------------


def test_files_of_several_domain_levels_are_taken_together_and_a_figure_twice_once(tmp_path: Path) -> None:
    one = written(tmp_path / "1.csv", [tidy("T", 80), tidy("T", 70, "commune", "03646")])
    two = written(tmp_path / "2.csv", [tidy("T", 80), tidy("T", 60, "sex", "f")])
    rows = read_scores([one, two], index_of(INDEX, "t"))
    assert [(row["domain_level"], row["domain"], row["estimate"]) for row in rows] == [
        ("all", "all", 80),
        ("commune", "03646", 70),
        ("sex", "f", 60),
    ]


def test_a_foreign_file_needs_only_domain_code_and_value(tmp_path: Path) -> None:
    foreign = [{"year": "2022", "province": "Hà Nội", "code": "T", "mean": "43,905"}]
    (row,) = read_scores([written(tmp_path / "papi.csv", foreign, ";")], index_of(INDEX, "t"))
    assert (row["round"], row["domain_level"], row["domain"], row["estimate"]) == ("2022", "province", "Hà Nội", 43.905)
    assert "n" not in row


@pytest.mark.parametrize(
    ("rows", "round", "what"),
    [
        ([tidy("T", 1), tidy("T", 1, round="r2")], "", "several rounds: r1, r2"),
        ([tidy("T", 1)], "r9", "there is no round 'r9'"),
        ([tidy("X", 1)], "", "none of the codes belongs to the index t"),
        ([tidy("T", 1, index="papi_2023")], "", "these are scores of papi_2023"),
    ],
)
def test_scores_that_do_not_fit_are_refused_with_the_choice_there_is(
    tmp_path: Path, rows: list[dict[str, Any]], round: str, what: str
) -> None:
    with pytest.raises(InputError, match=what):
        read_scores([written(tmp_path / "s.csv", rows)], index_of(INDEX, "t"), round)


def test_columns_that_are_missing_are_named_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(Problems) as raised:
        read_scores([written(tmp_path / "s.csv", [{"code": "T", "value": 1}])], index_of(INDEX, "t"))
    assert [problem.where.rpartition("column ")[2] for problem in raised.value.problems] == ["domain", "estimate"]


# -- the method box ---------------------------------------------------------------------------------------------


def said(found: list[facts.Fact], name: str) -> Text:
    (value,) = [fact.value for fact in found if fact.name.en == name]
    return value


def test_the_method_box_tells_the_design_that_was_used() -> None:
    design = Design("w", ("stratum",), ("village", "person"), ("N1", "N2"), lonely_psu="collapse", collapse="join",
                    df="design", level=0.9, calibration=Calibration("raking", True, "w0", "margins.csv"))  # fmt: skip
    found = facts.design_facts(design)
    stages = said(found, "Sample design")
    assert "phân tầng theo stratum" in stages.vi
    assert "finite population correction by N1, N2" in stages.en
    assert "further stages: person" in stages.en
    assert "column join" in said(found, "Strata with one PSU").en
    assert "90%" in said(found, "Confidence interval").en
    assert "PSUs less strata of the whole sample" in said(found, "Confidence interval").en
    assert said(found, "Calibration").en == "raking (margins.csv); already in the weights"


def test_a_sample_without_design_is_not_dressed_up() -> None:
    found = facts.design_facts(Design())
    assert said(found, "Sample design").en.startswith("not stratified; each person is a sampling unit")
    assert said(found, "Weights").en == "none: every interview counts the same"
    assert said(facts.design_facts(None), "Sample design").en == "not given with the scores"


def test_the_base_says_what_happens_to_missing_answers() -> None:
    base = said(facts.index_facts(index_of(INDEX, "t")), "Base")
    assert "don't know: left out" in base.en
    assert "refused: in the base of 1 of 2 items" in base.en
    assert "không biết: không tính" in base.vi


def test_the_draw_is_told_with_its_seed_so_that_it_can_be_repeated() -> None:
    draw = {"seed": "2026", "strata": ["commune"], "stages": ["village take=9 method=pps size=persons", "take=4"]}
    told = said(facts.draw_facts({"draw": draw}), "Draw")
    assert told.en == "strata by commune; stages: village take=9 method=pps size=persons; take=4; seed 2026"
    assert told.vi.startswith("phân tầng theo commune; các bậc: village take=9")
    assert facts.draw_facts({}) == []


def test_response_rates_are_those_of_the_final_codes() -> None:
    (fact,) = facts.response_facts(["1.1", "1.1", "2.112", "1.2", "3.11"])
    assert fact.value.en.startswith("5 cases: 2 complete, 1 refused")
    assert "RR1 40.0%, RR2 60.0%" in fact.value.en
    assert "RR1 40,0\u00a0%" in fact.value.vi
    assert facts.response_facts(["3.11", "3.11"]) == []


def test_how_people_were_chosen_and_replaced_is_told_where_it_was_done() -> None:
    assert facts.choice_facts({}, 0) == facts.replacement_facts({}, 0) == []
    (fact,) = facts.choice_facts({"respondent": {"method": "kish", "age": 18}}, 1200)
    assert fact.value.en == "Kish grid, aged 18 or more; 1,200 households listed; weights times the people stood for"
    (fact,) = facts.replacement_facts({}, 12)
    assert fact.value.en == "12 reserve units opened; after 3 visits where another might succeed"
    (fact,) = facts.replacement_facts({"replacement": {"allowed": False}}, 0)
    assert fact.value.vi == "không cho thay"


# -- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def index_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "t"
    folder.mkdir()
    written(folder / "index.csv", [{name: row.get(name, "") for name in HEAD} for row in INDEX])
    return folder


def test_report_of_a_scores_file(survey: Survey, tmp_path: Path, index_folder: Path) -> None:
    scores = written(tmp_path / "s.csv", [tidy("T", 80), tidy("T1", 81), tidy("T2", 79)])
    out = tmp_path / "báo cáo.html"
    result = survey("report", scores, "--index", index_folder, "--out", out, "--lang", "vi")
    assert result.exit_code == 0, result.stderr
    page = out.read_text(encoding="utf-8")
    assert "Hài lòng chung ước lượng đạt 80,00 trên thang 0–100" in page
    assert "survey report s.csv --index" in page
    assert str(tmp_path) not in page, "folders of the machine stay on the machine"


def test_report_marks_scores_that_were_provisional(survey: Survey, tmp_path: Path, index_folder: Path) -> None:
    note = "tạm tính, phiếu chưa duyệt / provisional, interviews not yet approved"
    scores = written(tmp_path / "s.csv", [tidy("T", 80, note=note)])
    result = survey("report", scores, "--index", index_folder, "--out", tmp_path / "r.html", "--json")
    assert json.loads(result.stdout)["provisional"] is True
    assert "KẾT QUẢ TẠM TÍNH" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_report_without_the_index_of_a_scores_file_says_what_to_add(survey: Survey, tmp_path: Path) -> None:
    result = survey("report", written(tmp_path / "s.csv", [tidy("T", 80)]), "--out", tmp_path / "r.html")
    assert result.exit_code == 2
    assert "--index" in result.stderr
    assert not (tmp_path / "r.html").exists()


def test_report_shows_published_papi_with_its_own_intervals_only(
    survey: Survey, shared_data: Path, tmp_path: Path
) -> None:
    file = shared_data / "papi_published.csv"
    result = survey("report", file, "--index", "papi_2022", "--round", "2022", "--out", tmp_path / "r.html")
    assert result.exit_code == 0, result.stderr
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Trình bày lại số liệu đã công bố" in page
    assert "47.88 (46.56–49.20)" in page, "Quảng Ninh with the interval that PAPI published"
    assert "numerically two-sided 90% intervals" in page
    assert "Sai số chuẩn" not in page


def test_the_quadrants_are_not_drawn_from_scores(survey: Survey, shared_data: Path, tmp_path: Path) -> None:
    file, out = shared_data / "papi_published.csv", tmp_path / "r.html"
    refused = survey("report", file, "--index", "papi_2022", "--round", "2022", "--outcome", "D1", "--out", out)
    assert refused.exit_code == 2
    assert "rests on interviews, not on scores" in refused.stderr
    assert not out.exists()


SURVEY = [
    {"type": "select_one yn", "name": "job", "label::Tiếng Việt (vi)": "Có việc làm không?",
     "label::English (en)": "Do you have a job?"},
    {"type": "select_one scale", "name": "b1", "label::Tiếng Việt (vi)": "Biển chỉ dẫn", "label::English (en)": "Signs",
     "missing": "dont_know refused"},
    {"type": "select_one scale", "name": "b2", "label::Tiếng Việt (vi)": "Chỗ ngồi", "label::English (en)": "Seats",
     "missing": "dont_know refused"},
]  # fmt: skip
CHOICES = [
    {"list_name": list_name, "name": name, "label::Tiếng Việt (vi)": vi, "label::English (en)": en}
    for list_name, name, vi, en in (
        ("yn", "yes", "Có", "Yes"), ("yn", "no", "Không", "No"), ("scale", "1", "Rất không", "Not at all"),
        ("scale", "2", "Không", "No"), ("scale", "3", "Bình thường", "Neutral"), ("scale", "4", "Hài lòng", "Agree"),
        ("scale", "5", "Rất hài lòng", "Very satisfied"),
    )
]  # fmt: skip
SETTINGS = [{"form_title": "Phiếu thử", "form_id": "t", "default_language": "Tiếng Việt (vi)"}]


@pytest.fixture
def questionnaire(index_folder: Path) -> Questionnaire:
    """A questionnaire of three questions with its index, loaded from a folder of CSV sheets."""
    for name, rows in (("survey", SURVEY), ("choices", CHOICES), ("settings", SETTINGS)):
        written(index_folder / f"{name}.csv", [{key: row.get(key, "") for r in rows for key in r} for row in rows])
    return xlsform.load(index_folder)


def conduct(store: Store, questionnaire: Questionnaire, answers: Sequence[tuple[Any, ...]], approve: bool) -> None:
    """A round with one interview for each (village, b1, b2); units drawn one in ten, three of them not visited."""
    title = {"vi": "Đợt thử", "en": "Trial round"}
    frame.issue(store, "questionnaire", questionnaire.hash, questionnaire.to_json())
    document = {"id": "r1", "title": title, "questionnaire_hash": questionnaire.hash, "index": "t", "level": 0.95}
    frame.issue(store, "round", "r1", document | {"synthetic": True})
    for number in range(len(answers) + 3):
        village = answers[number][0] if number < len(answers) else "a"
        unit = {"id": f"u{number}", "round": "r1", "list": "main", "order": str(number), "province_name": "Sơn La"}
        frame.issue(store, "unit", f"u{number}", unit | {"stratum": "s", "psu": village, "probability": "0.1"})
    for number, (_, b1, b2) in enumerate(answers):
        interview = drafts.start(store, f"u{number}", questionnaire.hash, "phoa")
        given = {"job": "yes" if number % 2 else "no", "b1": b1, "b2": b2}
        drafts.save(store, interview, given)
        drafts.seal(store, interview, given, {}, {}, {}, "phoa")
        if approve:
            current.decide(store, interview, "approved", actor="plan")
        visit = {"id": f"v{number}", "unit": f"u{number}", "round": "r1", "disposition": "1.1", "time": "2026-10-05"}
        frame.issue(store, "visit", f"v{number}", visit)


ANSWERS = [(village, b1, b2) for village in "abcd" for b1, b2 in (("4", "5"), ("5", "2"), ("3", "4"), ("4", "4"))]


def test_report_of_a_round_scores_it_and_tells_how(
    survey: Survey, device: Store, questionnaire: Questionnaire, tmp_path: Path
) -> None:
    conduct(device, questionnaire, ANSWERS, approve=True)
    out = tmp_path / "r.html"
    result = survey("report", "--round", "r1", "--by", "job", "--out", out, "--lang", "en")
    assert result.exit_code == 0, result.stderr
    page = out.read_text(encoding="utf-8")
    # 6 of 8 answers of each village are 4 or 5 (3 of 4 on signs, 3 of 4 on seats).
    assert "Overall is estimated at 75.00 on the scale 0–100" in page
    assert "Trial round" in page
    assert "SYNTHETIC DATA" in page, "as the round says"
    assert "PROVISIONAL" not in page
    assert "16 respondents, 4 PSUs, 1 stratum" in page
    assert "19 cases: 16 complete" in page, "the three units of the round that nobody visited count too"
    assert "inverse of the sample unit&#39;s selection probability" in page
    assert "Results by do you have a job?" in page
    assert "survey report --round r1 --by job --out r.html" in page


def test_report_tells_how_many_did_not_know_or_refused(
    survey: Survey, device: Store, questionnaire: Questionnaire, tmp_path: Path
) -> None:
    unsure = [
        (village, {"missing": kind}, "4") for village, kind in zip("abcd", ["dont_know", "refused"] * 2, strict=True)
    ]
    conduct(device, questionnaire, ANSWERS + unsure, approve=True)
    assert survey("report", "--out", tmp_path / "r.html").exit_code == 0
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if 'scope="row">Signs' in line)
    assert ">20.0%</td></tr>" in row, "4 of the 20 who were asked"
    assert ">16</td>" in row, "the others are its base"


def test_scores_of_a_synthetic_round_stay_marked_away_from_its_store(
    survey: Survey, device: Store, questionnaire: Questionnaire, index_folder: Path, tmp_path: Path
) -> None:
    conduct(device, questionnaire, ANSWERS, approve=True)
    assert survey("score", "--round", "r1", "--out", tmp_path / "s.csv").exit_code == 0
    elsewhere = ("--instance", tmp_path / "none")
    made = survey(*elsewhere, "report", tmp_path / "s.csv", "--index", index_folder, "--out", tmp_path / "r.html")
    assert made.exit_code == 0, made.stderr
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Overall is estimated at 75.00" in page
    assert "SYNTHETIC DATA" in page
    assert "PROVISIONAL" not in page


def test_a_pilot_round_stays_marked_in_scores_report_and_data_away_from_its_store(
    survey: Survey, device: Store, questionnaire: Questionnaire, index_folder: Path, tmp_path: Path
) -> None:
    conduct(device, questionnaire, ANSWERS, approve=True)
    frame.issue(device, "round", "r1", {**frame.round_document(device, "r1"), "pilot": True})
    assert survey("score", "--round", "r1", "--out", tmp_path / "s.csv").exit_code == 0
    elsewhere = ("--instance", tmp_path / "none")
    made = survey(*elsewhere, "report", tmp_path / "s.csv", "--index", index_folder, "--out", tmp_path / "r.html")
    assert made.exit_code == 0, made.stderr
    assert "PILOT ROUND" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert survey("report", "--out", tmp_path / "r.docx", "--kind", "method").exit_code == 0
    assert "ĐỢT THÍ ĐIỂM" in survey("round", "show", "--lang", "vi").stdout
    told = survey("data", "export", tmp_path / "d.csv")
    assert "A pilot round" in told.stdout, told.output


def test_report_of_sealed_interviews_is_provisional(
    survey: Survey, device: Store, questionnaire: Questionnaire, tmp_path: Path
) -> None:
    conduct(device, questionnaire, ANSWERS, approve=False)
    assert survey("report", "--out", tmp_path / "r.html").exit_code == 2, "nothing is approved yet"
    result = survey("report", "--state", "sealed", "--out", tmp_path / "r.html")
    assert result.exit_code == 0, result.stderr
    assert "PROVISIONAL RESULTS" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_every_shipped_index_has_a_scale_for_its_top_and_components_to_draw() -> None:
    from analysis.report.tree import tree

    for name in xlsform.shipped():
        shown = tree(load_index(name))
        assert shown.top.scale, name
        assert len(shown.components(14)) >= 5, name


def test_a_report_hides_the_small_cells_of_the_round_s_rule(
    survey: Survey, device: Store, questionnaire: Questionnaire, tmp_path: Path
) -> None:
    conduct(device, questionnaire, ANSWERS[:-1], approve=True)
    document = frame.round_document(device, "r1")
    rule = {"least_n": 8, "least_psu": 2, "complementary": False}
    frame.issue(device, "round", "r1", document | {"publication": rule})
    out, table = tmp_path / "r.html", tmp_path / "s.csv"
    assert survey("report", "--round", "r1", "--by", "job", "--out", out, "--lang", "en").exit_code == 0
    page = out.read_text(encoding="utf-8")
    assert "not published (–) below 8 interviews or 2 sampled units" in page
    assert "published values" not in page, "a hidden cell is no published figure"
    assert survey("score", "--round", "r1", "--by", "job", "--out", table).exit_code == 0
    rows = {(row["domain"], row["code"]): row for row in csv.DictReader(table.read_text("utf-8-sig").splitlines())}
    assert rows["yes", "T"]["estimate"] == ""
    assert float(rows["no", "T"]["estimate"]) > 0
    assert survey("score", "--round", "r1", "--by", "job", "--least", "1", "--out", table).exit_code == 0
    rows = {(row["domain"], row["code"]): row for row in csv.DictReader(table.read_text("utf-8-sig").splitlines())}
    assert float(rows["yes", "T"]["estimate"]) > 0


def test_volunteers_are_reported_apart_and_named_in_the_method_box_of_both(
    survey: Survey, device: Store, questionnaire: Questionnaire, tmp_path: Path
) -> None:
    conduct(device, questionnaire, ANSWERS, approve=True)
    before = survey("score", "--round", "r1", "--json").stdout
    rows = [{"STT": str(n), "Có việc làm không?": "Có", "Signs": "1", "Seats": "2"} for n in range(3)]
    file, meant = written(tmp_path / "web.csv", rows), tmp_path / "map.csv"
    survey("import", "map", file, "--out", meant)
    meant.write_text(meant.read_text("utf-8-sig").replace("STT,,,", "STT,#key,,"), encoding="utf-8")
    brought = survey("import", "responses", file, "--map", meant, "--mode", "web", "--json")
    assert json.loads(brought.stdout)["volunteers"] == 3
    survey("review", "approve", "--all")
    assert survey("score", "--round", "r1", "--json").stdout == before, "volunteers change no figure of the sample"
    apart = json.loads(survey("score", "--round", "r1", "--volunteers", "--json").stdout)
    assert apart["scores"][0]["estimate"] == 0
    assert apart["scores"][0]["n"] == 3
    page, own = tmp_path / "r.html", tmp_path / "v.html"
    assert survey("report", "--round", "r1", "--out", page).exit_code == 0
    assert "3 forms of people who were not drawn" in page.read_text("utf-8")
    assert survey("report", "--round", "r1", "--volunteers", "--out", own).exit_code == 0
    assert "not a random sample" in own.read_text("utf-8")
