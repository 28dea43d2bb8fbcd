"""A language of the report: its catalogue, and how it writes facts, lists and names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from gettext import GNUTranslations
from string import Formatter
from typing import Any, Protocol

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
    UpTo,
    Verbatim,
    With,
    Wording,
)
from labreport.lab.plan import Point
from labreport.lab.schema.losses import LOSSES
from labreport.lab.schema.optimizers import OPTIMIZER_TITLES
from labreport.language import array_summary
from labreport.language.translations import translations
from labreport.report import numbers

_HAN = "\u3400-\u9fff"
_HAN_AFTER_LATIN = re.compile(f"(?<=[A-Za-z0-9%])(?=[{_HAN}])")
_QUOTED = re.compile("“[^”]*”")
_LATIN_AFTER_HAN = re.compile(f"(?<=[{_HAN}])(?=[A-Za-z0-9−])")

_WORDS = re.compile(rf"(?:^|\s)[a-z{_HAN}]")
"""In a label that reads like words, as "as published" does and "ReLU–linear" does not."""

MOST_ITEMS = 8
"""Items that a list in words has; of more it gives the first few, and how many others there are."""

FIRST_ITEMS = 6

_MARKS = re.compile(r"[“”\"‘’。；：！？]|[.;:!?](?:\s|$)")
"""In a label, what could be taken for the end of it, or for a sentence of ours."""

_INNER = str.maketrans({"“": "‘", "”": "’", '"': "'"})
"""Quotation marks within quotation marks are of the other kind, so that none ends the quotation."""

MANY = 2
"""Stands for a number that is not known to be one."""


class Label(Protocol):
    """Words of the lab's author in each language."""

    def within(self, language: str, /) -> str:
        """The words in a language."""


class NamedVariant(Protocol):
    """A variant and its label, if the author has given it one."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> Label | None: ...


class Variants(Protocol):
    """An experiment, as far as its variants are to be named: a plan, or names in a report."""

    @property
    def variants(self) -> Sequence[NamedVariant]: ...


HTML_NAMES = {"zh": "zh-CN", "en": "en"}


class _Wording(Formatter):
    """The formatting of values in a text of the catalogue.

    ``{rounds}`` is a number, ``{rounds:rounds}`` what ``counted.rounds`` makes of it in the plural
    form that the language has for it: 1 round, 2 rounds.
    """

    def __init__(self, language: Language) -> None:
        self._language = language

    def format_field(self, value: Any, noun: str) -> str:
        """The value, a whole number with what it counts."""
        amount = _whole(value)
        if noun:
            return self._language.counted(noun, value if amount is None else amount)
        return str(value)


def _whole(value: object) -> int | None:
    """A whole number, also one that is written already; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() else None


