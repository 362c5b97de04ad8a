"""A form as one HTML file that prints on A4 from any browser and asks nothing of any server.

Every copy carries its own serial number on every sheet and a QR code on the first; a master without serials has a
blank for the number. :func:`render` reads no clock: the same form gives the same bytes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from survey.paper.layout import Form, Grid, Question, lay_out
from survey.paper.serial import Serial
from survey.questionnaire.codes import MISSING_KEYS
from survey.questionnaire.model import Questionnaire
from survey.text import Text

_FOLDER = Path(__file__).parent
BLANK = "______-_"
"""What stands for the serial number on a master, to be written or stamped."""

WORDS = {
    "office": Text("Cơ quan tổ chức khảo sát:", "Organised by:"),
    "round": Text("Đợt khảo sát:", "Round:"),
    "serial": Text("Số phiếu", "Form no."),
    "instruction": Text("Hướng dẫn:", "Instruction:"),
    "enumerator_code": Text("Mã điều tra viên", "Enumerator's code"),
    "handed_out": Text("Ngày phát", "Handed out"),
    "collected": Text("Ngày thu", "Collected"),
    "many": Text("được đánh dấu nhiều ô", "several boxes may be ticked"),
    "rank": Text("ghi thứ hạng 1, 2, 3 … vào ô", "write the rank 1, 2, 3 … into the boxes"),
    "how": Text("Cách ghi:", "How to fill in:"),
    "tick": Text(
        "đánh dấu X vào ô của câu trả lời, mỗi câu một ô:", "put an X into the box of the answer, one to a question:"
    ),
    "mend": Text("Nếu nhầm, tô kín ô sai rồi đánh dấu ô đúng.", "If it is wrong, fill the box and tick the right one."),
    "signs": Text("Ô tròn:", "Round boxes:"),
    "follow": Text(
        "Dấu → chỉ câu hỏi tiếp theo; dòng ▸ nêu khi nào mới hỏi câu đó. Không có → thì sang câu liền sau.",
        "→ names the next question; ▸ says when a question is asked. Without an arrow go on with the next one.",
    ),
    "page": Text("Trang", "Page"),
    "footer": Text(
        "Ghi xong, giao phiếu cho điều tra viên để nộp giám sát viên nhập máy. Không ghi họ tên, địa chỉ, "
        "số điện thoại trên tờ này.",
        "Give the completed form to the enumerator, who hands it in for keying. Write no name, address or telephone "
        "number on this sheet.",
    ),
    "contact_title": Text("Phiếu liên hệ (tờ rời)", "Contact sheet (a sheet of its own)"),
    "contact_rule": Text(
        "Tách tờ này khỏi phiếu ngay khi thu phiếu, để trong phong bì riêng và nộp giám sát viên. Không ghim, không "
        "kẹp chung với phiếu trả lời. Hủy sau khi phúc tra xong.",
        "Take this sheet off when the form is collected and hand it to the supervisor in an envelope of its own. Never "
        "staple or clip it to the answers. Destroy it after the back-check.",
    ),
    "contact_footer": Text("Nộp riêng cho giám sát viên trong phong bì.", "To the supervisor, in its own envelope."),
    "empty": Text("Trang để trống", "This page is left empty"),
}


@dataclass(frozen=True)
class Round:
    """What the header says of the round: its title, legal basis, and the mark of a made-up one."""

    title: Text = Text("", "")
    legal: Text = Text("", "")
    mark: Text = Text("", "")


def render(
    questionnaire: Questionnaire,
    languages: Sequence[str] = ("vi",),
    serials: Sequence[Serial] = (),
    round: Round = Round(),
) -> str:
    """The page with a copy for each serial, or a master without any. ``languages`` is ``vi``, ``en`` or both."""
    form = lay_out(questionnaire)
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("form.html").render(
        form=form,
        words=WORDS,
        languages=languages,
        w=lambda text: _written(text, languages),
        kind_of=lambda block: type(block).__name__,
        read_if=_read_if,
        beside=_beside,
        column_of=lambda grid: _column(grid, languages),
        short=_short(form.title),
        version=f"{questionnaire.id} · {questionnaire.version or '–'} · {questionnaire.hash[7:15]}",
        round_title=round.title,
        legal=round.legal,
        mark=round.mark,
        blank=BLANK,
        kinds=_kinds(form),
        style=Markup((_FOLDER / "form.css").read_text(encoding="utf-8")),
        script=Markup((_FOLDER / "pages.js").read_text(encoding="utf-8")),
        serials=_json([(one.printed, qr(one)) for one in serials]),
    )


def qr(serial: Serial) -> str:
    """The QR code of a serial as inline SVG, at correction level Q: a quarter of it may be dirty."""
    import segno

    out = io.BytesIO()
    segno.make(serial.qr, error="q", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=2, nl=False
    )
    return out.getvalue().decode("utf-8")


def round_words(document: Mapping[str, Any]) -> Round:
    """What a round document gives to the header."""

    def text(key: str) -> Text:
        words = document.get(key) or {}
        words = {"vi": words, "en": words} if isinstance(words, str) else words
        return Text(words.get("vi") or words.get("en", ""), words.get("en") or words.get("vi", ""))

    title = text("title")
    days = [".".join(reversed(str(document[key])[:10].split("-"))) for key in ("starts", "ends") if document.get(key)]
    if days:
        span = " – ".join(day.replace(".", "/") for day in days)
        title = Text(f"{title.vi} ({span})", f"{title.en} ({span})")
    return Round(title, text("legal_basis"), text("label"))


# -- inside --------------------------------------------------------------------------------------------------------


def _written(text: Text, languages: Sequence[str]) -> Markup:
    """A text in the languages of the form: the first as it is, the second smaller beside or below it."""
    first, *others = dict.fromkeys(text("vi" if language == "vi" else "en") for language in languages)
    written = _lines(first)
    for other in others:
        written += Markup(' <span class="second">{}</span>').format(_lines(other))
    return written


def _lines(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.splitlines()) if text else Markup("")


def _read_if(condition: Text) -> Text:
    """A note is read, not asked."""
    return Text(
        condition.vi.replace("hỏi nếu", "đọc nếu"),
        condition.en.replace("Ask only if", "Read only if").replace("o not ask if", "o not read if"),
    )


def _column(grid: Grid, languages: Sequence[str]) -> float:
    """The width of the columns of a grid, in mm: as much as the longest word above them needs."""
    heads = [box.label(language) for box in (*grid.options, *grid.kinds) for language in languages]
    longest = max((len(word) for head in heads for word in head.split()), default=0)
    return 13.6 if longest <= 8 else round(min(1.6 + 1.4 * longest, 18.4), 1)


def _beside(question: Question) -> bool:
    """Whether the answer is written on the line of the question: a short question, one line or a few boxes."""
    write = question.write
    short = len(max(question.label, key=len)) <= (36 if write and write.lines else 90)
    return write is not None and not write.steps and write.lines <= 1 and short and not question.guidance.vi


def _short(title: Text) -> Text:
    """The title as it stands on every sheet: up to the dash that begins its remark."""
    return Text(*(words.partition(" – ")[0] for words in title))


def _kinds(form: Form) -> list[Any]:
    """The boxes of missing kinds that occur anywhere, each once."""
    found = {}
    for section in form.sections:
        for block in section.blocks:
            for one in block.kinds if isinstance(block, Grid) else block.missing if isinstance(block, Question) else ():
                found[one.code] = type(one)(one.code, one.label)
    return [found[code] for code in MISSING_KEYS.values() if code in found]


def _json(value: Any) -> Markup:
    """JSON that may stand in a page: nothing in it can end the element it stands in."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c"))
