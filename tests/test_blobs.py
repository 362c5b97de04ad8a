"""Photographs and other files: on disk before the next key, sealed with their interview, carried, proved, erased."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from survey import create_app
from survey.questionnaire import xlsform
from survey.store import Store, derived, drafts, feed, files, frame
from survey.store.erasure import erase
from survey.store.header import Part, hash_text
from survey.store.merge import unite
from survey.store.verify import verify
from survey.sync.exchange import export, sync
from survey.web import uploads
from tests import field
from tests.field import Interviewer
from tests.forms import form, write
from tests.laptops import FORM, keys, records

SHEET = """
type  | name  | label::Tiếng Việt (vi) | missing | required
image | house | Chụp mặt trước nhà     | refused | yes
audio | said  | Thu lời kể             |         |
file  | deed  | Giấy tờ                |         |
text  | why   | Ghi thêm               |         |
"""


def png(width: int = 4, height: int = 3, shade: int = 90) -> bytes:
    """A real picture of one shade of grey."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


WAV = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
WAV += b"data" + struct.pack("<I", 0)


def with_picture(store: Store, picture: bytes, interview: str = "") -> str:
    """A sealed interview with one photograph; returns its id."""
    interview = interview or drafts.start(store, "u1", FORM, "phoa")
    files.put(store, interview, picture)
    answers: drafts.Answers = {"house": files.name_of(picture, "png"), "why": "Nhà mới"}
    drafts.save(store, interview, answers)
    drafts.seal(store, interview, answers, {}, {}, {}, "phoa")
    return interview


def head(store: Store, interview: str) -> str:
    return str(store.value("SELECT head FROM interviews WHERE interview = ?", (interview,)))


# -- on the way --------------------------------------------------------------------------------------------------


def test_a_photograph_is_named_by_its_own_hash_and_goes_with_its_interview(device: Store, hub: Store, tmp_path: Path):
    picture = png()
    id = with_picture(device, picture)
    header = feed.header(device, head(device, id))
    assert header is not None
    assert header.blobs == (hash_text(picture),)
    export(device, tmp_path)
    assert sync(hub, [tmp_path]).quarantined == []
    assert files.content(hub, id, files.name_of(picture, "png")) == picture
    for store in (device, hub):
        assert verify(store).problems == []
        assert store.value("SELECT count(*) FROM missing") == 0
    assert sync(hub, [tmp_path]).new == 0


def test_a_photograph_that_did_not_come_is_counted_and_taken_later(device: Store, hub: Store):
    picture = png()
    id = with_picture(device, picture)
    without = [
        record._replace(parts={n: p for n, p in record.parts.items() if ":" not in n}) for record in records(device)
    ]
    unite(hub, without, "stick", keys(device))
    assert [name for (name,) in hub.execute("SELECT name FROM missing")] == [hash_text(picture)]
    assert verify(hub).counts["missing_parts"] == 1
    assert unite(hub, records(device), "stick", keys(device)).late_parts == 1
    assert files.content(hub, id, files.name_of(picture, "png")) == picture
    assert derived.differences(hub) == []


@pytest.mark.parametrize("harm", ["other bytes", "a salt", "a name nobody gave"])
def test_bytes_that_are_not_what_the_header_names_are_set_aside(device: Store, hub: Store, harm: str):
    picture = png()
    id = with_picture(device, picture)
    name = hash_text(picture)
    spoilt = {
        "other bytes": {name: Part(bytes(32), png(shade=7))},
        "a salt": {name: Part(b"\1" * 32, picture)},
        "a name nobody gave": {hash_text(b"x"): Part(bytes(32), b"x")},
    }[harm]
    sent = [
        record._replace(parts={**record.parts, **spoilt}) if name in record.parts else record
        for record in records(device)
    ]
    outcome = unite(hub, sent, "stick", keys(device))
    assert [what for what, _ in outcome.quarantined] == [f"{head(device, id)}/{next(iter(spoilt))}"]
    assert (files.content(hub, id, files.name_of(picture, "png")) is None) == (harm != "a name nobody gave")
    assert hub.value("SELECT state FROM interviews") == "sealed"


