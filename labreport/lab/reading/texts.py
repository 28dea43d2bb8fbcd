"""The texts that a lab's author wrote, each with its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from labreport.lab.lab import LabFile, Text
from labreport.lab.reading.faults import Location


def texts(file: LabFile, languages: tuple[str, ...]) -> Iterator[tuple[Location, str]]:
    """Every text as a report in these languages prints it."""
    for location, text in _texts(file, ()):
        for code in languages:
            written = text.within(code)
            if written:
                yield (*location, *_key(text, code)), written


def _key(text: Text, code: str) -> Location:
    """Locate a text in its table; nowhere if it was written once for both languages."""
    if text.zh == text.en:
        return ()
    return (code if getattr(text, code) else {"zh": "en", "en": "zh"}[code],)


def _texts(value: Any, here: Location) -> Iterator[tuple[Location, Text]]:
    if isinstance(value, Text):
        yield here, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _texts(getattr(value, name), (*here, field.alias or name))
    elif isinstance(value, dict | tuple):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, (*here, key))
