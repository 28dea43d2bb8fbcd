"""What the commands do, each a short list of calls."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING

from labreport.errors import BuildError, Fault, InputError
from labreport.estimate import BuildEstimate, estimate_build
from labreport.formats.table import FORMATS, USUAL, Editions, file_names
from labreport.freshness import (
    RECORD,
    ReportRecord,
    WantedReport,
    altered,
    foreign,
    input_digests,
    read_record,
    record,
    replacing,
    wanted,
)
from labreport.lab.plan import Lab, Recording, distinct
from labreport.lab.reading.faults import nearest
from labreport.lab.reading.load import load
from labreport.lab.reading.toml_file import read
from labreport.lab.reading.warnings import warnings
from labreport.runs.file_format import run_name
from labreport.runs.files import set_aside, write_together, writing
from labreport.runs.run import Environment, Run
from labreport.runs.store import Store
from labreport.runs.unused import Removable, removable, remove
from labreport.shipped import LAB_FILE, lab_path, notes_folder, shipped, theme_folder
from labreport.training import SEMANTICS
from labreport.training.execution import (
    DEVICES,
    Progress,
    Resources,
    check_device,
    check_size,
    load_or_train,
    too_big,
)

if TYPE_CHECKING:
    from labreport.render.notes.reading import NotesOfReport
    from labreport.render.theme import Theme

LANGUAGES = ("zh", "en")
VERSIONS = ("labreport", "torch", "numpy", "matplotlib", "weasyprint")


@dataclass(frozen=True)
class Request:
    """What `labreport build` is asked for."""

    lab: Path | None
    only: tuple[str, ...]
    languages: tuple[str, ...]
    output: Path
    machine: Resources = field(default_factory=Resources)
    force: bool = False
    """Whether files of the output folder are replaced that no build wrote there."""
    formats: tuple[str, ...] = ()
    """Formats of the report; the usual ones if empty."""

    @property
    def report(self) -> WantedReport:
        """The report that this is about, whoever builds it and however."""
        device = self.machine.device
        return wanted(self.lab, self.only, self.languages, device, self.output, self.formats)


@dataclass(frozen=True)
class Summary:
    """What a build did.

    Attributes:
        trained: runs that were trained.
        stored: runs that were stored before.
        written: files of the report.
        damaged: stored files that were found damaged, and moved aside.
        outdated: stored files of another version, if runs were trained that they may hold.
        without_reflection: whether the student has not written one.
        stray: notes that belong to no experiment, each with the name that is nearest.
        altered: files of the report before that were not as they had been written.
    """

    trained: int
    stored: int
    written: tuple[Path, ...]
    damaged: tuple[Path, ...]
    outdated: tuple[Path, ...]
    without_reflection: bool
    stray: tuple[tuple[Path, str], ...] = ()
    altered: tuple[str, ...] = ()


def build(request: Request, progress: Progress) -> Summary:
    """Run what is missing, and write the report in every language asked for.

    Raises:
        InputError: if the lab, a name or a note is at fault; nothing was written.
        BuildError: if something could not be written or rendered; finished runs are stored.
    """
    path = lab_path(request.lab)
    made = input_digests(request.report)
    whole = load(path)
    lab = part_of(whole, request.only, path)
    languages = chosen_languages(request.languages, whole)
    formats = chosen_formats(request.formats)
    theme = check_theme(lab, path, languages)
    folder = notes_folder(path)
    notes = check_notes(whole, lab, folder, languages)
    usable_folder(request.output)
    if not request.force:
        refuse_foreign(request.output, languages, formats)
    check_characters(lab, path, notes.files, languages)
    check_device(request.machine)

    environment = this_environment(request.machine.device)
    store = Store(request.output)
    recordings = lab.recordings()
    missing = [(c, s) for c, s in recordings if not store.has(run_name(c, environment), s)]
    check_size(path, recordings, missing, request.output, request.machine)
    obtained = load_or_train(recordings, environment, store, request.machine, progress)
    runs = obtained.runs
    found_altered = altered(request.output)
    written = write_report(
        whole, lab, runs, store, languages, theme, notes, made, request, progress
    )
    return Summary(
        trained=len(obtained.trained),
        stored=len(obtained.runs) - len(obtained.trained),
        written=written,
        damaged=tuple(store.damaged),
        outdated=tuple(store.outdated) if obtained.trained else (),
        without_reflection=not (folder / "reflection.md").is_file(),
        stray=stray(whole, folder),
        altered=found_altered,
    )


def part_of(lab: Lab, only: Sequence[str], path: Path) -> Lab:
    """The experiments asked for; all of them if none is named."""
    unknown = [name for name in only if name not in lab.names]
    if unknown:
        raise InputError(
            [
                Fault(
                    "unknown-experiment",
                    {"found": name},
                    file=path,
                    allowed=lab.names,
                    nearest=nearest(name, lab.names),
                )
                for name in unknown
            ]
        )
    return lab.only(tuple(only)) if only else lab


def chosen_languages(asked: Sequence[str], lab: Lab) -> tuple[str, ...]:
    """Languages to write: those asked for, or the lab's own."""
    unknown = [code for code in asked if code not in LANGUAGES]
    if unknown:
        raise InputError(
            [
                Fault("unknown-language", {"found": code}, allowed=LANGUAGES)
                for code in dict.fromkeys(unknown)
            ]
        )
    return tuple(dict.fromkeys(asked)) or tuple(dict.fromkeys(lab.languages))


