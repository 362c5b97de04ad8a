"""Units with dates: 63 provinces until 30 June 2025, 34 since; found by any spelling, joined only as the same place."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.change import compare
from analysis.ranking import rank
from analysis.succession import Rule, day_of, population_rule
from analysis.units import communes, modern, provinces, read_register
from survey.errors import InputError, Problems
from survey.text import fold
from tests.commands import run

OLD, NEW = "2025-06-30", "2025-07-01"
REGISTER = provinces()


def of(file):
    with Path(file).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def named(units):
    return sorted(unit.name for unit in units)


# -- the list -------------------------------------------------------------------------------------------------------


def test_the_shipped_list_is_the_official_table_of_the_merger(shared_data):
    table = of(shared_data / "province_merge_2025.csv")
    assert len(table) == len(REGISTER.on(OLD)) == 63
    assert len(REGISTER.on(NEW)) == 34
    for row in table:
        old, new = REGISTER.find(row["old_code"], OLD), REGISTER.find(row["new_code"], NEW)
        assert modern(row["old_name"]) == old.name
        assert REGISTER.at(old, NEW) == (new,)
        assert old in REGISTER.at(new, OLD)
        assert (REGISTER.same(old, NEW) is not None) == (row["change"] == "unchanged")


def test_the_lists_of_today_are_the_official_ones(shared_data):
    today = {row["code"]: row for row in of(shared_data / "admin_units.csv") if not row["valid_to"]}
    assert {(unit.code, unit.name, unit.kind) for unit in REGISTER.on("2026-06-01")} == {
        (row["code"], row["name"], row["unit_type_vi"]) for row in today.values() if row["level"] == "province"
    }
    assert {(unit.code, unit.name, unit.kind, unit.parent) for unit in communes().on("2026-06-01")} == {
        (row["code"], row["name"], row["unit_type_vi"], row["parent_code"])
        for row in today.values()
        if row["parent_code"]
    }
    assert len(communes().on(NEW)) == len(communes().on("2026-06-01")) == 3321


def test_every_published_spelling_of_a_province_is_one_province(shared_data):
    names = {row["province"] for row in of(shared_data / "papi_published.csv")}
    assert len(names) == len({REGISTER.find(name, "2022-12-31") for name in names}) == 63


@pytest.mark.parametrize(
    ("text", "day", "name"),
    [
        ("Hoà Bình", OLD, "Hòa Bình"),
        ("hoa binh", OLD, "Hòa Bình"),
        ("Tỉnh Khánh Hoà", NEW, "Khánh Hòa"),
        ("TP. Hồ Chí Minh", NEW, "Hồ Chí Minh"),
        ("TPHCM", OLD, "Hồ Chí Minh"),
        ("Ho Chi Minh City", OLD, "Hồ Chí Minh"),
        ("Ba Ria-Vung Tau", OLD, "Bà Rịa - Vũng Tàu"),
        ("Kontum", OLD, "Kon Tum"),
        ("Đắc Lắc", NEW, "Đắk Lắk"),
        ("Thừa Thiên-Huế", "2022-12-31", "Thừa Thiên Huế"),
        ("thành phố Huế", "2022-12-31", "Thừa Thiên Huế"),
        ("Thua Thien Hue", NEW, "Huế"),
        ("91", OLD, "Kiên Giang"),
        ("91", NEW, "An Giang"),
    ],
)
def test_a_unit_is_found_by_any_spelling_and_a_code_by_its_day(text, day, name):
    assert REGISTER.find(text, day).name == name


@given(st.sampled_from(REGISTER.units), st.sampled_from(["", "Tỉnh ", "tỉnh ", "TP. ", "TP ", "Thành phố "]))
def test_a_name_leads_to_its_unit_with_or_without_diacritics_and_kind(unit, kind):
    day = unit.valid_from
    assert REGISTER.find(kind + unit.name, day) == unit
    assert REGISTER.find(fold(kind + unit.name), day) == unit


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Hoà", "Hòa"),
        ("Thuỷ", "Thủy"),
        ("khoẻ", "khỏe"),
        ("HOÀ", "HÒA"),
        ("Quý", "Quý"),
        ("Hoàn", "Hoàn"),
        ("Toán", "Toán"),
    ],
)
def test_the_tone_of_a_final_oa_oe_uy_is_placed_as_official_lists_do(old, new):
    assert modern(old) == new


def test_a_commune_whose_name_begins_like_a_kind_is_found_too():
    register = read_register_of("code,name\n1,Xà Bang\n2,Bang\n3,Phương Độ\n")
    assert named(register.lookup("xa bang")) == ["Bang", "Xà Bang"]
    assert named(register.lookup("Xã Xà Bang")) == ["Xà Bang"]
    assert named(register.lookup("Xã Bang")) == ["Bang"]


@pytest.mark.parametrize(
    ("text", "day", "message"),
    [
        ("An Giangg", OLD, "did you mean An Giang"),
        ("Kiên Giang", NEW, "not valid on 2025-07-01.*; then it is An Giang 91"),
        ("91", "", "a code goes with a day"),
        ("Atlantis", "", "check the name or the code"),
    ],
)
def test_what_cannot_be_found_says_what_to_do(text, day, message):
    with pytest.raises(InputError, match=message):
        REGISTER.find(text, day)


# -- a list of one's own --------------------------------------------------------------------------------------------


def read_register_of(text, tmp=None):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "agencies.csv"
        file.write_text(text, encoding="utf-8")
        return read_register(file)


AGENCIES = """code,name_vi,name_en,level,valid_from,valid_to,successor
snv,Sở Nội vụ,Department of Home Affairs,province,,,
stttt,Sở Thông tin và Truyền thông,Department of Information,province,,2025-02-28,skhcn
skhcn,Sở Khoa học và Công nghệ,Department of Science,province,,,
"""


def test_agencies_have_successors_by_day():
    agencies = read_register_of(AGENCIES)
    old = agencies.find("so thong tin va truyen thong", "2024-01-01")
    assert named(agencies.at(old, "2026-01-01")) == ["Sở Khoa học và Công nghệ"]
    assert len(agencies.on("2026-01-01")) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,name\n1,A\n1,B\n", "two units have this code on one day"),
        ("code,name,valid_to,successor\n1,A,2025-01-01,2\n", "its successor 2 is not there"),
        ("code,name,valid_from\n1,A,01/07/2025\n", "row 2, column valid_from: '01/07/2025' is no day"),
        ("code,name,valid_from,valid_to\n1,A,2025-01-02,2025-01-01\n", "it ends before it begins"),
        ("kod,name\n1,A\n", "code: this column is missing"),
    ],
)
def test_a_list_that_contradicts_itself_is_refused_with_its_row(text, message):
    with pytest.raises(Problems, match=message):
        read_register_of(text)


# -- two rounds -----------------------------------------------------------------------------------------------------


def scores(round, values, level="province", **more):
    rows = [
        {"round": round, "domain_level": level, "domain": name, "code": "T", "estimate": value, "se": 0.5, "df": 20.0}
        | more
        for name, value in values.items()
    ]
    return pd.DataFrame(rows)


BEFORE = scores("2022", {"Kien Giang": 40.0, "An Giang": 44.0, "Son La": 41.0, "Thua Thien-Hue": 43.0})
AFTER = scores("2026", {"91": 43.0, "14": 42.0, "46": 45.0})


def row(found, domain):
    return found.table.set_index("domain").loc[domain]


def test_a_place_that_only_changed_its_name_is_one_series_and_a_merged_one_is_none():
    found = compare(BEFORE, AFTER)
    assert row(found, "14")["change"] == pytest.approx(1.0)
    assert row(found, "46")["change"] == pytest.approx(2.0)
    merged = row(found, "91")
    assert np.isnan(merged["change"])
    assert "made of An Giang, Kiên Giang on 2025-07-01" in merged["note"]
    # What An Giang was until the merger stands apart, whatever it is called today.
    assert row(found, "An Giang (… 2025-06-30)")["before"] == 44.0


def test_a_series_goes_over_a_merger_only_by_a_declared_rule_which_is_named(tmp_path):
    file = tmp_path / "dan_so.csv"
    file.write_text("province;population\nAn Giang;3000\nKiên Giang;1000\n", encoding="utf-8")
    found = compare(BEFORE, AFTER, carry=population_rule(file, OLD))
    merged = row(found, "91")
    assert merged["before"] == pytest.approx(0.75 * 44 + 0.25 * 40)
    error = np.sqrt((0.75 * 0.5) ** 2 + (0.25 * 0.5) ** 2 + 0.5**2)
    assert merged["se"] == pytest.approx(error)
    assert "mean of the former provinces by population (dan_so.csv), not a published figure" in merged["note"]
    assert any("carried over a merger" in note.en for note in found.notes)
    grouped = tmp_path / "dan_so.vi.csv"
    grouped.write_text("province;population\nAn Giang;3.000.000\nKiên Giang;1.000.000\n", encoding="utf-8")
    assert population_rule(grouped, OLD).weights == {
        unit: 1000 * n for unit, n in population_rule(file, OLD).weights.items()
    }
    plain = compare(BEFORE, AFTER, carry=Rule("mean"))
    assert row(plain, "91")["before"] == pytest.approx(42.0)
    assert row(plain, "14")["note"] == ""


def test_a_merged_province_of_which_a_part_has_no_score_has_none():
    found = compare(BEFORE[BEFORE["domain"] != "Kien Giang"], AFTER, carry=Rule("mean"))
    assert np.isnan(row(found, "91")["before"])


def test_crossed_domains_are_carried_within_their_group():
    before = pd.concat([scores("2022", {f"{p}|{s}": v for p, s, v in
        (("89", "f", 44.0), ("91", "f", 40.0), ("89", "m", 46.0), ("91", "m", 48.0))}, "province*sex")])  # fmt: skip
    after = scores("2026", {"91|f": 43.0, "91|m": 49.0}, "province*sex")
    found = compare(before, after, carry=Rule("mean"))
    assert [row(found, domain)["before"] for domain in ("91|f", "91|m")] == [42.0, 47.0]


def test_the_day_of_a_list_is_in_the_rounds_name_or_told_by_the_places_or_asked_for():
    assert (day_of("r2026"), day_of("2022"), day_of("r2025"), day_of("đợt 1")) == ("2026-12-31", "2022-12-31", "", "")
    # 2025 has both lists: Kiên Giang tells which.
    early = BEFORE.assign(round="2025")
    assert row(compare(early, AFTER), "14")["change"] == pytest.approx(1.0)
    codes = scores("2025", {"91": 40.0, "14": 41.0})
    with pytest.raises(InputError, match="the day of this list of provinces is not known; name it: --before-date"):
        compare(codes, AFTER)
    assert np.isnan(row(compare(codes, AFTER, days=(OLD, "")), "91")["change"])
    assert row(compare(codes, AFTER, days=(NEW, "")), "91")["change"] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("values", "round", "message"),
    [
        ({"Kiên Giang": 1.0, "Hà Nội": 2.0}, "2026", "not provinces of 2026-12-31: Kiên Giang"),
        ({"02": 1.0, "01": 2.0}, "2026", r"02 \(Hà Giang"),
    ],
)
def test_provinces_of_another_day_than_the_rounds_are_neither_ranked_nor_compared(values, round, message):
    with pytest.raises(InputError, match=message):
        rank(scores(round, values))
    with pytest.raises(InputError, match=message):
        compare(BEFORE, scores(round, values))


def test_communes_and_districts_are_not_compared_over_their_reorganisation():
    with pytest.raises(InputError, match="a code before and after is not one place"):
        compare(scores("2022", {"00001": 1.0}, "commune"), scores("2026", {"00001": 2.0}, "commune"))
    found = compare(scores("2026", {"00001": 1.0}, "commune"), scores("2027", {"00001": 2.0}, "commune"))
    assert row(found, "00001")["change"] == pytest.approx(1.0)


def test_published_papi_of_2022_carried_to_the_34_provinces(shared_data, tmp_path):
    papi = pd.DataFrame(of(shared_data / "papi_published.csv"))
    papi = papi[(papi["code"] == "TOTAL_UNW") & (papi["year"] == "2022")]
    new = pd.DataFrame({"round": "2026", "province": [unit.name for unit in REGISTER.on(NEW)], "code": "TOTAL_UNW"})
    found = compare(papi, new.assign(mean="42"), carry=Rule("mean"))
    values = {
        REGISTER.find(name, OLD).name: float(mean)
        for name, mean in zip(papi["province"], papi["mean"], strict=True)
        if mean
    }
    assert row(found, "Sơn La")["before"] == values["Sơn La"]
    made = [values[name] for name in ("Phú Thọ", "Vĩnh Phúc", "Hòa Bình")]
    assert row(found, "Phú Thọ")["before"] == pytest.approx(np.mean(made))
    carried = [name for name in found.table["domain"] if "not a published figure" in row(found, name)["note"]]
    assert len(carried) == 23


# -- the command ----------------------------------------------------------------------------------------------------


def test_units_are_looked_up_on_a_day_with_what_they_become():
    code, out, err = run("units", "Hoà Bình", "Atlantis", "--date", "2024-01-01", "--then", "2026-01-01", "--json")
    assert (code, "Atlantis: there is no such unit" in err) == (1, True)
    assert [(unit["name"], unit["then"][0]["name"]) for unit in json.loads(out)] == [("Hòa Bình", "Phú Thọ")]
    assert len(json.loads(run("units", "--date", "2026-06-01", "--json")[1])) == 34
    assert "Chiềng Mung" in run("units", "chieng mung", "--communes", "Sơn La", "--date", "2026-06-01")[1]


def test_compare_takes_days_and_rule_from_the_command_line(tmp_path):
    files = []
    for table in (BEFORE, AFTER):
        files.append(tmp_path / f"{len(files)}.csv")
        table.to_csv(files[-1], index=False)
    code, out, _ = run("compare", *files, "--carry", "mean", "--json")
    assert code == 0
    assert next(one for one in json.loads(out)["changes"] if one["domain"] == "91")["before"] == pytest.approx(42)
    code, _, err = run("compare", *files, "--carry", "population")
    assert (code, "--carry population goes with --population FILE" in err) == (2, True)
    assert "is no day" in run("compare", *files, "--before-date", "30/06/2025")[2]
