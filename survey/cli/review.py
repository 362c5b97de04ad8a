"""``survey review list | approve | return | void | settle``: decisions about interviews."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import FINDINGS, Group, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.frame import round_option
from survey.cli.options import actor_option
from survey.errors import InputError
from survey.text import Text, many
from survey.vocabulary import STATES

if TYPE_CHECKING:
    from survey.store import Store

as_option = actor_option(Text("Mã của người quyết định.", "Id of the person who decides."))
reason_option = option("--reason", required=True, help=Text("Lý do, một câu.", "The reason, one sentence."))


@click.group(cls=Group, help=Text("Duyệt phiếu.", "Review interviews."))
def review() -> None:
    pass


@review.command(
    name="list",
    help=Text("Xem các phiếu và việc cần người xử lý.", "List interviews and what needs a person."),
    example="survey review list --state sealed",
)
@round_option
@option("--state", "states", multiple=True, type=click.Choice(list(STATES)), help=Text("Trạng thái.", "State."))
@json_option
def list_(round_id: str | None, states: tuple[str, ...], as_json: bool) -> int:
    from survey.store import current

    with open_store() as store:
        rows = current.interviews(store, round_id, states or None)
        findings = current.findings(store)
    if as_json:
        say_json(
            {
                "interviews": rows,
                "findings": [
                    {"kind": f.kind, "where": f.where, "what": f.what._asdict(), "todo": f.todo._asdict()}
                    for f in findings
                ],
            }
        )
        return FINDINGS if findings else 0
    spoken = language()
    say_table(
        [Text("phiếu", "interview"), Text("trạng thái", "state"), Text("đơn vị mẫu", "unit"), Text("giờ", "time")],
        [(row["interview"], STATES[row["state"]](spoken), row["unit"], row["time"]) for row in rows],
    )
    if findings:
        click.echo()
        say(Text(f"Cần người xử lý ({len(findings)}):", f"Needs a person ({len(findings)}):"))
    for finding in findings:
        click.echo(f"  {finding.where}: {finding.what(spoken)}; {finding.todo(spoken)}")
    return FINDINGS if findings else 0


@review.command(
    help=Text("Duyệt phiếu đã khóa.", "Approve sealed interviews."),
    example="survey review approve --all --round r2026",
)
@click.argument("interviews", nargs=-1)
@option(
    "--all",
    "every",
    is_flag=True,
    help=Text("Mọi phiếu đã khóa chưa duyệt.", "Every sealed interview not yet reviewed."),
)
@round_option
@as_option
@json_option
def approve(interviews: tuple[str, ...], every: bool, round_id: str | None, actor: str, as_json: bool) -> int:
    from survey.store import current, frame
    from survey.store.commune import closed_units

    if bool(interviews) == every:
        raise InputError(
            "survey review approve",
            Text("nêu mã phiếu hoặc --all", "name interviews, or --all"),
            Text("xem: survey review list", "see: survey review list"),
        )
    with open_store() as store:
        check_person(store, actor, interviews=interviews)
        if round_id:
            frame.round_document(store, round_id)
        closed = closed_units(store, frame.person(store, actor) or {})
        wanted = interviews or [
            row["interview"] for row in current.interviews(store, round_id, "sealed") if row["unit"] not in closed
        ]
        # Two interviews of one unit contradict each other: which one counts is a person's choice, made one by one.
        doubtful = (
            {f.where.removeprefix("unit ") for f in current.findings(store) if f.kind == "twice"} if every else set()
        )
        done = []
        with store.transaction():
            for interview in wanted:
                rows = current.interviews(store, interview=interview)
                if not (rows and rows[0]["unit"] in doubtful):
                    current.decide(store, interview, "approved", actor=actor)
                    done.append(interview)
    left = len(wanted) - len(done)
    if as_json:
        say_json({"approved": done, "left": left})
        return FINDINGS if left else 0
    say(Text(f"Đã duyệt {len(done)} phiếu.", f"Approved {many(len(done), 'interview')}."))
    if left:
        say(Text(f"Để lại {left} phiếu trùng đơn vị mẫu.", f"Left {left} that share a sample unit with another."))
    return FINDINGS if left else 0


@review.command(
    name="return",
    help=Text("Yêu cầu điều tra viên sửa phiếu.", "Return an interview to its enumerator."),
    example="survey review return 1c9e… --question B3 --reason 'Hỏi lại tuổi của người trả lời'",
)
@click.argument("interview")
@reason_option
@option("--question", default="", help=Text("Đường dẫn câu hỏi.", "Path of the question it is about."))
@as_option
def return_(interview: str, reason: str, question: str, actor: str) -> None:
    _decide(interview, "returned", reason, actor, question=question)
    say(Text(f"Đã yêu cầu sửa phiếu {interview}.", f"Returned {interview}."))


@review.command(
    help=Text("Hủy một phiếu; nội dung vẫn được giữ, không tính điểm.", "Void an interview: kept, never scored."),
    example="survey review void 1c9e… --reason 'Phỏng vấn nhầm hộ'",
)
@click.argument("interview")
@reason_option
@as_option
def void(interview: str, reason: str, actor: str) -> None:
    _decide(interview, "voided", reason, actor)
    say(Text(f"Đã hủy phiếu {interview}.", f"Voided {interview}."))


@review.command(
    help=Text(
        "Giải quyết phiếu có hai bản: xem khác nhau ở đâu, rồi chọn một bản.",
        "Settle an interview with several versions: see where they differ, then choose one.",
    ),
    example="survey review settle 1c9e…\nsurvey review settle 1c9e… --choose 4f0a --reason 'Bản sau đầy đủ hơn'",
)
@click.argument("interview")
@option(
    "--choose",
    default="",
    help=Text("Bản được chọn (đủ vài ký tự đầu).", "The version to take (its first characters)."),
)
@option("--reason", default="", help=Text("Lý do, một câu.", "The reason, one sentence."))
@as_option
@json_option
def settle(interview: str, choose: str, reason: str, actor: str, as_json: bool) -> int:
    from survey.store import current

    with open_store() as store:
        check_person(store, actor, "records.settle", [interview])
        rows = current.interviews(store, interview=interview)
        heads: list[str] = rows[0]["heads"] if rows else []
        if choose:
            chosen = [head for head in heads if head.removeprefix("sha256:").startswith(choose.removeprefix("sha256:"))]
            if len(chosen) != 1:
                raise InputError(
                    f"--choose {choose}",
                    Text("không chỉ đúng một bản của phiếu này", "does not name one version of this interview"),
                    Text("các bản: " + ", ".join(heads), "its versions: " + ", ".join(heads)),
                )
            revision = current.settle(store, interview, chosen[0], reason=reason, actor=actor)
            if as_json:
                say_json({"interview": interview, "chosen": chosen[0], "revision": revision})
            else:
                say(Text(f"Đã chọn một bản của phiếu {interview}.", f"Settled {interview}."))
            return 0
        versions = {head: current.content(store, interview, head) for head in heads}
    differing = _differences({head: version["answers"] for head, version in versions.items()})
    if as_json:
        say_json({"interview": interview, "heads": heads, "differing": differing})
    else:
        for number, head in enumerate(heads, start=1):
            version = versions[head]
            click.echo(f"{number}  {head[:19]}  {version['time']}  {version['actor']}  {version['device'][:9]}")
        click.echo()
        say_table(
            [Text("câu hỏi", "question"), *(Text(str(n), str(n)) for n in range(1, len(heads) + 1))],
            [(path, *(_shown(answers[head]) for head in heads)) for path, answers in differing.items()],
        )
    return FINDINGS if len(heads) > 1 else 0


def _decide(interview: str, kind: str, reason: str, actor: str, **more: Any) -> None:
    from survey.store import current

    with open_store() as store:
        check_person(store, actor, interviews=[interview])
        current.decide(store, interview, kind, reason=reason, actor=actor, **more)


def check_person(store: Store, actor: str, page: str = "records.decide", interviews: Iterable[str] = ()) -> None:
    """Whether the person named by ``--as`` may do what the page ``page`` does, to these interviews.

    InputError for nobody that this machine knows, NotAllowed for a role that may not or one's own commune. Without a
    name whoever holds this machine acts, and nobody's name is written.
    """
    from survey.store import frame
    from survey.store.commune import require_other_commune
    from survey.web import roles

    if not actor:
        return
    person = frame.person(store, actor)
    if person is None:
        raise InputError(
            f"--as {actor}",
            Text("không có người mang mã này", "there is no person with this id"),
            Text("xem: survey user list", "see: survey user list"),
        )
    roles.require(page, frozenset() if person.get("disabled") else frozenset(person.get("roles", ())), f"--as {actor}")
    for interview in interviews:
        require_other_commune(store, person, interview=interview)


def _differences(versions: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By path, what each version answers, where they do not all say the same."""
    paths = dict.fromkeys(path for answers in versions.values() for path in answers)
    return {
        path: {head: answers.get(path) for head, answers in versions.items()}
        for path in paths
        if any(answers.get(path) != next(iter(versions.values())).get(path) for answers in versions.values())
    }


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return f"({value.get('missing', '')})"
    return " ".join(value) if isinstance(value, list) else str(value)


commands = {"review": review}
