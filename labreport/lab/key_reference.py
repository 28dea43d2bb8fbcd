"""docs/lab-file.md, out of the models themselves: ``python -m labreport.lab.key_reference``."""

from __future__ import annotations

import typing
from types import NoneType, UnionType
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from labreport.lab.lab import (
    Appendix,
    Cover,
    CoverField,
    Experiment,
    Formula,
    LabFile,
    Range,
    ThemeTable,
    Titles,
    Variant,
)
from labreport.lab.schema import initialisers, optimizers
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.losses import LOSSES
from labreport.lab.schema.written import (
    DrawnExamples,
    Split,
    WrittenConfig,
    WrittenData,
    WrittenNetwork,
)

INTRODUCTION = """\
# The lab file

Every key, out of the program itself (`python -m labreport.lab.key_reference` writes this page). A
text is one string, or `zh` and `en` apart: `title.zh = "…"`. `change` and `sweep` take any key of
`[base]`: `change.optimizer.name = "adam"`. Changing the name of the optimizer or the scheme of the
initial weights keeps the learning rate and falls back to the defaults for the rest.

A swept key has a list of values, or `{ from = 0.01, to = 100, count = 13 }` (evenly in ratio;
`scale = "linear"`: evenly in difference). Several swept keys make a grid.
"""

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", LabFile),
    ("`[cover]`", Cover),
    ("`[[cover.field]]`", CoverField),
    ("`[theme]`", ThemeTable),
    ("`[theme.titles]`", Titles),
    ("`[base]`", WrittenConfig),
    ("`[base.data]`", WrittenData),
    ("`[base.data.rule]`", DrawnExamples),
    ("`[base.data.split]`", Split),
    ("`[base.network]`", WrittenNetwork),
    ("`[experiment.NAME]`", Experiment),
    ("`[[experiment.NAME.variant]]`", Variant),
    ("`[[experiment.NAME.formula]]`", Formula),
    ("A range", Range),
    ("`[appendix.NAME]`", Appendix),
)


def reference() -> str:
    """The page, as Markdown."""
    parts = [INTRODUCTION]
    for heading, model in SECTIONS:
        parts.append(f"## {heading}\n\n{_table(model)}")
    parts.append(
        "## `[base.optimizer]`\n\n`name` is one of these; each has the keys of its own.\n\n"
        + _alternatives(optimizers.Optimizer, "name")
    )
    parts.append(
        "## `[base.initial]`\n\n`scheme` is one of these; each has the keys of its own.\n\n"
        + _alternatives(initialisers.Initial, "scheme")
    )
    parts.append("## Names\n\nActivations: " + _listed(ACTIVATIONS) + ".\n")
    parts.append("Losses: " + _listed(LOSSES) + ".\n")
    parts.append(
        "As PyTorch's modules compute them with their defaults, but for `kl_div`, which is summed "
        'over the output units and averaged over the rows (`reduction="batchmean"`). Random '
        "initial weights of `float64` are those of `float32`, as `model.double()` gives them.\n"
    )
    return "\n".join(parts)


def _listed(table: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in table)


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | default | |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        rows.append(f"| `{field.alias or name}` | {_default(field)} | {field.description or ''} |")
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default in (None, (), ""):
        return ""
    value = field.default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{list(value)}`".replace("'", '"')
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _alternatives(union: Any, tag: str) -> str:
    rows = [f"| {tag} | keys | |", "|---|---|---|"]
    for model in _members(union):
        ((name,),) = (typing.get_args(model.model_fields[tag].annotation),)
        keys = ", ".join(
            f"`{key}`" + (f" ({default})" if (default := _default(field)) else "")
            for key, field in model.model_fields.items()
            if key != tag
        )
        summary = (model.__doc__ or "").strip().splitlines()[0]
        rows.append(f"| `{name}` | {keys} | {summary} |")
    return "\n".join(rows) + "\n"


def _members(union: Any) -> tuple[type[BaseModel], ...]:
    inner = typing.get_args(union)[0]
    assert typing.get_origin(inner) in (typing.Union, UnionType)
    return tuple(member for member in typing.get_args(inner) if member is not NoneType)


if __name__ == "__main__":
    print(reference(), end="")
