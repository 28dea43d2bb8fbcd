"""`labreport rules`: what the tool looks for in the runs, and from which threshold on it speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from labreport.cli.arguments import JsonOption
from labreport.cli.terminal import print_json, reported, terminal_language, told_as_json

if TYPE_CHECKING:
    from labreport.language.catalogue import Language
    from labreport.language.rule_table import RuleInWords


def _names(incomplete: str) -> list[str]:
    from labreport.language.rule_table import EVERY_RULE

    return [name for name in EVERY_RULE if name.startswith(incomplete)]


def rules(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="help.rule", show_default=False, autocompletion=_names),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Parse `labreport rules`, and print all rules or those that are named."""
    from labreport.language.rule_table import rules_in_words

    words = terminal_language()
    with told_as_json() if as_json else reported():
        found = rules_in_words(words, names or ())
    if as_json:
        print_json([_as_json(rule) for rule in found])
    else:
        typer.echo("\n".join(_lines(found, words)))


def _lines(found: Sequence[RuleInWords], words: Language) -> Iterator[str]:
    for theme, members in groupby(found, key=lambda rule: rule.theme_title):
        yield theme
        for rule in members:
            relevance = words.text("cli.rules-relevance", value=rule.relevances)
            yield f"  {rule.name} ({relevance})"
            yield f"      {rule.looks_for}"
            for threshold in rule.thresholds:
                said = words.text(
                    "cli.rules-threshold",
                    name=threshold.name,
                    value=threshold.value,
                    reason=threshold.reason,
                )
                yield f"      {said}"


def _as_json(rule: RuleInWords) -> dict[str, object]:
    return {
        "name": rule.name,
        "theme": rule.theme,
        "looks_for": rule.looks_for,
        "relevance": dict(rule.relevance),
        "thresholds": [
            {"name": t.name, "value": t.value, "reason": t.reason} for t in rule.thresholds
        ],
    }
