"""The digest of an experiment: word for word what its section of the report says."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from whole import some

from labreport.analysis.observe import Observations
from labreport.cli.stored_experiments import Selection, stored_results
from labreport.language.catalogue import language
from labreport.render.printed import (
    PrintedParagraph,
    PrintedSection,
    PrintedSentences,
    PrintedTable,
)
from labreport.render.summary import PrintedSummary, printed_summary


def section_of(report: Any, name: str) -> PrintedSection:
    (section,) = (
        inner
        for section in report.sections
        for inner in section.sections
        if inner.anchor == f"experiment-{name}"
    )
    return section


@cache
def found_in(path: Path, output: Path, name: str) -> Any:
    """The stored results of an experiment: replayed once, and printed in each language."""
    return stored_results(Selection(name, path, output))


def summary(built: Any, place: int, code: str) -> PrintedSummary:
    """What `labreport show` prints of an experiment."""
    name = built.measured.lab.names[place]
    return printed_summary(*found_in(built.path, built.output, name), language(code))


@pytest.mark.parametrize("code", ["zh", "en"])
@pytest.mark.parametrize("place", some(range(7), 0, 3, 4))
def test_a_summary_says_what_the_report_says(shipped_build: Any, place: int, code: str) -> None:
    """Word for word, of variants, a sweep and starts: what a section leaves out, it leaves out."""
    results = shipped_build.measured.experiments[place]
    section = section_of(shipped_build.reports[code], results.plan.name)
    made = summary(shipped_build, place, code)
    assert made.title == section.title
    tables = [block for block in section.blocks if isinstance(block, PrintedTable)]
    # What the report states in a sentence is a table in the terminal.
    differences = language(code).text("report.differences-table")
    begin, _, _ = language(code).text("report.differences", items="…").partition("…")
    stated = [b for b in section.blocks if isinstance(b, PrintedParagraph)]
    is_stated = any(b.text.startswith(begin) for b in stated)
    compared = [t for t in made.tables if not is_stated or t.caption != differences]
    assert is_stated == (len(compared) < len(made.tables))
    assert [(t.caption, t.header, t.rows) for t in compared] == [
        (t.caption, t.header, t.rows) for t in tables
    ]
    lists = [block for block in section.blocks if isinstance(block, PrintedSentences)]
    own = [block for block in made.findings if isinstance(block, PrintedSentences)]
    assert [(block.kind, block.heading) for block in own] == [(b.kind, b.heading) for b in lists]
    assert [[(i.theme, i.text) for i in block.items] for block in own] == [
        [(i.theme, i.text) for i in block.items] for block in lists
    ]
    sentences = [item for block in lists for item in block.items]
    assert [o.rule for o in made.observations] == [i.evidence.rule for i in sentences if i.evidence]


def test_an_experiment_that_was_built_alone_says_what_its_own_report_says(
    shipped_build: Any, build_into: Any, tmp_path: Any
) -> None:
    """Nothing is left out because another section states it: there is none."""
    built = build_into(shipped_build.path, tmp_path / "output", ("companion",), paper=False)
    section = section_of(built.reports["en"], "companion")
    found = stored_results(Selection("companion", built.path, built.output))
    made = printed_summary(*found, language("en"))
    said = [i.text for b in section.blocks if isinstance(b, PrintedSentences) for i in b.items]
    own = [i.text for b in made.findings if isinstance(b, PrintedSentences) for i in b.items]
    assert own == said


def test_the_curves_are_those_of_the_experiment(shipped_build: Any) -> None:
    kinds = {}
    for results in shipped_build.measured.experiments:
        nothing = Observations((), (), ())
        for curves in printed_summary(results, nothing, language("en")).curves:
            kinds[results.plan.name, curves.kind] = curves
    assert set(kinds) == {
        ("published", "losses"),
        ("relu", "losses"),
        ("bce", "errors"),
        ("step-size", "losses"),
        ("no-init", "medians"),
        ("adam", "losses"),
        ("companion", "losses"),
    }
    published = kinds["published", "losses"]
    assert (published.rounds, published.by_ratio, published.logarithmic) == (1000, True, True)
    (first, values, _), *_ = published.curves
    assert first == "as published, momentum 1, published without bias"
    results = shipped_build.measured.experiments[0]
    assert np.array_equal(values, results.results[0].losses)
    # Half of the starts lie below the median, at the end as on the way.
    no_init = next(r for r in shipped_build.measured.experiments if r.plan.name == "no-init")
    medians = {c.name: c.values for c in kinds["no-init", "medians"].curves}
    finals = [r.loss(no_init.last) for r in no_init.of("random")]
    assert sum(f < medians["default start"][-1] for f in finals) == len(finals) / 2  # type: ignore[operator]


def test_that_nothing_was_found_is_said(shipped_build: Any) -> None:
    results, nothing = shipped_build.measured.experiments[0], Observations((), (), ())
    made = printed_summary(results, nothing, language("en"))
    assert made.findings == (PrintedParagraph("No rule found anything to state."),)
