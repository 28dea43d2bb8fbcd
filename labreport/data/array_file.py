"""Examples out of NumPy's files: an archive with inputs and targets, or one matrix."""

from __future__ import annotations

import io
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from labreport.data.examples import (
    MOST_ROWS,
    MOST_VALUES,
    DataError,
    Examples,
    Matrix,
    Problem,
    check_names,
    numbered,
)

LARGEST_UNPACKED = 16 * MOST_VALUES
"""Bytes of the arrays of an archive: it may be packed a thousandfold."""

INPUTS = ("inputs", "X", "x", "data")
TARGETS = ("targets", "y", "Y", "target")
"""Names of the arrays in an archive, the first that is there."""


def read_arrays(name: str, content: bytes) -> Examples:
    """The examples in an ``.npz`` file, or in the columns of an ``.npy`` file, the target last.

    Raises:
        DataError: if it is no such file, or its arrays do not fit.
    """
    _check_unpacked(content)
    try:
        loaded = np.load(io.BytesIO(content), allow_pickle=False)
        inputs, targets = _pair(name, loaded)
    except DataError:
        raise
    except Exception:
        # A damaged file makes the library raise nearly anything.
        raise DataError(Problem(("file",), "data-not-arrays", {"file": name})) from None
    if not inputs.size:
        raise DataError(Problem(("file",), "data-empty", {"file": name}))
    inputs = inputs.reshape(len(inputs), -1) if inputs.ndim else inputs
    if inputs.ndim != 2 or targets.ndim not in (1, 2) or len(inputs) != len(targets):
        values = {"file": name, "found": f"{inputs.shape}, {targets.shape}"}
        raise DataError(Problem(("file",), "data-shapes", values))
    _check_size(name, inputs)
    columns = tuple(f"x{k}" for k in range(1, inputs.shape[1] + 1))
    if targets.dtype.kind in "US":
        if targets.size != len(inputs):
            values = {"file": name, "found": f"{inputs.shape}, {targets.shape}"}
            raise DataError(Problem(("file",), "data-shapes", values))
        check_names("file", [str(label) for label in targets.ravel()])
        classes, names = numbered([str(label) for label in targets.ravel()])
        return Examples(columns, _matrix(name, inputs), classes, ("y",), names)
    rows = _matrix(name, targets.reshape(len(targets), -1))
    return Examples(columns, _matrix(name, inputs), rows, _target_names(len(rows[0])))


def _check_unpacked(content: bytes) -> None:
    """Raises DataError for an archive that would unpack to more than is allowed."""
    try:
        members = ZipFile(io.BytesIO(content)).infolist()
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return
    else:
        size = sum(member.file_size for member in members)
        if size > LARGEST_UNPACKED:
            raise DataError(Problem(("file",), "data-too-many-values", {"limit": MOST_VALUES}))


def _target_names(count: int) -> tuple[str, ...]:
    return tuple(f"y{k}" for k in range(1, count + 1)) if count > 1 else ("y",)


def _pair(name: str, loaded: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Arrays of inputs and of targets. Raises DataError if an archive lacks one of them."""
    if isinstance(loaded, np.ndarray):
        if loaded.ndim != 2 or loaded.shape[1] < 2:
            values = {"file": name, "found": str(loaded.shape)}
            raise DataError(Problem(("file",), "data-shapes", values))
        return loaded[:, :-1], loaded[:, -1]
    there = tuple(loaded.files)
    found = [next((n for n in names if n in there), None) for names in (INPUTS, TARGETS)]
    first, second = found
    if first is None or second is None:
        expected = "inputs" if first is None else "targets"
        values = {"file": name, "expected": expected, "found": ", ".join(there)}
        raise DataError(Problem(("file",), "data-no-such-array", values))
    return loaded[first], loaded[second]


def _check_size(name: str, inputs: NDArray[Any]) -> None:
    if len(inputs) > MOST_ROWS:
        raise DataError(
            Problem(("file",), "data-too-many-rows", {"file": name, "limit": MOST_ROWS})
        )
    if inputs.size > MOST_VALUES:
        raise DataError(Problem(("file",), "data-too-many-values", {"limit": MOST_VALUES}))


def _matrix(name: str, values: NDArray[Any]) -> Matrix:
    """Rows of an array. Raises DataError if it has anything but finite numbers."""
    is_number = values.dtype.kind in "biuf"
    with np.errstate(over="ignore"):
        wide = values.astype(np.float64) if is_number else values
    if not is_number or not np.isfinite(wide).all():
        raise DataError(Problem(("file",), "data-not-finite", {"file": name}))
    return tuple(map(tuple, wide.tolist()))
