"""Every page of every published XLSForm that we can show: no error, and what cannot be asked was named by ``check``."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path as File

import pytest

from survey import create_app
from survey.questionnaire import xlsform
from survey.store import Store, frame
from survey.web import forms
from survey.web.desk import Open
from survey.web.sections import Sheet, sheet
from tests import field, outside, walk_cases
from tests.field import Interviewer

FOLDER = outside.walks_folder()
FORMS = sorted(FOLDER.joinpath("forms").glob("*.xls*")) if FOLDER else []
RECORDED = {File(one["form"]).name: one for one in walk_cases.documents(FOLDER)} if FOLDER else {}


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


@pytest.mark.parametrize("number", range(len(FORMS)), ids=[file.stem for file in FORMS])
def test_a_page_kept_up_answer_by_answer_is_the_page_made_anew(laptop: Interviewer, number: int) -> None:
    document = RECORDED[FORMS[number].name]
    player = walk_cases.Player(document, FOLDER or File())
    kept: dict[str, Sheet] = {}
    with laptop.client.application.test_request_context():
        for step, _ in islice(walk_cases.states(document, document["walks"][-1]), 25):
            if step is not None:
                player.do(step)
            opened = Open({"interview": "x"}, {}, player.path)
            for section in player.path.sections:
                language = opened.questionnaire.default_language
                kept[section.path] = sheet(opened, section, language, {}, kept.get(section.path))
                anew = sheet(opened, section, language, {})
                assert kept[section.path].questions == anew.questions, step
                assert kept[section.path].blocks == anew.blocks, step


def test_all_published_forms_are_there() -> None:
    if not FORMS:
        outside.missing("the folder of XLSForm walks")
    assert len(FORMS) >= 60
