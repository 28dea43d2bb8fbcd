"""Every optimizer as the equations of one update, in the order in which they are computed.

They are those of torch.optim. What an arrow points at goes on from round to round.
"""

from __future__ import annotations

from labreport.lab.schema.optimizers import OPTIMIZER_TITLES, Optimizer
from labreport.report.formulas.stated_formula import StatedFormula, cases

GRADIENT = StatedFormula("", ((r"g = \frac{\partial L}{\partial w}",),))
DECAYED_GRADIENT = StatedFormula("", ((r"g = \frac{\partial L}{\partial w} + \lambda w",),))
"""With weight decay, which all optimizers but AdamW and Rprop add to the gradient."""

SWITCHES = ("momentum", "dampening", "nesterov", "centered", "amsgrad")
"""Settings with which an optimizer has other equations, unless they are 0 or off."""

_VELOCITY = r"v \leftarrow \mu v + g"
_DAMPENED = r"v \leftarrow \mu v + (1 - \tau) g"
_ALONG = r"w \leftarrow w - \eta v"
_AVERAGE = r"m \leftarrow \beta_1 m + (1 - \beta_1) g"
_SQUARES = r"s \leftarrow \beta_2 s + (1 - \beta_2) g^2"
_LARGEST = r"S \leftarrow \max(S, s)"
_RATE = r"\frac{\eta}{1 - \beta_1^t}"
_SHRUNK = r"w \leftarrow w - \eta \lambda w"
_RMS = r"s \leftarrow \alpha s + (1 - \alpha) g^2"
_MEAN = r"m \leftarrow \alpha m + (1 - \alpha) g"


def _adam(squares: str) -> str:
    """The step of Adam, by averages whose start at 0 is corrected."""
    root = rf"\sqrt{{\frac{{{squares}}}{{1 - \beta_2^t}}}}"
    return rf"w \leftarrow w - {_RATE} \frac{{m}}{{{root} + \varepsilon}}"


def _rmsprop(target: str, scale: str, squares: str = "s") -> str:
    return rf"{target} {scale} \frac{{g}}{{\sqrt{{{squares}}} + \varepsilon}}"


_NADAM = (
    (_AVERAGE, _SQUARES),
    (
        r"\nu_t = \beta_1 \left(1 - \frac{1}{2} 0.96^{\psi t}\right)",
        r"\nu_{t+1} = \beta_1 \left(1 - \frac{1}{2} 0.96^{\psi (t + 1)}\right)",
    ),
    (
        r"P \leftarrow P \nu_t",
        r"w \leftarrow w - \eta \frac{\frac{1 - \nu_t}{1 - P} g"
        r" + \frac{\nu_{t+1}}{1 - P \nu_{t+1}} m}{\sqrt{\frac{s}{1 - \beta_2^t}} + \varepsilon}",
    ),
)
_RADAM = (
    (_AVERAGE, _SQUARES),
    (
        r"\omega_{\infty} = \frac{2}{1 - \beta_2} - 1",
        r"\omega = \omega_{\infty} - \frac{2 t \beta_2^t}{1 - \beta_2^t}",
    ),
    (
        r"c = "
        + cases(
            (
                r"\sqrt{\frac{(\omega - 4) (\omega - 2) \omega_{\infty}}"
                r"{(\omega_{\infty} - 4) (\omega_{\infty} - 2) \omega}}"
                r" \frac{\sqrt{1 - \beta_2^t}}{\sqrt{s} + \varepsilon}",
                r"\omega > 5",
            ),
            ("1", r"\omega \leq 5"),
        ),
        rf"w \leftarrow w - {_RATE} m c",
    ),
)
_RPROP = (
    (
        r"\xi \leftarrow "
        + cases(
            (r"\min(\eta_+ \xi, \xi_{\max})", "g G > 0"),
            (r"\max(\eta_- \xi, \xi_{\min})", "g G < 0"),
            (r"\xi", "g G = 0"),
        ),
    ),
    (
        r"G \leftarrow " + cases(("0", "g G < 0"), ("g", r"g G \geq 0")),
        r"w \leftarrow w - \xi \operatorname{sgn}(G)",
    ),
)

OPTIMIZER_FORMULAS: dict[str, tuple[tuple[str, ...], ...]] = {
    "sgd": ((r"w \leftarrow w - \eta g",),),
    "sgd momentum": ((_VELOCITY, _ALONG),),
    "sgd momentum dampening": ((_DAMPENED, _ALONG),),
    "sgd momentum nesterov": ((_VELOCITY, r"w \leftarrow w - \eta (g + \mu v)"),),
    "adam": ((_AVERAGE, _SQUARES), (_adam("s"),)),
    "adam amsgrad": ((_AVERAGE, _SQUARES), (_LARGEST, _adam("S"))),
    "adamw": ((_SHRUNK,), (_AVERAGE, _SQUARES), (_adam("s"),)),
    "adamw amsgrad": ((_SHRUNK,), (_AVERAGE, _SQUARES), (_LARGEST, _adam("S"))),
    "rmsprop": ((_RMS, _rmsprop(r"w \leftarrow w -", r"\eta")),),
    "rmsprop momentum": ((_RMS,), (_rmsprop(r"v \leftarrow \mu v +", ""), _ALONG)),
    "rmsprop centered": ((_RMS, _MEAN), (_rmsprop(r"w \leftarrow w -", r"\eta", "s - m^2"),)),
    "rmsprop momentum centered": (
        (_RMS, _MEAN),
        (_rmsprop(r"v \leftarrow \mu v +", "", "s - m^2"), _ALONG),
    ),
    "adagrad": (
        (
            r"Q \leftarrow Q + g^2",
            r"w \leftarrow w - \frac{\eta}{1 + \kappa (t - 1)}"
            r" \frac{g}{\sqrt{Q} + \varepsilon}",
        ),
    ),
    "adadelta": (
        (
            r"s \leftarrow \rho s + (1 - \rho) g^2",
            r"\Delta = \frac{\sqrt{D + \varepsilon}}{\sqrt{s + \varepsilon}} g",
        ),
        (r"D \leftarrow \rho D + (1 - \rho) \Delta^2", r"w \leftarrow w - \eta \Delta"),
    ),
    "adamax": (
        (_AVERAGE, r"u \leftarrow \max(\beta_2 u, |g| + \varepsilon)"),
        (rf"w \leftarrow w - {_RATE} \frac{{m}}{{u}}",),
    ),
    "nadam": _NADAM,
    "radam": _RADAM,
    "asgd": (
        (
            r"\eta_t = \frac{\eta}{(1 + \gamma \eta (t - 1))^q}",
            r"w \leftarrow (1 - \gamma \eta_t) w - \eta_t g",
        ),
    ),
    "rprop": _RPROP,
}
"""Equations by the name of an optimizer and of its switches that are in use."""


def optimizer_formula(optimizer: Optimizer) -> StatedFormula:
    """The equations of an optimizer with its settings."""
    used = [name for name in SWITCHES if getattr(optimizer, name, False)]
    if optimizer.name == "sgd" and "momentum" not in used:
        used = []  # Without momentum there is nothing to dampen.
    detail = f" ({', '.join(used)})" if used else ""
    key = " ".join([optimizer.name, *used])
    return StatedFormula(f"{OPTIMIZER_TITLES[optimizer.name]}{detail}", OPTIMIZER_FORMULAS[key])


def has_decayed_gradient(optimizer: Optimizer) -> bool:
    """Return whether weight decay is a part of the gradient."""
    return optimizer.name != "adamw" and getattr(optimizer, "weight_decay", 0.0) > 0
