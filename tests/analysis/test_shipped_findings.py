"""What is really going on in the exercise, found by the rules and computed here once more.

The numbers in capitals were computed outside of this project, with stock PyTorch.
"""

from __future__ import annotations

from math import comb, isfinite, log
from statistics import median
from typing import Any

import numpy as np
import pytest
from synthetic_runs import plain

from labreport.analysis.formulas.evidence import failures, known_of, sourced
from labreport.analysis.formulas.flattened_facts import flattened
from labreport.analysis.observation import Observation
from labreport.analysis.observe import Observations
from labreport.analysis.results import ExperimentResults
from labreport.language.catalogue import language
from labreport.reference.network import LayerParameters, forward

# Printed losses of rounds 1 … 10, as published and with zero_grad().
PUBLISHED = (0.209710, 0.195033, 0.167760, 0.132282, 0.094871)
PUBLISHED += (0.061813, 0.036960, 0.020838, 0.011806, 0.007676)
CLEARED = (0.209710, 0.195033, 0.181351, 0.168651, 0.156905)
CLEARED += (0.146071, 0.136100, 0.126940, 0.118533, 0.110823)
SATURATED = 0.5 * (0.23**2 + 0.07**2)
FLOOR = 0.5 * 0.07**2


def entropy(*targets: float) -> float:
    terms = [-t * log(t) - (1 - t) * log(1 - t) if 0 < t < 1 else 0.0 for t in targets]
    return sum(terms) / len(terms)


@pytest.fixture
def found(shipped_build: Any) -> Any:
    """The observations of an experiment: all of a rule, by the rule's name."""

    def found(experiment: str, rule: str, form: str | None = None) -> list[Observation]:
        return [
            o
            for o in everything(observations(shipped_build, experiment))
            if o.rule == rule and form in (None, o.form)
        ]

    return found


def observations(built: Any, experiment: str) -> Observations:
    pairs = zip(built.measured.experiments, built.measured.observed, strict=True)
    return next(o for results, o in pairs if results.plan.name == experiment)


def everything(observed: Observations) -> list[Observation]:
    return [*observed.answers, *observed.others, *observed.limits]


@pytest.fixture
def results(shipped_build: Any) -> Any:
    def results(experiment: str) -> ExperimentResults:
        return next(e for e in shipped_build.measured.experiments if e.plan.name == experiment)

    return results


def facts(observation: Observation) -> dict[str, Any]:
    return {name: plain(fact) for name, fact in observation.facts.items()}


# --- the program as published ------------------------------------------------------------------


@pytest.mark.parametrize(("variant", "printed"), [("accumulated", PUBLISHED), ("cleared", CLEARED)])
def test_printed_losses(results: Any, variant: str, printed: tuple[float, ...]) -> None:
    (run,) = results("published").of(variant)
    assert run.losses[:10] == pytest.approx(printed, abs=5.1e-7)


def test_published_program_is_momentum_of_one_to_the_bit(found: Any, results: Any) -> None:
    momentum, bias = found("published", "coincide")
    said = facts(momentum)
    assert (momentum.form, said["subject"], said["other"]) == (
        "momentum",
        "accumulated",
        "momentum-1",
    )
    assert said["rounds"] == 1000
    told = facts(bias)
    assert (bias.form, told["keys"]) == ("key", ("network.bias",))
    assert {told["subject"], told["other"]} == {"accumulated", "no-bias"}
    one, *others = (
        results("published").of(name)[0].run.trace
        for name in ("accumulated", "momentum-1", "no-bias")
    )
    for other in others:
        assert (one.losses == other.losses).all()
        assert (one.weights == other.weights).all()
    # … and no other experiment has runs that coincide.
    assert found("published", "several-changes") == []


