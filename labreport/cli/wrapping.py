"""Lines of a text for a terminal, of which none begins with a mark that ends a clause."""

from __future__ import annotations

import re

CLOSING = "，。、；：！？）】》」』”’％…,.;:!?)]}%"
OPENING = "（【《「『“‘([{"

_UNIT = re.compile(
    rf"[{re.escape(OPENING)}]*"
    r"(?:[^\s\u2e80-\uffef]+?(?=[\u2e80-\uffef]|\s|$)|[\u2e80-\uffef])"
    rf"[{re.escape(CLOSING)}]*|\s+"
)


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many columns; Chinese breaks between characters, other words do not."""
    from rich.cells import cell_len

    lines, line = [], ""
    for unit in _UNIT.findall(text):
        parts = [unit] if cell_len(unit) <= width else list(unit)
        for part in parts:
            if line and cell_len(line) + cell_len(part.rstrip()) > width:
                lines.append(line.rstrip())
                line = ""
            line += part if line else part.lstrip()
    return [*lines, line.rstrip()]
