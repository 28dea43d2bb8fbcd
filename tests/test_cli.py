"""The command line: what is printed, in which language, and how it ends."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from command_line import LOCALES, run
from stored_files import RUNS
from typer.testing import CliRunner

from labreport import __version__
from labreport.analysis import thresholds
from labreport.analysis.observe import RULES
from labreport.analysis.rule import THEMES
from labreport.cli.app import app
from labreport.errors import TrainingInterrupted
from labreport.language.catalogue import language
from labreport.language.rule_table import EVERY_RULE, OF_THE_LAB

LAB = """
[experiment.speed]
title.zh = "速度"
title.en = "Speed"
[experiment.grid]
title.zh = "网格"
title.en = "Grid"
sweep.optimizer.learning_rate = [0.1, 1.0]
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def lab(tmp_path: Path, base_text: str) -> str:
    (tmp_path / "lab.toml").write_text(base_text + LAB, encoding="utf-8")
    return "lab.toml"


def there(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


# --- what it says of itself --------------------------------------------------------------------


def test_version() -> None:
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"labreport {__version__}\n")


COMMANDS = tuple(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("code", ["zh", "en"])
def test_help_is_in_the_language_of_the_terminal(command: str, code: str) -> None:
    done = run(*command.split(), "--help", code=code)
    assert done.exit_code == 0
    assert not re.search(r"help\.[a-z]", done.stdout)
    if code == "en":
        assert not re.search(r"[\u2e80-\uffef]", done.stdout)
        return
    # Beside names of commands, options, files and what is to be typed, there is only Chinese.
    head, _, _ = done.stdout.partition("例：")
    assert re.search(r"用法：", head)
    assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}", head)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_parse(command: str, tmp_path: Path) -> None:
    examples = run(command, "--help").stdout.partition("Examples:")[2].split("\n")
    lines = [line.strip() for line in examples if line.strip()]
    assert lines
    group = typer.main.get_command(app)
    for line in lines:
        program, name, *words = line.split()
        assert (program, name) == ("labreport", command)
        group.commands[command].make_context(name, words)  # type: ignore[attr-defined]


def test_help_names_every_option_and_the_exit_codes() -> None:
    assert all(word in run("--help").stdout for word in (*COMMANDS, "--version", "2"))
    words = ("--only", "--lang", "--output", "-o", "(default: output)")
    told = " ".join(run("build", "--help").stdout.split())
    assert all(word in told for word in words)


def test_every_text_of_the_command_line_is_in_the_catalogues() -> None:
    group: Any = typer.main.get_command(app)
    texts = [group.help, group.epilog]
    for command in (group, *group.commands.values()):
        texts += [command.help, command.epilog]
        own = [p for p in command.params if not p.name.endswith("_completion")]
        texts += [parameter.help for parameter in own]
    assert len(texts) > 15
    assert set(texts) - {None} <= set(language("en").keys)


