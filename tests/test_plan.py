"""Targets and what became of them: before (can the sample tell?), afterwards (reached? how certain?)."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.index import load_index
from analysis.plan import Figures, Rules, n_needed, outcome, outlook, smallest_change
from analysis.plan_words import outlook_sentence, result_sentence
from analysis.standing import order_of_work, standing
from analysis.targets import Target, read_targets, same_share
from survey.errors import InputError, Problems
from tests.commands import run
from tests.outside import ROOT

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(scope="module")
def papi():
    from tests.outside import data_folder, missing

    folder = data_folder() or missing("SURVEY_DATA")
    return folder / "papi_published.csv"


@pytest.fixture(scope="module")
def published(papi):
    return Figures([papi], Rules(missing="zero"))


def scores(**values):
    """A scores table of one code, T, in one round: unit = (estimate, se)."""
    rows = [("T", "2026", name, value, se, 40.0, 400) for name, (value, se) in values.items()]
    return pd.DataFrame(rows, columns=["code", "round", "domain", "estimate", "se", "df", "n"])


def target(kind="score", value=0.0, group="", **more):
    return Target(**{"index": "", "round": "2026", "domain": "A", "code": "T", "kind": kind, "value": value,
                     "group": group, **more})  # fmt: skip


# -- before a target is saved -------------------------------------------------------------------------------------


def test_the_smallest_change_is_the_one_that_a_test_of_two_samples_just_calls_significant():
    change = smallest_change(0.8, 0.6)
    assert 2 * stats.norm.sf(change / np.hypot(0.8, 0.6)) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(("change", "se", "n"), [(2.0, 0.6, 400), (1.3, 0.3, 192), (5.0, 2.0, 192)])
def test_a_sample_of_the_size_needed_can_tell_the_change_and_one_interview_fewer_cannot(change, se, n):
    needed = n_needed(change, se, n)
    assert smallest_change(se, se * math.sqrt(n / needed)) <= change
    assert smallest_change(se, se * math.sqrt(n / (needed - 1))) > change


def test_where_the_baseline_alone_errs_more_than_the_rise_no_sample_is_large_enough():
    assert n_needed(1.0, 0.6, 400) == math.inf
    found = outlook(target(value=51.0, baseline_round="2026", round="2027"), Figures([scores(A=(50.0, 0.6))]))
    assert (found.verdict, found.n_needed) == ("too_small", math.inf)
    assert "Mức tăng này nhỏ hơn sai số, sẽ không kết luận được." in outlook_sentence(found).vi
    # Both rounds of the size named just tell it.
    both = 0.6 * math.sqrt(400 / found.n_both)
    assert smallest_change(both, both) == pytest.approx(1.0, abs=0.001)


def test_more_interviews_planned_make_a_small_rise_visible():
    figures = Figures([scores(A=(50.0, 0.6))])
    wish = target(value=51.4, baseline_round="2026", round="2027")
    assert outlook(wish, figures).verdict == "too_small"
    assert outlook(wish, figures, n=4000).verdict == "enough"


def test_a_target_that_is_met_already_is_said_to_be_met():
    found = outlook(target(value=49.0, baseline_round="2026", round="2027"), Figures([scores(A=(50.0, 0.6))]))
    assert found.verdict == "there"


def test_the_published_baseline_of_a_rank_is_judged_by_its_published_interval(published):
    """Sơn La 2022 needs 42.15, the low end published for the group; SE = (43.731071 − 38.007645) / 2 / 1.645."""
    wish = target("group", group="high_average", index="papi_2022", domain="Sơn La", code="TOTAL_UNW",
                  round="2023", baseline_round="2022")  # fmt: skip
    found = outlook(wish, published)
    assert found.goal == pytest.approx(42.15, abs=0.005)
    assert found.se == pytest.approx(1.73968, rel=1e-3)  # published as TOTAL_UNW_SE
    assert found.n == 192
    assert found.verdict == "too_small"
    assert "ngưỡng 42,15 là của 2022" in found.notes[-1].vi


# -- afterwards ---------------------------------------------------------------------------------------------------


def test_reached_and_certain_are_two_answers():
    table = scores(A=(50.0, 0.5), B=(50.0, 3.0), C=(50.0, math.nan))
    found = {name: outcome(target(value=48.0, domain=name), Figures([table])) for name in "ABC"}
    assert {name: (one.published, one.certainty) for name, one in found.items()} == {
        "A": ("reached", "sure"),
        "B": ("reached", "open"),
        "C": ("reached", "no_error"),
    }
    missed = outcome(target(value=52.0), Figures([table]))
    assert (missed.published, missed.certainty) == ("missed", "sure_not")
    assert found["B"].p == pytest.approx(stats.t.cdf(2 / 3, 40))


def test_only_two_of_an_giangs_six_targets_were_reached(published):
    """The plan of 2019 against the values of 2019: D5 and D6 alone (our fact sheet on PAPI, 5.1)."""
    found = [outcome(one, published) for one in read_targets(EXAMPLES / "an_giang_2019.csv")]
    assert [one.published for one in found] == ["missed"] * 4 + ["reached"] * 2
    assert {one.certainty for one in found} == {"no_error"}
    broken = [one.target.code for one in found if any("gãy chuỗi" in note.vi for note in one.notes)]
    assert broken == ["D2", "D3"]


def test_son_la_is_below_the_threshold_and_its_sample_too_small_to_be_sure(published, papi):
    (wish,) = read_targets(EXAMPLES / "son_la_2022.csv")
    found = outcome(wish, published)
    assert (found.published, found.certainty, found.rank, found.ranked) == ("missed", "open", 46, 61)
    # A second route: the published SE (not the interval), all provinces drawn again and ranked.
    table = pd.read_csv(papi)
    year = table[table["year"] == 2022].pivot_table(index="province", columns="code", values="mean", aggfunc="first")
    known = year[year["TOTAL_UNW"] > 0]
    drawn = np.random.default_rng(1).normal(known["TOTAL_UNW"], known["TOTAL_UNW_SE"], (40_000, len(known)))
    ranks = 1 + (drawn > drawn[:, [list(known.index).index("Son La")]]).sum(axis=1)
    assert found.p == pytest.approx((ranks <= 32).mean(), abs=0.01)
    told = result_sentence(found).vi
    assert told.startswith("Sơn La đạt 40,87 điểm, hạng 46/61, nhóm trung bình thấp: không đạt mục tiêu")
    assert "Mẫu nhỏ nên khoảng cách tới ngưỡng 42,15 chưa đủ chắc chắn" in told


def test_what_is_not_loaded_is_not_concluded(published):
    found = [outcome(one, published) for one in read_targets(EXAMPLES / "khanh_hoa_2022.csv")]
    assert [(one.published, one.certainty) for one in found] == [("", ""), ("", "")]
    assert "chưa nạp giá trị nào của SIPAS 2022" in result_sentence(found[0]).vi
    (same_rule,) = read_targets(EXAMPLES / "khanh_hoa_2022_papi.csv")
    found = outcome(same_rule, published)
    assert (found.published, found.rank, found.ranked) == ("reached", 16, 61)


def test_a_province_whose_total_is_missing_has_no_result_and_not_a_zero(published):
    found = outcome(target(value=40, index="papi_2022", round="2022", domain="Bắc Ninh", code="TOTAL_UNW"), published)
    assert (found.published, math.isnan(found.value)) == ("", True)


def test_a_rank_is_not_carried_over_the_merger_of_provinces_the_same_share_is_offered():
    assert same_share(30, 63, 34) == 16
    table = scores(A=(50.0, 0.5), B=(40.0, 0.5)).rename(columns={"domain": "province"}).assign(round="2026")
    found = outcome(target("rank", 30, of=63, baseline_round="2024"), Figures([table]))
    assert (found.published, found.offered) == ("merger", 16)
    assert "hạng 16/34" in result_sentence(found).vi
    before = outlook(target("rank", 30, of=63, baseline_round="2024"), Figures([table]))
    assert (before.verdict, before.offered) == ("merger", 16)
    # A rank set among the 34 is judged.
    assert outcome(target("rank", 1, of=34, baseline_round="2025"), Figures([table])).published == "reached"


def test_a_score_carried_over_the_merger_is_another_unit_unless_the_province_was_left_as_it_was():
    table = scores(**{"Sơn La": (50.0, 0.5), "An Giang": (40.0, 0.5)})
    told = {
        name: [
            note.vi for note in outcome(target(value=45, domain=name, baseline_round="2024"), Figures([table])).notes
        ]
        for name in ("Sơn La", "An Giang")
    }
    assert told["Sơn La"] == []
    assert "trước hợp nhất" in told["An Giang"][0]


def test_a_round_with_one_unit_and_one_where_all_are_equal_give_an_answer():
    alone = outcome(target("rank", 1), Figures([scores(A=(50.0, 0.5))]))
    assert (alone.published, alone.certainty) == ("reached", "sure")
    equal = outcome(target("group", group="best"), Figures([scores(A=(50.0, 0.5), B=(50.0, 0.5), C=(50.0, 0.5))]))
    assert (equal.published, equal.rank) == ("reached", 1)


def test_a_unit_is_found_without_diacritics_and_in_old_spelling_and_an_unknown_one_is_told(published):
    for name in ("Khánh Hòa", "Khánh Hoà", "khanh hoa", "Tỉnh Khánh Hòa"):
        one = target(value=40, index="papi_2022", round="2022", domain=name, code="TOTAL_UNW")
        assert outcome(one, published).value == pytest.approx(43.436882)
    hue = target(value=40, index="papi_2022", round="2022", domain="Thừa Thiên Huế", code="TOTAL_UNW")
    assert outcome(hue, published).published == "reached"
    with pytest.raises(InputError, match="there is no unit 'Khánh Hạ' among the scores") as error:
        outcome(target(index="papi_2022", round="2022", domain="Khánh Hạ", code="TOTAL_UNW"), published)
    assert "Khanh Hoa" in error.value("vi")


# -- the parts ----------------------------------------------------------------------------------------------------


def test_contributions_add_up_to_the_published_total_and_changes_to_its_change(published):
    index = load_index("papi_2022")
    parts = standing(published, index, "TOTAL_UNW", "Sơn La", "2022", "2021")
    assert sum(part.contribution for part in parts) == pytest.approx(40.869358, abs=1e-5)
    assert sum(part.change_share for part in parts) == pytest.approx(40.869358 - 40.141901, abs=1e-5)
    tops = {part.code: part.contribution + part.room for part in parts}
    assert tops["D1"] == pytest.approx(10)
    assert tops["D3"] == pytest.approx(8.8)  # three parts: 3.3 + 3.3 + 2.2, as PAPI adds them
    lifted = order_of_work(parts)
    assert [part.group for part in lifted[:2]] == ["poor", "poor"]
    assert lifted[0].room > lifted[1].room


def test_parts_of_a_mean_give_their_share_of_the_whole(published):
    index = load_index("papi_2022")
    parts = standing(published, index, "D1", "Sơn La", "2022")
    (d1,) = [part for part in standing(published, index, "TOTAL_UNW", "Sơn La", "2022") if part.code == "D1"]
    assert sum(part.contribution for part in parts) == pytest.approx(d1.value, abs=1e-5)


def test_a_break_of_series_leaves_no_change(published):
    parts = standing(published, load_index("papi_2019"), "TOTAL_UNW", "An Giang", "2019", "2017")
    gone = {part.code for part in parts if part.broken}
    assert {"D2", "D3"} <= gone
    assert all(math.isnan(part.change) for part in parts if part.code in gone)


# -- the table of targets -----------------------------------------------------------------------------------------


def test_everything_wrong_with_a_table_of_targets_is_told_at_once(tmp_path):
    file = tmp_path / "muc_tieu.csv"
    file.write_text(
        "index,round,domain,code,kind,target,of\n"
        "papi_2022,2023,An Giang,D11,score,5.4,\n"
        "papi_2022,2023,An Giang,D1,score,54,\n"
        "papi_2022,2023,An Giang,TOTAL_UNW,group,khá,\n"
        "papi_2022,2023,An Giang,TOTAL_UNW,rank,64,63\n"
        "papi_2022,2023,An Giang,D2,place,3,\n"
        "papi_2022,2023,An Giang,D3,score,,\n"
        "papi_2022,2023,An Giang,D4,score,cao,\n"
        "papi_2022,2023,An Giang,D5,score,7.1,\n"
        "papi_2022,2023,An Giang,D5,score,7.2,\n",
        encoding="utf-8",
    )
    with pytest.raises(Problems) as error:
        read_targets(file)
    told = error.value("en").splitlines()
    for part in (
        "row 2, column code: the index papi_2022 has no code 'D11'",
        "row 3, column target: 54 is beyond the scale 1–10 of D1",
        "row 4, column target: there is no group 'khá'",
        "row 5, column target: there is no rank 64 among 63 units",
        "row 6, column kind: there is no kind 'place'",
        "row 7, column target: the cell is empty",
        "row 8, column target: 'cao' is no number",
        "row 10: the same target as in row 9",
    ):
        assert any(part in line for line in told), part
    assert len(told) == 8


def test_a_table_from_excel_with_decimal_commas_and_vietnamese_groups_is_read(tmp_path):
    file = tmp_path / "muc_tieu.csv"
    file.write_text(
        "index;round;domain;code;kind;target\n;2026;A;T;score;5,4\n;2026;A;U;group;Nhóm trung bình cao\n",
        encoding="utf-8-sig",
    )
    assert [(one.value, one.group) for one in read_targets(file)] == [(5.4, ""), (0.0, "high_average")]


def test_a_table_without_its_columns_names_them(tmp_path):
    file = tmp_path / "muc_tieu.csv"
    file.write_text("round,domain,code\n2026,A,T\n", encoding="utf-8")
    with pytest.raises(Problems, match="column kind: the column is missing"):
        read_targets(file)


def test_the_command_gives_what_each_part_brings_to_the_score_and_to_its_change(papi, tmp_path):
    wishes = EXAMPLES / "son_la_2022.csv"
    code, printed, _ = run("plan", "result", papi, "--targets", wishes, "--missing", "zero", "--json")
    parts = json.loads(printed)["parts"]
    assert code == 0
    assert sum(part["contribution"] for part in parts) == pytest.approx(40.869358, abs=1e-5)
    assert sum(part["change_share"] for part in parts) == pytest.approx(0.727457, abs=1e-5)


# -- the command --------------------------------------------------------------------------------------------------


def blocks(page: Path) -> list[tuple[str, str]]:
    """Commands of an example with the output that follows them."""
    found = re.findall(r"^```\n(.*?)\n```$", page.read_text(encoding="utf-8"), re.M | re.S)
    return list(zip(found[::2], found[1::2], strict=True))


@pytest.mark.parametrize("page", sorted(EXAMPLES.glob("plan-*.md")), ids=lambda page: page.stem)
def test_the_examples_are_what_their_commands_print(page, papi, tmp_path, monkeypatch):
    header, *rows = papi.read_text(encoding="utf-8").splitlines(keepends=True)
    years = {"2017", "2019", "2021", "2022"}  # those that the targets speak of: reading the others costs only time
    kept = header + "".join(row for row in rows if row[:4] in years)
    (tmp_path / papi.name).write_text(kept, encoding="utf-8")
    for file in EXAMPLES.glob("*.csv"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert blocks(page)
    for command, printed in blocks(page):
        words = command.split()
        assert words[:2] == ["survey", "plan"]
        assert run(*words[1:])[1].rstrip() == printed


def test_results_come_as_json_and_as_a_table(tmp_path):
    table, wishes, out = tmp_path / "diem.csv", tmp_path / "muc_tieu.csv", tmp_path / "ket_qua.csv"
    scores(A=(50.0, 0.5), B=(60.0, 0.5)).to_csv(table, index=False)
    wishes.write_text("round,domain,code,kind,target\n2026,A,T,score,48\n2026,B,T,rank,1\n", encoding="utf-8")
    code, printed, _ = run("plan", "result", table, "--targets", wishes, "--out", out, "--json")
    assert code == 0
    found = json.loads(printed)["targets"]
    assert [(one["published"], one["certainty"], one["rank"]) for one in found] == [
        ("reached", "sure", 2),
        ("reached", "sure", 1),
    ]
    assert list(pd.read_csv(out)["certainty"]) == ["sure", "sure"]
    code, printed, _ = run("plan", "check", table, "--targets", wishes, "--json")
    assert (code, [one["verdict"] for one in json.loads(printed)]) == (0, ["unknown", "unknown"])
