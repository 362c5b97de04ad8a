"""``survey backcheck draw | list | compare``: who is visited again, and what the two visits say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import FINDINGS, Group, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.frame import chosen_round, round_option
from survey.cli.review import as_option, check_person
from survey.errors import InputError
from survey.text import Text, many

if TYPE_CHECKING:
    from analysis.backcheck import Paired
    from survey.fieldwork.backcheck import Compared, Rate
    from survey.store import Store


@click.group(cls=Group, help=Text("Phúc tra.", "Back-checks."))
def backcheck() -> None:
    pass


@backcheck.command(
    help=Text(
        "Chọn phiếu để phúc tra theo từng điều tra viên, lập bảng hỏi ngắn và giao cho người phúc tra.",
        "Draw back-checks by enumerator, make the short form and give them to people.",
    ),
    example="survey backcheck draw --question age=1 --question interest_econ=2 --to plan --seed 7\n"
    "survey backcheck draw --to pobserver",
)
@round_option
@option(
    "--question",
    "questions",
    multiple=True,
    metavar="NAME=TYPE",
    help=Text("Câu hỏi lại và loại 1, 2, 3 (lặp lại được).", "A question to ask again, type 1, 2 or 3 (repeatable)."),
)
@option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="NAME=VALUE",
    help=Text("Sai số cho phép của một câu: 1 hoặc 5%.", "How far numbers may be apart: 1 or 5%."),
)
@option(
    "--share",
    type=click.FloatRange(0, 1),
    help=Text("Phần số phiếu của mỗi điều tra viên (mặc định 0,1).", "Share of each enumerator's (default 0.1)."),
)
@option(
    "--least",
    type=click.IntRange(0),
    help=Text("Ít nhất mấy phiếu mỗi điều tra viên (mặc định 2).", "At least so many of each (default 2)."),
)
@option(
    "--by-risk/--at-random",
    "by_risk",
    default=None,
    help=Text("Phiếu có dấu hiệu được chọn nhiều hơn, hay ngẫu nhiên đều.", "Those with signs more often, or evenly."),
)
@option("--seed", type=int, help=Text("Số gieo của việc chọn.", "Seed of the draw."))
@option("--to", "people", multiple=True, help=Text("Mã người phúc tra (lặp lại được).", "Who checks (repeatable)."))
@as_option
@json_option
def draw(
    round_id: str | None,
    questions: Sequence[str],
    tolerances: Sequence[str],
    share: float | None,
    least: int | None,
    by_risk: bool | None,
    seed: int | None,
    people: Sequence[str],
    actor: str,
    as_json: bool,
) -> None:
    from survey.fieldwork.backcheck import Plan
    from survey.store import backcheck as checks
    from survey.sync.backchecks import draw_backchecks

    with open_store() as store:
        check_person(store, actor, "backcheck.draw")
        document = chosen_round(store, round_id)
        before = checks.round_of(store, document["id"])
        plan = Plan.of(before) if before else Plan({})
        variables = {name: _type(name, told) for name, told in _pairs("--question", questions)}
        given: dict[str, Any] = {
            "variables": variables or None,
            "tolerance": dict(_pairs("--tolerance", tolerances)) or None,
            "share": share,
            "least": least,
            "by_risk": by_risk,
            "seed": seed,
        }
        plan = replace(plan, **{name: value for name, value in given.items() if value is not None})
        own, found = draw_backchecks(store, document["id"], plan, people, actor=actor)
    if as_json:
        say_json({"round": own["id"], "questionnaire": own["questionnaire_hash"], "drawn": found})
        return
    say(
        Text(
            f"Đã chọn thêm {len(found)} phiếu để phúc tra trong đợt {own['id']}.",
            f"Drew {len(found)} more back-checks in round {own['id']}.",
        )
    )


def _pairs(option: str, given: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not value.strip():
            raise InputError(
                f"{option} {one}",
                Text("thiếu dấu = và giá trị", "there is no = with a value"),
                Text(f"ví dụ: {option} age=1", f"for example: {option} age=1"),
            )
        found.append((name.strip(), value.strip()))
    return found


def _type(name: str, told: str) -> int:
    if told not in ("1", "2", "3"):
        raise InputError(
            f"--question {name}={told}",
            Text("không có loại này", "there is no such type"),
            Text("1 không thể thay đổi, 2 khó hỏi, 3 xem độ ổn định", "1 cannot change, 2 hard to ask, 3 how stable"),
        )
    return int(told)


@backcheck.command(
    name="list",
    help=Text("Phiếu đã chọn để phúc tra và đã làm đến đâu.", "Back-checks drawn, and how far they are."),
    example="survey backcheck list",
)
@round_option
@json_option
def list_(round_id: str | None, as_json: bool) -> None:
    from survey.store import backcheck as checks
    from survey.store import frame

    with open_store() as store:
        own = _checks(store, round_id)
        known = checks.states(store, own["id"])
        units = frame.units(store, own["id"])
        counts = checks.progress(store, own["id"])
    if as_json:
        say_json(
            {
                "round": own["id"],
                "units": [{"unit": u["of_unit"], "to": u["assignee"], "state": known[u["id"]]} for u in units],
                "enumerators": {who: {"drawn": n, "done": done} for who, (n, done) in counts.items()},
            }
        )
        return
    say_table(
        [Text("đơn vị mẫu", "unit"), Text("người phúc tra", "back-checker"), Text("đã làm", "state")],
        [(unit["of_unit"], unit["assignee"], known[unit["id"]] or "–") for unit in units],
    )
    done = sum(one for _, one in counts.values())
    say(Text(f"Xong {done}/{len(units)}.", f"{done} of {len(units)} done."))


@backcheck.command(
    help=Text(
        "So phúc tra với lần đầu: tỷ lệ khác theo điều tra viên, nhóm, câu hỏi, kèm khoảng tin cậy và kiểm định.",
        "Compare back-checks with first visits: error rates by enumerator, team, question, with intervals and tests.",
    ),
    example="survey backcheck compare --by enumerator",
)
@round_option
@option(
    "--by",
    type=click.Choice(["enumerator", "team", "checker", "variable"]),
    default="enumerator",
    show_default=True,
    help=Text("Chia theo.", "Grouped by."),
)
@json_option
def compare(round_id: str | None, by: str, as_json: bool) -> int:
    from survey.fieldwork import backcheck as core
    from survey.store import backcheck as checks
    from survey.store import quality

    with open_store() as store:
        own = _checks(store, round_id)
        quality.refresh(store)
        pairs = checks.pairs(store, own)
    plan = core.Plan.of(own)
    compared = core.compare(pairs, plan)
    seen = core.visits(pairs)
    tested = _tests(compared)
    rates = {type: core.rates(compared, by, (type,)) for type in core.TYPES}
    wrong = [visit for visit in seen if visit.differs]
    if as_json:
        say_json(
            {
                "round": own["id"],
                "backchecks": len(pairs),
                "rates": {type: [{**vars(one), "rate": one.rate} for one in found] for type, found in rates.items()},
                "overall": [{**vars(one), "rate": one.rate} for one in core.rates(compared, "", (1, 2))],
                "tests": tested,
                "visits": seen,
                "differences": [one for one in compared if one.differs],
            }
        )
        return FINDINGS if wrong else 0
    for type, found in rates.items():
        if found:
            say(core.TYPES[type])
            _show(core.BY[by], found)
            click.echo()
    if tested:
        _show_tests(tested)
    if wrong:
        said = {
            core.INTERVIEWED: Text("đã được hỏi", "interviewed"),
            core.CAME: Text("có đến, không hỏi", "came, no interview"),
            core.NOBODY: Text("chưa có ai đến", "nobody came"),
        }
        say(Text("Lần đầu được ghi khác với lời người dân:", "First visits recorded otherwise than people say:"))
        say_table(
            [Text("đơn vị mẫu", "unit"), core.BY["enumerator"], Text("đã ghi", "recorded"), Text("người dân", "said")],
            [(one.unit, one.enumerator, one.disposition, said[one.said](language())) for one in wrong],
        )
    say(Text(f"{len(pairs)} phiếu phúc tra.", f"{many(len(pairs), 'back-check')}."))
    if plan.by_risk:
        say(
            Text(
                "Phiếu có dấu hiệu được chọn nhiều hơn: tỷ lệ này không phải tỷ lệ của mọi phiếu.",
                "Interviews with signs were drawn more often: these are not the rates of all interviews.",
            )
        )
    return FINDINGS if wrong else 0


def _checks(store: Store, round_id: str | None) -> dict[str, Any]:
    """The back-check round that is meant, by its own id or that of the round it checks."""
    from survey.store import backcheck as checks

    document = chosen_round(store, round_id)
    own = document if document.get(checks.OF) else checks.round_of(store, document["id"])
    if own is None:
        raise InputError(
            f"round {document['id']}",
            Text("đợt này chưa có phúc tra", "this round has no back-checks yet"),
            Text("chọn phiếu: survey backcheck draw", "draw some: survey backcheck draw"),
        )
    return own


def _tests(compared: Sequence[Compared]) -> list[Paired]:
    """Tests of differences by question, where the analysis part is installed."""
    try:
        from analysis.backcheck import paired
    except ModuleNotFoundError:
        say_later = Text("Kiểm định cần phần phân tích.", "Tests need the analysis part.")
        click.echo(say_later(language()), err=True)
        return []
    return paired(compared)


def _show(heading: Text, found: Sequence[Rate]) -> None:
    say_table(
        [
            heading,
            Text("phiếu", "back-checks"),
            Text("câu so", "compared"),
            Text("khác", "differ"),
            Text("tỷ lệ", "rate"),
            Text("khoảng 95 %", "95 % interval"),
        ],
        [
            (
                one.name or "–",
                one.interviews,
                one.compared,
                one.differ,
                f"{one.rate * 100:.0f} %",
                f"{one.low * 100:.0f}–{one.high * 100:.0f} %",
            )
            for one in found
        ],
    )


def _show_tests(found: Sequence[Paired]) -> None:
    def p(value: float | None) -> str:
        text = "–" if value is None else f"{value:.3f}"
        return text.replace(".", ",") if language() == "vi" else text

    say_table(
        [
            Text("câu hỏi", "question"),
            Text("cặp", "pairs"),
            Text("chênh trung bình", "mean difference"),
            Text("p (t)", "p (t)"),
            Text("p (hạng có dấu)", "p (signed rank)"),
            Text("p (McNemar)", "p (McNemar)"),
            Text("độ tin cậy", "reliability"),
        ],
        [
            (one.variable, one.pairs, p(one.mean), p(one.t), p(one.signed_rank), p(one.mcnemar), p(one.reliability))
            for one in found
        ],
    )
    click.echo()


commands: dict[str, click.Command] = {"backcheck": backcheck}
