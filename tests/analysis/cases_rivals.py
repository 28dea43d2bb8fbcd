"""Cases of who leads among three: the lead over each rival is asked of other starts."""

from __future__ import annotations

from cases import fires, silent
from cases_answers import B, C
from synthetic_runs import MOMENTUM, experiment, single, trace, with_controls

from labreport.analysis.results import ExperimentResults
from labreport.lab.configuration import RunConfig
from labreport.lab.controls import STARTS
from labreport.runs.run import Trace


def three(
    lower: int, *, a: tuple[float, float] = (5, 3), b: tuple[float, float] = (5, 1)
) -> ExperimentResults:
    """B leads in the end, from all other starts ahead of a, from so many ahead of c."""

    def made(number: int, config: RunConfig) -> Trace:
        momentum = config.flat()[MOMENTUM]
        last = 1.0 if momentum == B[MOMENTUM] else 3.0
        if momentum == C[MOMENTUM]:
            last = 2.0 if number < lower else 0.5
        return trace(config, [9, 5, last])

    variants = single("a", [9, *a]), single("b", [9, *b], B), single("c", [9, 5, 2], C)
    return with_controls(experiment(*variants, budgets=(1, 2)), "other-starts", made)


@fires("holds-over-starts", "all", subject="b", other="a", lower=STARTS)
@fires("holds-over-starts", "depends", subject="b", other="c", lower=20, higher=10, even=0)
def the_lead_over_the_next_one_depends_on_the_start() -> ExperimentResults:
    return three(20)


@fires("holds-over-starts", "all", subject="b", other="a")
def the_lead_over_both_is_there_from_every_start() -> ExperimentResults:
    return three(STARTS)


@fires("holds-over-starts", "all", subject="b", other="a")
@silent("reaches-from-starts")
def of_who_led_before_it_is_asked_and_of_the_next_one_not() -> ExperimentResults:
    return three(20, a=(2, 3))
