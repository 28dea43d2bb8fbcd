"""observations.json: every observation with its facts, formulas and runs, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite, isnan
from typing import Any

from labreport.analysis.formulas.evidence import thresholds_of
from labreport.analysis.formulas.flattened_facts import FlatFact, Leaf, flattened, unit
from labreport.analysis.observation import (
    From,
    Keys,
    Names,
    Observation,
    OutOf,
    Part,
    Source,
    Subject,
    UpTo,
    Wording,
)
from labreport.language.catalogue import Language, language
from labreport.report.claims import Claim, theme_of
from labreport.report.measured import Measured


def render(measured: Measured, places: Mapping[str, tuple[str, int]]) -> bytes:
    """The file, as strict JSON.

    Args:
        measured: a lab with its observations.
        places: of stored runs by name, each a file and an index along the last axis of its arrays.
    """
    languages = [language(code) for code in measured.lab.languages]
    observations = [_observation(claim, languages) for claim in measured.claims]
    names = sorted({name for told in observations for runs in told["run_lists"] for name in runs})
    told = {
        "observations": observations,
        "runs": {name: dict(zip(("file", "index"), places[name], strict=True)) for name in names},
    }
    text = json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1)
    return f"{text}\n".encode()


def _observation(claim: Claim, languages: list[Language]) -> dict[str, Any]:
    observation = claim.observation
    lists = {runs: place for place, runs in enumerate(dict.fromkeys(_runs(observation)))}
    return {
        "number": claim.number,
        "part": claim.part,
        "experiment": claim.experiment,
        "rule": observation.rule,
        "theme": theme_of(observation.rule),
        "form": observation.form,
        "strength": observation.strength,
        "limits": observation.limits,
        "relevance": observation.relevance,
        "runs_count": observation.runs,
        "sentence": {words.code: words.sentence(observation, claim.plan) for words in languages},
        "facts": [_fact(observation.rule, leaf, lists) for leaf in flattened(observation)],
        "claims": [_source(claimed, lists) for claimed in observation.claims],
        "thresholds": {k: strict(v) for k, v in thresholds_of(observation).items()},
        # A list of a thousand names stands once, not with each of the facts that come from it.
        "run_lists": [list(runs) for runs in lists],
    }


def _runs(observation: Observation) -> Iterator[tuple[str, ...]]:
    yield from (leaf.source.runs for leaf in flattened(observation) if leaf.source)
    yield from (claimed.runs for claimed in observation.claims)


Lists = Mapping[tuple[str, ...], int]


def _fact(rule: str, leaf: FlatFact, lists: Lists) -> dict[str, Any]:
    return {
        "name": leaf.path,
        "type": type(leaf.fact).__name__,
        "value": _value(leaf.fact),
        "unit": (None if leaf.is_label else unit(rule, leaf)) or None,
        **_source(leaf.source, lists),
    }


def _source(source: Source | None, lists: Lists) -> dict[str, Any]:
    if source is None:
        return {"formula": None, "runs": None}
    return {"formula": source.formula, "runs": lists[source.runs]}


def _value(fact: Leaf) -> Any:
    match fact:
        case Subject():
            return {"variant": fact.variant, "point": {k: strict(v) for k, v in fact.point}}
        case From():
            return {"from": _value(fact.start)}
        case UpTo():
            return {"up_to": _value(fact.end)}
        case OutOf():
            return {"value": fact.value, "total": fact.total}
        case Names() | Keys():
            return list(fact.values)
        case Part():
            return {"kind": fact.kind, "name": fact.name}
        case Wording():
            return {"zh": fact.zh, "en": fact.en}
    return strict(fact.value)


def strict(value: Any) -> Any:
    """A value that JSON has, or a string where it has none: NaN and infinities."""
    if isinstance(value, tuple | list):
        return [strict(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
