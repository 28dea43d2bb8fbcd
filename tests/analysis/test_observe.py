"""How findings are put in order, and told once where several runs share them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
from cases_answers import BCE, going_on
from cases_answers_sweeps import continued_elsewhere, ending
from cases_small_inputs import cross_entropy_of_one_unit, values_that_all_reach_a_loss_of_0
from concluded_labs import conclude
from synthetic_runs import (
    MOMENTUM,
    RATE,
    check,
    experiment,
    grid,
    plain,
    single,
    starts,
    sweep,
    trace,
    with_controls,
)

from labreport.analysis import observe as module
from labreport.analysis.answers.reasons import MOST_REASONS
from labreport.analysis.observation import Count, Observation, Subject
from labreport.analysis.observe import RULES, observe
from labreport.analysis.results import ExperimentResults, Result
from labreport.analysis.rule import PARTS, REGISTERED, Part, Rule, part_of
from labreport.lab.configuration import RunConfig
from labreport.runs.run import Trace

OVERSHOOT = [9.0, 1.0, 5.0]


def test_findings_that_differ_in_subject_alone_are_told_once() -> None:
    made = experiment(
        single("a", OVERSHOOT),
        single("b", [*OVERSHOOT, 6.0], {MOMENTUM: 0.5}),
        single("c", [9.0, 1.0, 4.0], {MOMENTUM: 0.6}),
    )
    found = [o for o in everything(made) if o.rule == "overshoot"]
    assert [(plain(o.facts["subject"]), o.runs) for o in found] == [(("a", "b"), 2), ("c", 1)]


def test_merged_findings_keep_their_facts() -> None:
    made = experiment(single("a", OVERSHOOT), single("b", [*OVERSHOOT, 6.0], {MOMENTUM: 0.5}))
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
    assert [(plain(o.facts["subject"]), o.form) for o in found] == [("g", "inside"), ("h", "other")]


def test_the_most_relevant_come_first_and_limits_stand_apart() -> None:
    made = experiment(
        single("a", OVERSHOOT),
        single("b", [9.0, 8.0, 7.0], {MOMENTUM: 0.5, "network.bias": "none"}),
    )
    observed = observe(made)
    assert observed.others
    relevances = [o.relevance for o in observed.others]
    assert relevances == sorted(relevances, reverse=True)
    assert not any(o.limits for o in (*observed.answers, *observed.others))
    assert {o.rule for o in observed.limits} == {"several-changes", "single-start"}


# --- the answer --------------------------------------------------------------------------------


def rule_of(part: Part | None, relevance: float, name: str, count: int = 1) -> Rule:
    """A rule that finds so many things, which are such a part of an answer."""
    made = [Observation(name, {"n": Count(k)}, runs=1) for k in range(count)]
    return Rule(name, lambda results: iter(made), "comparison", relevance, part=part)


def registered(patch: pytest.MonkeyPatch, *rules: Rule) -> None:
    """Apply these rules and no others."""
    patch.setattr(module, "RULES", {rule.name: rule for rule in rules})
    for rule in rules:
        patch.setitem(REGISTERED, rule.name, rule)


def answered(patch: pytest.MonkeyPatch, *rules: Rule) -> list[str]:
    """The rules of the answer's parts, where there are no other rules than these."""
    registered(patch, *rules)
    made = experiment(single("a", [3, 2, 1]), single("b", [3, 2, 2]))
    return [o.rule for o in observe(made).answers]


def test_an_answer_has_one_finding_of_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [
        rule_of("scope", 0.9, "s"),
        rule_of("verdict", 0.5, "v1"),
        rule_of("verdict", 0.6, "v2", count=2),
        rule_of("effect", 0.3, "e"),
        rule_of("reason", 0.8, "r"),
        rule_of(None, 1.0, "d"),
    ]
    assert answered(monkeypatch, *rules) == ["v2", "e", "r", "s"]


def test_equally_relevant_findings_keep_the_order_of_the_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = [rule_of("verdict", 0.5, name) for name in ("z", "a", "m")]
    assert answered(monkeypatch, *rules) == ["z", "no-reason"]


def test_where_no_reason_is_known_an_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered(monkeypatch, rule_of("verdict", 0.5, "v")) == ["v", "no-reason"]


def test_where_nothing_answers_the_first_finding_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered(monkeypatch, rule_of(None, 0.5, "d"), rule_of(None, 0.6, "e")) == ["e"]


