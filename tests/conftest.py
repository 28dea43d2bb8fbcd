"""What tests of the upper rooms share: labs built once, and labs trained without a file."""

import os
import pickle
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from shutil import copyfile, copytree, rmtree
from typing import Any
from unittest.mock import patch

import hypothesis
import pytest
from built import LANGUAGES, Built, layout_file
from filelock import FileLock
from hostile_texts import HOSTILE_FORMULA
from layout_of import layout_of

from labreport.analysis.observation import Count, Facts, Number, Observation, Source, Subject
from labreport.analysis.observe import Observations
from labreport.build import pipeline as build_module
from labreport.build.request import Request
from labreport.formats import pdf as pdf_format
from labreport.language.catalogue import Language
from labreport.render import printing as printing_module
from labreport.render import typeset_formulas
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


def build(
    path: Path,
    output: Path,
    only: tuple[str, ...] = (),
    *,
    evidence: bool = False,
    paper: bool = True,
) -> Built:
    """Build a lab in both languages, and keep what the build composed on its way.

    Without paper, its PDFs are left out, which take most of the time.
    """
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

    pdf = (
        nullcontext() if paper else patch.object(pdf_format, "render", lambda *_: b"%PDF-left-out")
    )
    with (
        pdf,
        patch.object(measured_module, "measure", measured),
        patch.object(compose_module, "compose", composed),
        patch.object(printing_module, "print_report", printed),
    ):
        request = Request(path, only, LANGUAGES, output, evidence=evidence)
        summary = build_module.build(request, lambda *_: None)
    reports = {code: seen[code] for code in LANGUAGES}
    return Built(path, output, summary, seen["measured"], seen["tree"], reports)


@pytest.fixture(scope="session", autouse=True)
def _formulas_once() -> Iterator[None]:
    """Draw a formula once, whichever labs show it: in a small lab they take most of the time."""
    with patch.object(typeset_formulas, "drawn", cache(typeset_formulas.drawn)):
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Fill a folder once, and give it with what the filling gave.

    It is filled by the first of the processes that share out the tests, and read by the others.
    """
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    here: dict[object, tuple[Path, Any]] = {}

    def filled(key: object, make: Callable[[Path], Any]) -> tuple[Path, Any]:
        if key not in here:
            here[key] = by_any_process(key, make)
        return here[key]

    def by_any_process(key: object, make: Callable[[Path], Any]) -> tuple[Path, Any]:
        name = f"shared-{sha256(repr(key).encode()).hexdigest()[:16]}"
        folder, kept = root / name, root / f"{name}.pickle"
        with FileLock(root / f"{name}.lock"):
            if not kept.is_file():
                # One that could not be filled may have left something.
                rmtree(folder, ignore_errors=True)
                folder.mkdir()
                kept.write_bytes(pickle.dumps(make(folder)))
            return folder, pickle.loads(kept.read_bytes())

    return filled


def build_shipped(folder: Path) -> Built:
    """The lab that ships with the tool, and beside it what tests ask of the pages of its PDFs."""
    laid_out = pdf_format.laid_out

    def measured(report: PrintedReport, language: Language) -> Any:
        document = laid_out(report, language)
        kept = layout_file(folder, report.language)
        kept.write_bytes(pickle.dumps(layout_of(document)))
        return document

    copyfile(shipped_file("experiments.toml"), folder / "experiments.toml")
    with patch.object(pdf_format, "laid_out", measured):
        return build(folder / "experiments.toml", folder / "output")


@pytest.fixture(scope="session")
def shipped_build(shared: Callable[..., Any]) -> Built:
    """The lab that ships with the tool, built once, away from any notes of the developer's."""
    _, built = shared("shipped", build_shipped)
    assert isinstance(built, Built)
    return built


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
        **options: bool,
    ) -> Built:
        return build(write_lab(text, notes), tmp_path / "output", only, **options)

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
    """Build a lab given as text without its PDFs."""
    return partial(build_lab, paper=False)


@pytest.fixture(scope="session")
def made_once(shared: Callable[..., Any]) -> Callable[..., Any]:
    """Fill a folder once, and copy it for each test that needs it, which may change its copy."""

    def copied(key: object, make: Callable[[Path], Any], to: Path) -> Any:
        folder, result = shared(key, make)
        copytree(folder, to, dirs_exist_ok=True)
        return result

    return copied


@pytest.fixture
def pages_of(made_once: Callable[..., Any], tmp_path: Path) -> Callable[..., Built]:
    """Like `build_pages`, but built once for all tests of a lab that change nothing of a build."""

    def make(text: str, beside: tuple[Path, ...], folder: Path) -> Built:
        (folder / "lab.toml").write_text(text, encoding="utf-8")
        for path in beside:
            copyfile(path, folder / path.name)
        return build(folder / "lab.toml", folder / "output", paper=False)

    def built(text: str, *beside: Path) -> Built:
        made = made_once(("pages", text), partial(make, text, beside), tmp_path)
        return replace(made, path=tmp_path / "lab.toml", output=tmp_path / "output")

    return built
