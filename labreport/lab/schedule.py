"""At which steps of a run what is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from labreport.lab.configuration import RunConfig

FEW_OUTPUTS = 64
"""Outputs (rows × units) that are recorded at every step; of more, the first, the last, and those
after each number of rounds at which runs are compared."""

MOST_MEASURED, FEWEST_MEASURED = 50, 10
"""Steps, beside budgets, at which the loss over all rows of a run with mini-batches is computed: as
many as see together about as many rows as the batches do, between these two."""

CHEAP = 10_000_000
"""Multiplications that these may take in any case: a few milliseconds."""


@dataclass(frozen=True)
class Schedule:
    """The steps at which a run is recorded.

    Step 0 and the last one always are.

    Attributes:
        stride: weights and gradients are recorded every so many steps.
        budgets: further steps at which the loss and the outputs over all rows are to be known,
            ascending; empty for runs of which both are recorded at every step.
    """

    stride: int = 1
    budgets: tuple[int, ...] = ()

    @classmethod
    def of(cls, config: RunConfig, stride: int, budgets: tuple[int, ...]) -> Schedule:
        """The schedule of a run that is compared after so many rounds."""
        if stride == 1 and config.data.sees_all_rows and _is_shown_throughout(config):
            return cls(stride)
        return cls(stride, tuple(budget for budget in budgets if budget <= config.rounds))

    def covers(self, other: Schedule) -> bool:
        """Return whether what is recorded by this one is enough for another one."""
        return self.stride <= other.stride and set(other.budgets) <= set(self.budgets)

    def with_(self, other: Schedule) -> Schedule:
        """One that covers both."""
        budgets = tuple(sorted({*self.budgets, *other.budgets}))
        return Schedule(min(self.stride, other.stride), budgets)

    def recorded(self, config: RunConfig) -> list[int]:
        """Steps at which weights and gradients are recorded."""
        return sorted({*range(0, config.rounds + 1, self.stride), config.rounds, *self.budgets})

    def shown(self, config: RunConfig) -> list[int]:
        """Steps at which the outputs for all rows are recorded."""
        if _is_shown_throughout(config):
            return self.recorded(config)
        return sorted({0, config.rounds, *self.budgets})

    def measured(self, config: RunConfig) -> list[int]:
        """Steps at which the loss over all rows is computed beside that of a batch.

        All of them are recorded, so that each such loss can be compared with its weights.
        """
        if config.data.sees_all_rows:
            return []
        rows = len(config.data.inputs)
        alike = config.rounds * config.data.batch_rows // rows
        cheap = CHEAP // (rows * config.network.parameter_count)
        count = min(MOST_MEASURED, max(FEWEST_MEASURED, alike, cheap))
        apart = -(-config.rounds // (count * self.stride)) * self.stride
        return sorted({*range(0, config.rounds, apart), config.rounds, *self.budgets})


def _is_shown_throughout(config: RunConfig) -> bool:
    """Return whether outputs are few, and computed for all rows in any case."""
    outputs = len(config.data.inputs) * config.network.layers[-1]
    return outputs <= FEW_OUTPUTS and config.data.batch_size is None


EVERY_STEP = Schedule()
"""Everything at every step."""