def test_a_second_reason_is_given_only_if_it_is_strong(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = rule_of("verdict", 0.1, "v")
    strong = [rule_of("reason", relevance, f"r{relevance}") for relevance in (0.95, 0.9, 0.85)]
    assert len(answered(monkeypatch, verdict, *strong)) == 1 + MOST_REASONS
    weak = [rule_of("reason", relevance, f"r{relevance}") for relevance in (0.5, 0.4)]
    assert answered(monkeypatch, verdict, *weak) == ["v", "r0.5"]


def test_what_all_have_in_common_is_a_reason_for_no_difference_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = Observation("r", {"subject": (Subject("a"), Subject("b"))}, runs=2)
    reason = Rule("r", lambda results: iter([shared]), "comparison", 0.9, part="reason")
    for part, form, said in (("verdict", "level", "r"), ("effect", "level", "no-reason")):
        made = Observation("w", {}, runs=2, form=form)
        what = Rule("w", lambda results, made=made: iter([made]), "comparison", 0.5, part=part)
        assert answered(monkeypatch, what, reason) == ["w", said]


@pytest.mark.parametrize(("strength", "said"), [("statistical", "no-reason"), ("exact", "r")])
def test_what_the_starts_of_each_have_in_common_is_no_reason(
    monkeypatch: pytest.MonkeyPatch, strength: Literal["statistical", "exact"], said: str
) -> None:
    each = [
        Observation("r", {"subject": Subject(name), "count": Count(k)}, 2, strength=strength)
        for k, name in enumerate("ab")
    ]
    reason = Rule("r", lambda _: iter(each), "comparison", 0.9, part="reason")
    verdict = Observation("v", {"subject": Subject("a"), "other": Subject("b")}, runs=2)
    what = Rule("v", lambda _: iter([verdict]), "comparison", 0.5, part="verdict")
    assert answered(monkeypatch, what, reason) == ["v", said]


@pytest.mark.parametrize(
    ("named", "last", "said"),
    [
        ("a", 2.0, "r"),  # … which is behind, and above its floor.
        ("a", 0.009, "no-reason"),  # … which is at its floor: nothing could bring it lower.
        ("b", 2.0, "no-reason"),  # … which leads all the same.
    ],
)
def test_what_holds_a_run_back_is_a_reason_of_those_behind_alone(
    monkeypatch: pytest.MonkeyPatch, named: str, last: float, said: str
) -> None:
    found = Observation("r", {"subject": Subject(named)}, runs=1)
    reason = hindrance(found, lambda result: result.variant == named)
    rules = (rule_of("verdict", 0.5, "v"), reason)
    registered(monkeypatch, *rules)
    made = experiment(single("a", [9, 5, last]), single("b", [9, 5, last - 1], {RATE: 2.0}))
    assert [o.rule for o in observe(made).answers] == ["v", said]


def hindrance(found: Observation, has: Callable[[Result], bool]) -> Rule:
    """A rule whose finding holds runs back, and which of them have it."""
    return Rule(found.rule, lambda _: iter([found]), "comparison", 0.9, hinders=has, part="reason")


@pytest.mark.parametrize(
    ("with_it", "without", "said"),
    [
        (12, 0, "r"),  # From most starts that have it, and from none that has not.
        (11, 18, "no-reason"),  # As often without it.
        (8, 0, "no-reason"),  # Not from most that have it.
        (12, 12, "r"),
    ],
)
def test_what_holds_a_run_back_is_a_reason_where_other_starts_bear_it_out(
    monkeypatch: pytest.MonkeyPatch, with_it: int, without: int, said: str
) -> None:
    """Of 30 starts 12 have it, and these so many end behind, of those with it and without."""

    def ended(number: int, config: RunConfig) -> Trace:
        place = number if number < 12 else number - 12
        is_behind = place < (with_it if number < 12 else without)
        leads = config.optimizer.learning_rate == 2.0
        last = 1.0 if leads else 2.0 if is_behind else 0.5
        return trace(config, [9, 7 if number < 12 else 5, last])

    made = experiment(single("a", [9, 7, 2]), single("b", [9, 5, 1], {RATE: 2.0}))
    made = with_controls(made, "other-starts", ended)
    found = Observation("r", {"subject": Subject("a")}, runs=1)
    rule = hindrance(found, lambda result: float(result.losses[1]) == 7)
    registered(monkeypatch, rule_of("verdict", 0.5, "v"), rule)
    assert [o.rule for o in observe(made).answers] == ["v", said]


@pytest.mark.parametrize(
    ("rule", "pair", "verdict", "said"),
    [
        ("pairs-at-other-rates", "ab", "ab", True),
        ("pairs-at-other-rates", "ba", "ab", True),
        ("pairs-at-other-rates", "ac", "ab", False),
        ("pairs-at-other-rates", "ab", "", False),
        ("solved-less-often", "ab", "", False),
        ("holds-over-starts", "ab", "", True),
        ("holds-over-starts", "ac", "ab", False),
        ("leads-longer", "", "ab", True),
    ],
)
def test_a_scope_is_about_the_variants_that_the_verdict_compares(
    monkeypatch: pytest.MonkeyPatch, rule: str, pair: str, verdict: str, said: bool
) -> None:
    def found(name: str, pair: str, part: Part) -> Rule:
        facts = dict(zip(("subject", "other"), map(Subject, pair), strict=False))
        made = Observation(name, facts, runs=2)
        return Rule(name, lambda _: iter([made]), "comparison", 0.5, part=part)

    rules = (found("v", verdict, "verdict"), found(rule, pair, "scope"))
    assert (rule in answered(monkeypatch, *rules)) == said


def test_what_holds_back_who_leads_as_well_is_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Observation("r", {"subject": Subject("a")}, runs=1)
    registered(monkeypatch, rule_of("verdict", 0.5, "v"), hindrance(found, lambda _: True))
    made = experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], {RATE: 2.0}))
    assert [o.rule for o in observe(made).answers] == ["v", "no-reason"]


