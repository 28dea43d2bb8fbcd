"""Every activation, loss and optimizer has its formula, which is what torch computes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import printing_parts
import pytest
import torch
from latex_evaluation import evaluated, left
from pydantic import TypeAdapter
from torch import Tensor

from labreport.lab.configuration import RunConfig
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.losses import LOSSES
from labreport.lab.schema.optimizers import OPTIMIZER_TITLES, Optimizer
from labreport.render.printed import PrintedFormula, PrintedParagraph
from labreport.report.formulas.activation_formulas import ACTIVATION_FORMULAS
from labreport.report.formulas.loss_formulas import ERROR_TERMS, LOSS_FORMULAS
from labreport.report.formulas.optimizer_formulas import (
    DECAYED_GRADIENT,
    OPTIMIZER_FORMULAS,
    has_decayed_gradient,
    optimizer_formula,
)
from labreport.report.formulas.stated_formula import StatedFormula, together
from labreport.report.formulas.symbols import SYMBOLS
from labreport.report.formulas.used_formulas import (
    activation_formulas,
    error_terms,
    loss_formulas,
    optimizer_formulas,
)

OPTIMIZER: TypeAdapter[Any] = TypeAdapter(Optimizer)

TORCH_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": torch.nn.Identity(),
    "sigmoid": torch.nn.Sigmoid(),
    "tanh": torch.nn.Tanh(),
    "relu": torch.nn.ReLU(),
    "leaky_relu": torch.nn.LeakyReLU(),
    "elu": torch.nn.ELU(),
    "selu": torch.nn.SELU(),
    "gelu": torch.nn.GELU(),
    "silu": torch.nn.SiLU(),
    "mish": torch.nn.Mish(),
    "softplus": torch.nn.Softplus(),
    "softsign": torch.nn.Softsign(),
    "hardtanh": torch.nn.Hardtanh(),
    "relu6": torch.nn.ReLU6(),
    "hardsigmoid": torch.nn.Hardsigmoid(),
    "softmax": torch.nn.Softmax(dim=-1),
    "log_softmax": torch.nn.LogSoftmax(dim=-1),
}
TORCH_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": torch.nn.MSELoss(),
    "l1": torch.nn.L1Loss(),
    "smooth_l1": torch.nn.SmoothL1Loss(),
    "huber": torch.nn.HuberLoss(),
    "bce": torch.nn.BCELoss(),
    "bce_with_logits": torch.nn.BCEWithLogitsLoss(),
    "cross_entropy": torch.nn.CrossEntropyLoss(),
    "kl_div": torch.nn.KLDivLoss(reduction="batchmean"),
    "poisson_nll": torch.nn.PoissonNLLLoss(),
    "soft_margin": torch.nn.SoftMarginLoss(),
    "multilabel_soft_margin": torch.nn.MultiLabelSoftMarginLoss(),
    "hinge_embedding": torch.nn.HingeEmbeddingLoss(),
}
PLACES = [-9.3, -3.0, -2.4, -1.0, -0.3, 0.0, 0.2, 1.0, 1.7, 3.0, 4.5, 6.0, 7.1]
"""Sums with a kink of each activation among them."""


def test_everything_that_a_lab_may_name_has_a_formula() -> None:
    assert ACTIVATION_FORMULAS.keys() == ACTIVATIONS.keys() == TORCH_ACTIVATIONS.keys()
    assert LOSS_FORMULAS.keys() == LOSSES.keys() == TORCH_LOSSES.keys()
    assert {key.split()[0] for key in OPTIMIZER_FORMULAS} == OPTIMIZER_TITLES.keys()


def solved(formula: StatedFormula, values: dict[str, Any]) -> tuple[Any, Any]:
    """Value and derivative, once the letters that have an equation of their own are known."""
    value, slope, *where = formula.equations
    for equation in (*where, value):
        values[left(equation)] = evaluated(equation, values)
    return values[left(value)], evaluated(slope, values)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_and_its_derivative_are_torchs(name: str) -> None:
    z = torch.tensor(PLACES, dtype=torch.float64, requires_grad=True)
    value = TORCH_ACTIVATIONS[name](z)
    if ACTIVATIONS[name].couples_units:
        by_sum = torch.autograd.functional.jacobian(TORCH_ACTIVATIONS[name], z).numpy()
        given = z.detach().numpy()
        values = {"z_i": given[None, :, None], "z_j": given[None, None, :], "e": np.e}
        values |= {"I_ij": np.eye(len(PLACES))[None]}
        values |= {"a_j": value.detach().numpy()[None, None, :]}
        a, slope = solved(ACTIVATION_FORMULAS[name], values)
        a, slope = a[0, :, 0], slope[0]
    else:
        (by_sum,) = torch.autograd.grad(value.sum(), z)
        a, slope = solved(ACTIVATION_FORMULAS[name], {"z": z.detach().numpy(), "e": np.e})
    # Two numbers of SELU have five digits, and 1/6 is of single precision in torch.
    assert a == pytest.approx(value.detach().numpy(), rel=5e-5, abs=1e-12)
    assert np.broadcast_to(slope, by_sum.shape) == pytest.approx(np.asarray(by_sum), rel=5e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_and_its_derivative_are_torchs(name: str) -> None:
    chance = torch.Generator().manual_seed(0)
    rows, units = 4, 3
    o = torch.randn(rows, units, generator=chance, dtype=torch.float64) * 1.5
    y = torch.rand(rows, units, generator=chance, dtype=torch.float64)
    if name == "bce":
        o = torch.sigmoid(o)
    if name in ("soft_margin", "hinge_embedding"):
        y = torch.where(y > 0.5, 1.0, -1.0).double()
    o.requires_grad_()
    loss = TORCH_LOSSES[name](o, y)
    (by_output,) = torch.autograd.grad(loss, o)
    given = {"o": o.detach().numpy(), "y": y.numpy()}
    values: dict[str, Any] = {"e": np.e, "n": rows * units, "N": rows}
    for letter, array in given.items():
        values[f"{letter}_k"] = values[f"{letter}_rk"] = array[:, :, None]
        values[f"{letter}_rj"] = array[:, None, :]
    value, slope = solved(LOSS_FORMULAS[name], values)
    assert value.item() == pytest.approx(loss.item(), rel=1e-12)
    assert slope[..., 0] == pytest.approx(by_output.numpy(), rel=1e-12)


@pytest.mark.parametrize("name", ERROR_TERMS)
def test_an_error_term_is_the_derivative_by_the_weighted_sum(name: str) -> None:
    chance = torch.Generator().manual_seed(2)
    z = torch.randn(4, 3, generator=chance, dtype=torch.float64, requires_grad=True)
    y = torch.rand(4, 3, generator=chance, dtype=torch.float64)
    o = z if name == "bce_with_logits" else torch.sigmoid(z)
    (by_sum,) = torch.autograd.grad(TORCH_LOSSES[name](o, y), z)
    values = {"n": z.numel(), "o_k": o.detach().numpy(), "y_k": y.numpy()}
    (equation,) = ERROR_TERMS[name].equations
    assert evaluated(equation, values) == pytest.approx(by_sum.numpy(), rel=1e-12)


def run_with(loss: str, last: str) -> RunConfig:
    return RunConfig.model_validate(
        {
            "loss": loss,
            "data": {"inputs": [[1.0]], "targets": [[0.5]]},
            "network": {"layers": [1, 1], "activations": [last]},
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
        }
    )


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([("mse", "sigmoid"), ("bce", "sigmoid")], ["MSE", "BCE"]),
        ([("mse", "sigmoid"), ("bce_with_logits", "identity")], ["MSE", "BCE with logits"]),
        ([("mse", "identity"), ("bce", "sigmoid")], []),
        ([("bce", "sigmoid"), ("bce_with_logits", "identity")], []),
        ([("mse", "sigmoid")], []),
    ],
)
def test_error_terms_stand_where_both_losses_are_compared(
    runs: list[tuple[str, str]], told: list[str]
) -> None:
    blocks: list[Any] = error_terms([run_with(*run) for run in runs])
    assert [re.findall(r"text\{([^}]*)\}", block.latex) for block in blocks] == (
        [told] if told else []
    )


CASES: list[dict[str, Any]] = [
    {"name": "sgd"},
    {"name": "sgd", "weight_decay": 0.1},
    {"name": "sgd", "momentum": 0.9},
    {"name": "sgd", "momentum": 0.9, "dampening": 0.3},
    {"name": "sgd", "momentum": 0.9, "nesterov": True},
    {"name": "adam", "weight_decay": 0.1},
    {"name": "adam", "amsgrad": True},
    {"name": "adamw"},
    {"name": "adamw", "amsgrad": True},
    {"name": "rmsprop"},
    {"name": "rmsprop", "momentum": 0.5, "alpha": 0.8},
    {"name": "rmsprop", "centered": True},
    {"name": "rmsprop", "momentum": 0.5, "centered": True},
    {"name": "adagrad", "learning_rate_decay": 0.1, "initial_accumulator_value": 0.2},
    {"name": "adadelta"},
    {"name": "adamax"},
    {"name": "nadam", "weight_decay": 0.1},
    {"name": "radam", "betas": (0.8, 0.9)},
    {"name": "radam"},
    {"name": "asgd", "lambd": 0.2},
    {"name": "rprop"},
]
TORCH_OPTIMIZERS = {
    title.lower(): getattr(torch.optim, title) for title in OPTIMIZER_TITLES.values()
}
ROUNDS = 12


def torch_steps(settings: dict[str, Any], start: Tensor, slopes: list[Tensor]) -> list[np.ndarray]:
    """Weights after each update by torch.optim."""
    names = {"learning_rate": "lr", "learning_rate_decay": "lr_decay"}
    keywords = {names.get(k, k): v for k, v in settings.items() if k != "name"}
    weight = start.clone().requires_grad_()
    optimizer = TORCH_OPTIMIZERS[settings["name"]]([weight], **keywords)
    found = []
    for slope in slopes:
        weight.grad = slope.clone()
        optimizer.step()
        found.append(weight.detach().numpy().copy())
    return found


def stated_steps(settings: dict[str, Any], start: Tensor, slopes: list[Tensor]) -> list[np.ndarray]:
    """The same by the stated equations, from the values that the symbols are said to begin with."""
    optimizer = OPTIMIZER.validate_python(settings)
    given = optimizer.model_dump()
    zero = np.zeros(len(start))
    values: dict[str, Any] = dict.fromkeys(("v", "m", "s", "S", "D", "u", "G"), zero)
    values |= {"w": start.numpy(), "P": 1.0, r"\eta": given["learning_rate"]}
    values |= {
        "Q": zero + given.get("initial_accumulator_value", 0.0),
        r"\xi": zero + given["learning_rate"],
    }
    for symbol, defined in SYMBOLS.items():
        for setting in defined.settings:
            values.setdefault(symbol, given.get(setting))
    for name, keys in {
        "betas": (r"\beta_1", r"\beta_2"),
        "etas": (r"\eta_-", r"\eta_+"),
        "step_sizes": (r"\xi_\min", r"\xi_\max"),
    }.items():
        values |= dict(zip(keys, given.get(name, ()), strict=False))
    by_weight = r"\frac{\partial L}{\partial w}"
    (gradient,) = DECAYED_GRADIENT.equations
    found = []
    for update, slope in enumerate(slopes, start=1):
        values |= {"t": update, "h": slope.numpy()}
        values["g"] = values["h"]
        if has_decayed_gradient(optimizer):
            values["g"] = evaluated(gradient.replace(by_weight, "h"), values)
        if update == 1:
            values[r"\tau"] = 0.0  # Nothing is left out in round 1.
        for equation in optimizer_formula(optimizer).equations:
            values[left(equation)] = evaluated(equation, values)
        values[r"\tau"] = given.get("dampening")
        found.append(values["w"])
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_an_update_is_torchs(case: dict[str, Any]) -> None:
    chance = torch.Generator().manual_seed(1)
    start = torch.randn(5, generator=chance, dtype=torch.float64)
    slopes = [torch.randn(5, generator=chance, dtype=torch.float64) for _ in range(ROUNDS)]
    settings = {"learning_rate": 0.05, **case}
    stated, torchs = (f(settings, start, slopes) for f in (stated_steps, torch_steps))
    for one, other in zip(stated, torchs, strict=True):
        # torch keeps some scalars in single precision.
        assert one == pytest.approx(other, rel=1e-6, abs=1e-8)


def test_every_combination_of_switches_has_equations_that_were_tested() -> None:
    tested = {
        optimizer_formula(OPTIMIZER.validate_python({"learning_rate": 1.0, **c})).title
        for c in CASES
    }
    assert len(tested) == len(OPTIMIZER_FORMULAS)


STRUCTURE = {
    r"\frac",
    r"\sqrt",
    r"\sum",
    r"\left",
    r"\right",
    r"\leftarrow",
    r"\partial",
    r"\leq",
    r"\geq",
    r"\ln",
    r"\tanh",
    r"\max",
    r"\min",
    r"\infty",
}
IN_PROSE = {"L", "a", "e", "f", "i", "j", "k", "o", "r", "y", "z", r"\eta", r"\varphi"}
"""Symbols that the running text of the chapter tells, and those that are told with another one."""

ALL = (
    *ACTIVATION_FORMULAS.values(),
    *LOSS_FORMULAS.values(),
    DECAYED_GRADIENT,
    *(StatedFormula("", lines) for lines in OPTIMIZER_FORMULAS.values()),
)


@pytest.mark.parametrize("formula", ALL, ids=lambda formula: formula.title or formula.lines[0][0])
def test_every_symbol_has_a_meaning(formula: StatedFormula) -> None:
    own = {symbol for e in formula.equations for symbol in re.findall(r"^\\?[A-Za-z]+", left(e))}
    assert formula.symbols <= SYMBOLS.keys() | own | STRUCTURE | IN_PROSE


def config(**changed: Any) -> RunConfig:
    whole = {
        "data": {"inputs": [[0.5, 0.3]], "targets": [[0.23, 0.07]]},
        "network": {"layers": [2, 2, 2], "activations": "sigmoid"},
        "optimizer": {"name": "sgd", "learning_rate": 1.0},
    }
    return RunConfig.model_validate(whole | changed)


def said(blocks: list[Any], code: str = "en") -> tuple[list[str], str]:
    printed = printing_parts.printed(blocks, code=code)
    latex = [block.latex for block in printed if isinstance(block, PrintedFormula)]
    return latex, " ".join(b.text for b in printed if isinstance(b, PrintedParagraph))


def test_what_no_run_uses_is_not_stated() -> None:
    configs = [config(), config(network={"layers": [2, 2, 2], "activations": ["relu", "sigmoid"]})]
    (latex,), symbols = said(activation_formulas(configs))
    assert latex.index("Sigmoid") < latex.index("ReLU")
    assert "Tanh" not in latex
    assert symbols == ""
    (latex,), symbols = said(loss_formulas(configs))
    assert "BCE" not in latex
    assert symbols == "n counts output units times examples."


@pytest.mark.parametrize("code", ["zh", "en"])
def test_settings_are_told_with_the_values_of_the_runs(code: str) -> None:
    settings = [
        {"name": "sgd"},
        {"name": "sgd", "momentum": 0.9},
        {"name": "sgd", "momentum": 1.0},
        {"name": "adam"},
    ]
    configs = [config(optimizer={"learning_rate": 0.1, **s}) for s in settings]
    (latex,), symbols = said(optimizer_formulas(configs), code)
    assert latex.count(r"\frac{\partial L}{\partial w}") == 1
    assert latex.count("SGD (momentum)") == 1
    assert r"\lambda" not in latex
    for found in ("0.9", "0.999", "10⁻⁸", "β1"):
        assert found in symbols
    assert "λ" not in symbols


def test_weight_decay_is_stated_where_a_run_has_it() -> None:
    configs = [
        config(),
        config(optimizer={"name": "adam", "learning_rate": 1.0, "weight_decay": 0.1}),
    ]
    (latex,), symbols = said(optimizer_formulas(configs))
    assert r"+ \lambda w" in latex
    assert "λ is the weight decay (0; 0.1)." in symbols


def test_a_formula_is_not_cut_between_pages() -> None:
    formulas = together(ALL)
    rows = [block.latex.count(r"\\") for block in formulas]
    assert max(rows) < 60
    titles = [f.title for f in ALL if f.title]
    whole = " ".join(block.latex for block in formulas)
    assert all(whole.count(rf"\text{{{title}}}") >= 1 for title in titles)
