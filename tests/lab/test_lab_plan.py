"""From experiments to runs: variants × sweep × seeds."""

from collections.abc import Callable
from typing import Any

import pytest
from lab_texts import MINIMAL, changed

from labreport.errors import InputError
from labreport.lab import configuration as module
from labreport.lab.configuration import RunConfig
from labreport.lab.lab import Range
from labreport.lab.plan import Lab, Plan
from labreport.lab.reading.load import FEW_STARTS
from labreport.lab.schedule import Schedule

Loaded = Callable[[str], Lab]

TWO_VARIANTS = """
[[experiment.first.variant]]
name = "a"

[[experiment.first.variant]]
name = "b"
change.optimizer.name = "adam"
"""

RANDOM = """
[[experiment.first.variant]]
name = "drawn"
change.initial.scheme = "pytorch"
"""


def plan_of(lab: Lab) -> Plan:
    return lab.plan("first")


def test_the_smallest_lab_is_one_run(loaded: Loaded) -> None:
    lab = loaded(MINIMAL)
    (trial,) = plan_of(lab).trials
    assert (trial.variant, trial.point, trial.seed) == ("base", (), None)
    assert trial.config == lab.base
    assert plan_of(lab).budgets == (10,)
    assert lab.configurations() == (lab.base,)


def test_defaults_of_the_file(loaded: Loaded) -> None:
    lab = loaded(MINIMAL)
    assert lab.languages == ("zh", "en")
    assert lab.purpose is None
    assert lab.appendices == ()
    assert lab.file.check_fonts is True


def test_one_text_stands_for_both_languages(loaded: Loaded) -> None:
    lab = loaded(changed(add='question.zh = "问"\n'))
    experiment = plan_of(lab).experiment
    assert [experiment.title.within(code) for code in ("zh", "en")] == ["First", "First"]
    assert [experiment.question.within(code) for code in ("zh", "en")] == ["问", "问"]


def test_variants_times_sweep_the_last_axis_fastest(loaded: Loaded) -> None:
    plan = plan_of(
        loaded(
            changed(
                add="sweep.rounds = [5, 6]\nsweep.optimizer.learning_rate = [1, 0.5]\n"
                + TWO_VARIANTS
            )
        )
    )
    points = [(5, 1), (5, 0.5), (6, 1), (6, 0.5)]
    assert [(t.variant, *(value for _, value in t.point)) for t in plan.trials] == [
        (variant, *point) for variant in ("a", "b") for point in points
    ]
    for trial in plan.trials:
        rounds, rate = (value for _, value in trial.point)
        assert (trial.config.rounds, trial.config.optimizer.learning_rate) == (rounds, rate)
        assert trial.config.optimizer.name == {"a": "sgd", "b": "adam"}[trial.variant]
    assert plan.axes == (("rounds", (5, 6)), ("optimizer.learning_rate", (1, 0.5)))
    assert plan.of("a") == plan.trials[:4]
    assert plan.of("b") == plan.trials[4:]


def test_a_swept_optimizer_and_its_own_key_go_together(loaded: Loaded) -> None:
    text = 'sweep.optimizer.eps = [1e-3, 1e-4]\nsweep.optimizer.name = ["adam", "adamw"]\n'
    configs = [trial.config for trial in plan_of(loaded(changed(add=text))).trials]
    assert [(c.optimizer.eps, c.optimizer.name) for c in configs] == [
        (1e-3, "adam"),
        (1e-3, "adamw"),
        (1e-4, "adam"),
        (1e-4, "adamw"),
    ]


def test_swept_switches_need_fit_each_other_only_where_they_meet(loaded: Loaded) -> None:
    text = "sweep.optimizer.nesterov = [true, false]\nsweep.optimizer.momentum = [0.5]\n"
    configs = [trial.config.optimizer for trial in plan_of(loaded(changed(add=text))).trials]
    assert [(c.nesterov, c.momentum) for c in configs] == [(True, 0.5), (False, 0.5)]