@pytest.mark.parametrize(("later", "said"), [(1.5, "r"), (0.5, "no-reason")])
def test_what_holds_back_who_leads_when_all_train_on_is_no_reason(
    monkeypatch: pytest.MonkeyPatch, later: float, said: str
) -> None:
    def continued(_: int, config: RunConfig) -> Trace:
        leads = config.optimizer.learning_rate == 2.0
        return trace(config, [9, 5, *[1.0 if leads else later] * (config.rounds - 1)])

    made = experiment(single("a", [9, 5, 2]), single("b", [9, 5, 1], {RATE: 2.0}))
    made = with_controls(made, "longer", continued)
    found = Observation("r", {"subject": Subject("a")}, runs=1)
    registered(
        monkeypatch, rule_of("verdict", 0.5, "v"), hindrance(found, lambda r: r.variant == "a")
    )
    assert [o.rule for o in observe(made).answers] == ["v", said]


@pytest.mark.parametrize(("form", "said"), [("", "r"), ("not", "no-reason"), (None, "no-reason")])
def test_what_needs_to_be_borne_out_by_another_rule_is_a_reason_only_then(
    monkeypatch: pytest.MonkeyPatch, form: str | None, said: str
) -> None:
    reason = replace(rule_of("reason", 0.8, "r"), borne_out_by=("w",))
    seen = [] if form is None else [Observation("w", {}, runs=1, form=form)]
    witness = Rule("w", lambda _: iter(seen), "comparison", 0.5)
    assert answered(monkeypatch, rule_of("verdict", 0.5, "v"), reason, witness) == ["v", said]


@pytest.mark.parametrize(
    ("beyond", "form"),
    [((), "wider"), ((0.5, 2), "farther"), ((1.5, 2), "point"), ((0.75, 0.5), "wider")],
)
def test_a_range_is_widened_unless_another_experiment_has_done_so(
    beyond: tuple[float, ...], form: str
) -> None:
    made = continued_elsewhere(*beyond) if beyond else ending(3, 2, 1)
    assert observe(made).answers[-1].form == form


@pytest.mark.parametrize(("failing", "form"), [(5.0, "fails"), (0.5, "point")])
def test_a_value_that_fails_from_some_starts_is_not_advised_without_a_word(
    failing: float, form: str
) -> None:
    last = {1.0: [*[0.5] * 11, failing], 2.0: [0.75] * 12}
    advised = observe(experiment(grid("a", RATE, last))).answers[-1]
    assert advised.form == form
    assert plain(advised.facts["best"]) == ("", 1.0)


def test_a_reason_alone_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [rule_of("reason", 0.5, "r"), rule_of(None, 0.9, "d")]
    assert answered(monkeypatch, *found) == ["d"]


def test_reasons_are_of_different_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered(monkeypatch, rule_of("reason", 0.9, "r", count=3)) == ["r"]


def test_parts_of_an_answer_stand_in_their_order() -> None:
    parts = [part_of(o) for o in observe(going_on(0.5, 0.25)).answers]
    assert parts == [part for part in PARTS if part in parts]
    assert {"verdict", "effect", "reason", "scope", "advice"} == set(parts)


