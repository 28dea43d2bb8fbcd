"""From a lab's results to its report in one language: sections, numbered as they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from labreport.analysis.conclusions import Conclusion, conclude, key_findings
from labreport.analysis.evidence import Failure, Known, failures
from labreport.analysis.observation import Names, Observation
from labreport.analysis.observe import Observations, observe, observe_base
from labreport.analysis.replays import Replays, replay_lab
from labreport.analysis.results import ExperimentResults, attach
from labreport.analysis.rules.comparison import differing_keys
from labreport.analysis.seen_observations import SeenObservations
from labreport.errors import BuildError, Fault
from labreport.lab.plan import AppendixPlan, Lab, Plan
from labreport.lab.schema.initialisers import WITHOUT_CHANCE
from labreport.report import numbers, tables
from labreport.report.claims import (
    APPENDIX_FINDINGS,
    Claim,
    Repetition,
    claims_of,
    printed_others,
)
from labreport.report.drawing_cache import DrawingCache
from labreport.report.evidence_text import brief, evidence
from labreport.report.glossary import glossary
from labreport.report.illustrate import illustrate
from labreport.report.language import Language
from labreport.report.notes import CHAPTERS
from labreport.report.notes import Notes as WrittenNotes
from labreport.report.numbering import Numbering
from labreport.report.principle import principle
from labreport.report.sentences import sentences
from labreport.report.theme import PLAIN, Theme
from labreport.report.title_page import title_page
from labreport.report.tree import (
    Block,
    Figure,
    KeyFinding,
    Notes,
    Paragraph,
    Report,
    Section,
    Sentences,
    Statement,
    Table,
)
from labreport.runs.run import Run


@dataclass(frozen=True)
class Facts:
    """What a report needs to know beside the lab and its runs.

    Attributes:
        all_names: experiments of the whole lab, of which this may be a part.
        notes: the student's notes.
        environment: versions and machine, as printed pairs; names are keys of the catalogue.
        again: the command that builds this report.
        stored: names of the folder of runs and of the table of runs, as printed.
        theme: how the report looks.
    """

    all_names: tuple[str, ...]
    notes: WrittenNotes
    environment: tuple[tuple[str, str, str], ...]
    again: str
    stored: tuple[str, str]
    theme: Theme = PLAIN


@dataclass(frozen=True, eq=False)
class Measured:
    """A lab with its results and what was observed in them; the same for every language."""

    lab: Lab
    experiments: tuple[ExperimentResults, ...]
    observed: tuple[Observations, ...]
    appendices: tuple[tuple[AppendixPlan, tuple[Repetition, ...]], ...]
    conclusions: tuple[Conclusion, ...]
    of_base: tuple[Observation, ...]
    runs: tuple[Run, ...]
    base: Run
    replays: Replays

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Every observation, with the number that it has in every language."""
        return claims_of(
            self.of_base, self.experiments, self.observed, self.conclusions, self.appendices
        )

    def refuse_failures(self) -> None:
        """Raises BuildError where a fact or a claim is not what its formula gives."""
        by_name = {run.name: run for run in self.runs}
        repeated = (again.results for _, repetitions in self.appendices for again in repetitions)
        checks = {id(r.plan): r.check for r in (*self.experiments, *repeated)}
        faults = [
            _fault(claim, failure)
            for claim in self.claims
            for failure in failures(claim.observation, Known(by_name, checks.get(id(claim.plan))))
        ]
        if faults:
            raise BuildError(faults)


def _fault(claim: Claim, failure: Failure) -> Fault:
    values = {
        "rule": claim.observation.rule,
        "experiment": claim.experiment or claim.part,
        "what": failure.what,
        "formula": failure.formula,
        "said": str(failure.said),
        "found": str(failure.found),
    }
    return Fault("claim-fails", values)


def measure(lab: Lab, runs: dict[str, Run]) -> Measured:
    """Attach runs (by the digest of their configuration) to a lab, and observe."""
    controls = {config.digest for config in lab.controls}
    experiments = tuple(attach(plan, runs, controls) for plan in lab.plans)
    tested = [runs[c.digest] for c in lab.base_tested if c.digest in controls]
    of_base = observe_base(runs[lab.base.digest], tested)
    told = SeenObservations({run.name: run for run in runs.values()})
    told.add(of_base)
    observed = tuple(_observe_what_is_new(results, told) for results in experiments)
    return Measured(
        lab,
        experiments,
        observed,
        tuple((a, _repeat(a, lab, runs, controls, observed, told)) for a in lab.appendices),
        conclude(experiments),
        of_base,
        tuple(runs.values()),
        runs[lab.base.digest],
        replay_lab(lab, runs),
    )


def _observe_what_is_new(results: ExperimentResults, told: SeenObservations) -> Observations:
    found = observe(results).without(told)
    # What stands in observations.json alone has been told to no reader of the report.
    told.add((*found.answers, *printed_others(found.others), *found.limits))
    return found


