"""``survey weight``: from a file or a round to a weights file, and on into the scores."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from analysis import dataset, mean
from analysis.design import Calibration, Design
from analysis.table import Table
from analysis.weighting import join_weights, joined_design
from survey.errors import InputError
from survey.questionnaire.model import Choice, Node, Questionnaire
from survey.store import Store, current, drafts, frame
from tests.commands import run
from tests.oracle_cases import _Question

# -- R's calibrated weights, through the command ------------------------------------------------------------------

CLUSTERS = ["poststratify", "rake", "greg_linear", "logit_bounded", "raking_distance"]
STRATA = ["strat_rake/mean", "strat_calibrate_raking/mean"]


def case_of(oracles, name):
    cases = json.loads((oracles / "03_calibration.json").read_text())["cases"]
    return next(case for case in cases if case["id"] == name)


def made_by_command(oracles, folder, name):
    """The case's data, design and the weights file that the command makes from its weighting step."""
    question = _Question(case_of(oracles, name), oracles)
    rule = question.design.calibration
    data = question.table.arrow.to_pandas()
    data.assign(interview=data["cds"]).to_csv(folder / "data.csv", index=False)
    pd.DataFrame(rule.margins).to_csv(folder / "margins.csv", index=False)
    bounds = f"bounds = [{', '.join(map(str, rule.bounds))}]\n" if rule.bounds else ""
    calibration = f'[calibration]\nmethod = "{rule.method}"\nmargins = "margins.csv"\n{bounds}'
    (folder / "design.toml").write_text(f'weight = "{question.design.weight}"\n{calibration}')
    code, out, err = run("weight", folder / "data.csv", "--design", folder, "--out", folder / "weights.csv", "--json")
    assert (code, err) == (0, "")
    return question, json.loads(out)


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_command_makes_r_s_calibrated_weights(oracles, tmp_path, name):
    _, printed = made_by_command(oracles, tmp_path, f"clus1_{name}/mean_total_ratio")
    theirs = pd.read_csv(oracles / "data" / "apiclus1_calibrated_weights.csv", dtype={"cds": str})
    ours = pd.read_csv(tmp_path / "weights.csv", dtype={"interview": str})
    joined = theirs.merge(ours, left_on="cds", right_on="interview", validate="1:1")
    assert len(joined) == len(theirs) == 183
    assert joined["weight"].tolist() == pytest.approx(joined[name].tolist(), rel=1e-7)
    assert [row["after"] for row in printed["margins"]] == pytest.approx([row["total"] for row in printed["margins"]])


@pytest.mark.parametrize("name", [*(f"clus1_{name}/mean_total_ratio" for name in CLUSTERS), *STRATA])
def test_scores_from_the_weights_file_have_r_s_standard_errors(oracles, tmp_path, name):
    """The weights joined from the file, their calibration declared by the design: the same as calibrating in place."""
    question, _ = made_by_command(oracles, tmp_path, name)
    weights = Table.of(tmp_path / "weights.csv")
    data = Table.of(tmp_path / "data.csv")
    design = joined_design(question.design, weights)
    assert (design.weight, design.calibration.base_weight) == ("weight", "w_nonresponse")
    expected = {row["name"]: row for row in question.expected}
    joined = join_weights(data, weights)
    for variable in ("api00", "meals"):
        (found,) = mean(joined, variable, design)
        assert (found.value, found.se) == pytest.approx(
            (expected[variable]["estimate"], expected[variable]["se"]), rel=1e-6
        )


# -- a file -------------------------------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path):
    """Twelve drawn people: ten answered, one refused, one was not eligible."""
    file = tmp_path / "phieu.csv"
    pd.DataFrame(
        {
            "interview": [*(f"i{k}" for k in range(10)), "", ""],
            "disposition": ["1.1"] * 10 + ["2.112", "4.70"],
            "village": list("aaabbccddeae"),
            "p_1": 0.5,
            "p_2": 0.2,
            "sex": list("mfmfmfmfmfmf"),
            "q": [1, 0, 1, 1, 1, 0, 1, 0, 0, 1, "", ""],
        }
    ).to_csv(file, index=False)
    (tmp_path / "index.csv").write_text("code,parent,question,score\nT,,,\nA,T,q,1=1 0=0\n")
    (tmp_path / "margins.csv").write_text("variable;category;total\nsex;m;70,5\nsex;f;60\n")
    (tmp_path / "design.toml").write_text(
        'psu = ["village"]\n[calibration]\nmethod = "poststratify"\nmargins = "margins.csv"\n'
    )
    return file