def test_an_erased_person_leaves_no_photograph(device: Store, hub: Store, tmp_path: Path):
    picture = png(40, 30)
    id = with_picture(device, picture)
    export(device, tmp_path)
    sync(hub, [tmp_path])
    erase(hub, "interview", id, "padmin")
    assert files.content(hub, id, files.name_of(picture, "png")) is None
    assert picture not in hub.file.read_bytes()
    assert verify(hub).problems == []
    assert unite(hub, records(device), "stick", keys(device)).late_parts == 0


def test_a_correction_keeps_the_photograph_and_a_new_one_takes_its_place(device: Store):
    first, second = png(), png(shade=200)
    id = with_picture(device, first)
    drafts.take_over(device, id, "phoa")
    answers = drafts.answers(device, id)
    kept = drafts.seal(device, id, answers, {}, {}, {}, "phoa", "corrected")
    header = feed.header(device, kept)
    assert header is not None
    assert header.blobs == (hash_text(first),)
    drafts.take_over(device, id, "phoa")
    files.put(device, id, second)
    other = drafts.seal(device, id, {**answers, "house": files.name_of(second, "png")}, {}, {}, {}, "phoa", "corrected")
    header = feed.header(device, other)
    assert header is not None
    assert header.blobs == (hash_text(second),)
    assert files.content(device, id, files.name_of(first, "png")) == first


def test_an_open_draft_is_handed_over_with_its_photograph(device: Store, hub: Store, tmp_path: Path):
    picture = png()
    id = drafts.start(device, "u1", FORM, "phoa")
    files.put(device, id, picture)
    drafts.save(device, id, {"house": files.name_of(picture, "png")})
    export(device, tmp_path)
    sync(hub, [tmp_path])
    drafts.take_over(hub, id, "plan")
    assert files.content(hub, id, drafts.answers(hub, id)["house"]) == picture


def test_a_text_that_looks_like_a_file_is_text(device: Store):
    id = drafts.start(device, "u1", FORM, "phoa")
    revision = drafts.seal(device, id, {"why": "0" * 64 + ".jpg"}, {}, {}, {}, "phoa")
    header = feed.header(device, revision)
    assert header is not None
    assert header.blobs == ()


# -- on the page -------------------------------------------------------------------------------------------------


@pytest.fixture
def inside(instance: Path) -> Interviewer:
    with Store.create(instance, "device", name="laptop") as store:
        field.set_up(store, form(SHEET))
    visitor = Interviewer(create_app(instance))
    visitor.sign_in(field.HOA)
    visitor.start("u1")
    return visitor


def upload(visitor: Interviewer, question: str, content: bytes, name: str = "anh.png") -> tuple[str, str]:
    """Chooses a file; gives the verdict and what the page says."""
    file = FileStorage(io.BytesIO(content), filename=name)
    boundary, body = encode_multipart(
        {"question": question, "value": "", "lease": visitor.lease, "why": "press", "file": file}
    )
    reply = visitor.client.post(
        f"/interviews/{visitor.interview}/answer",
        base_url=field.ADDRESS,
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"X-CSRFToken": visitor.token, "HX-Request": "true"},
    )
    return reply.headers.get("X-Answer", str(reply.status_code)), reply.text


def test_a_chosen_picture_is_shown_and_stands_until_it_is_taken_away(inside: Interviewer, instance: Path) -> None:
    picture = png()
    verdict, page = upload(inside, "house", picture)
    assert verdict == "saved"
    assert "<img src=" in page
    name = files.name_of(picture, "png")
    shown = inside.get(f"/interviews/{inside.interview}/file", question="house")
    assert (shown.data, shown.mimetype) == (picture, "image/png")
    assert inside.answer("house", name).headers["X-Answer"] == "saved"
    with Store.open(instance) as store:
        assert drafts.answers(store, inside.interview)["house"] == name
    inside.answers({"house": "?refused"})
    assert inside.get(f"/interviews/{inside.interview}/file", question="house").status_code == 404


@pytest.mark.parametrize(
    ("question", "content", "says"),
    [
        ("house", b"", "rỗng"),
        ("house", b"%PDF-1.7 ...", "không phải một ảnh"),
        ("house", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "không phải một ảnh"),
        ("house", WAV, "không phải một ảnh"),
        ("said", png(), "không phải một tệp âm thanh"),
        ("house", b"\xff\xd8\xff" + bytes(30 << 20), "30 MB, lớn hơn 10 MB"),
    ],
)
def test_a_file_that_cannot_be_taken_gets_a_sentence_and_nothing_is_lost(
    inside: Interviewer, instance: Path, question: str, content: bytes, says: str
) -> None:
    inside.answers({"why": "còn đây"})
    verdict, page = upload(inside, question, content)
    assert verdict == "refused"
    assert says in page
    with Store.open(instance) as store:
        assert drafts.answers(store, inside.interview) == {"why": "còn đây"}


