"""Runs of all experiments by their losses on the rows that are held out for choosing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labreport.analysis.answers.held_out.held_out_facts import (
    VALIDATION,
    chosen_of,
    kept_step,
    on_parts,
    training_number,
)
from labreport.analysis.held_out import held_out
from labreport.analysis.observation import Count, Number, Share
from labreport.analysis.results import ExperimentResults, Result
from labreport.report.best_cells import cells, nearest
from labreport.report.phrases import Concatenation, Phrase, text
from labreport.report.tables import head, in_brackets
from labreport.report.tree import Cell, Table


def is_held_out(experiments: Sequence[ExperimentResults]) -> bool:
    """Return whether any run has rows that training does not see."""
    return any(held_out(r) is not None for e in experiments for r in e.results)


def cross_scores(
    experiments: Sequence[ExperimentResults], titles: Sequence[Phrase]
) -> Table | None:
    """Single runs, and what validation chooses of each sweep, by the loss on the validation rows.

    Each after the last number of rounds that its experiment compares. None where they are of one
    experiment alone, or where losses or rows differ.
    """
    lines: dict[tuple[str, int], tuple[list[Phrase], Result, int]] = {}
    told = set[int]()
    for number, (experiment, title) in enumerate(zip(experiments, titles, strict=True)):
        for result in _candidates(experiment):
            told.add(number)
            name = Concatenation((title, ": ", in_brackets(experiment, result)))
            line = (result.run.name, experiment.last)
            lines.setdefault(line, ([], result, experiment.last))[0].append(name)
    there = list(lines.values())
    # Of one experiment there is a table already.
    if len(told) < 2 or len(there) < 2 or len({_measured(r) for _, r, _ in there}) > 1:
        return None
    there.sort(key=lambda line: _loss(line[1], VALIDATION, line[2]).value)
    losses = [_loss(r, VALIDATION, budget) for _, r, budget in there]
    columns = (
        [Cell(Concatenation(tuple(names), "; ")) for names, _, _ in there],
        [Cell(Count(budget), numeric=True) for _, _, budget in there],
        cells([training_number(r, budget) for _, r, budget in there], frozenset()),
        cells(losses, nearest(losses)),
        [_score(r, budget) for _, r, budget in there],
    )
    part = text(f"report.part-{VALIDATION}")
    kind = "share" if on_parts(there[0][1]).data_set.classes else "explained"
    header = (
        head("variant"),
        head("after", numeric=True),
        head("part-loss", numeric=True, part=text("report.part-train")),
        head("part-loss", numeric=True, part=part),
        head(f"part-{kind}", numeric=True, part=part),
    )
    return Table(text("report.cross-scores-table"), header, tuple(zip(*columns, strict=True)))


def _candidates(experiment: ExperimentResults) -> Iterator[Result]:
    """Single runs and the chosen point of a sweep whose loss on validation rows is known."""
    members = list(experiment.singles)
    for swept in experiment.swept.values():
        chosen = chosen_of(swept, experiment.last, same_training=False)
        members += [chosen] if chosen is not None else []
    for result in members:
        found, last = held_out(result), experiment.last
        if found is None or result.index(last) is None or VALIDATION not in found.data_set.parts:
            continue
        if found.loss(VALIDATION, kept_step(result, last)) is not None:
            yield result


def _measured(result: Result) -> tuple[object, ...]:
    """What a loss on the validation rows is of: a loss, and rows."""
    data_set = on_parts(result).data_set
    return result.run.config.loss, data_set.source, data_set.places[VALIDATION]


def _loss(result: Result, part: str, budget: int) -> Number:
    return Number(on_parts(result).loss(part, kept_step(result, budget)) or 0.0, None, 4)


def _score(result: Result, budget: int) -> Cell:
    value = on_parts(result).score(VALIDATION, kept_step(result, budget)) or 0.0
    has_classes = bool(on_parts(result).data_set.classes)
    return Cell(Share(value) if has_classes else Number(value, None, 3), numeric=True)
