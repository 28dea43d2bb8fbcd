"""Rows in a store as the command line tells of them: lost ones, and stores from before."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from command_line import run
from safetensors.numpy import load_file, save
from stored_files import ROWS, RUNS

LAB = """
[experiment.speed]
title.zh = "速度"
title.en = "Speed"
[experiment.grid]
title.zh = "网格"
title.en = "Grid"
sweep.optimizer.learning_rate = [0.1, 1.0]
"""


@pytest.fixture
def lab(tmp_path: Path, base_text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lab.toml").write_text(base_text + LAB, encoding="utf-8")
    return "lab.toml"


def as_version_5(path: Path) -> Path:
    """Write a file of runs as the version before did, which had the rows of each run in full."""
    arrays = dict(load_file(path))
    told = json.loads(arrays["runs"].tobytes())
    for entry in told:
        data = entry["config"]["data"]
        rows = load_file(path.with_name(f"rows-{data.pop('rows')}.safetensors"))
        data |= {key: array.tolist() for key, array in rows.items()}
    about = json.dumps(told).encode()
    arrays["runs"] = np.frombuffer(about, np.uint8)
    arrays["runs_sha256"] = np.frombuffer(hashlib.sha256(about).digest(), np.uint8)
    content = save(arrays, {"format": "5"})
    old = path.with_name(f"{hashlib.sha256(content).hexdigest()}.safetensors")
    old.write_bytes(content)
    path.unlink()
    return old


@pytest.mark.parametrize(
    ("code", "said", "trained"),
    [
        ("en", "1 file in the store is of another version of labreport", "runs: 2 trained"),
        ("zh", "存储中有 1 个文件属于 labreport 的另一版本", "新做 2 次"),
    ],
)
def test_runs_of_a_store_with_rows_in_full_are_computed_again(
    lab: str, tmp_path: Path, code: str, said: str, trained: str
) -> None:
    run("build", lab, "--format", "text")
    folder = tmp_path / "output" / "runs"
    (path,) = folder.glob(RUNS)
    new = path.read_bytes()
    old = as_version_5(path)
    (rows,) = folder.glob(ROWS)
    rows.unlink()
    content = old.read_bytes()
    assert {e["stored"] for e in json.loads(run("list", lab, "--json").stdout)} == {0}
    done = run("build", lab, "--format", "text", code=code)
    assert done.exit_code == 0
    assert done.stderr.count(said) == 1
    assert trained in done.stderr
    assert (old.read_bytes(), path.read_bytes()) == (content, new)
    assert run("clean", lab, "--yes").exit_code == 0
    assert set(folder.glob("*.safetensors")) == {path, rows}


@pytest.mark.parametrize(
    ("code", "said", "again", "gone"),
    [
        ("en", "1 damaged file", "1 file with the rows of stored runs", "it is not there"),
        ("zh", "1 个损坏的文件", "数据行的文件有 1 个已按实验文件重新写出", "但它不在"),
    ],
)
def test_lost_rows_are_told_and_written_again(
    lab: str, tmp_path: Path, code: str, said: str, again: str, gone: str
) -> None:
    run("build", lab, "--format", "text")
    (rows,) = (tmp_path / "output" / "runs").glob(ROWS)
    (name, *_) = (e["name"] for e in json.loads(run("list", lab, "--json").stdout))
    content = rows.read_bytes()
    rows.write_bytes(b"damaged")
    for command in ("show", "export"):
        done = run(command, name, lab, code=code)
        assert (done.exit_code, done.stdout) == (1, "")
        assert rows.name in done.stderr
    done = run("build", lab, "--format", "text", code=code)
    assert said in done.stderr
    assert again in done.stderr
    assert rows.read_bytes() == content
    rows.unlink()
    for command in ("show", "export"):
        done = run(command, name, lab, code=code)
        assert (done.exit_code, done.stdout) == (1, "")
        assert rows.name in done.stderr.replace("\n", "")
        assert gone in done.stderr
    done = run("build", lab, "--format", "text", code=code)
    assert said not in done.stderr
    assert again in done.stderr
    assert rows.read_bytes() == content
