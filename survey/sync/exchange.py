"""Exchange: hand over what no receipt names yet, merge what came, sign and read receipts.

A stick is a folder with ``bundles/`` and ``receipts/``. Success is a receipt that verifies, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from survey.errors import InputError, Problem, StoreError, SurveyError, VerifyError
from survey.store import access_log, drafts, hearing, receipts
from survey.store.merge import Holder, Outcome, unite, unite_checked
from survey.store.other import open_other
from survey.store.quarantine import clear_quarantine, is_dismissed, set_aside
from survey.store.scope import Scope, here
from survey.store.store import FILE, TIERS, Store
from survey.sync.ahead import Bundles
from survey.sync.apart import write_apart
from survey.sync.bundle import SUFFIX, NotForUs, is_plain_for, write_bundle
from survey.sync.files import write_named
from survey.sync.keys import adopt_recovery, publish_age_key, readers
from survey.text import Text

BUNDLES = "bundles"
RECEIPTS = "receipts"
RECEIPT_SUFFIX = ".receipt"

_LARGEST_KEPT = 16 << 20


@dataclass(frozen=True)
class Exported:
    """What was handed over: the bundle (None when none was written), how much is in it, whether it is ``open`` for all
    to read and holds more than the names of machines, whether something is ``waiting`` that nobody could have opened,
    and the names of the enrolled devices that cannot open it because no key of theirs is known."""

    path: Path | None
    revisions: int
    partials: int
    open: bool = False
    waiting: bool = False
    without: tuple[str, ...] = ()


@dataclass
class Report:
    """What an exchange did. ``quarantined`` names what did not verify; ``problems`` what could not be read at all or
    written; ``conflicts`` the interviews that now wait for a person; ``for_others`` counts the bundles that were
    encrypted to somebody else and left alone; ``given`` how many revisions a hub took over the network, and ``receipt``
    is the code of its receipt."""

    new: int = 0
    known: int = 0
    conflicts: list[str] = field(default_factory=list)
    quarantined: list[tuple[str, Problem]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    late_parts: int = 0
    for_others: int = 0
    receipts_read: int = 0
    receipts_written: list[Path] = field(default_factory=list)
    sources: int = 0
    given: int = 0
    receipt: str = ""

    @property
    def needs_a_person(self) -> bool:
        """Whether something was found that a person must look at."""
        return bool(self.conflicts or self.quarantined or self.problems)

    def add(self, other: Report) -> None:
        """Adds what another exchange did."""
        self.new += other.new
        self.known += other.known
        self.late_parts += other.late_parts
        self.conflicts = sorted({*self.conflicts, *other.conflicts})
        self.quarantined += other.quarantined
        self.problems += other.problems
        self.receipts_read += other.receipts_read
        self.given += other.given
        self.receipt = self.receipt or other.receipt


def export(
    store: Store, to: str | Path, *, everything: bool = False, plain: bool = False, now: datetime | None = None
) -> Exported:
    """Writes the revisions that no receipt names yet as a bundle into ``to``/bundles (a stick is a folder).

    Open drafts are written as ``partial`` first. A hub adds what devices need from it: documents, decisions,
    tombstones; encrypted, in bundles of their own (:mod:`survey.sync.apart`). ``everything`` writes all that is held,
    for a hub that lost its store. The bundle is encrypted to those whom :func:`survey.sync.keys.readers` names, unless
    they have no keys or ``plain`` is asked for. InputError when the disk is full or read-only; then nothing is there
    under a bundle's name.
    """
    publish_age_key(store)
    partials = drafts.partials(store, now)
    access_log.carry(store, now)
    numbers = receipts.everything(store) if everything else outgoing(store)
    if not numbers:
        return Exported(None, 0, len(partials))
    encrypted = not plain and not is_plain_for(store)
    audience = readers(store)
    if encrypted and not audience.others:
        # A bundle that this hub alone could open helps nobody; which machines have no key is told.
        return Exported(None, 0, len(partials), waiting=True, without=audience.without)
    if encrypted and store.role == "hub":
        path, numbers = write_apart(store, Path(to) / BUNDLES, numbers, audience)
        if path is None:
            return Exported(None, 0, len(partials), waiting=True, without=audience.without)
    else:
        path = write_bundle(store, Path(to) / BUNDLES, numbers, plain=plain)
    return Exported(
        path,
        len(numbers),
        len(partials),
        open=not encrypted and receipts.tells_of_people(store, numbers),
        without=audience.without if encrypted else (),
    )


def about_keys(done: Exported) -> list[Text]:
    """What a person should know about who can open what was handed over."""
    said = []
    if done.waiting:
        said.append(
            Text(
                "Chưa biết khóa của máy nào nên không ai mở được gói: cài, nhận và đăng ký các máy trước.",
                "No machine's key is known, so nobody could open a bundle: set laptops up, sync and enrol them first.",
            )
        )
    if done.open:
        said.append(
            Text(
                "Gói KHÔNG mã hóa (chưa biết khóa của máy nhận): giữ USB cẩn thận.",
                "The bundle is NOT encrypted (the receiver's key is not known): keep the stick safe.",
            )
        )
    if done.without:
        names = ", ".join(done.without)
        said.append(
            Text(
                f"Máy không mở được gói này vì chưa có khóa (bản cũ hoặc không mã hóa): {names}",
                f"Cannot open it for want of a key (an older or a plain machine): {names}",
            )
        )
    return said


def outgoing(store: Store, *, to_hub: bool = False) -> list[int]:
    """Database numbers of what is handed over now: what no receipt from above names. A hub's stick also goes to
    devices, unless it goes ``to_hub``."""
    # The top of the country owes its content to nobody; what goes down to devices it always has.
    upward = receipts.unsent(store) if store.tier != TIERS[-1] else []
    if store.role == "device" or to_hub:
        return upward
    return receipts.in_feed_order(store, {*upward, *receipts.downward(store)})


def sync(
    store: Store,
    sources: Iterable[str | Path],
    *,
    now: datetime | None = None,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Merges any of: a bundle, a receipt, a folder of bundles and receipts, an instance folder, another store's file;
    with a hub's ``https://`` address it exchanges both ways.

    What does not verify is set aside by name and never keeps the rest away. A hub then signs a receipt for all it
    holds into its own folder and into every source that is a folder. InputError, before anything is merged, for a
    source that does not exist. ``progress`` is told the name of each file as its turn comes.
    """
    sources = list(sources)
    places = [_resolve(source) for source in sources if not is_address(source)]
    addresses = [str(source) for source in sources if is_address(source)]
    if addresses:
        # A laptop that only knows sticks never loads TLS.
        from survey.sync import client

        for address in addresses:
            client.pinned_hub(store, address)
    outcome, report = Outcome(), Report()
    had = _own_units(store)
    files = [(place, file) for place in places for file in _files(place)]
    report.sources += len(places)
    with Bundles(store, [file for _, file in files]) as bundles:
        for place, file in files:
            if progress is not None:
                progress(file.name)
            _one(store, file, bundles, outcome, report, now, told=place == file)
    if outcome.withheld and _own_units(store) != had:
        _again(store, places, outcome, now)
    adopt_recovery(store)
    _combine(store, outcome, now)
    _count(outcome, report)
    if store.role == "hub" and places:
        _write_receipts(store, places, report, now)
    for address in addresses:
        if progress is not None:
            progress(address)
        report.add(client.exchange(store, address, now=now))
        report.sources += 1
    return report


