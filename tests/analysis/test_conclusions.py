"""What experiments say together: when it is said, and that it is true."""

from __future__ import annotations

from typing import Any

import pytest
from concluded_labs import (
    LABS,
    Lab,
    all_near,
    all_turn,
    another_value_than_the_rate_decides,
    apart,
    classes_beside_swept_rounds,
    classified,
    completed,
    conclude,
    less_than_chance,
    more_than_chance,
    no_other_rows,
    no_starts,
    none_near,
    none_turns,
    one_alone_diverged,
    one_alone_refused,
    one_diverged,
    one_refused,
    random_starts,
    right_formulas_alone,
    rows_in_classes,
    rows_that_are_no_classes,
    silent_with_relu,
    silent_without_relu,
    some_turn,
    starts_decide_in_all,
    starts_decide_in_some,
    starts_decide_nowhere,
    stuck_above_a_rate,
    stuck_beside_a_better_run,
    the_step_decides_in_all,
    the_step_decides_in_some,
    the_step_decides_nowhere,
    too_few_starts,
    with_an_idle_run,
    wrong_formulas_whose_loss_falls,
)
from synthetic_runs import MOMENTUM, experiment, plain, single

from labreport.analysis.formulas.evidence import Known, failures, known_of, thresholds_of
from labreport.analysis.lab_rules.conclusions import LAB_RULES
from labreport.analysis.lab_rules.lab_rule import TOPICS
from labreport.analysis.observation import Observation
from labreport.lab.plan import Plan


def concluded(lab: Lab, rule: str) -> list[Observation]:
    return [o for _, o in conclude(lab) if o.rule == rule]


def the_only(lab: Lab, rule: str, form: str) -> dict[str, Any]:
    (found,) = concluded(lab, rule)
    assert found.form == form
    return {name: plain(fact) for name, fact in found.facts.items()}


def known_of_all(lab: Lab, plan: Plan) -> Known:
    runs = [known_of(results).runs for results in lab]
    check = next(results.check for results in lab if results.plan is plan)
    return Known({name: run for found in runs for name, run in found.items()}, check)


@pytest.mark.parametrize("lab", LABS, ids=lambda build: build.__name__)
def test_every_fact_and_claim_holds_when_it_is_computed_apart(lab: Any) -> None:
    made = lab()
    for plan, observation in conclude(made):
        assert list(failures(observation, known_of_all(made, plan))) == []


@pytest.mark.parametrize("rule", LAB_RULES)
def test_declared_thresholds_are_those_that_claims_name(rule: str) -> None:
    named = {n for build in LABS for o in concluded(build(), rule) for n in thresholds_of(o)}
    # What was observed by other rules has their thresholds, of which these labs do not meet all.
    declared = set(LAB_RULES[rule].thresholds)
    assert named <= declared if rule in ("start-decides", "step-decides") else named == declared


@pytest.mark.parametrize("lab", LABS, ids=lambda build: build.__name__)
def test_topics_follow_one_another_the_most_relevant_first(lab: Any) -> None:
    places = [(TOPICS.index(LAB_RULES[o.rule].topic), -o.relevance) for _, o in conclude(lab())]
    assert places == sorted(places)
    assert all(relevance for _, relevance in places)


def test_each_run_is_counted_once() -> None:
    assert the_only(completed(), "all-runs", "one")["count"] == 2
    assert the_only(one_alone_diverged(), "all-runs", "diverged-one")["diverged"] == 1
    assert the_only(one_alone_refused(), "all-runs", "ended-one")["refused"] == 1
    assert the_only(one_refused(), "all-runs", "")["refused"] == 1
    assert the_only(all_near() + none_near(), "all-runs", "completed")["experiments"] == 2
    assert the_only(one_diverged(), "all-runs", "diverged") == {
        "count": 3,
        "experiments": 2,
        "completed": 2,
        "diverged": 1,
        "refused": 0,
    }


def test_the_smallest_error_is_named() -> None:
    said = the_only(completed(), "lowest-error", "")
    assert said["subject"] == ("a", pytest.approx(0.05))
    assert (said["count"], said["budget"], said["experiment"]) == (2, 2, "made by hand")


def test_how_many_are_near_the_floor() -> None:
    assert the_only(all_near(), "near-floor", "all")["near"] == 2
    assert the_only(none_near(), "near-floor", "none")["near"] == 0


@pytest.mark.parametrize("last", [0.0999, 0.1001])
def test_near_the_floor_means_within_a_tenth(last: float) -> None:
    lab = (experiment(single("a", [1, 1, last]), single("b", [1, 1, 1], {MOMENTUM: 0.5})),)
    (near,) = concluded(lab, "near-floor")
    assert plain(near.facts["near"]) == int(last < 0.1)


