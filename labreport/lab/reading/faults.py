"""From pydantic's findings to faults with a line, a caret and the nearest valid name."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from labreport.errors import Fault

if TYPE_CHECKING:
    from labreport.lab.reading.positions import Positions

MAXIMUM_FAULTS = 1000
"""Faults that are told: a long array can have a million, and nobody reads as many."""

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class SourceText:
    """The text of a lab file, and where its keys stand."""

    path: Path
    text: str

    @cached_property
    def _positions(self) -> Positions:
        # Only a file with faults is looked through for places.
        from labreport.lab.reading.positions import Positions

        return Positions(self.text)

    def fault(self, location: Location, code: str, **details: Any) -> Fault:
        """A fault at a key, or at the nearest table that exists in the file."""
        line, column = self._positions.of(location)
        return Fault(
            code=code,
            values=details.pop("values", {}),
            file=self.path,
            line=line,
            column=column,
            key=".".join(str(part) for part in location),
            excerpt=self.line(line),
            **details,
        )

    def line(self, number: int) -> str:
        """A line of the text, as TOML counts lines."""
        return self.lines[number - 1].rstrip("\r") if 0 < number <= len(self.lines) else ""

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text, as TOML counts them."""
        # Not splitlines(): that also cuts at U+2028 and others, which TOML takes as text.
        return self.text.split("\n")


MOST_NAMES = 300
"""Names that a word is compared with, letter by letter: those of more weights nobody misspells."""

LONGEST_NAME = 60


ALIASES = {
    "epochs": ("epoch", "n_epochs", "passes"),
    "rounds": (
        "steps",
        "iterations",
        "iters",
        "max_iter",
        "updates",
    ),
    "learning_rate": ("lr", "eta", "alpha", "step_size", "learningrate"),
    "momentum": ("mu", "beta"),
    "activations": ("activation", "activation_function", "nonlinearity"),
    "hidden": ("hidden_layer_sizes", "hidden_layers", "hidden_units"),
    "layers": ("units", "sizes", "layer_sizes"),
    "standardise": ("standardize", "normalise", "normalize", "scale", "scaling"),
    "split": ("splits", "parts", "validation", "test"),
    "set": ("dataset", "data_set", "name"),
    "file": ("path", "csv", "filename"),
    "rule": ("generator", "generate", "make"),
    "degree": ("polynomial", "powers"),
    "initial": ("init", "initialization", "initializer", "initialisation", "initialiser"),
    "scheme": ("init", "method", "kind"),
    "loss": ("criterion", "loss_function", "cost", "objective"),
    "optimizer": ("optim", "optimiser", "solver"),
    "weight_decay": ("wd", "l2", "l2_penalty", "decay", "lambda"),
    "batch_size": ("batch", "minibatch", "mini_batch", "batchsize", "minibatch_size"),
    "seeds": ("n_seeds", "seed", "repeats", "replicates", "trials", "runs"),
    "seed": ("random_state", "random_seed", "manual_seed"),
    "dtype": ("precision", "float_type"),
    "inputs": ("x", "features", "input", "xs"),
    "targets": ("y", "labels", "target", "outputs", "ys", "classes"),
    "biases": ("b",),
    "weights": ("w",),
    "bias": ("use_bias",),
    "nesterov": ("nesterov_momentum",),
    "betas": ("beta1", "beta2"),
    "eps": ("epsilon",),
}
"""Synonyms of keys in papers and other programs, by the name of the key here."""

OTHER_NAMES = {
    "l1": ("mae", "l1_loss", "mean_absolute_error"),
    "mse": ("l2", "l2_loss", "mse_loss", "mean_squared_error", "squared_error"),
    "cross_entropy": ("nll", "nll_loss", "ce", "categorical_crossentropy", "softmax"),
    "bce": ("binary_crossentropy", "binary_cross_entropy", "log_loss"),
    "kaiming_uniform": ("he", "he_uniform", "kaiming"),
    "kaiming_normal": ("he_normal",),
    "xavier_uniform": ("glorot", "glorot_uniform", "xavier"),
    "xavier_normal": ("glorot_normal",),
    "identity": ("linear", "none"),
}
"""Names of losses, initialisers and activations elsewhere, by the name here."""

