"""Functions under way beside one another, each in a process forked from this one.

A fork starts at once, shares what is imported and in memory, and takes nothing along but what the
function returns. Where a system cannot fork, functions are computed here, one after another.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

from labreport.errors import BuildError, Fault

Made = TypeVar("Made")

CAN_FORK = hasattr(os, "fork")


class DiedError(Exception):
    """A process ended without an answer, or gave none in time."""


class Forked(Generic[Made]):
    """A function under way in a process of its own.

    Args:
        make: the function; what it returns or raises must be picklable.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        context = multiprocessing.get_context("fork")
        self._ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_answer, args=(make, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def result(self, seconds: float | None = None) -> Made:
        """Wait for what the function returns, and end the process.

        Raises:
            DiedError: if there is no answer, at all or within so many seconds.
            Exception: what the function raises.
        """
        try:
            answer = self._ours.recv() if self._ours.poll(seconds) else None
        except EOFError:
            # Killed, as by the system for want of memory.
            answer = None
        finally:
            self.end()
        if answer is None:
            raise DiedError
        made, error = answer
        if error is not None:
            raise error
        return made  # type: ignore[no-any-return]

    def end(self) -> None:
        """End the process, whatever it is at."""
        self._process.kill()
        self._process.join()
        self._ours.close()


@contextmanager
def under_way(
    makes: Sequence[Callable[[], Made]], processes: int
) -> Iterator[Callable[[], list[Made]]]:
    """Start functions, and give what waits for their results, in the order of the functions.

    Without further processes, they are computed when their results are asked for.

    Args:
        makes: the functions.
        processes: beside this one, at a time.

    Raises:
        BuildError: from what waits, if a process dies.
    """
    if not CAN_FORK or processes < 1:
        yield lambda: [make() for make in makes]
        return
    begun = [Forked(make) for make in makes[:processes]]

    def results() -> Iterator[Made]:
        for place in range(len(makes)):
            try:
                yield begun[place].result()
            except DiedError:
                raise BuildError(Fault("process-died")) from None
            begun.extend(map(Forked, makes[len(begun) : len(begun) + 1]))

    try:
        yield lambda: list(results())
    finally:
        for forked in begun:
            forked.end()


def side_by_side(makes: Sequence[Callable[[], Made]], processes: int) -> list[Made]:
    """Results of functions, in their order, computed in so many processes at a time.

    Raises:
        BuildError: if a process dies.
    """
    worth = processes if min(processes, len(makes)) > 1 else 0
    with under_way(makes, worth) as results:
        return results()


def end_with_first_process() -> None:
    """Let this process end when the first one does; else it would go on for nobody."""

    def wait() -> None:
        first = multiprocessing.parent_process()
        assert first is not None
        first.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _answer(make: Callable[[], Made], pipe: Connection) -> None:
    # An interrupt is the first process's to act on: it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_first_process()
    try:
        answer: tuple[object, Exception | None] = (make(), None)
    except MemoryError:
        return
    except Exception as error:
        answer = (None, error)
    pipe.send(answer)
