"""Every questionnaire that we ship, shown page by page in both languages, before and after it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from survey.fieldwork.respondent import Respondent, respond
from survey.questionnaire import xlsform
from survey.questionnaire.model import Questionnaire
from survey.questionnaire.path import Context, open_path
from survey.store import Store, drafts
from tests import field
from tests.field import HOA, Interviewer

SHIPPED = ("papi_2023", "sipas_2017", "sipas_2024", "sipas_2026")


@pytest.fixture(scope="module", params=SHIPPED)
def instrument(request: pytest.FixtureRequest) -> Questionnaire:
    """One instrument with questions."""
    return xlsform.load(request.param)


@pytest.fixture
def app(device: Store, instance: Path, instrument: Questionnaire) -> Iterator[Flask]:
    field.set_up(device, instrument)
    with field.running(instance) as app:
        yield app


def test_the_list_of_instruments_is_whole() -> None:
    with_questions = [name for name in xlsform.shipped() if xlsform.load(name).nodes]
    assert tuple(sorted(with_questions)) == SHIPPED


def test_every_page_shows_in_both_languages_empty_and_answered(
    device: Store, app: Flask, instrument: Questionnaire
) -> None:
    hoa = Interviewer(app)
    hoa.sign_in(HOA)
    hoa.start("u1")
    count = len(open_path(instrument, {}, Context()).sections)
    shown = [hoa.open(number) for number in range(1, count + 1)]
    answers = drafts.answers(device, hoa.interview)
    path = open_path(instrument, answers, Context(frame=field_columns(), interview=hoa.interview))
    for _, change in respond(path, Respondent(0.5, fixed={"consent": "yes", "adult": "yes"}), Random(2026)):
        path = change.path
    drafts.save(device, hoa.interview, path.answers)
    for language, word in (("vi", "đã lưu"), ("en", "saved")):
        hoa.post("/language", language=language, next="/today")
        answered = [hoa.open(number) for number in range(1, count + 1)]
        assert sum(word in page.text for page in answered) >= sum(s.answered > 0 for s in path.sections)
        shown += answered
    assert [page.status_code for page in shown] == [200] * len(shown)
    for page in shown:
        assert "${" not in page.text
        assert "chưa hỏi được loại câu này" not in page.text
    assert hoa.finish().request.path == "/today"
    assert drafts.draft(device, hoa.interview) is None


def field_columns() -> dict[str, str]:
    return {name: str(value) for name, value in field.unit_document("u1", 1).items()}