def test_nothing_is_near_or_far_of_one_run_alone() -> None:
    lab = (experiment(single("a", [1, 0.5, 0.05])),)
    assert [o.rule for _, o in conclude(lab)] == ["all-runs"]


def test_the_number_of_rounds_decides_in_some_experiments() -> None:
    said = the_only(some_turn(), "budget-decides", "some")
    assert (said["count"], said["total"]) == (1, 2)
    assert the_only(all_turn(), "budget-decides", "all")["count"] == 2
    assert concluded(none_turns(), "budget-decides") == []


def test_one_start_would_have_deceived() -> None:
    said = the_only(starts_decide_in_some(), "start-decides", "some")
    assert (said["count"], said["total"]) == (1, 2)
    assert the_only(starts_decide_in_all(), "start-decides", "all")["count"] == 2
    assert concluded(starts_decide_nowhere(), "start-decides") == []
    # Of one experiment alone its own section has said it.
    assert concluded(starts_decide_in_some()[:1], "start-decides") == []


def test_one_learning_rate_would_have_deceived() -> None:
    said = the_only(the_step_decides_in_some(), "step-decides", "some")
    assert (said["count"], said["total"]) == (1, 2)
    assert the_only(the_step_decides_in_all(), "step-decides", "all")["count"] == 2
    assert concluded(the_step_decides_nowhere(), "step-decides") == []
    # A sweep over the momentum says nothing of the step.
    said = the_only(another_value_than_the_rate_decides(), "step-decides", "some")
    assert (said["count"], said["total"]) == (1, 2)


def test_a_falling_loss_would_have_deceived() -> None:
    said = the_only(wrong_formulas_whose_loss_falls(), "loss-falls-anyway", "")
    assert (said["count"], said["experiment"]) == (1, "made by hand")
    assert concluded(right_formulas_alone(), "loss-falls-anyway") == []


def test_differences_are_held_against_those_of_random_starts() -> None:
    # Evenly spread over [1, 2], the middle nine tenths of twenty starts are 0.9 wide: a range of
    # 0.875 is smaller, one of 0.9375 is not.
    assert len(the_only(less_than_chance(), "change-against-chance", "smaller")["experiments"]) == 1
    assert len(the_only(more_than_chance(), "change-against-chance", "larger")["experiments"]) == 2


def test_starts_of_another_network_are_no_measure_of_chance() -> None:
    # Variants of one activation are not held against starts of another one.
    other = {"network.activations": ["relu", "sigmoid"]}
    pair = experiment(
        single("r1", [9, 5, 1], {**other, MOMENTUM: 0.25}),
        single("r2", [9, 5, 1.5], {**other, MOMENTUM: 0.5}),
    )
    said = the_only((apart("a", 4.0), pair, random_starts(1.0)), "change-against-chance", "larger")
    assert len(said["experiments"]) == 1


def test_runs_that_train_nothing_are_left_aside() -> None:
    for lab, form in (
        (less_than_chance(), "smaller"),
        (more_than_chance(), "larger"),
        (no_starts(), "alone"),
    ):
        assert the_only(with_an_idle_run(lab), "change-against-chance", form) == the_only(
            lab, "change-against-chance", form
        )


def test_nineteen_starts_are_no_measure_of_chance() -> None:
    assert the_only(too_few_starts(), "change-against-chance", "alone")
    assert the_only(no_starts(), "change-against-chance", "alone")


def test_one_experiment_alone_is_not_held_against_chance() -> None:
    assert concluded(completed(), "change-against-chance") == []


def test_where_runs_are_stuck() -> None:
    said = the_only(stuck_above_a_rate(), "stuck-together", "")
    assert (said["count"], said["total"]) == (1, 5)
    assert concluded(none_turns(), "stuck-together") == []


def test_a_run_is_stuck_if_any_experiment_shows_it() -> None:
    said = the_only(stuck_beside_a_better_run(), "stuck-together", "")
    assert (said["count"], said["total"]) == (1, 3)


def test_where_weights_are_silent() -> None:
    said = the_only(silent_with_relu(), "silent-together", "relu")
    assert (said["count"], said["total"]) == (1, 4)
    assert the_only(silent_without_relu(), "silent-together", "")["count"] == 2
    assert concluded(none_turns(), "silent-together") == []


def test_shares_are_said_to_be_of_the_rows_that_were_trained_on() -> None:
    assert the_only(rows_in_classes(), "own-rows", "")["experiments"] == ("made by hand",)
    # Where rounds are swept no share is told.
    said = the_only(classes_beside_swept_rounds(), "own-rows", "")
    assert said["experiments"] == ("made by hand",)
    # A target between the two classes is of neither.
    assert the_only(rows_that_are_no_classes(), "own-rows", "loss")
    assert concluded(completed(), "own-rows") == []
    assert concluded(classified(-0.0), "own-rows") != []
    assert concluded(no_other_rows(), "own-rows") == []
