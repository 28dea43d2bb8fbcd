"""Labs drawn at random, as text: wild and tame settings, all kinds of experiments.

Labs are drawn in batches. What decides which operations a run needs (layers, activations, loss,
optimizer, rounds) is drawn from a few worlds a batch, so that the runs of many labs train together;
all numbers (data, weights, learning rates, seeds) are a lab's own.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any

from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.losses import LOSSES
from labreport.lab.schema.optimizers import OPTIMIZER_TITLES

WORLDS = 8
"""Worlds that the labs of a batch share."""

COMMON = ("sigmoid", "tanh", "relu", "identity")
"""Activations that are drawn as often as all others together: most labs use them."""

ROUNDS = (1, 2, 3, 5, 10, 12, 20, 30, 40, 60)
RATE = "optimizer.learning_rate"

Table = dict[str, Any]


@dataclass(frozen=True)
class World:
    """What the runs of some labs have in common, or choose from."""

    rows: int
    inputs: int
    outputs: int
    hidden: tuple[tuple[int, ...], ...]
    hidden_activations: tuple[str, ...]
    last_activations: tuple[str, ...]
    losses: tuple[str, ...]
    optimizers: tuple[str, ...]
    biases: tuple[str, ...]
    rounds: tuple[int, ...]
    dtype: str
    batch_size: int | None


def world(draw: random.Random) -> World:
    """One world, drawn at random."""
    rows = draw.choice((1, 1, 2, 3, 4, 5, 6, 12, 30, 150))
    depth = draw.choice((1, 1, 1, 2, 3, 9))
    widths = [tuple(draw.randint(1, 5) for _ in range(depth)) for _ in range(2)]

    def activation() -> str:
        return draw.choice(COMMON if draw.random() < 0.5 else tuple(ACTIVATIONS))

    losses = draw.sample(tuple(LOSSES), 2)
    if draw.random() < 0.6:
        losses[0] = draw.choice(("mse", "mse", "cross_entropy", "bce", "l1"))
    return World(
        rows=rows,
        inputs=draw.randint(1, 4),
        outputs=draw.choice((1, 1, 2, 2, 3, 4)),
        hidden=tuple(widths),
        hidden_activations=tuple(activation() for _ in range(2)),
        last_activations=tuple(activation() for _ in range(2)),
        losses=tuple(dict.fromkeys(losses)),
        optimizers=("sgd", draw.choice(tuple(OPTIMIZER_TITLES))),
        biases=tuple(draw.sample(("none", "trained", "zero"), 2)),
        rounds=tuple(sorted(draw.sample(ROUNDS, 2))),
        dtype=draw.choice(("float32", "float32", "float64")),
        batch_size=draw.randint(1, rows - 1) if rows > 1 and draw.random() < 0.35 else None,
    )


def lab(draw: random.Random, worlds: list[World]) -> str:
    """A lab of one to three experiments, as TOML."""
    drawing = _Drawing(draw, draw.choice(worlds))
    experiments = {f"e{k}": drawing.experiment(k) for k in range(draw.randint(1, 3))}
    return toml({"base": drawing.base(), "experiment": experiments})


def toml(tables: Table) -> str:
    """Tables as a TOML file of one line each: inside of it, tables stand inline."""
    return "".join(f"{key} = {_written(value)}\n" for key, value in tables.items())


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value)


class _Drawing:
    """One lab being drawn."""

    def __init__(self, draw: random.Random, of: World) -> None:
        self.draw = draw
        self.world = of
        self.loss = draw.choice(of.losses)
        self.wild = draw.random() < 0.25
        self.rounds = draw.choice(of.rounds)

    def base(self) -> Table:
        data: Table = {"inputs": self.inputs(), "targets": self.targets(self.loss)}
        if self.world.batch_size is not None and self.draw.random() < 0.7:
            data["batch_size"] = self.world.batch_size
        hidden = self.draw.choice(self.world.hidden)
        return {
            "data": data,
            "network": {
                "layers": [self.world.inputs, *hidden, self.world.outputs],
                "activations": self.activations(len(hidden)),
                "bias": self.draw.choice(self.world.biases),
            },
            "initial": self.initial(),
            "loss": self.loss,
            "optimizer": self.optimizer(self.draw.choice(self.world.optimizers)),
            "rounds": self.rounds,
            "dtype": self.world.dtype,
            "gradients": self.draw.choice(("cleared",) * 9 + ("accumulated",)),
            "updates": self.draw.choice(("kept",) * 19 + ("discarded",)),
            "seed": self.draw.randint(0, 999),
        }

    def inputs(self) -> list[list[float]]:
        dead = self.draw.randrange(self.world.inputs) if self.draw.random() < 0.15 else None
        level = self.draw.random() < 0.1
        return [
            [
                0.0 if unit == dead else float(level) or round(self.draw.gauss(0, 1), 2)
                for unit in range(self.world.inputs)
            ]
            for _ in range(self.world.rows)
        ]

    def targets(self, loss: str) -> list[list[float]]:
        rows, units = self.world.rows, self.world.outputs
        kind = self.draw.choice(("fitting",) * 4 + ("reals", "far"))
        if kind == "far":
            return [[round(self.draw.gauss(0, 5), 2) for _ in range(units)] for _ in range(rows)]
        if loss in ("soft_margin", "hinge_embedding") and kind == "fitting":
            return [[self.draw.choice((-1.0, 1.0)) for _ in range(units)] for _ in range(rows)]
        if loss == "poisson_nll" and kind == "fitting":
            return [[float(self.draw.randint(0, 4)) for _ in range(units)] for _ in range(rows)]
        if loss in ("mse", "l1", "smooth_l1", "huber") and kind == "reals":
            return [[round(self.draw.gauss(0, 1), 2) for _ in range(units)] for _ in range(rows)]
        if self.draw.random() < 0.5:
            if units == 1:
                return [[float(self.draw.randint(0, 1))] for _ in range(rows)]
            chosen = [self.draw.randrange(units) for _ in range(rows)]
            return [[float(unit == own) for unit in range(units)] for own in chosen]
        if self.draw.random() < 0.4 and units > 1:
            shares = [[self.draw.random() for _ in range(units)] for _ in range(rows)]
            return [[value / sum(row) for value in row] for row in shares]
        return [[round(self.draw.random(), 2) for _ in range(units)] for _ in range(rows)]

    def activations(self, depth: int) -> list[str]:
        hidden = [self.draw.choice(self.world.hidden_activations) for _ in range(depth)]
        return [*hidden, self.draw.choice(self.world.last_activations)]

    def initial(self) -> Table:
        scheme = self.draw.choice(
            ("pytorch",) * 6
            + ("zeros", "ones", "constant", "uniform", "normal", "truncated_normal")
            + ("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal")
        )
        made: Table = {"scheme": scheme}
        if scheme == "constant":
            made["value"] = round(self.draw.gauss(0, 1), 2)
        if scheme in ("normal", "uniform") and self.draw.random() < 0.2:
            # Far out, where outputs saturate.
            far = self.draw.choice((10.0, 30.0, 100.0))
            limits = {"low": -far, "high": far}
            return {**made, **({"standard_deviation": far} if scheme == "normal" else limits)}
        if scheme in ("normal", "truncated_normal") and self.draw.random() < 0.5:
            made["standard_deviation"] = self.log_uniform(-2, 1.5 if self.wild else 0.5)
        if scheme == "uniform" and self.draw.random() < 0.5:
            made |= {"low": -1.0, "high": round(self.draw.random(), 2)}
        return made

    def rate(self) -> float:
        """A learning rate: of many decades in wild labs, near 1 in tame ones."""
        low, high = (-6, 4) if self.wild else (-2.5, 1)
        return 0.0 if self.draw.random() < 0.01 else self.log_uniform(low, high)

    def log_uniform(self, low: float, high: float) -> float:
        return float(f"{10 ** self.draw.uniform(low, high):.3g}")

    def optimizer(self, name: str) -> Table:
        made: Table = {"name": name, "learning_rate": self.rate()}
        if name == "sgd" and self.draw.random() < 0.4:
            made["momentum"] = self.draw.choice((0.5, 0.9, 0.99, 1.0, 1.2))
            if self.draw.random() < 0.2:
                made["nesterov"] = True
            elif self.draw.random() < 0.2:
                made["dampening"] = self.draw.choice((0.5, 0.9, 1.0))
        if name == "rmsprop" and self.draw.random() < 0.3:
            made["momentum"] = self.draw.choice((0.5, 0.9))
        if name in ("adam", "adamw", "nadam", "adamax") and self.draw.random() < 0.3:
            made["betas"] = [self.draw.choice((0.0, 0.5, 0.9)), self.draw.choice((0.0, 0.9, 0.99))]
        if name != "rprop" and self.draw.random() < 0.2:
            made["weight_decay"] = self.log_uniform(-4, 0)
        return made

    def experiment(self, number: int) -> Table:
        kinds = (
            (self.singles, 6),
            (self.sweep_of_one, 5),
            (self.sweep_of_several, 3),
            (self.among_starts, 3),
            (self.paired, 3),
            (self.sweep_and_seeds, 2),
            (self.two_axes, 1),
            (self.sweep_of_rounds, 1),
            (self.accumulated, 1),
            (self.losses, 1),
            (self.gradient_check, 2),
        )
        makers, weights = zip(*kinds, strict=True)
        made: Table = self.draw.choices(makers, weights)[0]()
        if "budgets" not in made and self.rounds > 1 and self.draw.random() < 0.6:
            count = self.draw.randint(1, 3)
            chosen = {self.draw.randint(1, self.rounds) for _ in range(count)}
            made["budgets"] = sorted({*chosen, self.rounds} if self.draw.random() < 0.7 else chosen)
        starts = "seeds" in made or any("seeds" in v for v in made.get("variant", ()))
        if starts and self.draw.random() < 0.5:
            made["record_every"] = self.draw.randint(2, 30)
        return {"title": f"experiment {number}", **made}

    def change(self) -> Table:
        """One change, of any kind."""
        made = self.draw.choice(
            (
                lambda: {"optimizer": {"learning_rate": self.rate()}},
                lambda: {"optimizer": self.optimizer(self.draw.choice(self.world.optimizers))},
                lambda: {"initial": self.initial()},
                lambda: {"network": self.network()},
                lambda: {"network": {"bias": self.draw.choice(self.world.biases)}},
                lambda: {"loss": self.draw.choice(self.world.losses)},
                lambda: {"gradients": self.draw.choice(("cleared", "accumulated"))},
                lambda: {"data": {"targets": self.targets(self.loss)}},
                lambda: {"seed": self.draw.randint(0, 999)},
                lambda: {"rounds": self.draw.choice(self.world.rounds)},
                lambda: {"data": self.batched()},
            )
        )()
        return made

    def network(self) -> Table:
        hidden = self.draw.choice(self.world.hidden)
        layers = [self.world.inputs, *hidden, self.world.outputs]
        return {"layers": layers, "activations": self.activations(len(hidden))}

    def batched(self) -> Table:
        return {"batch_size": self.world.batch_size or self.world.rows}

    def variants(self, count: int) -> list[Table]:
        made: list[Table] = [{"name": "v0"}]
        for number in range(1, count):
            change: Table = {}
            for _ in range(self.draw.choice((1, 1, 1, 2, 3))):
                change = {**change, **self.change()}
            variant: Table = {"name": f"v{number}", "change": change}
            if self.draw.random() < 0.2:
                variant["against"] = f"v{self.draw.randrange(number)}"
            made.append(variant)
        return made

    def grid(self, most: int) -> list[float]:
        span = self.draw.choice((1, 2, 4)) if not self.wild else 6
        middle = self.draw.uniform(-2, 0.5)
        count = self.draw.randint(2, most)
        if self.draw.random() < 0.3:
            # Powers of ten, as people choose them: then products with rounds are equal at times.
            return [float(f"{10.0**k:.3g}") for k in range(-3, -3 + count)]
        raw = [10 ** (middle + span * (k / (count - 1) - 0.5)) for k in range(count)]
        return list(dict.fromkeys(float(f"{value:.3g}") for value in raw))

    def singles(self) -> Table:
        many = 60 if self.draw.random() < 0.02 else self.draw.randint(2, 4)
        return {"variant": self.variants(many)}

    def sweep_of_one(self) -> Table:
        if self.draw.random() < 0.2:
            widths = [[self.world.inputs, *h, self.world.outputs] for h in self.world.hidden]
            if widths[0] != widths[1]:
                return {"sweep": {"network": {"layers": widths}}}
        made: Table = {"sweep": {"optimizer": {"learning_rate": self.grid(7)}}}
        if self.draw.random() < 0.5:
            optimizer = {"name": "sgd", "momentum": self.draw.choice((0.0, 0.5))}
            made["change"] = {"optimizer": optimizer, "gradients": "cleared"}
        if self.rounds >= 10 and self.draw.random() < 0.4:
            made["budgets"] = [self.rounds // 10, self.rounds]
        return made

    def sweep_of_several(self) -> Table:
        variants = self.variants(self.draw.randint(2, 3))
        if self.draw.random() < 0.2:
            variants[-1]["sweep"] = {"optimizer": {"learning_rate": self.grid(4)}}
        for variant in variants:
            # What the sweep sets, no change may set as well.
            variant.get("change", {}).get("optimizer", {}).pop("learning_rate", None)
        rates = self.grid(4)
        return {"variant": variants, "sweep": {"optimizer": {"learning_rate": rates}}}

    def random_initial(self) -> Table:
        return {"scheme": self.draw.choice(("pytorch", "normal", "xavier_uniform"))}

    def among_starts(self) -> Table:
        start: Table = {"name": "starts", "change": {"initial": self.random_initial()}}
        start["seeds"] = self.draw.choice((2, 5, 12, 20, 25))
        return {"variant": [*self.variants(self.draw.randint(1, 2)), start]}

    def paired(self) -> Table:
        seeds = self.draw.choice((2, 4, 6, 8, 12, 20))
        variants = self.variants(self.draw.randint(2, 3))
        return {"change": {"initial": self.random_initial()}, "variant": variants, "seeds": seeds}

    def sweep_and_seeds(self) -> Table:
        return {
            "change": {"initial": self.random_initial()},
            "sweep": {"optimizer": {"learning_rate": self.grid(4)}},
            "seeds": self.draw.randint(2, 9),
        }

    def two_axes(self) -> Table:
        optimizer = {"learning_rate": self.grid(3), "momentum": [0.0, 0.5, 0.9]}
        return {"change": {"optimizer": {"name": "sgd"}}, "sweep": {"optimizer": optimizer}}

    def sweep_of_rounds(self) -> Table:
        return {"sweep": {"rounds": list(self.world.rounds)}, "budgets": [1]}

    def accumulated(self) -> Table:
        optimizer = {"name": "sgd", "momentum": 0.0, "weight_decay": 0.0}
        cleared: Table = {"gradients": "cleared"}
        variants: list[Table] = [
            {"name": "accumulated", "change": {"gradients": "accumulated"}},
            {"name": "cleared", "change": cleared},
        ]
        if self.draw.random() < 0.4:
            change = {**cleared, "optimizer": {"momentum": 1.0}}
            variants.append({"name": "momentum", "change": change})
        return {"change": {"optimizer": optimizer}, "variant": variants}

    def losses(self) -> Table:
        chosen = self.draw.sample(self.world.losses, len(self.world.losses))
        return {"variant": [{"name": f"l{k}", "change": {"loss": v}} for k, v in enumerate(chosen)]}

    def gradient_check(self) -> Table:
        made: Table = {
            "kind": "gradient-check",
            "change": {"data": {"batch_size": self.world.rows}},
        }
        if self.world.batch_size is None:
            made = {"kind": "gradient-check"}
        if self.world.rows == 1 and self.world.inputs > 1:
            chosen = self.draw.sample(self.formulas(), self.draw.randint(1, 3))
            made["formula"] = [{**f, "name": f"f{k}"} for k, f in enumerate(chosen)]
        return made

    def formulas(self) -> list[Table]:
        """The derivative by w1 from that by its neighbour into the same unit: right and wrong."""
        # Weights are numbered by the unit that they come from, so x2's first is one width later.
        neighbours = {f"w{width[0] + 1}" for width in self.world.hidden}
        neighbour = self.draw.choice(sorted(neighbours))
        factor = self.draw.choice((1.001, 1.1, 2, 0.5, -1))
        texts = (
            f"d_{neighbour} * x1 / x2",
            f"d_{neighbour} * x2 / x1",
            f"{factor} * d_{neighbour} * x1 / x2",
            f"d_{neighbour}",
        )
        return [{"derivatives": {"w1": text}} for text in texts] + [
            {"derivatives": {"w1": texts[1]}, "reason": "inputs are swapped"}
        ]
