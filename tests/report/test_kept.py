"""What is kept is what would be drawn, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.current import PICTURES
from labreport.pipeline import Request, build
from labreport.report.curves import Curve
from labreport.report.kept import Kept

calls: list[tuple[Any, ...]] = []


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


def draw(*given: Any) -> bytes:
    calls.append(given)
    return f"<svg>{len(given)} 图</svg>".encode()


def typeset(text: str) -> tuple[str, str, float, float]:
    calls.append((text,))
    return text, f"<math>{text}</math>", 0.1, 1 / 3


def test_what_was_drawn_before_is_not_drawn_again() -> None:
    curves = [Curve("甲", np.linspace(0, 1, 5), 1)]
    before = Kept("program")
    made = before.draw(draw, curves, (1, 2)), before.make(typeset, "x")
    # Within one build, for the other language, and in the next one.
    assert (before.draw(draw, curves, (1, 2)), before.make(typeset, "x")) == made
    after = Kept("program", before.content())
    assert (after.draw(draw, curves, (1, 2)), after.make(typeset, "x")) == made
    assert len(calls) == 2
    assert after.content() == before.content()


def test_only_what_was_asked_for_stays() -> None:
    before = Kept("program")
    before.draw(draw, 1)
    before.draw(draw, 2)
    after = Kept("program", before.content())
    after.draw(draw, 2)
    assert len(json.loads(after.content().split(b"\n")[1])) == 1


@pytest.mark.parametrize("program", ["", "another program"])
def test_another_program_draws_all_of_it_anew(program: str) -> None:
    before = Kept("program")
    before.draw(draw, 1)
    Kept(program, before.content()).draw(draw, 1)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: content.replace("图".encode(), "圖".encode()),
        lambda content: b"",
        lambda content: b"\xff\xfe\x00",
        lambda content: b"[]",
    ],
)
def test_what_is_damaged_is_drawn_anew(damage: Any) -> None:
    before = Kept("program")
    made = before.draw(draw, 1)
    after = Kept("program", damage(before.content()))
    assert after.draw(draw, 1) == made
    assert len(calls) == 2
    assert after.content() == before.content()


@dataclass(frozen=True)
class Pair:
    one: Any
    two: Any


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False)
    | st.text(max_size=3)
    | st.lists(st.floats(0, 1), max_size=3).map(np.array),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.builds(Pair, inner, inner)
    ),
    max_leaves=6,
)


@given(values, values)
def test_different_things_are_drawn_apart(one: Any, two: Any) -> None:
    kept = Kept("program")
    names = [kept._name(draw, (value,)) for value in (one, two)]
    # As written: 1 and 1.0, a list and a tuple, are not the same.
    assert (names[0] == names[1]) == (written(one) == written(two))


def written(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array {value.dtype} {value.shape} {value.tobytes()!r}"
    if isinstance(value, Pair):
        return f"Pair({written(value.one)}, {written(value.two)})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[{', '.join(map(written, value))}]"
    return repr(value)


def test_arrays_of_the_same_bytes_are_told_apart() -> None:
    kept = Kept("program")
    arrays = [
        np.zeros(4, np.float32),
        np.zeros(2, np.float64),
        np.zeros((2, 2), np.float32),
        np.zeros(4, np.int32),
    ]
    assert len({kept._name(draw, (array,)) for array in arrays}) == len(arrays)
    assert kept._name(draw, (1,)) != kept._name(typeset, (1,))
    assert kept._name(draw, (1, 2)) != kept._name(draw, ((1, 2),))


def test_what_nobody_knows_how_to_name_is_refused() -> None:
    with pytest.raises(TypeError, match="nothing is known of a set"):
        Kept("program").draw(draw, {1, 2})


LAB = """
[experiment.a]
title = "a"
change.rounds = 2
"""


def test_a_build_with_kept_pictures_writes_the_same_bytes(tmp_path: Path, base_text: str) -> None:
    lab = tmp_path / "lab.toml"
    lab.write_text(base_text + LAB, encoding="utf-8")
    output = tmp_path / "output"
    names = ("report.html", "report.pdf", PICTURES, "report.json")

    def built() -> list[bytes]:
        build(Request(lab, (), ("en",), output), lambda *_: None)
        return [(output / name).read_bytes() for name in names]

    first = built()
    assert built() == first
    (output / PICTURES).write_bytes(first[2].replace(b"svg", b"gvs"))
    assert built() == first
    (output / PICTURES).unlink()
    assert built() == first
