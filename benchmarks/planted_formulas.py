"""Plant right and wrong formulas into gradient checks, and count the verdicts that are not so.

For every activation and loss, from weights in the middle to far saturation, in both precisions, one
derivative of a 2-2-2 network is replaced by the right formula and by that with a wrong sign, twice
and 1.01 times too large, by 0, and, where the formula has several terms, with one missing and with
indices exchanged. A wrong formula must be called wrong wherever the derivative is no rounding
itself; a right one must never be. Whether it is rounding is decided apart from the program: with
more digits (NumPy's long double) and at weights one unit of rounding away.

    python benchmarks/planted_formulas.py          # all, some 25 000 verdicts, in some minutes
    python benchmarks/planted_formulas.py 40       # every 40th case, as in the tests
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from labreport.lab.configuration import RunConfig
from labreport.lab.expression import evaluate as value_of
from labreport.lab.expression import parse
from labreport.lab.lab import Formula
from labreport.lab.naming import parameter_names
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.losses import LOSSES
from labreport.reference.evaluation import evaluate
from labreport.reference.gradient_check.four_ways import check_gradients
from labreport.runs.run import Environment, Run
from labreport.training.family import families
from labreport.training.trainer import train

SCALES = (0.5, 2.0, 5.0, 10.0, 20.0, 40.0, 100.0)
"""Sizes of weights: sigmoid is 1 in float32 from 17 on, in float64 from 37 on."""

PRECISIONS = ("float32", "float64")

CLOSE = 2e-5
"""Relative error up to which the right formula itself is more than rounding."""

BESIDE = 12
"""Places one unit of rounding away at which that error is looked at: at one it may be small by
chance."""

FAR = 1e-3
"""Relative difference from which on a formula is another one."""

SLOPES = {"sigmoid": "h1*(1-h1)", "tanh": "(1-h1**2)", "identity": "1"}
"""Derivatives of hidden activations that a formula can state."""


@dataclass(frozen=True)
class Case:
    """A network, its loss, and formulas for the derivative by one weight."""

    config: RunConfig
    weight: str
    formulas: Mapping[str, str]


@dataclass(frozen=True)
class Verdict:
    """What a check said of one planted formula: "right", "wrong" or "open"; and what is so."""

    case: Case
    name: str
    said: str
    expected: str

    @property
    def is_false(self) -> bool:
        """Return whether it contradicts what is so; an open verdict does where something shows."""
        return self.expected != "open" and self.said != self.expected


def cases() -> Iterator[Case]:
    """Every activation as the last and as the hidden one, with every loss, size and precision."""
    networks = [(hidden, last) for last in ACTIVATIONS for hidden in SLOPES]
    networks += [(hidden, "") for hidden in ACTIVATIONS if hidden not in SLOPES]
    drawn = np.random.default_rng(7)
    for (hidden, last), loss in itertools.product(networks, LOSSES):
        last = last or {"bce": "sigmoid", "kl_div": "log_softmax"}.get(loss, "identity")
        if loss == "bce" and (ACTIVATIONS[last].low < 0 or ACTIVATIONS[last].high > 1):
            continue
        for scale, dtype in itertools.product(SCALES, PRECISIONS):
            config = _config(hidden, last, loss, scale, dtype, drawn)
            yield Case(config, "w1", _by_terms(SLOPES[hidden]) if hidden in SLOPES else {})
            yield Case(config, "w1", _variants("d_w3*x1/x2"))
            if (short := _textbook(last, loss)) is not None:
                yield Case(config, "w5", _variants(short))


def _config(
    hidden: str, last: str, loss: str, scale: float, dtype: str, drawn: np.random.Generator
) -> RunConfig:
    weights = [(scale * drawn.uniform(-1, 1, (2, 2))).tolist() for _ in range(2)]
    targets = {
        "bce": drawn.choice([0.0, 1.0, 0.3], 2),
        "bce_with_logits": drawn.choice([0.0, 1.0, 0.3], 2),
        "hinge_embedding": drawn.choice([-1.0, 1.0], 2),
        "soft_margin": drawn.choice([-1.0, 1.0], 2),
        "cross_entropy": np.array([(0.3, 0.7), (1.0, 0.0)][drawn.integers(2)]),
        "kl_div": np.array([0.4, 0.6]),
        "multilabel_soft_margin": drawn.choice([0.0, 1.0], 2),
        "poisson_nll": drawn.choice([0.0, 1.0, 2.0], 2),
    }.get(loss, drawn.uniform(-1, 1, 2))
    return RunConfig.model_validate(
        {
            "data": {"inputs": [[1.0, -0.8]], "targets": [targets.tolist()]},
            "network": {"layers": [2, 2, 2], "activations": [hidden, last], "bias": "none"},
            "initial": {"scheme": "given", "weights": weights},
            "loss": loss,
            "optimizer": {"name": "sgd", "learning_rate": 1e-3},
            "rounds": 1,
            "dtype": dtype,
        }
    )


def _by_terms(slope: str) -> dict[str, str]:
    """By the chain rule through both outputs: δ of an output is d_w5/h1 and d_w6/h1."""
    right = f"(d_w5/h1*w5+d_w6/h1*w6)*{slope}*x1"
    return {
        **_variants(right),
        "missing": f"(d_w5/h1*w5)*{slope}*x1",
        "exchanged": f"(d_w5/h1*w6+d_w6/h1*w5)*{slope}*x1",
        "other-unit": f"(d_w5/h1*w5+d_w6/h1*w6)*{slope.replace('h1', 'h2')}*x2",
    }


def _variants(right: str) -> dict[str, str]:
    return {
        "right": right,
        "sign": f"-({right})",
        "double": f"2*({right})",
        "hundredth": f"1.01*({right})",
        "zero": "0",
    }


def _textbook(last: str, loss: str) -> str | None:
    """The derivative by w5 as textbooks state it, for the pairs that a formula can state."""
    return {
        ("sigmoid", "bce"): "(o1-y1)/2*h1",
        ("sigmoid", "mse"): "(o1-y1)*o1*(1-o1)*h1",
        ("tanh", "mse"): "(o1-y1)*(1-o1**2)*h1",
        ("identity", "mse"): "(o1-y1)*h1",
        ("log_softmax", "kl_div"): "",
    }.get((last, loss)) or None


def verdicts(case: Case) -> Iterator[Verdict]:
    """What the check says of each formula of a case; nothing where the loss refuses the start."""
    if not case.formulas:
        return
    (family,) = families([case.config])
    run = Run(case.config, train(family)[0], Environment(1, "planted"), "planted")
    if not len(run.trace.losses):
        return
    formulas = [
        Formula.model_validate({"name": name, "derivatives": {case.weight: text}})
        for name, text in case.formulas.items()
    ]
    checked = check_gradients(run, formulas).formulas
    for found, expected in zip(checked, _expected(case, run), strict=True):
        said = "wrong" if found.is_wrong else "right" if found.is_right else "open"
        yield Verdict(case, found.formula.name, said, expected)


def _expected(case: Case, run: Run) -> list[str]:
    """What is so, by numbers with more digits; "open" where the derivative is rounding."""
    start = run.trace.weights[0].astype(np.float64)
    signs = np.random.default_rng(3).choice([-np.inf, np.inf], (BESIDE, len(start)))
    places = [start, *(np.nextafter(start, sign) for sign in signs)]
    with np.errstate(all="ignore"):
        errors = [_errors(case, place) for place in places]
        exact, made = _exact(case, start)
    worst = {name: max(error[name] for error in errors) for name in case.formulas}
    unresolved = not np.isfinite(exact) or exact == 0 or _is_rounded_to_one(case, start)
    unresolved = unresolved or _is_subnormal(case, start)
    if not worst["right"] <= CLOSE or unresolved:
        return ["open"] * len(case.formulas)
    found = []
    for name, value in made.items():
        # Nor does anything show in a formula that is itself but rounding there.
        far = abs(value - exact) > max(FAR, 100 * worst[name]) * abs(exact)
        found.append("right" if name == "right" else "wrong" if far else "open")
    return found


def _is_subnormal(case: Case, weights: np.ndarray) -> bool:
    """Return whether an activation is so small that it is 0 to some programs."""
    tiny = np.finfo(case.config.dtype).tiny
    found = evaluate(case.config, weights, np.float64, simplified=True).passed.activations
    return any(bool(((a != 0) & (np.abs(a) < tiny)).any()) for a in found)


def _is_rounded_to_one(case: Case, weights: np.ndarray) -> bool:
    """Return whether softmax gives 1 in long double too, so that nothing is left of 1 − p."""
    if "softmax" not in case.config.network.activations[-1]:
        return False
    found = evaluate(case.config, weights.astype(np.longdouble), np.longdouble)
    one = 1.0 if case.config.network.activations[-1] == "softmax" else 0.0
    return bool(found.passed.output.max() == one)


def _errors(case: Case, weights: np.ndarray) -> dict[str, float]:
    """The errors of all formulas in float64, relative to the derivative.

    Of wrong ones also where each activation is one unit of rounding lower.
    """
    exact, wide = _exact(case, weights)
    wide["right"] = exact
    made = [_made(case, weights, np.float64), _made(case, weights, np.float64, -np.inf)]
    made[1]["right"] = made[0]["right"]
    return {
        name: max(float(abs(values[name] - wide[name]) / abs(exact)) for values in made)
        for name in wide
    }


def _exact(case: Case, weights: np.ndarray) -> tuple[Any, dict[str, Any]]:
    """The derivative and all formulas in long double."""
    wide = weights.astype(np.longdouble)
    index = parameter_names(case.config.network).index(case.weight)
    found = evaluate(case.config, wide, np.longdouble, simplified=True)
    return found.gradient[index], _made(case, weights, np.longdouble)


def _made(
    case: Case, weights: np.ndarray, dtype: Any, beside: float | None = None
) -> dict[str, Any]:
    at = weights.astype(dtype)
    found = evaluate(case.config, at, dtype, simplified=True)
    names = parameter_names(case.config.network)
    values: dict[str, Any] = dict(zip(names, at, strict=True))
    values |= {f"d_{name}": g for name, g in zip(names, found.gradient, strict=True)}
    for letter, layer in zip("xho", found.passed.activations, strict=True):
        units = layer[0].astype(dtype)
        if beside is not None and letter != "x":
            units = np.nextafter(units, dtype(beside))
        values |= {f"{letter}{k}": a for k, a in enumerate(units, start=1)}
    targets = np.array(case.config.data.targets[0], dtype=dtype)
    values |= {f"y{k}": y for k, y in enumerate(targets, start=1)}
    return {name: dtype(value_of(parse(text), values)) for name, text in case.formulas.items()}


def main() -> None:
    """Count verdicts by formula, and print those that are false."""
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    counted: Counter[tuple[str, str, str]] = Counter()
    false = 0
    for case in itertools.islice(cases(), 0, None, every):
        for verdict in verdicts(case):
            counted[verdict.name, verdict.expected, verdict.said] += 1
            if verdict.is_false:
                false += 1
                network = case.config.network
                print("FALSE", verdict.name, case.formulas[verdict.name], network.activations)
                print("  ", case.config.loss, case.config.dtype, verdict.expected, verdict.said)
                print("  ", case.config.initial.model_dump_json(), case.config.data.targets)
    for (name, expected, said), count in sorted(counted.items()):
        print(f"{name:12} is {expected:6} said {said:6} {count:6}")
    print(f"{sum(counted.values())} verdicts, {false} false")
    sys.exit(1 if false else 0)


if __name__ == "__main__":
    main()
