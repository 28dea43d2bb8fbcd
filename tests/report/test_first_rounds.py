"""The table of first rounds has what a program prints that somebody writes with plain torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import printing_parts
import pytest
import torch
from built import Built

from labreport.lab.configuration import RunConfig
from labreport.lab.controls import rounding
from labreport.lab.schedule import EVERY_STEP, Schedule
from labreport.render.printed import PrintedTable
from labreport.report.illustration.first_rounds import MOST_COLUMNS, first_rounds_table
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
    "loss": "mse",
    "rounds": 25,
}


def trained(config: RunConfig, schedule: Schedule = EVERY_STEP) -> Run:
    (family,) = families([config], [schedule], 2**30)
    return Run(config, train(family)[0], Environment(1, "test"), "made")


def run_of(**changed: Any) -> Run:
    return trained(RunConfig.model_validate({**EXERCISE, **changed}))


def table_of(run: Run, *twins: Run, code: str = "en") -> PrintedTable:
    found = printing_parts.printed_table(first_rounds_table(run, twins), code=code)
    assert found is not None
    return found


def numbers(table: PrintedTable) -> np.ndarray:
    return np.array([[float(c.text.replace("−", "-")) for c in row] for row in table.rows])


def by_plain_torch(rounds: int) -> list[list[float]]:
    """The exercise as a student writes it: round, loss and w1 to w8."""
    x, y = torch.tensor([[0.5, 0.3]]), torch.tensor([[0.23, -0.07]])
    first, second = (torch.nn.Linear(2, 2, bias=False) for _ in range(2))
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[0.2, 0.5], [-0.4, 0.6]]))
        second.weight.copy_(torch.tensor([[0.1, -0.3], [-0.5, 0.8]]))
    model = torch.nn.Sequential(first, torch.nn.Sigmoid(), second, torch.nn.Sigmoid())
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    found = []
    for step in range(rounds + 1):
        loss = torch.nn.functional.mse_loss(model(x), y)
        weights = [*first.weight.T.flatten().tolist(), *second.weight.T.flatten().tolist()]
        found.append([step, loss.item(), *weights])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return found


def test_the_numbers_are_those_of_a_program_of_ones_own() -> None:
    table = table_of(run_of())
    assert [cell.text for cell in table.header] == [
        "updates",
        "loss",
        *(f"w{k}" for k in range(1, 9)),
    ]
    own = by_plain_torch(25)
    assert numbers(table) == pytest.approx(np.array([*own[:11], own[25]]), rel=1e-3)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_short_run_is_tabled_whole(code: str) -> None:
    rows = table_of(run_of(rounds=3), code=code).rows
    assert [row[0].text for row in rows] == ["0", "1", "2", "3"]
    assert [row[0].text for row in table_of(run_of(rounds=10)).rows] == [str(k) for k in range(11)]


def test_digits_are_those_that_the_twins_do_not_touch() -> None:
    run = run_of()
    twins = [trained(config) for config in rounding(run.config)]
    other = run_of(optimizer={"name": "sgd", "learning_rate": 1.01})
    plain, same, few = (table_of(run, *t) for t in ((), twins, [other]))
    # Rounding touches the last digit of a number that lies between two of them, and of no other.
    cells = [
        (one.text, other.text)
        for rows in zip(plain.rows, same.rows, strict=True)
        for one, other in zip(*rows, strict=True)
    ]
    shorter = [(one, other) for one, other in cells if one != other]
    assert len(shorter) < len(cells) / 20
    assert all(len(other) < len(one) for one, other in shorter)
    assert numbers(same) == pytest.approx(numbers(plain), rel=5e-3)
    assert few.rows[0] == plain.rows[0]
    # After one update 0.1950, of which the other has 0.1949.
    assert plain.rows[1][1].text == "0.1950"
    assert few.rows[1][1].text == "0.20"


def test_a_twin_that_was_not_recorded_at_a_step_says_nothing_of_it() -> None:
    run = run_of()
    longer = run.config.model_copy(update={"rounds": 40, "dtype": "float64"})
    thinned = trained(longer, Schedule.of(longer, 20, (40,)))
    assert thinned.trace.weights_at(3) is None
    assert numbers(table_of(run, thinned)) == pytest.approx(numbers(table_of(run)), rel=1e-6)


def test_many_weights_are_left_out() -> None:
    network = {"layers": [2, 4, 2], "activations": "tanh"}
    run = run_of(network=network, initial={"scheme": "pytorch"})
    assert run.config.network.parameter_count > MOST_COLUMNS
    assert len(table_of(run).header) == 2


def test_mini_batches_have_no_table() -> None:
    data = {
        "inputs": [[0.5, 0.3], [0.1, 0.2]],
        "targets": [[0.2, 0.1], [0.3, 0.4]],
        "batch_size": 1,
    }
    assert first_rounds_table(run_of(data=data), ()) is None


def test_a_run_without_a_loss_has_no_table() -> None:
    assert first_rounds_table(run_of(loss="bce"), ()) is None


def test_the_twins_of_the_base_are_controls_that_begin_with_it(shipped_build: Built) -> None:
    measured = shipped_build.measured
    config = measured.base.config
    twins = measured.base_twins
    assert {twin.config.dtype for twin in twins} == {"float32", "float64"}
    assert all(twin.config.rounds >= config.rounds for twin in twins)
    for twin in twins:
        losses = twin.trace.losses[: config.rounds + 1]
        assert losses == pytest.approx(measured.base.trace.losses, rel=1e-5)
        assert twin.config.digest != config.digest
