"""``survey export``, ``survey sync``, ``survey verify``: hand over, merge, prove."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from survey.cli.base import FINDINGS, Command, json_option, open_store, option, progress, say, say_json
from survey.cli.options import NEW_FOLDER
from survey.text import LANGUAGES, Text, many

if TYPE_CHECKING:
    from survey.sync.exchange import Report


_COUNTED = {
    "revisions": Text("bản ghi", "revisions"),
    "feeds": Text("chuỗi", "feeds"),
    "interviews": Text("phiếu", "interviews"),
    "documents": Text("tài liệu", "documents"),
    "parts": Text("phần nội dung", "parts"),
    "missing_parts": Text("phần không có ở đây", "parts not here"),
    "quarantined": Text("để riêng", "quarantined"),
    "drafts": Text("phiếu đang làm dở", "drafts"),
}


@click.command(
    cls=Command,
    name="export",
    help=Text(
        "Ghi các bản ghi chưa có xác nhận thành một gói dữ liệu (USB là một thư mục).",
        "Write what no receipt names yet as a bundle (a USB stick is a folder).",
    ),
    example="survey export --to /media/usb",
)
@option(
    "--to",
    type=NEW_FOLDER,
    default=Path(),
    metavar="DIR",
    help=Text("Thư mục đích (mặc định: thư mục này).", "Folder to write into (default: this one)."),
)
@option(
    "--everything",
    is_flag=True,
    help=Text(
        "Ghi lại tất cả, cả những gì đã được xác nhận.",
        "Write all that is held, receipted or not (for a hub that lost it).",
    ),
)
@option(
    "--plain",
    is_flag=True,
    help=Text("Ghi KHÔNG mã hóa: ai có tệp đều đọc được.", "Write it unencrypted: whoever has the file reads it."),
)
@json_option
def export(to: Path, everything: bool, plain: bool, as_json: bool) -> None:
    """Writes a bundle."""
    from survey.sync import exchange

    with open_store() as store:
        done = exchange.export(store, to, everything=everything, plain=plain)
    if as_json:
        say_json(done)
        return
    if done.path is None:
        if not done.waiting:
            say(Text("Không có gì chưa nộp.", "Nothing is waiting to be handed over."))
    else:
        say(
            Text(
                f"Đã ghi {done.revisions} bản ghi ({done.partials} phiếu đang làm dở) vào {done.path}",
                f"Wrote {many(done.revisions, 'revision')} ({many(done.partials, 'open draft')}) to {done.path}",
            )
        )
    for words in exchange.about_keys(done):
        say(words)


@click.command(
    cls=Command,
    name="sync",
    help=Text(
        "Gộp dữ liệu từ gói, thư mục (USB) hoặc kho khác; máy chủ tiếp nhận ký xác nhận.",
        "Merge a bundle, a folder (USB stick) or another store; a hub signs receipts.",
    ),
    example="survey sync /media/usb",
)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE…")
@json_option
def sync(sources: tuple[str, ...], as_json: bool) -> int:
    """Merges sources."""
    from survey.sync import exchange

    with (
        open_store() as store,
        progress(Text("Đang gộp", "Merging"), exchange.count_files(sources)) as advance,
    ):
        report = exchange.sync(store, sources, progress=lambda name: advance(1))
    if as_json:
        say_json(report)
    else:
        _say_report(report)
    return FINDINGS if report.needs_a_person else 0


def _say_report(report: Report) -> None:
    say(
        Text(
            f"mới {report.new} · đã có {report.known} · phiếu có hai bản khác nhau {len(report.conflicts)} · "
            f"để riêng {len(report.quarantined)}",
            f"new {report.new} · known {report.known} · conflicts {len(report.conflicts)} · "
            f"quarantined {len(report.quarantined)}",
        )
    )
    for interview in report.conflicts:
        say(Text(f"hai bản khác nhau: {interview}", f"conflict: {interview}"))
    for problem in [problem for _, problem in report.quarantined] + report.problems:
        say(Text(problem("vi"), problem("en")))
    for path in report.receipts_written:
        say(Text(f"xác nhận đã nhận: {path}", f"receipt: {path}"))


@click.command(
    cls=Command,
    name="verify",
    help=Text(
        "Kiểm chứng kho: mã băm, liên kết, chữ ký, phần suy ra, và đã tạo = đã xác nhận + còn chờ.",
        "Prove the store: hashes, links, signatures, derived tables, created = receipted + pending.",
    ),
    example="survey verify\nsurvey verify --repair",
)
@option(
    "--repair",
    is_flag=True,
    help=Text(
        "Dựng lại phần suy ra (trạng thái, danh sách) từ các bản ghi trước khi kiểm chứng.",
        "First build what is derived (states, lists) again from the revisions.",
    ),
)
@json_option
def verify(repair: bool, as_json: bool) -> int:
    """Proves the store."""
    from survey.store import current
    from survey.store.quarantine import quarantine
    from survey.store.verify import revision_count

    with open_store() as store:
        if repair:
            current.rebuild(store)
        with progress(Text("Đang kiểm chứng", "Verifying"), revision_count(store)) as advance:
            report = current.verify(store, advance)
        findings = current.findings(store)
        aside = quarantine(store)
    if as_json:
        say_json({"report": report, "findings": findings, "quarantined": aside})
    else:
        shown = [(_COUNTED[name], count) for name, count in report.counts.items()]
        say(Text(*(" · ".join(f"{label(spoken)} {count}" for label, count in shown) for spoken in LANGUAGES)))
        say(
            Text(
                f"máy này đã tạo {report.created} = đã được xác nhận {report.receipted} + còn chờ {report.pending}",
                f"this device created {report.created} = receipted {report.receipted} + pending {report.pending}",
            )
        )
        for problem in report.problems:
            say(Text(problem("vi"), problem("en")))
        for finding in findings:
            say(
                Text(
                    f"{finding.where}: {finding.what.vi}; {finding.todo.vi}",
                    f"{finding.where}: {finding.what.en}; {finding.todo.en}",
                )
            )
        for _, problem in aside:
            say(Text(problem("vi"), problem("en")))
        if not report.problems:
            say(Text("Kho dữ liệu toàn vẹn.", "The store is proved."))
    # That a laptop without interviews is not enrolled yet, or was revoked, is worth saying and asks nothing of anybody.
    faults = [finding for finding in findings if finding.kind not in ("uncertified", "revoked")]
    return FINDINGS if report.problems or faults or aside else 0


commands: dict[str, click.Command] = {"export": export, "sync": sync, "verify": verify}
