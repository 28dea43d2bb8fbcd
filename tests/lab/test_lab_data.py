"""Data that a lab names instead of writing out, hidden layers alone, and epochs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lab_texts import MARK, marked_line

import labreport
from labreport.errors import Fault
from labreport.lab.plan import Lab

Loaded = Callable[[str], Lab]
Faults = Callable[[str | bytes], tuple[Fault, ...]]

LAB = """\
test_explanations = false

[base]
loss = "cross_entropy"
epochs = 4

[base.data]
set = "iris"
split = { train = 90, validation = 30, test = 30 }
standardise = true
batch_size = 16

[base.network]
hidden = [6]
activations = ["relu", "identity"]

[base.initial]
scheme = "pytorch"

[base.optimizer]
name = "sgd"
learning_rate = 0.1

[experiment.first]
title = "First"
"""

SOURCE = 'set = "iris"'
SPLIT = "split = { train = 90, validation = 30, test = 30 }"
HOUSES = "area,rooms,price\n80.5,2,300\n120,3,455.5\n95,3,380\n60,1,210\n"


def changed(*replacements: tuple[str, str], add: str = "") -> str:
    text = LAB
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text + add


def regression(*lines: str) -> str:
    return changed(
        (SOURCE, "\n".join(lines)),
        (SPLIT, "split = { train = 2, test = 2 }"),
        ("batch_size = 16", ""),
        ('loss = "cross_entropy"', 'loss = "mse"'),
    )


# --- what a lab writes, and what a run gets ----------------------------------------------------


def test_layers_and_rounds_follow_from_the_data(loaded: Loaded) -> None:
    lab = loaded(LAB)
    assert lab.base.network.layers == (4, 6, 3)
    assert lab.base.network.activations == ("relu", "identity")
    # 90 rows are five batches of 16; the ten that fill no batch are left out of the pass.
    assert lab.base.rounds == 4 * 5
    assert len(lab.base.data.inputs) == 90
    assert lab.data_set is not None
    assert lab.data_set.held_out == ("validation", "test")
    assert all(trial.data_set is lab.data_set for plan in lab.plans for trial in plan.trials)


def test_two_names_stand_for_all_hidden_layers_and_the_output(loaded: Loaded) -> None:
    deep = loaded(changed(("hidden = [6]", "hidden = [6, 5, 4]")))
    assert deep.base.network.activations == ("relu", "relu", "relu", "identity")
    none = loaded(changed(("hidden = [6]", "hidden = []"), ('["relu", "identity"]', '"identity"')))
    assert (none.base.network.layers, none.base.network.activations) == ((4, 3), ("identity",))


def test_runs_know_nothing_of_rows_that_are_held_out(loaded: Loaded) -> None:
    """The same training rows are the same run, whatever else was held out."""
    rule = 'rule = { name = "sine", rows = 20 }'
    parts = ("split = { train = 12, test = 8 }", "split = { train = 12, validation = 8 }")
    first, second = (
        loaded(
            changed(
                (SOURCE, rule), (SPLIT, part), ('"cross_entropy"', '"mse"'), ("batch_size = 16", "")
            )
        ).base
        for part in parts
    )
    assert first.digest == second.digest


def test_a_change_of_source_leaves_nothing_of_the_first(loaded: Loaded) -> None:
    variants = """
