"""Addresses in the style sheets of drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

_OF_ADDRESSES = ("url", "src", "image", "image-set", "cross-fade")
"""Functions in which a string is an address; also with the name of a browser in front."""

_PUT_IN = ("var", "attr", "env", "if")
"""Functions that stand for something else, which nobody can check."""


def fetched(text: str) -> Iterator[tuple[int, str]]:
    r"""Lines and addresses of all that a style sheet asks for.

    Names are read as a browser reads them: ``\75rl(…)`` is ``url(…)``.
    """
    import tinycss2

    # Not by recursion: anybody can write ten thousand brackets.
    tokens = tinycss2.parse_component_value_list(text, skip_comments=True)
    waiting = [(token, False) for token in reversed(tokens)]
    while waiting:
        token, in_addresses = waiting.pop()
        if address := _address(token, in_addresses):
            yield token.source_line, address
        waiting += [(each, _takes_addresses(token)) for each in reversed(_inner(token))]


def _address(token: Any, in_addresses: bool) -> str:
    """Return a token's address; "" for none. In some functions a string is an address."""
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
