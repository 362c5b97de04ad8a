"""An offline survey system for citizen-satisfaction indices: what a field laptop carries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app(instance: Path | str, now: Callable[[], datetime] | None = None) -> Flask:
    """The web app over the instance in the folder ``instance``.

    ``now`` gives the time, with its zone; tests set it. Raises StoreError when the folder holds no store that this
    version can open, Problems when its ``config.toml`` is not understood.
    """
    # Flask costs a third of a second, which ``survey verify`` and the others should not pay.
    from survey.web.app import build

    return build(Path(instance), now)
