"""``survey export``, ``sync``, ``quarantine`` and ``verify`` say what became of a hand-over and give the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from survey.store import Store
from tests.laptops import interview

Survey = Callable[..., Result]


def test_export_and_sync_by_command(survey: Survey, device: Store, hub: Store, stick: Path):
    interview(device)
    result = survey("export", "--to", stick)
    assert (result.exit_code, "Wrote 2 revisions (0 open drafts)" in result.stdout) == (0, True)
    result = survey("--instance", hub.folder, "sync", stick)
    assert result.exit_code == 0
    assert "new 2 · known 0 · conflicts 0 · quarantined 0" in result.stdout
    assert "receipt: " in result.stdout
    assert survey("sync", stick).exit_code == 0
    assert "Nothing is waiting" in survey("export", "--to", stick).stdout
    assert "Không có gì chưa nộp" in survey("--lang", "vi", "export", "--to", stick).stdout


def test_sync_names_what_it_set_aside_and_exits_1(survey: Survey, device: Store, stick: Path):
    (stick / "broken.bundle").write_bytes(b"broken")
    result = survey("sync", stick)
    assert result.exit_code == 1
    assert "broken.bundle: damaged or cut; nothing was merged from it; copy the file again" in result.stdout
    told = json.loads(survey("sync", stick, "--json").stdout)
    assert (told["new"], told["known"], told["conflicts"], len(told["quarantined"])) == (0, 0, [], 1)


def test_what_is_set_aside_is_named_once_and_dismissed_by_command(survey: Survey, device: Store, stick: Path):
    (stick / "broken.bundle").write_bytes(b"broken")
    survey("sync", stick)
    told = survey("verify")
    assert (told.exit_code, told.stdout.count("broken.bundle")) == (1, 1)
    listed = survey("quarantine", "list")
    assert (listed.exit_code, "broken.bundle" in listed.stdout, "damaged or cut" in listed.stdout) == (1, True, True)
    assert json.loads(survey("quarantine", "list", "--json").stdout)["quarantined"][0][0] == "broken.bundle"
    assert survey("quarantine", "dismiss", "broken.bundle").exit_code == 2
    assert survey("quarantine", "dismiss", "other.bundle", "--reason", "x").exit_code == 2
    assert survey("quarantine", "dismiss", "broken.bundle", "--reason", "x", "--as", "pnobody").exit_code == 2
    assert survey("quarantine", "dismiss", "broken.bundle", "--reason", "handed over again").exit_code == 0
    assert "Nothing is set aside" in survey("quarantine", "list").stdout
    assert survey("verify").exit_code == 0


def test_sync_without_a_source_or_with_a_wrong_one_exits_2(survey: Survey, device: Store):
    assert survey("sync").exit_code == 2
    result = survey("sync", "nowhere")
    assert result.exit_code == 2
    assert "nowhere: there is no such file or folder; check the path" in result.stderr


def test_verify_by_command(survey: Survey, device: Store):
    interview(device)
    result = survey("verify")
    assert result.exit_code == 0
    assert "this device created 2 = receipted 0 + pending 2" in result.stdout
    assert "The store is proved." in result.stdout
    assert "revisions 2 · feeds 1 · interviews 1 · documents 1 · parts 4" in result.stdout
    assert "bản ghi 2 · chuỗi 1 · phiếu 1" in survey("--lang", "vi", "verify").stdout
    device.execute("UPDATE revisions SET signature = zeroblob(64)")
    result = survey("verify")
    assert result.exit_code == 1
    assert "the signature does not hold" in result.stdout
    assert "The store is proved." not in result.stdout
    assert len(json.loads(survey("verify", "--json").stdout)["report"]["problems"]) == 2


def test_verify_of_a_folder_without_a_store_exits_2(survey: Survey):
    result = survey("verify")
    assert result.exit_code == 2
    assert "there is no store here; run: survey init" in result.stderr
