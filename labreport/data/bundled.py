"""Examples that come with scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labreport.data.examples import Examples


def bundled(name: str) -> Examples:
    """The examples of one of the sets that scikit-learn brings along.

    Pictures of ``digits`` have 64 numbers between 0 and 16, row by row.
    """
    import sklearn.datasets

    load: Callable[[], Any] = getattr(sklearn.datasets, f"load_{name}")
    found = load()
    columns = tuple(str(column) for column in found.feature_names)
    inputs = tuple(map(tuple, found.data.tolist()))
    if name == "diabetes":
        return Examples(columns, inputs, tuple((y,) for y in found.target.tolist()), ("y",))
    classes = tuple(str(label) for label in found.target_names)
    picture = (8, 8) if name == "digits" else None
    targets = tuple(found.target.tolist())
    return Examples(columns, inputs, targets, ("y",), classes, picture=picture)
