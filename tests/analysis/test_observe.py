"""How findings are put in order, and told once where several runs share them."""

from __future__ import annotations

from typing import Any

import pytest
from cases_small_inputs import cross_entropy_of_one_unit, values_that_all_reach_a_loss_of_0
from synthetic_runs import MOMENTUM, experiment, plain, single, starts

from labreport.analysis import observe as module
from labreport.analysis.lab_rules.conclusions import KEY_FINDINGS, conclude, key_findings
from labreport.analysis.observation import Count, Observation, Subject
from labreport.analysis.observe import (
    ANSWERS,
    RULES,
    Observations,
    observe,
)
from labreport.analysis.rule import Rule, Theme

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
    def rule(name: str) -> Rule:
        found = Observation(name, {"n": Count(1)}, runs=1)
        return Rule(name, lambda results: iter([found]), "comparison", 0.5)

    monkeypatch.setattr(module, "RULES", {name: rule(name) for name in ("z", "a", "m")})
    made = experiment(single("a", [3, 2, 1]))
    assert [o.rule for o in observe(made).answers] == ["z", "a", "m"]


def test_nothing_is_built_on_a_loss_that_is_0_whatever_the_weights() -> None:
    made = cross_entropy_of_one_unit()
    for observation in observe(made):
        runs = {run for claim in observation.claims for run in claim.runs}
        spoken = {o.variant for o in made.results if o.run.name in runs}
        allowed = RULES[observation.rule].of_constant_losses
        assert allowed or "ce" not in spoken, observation
    together = [o for _, o in conclude([made])]
    assert [o.rule for o in together] == ["all-runs", "own-rows"]


def test_a_small_effect_makes_a_finding_less_relevant() -> None:
    def found(effect: float) -> float:
        one = Observation("z", {"n": Count(1)}, runs=1, effect=effect)
        rule = Rule("r", lambda results: iter([one]), "gradients", 0.9)
        (told,) = rule(experiment(single("a", [3, 2, 1])))
        return told.relevance

    assert found(1.0) == found(0.25) == 0.9
    assert 0.3 < found(1 / 32) < 0.45 < found(0.2) < 0.9


def test_losses_that_are_all_0_have_no_best_value() -> None:
    (found,) = RULES["sweep-best"](values_that_all_reach_a_loss_of_0())
    assert (found.form, plain(found.facts["value"])) == ("level", 0.0)


def observations(*relevances: float) -> Observations:
    made = tuple(Observation("overshoot", {}, runs=1, relevance=r) for r in relevances)
    return Observations(made, (), ())


def test_one_answer_compares_if_any_finding_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(name: str, theme: Theme, relevance: float) -> Rule:
        found = Observation(name, {"n": Count(1)}, runs=1)
        return Rule(name, lambda results: iter([found]), theme, relevance)

    rules = {
        **{name: rule(name, "trajectory", 0.9) for name in ("a", "b", "c")},
        "d": rule("d", "comparison", 0.1),
        "e": rule("e", "comparison", 0.05),
    }
    monkeypatch.setattr(module, "RULES", rules)
    observed = observe(experiment(single("a", [3, 2, 1])))
    assert [o.rule for o in observed.answers] == ["a", "b", "d"]
    assert [o.rule for o in observed.others] == ["c", "e"]
    rules["b"] = rule("b", "equivalence", 0.9)
    observed = observe(experiment(single("a", [3, 2, 1])))
    assert [o.rule for o in observed.answers] == ["a", "b", "c"]


def test_the_report_opens_with_the_most_relevant_findings_in_its_own_order() -> None:
    pairs = [
        (name, observations(relevance))
        for name, relevance in zip("abcdefg", (0.5, 0.9, 0.7, 0.8, 0.6, 1.0, 0.4), strict=True)
    ]
    assert [name for name, _ in key_findings(pairs)] == ["b", "c", "d", "e", "f"]


def test_no_experiment_opens_twice_while_another_has_something_to_say() -> None:
    pairs = [("a", observations(1.0, 0.9, 0.8)), ("b", observations(0.1)), ("c", observations())]
    found = [(name, o.relevance) for name, o in key_findings(pairs)]
    # The first of each come before any second one.
    assert found == [("a", 1.0), ("b", 0.1), ("a", 0.9), ("a", 0.8)]


def test_as_many_open_the_report_as_a_reader_keeps() -> None:
    assert len(key_findings([("a", observations(*[0.5] * 9))])) == KEY_FINDINGS


def test_answers_are_of_different_rules_as_long_as_there_are_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rule(name: str, relevance: float, count: int) -> Rule:
        made = [Observation(name, {"n": Count(k)}, runs=1) for k in range(count)]
        return Rule(name, lambda results: iter(made), "comparison", relevance)

    rules = {"z": rule("z", 0.9, 3), "a": rule("a", 0.8, 1), "m": rule("m", 0.7, 2)}
    monkeypatch.setattr(module, "RULES", rules)
    observed = observe(experiment(single("a", [3, 2, 1])))
    assert [o.rule for o in observed.answers] == ["z", "a", "m"]
    assert [o.rule for o in observed.others] == ["z", "z", "m"]


def test_a_finding_that_another_one_covers_is_left_out() -> None:
    # From equal losses b leads no more: that it starts lower is said with it.
    made = experiment(
        single("a", [1.0, 0.5, 0.375, 0.125]),
        single("b", [0.5, 0.25, 0.125, 0.1], {"network.activations": ["relu", "sigmoid"]}),
        single("c", [0.5, 0.25, 0.125, 0.1], {MOMENTUM: 0.5}),
    )
    rules = ("equal-start", "start-differs")
    found = [(o.rule, plain(o.facts["subject"])) for o in everything(made) if o.rule in rules]
    assert ("equal-start", "b") in found
    assert ("start-differs", "b") not in found
    assert ("start-differs", "c") in found


def starts_and_leads(variants: int) -> list[Observation]:
    """What is said of that many variants that start lower than a and lead mostly for that."""
    made = experiment(
        single("a", [1.0, 0.5, 0.375, 0.1875]),
        *(
            single(f"b{i}", [0.5, 0.25, last, 0.1], {"network.activations": [name, "sigmoid"]})
            for i, (name, last) in enumerate(
                [("relu", 0.125), ("tanh", 0.12), ("elu", 0.11)][:variants]
            )
        ),
    )
    return [o for o in everything(made) if o.rule in ("equal-start", "start-differs")]


def test_leads_of_one_kind_are_one_sentence_from_three_on() -> None:
    assert [o.form for o in starts_and_leads(2)] == ["mostly", "mostly"]
    # It covers what would be said of each start alone.
    assert [(o.rule, o.form) for o in starts_and_leads(3)] == [("equal-start", "mostly-many")]


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
