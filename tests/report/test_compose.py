"""The report as a tree: complete, numbered as it is read, and true to the runs behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from printing_parts import printed_table

from labreport.language.catalogue import language
from labreport.render.printed import (
    PrintedBlock,
    PrintedFigure,
    PrintedFormula,
    PrintedNote,
    PrintedParagraph,
    PrintedReport,
    PrintedSection,
    PrintedSentences,
    PrintedTable,
)
from labreport.report.claims import MOST_OTHERS
from labreport.report.illustration.repetition_table import repetition_table
from labreport.report.numbers import measured as as_measured

CODES = ("zh", "en")

TWO = """
[experiment.speed]
title.zh = "速度"
title.en = "Speed"
question.zh = "多快？"
question.en = "How fast?"
[[experiment.speed.variant]]
name = "slow"
[[experiment.speed.variant]]
name = "fast"
change.optimizer.learning_rate = 10.0
[experiment.grid]
title = "Grid"
sweep.optimizer.learning_rate = [0.1, 1.0]
"""


def sections(report: PrintedReport) -> Iterator[PrintedSection]:
    def below(section: PrintedSection) -> Iterator[PrintedSection]:
        yield section
        for inner in section.sections:
            yield from below(inner)

    for section in report.sections:
        yield from below(section)


def blocks(report: PrintedReport) -> Iterator[PrintedBlock]:
    for section in sections(report):
        yield from section.blocks


def titles(report: PrintedReport) -> list[str]:
    return [section.title for section in report.sections]


@pytest.fixture(params=CODES)
def report(request: pytest.FixtureRequest, shipped_build: Any) -> PrintedReport:
    return shipped_build.reports[request.param]


# --- numbering and anchors ---------------------------------------------------------------------


def test_sections_are_numbered_as_they_are_read(report: PrintedReport) -> None:
    def check(members: tuple[PrintedSection, ...], prefix: str) -> None:
        numbers = [section.number for section in members]
        assert numbers == [f"{prefix}{n}" for n in range(1, len(members) + 1)]
        for section in members:
            check(section.sections, f"{section.number}.")

    check(report.sections, "")


@pytest.mark.parametrize("kind", [PrintedFigure, PrintedTable, PrintedFormula])
def test_figures_tables_and_formulas_are_numbered_as_they_are_read(
    report: PrintedReport, kind: type
) -> None:
    members = [block for block in blocks(report) if isinstance(block, kind)]
    numbers = [int(re.search(r"\d+", block.label)[0]) for block in members]
    assert numbers == list(range(1, len(members) + 1))
    assert len(members) > 5


def test_anchors_are_unique_and_fit_for_a_link(report: PrintedReport) -> None:
    anchors = [section.anchor for section in sections(report)]
    anchors += [
        b.anchor
        for b in blocks(report)
        if isinstance(b, PrintedFigure | PrintedTable | PrintedFormula)
    ]
    assert len(set(anchors)) == len(anchors)
    assert all(re.fullmatch(r"[a-z0-9-]+", anchor) for anchor in anchors)


def test_findings_lead_to_their_sections(report: PrintedReport) -> None:
    by_anchor = {section.anchor: section for section in sections(report)}
    assert len(report.answers) == 7
    assert [answer.source for answer in report.answers] == [
        by_anchor[answer.anchor].title for answer in report.answers
    ]


def test_names_that_could_be_confused_get_anchors_of_their_own(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    text = base_text + "".join(
        f'[experiment.{name}]\ntitle = "{name}"\n' for name in ("b-c", "c", "again", "b")
    )
    text += "".join(
        f'[appendix.{name}]\ntitle = "{name}"\nchange.rounds = 5\n'
        for name in ("a", "a-b", "again", "b")
    )
    for report in build_pages(text).reports.values():
        anchors = [section.anchor for section in sections(report)]
        assert len(set(anchors)) == len(anchors)


# --- what is in it -----------------------------------------------------------------------------


def test_sections_of_a_lab_report(shipped_build: Any) -> None:
    zh, en = (titles(shipped_build.reports[code]) for code in CODES)
    assert zh[:7] == [
        "实验目的",
        "实验原理",
        "实验设置",
        "实验数据及结果分析",
        "各实验的横向比较",
        "实验结论",
        "总结及心得体会",
    ]
    assert [t.split("：")[0] for t in zh[7:]] == ["附录", "附录", "附录"]
    assert len(en) == len(zh)
    assert en[0] == "Purpose"


def test_no_section_is_empty(report: PrintedReport) -> None:
    for section in sections(report):
        assert section.title
        assert section.blocks or section.sections, section.title


def test_no_text_is_empty_or_unfinished(report: PrintedReport) -> None:
    texts = [report.title, report.course]
    for block in blocks(report):
        if isinstance(block, PrintedParagraph) and block.kind != "room":
            texts.append(block.text)
        if isinstance(block, PrintedSentences):
            assert block.items
            texts += [item.text for item in block.items]
        if isinstance(block, PrintedFigure):
            texts += [block.caption, block.alternative]
        if isinstance(block, PrintedTable):
            texts += [block.caption, *(c.text for row in (block.header, *block.rows) for c in row)]
    for text in texts:
        assert text
        assert text == text.strip()
        assert not re.search(r"\{|\}|None|\bnan\b|Subject|Number\(", text), text


def test_every_experiment_has_its_question_statements_figure_and_table(
    report: PrintedReport, shipped_build: Any
) -> None:
    (experiments,) = (s for s in report.sections if s.anchor == "experiments")
    plans = shipped_build.measured.lab.plans
    assert [s.anchor for s in experiments.sections] == [f"experiment-{p.name}" for p in plans]
    for section, plan in zip(experiments.sections, plans, strict=True):
        first = section.blocks[0]
        question = plan.experiment.question.within(report.language)
        assert isinstance(first, PrintedParagraph)
        assert (first.kind, first.text) == ("question", question)
        assert section.title == plan.experiment.title.within(report.language)
        kinds = [block.kind for block in section.blocks if isinstance(block, PrintedSentences)]
        assert kinds[0] == "answers"
        assert kinds == [k for k in ("answers", "others", "limits") if k in kinds]
        assert any(isinstance(block, PrintedFigure) for block in section.blocks)
        assert any(isinstance(block, PrintedTable) for block in section.blocks)


def test_statements_are_no_more_than_a_reader_takes_in(report: PrintedReport) -> None:
    for block in blocks(report):
        if isinstance(block, PrintedSentences) and block.kind == "answers":
            assert 1 <= len(block.items) <= 7
        if isinstance(block, PrintedSentences) and block.kind == "others":
            assert len(block.items) <= MOST_OTHERS


def test_the_table_of_answers_repeats_those_of_the_sections(report: PrintedReport) -> None:
    by_anchor = {section.anchor: section for section in sections(report)}
    assert [a.source for a in report.answers] == [by_anchor[a.anchor].title for a in report.answers]
    for answer in report.answers:
        (stated,) = (
            block
            for block in by_anchor[answer.anchor].blocks
            if isinstance(block, PrintedSentences) and block.kind == "answers"
        )
        words = [item.text for item in stated.items]
        for cell in answer.columns:
            assert cell
            assert all(statement.quoted and statement.text in words for statement in cell)


def test_no_two_sentences_are_the_same(report: PrintedReport) -> None:
    """But for the answers that open the report, which are quoted, and for an advice."""
    said = [
        item.text
        for block in blocks(report)
        if isinstance(block, PrintedSentences)
        for item in block.items
        if item.evidence is None or item.evidence.rule != "advice"
    ]
    assert len(said) == len(set(said)) > 50


def test_both_languages_have_the_same_structure_and_pictures(shipped_build: Any) -> None:
    zh, en = (shipped_build.reports[code] for code in CODES)
    assert [s.anchor for s in sections(zh)] == [s.anchor for s in sections(en)]
    shapes = [
        [
            (type(b).__name__, len(getattr(b, "rows", ())), len(getattr(b, "items", ())))
            for b in blocks(report)
        ]
        for report in (zh, en)
    ]
    assert shapes[0] == shapes[1]


def test_numbers_of_both_languages_are_the_same(shipped_build: Any) -> None:
    def numbers(report: PrintedReport) -> list[list[str]]:
        found = []
        for block in blocks(report):
            if isinstance(block, PrintedSentences):
                texts = [item.text for item in block.items]
                found += [sorted(re.findall(r"\d+\.\d+(?:×10[⁻⁰-⁹]+)?", t)) for t in texts]
            if isinstance(block, PrintedTable):
                found += [[c.text for c in row if c.numeric] for row in block.rows]
        return found

    zh, en = (numbers(shipped_build.reports[code]) for code in CODES)
    assert zh == en
    assert sum(map(len, zh)) > 500


def test_cover_has_what_the_lab_says_and_nothing_else(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    cover = '[cover]\nstudent.zh = "张三"\nstudent.en = "Zhang San"\nclass = "2021-1"\nplace = ""\n'
    reports = build_pages(base_text + cover + TWO).reports
    covers = {c: [(f.key, f.name, f.value) for f in reports[c].cover] for c in ("zh", "en")}
    assert covers["zh"] == [("student", "学生姓名", "张三"), ("class", "班级", "2021-1")]
    assert covers["en"] == [("student", "Name", "Zhang San"), ("class", "Class", "2021-1")]
    assert (reports["zh"].title, reports["zh"].course) == ("神经网络实验报告", "")


def test_purpose_is_the_authors(build_pages: Callable[..., Any], base_text: str) -> None:
    reports = build_pages(base_text + '[purpose]\nzh = "目的。"\nen = "Why."\n' + TWO).reports
    for code, text in (("zh", "目的。"), ("en", "Why.")):
        assert reports[code].sections[0].blocks == (PrintedParagraph(text),)


def test_where_there_is_no_figure_no_curve_is_spoken_of(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    grid = """
[experiment.grid]
title = { zh = "网格", en = "Grid" }
seeds = 2
change.initial = { scheme = "pytorch" }
sweep.optimizer.momentum = [0.0, 0.9]
sweep.optimizer.learning_rate = [0.1, 0.5]
sweep.network.bias = ["trained", "none"]
[experiment.rates]
title = { zh = "步长", en = "Rates" }
sweep.optimizer.learning_rate = [0.1, 0.5]
"""
    reports = build_pages(base_text + grid).reports
    begins = {
        "zh": {"grid": "数值见", "rates": "曲线与数值见"},
        "en": {"grid": "The numbers are", "rates": "The curves and the numbers are"},
    }
    for code, experiments in begins.items():
        found = {section.anchor: section for section in sections(reports[code])}
        for name, words in experiments.items():
            own = found[f"experiment-{name}"].blocks
            texts = [block.text for block in own if isinstance(block, PrintedParagraph)]
            assert any(text.startswith(words) for text in texts), texts
        # Both values of the rates are drawn.
        captions = [
            b.caption for b in found["experiment-rates"].blocks if isinstance(b, PrintedFigure)
        ]
        whole = language(code).text("report.sweep-curves-title-all")
        assert any(caption.startswith(whole) for caption in captions), captions


def test_how_to_run_it_again(report: PrintedReport) -> None:
    again = report.sections[-1]
    (command,) = (
        b.text for b in again.blocks if isinstance(b, PrintedParagraph) and b.kind == "command"
    )
    assert command == "labreport build"
    texts = " ".join(b.text for b in again.blocks if isinstance(b, PrintedParagraph))
    assert re.search(r"\b[0-9a-f]{64}\b", texts)


def test_command_is_quoted_for_a_shell(build_pages: Callable[..., Any], base_text: str) -> None:
    from labreport.build.origin import command_again
    from labreport.build.request import Request
    from labreport.lab.reading.load import load
    from labreport.shipped import shipped

    request = Request(Path("my lab; rm -rf x.toml"), ("a",), ("en",), Path("output"))
    words = command_again(request, load(shipped("experiments.toml")))
    assert words == "labreport build 'my lab; rm -rf x.toml' --only a --lang en"
    asked_for = replace(request, evidence=True)
    assert command_again(asked_for, load(shipped("experiments.toml"))) == f"{words} --evidence"


def test_statements_name_how_many_runs_there_are(shipped_build: Any) -> None:
    count = str(len(shipped_build.measured.runs))
    for report in shipped_build.reports.values():
        tables = [b for b in blocks(report) if isinstance(b, PrintedTable)]
        assert any(row[-1].text == count for table in tables for row in table.rows)


# --- parts -------------------------------------------------------------------------------------


def test_a_whole_report_is_no_part(report: PrintedReport) -> None:
    assert report.part == ""


def test_a_part_says_that_it_is_one(build_pages: Callable[..., Any], base_text: str) -> None:
    built = build_pages(base_text + TWO, only=("grid",))
    for report in built.reports.values():
        assert "grid" in report.part
        assert "1" in report.part
        assert "2" in report.part
        assert "speed" not in [s.anchor for s in sections(report)]
        assert [answer.anchor for answer in report.answers] == ["experiment-grid"]


# --- in two parts ------------------------------------------------------------------------------

TWO_PART = '[theme]\nform = "two-part"\n'

BEFORE = ["principle", "content", "equipment", "set-up"]
AFTER = ["procedure", "experiments", "conclusions", "reflection"]


def test_a_preliminary_report_stands_before_the_report(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    reports = build_pages(base_text + TWO_PART + TWO, {"set-up.md": "先接线。"}).reports
    for code, (before, after) in {
        "zh": ("预习报告", "实验报告"),
        "en": ("Preliminary report", "Lab report"),
    }.items():
        chapters = reports[code].sections
        assert [s.anchor for s in chapters][:8] == [*BEFORE, *AFTER]
        parts = {s.anchor: s.part for s in chapters if s.part}
        assert parts == {"principle": before, "procedure": after}
        by_anchor = {s.anchor: s for s in chapters}
        (content,) = by_anchor["content"].blocks
        assert isinstance(content, PrintedTable)
        assert len(content.rows) == 2
        assert by_anchor["experiments"].sections[-1].anchor == "comparison"
        assert any(isinstance(block, PrintedNote) for block in by_anchor["set-up"].blocks)


def test_the_purpose_begins_the_preliminary_report(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    purpose = '[purpose]\nzh = "目的。"\nen = "Why."\n'
    built = build_pages(base_text + purpose + TWO_PART + TWO)
    assert built.reports["zh"].sections[0].anchor == "purpose"
    assert built.reports["zh"].sections[0].part == "预习报告"


def test_a_part_begins_with_what_a_language_has_of_it(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    reports = build_pages(base_text + TWO_PART + TWO, {"purpose.en.md": "In English."}).reports
    firsts = {code: reports[code].sections[0] for code in CODES}
    assert {c: s.anchor for c, s in firsts.items()} == {"zh": "principle", "en": "purpose"}
    assert {code: section.part for code, section in firsts.items()} == {
        "zh": "预习报告",
        "en": "Preliminary report",
    }


def test_a_report_in_one_piece_has_no_parts(report: PrintedReport) -> None:
    assert not any(section.part for section in sections(report))


# --- notes -------------------------------------------------------------------------------------


def prose(report: PrintedReport) -> dict[str, PrintedNote]:
    return {
        section.anchor: block
        for section in sections(report)
        for block in (*section.blocks, *section.closing)
        if isinstance(block, PrintedNote)
    }


def test_notes_stand_with_their_experiments(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    notes = {
        "speed.md": "很快。",
        "speed.en.md": "Quite fast.",
        "grid.md": "*同一份*",
        "reflection.md": "学到了。",
        "unknown.md": "nobody reads this",
    }
    reports = build_pages(base_text + TWO, notes).reports
    zh, en = (prose(reports[code]) for code in CODES)
    assert set(zh) == {"experiment-speed", "experiment-grid", "reflection"}
    assert "很快。" in zh["experiment-speed"].html
    assert "Quite fast." in en["experiment-speed"].html
    assert "<em>同一份</em>" in zh["experiment-grid"].html
    assert zh["experiment-grid"].html == en["experiment-grid"].html
    assert (zh["experiment-speed"].heading, en["experiment-speed"].heading) == (
        "实验者的记录",
        "The experimenter’s notes",
    )
    assert titles(reports["zh"])[-3] == "总结及心得体会"
    assert titles(reports["en"])[-3] == "Summary and reflection"


def test_notes_stand_in_their_chapters(build_pages: Callable[..., Any], base_text: str) -> None:
    notes = {
        "purpose.md": "为什么。",
        "principle.md": "<!-- before -->\n用 $\\delta$。",
        "principle.en.md": "By $\\delta$.",
        "set-up.md": "机器。",
        "conclusions.md": "<!-- before -->\n可见。",
    }
    built = build_pages(base_text + TWO, notes)
    found = {code: {s.anchor: s for s in sections(built.reports[code])} for code in CODES}
    assert set(prose(built.reports["zh"])) == {"purpose", "principle", "set-up", "conclusions"}
    zh, en = found["zh"], found["en"]
    # A chapter of the note alone has no other heading.
    assert [block.heading for block in zh["purpose"].blocks] == [""]
    assert isinstance(zh["principle"].blocks[0], PrintedNote)
    assert zh["principle"].closing == ()
    # After all of the chapter, which is in its subsections.
    (after,) = en["principle"].closing
    assert isinstance(after, PrintedNote)
    assert after.heading == "The experimenter’s notes"
    assert [f.latex for f in en["principle"].formulas][:1] == [r"\delta"]
    assert isinstance(zh["set-up"].blocks[-1], PrintedNote)
    assert isinstance(zh["conclusions"].blocks[0], PrintedNote)
    assert not isinstance(zh["conclusions"].blocks[-1], PrintedNote)
    page = built.html("en")
    last = en["principle"].sections[-1].anchor
    assert page.index("By <span") > page.index(f'id="{last}"')


def test_no_reflection_is_invented(shipped_build: Any) -> None:
    for report in shipped_build.reports.values():
        (chapter,) = (s for s in sections(report) if s.anchor == "reflection")
        introduction, questions, room = chapter.blocks
        assert (introduction.kind, questions.kind, room.kind) == ("text", "numbered", "room")
        assert len(questions.items) == 3
        assert all(item.text.endswith(("?", "？")) for item in questions.items)
        assert room.text == ""
        assert prose(report) == {}


def test_an_empty_note_is_no_note(build_pages: Callable[..., Any], base_text: str) -> None:
    built = build_pages(base_text + TWO, {"speed.md": " \n\t\n", "reflection.md": ""})
    for report in built.reports.values():
        assert prose(report) == {}
        (chapter,) = (s for s in sections(report) if s.anchor == "reflection")
        assert [block.kind for block in chapter.blocks] == ["text", "numbered", "room"]


# --- appendices --------------------------------------------------------------------------------


def test_an_appendix_is_a_table_and_says_what_it_need_not_repeat(
    report: PrintedReport, shipped_build: Any
) -> None:
    (appendix,) = (s for s in report.sections if s.anchor == "appendix-accumulated")
    assert appendix.sections == ()
    said, table, found = appendix.blocks
    assert isinstance(said, PrintedParagraph)
    assert isinstance(table, PrintedTable)
    assert isinstance(found, PrintedSentences)
    titles_ = {s.anchor.removeprefix("experiment-"): s.title for s in sections(report)}
    rows = [row[0].text for row in table.rows]
    # The first experiment sets the gradients in each variant, or gives the momentum instead.
    assert titles_["published"] in said.text
    for name in ("relu", "bce", "step-size", "no-init", "adam"):
        assert titles_[name] not in said.text
        assert any(row.startswith(titles_[name]) for row in rows)
    # A gradient check says the same of other weights.
    assert not any(row.startswith(titles_["companion"]) for row in rows)
    assert len(found.items) == 5
    assert all(item.theme for item in found.items)


def test_rows_of_an_appendix_have_what_is_best_in_both_parts(shipped_build: Any) -> None:
    measured = shipped_build.measured
    ((_, repeated),) = measured.appendices
    pairs = list(zip(measured.experiments, (r.results for r in repeated), strict=True))
    made = printed_table(repetition_table(pairs), measured.experiments)
    assert made is not None
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in made.rows}
    by_name = {main.plan.name: (main, again) for main, again in pairs}
    # The least squared error of single runs, with the rounds that both parts have.
    sides = [
        min(side.singles, key=lambda r: float(r.error(300) or 0.0)) for side in by_name["relu"]
    ]
    errors = [as_measured(float(r.error(300) or 0.0)) for r in sides]
    assert rows["Activation: sigmoid to ReLU"][0] == "300"
    assert rows["Activation: sigmoid to ReLU"][4] == errors[1]
    assert rows["Activation: sigmoid to ReLU"][1] == "ReLU–linear"
    # Of random starts the median.
    starts = [side.of("random-bias") for side in by_name["no-init"]]
    medians = [float(np.median([r.losses[100] for r in side])) for side in starts]
    assert rows["Initial weights: given and not given"][2] == as_measured(medians[0])
    # Of a sweep its best value, in either part.
    best = [min(side.everywhere, key=lambda r: r.losses[-1]) for side in by_name["step-size"]]
    rates = [dict(r.point)["optimizer.learning_rate"] for r in best]
    found = rows["Step size and number of rounds"]
    assert found[1::2] == [f"learning rate {rate:g}" for rate in rates]
    assert found[2::2] == [as_measured(float(r.losses[1000])) for r in best]
    # Those alone whose targets are the base's.
    assert rows["Loss: MSE to cross entropy"][1] == "BCE by hand, given target"


def test_an_appendix_that_changes_nothing_repeats_nothing(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    text = base_text + TWO + '[appendix.same]\ntitle = "Same"\nchange.rounds = 10\n'
    for report in build_pages(text).reports.values():
        (appendix,) = (s for s in report.sections if s.anchor == "appendix-same")
        assert appendix.sections == ()
        (said,) = appendix.blocks
        assert isinstance(said, PrintedParagraph)
