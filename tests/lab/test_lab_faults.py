"""What is wrong with a lab file is told at once: file, line, key, and what could stand there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lab_texts import MARK, MINIMAL, changed, marked_line

import labreport.lab
from labreport.errors import Fault, InputError
from labreport.lab.lab import LabFile
from labreport.lab.plan import Lab
from labreport.lab.reading.extent import MAXIMUM_RUNS
from labreport.lab.reading.faults import findings
from labreport.lab.reading.load import load
from labreport.lab.reading.toml_file import SYNTAX
from labreport.lab.schema.activations import ACTIVATIONS
from labreport.lab.schema.optimizers import OPTIMIZER_TITLES
from labreport.shipped import shipped

Faults = Callable[[str | bytes], tuple[Fault, ...]]
Loaded = Callable[[str], Lab]

VARIANT_A = '\n[[experiment.first.variant]]\nname = "a"\n'
VARIANT_B = '\n[[experiment.first.variant]]\nname = "b"\n'
DRAWN = 'change.initial.scheme = "pytorch"\n'


@dataclass(frozen=True)
class Case:
    """A lab with exactly one fault, on the line that carries the mark."""

    code: str
    key: str
    text: str
    values: dict[str, Any] = field(default_factory=dict)
    allowed: tuple[str, ...] | None = None
    nearest: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.key}"


def at(mark: str) -> str:
    return f"{mark}  {MARK}"


TABLES = ("base.data", "base.network", "base.initial", "base.optimizer")

CASES = [
    # Biases that the network does not have
    Case(
        "biases-without-use",
        "base.initial.biases",
        changed(('scheme = "given"', at('scheme = "given"\nbiases = [[0.35, 0.35], [0.0, 0.0]]'))),
        {"bias": "zero"},
    ),
    Case(
        "biases-without-use",
        "experiment.first.change.initial.biases",
        changed(
            add='change.network.bias = "none"\n' + at("change.initial.biases = [[0, 0], [0, 0.6]]")
        ),
        {"bias": "none"},
    ),
    Case(
        "held-without-biases",
        "base.network.bias",
        changed(('bias = "zero"', at('bias = "held"'))),
        {"found": "given"},
    ),
    # Classes, look-alikes, marks, and what stands in a sweep
    Case(
        "out-of-range",
        "base.data.targets.1",
        changed(
            ("inputs = [[0.5, 0.3]]", "inputs = [[0.5, 0.3], [1, 1]]"),
            ("targets = [[0.23, -0.07]]", "targets = [1,\n" + at("2]")),
        ),
        {"found": 2},
    ),
    *(
        Case(
            "look-alike",
            "experiment.first.variant.1.label",
            changed(add=VARIANT_A + 'label = "Adam 1"' + VARIANT_B + at(f'label = "{label}"')),
            {"found": label, "other": "Adam 1"},
        )
        for label in ("Adam  1", "Ad\u200bam 1", "\u0410dam 1", "adam 1", "Adam\u00a01", "Ａdam 1")
    ),
    *(
        Case(
            "unknown-mark",
            "",
            changed(("rounds = 10", at(f"rounds{before}10{after}"))),
            {"found": mark},
        )
        for before, after, mark in (
            (" ＝ ", "", "＝"),
            ("：", "", "："),
            (" = “", "”", "“"),
            (" = [1，2]", "", "，"),
            (" = −", "", "−"),
            (" = 1e−", "", "−"),
            (" = １", "", "１"),
        )
    ),
    Case(
        "unknown-key",
        "experiment.first.sweep.optimizer.lr",
        changed(add=at("sweep.optimizer.lr = [0.1, 0.2, 0.3, 0.4]")),
        {},
        nearest="learning_rate",
    ),
    # The usual names of keys
    *(
        Case(
            "unknown-key",
            f"base.{key}",
            changed(("[base]", "[base]\n" + at(f"{key} = 3"))),
            {},
            nearest=near,
        )
        for key, near in (
            ("epoch", "epochs"),
            ("iterations", "rounds"),
            ("lr", "optimizer.learning_rate"),
            ("wd", "optimizer.weight_decay"),
            ("batch", "data.batch_size"),
            ("activation", "network.activations"),
            ("hidden", "network.hidden"),
            ("criterion", "loss"),
            ("optim", "optimizer"),
            ("init", "initial"),
        )
    ),
    *(
        Case(
            "unknown-key",
            f"base.optimizer.{key}",
            changed(("learning_rate = 1.0", "learning_rate = 1.0\n" + at(f"{key} = 3"))),
            {},
            nearest=near,
        )
        for key, near in (
            ("lr", "learning_rate"),
            ("eta", "learning_rate"),
            ("wd", "weight_decay"),
            ("mu", "momentum"),
        )
    ),
    Case(
        "unknown-key",
        "experiment.first.n_seeds",
        changed(add=at("n_seeds = 3")),
        {},
        nearest="seeds",
    ),
    # The same twice, and circles
    Case(
        "duplicate-value",
        "experiment.first.sweep.optimizer.learning_rate.1",
        changed(add="sweep.optimizer.learning_rate = [\n1,\n" + at("1.0,") + "\n]"),
        {"found": 1.0, "first": 1},
    ),
    Case(
        "duplicate-value",
        "experiment.first.sweep.network.activations.2",
        changed(
            add='sweep.network.activations = [["relu", "tanh"], "tanh",\n' + at('["relu", "tanh"]]')
        ),
        {"found": ("relu", "tanh"), "first": 1},
    ),
    Case(
        "duplicate-value",
        "experiment.first.sweep.optimizer.momentum",
        changed(add=at("sweep.optimizer.momentum = { from = 0.5, to = 0.5, count = 2 }")),
        {"found": 0.5, "first": 1},
    ),
    Case(
        "duplicate-value",
        "experiment.first.variant.0.seeds.2",
        changed(add=VARIANT_A + DRAWN + "seeds = [\n7,\n3,\n" + at("7") + "\n]"),
        {"found": 7, "first": 1},
    ),
    Case(
        "against-cycle",
        "experiment.first.variant.0.against",
        changed(add=VARIANT_A + at('against = "b"') + VARIANT_B + 'against = "a"\n'),
        {"found": "a"},
    ),
    Case(
        "against-cycle",
        "experiment.first.variant.1.against",
        changed(
            add=VARIANT_A
            + 'against = "b"'
            + VARIANT_B
            + at('against = "c"')
            + '\n[[experiment.first.variant]]\nname = "c"\nagainst = "b"\n'
        ),
        {"found": "b"},
    ),
    # Keys
    Case(
        "unknown-key",
        "base.optimizer.lerning_rate",
        changed(("learning_rate = 1.0", at("learning_rate = 1.0\nlerning_rate = 2"))),
        allowed=("learning_rate", "weight_decay", "name", "momentum", "dampening", "nesterov"),
        nearest="learning_rate",
    ),
    Case(
        "unknown-key",
        "experiments",
        changed((MINIMAL, at("experiments = 1") + "\n" + MINIMAL)),
        allowed=(
            *("format", "languages", "cover", "theme", "purpose", "base", "experiment", "appendix"),
            *("check_fonts", "worked_row", "test_explanations", "robustness"),
        ),
        nearest="experiment",
    ),
    Case("unknown-key", "cover.clas", changed(add=at('[cover]\nclas = "1"')), nearest="class"),
    Case("unknown-key", "experiment.first.titel", changed(add=at('titel = "x"')), nearest="title"),
    Case(
        "unknown-key",
        "experiment.first.title.fr",
        changed(('title = "First"', at('title.en = "First"\ntitle.fr = "Premier"'))),
        allowed=("zh", "en"),
    ),
    Case(
        "unknown-key",
        "experiment.first.variant.1.chnge",
        changed(add=VARIANT_A + VARIANT_B + at("chnge.rounds = 5")),
        nearest="change",
    ),
    Case(
        "unknown-key",
        "experiment.first.variant.0.change.network.layer",
        changed(add=VARIANT_A + at("change.network.layer = [2, 2]")),
        allowed=("layers", "activations", "bias", "hidden"),
        nearest="layers",
    ),
    Case(
        "unknown-key",
        "experiment.first.variant.0.change.optimizer.momentum",
        changed(add=VARIANT_A + at('change.optimizer = { name = "adam", momentum = 0.9 }')),
        allowed=("learning_rate", "weight_decay", "name", "betas", "eps", "amsgrad"),
    ),
    Case(
        "unknown-key",
        "experiment.first.change.0",
        changed(add=at("change.0 = 1")),
    ),
    Case("unknown-key", "experiment.first.sweep.0", changed(add=at("sweep.0 = [1]"))),
    Case(
        "unknown-key",
        "experiment.first.sweep.optimizer.learning_rat",
        changed(add=at("sweep.optimizer.learning_rat = [1]")),
        nearest="learning_rate",
    ),
    Case(
        "unknown-key",
        "experiment.first.sweep.optimizer.momentum",
        changed(
            add='sweep.optimizer.name = ["sgd", "adam"]\n' + at("sweep.optimizer.momentum = [0.5]")
        ),
        allowed=("learning_rate", "weight_decay", "name", "betas", "eps", "amsgrad"),
    ),
    Case(
        "unknown-key",
        "appendix.more.change.rouns",
        changed(add=at('[appendix.more]\ntitle = "x"\nchange.rouns = 3')),
        nearest="rounds",
    ),
    Case(
        "missing-key",
        "base.data",
        MINIMAL.replace("[base.data]\n", "")
        .replace("inputs = [[0.5, 0.3]]\ntargets = [[0.23, -0.07]]\n", "")
        .replace("[base]", at("[base]")),
    ),
    Case(
        "missing-key",
        "base.network.layers",
        changed(("layers = [2, 2, 2]\n", ""), ("[base.network]", at("[base.network]"))),
    ),
    Case(
        "missing-key",
        "base.optimizer.name",
        changed(('name = "sgd"\n', ""), ("[base.optimizer]", at("[base.optimizer]"))),
    ),
    Case(
        "missing-key",
        "experiment.first.title",
        changed(
            ('title = "First"\n', 'question = "?"\n'),
            ("[experiment.first]", at("[experiment.first]")),
        ),
    ),
    Case(
        "missing-key",
        "experiment.first.variant.1.name",
        changed(add=VARIANT_A + at("\n[[experiment.first.variant]]") + '\nlabel = "no name"\n'),
    ),
    Case(
        "missing-key",
        "experiment.first.change.initial.weights",
        changed(
            ("[experiment.first]", "[experiment.none]\n" + 'title = "x"\n[experiment.first]'),
            add=at('change.initial = { scheme = "given" }'),
        ).replace('scheme = "given"\nweights', 'scheme = "zeros"\n#'),
    ),
    Case(
        "missing-key",
        "experiment.first.sweep.initial.value",
        changed(add=at('sweep.initial.scheme = ["zeros", "constant"]')),
    ),
    Case(
        "missing-key",
        "experiment.first.sweep.initial.weights",  # the base's are gone once the scheme changes
        changed(
            add='change.initial.scheme = "zeros"\n' + at('sweep.initial.scheme = ["ones", "given"]')
        ),
    ),
    # Names
    Case(
        "unknown-name",
        "base.network.activations.0",
        changed(('activations = "sigmoid"', at('activations = ["sigmoyd", "tanh"]'))),
        {"found": "sigmoyd"},
        allowed=tuple(ACTIVATIONS),
        nearest="sigmoid",
    ),
    Case(
        "wrong-type",
        "base.loss",
        changed(('loss = "mse"', at("loss = 3"))),
        {"found": "integer", "expected": "string"},
    ),
    Case(
        "unknown-name",
        "experiment.first.change.optimizer.name",
        changed(add=at('change.optimizer.name = "adamm"')),
        {"found": "adamm"},
        nearest="adam",
    ),
    Case(
        "unknown-name",
        "experiment.first.sweep.optimizer.name.1",
        changed(add=at('sweep.optimizer.name = ["adam", "agagrad"]')),
        {"found": "agagrad"},
        nearest="adagrad",
    ),
    Case(
        "unknown-name",
        "languages.1",
        changed((MINIMAL, at('languages = ["zh", "english"]') + "\n" + MINIMAL)),
        {"found": "english"},
        allowed=("zh", "en"),
    ),
    Case(
        "unknown-name",
        "experiment.first.variant.1.against",
        changed(add=VARIANT_A + VARIANT_B + at('against = "aa"')),
        {"found": "aa"},
        allowed=("a",),
        nearest="a",
    ),
    Case(
        "against-itself",
        "experiment.first.variant.1.against",
        changed(add=VARIANT_A + VARIANT_B + at('against = "b"')),
        {"found": "b"},
    ),
    Case(
        "duplicate",
        "experiment.first.variant.1.name",
        changed(add=VARIANT_A + at('\n[[experiment.first.variant]]\nname = "a"')),
        {"found": "a"},
    ),
    *(
        Case(
            "bad-name",
            f"experiment.{name}",
            changed(add=at(f'[experiment."{name}"]') + '\ntitle = "x"\n'),
            {"found": name},
        )
        for name in ("../../etc", "<b>", "Upper", "a b", "", "-", "a--b", "名字", "a\u202e", "..")
    ),
    Case(
        "bad-name",
        "experiment.first.variant.0.name",
        changed(add=at('\n[[experiment.first.variant]]\nname = "a/b"')),
        {"found": "a/b"},
    ),
    Case(
        "bad-name",
        "appendix.A",
        changed(add=at("[appendix.A]") + '\ntitle = "x"\nchange.rounds = 1\n'),
        {"found": "A"},
    ),
    # Values
    Case(
        "wrong-type",
        "base.optimizer.learning_rate",
        changed(("learning_rate = 1.0", at('learning_rate = "1"'))),
        {"found": "string", "expected": "number"},
    ),
    Case(
        "wrong-type",
        "base.rounds",
        changed(("rounds = 10", at("rounds = true"))),
        {"found": "boolean", "expected": "integer"},
    ),
    Case(
        "wrong-type",
        "base.rounds",
        changed(("rounds = 10", at("rounds = 10.0"))),
        {"found": "number", "expected": "integer"},
    ),
    Case(
        "wrong-type",
        "base.rounds",
        changed(("rounds = 10", at("rounds = 2024-01-01"))),
        {"found": "date", "expected": "integer"},
    ),
    Case(
        "wrong-type",
        "base.data.inputs.0.1",
        changed(("inputs = [[0.5, 0.3]]", at('inputs = [[0.5, "x"]]'))),
        {"found": "string", "expected": "number"},
    ),
    Case(
        "wrong-type",
        "experiment.first.seeds",
        changed(add=at('seeds = "many"')),
        {"found": "string", "expected": "integer"},
    ),
    Case(
        "wrong-type",
        "experiment.first.seeds.1",
        changed(add=at("seeds = [1, 2.5]")),
        {"found": "number", "expected": "integer"},
    ),
    Case(
        "wrong-type",
        "experiment.first.variant",
        changed(add=at('variant = "a"')),
        {"found": "string", "expected": "array"},
    ),
    Case(
        "wrong-type",
        "experiment.first.change",
        changed(add=at("change = 3")),
        {"found": "integer", "expected": "table"},
    ),
    Case(
        "wrong-type",
        "check_fonts",
        changed((MINIMAL, at("check_fonts = 1") + "\n" + MINIMAL)),
        {"found": "integer", "expected": "boolean"},
    ),
    Case(
        "wrong-type",
        "experiment.first.sweep.optimizer.learning_rate.2",
        changed(add="sweep.optimizer.learning_rate = [\n1,\n2,\n" + at('"3",') + "\n]\n"),
        {"found": "string", "expected": "number"},
    ),
    Case(
        "wrong-type",
        "format",
        changed((MINIMAL, at("format = true") + "\n" + MINIMAL)),
        {"found": "boolean", "expected": "integer"},
    ),
    Case(
        "out-of-range",
        "format",
        changed((MINIMAL, at("format = 2") + "\n" + MINIMAL)),
        {"found": 2, "bound": "≤ 1"},
    ),
    Case(
        "out-of-range",
        "worked_row",
        changed((MINIMAL, at("worked_row = 2") + "\n" + MINIMAL)),
        {"found": 2, "bound": "≤ 1"},
    ),
    Case(
        "out-of-range",
        "base.rounds",
        changed(("rounds = 10", at("rounds = -4"))),
        {"found": -4, "bound": "≥ 1"},
    ),
    Case(
        "out-of-range",
        "base.network.layers.1",
        changed(("layers = [2, 2, 2]", at("layers = [2, 100000, 2]"))),
        {"found": 100000, "bound": "≤ 4096"},
    ),
    Case(
        "out-of-range",
        "experiment.first.seeds",
        changed(add=at("seeds = 1_000_000_000_000") + "\n" + DRAWN),
        {"found": 10**12, "bound": "≤ 100000"},
    ),
    Case(
        "out-of-range",
        "experiment.first.seeds.0",
        changed(add=at("seeds = [-1]") + "\n" + DRAWN),
        {"found": -1, "bound": "≥ 0"},
    ),
    Case(
        "out-of-range",
        "experiment.first.change.optimizer.betas.1",
        changed(add=at('change.optimizer = { name = "adam", betas = [0.9, 1.0] }')),
        {"found": 1.0, "bound": "< 1.0"},
    ),
    Case(
        "out-of-range",
        "experiment.first.sweep.optimizer.learning_rate.1",
        changed(add=at("sweep.optimizer.learning_rate = [1, -1, 2]")),
        {"found": -1, "bound": "≥ 0.0"},
    ),
    Case(
        "out-of-range",
        "experiment.first.sweep.optimizer.learning_rate",
        changed(
            add=at(
                'sweep.optimizer.learning_rate = { from = -1, to = 1, count = 3, scale = "linear" }'
            )
        ),
        {"found": -1.0, "bound": "≥ 0.0"},
    ),
    Case(
        "out-of-range",
        "experiment.first.sweep.optimizer.learning_rate.count",
        changed(add=at("sweep.optimizer.learning_rate = { from = 1, to = 2, count = 1 }")),
        {"found": 1, "bound": "≥ 2"},
    ),
    Case(
        "out-of-range",
        "base.data.batch_size",
        changed(("[[0.23, -0.07]]", at("[[0.23, -0.07]]\nbatch_size = 2"))),
        {"found": 2, "bound": "≤ 1"},
    ),
    Case(
        "out-of-range",
        "experiment.first.sweep.data.batch_size.1",
        changed(add=at("sweep.data.batch_size = [1, 0]")),
        {"found": 0, "bound": "≥ 1"},
    ),
    Case(
        "out-of-range",
        "experiment.first.record_every",
        changed(add=at("record_every = 0")),
        {"found": 0, "bound": "≥ 1"},
    ),
    Case(
        "out-of-range",
        "experiment.first.budgets.1",
        changed(add=at("budgets = [10, 11]")),
        {"found": 11, "bound": "≤ 10"},
    ),
    Case(
        "budget-of-swept-rounds",
        "experiment.first.budgets.0",  # after which some of the runs have ended
        changed(add="sweep.rounds = [5, 20]\n" + at("budgets = [6]")),
        {"found": 6, "bound": "≤ 5", "most": 20},
    ),
    *(
        Case(
            "out-of-range",
            key,
            changed(*replace, add=add),
            {"found": "0x" + "f" * 18 + "…", "bound": f"≤ {bound}"},
        )
        # Too long for Python to print; of 64 bits and more, TOML promises nothing.
        for long in ("0x" + "f" * 5000,)
        for key, bound, replace, add in (
            ("base.rounds", 10**6, [("rounds = 10", at(f"rounds = {long}"))], ""),
            ("base.loss", 2**63 - 1, [('loss = "mse"', at(f"loss = {long}"))], ""),
            ("experiment.first.sweep.rounds.1", 10**6, [], at(f"sweep.rounds = [1, {long}]")),
            ("experiment.first.seeds", 2**63 - 1, [], at(f"seeds = {long}")),
        )
    ),
    Case(
        "out-of-range",
        "base.network.layers.1",
        changed(("layers = [2, 2, 2]", at(f"layers = [2, {10**25}, 2]"))),
        {"found": str(10**25), "bound": "≤ 4096"},
    ),
    *(
        Case(
            "classes-for-signs",
            "experiment.first.change.loss",
            changed(
                ("targets = [[0.23, -0.07]]", "targets = [1]"),
                ('loss = "mse"', 'loss = "cross_entropy"'),
                add=at(f'change.loss = "{loss}"'),
            ),
            {"found": loss},
        )
        for loss in ("soft_margin", "hinge_embedding")
    ),
    *(
        Case(
            "not-finite",
            "base.optimizer.learning_rate",
            changed(("learning_rate = 1.0", at(f"learning_rate = {written}"))),
        )
        for written in ("nan", "inf", "-inf", "1e400")
    ),
    Case(
        "not-finite",
        "experiment.first.sweep.optimizer.learning_rate.1",
        changed(add=at("sweep.optimizer.learning_rate = [1, nan]")),
    ),
    Case(
        "not-finite",
        "base.initial.weights.0.0.0",
        changed(("weights = [[[0.2,", at("weights = [[[inf,") + "\n")),
    ),
    Case(
        "too-short",
        "base.network.layers",
        changed(("layers = [2, 2, 2]", at("layers = [2]"))),
        {"expected": 2},
    ),
    Case(
        "too-short",
        "languages",
        changed((MINIMAL, at("languages = []") + "\n" + MINIMAL)),
        {"expected": 1},
    ),
    Case("too-short", "experiment.first.seeds", changed(add=at("seeds = []")), {"expected": 1}),
    Case("too-short", "base.data.inputs", changed(("inputs = [[0.5, 0.3]]", at("inputs = []")))),
    Case(
        "too-short",
        "experiment",
        MINIMAL.split("[experiment")[0] + at("[experiment]"),
        {"expected": 1},
    ),
    Case(
        "too-long",
        "base.network.layers",
        changed(("layers = [2, 2, 2]", at(f"layers = {[2] * 65}"))),
        {"expected": 64},
    ),
    Case(
        "too-long",
        "experiment.first.variant.0.name",
        changed(add=at(f'\n[[experiment.first.variant]]\nname = "{"a" * 41}"')),
        {"expected": 40},
    ),
    Case(
        "too-long",
        "experiment.first.title.zh",
        changed(('title = "First"', at(f'title.zh = "{"长" * 2001}"'))),
        {"expected": 2000},
    ),
    *(
        Case(
            "control-character",
            "cover.student.en",
            changed(add=at(f'[cover]\nstudent.en = "a\\u{ord(character):04x}b"')),
            {"found": f"a{character}b"},
        )
        for character in "\x00\x07\x0d\x1b\x7f\x85\x9b"
    ),
    # Sweeps and seeds
    Case("sweep-values", "experiment.first.sweep.rounds", changed(add=at("sweep.rounds = 5"))),
    Case("sweep-seed", "experiment.first.sweep.seed", changed(add=at("sweep.seed = [1, 2]"))),
    Case("sweep-values", "experiment.first.sweep.rounds", changed(add=at("sweep.rounds = []"))),
    Case(
        "sweep-values",
        "experiment.first.sweep.initial",
        changed(add=at('sweep.initial = [{ scheme = "zeros" }]')),
    ),
    Case(
        "not-a-colour",
        "theme.accent",
        changed(add="[theme]\n" + at('accent = "red"')),
        {"found": "red"},
    ),
    Case(
        "low-contrast",
        "theme.accent",
        changed(add="[theme]\n" + at('accent = "#ffff00"')),
        {"found": "1.1"},
    ),
    Case(
        "log-range",
        "experiment.first.sweep.optimizer.learning_rate",
        changed(add=at("sweep.optimizer.learning_rate = { from = 0, to = 1, count = 3 }")),
    ),
    Case(
        "too-long",
        "experiment.first.variant",
        changed(
            add=at("[[experiment.first.variant]]")
            + '\nname = "v"\n'
            + "".join(f'[[experiment.first.variant]]\nname = "v{k}"\n' for k in range(100))
        ),
        {"expected": 100},
    ),
    Case(
        "too-short",
        "experiment.first.change.optimizer.betas",
        changed(add='change.optimizer.name = "adam"\n' + at("change.optimizer.betas = [0.5]")),
        {"expected": 2},
    ),
    Case(
        "wrong-type",
        "experiment.first.question",
        changed(add=at("question = 3")),
        {"found": "integer", "expected": "string"},
    ),
    Case(
        "too-many-runs",
        "experiment.first.sweep",
        changed(
            add="[experiment.first.sweep]  # here\n"
            "optimizer.learning_rate = { from = 0.1, to = 1, count = 10000 }\n"
            "optimizer.weight_decay = { from = 0.1, to = 1, count = 10000 }\n"
            "optimizer.momentum = { from = 0.1, to = 1, count = 10000 }\n"
        ),
        {"found": 10**12, "limit": MAXIMUM_RUNS},
    ),
    Case(
        "seeds-without-chance",
        "experiment.first.variant.0.seeds",
        changed(add=VARIANT_A + at("seeds = 3")),
        {"scheme": "given"},
    ),
    # Parts that do not fit each other
    Case(
        "activation-count",
        "base.network.activations",
        changed(('activations = "sigmoid"', at('activations = ["tanh"]'))),
        {"found": 1, "expected": 2},
    ),
    Case(
        "activation-count",
        "experiment.first.change.network.activations",
        changed(add=at('change.network.activations = ["tanh", "tanh", "tanh"]')),
        {"found": 3, "expected": 2},
    ),
    Case(
        "row-width",
        "base.data.inputs.0",
        changed(("inputs = [[0.5, 0.3]]", at("inputs = [[0.5]]"))),
        {"found": 1, "expected": 2, "row": 1},
    ),
    Case(
        "row-width",
        "experiment.first.sweep.data.targets.1",
        changed(add=at("sweep.data.targets = [[[1, 2]], [[1, 2, 3]]]")),
        {"found": 3, "expected": 2, "row": 1},
    ),
    Case(
        "row-count",
        "base.data.targets",
        changed(("targets = [[0.23, -0.07]]", at("targets = [[0, 0], [1, 1]]"))),
        {"found": 2, "expected": 1},
    ),
    Case(
        "weights-count",
        "base.initial.weights",
        changed(("weights = [[[0.2, 0.5], [-0.4, 0.6]], ", at("weights = [") + "\n")),
        {"found": 1, "expected": 2, "shapes": "2×2, 2×2"},
    ),
    Case(
        "weights-shape",
        "base.initial.weights.1",
        changed(("[[0.1, -0.3], [-0.5, 0.8]]", at("[[0.1, -0.3]]") + "\n")),
        {"found": "1×2", "expected": "2×2", "layer": 2},
    ),
    Case(
        "weights-shape",
        "base.initial.weights.0",
        changed(("[[0.2, 0.5], [-0.4, 0.6]]", at("[[0.2], [-0.4, 0.6]]") + "\n")),
        {"found": "2×1/2", "expected": "2×2", "layer": 1},
    ),
    Case(
        "weights-shape",
        "experiment.first.sweep.network.layers.1",
        changed(add=at("sweep.network.layers = [[2, 2, 2], [2, 3, 2]]")),
    ),
    Case(
        "weights-shape",
        "experiment.first.variant.0.change.network.layers",
        changed(add=VARIANT_A + at("change.network.layers = [2, 3, 2]")),
    ),
    Case(
        "weights-shape",
        "appendix.more.change.network.layers",
        changed(add=at('[appendix.more]\ntitle = "x"\nchange.network.layers = [2, 3, 2]')),
    ),
    Case(
        "biases-shape",
        "base.initial.biases",
        changed(("0.8]]]", at("0.8]]]\nbiases = [[0, 0], [0]]"))),
        {"found": "2, 1", "expected": "2, 2"},
    ),
    Case(
        "nesterov",
        "base.optimizer.nesterov",
        changed(("learning_rate = 1.0", at("learning_rate = 1.0\nnesterov = true"))),
        {"momentum": 0.0, "dampening": 0.0},
    ),
    Case(
        "nesterov",
        "experiment.first.sweep.optimizer.momentum.0",
        changed(
            add="change.optimizer.nesterov = true\n" + at("sweep.optimizer.momentum = [0, 0.5]")
        ),
        {"momentum": 0.0},
    ),
    *(
        Case(
            "out-of-range",
            f"base.optimizer.etas.{index}",
            changed(('name = "sgd"', at(f'name = "rprop"\netas = {etas}'))),
            {"bound": bound},
        )
        for index, etas, bound in (
            (0, "[1.0, 1.2]", "< 1.0"),
            (0, "[0.0, 1.2]", "> 0.0"),
            (1, "[0.5, 1.0]", "> 1.0"),
        )
    ),
    # TOML
    Case("toml-syntax", "", changed(("rounds = 10", at("rounds = = 10")))),
    Case("toml-syntax", "", changed(("rounds = 10", at("rounds")))),
    Case("toml-syntax", "", changed(("rounds = 10", at("rounds = 10\nrounds = 11")))),
    Case("toml-syntax", "", changed(("rounds = 10", at("rounds = 10\nx = '\x1b[31m'")))),
    Case("toml-syntax", "", changed(add=at('x = """ never closed'))),
    Case(
        "out-of-range",
        "experiment.first.seeds",
        changed(add=at(f"seeds = {'9' * 5000}")),
        {"found": "999999999999…", "bound": f"≤ {2**63 - 1}"},
    ),
    Case(
        "out-of-range",
        "base.data.inputs.0.1",
        changed(("inputs = [[0.5, 0.3]]", at(f"inputs = [[0.5, -{'9' * 400}]]"))),
        {"found": f"-{'9' * 19}…", "bound": f"≥ {-(2**63)}"},
    ),
    Case(
        "out-of-range",
        "base.rounds",
        changed(("rounds = 10", at(f"rounds = 0x{'f' * 5000}"))),
        {"found": f"0x{'f' * 18}…"},
    ),
    # A name that is no text
    Case(
        "wrong-type",
        "base.loss",
        changed(('loss = "mse"', at('loss = ["mse"]'))),
        {"found": "array", "expected": "string"},
    ),
    Case(
        "wrong-type",
        "base.optimizer.name",
        changed(('name = "sgd"', at('name = ["sgd"]'))),
        {"found": "array", "expected": "string"},
        tuple(OPTIMIZER_TITLES),
    ),
    Case(
        "wrong-type",
        "robustness",
        changed(("test_explanations", at("robustness = true") + "\ntest_explanations")),
        {"found": "boolean", "expected": "string"},
    ),
    # Headings
    Case("blank-text", "experiment.first.title", changed(('"First"', at('""')))),
    Case(
        "blank-text", "experiment.first.title", changed(('"First"', at('{ en = " ", zh = "一" }')))
    ),
    Case(
        "blank-text",
        "experiment.first.variant.0.label",
        changed(add=VARIANT_A + at('label = ""')),
    ),
    Case(
        "blank-text",
        "appendix.more.title",
        changed(add=at('[appendix.more]\nchange.rounds = 3\ntitle = ""')),
    ),
    Case(
        "blank-text",
        "theme.titles.set-up",
        changed(("[base]", at('[theme.titles]\nset-up = ""') + "\n[base]")),
    ),
    # What stands there twice
    Case(
        "duplicate-value",
        "languages.1",
        changed(("test_explanations", at('languages = ["en", "en"]') + "\ntest_explanations")),
        {"found": "en", "first": 1},
    ),
    Case(
        "duplicate-value",
        "experiment.first.budgets.2",
        changed(add=at("budgets = [10, 5, 5]")),
        {"found": 5, "first": 2},
    ),
    Case(
        "set-and-swept",
        "experiment.first.change.rounds",
        changed(add=at("change.rounds = 5") + "\nsweep.rounds = [3, 4]\n"),
        {"key": "rounds"},
    ),
    Case(
        "set-and-swept",
        "experiment.first.variant.0.change.optimizer.learning_rate",
        changed(
            add="sweep.optimizer.learning_rate = [0.1, 0.2]\n"
            + VARIANT_A
            + at("change.optimizer.learning_rate = 0.3")
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_one_fault(faults: Faults, case: Case) -> None:
    found = faults(case.text)
    assert [(fault.code, fault.key) for fault in found] == [(case.code, case.key)]
    (fault,) = found
    assert fault.line == marked_line(case.text)
    assert MARK in fault.excerpt
    assert {key: fault.values[key] for key in case.values} == case.values
    assert fault.nearest == case.nearest
    if case.allowed is not None:
        assert fault.allowed == case.allowed
    if case.nearest:
        assert case.nearest.split(".")[0] in fault.allowed


FILE_CODES = {
    "too-many-values",
    "too-many-keys",
    "too-many-numbers",
    "not-regular",
    "file-missing",
    "file-unreadable",
    "file-too-large",
    "not-utf-8",
    "more-faults",
}
"""Those that test_lab_hostile has cases of."""


def test_every_code_has_a_case() -> None:
    room = Path(labreport.lab.__file__).parent
    # What is wrong with data is tested where data are.
    elsewhere = ("warnings.py", "named_data.py")
    reading = [path for path in (room / "reading").glob("*.py") if path.name not in elsewhere]
    text = "".join(path.read_text() for path in (*reading, room / "configuration.py"))
    hyphenated = set(re.findall(r'"([a-z]+(?:-[a-z0-9]+)+)"', text)) - {"utf-8-sig"}
    hyphenated -= set(SYNTAX.values())
    assert hyphenated >= FILE_CODES  # the search does find codes
    covered = {case.code for case in CASES} | FILE_CODES
    assert hyphenated - covered == set()


def test_a_change_that_one_variant_keeps_may_stand_beside_the_sweep_of_another(
    loaded: Loaded,
) -> None:
    swept = "sweep.optimizer.learning_rate = [0.1, 0.2]\n"
    text = "change.optimizer.learning_rate = 0.3\n" + VARIANT_A + VARIANT_B + swept
    rates = [t.config.optimizer.learning_rate for t in loaded(changed(add=text)).plans[0].trials]
    assert rates == [0.3, 0.1, 0.2]


@pytest.mark.parametrize("depth", [40, 900, 100_000])
def test_what_is_nested_too_deep_is_told_at_its_line(faults: Faults, depth: int) -> None:
    deep = "[\n'[',\n" + "[" * depth + "]" * depth + "]"
    text = changed(("inputs = [[0.5, 0.3]]", f"inputs = {deep}"))
    (fault,) = faults(text)
    assert fault.values == {"detail": "depth"}
    assert fault.key == "base.data.inputs"
    first = text.split("\n").index("inputs = [") + 1
    assert first <= fault.line <= first + 2


def test_an_endless_number_is_told_with_its_key(faults: Faults) -> None:
    text = changed(("inputs = [[0.5, 0.3]]", f"inputs = [\n  [0.5,\n{'9' * 5000}]]"))
    (fault,) = faults(text)
    assert (fault.code, fault.key) == ("out-of-range", "base.data.inputs")
    assert fault.excerpt.startswith("9999")


def test_what_nobody_foresaw_is_told_in_pydantics_words() -> None:
    error = {"type": "unheard_of", "loc": ("base",), "msg": "Something is odd", "input": {}}
    (finding,) = findings([error], LabFile, {"base": {}})
    assert (finding.location, finding.code) == (("base",), "invalid")
    assert finding.values == {"detail": "Something is odd"}


FIVE_MISTAKES = """\
[base]
rounds = -10
steps = 3

[base.data]
inputs = [[0.5, 0.3]]
targets = [[0.23, -0.07]]

[base.network]
layers = [2, 2, 2]
activations = ["sigmod", "relu"]
bias = "zero"

[base.initial]
scheme = "given"
weights = [[[0.2, 0.5]], [[0.1, -0.3], [-0.5, 0.8]]]

[base.optimizer]
name = "sgd"
learning_rate = "fast"

[experiment.first]
title = "First"
"""


def test_five_mistakes_are_told_in_one_pass_in_the_order_of_their_lines(faults: Faults) -> None:
    found = faults(FIVE_MISTAKES)
    assert [(fault.line, fault.key, fault.code) for fault in found] == [
        (2, "base.rounds", "out-of-range"),
        (3, "base.steps", "unknown-key"),
        (11, "base.network.activations.0", "unknown-name"),
        (16, "base.initial.weights.0", "weights-shape"),
        (20, "base.optimizer.learning_rate", "wrong-type"),
    ]
    rounds, steps, activation, weights, rate = found
    assert dict(rounds.values) == {"found": -10, "bound": "≥ 1"}
    assert "rounds" in steps.allowed
    assert (activation.nearest, activation.allowed) == ("sigmoid", tuple(ACTIVATIONS))
    assert (weights.values["found"], weights.values["expected"]) == ("1×2", "2×2")
    assert dict(rate.values) == {"found": "string", "expected": "number"}
    lines = FIVE_MISTAKES.split("\n")
    assert [fault.excerpt for fault in found] == [lines[fault.line - 1] for fault in found]
    carets = [fault.excerpt[fault.column - 1 :].split()[0] for fault in found]
    assert carets == ["rounds", "steps", '"sigmod",', "[[0.2,", "learning_rate"]


def test_the_five_mistakes_put_right(loaded: Loaded) -> None:
    text = FIVE_MISTAKES
    for wrong, right in (
        ("rounds = -10\nsteps = 3", "rounds = 10"),
        ("sigmod", "sigmoid"),
        ("[[0.2, 0.5]]", "[[0.2, 0.5], [-0.4, 0.6]]"),
        ('"fast"', "1.0"),
    ):
        text = text.replace(wrong, right)
    assert loaded(text).names == ("first",)


def test_mistakes_in_every_part_of_the_file_are_told_together(faults: Faults) -> None:
    text = """\
[cover]
tutor = "x"

[base]
loss = "msee"
data = { inputs = [[1]], targets = [[1]] }
network = { layers = [1, 1], activations = "tanh" }
optimizer = { name = "sgd", learning_rate = 1 }

[experiment.first]
title = "x"
change.rounds = 0
sweep.optimizer.learning_rate = [1, -1]

[[experiment.first.variant]]
name = "a"
against = "b"
change.dtype = "float16"

[experiment.second]
title = "x"
change.optimizer.name = "sdg"

[appendix.more]
title = "x"
change.gradients = "kept"
"""
    assert [(fault.line, fault.code) for fault in faults(text)] == [
        (2, "unknown-key"),
        (5, "unknown-name"),
        (12, "out-of-range"),
        (13, "out-of-range"),
        (17, "unknown-name"),
        (18, "unknown-name"),
        (22, "unknown-name"),
        (26, "unknown-name"),
    ]


def test_faults_that_only_runs_show_are_told_together(faults: Faults) -> None:
    second = '\n[experiment.second]\ntitle = "x"\nbudgets = [99]\n'
    found = faults(changed(add="budgets = [11, 12]\n" + VARIANT_A + "seeds = 2\n" + second))
    assert [(fault.key, fault.code) for fault in found] == [
        ("experiment.first.budgets.0", "out-of-range"),
        ("experiment.first.budgets.1", "out-of-range"),
        ("experiment.first.variant.0.seeds", "seeds-without-chance"),
        ("experiment.second.budgets.0", "out-of-range"),
    ]


def test_no_fault_is_a_mere_consequence_of_another(faults: Faults) -> None:
    """Rounds at fault say nothing about budgets, layers at fault nothing about weights."""
    found = faults(changed(("rounds = 10", "rounds = 0"), add="budgets = [1000]\n"))
    assert [fault.key for fault in found] == ["base.rounds"]
    found = faults(changed(("layers = [2, 2, 2]", 'layers = "2-2-2"')))
    assert [fault.key for fault in found] == ["base.network.layers"]
    found = faults(changed(('title = "First"\n', "")))
    assert [fault.key for fault in found] == ["experiment.first.title"]


def test_the_same_fault_seen_from_appendices_is_told_once(faults: Faults) -> None:
    appendices = "".join(
        f'\n[appendix.{name}]\ntitle = "x"\nchange.loss = "l1"\n' for name in ("one", "two")
    )
    found = faults(changed(add="change.rounds = -1\n" + appendices))
    assert [fault.key for fault in found] == ["experiment.first.change.rounds"]


def test_the_runs_of_an_experiment_are_counted_together(faults: Faults) -> None:
    half = MAXIMUM_RUNS // 2
    text = "sweep.rounds = [1, 2]\n" + VARIANT_A + f"seeds = {half}\n" + DRAWN + VARIANT_B
    (fault,) = faults(changed(add=text))
    assert (fault.code, fault.values["found"]) == ("too-many-runs", 2 * half + 2)


def test_columns_count_characters(faults: Faults) -> None:
    (fault,) = faults(changed(add='question = { zh = "中文", fr = "é" }\n'))
    assert fault.excerpt[fault.column - 1 :].startswith("fr")


def test_an_error_names_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(FIVE_MISTAKES)
    with pytest.raises(InputError) as caught:
        load(path)
    assert caught.value.exit_code == 2
    for fault in caught.value.faults:
        assert fault.code in str(caught.value)
        assert fault.key in str(caught.value)


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f"])
def test_text_cannot_turn_the_direction_of_writing(mark: str, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    shipped_text = shipped("experiments.toml").read_text(encoding="utf-8")
    path.write_text(shipped_text.replace("（姓名）", f"（{mark}姓名）"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    assert [fault.code for fault in caught.value.faults] == ["control-character"]


def faults_of(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    path = tmp_path / "lab.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    return [(fault.code, fault.key) for fault in caught.value.faults]


def test_two_variants_with_one_label_are_refused(tmp_path: Path) -> None:
    text = shipped("experiments.toml").read_text(encoding="utf-8")
    twice = text.replace('label.zh = "动量 1"', 'label.zh = "每轮清零"')
    assert faults_of(tmp_path, twice) == [("duplicate", "experiment.published.variant.2.label")]


def test_seeds_that_change_nothing_are_refused(tmp_path: Path) -> None:
    text = shipped("experiments.toml").read_text(encoding="utf-8")
    idle = text.replace("[experiment.step-size]", "[experiment.step-size]\nseeds = 3")
    assert faults_of(tmp_path, idle) == [("seeds-without-chance", "experiment.step-size.seeds")]


def test_a_table_without_its_title_is_checked_all_the_same(tmp_path: Path) -> None:
    """Nor does a title of the wrong type hide what else is wrong below it."""
    path = tmp_path / "lab.toml"
    more = (
        "[experiment.a]\ntitel = 'A'\nchange.rnds = 3\n"
        "[experiment.b]\ntitle = 3\nchange.rnds = 3\n"
        "[[experiment.b.variant]]\nname = 'x'\nchange.optimizer.learnin_rate = 2\n"
    )
    path.write_text(changed(add="") + more, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    assert [(fault.code, fault.key) for fault in caught.value.faults] == [
        ("missing-key", "experiment.a.title"),
        ("unknown-key", "experiment.a.titel"),
        ("unknown-key", "experiment.a.change.rnds"),
        ("wrong-type", "experiment.b.title"),
        ("unknown-key", "experiment.b.change.rnds"),
        ("unknown-key", "experiment.b.variant.0.change.optimizer.learnin_rate"),
    ]
