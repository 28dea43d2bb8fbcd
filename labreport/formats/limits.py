"""A function run in a process of its own, with limits of time and memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

from labreport.errors import Fault, InputError

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
    if not hasattr(os, "fork"):
        return make()
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(make, seconds, memory, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        answer = ours.recv() if ours.poll(2 * seconds) else None
    except EOFError:
        # Killed: by its limit of time, or by the system.
        answer = None
    finally:
        child.kill()
        child.join()
        ours.close()
    if answer is None:
        values = {"seconds": seconds, "memory": memory // 2**20}
        raise InputError(Fault("theme-limits", values))
    made, error = answer
    if error is not None:
        raise error
    return made  # type: ignore[no-any-return]


def _answer(make: Callable[[], Made], seconds: int, memory: int, pipe: Connection) -> None:
    import resource

    # An interrupt is the first process's to act on: it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_DATA, _allocated() + memory),
    ):
        # A limit that is there already can be lowered, and not raised.
        _, hard = resource.getrlimit(kind)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard))
    try:
        answer: tuple[object, Exception | None] = (make(), None)
    except MemoryError:
        return
    except Exception as error:
        answer = (None, error)
    pipe.send(answer)


def _allocated() -> int:
    """Bytes of data of this process, as far as the system says so."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        lines = dict(line.split(":", 1) for line in status.splitlines())
        return 1024 * int(lines["VmData"].split()[0])
    except (OSError, KeyError, ValueError):
        return 0
