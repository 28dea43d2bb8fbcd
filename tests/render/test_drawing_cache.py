"""What is kept is what would be drawn, for one build alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labreport.build.pipeline import build
from labreport.build.request import Request
from labreport.render.drawing_cache import DrawingCache
from labreport.report.illustration.drawings import Curve

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


def test_what_was_drawn_is_not_drawn_again() -> None:
    curves = [Curve("甲", np.linspace(0, 1, 5), 1)]
    kept = DrawingCache()
    made = kept.draw(draw, curves, (1, 2)), kept.make(typeset, "x")
    assert (kept.draw(draw, curves, (1, 2)), kept.make(typeset, "x")) == made
    assert len(calls) == 2
    kept.draw(draw, curves, (1, 3))
    assert len(calls) == 3


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
    names = [DrawingCache.name(draw, value) for value in (one, two)]
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
    arrays = [
        np.zeros(4, np.float32),
        np.zeros(2, np.float64),
        np.zeros((2, 2), np.float32),
        np.zeros(4, np.int32),
    ]
    assert len({DrawingCache.name(draw, array) for array in arrays}) == len(arrays)
    assert DrawingCache.name(draw, 1) != DrawingCache.name(typeset, 1)
    assert DrawingCache.name(draw, 1, 2) != DrawingCache.name(draw, (1, 2))


def test_what_nobody_knows_how_to_name_is_refused() -> None:
    with pytest.raises(TypeError, match="nothing is known of a set"):
        DrawingCache().draw(draw, {1, 2})


LAB = """
[experiment.a]
title = "a"
change.rounds = 2
"""


def test_a_file_of_pictures_is_neither_read_nor_written(tmp_path: Path, base_text: str) -> None:
    old = b"[" * 99999
    lab = tmp_path / "lab.toml"
    lab.write_text(base_text + LAB, encoding="utf-8")
    output = tmp_path / "output"
    output.mkdir()
    (output / "pictures.json").write_bytes(old)
    build(Request(lab, (), ("en",), output), lambda *_: None)
    assert (output / "pictures.json").read_bytes() == old
