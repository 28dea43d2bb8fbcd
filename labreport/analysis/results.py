"""An experiment with its runs, and the numbers that tables and rules read off them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from labreport.analysis import thresholds
from labreport.analysis.measures.digits import agreed
from labreport.analysis.measures.floor import Floor, floor, gap
from labreport.analysis.measures.predictions import PREDICTIONS
from labreport.analysis.observation import Number, Source, Subject
from labreport.lab.changes import quantity
from labreport.lab.controls import KINDS, Kind, control_digests
from labreport.lab.naming import parameter_names
from labreport.lab.plan import Plan, Point, Trial
from labreport.lab.schema.losses import LOSSES
from labreport.lab.unlearnable import has_no_loss
from labreport.reference.gradient_check.check_result import GradientCheck
from labreport.reference.gradient_check.four_ways import check_gradients
from labreport.runs.run import Array, Run

SMALLEST_SCALE = 1e-3
"""Losses are sums of terms of about this size at least; a floor of 0 is no scale of rounding."""

PRECISION = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(float).eps)}


@dataclass(frozen=True, eq=False)
class Result:
    """One trial and what it gave.

    Attributes:
        trial: in its experiment.
        run: that it gave.
        twins: the same run in other roundings, by which the digits are chosen that it is told with.
    """

    trial: Trial
    run: Run
    twins: tuple[Result, ...] = ()

    @property
    def variant(self) -> str:
        return self.trial.variant

    @property
    def point(self) -> Point:
        return self.trial.point

    @property
    def subject(self) -> Subject:
        return Subject(self.variant, self.point)

    def cite(self, formula: str) -> Source:
        """Return the source of a fact of this run."""
        return Source(formula, (self.run.name,))

    @cached_property
    def floor(self) -> Floor:
        return floor(self.run.config)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each parameter, in stored order."""
        return parameter_names(self.run.config.network)

    @property
    def refused(self) -> bool:
        return self.run.trace.ending.kind == "refused"

    @property
    def diverged(self) -> bool:
        return self.run.trace.ending.kind == "diverged"

    @property
    def losses(self) -> Array:
        """Losses [steps] over all rows; NaN where that of a mini-batch alone is known."""
        return self.run.losses

    @property
    def sees_all_rows(self) -> bool:
        """True if the loss over all rows is known at every step."""
        return self.run.config.data.sees_all_rows

    def index(self, budget: int) -> int | None:
        """Step of a trace that a budget means, or None if the run ended before it."""
        step = min(budget, self.run.config.rounds)
        return step if step < len(self.losses) else None

    def loss(self, budget: int) -> float | None:
        """Loss over all rows after so many updates; None if the run had ended."""
        step = self.index(budget)
        loss = np.nan if step is None else float(self.losses[step])
        return None if np.isnan(loss) else float(loss)

    def gap(self, budget: int) -> float | None:
        """Distance of that loss from its floor; None where either is missing.

        A loss of no more than rounding below its floor counts as at it.
        """
        loss = self.loss(budget)
        distance = None if loss is None else gap(loss, self.floor)
        return None if distance is None else max(distance, 0.0)

    @property
    def at_floor(self) -> float:
        """Distance from the floor that rounding alone can explain."""
        scale = max(abs(self.floor.value or 0.0), SMALLEST_SCALE)
        return thresholds.ROUNDING * PRECISION[self.run.config.dtype] * scale

    @property
    def is_trained(self) -> bool:
        """True if updates can move its weights at all."""
        config = self.run.config
        return config.updates == "kept" and config.optimizer.learning_rate > 0

    @property
    def bits(self) -> bytes:
        """Every loss and every weight: equal for runs that are the same to the last bit."""
        return self.run.trace.losses.tobytes() + self.run.trace.weights.tobytes()

    @property
    def identity(self) -> object:
        """Equal for runs that are the same to the last bit, on the same rows, with the same loss.

        Runs that ended before their first loss differ in nothing but their configuration.
        """
        config = self.run.config
        return (self.bits or config.digest, config.data.rows.digest, quantity(config))

    @property
    def starts_at_floor(self) -> bool:
        """True if the first loss is at the floor, to within rounding; False where none is known."""
        first = self.gap(0)
        return first is not None and first <= self.at_floor

    def is_closed(self, budget: int) -> bool:
        """Return whether most of the gap to the floor is closed by then, or rounding at most."""
        first, left = self.gap(0), self.gap(budget)
        if first is None or left is None:
            return False
        return left <= max((1 - thresholds.MOST_OF_THE_WAY) * first, self.at_floor)

    def closed_formula(self, budget: int) -> str:
        """The same of the stored losses."""
        least = f"(1 - MOST_OF_THE_WAY) * {self.gap_formula(0)}"
        return f"{self.gap_formula(budget)} <= max(({least}, allowance))"

    def loss_formula(self, budget: int) -> str:
        """Return the formula of the loss after so many updates."""
        return f"losses[{self.index(budget)}]"

    def gap_formula(self, budget: int) -> str:
        """Return the formula of its distance from the floor."""
        return f"max(({self.loss_formula(budget)} - floor, 0))"

    def number(self, budget: int) -> Number:
        """The loss after so many updates, which must be there, with its source."""
        return self.told(lambda r: r.loss(budget), self.loss_formula(budget))

    def told(self, read: Callable[[Result], float | None], formula: str = "") -> Number:
        """What is read off this result, with the digits that its twins agree on."""
        value = read(self)
        assert value is not None
        digits = agreed(value, map(read, self.twins))
        return Number(value, self.cite(formula) if formula else None, digits)

    def outputs(self, budget: int) -> Array | None:
        """Outputs [rows, units] after so many updates."""
        step = self.index(budget)
        return None if step is None else self.run.trace.outputs_at(step)

    def predictions(self, budget: int) -> Array | None:
        """Predict the targets from the outputs [rows, units]: probabilities where they are logits.

        None where the run had ended, or where outputs are margins, which predict no number.
        """
        return self._predictions(self.outputs(budget))

    def wide_predictions(self, budget: int) -> Array | None:
        """The same in double precision, whatever the run's."""
        outputs = self.outputs(budget)
        return self._predictions(None if outputs is None else outputs.astype(np.float64))

    def _predictions(self, outputs: Array | None) -> Array | None:
        if outputs is None or (predict := self._predict) is None:
            return None
        with np.errstate(over="ignore"):
            return predict(outputs)

    @property
    def _predict(self) -> Callable[[Array], Array] | None:
        return PREDICTIONS.get(LOSSES[self.run.config.loss].prediction)

    @property
    def errors(self) -> Array | None:
        """Mean squared difference [shown] of predictions and targets by step, as in ``error``."""
        if self._predict is None:
            return None
        with np.errstate(over="ignore"):
            predictions = self._predict(self.run.trace.outputs)
            # In the run's own precision, so that a curve ends where a table says it does.
            targets = np.array(self.run.config.data.targets, dtype=predictions.dtype)
            found: Array = ((predictions - targets) ** 2).mean(axis=(1, 2))
        return found.astype(np.float64)

    def error(self, budget: int) -> float | None:
        """Mean squared difference of predictions and targets: one measure for every loss.

        None where the run had ended, outputs predict no number, or the square is out of bounds.
        """
        predictions = self.predictions(budget)
        if predictions is None:
            return None
        # In the run's own precision: where the loss is this very number, the two are to agree.
        targets = np.array(self.run.config.data.targets, dtype=predictions.dtype)
        with np.errstate(over="ignore"):
            found = float(np.mean((predictions - targets) ** 2))
        return found if np.isfinite(found) else None

    def error_formula(self, budget: int, run: str = "") -> str:
        """Return its formula; ``run`` is r1. or the like where a formula speaks of several."""
        own = LOSSES[self.run.config.loss].prediction == "identity"
        targets = "targets" if own else "given_targets"
        return f"mean(({run}predictions_at({self.index(budget)}) - {run}{targets}) ** 2)"

    @cached_property
    def best_round(self) -> int | None:
        """Updates after which the loss was lowest, the first if there are several.

        Of a run with mini-batches, among the steps at which the loss over all rows is known.
        """
        return int(np.nanargmin(self.losses)) if len(self.losses) else None

    def first_below(self, threshold: float) -> int | None:
        """First number of updates after which the loss is at most ``threshold``."""
        # Not in the run's precision, to which the threshold would be rounded.
        below = self.losses.astype(np.float64) <= threshold
        return int(below.argmax()) if below.any() else None

    @cached_property
    def never_moved_by_gradient(self) -> tuple[str, ...]:
        """Parameters whose gradient is exactly 0 in every round, and which stay as they are."""
        trace = self.run.trace
        if len(self.losses) < 2 or not trace.is_whole:
            return ()
        # Weight decay moves a weight without any gradient.
        silent = (trace.gradients == 0).all(axis=0) & (trace.weights == trace.weights[0]).all(
            axis=0
        )
        names = (name for name, is_silent in zip(self.names, silent, strict=True) if is_silent)
        return tuple(sorted(names, key=lambda name: (name[0] != "w", int(name[1:]))))