def test_every_step_leaves_its_column_and_its_diagnosis(data, tmp_path):
    out = tmp_path / "weights.csv"
    code, printed, err = run("weight", data, "--design", tmp_path, "--class", "sex", "--least", 1, "--out", out)
    assert (code, err) == (0, "")
    table = pd.read_csv(out)
    assert list(table.columns) == ["interview", "w_base", "w_nonresponse", "w_calibrated", "weight"]
    assert table["w_base"].tolist() == [10] * 10
    # Of six men one refused (60 / 50); the woman who is not eligible takes her 10 away.
    assert table["w_nonresponse"].tolist() == pytest.approx([12, 10] * 5)
    assert table["weight"].tolist() == pytest.approx([14.1, 12] * 5)
    assert "base weights = 1 / (p_1 × p_2)" in printed
    assert "w_nonresponse: after nonresponse" in printed
    assert ["sex", "m", "70.5", "60", "70.5"] in [line.split() for line in printed.splitlines()]
    assert ["m", "5", "1", "0", "0", "1.2"] in [line.split() for line in printed.splitlines()]


def test_json_has_the_same_and_the_weights_where_no_file_is_written(data, tmp_path):
    code, printed, _ = run("weight", data, "--design", tmp_path, "--json")
    found = json.loads(printed)
    assert code == 0
    assert [row["column"] for row in found["steps"]] == ["w_base", "w_nonresponse", "w_calibrated", "weight"]
    assert found["steps"][0] == {
        "column": "w_base", "n": 10, "sum": 100, "min": 10, "median": 10, "max": 10, "deff": 1, "n_effective": 10,
    }  # fmt: skip
    assert found["margins"][1] == {"variable": "sex", "category": "m", "total": 70.5, "before": 50, "after": 70.5}
    assert found["weights"][0]["interview"] == "i0"
    assert found["files"] == []


