"""Kế hoạch, on a hub: the improvement plan from scores: targets checked before they are saved, items, the Word
document, extracts for the agencies, and the reports that come back."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, flash, g, redirect, render_template, request, url_for

from survey.errors import InputError, Problems, SurveyError
from survey.store import plans as stored
from survey.tables import Table, read_table
from survey.text import Text, many
from survey.web import roles, words
from survey.web.bringing import attached, brought, own_name, sentences, with_file
from survey.web.desk import desk, store
from survey.web.naming import person_name
from survey.web.planned import (
    agency_name,
    collected_of,
    document_of,
    figures_of,
    in_english,
    index_name,
    item_words,
    items_of,
    needs_analysis,
    now_named,
    papers_of,
    part_name,
    parts_by_code,
    parts_of,
    read_figures,
    register_for,
    rules_of,
    target_of,
    whom,
)
from survey.web.words import t

GROUP_RULES = {
    "ties": {
        "up": Text("điểm đúng bằng ngưỡng thì lên nhóm trên", "a value on a cut goes up"),
        "down": Text("điểm đúng bằng ngưỡng thì xuống nhóm dưới", "a value on a cut goes down"),
    },
    "missing": {
        "drop": Text("đơn vị không có điểm thì bỏ ra", "units without a score are left out"),
        "zero": Text("đơn vị không có điểm thì tính là 0", "units without a score count as 0"),
    },
}
"""How the four groups are cut, as ``survey plan --ties`` and ``--missing``."""
pages = Blueprint("plans", __name__)
pages.before_request(needs_analysis)

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FIELDS = ("cause", "responsible", "task", "lead", "assist", "due", "evidence", "status", "progress")
LONG = frozenset({"cause", "responsible", "task", "evidence", "progress"})
_NEEDED = ("name", "unit_name", "index", "known", "round")
_TYPED = ("code", "kind", "target", "of", "source")


@pages.get("/plans")
def page() -> str:
    """The plans of this hub, and the form for another one."""
    return _listed()


@pages.post("/plans")
def create() -> Any:
    """Makes a plan from a scores file: its items are drafted, strengths and weaknesses."""
    from analysis.plan_sheet import draft
    from analysis.standing import tree_of_parts

    told = {name: request.form.get(name, "").strip() for name in (*_NEEDED, "since")}
    told |= {name: word for name, words in GROUP_RULES.items() if (word := request.form.get(name, "")) in words}
    sent = request.files.get("scores")
    try:
        if not all(told[name] for name in _NEEDED) or sent is None or not sent.filename:
            raise InputError(
                t("Lập kế hoạch", "New plan"),
                Text("chưa điền đủ, hoặc chưa chọn tệp điểm", "not all is filled in, or no scores file was chosen"),
                Text("điền đủ rồi bấm lại", "fill it in and press again"),
            )
        name, content = own_name(sent), sent.stream.read()
        figures = with_file(name, content, lambda file: read_figures(file, rules_of(told)))
        parts = tree_of_parts(figures, told["index"], told["unit_name"], told["known"], told["since"])
        if not parts:
            raise InputError(
                f"{name}, {told['known']}",
                Text("tệp điểm không có phần nào của chỉ số này", "the file has no part of this index"),
                Text("kiểm tra chỉ số và đợt", "check index and round"),
            )
        items = draft(parts, whom(told), "vi", told["since"])
        plan = stored.create(store(), told, (name, content), map(document_of, items), g.person["id"], now=desk().now())
    except SurveyError as wrong:
        return _listed(wrong, told), 400
    return redirect(url_for("plans.plan", plan=plan))


def _listed(wrong: SurveyError | None = None, typed: dict[str, str] | None = None) -> str:
    from importlib.resources import files

    shipped = sorted(one.name for one in files("questionnaires").iterdir() if (one / "index.csv").is_file())
    rows = [
        {
            **{name: one[name] for name in ("id", "name", "unit_name", "known", "round")},
            "index": index_name(one["index"]),
            "items": len(stored.parts(store(), one["id"], stored.ITEM)),
            "targets": len(stored.parts(store(), one["id"], stored.TARGET)),
        }
        for one in stored.plans(store())
    ]
    creating = roles.may("plans.create", frozenset(g.person["roles"]))
    return render_template(
        "plans.html",
        rows=rows,
        indices={id: index_name(id) for id in shipped},
        wrong=sentences(wrong),
        typed=typed or {},
        creating=creating,
        rules=GROUP_RULES,
    )


@pages.get("/plans/<plan>")
def plan(plan: str) -> str:
    """One plan: where the unit stands, its targets, its items, what was reported."""
    return _plan(plan)


def _plan(plan: str, wrong: SurveyError | None = None, asked: dict[str, Any] | None = None) -> str:
    from analysis.plan import CERTAINTY, PUBLISHED, outcome, outlook
    from analysis.plan_sheet import FINDINGS, STATUS
    from analysis.plan_words import outlook_sentence, result_sentence, said
    from analysis.ranking import GROUP_WORDS
    from analysis.report.meta import INTERNAL
    from analysis.report.office import FILE as OFFICE_FILE
    from analysis.standing import ADVICE

    document = stored.read(store(), plan)
    figures, parts, targets = figures_of(document), parts_of(document), []
    by_code, unit = parts_by_code(document), str(document["unit_name"])
    for one in stored.parts(store(), plan, stored.TARGET):
        target = target_of(one)
        ahead = outlook(target, figures)
        found = outcome(target, figures)
        known = found.published in ("reached", "missed")
        targets.append(
            {
                "name": one["name"],
                "what": part_name(target.code, document["index"]),
                "said": said(target),
                "round": target.round,
                "source": target.source,
                "sentence": result_sentence(found) if known else outlook_sentence(ahead),
                "published": PUBLISHED[found.published],
                "certainty": CERTAINTY[found.certainty],
            }
        )
    collected, (register, own_list) = collected_of(document), register_for(unit)
    today = desk().now().date().isoformat()
    items = [
        {
            "id": item.id,
            "code": item.code,
            "label": item_words(item, by_code, document["since"])[0],
            "finding": FINDINGS[item.finding] if item.finding else Text("", ""),
            "task": item.task,
            "lead": agency_name(item.lead, unit),
            "suggested": bool(item.assigned),
            "listed": bool(register.lookup(item.lead, today)) if item.lead else True,
            "due": item.due,
            "status": STATUS[item.status],
            "conflict": item.id in collected.conflicts,
        }
        for item in collected.items
    ]
    mine = frozenset(g.person["roles"])
    return render_template(
        "plan.html",
        plan=document,
        index=index_name(document["index"]),
        parts=[(part, GROUP_WORDS[part.group], ADVICE[part.group]) for parent, part in parts if parent == parts[0][0]],
        codes=[(part.code, part.label) for _, part in parts],
        official=INTERNAL if figures.own else None,
        rules=[GROUP_RULES[name][getattr(figures.rules, name)] for name in GROUP_RULES],
        whole=(parts[0][0], part_name(parts[0][0], document["index"])) if parts else ("", Text("", "")),
        targets=targets,
        items=items,
        suggested=sum(bool(item.assigned) for item in collected.items),
        own_list=own_list,
        nameless=not (desk().instance / OFFICE_FILE).is_file(),
        counts=collected.counts(),
        status=STATUS,
        silent=len(collected.silent),
        conflicts=[
            {
                "item": one.item,
                "agency": agency_name(one.agency, unit),
                "by": one.by,
                "status": STATUS[one.status],
                "progress": one.progress,
            }
            for held in collected.conflicts.values()
            for one in held
        ],
        reports=[
            {**one, "person": person_name(one["actor"])}
            for one in sorted(stored.parts(store(), plan, stored.REPORT), key=lambda one: str(one["time"]))
        ],
        wrong=sentences(wrong),
        asked=asked or {},
        drafting=roles.may("plans.target", mine),
    )


@pages.post("/plans/<plan>/targets")
def target(plan: str) -> Any:
    """Checks a target against the sample, and saves it: one that the sample cannot tell only after that was read."""
    from analysis.plan import outlook
    from analysis.plan_words import outlook_sentence
    from analysis.targets import COLUMNS, read_targets

    document = stored.read(store(), plan)
    typed = {name: request.form.get(name, "").strip() for name in _TYPED}
    row = {
        **dict.fromkeys(COLUMNS, ""),
        **typed,
        "index": document["index"],
        "round": document["round"],
        "domain": document["unit_name"],
        "baseline_round": document["known"],
    }
    try:
        where = t("Mục tiêu", "Target")
        (wish,) = read_targets(Table(where, COLUMNS, (row,), (1,), decimal_comma=words.interface() == "vi"))
        found = outlook(wish, figures_of(document))
    except SurveyError as wrong:
        return _plan(plan, wrong, typed), 400
    sure = found.verdict in ("enough", "there") or request.form.get("what") == "anyway"
    if request.form.get("what") == "check" or not sure:
        return _plan(plan, None, {**typed, "verdict": found.verdict, "sentence": outlook_sentence(found),
                                  "notes": found.notes, "may_save": found.verdict != "merger"})  # fmt: skip
    if wish.kind != "group":
        row["target"] = repr(wish.value)  # whatever decimal sign was typed
    stored.add(store(), plan, stored.TARGET, row, g.person["id"], now=desk().now())
    flash(t("Đã lưu mục tiêu.", "The target is saved."), "good")
    return redirect(url_for("plans.plan", plan=plan) + "#targets")


@pages.post("/plans/<plan>/targets/<name>/drop")
def drop_target(plan: str, name: str) -> Any:
    """Takes a target away."""
    return _drop(plan, stored.TARGET, name, "targets")


@pages.post("/plans/<plan>/reports/<name>/drop")
def drop_report(plan: str, name: str) -> Any:
    """Takes a report away: of two that differ, the one that was found wrong."""
    return _drop(plan, stored.REPORT, name, "reports")


def _drop(plan: str, kind: str, name: str, place: str) -> Any:
    """What is taken away stays in the feed, with who took it."""
    held = {one["name"]: one for one in stored.parts(store(), plan, kind)}
    if name not in held:
        abort(404)
    body = {key: value for key, value in held[name].items() if key not in ("actor", "time", "conflict")}
    stored.put(store(), plan, kind, name, {**body, "gone": True}, g.person["id"], now=desk().now())
    return redirect(url_for("plans.plan", plan=plan) + f"#{place}")


@pages.get("/plans/<plan>/items/<item>")
def item(plan: str, item: str) -> str:
    """One item, to be filled in."""
    return _item(plan, item)


@pages.post("/plans/<plan>/items/<item>")
def save_item(plan: str, item: str) -> Any:
    """Saves what was filled in at one item."""
    from analysis.plan_sheet import HEADINGS, read_sheet

    held = items_of(plan)
    if item not in held:
        abort(404)
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    row = {**{k: str(v) for k, v in document_of(held[item]).items() if k not in ("assist", "assigned")}, **typed}
    try:
        (new,) = read_sheet(Table(item, tuple(HEADINGS), ({name: row.get(name, "") for name in HEADINGS},), (1,)))
    except SurveyError as wrong:
        return _item(plan, item, wrong, typed), 400
    new, remarks = now_named(new, str(stored.read(store(), plan)["unit_name"]))
    stored.put(store(), plan, stored.ITEM, item, document_of(new), g.person["id"], now=desk().now())
    for remark in remarks:
        flash(words.sentence(remark(words.interface())), "look")
    order = list(held)
    after = order[order.index(item) + 1 :]
    flash(t(f"Đã lưu {item}.", f"{item} saved."), "good")
    if after:
        return redirect(url_for("plans.item", plan=plan, item=after[0]))
    return redirect(url_for("plans.plan", plan=plan) + "#items")


def _item(plan: str, name: str, wrong: SurveyError | None = None, typed: dict[str, str] | None = None) -> str:
    from analysis.plan_sheet import FINDINGS, HEADINGS, STATUS

    document, held = stored.read(store(), plan), items_of(plan)
    if name not in held:
        abort(404)
    one = held[name]
    label, stands = item_words(one, parts_by_code(document), document["since"])
    values = {field: getattr(one, field) for field in FIELDS} | {"assist": "; ".join(one.assist)}
    if one.due:
        values["due"] = f"{date.fromisoformat(one.due):%d/%m/%Y}"  # as people write it, in both languages
    values |= typed or {}
    return render_template(
        "plan_item.html",
        plan=document,
        item=one,
        label=label,
        stands=stands,
        english=in_english(one, str(document["unit_name"])) if words.interface() == "en" else {},
        finding=FINDINGS[one.finding] if one.finding else Text("", ""),
        values=values,
        headings=HEADINGS,
        fields=[field for field in FIELDS if field != "status"],
        long=LONG,
        status=STATUS,
        wrong=sentences(wrong),
    )


@pages.get("/plans/<plan>/sheet")
def sheet(plan: str) -> Response:
    """The plan as a workbook to fill in."""
    from analysis.report.plan_books import plan_book

    document = stored.read(store(), plan)
    return attached(plan_book(list(items_of(plan).values()), words.interface()), f"{document['name']}.xlsx", XLSX)


@pages.post("/plans/<plan>/sheet")
def upload_sheet(plan: str) -> Any:
    """Takes a filled workbook: the items in it replace those of the same id."""
    from analysis.plan_sheet import read_sheet

    stored.read(store(), plan)
    try:
        items = read_sheet(brought("sheet", read_table))
    except SurveyError as wrong:
        return _plan(plan, wrong), 400
    with store().transaction():
        for one in items:
            stored.put(store(), plan, stored.ITEM, one.id, document_of(one), g.person["id"], now=desk().now())
    flash(t(f"Đã nhận {len(items)} nhiệm vụ.", f"{many(len(items), 'item')} taken in."), "good")
    return redirect(url_for("plans.plan", plan=plan) + "#items")


@pages.get("/plans/<plan>/document")
def document(plan: str) -> Response:
    """The draft plan as a Word document."""
    from analysis.report.office import own_office
    from analysis.report.plan_papers import plan_document

    found = stored.read(store(), plan)
    made = plan_document(papers_of(found), own_office(desk().instance), words.interface())
    return attached(made, f"{found['name']}.docx", DOCX)


@pages.get("/plans/<plan>/extracts")
def extracts(plan: str) -> Response:
    """Every agency's extract, and the communes' handbooks, in one archive."""
    from analysis.plan_sheet import extracts as parted
    from analysis.report.office import own_office
    from analysis.report.plan_books import extract_book
    from analysis.report.plan_papers import handbook, is_commune, plain_name

    found, made = stored.read(store(), plan), io.BytesIO()
    papers, language = papers_of(found), words.interface()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for agency, own in parted(papers.items).items():
            archive.writestr(f"{plain_name(agency)}.xlsx", extract_book(own, agency, found["name"], language))
            if is_commune(agency):
                paper = handbook(papers, agency, own, own_office(desk().instance), language)
                archive.writestr(f"{plain_name(agency)}.docx", paper)
    return attached(made.getvalue(), f"{found['name']}-trich.zip", "application/zip")


@pages.post("/plans/<plan>/reports")
def reports(plan: str) -> Any:
    """Takes filled extracts; two that differ on one item are both kept and shown."""
    from analysis.plan_sheet import read_answers

    found = stored.read(store(), plan)
    quarter, problems, taken = request.form.get("quarter", "").strip(), [], 0
    for sent in request.files.getlist("extracts"):
        if not sent.filename:
            continue
        name = own_name(sent)
        try:
            answers, wrong = with_file(
                name, sent.stream.read(), lambda file: read_answers(read_table(file), found["name"])
            )
        except SurveyError as error:
            problems.append(error.problem)
            continue
        problems += wrong
        taken += len(answers)
        if answers:
            body = {"quarter": quarter, "file": name, "answers": [vars(one) for one in answers]}
            stored.add(store(), plan, stored.REPORT, body, g.person["id"], now=desk().now())
    flash(t(f"Đã nhận {taken} báo cáo.", f"{many(taken, 'report')} taken in."), "good" if taken else "look")
    if problems:
        return _plan(plan, Problems(problems)), 400
    return redirect(url_for("plans.plan", plan=plan) + "#reports")


@pages.get("/plans/<plan>/quarter.<ending>")
def quarter(plan: str, ending: str) -> Response:
    """The quarterly report, as .docx or .xlsx."""
    from analysis.report.office import own_office
    from analysis.report.plan_books import quarter_book
    from analysis.report.plan_papers import quarter_document

    found, language = stored.read(store(), plan), words.interface()
    held, collected = stored.parts(store(), plan, stored.REPORT), collected_of(found)
    if ending == "xlsx":
        return attached(quarter_book(collected, language), f"{found['name']}-quy.xlsx", XLSX)
    if ending != "docx":
        abort(404)
    last = max(held, key=lambda one: str(one["time"]), default={"quarter": ""})
    told = last["quarter"] or found["round"]
    made = quarter_document(papers_of(found), collected, told, own_office(desk().instance), language)
    return attached(made, f"{found['name']}-quy.docx", DOCX)