def test_a_change_may_need_another_change_to_fit(loaded: Loaded) -> None:
    text = (
        "change.network.layers = [2, 1, 2]\n"
        '[[experiment.first.variant]]\nname = "a"\n'
        "change.initial.weights = [[[1, 2]], [[3], [4]]]\n"
    )
    (trial,) = plan_of(loaded(changed(add=text))).trials
    assert trial.config.network.shapes == ((1, 2), (2, 1))


def test_arrays_are_swept_and_points_can_be_looked_up(loaded: Loaded) -> None:
    text = 'change.optimizer.name = "adam"\nsweep.optimizer.betas = [[0.5, 0.6], [0.7, 0.8]]\n'
    plan = plan_of(loaded(changed(add=text)))
    by_point = {trial.point: trial.config.optimizer.betas for trial in plan.trials}
    assert by_point == {(("optimizer.betas", betas),): betas for betas in ((0.5, 0.6), (0.7, 0.8))}


def test_a_variant_may_replace_sweep_and_seeds(loaded: Loaded) -> None:
    text = """\
sweep.rounds = [10, 20]
seeds = 2

[[experiment.first.variant]]
name = "a"
change.initial.scheme = "normal"

[[experiment.first.variant]]
name = "b"
change.initial.scheme = "normal"
sweep.optimizer.learning_rate = [0.1]

[[experiment.first.variant]]
name = "c"
change.initial.scheme = "normal"
sweep = {}
seeds = [7, 3]
"""
    plan = plan_of(loaded(changed(add=text)))
    found = {name: [(t.point, t.seed) for t in plan.of(name)] for name in "abc"}
    assert found == {
        "a": [((("rounds", rounds),), seed) for rounds in (10, 20) for seed in (0, 1)],
        "b": [((("optimizer.learning_rate", 0.1),), seed) for seed in (0, 1)],
        "c": [((), 7), ((), 3)],
    }
    assert plan.axes == (("rounds", (10, 20)), ("optimizer.learning_rate", (0.1,)))


def test_seeds_are_ignored_where_nothing_is_drawn(loaded: Loaded) -> None:
    text = 'seeds = 3\nsweep.initial.scheme = ["zeros", "pytorch"]\n'
    plan = plan_of(loaded(changed(add=text)))
    assert [(t.config.initial.scheme, t.seed, t.config.seed) for t in plan.trials] == [
        ("zeros", None, 0),
        ("pytorch", 0, 0),
        ("pytorch", 1, 1),
        ("pytorch", 2, 2),
    ]


def test_without_seeds_the_configurations_own_seed_holds(loaded: Loaded) -> None:
    (trial,) = plan_of(loaded(changed(add="change.seed = 5\n" + RANDOM))).trials
    assert (trial.seed, trial.config.seed) == (None, 5)


def test_budgets_are_sorted(loaded: Loaded) -> None:
    assert plan_of(loaded(changed(add="budgets = [10, 2, 5]\n"))).budgets == (2, 5, 10)


def test_without_budgets_the_last_round_counts(loaded: Loaded) -> None:
    assert plan_of(loaded(changed(add="sweep.rounds = [5, 30, 20]\n"))).budgets == (30,)


def test_against(loaded: Loaded) -> None:
    text = TWO_VARIANTS + '\n[[experiment.first.variant]]\nname = "c"\nagainst = "b"\n'
    plan = plan_of(loaded(changed(add=text)))
    compared = {v.name: plan.against(v) for v in plan.variants}
    assert compared == {"a": None, "b": plan.variant("a"), "c": plan.variant("b")}


def test_against_may_name_a_later_variant(loaded: Loaded) -> None:
    text = TWO_VARIANTS.replace('name = "a"', 'name = "a"\nagainst = "b"')
    plan = plan_of(loaded(changed(add=text)))
    assert plan.against(plan.variant("a")) is plan.variant("b")


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ({"from": 0.001, "to": 1000, "count": 7}, (0.001, 0.01, 0.1, 1, 10, 100, 1000)),
        ({"from": 8, "to": 1, "count": 4}, (8, 4, 2, 1)),
        ({"from": 0, "to": 1, "count": 11, "scale": "linear"}, tuple(n / 10 for n in range(11))),
        ({"from": 1, "to": -1, "count": 3, "scale": "linear"}, (1, 0, -1)),
        ({"from": 3, "to": 3, "count": 2}, (3, 3)),
    ],
)
def test_ranges(table: dict, values: tuple[float, ...]) -> None:
    assert Range.model_validate(table).values() == values


