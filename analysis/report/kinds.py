"""The kinds of document: the general report, profiles of the nation, a province or a commune, the index book, the
method annex, change between rounds, gaps between groups. Each is a function from a report to a paper of one language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.report.blocks import Paper
from analysis.report.making import Report
from analysis.report.outlines import Shape
from analysis.report.overview import overview
from analysis.report.quadrant_pages import quadrant_blocks
from analysis.report.view import view
from survey.errors import InputError
from survey.text import Text, fold


@dataclass(frozen=True)
class Choice:
    """What a kind is asked for: the ``domain`` of a profile (and its ``level`` where the kind names none), scores of
    the round ``before`` (with the name ``before_round`` of it), ``shapes`` of a map, a table of ``weights``."""

    domain: str = ""
    level: str = ""
    before: Any = None
    before_round: str = ""
    shapes: Sequence[Shape] = ()
    weights: Any = None


@dataclass(frozen=True)
class Kind:
    """A kind of document: its ``name`` for people, how it is made, the ``level`` of the places that each have one."""

    name: Text
    make: Callable[[Report, str, Choice], Paper]
    level: str = ""


def _general(report: Report, language: str, _: Choice) -> Paper:
    shown = view(report.cells, report.tree, report.meta, language, report.classes)
    return overview(shown, report.meta, after_components=quadrant_blocks(report, report.meta, language))


def _national(report: Report, language: str, choice: Choice) -> Paper:
    from analysis.report.profile import national

    return national(report, language, choice.shapes)


def _profile(level: str) -> Callable[[Report, str, Choice], Paper]:
    def make(report: Report, language: str, choice: Choice) -> Paper:
        from analysis.report.profile import profile

        return profile(report, language, level or choice.level, choice.domain, choice.shapes)

    return make


def _book(report: Report, language: str, _: Choice) -> Paper:
    from analysis.report.book import book

    return book(report, language)


def _method(report: Report, language: str, choice: Choice) -> Paper:
    from analysis.report.annex import method

    return method(report, language, choice.weights)


def _change(report: Report, language: str, choice: Choice) -> Paper:
    from analysis.report.changes import changes

    return changes(report, language, choice.before, choice.before_round)


def _gaps(report: Report, language: str, _: Choice) -> Paper:
    from analysis.report.gap_pages import gap_pages

    return gap_pages(report, language)


KINDS: Mapping[str, Kind] = {
    "overview": Kind(Text("báo cáo chung", "general report"), _general),
    "national": Kind(Text("hồ sơ cả nước", "national profile"), _national),
    "province": Kind(Text("hồ sơ tỉnh", "province profile"), _profile("province"), "province"),
    "commune": Kind(Text("hồ sơ xã, phường", "commune profile"), _profile("commune"), "commune"),
    "unit": Kind(Text("hồ sơ đơn vị", "profile of a unit"), _profile("")),
    "book": Kind(Text("sổ chỉ số", "index book"), _book),
    "method": Kind(Text("phụ lục phương pháp", "method annex"), _method),
    "change": Kind(Text("so sánh hai đợt", "comparison of rounds"), _change),
    "gaps": Kind(Text("chênh lệch giữa các nhóm", "gaps between groups"), _gaps),
}


def places(report: Report, kind: str, domains: Sequence[str], units: str = "") -> list[tuple[str, str]]:
    """The documents of a kind: the place of each, and what its file is called after the name given. One place alone
    takes that name. ``units`` is the domain level of the kind ``unit``, a department's for instance.

    Raises:
        InputError: a place that is not there, places for a kind that has none, or no places at all.
    """
    level = KINDS[kind].level or (units if kind == "unit" else "")
    if kind == "unit" and level not in report.cells.levels():
        listed = ", ".join(report.cells.levels())
        raise InputError(
            f"--units {units}".strip(),
            Text("không có loại đơn vị này trong tệp điểm", "the scores have no units of this kind"),
            Text(f"hiện có: {listed}", f"there are {listed}"),
        )
    if not level:
        if domains:
            raise InputError(
                "--domain",
                Text(f"“{kind}” không phải hồ sơ của một nơi", f"'{kind}' is no profile of a place"),
                Text("dùng --kind province hoặc commune", "use --kind province or commune"),
            )
        return [("", "")]
    from analysis.report.profile import find

    found = [find(report, level, domain) for domain in domains or report.cells.domains(level) or [""]]
    if len(found) == 1:
        return [(found[0], "")]
    names = [re.sub(r"[^a-z0-9]+", "-", fold(report.meta.domain_name(level, one)("vi"))).strip("-") for one in found]
    # Two communes of one name are told apart by their codes.
    return [
        (one, f"-{name}" if names.count(name) == 1 and name else f"-{name}-{re.sub('[^A-Za-z0-9]+', '-', one)}")
        for one, name in zip(found, names, strict=True)
    ]
