"""What protects the pages on this machine: the secret key, the host check, the headers."""

from __future__ import annotations

import mimetypes
import os
import secrets
from pathlib import Path

from flask import Flask, Response, request

from survey.store import vault
from survey.web.uploads import LARGEST_REQUEST

HOSTS = ["127.0.0.1", "localhost"]
"""Names under which the app answers. Any other ``Host`` is a page of the internet that took this laptop's address."""

KEY_FILE = Path("keys") / "session.key"

WITH_FILES = frozenset(
    {
        "interview.answer",
        "plans.create",
        "plans.upload_sheet",
        "plans.reports",
        "scorecards.create",
        "scorecards.self_score",
    }
)
"""Where files may come with a form."""

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def secret_key(instance: Path) -> bytes:
    """The key that signs session cookies, 32 random bytes in the instance's ``keys`` folder; made once, by whoever
    comes first (``survey init``, else the first start). Of an encrypted instance it follows from its key and lies in no
    file; LockedError while that is locked."""
    if (key := vault.key_for(instance, "sessions")) is not None:
        return key
    file = instance / KEY_FILE
    file.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_bytes(32))
    return file.read_bytes()


STATIC_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""What the static files are. Windows says it in its registry, where other programs may have written ``text/plain`` for
``.js``; a browser runs no such script."""


def protect(app: Flask) -> None:
    """Sets the cookie's and the host's rules and adds the headers to every answer."""
    for ending, sort in STATIC_TYPES.items():
        mimetypes.add_type(sort, ending)
    app.config.update(
        TRUSTED_HOSTS=HOSTS,
        SESSION_COOKIE_NAME="survey",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        # A form left open over lunch must still be saved; the session itself ends when nobody uses it.
        WTF_CSRF_TIME_LIMIT=None,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
    )

    @app.before_request
    def room_for_files() -> None:
        if request.endpoint in WITH_FILES:
            request.max_content_length = LARGEST_REQUEST

    @app.after_request
    def headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        return response
