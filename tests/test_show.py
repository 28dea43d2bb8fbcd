"""`labreport show`: what is printed of stored runs, and what is said where there are none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import run
from rich.cells import cell_len
from stored_files import RUNS, halve_last_losses

LAB = """
[experiment.speed]
title.zh = "速度"
title.en = "[red]Speed[/] {0}\\t"
question = "[link=http://x]Why[/link]?"
budgets = [1, 10]
[[experiment.speed.variant]]
name = "slow"
label.en = "[bold]slow[/]"
label.zh = "慢"
[[experiment.speed.variant]]
name = "fast"
change.optimizer.learning_rate = 10.0
[[experiment.speed.variant]]
name = "refused"
change.loss = "bce"
[experiment.grid]
title = "Grid"
sweep.optimizer.learning_rate = [0.1, 1.0]
"""


@pytest.fixture
def built(
    pages_of: Callable[[str], Any],
    base_text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    monkeypatch.chdir(tmp_path)
    return pages_of(base_text + LAB)


def there(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("code", ["zh", "en"])
def test_show_prints_tables_curves_and_findings(built: Any, code: str) -> None:
    before = there(built.output)
    done = run("show", "speed", built.path, code=code)
    assert (done.exit_code, done.stderr) == (0, "")
    words = {
        "en": ["What differs from the base", "The variants compared", "refused", "[bold]slow[/]"],
        "zh": ["与基准配置的差别", "各做法的比较", "被拒绝", "慢", "回答", "损失，第 0"],
    }[code]
    assert all(word in done.stdout for word in words)
    assert re.search("▁.*→", done.stdout)
    # No markup is followed, and no control character gets through.
    assert "[link=http://x]Why[/link]?" in done.stdout
    assert not re.search("[\x00-\x09\x0b-\x1f]", done.stdout)
    assert there(built.output) == before


@pytest.mark.parametrize("code", ["zh", "en"])
@pytest.mark.parametrize("width", [30, 40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(built: Any, code: str, width: int) -> None:
    for name in ("speed", "grid"):
        done = run("show", name, built.path, code=code, width=width)
        assert max(map(cell_len, done.stdout.splitlines())) <= width


@pytest.mark.parametrize("width", [50, 80, 120])
def test_no_number_is_broken_or_cut(built: Any, width: int) -> None:
    told = json.loads(run("show", "speed", built.path, "--json").stdout)
    printed = run("show", "speed", built.path, width=width).stdout
    numbers = {cell for t in told["tables"] for row in t["rows"] for cell in row[1:]}
    numbers = {cell for cell in numbers if cell[:1].isdigit()}
    assert len(numbers) > 5
    assert all(number in printed for number in numbers)


def test_the_best_of_a_column_is_marked(built: Any) -> None:
    printed = run("show", "grid", built.path).stdout
    (best,) = re.findall(r"^ *(\S+) +★ \S+$", printed, re.MULTILINE)
    assert best == "1"


def test_colours_only_on_a_terminal(built: Any) -> None:
    assert "\x1b" not in run("show", "grid", built.path).stdout


def test_show_as_json(built: Any) -> None:
    done = run("show", "grid", built.path, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["name"], told["title"], told["question"]) == ("grid", "Grid", None)
    assert told["tables"][0]["header"] == ["learning rate", "loss@10"]
    assert set(told["findings"]) <= {"answers", "others", "limits"}
    said = [item for items in told["findings"].values() for item in items]
    claims = [c for c in built.measured.claims if c.plan.name == "grid" and c.part == "main"]
    rules = [c.observation.rule for c in claims if c.number is not None]
    assert [item["rule"] for item in said] == rules
    (_, grid) = built.measured.experiments
    curves = {curve["name"]: curve["values"] for curve in told["curves"]}
    assert curves["learning rate 1"] == grid.results[1].losses.tolist()


def test_the_name_is_checked(built: Any) -> None:
    done = run("show", "sped", built.path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "there is no experiment “sped”" in done.stderr
    assert "did you mean “speed”?" in done.stderr
    told = json.loads(run("show", "sped", built.path, "--json").stdout)
    assert told["faults"][0]["nearest"] == "speed"


@pytest.mark.parametrize(
    ("code", "said"), [("en", "3 are not stored here"), ("zh", "有 3 次没有存储在这里")]
)
def test_runs_that_are_missing_are_told_with_what_trains_them(
    built: Any, code: str, said: str, tmp_path: Path
) -> None:
    empty = tmp_path / "emp ty"
    done = run("show", "speed", built.path, "--output", empty, code=code)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert f"labreport build {built.path} --only speed -o '{empty}'" in done.stderr
    assert not empty.exists()


def test_damaged_files_are_named_and_left(built: Any) -> None:
    before = there(built.output)
    for path in (built.output / "runs").glob(RUNS):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    damaged = there(built.output)
    assert damaged != before
    done = run("show", "speed", built.path)
    assert done.exit_code == 1
    assert "this stored file is damaged" in done.stderr
    assert "labreport build" in done.stderr
    assert there(built.output) == damaged
    told = json.loads(run("show", "speed", built.path, "--json").stdout)
    assert {fault["code"] for fault in told["faults"]} == {"stored-damaged", "runs-missing"}


@pytest.mark.parametrize("command", ["show", "export"])
def test_numbers_that_nobody_computed_are_not_printed(built: Any, command: str) -> None:
    """Every digest is right, and the derivation by hand gives other numbers."""
    assert run(command, "speed", built.path).exit_code == 0
    halve_last_losses(built.output)
    before = there(built.output)
    done = run(command, "speed", built.path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "is not what the derivation by hand gives: in round 11 losses differ" in done.stderr
    assert there(built.output) == before


def test_an_output_that_is_a_file_is_wrong_input(built: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    done = run("show", "speed", built.path, "--output", tmp_path / "file")
    assert done.exit_code == 2
    assert "this must be a folder" in done.stderr


def test_show_imports_nothing_that_trains_draws_or_typesets(built: Any) -> None:
    code = (
        f"import sys; sys.argv = ['labreport', 'show', 'speed', {str(built.path)!r}]\n"
        "from labreport.cli.app import app\n"
        "try: app()\nexcept SystemExit as end: assert not end.code\n"
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('torch', 'matplotlib', 'weasyprint', 'ziamath', 'jinja2')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["show", "export"])
def test_the_shell_completes_the_name(built: Any, command: str, tmp_path: Path) -> None:
    (tmp_path / "experiments.toml").write_text(built.path.read_text("utf-8"), encoding="utf-8")

    def completed(words: str) -> list[str]:
        environment = {
            **os.environ,
            "_LABREPORT_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        code = "import sys; sys.argv = ['labreport']; from labreport.cli.app import app; app()"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout.split()

    assert completed(f"labreport {command} ") == ["speed", "grid"]
    assert completed(f"labreport {command} gr") == ["grid"]
