"""What a questionnaire is: questions, groups, repeats and choice lists, as plain frozen data that outlives a release.

A compiled questionnaire is stored as canonical JSON with its hash, so a field laptop never opens a workbook.
Expressions are kept as XPath text with paths from the root (``/data/hh/age``), as pyxform resolves ``${age}``.
Texts may hold ``${path}`` where an answer is piped in.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from survey.errors import InputError
from survey.text import Text

Value = str | list[str] | dict[str, str]
"""One answer: XForms lexical form; a list for select_multiple and rank; ``{"missing": kind}`` for a missing answer."""

Answers = dict[str, Value]
"""Path to value: ``hh[r7f]/age``. The order of a repeat's instances is a list of ids under the repeat's own path."""

SCHEMA = "questionnaire/1"

MISSING: dict[str, Text] = {
    "dont_know": Text("Không biết", "Don't know"),
    "refused": Text("Không trả lời", "Refused"),
    "not_applicable": Text("Không thuộc diện hỏi", "Not applicable"),
    "blank": Text("Bỏ trống", "Left blank"),
    "multiple": Text("Đánh nhiều ô", "Several boxes ticked"),
}
"""The missing kinds in the words of both languages."""

FROM_PAPER = ("blank", "multiple")
"""Kinds that paper brings to any question; the others only where the sheet's column ``missing`` offers them."""

_CODE = re.compile(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*)\)\s*$")
LIST_TYPES = frozenset({"select_multiple", "rank"})
"""Types whose answer is a list of choice names."""

ATTACHED_TYPES = frozenset({"image", "audio", "video", "file"})
"""Types whose answer is the name of a file that is kept with the interview."""


@dataclass(frozen=True)
class Choice:
    """One response option. ``missing_kind`` types an imported form's own code (98, 99) in the data set only."""

    name: str
    label: Mapping[str, str] = field(default_factory=dict)
    missing_kind: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """A question, a group or a repeat, with everything the sheet says about it.

    ``type`` is the XLSForm type in its main spelling; ``data_type`` the XForms type of the value; ``control`` how it
    is asked (``""`` for what nobody is asked). ``sets`` are the (path, expression) pairs that a new answer here
    writes elsewhere (XLSForm ``trigger``). ``row`` is the row of the sheet ``survey``, 0 when pyxform made the node.
    """

    kind: str
    name: str
    path: str = ""
    type: str = ""
    data_type: str = "string"
    control: str = ""
    label: Mapping[str, str] = field(default_factory=dict)
    hint: Mapping[str, str] = field(default_factory=dict)
    guidance: Mapping[str, str] = field(default_factory=dict)
    constraint_message: Mapping[str, str] = field(default_factory=dict)
    required_message: Mapping[str, str] = field(default_factory=dict)
    soft_message: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    list_name: str = ""
    itemset: str = ""
    value_column: str = "name"
    label_column: str = "label"
    choice_filter: str = ""
    relevant: str = ""
    constraint: str = ""
    soft_constraint: str = ""
    required: str = ""
    read_only: str = ""
    calculation: str = ""
    default: str = ""
    dynamic_default: str = ""
    trigger: tuple[str, ...] = ()
    sets: tuple[tuple[str, str], ...] = ()
    preload: str = ""
    repeat_count: str = ""
    appearance: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    missing_codes: Mapping[str, str] = field(default_factory=dict)
    contact: bool = False
    private: bool = False
    row: int = 0
    children: tuple[Node, ...] = ()

    @property
    def sheet_row(self) -> int:
        """Row of the sheet ``survey`` (1 = the header), 0 for a node that pyxform made."""
        return self.row

    @property
    def is_list(self) -> bool:
        """Whether an answer is a list of choice names."""
        return self.type in LIST_TYPES

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Questionnaire:
    """An instrument: its nodes, its choice lists, the rows of its ``index`` sheet and its settings.

    ``languages`` maps the BCP-47 code in the parentheses of ``label::Tiếng Việt (vi)`` to the full name.
    ``files`` holds the rows of the CSV files that questions read their choices from; ``media`` the hash of each picture
    and recording that a question or a choice shows, by name: the bytes travel beside the questionnaire as blobs.
    """

    id: str
    version: str = ""
    title: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[str, str] = field(default_factory=dict)
    default_language: str = ""
    nodes: tuple[Node, ...] = ()
    lists: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    index: tuple[Mapping[str, str], ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict)
    media: Mapping[str, str] = field(default_factory=dict)

    def __hash__(self) -> int:
        return id(self)

    @property
    def root(self) -> str:
        """Name of the root element, with which every path in an expression begins."""
        return self.settings.get("name", "") or "data"

    def walk(self) -> Iterator[Node]:
        """Every node in document order."""
        for node in self.nodes:
            yield from node.walk()

    @cached_property
    def by_path(self) -> dict[str, Node]:
        """Generic path (no instance ids) to node."""
        return {node.path: node for node in self.walk()}

    @cached_property
    def _by_name(self) -> dict[str, list[Node]]:
        names: dict[str, list[Node]] = {}
        for node in self.walk():
            names.setdefault(node.name, []).append(node)
        return names

    def question(self, name: str) -> Node:
        """The node with this path, or with this name where the name is unique.

        Raises KeyError when there is none or the name stands for several.
        """
        path = generic(name)
        if path in self.by_path:
            return self.by_path[path]
        found = self._by_name.get(path, [])
        if len(found) != 1:
            raise KeyError(name)
        return found[0]

    def to_json(self) -> bytes:
        """The compiled questionnaire as RFC 8785 (canonical) JSON."""
        import rfc8785

        return rfc8785.dumps({"schema": SCHEMA, **_plain(self)})

    @cached_property
    def hash(self) -> str:
        """``sha256:…`` of :meth:`to_json`; names this exact questionnaire in revisions."""
        return "sha256:" + hashlib.sha256(self.to_json()).hexdigest()

    @classmethod
    def from_json(cls, data: bytes | str) -> Questionnaire:
        """The questionnaire that :meth:`to_json` wrote. Raises InputError when it is of another format."""
        document = json.loads(data)
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise InputError(
                "questionnaire",
                Text(f"bảng hỏi không theo định dạng {SCHEMA}", f"this is not a questionnaire of format {SCHEMA}"),
                Text("dùng đúng phiên bản chương trình đã tạo bảng hỏi", "use the program version that wrote it"),
            )
        values = {f.name: document[f.name] for f in fields(cls) if f.name in document}
        values["nodes"] = tuple(_node(n) for n in values.get("nodes", ()))
        values["lists"] = {k: tuple(Choice(**c) for c in v) for k, v in values.get("lists", {}).items()}
        values["index"] = tuple(values.get("index", ()))
        values["files"] = {k: tuple(v) for k, v in values.get("files", {}).items()}
        return cls(**values)


