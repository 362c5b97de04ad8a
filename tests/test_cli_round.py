"""From a list of people to a laptop that knows its round: ``frame import``, ``sample draw``, ``round``, ``device``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from survey.errors import VerifyError
from survey.fieldwork.frames import frame_rows, standard_names
from survey.store import Store, current, frame
from survey.sync import exchange, rounds

Survey = Callable[..., Result]

SURVEY_CSV = """type,name,label::Tiếng Việt (vi),label::English (en)
hidden,commune,,
integer,age,Tuổi?,Age?
"""
SETTINGS_CSV = "form_id,version,form_title,default_language\ntiny,1,Nhỏ,Tiếng Việt (vi)\n"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A questionnaire of one question."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "survey.csv").write_text(SURVEY_CSV, encoding="utf-8")
    (folder / "settings.csv").write_text(SETTINGS_CSV, encoding="utf-8")
    return folder


@pytest.fixture
def frame_file(tmp_path: Path) -> Path:
    """Three communes of two villages of twenty people each, as an office's list."""
    rows = ["Mã;Họ và tên;Địa chỉ;Xã;Mã thôn;Dân số"]
    for commune in "ABC":
        for village in "12":
            for person in range(20):
                code = f"{commune}{village}"
                rows.append(f"{code}-{person:02};Người {person};Nhà {person};Xã {commune};{code};1.2{ord(commune)},0")
    file = tmp_path / "danh sách.csv"
    file.write_text("\r\n".join(rows), encoding="utf-8-sig")
    return file


@pytest.fixture
def round_file(tmp_path: Path) -> Path:
    return tmp_path / "usb" / "r1.round"


@pytest.fixture
def on_hub(survey: Survey, hub: Store) -> Survey:
    """The command line on the hub."""
    return lambda *arguments, **more: survey(*arguments, "--instance", hub.folder, **more)


@pytest.fixture
def drawn(on_hub: Survey, tiny: Path, frame_file: Path) -> dict:
    """A round with its sample on the hub."""
    on_hub("user", "add", "--name", "Hoa", "--role", "enumerator", "--id", "phoa", "--pin", "1234")
    on_hub("user", "add", "--name", "Lan", "--role", "enumerator", "--id", "plan", "--pin", "1234")
    made = on_hub("round", "create", "r1", "--questionnaire", tiny, "--title", "Đợt một", "--json")
    assert made.exit_code == 0, made.output
    assert on_hub("frame", "import", frame_file).exit_code == 0
    result = on_hub("sample", "draw", "--seed", "7", *STAGES, "--assign", "phoa,plan", "--json")
    assert result.exit_code == 0, result.output
    return {**json.loads(made.stdout), **json.loads(result.stdout)}


STAGES = ("--strata", "commune", "--stage", "village take=1 method=pps size=persons", "--stage", "take=4 reserve=2")


# -- frame --------------------------------------------------------------------------------------------------------


def test_columns_are_known_by_the_names_that_offices_use():
    assert standard_names(
        ["Mã xã", "Tên xã", "Số người trong thôn", "HỌ VÀ TÊN", "Số điện thoại", "Số CCCD", "hh_size", "Diện tích (m2)"]
    ) == {
        "Mã xã": "commune",
        "Tên xã": "commune_name",
        "Số người trong thôn": "persons",
        "HỌ VÀ TÊN": "name",
        "Số điện thoại": "phone",
        "Số CCCD": "national_id",
        "hh_size": "hh_size",
        "Diện tích (m2)": "dien_tich_m2",
    }


@pytest.mark.parametrize(
    ("heading", "value"),
    [
        ("Số ĐT", "0912345678"),
        ("SĐT chủ hộ", ""),
        ("phone2", "x"),
        ("Email", "hoa@example.org"),
        ("Địa chỉ thường trú", "Bản Khoang"),
        ("Số CCCD/CMND", "012345678901"),
        ("Ghi chú liên lạc", "+84 912 345 678"),
        ("Mã định danh", "012345678901"),
        ("Họ tên chủ hộ cũ", "Lò Văn Bua"),
    ],
)
def test_whatever_says_who_somebody_is_is_kept_apart_by_its_heading_or_by_what_is_in_it(heading: str, value: str):
    rows = [{"Xã": "Xã A", heading: value, "Số nhân khẩu": "5"}]
    (row,) = frame_rows(rows, standard_names(list(rows[0])))
    assert value not in [cell for name, cell in row.items() if name != "contact"]
    assert list(row["contact"].values()) == ([value] if value else [])
    assert row["persons"] == "5"


