"""What a round's people are beside their roles: the commune they belong to, who employs them, their team. The page
*Người và máy* and ``survey user`` both call this."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from survey.errors import InputError, Problem, Problems, SurveyError
from survey.store import frame
from survey.store.store import Store
from survey.text import LANGUAGES, Text, fold, nfc
from survey.vocabulary import EMPLOYERS, ROLES

if TYPE_CHECKING:
    from survey.tables import Table

ABOUT = ("commune", "employer", "employer_kind", "team")
"""What a person's document may say beside name, roles, PIN and language; each may be absent."""

LONGEST = 200


def described(person: Mapping[str, Any], about: Mapping[str, str]) -> dict[str, Any]:
    """The person's document with what ``about`` tells, by the names in :data:`ABOUT`; an empty text takes it away.

    Raises:
        InputError: the employer has no kind, or one that is none; a text is too long.
    """
    document = dict(person)
    for name, value in about.items():
        if name not in ABOUT:
            raise ValueError(f"{name!r} is not told of a person")
        words = " ".join(nfc(value).split())
        if len(words) > LONGEST:
            raise InputError(
                str(person.get("name") or name),
                Text(f"{name} dài quá {LONGEST} ký tự", f"{name} is longer than {LONGEST} characters"),
                Text("viết ngắn lại", "shorten it"),
            )
        if words:
            document[name] = words
        else:
            document.pop(name, None)
    kind = str(document.get("employer_kind", ""))
    if (kind and kind not in EMPLOYERS) or (document.get("employer") and not kind):
        listed = ", ".join(EMPLOYERS)
        raise InputError(
            str(person.get("name") or "employer_kind"),
            Text(
                f"không có loại cơ quan {kind!r}" if kind else "chưa nêu loại cơ quan công tác",
                f"there is no kind of employer {kind!r}" if kind else "the kind of employer is not told",
            ),
            Text(f"chọn một trong: {listed}", f"choose one of: {listed}"),
        )
    return document


def change(store: Store, user: str, about: Mapping[str, str], actor: str = "") -> dict[str, Any]:
    """Issues the person anew with what ``about`` tells (:func:`described`); returns the document. InputError when there
    is no such person."""
    person = frame.person(store, user)
    if person is None:
        raise InputError(
            user,
            Text("không có người mang mã này", "there is no person with this id"),
            Text("xem: survey user list", "see: survey user list"),
        )
    document = described(person, about)
    frame.issue(store, "user", user, document, frame.contact(store, "user", user), actor)
    return document


# -- a table of people ---------------------------------------------------------------------------------------------

_ALIASES = {
    "id": ("ma", "ma nguoi", "code"),
    "name": ("ho ten", "ho va ten", "ten", "full name"),
    "roles": ("vai tro", "role"),
    "pin": ("ma pin",),
    "language": ("ngon ngu", "ngon ngu lam viec"),
    "commune": ("xa", "ma xa", "nguoi cua xa", "thuoc xa"),
    "employer": ("co quan", "co quan cong tac", "noi lam viec", "don vi cong tac"),
    "employer_kind": ("employer kind", "loai co quan", "loai co quan cong tac", "kind of employer"),
    "team": ("nhom", "to", "to nhom"),
}
_KNOWN = {alias: name for name, aliases in _ALIASES.items() for alias in (name, *aliases)}


class Brought(NamedTuple):
    """What came of a table: ids of people who were added, and of those who were changed."""

    added: list[str]
    changed: list[str]


