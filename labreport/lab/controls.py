"""Controls: runs beside those of the lab, made to test what is concluded from a run.

A reason is tested by a run that differs in the one thing that is said to be the reason; a
conclusion by the same run from other starts, with more rounds, at other learning rates, and in
another rounding. What is a control of a run follows from its configuration alone, so that controls
are trained with all other runs, before anything is known of the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from labreport.lab.configuration import RunConfig
from labreport.lab.lab import merge
from labreport.lab.schedule import Schedule
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.initialisers import WITHOUT_CHANCE, Given, LinearDefault
from labreport.lab.size import recorded_bytes, replay_seconds, run_seconds
from labreport.lab.unlearnable import reason

Kind = Literal[
    "momentum",
    "linear-output",
    "without-hidden",
    "longer",
    "rounding",
    "rounding-starts",
    "rates",
    "neighbours",
    "other-starts",
]

STARTS = 30
"""Random starts that a comparison is repeated from: if none of them does what a run did, fewer than
one start in ten does at 95 % confidence (the rule of three)."""

FEWEST_STARTS = 10
"""Starts that are taken where so many as that would take too long."""

LONGER = ((200, 10), (1000, 5))
"""How many times as many rounds a run is continued for, by the rounds up to which; beyond, three
times. Short runs are continued for longer: most of their course is still to come."""

RATES = (0.1, 0.25, 0.5, 2.0, 4.0, 10.0, 40.0)
"""Factors of the learning rate at which a run is repeated: both neighbours, and two decades up,
where a comparison of losses or activations may find the same lead by a larger step."""

MOST_CONTROLS, MOST_OF_EXPERIMENT = 20_000, 5_000
"""Controls of one kind of a whole lab, in equal shares of its experiments, and of one experiment:
resolving a control takes some 100 µs, and nobody asked for it."""

MOST_SECONDS = 6.0
"""Seconds that one kind of control of one experiment may take; where it takes more, fewer starts
are taken, or none."""

RECORDS = 50
"""Steps of a control at which its weights are recorded, at the least."""

MOST_BYTES = 64 * 2**20
"""Up to which the controls of one kind are recorded at every step, from which each next one can be
computed again by itself."""

DISTANCES = frozenset({"mse", "l1", "smooth_l1", "huber"})
"""Losses that a linear output can bring to their minimum at any target."""

UNIT = {"float32": 2.0**-23, "float64": 2.0**-52}
"""A unit in the last place of a number between 1 and 2."""


@dataclass(frozen=True)
class Control:
    """Runs that test one conclusion from another run, and how they are recorded."""

    kind: Kind
    configurations: tuple[RunConfig, ...]
    schedule: Schedule


def momentum(config: RunConfig) -> tuple[RunConfig, ...]:
    """Test whether gradients that are never cleared are SGD with a momentum of 1.

    The sum of all gradients is the velocity of a ball without friction: v ← 1 · v + g.
    """
    optimizer = config.optimizer
    if config.gradients != "accumulated" or config.updates != "kept":
        return ()
    if optimizer.name != "sgd" or optimizer.momentum or optimizer.weight_decay:
        return ()
    change = {"gradients": "cleared", "optimizer": {"momentum": 1.0, "dampening": 0.0}}
    return (changed(config, change),)


def linear_output(config: RunConfig) -> tuple[RunConfig, ...]:
    """Test whether it is the range of the last activation that keeps a target out of reach."""
    last = ACTIVATIONS[config.network.activations[-1]]
    inside = all(last.low <= target <= last.high for row in config.data.targets for target in row)
    constant = reason(config) in ("softmax", "log-softmax")
    if inside or constant or config.loss not in DISTANCES:
        return ()
    activations = [*config.network.activations[:-1], "identity"]
    return (changed(config, {"network": {"activations": activations}}),)


def without_hidden(config: RunConfig) -> tuple[RunConfig, ...]:
    """Test whether hidden layers without an activation add anything: the network without them.

    From a start of its own, and trained as long as the same run continued.
    """
    network = config.network
    *hidden, last = network.activations
    if not hidden or {*hidden} != {"identity"} or network.holds_bias:
        return ()
    if not config.data.sees_all_rows or not config.optimizer.learning_rate:
        return ()
    layers = [network.layers[0], network.layers[-1]]
    change = {"network": {"layers": layers, "activations": [last]}}
    initial = LinearDefault(scheme="pytorch")
    return longer(changed(config.model_copy(update={"initial": initial}), change))


def longer(config: RunConfig) -> tuple[RunConfig, ...]:
    """The same run continued: what stands still now may move later, and who leads may change."""
    times = next((factor for rounds, factor in LONGER if config.rounds <= rounds), 3)
    return (config.model_copy(update={"rounds": config.rounds * times}),)


def rounding(config: RunConfig) -> tuple[RunConfig, ...]:
    """The same run in another rounding: digits that differ were decided by rounding.

    In double precision, if it is not; and with every given weight moved by a unit in the last
    place, either way, and by two: or the learning rate, where weights are drawn.
    """
    made = []
    if config.dtype == "float32":
        made.append(config.model_copy(update={"dtype": "float64"}))
    factors = [1 + units * UNIT[config.dtype] for units in (1, -1, 2)]
    if isinstance(config.initial, Given):
        made += [_moved(config, config.initial, factor) for factor in factors]
    elif config.optimizer.learning_rate and config.updates == "kept":
        made += [_at_rate(config, config.optimizer.learning_rate * factor) for factor in factors]
    return tuple(made)


def rounding_starts(config: RunConfig) -> tuple[RunConfig, ...]:
    """Of a run from one of several random starts the first of these: there are many such runs."""
    return rounding(config)[:1]


def _moved(config: RunConfig, initial: Given, factor: float) -> RunConfig:
    """The run with every weight so many times as large."""
    weights = tuple(
        tuple(tuple(weight * factor for weight in row) for row in matrix)
        for matrix in initial.weights
    )
    moved = initial.model_copy(update={"weights": weights})
    return config.model_copy(update={"initial": moved})


def rates(config: RunConfig) -> tuple[RunConfig, ...]:
    """The same run with a smaller or a larger step."""
    rate = config.optimizer.learning_rate
    if not rate or config.updates == "discarded":
        return ()
    return tuple(_at_rate(config, rate * factor) for factor in RATES)


def _at_rate(config: RunConfig, rate: float) -> RunConfig:
    """The run with another learning rate."""
    optimizer = config.optimizer.model_copy(update={"learning_rate": rate})
    return config.model_copy(update={"optimizer": optimizer})


def neighbours(config: RunConfig) -> tuple[RunConfig, ...]:
    """The same run with half the step, and with twice the step."""
    rate, made = config.optimizer.learning_rate, rates(config)
    return tuple(c for c in made if c.optimizer.learning_rate in (rate / 2, rate * 2))


def other_starts(config: RunConfig) -> tuple[RunConfig, ...]:
    """The same run from other starts, drawn as torch.nn.Linear draws them if it was given one.

    The run's own start is none of them.
    """
    if config.network.holds_bias:
        return ()  # A start is drawn without the biases that are held.
    own = start_seed(config)
    if own is None:
        config = config.model_copy(update={"initial": LinearDefault(scheme="pytorch")})
    seeds = [seed for seed in range(STARTS + 1) if seed != own][:STARTS]
    return tuple(config.with_seed(seed) for seed in seeds)


def start_seed(config: RunConfig) -> int | None:
    """The seed that the start of a run is drawn from; None where it is not drawn."""
    return None if config.initial.scheme in WITHOUT_CHANCE else config.seed


def changed(config: RunConfig, change: dict[str, Any]) -> RunConfig:
    """The same run with some keys changed; data that are not are one object in both."""
    shared = {} if "data" in change else {"data": config.data}
    rest = merge(config.model_dump(mode="json", exclude=set(shared)), change)
    return RunConfig.model_validate({**rest, **shared})


KINDS: dict[Kind, Callable[[RunConfig], tuple[RunConfig, ...]]] = {
    "momentum": momentum,
    "linear-output": linear_output,
    "without-hidden": without_hidden,
    "longer": longer,
    "rounding": rounding,
    "rounding-starts": rounding_starts,
    "rates": rates,
    "neighbours": neighbours,
    "other-starts": other_starts,
}
"""What makes the controls of a run, by their kind."""

_DIGESTS: dict[tuple[Kind, str], tuple[str, ...]] = {}
"""Digests of the controls of runs: many rules ask for them, and each takes some 100 µs."""


def control_digests(kind: Kind, config: RunConfig) -> tuple[str, ...]:
    """The digests of the controls of one kind that a run has, as the run alone decides."""
    place = kind, config.digest
    if place not in _DIGESTS:
        _DIGESTS[place] = tuple(made.digest for made in KINDS[kind](config))
    return _DIGESTS[place]


MOST_OF_A_RUN: dict[Kind, int] = {
    "longer": 1,
    "rounding": 4,
    "rounding-starts": 1,
    "rates": len(RATES),
    "neighbours": 2,
}
"""Controls that a run has of a kind, at the most; other starts may be fewer."""

REASONS: tuple[Kind, ...] = ("momentum", "linear-output", "without-hidden")
"""Controls that test a reason; there are one or two of a run."""

ROBUSTNESS: dict[str, tuple[Kind, ...]] = {
    "full": ("longer", "rounding", "rounding-starts", "rates", "neighbours", "other-starts"),
    "starts": ("other-starts",),
    "none": (),
}
"""Controls that test whether a conclusion survives, by the value of ``robustness``."""


@dataclass(frozen=True)
class Compared:
    """The runs of an experiment that conclusions are drawn from.

    Attributes:
        singles: variants that are one run each.
        swept: runs of a sweep, one at each point.
        replicated: runs of variants that have several random starts, of the first of these.
        budgets: rounds after which they are compared.
    """

    singles: tuple[RunConfig, ...]
    swept: tuple[RunConfig, ...]
    replicated: tuple[RunConfig, ...]
    budgets: tuple[int, ...]


def reasons(compared: Compared) -> Iterator[Control]:
    """The controls that test reasons, of runs that are shown one by one."""
    for kind in REASONS:
        for config in compared.singles:
            if made := KINDS[kind](config):
                yield Control(kind, made, Schedule())


def repetitions(compared: Compared, kinds: Sequence[Kind], most: int) -> Iterator[Control]:
    """The controls that test whether what is concluded survives; fewer where they would be many.

    Args:
        compared: the runs of an experiment.
        kinds: of controls.
        most: controls of one kind.
    """
    for kind in kinds:
        taken = _affordable(kind, _repeated(compared, kind), most)
        recorded = sum(recorded_bytes(config, Schedule()) for config in taken)
        for config in taken:
            stride = 1 if recorded <= MOST_BYTES else max(1, config.rounds // RECORDS)
            yield Control(kind, (config,), Schedule.of(config, stride, compared.budgets))


def _repeated(compared: Compared, kind: Kind) -> tuple[RunConfig, ...]:
    """The runs that have controls of a kind."""
    if kind == "rates":
        return (*compared.singles, *_without_momentum(compared.swept))
    if kind in ("neighbours", "rounding-starts"):
        return compared.replicated
    alone = (*compared.singles, *compared.swept)
    # Where the start itself is compared, another one is another question.
    starts = {(config.initial, start_seed(config)) for config in alone}
    if kind == "other-starts" and len(starts) > 1:
        return ()
    return alone


def _without_momentum(swept: Sequence[RunConfig]) -> tuple[RunConfig, ...]:
    """Of runs along a sweep of momentum those that have none: a longer step may do the same."""
    momenta = {c.digest: c.flat().get("optimizer.momentum") for c in swept}
    several = len({*momenta.values()} - {None}) > 1
    return tuple(c for c in swept if several and momenta[c.digest] == 0)


def _affordable(kind: Kind, runs: Sequence[RunConfig], most: int) -> list[RunConfig]:
    """The controls that are taken of some runs: all of them, fewer starts, or none.

    What would be too many is not made.
    """
    for each in (STARTS, FEWEST_STARTS) if kind == "other-starts" else (MOST_OF_A_RUN[kind],):
        if len(runs) * each <= most:
            made = [config for run in runs for config in KINDS[kind](run)[:each]]
            if _seconds(kind, made) <= MOST_SECONDS:
                return made
    return []


def _seconds(kind: Kind, made: Sequence[RunConfig]) -> float:
    """Processor time that controls take, those that are replayed together among one another."""
    together = STARTS if kind == "other-starts" else 1
    return sum(
        run_seconds(config) + replay_seconds(config, config.rounds) / together for config in made
    )
