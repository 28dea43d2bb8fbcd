"""Labs with data sets drawn at random, as text: classes and numbers, split, scaled, in batches."""

from __future__ import annotations

import random
from typing import Any

from random_labs import RATE, toml

Table = dict[str, Any]

CLASSES = ("moons", "circles", "blobs", "spirals", "xor")
NUMBERS = ("line", "polynomial", "sine")
HIDDEN = ("tanh", "sigmoid", "relu", "leaky_relu", "elu", "softplus", "identity")
ROUNDS = (3, 10, 25, 60, 120)


def data_lab(draw: random.Random, _: object) -> str:
    """A lab of one or two experiments on one data set, as TOML."""
    drawing = _Drawing(draw)
    experiments = {f"e{k}": drawing.experiment(k) for k in range(draw.randint(1, 2))}
    return toml({"base": drawing.base(), "experiment": experiments})


class _Drawing:
    """One lab being drawn."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.has_classes = draw.random() < 0.65
        self.source = self._source()
        self.rounds = draw.choice(ROUNDS)
        self.batched = draw.random() < 0.3
        self.loss = self._loss()

    def _source(self) -> Table:
        roll = self.draw.random()
        if self.has_classes and roll < 0.15:
            return {"set": "iris"}
        if roll < 0.3:
            return self._inline()
        rule: Table = {"name": self.draw.choice(CLASSES if self.has_classes else NUMBERS)}
        rule["rows"] = self.draw.choice((20, 40, 60, 120))
        rule["noise"] = self.draw.choice((0.05, 0.2, 0.5, 1.0))
        rule["seed"] = self.draw.randint(0, 99)
        if rule["name"] in ("blobs", "spirals"):
            rule["classes"] = self.draw.choice((2, 3, 4))
        return {"rule": rule}

    def _inline(self) -> Table:
        rows, columns = self.draw.choice((12, 30)), self.draw.randint(1, 3)
        made = [[round(self.draw.gauss(0, 1), 2) for _ in range(columns)] for _ in range(rows)]
        if not self.has_classes:
            targets = [[round(sum(row) ** 2 + self.draw.gauss(0, 0.2), 2)] for row in made]
            return {"inputs": made, "targets": targets}
        names = ["a", "b", "c"][: self.draw.choice((2, 3))]
        drawn = [self.draw.choice(names) for _ in range(rows - len(names))]
        return {"inputs": made, "targets": [*names, *drawn]}

    def _loss(self) -> str:
        if not self.has_classes:
            return self.draw.choice(("mse", "mse", "l1", "huber", "smooth_l1"))
        return self.draw.choice(("cross_entropy",) * 5 + ("mse", "bce_with_logits", "bce"))

    def base(self) -> Table:
        data: Table = {**self.source, "split": self._split(), "standardise": self._half()}
        if self.batched:
            data["batch_size"] = self.draw.choice((5, 8, 16))
        if self.draw.random() < 0.2:
            data["degree"] = self.draw.choice((2, 3))
        if "validation" in data["split"] and self.draw.random() < 0.25:
            data["keep"] = "best"
            if self._half():
                data["patience"] = self.draw.choice((2, 10))
        hidden = self._hidden()
        made: Table = {
            "data": data,
            "network": {"hidden": hidden, "activations": self._activations(hidden)},
            "initial": {"scheme": self.draw.choice(("pytorch", "xavier_uniform", "normal"))},
            "loss": self.loss,
            "optimizer": self._optimizer(),
            "seed": self.draw.randint(0, 999),
        }
        made["epochs" if self.batched and self._half() else "rounds"] = self.rounds
        return made

    def _half(self) -> bool:
        return self.draw.random() < 0.5

    def _split(self) -> Table:
        made: Table = {"train": 0.6, "validation": 0.2, "test": 0.2}
        kind = self.draw.random()
        if kind < 0.15:
            made = {"train": 0.7, "test": 0.3}
        elif kind < 0.35:
            made = {"train": 0.5, "validation": 0.5}
        made["seed"] = self.draw.randint(0, 9)
        if self.has_classes and self._half():
            made["stratified"] = True
        return made

    def _hidden(self) -> list[int]:
        return [self.draw.choice((1, 2, 4, 8)) for _ in range(self.draw.choice((0, 1, 1, 2)))]

    def _activations(self, hidden: list[int]) -> list[str]:
        last = "sigmoid" if self.loss == "bce" else "identity"
        return [*(self.draw.choice(HIDDEN) for _ in hidden), last]

    def _rate(self) -> float:
        return float(f"{10 ** self.draw.uniform(-2.5, 0.6):.3g}")

    def _optimizer(self) -> Table:
        made: Table = {"name": self.draw.choice(("sgd", "sgd", "adam", "rmsprop"))}
        made["learning_rate"] = self._rate()
        if made["name"] == "sgd" and self.draw.random() < 0.4:
            made["momentum"] = self.draw.choice((0.5, 0.9))
        if self.draw.random() < 0.25:
            made["weight_decay"] = self.draw.choice((0.001, 0.01, 0.1))
        return made

    def experiment(self, number: int) -> Table:
        made: Table = self.draw.choice(
            (self._singles, self._sweep, self._starts, self._starts, self._swept_starts)
        )()
        if self.rounds > 5 and self._half():
            made["budgets"] = sorted({self.draw.randint(1, self.rounds), self.rounds})
        return {"title": f"experiment {number}", **made}

    def _change(self) -> Table:
        def network() -> Table:
            hidden = self._hidden()
            return {"network": {"hidden": hidden, "activations": self._activations(hidden)}}

        return self.draw.choice(
            (
                lambda: {"optimizer": {"learning_rate": self._rate()}},
                lambda: {"optimizer": self._optimizer()},
                lambda: {"optimizer": {"weight_decay": self.draw.choice((0.0, 0.01, 0.3))}},
                lambda: {"initial": {"scheme": self.draw.choice(("zeros", "kaiming_normal"))}},
                lambda: {"data": {"standardise": self._half()}},
                lambda: {"data": {"degree": self.draw.choice((1, 2, 3))}},
                lambda: {"seed": self.draw.randint(0, 99)},
                network,
                network,
            )
        )()

    def _variants(self, count: int) -> list[Table]:
        others = [{"name": f"v{k}", "change": self._change()} for k in range(1, count)]
        return [{"name": "v0"}, *others]

    def _singles(self) -> Table:
        return {"variant": self._variants(self.draw.randint(2, 4))}

    def _axis(self) -> Table:
        count = self.draw.randint(2, 5)
        axis = self.draw.random()
        if axis < 0.25:
            return {"data": {"degree": [1, 2, 3, 5][:count]}}
        if axis < 0.5:
            decays = [0.0, 0.001, 0.01, 0.1, 1.0][:count]
            return {"optimizer": {"weight_decay": decays}}
        rates = sorted({self._rate() for _ in range(count)})
        return {RATE.split(".")[0]: {RATE.split(".")[1]: rates}}

    def _sweep(self) -> Table:
        return {"sweep": self._axis()}

    def _starts(self) -> Table:
        variants = self._variants(self.draw.choice((1, 2, 2, 3, 4)))
        return {"variant": variants, "seeds": self.draw.choice((2, 6, 8, 12, 20))}

    def _swept_starts(self) -> Table:
        return {"sweep": self._axis(), "seeds": self.draw.choice((2, 6, 12))}
