"""The table of rules in words: what each looks for, and what its thresholds are and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labreport.analysis import thresholds
from labreport.analysis.lab_rules.conclusions import LAB_RULES
from labreport.analysis.lab_rules.lab_rule import LabRule
from labreport.analysis.observe import RULES
from labreport.analysis.rule import THEMES, Rule
from labreport.errors import Fault, InputError
from labreport.lab.reading.faults import nearest
from labreport.language.catalogue import Language
from labreport.report import numbers

OF_THE_LAB = "lab"
"""Stands for a theme with rules that look at all experiments together."""

EVERY_RULE: Mapping[str, Rule | LabRule] = {**RULES, **LAB_RULES}


@dataclass(frozen=True)
class ThresholdInWords:
    """A threshold: its name in formulas, its value or values, and why it has them."""

    name: str
    value: float | tuple[float, ...]
    reason: str


@dataclass(frozen=True)
class RuleInWords:
    """A rule.

    Attributes:
        name: of the rule.
        theme: key of its theme.
        theme_title: the theme in words.
        looks_for: what it looks for.
        relevance: of what it finds, by form; "" is for all forms that are not named.
        thresholds: those that decide whether it speaks.
    """

    name: str
    theme: str
    theme_title: str
    looks_for: str
    relevance: Mapping[str, float]
    thresholds: tuple[ThresholdInWords, ...]

    @property
    def relevances(self) -> str:
        """The relevance as text: 0.8, lost 0.9."""
        return ", ".join(
            f"{form} {numbers.setting(value)}".strip() for form, value in self.relevance.items()
        )


def rules_in_words(language: Language, names: Sequence[str] = ()) -> tuple[RuleInWords, ...]:
    """Rules, those of a theme together, in the order of themes.

    Args:
        language: of the words.
        names: of rules, or of thresholds for the rules that they decide; none for every rule.

    Raises:
        InputError: with each name that is neither.
    """
    themes = (*THEMES, OF_THE_LAB)
    wanted = _wanted(names) if names else EVERY_RULE
    found = [_in_words(name, rule, language) for name, rule in EVERY_RULE.items() if name in wanted]
    return tuple(sorted(found, key=lambda rule: themes.index(rule.theme)))


def _wanted(names: Sequence[str]) -> set[str]:
    by_threshold: dict[str, set[str]] = {}
    for rule, row in EVERY_RULE.items():
        for threshold in row.thresholds:
            by_threshold.setdefault(threshold, set()).add(rule)
    wanted: set[str] = set()
    faults = []
    for name in names:
        # A threshold has capitals and underscores; a rule may be typed in either.
        rule = name.lower().replace("_", "-")
        if rule in EVERY_RULE or name in by_threshold:
            wanted |= {rule} & EVERY_RULE.keys() | by_threshold.get(name, set())
        else:
            known = tuple(EVERY_RULE)
            near = nearest(rule, known)
            faults.append(Fault("unknown-rule", {"found": name}, allowed=known, nearest=near))
    if faults:
        raise InputError(faults)
    return wanted


def thresholds_in_words(language: Language) -> tuple[ThresholdInWords, ...]:
    """Every threshold, in the order in which they are written down."""
    return tuple(_threshold(name, language) for name in vars(thresholds) if name.isupper())


def _in_words(name: str, rule: Rule | LabRule, language: Language) -> RuleInWords:
    relevance = rule.relevance if isinstance(rule.relevance, Mapping) else {"": rule.relevance}
    theme = rule.theme if isinstance(rule, Rule) else OF_THE_LAB
    return RuleInWords(
        name,
        theme,
        language.text(f"theme.{theme}"),
        language.text(f"rule.{name}"),
        relevance,
        tuple(_threshold(threshold, language) for threshold in rule.thresholds),
    )


def _threshold(name: str, language: Language) -> ThresholdInWords:
    reason = language.text(f"threshold.{name.lower().replace('_', '-')}")
    return ThresholdInWords(name, getattr(thresholds, name), reason)
