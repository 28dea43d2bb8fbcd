"""The compiled catalogues of the languages, read by the standard library alone.

``script/reference`` compiles them from the ``.po`` files beside them.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations

from labreport.shipped import shipped


@cache
def translations(code: str) -> GNUTranslations:
    """The texts of a language by their keys."""
    with (shipped("templates") / "languages" / f"{code}.mo").open("rb") as file:
        return GNUTranslations(file)
