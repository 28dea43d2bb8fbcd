"""Captions say what is drawn, in the numbers of the tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from printing_parts import printed, words_of

from labreport.analysis.observation import Number
from labreport.analysis.results import ExperimentResults
from labreport.render.printed import PrintedFigure, PrintedReport, PrintedSection
from labreport.report.illustration.captions import MOST_NAMED, Captions
from labreport.report.illustration.run_figures import RunFigures
from labreport.report.numbers import DIGITS, measured
from labreport.report.phrases import Phrase


def figures(report: PrintedReport) -> list[PrintedFigure]:
    def inside(sections: tuple[PrintedSection, ...]) -> list[PrintedFigure]:
        return [
            figure
            for section in sections
            for figure in [
                *(b for b in section.blocks if isinstance(b, PrintedFigure)),
                *inside(section.sections),
            ]
        ]

    return inside(report.sections)


def readings(shipped_build: Any, name: str) -> Captions:
    results = next(r for r in shipped_build.measured.experiments if r.plan.name == name)
    return Captions(results)


def test_the_lowest_and_the_highest_end_are_named(shipped_build: Any) -> None:
    read = readings(shipped_build, "published")
    words = words_of([read.results])

    def ends(named: list[tuple[Phrase, float | None]]) -> str:
        return words(read.ends([(n, None if v is None else Number(v)) for n, v in named]))

    assert ends([("a", 0.5), ("b", 0.25), ("c", 1.0), ("d", None)]) == (
        "After 1000 rounds, lowest is b (0.2500), highest is c (1.000)."
    )
    # What is printed alike is named alike.
    assert "lowest is a and b (0.5000)" in ends([("a", 0.5), ("b", 0.5 + 1e-9), ("c", 1.0)])
    assert ends([("a", 0.5), ("b", 0.5)]) == "After 1000 rounds, all are at 0.5000."
    assert ends([("a", 0.5), ("b", None)]) == "After 1000 rounds, a is at 0.5000."
    assert ends([("a", None), ("b", float("inf"))]) == ""
    many: list[tuple[Phrase, float | None]] = [(f"v{k}", 0.5) for k in range(MOST_NAMED + 3)]
    assert f"v{MOST_NAMED - 1} and 3 more (0.5000)" in ends([*many, ("w", 1.0)])


def test_alternative_texts_of_curves_agree_with_the_runs(shipped_build: Any) -> None:
    found = shipped_build.measured.experiments
    by_title = {
        (r.plan.name, code): shipped_build.reports[code] for r in found for code in ("zh", "en")
    }
    checked = 0
    for results in found:
        there = [r for r in results.singles if r.loss(results.last) is not None]
        losses = sorted((r.number(results.last) for r in there), key=lambda n: n.value)
        same = len({(r.run.config.loss, r.run.config.data) for r in results.singles}) == 1
        if len(losses) < 2 or not same or results.replicated:
            continue
        for code in ("zh", "en"):
            section = next(
                inner
                for s in by_title[results.plan.name, code].sections
                for inner in s.sections
                if inner.anchor == f"experiment-{results.plan.name}"
            )
            told = next(b.alternative for b in section.blocks if isinstance(b, PrintedFigure))
            for end in (losses[0], losses[-1]):
                assert measured(end.value, end.digits or DIGITS) in told
            checked += 1
    assert checked >= 4


def test_the_squared_errors_of_an_alternative_text_are_those_of_the_table(
    shipped_build: Any,
) -> None:
    results = next(r for r in shipped_build.measured.experiments if r.plan.name == "bce")
    there = [r for r in results.singles if r.error(results.last) is not None]
    errors = sorted((r.told(lambda r: r.error(results.last)) for r in there), key=lambda n: n.value)
    ends = [measured(n.value, n.digits or DIGITS) for n in (errors[0], errors[-1])]
    assert any(
        all(end in f.alternative for end in ends) for f in figures(shipped_build.reports["en"])
    )


def test_every_figure_says_what_to_see(shipped_build: Any) -> None:
    """A caption is more than a title, and an alternative text has numbers or what is drawn."""
    for code, end in (("zh", "。"), ("en", ". ")):
        for figure in figures(shipped_build.reports[code]):
            title, _, rest = figure.caption.partition(end)
            assert rest, figure.caption
            assert 4 <= len(title) <= 90, figure.caption
            assert any(c.isdigit() for c in figure.alternative), figure.alternative
            assert not figure.alternative.endswith((":", "：")), figure.alternative


def captions_of(results: ExperimentResults, code: str = "en") -> list[str]:
    """Captions of the figures of weights and of the ways over the loss, and what they show."""
    runs = RunFigures(results, "")
    blocks = printed([*runs.weights(), *runs.landscape()], [results], code)
    return [f"{b.caption} {b.alternative}" for b in blocks if isinstance(b, PrintedFigure)]


def test_the_longest_path_and_the_weight_that_came_furthest(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    lab = base_text + (
        "[experiment.rates]\ntitle = 'r'\nbudgets = [5, 10]\n"
        "[[experiment.rates.variant]]\nname = 'slow'\nchange.optimizer.learning_rate = 0.5\n"
        "[[experiment.rates.variant]]\nname = 'fast'\nchange.optimizer.learning_rate = 2.0\n"
    )
    results = build_pages(lab).measured.experiments[0]
    fast = results.of("fast")[0].run.trace.weights.astype(float)
    moved = np.abs(fast[-1] - fast[0])
    weight = results.of("fast")[0].names[int(moved.argmax())]
    furthest, paths = captions_of(results)
    start, end = (measured(float(fast[k, int(moved.argmax())])) for k in (0, -1))
    assert f"{weight} of “fast” moved farthest: from {start} to {end}." in furthest
    assert paths.startswith("Paths over the loss.")
    assert "on this surface: “fast”" in paths
    assert "after 10 rounds" in paths


def test_a_run_that_stands_still_moves_no_weight(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    lab = base_text + (
        "[experiment.still]\ntitle = 's'\n[[experiment.still.variant]]\nname = 'still'\n"
        "change.optimizer.learning_rate = 0.0\n"
    )
    results = build_pages(lab).measured.experiments[0]
    expected = {"zh": "“still”没有一个权值移动。", "en": "No weight of “still” has moved."}
    for code, said in expected.items():
        # One run that goes nowhere has no path.
        (caption,) = captions_of(results, code)
        assert said in caption


def test_captions_say_what_is_drawn_and_why_something_is_not(shipped_build: Any) -> None:
    paths = [
        caption
        for results in shipped_build.measured.experiments
        for caption in captions_of(results)
        if caption.startswith("Paths over the loss.")
    ]
    because = [re.findall(r"Not shown[^:]*: [^.]*\.", c) for c in paths]
    assert because == [
        [],
        [],
        ["Not shown (a weight beyond ±15): “SGD with momentum”, learning rate 50."],
    ]
    results = readings(shipped_build, "no-init").results
    marked = "; ".join(
        f"{name} ({measured(result.loss(results.last) or 0.0)})"
        for name, result in zip(("given weights", "all-zero weights"), results.singles, strict=True)
    )
    found = figures(shipped_build.reports["en"])
    (starts,) = (f for f in found if "Distribution of the loss" in f.caption)
    assert starts.caption.endswith("Lines: single starts.")
    assert starts.alternative.endswith(f"; {marked}.")


def test_an_alternative_text_says_where_a_curve_is_lowest(shipped_build: Any) -> None:
    run = readings(shipped_build, "published").results.singles[0]
    lowest = int(np.argmin(run.losses))
    assert 0 < lowest < len(run.losses) - 1
    first, low, last = (f"{run.losses[k]:.2g}" for k in (0, lowest, -1))
    names = "as published, momentum 1, published without bias"
    said = f"{names} from {first} down to {low} after {lowest} updates, then {last}"
    texts = [f.alternative for f in figures(shipped_build.reports["en"])]
    assert sum(said in text and "Dashed: the floor" in text for text in texts) == 1
