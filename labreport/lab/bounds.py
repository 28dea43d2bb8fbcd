"""The smallest and the largest value that a key of a configuration may have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from annotated_types import Ge, Le
from pydantic import BaseModel

from labreport.lab.configuration import RunConfig


def allowed(config: RunConfig, key: str) -> tuple[float, ...]:
    """The ends of what a key may be set to, where it has any that it may take.

    A learning rate may be as near to a bound as one likes, but a momentum may be 0 and no less.

    Args:
        config: in which it is set; what an optimizer has depends on which it is.
        key: by its dotted path.
    """
    *tables, leaf = key.split(".")
    table: Any = config
    for name in tables:
        table = getattr(table, name, None)
    if not isinstance(table, BaseModel) or leaf not in type(table).model_fields:
        return ()
    field = type(table).model_fields[leaf]
    ends = [*_ends(field.metadata), *_ends_within(field.annotation)]
    if key == "data.batch_size":
        ends.append(len(config.data.inputs))
    return tuple(dict.fromkeys(ends))


def _ends(metadata: Any) -> Iterator[float]:
    for constraint in metadata:
        if isinstance(constraint, Ge):
            yield constraint.ge  # type: ignore[misc]
        elif isinstance(constraint, Le):
            yield constraint.le  # type: ignore[misc]
        else:
            # What pydantic keeps of a field that stands inside of another type.
            yield from _ends(getattr(constraint, "metadata", ()))


def _ends_within(annotation: Any) -> Iterator[float]:
    yield from _ends(getattr(annotation, "__metadata__", ()))
    for inner in get_args(annotation):
        if inner is not None and not isinstance(inner, str | int | float):
            yield from _ends_within(inner)
