"""Every activation as a formula: its value a = f(z), and the derivative of that by z.

They are those of torch.nn with its defaults. Where the derivative jumps, the side is torch's.
"""

from __future__ import annotations

from labreport.report.formulas.stated_formula import StatedFormula, cases


def _unitwise(title: str, value: str, slope: str, *where: str) -> StatedFormula:
    """An activation of each unit alone: value, derivative, and equations for letters in them."""
    line = (f"a = {value}", f"f'(z) = {slope}")
    return StatedFormula(title, (line, where) if where else (line,))


def _coupled(title: str, value: str, slope: str) -> StatedFormula:
    """An activation in which a unit depends on all weighted sums of its layer."""
    by_sum = r"\frac{\partial a_i}{\partial z_j}"
    return StatedFormula(title, ((f"a_i = {value}", f"{by_sum} = {slope}"),))


def _step(left: str) -> str:
    """A derivative of 1 to the right of 0, and of something else to the left."""
    return cases(("1", "z > 0"), (left, r"z \leq 0"))


ACTIVATION_FORMULAS: dict[str, StatedFormula] = {
    "identity": _unitwise("Identity", "z", "1"),
    "sigmoid": _unitwise("Sigmoid", r"\frac{1}{1 + e^{-z}}", "a (1 - a)"),
    "tanh": _unitwise("Tanh", r"\tanh(z)", "1 - a^2"),
    "relu": _unitwise("ReLU", r"\max(0, z)", _step("0")),
    "leaky_relu": _unitwise("LeakyReLU", r"\max(z, 0.01 z)", _step("0.01")),
    "elu": _unitwise("ELU", cases(("z", "z > 0"), ("e^z - 1", r"z \leq 0")), _step("e^z")),
    "selu": _unitwise(
        "SELU",
        r"1.0507 " + cases(("z", "z > 0"), ("1.6733 (e^z - 1)", r"z \leq 0")),
        r"1.0507 " + _step("1.6733 e^z"),
    ),
    "gelu": _unitwise("GELU", r"z \Phi(z)", r"\Phi(z) + z \varphi(z)"),
    "silu": _unitwise("SiLU", r"z \sigma(z)", r"\sigma(z) (1 + z (1 - \sigma(z)))"),
    "mish": _unitwise(
        "Mish",
        r"z \tanh(\zeta)",
        r"\tanh(\zeta) + z \sigma(z) (1 - \tanh(\zeta)^2)",
        r"\zeta = \ln(1 + e^z)",
    ),
    "softplus": _unitwise("Softplus", r"\ln(1 + e^z)", r"\sigma(z)"),
    "softsign": _unitwise("Softsign", r"\frac{z}{1 + |z|}", r"\frac{1}{(1 + |z|)^2}"),
    "hardtanh": _unitwise(
        "Hardtanh", r"\max(-1, \min(1, z))", cases(("1", "|z| < 1"), ("0", r"|z| \geq 1"))
    ),
    "relu6": _unitwise(
        "ReLU6", r"\max(0, \min(6, z))", cases(("1", "|z - 3| < 3"), ("0", r"|z - 3| \geq 3"))
    ),
    "hardsigmoid": _unitwise(
        "Hardsigmoid",
        r"\max(0, \min(1, \frac{z + 3}{6}))",
        cases((r"\frac{1}{6}", "|z| < 3"), ("0", r"|z| \geq 3")),
    ),
    "softmax": _coupled("Softmax", r"\frac{e^{z_i}}{\sum_j e^{z_j}}", "a_i (I_{ij} - a_j)"),
    "log_softmax": _coupled("LogSoftmax", r"z_i - \ln(\sum_j e^{z_j})", "I_{ij} - e^{a_j}"),
}
