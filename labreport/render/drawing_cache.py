"""Pictures and formulas of one build: what is drawn of the same is drawn once.

The reports of a build in two languages show many of the same formulas and figures. None outlives
the build: a file with pictures could hold others than its name says, and a reader could not tell
that a figure shows other numbers than the runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel


class DrawingCache:
    """The pictures and formulas that a build has drawn so far."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def draw(self, function: Callable[..., bytes], *given: Any) -> bytes:
        """A picture: ``function`` of what is given, which alone may determine it."""
        drawn: bytes = self.make(function, *given)
        return drawn

    def make(self, function: Callable[..., Any], *given: Any) -> Any:
        """Call a function, or return its cached result; the arguments alone may determine it."""
        name = self.name(function, *given)
        if name not in self._made:
            self._made[name] = function(*given)
        return self._made[name]

    @staticmethod
    def name(function: Callable[..., Any], *given: Any) -> str:
        """The name of a result: a digest of the function and of what it is given."""
        whole = hashlib.sha256()
        _take_in(whole, (f"{function.__module__}.{function.__qualname__}", *given))
        return whole.hexdigest()

    def keep(self, made: Any, function: Callable[..., Any], *given: Any) -> None:
        """Take in the result of a function that was called elsewhere."""
        self._made[self.name(function, *given)] = made


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
