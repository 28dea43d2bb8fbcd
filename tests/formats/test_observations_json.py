"""observations.json: every observation, in strict JSON, and where its runs are stored."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile_texts import HOSTILE_FORMULA
from safetensors.numpy import load_file

from labreport.analysis.observation import Observation, Share, Source
from labreport.export import observations_json
from labreport.language.catalogue import language
from labreport.report import measured

SEEDS = """
[experiment.a]
title = "A"
change.initial.scheme = "pytorch"
seeds = 5
[[experiment.a.variant]]
name = "one"
"""


def refuse(word: str) -> Any:
    raise AssertionError(f"not JSON: {word}")


def read(output: Path) -> dict[str, Any]:
    text = (output / "observations.json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def told(shipped_build: Any) -> dict[str, Any]:
    return read(shipped_build.output)


def test_every_observation_is_there_with_the_number_of_its_note(
    told: dict[str, Any], shipped_build: Any
) -> None:
    claims = shipped_build.measured.claims
    assert len(told["observations"]) == len(claims) > 100
    for entry, claim in zip(told["observations"], claims, strict=True):
        observation = claim.observation
        assert (entry["number"], entry["part"]) == (claim.number, claim.part)
        assert entry["experiment"] == claim.experiment
        assert (entry["rule"], entry["form"]) == (observation.rule, observation.form)
        assert (entry["strength"], entry["limits"]) == (observation.strength, observation.limits)
        assert (entry["relevance"], entry["runs_count"]) == (
            observation.relevance,
            observation.runs,
        )
        assert {fact["name"].partition(".")[0] for fact in entry["facts"]} <= set(observation.facts)
    parts = {entry["part"] for entry in told["observations"]}
    assert parts == {"base", "main", "conclusions", "accumulated"}
    # Some are found for which the report has no room.
    numbers = [entry["number"] for entry in told["observations"]]
    assert None in numbers
    assert [n for n in numbers if n] == list(range(1, max(n for n in numbers if n) + 1))


def test_sentences_are_those_of_the_report(told: dict[str, Any], shipped_build: Any) -> None:
    for entry in told["observations"]:
        assert set(entry["sentence"]) == {"zh", "en"}
    for code, report in shipped_build.reports.items():
        sentences = {entry["number"]: entry["sentence"][code] for entry in told["observations"]}
        for statement in (s for answer in report.answers for s in answer.statements):
            assert statement.text == sentences[statement.evidence.number]


def test_formulas_name_lists_of_runs_that_are_stored(
    told: dict[str, Any], shipped_build: Any
) -> None:
    for entry in told["observations"]:
        for source in (*entry["facts"], *entry["claims"]):
            assert (source["formula"] is None) == (source["runs"] is None)
            assert source["runs"] is None or source["runs"] < len(entry["run_lists"])
        for runs in entry["run_lists"]:
            assert set(runs) <= told["runs"].keys()
    assert list(told["runs"]) == sorted(told["runs"])
    for place in told["runs"].values():
        assert (shipped_build.output / place["file"]).is_file()


@pytest.mark.usefixtures("made_up")
def test_a_number_is_computed_again_from_the_stored_file(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    built = build_pages(base_text + SEEDS)
    told = read(built.output)
    entry = next(e for e in told["observations"] if e["part"] == "main")
    facts = {fact["name"]: fact for fact in entry["facts"]}
    assert facts["subject"]["value"] == {"variant": "one", "point": {}}
    assert (facts["final"]["type"], facts["final"]["unit"]) == ("Number", "loss")
    assert facts["budget"]["formula"] is None
    assert facts["lowest"]["value"] == "Infinity"
    runs = [result.run.name for result in built.measured.experiments[0].results]
    assert entry["run_lists"] == [runs[:1], runs]
    assert [facts[name]["runs"] for name in ("updates", "lowest", "final")] == [0, 1, 0]
    assert entry["claims"] == [{"formula": f"OVERSHOOT < 2 and not {HOSTILE_FORMULA}", "runs": 1}]
    assert entry["thresholds"] == {"OVERSHOOT": 1.5}
    # The base's own run is read for what is said of its target.
    assert set(told["runs"]) == {*runs, built.measured.base.name}
    for result in built.measured.experiments[0].results:
        place = told["runs"][result.run.name]
        losses = load_file(built.output / place["file"])["losses"][:, place["index"]]
        assert losses.tobytes() == result.losses.tobytes()
    assert (
        float(
            load_file(built.output / told["runs"][runs[0]]["file"])["losses"][
                10, told["runs"][runs[0]]["index"]
            ]
        )
        == facts["final"]["value"]
    )


@pytest.mark.usefixtures("made_up")
def test_a_second_build_writes_the_same_bytes(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    one = (build_pages(base_text + SEEDS).output / "observations.json").read_bytes()
    other = (build_pages(base_text + SEEDS).output / "observations.json").read_bytes()
    assert one == other
    assert one.endswith(b"}\n")


def test_numbers_that_json_lacks_are_strings(
    build_pages: Callable[..., Any], base_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"nan": math.nan, "up": math.inf, "down": -math.inf}
    facts = {name: Share(value, Source("losses[0]", ())) for name, value in values.items()}
    found = Observation("odd", facts, runs=0)
    monkeypatch.setattr(measured, "observe_base", lambda *_: ())
    built = build_pages(base_text + SEEDS)
    (claim, *_) = built.measured.claims
    object.__setattr__(claim, "observation", found)
    monkeypatch.setattr(type(language("zh")), "sentence", lambda *_: "")
    places = {r.name: ("runs/x", 0) for r in built.measured.runs}
    told = json.loads(observations_json.render(built.measured, places), parse_constant=refuse)
    assert [fact["value"] for fact in told["observations"][0]["facts"]] == [
        "NaN",
        "Infinity",
        "-Infinity",
    ]
