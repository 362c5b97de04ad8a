"""Every page of every published XLSForm that we can show: no error, and what cannot be asked was named by ``check``."""

from __future__ import annotations

import re

import pytest

from survey import create_app
from survey.questionnaire import xlsform
from survey.store import Store, frame
from survey.web import forms
from tests import field, outside
from tests.field import Interviewer

FOLDER = outside.walks_folder()
FORMS = sorted(FOLDER.joinpath("forms").glob("*.xls*")) if FOLDER else []


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Interviewer:
    """One laptop with a round and a unit for each form."""
    if not FORMS:
        outside.missing("the folder of XLSForm walks")
    folder = tmp_path_factory.mktemp("forms") / "instance"
    with Store.create(folder, "device", name="laptop") as store:
        field.set_up(store, field.small())
        for number, file in enumerate(FORMS):
            questionnaire = xlsform.load(file)
            frame.issue(store, "questionnaire", questionnaire.hash, questionnaire.to_json())
            document = {"id": f"r{number}", "title": {"vi": file.stem}, "questionnaire_hash": questionnaire.hash}
            frame.issue(store, "round", f"r{number}", document)
            frame.issue(
                store, "unit", f"f{number}", {**field.unit_document(f"f{number}", number), "round": f"r{number}"}
            )
    visitor = Interviewer(create_app(folder))
    visitor.sign_in(field.HOA)
    return visitor


@pytest.mark.parametrize("number", range(len(FORMS)), ids=[file.stem for file in FORMS])
def test_every_page_of_a_published_form_opens(laptop: Interviewer, number: int) -> None:
    questionnaire, problems = xlsform.check(FORMS[number])
    assert questionnaire is not None
    laptop.start(f"f{number}")
    seen, place = set(), 1
    while (page := laptop.open(place)).status_code == 200:
        seen |= set(re.findall(r'name="question" value="([^"]+)"', page.text))
        place += 1
    assert page.status_code == 404
    assert place > 1
    assert laptop.get(f"/interviews/{laptop.interview}/finish").status_code == 200
    assert seen or not any(node.control for node in questionnaire.walk())
    named = " ".join(problem.what.en for problem in problems)
    for node in questionnaire.walk():
        if node.kind == "question" and node.control and forms.kind(node) is forms.UNKNOWN:
            assert f"“{node.type}” is not supported" in named, node.path


def test_all_published_forms_are_there() -> None:
    if not FORMS:
        outside.missing("the folder of XLSForm walks")
    assert len(FORMS) >= 60
