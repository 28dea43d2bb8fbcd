"""Run-steps per second of the trainer, of a plain loop over stock torch, and of JAX, side by side.

    python benchmarks/trainer.py                 # the exercise's network, 1 … 100 000 runs
    python benchmarks/trainer.py --digits        # 64-32-10 on scikit-learn's digits, 100 runs

Everything is recorded: losses, weights, gradients and outputs of every step. Each figure is the
best of several repetitions, taken in turn in one session, so that ratios mean something on a
noisy machine. The plain loop is timed on one run and multiplied where it would take minutes; the
table says so. JAX and scikit-learn are used if they are installed.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from labreport.build.origin import this_environment
from labreport.lab.configuration import RunConfig
from labreport.lab.reading.load import load
from labreport.lab.schedule import Schedule
from labreport.runs.store import Store
from labreport.shipped import shipped
from labreport.training.execution import Resources, train_missing
from labreport.training.family import families
from labreport.training.recording import Memory
from labreport.training.trainer import train

ROUNDS = 1000
MEMORY = 2**31
REPETITIONS = 3
THINNED = 50
RECORDS = Memory()


def exercise_runs(count: int) -> list[RunConfig]:
    """The exercise's configuration with as many learning rates."""
    base = load(shipped("experiments.toml")).base.model_copy(update={"rounds": ROUNDS})
    rates = [0.01 * 10 ** (4 * k / max(count - 1, 1)) for k in range(count)]
    sgd = base.optimizer
    return [
        base.model_copy(update={"optimizer": sgd.model_copy(update={"learning_rate": rate})})
        for rate in rates
    ]


def digits_runs(count: int) -> list[RunConfig]:
    """A 64-32-10 network on the 1797 digits, mini-batches of 64, as many seeds."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    one = RunConfig.model_validate(
        {
            "data": {
                "inputs": (digits.data / 16).tolist(),
                "targets": torch.eye(10)[torch.tensor(digits.target)].tolist(),
                "batch_size": 64,
            },
            "network": {"layers": [64, 32, 10], "activations": ["relu", "identity"]},
            "initial": {"scheme": "pytorch"},
            "loss": "cross_entropy",
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
            "rounds": 200,
        }
    )
    return [one.with_seed(seed) for seed in range(count)]


def ours(runs: list[RunConfig], stride: int = 1) -> None:
    """Our trainer in this process; each chunk is recorded over the one before."""
    for family in families(runs, [Schedule(stride)] * len(runs), MEMORY):
        train(family, memory=RECORDS)


def ours_stored(runs: list[RunConfig], jobs: int) -> None:
    """Our trainer as a build uses it: processes, thinned records, and every run stored."""
    with tempfile.TemporaryDirectory() as folder:
        machine = Resources(jobs=jobs, memory=MEMORY)
        missing = [(run, THINNED) for run in runs]
        train_missing(missing, this_environment(), Store(Path(folder)), machine, lambda *_: None)


def plain_loop(config: RunConfig) -> None:
    """What a student writes: stock modules, stock optimizer, everything recorded."""
    torch.manual_seed(config.seed)
    modules: list[nn.Module] = []
    stock = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU, "identity": nn.Identity}
    for (out, into), name in zip(config.network.shapes, config.network.activations, strict=True):
        modules += [nn.Linear(into, out), stock[name]()]
    net = nn.Sequential(*modules)
    loss_of = {"mse": nn.MSELoss, "cross_entropy": nn.CrossEntropyLoss}[config.loss]()
    optimizer = torch.optim.SGD(net.parameters(), lr=config.optimizer.learning_rate)
    x, y = torch.tensor(config.data.inputs), torch.tensor(config.data.targets)
    size, batches = config.data.batch_size, []
    record = []
    for _ in range(config.rounds):
        if size is not None and not batches:
            batches = [b for b in torch.randperm(len(x)).split(size) if len(b) == size]
        rows = batches.pop() if size is not None else slice(None)
        optimizer.zero_grad()
        outputs = net(x[rows])
        loss = loss_of(outputs, y[rows])
        loss.backward()
        weights = [p.detach().clone() for p in net.parameters()]
        gradients = [p.grad.clone() for p in net.parameters() if p.grad is not None]
        record.append((loss.item(), weights, gradients, outputs.detach().clone()))
        optimizer.step()


def jax_runs(count: int) -> Callable[[], object] | None:
    """The exercise's network by jit(vmap(scan)), compiled beforehand; None without JAX."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None

    def loss(p, x, y):  # type: ignore[no-untyped-def]
        hidden = jax.nn.sigmoid(p[:4].reshape(2, 2) @ x)
        outputs = jax.nn.sigmoid(p[4:].reshape(2, 2) @ hidden)
        return ((outputs - y) ** 2).mean(), outputs

    def run(p, rate, x, y):  # type: ignore[no-untyped-def]
        def step(p, _):  # type: ignore[no-untyped-def]
            (value, outputs), g = jax.value_and_grad(loss, has_aux=True)(p, x, y)
            return p - rate * g, (value, p, g, outputs)

        return jax.lax.scan(step, p, None, length=ROUNDS)

    compiled = jax.jit(jax.vmap(run, in_axes=(0, 0, None, None)))
    x, y = jnp.array([0.5, 0.3]), jnp.array([0.23, -0.07])
    # In chunks, as ours: 100 000 runs with their records do not fit into memory at once.
    sizes = [min(8192, count - start) for start in range(0, count, 8192)]
    start = jnp.array([0.2, 0.5, -0.4, 0.6, 0.1, -0.3, -0.5, 0.8])

    def everything() -> object:
        for size in sizes:
            weights = jnp.broadcast_to(start, (size, 8))
            jax.block_until_ready(compiled(weights, jnp.ones(size), x, y))
        return None

    for size in set(sizes):
        jax.block_until_ready(compiled(jnp.broadcast_to(start, (size, 8)), jnp.ones(size), x, y))
    return everything


