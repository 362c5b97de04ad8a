"""Tiến độ: how far a round is, by place, person and day; each number opens the list behind it, for those who may read
lists. Observers see counts by place and day alone: no name, no answer, no door."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, g, render_template, request, url_for

from survey.fieldwork.dispositions import DISPOSITIONS, Rates, rates
from survey.fieldwork.pace import Pace, behind, day, pace, within
from survey.store import board, frame, lists, progress
from survey.store.commune import closed_communes
from survey.store.progress import Group
from survey.store.where import FLAGGED, Where
from survey.text import Text, many, natural
from survey.vocabulary import TIERS
from survey.web import people, roles, words
from survey.web.counting import up_to_date
from survey.web.desk import asked_round, desk, place_name, store
from survey.web.naming import called, full_place, person_name
from survey.web.words import t

pages = Blueprint("progress", __name__)

SHOWN = 100
"""Rows of a table on one page."""

BY: dict[str, Text] = {
    "province": Text("Tỉnh, thành phố", "Province"),
    "commune": Text("Xã, phường", "Commune"),
    "village": Text("Thôn, bản", "Village"),
    "person": Text("Điều tra viên", "Enumerator"),
    "day": Text("Ngày", "Day"),
}

TILES = 400
"""Places that a grid of tiles can still show at once."""

SORTS: dict[str, Text] = {
    "name": Text("theo tên", "by name"),
    "least": Text("ít nhất trước", "least first"),
}


@pages.get("/progress")
def page() -> str:
    """The round, or a part of it, and its groups."""
    rounds = frame.rounds(store())
    round = asked_round(rounds)
    if round is None:
        return render_template("progress.html", rounds=[], round=None, groups=[])
    fresh = up_to_date()
    where = Where.of({**request.args, "round": str(round["id"]), "state": ""})
    if not _reads():
        where = where.also(person="", device="", unit="")  # whoever only watches sees nobody's work
    offered = _offered(where)
    by = request.args.get("by", "")
    by = by if by in offered else next(one for one in ("commune", "village", "person", "day") if one in offered)
    found = progress.groups(store(), where, by)
    whole = found if by != "day" else progress.groups(store(), where, "village")
    total = Group("")
    for one in whole:
        total.add(one)
    wanted = progress.target(store(), where)
    total.main = total.main if wanted is None else wanted
    estimated = _rates(total, None)
    found = _sorted(found, where, by, round)
    start = min(max(0, request.args.get("from", 0, int)), max(0, len(found) - 1))
    rows = [_row(one, where, by, round, estimated.e) for one in found[start : start + SHOWN]]
    speed = pace(
        progress.days(store(), where), total.main, _iso(round, "starts"), _iso(round, "ends"), desk().now().date()
    )
    return render_template(
        "progress.html",
        rounds=rounds,
        round=round,
        fresh=fresh,
        within=_within(where),
        offered=[
            {"url": _here(where, by=one), "name": BY[one](words.interface()), "here": one == by} for one in offered
        ],
        by=by,
        heading=BY[by](words.interface()),
        numbers=_numbers(total, estimated, where),
        total=_row(total, where, "", round, estimated.e),
        rows=rows,
        count=len(found),
        first=start + 1,
        before=_here(where, by=by, **{"from": max(0, start - SHOWN)}) if start else "",
        after=_here(where, by=by, **{"from": start + SHOWN}) if start + SHOWN < len(found) else "",
        sorts=[
            {"url": _here(where, by=by, sort=one), "name": name(words.interface()), "here": one == _sort()}
            for one, name in SORTS.items()
        ]
        if by != "day"
        else [],
        tiles=_tiles(found, where, by),
        pace=_pace_words(speed, total, round),
        odd=speed.odd,
        safe=_safe(where),
        own_targets=wanted is not None,
        silent=_silent(round),
    )


def _offered(where: Where) -> list[str]:
    """The groupings that say something here: not by what is already one. Observers see nobody's work."""
    shut = {"province": bool(where.province), "commune": bool(where.commune), "village": bool(where.village)}
    shut["province"] = shut["province"] or shut["commune"] or shut["village"]
    shut["commune"] = shut["commune"] or shut["village"]
    shut["person"] = not _reads() or bool(where.person)
    return [one for one in BY if not shut.get(one)]


