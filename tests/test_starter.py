"""A lab to start from is whole, in both languages, and never takes the place of a file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import run
from whole import affordable

from labreport.cli.starter_labs import COMPANIONS, EXERCISES, exercise_file, start
from labreport.errors import InputError
from labreport.lab.reading.load import load
from labreport.render.notes.reading import read_note, stray_notes


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_builds_and_finds_something_in_each_experiment(
    exercise: str, pages_of: Callable[..., Any], shipped_build: Any, tmp_path: Path
) -> None:
    written = start(tmp_path / "a" / "b", exercise)
    names = [path.relative_to(tmp_path / "a" / "b").as_posix() for path in written]
    named = list(COMPANIONS.get(exercise, ()))
    assert names == ["experiments.toml", *named, "experiments.schema.json", "notes/README.md"]
    text = written[0].read_text(encoding="utf-8")
    assert text == shipped_build.path.read_text(encoding="utf-8") or exercise != EXERCISES[0]
    beside = [tmp_path / "a" / "b" / name for name in named]
    built = shipped_build if exercise == EXERCISES[0] else pages_of(affordable(text), *beside)
    for observed in built.measured.observed:
        assert observed.answers
    for code in ("zh", "en"):
        assert built.html(code).rstrip().endswith("</html>")


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_speaks_both_languages(exercise: str) -> None:
    text = exercise_file(exercise).read_text(encoding="utf-8")
    comments = "\n".join(re.findall(r"# .*", text))
    assert re.search(r"[\u4e00-\u9fff]{4}", comments)
    assert re.search(r"[a-z]+ [a-z]+ [a-z]+", comments)
    file = load(exercise_file(exercise)).file
    for experiment in file.experiment.values():
        assert experiment.question is not None
        for said in (experiment.title, experiment.question):
            assert re.search(r"[\u4e00-\u9fff]", said.zh or "")
            assert not re.search(r"[\u4e00-\u9fff]", said.en or "\u4e00")
    tomllib.loads(text)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_cover_has_the_lines_of_the_one_that_ships(exercise: str) -> None:
    cover = tomllib.loads(exercise_file(exercise).read_text(encoding="utf-8"))["cover"]
    shipped_cover = tomllib.loads(exercise_file(EXERCISES[0]).read_text(encoding="utf-8"))["cover"]
    assert cover.keys() == shipped_cover.keys()


@pytest.mark.parametrize("taken", ["experiments.toml", "experiments.schema.json"])
def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("mine")
    with pytest.raises(InputError) as caught:
        start(tmp_path, "minimal")
    assert [(fault.code, fault.file) for fault in caught.value.faults] == [
        ("already-there", tmp_path / taken)
    ]
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "mine"


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "experiments.toml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError):
        start(tmp_path, "minimal")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_folder_should_be(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError) as caught:
        start(tmp_path / "file" / below, "minimal")
    assert [fault.code for fault in caught.value.faults] == ["not-a-folder"]
    assert (tmp_path / "file").read_text() == "mine"


def test_an_unknown_exercise_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        start(tmp_path / "new", "optimisers")
    (fault,) = caught.value.faults
    assert (fault.code, fault.allowed, fault.nearest) == (
        "unknown-exercise",
        EXERCISES,
        "optimizers",
    )
    assert not (tmp_path / "new").exists()


def test_two_exercises_are_one_too_many(tmp_path: Path) -> None:
    done = run("new", tmp_path / "a", "classes", "--exercise", "minimal")
    assert done.exit_code == 2
    assert "classes, minimal" in " ".join(done.output.split())
    assert not (tmp_path / "a").exists()
    assert run("new", tmp_path / "b", "classes", "--exercise", "classes").exit_code == 0


def test_the_word_on_notes_shows_a_note_that_can_be_taken_in(tmp_path: Path) -> None:
    start(tmp_path, "minimal")
    text = (tmp_path / "notes" / "README.md").read_text(encoding="utf-8")
    note = "\n".join(re.findall(r"^    (.*)$|^$", text, re.MULTILINE)).replace(
        "sketch.png", "a.svg"
    )
    path = tmp_path / "notes" / "learning-rate.md"
    path.write_text(note.strip(), encoding="utf-8")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    (tmp_path / "notes" / "a.svg").write_text(svg, encoding="utf-8")
    found = read_note(path)
    assert found is not None
    assert found.before
    assert len(found.formulas) == 1
    lab = load(tmp_path / "experiments.toml")
    assert "learning-rate" in lab.names
    assert list(stray_notes(tmp_path / "notes", lab.names, "zh", ("zh", "en"))) == []
