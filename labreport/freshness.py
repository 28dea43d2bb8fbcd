"""Digests of what a report was made of and of what was written: they tell whether it is current.

All that determines a report is bytes: of the lab file and its notes, of this program, its templates
and fonts, and of what is installed beside it. ``report.json`` keeps their digests with those of the
files of the report. Comparing them reads no lab and imports nothing large, so that a build that has
nothing to do says so at once. Where anything cannot be read, the report is not current: the build
that follows says what is wrong.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from labreport.runs.files import NotRegularError, open_regular, read_regular
from labreport.shipped import lab_path, notes_folder, shipped, theme_folder

RECORD = "report.json"
"""Written with the files of a report, and last of them."""

LARGEST_RECORD = 10_000_000
"""Bytes of a record; one of a thousand files of runs has a hundred thousand."""

_OWN_NAME = re.compile(
    r"runs\.csv|observations\.json|report\.tree\.json|report(?:\.[a-z]{2})?\.(?:html|pdf|txt)"
)
"""Names of the files of a report."""

_RUNS_NAME = re.compile(r"runs/[0-9a-f]{64}\.safetensors")
_ROWS_NAME = re.compile(r"runs/rows-[0-9a-f]{64}\.safetensors")
_SHA256 = re.compile(r"[0-9a-f]{64}")

PACKAGE = Path(__file__).resolve().parent
TEMPLATES = shipped("templates")

CARRIED_FONTS = (
    ("zhplot", "fonts/NotoSansSC-Regular.ttf"),
    ("matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono.ttf"),
)
"""Fonts that packages carry; which of them the report uses is said in ``report/figures/style.py``.
"""

FONT_FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts"),
    *("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts", "C:/Windows/Fonts"),
)
"""Folders where systems keep fonts for characters that those of the report lack."""

LIBRARY_FOLDERS = (
    f"/usr/lib/{getattr(sys.implementation, '_multiarch', '')}",
    *("/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib"),
)
LIBRARIES = ("libpango", "libharfbuzz", "libfontconfig")
"""Libraries of the system that set the type of the PDF; their names tell their versions."""

SETTINGS = ("SOURCE_DATE_EPOCH", "MATPLOTLIBRC", "MPLCONFIGDIR")
"""Variables of the environment that reach the files."""


@dataclass(frozen=True)
class WantedReport:
    """The report that a build is asked for.

    Attributes:
        lab: the lab file.
        notes: the folder with notes on it.
        theme: the folder with a theme of its own.
        only: experiments to which the report is confined; all of them if empty.
        languages: those asked for; the lab's own if empty.
        device: on which runs are trained.
        output: the folder that the report is written to.
        formats: those asked for; the usual ones if empty.
        evidence: whether paper and text have the evidence of every finding, too.
    """

    lab: Path
    notes: Path
    theme: Path
    only: tuple[str, ...]
    languages: tuple[str, ...]
    device: str
    output: Path
    formats: tuple[str, ...] = ()
    evidence: bool = False


def wanted(
    lab: Path | None,
    only: tuple[str, ...],
    languages: tuple[str, ...],
    device: str,
    output: Path,
    formats: tuple[str, ...] = (),
    *,
    evidence: bool = False,
) -> WantedReport:
    """The report that a command line asks for."""
    path = lab_path(lab)
    folders = notes_folder(path), theme_folder(path)
    return WantedReport(path, *folders, only, languages, device, output, formats, evidence)


@dataclass(frozen=True)
class ReportRecord:
    """The contents of ``report.json``.

    Attributes:
        only: experiments to which the report is confined; all of them if empty.
        made_of: the digest of each part of what determines the report.
        files: SHA-256 of each file of the report, by name.
        runs: files of the runs that it rests on, as seen from the folder, named by their SHA-256.
        replaced: while files take their places, SHA-256 of those that they replace, by name.
        rows: SHA-256 of each file with the rows of these runs, as seen from the folder.
        data: SHA-256 of each file with examples, as the lab names it.
    """

    only: tuple[str, ...]
    made_of: dict[str, str]
    files: dict[str, str]
    runs: tuple[str, ...]
    replaced: dict[str, str] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The bytes of ``report.json``."""
        values = asdict(self)
        if not self.replaced:
            del values["replaced"]
        return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()

    def has_written(self, path: Path) -> bool:
        """Return whether a file is one of this record's, byte by byte; a link is none.

        Raises:
            OSError: if it cannot be read.
        """
        digests = {self.files.get(path.name), self.replaced.get(path.name)} - {None}
        try:
            return bool(digests) and not path.is_symlink() and digest_of(path) in digests
        except NotRegularError:
            return False


