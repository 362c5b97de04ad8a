"""The report: numbers as people write them, no rank the sample cannot carry, one file that asks nothing of a server."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.index import index_of
from analysis.report import format as words
from analysis.report.cells import cells
from analysis.report.domains import Section
from analysis.report.meta import INTERNAL, PUBLISHED, Fact, Meta
from analysis.report.page import build
from analysis.report.tree import Tree, tree
from analysis.report.view import View, view
from survey.text import Text

# -- a small index and its scores -------------------------------------------------------------------------------

_HEAD = ("code", "parent", "label::Tiếng Việt (vi)", "label::English (en)", "level_name::Tiếng Việt (vi)",
         "level_name::English (en)", "combine", "from", "to", "question", "score")  # fmt: skip
_ROWS = """
T   |    | Chỉ số chung       | Overall index | chỉ số      | index     | mean   |      |        |   |
A   | T  | Tiếp cận dịch vụ   | Access        | thành phần  | component | pooled | 0..1 | 0..100 |   |
A1  | A  | Biển chỉ dẫn rõ    | Clear signs   | tiêu chí    | criterion |        | 0..1 | 0..100 | a | 4 5
A2  | A  | Đủ ghế ngồi        | Enough seats  | tiêu chí    | criterion |        | 0..1 | 0..100 | b | 4 5
B   | T  | Thủ tục hành chính | Procedures    | thành phần  | component | pooled | 0..1 | 0..100 |   |
B1  | B  | Thủ tục đơn giản   | Simple steps  | tiêu chí    | criterion |        | 0..1 | 0..100 | c | 4 5
C   | T  | Công chức          | Officials     | thành phần  | component | pooled | 0..1 | 0..100 |   |
C1  | C  | Thái độ lịch sự    | Polite        | tiêu chí    | criterion |        | 0..1 | 0..100 | d | 4 5
D   | T  | Kết quả            | Result        | thành phần  | component | pooled | 0..1 | 0..100 |   |
D1  | D  | Đúng hẹn           | On time       | tiêu chí    | criterion |        | 0..1 | 0..100 | e | 4 5
"""


def index(text: str = _ROWS) -> Tree:
    lines = [line.split("|") for line in text.strip().splitlines()]
    return tree(index_of([dict(zip(_HEAD, (cell.strip() for cell in line), strict=True)) for line in lines], "t"))


def own(code: str, estimate: float, *, level: str = "", domain: str = "", n: int = 180, df: float = 20, **more: float):
    """A row of our own scores with a symmetric interval of ± 5."""
    row = {"index": "t", "round": "r1", "domain_level": level, "domain": domain, "level": "", "code": code}
    row |= {"estimate": estimate, "se": 2.4, "low": estimate - 5, "high": estimate + 5}
    return row | {"df": df, "n": n, "n_psu": df + 2, "deff": 1.3, "note": ""} | more


def published(code: str, estimate: float, domain: str):
    """A row of a foreign file: a value and nothing else."""
    return {"round": "r1", "domain_level": "province", "domain": domain, "code": code, "estimate": estimate}


META = Meta(
    title=Text("Khảo sát Sơn La", "Survey of Sơn La"),
    index_title=Text("Chỉ số thử", "Trial index"),
    index="t",
    round="r1",
    places=(Text("Sơn La", "Sơn La"), Text("Điện Biên", "Điện Biên")),
    starts="2026-10-05",
    ends="2026-10-23",
    made="2026-11-02",
    method=(Fact(Text("Quyền số", "Weights"), Text("cột w", "column w")),),
    commands=("survey score --index t --out s.csv",),
    domain_names={"sex": {"f": Text("Nữ", "Female"), "m": Text("Nam", "Male")}},
)
WHOLE = [own("T", 82.4), own("A", 80), own("A1", 1234.5), own("A2", 79, n=14), own("B", 70), own("C", 90), own("D", 88)]
COMMUNES = [
    own("T", 60, level="commune", domain="Mường La"),
    own("T", 80, level="commune", domain="Chiềng Mung"),
    own("T", 99, level="commune", domain="Bắc Yên", n=9),
    own("T", 85, level="commune", domain="Tô Hiệu", df=7),
    own("A", 85, level="commune", domain="Tô Hiệu"),
    own("B", 85, level="commune", domain="Tô Hiệu"),
]
SEX = [own("T", 81, level="sex", domain="m"), own("T", 83, level="sex", domain="f")]


def shown(rows: Iterable[dict[str, object]], language: str = "en", meta: Meta = META, of: Tree | None = None) -> View:
    return view(cells(rows), of or index(), meta, language)


def only(sections: tuple[Section, ...]) -> Section:
    (section,) = sections
    return section


# -- numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "vi", "en"),
    [
        (1234567.891, 2, "1.234.567,89", "1,234,567.89"),
        (0.5, 3, "0,500", "0.500"),
        (-3.25, 1, "−3,2", "−3.2"),
        (-0.001, 2, "0,00", "0.00"),
        (math.nan, 2, "–", "–"),
        (None, 2, "–", "–"),
        (math.inf, 0, "∞", "∞"),
    ],
)
def test_numbers_follow_the_language(value: float | None, decimals: int, vi: str, en: str) -> None:
    assert (words.number(value, decimals, "vi"), words.number(value, decimals, "en")) == (vi, en)


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_printed_number_is_within_half_a_unit_of_its_last_digit(value: float, decimals: int) -> None:
    printed = words.number(value, decimals, "vi")
    back = float(printed.replace(".", "").replace(",", ".").replace("−", "-"))
    assert abs(back - value) <= 0.5 * 10**-decimals + 1e-6


def test_intervals_levels_and_dates_follow_the_language() -> None:
    assert words.interval(77.466, 87.333, 2, "vi") == "77,47–87,33"
    assert words.interval(-1.5, 2.5, 1, "vi") == "−1,5 đến 2,5"
    assert words.interval(-1.5, 2.5, 1, "en") == "−1.5 to 2.5"
    assert words.interval(math.nan, 2.5, 1, "en") == "–"
    assert (words.level(0.95, "vi"), words.level(0.95, "en")) == ("95\u00a0%", "95%")
    assert words.level(0.999, "vi") == "99,9\u00a0%"
    assert words.days("2026-10-05", "2026-10-23", "vi") == "05/10/2026 – 23/10/2026"
    assert words.days("2026-10-05", "2026-10-05", "en") == "5 October 2026"
    assert words.day("quý 3", "vi") == "quý 3"
    assert words.listed(["a"], "vi") == "a"
    assert words.listed(["a", "b", "c"], "vi") == "a, b và c"
    assert (words.count(21.5, "vi"), words.count(1234, "vi")) == ("21,5", "1.234")


# -- the tree ---------------------------------------------------------------------------------------------------


def test_a_node_without_range_takes_its_scale_from_what_its_children_can_give() -> None:
    nodes = index().nodes
    assert nodes["A1"].scale == (0, 100)
    assert nodes["T"].scale == (0, 100)
    summed = index(_ROWS.replace("| index     | mean ", "| index     | sum  ")).nodes
    assert summed["T"].scale == (0, 400)


def test_components_are_the_children_of_the_top_or_those_of_its_two_parts() -> None:
    assert [node.code for node in index().components(9)] == ["A", "B", "C", "D"]
    two_parts = index(_ROWS.replace("C   | T", "C   | A").replace("D   | T", "D   | B"))
    assert [node.code for node in two_parts.components(9)] == ["A", "A1", "A2", "C", "B", "B1", "D"]
    assert [node.code for node in two_parts.components(5)] == ["A1", "A2", "C", "B1", "D"]


# -- what is said about figures ---------------------------------------------------------------------------------


def test_the_headline_gives_value_interval_and_what_the_interval_means() -> None:
    seen = shown(WHOLE, "vi")
    assert seen.headline is not None
    assert (seen.headline.estimate, seen.headline.interval, seen.headline.se) == ("82,40", "77,40–87,40", "2,40")
    assert "trên thang 0–100" in seen.headline_text
    assert "độ tin cậy 95\u00a0%" in seen.headline_text
    assert "77,40 đến 87,40" in seen.headline_text


def test_an_interval_on_few_degrees_of_freedom_is_called_rough() -> None:
    assert "rough" in shown([own("T", 80, df=3)]).headline_text
    assert "rough" not in shown([own("T", 80, df=8)]).headline_text


def test_cells_of_fewer_than_fifteen_answers_are_marked() -> None:
    lines = {line.code: line for line in shown(WHOLE).index}
    assert lines["A2"].small
    assert not lines["A"].small
    page = build(cells(WHOLE), index(), META)
    assert page.count('class="depth-2 few"') == 2, "once in each language"
    assert "Fewer than 15 answers" in page


def test_places_are_sorted_by_value_and_numbered_only_where_the_sample_carries_it() -> None:
    provinces = [{**row, "domain_level": "province"} for row in COMMUNES]
    section = only(shown(WHOLE + provinces).sections)
    assert [(line.label, line.rank) for line in section.lines] == [
        ("Tô Hiệu", "–"),
        ("Chiềng Mung", "1"),
        ("Mường La", "2"),
        ("Bắc Yên", "–"),
    ]
    assert any("(2 of 4 places)" in sentence for sentence in section.sentences)
    assert any("1 of 2 neighbouring pairs overlap" in sentence for sentence in section.sentences)


def test_communes_stand_by_name_and_carry_no_number() -> None:
    section = only(shown(WHOLE + COMMUNES).sections)
    assert [line.label for line in section.lines] == ["Bắc Yên", "Chiềng Mung", "Mường La", "Tô Hiệu"]
    assert {line.rank for line in section.lines} == {""}
    assert not section.ranked
    assert any("by name, not by score" in sentence for sentence in section.sentences)


def test_equal_values_share_a_rank() -> None:
    rows = [own("T", value, level="province", domain=name) for name, value in (("a", 80), ("b", 80), ("c", 70))]
    assert [line.rank for line in only(shown(rows).sections).lines] == ["1", "1", "3"]


def test_groups_of_people_keep_their_order_and_are_never_ranked() -> None:
    section = only(shown(WHOLE + SEX, "vi").sections)
    assert section.heading == "Kết quả theo giới tính"
    assert [line.label for line in section.lines] == ["Nam", "Nữ"]
    assert not section.ranked
    assert section.sentences == ()


def test_a_crossing_names_both_of_its_levels() -> None:
    crossed = [own("T", 80 + k, level="province*sex", domain=f"Sơn La|{sex}") for k, sex in enumerate("mf")]
    section = only(shown(crossed, "vi").sections)
    assert section.heading == "Kết quả theo tỉnh, thành phố × Giới tính"
    assert [line.label for line in section.lines] == ["Sơn La · Nam", "Sơn La · Nữ"]
    assert not section.is_place


def test_own_and_published_values_are_never_in_one_list() -> None:
    rows = [own("T", 60, level="province", domain="Sơn La"), own("T", 70, level="province", domain="Lai Châu")]
    rows += [published("T", 65, "Hà Nội"), published("T", 55, "An Giang")]
    ours, theirs = shown(rows).sections
    assert [line.label for line in ours.lines] == ["Lai Châu", "Sơn La"]
    assert [line.label for line in theirs.lines] == ["Hà Nội", "An Giang"]
    assert theirs.heading.endswith("published values")


def test_published_values_get_no_invented_interval() -> None:
    rows = [published(code, value, name) for name in ("Hà Nội", "An Giang") for code, value in (("T", 60), ("A", 5))]
    section = only(shown(rows).sections)
    assert {(line.interval, line.se, line.n) for line in section.lines} == {("–", "–", "–")}
    assert any("how certain the order is cannot be told" in sentence for sentence in section.sentences)
    page = build(cells(rows), index(), META)
    assert PUBLISHED.vi in page
    assert INTERNAL.vi not in page
    assert "Sai số chuẩn" not in page


def test_a_blank_estimate_stays_blank_and_last() -> None:
    rows = [own("T", math.nan, level="province", domain="a"), own("T", 5, level="province", domain="b")]
    rows.append(own("T", 7, level="province", domain="c"))
    lines = only(shown(rows).sections).lines
    assert [(line.label, line.estimate) for line in lines] == [("c", "7.00"), ("b", "5.00"), ("a", "–")]


def test_the_unweighted_share_stands_beside_the_estimate_as_our_reading() -> None:
    note = "gộp không quyền số (cách hiểu của chúng tôi) 81.2345 / unweighted pooled share (our reading) 81.2345"
    seen = shown([own("T", 80) | {"note": note}, own("A", 80)])
    assert [(line.code, line.unweighted) for line in seen.index[:2]] == [("T", "81.23"), ("A", "–")]
    assert any("our reading of the published SIPAS figure" in sentence for sentence in seen.notes)
    page = build(cells([own("T", 80) | {"note": note}]), index(), META)
    assert "Tỷ lệ gộp không quyền số (cách hiểu của chúng tôi về số SIPAS công bố): 81,23" in page


def test_a_missing_figure_says_why_in_the_reader_s_language() -> None:
    note = "thiếu B1 / missing B1; tạm tính, phiếu chưa duyệt / provisional, interviews not yet approved"
    row = own("B", math.nan) | {"note": note}
    for language, reason in (("vi", "thiếu B1"), ("en", "missing B1")):
        (line,) = [line for line in shown([own("T", 80), row], language).index if line.code == "B"]
        assert (line.missing, line.remark) == (True, reason)


def test_what_counts_in_no_part_of_the_index_is_shown_apart() -> None:
    row = "N | | Mong đợi | Expects better | mong đợi | expectation | | 0..1 | 0..1 | f | 4 5"
    with_need = index(_ROWS + row)
    seen = shown([*WHOLE, own("N", 0.5)], of=with_need)
    assert "N" not in {line.code for line in seen.index}
    assert [line.code for line in seen.beside] == ["N"]


def test_codes_that_the_index_does_not_know_are_counted_not_shown() -> None:
    seen = shown([*WHOLE, own("X9", 50)])
    assert "X9" not in {line.code for line in seen.index}
    assert any("1 code " in note for note in seen.notes)


def test_an_interval_beyond_the_scale_is_printed_as_it_is_and_drawn_to_the_end() -> None:
    (line,) = [line for line in shown([own("T", 98), own("A", 98)]).index if line.code == "T"]
    assert line.interval == "93.00–103.00"
    assert line.bar == (93.0, 98.0, 100.0)


# -- the page ---------------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Every start tag of a page with its attributes, and the text of headings."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return build(cells(WHOLE + COMMUNES + SEX), index(), META)


def test_the_page_asks_nothing_of_any_server(page: str) -> None:
    names = {name for _, attributes in Elements(page).tags for name in attributes}
    assert not names & {"src", "href", "srcset", "action", "data"}
    links = [attributes["xlink:href"] for _, attributes in Elements(page).tags if "xlink:href" in attributes]
    assert links
    assert all(link.startswith("#") for link in links)
    assert set(re.findall(r"https?://[^\"' <]+", page)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "default-src 'none'" in page


def test_the_page_says_in_both_languages_that_it_is_not_official(page: str) -> None:
    for language, sentence in INTERNAL._asdict().items():
        article = page[page.index(f'<article lang="{language}">') :].split("</article>")[0]
        assert article.count(sentence) == 2
        assert f'content: "{sentence}"' in page, "and at the foot of each printed page"


def test_the_page_holds_both_languages_and_opens_in_the_one_asked_for(page: str) -> None:
    assert [a["lang"] for a in Elements(page).all("article")] == ["vi", "en"]
    assert '<html lang="vi">' in page
    assert re.search(r'id="show-vi" checked', page)
    english = build(cells(WHOLE), index(), META, "en")
    assert '<html lang="en">' in english
    assert re.search(r'id="show-en" checked', english)


def test_ids_are_unique_and_every_chart_is_told_in_words(page: str) -> None:
    elements = Elements(page)
    ids = [attributes["id"] for _, attributes in elements.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    charts = [svg for svg in elements.all("svg") if svg.get("role") == "img"]
    assert len(charts) == 2 * 3
    assert all(set(svg["aria-labelledby"].split()) <= set(ids) for svg in charts)
    assert "Chiềng Mung: 80,00 (75,00–85,00)" in page
    assert "Chiềng Mung: 80.00 (75.00–85.00)" in page


def test_a_column_of_any_name_may_be_compared_by() -> None:
    rows = [own("T", 80 + k, level='Nhóm "A" *b', domain=f"x{k}|y") for k in range(2)]
    ids = [attributes["id"] for _, attributes in Elements(build(cells(rows), index(), META)).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[\w-]+", name) for name in ids)


def test_charts_are_drawn_in_both_languages_with_text_as_text(page: str) -> None:
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", page)
    assert {"Công chức", "Officials", "90,00 (85,00–95,00)", "90.00 (85.00–95.00)"} <= set(texts)
    assert "DejaVu Sans'" not in "".join(re.findall(r"<text[^>]*>", page)), "the reader's own fonts are used"


def test_headings_descend_without_a_gap_and_table_headers_have_a_scope(page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Elements(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert {attributes.get("scope") for attributes in Elements(page).all("th")} == {"col", "row"}


def test_synthetic_and_provisional_results_say_so_in_both_languages(page: str) -> None:
    marks = ("DỮ LIỆU GIẢ LẬP", "SYNTHETIC DATA", "KẾT QUẢ TẠM TÍNH", "PROVISIONAL RESULTS")
    assert not any(mark in page for mark in marks)
    marked = Meta(title=META.title, index_title=META.index_title, synthetic=True, provisional=True)
    assert all(build(cells(WHOLE), index(), marked).count(mark) == 1 for mark in marks)


def test_the_same_scores_give_the_same_bytes(page: str) -> None:
    assert build(cells(WHOLE + COMMUNES + SEX), index(), META) == page


def test_text_of_the_round_cannot_become_markup() -> None:
    sly = Meta(title=Text("<b>&", "<script>x</script>"), index_title=Text('"', "'"), commands=("a < b",))
    page = build(cells([*WHOLE, own("T", 1, level="commune", domain="<i>x"), own("T", 2, level="commune", domain="y")]),
                 index(), sly)  # fmt: skip
    assert "<script>x" not in page
    assert "<b>&" not in page
    assert "<i>x" not in page
    assert "a &lt; b" in page


def test_many_places_are_drawn_in_panels_that_share_one_axis() -> None:
    rows = [own("T", 50 + k / 2, level="commune", domain=f"Xã {k}") for k in range(45)]
    section = only(shown(rows).sections)
    assert len(section.charts) == 3
    grids = [re.findall(r'<path d="M ([\d.]+) [\d.]+ +L \1', chart.svg)[:3] for chart in section.charts]
    assert grids[0] == grids[1] == grids[2]
