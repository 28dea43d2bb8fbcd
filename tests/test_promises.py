"""What the tool promises as a whole: the same bytes, nothing trained twice, clear refusals."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from labreport.shipped import shipped

FIVE_MISTAKES = """\
[base]
roundz = 3
rounds = -10
dtype = 32
[base.data]
inputs = [[0.5, 0.3]]
targets = [[0.23, -0.07]]
[base.network]
layers = [2, 2, 2]
activations = ["sigmoid", "sigmiod"]
bias = "zero"
[base.initial]
scheme = "given"
weights = [[[0.2, 0.5], [-0.4, 0.6]], [[0.1, -0.3]]]
[base.optimizer]
name = "sgd"
learning_rate = 1.0
[experiment.one]
title = "One"
"""

SMALL = """\
robustness = "none"
languages = ["zh", "en"]
[cover]
title.zh = "小实验"
title.en = "A small lab"
[base]
rounds = 20
[base.data]
inputs = [[0.5, 0.3], [0.1, -0.4]]
targets = [[0.2], [0.7]]
[base.network]
layers = [2, 3, 1]
activations = "tanh"
[base.initial]
scheme = "xavier_normal"
[base.optimizer]
name = "adam"
learning_rate = 0.01
[experiment.rate]
title.zh = "学习率"
title.en = "Learning rate"
sweep.optimizer.learning_rate = { from = 0.001, to = 1.0, count = 4 }
[experiment.starts]
title.zh = "起点"
title.en = "Starts"
seeds = 60
"""


def labreport(
    *arguments: str, folder: Path, locale: str = "en_US.UTF-8"
) -> subprocess.CompletedProcess:
    environment = {**os.environ, "LC_ALL": locale}
    return subprocess.run(
        [sys.executable, "-m", "labreport", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def fingerprints(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "lab.toml").write_text(SMALL, encoding="utf-8")
    done = labreport("build", "lab.toml", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "63 trained, 0 from the store" in done.stderr
    return folder


def test_everything_is_written(built: Path) -> None:
    names = {path.name for path in (built / "output").iterdir()}
    assert names == {
        ".lock",
        "report.html",
        "report.pdf",
        "report.en.html",
        "report.en.pdf",
        "observations.json",
        "report.json",
        "runs.csv",
        "runs",
    }


def test_a_second_build_trains_nothing_and_gives_the_same_bytes(built: Path) -> None:
    before = fingerprints(built / "output")
    done = labreport("build", "lab.toml", "--force", folder=built)
    assert "0 trained, 63 from the store" in done.stderr
    assert fingerprints(built / "output") == before


def test_another_folder_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(SMALL, encoding="utf-8")
    assert labreport("build", "lab.toml", folder=tmp_path).returncode == 0
    assert fingerprints(tmp_path / "output") == fingerprints(built / "output")


def test_a_part_trains_nothing_and_says_that_it_is_one(built: Path, tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "runs").symlink_to(built / "output" / "runs")
    done = labreport("build", "lab.toml", "--only", "rate", "--lang", "en", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0 trained, 4 from the store" in done.stderr
    text = pypdfium2.PdfDocument(tmp_path / "output" / "report.pdf")[0].get_textpage()
    assert "Part of the report: rate only (1 of 2 experiments)" in text.get_text_bounded()


@pytest.mark.parametrize(("suffix", "language"), [("", "zh-CN"), (".en", "en")])
def test_the_pdf_is_tagged_and_has_its_language(built: Path, suffix: str, language: str) -> None:
    with pikepdf.open(built / "output" / f"report{suffix}.pdf") as pdf:
        assert str(pdf.Root.Lang) == language
        assert "/StructTreeRoot" in pdf.Root
        assert "/Outlines" in pdf.Root


def test_notes_are_printed_and_a_reflection_ends_the_reminder(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(SMALL, encoding="utf-8")
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "rate.md").write_text("I saw **this** <script>alert(1)</script>.", encoding="utf-8")
    arguments = ("build", "lab.toml", "--only", "rate", "--lang", "en")
    done = labreport(*arguments, folder=tmp_path)
    assert "reflection.md" in done.stderr
    page = (tmp_path / "output" / "report.html").read_text(encoding="utf-8")
    assert "I saw <strong>this</strong> &lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "nothing is written here yet" in page
    (notes / "reflection.md").write_text("What I learnt.", encoding="utf-8")
    done = labreport(*arguments, folder=tmp_path)
    assert "reflection.md" not in done.stderr
    page = (tmp_path / "output" / "report.html").read_text(encoding="utf-8")
    assert "What I learnt." in page
    assert "nothing is written here yet" not in page


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en_US.UTF-8", ["5 faults; nothing was written.", "did you mean “sigmoid”?"]),
        ("zh_CN.UTF-8", ["5 处错误，什么都没有写入。", "是不是“sigmoid”？"]),
    ],
)
def test_five_mistakes_in_one_pass(tmp_path: Path, locale: str, words: list[str]) -> None:
    (tmp_path / "bad.toml").write_text(FIVE_MISTAKES, encoding="utf-8")
    done = labreport("build", "bad.toml", folder=tmp_path, locale=locale)
    assert done.returncode == 2
    for place in (
        "bad.toml:2:1: base.roundz",
        "bad.toml:3:1: base.rounds",
        "bad.toml:4:1: base.dtype",
        "bad.toml:10:27: base.network.activations.1",
        "bad.toml:14:39: base.initial.weights.1",
    ):
        assert place in done.stderr
    assert all(word in done.stderr for word in words)
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.toml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "lab.toml", "--only", "rat"], "did you mean “rate”?"),
        (["build", "lab.toml", "--lang", "fr"], "there is no language “fr”"),
        (["build", "lab.toml", "--device", "tpu"], "there is no device “tpu”"),
        (["build", "missing.toml"], "no such file"),
        (["build", "."], "cannot read this file"),
        (["list", "missing.toml"], "no such file"),
    ],
)
def test_wrong_arguments_end_with_2_and_write_nothing(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "lab.toml").write_text(SMALL, encoding="utf-8")
    done = labreport(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["lab.toml"]


def test_an_output_that_is_a_file_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    done = labreport("build", "lab.toml", "-o", "out", folder=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


def test_what_cannot_be_written_fails_with_1(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "runs").write_text("in the way", encoding="utf-8")
    done = labreport("build", "lab.toml", folder=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot write" in done.stderr


def test_list_prints_json_alone(built: Path) -> None:
    done = labreport("list", "lab.toml", "--json", folder=built)
    assert done.stderr == ""
    listed = json.loads(done.stdout)
    assert [(e["name"], e["runs"], e["stored"]) for e in listed] == [
        ("rate", 4, 4),
        ("starts", 60, 60),
    ]


def test_list_without_a_lab_shows_the_one_that_ships(tmp_path: Path) -> None:
    done = labreport("list", folder=tmp_path)
    for name in ("published", "relu", "bce", "step-size", "no-init", "adam"):
        assert name in done.stdout
    assert shipped("experiments.toml").is_file()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["list"], ["build", "--help"]], ids=" ".join
)
def test_small_commands_import_no_heavy_library(tmp_path: Path, arguments: list[str]) -> None:
    program = (
        "import sys; sys.argv[1:] = " + repr(arguments) + "\n"
        "from labreport.__main__ import main\n"
        "try:\n    main()\nfinally:\n"
        "    print([m for m in ('torch', 'matplotlib', 'weasyprint') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_several_processes_give_the_numbers_of_one(tmp_path: Path) -> None:
    from labreport.build.origin import this_environment
    from labreport.lab.reading.load import load
    from labreport.runs.file_format import run_name
    from labreport.runs.store import Store
    from labreport.training import execution
    from labreport.training.execution import Resources, train_missing

    (tmp_path / "lab.toml").write_text(SMALL.replace("seeds = 60", "seeds = 200"), encoding="utf-8")
    recordings = load(tmp_path / "lab.toml").recordings()
    environment = this_environment()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "WORTH_SECONDS", 0.0)
        stores = []
        for jobs in (1, 2):
            store = Store(tmp_path / f"jobs-{jobs}")
            machine = Resources(jobs=jobs, memory=2**18)
            train_missing(recordings, environment, store, machine, lambda *_: None)
            stores.append(store.read([run_name(c, environment) for c, _ in recordings]))
    assert len(list((tmp_path / "jobs-2" / "runs").iterdir())) > 1
    for name, run in stores[0].items():
        other = stores[1][name]
        assert run.trace.losses.tobytes() == other.trace.losses.tobytes()
        assert run.trace.weights[-1].tobytes() == other.trace.weights[-1].tobytes()


def test_the_reference_of_the_lab_file_is_current() -> None:
    from labreport.lab.key_reference import reference

    written = Path(__file__).parents[1] / "docs" / "lab-file.md"
    assert written.read_text(encoding="utf-8") == reference()


def test_the_schema_of_the_lab_file_is_current() -> None:
    from labreport.lab.json_schema import document

    written = Path(__file__).parents[1] / "experiments.schema.json"
    assert written.read_text(encoding="utf-8") == document()
