"""Builds as a whole: reproducible, frugal, and for labs of any kind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from shutil import copyfile, copytree
from typing import Any

import pypdfium2
import pytest
from safetensors.numpy import load_file, save
from stored_files import RUNS

from labreport.analysis.results import Result
from labreport.build import pipeline as build_module
from labreport.build.request import Request, Summary
from labreport.errors import BuildError
from labreport.runs.file_format import FORMAT

LANGUAGES = ("zh", "en")


def fingerprints(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def again(built: Any, output: Path, *only: str) -> Summary:
    return build_module.build(Request(built.path, only, LANGUAGES, output), lambda *_: None)


# --- the shipped lab ---------------------------------------------------------------------------


def test_another_process_gives_the_same_bytes(shipped_build: Any, tmp_path: Path) -> None:
    """Every file, from another folder, with other hashes of strings and another locale."""
    copyfile(shipped_build.path, tmp_path / "experiments.toml")
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "LC_ALL": "C", "TZ": "Asia/Shanghai"}
    languages = [word for code in LANGUAGES for word in ("--lang", code)]
    subprocess.run(
        [sys.executable, "-m", "labreport", "build", "experiments.toml", *languages],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
    )
    one, other = fingerprints(shipped_build.output), fingerprints(tmp_path / "output")
    assert one.keys() == other.keys()
    # The test names the lab by another path, but not by another name.
    assert {name for name in one if one[name] != other[name]} == set()


def test_a_part_of_what_is_stored_trains_nothing_and_imports_no_torch(
    shipped_build: Any, tmp_path: Path
) -> None:
    copyfile(shipped_build.path, tmp_path / "experiments.toml")
    copytree(shipped_build.output / "runs", tmp_path / "output" / "runs")
    program = (
        "import sys; sys.argv = ['labreport', 'build', '--only', 'adam', '--lang', 'en']\n"
        "from labreport.__main__ import main\n"
        "try:\n    main()\nfinally:\n    print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "LC_ALL": "en_US.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"runs: 0 trained, \d+ from the store", done.stderr)
    assert done.stdout.splitlines()[-1] == "False"
    page = (tmp_path / "output" / "report.html").read_text(encoding="utf-8")
    assert "Part of the report: adam only (1 of 7 experiments)" in page
    assert "--only adam --lang en" in page


def test_the_shipped_lab_stays_small(shipped_build: Any) -> None:
    sizes = {p.name: p.stat().st_size for p in shipped_build.output.iterdir() if p.is_file()}
    # A PDF carries the observations and the report as data, which are most of it.
    assert max(sizes.values()) < 7_000_000
    assert max(size for name, size in sizes.items() if name.endswith(".html")) < 1_500_000


# --- the store ---------------------------------------------------------------------------------

SMALL = '[experiment.a]\ntitle = "a"\n[experiment.b]\ntitle = "b"\nchange.rounds = 5\n'


def test_damaged_runs_are_trained_again_and_said(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    built = build_pages(base_text + SMALL)
    assert (built.summary.trained, built.summary.stored) == (2, 0)
    files = sorted((built.output / "runs").glob(RUNS))
    before = [file.read_bytes() for file in files]
    for file, damage in zip(files, (b"", b"not a run"), strict=False):
        file.write_bytes(damage)
    mended = build_pages(base_text + SMALL)
    assert mended.summary.trained == 2
    assert set(mended.summary.damaged) == set(files)
    assert [file.read_bytes() for file in files] == before
    aside = built.output / "runs" / "damaged"
    assert {path.read_bytes() for path in aside.iterdir()} == {b"", b"not a run"}
    assert build_pages(base_text + SMALL).summary.damaged == ()


def test_a_run_that_was_cut_off_is_trained_again(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    built = build_pages(base_text + SMALL)
    file = max((built.output / "runs").glob(RUNS), key=lambda path: path.stat().st_size)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert build_pages(base_text + SMALL).summary.damaged == (file,)
    assert file.read_bytes() == whole


def test_only_what_is_new_is_trained(build_pages: Callable[..., Any], base_text: str) -> None:
    assert build_pages(base_text + SMALL).summary.trained == 2
    more = SMALL + '[experiment.c]\ntitle = "c"\nchange.rounds = 7\n'
    summary = build_pages(base_text + more).summary
    assert (summary.trained, summary.stored) == (1, 2)
    # Words, order and name of an experiment are not what a run is made of.
    renamed = SMALL.replace("experiment.a", "experiment.z").replace('"b"', '"another title"')
    assert build_pages(base_text + renamed).summary.trained == 0


def test_what_is_not_ours_in_the_folder_is_left(
    build_pages: Callable[..., Any], base_text: str
) -> None:
    built = build_pages(base_text + SMALL)
    (built.output / "mine.txt").write_text("mine", encoding="utf-8")
    (built.output / "runs" / "mine.txt").write_text("mine", encoding="utf-8")
    build_pages(base_text + SMALL)
    assert (built.output / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert (built.output / "runs" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert not [path for path in built.output.rglob(".*") if "lock" not in path.name]


def test_progress_never_goes_back(write_lab: Callable[..., Path], base_text: str) -> None:
    seen: dict[str, list[tuple[int, int]]] = {}
    path = write_lab(base_text + SMALL)
    request = Request(path, (), ("en",), path.parent / "output")
    build_module.build(
        request, lambda what, done, total: seen.setdefault(what, []).append((done, total))
    )
    assert list(seen) == ["training", "writing"]
    for steps in seen.values():
        done = [d for d, _ in steps]
        assert done == sorted(done)
        assert done[0] == 0
        assert done[-1] == steps[-1][1]
        assert len({total for _, total in steps}) == 1


# --- other labs --------------------------------------------------------------------------------

REGRESSION = """
languages = ["en", "zh"]
[cover]
title.zh = "另一种网络"
title.en = "Another network"
[base]
loss = "huber"
rounds = 40
dtype = "float64"
[base.data]
inputs = [[0.1, 0.2, 0.3], [0.4, -0.5, 0.6], [-0.7, 0.8, 0.9], [1.0, 0.0, -1.0]]
targets = [[0.5, -0.5], [0.25, 0.75], [-0.3, 0.2], [0.1, 0.0]]
[base.network]
layers = [3, 4, 3, 2]
activations = "tanh"
bias = "trained"
[base.optimizer]
name = "adam"
learning_rate = 0.05
[experiment.depth]
title.zh = "激活函数"
title.en = "Activations"
budgets = [5, 40]
[[experiment.depth.variant]]
name = "tanh"
[[experiment.depth.variant]]
name = "mixed"
change.network.activations = ["relu", "gelu", "identity"]
change.network.bias = "none"
"""

GRID = """
[base]
rounds = 20
[base.data]
inputs = [[1.0]]
targets = [[0.5]]
[base.network]
layers = [1, 1]
activations = "identity"
[base.initial]
scheme = "constant"
value = 0.25
[base.optimizer]
name = "sgd"
learning_rate = 0.1
[experiment.grid]
title = "Two keys"
sweep.optimizer.learning_rate = [0.1, 0.5, 3.0, 1e20]
sweep.optimizer.momentum = [0.0, 0.5]
[experiment.seeds]
title = "Three seeds"
change.initial.scheme = "normal"
seeds = [3, 1, 4]
[experiment.runaway]
title = "Diverges"
change.rounds = 60
change.optimizer.learning_rate = 1e6
"""


@pytest.mark.parametrize("text", [REGRESSION, GRID], ids=["regression", "grid"])
def test_a_lab_of_another_kind(text: str, build_lab: Callable[..., Any]) -> None:
    built = build_lab(text)
    for code in LANGUAGES:
        assert "</html>" in built.html(code)
        document = pypdfium2.PdfDocument(built.pdf(code))
        assert len(document) > 4
        document.close()


def test_a_run_that_diverges_is_recorded_where_it_did(build_pages: Callable[..., Any]) -> None:
    built = build_pages(GRID)
    (runaway,) = (e for e in built.measured.experiments if e.plan.name == "runaway")
    (result,) = runaway.results
    ending = result.run.trace.ending
    assert ending.kind == "diverged"
    assert 1 < ending.step < 60
    rules = {o.rule for o in (*built.measured.observed[-1].answers,)}
    assert "diverged" in rules
    for code in LANGUAGES:
        word = {"zh": "发散", "en": "diverged"}[code]
        assert word in built.html(code)


# --- forged runs -------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["losses", "gradients", "weights", "outputs"])
def test_a_run_that_was_forged_fails_the_build_and_is_named(
    build_pages: Callable[..., Any], base_text: str, quantity: str
) -> None:
    """With every digest made right again, there is only the second computation to notice."""
    lab = '[experiment.only]\ntitle = "x"\n\n[[experiment.only.variant]]\nname = "alone"\n'
    built = build_pages(f'{base_text}{lab}change.loss = "l1"\n')
    forged = 0
    for path in list((built.output / "runs").glob(RUNS)):
        arrays = load_file(path)
        if b'"loss":"l1"' not in arrays["runs"].tobytes():
            continue
        arrays[quantity] = arrays[quantity].copy()
        arrays[quantity][-1] *= 1.01
        content = save(arrays, {"format": FORMAT})
        path.unlink()
        (path.parent / f"{sha256(content).hexdigest()}.safetensors").write_bytes(content)
        forged += 1
    assert forged == 1
    before = fingerprints(built.output)
    with pytest.raises(BuildError) as caught:
        again(built, built.output)
    (fault,) = caught.value.faults
    assert fault.code == "replay-differs"
    assert fault.values["place"] == "only · alone"
    assert fault.values["quantity"] in (quantity, "losses", "gradients")
    assert fingerprints(built.output) == before


TWO = """
[experiment.two]
title = "two"
[[experiment.two.variant]]
name = "quick"
[[experiment.two.variant]]
name = "slow"
change.optimizer.learning_rate = 0.5
"""


def test_a_finding_that_its_formula_contradicts_fails_the_build(
    build_pages: Callable[..., Any], base_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule whose own arithmetic is wrong is found out before a report is written."""
    built = build_pages(base_text + TWO)
    before = fingerprints(built.output)
    told = Result.told
    monkeypatch.setattr(
        Result,
        "told",
        lambda self, read, formula="": replace(told(self, read, formula), value=1.01 * read(self)),
    )
    with pytest.raises(BuildError) as caught:
        again(built, built.output)
    assert {fault.code for fault in caught.value.faults} == {"claim-fails"}
    # Losses are read so, and the errors of predictions.
    formulas = [fault.values["formula"] for fault in caught.value.faults]
    assert all("losses[" in f or "predictions_at(" in f for f in formulas)
    assert fingerprints(built.output) == before
