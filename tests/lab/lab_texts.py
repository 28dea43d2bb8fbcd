"""Lab files that the tests start from, and a writer of TOML."""

import json
from collections.abc import Iterator
from typing import Any

MINIMAL = """\
test_explanations = false

[base]
loss = "mse"
rounds = 10

[base.data]
inputs = [[0.5, 0.3]]
targets = [[0.23, -0.07]]

[base.network]
layers = [2, 2, 2]
activations = "sigmoid"
bias = "zero"

[base.initial]
scheme = "given"
weights = [[[0.2, 0.5], [-0.4, 0.6]], [[0.1, -0.3], [-0.5, 0.8]]]

[base.optimizer]
name = "sgd"
learning_rate = 1.0

[experiment.first]
title = "First"
"""
"""The smallest whole lab; keys added at its end belong to experiment.first."""

MARK = "# here"
"""Stands on the line where a fault is expected."""


def changed(*replacements: tuple[str, str], add: str = "") -> str:
    """MINIMAL with each old text, which must be there once, replaced, and more at its end."""
    text = MINIMAL
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text + add


def marked_line(text: str) -> int:
    """The line, from 1, that carries the mark."""
    (line,) = [n for n, line in enumerate(text.split("\n"), start=1) if MARK in line]
    return line


def toml(raw: dict[str, Any]) -> str:
    """Nested tables as TOML, one leaf a line."""
    return "".join(f"{line}\n" for line in _lines(raw, ""))


def _lines(table: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _lines(value, f"{prefix}{_string(key)}.")
        else:
            yield f"{prefix}{_string(key)} = {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{_string(key)} = {_value(item)}" for key, item in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = repr(value)
        return text if any(mark in text for mark in ".en") else f"{text}.0"
    return _string(value) if isinstance(value, str) else str(value)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