def input_digests(report: WantedReport) -> dict[str, str]:
    """The digest of each part of what determines a report, taken before any of it is used.

    What changes while a build is at work is thereby told by the next one. Empty if something cannot
    be read.
    """
    try:
        return _input_digests(report)
    except OSError:
        return {}


def _input_digests(report: WantedReport) -> dict[str, str]:
    asked = [report.lab.name, *report.only, "", *report.languages, "", report.device]
    asked += [*report.formats, "", str(report.evidence)]
    return {
        "asked": _digest(asked),
        "lab": _digest([read_regular(report.lab)]),
        "notes": _digest(_contents(report.notes, _notes(report))),
        "theme": _digest(_contents(report.theme, _files(report.theme))),
        "program": _digest(_contents(PACKAGE, _files(PACKAGE, ".py"))),
        "templates": _digest(_contents(TEMPLATES, _files(TEMPLATES))),
        "packages": _digest(_packages()),
        "fonts": _digest(_fonts()),
        "system": _digest(_system()),
    }


def record(
    report: WantedReport,
    made: dict[str, str],
    files: Mapping[Path, bytes],
    runs: Iterable[str],
    rows: Mapping[str, str],
    data: Mapping[str, str],
) -> ReportRecord:
    """Make the record that is to be kept of a report.

    Args:
        report: which one it is.
        made: what determines it, as it was before the build began.
        files: its files, which all lie in the output folder.
        runs: the files of the runs, as seen from there.
        rows: SHA-256 of the files of their rows, as seen from there.
        data: SHA-256 of the files with examples, as the lab names them.
    """
    written = {path.name: _sha256(content) for path, content in files.items()}
    used = tuple(sorted(set(runs)))
    return ReportRecord(report.only, made, written, used, rows=dict(rows), data=dict(data))


def current_record(report: WantedReport) -> ReportRecord | None:
    """The record of the report in the folder, if that is the one wanted and all of it is whole.

    Every byte of the report's files and of the runs is compared with its digest.
    """
    found = read_record(report.output)
    if found is None or not found.made_of or found.made_of != input_digests(report):
        return None
    try:
        stored = {name: Path(name).stem for name in found.runs} | found.rows
        known = {report.output / name: digest for name, digest in stored.items()}
        known |= {report.lab.parent / name: digest for name, digest in found.data.items()}
        whole = all(found.has_written(report.output / name) for name in found.files) and all(
            digest_of(path) == digest for path, digest in known.items()
        )
    except OSError:
        return None
    return found if whole else None


def altered(output: Path) -> tuple[str, ...]:
    """Files of the report in a folder that are there and not as they were written."""
    found = read_record(output)
    names = []
    for name in found.files if found else ():
        with suppress(OSError):
            if not found or not found.has_written(output / name):
                names.append(name)
    return tuple(names)


