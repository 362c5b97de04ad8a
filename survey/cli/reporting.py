"""``survey report``: scores as one HTML page in both languages."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from survey.cli.base import (
    FINDINGS,
    Command,
    instance_folder,
    json_option,
    language,
    open_store,
    option,
    progress,
    say,
    say_json,
)
from survey.cli.figures import STATE, STATES, VOLUNTEERS
from survey.cli.frame import chosen_round, round_option
from survey.cli.office import OFFICE, issuing
from survey.cli.options import FILE, FILE_OR_FOLDER, NEW_FILE, NEW_FOLDER
from survey.errors import InputError, SurveyError
from survey.text import LANGUAGES, Text, many

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.report.documents import Wanted
    from analysis.report.making import Report
    from analysis.report.meta import Fact
    from survey.questionnaire.model import Questionnaire
    from survey.store import Store


KINDS = ("overview", "national", "province", "commune", "unit", "book", "method", "change", "gaps")
FORMATS = ("html", "docx", "pdf", "xlsx", "csv", "parquet")


@click.command(
    cls=Command,
    help=Text(
        "Lập báo cáo (HTML, Word, PDF, Excel, CSV) từ tệp điểm, hoặc từ phiếu của một đợt.",
        "Write a report (HTML, Word, PDF, Excel, CSV) from scores or from the interviews of a round.",
    ),
    example="survey report scores.csv --index sipas_2026 --out bao_cao.html\n"
    "survey report --round r2026 --by commune --by sex --out bao_cao.html\n"
    "survey report scores.csv --index sipas_2026 --out bao_cao.docx --office co_quan.toml",
)
@click.argument("scores", nargs=-1, type=FILE)
@round_option
@option(
    "--index",
    "index",
    default="",
    help=Text("Mã chỉ số hoặc thư mục (mặc định: của đợt).", "Id or folder of the index (default: the round's)."),
)
@option(
    "--design",
    "design_file",
    type=FILE_OR_FOLDER,
    help=Text("Tệp design.toml đã dùng.", "The design.toml that was used."),
)
@option(
    "--by",
    "by",
    multiple=True,
    metavar="COL",
    help=Text(
        "Cột phân nhóm, lặp lại được; mỗi cột một mục, a*b là bảng chéo.",
        "Column to compare by, may be repeated; each its own section, a*b crosses two.",
    ),
)
@STATE
@VOLUNTEERS
@option(
    "--out",
    "out",
    type=NEW_FILE,
    default="report.html",
    show_default=True,
    help=Text("Tệp báo cáo; đuôi tệp chọn dạng.", "The file; its ending chooses the format."),
)
@option(
    "--kind",
    type=click.Choice(KINDS),
    default="overview",
    show_default=True,
    help=Text("Loại tài liệu.", "Kind of document."),
)
@option(
    "--domain",
    "domains",
    multiple=True,
    metavar="PLACE",
    help=Text(
        "Tỉnh, xã của hồ sơ (mã hoặc tên), lặp lại được; mặc định: mọi nơi, mỗi nơi một tệp.",
        "Place of a profile (code or name), may be repeated; by default every place, a file each.",
    ),
)
@option(
    "--units",
    default="",
    metavar="COL",
    help=Text("Loại đơn vị của --kind unit, ví dụ department.", "Kind of units of --kind unit, such as department."),
)
@option(
    "--scale",
    type=click.Choice(["100"]),
    help=Text("Quy đổi mọi điểm về thang 0–100.", "Tell every score on 0–100 by a declared conversion."),
)
@option(
    "--before",
    type=FILE,
    help=Text("Điểm của đợt trước (--kind change).", "Scores of the round before (--kind change)."),
)
@option("--before-round", default="", help=Text("Đợt trong tệp --before.", "Round within the file --before."))
@option(
    "--outlines",
    type=FILE,
    help=Text(
        "TopoJSON hoặc GeoJSON ranh giới, thay cho bản đồ ô vuông.",
        "TopoJSON or GeoJSON of boundaries, instead of a map of tiles.",
    ),
)
@option(
    "--outcome",
    default="",
    metavar="CODE",
    help=Text(
        "Vẽ hình bốn ô: mức liên hệ với mã hoặc cột này, mức đạt được (chỉ từ phiếu của đợt).",
        "Draw the quadrants: association with this code or column, and performance (from a round's interviews only).",
    ),
)
@option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="CODE",
    help=Text("Yếu tố của hình bốn ô (mặc định: các thành phần).", "Attributes there (default: the components)."),
)
@option(
    "--weights",
    type=FILE,
    help=Text("Tệp quyền số của survey weight (--kind method).", "The weights file of survey weight (--kind method)."),
)
@option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help=Text(
        "Dạng tệp, lặp lại được (mặc định: đuôi của --out).", "Format, may be repeated (default: --out's ending)."
    ),
)
@option(
    "--language",
    "languages",
    multiple=True,
    type=click.Choice(LANGUAGES),
    help=Text(
        "Tiếng của DOCX, PDF, XLSX, lặp lại được (HTML luôn có cả hai).",
        "Language of DOCX, PDF, XLSX, may be repeated (HTML always has both).",
    ),
)
@OFFICE
@option(
    "--font",
    "fonts",
    multiple=True,
    type=FILE,
    help=Text("Phông .ttf cho PDF; tệp thứ hai là chữ đậm.", "A .ttf for the PDF; a second one is bold."),
)
@option(
    "--site",
    type=NEW_FOLDER,
    metavar="DIR",
    help=Text(
        "Ghi trang công khai (tĩnh, hai thứ tiếng) của cả nước, các tỉnh, các xã vào thư mục này, thay cho báo cáo.",
        "Write the public site (static, both languages) of country, provinces and communes here instead of a report.",
    ),
)
@json_option
def report(
    scores: tuple[Path, ...],
    round_id: str | None,
    index: str,
    design_file: Path | None,
    by: tuple[str, ...],
    state: str,
    volunteers: bool,
    out: Path,
    kind: str,
    domains: tuple[str, ...],
    units: str,
    scale: str | None,
    before: Path | None,
    before_round: str,
    outlines: Path | None,
    outcome: str,
    attributes: tuple[str, ...],
    weights: Path | None,
    formats: tuple[str, ...],
    languages: tuple[str, ...],
    office: Path | None,
    fonts: tuple[Path, ...],
    site: Path | None,
    as_json: bool,
) -> int:
    formats = formats or (_ending(out),)
    if scores and volunteers:
        raise InputError(
            "--volunteers",
            Text("tệp điểm đã tính sẵn", "a scores file has been scored already"),
            Text("tính riêng: survey score --volunteers", "score them apart: survey score --volunteers"),
        )
    if scores and outcome:
        raise InputError(
            "--outcome",
            Text("hình này tính từ phiếu, không từ tệp điểm", "this picture rests on interviews, not on scores"),
            Text("dùng --round, hoặc survey drivers với tệp phiếu", "use --round, or survey drivers on the interviews"),
        )
    driving = {"outcome": outcome, "attributes": attributes}
    made = (
        _of_files(scores, round_id or "", index, design_file, by)
        if scores
        else _of_round(round_id, index, design_file, by, state, volunteers, driving, public=site is not None)
    )
    if site is not None:
        return _site(made, site, as_json)
    choice: dict[str, Any] = {"before": before, "before_round": before_round, "weights": weights, "level": units}
    if scale:
        from analysis.report.scale import on_hundred, table_on_hundred

        choice["before"] = table_on_hundred(before, made.tree) if before else None
        made = on_hundred(made)
    how = _wanted(formats, languages or (language(),), office, fonts)
    files = _written(made, out, kind, domains, outlines, choice, how)
    if as_json:
        say_json(
            {
                "file": files[0],
                "files": files,
                "bytes": sum(file.stat().st_size for file in files),
                "domains": made.domains,
                "provisional": made.provisional,
                "findings": [{"where": f.where, "what": f.what._asdict()} for f in made.findings],
            }
        )
    else:
        for file in files:
            say(Text(f"Đã ghi báo cáo: {file.resolve()}", f"Wrote the report: {file.resolve()}"))
        for finding in made.findings:
            click.echo(finding(language()), err=True)
    return FINDINGS if made.findings else 0


def _ending(out: Path) -> str:
    ending = out.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        listed = ", ".join(f".{one}" for one in FORMATS)
        raise InputError(
            f"--out {out}",
            Text(f"không ghi được loại tệp “{out.suffix}”", f"files of the kind '{out.suffix}' are not written"),
            Text(f"dùng {listed}, hoặc nêu --format", f"use {listed}, or name a --format"),
        )
    return ending


def _wanted(
    formats: tuple[str, ...], languages: tuple[str, ...], office: Path | None, fonts: tuple[Path, ...]
) -> Wanted:
    from analysis.report.documents import Wanted

    return Wanted(tuple(dict.fromkeys(formats)), tuple(dict.fromkeys(languages)), issuing(office), fonts, language())


def _written(
    made: Report,
    out: Path,
    kind: str,
    domains: tuple[str, ...],
    outlines: Path | None,
    choice: dict[str, Any],
    wanted: Wanted,
) -> list[Path]:
    """The files of the documents, beside each other under the name of ``out``; each place has its own."""
    from analysis.report.documents import write
    from analysis.report.kinds import KINDS, Choice, places
    from analysis.report.outlines import read_outlines

    shapes = read_outlines(outlines) if outlines else ()
    stem = out.with_suffix("") if out.suffix.lower().removeprefix(".") in FORMATS else out
    chosen = places(made, kind, domains, choice["level"])
    files = []
    with progress(Text("Lập báo cáo", "Writing"), len(chosen)) as advance:
        for domain, ending in chosen:
            what = Choice(domain, shapes=shapes, **choice)
            papers = {spoken: KINDS[kind].make(made, spoken, what) for spoken in LANGUAGES}
            files += write(made, papers, stem.with_name(stem.name + ending), wanted)
            advance(1)
    return files


def _site(made: Report, folder: Path, as_json: bool) -> int:
    """The public site of the report."""
    from analysis.report.site import write_site

    written = write_site(made.cells, made.tree, made.meta, folder, units=made.units, rule=made.publication)
    if as_json:
        say_json({**asdict(written), "provisional": made.provisional})
    else:
        heaviest = f"{written.largest / 1000:.0f} KB"
        say(Text(f"Đã ghi trang công khai: {folder.resolve()}", f"Wrote the public site: {folder.resolve()}"))
        say(
            Text(
                f"{written.pages} trang mỗi thứ tiếng, {written.surveyed} xã có số liệu; trang nặng nhất {heaviest}",
                f"{many(written.pages, 'page')} in each language, {many(written.surveyed, 'commune')} with figures; "
                f"largest {heaviest}",
            )
        )
        for finding in made.findings:
            click.echo(finding(language()), err=True)
    return FINDINGS if made.findings else 0


def _of_files(
    scores: tuple[Path, ...], round_id: str, index: str, design_file: Path | None, by: tuple[str, ...]
) -> Report:
    from analysis import load_design
    from analysis.report.making import Background, from_files

    if not index:
        raise InputError(
            "--index",
            Text("chưa nêu chỉ số của các điểm này", "the index of these scores is not named"),
            Text("thêm --index, ví dụ --index sipas_2026", "add --index, for example --index sipas_2026"),
        )
    if by:
        raise InputError(
            "--by",
            Text("tệp điểm đã chia nhóm sẵn", "a scores file has its domains already"),
            Text("chia nhóm khi tính điểm: survey score --by", "choose them when scoring: survey score --by"),
        )
    known = _known(round_id) if round_id else {}
    known.setdefault("questionnaire", _shipped(index))
    return from_files(
        scores,
        index,
        round=round_id,
        design=load_design(design_file) if design_file else None,
        background=Background(**known, commands=_typed(), made=_today()),
    )


def _of_round(
    round_id: str | None,
    index: str,
    design_file: Path | None,
    by: tuple[str, ...],
    state: str,
    volunteers: bool,
    driving: dict[str, Any],
    *,
    public: bool = False,
) -> Report:
    from analysis import load_design
    from analysis.dataset import load
    from analysis.design import Publication
    from analysis.report.making import Background, from_round
    from survey.store import frame

    with open_store() as store:
        document = chosen_round(store, round_id)
        dataset = load(store, document["id"], STATES[state], volunteers=volunteers)
        units = frame.units(store, document["id"], list=frame.VOLUNTEER if volunteers else None)
        response = [] if volunteers else _fieldwork(store, document)
    if public and dataset.publication is None:  # what everybody sees has a rule for small cells, declared or not
        dataset = replace(dataset, round={**dataset.round, "publication": asdict(Publication())})
    return from_round(
        dataset,
        index or None,
        load_design(design_file) if design_file else None,
        by,
        background=Background(units=units, facts=response, commands=_typed(), made=_today()),
        **driving,
    )


def _known(round_id: str) -> dict[str, Any]:
    """What this machine's store, if there is one, knows about the round of a scores file."""
    from survey.questionnaire.model import Questionnaire
    from survey.store import frame

    if not (instance_folder() / "survey.sqlite").is_file():
        return {}
    with open_store() as store:
        document = frame.document(store, "round", round_id)
        if document is None:
            return {}
        compiled = frame.questionnaire(store, str(document.get("questionnaire_hash", "")))
        units = frame.units(store, round_id)
        response = _fieldwork(store, document)
        known: dict[str, Any] = {"document": document, "units": units, "facts": response}
    return known | ({"questionnaire": Questionnaire.from_json(compiled)} if compiled else {})