def test_published_program_overshoots_one_round_after_those_it_shows(found: Any) -> None:
    # Of runs that are the same to the last bit the first stands for all.
    (overshoot,) = found("published", "overshoot", "stays")
    said = facts(overshoot)
    assert (said["subject"], said["longer"]) == ("accumulated", 5000)
    assert (said["updates"], said["round"], said["budget"]) == (10, 11, 1000)
    assert said["lowest"] == pytest.approx(0.0066046, abs=5e-6)
    assert said["lowest"] < PUBLISHED[-1]
    assert said["final"] == pytest.approx(SATURATED, rel=1e-6)


def test_with_copied_weights_the_loss_stays_where_it_is(found: Any) -> None:
    (frozen,) = found("published", "frozen")
    said = facts(frozen)
    assert (said["subject"], said["rounds"], frozen.form) == ("copied", 1000, "copies-gathered")
    assert said["value"] == pytest.approx(0.20971, abs=5e-6)
    # In each round the same gradient, which goes on adding up.
    assert said["gathered"] == pytest.approx(1000 * said["norm"], rel=1e-6)
    assert said["norm"] == pytest.approx(0.12218, abs=5e-6)


def test_published_program_ends_in_saturation(found: Any) -> None:
    (stuck,) = found("published", "stuck", "sigmoid-longer")
    said = facts(stuck)
    assert said["longer"] == 5000
    assert said["loss"] == pytest.approx(SATURATED, rel=1e-6)
    assert said["floor"] == pytest.approx(FLOOR, rel=1e-12)
    assert max(said["outputs"]) < 1e-15
    assert said["slope"] < 1e-15
    assert said["norm"] < 1e-15 < said["largest"]


def test_who_leads_depends_on_the_rounds(found: Any) -> None:
    (lead,) = found("published", "who-leads", "turns")
    said = facts(lead)
    assert (said["early"], said["first"]) == (("accumulated",), 10)
    assert (said["subjects"], said["budget"]) == (("cleared",), 1000)


def answer(built: Any, experiment: str) -> list[str]:
    """The answer to the question of an experiment, part by part."""
    return [o.message.removeprefix("observation.") for o in observations(built, experiment).answers]


def test_the_answer_to_the_published_program(shipped_build: Any) -> None:
    assert answer(shipped_build, "published") == [
        "who-leads.turns",
        "overshoot.stays",
        "coincide.momentum",
        "reaches-from-starts.often",
        "advice.clear",
    ]


def test_other_answers(shipped_build: Any) -> None:
    assert answer(shipped_build, "step-size") == [
        "sweep-shape.peak-level",
        "sweep-values",
        "rate-times-rounds",
        "best-from-starts",
        "advice.peak",
    ]
    assert answer(shipped_build, "bce") == [
        "refused.target",
        "nearer-to-targets.all",
        "larger-step",
        "error-term",
        "holds-over-starts.all",
        "advice.targets",
    ]
    assert answer(shipped_build, "companion") == [
        "right-formula.some",
        "falling-loss.lower-one",
        "points-downhill",
        "advice.check",
    ]


# --- ReLU --------------------------------------------------------------------------------------


def test_five_of_eight_weights_never_get_a_gradient(found: Any) -> None:
    said = {facts(o)["subject"]: facts(o) for o in found("relu", "silent-weights", "dead")}
    assert said.keys() == {"relu", ("relu-hidden", "relu-linear")}
    assert said["relu"]["names"] == ("w2", "w4", "w6", "w7", "w8")
    assert said["relu"]["units"] == ("h2", "o2")
    assert (said["relu"]["count"], said["relu"]["total"]) == (5, 8)
    other = said["relu-hidden", "relu-linear"]
    assert other["names"] == ("w2", "w4", "w7", "w8")
    assert other["units"] == ("h2",)


