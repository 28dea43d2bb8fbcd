"""A lab: what a whole experiments.toml says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from labreport.lab.configuration import Rounds, Seed
from labreport.lab.schema.model import LabTable, Real

Language = Literal["zh", "en"]
Robustness = Literal["full", "starts", "none"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Count = Annotated[int, Field(strict=True, ge=1, le=100_000)]
# Control characters would reach terminals and tables, and marks that turn the direction of writing
# round would show a text as another one.
_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NO_CONTROL = rf"^[^{_CONTROL}]*$"
UNPRINTABLE = re.compile(f"[{_CONTROL}]")
"""A character that no text may have."""
Line = Annotated[str, Field(max_length=2000, pattern=_NO_CONTROL)]


class Text(LabTable):
    """A text in one or more languages. A bare string stands for every language."""

    zh: Line | None = Field(None, description="中文")
    en: Line | None = Field(None, description="English")

    @model_validator(mode="before")
    @classmethod
    def _bare_string(cls, raw: Any) -> Any:
        return {"zh": raw, "en": raw} if isinstance(raw, str) else raw

    def within(self, language: str) -> str:
        """The text in a language, or in the other one if it was not written in this one."""
        return (self.en or self.zh or "") if language == "en" else (self.zh or self.en or "")


class CoverField(LabTable):
    """A line of the cover that only this lab or school has."""

    label: Text = Field(description="What it is called.")
    value: Text = Field(description="What stands there; an empty text leaves a line to write on.")


_IN_BRACKETS = re.compile(r"\s*[(（].*[)）]\s*")


class Cover(LabTable):
    """What stands on the cover; whatever is left out is not printed."""

    course: Text | None = Field(None, description="实验课程名称")
    title: Text | None = Field(None, description="实验项目名称")
    student: Text | None = Field(None, description="学生姓名")
    number: Text | None = Field(None, description="学号")
    class_: Text | None = Field(None, alias="class", description="班级")
    major: Text | None = Field(None, description="专业")
    school: Text | None = Field(None, description="学校")
    college: Text | None = Field(None, description="学院")
    place: Text | None = Field(None, description="实验地点")
    date: Text | None = Field(None, description="实验时间")
    teacher: Text | None = Field(None, description="指导教师")
    field: tuple[CoverField, ...] = Field((), description="Further lines, in this order.")

    @property
    def unfilled(self) -> tuple[str, ...]:
        """Keys of the lines that still say in brackets what belongs there."""
        texts = {key.rstrip("_"): getattr(self, key) for key in type(self).model_fields}
        found = ((key, text) for key, text in texts.items() if isinstance(text, Text))
        return tuple(key for key, text in found if _IN_BRACKETS.fullmatch(text.within("zh")))


MOST_VARIANTS = 100
"""Variants of an experiment: each has a name and a line in every table and figure, and more cannot
be read. What has more values is a sweep, and what has more starts has seeds."""

MOST_EXPERIMENTS = 100
"""Experiments of a lab, each of which is a section of the report."""

MOST_APPENDICES = 20
"""Appendices of a lab, each of which repeats all experiments."""

LEAST_CONTRAST = 4.5
"""Between text and white: WCAG 2.2, 1.4.3."""


class Titles(LabTable):
    """Section titles, where a school has its own."""

    purpose: Text | None = Field(None, description="实验目的")
    principle: Text | None = Field(None, description="实验原理")
    content: Text | None = Field(None, description="实验内容")
    equipment: Text | None = Field(None, description="实验所用设备")
    set_up: Text | None = Field(None, alias="set-up", description="实验设置")
    steps: Text | None = Field(None, description="实验步骤，预习报告")
    procedure: Text | None = Field(None, description="实验步骤，实验报告")
    experiments: Text | None = Field(None, description="实验数据及结果分析")
    comparison: Text | None = Field(None, description="各实验的横向比较")
    conclusions: Text | None = Field(None, description="实验结论")
    reflection: Text | None = Field(None, description="总结及心得体会")


class ThemeTable(LabTable):
    """How the report looks; all else that can be changed is in the folder ``theme``."""

    name: Literal["plain", "school"] = Field("plain", description="A design that ships.")
    form: Literal["one-part", "two-part"] = Field(
        "one-part", description="Whether a preliminary report stands before the report."
    )
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] | None = Field(
        None, description="Colour of headings and links, as #rrggbb."
    )
    titles: Titles = Field(
        default_factory=lambda: Titles.model_validate({}), description="Titles of sections."
    )

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.accent is not None and (found := contrast_with_white(self.accent)) < LEAST_CONTRAST:
            raise PydanticCustomError("low_contrast", "too pale", {"found": f"{found:.1f}"})
        return self


def contrast_with_white(colour: str) -> float:
    """Contrast of a colour #rrggbb with white, 1 to 21: WCAG 2.2, "contrast ratio"."""
    shares = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    luminance = sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 1.05 / (luminance + 0.05)


