"""Locations of what ships with the tool, of the lab, and of the notes on it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


LAB_FILE = "experiments.toml"


def shipped(name: str) -> Path:
    """Path of ``templates`` or ``experiments.toml``, in a checkout or inside the package."""
    installed = _PACKAGE / "_shipped" / name
    return installed if installed.exists() else _PACKAGE.parent / name


def lab_path(given: Path | None) -> Path:
    """The lab file: the one given, the one here, or the one that ships with the tool."""
    if given is not None:
        return given
    here = Path(LAB_FILE)
    return here if here.is_file() else shipped(LAB_FILE)


def theme_folder(path: Path) -> Path:
    """The folder of an own theme lies where the notes do."""
    return notes_folder(path).with_name("theme")


def notes_folder(path: Path) -> Path:
    """Notes lie beside the lab; beside the user, if the lab is the one that ships."""
    return Path("notes") if path == shipped(LAB_FILE) else path.parent / "notes"
