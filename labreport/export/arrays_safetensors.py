"""The arrays of runs bit by bit as they are stored, each run by its name."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
from safetensors.numpy import save

from labreport.errors import BuildError, Fault
from labreport.export.arrays import Parts, describe, members, rows_of
from labreport.runs.file_format import ARRAYS, STEPS

LONGEST_HEADER = 100_000_000
"""Bytes of a header beyond which the library reads no file."""


def render(parts: Parts) -> Iterator[bytes]:
    """``<run>.losses`` and so on; the metadata's one item, ``runs``, says in JSON what each is.

    ``rows-<digest>.inputs`` and ``.targets`` are the rows that the configurations name.

    Raises:
        BuildError: if there are more runs than such a file can name.
    """
    arrays = {
        f"{result.run.name}.{key}": np.ascontiguousarray(getattr(result.run.trace, key))
        for _, _, result in members(parts)
        for key in (*ARRAYS, *STEPS)
    }
    for digest, rows in rows_of(parts).items():
        arrays[f"rows-{digest}.inputs"] = np.array(rows.inputs)
        arrays[f"rows-{digest}.targets"] = np.array(rows.targets)
    told = [describe(*member) for member in members(parts)]
    # A single item, because the library writes several in any order.
    content = save(arrays, {"runs": json.dumps(told, ensure_ascii=False, allow_nan=False)})
    if int.from_bytes(content[:8], "little") > LONGEST_HEADER:
        raise BuildError(Fault("export-too-many", {"runs": len(told)}))
    yield content
