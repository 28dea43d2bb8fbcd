"""How the experiments are set up and were carried out: in one chapter, or in several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labreport.analysis.observation import Names, Observation
from labreport.lab.plan import Plan
from labreport.lab.schema.initialisers import WITHOUT_CHANCE
from labreport.report.base_table import base_table
from labreport.report.facts import Facts
from labreport.report.held_out.data_table import data_tables
from labreport.report.measured import Measured
from labreport.report.phrases import Phrase, listed, text, written
from labreport.report.tables import head, pairs_table
from labreport.report.tree import (
    Block,
    Cell,
    Paragraph,
    Section,
    Sentences,
    Statement,
    Table,
)


@dataclass(frozen=True)
class SetUp:
    """The chapters on what is used and what is done.

    Attributes:
        measured: the lab with its runs.
        facts: versions, machine, theme.
        state: how an observation is stated.
    """

    measured: Measured
    facts: Facts
    state: Callable[[Observation, Plan], Statement]

    def whole(self) -> Section:
        """All of it in one chapter."""
        environment = pairs_table(
            text("report.environment-table"), [*self._versions(), *self._counts()]
        )
        blocks = (
            *self._method(),
            *self._configuration(),
            *self._without_controls(),
            *self._of_base(),
            environment,
            *self._replays(),
        )
        return Section("set-up", text("report.set-up"), blocks)

    def content(self) -> Section:
        """What is to be done: each experiment with its question."""
        experiments = [plan.experiment for plan in self.measured.lab.plans]
        rows = tuple(
            (Cell(written(e.title)), Cell(written(e.question) if e.question else ""))
            for e in experiments
        )
        header = (head("experiment"), head("question"))
        table = Table(text("report.content-table"), header, rows)
        return Section("content", text("report.content"), (table,))

    def equipment(self) -> Section:
        """What it is done with."""
        table = pairs_table(text("report.environment-table"), self._versions())
        return Section("equipment", text("report.equipment"), (table,))

    def steps(self) -> Section:
        """How it is to be done: the method and the base configuration."""
        blocks = (*self._method(), *self._configuration())
        return Section("set-up", text("report.steps"), blocks)

    def procedure(self) -> Section:
        """What was done: how many runs, how they were checked, what they say of the base."""
        table = pairs_table(text("report.runs-table"), self._counts())
        said = (Paragraph(text("report.procedure-text")), table)
        blocks = (*said, *self._without_controls(), *self._replays(), *self._of_base())
        return Section("procedure", text("report.procedure"), blocks)

    def _method(self) -> list[Block]:
        """How runs are trained and recorded."""
        said = Paragraph(text("report.set-up-text"))
        return [said, *self._own_look(), *self._conventions(), *self._thinned()]

    def _configuration(self) -> list[Block]:
        lab = self.measured.lab
        table = base_table(lab.base, has_data_set=lab.data_set is not None)
        return [table, *data_tables(lab.data_set)]

    def _without_controls(self) -> list[Block]:
        if self.measured.lab.file.test_explanations:
            return []
        return [Paragraph(text("report.no-controls"))]

    def _of_base(self) -> list[Block]:
        """What holds of the base configuration whatever its weights are."""
        if not self.measured.of_base:
            return []
        plan = self.measured.experiments[0].plan
        return [Sentences("", tuple(self.state(o, plan) for o in self.measured.of_base))]

    def _versions(self) -> list[tuple[Phrase, Phrase]]:
        """Versions and machine."""
        return [(text(f"report.{k}", name=name), v) for k, name, v in self.facts.environment]

    def _counts(self) -> list[tuple[Phrase, Phrase]]:
        """How many runs there are of each kind."""
        counts = self._kinds_of_runs()
        return [(text(f"report.environment-runs-{k}"), str(counts[k])) for k in counts]

    def _own_look(self) -> list[Block]:
        """State that the report has a theme of its own, with its files and digest, if it has."""
        files, digest = self.facts.own_look
        if not files:
            return []
        return [Paragraph(text("report.own-look", files=Names(files), digest=digest))]

    def _kinds_of_runs(self) -> dict[str, int]:
        """Count the distinct runs by what they are for; each is counted once."""
        lab = self.measured.lab
        plans = (*lab.plans, *(plan for a in lab.appendices for plan in a.plans))
        of_plans = [{trial.config.digest for trial in plan.trials} for plan in plans]
        everywhere = set().union(*of_plans)
        main = set().union(*of_plans[: len(lab.plans)])
        count = len(self.measured.runs)
        others = count - len(everywhere)
        of_appendices = len(everywhere - main)
        kinds = {"experiments": len(main), "appendices": of_appendices, "others": others}
        return {kind: found for kind, found in {**kinds, "all": count}.items() if found}

    def _replays(self) -> list[Block]:
        """State what a second implementation found of the stored runs."""
        replays = self.measured.replays
        all_or_some = "" if replays.carried < replays.runs else "-all"
        said = text(
            f"report.replays{all_or_some}",
            carried=replays.carried,
            runs=replays.runs,
            steps=replays.steps,
        )
        blocks: list[Block] = [Paragraph(said)]
        if replays.not_drawn:
            blocks.append(Paragraph(text("report.replays-not-drawn", count=replays.not_drawn)))
        return blocks

    def _thinned(self) -> list[Block]:
        """Name the experiments whose weights were not recorded in every round, if there are any."""
        strides = {
            written(results.plan.experiment.title): max(
                trial.stride for trial in results.plan.trials
            )
            for results in self.measured.experiments
        }
        items = [
            text("report.thinned-item", experiment=title, count=stride)
            for title, stride in strides.items()
            if stride > 1
        ]
        if not items:
            return []
        return [Paragraph(text("report.thinned-text", strides=listed(items, "clauses")))]

    def _conventions(self) -> list[Block]:
        """Conventions that not every program shares, of what this lab computes."""
        configs = [run.config for run in self.measured.runs]
        # Of what the lab itself trains: controls in double precision are nobody's to repeat.
        own = (r.run.config for e in self.measured.experiments for r in e.results)
        wide = any(c.dtype == "float64" and c.initial.scheme not in WITHOUT_CHANCE for c in own)
        batched = [c for c in configs if not c.data.sees_all_rows]
        blocks: list[Block] = []
        if batched:
            steps = max(len(run.trace.measured) for run in self.measured.runs)
            blocks.append(Paragraph(text("report.set-up-batches", count=steps)))
        told = ["set-up-kl-div"] if any(c.loss == "kl_div" for c in configs) else []
        told += ["set-up-float64"] if wide else []
        told.append("glossary-at")
        return [*blocks, *(Paragraph(text(f"report.{key}")) for key in told)]
