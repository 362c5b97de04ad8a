"""Makes the folder for a USB stick from which a field laptop is installed and upgraded without a network.

    python tools/stick.py [--out stick]

It holds our wheel, the wheels of everything it needs for each Python and platform below, the instruments to look at,
and the install scripts of ``tools/stick_files/``. pip evaluates environment markers for the machine it runs on, so a
download on Linux leaves out what only Windows needs; :func:`missing` finds such wheels by walking the wheels' own
metadata for each target, and they are fetched by name. The same walk is the proof, for platforms that we cannot run,
that ``pip install --no-index`` will find everything.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
NAME = "citizen-survey"
PYTHONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class Target:
    """One kind of laptop: a Python and the platform tags of the wheels it takes, best first."""

    python: str
    system: str
    platforms: tuple[str, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The environment markers of such a laptop (PEP 508)."""
        windows = self.system == "Windows"
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "nt" if windows else "posix",
            "platform_machine": "AMD64" if windows else "x86_64",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.system,
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "win32" if windows else "linux",
            "extra": "",
        }

    @property
    def tags(self) -> frozenset[Tag]:
        """The tags of the wheels that pip would take there."""
        version = tuple(int(n) for n in self.python.split("."))
        interpreter = "cp" + self.python.replace(".", "")
        return frozenset(
            [*cpython_tags(version, platforms=self.platforms), *compatible_tags(version, interpreter, self.platforms)]
        )


# glibc 2.28 is that of Debian 10 and RHEL 8; a wheel for an older one runs there too.
LINUX = (*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64")
TARGETS = tuple(
    Target(python, system, platforms)
    for python in PYTHONS
    for system, platforms in (("Windows", ("win_amd64",)), ("Linux", LINUX))
)


def requirements(wheel: Path) -> list[Requirement]:
    """What a wheel says that it needs."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA") and n.count("/") == 1)
        metadata = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    return [Requirement(line) for line in metadata.get_all("Requires-Dist") or []]


def missing(wheels: Iterable[Path], target: Target, name: str = NAME) -> list[Requirement]:
    """The requirements of ``name``, and of what it needs in turn, that no wheel meets on ``target``."""
    usable: dict[str, list[Path]] = {}
    for wheel in wheels:
        project, _, _, tags = parse_wheel_filename(wheel.name)
        if tags & target.tags:
            usable.setdefault(project, []).append(wheel)
    lacking: dict[str, Requirement] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(name)]
    while waiting:
        wanted = waiting.pop()
        project = canonicalize_name(wanted.name)
        fitting = [w for w in usable.get(project, []) if parse_wheel_filename(w.name)[1] in wanted.specifier]
        if not fitting:
            lacking[str(wanted)] = wanted
            continue
        for extra in ("", *sorted(wanted.extras)):
            if (project, extra) not in seen:
                seen.add((project, extra))
                environment = target.environment | {"extra": extra}
                needs = (need for wheel in fitting for need in requirements(wheel))
                waiting += [need for need in needs if need.marker is None or need.marker.evaluate(environment)]
    return sorted(lacking.values(), key=str)


def download(wheels: Path, target: Target, wanted: Sequence[str]) -> None:
    """Fetches wheels of ``wanted`` and of what they need, as far as pip sees it from here."""
    platforms = [word for platform in target.platforms for word in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--dest", str(wheels), "--find-links", str(wheels), "--only-binary=:all:"]
    command += ["--python-version", target.python, *platforms, *wanted]
    subprocess.run(command, check=True)


def own_wheel(wheels: Path) -> Path:
    """Builds our wheel into ``wheels``, from a copy: setuptools would else pack what earlier builds left behind."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
            shutil.copy(ROOT / name, copy / name)
        for name in ("survey", "analysis", "questionnaires"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--no-build-isolation", "--wheel-dir", str(wheels), str(copy)], check=True)
    return next(wheels.glob("citizen_survey-*.whl"))


def build(out: Path, targets: Sequence[Target] = TARGETS) -> Iterator[str]:
    """Makes the folder anew, telling what it does; raises RuntimeError when a target would lack something."""
    if out.exists():
        shutil.rmtree(out)
    wheels = out / "files" / "wheels"
    wheels.mkdir(parents=True)
    yield f"{own_wheel(wheels).name}"
    for target in targets:
        download(wheels, target, [NAME])
        while lacking := missing(wheels.iterdir(), target):
            before = set(wheels.iterdir())
            # Without the marker, which pip would read as speaking of this machine.
            download(wheels, target, [f"{need.name}{need.specifier}" for need in lacking])
            if set(wheels.iterdir()) == before:
                names = ", ".join(map(str, lacking))
                raise RuntimeError(f"no wheel for {target.system}, Python {target.python}: {names}")
        yield f"{target.system}, Python {target.python}: complete"
    source = ROOT / "tools" / "stick_files"
    for name in ("install.bat", "install.sh", "HUONG-DAN.txt"):
        shutil.copy(source / name, out / name)
    for name in ("install.py", "no-python.txt"):
        shutil.copy(source / name, out / "files" / name)
    (out / "install.sh").chmod(0o755)
    for folder in sorted((ROOT / "questionnaires").iterdir()):
        if (folder / "index.csv").exists():
            shutil.copytree(folder, out / "questionnaires" / folder.name)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    yield f"{out}: {len(list(wheels.iterdir()))} wheels, {size / 1e6:.0f} MB"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the folder for a USB stick.")
    parser.add_argument("--out", type=Path, default=ROOT / "stick")
    for line in build(parser.parse_args().out):
        print(line, flush=True)


if __name__ == "__main__":
    main()