def _repeat(
    appendix: AppendixPlan,
    lab: Lab,
    runs: dict[str, Run],
    controls: Collection[str],
    observed: Sequence[Observations],
    told: SeenObservations,
) -> tuple[Repetition, ...]:
    """The experiments of an appendix; what the main part has said already is not said again."""
    repetitions = []
    for plan, main, said in zip(appendix.plans, lab.plans, observed, strict=True):
        results = attach(plan, runs, controls)
        is_same = {t.config.digest for t in plan.trials} == {t.config.digest for t in main.trials}
        found = observe(results).only_new(told, said)
        if not is_same:
            told.add(found.answers[:APPENDIX_FINDINGS])
        repetitions.append(Repetition(results, found, is_same))
    return tuple(repetitions)


def compose(measured: Measured, facts: Facts, language: Language, kept: DrawingCache) -> Report:
    """The report in one language, with pictures that are kept as they are and others drawn."""
    return _Composition(measured, facts, language, kept).report()


class _Composition:
    """One report being put together; holds the numbering as it goes."""

    def __init__(
        self, measured: Measured, facts: Facts, language: Language, kept: DrawingCache
    ) -> None:
        self.measured, self.kept = measured, kept
        self.lab = measured.lab
        self.facts = facts
        self.language = language
        self.numbering = Numbering(language)
        # By identity: two experiments may well find the same.
        self.evidence = {
            id(claim.observation): evidence(claim, language)
            for claim in measured.claims
            if claim.number is not None
        }

    def report(self) -> Report:
        *sections, notes = _numbered([*self._sections(), self._notes_on_evidence()])
        return replace(
            title_page(self.lab, self.facts.theme, self.language),
            part=self._part(),
            findings=self._findings(),
            sections=tuple(sections),
            notes=notes,
        )

    def _part(self) -> str:
        names = self.lab.names
        if set(names) == set(self.facts.all_names):
            return ""
        return self.language.text(
            "report.part-of",
            names=self.language.join(names),
            part=len(names),
            count=len(self.facts.all_names),
        )

    def _findings(self) -> tuple[KeyFinding, ...]:
        pairs = [(r.plan.name, o) for r, o in zip(self._results, self._observed, strict=True)]
        return tuple(
            KeyFinding(
                f"experiment-{name}",
                self._title(results),
                self._state(finding, results.plan, quoted=True),
            )
            for name, finding in key_findings(pairs)
            for results in [next(r for r in self._results if r.plan.name == name)]
        )

    @property
    def _results(self) -> tuple[ExperimentResults, ...]:
        return self.measured.experiments

    @property
    def _observed(self) -> tuple[Observations, ...]:
        return self.measured.observed

    def _title(self, results: ExperimentResults) -> str:
        return results.plan.experiment.title.within(self.language.code)

    def _state(
        self, observation: Observation, plan: Plan, *, quoted: bool = False, theme: str = ""
    ) -> Statement:
        """An observation as a sentence, with what it rests on."""
        sentence = self.language.sentence(observation, plan)
        return Statement(sentence, self.evidence[id(observation)], quoted, theme)

    def _sections(self) -> list[Section]:
        # In this order, because each takes the next numbers of figures and tables.
        sections = [self._purpose(), self._principle(), self._set_up(), self._experiments()]
        if (comparison := self._comparison()) is not None:
            sections.append(comparison)
        sections += [self._conclusions(), self._reflection()]
        noted = map(self._with_chapter_note, sections)
        return [*(s for s in noted if s.blocks or s.sections), *self._appendix()]

    def _with_chapter_note(self, section: Section) -> Section:
        """A chapter with the note on it, which has no heading where nothing else stands there."""
        if section.anchor not in CHAPTERS or section.anchor in self.facts.all_names:
            return section
        is_empty = not section.blocks and not section.sections
        heading = "" if is_empty else self.language.text("report.notes")
        return self._with_note(section, section.anchor, heading)

    def _purpose(self) -> Section:
        purpose = self.lab.purpose
        said = (Paragraph(purpose.within(self.language.code)),) if purpose is not None else ()
        return Section("purpose", "", self.language.text("report.purpose"), said)

    def _principle(self) -> Section:
        row = self.lab.file.worked_row
        return principle(self.measured.base, row, self.language, self.numbering, self.kept)

    def _experiments(self) -> Section:
        inner = tuple(map(self._experiment, self._results, self._observed))
        return Section("experiments", "", self.language.text("report.experiments"), (), inner)

    def _reflection(self) -> Section:
        """A chapter that is the student's alone."""
        return Section("reflection", "", self.language.text("report.reflection"))

    def _set_up(self) -> Section:
        text, lab, base = self.language.text, self.lab, self.lab.base
        blocks: list[Block] = [Paragraph(text("report.set-up-text")), *self._own_look()]
        blocks += self._conventions()
        blocks += self._thinned()
        blocks.append(tables.base_table(base, self.language, self.numbering))
        if not lab.file.test_explanations:
            blocks.append(Paragraph(text("report.no-controls")))
        if self.measured.of_base:
            plan = self._results[0].plan
            statements = tuple(self._state(o, plan) for o in self.measured.of_base)
            blocks.append(Sentences("", statements))
        pairs = [
            (text(f"report.{key}", name=name), value) for key, name, value in self.facts.environment
        ]
        pairs += [
            (text(f"report.environment-runs-{kind}"), str(count))
            for kind, count in self._kinds_of_runs().items()
            if count
        ]
        caption = text("report.environment-table")
        blocks.append(tables.pairs_table(caption, pairs, self.language, self.numbering))
        blocks += self._replays()
        return Section("set-up", "", text("report.set-up"), tuple(blocks))

    def _own_look(self) -> list[Block]:
        """That the report has a theme of its own, with its files and their digest, if it has."""
        theme = self.facts.theme
        if not theme.own:
            return []
        files = self.language.fact(Names(theme.own), self._results[0].plan)
        said = self.language.text("report.own-look", files=files, digest=theme.digest)
        return [Paragraph(said)]

    def _kinds_of_runs(self) -> dict[str, int]:
        """How many distinct runs there are, by what they are for; each is counted once."""
        lab = self.lab
        plans = (*lab.plans, *(plan for a in lab.appendices for plan in a.plans))
        of_plans = [{trial.config.digest for trial in plan.trials} for plan in plans]
        everywhere = set().union(*of_plans)
        main = set().union(*of_plans[: len(lab.plans)])
        count = len(self.measured.runs)
        return {
            "experiments": len(main),
            "appendices": len(everywhere - main),
            "others": count - len(everywhere),
            "all": count,
        }

    def _replays(self) -> list[Block]:
        """What a second implementation says of the stored runs."""
        replays, text = self.measured.replays, self.language.text
        all_or_some = "" if replays.carried < replays.runs else "-all"
        said = text(
            f"report.replays{all_or_some}",
            carried=replays.carried,
            runs=replays.runs,
            steps=replays.steps,
            largest=numbers.measured(replays.largest, 2),
        )
        blocks: list[Block] = [Paragraph(said)]
        if replays.not_drawn:
            blocks.append(Paragraph(text("report.replays-not-drawn", count=replays.not_drawn)))
        return blocks

    def _thinned(self) -> list[Block]:
        """Which experiments' weights were not recorded in every round, if there are any."""
        strides = {
            self._title(results): max(trial.stride for trial in results.plan.trials)
            for results in self._results
        }
        items = [
            self.language.text("report.thinned-item", experiment=title, count=stride)
            for title, stride in strides.items()
            if stride > 1
        ]
        if not items:
            return []
        joined = self.language.enumerate(items)
        return [Paragraph(self.language.text("report.thinned-text", strides=joined))]

    def _experiment(self, results: ExperimentResults, observed: Observations) -> Section:
        plan = results.plan
        blocks: list[Block] = []
        if plan.experiment.question is not None:
            question = plan.experiment.question.within(self.language.code)
            blocks.append(Paragraph(question, kind="question"))
        difference = tables.differences_table(results, self.language, self.numbering)
        blocks += [difference] if difference else []
        blocks += self._statements("answers", observed, results)
        title = self._title(results)
        shown = illustrate(results, title, self.language, self.numbering, self.kept)
        blocks += [*self._pointer(shown), *shown]
        blocks += self._statements("others", observed, results)
        blocks += self._statements("limits", observed, results)
        section = Section(f"experiment-{plan.name}", "", self._title(results), tuple(blocks))
        return self._with_note(section, plan.name, self.language.text("report.notes"))

    def _pointer(self, shown: Sequence[Block]) -> list[Block]:
        """Where the figures and tables are that the statements rest on."""
        labels = [block.label for block in shown if isinstance(block, Figure | Table)]
        if not labels:
            return []
        key = "see" if any(isinstance(block, Figure) for block in shown) else "see-tables"
        words = self.language.text(f"report.{key}", labels=self.language.join(labels))
        return [Paragraph(words, kind="introduction")]

    def _statements(
        self, kind: str, observed: Observations, results: ExperimentResults
    ) -> list[Block]:
        def state(observation: Observation, theme: str) -> Statement:
            return self._state(observation, results.plan, theme=theme)

        return [*sentences(kind, observed, self.language, state)]

    def _with_note(self, section: Section, name: str, heading: str) -> Section:
        """A section with the student's note on it, before or after all that is computed."""
        note = self.facts.notes.of(name, self.language.code)
        if note is None:
            return section
        prose = note.under(heading)
        if note.before:
            return replace(section, blocks=(prose, *section.blocks))
        if section.sections:
            return replace(section, closing=(prose,))
        return replace(section, blocks=(*section.blocks, prose))

    def _comparison(self) -> Section | None:
        text = self.language.text
        titles = [self._title(results) for results in self._results]
        table = tables.cross_table(self._results, titles, self.language, self.numbering)
        if table is None:
            return None
        words = [text("report.cross-text")]
        if any(results.replicated for results in self._results):
            words.append(text("report.cross-text-starts"))
        said = self.language.paragraph(words)
        blocks = (Paragraph(said, kind="introduction"), table)
        return Section("comparison", "", text("report.comparison"), blocks)

    def _conclusions(self) -> Section:
        text = self.language.text
        statements = [self._state(o, plan) for plan, o in self.measured.conclusions]
        blocks = (Sentences("", tuple(statements)),)
        return Section("conclusions", "", text("report.conclusions"), blocks)

    def _notes_on_evidence(self) -> Section:
        """What every statement rests on, for paper."""
        text = self.language.text
        blocks = (
            Paragraph(text("evidence.how-to-read")),
            Notes(tuple(brief(e, self.language) for e in self.evidence.values())),
        )
        title = text("report.appendix-title", title=text("evidence.title"))
        return Section("evidence", "", title, blocks)

    def _appendix(self) -> list[Section]:
        sections = [self._repetition(*pair) for pair in self.measured.appendices]
        return [*sections, glossary(self.language, self.numbering), self._again()]

    def _repetition(self, appendix: AppendixPlan, repeated: tuple[Repetition, ...]) -> Section:
        text = self.language.text
        changed = repeated[0].results.plan.base
        flat = changed.flat()
        changes = [
            text(
                "report.change-item",
                key=self.language.key(k),
                value=self.language.value(k, flat[k]),
            )
            for k in differing_keys(self.lab.base, changed)
        ]
        blocks: list[Block] = [
            Paragraph(text("report.appendix-text", changes=self.language.enumerate(changes)))
        ]
        sections = []
        for repetition in repeated:
            results = repetition.results
            title = self._title(results)
            if repetition.is_same:
                blocks.append(Paragraph(text("report.appendix-same", experiment=title)))
                continue
            inner: list[Block] = []
            for table in (tables.comparison_table, tables.sweep_table, tables.starts_table):
                made = table(results, self.language, self.numbering)
                inner += [made] if made else []
            found = repetition.observed.answers[:APPENDIX_FINDINGS]
            statements = tuple(self._state(o, results.plan) for o in found)
            inner += [Sentences("", statements)] if found else []
            # Two hyphens, which no name has: "a" and "b-c" are not "a-b" and "c".
            anchor = f"appendix-{appendix.name}--{results.plan.name}"
            sections.append(Section(anchor, "", title, tuple(inner)))
        title = text("report.appendix-title", title=appendix.title.within(self.language.code))
        return Section(f"appendix-{appendix.name}", "", title, tuple(blocks), tuple(sections))

    def _conventions(self) -> list[Block]:
        """Conventions that not every program shares, of what this lab computes."""
        configs = [run.config for run in self.measured.runs]
        wide = any(c.dtype == "float64" and c.initial.scheme not in WITHOUT_CHANCE for c in configs)
        batched = [c for c in configs if not c.data.sees_all_rows]
        blocks: list[Block] = []
        if batched:
            steps = max(len(run.trace.measured) for run in self.measured.runs)
            blocks.append(Paragraph(self.language.text("report.set-up-batches", count=steps)))
        told = ["set-up-kl-div"] if any(c.loss == "kl_div" for c in configs) else []
        told += ["set-up-float64"] if wide else []
        told.append("glossary-at")
        return [*blocks, *(Paragraph(self.language.text(f"report.{key}")) for key in told)]

    def _again(self) -> Section:
        text = self.language.text
        digest = hashlib.sha256("".join(sorted(r.name for r in self.measured.runs)).encode())
        folder, csv = self.facts.stored
        blocks = (
            Paragraph(text("report.again-text")),
            Paragraph(self.facts.again, kind="command"),
            Paragraph(text("report.again-stored", folder=folder, csv=csv)),
            Paragraph(text("report.again-digest", digest=digest.hexdigest())),
        )
        title = text("report.appendix-title", title=text("report.appendix-again"))
        return Section("again", "", title, blocks)


def _numbered(sections: Sequence[Section], prefix: str = "") -> tuple[Section, ...]:
    numbered = []
    for index, section in enumerate(sections, start=1):
        number = f"{prefix}{index}"
        inner = _numbered(section.sections, f"{number}.")
        numbered.append(replace(section, number=number, sections=inner))
    return tuple(numbered)
