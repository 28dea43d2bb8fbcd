"""Tables: every cell is a number of a run, and the star stands where it belongs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import fmean, median, stdev
from typing import Any

import pytest
from printing_parts import printed, printed_table

from labreport.analysis.formulas.evidence import evaluate, known_of
from labreport.analysis.observation import Number, OutOf, Source
from labreport.analysis.results import ExperimentResults
from labreport.lab.configuration import RunConfig
from labreport.language.array_summary import MOST_NUMBERS
from labreport.language.catalogue import language
from labreport.render.printed import PrintedCell, PrintedParagraph, PrintedTable
from labreport.report.base_table import MOST_NAMED, base_table
from labreport.report.illustration.stated_differences import stated_differences
from labreport.report.numbers import DIGITS, measured
from labreport.report.start_tables import starts_table
from labreport.report.tables import (
    NONE,
    comparison_table,
    cross_table,
    differences_table,
    sweep_table,
)
from labreport.report.tree import Table

EN = language("en")
RATES = "sweep.optimizer.learning_rate = [0.1, 1.0, 10.0]\n"


def experiments(text: str) -> str:
    return '[experiment.a]\ntitle = "a"\n' + text


def printed_base(rows: list[list[float]], item: str, **more: Any) -> str:
    base = RunConfig.model_validate(
        {
            "data": {"inputs": rows, "targets": [[0.5]] * len(rows)},
            "network": {"layers": [len(rows[0]), 1], "activations": "sigmoid"},
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
            **more,
        }
    )
    table = printed_table(base_table(base))
    assert table is not None
    return next(row[1].text for row in table.rows if row[0].text == item)


def printed_inputs(rows: list[list[float]]) -> str:
    return printed_base(rows, "inputs x")


def printed_weights(*matrices: list[list[float]]) -> str:
    layers = [len(matrices[0][0]), *(len(matrix) for matrix in matrices)]
    return printed_base(
        [[0.5] * layers[0]],
        "given weights",
        network={"layers": layers, "activations": "sigmoid"},
        initial={"scheme": "given", "weights": list(matrices)},
    )


def test_few_given_weights_are_printed_each_with_its_name() -> None:
    fc1, fc2 = [[0.2, 0.5], [-0.4, 0.6]], [[0.1, -0.3]]
    assert (
        printed_weights(fc1, fc2) == "w1 = 0.2, w2 = −0.4, w3 = 0.5, w4 = 0.6, w5 = 0.1, w6 = −0.3"
    )


def test_many_given_weights_are_printed_unit_by_unit() -> None:
    assert printed_weights([[0.5] * MOST_NAMED]).count("w") == MOST_NAMED
    assert "w" not in printed_weights([[0.5] * (MOST_NAMED + 1)])


def test_arrays_that_can_be_read_are_printed() -> None:
    shown = printed_inputs([[float(k)] for k in range(MOST_NUMBERS)])
    assert [int(k) for k in re.findall(r"\((\d+)\)", shown)] == list(range(MOST_NUMBERS))


def test_of_longer_arrays_the_shape_the_beginning_and_a_digest_are() -> None:
    rows = [[float(k), 0.5, 0.0, 2.0] for k in range(150)]
    shown = printed_inputs(rows)
    assert re.fullmatch(
        r"150×4 numbers, beginning with 0, 0\.5, 0, 2 \(digest [0-9a-f]{8}\)", shown
    )
    rows[149][3] = 3.0
    assert printed_inputs(rows) != shown
    wide = printed_inputs([[float(k) for k in range(64)]])
    assert wide.startswith("1×64 numbers, beginning with 0, 1, 2, 3, 4, 5, … (")


def test_matrices_of_several_shapes_are_named_one_by_one() -> None:
    matrices = [[[0.5] * 30] * 8, [[0.5] * 8]]
    assert EN.value("initial.weights", matrices).startswith("8×30, 1×8 numbers, ")


def variant(name: str, *lines: str) -> str:
    return "\n".join(["[[experiment.a.variant]]", f'name = "{name}"', *lines, ""])


@pytest.fixture
def results(build_pages: Callable[..., Any], base_text: str) -> Callable[[str], ExperimentResults]:
    """The results of the one experiment that is given as text."""

    def results(text: str) -> ExperimentResults:
        (found,) = build_pages(base_text + experiments(text)).measured.experiments
        return found

    return results


def table(
    make: Callable[[ExperimentResults], Table | None],
    found: ExperimentResults,
) -> dict[str, dict[str, PrintedCell]] | None:
    """A table by row and column."""
    made = printed_table(make(found), [found])
    if made is None:
        return None
    titles = [cell.text for cell in made.header]
    assert all(len(row) == len(titles) for row in made.rows)
    return {row[0].text: dict(zip(titles, row, strict=True)) for row in made.rows}


def stars(rows: dict[str, dict[str, PrintedCell]] | None) -> dict[str, set[str]]:
    """Rows with a star, by column."""
    assert rows is not None
    found: dict[str, set[str]] = {}
    for name, row in rows.items():
        for title, cell in row.items():
            if cell.best:
                found.setdefault(title, set()).add(name)
    return found


# --- single runs -------------------------------------------------------------------------------


def test_comparison_agrees_with_the_runs(results: Any) -> None:
    found = results(
        "budgets = [1, 10]\n" + variant("slow") + variant("fast", "change.optimizer.momentum = 0.9")
    )
    rows = table(comparison_table, found)
    assert rows is not None
    for run in found.results:
        row = rows[run.variant]
        losses = run.losses
        assert row["initial loss"].text == measured(float(losses[0]))
        assert row["loss@1"].text == measured(float(losses[1]))
        assert row["loss@10"].text == measured(float(losses[10]))
        assert row["floor"].text == "0.002450"
        lowest = int(losses.argmin())
        assert row["lowest (updates)"].text == f"{measured(float(losses[lowest]))} ({lowest})"
        assert "ended" not in row


def test_star_marks_the_lowest_of_each_column_and_no_given_number(results: Any) -> None:
    found = results("budgets = [1, 10]\n" + variant("a") + variant("b", "change.rounds = 20"))
    found_stars = stars(table(comparison_table, found))
    # Equal in every column: nobody is best.
    assert found_stars == {}
    changed = variant("a") + variant("b", "change.optimizer.learning_rate = 5.0")
    found_stars = stars(table(comparison_table, results("budgets = [1, 10]\n" + changed)))
    assert found_stars == {"loss@1": {"b"}, "loss@10": {"b"}}


def test_losses_of_different_kinds_are_not_starred(results: Any) -> None:
    text = "change.data.targets = [[0.23, 0.07]]\n" + variant("mse")
    rows = table(comparison_table, results(text + variant("bce", 'change.loss = "bce"')))
    # On the same targets the squared error can be compared, the loss cannot.
    assert list(stars(rows)) == ["squared error"]


def test_different_targets_are_not_starred_at_all(results: Any) -> None:
    text = variant("one") + variant("other", "change.data.targets = [[0.23, 0.07]]")
    assert stars(table(comparison_table, results(text))) == {}
    text += variant("third", 'change.loss = "l1"')
    assert stars(table(comparison_table, results(text))) == {}


def test_ends_are_told_and_leave_gaps(results: Any) -> None:
    text = variant("mse") + variant("bce", 'change.loss = "bce"')
    text += variant("wild", 'change.network.activations = "identity"', "change.rounds = 100")
    text += "change.optimizer.learning_rate = 1e30\n"
    rows = table(comparison_table, results(text))
    assert rows is not None
    assert rows["mse"]["ended"].text == "completed"
    assert rows["bce"]["ended"].text == "refused"
    assert rows["bce"]["loss@10"].text == NONE if "loss@10" in rows["bce"] else True
    assert rows["wild"]["ended"].text.startswith("diverged (")
    titles = [title for title in rows["bce"] if title.startswith("loss@")]
    assert [rows[name][titles[-1]].text for name in ("bce", "wild")] == [NONE, NONE]
    assert rows["bce"]["initial loss"].text == NONE
    assert rows["bce"]["lowest (updates)"].text == NONE


def test_margins_have_no_squared_error(results: Any) -> None:
    text = 'change.network.activations = ["sigmoid", "identity"]\n' + variant("mse")
    rows = table(comparison_table, results(text + variant("bce", 'change.loss = "soft_margin"')))
    assert rows is not None
    assert rows["bce"]["squared error"].text == NONE
    assert rows["mse"]["squared error"].text == rows["mse"]["loss@10"].text


# --- sweeps ------------------------------------------------------------------------------------


def test_sweep_of_one_variant_agrees_with_the_runs(results: Any) -> None:
    found = results("budgets = [1, 10]\n" + RATES)
    rows = table(sweep_table, found)
    assert rows is not None
    losses = {EN.value("", r.point[0][1]): r.losses for r in found.results}
    assert list(rows) == ["0.1", "1", "10"]
    for budget in (1, 10):
        best = min(losses, key=lambda value: losses[value][budget])
        for value, row in rows.items():
            cell = row[f"loss@{budget}"]
            assert cell.text == measured(float(losses[value][budget]))
            assert cell.best == (value == best)


def test_sweep_of_several_variants_has_a_star_in_each_column(results: Any) -> None:
    adam = variant("adam", 'change.optimizer.name = "adam"')
    found = results(RATES + variant("sgd") + adam)
    rows = table(sweep_table, found)
    for name in ("sgd", "adam"):
        losses = {EN.value("", r.point[0][1]): r.losses[10] for r in found.of(name)}
        assert stars(rows)[name] == {min(losses, key=losses.__getitem__)}


def test_losses_that_are_level_share_the_star_and_are_told_apart_in_the_table(results: Any) -> None:
    found = results("sweep.optimizer.learning_rate = [1.0, 1.0001, 2.0, 1e-3]\n")
    members = found.everywhere
    runs = [r.run for r in members]
    near = float(runs[2].losses[10]) * (1 + 5e-6)
    losses = runs[0].trace.losses.copy()
    losses[10] = near
    runs[0] = replace(runs[0], trace=replace(runs[0].trace, losses=losses))
    changed = [replace(r, run=run) for r, run in zip(members, runs, strict=True)]
    rows = table(sweep_table, replace(found, results=tuple(changed)))
    assert rows is not None
    assert stars(rows) == {"loss@10": {"1", "2"}}
    assert rows["1"]["loss@10"].text != rows["2"]["loss@10"].text
    assert len(rows["0.001"]["loss@10"].text) < len(rows["2"]["loss@10"].text)


@pytest.mark.parametrize(
    "sweep",
    [
        'sweep.loss = ["mse", "l1", "bce"]\nchange.data.targets = [[0.23, 0.07]]\n',
        "sweep.data.targets = [[[0.23, 0.07]], [[0.5, 0.5]]]\n",
    ],
)
def test_a_sweep_over_what_is_measured_is_not_starred(results: Any, sweep: str) -> None:
    rows = table(sweep_table, results(sweep))
    assert rows is not None
    assert len(rows) > 1
    assert stars(rows) == {}


def test_two_swept_keys_have_two_columns(results: Any) -> None:
    found = results(RATES + "sweep.optimizer.momentum = [0.0, 0.9]\n")
    made = printed_table(sweep_table(found), [found])
    assert made is not None
    assert [c.text for c in made.header[:2]] == ["learning rate", "momentum"]
    assert len(made.rows) == 6
    assert len({tuple(c.text for c in row[:2]) for row in made.rows}) == 6


# --- random starts -----------------------------------------------------------------------------


def test_starts_agree_with_the_runs(results: Any) -> None:
    text = variant("given") + variant("random", 'change.initial.scheme = "pytorch"', "seeds = 5")
    found = results(text)
    rows = table(starts_table, found)
    assert rows is not None
    losses = [float(r.losses[10]) for r in found.of("random")]
    expected = {
        "starts": "5",
        "mean": measured(fmean(losses)),
        "s.d.": measured(stdev(losses)),
        "min": measured(min(losses)),
        "median": measured(median(losses)),
        "max": measured(max(losses)),
    }
    assert {title: rows["random"][title].text for title in expected} == expected
    (given,) = found.of("given")
    only = measured(float(given.losses[10]))
    assert [rows["given"][t].text for t in expected] == ["1", only, NONE, only, only, only]
    assert stars(rows) == {}


XOR = """
[base]
loss = "bce"
rounds = 40
[base.data]
inputs = [[0, 0], [0, 1], [1, 0], [1, 1]]
targets = [[0], [0], [1], [1]]
[base.network]
layers = [2, 2, 1]
activations = "sigmoid"
[base.initial]
scheme = "pytorch"
[base.optimizer]
name = "sgd"
learning_rate = 5.0
"""


def test_starts_tell_how_many_put_all_rows_into_their_class(build_pages: Any) -> None:
    text = XOR + '[experiment.a]\ntitle = "A"\nseeds = 6\nbudgets = [5, 40]\n'
    (found,) = build_pages(text).measured.experiments
    made = starts_table(found)
    assert made is not None
    right = sum(
        bool(((r.run.trace.outputs_at(40)[:, 0] > 0.5) == [False, False, True, True]).all())
        for r in found.results
    )
    assert made.rows[0][-1].text == OutOf(right, 6)


def test_starts_have_their_median_after_every_budget(results: Any) -> None:
    text = variant("given") + variant("random", 'change.initial.scheme = "pytorch"', "seeds = 5")
    found = results("budgets = [2, 5, 10]\n" + text)
    made = printed_table(starts_table(found), [found])
    assert made is not None
    assert [cell.text for cell in made.header[-2:]] == ["median@2", "median@5"]
    assert "the median after so many rounds" in made.caption
    assert "runs.csv" not in made.caption
    rows = table(starts_table, found)
    assert rows is not None
    for budget in (2, 5):
        losses = {r.variant: [] for r in found.results}  # type: ignore[var-annotated]
        for result in found.results:
            losses[result.variant].append(float(result.losses[budget]))
        for name, values in losses.items():
            assert rows[name][f"median@{budget}"].text == measured(median(values))


def test_the_median_after_a_budget_is_of_the_runs_that_got_so_far(results: Any) -> None:
    text = 'change.initial.scheme = "pytorch"\nbudgets = [1, 10]\nseeds = 3\n'
    text += 'change.network.activations = "identity"\n'
    found = results(text + "sweep.optimizer.learning_rate = [0.1, 1e30]\n")
    made = starts_table(found)
    assert made is not None
    assert all(r.diverged for r in found.results[3:])
    assert made.rows[1][1].text == "0"
    known = known_of(found)
    for row, members in zip(made.rows, (found.results[:3], found.results[3:]), strict=True):
        there = [float(r.losses[1]) for r in members if len(r.losses) > 1]
        cell = row[-1].text
        if not there:
            assert cell == NONE
            continue
        assert isinstance(cell, Number)
        assert isinstance(cell.source, Source)
        assert cell.value == median(there) == evaluate(cell.source, known)


def test_of_many_budgets_the_last_ones_have_a_median(results: Any) -> None:
    text = 'change.initial.scheme = "pytorch"\nseeds = 3\nbudgets = [1, 2, 3, 4, 5, 10]\n'
    found = results(text)
    made = printed_table(starts_table(found), [found])
    assert made is not None
    assert [cell.text for cell in made.header[-4:]] == ["max", "median@3", "median@4", "median@5"]
    assert "runs.csv" in made.caption


# --- what differs ------------------------------------------------------------------------------


def test_differences_are_those_and_only_those(results: Any) -> None:
    text = RATES + 'change.loss = "l1"\n' + variant("a") + variant("b", 'change.dtype = "float64"')
    rows = table(differences_table, results(text))
    assert rows is not None
    assert {name: {t: c.text for t, c in row.items()} for name, row in rows.items()} == {
        "a": {"variant": "a", "loss": "L1", "precision": NONE, "learning rate": "0.1, 1, 10"},
        "b": {"variant": "b", "loss": "L1", "precision": "float64", "learning rate": "0.1, 1, 10"},
    }


def test_what_a_new_optimizer_or_start_has_by_default_is_no_difference(results: Any) -> None:
    text = (
        variant("plain", 'change.optimizer.name = "adam"')
        + variant("slow", 'change.optimizer.name = "adam"', "change.optimizer.weight_decay = 0.5")
        + variant("random", 'change.initial.scheme = "normal"', "change.initial.mean = -2.0")
        + variant("alike", 'change.initial.scheme = "constant"', "change.initial.value = 0.25")
    )
    rows = table(differences_table, results(text))
    assert rows is not None
    told = {n: {t: c.text for t, c in row.items() if c.text != NONE} for n, row in rows.items()}
    assert told["slow"] == {"variant": "slow", "optimizer": "Adam", "weight decay": "0.5"}
    assert told["random"] == {"variant": "random", "initial weights": "normal", "mean": "−2"}
    assert told["alike"] == {
        "variant": "alike",
        "initial weights": "constant",
        "initial value": "0.25",
    }


def test_all_that_two_variants_with_the_same_new_optimizer_share_is_shown(results: Any) -> None:
    changes = 'change.optimizer.name = "rmsprop"\nchange.optimizer.momentum = 0.5\n'
    rows = table(
        differences_table, results(changes + variant("one") + variant("two", "change.rounds = 5"))
    )
    assert rows is not None
    assert {row["optimizer"].text for row in rows.values()} == {"RMSprop"}
    assert {row["momentum"].text for row in rows.values()} == {"0.5"}


@pytest.mark.parametrize(
    "text", ["", variant("x") + variant("y", 'change.network.bias = "trained"')]
)
def test_of_swept_rounds_each_value_is_told_at_its_own_end(results: Any, text: str) -> None:
    found = results("sweep.rounds = [2, 5]\n" + text)
    made = printed_table(sweep_table(found), [found])
    assert made is not None
    assert not re.search(r"after \d+|@\d", made.caption + " ".join(c.text for c in made.header))
    assert "end" in made.caption + made.header[1].text
    rows = table(sweep_table, found)
    assert rows is not None
    for result in found.everywhere:
        rounds = dict(result.point)["rounds"]
        assert measured(float(result.losses[rounds])) in {
            cell.text for cell in rows[str(rounds)].values()
        }


def test_no_run_is_compared_after_more_rounds_than_it_has(build_pages: Any, base_text: str) -> None:
    short = '[experiment.b]\ntitle = "b"\nchange.rounds = 4\n' + RATES
    built = build_pages(base_text + experiments("sweep.rounds = [2, 5]\n") + short)
    found = built.measured.experiments
    made = cross(found)
    assert made is not None
    assert [row[0].text.split(":")[0] for row in made.rows].count("a") == 1
    assert "rounds 5" in " ".join(row[0].text for row in made.rows)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "en",
            "What differs from the base: “a” (nothing), "
            "“b” (initial weights: PyTorch default; 2 seeds).",
        ),
        ("zh", "与基准配置的差别：“a”（无），“b”（初始权值：PyTorch 默认；2 个随机种子）。"),
    ],
)
def test_differences_are_stated_without_what_is_swept(results: Any, code: str, said: str) -> None:
    changed = variant("b", 'change.initial.scheme = "pytorch"', "seeds = 2")
    found = results(RATES + variant("a") + changed)
    (stated,) = printed(stated_differences(found), [found], code)
    assert isinstance(stated, PrintedParagraph)
    assert stated.text == said


def test_without_differences_there_is_no_table(results: Any) -> None:
    found = results("")
    assert differences_table(found) is None
    assert stated_differences(found) == []
    assert sweep_table(found) is None
    assert starts_table(found) is None


# --- across experiments ------------------------------------------------------------------------


def cross(found: Any) -> PrintedTable | None:
    return printed_table(cross_table(found, [e.plan.name for e in found]), found)


def test_cross_table_of_the_shipped_lab(shipped_build: Any) -> None:
    everything = shipped_build.measured.experiments
    made = cross(everything)
    # A gradient check is of one run: there is nothing to compare it with.
    found = [e for e in everything if e.check is None]
    assert len(found) == len(everything) - 1
    assert made is not None
    budget = min(e.last for e in found)
    data = shipped_build.measured.lab.base.data
    errors = {
        f"{e.plan.name}: {EN.label(e.plan, r.variant)}": r.told(lambda r: r.error(budget))
        for e in found
        for r in e.singles
        if r.run.config.data == data and r.error(budget) is not None
    }
    named = {name: row for row in made.rows for name in row[0].text.split("; ")}
    assert errors.keys() <= named.keys()
    for name, error in errors.items():
        assert named[name][1].text == measured(error.value, error.digits or DIGITS)
    best = [row for row in made.rows if row[1].best]
    assert best == [made.rows[0]]


def test_cross_table_is_sorted_and_tells_the_same_run_once(shipped_build: Any) -> None:
    made = cross(shipped_build.measured.experiments)
    assert made is not None
    values = [float(row[1].text.replace("×10⁻", "e-").translate(_PLAIN)) for row in made.rows]
    assert values == sorted(values)
    names = [name for row in made.rows for name in row[0].text.split("; ")]
    assert len(set(names)) == len(names)
    (published,) = (row[0].text for row in made.rows if "published: as published" in row[0].text)
    assert "published: momentum 1" in published


_PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def test_cross_table_says_that_it_left_outputs_out(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    text = base_text.replace("[[0.5, 0.3]]", "[[0.5, 0.3], [0.1, 0.2], [1.0, 1.0]]").replace(
        "[[0.23, -0.07]]", "[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]"
    )
    text += experiments(variant("a") + variant("b", "change.optimizer.learning_rate = 2.0"))
    text += "[experiment.other]\ntitle = 'o'\nchange.optimizer.learning_rate = 3.0\n"
    made = cross(build_pages(text).measured.experiments)
    assert made is not None
    for row in made.rows:
        assert row[2].text.endswith(", …)")
        assert row[2].text.count(",") == 4


def test_one_run_is_no_cross_table(results: Any) -> None:
    assert cross([results("")]) is None


def test_one_experiment_is_no_cross_table(results: Any) -> None:
    """Its own table has the same numbers."""
    two = variant("a") + variant("b", "change.optimizer.learning_rate = 2.0")
    assert cross([results(two)]) is None


# --- every table of the report -----------------------------------------------------------------


def tables(sections: Any) -> Iterator[PrintedTable]:
    for section in sections:
        yield from (block for block in section.blocks if isinstance(block, PrintedTable))
        yield from tables(section.sections)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_tables_are_rectangular_and_say_what_the_star_is(shipped_build: Any, code: str) -> None:
    made = list(tables(shipped_build.reports[code].sections))
    assert len(made) > 12
    for one in made:
        assert one.rows
        assert {len(row) for row in one.rows} == {len(one.header)}
        if any(cell.best for row in one.rows for cell in row):
            assert "★" in one.caption or "按" in one.caption or ", by " in one.caption
        assert not any(cell.best for row in one.rows for cell in row[:1])