def test_help_imports_no_more_than_typer_and_the_catalogue() -> None:
    code = (
        "import sys; sys.argv = ['labreport', '--help']\n"
        "from labreport.cli.app import app\n"
        "try: app()\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('babel', 'pydantic', 'numpy', 'torch', 'rich', 'matplotlib', 'weasyprint', "
        "'hashlib', 'json')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_shell_completes_names_of_experiments(lab: str) -> None:
    def completed(words: str) -> list[str]:
        environment = {
            **os.environ,
            "_LABREPORT_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        code = "import sys; sys.argv = ['labreport']; from labreport.cli.app import app; app()"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout.split()

    assert completed(f"labreport build {lab} --only ") == ["speed", "grid"]
    assert completed(f"labreport build {lab} --only g") == ["grid"]
    assert completed("labreport build nowhere.toml --only ") == []
    assert "relu" in completed("labreport build --only ")


def test_no_command_shows_the_help() -> None:
    done = run()
    assert "build" in done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize("arguments", [["bild"], ["build", "--onyl", "x"], ["build", "a", "b"]])
def test_unknown_words_end_with_2(arguments: list[str], tmp_path: Path) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert there(tmp_path) == set()


# --- list --------------------------------------------------------------------------------------


def test_list_shows_names_titles_and_counts(lab: str) -> None:
    for code, title in (("zh", "速度"), ("en", "Speed")):
        done = run("list", lab, code=code)
        assert done.exit_code == 0
        (line,) = (line for line in done.stdout.splitlines() if line.startswith("speed"))
        assert re.fullmatch(rf"speed +{title} +1 +0 *", line)
        assert re.search(r"grid +\S+ +2 +0", done.stdout)


def test_list_as_json_is_json_alone(lab: str) -> None:
    done = run("list", lab, "--json", code="zh")
    assert done.stderr == ""
    assert json.loads(done.stdout) == [
        {"name": "speed", "title": {"zh": "速度", "en": "Speed"}, "runs": 1, "stored": 0},
        {"name": "grid", "title": {"zh": "网格", "en": "Grid"}, "runs": 2, "stored": 0},
    ]


def test_list_writes_nothing(lab: str, tmp_path: Path) -> None:
    run("list", lab)
    run("list", lab, "--json")
    assert there(tmp_path) == {"lab.toml"}


def test_list_of_a_lab_with_hostile_titles(base_text: str, tmp_path: Path) -> None:
    text = base_text + '[experiment.a]\ntitle = "[red]x[/] [link=http://x]y[/link] {0}\\tz"\n'
    (tmp_path / "lab.toml").write_text(text, encoding="utf-8")
    done = run("list", "lab.toml")
    assert done.exit_code == 0
    assert "[red]x[/] [link=http://x]y[/link]" in done.stdout
    assert not re.search("[\x00-\x09\x1b]", done.stdout)
    assert json.loads(run("list", "lab.toml", "--json").stdout)[0]["title"]["en"].startswith(
        "[red]"
    )


# --- check -------------------------------------------------------------------------------------


def test_check_says_what_a_lab_holds_and_writes_nothing(lab: str, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "speed.md").write_text("seen", encoding="utf-8")
    (tmp_path / "notes" / "other.md").write_text("of no experiment", encoding="utf-8")
    before = there(tmp_path)
    said = {
        "en": "lab.toml: no faults. Experiments: 2, runs: 2, notes: 1;",
        "zh": "lab.toml：没有错误。实验 2 项，训练 2 次，记录 1 份；",
    }
    for code, text in said.items():
        done = run("check", lab, code=code)
        assert done.exit_code == 0
        assert done.stdout.startswith(text)
    told = json.loads(run("check", lab, "--json").stdout)
    assert (told["file"], told["faults"], told["experiments"]) == ("lab.toml", [], 2)
    assert told["notes"] == [str(Path("notes") / "speed.md")]
    assert told["needs"]["runs"] == 2
    assert told["refused"] == []
    assert there(tmp_path) == before


def test_check_says_that_a_build_would_be_refused(base_text: str, tmp_path: Path) -> None:
    large = '[experiment.large]\ntitle = "large"\nseeds = 9000\nchange.rounds = 1000000\n'
    large += 'change.initial.scheme = "pytorch"\n'
    (tmp_path / "large.toml").write_text(base_text + large, encoding="utf-8")
    done = run("check", "large.toml", code="en")
    assert done.exit_code == 0
    assert "no faults" in done.stdout
    assert "As it is, a build would be refused:" in done.stderr
    assert "MiB of memory; the limit is" in done.stderr
    assert "build" in run("check", "large.toml", code="zh").stderr
    told = json.loads(run("check", "large.toml", "--json").stdout)
    assert "too-much-memory" in {fault["code"] for fault in told["refused"]}
    assert run("build", "large.toml").exit_code == 2


ONE_UNIT = """
[base]
loss = "{loss}"
[base.data]
inputs = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
targets = {targets}
[base.network]
layers = [2, 2, 1]
activations = ["tanh", "{last}"]
[base.optimizer]
name = "sgd"
learning_rate = 0.1
[experiment.one]
title = "one unit"
"""
TWO_CLASSES, ONE_CLASS = "[[0.0], [1.0], [1.0], [0.0]]", "[[1.0], [1.0], [1.0], [1.0]]"


@pytest.mark.parametrize(
    ("loss", "last", "targets", "warned"),
    [
        ("cross_entropy", "identity", TWO_CLASSES, ["cross-entropy-of-one-unit"]),
        ("mse", "softmax", TWO_CLASSES, ["softmax-of-one-unit"]),
        ("mse", "log_softmax", TWO_CLASSES, ["softmax-of-one-unit"]),
        ("bce", "sigmoid", ONE_CLASS, ["targets-of-one-class"]),
        ("bce", "sigmoid", TWO_CLASSES, []),
        ("mse", "sigmoid", ONE_CLASS, []),
        ("bce_with_logits", "sigmoid", TWO_CLASSES, ["activation-within-loss"]),
        ("bce_with_logits", "identity", TWO_CLASSES, []),
        ("bce_with_logits", "softmax", TWO_CLASSES, ["softmax-of-one-unit"]),
    ],
)
def test_check_warns_of_what_cannot_be_learned(
    tmp_path: Path, loss: str, last: str, targets: str, warned: list[str]
) -> None:
    text = ONE_UNIT.format(loss=loss, last=last, targets=targets)
    (tmp_path / "one.toml").write_text(text, encoding="utf-8")
    told = json.loads(run("check", "one.toml", "--json").stdout)
    assert [warning["code"] for warning in told["warnings"]] == warned
    for code, word in (("en", "warning"), ("zh", "警告")):
        done = run("check", "one.toml", code=code)
        assert done.exit_code == 0
        assert (word in done.stderr) == bool(warned)
        assert ("experiment.one" in done.stderr) == bool(warned)


@pytest.mark.parametrize("code", ["zh", "en"])
def test_check_as_json_tells_faults_to_an_editor(base_text: str, code: str, tmp_path: Path) -> None:
    text = base_text.replace('loss = "mse"', 'loss = "mes"') + LAB
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    done = run("check", "bad.toml", "--json", code=code)
    assert (done.exit_code, done.stderr) == (2, "")
    (fault,) = json.loads(done.stdout)["faults"]
    assert fault.pop("allowed")[0] == "mse"
    assert fault == {
        "file": "bad.toml",
        "line": 5,
        "column": 1,
        "key": "base.loss",
        "code": "unknown-name",
        "message": {"zh": "没有“mes”这个名字", "en": "there is no “mes”"}[code],
        "nearest": "mse",
    }


def test_check_tells_all_faults_of_notes(lab: str, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    for name in ("speed", "grid"):
        (tmp_path / "notes" / f"{name}.md").write_bytes(b"\xff\xfe")
    done = run("check", lab)
    assert done.exit_code == 2
    assert "speed.md" in done.stderr
    assert "grid.md" in done.stderr
    assert done.stderr.endswith("2 faults.\n")


def test_only_so_many_faults_are_printed(base_text: str, tmp_path: Path) -> None:
    inputs = "[[" + ", ".join(['"x"'] * 1000) + "]]"
    text = base_text.replace("[[0.5, 0.3]]", inputs) + LAB
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    done = run("check", "bad.toml")
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) < 320
    assert "… and 901 more" in done.stderr
    assert "1001 faults" in done.stderr


# --- what is wrong with a command line ---------------------------------------------------------

WRONG = (
    (("build", "--foo"), "there is no option --foo", "没有 --foo 这个选项"),
    (("--foo",), "there is no option --foo", "没有 --foo 这个选项"),
    (("biuld",), "there is no command biuld", "没有 biuld 这个命令"),
    (("build", "a", "b"), "unexpected arguments: b", "多出了参数：b"),
    (("build", "--jobs"), "the option --jobs needs a value", "选项 --jobs 后面要有值"),
    (("clean", "--yes=3"), "the option --yes takes no value", "选项 --yes 不带值"),
    (("new",), "missing: DIR", "缺少参数 DIR"),
    (("build", "--jobs", "x"), "--jobs / -j: not a whole number", "--jobs / -j 的值应为整数"),
    (("build", "--hours", "x"), "--hours: not a number", "--hours 的值应为数"),
    (("build", "--jobs", "0"), "--jobs / -j: must be at least 1", "--jobs / -j 的值不能小于 1"),
)


@pytest.mark.parametrize(("arguments", "en", "zh"), WRONG, ids=lambda value: str(value))
def test_a_wrong_command_line_is_told_in_both_languages(
    arguments: tuple[str, ...], en: str, zh: str
) -> None:
    for code, said in (("en", en), ("zh", zh)):
        done = run(*arguments, code=code)
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in done.stderr.splitlines()
        assert "Error" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(("biuld",), "build"), (("list", "--jsno"), "--json"), (("build", "--lnag"), "--lang")],
)
def test_the_nearest_name_is_told(arguments: tuple[str, ...], near: str) -> None:
    assert f"    did you mean “{near}”?" in run(*arguments).stderr.splitlines()


