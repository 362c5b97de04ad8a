"""Vietnamese text from before Unicode: TCVN3 (the ABC fonts, ``.VnTime``) and VNI (``VNI-Times``).

Such text is Latin-1 letters that only look Vietnamese in a special font: ``NguyÔn V¨n`` and ``Nguyeãn Vaên`` are both
``Nguyễn Văn``. Tables: TCVN 5712:1993 (VN3) and the VNI-Windows character set.

TCVN3's capitals with tone marks exist only as a second font (``.VnTimeH``), so they come back as small letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from survey.text import nfc

NAMES = {"tcvn3": "TCVN3 (ABC)", "vni": "VNI"}

_TCVN3 = str.maketrans(
    "¡¢£¤¥¦§¨©ª«¬\u00ad®µ¶·¸¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ",
    "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
)

_VNI_TONES = "ùøûõï"  # sắc huyền hỏi ngã nặng
_VNI: dict[str, str] = {"ñ": "đ", "ô": "ơ", "ö": "ư", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_VNI |= {
    base + mark: letter
    for base, marks, letters in (
        ("a", _VNI_TONES, "áàảãạ"),
        ("a", "âáàåãä", "âấầẩẫậ"),
        ("a", "êéèúüë", "ăắằẳẵặ"),
        ("e", _VNI_TONES, "éèẻẽẹ"),
        ("e", "âáàåãä", "êếềểễệ"),
        ("o", _VNI_TONES, "óòỏõọ"),
        ("o", "âáàåãä", "ôốồổỗộ"),
        ("ô", _VNI_TONES, "ớờởỡợ"),
        ("u", _VNI_TONES, "úùủũụ"),
        ("ö", _VNI_TONES, "ứừửữự"),
        ("y", _VNI_TONES, "ýỳỷỹỵ"),
    )
    for mark, letter in zip(marks, letters, strict=True)
}
# A mark is a capital after a capital, and people also typed a small mark after a capital letter.
_VNI |= {old.upper(): new.upper() for old, new in _VNI.items()} | {
    old[0].upper() + old[1]: new.upper() for old, new in _VNI.items() if len(old) == 2
}
_VNI_PATTERN = re.compile("|".join(sorted(_VNI, key=len, reverse=True)))

_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))
_SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?"
    r"(?:iê|yê|ia|ya|uyê|uya|uy|uô|uơ|uâ|uê|ua|ươ|ưa|oa|oă|oe|oo|[aăâeêioôơuưy])"
    r"(?:ch|ng|nh|[cmnptiyou])?"
)


def from_tcvn3(text: str) -> str:
    """``text`` with TCVN3 letters as Unicode."""
    return text.translate(_TCVN3)


def from_vni(text: str) -> str:
    """``text`` with VNI letters as Unicode."""
    return _VNI_PATTERN.sub(lambda found: _VNI[found.group()], text)


DECODERS = {"tcvn3": from_tcvn3, "vni": from_vni}


def likeness(texts: Iterable[str]) -> float:
    """Which share of the words with non-ASCII letters can be Vietnamese syllables; 1.0 when there is no such word."""
    words = [word for text in texts for word in re.findall(r"[^\s\d.,;:()/\-–'\"_]+", nfc(text)) if not word.isascii()]
    return sum(map(_is_syllable, words)) / len(words) if words else 1.0


def _is_syllable(word: str) -> bool:
    decomposed = unicodedata.normalize("NFD", word.lower())
    toneless = unicodedata.normalize("NFC", decomposed.translate(_TONES))
    tones = sum(decomposed.count(chr(tone)) for tone in _TONES)
    return tones <= 1 and _SYLLABLE.fullmatch(toneless) is not None


def detect(texts: Iterable[str]) -> str | None:
    """``"tcvn3"`` or ``"vni"`` when the texts make sense only in that encoding, else None.

    Text is taken for old when few of its words with marks are Vietnamese syllables as they stand and nearly all are
    once converted; foreign names and the spelling of ethnic minorities' places therefore do not count as old text.
    """
    texts = list(texts)
    now = likeness(texts)
    best = max(DECODERS, key=lambda name: likeness(map(DECODERS[name], texts)))
    then = likeness(map(DECODERS[best], texts))
    return best if then >= 0.8 and then - now > 0.4 else None
