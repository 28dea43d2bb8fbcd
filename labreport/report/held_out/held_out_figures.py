"""Figures of an experiment with rows held out: learning curves, and what the networks answer."""

from __future__ import annotations

import numpy as np

from labreport.analysis.answers.held_out.held_out_facts import VALIDATION, kept_step, on_parts
from labreport.analysis.held_out import HeldOut, held_out, own_classes
from labreport.analysis.observation import Keys, Names, Number
from labreport.analysis.passes import told_after
from labreport.analysis.points import is_number
from labreport.analysis.results import Result
from labreport.report.illustration.drawings import (
    Array,
    Curve,
    CurveDrawing,
    FitDrawing,
    Picture,
    PicturesDrawing,
    Points,
    Region,
    RegionsDrawing,
    SweepDrawing,
    SweptSeries,
    kept,
)
from labreport.report.illustration.figure_maker import FigureMaker
from labreport.report.phrases import Phrase, text
from labreport.report.tables import in_brackets
from labreport.report.tree import Block, Figure

MOST_CURVES = 3
"""Runs whose learning curves a figure can hold apart, two curves each."""

MOST_PANELS = 3
"""Runs whose regions stand side by side."""

MOST_PICTURES = 20
"""Pictures that are shown of those that are misread: two lines of them."""

CELLS = 120
"""Places of a plane, or of an axis, at which a network is asked."""

MOST_POINTS = 400
"""Examples that a figure shows of each class or part."""

MARGIN = 0.08
"""Share of the range of the examples that a figure shows beyond them."""