def bring(store: Store, table: Table, actor: str = "", *, may_add: frozenset[str] = frozenset(ROLES)) -> Brought:
    """Adds and changes the people of a table: columns ``id, name, roles, pin, commune, employer, employer_kind, team,
    language`` or their Vietnamese headings. A row whose id is known (or, without an id, whose name is that of exactly
    one person) changes that person in the columns that the table has; any other row is a new person.

    Raises:
        Problems: every row that cannot be taken; nothing is written then.
    """
    from survey.sync import founding

    columns = _columns(table)
    added: list[str] = []
    changed: list[str] = []
    problems: list[Problem] = []
    with store.transaction():
        known = frame.people(store)
        for number, cells in enumerate(table.rows):
            row = {columns[old]: value for old, value in cells.items() if old in columns}
            about = {name: _coded(name, row[name]) for name in ABOUT if name in row}
            try:
                person = _meant(known, row)
                if person is not None:
                    _unchanged(person, row)
                    change(store, str(person["id"]), about, actor)
                    changed.append(str(person["id"]))
                    continue
                wanted = _roles(row.get("roles", ""))
                if not set(wanted) <= may_add:
                    raise InputError(
                        row.get("name", ""),
                        Text("không thêm được người có vai trò này", "a person with this role cannot be added by you"),
                        Text("nhờ quản trị viên", "ask an administrator"),
                    )
                speaks = row.get("language") or "vi"
                if speaks not in LANGUAGES:
                    unknown = Text("không có ngôn ngữ này", "there is no such language")
                    raise InputError(speaks, unknown, Text("dùng vi hoặc en", "use vi or en"))
                given = {"user": row.get("id", ""), "language": speaks, "actor": actor}
                new = founding.add_person(store, row.get("name", ""), wanted, row.get("pin", ""), **given, **about)
                added.append(str(new["id"]))
            except SurveyError as wrong:
                problem = wrong.problem
                problems.append(Problem(f"{table.where(number)}, {problem.where}", problem.what, problem.todo))
        if problems:
            raise Problems(problems)
    return Brought(added, changed)


def _columns(table: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    problems = []
    for column in table.columns:
        name = _KNOWN.get(" ".join(re.findall(r"[a-z0-9]+", fold(column))))
        if name is None or name in found.values():
            listed = ", ".join(_ALIASES)
            problems.append(
                Problem(
                    f"{table.source}, {column}",
                    Text("không hiểu cột này, hoặc cột lặp lại", "this column is not understood, or is there twice"),
                    Text(f"các cột: {listed}", f"columns are {listed}"),
                )
            )
        else:
            found[column] = name
    if not {"id", "name"} & set(found.values()):
        problems.append(
            Problem(
                table.source,
                Text("bảng không có cột mã hay họ tên", "there is neither an id nor a name"),
                Text("thêm cột Họ và tên", "add a column name"),
            )
        )
    if problems:
        raise Problems(problems)
    return found


def _meant(known: list[dict[str, Any]], row: Mapping[str, str]) -> dict[str, Any] | None:
    """The person whom a row changes; None for a new one. InputError where several have the name."""
    if row.get("id"):
        return next((one for one in known if one["id"] == row["id"]), None)
    same = [one for one in known if fold(str(one.get("name", ""))) == fold(row.get("name", "")) and row.get("name")]
    if len(same) > 1:
        raise InputError(
            row["name"],
            Text("có nhiều người cùng tên", "several people have this name"),
            Text("thêm cột mã (survey user list cho biết)", "add the column id (survey user list shows it)"),
        )
    return same[0] if same else None


def _unchanged(person: Mapping[str, Any], row: Mapping[str, str]) -> None:
    """A table describes people; it gives nobody who is known another role or PIN."""
    if row.get("pin") or (row.get("roles") and set(_roles(row["roles"])) != set(person.get("roles", ()))):
        raise InputError(
            str(person.get("name") or person["id"]),
            Text(
                "người này đã có; bảng không đổi vai trò hay mã PIN", "is known; a table changes neither roles nor PIN"
            ),
            Text(
                "để trống hai cột này, đổi PIN bằng survey user pin",
                "leave both empty; survey user pin gives a new PIN",
            ),
        )


_ROLE_WORDS = {fold(word): role for role, words in ROLES.items() for word in (role, *words)}
_KIND_WORDS = {fold(word): kind for kind, one in EMPLOYERS.items() for word in (kind, *one.name)}


def _roles(cell: str) -> list[str]:
    words = [word.strip() for word in re.split(r"[,;+]", cell) if word.strip()]
    unknown = [word for word in words if fold(word) not in _ROLE_WORDS]
    if unknown:
        listed = ", ".join(ROLES)
        raise InputError(
            ", ".join(unknown),
            Text("không có vai trò này", "there is no such role"),
            Text(f"các vai trò: {listed}", f"roles are {listed}"),
        )
    return [_ROLE_WORDS[fold(word)] for word in words]


def _coded(name: str, cell: str) -> str:
    return _KIND_WORDS.get(fold(cell).strip(), cell) if name == "employer_kind" else cell