def test_more_than_can_be_taken_in_is_said_too(inside: Interviewer) -> None:
    reply = inside.client.post(
        f"/interviews/{inside.interview}/answer",
        base_url=field.ADDRESS,
        data=bytes(uploads.LARGEST_REQUEST + 1),
        content_type="application/x-www-form-urlencoded",
        headers={"X-CSRFToken": inside.token, "HX-Request": "true"},
    )
    assert reply.status_code == 413
    assert "quá dài" in reply.text


def test_any_file_may_be_a_file_and_is_never_opened_here(inside: Interviewer) -> None:
    assert upload(inside, "deed", b"<html><script>alert(1)</script>", "a.html")[0] == "saved"
    sent = inside.get(f"/interviews/{inside.interview}/file", question="deed")
    assert sent.mimetype == "application/octet-stream"
    assert sent.headers["Content-Disposition"].startswith("attachment")
    assert upload(inside, "said", WAV, "a.wav")[0] == "saved"


# -- pictures and recordings of the questionnaire ----------------------------------------------------------------

WITH_MEDIA = {
    "survey": """
        type           | name | label::Tiếng Việt (vi) | media::image::Tiếng Việt (vi) | media::audio::Tiếng Việt (vi)
        select_one map | here | Ông/Bà ở vùng nào?     | ban-do.png                    | hoi.wav
        text           | more | Ghi thêm               |                               | khong-co.wav
    """,
    "choices": """
        list_name | name | label::Tiếng Việt (vi) | media::image::Tiếng Việt (vi)
        map       | 1    | Vùng cao               | cao.png
        map       | 2    | Vùng thấp              |
    """,
}


def with_media(folder: Path) -> Path:
    write(folder, **{name: text.strip() for name, text in WITH_MEDIA.items()})
    (folder / "media").mkdir()
    for name, content in (("ban-do.png", png(80, 40)), ("cao.png", png(30, 30, 10)), ("hoi.wav", WAV)):
        (folder / "media" / name).write_bytes(content)
    return folder


def test_pictures_and_recordings_travel_with_the_round_and_are_shown(
    instance: Path, hub: Store, tmp_path: Path
) -> None:
    folder = with_media(tmp_path / "form")
    questionnaire, problems = xlsform.check(folder)
    assert questionnaire is not None
    assert [problem.what.en for problem in problems] == ["the file “khong-co.wav” is not there"]
    assert sorted(questionnaire.media) == ["ban-do.png", "cao.png", "hoi.wav"]
    field.set_up(hub, questionnaire)
    media: dict[str, bytes | None] = {**xlsform.media_files(folder, questionnaire)}
    frame.issue(hub, "questionnaire", questionnaire.hash, questionnaire.to_json(), blobs=media)
    with Store.create(instance, "device", name="laptop") as laptop:
        unite(laptop, records(hub), "round", keys(hub))
        assert laptop.value("SELECT count(*) FROM missing") == 0
    visitor = Interviewer(create_app(instance))
    visitor.sign_in(field.HOA)
    page = visitor.start("u1")
    for name, kind in (("ban-do.png", "image/png"), ("cao.png", "image/png"), ("hoi.wav", "audio/wav")):
        address = f"/interviews/{visitor.interview}/media/{name}"
        assert address in page.text
        sent = visitor.get(address)
        assert (sent.data, sent.mimetype) == ((folder / "media" / name).read_bytes(), kind)
    assert "khong-co.wav" not in page.text
    assert visitor.get(f"/interviews/{visitor.interview}/media/survey.csv").status_code == 404


def test_another_picture_is_another_questionnaire(tmp_path: Path) -> None:
    folder = with_media(tmp_path / "form")
    before = xlsform.load(folder).hash
    (folder / "media" / "cao.png").write_bytes(png(30, 30, 11))
    assert xlsform.load(folder).hash != before
