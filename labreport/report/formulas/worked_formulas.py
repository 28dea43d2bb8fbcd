"""The formulas of the worked example, each a line of LaTeX: formula = numbers = value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labreport.lab.naming import parameter_names, unit_names
from labreport.reference.activations import ACTIVATIONS as BY_HAND
from labreport.reference.evaluation import layers_of
from labreport.reference.losses.all_losses import LOSSES
from labreport.report.formulas.latex import derivative, symbol
from labreport.report.numbers import MINUS, measured, setting
from labreport.report.worked_example import WorkedExample

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def number(value: float, digits: int = 4) -> str:
    """A computed number in LaTeX."""
    text = measured(value, digits).replace(MINUS, "-")
    if "×10" in text:
        mantissa, power = text.split("×10")
        text = rf"{mantissa} \times 10^{{{power.translate(_SUPERSCRIPTS)}}}"
    return _closed(text)


def given(value: float) -> str:
    """A weight or an input in LaTeX, as short as it can be written."""
    return _closed(setting(round(value, 4)).replace(MINUS, "-"))


def _closed(text: str) -> str:
    """A negative number as one thing, so that its sign is not set like a subtraction."""
    return f"{{{text}}}" if text.startswith("-") else text


def factor(text: str) -> str:
    """A number as a factor: in brackets if it is negative."""
    return f"({text})" if text.startswith("{-") else text


_VALUES: dict[str, tuple[str, str]] = {
    "sigmoid": (r"\frac{{1}}{{1 + e^{{-{z}}}}}", r"\frac{{1}}{{1 + e^{{{minus}}}}}"),
    "tanh": (r"\tanh({z})", r"\tanh({value})"),
    "relu": (r"\max(0, {z})", r"\max(0, {value})"),
    "identity": ("{z}", "{value}"),
}
"""Value of an activation in symbols and in numbers; f(z) for those that are not here."""

_SLOPES: dict[str, str] = {"sigmoid": "{a} (1 - {a})", "tanh": "(1 - {a}^2)"}
"""Derivative of an activation by its value; f'(z) for those that are not here."""


