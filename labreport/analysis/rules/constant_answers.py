"""Runs that cannot learn anything from their rows, whatever their weights."""

from __future__ import annotations

from collections.abc import Iterator

from labreport.analysis.observation import Count, Facts, Observation, Part, Subject
from labreport.analysis.results import ExperimentResults, Result, cite
from labreport.lab.unlearnable import Reason, reason


def constant_answers(results: ExperimentResults) -> Iterator[Observation]:
    """Why no answer of a variant depends on its weights, or none need depend on its inputs."""
    groups: dict[tuple[str, Reason], list[Result]] = {}
    for result in results.results:
        why = reason(result.run.config)
        if why is not None and len(result.losses) and _is_so(result, why):
            groups.setdefault((result.variant, why), []).append(result)
    for (_, why), members in groups.items():
        first = members[0]
        facts: Facts = {
            "subject": first.subject if len(members) == 1 else Subject(first.variant),
            "rows": Count(len(first.run.config.data.inputs), first.cite("size(inputs[:, 0])")),
            "loss": Part("loss", first.run.config.loss),
        }
        claims = tuple(cite(claim, members) for claim in _CLAIMS[why])
        yield Observation("constant-answer", facts, len(members), form=why, claims=claims)


def _is_so(result: Result, why: Reason) -> bool:
    """Whether the stored numbers bear it out."""
    trace = result.run.trace
    if why == "one-class":
        return True
    constant = {
        "cross-entropy": trace.losses == 0,
        "softmax": trace.outputs == 1,
        "log-softmax": trace.outputs == 0,
    }
    return bool((trace.gradients == 0).all() and constant[why].all())


_STILL = "all(each(all(gradients == 0)))"

_CLAIMS: dict[Reason, tuple[str, ...]] = {
    "cross-entropy": (_STILL, "all(each(all(round_losses == 0)))"),
    "softmax": (_STILL, "all(each(all(outputs == 1)))"),
    "log-softmax": (_STILL, "all(each(all(outputs == 0)))"),
    "one-class": ("all(each(max(spread(given_targets)) == 0))",),
}
