"""`labreport diff`: what differs and only that, with its size, and exit codes as of diff."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import nextafter
from pathlib import Path
from shutil import copytree
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from command_line import run
from hypothesis import given
from hypothesis import strategies as st
from stored_files import ROWS, RUNS, halve_last_losses

from labreport.build import pipeline as build_module
from labreport.build.request import Request
from labreport.diff.difference import Change, Where, changes, raised
from labreport.diff.stored_arrays import of_run
from labreport.formats import pdf
from labreport.runs.run import Ending, Trace

LAB = """
[experiment.speed]
title.zh = "速度"
title.en = "[red]Speed[/] {0}\\t"
[[experiment.speed.variant]]
name = "slow"
[[experiment.speed.variant]]
name = "fast"
change.optimizer.learning_rate = 10.0
[experiment.starts]
title = "Starts"
change.initial.scheme = "pytorch"
seeds = 2
sweep.optimizer.learning_rate = [0.1, 1.0]
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(base_text: str, tmp_path: Path) -> Callable[..., Path]:
    """Write a lab with some of its text replaced; gives its path."""

    def write(name: str, *replaced: tuple[str, str]) -> Path:
        text = base_text + LAB
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def build(lab: Path, output: Path) -> Path:
    with patch.object(pdf, "render", lambda *_: b"%PDF-left-out"):
        build_module.build(Request(lab, (), ("en",), output), lambda *_: None)
    return output


def lines(done: Any) -> list[str]:
    """What differs, without headings and totals."""
    return [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]


# --- labs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "said"), [("en", "no difference"), ("zh", "没有差别")])
def test_two_labs_that_say_the_same(write: Callable[..., Path], code: str, said: str) -> None:
    # Written in another way, but nothing else.
    a = write("a.toml")
    b = write("b.toml", ("rounds = 10", "rounds = 0x0a # ten"), ("= [0.1, 1.0]", "= [0.1, 1]"))
    done = run("diff", a, b, code=code)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"A: {a}", f"B: {b}", said]
    assert json.loads(run("diff", a, b, "--json").stdout)["same"] is True


