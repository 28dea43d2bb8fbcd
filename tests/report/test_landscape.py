"""The loss over two weights is the loss, and the ways on it are those of the runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from printing_parts import printed

from labreport.analysis.results import ExperimentResults
from labreport.language.catalogue import language
from labreport.reference import surface
from labreport.reference.evaluation import evaluate
from labreport.render.printed import PrintedFigure, PrintedParagraph
from labreport.report.illustration.loss_landscape import CELLS, FAR, landscape
from labreport.report.illustration.run_figures import RunFigures
from labreport.report.illustration.trajectories import gradient_sizes, longest_moves, most_moved

LAB = """
[experiment.rates]
title = "rates"
budgets = [5, 10]
[[experiment.rates.variant]]
name = "slow"
change.optimizer.learning_rate = 0.5
[[experiment.rates.variant]]
name = "fast"
change.optimizer.learning_rate = 2.0
[[experiment.rates.variant]]
name = "wild"
change.optimizer.learning_rate = 1000000.0
[[experiment.rates.variant]]
name = "other"
change.network.activations = "tanh"
"""


@pytest.fixture(scope="module")
def experiment(
    tmp_path_factory: pytest.TempPathFactory, base_text: str, build_into: Any
) -> ExperimentResults:
    folder = tmp_path_factory.mktemp("landscape")
    (folder / "lab.toml").write_text(base_text + LAB)
    found: ExperimentResults = build_into(
        folder / "lab.toml", folder / "output"
    ).measured.experiments[0]
    return found


@pytest.fixture(scope="module")
def results(experiment: ExperimentResults) -> dict[str, Any]:
    return {r.variant: r for r in experiment.singles}


def test_cells_hold_the_loss_of_the_network(results: dict[str, Any]) -> None:
    slow, fast = results["slow"], results["fast"]
    found = landscape([slow, fast], (5, 10))
    assert found is not None
    assert found.losses.shape == (CELLS, CELLS)
    # The run whose loss is the lower one at the end.
    held = fast.run.trace.weights[10].astype(float)
    places = [slow.names.index(name) for name in found.names]
    for row, column in ((0, 0), (7, 31), (CELLS - 1, CELLS - 1)):
        point = held.copy()
        point[places] = found.sides[0][column], found.sides[1][row]
        assert found.losses[row, column] == pytest.approx(evaluate(slow.run.config, point).losses)


def test_the_ways_are_those_of_the_weights_that_moved_most(results: dict[str, Any]) -> None:
    slow, fast = results["slow"], results["fast"]
    found = landscape([slow, fast], (5, 10))
    assert found is not None
    assert (found.held, found.members, found.rounds) == (1, (0, 1), 10)
    moved = np.abs(fast.run.trace.weights[10] - fast.run.trace.weights[0])
    furthest = sorted(range(8), key=lambda k: -moved[k])[:2]
    assert set(found.names) == {fast.names[k] for k in furthest}
    places = [fast.names.index(name) for name in found.names]
    assert np.array_equal(found.ways[1], fast.run.trace.weights[:11, places].astype(float))
    for side, axis in zip(found.sides, (0, 1), strict=True):
        every = np.concatenate([way[:, axis] for way in found.ways])
        assert side[0] < every.min()
        assert side[-1] > every.max()


def test_runs_that_run_away_and_other_networks_are_left_out(results: dict[str, Any]) -> None:
    assert np.abs(results["wild"].run.trace.weights).max() > FAR
    order = ("wild", "slow", "other", "fast")
    found = landscape([results[name] for name in order], (5, 10))
    assert found is not None
    assert found.members == (1, 3)
    assert found.held == 3


def test_runs_that_end_where_the_others_are_held_lie_on_the_surface(
    results: dict[str, Any],
) -> None:
    slow, fast = results["slow"], results["fast"]
    found = landscape([fast, slow, fast], (5, 10))
    assert found is not None
    assert (found.on, found.flat) == ((0, 2), False)
    other = landscape([slow, fast], (5, 10))
    assert other is not None
    assert other.on == (1,)


def test_where_two_weights_alone_move_every_point_lies_on_the_surface(
    results: dict[str, Any],
) -> None:
    def only(result: Any, names: tuple[str, str]) -> Any:
        weights = result.run.trace.weights.copy()
        still = [k for k, name in enumerate(result.names) if name not in names]
        weights[:, still] = weights[0, still]
        run = replace(result.run, trace=replace(result.run.trace, weights=weights))
        return replace(result, run=run)

    pair = ("w5", "w6")
    found = landscape([only(results[name], pair) for name in ("slow", "fast")], (5, 10))
    assert found is not None
    assert found.names == pair
    assert (found.on, found.flat) == ((0, 1), True)


def test_one_way_is_no_comparison(results: dict[str, Any]) -> None:
    slow = results["slow"]
    assert landscape([], (10,)) is None
    assert landscape([slow], (10,)) is None
    assert landscape([slow, slow], (10,)) is None
    assert landscape([slow, results["other"]], (10,)) is None


@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_surface_that_is_coarser_or_left_out_is_told(
    experiment: ExperimentResults, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = language(code)

    def drawn(most: int) -> list[Any]:
        monkeypatch.setattr(surface, "MOST_PRODUCTS", most)
        blocks = printed(RunFigures(experiment, "rates").landscape(), [experiment], code)
        return [b for b in blocks if isinstance(b, PrintedFigure | PrintedParagraph)]

    def captions(blocks: list[Any]) -> str:
        return " ".join(b.caption for b in blocks if isinstance(b, PrintedFigure))

    # Two layers of two by two weights, for one row.
    whole, coarser, none = (drawn(8 * cells**2) for cells in (CELLS, 20, 11))
    said = own.text("report.read-landscape-coarser", cells=20)
    assert said in captions(coarser)
    assert said not in captions(whole)
    assert len(none) == len(whole)
    left_out = own.text("report.no-landscape", rows=1, parameters=8)
    assert PrintedParagraph(left_out) in none
    assert PrintedParagraph(left_out) not in coarser


def test_sizes_are_the_norms_of_each_layers_gradient(results: dict[str, Any]) -> None:
    slow = results["slow"]
    sizes = gradient_sizes(slow, 10)
    gradients = slow.run.trace.gradients.astype(float)
    assert sizes.shape == (11, 2)
    for layer, names in enumerate((("w1", "w2", "w3", "w4"), ("w5", "w6", "w7", "w8"))):
        own = gradients[:11, [slow.names.index(name) for name in names]]
        assert sizes[:, layer] == pytest.approx(np.linalg.norm(own, axis=1))


def test_the_longest_moves(results: dict[str, Any]) -> None:
    slow, fast = results["slow"], results["fast"]
    (move,) = longest_moves([slow, fast], 10)
    assert move.run == 1
    # Two runs that are one and the same come equally far.
    assert [m.run for m in longest_moves([fast, fast], 10)] == [0, 1]
    assert longest_moves([], 10) == ()
    assert most_moved([slow, fast], 10) == tuple(f"w{k}" for k in range(1, 9))
