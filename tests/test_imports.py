"""The direction of dependencies, read from the imports themselves.

``questionnaire``, ``fieldwork`` and all of ``analysis`` but ``dataset`` and ``report`` are pure; ``store`` is the only
SQL; ``web`` and ``cli`` are edges that nothing below imports; a field laptop starts without numpy, pandas or a workbook
reader.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.outside import ROOT

SQL = {"sqlcipher3", "sqlite3", "sqlite_utils"}
EDGE = {"flask", "flask_wtf", "wtforms", "waitress", "click"}
HEAVY = {
    "analysis",
    "docx",
    "fpdf",
    "matplotlib",
    "numpy",
    "openpyxl",
    "pandas",
    "pyarrow",
    "pyreadstat",
    "pyspark",
    "pyxform",
    "scipy",
    "statsmodels",
}


@dataclass(frozen=True)
class Import:
    """One import: the full name of what is imported, whether it runs when the module is imported."""

    name: str
    at_start: bool


def imports(source: str) -> Iterator[Import]:
    """Every import of a module but those for type checkers only."""

    def walk(node: ast.AST, at_start: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, at_start) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, "imports are absolute"
                yield from (Import(f"{child.module}.{alias.name}", at_start) for alias in child.names)
            elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
                yield from walk(ast.Module(child.orelse, []), at_start)
            else:
                inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from walk(child, at_start and not inside)

    return walk(ast.parse(source), True)


def forbidden(module: str) -> set[str]:
    """What ``module`` may import nowhere, as prefixes of full names."""
    edges = {"survey.web", "survey.cli"}
    parts = module.split(".")
    if module.startswith(("survey.questionnaire", "survey.fieldwork")):
        return {*SQL, *EDGE, *edges, "survey.store", "survey.sync", "analysis"}
    if parts[0] == "analysis":
        if parts[1:2] == ["dataset"]:
            return {*SQL, *EDGE, *edges, "survey.sync"}
        return {*SQL, *EDGE, *edges, "survey.store", "survey.sync"}
    if module.startswith("survey.store"):
        return {*EDGE, *edges, "survey.sync", "analysis"}
    if module.startswith("survey.sync"):
        return {*SQL, *EDGE, *edges, "analysis"}
    if module.startswith("survey.cli"):
        return {*SQL, "wtforms", "flask_wtf"}
    if module.startswith("survey.web"):
        return {*SQL, "survey.cli"}
    if module == "survey" or module.startswith(("survey.demo", "survey.__main__")):
        # The factory, and what runs the commands as a person would.
        return {*SQL}
    return {*SQL, *EDGE, *edges}


def faults(module: str, source: str) -> list[str]:
    """What is wrong with the imports and habits of one module, as sentences."""
    found = []
    for imported in imports(source):
        for name in forbidden(module):
            if f"{imported.name}.".startswith(f"{name}."):
                found.append(f"{module} imports {imported.name}")
        if module.startswith("survey") and imported.at_start and imported.name.split(".")[0] in HEAVY:
            found.append(f"{module} imports {imported.name} at start")
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            found.append(f"{module} prints")
    for node in top_level(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}:
            found.append(f"{module} reads the environment when imported")
    return found


def top_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that runs when the module is imported."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(file): file for top in ("survey", "analysis") for file in sorted((ROOT / top).rglob("*.py"))}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_keeps_to_its_place(module: str):
    assert faults(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("survey.questionnaire.path", "import sqlite3", "imports sqlite3"),
        ("survey.fieldwork.quality", "from survey import store", "imports survey.store"),
        ("analysis.index", "def f():\n    from survey.store import Store", "imports survey.store.Store"),
        ("analysis.report.page", "from flask import render_template", "imports flask.render_template"),
        ("survey.store.feed", "from survey.sync.bundle import read", "imports survey.sync.bundle.read"),
        ("survey.web.pages", "import sqlite3", "imports sqlite3"),
        ("survey.cli.scoring", "from analysis import score", "imports analysis.score at start"),
        ("survey.tables", "try:\n    import openpyxl\nexcept ImportError:\n    pass", "imports openpyxl at start"),
        ("survey.config", "import os\nDEBUG = os.environ.get('X')", "reads the environment when imported"),
        ("analysis.design", "def f():\n    print('x')", "prints"),
    ],
)
def test_a_module_out_of_place_is_caught(module: str, source: str, fault: str):
    assert faults(module, source) == [f"{module} {fault}"]


def test_what_is_allowed_is_not_caught():
    for module, source in [
        ("survey.cli.scoring", "def score():\n    from analysis import score"),
        ("survey.web.pages", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas"),
        ("analysis.dataset", "from survey.store import Store"),
        ("survey.cli.base", "import os\ndef f():\n    return os.environ.get('X')"),
    ]:
        assert faults(module, source) == []


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after ``code``."""
    script = f"{code}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.splitlines()[-1].split())


def test_the_help_of_the_command_line_loads_neither_web_nor_store_nor_analysis():
    code = "from survey.cli import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass"
    assert loaded_by(code) & {*HEAVY, *SQL, "flask", "jinja2", "cryptography"} == set()
