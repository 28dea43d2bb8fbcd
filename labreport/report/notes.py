"""The student's own notes: Markdown in, HTML out that can carry no markup of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from labreport.errors import Fault, InputError
from labreport.lab.faults import nearest
from labreport.lab.lab import UNPRINTABLE

MAXIMUM_BYTES = 200_000

# Notes are text. Raw HTML is shown as it was typed; images and links are left out, because a
# report that is handed in must fetch nothing and lead nowhere.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False})
_MARKDOWN.enable("table")
_MARKDOWN.disable(["html_block", "html_inline", "image", "link", "autolink", "reference"])


def read_notes(path: Path, *, under: int = 3) -> str | None:
    """HTML of a note, or None if there is no such file or nothing in it.

    Args:
        path: the file.
        under: level of the heading that the note stands under; its own headings go deeper.

    Raises:
        InputError: if it cannot be read as UTF-8 text.
    """
    if not path.is_file():
        return None
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            values = {"bytes": path.stat().st_size, "limit": MAXIMUM_BYTES}
            raise InputError(Fault("note-too-large", values, file=path))
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Fault("notes-unreadable", {"detail": str(error)}, file=path)) from None
    text = "".join(c for c in text if c >= " " or c in "\n\t")
    if not text.strip():
        return None
    environment: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(text, environment)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + under, 6)}"
    html = str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, environment))
    # After rendering, because Markdown can also write a character by its number.
    return UNPRINTABLE.sub("", html)


def stray_notes(folder: Path, names: Sequence[str]) -> tuple[tuple[Path, str], ...]:
    """Notes that belong to nothing, each with the nearest of the names that notes may have."""
    found = []
    for path in sorted(folder.glob("*.md")):
        name = path.name.split(".")[0]
        if name not in names and name.lower() != "readme":
            found.append((path, nearest(name, names)))
    return tuple(found)


def notes_file(folder: Path, name: str, language: str, first: str) -> Path:
    """``notes/NAME.md``; in a further language ``notes/NAME.en.md``, if it is there."""
    translated = folder / f"{name}.{language}.md"
    if language != first and translated.is_file():
        return translated
    return folder / f"{name}.md"
