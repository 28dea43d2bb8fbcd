"""A family that is cut by the estimate keeps to the limit that the user set."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from labreport.lab.configuration import RunConfig
from labreport.training.family import families
from labreport.training.recording import Memory
from labreport.training.trainer import train

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

one = RunConfig.model_validate({
    "data": {"inputs": [[0.5, 0.3]], "targets": [[0.23, -0.07]]},
    "network": {"layers": [2, 2, 2], "activations": "sigmoid"},
    "optimizer": {"name": "sgd", "learning_rate": 1.0},
    "rounds": 500,
})
runs = [one.with_seed(seed) for seed in range(2000)]
memory = Memory()
train(families(runs[:64])[0])
before = peak()
chunks = families(runs, memory=int(sys.argv[1]) * 2**20)
for family in chunks:
    train(family, memory=memory)
print(len(chunks), peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for its peak")
@pytest.mark.parametrize("limit", [24, 64])
def test_training_stays_within_its_memory(limit: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(limit)], capture_output=True, text=True, check=True
    )
    chunks, growth = done.stdout.split()
    assert int(chunks) > 1
    # A little above for the allocator; far below would mean that the estimate is no use.
    assert 0.3 * limit < float(growth) < limit + 8
