"""What changed between two versions of an ``index`` sheet: leaves and the rules by which they are put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from survey.questionnaire.model import Questionnaire
from survey.text import Text

_WORDS = ("label", "level_name", "agency", "note")

Row = tuple[str, bool, str, str, int, int, Text]
"""kind, compatible, sheet, code, row in the old sheet, row in the new one, what."""


def differences(old: Questionnaire, new: Questionnaire) -> Iterator[Row]:
    """What is gone, what is counted otherwise, what is new; words are compatible, everything else is not.

    A new leaf changes the figure of every node above it, unless its share is 0.
    """
    before, after = _rows(old), _rows(new)
    for code, (row, cells) in before.items():
        if code not in after:
            what = Text("bị bỏ khỏi chỉ số", "it is no longer in the index")
            yield "index_removed", False, "index", code, row, 0, what
            continue
        now, others = after[code]
        columns = [c for c in dict.fromkeys((*cells, *others)) if cells.get(c, "") != others.get(c, "")]
        counted = [column for column in columns if column.partition("::")[0] not in _WORDS]
        if counted:
            leaf = cells.get("question") or others.get("question")
            told = "; ".join(f"{c}: {cells.get(c, '') or '–'} → {others.get(c, '') or '–'}" for c in counted)
            what = (
                Text(f"chỉ tiêu gốc tính khác đi ({told})", f"this leaf of the index is counted otherwise ({told})")
                if leaf
                else Text(f"cách gộp khác đi ({told})", f"it is put together otherwise ({told})")
            )
            yield "index", False, "index", code, row, now, what
        elif columns:
            yield "index_label", True, "index", code, row, now, Text("tên gọi đổi", "its words changed")
    for code, (row, cells) in after.items():
        if code not in before:
            shown = cells.get("share", "").strip() == "0"
            what = (
                Text("mới, chỉ trình bày (tỷ trọng 0)", "new, only shown (share 0)")
                if shown
                else Text("mới, làm thay đổi chỉ số ở trên", "new, which changes the figures above it")
            )
            yield "index_added", shown, "index", code, 0, row, what


def _rows(questionnaire: Questionnaire) -> dict[str, tuple[int, Mapping[str, str]]]:
    """Code to its row in the sheet (the header is row 1) and its cells that are not blank."""
    return {
        row["code"].strip(): (number, {k: v.strip() for k, v in row.items() if v and v.strip()})
        for number, row in enumerate(questionnaire.index, 2)
        if row.get("code", "").strip()
    }
