"""Files of rows: each distinct set of rows once, as arrays, for all the runs that saw it.

``rows-<digest>.safetensors`` has the float64 arrays ``inputs`` [rows, input units] and ``targets``
[rows, output units]. The digest is that of the rows, by which configurations name them: whoever
changes a number has a file that is not what its name says.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from labreport.lab.configuration import Rows
from labreport.runs.consistency import InconsistentError
from labreport.runs.files import read_regular

_NAME = re.compile(r"rows-([0-9a-f]{64})\.safetensors")


def rows_file(digest: str) -> str:
    """The name of the file with the rows of a digest."""
    return f"rows-{digest}.safetensors"


def digest_of_rows(path: Path) -> str | None:
    """The digest of the rows that a file has by its name; None if it has another kind of name."""
    named = _NAME.fullmatch(path.name)
    return named[1] if named else None


def pack_rows(rows: Rows) -> bytes:
    """The bytes of the file with some rows."""
    arrays = {"inputs": rows.inputs, "targets": rows.targets}
    return save({key: np.array(values, dtype=np.float64) for key, values in arrays.items()})


def open_rows(path: Path) -> tuple[Rows, str]:
    """The rows of a file, and the SHA-256 of its bytes.

    Raises:
        InconsistentError: if the rows are not those of its name.
        OSError: and others of UNREADABLE, if it is no whole file of rows.
    """
    content = read_regular(path)
    arrays = load(content)
    if arrays.keys() != {"inputs", "targets"}:
        raise InconsistentError("rows")
    if any(array.dtype != np.float64 for array in arrays.values()):
        raise InconsistentError("rows")
    rows = Rows(*(tuple(map(tuple, arrays[key].tolist())) for key in ("inputs", "targets")))
    if rows.digest != digest_of_rows(path):
        raise InconsistentError("rows")
    return rows, hashlib.sha256(content).hexdigest()
