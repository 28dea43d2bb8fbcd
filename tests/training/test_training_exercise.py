"""The exercise's own numbers, and longer traces that are to stay what they are."""

import numpy as np
import pytest
import torch
import training_golden as golden
from training_stock import alone, example, exercise, same_bits, together

from labreport.training.family import families
from labreport.training.operations.optimizers import OPTIMIZERS

# Rounds 1 to 10 as the exercise's program prints them, and as it would with zero_grad().
LOSSES = {
    "accumulated": (
        *(0.209710, 0.195033, 0.167760, 0.132282, 0.094871),
        *(0.061813, 0.036960, 0.020838, 0.011806, 0.007676),
    ),
    "cleared": (
        *(0.209710, 0.195033, 0.181351, 0.168651, 0.156905),
        *(0.146071, 0.136100, 0.126940, 0.118533, 0.110823),
    ),
}
# fc1.weight, then fc2.weight, row by row, after the ten updates.
WEIGHTS = {
    "accumulated": (0.8080, 0.8648, -0.6265, 0.4641, -1.2940, -1.4920, -3.7744, -2.0040),
    "cleared": (0.3273, 0.5764, -0.4547, 0.5672, -0.1985, -0.5561, -1.2127, 0.1883),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("gradients", LOSSES)
def test_printed_losses(gradients: str, dtype: str) -> None:
    trace = alone(exercise(gradients=gradients, dtype=dtype))
    assert tuple(f"{loss:.6f}" for loss in trace.losses[:10]) == tuple(
        f"{loss:.6f}" for loss in LOSSES[gradients]
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("gradients", WEIGHTS)
def test_weights_after_ten_updates(gradients: str, dtype: str) -> None:
    trace = alone(exercise(gradients=gradients, dtype=dtype))
    assert tuple(f"{weight:.4f}" for weight in trace.weights[10]) == tuple(
        f"{weight:.4f}" for weight in WEIGHTS[gradients]
    )


def test_before_any_update() -> None:
    trace = alone(exercise(dtype="float64"))
    assert trace.weights[0].tolist() == [0.2, 0.5, -0.4, 0.6, 0.1, -0.3, -0.5, 0.8]
    assert trace.outputs[0].round(5).tolist() == [[0.47695, 0.52870]]


def test_gradients_of_round_1_are_the_chain_rules() -> None:
    gradients = alone(exercise(dtype="float64")).gradients[0]
    # Stored as fc1.weight = [[w1, w3], [w2, w4]]; the companion's published ones have another
    # first sign.
    assert gradients[[0, 2, 1, 3]].round(5).tolist() == [-0.00842, 0.01261, -0.00505, 0.00756]


def test_accumulated_gradients_are_undamped(  # the published program, followed further
) -> None:
    losses = alone(exercise(gradients="accumulated", rounds=1000, dtype="float64")).losses
    assert losses.argmin() == 10  # one round after the ten that the program prints
    assert losses[-1] == pytest.approx((0.23**2 + 0.07**2) / 2, abs=1e-6)  # saturated, for good


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accumulated_gradients_are_momentum_1_to_the_bit(dtype: str) -> None:
    sgd = {"name": "sgd", "learning_rate": 1.0}
    for config in (exercise(rounds=1000, dtype=dtype), example(optimizer=sgd, rounds=200)):
        accumulated = alone(config.model_copy(update={"gradients": "accumulated"}))
        momentum = config.optimizer.model_copy(update={"momentum": 1.0})
        with_momentum = alone(config.model_copy(update={"optimizer": momentum}))
        for key in ("losses", "weights", "gradients", "outputs"):
            np.testing.assert_array_equal(getattr(accumulated, key), getattr(with_momentum, key))


def published(
    copies: bool, rounds: int
) -> tuple[list[float], torch.Tensor, list[torch.Tensor | None]]:
    """Losses of the published program, and what .grad of its layers and its weights is at the end.

    Args:
        copies: whether layers take copies of the weights, in place of the weights themselves.
        rounds: that it trains.
    """
    layers = [torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)]
    weights = [torch.tensor([[0.2, 0.5], [-0.4, 0.6]]), torch.tensor([[0.1, -0.3], [-0.5, 0.8]])]
    for weight in weights:
        weight.requires_grad = True
    optimizer = torch.optim.SGD([p for layer in layers for p in layer.parameters()], lr=1)
    losses = []
    for _ in range(rounds):
        passed = torch.tensor([0.5, 0.3])
        for layer, weight in zip(layers, weights, strict=True):
            layer.weight.data = weight.clone() if copies else weight
            layer.bias.data = torch.zeros(2)
            passed = torch.sigmoid(layer(passed))
        loss = torch.nn.functional.mse_loss(passed, torch.tensor([0.23, -0.07]))
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    of_layers = [g for layer in layers if (g := layer.weight.grad) is not None]
    return losses, torch.cat([g.flatten() for g in of_layers]), [w.grad for w in weights]


@pytest.mark.parametrize("copies", [False, True])
def test_the_published_program_with_its_weights_and_with_copies(copies: bool) -> None:
    losses, gathered, of_weights = published(copies, 20)
    # The layers' own parameters have the gradient, and the weights only lend their numbers.
    assert of_weights == [None, None]
    updates = "discarded" if copies else "kept"
    trace = alone(exercise(gradients="accumulated", updates=updates, rounds=20))
    assert trace.losses[:20] == pytest.approx(losses, rel=1e-6)
    assert trace.gradients[:20].sum(axis=0) == pytest.approx(gathered.numpy(), rel=1e-5)
    if copies:
        assert set(losses) == {losses[0]}
        assert float(gathered.norm()) == pytest.approx(2.4436, abs=5e-5)


def test_updates_of_copies_leave_the_other_runs_of_a_family_as_they_are() -> None:
    kept = exercise(gradients="accumulated")
    discarded = kept.model_copy(update={"updates": "discarded"})
    assert len(families([kept, discarded])) == 1
    one, two = together([kept, discarded])
    assert same_bits(one, alone(kept))
    assert same_bits(two, alone(discarded))


@pytest.mark.parametrize("gradients", LOSSES)
def test_golden_exercise(request: pytest.FixtureRequest, gradients: str) -> None:
    config = exercise(gradients=gradients)
    golden.check(request, f"exercise-{gradients}", config, alone(config), range(11))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_golden_optimizer(request: pytest.FixtureRequest, name: str) -> None:
    rate = 1.0 if name in ("sgd", "asgd", "adadelta") else 0.05
    config = exercise(rounds=200, optimizer={"name": name, "learning_rate": rate})
    golden.check(request, f"optimizer-{name}", config, alone(config), range(0, 201, 20))


def test_every_golden_trace_belongs_to_a_test() -> None:
    files = {path.stem for path in golden.FOLDER.glob("*-*.csv")}
    assert files == {f"exercise-{g}" for g in LOSSES} | {f"optimizer-{n}" for n in OPTIMIZERS}