def _own_units(store: Store) -> set[str]:
    """The units of the people who work on this laptop; none on a hub, which keeps everything."""
    return Scope(store, store.device, here(store)).units if store.role == "device" else set()


def _again(store: Store, places: list[Path], outcome: Outcome, now: datetime | None) -> None:
    """Reads the bundles once more: with them came units that are this laptop's from now on, and what belongs to these
    may have passed by before."""
    second, unheard, bundles = Outcome(), Report(), Bundles(store)
    for place in places:
        for file in _files(place):
            if file.suffix == SUFFIX:
                _one(store, file, bundles, second, unheard, now, told=False)
    outcome.late_parts += second.late_parts
    outcome.conflicts |= second.conflicts


def is_address(source: str | Path) -> bool:
    """Whether a source is a hub's address and not a file."""
    return str(source).startswith("https://")


def merge_bundle(store: Store, file: Path, report: Report, now: datetime | None = None) -> None:
    """Merges one bundle that came over the network and adds to ``report`` what it did. VerifyError when it is damaged:
    the sender sends it again."""
    outcome = _merge_bundle(store, file, Bundles(store), "network", now)
    _combine(store, outcome, now)
    _count(outcome, report)


def _combine(store: Store, outcome: Outcome, now: datetime | None) -> None:
    """On a hub, puts together the versions against which nothing speaks; what is left waits for a person."""
    if store.role == "hub" and outcome.conflicts:
        from survey.store.combining import combine_all

        outcome.conflicts = set(combine_all(store, sorted(outcome.conflicts), now))


def _count(outcome: Outcome, report: Report) -> None:
    report.new += outcome.new
    report.known += outcome.known
    report.conflicts = sorted({*report.conflicts, *outcome.conflicts})
    report.quarantined += outcome.quarantined
    report.late_parts += outcome.late_parts


def count_files(sources: Iterable[str | Path]) -> int:
    """How many files :func:`sync` will look at. InputError for a source that does not exist."""
    return sum(1 if is_address(source) else len(_files(_resolve(source))) for source in sources)


def _resolve(source: str | Path) -> Path:
    if str(source).startswith("http://"):
        raise InputError(
            str(source),
            Text("chỉ nối tới máy chủ bằng https", "hubs are reached by https alone"),
            Text("đổi thành https://", "write https:// instead"),
        )
    path = Path(source)
    try:
        there = path.exists()
    except OSError:  # longer than any path can be, for one
        there = False
    if not there:
        raise InputError(
            str(source),
            Text("không có tệp hoặc thư mục này", "there is no such file or folder"),
            Text("kiểm tra đường dẫn, cắm lại USB", "check the path, plug the stick in again"),
        )
    return path