ELSEWHERE = {
    **dict.fromkeys(
        ("batch", "batch_size", "minibatch", "mini_batch", "batchsize"), "data.batch_size"
    ),
    **dict.fromkeys(("lr", "eta", "learning_rate", "step_size"), "optimizer.learning_rate"),
    **dict.fromkeys(("wd", "weight_decay"), "optimizer.weight_decay"),
    **dict.fromkeys(("momentum",), "optimizer.momentum"),
    **dict.fromkeys(("units", "layers"), "network.layers"),
    **dict.fromkeys(("hidden", "hidden_layers", "hidden_layer_sizes"), "network.hidden"),
    **dict.fromkeys(("activation", "activations"), "network.activations"),
    "bias": "network.bias",
}
"""Full names of keys that are looked for beside the tables of a configuration."""


def meant(key: object, allowed: Sequence[str]) -> str:
    """The key that a wrong one stands for: by its usual names, else by its letters."""
    word = str(key).lower()
    for name in allowed:
        if word in ALIASES.get(name, ()):
            return name
    if "optimizer" in allowed and word in ELSEWHERE:
        return ELSEWHERE[word]
    return nearest(key, allowed)


def nearest(word: object, allowed: Sequence[str]) -> str:
    """The allowed name most like ``word``, or "" if none is near or there are too many."""
    if len(allowed) > MOST_NAMES or len(str(word)) > LONGEST_NAME:
        return ""
    for name in allowed:
        if str(word).lower() in OTHER_NAMES.get(name, ()):
            return name
    matches = difflib.get_close_matches(str(word).lower(), allowed, n=1, cutoff=0.55)
    return matches[0] if matches else ""


@dataclass(frozen=True)
class Mismatch:
    """One of pydantic's errors, with its place in the raw tables."""

    location: Location
    code: str
    values: Mapping[str, Any]
    allowed: tuple[str, ...] = ()
    nearest: str = ""


_WRONG_TYPE = {
    "int_type": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "string_type": "string",
    "bool_type": "boolean",
    "list_type": "array",
    "tuple_type": "array",
    "dict_type": "table",
    "model_type": "table",
    "model_attributes_type": "table",
}
_BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", "≥"),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "≤"),
}


def findings(
    errors: Sequence[Mapping[str, Any]], model: type[BaseModel], raw: Any
) -> list[Mismatch]:
    """Pydantic's errors about ``raw``, without the steps that are not keys of the file."""
    found: dict[Location, Mismatch] = {}
    for error in errors[:MAXIMUM_FAULTS]:
        location = _in_file(error["loc"], raw)
        finding = _finding(error, location, model, raw)
        # A union reports every alternative; one word about a place is enough.
        known = found.get(location)
        if known is None or (known.code == "wrong-type" and finding.code != "wrong-type"):
            found[location] = finding
    # … and what an alternative says of a whole array is noise if another one looked inside.
    around = {location[:length] for location in found for length in range(len(location))}
    return [finding for location, finding in found.items() if location not in around]


def holds(container: Any, part: str | int) -> bool:
    """Return whether a table has a key, or an array an index."""
    if isinstance(container, Mapping):
        return part in container
    return isinstance(container, list | tuple) and isinstance(part, int) and part < len(container)


def _in_file(loc: Location, raw: Any) -> Location:
    """A pydantic location without tags of unions, which are not keys of the file."""
    kept: list[str | int] = []
    here: Any = raw
    for index, part in enumerate(loc):
        last = index == len(loc) - 1
        if holds(here, part):
            here = here[part]
            kept.append(part)
        elif last and isinstance(here, Mapping) and isinstance(part, str) and part.isidentifier():
            kept.append(part)
    return tuple(kept)


def _finding(
    error: Mapping[str, Any], location: Location, model: type[BaseModel], raw: Any
) -> Mismatch:
    kind = error["type"]
    if kind == "extra_forbidden":
        names = _names_at(model, location[:-1], raw)
        return Mismatch(location, "unknown-key", {}, names, meant(location[-1], names))
    if kind == "missing":
        last = error["loc"][-1]
        if isinstance(last, int):
            return Mismatch(location, "too-short", {"expected": last + 1})
        return Mismatch(location, "missing-key", {})
    if kind == "union_tag_not_found":
        return Mismatch((*location, _discriminator(error)), "missing-key", {})
    if kind in ("literal_error", "union_tag_invalid"):
        return _unknown_name(error, location)
    return _wrong_value(error, location)


