"""Functions in processes beside this one: their results, their faults, and their end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from labreport import processes
from labreport.errors import BuildError, Fault, InputError
from labreport.processes import side_by_side, under_way

pytestmark = pytest.mark.skipif(not processes.CAN_FORK, reason="processes are forked")


def own() -> int:
    return os.getpid()


def fail() -> int:
    raise InputError(Fault("no-cuda"))


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_the_order_of_the_functions(jobs: int) -> None:
    makes = [partial(pow, number, 2) for number in range(7)]
    assert side_by_side(makes, jobs) == [0, 1, 4, 9, 16, 25, 36]


def test_one_process_is_this_one_and_more_are_others() -> None:
    assert side_by_side([own, own], 1) == [os.getpid()] * 2
    assert side_by_side([own], 4) == [os.getpid()]
    found = side_by_side([own, own], 2)
    assert len(set(found)) == 2
    assert os.getpid() not in found


def test_where_nothing_can_be_forked_it_is_computed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "CAN_FORK", False)
    assert side_by_side([own, own], 2) == [os.getpid()] * 2


def test_what_a_function_raises_is_raised_here() -> None:
    with pytest.raises(InputError) as caught:
        side_by_side([own, fail], 2)
    assert caught.value.faults == (Fault("no-cuda"),)


@pytest.mark.parametrize("end", [lambda: os._exit(9), lambda: os.kill(os.getpid(), 9)])
def test_a_process_that_dies_is_told(end: Callable[[], int]) -> None:
    with pytest.raises(BuildError) as caught:
        side_by_side([own, end], 2)
    assert caught.value.faults == (Fault("process-died"),)


def test_functions_are_under_way_meanwhile_and_end_with_what_began_them(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def wait() -> None:
        begun.write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(600)

    with under_way([wait], 1):
        while not (begun.is_file() and begun.read_text(encoding="utf-8")):
            time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text(encoding="utf-8")), 0)