def test_relu_looks_faster_because_it_starts_lower(found: Any, results: Any) -> None:
    said = {facts(o)["subject"]: o for o in found("relu", "equal-start")}["relu"]
    # After ten rounds it is mostly the start, after a hundred no longer.
    assert (said.form, said.strength) == ("mixed", "explanation")
    told = facts(said)
    assert told["other"] == "sigmoid"
    (slow,), (quick,) = (results("relu").of(name) for name in ("sigmoid", "relu"))
    assert slow.losses[0] == pytest.approx(0.2097, abs=5e-5)
    after = next(k for k, loss in enumerate(slow.losses) if loss <= quick.losses[0])
    assert told["updates"] == after
    shares = {told["rounds"]: told["gone"], told["later"]: told["left"]}
    assert shares.keys() == {10, 100}
    assert quick.losses[0] == pytest.approx(0.0235, abs=5e-5)
    for rounds, share in shares.items():
        mine, same = quick.losses[rounds], slow.losses[rounds]
        left = slow.losses[after + rounds] - mine
        assert share == pytest.approx(1 - left / (same - mine), rel=1e-6)
    assert shares[10] > 0.8
    assert shares[100] < 0.5


def test_dead_units_come_with_the_start(found: Any, results: Any) -> None:
    said = {facts(o)["subject"]: o for o in found("relu", "revived")}
    assert {name: (o.form, o.strength) for name, o in said.items()} == {
        "relu": ("none", "statistical"),
        "relu-hidden": ("some", "statistical"),
        "relu-linear": ("some", "statistical"),
    }
    experiment = results("relu")
    for name, observation in said.items():
        (run,) = experiment.of(name)
        starts = experiment.control("other-starts", run)
        assert facts(observation)["count"] == len(starts) == 30
        assert facts(observation)["dead"] == sum(map(has_dead_unit, starts))


def has_dead_unit(start: Any) -> bool:
    """Whether a unit with ReLU gives 0 in the end, by a forward pass of a 2-2-2 network."""
    (row,) = start.run.config.data.inputs
    first, last = start.run.trace.weights[-1].astype(float).reshape(2, 2, 2)
    hidden = first @ row
    sums = [hidden, last @ np.maximum(hidden, 0)]
    names = start.run.config.network.activations
    return any(n == "relu" and (s <= 0).any() for n, s in zip(names, sums, strict=True))


def test_a_linear_output_reaches_what_sigmoid_cannot(found: Any, shipped_build: Any) -> None:
    (said,) = found("relu", "linear-reaches")
    assert (said.form, said.strength) == ("some", "explanation")
    assert set(facts(said)["subjects"]) == {"sigmoid", "relu", "relu-hidden"}
    _, base = shipped_build.measured.of_base
    assert (base.rule, base.form) == ("linear-reaches", "base")
    assert facts(base)["linear"] < 1e-12 < FLOOR < facts(base)["given"]


def test_where_relu_cannot_reach_the_target(found: Any) -> None:
    said = {facts(o)["subjects"]: facts(o) for o in found("relu", "unreachable-target")}
    assert said.keys() == {("sigmoid", "relu-hidden"), ("relu",)}
    for fact in said.values():
        assert fact["unit"] == ("o2",)
        assert fact["target"] == -0.07
        assert fact["floor"] == pytest.approx(FLOOR, rel=1e-12)


# --- cross entropy -----------------------------------------------------------------------------


def test_bce_refuses_the_target_word_for_word(found: Any) -> None:
    (refused,) = found("bce", "refused")
    assert facts(refused) == {
        "subject": "bce",
        "loss": "bce",
        "round": 1,
        "target": -0.07,
        "message": "RuntimeError: all elements of target should be between 0 and 1",
    }


def test_bce_by_hand_is_unbounded_below(found: Any) -> None:
    (unbounded,) = found("bce", "unbounded", "negative")
    said = facts(unbounded)
    assert (said["subject"], said["loss"]) == ("bce-by-hand", "bce_with_logits")
    assert said["value"] < 0 < said["start"]