[[experiment.first.variant]]
name = "iris"
[[experiment.first.variant]]
name = "wine"
change.data = { set = "wine", split = { train = 100, validation = 38, test = 40 } }
[[experiment.first.variant]]
name = "drawn"
change.data = { rule = { name = "blobs", rows = 150 } }
[[experiment.first.variant]]
name = "layers"
change.network.layers = [4, 2, 3]
[[experiment.first.variant]]
name = "rounds"
change.rounds = 7
"""
    by_name = {t.variant: t for t in loaded(LAB + variants).plans[0].trials}
    assert [len(by_name[n].config.data.inputs[0]) for n in ("iris", "wine", "drawn")] == [4, 13, 2]
    assert by_name["layers"].config.network.layers == (4, 2, 3)
    assert (by_name["rounds"].config.rounds, by_name["iris"].config.rounds) == (7, 20)


def test_degree_and_hidden_layers_are_swept(loaded: Loaded) -> None:
    text = regression('rule = { name = "sine", rows = 4 }', "degree = 1")
    by_degree = loaded(
        text.replace("hidden = [6]", "hidden = []").replace('["relu", "identity"]', '"identity"')
        + "sweep.data.degree = [1, 3, 9]\n"
    ).plans[0]
    assert [t.config.network.layers for t in by_degree.trials] == [(1, 1), (3, 1), (9, 1)]
    by_depth = loaded(LAB + "sweep.network.hidden = [[3], [3, 3], [20]]\n").plans[0]
    assert [t.config.network.layers[1:-1] for t in by_depth.trials] == [(3,), (3, 3), (20,)]


def test_files_are_named_as_seen_from_the_lab(loaded: Loaded, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "houses.csv").write_text(HOUSES)
    lab = loaded(regression('file = "data/houses.csv"', 'columns = ["area"]'))
    assert lab.base.network.layers == (1, 6, 1)
    assert lab.data_set is not None
    assert lab.data_set.targets == ("price",)
    assert list(lab.data_files) == ["data/houses.csv"]


def test_rows_in_the_file_may_be_split_and_named(loaded: Loaded) -> None:
    rows = "inputs = [[0.0], [1.0], [2.0], [3.0]]"
    names = 'targets = ["no", "yes", "no", "yes"]'
    text = regression(rows, names).replace('"mse"', '"bce_with_logits"')
    lab = loaded(text)
    assert lab.data_set is not None
    assert lab.data_set.classes == ("no", "yes")
    assert sorted(lab.base.data.targets) == [(0.0,), (1.0,)]


def test_the_number_of_a_class_is_that_of_its_unit(loaded: Loaded) -> None:
    rows = "inputs = [[0.0], [1.0], [2.0], [3.0]]\ntargets = [0, 2, 0, 2]"
    text = changed((SOURCE, rows), (SPLIT, ""), ("batch_size = 16", ""))
    assert loaded(text).base.data.targets == ((1, 0, 0), (0, 0, 1), (1, 0, 0), (0, 0, 1))


# --- what is wrong -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A lab with one fault, on the line that carries the mark."""

    code: str
    key: str
    text: str
    values: dict[str, Any] = field(default_factory=dict)
    nearest: str = ""

    def __str__(self) -> str:
        return f"{self.code} {self.key}"


def at(text: str) -> str:
    return f"{text}  {MARK}"


CASES = [
    Case("unknown-name", "base.data.set", changed((SOURCE, at('set = "irsi"'))), nearest="iris"),
    Case("unknown-name", "base.data.rule.name", changed((SOURCE, at('rule.name = "moon"')))),
    Case("unknown-key", "base.data.splits", changed((SPLIT, at("splits = 3"))), nearest="split"),
    Case("unknown-key", "base.data.split.valid", changed(
        (SPLIT, at("split = { train = 90, valid = 60 }")))),
    Case("missing-key", "base.data.split.train", changed((SPLIT, at("split = { test = 0.5 }")))),
    Case("out-of-range", "base.data.split.test", changed(
        (SPLIT, at("split = { train = 0.5, test = -1 }")))),
    Case("split-counts", "base.data.split", changed(
        (SPLIT, at("split = { train = 90, test = 30 }"))), {"found": 120, "expected": 150}),
    Case("keep-no-validation", "base.data.keep", changed(
        (SPLIT, "split = { train = 90, test = 60 }\n" + at('keep = "best"')))),
    Case("patience-no-best", "base.data.patience", changed(
        (SPLIT, f"{SPLIT}\n" + at("patience = 3")))),
    Case("data-columns", "base.data.predict.1", changed(
        (SPLIT, f"{SPLIT}\n" + at("predict = [[5.1, 3.5, 1.4, 0.2], [5.1, 3.5]]"))),
        {"found": 2, "expected": 4}),
    Case("data-overflow", "base.data.predict", changed(
        (SPLIT, f"{SPLIT}\ndegree = 2\n" + at("predict = [[1e308, 3.5, 1.4, 0.2]]")))),
    Case("keep-varies", "experiment.first.change.data.keep", changed(
        add=at('change.data.keep = "best"') + "\n")),
    Case("split-shares", "base.data.split", changed(
        (SPLIT, at("split = { train = 0.9, test = 0.3 }")))),
    Case("two-of-one-kind", "base.data.rule", changed(
        (SOURCE, f"{SOURCE}\n" + at('rule.name = "moons"')))),
    Case("two-of-one-kind", "base.data.targets", changed(
        (SOURCE, f"{SOURCE}\n" + at("targets = [[1.0]]")))),
    Case("two-of-one-kind", "base.epochs", changed(
        ("epochs = 4", at("epochs = 4") + "\nrounds = 3"))),
    Case("two-of-one-kind", "base.network.hidden", changed(
        ("hidden = [6]", at("hidden = [6]") + "\nlayers = [4, 3]"))),
    Case("data-only-csv", "base.data.target", changed(
        (SOURCE, f"{SOURCE}\n" + at('target = "a"')))),
    Case("data-no-file", "base.data.file", changed((SOURCE, at('file = "none.csv"'))),
         {"file": "none.csv"}),
    Case("data-inputs", "base.network.layers", changed(
        ("hidden = [6]", at("layers = [5, 6, 3]"))), {"found": 5, "expected": 4}),
    Case("data-class-outputs", "base.network.layers", changed(
        ("hidden = [6]", at("layers = [4, 6, 2]"))), {"found": 2, "expected": 3}),
    Case("data-no-source", "base.data.inputs", changed((SOURCE, "")).replace(
        "[base.data]", at("[base.data]"))),
    Case("missing-key", "base.network.layers", changed(("hidden = [6]", "")).replace(
        "[base.network]", at("[base.network]"))),
    Case("unknown-name", "base.network.activations.0", changed(
        ('["relu", "identity"]', at('["rellu", "identity"]'))), nearest="relu"),
    Case("out-of-range", "base.data.degree", changed(
        ("standardise = true", at("degree = 20")))),
    Case("row-count", "base.data.targets", regression(
        "inputs = [[1.0], [2.0], [3.0]]", at("targets = [[1.0], [2.0]]"))),
    Case("data-uneven", "base.data.inputs", regression(
        at("inputs = [[1.0], [2.0, 3.0]]"), "targets = [[1.0], [2.0]]")),
]  # fmt: skip


