"""``survey score``: an index with its uncertainty, from respondents, from the store, or from published figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import FINDINGS, Command, json_option, language, open_store, option, say, say_json, say_table
from survey.cli.figures import INDEX, LEVEL, OUT, STATE, STATES, VOLUNTEERS, WEIGHTS, say_written
from survey.cli.options import FILE, FILE_OR_FOLDER, NEW_FILE
from survey.errors import InputError
from survey.text import Text

if TYPE_CHECKING:
    from analysis.scores import Scores

UNDECLARED = Text(
    "không có design.toml: coi như mẫu ngẫu nhiên đơn giản, mọi phiếu như nhau, khoảng có thể hẹp hơn thực tế",
    "no design.toml: taken as a simple random sample of equal weights, so intervals may be too narrow",
)
UNWEIGHTED_ROUND = Text(
    "mẫu không có xác suất chọn của mọi đơn vị: các phiếu được tính như nhau",
    "the sample does not say every unit's probability: all interviews count the same",
)
_WIDEST = 52


@click.command(
    cls=Command,
    help=Text(
        "Tính chỉ số kèm khoảng tin cậy, từ các phiếu, từ tệp số liệu hoặc từ bảng điểm đã công bố.",
        "Score an index with confidence intervals, from interviews, a data file or published scores.",
    ),
    example="survey score phieu.csv --index sipas_2026 --design design.toml --by province --out diem.csv",
)
@click.argument("data", required=False, type=FILE)
@INDEX
@option(
    "--design",
    type=FILE_OR_FOLDER,
    help=Text("Tệp design.toml (mặc định: tệp nằm cùng chỉ số).", "A design.toml (default: the one beside the index)."),
)
@option(
    "--by",
    multiple=True,
    metavar="COL",
    help=Text("Cột chia nhóm; nhiều cột thì kết hợp.", "Column of domains; several are crossed."),
)
@option("--total", is_flag=True, help=Text("Thêm các dòng cho toàn bộ mẫu.", "Add the rows of everybody together."))
@WEIGHTS
@option(
    "--round", "round_id", help=Text("Đợt khảo sát trong kho, hoặc năm trong bảng điểm.", "Round, or year of a file.")
)
@STATE
@VOLUNTEERS
@LEVEL
@option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help=Text("Nơi cộng các phiếu: máy này hoặc cụm Spark.", "Where respondents are added up: here or on Spark."),
)
@OUT
@option(
    "--least",
    type=click.IntRange(1),
    metavar="N",
    help=Text("Ẩn ô có ít hơn N phiếu (quy tắc công bố).", "Hide cells with fewer than N interviews."),
)
@option(
    "--missing",
    type=NEW_FILE,
    help=Text(
        "Ghi tỷ lệ “không biết”, biên và độ nhạy thứ hạng ra tệp.",
        "Write shares of don't-knows, bounds and what ranks depend on to a file.",
    ),
)
@option(
    "--contributions",
    type=NEW_FILE,
    help=Text("Ghi đóng góp của từng chỉ tiêu vào chỉ số ra tệp.", "Write each indicator's contribution to a file."),
)
@option("--from-tcvn3", "encoding", flag_value="tcvn3", help=Text("Chữ trong tệp là mã TCVN3 (ABC).", "Text is TCVN3."))
@option("--from-vni", "encoding", flag_value="vni", help=Text("Chữ trong tệp là mã VNI.", "Text is VNI."))
@json_option
def score(
    data: Path | None,
    index: str | None,
    design: Path | None,
    by: tuple[str, ...],
    total: bool,
    weights: Path | None,
    round_id: str | None,
    state: str,
    volunteers: bool,
    level: float | None,
    engine: str,
    out: Path | None,
    encoding: str | None,
    as_json: bool,
    least: int | None,
    missing: Path | None,
    contributions: Path | None,
) -> int:
    for file in (out, missing, contributions):
        together(file, data, level)
    options: dict[str, Any] = {"by": by, "total": total, "weights": weights, "level": level, "least": least}
    options["engine"] = engine
    more = [step for step in (_missing(missing, by), _contributions(contributions, by)) if step is not None]
    if data is None:
        scores = score_round(round_id, index, design, state, volunteers=volunteers, more=more, **options)
    elif volunteers:
        raise InputError(
            "--volunteers",
            Text("chỉ dùng với đợt trong kho", "is for a round of the store"),
            Text("bỏ tùy chọn này, hoặc bỏ tệp", "leave it out, or the file"),
        )
    else:
        scores = score_file(data, index, design, round_id or "", encoding=encoding or "", more=more, **options)
    files = [file for file in (missing, contributions) if file is not None]
    if out is not None:
        from analysis.output import write_scores

        files = [*write_scores(scores, out), *files]
    if as_json:
        from analysis.output import as_json as plain

        say_json({**plain(scores), "files": files})
    else:
        _show(scores, files)
    for finding in scores.findings:
        click.echo(finding(language()), err=True)
    return FINDINGS if scores.findings else 0


def together(out: Path | None, data: Path | None, level: float | None) -> None:
    """Raises InputError where ``--out`` is no table or the data themselves, or ``--level`` is not between 0 and 1."""
    if out is not None and out.suffix.lower() not in (".csv", ".parquet", ".xlsx"):
        raise InputError(
            "--out",
            Text(f"không ghi được loại tệp “{out.suffix}”", f"files of the kind '{out.suffix}' are not written"),
            Text("dùng .csv, .parquet hoặc .xlsx", "use .csv, .parquet or .xlsx"),
        )
    if out is not None and data is not None and out.resolve() == data.resolve():
        raise InputError(
            "--out",
            Text("tệp kết quả trùng với tệp số liệu", "the result would replace the data"),
            Text("chọn tên khác", "choose another name"),
        )
    if level is not None and not 0 < level < 1:
        raise InputError(
            "--level",
            Text(f"{level:g} không nằm giữa 0 và 1", f"{level:g} is not between 0 and 1"),
            Text("ví dụ --level 0.95", "for example --level 0.95"),
        )


def score_file(
    data: Path,
    index: str | None,
    design: Path | None = None,
    round_id: str = "",
    *,
    by: tuple[str, ...] = (),
    total: bool = False,
    weights: Path | None = None,
    level: float | None = None,
    engine: str = "local",
    encoding: str = "",
    least: int | None = None,
    more: Sequence[Step] = (),
) -> Scores:
    """Scores of a file: of respondents, or of published scores, which are rolled up."""
    from analysis import Design, load_design, load_index
    from analysis.carried import beside
    from analysis.index import located
    from analysis.reading import read_table
    from analysis.rollup import is_scores, roll_up
    from analysis.scores import score as score_data

    if not index:
        raise InputError(
            "--index",
            Text("chưa nêu chỉ số", "no index is named"),
            Text("thêm --index, ví dụ --index sipas_2026", "add --index, for example --index sipas_2026"),
        )
    tree, table = load_index(index), read_table(data, encoding)
    if is_scores(table):
        given = {
            "--design": design,
            "--by": by,
            "--weights": weights,
            "--total": total,
            "--level": level,
            "--least": least,
        }
        given |= {"--missing, --contributions": len(more)}
        given["--engine"] = engine != "local"
        unused = ", ".join(name for name, value in given.items() if value)
        if unused:
            raise InputError(
                unused,
                Text("không dùng được với bảng điểm đã công bố", "of no use with a file of scores"),
                Text("bỏ tùy chọn này", "leave it out"),
            )
        return roll_up(table, tree, round=round_id, carried=beside(data))
    table = _one_round(table, round_id, by)
    usual = located(index).with_name("design.toml") if located(index).is_file() else located(index) / "design.toml"
    declared = design or (usual if usual.is_file() else None)
    table, chosen = weighted(table, load_design(declared) if declared else Design(), weights)
    chosen = published(chosen, least)
    scores = score_data(table, tree, chosen, by, level=level, total=total, round=round_id, engine=engine)
    scores = _and(more, scores, table, chosen, round_id)
    return scores if declared else replace(scores, notes=(UNDECLARED, *scores.notes))


def _one_round(table: Any, round_id: str, by: tuple[str, ...]) -> Any:
    """The respondents of one round, where the file has a column ``round`` with several and they are no domains."""
    if "round" not in table or any("round" in name for name in by):
        return table
    codes, rounds = table.labels("round")
    if len(rounds) < 2:
        return table
    listed = ", ".join(rounds)
    if round_id not in rounds:
        raise InputError(
            "--round",
            Text(f"tệp có nhiều đợt: {listed}", f"the file holds several rounds: {listed}"),
            Text("chọn một bằng --round, hoặc thêm --by round", "choose one with --round, or add --by round"),
        )
    return table.filter(codes == rounds.index(round_id))


def score_round(
    round_id: str | None,
    index: str | None,
    design: Path | None,
    state: str,
    *,
    by: tuple[str, ...] = (),
    total: bool = False,
    weights: Path | None = None,
    level: float | None = None,
    least: int | None = None,
    more: Sequence[Step] = (),
    volunteers: bool = False,
    engine: str = "local",
) -> Scores:
    """Scores of a round of the store, marked provisional with ``sealed``, synthetic where the round is made up, and
    pilot where it is one; of the drawn sample, or of the volunteers alone."""
    from analysis import dataset, load_design, load_index
    from analysis.scores import PILOT, SYNTHETIC
    from analysis.scores import score as score_data
    from survey.cli.frame import chosen_round

    with open_store() as store:
        document = chosen_round(store, round_id)
        data = dataset.load(store, document["id"], STATES[state], volunteers=volunteers)
    tree = load_index(index) if index else data.index
    chosen = load_design(design) if design else data.design
    if chosen.publication is None:
        chosen = replace(chosen, publication=data.publication)
    table, chosen = weighted(data.table, chosen, weights)
    options: dict[str, Any] = {"level": level, "total": total, "round": document["id"], "engine": engine}
    chosen = published(chosen, least)
    scores = score_data(table, tree, chosen, by, provisional=data.provisional, **options)
    scores = _and(more, scores, table, chosen, document["id"])
    if volunteers:
        scores = replace(scores, notes=(dataset.VOLUNTEERS, *scores.notes))
    elif not chosen.weight:
        scores = replace(scores, notes=(UNWEIGHTED_ROUND, *scores.notes))
    for mark, there in ((SYNTHETIC, document.get("synthetic")), (PILOT, document.get("pilot"))):
        scores = scores.marked(mark) if there else scores
    return scores


Step = Callable[[Any, Any, Any, str], tuple[Text, ...]]
"""(table, index, design, round) → what it wrote is said in notes."""


def _and(more: Sequence[Step], scores: Scores, table: Any, design: Any, round_id: str) -> Scores:
    notes = [note for step in more for note in step(table, scores.index, design, round_id)]
    return replace(scores, notes=(*scores.notes, *notes))


def published(design: Any, least: int | None) -> Any:
    """The design with the smallest number of interviews that a published cell has, where one is named."""
    if least is None:
        return design
    from analysis.design import Publication

    return replace(design, publication=replace(design.publication or Publication(), least_n=least))


def _missing(file: Path | None, by: tuple[str, ...]) -> Step | None:
    if file is None:
        return None

    def write(table: Any, index: Any, design: Any, round_id: str) -> tuple[Text, ...]:
        from analysis.missing_answers import missing_answers
        from analysis.output import write_table

        found = missing_answers(table, index, design, by)
        write_table(found.table(index), file)
        most = found.shares.dropna(subset="dont_know").sort_values("dont_know", ascending=False).head(1)
        notes = list(found.notes)
        for row in most.to_dict("records"):
            share = f"{100 * row['dont_know']:.1f} %"
            where = f"{row['code']}, {row['domain']}"
            notes.append(Text(f"“không biết” nhiều nhất: {where}, {share}", f"most don't-knows: {where}, {share}"))
        return tuple(notes)

    return write


def _contributions(file: Path | None, by: tuple[str, ...]) -> Step | None:
    if file is None:
        return None

    def write(table: Any, index: Any, design: Any, round_id: str) -> tuple[Text, ...]:
        from analysis.contributions import contributions
        from analysis.output import write_scores

        made = replace(design, sensitivity=None)
        write_scores(contributions(table, index, made, by, round=round_id), file)
        return ()

    return write


def weighted(table: Any, design: Any, weights: Path | None) -> tuple[Any, Any]:
    """The table with the weights of a file, and the design that goes with them."""
    if weights is None:
        return table, design
    from analysis.reading import read_table
    from analysis.weighting import join_weights, joined_design

    file = read_table(weights)
    return join_weights(table, file), joined_design(design, file)


def _show(scores: Scores, files: list[Path]) -> None:
    from analysis.scores import note_in

    spoken = language()
    for note in scores.notes:
        say(note)
    depth = scores.index.depth
    shown = scores.table
    if files:  # the file has everything: here only the top of the tree
        shown = shown[[depth[code] <= 2 for code in shown["code"]]]
    headings = [
        Text("nhóm", "domain"),
        Text("mã", "code"),
        Text("tên", "name"),
        Text("ước lượng", "estimate"),
        Text("từ", "low"),
        Text("đến", "high"),
        Text("sai số chuẩn", "se"),
        Text("bậc tự do", "df"),
        Text("n", "n"),
        Text("ghi chú", "note"),
    ]
    rows = []
    for row in shown.to_dict("records"):
        name = scores.index.by_code[row["code"]].name(spoken)
        figures = [_figure(row[key]) for key in ("estimate", "low", "high", "se", "df", "n")]
        domain = " ".join(part for part in (row["round"], row["domain"]) if part)
        indented = shorten("  " * (depth[row["code"]] - 1) + name)
        rows.append([domain, row["code"], indented, *figures, note_in(row["note"], spoken)])
    say_table(headings, rows)
    say_written(*files)


def shorten(text: str) -> str:
    """``text``, cut where it would make the table wider than a screen."""
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1].rstrip() + "…"


def _figure(value: Any) -> str:
    return "" if value is None or value != value else f"{value:.6g}"


commands: dict[str, click.Command] = {"score": score}
