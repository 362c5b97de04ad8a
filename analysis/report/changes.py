"""Two rounds beside each other as a document: every change with its error, and never what must not be joined."""

from __future__ import annotations

import math
from typing import Any

from analysis.change import PAPI_RULE, Changes, compare
from analysis.report import charts
from analysis.report.blocks import Block, Column, Entry, Heading, Paper, Paragraph, Picture, Row, Table
from analysis.report.cells import WHOLE
from analysis.report.compared import Slope, slopes
from analysis.report.figures import Figures
from analysis.report.format import decimals, interval, known, number, percent
from analysis.report.gap_pages import plus, signed, value_of
from analysis.report.making import Report
from analysis.report.overview import Setting
from analysis.report.tree import Node, one_scale
from analysis.score_file import ScoreTable, score_table
from survey.errors import InputError
from survey.text import Text

VERDICTS = {
    "up": Text("tăng", "rose"),
    "down": Text("giảm", "fell"),
    "unclear": Text("chưa đủ căn cứ", "not enough to tell"),
    "": Text("không kiểm định được", "not tested"),
}
_MOST = 40


def changes(report: Report, language: str, before: Any, before_round: str = "") -> Paper:
    """What changed since ``before`` (scores as :func:`analysis.score_file.score_table` takes them): every node of the
    whole, and the index in every place.

    Raises:
        InputError: no scores of another round, nothing in common, or one side is published and the other own: such
            values are never joined.
    """
    if before is None:
        raise InputError(
            "--before",
            Text("chưa nêu điểm của đợt trước", "the scores of the round before are not named"),
            Text("thêm --before TỆP (và --before-round)", "add --before FILE (and --before-round)"),
        )
    setting, figures = Setting(report.meta, language), Figures(report.meta, language)
    t = setting.t
    old = score_table(before)
    new = next(iter(report.sources))
    sides = [_published(table, round) for table, round in ((old, before_round), (score_table(new), report.meta.round))]
    if sides[0] != sides[1]:
        raise InputError(
            f"--before {old.source}",
            Text("một bên là số liệu công bố, một bên là kết quả của mình: không nối với nhau",
                 "one side was published, the other is our own: they are not joined"),
            Text("so sánh hai đợt cùng loại", "compare two rounds of one kind"),
        )  # fmt: skip
    body: list[Block] = []
    rounds = ("", "")
    for level in _levels(old, before_round, report):
        found = _compared(report, old, before_round, level)
        if found is None:
            continue
        rounds = (found.before, found.after)
        if level in WHOLE:
            body += _nodes(report, setting, found)
        else:
            body += _places(report, setting, figures, found, level)
        body += _said(found, setting)
    if not body:
        raise InputError(
            f"--before {old.source}",
            Text("hai đợt không có loại nhóm chung nào", "the rounds have no kind of domain in common"),
            Text("tính điểm hai đợt theo cùng cột --by", "score both rounds by the same column"),
        )
    body += setting.notes((), small=False)
    vi, en = " – ".join(filter(None, rounds)), " to ".join(filter(None, rounds))
    title = Text(f"So sánh hai đợt {vi}: {report.meta.title.vi}", f"Change from {en}: {report.meta.title.en}")
    body.insert(0, Paragraph(t(
        "Chỉ gọi là tăng hay giảm khi chênh lệch vượt ra ngoài sai số chọn mẫu của cả hai đợt, sau hiệu chỉnh cho số "
        "phép so sánh.",
        "A change is called a rise or a fall only where it exceeds the sampling error of both rounds, adjusted for the "
        "number of comparisons.",
    )))  # fmt: skip
    return setting.paper(body, own=not sides[1], title=title)


def _published(table: ScoreTable, round: str) -> bool:
    rows = table.frame[table.frame["round"] == round] if round else table.frame
    return bool(rows["n"].isna().all())


def _levels(old: ScoreTable, round: str, report: Report) -> list[str]:
    """Kinds of domain that both rounds have, the whole first, places and groups after."""
    rows = old.frame[old.frame["round"] == round] if round else old.frame
    before, after = set(rows["domain_level"]), [WHOLE[1], *report.cells.levels()]
    return [level for level in after if level in before]


def _compared(report: Report, old: ScoreTable, before_round: str, level: str) -> Changes | None:
    """The changes in one kind of domain, from the source that has it."""
    for table in map(score_table, report.sources):
        if level in set(table.frame["domain_level"]):
            indices = () if _named(old) and _named(table) else (report.index,)
            rounds = before_round, report.meta.round
            return compare(old, table, by=level, rounds=rounds, indices=indices, level=report.meta.level)
    return None


def _named(table: ScoreTable) -> bool:
    return bool((table.frame["index"] != "").all())


def _nodes(report: Report, setting: Setting, found: Changes) -> list[Block]:
    """The whole: slopes of the components, and every node."""
    t, say = setting.t, setting.language
    rows = {row["code"]: row for row in found.table.to_dict("records") if row["code"] in report.tree.nodes}
    heading = t("Thay đổi của chỉ số", "Change of the index")
    blocks: list[Block] = [Heading(heading)]
    nodes = [node for node in report.tree.components(14) if node.code in rows]
    if one_scale(nodes):
        blocks += _slopes([(node.label(say), node, rows[node.code]) for node in nodes], f"{say}-change", heading, found,
                          setting)  # fmt: skip
    table = [
        _row(node.label(say), node, rows[node.code], setting, after=code, depth=True)
        for code, node in report.tree.nodes.items()
        if code in rows
    ]
    blocks.append(_table(heading, t("Nội dung", "Content"), table, found, setting))
    return blocks


