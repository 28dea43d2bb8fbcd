"""Texts that readers cannot tell apart."""

from __future__ import annotations

import unicodedata

LETTERS = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеѕіјорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ",
    "ABESIJKMHOPCTXYaesijopcyxABEZHIKMNOPTYXovp",
)
"""Letters of the Cyrillic and the Greek alphabet that look like Latin ones, and these."""


def skeleton(text: str) -> str:
    """Reduce a text to what the eye distinguishes: equal for look-alikes.

    Width and style of letters, accents written apart, case, blanks, and characters without a
    width of their own.
    """
    plain = unicodedata.normalize("NFKC", text).translate(LETTERS)
    seen = (c for c in plain if unicodedata.category(c) not in ("Cf", "Mn", "Zs", "Zl", "Zp"))
    return "".join(c for c in seen if not c.isspace()).casefold()