def best_of(work: Callable[[], object], repetitions: int) -> float:
    """Seconds of the quickest repetition."""
    times = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def peak_memory(kind: str, count: int) -> float:
    """Peak MiB of a fresh process that does this once."""
    command = [sys.executable, __file__, "--once", kind, str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def once(kind: str, count: int) -> None:
    """Do one thing and print the peak memory of this process in MiB."""
    if kind == "ours":
        ours(exercise_runs(count))
    elif kind == "plain loop":
        plain_loop(exercise_runs(1)[0])
    else:
        work = jax_runs(count)
        assert work is not None
        work()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def line(runs: int, name: str, seconds: float, steps: int, plain: float, note: str = "") -> None:
    each = seconds / steps
    print(
        f"{runs:>8} | {name:<24} | {each * 1e9:>12.1f} | {1 / each:>14,.0f} | "
        f"{plain / each:>10,.1f} | {note}"
    )


def exercise(counts: list[int], jobs: int) -> None:
    """The table for the exercise's network."""
    print("The exercise's network, 1000 rounds, float32, everything recorded")
    print("    runs | what                     |  ns/run-step |    run-steps/s | plain loop | note")
    one = exercise_runs(1)[0]
    for count in counts:
        runs, steps = exercise_runs(count), count * ROUNDS
        repetitions = REPETITIONS if count <= 10_000 else 1
        ours(runs[:64])
        plain = best_of(lambda: plain_loop(one), REPETITIONS)
        mine = best_of(lambda: ours(runs), repetitions)  # noqa: B023
        each = plain / ROUNDS
        note = "" if count == 1 else "one run timed, multiplied"
        line(count, "plain loop", plain * count, steps, each, note)
        memory = f"peak {peak_memory('ours', count):,.0f} MiB"
        line(count, "ours, 1 process", mine, steps, each, memory)
        if count >= 10_000:
            stored = best_of(lambda: ours_stored(runs, jobs), repetitions)  # noqa: B023
            line(count, "ours, as a build", stored, steps, each, f"thinned, stored, {jobs} jobs")
        jax = jax_runs(count)
        if jax is not None:
            note = f"compiled before; peak {peak_memory('jax', count):,.0f} MiB"
            line(count, "JAX jit(vmap(scan))", best_of(jax, repetitions), steps, each, note)
    print(f"plain loop, 1 run: peak {peak_memory('plain loop', 1):,.0f} MiB")


def digits(count: int) -> None:
    """The table for the digits."""
    runs = digits_runs(count)
    rounds = runs[0].rounds
    print(f"64-32-10 on 1797 digits, mini-batch 64, {rounds} rounds, weights every 20 rounds")
    print("    runs | what                     |  ns/run-step |    run-steps/s | plain loop | note")
    plain = best_of(lambda: plain_loop(runs[0]), REPETITIONS)
    mine = best_of(lambda: ours(runs, stride=20), REPETITIONS)
    each = plain / rounds
    line(count, "plain loop", plain * count, count * rounds, each, "one run timed, multiplied")
    line(count, "ours, 1 process", mine, count * rounds, each)


def main() -> None:
    """Parse and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--digits", action="store_true", help="the digits, with 100 runs")
    parser.add_argument("--runs", type=int, nargs="*", default=[1, 100, 10_000, 100_000])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--once", nargs=2, metavar=("KIND", "RUNS"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.once:
        once(chosen.once[0], int(chosen.once[1]))
    elif chosen.digits:
        digits(100)
    else:
        exercise(chosen.runs, chosen.jobs)


if __name__ == "__main__":
    main()
