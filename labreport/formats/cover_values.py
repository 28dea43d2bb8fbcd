"""Values of the template of a cover: texts, numbers, truth values, and lists and tables of these.

A template may be anybody's, and whatever it is given it can use: a path would read and remove
files, and a method leads to the module that it is from. So it is given no object of this program
or of a library, but a copy of what a cover can need, in types that can do nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import PurePath

from labreport.language.catalogue import Language
from labreport.render.printed import PrintedReport
from labreport.render.theme import MEDIA, Theme, is_own
from labreport.report.title_page import KEYS

Plain = str | int | float | bool | list["Plain"] | dict[str, "Plain"]


def cover_values(report: PrintedReport, language: Language, printed: bool) -> dict[str, Plain]:
    """The values of a cover's template by their names, as docs/themes.md lists them."""
    pictures = _pictures(report.theme)
    return {
        "report": {
            "title": report.title,
            "course": report.course,
            "part": report.part,
            "language": report.language,
            "on_cover": {key.rstrip("_"): report.on_cover(key.rstrip("_")) for key in KEYS},
            "cover": [
                {"key": line.key, "name": line.name, "value": line.value} for line in report.cover
            ],
        },
        "logo": pictures.get(report.theme.logo, ""),
        "picture": dict(pictures),
        "text": {key: language.text(key) for key in language.keys if is_own(key)},
        "printed": printed,
    }


def refuse_objects(values: Mapping[str, object]) -> None:
    """Refuse to give a template anything but plain values.

    Raises:
        TypeError: if there is a value of another type, be it one derived from a plain one.
    """
    waiting: list[object] = [dict(values)]
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            waiting += [*value.keys(), *value.values()]
        elif type(value) is list:
            waiting += value
        elif type(value) not in (str, int, float, bool):
            raise TypeError(f"no plain value: {type(value).__name__}")


def _pictures(theme: Theme) -> dict[str, str]:
    """The pictures of a theme as data: URIs, by the names of their files."""
    kinds = {file: MEDIA[PurePath(file).suffix.lower()] for file in sorted(theme.files)}
    return {
        name: f"data:{kind};base64,{base64.b64encode(theme.files[name]).decode()}"
        for name, kind in kinds.items()
        if kind.startswith("image/")
    }
