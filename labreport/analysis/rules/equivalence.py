"""Variants that turn out to be the same, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labreport.analysis.observation import (
    Count,
    Facts,
    Keys,
    Number,
    Observation,
    Source,
    Subject,
)
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.analysis.rule import rule
from labreport.lab.changes import differing_keys
from labreport.lab.controls import momentum


@rule(
    "coincide",
    "equivalence",
    {"": 1.0, "key": 0.94},
    needs_budget=False,
    of_constant_losses=True,
    of_equal_runs=True,
    part="reason",
)
def coincide(results: ExperimentResults) -> Iterator[Observation]:
    """Variants that are one run, or give the same bits in every round, and what follows."""
    yield from _same_configuration(results)
    groups: dict[bytes, dict[str, Result]] = {}
    for result in results.singles:
        # Runs that never move say nothing of what moves them.
        trace = result.run.trace
        if trace.is_whole and (trace.weights != trace.weights[:1]).any():
            groups.setdefault(result.bits, {}).setdefault(result.run.config.digest, result)
    for group in groups.values():
        first, *others = group.values()
        unexplained = [first]
        for place, result in enumerate(others, 1):
            known = tuple(group.values())[:place]
            pair = _momentum_pair(result, known) or _pair_with_one_change(result, known)
            if pair is None:
                unexplained.append(result)
            else:
                yield _coincident(pair.form, pair.members, pair.named, pair.claims)
        if len(unexplained) > 1:
            yield _coincident("", unexplained, {"subjects": tuple(r.subject for r in unexplained)})


def _same_configuration(results: ExperimentResults) -> Iterator[Observation]:
    """Variants that differ in their name alone."""
    named: dict[tuple[str, ...], list[tuple[Result, ...]]] = {}
    for variant in results.plan.variants:
        members = results.of(variant.name)
        named.setdefault(tuple(r.run.config.digest for r in members), []).append(members)
    for groups in named.values():
        if len(groups) > 1:
            first, *others = groups
            facts: Facts = {"subjects": tuple(_variant_of(members) for members in groups)}
            alike = (f"r1.setting({k!r}) == r2.setting({k!r})" for k in first[0].run.config.flat())
            same = " and ".join(alike)
            claims = tuple(
                cite(same, pair) for members in others for pair in zip(first, members, strict=True)
            )
            yield Observation("coincide", facts, runs=len(first), form="same", claims=claims)


def _variant_of(members: Sequence[Result]) -> Subject:
    """A variant as a whole; with its point, where that is all that it is."""
    return members[0].subject if len(members) == 1 else Subject(members[0].variant)


SAME_BITS = "all(r1.round_losses == r2.round_losses) and all(r1.weights == r2.weights)"


@dataclass(frozen=True)
class _Pair:
    """Two runs that are the same, and what their being so shows.

    Attributes:
        form: of the sentence.
        members: the runs; the first is the one that the sentence begins with.
        named: what it says beside their numbers.
        claims: what must be true of them beside that they are the same.
    """

    form: str
    members: tuple[Result, Result]
    named: Facts
    claims: tuple[Source, ...]


def _momentum_pair(result: Result, known: Sequence[Result]) -> _Pair | None:
    """Gradients that are never cleared, and the momentum of 1 that they amount to."""
    for other in known:
        for one, two in ((result, other), (other, result)):
            if any(two.run.config.digest == made.digest for made in momentum(one.run.config)):
                claims = (
                    one.cite("setting('gradients') == 'accumulated'"),
                    two.cite("setting('gradients') == 'cleared'"),
                    two.cite("setting('optimizer.momentum') == 1"),
                )
                named: Facts = {"subject": one.subject, "other": two.subject}
                return _Pair("momentum", (one, two), named, claims)
    return None


def _pair_with_one_change(result: Result, known: Sequence[Result]) -> _Pair | None:
    """Two configurations that differ in one key, which therefore has no effect."""
    for other in known:
        one, two = result.run.config, other.run.config
        keys = tuple(dict.fromkeys((*differing_keys(one, two), *differing_keys(two, one))))
        if len(keys) == 1:
            pair = (result, other)
            differ = cite(f"r1.setting({keys[0]!r}) != r2.setting({keys[0]!r})", pair)
            named: Facts = {
                "subject": result.subject,
                "other": other.subject,
                "keys": Keys(keys),
            }
            return _Pair("key", pair, named, (differ,))
    return None


def _coincident(
    form: str, members: Sequence[Result], named: Facts, claims: tuple[Source, ...] = ()
) -> Observation:
    first, *others = members
    facts: Facts = {
        **named,
        "rounds": Count(first.run.trace.rounds, first.cite("rounds")),
        "parameters": Count(len(first.names), first.cite("size(weights[0])")),
        "first": Number(float(first.losses[0]), first.cite("losses[0]")),
        "last": Number(float(first.losses[-1]), first.cite("losses[-1]")),
    }
    return Observation(
        "coincide",
        facts,
        runs=len(members),
        form=form,
        strength="explanation",
        claims=(
            *(cite(SAME_BITS, (first, other)) for other in others),
            first.cite("any(weights != weights[0])"),
            *claims,
        ),
    )
