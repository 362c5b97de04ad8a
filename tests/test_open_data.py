"""Open data: nobody can be recognised, every estimate stays, and other programs find labels and design."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import openpyxl
import pyreadstat
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from analysis import Design, load_design, mean
from analysis.data_syntax import svyset
from analysis.disclosure import class_sizes, suppressed
from analysis.reading import read_table
from survey.cli import cli
from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.store import Store, current, drafts, frame
from survey.sync import rounds
from tests import outside

ROUND = "r2026"
SCALE = tuple(Choice(str(n), {"vi": f"Mức {n}", "en": f"Level {n}"}) for n in range(1, 6))
SEX = (Choice("female", {"vi": "Nữ", "en": "Female"}), Choice("male", {"vi": "Nam", "en": "Male"}))


def question(name, type_="integer", list_name="", vi="", en="", **more):
    return Node("question", name, name, type_, list_name=list_name, label={"vi": vi or name, "en": en or name}, **more)


FORM = Questionnaire(
    "form",
    "1",
    {"vi": "Phiếu", "en": "Form"},
    nodes=(
        question("province", "hidden"),
        question("sat", "select_one", "scale", vi="Hài lòng", en="Satisfaction", missing=("dont_know",)),
        question("sex", "select_one", "sex", vi="Giới tính", en="Sex"),
        question("born", vi="Năm sinh", en="Year of birth"),
        question("age", "calculate", calculation="2026 - /data/born"),
        question("older", "calculate", calculation="if(/data/age  >= 60, 1, 0)"),
        question("minutes", vi="Số phút", en="Minutes"),
        question("income", vi="Thu nhập, đồng", en="Income, dong"),
        question("say", "text", vi="Ý kiến “riêng”", en="Opinion"),
        question("where", "geopoint", vi="Vị trí", en="Place"),
        question("door", "image", vi="Ảnh", en="Photograph"),
        question("phone", "text", contact=True),
    ),
    lists={"scale": SCALE, "sex": SEX},
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Sixty interviews in twelve villages of two provinces, drawn with unequal probabilities; one man of 101."""
    chance = np.random.default_rng(7)
    folder = tmp_path_factory.mktemp("open") / "instance"
    assert CliRunner().invoke(cli, ["init", "--role", "hub", "--plain", "--instance", str(folder)]).exit_code == 0
    with Store.open(folder) as store:
        frame.issue(store, "questionnaire", FORM.hash, FORM.to_json())
        rounds.issue_round(store, {"id": ROUND, "questionnaire_hash": FORM.hash, "title": {"vi": "Đợt"}})
        for number in range(60):
            village = number // 5
            province = "14" if village < 6 else "01"
            unit = {"id": f"u{number}", "round": ROUND, "province": province, "province_name": f"Tỉnh {province}"}
            unit |= {"stratum": f"{province}-{village % 2}", "psu": f"V{village:05}"}
            unit["village_name"] = f"Bản {village}"
            unit["probability"] = repr(0.01 * (1 + village % 5))
            frame.issue(store, "unit", unit["id"], unit)
            interview = drafts.start(store, unit["id"], FORM.hash, "phoa")
            born = 1925 if number == 59 else int(chance.choice([1960, 1980, 2000]))
            answers = {"sat": str(chance.integers(1, 6)), "sex": "male" if number in (3, 59) else "female"}
            answers |= {"born": str(born), "age": str(2026 - born), "older": str(int(born <= 1966))}
            answers |= {"income": str(1_000_001 * number)}
            answers |= {"minutes": str(10 + number * 5), "say": "ông Hùng bản 3", "where": "21.3 103.9 0 0"}
            if number % 9 == 0:
                answers["sat"] = {"missing": "dont_know"}
            drafts.seal(store, interview, answers, {}, {"phone": "0912"}, {}, "phoa")
            current.decide(store, interview, "approved", actor="plan")
        rules(store, "--key", "province", "--key", "sex", "--key", "age", "--k", "4", "--top", "minutes=120",
              "--top", "income=50000001")  # fmt: skip
        yield store


def run(*arguments):
    return CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)


def rules(store, *arguments):
    result = run("data", "rules", "--instance", store.folder, *arguments)
    assert result.exit_code == 0, result.output
    return result


def export(store, file, *arguments):
    return run("data", "export", "--instance", store.folder, file, *arguments)


