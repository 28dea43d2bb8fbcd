"""Runs on held-out rows, against torch's own modules and scikit-learn's measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, r2_score

from labreport.analysis.attach import attach
from labreport.analysis.formulas.evidence import failures, known_of
from labreport.analysis.held_out import HeldOut, held_out, r_squared
from labreport.analysis.observe import observe
from labreport.analysis.results import ExperimentResults
from labreport.build.origin import this_environment
from labreport.lab.plan import Lab
from labreport.lab.reading.load import load
from labreport.runs.store import Store
from labreport.training.execution import Resources, load_or_train

LAB = """\
test_explanations = false
[base]
loss = "{loss}"
rounds = {rounds}
dtype = "float64"
[base.data]
{source}
split = {{ train = 0.6, validation = 0.2, test = 0.2 }}
standardise = true
[base.network]
hidden = {hidden}
activations = {activations}
[base.initial]
scheme = "pytorch"
[base.optimizer]
name = "sgd"
learning_rate = {rate}
[experiment.first]
title = "First"
"""

USUAL = {
    "rounds": 60,
    "rate": 0.5,
    "hidden": "[5]",
    "activations": '["tanh", "identity"]',
    "source": 'set = "iris"',
    "loss": "cross_entropy",
}

LINEAR = {"hidden": "[]", "activations": '"identity"'}

LOSSES = {
    "cross_entropy": torch.nn.CrossEntropyLoss(),
    "mse": torch.nn.MSELoss(),
    "bce_with_logits": torch.nn.BCEWithLogitsLoss(),
}


def results_of(folder: Path, **given: Any) -> ExperimentResults:
    """The results of a lab, trained here."""
    path = folder / "lab.toml"
    path.write_text(LAB.format(**{**USUAL, **given}))
    lab: Lab = load(path)
    runs = load_or_train(
        lab.recordings(), this_environment("cpu"), Store(folder), Resources(jobs=1), lambda *_: None
    ).runs
    return attach(lab.plans[0], runs)


def on_parts(results: ExperimentResults) -> HeldOut:
    found = held_out(results.results[0])
    assert found is not None
    return found


def module(found: HeldOut, step: int) -> torch.nn.Sequential:
    """The network at a step as torch's own modules."""
    weights = torch.tensor(found.run.trace.weights_at(step))
    layers: list[torch.nn.Module] = []
    start = 0
    for out, into in found.run.config.network.shapes:
        layer = torch.nn.Linear(into, out, dtype=torch.float64)
        layer.weight.data = weights[start : start + out * into].reshape(out, into)
        layer.bias.data = weights[start + out * into : start + out * into + out]
        start += out * into + out
        layers += [layer, torch.nn.Tanh()]
    return torch.nn.Sequential(*layers[:-1])


@pytest.mark.parametrize(
    ("source", "loss", "hidden"),
    [
        ('set = "iris"', "cross_entropy", "[5]"),
        ('set = "wine"', "cross_entropy", "[4, 3]"),
        ('rule = { name = "moons", rows = 100 }', "bce_with_logits", "[5]"),
        ('rule = { name = "sine", rows = 60 }', "mse", "[5]"),
    ],
)
def test_losses_and_scores_are_those_of_torch_and_scikit_learn(
    tmp_path: Path, source: str, loss: str, hidden: str
) -> None:
    results = results_of(tmp_path, source=source, loss=loss, hidden=hidden)
    found = on_parts(results)
    assert found.steps == tuple(range(61))
    for name in ("validation", "test", "train"):
        part = found.data_set.parts[name]
        targets = torch.tensor(part.targets, dtype=torch.float64)
        for step in (0, 1, 60):
            outputs = module(found, step)(torch.tensor(part.inputs, dtype=torch.float64))
            assert found.loss(name, step) == pytest.approx(LOSSES[loss](outputs, targets).item())
            own = outputs.detach().numpy()
            if loss == "mse":
                expected = r2_score(part.targets, own)
            elif loss == "cross_entropy":
                expected = accuracy_score(np.argmax(part.targets, 1), own.argmax(1))
                table = confusion_matrix(np.argmax(part.targets, 1), own.argmax(1))
                assert np.array_equal(found.confusion(name, step), table)
            else:
                expected = accuracy_score(np.array(part.targets)[:, 0], own[:, 0] > 0)
            assert found.score(name, step) == pytest.approx(expected)
    losses = found.losses("validation")
    assert found.best_step("validation") == int(np.argmin(losses))
    assert losses[7] == pytest.approx(found.loss("validation", 7))


