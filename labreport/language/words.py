"""Phrases of a report in the words of a language."""

from __future__ import annotations

from collections.abc import Mapping

from labreport.analysis.observation import Observation
from labreport.language.catalogue import Language
from labreport.report.phrases import (
    Concatenation,
    Counted,
    Listed,
    Message,
    Named,
    Passage,
    Phrase,
    Reference,
    Value,
)
from labreport.report.tree import ExperimentNames, Report


class Words:
    """Puts the phrases of one report into words.

    Args:
        language: to write in.
        experiments: whose variants phrases name.
        numbers: of figures and tables that phrases refer to, by their keys.
    """

    def __init__(
        self,
        language: Language,
        experiments: Mapping[str, ExperimentNames],
        numbers: Mapping[str, str] | None = None,
    ) -> None:
        self.language = language
        self._experiments = experiments
        self._numbers = numbers or {}

    def __call__(self, phrase: Phrase) -> str:
        """The words of a phrase.

        Raises:
            KeyError: if it names a text, an experiment or a figure that is not there.
        """
        match phrase:
            case str():
                return phrase
            case Message(key, values):
                given = {name: self._given(value) for name, value in values}
                return self.language.text(key, **given)
            case Counted(noun, amount):
                return self.language.counted(noun, amount)
            case Listed():
                return self._listed(phrase)
            case Passage(sentences):
                return self.language.paragraph([self(s) for s in sentences])
            case Concatenation(parts, between):
                return between.join(map(self, parts))
            case Value(path, value):
                return self.language.value(path, value)
            case Named(subject, experiment, quoted):
                names = self._experiments[experiment]
                return self.language.subject(subject, names, quoted=quoted)
            case Reference(key):
                return self._numbers[key]
            case int():
                return str(phrase)
            case _:
                return self.language.fact(phrase, NO_VARIANTS)

    def sentence(self, observation: Observation, experiment: str) -> str:
        """The sentence that states an observation."""
        return self.language.sentence(observation, self._experiments[experiment])

    def _given(self, value: Phrase) -> str | int:
        # A whole number chooses the form of the plural.
        return value if isinstance(value, int) else self(value)

    def _listed(self, phrase: Listed) -> str:
        items = [self(item) for item in phrase.items]
        match phrase.how:
            case "words":
                return self.language.join(items)
            case "clauses":
                return self.language.enumerate(items)
            case "values":
                return self.language.row(items)
            case "items":
                return self.language.text("list.item").join(items)
            case "commas":
                return self.language.text("list.comma").join(items)


NO_VARIANTS = ExperimentNames("", ())


def names_of(report: Report) -> dict[str, ExperimentNames]:
    """The experiments of a report by their names."""
    return {names.experiment: names for names in report.experiments}
