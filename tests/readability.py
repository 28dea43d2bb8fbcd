"""How long the sentences of a text are, and how many numbers they have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST_NUMBERS = 4
MOST_WORDS = {"en": 45, "zh": 90}
"""Words of English, characters of Chinese."""

END = {
    "en": re.compile(r"(?<=[.!?])\s+(?=[A-Z“\u0370-\u03ff]|[a-z] (?:is|are)\b)"),
    "zh": re.compile(r"(?<=[。！？])"),
}

NAMES = re.compile(r"“[^”]*”")
"""Words of the lab's author, which stand in quotation marks, and errors that are quoted."""

SYMBOLS = re.compile(
    r"∂L/∂\w+|\b[wxhoby]\d+\b|[oh]\d?\(1−[oh]\d?\)"
    r"|(?:learning rate|weight decay|momentum|batch size|rounds) [\d.]+"
    r"|(?:学习率|权值衰减|动量|批大小|训练轮数) [\d.]+"
    r"|\b[0-9a-f]{64}\b"
    r"|(?:Figure|Table|Formula|[图表式]) \(?\d+\)?"
)
"""Formulas, units and parameters, points of sweeps, digests and references, which are names."""

LATIN = re.compile(r"[A-Za-z0-9.%×⁻⁰¹²³⁴⁵⁶⁷⁸⁹/–−-]+")
"""A word or number amid Chinese, which takes one character's worth of reading."""

NUMBERS = re.compile(r"[−-]?\d+(?:\.\d+)?(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?%?(?:/\d+)?")
"""A share such as 3/6 is one number."""


@dataclass(frozen=True)
class Length:
    """A sentence with its length in words, or in characters, and with its numbers."""

    sentence: str
    words: int
    numbers: int


def unreadable(text: str, code: str) -> Iterator[Length]:
    """The sentences of a text in a language that are too long or have too many numbers."""
    for sentence in END[code].split(text):
        plain = SYMBOLS.sub("", NAMES.sub("N", sentence))
        words = len(plain.split() if code == "en" else LATIN.sub("N", "".join(plain.split())))
        numbers = len(NUMBERS.findall(plain))
        if words > MOST_WORDS[code] or numbers > MOST_NUMBERS:
            yield Length(sentence, words, numbers)
