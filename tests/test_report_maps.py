"""Maps and charts of comparison: the published groups on the former provinces, none of them on merged ones; legible
without colour; told in words."""

from __future__ import annotations

import itertools
import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from analysis.report import maps
from analysis.report.compared import Slope, Spoke, radar, slopes
from analysis.report.maps import mapped, merged, outline_map, province, tile_map, tiles
from analysis.report.outlines import arcs, read_outlines
from analysis.units import provinces
from survey.errors import InputError
from tests import outside


@pytest.fixture(scope="module")
def data() -> Path:
    return outside.data_folder() or outside.missing("shared data")


def published(data: Path, year: int) -> maps.Mapped:
    rows = pd.read_csv(data / "papi_published.csv", dtype={"year": str})
    rows = rows[(rows["year"] == str(year)) & (rows["code"] == "TOTAL_UNW")]
    found = {name: ((name,), float(value)) for name, value in zip(rows["province"], rows["mean"], strict=True)}
    return mapped(found, round=str(year), index="papi_2019")


# -- groups -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("year", [2019, 2020])
def test_the_published_groups_of_papi_are_reproduced_on_the_63_tiles(data: Path, year: int) -> None:
    shown = published(data, year)
    assert (shown.grid, shown.unknown) == (63, ())
    assert list(shown.all.sizes.values()) == [16, 16, 15, 16]
    assert len(shown.groups) == 63
    assert set(shown.groups) == {tile.code for tile in tiles(63)}
    lowest = min(shown.values[code] for code, group in shown.groups.items() if group == "best")
    assert all(value <= lowest for code, value in shown.values.items() if shown.groups[code] != "best")
    drawn = tile_map(shown, key="m", title="PAPI", language="vi")
    assert "cao nhất (16): " in drawn.description
    assert len(re.findall(r"<title>[^<]+, (?:cao|thấp) nhất</title>", drawn.svg)) == 32


def test_the_groups_of_2022_count_provinces_without_a_total_as_the_publisher_did(data: Path) -> None:
    assert list(published(data, 2022).all.sizes.values()) == [16, 16, 15, 14]


def test_no_merged_province_takes_a_colour_from_former_groups(data: Path) -> None:
    shown = published(data, 2019)
    assert shown.grid == 63, "a round before the merger is drawn on the provinces of its time"
    now = maps.carried_over(shown)
    assert {code for code in now.groups if merged(code)} == set()
    assert len(now.groups) == 11
    assert provinces().find("Sơn La", "2026-01-01").code in now.groups


def test_own_results_of_today_are_drawn_on_the_34() -> None:
    shown = mapped({unit.code: ((unit.code,), 70 + k / 3) for k, unit in enumerate(tiles(34))}, round="r2026")
    assert shown.grid == 34
    assert sum(shown.all.sizes.values()) == 34


@pytest.mark.parametrize("words", [("14",), ("Son La",), ("tỉnh Sơn La",), ("SƠN LA",)])
def test_a_province_is_found_by_code_or_any_spelling(words: tuple[str, ...]) -> None:
    assert province(words, 34) == province(words, 63) == "14"


def test_what_is_no_province_is_told() -> None:
    shown = mapped({"x": (("Atlantis",), 1.0), "14": (("14",), 2.0)}, round="2026")
    assert shown.unknown == ("x",)


@pytest.mark.parametrize(
    "values",
    [{"14": (("14",), 70.0)}, {code: ((code,), 70.0) for code in ("14", "01", "46")}, {"14": (("14",), math.nan)}],
)
def test_one_province_or_all_alike_or_none_are_in_no_group(values: dict) -> None:
    shown = mapped(values, round="2026")
    assert shown.groups == {}
    assert "cao nhất" not in tile_map(shown, key="m", title="x", language="vi").svg


# -- how they look ------------------------------------------------------------------------------------------------


def test_every_province_has_a_tile_of_its_own() -> None:
    for grid in (34, 63):
        assert len(tiles(grid)) == grid
        assert len({(tile.row, tile.column) for tile in tiles(grid)}) == grid


def test_groups_are_told_apart_in_grey_by_lightness_pattern_and_sign() -> None:
    grey = [0.3 * r + 0.59 * g + 0.11 * b for r, g, b in (to_rgb(maps._FILL[group]) for group in maps.GROUPS)]
    assert grey == sorted(grey)
    assert min(after - before for before, after in itertools.pairwise(grey)) > 0.1
    assert len(set(maps.SIGNS.values())) == 4
    assert maps._HATCH["low_average"] != maps._HATCH["poor"] != ""


def test_both_archipelagos_are_named() -> None:
    shown = mapped({"14": (("14",), 70.0)}, round="2026")
    drawn = tile_map(shown, key="m", title="x", language="vi").svg
    assert "QĐ. Hoàng Sa" in drawn
    assert "QĐ. Trường Sa" in drawn


