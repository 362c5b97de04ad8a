"""The hub's door to the network: shut until a person or ``survey run --hub`` opens it."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from flask import current_app

from survey.errors import NotAllowed, SurveyError
from survey.store import vault
from survey.text import Text
from survey.web.desk import Desk

if TYPE_CHECKING:
    from survey.sync.reception import Seen
    from survey.sync.server import Listening

EVERYWHERE = "0.0.0.0"  # nosec B104: opened only when a person says so, and then for the other machines of the room


class Door:
    """Opens and shuts the exchange of one hub; the pages stay on this machine whatever it does."""

    EVERYWHERE = EVERYWHERE

    def __init__(self, desk: Desk):
        self._desk = desk
        self._listening: Listening | None = None
        self._lock = Lock()
        self.fingerprint = ""
        self.waiting: tuple[str, int | None] | None = None
        """Where to listen once the passphrase has been given."""

    def is_locked(self) -> bool:
        """Whether nobody has given the passphrase yet."""
        return vault.is_locked(self._desk.instance)

    @property
    def port(self) -> int:
        """Where it listens; 0 while it is shut."""
        return self._listening.port if self._listening else 0

    @property
    def host(self) -> str:
        """On which address it listens."""
        return self._listening.host if self._listening else ""

    def open(self, host: str = EVERYWHERE, port: int | None = None) -> None:
        """Listens, if it does not already. InputError when the port is taken or this instance is no hub."""
        # A field laptop that only knows sticks never loads TLS.
        from survey.sync import pairing
        from survey.sync.reception import Reception
        from survey.sync.server import listen

        with self._lock:
            if self._listening is not None:
                return
            desk = self._desk
            store = desk.take()
            folder, hub, role = store.folder, store.device, store.role
            desk.give_back(store)
            if role != "hub":
                raise NotAllowed(
                    str(folder),
                    Text("máy này không phải máy chủ tiếp nhận", "this is not a hub"),
                    Text("làm việc này trên máy của giám sát viên", "do this on the supervisor's machine"),
                )
            self.fingerprint = pairing.ensure_certificate(folder, hub)
            reception = Reception(folder, desk.take, desk.give_back, self.fingerprint, desk.now)
            self._listening = listen(reception, folder, hub, host, desk.settings.hub_port if port is None else port)

    def unlocked(self) -> None:
        """Opens where ``survey run`` was told to, now that the store can be read. A port that is taken, or a laptop
        that is no hub, leaves it shut: the page says so."""
        waiting, self.waiting = self.waiting, None
        if waiting is not None:
            with suppress(SurveyError):
                self.open(*waiting)

    def shut(self) -> None:
        """Listens no more."""
        with self._lock:
            if self._listening is not None:
                self._listening.stop()
                self._listening = None

    def seen(self) -> list[Seen]:
        """The devices that came since it was opened, the last one first."""
        return list(reversed(self._listening.reception.seen.values())) if self._listening else []

    def places(self) -> list[str]:
        """``host:port`` as other machines reach it."""
        from survey.sync.server import addresses

        hosts = addresses() if self.host == EVERYWHERE else [self.host]
        return [f"{host}:{self.port}" for host in hosts] if self._listening else []


def door() -> Door:
    """The door of the app that answers this request."""
    found = current_app.extensions["survey.door"]
    assert isinstance(found, Door)
    return found
