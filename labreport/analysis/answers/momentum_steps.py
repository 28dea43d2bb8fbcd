"""A sweep of momentum: whether what it gains is that of a longer step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from labreport.analysis.answers.along_axes import lowest_claims, one_axis
from labreport.analysis.answers.step_sizes import faster, times_the_rate
from labreport.analysis.comparing import Measure, is_lower, lower_claim
from labreport.analysis.observation import Count, Facts, Number, Observation, Subject
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rule import rule
from labreport.lab.schema.optimizers import SGD

KEY = "optimizer.momentum"


@rule(
    "momentum-step",
    "optimizer",
    {"": 0.9, "more": 0.9},
    thresholds=("NO_ODDS",),
    part="reason",
)
def momentum_step(results: ExperimentResults) -> Iterator[Observation]:
    """Whether a larger learning rate without momentum comes as low as the best momentum does.

    With gradients that hardly change a velocity comes to 1/(1 − μ) of them (Goodfellow, Bengio and
    Courville 2016, "Deep Learning", section 8.3.2).
    """
    axis = one_axis(results)
    if axis is None or axis.best is None or axis.best.point[0][0] != KEY:
        return
    best, measure = axis.best, axis.measure
    plain = next((r for r in axis.there if r.point[0][1] == 0), None)
    if plain is None or not _is_plain_momentum(best) or not is_lower(best, plain, measure):
        return
    longer = _with_longer_steps(results, plain, measure)
    if not longer:
        return
    yield _observation(best, plain, longer, measure)


def _observation(
    best: Result, plain: Result, longer: Sequence[Result], measure: Measure
) -> Observation:
    """What the best momentum has, and the run without it at larger learning rates."""
    enough = next((r for r in longer if not is_lower(best, r, measure)), None)
    lowest = min(longer, key=lambda r: measure.value(r) or 0.0)
    tried = longer if enough is None else longer[: longer.index(enough) + 1]
    lasting = 1 / (1 - float(best.point[0][1]))
    facts: Facts = {
        "best": Subject("", best.point),
        "times": Number(lasting, best.cite(f"1 / (1 - setting({KEY!r}))"), digits=2),
        "factor": times_the_rate(longer[-1] if enough is None else enough, plain),
        "value": measure.number(enough or lowest),
        "budget": Count(measure.budget),
    }
    claims = [
        lower_claim(best, plain, measure),
        plain.cite(f"setting({KEY!r}) == 0"),
        *(lower_claim(best, r, measure, holds=r is not enough) for r in tried),
        *(lowest_claims(lowest, longer, measure) if enough is None else ()),
    ]
    form = "" if enough else "more"
    made = Observation("momentum-step", facts, 2 + len(tried), form=form, claims=tuple(claims))
    return replace(made, strength="explanation")


def _is_plain_momentum(result: Result) -> bool:
    """Return whether a result is of SGD with heavy-ball momentum below 1."""
    config = result.run.config
    optimizer = config.optimizer
    if not isinstance(optimizer, SGD) or config.gradients != "cleared":
        return False
    return 0 < optimizer.momentum < 1 and not optimizer.nesterov and not optimizer.dampening


def _with_longer_steps(results: ExperimentResults, plain: Result, measure: Measure) -> list[Result]:
    """The same run with larger learning rates, the smallest first, as far as they got so far."""
    rates = faster(results.control("rates", plain), plain)
    found = [r for r in rates if measure.value(r) is not None]
    return sorted(found, key=lambda r: r.run.config.optimizer.learning_rate)