def test_floors_of_bce_are_entropies(found: Any) -> None:
    said = {facts(o)["subject"]: facts(o)["floor"] for o in found("bce", "floor-above-zero")}
    assert said == {
        "bce-zero": pytest.approx(entropy(0.23, 0), rel=1e-12),
        "bce-positive": pytest.approx(entropy(0.23, 0.07), rel=1e-12),
    }


def test_losses_of_different_kinds_are_compared_by_one_measure(found: Any, results: Any) -> None:
    said = {facts(o)["subject"]: facts(o) for o in found("bce", "common-measure")}
    assert {name: fact["other"] for name, fact in said.items()} == {
        "bce-by-hand": "mse",
        "bce-zero": "mse-zero",
        "bce-positive": "mse-positive",
    }
    for name, fact in said.items():
        (run,) = results("bce").of(name)
        outputs, targets = run.predictions(1000), np.array(run.run.config.data.targets)
        assert fact["value"] == pytest.approx(((outputs - targets) ** 2).mean(), rel=1e-12)
    (limit,) = found("bce", "different-losses")
    # BCE is the same quantity as BCE with logits.
    assert facts(limit)["losses"] == ("mse", "bce_with_logits")


# --- the floor, and the step -------------------------------------------------------------------


def test_target_of_the_base_is_out_of_reach(shipped_build: Any) -> None:
    unreachable, _ = shipped_build.measured.of_base
    said = facts(unreachable)
    assert (said["unit"], said["target"], said["nearest"]) == (("o2",), -0.07, 0.0)
    assert said["floor"] == pytest.approx(0.00245, rel=1e-12)


def test_best_step_size_after_few_rounds_is_level_after_many(found: Any, results: Any) -> None:
    (values,) = found("step-size", "sweep-values", "")
    said = facts(values)
    swept = results("step-size")
    few, many = swept.budgets[0], said["budget"]
    quick = min(swept.results, key=lambda r: r.loss(few))
    lowest = min(r.loss(many) for r in swept.results)
    (best,) = [r for r in swept.results if r.point[0][1] == said["best"][1]]
    assert best.loss(many) == lowest < quick.loss(many) < lowest + 1e-3 * quick.loss(0)
    assert quick.point != best.point


def test_equal_products_of_rate_and_rounds(found: Any, results: Any) -> None:
    (products,) = found("step-size", "rate-times-rounds")
    said = facts(products)
    runs = {r.point[0][1]: r for r in results("step-size").results}
    apart = [
        abs(slow.loss(many) - quick.loss(few)) / slow.loss(many)
        for few, many in ((10, 100), (100, 1000), (10, 1000))
        for rate, slow in runs.items()
        for other, quick in runs.items()
        if other <= said["largest"][1] and rate * many == pytest.approx(other * few, rel=1e-9)
    ]
    assert said["count"] == len(apart)
    assert said["difference"] == pytest.approx(max(apart), rel=1e-9)
    assert max(apart) < 0.05


def test_too_large_a_step_is_no_better(found: Any, results: Any) -> None:
    (rises,) = found("step-size", "rises")
    steady, rising = (facts(rises)[name][1] for name in ("steady", "rising"))
    runs = {r.point[0][1]: r.losses for r in results("step-size").results}
    assert all((np.diff(runs[rate]) < 0).all() for rate in runs if rate <= steady)
    assert (np.diff(runs[rising]) > 0).any()
    (stuck,) = found("step-size", "stuck-points")
    ((_, stopped),) = facts(stuck)["subjects"]
    assert stopped > steady


# --- starts ------------------------------------------------------------------------------------


def test_given_weights_lie_within_the_spread_of_random_ones(found: Any, results: Any) -> None:
    said = {facts(o)["subject"]: o for o in found("no-init", "place-among-starts")}["given"]
    assert said.form == "inside"
    losses = [r.loss(100) for r in results("no-init").of("random")]
    (given,) = results("no-init").of("given")
    odds = 0.001 * given.loss(0)
    below = sum(given.loss(100) - loss > odds for loss in losses)
    assert facts(said)["better"] == below
    assert facts(said)["count"] == len(losses)
    assert 0 < below < len(losses)


