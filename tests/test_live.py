"""The index so far: marked provisional, needed interviews by the interval, nobody's own commune, roles."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from click.testing import Result

from analysis import dataset
from analysis.live import live
from analysis.scores import score
from survey import create_app
from survey.errors import InputError
from survey.store import Store, frame
from survey.sync import rounds
from tests import field, forms
from tests.field import PIN, Clock, Visitor

Survey = Callable[..., Result]
PEOPLE = (
    ("pstat", "Trần Văn Bình", ["statistician"]),
    ("psup", "Nguyễn Thị Lan", ["supervisor"]),
    ("phoa", "Lò Thị Hoa", ["enumerator"]),
)
CHOICES = """
    list_name | name | label
    scale     | 1    | Bad
    scale     | 2    | Neither
    scale     | 3    | Good
"""
SURVEY = """
    type             | name | label
    select_one scale | q1   | One
    select_one scale | q2   | Two
"""
INDEX = """
    code | parent | label::Tiếng Việt (vi) | label::English (en) | combine | from | to    | question | score
    ALL  |        | Hài lòng chung         | Overall             | mean    | 0..1 | 0..100 |          |
    A    | ALL    | Một                    | One                 |         | 0..1 | 0..1  | q1       | 1=0 2=0.5 3=1
    B    | ALL    | Hai                    | Two                 |         | 0..1 | 0..1  | q2       | 1=0 2=0.5 3=1
"""


def fill(hub: Store) -> None:
    """Gives a hub interviews of two communes, forty and twelve, in villages of four."""
    form = forms.form(SURVEY, choices=CHOICES, index=INDEX)
    field.set_up(hub, form, PEOPLE)
    for unit in ("u1", "u2", "u3", "u4"):
        frame.issue(hub, "unit", unit, {"id": unit, "round": "gone"})
    rounds.issue_round(hub, {"id": "r1", "title": {"vi": "Đợt"}, "questionnaire_hash": form.hash, "index": form.id})
    source = random.Random(4)
    with hub.transaction():
        for number in range(52):
            commune = "03646" if number < 40 else "03650"
            unit = f"w{number:02d}"
            body = {**field.unit_document(unit, number + 1), "round": "r1", "commune": commune}
            body |= {"commune_name": f"xã {commune}", "psu": f"{commune}-{number // 4}", "stratum": commune}
            frame.issue(hub, "unit", unit, {**body, "probability": "0.1"})
            given = {path: source.choice("122333") for path in ("q1", "q2")}
            field.sealed(hub, unit, form, dict(given))


@pytest.fixture
def office(hub: Store) -> Store:
    """A hub with these interviews."""
    fill(hub)
    return hub


def test_areas_have_the_scores_of_the_index_and_say_what_n_would_do(office: Store):
    data = dataset.load(office, "r1", ("sealed", "approved"))
    found = live(data, margin=5.0)
    plain = score(data.table, data.index, data.design, "commune", total=True)
    rows = {row.domain: row for row in plain.table[plain.table["code"] == "ALL"].itertuples()}
    assert [area.domain for area in found.areas] == ["03646", "03650", "all"]
    for area in found.areas:
        row = rows[area.domain]
        assert (area.estimate, area.low, area.high) == pytest.approx((row.estimate, row.low, row.high))
        assert area.effective == pytest.approx(row.n / row.deff)
        assert area.margin is not None
        assert area.needed is not None
        # With so many, and all else as it is, half of the interval would be the wanted five points.
        assert area.margin * (area.n / max(area.needed, area.n)) ** 0.5 <= 5.0 + 1e-9
        assert (area.more == 0) == (area.margin <= 5.0)
    assert live(data).wanted == 3.0
    assert live(data, code="A", margin=0.1).label.vi == "Một"
    with pytest.raises(InputError):
        live(data, code="Z")


def test_nobodys_own_commune_is_in_any_figure(office: Store):
    data = dataset.load(office, "r1", ("sealed", "approved"))
    closed = {f"w{number:02d}" for number in range(40)}
    found = live(data, closed=closed)
    assert ([area.domain for area in found.areas], found.left_out) == (["03650", "all"], 40)
    assert found.areas[0].estimate == found.areas[1].estimate
    with pytest.raises(InputError):
        live(data, closed=closed | {f"w{number:02d}" for number in range(40, 52)})


def test_one_village_alone_has_a_score_and_no_interval(office: Store):
    data = dataset.load(office, "r1", ("sealed", "approved"))
    found = live(data, closed={f"w{number:02d}" for number in range(4, 52)})
    assert found.areas[0].n == 4
    assert found.areas[0].estimate is not None
    assert found.areas[0].needed is None


def test_the_command_says_that_it_is_provisional(survey: Survey, office: Store):
    told = survey("live", "--margin", "5", "--round", "r1", "--instance", office.folder)
    assert (told.exit_code, "Not for publication" in told.output) == (0, True)
    said = json.loads(survey("live", "--round", "r1", "--json", "--instance", office.folder).output)
    assert (said["provisional"], len(said["areas"])) == (True, 3)
    assert survey("live", "--round", "r1", "--as", "psup", "--instance", office.folder).exit_code == 2


def test_the_page_is_for_those_who_steer(office: Store):
    clock = Clock()
    office.close()
    app = create_app(office.folder, clock)
    steering = Visitor(app)
    steering.sign_in("pstat", PIN)
    page = steering.get("/live", round="r1", margin="5").text
    assert "Không công bố" in page
    assert "xã 03646" in page
    assert "phải là số lớn hơn 0" in steering.get("/live", round="r1", margin="viel").text
    for user in ("psup", "phoa"):
        visitor = Visitor(app)
        visitor.sign_in(user, PIN)
        assert visitor.get("/live").status_code == 403


def test_a_round_without_finished_interviews_says_so_in_words(hub: Store):
    field.set_up(hub, field.small())
    with field.running(hub.folder) as app:
        visitor = Visitor(app)
        visitor.sign_in(field.BINH)
        page = visitor.get("/live").text
    assert "<p>Chưa có phiếu nào hoàn thành. Nhận phiếu của các máy trước.</p>" in page