@pytest.mark.parametrize(
    ("said", "kept"), [("Thành thị", "urban"), ("NÔNG THÔN", "rural"), ("rural", "rural"), ("3", "3")]
)
def test_town_and_country_come_to_the_codes_of_the_instruments(said: str, kept: str):
    rows = [{"Khu vực": said}]
    assert frame_rows(rows, standard_names(["Khu vực"]))[0]["urban_rural"] == kept


def test_a_row_without_a_key_gets_its_number_and_a_place_without_a_code_its_name():
    rows = frame_rows([{"Xã": f"Xã {n}"} for n in range(12)], {"Xã": "commune_name"})
    assert rows[0] == {"id": "01", "commune": "Xã 0", "commune_name": "Xã 0", "contact": {}}
    assert rows[11]["id"] == "12"


def test_the_frame_keeps_who_people_are_apart_and_writes_numbers_plainly(
    on_hub: Survey, hub: Store, drawn: dict, frame_file: Path
):
    row = frame.frame_rows(hub, "r1")[0]
    assert row["contact"] == {"name": "Người 0", "address": "Nhà 0"}
    assert {key: row[key] for key in ("id", "commune", "village", "persons")} == {
        "id": "A1-00",
        "commune": "Xã A",
        "village": "A1",
        "persons": "1265",
    }


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id,Tên,Họ tên", "column Họ tên: means the same as column 'Tên' (name); rename or remove one of the two"),
        ("id,psu", "column psu: the name 'psu' is written by the draw; rename the column"),
        ("id", "the table has only its header"),
    ],
)
def test_a_frame_that_cannot_be_read_is_told_and_the_old_one_stays(
    on_hub: Survey, hub: Store, drawn: dict, tmp_path: Path, header: str, message: str
):
    before = frame.frame_rows(hub, "r1")
    file = tmp_path / "bad.csv"
    file.write_text(header + ("\n1,2,3\n" if "," in header else "\n"), encoding="utf-8")
    result = on_hub("frame", "import", file)
    assert result.exit_code == 2
    assert message in result.stderr or "has 3 cells for 2 columns" in result.stderr
    assert frame.frame_rows(hub, "r1") == before


def test_text_from_before_unicode_is_converted_only_when_asked(on_hub: Survey, hub: Store, drawn: dict, tmp_path: Path):
    file = tmp_path / "cu.csv"
    file.write_bytes("id,Hä tªn,X·\n1,NguyÔn V¨n §øc,ChiÒng Mung\n".encode("latin-1"))
    refused = on_hub("frame", "import", file)
    assert refused.exit_code == 2
    assert "add --from-tcvn3 to convert it" in refused.stderr
    assert on_hub("frame", "import", file, "--from-tcvn3").exit_code == 0
    (row,) = frame.frame_rows(hub, "r1")
    assert row["contact"] == {"name": "Nguyễn Văn Đức"}
    assert row["commune_name"] == "Chiềng Mung"


# -- sample -------------------------------------------------------------------------------------------------------


def test_units_carry_lists_places_probabilities_and_their_enumerator(hub: Store, drawn: dict):
    units = frame.units(hub, "r1")
    assert Counter(unit["list"] for unit in units) == {"main": 12, "reserve": 6}
    assert (drawn["main"], drawn["reserve"], drawn["psus"], drawn["strata"]) == (12, 6, 3, 3)
    for unit in units:
        assert (unit["p_1"], unit["N_1"], unit["n_1"]) == ("0.5", "2", "1")
        assert (unit["p_2"], unit["N_2"], unit["n_2"]) == ("0.2", "20", "4")
        assert unit["probability"] == "0.1"
        assert unit["psu"] == unit["village"]
        assert "name" not in unit
        assert frame.contact(hub, "unit", unit["id"])["name"].startswith("Người")
    by_village = {unit["village"]: unit["assignee"] for unit in units}
    assert sorted(by_village.values()) == ["phoa", "phoa", "plan"]


def test_the_round_names_its_frame_and_how_it_was_drawn_and_its_signature_still_holds(hub: Store, drawn: dict):
    document = frame.round_document(hub, "r1")
    assert document["frame_columns"] == ["commune", "commune_name", "village", "persons"]
    assert set(document["draw"]) == {"seed", "strata", "stages"}
    assert document["draw"]["seed"] == "7"
    assert rounds.signed_by(document) == drawn["fingerprint"]