def _here(where: Where, **more: Any) -> str:
    return url_for("progress.page", **{**where.query, "sort": _sort(), **more})


def _sort() -> str:
    return "least" if request.args.get("sort") == "least" else "name"


def _iso(round: dict[str, Any], name: str) -> str:
    return str(round.get(name) or "")


def _rates(group: Group, e: float | None) -> Rates:
    known = {code: count for code, count in group.codes.items() if code in DISPOSITIONS}
    return rates(known, e, known.values())


def _sorted(found: list[Group], where: Where, by: str, round: dict[str, Any]) -> list[Group]:
    if by == "person":
        called_ = {str(one["id"]): str(one.get("name") or one["id"]) for one in frame.people(store())}
        for one in found:
            one.name = called_.get(one.key, one.key)
    elif by == "day":
        return _days(found, round)
    else:
        for one in found:
            one.name = place_name({"round": where.round, by: one.key, f"{by}_name": one.name}, by)
            if by == "village" and not where.commune and one.within:
                one.name += f" · {one.within}"  # many communes have a "Bản 1"
    if _sort() == "least":
        return sorted(found, key=lambda one: (one.done / one.main if one.main else 2, natural(one.name)))
    return sorted(found, key=lambda one: (natural(one.name), one.key))


def _days(found: list[Group], round: dict[str, Any]) -> list[Group]:
    """The last day first; days outside the round are one row, for clocks that are wrong."""
    first, today = day(_iso(round, "starts")), desk().now().date()
    odd = Group("odd", t("Ngoài thời gian của đợt (đồng hồ máy sai?)", "Outside the round (a wrong clock?)"))
    good = []
    for one in found:
        when = day(one.key)
        if when is not None and within(when, first, today):
            one.name = words.day(one.key)
            good.append(one)
        else:
            odd.add(one)
    good.sort(key=lambda one: one.key, reverse=True)
    return [*good, odd] if odd.states else good


def _row(group: Group, where: Where, by: str, round: dict[str, Any], e: float) -> dict[str, Any]:
    found = _rates(group, e)
    counts, name = found.counts, group.name
    mine = where.also(**{by: group.key}) if by and group.key != "odd" else where
    share = group.done / group.main if group.main else None
    today = desk().now().date()
    return {
        "name": name or (t("(không ghi địa bàn)", "(no place given)") if by else t("Tất cả", "All")),
        "url": _into(mine, by),
        "done": group.done,
        "target": group.main,
        "share": share,
        "percent": _percent(share, 0),
        "step": _step(share),
        "units": group.units,
        "approved": group.states["approved"],
        "sealed": group.states["sealed"],
        "returned": group.states["returned"],
        "conflict": group.states["conflict"],
        "untouched": group.codes["3.11"],
        "refused": int(counts["R"]),
        "absent": int(counts["NC"]),
        "waiting": int(found.open),
        "response": _percent(found.rates["RR3"]),
        "cooperation": _percent(found.rates["COOP1"]),
        "refusal": _percent(found.rates["REF2"]),
        "contact": _percent(found.rates["CON2"]),
        "behind": by == "person" and behind(group.done, group.main, _iso(round, "starts"), _iso(round, "ends"), today),
        "link": lambda state="", mine=mine: _list(mine, state),
        "cases": lambda code="", mine=mine: _cases(mine, code),
    }


def _tiles(found: list[Group], where: Where, by: str) -> list[dict[str, Any]]:
    """The grid of places, while it can be taken in at a glance."""
    wanted = by in ("province", "commune") and 1 < len(found) <= TILES
    return [_tile(one, where, by) for one in found] if wanted else []