# -- outlines -----------------------------------------------------------------------------------------------------


def test_arcs_of_a_topology_are_sums_of_steps_walked_either_way(tmp_path: Path) -> None:
    topology = {
        "type": "Topology",
        "transform": {"scale": [0.5, 2], "translate": [100, 10]},
        "arcs": [[[0, 0], [4, 0], [0, 1]], [[0, 0], [0, 1], [4, 0]]],
        "objects": {"p": {"type": "GeometryCollection", "geometries": [
            {"type": "Polygon", "arcs": [[0, -2]], "properties": {"code": "14", "name": "Sơn La"}},
            {"type": "Point", "coordinates": [0, 0], "properties": {"code": "x"}},
        ]}},
    }  # fmt: skip
    assert arcs(topology)[0] == [(100, 10), (102, 10), (102, 12)]
    file = tmp_path / "p.topojson"
    file.write_text(json.dumps(topology), encoding="utf-8")
    (shape,) = read_outlines(file)
    assert (shape.code, shape.name) == ("14", "Sơn La")
    assert shape.rings == (((100, 10), (102, 10), (102, 12), (100, 12), (100, 10)),)
    assert shape.middle == pytest.approx((101, 11))


def test_geojson_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "p.geojson"
    square = [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]
    feature = {"type": "Feature", "id": "01", "properties": {}, "geometry": {"type": "MultiPolygon",
               "coordinates": [square, square]}}  # fmt: skip
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    (shape,) = read_outlines(file)
    assert (shape.code, len(shape.rings)) == ("01", 2)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("no json", "neither TopoJSON nor GeoJSON"),
        ("[]", "neither TopoJSON nor GeoJSON"),
        ('{"type": "FeatureCollection", "features": []}', "there is no polygon"),
        ('{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,0]]]}}', "no code"),
    ],
)
def test_a_file_without_outlines_is_refused(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=what):
        read_outlines(tmp_path / "x.json")


def test_outlines_of_provinces_and_of_communes_are_drawn_with_both_archipelagos(data: Path) -> None:
    shapes = read_outlines(data / "boundaries" / "provinces_2025.topojson")
    assert {shape.code for shape in shapes} == {tile.code for tile in tiles(34)}
    for code, at in (("48", 111.0), ("56", 113.0)):  # Hoàng Sa, Trường Sa lie far to the east of their provinces
        (shape,) = (shape for shape in shapes if shape.code == code)
        assert max(x for ring in shape.rings for x, _ in ring) > at
    communes = [s for s in read_outlines(data / "boundaries" / "communes_2025.topojson") if s.parent == "14"]
    assert len(communes) == 75
    values = {shape.code: 60.0 + k for k, shape in enumerate(communes[:8])}
    drawn = outline_map(communes, values, {communes[0].code: "best"}, key="o", title="Sơn La", language="vi",
                        names={}, bounds={"best": (60, 60)})  # fmt: skip
    assert f"{communes[0].name}: 60,00, cao nhất" in drawn.svg
    assert drawn.svg.count("không có số liệu</title>") == 67


# -- radar and slopes ---------------------------------------------------------------------------------------------


def test_a_radar_tells_every_component_and_needs_three() -> None:
    spokes = [Spoke(f"Phần {k}", 0.5, 0.4, 0.6, 0.3, f"5,{k}") for k in range(3)]
    drawn = radar(spokes, key="r", title="Radar", names=("Sơn La", "Cả nước"))
    assert drawn is not None
    assert drawn.description == "Phần 0: 5,0; Phần 1: 5,1; Phần 2: 5,2"
    assert "Cả nước" in drawn.svg
    assert radar(spokes[:2], key="r", title="Radar", names=("", "")) is None
    alone = radar([Spoke("a", 0.5, None, None, math.nan, "x")] * 3, key="r", title="R", names=("Sơn La", "Cả nước"))
    assert alone is not None
    assert "Cả nước" not in alone.svg, "what it would be read against is not there"


def test_slopes_leave_out_what_was_measured_once_and_mark_the_certain() -> None:
    lines = [Slope("A", 1, 2, "up", "A+"), Slope("B", 2, 1.9, "", "B?"), Slope("C", math.nan, 2, "", "C")]
    drawn = slopes(lines, key="s", title="S", rounds=("2019", "2020"), language="vi")
    assert drawn is not None
    assert drawn.description == "A: A+; B: B?"
    assert "2,00 ▲ A" in drawn.svg
    assert "stroke-dasharray" in drawn.svg
    assert slopes(lines[2:], key="s", title="S", rounds=("1", "2"), language="vi") is None