def test_a_second_draw_is_refused(on_hub: Survey, hub: Store, drawn: dict):
    before = frame.units(hub, "r1")
    result = on_hub("sample", "draw", "--seed", "8", *STAGES)
    assert result.exit_code == 2
    assert "this round has a sample already" in result.stderr
    assert frame.units(hub, "r1") == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--stage", "take=x"], "'take=x' is not understood"),
        (["--stage", "take=3 method=dice"], "'method=dice' is not understood"),
        (["--stage", "village take=2"], "every stage but the last names its clusters, the last one draws rows"),
        (["--stage", "reserve=2"], "needs one of take= and total="),
        (["--stage", "take=500"], "has 120 units, but 500 main and 0 reserve are to be drawn"),
        (["--strata", "ward", "--stage", "take=1"], "column ward: the frame has no such column"),
        (["--stage", "take=1", "--assign", "pnobody"], "--assign pnobody: there is no person with this id"),
    ],
)
def test_a_draw_that_cannot_be_made_is_told_and_writes_nothing(
    on_hub: Survey, hub: Store, tiny: Path, frame_file: Path, arguments: list[str], message: str
):
    on_hub("round", "create", "r1", "--questionnaire", tiny, "--title", "Đợt một")
    on_hub("frame", "import", frame_file)
    result = on_hub("sample", "draw", "--seed", "7", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert frame.units(hub, "r1") == []


# -- round --------------------------------------------------------------------------------------------------------


def test_a_laptop_loads_a_round_after_its_key_was_compared(
    on_hub: Survey, survey: Survey, hub: Store, device: Store, drawn: dict, round_file: Path
):
    round_file.parent.mkdir()
    exported = json.loads(on_hub("round", "export", round_file, "--json").stdout)
    assert exported["fingerprint"] == drawn["fingerprint"]
    asked = survey("round", "import", round_file, input="y\n")
    assert asked.exit_code == 0, asked.output
    assert rounds.read_aloud(drawn["fingerprint"]) in asked.stderr
    assert [document["id"] for document in frame.rounds(device)] == ["r1"]
    assert len(frame.units(device, "r1")) == 18
    assert frame.person(device, "phoa") is not None
    document = frame.round_document(device, "r1")
    assert frame.questionnaire(device, document["questionnaire_hash"]) == frame.questionnaire(
        hub, document["questionnaire_hash"]
    )
    # Confirmed once, the key is known: a later file of the same hub is taken without a question.
    assert survey("round", "import", round_file).exit_code == 0


def test_the_key_is_confirmed_in_vietnamese_too_and_what_is_no_answer_is_asked_again(
    on_hub: Survey, survey: Survey, device: Store, drawn: dict, round_file: Path
):
    round_file.parent.mkdir()
    on_hub("round", "export", round_file)
    asked = survey("round", "import", round_file, "--lang", "vi", input="đúng\ncó\n")
    assert asked.exit_code == 0, asked.output
    assert asked.stderr.count("[c/K]") == 2
    assert "Gõ c (có) hoặc k (không)." in asked.stderr
    assert [document["id"] for document in frame.rounds(device)] == ["r1"]


def test_a_round_that_nobody_confirms_is_not_loaded(
    on_hub: Survey, survey: Survey, device: Store, drawn: dict, round_file: Path
):
    round_file.parent.mkdir()
    on_hub("round", "export", round_file)
    for arguments, answer in ((), "n\n"), ((), "không\n"), ((), "\n"), ((), ""), (("--fingerprint", "AB12 CD34"), None):
        result = survey("round", "import", round_file, *arguments, input=answer)
        assert result.exit_code == 2
    assert "the round is signed by another key" in result.stderr
    assert frame.rounds(device) == []
    assert rounds.confirmed(device) == set()


def test_the_fingerprint_may_be_typed_as_it_was_read_aloud(
    on_hub: Survey, survey: Survey, device: Store, drawn: dict, round_file: Path
):
    round_file.parent.mkdir()
    on_hub("round", "export", round_file)
    aloud = rounds.read_aloud(drawn["fingerprint"])
    assert survey("round", "import", round_file, "--fingerprint", aloud).exit_code == 0
    assert len(frame.rounds(device)) == 1


def test_a_damaged_round_file_is_refused_whole(
    on_hub: Survey, survey: Survey, device: Store, drawn: dict, round_file: Path
):
    round_file.parent.mkdir()
    on_hub("round", "export", round_file)
    content = bytearray(round_file.read_bytes())
    content[len(content) // 2] ^= 1
    round_file.write_bytes(content)
    result = survey("round", "import", round_file, "--fingerprint", drawn["fingerprint"])
    assert result.exit_code == 2
    assert "damaged or cut" in result.stderr
    assert frame.rounds(device) == []


def test_a_round_with_a_changed_word_no_longer_bears_its_signature(hub: Store, drawn: dict, tmp_path: Path):
    document = frame.round_document(hub, "r1")
    frame.issue(hub, "round", "r1", {**document, "level": 0.5})
    exchange.export(hub, tmp_path / "usb", everything=True)
    (bundle,) = (tmp_path / "usb" / "bundles").iterdir()
    with pytest.raises(VerifyError, match="the signature of the round does not hold"):
        rounds.rounds_in(bundle)


def test_a_bundle_without_a_round_is_no_round_file(survey: Survey, device: Store, tmp_path: Path):
    path = exchange.export(device, tmp_path).path
    result = survey("round", "import", path)
    assert result.exit_code == 2
    assert "there is no round in this file" in result.stderr


def test_show_counts_units_and_interviews_and_names_the_key(on_hub: Survey, drawn: dict):
    shown = json.loads(on_hub("round", "show", "--json").stdout)
    assert shown["units"] == {"main": 12, "reserve": 6}
    assert shown["fingerprint"] == drawn["fingerprint"]
    assert shown["fingerprint_confirmed"] is True
    told = on_hub("round", "show", "--lang", "vi").stdout
    assert "tên đợt: Đợt một" in told
    assert "đơn vị mẫu: 12 chính thức, 6 dự phòng" in told
    assert "phiếu: 0" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["r1"], "there is a round with this id"),
        (["2026"], "an id begins with a letter"),
        (["r2", "--starts", "2026-05-01", "--ends", "2026-04-01"], "the last day is before the first"),
        (["r2", "--questionnaire", "papi_2018"], "this has an index and no questions"),
        (["r2", "--level", "95"], "--level"),
    ],
)
def test_a_round_that_cannot_be_is_told(
    on_hub: Survey, hub: Store, drawn: dict, tiny: Path, arguments: list[str], message: str
):
    result = on_hub("round", "create", "--questionnaire", tiny, "--title", "Đợt", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert [document["id"] for document in frame.rounds(hub)] == ["r1"]


def test_with_several_rounds_one_must_be_named(on_hub: Survey, drawn: dict, tiny: Path):
    on_hub("round", "create", "r2", "--questionnaire", tiny, "--title", "Đợt hai")
    result = on_hub("round", "show")
    assert result.exit_code == 2
    assert "there are 2 rounds on this machine; choose one: r1, r2" in result.stderr
    assert on_hub("round", "show", "--round", "r2").exit_code == 0


# -- device -------------------------------------------------------------------------------------------------------


def states(survey: Survey) -> dict[str, str]:
    return {row["id"]: row["state"] for row in json.loads(survey("device", "list", "--json").stdout)}


def test_a_laptop_is_enrolled_with_the_round_key_and_can_be_revoked(
    on_hub: Survey, hub: Store, device: Store, drawn: dict, tmp_path: Path
):
    exchange.export(device, tmp_path / "usb")
    exchange.sync(hub, [tmp_path / "usb"])
    assert states(on_hub)[device.device] == "not enrolled"
    assert on_hub("device", "enrol", device.device[:8], "--name", "Máy 3").exit_code == 0
    assert states(on_hub)[device.device] == "enrolled"
    document = frame.document(hub, "device", device.device)
    assert document is not None
    assert rounds.certified_by(document) == drawn["fingerprint"]
    assert document["name"] == "Máy 3"
    assert f"device {device.device}" not in {finding.where for finding in current.findings(hub)}
    assert on_hub("device", "revoke", device.device, "--reason", "Mất máy").exit_code == 0
    assert states(on_hub)[device.device] == "revoked"
    # Enrolling all does not bring back a laptop that someone took out; the hub enrolled itself with its round.
    assert json.loads(on_hub("device", "enrol", "--all", "--json").stdout) == []
    assert states(on_hub)[hub.device] == "enrolled"


def test_a_certificate_of_another_key_is_no_enrolment(hub: Store, drawn: dict, tmp_path: Path):
    with Store.create(tmp_path / "other", "hub") as other:
        rounds.round_key(other.folder, create=True)
        foreign = rounds.enrol(other, frame.devices(other)[0])
    assert not rounds.is_enrolled(hub, foreign)


def test_enrolment_needs_a_round_and_a_known_laptop(on_hub: Survey, hub: Store):
    assert "this machine has no round key" in on_hub("device", "enrol", hub.device).stderr
    assert "no laptop's id begins so" in on_hub("device", "enrol", "dffff").stderr
    assert "name laptops or --all" in on_hub("device", "enrol").stderr
