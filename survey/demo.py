"""The whole job on made-up fieldwork: a round is set up, three laptops interview, a hub merges, scores and reports.

Every step is a real command run on real instances in one folder; the interviews go through the form engine and the
drafts as the app's do. Two things go wrong on purpose: a bundle is damaged on the stick, and an interview that one
laptop began is finished on two. Everything that it makes says that it is synthetic.
"""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from survey.errors import InputError, Problem, Problems
from survey.fieldwork.respondent import Respondent, respond
from survey.questionnaire.model import Questionnaire, Value
from survey.questionnaire.path import Context, open_path
from survey.questionnaire.path import Path as Asked
from survey.text import Text, many

INSTRUMENT = "sipas_2026"
ROUND = "demo2026"
PROVINCE = ("14", "Sơn La")
LAPTOPS = 3
COMMUNES = 6
VILLAGES_IN_FRAME, VILLAGES_DRAWN = 18, 9
PERSONS_DRAWN, RESERVE = 4, 2
REFUSALS = 0.06
PIN = "2026"

ENUMERATORS = (("pdemo1", "Điều tra viên 1"), ("pdemo2", "Điều tra viên 2"), ("pdemo3", "Điều tra viên 3"))
SUPERVISOR = ("pdemo9", "Giám sát viên")
SYNTHETIC = Text("Dữ liệu giả lập, không phải kết quả khảo sát", "Synthetic data, not the result of any survey")


def interviews_planned() -> int:
    """How many people are to be interviewed: what a progress bar counts to."""
    return COMMUNES * VILLAGES_DRAWN * PERSONS_DRAWN


Tell = Callable[[Text], None]


@dataclass(frozen=True)
class Made:
    """Where the demo's results are, and what it did, for those who check it."""

    folder: Path
    report: Path
    scores: Path
    interviews: int
    conflicts: int
    damaged: int


class Failed(Exception):
    """A command of the demo did not do what it should; carries what it said."""


def run(folder: Path, seed: int, tell: Tell, advance: Callable[[int], None] = lambda steps: None) -> Made:
    """Makes everything below ``folder`` and returns where the report is.

    ``tell`` is given one sentence a step, ``advance`` the number of interviews just finished. The same seed gives the
    same answers and scores. InputError when the folder holds something else than an earlier demo.
    """
    _clear(folder)
    hub, laptops, stick = folder / "hub", [folder / f"laptop-{n}" for n in range(1, LAPTOPS + 1)], folder / "stick"
    stick.mkdir()

    _set_up(hub, folder, seed)
    tell(Text("Đã lập đợt khảo sát, chọn mẫu và phân công.", "The round is set up, the sample drawn and assigned."))
    _enrol(hub, laptops, stick)
    tell(Text(f"{LAPTOPS} máy tính đã đăng ký và nhận đợt khảo sát.", f"{LAPTOPS} laptops are enrolled and have it."))

    done = [_interview(laptop, user, seed, advance) for laptop, (user, _) in zip(laptops, ENUMERATORS, strict=True)]
    shared = _finish_twice(laptops, stick, seed)
    tell(
        Text(
            f"Đã phỏng vấn {sum(done)} người trên {LAPTOPS} máy.",
            f"{many(sum(done), 'person was', 'people were')} interviewed.",
        )
    )

    bundles = [_command(laptop, "export", "--to", stick)["path"] for laptop in laptops]
    _damage(Path(bundles[-1]))
    first = _command(hub, "sync", stick, expect=(1,))
    tell(
        Text(
            f"Máy chủ nhận lần một: {first['new']} bản ghi mới, {len(first['quarantined'])} gói hỏng để riêng, "
            f"{len(first['conflicts'])} phiếu có hai bản khác nhau.",
            f"The hub received: {many(first['new'], 'new revision')}, "
            f"{many(len(first['quarantined']), 'damaged bundle')} set aside, "
            f"{len(first['conflicts'])} interview with two versions.",
        )
    )
    for laptop in laptops:
        _command(laptop, "sync", stick, expect=(0, 1))
        _command(laptop, "export", "--to", stick)
    second = _command(hub, "sync", stick, expect=(0, 1))
    tell(
        Text(
            f"Nộp lại gói bị hỏng: thêm {second['new']} bản ghi.",
            f"The damaged bundle was handed over again: {second['new']} more revisions.",
        )
    )

    heads = _command(hub, "review", "settle", shared, expect=(1,))["heads"]
    _command(
        hub, "review", "settle", shared, "--choose", heads[0], "--as", SUPERVISOR[0],
        "--reason", "Bản của điều tra viên đã gặp trực tiếp người trả lời",
    )  # fmt: skip
    approved = _command(hub, "review", "approve", "--all", "--round", ROUND, "--as", SUPERVISOR[0])["approved"]
    tell(
        Text(
            f"Đã chọn một bản cho phiếu trùng và duyệt {len(approved)} phiếu.",
            f"The conflict is settled and {many(len(approved), 'interview is', 'interviews are')} approved.",
        )
    )

    scores, report = folder / "scores.csv", folder / "report.html"
    by = [option for column in ("commune", "sex", "urban_rural") for option in ("--by", column)]
    _command(
        hub, "score", "--round", ROUND, "--index", INSTRUMENT, "--by", "commune", "--total", "--out", scores,
        expect=(0, 1), json_out=False,
    )  # fmt: skip
    _command(hub, "report", "--round", ROUND, *by, "--out", report, expect=(0, 1), json_out=False)
    tell(Text("Đã tính chỉ số kèm khoảng tin cậy và lập báo cáo.", "Scores with intervals and the report are made."))

    _command(hub, "export", "--to", stick)
    for laptop in laptops:
        _command(laptop, "sync", stick, expect=(0, 1))
    for instance in (hub, *laptops):
        found = _command(instance, "verify", expect=(0, 1))["report"]["problems"]
        if found:
            raise Failed(f"{instance}: {found}")
    tell(Text("Cả bốn kho dữ liệu được kiểm chứng là toàn vẹn.", "All four stores are proved."))
    return Made(folder, report, scores, len(approved), len(first["conflicts"]), len(first["quarantined"]))


