"""Two lines of JSON: a statement, and the signature of its hash by the device that the statement names. Pure.

The second line signs the *bytes* of the first, so nobody needs to write the first again in order to check it.
"""

from __future__ import annotations

import json
from typing import Any

from survey.errors import VerifyError
from survey.store.header import canonical, hash_text
from survey.store.signing import SigningKey, device_id, verify
from survey.text import Text


def write_signed(statement: dict[str, Any], key: SigningKey) -> bytes:
    """``statement`` as RFC 8785 JSON on one line, and its signature on the next."""
    line = canonical(statement)
    signature = key.sign(hash_text(line).encode("ascii"))
    return line + b"\n" + canonical({"signature": signature.hex()}) + b"\n"


def read_signed(content: bytes, kind: str, signer: str, where: str) -> dict[str, Any]:
    """The statement in two signed lines; VerifyError unless it is a ``kind`` and its signer's signature holds.

    ``signer`` names the field with the device id; ``public_key`` beside it must be that device's.
    """
    try:
        # Not a byte may differ from what ``write_signed`` writes: one that does is damage, even if it means the same.
        first, second, rest = content.split(b"\n")
        statement, signature = json.loads(first), bytes.fromhex(json.loads(second)["signature"])
        key = bytes.fromhex(statement["public_key"])
        right = rest == b"" and second == canonical({"signature": signature.hex()})
        right = right and statement["kind"] == kind and device_id(key) == statement[signer]
        version = statement["v"]
    except (ValueError, KeyError, TypeError, RecursionError):
        right = False
    if not right or not verify(key, signature, hash_text(first).encode("ascii")):
        raise VerifyError(
            where or kind,
            Text("chữ ký không đúng hoặc tệp bị hỏng", "the signature does not hold, or the file is damaged"),
            Text("chép lại tệp từ nơi tạo ra nó", "copy the file again from where it was made"),
        )
    if version != 1:
        raise VerifyError(
            where or kind,
            Text("tệp do phiên bản mới hơn của phần mềm tạo ra", "written by a newer version of this program"),
            Text("cài phiên bản mới", "install the newer version"),
        )
    return dict(statement)