def test_no_command_line_can_steer_the_terminal() -> None:
    done = run("build", "--\x1b[31mred")
    assert done.exit_code == 2
    assert "\x1b" not in done.stderr


# --- rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["zh", "en"])
def test_rules_lists_every_rule_by_theme_with_its_thresholds(code: str) -> None:
    done = run("rules", code=code)
    assert done.exit_code == 0
    words = language(code)
    lines = done.stdout.splitlines()
    titles = [line for line in lines if not line.startswith(" ")]
    used = {rule.theme for rule in RULES.values()}
    assert used == set(THEMES)
    assert titles == [words.text(f"theme.{theme}") for theme in (*THEMES, OF_THE_LAB)]
    for name, rule in EVERY_RULE.items():
        (place,) = (k for k, line in enumerate(lines) if line.startswith(f"  {name} ("))
        assert lines[place + 1].strip() == words.text(f"rule.{name}")
        for offset, threshold in enumerate(rule.thresholds, start=2):
            value = getattr(thresholds, threshold)
            assert lines[place + offset].strip().startswith(f"{threshold} = {value}")


def test_rules_shows_one_rule() -> None:
    done = run("rules", "spread")
    assert done.stdout.splitlines()[0] == "Reliability"
    assert "  spread (relevance 0.8, lost 0.9)" in done.stdout
    assert "overshoot" not in done.stdout


