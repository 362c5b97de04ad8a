"""Files that people bring to the pages or take from them, and what is wrong with what was brought, in words."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from flask import Response, request
from werkzeug.datastructures import FileStorage

from survey.errors import InputError, NotUnderstood, Problems, SurveyError
from survey.sync.files import BROUGHT
from survey.text import Text
from survey.web import words
from survey.web.desk import store
from survey.web.forms import read_moment
from survey.web.words import t


def sentences(wrong: SurveyError | None) -> list[str]:
    """Every problem in words, with where it stands; none when nothing is wrong."""
    if wrong is None:
        return []
    found = wrong.problems if isinstance(wrong, Problems) else (wrong.problem,)
    return [f"{problem.where}: {words.advice(problem)}" for problem in found[:20]]


def brought(name: str, use: Callable[[Path], Any]) -> Any:
    """Hands the uploaded file ``name`` to ``use`` under its own name; it is gone from the disk afterwards."""
    sent: FileStorage | None = request.files.get(name)
    if sent is None or not sent.filename:
        raise InputError(
            t("tệp", "file"),
            Text("chưa chọn tệp", "no file was chosen"),
            Text("bấm nút chọn tệp rồi chọn tệp .xlsx hoặc .csv", "press the button and choose an .xlsx or .csv file"),
        )
    return with_file(own_name(sent), sent.stream.read(), use)


def own_name(sent: FileStorage) -> str:
    """What an uploaded file is called on the disk that it came from, without its folders."""
    return PurePath((sent.filename or "").replace("\\", "/")).name


def with_file(name: str, content: bytes, use: Callable[[Path], Any]) -> Any:
    """Hands bytes to ``use`` as a file of this name; it is gone from the disk afterwards."""
    with tempfile.TemporaryDirectory(dir=store().folder, prefix=BROUGHT) as folder:
        file = Path(folder) / name
        file.write_bytes(content)
        return use(file)


def attached(content: str | bytes, name: str, media_type: str) -> Response:
    """A file for the browser to save."""
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def day_of(text: str) -> str:
    """``25/11/2026`` as ISO; empty for nothing."""
    try:
        return read_moment(text)[:10]
    except NotUnderstood as wrong:
        raise InputError(text, wrong.reason) from wrong