def chosen_formats(asked: Sequence[str]) -> tuple[str, ...]:
    """Formats to write: those asked for, or the usual ones."""
    unknown = dict.fromkeys(name for name in asked if name not in FORMATS)
    if unknown:
        allowed = tuple(FORMATS)
        raise InputError(
            [
                Fault("unknown-format", {"found": f}, allowed=allowed, nearest=nearest(f, allowed))
                for f in unknown
            ]
        )
    return tuple(dict.fromkeys(asked)) or USUAL


def check_theme(lab: Lab, path: Path, languages: Sequence[str]) -> Theme:
    """How the report is to look, tried out on its cover, so that faults show before training.

    Raises:
        InputError: with the faults of the theme.
        BuildError: if Pango is missing.
    """
    from labreport.render.theme import PLAIN, read_theme

    theme = read_theme(lab.file.theme, shipped("templates") / "themes", theme_folder(path))
    if theme != PLAIN:
        from labreport.formats.theme_check import try_theme
        from labreport.language.catalogue import language

        try_theme(lab, theme, [language(code) for code in languages])
    return theme


def check_notes(whole: Lab, lab: Lab, folder: Path, languages: Sequence[str]) -> NotesOfReport:
    """Read every note before anything trains, so that all their faults show at once.

    Args:
        whole: the lab.
        lab: the part of it that is built.
        folder: of the notes.
        languages: of the report.

    Raises:
        InputError: with everything that is at fault in a note.
        BuildError: if Pango is missing, where a note has a drawing.
    """
    from labreport.render.notes.note_pictures import DRAWING
    from labreport.render.notes.reading import read_all

    notes = read_all(folder, whole.names, lab.names, languages, whole.languages[0])
    if any(DRAWING in note.paper for note in notes.by_place.values()):
        from labreport.formats.theme_check import try_notes

        try_notes(notes)
    return notes


def stray(lab: Lab, notes: Path) -> tuple[tuple[Path, str], ...]:
    """Notes that no report of this lab takes in, each with the name that is nearest."""
    from labreport.render.notes.reading import stray_notes
    from labreport.report.compose import CHAPTERS

    return tuple(stray_notes(notes, (*lab.names, *CHAPTERS), lab.languages[0], LANGUAGES))


def check_characters(lab: Lab, path: Path, notes: Sequence[Path], languages: Sequence[str]) -> None:
    """Refuse texts that the PDF could not show, unless the lab says not to check."""
    from labreport.formats.missing_characters import missing_characters

    faults = missing_characters(lab, path, notes, languages) if lab.file.check_fonts else ()
    if faults:
        raise InputError(faults)


def usable_folder(output: Path) -> None:
    """Refuse an output that is there and is no folder, or that can be none."""
    try:
        is_folder = S_ISDIR(output.stat().st_mode)
    except NotADirectoryError:
        # What stands in the way is told when the folder is made.
        return
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not output.is_symlink():
            return
        detail = {"detail": error.strerror or str(error)}
        raise InputError(Fault("file-unreadable", detail, file=output)) from None
    if not is_folder:
        raise InputError(Fault("not-a-folder", file=output))


def refuse_foreign(output: Path, languages: Sequence[str], formats: Sequence[str]) -> None:
    """Refuse to replace what this program did not write.

    Raises:
        InputError: naming each such file.
    """
    names = ["runs.csv", "observations.json"]
    names += [name for name, _, _ in file_names(formats, languages)]
    if others := foreign(output, names):
        raise InputError([Fault("not-ours", file=path) for path in others])


def this_environment(device: str = "cpu") -> Environment:
    """What determines numbers beside a configuration, without importing torch."""
    return Environment(trainer=SEMANTICS, torch=version("torch"), device=device)


