"""The structure of a PDF where PDF/UA-1 asks for more than WeasyPrint gives.

WeasyPrint tags running heads like text, but gives them no place in the structure tree; to
ISO 14289-1, 7.1 they are artifacts. And it calls every picture a figure, also that of a formula.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any


def mend(pdf: Any, formulas: Collection[str]) -> None:
    """Make what has no place in the structure an artifact, and formulas what they are.

    Args:
        pdf: a `pydyf.PDF` that has not been written.
        formulas: alternative texts of the pictures that are formulas.
    """
    placed = set(_below(pdf, _object(pdf, pdf.catalog["StructTreeRoot"])))
    marks: dict[int, set[int]] = defaultdict(set)
    for element in pdf.objects:
        if not _is_element(element):
            continue
        if element.number not in placed:
            marks[_number(element["Pg"])] |= {k for k in element["K"] if isinstance(k, int)}
            element.clear()
        elif element["S"] == "/Figure" and element["Alt"].string in formulas:
            element["S"] = "/Formula"
    for page, numbers in marks.items():
        _forget(pdf, page, numbers)
        _stamp(_object(pdf, pdf.objects[page]["Contents"]), numbers)


def _is_element(item: Any) -> bool:
    return isinstance(item, dict) and item.get("Type") == "/StructElem"


def _number(reference: bytes) -> int:
    return int(reference.split()[0])


def _object(pdf: Any, reference: bytes) -> Any:
    return pdf.objects[_number(reference)]


def _below(pdf: Any, element: Any) -> Iterator[int]:
    """Numbers of all elements below one in the structure tree."""
    for kid in element.get("K", ()):
        if isinstance(kid, bytes):
            yield _number(kid)
            yield from _below(pdf, _object(pdf, kid))


def _forget(pdf: Any, page: int, numbers: Collection[int]) -> None:
    """Take marks of a page out of the list that leads from marks to elements."""
    root = _object(pdf, pdf.catalog["StructTreeRoot"])
    listed = _object(pdf, root["ParentTree"])["Nums"]
    places = listed[listed.index(pdf.objects[page]["StructParents"]) + 1]
    for number in numbers:
        places[number] = b"null"


def _stamp(stream: Any, numbers: Collection[int]) -> None:
    """Turn marks of a page's content into those of artifacts."""
    parts = stream.stream
    for index, part in enumerate(parts):
        if part == b"BDC" and parts[index - 1].get("MCID") in numbers:
            parts[index - 2] = "/Artifact"
            parts[index - 1].clear()
            parts[index - 1]["Type"] = "/Pagination"
