"""Targets by place: progress is measured against what the round wants, where it is not its main list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from survey import create_app
from survey.errors import InputError, Problems
from survey.fieldwork.workload import Workload, of_round, read
from survey.store import Store, board, frame, progress
from survey.store.where import Where
from survey.sync import rounds
from tests import field
from tests.field import LAN, ROUND, Clock, Visitor

PLACES = {"03646": "xã Chiềng Mung", "03650": "xã Mường Bú", "03655": "xã Mường Bú"}


def rows(*cells: tuple[str, str]) -> list[tuple[str, dict[str, str]]]:
    return [(f"row {n}", {"Xã": place, "Mục tiêu": wanted}) for n, (place, wanted) in enumerate(cells, start=2)]


def test_places_are_known_by_code_or_by_a_name_that_only_one_has():
    found = read("commune", PLACES, ["Xã", "Mục tiêu"], rows(("xa chieng mung", "20"), ("03655", "0"), ("03650", "")))
    assert found == Workload("commune", {"03646": 20, "03655": 0})


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (("xã Mường Bú", "3"), "several places have this name"),
        (("99999", "3"), "the sample has no such place"),
        (("03650", "1,5"), "is no number of interviews"),
        (("03646", "4"), "this place stands twice"),
    ],
)
def test_a_row_that_means_no_place_or_no_number_is_named(cells: tuple[str, str], says: str):
    with pytest.raises(Problems, match=f"row 3.*{says}"):
        read("commune", PLACES, ["Xã", "Mục tiêu"], rows(("03646", "3"), cells))
    with pytest.raises(InputError, match="columns are commune, target"):
        read("commune", PLACES, ["Mục tiêu"], [])


@pytest.fixture
def office(hub: Store) -> Store:
    """A signed round with four villages in three communes of two provinces, 12 main units, three interviews."""
    field.set_up(hub, field.small())
    for number in range(12):
        village = number % 4
        commune = min(village, 2)
        place = {
            "province": "14" if commune < 2 else "11",
            "commune": f"c{commune}",
            "commune_name": f"xã {commune}",
            "village": f"v{village}",
            "village_name": f"bản {village}",
        }
        unit = {**field.unit_document(f"m{number}", number), **place}
        frame.issue(hub, "unit", unit["id"], unit, {"name": "Người dân"})
    for respondent in field.RESPONDENTS:
        frame.issue(hub, "unit", respondent[0], {"id": respondent[0], "round": "other"})
    document = frame.round_document(hub, ROUND)
    frame.issue(hub, "round", ROUND, {**document, "id": ROUND})
    for unit in ("m0", "m1", "m2"):
        field.sealed(hub, unit, field.small())
    return hub


def aims(store: Store, by: str, **where: str) -> dict[str, int]:
    board.refresh(store)
    return {one.key: one.main for one in progress.groups(store, Where(round=ROUND, **where), by)}


def want(store: Store, level: str, **of: int) -> None:
    document = frame.round_document(store, ROUND)
    frame.issue(store, "round", ROUND, {**document, "workload": {"level": level, "of": of}})


def test_a_place_has_the_rounds_target_a_larger_one_their_sum_and_others_their_main_list(office: Store):
    assert aims(office, "commune") == {"c0": 3, "c1": 3, "c2": 6}
    assert progress.target(office, Where(round=ROUND)) is None
    want(office, "commune", c0=20, c2=4)
    assert aims(office, "commune") == {"c0": 20, "c1": 3, "c2": 4}
    assert aims(office, "province") == {"14": 23, "11": 4}
    assert aims(office, "village") == {"v0": 3, "v1": 3, "v2": 3, "v3": 3}
    assert sum(aims(office, "person").values()) == 12
    assert progress.target(office, Where(round=ROUND)) == 27
    assert progress.target(office, Where(round=ROUND, province="14")) == 23
    assert progress.target(office, Where(round=ROUND, commune="c0")) == 20
    assert progress.target(office, Where(round=ROUND, village="v0")) is None
    closed = Where(round=ROUND, closed=frozenset({(ROUND, "c0")}))
    assert progress.target(office, closed) == 7


@given(st.dictionaries(st.sampled_from(["v0", "v1", "v2", "v3"]), st.integers(0, 50), min_size=1))
def test_the_targets_of_places_add_up_to_those_of_larger_ones_and_of_the_round(own: dict[str, int]):
    document = {"workload": {"level": "village", "of": own}}
    told = of_round(document)
    assert told is not None
    assert dict(told.of) == own
    assert of_round({"workload": {"level": "stratum", "of": own}}) is None
    assert of_round({}) is None


def test_village_targets_add_up_for_communes_provinces_and_the_whole(office: Store):
    want(office, "village", v0=9, v3=1)
    assert aims(office, "village") == {"v0": 9, "v1": 3, "v2": 3, "v3": 1}
    assert aims(office, "commune") == {"c0": 9, "c1": 3, "c2": 4}
    assert aims(office, "province") == {"14": 12, "11": 4}
    assert progress.target(office, Where(round=ROUND)) == 16


def test_the_pages_set_the_targets_and_progress_counts_against_them(office: Store, clock: Clock):
    document = frame.round_document(office, ROUND)
    own = {**document, "id": "r2027", "title": {"vi": "SIPAS 2027", "en": "SIPAS 2027"}}
    rounds.issue_round(office, own)
    for unit in frame.units(office, ROUND):
        frame.issue(office, "unit", f"n{unit['id']}", {**unit, "id": f"n{unit['id']}", "round": "r2027"})
    app = create_app(office.folder, clock)
    lan = Visitor(app)
    lan.sign_in(LAN)
    lan.get("/rounds/r2027/targets")
    bad = lan.post("/rounds/r2027/targets", level="commune", **{"of-c0": "many"})
    assert bad.status_code == 400
    assert "không phải số phiếu" in bad.text
    assert 'value="many"' in bad.text
    assert (
        "Đã ghi mục tiêu của 2 nơi"
        in lan.post("/rounds/r2027/targets", level="commune", **{"of-c0": "20", "of-c1": "", "of-c2": "4"}).text
    )
    page = lan.get("/progress", round="r2027").text
    assert "0 / 27" in page
    assert "Mục tiêu do đợt đặt ra" in page
    assert "Mục tiêu là số đơn vị của danh sách chính thức" in lan.get("/progress", round=ROUND).text
    assert "Mục tiêu của đợt" not in lan.get("/rounds/r2027/targets", level="village").text
    app.extensions["survey"].close()


def test_the_command_sets_shows_and_clears_them(
    survey: Callable[..., Result], hub: Store, office: Store, tmp_path: Path
):
    rounds.issue_round(office, {**frame.round_document(office, ROUND), "id": "r2027"})
    for unit in frame.units(office, ROUND):
        frame.issue(office, "unit", f"n{unit['id']}", {**unit, "id": f"n{unit['id']}", "round": "r2027"})
    file = tmp_path / "targets.csv"
    file.write_text("Xã;Mục tiêu\nxã 0;20\nc2;4\n", encoding="utf-8")

    def run(*arguments: object) -> Result:
        return survey("--instance", hub.folder, "round", "targets", *arguments, "--round", "r2027", "--json")

    assert json.loads(run(file, "--by", "commune").stdout)["of"] == {"c0": 20, "c2": 4}
    assert json.loads(run().stdout) == {"round": "r2027", "level": "commune", "of": {"c0": 20, "c2": 4}}
    assert json.loads(run("--clear").stdout)["of"] == {}
    assert "workload" not in frame.round_document(office, "r2027")
