"""The style sheets of a theme: what they would fetch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_OF_ADDRESSES = ("url", "src", "image", "image-set", "cross-fade")
"""Functions in which a string is an address; also with the name of a browser in front."""

_PUT_IN = ("var", "attr", "env", "if")
"""Functions that stand for something else, which nobody can check."""


DEEPEST = 50
"""Brackets, or elements of a cover, inside of each other: who typesets them goes as deep."""


@dataclass(frozen=True)
class Sheet:
    """A style sheet, and the file that it is.

    Attributes:
        file: its place.
        text: what it says.
    """

    file: Path
    text: str


def fetched(text: str) -> Iterator[tuple[int, str]]:
    r"""Lines and addresses of all that a style sheet asks for, with what would end it in a page.

    Names are read as a browser reads them: ``\75rl(…)`` is ``url(…)``.
    """
    import tinycss2

    for number, line in enumerate(text.split("\n"), start=1):
        if "</" in line:
            yield number, "</"
    # Not by recursion: anybody can write ten thousand brackets.
    tokens = tinycss2.parse_component_value_list(text, skip_comments=True)
    waiting = [(token, False) for token in reversed(tokens)]
    while waiting:
        token, in_addresses = waiting.pop()
        if address := _address(token, in_addresses):
            yield token.source_line, address
        waiting += [(each, _takes_addresses(token)) for each in reversed(_inner(token))]


def unpaired(text: str) -> Iterator[tuple[int, str]]:
    """Lines and openings or closings of brackets and comments that have no partner.

    A browser closes at the end of a sheet whatever is open, and drops what closes nothing: the
    rules between are lost without a word.
    """
    import tinycss2

    tokens = tinycss2.parse_component_value_list(text)
    yield from ((t.source_line, t.kind) for t in tokens if _closes_nothing(t))
    # One that is put after all others closes nothing, unless something is still open.
    last = tinycss2.parse_component_value_list(text + "\n}")[-1]
    if not _closes_nothing(last):
        opening = {"comment": "/*", "[] block": "[", "() block": "(", "function": "("}
        yield last.source_line, opening.get(last.type, "{")


def _closes_nothing(token: Any) -> bool:
    return token.type == "error" and token.kind in ("}", "]", ")")


def too_deep(text: str) -> int:
    """The first line of a style sheet that has too many brackets in each other; 0 if none has."""
    import tinycss2

    tokens = tinycss2.parse_component_value_list(text, skip_comments=True)
    for _ in range(DEEPEST):
        tokens = [each for token in tokens for each in _inner(token)]
    return tokens[0].source_line if tokens else 0


def _address(token: Any, in_addresses: bool) -> str:
    """What a token asks for; "" if that is nothing. In some functions a string is an address."""
    if token.type == "at-keyword" and token.lower_value == "import":
        return "@import"
    if token.type == "error" and token.kind.endswith("url"):
        return "url("
    if token.type == "url" or (token.type == "string" and in_addresses):
        return token.value or '""'
    if token.type == "function" and token.lower_name in _PUT_IN and in_addresses:
        return f"{token.lower_name}("
    return ""


def _takes_addresses(token: Any) -> bool:
    if token.type != "function":
        return False
    return token.lower_name.removeprefix("-webkit-").removeprefix("-moz-") in _OF_ADDRESSES


def _inner(token: Any) -> Sequence[Any]:
    return getattr(token, "content", None) or getattr(token, "arguments", None) or ()


_WRITING = (
    *("content", "quotes", "list-style", "list-style-type", "text-overflow", "block-ellipsis"),
    *("hyphenate-character", "text-emphasis", "text-emphasis-style", "string-set"),
    "bookmark-label",
)
"""Properties whose strings are shown, or are where a reader of the PDF looks for titles."""

MOST_ON_A_MARGIN = 40
"""Characters that a style sheet may write on the margin of a page."""


def written(text: str) -> Iterator[tuple[int, str]]:
    """Lines and declarations that would write words or numbers: these are for the report alone.

    Signs are let through, and on the margins of a page a few words.
    """
    import tinycss2

    waiting = [(tinycss2.parse_component_value_list(text, skip_comments=True), False)]
    while waiting:
        tokens, on_margin = waiting.pop()
        yield from _writing(tokens, on_margin)
        inside = on_margin
        for token in tokens:
            if token.type == "at-keyword":
                inside = on_margin or token.lower_value == "page"
                if token.lower_value == "counter-style":
                    yield token.source_line, "@counter-style"
            elif token.type == "{} block":
                waiting.append((token.content, inside))
                inside = on_margin
            elif token == ";":
                inside = on_margin


def _writing(tokens: Sequence[Any], on_margin: bool) -> Iterator[tuple[int, str]]:
    """Lines and names of the declarations of a block that would write something."""
    for declaration in _declarations(tokens):
        name = declaration[0].lower_value.removeprefix("-webkit-")
        if name in _WRITING and not all(_is_mute(t, on_margin) for t in declaration[2:]):
            yield declaration[0].source_line, name


def _declarations(tokens: Sequence[Any]) -> Iterator[list[Any]]:
    """What stands between semicolons and blocks and begins as a declaration does, without space."""
    found: list[Any] = []
    for token in (*tokens, None):
        if token is None or token == ";" or token.type == "{} block":
            if len(found) > 2 and found[0].type == "ident" and found[1] == ":":
                yield found
            found = []
        elif token.type != "whitespace":
            found.append(token)


def _is_mute(token: Any, on_margin: bool) -> bool:
    """Whether a value of a declaration shows no words and no numbers."""
    if token.type == "string":
        if on_margin:
            return len(token.value) <= MOST_ON_A_MARGIN
        return not any(character.isalnum() for character in token.value)
    # A counter writes any number, attr() and var() what stands elsewhere, and a picture anything.
    return on_margin or token.type not in ("function", "url")
