"""What a PDF has beyond what WeasyPrint gives: structure for PDF/UA-1, and files.

WeasyPrint tags running heads like text, but gives them no place in the structure tree; to
ISO 14289-1, 7.1 they are artifacts. It calls every picture a figure, also that of a formula. And
where a part of a link is marked up, it gives the place of the link to that part; by 7.18.5 it is
the link's own.

Files that it attaches have times, and no relationship to the document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pydyf

from labreport.formats.table import AttachedFile
from labreport.language.catalogue import Language


def mend(pdf: Any, formulas: Collection[str]) -> None:
    """Make what has no place in the structure an artifact, and formulas and links what they are.

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
        else:
            _give_to_the_link(pdf, element)
    for page, numbers in marks.items():
        _forget(pdf, page, numbers)
        _stamp(_object(pdf, pdf.objects[page]["Contents"]), numbers)


def _give_to_the_link(pdf: Any, element: Any) -> None:
    """Places of links that a part of a link has, as kids of the link itself."""
    places = [kid for kid in element.get("K", ()) if _is_place(pdf, kid)]
    if not places or (link := _link_above(pdf, element)) is element:
        return
    owners = _object(pdf, _object(pdf, pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"]
    for place in places:
        element["K"].remove(place)
        link["K"].append(place)
        annotation = _object(pdf, _object(pdf, place)["Obj"])
        owners[owners.index(annotation["StructParent"]) + 1] = link.reference


def _is_place(pdf: Any, kid: Any) -> bool:
    return isinstance(kid, bytes) and _object(pdf, kid).get("Type") == "/OBJR"


def _link_above(pdf: Any, element: Any) -> Any:
    """The link that an element is a part of; the element itself, where it is one or in none."""
    above = element
    while above.get("S") not in ("/Link", None):
        above = _object(pdf, above["P"])
    return above if above.get("S") else element


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


def attach(pdf: Any, files: Sequence[AttachedFile], language: Language) -> None:
    """Put files into a PDF as associated files (ISO 32000-2, 14.13).

    Args:
        pdf: a `pydyf.PDF` that has not been written.
        files: what it is to carry.
        language: of the descriptions.
    """
    tree, references = pydyf.Array(), pydyf.Array()
    # The tree of their names is sorted.
    for file in sorted(files, key=lambda file: file.name):
        specification = _specification(pdf, file, language)
        tree += [specification["F"], specification.reference]
        references.append(specification.reference)
    if files:
        names = pdf.catalog.setdefault("Names", pydyf.Dictionary())
        names["EmbeddedFiles"] = pydyf.Dictionary({"Names": tree})
        pdf.catalog["AF"] = references


def _specification(pdf: Any, file: AttachedFile, language: Language) -> Any:
    """Add a file to a PDF, and what tells of it, which is returned."""
    told = {
        "Type": "/EmbeddedFile",
        "Subtype": f"/{file.kind.replace('/', '#2F')}",
        "Params": pydyf.Dictionary({"Size": len(file.content)}),
    }
    stream = pydyf.Stream([file.content], told, compress=True)
    pdf.add_object(stream)
    specification = pydyf.Dictionary(
        {
            "Type": "/Filespec",
            "F": pydyf.String(file.name),
            "UF": pydyf.String(file.name),
            "EF": pydyf.Dictionary({"F": stream.reference, "UF": stream.reference}),
            "Desc": pydyf.String(language.text(f"attached.{file.name}")),
            "AFRelationship": f"/{file.relationship}",
        }
    )
    pdf.add_object(specification)
    return specification
