"""``survey plan``: targets against scores, the improvement plan, and what the agencies report on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli import plan_papers
from survey.cli.base import Command, Group, json_option, language, option, say, say_json, say_table
from survey.cli.figures import OUT, say_written
from survey.cli.options import FILE
from survey.text import Text

if TYPE_CHECKING:
    from analysis.plan import Figures, Outcome, Outlook
    from analysis.standing import Part
    from analysis.targets import Target

_SCORES = click.argument("scores", nargs=-1, required=True, type=FILE)
_TARGETS = option(
    "--targets",
    "targets",
    required=True,
    type=FILE,
    help=Text("Bảng mục tiêu (.csv, .xlsx).", "Table of targets (.csv, .xlsx)."),
)


@click.group(
    cls=Group,
    help=Text(
        "Mục tiêu và kế hoạch nâng cao chỉ số: đặt, lập, phân công, đánh giá.",
        "Targets and the improvement plan: set, write, hand out, judge.",
    ),
    example="survey plan result papi.csv --targets muc_tieu.csv",
)
def plan() -> None:
    pass


@plan.command(
    "check",
    cls=Command,
    help=Text(
        "Trước khi đặt mục tiêu: mẫu có đủ để kết luận không, cần bao nhiêu phiếu.",
        "Before a target is set: whether the sample can tell it, and how many interviews that takes.",
    ),
    example="survey plan check diem_2025.csv --targets muc_tieu_2026.csv",
)
@_SCORES
@_TARGETS
@option(
    "--n",
    "n",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help=Text(
        "Số phiếu dự kiến của mỗi đơn vị ở đợt đo (mặc định: như đợt gốc).",
        "Interviews planned for each unit in the round measured (default: as in the baseline).",
    ),
)
@plan_papers.rules
@json_option
def check(scores: tuple[Path, ...], targets: Path, n: int | None, ties: str, missing: str, as_json: bool) -> int:
    from analysis.plan import outlook

    figures, listed = _read(scores, targets, ties, missing)
    found = [outlook(target, figures, float(n) if n else float("nan")) for target in listed]
    if as_json:
        say_json([_plain_outlook(one) for one in found])
    else:
        _show_outlooks(found)
    return int(any(one.verdict in ("too_small", "merger") for one in found))


@plan.command(
    "result",
    cls=Command,
    help=Text(
        "Mục tiêu đạt hay không theo điểm công bố, và mức chắc chắn của kết luận đó.",
        "Whether targets were reached by the published score, and how certain that is.",
    ),
    example="survey plan result papi.csv --targets muc_tieu.csv --out ket_qua.xlsx",
)
@_SCORES
@_TARGETS
@plan_papers.rules
@OUT
@json_option
def result(scores: tuple[Path, ...], targets: Path, ties: str, missing: str, out: Path | None, as_json: bool) -> int:
    from analysis.plan import outcome

    figures, listed = _read(scores, targets, ties, missing)
    found = [outcome(target, figures) for target in listed]
    if out is not None:
        _write(found, out)
    units = _units(listed)
    if as_json:
        parts = [row for unit in units for row in _plain_parts(figures, *unit)]
        say_json({"targets": [_plain_outcome(one) for one in found], "parts": parts})
        return 0
    _show_outcomes(found)
    for unit in units:
        _show_standing(figures, *unit)
    if figures.own:
        from analysis.report.meta import INTERNAL

        say(Text(f"{INTERNAL.vi}.", f"{INTERNAL.en}."))
    say_written(out)
    return 0


def _read(scores: Sequence[Path], targets: Path, ties: str, missing: str) -> tuple[Figures, list[Target]]:
    from analysis.plan import Figures, Rules
    from analysis.targets import read_targets

    listed = read_targets(targets)
    return Figures(scores, Rules(ties, missing)), listed


def _units(targets: Sequence[Target]) -> list[tuple[str, str, str, str]]:
    """``(index, round, unit, baseline round)`` of the targets, each once, where the index is known."""
    from analysis.targets import index_of

    known = [one for one in targets if index_of(one.index) is not None]
    return list(dict.fromkeys((one.index, one.round, one.domain, one.baseline_round) for one in known))


def _standing(figures: Figures, index: str, round: str, domain: str, baseline: str) -> list[Part]:
    from analysis.index import load_index
    from analysis.standing import standing

    tree = load_index(index)
    return standing(figures, tree, tree.nodes[0].code, domain, round, baseline)


def _plain_parts(figures: Figures, index: str, round: str, domain: str, baseline: str) -> list[dict[str, Any]]:
    """The parts of each unit with what they give to its score and to its change."""
    names = ("value", "coefficient", "contribution", "room", "change", "change_share", "best")
    return [
        {
            "domain": domain,
            "round": round,
            "code": part.code,
            "group": part.group,
            "rank": part.rank,
            "ranked": part.ranked,
            **{name: _finite(getattr(part, name)) for name in names},
            "break": part.broken._asdict() if part.broken else None,
        }
        for part in _standing(figures, index, round, domain, baseline)
    ]


# -- before -------------------------------------------------------------------------------------------------------


def _show_outlooks(found: Sequence[Outlook]) -> None:
    from analysis.plan_words import outlook_sentence, said

    spoken = language()
    headings = [
        Text("đơn vị", "unit"),
        Text("mã", "code"),
        Text("mục tiêu", "target"),
        Text("giá trị gốc", "baseline"),
        Text("cần tăng", "needed"),
        Text("phân biệt được từ", "can be told from"),
        Text("cần số phiếu", "interviews needed"),
    ]
    rows = []
    for one in found:
        figures = (one.baseline, one.needed, one.smallest)
        size = "" if one.n_needed != one.n_needed else _count(one.n_needed)
        rows.append([one.target.domain, one.target.code, said(one.target)(spoken), *map(_figure, figures), size])
    say_table(headings, rows)
    click.echo()
    for one in found:
        sentence = outlook_sentence(one)
        notes = [note for note in one.notes if note != sentence]
        say(Text(*(f"{one.target.code}: {sentence(w)}{_aside(notes, w)}" for w in ("vi", "en"))))


def _plain_outlook(one: Outlook) -> dict[str, Any]:
    from analysis.plan_words import outlook_sentence

    figures = ("baseline", "se", "n", "goal", "needed", "smallest", "n_needed", "n_both")
    return {
        **_plain_target(one.target),
        "verdict": one.verdict,
        **{name: _finite(getattr(one, name)) for name in figures},
        "offered_rank": one.offered or None,
        "sentence": outlook_sentence(one)._asdict(),
        "notes": [note._asdict() for note in one.notes],
    }


# -- afterwards ---------------------------------------------------------------------------------------------------


def _show_outcomes(found: Sequence[Outcome]) -> None:
    from analysis.plan import ABOUT, CERTAINTY, CERTAINTY_HEADING, PUBLISHED, PUBLISHED_HEADING
    from analysis.plan_words import result_sentence, said, summary

    spoken = language()
    headings = [
        Text("đơn vị", "unit"),
        Text("mã", "code"),
        Text("đợt", "round"),
        Text("giá trị gốc", "baseline"),
        Text("mục tiêu", "target"),
        Text("kết quả", "result"),
        Text("hạng", "rank"),
        PUBLISHED_HEADING,
        CERTAINTY_HEADING,
    ]
    rows = []
    for one in found:
        target = one.target
        rows.append(
            [
                target.domain,
                target.code,
                target.round,
                _figure(one.baseline),
                said(target)(spoken),
                _figure(one.value),
                f"{one.rank}/{one.ranked}" if one.rank else "",
                PUBLISHED[one.published](spoken),
                CERTAINTY[one.certainty](spoken),
            ]
        )
    say_table(headings, rows)
    click.echo()
    say(summary(found))
    for one in found:
        sentence = result_sentence(one, _name(one.target))
        notes = [note for note in one.notes if note.vi not in sentence.vi]
        say(Text(*(f"- {sentence(w)}{_aside(notes, w)}" for w in ("vi", "en"))))
    if any(one.certainty for one in found):
        say(ABOUT)
    sources = list(dict.fromkeys(one.target.source for one in found if one.target.source))
    if sources:
        say(Text(f"Nguồn mục tiêu: {'; '.join(sources)}", f"Source of the targets: {'; '.join(sources)}"))


def _show_standing(figures: Figures, index: str, round: str, domain: str, baseline: str) -> None:
    from analysis.breaks import breaks
    from analysis.index import load_index
    from analysis.ranking import GROUP_WORDS
    from analysis.standing import ADVICE, ROOM

    tree = load_index(index)
    top, parts = tree.nodes[0].code, _standing(figures, index, round, domain, baseline)
    if not parts:
        return
    spoken = language()
    click.echo()
    say(Text(f"{domain}, {round}: từng phần của {top}", f"{domain}, {round}: the parts of {top}"))
    headings = [
        Text("mã", "code"),
        Text("chỉ số", "part"),
        Text("điểm", "score"),
        Text("hạng", "rank"),
        Text("nhóm", "group"),
        Text("hướng", "what to do"),
        Text("cao nhất", "best unit"),
        Text("còn dư địa", "room"),
        Text(f"thay đổi từ {baseline}" if baseline else "thay đổi", f"change since {baseline}"),
    ]
    rows = []
    for part in parts:
        change = Text("gãy chuỗi", "break")(spoken) if part.broken else _figure(part.change, "+")
        rows.append(
            [
                part.code,
                part.label(spoken),
                _figure(part.value),
                f"{part.rank}/{part.ranked}",
                GROUP_WORDS[part.group](spoken),
                ADVICE[part.group](spoken),
                _figure(part.best),
                _figure(part.room),
                change,
            ]
        )
    say_table(headings, rows)
    say(ROOM)
    if baseline and top in breaks(tree, tree, (baseline, round)):
        say(
            Text(
                f"Chỉ số chung {top} gãy chuỗi giữa {baseline} và {round}: thay đổi của từng phần chỉ để tham khảo.",
                f"The whole, {top}, breaks between {baseline} and {round}: changes of its parts are for orientation.",
            )
        )
    if any(part.broken for part in parts):
        broken = "; ".join(f"{part.code}: {part.broken(spoken)}" for part in parts if part.broken)
        say(Text(f"Gãy chuỗi số: {broken}.", f"Breaks of series: {broken}."))


def _name(target: Target) -> Text | None:
    from analysis.targets import index_of

    index = index_of(target.index)
    if index is None or target.code not in index.by_code:
        return None
    node = index.by_code[target.code]
    return Text(f"{target.code} “{node.name('vi')}”", f"{target.code} '{node.name('en')}'")


def _plain_outcome(one: Outcome) -> dict[str, Any]:
    from analysis.plan_words import result_sentence

    figures = ("value", "se", "p", "goal", "baseline")
    return {
        **_plain_target(one.target),
        "published": one.published,
        "certainty": one.certainty,
        **{name: _finite(getattr(one, name)) for name in figures},
        "rank": one.rank or None,
        "ranked": one.ranked or None,
        "group": one.group,
        "offered_rank": one.offered or None,
        "sentence": result_sentence(one)._asdict(),
        "notes": [note._asdict() for note in one.notes],
    }


def _write(found: Sequence[Outcome], out: Path) -> None:
    import pandas as pd

    from analysis.output import write_table
    from analysis.plan import CERTAINTY, PUBLISHED

    spoken, rows = language(), []
    for one in found:
        plain = _plain_outcome(one)
        plain["published_word"], plain["certainty_word"] = (
            PUBLISHED[one.published](spoken),
            CERTAINTY[one.certainty](spoken),
        )
        plain["sentence"] = plain["sentence"][spoken]
        plain["notes"] = "; ".join(note[spoken] for note in plain["notes"])
        rows.append(plain)
    write_table(pd.DataFrame(rows), out)


def _plain_target(target: Target) -> dict[str, Any]:
    names = ("index", "round", "domain", "code", "kind", "group", "baseline_round", "source")
    number = {"target": target.value if target.kind != "group" else None, "of": target.of or None}
    return {**{name: getattr(target, name) for name in names}, **number}


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None


def _figure(value: float, sign: str = "") -> str:
    from analysis.report.format import number

    text = "" if value != value else number(value, 2, language())
    return f"+{text}" if sign and value > 0 else text


def _count(value: float) -> str:
    from analysis.report.format import count

    return count(value, language())


def _aside(notes: Sequence[Text], spoken: str) -> str:
    return f" ({'; '.join(note(spoken) for note in notes)})" if notes else ""


for _command in plan_papers.commands.values():
    plan.add_command(_command)
commands: dict[str, click.Command] = {"plan": plan}
