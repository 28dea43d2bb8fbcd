"""What tests of the upper rooms share: labs built once, and labs trained without a file."""

import os
import pickle
import signal
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copyfile, copytree
from typing import Any
from unittest.mock import patch

import hypothesis
import pytest
from built import LANGUAGES, Built
from filelock import FileLock
from hostile_texts import HOSTILE_FORMULA

from labreport.analysis.observation import Count, Facts, Number, Observation, Source, Subject
from labreport.analysis.observe import Observations
from labreport.build import pipeline as build_module
from labreport.build.request import Request
from labreport.formats import pdf as pdf_format
from labreport.render import printing as printing_module
from labreport.render.printed import PrintedReport
from labreport.report import compose as compose_module
from labreport.report import measured as measured_module
from labreport.report.measured import Measured
from labreport.report.tree import Report
from labreport.shipped import shipped as shipped_file

with warnings.catch_warnings():
    # Importing it on Python 3.11 and 3.12 uses a function that these call deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ziamath.zmath  # noqa: F401

# Who starts the tests in the background of a script has them, and all that they start, ignore what
# a terminal would send; the programs that are tested are to be interrupted all the same.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A slow machine is no failure.
hypothesis.settings.register_profile("labreport", deadline=None)
hypothesis.settings.load_profile("labreport")

BASE = """
test_explanations = false

[base]
loss = "mse"
rounds = 10
[base.data]
inputs = [[0.5, 0.3]]
targets = [[0.23, -0.07]]
[base.network]
layers = [2, 2, 2]
activations = "sigmoid"
bias = "zero"
[base.initial]
scheme = "given"
weights = [[[0.2, 0.5], [-0.4, 0.6]], [[0.1, -0.3], [-0.5, 0.8]]]
[base.optimizer]
name = "sgd"
learning_rate = 1.0
"""


def build(path: Path, output: Path, only: tuple[str, ...] = (), *, evidence: bool = False) -> Built:
    """Build a lab in both languages, and keep what the build composed on its way."""
    seen: dict[str, Any] = {}
    measure, compose = measured_module.measure, compose_module.compose
    print_report = printing_module.print_report

    def measured(*arguments: Any) -> Measured:
        seen["measured"] = measure(*arguments)
        return seen["measured"]

    def composed(*arguments: Any) -> Report:
        seen["tree"] = compose(*arguments)
        return seen["tree"]

    def printed(*arguments: Any, **options: Any) -> PrintedReport:
        report = print_report(*arguments, **options)
        seen[report.language] = report
        return report

    with (
        patch.object(measured_module, "measure", measured),
        patch.object(compose_module, "compose", composed),
        patch.object(printing_module, "print_report", printed),
    ):
        request = Request(path, only, LANGUAGES, output, evidence=evidence)
        summary = build_module.build(request, lambda *_: None)
    reports = {code: seen[code] for code in LANGUAGES}
    return Built(path, output, summary, seen["measured"], seen["tree"], reports)


@pytest.fixture(scope="session")
def shipped_build(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The lab that ships with the tool, built once, away from any notes of the developer's.

    It is built by the first of the processes that share out the tests, and read by the others.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, kept = shared / "shipped", shared / "shipped.pickle"
    with FileLock(shared / "shipped.lock"):
        if not kept.is_file():
            folder.mkdir()
            copyfile(shipped_file("experiments.toml"), folder / "experiments.toml")
            built = build(folder / "experiments.toml", folder / "output")
            kept.write_bytes(pickle.dumps(built))
        found = pickle.loads(kept.read_bytes())
    assert isinstance(found, Built)
    return found


@pytest.fixture(scope="session")
def base_text() -> str:
    """The exercise's network as TOML, to which a test adds its experiments; without controls."""
    return BASE


@pytest.fixture(scope="session")
def build_into() -> Callable[[Path, Path], Built]:
    """Build a lab file into a folder, in both languages; for what several tests share."""
    return build


@pytest.fixture
def write_lab(tmp_path: Path) -> Callable[..., Path]:
    """Write a lab file, and notes beside it, into the test's folder; gives the lab's path."""

    def write(text: str, notes: dict[str, str] | None = None, name: str = "lab.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        for note, content in (notes or {}).items():
            (tmp_path / "notes").mkdir(exist_ok=True)
            (tmp_path / "notes" / note).write_text(content, encoding="utf-8")
        return path

    return write


@pytest.fixture
def build_lab(write_lab: Callable[..., Path], tmp_path: Path) -> Callable[..., Built]:
    """Build a lab given as text, in both languages."""

    def built(
        text: str,
        notes: dict[str, str] | None = None,
        only: tuple[str, ...] = (),
        *,
        evidence: bool = False,
    ) -> Built:
        return build(write_lab(text, notes), tmp_path / "output", only, evidence=evidence)

    return built


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every experiment one observation is found, with a source for each number."""

    def observe(results: Any) -> Observations:
        runs = tuple(result.run.name for result in results.results)
        first = results.results[0]
        last = float(first.losses[results.last])
        facts: Facts = {
            "subject": Subject(first.variant, first.point),
            "round": Count(2),
            "updates": Count(1, Source("argmin(losses)", runs[:1])),
            "lowest": Number(float("inf"), Source("max(each(losses[0]))", runs)),
            "budget": Count(results.last),
            "final": Number(last, Source(f"losses[{results.last}]", runs[:1])),
        }
        claims = (Source(f"OVERSHOOT < 2 and not {HOSTILE_FORMULA}", runs),)
        found = Observation("overshoot", facts, runs=len(runs), relevance=0.9, claims=claims)
        return Observations((found,), (replace(found, relevance=0.8),), ())

    monkeypatch.setattr(measured_module, "observe", observe)
    # What is made up does not hold, and would be found out.
    monkeypatch.setattr(measured_module.Measured, "refuse_failures", lambda self: None)


@pytest.fixture
def build_pages(build_lab: Callable[..., Built]) -> Callable[..., Built]:
    """Build a lab given as text without its PDFs, which take most of the time."""

    def built(*arguments: Any, **options: Any) -> Built:
        with patch.object(pdf_format, "render", lambda *_: b"%PDF-left-out"):
            return build_lab(*arguments, **options)

    return built


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Fill a folder once, and copy it for each test that needs it, which may change its copy."""
    made: dict[object, tuple[Path, Any]] = {}

    def copied(key: object, make: Callable[[Path], Any], to: Path) -> Any:
        if key not in made:
            folder = tmp_path_factory.mktemp("once")
            made[key] = folder, make(folder)
        folder, result = made[key]
        copytree(folder, to, dirs_exist_ok=True)
        return result

    return copied


@pytest.fixture
def pages_of(made_once: Callable[..., Any], tmp_path: Path) -> Callable[[str], Built]:
    """Like `build_pages`, but built once for all tests of a lab that change nothing of a build."""

    def make(text: str, folder: Path) -> Built:
        (folder / "lab.toml").write_text(text, encoding="utf-8")
        with patch.object(pdf_format, "render", lambda *_: b"%PDF-left-out"):
            return build(folder / "lab.toml", folder / "output")

    def built(text: str) -> Built:
        made = made_once(("pages", text), lambda folder: make(text, folder), tmp_path)
        return replace(made, path=tmp_path / "lab.toml", output=tmp_path / "output")

    return built
