"""A lab to start from: which exercises there are, and writing one into a folder."""

from __future__ import annotations

from pathlib import Path

from labreport.errors import Fault, InputError
from labreport.lab.json_schema import document
from labreport.lab.reading.faults import nearest
from labreport.runs.files import nearest_there, write_atomically
from labreport.shipped import LAB_FILE, shipped

SCHEMA_FILE = "experiments.schema.json"

ON_NOTES = "notes/README.md"
"""Says what may stand in the folder of notes; no report takes it in."""

EXERCISES = (
    "backpropagation",
    "minimal",
    "optimizers",
    "initialisation",
    "classes",
    "regression",
    "linear",
    "moons",
    "iris",
    "digits",
    "depth",
)
"""Names on the command line: the lab that ships, and those in templates/labs."""

COMPANIONS = {"regression": ("houses.csv",)}
"""Files with examples that a lab names, by exercise."""


def exercise_file(exercise: str) -> Path:
    """The lab file of an exercise. Raises InputError if there is no such exercise."""
    if exercise not in EXERCISES:
        near = nearest(exercise, EXERCISES)
        fault = Fault("unknown-exercise", {"found": exercise}, allowed=EXERCISES, nearest=near)
        raise InputError(fault)
    if exercise == EXERCISES[0]:
        return shipped(LAB_FILE)
    return shipped("templates") / "labs" / f"{exercise}.toml"


def one_of(*names: str | None) -> str:
    """The exercise that is named, in one way or another; the first one if none is.

    Raises:
        InputError: if two are named.
    """
    named = list(dict.fromkeys(name for name in names if name is not None))
    if len(named) > 1:
        raise InputError(Fault("two-exercises", {"names": ", ".join(named)}))
    return named[0] if named else EXERCISES[0]


def start(folder: Path, exercise: str) -> tuple[Path, ...]:
    """Write an exercise's lab file, its schema for editors, and a word on notes into a folder.

    Returns:
        The files that were written.

    Raises:
        InputError: if there is no such exercise, or anything is in the way; nothing was written.
        BuildError: if a file cannot be written.
    """
    labs = shipped("templates") / "labs"
    named = COMPANIONS.get(exercise, ())
    contents = {
        folder / LAB_FILE: exercise_file(exercise).read_bytes(),
        **{folder / name: (labs / name).read_bytes() for name in named},
        folder / SCHEMA_FILE: document().encode(),
        folder / ON_NOTES: (labs / ON_NOTES).read_bytes(),
    }
    above = nearest_there(folder)
    if not above.is_dir():
        raise InputError(Fault("not-a-folder", file=above))
    there = [path for path in contents if _is_there(path)]
    if there:
        raise InputError([Fault("already-there", file=path) for path in there])
    for path, content in contents.items():
        write_atomically(path, content)
    return tuple(contents)


def _is_there(path: Path) -> bool:
    """Return whether a name is taken, be it by a link that leads nowhere."""
    return path.is_symlink() or path.exists()
