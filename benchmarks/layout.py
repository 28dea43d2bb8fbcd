"""The pages of a report: how full each is, and what breaks a rule of layout.

    python benchmarks/layout.py build [ARGUMENTS]

Builds as `labreport build` does with these arguments, and prints what it found of each PDF.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from labreport.__main__ import main
from labreport.formats import pdf

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "formats"))

from layout_of import faults, fills


def report_on(document: Any) -> None:
    """Print the pages of a document, and the faults of its layout."""
    print(" ".join(f"{fill:.0%}" for fill in fills(document)))
    for fault in faults(document) or ["no rule is broken"]:
        print(f"  {fault}")


def measured(lay_out: Any) -> Any:
    """The same function, which prints what it lays out."""

    def laid_out(*arguments: Any) -> Any:
        document = lay_out(*arguments)
        report_on(document)
        return document

    return laid_out


if __name__ == "__main__":
    pdf.laid_out = measured(pdf.laid_out)
    sys.argv = ["labreport", *sys.argv[1:]]
    main()
