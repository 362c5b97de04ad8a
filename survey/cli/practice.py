"""``survey practice key | list | results | drop``: scored practice sets for training."""

from __future__ import annotations

from pathlib import Path

import click

from survey.cli.base import Group, instance_folder, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.figures import say_written
from survey.cli.frame import chosen_round, round_option
from survey.cli.options import FILE, NEW_FILE
from survey.text import Text, many


@click.group(
    cls=Group, help=Text("Tập huấn: bài có chấm điểm, kết quả.", "Training: scored practice sets and their results.")
)
def practice() -> None:
    pass


@practice.command(
    help=Text(
        "Soạn một bài tập huấn từ bảng đáp án (câu hỏi, đáp án, sai lệch), hoặc từ phiếu mẫu đã điền trong tập huấn.",
        "Write a practice set from a table (question, answer, tolerance), or from a practice interview filled here.",
    ),
    example="survey practice key dap_an.xlsx --title 'Tình huống 1' --pass 80",
)
@click.argument("file", required=False, type=FILE)
@round_option
@option("--interview", default="", help=Text("Mã phiếu tập huấn làm đáp án.", "Id of the practice interview."))
@option("--title", default="", help=Text("Tên bài.", "Title."))
@option("--pass", "least", default="80", show_default=True, help=Text("Đạt từ bao nhiêu %.", "Per cent that pass."))
@option("--id", "set_id", default="", help=Text("Mã bài; có rồi thì thay đáp án.", "Id; a known one gets a new key."))
@json_option
def key(
    file: Path | None,
    round_id: str | None,
    interview: str,
    title: str,
    least: str,
    set_id: str,
    as_json: bool,
) -> None:
    from survey.store import practice as kept
    from survey.sync import training
    from survey.tables import read_table

    if (file is None) == (not interview):
        raise click.UsageError(
            Text("nêu một tệp đáp án, hoặc --interview", "name a file with the key, or --interview")(language())
        )
    with open_store() as store:
        round = str(chosen_round(store, round_id)["id"])
        if file is not None:
            made = training.set_from_table(store, round, read_table(file), title, least, set=set_id)
        else:
            with kept.opened(instance_folder()) as own:
                made = training.set_from_interview(store, own, round, interview, title, least, set=set_id)
    if as_json:
        say_json(made)
    else:
        count = len(made["key"])
        say(
            Text(
                f"Đã lưu bài {made['id']}: {count} câu có đáp án. Ghi lại tệp đợt khảo sát để các máy nhận.",
                f"Kept set {made['id']}: {many(count, 'question has', 'questions have')} a key. Write the round "
                "file again for the laptops.",
            )
        )


@practice.command(
    name="list", help=Text("Các bài tập huấn.", "The practice sets known here."), example="survey practice list"
)
@json_option
def list_(as_json: bool) -> None:
    from survey.store import practice as kept

    with open_store() as store:
        found = kept.sets(store)
    if as_json:
        say_json(found)
        return
    spoken = language()
    say_table(
        [
            Text("mã", "id"),
            Text("đợt", "round"),
            Text("tên", "title"),
            Text("số câu", "questions"),
            Text("đạt, %", "pass, %"),
        ],
        [(one["id"], one["round"], one["title"].get(spoken, ""), len(one["key"]), one["pass"]) for one in found],
    )


@practice.command(
    help=Text(
        "Kết quả từng người ở một bài: đúng, sai, bỏ sót, điểm, câu hay sai; --out ghi .xlsx hoặc .csv.",
        "How everybody did: right, wrong, left out, score, what was most often wrong; --out writes .xlsx or .csv.",
    ),
    example="survey practice results --out tap_huan.xlsx",
)
@click.argument("set_id", metavar="SET", required=False, default="")
@round_option
@option("--out", type=NEW_FILE, help=Text("Ghi vào tệp.", "Write into a file."))
@json_option
def results(set_id: str, round_id: str | None, out: Path | None, as_json: bool) -> None:
    from survey.fieldwork.practice import hardest
    from survey.store import frame
    from survey.sync import training

    with open_store() as store:
        chosen = training.chosen(store, str(chosen_round(store, round_id)["id"]), set_id)
        found = training.results(store, chosen)
        names = {str(one["id"]): str(one.get("name") or one["id"]) for one in frame.people(store)}
        rows = training.table(store, chosen, language(), str)
    if out is not None:
        out.write_bytes(training.as_xlsx(rows) if out.suffix.lower() == ".xlsx" else training.as_csv(rows))
    wrong = hardest(one.last for one in found)
    if as_json:
        people = [
            {
                "person": one.person,
                "attempts": one.attempts,
                "first": one.first,
                "last": one.last.percent,
                "passed": one.passed,
                "counts": one.counts,
                "marks": {mark.path: mark.outcome for mark in one.last.marks},
            }
            for one in found
        ]
        say_json({"set": chosen["id"], "people": people, "wrong": {one.path: one.wrong for one in wrong if one.wrong}})
        return
    say_table(
        [
            Text("họ tên", "name"),
            Text("số lần", "attempts"),
            Text("lần đầu, %", "first, %"),
            Text("lần cuối, %", "last, %"),
            Text("đạt", "passed"),
        ],
        [
            (
                names.get(one.person, one.person),
                one.attempts,
                round(one.first),
                round(one.last.percent),
                "✓" if one.passed else "–",
            )
            for one in found
        ],
    )
    if listed := [f"{one.path} ({one.wrong}/{len(found)})" for one in wrong[:10] if one.wrong]:
        say(Text("Hay sai nhất: " + ", ".join(listed), "Most often wrong: " + ", ".join(listed)))
    if out is not None:
        say_written(out)


@practice.command(
    help=Text("Bỏ một bài tập huấn khỏi đợt.", "Take a practice set out of its round."),
    example="survey practice drop t1a2b3c4",
)
@click.argument("set_id", metavar="SET")
@round_option
def drop(set_id: str, round_id: str | None) -> None:
    from survey.sync import training

    with open_store() as store:
        training.drop(store, str(chosen_round(store, round_id)["id"]), set_id)
    say(Text(f"Đã bỏ bài {set_id}.", f"Set {set_id} is taken away."))


commands = {"practice": practice}