class Range(LabTable):
    """Evenly spaced values, both ends included."""

    from_: Real = Field(alias="from", description="First value.")
    to: Real = Field(description="Last value.")
    count: Annotated[int, Field(strict=True, ge=2, le=10_000)] = Field(description="How many.")
    scale: Literal["log", "linear"] = Field("log", description="Evenly in ratio or in difference.")

    @model_validator(mode="after")
    def _log_of_positive(self) -> Self:
        if self.scale == "log" and (self.from_ <= 0 or self.to <= 0):
            raise PydanticCustomError("log_range", "a log range needs positive ends")
        return self

    def values(self) -> tuple[float, ...]:
        """The values, rounded to 12 significant digits so that 0.1 is 0.1."""
        steps = [index / (self.count - 1) for index in range(self.count)]
        if self.scale == "log":
            raw = [self.from_ * (self.to / self.from_) ** step for step in steps]
        else:
            raw = [self.from_ + (self.to - self.from_) * step for step in steps]
        return tuple(float(f"{value:.12g}") for value in raw)


Change = dict[str, Any]
Seeds = (
    Annotated[int, Field(strict=True, ge=1, le=100_000)]
    | Annotated[tuple[Seed, ...], Field(min_length=1)]
)


class Variant(LabTable):
    """One of the things that an experiment compares."""

    name: Name = Field(description="Short name, also on the command line.")
    label: Text | None = Field(None, description="What figures and tables call it.")
    change: Change = Field(default_factory=dict, description="Keys that differ from the base.")
    against: Name | None = Field(
        None, description="Variant that it is compared with; the first one if left out."
    )
    sweep: Change | None = Field(None, description="Replaces the experiment's sweep.")
    seeds: Seeds | None = Field(None, description="Replaces the experiment's seeds.")


class Formula(LabTable):
    """Derivatives as somebody wrote them, to be checked against the chain rule."""

    name: Name = Field(description="Short name.")
    label: Text | None = Field(None, description="What figures and tables call it.")
    reason: Text | None = Field(None, description="In words: which rule it breaks, or keeps.")
    derivatives: Annotated[dict[str, Line], Field(min_length=1)] = Field(
        description="Formula of the derivative of the loss by each weight that it names, in w1…, "
        "x1…, h1…, o1…, y1… and d_w1… (the derivative by another weight); the chain rule holds "
        "for weights that are not named."
    )


