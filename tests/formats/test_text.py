"""report.txt: all of the report's tree, a line for each sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import run

from labreport.build.pipeline import build
from labreport.build.request import Request
from labreport.formats import text
from labreport.formats.table import FORMATS, USUAL
from labreport.language.catalogue import language
from labreport.render.printed import (
    Notes,
    PrintedBlock,
    PrintedFigure,
    PrintedFormula,
    PrintedParagraph,
    PrintedReport,
    PrintedSection,
    PrintedSentences,
    PrintedTable,
)
from labreport.render.printing import print_report

LAB = """
[experiment.rate]
title.zh = "学习率"
title.en = "Learning rate"
question.zh = "多大合适？"
question.en = "Which one?"
sweep.optimizer.learning_rate = [0.1, 1.0, 10.0]
"""

NOTE = "# Mine\n\nI saw **this**: $x^2$.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two\n"


def texts(report: PrintedReport) -> Iterator[str]:
    """Every text of a report's tree that stands in a line of its own."""
    waiting: list[PrintedSection] = [*report.sections, *((report.notes,) if report.notes else ())]
    while waiting:
        section = waiting.pop()
        yield f"{section.number} {section.title}"
        for block in (*section.blocks, *section.closing):
            yield from of_block(block)
        waiting += section.sections


def of_block(block: PrintedBlock) -> Iterator[str]:
    match block:
        case PrintedParagraph():
            yield block.text
        case PrintedSentences():
            yield from (item.text for item in block.items)
        case PrintedTable():
            yield f"{block.label} {block.caption}"
            yield from (cell.text for row in (block.header, *block.rows) for cell in row)
        case PrintedFigure():
            yield from (f"{block.label} {block.caption}", block.alternative)
        case PrintedFormula():
            yield from (block.latex, block.label)
        case Notes():
            for item in block.items:
                yield from (item.rule, item.strength)
                for basis in item.bases:
                    yield from (r.value for r in basis.readings)
                    yield from basis.claims


@pytest.mark.parametrize("code", ["zh", "en"])
def test_all_of_the_tree_is_in_the_text(code: str, shipped_build: Any) -> None:
    report = shipped_build.reports[code]
    made = text.render(report, language(code)).decode()
    missing = [told for told in texts(report) if told not in made]
    assert missing == []
    assert all(s.text in made for answer in report.answers for s in answer.statements)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_evidence_is_in_the_text_where_it_is_asked_for(code: str, shipped_build: Any) -> None:
    words = language(code)
    asked_for = print_report(shipped_build.tree, words, with_evidence=True)
    made = text.render(asked_for, words).decode()
    assert [told for told in texts(asked_for) if told not in made] == []
    title = words.text("evidence.title")
    assert title in made
    assert title not in text.render(shipped_build.reports[code], words).decode()


def test_a_sentence_is_a_line(shipped_build: Any) -> None:
    report = shipped_build.reports["en"]
    lines = text.render(report, language("en")).decode().split("\n")
    sentence = report.answers[0].advice[-1]
    row, line = (line for line in lines if sentence.text in line)
    assert row.startswith(report.answers[0].source)
    assert line.startswith("- ")
    assert all(at.endswith(f"[{sentence.evidence.number}]") for at in (row, line))


def test_a_note_is_told_in_words(
    write_lab: Callable[..., Path], base_text: str, tmp_path: Path
) -> None:
    path = write_lab(base_text + LAB, {"rate.en.md": NOTE})
    build(Request(path, (), ("en",), tmp_path / "out", formats=("text",)), lambda *_: None)
    made = (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")
    lines = made.split("\n")
    for line in ("Mine", "I saw this: $x^2$.", "a | b", "1 | 2", "- one", "- two"):
        assert lines.count(line) == 1
    assert made.count("x^2") == 1
    assert "<p>" not in made
    assert sorted(p.name for p in (tmp_path / "out").glob("report*")) == [
        "report.json",
        "report.txt",
    ]


MARKED = """~~Old~~ and $$\\frac{a}{b}$$ for $5: [there](https://x.y), <https://z.y> and this[^1].

| | b |
|---|---|
| $x_1$ | ~~1~~ |
| | 2 |

3. three
4. four

       more

```
def f(x):
    return x
```

- [x] done

[^1]: It *says* so.
"""


def test_a_note_keeps_what_marks_its_parts(
    write_lab: Callable[..., Path], base_text: str, tmp_path: Path
) -> None:
    path = write_lab(base_text + LAB, {"rate.en.md": MARKED})
    build(Request(path, (), ("en",), tmp_path / "out", formats=("text",)), lambda *_: None)
    made = (tmp_path / "out" / "report.txt").read_text(encoding="utf-8")
    assert (
        """~~Old~~ and $$\\frac{a}{b}$$ for $5: there (https://x.y), https://z.y and this[1].
| b
$x_1$ | ~~1~~
| 2
3. three
4. four
more
def f(x):
    return x
- ■ done
[1] It says so.
"""
        in made
    )


def test_formats_are_chosen_on_the_command_line(
    write_lab: Callable[..., Path], base_text: str, tmp_path: Path
) -> None:
    path, output = write_lab(base_text + LAB), tmp_path / "out"
    asked = ("build", path, "--lang", "en", "-o", output, "--format", "text", "--evidence")
    assert run(*asked).exit_code == 0
    first = (output / "report.txt").read_bytes()
    assert b"--format text --evidence" in first
    assert b"Evidence for the findings" in first
    assert "up to date" in run(*asked).stderr
    again = run(*asked, "--format", "html")
    assert again.exit_code == 0
    assert {p.suffix for p in output.glob("report.*")} == {".txt", ".html", ".json"}
    (output / "report.txt").unlink()
    assert run(*asked).exit_code == 0
    assert (output / "report.txt").read_bytes() == first
    assert not (output / "report.html").exists()


def test_an_unknown_format_is_told_with_those_that_there_are(
    write_lab: Callable[..., Path], base_text: str, tmp_path: Path
) -> None:
    path = write_lab(base_text + LAB)
    for code in ("zh", "en"):
        done = run("build", path, "--format", "txet", "-o", tmp_path / "out", code=code)
        assert done.exit_code == 2
        assert "txet" in done.output
        assert all(name in done.output for name in FORMATS)
    assert not (tmp_path / "out").exists()
    assert set(USUAL) < set(FORMATS)
