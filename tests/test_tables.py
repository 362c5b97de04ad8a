"""Tables as offices send them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from survey import legacy
from survey.errors import InputError, Problems
from survey.tables import numbers, read_table

NAMES = ["Nguyễn Văn Đức", "Trần Thị Hoà", "Lê Ưu", "Phạm Quỳnh Như", "Xã Chiềng Mung", "Điện Biên", "Thủ Thừa"]
# The same names as a person sees them when the special font is gone.
TCVN3 = ["NguyÔn V¨n §øc", "TrÇn ThÞ Hoµ", "Lª ¦u", "Ph¹m Quúnh Nh\u00ad", "X· ChiÒng Mung", "§iÖn Biªn", "Thñ Thõa"]
VNI = [
    "Nguyeãn Vaên Ñöùc",
    "Traàn Thò Hoaø",
    "Leâ Öu",
    "Phaïm Quyønh Nhö",
    "Xaõ Chieàng Mung",
    "Ñieän Bieân",
    "Thuû Thöøa",
]


def write(folder: Path, content: bytes, name: str = "frame.csv") -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-16"), (";", "utf-8"), (",", "cp1258")],
)
def test_a_csv_is_read_whatever_its_separator_and_encoding(tmp_path: Path, separator: str, encoding: str):
    import unicodedata

    text = separator.join(["mã", "tên"]) + "\r\n" + separator.join(["01", '"Lê, Thị; Ánh"']) + "\r\n\r\n"
    if encoding == "cp1258":  # tone marks of their own
        text = "".join(c if c in "êă" else unicodedata.normalize("NFD", c) for c in text)
    table = read_table(write(tmp_path, text.encode(encoding)))
    assert table.columns == ("mã", "tên")
    assert table.rows == ({"mã": "01", "tên": "Lê, Thị; Ánh"},)
    assert table.decimal_comma == (separator == ";")


def test_a_row_is_named_by_its_place_in_the_file(tmp_path: Path):
    table = read_table(write(tmp_path, b'a,b\n\n"two\nlines",1\n3,4\n'))
    assert [table.where(n, "b") for n in (0, 1)] == ["frame.csv, row 3, column b", "frame.csv, row 5, column b"]


def test_a_workbook_gives_the_same_text_as_its_csv(tmp_path: Path):
    book = Workbook()
    for row in (["code", "name", "size", "share", "day"], ["007", "Đắk Lắk", 1200, 0.5, date(2026, 3, 1)], [None] * 5):
        book.active.append(row)
    book.save(tmp_path / "frame.xlsx")
    (row,) = read_table(tmp_path / "frame.xlsx").rows
    assert row == {"code": "007", "name": "Đắk Lắk", "size": "1200", "share": "0.5", "day": "2026-03-01"}


def test_a_file_that_only_pretends_to_be_a_workbook_is_refused_in_words(tmp_path: Path):
    with pytest.raises(InputError, match="this workbook cannot be opened; open it in Excel"):
        read_table(write(tmp_path, b"PK\x03\x04 cut off", "frame.xlsx"))
    with pytest.raises(InputError, match="neither a CSV table nor"):
        read_table(write(tmp_path, b"\x89PNG\0\0\0", "frame.csv"))


def test_every_fault_of_shape_is_told_at_once(tmp_path: Path):
    with pytest.raises(Problems) as caught:
        read_table(write(tmp_path, b"id,name,,name,x\n1,2,3,4,5\n1,2,3,4,5,6\n"))
    assert [problem.what.en for problem in caught.value.problems] == [
        "the column has no name",
        "there is another column 'name'",
        "has 6 cells for 5 columns",
    ]


@pytest.mark.parametrize(("old", "encoding"), [(TCVN3, "tcvn3"), (VNI, "vni")])
@pytest.mark.parametrize("stored", ["latin-1", "utf-8"])
def test_text_from_before_unicode_is_noticed_shown_and_converted_on_request(
    tmp_path: Path, old: list[str], encoding: str, stored: str
):
    file = write(tmp_path, "\n".join(["id,ten", *(f"{n},{name}" for n, name in enumerate(old))]).encode(stored))
    with pytest.raises(InputError) as caught:
        read_table(file)
    assert f"{old[0]!r} is 'Nguyễn Văn Đức'" in caught.value("en")
    assert f"add --from-{encoding} to convert it" in caught.value("en")
    assert [row["ten"] for row in read_table(file, encoding).rows] == NAMES


def test_unicode_names_foreign_names_and_highland_places_are_left_alone():
    assert legacy.detect(NAMES) is None
    assert legacy.detect(["François Müller", "Ångström", "Peña"]) is None
    assert legacy.detect(["Đắk Lắk", "Krông Năng", "Cư M'gar", "Ea H'leo", "Plei Kần", "Buôn Đôn"]) is None
    assert legacy.detect(["Ha Noi", "Hue"]) is None


@given(st.lists(st.sampled_from(NAMES), min_size=1))
def test_no_mixture_of_unicode_names_is_ever_taken_for_old_text(names: list[str]):
    assert legacy.detect(names) is None


@pytest.mark.parametrize(
    ("column", "decimal_comma", "expected"),
    [
        (["1,5", "2"], False, [1.5, 2]),
        (["1.5", "2,5"], False, [1.5, 2.5]),
        (["1.234,5", "7"], False, [1234.5, 7]),
        (["1,234.5", "7"], False, [1234.5, 7]),
        (["1.234.567"], False, [1234567]),
        (["12 345", "1\u00a0000,5"], False, [12345, 1000.5]),
        (["1,234"], False, [1234]),
        (["1,234"], True, [1.234]),
        (["1.234"], True, [1.234]),
        (["", "n/a", "nan", "-3", "1e3"], False, [None, None, None, -3, 1000]),
    ],
)
def test_numbers_are_read_by_the_convention_of_their_column(
    column: list[str], decimal_comma: bool, expected: list[float | None]
):
    assert numbers(column, decimal_comma) == expected
