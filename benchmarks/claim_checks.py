"""For every rule: whether what its sentence says holds.

Each check reads the sentence of ``templates/languages/en.po`` (``observation.RULE.FORM``) and looks
at the stored arrays, by NumPy, stock torch and the lab's own settings. No code of a rule and no
formula is used, and thresholds stand here as the numbers of docs/observations.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from math import comb, inf, isclose
from statistics import NormalDist
from typing import Any

import numpy as np
import stock

from labreport.analysis.observation import (
    From,
    Keys,
    Names,
    Number,
    Observation,
    Part,
    Subject,
    With,
)
from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Plan, Trial
from labreport.runs.run import Run

Rows = tuple[tuple[float, ...], ...]

UNIT = {"float32": 2.0**-23, "float64": 2.0**-52}
RELATIVE = 1e-6
"""How far two ways of computing one number may be apart."""


class Effort:
    """Which of the costly checks (training again, Hessians) are made: the first, then a sample."""

    def __init__(self, first: int = 30, later: int = 10) -> None:
        self._first, self._later = first, later
        self._asked: dict[str, int] = {}

    def worth(self, what: str) -> bool:
        """Whether this one of its kind is to be made."""
        asked = self._asked[what] = self._asked.get(what, 0) + 1
        return asked <= self._first or asked % self._later == 0


@dataclass
class Seen:
    """An experiment as it was planned and stored."""

    plan: Plan
    pairs: Sequence[tuple[Trial, Run]]
    controls: Mapping[str, Run]
    effort: Effort

    def without_constant_losses(self) -> Seen:
        """Without runs of which the loss is that of the softmax of one unit: always 0."""
        pairs = [pair for pair in self.pairs if not is_constant(pair[1].config)]
        return replace(self, pairs=pairs)

    @property
    def variants(self) -> dict[str, list[tuple[Trial, Run]]]:
        found: dict[str, list[tuple[Trial, Run]]] = {}
        for trial, run in self.pairs:
            found.setdefault(trial.variant, []).append((trial, run))
        return found

    @property
    def singles(self) -> dict[str, Run]:
        """Variants that are one run."""
        return {name: p[0][1] for name, p in self.variants.items() if len(p) == 1}

    @property
    def swept(self) -> dict[str, list[tuple[Trial, Run]]]:
        """Variants with points, none of them from seeds."""
        return {
            name: members
            for name, members in self.variants.items()
            if members[0][0].point and all(t.seed is None for t, _ in members)
        }

    def all_of(self, subject: Subject) -> list[Run]:
        """The runs that a subject names."""
        return [
            run
            for trial, run in self.pairs
            if subject.variant in ("", trial.variant)
            and all(pair in trial.point for pair in subject.point)
        ]

    def run(self, subject: Any) -> Run:
        (found,) = self.all_of(subject)
        return found

    def runs(self, fact: Any) -> list[Run]:
        """The run of a subject, or of each of several."""
        return [self.run(s) for s in (fact if isinstance(fact, tuple) else (fact,))]

    def reference(self, variant: str) -> str:
        """What a variant is compared with."""
        written = next(v for v in self.plan.variants if v.name == variant)
        return written.against or self.plan.variants[0].name


Check = Callable[[Seen, Observation], bool]
LabCheck = Callable[[Sequence[Seen], Plan, Observation], bool]


# --- small words -------------------------------------------------------------------------------


def as_tuple(fact: Any) -> tuple[Any, ...]:
    """A list of facts, which is what this one is."""
    assert isinstance(fact, tuple)
    return fact


def value(fact: Any) -> Any:
    """What a fact says, without words."""
    if isinstance(fact, Names | Keys):
        return fact.values
    return fact.name if isinstance(fact, Part) else fact.value


def several(fact: Any) -> tuple[Subject, ...]:
    """The subjects of a fact; variants that say the same are told together."""
    return fact if isinstance(fact, tuple) else (fact,)


def first_of(fact: Any) -> str:
    return several(fact)[0].variant


def near(one: float, other: float, relative: float = RELATIVE) -> bool:
    """Whether two computations of one number agree."""
    return isclose(one, other, rel_tol=relative, abs_tol=1e-14)


def at(run: Run, budget: int) -> float:
    """The loss after so many updates; the run must have made them."""
    return float(run.losses[budget])


def is_constant(config: RunConfig) -> bool:
    """Whether the softmax of one unit, which is 1, makes every loss 0."""
    return config.loss == "cross_entropy" and len(config.data.targets[0]) == 1


def got_to(run: Run, budget: int) -> bool:
    return len(run.losses) > budget


def same_measure(runs: Iterable[Run]) -> bool:
    return len({measure_of(r) for r in runs}) == 1


def measure_of(run: Run) -> tuple[Any, ...]:
    """What a loss over all rows measures: its kind and the rows, in batches of whatever size."""
    data = run.config.data
    return (run.config.loss, data.inputs, data.targets)


def bottom(config: RunConfig) -> float | None:
    """The floor, tried out."""
    last = config.network.activations[-1]
    layers = config.network.layers
    linear = config.loss == "mse" and set(config.network.activations) == {"identity"}
    if linear and min(layers) >= min(layers[0], layers[-1]):
        return least_squares(config)
    return stock.lowest_loss(config.loss, config.data.targets, last)


def least_squares(config: RunConfig) -> float:
    """What is left of the targets outside of the space that the inputs span."""
    columns = [np.array(column) for column in zip(*config.data.inputs, strict=True)]
    columns += [np.ones(len(config.data.inputs))] if config.network.bias == "trained" else []
    basis: list[np.ndarray] = []
    for column in columns:
        rest = column.astype(float)
        for _ in range(2):
            for one in basis:
                rest = rest - one * (one @ rest)
        length = np.sqrt(rest @ rest)
        if length > 1e-9 * max(np.sqrt(column @ column), 1e-300):
            basis.append(rest / length)
    left = np.array(config.data.targets, dtype=float)
    for one in basis:
        left = left - np.outer(one, one @ left)
    return float(np.mean(left**2))


def above(run: Run, budget: int) -> float:
    """Distance from the floor."""
    low = bottom(run.config)
    assert low is not None
    return max(at(run, budget) - low, 0.0)


def room(run: Run) -> float:
    """What rounding may make of a loss beside its floor."""
    low = bottom(run.config) or 0.0
    return 16 * UNIT[run.config.dtype] * max(abs(low), 1e-3)


def slack(run: Run) -> float:
    """What the floor's own computation may be off by."""
    return 1e-9 * max(1.0, abs(bottom(run.config) or 0.0)) + room(run)


def names_of(config: RunConfig) -> list[str]:
    """Names of the parameters in stored order: units numbered from where weights come."""
    names, weights, biases = [], 0, 0
    for out, into in config.network.shapes:
        numbers = np.arange(out * into).reshape(into, out).T + weights + 1
        names += [f"w{n}" for n in numbers.ravel()]
        weights += out * into
        if config.network.bias == "trained":
            names += [f"b{biases + k + 1}" for k in range(out)]
            biases += out
    return names


def unit_name(config: RunConfig, layer: int, unit: int) -> str:
    """h1, h2.1, o1; layers from 0."""
    depth = len(config.network.shapes)
    if layer == depth - 1:
        return f"o{unit + 1}"
    return f"h{unit + 1}" if depth == 2 else f"h{layer + 1}.{unit + 1}"


def blocks(config: RunConfig) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each layer the positions of weights [out, in] and of biases [out or 0]."""
    found, start = [], 0
    for out, into in config.network.shapes:
        weights = np.arange(start, start + out * into).reshape(out, into)
        start += out * into
        count = out if config.network.bias == "trained" else 0
        found.append((weights, np.arange(start, start + count)))
        start += count
    return found


def changed_alone(one: RunConfig, other: RunConfig) -> set[str]:
    """Keys in which two configurations differ."""
    a, b = one.flat(), other.flat()
    return {key for key in {**a, **b} if a.get(key) != b.get(key)}


def controls_like(seen: Seen, config: RunConfig, allowed: set[str], **must: Any) -> list[Run]:
    """Controls that differ from a run in no other keys, and have these values."""
    return [
        run
        for run in seen.controls.values()
        if changed_alone(config, run.config) <= allowed
        and all(run.config.flat().get(k.replace("__", ".")) == v for k, v in must.items())
    ]


def predicted(run: Run, budget: int, dtype: str = "float64") -> np.ndarray:
    """Outputs as predictions of the targets."""
    outputs = run.trace.outputs_at(budget)
    assert outputs is not None
    wide = outputs.astype(dtype)
    match run.config.loss:
        case "cross_entropy":
            powers = np.exp(wide - wide.max(axis=1, keepdims=True))
            found: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
            return found
        case "bce_with_logits" | "multilabel_soft_margin":
            with np.errstate(over="ignore"):
                logistic: np.ndarray = 1 / (1 + np.exp(-wide))
            return logistic
        case "kl_div" | "poisson_nll":
            return np.asarray(np.exp(wide))
    return np.asarray(wide)


def squared_error(run: Run, budget: int) -> float:
    return float(np.mean((predicted(run, budget) - np.array(run.config.data.targets)) ** 2))


def sizes(run: Run) -> np.ndarray:
    """Norm of the gradient by step."""
    # Squares of the largest doubles are numbers still where the machine has longer ones.
    return np.sqrt((run.trace.gradients.astype(np.longdouble) ** 2).sum(axis=1)).astype(float)


def rose(run: Run, budget: int) -> np.ndarray:
    """In which updates the loss rose by more than rounding."""
    losses = run.losses[: budget + 1].astype(float)
    noise = 16 * UNIT[run.config.dtype] * np.maximum(np.abs(losses[:-1]), 1e-3)
    return np.asarray(np.diff(losses) > noise)


def still_there(run: Run, budget: int, allowed: float = 0.02) -> bool:
    """Whether the loss has hardly changed in the second half, whenever one looks."""
    half = run.losses[budget // 2 : budget + 1].astype(float)
    return bool(np.ptp(half) <= allowed * max(above(run, budget), room(run)) + slack(run))


def is_stuck(run: Run, budget: int, swing: float = 0.02) -> bool:
    """Far from the floor, hardly changing, with a gradient that has vanished.

    With mini-batches nobody knows of each step how far.
    """
    if not run.config.data.sees_all_rows:
        return False
    norms = sizes(run)
    # Where there never was a gradient, none has vanished.
    return (
        norms.max() > 0
        and above(run, budget) > max(0.01 * above(run, 0) * (1 - RELATIVE), slack(run))
        and norms[budget] <= 0.01 * norms.max() * (1 + RELATIVE)
        and bool(np.isfinite(norms).all())
        and still_there(run, budget, swing)
    )


def could_do_better(seen: Seen, run: Run, budget: int, lead: float = 0.99) -> bool:
    """Whether the network is known to get lower: always with one row, else by another run.

    Not if weights are to be small as well.
    """
    if run.config.flat().get("optimizer.weight_decay"):
        return False
    if len(run.config.data.inputs) == 1:
        return True
    own = (run.config.network, run.config.loss, run.config.data)
    for _, other in seen.pairs:
        alike = (other.config.network, other.config.loss, other.config.data) == own
        low = bottom(run.config) or 0.0
        lowest = lowest_of(other)
        if alike and float(lowest) - low < lead * above(run, budget):
            return True
    return False


def tossed(below: int, over: int) -> float:
    """Two-sided probability that a fair coin falls so unevenly."""
    count, few = below + over, min(below, over)
    tail = sum(comb(count, k) for k in range(few + 1)) / 2**count
    return min(1.0, 2 * tail)


# --- gradients and gradient checks -------------------------------------------------------------


def formula_named(seen: Seen, wording: Any) -> Any:
    return next(
        f
        for f in seen.plan.experiment.formula
        if (f.label.within("en") if f.label else f.name) == wording.en
    )


def by_formula(run: Run, formula: Any) -> stock.Rewrite:
    """Derivatives as a formula of the lab has them; the labs drawn use d_w…, x… and numbers."""
    names = names_of(run.config)
    # NumPy's numbers: what is divided by 0 is infinite, or no number.
    inputs = {f"x{k}": np.float64(v) for k, v in enumerate(run.config.data.inputs[0], 1)}

    def rewrite(weights: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        known = {f"d_{n}": np.float64(g) for n, g in zip(names, gradient, strict=True)}
        changed = gradient.copy()
        for name, text in formula.derivatives.items():
            changed[names.index(name)] = eval(text, {"__builtins__": {}}, {**known, **inputs})
        return changed

    return rewrite


def retrained(seen: Seen, formula: Any | None) -> stock.Told:
    ((_, run),) = seen.pairs
    rewrite = None if formula is None else by_formula(run, formula)
    start = run.trace.weights[0]
    return stock.train(run.config, start, run.trace.rounds, "float64", rewrite)


def tolerance_of(run: Run) -> float:
    return 1e-6 if run.config.dtype == "float64" else 1e-3


def lowest_of(run: Run) -> float:
    """The lowest loss over all rows that is known of a run."""
    return float(np.nanmin(run.losses)) if len(run.losses) else np.inf


def gradients_agree(seen: Seen, o: Observation) -> bool:
    ((_, run),) = seen.pairs
    counted = value(o.facts["rounds"]) <= len(run.losses)
    counted = counted and value(o.facts["count"]) == len(names_of(run.config))
    far = []
    for weights, gradient in zip(run.trace.weights, run.trace.gradients, strict=True):
        truth = stock.train(run.config, weights, 0, "float64").gradients[0]
        scale = max(1.0, float(np.abs(truth).max()), float(np.abs(weights).max()))
        *_, (_, outputs) = stock.passes(run.config, weights)
        # Derivatives are sums of such products, which may cancel.
        scale *= max(1.0, _slope_by_outputs(run, outputs))
        if run.config.loss == "bce":
            # Next to 0 and 1 its derivative by an output is 1 / (o (1 − o)), and so its rounding.
            scale /= max(float((outputs * (1 - outputs)).min()), 1e-12)
        far.append(float(np.abs(truth - gradient).max()) / scale)
    if o.form == "":
        return counted and max(far) <= tolerance_of(run)
    # What is apart is by hand or by differences from autograd, not autograd from itself.
    return counted and max(value(o.facts["hand"]), value(o.facts["differences"])) > 0


def _slope_by_outputs(run: Run, outputs: Any) -> float:
    """The largest derivative of the loss by an output."""
    moved = stock.torch.tensor(np.asarray(outputs), dtype=stock.torch.float64, requires_grad=True)
    wanted = stock.torch.tensor(run.config.data.targets, dtype=stock.torch.float64)
    stock.LOSSES[run.config.loss]()(moved, wanted).backward()
    return float(moved.grad.abs().max())


def clamped_gradients(seen: Seen, o: Observation) -> bool:
    """Autograd is another number than the derivative where a unit's output is at its end."""
    ((_, run),) = seen.pairs
    step, (name,) = int(value(o.facts["round"])) - 1, value(o.facts["weight"])
    index = names_of(run.config).index(name)
    told = float(run.trace.gradients[step, index])
    by_differences = slope_of(run, step, index)
    right = value(o.facts["right"])
    return (
        value(o.facts["made"]) == told
        and abs(told - right) > 1e-5 * abs(right)
        and (by_differences is None or near(by_differences, right, 1e-2))
        and 0 < value(o.facts["count"]) <= value(o.facts["total"]) == len(run.losses)
    )


