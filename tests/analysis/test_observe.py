"""How findings are put in order, and told once where several runs share them."""

from __future__ import annotations

from typing import Any

import pytest
from synthetic_runs import MOMENTUM, RATE, experiment, plain, single, starts, sweep

from labreport.analysis import observe as module
from labreport.analysis.conclusions import conclude, key_findings
from labreport.analysis.observation import Count, Observation, Subject
from labreport.analysis.observe import ANSWERS, RULES, observe

OVERSHOOT = [9.0, 1.0, 5.0]


def test_findings_that_differ_in_subject_alone_are_told_once() -> None:
    made = experiment(
        single("a", OVERSHOOT),
        single("b", OVERSHOOT, {MOMENTUM: 0.5}),
        single("c", [9.0, 1.0, 4.0], {MOMENTUM: 0.6}),
    )
    found = [o for o in everything(made) if o.rule == "overshoot"]
    assert [(plain(o.facts["subject"]), o.runs) for o in found] == [(("a", "b"), 2), ("c", 1)]


def test_merged_findings_keep_their_facts() -> None:
    made = experiment(single("a", OVERSHOOT), single("b", OVERSHOOT, {MOMENTUM: 0.5}))
    (found,) = (o for o in everything(made) if o.rule == "overshoot")
    alone = experiment(single("a", OVERSHOOT))
    (single_one,) = (o for o in everything(alone) if o.rule == "overshoot")
    assert {**found.facts, "subject": None} == {**single_one.facts, "subject": None}


def test_findings_of_different_forms_are_not_merged() -> None:
    made = experiment(
        single("g", [9, 5, 2]),
        single("h", [9, 5, 0.5], {"initial": {"scheme": "zeros"}}),
        starts("r", ([9, 5, 1], [9, 5, 3])),
    )
    found = [o for o in everything(made) if o.rule == "place-among-starts"]
    assert [(plain(o.facts["subject"]), o.form) for o in found] == [("g", "inside"), ("h", "below")]


def test_the_most_relevant_come_first_and_limits_stand_apart() -> None:
    made = experiment(
        single("a", OVERSHOOT),
        single("b", [9.0, 8.0, 7.0], {MOMENTUM: 0.5, "network.bias": "none"}),
    )
    observed = observe(made)
    findings = [*observed.answers, *observed.others]
    assert len(observed.answers) == ANSWERS
    assert [o.relevance for o in findings] == sorted((o.relevance for o in findings), reverse=True)
    assert not any(o.limits for o in findings)
    assert {o.rule for o in observed.limits} == {"several-changes", "single-start"}


def test_equally_relevant_findings_keep_the_order_of_the_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rule(name: str) -> Any:
        return lambda results: iter([Observation(name, {"n": Count(1)}, runs=1, relevance=0.5)])

    monkeypatch.setattr(module, "RULES", {name: rule(name) for name in ("z", "a", "m")})
    made = experiment(single("a", [3, 2, 1]))
    assert [o.rule for o in observe(made).answers] == ["z", "a", "m"]


def test_nothing_found_is_no_key_finding() -> None:
    rows = sweep("a", RATE, {0.5: [9, 5, 3]}).rows
    replicated = experiment(type(sweep("a", RATE, {}))("a", rows * 1), single("b", [3, 2, 1]))
    pairs = [("one", observe(replicated)), ("none", module.Observations((), (), ()))]
    found = key_findings(pairs)
    assert [name for name, _ in found] == ["one"]
    assert found[0][1] is pairs[0][1].answers[0]


def test_nothing_is_concluded_from_one_run_alone() -> None:
    found = conclude([experiment(single("a", [1, 0.5, 0.05]))])
    assert [o.rule for _, o in found] == ["all-runs"]


def test_random_starts_do_not_win_the_smallest_error() -> None:
    made = experiment(
        single("a", [1, 1, 0.5]),
        single("b", [1, 1, 0.75], {MOMENTUM: 0.5}),
        starts("r", ([1, 1, 0.01], [1, 1, 0.02])),
    )
    (lowest,) = (o for _, o in conclude([made]) if o.rule == "lowest-error")
    assert plain(lowest.facts["subject"])[0] == "a"
    assert plain(lowest.facts["count"]) == 2


def test_other_targets_do_not_win_the_smallest_error() -> None:
    made = experiment(
        single("a", [1, 1, 0.5]),
        single("b", [1, 1, 0.75], {MOMENTUM: 0.5}),
        single("c", [1, 1, 0.01], {"data.targets": [[0.25, 0.5]]}),
    )
    (lowest,) = (o for _, o in conclude([made]) if o.rule == "lowest-error")
    assert plain(lowest.facts["subject"])[0] == "a"


@pytest.mark.parametrize("rule", RULES)
def test_names_of_rules_are_as_in_the_catalogues(rule: str) -> None:
    assert rule == rule.lower()
    assert "_" not in rule


def test_message_names_rule_and_form() -> None:
    plain_one = Observation("overshoot", {"subject": Subject("a")}, runs=1, relevance=1)
    assert plain_one.message == "observation.overshoot"
    formed = Observation("stuck", {}, runs=1, relevance=1, form="sigmoid")
    assert formed.message == "observation.stuck.sigmoid"


def everything(made: Any) -> list[Observation]:
    observed = observe(made)
    return [*observed.answers, *observed.others, *observed.limits]
