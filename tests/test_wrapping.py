"""Lines of the terminal: none is too wide, begins with a mark that ends a clause, or loses text."""

import random

import pytest
from rich.cells import cell_len

from labreport.cli.wrapping import CLOSING, wrapped

SENTENCE = (
    "“a”的梯度传到前面的层已经变小：训练开始时，各层权值导数的均方根依次为（0.0007417，0.06044）。"
)


@pytest.mark.parametrize("width", range(20, 80))
def test_no_line_begins_with_a_mark(width: int) -> None:
    lines = wrapped(SENTENCE, width)
    assert all(cell_len(line) <= width for line in lines)
    assert not any(line[:1] in CLOSING for line in lines)
    assert "".join(lines) == SENTENCE


def test_words_are_not_cut() -> None:
    assert wrapped("two words", 6) == ["two", "words"]
    assert wrapped("unbreakable", 4) == ["unbr", "eaka", "ble"]
    assert wrapped("", 4) == [""]


def test_nothing_is_lost() -> None:
    draw = random.Random(1)
    for _ in range(500):
        text = "".join(draw.choice("ab1 ，。（）“”中文…-. é") for _ in range(draw.randrange(60)))
        for width in (5, 11, 37):
            lines = wrapped(text, width)
            assert "".join(lines).replace(" ", "") == text.replace(" ", "")
            assert all(cell_len(line) <= width for line in lines)