def test_the_training_part_has_the_loss_that_was_trained(tmp_path: Path) -> None:
    results = results_of(tmp_path)
    found = on_parts(results)
    assert found.loss("train", 60) == pytest.approx(results.results[0].loss(60))


def test_every_finding_and_its_evidence_hold(tmp_path: Path) -> None:
    results = results_of(tmp_path, source='rule = { name = "sine", rows = 60 }', loss="mse")
    found = list(observe(results))
    assert "held-out-score" in {o.rule for o in found}
    assert [f for o in found for f in failures(o, known_of(results))] == []


def test_many_steps_are_thinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = results_of(tmp_path)
    monkeypatch.setattr("labreport.analysis.held_out.MOST_PRODUCTS", 1)
    steps = HeldOut(results.results[0].run, on_parts(results).data_set).steps
    assert (len(steps), steps[0], steps[-1]) == (20, 0, 60)


def test_outputs_are_asked_for_values_of_the_source(tmp_path: Path) -> None:
    results = results_of(tmp_path, source='rule = { name = "moons", rows = 100 }\ndegree = 2',
                         loss="bce_with_logits")  # fmt: skip
    found = on_parts(results)
    columns = found.data_set.columns_of("test")
    assert columns.shape == (20, 2)
    assert np.allclose(found.outputs_at(columns, 60), found.outputs("test", (60,))[0])


def test_the_mean_of_the_targets_explains_nothing() -> None:
    targets = np.array([[0.1], [0.2], [0.4]])
    assert r_squared(np.full((3, 1), targets.mean() + 1e-12), targets) == 0


def test_r_squared() -> None:
    targets = np.array([[1.0, 4.0], [2.0, 6.0], [3.0, 5.0]])
    outputs = targets + np.array([[0.1, -1], [0.2, 0], [0, 2]])
    assert r_squared(outputs, targets) == pytest.approx(r2_score(targets, outputs))
    assert r_squared(outputs, np.ones((3, 2))) is None
    assert r_squared(np.full((3, 2), np.inf), targets) is None


# --- models whose optimum is known -------------------------------------------------------------


def test_softmax_regression_comes_to_the_optimum_of_scikit_learn(tmp_path: Path) -> None:
    blobs = 'rule = { name = "blobs", rows = 150, noise = 3.0, seed = 1 }'
    results = results_of(tmp_path, source=blobs, rounds=3_000, rate=1.0, **LINEAR)
    train = on_parts(results).data_set.train
    classes = np.argmax(train.targets, 1)
    best = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(train.inputs, classes)
    optimum = log_loss(classes, best.predict_proba(train.inputs))
    assert results.results[0].loss(3_000) == pytest.approx(optimum, abs=1e-6)


def test_polynomial_regression_comes_to_least_squares(tmp_path: Path) -> None:
    source = 'rule = { name = "sine", rows = 100, noise = 0.2 }\ndegree = 2'
    results = results_of(tmp_path, source=source, loss="mse", rounds=3_000, rate=0.4, **LINEAR)
    train = on_parts(results).data_set.train
    best = LinearRegression().fit(train.inputs, train.targets)
    optimum = float(np.mean((best.predict(train.inputs) - np.array(train.targets)) ** 2))
    assert results.results[0].loss(3_000) == pytest.approx(optimum, abs=1e-6)
