"""The board: what it counts is what the store says, whoever wrote and whatever was late, wrong or missing."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survey.fieldwork.dispositions import Case, grouped_rates, rates
from survey.fieldwork.pace import behind, pace
from survey.store import Store, board, current, drafts, feed, fieldlog, frame, lists, progress, whereabouts
from survey.store.where import FLAGGED, Where
from survey.store.words import Words
from survey.sync import exchange
from survey.text import Text, fold
from tests import field, laptops
from tests.field import HOA, LAN, ROUND


@pytest.fixture
def office(hub: Store) -> Store:
    field.set_up(hub, field.small())
    return hub


def place(unit: str, order: int, commune: str, village: str, who: str = HOA) -> dict[str, object]:
    names = {"commune_name": f"xã {commune}", "village_name": f"bản {village}"}
    return {**field.unit_document(unit, order), "commune": commune, "village": village, **names, "assignee": who}


def visit(store: Store, unit: str, code: str, time: str = "2026-11-20T09:00:00+07:00", interview: str = "") -> None:
    document = {"id": (id := frame.new_id("visit")), "unit": unit, "round": ROUND, "disposition": code, "time": time}
    frame.issue(store, "visit", id, {**document, **({"interview": interview} if interview else {})})


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    tables = ("board_units", "board_places", "board_people")
    found = {table: store.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}
    # The number of an interview is the index's own.
    found["board_interviews"] = [
        (*row[1:], tuple(words))
        for row, *words in (
            (row, *store.execute("SELECT * FROM board_words WHERE rowid = ?", (row[0],)).fetchone())
            for row in store.execute("SELECT * FROM board_interviews ORDER BY interview").fetchall()
        )
    ]
    assert store.value("SELECT count(*) FROM board_words") == len(found["board_interviews"])
    store.execute("INSERT INTO board_words (board_words) VALUES ('integrity-check')")
    for table in ("count_units", "count_interviews", "count_days", "count_safe", "count_devices"):
        names = [name for _, name, *_ in store.execute(f"PRAGMA table_info({table})") if name != "n"]
        source = "board_units" if table == "count_units" else "board_interviews"
        columns = [{"flagged": "calm < 0", "once": "approvals = 1"}.get(name, name) for name in names]
        where = "WHERE counted" if table == "count_units" else ""
        listed = ", ".join(columns)
        counted = store.execute(
            f"SELECT {listed}, count(*) FROM {source} {where} GROUP BY {listed} ORDER BY {listed}"
        ).fetchall()
        held = store.execute(f"SELECT * FROM {table} WHERE n <> 0 ORDER BY {', '.join(names)}").fetchall()
        assert held == counted, table
        found[table] = held
    return found


def indexes(store: Store) -> set[str]:
    return {name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger')")}


def counted(store: Store, by: str, **where: str) -> dict[str, progress.Group]:
    board.refresh(store)
    return {one.key: one for one in progress.groups(store, Where(round=ROUND, **where), by)}


def test_what_is_brought_up_to_date_step_by_step_is_what_is_made_anew(office: Store) -> None:
    board.refresh(office)
    before = indexes(office)
    first = field.sealed(office, "u1", field.small())
    visit(office, "u2", "2.24")
    board.refresh(office)
    current.decide(office, first, "returned", reason="hỏi lại tuổi", actor=LAN)
    frame.issue(office, "unit", "u3", place("u3", 3, "03650", "03650-01", "pkhac"), {"name": "Lường Thị Phượng"})
    drafts.start(office, "u3", field.small().hash, HOA)
    board.refresh(office)
    visit(office, "u4", "1.1")
    field.torn(office, field.sealed(office, "u2", field.small()))
    board.refresh(office)
    step_by_step = rows(office)
    board.forget(office)
    assert rows(office)["board_units"] == []
    board.refresh(office)
    assert rows(office) == step_by_step
    assert not office.value("SELECT count(*) FROM stale_units")
    current.rebuild(office)
    seen = [board.being_made(office)]
    while not board.refresh(office, seconds=0):
        with Store.open(office.folder) as other:  # whoever comes next goes on
            board.refresh(other, seconds=0)
            seen.append(board.being_made(other))
    assert seen[0] == (0, 4)
    assert (4, 4) in seen
    assert board.being_made(office) is None
    assert rows(office) == step_by_step
    assert indexes(office) == before


def test_units_and_rates_are_those_that_the_fieldwork_commands_tell(office: Store) -> None:
    for number in range(5, 40):
        frame.issue(office, "unit", f"u{number}", place(f"u{number}", number, f"036{number % 3}", f"v{number % 5}"))
    for number, code in enumerate(("2.112", "2.24", "4.61", "3.18", "0.2", "2.25", "1.2", "0.1"), start=5):
        visit(office, f"u{number}", code)
        visit(office, f"u{number + 8}", code)
        visit(office, f"u{number + 8}", "2.24", "2026-11-21T09:00:00+07:00")
    for number in range(25, 34):
        interview = field.sealed(office, f"u{number}", field.small())
        if number % 3 == 0:
            visit(office, f"u{number}", "1.1", interview=interview)
            current.decide(office, interview, "voided", reason="nhầm hộ", actor=LAN)
    fieldlog.write(office, fieldlog.REPLACEMENT, {"replaces": "u1"}, round=ROUND, unit="u4")
    cases = fieldlog.cases(office, ROUND)
    told = grouped_rates(Case(code, str(unit["commune"])) for unit, code in cases)
    found = counted(office, "commune")
    assert sum(one.units for one in found.values()) == len(cases)
    whole = progress.Group("")
    for commune, one in found.items():
        ours = rates(one.codes, told[""].e, one.codes.values())
        assert (ours.counts, ours.open, ours.rates) == (told[commune].counts, told[commune].open, told[commune].rates)
        whole.add(one)
    assert whole.main == sum(unit["list"] == "main" for unit, _ in cases)
    assert whole.done == sum(row["state"] in progress.FINISHED for row in current.interviews(office, ROUND))


def test_a_hub_counts_where_interviews_are_as_the_evidence_says(hub: Store, tmp_path: Path) -> None:
    field.set_up(hub, field.small())
    one = field.sealed(hub, "u1", field.small())
    field.torn(hub, field.sealed(hub, "u2", field.small()))
    with Store.create(tmp_path / "province", "hub", tier="province", name="tỉnh") as province:
        exchange.export(hub, tmp_path / "stick", plain=True)
        exchange.sync(province, [tmp_path / "stick"])
        exchange.sync(hub, [tmp_path / "stick"])
    field.sealed(hub, "u3", field.small())
    assert whereabouts.whereabouts(hub) == {"device": 3, "supervisor": 3, "province": 2, "ministry": 0}
    kept = whereabouts.reached(hub)
    assert kept[one] == ["supervisor", "province"]
    assert sum("province" in tiers for tiers in kept.values()) == 2
    assert [row["unit"] for row in lists.interviews(hub, Where(missing="province")).rows] == ["u3"]


def test_every_page_of_a_list_begins_where_the_last_one_ended_and_back(office: Store) -> None:
    for number in range(1, 24):
        frame.issue(office, "unit", f"m{number}", place(f"m{number}", number, f"c{number % 2}", f"v{number % 4}"))
        field.sealed(office, f"m{number}", field.small())
    board.refresh(office)
    for order in lists.ORDERS:
        seen: list[str] = []
        page = lists.interviews(office, Where(round=ROUND), order=order, limit=5)
        assert not page.before
        while True:
            seen += [row["interview"] for row in page.rows]
            if not page.after:
                break
            page = lists.interviews(office, Where(round=ROUND), order=order, after=seen[-1], limit=5)
        assert len(seen) == len(set(seen)) == 23
        back = lists.interviews(office, Where(round=ROUND), order=order, before=seen[-3], limit=5)
        assert [row["interview"] for row in back.rows] == seen[-8:-3]
    assert len(lists.interviews(office, Where(round=ROUND, commune="c1")).rows) == 12


def test_what_speaks_for_reading_comes_first(office: Store) -> None:
    calm = field.sealed(office, "u1", field.small())
    interview = drafts.start(office, "u2", field.small().hash, HOA)
    given = {"a/age": "104"}
    drafts.save(office, interview, given)
    drafts.keep(office, interview, "a/age", "đã xem thẻ căn cước")
    drafts.comment(office, interview, "a/age", "cụ rất minh mẫn")
    drafts.seal(office, interview, given, {}, {}, {}, HOA)
    twice = [field.sealed(office, "u3", field.small()) for _ in range(2)]
    board.refresh(office)
    queue = [row["interview"] for row in lists.interviews(office, Where(state="sealed"), order="risk").rows]
    assert sorted(queue[:2]) == sorted(twice)
    assert queue[2:] == [interview, calm]
    assert len(lists.interviews(office, Where(state=FLAGGED)).rows) == 3
    current.decide(office, twice[0], "voided", reason="nhập hai lần", actor=LAN)
    board.refresh(office)
    assert len(lists.interviews(office, Where(state=FLAGGED)).rows) == 1


def found(store: Store, query: str, *, named: bool = True) -> list[str]:
    """The units of the interviews that are found by some words."""
    return [row["unit"] for row in lists.interviews(store, Where(), words=Words(query, named)).rows]


def test_an_erased_name_is_gone_from_what_is_searched_at_once(office: Store) -> None:
    field.sealed(office, "u1", field.small())
    board.refresh(office)
    assert found(office, "dang hoa") == ["u1"]
    current.erase(office, "unit", "u1", LAN, "theo yêu cầu")
    assert found(office, "dang hoa") == found(office, "dang") == []


def test_contact_data_are_searched_only_for_those_who_may_know_them(office: Store) -> None:
    field.sealed(office, "u1", field.small())
    board.refresh(office)
    assert found(office, "Đặng Thị Hoà") == ["u1"]
    assert found(office, "Đặng Thị Hoà", named=False) == []
    # No word of the query is taken for a column, a bracket or an operator.
    assert found(office, 'name:dang "dang" OR {name}:dang', named=False) == []
    for query in ('"', "*", "(", "NOT", "a AND", "{name} : hoa", "-hoa", "^hoa", "hoa*", "\0", "'"):
        assert found(office, query, named=False) == []


def test_who_interviewed_is_found_by_the_name_of_today(office: Store) -> None:
    field.sealed(office, "u1", field.small())
    board.refresh(office)
    known = frame.person(office, HOA)
    assert known is not None
    frame.issue(office, "user", HOA, {**known, "name": "Giàng Thị Đua"})
    board.refresh(office)
    assert found(office, "giang dua", named=False) == ["u1"]
    assert found(office, known["name"], named=False) == []
    current.erase(office, "user", HOA, LAN, "theo yêu cầu")
    assert found(office, "giang dua", named=False) == []


SYLLABLES = [
    "Nguyễn",
    "Đặng",
    "Đỗ",
    "Hoà",
    "Hòa",
    "Lò",
    "Lương",
    "Lường",
    "Ưng",
    "Ửng",
    "Thuỷ",
    "Thủy",
    "đá",
    "Ðan",
    "A-ma",
    "K'Brơi",
    "Y.Moan",
    "12/4",
    "Quý",
    "7",
]
NAMES = st.lists(st.sampled_from(SYLLABLES) | st.text(max_size=4), max_size=4).map(" ".join)
FORMS = st.sampled_from(("NFC", "NFD", "NFKD"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.tuples(NAMES, NAMES), min_size=4, max_size=4),
    queries=st.lists(st.tuples(NAMES, FORMS), min_size=1, max_size=8),
    cut=st.integers(0, 3),
)
def test_the_index_finds_what_looking_through_every_word_finds(
    office: Store, names: list[tuple[str, str]], queries: list[tuple[str, str]], cut: int
) -> None:
    with office.transaction():
        for number, (called, village) in enumerate(names, start=1):
            document = {**place(f"u{number}", number, "03650", "v"), "village_name": village}
            frame.issue(office, "unit", f"u{number}", document, {"name": called})
            if not office.value("SELECT 1 FROM interviews WHERE unit = ?", (f"u{number}",)):
                field.sealed(office, f"u{number}", field.small())
    board.refresh(office)
    person = fold(str((frame.person(office, HOA) or {})["name"])).split()
    for query, form in [*queries, *((called[: len(called) - cut], "NFD") for called, _ in names)]:
        looked = unicodedata.normalize(form, query)
        for named in (True, False):
            expected = []
            for number, (called, village) in enumerate(names, start=1):
                place_words = [*fold(f"xã 03650 {village or 'v'} {number}").split(), "son", "la"]
                has = [*place_words, *person, *(fold(called).split() if named else [])]
                if all(any(word.startswith(part) for word in has) for part in fold(looked).split()):
                    expected.append(f"u{number}")
            assert sorted(found(office, looked, named=named)) == expected, (looked, named)


def test_an_interview_without_unit_or_round_is_listed_and_counted_nowhere(office: Store) -> None:
    laptops.interview(office, unit="nowhere")
    board.refresh(office)
    assert [row["unit"] for row in lists.interviews(office, Where()).rows] == ["nowhere"]
    assert all("" not in one.states for one in progress.groups(office, Where(round=ROUND), "commune"))


def test_while_another_program_writes_the_board_stays_as_it_was(office: Store) -> None:
    board.refresh(office)
    field.sealed(office, "u1", field.small())
    with Store.open(office.folder) as other, other.transaction():
        assert board.refresh(office) is False
        assert counted_now(office) == 0
    assert board.refresh(office)
    assert counted_now(office) == 1


@pytest.mark.parametrize("subject_type", ["visit", "unit", "user", "device", "round", "questionnaire"])
@pytest.mark.parametrize("content", [b"not json", b"[1]", b'"\\ud800"'])
def test_a_document_that_a_machine_wrote_wrong_keeps_no_page_from_the_rest(
    office: Store, device: Store, tmp_path: Path, subject_type: str, content: bytes
) -> None:
    units = frame.units(office)
    # Signed by a machine that came with its key: whatever it says is merged.
    feed.append(device, subject_type=subject_type, subject="wrong", kind="issued", parts={"document": content})
    exchange.export(device, tmp_path)
    assert exchange.sync(office, [tmp_path]).new
    assert board.refresh(office)
    assert frame.units(office) == units
    assert all(frame.documents(office, name) for name in ("unit", "user", "device", "round", "questionnaire"))
    assert frame.questionnaires(office)
    assert frame.visits(office) == []
    assert {found.kind for found in current.findings(office)} <= {"uncertified"}
    assert current.verify(office).problems == []


def test_what_only_a_damaged_list_told_leaves_the_board_when_the_lists_are_made_anew(office: Store) -> None:
    field.sealed(office, "u1", field.small())
    names = [name for _, name, *_ in office.execute("PRAGMA table_info(interviews)")]
    other = ["'ghost'" if name in ("interview", "unit") else name for name in names]
    office.execute(f"INSERT INTO interviews SELECT {', '.join(other)} FROM interviews")
    board.refresh(office)
    assert counted_now(office) == 2
    current.rebuild(office)
    board.refresh(office)
    assert counted_now(office) == 1


def counted_now(store: Store) -> int:
    return len(lists.interviews(store, Where()).rows)


# -- pace ---------------------------------------------------------------------------------------------------------

TODAY = date(2026, 11, 20)


def test_the_pace_says_what_is_left_what_is_needed_and_when_it_ends() -> None:
    speed = pace({"2026-11-19": 10, "2026-11-20": 18}, 100, "2026-11-01", "2026-11-25", TODAY)
    assert (speed.left, speed.per_day, speed.days_left, speed.needed) == (72, 4, 6, 12)
    assert speed.finish == date(2026, 12, 8)
    assert speed.late


def test_a_round_that_just_began_is_measured_by_its_own_days() -> None:
    assert pace({"2026-11-20": 6, "2026-11-19": 6}, 60, "2026-11-19", "", TODAY).per_day == 6


def test_days_of_wrong_clocks_are_told_and_make_no_pace() -> None:
    speed = pace({"1970-01-01": 3, "2031-05-01": 4, "": 1, "2026-11-20": 7}, 20, "2026-11-01", "2026-12-01", TODAY)
    assert (speed.odd, speed.per_day, speed.left) == (8, 1, 5)


def test_without_targets_dates_or_interviews_nothing_is_promised() -> None:
    speed = pace({}, 0, "", "", TODAY)
    assert (speed.left, speed.needed, speed.days_left, speed.late) == (0, None, None, False)
    speed = pace({}, 50, "2026-11-01", "2026-11-10", TODAY)
    assert (speed.finish, speed.needed, speed.late) == (None, None, True)


@pytest.mark.parametrize(
    ("done", "target", "late"), [(0, 20, True), (9, 20, True), (15, 20, False), (0, 0, False), (1, 1, False)]
)
def test_who_is_behind_is_measured_by_the_calendar(done: int, target: int, late: bool) -> None:
    assert behind(done, target, "2026-11-01", "2026-11-25", TODAY) is late
    assert not behind(done, target, "", "2026-11-25", TODAY)
    assert not behind(done, target, "2026-11-19", "2026-12-25", TODAY)


def test_what_quality_found_leads_the_queue_until_it_finds_otherwise(office: Store) -> None:
    one, other = (field.sealed(office, unit, field.small()) for unit in ("u1", "u2"))
    board.refresh(office)
    told = Text("làm trong 2 phút", "took 2 minutes")

    def queue() -> list[tuple[str, int]]:
        found = lists.interviews(office, Where(state="sealed"), order="risk").rows
        return [(row["interview"], row["calm"]) for row in found]

    board.note_signs(office, ROUND, [board.Sign(other, "short", told, 3), board.Sign(other, "run", told, 2)])
    assert queue() == [(other, -50), (one, 0)]
    assert [sign.name for sign in board.signs(office, [other])[other]] == ["short", "run"]
    board.forget(office)
    board.refresh(office)
    assert queue() == [(other, -50), (one, 0)]
    board.note_signs(office, ROUND, [board.Sign(one, "short", told, 3)])
    assert queue() == [(one, -30), (other, 0)]
    assert rows(office)["count_interviews"]
