"""Looks for known faults: bandit over our code, pip-audit over what it needs.

    python tools/audit.py

Every finding of bandit is either mended or stands in ``tools/audit.toml`` with the file, the rule, how many there are
and why each is none; one more, or one less, ends in 1. A known vulnerability of a package ends in 1. What a service
that cannot be reached did not answer is said, and is no failure: a machine without the internet has to pass too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CODE = ("survey", "analysis", "tools")
REVIEWED = ROOT / "tools" / "audit.toml"


class Place(NamedTuple):
    """A rule of bandit and a file; the file is empty in a row that speaks for all of them."""

    rule: str
    file: str


def judge(found: Mapping[Place, int], reviewed: Mapping[Place, int | None]) -> list[str]:
    """What differs between what bandit ``found`` and what was ``reviewed`` (None: any number), one sentence each."""
    said = []
    for place, count in sorted(found.items()):
        known = reviewed.get(place, 0)
        if Place(place.rule, "") in reviewed or known is None or known == count:
            continue
        said.append(f"{place.file}: {place.rule} found {count} times, reviewed {known}")
    rules = {place.rule for place in found}
    for place in sorted(reviewed):
        if place not in found and not (place.file == "" and place.rule in rules):
            said.append(f"{place.file or 'everywhere'}: {place.rule} is reviewed but not found any more")
    return said


def read_reviewed(file: Path) -> dict[Place, int | None]:
    """The rows of ``audit.toml``. ValueError for one without a reason."""
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["reviewed"]
    for row in rows:
        if len(row.get("why", "")) < 20:
            raise ValueError(f"{file}: {row} says not why")
    return {Place(row["rule"], row.get("file", "")): row.get("times") for row in rows}


def code(root: Path = ROOT, reviewed: Path = REVIEWED) -> list[str]:
    """Faults of the code in ``root`` that the rows of ``reviewed`` do not answer for."""
    done = _run("bandit", "-q", "-f", "json", "-r", *CODE, cwd=root)
    report = json.loads(done.stdout)
    if report["errors"]:
        return [f"{error['filename']}: {error['reason']}" for error in report["errors"]]
    places = (Place(one["test_id"], one["filename"].removeprefix("./")) for one in report["results"])
    found = Counter(places)
    print(f"bandit: {sum(found.values())} findings, all reviewed unless named below")
    return judge(found, read_reviewed(reviewed))


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


def _run(module: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if f"No module named {module}" in done.stderr:
        sys.exit(f"{module} is not installed here: pip install -e '.[dev]'")
    return done


def main(arguments: Sequence[str] = ()) -> int:
    """Looks at both; 1 when a person has to."""
    said = [*code(), *packages()]
    for sentence in said:
        print(sentence)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
