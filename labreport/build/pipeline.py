"""A build: load, train, measure, check, compose, print, render, write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.build.inputs import Inputs, read_inputs, stray
from labreport.build.origin import command_again, printed_environment, this_environment
from labreport.build.output import keep_others, remove_earlier
from labreport.build.request import Request, Summary
from labreport.estimate import picture_bytes
from labreport.formats.table import (
    ATTACHED,
    FORMATS,
    TREE,
    AttachedFile,
    Editions,
    file_names,
    tree_bytes,
)
from labreport.freshness import RECORD, ReportRecord, altered, read_record, record, replacing
from labreport.runs.file_format import run_name
from labreport.runs.files import write_together
from labreport.runs.run import Run
from labreport.runs.store import Store
from labreport.shipped import LAB_FILE
from labreport.training.execution import (
    LoadedRuns,
    Progress,
    check_device,
    check_size,
    load_or_train,
    reporting_processes,
)

if TYPE_CHECKING:
    from labreport.render.drawing_cache import DrawingCache
    from labreport.render.printed import PrintedReport
    from labreport.report.measured import Measured
    from labreport.report.tree import Report

Files = list[tuple[Path, bytes]]
"""Files of a report, and what they hold."""


def build(request: Request, progress: Progress) -> Summary:
    """Run what is missing, and write the report in every language asked for.

    Raises:
        InputError: if the lab, a name or a note is at fault; nothing was written.
        BuildError: if something could not be written or rendered; finished runs are stored.
    """
    inputs = read_inputs(request)
    check_device(request.machine)
    store = Store(request.output)
    jobs = reporting_processes(inputs.lab, request.machine)
    drafted = _draft(inputs, request, store, progress, jobs)
    found_altered = altered(request.output)
    files = [*drafted.data, *_render(drafted, inputs, request, progress, jobs)]
    used = {file for file, _ in drafted.places.values()}
    kept = record(
        request.report, inputs.digests, dict(files), used, store.opened, inputs.whole.data_files
    )
    _write(files, kept, request, progress)
    return Summary(
        trained=drafted.trained,
        stored=len(drafted.places) - drafted.trained,
        written=tuple(path for path, _ in files),
        damaged=tuple(store.damaged),
        restored=drafted.restored,
        outdated=tuple(store.outdated) if drafted.trained else (),
        without_reflection=not (inputs.notes_folder / "reflection.md").is_file(),
        unfilled=inputs.whole.cover.unfilled,
        stray=stray(inputs.whole, inputs.notes_folder),
        altered=found_altered,
    )


@dataclass(frozen=True)
class _Draft:
    """All that a report is written from once its runs have been read.

    Attributes:
        report: in no language.
        data: the files for programs.
        places: of the runs, by name: their file, and their index in it.
        trained: runs that were trained.
        restored: files of rows that were written again.
    """

    report: Report
    data: Files
    places: Mapping[str, tuple[str, int]]
    trained: int
    restored: tuple[Path, ...]


def _draft(inputs: Inputs, request: Request, store: Store, progress: Progress, jobs: int) -> _Draft:
    """Train, measure and compose; what this returns does not hold the runs."""
    obtained = _train(inputs, request, store, progress)
    measured = _measure(inputs, obtained.runs, jobs)
    places = {run.name: store.place(run.name) for run in obtained.runs.values()}
    return _Draft(
        _compose(measured, inputs, request),
        _data(measured, places, request),
        places,
        len(obtained.trained),
        obtained.restored,
    )


def _train(inputs: Inputs, request: Request, store: Store, progress: Progress) -> LoadedRuns:
    """Read the runs that are stored, train the others, and store them."""
    environment = this_environment(request.machine.device)
    recordings = inputs.lab.recordings()
    missing = [(c, s) for c, s in recordings if not store.has(run_name(c, environment), s)]
    pictures = picture_bytes(inputs.lab)
    check_size(inputs.path, recordings, missing, request.output, request.machine, pictures)
    return load_or_train(recordings, environment, store, request.machine, progress)


def _measure(inputs: Inputs, runs: dict[str, Run], jobs: int) -> Measured:
    """Observe, and check runs, facts and claims by what computes them apart, beside one another.

    Raises:
        BuildError: where two computations differ.
    """
    from labreport.report.measured import measure

    measured = measure(inputs.lab, runs, jobs if jobs > 1 else 0)
    measured.replays.refuse_differences()
    measured.refuse_failures()
    return measured


def _compose(measured: Measured, inputs: Inputs, request: Request) -> Report:
    from labreport.report.compose import compose
    from labreport.report.facts import Facts

    facts = Facts(
        all_names=inputs.whole.names,
        notes=inputs.notes.written,
        environment=printed_environment(request.machine.device),
        again=command_again(request, inputs.whole),
        stored=("runs", "runs.csv"),
        own_look=(inputs.theme.own, inputs.theme.digest),
    )
    return compose(measured, facts)


def _data(measured: Measured, places: Mapping[str, tuple[str, int]], request: Request) -> Files:
    """Render the files for programs: runs.csv and observations.json."""
    from labreport.export import observations_json, runs_csv

    parts = [("main", measured.experiments)]
    parts += [(a.name, tuple(r.results for r in repeated)) for a, repeated in measured.appendices]
    return [
        (request.output / "runs.csv", runs_csv.render(parts)),
        (request.output / "observations.json", observations_json.render(measured, places)),
    ]


def _render(
    drafted: _Draft, inputs: Inputs, request: Request, progress: Progress, jobs: int
) -> Files:
    """The report in every language and format."""
    from labreport.formats.limits import limited
    from labreport.language.catalogue import language
    from labreport.processes import side_by_side
    from labreport.render.beforehand import drawn_beforehand
    from labreport.render.printing import print_report

    report, theme = drafted.report, inputs.theme
    carried = any(FORMATS[f].has_files for f in inputs.formats)
    attached = _attached(drafted, inputs) if carried else []
    words = [language(code).saying(theme.texts.get(code, {})) for code in inputs.languages]
    pictures: DrawingCache | None = None
    if any(FORMATS[f].has_pictures for f in inputs.formats):
        pictures = drawn_beforehand(report, words, jobs)
    printed: list[PrintedReport] = [
        print_report(report, own, inputs.notes, theme, pictures, with_evidence=request.evidence)
        for own in words
    ]
    reports = list(zip(printed, words, strict=True))
    wanted = file_names(inputs.formats, inputs.languages)
    progress("writing", 0, len(wanted))
    makes: list[Callable[[], bytes]] = []
    for _, kind, place in wanted:
        # Every page has all languages, its own in front.
        others = [*reports[:place], *reports[place + 1 :]]
        makes.append(
            partial(FORMATS[kind].render, Editions(report, [reports[place], *others], attached))
        )
    # What somebody's theme makes of a report may take any time or memory.
    made = map(limited, makes) if theme.own else side_by_side(makes, jobs)
    files = [
        (request.output / name, content) for (name, _, _), content in zip(wanted, made, strict=True)
    ]
    progress("writing", len(wanted), len(wanted))
    return files


def _attached(drafted: _Draft, inputs: Inputs) -> list[AttachedFile]:
    """The files that a PDF carries: lab, numbers and findings, and the report in no language."""
    contents = {path.name: content for path, content in drafted.data}
    contents[LAB_FILE] = inputs.text.encode()
    contents[TREE] = tree_bytes(drafted.report)
    return [AttachedFile(*row, contents[row[0]]) for row in ATTACHED]


def _write(files: Files, kept: ReportRecord, request: Request, progress: Progress) -> None:
    """Write all files together, and last their record."""
    from labreport.runs.lock import locked

    # In turn, so that the files of two builds do not mix.
    with locked(request.output, lambda: progress("waiting", 0, 1)):
        before = read_record(request.output)
        path = request.output / RECORD
        meanwhile = replacing(kept, before)
        keep_others([*dict(files), path], before)
        write_together([(path, meanwhile.content()), *files, (path, kept.content())])
        remove_earlier(request.output, before, kept)
