"""A language of the report: its catalogue, and how it writes facts, lists and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from io import BytesIO
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from labreport.analysis.observation import (
    Count,
    Fact,
    From,
    Keys,
    Names,
    Number,
    Observation,
    OutOf,
    Part,
    RoundNumber,
    Rounds,
    Setting,
    Share,
    Subject,
    Verbatim,
    With,
    Wording,
)
from labreport.lab.plan import Plan, Point
from labreport.lab.vocabulary.losses import LOSSES
from labreport.lab.vocabulary.optimizers import OPTIMIZER_TITLES
from labreport.report import numbers
from labreport.shipped import shipped

_HAN = "\u3400-\u9fff"
_HAN_AFTER_LATIN = re.compile(f"(?<=[A-Za-z0-9%])(?=[{_HAN}])")
_LATIN_AFTER_HAN = re.compile(f"(?<=[{_HAN}])(?=[A-Za-z0-9−])")

_WORDS = re.compile(rf"(?:^|\s)[a-z{_HAN}]")
"""In a label that reads like words, as "as published" does and "ReLU–linear" does not."""

MOST_NAMES = 8
"""Names of weights or units that a sentence lists; of more it gives the first few."""

FIRST_NAMES = 6

HTML_NAMES = {"zh": "zh-CN", "en": "en"}


class Language:
    """One language: texts by key, and facts in words."""

    def __init__(
        self, code: str, translations: Translations, own: Mapping[str, str] | None = None
    ) -> None:
        self.code = code
        self._translations = translations
        self._own = own or {}

    def saying(self, own: Mapping[str, str]) -> Language:
        """The same language with texts of a theme in place of some, by key."""
        return Language(self.code, self._translations, own) if own else self

    @property
    def html_name(self) -> str:
        """BCP 47 tag; zh-CN picks Chinese forms of characters that Japanese shares."""
        return HTML_NAMES[self.code]

    def text(self, key: str, /, **values: object) -> str:
        """The text for a key, with values put in.

        Raises:
            KeyError: if the catalogue has no such text.
        """
        number = str(values.get("count", 1))
        template = self.template(key, int(number) if number.isdigit() else 1)
        return self._spaced(template.format(**values))

    def template(self, key: str, amount: int = 1) -> str:
        """The text for a key without its values. Raises KeyError if there is none."""
        if key in self._own:
            return self._own[key]
        template: str = self._translations.ungettext(key, key, amount)
        if template == key:
            template = self._translations.ugettext(key)
        if template == key:
            raise KeyError(f"no text for {key!r} in {self.code}.po")
        return template

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all texts that have no plural forms."""
        return tuple(key for key in self._translations._catalog if isinstance(key, str) and key)

    def _spaced(self, text: str) -> str:
        """Chinese text with a space where it meets Latin letters and digits."""
        if self.code != "zh":
            return text
        return _LATIN_AFTER_HAN.sub(" ", _HAN_AFTER_LATIN.sub(" ", text))

    def has(self, key: str) -> bool:
        return key in self._translations._catalog

    def join(self, items: Sequence[str]) -> str:
        """A list in words: a, b and c."""
        if len(items) < 2:
            return "".join(items)
        first = self.text("list.item").join(items[:-1])
        return self.text("list.last", first=first, last=items[-1])

    def enumerate(self, items: Sequence[str]) -> str:
        """A list whose items may have commas of their own: a (1, 2); b (3)."""
        return self.text("list.clause").join(items)

    def paragraph(self, sentences: Sequence[str]) -> str:
        """Sentences one after the other, empty ones left out; Chinese has no space in between."""
        return ("" if self.code == "zh" else " ").join(s for s in sentences if s)

    def key(self, path: str) -> str:
        """A key of the configuration, in words where the catalogue has some."""
        name = f"key.{path}"
        return self.text(name) if self.has(name) else path

    def value(self, path: str, value: Any) -> str:
        """A value of a key of the configuration."""
        if isinstance(value, list | tuple):
            if value and isinstance(value[0], list | tuple):
                return "; ".join(self.value(path, row) for row in value)
            inner = ", ".join(self.value(path, v) for v in value)
            return f"({inner})" if not value or not isinstance(value[0], str) else inner
        if isinstance(value, bool):
            return self.text(f"boolean.{str(value).lower()}")
        if isinstance(value, str):
            return self.name(value)
        return "—" if value is None else numbers.setting(value)

    def name(self, word: str) -> str:
        """A word of the vocabulary as print writes it."""
        if word in LOSSES and not self.has(f"name.{word}"):
            return LOSSES[word].title
        if word in OPTIMIZER_TITLES:
            return OPTIMIZER_TITLES[word]
        key = f"name.{word}"
        return self.text(key) if self.has(key) else word

    def point(self, point: Point) -> str:
        """A point of a sweep: learning rate 0.5."""
        items = [
            self.text("point", key=self.key(key), value=self.value(key, value))
            for key, value in point
        ]
        return self.text("list.comma").join(items)

    def subject(self, subject: Subject, plan: Plan, *, quoted: bool = False) -> str:
        """A variant, a point of a sweep, or both, as the experiment's author names them.

        In a sentence the author's words stand in quotation marks.
        """
        parts = []
        if subject.variant and (len(plan.variants) > 1 or not subject.point):
            name = self._quoted if quoted else self.label
            parts.append(name(plan, subject.variant))
        if subject.point:
            parts.append(self.point(subject.point))
        return self.text("list.comma").join(parts)

    def label(self, plan: Plan, variant: str) -> str:
        """What figures and tables call a variant."""
        label = plan.variant(variant).label
        written = "" if label is None else label.within(self.code)
        return written or (self.text("variant.base") if variant == "base" else variant)

    def _quoted(self, plan: Plan, variant: str) -> str:
        label = self.label(plan, variant)
        # All of an experiment or none: a list in which only some are quoted looks like two kinds.
        is_words = any(_WORDS.search(self.label(plan, v.name)) for v in plan.variants)
        return self.text("quoted", words=label) if is_words else label

    def _from(self, start: Subject, plan: Plan) -> str:
        point = self.point(start.point)
        if not start.variant or len(plan.variants) == 1:
            return self.text("from-point", point=point)
        return self.text("from", variant=self._quoted(plan, start.variant), point=point)

    def sentence(self, observation: Observation, plan: Plan) -> str:
        """The sentence that states an observation."""
        digits = numbers.digits_for(_numbers(observation.facts.values()))
        values: dict[str, object] = {
            name: self.fact(fact, plan, digits) for name, fact in observation.facts.items()
        }
        text = self.text(observation.message, **values)
        # A label in front may be written small; a sentence is not.
        return text[:1].upper() + text[1:] if self.code == "en" else text

    def fact(self, fact: Fact, plan: Plan, digits: Mapping[float, int] | None = None) -> str:
        """One fact in words, numbers with the digits that their sentence needs."""
        if isinstance(fact, tuple):
            items = [self.fact(f, plan, digits) for f in fact]
            if all(isinstance(f, Part | Wording | Rounds) for f in fact):
                return self.join(items)
            if all(isinstance(f, Subject | From) for f in fact):
                apart = any(self.text("list.comma").strip() in item for item in items)
                return self.enumerate(items) if apart else self.join(items)
            if any(isinstance(f, With) for f in fact):
                return self.enumerate(items)
            return self.text("list.comma").join(items)
        if isinstance(fact, With):
            # What stands before its number in brackets is set off by them.
            what = (
                self.subject(fact.what, plan)
                if isinstance(fact.what, Subject)
                else self.fact(fact.what, plan, digits)
            )
            detail = self.fact(fact.detail, plan, digits)
            return self.text("with", what=what, detail=detail)
        if isinstance(fact, Subject):
            return self.subject(fact, plan, quoted=True)
        if isinstance(fact, Number):
            needed = (digits or {}).get(fact.value, numbers.DIGITS)
            return numbers.measured(fact.value, fact.digits or needed)
        if isinstance(fact, Setting):
            return numbers.setting(fact.value)
        if isinstance(fact, Share):
            return numbers.percentage(fact.value)
        if isinstance(fact, Count):
            return numbers.count(fact.value)
        if isinstance(fact, Rounds):
            return self.text("rounds", count=numbers.count(fact.value))
        if isinstance(fact, OutOf):
            return f"{fact.value}/{fact.total}"
        if isinstance(fact, Names):
            if len(fact.values) <= MOST_NAMES:
                return self.join(fact.values)
            return self.text(
                "names-and-more", names=self.text("list.item").join(fact.values[:FIRST_NAMES])
            )
        if isinstance(fact, From):
            return self._from(fact.start, plan)
        if isinstance(fact, Keys):
            return self.join([self.key(key) for key in fact.values])
        if isinstance(fact, Part):
            return self.name(fact.name)
        if isinstance(fact, Wording):
            words = fact.en if self.code == "en" else fact.zh
            return self.text("quoted", words=words) if fact.is_name else words
        if isinstance(fact, RoundNumber):
            return self.text("round-number", number=fact.value)
        assert isinstance(fact, Verbatim)
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in fact.value)


def _numbers(facts: Any) -> Iterator[float]:
    for fact in facts:
        if isinstance(fact, Number) and fact.digits is None:
            yield fact.value
        elif isinstance(fact, tuple):
            yield from _numbers(fact)
        elif isinstance(fact, With):
            yield from _numbers((fact.what, fact.detail))


@cache
def language(code: str) -> Language:
    """The language with this code, its catalogue read from templates/languages."""
    with (shipped("templates") / "languages" / f"{code}.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(code, Translations(compiled))