def _fieldwork(store: Store, document: Mapping[str, Any]) -> list[Fact]:
    """What the method box says of the fieldwork: choice of people, replacement, outcome rates."""
    from analysis.report import facts
    from survey.store import assigning, fieldlog, frame

    round = str(document["id"])
    tied = assigning.tied(store, round)
    opened = fieldlog.read(store, fieldlog.REPLACEMENT, round=round)
    return [
        *facts.choice_facts(document, len(fieldlog.respondents(store, round))),
        *facts.replacement_facts(document, len(opened)),
        *facts.response_facts([code for _, code in fieldlog.cases(store, round)]),
        *facts.independence_facts(tied.all, tied.told, tied.kinds, tied.reasons),
        *facts.apart_fact(len(frame.units(store, round, list=frame.VOLUNTEER))),
    ]


def _shipped(index: str) -> Questionnaire | None:
    """The questionnaire beside the index, for the names of its choices; none where there are only scores."""
    from survey.questionnaire import xlsform

    try:
        return xlsform.load(xlsform.find(index))
    except SurveyError:
        # The names are a courtesy: what is wrong with the index itself is told when it is read.
        return None


def _typed() -> list[str]:
    """The command that makes this report again, from the options given; files by their names, without their folders."""
    context = click.get_current_context()
    words = ["survey", "report"]
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if value in (None, (), "", False) or value == parameter.get_default(context) or parameter.name == "as_json":
            continue
        for one in value if isinstance(value, tuple) else (value,):
            name = [parameter.opts[0]] if isinstance(parameter, click.Option) else []
            words += [*name, Path(one).name if isinstance(one, Path) or parameter.name == "index" else str(one)]
    return [shlex.join(words)]


def _today() -> str:
    return datetime.now().astimezone().date().isoformat()


commands = {"report": report}
