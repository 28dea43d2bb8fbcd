"""The format of a stored file, and the check that it is whole.

A file holds the arrays of runs that were trained together, with the runs along the last axis; the
steps at which weights and gradients were ``recorded``, outputs ``shown`` and the loss over all
rows ``measured``; in ``runs``, as bytes
of JSON, the name, configuration, ending and environment of each run; and in ``runs_sha256`` the
digest of those bytes. A configuration names its rows by their digest; they have a file of their own
(``rows_files``). It can be read with nothing but the safetensors library. Its name is the
SHA-256 of all of its bytes: ``sha256sum`` checks it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from labreport.lab.configuration import RunConfig, canonical_json
from labreport.lab.schedule import Schedule
from labreport.runs.files import NotRegularError, open_regular
from labreport.runs.run import Environment, Traces

FORMAT = "7"
"""Version of the files; a file of another version is left alone and its runs trained again."""

ARRAYS = ("losses", "weights", "gradients", "outputs", "overall")
STEPS = ("recorded", "shown", "measured")

TYPES = {"int64": "I64", "float64": "F64", "float32": "F32", "uint8": "U8"}
"""The format's names of the types of arrays, in the order in which their arrays stand in a file."""

PORTION = 2**22
"""Bytes of an array that are put in order at a time, on their way to a file."""

UNREADABLE = (
    *(SafetensorError, NotRegularError, FileNotFoundError, IsADirectoryError),
    *(ValueError, LookupError, TypeError, RecursionError, AttributeError),
)
"""Errors that reading a file may raise if it is no whole file of runs. Not what the system refuses:
a file that may not be read is not damaged."""

Entry = Mapping[str, Any]
"""The entry of one run in a file: config, ending, environment, name, schedule."""


class DamagedError(Exception):
    """A file is not what was written; it counts as not stored."""


def run_name(config: RunConfig, environment: Environment) -> str:
    """64 hexadecimal digits that name a run: the same name, the same numbers."""
    text = f'{{"config":{config.canonical},"environment":{_canonical(environment)}}}'
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _canonical(environment: Environment) -> str:
    """Return an environment as JSON; the same for all runs of a build."""
    return canonical_json(asdict(environment))


@dataclass(frozen=True, eq=False)
class Packed:
    """The content of a safetensors file, in portions: all at once, it would take its size again.

    Attributes:
        header: how long the header is, and the header.
        arrays: in the order in which they stand in the file.
    """

    header: bytes
    arrays: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Packed:
        """Content with arrays by name, byte for byte as the safetensors library has it."""
        kinds = list(TYPES)
        names = sorted(arrays, key=lambda name: (kinds.index(str(arrays[name].dtype)), name))
        told: dict[str, object] = {"__metadata__": {"format": FORMAT}}
        end = 0
        for name in names:
            array, start = arrays[name], end
            end += array.nbytes
            kind, shape = TYPES[str(array.dtype)], list(array.shape)
            told[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
        text = json.dumps(told, separators=(",", ":")).encode()
        # Arrays begin at a multiple of 8 bytes.
        text += b" " * (-len(text) % 8)
        return cls(len(text).to_bytes(8, "little") + text, tuple(arrays[n] for n in names))

    def __iter__(self) -> Iterator[bytes]:
        yield self.header
        for array in self.arrays:
            rows = max(1, PORTION * len(array) // max(1, array.nbytes))
            for start in range(0, len(array), rows):
                yield array[start : start + rows].tobytes()

    @property
    def sha256(self) -> str:
        """The digest of the content."""
        digest = hashlib.sha256()
        for portion in self:
            digest.update(portion)
        return digest.hexdigest()


def pack(
    configurations: Sequence[RunConfig],
    traces: Traces,
    environment: Environment,
    schedule: Schedule,
) -> tuple[str, Packed]:
    """The name and the content of a file with runs that were trained together."""
    where, recorded = _canonical(environment), canonical_json(asdict(schedule))
    # Put together from what is JSON already: there may be thousands of configurations.
    entries = ",".join(
        f'{{"config":{config.canonical},"ending":{canonical_json(asdict(ending))},'
        f'"environment":{where},"name":"{run_name(config, environment)}","schedule":{recorded}}}'
        for config, ending in zip(configurations, traces.endings, strict=True)
    )
    runs = f"[{entries}]".encode()
    arrays = {key: np.asarray(getattr(traces, key)) for key in (*ARRAYS, *STEPS)}
    # As an array, because a header has room for some thousand runs only. The header has a single
    # item, because safetensors writes them in any order, and the same runs make the same file.
    arrays["runs"] = np.frombuffer(runs, np.uint8)
    arrays["runs_sha256"] = np.frombuffer(hashlib.sha256(runs).digest(), np.uint8)
    content = Packed.of(arrays)
    return f"{content.sha256}.safetensors", content


def entries(path: Path) -> list[Entry] | None:
    """Read the entries of a file's runs; None if it is of another version.

    The arrays are not looked at: ``check`` does that before they are used.

    Raises:
        DamagedError: if it is no whole file of runs.
    """
    try:
        # The library waits for what is no regular file, and calls damaged what may not be read.
        open_regular(path).close()
        with safe_open(path, "numpy") as file:
            if (file.metadata() or {}).get("format") == FORMAT:
                return _entries(file)
        # All versions whose files are named by their bytes agree on what such a name means, so
        # damage to the number of the version is not taken for another one.
        if re.fullmatch("[0-9a-f]{64}", path.stem):
            check(path)
    except UNREADABLE as error:
        raise DamagedError(path) from error
    return None


def _entries(file: Any) -> list[Entry]:
    runs = file.get_tensor("runs").tobytes()
    if hashlib.sha256(runs).digest() != file.get_tensor("runs_sha256").tobytes():
        raise ValueError("not the digest of what is said of the runs")
    found: list[Entry] = json.loads(runs)
    if not all(isinstance(entry, dict) for entry in found):
        raise ValueError("no tables")
    if any(file.get_slice(key).get_shape()[-1] != len(found) for key in ARRAYS):
        raise ValueError("another number of runs than of their names")
    return found


def check(path: Path) -> None:
    """Compare the bytes of a file with its name. Raises DamagedError or an OSError."""
    with open_regular(path) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != path.stem:
            raise DamagedError(path)
