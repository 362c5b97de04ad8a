"""What identifies one printed form: round, questionnaire, serial number, and a check character over all three.

The check is ISO/IEC 7064 MOD 37,36 (letters and digits): it finds every single wrong character and every swap of two
neighbours, also where a form of another round or version is keyed under this one. Printed: ``000123-K``; in the QR
code: ``P1/R2026/3f2a9c1b/000123/K``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from survey.errors import InputError
from survey.text import Text, fold

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_QR = re.compile(r"P1/([0-9A-Z]*)/([0-9a-f]{8})/([0-9]{6,9})/([0-9A-Z])")
LARGEST = 999_999_999

_ALIKE = {
    ("O", "0"): Text("xem ký tự cuối là chữ O hay số 0", "see whether it ends with the letter O or a zero"),
    ("0", "O"): Text("xem ký tự cuối là số 0 hay chữ O", "see whether it ends with a zero or the letter O"),
    ("I", "1"): Text("xem ký tự cuối là chữ I hay số 1", "see whether it ends with the letter I or a one"),
    ("1", "I"): Text("xem ký tự cuối là số 1 hay chữ I", "see whether it ends with a one or the letter I"),
}
"""(what stands on the form, what was keyed) that eyes take for each other, and what to do about it."""


@dataclass(frozen=True)
class Serial:
    """One printed form. ``round`` is the round's id without anything but letters and digits, empty when none was
    named; ``version`` the first eight digits of the questionnaire's hash."""

    round: str
    version: str
    number: int

    @property
    def check(self) -> str:
        """The check character over round, version and number."""
        return check(f"{self.round}{self.version}{self.number:06d}")

    @property
    def printed(self) -> str:
        """What people read and key: ``000123-K``."""
        return f"{self.number:06d}-{self.check}"

    @property
    def qr(self) -> str:
        """What the QR code says."""
        return f"P1/{self.round}/{self.version}/{self.number:06d}/{self.check}"


def serial(round: str, hash: str, number: int) -> Serial:
    """The serial of a form of this round (``""`` for none) and questionnaire (``sha256:…``)."""
    if not 1 <= number <= LARGEST:
        raise InputError(
            str(number),
            Text("số phiếu phải từ 1 đến 999999999", "a serial number is from 1 to 999999999"),
            Text("chọn số khác", "choose another number"),
        )
    return Serial("".join(c for c in fold(round).upper() if c in _ALPHABET), hash.removeprefix("sha256:")[:8], number)


def read_qr(text: str) -> Serial:
    """The serial that a QR code says. InputError when it is of no form of ours, or damaged."""
    found = _QR.fullmatch(text.strip())
    made = Serial(found.group(1), found.group(2), int(found.group(3))) if found else None
    if made is None or found is None or made.check != found.group(4):
        raise InputError(
            text,
            Text("đây không phải mã của một phiếu giấy", "this is not the code of a paper form"),
            Text("quét lại, hoặc gõ số phiếu in bên cạnh", "scan again, or key the serial number beside it"),
        )
    return made


def read_printed(text: str, round: str, hash: str) -> Serial:
    """The serial that was keyed (``000123-K``, also without zeros or hyphen) for a form of this round and version.

    InputError when the check character does not belong to it: a slip of the finger, or a form of another round.
    """
    found = re.fullmatch(r"\s*([0-9]{1,9})[\s-]*([0-9A-Za-z])\s*", text)
    made = serial(round, hash, int(found.group(1))) if found and int(found.group(1)) else None
    if made is None or found is None or made.check != found.group(2).upper():
        taken_for = _ALIKE.get((made.check, found.group(2).upper())) if made and found else None
        raise InputError(
            text,
            Text("số phiếu không đúng, hoặc là phiếu của đợt khác", "the serial is wrong, or of another round's form"),
            taken_for
            or Text("xem lại số in ở góc phiếu, cả ký tự cuối", "see the number on the form, its last character too"),
        )
    return made


def check(text: str) -> str:
    """The check character of letters and digits by ISO/IEC 7064 MOD 37,36."""
    carry = 36
    for character in text.upper():
        carry = (carry + _ALPHABET.index(character)) % 36 or 36
        carry = carry * 2 % 37
    return _ALPHABET[(37 - carry) % 36]
