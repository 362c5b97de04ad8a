"""The report as one HTML file with both languages in it, which asks nothing of any server.

Nothing here reads a clock, so the same scores and the same :class:`~analysis.report.meta.Meta` give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.report.blocks import Block, Heading, Headline, Paper, Paragraph, Picture
from analysis.report.cells import Cells
from analysis.report.meta import Meta
from analysis.report.overview import overview
from analysis.report.tree import Tree
from analysis.report.view import view
from survey.text import LANGUAGES

_FOLDER = Path(__file__).parent


def page(papers: Sequence[Paper], language: str = "vi") -> str:
    """``papers`` (the same document in both languages) as one page that opens in ``language``."""
    script = (_FOLDER / "page.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["together"] = _together
    official = {paper.language: paper.official for paper in papers}
    return environment.get_template("page.html").render(
        language=language,
        papers=papers,
        titles=[paper.title for paper in papers],
        style=Markup(environment.get_template("style.css").render(official=official)),
        script=Markup(script),
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def build(cells: Cells, tree: Tree, meta: Meta, language: str = "vi") -> str:
    """The general report as HTML; ``language`` (``vi`` or ``en``) is the one it opens in."""
    return page([overview(view(cells, tree, meta, spoken), meta) for spoken in LANGUAGES], language)


def _together(body: Sequence[Block]) -> list[list[Block]]:
    """Blocks that no page break may part: a heading with the sentences after it and its chart or figure."""
    groups: list[list[Block]] = []
    open_ = False
    for block in body:
        if open_ and isinstance(block, (Paragraph, Picture, Headline)):
            groups[-1].append(block)
            open_ = isinstance(block, Paragraph)
        else:
            groups.append([block])
            open_ = isinstance(block, Heading)
    return groups
