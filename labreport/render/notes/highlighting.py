"""Programs in notes, with the parts of their syntax marked by classes of the style sheets."""

from __future__ import annotations

from itertools import groupby
from typing import Any

LANGUAGES = {
    **dict.fromkeys(("python", "py", "python3"), "python"),
    **dict.fromkeys(("bash", "sh", "shell"), "bash"),
    **dict.fromkeys(("javascript", "js"), "javascript"),
    **dict.fromkeys(("c++", "cpp"), "cpp"),
    **dict.fromkeys(("matlab", "octave"), "matlab"),
    **{name: name for name in ("c", "java", "r", "julia", "toml", "json", "yaml", "ini", "sql")},
    **{"pycon": "pycon", "console": "console", "diff": "diff", "rust": "rust", "go": "go"},
}
"""Names for the fence of a program, and what Pygments calls them; another is plain."""

LARGEST = 20_000
"""Characters of one program; a longer one is plain."""

_CLASSES = {"k": "keyword", "s": "string", "c": "comment", "m": "number"}
"""By the first letters of Pygments' short names; all others look like text."""


def highlighted(code: str, name: str, attributes: str) -> str:
    """HTML of a program, or "" for one that is left as it is: what markdown-it asks for.

    Args:
        code: the program.
        name: of its language, as the note has it.
        attributes: what else stands after the fence.
    """
    if name.lower() not in LANGUAGES or len(code) > LARGEST:
        return ""
    from markdown_it.common.utils import escapeHtml
    from pygments.lexers import get_lexer_by_name

    lexer = get_lexer_by_name(LANGUAGES[name.lower()], stripnl=False, ensurenl=False)
    made = []
    for look, pieces in groupby(lexer.get_tokens(code), lambda piece: _look(piece[0])):
        safe = escapeHtml("".join(text for _, text in pieces))
        made.append(f'<span class="{look}">{safe}</span>' if look and safe.strip() else safe)
    return "".join(made)


def _look(kind: Any) -> str:
    """The class of a kind of token; "" for one that looks like text."""
    from pygments.token import STANDARD_TYPES

    short = STANDARD_TYPES.get(kind, "")
    return _CLASSES.get("k" if short == "ow" else short[:1], "")