def test_rules_shows_several_in_the_order_of_their_themes() -> None:
    told = json.loads(run("rules", "spread", "overshoot", "--json").stdout)
    assert [rule["name"] for rule in told] == ["overshoot", "spread"]


@pytest.mark.parametrize("name", ["Stuck-Points", "stuck_points", "STUCK-POINTS"])
def test_a_rule_may_be_typed_in_any_case(name: str) -> None:
    (told,) = json.loads(run("rules", name, "--json").stdout)
    assert told["name"] == "stuck-points"


def test_rules_shows_those_that_a_threshold_decides() -> None:
    told = {rule["name"] for rule in json.loads(run("rules", "MOST_OF_THE_WAY", "--json").stdout)}
    assert told == {name for name, r in EVERY_RULE.items() if "MOST_OF_THE_WAY" in r.thresholds}
    assert len(told) > 1


@pytest.mark.parametrize("code", ["zh", "en"])
def test_rules_as_json(code: str) -> None:
    done = run("rules", "--json", code=code)
    told = json.loads(done.stdout)
    assert {rule["name"] for rule in told} == set(EVERY_RULE)
    (overshoot,) = json.loads(run("rules", "overshoot", "--json", code=code).stdout)
    assert overshoot in told
    assert overshoot["theme"] == "trajectory"
    assert overshoot["relevance"] == {"": RULES["overshoot"].relevance}
    assert overshoot["looks_for"] == language(code).text("rule.overshoot")
    assert [(t["name"], t["value"]) for t in overshoot["thresholds"]] == [
        (name, getattr(thresholds, name)) for name in RULES["overshoot"].thresholds
    ]


def test_an_unknown_rule_is_told_with_the_nearest() -> None:
    done = run("rules", "overshot")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "there is no rule “overshot”" in done.stderr
    assert "did you mean “overshoot”?" in done.stderr
    told = json.loads(run("rules", "overshot", "--json").stdout)
    assert told["faults"][0]["nearest"] == "overshoot"
    assert set(told["faults"][0]["allowed"]) == set(EVERY_RULE)


# --- build -------------------------------------------------------------------------------------


@pytest.fixture
def _no_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labreport.formats.pdf.render", lambda *_: b"%PDF-left-out")


@pytest.mark.usefixtures("_no_pdf")
def test_build_says_what_it_did(lab: str, tmp_path: Path) -> None:
    done = run("build", lab, "--lang", "en")
    assert done.exit_code == 0
    assert "runs: 2 trained, 0 from the store" in done.stderr
    assert "notes/reflection.md" in done.stderr
    written = [line.removeprefix("written ") for line in done.stdout.splitlines()]
    assert [Path(name) for name in written] == [
        Path("output") / name
        for name in ("runs.csv", "observations.json", "report.html", "report.pdf")
    ]
    assert all((tmp_path / name).is_file() for name in written)
    again = run("build", lab, "--lang", "en", "--force", code="zh")
    assert "训练：新做 0 次，取自存储 2 次" in again.stderr
    assert "已写入" in again.stdout
    unchanged = run("build", lab, "--lang", "en", code="zh")
    assert "报告已是最新" in unchanged.stderr
    assert [line.removeprefix("未变 ") for line in unchanged.stdout.splitlines()] == written