class Experiment(LabTable):
    """One question, and the runs that answer it."""

    kind: Literal["comparison", "gradient-check"] = Field(
        "comparison",
        description="comparison: of variants, swept values or random starts; gradient-check: of "
        "the gradients of one run by hand, by autograd, by differences and by other formulas.",
    )
    title: Text = Field(description="Heading.")
    question: Text | None = Field(None, description="What it asks, in words.")
    change: Change = Field(
        default_factory=dict, description="Keys that differ from the base in every variant."
    )
    variant: Annotated[tuple[Variant, ...], Field(max_length=MOST_VARIANTS)] = Field(
        (), description="What is compared."
    )
    formula: Annotated[tuple[Formula, ...], Field(max_length=MOST_VARIANTS)] = Field(
        (), description="Other formulas for the gradients, of a gradient check."
    )
    sweep: Change = Field(
        default_factory=dict, description="Keys with a list of values, or {from, to, count}."
    )
    seeds: Seeds | None = Field(None, description="Number of random starts, or their seeds.")
    budgets: Annotated[tuple[Rounds, ...], Field(min_length=1)] | None = Field(
        None,
        description="Rounds after which results are compared, in any order; the last round if left "
        "out.",
    )
    record_every: Rounds | None = Field(
        None,
        description="Rounds between two records of the weights of random starts (first and last "
        "are always kept); chosen by their number if left out. Losses are kept for every round.",
    )

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants; an experiment that names none compares the base with itself swept."""
        return self.variant or (Variant(name="base"),)


class Appendix(LabTable):
    """Every experiment once more, with these keys of the base changed."""

    title: Text = Field(description="Heading.")
    change: Change = Field(description="Keys of the base that differ.")


class LabFile(LabTable):
    """The file as written. ``base`` and every ``change`` are checked when they are merged."""

    format: Annotated[int, Field(strict=True, ge=1, le=1)] = Field(
        1, description="Version of this format."
    )
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = Field(
        ("zh", "en"), description="Languages of the report, the first one without a suffix."
    )
    cover: Cover = Field(default_factory=lambda: Cover.model_validate({}), description="The cover.")
    theme: ThemeTable = Field(
        default_factory=lambda: ThemeTable.model_validate({}), description="How it looks."
    )
    purpose: Text | None = Field(None, description="实验目的: what the lab is for.")
    base: dict[str, Any] = Field(description="The configuration that experiments start from.")
    experiment: Annotated[
        dict[Name, Experiment], Field(min_length=1, max_length=MOST_EXPERIMENTS)
    ] = Field(description="The experiments, in the order of the report.")
    appendix: Annotated[dict[Name, Appendix], Field(max_length=MOST_APPENDICES)] = Field(
        default_factory=dict, description="Repetitions of every experiment on another base."
    )
    check_fonts: StrictBool = Field(True, description="Fail on characters that no font has.")
    worked_row: Annotated[int, Field(strict=True, ge=1)] | None = Field(
        None,
        description="Row of the base's data, counted from 1, whose numbers the chapter on "
        "backpropagation shows; one with many inputs and derivatives that are not 0 if left out.",
    )
    test_explanations: StrictBool = Field(
        True, description="Train controls, the runs that test why something happened."
    )
    robustness: Robustness = Field(
        "full",
        description="Controls that test whether a conclusion survives: full: from other random "
        "starts, with more rounds, at other learning rates and in another rounding; starts: from "
        "other random starts; none.",
    )


TAGS = {"optimizer": "name", "initial": "scheme"}
"""Tables whose other keys depend on one key, and that key."""

KEPT = {"optimizer": ("learning_rate",), "initial": ()}
"""Keys that such a table keeps when that key changes: the rest falls back to the new defaults."""


ALTERNATIVES: tuple[tuple[frozenset[str], ...], ...] = (
    (frozenset({"rounds"}), frozenset({"epochs"})),
    (frozenset({"layers"}), frozenset({"hidden"})),
    (
        frozenset({"inputs", "targets"}),
        frozenset({"file", "target", "columns", "missing"}),
        frozenset({"set"}),
        frozenset({"rule"}),
    ),
)
"""Keys of a configuration that say the same thing in other ways: a change from one to another
leaves nothing of the first."""


def _without_replaced(base: Change, change: Change) -> Change:
    """The keys of a table that a change does not say in another way."""
    replaced = frozenset[str]()
    for ways in ALTERNATIVES:
        chosen = [way for way in ways if not way.isdisjoint(change)]
        if chosen:
            replaced |= frozenset().union(*ways) - frozenset().union(*chosen)
    return {key: value for key, value in base.items() if key not in replaced}


def merge(base: Change, change: Change) -> Change:
    """``base`` with the keys of ``change`` replaced, table by table; neither is touched."""
    merged = _without_replaced(base, change)
    for key, value in change.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            tag = TAGS.get(key)
            if tag and value.get(tag, old.get(tag)) != old.get(tag):
                old = {kept: old[kept] for kept in KEPT[key] if kept in old}
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged


def sweep_axes(sweep: Change, above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Swept keys by their path, each with its list or range table as written."""
    axes: list[tuple[tuple[str, ...], Any]] = []
    for key, value in sweep.items():
        if isinstance(value, dict) and not {"from", "to"} <= value.keys():
            axes += sweep_axes(value, (*above, key))
        else:
            axes.append(((*above, key), value))
    return axes


def change_at(settings: Iterable[tuple[Sequence[str], Any]]) -> Change:
    """The nested tables that set some keys, each given by its path."""
    change: Change = {}
    for path, value in settings:
        *tables, leaf = path
        table = change
        for name in tables:
            # A table that was given as a value is another's, and stays as it is.
            table[name] = dict(table.get(name, {}))
            table = table[name]
        table[leaf] = value
    return change
