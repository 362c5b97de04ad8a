"""Scores of Sơn La for the tests of the public site: three communes of 75, one of them too small to publish."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

MAI_SON, CHIENG_MUNG, HIDDEN_ONE = "04105", "04123", "04108"
HIDDEN = "ẩn: dưới 15 phiếu, 2 đơn vị chọn mẫu / hidden: fewer than 15 interviews, 2 units"
_COLUMNS = (
    *("index", "round", "domain_level", "domain", "level", "code"),
    *("estimate", "se", "df", "low", "high", "n", "n_psu", "deff", "note"),
)


def _row(level: str, domain: str, code: str, value: float, half: float, n: int, note: str = "") -> dict[str, Any]:
    figures = {
        "estimate": value,
        "se": half / 2,
        "df": 30,
        "low": value - half,
        "high": value + half,
        "n": n,
        "n_psu": 8,
    }
    if note:
        figures = dict.fromkeys(figures, "")
    named = {"index": "sipas_2026", "round": "r2026", "domain_level": level, "domain": domain, "level": 1, "code": code}
    return {**named, **figures, "deff": "", "note": note}


def scores_files(folder: Path, *, small: bool = False) -> list[Path]:
    """Writes the scores of everybody, of the province and of its communes, each to a file; ``small``: the small commune
    is not hidden."""
    hidden = [_row("commune", HIDDEN_ONE, "SIPAS", 71.0, 9.0, 9, "" if small else HIDDEN)]
    tables = {
        "whole": [_row("", "", code, 78.25, 2.25, 300) for code in ("SIPAS", "POL", "POL.A1", "SVC")],
        "province": [_row("province", "14", code, 78.25, 2.25, 300) for code in ("SIPAS", "POL", "POL.A1", "SVC")],
        "commune": [
            *[_row("commune", CHIENG_MUNG, code, 80.5, 3.3, 48) for code in ("SIPAS", "POL", "POL.A1", "SVC")],
            _row("commune", MAI_SON, "SIPAS", 75.0, 4.0, 40),
            _row("commune", MAI_SON, "POL", 0.0, 0.0, 0, HIDDEN),
            *hidden,
        ],
        "sex": [_row("sex", sex, "SIPAS", 78.0, 3.0, 150) for sex in ("female", "male")],
    }
    files = []
    for name, rows in tables.items():
        files.append(folder / f"{name}.csv")
        with files[-1].open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, _COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    return files