class Language:
    """One language: texts by key, and facts in words."""

    def __init__(
        self, code: str, translations: GNUTranslations, own: Mapping[str, str] | None = None
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
        amount = _whole(values.get("count"))
        template = self.template(key, 1 if amount is None else amount)
        return self._spaced(_Wording(self).vformat(template, (), values))

    def counted(self, noun: str, amount: object) -> str:
        """A number with what it counts: 1 round, 2 rounds. Raises KeyError for an unknown noun.

        Args:
            noun: ``counted.<noun>`` in the catalogue.
            amount: a whole number, or words for one: then it is many.
        """
        whole = _whole(amount)
        count = amount if whole is None else numbers.count(whole)
        template = self.template(f"counted.{noun}", MANY if whole is None else whole)
        return self._spaced(template.format(count=count))

    def template(self, key: str, amount: int = 1) -> str:
        """The text for a key without its values. Raises KeyError if there is none."""
        if key in self._own:
            return self._own[key]
        template: str = self._translations.ngettext(key, key, amount)
        if template == key:
            template = self._translations.gettext(key)
        if template == key:
            raise KeyError(f"no text for {key!r} in {self.code}.po")
        return template

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all texts that have no plural forms."""
        texts: dict[object, str] = self._translations._catalog  # type: ignore[attr-defined]
        return tuple(key for key in texts if isinstance(key, str) and key)

    def _spaced(self, text: str) -> str:
        """Chinese text with a space where it meets Latin letters and digits."""
        if self.code != "zh":
            return text
        return _LATIN_AFTER_HAN.sub(" ", _HAN_AFTER_LATIN.sub(" ", text))

    def has(self, key: str) -> bool:
        return self._translations.gettext(key) != key

    def join(self, items: Sequence[str]) -> str:
        """A list in words: a, b and c; a long one is cut: a, b, c and 54 others."""
        if len(items) < 2:
            return "".join(items)
        shown, last = self._cut(items)
        first = self.text("list.item").join(shown)
        return self.text("list.last", first=first, last=last)

    def _cut(self, items: Sequence[str]) -> tuple[Sequence[str], str]:
        """Split a list into its beginning and its end: its last item, or the number left."""
        if len(items) <= MOST_ITEMS:
            return items[:-1], items[-1]
        return items[:FIRST_ITEMS], self.text("list.others", count=len(items) - FIRST_ITEMS)

    def enumerate(self, items: Sequence[str]) -> str:
        """A list whose items may have commas of their own, cut as well: a (1, 2); b (3)."""
        return self._row("list.clause", items)

    def row(self, items: Sequence[str]) -> str:
        """Values side by side, cut as well: 1, 2, 3."""
        return self._row("list.comma", items)

    def _row(self, separator: str, items: Sequence[str]) -> str:
        between = self.text(separator)
        if len(items) <= MOST_ITEMS:
            return between.join(items)
        shown, last = self._cut(items)
        return self.text("list.last", first=between.join(shown), last=last)

    def paragraph(self, sentences: Sequence[str]) -> str:
        """Sentences one after the other, empty ones left out; Chinese has no space in between."""
        return ("" if self.code == "zh" else " ").join(s for s in sentences if s)

    def key(self, path: str) -> str:
        """A key of the configuration, in words where the catalogue has some."""
        name = f"key.{path}"
        return self.text(name) if self.has(name) else path

    def value(self, path: str, value: Any) -> str:
        """A value of a key of the configuration."""
        if array_summary.is_long(value):
            return self._array(path, value)
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

    def _array(self, path: str, value: Any) -> str:
        """An array that is too long to be read: its shape, how it begins, and a digest."""
        row = [self.value(path, v) for v in array_summary.first_row(value)]
        begins = ", ".join(row[:FIRST_ITEMS]) + (", …" if len(row) > FIRST_ITEMS else "")
        return self.text(
            "value.array",
            shape=array_summary.shape(value),
            first=begins,
            digest=array_summary.digest(value),
        )

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
        return self.text("list.comma").join(self._place(*pair) for pair in point)

    def _place(self, key: str, value: Any) -> str:
        """A key with its value, as words of their own where the catalogue has some: no bias."""
        whole = f"point.{key}.{value}"
        if isinstance(value, str | tuple) and self.has(whole):
            return self.text(whole)
        return self.text("point", key=self.key(key), value=self.value(key, value))

    def subject(self, subject: Subject, plan: Variants, *, quoted: bool = False) -> str:
        """A variant, a point, or both, as the lab names them; in a sentence in quotation marks."""
        parts = []
        if subject.variant and (len(plan.variants) > 1 or not subject.point):
            name = self._quoted if quoted else self.label
            parts.append(name(plan, subject.variant))
        if subject.point:
            parts.append(self.point(subject.point))
        return self.text("list.comma").join(parts)

    def label(self, plan: Variants, variant: str) -> str:
        """Return the name of a variant in figures and tables."""
        label = next(v.label for v in plan.variants if v.name == variant)
        written = "" if label is None else label.within(self.code)
        return written or (self.text("variant.base") if variant == "base" else variant)

    def _quoted(self, plan: Variants, variant: str) -> str:
        label = self.label(plan, variant)
        # All of an experiment or none: a list in which only some are quoted looks like two kinds.
        labels = [self.label(plan, v.name) for v in plan.variants]
        is_words = any(_WORDS.search(label) or _MARKS.search(label) for label in labels)
        return self.quoted(label) if is_words else label

    def quoted(self, words: str) -> str:
        """Words of the lab's author in quotation marks."""
        return self.text("quoted", words=words.translate(_INNER))

    def _ranged(self, which: str, end: Subject, plan: Variants) -> str:
        point = self.point(end.point)
        if not end.variant or len(plan.variants) == 1:
            return self.text(f"{which}-point", point=point)
        return self.text(which, variant=self._quoted(plan, end.variant), point=point)

    def sentence(self, observation: Observation, plan: Variants) -> str:
        """The sentence that states an observation."""
        digits = numbers.digits_for(_numbers(observation.facts.values()))
        values: dict[str, object] = {
            # A whole number is put into words by the text, which says what it counts.
            name: fact.value if isinstance(fact, Count) else self.fact(fact, plan, digits)
            for name, fact in observation.facts.items()
        }
        text = self.text(observation.message, **values)
        if len(plan.variants) == 1:  # Of one variant its name says nothing.
            text = text.removeprefix(f"{values.get('subject')}{self.text('list.colon')}")
        # A label in front may be written small; a sentence is not.
        return text[:1].upper() + text[1:] if self.code == "en" else text

    def fact(self, fact: Fact, plan: Variants, digits: Mapping[float, int] | None = None) -> str:
        """One fact in words, numbers with the digits that their sentence needs."""
        match fact:
            case tuple():
                return self._facts(fact, plan, digits)
            case With():
                return self._with(fact, plan, digits)
            case Subject(variant, point) if variant and point and len(plan.variants) > 1:
                return self.text("with", what=self._quoted(plan, variant), detail=self.point(point))
            case Subject():
                return self.subject(fact, plan, quoted=True)
            case From():
                return self._ranged("from", fact.start, plan)
            case UpTo():
                return self._ranged("up-to", fact.end, plan)
            case Number():
                needed = (digits or {}).get(fact.value, numbers.DIGITS)
                return numbers.measured(fact.value, fact.digits or needed)
            case Setting() | Share() | Count() | Rounds() | OutOf() | RoundNumber():
                return self._number(fact)
            case Names():
                return self.join(fact.values)
            case Keys():
                return self.join([self.key(key) for key in fact.values])
            case Part():
                return self.name(fact.name)
            case Wording():
                words = fact.within(self.code)
                return self.quoted(words) if fact.is_name else words
            case Verbatim():
                shown = (c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in fact.value)
                return "".join(shown)

    def _facts(
        self, facts: tuple[Fact, ...], plan: Variants, digits: Mapping[float, int] | None
    ) -> str:
        """Several facts as a list, of the kind that suits them."""
        items = [self.fact(f, plan, digits) for f in facts]
        if all(isinstance(f, Part | Wording | Rounds) for f in facts):
            return self.join(items)
        if all(isinstance(f, Subject | From | UpTo) for f in facts):
            apart = any(self.text("list.comma").strip() in _QUOTED.sub("", i) for i in items)
            return self.enumerate(items) if apart else self.join(items)
        if any(isinstance(f, With) for f in facts):
            return self.enumerate(items)
        return self.row(items)

    def _with(self, fact: With, plan: Variants, digits: Mapping[float, int] | None) -> str:
        """Something with a detail in brackets."""
        # What stands before its number in brackets is set off by them, but for such marks.
        marked = any(_MARKS.search(self.label(plan, v.name)) for v in plan.variants)
        what = (
            self.subject(fact.what, plan, quoted=marked)
            if isinstance(fact.what, Subject)
            else self.fact(fact.what, plan, digits)
        )
        return self.text("with", what=what, detail=self.fact(fact.detail, plan, digits))

    def _number(self, fact: Setting | Share | Count | Rounds | OutOf | RoundNumber) -> str:
        """A number that was not measured, or that has a unit."""
        match fact:
            case Setting():
                return numbers.setting(fact.value)
            case Share():
                return numbers.percentage(fact.value)
            case Count():
                return numbers.count(fact.value)
            case Rounds():
                return self.counted("rounds", fact.value)
            case OutOf():
                return f"{fact.value}/{fact.total}"
            case RoundNumber():
                return self.text("round-number", number=fact.value)


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
    """The language with this code."""
    return Language(code, translations(code))