def foreign(output: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Find files under names of a report that belong to no report that this program wrote there.

    A file that the record names belongs to its report, also when it was changed since.
    """
    found = read_record(output)
    known = {RECORD, *found.files, *found.replaced} if found else set()
    paths = (output / name for name in (*names, RECORD))
    return tuple(
        path
        for path in paths
        if os.path.lexists(path)
        and not (path.name in known and not path.is_symlink() and path.is_file())
    )


def replacing(now: ReportRecord, before: ReportRecord | None) -> ReportRecord:
    """The record that stands while the files of a report take their places: no report is current.

    It names the files of both, so that a build that is killed leaves none of which nobody knows.
    """
    old = {**before.replaced, **before.files} if before else {}
    return replace(now, made_of={}, replaced=old)


def read_record(output: Path) -> ReportRecord | None:
    """Read the folder's record of its report; None if it has none, or one of no use."""
    try:
        content = read_regular(output / RECORD, LARGEST_RECORD)
        found = json.loads(content)
        record = ReportRecord(
            _list(found["only"]),
            _texts(found["made_of"]),
            _texts(found["files"]),
            _list(found["runs"]),
            _texts(found.get("replaced", {})),
            _texts(found.get("rows", {})),
            _texts(found.get("data", {})),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    # A record that this tool has written names files of a report alone.
    files = [*record.files.items(), *record.replaced.items()]
    own = all(_OWN_NAME.fullmatch(n) and _SHA256.fullmatch(digest) for n, digest in files)
    stored = all(map(_RUNS_NAME.fullmatch, record.runs)) and all(
        _ROWS_NAME.fullmatch(n) and _SHA256.fullmatch(digest) for n, digest in record.rows.items()
    )
    return record if record.files and own and stored else None


def _texts(found: object) -> dict[str, str]:
    """An object of texts. Raises TypeError for anything else."""
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise TypeError("no object of texts")
    return found


def _list(found: object) -> tuple[str, ...]:
    """An array of texts. Raises TypeError for anything else."""
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise TypeError("no array of texts")
    return tuple(found)


def digest_of(path: Path) -> str:
    """The SHA-256 of a regular file. Raises OSError if it cannot be read, or is none."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest(parts: Iterable[str | bytes]) -> str:
    """One digest of several parts, each of which keeps its place and its ends."""
    whole = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()


def stamps(report: WantedReport) -> tuple[str, ...]:
    """Size and time of each file that an author writes: lab, data, notes, theme and templates.

    Raises:
        OSError: if something cannot be read.
    """
    known = read_record(report.output)
    data = [report.lab.parent / name for name in (known.data if known else ())]
    files = (report.lab, *data, *_notes(report), *_files(report.theme), *_files(TEMPLATES))
    return tuple(map(_stamp, files))


def _notes(report: WantedReport) -> list[Path]:
    """Every note, also those that no experiment of the lab has, and every picture beside them."""
    # Endings of `report.note_pictures.KINDS`, which this module may not import.
    endings = (".md", ".png", ".jpg", ".jpeg", ".svg")
    found = _files(report.notes)
    return [path for path in found if path.name.lower().endswith(endings) and path.is_file()]


def _names(folder: Path) -> list[str]:
    """List a folder, in order; return nothing if it is none."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208, whole paths take as long again
    except OSError:
        return []


def _files(folder: Path, ending: str = "") -> list[Path]:
    """The files in a folder and those in it whose names end so, in order."""
    found = (
        os.path.join(place, name)  # noqa: PTH118, as above
        for place, _, names in os.walk(folder)
        for name in names
        if name.endswith(ending)
    )
    return [Path(path) for path in sorted(found)]


def _contents(folder: Path, paths: Iterable[Path]) -> Iterator[str | bytes]:
    """Files by name, as seen from a folder, with their bytes."""
    for path in paths:
        yield path.relative_to(folder).as_posix()
        yield read_regular(path)


def _packages() -> Iterator[str]:
    """The version of Python, and all that is installed beside the program: names with versions."""
    yield sys.version
    # A folder of metadata is called by the name and version of its package.
    names = (name for place in sys.path for name in _names(Path(place)))
    yield from sorted({name for name in names if name.endswith((".dist-info", ".egg-info"))})


def _fonts() -> Iterator[str]:
    """Fonts of packages and of the system, by size and time: their bytes would take long."""
    for package, name in CARRIED_FONTS:
        found = importlib.util.find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found else ():
            yield _stamp(Path(folder, name))
    for place in FONT_FOLDERS:
        yield from map(_stamp, _files(Path(place).expanduser()))


def _stamp(path: Path) -> str:
    """A file without its bytes."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return f"{path} is not there"
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _system() -> Iterator[str]:
    """Yield what the report states of the machine, and the system that its bytes depend on."""
    yield f"{platform.system()} {platform.machine()}"
    for name in SETTINGS:
        yield f"{name}={os.environ.get(name)}"
    for place in LIBRARY_FOLDERS:
        yield from (name for name in _names(Path(place)) if name.startswith(LIBRARIES))
