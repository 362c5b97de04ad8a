"""The report: one HTML file with both languages in it, which asks nothing of any server.

:func:`build` puts together what :mod:`analysis.report.view` decided; it reads no clock, so the same scores and the same
:class:`~analysis.report.meta.Meta` give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.report import format as words
from analysis.report.cells import Cells
from analysis.report.meta import INTERNAL, PUBLISHED, Meta
from analysis.report.tree import Tree
from analysis.report.view import view
from survey.text import LANGUAGES

_FOLDER = Path(__file__).parent


def build(cells: Cells, tree: Tree, meta: Meta, language: str = "vi") -> str:
    """The whole page as HTML; ``language`` (``vi`` or ``en``) is the one it opens in."""
    views = [view(cells, tree, meta, spoken) for spoken in LANGUAGES]
    only_published = views[0].published and not views[0].own
    official = PUBLISHED if only_published else INTERNAL
    script = (_FOLDER / "switch.js").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html").render(
        language=language,
        meta=meta,
        views=views,
        method=meta.method,
        official=official._asdict(),
        confidence={spoken: words.level(meta.level, spoken) for spoken in LANGUAGES},
        style=Markup(environment.get_template("style.css").render(official=official._asdict())),
        script=Markup(script),
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        listed=lambda places, spoken: words.listed((place(spoken) for place in places), spoken),
        day=words.day,
        days=words.days,
    )