def slope_of(run: Run, step: int, index: int) -> float | None:
    """The derivative by one weight, of binary cross entropy written with logits; else None."""
    config = run.config
    if config.loss != "bce" or config.network.activations[-1] != "sigmoid":
        return None
    layers = [*config.network.activations[:-1], "identity"]
    network = config.network.model_copy(update={"activations": tuple(layers)})
    plain = config.model_copy(update={"loss": "bce_with_logits", "network": network})
    found = stock.train(plain, run.trace.weights[step], 0, "float64").gradients[0]
    return float(found[index])


def open_formula(seen: Seen, o: Observation) -> bool:
    """The derivatives that a formula replaces are next to nothing beside their own terms."""
    ((_, run),) = seen.pairs
    formula = formula_named(seen, o.facts["label"])
    unseen = value(o.facts["weights"])
    places = [names_of(run.config).index(name) for name in unseen]
    largest = float(np.abs(run.trace.gradients[:, places]).max(initial=0.0))
    whole = max(1.0, float(np.abs(run.trace.weights).max()))
    return (
        set(unseen) <= set(formula.derivatives)
        and value(o.facts["count"]) == len(unseen)
        and largest <= 1e-6 * whole
    )


LEAST_DERIVATIVE = 1e-60


def wrong_formula(seen: Seen, o: Observation) -> bool:
    ((_, run),) = seen.pairs
    formula = formula_named(seen, o.facts["label"])
    step = value(o.facts["round"]) - 1
    (name,) = value(o.facts["weight"])
    position = names_of(run.config).index(name)
    told = stock.train(run.config, run.trace.weights[step], 0, "float64").gradients[0]
    made = by_formula(run, formula)(run.trace.weights[step], told)[position]
    right = float(told[position])
    # Of a sum that cancels, rounding is left; of one of numbers about 1, that of these.
    room = 1e-12 * float(np.abs(told).max()) + 1e-15
    reason = formula.reason.within("en") == o.facts["reason"].en if o.form == "" else True  # type: ignore[union-attr]
    if abs(right) < LEAST_DERIVATIVE:
        # Of so small a number autograd knows no digit: the factor 1 − σ is rounded to 0 before.
        return bool(reason and abs(value(o.facts["right"])) < LEAST_DERIVATIVE)
    return bool(
        reason
        and isclose(value(o.facts["right"]), right, rel_tol=1e-3, abs_tol=room)
        and (
            near(value(o.facts["made"]), made, 1e-5)
            or not np.isfinite([value(o.facts["made"]), made]).any()
        )
        and not isclose(made, right, rel_tol=1e-7)
    )


def right_formula(seen: Seen, o: Observation) -> bool:
    ((_, run),) = seen.pairs
    labels, wrong = o.facts.get("labels", ()), o.facts.get("wrong", ())
    assert isinstance(labels, tuple)
    assert isinstance(wrong, tuple)
    told = (value(o.facts["count"]), value(o.facts["total"]))
    return (
        told == (len(labels), len(labels) + len(wrong))
        and all(_is_right(run, formula_named(seen, label)) for label in labels)
        and all(_is_wrong(run, formula_named(seen, label)) for label in wrong)
    )


def _is_wrong(run: Run, formula: Any) -> bool:
    """Whether a formula gives other derivatives than autograd somewhere on the way."""
    replaced = [names_of(run.config).index(name) for name in formula.derivatives]
    for weights in run.trace.weights:
        truth = stock.train(run.config, weights, 0, "float64").gradients[0]
        made = by_formula(run, formula)(weights, truth)
        if not np.allclose(made[replaced], truth[replaced], rtol=1e-9, atol=0):
            return True
        if (np.abs(truth[replaced]) < LEAST_DERIVATIVE).any():
            return True
    return False


def _is_right(run: Run, formula: Any) -> bool:
    """Whether a formula gives the derivatives that it replaces where these are largest."""
    replaced = [names_of(run.config).index(name) for name in formula.derivatives]
    step = int(np.abs(run.trace.gradients[:, replaced]).max(axis=1).argmax())
    truth = stock.train(run.config, run.trace.weights[step], 0, "float64").gradients[0]
    made = by_formula(run, formula)(run.trace.weights[step], truth)
    return bool(np.allclose(made[replaced], truth[replaced], rtol=1e-2))


def falling_loss(seen: Seen, o: Observation) -> bool:
    truth = retrained(seen, None)
    right = float(truth.losses[-1])
    ok = near(value(o.facts["right"]), right, 1e-4)
    lower = {w.en for w in o.facts.get("lower", ())}  # type: ignore[union-attr]
    for told in o.facts["losses"]:  # type: ignore[union-attr]
        losses = retrained(seen, formula_named(seen, told.what)).losses  # type: ignore[union-attr]
        ok = ok and len(losses) == value(o.facts["budget"]) + 1
        ok = ok and all(b < a + 1e-12 for a, b in pairwise(losses))
        ok = ok and near(value(told.detail), losses[-1], 1e-4)  # type: ignore[union-attr]
        ok = ok and (told.what.en in lower) == (losses[-1] < right)  # type: ignore[union-attr]
    return ok


def shown_decimals(seen: Seen, o: Observation) -> bool:
    truth = retrained(seen, None).gradients

    def first(wording: Any) -> int | None:
        made = retrained(seen, formula_named(seen, wording)).gradients
        for k, (one, other) in enumerate(zip(made, truth, strict=False), 1):
            # A number half-way between two printed ones is either.
            halfway = [abs(v * 100 % 1 - 0.5) < 1e-6 for v in (one, other)]
            differ = (np.round(one, 2) != np.round(other, 2)) & ~np.logical_or(*halfway)
            if (differ | (np.abs(one - other) > 0.0101)).any():
                return k
        return None if len(made) == len(truth) else min(len(made), len(truth)) + 1

    # From where on a clamp of torch makes autograd's gradient 0, it is no measure.
    clamped = next((k for k, each in enumerate(truth, 1) if not np.any(each)), len(truth) + 1)
    shown = all(
        value(w.detail) == first(w.what) or value(w.detail) >= clamped
        for w in o.facts.get("shown", ())  # type: ignore[union-attr]
    )
    return shown and all(first(w) is None for w in o.facts.get("hidden", ()))  # type: ignore[union-attr]


def untouched(run: Run) -> set[str]:
    """Parameters without a gradient and without a move in any round."""
    still = (run.trace.gradients == 0).all(axis=0) & (np.ptp(run.trace.weights, axis=0) == 0)
    return {n for n, s in zip(names_of(run.config), still, strict=True) if s}


def dead(run: Run) -> set[str]:
    """ReLU units with sums of at most 0 at the start, into which no gradient ever comes."""
    found = set()
    for layer, (sums, _) in enumerate(stock.passes(run.config, run.trace.weights[0])):
        if run.config.network.activations[layer] != "relu":
            continue
        weights, _ = blocks(run.config)[layer]
        for unit in range(len(weights)):
            quiet = (run.trace.gradients[:, weights[unit]] == 0).all()
            if quiet and (sums[:, unit] <= 0).all():
                found.add(unit_name(run.config, layer, unit))
    return found


def silent_weights(seen: Seen, o: Observation) -> bool:
    names = set(value(o.facts["names"]))
    return all(
        names <= untouched(run)
        and value(o.facts["count"]) == len(names)
        and value(o.facts["total"]) == len(names_of(run.config))
        and value(o.facts["rounds"]) == run.trace.rounds
        and _is_cause(run, o.form, set(value(o.facts["units"])), names)
        for run in seen.runs(o.facts["subject"])
    )


def _is_cause(run: Run, form: str, units: set[str], names: set[str]) -> bool:
    """Whether the cause is there, and explains each of these parameters."""
    ends: dict[str, set[str]] = {name: set() for name in names_of(run.config)}
    stored = names_of(run.config)
    for layer, (weights, biases) in enumerate(blocks(run.config)):
        for unit in range(len(weights)):
            target = unit_name(run.config, layer, unit)
            for source, place in enumerate(weights[unit]):
                before = (
                    f"x{source + 1}" if layer == 0 else unit_name(run.config, layer - 1, source)
                )
                ends[stored[place]] = {before, target}
            if len(biases):
                ends[stored[biases[unit]]] = {target}
    touched = all(ends[name] & units for name in names)
    if form == "dead":
        return dead(run) == units and touched
    if form == "input":
        inputs = np.array(run.config.data.inputs)
        zero = {f"x{k + 1}" for k in np.flatnonzero((inputs == 0).all(axis=0))}
        hidden = {u for u in units if not u.startswith("x")}
        return {u for u in units if u.startswith("x")} <= zero and touched and hidden <= _zero(run)
    return touched if form == "blocked" else not units and form in ("", "rows")


def _zero(run: Run) -> set[str]:
    """Units that give exactly 0 for every row before training."""
    return {
        unit_name(run.config, layer, unit)
        for layer, (_, made) in enumerate(stock.passes(run.config, run.trace.weights[0]))
        for unit in np.flatnonzero((made == 0).all(axis=0))
    }


def revived(seen: Seen, o: Observation) -> bool:
    counted = value(o.facts["count"])
    for run in seen.runs(o.facts["subject"]):
        allowed = {k for k in {**run.config.flat()} if k.startswith("initial.")} | {"seed"}
        starts = controls_like(seen, run.config, allowed | {"initial.scheme"})
        starts = [s for s in starts if s.config.initial.scheme == "pytorch" and s.config.seed < 20]
        # A start that ended at once has no round in which a unit could be dead or alive.
        starts = [s for s in starts if len(s.losses)]
        alive = sum(not dead(s) for s in starts)
        form = "all" if alive == counted else "some" if alive else "none"
        if len(starts) != counted or alive != value(o.facts["alive"]) or form != o.form:
            return False
        if dead(run) != set(value(o.facts["units"])):
            return False
    return True


