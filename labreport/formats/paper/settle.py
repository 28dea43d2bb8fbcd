"""Pages without gaps: what stands below a figure or table moves up where that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from labreport.formats.paper.placed import LEAST_FILL, NUMBERED, Page, heights, kind, pages_of

WANTED_FILL = 0.85
"""Share of a page from which on nothing is moved: more than a page has to have."""

INTRODUCING = frozenset({"introduction", "question"})
"""Classes of blocks that stand with the block after them: what it shows, what answers it."""

MOST_LAYOUTS = 9
"""Layouts of a document, each with one more block moved; what is left then stays as it is."""


def settled(root: Any, lay_out: Callable[[], Any]) -> Any:
    """The layout of a document in which few pages end before they are full.

    Blocks move within their section alone. Figures keep their order, and so do tables, and none
    goes before the sentence that points to it; the text keeps its order, too. A question stands
    on the page of its answer, unless that would leave a gap.

    Args:
        root: the root element of the document, which changes.
        lay_out: lays the document out as it is.
    """
    document = lay_out()
    parents = {child: parent for parent in root.iter() for child in parent}
    for _ in range(MOST_LAYOUTS - 1):
        pages = pages_of(document)
        if not any(_fill(page, after, parents, heights(pages)) for page, after in _gaps(pages)):
            break
        document = lay_out()
    return document


def _gaps(pages: Sequence[Page]) -> Iterator[tuple[Page, Page]]:
    """Pages with a gap at their foot although their chapter goes on, each with the next page."""
    for page, after in pairwise(pages):
        has_gap = page.fill < WANTED_FILL and page.lines and after.lines
        if has_gap and page.lines[-1].chapter == after.lines[0].chapter != "":
            yield page, after


def _fill(page: Page, after: Page, parents: dict[Any, Any], tall: dict[Any, float]) -> bool:
    """Move something up into the gap of a page, before what begins the next one.

    Where a section begins there, its question may come without the answer.
    """
    first = after.lines[0].block
    if first is None or first is page.lines[-1].block:
        return False
    if kind(first) == "heading":
        return page.fill < LEAST_FILL and _set_apart(parents[first])
    section = parents[first]
    units = _units([child for child in section if child.tag != "section"])
    place = next(k for k, unit in enumerate(units) if first in unit)
    for later in range(place + 1, len(units)):
        passed = [block for between in units[place:later] for block in between]
        if _may_pass(units[later], passed) and _fits(units[later], page.room, tall):
            _move(section, units[later], units[place][0])
            return True
    return _goes_up(section, units[: place + 1], page, tall)


def _set_apart(section: Any) -> bool:
    """Let the question of a section end a page; False where there is none, or it may already."""
    for block in section:
        if (block.get("class") or "").split() == ["question"]:
            block.set("class", "question apart")
            return True
    return False


def _goes_up(section: Any, units: Sequence[list[Any]], page: Page, tall: dict[Any, float]) -> bool:
    """Move the last of these units up to where it has room on a page; False if there is no place.

    What it passes goes on on the next page instead.
    """
    *before, unit = units
    there = {line.block for line in page.lines}
    room, passed = page.room, []
    for other in reversed(before):
        passed += other
        room += sum(tall.get(block, 0.0) for block in other)
        if not there.issuperset(other) or not _may_pass(unit, passed):
            return False
        if kind(unit[0]) in NUMBERED and _fits(unit, room, tall):
            _move(section, unit, other[0])
            return True
    return False


def _move(section: Any, unit: Sequence[Any], where: Any) -> None:
    """Put a unit before another block of its section."""
    for block in unit:
        section.remove(block)
        section.insert(list(section).index(where), block)


def _units(blocks: Sequence[Any]) -> list[list[Any]]:
    """Blocks that stay together: what introduces the next one, with that."""
    units: list[list[Any]] = []
    goes_on = False
    for block in blocks:
        if goes_on:
            units[-1].append(block)
        else:
            units.append([block])
        goes_on = not INTRODUCING.isdisjoint((block.get("class") or "").split())
    return units


def _may_pass(unit: Sequence[Any], passed: Sequence[Any]) -> bool:
    """Return whether a unit may stand before what it would pass."""
    moved = {kind(block) for block in unit} & set(NUMBERED)
    if any(kind(block) == "heading" for block in passed):
        return False
    if moved:
        points = any("pointer" in (block.get("class") or "").split() for block in passed)
        return not points and not moved & {kind(block) for block in passed}
    return all(kind(block) in NUMBERED for block in passed)


def _fits(unit: Sequence[Any], room: float, tall: dict[Any, float]) -> bool:
    """Return whether a unit has room, or goes on on the next page."""
    if all(kind(block) == "text" for block in unit):
        return True
    return sum(tall.get(block, 0.0) for block in unit) * 1.05 < room
