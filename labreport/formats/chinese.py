"""Chinese punctuation on paper: two marks that meet leave one blank and not two.

A full-width mark brings half a character of blank along: a closing one behind itself, an opening
one in front. Where two meet, typesetters keep one of the blanks. CSS has ``text-spacing-trim`` for
that, which WeasyPrint does not know; but the font has the narrow forms, as its feature ``halt``.
"""

from __future__ import annotations

import re

CLOSING = "。，、；：？！）》”’】」"
"""Marks that never begin a line."""

OPENING = "（《“‘【「"
"""Marks that never end one."""

_TAG = re.compile(r"(<[^>]*>)")
_VERBATIM = re.compile(r"(<(pre|code)\b.*?</\2>)", re.DOTALL)
_WITHIN_A_LINE = re.compile(r"</?(?:span|a|strong|em|sup)\b")
_NARROW = '<span class="narrow">{}</span>'


def set_in_chinese(html: str) -> str:
    """The body of a document with narrow punctuation where marks meet; code stays as it is.

    A blank behind a closing mark goes as well, since the mark has one of its own.
    """
    pieces = _VERBATIM.split(html)
    # Of the two groups that come with each piece, the second is the name of the element.
    texts, verbatim = pieces[::3], pieces[1::3]
    made = [_set(text) for text in texts]
    return "".join(part for pair in zip(made, [*verbatim, ""], strict=True) for part in pair)


def _set(html: str) -> str:
    parts = _TAG.split(html)
    before = ""
    for place in range(0, len(parts), 2):
        if place and not _WITHIN_A_LINE.match(parts[place - 1]):
            before = ""
        text = parts[place]
        if before and before in CLOSING:
            text = text.lstrip(" ")
        if text:
            after = _after(parts, place)
            parts[place], before = _narrowed(text, before, after), text[-1]
    return "".join(parts)


def _after(parts: list[str], place: int) -> str:
    """The character that follows a text in its line, behind tags that do not end the line."""
    for tag, text in zip(parts[place + 1 :: 2], parts[place + 2 :: 2], strict=True):
        if not _WITHIN_A_LINE.match(tag):
            break
        if text.lstrip(" "):
            return text.lstrip(" ")[0]
    return ""


def _narrowed(text: str, before: str, after: str) -> str:
    text = re.sub(f"(?<=[{CLOSING}]) +(?=[^ ]|$)", "", text) if after else text
    around = f"{before or ' '}{text}{after or ' '}"
    made = []
    for previous, mark, following in zip(around, text, around[2:], strict=False):
        is_narrow = (mark in CLOSING and following in CLOSING + OPENING) or (
            mark in OPENING and previous in OPENING
        )
        made.append(_NARROW.format(mark) if is_narrow else mark)
    return "".join(made)
