"""What every table of a lab file has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
PositiveReal = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
NonNegativeReal = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0)]
# A decay rate: an average over the past that never forgets (1) would never move.
Decay = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=0, lt=1)]


class Table(BaseModel):
    """A table of the lab file: unknown keys are faults, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
