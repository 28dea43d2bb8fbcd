"""The random numbers that torch's CPU generator draws, drawn again in NumPy from the same seed.

Torch and NumPy's legacy generator share the Mersenne Twister and its seeding (Matsumoto and
Nishimura 1998); what torch makes of its numbers is written out here. So a stored start or order of
rows can be compared with its seed without torch.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from labreport.reference.array_types import FloatArray

SINGLE_BITS, DOUBLE_BITS = 24, 53
"""Random bits of a uniform number in single and in double precision."""

BLOCK = 16
"""Normal numbers that torch makes together, where a tensor has at least so many."""


class Generator:
    """Torch's generator for the CPU with a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._left: float | None = None

    @cached_property
    def _twister(self) -> np.random.RandomState:
        """The Mersenne Twister, which takes 32 bits of a seed; seeded where anything is drawn."""
        return np.random.RandomState(self._seed & 0xFFFFFFFF)

    def _words(self, count: int) -> NDArray[np.uint64]:
        return self._twister.randint(0, 2**32, size=count, dtype=np.uint32).astype(np.uint64)

    def _singles(self, count: int) -> FloatArray:
        """Uniform numbers in [0, 1) of single precision."""
        words = self._words(count) & np.uint64(2**SINGLE_BITS - 1)
        singles: FloatArray = words.astype(np.float64) / 2**SINGLE_BITS
        return singles

    def _double(self) -> float:
        """A uniform number in [0, 1) of double precision."""
        high, low = (int(word) for word in self._words(2))
        kept: int = (high << 32 | low) & (2**DOUBLE_BITS - 1)
        share: float = kept / 2**DOUBLE_BITS
        return share

    def uniform(self, count: int, low: float, high: float) -> FloatArray:
        """Numbers of ``torch.Tensor.uniform_`` for a float32 tensor, as float64."""
        return self._singles(count) * (high - low) + low

    def normal(self, count: int, mean: float, deviation: float) -> FloatArray:
        """Numbers of ``torch.Tensor.normal_`` for a float32 tensor, as float64."""
        if count < BLOCK:
            return mean + deviation * np.array([self._next_normal() for _ in range(count)])
        values = self._singles(count)
        for start in range(0, count - BLOCK + 1, BLOCK):
            values[start : start + BLOCK] = _box_muller(values[start : start + BLOCK])
        if count % BLOCK:
            # The last block is drawn anew, over what was there.
            values[-BLOCK:] = _box_muller(self._singles(BLOCK))
        return mean + deviation * values

    def _next_normal(self) -> float:
        """One of a pair of normal numbers; the other one is kept for the next call."""
        if self._left is not None:
            kept, self._left = self._left, None
            return kept
        angle, size = 2.0 * math.pi * self._double(), self._double()
        radius = math.sqrt(-2.0 * math.log1p(-size))
        self._left = radius * math.sin(angle)
        return radius * math.cos(angle)

    def permutation(self, count: int) -> NDArray[np.int64]:
        """The numbers 0 … count − 1 in the order of ``torch.randperm``."""
        order = np.arange(count)
        steps = self._words(count - 1) if count > 1 else ()
        for place, word in enumerate(steps):
            other = place + int(word) % (count - place)
            order[place], order[other] = order[other], order[place]
        return order


def _box_muller(uniform: FloatArray) -> FloatArray:
    """Sixteen normal numbers out of sixteen uniform ones (Box and Muller 1958)."""
    half = BLOCK // 2
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform[:half]))
    angle = 2.0 * np.pi * uniform[half:]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])


ORDER_STREAM = 0x6F72646572
"""Added to a run's seed for its order of rows, as the trainer does."""


def row_orders(seed: int, rows: int, batch: int, steps: int) -> NDArray[np.int64]:
    """The rows [steps, batch] that each round of a run with mini-batches sees.

    A new order is drawn for every pass; rows that do not fill a batch at its end are left out.
    """
    generator = Generator((seed + ORDER_STREAM) % 2**63)
    a_pass = rows // batch
    orders = [generator.permutation(rows) for _ in range(-(-steps // a_pass))]
    chosen = [order[: a_pass * batch].reshape(a_pass, batch) for order in orders]
    return np.concatenate(chosen)[:steps]