CHANGES: dict[str, tuple[tuple[tuple[str, str], ...], list[str]]] = {
    "base": ((("rounds = 10", "rounds = 20"),), ["base.rounds: 10 → 20"]),
    "variant": (
        (("learning_rate = 10.0", "learning_rate = 9.0"),),
        ["speed · fast: optimizer.learning_rate: 10.0 → 9.0"],
    ),
    "sweep": (
        (("[0.1, 1.0]", "[0.1, 2.0]"),),
        ["starts · base: sweep.optimizer.learning_rate: [0.1, 1.0] → [0.1, 2.0]"],
    ),
    "seeds": ((("seeds = 2", "seeds = [0, 7]"),), ["starts · base: seeds: [0, 1] → [0, 7]"]),
    "title": ((("速度", "快慢"),), ["speed: title.zh: 速度 → 快慢"]),
    "variants": (
        (('name = "slow"', 'name = "slower"'),),
        ["speed · slow: only in A", "speed · slower: only in B"],
    ),
    "experiments": (
        (("experiment.starts", "experiment.seeds"),),
        ["starts: only in A", "seeds: only in B"],
    ),
    "whole experiment": (
        (('{0}\\t"', '{0}\\t"\nchange.rounds = 5'),),
        ["speed: rounds: 10 → 5 (×2)"],
    ),
    "switch": (
        (("test_explanations = false", "test_explanations = true"),),
        ["test_explanations: false → true"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_labs_differ_in_what_was_changed_and_nothing_else(
    write: Callable[..., Path], name: str
) -> None:
    replaced, wanted = CHANGES[name]
    a, b = write("a.toml"), write("b.toml", *replaced)
    done = run("diff", a, b)
    assert (done.exit_code, done.stderr) == (1, "")
    assert lines(done) == wanted
    # The other way round there is as much to tell.
    back = lines(run("diff", b, a))
    assert len(back) == len(lines(done))


def test_the_order_of_variants_is_a_difference(write: Callable[..., Path]) -> None:
    swapped = (('"slow"', '"x"'), ('"fast"', '"slow"'), ('"x"', '"fast"'))
    a, b = write("a.toml"), write("b.toml", *swapped)
    assert 'speed: order: ["slow", "fast"] → ["fast", "slow"]' in lines(run("diff", a, b))


def test_every_fault_of_both_labs_is_told(write: Callable[..., Path]) -> None:
    a = write("a.toml", ('loss = "mse"', 'loss = "mes"'))
    b = write("b.toml", ("rounds = 10", "rounds = -1"))
    done = run("diff", a, b)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "a.toml:5:1: base.loss" in done.stderr
    assert "b.toml" in done.stderr
    assert "base.rounds" in done.stderr
    told = json.loads(run("diff", a, b, "--json").stdout)
    assert len(told["faults"]) == 2


def test_hostile_texts_are_harmless(write: Callable[..., Path]) -> None:
    a = write("a.toml")
    b = write("b.toml", ("[red]Speed[/]", "[link=http://x]y[/link]\\t"))
    done = run("diff", a, b)
    assert "[red]Speed[/] {0}� → [link=http://x]y[/link]� {0}�" in done.stdout


# --- folders and findings ----------------------------------------------------------------------


@pytest.fixture
def two(made_once: Callable[..., Any], base_text: str, tmp_path: Path) -> tuple[Path, Path]:
    """The folders of two labs that differ in one learning rate."""
    text = base_text + LAB
    changed = text.replace("learning_rate = 10.0", "learning_rate = 9.0")

    def make(folder: Path) -> None:
        for name, lab in (("a", text), ("b", changed)):
            path = folder / f"{name}.toml"
            path.write_text(lab, encoding="utf-8")
            build(path, folder / name)

    made_once(("two labs", text, changed), make, tmp_path)
    return tmp_path / "a", tmp_path / "b"


def test_folders_differ_in_settings_numbers_and_findings(two: tuple[Path, Path]) -> None:
    done = run("diff", *two)
    assert (done.exit_code, done.stderr) == (1, "")
    assert lines(done)[0] == "speed · fast: optimizer.learning_rate: 10.0 → 9.0"
    assert "  speed · fast: loss_after_10: 0.009488 → 0.01041 (+0.00092, +9.7%)" in done.stdout
    assert "Runs in both: 5 the same, 1 with other numbers." in done.stdout
    told = json.loads(run("diff", *two, "--json").stdout)
    (setting,) = told["settings"]
    assert (setting["part"], setting["variant"], setting["a"]) == ("main", "fast", 10.0)
    assert told["runs_that_are_the_same"] == 5
    assert {number["variant"] for number in told["numbers"]} == {"fast"}
    for number in told["numbers"]:
        assert number["difference"] == number["b"] - number["a"]
        assert number["relative"] == number["difference"] / abs(number["a"])
    assert told["findings"]
    assert all(f["experiment"] in ("", "speed") for f in told["findings"])


def test_findings_alone(two: tuple[Path, Path]) -> None:
    files = [folder / "observations.json" for folder in two]
    done = run("diff", *files)
    assert done.exit_code == 1
    assert lines(done) == lines(run("diff", *two))[-len(lines(done)) :]
    done = run("diff", files[0], files[0])
    assert (done.exit_code, "no difference" in done.stdout) == (0, True)
    count = len(json.loads(files[0].read_text("utf-8"))["observations"])
    assert f"Findings: {count} the same, 0 changed, 0 on one side only." in done.stdout


def test_a_finding_of_one_side_is_told_by_its_sentence(two: tuple[Path, Path]) -> None:
    path = two[1] / "observations.json"
    told = json.loads(path.read_text("utf-8"))
    gone = told["observations"].pop()
    told["observations"][0]["sentence"]["en"] = "Other words."
    path.write_text(json.dumps(told), encoding="utf-8")
    (two[1] / "runs.csv").write_bytes((two[0] / "runs.csv").read_bytes())
    done = run("diff", two[0] / "observations.json", path)
    assert f"{gone['rule']}: only in A: {gone['sentence']['en']}" in done.stdout
    assert "→ Other words." in done.stdout


def test_the_same_lab_in_two_folders(two: tuple[Path, Path], tmp_path: Path) -> None:
    again = build(tmp_path / "a.toml", tmp_path / "again")
    done = run("diff", two[0], again)
    assert done.exit_code == 0
    assert "Runs in both: 6 the same, 0 with other numbers." in done.stdout


def test_a_single_bit_of_a_number_is_a_difference(two: tuple[Path, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copytree(two[0], copy)
    text = (copy / "runs.csv").read_text("utf-8")
    place = text.index("0.0094")
    end = text.index(",", place)
    other = repr(nextafter(float(text[place:end]), 1))
    (copy / "runs.csv").write_text(text[:place] + other + text[end:], encoding="utf-8")
    done = run("diff", two[0], copy)
    assert done.exit_code == 1
    (line,) = lines(done)
    old, new = line.split(": ")[2].split(" (")[0].split(" → ")
    assert old != new
    assert "5 the same, 1 with other numbers" in done.stdout


def test_stored_numbers_are_compared_and_not_the_table_alone(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    copytree(two[0], copy)
    assert run("diff", two[0], copy).exit_code == 0
    halve_last_losses(copy)
    done = run("diff", two[0], copy)
    assert done.exit_code == 1
    assert "Runs in both: 0 the same, 6 with other numbers." in done.stdout
    assert "−50%" in lines(done)[0]
    told = json.loads(run("diff", two[0], copy, "--json").stdout)
    assert {number["key"] for number in told["numbers"]} == {"losses[10]"}
    assert all(number["b"] == number["a"] / 2 for number in told["numbers"])


def _recorded_at(steps: list[int]) -> Trace:
    at, ones, outputs = np.array(steps), np.ones((len(steps), 3)), np.zeros((0, 1, 1))
    ending = Ending("completed", 5)
    return Trace(np.arange(5.0), at, ones, ones.copy(), at[:0], outputs, ending)


def test_the_first_number_that_differs_is_told_where_both_recorded_it() -> None:
    traces = [_recorded_at(steps) for steps in ([0, 2, 4], [0, 1, 2, 3, 4])]
    assert list(of_run(Where(), *traces)) == []
    traces[0].weights[1, 2] = 7.0
    traces[1].gradients[3] = 5.0
    assert list(of_run(Where(), *traces)) == [Change(Where(), "weights[2, 2]", 7.0, 1.0)]
    ended = replace(traces[1], ending=Ending("diverged", 5))
    assert next(iter(of_run(Where(), traces[0], ended))).new == "diverged 5"


def test_runs_of_one_side_are_told_as_a_whole(two: tuple[Path, Path], tmp_path: Path) -> None:
    lab = (tmp_path / "a.toml").read_text("utf-8")
    (tmp_path / "c.toml").write_text(lab.partition("[experiment.starts]")[0], encoding="utf-8")
    one = build(tmp_path / "c.toml", tmp_path / "c")
    assert lines(run("diff", two[0], one))[0] == "starts: only in A"
    other = lab.replace("[0.1, 1.0]", "[0.1, 2.0]")
    (tmp_path / "d.toml").write_text(other, encoding="utf-8")
    swept = lines(run("diff", two[0], build(tmp_path / "d.toml", tmp_path / "d")))
    assert "starts · base · optimizer.learning_rate=1.0 · seed=0: only in A" in swept
    assert "starts · base · optimizer.learning_rate=2.0 · seed=1: only in B" in swept


def test_runs_that_are_no_longer_stored_are_told_by_name(two: tuple[Path, Path]) -> None:
    for path in (two[1] / "runs").glob(RUNS):
        path.unlink()
    done = run("diff", *two)
    assert done.exit_code == 1
    assert lines(done)[0].startswith("speed · fast: run: ")


# --- wrong input -------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["zh", "en"])
def test_kinds_must_match(two: tuple[Path, Path], code: str, tmp_path: Path) -> None:
    done = run("diff", two[0], tmp_path / "b.toml", code=code)
    assert (done.exit_code, done.stdout) == (2, "")
    words = {"en": ("an output folder", "a lab file"), "zh": ("输出目录", "实验文件")}[code]
    assert all(word in done.stderr for word in (*words, str(two[0]), "b.toml"))


def test_what_cannot_be_compared_is_told_of_both(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("1", encoding="utf-8")
    done = run("diff", tmp_path / "x.csv", tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "this can be compared with nothing" in done.stderr
    assert "no such file" in done.stderr
    assert "2 faults" in done.stderr


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    done = run("diff", "x" * 300, tmp_path)
    assert done.exit_code == 2
    assert "cannot read this file" in done.stderr


def test_a_folder_without_a_report_is_wrong_input(two: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("diff", two[0], tmp_path / "empty")
    assert (done.exit_code, done.stdout) == (2, "")
    assert str(tmp_path / "empty" / "runs.csv") in done.stderr
    assert str(tmp_path / "empty" / "observations.json") in done.stderr
    assert "“labreport build” writes it" in done.stderr


@pytest.mark.parametrize("kind", [RUNS, ROWS])
def test_a_damaged_store_is_wrong_input_and_left(two: tuple[Path, Path], kind: str) -> None:
    path = next((two[1] / "runs").glob(kind))
    content = path.read_bytes()[:-1]
    path.write_bytes(content)
    done = run("diff", *two)
    assert (done.exit_code, done.stdout) == (2, "")
    assert path.name in done.stderr
    assert path.read_bytes() == content


WRONG = {
    "empty": b"",
    "binary": b"\xff\xfe\x00",
    "other columns": b"a,b\r\n1,2\r\n",
    "short row": b"part,experiment,variant,point,seed,run\r\nmain,a\r\n",
    "quote": b'part,experiment,variant,point,seed,run\r\n"main',
}


@pytest.mark.parametrize("name", WRONG)
def test_a_table_that_is_none_is_told(two: tuple[Path, Path], name: str) -> None:
    (two[1] / "runs.csv").write_bytes(WRONG[name])
    done = run("diff", *two)
    assert (done.exit_code, done.stdout) == (2, "")
    assert str(two[1] / "runs.csv") in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b'{"observations": 1}', b'{"observations": [{}]}', b"[" * 100_000],
)
def test_findings_that_are_none_are_told(two: tuple[Path, Path], content: bytes) -> None:
    path = two[1] / "observations.json"
    path.write_bytes(content)
    for sides in (two, (two[0] / "observations.json", path)):
        done = run("diff", *sides)
        assert (done.exit_code, done.stdout) == (2, "")
        assert str(path) in done.stderr
        assert not isinstance(done.exception, RecursionError)


# --- values ------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False), st.text(), st.lists(st.integers())
)


@given(st.dictionaries(st.text(), VALUES), st.dictionaries(st.text(), VALUES))
def test_changes_are_those_that_make_one_side_the_other(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    made = dict(old)
    for change in changes(Where(), old, new):
        assert made.get(change.key) == change.old
        made[change.key] = change.new
    assert {k: v for k, v in made.items() if v is not None} == {
        k: v for k, v in new.items() if v is not None
    }


def test_a_truth_value_is_no_number() -> None:
    (change,) = changes(Where(), {"k": True}, {"k": 1})
    assert change.difference is None


@pytest.mark.parametrize(
    ("old", "new", "difference", "relative"),
    [
        (2.0, 3.0, 1.0, 0.5),
        (-2.0, -3.0, -1.0, -0.5),
        (0.0, 1.0, 1.0, None),
        (1e308, -1e308, None, None),
        (float("inf"), 1.0, None, None),
        (1.0, None, None, None),
        (1.0, "nan", None, None),
    ],
)
def test_how_much_a_number_differs_by(
    old: Any, new: Any, difference: float | None, relative: float | None
) -> None:
    change = Change(Where(), "k", old, new)
    assert (change.difference, change.relative) == (difference, relative)


def test_what_all_share_is_told_once() -> None:
    def of(experiment: str, variant: str, *keys: str) -> tuple[Where, list[Change]]:
        where = Where("main", experiment, variant)
        return where, [Change(where, key, 1, 2, runs=3) for key in keys]

    found = dict([of("a", "x", "all", "a"), of("a", "y", "all", "a", "own"), of("b", "x", "all")])
    assert raised(found) == (
        Change(Where(), "all", 1, 2, runs=9),
        Change(Where("main", "a"), "a", 1, 2, runs=6),
        Change(Where("main", "a", "y"), "own", 1, 2, runs=3),
    )