@pytest.mark.usefixtures("_no_pdf")
def test_first_language_has_no_suffix(lab: str, tmp_path: Path) -> None:
    assert run("build", lab, "--lang", "en", "--lang", "zh", "--lang", "en").exit_code == 0
    names = {path.name for path in (tmp_path / "output").iterdir()}
    assert {"report.html", "report.zh.html", "report.pdf", "report.zh.pdf"} < names
    page = (tmp_path / "output" / "report.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in page
    assert "report.en.html" not in names


@pytest.mark.usefixtures("_no_pdf")
def test_lab_by_path_has_its_notes_beside_it(base_text: str, tmp_path: Path) -> None:
    folder = tmp_path / "some where" / "deep"
    (folder / "notes").mkdir(parents=True)
    (folder / "my lab.toml").write_text(base_text + LAB, encoding="utf-8")
    (folder / "notes" / "reflection.md").write_text("MY OWN WORDS", encoding="utf-8")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "speed.md").write_text("SOMEONE ELSE'S", encoding="utf-8")
    done = run("build", str(folder / "my lab.toml"), "-o", str(tmp_path / "out"), "--lang", "en")
    assert done.exit_code == 0
    assert "reflection" not in done.stderr
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "MY OWN WORDS" in page
    assert "SOMEONE" not in page
    assert "labreport build &#39;my lab.toml&#39; --lang en" in page
    assert str(tmp_path) not in page


@pytest.mark.usefixtures("_no_pdf")
def test_lab_of_the_folder_goes_before_the_one_that_ships(base_text: str, tmp_path: Path) -> None:
    (tmp_path / "experiments.toml").write_text(base_text + LAB, encoding="utf-8")
    assert [e["name"] for e in json.loads(run("list", "--json").stdout)] == ["speed", "grid"]
    (tmp_path / "experiments.toml").unlink()
    assert len(json.loads(run("list", "--json").stdout)) == 7


@pytest.mark.usefixtures("_no_pdf")
def test_damaged_runs_are_told(lab: str, tmp_path: Path) -> None:
    run("build", lab, "--lang", "en")
    (file,) = (tmp_path / "output" / "runs").glob(RUNS)
    for code, said in (("en", "1 damaged file in the store"), ("zh", "存储中有 1 个损坏的文件")):
        file.write_bytes(b"damaged")
        done = run("build", lab, "--lang", "en", code=code)
        assert done.exit_code == 0
        assert said in done.stderr
        assert file.name in done.stderr


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["zh", "en"])
def test_unknown_experiment_lists_those_there_are_and_the_nearest(
    lab: str, code: str, tmp_path: Path
) -> None:
    done = run("build", lab, "--only", "sped", "--only", "grid", code=code)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "sped" in done.stderr
    assert {"zh": "是不是“speed”？", "en": "did you mean “speed”?"}[code] in done.stderr
    assert "speed, grid" in done.stderr
    assert there(tmp_path) == {"lab.toml"}


def test_every_unknown_name_is_told(lab: str) -> None:
    done = run("build", lab, "--only", "one", "--only", "two", "--lang", "en")
    assert "“one”" in done.stderr
    assert "“two”" in done.stderr
    assert "2 faults; nothing was written." in done.stderr


@pytest.mark.parametrize("code", ["zh", "en"])
def test_unknown_language(lab: str, code: str, tmp_path: Path) -> None:
    done = run("build", lab, "--lang", "fr", "--lang", "zh", "--lang", "fr", code=code)
    assert done.exit_code == 2
    assert "fr" in done.stderr
    assert "zh, en" in done.stderr
    assert done.stderr.count("“fr”") == 1
    assert there(tmp_path) == {"lab.toml"}


MISTAKES = {
    'loss = "mse"': 'loss = "mes"',
    "rounds = 10": "rounds = 0",
    'bias = "zero"': "bias = 3",
    "learning_rate = 1.0": "learning_rat = 1.0\nlearning_rate = nan",
}


@pytest.mark.parametrize("code", ["zh", "en"])
def test_all_mistakes_at_once(base_text: str, code: str, tmp_path: Path) -> None:
    text = base_text + LAB
    for right, wrong in MISTAKES.items():
        assert right in text
        text = text.replace(right, wrong)
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    done = run("build", "bad.toml", code=code)
    assert done.exit_code == 2
    assert done.stdout == ""
    places = re.findall(r"^bad\.toml:(\d+):\d+: (\S+): ", done.stderr, re.MULTILINE)
    lines = text.splitlines()
    for line, key in places:
        assert lines[int(line) - 1].startswith(key.rpartition(".")[2])
    assert sorted(key for _, key in places) == [
        "base.loss",
        "base.network.bias",
        "base.optimizer.learning_rat",
        "base.optimizer.learning_rate",
        "base.rounds",
    ]
    last = done.stderr.splitlines()[-1]
    assert (
        last
        == {
            "zh": "5 处错误，什么都没有写入。",
            "en": "5 faults; nothing was written.",
        }[code]
    )
    other = r"[\u4e00-\u9fff]" if code == "en" else r"\b(there is no|must be|did you mean)\b"
    assert not re.search(other, done.stderr)
    assert there(tmp_path) == {"bad.toml"}