def tried(results: ExperimentResults) -> ExperimentResults:
    """The same, and every run from other starts, from which it ends as it does from its own."""
    losses = {r.run.config.optimizer.model_dump_json(): r.losses for r in results.results}

    def made(_: int, config: RunConfig) -> Trace:
        return trace(config, losses[config.optimizer.model_dump_json()].tolist())

    return with_controls(results, "other-starts", made)


def test_advice_rests_on_the_claims_of_what_it_follows_from() -> None:
    answer = observe(tried(going_on(0.5, 0.25))).answers
    (lead,) = (o for o in answer if o.rule == "who-leads")
    (advised,) = (o for o in answer if o.rule == "advice")
    assert (advised.form, plain(advised.facts["subject"])) == ("take", ("b",))
    assert advised.claims == lead.claims


def test_nothing_is_preferred_of_which_one_start_was_tried() -> None:
    (advised,) = (o for o in observe(going_on(0.5, 0.25)).answers if o.rule == "advice")
    assert (advised.form, advised.facts, advised.limits) == ("starts", {}, False)


def test_nothing_is_preferred_that_differs_in_several_things() -> None:
    changes = {MOMENTUM: 0.5, RATE: 0.5}
    pair = single("a", [9, 5, 2]), single("b", [9, 5, 1], changes)
    (advised,) = (o for o in observe(experiment(*pair)).answers if o.rule == "advice")
    assert (advised.form, advised.facts, advised.limits) == ("apart", {}, False)
    # Of what else is compared something may be known.
    near = single("a", [9, 5, 0.8]), single("b", [9, 5, 0.6], changes)
    third = tried(experiment(*near, single("c", [9, 5, 0.5], {MOMENTUM: 0.25})))
    (advised,) = (o for o in observe(third).answers if o.rule == "advice")
    assert (advised.form, plain(advised.facts["subject"])) == ("take", ("c",))


def test_of_two_variants_from_equal_starts_the_lower_is_advised() -> None:
    low, high = [[9, 5, 1 + k / 64] for k in range(8)], [[9, 5, 2 + k / 64] for k in range(8)]
    for first, second, taken in ((low, high, "a"), (high, low, "b")):
        made = experiment(starts("a", first), starts("b", second, {MOMENTUM: 0.5}))
        (advised,) = (o for o in observe(made).answers if o.rule == "advice")
        assert (advised.form, plain(advised.facts["subject"])) == ("take", taken)


@pytest.mark.parametrize(("still", "form"), [(8, "longer"), (7, "rounds"), (0, "take")])
def test_nothing_is_preferred_where_half_of_the_runs_still_fall(still: int, form: str) -> None:
    low = [[9.0, *[8.0] * 8, 4 + k / 64, (2 if k < still else 4) + k / 64] for k in range(8)]
    high = [[*[9.0] * 9, 6 + k / 64, 6 + k / 64] for k in range(8)]
    made = experiment(starts("a", low), starts("b", high, {MOMENTUM: 0.5}), budgets=(10,))
    (advised,) = (o for o in observe(made).answers if o.rule == "advice")
    assert advised.form == form


def test_a_wider_network_is_not_advised_by_the_loss_of_the_rows_it_was_trained_on() -> None:
    low, high = [[9, 5, 1 + k / 64] for k in range(8)], [[9, 5, 2 + k / 64] for k in range(8)]
    rows = {"data.inputs": [[0.1 * k, 0.5] for k in range(9)], "data.targets": [[0.2, 0.1]] * 9}
    wide = {**rows, "network.layers": [2, 8, 2], "initial": {"scheme": "pytorch"}}
    for changes, form in ((wide, "unseen"), ({**rows, MOMENTUM: 0.5}, "take")):
        made = experiment(starts("a", low, changes), starts("b", high, rows))
        (advised,) = (o for o in observe(made).answers if o.rule == "advice")
        assert advised.form == form


def test_more_starts_are_advised_where_they_are_too_few_to_show_anything() -> None:
    low, high = [[9, 5, 1 + k / 64] for k in range(5)], [[9, 5, 2 + k / 64] for k in range(5)]
    made = experiment(starts("a", low), starts("b", high, {MOMENTUM: 0.5}))
    (advised,) = (o for o in observe(made).answers if o.rule == "advice")
    assert (advised.form, advised.facts) == ("more", {})


