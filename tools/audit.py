"""Looks for known faults: bandit over our code, pip-audit over what it needs.

    python tools/audit.py
    python tools/audit.py --advisories FOLDER     and a copy of the advisories (OSV's files, .json), without a network

Every finding of bandit is either mended or stands in ``tools/audit.toml`` with the file, the rule, how many there are
and why each is none; one more, or one less, ends in 1. Of SQL that is put together (B608) not the number is reviewed
but what is put in: each expression with its function, so that moving or adding statements changes nothing and another
expression is named. A known vulnerability of a package ends in 1. What a service that cannot be reached did not answer
is said, and is no failure: a machine without the internet has to pass too.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
CODE = ("survey", "analysis", "tools")
REVIEWED = ROOT / "tools" / "audit.toml"
SQL = "B608"


class Place(NamedTuple):
    """A rule of bandit and a file; the file is empty in a row that speaks for all of them. Of SQL also what is ``put``
    in, as ``function: expression``."""

    rule: str
    file: str
    put: str = ""


def judge(found: Mapping[Place, int], reviewed: Mapping[Place, int | None]) -> list[str]:
    """What differs between what bandit ``found`` and what was ``reviewed`` (None: any number), one sentence each."""
    said = []
    for place, count in sorted(found.items()):
        known = reviewed.get(place, 0)
        if Place(place.rule, "") in reviewed or (place in reviewed and known is None) or known == count:
            continue
        if place.put:
            said.append(f"{place.file}: {place.put} is put into SQL and was not reviewed ({place.rule})")
        else:
            said.append(f"{place.file}: {place.rule} found {count} times, reviewed {known}")
    rules = {place.rule for place in found}
    for place in sorted(reviewed):
        if place not in found and not (place.file == "" and place.rule in rules):
            what = f"{place.rule} {place.put}".strip()
            said.append(f"{place.file or 'everywhere'}: {what} is reviewed but not found any more")
    return said


def read_reviewed(file: Path) -> dict[Place, int | None]:
    """The rows of ``audit.toml``. ValueError for one without a reason."""
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["reviewed"]
    for row in rows:
        if len(row.get("why", "")) < 20:
            raise ValueError(f"{file}: {row} says not why")
    places: dict[Place, int | None] = {}
    for row in rows:
        if "puts" in row:
            places |= {Place(row["rule"], row["file"], put): None for put in row["puts"]}
        else:
            places[Place(row["rule"], row.get("file", ""))] = row.get("times")
    return places


def put_in(source: str, lines: Sequence[int]) -> set[str]:
    """What the texts of Python ``source`` on these lines are put together from, as ``function: expression``, but for
    what is written in the source: literals, and names that the module gives one literal. ``function: ?`` where nothing
    of the kind is found, so that a person looks."""
    first, last, tree = min(lines), max(lines), ast.parse(source)
    literals = _literals(tree)
    found, function, seen = set[str](), "", False

    def look(node: ast.AST, where: str) -> None:
        nonlocal function, seen
        for child in ast.iter_child_nodes(node):
            inside = where
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inside = f"{where}.{child.name}".lstrip(".")
            if isinstance(child, ast.expr) and first <= child.lineno and (child.end_lineno or 0) <= last:
                function = function or inside
                for one in _put(child):
                    seen = True
                    if not isinstance(one, ast.Constant) and ast.unparse(one) not in literals:
                        found.add(f"{inside}: {ast.unparse(one)}")
            look(child, inside)

    look(tree, "")
    return found if seen else {f"{function}: ?"}


def _literals(tree: ast.Module) -> set[str]:
    """The names that a module gives a literal, once and nowhere else."""
    given = Counter(one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store))
    given.update(one.arg for one in ast.walk(tree) if isinstance(one, ast.arg))
    return {
        target.id
        for line in tree.body
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
        for target in line.targets
        if isinstance(target, ast.Name) and given[target.id] == 1
    }


def _put(text: ast.expr) -> Iterator[ast.expr]:
    """The expressions that one text is put together from, if it is."""
    if isinstance(text, ast.FormattedValue):
        yield text.value
    elif isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute) and text.func.attr == "format":
        yield from (*text.args, *(word.value for word in text.keywords))
    elif isinstance(text, ast.BinOp) and isinstance(text.op, ast.Mod):
        yield text.right
    elif isinstance(text, ast.BinOp) and isinstance(text.op, ast.Add):
        for side in (text.left, text.right):
            if not isinstance(side, ast.Constant | ast.JoinedStr | ast.BinOp):
                yield side


def code(root: Path = ROOT, reviewed: Path = REVIEWED) -> list[str]:
    """Faults of the code in ``root`` that the rows of ``reviewed`` do not answer for."""
    done = _run("bandit", "-q", "-f", "json", "-r", *CODE, cwd=root)
    report = json.loads(done.stdout)
    if report["errors"]:
        return [f"{error['filename']}: {error['reason']}" for error in report["errors"]]
    found = Counter(place for one in report["results"] for place in _places(root, one))
    print(f"bandit: {len(report['results'])} findings, all reviewed unless named below")
    return judge(found, read_reviewed(reviewed))


def _places(root: Path, one: Mapping[str, Any]) -> Iterator[Place]:
    file = str(one["filename"]).removeprefix("./")
    if one["test_id"] != SQL:
        yield Place(one["test_id"], file)
        return
    for put in sorted(put_in((root / file).read_text(encoding="utf-8"), one["line_range"])):
        yield Place(SQL, file, put)


def packages() -> list[str]:
    """Known vulnerabilities of the packages that are installed here."""
    done = _run("pip_audit", "--progress-spinner", "off", "-f", "json", cwd=ROOT)
    try:
        asked: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except ValueError:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        print(f"pip-audit: NOT CHECKED, the vulnerability service did not answer ({reason[:200]})")
        return []
    answered = [one for one in asked if "skip_reason" not in one]
    print(
        f"pip-audit: {len(answered)} of {len(asked)} packages checked"
        + ("" if answered else ": NOT CHECKED, the service knows none of them from here")
    )
    return [
        f"{one['name']} {one['version']}: {fault['id']} (mended in: {', '.join(fault['fix_versions']) or '–'})"
        for one in answered
        for fault in one["vulns"]
    ]


def advised(folder: Path, installed: Mapping[str, str]) -> list[str]:
    """What the advisories in ``folder`` (a .json each in the schema of OSV, as osv.dev gives them out for PyPI) say of
    the ``installed`` packages, version by name. ValueError for a folder without any."""
    versions = {canonicalize_name(name): version for name, version in installed.items()}
    read, last, said = 0, "", []
    for file in sorted(folder.rglob("*.json")):
        advisory = json.loads(file.read_text(encoding="utf-8"))
        read, last = read + 1, max(last, str(advisory.get("modified", ""))[:10])
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            name = canonicalize_name(str(package.get("name", "")))
            if package.get("ecosystem") == "PyPI" and name in versions and _affects(affected, versions[name]):
                said.append(f"{name} {versions[name]}: {advisory['id']}")
    if not read:
        raise ValueError(f"{folder}: there is no advisory in it")
    print(
        f"advisories: {len(versions)} packages held against {read} of {folder}, the last of {last or 'an unknown day'}"
    )
    return said


def _affects(affected: Mapping[str, Any], version: str) -> bool:
    """Whether one entry of an advisory names a version: itself, or between where the fault came in and was mended."""
    if version in affected.get("versions", ()):
        return True
    for span in affected.get("ranges", ()):
        if span.get("type") != "ECOSYSTEM":
            continue
        inside, own = False, Version(version)
        events = [(what, Version(at)) for event in span.get("events", ()) for what, at in event.items()]
        for what, at in sorted(events, key=lambda event: event[1]):
            if what == "introduced":
                inside = inside or own >= at
            elif (what == "fixed" and own >= at) or (what == "last_affected" and own > at):
                inside = False
        if inside:
            return True
    return False


def _run(module: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if f"No module named {module}" in done.stderr:
        sys.exit(f"{module} is not installed here: pip install -e '.[dev]'")
    return done


def main(arguments: Sequence[str] = ()) -> int:
    """Looks at all; 1 when a person has to."""
    parser = argparse.ArgumentParser(description="Looks for known faults in the code and in what it needs.")
    parser.add_argument("--advisories", type=Path, metavar="FOLDER", help="a copy of OSV's advisories for PyPI, .json")
    asked = parser.parse_args(arguments)
    said = [*code(), *packages()]
    if asked.advisories is not None:
        said += advised(asked.advisories, {one.metadata["Name"]: one.version for one in distributions()})
    for sentence in said:
        print(sentence)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
