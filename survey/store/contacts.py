"""Contact data of a round's interviews, read only where a person has asked for them by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from survey.questionnaire.model import Questionnaire, generic
from survey.store import feed, frame, reading
from survey.store.store import Store


def contact_rows(
    store: Store, round: str, states: Collection[str] = ("approved",), *, volunteers: bool = False
) -> Iterator[dict[str, str]]:
    """One row an interview in one of ``states``: ``interview``, ``unit``, the contact data of its sample unit
    (``unit_name, unit_address, unit_phone`` as the frame has them), and the answers to contact questions by name (an
    answer of a missing kind in ``q__missing``).

    A question that any version of the questionnaire calls contact data counts as one in all of them. What was erased,
    or is not on this device, is empty.
    """
    interviews = list(reading.responses(store, round, states, volunteers=volunteers))
    paths: dict[str, str] = {}
    for hash in {hash for _, _, hash, _, _ in interviews}:
        compiled = frame.questionnaire(store, hash)
        if compiled is not None:
            paths |= {node.path: node.name for node in Questionnaire.from_json(compiled).walk() if node.contact}
    for interview, unit, _, answers, meta in interviews:
        row = {"interview": interview, "unit": str(unit["id"])}
        row |= {f"unit_{name}": str(value) for name, value in frame.contact(store, "unit", row["unit"]).items()}
        own = feed.part_json(store, meta["head"], "contact") or {}
        for path, value in {**answers, **own}.items():
            if generic(path) in paths or path in own:
                name = paths.get(generic(path), path.rpartition("/")[2])
                if isinstance(value, Mapping):
                    name, value = f"{name}__missing", str(value.get("missing", ""))
                text = " ".join(value) if isinstance(value, list) else str(value)
                # Several members of a household stand in one cell.
                row[name] = "; ".join(filter(None, (row.get(name, ""), text)))
        yield row
