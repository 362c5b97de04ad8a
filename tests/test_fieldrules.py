"""The rules of a round from the command line: replacement, places that change, one-stop frames, quotas, sizes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result

from survey import create_app
from survey.fieldwork.onestop import day
from survey.fieldwork.places import Change, placed_now
from survey.fieldwork.size import sample_size
from survey.store import Store, frame
from survey.sync import rounds
from tests import field
from tests.field import HOA, LAN, Clock, Interviewer, Visitor

Survey = Callable[..., Result]


@pytest.fixture
def on_hub(survey: Survey, hub: Store) -> Survey:
    """The command line on a hub that has a round with units."""
    field.set_up(hub, field.small())
    document = frame.round_document(hub, field.ROUND)
    rounds.issue_round(hub, {**document, "id": "r1"})
    for unit in frame.units(hub):
        frame.issue(hub, "unit", unit["id"], {**unit, "round": "r1"}, {"name": unit["id"]})
    return lambda *arguments: survey(*arguments, "--round", "r1", "--instance", hub.folder)


def test_rules_are_set_one_by_one_and_shown(on_hub: Survey, hub: Store):
    assert on_hub("round", "rules", "--visits", "2", "--target", "16").exit_code == 0
    assert on_hub("round", "rules", "--respondent", "next_birthday", "--count-by", "case").exit_code == 0
    shown = json.loads(on_hub("round", "rules", "--json").output)
    assert (shown["replacement"]["visits"], shown["replacement"]["target"]) == (2, 16)
    assert (shown["respondent"], shown["count_by"]) == ({"method": "next_birthday", "age": 18}, "case")
    assert rounds.signed_by(frame.round_document(hub, "r1"))
    assert "after 2 visits" in on_hub("round", "rules").output
    assert on_hub("round", "rules", "--least", "30").exit_code == 0
    assert on_hub("round", "rules", "--least-units", "3").exit_code == 0
    shown = json.loads(on_hub("round", "rules", "--json").output)
    assert shown["publication"] == {"least_n": 30, "least_psu": 3, "complementary": True}
    assert "published: from 30 interviews and 3 sampled units on" in on_hub("round", "rules").output
    on_hub("round", "rules", "--least", "0")
    assert json.loads(on_hub("round", "rules", "--json").output)["publication"] is None
    wrong = on_hub("round", "rules", "--replace-for", "2.24,9.9")
    assert (wrong.exit_code, "disposition 9.9" in wrong.output) == (2, True)
    assert "no replacement" in on_hub("round", "rules", "--no-replacement").output


# -- places ------------------------------------------------------------------------------------------------------


def test_a_merged_commune_shows_both_names_and_the_date_and_the_draw_is_untouched(on_hub: Survey, hub: Store):
    before = [frame.unit(hub, f"u{n}") for n in range(1, 5)]
    done = on_hub(
        *("round", "place", "commune", "03646", "--to", "03650", "--name", "xã Mường Bú"),
        *("--date", "2026-07-01", "--kind", "merged"),
    )
    assert "4 units, drawn as they were" in done.output
    assert [frame.unit(hub, f"u{n}") for n in range(1, 5)] == before
    with field.running(hub.folder) as app:
        hoa = Interviewer(app)
        hoa.sign_in(HOA)
        page = hoa.get("/today").text
        assert "xã Mường Bú (trước 01/07/2026: xã Chiềng Mung)" in page
    wrong = on_hub("round", "place", "commune", "99", "--name", "x", "--date", "2026-07-01")
    assert (wrong.exit_code, "codes in the sample: 03646" in wrong.output) == (2, True)


def test_the_page_of_places_records_a_change_and_says_what_is_wrong_with_one(on_hub: Survey, hub: Store):
    before = [frame.unit(hub, f"u{n}") for n in range(1, 5)]
    app = create_app(hub.folder, Clock())
    lan = Visitor(app)
    lan.sign_in(LAN)
    assert "Chưa có thay đổi nào" in lan.get("/rounds/r1/places").text
    told = {"place": "commune:03646", "name": "xã Mường Bú", "date": "1/7/2026", "kind": "merged", "new": "03650"}
    for left_out, complaint in (("place", "chưa chọn nơi nào"), ("name", "chưa ghi tên mới"), ("date", "ghi ngày")):
        wrong = lan.post("/rounds/r1/places", **{**told, left_out: ""})
        assert (wrong.status_code, complaint in wrong.text.lower()) == (400, True), left_out
    assert "không đơn vị mẫu nào ở đó" in lan.post("/rounds/r1/places", **{**told, "place": "commune:99"}).text.lower()
    assert not frame.round_document(hub, "r1").get("places")
    done = lan.post("/rounds/r1/places", **told)
    assert "4 đơn vị mẫu, giữ nguyên mã, tầng và xác suất" in done.text
    assert "xã Chiềng Mung → xã Mường Bú" in done.text
    assert [frame.unit(hub, f"u{n}") for n in range(1, 5)] == before
    assert rounds.signed_by(frame.round_document(hub, "r1"))
    hoa = Interviewer(app)
    hoa.sign_in(HOA)
    assert "xã Mường Bú (trước 01/07/2026: xã Chiềng Mung)" in hoa.get("/today").text
    app.extensions["survey"].close()


def test_a_place_can_change_twice_and_a_split_takes_some_villages_only():
    unit = field.unit_document("u1", 1)
    listed = [
        Change("commune", "03646", "A", "xã A", "2026-03-01", "merged"),
        Change("commune", "A", "B", "xã B", "2026-07-01", "split", village="03646-07"),
        Change("commune", "A", "C", "xã C", "2026-07-01", "split", village="elsewhere"),
    ]
    assert "commune_now" not in placed_now(unit, listed, "2026-02-28")
    assert placed_now(unit, listed, "2026-03-01")["commune_now_name"] == "xã A"
    late = placed_now(unit, listed, "2026-12-31")
    assert (late["commune_now"], late["commune_was"], late["commune_since"]) == ("B", "xã Chiềng Mung", "2026-07-01")
    assert {key: late[key] for key in unit} == unit


def test_the_mergers_of_provinces_of_2025_place_every_old_province(shared_data: Path):
    text = (shared_data / "province_merge_2025.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    listed = [
        Change("province", row["old_code"], row["new_code"], row["new_name"], row["valid_from"], "merged")
        for row in rows
        if row["old_code"] != row["new_code"] or row["name_kept"] == "no"
    ]
    now = {
        placed.get("province_now", placed["province"])
        for placed in (placed_now({"province": row["old_code"]}, listed, "2025-07-01") for row in rows)
    }
    assert len(rows) == 63
    assert len(now) == 34


# -- one-stop frame ----------------------------------------------------------------------------------------------

CASES = """Mã hồ sơ;Họ và tên người nộp;Số CCCD;Thủ tục;Lĩnh vực;Cơ quan giải quyết;Ngày trả kết quả
HS1;Lò Văn A;014000000001;Cấp GCN;Đất đai;Sở A;05/03/2026
HS2;Lò Văn A;014000000001;Đăng ký xe;Giao thông;Sở B;06/03/2026 09:30
HS3;Cà Thị B;014000000002;Cấp GCN;Đất đai;Sở A;2026-03-07
HS4;Vì Văn C;014000000003;Khai sinh;Tư pháp;Sở B;01/02/2026
"""


def test_cases_become_people_within_the_window(on_hub: Survey, hub: Store, tmp_path: Path):
    file = tmp_path / "ho so.csv"
    file.write_text(CASES, encoding="utf-8-sig")
    done = on_hub("frame", "import", file, "--one-stop", "--since", "2026-03-01", "--until", "2026-03-31")
    assert done.exit_code == 0, done.output
    assert "3 cases of 2 people" in done.output
    rows = {row["id"]: row for row in frame.frame_rows(hub, "r1")}
    assert {name: row["cases"] for name, row in rows.items()} == {"HS1": "2", "HS3": "1"}
    assert (rows["HS3"]["field"], rows["HS3"]["agency"], rows["HS3"]["returned"]) == ("Đất đai", "Sở A", "2026-03-07")
    assert "national_id" in rows["HS1"]["contact"]


def test_bad_rows_are_named_all_at_once_and_nothing_is_imported_unless_asked(
    on_hub: Survey, hub: Store, tmp_path: Path
):
    file = tmp_path / "hs.csv"
    bad = "HS3;Cà Thị B;014000000002;x;y;z;07/03/2026\nHS5;D;;x;y;z;31/02/2026\n;E;;x;y;z;01/03/2026\n"
    file.write_text(CASES + bad, encoding="utf-8-sig")
    wrong = on_hub("frame", "import", file, "--one-stop")
    assert wrong.exit_code == 2
    assert "hs.csv, row 6: case HS3 stands in hs.csv, row 4 already" in wrong.output
    assert "hs.csv, row 7: the date cannot be read: 31/02/2026" in wrong.output
    assert "hs.csv, row 8: the case has no number" in wrong.output
    assert frame.frame_rows(hub, "r1") == []
    done = on_hub("frame", "import", file, "--one-stop", "--skip-bad")
    assert (done.exit_code, len(frame.frame_rows(hub, "r1"))) == (1, 3)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("5/3/2026", date(2026, 3, 5)),
        ("2026-03-05 00:00:00", date(2026, 3, 5)),
        ("46086", date(2026, 3, 5)),
        ("31/02/2026", None),
        ("hôm qua", None),
    ],
)
def test_dates_as_offices_write_them(text: str, means: date | None):
    assert day(text) == means


def test_quotas_by_agency_and_field_and_what_is_wrong_with_them(on_hub: Survey, hub: Store, tmp_path: Path):
    rows = [f"HS{n};{n};{'AB'[n % 2]};{'xy'[n // 2 % 2]};05/03/2026" for n in range(40)]
    file = tmp_path / "f.csv"
    file.write_text("Mã hồ sơ;CCCD;Cơ quan;Lĩnh vực;Ngày trả\n" + "\n".join(rows), encoding="utf-8-sig")
    on_hub("frame", "import", file, "--one-stop")
    for unit in frame.units(hub, "r1"):
        frame.issue(hub, "unit", unit["id"], {**unit, "round": "other"}, {"name": "x"})
    quota = tmp_path / "quota.csv"
    quota.write_text("agency,field,take\nA,x,11\nA,z,1\nB,x,3\n", encoding="utf-8")
    draw = ("sample", "draw", "--seed", "1", "--strata", "agency,field", "--stage", "take=1 reserve=2")
    wrong = on_hub(*draw, "--quota", quota)
    assert wrong.exit_code == 2
    assert "quota.csv, row 2: the frame has only 10" in wrong.output
    assert "quota.csv, row 3: the frame has only 0" in wrong.output
    quota.write_text("agency,field,take\nA,x,5\nB,y,3\n", encoding="utf-8")
    assert on_hub(*draw, "--quota", quota).exit_code == 0
    main = [unit["stratum"] for unit in frame.units(hub, "r1", list="main")]
    assert (main.count("A|x"), main.count("B|y"), len(main)) == (5, 3, 8)


# -- size --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("population", "error", "n"),
    # Yamane's formula as Vietnamese handbooks tabulate it, ± 5 % and ± 3 %.
    [
        (500, 0.05, 223),
        (1000, 0.05, 286),
        (2000, 0.05, 334),
        (10_000, 0.05, 385),
        (100_000, 0.05, 399),
        (5000, 0.03, 910),
    ],
)
def test_the_formula(population: int, error: float, n: int):
    size = sample_size(population, error)
    assert abs(size.formula - n) <= 1
    assert size.needed == size.formula
    assert size.margin <= error


def test_the_design_and_the_response_stand_beside_it(on_hub: Survey):
    shown = json.loads(
        on_hub("sample", "size", "--population", "120", "--deff", "2", "--response", "0.5", "--json").output
    )
    (row,) = shown
    assert (row["formula"], row["needed"], row["to_draw"], row["attainable"]) == (93, 105, 120, 60)
    assert row["margin"] == pytest.approx(2 * (2 * 0.25 / 60 * 0.5) ** 0.5)
    assert (
        "attainable" in on_hub("sample", "size", "--population", "900", "--per-cluster", "16", "--icc", "0.03").output
    )
