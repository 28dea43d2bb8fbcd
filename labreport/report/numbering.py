"""Numbers of figures, tables, formulas and sections, given out in reading order."""

from __future__ import annotations

from dataclasses import dataclass, field

from labreport.report.language import Language


@dataclass
class Numbering:
    """Counts what has been numbered so far; one for each report."""

    language: Language
    _counts: dict[str, int] = field(default_factory=dict)

    def next(self, kind: str) -> tuple[str, str]:
        """Anchor and label of the next figure, table or formula."""
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}-{number}", self.language.text(f"report.{kind}", number=number)
