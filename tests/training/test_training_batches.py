"""Mini-batches: each run in its own order, from its own generator, as a plain loop would do it."""

import numpy as np
import pytest
import torch
from torch import nn
from training_stock import alone, example, same_bits

from labreport.lab.configuration import RunConfig
from labreport.training.batches import ORDER_STREAM
from labreport.training.family import families
from labreport.training.trainer import train

ROWS, SIZE, ROUNDS = 10, 3, 40


def batched(seed: int = 0, layers: tuple[int, int, int] = (2, 3, 2), rows: int = ROWS) -> RunConfig:
    rng = np.random.default_rng(5)
    inputs = rng.normal(size=(rows, layers[0])).round(3).tolist()
    targets = rng.uniform(size=(rows, layers[-1])).round(3).tolist()
    return example(
        seed=seed,
        rounds=ROUNDS,
        dtype="float64",
        data={"inputs": inputs, "targets": targets, "batch_size": SIZE},
        network={"layers": list(layers), "activations": "tanh", "bias": "trained"},
        initial={"scheme": "pytorch"},
        optimizer={"name": "sgd", "learning_rate": 0.1},
    )


def by_a_plain_loop(config: RunConfig) -> tuple[list[float], np.ndarray]:
    """Losses of the batches, and the last weights, with stock modules."""
    generator = torch.Generator().manual_seed(config.seed + ORDER_STREAM)
    x = torch.tensor(config.data.inputs, dtype=torch.float64)
    y = torch.tensor(config.data.targets, dtype=torch.float64)
    torch.manual_seed(config.seed)
    modules: list[nn.Module] = []
    for out, into in config.network.shapes:
        modules += [nn.Linear(into, out), nn.Tanh()]
    net = nn.Sequential(*modules).double()
    optimizer = torch.optim.SGD(net.parameters(), lr=config.optimizer.learning_rate)
    batches: list[torch.Tensor] = []
    losses: list[float] = []
    for step in range(config.rounds + 1):
        if not batches:
            order = torch.randperm(len(x), generator=generator)
            batches = [b for b in order.split(config.data.batch_size) if len(b) == SIZE]
        rows = batches.pop(0)
        optimizer.zero_grad()
        loss = nn.MSELoss()(net(x[rows]), y[rows])
        losses.append(loss.item())
        if step < config.rounds:
            loss.backward()
            optimizer.step()
    return losses, np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])


@pytest.mark.parametrize("layers", [(2, 3, 2), (20, 16, 4)], ids=["small", "large"])
@pytest.mark.parametrize("seed", [0, 1])
def test_batches_are_those_of_a_plain_loop(seed: int, layers: tuple[int, int, int]) -> None:
    config = batched(seed, layers)
    losses, weights = by_a_plain_loop(config)
    trace = alone(config)
    np.testing.assert_allclose(trace.losses, losses, rtol=1e-12)
    np.testing.assert_allclose(trace.weights[-1], weights, rtol=1e-10)


@pytest.mark.parametrize("layers", [(2, 3, 2), (20, 16, 4)], ids=["small", "large"])
def test_a_run_sees_its_own_order_whatever_its_company(layers: tuple[int, int, int]) -> None:
    runs = [batched(seed, layers) for seed in range(70)]
    (family,) = families(reversed(runs))
    together = dict(zip(family.configurations, train(family), strict=True))
    for seed in (0, 33, 69):
        assert same_bits(together[runs[seed]], alone(runs[seed]))
    assert not np.array_equal(together[runs[0]].losses, together[runs[1]].losses)


def test_given_weights_in_another_order_are_another_run() -> None:
    config = batched()
    given = config.model_copy(update={"initial": example(initial={"scheme": "zeros"}).initial})
    assert given.by_chance
    assert given.with_seed(3).digest != given.digest
    assert not np.array_equal(alone(given).losses, alone(given.with_seed(3)).losses)


def test_outputs_are_those_of_all_rows_first_and_last() -> None:
    trace = alone(batched())
    assert trace.shown.tolist() == [0, ROUNDS]
    assert trace.outputs.shape == (2, ROWS, 2)
    assert trace.outputs_at(1) is None
    assert trace.is_whole


@pytest.mark.parametrize("layers", [(2, 3, 2), (20, 16, 4)], ids=["small", "large"])
def test_batches_of_the_only_row_are_the_whole(layers: tuple[int, int, int]) -> None:
    one = batched(0, layers, rows=1)
    update = {"batch_size": 1}
    config = one.model_copy(update={"data": one.data.model_copy(update=update)})
    whole = one.model_copy(update={"data": one.data.model_copy(update={"batch_size": None})})
    other = whole.data.model_copy(update={"targets": ((0.5,) * layers[-1],), **update})
    (family,) = families([config, config.model_copy(update={"data": other})])
    for trace in (train(family)[0], alone(config)):
        assert (trace.losses == alone(whole).losses).all()
        assert (trace.weights == alone(whole).weights).all()
