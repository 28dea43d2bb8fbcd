"""The schema takes what the checks take, and refuses what it can say is wrong."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from lab_texts import MINIMAL

from labreport.lab.configuration import RunConfig, flatten
from labreport.lab.json_schema import schema

ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = Draft202012Validator(schema())
LABS = [ROOT / "experiments.toml", *sorted((ROOT / "templates" / "labs").glob("*.toml"))]


def errors(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.name)
def test_a_lab_that_ships_is_valid_and_names_the_schema(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert errors(text) == []
    assert text.startswith("#:schema ./experiments.schema.json\n")


RIGHT = [
    "",
    'purpose = "x"\n',
    'change.network.activations = "relu"\n',
    'change.network.activations = ["relu", "tanh"]\n',
    "change.optimizer.momentum = 0.9\n",
    'change.optimizer.name = "adam"\nchange.optimizer.betas = [0.9, 0.99]\n',
    "change.optimizer.betas = [0.9, 0.99]\n",
    'change.initial = { scheme = "normal", standard_deviation = 2.0 }\n',
    "sweep.optimizer.learning_rate = [1, 2.0]\n",
    "sweep.optimizer.learning_rate = { from = 0.1, to = 1, count = 3 }\n",
    'sweep.optimizer.name = ["sgd", "adam"]\n',
    'sweep.network.activations = ["relu", ["tanh", "relu"]]\n',
    "sweep.network.layers = [[2, 2, 2], [2, 3, 2]]\n",
    "seeds = 4\n",
    "seeds = [1, 2]\n",
    'question.zh = "问"\n',
    '[[experiment.first.variant]]\nname = "a"\nagainst = "b"\nsweep.rounds = [1]\n',
]


@pytest.mark.parametrize("added", RIGHT)
def test_right_keys_are_valid(added: str) -> None:
    before = added if added.startswith("purpose") else ""
    assert errors(before + MINIMAL + ("" if before else added)) == []


WRONG = [
    ('title = "First"', 'titel = "First"'),
    ('title = "First"', "title = 3"),
    ('title = "First"', 'title.fr = "Premier"'),
    ("[experiment.first]", "[experiment.'../first']"),
    ("[experiment.first]", "[experiments.first]"),
    ("rounds = 10", "rounds = -10"),
    ("rounds = 10", "rounds = 1.5"),
    ("rounds = 10", "round = 10"),
    ('loss = "mse"', 'loss = "msee"'),
    ("[[0.5, 0.3]]", '[["x", 0.3]]'),
    ("layers = [2, 2, 2]", "layers = [2]"),
    ('"sigmoid"', '"sigmod"'),
    ('name = "sgd"', 'name = "sdg"'),
    ('name = "sgd"', 'name = "adam"\nmomentum = 0.9'),
    ("learning_rate = 1.0", "learning_rate = -1.0"),
    ("learning_rate = 1.0", ""),
    ('scheme = "given"', 'scheme = "zeros"'),
    ('title = "First"', 'title = "First"\nchange.optimizer.momentun = 0.9'),
    ('title = "First"', 'title = "First"\nchange.optimizer = { name = "adam", momentum = 0.9 }'),
    ('title = "First"', 'title = "First"\nchange.rounds = "many"'),
    ('title = "First"', 'title = "First"\nsweep.rounds = 3'),
    ('title = "First"', 'title = "First"\nsweep.rounds = []'),
    ('title = "First"', 'title = "First"\nsweep.rounds = { from = 1, to = 3 }'),
    ('title = "First"', 'title = "First"\nsweep.optimizer.learning_rate = ["fast"]'),
    ('title = "First"', 'title = "First"\nseeds = 0'),
    ('title = "First"', 'title = "First"\nvariant = [{ label = "no name" }]'),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_wrong_keys_and_values_are_not(right: str, wrong: str) -> None:
    assert MINIMAL.count(right) == 1
    assert errors(MINIMAL.replace(right, wrong)) != []


def objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        if "properties" in part:
            yield part
        for value in part.values():
            yield from objects(value)
    elif isinstance(part, list):
        for value in part:
            yield from objects(value)


def test_every_key_of_the_configuration_can_be_changed_and_swept() -> None:
    base = RunConfig.model_validate(tomllib.loads(MINIMAL)["base"]).model_dump(mode="json")
    keys = [key for key, value in flatten(base) if value is not None]
    assert len(keys) > 15
    for key in keys:
        value = base
        for part in key.split("."):
            value = value[part]
        for table, given in (("change", value), ("sweep", [value])):
            raw = tomllib.loads(MINIMAL)
            here = raw["experiment"]["first"].setdefault(table, {})
            *above, last = key.split(".")
            for part in above:
                here = here.setdefault(part, {})
            here[last] = copy.deepcopy(given)
            assert [error.message for error in VALIDATOR.iter_errors(raw)] == [], key


def test_keys_are_described_and_nothing_is_open() -> None:
    tables = list(objects(schema()))
    assert len(tables) > 40
    for table in tables:
        closed = table.get("additionalProperties") is False
        assert closed or set(table) <= {"properties", "required"}, table
    top = schema()["properties"]
    assert all(field.get("description") for field in top.values())
