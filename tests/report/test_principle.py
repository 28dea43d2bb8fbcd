"""The chapter on back-propagation follows the configuration, and its numbers are right."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import printing_parts
import pytest

from labreport.lab.configuration import RunConfig
from labreport.lab.schedule import Schedule
from labreport.language.catalogue import language
from labreport.render.printed import (
    PrintedBlock,
    PrintedFigure,
    PrintedFormula,
    PrintedParagraph,
    PrintedSentences,
    PrintedTable,
)
from labreport.report.chapters.principle import principle
from labreport.report.formulas.worked_formulas import WorkedFormulas
from labreport.report.worked_example import WorkedExample, compute_example
from labreport.runs.run import Environment, Run
from labreport.training.family import families
from labreport.training.trainer import train

EXERCISE: dict[str, Any] = {
    "data": {"inputs": [[0.5, 0.3]], "targets": [[0.23, -0.07]]},
    "network": {"layers": [2, 2, 2], "activations": "sigmoid", "bias": "zero"},
    "initial": {
        "scheme": "given",
        "weights": [[[0.2, 0.5], [-0.4, 0.6]], [[0.1, -0.3], [-0.5, 0.8]]],
    },
    "optimizer": {"name": "sgd", "learning_rate": 1.0},
}
TANH: dict[str, Any] = {
    "data": {"inputs": [[1.0, -0.5]], "targets": [[0.4]]},
    "network": {"layers": [2, 3, 1], "activations": ["tanh", "identity"]},
    "initial": {
        "scheme": "given",
        "weights": [[[0.3, -0.2], [0.15, 0.7], [-0.6, 0.25]], [[0.5, -0.45, 0.35]]],
        "biases": [[0.1, 0.0, -0.1], [0.05]],
    },
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
    "dtype": "float64",
}
DEEP: dict[str, Any] = {
    "data": {"inputs": [[0.5, 0.3], [0.1, 0.9]], "targets": [[1, 0], [0, 1]]},
    "network": {"layers": [2, 4, 3, 2], "activations": ["relu", "gelu", "identity"]},
    "initial": {"scheme": "kaiming_normal"},
    "loss": "cross_entropy",
    "optimizer": {"name": "adam", "learning_rate": 0.1},
}


def trained(configuration: dict[str, Any]) -> Run:
    config = RunConfig.model_validate({"loss": "mse", "rounds": 3, **configuration})
    (family,) = families([config], [Schedule()], 2**30)
    return Run(config, train(family)[0], Environment(1, "test"), "worked")


def worked(configuration: dict[str, Any]) -> WorkedExample:
    found = compute_example(trained(configuration))
    assert found is not None
    return found


def blocks(configuration: dict[str, Any], code: str) -> list[PrintedBlock]:
    run = trained(configuration)
    chapter = principle(run, None, (run.config,))
    return printing_parts.printed(
        [block for s in chapter.sections for block in s.blocks], code=code
    )


def last_numbers(lines: Sequence[str]) -> list[float]:
    """The value at the end of each line of LaTeX."""
    found = []
    for line in lines:
        text = line.rsplit("= ", 1)[1].replace("{", "").replace("}", "")
        mantissa, _, power = text.partition(r" \times 10^")
        found.append(float(mantissa) * 10 ** int(power or 0))
    return found


def test_the_exercise_forward() -> None:
    shown = WorkedFormulas(worked(EXERCISE))
    assert last_numbers(shown.forward(0)) == [0.25, 0.5622, -0.02, 0.4950]
    assert last_numbers(shown.forward(1))[1::2] == [0.4769, 0.5287]
    assert last_numbers(shown.loss()) == [0.2097]
    assert r"w_{1} x_{1} + w_{3} x_{2} = 0.2 \times 0.5 + 0.5 \times 0.3" in shown.forward(0)[0]


def test_the_exercise_backward() -> None:
    shown = WorkedFormulas(worked(EXERCISE))
    assert last_numbers(shown.derivatives(0)) == [-0.008421, 0.01261, -0.005053, 0.007564]
    assert last_numbers(shown.derivatives(1)) == [0.03463, 0.08387, 0.03049, 0.07384]
    first, second = shown.hidden_deltas()
    assert r"\delta_{o_{1}} w_{5} + \delta_{o_{2}} w_{6}" in first
    assert r"\delta_{o_{1}} w_{7} + \delta_{o_{2}} w_{8}" in second
    assert last_numbers(shown.updates(range(8)))[0] == 0.2084


@pytest.mark.parametrize("configuration", [EXERCISE, TANH])
def test_printed_numbers_are_autograds(configuration: dict[str, Any]) -> None:
    example = worked(configuration)
    shown = WorkedFormulas(example)
    names = [re.findall(r"partial (.)_\{(\d+)\}", line)[0] for line in shown.derivatives(0)]
    values = last_numbers(shown.derivatives(0))
    recorded = example.run.trace.gradients[0]
    for (letter, number), value in zip(names, values, strict=True):
        index = shown.names.index(f"{letter}{number}")
        assert value == pytest.approx(recorded[index], rel=1e-3)
    assert example.updated == pytest.approx(example.run.trace.weights[1], rel=1e-6)


def test_another_activation_gives_other_formulas() -> None:
    shown = WorkedFormulas(worked(TANH))
    assert r"\tanh(z_{h_{1}})" in shown.forward(0)[1]
    assert "(1 - h_{1}^2)" in shown.hidden_deltas()[0]
    # A bias is the weight of an input that is always 1.
    assert "b_{1}" in shown.forward(0)[0]
    assert len(shown.derivatives(0)) == 9
    (delta,) = shown.output_deltas()
    assert delta.startswith(r"\delta_{o_{1}} &= 2 (o_{1} - y_{1})")
    value = 2 * (float(shown.values[-1][0]) - 0.4)
    assert last_numbers([delta])[0] == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("activation", ["gelu", "softplus", "relu"])
def test_an_activation_without_a_formula_of_its_own(activation: str) -> None:
    network = {**EXERCISE["network"], "activations": [activation, "sigmoid"]}
    shown = WorkedFormulas(worked({**EXERCISE, "network": network}))
    assert "f'(z_{h_{1}})" in shown.hidden_deltas()[0]
    expected = float(shown.deltas[0][0])
    assert last_numbers(shown.hidden_deltas())[0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_deeper_network_gets_tables(code: str) -> None:
    found = blocks(DEEP, code)
    small = blocks(EXERCISE, code)
    assert not worked(DEEP).is_small
    tables = [b for b in found if isinstance(b, PrintedTable)]
    # Units, layers, steps of a program, and rounds 0 to 3.
    assert [len(table.rows) for table in tables] == [9, 3, 5, 4]
    assert len([b for b in small if isinstance(b, PrintedTable)]) == 2
    assert len([b for b in small if isinstance(b, PrintedFormula)]) > len(
        [b for b in found if isinstance(b, PrintedFormula)]
    )
    assert len([b for b in small if isinstance(b, PrintedFigure)]) == 1


def test_what_the_program_table_says_of_round_two() -> None:
    example = worked(EXERCISE)
    found = blocks(EXERCISE, "en")
    table, _ = [b for b in found if isinstance(b, PrintedTable)]
    text = table.rows[-1][-1].text.replace("−", "-")
    second, first, both = (float(n.rstrip(".")) for n in re.findall(r"-?\d\.\d+", text))
    assert first == pytest.approx(example.run.trace.gradients[0][0], rel=1e-3)
    assert second == pytest.approx(example.run.trace.gradients[1][0], rel=1e-3)
    assert both == pytest.approx(first + second, rel=1e-3)


def test_a_loss_that_refuses_leaves_the_general_form() -> None:
    refused = {**EXERCISE, "loss": "bce"}
    assert compute_example(trained(refused)) is None
    found = blocks(refused, "zh")
    # The network is drawn without numbers.
    assert [type(b) for b in found if isinstance(b, PrintedFigure | PrintedTable)] == [
        PrintedFigure
    ]
    assert any(
        "BCE" in b.text and "无法计算" in b.text for b in found if isinstance(b, PrintedParagraph)
    )
    assert [len(b.items) for b in found if isinstance(b, PrintedSentences)] == [7]


def test_the_example_is_computed_in_float64_from_the_weights_of_the_run() -> None:
    example = worked(EXERCISE)
    assert example.weights.dtype == np.float64
    assert example.first.gradient == pytest.approx(example.run.trace.gradients[0], rel=1e-5)


def paragraphs(configuration: dict[str, Any]) -> str:
    found = blocks(configuration, "en")
    return "\n".join(block.text for block in found if isinstance(block, PrintedParagraph))


def test_the_update_of_another_optimizer_is_not_passed_off_as_gradient_descent() -> None:
    nesterov = {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True}
    for optimizer in ({"name": "adam", "learning_rate": 0.1}, nesterov):
        found = paragraphs({**EXERCISE, "optimizer": optimizer})
        assert "makes another step" in found
        assert "The first update" not in found
    assert "The first update" in paragraphs(EXERCISE)
    assert "makes another step" not in paragraphs(EXERCISE)


def test_batches_are_not_compared_with_all_rows() -> None:
    batches = {**DEEP, "data": {**DEEP["data"], "batch_size": 1}}
    assert worked(batches).apart is None
    assert "In training a round sees a mini-batch" in paragraphs(batches)
    assert "differ from autograd" in paragraphs(DEEP)


def test_a_loss_that_refuses_in_round_two_leaves_out_its_numbers() -> None:
    network = {"layers": [2, 2, 2], "activations": ["sigmoid", "identity"], "bias": "zero"}
    initial = {"scheme": "given", "weights": [[[0.2, 0.5], [-0.4, 0.6]], [[0.5, 0.5]] * 2]}
    far = {
        **EXERCISE,
        "network": network,
        "initial": initial,
        "loss": "bce",
        "data": {"inputs": [[0.5, 0.3]], "targets": [[1.0, 1.0]]},
        "optimizer": {"name": "sgd", "learning_rate": 50.0},
    }
    assert worked(far).second is None
    table, _ = [b for b in blocks(far, "zh") if isinstance(b, PrintedTable)]
    assert table.rows[-1][-1].text == "—"


def test_softmax_and_several_rows_are_told() -> None:
    softmax = {
        **DEEP,
        "network": {"layers": [2, 3, 2], "activations": ["tanh", "softmax"]},
        "loss": "mse",
    }
    found = paragraphs(softmax)
    assert "not taken element by element" in found
    assert "the derivatives of all examples are added up" in found
    assert "not taken element by element" not in paragraphs(DEEP)
    assert "N counts the examples" in paragraphs(DEEP)
    assert "added up; the averaging" not in paragraphs(EXERCISE)


def test_a_floor_is_told_where_the_last_activation_has_one() -> None:
    assert "The last activation limits the outputs" in paragraphs(EXERCISE)
    assert "The last activation limits the outputs" not in paragraphs(TANH)


XOR: dict[str, Any] = {
    "data": {
        "inputs": [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
        "targets": [[0.0], [1.0], [1.0], [0.0]],
    },
    "network": {"layers": [2, 3, 1], "activations": ["tanh", "sigmoid"]},
    "initial": {"scheme": "xavier_normal"},
    "optimizer": {"name": "sgd", "learning_rate": 0.5},
}


def test_the_row_that_is_shown_has_most_inputs() -> None:
    assert worked(XOR).row == 3
    data = {"inputs": XOR["data"]["inputs"][:3], "targets": XOR["data"]["targets"][:3]}
    assert worked({**XOR, "data": data}).row in (1, 2)
    assert worked(EXERCISE).row == 0


@pytest.mark.parametrize("code", ["zh", "en"])
@pytest.mark.parametrize(("row", "shown", "inputs"), [(None, 4, "1, 1"), (2, 2, "0, 1")])
def test_a_lab_may_name_the_row(code: str, row: int | None, shown: int, inputs: str) -> None:
    words = language(code)
    run = trained(XOR)
    sections = principle(run, row, (run.config,)).sections
    found = printing_parts.printed([b for s in sections for b in s.blocks], code=code)
    told = [b.text for b in found if isinstance(b, PrintedParagraph)]
    comma = words.text("list.comma")
    assert any(inputs.replace(", ", comma) in text and str(shown) in text for text in told)
    table = next(b for b in found if isinstance(b, PrintedTable))
    made = compute_example(run, row)
    assert made is not None
    sums = [float(z) for layer in made.first.passed.pre_activations for z in layer[shown - 1]]
    printed = [float(line[1].text.replace("−", "-")) for line in table.rows]
    assert printed == pytest.approx(sums, rel=1e-3)


@pytest.mark.parametrize("target", [0.2, 0.3])
def test_derivatives_that_are_rounding_alone_are_not_compared(target: float) -> None:
    # Equal outputs are the shares of these targets: derivatives are 0 but for rounding.
    found = worked(
        {
            "data": {"inputs": [[1.0, 0.5]], "targets": [[target] * 5]},
            "network": {"layers": [2, 5], "activations": "identity", "bias": "none"},
            "initial": {"scheme": "zeros"},
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
            "loss": "cross_entropy",
        }
    )
    assert found.apart is None


def test_derivatives_are_compared_with_those_of_autograd() -> None:
    found = worked(
        {
            "data": {"inputs": [[1.0, 0.5]], "targets": [[1.0, 0.0]]},
            "network": {"layers": [2, 2], "activations": "identity", "bias": "none"},
            "initial": {"scheme": "zeros"},
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
            "loss": "cross_entropy",
        }
    )
    assert found.apart is not None
    assert found.apart < 1e-6