def test_findings_are_told_and_the_weights_written_all_the_same(data, tmp_path):
    out = tmp_path / "weights.csv"
    code, _, err = run("weight", data, "--design", tmp_path, "--class", "sex", "--out", out)
    assert code == 1
    assert err == "--class m (5): classes with fewer than 20 respondents: 1; better join classes\n"
    assert len(pd.read_csv(out)) == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trim", "0.5"], "--trim 0.5: no rule for trimming"),
        (["--round", "r1"], "--round: of no use with a data file"),
        (["--probability", "p_9"], "phieu.csv, column p_9 (probability): there is no such column"),
        (["--class", "commune"], "phieu.csv, column commune (nonresponse): there is no such column"),
        (["--out", "weights.txt"], "--out: files of the kind '.txt' are not written"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_written(data, tmp_path, arguments, message):
    code, _, err = run("weight", data, "--design", tmp_path, "--out", tmp_path / "w.csv", *arguments)
    assert code == 2
    assert err.startswith(message)
    assert not (tmp_path / "w.csv").exists()


def test_a_calibration_without_known_totals_is_refused(data, tmp_path):
    (tmp_path / "design.toml").write_text('[calibration]\nmethod = "raking"\n')
    code, _, err = run("weight", data, "--design", tmp_path)
    assert (code, err.startswith("design.toml, [calibration]: no file of known totals is named")) == (2, True)
    code, out, _ = run("weight", data, "--design", tmp_path, "--margins", tmp_path / "margins.csv")
    assert code == 0
    assert "design.toml has no [calibration] with these margins" in out


def test_scores_take_the_weights_and_the_calibration_s_part_in_the_variance(data, tmp_path):
    out = tmp_path / "weights.csv"
    run("weight", data, "--design", tmp_path, "--out", out)
    answered = pd.read_csv(data).dropna(subset=["interview"])
    code, printed, err = run("score", data, "--index", tmp_path, "--design", tmp_path, "--weights", out, "--json")
    assert (code, err) == (0, "")
    (row,) = (row for row in json.loads(printed)["scores"] if row["code"] == "A")
    known = [{"variable": "sex", "category": c, "total": t} for c, t in (("m", 70.5), ("f", 60))]
    design = Design("w", psu="village", calibration=Calibration("poststratify", margins=known))
    (expected,) = mean(answered.assign(w=10, q=answered["q"].astype(float)), "q", design)
    assert (row["estimate"], row["se"]) == pytest.approx((expected.value, expected.se))
    (plain,) = mean(answered.assign(w=[14.1, 12] * 5), "q", Design("w", psu="village"))
    assert row["se"] != pytest.approx(plain.se, rel=1e-3)


def test_weights_that_were_not_calibrated_are_calibrated_by_the_scores():
    design = Design("w", calibration=Calibration(margins="margins.csv"))
    steps = {"interview": ["a", "b"], "w_nonresponse": [1, 2], "weight": [1, 2]}
    assert joined_design(design, Table.of(steps | {"w_calibrated": [1, 3]})).calibration.already_applied
    for foreign in (steps, steps | {"w_calibrated": [1, 2]}):
        assert joined_design(design, Table.of(foreign)).calibration == design.calibration
    own = Design("w", calibration=Calibration(margins="m.csv", already_applied=True, base_weight="w0"))
    assert joined_design(own, Table.of(steps | {"w_calibrated": [1, 3]})).calibration.base_weight == "w0"


def test_a_row_without_an_interview_does_not_get_another_one_s_weight(data):
    weights = Table.of({"interview": [f"i{k}" for k in range(10)], "weight": range(1, 11)})
    sample = pd.read_csv(data)
    assert join_weights(Table.of(sample), weights).numbers("weight").tolist() == list(range(1, 11))
    with pytest.raises(InputError, match=r"data, column interview, 2 rows \(11, 12\): interviews without a weight"):
        join_weights(Table.of(sample.drop(columns="disposition")), weights)


# -- a round ------------------------------------------------------------------------------------------------------

ROUND = "r2026"
FORM = Questionnaire(
    "form",
    "1",
    nodes=(
        Node("question", "sex", "sex", "select_one", list_name="sexes"),
        Node("question", "sat", "sat", "select_one", list_name="scale"),
    ),
    lists={"sexes": (Choice("f"), Choice("m")), "scale": tuple(Choice(str(k)) for k in range(1, 6))},
    index=({"code": "SAT", "question": "sat", "score": "4 5"},),
)
# Unit, list, how it ended: approved or only sealed interviews, dispositions of its visits.
UNITS = [
    ("u1", "v1", "main", "approved", []),
    ("u2", "v1", "main", "", ["2.24", "2.112"]),
    ("u3", "v1", "reserve", "approved", []),
    ("u4", "v1", "reserve", "", []),
    ("u5", "v2", "main", "approved", []),
    ("u6", "v2", "main", "approved", []),
    ("u7", "v2", "main", "sealed", []),
    ("u8", "v3", "main", "approved", []),
    ("u9", "v3", "main", "", ["4.70"]),
]


@pytest.fixture
def round_of_nine(instance):
    """Three villages: a refusal replaced by a reserve unit, an interview nobody approved, one who moved away."""
    with Store.create(instance, role="hub") as store:
        frame.issue(store, "questionnaire", FORM.hash, FORM.to_json())
        frame.issue(store, "round", ROUND, {"id": ROUND, "questionnaire_hash": FORM.hash, "index": "form"})
        for number, (unit, village, kind, state, visits) in enumerate(UNITS):
            document = {
                "id": unit, "round": ROUND, "list": kind, "order": str(number), "stratum": "all", "psu": village,
                "village": village, "p_1": "0.5", "p_2": "0.2", "probability": "0.1", "certain": "0",
            }  # fmt: skip
            frame.issue(store, "unit", unit, document, {"name": "Lò Thị Hoa"})
            for place, code in enumerate(visits):
                visit = {"unit": unit, "disposition": code, "time": f"2026-11-0{place + 1}T09:00:00+07:00"}
                frame.issue(store, "visit", f"v{unit}{place}", visit)
            if state:
                interview = drafts.start(store, unit, FORM.hash, "phoa")
                answers = {"sex": "fm"[number % 2], "sat": str(1 + number % 5)}
                drafts.seal(store, interview, answers, {}, {}, {}, "phoa")
                frame.issue(store, "visit", f"v{unit}x", {"unit": unit, "disposition": "1.1", "time": "2026-11-09"})
                if state == "approved":
                    current.decide(store, interview, "approved", actor="plan")
    return instance


def test_a_round_s_sample_has_those_who_did_not_answer_as_well(round_of_nine):
    with Store.open(round_of_nine) as store:
        table = dataset.load_sample(store, ROUND).table
    units, codes = (table.arrow.column(name).to_pylist() for name in ("unit", "disposition"))
    assert dict(zip(units, codes, strict=True)) == {
        "u1": "1.1", "u2": "2.112", "u3": "1.1", "u5": "1.1", "u6": "1.1", "u7": "1.1", "u8": "1.1", "u9": "4.70",
    }  # fmt: skip  # u4, a reserve unit nobody went to, was never asked
    assert "name" not in table


def test_two_interviews_of_one_unit_have_to_be_settled_first(round_of_nine):
    with Store.open(round_of_nine) as store:
        interview = drafts.start(store, "u1", FORM.hash, "pban")
        drafts.seal(store, interview, {"sat": "1"}, {}, {}, {}, "pban")
        current.decide(store, interview, "approved", actor="plan")
        with pytest.raises(InputError, match=r"units with two interviews: 1 \(u1\); keep one"):
            dataset.load_sample(store, ROUND)


def test_a_round_is_weighted_and_scored(survey, round_of_nine, tmp_path):
    """v1: three asked for two drawn, 20 in all, so that two answers have 10 each. v2: 30, two answers that count, 15
    each. v3: 20, of which one half is not eligible, 10 left."""
    out = tmp_path / "weights.csv"
    done = survey("weight", "--round", ROUND, "--class", "village", "--least", 1, "--out", out, "--lang", "en")
    assert done.exit_code == 1
    assert done.stderr.startswith("round r2026, column interview, row ")
    assert "interviewed, but without an interview that counts: taken as nonrespondents" in done.stderr
    with Store.open(round_of_nine) as store:
        unit_of = {row["interview"]: row["unit"] for row in current.interviews(store, ROUND)}
    table = pd.read_csv(out)
    weights = dict(zip(table["interview"].map(unit_of), table["weight"], strict=True))
    assert weights == pytest.approx({"u1": 10, "u3": 10, "u5": 15, "u6": 15, "u8": 10})
    assert table["w_base"].tolist() == [10] * 5
    scored = survey("score", "--round", ROUND, "--weights", out, "--json")
    assert scored.exit_code == 0, scored.stderr
    (row,) = json.loads(scored.stdout)["scores"]
    satisfied = {"u1": 0, "u3": 0, "u5": 1, "u6": 0, "u8": 0}  # 1 + number % 5, four or five
    top = sum(weights[unit] * satisfied[unit] for unit in weights)
    assert row["estimate"] == pytest.approx(top / 60)
    assert row["n"] == 5


def test_sealed_interviews_count_where_they_are_asked_for(survey, round_of_nine):
    done = survey("weight", "--state", "sealed", "--class", "village", "--least", 1, "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert [row["weight"] for row in found["weights"]] == pytest.approx([10] * 6)
    assert np.isclose(found["steps"][-1]["sum"], total_of(found))


def total_of(found):
    """What the classes keep, less the half of v3 that is not eligible."""
    return sum(row["total"] for row in found["classes"]) - 10
