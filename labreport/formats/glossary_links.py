"""Words of the glossary in the sentences of a report, as links to it."""

from __future__ import annotations

import re
from re import Match

from markupsafe import Markup

from labreport.language.catalogue import Language
from labreport.render.used_words import forms
from labreport.report.chapters.glossary import LINKED


class Explained:
    """Links each word of the glossary where a section uses it first.

    Args:
        language: of the report.
        address: of the glossary.
    """

    def __init__(self, language: Language, address: str) -> None:
        self._address = address
        terms = {word: term for term in LINKED for word in forms(term, language)}
        # Of two words that begin alike, the longer one; Chinese has no spaces between words.
        longest_first = "|".join(re.escape(word) for word in sorted(terms, key=len, reverse=True))
        edge = "" if language.code == "zh" else r"\b"
        self._words = re.compile(f"{edge}(?:{longest_first}){edge}")
        self._terms = terms
        self._seen: set[str] = set()

    def begin(self) -> str:
        """Begin a section, in which every word is new again; nothing to print."""
        self._seen.clear()
        return ""

    def __call__(self, text: Markup) -> Markup:
        """A sentence, as it is typeset, with its links."""
        return Markup(self._words.sub(self._linked, str(text)))

    def _linked(self, found: Match[str]) -> str:
        term = self._terms[found[0]]
        if term in self._seen:
            return found[0]
        self._seen.add(term)
        return f'<a class="word" href="#{self._address}">{found[0]}</a>'