def write_report(
    whole: Lab,
    lab: Lab,
    runs: dict[str, Run],
    store: Store,
    languages: Sequence[str],
    theme: Theme,
    notes: NotesOfReport,
    made: dict[str, str],
    request: Request,
    progress: Progress,
) -> tuple[Path, ...]:
    """Write runs.csv, observations.json, and the report in each language; last, their record."""
    from labreport.export import observations_json, runs_csv
    from labreport.formats.limits import limited
    from labreport.language.catalogue import language
    from labreport.render.drawing_cache import DrawingCache
    from labreport.render.printing import print_report
    from labreport.report.compose import Facts, compose
    from labreport.report.measured import measure
    from labreport.runs.lock import locked

    measured = measure(lab, runs)
    measured.replays.refuse_differences()
    measured.refuse_failures()
    parts = [("main", measured.experiments)]
    parts += [(a.name, tuple(r.results for r in repeated)) for a, repeated in measured.appendices]
    facts = Facts(
        all_names=whole.names,
        notes=notes.written,
        environment=printed_environment(request.machine.device),
        again=command_again(request, whole),
        stored=("runs", "runs.csv"),
        own_look=(theme.own, theme.digest),
    )
    places = {run.name: store.place(run.name) for run in runs.values()}
    files: list[tuple[Path, bytes]] = [
        (request.output / "runs.csv", runs_csv.render(parts)),
        (request.output / "observations.json", observations_json.render(measured, places)),
    ]
    wanted_files = file_names(chosen_formats(request.formats), languages)
    total = len(wanted_files)
    pictures = DrawingCache()
    report = compose(measured, facts)
    words = [language(code).saying(theme.texts.get(code, {})) for code in languages]
    reports = [(print_report(report, own, notes, theme, pictures), own) for own in words]
    for done, (name, kind, place) in enumerate(wanted_files):
        progress("writing", done, total)
        # Every page has all languages, its own in front.
        editions = Editions(report, [reports[place], *reports[:place], *reports[place + 1 :]])
        make = partial(FORMATS[kind].render, editions)
        # What somebody's theme makes of a report may take any time or memory.
        files.append((request.output / name, limited(make) if theme.own else make()))
    progress("writing", total, total)
    used = (place for place, _ in places.values())
    kept = record(request.report, made, dict(files), used)
    # In turn, so that the files of two builds do not mix.
    with locked(request.output, lambda: progress("waiting", 0, 1)):
        before = read_record(request.output)
        path = request.output / RECORD
        meanwhile = replacing(kept, before)
        keep_others([*dict(files), path], before)
        write_together([(path, meanwhile.content()), *files, (path, kept.content())])
        remove_earlier(request.output, before, kept)
    return tuple(path for path, _ in files)


def keep_others(paths: Sequence[Path], before: ReportRecord | None) -> None:
    """Give files another name that are about to be replaced, and not as a build had written them.

    Raises:
        BuildError: if one cannot be renamed.
    """
    for path in paths:
        if not os.path.lexists(path) or (path.is_dir() and not path.is_symlink()):
            continue
        with writing(path):
            ours = before is not None and (path.name == RECORD or before.has_written(path))
            if not ours or path.is_symlink():
                set_aside(path)


def remove_earlier(output: Path, before: ReportRecord | None, now: ReportRecord) -> None:
    """Remove files of the report before that this one has not: they tell what is no longer so.

    A file that somebody has changed since stays.
    """
    if before is None:
        return
    for path in (output / name for name in before.files):
        with suppress(OSError):
            if path.name not in now.files and before.has_written(path):
                path.unlink()


def printed_environment(device: str) -> tuple[tuple[str, str, str], ...]:
    """Device, versions and system: key in the catalogue, name that the key takes, value."""
    versions = tuple(("environment-version", name, version(name)) for name in VERSIONS)
    system = f"{platform.system()} {platform.machine()}"
    python = ("environment-version", "Python", platform.python_version())
    return (
        ("environment-device", "", "CPU"),
        ("environment-system", "", system),
        python,
        *versions,
    )


