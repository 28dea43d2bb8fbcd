"""Pictures and formulas that an earlier build drew: what is drawn of the same is drawn once.

Drawing is a function of what it is given, of this program and of the libraries beside it. So a
picture is kept under the digest of all of these, and one that is wanted again is not drawn again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

Made = str | tuple[Any, ...]
"""What can be kept: a text, or a tuple of texts and numbers."""


class Kept:
    """What is kept from the last build, and what this one has asked for.

    Args:
        program: a digest of all that draws; "" where nothing of an earlier build may be used.
        found: the content of the file that an earlier build wrote, if there is one.
    """

    def __init__(self, program: str = "", found: bytes = b"") -> None:
        self._program = program
        self._found = _read(found) if program else {}
        self._asked: dict[str, Made] = {}

    def draw(self, function: Callable[..., bytes], *given: Any) -> bytes:
        """A picture: ``function`` of what is given, which alone may determine it."""
        return str(self.make(_as_text, function, *given)).encode()

    def make(self, function: Callable[..., Any], *given: Any) -> Any:
        """What a function makes of what is given: a text, or a tuple of texts and numbers."""
        name = self._name(function, given)
        if name not in self._asked:
            found = self._found.get(name)
            self._asked[name] = function(*given) if found is None else found
        return self._asked[name]

    def content(self) -> bytes:
        """What this build has asked for, as the bytes of a file; in the order of names."""
        kept = json.dumps(self._asked, ensure_ascii=False, sort_keys=True)
        return f"{_digest(kept)}\n{kept}\n".encode()

    def _name(self, function: Callable[..., Any], given: tuple[Any, ...]) -> str:
        whole = hashlib.sha256(self._program.encode())
        _take_in(whole, (f"{function.__module__}.{function.__qualname__}", *given))
        return whole.hexdigest()


def _as_text(function: Callable[..., bytes], *given: Any) -> str:
    return function(*given).decode()


def _read(content: bytes) -> Mapping[str, Made]:
    """What a file holds; nothing of one that is damaged, which is then written anew."""
    digest, _, kept = content.decode("utf-8", "replace").strip().partition("\n")
    if not digest or _digest(kept) != digest:
        return {}
    read = json.loads(kept)
    return {name: tuple(made) if isinstance(made, list) else made for name, made in read.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _take_in(whole: Any, value: Any) -> None:
    """Add a value to a digest, with its type and its ends.

    Raises:
        TypeError: of a type of which nobody has said what determines it.
    """
    whole.update(f"{type(value).__name__}:".encode())
    if value is None or isinstance(value, bool | int | float | str):
        content = repr(value).encode()
        whole.update(f"{len(content)}:".encode() + content)
    elif isinstance(value, np.generic | np.ndarray):
        whole.update(f"{value.dtype} {value.shape}:".encode() + value.tobytes())
    elif isinstance(value, list | tuple):
        whole.update(f"{len(value)}:".encode())
        for item in value:
            _take_in(whole, item)
    elif isinstance(value, dict):
        _take_in(whole, sorted(value.items()))
    elif isinstance(value, BaseModel):
        _take_in(whole, value.model_dump_json())
    elif is_dataclass(value) and not isinstance(value, type):
        _take_in(whole, [getattr(value, field.name) for field in fields(value)])
    elif callable(value):
        _take_in(whole, f"{value.__module__}.{value.__qualname__}")
    else:
        raise TypeError(f"nothing is known of a {type(value).__name__}")
