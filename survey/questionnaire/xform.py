"""The XForm that pyxform writes, read into our nodes.

The XForm is taken rather than pyxform's own tree because only there everything is decided: ``${name}`` resolved to
paths that are right inside repeats, ``or_other`` and table-lists spelled out, defaults told apart into fixed and
dynamic, texts of all languages gathered.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from survey.questionnaire.model import Choice, Node, language_code
from survey.text import nfc

_XF = "{http://www.w3.org/2002/xforms}"
_XHTML = "{http://www.w3.org/1999/xhtml}"
_JR = "{http://openrosa.org/javarosa}"
_ITEXT = re.compile(r"jr:itext\(\s*(?:'([^']*)'|\"([^\"]*)\")\s*\)")
_RANDOMIZE = re.compile(r"^randomize\((.*?)(?:,[^,\[\]]*)?\)$", re.DOTALL)
_LIST = re.compile(r"^instance\('([^']*)'\)/root/item(?:\[(.*)\])?$", re.DOTALL)

_CONTROLS = frozenset({"input", "select", "select1", "rank", "range", "upload", "trigger", "secret"})
_TYPES = {
    "select one": "select_one",
    "select one external": "select_one_external",
    "select all that apply": "select_multiple",
    "add text prompt": "text",
    "string": "text",
    "int": "integer",
    "date time": "dateTime",
    "datetime": "dateTime",
    "gps": "geopoint",
    "location": "geopoint",
    "photo": "image",
    "binary": "file",
    "trigger": "acknowledge",
    "phone number": "text",
    "uri:deviceid": "deviceid",
    "imei": "deviceid",
}
_BY_CONTROL = {"select1": "select_one", "select": "select_multiple", "rank": "rank", "range": "range"}

Texts = dict[str, str]


@dataclass
class XForm:
    """What an XForm holds: nodes, choice lists, languages and the names of files that choices come from."""

    root: str = "data"
    title: str = ""
    nodes: tuple[Node, ...] = ()
    lists: dict[str, tuple[Choice, ...]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    default_language: str = ""


def read_xform(xml: str, types: Mapping[str, str]) -> XForm:
    """The form in ``xml``; ``types`` gives the XLSForm type of each path as pyxform knows it."""
    return _Reader(ET.fromstring(xml), types).form()


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


class _Reader:
    def __init__(self, document: ET.Element, types: Mapping[str, str]):
        self.types = types
        self.document = document
        model = document.find(f"{_XHTML}head/{_XF}model")
        body = document.find(f"{_XHTML}body")
        assert model is not None
        assert body is not None
        self.model, self.body = model, body
        self.out = XForm()
        self.itext: dict[str, dict[str, dict[str, str]]] = {}

    def form(self) -> XForm:
        out = self.out
        self._languages()
        instances = self.model.findall(f"{_XF}instance")
        data = next(iter(instances[0]))
        out.root = _tag(data)
        out.title = self.document.findtext(f"{_XHTML}head/{_XHTML}title") or ""
        for instance in instances[1:]:
            name = instance.get("id", "")
            source = instance.get("src")
            if source:
                out.files[name] = source
            else:
                out.lists[name] = tuple(self._choices(instance))
        self.binds = {self.short(b.get("nodeset", "")): b for b in self.model.iter(f"{_XF}bind")}
        self.controls: dict[str, ET.Element] = {}
        self.groups: dict[str, ET.Element] = {}
        self.repeats: dict[str, ET.Element] = {}
        self._controls()
        self._actions()
        out.nodes = tuple(self._nodes(data, ""))
        return out

    def short(self, path: str) -> str:
        """``/data/hh/age`` without the root."""
        return path.strip().strip("/").partition("/")[2]

    # -- texts ---------------------------------------------------------------------------------------------------

    def _languages(self) -> None:
        found = list(self.model.iter(f"{_XF}translation"))
        codes = [language_code(t.get("lang", "")) for t in found]
        for translation, code in zip(found, codes, strict=True):
            name = translation.get("lang", "")
            if codes.count(code) > 1:
                code = name
            self.out.languages[code] = name
            if translation.get("default"):
                self.out.default_language = code
            for text in translation:
                forms = self.itext.setdefault(text.get("id", ""), {})
                for value in text:
                    forms.setdefault(value.get("form", ""), {})[code] = _content(value)
        if not self.out.default_language:
            self.out.default_language = next(iter(self.out.languages), "default")

    def _text(self, element: ET.Element | None, form: str = "") -> Texts:
        """The texts of a label, hint or message in every language; pyxform's ``-`` for an empty cell is left out."""
        if element is None:
            return {}
        reference = _ITEXT.fullmatch(element.get("ref", "").strip())
        if reference:
            return self._of_key(reference.group(1) or reference.group(2), form)
        content = _content(element)
        return {self.out.default_language: content} if content and not form else {}

    def _of_key(self, key: str, form: str = "") -> Texts:
        return {code: text for code, text in self.itext.get(key, {}).get(form, {}).items() if text not in ("-", "")}

    def _message(self, text: str | None) -> Texts:
        if not text:
            return {}
        reference = _ITEXT.fullmatch(text.strip())
        if reference:
            return self._of_key(reference.group(1) or reference.group(2))
        return {self.out.default_language: nfc(text)}

    def _media(self, element: ET.Element | None) -> dict[str, Texts]:
        if element is None:
            return {}
        reference = _ITEXT.fullmatch(element.get("ref", "").strip())
        if not reference:
            return {}
        forms = self.itext.get(reference.group(1) or reference.group(2), {})
        return {
            form: {code: text.rpartition("/")[2] for code, text in texts.items()}
            for form, texts in forms.items()
            if form in ("image", "big-image", "audio", "video")
        }

    # -- lists ---------------------------------------------------------------------------------------------------

    def _choices(self, instance: ET.Element) -> Iterator[Choice]:
        for item in instance.iter(f"{_XF}item"):
            values = {_tag(child): nfc(child.text or "") for child in item}
            key = values.pop("itextId", None)
            name, text = values.pop("name", ""), values.pop("label", "")
            forms = self.itext.get(key, {}) if key is not None else {}
            label = self._of_key(key) if key is not None else {self.out.default_language: text} if text else {}
            media = {
                form: {code: v.rpartition("/")[2] for code, v in texts.items()} for form, texts in forms.items() if form
            }
            yield Choice(name, label, columns=values, media=media)

    # -- the body ------------------------------------------------------------------------------------------------

    def _controls(self) -> None:
        for element in self.body.iter():
            tag, ref = _tag(element), self.short(element.get("ref", ""))
            if tag in _CONTROLS and ref:
                self.controls[ref] = element
            elif tag == "group" and ref:
                self.groups[ref] = element
            elif tag == "repeat":
                self.repeats[self.short(element.get("nodeset", ""))] = element

    def _actions(self) -> None:
        self.dynamic: dict[str, str] = {}
        self.writes: dict[str, list[tuple[str, str]]] = {}
        self.triggers: dict[str, list[str]] = {}
        parents = {child: parent for parent in self.document.iter() for child in parent}
        for action in self.document.iter(f"{_XF}setvalue"):
            target = self.short(action.get("ref", ""))
            value = action.get("value") or (f"'{action.text}'" if action.text else "")
            events = action.get("event", "").split()
            if "odk-instance-first-load" in events or "odk-new-repeat" in events:
                self.dynamic[target] = value
            if "xforms-value-changed" in events:
                source = self.short(parents[action].get("ref", ""))
                self.writes.setdefault(source, []).append((target, value))
                self.triggers.setdefault(target, []).append(source)

    # -- the nodes -----------------------------------------------------------------------------------------------

    def _nodes(self, parent: ET.Element, at: str) -> Iterator[Node]:
        seen: set[str] = set()
        for element in parent:
            name = _tag(element)
            # A repeat stands twice: as its template and as its first instance, which may hold more.
            if name in seen:
                continue
            seen.add(name)
            path = f"{at}/{name}" if at else name
            if path in self.repeats:
                yield self._repeat(element, name, path)
            elif len(element) or path in self.groups:
                yield self._group(element, name, path, "group")
            else:
                yield self._question(element, name, path)

    def _group(self, element: ET.Element, name: str, path: str, kind: str) -> Node:
        group = self.groups.get(path)
        label = group.find(f"{_XF}label") if group is not None else None
        return Node(
            kind,
            name,
            path,
            type=kind,
            label=self._text(label),
            media=self._media(label),
            appearance=group.get("appearance", "") if group is not None else "",
            children=tuple(self._nodes(element, path)),
            **self._bound(path),
        )

    def _repeat(self, element: ET.Element, name: str, path: str) -> Node:
        node = self._group(element, name, path, "repeat")
        repeat = self.repeats[path]
        count = (repeat.get(f"{_JR}count") or "").strip()
        return replace(node, repeat_count=count, appearance=node.appearance or repeat.get("appearance", ""))

    def _bound(self, path: str) -> dict[str, Any]:
        bind = self.binds.get(path)
        if bind is None:
            return {}
        return {"relevant": (bind.get("relevant") or "").strip(), "read_only": (bind.get("readonly") or "").strip()}

    def _question(self, element: ET.Element, name: str, path: str) -> Node:
        bind, control = self.binds.get(path), self.controls.get(path)
        tag = _tag(control) if control is not None else ""
        node = Node("question", name, path, default=nfc(element.text or "").strip(), **self._bound(path))
        kind = self.types.get(path, "")
        data_type = "string"
        if bind is not None:
            data_type = bind.get("type", "string").rpartition(":")[2]
            preload = bind.get(f"{_JR}preload", "")
            node = replace(
                node,
                constraint=(bind.get("constraint") or "").strip(),
                soft_constraint=(bind.get("soft_constraint") or "").strip(),
                required=(bind.get("required") or "").strip(),
                calculation=(bind.get("calculate") or "").strip(),
                constraint_message=self._message(bind.get(f"{_JR}constraintMsg")),
                required_message=self._message(bind.get(f"{_JR}requiredMsg")),
                preload=f"{preload}:{bind.get(f'{_JR}preloadParams', '')}" if preload else "",
            )
        kind = _TYPES.get(kind, kind) or _BY_CONTROL.get(tag) or ("calculate" if control is None else "text")
        node = replace(
            node,
            type=kind,
            data_type=data_type,
            control=tag,
            dynamic_default=self.dynamic.get(path, ""),
            sets=tuple(self.writes.get(path, ())),
            trigger=tuple(self.triggers.get(path, ())),
        )
        return self._asked(node, control) if control is not None else node

    def _asked(self, node: Node, control: ET.Element) -> Node:
        label, hint = control.find(f"{_XF}label"), control.find(f"{_XF}hint")
        parameters = {k: control.get(k, "") for k in ("start", "end", "step", "mediatype", "rows") if control.get(k)}
        node = replace(
            node,
            label=self._text(label),
            media=self._media(label),
            hint=self._text(hint),
            guidance=self._text(hint, "guidance"),
            appearance=control.get("appearance", ""),
            parameters=parameters,
        )
        itemset = control.find(f"{_XF}itemset")
        if itemset is None:
            return node
        nodeset = (itemset.get("nodeset") or "").strip()
        value, text = itemset.find(f"{_XF}value"), itemset.find(f"{_XF}label")
        column = text.get("ref", "label") if text is not None else "label"
        shuffled = _RANDOMIZE.match(nodeset)
        listed = _LIST.match((shuffled.group(1) if shuffled else nodeset).strip())
        return replace(
            node,
            itemset=nodeset,
            list_name=listed.group(1) if listed else "",
            choice_filter=(listed.group(2) or "").strip() if listed else "",
            value_column=value.get("ref", "name") if value is not None else "name",
            label_column="label" if column.startswith("jr:itext") else column,
        )


def _content(element: ET.Element) -> str:
    """The text of a label, with ``<output value="x"/>`` as ``${x}``."""
    parts = [element.text or ""]
    for child in element:
        parts.append(f"${{{child.get('value', '').strip()}}}" if _tag(child) == "output" else "".join(child.itertext()))
        parts.append(child.tail or "")
    # pyxform puts a blank around a text that pipes an answer in.
    return nfc("".join(parts)).strip()