def command_again(request: Request, whole: Lab) -> str:
    """The command that builds the same report; what goes without saying is left out."""
    words = ["labreport", "build"]
    named = request.lab is not None and request.lab.name != LAB_FILE
    words += [request.lab.name] if named and request.lab is not None else []
    words += [word for name in request.only for word in ("--only", name)]
    if chosen_languages(request.languages, whole) != chosen_languages((), whole):
        words += [word for code in request.languages for word in ("--lang", code)]
    if chosen_formats(request.formats) != USUAL:
        words += [word for name in request.formats for word in ("--format", name)]
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word as a shell takes it; one with bytes that are no text, by the numbers of these."""
    try:
        word.encode()
    except UnicodeEncodeError:
        escaped = (
            chr(b) if 32 <= b < 127 and chr(b) not in "'\\" else f"\\x{b:02x}"
            for b in os.fsencode(word)
        )
        return f"$'{''.join(escaped)}'"
    return shlex.quote(word)


@dataclass(frozen=True)
class Cleaning:
    """What `labreport clean` would remove.

    Attributes:
        labs: the labs whose runs stay.
        output: the folder to clean.
        wanted: names of the runs that these labs refer to.
        found: what could go.
    """

    labs: tuple[Path, ...]
    output: Path
    wanted: frozenset[str]
    found: tuple[Removable, ...]


def plan_cleaning(given: Sequence[Path], output: Path) -> Cleaning:
    """What no lab refers to: none of those given, or not the default one.

    Raises:
        InputError: with the faults of all labs.
    """
    paths = tuple(given) or (lab_path(None),)
    usable_folder(output)
    faults: list[Fault] = []
    wanted: set[str] = set()
    environments = [this_environment(device) for device in DEVICES]
    for path in paths:
        try:
            configurations = load(path).configurations()
        except InputError as error:
            faults += error.faults
        else:
            wanted.update(run_name(c, where) for c in configurations for where in environments)
    if faults:
        raise InputError(faults)
    return Cleaning(paths, output, frozenset(wanted), removable(output, wanted))


def clean(plan: Cleaning, progress: Progress) -> None:
    """Remove what was found. Raises BuildError if something cannot be removed."""
    remove(plan.output, plan.wanted, plan.found, lambda: progress("waiting", 0, 1))


@dataclass(frozen=True)
class Listed:
    """An experiment as `labreport list` shows it."""

    name: str
    title: dict[str, str]
    runs: int
    stored: int


@dataclass(frozen=True)
class CheckedLab:
    """What `labreport check` says of a lab without fault.

    Attributes:
        path: the lab file.
        experiments: how many it has, appendices' repetitions not counted.
        notes: the notes that the report would take in.
        needs: what a build of all of it takes.
        stray: notes that belong to no experiment, each with the name that is nearest.
        refused: why a build of it, with nothing stored and nothing allowed, would be refused.
        warnings: what it may say, but hardly means.
        controls: of its runs, those that only test explanations.
    """

    path: Path
    experiments: int
    notes: tuple[Path, ...]
    needs: BuildEstimate
    stray: tuple[tuple[Path, str], ...] = ()
    refused: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    controls: int = 0


def check(given: Path | None) -> CheckedLab:
    """Check a lab file, its theme and its notes, and nothing else.

    Raises:
        InputError: with every fault of the lab file, or else of the theme, or else of the notes, or
            else of characters that no font has.
    """
    path = lab_path(given)
    lab = load(path)
    check_theme(lab, path, lab.languages)
    notes = check_notes(lab, lab, notes_folder(path), lab.languages)
    with suppress(BuildError):
        # Without Pango nobody can say; `labreport doctor` says how to get it.
        check_characters(lab, path, notes.files, lab.languages)
    runs = lab.recordings()
    return CheckedLab(
        path,
        len(lab.plans),
        notes.files,
        estimate_build(lab, len(lab.languages)),
        stray(lab, notes_folder(path)),
        too_big(path, runs, runs, path.parent, Resources()),
        warnings(lab, read(path)),
        _only_controls(lab, runs),
    )


def _only_controls(lab: Lab, runs: Sequence[Recording]) -> int:
    """Runs that nobody wrote into the lab."""
    plans = (*lab.plans, *(plan for a in lab.appendices for plan in a.plans))
    written = {trial.config.digest for plan in plans for trial in plan.trials}
    return len({config.digest for config, _ in runs} - written - {lab.base.digest})


def experiment_titles(given: Path | None, code: str) -> dict[str, str]:
    """Titles of a lab's experiments in a language, by their names."""
    plans = load(lab_path(given)).plans
    return {plan.name: plan.experiment.title.within(code) for plan in plans}


def list_experiments(given: Path | None, output: Path) -> tuple[Listed, ...]:
    """Experiments of a lab, with how many distinct runs each has and how many are stored."""
    lab = load(lab_path(given))
    usable_folder(output)
    environment = this_environment()
    store = Store(output)
    listed = []
    for plan in lab.plans:
        plans = [plan, *(p for a in lab.appendices for p in a.plans if p.name == plan.name)]
        recordings = distinct(recording for p in plans for recording in p.recordings)
        named = [(run_name(config, environment), schedule) for config, schedule in recordings]
        title = {code: plan.experiment.title.within(code) for code in LANGUAGES}
        listed.append(
            Listed(
                plan.name,
                title,
                len(named),
                sum(store.has(name, schedule) for name, schedule in named),
            )
        )
    return tuple(listed)