def test_a_swept_range(loaded: Loaded) -> None:
    text = "sweep.optimizer.learning_rate = { from = 0.01, to = 1, count = 3 }\n"
    plan = plan_of(loaded(changed(add=text)))
    assert plan.axes == (("optimizer.learning_rate", (0.01, 0.1, 1.0)),)
    assert [t.config.optimizer.learning_rate for t in plan.trials] == [0.01, 0.1, 1.0]


def configuration(loaded: Loaded, *replacements: tuple[str, str]) -> RunConfig:
    return loaded(changed(*replacements)).base


WORDED_OTHERWISE = [
    ("learning_rate = 1.0", "learning_rate = 1"),
    ("learning_rate = 1.0", "learning_rate = 1e0\nmomentum = 0.0"),
    ('activations = "sigmoid"', 'activations = ["sigmoid", "sigmoid"]'),
    ('loss = "mse"', ""),
    ("rounds = 10", ""),
    ("rounds = 10", "rounds = 10\nseed = 4"),  # nothing is drawn
    ("inputs = [[0.5, 0.3]]", "inputs = [[0.50, 3e-1]]"),
]
ANOTHER_RUN = [
    ("learning_rate = 1.0", "learning_rate = 1.0000000000000002"),
    ("learning_rate = 1.0", "learning_rate = 1.0\nmomentum = 1e-9"),
    ("learning_rate = 1.0", "learning_rate = 1.0\nnesterov = true\nmomentum = 0.5"),
    ('name = "sgd"', 'name = "adam"'),
    ('activations = "sigmoid"', 'activations = ["sigmoid", "tanh"]'),
    ('bias = "zero"', 'bias = "none"'),
    ('loss = "mse"', 'loss = "l1"'),
    ("rounds = 10", "rounds = 11"),
    ("rounds = 10", 'rounds = 10\ngradients = "accumulated"'),
    ("rounds = 10", 'rounds = 10\ndtype = "float64"'),
    ("inputs = [[0.5, 0.3]]", "inputs = [[0.3, 0.5]]"),
    ("0.8]]]", "0.8]]]\nbiases = [[0, 0], [0, 0]]"),
]


@pytest.mark.parametrize("replacement", WORDED_OTHERWISE)
def test_the_same_configuration_worded_otherwise(
    loaded: Loaded, replacement: tuple[str, str]
) -> None:
    plain, other = configuration(loaded), configuration(loaded, replacement)
    assert plain == other
    assert hash(plain) == hash(other)
    assert plain.digest == other.digest


@pytest.mark.parametrize("replacement", ANOTHER_RUN)
def test_another_configuration_has_another_digest(
    loaded: Loaded, replacement: tuple[str, str]
) -> None:
    plain, other = configuration(loaded), configuration(loaded, replacement)
    assert plain != other
    assert plain.digest != other.digest


def test_a_copy_does_not_keep_the_digest_of_its_original(loaded: Loaded) -> None:
    drawn = plan_of(loaded(changed(add=RANDOM))).trials[0].config
    assert len({drawn.digest, drawn.with_seed(1).digest, drawn.with_seed(2).digest}) == 3
    assert drawn.with_seed(0).digest == drawn.digest
    longer = drawn.model_copy(update={"rounds": 11})
    assert longer.digest == RunConfig.model_validate(longer.model_dump()).digest


def test_a_configuration_survives_json(loaded: Loaded) -> None:
    for trial in plan_of(loaded(changed(add=TWO_VARIANTS))).trials:
        again = RunConfig.model_validate(trial.config.model_dump(mode="json"))
        assert again == trial.config
        assert again.digest == trial.config.digest


SAME_ROWS = """
[experiment.batches]
title = "Batches"
change.initial = { scheme = "pytorch" }
sweep.data.batch_size = [1, 2]
seeds = 3

[experiment.silent]
title = "Silent"
change.network.activations = "relu"

[experiment.other]
title = "Other"
change.data.targets = [[0.1, 0.2], [0.3, 0.5]]
"""