def shown_media(questionnaire: Questionnaire) -> Iterator[tuple[Node | None, str]]:
    """(question, file name) of every picture and recording; no question for those of choices."""
    for node in questionnaire.walk():
        for texts in node.media.values():
            for name in texts.values():
                yield node, name
    for choices in questionnaire.lists.values():
        for choice in choices:
            for texts in choice.media.values():
                for name in texts.values():
                    yield None, name


def language_code(name: str) -> str:
    """``vi`` of ``Tiếng Việt (vi)``; a name without a code stands for itself."""
    match = _CODE.search(name)
    return match.group(1) if match else name.strip()


def generic(path: str) -> str:
    """``hh[r7f]/age`` without its instance ids: ``hh/age``."""
    if "[" not in path:
        return path
    return "/".join(part.partition("[")[0] for part in path.split("/"))


def is_missing(value: Value | None) -> bool:
    """Whether an answer is of a missing kind."""
    return isinstance(value, dict)


def _plain(thing: Any) -> Any:
    """Dataclasses to dicts, tuples to lists; fields at their default left out, so that the JSON stays small."""
    if hasattr(thing, "__dataclass_fields__"):
        out = {}
        for f in fields(thing):
            value = getattr(thing, f.name)
            if value or f.name in ("id", "name"):
                out[f.name] = _plain(value)
        return out
    if isinstance(thing, Mapping):
        return {k: _plain(v) for k, v in thing.items()}
    if isinstance(thing, (tuple, list)):
        return [_plain(v) for v in thing]
    return thing


def _node(plain: dict[str, Any]) -> Node:
    values = dict(plain)
    values["children"] = tuple(_node(c) for c in values.get("children", ()))
    values["sets"] = tuple((path, value) for path, value in values.get("sets", ()))
    for name in ("trigger", "missing"):
        values[name] = tuple(values.get(name, ()))
    return Node(**values)
