"""What is wrong with a questionnaire, said in words with sheet, row and column; all of it at once.

Errors keep a questionnaire from being used; remarks are worth a look.
"""

from __future__ import annotations

import re

from survey.errors import Problem
from survey.questionnaire.form import compiled, cycle_words
from survey.questionnaire.model import Questionnaire
from survey.questionnaire.sheets import Book
from survey.text import Text


class Refused(Exception):
    """pyxform does not take the sheets; its own words."""


def sheet_problems(book: Book) -> tuple[list[Problem], list[Problem]]:
    """Errors and remarks that can be told from the sheets alone."""
    return [], []


def pyxform_problem(book: Book, refused: Refused, known: list[Problem]) -> Problem | None:
    """What pyxform says, with its row and sheet."""
    text = str(refused)
    row = re.search(r"\[row : (\d+)\]", text)
    place = book.place("survey", int(row.group(1)) if row else None)
    return Problem(place, Text(f"pyxform: {text}", f"pyxform: {text}"))


def compiled_problems(book: Book, questionnaire: Questionnaire) -> tuple[list[Problem], list[Problem]]:
    """Errors and remarks about expressions: what does not compile, and what goes round in circles."""
    form = compiled(questionnaire)
    found = [Problem(book.place("survey", node.row, kind), error.what) for node, kind, error in form.faults]
    for cycle in form.cycles:
        node = cycle[0].of.node
        found.append(Problem(book.place("survey", node.row if node else None), cycle_words(cycle)))
    return found, []


def index_problems(book: Book, questionnaire: Questionnaire) -> list[Problem]:
    """What the check of the ``index`` sheet finds."""
    from survey.questionnaire import index_sheet

    if "index" not in book.sheets:
        return []
    _, problems = index_sheet.parse(
        book.rows("index"), questionnaire if questionnaire.nodes else None, book.place("index")
    )
    return list(problems)
