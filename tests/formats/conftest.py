"""A lab whose PDFs are soon made, for what is true of any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from built import Built
from whole import some

LAB = """
[experiment.rate]
title = { zh = "步长", en = "Step size" }
question = { zh = "大的步长更快吗？", en = "Is a larger step faster?" }
sweep.optimizer.learning_rate = [0.1, 1.0, 10.0]
[experiment.activation]
title = { zh = "激活函数", en = "Activation" }
[[experiment.activation.variant]]
name = "sigmoid"
[[experiment.activation.variant]]
name = "relu"
change.network.activations = "relu"
[experiment.starts]
title = { zh = "随机起点", en = "Random starts" }
change.initial.scheme = "pytorch"
seeds = 5
"""


@pytest.fixture(scope="session")
def small_build(shared: Callable[..., Any], build_into: Any, base_text: str) -> Built:
    """A lab of a sweep, variants and starts, whose file begins with a byte order mark."""

    def make(folder: Path) -> Any:
        (folder / "lab.toml").write_text(f"\ufeff{base_text}{LAB}", encoding="utf-8")
        return build_into(folder / "lab.toml", folder / "output")

    _, built = shared((__file__, "small"), make)
    assert isinstance(built, Built)
    return built


@pytest.fixture(scope="session", params=some(("small", "shipped"), "small"))
def any_build(request: pytest.FixtureRequest) -> Built:
    """A lab with its PDFs, for what is true of any and takes the making of another PDF."""
    built = request.getfixturevalue(f"{request.param}_build")
    assert isinstance(built, Built)
    return built