# -- commands -----------------------------------------------------------------------------------------------------


def _command(instance: Path, *words: object, expect: tuple[int, ...] = (0,), json_out: bool = True) -> Any:
    """Runs one command of the program on an instance and returns what it printed as JSON.

    Raises Failed when it ends with another exit code than expected.
    """
    from survey.cli import cli

    arguments = ["--instance", str(instance), *map(str, words), *(["--json"] if json_out else [])]
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            cli.main(arguments, prog_name="survey")
        except SystemExit as end:
            code = end.code
    if code not in expect:
        raise Failed(f"survey {' '.join(arguments)}: exit {code}\n{err.getvalue()}{out.getvalue()}")
    return json.loads(out.getvalue()) if json_out else out.getvalue()


def _clear(folder: Path) -> None:
    """Makes the folder, or empties it when an earlier demo made what is in it."""
    mark = folder / "SYNTHETIC.txt"
    if folder.exists() and any(folder.iterdir()):
        if not mark.exists():
            raise InputError(
                str(folder),
                Text("thư mục này đã có dữ liệu khác", "this folder holds something else"),
                Text("chọn thư mục khác bằng --out", "choose another with --out"),
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(f"{SYNTHETIC.vi}.\n{SYNTHETIC.en}.\n", encoding="utf-8")


# -- setting up ---------------------------------------------------------------------------------------------------


def _set_up(hub: Path, folder: Path, seed: int) -> None:
    _command(hub, "init", "--plain", "--role", "hub", "--tier", "supervisor", "--name", "Máy chủ tiếp nhận")
    for user, name in ENUMERATORS:
        _command(hub, "user", "add", "--id", user, "--name", name, "--role", "enumerator", "--pin", PIN)
    _command(
        hub, "user", "add", "--id", SUPERVISOR[0], "--name", SUPERVISOR[1],
        "--role", "supervisor", "--role", "statistician", "--pin", PIN,
    )  # fmt: skip
    today = datetime.now(UTC).astimezone()
    _command(
        hub, "round", "create", ROUND, "--questionnaire", INSTRUMENT, "--synthetic",
        "--title", f"Khảo sát hài lòng 2026, tỉnh {PROVINCE[1]} (giả lập)",
        "--title-en", f"Satisfaction survey 2026, {PROVINCE[1]} province (synthetic)",
        "--label", SYNTHETIC.vi, "--label-en", SYNTHETIC.en,
        "--starts", f"{today:%Y-%m-%d}", "--ends", f"{today + timedelta(days=14):%Y-%m-%d}",
    )  # fmt: skip
    file = folder / "frame.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        rows = list(_frame(seed))
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    _command(hub, "frame", "import", file, "--round", ROUND)
    _command(
        hub, "sample", "draw", "--round", ROUND, "--seed", seed, "--strata", "commune",
        "--stage", f"village take={VILLAGES_DRAWN} method=pps size=persons",
        "--stage", f"take={PERSONS_DRAWN} reserve={RESERVE}",
    )  # fmt: skip


def _frame(seed: int) -> Iterator[dict[str, str]]:
    """People in villages of six real communes; villages, people and sizes are made up."""
    from vietnam_provinces import Ward

    source = random.Random(f"{seed}/frame")
    wards = sorted(
        (ward for ward in Ward.iter_all() if f"{ward.province_code.value:02d}" == PROVINCE[0]),
        key=lambda ward: ward.code.value,
    )
    for number, ward in enumerate(sorted(source.sample(wards, COMMUNES), key=lambda ward: ward.code.value)):
        code = f"{ward.code.value:05d}"
        urban = ward.name.startswith("Phường")
        for village in range(1, VILLAGES_IN_FRAME + 1):
            people = source.randint(12, 30)
            for person in range(1, people + 1):
                yield {
                    "id": f"{code}{village:02d}{person:03d}",
                    "province": PROVINCE[0],
                    "province_name": PROVINCE[1],
                    "commune": code,
                    "commune_name": ward.name,
                    "village": f"{code}-{village:02d}",
                    "village_name": f"{'Tổ' if urban else 'Bản'} {village}",
                    "urban_rural": "urban" if urban else "rural",
                    "persons": str(people),
                    "assignee": ENUMERATORS[number % LAPTOPS][0],
                    "name": f"Người giả lập {village:02d}-{person:03d}",
                    "address": f"Nhà số {person}",
                }


def _enrol(hub: Path, laptops: Sequence[Path], stick: Path) -> None:
    for number, laptop in enumerate(laptops, start=1):
        _command(laptop, "init", "--plain", "--name", f"Máy {number}")
        _command(laptop, "export", "--to", stick)
    _command(hub, "sync", stick)
    _command(hub, "device", "enrol", "--all")
    file = stick / f"{ROUND}.round"
    fingerprint = _command(hub, "round", "export", file, "--round", ROUND)["fingerprint"]
    for laptop in laptops:
        _command(laptop, "round", "import", file, "--fingerprint", fingerprint)


# -- interviews ---------------------------------------------------------------------------------------------------


def _interview(laptop: Path, user: str, seed: int, advance: Callable[[int], None]) -> int:
    """Visits this person's units, village by village: who refuses is replaced from the reserve list. Returns how many
    were interviewed."""
    from survey.store import Store, frame

    with Store.open(laptop) as store:
        document = frame.round_document(store, ROUND)
        questionnaire = Questionnaire.from_json(frame.questionnaire(store, document["questionnaire_hash"]) or b"")
        lists: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for unit in frame.units(store, ROUND, assignee=user):
            lists.setdefault(unit["psu"], {}).setdefault(unit["list"], []).append(unit)
        finished = 0
        for _, drawn in sorted(lists.items()):
            reserve = iter(drawn.get("reserve", []))
            for unit in drawn["main"]:
                visited: dict[str, Any] | None = unit
                while visited is not None and not _visit(store, questionnaire, visited, user, seed):
                    visited = next(reserve, None)
                finished += visited is not None
                advance(1)
    return finished


def _visit(store: Any, questionnaire: Questionnaire, unit: dict[str, Any], user: str, seed: int) -> bool:
    """One visit; False when the person refused."""
    source = random.Random(f"{seed}/{unit['id']}")
    if source.random() < REFUSALS:
        _record_visit(store, unit, user, "2.112", "")
        return False
    from survey.store import drafts

    interview = drafts.start(store, unit["id"], questionnaire.hash, user)
    path = _answer(store, interview, questionnaire, unit, seed)
    with store.transaction():
        _seal(store, interview, path, user)
        _record_visit(store, unit, user, "1.1", interview)
    return True


def _answer(
    store: Any, interview: str, questionnaire: Questionnaire, unit: dict[str, Any], seed: int, upto: int = 10**9
) -> Asked:
    """Answers the draft from where it stands, at most ``upto`` questions; every page is saved as it is left."""
    from survey.store import drafts

    source = random.Random(f"{seed}/{unit['id']}/answers")
    context = Context(
        frame={name: str(value) for name, value in unit.items()},
        now=datetime.now(UTC).astimezone(),
        interview=interview,
    )
    path = open_path(questionnaire, drafts.answers(store, interview), context)
    drafts.save(store, interview, path.initial)
    page, unsaved = "", dict[str, Value | None]()
    for number, (question, change) in enumerate(respond(path, _person(unit, seed), source)):
        if number == upto:
            break
        path, section = change.path, change.path.entry(question).section.path
        if section != page:
            drafts.save(store, interview, unsaved)
            page, unsaved = section, {}
        unsaved |= change.save
    drafts.save(store, interview, unsaved)
    return path


def _person(unit: dict[str, Any], seed: int) -> Respondent:
    """Communes differ by a quarter of a step of the scale, villages by a sixth, people by a half."""

    def effect(name: str, size: float) -> float:
        return random.Random(f"{seed}/{name}").gauss(0, size)

    leaning = 1.2 + effect(unit["commune"], 0.25) + effect(unit["psu"], 0.15) + effect(unit["id"], 0.5)
    return Respondent(leaning, fixed={"consent": "yes", "adult": "yes"})


def _seal(store: Any, interview: str, path: Asked, user: str) -> None:
    from survey.store import drafts

    if path.problems():
        problems = [Problem(entry.path, Text(what, what)) for entry, what, _ in path.problems()]
        raise Problems(problems)
    answers, off_path, contact = path.sealed
    drafts.seal(store, interview, answers, off_path, contact, {"synthetic": True}, user)


def _record_visit(store: Any, unit: dict[str, Any], user: str, disposition: str, interview: str) -> None:
    from survey.store import frame

    visit = frame.new_id("visit")
    document = {
        "id": visit,
        "unit": unit["id"],
        "round": ROUND,
        "disposition": disposition,
        "time": datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
        **({"interview": interview} if interview else {}),
    }
    frame.issue(store, "visit", visit, document, actor=user)


# -- what goes wrong on purpose -----------------------------------------------------------------------------------


def _finish_twice(laptops: Sequence[Path], stick: Path, seed: int) -> str:
    """The first laptop stops in the middle of an interview; its enumerator signs in on the second, takes the interview
    over from the stick and finishes it; then the first laptop starts again and it is finished there too. Returns its
    id."""
    from survey.store import Store, drafts, frame

    user = ENUMERATORS[0][0]
    with Store.open(laptops[0]) as store:
        document = frame.round_document(store, ROUND)
        questionnaire = Questionnaire.from_json(frame.questionnaire(store, document["questionnaire_hash"]) or b"")
        visited = {visit["unit"] for visit in frame.visits(store)}
        reserve = frame.units(store, ROUND, assignee=user, list="reserve")
        unit = next(unit for unit in reserve if unit["id"] not in visited)
        interview = drafts.start(store, unit["id"], questionnaire.hash, user)
        _answer(store, interview, questionnaire, unit, seed, upto=40)
    _command(laptops[0], "export", "--to", stick)
    with Store.open(laptops[1]) as store:
        frame.sign_in(store, user, PIN)
    _command(laptops[1], "sync", stick)
    with Store.open(laptops[1]) as store:
        drafts.take_over(store, interview, user)
    for number, laptop in enumerate(laptops[:2]):
        with Store.open(laptop) as store:
            path = _answer(store, interview, questionnaire, unit, seed + number)
            with store.transaction():
                _seal(store, interview, path, user)
                _record_visit(store, unit, user, "1.1", interview)
    return interview


def _damage(bundle: Path) -> None:
    """Flips one bit in the middle of a file, as a dying stick does."""
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(content)