def _tile(group: Group, where: Where, by: str) -> dict[str, Any]:
    share = group.done / group.main if group.main else None
    url = _into(where.also(**{by: group.key}), by)
    return {"name": group.name or "–", "percent": _percent(share, 0), "step": _step(share), "url": url}


def _step(share: float | None) -> int:
    """The tone of a tile: 0 not begun, 1 to 4 by quarters, 5 done."""
    if not share:
        return 0
    return 5 if share >= 1 else 1 + int(share * 4)


def _reads() -> bool:
    return roles.may("records.page", frozenset(g.person["roles"]))


def _list(where: Where, state: str = "") -> str:
    return url_for("records.page", **where.also(state=state).query) if _reads() else ""


def _cases(where: Where, code: str = "") -> str:
    return url_for("progress.units", **where.also(code=code).query) if _reads() else ""


def _into(where: Where, by: str) -> str:
    """A place opens what is in it; a person or a day, the list."""
    deeper = {"province": "commune", "commune": "village", "village": "person" if _reads() else "day"}
    if by in deeper:
        return url_for("progress.page", **where.query, by=deeper[by])
    return _list(where) if by else ""


def _numbers(total: Group, found: Rates, where: Where) -> list[dict[str, Any]]:
    """The numbers that a supervisor wants first, each with the way behind it."""
    done = f"{words.whole(total.done)} / {words.whole(total.main)}" if total.main else words.whole(total.done)
    return [
        {"name": t("phiếu xong / mục tiêu", "done / target"), "number": done, "url": _list(where)},
        {
            "name": t("tỷ lệ trả lời (RR3)", "response rate (RR3)"),
            "number": _percent(found.rates["RR3"]),
            "url": _cases(where),
        },
        {
            "name": t("chờ duyệt", "awaiting review"),
            "number": words.whole(total.states["sealed"]),
            "url": _list(where, "sealed"),
        },
        {
            "name": t("nên đọc trước", "to be read first"),
            "number": words.whole(total.flagged),
            "url": _list(where, FLAGGED),
            "tone": "look" if total.flagged else "",
        },
        {
            "name": t("đã yêu cầu sửa", "returned"),
            "number": words.whole(total.states["returned"]),
            "url": _list(where, "returned"),
        },
        {
            "name": t("có hai bản khác nhau", "versions differ"),
            "number": words.whole(total.states["conflict"]),
            "url": _list(where, "conflict"),
            "tone": "look" if total.states["conflict"] else "",
        },
    ]


def _within(where: Where) -> list[dict[str, str]]:
    """The way from the whole round to the part that is shown, with the links back."""
    found = [{"name": t("Cả đợt", "Whole round"), "url": _here(Where(round=where.round))}]
    at = Where(round=where.round)
    for level in ("province", "commune", "village"):
        if code := getattr(where, level):
            at = at.also(**{level: code})
            unit = {"round": where.round, level: code}
            name = progress.place_names(store(), where.round, **{level: code})[level]
            found.append({"name": place_name({**unit, f"{level}_name": name}, level), "url": _here(at)})
    if where.person and _reads():
        found.append({"name": person_name(where.person), "url": _here(at.also(person=where.person))})
    return found if len(found) > 1 else []


def _pace_words(speed: Pace, total: Group, round: dict[str, Any]) -> dict[str, Any]:
    """One sentence of the pace."""
    if not total.main:
        return {
            "tone": "",
            "words": t(
                "Đợt này chưa có mẫu nên chưa có mục tiêu.", "The round has no sample, so it has no target yet."
            ),
        }
    if not speed.left:
        return {"tone": "good", "words": t("Đã đủ số phiếu mục tiêu.", "The target is reached.")}
    rate, left = words.decimal(speed.per_day), words.whole(speed.left)
    said = t(f"Còn {left} phiếu. Mấy ngày qua: {rate} phiếu mỗi ngày", f"{left} left. Lately {rate} a day")
    if speed.needed is not None and speed.days_left is not None:
        need, ends = words.decimal(speed.needed), words.day(_iso(round, "ends"))
        said += t(
            f"; cần {need} phiếu mỗi ngày để xong vào {ends} (còn {speed.days_left} ngày)",
            f"; {need} a day are needed to finish by {ends} ({many(speed.days_left, 'day left', 'days left')})",
        )
    elif _iso(round, "ends"):
        said += t(f"; đợt đã hết hạn ngày {words.day(_iso(round, 'ends'))}", "; the round's end has passed")
    if speed.finish:
        when = words.day(speed.finish.isoformat())
        said += t(f"; theo nhịp này xong vào {when}", f"; at this pace it ends on {when}")
    return {"tone": "look" if speed.late else "", "words": f"{said}."}