def test_spread_of_random_starts(found: Any, results: Any) -> None:
    (spread,) = found("no-init", "spread", "several")
    said = facts(spread)
    assert (said["first"], said["last"]) == ("random-bias", "random")
    for who, what in (("first", "median"), ("last", "other_median")):
        losses = [r.loss(100) for r in results("no-init").of(said[who])]
        assert said[what] == pytest.approx(median(losses), rel=1e-9)


def test_pairs_of_random_starts(found: Any, results: Any) -> None:
    (paired,) = found("no-init", "paired-starts")
    said = facts(paired)
    mine, theirs = (
        {r.trial.seed: r.loss(100) for r in results("no-init").of(name)}
        for name in (said["subject"], said["other"])
    )
    differences = [mine[seed] - theirs[seed] for seed in mine]
    below = sum(d < 0 for d in differences)
    assert said["lower"] == below
    assert said["median"] == pytest.approx(median(differences), rel=1e-9)
    assert (paired.form, below) == ("lower-all", len(differences))
    # The interval leaves out as many at either end as a fair coin would exceed once in forty.
    ordered, count = sorted(differences), len(differences)
    left_out = ordered.index(said["low"])
    assert said["high"] == ordered[count - 1 - left_out]
    chance = [
        2 * sum(comb(count, i) for i in range(k)) / 2**count for k in (left_out, left_out + 1)
    ]
    assert said["coverage"] == pytest.approx(1 - chance[1], rel=1e-9)
    assert said["p"] == pytest.approx(
        2 * sum(comb(count, i) for i in range(count - below + 1)) / 2**count, rel=1e-9
    )


def test_all_zero_weights_never_break_the_symmetry(found: Any, results: Any) -> None:
    (symmetry,) = found("no-init", "symmetry")
    assert facts(symmetry)["subject"] == "zeros"
    assert facts(symmetry)["units"] == ("h1", "h2")
    (run,) = results("no-init").of("zeros")
    columns = dict(zip(run.names, run.run.trace.weights.T, strict=True))
    # w1, w3 go into h1, w2, w4 into h2; w5, w6 leave h1, w7, w8 leave h2.
    for one, other in (("w1", "w2"), ("w3", "w4"), ("w5", "w7"), ("w6", "w8")):
        assert (columns[one] == columns[other]).all()


# --- Adam --------------------------------------------------------------------------------------


def test_first_step_of_adam_is_the_learning_rate_and_that_of_rmsprop_ten_times_that(
    found: Any, results: Any
) -> None:
    (first,) = found("adam", "first-step")
    assert (first.form, facts(first)["subject"], facts(first)["other"]) == (
        "both",
        "adam",
        "rmsprop",
    )
    for name, factor in (("adam", 1), ("rmsprop", 10)):
        for run in results("adam").of(name):
            weights = run.run.trace.weights[:2].astype(float)
            ratios = abs(weights[1] - weights[0]) / run.point[0][1]
            assert ratios == pytest.approx([factor] * len(ratios), rel=0.01)
    assert facts(first)["factor"] == pytest.approx(10, rel=0.01)


def test_optimizers_at_the_same_rates(found: Any, results: Any) -> None:
    (same,) = found("adam", "at-same-values", "ranges")
    losses: dict[str, dict[float, float]] = {}
    for run in results("adam").results:
        losses.setdefault(run.variant, {})[run.point[0][1]] = run.loss(100)
    start = results("adam").results[0].loss(0)
    assert facts(same)["other"] == "sgd"
    for _, (name, last) in facts(same)["ranges"]:
        for rate, loss in losses[name].items():
            assert (losses["sgd"][rate] - loss > 1e-3 * start) == (rate <= last)


