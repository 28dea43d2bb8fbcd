"""A function run in a process of its own, with limits of time and memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from labreport.errors import Fault, InputError
from labreport.processes import CAN_FORK, DiedError, Forked

Made = TypeVar("Made")

SECONDS = 600
"""Processor time: a hundred times what the largest report of the tests takes."""

MEMORY = 4 * 2**30
"""Bytes beside those that the program has already."""


def limited(make: Callable[[], Made], seconds: int = SECONDS, memory: int = MEMORY) -> Made:
    """Return the result of a function, computed in a child process within limits.

    Where a system cannot fork, the function runs here, without limits.

    Args:
        make: the function; what it returns or raises must be picklable.
        seconds: of processor time.
        memory: bytes that it may allocate.

    Raises:
        InputError: if it takes more (``theme-limits``).
        Exception: what the function raises.
    """
    if not CAN_FORK:
        return make()
    try:
        return Forked(partial(_within, make, seconds, memory)).result(2 * seconds)
    except DiedError:
        # By its limit of time or of memory, or by the system.
        values = {"seconds": seconds, "memory": memory // 2**20}
        raise InputError(Fault("theme-limits", values)) from None


def _within(make: Callable[[], Made], seconds: int, memory: int) -> Made:
    import resource

    for kind, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_DATA, _allocated() + memory),
    ):
        # A limit that is there already can be lowered, and not raised.
        _, hard = resource.getrlimit(kind)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard))
    return make()


def _allocated() -> int:
    """Bytes of data of this process, as far as the system says so."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        lines = dict(line.split(":", 1) for line in status.splitlines())
        return 1024 * int(lines["VmData"].split()[0])
    except (OSError, KeyError, ValueError):
        return 0
