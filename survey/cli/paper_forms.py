"""``survey paper``: the round's rules for forms on paper, and how they stand."""

from __future__ import annotations

import click

from survey.cli.base import FINDINGS, Group, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.frame import chosen_round, round_option
from survey.text import Text, many


@click.group(cls=Group, help=Text("Phiếu giấy phát – thu của đợt khảo sát.", "Paper forms of a round."))
def paper_group() -> None:
    pass


@paper_group.command(
    name="list",
    help=Text(
        "Đếm phiếu giấy theo thôn (phát = thu + chưa thu + hỏng, mất) và tỷ lệ lỗi khi nhập hai lần.",
        "Paper forms by village (out = collected + outstanding + lost), and error rates of double entry.",
    ),
    example="survey paper list --round r2026",
)
@round_option
@json_option
def list_(round_id: str | None, as_json: bool) -> int:
    from survey.store import keying, paper

    with open_store() as store:
        document = chosen_round(store, round_id)
        tallies = paper.tallies(store, str(document["id"]))
        rates = keying.error_rates(store)
    wrong = [village for village, tally in tallies.items() if not tally.holds]
    if as_json:
        say_json({"round": document["id"], "villages": tallies, "not_adding_up": wrong, "double_entry": rates})
        return FINDINGS if wrong else 0
    say_table(
        [
            Text("thôn", "village"),
            Text("phát", "out"),
            Text("thu", "collected"),
            Text("chưa thu", "outstanding"),
            Text("hỏng, mất", "lost"),
            Text("nhập", "keyed"),
            Text("không hợp lệ", "not valid"),
            Text("khớp", "adds up"),
        ],
        [
            [
                village,
                tally.issued,
                tally.collected,
                tally.outstanding,
                tally.lost,
                tally.keyed,
                tally.invalid,
                Text("có" if tally.holds else "KHÔNG", "yes" if tally.holds else "NO")(language()),
            ]
            for village, tally in tallies.items()
        ],
    )
    for person, row in rates.items():
        rate = row["errors"] / row["fields"] if row["fields"] else 0.0
        say(
            Text(
                f"nhập hai lần, {person}: {row['errors']} ô sai / {row['fields']} ô ({rate:.2%})",
                f"double entry, {person}: {row['errors']} of {many(row['fields'], 'field')} wrong ({rate:.2%})",
            )
        )
    return FINDINGS if wrong else 0


@paper_group.command(
    help=Text(
        "Quy định của đợt về phiếu giấy: thế nào là phiếu hợp lệ, bao nhiêu phiếu nhập hai lần.",
        "The round's rules for paper forms: what makes one valid, how many are keyed twice.",
    ),
    example="survey paper rule --valid-share 0.8 --valid-if \"${adult} = 'yes'\" --double 0.2",
)
@round_option
@option(
    "--valid-share",
    type=click.FloatRange(0, 1),
    help=Text("Tỷ lệ câu bắt buộc phải có trả lời (mặc định 0.5).", "Share of core questions to be answered (0.5)."),
)
@option(
    "--valid-if",
    help=Text("Điều kiện phiếu hợp lệ, viết như trong bảng hỏi.", "Condition of validity, as in the questionnaire."),
)
@option(
    "--double",
    type=click.FloatRange(0, 1),
    help=Text("Tỷ lệ phiếu hai người nhập độc lập (mặc định 0).", "Share of forms keyed twice, blind (0)."),
)
@json_option
def rule(
    round_id: str | None, valid_share: float | None, valid_if: str | None, double: float | None, as_json: bool
) -> None:
    from survey.paper.validity import holds
    from survey.questionnaire.model import Questionnaire
    from survey.questionnaire.path import Context, open_path
    from survey.store import frame
    from survey.sync import rounds

    with open_store() as store:
        document = chosen_round(store, round_id)
        given = {"valid_share": valid_share, "valid_if": valid_if, "double": double}
        rules = {**document.get("paper", {}), **{name: value for name, value in given.items() if value is not None}}
        if valid_if:
            compiled = frame.questionnaire(store, str(document["questionnaire_hash"]))
            if compiled is not None:
                # A condition that cannot be worked out is told now, not at the first form.
                holds(open_path(Questionnaire.from_json(compiled), {}, Context()), valid_if)
        if rules != document.get("paper", {}):
            unsigned = {name: value for name, value in document.items() if name != "signed"}
            rounds.issue_round(store, {**unsigned, "paper": rules})
    if as_json:
        say_json({"round": document["id"], "paper": rules})
        return
    share, twice = rules.get("valid_share", 0.5), rules.get("double", 0.0)
    condition = rules.get("valid_if") or "–"
    say(
        Text(
            f"Hợp lệ: trả lời từ {share:.0%} câu bắt buộc trở lên; điều kiện: {condition}. Nhập hai lần: {twice:.0%}.",
            f"Valid: {share:.0%} of the core questions answered; condition: {condition}. Keyed twice: {twice:.0%}.",
        )
    )


commands: dict[str, click.Command] = {"paper": paper_group}
