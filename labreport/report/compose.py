"""From a lab's results to its report: sections in reading order, in no language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from labreport.analysis.lab_rules.conclusions import LAB_RULES
from labreport.analysis.observation import Keys, Observation
from labreport.analysis.observe import Observations
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rule import Part
from labreport.lab.changes import shown_differences
from labreport.lab.plan import AppendixPlan, Plan
from labreport.report import tables
from labreport.report.chapters.glossary import glossary
from labreport.report.chapters.principle import principle
from labreport.report.chapters.reflection import reflection
from labreport.report.chapters.set_up import SetUp
from labreport.report.claims import Repetition, printed_of_repetition
from labreport.report.facts import CHAPTERS, Facts
from labreport.report.held_out.cross_scores import cross_scores, is_held_out
from labreport.report.illustration.illustrate import illustrate
from labreport.report.illustration.repetition_table import repetition_table
from labreport.report.illustration.stated_differences import stated_differences
from labreport.report.measured import Measured
from labreport.report.phrases import Phrase, Reference, configured, listed, passage, text, written
from labreport.report.sentences import headings, sentences
from labreport.report.title_page import title_page
from labreport.report.tree import (
    Block,
    ExperimentNames,
    Figure,
    KeyAnswer,
    Note,
    Paragraph,
    Report,
    Section,
    Sentences,
    Statement,
    Table,
    VariantName,
    with_keys,
)


def compose(measured: Measured, facts: Facts) -> Report:
    """The report of a lab that was measured."""
    return _Composition(measured, facts).report()


class _Composition:
    """One report being put together."""

    def __init__(self, measured: Measured, facts: Facts) -> None:
        self.measured, self.facts = measured, facts
        self.lab = measured.lab
        # By identity: two experiments may well find the same.
        self.numbers = {id(claim.observation): claim.number for claim in measured.claims}
        self._set_up = SetUp(measured, facts, self._state)

    def report(self) -> Report:
        return replace(
            title_page(self.lab),
            experiments=tuple(experiment_names(plan) for plan in self.lab.plans),
            part=self._part(),
            answers=self._answers(),
            sections=tuple(self._sections()),
        )

    def _part(self) -> Phrase:
        names = self.lab.names
        if set(names) == set(self.facts.all_names):
            return ""
        return text(
            "report.part-of",
            names=listed(names),
            part=len(names),
            count=len(self.facts.all_names),
        )

    def _answers(self) -> tuple[KeyAnswer, ...]:
        """A row for each experiment."""
        return tuple(
            KeyAnswer(
                f"experiment-{results.plan.name}",
                self._title(results),
                self._parts(results, observed, "verdict"),
                self._parts(results, observed, "reason")[:1],
                self._parts(results, observed, "advice"),
            )
            for results, observed in zip(self._results, self._observed, strict=True)
        )

    def _parts(
        self, results: ExperimentResults, observed: Observations, part: Part
    ) -> tuple[Statement, ...]:
        """A part of an answer, once more; of the verdict what stands in its place."""
        found = observed.in_short if part == "verdict" else observed.part(part)
        return tuple(self._state(o, results.plan, quoted=True) for o in found)

    @property
    def _results(self) -> tuple[ExperimentResults, ...]:
        return self.measured.experiments

    @property
    def _observed(self) -> tuple[Observations, ...]:
        return self.measured.observed

    def _title(self, results: ExperimentResults) -> Phrase:
        return written(results.plan.experiment.title)

    def _state(
        self, observation: Observation, plan: Plan, *, quoted: bool = False, theme: Phrase = ""
    ) -> Statement:
        """An observation, with the number of its evidence."""
        return Statement(observation, plan.name, self.numbers[id(observation)], quoted, theme)

    def _sections(self) -> list[Section]:
        # In this order, because each takes the next numbers of figures and tables.
        is_divided = self.lab.file.theme.form == "two-part"
        parts = self._two_parts() if is_divided else [("", self._chapters())]
        return [*(s for part in parts for s in self._part_of_report(*part)), *self._appendix()]

    def _chapters(self) -> list[Section]:
        """The chapters of a report in one piece."""
        return [
            self._purpose(),
            self._principle(),
            self._set_up.whole(),
            self._experiments(),
            *self._comparison(),
            *self._ending(),
        ]

    def _two_parts(self) -> list[tuple[Phrase, list[Section]]]:
        """The chapters as schools have them: what is handed in before the lab, and after it."""
        before, after = (text(f"report.part-{part}") for part in ("before", "after"))
        plan = self._set_up
        preliminary = [
            *(self._purpose(), self._principle()),
            *(plan.content(), plan.equipment(), plan.steps()),
        ]
        experiments = self._experiments()
        results = replace(experiments, sections=(*experiments.sections, *self._comparison()))
        return [(before, preliminary), (after, [plan.procedure(), results, *self._ending()])]

    def _part_of_report(self, title: Phrase, chapters: Sequence[Section]) -> list[Section]:
        """Chapters with their notes, without empty ones; the first begins the part."""
        noted = map(self._with_chapter_note, chapters)
        first, *others = [s for s in noted if s.blocks or s.sections]
        return [replace(first, part=title), *others]

    def _ending(self) -> list[Section]:
        """Conclusions, and room for what the student has to say."""
        found = tuple(zip(self._results, self._observed, strict=True))
        is_written = any(note.name == "reflection" for note in self.facts.notes)
        return [self._conclusions(), reflection(found, is_written=is_written)]

    def _with_chapter_note(self, section: Section) -> Section:
        """A chapter with the note on it, which has no heading where nothing else stands there."""
        if section.anchor not in CHAPTERS or section.anchor in self.facts.all_names:
            return section
        is_empty = not section.blocks and not section.sections
        heading: Phrase = "" if is_empty else text("report.notes")
        return self._with_note(section, section.anchor, heading)

    def _purpose(self) -> Section:
        purpose = self.lab.purpose
        said = (Paragraph(written(purpose)),) if purpose is not None else ()
        return Section("purpose", text("report.purpose"), said)

    def _principle(self) -> Section:
        base, twins = self.measured.base, self.measured.base_twins
        return principle(base, self.lab.file.worked_row, self.lab.examined, twins)

    def _experiments(self) -> Section:
        inner = tuple(map(self._experiment, self._results, self._observed))
        return Section("experiments", text("report.experiments"), (), inner)

    def _experiment(self, results: ExperimentResults, observed: Observations) -> Section:
        plan = results.plan
        blocks: list[Block] = []
        if plan.experiment.question is not None:
            blocks.append(Paragraph(written(plan.experiment.question), kind="question"))
        blocks += self._statements("answers", observed, results)
        blocks += stated_differences(results)
        shown = with_keys(plan.name, illustrate(results, observed, self._title(results)))
        blocks += [*self._pointer(shown), *shown]
        blocks += self._statements("others", observed, results)
        blocks += self._statements("limits", observed, results)
        section = Section(f"experiment-{plan.name}", self._title(results), tuple(blocks))
        return self._with_note(section, plan.name, text("report.notes"))

    def _pointer(self, shown: Sequence[Block]) -> list[Block]:
        """Point to the figures and tables that the statements rest on."""
        labels = [Reference(block.key) for block in shown if isinstance(block, Figure | Table)]
        if not labels:
            return []
        key = "see" if any(isinstance(block, Figure) for block in shown) else "see-tables"
        return [Paragraph(text(f"report.{key}", labels=listed(labels)), kind="pointer")]

    def _statements(
        self, kind: str, observed: Observations, results: ExperimentResults
    ) -> list[Block]:
        def state(observation: Observation, theme: Phrase) -> Statement:
            return self._state(observation, results.plan, theme=theme)

        return [*sentences(kind, observed, state)]

    def _with_note(self, section: Section, name: str, heading: Phrase) -> Section:
        """A section with the student's notes on it, before or after all that is computed."""
        for note in self.facts.notes:
            if note.name != name:
                continue
            block = Note(name, heading, note.markdown)
            if note.before:
                section = replace(section, blocks=(block, *section.blocks))
            elif section.sections:
                section = replace(section, closing=(*section.closing, block))
            else:
                section = replace(section, blocks=(*section.blocks, block))
        return section

    def _comparison(self) -> list[Section]:
        """A table over all experiments, if there is anything to compare."""
        titles = [self._title(results) for results in self._results]
        held = is_held_out(self._results)
        table = (cross_scores if held else tables.cross_table)(self._results, titles)
        if table is None:
            return []
        words = [text("report.cross-scores-text" if held else "report.cross-text")]
        if any(results.replicated for results in self._results):
            words.append(text("report.cross-text-starts"))
        blocks = (Paragraph(passage(words), kind="introduction"), table)
        return [Section("comparison", text("report.comparison"), blocks)]

    def _conclusions(self) -> Section:
        found = self.measured.conclusions
        heads = headings([f"topic.{LAB_RULES[o.rule].topic}" for _, o in found])
        statements = (
            self._state(o, plan, theme=head) for (plan, o), head in zip(found, heads, strict=True)
        )
        blocks = (Sentences("", tuple(statements), "conclusions"),)
        return Section("conclusions", text("report.conclusions"), blocks)

    def _appendix(self) -> list[Section]:
        sections = [self._repetition(*pair) for pair in self.measured.appendices]
        return [*sections, glossary(), self._again()]

    def _repetition(self, appendix: AppendixPlan, repeated: tuple[Repetition, ...]) -> Section:
        changed = repeated[0].results.plan.base
        flat = changed.flat()
        changes = [
            text("report.change-item", key=Keys((k,)), value=configured(k, flat[k]))
            for k in shown_differences(self.lab.base, changed)
        ]
        said = [text("report.appendix-text", changes=listed(changes, "clauses"))]
        said += [
            text("report.appendix-same", experiment=self._title(r.results))
            for r in repeated
            if r.is_same
        ]
        pairs = zip(self._results, (r.results for r in repeated), strict=True)
        table = repetition_table(list(pairs))
        found = tuple(statement for r in repeated for statement in self._of_repetition(r))
        blocks: list[Block] = [Paragraph(passage(said))]
        blocks += [table] if table else []
        blocks += [Sentences("", found, "conclusions")] if found else []
        title = text("report.appendix-title", title=written(appendix.title))
        return Section(f"appendix-{appendix.name}", title, tuple(blocks))

    def _of_repetition(self, repetition: Repetition) -> Iterator[Statement]:
        """What is stated of a repeated experiment, under its title."""
        title = text("evidence.group", name=self._title(repetition.results))
        for observation in printed_of_repetition(repetition):
            yield self._state(observation, repetition.results.plan, theme=title)

    def _again(self) -> Section:
        digest = hashlib.sha256("".join(sorted(r.name for r in self.measured.runs)).encode())
        folder, csv = self.facts.stored
        kept = text("report.again-stored", folder=folder, csv=csv)
        blocks = (
            Paragraph(text("report.again-text")),
            Paragraph(self.facts.again, kind="command"),
            Paragraph(passage([kept, text("report.again-evidence", csv=csv)])),
            Paragraph(text("report.again-digest", digest=digest.hexdigest())),
        )
        title = text("report.appendix-title", title=text("report.appendix-again"))
        return Section("again", title, blocks)


def experiment_names(plan: Plan) -> ExperimentNames:
    """The variants of an experiment and what its author calls them."""
    return ExperimentNames(
        plan.name,
        tuple(
            VariantName(v.name, None if v.label is None else written(v.label))
            for v in plan.variants
        ),
    )
