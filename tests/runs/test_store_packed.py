"""A stored file is what the safetensors library would write, without being held as a whole."""

from __future__ import annotations

import hashlib
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import save

from labreport.runs.file_format import FORMAT, PORTION, Packed

DRAW = np.random.default_rng(0)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("runs", [0, 1, 7])
def test_the_bytes_are_those_of_the_library(kind: str, runs: int) -> None:
    arrays = {
        "weights": DRAW.normal(size=(30, 5, 64)).astype(kind)[..., :runs],
        "losses": DRAW.normal(size=(31, 64)).astype(kind)[..., :runs],
        "outputs": np.zeros((0, 4, 2, runs), dtype=kind),
        "shown": np.arange(3),
        "recorded": np.arange(30),
        "runs": np.frombuffer(b"[{}]", np.uint8),
    }
    packed = Packed.of(arrays)
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    expected = save(whole, {"format": FORMAT})
    assert b"".join(packed) == expected
    assert packed.sha256 == hashlib.sha256(expected).hexdigest()


def test_a_file_is_never_held_as_a_whole() -> None:
    array = np.zeros((512, 1024, 16), dtype=np.float32)[..., :9]
    packed = Packed.of({"weights": array})
    tracemalloc.start()
    assert sum(map(len, packed)) > array.nbytes > 4 * PORTION
    assert packed.sha256
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 * PORTION