def test_runs_and_their_controls_share_their_rows(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their digest is computed once for each distinct set, whatever the size of batches."""
    computed = []
    plain = module.canonical_json

    def counted(value: Any) -> str:
        computed.append(value)
        return plain(value)

    monkeypatch.setattr(module, "canonical_json", counted)
    two = ("inputs = [[0.5, 0.3]]", "inputs = [[0.5, 0.3], [1, 2]]")
    targets = ("targets = [[0.23, -0.07]]", "targets = [[0.23, -0.07], [1, 2]]")
    tested = ("test_explanations = false", "test_explanations = true")
    lab = loaded(changed(tested, two, targets, add=SAME_ROWS))
    assert len({config.digest for config in lab.configurations()}) > 20
    assert len({id(config.data.rows) for config in lab.configurations()}) == 2
    assert sum(isinstance(value, dict) and "inputs" in value for value in computed) == 2


def test_every_key_by_its_path(loaded: Loaded) -> None:
    flat = configuration(loaded).flat()
    assert flat["optimizer.learning_rate"] == 1.0
    assert flat["network.activations"] == ["sigmoid", "sigmoid"]
    assert flat["initial.weights"][1] == [[0.1, -0.3], [-0.5, 0.8]]
    assert not any(isinstance(value, dict) for value in flat.values())


APPENDED = """
[experiment.second]
title = "Second"
change.gradients = "accumulated"

[appendix.summed]
title = "Again"
change.gradients = "accumulated"
"""


def test_appendices_repeat_every_experiment_and_share_runs(loaded: Loaded) -> None:
    lab = loaded(changed(add=APPENDED))
    (appendix,) = lab.appendices
    assert [plan.name for plan in appendix.plans] == ["first", "second"]
    assert [plan.trials[0].config.gradients for plan in appendix.plans] == ["accumulated"] * 2
    assert appendix.plans[0].base.gradients == "accumulated"
    assert lab.plan("first").trials[0].config.gradients == "cleared"
    # Three of the four runs are one and the same.
    assert [config.gradients for config in lab.configurations()] == ["cleared", "accumulated"]


def test_what_is_examined_has_appendices_and_no_controls(loaded: Loaded) -> None:
    lab = loaded(changed(("test_explanations = false", ""), add=APPENDED))
    assert {config.gradients for config in lab.examined} == {"cleared", "accumulated"}
    assert lab.examined[0] == lab.base
    # The control of a sigmoid that cannot reach its target has a linear output.
    assert "identity" in {config.network.activations[-1] for config in lab.controls}
    assert {config.network.activations[-1] for config in lab.examined} == {"sigmoid"}


def strides(lab: Lab) -> set[int]:
    return {trial.stride for trial in plan_of(lab).trials}


def test_many_random_starts_are_recorded_less_often(loaded: Loaded) -> None:
    head = 'change.initial.scheme = "pytorch"\nchange.rounds = 1000\n'
    assert strides(loaded(changed(add=head))) == {1}
    assert strides(loaded(changed(add=head + f"seeds = {FEW_STARTS}\n"))) == {1}
    (stride,) = strides(loaded(changed(add=head + f"seeds = {FEW_STARTS + 1}\n")))
    assert stride > 1
    assert strides(loaded(changed(add=head + "seeds = 3\nrecord_every = 7\n"))) == {7}


def test_runs_that_stand_for_themselves_are_recorded_in_full(loaded: Loaded) -> None:
    assert strides(loaded(changed(add="record_every = 7\n"))) == {1}


def test_a_run_of_two_experiments_is_recorded_for_the_one_that_wants_more(loaded: Loaded) -> None:
    drawn = 'change.initial.scheme = "pytorch"\nseeds = 1\n'
    second = f'[experiment.second]\ntitle = "x"\n{drawn}record_every = 6\n'
    lab = loaded(changed(add=f"{drawn}record_every = 4\n{second}"))
    (_, (_, schedule)) = lab.recordings()
    assert schedule == Schedule(4, (10,))


def test_only_some_experiments(loaded: Loaded) -> None:
    lab = loaded(changed(add=APPENDED))
    part = lab.only(("second",))
    assert part.names == ("second",)
    assert [plan.name for plan in part.appendices[0].plans] == ["second"]
    assert (part.base, part.cover, part.languages) == (lab.base, lab.cover, lab.languages)
    # The base itself is the worked example of every report.
    assert part.configurations() == (lab.base, lab.plan("second").trials[0].config)
    # The lab's own order, not the order asked for.
    assert lab.only(("second", "first")).names == ("first", "second")
    assert lab.names == ("first", "second")


@pytest.mark.parametrize(
    ("key", "ends", "values"),
    [
        ("rounds", 'from = 1, to = 4, count = 4, scale = "linear"', (1, 2, 3, 4)),
        ("rounds", "from = 1, to = 100, count = 3", (1, 10, 100)),
    ],
)
def test_a_range_of_whole_numbers_serves_keys_that_have_such(
    loaded: Loaded, key: str, ends: str, values: tuple[int, ...]
) -> None:
    lab = loaded(changed(add=f'change.initial.scheme = "pytorch"\nsweep.{key} = {{ {ends} }}'))
    found = [getattr(trial.config, key) for trial in plan_of(lab).trials]
    assert found == list(values)
    assert all(type(value) is int for value in found)


def test_a_range_between_whole_numbers_is_none(loaded: Loaded) -> None:
    with pytest.raises(InputError) as caught:
        loaded(changed(add="sweep.rounds = { from = 1, to = 2, count = 3 }"))
    assert [f.code for f in caught.value.faults] == ["wrong-type"]


def test_a_key_that_is_swept_is_not_missing(loaded: Loaded) -> None:
    swept = 'change.initial.scheme = "constant"\nsweep.initial.value = [0.5, 1.0]\n'
    values = [
        trial.config.flat()["initial.value"] for trial in plan_of(loaded(MINIMAL + swept)).trials
    ]
    assert values == [0.5, 1.0]
    beside = '[[experiment.first.variant]]\nname = "a"\n'
    assert len(plan_of(loaded(MINIMAL + swept + beside)).trials) == 2


def test_a_key_is_missing_where_another_variant_sweeps_it(loaded: Loaded) -> None:
    variants = """change.initial.scheme = "constant"
[[experiment.first.variant]]
name = "a"
sweep.initial.value = [0.5, 1.0]
[[experiment.first.variant]]
name = "b"
"""
    with pytest.raises(InputError) as caught:
        loaded(MINIMAL + variants)
    assert [(f.code, f.key) for f in caught.value.faults] == [
        ("missing-key", "experiment.first.change.initial.value")
    ]


def test_class_numbers_are_rows(loaded: Callable[[str], Lab]) -> None:
    written = loaded(changed(("[[0.23, -0.07]]", "[[0, 1]]")))
    numbered = loaded(changed(("[[0.23, -0.07]]", "[1]")))
    assert numbered.base.data.targets == ((0.0, 1.0),)
    assert numbered.base.digest == written.base.digest


@pytest.mark.parametrize("target", ["1", "7", "-2"])
def test_whole_numbers_are_the_targets_of_one_unit(
    loaded: Callable[[str], Lab], target: str
) -> None:
    def of(targets: str) -> Lab:
        weights = ("[[0.1, -0.3], [-0.5, 0.8]]", "[[0.1, -0.3]]")
        return loaded(changed(("[2, 2, 2]", "[2, 2, 1]"), ("[[0.23, -0.07]]", targets), weights))

    assert of(f"[{target}]").base.data.targets == ((float(target),),)
    assert of(f"[{target}]").base.digest == of(f"[[{target}]]").base.digest


def test_parts_of_numbers_are_no_targets_by_themselves(loaded: Callable[[str], Lab]) -> None:
    with pytest.raises(InputError) as caught:
        loaded(changed(("[[0.23, -0.07]]", "[0.5]")))
    assert {fault.code for fault in caught.value.faults} == {"wrong-type"}