@pytest.fixture(scope="module")
def files(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for ending in ("csv", "dta", "sav"):
        result = export(store, folder / f"open.{ending}", "--open", "--lang", "vi")
        assert result.exit_code == 0, result.output
    export(store, folder / "whole.csv")
    return folder


def rows(file):
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# -- who could be recognised ----------------------------------------------------------------------------------------

tables = st.integers(1, 4).flatmap(
    lambda keys: st.lists(st.lists(st.integers(-1, 2), min_size=keys, max_size=keys), min_size=1, max_size=25)
)


@given(tables)
def test_the_size_of_a_class_is_the_number_of_rows_that_match_or_are_blank_in_every_key(table):
    keys = np.array(table)
    each = [
        sum(all(a in (-1, b) or b == -1 for a, b in zip(row, other, strict=True)) for other in table) for row in table
    ]
    assert class_sizes(keys).tolist() == each


@given(tables, st.integers(2, 5))
def test_after_suppression_k_people_share_every_row_and_nothing_is_changed_but_blanked(table, k):
    keys = np.array(table)
    safe = suppressed(keys, k)
    assert (class_sizes(safe) >= min(k, len(keys))).all()
    assert ((safe == keys) | (safe == -1)).all()


def test_open_data_hide_the_rare_and_keep_the_rest(files):
    table = rows(files / "open.csv")
    assert len(table) == 60
    old = [row for row in table if row["age"] == "101"]
    assert old == []
    hidden = [row for row in table if row["age__missing"] == "suppressed"]
    assert 2 <= len(hidden) < 20
    # What is calculated from a hidden key goes with it, and so does what the key is calculated from.
    assert all((row["age"], row["older"], row["older__missing"]) == ("", "", "suppressed") for row in hidden)
    assert "born" not in table[0]
    assert max(int(row["minutes"]) for row in table) == 120
    assert max(int(row["income"]) for row in table) == 50000001
    assert sorted(int(row["interview"]) for row in table) == list(range(1, 61))


def test_nothing_in_open_data_points_back_to_a_person_or_a_village(store, files):
    with (files / "open.csv").open(encoding="utf-8-sig") as stream:
        text = stream.read()
    whole = rows(files / "whole.csv")
    for secret in ("Hùng", "0912", "21.3", "V00001", "Bản 1", "phoa", "u17", whole[0]["interview"], whole[0]["time"]):
        assert secret in str(whole) or secret == "0912", secret
        assert secret not in text, secret
    assert {"unit", "device", "time", "actor", "village_name", "say", "where"}.isdisjoint(rows(files / "open.csv")[0])
    assert {"province", "province_name", "stratum", "psu", "w_base"} <= set(rows(files / "open.csv")[0])


def test_the_missing_kind_of_a_hidden_answer_is_typed_and_labelled(files):
    frame_, meta = pyreadstat.read_dta(str(files / "open.dta"), user_missing=True)
    assert "f" in set(frame_["age"])
    assert meta.variable_value_labels["age"]["f"] == "Ẩn để bảo vệ người trả lời"
    _, spss = pyreadstat.read_sav(str(files / "open.sav"), user_missing=True)
    assert "Ẩn để bảo vệ người trả lời" in spss.variable_value_labels["age"].values()
    for ending in ("dta", "sav"):
        back = read_table(files / f"open.{ending}")
        assert "suppressed" in back.kinds("age")[1]


def test_the_report_tells_what_was_done_and_is_for_the_office(store, files, tmp_path):
    told = json.loads(export(store, tmp_path / "x.csv", "--open", "--json").stdout)["open"]
    assert told["before"]["smallest"] == 1
    assert (told["after"]["smallest"] >= 4, told["after"]["below"]) == (True, 0)
    assert told["blanked"]["province"] == 0
    assert told["coded"] == {"minutes": 37, "income": 10}
    assert told["left_out"]["born"]["en"] == "a key is calculated from this column"
    book = openpyxl.load_workbook(tmp_path / "x.csv.disclosure.xlsx")
    cells = list(book["Ô nhỏ - Small cells"].iter_rows(values_only=True))
    assert ("province", "01", 30, None) in cells
    assert (tmp_path / "x.csv.disclosure.xlsx").stat().st_mode & 0o077 == 0


def test_the_codebook_of_open_data_says_so_once_as_the_schema_wants(files):
    text = (files / "open.sav.ddi.xml").read_text(encoding="utf-8")
    assert text.count("<restrctn") == 1
    assert "shared by at least 4 people" in text
    assert "top-coded: 120 stands for 120 or more" in text
    assert "weight: w_base; strata: stratum; primary sampling unit: psu" in text


# -- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--open", "--with-contact"), "open data never have contact data"),
        (("--open",), "fewer than 40 interviews in: Bản"),
    ],
)
def test_what_cannot_be_open_is_refused_in_a_sentence(store, tmp_path, arguments, message):
    shutil.copytree(store.folder, tmp_path / "instance")
    with Store.open(tmp_path / "instance") as other:
        rules(other, "--key", "village_name", "--k", "40")
        result = export(other, tmp_path / "x.csv", *arguments)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "x.csv").exists()


