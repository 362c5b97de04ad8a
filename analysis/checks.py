"""What is wrong with data and index before they are scored, and what their scores lack for want of answers or units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis import leaves
from analysis.index import Index
from analysis.table import Table, said
from survey.errors import InputError, Problem
from survey.text import Text, many, plural


def unusable(table: Table, index: Index, answered: Sequence[Any], columns: Sequence[str]) -> list[Problem]:
    """Columns of the index and of the domains that are not there, an index without questions, no respondents."""
    found = leaves.problems(answered, table)
    found += [table.missing_column(name, "by") for name in columns if name not in table]
    if not answered:
        found.append(
            Problem(
                index.id,
                Text("chỉ số này không gắn với câu hỏi nào", "this index names no questions"),
                Text(
                    "dùng cho bảng điểm đã công bố, hoặc chọn chỉ số khác", "it is for published scores; choose another"
                ),
            )
        )
    if not len(table):
        found.append(Problem(table.source, Text("không có phiếu nào", "there are no respondents")))
    return found


def no_domain(table: Table, columns: Sequence[str], labels: Sequence[tuple[str, ...]]) -> None:
    """Raises InputError where no row belongs to any domain."""
    if not labels:
        raise InputError(
            f"{table.source}, column {', '.join(columns)}, {table.rows_text(np.ones(len(table), dtype=bool))}",
            Text("không có nhóm nào: các ô đều trống", "no domain: its cells are all blank"),
            Text("chọn cột khác", "choose another column"),
        )


def outside(table: Table, columns: Sequence[str], members: np.ndarray) -> tuple[Text, ...]:
    """How many interviews lie outside every domain, for want of a value."""
    found = []
    for name in columns:
        count = int(members[table.blank(name)].sum())
        if count:
            found.append(
                Text(
                    f"{count} phiếu không có {name} nên không thuộc nhóm nào",
                    f"{many(count, 'interview has', 'interviews have')} no {name} and "
                    f"{plural(count, 'is', 'are')} in no domain",
                )
            )
    return tuple(found)


def bare(index: Index) -> list[Problem]:
    """Nodes with neither children nor a question: nothing can come out of them."""
    nodes = [node for node in index.leaves if not node.question]
    if not nodes:
        return []
    listed = ", ".join(node.code for node in nodes[:5]) + (", …" if len(nodes) > 5 else "")
    return [
        Problem(
            f"{index.id}, {said(len(nodes), [node.row for node in nodes[:5]])}",
            Text(f"không có nút con và không có câu hỏi: {listed}", f"neither children nor a question: {listed}"),
            Text("ghi cột question, hoặc bỏ các dòng này", "fill in the column question, or take these rows out"),
        )
    ]


def unanswered(table: Table, answered: Sequence[Any], counts: np.ndarray) -> list[Problem]:
    """The leaves that nobody answered; ``counts`` are the answers of each in all domains together."""
    first = table.places[:5].tolist()
    found = []
    for node, count in zip(answered, counts, strict=True):
        if not count and (column := table.find(node.question)) is not None:
            found.append(
                Problem(
                    f"{node.code}, {table.source}, column {column}, {said(len(table), first)}",
                    Text("không ai trả lời câu này", "nobody answered"),
                    Text(
                        "kiểm tra cột và base của chỉ tiêu, hoặc bỏ chỉ tiêu khỏi chỉ số",
                        "check the column and the indicator's base, or take the indicator out of the index",
                    ),
                )
            )
    return found


def single_units(rows: Sequence[Mapping[str, Any]], tops: Sequence[str]) -> tuple[Text, ...]:
    """The domains that lie in one sampled unit, which has no spread to take an interval from."""
    alone = [row for row in rows if row["code"] in tops and row["n_psu"] == 1]
    names = list(dict.fromkeys(f"{row['domain_level']} {row['domain']}" for row in alone))
    if not names:
        return ()
    listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return (
        Text(
            f"nhóm nằm trong một đơn vị chọn mẫu, không có khoảng tin cậy: {listed}; nên gộp nhóm",
            f"domains in a single sampled unit, without an interval: {listed}; join domains",
        ),
    )