class WorkedFormulas:
    """The formulas of a worked example, each a line of LaTeX: formula = numbers = value."""

    def __init__(self, worked: WorkedExample) -> None:
        self.worked = worked
        config = worked.config
        self.network = config.network
        self.units = [tuple(map(symbol, layer)) for layer in unit_names(config.network)]
        self.names = parameter_names(config.network)
        self.layers = layers_of(config, worked.weights)
        self.values = [a[0] for a in worked.first.passed.activations]
        self.sums = [z[0] for z in worked.first.passed.pre_activations]
        self.deltas = [d[0] for d in worked.first.found.deltas]
        self.targets = np.array(config.data.targets[0])

    def weight_name(self, layer: int, out: int, into: int) -> str:
        return symbol(self.names[self._start(layer) + out * self.network.shapes[layer][1] + into])

    def bias_name(self, layer: int, out: int) -> str:
        before = sum(rows for rows, _ in self.network.shapes[:layer])
        return symbol(f"b{before + out + 1}")

    def _start(self, layer: int) -> int:
        biases = self.network.trains_bias
        return sum(out * (into + biases) for out, into in self.network.shapes[:layer])

    def forward(self, layer: int) -> list[str]:
        """Weighted sum and value of each unit of a layer of weights, 0 for the first."""
        lines = []
        for unit, name in enumerate(self.units[layer + 1]):
            weights = self.layers[layer].weight[unit]
            terms = [
                f"{self.weight_name(layer, unit, k)} {source}"
                for k, source in enumerate(self.units[layer])
            ]
            show = given if layer == 0 else number
            filled = [
                rf"{factor(given(w))} \times {factor(show(v))}"
                for w, v in zip(weights, self.values[layer], strict=True)
            ]
            if (bias := self.layers[layer].bias) is not None:
                terms.append(self.bias_name(layer, unit))
                filled.append(factor(given(float(bias[unit]))))
            z = float(self.sums[layer][unit])
            lines.append(
                f"z_{{{name}}} &= {' + '.join(terms)} = {' + '.join(filled)} = {number(z)}"
            )
            lines.append(f"{name} &= {self._value(layer, unit)}")
        return lines

    def _value(self, layer: int, unit: int) -> str:
        name = self.units[layer + 1][unit]
        z = float(self.sums[layer][unit])
        symbols, filled = _VALUES.get(self.network.activations[layer], (r"f({z})", r"f({value})"))
        texts = {"z": f"z_{{{name}}}", "value": number(z), "minus": number(-z)}
        value = number(float(self.values[layer + 1][unit]))
        if symbols == "{z}":
            return f"z_{{{name}}} = {value}"
        return f"{symbols.format(**texts)} = {filled.format(**texts)} = {value}"

    def loss(self) -> list[str]:
        """The loss of the one row."""
        outputs, count = self.units[-1], len(self.targets)
        values = self.values[-1]
        targets = [given(float(t)) for t in self.targets]
        share = "" if count == 1 else rf"\frac{{1}}{{{count}}} "
        kind = self.worked.config.loss
        value = number(float(self.worked.first.losses))
        if kind == "mse":
            terms = [f"({o} - y_{{{k + 1}}})^2" for k, o in enumerate(outputs)]
            filled = [
                f"({number(float(v))} - {factor(t)})^2"
                for v, t in zip(values, targets, strict=True)
            ]
        elif kind == "l1":
            terms = [f"|{o} - y_{{{k + 1}}}|" for k, o in enumerate(outputs)]
            filled = [
                f"|{number(float(v))} - {factor(t)}|" for v, t in zip(values, targets, strict=True)
            ]
        else:
            return [f"L &= L(o, y) = {value}"]
        opened, closed = ("", "") if count == 1 else (r"\left[", r"\right]")
        return [
            f"L &= {share}{opened}{' + '.join(terms)}{closed}"
            f" = {share}{opened}{' + '.join(filled)}{closed} = {value}"
        ]

    def output_deltas(self) -> list[str]:
        """δ of the output layer: derivative of the loss, times that of the activation."""
        config, count = self.worked.config, len(self.targets)
        slopes = LOSSES[config.loss].gradient(self.worked.first.passed.output, self._targets())[0]
        lines = []
        for unit, name in enumerate(self.units[-1]):
            by_output = rf"\frac{{\partial L}}{{\partial {name}}}"
            filled = factor(number(float(slopes[unit])))
            if config.loss == "mse":
                scale = 2 / count
                front = "" if scale == 1 else rf"\frac{{2}}{{{count}}} " if count > 2 else "2 "
                by_output = f"{front}({name} - y_{{{unit + 1}}})"
                value, target = self.values[-1][unit], given(float(self.targets[unit]))
                filled = f"{front}({number(float(value))} - {factor(target)})"
            lines.append(self._delta(len(self.layers) - 1, unit, by_output, filled))
        return lines

    def _targets(self) -> np.ndarray:
        return np.array(self.worked.config.data.targets)

    def hidden_deltas(self) -> list[str]:
        """δ of the hidden layer: the next layer's, each through its weight, added up."""
        lines = []
        after = self.layers[1].weight
        for unit in range(len(self.units[1])):
            terms = [
                rf"\delta_{{{o}}} {self.weight_name(1, k, unit)}"
                for k, o in enumerate(self.units[2])
            ]
            filled = [
                rf"{factor(number(float(d)))} \times {factor(given(float(after[k, unit])))}"
                for k, d in enumerate(self.deltas[1])
            ]
            opened, closed = ("(", ")") if len(terms) > 1 else ("", "")
            lines.append(
                self._delta(
                    0,
                    unit,
                    f"{opened}{' + '.join(terms)}{closed}",
                    f"{opened}{' + '.join(filled)}{closed}",
                )
            )
        return lines

    def _delta(self, layer: int, unit: int, upstream: str, filled: str) -> str:
        name = self.units[layer + 1][unit]
        delta = number(float(self.deltas[layer][unit]))
        activation = self.network.activations[layer]
        if activation == "identity":
            return rf"\delta_{{{name}}} &= {upstream} = {filled} = {delta}"
        slope = _SLOPES.get(activation, "f'(z_{{{a}}})").format(a=name)
        slope_value = factor(number(self._slope(layer, unit)))
        return (
            rf"\delta_{{{name}}} &= {upstream} \, {slope}"
            rf" = {filled} \times {slope_value} = {delta}"
        )

    def _slope(self, layer: int, unit: int) -> float:
        z = self.worked.first.passed.pre_activations[layer]
        a = self.worked.first.passed.activations[layer + 1]
        slopes = BY_HAND[self.network.activations[layer]].pullback(z, a, np.ones_like(a))
        return float(slopes[0, unit])

    def derivatives(self, layer: int) -> list[str]:
        """The derivative by each parameter of a layer: δ times what the weight carries."""
        lines: list[tuple[str, str]] = []
        rows, columns = self.network.shapes[layer]
        show = given if layer == 0 else number
        for into in range(columns):
            for out in range(rows):
                index = self._start(layer) + out * columns + into
                source, target = self.units[layer][into], self.units[layer + 1][out]
                delta = factor(number(float(self.deltas[layer][out])))
                carried = factor(show(float(self.values[layer][into])))
                lines.append(
                    (
                        self.names[index],
                        rf"{derivative(self.names[index])} &= \delta_{{{target}}} {source}"
                        rf" = {delta} \times {carried}"
                        rf" = {number(float(self.worked.first.gradient[index]))}",
                    )
                )
        if self.network.trains_bias:
            for out, target in enumerate(self.units[layer + 1]):
                index = self._start(layer) + rows * columns + out
                value = number(float(self.worked.first.gradient[index]))
                line = rf"{derivative(self.names[index])} &= \delta_{{{target}}} = {value}"
                lines.append((self.names[index], line))
        return [line for _, line in lines]

    def updates(self, order: Sequence[int]) -> list[str]:
        """The first update of each parameter, for plain gradient descent."""
        rate = given(self.worked.config.optimizer.learning_rate)
        lines = []
        for index in order:
            before, slope = self.worked.weights[index], float(self.worked.first.gradient[index])
            after = number(float(self.worked.updated[index]))
            lines.append(
                rf"{symbol(self.names[index])} &\leftarrow {given(float(before))}"
                rf" - {rate} \times {factor(number(slope))} = {after}"
            )
        return lines
