"""A questionnaire whose choices are the country's 34 provinces and 3,321 communes, for the tests of long lists."""

from __future__ import annotations

import csv
import tempfile
from functools import cache
from pathlib import Path

from survey.questionnaire import xlsform
from survey.questionnaire.model import Questionnaire

SURVEY = (
    ("type", "name", "label::Tiếng Việt (vi)", "label::English (en)", "choice_filter", "missing", "required"),
    ("select_one province", "province", "Tỉnh, thành phố nơi ở", "Province", "", "", "yes"),
    ("select_one commune", "commune", "Xã, phường nơi ở", "Commune", "province = ${province}", "refused", "yes"),
    ("select_multiple commune", "worked", "Từng làm việc ở những xã nào?", "Communes worked in", "", "dont_know", ""),
    ("select_one farm", "farm", "Mã hộ trong danh sách", "Household code", "", "", ""),
    ("text", "after", "Ghi thêm", "Notes", "", "", ""),
)

FARMS = 15_000


@cache
def places() -> Questionnaire:
    """The questionnaire, compiled from its sheets."""
    from vietnam_provinces import Province, Ward

    choices: list[tuple[str, ...]] = [
        ("list_name", "name", "label::Tiếng Việt (vi)", "label::English (en)", "province"),
    ]
    for province in Province.iter_all():
        choices.append(("province", f"{province.code:02}", province.name, province.name, ""))
    for ward in Ward.iter_all():
        choices.append(("commune", f"{ward.code:05}", ward.name, ward.name, f"{ward.province_code:02}"))
    choices += [("farm", f"h{n:05}", f"Hộ số {n}", f"Household {n}", "") for n in range(1, FARMS + 1)]
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("survey", SURVEY), ("choices", choices)):
            with (Path(folder) / f"{name}.csv").open("w", encoding="utf-8", newline="") as out:
                csv.writer(out).writerows(rows)
        return xlsform.load(folder)
