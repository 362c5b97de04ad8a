"""The index sheet: what a row may say, and every way in which it can be wrong."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.questionnaire import base_rule
from survey.questionnaire.index_sheet import Score, parse

YES_NO = [SimpleNamespace(name=name, missing_kind="") for name in ("yes", "no")]
FIVE = [SimpleNamespace(name=name, missing_kind="") for name in "12345"]


def question(name, type_="select_one yn", list_name="yn", group=""):
    path = f"{group}/{name}" if group else name
    return SimpleNamespace(kind="question", name=name, path=path, type=type_, list_name=list_name, children=())


FORM = SimpleNamespace(
    nodes=(
        question("visited"),
        question("channel", "select_multiple yn"),
        SimpleNamespace(
            kind="group", name="g", path="g", children=(question("rating", "select_one five", "five", "g"),)
        ),
        SimpleNamespace(kind="repeat", name="hh", path="hh", children=(question("age", "integer", "", "hh"),)),
        question("minutes", "integer", ""),
    ),
    lists={"yn": YES_NO, "five": FIVE},
)


def said(rows, questionnaire=None):
    return [problem("en") for problem in parse(rows, questionnaire)[1]]


def test_a_row_becomes_a_node_with_its_labels_shares_and_ranges():
    rows = [
        {
            "code": "T",
            "parent": "",
            "label::Tiếng Việt (vi)": "Tổng",
            "label::English (en)": "Total",
            "combine": "share",
        },
        {"code": "D1", "parent": "T", "share": "0,5", "from": "0..1", "to": "1..10", "agency": "SNV SYT"},
    ]
    (total, first), problems = parse(rows)
    assert problems == []
    assert total.label == {"vi": "Tổng", "en": "Total"}
    assert (first.share, first.from_, first.to, first.row) == (0.5, (0.0, 1.0), (1.0, 10.0), 3)
    assert first.agency == ("SNV", "SYT")
    assert first.rescale() == (9.0, 1.0)


def test_reversed_ends_invert_the_scale():
    (node,), _ = parse([{"code": "I", "from": "1..4", "to": "10..1"}])
    slope, intercept = node.rescale()
    assert slope * 1 + intercept == pytest.approx(10)
    assert slope * 4 + intercept == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("1=1 2=0.5 3=0", Score("map", (("1", 1.0), ("2", 0.5), ("3", 0.0)))),
        ("4 5", Score("share", (("4", 1.0), ("5", 1.0)))),
        ("linear", Score("linear")),
        ("any 1 2", Score("any", (("1", 1.0), ("2", 1.0)))),
        ("count", Score("count")),
    ],
)
def test_every_way_to_score_an_answer(text, score):
    (node,), problems = parse([{"code": "I", "question": "q", "score": text}])
    assert problems == []
    assert node.score == score


def test_a_node_may_stand_below_several_parents():
    (_, _, node), problems = parse([{"code": "A"}, {"code": "B"}, {"code": "C", "parent": "A B"}])
    assert problems == []
    assert node.parents == ("A", "B")
    assert node.parent == "A B"


def test_all_problems_are_told_at_once_with_row_and_column():
    rows = [
        {"code": "T", "combine": "shares", "agencyy": ""},
        {"code": "D1", "parent": "TT", "share": "much", "from": "3..3", "to": "1..10"},
        {"code": "D1", "parent": "T", "question": "visited", "score": "yes=1 no", "base": "${visited} = "},
        {"code": "", "parent": "T"},
    ]
    where = [line.split(":")[0] for line in said(rows)]
    assert where == [
        "index, row 2, column combine",
        "index, row 3, column share",
        "index, row 3, column from",
        "index, row 4, column score",
        "index, row 4, column base",
        "index, row 5, column code",
        "index, row 1, column agencyy",
        "index, row 4, column code",
        "index, row 3, column parent",
        "index, row 3, column from",
    ]


def test_a_misspelt_option_is_answered_with_the_right_one():
    assert said([{"code": "T", "combine": "poled"}]) == [
        "index, row 2, column combine: there is no option 'poled'; did you mean 'pooled'?"
    ]


def test_a_node_below_itself_is_named():
    lines = said([{"code": "A", "parent": "B"}, {"code": "B", "parent": "A"}])
    assert [line.partition(": ")[2] for line in lines] == [
        "'A' stands below itself; correct the parent code",
        "'B' stands below itself; correct the parent code",
    ]


def test_a_parent_that_combines_by_share_needs_the_share_of_every_child():
    lines = said(
        [{"code": "T", "combine": "share"}, {"code": "D1", "parent": "T"}, {"code": "D2", "parent": "T", "share": "0"}]
    )
    assert len(lines) == 1
    assert lines[0].startswith("index, row 3, column share: 'T' combines by share")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"question": "visitd", "score": "yes"}, "there is no question 'visitd'; did you mean 'visited'?"),
        ({"question": "age", "score": "linear"}, "there is no question 'age'; check the spelling"),
        ({"question": "visited", "score": "yes=1"}, "the rule gives no number to no; give every choice its number"),
        ({"question": "visited", "score": "yess"}, "list yn has no choice yess; did you mean 'yes'?"),
        (
            {"question": "visited", "score": "linear"},
            "the rule gives no number to yes, no; give every choice its number",
        ),
        ({"question": "visited"}, "the question has no scoring rule; write for example '4 5' or 'linear'"),
        (
            {"question": "visited", "score": "yes", "base": "${vist} = 1"},
            "there is no question 'vist'; did you mean 'visited'?",
        ),
        ({}, "'I' has neither a question nor children; name its question or remove the row"),
    ],
)
def test_a_leaf_is_checked_against_its_question(row, sentence):
    assert [line.partition(": ")[2] for line in said([{"code": "I", **row}], FORM)] == [sentence]


def test_select_multiple_takes_only_any_and_count():
    assert said([{"code": "I", "question": "channel", "score": "any yes"}], FORM) == []
    assert (
        "does not suit a select_multiple question"
        in said([{"code": "I", "question": "channel", "score": "yes"}], FORM)[0]
    )
    assert (
        "does not suit a select_one question" in said([{"code": "I", "question": "visited", "score": "count"}], FORM)[0]
    )


def test_a_question_in_a_group_is_found_by_name_and_by_path():
    for name in ("rating", "g/rating"):
        assert said([{"code": "I", "question": name, "score": "4 5"}], FORM) == []


def test_an_index_may_be_only_a_structure_for_published_scores():
    assert said([{"code": "T", "combine": "sum"}, {"code": "D1", "parent": "T"}]) == []


def test_a_sheet_without_rows_is_a_problem():
    assert said([{"code": ""}]) == ["index: the index sheet has no rows; write one row for each node of the index"]


def test_a_base_reads_questions_frame_columns_and_brackets():
    rule = base_rule.read("not(${age} >= 18) or (urban = '1' and selected(${channel}, 'web'))")
    assert [(c.name, c.question) for c in base_rule.columns(rule)] == [
        ("age", True),
        ("urban", False),
        ("channel", True),
    ]


@pytest.mark.parametrize(
    "text", ["${a} +1 = 2", "count(${a}) > 1", "${a}", "= 1", "${a} = 1 and", "(${a} = 1", "selected(1, 2)"]
)
def test_a_base_outside_the_language_is_refused(text):
    with pytest.raises(base_rule.BaseRuleError):
        base_rule.read(text)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["code", "parent", "combine", "share", "from", "to", "question", "score", "base"]),
            st.text(max_size=12),
        )
    )
)
def test_whatever_the_cells_hold_the_answer_is_a_list_of_problems(rows):
    _, problems = parse(rows, FORM)
    assert all(problem("vi") and problem("en") for problem in problems)