def test_words_that_are_types_are_quoted_as_they_are(base_text: str, tmp_path: Path) -> None:
    text = base_text.replace('loss = "mse"', 'loss = "table"') + LAB
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    assert "there is no “table”" in run("build", "bad.toml").stderr
    (tmp_path / "bad.toml").write_text(
        base_text.replace("rounds = 10", "rounds = [10]") + LAB, encoding="utf-8"
    )
    assert "this is an array; it must be an integer" in run("build", "bad.toml").stderr


def test_a_sweep_that_is_none_shows_single_braces(base_text: str, tmp_path: Path) -> None:
    text = base_text + '[experiment.a]\ntitle = "a"\nsweep.rounds = 3\n'
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    for code in LOCALES:
        done = run("build", "bad.toml", code=code)
        assert done.exit_code == 2
        assert "{ from, to, count }" in done.stderr
        assert "{{" not in done.stderr


def test_a_terminal_is_told_no_control_characters(base_text: str, tmp_path: Path) -> None:
    text = base_text.replace('loss = "mse"', 'loss = "\\u001b[31mred\\u0007 \\u202e"') + LAB
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    done = run("build", "bad.toml")
    assert done.exit_code == 2
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stderr)
    assert "[31mred" in done.stderr


def test_a_fault_in_a_note_shows_before_anything_trains(lab: str, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "speed.md").write_bytes("实验".encode("gb18030"))
    (tmp_path / "notes" / "grid.md").write_bytes(b"fine")
    for code, said in (("en", "cannot read these notes"), ("zh", "读不了这份记录")):
        done = run("build", lab, code=code)
        assert done.exit_code == 2
        assert said in done.stderr
        assert "speed.md" in done.stderr
        assert not (tmp_path / "output").exists()


@pytest.mark.usefixtures("_no_pdf")
def test_a_folder_in_the_place_of_a_report_is_told_before_training(
    lab: str, tmp_path: Path
) -> None:
    (tmp_path / "output" / "report.html").mkdir(parents=True)
    done = run("build", lab, "--lang", "en")
    assert done.exit_code == 2
    assert "report.html" in done.stderr
    assert not (tmp_path / "output" / "runs").exists()


NOWHERE = "\U0010fff0"


@pytest.mark.parametrize("code", ["zh", "en"])
def test_missing_glyphs_are_found_before_anything_trains(
    base_text: str, code: str, tmp_path: Path
) -> None:
    text = f'cover.student.zh = "王{NOWHERE}"\ncover.class = "é中文ελ"\n' + base_text + LAB
    (tmp_path / "lab.toml").write_text(text, encoding="utf-8")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "grid.md").write_text(f"fine\n\n中 {NOWHERE}\n", encoding="utf-8")
    (tmp_path / "notes" / "nothing.md").write_text(f"not taken in: {NOWHERE}", encoding="utf-8")
    before = there(tmp_path)
    done = run("build", "lab.toml", code=code)
    assert done.exit_code == 2
    assert {"zh": "PDF 的字体没有这些字符", "en": "the PDF’s fonts lack"}[code] in done.stderr
    places = re.findall(r"^(\S+?):(\d+):(\d+): ", done.stderr, re.MULTILINE)
    assert places == [("lab.toml", "1", "22"), (str(Path("notes") / "grid.md"), "3", "3")]
    assert "cover.student.zh: " in done.stderr
    assert done.stderr.count("U+10FFF0") == 2
    assert "check_fonts = false" in done.stderr
    assert there(tmp_path) == before


@pytest.mark.usefixtures("_no_pdf")
def test_glyphs_are_missed_only_where_the_report_shows_them(base_text: str, tmp_path: Path) -> None:
    text = base_text + LAB.replace('title.zh = "网格"', f'title.zh = "{NOWHERE}"')
    (tmp_path / "lab.toml").write_text(text, encoding="utf-8")
    assert run("build", "lab.toml", "--lang", "zh").exit_code == 2
    assert run("build", "lab.toml", "--lang", "en").exit_code == 0
    assert run("build", "lab.toml", "--lang", "zh", "--only", "speed").exit_code == 0
    (tmp_path / "lab.toml").write_text("check_fonts = false\n" + text, encoding="utf-8")
    assert run("build", "lab.toml", "--lang", "zh").exit_code == 0


