"""Labs of other kinds: each gives a report in both languages, with nothing untrue or unsaid."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pages import Page

from labreport.build.pipeline import build
from labreport.build.request import Request
from labreport.render.printed import PrintedNote, PrintedSentences, PrintedTable

ONCE_WRONG = Path(__file__).parent.parent / "analysis" / "random_labs"
LINEAR = 'change.network.activations = "identity"\n'
RANDOM = 'change.initial.scheme = "pytorch"\n'
REACHABLE = "change.data.targets = [[0.23, 0.07]]\n"
VARIANTS = """
[[experiment.a.variant]]
name = "one"
[[experiment.a.variant]]
name = "two"
"""

LABS: dict[str, str] = {
    "one run": "",
    "refused": 'change.loss = "bce"\n',
    "refused with random starts": 'change.loss = "bce"\n' + RANDOM + "seeds = 3\n",
    "refused at every value": 'change.loss = "bce"\nsweep.optimizer.learning_rate = [0.1, 1.0]\n',
    "diverged": LINEAR + "change.optimizer.learning_rate = 1e30\n",
    "diverged in double precision": LINEAR
    + 'change.rounds = 400\nchange.dtype = "float64"\n'
    + VARIANTS.replace('"two"', '"two"\nchange.optimizer.learning_rate = 1e9'),
    "diverging sweep": LINEAR
    + 'change.rounds = 200\nchange.dtype = "float64"\nbudgets = [1, 5, 200]\n'
    + "sweep.optimizer.learning_rate = [0.1, 1.0, 10.0, 1e3, 1e9, 1e300]\n",
    "all random starts diverge": LINEAR
    + "change.rounds = 300\n"
    + VARIANTS.replace(
        '"two"',
        '"two"\nchange.initial = { scheme = "normal", standard_deviation = 50.0 }\nseeds = 4',
    ),
    "random starts, some diverge": LINEAR
    + 'change.rounds = 300\nchange.initial.scheme = "normal"\n'
    + "change.initial.standard_deviation = 2.0\nseeds = 12\n",
    "negative losses": LINEAR
    + 'change.loss = "poisson_nll"\nchange.data.targets = [[5.0, 9.0]]\n'
    + "change.optimizer.learning_rate = 0.01\nseeds = 3\n"
    + RANDOM,
    "negative losses, swept": LINEAR
    + 'change.loss = "poisson_nll"\nchange.data.targets = [[5.0, 9.0]]\n'
    + "sweep.optimizer.learning_rate = [0.001, 0.002, 0.005, 0.01]\n",
    "no floor": LINEAR + 'change.loss = "kl_div"\n' + VARIANTS,
    "swept over losses": REACHABLE + 'sweep.loss = ["mse", "bce", "l1"]\n',
    "swept over names": 'sweep.network.activations = ["tanh", ["relu", "sigmoid"]]\n',
    "swept over precision": 'sweep.dtype = ["float32", "float64"]\n',
    "swept over switches": "change.optimizer.momentum = 0.9\n"
    + "sweep.optimizer.nesterov = [true, false]\n",
    "swept over two keys": "sweep.optimizer.learning_rate = [0.1, 1.0]\n"
    + "sweep.optimizer.momentum = [0.0, 0.9]\n",
    "swept with losses of two kinds": REACHABLE
    + "sweep.optimizer.learning_rate = [0.1, 1.0]\n"
    + VARIANTS.replace('"two"', '"two"\nchange.loss = "bce"'),
    "swept from 0": "sweep.optimizer.learning_rate = [0.0, 1.0, 2.0, 3.0]\n",
    "swept over one value": "sweep.optimizer.learning_rate = [0.5]\n",
    "zero weights and ReLU": 'change.network.activations = "relu"\n'
    + 'change.initial.scheme = "zeros"\n'
    + VARIANTS.replace('"two"', '"two"\nchange.optimizer.name = "adam"'),
    "weights that decay": 'change.network.activations = "relu"\nchange.optimizer.name = "adamw"\n',
    "one round": "change.rounds = 1\n" + VARIANTS,
    "one layer": "change.network.layers = [2, 2]\n"
    + 'change.network.activations = "sigmoid"\n'
    + 'change.initial = { scheme = "pytorch" }\n',
    "wide": 'change.network.layers = [2, 40, 2]\nchange.initial = { scheme = "ones" }\n',
    "deep": "change.network.layers = [2, 3, 3, 3, 2]\n"
    + 'change.network.activations = "tanh"\nchange.initial = { scheme = "xavier_normal" }\n',
    "softmax": 'change.network.activations = ["sigmoid", "softmax"]\n' + VARIANTS,
    "many rows": "change.data = { inputs = [[0.5, 0.3], [0.1, 0.2], [1.0, 1.0]], "
    + "targets = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]] }\n"
    + VARIANTS.replace('"two"', '"two"\nchange.loss = "bce"'),
    "batches": "change.data = { inputs = [[0.5, 0.3], [0.1, 0.2], [1.0, 1.0]], "
    + "targets = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], batch_size = 2 }\n"
    + VARIANTS.replace('"two"', '"two"\nchange.optimizer.momentum = 0.5'),
    "seldom recorded": "record_every = 4\nseeds = 1\n" + RANDOM,
    "labels": VARIANTS.replace('"one"', '"one"\nlabel = "$x_{$ {x} <b>"').replace(
        '"two"', '"two"\nlabel = "_two"'
    ),
}


@pytest.mark.parametrize("name", LABS)
def test_an_odd_lab_gives_a_report(name: str, pages_of: Callable[..., Any], base_text: str) -> None:
    built = pages_of(base_text + '[experiment.a]\ntitle = "A"\n' + LABS[name])
    for code, report in built.reports.items():
        page = built.html(code)
        assert page.endswith("</html>") or page.endswith("</html>\n")
        assert not re.search(r"Traceback|\bNone\b|Subject\(|Number\(", Page(page).text)
        (experiments,) = (s for s in report.sections if s.anchor == "experiments")
        (section,) = experiments.sections
        assert section.blocks
        for block in section.blocks:
            assert not isinstance(block, PrintedNote)
            if isinstance(block, PrintedSentences):
                assert all(item.text.endswith(("。", ".")) for item in block.items)
            if isinstance(block, PrintedTable):
                assert block.rows


@pytest.mark.parametrize("activation", ["sigmoid", "identity"])
@pytest.mark.parametrize(
    ("dtype", "targets"), [("float32", "[[1e30, 1e30]]"), ("float64", "[[1e300, -1e300]]")]
)
def test_a_base_whose_loss_is_too_large_to_compute_gives_a_report(
    dtype: str, targets: str, activation: str, build_pages: Callable[..., Any], base_text: str
) -> None:
    """No run has a single loss, and no warning of an overflow is left to the user."""
    text = base_text.replace("[[0.23, -0.07]]", targets).replace('"sigmoid"', f'"{activation}"')
    text = text.replace("rounds = 10", f'rounds = 10\ndtype = "{dtype}"')
    built = build_pages(text + '[experiment.a]\ntitle = "A"\n' + VARIANTS)
    assert "observation.ended" in said(built) or any("diverged" in m for m in said(built))


def test_a_run_that_overflows_beside_a_silent_relu_is_computed_again(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    """By hand 0 times infinity is no number, where PyTorch has 0: that is not compared."""
    text = base_text.replace("test_explanations = false", "")
    text += (
        "[experiment.a]\ntitle = 'A'\nchange.rounds = 100\n"
        "change.data.inputs = [[0.5, 0.3], [1, -1], [0.2, 0.9]]\n"
        "change.data.targets = [[0.23], [1], [0.5]]\n"
        "change.network.layers = [2, 3, 3, 1]\n"
        "change.network.activations = ['tanh', 'relu', 'identity']\n"
        "change.network.bias = 'trained'\nchange.initial = { scheme = 'pytorch' }\n"
        "[[experiment.a.variant]]\nname = 'small'\nchange.optimizer.learning_rate = 0.1\n"
        "[[experiment.a.variant]]\nname = 'big'\nchange.optimizer.learning_rate = 1000\n"
    )
    measured = build_pages(text).measured
    assert measured.replays.steps > 100


def said(built: Any) -> set[str]:
    (observed,) = built.measured.observed
    return {o.message for o in (*observed.answers, *observed.others, *observed.limits)}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("refused", "observation.refused.target"),
        ("refused with random starts", "observation.spread.lost"),
        ("diverged", "observation.diverged"),
        ("all random starts diverge", "observation.spread.lost"),
        ("random starts, some diverge", "observation.spread.ended"),
        ("zero weights and ReLU", "observation.silent-weights.dead"),
        ("swept over losses", "observation.different-losses"),
        ("wide", "observation.symmetry"),
    ],
)
def test_an_odd_lab_says_what_is_odd_about_it(
    name: str, message: str, pages_of: Callable[..., Any], base_text: str
) -> None:
    built = pages_of(base_text + '[experiment.a]\ntitle = "A"\n' + LABS[name])
    assert message in said(built)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        # Runs that never move are no two ways of writing one algorithm.
        ("zero weights and ReLU", "observation.coincide"),
        ("zero weights and ReLU", "observation.coincide.key"),
        # Weights that decay are updated, with or without a gradient.
        ("weights that decay", "observation.silent-weights"),
        ("weights that decay", "observation.silent-weights.dead"),
        # What is best for one unit alone is no probability distribution.
        ("softmax", "observation.floor-above-zero"),
        ("swept over losses", "observation.sweep-best.stays"),
        ("swept with losses of two kinds", "observation.sweep-best.several"),
        # Batches are drawn by chance, even from one given start.
        ("batches", "observation.single-start.given"),
        # What was recorded now and then says nothing of every round.
        ("seldom recorded", "observation.symmetry"),
    ],
)
def test_an_odd_lab_says_nothing_untrue(
    name: str, message: str, pages_of: Callable[..., Any], base_text: str
) -> None:
    built = pages_of(base_text + '[experiment.a]\ntitle = "A"\n' + LABS[name])
    assert message not in said(built)


def test_an_output_that_rounding_puts_into_the_domain_of_its_loss(tmp_path: Path) -> None:
    """In double precision the loss is not defined there: nothing by hand is shown of it."""
    path = ONCE_WRONG / "gradient-check-beside-the-domain.toml"
    build(Request(path, (), ("en",), tmp_path, formats=("text",)), lambda *_: None)
    made = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert "Loss curves of experiment 0" in made
    assert "| verdict" not in made
