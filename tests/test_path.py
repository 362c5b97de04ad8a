"""The path follows from the answers: what is asked, what an answer changes, what a draft stores."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.questionnaire.model import Answers, Value
from survey.questionnaire.path import Path
from tests.forms import answered, begin, form

YES_NO = """
list_name | name | label
yn | 1 | Có
yn | 2 | Không
"""

VISIT = form(
    """
    type | name | label | relevant | required | constraint | constraint_message | missing
    select_one yn | consent | Đồng ý? | | yes | | |
    begin_group | office | Bộ phận Một cửa | ${consent} = '1' | | | |
    integer | age | Tuổi | | yes | . >= 18 and . < 120 | Tuổi phải từ 18, không phải ${age} |
    select_one yn | paid | Có trả thêm tiền? | ${age} < 60 | | | | dont_know refused
    decimal | amount | Bao nhiêu? | ${paid} = '1' | | . > 0 | |
    end_group | | | | | | |
    text | why_not | Vì sao không? | ${consent} = '2' | | | |
    """,
    choices=YES_NO,
)


def saved(path: Path, *steps: tuple[str, Value]) -> tuple[Path, Answers]:
    """The path after these answers and the draft as it was stored, change by change."""
    draft: Answers = dict(path.initial)
    for name, value in steps:
        change = path.set(name, value)
        path = change.path
        for key, kept in change.save.items():
            draft.pop(key, None)
            if kept is not None:
                draft[key] = kept
    return path, draft


def relevant(path: Path) -> list[str]:
    return [e.path for e in path.questions]


def test_a_question_is_asked_when_its_condition_holds() -> None:
    path = begin(VISIT)
    assert relevant(path) == ["consent"]
    path = answered(path, consent="1")
    assert relevant(path) == ["consent", "office/age", "office/paid"][:2]
    assert relevant(answered(path, age="30")) == ["consent", "office/age", "office/paid"]
    assert relevant(answered(path, age="70")) == ["consent", "office/age"]


def test_answers_off_the_path_do_not_count_and_come_back_with_the_question() -> None:
    path = answered(begin(VISIT), consent="1", age="30", paid="1", amount="50")
    away = answered(path, consent="2")
    assert away.values == {"consent": "2"}
    assert away.off_path == {"office/age": "30", "office/paid": "1", "office/amount": "50"}
    assert answered(away, consent="1").values == path.values


def test_a_change_says_what_it_loses_and_what_it_brings() -> None:
    path = answered(begin(VISIT), consent="1", age="30", paid="1", amount="50")
    change = path.preview("consent", "2")
    assert [e.path for e in change.lost] == ["office/age", "office/paid", "office/amount"]
    assert [e.value for e in change.lost] == ["30", "1", "50"]
    assert [e.path for e in change.appeared] == ["why_not"]
    assert path.entry("consent").value == "1"


@pytest.mark.parametrize(
    ("name", "value", "verdict", "message"),
    [
        ("consent", "", "required", "This question needs an answer"),
        ("consent", "3", "type", "This option is not on the list"),
        ("office/age", "17", "constraint", "Tuổi phải từ 18, không phải 17"),
        ("office/age", "mười tám", "type", "Enter a whole number"),
        ("office/age", "18.5", "type", "Enter a whole number"),
        ("office/age", ["18"], "type", "A single value is expected"),
        ("office/amount", "1,2,3", "type", "Enter a number, such as 12 or 3.5"),
        ("office/amount", "0", "constraint", "This answer is not valid"),
        ("office/age", {"missing": "refused"}, "type", "This question does not offer that"),
        ("office/paid", {"missing": "tired"}, "type", "This question does not offer that"),
    ],
)
def test_a_refused_answer_changes_nothing_and_says_why(name: str, value: Value, verdict: str, message: str) -> None:
    path = answered(begin(VISIT), consent="1", age="30", paid="1")
    change = path.set(name, value)
    assert change.verdict == verdict
    assert (change.message if isinstance(change.message, str) else change.message.en) == message
    assert change.path is path
    assert not change.save


def test_an_answer_is_kept_in_its_normal_form() -> None:
    path = answered(begin(VISIT), consent="1", age=" 030 ", paid="1", amount="1,5")
    assert path.values["office/age"] == "30"
    assert path.values["office/amount"] == "1.5"
    assert answered(begin(VISIT), consent="2", why_not="Ba\u0323n").values["why_not"] == "B\u1ea1n"


def test_a_missing_answer_is_empty_satisfies_required_and_skips_the_constraint() -> None:
    asked = form(
        """
        type | name | label | required | constraint | missing | relevant
        integer | age | Tuổi | yes | . >= 18 | refused dont_know |
        text | why | Vì sao? | | | | ${age} = ''
        text | old | Ông/Bà? | | | | ${age} > 60
        """
    )
    path = answered(begin(asked), age={"missing": "refused"})
    assert path.values == {"age": {"missing": "refused"}}
    assert relevant(path) == ["age", "why"]
    assert path.problems() == []
    assert path.entry("age").is_answered
    assert begin(asked, path.values).values == path.values


def test_paper_kinds_are_taken_by_every_question() -> None:
    path = answered(begin(VISIT), consent={"missing": "multiple"})
    assert path.values == {"consent": {"missing": "multiple"}}


def test_problems_name_what_is_open_and_what_no_longer_holds() -> None:
    bounds = form(
        """
        type | name | label | required | constraint
        integer | most | Nhiều nhất | |
        integer | n | Số | yes | . <= ${most}
        """
    )
    assert [(e.path, kind) for e, kind, _ in begin(bounds).problems()] == [("n", "required")]
    path = answered(begin(bounds), most="10", n="9")
    assert path.problems() == []
    assert [(e.path, kind) for e, kind, _ in answered(path, most="5").problems()] == [("n", "constraint")]


def test_an_answer_its_filter_no_longer_offers_is_dropped() -> None:
    cascade = form(
        """
        type | name | label | choice_filter
        select_one province | p | Tỉnh |
        select_one commune | c | Xã | province = ${p}
        select_multiple commune | all | Các xã | province = ${p}
        """,
        choices="""
        list_name | name | label | province
        province | 14 | Sơn La |
        province | 01 | Hà Nội |
        commune | a | Chiềng Mung | 14
        commune | b | Mường Bú | 14
        commune | c | Ba Đình | 01
        """,
    )
    path = answered(begin(cascade), p="14", c="a", all=["a", "b"])
    assert [c.label["default"] for c in path.entry("c").choices()] == ["Chiềng Mung", "Mường Bú"]
    change = path.set("p", "01")
    assert change.path.values == {"p": "01"}
    assert change.save == {"p": "01", "c": None, "all": None}


ROSTER = form(
    """
    type | name | label | calculation | relevant | repeat_count | default
    integer | n | Số người | | | |
    begin_repeat | hh | Thành viên | | | |
    text | who | Tên | | | |
    integer | age | Tuổi | | | |
    calculate | no | | position(..) | | |
    calculate | older | | count(../../hh[age > current()/../age]) | | |
    text | job | Việc | | ${age} >= 15 | | nông dân
    end_repeat | | | | | |
    calculate | size | | count(${hh}) | | |
    calculate | adults | | count(${hh}[age >= 18]) | | |
    calculate | total | | sum(${age}) | | |
    calculate | names | | join(', ', ${who}) | | |
    calculate | second | | indexed-repeat(${who}, ${hh}, 2) | | |
    begin_repeat | card | Thẻ | | | ${n} |
    text | code | Mã | | | |
    end_repeat | | | | | |
    note | all | ${names} có ${size} người | | | |
    """
)


def instances(path: Path, name: str) -> list[str]:
    return [e.path for r in path.repeats if r.path == name for e in r.instances]


def fill(path: Path, place: str, **values: str) -> Path:
    for name, value in values.items():
        change = path.set(f"{place}/{name}", value)
        assert change.ok
        path = change.path
    return path


def test_repeat_instances_keep_their_ids_when_one_before_them_is_removed() -> None:
    path = begin(ROSTER)
    path = path.add("hh").path
    path = path.add("hh").path
    first, second, third = instances(path, "hh")
    for place, who, age in ((first, "Hoa", "40"), (second, "Mai", "12"), (third, "Lan", "70")):
        path = fill(path, place, who=who, age=age)
    assert path.values["names"] == "Hoa, Mai, Lan"
    assert path.values["total"] == "122"
    assert path.values["adults"] == "2"
    assert path.values["second"] == "Mai"
    assert path.values[f"{second}/older"] == "2"
    assert path.entry("all").label() == "Hoa, Mai, Lan có 3 người"

    change = path.remove(second)
    after = change.path
    assert instances(after, "hh") == [first, third]
    assert after.values[f"{third}/no"] == "2"
    assert after.values["second"] == "Lan"
    assert [e.value for e in change.lost] == ["Mai", "12"]
    assert change.save["hh"] == [p[3:-1] for p in (first, third)]
    assert change.save[f"{second}/who"] is None


def test_only_the_own_instance_is_meant_by_a_name_inside_a_repeat() -> None:
    path = begin(ROSTER).add("hh").path
    first, second = instances(path, "hh")
    path = fill(path, first, age="10")
    path = fill(path, second, age="30")
    assert not path.entry(f"{first}/job").relevant
    assert path.entry(f"{second}/job").relevant
    assert path.entry(f"{second}/job").value == "nông dân"


def test_a_counted_repeat_has_as_many_instances_as_its_count_says() -> None:
    path = begin(ROSTER)
    assert instances(path, "card") == []
    path = answered(path, n="3")
    kept = instances(path, "card")
    assert len(kept) == 3
    path = fill(path, kept[2], code="x")
    change = path.set("n", "2")
    assert instances(change.path, "card") == kept[:2]
    assert [e.value for e in change.lost] == ["x"]
    assert path.add("card").verdict == "type"
    assert path.remove(kept[0]).verdict == "type"
    assert len(instances(answered(path, n="1000000"), "card")) == 1000


def test_defaults_are_filled_in_once_and_then_belong_to_the_draft() -> None:
    defaults = form(
        """
        type | name | label | default | calculation
        integer | a | A | 5 |
        date | day | Ngày | today() |
        integer | b | B | ${a} * 2 |
        calculate | c | | | once(${a})
        start | begun | | |
        hidden | province | | |
        """
    )
    path = begin(defaults, frame={"province": "Sơn La"})
    assert path.initial == {
        "a": "5",
        "day": "2026-11-22",
        "b": "10",
        "c": "5",
        "begun": "2026-11-22T09:30:00.000+07:00",
        "province": "Sơn La",
    }
    cleared = path.set("a", "")
    assert cleared.save == {"a": None}
    draft = {k: v for k, v in path.initial.items() if k != "a"}
    later = begin(defaults, draft, frame={"province": "Sơn La"})
    assert later.initial == {}
    assert later.values == draft


def test_a_trigger_writes_where_it_is_told_when_the_answer_changes() -> None:
    triggers = form(
        """
        type | name | label | calculation | trigger
        integer | n | N | |
        text | log | Ghi | concat('n=', ${n}) | ${n}
        integer | edit | Sửa được | ${n} + 1 |
        """
    )
    path = answered(begin(triggers), n="4")
    assert path.values == {"n": "4", "log": "n=4", "edit": "5"}
    path = answered(path, edit="9", log="khác")
    assert path.values == {"n": "4", "log": "khác", "edit": "9"}
    assert begin(triggers, path.answers).values == path.values
    assert answered(path, n="6").values == {"n": "6", "log": "n=6", "edit": "7"}


def test_what_is_random_follows_from_the_interview() -> None:
    shuffled = form(
        """
        type | name | label | parameters | calculation
        select_one l | q | Chọn | randomize=true |
        calculate | id | | | uuid()
        calculate | r | | | random()
        """,
        choices="list_name | name | label\n" + "\n".join(f"l | {i} | {i}" for i in range(12)),
    )

    def seen(interview: str) -> tuple[list[str], Any, Any]:
        path = begin(shuffled, interview=interview)
        return [c.name for c in path.entry("q").choices()], path.values["id"], path.values["r"]

    assert seen("one") == seen("one")
    assert seen("one")[0] != seen("two")[0]
    assert seen("one")[1] != seen("two")[1]
    assert sorted(seen("one")[0]) == sorted(str(i) for i in range(12))


def test_choices_may_come_from_a_repeat_and_from_a_file() -> None:
    drawn = form(
        """
        type | name | label | choice_filter | parameters
        begin_repeat | hh | Người | |
        text | who | Tên | |
        end_repeat | | | |
        select_one ${who} | chosen | Ai trả lời? | ./who != '' |
        select_one_from_file units.csv | unit | Đơn vị | | value=code label=name
        """,
        units="code | name\n01 | Một cửa\n02 | Công an xã",
    )
    path = begin(drawn).add("hh").path
    first, _ = instances(path, "hh")
    path = fill(path, first, who="Hoa")
    assert [(c.name, path.entry("chosen").choice_label(c)) for c in path.entry("chosen").choices()] == [("Hoa", "Hoa")]
    assert [(c.name, c.label[""]) for c in path.entry("unit").choices()] == [("01", "Một cửa"), ("02", "Công an xã")]
    assert answered(path, unit="02").values["unit"] == "02"
    given_rows = {"units": [{"code": "9", "name": "Tư pháp"}]}
    assert [c.name for c in begin(drawn, files=given_rows).entry("unit").choices()] == ["9"]


def test_an_answer_drawn_from_a_repeat_goes_when_what_it_names_is_written_anew() -> None:
    questionnaire = form("""
        type                 | name | label | choice_filter
        begin_repeat         | p    | P     |
        text                 | who  | Who   |
        integer              | age  | Age   |
        end_repeat           |      |       |
        select_one ${who}    | head | Head  | ${age} > 17
    """)
    path = begin(questionnaire)
    instance = path.repeats[0].instances[0].path
    for at, value in ((f"{instance}/who", "An"), (f"{instance}/age", "40"), ("head", "An"), (f"{instance}/who", "Ba")):
        change = path.set(at, value)
        assert change.ok
        path = change.path
    assert path.entry("head").value == ""
    assert change.save["head"] is None


def test_a_constraint_tries_the_new_answer_but_its_predicates_choose_among_what_stands() -> None:
    questionnaire = form("""
        type         | name | label | constraint
        begin_repeat | p    | P     |
        text         | who  | Who   | count(../../p[who = current()/.]) <= 1
        text         | nick | Nick  | . != ${who}
        end_repeat   |      |       |
    """)
    path = begin(questionnaire)
    first = path.repeats[0].instances[0].path
    path = path.set(f"{first}/who", "An").path
    assert path.set(f"{first}/nick", "An").verdict == "constraint"
    path = path.add("p").path
    second = path.repeats[0].instances[1].path
    # JavaRosa 5.1.0 looks for others with the answer that stood before, and takes this one; at the end it is a problem.
    taken = path.set(f"{second}/who", "An")
    assert taken.ok
    assert {entry.path for entry, _, _ in taken.path.problems()} == {f"{first}/who", f"{second}/who"}


def test_sections_are_top_level_groups_and_runs_of_questions_between_them() -> None:
    path = begin(VISIT)
    assert [(s.path, s.state, s.answered, s.total) for s in path.sections] == [
        ("consent", "todo", 0, 1),
        ("office", "not_asked", 0, 0),
        ("why_not", "not_asked", 0, 0),
    ]
    path = answered(path, consent="1", age="30")
    assert [s.state for s in path.sections_at("office")] == ["done", "here", "not_asked"]
    assert path.sections[1].label() == "Bộ phận Một cửa"
    assert path.sections[1].state == "done"
    assert path.entry("office/age").section == path.sections[1]


def test_an_expression_that_cannot_be_worked_out_is_noted_and_the_interview_goes_on() -> None:
    wrong = form(
        """
        type | name | label | relevant | calculation
        text | t | Ngày viết tay | |
        text | asked | Hỏi | date(${t}) > today() |
        calculate | d | | | date(${t})
        """
    )
    path = answered(begin(wrong), t="không phải ngày")
    assert relevant(path) == ["t", "asked"]
    assert "d" not in path.values
    assert {(e.path, kind) for e, kind, _ in path.trouble} == {("asked", "relevant"), ("d", "calculation")}
    assert answered(path, t="2027-01-01").trouble == []


def test_dividing_by_zero_is_no_accident() -> None:
    division = form("type | name | label | calculation\ninteger | n | N |\ncalculate | d | | 10 div ${n}")
    assert answered(begin(division), n="0").values["d"] == "Infinity"


def test_old_answers_to_questions_that_are_gone_are_left_alone() -> None:
    path = begin(VISIT, {"consent": "1", "gone": "x", "office/age": "30"})
    assert path.values == {"consent": "1", "office/age": "30"}


def test_a_day_before_1900_is_a_day_and_one_to_come_is_refused_where_the_form_says_so() -> None:
    path = begin(
        form(
            """
            type | name | label | constraint | constraint_message | calculation
            date | born | Sinh | . <= today() | Ngày này chưa tới. |
            date | due | Hẹn | | |
            calculate | age | | | | int((today() - date(${born})) div 365.25)
            """
        )
    )
    path = answered(path, born="1899-12-31", due="2099-01-01")
    assert path.entry("born").value == "1899-12-31"
    assert path.entry("age").value == "126"
    change = path.set("born", "2026-11-23")
    assert not change.ok
    assert change.message("vi") == "Ngày này chưa tới."
    assert change.path.entry("born").value == "1899-12-31"


def test_long_odd_and_right_to_left_texts_are_kept_as_they_are() -> None:
    for text in ("x" * 3000, "👍 tốt", "\u200fשלום", "a\tb\nc"):
        assert answered(begin(VISIT), consent="2", why_not=text).values["why_not"] == text


LARGE = form(
    """
    type | name | label | relevant | calculation | repeat_count | required | default | trigger
    select_one yn | a | A | | | | yes | |
    integer | n | N | | | | | 2 |
    begin_group | g | G | ${a} = '1' | | | | |
    integer | x | X | | | | yes | |
    integer | y | Y | ${x} > 2 | | | | |
    calculate | xy | | | ${x} + coalesce(${y}, 0) | | | |
    end_group | | | | | | | |
    begin_repeat | r | R | ${a} != '2' | | ${n} | | |
    integer | v | V | | | | | ${n} |
    text | w | W | ${v} > 1 or ${xy} > 5 | | | | |
    integer | e | E | | ${v} + 1 | | | |
    end_repeat | | | | | | | |
    calculate | s | | | sum(${v}) + count(${r}[e > 2]) | | | |
    text | note | Ghi | | concat(${s}, '/', ${xy}) | | | | ${a}
    """,
    choices=YES_NO,
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "n", "g/x", "g/y", "v", "w", "e", "note"]), st.integers(0, 4), st.integers(0, 2)
        ),
        max_size=15,
    )
)
def test_a_draft_stored_change_by_change_opens_as_the_same_path(steps: list[tuple[str, int, int]]) -> None:
    """What ``save`` says is all that a draft needs: opened again, the interview is as it was."""
    path = begin(LARGE)
    draft: Answers = dict(path.initial)
    for name, number, which in steps:
        places = instances(path, "r")
        place = f"{places[which % len(places)]}/{name}" if name in "vwe" and places else name
        if place not in {e.path for e in path.entries}:
            continue
        change = path.set(place, str(number) if number or name == "n" else "")
        for key, kept in change.save.items():
            draft.pop(key, None)
            if kept is not None:
                draft[key] = kept
        path = change.path
        assert draft == path.answers
    again = begin(LARGE, draft)
    assert again.values == path.values
    assert again.off_path == path.off_path
    assert relevant(again) == relevant(path)


@given(st.lists(st.tuples(st.sampled_from(["a", "n", "g/x", "g/y"]), st.integers(0, 4)), max_size=12))
def test_the_path_follows_from_the_answers_not_from_their_order(steps: list[tuple[str, int]]) -> None:
    path, _ = saved(begin(LARGE), *((name, str(number)) for name, number in steps))
    straight, _ = saved(
        begin(LARGE), *((n, path.entry(n).value) for n in ("a", "n", "g/x", "g/y") if path.entry(n).value)
    )
    outside = [[p for p in relevant(one) if "[" not in p] for one in (straight, path)]
    assert outside[0] == outside[1]
    assert straight.values.get("g/xy") == path.values.get("g/xy")
    shown = [sum(e.relevant for r in p.repeats for e in r.instances) for p in (straight, path)]
    assert shown[0] == shown[1]
