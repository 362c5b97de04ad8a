"""A drawn chart: as SVG inside a page, or as PNG for Word and PDF.

In SVG text stays text (``svg.fonttype: none``) and takes the page's fonts, so that Vietnamese reads in any browser and
can be found and copied; what is said of a mark when a pointer rests on it is a ``<title>``. No clock and no random id
goes in: the same scores give the same bytes.
"""

from __future__ import annotations

import io
import re
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK = "#1a1a1a"
BLUE = "#0b4f8a"  # dark enough to stay dark in grey print
GREY = "#6b6b6b"
ORANGE = "#b35900"
BAND = "#dde3ea"

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"


@dataclass
class Said:
    """What is said of single marks: an artist that is ``told`` carries the words wherever it is drawn as SVG."""

    words: list[str] = field(default_factory=list)

    def told(self, artist: Artist, words: str) -> None:
        artist.set_gid(f"said-{len(self.words)}")
        self.words.append(words)


@dataclass(frozen=True)
class Drawing:
    """A chart with its words. ``draw`` makes the figure and tells the marks; ``key`` makes the ids of its SVG unique;
    ``title`` and ``description`` are for who cannot see it. ``width`` is in millimetres on paper."""

    key: str
    title: str
    description: str
    draw: Callable[[Said], Figure]
    width: float = 165

    @property
    def alt(self) -> str:
        return f"{self.title}. {self.description}"

    @cached_property
    def svg(self) -> str:
        """An ``<svg role="img">`` element."""
        said, target = Said(), io.StringIO()
        with rc_context({"svg.hashsalt": self.key, **_STYLE}):
            figure = self.draw(said)
            for behind in (figure.patch, *(axes.patch for axes in figure.axes)):  # the page is white itself
                behind.set_visible(False)
            FigureCanvasSVG(figure)
            figure.savefig(target, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        return _inline(target.getvalue(), self, said.words)

    @cached_property
    def png(self) -> bytes:
        """The chart as a picture for paper."""
        target = io.BytesIO()
        with rc_context(_STYLE):
            figure = self.draw(Said())
            FigureCanvasAgg(figure)
            figure.savefig(target, format="png", dpi=_DPI, metadata={"Software": None})
        return target.getvalue()

    @property
    def shape(self) -> float:
        """Height by width of the picture, which a PNG tells in its first bytes."""
        wide, high = struct.unpack(">II", self.png[16:24])
        return float(high / wide)


_GROUP = re.compile(r"<g>((?:(?!</?g\b).)*)</g>")
_DPI = 150
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "hatch.linewidth": 0.6,
}


def _inline(svg: str, drawing: Drawing, words: list[str]) -> str:
    """matplotlib's file as an element of the page: fluid width, own ids, the page's fonts, title, description."""
    key = drawing.key
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(svg)
    for parent in list(root.iter()):
        # A <style> here would speak to the whole page, and nobody reads the metadata.
        for child in [c for c in parent if c.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style")]:
            parent.remove(child)
    referenced = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    for element in root.iter():
        if (name := element.get("id")) is not None:
            if name.startswith("said-"):
                _title(element, words[int(name.removeprefix("said-"))])
            if name in referenced:
                element.set("id", f"{key}-{name}")
            else:
                del element.attrib["id"]
        if "d" in element.attrib:
            element.set("d", re.sub(r"\d+\.\d+", _rounded, element.attrib["d"]))
        for attribute, value in list(element.attrib.items()):
            value = re.sub(r"(url\(|^)#", rf"\1#{key}-", value) if "#" in value and "url(" in value else value
            if attribute.endswith("}href"):
                value = f"#{key}-{value[1:]}"
            element.set(attribute, value)
        if element.tag == f"{{{_SVG}}}text" and "style" in element.attrib:
            element.set("style", _page_font(element.attrib["style"]))
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("class", "chart")
    root.set("aria-labelledby", f"{key}-title {key}-desc")
    for position, (tag, text) in enumerate((("title", drawing.title), ("desc", drawing.description))):
        child = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{key}-{tag}"})
        child.text = text
        root.insert(position, child)
    # What matplotlib writes for itself: line ends, groups of one, turns by nothing, styles that are so anyway.
    text = re.sub(r">\s+<", "><", ET.tostring(root, encoding="unicode"))
    text = re.sub(r' transform="rotate\(-?0 [^)]*\)"|; stroke-linejoin: miter|; stroke-linecap: butt', "", text)
    while (plain := _GROUP.sub(r"\1", text)) != text:
        text = plain
    return text.replace(' z "', 'z"')


def _rounded(number: re.Match[str]) -> str:
    """A coordinate to a tenth of a point, which is a thirtieth of a millimetre."""
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _title(element: ET.Element, words: str) -> None:
    child = ET.Element(f"{{{_SVG}}}title")
    child.text = words
    element.insert(0, child)


def _page_font(style: str) -> str:
    """The style of a text without its family, so that the page's fonts apply; matplotlib writes it long or short."""
    style = re.sub(r"font-family: [^;]+;?\s*", "", style)
    short = re.search(r"font: (?P<weight>[\w ]*?)\s*(?P<size>[\d.]+px) [^;]+", style)
    if short is None:
        return style
    weight = f"font-weight: {short['weight']}; " if short["weight"] else ""
    return style.replace(short[0], f"{weight}font-size: {short['size']}")
