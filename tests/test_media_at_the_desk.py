"""Photographs and files at the desk: seen by those who may, side by side in a conflict, exported, gone when erased."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from survey import create_app
from survey.cli import cli
from survey.questionnaire.model import Answers
from survey.store import Store, current, drafts, feed, files, personal
from survey.store.merge import unite
from survey.web import handout
from tests import field
from tests.field import BINH, HOA, LAN, Visitor
from tests.forms import form
from tests.laptops import keys, records
from tests.test_blobs import WAV, png

QUESTIONNAIRE = form("""
type         | name  | label::Tiếng Việt (vi) | contact
image        | house | Chụp mặt trước nhà     |
audio        | said  | Thu lời kể             |
file         | deed  | Giấy tờ                |
image        | face  | Chụp người trả lời     | yes
begin_repeat | trees | Cây                    |
image        | leaf  | Chụp lá                |
end_repeat   |       |                        |
""")
HOUSE, FACE, LEAF, DEED = png(60, 40), png(30, 30, 20), png(8, 8, 200), b"<html><script>alert(1)</script>"


def with_files(store: Store) -> str:
    """A sealed interview with a file at every question; returns its id."""
    interview = drafts.start(store, "u1", QUESTIONNAIRE.hash, HOA)
    for content in (HOUSE, FACE, LEAF, DEED, WAV):
        files.put(store, interview, content)
    answers: Answers = {
        "house": files.name_of(HOUSE, "png"),
        "said": files.name_of(WAV, "wav"),
        "deed": files.name_of(DEED, "bin"),
        "trees": ["r1"],
        "trees[r1]/leaf": files.name_of(LEAF, "png"),
    }
    drafts.seal(store, interview, answers, {}, {"face": files.name_of(FACE, "png")}, {}, HOA)
    return interview


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Store, str]]:
    with Store.create(tmp_path / "hub", role="hub", name="hub") as store:
        field.set_up(store, QUESTIONNAIRE)
        yield store, with_files(store)


def visitor(store: Store, who: str) -> Visitor:
    visitor = Visitor(create_app(store.folder))
    visitor.sign_in(who)
    return visitor


def addresses(page: str) -> dict[str, str]:
    """The addresses of files on a page, by question."""
    found = re.findall(r'(?:href|src)="(/interviews/[^"]*/sealed-file[^"]*question=([^"&]+))"', page)
    return {question: address.replace("&amp;", "&") for address, question in found}


# -- on the pages ----------------------------------------------------------------------------------------------------


def test_a_supervisor_sees_pictures_hears_recordings_and_takes_other_files_away(desk: tuple[Store, str]) -> None:
    store, interview = desk
    lan = visitor(store, LAN)
    page = lan.get(f"/interviews/{interview}").text
    shown = addresses(page)
    assert set(shown) == {"house", "said", "deed", "face", "trees%5Br1%5D/leaf"}
    assert len(re.findall(r"<img src=", page)) == 3
    for question, content, kind in (("house", HOUSE, "image/png"), ("said", WAV, "audio/wav")):
        sent = lan.get(shown[question])
        assert (sent.data, sent.mimetype) == (content, kind)
        assert sent.headers["Content-Disposition"] == "inline"
    deed = lan.get(shown["deed"])
    assert (deed.data, deed.mimetype) == (DEED, "application/octet-stream")
    assert deed.headers["Content-Disposition"].startswith("attachment")


def test_the_respondents_own_copy_holds_the_files_themselves_and_runs_nothing(desk: tuple[Store, str]) -> None:
    store, interview = desk
    page = handout.html(store, personal.everything(store, interview), datetime(2026, 11, 26, tzinfo=UTC))
    for content, kind in ((HOUSE, "image/png"), (FACE, "image/png"), (LEAF, "image/png"), (WAV, "audio/wav")):
        assert f"data:{kind};base64,{b64encode(content).decode()}" in page
    assert "<script" not in page
    assert f'href="data:application/octet-stream;base64,{b64encode(DEED).decode()}"' in page
    assert "['r1']" not in page
    store.execute("DELETE FROM draft_files")
    personal.erase_person(store, interview, "pquan", "yêu cầu")
    page = handout.html(store, personal.everything(store, interview), datetime(2026, 11, 26, tzinfo=UTC))
    assert "data:" not in page


def test_a_picture_that_is_contact_data_is_only_for_those_who_may_know_the_respondent(desk: tuple[Store, str]) -> None:
    store, interview = desk
    binh = visitor(store, BINH)
    shown = addresses(binh.get(f"/interviews/{interview}").text)
    assert set(shown) == {"house", "said", "deed", "trees%5Br1%5D/leaf"}
    assert binh.get(shown["house"]).data == HOUSE
    assert binh.get(shown["house"].replace("question=house", "question=face")).status_code == 404
    assert visitor(store, HOA).get(shown["house"]).status_code == 403


def test_a_file_that_has_not_come_is_said_and_nothing_else_is_lost(desk: tuple[Store, str], tmp_path: Path) -> None:
    store, interview = desk
    without = [one._replace(parts={n: p for n, p in one.parts.items() if ":" not in n}) for one in records(store)]
    with Store.create(tmp_path / "province", role="hub", name="province") as other:
        unite(other, without, "stick", keys(store))
        lan = visitor(other, LAN)
        page = lan.get(f"/interviews/{interview}").text
        assert page.count("tệp chưa về máy này") == 5
        assert addresses(page) == {}
        where = {"head": current.content(other, interview)["head"], "question": "house"}
        assert lan.get(f"/interviews/{interview}/sealed-file", **where).status_code == 404


def test_two_photographs_of_one_question_stand_side_by_side(desk: tuple[Store, str]) -> None:
    store, interview = desk
    first = current.content(store, interview)
    pictures = {shade: png(50, 40, shade) for shade in (10, 250)}
    for picture in pictures.values():
        name = files.name_of(picture, "png")
        feed.append(
            store,
            subject_type="interview",
            subject=interview,
            kind="corrected",
            parts={"answers": {**first["answers"], "house": name}, "paradata": {}},
            blobs={files.hash_of(name): picture},
            parents=[first["head"]],
            target="u1",
            questionnaire_hash=QUESTIONNAIRE.hash,
            actor=HOA,
        )
    lan = visitor(store, LAN)
    page = lan.get(f"/interviews/{interview}/conflict").text
    shown = [one.replace("&amp;", "&") for one in re.findall(r'<img src="([^"]+question=house)"', page)]
    assert {lan.get(one).data for one in shown} == set(pictures.values())
    assert len(shown) == 2


# -- in the export ---------------------------------------------------------------------------------------------------


def export(store: Store, file: Path, *arguments: str) -> Result:
    line = ["data", "export", "--instance", str(store.folder), str(file), "--state", "sealed", "--json", *arguments]
    result = CliRunner().invoke(cli, line, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_an_export_writes_the_files_beside_the_data_and_the_cells_name_them(
    desk: tuple[Store, str], tmp_path: Path
) -> None:
    store, interview = desk
    out = tmp_path / "out" / "phieu.csv"
    out.parent.mkdir()
    told = json.loads(export(store, out).stdout)
    assert (told["media"], told["media_missing"]) == (4, 0)
    row, leaf = rows(out)[0], rows(out.parent / "phieu.trees.csv")[0]["leaf"]
    assert row["house"] == f"media/{interview}+house.png"
    assert leaf == f"media/{interview}+trees+r1+leaf.png"
    assert (out.parent / row["house"]).read_bytes() == HOUSE
    codebook = out.with_name("phieu.csv.ddi.xml").read_text(encoding="utf-8")
    assert "each cell is the path of a file beside this one (media/…)" in codebook
    assert (out.parent / leaf).read_bytes() == LEAF
    assert (out.parent / row["deed"]).read_bytes() == DEED
    assert FACE not in [file.read_bytes() for file in out.parent.rglob("*.*")]


def test_a_picture_that_is_contact_data_leaves_only_with_the_contact_file(
    desk: tuple[Store, str], tmp_path: Path
) -> None:
    store, interview = desk
    out = tmp_path / "phieu.csv"
    export(store, out, "--with-contact")
    cell = rows(tmp_path / "phieu.contact.csv")[0]["face"]
    assert cell == f"contact-media/{interview}+face.png"
    assert (tmp_path / cell).read_bytes() == FACE
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / cell).stat().st_mode) == 0o600


def test_files_of_an_erased_person_are_gone_from_the_pages_and_from_the_next_export(
    desk: tuple[Store, str], tmp_path: Path
) -> None:
    store, interview = desk
    second = drafts.start(store, "u2", QUESTIONNAIRE.hash, HOA)
    files.put(store, second, HOUSE)
    drafts.seal(store, second, {"house": files.name_of(HOUSE, "png")}, {}, {}, {}, HOA)
    out = tmp_path / "phieu.csv"
    export(store, out, "--with-contact")
    (tmp_path / "media" / "bản đồ.png").write_bytes(b"not ours")
    lan = visitor(store, LAN)
    address = addresses(lan.get(f"/interviews/{interview}").text)["house"]
    current.erase(store, "interview", interview, "padmin")
    assert lan.get(address).status_code == 404
    assert json.loads(export(store, out).stdout)["media_removed"] == 5
    left = {file.name for file in (tmp_path / "media").iterdir()}
    assert left == {"bản đồ.png", f"{second}+house.png"}
    assert list((tmp_path / "contact-media").iterdir()) == []
