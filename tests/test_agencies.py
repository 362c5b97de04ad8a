"""Who answers for what: a dated list, suggestions that say so, successors, and what people type that no list knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.agencies import COLUMNS, assigned, example, named, register_of, suggestions
from analysis.index import load_index
from survey.tables import read_table, written

DAY = "2026-11-26"
INDICES = ("papi_2018", "papi_2019", "papi_2022", "papi_2023", "sipas_2017", "sipas_2024", "sipas_2026")


def test_the_example_has_todays_departments_and_the_committees_of_the_provinces_communes() -> None:
    register = register_of(example("Sơn La", DAY))
    now = {unit.name for unit in register.on(DAY)}
    assert {"Sở Nội vụ", "Sở Nông nghiệp và Môi trường", "UBND xã Chiềng Mung", "UBND phường Tô Hiệu"} <= now
    assert len([unit for unit in register.on(DAY) if unit.code.startswith("X")]) == 75  # Resolution 1681/NQ-UBTVQH15
    assert not {"Sở Kế hoạch và Đầu tư", "UBND các huyện, thành phố"} & now
    alone = register_of(example("Bộ Nội vụ", DAY))
    assert not any(unit.code.startswith("X") for unit in alone.units)


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("Sở Kế hoạch và Đầu tư", ("Sở Tài chính",)),
        ("so tai nguyen va moi truong", ("Sở Nông nghiệp và Môi trường",)),
        ("Sở Thông tin và Truyền thông", ("Sở Khoa học và Công nghệ", "Sở Văn hóa, Thể thao và Du lịch")),
    ],
)
def test_a_department_that_was_merged_is_named_by_its_successors(former: str, now: tuple[str, ...]) -> None:
    names, remark = named(register_of(example("Sơn La", DAY)), former, DAY)
    assert names == now
    assert remark is not None
    assert "nay là" in remark.vi
    assert named(register_of(example("Sơn La", DAY)), former, "2024-12-31")[1] is None


def test_what_the_list_does_not_have_stays_as_it_was_typed_and_is_said() -> None:
    names, remark = named(register_of(example("Sơn La", DAY)), "Ban chỉ đạo chuyển đổi số", DAY)
    assert names == ("Ban chỉ đạo chuyển đổi số",)
    assert remark is not None
    assert "kept as typed" in remark.en


@pytest.mark.parametrize("name", INDICES)
def test_every_part_of_a_shipped_index_that_a_plan_lists_has_a_suggestion(name: str) -> None:
    index = load_index(name)
    found = assigned(index, None, DAY)
    top = index.nodes[0].code
    listed = [one for child in index.children[top] for one in (child, *index.children[child.code])]
    assert [node.code for node in listed if node.code not in found] == []
    assert all(found[node.code].suggested for node in listed)
    register = register_of(example("Sơn La", DAY))
    assert all(len(register.lookup(one, DAY)) == 1 for whom in found.values() for one in whom.names)


def test_suggestions_name_only_codes_that_are_there() -> None:
    rows = read_table(Path(suggestions.__code__.co_filename).parent / "facts" / "answers_for.csv").rows
    codes = {unit.code for unit in register_of(example("", DAY)).units}
    assert {one for row in rows for one in (row["lead"], *row["assist"].split())} <= codes
    nodes = {family: {node.code for name in INDICES if name.startswith(family) for node in load_index(name).nodes}
             for family in ("papi", "sipas")}  # fmt: skip
    assert [row["code"] for row in rows if "*" not in row["code"] and row["code"] not in nodes[row["index"]]] == []


def test_an_indicator_takes_the_agency_of_what_it_is_about_else_of_the_part_above() -> None:
    papi = assigned(load_index("papi_2022"), None, DAY)
    assert papi["I6.3.1"].names == ("Sở Công Thương",)
    assert papi["I6.1.2"].names[0] == papi["S6.1"].names[0] == "Sở Y tế"
    sipas = assigned(load_index("sipas_2026"), None, DAY)
    assert sipas["POL.A1.EDU"].names[0] == sipas["POL.EDU"].names[0] == "Sở Giáo dục và Đào tạo"


def test_the_last_plan_comes_before_the_suggestion_with_successors_for_what_is_gone() -> None:
    register = register_of(example("Sơn La", DAY))
    before = {"S6.1": ("Sở Lao động - Thương binh và Xã hội", "Sở Y tế"), "S6.2": ("",)}
    found = assigned(load_index("papi_2022"), register, DAY, before)
    assert not found["S6.1"].suggested
    assert found["S6.1"].names == ("Sở Nội vụ", "Sở Y tế", "Sở Giáo dục và Đào tạo", "Sở Nông nghiệp và Môi trường")
    assert found["S6.2"].suggested


def test_an_offices_own_list_is_used_by_name_whatever_its_codes(tmp_path: Path) -> None:
    own = [{"code": "01", "name_vi": "Sở Y tế"}, {"code": "02", "name_vi": "Sở Nội vụ"}]
    file = tmp_path / "agencies.csv"
    file.write_bytes(written(COLUMNS, own))
    register = register_of(read_table(file).rows)
    found = assigned(load_index("papi_2022"), register, DAY)
    assert found["S6.1"].names == ("Sở Y tế",)
    assert "S6.4" not in found, "the police are not in this list: nobody is suggested"
