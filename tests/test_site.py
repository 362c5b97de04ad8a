"""The public site: every link leads somewhere, nothing is asked of others, what is hidden is nowhere."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from analysis.report.places import _order
from analysis.units import communes
from survey.questionnaire.model import Node, Questionnaire
from survey.store import Store, current, drafts, frame
from survey.text import nfc
from tests.commands import run
from tests.public_site import CHIENG_MUNG, HIDDEN_ONE, MAI_SON, scores_files

LIMIT = 150_000
OFFICIAL = {
    "vi": "Kết quả khảo sát nội bộ theo khung SIPAS/PAPI, không phải kết quả công bố chính thức",
    "en": "Internal survey results in the frame of SIPAS/PAPI, not an official publication",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trang công khai")
    files = scores_files(folder)
    code, out, err = run("report", *files, "--index", "sipas_2026", "--site", folder / "site", "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["pages"], told["surveyed"]) == (77, 2)
    return folder / "site"


class _Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.text, self.styles = [], set(), [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.links += [named[name] for name in ("href", "src", "action", "data") if named.get(name)]
        self.ids |= {named["id"]} if named.get("id") else set()
        self.styles += tag == "style" or "style" in named or any(name.startswith("on") for name in named)

    def handle_data(self, data):
        self.text.append(data)


def pages(site):
    return {file: _Links(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}


def text_of(site, name):
    return nfc(" ".join(" ".join(_Links((site / name).read_text(encoding="utf-8")).text).split()))


def test_every_link_leads_to_a_page_a_file_or_a_place_of_the_site(site):
    found = pages(site)
    assert len(found) == 2 * 78
    for file, page in found.items():
        for link in page.links:
            parts = urlsplit(link)
            assert (parts.scheme, parts.netloc) in (("", ""), ("data", "")), f"{file.name}: {link}"
            target = (file.parent / unquote(parts.path)).resolve() if parts.path and not parts.scheme else file
            assert target.is_file(), f"{file.name}: {link}"
            assert not parts.fragment or parts.fragment in found[target].ids, f"{file.name}: {link}"


def test_every_page_is_reached_from_the_first(site):
    found = pages(site)
    reached, waiting = set(), [site / "index.html"]
    while waiting:
        file = waiting.pop()
        if file not in reached and file in found:
            reached.add(file)
            waiting += [file.parent.joinpath(unquote(urlsplit(link).path)).resolve() for link in found[file].links]
    assert reached == set(found)


def test_every_page_says_that_it_is_not_official_and_has_a_policy_that_allows_nothing_from_others(site):
    for file, page in pages(site).items():
        language = "en" if file.parent.name == "en" else "vi"
        assert OFFICIAL[language] in nfc(" ".join(page.text)), file.name
        source = file.read_text(encoding="utf-8")
        assert "default-src 'none'" in source
        assert page.styles == 0, file.name


def test_a_page_is_light_enough_for_a_phone_on_3g_with_all_that_it_loads(site):
    css = (site / "site.css").stat().st_size
    for file in pages(site):
        assert file.stat().st_size + css <= LIMIT, file.name
    # The search loads the index of all places; that of the whole country is measured by benchmarks/site.py.
    assert (site / "places.js").stat().st_size < 76 * 32


def test_a_surveyed_commune_has_its_figures_with_intervals_beside_those_of_its_province(site):
    said = text_of(site, f"xa-{CHIENG_MUNG}.html")
    assert "Xã Chiềng Mung" in said
    assert "80,50" in said
    assert "Khoảng tin cậy 95 %: 77,20–83,80" in said
    assert "Tỉnh Sơn La: 78,25 (76,00–80,50)" in said
    with (site / "data" / f"xa-{CHIENG_MUNG}.csv").open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert (rows[0]["code"], rows[0]["estimate"], rows[0]["low"], rows[0]["n"]) == ("SIPAS", "80.5", "77.2", "48")
    assert rows[0]["source"] == "own survey, not an official publication"


def test_a_commune_without_a_survey_says_so_and_shows_its_province_as_its_province(site):
    said = text_of(site, "xa-03670.html")
    assert "Chưa khảo sát" in said
    assert "Giá trị của Tỉnh Sơn La: 78,25 (76,00–80,50). Giá trị này không phải của riêng" in said
    assert "Not surveyed" in text_of(site, "en/xa-03670.html")
    assert not (site / "data" / "xa-03670.csv").exists()


def test_what_the_rule_hides_is_on_no_page_and_in_no_file(site):
    said = text_of(site, f"xa-{HIDDEN_ONE}.html")
    assert "Có khảo sát, chưa đủ phiếu để công bố" in said
    with (site / "data" / "all.csv").open(encoding="utf-8-sig") as stream:
        assert HIDDEN_ONE not in {row["domain"] for row in csv.DictReader(stream)}
    assert not (site / "data" / f"xa-{HIDDEN_ONE}.csv").exists()
    # One indicator of a published commune is hidden: its line says why, its file has no figure.
    assert "ẩn: dưới 15 phiếu" in text_of(site, f"xa-{MAI_SON}.html")
    with (site / "data" / f"xa-{MAI_SON}.csv").open(encoding="utf-8-sig") as stream:
        blank = [row for row in csv.DictReader(stream) if "hidden" in row["note"]]
    assert [(row["estimate"], row["low"], row["n"]) for row in blank] == [("", "", "")]


def test_scores_with_small_cells_are_refused_for_a_site_with_the_command_that_hides_them(tmp_path):
    files = scores_files(tmp_path, small=True)
    code, _, err = run("report", *files, "--index", "sipas_2026", "--site", tmp_path / "site")
    assert (code, "1 cell has fewer than 15 interviews or 2 units: 04108" in err) == (2, True), err
    assert "survey score --least 15" in err
    assert not (tmp_path / "site").exists()


def test_a_folder_with_something_else_is_left_alone_and_an_older_site_is_replaced(tmp_path):
    files = scores_files(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("keep", encoding="utf-8")
    code, _, err = run("report", *files, "--index", "sipas_2026", "--site", tmp_path / "mine")
    assert (code, "holds something that is no site" in err) == (2, True)
    assert (tmp_path / "mine" / "note.txt").read_text(encoding="utf-8") == "keep"
    for _ in range(2):
        assert run("report", *files, "--index", "sipas_2026", "--site", tmp_path / "site")[0] == 0
        assert not (tmp_path / "site" / "old.html").exists()
        (tmp_path / "site" / "old.html").write_text("old", encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_published_scores_of_2022_have_the_63_provinces_and_no_communes(shared_data, tmp_path):
    papi = shared_data / "papi_published.csv"
    code, out, err = run(
        "report", papi, "--index", "papi_2022", "--round", "2022", "--site", tmp_path / "site", "--json"
    )
    assert code == 0, err
    assert json.loads(out)["pages"] == 64
    said = text_of(tmp_path / "site", "tinh-kien-giang.html")
    assert "Tỉnh Kiên Giang" in said
    # Bắc Ninh has some dimensions and no total in 2022: the total is missing, not zero, the dimensions stand.
    partly = text_of(tmp_path / "site", "tinh-bac-ninh.html")
    assert "không có giá trị chung; các thành phần có số liệu ở dưới" in partly
    assert "5,82" in partly
    assert "chưa đủ phiếu" not in partly


def test_names_stand_in_the_order_of_a_vietnamese_list():
    names = ["Đà Nẵng", "Ân Thi", "An Giang", "Ăn Thịt", "Dầu Tiếng", "Bà Rịa", "Bắc Ninh", "Đắk Lắk", "Cà Mau"]
    assert sorted(names, key=_order) == [
        "An Giang",
        "Ăn Thịt",
        "Ân Thi",
        "Bà Rịa",
        "Bắc Ninh",
        "Cà Mau",
        "Dầu Tiếng",
        "Đà Nẵng",
        "Đắk Lắk",
    ]


def test_the_search_index_has_every_commune_once(site):
    lines = (site / "places.js").read_text(encoding="utf-8").split("`")[1].splitlines()
    assert len(lines) == len({line.partition("|")[0] for line in lines}) == 76
    assert {line.split("|")[1] for line in lines[1:]} == {unit.name for unit in communes("14").units}
    assert (lines[0], lines[1]) == ("/tinh-14|Sơn La|Tỉnh|shown", "03856|Bắc Yên||none")


def test_a_round_without_a_rule_of_its_own_has_one_on_its_site(tmp_path):
    """Twenty interviews in one commune, three in another of the same province: the three are nowhere."""
    scored = {"question": "sat", "score": "linear", "from": "1..5", "to": "0..100"}
    rows = ({"code": "T", "label::Tiếng Việt (vi)": "Hài lòng", **scored},)
    sat = Node("question", "sat", "sat", "integer", label={"vi": "Hài lòng", "en": "Satisfaction"})
    form = Questionnaire("form", "1", {"vi": "Phiếu", "en": "Form"}, nodes=(sat,), index=rows)
    instance = tmp_path / "hub"
    with Store.create(instance, role="hub") as store:
        frame.issue(store, "questionnaire", form.hash, form.to_json())
        frame.issue(store, "round", "r2026", {"id": "r2026", "questionnaire_hash": form.hash, "ends": "2026-11-30"})
        for number in range(23):
            commune = CHIENG_MUNG if number < 20 else HIDDEN_ONE
            unit = {"id": f"u{number}", "round": "r2026", "province": "14", "commune": commune}
            frame.issue(store, "unit", unit["id"], unit | {"psu": f"{commune}-{number % 4}"})
            interview = drafts.start(store, unit["id"], form.hash, "phoa")
            drafts.seal(store, interview, {"sat": str(1 + number % 5)}, {}, {}, {}, "phoa")
            current.decide(store, interview, "approved", actor="plan")
    code, out, err = run("report", "--instance", instance, "--round", "r2026", "--site", tmp_path / "site", "--json")
    assert code == 0, err
    assert json.loads(out)["surveyed"] == 0
    # With two communes, one hidden cell would follow from the other and the whole: both stay hidden.
    for commune in (CHIENG_MUNG, HIDDEN_ONE):
        assert "chưa đủ phiếu để công bố" in text_of(tmp_path / "site", f"xa-{commune}.html")
    said = text_of(tmp_path / "site", "tinh-14.html")
    assert "23 phiếu" in said
    assert "Chưa khảo sát (73)" in said
