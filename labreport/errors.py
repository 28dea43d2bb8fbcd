"""Errors that the tool reports to its user: where, what was found, what is allowed.

An error carries no sentence. It carries a code and the values that belong to it; the language
catalogues turn them into a sentence, so that every message exists in every language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input.

    Attributes:
        code: names the sentence in the catalogues (``fault.<code>``).
        values: what the sentence mentions, by name.
        file: the file at fault, if there is one.
        line: 1-based line, 0 if unknown.
        column: 1-based column, 0 if unknown.
        key: dotted path of the key at fault.
        excerpt: the line of text at fault, for the caret.
        allowed: what could stand there instead.
        nearest: the allowed name that is nearest to what was found.
    """

    code: str
    values: Mapping[str, object] = field(default_factory=dict)
    file: Path | None = None
    line: int = 0
    column: int = 0
    key: str = ""
    excerpt: str = ""
    allowed: tuple[str, ...] = ()
    nearest: str = ""


class LabreportError(Exception):
    """Anything that the tool itself reports; ends the program with ``exit_code``."""

    exit_code = 1

    def __init__(self, faults: Fault | Sequence[Fault]) -> None:
        self.faults = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("; ".join(f"{f.code} {f.key} {dict(f.values)}" for f in self.faults))

    def __reduce__(self) -> tuple[type[LabreportError], tuple[tuple[Fault, ...]]]:
        """Made anew from its faults in the process to which another one hands it."""
        return type(self), (self.faults,)


class InputError(LabreportError):
    """The user's input is wrong: a lab file, an argument, a note."""

    exit_code = 2


class BuildError(LabreportError):
    """The input is right, but running, storing or writing failed."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training was interrupted.

    Attributes:
        kept: runs that had been finished and stored.
        missing: runs that were to be trained.
    """

    def __init__(self, kept: int, missing: int) -> None:
        super().__init__()
        self.kept, self.missing = kept, missing
