"""The room that a theme's style sheets leave on a page of paper.

A page with hardly any room for text takes a page for each letter, and layout without an end. So the
size and the margins are looked at before anything is laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

SMALLEST = 70.0
"""Width and height of a page, in mm."""

LEAST = 40.0
"""Width and height of what the margins leave, in mm."""

MILLIMETRES = {
    "mm": 1.0,
    "cm": 10.0,
    "q": 0.25,
    "in": 25.4,
    "pt": 25.4 / 72,
    "pc": 25.4 / 6,
    "px": 25.4 / 96,
}
"""Units of lengths that say the same wherever they stand."""

SIZES = {
    "a3": (297.0, 420.0),
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "b4": (250.0, 353.0),
    "b5": (176.0, 250.0),
    "jis-b4": (257.0, 364.0),
    "jis-b5": (182.0, 257.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "ledger": (279.4, 431.8),
    "auto": (210.0, 297.0),
}
"""Sizes of paper by name, upright, in mm."""

TURNS = ("landscape", "portrait")
SIDES = ("top", "right", "bottom", "left")
OTHERS = ("border", "height", "max-", "min-", "width")
"""How properties begin that would take room as well, and that no page needs."""


@dataclass(frozen=True)
class Narrow:
    """What is wrong in a rule @page.

    Attributes:
        line: of the style sheet.
        code: names the sentence.
        values: what it mentions.
        allowed: what could stand there.
    """

    line: int
    code: str
    values: dict[str, object]
    allowed: tuple[str, ...] = ()


class Room:
    """Sizes and margins of pages in mm, while style sheets follow each other."""

    def __init__(self) -> None:
        self._set: dict[str, dict[str, float]] = {"": _paper("a4")}

    def follow(self, text: str) -> Iterator[Narrow]:
        """Take in one more style sheet, and say what is wrong in it."""
        for rule in _page_rules(text):
            selector = "".join(token.serialize() for token in rule.prelude).strip().lower()
            own = self._set.setdefault(selector, {})
            faults = list(_take(rule, own))
            yield from faults or _narrow(rule.source_line, {**self._set[""], **own})


def _page_rules(text: str) -> Iterator[Any]:
    """Rules @page, also those inside of @media and others."""
    import tinycss2

    waiting = tinycss2.parse_stylesheet(text, True, True)[::-1]
    while waiting:
        rule = waiting.pop()
        if rule.type != "at-rule" or rule.content is None:
            continue
        if rule.lower_at_keyword == "page":
            yield rule
        elif rule.lower_at_keyword in ("media", "supports", "layer", "container"):
            waiting += tinycss2.parse_rule_list(rule.content, True, True)[::-1]


def _take(rule: Any, own: dict[str, float]) -> Iterator[Narrow]:
    """Put what a rule sets into what is known of its pages."""
    import tinycss2

    for declaration in tinycss2.parse_blocks_contents(rule.content, True, True):
        if declaration.type != "declaration":
            continue
        name, line = declaration.lower_name, declaration.source_line
        values = [t for t in declaration.value if t.type not in ("whitespace", "comment")]
        if name.startswith(OTHERS):
            yield Narrow(line, "theme-page-property", {"found": name}, ("size", "margin"))
        elif name == "size" or name.startswith(("margin", "padding")):
            found = _size(values) if name == "size" else _edges(name, values)
            if found is None:
                shown = "".join(token.serialize() for token in declaration.value).strip()
                allowed = (*MILLIMETRES, *(SIZES if name == "size" else ()))
                known = {"found": shown[:80], "name": name}
                yield Narrow(line, "theme-page-length", known, allowed)
            else:
                own |= found


def _size(values: Sequence[Any]) -> dict[str, float] | None:
    """Width and height that a size says; None if they cannot be told."""
    names = [value.lower_value for value in values if value.type == "ident"]
    lengths = [length for value in values if (length := _length(value)) is not None]
    if len(names) + len(lengths) != len(values) or len(names) > 2 or len(lengths) > 2:
        return None
    turns = [name for name in names if name in TURNS]
    papers = [name for name in names if name in SIZES]
    if len(turns) + len(papers) != len(names) or (lengths and names) or not values:
        return None
    if lengths:
        return {"width": lengths[0], "height": lengths[-1]}
    return _paper(papers[0] if papers else "a4", "landscape" in turns)


def _paper(name: str, landscape: bool = False) -> dict[str, float]:
    short, long = SIZES[name]
    return {"width": long, "height": short} if landscape else {"width": short, "height": long}


def _edges(name: str, values: Sequence[Any]) -> dict[str, float] | None:
    """Margins or paddings by name; None if they cannot be told."""
    lengths = [length for value in values if (length := _length(value)) is not None]
    kind, _, side = name.partition("-")
    most = 1 if side else 4
    if len(lengths) != len(values) or not 1 <= len(lengths) <= most or (side and side not in SIDES):
        return None
    if side:
        return {name: lengths[0]}
    top, right, bottom, left = (lengths[k] for k in _WHICH[len(lengths) - 1])
    return dict(zip((f"{kind}-{s}" for s in SIDES), (top, right, bottom, left), strict=True))


_WHICH = ((0, 0, 0, 0), (0, 1, 0, 1), (0, 1, 2, 1), (0, 1, 2, 3))
"""Which of one, two, three or four lengths is for which side."""


def _length(value: Any) -> float | None:
    """A length in mm; None for what is none."""
    if value.type == "number" and value.value == 0:
        return 0.0
    if value.type == "dimension" and value.lower_unit in MILLIMETRES:
        return float(value.value * MILLIMETRES[value.lower_unit])
    return None


def _narrow(line: int, known: dict[str, float]) -> Iterator[Narrow]:
    """Whether pages are too small, or their margins too wide."""
    size, left = min(known["width"], known["height"]), min(_left(known))
    if size < SMALLEST:
        yield Narrow(line, "theme-page-size", {"found": f"{size:g}", "limit": f"{SMALLEST:g}"})
    elif left < LEAST:
        yield Narrow(line, "theme-page-room", {"found": f"{left:g}", "limit": f"{LEAST:g}"})


def _left(known: dict[str, float]) -> Iterator[float]:
    """Width and height that margins and paddings leave."""
    for side, edges in (("width", ("left", "right")), ("height", ("top", "bottom"))):
        taken = (known.get(f"{kind}-{e}", 0.0) for kind in ("margin", "padding") for e in edges)
        yield known[side] - sum(taken)
