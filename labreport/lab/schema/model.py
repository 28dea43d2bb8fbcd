"""The common base of all tables of a lab file."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
PositiveReal = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
NonNegativeReal = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
# A decay rate: an average over the past that never forgets (1) would never move.
Decay = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, lt=1)]


class LabTable(BaseModel):
    """A table of the lab file: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @cached_property
    def canonical(self) -> str:
        """Canonical JSON: the same text for the same table."""
        return canonical_json(self.model_dump(mode="json"))

    def model_copy(self, *, update: Any = None, deep: bool = False) -> Self:
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            copy.__dict__.pop(name)  # computed from the values that the copy may not have
        return copy


def canonical_json(value: Any) -> str:
    """JSON that is the same text for the same value, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