class HeldOutFigures(FigureMaker):
    """Figures of one experiment whose data set has rows that are held out."""

    def figures(self) -> list[Block]:
        """One that shows what held-out rows say, and one of what the networks answer."""
        first = self._sweep() or self._learning()
        return [*first, *self._answers()] if first else []

    @property
    def _last(self) -> int:
        """Rounds after which held-out rows are told, of each run its last ones at the most."""
        return told_after(self.results)

    def _shown(self) -> list[Result]:
        """Single runs, or of a sweep its first, its best and its last point."""
        last = self._last
        members = list(self.results.singles)
        if not members and len(self.results.swept) == 1:
            (swept,) = self.results.swept.values()
            there = [r for r in swept if self._loss(r, last) is not None]
            best = min(there, key=lambda r: self._loss(r, last) or 0.0) if there else None
            ends = [swept[0], *([best] if best else []), swept[-1]]
            members = [r for k, r in enumerate(ends) if r not in ends[:k]]
        return [r for r in members if held_out(r) is not None and r.index(last) is not None]

    def _loss(self, result: Result, budget: int) -> float | None:
        found = held_out(result)
        if found is None or result.index(budget) is None:
            return None
        return found.loss(found.judged_by, kept_step(result, budget))

    def _learning(self) -> list[Block]:
        """Losses of training and of held-out rows by round, of a few single runs."""
        members = [r for r in self._shown() if len(r.losses) > 1][:MOST_CURVES]
        if not members or self.results.replicated:
            return []
        curves, facts = [], []
        for place, result in enumerate(members):
            found = on_parts(result)
            name = self._of_part(result, "train")
            curves.append(Curve(name, _filled(result.losses), 2 * place))
            facts.append(self._course(name, curves[-1].values))
            other = self._of_part(result, found.judged_by)
            values = _between(found, found.judged_by, len(result.losses))
            curves.append(Curve(other, values, 2 * place + 1))
            facts.append(self._course(other, values))
        budgets = (*self.results.budgets[:-1], self._last)
        drawing = CurveDrawing(kept(tuple(curves)), budgets, (), self._axes("axis-loss"))
        left_out = [r for r in self._shown() if r not in members]
        caption = [self.readings.left_out(left_out)]
        return [self._figure("learning-title", caption, drawing, "alternative-losses", facts)]

    def _of_part(self, result: Result, part: str) -> Phrase:
        named = text(f"report.part-{part}")
        return text("report.line-part", name=self._name(result), part=named)

    def _sweep(self) -> list[Block]:
        """Losses of training and of held-out rows against the one swept number."""
        swept = self.results.swept
        if len(swept) != 1 or len(self.results.plan.axes) != 1:
            return []
        (members,) = swept.values()
        if not all(is_number(r.point[0][1]) and held_out(r) for r in members):
            return []
        last = self._last
        ordered = sorted(members, key=lambda r: float(r.point[0][1]))
        values = tuple(float(r.point[0][1]) for r in ordered)
        found = on_parts(ordered[0])
        named = (
            ("train", [r.loss(last) for r in ordered]),
            (found.judged_by, [self._loss(r, last) for r in ordered]),
        )
        lines: tuple[SweptSeries[Phrase], ...] = tuple(
            SweptSeries(text(f"report.part-{part}"), values, tuple(losses), place)
            for place, (part, losses) in enumerate(named)
        )
        key = self.results.plan.axes[0][0]
        drawing = SweepDrawing(lines, (), (Keys((key,)), *self._axes("axis-loss")[1:]))
        facts = [self._lowest(line) for line in lines]
        own = "" if last == self.results.last else "-own"
        after = self._text(f"read-budget{own}", budget=last)
        return [self._figure("sweep-parts-title", [after], drawing, "alternative-sweep", facts)]

    def _lowest(self, line: SweptSeries[Phrase]) -> Phrase:
        known = [(loss, v) for v, loss in zip(line.values, line.losses, strict=True) if loss]
        loss, value = min(known) if known else (0.0, 0.0)
        return text("report.lowest-of-line", line=line.name, value=Number(value), loss=Number(loss))

    def _answers(self) -> list[Block]:
        """Regions of a plane, or a fitted curve, where the data have two inputs or one."""
        members = self._shown()[:MOST_PANELS]
        found = held_out(members[0]) if members else None
        sources = {r.trial.data_set.source for r in members if r.trial.data_set is not None}
        if found is None or len(sources) > 1:
            return []
        if found.data_set.picture and found.data_set.classes:
            return self._misread(members)
        columns, classes = len(found.data_set.columns), bool(found.data_set.classes)
        if columns == 2 and classes:
            return [self._regions(members)]
        if columns == 1 and not classes and len(found.data_set.targets) == 1:
            return [self._fit(members)]
        return []

    def _misread(self, members: list[Result]) -> list[Block]:
        """Held-out pictures that the best run puts into a wrong class; none where it has none."""
        result, found = members[0], on_parts(members[0])
        if found.judged_by == VALIDATION:
            result = min(members, key=lambda r: self._loss(r, self._last) or 0.0)
            found = on_parts(result)
        data, part = found.data_set, found.judged_by
        given = found.classes(part, kept_step(result, self._last))
        own = own_classes(data.parts[part])
        wrong = np.flatnonzero(given != own)
        if not len(wrong) or data.picture is None:
            return []
        rows = data.columns_of(part)
        pictures: tuple[Picture[Phrase, Array], ...] = tuple(
            Picture(
                text(
                    "report.read-as",
                    own=Names((data.classes[own[row]],)),
                    given=Names((data.classes[given[row]],)),
                ),
                Array.of(rows[row].reshape(data.picture)),
            )
            for row in wrong[:MOST_PICTURES]
        )
        told = {"count": len(wrong), "rows": len(own), "shown": len(pictures)}
        caption = self._text(
            "misread", name=self._name(result), part=text(f"report.part-{part}"), **told
        )
        drawing = PicturesDrawing(pictures)
        facts = [picture.name for picture in pictures]
        return [self._figure("misread-title", [caption], drawing, "alternative-pictures", facts)]

    def _regions(self, members: list[Result]) -> Figure:
        first = on_parts(members[0])
        data = first.data_set
        places = np.concatenate([data.columns_of(part) for part in data.parts])
        sides = [_axis(places[:, k]) for k in range(2)]
        grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
        regions = tuple(self._region(r, grid) for r in members)
        points: tuple[Points[Phrase, Array], ...] = tuple(
            Points(Names((name,)), Array.of(_some(chosen)), number)
            for number, (name, chosen) in enumerate(_by_class(first))
        )
        axes = (Names((data.columns[0],)), Names((data.columns[1],)))
        drawing = RegionsDrawing(regions, (Array.of(sides[0]), Array.of(sides[1])), points, axes)
        facts = [self._scored(r) for r in members]
        return self._figure("regions-title", [], drawing, "alternative-answers", facts)

    def _region(self, result: Result, grid: np.ndarray) -> Region[Phrase, Array]:
        found = on_parts(result)
        outputs = found.outputs_at(grid, kept_step(result, self._last))
        classes = found.classes_of(outputs).reshape(CELLS, CELLS)
        return Region(self._name(result), Array.of(classes))

    def _name(self, result: Result) -> Phrase:
        return in_brackets(self.results, result)

    def _fit(self, members: list[Result]) -> Figure:
        first = on_parts(members[0])
        data = first.data_set
        every = np.concatenate([data.columns_of(part) for part in data.parts])[:, 0]
        values = _axis(every)
        curves = []
        for place, result in enumerate(members):
            found = on_parts(result)
            step = kept_step(result, self._last)
            outputs = found.outputs_at(values[:, None], step)[:, 0]
            curves.append(Curve(self._name(result), Array.of(outputs), place))
        points: tuple[Points[Phrase, Array], ...] = tuple(
            Points(
                text(f"report.part-{part}"),
                Array.of(
                    _some(
                        np.column_stack([data.columns_of(part)[:, 0], np.array(rows.targets)[:, 0]])
                    )
                ),
                number,
            )
            for number, (part, rows) in enumerate(data.parts.items())
        )
        axes = (Names((data.columns[0],)), Names((data.targets[0],)))
        drawing = FitDrawing(Array.of(values), tuple(curves), points, axes)
        facts = [self._scored(r) for r in members]
        return self._figure("fit-title", [], drawing, "alternative-answers", facts)

    def _scored(self, result: Result) -> Phrase:
        """The name of a run with its score on held-out rows."""
        found = on_parts(result)
        score = found.score(found.judged_by, kept_step(result, self._last))
        number: Phrase = "—" if score is None else Number(score, None, 3)
        part = text(f"report.part-{found.judged_by}")
        return text("report.scored", name=self._name(result), part=part, score=number)