def _discriminator(error: Mapping[str, Any]) -> str:
    """The key that says which table of a union is meant."""
    return str(error["ctx"]["discriminator"]).strip("'")


def _unknown_name(error: Mapping[str, Any], location: Location) -> Mismatch:
    """A name that is none of those allowed: a value, or that of a table of a union."""
    context, value = error.get("ctx", {}), error.get("input")
    allowed = _quoted(context.get("expected") or context.get("expected_tags", ""))
    if error["type"] == "union_tag_invalid":
        value = error["input"][_discriminator(error)]
        location = (*location, _discriminator(error))
    if not isinstance(value, str):
        values = {"found": _toml_type(value), "expected": "string"}
        return Mismatch(location, "wrong-type", values, allowed)
    return Mismatch(location, "unknown-name", {"found": value}, allowed, nearest(value, allowed))


def _wrong_value(error: Mapping[str, Any], location: Location) -> Mismatch:
    """A value of a wrong type, size, length or form."""
    kind, context, value = error["type"], error.get("ctx", {}), error.get("input")
    if kind in _BOUNDS:
        bound, sign = _BOUNDS[kind]
        return Mismatch(
            location, "out-of-range", {"found": value, "bound": f"{sign} {context[bound]}"}
        )
    if kind in _WRONG_TYPE:
        # A text is a table of languages, or what most write, one string.
        is_text = context.get("class_name") == "Text"
        expected = "string" if is_text else _WRONG_TYPE[kind]
        return Mismatch(location, "wrong-type", {"found": _toml_type(value), "expected": expected})
    if kind == "finite_number":
        return Mismatch(location, "not-finite", {"found": value})
    if kind in ("too_short", "string_too_short"):
        return Mismatch(location, "too-short", {"expected": context["min_length"]})
    if kind in ("too_long", "string_too_long"):
        return Mismatch(location, "too-long", {"expected": context["max_length"]})
    if kind == "string_pattern_mismatch":
        codes = {"^[a-z": "bad-name", "^#": "not-a-colour"}
        begin = (code for start, code in codes.items() if context["pattern"].startswith(start))
        code = next(begin, "control-character")
        return Mismatch(location, code, {"found": value})
    if kind == "log_range":
        return Mismatch(location, "log-range", {})
    if kind == "low_contrast":
        return Mismatch((*location, "accent"), "low-contrast", {"found": context["found"]})
    return Mismatch(location, "invalid", {"detail": error["msg"]})


def _quoted(expected: str) -> tuple[str, ...]:
    """Names out of pydantic's list of them: ``'a', 'b' or 'c'``."""
    return tuple(word for word in expected.split("'")[1::2])


def _toml_type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string"}
    if isinstance(value, Mapping):
        return "table"
    if isinstance(value, list | tuple):
        return "array"
    return names.get(type(value), "date")


def _names_at(model: type[BaseModel], location: Location, raw: Any) -> tuple[str, ...]:
    """Keys that the table at ``location`` may have."""
    annotation: Any = model
    here = raw
    for part in location:
        here = here[part]
        table = _table_of(annotation, None)
        if table is not None:
            field = _field(table, part)
            annotation = field.annotation if field else None
        else:
            arguments = typing.get_args(annotation)
            annotation = (
                arguments[-1]
                if arguments and arguments[-1] is not ...
                else (arguments[0] if arguments else None)
            )
    table = _table_of(annotation, here)
    return tuple(_key(name, field) for name, field in table.model_fields.items()) if table else ()


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _field(table: type[BaseModel], key: str | int) -> FieldInfo | None:
    return next((f for name, f in table.model_fields.items() if _key(name, f) == key), None)


def _table_of(annotation: Any, raw: Any) -> type[BaseModel] | None:
    """The model class that an annotation means for this raw value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        tables = [t for t in (_table_of(a, raw) for a in typing.get_args(annotation)) if t]
        for table in tables:
            for name, field in table.model_fields.items():
                options = typing.get_args(field.annotation)
                if (
                    isinstance(raw, Mapping)
                    and typing.get_origin(field.annotation) is typing.Literal
                    and raw.get(name) in options
                ):
                    return table
        return tables[0] if tables else None
    return None
