"""Profiles: the nation with its map, one province or commune against the whole.

A profile is the general report of the scores of one place, with what only a place has: where it stands among the
others (with the ranks that its sample allows), and its components against the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from analysis.plan import Figures as Published
from analysis.ranking import GROUP_WORDS, GROUPS, Ranking, group_rules, rank
from analysis.report import maps
from analysis.report.blocks import Block, Heading, Paper, Paragraph, Picture
from analysis.report.cells import WHOLE, Cell, Cells
from analysis.report.compared import Spoke, radar
from analysis.report.domains import rankable
from analysis.report.figures import Figures
from analysis.report.format import count, decimals, known, number, percent
from analysis.report.making import Report
from analysis.report.meta import Meta
from analysis.report.outlines import Shape
from analysis.report.overview import overview
from analysis.report.quadrant_pages import quadrant_blocks
from analysis.report.tree import Node
from analysis.report.view import view
from analysis.score_file import score_table
from analysis.small_area import CLASSES, is_commune_level
from survey.errors import InputError
from survey.text import Text, fold

_MOST = 200  # places among which ranks are told
_WIDE, _AIM = 0.10, 0.05  # half an interval, as a share of the scale: too wide, and aimed at
_LONG = 60  # nodes of an index that a commune's profile does not list to the last


def national(report: Report, language: str, shapes: Sequence[Shape] = ()) -> Paper:
    """The general report with a map of its provinces in four groups."""
    shown = view(report.cells, report.tree, report.meta, language, report.classes)
    top = shown.headline_node
    extra = _map(report, language, top, shapes)
    drawn = quadrant_blocks(report, report.meta, language)
    return overview(shown, report.meta, after_headline=extra, after_components=drawn)


def profile(report: Report, language: str, level: str, domain: str, shapes: Sequence[Shape] = ()) -> Paper:
    """The profile of one ``domain`` of ``level``; ``domain`` is its code or its name, with or without diacritics.

    Raises:
        InputError: there is no such place, or several.
    """
    chosen = find(report, level, domain)
    name = report.meta.domain_name(level, chosen)
    word = report.meta.level_name(level)
    title = Text(f"Hồ sơ kết quả: {name.vi}", f"Profile: {name.en}")
    meta = replace(report.meta, title=title, places=(), label=Text(
        f"{word.vi}: {name.vi}. {report.meta.title.vi}", f"{word.en}: {name.en}. {report.meta.title.en}"
    ))  # fmt: skip
    shown = view(restricted(report.cells, level, chosen), report.tree, meta, language)
    top = shown.headline_node
    here = report.cells.domains(level)[chosen]
    figures = Figures(meta, language)
    around: list[Block] = []
    sentences = [*standing(report, figures, level, chosen, top), *carried(figures, here.get(top.code), top)]
    if sentences:
        around = [Heading(figures.t("Vị trí", "Standing")), *(Paragraph(sentence) for sentence in sentences)]
    if shapes:
        around += _communes(report, language, chosen, top, shapes)
    beside = {code: cell for code, cell in report.cells.whole().items() if code in here
              and cell.published == here[code].published}  # fmt: skip
    spokes = _radar(figures, report, here, beside, name(language), level)
    # A commune's profile is two pages that load over a slow line; its sample says little of single items anyway.
    short = level == "commune" and len(shown.index) > _LONG
    spokes += quadrant_blocks(report, meta, language, level, chosen)
    return overview(shown, meta, after_headline=around, after_components=spokes, leaves=not short)


def find(report: Report, level: str, domain: str) -> str:
    """The one domain of ``level`` that a code or a name means.

    Raises:
        InputError: none, or several, with those there are.
    """
    domains = list(report.cells.domains(level))
    if domain in domains:
        return domain
    names = {one: report.meta.domain_name(level, one) for one in domains}
    found = [one for one in domains if fold(domain) in (fold(one), fold(names[one].vi), fold(names[one].en))]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(one if names[one].vi == one else f"{one} {names[one].vi}" for one in domains[:12])
    raise InputError(
        f"--domain {domain}".strip(),
        Text(f"không có trong “{level}”" if not found else "có nhiều nơi cùng tên",
             f"not among '{level}'" if not found else "several places have this name"),
        Text(f"hiện có: {listed}" if listed else "tính điểm theo cột này: survey score --by",
             f"there are {listed}" if listed else "score by this column: survey score --by"),
    )  # fmt: skip


def restricted(cells: Cells, level: str, domain: str) -> Cells:
    """The scores of one place as those of a whole, and of the groups and places within it as its domains."""
    found: list[Cell] = []
    for cell in cells.all:
        levels, names = cell.domain_level.split("*"), cell.domain.split("|")
        if cell.domain_level == level and cell.domain == domain:
            found.append(replace(cell, domain_level=WHOLE[1], domain=WHOLE[1]))
        elif level in levels and len(levels) == len(names) > 1 and names[levels.index(level)] == domain:
            at = levels.index(level)
            rest = [[*part[:at], *part[at + 1 :]] for part in (levels, names)]
            found.append(replace(cell, domain_level="*".join(rest[0]), domain="|".join(rest[1])))
    return Cells(tuple(found))


def carried(figures: Figures, cell: Cell | None, node: Node) -> list[str]:
    """A warning where the sample does not carry a conclusion: an interval wider than a fifth of the scale; with the
    interviews that ± 5 % of the scale would take under the same design."""
    if cell is None or cell.published or not cell.has_interval or not node.scale or not node.width:
        return []
    half = (cell.high - cell.low) / 2 / node.width
    if half <= _WIDE and not cell.small:
        return []
    say = figures.language
    needed = count(math.ceil(cell.n * (half / _AIM) ** 2 / 10) * 10, say)
    n, off = count(cell.n, say), percent(half, 0, say)
    return [figures.t(
        f"Cỡ mẫu ở đây (n = {n}) không đủ để kết luận: khoảng tin cậy là ± {off} của thang. Để còn ± 5\u00a0% cần "
        f"khoảng {needed} phiếu theo cùng cách chọn.",
        f"The sample here (n = {n}) carries no conclusion: its interval is ± {off} of the scale. For ± 5% about "
        f"{needed} interviews would be needed under the same design.",
    )]  # fmt: skip


def standing(report: Report, figures: Figures, level: str, domain: str, top: Node) -> list[str]:
    """Rank with the ranks that the sample allows, group, and what both rest on; nothing where it cannot be ranked."""
    domains = report.cells.domains(level)
    here = domains[domain].get(top.code)
    alike = {cell.published for cells in domains.values() if (cell := cells.get(top.code)) and known(cell.estimate)}
    if len(domains) < 2 or len(domains) > _MOST or len(alike) != 1 or not rankable(here):
        return []
    if is_commune_level(level):
        return _class(report, figures, level, domain, top)
    ranking = _ranking(report, level, top.code)
    if ranking is None:
        return []
    row = ranking.table[ranking.table["domain"] == domain].iloc[0]
    ranked = int(ranking.table["rank"].notna().sum())
    t, of = figures.t, count(ranked, figures.language)
    place = count(float(row["rank"]), figures.language)
    said = [t(f"Xếp thứ {place} trong {of} đơn vị có điểm.", f"Rank {place} of {of} places with a score.")]
    if pd.notna(row["rank_low"]):
        low, high = int(row["rank_low"]), int(row["rank_high"])
        whole = (low, high) == (1, ranked)
        said.append(t(
            f"Với độ tin cậy {figures.sure}, thứ hạng thật nằm trong khoảng từ {low} đến {high}"
            + (": mẫu này không cho biết gì về thứ hạng." if whole else "."),
            f"With {figures.sure} confidence its true rank lies between {low} and {high}"
            + (": this sample says nothing on its rank." if whole else "."),
        ))  # fmt: skip
        if here is not None and here.published:
            said.append(t(
                "Sai số chuẩn suy từ khoảng đã công bố: nửa khoảng chia 1,645.",
                "Standard errors follow from the published intervals: half the width divided by 1.645.",
            ))  # fmt: skip
    else:
        said.append(t(
            "Không có sai số của mọi đơn vị, vì vậy không biết thứ hạng này chắc chắn đến đâu.",
            "The errors are not known, so how certain this rank is cannot be told.",
        ))  # fmt: skip
    group = str(row["group"])
    if group and ranked >= len(GROUPS) and ranking.groups.cuts[0] != ranking.groups.cuts[2]:
        said.append(t(
            f"Thuộc nhóm {GROUP_WORDS[group].vi} khi chia các đơn vị làm bốn theo tứ phân vị.",
            f"In the {GROUP_WORDS[group].en} group when the places are cut in four at the quartiles.",
        ))  # fmt: skip
    return said


def _class(report: Report, figures: Figures, level: str, domain: str, top: Node) -> list[str]:
    """Small units have one of three classes against the whole and no place: their order is mostly chance."""
    found = report.classes(level, top.code)
    if found is None:
        return []
    word = str(found.table.loc[found.table["domain"] == domain, "class"].iloc[0])
    if not word:
        return []
    whole = number(found.level_of_whole, decimals(top.width), figures.language)
    said, of = CLASSES[word], count(len(found.table), figures.language)
    return [figures.t(
        f"So với kết quả chung ({whole}): {said.vi}, sau hiệu chỉnh cho {of} đơn vị.",
        f"Against the overall result ({whole}): {said.en}, adjusted for {of} places.",
    )]  # fmt: skip


def _ranking(report: Report, level: str, code: str) -> Ranking | None:
    """The ranking of a level from the first source that has it; published PAPI intervals give their errors."""
    ties, missing = group_rules(report.meta.index, report.meta.round)
    for source in report.sources:
        try:
            table = Published(()).filled(score_table(source), report.meta.index)
            return rank(table, code, by=level, round=report.meta.round, ties=ties, missing=missing)
        except InputError:
            continue
    return None


def _radar(
    figures: Figures, report: Report, here: Mapping[str, Cell], beside: Mapping[str, Cell], name: str, level: str
) -> list[Block]:
    spokes = []
    nodes = [node for node in report.tree.components(14) if node.code in here and node.scale and node.width]
    nodes = [node for node in nodes if node.depth == max((n.depth for n in nodes), default=0)]
    for node in nodes:
        cell = here[node.code]
        if node.scale is None or not known(cell.estimate):
            continue

        def share(value: float | None, node: Node = node) -> float:
            low = node.scale[0] if node.scale else 0.0
            return (value - low) / node.width if known(value) else float("nan")

        other = beside.get(node.code)
        printed = figures.printed(cell, node)
        if other is not None and known(other.estimate):
            whole = number(other.estimate, decimals(node.width), figures.language)
            printed += figures.t(f", chung {whole}", f", overall {whole}")
        spokes.append(
            Spoke(
                node.label(figures.language),
                share(cell.estimate),
                share(cell.low),
                share(cell.high),
                share(other.estimate if other else None),
                printed,
            )
        )
    title = figures.t("Các thành phần, theo phần trăm của thang", "Components, in percent of their scales")
    drawn = radar(spokes, key=f"{figures.language}-radar", title=f"{title}: {name}",
                  names=(name, figures.t("chung", "overall")))  # fmt: skip
    if drawn is None:
        return []
    caption = figures.t(
        "Tâm là điểm thấp nhất, vòng ngoài là điểm cao nhất của thang từng thành phần",
        "The centre is the lowest, the outer circle the highest score of each component's scale",
    )
    if any(known(spoke.low) for spoke in spokes):
        caption += figures.t("; vạch đậm là khoảng tin cậy", "; thick bars are the intervals")
    if all(known(spoke.beside) for spoke in spokes):
        caption += figures.t("; đường đứt là kết quả chung", "; the dashed line is the overall result")
    return [Picture((drawn,), caption + ".")]


def _map(report: Report, language: str, top: Node, shapes: Sequence[Shape]) -> list[Block]:
    """Own and published provinces each on a map of their own."""
    found: list[Block] = []
    meta = report.meta
    figures = Figures(meta, language)
    for published in (False, True):
        values = {}
        for domain, cells in report.cells.domains("province").items():
            cell = cells.get(top.code)
            if cell is not None and cell.published == published and not cell.small:
                name = meta.domain_name("province", domain)
                values[domain] = (tuple(dict.fromkeys((domain, name.vi, name.en))), cell.estimate)
        shown = maps.mapped(values, round=meta.round, index=meta.index)
        if len([value for value in shown.values.values() if known(value)]) < 2:
            continue
        heading = figures.t("Bản đồ các tỉnh, thành phố", "Map of the provinces")
        heading += figures.t(": số liệu công bố", ": published values") if published else ""
        title, key = f"{heading}: {top.label(language)}", f"{language}-map-{int(published)}"
        places = decimals(top.width)
        if shapes:
            now = maps.carried_over(shown)
            names = {tile.code: tile.name for tile in maps.tiles(34)}
            drawing = maps.outline_map(shapes, now.values, now.groups, key=key, title=title, language=language,
                                       names=names, bounds=shown.all.bounds, places=places)  # fmt: skip
        else:
            drawing = maps.tile_map(shown, key=key, title=title, language=language, places=places)
        found += [Heading(heading), Picture((drawing,), _map_caption(figures, shown, meta, bool(shapes)))]
    return found


def _map_caption(figures: Figures, shown: maps.Mapped, meta: Meta, outlines: bool) -> str:
    t = figures.t
    said = []
    if shown.groups:
        said.append(t(
            "Bốn nhóm chia theo tứ phân vị của điểm, không tính đến sai số: hai tỉnh gần nhau ở hai bên ranh giới nhóm "
            "có thể không khác nhau",
            "Four groups cut at the quartiles of the scores, without regard to their errors: two provinces close to "
            "each other on either side of a cut may not differ",
        ))  # fmt: skip
    else:
        said.append(t("Dưới bốn tỉnh, hoặc các tỉnh có cùng một giá trị: không chia nhóm",
                      "Fewer than four provinces, or all of one value: not grouped"))  # fmt: skip
    if shown.grid == 63:
        said.append(t(
            "63 tỉnh, thành phố trước ngày 01/7/2025" + ("; tỉnh đã sáp nhập không nhận màu của nhóm cũ" if outlines
                                                         else ""),
            "the 63 provinces before 1 July 2025" + ("; a merged province takes no colour from the former groups"
                                                     if outlines else ""),
        ))  # fmt: skip
    if shown.unknown:
        said.append(t(f"không tìm thấy trên bản đồ: {', '.join(shown.unknown)}",
                      f"not found on the map: {', '.join(shown.unknown)}"))  # fmt: skip
    return "; ".join(said) + "."


def _communes(report: Report, language: str, domain: str, top: Node, shapes: Sequence[Shape]) -> list[Block]:
    """The communes of a province on their outlines, where scores by commune are there."""
    figures = Figures(report.meta, language)
    here = [shape for shape in shapes if shape.parent in ("", domain)]
    values: dict[str, float] = {}
    for name, cells in report.cells.domains("commune").items():
        cell = cells.get(top.code)
        if cell is not None and not cell.small and any(shape.code == name for shape in here):
            values[name] = cell.estimate
    if len(values) < 2:
        return []
    groups = maps.quartile_groups(list(values.values()))
    alike = len(set(values.values())) == 1
    named = {} if alike else dict(zip(values, groups.names, strict=True))
    heading = figures.t("Bản đồ các xã, phường", "Map of the communes")
    names = {code: report.meta.domain_name("commune", code)(language) for code in values}
    drawing = maps.outline_map(here, values, named, key=f"{language}-communes", title=heading, language=language,
                               names=names, bounds={} if alike else groups.bounds,
                               places=decimals(top.width))  # fmt: skip
    caption = figures.t(
        "Chỉ tô các xã, phường được khảo sát; nhóm chia theo tứ phân vị, không tính đến sai số.",
        "Only surveyed communes are coloured; groups are cut at the quartiles, without regard to errors.",
    )
    return [Heading(heading), Picture((drawing,), caption)]