@dataclass(frozen=True, eq=False)
class ExperimentResults:
    """All results of one experiment, in the order of its plan.

    Attributes:
        plan: the experiment.
        results: of its trials.
        controls: runs that test explanations, by the digest of their configuration.
        names_once: whether of single runs that are the same to the last bit only the first counts.
        elsewhere: the other experiments of the lab.
    """

    plan: Plan
    results: tuple[Result, ...]
    controls: Mapping[str, Run] = field(default_factory=dict, repr=False)
    names_once: bool = False
    elsewhere: tuple[ExperimentResults, ...] = field(default=(), repr=False)

    def control(self, kind: Kind, result: Result) -> tuple[Result, ...]:
        """The runs that were made to test a conclusion from a result; none if not all are there.

        Of other starts those that were taken, which are the first ones.
        """
        if kind not in KINDS or not self.controls:
            return ()
        digests = control_digests(kind, result.run.config)
        there = [digest in self.controls for digest in digests]
        if kind == "other-starts":
            digests = digests[: there.index(False) if False in there else None]
        elif not all(there):
            return ()
        runs = (self.controls[digest] for digest in digests)
        return tuple(Result(replace(result.trial, seed=None, config=r.config), r) for r in runs)

    @cached_property
    def with_a_loss(self) -> ExperimentResults:
        """Without runs whose loss is 0 whatever their weights; itself where there are none."""
        telling = tuple(r for r in self.results if not has_no_loss(r.run.config))
        return self if len(telling) == len(self.results) else replace(self, results=telling)

    @property
    def budgets(self) -> tuple[int, ...]:
        return self.plan.budgets

    @property
    def last(self) -> int:
        """The largest budget."""
        return self.plan.budgets[-1]

    @property
    def sweeps_rounds(self) -> bool:
        """True if there is no number of rounds that all points have."""
        return any(key == "rounds" for key, _ in self.plan.axes)

    @cached_property
    def at_own_end(self) -> bool:
        """True if rounds are swept and each run is told after its own: no budget is of them all."""
        return any(r.run.config.rounds < self.last for r in self.results)

    @cached_property
    def _by_variant(self) -> dict[str, tuple[Result, ...]]:
        return {
            variant.name: tuple(r for r in self.results if r.variant == variant.name)
            for variant in self.plan.variants
        }

    def of(self, variant: str) -> tuple[Result, ...]:
        return self._by_variant[variant]

    @cached_property
    def singles(self) -> tuple[Result, ...]:
        """Results of the variants that are one run each."""
        alone = [results[0] for results in self._by_variant.values() if len(results) == 1]
        return tuple(distinct(alone) if self.names_once else alone)

    @cached_property
    def swept(self) -> Mapping[str, tuple[Result, ...]]:
        """Results of the variants that were swept, without replicates."""
        return {
            name: results
            for name, results in self._by_variant.items()
            if results and results[0].point and all(r.trial.seed is None for r in results)
        }

    @property
    def everywhere(self) -> tuple[Result, ...]:
        """Results at every point of every swept variant, without replicates."""
        return tuple(result for members in self.swept.values() for result in members)

    @cached_property
    def replicated(self) -> Mapping[str, tuple[Result, ...]]:
        """Results of the variants that were run from several seeds at one point."""
        return {
            name: results
            for name, results in self._by_variant.items()
            if len(results) > 1
            and all(r.trial.seed is not None for r in results)
            and len({r.point for r in results}) == 1
        }

    @cached_property
    def gridded(self) -> Mapping[str, Mapping[Point, tuple[Result, ...]]]:
        """Results of the variants that were swept, each point of it from several seeds."""
        found: dict[str, dict[Point, tuple[Result, ...]]] = {}
        for name, results in self._by_variant.items():
            points = dict.fromkeys(r.point for r in results)
            if len(points) > 1 and all(r.trial.seed is not None for r in results):
                found[name] = {p: tuple(r for r in results if r.point == p) for p in points}
        return found

    @cached_property
    def check(self) -> GradientCheck | None:
        """Gradients four ways; None for a comparison, or where nothing was computed."""
        if self.plan.experiment.kind != "gradient-check" or not self.results:
            return None
        run = self.results[0].run
        if not (run.trace.is_whole and len(run.trace.losses)):
            return None
        try:
            return check_gradients(run, self.plan.experiment.formula)
        except ValueError:
            # In single precision an output may be rounded into the domain of its loss.
            return None

    def against(self, result: Result) -> Result | None:
        """The single run that this one is compared with."""
        other = self.plan.against(self.plan.variant(result.variant))
        found = self.of(other.name) if other else ()
        return found[0] if len(found) == 1 else None


def distinct(results: Iterable[Result]) -> list[Result]:
    """Results without those that are the same run as an earlier one."""
    first: dict[object, Result] = {}
    return [result for result in results if first.setdefault(result.identity, result) is result]


def cite(formula: str, results: Iterable[Result]) -> Source:
    """Return the source of a fact of several runs."""
    return Source(formula, tuple(result.run.name for result in results))
