"""Compile the catalogues: ``python -m labreport.language.compile FOLDER``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


def compiled(path: Path) -> bytes:
    """The .mo of a .po file; the same bytes each time."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem, abort_invalid=True)
    # What a file does not say, Babel takes from the clock.
    catalogue.creation_date = catalogue.revision_date = EPOCH
    made = BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


if __name__ == "__main__":
    for source in sorted(Path(sys.argv[1]).glob("*.po")):
        source.with_suffix(".mo").write_bytes(compiled(source))
