"""A template of somebody's, run within limits: it reaches nothing, and it comes to an end.

Jinja's own sandbox keeps a template from what it is not given. What is added here keeps it from
taking all the time or memory there is: nothing makes a long text out of a short one in one step,
steps are counted, and so are characters.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

from jinja2 import StrictUndefined, TemplateRuntimeError, UndefinedError, filters, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from labreport.lab.reading.faults import nearest

LONGEST = 5_000_000
"""Characters of what a template makes; a picture of a theme has half a million."""

STEPS = 100_000
"""Lines that a compiled template runs; the cover of a school runs 200."""

LARGEST_RANGE = 1000
"""Numbers in a range."""

LARGEST_NUMBER = 1_000_000_000
"""What a product may be."""

OPERATORS = ("+", "-", "*", "/", "//", "~")
"""What may stand between two values. A product is of numbers: one with a text repeats the text."""

FILTERS = (
    *("abs", "capitalize", "d", "default", "e", "escape", "first", "int", "join", "last"),
    *("length", "count", "list", "lower", "map", "reject", "rejectattr", "replace", "reverse"),
    *("safe", "select", "selectattr", "sort", "string", "striptags", "title", "trim"),
    *("truncate", "unique", "upper"),
)
"""Filters of Jinja that do not make a text much longer; join and replace are limited below."""

METHODS: Mapping[type, tuple[str, ...]] = {
    str: ("capitalize", "endswith", "lower", "split", "startswith", "strip", "title", "upper"),
    dict: ("get", "items", "keys", "values"),
    **dict.fromkeys((int, float, bytes, list, tuple), ()),
}
"""Methods of plain values."""


class RefusedError(TemplateRuntimeError):
    """A template asks for what it may not have; carries what a fault needs to say so."""

    def __init__(
        self, code: str, allowed: tuple[str, ...] = (), nearest: str = "", **values: object
    ) -> None:
        super().__init__(code)
        self.code, self.values, self.allowed, self.nearest = code, values, allowed, nearest


class Unknown(StrictUndefined):
    """What a template asks for and is not given; used, it tells the names that there are."""

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        def refused(_: str | None) -> RefusedError:
            known = tuple(map(str, obj)) if isinstance(obj, dict) else ()
            found = str(name)[:80]
            return RefusedError("theme-undefined", known, nearest(found, known), found=found)

        told = hint is None and (obj is missing or isinstance(obj, dict))
        super().__init__(hint, obj, name, refused if told else exc)  # type: ignore[arg-type]


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, without what takes long or makes much."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.globals = {"range": _range}
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.filters |= {"join": _joined, "replace": _replaced}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """A product of numbers.

        Raises:
            RefusedError: for another operator or other values, or if the product is too large.
        """
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator != "*" or not numbers or abs(left * right) > LARGEST_NUMBER:
            found = operator if operator != "*" else f"{str(left)[:20]} * {str(right)[:20]}"
            raise RefusedError("theme-operator", OPERATORS, found=found)
        return left * right

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may have this: of plain values only some methods."""
        for kind, names in METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Nothing in place of str.format: that is no method for a template."""
        return None


def render(template: Any, file: str, values: Mapping[str, object]) -> str:
    """What a template makes.

    Args:
        template: a template of a `Sandbox`.
        file: its name.
        values: what it is given.

    Raises:
        RefusedError: if it goes on for too long, or makes too much.
        Exception: whatever else a template can raise.
    """
    parts: list[str] = []
    size = 0
    with _counted(file):
        for part in template.generate(values):
            size += len(part)
            _limit(size)
            parts.append(part)
    return "".join(parts)


@contextmanager
def _counted(file: str) -> Iterator[None]:
    """Counts the lines that the template of this file runs, and looks at what it keeps."""
    left = STEPS

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != file:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                raise RefusedError("theme-steps", limit=STEPS)
            for value in frame.f_locals.values():
                if isinstance(value, str | list | tuple):
                    _limit(len(value))
        return trace

    before = sys.gettrace()
    # Loops in loops take long without writing anything: only the interpreter can say so.
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def _limit(size: int) -> None:
    if size > LONGEST:
        raise RefusedError("theme-long", limit=LONGEST)


def _range(*limits: int) -> range:
    numbers = range(*limits)
    # Not len(), which has no word for more than 64 bits.
    if numbers and abs((numbers[-1] - numbers[0]) // numbers.step) >= LARGEST_RANGE:
        raise RefusedError("theme-range", limit=LARGEST_RANGE)
    return numbers


@pass_eval_context
def _joined(context: EvalContext, values: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    parts = list(values)
    _limit(sum(len(str(part)) + len(d) for part in parts))
    return filters.sync_do_join(context, parts, d, attribute)


@pass_eval_context
def _replaced(context: EvalContext, s: str, old: str, new: str, count: int | None = None) -> str:
    _limit(len(s) + s.count(old) * len(new))
    return filters.do_replace(context, s, old, new, count)
