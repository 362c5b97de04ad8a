"""Kinds of document: profiles of one place, the index book, the method annex, two rounds, gaps between groups."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from docx import Document
from pypdf import PdfReader
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from analysis import Design, score
from analysis.drivers import drivers
from analysis.gaps import gaps
from analysis.index import index_of, load_index
from analysis.output import write_scores
from analysis.ranking import rank_sets
from analysis.report.blocks import Heading, Paper, Paragraph, Picture
from analysis.report.kinds import KINDS, Choice, places
from analysis.report.making import Report, from_files
from analysis.report.office import Office
from analysis.report.pdf import pdf
from analysis.report.profile import find, restricted
from analysis.report.quadrant_pages import default_attributes, drive
from analysis.report.scale import on_hundred, table_on_hundred
from analysis.report.tree import Tree, tree
from analysis.report.word import word
from analysis.score_file import score_table
from analysis.table import Table
from survey.errors import InputError
from tests import outside
from tests.test_report import _HEAD, _ROWS

INDEX = index_of(
    [dict(zip(_HEAD, (cell.strip() for cell in line.split("|")), strict=True)) for line in _ROWS.strip().splitlines()],
    "t",
)
DESIGN = Design(strata=("province",), psu=("village",), nest=True)


def people(seed: int = 5, lift: float = 0.0) -> pd.DataFrame:
    """Three provinces of twelve villages of eight people; women are more satisfied, Sơn La most of all."""
    random = np.random.default_rng(seed)
    rows = []
    for province, base in (("14", 0.8), ("01", 0.5), ("46", 0.5)):
        for village in range(12):
            for person in range(8):
                p = np.clip(base + lift + 0.15 * (person % 2) + random.normal(0, 0.05), 0, 1)
                answers = np.where(random.random(5) < p, "4", "2")
                rows.append([province, f"{province}-{village}", "fm"[person % 2 == 0], *answers])
    return pd.DataFrame(rows, columns=["province", "village", "sex", *"abcde"])


def scored(folder: Path, name: str, data: pd.DataFrame, *levels: str, round: str = "2026") -> list[Path]:
    files = []
    for level in levels:
        file = folder / f"{name}-{level.replace('*', '-') or 'all'}.csv"
        write_scores(score(data, INDEX, DESIGN, level, round=round), file)
        files.append(file)
    return files


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scores")


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    files = scored(folder, "now", people(), "", "province", "sex", "province*sex")
    return from_files(files, INDEX, round="2026", design=DESIGN)


def made(report: Report, kind: str, language: str = "en", **choice: object) -> Paper:
    return KINDS[kind].make(report, language, Choice(**choice))


def words(paper: Paper) -> str:
    return " ".join(block.text for block in paper.body if isinstance(block, Heading | Paragraph))


def titles(paper: Paper) -> list[str]:
    return [table.title for table in paper.tables()]


# -- what goes with an outcome ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def driven(report: Report) -> Report:
    return replace(report, drive=drive(Table.of(people()), DESIGN, INDEX, report.tree, "D"))


def test_the_attributes_are_the_components_that_the_outcome_is_no_part_of(report: Report) -> None:
    assert default_attributes(INDEX, report.tree, "D") == ("A", "B", "C")
    sipas = load_index("sipas_2026")
    assert default_attributes(sipas, tree(sipas), "POL") == ("SVC.1", "SVC.2", "SVC.3", "SVC.4", "SVC.5")
    assert default_attributes(sipas, tree(sipas), "a_column")[0] == "POL.A1"


def test_a_province_s_quadrants_are_those_of_its_own_interviews(driven: Report) -> None:
    paper = made(driven, "province", domain="14")
    (table,) = (table for table in paper.tables() if table.first == "Attribute")
    alone = drivers(people().query("province == '14'"), "D", ("A", "B", "C"), DESIGN, INDEX).table
    alone = alone.sort_values("importance", ascending=False)
    assert [row.after for row in table.rows] == list(alone["code"])
    assert [row.entries[0].value for row in table.rows] == pytest.approx(list(alone["importance"]))
    assert [row.entries[1].ends[1] for row in table.rows] == pytest.approx(list(alone["high"]))
    assert [row.entries[2].value for row in table.rows] == pytest.approx(list(alone["performance"]))


@pytest.mark.parametrize("kind", ["overview", "national", "book"])
def test_the_quadrants_of_everybody_stand_in_the_general_documents(driven: Report, kind: str) -> None:
    paper = made(driven, kind)
    (drawing,) = (d for block in paper.body if isinstance(block, Picture) for d in block.drawings
                  if "quadrants" in d.key)  # fmt: skip
    assert "these are associations, not causes" in drawing.alt
    assert drawing.svg.count("association ") >= 4, "each mark says its figures, and so does the description"
    assert "n = 288" in next(table.note for table in paper.tables() if table.first == "Attribute")


def test_the_quadrants_are_in_word_and_pdf_with_their_words(driven: Report) -> None:
    paper = made(driven, "province", "vi", domain="14")
    document = Document(io.BytesIO(word(paper, Office("Sở Nội vụ"))))
    described = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert any("đây là mối liên hệ, không phải quan hệ nhân quả" in words for words in described)
    assert "Mức liên hệ và mức đạt được" in "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(pdf(paper, day="2026-11-02"))).pages
    )


def test_a_place_with_too_few_interviews_says_so_instead_of_a_picture(report: Report) -> None:
    few = people()
    few.loc[few["province"].eq("46") & (few.index % 8 > 0), "e"] = ""
    few.loc[few["province"].eq("46"), "e"] = "4"
    told = replace(report, drive=drive(Table.of(few), DESIGN, INDEX, report.tree, "D"))
    assert "Not drawn for this place: everybody gave the same answer." in words(made(told, "province", domain="46"))
    assert "Not drawn" not in words(made(told, "province", domain="14"))
    assert "Association" not in words(made(report, "province", domain="14")), "only where an outcome was asked for"


# -- profiles -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["14", "Sơn La", "son la"])
def test_a_profile_is_found_by_code_or_name_and_shows_that_place_alone(report: Report, name: str) -> None:
    paper = made(report, "province", domain=name)
    assert paper.title == "Profile: Sơn La"
    whole = report.cells.domains("province")["14"]["T"]
    assert paper.tables()[-1].rows[0].entries[0].value == pytest.approx(whole.estimate)
    assert "Results by sex" in words(paper), "the groups within the place"
    women = report.cells.domains("province*sex")["14|f"]["T"]
    (table,) = (table for table in paper.tables() if table.first == "Sex" and table.style == "")
    assert women.estimate in [row.entries[0].value for row in table.rows]


def test_a_profile_tells_the_rank_with_the_ranks_that_the_sample_allows(report: Report) -> None:
    assert "Rank 1 of 3 places with a score. With 95% confidence its true rank lies between 1 and 1." in words(
        made(report, "province", domain="14")
    )
    assert "its true rank lies between 2 and 3" in words(made(report, "province", domain="01"))
    assert "Xếp thứ 1 trong 3 đơn vị có điểm." in words(made(report, "province", "vi", domain="14"))


def test_communes_are_in_three_classes_in_the_general_report(tmp_path: Path) -> None:
    data = people().rename(columns={"province": "commune"})
    files = []
    for level in ("", "commune"):
        files.append(tmp_path / f"{level or 'all'}.csv")
        design = Design(strata=("commune",), psu=("village",), nest=True)
        write_scores(score(data, INDEX, design, level, total=bool(level), round="2026"), files[-1])
    report = from_files(files, INDEX, round="2026")
    (table,) = (table for table in made(report, "overview").tables() if table.first == "Commune" and not table.style)
    assert [column.text for column in table.columns][-1] == "Against the whole"
    assert "Rank" not in [column.text for column in table.columns]
    assert [(row.name, row.entries[-1].text) for row in table.rows] == [
        ("14", "higher"), ("01", "lower"), ("46", "lower")
    ]  # fmt: skip
    assert "1 higher, 0 no difference seen, 2 lower" in words(made(report, "overview"))


def test_a_place_on_few_degrees_of_freedom_is_not_ranked(tmp_path: Path) -> None:
    data = people()
    few = data[data["village"].isin([f"{p}-{v}" for p in ("14", "01", "46") for v in range(4)])]
    thin = from_files(scored(tmp_path, "few", few, "", "province"), INDEX)
    assert "Rank" not in words(made(thin, "province", domain="14"))


def test_the_radar_reads_a_place_against_the_whole(report: Report) -> None:
    paper = made(report, "province", domain="14")
    (radar,) = (d for block in paper.body if isinstance(block, Picture) for d in block.drawings if "radar" in d.key)
    assert "overall" in radar.svg
    assert radar.description.count(", overall ") == 4


def test_restricting_keeps_what_lies_within_a_place(report: Report) -> None:
    found = restricted(report.cells, "province", "14")
    assert found.levels() == ["sex"]
    assert set(found.domains("sex")) == {"f", "m"}
    assert found.whole()["T"].estimate == report.cells.domains("province")["14"]["T"].estimate


def test_every_place_has_a_file_of_its_own_name(report: Report) -> None:
    assert places(report, "province", ()) == [("14", "-son-la"), ("01", "-ha-noi"), ("46", "-hue")] or sorted(
        places(report, "province", ())
    ) == [("01", "-ha-noi"), ("14", "-son-la"), ("46", "-hue")]
    assert places(report, "province", ["Sơn La"]) == [("14", "")]
    with pytest.raises(InputError, match="is no profile of a place"):
        places(report, "book", ["14"])
    with pytest.raises(InputError, match="not among 'province'"):
        find(report, "province", "Atlantis")
    with pytest.raises(InputError, match="not among 'commune'"):
        places(report, "commune", ())


def test_the_national_profile_has_a_map_of_its_provinces(report: Report) -> None:
    paper = made(report, "national")
    (drawn,) = (d for block in paper.body if isinstance(block, Picture) for d in block.drawings if "-map-" in d.key)
    assert "Sơn La" in drawn.description.partition("not grouped")[2], "three provinces are no four groups"
    assert drawn.svg.count("no figures</title>") == 31


# -- the index book -----------------------------------------------------------------------------------------------


def test_the_book_has_every_node_of_every_domain_with_interval_and_df(report: Report) -> None:
    tables = made(report, "book").tables()
    assert len(tables) == 1 + 3 + 2 + 6
    assert all(len(table.rows) == 10 for table in tables)
    head = [column.head for column in tables[0].columns]
    assert {"Estimate", "95% confidence interval", "df", "n", "PSUs"} <= set(head)
    assert sum(len(table.rows) for table in tables) == len(report.cells.all)


# -- the method annex ---------------------------------------------------------------------------------------------


def test_the_annex_tells_design_weights_and_how_each_node_is_made(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "w.csv"
    pd.DataFrame({"interview": ["a", "b"], "w_base": [1.0, 1.0], "weight": [1.0, 3.0]}).to_csv(file, index=False)
    paper = made(report, "method", weights=file)
    assert titles(paper) == ["Weights", "The tree of the index"]
    weights, tree = paper.tables()
    assert [row.name for row in weights.rows] == ["Base weight", "Final weight"]
    assert [entry.value for entry in weights.rows[1].entries] == [2, 4, 1, 3, 0.5, 1.25]
    leaf = next(row for row in tree.rows if row.after == "A1")
    assert leaf.entries[-1].text == "a; counts as reached if answered 4, 5"
    assert [entry.text for entry in leaf.entries[2:4]] == ["0 … 1", "0 … 100"]


# -- gaps ---------------------------------------------------------------------------------------------------------


def test_gaps_take_the_covariance_of_groups_that_share_villages(folder: Path, report: Report) -> None:
    by_sex = score(people(), INDEX, DESIGN, "sex")
    found = gaps(by_sex, "T", "sex")
    cov = by_sex.cov(["T"]).to_numpy()
    row = found.table[found.table["domain"] != found.reference].iloc[0]
    assert row["se"] == pytest.approx(np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]))
    assert found.notes == ()
    from_file = gaps(folder / "now-sex.csv", "T", "sex").table
    assert from_file["se"].dropna().to_list() == pytest.approx(found.table["se"].dropna().to_list())


def test_a_gap_of_a_simple_sample_is_that_of_a_t_test_of_unequal_variances() -> None:
    data = people().assign(one="x")
    found = gaps(score(data, INDEX, Design(), "sex"), "A1", "sex").table
    row = found[found["gap"].notna()].iloc[0]
    groups = {sex: 100.0 * (part["a"] == "4").to_numpy() for sex, part in data.groupby("sex")}
    other = next(sex for sex in groups if sex != row["domain"])
    test = CompareMeans(DescrStatsW(groups[row["domain"]]), DescrStatsW(groups[other]))
    assert row["gap"] == pytest.approx(groups[row["domain"]].mean() - groups[other].mean())
    assert row["se"] == pytest.approx(test.std_meandiff_separatevar, rel=5e-3)


def test_the_pages_of_gaps_say_how_many_are_certain_and_no_cause(report: Report) -> None:
    paper = made(report, "gaps")
    assert "1 of 1 gap is significant after Holm's adjustment (" in words(paper)
    assert "tells no cause" in words(paper)
    assert any(title.startswith("Gap to ") for title in titles(paper))
    with pytest.raises(InputError, match="no groups of people"):
        made(Report(restricted(report.cells, "province*sex", "14|f"), report.tree, report.meta, INDEX), "gaps")


def test_gaps_of_independent_files_say_that_they_are_taken_as_such(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "sex.csv"
    alone.write_bytes((folder / "now-sex.csv").read_bytes())
    assert "taken as independent" in words(made(from_files([alone], INDEX), "gaps"))


# -- two rounds ---------------------------------------------------------------------------------------------------


def test_change_names_rises_only_beyond_the_error(folder: Path, report: Report) -> None:
    (before,) = scored(folder, "before", people(9, -0.2), "", round="2024")
    paper = made(report, "change", before=before)
    assert paper.title == "Change from 2024 to 2026: Overall index"
    (table,) = paper.tables()
    top = table.rows[0]
    assert top.entries[5].text == "rose"
    assert top.entries[2].value == pytest.approx(top.entries[1].value - top.entries[0].value)
    (same,) = scored(folder, "same", people(6), "", round="2025")
    texts = {row.entries[5].text for row in made(report, "change", before=same).tables()[0].rows}
    assert "not enough to tell" in texts


def test_own_and_published_rounds_are_never_joined(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "published.csv"
    pd.DataFrame({"round": ["2024"], "province": ["14"], "code": ["T"], "mean": [70.0]}).to_csv(file, index=False)
    with pytest.raises(InputError, match="they are not joined"):
        made(report, "change", before=file)
    with pytest.raises(InputError, match="--before"):
        made(report, "change")


def test_published_rounds_are_compared_without_a_test() -> None:
    data = outside.data_folder() or outside.missing("shared data")
    file = data / "papi_published.csv"
    report = from_files([file], "papi_2019", round="2020")
    paper = made(report, "change", before=file, before_round="2019")
    assert {row.entries[5].text for row in paper.tables()[0].rows} == {"not tested"}
    assert "Published figures shown again" in paper.official


def test_a_published_profile_of_2022_is_a_place_among_those_with_a_total() -> None:
    data = outside.data_folder() or outside.missing("shared data")
    report = from_files([data / "papi_published.csv"], "papi_2022", round="2022")
    said = words(made(report, "province", "vi", domain="Sơn La"))
    assert "Xếp thứ 46 trong 61 đơn vị có điểm." in said
    assert "nhóm trung bình thấp" in said
    assert "40,87" in str(made(report, "province", "vi", domain="Sơn La").body[1])


# -- other levels -------------------------------------------------------------------------------------------------


def test_a_commune_has_a_class_against_the_whole_and_no_place(tmp_path: Path) -> None:
    data = people().rename(columns={"province": "commune"})
    file = tmp_path / "s.csv"
    design = Design(strata=("commune",), psu=("village",), nest=True)
    write_scores(score(data, INDEX, design, "commune", total=True, round="2026"), file)
    said = words(made(from_files([file], INDEX, design=design), "commune", domain="14"))
    assert "Against the overall result (67.49): higher, adjusted for 3 places." in said
    assert "Rank" not in said


def test_a_sample_that_carries_no_conclusion_is_told_with_what_it_would_take(tmp_path: Path) -> None:
    data = people()
    few = data[data["village"].isin([f"{p}-{v}" for p in ("14", "01", "46") for v in range(3)])]
    thin = from_files(scored(tmp_path, "thin", few, "", "province"), INDEX)
    said = words(made(thin, "province", domain="01"))
    assert "(n = 24) carries no conclusion" in said
    cell = thin.cells.domains("province")["01"]["T"]
    half = (cell.high - cell.low) / 2
    assert f"about {math.ceil(24 * (half / 5) ** 2 / 10) * 10} interviews" in said


def test_a_published_rank_has_the_set_that_the_published_intervals_allow() -> None:
    data = outside.data_folder() or outside.missing("shared data")
    report = from_files([data / "papi_published.csv"], "papi_2022", round="2022")
    table = pd.read_csv(data / "papi_published.csv", dtype=str)
    total = table[(table["year"] == "2022") & (table["code"] == "TOTAL_UNW") & table["mean"].notna()]
    se = (total["high"].astype(float) - total["low"].astype(float)) / 2 / 1.645
    sets = rank_sets(total["mean"].astype(float), np.diag(se**2))
    place = list(total["province"]).index("Quang Ninh")
    said = words(made(report, "province", domain="Quảng Ninh"))
    assert f"its true rank lies between {sets.low[place]:g} and {sets.high[place]:g}." in said
    assert "half the width divided by 1.645" in said


def test_every_score_is_told_on_a_hundred_by_a_declared_conversion() -> None:
    data = outside.data_folder() or outside.missing("shared data")
    plain = from_files([data / "papi_published.csv"], "papi_2022", round="2022")
    report = on_hundred(plain)
    (d1,) = (node for node in report.tree.nodes.values() if node.code == "D1")
    assert d1.scale == (0, 100)
    before, after = (one.cells.domains("province")["Son La"]["D1"].estimate for one in (plain, report))
    assert after == pytest.approx(100 * (before - 1) / 9)
    said = made(report, "province", domain="Sơn La")
    assert "told on 0–100" in str(said.body[-2:])
    assert "Rank 46 of 61" in words(said), "ranks stay as they are"


def test_a_conversion_keeps_errors_intervals_and_covariances_in_proportion(folder: Path, report: Report) -> None:
    top = report.tree.nodes["T"]
    wide = Tree({**report.tree.nodes, "T": replace(top, scale=(-100.0, 100.0))}, report.tree.top)
    plain, scaled = score_table(folder / "now-sex.csv"), table_on_hundred(folder / "now-sex.csv", wide)
    for name in ("estimate", "low", "high"):
        before, after = (table.choose("T", "sex")[name].to_numpy() for table in (plain, scaled))
        assert after == pytest.approx((before + 100) / 2)
    halves, wholes = (gaps(table, "T", "sex").table["se"].dropna().to_numpy() for table in (scaled, plain))
    assert len(wholes) > 0
    assert halves == pytest.approx(wholes / 2)


def test_a_department_has_a_profile_too(tmp_path: Path) -> None:
    data = people().rename(columns={"province": "department"})
    design = Design(strata=("department",), psu=("village",), nest=True)
    files = []
    for name in ("", "department"):
        files.append(tmp_path / f"{name or 'all'}.csv")
        write_scores(score(data, INDEX, design, name, round="2026"), files[-1])
    report = from_files(files, INDEX, design=design)
    assert len(places(report, "unit", (), "department")) == 3
    assert "Rank 1 of 3" in words(made(report, "unit", domain="14", level="department"))
    with pytest.raises(InputError, match="no units of this kind"):
        places(report, "unit", (), "office")


def test_the_only_round_of_a_file_names_the_day_of_its_provinces(tmp_path: Path) -> None:
    """44 was Quảng Bình and is Quảng Trị since July 2025: the code alone does not tell."""
    file = tmp_path / "s.csv"
    for round, name in (("2024", "Quảng Bình"), ("2026", "Quảng Trị")):
        pd.DataFrame({"round": [round], "province": ["44"], "code": ["T"], "mean": [70.0]}).to_csv(file, index=False)
        report = from_files([file], INDEX)
        assert report.meta.round == round
        assert report.meta.domain_name("province", "44").vi == name
