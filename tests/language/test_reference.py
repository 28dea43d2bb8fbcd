"""docs/observations.md: current, and its example computes a fact again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labreport.analysis.formulas.formula_functions import FUNCTIONS as IN_FORMULAS
from labreport.analysis.formulas.run_scope import RunScope
from labreport.language.rule_reference import FUNCTIONS, NAMES, reference
from labreport.report.claims import LEAST_RELEVANCE, MOST_OTHERS

PAGE = Path(__file__).parents[2] / "docs" / "observations.md"


@pytest.fixture
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_it_is_current(page: str) -> None:
    assert page == reference(page)


def test_it_describes_the_whole_language_of_formulas() -> None:
    assert set(FUNCTIONS) == {*IN_FORMULAS, "each"}
    names = {name for name in vars(RunScope) if not name.startswith("_")}
    assert set(NAMES) == names


def test_numbers_of_findings_are_those_of_the_program(page: str) -> None:
    words = " ".join(page.split())
    assert f"the next {MOST_OTHERS} of at least {LEAST_RELEVANCE} follow after the figures" in words


def test_what_was_measured_or_written_by_hand_is_kept(page: str) -> None:
    table = "<!-- false alarms -->\n| rule | false alarms |\n<!-- end of false alarms -->"
    changed = re.sub("<!-- false alarms -->.*<!-- end of false alarms -->", table, page, flags=re.S)
    assert table in changed
    assert table in reference(changed.replace("# Observations", "# By hand", 1))
    assert reference(changed.replace("# Observations", "# By hand", 1)).startswith("# By hand")


@pytest.mark.parametrize("name", ["names", "functions", "rules", "thresholds"])
def test_what_stands_between_other_marks_is_written_anew(page: str, name: str) -> None:
    spoiled = re.sub(f"(<!-- {name} -->\n).*(<!-- end of {name} -->)", r"\1x\n\2", page, flags=re.S)
    assert spoiled != page
    assert reference(spoiled) == page
    with pytest.raises(ValueError, match=name):
        reference(page.replace(f"<!-- {name} -->", ""))


@pytest.mark.usefixtures("made_up")
def test_the_example_computes_a_fact_again(
    build_pages: Callable[..., Any],
    base_text: str,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    built = build_pages(base_text + '[experiment.a]\ntitle = "A"\n')
    (example,) = re.findall("```python\n(.*?)```", page, re.S)
    monkeypatch.chdir(built.output.parent)
    exec(compile(example, "docs/observations.md", "exec"), {})
    rule, name, said, stored = capsys.readouterr().out.split()
    first = next(c.observation for c in built.measured.claims if c.observation.rule == rule)
    assert said == stored == repr(first.facts[name].value)  # type: ignore[union-attr]
