"""Writes ``docs/xlsform.md``: what this program does with each part of the XLSForm standard.

    python tools/xlsform_table.py

The page says what ``survey.questionnaire.standard`` and the table of functions say, and a test asks that it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from survey.questionnaire import standard
from survey.questionnaire.functions import BUILT_IN, FUNCTIONS, UNSUPPORTED
from survey.questionnaire.standard import Part

PAGE = Path(__file__).parents[1] / "docs" / "xlsform.md"

HEAD = """\
# The XLSForm standard, part by part

Any XLSForm of an office runs here unchanged; this page says what becomes of each part of it. It is written by
`tools/xlsform_table.py` from the table that `survey questionnaire check` works with, so the two say the same.

- **yes**: carried out as in ODK Collect. Where the standard leaves room, as JavaRosa does it
  ([decision 1](decisions/0001-expressions.md)).
- **nothing to do**: has no meaning on a laptop, or is a remark of the author; nothing is lost and nothing is said.
- **screen**: arranges the screen of a telephone; the question is asked in the plain way, and `check` says so once
  for the form.
- **named**: not carried out; `check` names it with its sheet, row and column, and says what happens instead.

What is in no table is unknown: `check` names it and guesses what was meant. Columns of other groups (`bind::…`,
`body::…`, `instance::…`) are attributes of the XForm; those in the list are carried out, all others named.
"""

WORDS = {"done": "yes", "idle": "nothing to do", "screen": "screen", "not": "named"}


def table(parts: Mapping[str, Part]) -> str:
    """One row for each part, as they stand in the table of the program."""
    rows = [f"| `{name}` | {WORDS[part.stands]} | {part.what.en} |" for name, part in parts.items()]
    return "\n".join(["| name | here | |", "|---|---|---|", *rows])


def page() -> str:
    """The whole page."""
    groups = "\n".join(
        f"| `{head}::` | {', '.join(f'`{name}`' for name in sorted(names)) or 'none'} |"
        for head, names in standard.GROUPED.items()
    )
    functions = ", ".join(f"`{name}()`" for name in sorted({*FUNCTIONS, *BUILT_IN}))
    unsupported = ", ".join(f"`{name}()`" for name in sorted(UNSUPPORTED))
    parts = [
        HEAD,
        f"## Types\n\n{table(standard.TYPES)}",
        f"## Columns of the sheet survey\n\n{table(standard.SURVEY)}",
        f"| group | carried out |\n|---|---|\n{groups}",
        f"## Columns of the sheet choices\n\n{table(standard.CHOICES)}\n\n"
        "Any other column serves filters and expressions.",
        f"## Settings\n\n{table(standard.SETTINGS)}",
        "## Parameters\n\n"
        + "\n\n".join(f"Of {kind}:\n\n{table(known)}" for kind, known in standard.PARAMETERS.items()),
        f"## Appearances\n\n{table(standard.APPEARANCES)}\n\n`w…`, `columns-…` and `compact-…` arrange the screen; "
        "`ex:…`, `printer:…` and `intent:…` are named.",
        f"## Functions\n\nCarried out: {functions}.\n\nNamed as not supported: {unsupported}. "
        "Any other name is an error with its row and column, and so are `//`, the union `|`, "
        "and axes beside child, parent, self and attribute. "
        "`${last-saved#…}` is named.",
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
