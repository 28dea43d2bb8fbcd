"""A few texts in the language of the terminal, without what makes a start slow.

Babel and the rest of the report take longer to import than typer itself, so the texts that are
needed without them are read out of the catalogue by their prefix alone.
"""

from __future__ import annotations

import ast
import locale
import os
import re
import sys
from functools import cache

from labreport.shipped import shipped

# Those of these texts that have plural forms are left out; none spans several lines.
_MESSAGE = re.compile(
    r'^msgid "((?:help|cli|quick|fault-part)\.[^"]+)"\nmsgstr ("(?:[^"\\]|\\.)*")$', re.M
)


def terminal_code() -> str:
    """The language of the terminal: "zh" where the locale says so and its encoding has it."""
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    return "zh" if chosen.lower().startswith(("zh", "chinese")) and _takes_chinese() else "en"


def _takes_chinese() -> bool:
    """Whether what is printed can be Chinese."""
    try:
        "中文".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@cache
def startup_texts(code: str) -> dict[str, str]:
    """The texts of the help, and what commands say, in a language, by key."""
    path = shipped("templates") / "languages" / f"{code}.po"
    catalogue = path.read_text(encoding="utf-8")
    # Of C's escapes, which catalogues use, the texts need those that Python has too.
    return {key: ast.literal_eval(text) for key, text in _MESSAGE.findall(catalogue)}


def startup_text(key: str, /, **values: object) -> str:
    """A text in the language of the terminal, which has no plural forms."""
    return startup_texts(terminal_code())[key].format(**values)


def short_text(key: str, /, **values: object) -> str:
    """One of the texts that are there to be said at once."""
    return startup_text(f"quick.{key}", **values)