def _places(report: Report, setting: Setting, figures: Figures, found: Changes, level: str) -> list[Block]:
    """One kind of domain: the index in each, changes as dots with their intervals where there are any."""
    say = setting.language
    codes = set(found.table["code"])
    top = next((node for node in report.tree.nodes.values() if node.code in codes), None)
    if top is None:
        return []
    rows = found.table[found.table["code"] == top.code].to_dict("records")
    word = report.meta.level_name(level)(say)
    heading = setting.t(f"Thay đổi theo {word[:1].lower()}{word[1:]}", f"Change by {word[:1].lower()}{word[1:]}")
    names = {row["domain"]: report.meta.domain_name(level, row["domain"])(say) for row in rows}
    order = sorted(rows, key=lambda row: -row["change"] if known(row["change"]) else float("inf"))
    places = decimals(top.width)
    dots = [
        charts.Dot(names[row["domain"]], row["change"], row["low"], row["high"],
                   signed(row["change"], row["low"], row["high"], places, say),
                   "own" if known(row["low"]) else "published")
        for row in order if known(row["change"])
    ]  # fmt: skip
    blocks: list[Block] = [Heading(heading)]
    if 2 <= len(dots) <= _MOST and len(order) <= 20:
        blocks += _slopes([(names[row["domain"]], top, row) for row in order],
                          f"{say}-change-{report.cells.levels().index(level)}", heading, found, setting)  # fmt: skip
    elif dots:
        zero = charts.Reference(0.0, None, None)
        window = charts.window(dots, None, zero)
        size = math.ceil(len(dots) / math.ceil(len(dots) / 20))
        for k in range(0, len(dots), size):
            part = dots[k : k + size]
            drawing = charts.dots(part, key=f"{say}-change-{report.cells.levels().index(level)}-{k}",
                                  title=f"{heading}: {top.label(say)}", description=figures.read_aloud(part),
                                  language=say, window=window, reference=zero, alike=dots)  # fmt: skip
            last = k + size >= len(dots)
            blocks.append(Picture((drawing,), setting.t("Đường đứt là không thay đổi.", "The dashed line is no change.")
                                  if last else ""))  # fmt: skip
    table = [_row(names[row["domain"]], top, row, setting) for row in order]
    blocks.append(_table(f"{top.label(say)} – {word[:1].lower()}{word[1:]}", word, table, found, setting))
    return blocks


def _slopes(lines: list[tuple[str, Node, dict[Any, Any]]], key: str, heading: str, found: Changes,
            setting: Setting) -> list[Block]:  # fmt: skip
    say = setting.language
    places = decimals(lines[0][1].width) if lines else 2
    drawn = slopes(
        [
            Slope(name, row["before"], row["after"], row["verdict"] if row["verdict"] in ("up", "down") else "",
                  f"{number(row['before'], places, say)} → {number(row['after'], places, say)}, "
                  f"{VERDICTS[row['verdict']](say)}")
            for name, _, row in lines
        ],
        key=key, title=heading, rounds=(found.before or setting.t("trước", "before"),
                                        found.after or setting.t("sau", "after")), language=say, places=places,
    )  # fmt: skip
    if drawn is None:
        return []
    caption = setting.t(
        "▲ ▼ nét liền: tăng, giảm ngoài sai số; nét đứt, chữ xám: chưa đủ căn cứ hoặc không có sai số.",
        "▲ ▼ solid: a rise or fall beyond the error; dashed, grey: not enough to tell, or no error known.",
    )
    return [Picture((drawn,), caption)]


def _row(name: str, node: Node, row: dict[Any, Any], setting: Setting, *, after: str = "", depth: bool = False) -> Row:
    say, places = setting.language, decimals(node.width)
    rule = {"up": "▲", "down": "▼"}.get(str(row["rule5"]), "")
    return Row(
        name,
        (
            Entry(number(row["before"], places, say), value_of(row["before"]), places),
            Entry(number(row["after"], places, say), value_of(row["after"]), places),
            Entry(plus(row["change"], places, say), value_of(row["change"]), places),
            Entry(interval(row["low"], row["high"], places, say), value_of(row["low"]), places,
                  (row["low"], row["high"]) if known(row["low"]) else None),
            Entry(number(row["p_adjusted"], 3, say), value_of(row["p_adjusted"]), 3),
            Entry(VERDICTS[row["verdict"]](say)),
            Entry(f"{percent(row['relative'], 1, say)} {rule}".strip(), value_of(row["relative"]), 3),
        ),
        after=after,
        depth=(max(node.depth, 2) if not node.children else min(node.depth, 4)) if depth else None,
    )  # fmt: skip


def _table(title: str, first: str, rows: list[Row], found: Changes, setting: Setting) -> Table:
    t = setting.t
    columns = (Column(found.before or t("Đợt trước", "Before")), Column(found.after or t("Đợt sau", "After")),
               Column(t("Thay đổi", "Change")), Column(setting.interval_name(False), wide=1.75),
               Column("p (Holm)"), Column(t("Kết luận", "Conclusion"), wide=1.4),
               Column(t("So với đợt trước", "Relative"), wide=1.2))  # fmt: skip
    note = t(
        f"▲ ▼: thay đổi tương đối quá {percent(PAPI_RULE, 0, 'vi')}, quy ước của PAPI, không tính đến sai số",
        f"▲ ▼: a relative change beyond {percent(PAPI_RULE, 0, 'en')}, PAPI's rule of thumb, which knows no error",
    )
    return Table(title, first, columns, tuple(rows), note)


def _said(found: Changes, setting: Setting) -> list[Block]:
    """What compare had to say: independence, breaks of series."""
    said = [note(setting.language) for note in found.notes]
    said += [problem(setting.language) for problem in found.breaks]
    return [
        Paragraph(f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}.", quiet=True) for sentence in dict.fromkeys(said)
    ]