def _filled(losses: np.ndarray) -> np.ndarray:
    """Losses with straight lines between the steps at which they are known."""
    known = np.flatnonzero(np.isfinite(losses))
    found: np.ndarray = np.interp(np.arange(len(losses)), known, losses[known])
    return found


def _between(found: HeldOut, part: str, count: int) -> np.ndarray:
    """Losses [steps] of a part, with straight lines between the steps that were computed."""
    losses = found.losses(part)
    there = np.isfinite(losses)
    steps = np.array(found.steps)[there]
    joined: np.ndarray = np.interp(np.arange(count), steps, losses[there])
    return joined


def _axis(values: np.ndarray) -> np.ndarray:
    room = MARGIN * max(float(np.ptp(values)), 1e-9)
    return np.linspace(float(values.min()) - room, float(values.max()) + room, CELLS)


def _by_class(found: HeldOut) -> list[tuple[str, np.ndarray]]:
    """Examples of all parts, class by class."""
    data = found.data_set
    places = np.concatenate([data.columns_of(part) for part in data.parts])
    own = np.concatenate([own_classes(part) for part in data.parts.values()])
    return [(name, places[own == number]) for number, name in enumerate(data.classes)]


def _some(places: np.ndarray) -> np.ndarray:
    """Some of the examples, evenly chosen, where they are more than can be told apart."""
    if len(places) <= MOST_POINTS:
        return places
    chosen = np.linspace(0, len(places) - 1, MOST_POINTS).round().astype(int)
    found: np.ndarray = places[chosen]
    return found