def _safe(where: Where) -> list[dict[str, Any]]:
    """What is safe where: the interviews held here, and how many of them each tier above has confirmed."""
    counts = progress.safe(store(), where)
    found = [{"name": t("máy này", "this machine"), "count": words.whole(counts["device"]), "left": 0, "url": ""}]
    for tier in ("supervisor", "province", "ministry"):
        left = counts["device"] - counts[tier]
        if tier != store().tier and (counts[tier] or tier == "province"):
            found.append(
                {
                    "name": TIERS[tier](words.interface()),
                    "count": words.whole(counts[tier]),
                    "left": words.whole(left) if left else 0,
                    "url": url_for("records.page", **where.also(missing=tier).query) if _reads() and left else "",
                }
            )
    return found


def _silent(round: dict[str, Any]) -> int:
    """How many laptops have not handed over for days; for those who may look at the page of laptops."""
    if not roles.may("people.page", frozenset(g.person["roles"])) or store().role != "hub":
        return 0
    return sum(one["silent"] for one in people.devices(round))


def _percent(share: float | None, places: int = 1) -> str:
    return "–" if share is None else f"{words.decimal(share * 100, places)} %"


# -- the sample units behind the numbers ---------------------------------------------------------------------------


@pages.get("/progress/units")
def units() -> str:
    """The sample units that were to be interviewed, with how each stands; of one place, person or outcome."""
    up_to_date()
    where = Where.of(request.args, closed_communes(store(), g.person))
    found = lists.units(
        store(), where, after=request.args.get("after", ""), before=request.args.get("before", ""), limit=SHOWN
    )
    known = board.known(store(), (row["unit"] for row in found.rows))
    rows = []
    for row in found.rows:
        unit, contact = known.get(row["unit"], ({"id": row["unit"]}, {}))
        how = DISPOSITIONS.get(row["code"])
        rows.append(
            {
                **row,
                "name": called(unit, contact),
                "place": full_place(unit),
                "person": person_name(row["assignee"]) if row["assignee"] else t("chưa giao", "not assigned"),
                "words": how.label(words.interface()) if how else row["code"],
                "url": url_for("records.page", unit=row["unit"]) if row["code"].startswith("1") else "",
            }
        )
    every = Counter[str]()
    for group in progress.groups(store(), where.also(code=""), "province"):
        every.update(group.codes)
    return render_template(
        "cases.html",
        rows=rows,
        within=_within(where),
        filters=[
            {
                "name": t("Tất cả", "All"),
                "count": words.whole(sum(every.values())),
                "url": url_for("progress.units", **where.also(code="").query),
                "here": not where.code,
            },
            *(
                {
                    "name": DISPOSITIONS[code].label(words.interface()) if code in DISPOSITIONS else code,
                    "count": words.whole(count),
                    "url": url_for("progress.units", **where.also(code=code).query),
                    "here": code == where.code,
                }
                for code, count in every.most_common()
            ),
        ],
        before=url_for("progress.units", **where.query, before=rows[0]["unit"]) if found.before and rows else "",
        after=url_for("progress.units", **where.query, after=rows[-1]["unit"]) if found.after else "",
        named=roles.may_contact(g.person["roles"]),
        back=url_for("progress.page", **where.also(code="").query),
    )
