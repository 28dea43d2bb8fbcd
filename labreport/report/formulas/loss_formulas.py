"""Every loss as a formula, and its derivative by an output of the network.

They are those of torch.nn with its defaults, but for the KL divergence, which is averaged over
rows. torch clamps logarithms of 0 and divisors of 0, which stand in no formula here.
"""

from __future__ import annotations

from labreport.lab.schema.losses import LOSSES
from labreport.report.formulas.stated_formula import StatedFormula, cases


def _over_elements(name: str, term: str, slope: str, *where: str) -> StatedFormula:
    """A mean over all outputs of all rows: term, derivative, and equations for letters in them."""
    value = rf"L = \frac{{1}}{{n}} \sum_k {term}"
    return _stated(name, value, rf"\frac{{\partial L}}{{\partial o_k}} = {slope}", where)


def _over_rows(name: str, term: str, slope: str, *where: str) -> StatedFormula:
    """A sum over the outputs of a row, averaged over rows."""
    value = rf"L = \frac{{1}}{{N}} \sum_r \sum_k {term}"
    return _stated(name, value, rf"\frac{{\partial L}}{{\partial o_{{rk}}}} = {slope}", where)


def _stated(name: str, value: str, slope: str, where: tuple[str, ...]) -> StatedFormula:
    lines = ((value, slope), where) if where else ((value, slope),)
    return StatedFormula(LOSSES[name].title, lines)


def _huber(name: str) -> StatedFormula:
    near, far = (r"\frac{1}{2} d_k^2", "|d_k| < 1"), (r"|d_k| - \frac{1}{2}", r"|d_k| \geq 1")
    slope = r"\frac{1}{n} \max(-1, \min(1, d_k))"
    return _over_elements(name, cases(near, far), slope, "d_k = o_k - y_k")


LOSS_FORMULAS: dict[str, StatedFormula] = {
    "mse": _over_elements("mse", "(o_k - y_k)^2", r"\frac{2}{n} (o_k - y_k)"),
    "l1": _over_elements("l1", "|o_k - y_k|", r"\frac{1}{n} \operatorname{sgn}(o_k - y_k)"),
    "smooth_l1": _huber("smooth_l1"),
    "huber": _huber("huber"),
    "bce": _over_elements(
        "bce",
        r"[-y_k \ln(o_k) - (1 - y_k) \ln(1 - o_k)]",
        r"\frac{1}{n} \frac{o_k - y_k}{o_k (1 - o_k)}",
    ),
    "bce_with_logits": _over_elements(
        "bce_with_logits", r"[\ln(1 + e^{o_k}) - y_k o_k]", r"\frac{1}{n} (\sigma(o_k) - y_k)"
    ),
    "cross_entropy": _over_rows(
        "cross_entropy",
        r"[-y_{rk} \ln(p_{rk})]",
        r"\frac{1}{N} (p_{rk} \sum_j y_{rj} - y_{rk})",
        r"p_{rk} = \frac{e^{o_{rk}}}{\sum_j e^{o_{rj}}}",
    ),
    "kl_div": _over_rows("kl_div", r"y_{rk} (\ln(y_{rk}) - o_{rk})", r"-\frac{1}{N} y_{rk}"),
    "poisson_nll": _over_elements(
        "poisson_nll", "(e^{o_k} - y_k o_k)", r"\frac{1}{n} (e^{o_k} - y_k)"
    ),
    "soft_margin": _over_elements(
        "soft_margin", r"\ln(1 + e^{-y_k o_k})", r"-\frac{1}{n} \frac{y_k}{1 + e^{y_k o_k}}"
    ),
    "multilabel_soft_margin": _over_elements(
        "multilabel_soft_margin",
        r"[-y_k \ln(\sigma(o_k)) - (1 - y_k) \ln(\sigma(-o_k))]",
        r"\frac{1}{n} (\sigma(o_k) - y_k)",
    ),
    "hinge_embedding": _over_elements(
        "hinge_embedding",
        cases(("o_k", "y_k = 1"), (r"\max(0, 1 - o_k)", "y_k = -1")),
        r"\frac{1}{n} "
        + cases(("1", "y_k = 1"), ("-1", r"y_k = -1, o_k \leq 1"), ("0", "y_k = -1, o_k > 1")),
    ),
}

ERROR_TERMS: dict[str, StatedFormula] = {
    loss: StatedFormula(LOSSES[loss].title, ((rf"\delta_k^{{(L)}} = {term}",),))
    for loss, term in {
        "mse": r"\frac{2}{n} (o_k - y_k) o_k (1 - o_k)",
        "bce": r"\frac{1}{n} (o_k - y_k)",
        "bce_with_logits": r"\frac{1}{n} (\sigma(o_k) - y_k)",
    }.items()
}
"""δ of a last layer whose outputs are sigmoids, or logits of which the loss takes the sigmoid."""
