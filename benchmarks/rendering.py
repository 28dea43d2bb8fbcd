"""How long a build takes from stored runs to the report, against WeasyPrint alone.

    python benchmarks/rendering.py [ROUNDS]

WeasyPrint alone is a process that reads the finished documents for paper, one a language, and makes
PDFs of them. Each round runs it, then a build. The lab is the one that ships, in both languages;
nothing trains.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

BUILD = "import sys; sys.argv[0] = 'labreport'; from labreport.__main__ import main; main()"

KEEP_DOCUMENTS = """
import sys
from labreport.formats import pdf
paper = pdf.paper
def kept(report, language):
    html = paper(report, language)
    open(f"paper.{language.code}.html", "w", encoding="utf-8").write(html)
    return html
pdf.paper = kept
from labreport.__main__ import main
sys.argv = ["labreport", "build", "--force"]
main()
"""

ALONE = """
import os
from pathlib import Path
from labreport.formats.pdf import FIXED_TIME, _fetcher
import weasyprint
os.environ["SOURCE_DATE_EPOCH"] = FIXED_TIME
for path in sorted(Path().glob("paper.*.html")):
    document = weasyprint.HTML(string=path.read_text(encoding="utf-8"), url_fetcher=_fetcher())
    path.with_suffix(".pdf").write_bytes(document.write_pdf(pdf_variant="pdf/ua-1"))
"""


def main(rounds: int) -> None:
    """Print a table: seconds of each, and the ratio to WeasyPrint alone in the same round."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds(BUILD, ("build",), folder)
        seconds(KEEP_DOCUMENTS, (), folder)
        rows: list[tuple[float, float]] = []
        for _ in range(rounds):
            alone = seconds(ALONE, (), folder)
            rows.append((alone, seconds(BUILD, ("build", "--force"), folder)))
    print("| what | s | times WeasyPrint alone |")
    print("|---|---|---|")
    for index, what in enumerate(("WeasyPrint alone", "a build")):
        ratio = median(row[index] / row[0] for row in rows)
        print(f"| {what} | {median(row[index] for row in rows):.1f} | {ratio:.2f} |")


def seconds(program: str, arguments: tuple[str, ...], folder: Path) -> float:
    """From the start of a process to its end."""
    begun = perf_counter()
    subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, check=True, capture_output=True
    )
    return perf_counter() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