CODE = re.compile(r'"((?:data|split)-[a-z-]+)"')


def test_every_code_has_a_case() -> None:
    room = Path(labreport.__file__).parent
    sources = [*(room / "data").glob("*.py"), room / "lab" / "reading" / "named_data.py"]
    told = {code for path in sources for code in CODE.findall(path.read_text())}
    here = Path(__file__).parent
    tests = [*here.glob("test_lab_data.py"), *(here.parent / "data").glob("test_*.py")]
    tested = {code for path in tests for code in CODE.findall(path.read_text())}
    assert len(told) > 20
    assert told - tested == set()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_is_told_at_its_line(case: Case, faults: Faults) -> None:
    found = faults(case.text)
    assert [(f.code, f.key) for f in found] == [(case.code, case.key)]
    assert found[0].line == marked_line(case.text)
    assert {k: found[0].values[k] for k in case.values} == case.values
    if case.nearest:
        assert found[0].nearest == case.nearest


def test_every_cell_at_fault_of_a_file_is_told(faults: Faults, tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text(HOUSES.replace("95", "n/a").replace("60", "sixty"))
    found = faults(regression(at('file = "houses.csv"')))
    assert {f.code for f in found} <= {"data-missing", "data-not-a-number"}
    assert found[0].values["line"] == 4


def test_a_column_that_is_not_there_has_a_nearest_name(faults: Faults, tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text(HOUSES)
    (fault,) = faults(regression('file = "houses.csv"', 'target = "prise"'))
    assert (fault.code, fault.nearest) == ("data-no-such-column", "price")
    assert fault.allowed == ("area", "rooms", "price")


def test_a_file_that_is_no_file(faults: Faults, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (fault,) = faults(regression('file = "folder.csv"'))
    assert fault.code == "data-not-a-file"


def test_a_pipe_in_place_of_a_file(faults: Faults, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (fault,) = faults(regression('file = "pipe.csv"'))
    assert fault.code == "data-not-a-file"


def test_a_file_that_cannot_be_read(
    faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "houses.csv").write_text(HOUSES)
    whole = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path.suffix == ".csv":
            raise PermissionError(13, "Permission denied")
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    (fault,) = faults(regression('file = "houses.csv"'))
    assert (fault.code, fault.values["detail"]) == ("data-unreadable", "Permission denied")


def test_a_large_file_is_not_read(
    faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "houses.csv").write_text(HOUSES)
    monkeypatch.setattr("labreport.lab.reading.named_data.LARGEST_FILE", 10)
    (fault,) = faults(regression('file = "houses.csv"'))
    assert fault.code == "data-file-too-large"


def test_faults_of_data_and_of_experiments_are_told_together(faults: Faults) -> None:
    text = changed((SOURCE, 'set = "irsi"')) + "change.optimizer.learning_rat = 1\n"
    assert {f.code for f in faults(text)} == {"unknown-name", "unknown-key"}
