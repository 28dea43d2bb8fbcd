"""Texts in the language of the terminal that have no plural forms, for what must start fast.

What writes facts and lists takes longer to import than typer itself.
"""

from __future__ import annotations

import locale
import os
import sys

from labreport.language.translations import translations


def terminal_code() -> str:
    """The language of the terminal: "zh" where the locale says so and its encoding has it."""
    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    return "zh" if chosen.lower().startswith(("zh", "chinese")) and _takes_chinese() else "en"


def _takes_chinese() -> bool:
    """Return whether stdout can print Chinese."""
    try:
        "中文".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def startup_text(key: str, /, **values: object) -> str:
    """A text in the language of the terminal, which has no plural forms."""
    return translations(terminal_code()).gettext(key).format(**values)


def short_text(key: str, /, **values: object) -> str:
    """One of the texts that are there to be said at once."""
    return startup_text(f"quick.{key}", **values)