def test_advice_on_targets_comes_before_advice_on_variants() -> None:
    refused = {**BCE, "data.targets": [[0.25, -0.07]]}
    made = experiment(
        single("a", [3, 2, 1]),
        single("b", [3, 2, 0.5], {MOMENTUM: 0.5}),
        single("c", [], refused, rounds=2, kind="refused", message="RuntimeError: no"),
    )
    (advised,) = (o for o in observe(made).answers if o.rule == "advice")
    assert advised.form == "targets"


def test_a_gradient_check_has_an_answer() -> None:
    answer = [(o.rule, o.form) for o in observe(check("summed", "right")).answers]
    assert ("points-downhill", "") in answer
    assert answer[-1] == ("advice", "check")


def test_nothing_is_built_on_a_loss_that_is_0_whatever_the_weights() -> None:
    made = cross_entropy_of_one_unit()
    for observation in (o for o in observe(made) if o.claims):
        runs = {run for claim in observation.claims for run in claim.runs}
        spoken = {o.variant for o in made.results if o.run.name in runs}
        allowed = RULES[observation.rule].of_constant_losses
        assert allowed or "ce" not in spoken, observation
    together = [o for _, o in conclude((made,))]
    assert [o.rule for o in together] == ["all-runs"]


def test_runs_that_differ_in_their_rounds_alone_are_not_compared_before_one_ends() -> None:
    found = observe(experiment(single("a", [9, 5, 2]), single("b", [9, 5, 2, 1])))
    rules = {o.rule for o in found}
    assert "own-ends" in rules
    assert not rules & {"who-leads", "no-reason"}
    other = observe(experiment(single("a", [9, 5, 2]), single("b", [9, 5, 2.5, 1], {RATE: 2.0})))
    assert {"own-ends", "who-leads", "no-reason"} <= {o.rule for o in other}


def test_a_small_effect_makes_a_finding_less_relevant() -> None:
    def found(effect: float) -> float:
        one = Observation("z", {"n": Count(1)}, runs=1, effect=effect)
        rule = Rule("r", lambda results: iter([one]), "gradients", 0.9)
        (told,) = rule(experiment(single("a", [3, 2, 1])))
        return told.relevance

    assert found(1.0) == found(0.25) == 0.9
    assert 0.3 < found(1 / 32) < 0.45 < found(0.2) < 0.9


def test_losses_that_are_all_0_have_no_best_value() -> None:
    made = values_that_all_reach_a_loss_of_0()
    assert not {o.rule for o in everything(made)} & {"sweep-shape", "sweep-values", "edge-of-grid"}


def test_a_finding_that_another_one_covers_is_left_out() -> None:
    # From equal losses b leads no more: that it starts lower is said with it.
    made = experiment(
        single("a", [1.0, 0.5, 0.375, 0.125]),
        single("b", [0.5, 0.26, 0.125, 0.1], {"network.activations": ["relu", "sigmoid"]}),
        single("c", [0.5, 0.25, 0.125, 0.11], {MOMENTUM: 0.5}),
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
            single(f"b{i}", [0.5, 0.26, last, 0.1], {"network.activations": [name, "sigmoid"]})
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
    found = conclude((experiment(single("a", [1, 0.5, 0.05])),))
    assert [o.rule for _, o in found] == ["all-runs"]


def test_random_starts_do_not_win_the_smallest_error() -> None:
    made = experiment(
        single("a", [1, 1, 0.5]),
        single("b", [1, 1, 0.75], {MOMENTUM: 0.5}),
        starts("r", ([1, 1, 0.01], [1, 1, 0.02])),
    )
    (lowest,) = (o for _, o in conclude((made,)) if o.rule == "lowest-error")
    assert plain(lowest.facts["subject"])[0] == "a"
    assert plain(lowest.facts["count"]) == 2


def test_other_targets_do_not_win_the_smallest_error() -> None:
    made = experiment(
        single("a", [1, 1, 0.5]),
        single("b", [1, 1, 0.75], {MOMENTUM: 0.5}),
        single("c", [1, 1, 0.01], {"data.targets": [[0.25, 0.5]]}),
    )
    (lowest,) = (o for _, o in conclude((made,)) if o.rule == "lowest-error")
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


def test_where_no_rule_answers_the_first_finding_stands_in_its_place() -> None:
    found = observe(experiment(sweep("a", "rounds", {1: [9, 5], 2: [9, 5, 1]}), budgets=(2,)))
    assert [o.rule for o in found.answers] == ["best-at-own-end"]
    assert found.in_short == found.answers
    assert "best-at-own-end" not in {o.rule for o in found.others}
