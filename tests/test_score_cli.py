"""``survey score``: files in, scores out, and a sentence for everything that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from analysis.output import write_table
from tests import commands

PAPI = Path(__file__).parent / "fixtures" / "papi_small"


def run(*arguments):
    """Exit code, standard output, standard error of ``survey score``."""
    return commands.run("score", *arguments)


@pytest.fixture
def small(oracles):
    return oracles / "data" / "papi_small_a.csv"


@pytest.fixture
def data(tmp_path):
    file = tmp_path / "phieu.csv"
    pd.DataFrame(
        {
            "interview": [f"i{k}" for k in range(8)],
            "village": list("aabbccdd"),
            "w": [1, 2, 1, 2, 1, 2, 1, 2],
            "q": [1, 0, 1, 1, 0, 0, 1, 1],
            "sex": list("mfmfmfmf"),
        }
    ).to_csv(file, index=False)
    (tmp_path / "index.csv").write_text("code,parent,question,score\nT,,,\nA,T,q,1=1 0=0\n")
    (tmp_path / "design.toml").write_text('weight = "w"\npsu = ["village"]\n')
    return file


def test_the_command_gives_r_s_figures(small, oracles):
    """The composite of the reference case, by province and year, to 1e-8 (R: svytotal and svycontrast)."""
    code, out, _ = run(small, "--index", PAPI, "--by", "year", "--by", "province", "--json")
    assert code == 0
    ours = {(row["domain"], row["code"]): row for row in json.loads(out)["scores"]}
    cases = {c["id"]: c for c in json.loads((oracles / "07_papi_composite.json").read_text())["cases"]}
    expected = cases["small_a/stacked/none/overall"]["expected"] + cases["small_a/stacked/none/dimensions"]["expected"]
    assert len(expected) == 40
    for row in expected:
        year, province, *dimension = row["name"].split(".")
        node = dimension[0].replace("dim", "D") if dimension else "PAPI"
        found = ours[f"{year[1:]}|{province[1:]}", node]
        assert found["estimate"] == pytest.approx(row["estimate"], rel=1e-8)
        assert found["se"] == pytest.approx(row["se"], rel=1e-8)
        assert [found["low"], found["high"]] == pytest.approx(row["ci_t"], rel=1e-8)
        assert found["df"] == row["df"]


def test_scores_are_written_with_a_bom_and_the_sums_by_psu_beside_them(data, tmp_path):
    out = tmp_path / "diem.csv"
    code, printed, _ = run(data, "--index", tmp_path, "--by", "sex", "--out", out)
    assert code == 0
    assert f"Wrote {out}" in printed
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    table = pd.read_csv(out)
    assert ",".join(table.columns) == (
        "index,round,domain_level,domain,level,code,estimate,se,low,high,df,n,n_psu,deff,note"
    )
    sums = pd.read_parquet(tmp_path / "diem.psu.parquet")
    assert list(sums.columns) == ["round", "domain_level", "domain", "code", "stratum", "psu", "influence"]
    one = sums[(sums["domain"] == "f") & (sums["code"] == "T")]["influence"].to_numpy()
    se = table.set_index(["domain", "code"]).loc[("f", "T"), "se"]
    assert np.sqrt(4 / 3 * ((one - one.mean()) ** 2).sum()) == pytest.approx(se, rel=1e-12)


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx", "a.dta", "a.sav", "semi.csv"])
def test_the_same_figures_come_from_every_kind_of_file(data, tmp_path, name):
    import pyreadstat

    frame = pd.read_csv(data)
    file = tmp_path / name
    {
        "a.parquet": lambda: frame.to_parquet(file, index=False),
        "a.xlsx": lambda: frame.to_excel(file, index=False),
        "a.dta": lambda: pyreadstat.write_dta(frame, str(file)),
        "a.sav": lambda: pyreadstat.write_sav(frame, str(file)),
        "semi.csv": lambda: frame.to_csv(file, index=False, sep=";", decimal=",", encoding="utf-8-sig"),
    }[name]()
    wanted, found = (json.loads(run(f, "--index", tmp_path, "--json")[1])["scores"] for f in (data, file))
    assert found == wanted


def test_stata_s_missing_letters_become_missing_kinds(tmp_path):
    import pyreadstat

    (tmp_path / "index.csv").write_text("code,question,score,dont_know\nA,q,1,zero\n")
    frame = pd.DataFrame({"q": [1.0, 0.0, "a", "b"]})
    labels = {"q": {"a": "Từ chối trả lời", "b": "Không biết"}}
    file = str(tmp_path / "a.dta")
    pyreadstat.write_dta(frame, file, variable_value_labels=labels, missing_user_values={"q": ["a", "b"]})
    (row,) = json.loads(run(file, "--index", tmp_path, "--json")[1])["scores"]
    assert (row["estimate"], row["n"]) == (pytest.approx(1 / 3), 3)


def test_weights_of_another_file_are_joined_by_interview(data, tmp_path):
    weights = tmp_path / "weights.csv"
    pd.DataFrame({"interview": [f"i{k}" for k in reversed(range(8))], "weight": range(8, 0, -1)}).to_csv(
        weights, index=False
    )
    (row, _) = json.loads(run(data, "--index", tmp_path, "--weights", weights, "--json")[1])["scores"]
    assert row["estimate"] == pytest.approx((1 + 3 + 4 + 7 + 8) / 36)
    weights.write_text("interview,weight\ni0,1\n")
    code, _, err = run(data, "--index", tmp_path, "--weights", weights)
    assert code == 2
    assert err.startswith("phieu.csv, column interview, 7 rows (3, 4, 5, 6, 7, …): interviews without a weight")


def test_a_confidence_level_of_one_s_own(data, tmp_path):
    wide, narrow = (
        json.loads(run(data, "--index", tmp_path, "--level", v, "--json")[1])["scores"][0] for v in ("0.99", "0.5")
    )
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_a_folder_that_is_not_there_is_told_by_its_path(data, tmp_path, ending):
    code, _, err = run(data, "--index", tmp_path, "--out", tmp_path / "away" / f"diem.{ending}")
    assert (code, err) == (2, f"{tmp_path / 'away'}: there is no such file or folder; check the path\n")


def test_published_scores_are_rolled_up(shared_data):
    code, out, err = run(shared_data / "papi_published.csv", "--index", "papi_2019", "--round", "2019", "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert "not in the index" in result["notes"][0]["en"]
    assert len({row["domain"] for row in result["scores"]}) == 63
    assert {row["se"] for row in result["scores"]} == {None}


def test_our_own_scores_roll_up_to_themselves_with_their_standard_errors(small, tmp_path):
    run(small, "--index", PAPI, "--by", "province", "--out", tmp_path / "diem.csv")
    code, out, _ = run(tmp_path / "diem.csv", "--index", PAPI, "--json")
    written = pd.read_csv(tmp_path / "diem.csv", dtype={"domain": str})
    again = pd.DataFrame(json.loads(out)["scores"])
    assert code == 0
    for name in ("domain", "code"):
        assert again[name].tolist() == written[name].tolist()
    for name in ("estimate", "se", "low", "high", "df"):
        assert again[name].to_numpy(float) == pytest.approx(written[name].to_numpy(float), rel=1e-10)
    (tmp_path / "diem.psu.parquet").unlink()
    without = pd.DataFrame(json.loads(run(tmp_path / "diem.csv", "--index", PAPI, "--json")[1])["scores"])
    assert without["se"].isna().all()


def test_a_name_may_stand_for_a_province_and_for_the_whole(small, tmp_path):
    run(small, "--index", PAPI, "--by", "year", "--total", "--out", tmp_path / "diem.csv")
    again = pd.DataFrame(json.loads(run(tmp_path / "diem.csv", "--index", PAPI, "--json")[1])["scores"])
    assert again["domain_level"].drop_duplicates().tolist() == ["all", "year"]
    assert again["se"].notna().all()


def test_long_names_are_cut_so_that_the_figures_stay_in_sight(data, tmp_path):
    (tmp_path / "index.csv").write_text(f"code,label::English (en),question,score\nA,{'word ' * 30},q,linear\n")
    (line,) = [line for line in run(data, "--index", tmp_path)[1].splitlines() if " A " in line]
    assert "…" in line
    assert len(line) < 140


def test_rounds_in_one_file_are_never_mixed(data, tmp_path):
    pd.read_csv(data).assign(round=["2025", "2026"] * 4).to_csv(data, index=False)
    code, out, err = run(data, "--index", tmp_path)
    assert (code, out) == (2, "")
    assert err == "--round: the file holds several rounds: 2025, 2026; choose one with --round, or add --by round\n"
    one = json.loads(run(data, "--index", tmp_path, "--round", "2026", "--json")[1])["scores"]
    assert {(row["round"], row["n"]) for row in one} == {("2026", 4)}
    both = json.loads(run(data, "--index", tmp_path, "--by", "round", "--json")[1])["scores"]
    assert {row["domain"] for row in both} == {"2025", "2026"}


def test_without_a_design_the_figures_say_what_was_assumed(data, tmp_path):
    (tmp_path / "design.toml").unlink()
    assert "simple random sample" in run(data, "--index", tmp_path)[1].splitlines()[0]


def test_text_from_before_unicode_is_converted_on_request(tmp_path):
    (tmp_path / "index.csv").write_text("code,question,score\nA,q,linear\n")
    (tmp_path / "cu.csv").write_bytes("tinh,q\nS¬n La,1\n§iÖn Biªn,2\nLai Ch©u,3\n".encode("latin-1"))
    code, _, err = run(tmp_path / "cu.csv", "--index", tmp_path, "--by", "tinh")
    assert code == 2
    assert "add --from-tcvn3" in err
    found = json.loads(run(tmp_path / "cu.csv", "--index", tmp_path, "--by", "tinh", "--from-tcvn3", "--json")[1])
    assert {row["domain"] for row in found["scores"]} == {"Sơn La", "Điện Biên", "Lai Châu"}


def test_findings_are_told_and_leave_by_exit_code_1(data, tmp_path):
    (tmp_path / "index.csv").write_text("code,parent,question,score\nT,,,\nA,T,q,1=1\n")
    code, out, err = run(data, "--index", tmp_path)
    assert code == 1
    assert "estimate" in out
    assert err == (
        "A, phieu.csv, column q, 3 rows (3, 6, 7): no score for '0': left out; "
        "correct the data or complete the scoring rule\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "--index: no index is named; add --index, for example --index sipas_2026"),
        (["--index", "sipas_1999"], "sipas_1999: there is no such index or folder; see survey questionnaire list"),
        (["--index", "empty"], "empty: the folder has no index.csv; name another folder"),
        (["--index", ".", "--by", "sexx"], "phieu.csv, column sexx (by): there is no such column; did you mean 'sex'?"),
        (["--index", ".", "--level", "95"], "--level: 95 is not between 0 and 1; for example --level 0.95"),
        (
            ["--index", ".", "--out", "x.pdf"],
            "--out: files of the kind '.pdf' are not written; use .csv, .parquet or .xlsx",
        ),
        (["--index", ".", "--out", "phieu.csv"], "--out: the result would replace the data; choose another name"),
    ],
)
def test_a_wrong_call_is_answered_with_what_to_do(data, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert run(data.name, *arguments) == (2, "", sentence + "\n")


def test_bad_design_columns_leave_nothing_on_disk(data, tmp_path):
    frame = pd.read_csv(data)
    frame.loc[2, "w"] = -1
    frame["village"] = frame["village"].where(frame.index != 5)
    frame.to_csv(data, index=False)
    code, out, err = run(data, "--index", tmp_path, "--out", tmp_path / "diem.csv")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "phieu.csv, column village (psu), row 7: a design column has blank cells; "
        "fill them in, or leave these rows out for a reason",
        "phieu.csv, column w, row 4: a weight must be above 0; correct these values",
    ]
    assert not (tmp_path / "diem.csv").exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"q,q\n1,2\n", "there is another column 'q'"),
        ("a.csv", b"q,w\n1,2,3\n", "has 3 cells for 2 columns"),
        ("a.csv", b"", "the table is empty"),
        ("a.pdf", b"%PDF", "files of this kind are not read"),
        ("a.xlsx", b"no zip", "this workbook cannot be opened"),
        ("a.parquet", b"PAR1", "the file cannot be read"),
        ("a.dta", b"no data", "the file cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(data, tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    code, out, err = run(tmp_path / name, "--index", tmp_path)
    assert (code, out) == (2, "")
    assert name in err
    assert sentence in err


def test_a_domain_that_looks_like_a_formula_stays_a_text_in_a_workbook(tmp_path):

    domain = '=HYPERLINK("http://example.org";"x")'
    write_table(pd.DataFrame({"domain": [domain, "Sơn La"], "estimate": [1.5, 2.0]}), tmp_path / "scores.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "scores.xlsx").active["A2"]
    assert (cell.value, cell.data_type) == (domain, "s")
