"""The worked example of the guides: its commands are run, and every number of its tables found in what they write."""

from __future__ import annotations

import re
import shlex
import shutil

import pandas as pd
import pytest
from click.testing import CliRunner

from survey.cli import cli
from tests.outside import ROOT

GUIDES = ROOT / "docs" / "guides"
FILES = ("scores", "missing", "places", "classes", "drivers")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The files that the guide's commands write, as tables."""
    folder = tmp_path_factory.mktemp("worked")
    shutil.copytree(GUIDES / "worked", folder, dirs_exist_ok=True)
    text = (GUIDES / "worked-example.md").read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in re.findall(r"^survey (.*)$", text, re.M):
            done = CliRunner().invoke(cli, shlex.split(line), catch_exceptions=False)
            assert done.exit_code == 0, f"{line}: {done.output}"
    assert (folder / "drivers.svg").is_file()
    found = {name: pd.read_csv(folder / f"{name}.csv", dtype={"domain": str, "code": str}) for name in FILES}
    return {name: table.set_index("code" if name == "drivers" else "domain") for name, table in found.items()}


def expected(written, row):
    """The cells of a row of the guide, as the files have them."""
    if row.startswith("HL."):
        driver = written["drivers"].loc[row]
        return [*(f"{driver[name]:.1f}" for name in ("importance", "low", "high")), driver["quadrant"]]
    domain, _, kind = row.partition(" ")
    if kind == "HL":
        bounds = written["missing"]
        bounds = bounds[bounds["code"] == "HL"].loc[domain]
        return [f"{bounds[name]:.2f}" for name in ("worst", "best")]
    if kind == "rank":
        place = written["places"].loc[domain]
        ranks = [str(place[name]) for name in ("rank", "rank_low", "rank_high")]
        return [*ranks, written["classes"].loc[domain, "class"]]
    scores = written["scores"]
    score = scores[scores["code"] == "HL"].loc[domain]
    return [*(f"{score[name]:.2f}" for name in ("estimate", "low", "high")), f"{score['df']:g}"]


@pytest.mark.parametrize("page", ["worked-example.md", "worked-example.vi.md"])
def test_every_number_of_the_guide_comes_out_of_its_commands(written, page):
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \|$", (GUIDES / page).read_text(encoding="utf-8"), re.M)
    assert len(rows) == 14
    for row, cells in rows:
        assert cells.split(" | ") == expected(written, row), row
