"""Formulas: LaTeX to SVG. Formulas hold no words, so that every language shares them."""

from __future__ import annotations

import re
from functools import cache

from labreport.report.numbering import Numbering
from labreport.report.tree import Formula

SIZE = 16
"""Font size of a formula in its own pixels."""

PIXELS_PER_EM = 16.0

NET_INPUT = r"z_j^{(l)} = \sum_i W_{ji}^{(l)} \, a_i^{(l-1)} + b_j^{(l)}"
ACTIVATION = r"a_j^{(l)} = f^{(l)}\left(z_j^{(l)}\right), \quad a^{(0)} = x, \quad o = a^{(L)}"
LOSSES = {
    "mse": r"L = \frac{1}{n} \sum_k (o_k - y_k)^2",
    "l1": r"L = \frac{1}{n} \sum_k |o_k - y_k|",
    "bce": r"L = -\frac{1}{n} \sum_k \left[ y_k \ln o_k + (1 - y_k) \ln (1 - o_k) \right]",
}
OUTPUT_DELTA = (
    r"\delta_j^{(L)} = \frac{\partial L}{\partial o_j} \, f^{(L)\prime}\left(z_j^{(L)}\right)"
)
HIDDEN_DELTA = (
    r"\delta_i^{(l)} = f^{(l)\prime}\left(z_i^{(l)}\right)"
    r" \sum_j W_{ji}^{(l+1)} \, \delta_j^{(l+1)}"
)
GRADIENT = (
    r"\frac{\partial L}{\partial W_{ji}^{(l)}} = \delta_j^{(l)} \, a_i^{(l-1)}, \quad"
    r" \frac{\partial L}{\partial b_j^{(l)}} = \delta_j^{(l)}"
)
UPDATE = r"W \leftarrow W - \eta \, \frac{\partial L}{\partial W}"


def formula(latex: str, numbering: Numbering) -> Formula:
    """A numbered formula."""
    svg, width, height = _typeset(latex)
    anchor, label = numbering.next("formula")
    return Formula(anchor, label, svg, latex, height=height, width=width)


@cache
def _typeset(latex: str) -> tuple[bytes, float, float]:
    """SVG of a formula, and its width and height in em."""
    from ziamath.config import config
    from ziamath.zmath import Latex

    config.svg2 = False
    svg = Latex(latex, size=SIZE).svg()
    width, height = (float(re.search(rf'{side}="([\d.]+)', svg)[1]) for side in ("width", "height"))  # type: ignore[index]
    return svg.encode(), width / PIXELS_PER_EM, height / PIXELS_PER_EM