def test_optimizers_each_at_its_best(found: Any, results: Any) -> None:
    (best,) = found("adam", "each-at-its-best", "some")
    lowest: dict[str, float] = {}
    for run in results("adam").results:
        lowest[run.variant] = min(run.loss(100), lowest.get(run.variant, 1.0))
    said, start = facts(best), results("adam").results[0].loss(0)
    assert said["value"] == min(lowest.values())
    assert said["other_value"] == max(lowest.values())
    level = {n for n, loss in lowest.items() if loss - said["value"] <= 1e-3 * start}
    assert set(said["subjects"]) == level
    assert set(said["others"]) == lowest.keys() - level == {"rmsprop"}


# --- every number of every finding -------------------------------------------------------------


def test_every_fact_and_claim_holds_when_it_is_computed_apart(shipped_build: Any) -> None:
    checked = 0
    for results, observed in _everywhere(shipped_build):
        known = known_of(results)
        for observation in everything(observed):
            assert list(failures(observation, known)) == []
            checked += len(observation.claims)
            checked += sum(1 for n, f in observation.facts.items() for _ in sourced(f, n))
    assert checked > 500


def _everywhere(built: Any) -> list[tuple[ExperimentResults, Observations]]:
    measured = built.measured
    return list(zip(measured.experiments, measured.observed, strict=True))


def test_no_loss_is_below_its_floor(shipped_build: Any) -> None:
    measured = shipped_build.measured
    appended = [again.results for _, repeated in measured.appendices for again in repeated]
    checked = 0
    for results in (*measured.experiments, *appended):
        for run in results.results:
            if len(run.losses) and run.floor.value is not None and isfinite(run.floor.value):
                assert float(run.losses.min()) >= run.floor.value - run.at_floor
                checked += 1
    assert checked > 250


def test_stored_outputs_are_those_of_the_stored_weights(shipped_build: Any) -> None:
    """A forward pass by hand, in float64, gives what the runs recorded."""
    for results in shipped_build.measured.experiments:
        for run in results.singles:
            trace, config = run.run.trace, run.run.config
            if not len(trace.weights):
                continue
            layers = []
            start = 0
            for out, into in config.network.shapes:
                matrix = trace.weights[-1, start : start + out * into].reshape(out, into)
                start += out * into
                layers.append(LayerParameters(matrix.astype(np.float64), None))
            inputs = np.array(config.data.inputs)
            outputs = forward(tuple(layers), config.network.activations, inputs).activations[-1]
            assert trace.outputs[-1] == pytest.approx(outputs, rel=2e-5, abs=2e-7)


def test_conclusions_agree_with_the_runs(shipped_build: Any) -> None:
    experiments = shipped_build.measured.experiments
    said = {o.rule: facts(o) for _, o in shipped_build.measured.conclusions}
    distinct = {r.run.name: r for e in experiments for r in e.results}
    kinds = [r.run.trace.ending.kind for r in distinct.values()]
    assert said["all-runs"] == {
        "count": len(distinct),
        "experiments": len(experiments),
        **{kind: kinds.count(kind) for kind in ("completed", "diverged", "refused")},
    }
    assert kinds.count("refused") == 1
    data = shipped_build.measured.lab.base.data
    budget = min(e.last for e in experiments)
    errors = [
        float(((r.run.trace.outputs[budget] - np.array(data.targets)) ** 2).mean())
        for r in distinct.values()
        if r.trial.seed is None and r.run.config.data == data and len(r.losses) > budget
    ]
    assert said["lowest-error"]["budget"] == budget
    assert said["lowest-error"]["subject"][1] == pytest.approx(min(errors), rel=1e-9)
    assert said["lowest-error"]["count"] == len(errors)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_every_measured_number_of_the_report_has_a_name(shipped_build: Any, code: str) -> None:
    measured = {
        leaf.name
        for claim in shipped_build.measured.claims
        for leaf in flattened(claim.observation)
        if leaf.is_measured
    }
    assert len(measured) > 50
    assert sorted(name for name in measured if not language(code).has(f"fact.{name}")) == []
