"""Evidence: every number of a statement at full precision, with its formula, runs and unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from labreport.analysis.formulas.evidence import sourced
from labreport.analysis.formulas.flattened_facts import flattened, unit
from labreport.analysis.observation import (
    Count,
    Facts,
    Names,
    Number,
    Observation,
    OutOf,
    RoundNumber,
    Rounds,
    Setting,
    Share,
    Source,
    Subject,
    Verbatim,
    With,
    Wording,
)
from labreport.analysis.rule import THEMES
from labreport.language.catalogue import language
from labreport.render.evidence_text import FORMULAS_ON_PAPER, SHOWN_RUNS, brief, evidence, exact
from labreport.render.printed import Evidence, PrintedReport, PrintedSentences, PrintedStatement
from labreport.render.printing import print_report
from labreport.report.claims import (
    APPENDIX_FINDINGS,
    LEAST_RELEVANCE,
    MOST_OTHERS,
    by_theme,
    theme_of,
)

CODES = ("zh", "en")
EN = language("en")
RUNS = ("a" * 64, "b" * 64)


def one(formula: str) -> Source:
    return Source(formula, RUNS[:1])


def observation(rule: str = "ranking", **facts: Any) -> Observation:
    return Observation(rule, facts, runs=2)


@pytest.fixture
def plan(shipped_build: Any) -> Any:
    return shipped_build.measured.experiments[0].plan


def evidence_of(found: Observation, plan: Any, code: str = "en") -> Evidence:
    return evidence(found, 7, plan, language(code))


# --- facts one by one --------------------------------------------------------------------------

NESTED: Facts = {
    "subject": Subject("one"),
    "budget": Count(10),
    "leaders": (
        With(Rounds(10), (Subject("one"), Number(0.1, one("losses[10]")))),
        With(Rounds(20), (Subject("one"), Subject("two"), Number(0.2, one("losses[20]")))),
    ),
    "moves": (With(Subject("two"), (Names(("w3",)), Number(-2.0, one("weights[1][2]")))),),
    "outputs": (Number(0.3, one("outputs[1]")), Number(0.4, one("outputs[2]")), Verbatim("…")),
    "units": Names(("h1", "h2"), one("names")),
    "wins": (With(Subject("one"), OutOf(3, 5, one("count(losses)"))),),
}


def test_facts_are_taken_apart_in_their_order() -> None:
    told = [(leaf.path, leaf.fact) for leaf in flattened(observation(**NESTED)) if leaf.is_measured]
    assert told == [
        ("budget", Count(10)),
        ("leaders.1.2", Number(0.1)),
        ("leaders.2.3", Number(0.2)),
        ("moves.1.2", Number(-2.0)),
        ("outputs.1", Number(0.3)),
        ("outputs.2", Number(0.4)),
        ("units", Names(("h1", "h2"))),
        ("wins.1", OutOf(3, 5)),
    ]


def test_everything_with_a_source_is_there_under_the_path_by_which_it_is_checked() -> None:
    expected = [
        (path, source) for name, fact in NESTED.items() for path, _, source in sourced(fact, name)
    ]
    found = [(leaf.path, leaf.source) for leaf in flattened(observation(**NESTED)) if leaf.source]
    assert found == expected
    assert len(found) == 7


def test_what_a_number_is_told_of_goes_with_it() -> None:
    of = {leaf.path: leaf.of for leaf in flattened(observation(**NESTED)) if leaf.is_measured}
    assert of["leaders.1.2"] == (Rounds(10), Subject("one"))
    assert of["leaders.2.3"] == (Rounds(20), Subject("one"), Subject("two"))
    assert of["moves.1.2"] == (Subject("two"), Names(("w3",)))
    assert of["wins.1"] == (Subject("one"),)
    assert of["budget"] == of["units"] == of["outputs.2"] == ()
    places = {leaf.path: leaf.place for leaf in flattened(observation(**NESTED))}
    assert (places["outputs.1"], places["outputs.2"], places["leaders.1.2"]) == (1, 2, 0)


def test_units_follow_from_rule_type_and_name() -> None:
    def of(rule: str, **facts: Any) -> str:
        (leaf,) = flattened(observation(rule, **facts))
        return unit(rule, leaf)

    assert of("stuck", loss=Number(0.1)) == "loss"
    assert of("stuck", norm=Number(0.1)) == ""
    assert of("common-measure", value=Number(0.1)) == "squared-error"
    assert of("first-step", factor=Number(10.0)) == "learning-rate"
    assert of("place-among-starts", share=Share(0.3)) == ""
    assert of("unreachable-target", low=Setting(0.0)) == ""
    assert of("paired-starts", low=Number(0.0)) == "loss"
    assert of("anything", slow=Rounds(3)) == "rounds"
    assert of("threshold", arrived=Rounds(3)) == "updates"
    assert of("refused", loss=Verbatim("x")) == ""
    assert of("unheard-of", unheard_of=Number(1.0)) == ""


# --- in words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (Number(0.1 + 0.2), "0.30000000000000004"),
        (Number(-1e-300), "-1e-300"),
        (Number(float("inf")), "∞"),
        (Number(float("nan")), "nan"),
        (Share(1 / 3), "0.3333333333333333"),
        (Count(12345678), "12345678"),
        (RoundNumber(41), "41"),
        (OutOf(3, 5), "3/5"),
        (Names(("w1", "w2")), "w1, w2"),
        (Verbatim("<b>"), "<b>"),
    ],
)
def test_values_have_all_of_their_digits(fact: Any, text: str) -> None:
    assert exact(fact) == text


def test_readings_stand_with_the_runs_that_they_come_from(plan: Any) -> None:
    other = Source("losses[20] - floor", RUNS[1:2])
    found = Observation(
        "overshoot",
        {
            "lowest": Number(0.1, one("losses[10]")),
            "budget": Count(20),
            "final": Number(0.2, other),
            "unheard_of": Number(0.3, one("losses[30]")),
        },
        runs=2,
        claims=(Source("losses[20] > OVERSHOOT * losses[10]", RUNS[:1]),),
    )
    told = evidence_of(found, plan)
    assert (told.number, told.anchor, told.note) == (7, "claim-7", "note-7")
    assert (told.rule, told.count) == ("overshoot", "2 runs")
    assert told.strength.startswith("exact")
    assert told.looks_for == language("en").text("rule.overshoot")
    assert told.thresholds == (("OVERSHOOT", "1.5"),)
    assert [basis.runs for basis in told.bases] == [
        "r1 = aaaaaaaaaaaa:",
        "",
        "r1 = bbbbbbbbbbbb:",
    ]
    first, plain, second = told.bases
    assert [(r.name, r.value, r.unit, r.formula) for r in first.readings] == [
        ("lowest", "0.1", "(loss)", "losses[10]"),
        ("unheard of", "0.3", "", "losses[30]"),
    ]
    assert first.claims == ("losses[20] > OVERSHOOT * losses[10]",)
    assert [(r.name, r.value, r.formula) for r in plain.readings] == [("compared after", "20", "")]
    assert plain.runs == ""
    assert [r.value for r in second.readings] == ["0.2"]


@pytest.mark.parametrize("code", CODES)
def test_of_many_runs_the_first_are_named_and_how_many_there_are(plan: Any, code: str) -> None:
    names = tuple(f"{number:02d}" + "f" * 62 for number in range(1000))
    found = observation("spread", mean=Number(0.1, Source("mean(each(losses[1]))", names)))
    (basis,) = evidence_of(found, plan, code).bases
    assert re.findall(r"r\d+ = [0-9a-f]{12}\b", basis.runs) == [
        f"r{k + 1} = {names[k][:12]}" for k in range(SHOWN_RUNS)
    ]
    assert "1000" in basis.runs
    few = observation("spread", mean=Number(0.1, Source("losses[1]", names[:SHOWN_RUNS])))
    (basis,) = evidence_of(few, plan, code).bases
    assert basis.runs.count("r") == SHOWN_RUNS


def test_numbers_are_told_of_whom_they_are(plan: Any) -> None:
    name = plan.variants[0].name
    found = observation("path", moves=(With(Subject(name), (Names(("w3",)), Number(2.0))),))
    (basis,) = evidence_of(found, plan, "zh").bases
    label = language("zh").label(plan, name)
    assert basis.readings[0].name == f"变化（{label}，w3）"


def test_paper_leaves_out_what_the_sentence_has_in_full(plan: Any) -> None:
    facts: Facts = {"budget": Count(20), "lowest": Number(0.1, one("losses[10]"))}
    told = evidence_of(observation("overshoot", **facts), plan)
    assert [r.name for b in told.bases for r in b.readings] == ["compared after", "lowest"]
    assert [r.name for b in brief(told, EN).bases for r in b.readings] == ["lowest"]
    assert len(brief(told, EN).bases) == 1


def test_paper_has_room_for_some_formulas_of_a_note(plan: Any) -> None:
    facts = {"losses": tuple(Number(k, Source(f"losses[{k}]", ("a",))) for k in range(6))}
    claims = tuple(Source(f"losses[{k}] > 0", ("b",)) for k in range(6))
    made = observation("overshoot", **facts)
    told = evidence(replace(made, claims=claims), 1, plan, EN)
    on_paper = brief(told, EN)
    shown = [*(r for b in on_paper.bases for r in b.readings)]
    shown += [claim for b in on_paper.bases for claim in b.claims]
    assert len(shown) == FORMULAS_ON_PAPER == 8
    assert "4" in on_paper.more
    assert told.more == ""


def test_words_of_the_lab_are_no_readings(plan: Any) -> None:
    found = observation("right-formula", labels=(Wording("甲", "A"),), subject=Subject("one"))
    assert evidence_of(found, plan).bases == ()


# --- in a report -------------------------------------------------------------------------------


def lists(report: PrintedReport) -> Iterator[PrintedSentences]:
    def below(section: Any) -> Iterator[PrintedSentences]:
        yield from (block for block in section.blocks if isinstance(block, PrintedSentences))
        for inner in section.sections:
            yield from below(inner)

    for section in report.sections:
        yield from below(section)


def statements(report: PrintedReport) -> list[PrintedStatement]:
    """All that rest on something, in the order in which they are read."""
    return [item for block in lists(report) for item in block.items if item.evidence]


@pytest.fixture(params=CODES)
def report(request: pytest.FixtureRequest, shipped_build: Any) -> PrintedReport:
    return shipped_build.reports[request.param]


def test_statements_are_numbered_as_they_are_read(report: PrintedReport) -> None:
    own = [item.evidence for item in statements(report) if not item.quoted]
    assert [told.number for told in own if told] == list(range(1, len(own) + 1))
    assert len(own) > 50


def test_every_statement_of_an_observation_has_its_evidence(report: PrintedReport) -> None:
    without = [b.kind for b in lists(report) if any(item.evidence is None for item in b.items)]
    # The steps of the algorithm are the principle's, and questions are the reader's to answer.
    assert without == ["numbered", "numbered"]


def test_what_is_quoted_leads_to_where_it_is_told(report: PrintedReport) -> None:
    own = {i.evidence.number: i for i in statements(report) if i.evidence and not i.quoted}
    assert not any(i.quoted for i in statements(report))
    for item in (s for answer in report.answers for s in answer.statements):
        assert item.evidence
        assert item.quoted
        original = own[item.evidence.number]
        assert item.evidence == original.evidence
        assert item.text.endswith(original.text)


def test_notes_are_those_of_the_statements_where_they_are_asked_for(
    report: PrintedReport, shipped_build: Any
) -> None:
    assert report.notes is None
    words = language(report.language)
    report = print_report(shipped_build.tree, words, with_evidence=True)
    assert report.notes
    (notes,) = (b for b in report.notes.blocks if type(b).__name__ == "Notes")
    own = [brief(i.evidence, words) for i in statements(report) if i.evidence and not i.quoted]
    assert list(notes.items) == own
    assert report.notes.number == str(len(report.sections) + 1)


def test_numbers_are_the_same_in_both_languages(shipped_build: Any) -> None:
    zh, en = (statements(shipped_build.reports[code]) for code in CODES)
    assert [(i.evidence.number, i.evidence.rule, i.quoted) for i in zh if i.evidence] == [
        (i.evidence.number, i.evidence.rule, i.quoted) for i in en if i.evidence
    ]
    for mine, theirs in zip(zh, en, strict=True):
        values = [
            [(r.value, r.formula) for b in i.evidence.bases for r in b.readings]
            for i in (mine, theirs)
            if i.evidence
        ]
        assert values[0] == values[1]


def test_every_observation_is_a_claim_and_has_a_number_if_it_is_printed(
    shipped_build: Any,
) -> None:
    measured = shipped_build.measured
    claims = measured.claims
    for results, observed in zip(measured.experiments, measured.observed, strict=True):
        mine = [c for c in claims if c.part == "main" and c.experiment == results.plan.name]
        everything = [*observed.answers, *observed.others, *observed.limits]
        assert {id(c.observation) for c in mine} == {id(o) for o in everything}
        left_out = {id(c.observation) for c in mine if c.number is None}
        unimportant = [o for o in observed.others if o.relevance < LEAST_RELEVANCE]
        assert left_out == {id(o) for o in (*observed.others[MOST_OTHERS:], *unimportant)}
    for appendix, repeated in measured.appendices:
        for repetition in repeated:
            name = repetition.results.plan.name
            mine = [c for c in claims if (c.part, c.experiment) == (appendix.name, name)]
            assert bool(mine) != repetition.is_same
            assert sum(c.number is not None for c in mine) <= APPENDIX_FINDINGS
    assert {c.part for c in claims} == {"base", "main", "conclusions", "accumulated"}


# --- themes ------------------------------------------------------------------------------------


def test_further_findings_are_grouped_by_theme() -> None:
    # In the order of relevance, with more than there is room for.
    rules = ["rises", "who-leads", "path", "rises", "rate-times-rounds", "threshold", "frozen"]
    found = [
        Observation(rule, {"n": Count(n)}, runs=1, relevance=1 - n / 100)
        for n, rule in enumerate(rules * 2)
    ]
    grouped = by_theme(found)
    assert len(grouped) == MOST_OTHERS
    places = [THEMES.index(theme_of(o.rule) or "") for o in grouped]  # type: ignore[arg-type]
    assert places == sorted(places)
    for theme in THEMES:
        mine = [o.facts["n"] for o in grouped if theme_of(o.rule) == theme]
        assert mine == sorted(mine, key=lambda n: n.value)  # type: ignore[union-attr]
    assert {o.facts["n"] for o in grouped} == {Count(n) for n in range(MOST_OTHERS)}


def test_findings_of_little_relevance_are_not_printed() -> None:
    relevances = (0.9, LEAST_RELEVANCE, LEAST_RELEVANCE - 0.01)
    found = [Observation("rises", {}, runs=1, relevance=r) for r in relevances]
    assert [o.relevance for o in by_theme(found)] == [0.9, LEAST_RELEVANCE]


def test_the_first_of_a_theme_has_its_title(report: PrintedReport) -> None:
    words = language(report.language)
    seen = 0
    for block in lists(report):
        # Those of the conclusions are topics, those of an appendix and of questions experiments.
        if block.kind in ("conclusions", "numbered"):
            continue
        if block.kind != "others":
            assert all(item.theme == "" for item in block.items)
            continue
        before = None
        for item in block.items:
            assert item.evidence
            theme = theme_of(item.evidence.rule)
            title = words.text("evidence.group", name=words.text(f"theme.{theme}"))
            assert item.theme == ("" if theme == before else title)
            before = theme
        titles = [item.theme for item in block.items if item.theme]
        assert len(set(titles)) == len(titles) > 0
        seen += 1
    assert seen > 4
