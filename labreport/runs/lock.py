"""Turns: of several processes, one at a time changes the files of a folder.

The lock is the operating system's, on an empty file ``.lock`` that stays. It ends with the process
that holds it, however that ends, so nothing has to be put right after a crash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from labreport.errors import BuildError, Fault
from labreport.runs.files import unfinished, writing

LOCK = ".lock"

Waiting = Callable[[], None]
"""Called once if another process has the turn, before waiting for it."""


@contextmanager
def locked(folder: Path, waiting: Waiting) -> Iterator[None]:
    """Lock the folder's files; what killed processes left unfinished is removed.

    Readers need no turn: files are replaced as a whole.

    Raises:
        BuildError: if the folder cannot be written to, or its file system has no locks.
    """
    from filelock import FileLock, Timeout

    path = folder / LOCK
    with writing(path):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                waiting()
                lock.acquire()
        except NotImplementedError:
            raise BuildError(Fault("no-locks", file=folder)) from None
    try:
        for left in unfinished(folder):
            with writing(left):
                left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()