def test_an_interruption_says_how_to_go_on(lab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise TrainingInterrupted(3, 5)

    monkeypatch.setattr("labreport.build.pipeline.load_or_train", interrupted)
    for code, said in (("en", "Of 5 runs to be trained, 3 are finished"), ("zh", "再次运行")):
        done = run("build", lab, code=code)
        assert done.exit_code == 130
        assert said in done.stderr


@pytest.mark.parametrize("code", ["zh", "en"])
def test_a_lab_that_is_too_big_is_refused_beforehand(
    base_text: str, code: str, tmp_path: Path
) -> None:
    large = base_text.replace("rounds = 10", "rounds = 1000000")
    (tmp_path / "lab.toml").write_text(large + LAB, encoding="utf-8")
    arguments = ("build", "lab.toml", "--hours", "0.0001", "--memory", "16")
    done = run(*arguments, code=code)
    assert done.exit_code == 2
    wanted = re.search(r"--memory (\d+)", done.stderr)
    assert wanted, done.stderr
    assert "--hours 1" in done.stderr
    assert {"zh": "上限", "en": "limit"}[code] in done.stderr
    assert there(tmp_path) == {"lab.toml"}
    again = run("build", "lab.toml", "--hours", "0.0001", "--memory", wanted[1])
    assert "--memory" not in again.stderr
    assert there(tmp_path) == {"lab.toml"}


# --- the language of the terminal --------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "没有名为"),
        ({"LANG": "zh_TW"}, "没有名为"),
        ({"LANG": "C"}, "there is no"),
        ({"LANG": "de_DE.UTF-8"}, "there is no"),
        ({"LC_ALL": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "没有名为"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, "there is no"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "没有名为"),
    ],
)
def test_language_of_messages(lab: str, environment: dict[str, str], word: str) -> None:
    cleared = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": ""}
    arguments = ["build", lab, "--only", "nothing"]
    done = CliRunner().invoke(app, arguments, env={**cleared, **environment})
    assert word in done.stderr


# --- clean -------------------------------------------------------------------------------------


@pytest.fixture
def _built(lab: str, tmp_path: Path, _no_pdf: None, made_once: Callable[..., Any]) -> None:
    """Two labs built into one folder: lab.toml, and one that shares no run with it."""
    text = Path(lab).read_text(encoding="utf-8")

    def make(folder: Path) -> None:
        (folder / "other.toml").write_text(text.replace("rounds = 10", "rounds = 11"), "utf-8")
        for path in (Path(lab).absolute(), folder / "other.toml"):
            done = run("build", path, "--lang", "en", "-o", folder / "output")
            assert done.exit_code == 0

    made_once((__file__, "two labs"), make, tmp_path)


def stored(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "output" / "runs").glob(RUNS)}


@pytest.mark.usefixtures("_built")
@pytest.mark.parametrize("code", ["zh", "en"])
def test_clean_says_what_and_how_much_and_refuses_to_go_on_unasked(
    lab: str, tmp_path: Path, code: str
) -> None:
    before = there(tmp_path)
    done = run("clean", lab, code=code)
    assert done.exit_code == 2
    assert {"zh": "没有训练被用到的文件 1 个（训练 2 次", "en": "1 file with runs that none"}[
        code
    ] in done.stdout
    assert lab in done.stdout
    assert "--yes" in done.stderr
    assert there(tmp_path) == before


@pytest.mark.usefixtures("_built")
def test_clean_with_yes_removes_what_no_lab_refers_to(lab: str, tmp_path: Path) -> None:
    both = stored(tmp_path)
    done = run("clean", lab, "other.toml")
    assert (done.exit_code, stored(tmp_path)) == (0, both)
    assert "There is nothing to remove." in done.stdout
    done = run("clean", lab, "--yes")
    assert done.exit_code == 0
    assert len(stored(tmp_path)) == 1
    done = run("build", lab, "--lang", "en", "--force")
    assert "runs: 0 trained, 2 from the store" in done.stderr
    assert (tmp_path / "output" / "report.html").is_file()


