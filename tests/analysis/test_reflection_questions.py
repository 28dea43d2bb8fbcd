"""The chapter of the student's own thoughts, where there are none yet."""

from __future__ import annotations

from typing import Any

import pytest
from synthetic_runs import MOMENTUM, experiment, single

from labreport.analysis.observe import observe
from labreport.language.catalogue import language
from labreport.report.chapters.reflection import ASKED, OF_EVERY_LAB, QUESTIONS, reflection
from labreport.report.phrases import Message
from labreport.report.tree import Sentences


def keys(*made: Any) -> list[str]:
    """The questions on some experiments, by their keys."""
    chapter = reflection([(results, observe(results)) for results in made], is_written=False)
    (questions,) = (block for block in chapter.blocks if isinstance(block, Sentences))
    said = [item.said for item in questions.items]
    return [s.key.removeprefix("question.") for s in said if isinstance(s, Message)]


def turning() -> Any:
    other = single("b", [9, 2.5, 1], {MOMENTUM: 0.5})
    return experiment(single("a", [9, 2, 1.5]), other, budgets=(1, 2))


def level() -> Any:
    return experiment(single("a", [9, 2, 1]), single("b", [9, 2, 1.001], {MOMENTUM: 0.5}))


def test_questions_are_of_what_was_found() -> None:
    assert keys(turning(), level()) == ["turns", "same", OF_EVERY_LAB[0]]


def test_no_question_is_asked_twice() -> None:
    assert keys(turning(), turning()) == ["turns", *OF_EVERY_LAB[: QUESTIONS - 1]]


def test_where_nothing_was_found_every_lab_has_three() -> None:
    assert keys() == list(OF_EVERY_LAB)


def test_what_is_written_has_no_questions_beside_it() -> None:
    assert reflection([(turning(), observe(turning()))], is_written=True).blocks == ()


@pytest.mark.parametrize("code", ["zh", "en"])
def test_every_question_has_its_words(code: str) -> None:
    for key in {*ASKED.values(), *OF_EVERY_LAB}:
        assert language(code).has(f"question.{key}"), key
