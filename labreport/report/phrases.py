"""Texts that know no language: messages of the catalogues with their values, and lists of these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from labreport.analysis.observation import Fact, Subject, Wording
from labreport.lab.lab import Text

ListKind = Literal["words", "clauses", "values", "items", "commas"]
"""Form of a list: "words" is a, b and c; "clauses" may have commas in them; "values" is 1, 2, 3.
These are cut where they are long; "items" and "commas" are not, and have no last one."""


@dataclass(frozen=True)
class Message:
    """A text of the catalogues by its key, with values by the names that the text uses."""

    key: str
    values: tuple[tuple[str, Phrase], ...] = ()


@dataclass(frozen=True)
class Counted:
    """A number with what it counts, ``counted.<noun>`` in the catalogues: 1 round, 2 rounds."""

    noun: str
    amount: int


@dataclass(frozen=True)
class Listed:
    """A list of phrases."""

    items: tuple[Phrase, ...]
    how: ListKind = "words"


@dataclass(frozen=True)
class Passage:
    """Sentences one after the other."""

    sentences: tuple[Phrase, ...]


@dataclass(frozen=True)
class Concatenation:
    """Texts put together with the same characters between them in every language."""

    parts: tuple[Phrase, ...]
    between: str = ""


@dataclass(frozen=True)
class Value:
    """A value of a key of the configuration; of an array rows of numbers."""

    path: str
    value: Any


@dataclass(frozen=True)
class Named:
    """A variant or a point of an experiment, as its author calls it.

    Attributes:
        subject: what is named.
        experiment: of which it is a part.
        quoted: whether words of the author stand in quotation marks, as in a sentence.
    """

    subject: Subject
    experiment: str
    quoted: bool = False


@dataclass(frozen=True)
class Reference:
    """The number of a figure or table of the report, by its key."""

    key: str


Phrase = (
    str
    | int
    | Message
    | Counted
    | Listed
    | Passage
    | Concatenation
    | Value
    | Named
    | Reference
    | Fact
)
"""Anything that a language puts into words. A string is the same in every language, a whole number
among the values of a message chooses the form of its plural."""


def text(key: str, /, **values: Phrase) -> Message:
    """The text for a key of the catalogues, with values put in."""
    return Message(key, tuple(values.items()))


def configured(path: str, given: Any) -> Value:
    """A value of a key of the configuration, with tuples in place of lists."""
    return Value(path, _frozen(given))


def _frozen(given: Any) -> Any:
    return tuple(map(_frozen, given)) if isinstance(given, list | tuple) else given


def listed(items: Iterable[Phrase], how: ListKind = "words") -> Listed:
    """A list of any number of items."""
    return Listed(tuple(items), how)


def passage(sentences: Iterable[Phrase | None]) -> Passage:
    """Sentences one after the other, those that are None or empty left out."""
    return Passage(tuple(s for s in sentences if s is not None and s != ""))


def written(words: Text) -> Wording:
    """A text of the lab file in both languages; one that it leaves out is that of the other."""
    return Wording(words.within("zh"), words.within("en"))