def test_rules_are_checked_against_the_data_and_shown(store, tmp_path):
    shutil.copytree(store.folder, tmp_path / "instance")
    with Store.open(tmp_path / "instance") as other:
        assert "minutes 120" in rules(other).stdout
        assert run("data", "rules", "--instance", other.folder, "--top", "minutes").exit_code == 2
        rules(other, "--key", "sexx", "--keep", "door")
        result = export(other, tmp_path / "x.csv", "--open")
    assert result.exit_code == 2
    assert "sexx" in result.stderr
    assert "door: photographs, recordings and files are never open data" in result.stderr


# -- other programs -------------------------------------------------------------------------------------------------

R_SCRIPT = """
suppressMessages({library(readstata13); library(survey)})
file <- commandArgs(TRUE)[1]
data <- read.dta13(file, convert.factors = FALSE)
design <- svydesign(~psu, strata = ~stratum, weights = ~w_base, nest = TRUE, data = data)
for (name in c("sat", "minutes")) {
  found <- svymean(as.formula(paste0("~", name)), design, na.rm = TRUE)
  cat(name, format(coef(found), digits = 15), format(SE(found), digits = 15), "\\n")
}
"""


@pytest.mark.parametrize("name", ["open", "whole"])
def test_r_survey_reads_the_stata_file_and_finds_our_estimates(store, files, tmp_path, name):
    rscript = outside.program("Rscript")
    file = files / f"{name}.dta"
    if name == "whole":
        assert export(store, file).exit_code == 0
    (tmp_path / "means.R").write_text(R_SCRIPT, encoding="utf-8")
    done = subprocess.run([rscript, tmp_path / "means.R", file], capture_output=True, text=True, check=False)
    if "there is no package" in done.stderr:
        outside.missing("the R packages survey and readstata13")
    assert done.returncode == 0, done.stderr
    design = load_design(Path(f"{file}.design.toml"))
    table = read_table(file)
    for line in done.stdout.splitlines():
        column, value, error = line.split()
        own = mean(table, column, design)[0]
        assert (own.value, own.se) == pytest.approx((float(value), float(error)), rel=1e-10), column


def test_open_data_give_the_estimates_of_the_whole(files):
    design = load_design(files / "whole.csv.design.toml")
    whole = mean(read_table(files / "whole.csv"), "sat", design)[0]
    opened = mean(read_table(files / "open.csv"), "sat", load_design(files / "open.csv.design.toml"))[0]
    assert (opened.value, opened.se, opened.df) == pytest.approx((whole.value, whole.se, whole.df), rel=1e-12)


def test_the_labels_of_the_other_language_lie_beside_as_syntax(files):
    stata = (files / "open.dta.do").read_text(encoding="utf-8").splitlines()
    assert stata[1] == 'use `"open.dta"\', clear'
    assert 'label variable sat `"Satisfaction"\'' in stata
    assert any(line.startswith("label define en") and '1 `"Female"\' 2 `"Male"\'' in line for line in stata)
    assert stata[-1] == "svyset psu [pweight=w_base], strata(stratum)"
    spss = (files / "open.sav.sps").read_text(encoding="utf-8")
    assert "VARIABLE LABELS sat 'Satisfaction'." in spss
    assert "VALUE LABELS sex\n  1 'Female'\n  2 'Male'\n" in spss


def test_stata_is_told_a_design_of_several_columns_of_strata_as_one() -> None:
    names = {"province": "tinh", "area": "area", "psu": "thon", "w": "w_base"}
    assert svyset(Design(weight="w", strata=("province", "area"), psu=("psu",)), names) == [
        "egen svy_strata = group(tinh area)",
        "svyset thon [pweight=w_base], strata(svy_strata)",
    ]
    assert svyset(Design(weight="w", psu=("psu",)), names) == ["svyset thon [pweight=w_base]"]
    assert svyset(Design(weight="w"), names) == []


def test_weights_of_a_file_go_into_the_export_with_their_design(store, files, tmp_path):
    weights = tmp_path / "weights.csv"
    lines = [f"{row['interview']},{2 + k % 3}" for k, row in enumerate(rows(files / "whole.csv"))]
    weights.write_text("\n".join(["interview,weight", *lines]), encoding="utf-8")
    assert export(store, tmp_path / "x.sav", "--weights", weights, "--lang", "en").exit_code == 0
    frame_, meta = pyreadstat.read_sav(str(tmp_path / "x.sav"))
    assert set(frame_["weight"]) == {2, 3, 4}
    assert meta.column_names_to_labels["weight"] == "Weight for estimation"
    assert load_design(tmp_path / "x.sav.design.toml").weight == "weight"