@pytest.mark.usefixtures("_built")
@pytest.mark.parametrize(("answer", "left"), [("y\n", 1), ("是\n", 1), ("n\n", 2), ("", 2)])
def test_clean_asks_on_a_terminal(
    lab: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    environment = {"LC_ALL": LOCALES["en"]}
    with monkeypatch.context() as patch:
        patch.setattr(
            "labreport.cli.commands.clean.sys",
            SimpleNamespace(stdin=Terminal(answer), stderr=sys.stderr),
        )
        done = CliRunner().invoke(app, ["clean", lab], env=environment)
    assert done.exit_code == 0
    assert "Remove all of this? [y/N] " in done.stdout
    assert ("Removed." if left == 1 else "Nothing was removed.") in done.stdout
    assert len(stored(tmp_path)) == left


def test_clean_tells_the_faults_of_all_labs(lab: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("rounds = 3", encoding="utf-8")
    done = run("clean", "bad.toml", lab, "missing.toml", "--yes")
    assert done.exit_code == 2
    assert "bad.toml" in done.stderr
    assert "missing.toml" in done.stderr
    assert there(tmp_path) == {"lab.toml", "bad.toml"}


@pytest.mark.usefixtures("_no_pdf")
def test_a_store_of_another_version_is_told_once_and_left(lab: str, tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    old = tmp_path / "output" / "runs" / f"{'0' * 32}.safetensors"
    old.parent.mkdir(parents=True)
    save_file({"losses": np.zeros(3)}, old, {"format": "3"})
    content = old.read_bytes()
    for code, said in (("en", "another version of labreport"), ("zh", "另一版本")):
        done = run("build", lab, "--lang", "en", code=code)
        assert done.exit_code == 0
        assert said in done.stderr
        assert old.read_bytes() == content
        for path in old.parent.glob(RUNS):
            if path != old:
                path.unlink()
    run("build", lab, "--lang", "en")
    assert "another version" not in run("build", lab, "--lang", "en").stderr


# --- names and terminals that are odd -----------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (("list", "-o"), 2),
        (("doctor", "-o"), 1),
        (("clean", "--yes", "-o"), 2),
        (("build", "-o"), 2),
        (("new",), 2),
    ],
)
def test_a_name_that_is_too_long_is_a_fault(arguments: tuple[str, ...], exit_code: int) -> None:
    done = run(*arguments, "a" * 300)
    assert done.exit_code == exit_code
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert "File name too long" in " ".join((done.output + done.stderr).split())


@pytest.mark.parametrize(
    ("encoding", "is_chinese"), [("ascii", False), ("latin-1", False), ("gbk", True)]
)
def test_a_terminal_that_lacks_characters_gets_the_rest(encoding: str, is_chinese: bool) -> None:
    """Of a Chinese terminal that cannot show Chinese the language is English."""
    environment = os.environ | {
        "LC_ALL": LOCALES["zh"],
        "PYTHONIOENCODING": encoding,
        "PYTHONUTF8": "0",
    }
    done = subprocess.run(
        [sys.executable, "-m", "labreport", "rules", "stuck"],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "stuck" in done.stdout.decode(encoding)
    listed = subprocess.run(
        [sys.executable, "-m", "labreport", "check", "--help"],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    has_chinese = bool(re.search(r"[\u4e00-\u9fff]", listed.stdout.decode(encoding)))
    assert has_chinese == is_chinese


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [("check",), ("--help",), ("rules",)])
def test_a_full_disk_behind_stdout_is_one_line(
    arguments: tuple[str, ...], write_lab: Any, base_text: str
) -> None:
    lab = write_lab(base_text + LAB)
    given = (*arguments, str(lab)) if arguments == ("check",) else arguments
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "labreport", *given],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"LC_ALL": LOCALES["en"]},
        )
    assert done.returncode == 1
    assert done.stderr == "labreport: stdout: No space left on device\n"


def test_a_lab_whose_name_is_no_text_builds(tmp_path: Path, base_text: str) -> None:
    from labreport.build.pipeline import build
    from labreport.build.request import Request

    lab = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9 l'ab.toml"))
    try:
        lab.write_text(base_text + '[experiment.a]\ntitle = "A"\n', encoding="utf-8")
    except OSError:
        pytest.skip("this file system has no such names")
    build(Request(lab, (), ("en",), tmp_path / "output"), lambda *_: None)
    page = (tmp_path / "output" / "report.html").read_text(encoding="utf-8")
    assert r"$&#39;caf\xe9 l\x27ab.toml&#39;" in page


def test_a_note_that_belongs_to_nothing_is_told(tmp_path: Path, base_text: str) -> None:
    lab = tmp_path / "lab.toml"
    lab.write_text(base_text + LAB, encoding="utf-8")
    (tmp_path / "notes").mkdir()
    for name in ("sped.md", "speed.en.md", "README.md", "zzz.md", "reflection.md"):
        (tmp_path / "notes" / name).write_text("words", encoding="utf-8")
    done = run("check", lab)
    assert done.exit_code == 0
    told = " ".join(done.stderr.split())
    assert "sped.md belongs to no experiment and is not in the report; is speed.md meant?" in told
    assert "zzz.md belongs to no experiment and is not in the report" in told
    assert told.count("belongs to no experiment") == 2
    assert "sped.md 不属于任何实验" in " ".join(run("check", lab, code="zh").stderr.split())