def _files(place: Path) -> list[Path]:
    """The files of one source, in an order that does not matter."""
    if not place.is_dir():
        return [place]
    if (place / FILE).exists():
        return [place / FILE]
    folders = [place, place / BUNDLES, place / RECEIPTS]
    found = [file for folder in folders for ending in (SUFFIX, RECEIPT_SUFFIX) for file in folder.glob(f"*{ending}")]
    return sorted((file for file in found if not file.name.startswith(".")), key=lambda file: (file.suffix, file.name))


def _one(
    store: Store, file: Path, bundles: Bundles, outcome: Outcome, report: Report, now: datetime | None, *, told: bool
) -> None:
    """Merges one file; what goes wrong with it is told in the report and stops nothing else. ``told``: a person named
    this very file."""
    try:
        if file.suffix == RECEIPT_SUFFIX:
            receipts.read_receipt(store, file.read_bytes(), str(file))
            report.receipts_read += 1
        elif file.suffix in (".sqlite", ".db"):
            outcome.add(_merge_store(store, file))
        else:
            outcome.add(_merge_bundle(store, file, bundles, "stick", now))
        clear_quarantine(store, file.name)
    except VerifyError as error:
        name = f"{file.parent.name}/{file.name}" if file.parent.name in (BUNDLES, RECEIPTS) else file.name
        if _keep_damaged(store, file, error):
            report.quarantined.append((name, error.problem))
    except receipts.NotCounted as error:
        report.problems.append(error.problem)
    except NotForUs as error:
        # On a stick lie the bundles of others too: a laptop's for the hub, the hub's for other laptops.
        report.for_others += 1
        if told or store.role == "hub":
            report.problems.append(error.problem)
    except StoreError as error:
        if error.problem.where == str(store.file):
            raise
        report.problems.append(error.problem)
    except OSError as error:
        report.problems.append(
            Problem(
                str(file),
                Text(f"không đọc được ({error.strerror})", f"it cannot be read ({error.strerror})"),
                Text("cắm lại USB rồi thử lại", "plug the stick in again and try once more"),
            )
        )


def _merge_bundle(store: Store, file: Path, bundles: Bundles, way: str, now: datetime | None) -> Outcome:
    # What lies on a stick every evening need not be opened every evening.
    known = bundles.known(file)
    if known is not None:
        return Outcome(known=known)
    bundle = bundles.open(file)
    known = receipts.bundle_known(store, bundle.hash)
    if known is not None:
        return Outcome(known=known)
    hearing.note(store, bundle.sender, way, str(bundle.manifest.get("program", "")), now)
    tier = bundle.manifest["tier"]
    # What comes from a hub above us need not be carried back to it.
    is_above = tier in TIERS and TIERS.index(tier) > TIERS.index(store.tier)
    holder = Holder(bundle.sender, tier) if is_above else None

    def remember(outcome: Outcome) -> None:
        if not outcome.quarantined and not outcome.withheld:
            receipts.remember_bundle(store, bundle.hash, bundle.manifest["revisions"])

    return unite_checked(store, bundle.entries(), file.name, bundle.keys, holder, remember)


def _merge_store(store: Store, file: Path) -> Outcome:
    with open_other(file) as other:
        outcome = unite(store, other.records_unknown_to(store), file.name, other.keys)
        outcome.known = other.known
    return outcome


def _keep_damaged(store: Store, file: Path, error: SurveyError) -> bool:
    """Keeps the bytes of a damaged file, while it is small: the stick they came on will be gone tomorrow. False when a
    person has dismissed this very file."""
    try:
        content = file.read_bytes() if file.stat().st_size <= _LARGEST_KEPT else b""
    except OSError:
        content = b""
    set_aside(store, file.name, content, error.problem.what, str(file))
    # Of a large file nothing is kept that would tell this one from the next.
    return not content or not is_dismissed(store, file.name, content)


def _write_receipts(store: Store, places: list[Path], report: Report, now: datetime | None) -> None:
    """Signs what is held now; receipts from above are handed on beside it."""
    own = receipts.make_receipt(store, now)
    folders = [store.folder / RECEIPTS]
    for place in places:
        if place.is_dir() and not (place / FILE).exists():
            folders.append((place.parent if place.name == BUNDLES else place) / RECEIPTS)
        elif place.suffix == SUFFIX and place.parent.name == BUNDLES:
            folders.append(place.parent.parent / RECEIPTS)
    for folder in dict.fromkeys(folders):
        try:
            for content in (own, *receipts.held_receipts(store)):
                written = write_named(folder, RECEIPT_SUFFIX, [content])
                if content is own:
                    report.receipts_written.append(written)
        except InputError as error:
            report.problems.append(error.problem)