def stuck(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for run in seen.runs(o.facts["subject"]):
        norms, low = sizes(run), bottom(run.config)
        numbers = (
            value(o.facts["loss"]) == at(run, budget)
            and low is not None
            and near(value(o.facts["floor"]), low, 1e-6)
            and near(value(o.facts["norm"]), norms[budget])
            and near(value(o.facts["largest"]), norms.max())
        )
        if not (numbers and is_stuck(run, budget) and could_do_better(seen, run, budget)):
            return False
        if o.form == "rows":
            told = o.facts["better"]
            assert isinstance(told, With)
            lowest = min(lowest_of(r) for r in seen.all_of(told.what))
            if value(told.detail) != lowest:
                return False
        if o.form == "sigmoid":
            outputs = run.trace.outputs_at(budget)
            assert outputs is not None
            wide = outputs.astype(float).ravel()
            told = [value(n) for n in o.facts["outputs"]]  # type: ignore[union-attr]
            if told != wide.tolist() or not near(
                value(o.facts["slope"]), float((wide * (1 - wide)).max())
            ):
                return False
    return True


def stuck_points(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    everywhere = [run for members in seen.swept.values() for _, run in members]
    told = points_told(seen, o.facts["subjects"])
    stopped = all(is_stuck(run, budget) and could_do_better(seen, run, budget) for run in told)
    count, lowest = value(o.facts["count"]), min(at(run, budget) for run in told)
    return (
        stopped
        and value(o.facts["total"]) == len(everywhere)
        and (count > len(told) if o.form == "more" else count == len(told))
        and (value(o.facts["lowest"]) <= lowest)
        and (o.form == "more" or value(o.facts["lowest"]) == lowest)
    )


def saturated(run: Run, step: int) -> tuple[int, int]:
    """Pairs of a hidden unit and a row where the activation is nearly flat, of how many."""
    flat = total = 0
    weights = run.trace.weights_at(step)
    assert weights is not None
    names = run.config.network.activations
    layers = list(stock.passes(run.config, weights))[:-1]
    for name, (sums, _) in zip(names, layers, strict=False):
        if name in ("sigmoid", "tanh"):
            half = np.abs(sums) / (2 if name == "sigmoid" else 1)
            with np.errstate(over="ignore"):
                share = 1 / np.cosh(half) ** 2
            flat += int((share < 0.01).sum())
            total += share.size
    return flat, total


def saturated_units(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for run in seen.runs(o.facts["subject"]):
        (flat, total), (before, _) = saturated(run, budget), saturated(run, 0)
        said = o.facts["saturated"]
        if (said.value, said.total) != (flat, total):  # type: ignore[union-attr]
            return False
        if not near(value(o.facts["share"]), flat / total) or flat / total < 0.25:
            return False
        if not near(value(o.facts["start"]), before / total):
            return False
    return True


def layer_gradients(seen: Seen, o: Observation) -> bool:
    for run in seen.runs(o.facts["subject"]):
        # In long double, whose range no square of a number of these leaves.
        gradient = run.trace.gradients[0].astype(np.longdouble)
        sizes_of = [float(np.sqrt(np.mean(gradient[w] ** 2))) for w, _ in blocks(run.config)]
        told = [value(n) for n in o.facts["layers"] if isinstance(n, Number)]  # type: ignore[union-attr]
        # Of many layers the first and the last ones are told.
        ends = sizes_of
        if len(told) < len(sizes_of):
            ends = [*sizes_of[: len(told) // 2], *sizes_of[-(len(told) - len(told) // 2) :]]
        if not all(near(a, b) for a, b in zip(told, ends, strict=True)):
            return False
        pair = (sizes_of[-1], sizes_of[0]) if o.form == "vanishing" else (sizes_of[0], sizes_of[-1])
        times = pair[0] / pair[1]
        if not near(value(o.facts["times"]), times) or times < 10 * (1 - RELATIVE):
            return False
    return True


# --- equal runs and explanations ---------------------------------------------------------------


def same_bits(one: Run, other: Run) -> bool:
    return np.array_equal(one.trace.losses, other.trace.losses) and np.array_equal(
        one.trace.weights, other.trace.weights
    )


def coincide(seen: Seen, o: Observation) -> bool:
    if o.form == "same":
        # Variants that are names for one training may each be several runs.
        alike = [[r.config.digest for r in seen.all_of(s)] for s in as_tuple(o.facts["subjects"])]
        return len(alike) > 1 and all(one == alike[0] for one in alike)
    named = ("subjects",) if not o.form else ("subject", "other")
    first, *others = (run for name in named for run in seen.runs(o.facts[name]))
    return (
        all(same_bits(first, r) and r.trace.is_whole for r in others)
        and any(first.config.digest != r.config.digest for r in others)
        and value(o.facts["rounds"]) == first.trace.rounds
        and np.ptp(first.trace.weights, axis=0).any()
        and (o.form != "key" or _one_change(first, others[0], value(o.facts["keys"])))
        and (o.form != "momentum" or _summed(first, others[0]))
    )


def _one_change(one: Run, other: Run, keys: tuple[str, ...]) -> bool:
    """Whether two configurations differ in what this key brings along, and in nothing else."""
    (key,) = keys
    a, b = one.config.flat(), other.config.flat()
    differ = {k for k in {*a, *b} if a.get(k) != b.get(k)}
    table = f"{key.split('.')[0]}." if key in ("optimizer.name", "initial.scheme") else key
    return key in differ and all(k.startswith(table) for k in differ)


def _summed(one: Run, other: Run) -> bool:
    """Whether one never clears its gradients, and the other has a momentum of 1 in its place."""
    a, b = one.config.flat(), other.config.flat()
    differ = {k for k in {*a, *b} if a.get(k) != b.get(k)}
    gradients = (a["gradients"], b["gradients"]) == ("accumulated", "cleared")
    momenta = (a["optimizer.momentum"], b["optimizer.momentum"]) == (0, 1)
    plain = a["optimizer.name"] == "sgd" and not b["optimizer.dampening"]
    allowed = {"gradients", "optimizer.momentum", "optimizer.dampening"}
    return gradients and momenta and plain and differ <= allowed


def undamped(seen: Seen, o: Observation) -> bool:
    for run in seen.runs(o.facts["subject"]):
        allowed = {"gradients", "optimizer.momentum", "optimizer.dampening"}
        made = controls_like(
            seen, run.config, allowed, gradients="cleared", optimizer__momentum=1.0
        )
        made = [c for c in made if not c.config.flat()["optimizer.dampening"]]
        if not made or not same_bits(run, made[0]):
            return False
        if run.config.gradients != "accumulated" or value(o.facts["rounds"]) != run.trace.rounds:
            return False
        if run.config.data.batch_size is None and seen.effort.worth("undamped"):
            few = min(3, run.trace.rounds)
            told = stock.train(made[0].config, run.trace.weights[0], few)
            if not np.allclose(told.losses, run.losses[: few + 1], rtol=1e-3):
                return False
    return True


def linear_reaches(seen: Seen, o: Observation) -> bool:
    budget, low = value(o.facts["budget"]), value(o.facts["floor"])
    if o.form.startswith("base"):
        told = [(seen.pairs[0][1], value(o.facts["given"]), value(o.facts["linear"]))]
    else:
        told = [
            (seen.run(w.what), *(value(n) for n in w.detail))  # type: ignore[union-attr]
            for w in o.facts["losses"]  # type: ignore[union-attr]
        ]
    for run, given, linear in told:
        mine = bottom(run.config)
        controls = controls_like(seen, run.config, {"network.activations"})
        linear_one = (*run.config.network.activations[:-1], "identity")
        controls = [c for c in controls if c.config.network.activations == linear_one]
        inside = stock.output_range(run.config.network.activations[-1])
        missed = [
            t for row in run.config.data.targets for t in row if not inside[0] <= t <= inside[1]
        ]
        if mine is None or not near(mine, low) or not missed or not controls:
            return False
        if at(run, budget) != given or at(controls[0], budget) != linear:
            return False
        if (linear < low) == o.form.endswith("open"):
            return False
        if seen.effort.worth("linear") and budget <= 60:
            # A few steps: wild settings magnify every rounding.
            # With mini-batches an update sees some rows only: of the start alone all are known.
            few = 0 if controls[0].config.data.batch_size else min(budget, 1)
            again = stock.train(controls[0].config, controls[0].trace.weights[0], few)
            kept = controls[0].losses[: len(again.losses)]
            if not np.allclose(again.losses[: len(kept)], kept, rtol=1e-2):
                return False
    return True


def equal_start(seen: Seen, o: Observation) -> bool:
    high = seen.run(o.facts["other"])
    if not o.form.endswith("-many"):
        return all(_equal_start(seen, o, low, high) for low in seen.runs(o.facts["subject"]))
    budgets = [value(r) for r in as_tuple(o.facts["budgets"])]
    leads = as_tuple(o.facts["leads"])
    low_runs = seen.runs(o.facts["subjects"])
    if not 3 <= len(leads) == len(low_runs) == value(o.facts["count"]):
        return False
    form = o.form.removesuffix("-many")
    for lead, low in zip(leads, low_runs, strict=True):
        start, updates, *shares = as_tuple(lead.detail)
        gone = _gone(low, high, value(updates), budgets)
        if not (
            seen.run(lead.what).name == low.name
            and gone is not None
            and same_measure((low, high))
            and value(start) == at(low, 0) < at(high, 0)
            and _comes_down(high, value(updates), at(low, 0))
            and _how_much(gone) == form
            and len(shares) == (0 if form == "gone" else len(gone))
            and all(near(value(s), part, 1e-5) for s, part in zip(shares, gone, strict=False))
        ):
            return False
    return True


def _gone(low: Run, high: Run, step: int, budgets: Sequence[int]) -> list[float] | None:
    """How much of each lead is gone from an equal loss; none where one of them is no lead."""
    gone = []
    for rounds in budgets:
        mine, same, theirs = at(low, rounds), at(high, rounds), at(high, step + rounds)
        if not mine < same:
            return None
        gone.append(1 - (theirs - mine) / (same - mine))
    return gone


def _comes_down(high: Run, step: int, start: float) -> bool:
    losses = high.losses
    return bool(losses[step] <= start < losses[:step].min())


def _how_much(gone: Sequence[float]) -> str:
    kinds = {"kept" if part <= 0.5 else "mostly" if part < 1 else "gone" for part in gone}
    return kinds.pop() if len(kinds) == 1 else "mixed" if "kept" in kinds else "mostly"


def _equal_start(seen: Seen, o: Observation, low: Run, high: Run) -> bool:
    step = value(o.facts["updates"])
    shares = {value(w.what): value(w.detail) for w in as_tuple(o.facts["gone"])}
    gone = _gone(low, high, step, tuple(shares))
    if gone is None:
        return False
    first = min(shares)
    told = tuple(value(o.facts[k]) for k in ("mine", "same", "theirs", "start"))
    if seen.effort.worth("equal-start"):
        again = stock.train(high.config, high.trace.weights[step], first)
        if not isclose(again.losses[-1], at(high, step + first), rel_tol=1e-2, abs_tol=1e-6):
            return False
    return (
        same_measure((low, high))
        and value(o.facts["rounds"]) == first
        and told == (at(low, first), at(high, first), at(high, step + first), at(low, 0))
        and at(low, 0) < at(high, 0)
        and _comes_down(high, step, at(low, 0))
        and all(near(s, part, 1e-5) for s, part in zip(shares.values(), gone, strict=True))
        and o.form == _how_much(gone)
    )


# --- targets and floors ------------------------------------------------------------------------


def refused(seen: Seen, o: Observation) -> bool:
    return all(
        run.trace.ending.kind == "refused"
        and value(o.facts["message"]) == run.trace.ending.message
        and value(o.facts["round"]) == len(run.losses) + 1
        and value(o.facts["loss"]) == run.config.loss
        and _refuses(run)
        for run in seen.runs(o.facts["subject"])
    )


def _refuses(run: Run) -> bool:
    """Whether stock torch raises that error for these targets, or for outputs like these."""
    module = stock.LOSSES[run.config.loss]()
    targets = stock.torch.tensor(run.config.data.targets)
    fine = stock.torch.full_like(targets, 0.5)
    for outputs, wanted in ((fine, targets), (fine + 1.5, fine)):
        try:
            module(outputs, wanted)
        except (RuntimeError, ValueError) as error:
            if f"{type(error).__name__}: {error}" == run.trace.ending.message:
                return True
    return False


def unreachable_target(seen: Seen, o: Observation) -> bool:
    based = o.form.startswith("base")
    runs = [seen.pairs[0][1]] if based else seen.runs(o.facts["subjects"])
    for run in runs:
        activation = run.config.network.activations[-1]
        low, high = stock.output_range(activation)
        (name,) = value(o.facts["unit"])
        unit = int(name[1:]) - 1
        target, mine = value(o.facts["target"]), bottom(run.config)
        said = (value(o.facts["low"]), value(o.facts["high"]))
        outputs = run.trace.outputs
        floor_holds = not len(run.losses) or (
            mine is not None and lowest_of(run) >= mine - slack(run)
        )
        ok = (
            value(o.facts["activation"]) == activation
            and value(o.facts["loss"]) == run.config.loss
            and any(row[unit] == target for row in run.config.data.targets)
            and not low - 1e-9 <= target <= high + 1e-9
            and all(a == b or abs(a - b) < 1e-6 for a, b in zip(said, (low, high), strict=True))
            and near(value(o.facts["nearest"]), min(max(target, low), high), 1e-5)
            and mine is not None
            and near(value(o.facts["floor"]), mine)
            and floor_holds
            and (o.form.endswith("half") == (high == np.inf))
            and (not outputs.size or (outputs.min() >= low - 1e-6 and outputs.max() <= high + 1e-6))
        )
        if not ok:
            return False
    return True


def floor_above_zero(seen: Seen, o: Observation) -> bool:
    for run in seen.runs(o.facts["subject"]):
        targets = np.array(run.config.data.targets)
        budget, told = value(o.facts["budget"]), value(o.facts["floor"])
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.nan_to_num(targets * np.log(targets), nan=0.0)
            terms = terms + np.nan_to_num((1 - targets) * np.log(1 - targets), nan=0.0)
        as_target = stock.torch.tensor(targets)
        loss = float(stock.LOSSES[run.config.loss]()(as_target, as_target))
        distance = abs(at(run, budget) - told)
        reached = distance <= room(run) * (1 + 1e-3)
        if not (near(told, -float(terms.mean())) and near(told, loss) and told > 0):
            return False
        if value(o.facts["value"]) != at(run, budget) or (o.form == "reached") != reached:
            return False
        if lowest_of(run) < told - slack(run):
            return False
    return True


def distance_to_floor(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    if o.form.startswith("reached"):
        runs = seen.runs(o.facts["subjects"])
        right = (o.form == "reached") == (len(runs) > 1)
        return right and all(
            bottom(r.config) is not None and above(r, budget) <= slack(r) for r in runs
        )
    told = [(seen.run(w.what), value(w.detail)) for w in o.facts["distances"]]  # type: ignore[union-attr]
    distances = [distance for _, distance in told]
    return distances == sorted(distances) and all(
        abs(distance - above(run, budget)) <= RELATIVE * distance + slack(run)
        for run, distance in told
    )


# --- course of training ------------------------------------------------------------------------


def overshoot(seen: Seen, o: Observation) -> bool:
    budget, best = value(o.facts["budget"]), value(o.facts["updates"])
    return all(
        value(o.facts["lowest"]) == at(run, best) == run.losses[: budget + 1].min()
        and best < budget
        and best == int(np.argmin(run.losses[: budget + 1]))
        and value(o.facts["final"]) == at(run, budget) > at(run, best)
        and above(run, budget) > 1.5 * above(run, best) - slack(run)
        for run in seen.runs(o.facts["subject"])
    )


def monotone(seen: Seen, o: Observation) -> bool:
    runs = seen.runs(o.facts["subjects"])
    rounds = value(o.facts["rounds"])
    ok = all(bool((np.diff(r.losses) <= 0).all()) for r in runs)
    ok = ok and rounds == min(r.trace.rounds for r in runs)
    if o.form == "all":
        # For any variant: also for those that are more than a run, or that ended at once.
        ok = ok and all(
            len(run.losses) > rounds and bool((np.diff(run.losses[: rounds + 1]) <= 0).all())
            for _, run in seen.pairs
        )
    return ok


def largest_move(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for told in o.facts["moves"]:  # type: ignore[union-attr]
        run = seen.run(told.what)  # type: ignore[union-attr]
        last = run.trace.weights_at(budget)
        assert last is not None
        moved = last.astype(float) - run.trace.weights[0].astype(float)
        named, distance = told.detail  # type: ignore[union-attr]
        position = names_of(run.config).index(value(named)[0])
        if value(distance) != moved[position] or abs(moved[position]) != np.abs(moved).max():
            return False
    return True


def path(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])

    def walked(run: Run) -> tuple[float, float, int]:
        weights = run.trace.weights[: budget + 1].astype(float)
        steps = np.diff(weights, axis=0)
        lengths = np.sqrt((steps**2).sum(axis=1))
        back = (steps[:-1] * steps[1:]).sum(axis=1) < 0
        distance = float(np.sqrt(((weights[-1] - weights[0]) ** 2).sum()))
        return float(lengths.sum()), distance, int(back.sum())

    if o.form == "straight":
        ratios = {name: w[0] / w[1] for name, r in seen.singles.items() if (w := walked(r))[1]}
        longest = walked(seen.run(o.facts["subject"]))
        return (
            near(value(o.facts["ratio"]), longest[0] / longest[1])
            and max(ratios.values()) <= value(o.facts["ratio"]) * (1 + RELATIVE)
            and value(o.facts["ratio"]) <= 1.05 * (1 + RELATIVE)
            # Of all variants.
            and value(o.facts["count"]) == len(seen.variants)
        )
    for run in seen.runs(o.facts["subject"]):
        length, distance, turns = walked(run)
        said = value(o.facts["turns"])
        # Turns of steps that are nothing but rounding are not counted.
        if not (near(value(o.facts["length"]), length) and said <= turns):
            return False
        if not near(value(o.facts["distance"]), distance) or length < 1.5 * distance * (1 - 1e-9):
            return False
        if not near(value(o.facts["ratio"]), length / distance):
            return False
    return True


def sign_changes(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for told in o.facts["weights"]:  # type: ignore[union-attr]
        run = seen.run(told.what)  # type: ignore[union-attr]
        last = run.trace.weights_at(budget)
        assert last is not None
        first = run.trace.weights[0]
        crossed = ((first > 0) & (last < 0)) | ((first < 0) & (last > 0))
        changed = {n for n, c in zip(names_of(run.config), crossed, strict=True) if c}
        if set(value(told.detail)) != changed:  # type: ignore[union-attr]
            return False
    return True


def frozen(seen: Seen, o: Observation) -> bool:
    for run in seen.runs(o.facts["subject"]):
        trace = run.trace
        still = all(np.array_equal(step, trace.weights[0]) for step in trace.weights)
        norm = float(np.sqrt(sum(float(g) ** 2 for g in trace.gradients[0])))
        ok = still and bool(trace.gradients.any()) and near(value(o.facts["norm"]), norm)
        ok = ok and value(o.facts["rounds"]) == len(trace.losses) - 1
        ok = ok and (o.form == "rate") == (run.config.optimizer.learning_rate == 0)
        if not (ok and value(o.facts["value"]) == run.losses[-1]):
            return False
    return True


def unbounded(seen: Seen, o: Observation) -> bool:
    """Far enough out there is an output with a loss below any that was met."""
    budget = value(o.facts["budget"])
    for run in seen.runs(o.facts["subject"]):
        module, wanted = (
            stock.LOSSES[run.config.loss](),
            stock.torch.tensor(run.config.data.targets, dtype=stock.torch.float64),
        )
        activation = stock.MODULES[run.config.network.activations[-1]]()
        outputs = stock.torch.zeros_like(wanted)
        # Farther out than the run has come, by far: it may be one number of hundreds, and a leaky
        # unit leaves a hundredth of it.
        far = 1e9 * (1 + float(np.nanmax(np.abs(run.losses))))
        for place in np.ndindex(tuple(wanted.shape)):
            tried = []
            for sums in (-far, 0.0, far):
                outputs[place] = sums
                tried.append((float(module(activation(outputs), wanted)), sums))
            outputs[place] = min(tried)[1]
        lowest = float(module(activation(outputs), wanted))
        final = at(run, budget)
        ok = lowest < -100 and lowest < lowest_of(run)
        ok = ok and value(o.facts["value"]) == final
        ok = ok and value(o.facts["start"]) == run.losses[0]
        if not (ok and (o.form == "negative") == (final < 0)):
            return False
    return True


def float_limit(seen: Seen, o: Observation) -> bool:
    budget, still = value(o.facts["budget"]), value(o.facts["updates"])
    for run in seen.runs(o.facts["subject"]):
        weights, gradients = run.trace.weights[: budget + 1], run.trace.gradients[: budget + 1]
        moved = weights[still - 1] != weights[still]
        noise = 16 * UNIT[run.config.dtype] * max(abs(at(run, budget)), 1e-3)
        ok = (
            bool((weights[still:] == weights[still]).all())
            and bool(moved.any())
            and near(value(o.facts["share"]), (budget - still) / budget)
            and (budget - still) / budget >= 0.1
            and value(o.facts["loss"]) == at(run, budget)
            and value(o.facts["type"]) == run.config.dtype
            # All rows in another order are the same sum but for rounding.
            and np.ptp(run.losses[still : budget + 1].astype(float)) <= 2 * noise
        )
        if o.form == "no-gradient":
            ok = ok and not gradients[still:].any()
        else:
            ok = ok and near(value(o.facts["norm"]), sizes(run)[budget])
            ok = ok and value(o.facts["norm"]) > 0 and _too_small(run, still)
        if not ok:
            return False
    return True


def _too_small(run: Run, step: int) -> bool:
    """Whether an update at that step is lost in rounding; looked at for plain descent."""
    optimizer = run.config.optimizer
    plain = optimizer.name == "sgd" and not optimizer.momentum and not optimizer.weight_decay
    if not plain or run.config.gradients != "cleared" or run.config.data.batch_size is not None:
        return True
    gradient = run.trace.gradients[step].astype(float) * optimizer.learning_rate
    spacing = np.spacing(np.abs(run.trace.weights[step])).astype(float)
    return bool((np.abs(gradient) <= spacing).all())


def oscillation(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for run in seen.runs(o.facts["subject"]):
        losses = run.losses[: budget + 1].astype(float)
        changes = np.diff(losses)
        noise = 16 * UNIT[run.config.dtype] * np.maximum(np.abs(losses[:-1]), 1e-3)
        strict = np.sign(changes[changes != 0])
        turns = int((strict[1:] != strict[:-1]).sum())
        quiet = bool((np.abs(changes[changes != 0]) > 2 * noise[changes != 0]).all())
        said, turned = o.facts["rises"], value(o.facts["turns"])
        ok = said.total == budget and said.value <= (changes > 0).sum() and turned <= turns  # type: ignore[union-attr]
        if quiet:
            ok = ok and said.value == (changes > 0).sum() and turned == turns  # type: ignore[union-attr]
        ok = ok and value(o.facts["final"]) == losses[-1] and turned >= 6
        if o.form == "":
            updates = value(o.facts["updates"])
            ok = ok and losses.min() == value(o.facts["lowest"]) == losses[updates]
            ok = ok and losses[-1] > losses.min()
        else:
            ok = ok and losses[-1] == losses.min() and value(o.facts["before"]) == losses[-2]
        if not ok:
            return False
    return True


def plateau(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    first, last = value(o.facts["first"]) - 1, value(o.facts["last"]) - 1
    for run in seen.runs(o.facts["subject"]):
        losses = run.losses[: budget + 1].astype(float)
        whole, flat = np.ptp(losses), losses[first : last + 1]
        after = losses[last:].min()
        ok = (
            np.ptp(flat) < 0.01 * whole
            and (value(o.facts["before"]), value(o.facts["after"])) == (flat[0], flat[-1])
            and value(o.facts["lowest"]) == after
            and last - first >= budget / 3
            and flat[-1] - after >= 0.1 * whole * (1 - RELATIVE)
        )
        if not ok:
            return False
    return True


def still_falling(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    if o.form == "many":
        return still_falling_of_many(seen, o)
    told = [w for w in o.facts["falls"] if isinstance(w, With)]  # type: ignore[union-attr]
    for fall in told:
        run = seen.run(fall.what)
        known = np.flatnonzero(np.isfinite(run.losses[: budget + 1]))
        start = int(known[known <= budget - budget // 10][-1])
        if o.form == "loss" or bottom(run.config) is None:
            before, after = at(run, start), at(run, budget)
        else:
            before, after = above(run, start), above(run, budget)
        fell = at(run, start) - at(run, budget)
        off = 2 * slack(run) / before if o.form != "loss" else 0.0
        if abs(value(fall.detail) - (before - after) / before) > RELATIVE + off:
            return False
        if fell <= 0 or not keeps_falling(run, start, budget):
            return False
    count = value(o.facts["count"])
    return bool(count == len(told))


def keeps_falling(run: Run, start: int, step: int) -> bool:
    """Whether no known loss of a stretch is above the one before it by more than rounding."""
    part = run.losses[start : step + 1].astype(float)
    part = part[np.isfinite(part)]
    noise = 16 * UNIT[run.config.dtype] * np.maximum(np.abs(part[:-1]), 1e-3)
    return bool((np.diff(part) <= noise).all())


def still_falling_of_many(seen: Seen, o: Observation) -> bool:
    """Where a floor is tried out of which the rule knows nothing, either share will do."""
    budget = value(o.facts["budget"])
    shares: list[tuple[list[float], float, bool]] = []
    runs = [run for trial, run in seen.pairs if trial.variant not in seen.singles]
    for run in runs:
        known = np.flatnonzero(np.isfinite(run.losses[: budget + 1]))
        if not got_to(run, budget) or budget < 10:
            continue
        start = int(known[known <= budget - budget // 10][-1])
        if (known >= start).sum() < 3 and not run.config.data.sees_all_rows:
            # Two losses over all rows show no course.
            continue
        noise = 16 * UNIT[run.config.dtype] * max(abs(at(run, start)), 1e-3)
        if at(run, start) - at(run, budget) <= noise:
            continue
        measures = [at] if bottom(run.config) is None else [at, above]
        pairs = [(measure(run, start), measure(run, budget)) for measure in measures]
        if keeps_falling(run, start, budget):
            fallen = [(one - other) / one if one > 0 else 0.0 for one, other in pairs]
            # What a floor found by trial may make of them, close to it.
            off = 2 * slack(run) / pairs[-1][0] if 0 < pairs[-1][0] < inf and pairs[1:] else 0.0
            # Where another such fall would be rounding, nothing needs to be said.
            is_clear = not pairs[1:] or 0.05 * pairs[-1][1] > 1.01 * slack(run)
            shares.append((fallen, off, is_clear))
    count = value(o.facts["count"])
    most = value(o.facts["most"].detail)  # type: ignore[union-attr]
    surely = sum(min(e) - off > 0.05 * (1 + 1e-3) for e, off, is_clear in shares if is_clear)
    maybe = sum(max(each) + off > 0.05 * (1 - 1e-3) for each, off, _ in shares)
    return (
        value(o.facts["total"]) == len(runs)
        and surely <= count <= maybe
        and any(abs(most - s) <= 1e-6 + off for each, off, _ in shares for s in each)
    )


def threshold(seen: Seen, o: Observation) -> bool:
    rounds, level = value(o.facts["rounds"]), value(o.facts["level"])
    reference = seen.run(o.facts["reference"])
    low = bottom(reference.config)
    if low is None:
        return False
    wanted = low + 0.1 * above(reference, 0)
    if abs(level - wanted) > slack(reference) + 1e-12 * abs(wanted):
        return False
    for told in o.facts["arrived"]:  # type: ignore[union-attr]
        run, step = seen.run(told.what), value(told.detail)  # type: ignore[union-attr]
        early = run.losses[:step].astype(float)
        if at(run, step) > level or (early <= level).any() or step > rounds:
            return False
        if not same_measure((run, reference)):
            return False
    return all(
        not (r.losses[: rounds + 1].astype(float) <= level).any()
        for r in seen.runs(o.facts["never"])
    )


def closed(run: Run, budget: int) -> bool:
    """Whether nine tenths of the way to the floor are gone by then."""
    if not got_to(run, budget) or bottom(run.config) is None:
        return False
    low = bottom(run.config)
    if low is None or not np.isfinite(low) or not above(run, 0):
        return False
    return above(run, budget) <= 0.1 * above(run, 0) + slack(run)


def tolerance(seen: Seen, o: Observation) -> bool:
    for told in o.facts["shares"]:  # type: ignore[union-attr]
        what, said = told.what, told.detail  # type: ignore[union-attr]
        name = what.variant if isinstance(what, Subject) else next(iter(seen.swept))
        budget = value(o.facts["budget"]) if isinstance(what, Subject) else value(what)
        members = [run for _, run in seen.swept[name]]
        mine = sum(closed(run, budget) for run in members)
        doubtful = sum(
            got_to(run, budget)
            and (low := bottom(run.config)) is not None
            and np.isfinite(low)
            and abs(above(run, budget) - 0.1 * above(run, 0)) <= 2 * slack(run)
            for run in members
        )
        if said.total != len(members) or abs(said.value - mine) > doubtful:
            return False
    return True


def same_answer(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for run in seen.runs(o.facts["subject"]):
        outputs = run.trace.outputs_at(budget)
        assert outputs is not None
        targets = np.array(run.config.data.targets)
        apart = float(np.ptp(outputs.astype(float), axis=0).max())
        wanted = float(np.ptp(targets, axis=0).max())
        ok = (
            value(o.facts["rows"]) == len(targets)
            and near(value(o.facts["apart"]), apart)
            and near(value(o.facts["wanted"]), wanted)
            and apart <= 0.05 * wanted * (1 + RELATIVE)
            and np.ptp(np.array(run.config.data.inputs), axis=0).any()
            and value(o.facts["loss"]) == at(run, budget)
        )
        if o.form:
            # One answer for all is no better anywhere near the one that is said to be best.
            best = value(o.facts["best"])
            average = targets.mean(axis=0)
            answer = np.log(np.maximum(average, 1e-300)) if o.form == "classes" else average
            losses = stock.LOSSES[run.config.loss]()
            wide = stock.torch.tensor(np.repeat(answer[None], len(targets), axis=0))
            goal = stock.torch.tensor(targets)
            ok = ok and near(best, float(losses(wide, goal)))
            for unit in range(targets.shape[1]):
                for change in (-1e-3, 1e-3):
                    other = wide.clone()
                    other[:, unit] += change
                    ok = ok and float(losses(other, goal)) >= best - 1e-12
        if not ok:
            return False
    return True


# --- stability ---------------------------------------------------------------------------------


def diverged(seen: Seen, o: Observation) -> bool:
    alone = [(t, r) for t, r in seen.pairs if t.seed is None]
    ended = [r for _, r in alone if r.trace.ending.kind == "diverged"]
    told = [(seen.run(w.what), value(w.detail)) for w in o.facts["subjects"]]  # type: ignore[union-attr]
    if value(o.facts["count"]) != len(ended) != len(told):
        return False
    for run, rounds in told:
        if run.trace.ending.kind != "diverged" or rounds != len(run.losses):
            return False
        if rounds and run.config.data.batch_size is None and seen.effort.worth("diverged"):
            # From the last finite weights, stock torch comes to what is not finite.
            few = 2 if run.config.optimizer.name == "sgd" else run.config.rounds
            plain = not run.config.flat().get("optimizer.momentum")
            start, count = (run.trace.weights[-1], few) if few == 2 and plain else (
                run.trace.weights[0], run.config.rounds)  # fmt: skip
            if run.config.gradients == "accumulated":
                start, count = run.trace.weights[0], run.config.rounds
            again = stock.train(run.config, start, count)
            if (
                not again.error
                and np.isfinite([*again.losses, *again.weights[-1], *again.gradients[-1]]).all()
            ):
                return False
    return True


def points_told(seen: Seen, facts: Any) -> list[Run]:
    """The runs of points that a sentence names one by one, or from a value on."""
    told: list[Run] = []
    for fact in facts:
        if isinstance(fact, From):
            key, least = fact.start.point[0]
            told += [
                run
                for trial, run in seen.swept[fact.start.variant]
                if dict(trial.point)[key] >= least
            ]
        else:
            told.append(seen.run(fact))
    return told


def worse_than_start(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    told = points_told(seen, o.facts["subjects"])
    everywhere = [run for members in seen.swept.values() for _, run in members]
    mine = [r for r in everywhere if got_to(r, budget) and at(r, budget) > at(r, 0)]
    return (
        {id(r) for r in told} == {id(r) for r in mine}
        and value(o.facts["count"]) == len(mine)
        and value(o.facts["total"]) == len(everywhere)
    )


def rises(seen: Seen, o: Observation) -> bool:
    ((_, members),) = seen.swept.items()
    ordered = sorted(members, key=lambda pair: pair[0].point[0][1])
    budget = value(o.facts["budget"])
    rising = [bool(rose(run, budget).any()) for _, run in ordered]
    places = {trial.point: k for k, (trial, _) in enumerate(ordered)}
    steady = places[o.facts["steady"].point]  # type: ignore[union-attr]
    first = places[o.facts["rising"].point]  # type: ignore[union-attr]
    return (
        not any(rising[: steady + 1])
        and first == steady + 1
        and rising[first]
        and value(o.facts["total"]) == len(ordered) - first
        and (o.form == "one") == (len(ordered) - first == 1)
        and value(o.facts["count"]) == sum(rising)
    )


def limit_of(config: RunConfig, curvature: float) -> float:
    """The learning rate from which on a quadratic bowl throws descent out, by bisection."""
    optimizer = config.optimizer
    assert optimizer.name == "sgd"
    bowl = curvature + optimizer.weight_decay

    def grows(rate: float) -> bool:
        keep = optimizer.momentum
        fresh = 1 - optimizer.dampening if keep else 1.0
        # (x, v) → v' = keep·v + fresh·bowl·x, x' = x − rate·v'
        matrix = np.array(
            [[1 - rate * fresh * bowl, -rate * keep], [fresh * bowl, keep]], dtype=float
        )
        return bool(np.abs(np.linalg.eigvals(matrix)).max() > 1 + 1e-12)

    low, high = 0.0, 8 / bowl
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if grows(middle) else (middle, high)
    return high


MOST_WEIGHT = 1e12
"""Beside larger weights what torch leaves of 1 − tanh² is rounding alone."""


def edge_of_stability(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for run in seen.runs(o.facts["subject"]):
        if not seen.effort.worth("edge-of-stability"):
            continue
        last = run.trace.weights_at(budget)
        assert last is not None
        decay = run.config.flat()["optimizer.weight_decay"]
        if np.abs(last).max() > MOST_WEIGHT:
            continue
        end = stock.largest_eigenvalue(run.config, last) + decay
        start = stock.largest_eigenvalue(run.config, run.trace.weights[0]) + decay
        if not np.isfinite([end, start]).all():
            continue
        limit = limit_of(run.config, end - decay)
        rate = run.config.optimizer.learning_rate
        ok = (
            near(value(o.facts["curvature"]), end, 1e-3)
            and isclose(value(o.facts["start"]), start, rel_tol=1e-3, abs_tol=1e-4)
            and near(value(o.facts["limit"]), limit, 2e-3)
            and value(o.facts["rate"]) == rate
            and near(value(o.facts["share"]), rate / value(o.facts["limit"]))
            and (rate > limit * (1 - 2e-3) if o.form == "beyond" else rate <= limit * (1 + 2e-3))
            and rate >= 0.5 * limit * (1 - 2e-3)
        )
        if not ok:
            return False
    return True


def stable_rate(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    steady, rising = o.facts["steady"], o.facts["rising"]
    assert isinstance(steady, Subject)
    assert isinstance(rising, Subject)
    members = sorted(seen.swept[steady.variant], key=lambda p: p[0].point[0][1])
    places = {trial.point: k for k, (trial, _) in enumerate(members)}
    runs = [run for _, run in members]
    here, next_one = places[steady.point], places[rising.point]
    if next_one != here + 1 or any(rose(r, budget).any() for r in runs[: here + 1]):
        return False
    up = runs[next_one]
    if got_to(up, budget) and not rose(up, budget).any():
        return False
    low, high = (runs[k].config.optimizer.learning_rate for k in (here, next_one))
    limit = value(o.facts["limit"])
    form = "below" if limit < low else "above" if limit > high else "between"
    factor = {"below": low / limit, "above": limit / high, "between": high / low}[form]
    ok = form == o.form and near(value(o.facts["factor"]), factor)
    if seen.effort.worth("stable-rate"):
        run, step = runs[here], value(o.facts["updates"])
        weights = run.trace.weights_at(step)
        assert weights is not None
        decay = run.config.flat()["optimizer.weight_decay"]
        curvature = stock.largest_eigenvalue(run.config, weights) + decay
        if not np.isfinite(curvature):
            return ok
        ok = ok and near(value(o.facts["curvature"]), curvature, 1e-3)
        ok = ok and near(limit, limit_of(run.config, curvature - decay), 2e-3)
        ok = ok and 0 < value(o.facts["samples"]) <= len(run.trace.weights)
    return ok


# --- optimizers and starts ---------------------------------------------------------------------


def first_step(seen: Seen, o: Observation) -> bool:
    runs = [run for s in several(o.facts["subject"]) for _, run in seen.variants[s.variant]]
    ratios: list[float] = []
    for run in runs:
        moving = run.trace.gradients[0] != 0
        moved = np.abs(run.trace.weights[1].astype(float) - run.trace.weights[0].astype(float))
        ratios += (moved[moving] / run.config.optimizer.learning_rate).tolist()
    return (
        value(o.facts["count"]) == len(runs)
        and near(value(o.facts["smallest"]), min(ratios))
        and near(value(o.facts["largest"]), max(ratios))
        and 0.99 - 1e-9 <= min(ratios) <= max(ratios) <= 1.01 + 1e-9
    )


def same_product(seen: Seen, o: Observation) -> bool:
    ((_, members),) = seen.swept.items()
    # What the sentence calls a learning rate is plain descent with it.
    if any(
        r.config.optimizer.name == "sgd"
        and (r.config.optimizer.momentum or r.config.gradients != "cleared")
        for _, r in members
    ):
        return False
    pairs = []
    budgets = seen.plan.budgets
    for few, many in combinations(budgets, 2):
        for _, slow in members:
            for _, quick in members:
                product = slow.config.optimizer.learning_rate * many
                if not isclose(product, quick.config.optimizer.learning_rate * few, rel_tol=1e-9):
                    continue
                if got_to(slow, many) and got_to(quick, few) and at(slow, many) and at(quick, few):
                    far = abs(at(slow, many) - at(quick, few)) / at(slow, many)
                    pairs.append((far, slow, quick, many, few))
    close = [pair for pair in pairs if pair[0] <= 0.05]
    slow, quick = o.facts["slow"], o.facts["quick"]
    largest = max(pair[0] for pair in pairs)
    worst = (seen.run(slow.what), seen.run(quick.what), value(slow.detail), value(quick.detail))  # type: ignore[union-attr]
    ok = (
        value(o.facts["total"]) == len(pairs)
        and value(o.facts["count"]) == len(close)
        and near(value(o.facts["difference"]), largest)
        and any(pair[1:] == worst and near(pair[0], largest) for pair in pairs)
    )
    if o.form == "":
        top = max(pair[2].config.optimizer.learning_rate for pair in close)
        said = seen.run(o.facts["largest"]).config.optimizer.learning_rate
        ok = ok and said == top and 2 * len(close) > len(pairs)
    return ok and (o.form == "none") == (not close)


def place_among_starts(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    starts = [run for _, run in seen.variants[o.facts["starts"].variant]]  # type: ignore[union-attr]
    for run in seen.runs(o.facts["subject"]):
        others = [r for r in starts if changed_alone(run.config, r.config)]
        losses = [at(r, budget) for r in others if got_to(r, budget)]
        lower = sum(loss < at(run, budget) for loss in losses)
        form = (
            "below"
            if at(run, budget) < min(losses)
            else "above"
            if at(run, budget) > max(losses)
            else "inside"
        )
        other = {
            key
            for key in changed_alone(run.config, starts[0].config)
            if not key.startswith("initial.") and key != "seed"
        }
        ok = (
            not other
            and value(o.facts["loss"]) == at(run, budget)
            and value(o.facts["count"]) == len(losses)
            and value(o.facts["better"]) == lower
            and near(value(o.facts["share"]), lower / len(losses))
            and o.form == form
        )
        if not ok:
            return False
    return True


def symmetry(seen: Seen, o: Observation) -> bool:
    units = set(value(o.facts["units"]))
    for run in seen.runs(o.facts["subject"]):
        layers = blocks(run.config)
        layer = next(
            k
            for k, (w, _) in enumerate(layers[:-1])
            if {unit_name(run.config, k, u) for u in range(len(w))} == units
        )
        weights, biases = layers[layer]
        outgoing = layers[layer + 1][0]
        tables = run.trace.weights
        alike = (
            (tables[:, weights] == tables[:, weights[:1]]).all()
            and (tables[:, outgoing] == tables[:, outgoing[:, :1]]).all()
            and (not len(biases) or (tables[:, biases] == tables[:, biases[:1]]).all())
        )
        if not alike or value(o.facts["rounds"]) != run.trace.rounds or len(units) < 2:
            return False
        name = run.config.network.activations[layer]
        if name not in ("softmax", "log_softmax") and not _as_one_unit(run, layer):
            return False
    return True


def _as_one_unit(run: Run, layer: int) -> bool:
    """Whether the layer with one unit, whose outgoing weight is their sum, gives the same."""
    flat = run.trace.weights[-1].astype(float)
    layers = blocks(run.config)
    parts = []
    for k, (weights, biases) in enumerate(layers):
        matrix, bias = flat[weights], flat[biases]
        if k == layer:
            matrix, bias = matrix[:1], bias[:1]
        if k == layer + 1:
            matrix = matrix.sum(axis=1, keepdims=True)
        parts += [matrix.ravel(), bias]
    narrow = list(run.config.network.layers)
    narrow[layer + 1] = 1
    update = {"layers": tuple(narrow)}
    config = run.config.model_copy(update={"network": run.config.network.model_copy(update=update)})
    *_, (_, whole) = stock.passes(run.config, flat)
    *_, (_, one) = stock.passes(config, np.concatenate(parts))
    return bool(np.allclose(whole, one, rtol=1e-9, atol=1e-12))


def spread(seen: Seen, o: Observation) -> bool:
    if "several" in o.form:
        budget = value(o.facts["budget"])
        everyone, ended, medians = 0, 0, []
        for told in o.facts["spreads"]:  # type: ignore[union-attr]
            runs = [run for _, run in seen.variants[told.what.variant]]  # type: ignore[union-attr]
            losses = sorted(at(r, budget) for r in runs if got_to(r, budget))
            everyone, ended = everyone + len(runs), ended + len(runs) - len(losses)
            middle = (losses[(len(losses) - 1) // 2] + losses[len(losses) // 2]) / 2
            medians.append(middle)
            said = [value(n) for n in told.detail]  # type: ignore[union-attr]
            if not near(said[0], middle) or said[1:] != [losses[0], losses[-1]]:
                return False
        told_counts = (value(o.facts["total"]), value(o.facts["ended"]))
        return told_counts == (everyone, ended) and (o.form == "several-ended") == (ended > 0)
    if o.form == "lost":
        told = (value(o.facts["ended"]), value(o.facts["total"]))
        for subject in several(o.facts["subject"]):
            runs = [run for _, run in seen.variants[subject.variant]]
            ended = sum(not got_to(r, seen.plan.budgets[-1]) for r in runs)
            if told != (ended, len(runs)) or len(runs) - ended > 1:
                return False
        return True
    runs = [run for _, run in seen.variants[first_of(o.facts["subject"])]]
    budget = value(o.facts["budget"])
    losses_of = np.array([at(r, budget) for r in runs if got_to(r, budget)])
    mean = losses_of.sum() / len(losses_of)
    deviation = np.sqrt(((losses_of - mean) ** 2).sum() / (len(losses_of) - 1))
    scale = float(np.abs(losses_of).max())
    return (
        value(o.facts["count"]) == len(losses_of)
        and value(o.facts["ended"]) == len(runs) - len(losses_of)
        and (o.form == "ended") == (len(losses_of) < len(runs))
        and near(value(o.facts["mean"]), mean)
        and (
            abs(value(o.facts["deviation"]) - deviation) <= 1e-6 * scale
            # Squares of what is larger than 1e154 are beyond the largest number.
            or value(o.facts["deviation"]) == deviation == np.inf
        )
        and near(value(o.facts["median"]), float(np.median(losses_of)))
        and value(o.facts["lowest"]) == losses_of.min()
        and value(o.facts["highest"]) == losses_of.max()
    )


def seed_pairs(seen: Seen, one: list[tuple[Trial, Run]], other: list[tuple[Trial, Run]]) -> Any:
    """Differences of the losses of runs with the same seed, at the last budget."""
    budget = seen.plan.budgets[-1]
    theirs = {t.seed: r for t, r in other}
    return np.array(
        [
            at(r, budget) - at(theirs[t.seed], budget)
            for t, r in one
            if t.seed in theirs and got_to(r, budget) and got_to(theirs[t.seed], budget)
        ]
    )


def paired_starts(seen: Seen, o: Observation) -> bool:
    return all(_paired(seen, o, s.variant) for s in several(o.facts["subject"]))


def _paired(seen: Seen, o: Observation, mine: str) -> bool:
    theirs = o.facts["other"].variant  # type: ignore[union-attr]
    far = seed_pairs(seen, seen.variants[mine], seen.variants[theirs])
    below, over = int((far < 0).sum()), int((far > 0).sum())
    p, least = tossed(below, over), tossed(0, below + over)
    ordered = np.sort(far)
    ok = (
        same_measure(r for name in (mine, theirs) for _, r in seen.variants[name])
        and value(o.facts["count"]) == len(far)
        and value(o.facts["lower"]) == below
        and near(value(o.facts["median"]), float(np.median(far)))
        and near(value(o.facts["p"]), p)
        and near(value(o.facts["least"]), least)
    )
    if "low" in o.facts:
        left = int(np.flatnonzero(ordered == value(o.facts["low"]))[0])
        covers = 1 - 2 * sum(comb(len(far), k) for k in range(left + 1)) / 2 ** len(far)
        said = value(o.facts["coverage"])
        ok = ok and value(o.facts["high"]) in ordered and said >= 0.95
        # With equal values the first of them may stand for a later one.
        ok = ok and (near(said, covers) or len(set(far.tolist())) < len(far))
    elif o.form not in ("few", "same"):
        ok = False
    if o.form == "same":
        return ok and not below + over
    if o.form == "few":
        return ok and least > 0.05
    if o.form == "open":
        return ok and p > 0.05 >= least
    return ok and p <= 0.05 and (below > over) == (o.form == "lower")


def pairs_needed(seen: Seen, o: Observation) -> bool:
    mine, theirs = first_of(o.facts["subject"]), o.facts["other"].variant  # type: ignore[union-attr]
    far = seed_pairs(seen, seen.variants[mine], seen.variants[theirs])
    mean, deviation = float(np.mean(far)), float(np.std(far, ddof=1))
    quantiles = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    needed = (quantiles * deviation / mean) ** 2
    return (
        value(o.facts["count"]) == len(far)
        and near(value(o.facts["mean"]), mean)
        and near(value(o.facts["deviation"]), deviation)
        and value(o.facts["needed"]) > len(far)
        and needed * (1 - 1e-6) <= value(o.facts["needed"]) <= max(needed + 1, 2) * (1 + 1e-6)
    )


def solved_starts(seen: Seen, o: Observation) -> bool:
    if o.form == "many":
        return solved_at_many(seen, o)
    budgets = [value(b) for b in as_tuple(o.facts["budgets"])]
    for told in as_tuple(o.facts["starts"]):
        members = [
            r
            for t, r in seen.pairs
            if t.variant == told.what.variant and t.point == told.what.point
        ]
        for budget, share in zip(budgets, told.detail, strict=True):
            there = [r for r in members if got_to(r, budget) and above(r, 0) > 0]
            surely = sum(above(r, budget) < 0.1 * above(r, 0) - 2 * slack(r) for r in there)
            maybe = sum(above(r, budget) <= 0.1 * above(r, 0) + 2 * slack(r) for r in there)
            if not (surely <= share.value <= maybe and share.total == len(members)):
                return False
    return True


def solved_at_many(seen: Seen, o: Observation) -> bool:
    budget, groups = value(o.facts["budget"]), {}
    for trial, run in seen.pairs:
        if trial.seed is not None:
            groups.setdefault((trial.variant, trial.point), []).append(run)
    kinds: list[set[str]] = []
    for members in groups.values():
        there = [r for r in members if got_to(r, budget) and above(r, 0) > 0]
        if not there:
            continue
        possible = set()
        for sign in (1, -1):
            near_it = [above(r, budget) <= 0.1 * above(r, 0) + sign * 2 * slack(r) for r in there]
            count = sum(near_it)
            possible.add("every" if count == len(members) else "some" if count else "none")
        kinds.append(possible)
    told = {kind: value(o.facts[kind]) for kind in ("every", "some", "none")}
    return value(o.facts["points"]) == len(kinds) == sum(told.values()) and all(
        sum(k == {kind} for k in kinds) <= count <= sum(kind in k for k in kinds)
        for kind, count in told.items()
    )


def goes_on(seen: Seen, o: Observation) -> bool:
    budget, told = value(o.facts["budget"]), as_tuple(o.facts["ends"])
    for one in told:
        run, (rounds, loss) = seen.run(one.what), one.detail
        if not budget < value(rounds) == run.config.rounds == len(run.losses) - 1:
            return False
        if value(loss) != run.losses[-1]:
            return False
    ended = [r for r in seen.singles.values() if len(r.losses) - 1 == r.config.rounds]
    return len(told) == sum(r.config.rounds > budget for r in ended)


def over_all_rows(seen: Seen, o: Observation) -> bool:
    budget, before = value(o.facts["budget"]), -np.inf
    seen_rows = {w.what.variant: value(w.detail) for w in as_tuple(o.facts["seen"])}
    sizes = set()
    for told in as_tuple(o.facts["errors"]):
        run = seen.run(told.what)
        data, error = run.config.data, squared_error(run, budget)
        size = min(data.batch_size or len(data.inputs), len(data.inputs))
        sizes.add(size)
        if seen_rows[told.what.variant] != size * budget or error < before * (1 - 1e-3) - 1e-9:
            return False
        if not isclose(value(told.detail[-1]), error, rel_tol=1e-3, abs_tol=1e-9):
            return False
        before = error
    return len(sizes) > 1 and value(o.facts["rows"]) == len(data.inputs)


def best_over_starts(seen: Seen, o: Observation) -> bool:
    if o.form == "variants":
        last, tuned = value(o.facts["budget"]), as_tuple(o.facts["medians"])
        runs = [[r for r in seen.all_of(w.what) if got_to(r, last)] for w in tuned]
        medians = [float(np.median([at(r, last) for r in there])) for there in runs]
        told = [value(w.detail) for w in tuned]
        return medians == sorted(medians) and all(map(near, told, medians))
    budget, members = value(o.facts["budget"]), seen.variants[o.facts["subject"].variant]  # type: ignore[union-attr]
    points: dict[Any, list[tuple[Trial, Run]]] = {}
    for trial, run in members:
        points.setdefault(trial.point, []).append((trial, run))
    medians = {
        point: float(np.median([at(r, budget) for _, r in there if got_to(r, budget)]))
        for point, there in points.items()
        if any(got_to(r, budget) for _, r in there)
    }
    best, second = o.facts["best"].point, o.facts["second"].point  # type: ignore[union-attr]
    far = seed_pairs(seen, points[best], points[second])
    below, over = int((far < 0).sum()), int((far > 0).sum())
    p = tossed(below, over)
    others = sorted(m for point, m in medians.items() if point != best)
    ok = (
        near(value(o.facts["median"]), medians[best])
        and near(value(o.facts["other_median"]), medians[second])
        and medians[best] <= others[0]
        and medians[second] == others[0]
        and value(o.facts["lower"]) == below
        and value(o.facts["count"]) == len(far)
        and value(o.facts["points"]) == len(points)
        and near(value(o.facts["p"]), min(1.0, p * comparisons(o)))
    )
    clear = value(o.facts["p"]) <= 0.05 and below > over
    return ok and clear == (o.form == "clear")


def comparisons(o: Observation) -> int:
    """By how many comparisons a p-value is multiplied, where the sentence says so."""
    return value(o.facts["comparisons"]) if "comparisons" in o.facts else 1


def single_start(seen: Seen, o: Observation) -> bool:
    places = [(t.variant, t.point) for t, _ in seen.pairs]
    ok = len(set(places)) == len(places) == value(o.facts["count"])
    if o.form == "given":
        starts = {t.config.initial.model_dump_json() for t, _ in seen.pairs}
        fixed = all(
            t.config.initial.scheme in ("given", "zeros", "ones", "constant") for t, _ in seen.pairs
        )
        ok = ok and fixed and len(starts) == 1
        ok = ok and value(o.facts["budget"]) == max(t.config.rounds for t, _ in seen.pairs)
    return ok


# --- comparisons -------------------------------------------------------------------------------


def sweep_best(seen: Seen, o: Observation) -> bool:
    everywhere = [run for members in seen.swept.values() for _, run in members]
    if value(o.facts["total"]) != len(everywhere) or not same_measure(everywhere):
        return False
    if o.form.startswith("several"):
        for told in as_tuple(o.facts.get("leaders", ())):
            here, (name, point, loss) = value(told.what), told.detail
            first = ahead([r for r in everywhere if got_to(r, here)], here)
            run = seen.run(Subject(name.variant, point.point))
            if at(run, here) != value(loss) or not any(run is r for r in first):
                return False
        leading = {told.detail[0].variant for told in as_tuple(o.facts.get("leaders", ()))}
        if (o.form == "several-flips") != (len(leading) > 1):
            return False
        budget, previous = value(o.facts["budget"]), -np.inf
        for told in o.facts["ranking"]:  # type: ignore[union-attr]
            name, (point, loss) = told.what.variant, told.detail  # type: ignore[union-attr]
            run = seen.run(Subject(name, point.point))
            lowest = min(at(r, budget) for _, r in seen.swept[name] if got_to(r, budget))
            if at(run, budget) != value(loss) or value(loss) != lowest or lowest < previous:
                return False
            previous = lowest
        return True
    final = value(o.facts["budget"])
    if o.form == "only":
        there = [r for r in everywhere if got_to(r, final)]
        return there == [seen.run(o.facts["point"])] and at(there[0], final) == value(
            o.facts["value"]
        )
    if o.form == "ended":
        return not any(got_to(r, final) for r in everywhere) and value(o.facts["value"]) == min(
            at(r, value(o.facts["end"])) for r in everywhere if got_to(r, value(o.facts["end"]))
        )
    # What is said of the last number of rounds is of it.
    if not any(got_to(r, final) for r in everywhere):
        return False
    if o.form == "one" and len(as_tuple(o.facts["best"])) != 1:
        return False
    always: set[int] | None = None
    for told in o.facts["best"]:  # type: ignore[union-attr]
        budget, (*points, loss) = value(told.what), told.detail  # type: ignore[union-attr]
        best = {id(r) for r in ahead([r for r in everywhere if got_to(r, budget)], budget)}
        named = [seen.run(point) for point in points]
        if value(loss) != min(at(r, budget) for r in named) or not {id(r) for r in named} <= best:
            return False
        always = best if always is None else always & best
    if o.form == "level":
        return always == {id(r) for r in everywhere}
    # The best value depends on the rounds only if none is best at all of them.
    return (not always) if o.form == "moves" else bool(always)


def same_value(seen: Seen, o: Observation) -> bool:
    budget, point = value(o.facts["budget"]), o.facts["point"].point  # type: ignore[union-attr]
    told = [(w.what.variant, value(w.detail)) for w in o.facts["at_value"]]  # type: ignore[union-attr]
    here = {name: at(seen.run(Subject(name, point)), budget) for name in seen.swept}
    best = {
        name: min(at(r, budget) for _, r in members if got_to(r, budget))
        for name, members in seen.swept.items()
    }
    if dict(told) != here or [n for n, _ in told] != sorted(here, key=here.__getitem__):
        return False
    tuned = [s.variant for s in o.facts["tuned"]]  # type: ignore[union-attr]
    if [best[name] for name in tuned] != sorted(best.values()):
        return False
    disagree = any(here[a] < here[b] and best[a] > best[b] for a in here for b in here)
    return disagree == (o.form == "differs")


def common_measure(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    (run,) = seen.runs(o.facts["subject"])[:1]
    other = seen.run(o.facts["other"])
    mine, theirs = squared_error(run, budget), squared_error(other, budget)
    off = 1e-5 * max(mine, theirs) + 1e-6 * np.sqrt(max(mine, theirs)) + 1e-12
    numbers = abs(value(o.facts["value"]) - mine) <= off
    numbers = numbers and abs(value(o.facts["other_value"]) - theirs) <= off
    for fact, which in (("outputs", run), ("other_outputs", other)):
        told = [n.value for n in as_tuple(o.facts.get(fact, ())) if not isinstance(n.value, str)]
        right = predicted(which, budget).ravel()[: len(told)]
        numbers = numbers and bool(np.allclose(told, right, rtol=1e-5, atol=1e-7))
    order = {"lower": mine < theirs + off, "higher": mine > theirs - off}
    return (
        numbers
        and run.config.loss != other.config.loss
        and run.config.data.targets == other.config.data.targets
        and order.get(o.form.removesuffix("-rows"), abs(mine - theirs) <= off)
    )


def start_differs(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    other = seen.run(o.facts["other"])
    for run in seen.runs(o.facts["subject"]):
        left, other_left = (above(r, budget) / above(r, 0) for r in (run, other))
        off = [2 * slack(r) / above(r, 0) for r in (run, other)]
        ok = (
            same_measure((run, other))
            and value(o.facts["start"]) == at(run, 0)
            and value(o.facts["other_start"]) == at(other, 0)
            and abs(at(run, 0) - at(other, 0)) > 0.01 * abs(at(other, 0))
            and abs(value(o.facts["left"]) - left) <= RELATIVE * max(1, left) + off[0]
            and abs(value(o.facts["other_left"]) - other_left)
            <= RELATIVE * max(1, other_left) + off[1]
        )
        if not ok:
            return False
    return True


def leads(runs: Mapping[str, Run], budget: int) -> set[str]:
    """Variants with the lowest loss, but for rounding."""
    first = ahead(list(runs.values()), budget)
    return {name for name, r in runs.items() if any(r is other for other in first)}


def ahead(runs: Sequence[Run], budget: int) -> list[Run]:
    """Those with the lowest loss, but for rounding, or at the same floor, but for rounding."""
    lowest = min(runs, key=lambda r: at(r, budget))
    least = at(lowest, budget)

    def at_bottom(run: Run) -> bool:
        low = bottom(run.config)
        if low is None or not np.isfinite(low):
            return False
        return at(run, budget) - low <= 16 * UNIT[run.config.dtype] * max(abs(low), 1e-3)

    def is_level(run: Run) -> bool:
        if at_bottom(run) and at_bottom(lowest) and bottom(run.config) == bottom(lowest.config):
            return True
        unit = max(UNIT[run.config.dtype], UNIT[lowest.config.dtype])
        return at(run, budget) - least <= 16 * unit * abs(least)

    return [run for run in runs if is_level(run)]


def ranking(seen: Seen, o: Observation) -> bool:
    count, budgets = value(o.facts["count"]), seen.plan.budgets
    named = {w.what.value: w.detail for w in o.facts["leaders"]}  # type: ignore[union-attr]
    groups: dict[str, dict[str, Run]] = {}
    for name, run in seen.singles.items():
        if len(run.losses):
            key = measure_of(run)
            groups.setdefault(key, {})[name] = run
    for members in groups.values():
        if len(members) != count:
            continue
        all_leaders = []
        for budget in budgets:
            there = {name: r for name, r in members.items() if got_to(r, budget)}
            *subjects, loss = named[budget]
            leading = leads(there, budget) if there else set()
            if {s.variant for s in subjects} != leading:
                break
            if value(loss) != min(at(r, budget) for r in there.values()):
                return False
            all_leaders.append(leading)
        else:
            last = {s.variant for s in o.facts["subjects"]}  # type: ignore[union-attr]
            always = set.intersection(*all_leaders)
            if o.form == "single":
                return last == all_leaders[-1]
            # Who leads depends on the rounds only if nobody leads at all of them.
            return (not always) if o.form == "flips" else last <= always
    return False


def leaders_along_axis(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    points: dict[Any, dict[str, Run]] = {}
    for name, members in seen.swept.items():
        for trial, run in members:
            if got_to(run, budget):
                points.setdefault(trial.point, {})[name] = run
    full = [there for there in points.values() if len(there) == len(seen.swept)]
    wins = {name: sum(name in leads(t, budget) for t in full) for name in seen.swept}
    told = {w.what.variant: (w.detail.value, w.detail.total) for w in o.facts["wins"]}  # type: ignore[union-attr]
    return (
        value(o.facts["points"]) == len(full)
        and told == {name: (n, len(full)) for name, n in wins.items() if n}
        and max(wins.values()) < len(full)
    )


def different_losses(seen: Seen, o: Observation) -> bool:
    told = {value(part) for part in o.facts["losses"]}  # type: ignore[union-attr]
    kinds = {r.config.loss for _, r in seen.pairs if r.trace.ending.kind != "refused"}
    return told == kinds and len(told) > 1


def edge_of_grid(seen: Seen, o: Observation) -> bool:
    for told in o.facts["subjects"]:  # type: ignore[union-attr]
        subject, budget = told.what, value(told.detail)  # type: ignore[union-attr]
        members = seen.swept[subject.variant]  # type: ignore[union-attr]
        there = [(t, r) for t, r in members if got_to(r, budget)]
        for key, edge in subject.point:  # type: ignore[union-attr]
            tried = [dict(t.point)[key] for t, _ in members]
            if edge not in (min(tried), max(tried)):
                return False
            # A best value in the midst of the grid would be a best value as well.
            first = ahead([r for _, r in there], budget)
            best = [dict(t.point)[key] for t, r in there if any(r is f for f in first)]
            if edge not in best or any(min(tried) < v < max(tried) for v in best):
                return False
    return True


def unseen_rows(seen: Seen, o: Observation) -> bool:
    keys = value(o.facts["keys"])
    configs = [run.config for _, run in seen.pairs]
    differ = all(len({str(c.flat().get(key)) for c in configs}) > 1 for key in keys)
    return differ and value(o.facts["rows"]) == max(len(c.data.inputs) for c in configs) > 1


def several_changes(seen: Seen, o: Observation) -> bool:
    mine = seen.variants[first_of(o.facts["subject"])][0][1]
    other = seen.variants[o.facts["other"].variant][0][1]  # type: ignore[union-attr]
    changed = changed_alone(mine.config, other.config) - {"seed"}
    told = set(value(o.facts["keys"]))
    implied = {
        key
        for key in changed
        for tag in ("optimizer.name", "initial.scheme")
        if tag in changed and key.startswith(tag.split(".")[0] + ".")
    }
    return (
        len(told) > 1
        and value(o.facts["count"]) == len(told)
        and told <= changed
        and changed - told <= implied
    )


# --- classification ----------------------------------------------------------------------------


def own_classes(run: Run) -> np.ndarray:
    targets = np.array(run.config.data.targets)
    return np.asarray(targets[:, 0] > 0.5 if targets.shape[1] == 1 else targets.argmax(axis=1))


def answers(run: Run, budget: int, units: float = 16.0) -> np.ndarray:
    """Classes of all rows; -1 where so many units of rounding decide."""
    outputs = run.trace.outputs_at(budget)
    assert outputs is not None
    slack = units * UNIT[run.config.dtype]
    if outputs.shape[1] == 1:
        yes = predicted(run, budget)[:, 0]
        return np.array([-1 if abs(p - 0.5) <= slack / 2 else int(p > 0.5) for p in yes])
    made = []
    for row in outputs.astype(float):
        second, first = sorted(row)[-2:]
        made.append(-1 if first - second <= slack * np.abs(row).max() else int(row.argmax()))
    return np.array(made)


def has_ties(run: Run, budget: int) -> bool:
    return bool((answers(run, budget) < 0).any())


def right(run: Run, budget: int) -> float:
    return float(np.mean(own_classes(run) == answers(run, budget)))


def is_classes(run: Run) -> bool:
    targets = np.array(run.config.data.targets)
    fine = np.isin(targets, (0, 1)).all()
    # Margins compare with ±1: 0 is no class of theirs.
    fine = fine and run.config.loss not in ("soft_margin", "hinge_embedding")
    return bool(fine and (targets.shape[1] == 1 or (targets.sum(axis=1) == 1).all()))


def share_right(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    told = [(seen.run(w.what), value(w.detail)) for w in o.facts["shares"]]  # type: ignore[union-attr]
    shares = [share for _, share in told]
    if shares != sorted(shares, reverse=True) or (o.form == "one") != (len(told) == 1):
        return False
    # One number for all rows and one most frequent class: all must have the same targets.
    for run, share in told:
        _, counts = np.unique(own_classes(run), return_counts=True)
        if not is_classes(run) or not near(share, right(run, budget)):
            return False
        if value(o.facts["rows"]) != len(own_classes(run)):
            return False
        if not near(value(o.facts["largest"]), counts.max() / counts.sum()):
            return False
    return True


def share_right_swept(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    members = seen.swept[first_of(o.facts["subject"])]
    there = [(t, right(r, budget)) for t, r in members if got_to(r, budget)]
    top = max(share for _, share in there)
    reached = {t.point for t, share in there if share == top}
    told = {s.point for s in o.facts["points"]}  # type: ignore[union-attr]
    return (
        near(value(o.facts["share"]), top)
        and value(o.facts["total"]) == len(there)
        and value(o.facts["count"]) == len(reached)
        and told == reached
        and not any(has_ties(r, budget) for _, r in members if got_to(r, budget))
    )


def share_right_starts(seen: Seen, o: Observation) -> bool:
    """Of all starts that got so far: where the outputs of one are missing, nothing may be said."""
    budget = value(o.facts["budget"])
    for told in o.facts["shares"]:  # type: ignore[union-attr]
        runs = [run for _, run in seen.variants[told.what.variant]]  # type: ignore[union-attr]
        shares = [right(r, budget) for r in runs if got_to(r, budget)]
        said = [value(n) for n in told.detail]  # type: ignore[union-attr]
        mine = (float(np.median(shares)), min(shares), max(shares))
        if not all(near(a, b) for a, b in zip(said, mine, strict=True)):
            return False
    return True


def loss_against_share(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    low, best = seen.run(o.facts["subject"]), seen.run(o.facts["other"])
    there = [r for r in seen.singles.values() if got_to(r, budget) and is_classes(r)]
    there = [r for r in there if not has_ties(r, budget)]
    # "The lowest loss is not the best classifier": nobody with that loss classifies as well.
    least, top = min(at(r, budget) for r in there), max(right(r, budget) for r in there)
    # What rounding alone may add to the lowest loss is as low.
    as_low = least + max(16 * UNIT[r.config.dtype] * max(abs(least), 1e-3) for r in there)
    lowest = [right(r, budget) for r in there if at(r, budget) <= as_low]
    return (
        value(o.facts["loss"]) == at(low, budget) <= as_low
        and value(o.facts["other_loss"]) == at(best, budget)
        and near(value(o.facts["share"]), right(low, budget))
        and near(value(o.facts["other_share"]), right(best, budget))
        and right(best, budget) == top > max(lowest)
    )


def level_answers(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for told in o.facts["ties"]:  # type: ignore[union-attr]
        run, (count, share) = seen.run(told.what), told.detail  # type: ignore[union-attr]
        made = answers(run, budget)
        # At just so many units, rounding decides even on which side of them a difference is.
        least, most = ((answers(run, budget, units) < 0).sum() for units in (15.5, 16.5))
        if not (least <= value(count) <= most) or not value(count):
            return False
        outputs = run.trace.outputs_at(budget)
        assert outputs is not None
        slack = 16 * UNIT[run.config.dtype]
        first = [
            0
            if outputs.shape[1] == 1
            else int(np.argmax(row >= row.max() - slack * abs(row).max()))
            for row in outputs.astype(float)
        ]
        counted = np.where(made < 0, first, made)
        apart = abs(value(share) - float(np.mean(own_classes(run) == counted)))
        if apart > (most - least + 1e-6) / len(made):
            return False
    return True


def constant_answer(seen: Seen, o: Observation) -> bool:
    for subject in several(o.facts["subject"]):
        for run in seen.all_of(subject):
            targets = np.array(run.config.data.targets)
            if o.form == "one-class":
                if not (targets == targets[0]).all() or len(targets) != value(o.facts["rows"]):
                    return False
            elif (
                run.config.network.layers[-1] != 1
                or run.trace.gradients.any()
                or (o.form == "cross-entropy" and run.trace.losses.any())
            ):
                return False
    return True


def mistaken(seen: Seen, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    for told in o.facts["pairs"]:  # type: ignore[union-attr]
        run = seen.run(told.what)  # type: ignore[union-attr]
        own, made = own_classes(run), answers(run, budget)
        taken = [(int(a), int(b)) for a, b in zip(own, made, strict=True) if a != b and b >= 0]
        names, most, total = told.detail  # type: ignore[union-attr]
        a, b = (int(n[1:]) - 1 for n in value(names)[0].split(" → "))
        top = max(taken.count(pair) for pair in set(taken))
        if (value(most), value(total)) != (top, len(taken)) or taken.count((a, b)) != top:
            return False
    return True


OF_EVERY_RUN = frozenset(
    {
        "all-runs",
        "coincide",
        "constant-answer",
        "different-losses",
        "refused",
        "several-changes",
        "silent-together",
        "single-start",
        "stuck-together",
        "unseen-rows",
    }
)
"""Rules that speak of all runs, also of those whose loss is 0 whatever their weights."""

CHECKS: dict[str, Check] = {
    "falling-loss": falling_loss,
    "gradients-agree": gradients_agree,
    "shown-decimals": shown_decimals,
    "wrong-formula": wrong_formula,
    "right-formula": right_formula,
    "clamped-gradients": clamped_gradients,
    "open-formula": open_formula,
    "coincide": coincide,
    "undamped": undamped,
    "unbounded": unbounded,
    "frozen": frozen,
    "refused": refused,
    "constant-answer": constant_answer,
    "silent-weights": silent_weights,
    "revived": revived,
    "equal-start": equal_start,
    "linear-reaches": linear_reaches,
    "sweep-best": sweep_best,
    "place-among-starts": place_among_starts,
    "overshoot": overshoot,
    "stuck": stuck,
    "same-value": same_value,
    "common-measure": common_measure,
    "diverged": diverged,
    "start-differs": start_differs,
    "symmetry": symmetry,
    "spread": spread,
    "paired-starts": paired_starts,
    "best-over-starts": best_over_starts,
    "solved-starts": solved_starts,
    "over-all-rows": over_all_rows,
    "goes-on": goes_on,
    "pairs-needed": pairs_needed,
    "share-right": share_right,
    "share-right-swept": share_right_swept,
    "share-right-starts": share_right_starts,
    "loss-against-share": loss_against_share,
    "mistaken": mistaken,
    "level-answers": level_answers,
    "unseen-rows": unseen_rows,
    "unreachable-target": unreachable_target,
    "ranking": ranking,
    "floor-above-zero": floor_above_zero,
    "distance-to-floor": distance_to_floor,
    "first-step": first_step,
    "worse-than-start": worse_than_start,
    "threshold": threshold,
    "tolerance": tolerance,
    "leaders-along-axis": leaders_along_axis,
    "rises": rises,
    "stuck-points": stuck_points,
    "same-product": same_product,
    "largest-move": largest_move,
    "monotone": monotone,
    "different-losses": different_losses,
    "edge-of-grid": edge_of_grid,
    "several-changes": several_changes,
    "single-start": single_start,
    "same-answer": same_answer,
    "oscillation": oscillation,
    "stable-rate": stable_rate,
    "edge-of-stability": edge_of_stability,
    "plateau": plateau,
    "saturated-units": saturated_units,
    "float-limit": float_limit,
    "still-falling": still_falling,
    "layer-gradients": layer_gradients,
    "path": path,
    "sign-changes": sign_changes,
}
"""By rule: whether its sentence holds of an experiment."""


# --- whole labs --------------------------------------------------------------------------------


def titled(plan: Plan) -> str:
    return plan.experiment.title.within("en")


def distinct(labs: Iterable[tuple[Seen, Run]]) -> dict[str, tuple[Seen, Run]]:
    found: dict[str, tuple[Seen, Run]] = {}
    for seen, run in labs:
        found.setdefault(run.name, (seen, run))
    return found


def shown(experiments: Sequence[Seen]) -> dict[str, tuple[Seen, Run]]:
    """Runs that stand for themselves, each once: single variants and swept points."""
    return distinct(
        (seen, run)
        for seen in experiments
        for run in (*seen.singles.values(), *(r for m in seen.swept.values() for _, r in m))
        if len(run.losses)
    )


def all_runs(experiments: Sequence[Seen], plan: Plan, o: Observation) -> bool:
    runs = {r.name: r for seen in experiments for _, r in seen.pairs}
    kinds = [r.trace.ending.kind for r in runs.values()]
    told = [value(o.facts[k]) for k in ("count", "completed", "diverged", "refused")]
    counted = [len(kinds), *(kinds.count(k) for k in ("completed", "diverged", "refused"))]
    all_of_one = ("one", "ended-one") if len(experiments) == 1 else ("completed", "")
    whole = o.form == all_of_one[counted[1] < counted[0]]
    return told == counted and value(o.facts["experiments"]) == len(experiments) and whole


def near_floor(experiments: Sequence[Seen], plan: Plan, o: Observation) -> bool:
    near_ones = count = doubtful = 0
    alone = distinct((s, r) for s in experiments for r in s.singles.values())
    for seen, run in alone.values():
        # The run is looked at in the first experiment that can measure it.
        there = [
            s.plan.budgets[-1]
            for s in experiments
            if run.name in {r.name for r in s.singles.values()}
            and got_to(run, min(s.plan.budgets[-1], run.config.rounds))
        ]
        low = bottom(run.config)
        if not there or low is None or not np.isfinite(low) or above(run, 0) <= room(run):
            continue
        del seen
        budget = min(there[0], run.config.rounds)
        count += 1
        near_ones += closed(run, budget)
        doubtful += abs(above(run, budget) - 0.1 * above(run, 0)) <= 2 * slack(run)
        doubtful += above(run, 0) <= slack(run)
    form = "all" if near_ones == count else "some" if near_ones else "none"
    off = abs(value(o.facts["near"]) - near_ones) + abs(value(o.facts["count"]) - count)
    return off <= 2 * doubtful and (form == o.form or doubtful > 0)


def lowest_error(experiments: Sequence[Seen], plan: Plan, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    errors: dict[str, float] = {}
    sure: set[str] = set()
    for seen in experiments:
        for trial, run in seen.pairs:
            margins = run.config.loss in ("soft_margin", "hinge_embedding")
            data, base = run.config.data, seen.plan.base.data
            same = (data.inputs, data.targets) == (base.inputs, base.targets)
            there = got_to(run, budget) and run.trace.outputs_at(budget) is not None
            if trial.seed is None and same and not margins and there:
                error = squared_error(run, budget)
                errors[run.name] = error
                # Near the largest number of its type a sum of squares may or may not overflow.
                if error < np.finfo(run.config.dtype).max / 1e6:
                    sure.add(run.name)
    (here,) = (s for s in experiments if titled(s.plan) == o.facts["experiment"].en)  # type: ignore[union-attr]
    told = o.facts["subject"]
    mine = squared_error(here.run(told.what), budget)  # type: ignore[union-attr]
    # Where outputs are nearly their targets, the rounding of either is much of the difference.
    off = 1e-5 * mine + 1e-6 * np.sqrt(mine) + 1e-12
    return (
        len(sure) <= value(o.facts["count"]) <= len(errors)
        and abs(value(told.detail) - mine) <= off  # type: ignore[union-attr]
        and mine <= min(errors.values()) + off
    )


def stuck_together(experiments: Sequence[Seen], plan: Plan, o: Observation) -> bool:
    runs = shown(experiments)
    titles = {w.en for w in o.facts["experiments"]}  # type: ignore[union-attr]
    rate, stopped, below = value(o.facts["rate"]), [], 0
    for seen, run in runs.values():
        slow = 0 < run.config.optimizer.learning_rate < rate
        below += slow
        low, budget = bottom(run.config), min(seen.plan.budgets[-1], run.config.rounds)
        if low is None or not np.isfinite(low) or not got_to(run, budget):
            continue
        if not run.trace.is_whole or above(run, 0) <= 0:
            continue
        if is_stuck(run, budget) and could_do_better(seen, run, budget):
            stopped.append(run)
        surely = is_stuck(run, budget, 0.005) and could_do_better(seen, run, budget, 0.98)
        # Nor is it within rounding that it stands still.
        surely = surely and np.ptp(run.losses[budget // 2 :]) <= 0.005 * above(run, budget)
        if surely and (slow or titled(seen.plan) not in titles):
            return False
    count = value(o.facts["count"])
    fewer = sum(run.config.optimizer.learning_rate >= rate for run in stopped)
    return (
        value(o.facts["total"]) == len(runs)
        and value(o.facts["below"]) == below
        and count <= fewer
        and (o.form == "rate") == (below > 0)
    )


def silent_together(experiments: Sequence[Seen], plan: Plan, o: Observation) -> bool:
    alone = distinct((s, r) for s in experiments for r in s.singles.values() if len(r.losses) > 1)
    silent = [(s, r) for s, r in alone.values() if untouched(r)]
    titles = {w.en for w in o.facts["experiments"]}  # type: ignore[union-attr]
    every = all("relu" in r.config.network.activations for _, r in silent)
    return (
        value(o.facts["count"]) == len(silent)
        and value(o.facts["total"]) == len(alone)
        and titles == {titled(s.plan) for s, _ in silent}
        and (o.form == "relu") == every
    )


def _winners(seen: Seen) -> list[set[str]]:
    """What comes out best at each number of rounds: of variants, or of points."""
    found = []
    if len(seen.swept) == 1:
        members = {repr(t.point): r for m in seen.swept.values() for t, r in m}
        for budget in seen.plan.budgets:
            there = {name: r for name, r in members.items() if got_to(r, budget)}
            least = min((at(r, budget) for r in there.values()), default=0.0)
            found.append({name for name, r in there.items() if at(r, budget) == least})
        return found
    groups: dict[str, dict[str, Run]] = {}
    for name, run in seen.singles.items():
        if len(run.losses):
            key = measure_of(run)
            groups.setdefault(key, {})[name] = run
    members = max(groups.values(), key=len, default={})
    for budget in seen.plan.budgets:
        there = {name: r for name, r in members.items() if got_to(r, budget)}
        found.append(leads(there, budget) if there else set())
    return found


def budget_decides(experiments: Sequence[Seen], plan: Plan, o: Observation) -> bool:
    titles = [w.en for w in o.facts["experiments"]]  # type: ignore[union-attr]
    named = [s for s in experiments if titled(s.plan) in titles]
    several = [s for s in experiments if len(s.plan.budgets) > 1]
    count, total = value(o.facts["count"]), value(o.facts["total"])
    return (
        count == len(titles) == len(named)
        and count <= total <= len(several)
        and (o.form == "all") == (count == total)
        and all(s in several and not set.intersection(*_winners(s)) for s in named)
    )


def change_against_chance(experiments: Sequence[Seen], plan: Plan, o: Observation) -> bool:
    budget = value(o.facts["budget"])
    widths = []
    smaller = {w.en for w in o.facts.get("smaller", ())}  # type: ignore[union-attr]
    all_runs_of: list[Run] = []
    left_aside = 0
    for told in o.facts["ranges"]:  # type: ignore[union-attr]
        (seen,) = (s for s in experiments if titled(s.plan) == told.what.en)  # type: ignore[union-attr]
        runs = (*seen.singles.values(), *(r for m in seen.swept.values() for _, r in m))
        idle = [r for r in runs if not r.config.optimizer.learning_rate]
        left_aside += len(idle)
        there = [r for r in runs if got_to(r, budget) and r not in idle]
        # Of one measure: the widest range of any.
        alike = [r for r in there if same_measure((r, there[0]))]
        all_runs_of += alike
        losses = [at(r, budget) for r in alike]
        width = max(losses) - min(losses)
        if not near(value(told.detail), width):  # type: ignore[union-attr]
            return False
        widths.append((told.what.en, width))  # type: ignore[union-attr]
    ordered = [width for _, width in widths]
    if ordered != sorted(ordered, reverse=True) or not same_measure(all_runs_of):
        return False
    # Of another measure than the others, an idle run need not be told of.
    if o.form.endswith("idle") and not left_aside:
        return False
    told = {w.what.en: value(w.detail) for w in o.facts.get("chances", ())}  # type: ignore[union-attr]
    mine = {}
    for name, _ in widths:
        (seen,) = (s for s in experiments if titled(s.plan) == name)
        chance = [
            float(np.subtract(*np.quantile([at(r, budget) for r in group], (0.95, 0.05))))
            for group in many_starts(experiments, budget)
            if same_measure((group[0], all_runs_of[0])) and belongs(group[0], seen)
        ]
        if chance:
            mine[name] = max(chance)
    if o.form.startswith("alone"):
        return not mine
    alike = all(isclose(told[n], mine[n], rel_tol=1e-9, abs_tol=1e-12) for n in mine)
    return (
        told.keys() == mine.keys()
        and alike
        and {name for name, width in widths if name in told and width < told[name]} == smaller
        and o.form.startswith("smaller") == bool(smaller)
    )


def many_starts(experiments: Sequence[Seen], budget: int) -> list[list[Run]]:
    """The runs of each variant that got so far from twenty random starts or more."""
    found = [
        [r for _, r in members if got_to(r, budget) and np.isfinite(r.losses[budget])]
        for seen in experiments
        for members in seen.variants.values()
        if len({t.point for t, _ in members}) == 1 and all(t.seed is not None for t, _ in members)
    ]
    return [group for group in found if len(group) >= 20]


def belongs(start: Run, seen: Seen) -> bool:
    """Whether a run of an experiment is a random start's, but for where it starts."""

    def besides(run: Run) -> str:
        return json.dumps(
            {**json.loads(run.config.canonical), "seed": 0, "rounds": 0, "initial": 0},
            sort_keys=True,
        )

    runs = (*seen.singles.values(), *(r for m in seen.swept.values() for _, r in m))
    trained = (r for r in runs if r.config.optimizer.learning_rate)
    return any(besides(r) == besides(start) for r in trained)


def own_rows(experiments: Sequence[Seen], plan: Plan, o: Observation) -> bool:
    """Classes are targets of 0 and 1, of at least four rows; without them there are some rows."""
    told = {w.en for w in o.facts["experiments"]}  # type: ignore[union-attr]
    for seen in experiments:
        if titled(seen.plan) in told:
            wanted = [np.array(run.config.data.targets) for _, run in seen.pairs]
            if o.form == "loss":
                if not any(len(w) > 1 for w in wanted):
                    return False
            elif not any(len(w) >= 4 and np.isin(w, (0, 1)).all() for w in wanted):
                return False
    return True


LAB_CHECKS: dict[str, LabCheck] = {
    "budget-decides": budget_decides,
    "change-against-chance": change_against_chance,
    "stuck-together": stuck_together,
    "silent-together": silent_together,
    "lowest-error": lowest_error,
    "near-floor": near_floor,
    "all-runs": all_runs,
    "own-rows": own_rows,
}
"""By rule over all experiments: whether its sentence holds of a lab, and of the plan it names."""
