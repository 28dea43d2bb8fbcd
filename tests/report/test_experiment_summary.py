"""The digest of an experiment: word for word what its section of the report says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from labreport.analysis.observe import observe
from labreport.report.experiment_summary import summarise
from labreport.report.language import language
from labreport.report.tree import Paragraph, Section, Sentences, Table


def section_of(report: Any, name: str) -> Section:
    (section,) = (
        inner
        for section in report.sections
        for inner in section.sections
        if inner.anchor == f"experiment-{name}"
    )
    return section


def observed_in(measured: Any, results: Any) -> Any:
    place = measured.experiments.index(results)
    return measured.observed[place]


@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_digest_says_what_the_report_says(shipped_build: Any, code: str) -> None:
    compared = 0
    for results in shipped_build.measured.experiments:
        section = section_of(shipped_build.reports[code], results.plan.name)
        made = summarise(results, language(code))
        assert made.title == section.title
        tables = [block for block in section.blocks if isinstance(block, Table)]
        assert [(t.caption, t.header, t.rows) for t in made.tables] == [
            (t.caption, t.header, t.rows) for t in tables
        ]
        said = [block for block in section.blocks if isinstance(block, Sentences)]
        assert [b.kind for b in made.findings if isinstance(b, Sentences)] == [b.kind for b in said]
        observed = observed_in(shipped_build.measured, results)
        for own, block in zip(made.findings, said, strict=True):
            assert isinstance(own, Sentences)
            assert own.heading == block.heading
            # The report has told some of it before; here it is the only experiment.
            if block.kind != "others" or list(observe(results)) == list(observed):
                assert [(i.theme, i.text) for i in own.items] == [
                    (i.theme, i.text) for i in block.items
                ]
        if list(observe(results)) == list(observed):
            sentences = [item for block in said for item in block.items]
            assert [o.rule for o in made.observations] == [i.evidence.rule for i in sentences]  # type: ignore[union-attr]
            compared += 1
    assert compared == len(shipped_build.measured.experiments) - 1


def test_the_curves_are_those_of_the_experiment(shipped_build: Any) -> None:
    kinds = {}
    for results in shipped_build.measured.experiments:
        for curves in summarise(results, language("en")).curves:
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
    assert first == "as published"
    results = shipped_build.measured.experiments[0]
    assert np.array_equal(values, results.results[0].losses)
    # Half of the starts lie below the median, at the end as on the way.
    no_init = next(r for r in shipped_build.measured.experiments if r.plan.name == "no-init")
    medians = {c.name: c.values for c in kinds["no-init", "medians"].curves}
    finals = [r.loss(no_init.last) for r in no_init.of("random")]
    assert sum(f < medians["default start"][-1] for f in finals) == len(finals) / 2  # type: ignore[operator]


def test_that_nothing_was_found_is_said(
    shipped_build: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labreport.analysis.observe import Observations

    monkeypatch.setattr(
        "labreport.report.experiment_summary.observe", lambda results: Observations((), (), ())
    )
    made = summarise(shipped_build.measured.experiments[0], language("en"))
    assert made.findings == (Paragraph("No rule found anything to state."),)
