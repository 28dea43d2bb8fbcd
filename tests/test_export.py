"""`labreport export`: every stored number in each format, the same bytes, and no file lost."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import run
from safetensors.numpy import load
from stored_files import RUNS

from labreport.export.runs_csv import BYTE_ORDER_MARK

LAB = """
[experiment.mixed]
title = "Mixed"
[[experiment.mixed.variant]]
name = "given"
[[experiment.mixed.variant]]
name = "deep"
change.network.layers = [2, 3, 2, 2]
change.network.activations = "tanh"
change.network.bias = "trained"
change.initial.scheme = "pytorch"
[[experiment.mixed.variant]]
name = "refused"
change.loss = "bce"
[[experiment.mixed.variant]]
name = "diverged"
change.network.activations = "identity"
change.optimizer.learning_rate = 1e10
change.rounds = 50
[experiment.starts]
title = "Starts"
change.initial.scheme = "pytorch"
seeds = [3, 5]
record_every = 4
sweep.optimizer.learning_rate = [0.1, 1.0]
[appendix.again]
title = "Again"
change.rounds = 12

[experiment.checked]
title = "Checked"
kind = "gradient-check"
change.rounds = 3
change.dtype = "float64"

[[experiment.checked.formula]]
name = "wrong"
derivatives.w1 = "2 * (d_w5 * w5 + d_w6 * w6) / h1 * h1 * (1 - h1) * x1"
"""
FORMATS = ("csv", "json", "parquet", "safetensors")


@pytest.fixture
def built(
    pages_of: Callable[[str], Any],
    base_text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    monkeypatch.chdir(tmp_path)
    return pages_of(base_text + LAB)


def parts(built: Any, name: str) -> list[tuple[str, Any]]:
    """Every result of an experiment with its part, as the build has it."""
    measured = built.measured
    found = [("main", e) for e in measured.experiments if e.plan.name == name]
    found += [
        (a.name, r.results)
        for a, repeated in measured.appendices
        for r in repeated
        if r.results.plan.name == name
    ]
    return [(part, result) for part, experiment in found for result in experiment.results]


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("name", ["mixed", "starts"])
def test_csv_has_every_number_of_every_round(built: Any, name: str) -> None:
    done = run("export", name, built.path)
    assert (done.exit_code, done.stderr) == (0, "")
    rows = iter(rows_of(done.stdout_bytes))
    for part, result in parts(built, name):
        trace = result.run.trace
        for step, loss in enumerate(trace.losses):
            row = next(rows)
            assert (row["part"], row["experiment"], row["variant"]) == (part, name, result.variant)
            assert row["point"] == "; ".join(f"{key}={value}" for key, value in result.point)
            assert row["seed"] == ("" if result.trial.seed is None else str(result.trial.seed))
            assert (row["run"], row["round"]) == (result.run.name, str(step))
            assert float(row["loss"]) == loss
            for prefix, values in (
                ("", trace.weights_at(step)),
                ("gradient_", trace.gradients_at(step)),
            ):
                for position, parameter in enumerate(result.names):
                    cell = row[prefix + parameter]
                    assert cell == "" if values is None else float(cell) == values[position]
            outputs = trace.outputs_at(step)
            cell = row["row1_o2"]
            assert cell == "" if outputs is None else float(cell) == outputs[0, 1]
            known = {p + n for n in result.names for p in ("", "gradient_")}
            others = [k for k in row if k[:1] in "wbg" and k not in known]
            assert all(row[k] == "" for k in others)
    assert next(rows, None) is None


def test_columns_are_in_the_order_in_which_people_read(built: Any) -> None:
    header = list(rows_of(run("export", "mixed", built.path).stdout_bytes)[0])
    assert header[6:10] == ["round", "loss", "w1", "w2"]
    weights = [name for name in header if name[0] == "w"]
    assert weights == [f"w{k}" for k in range(1, 17)]
    assert header.index("w16") < header.index("b1") < header.index("gradient_w1")
    assert header[-2:] == ["row1_o1", "row1_o2"]


def test_json_is_strict_and_whole(built: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    done = run("export", "mixed", built.path, "--format", "json")
    whole = json.loads(done.stdout_bytes, parse_constant=refuse)
    told, rows = whole["runs"], whole["rows"]
    assert len(rows) == len({r.run.config.data.rows.digest for _, r in parts(built, "mixed")})
    wanted = parts(built, "mixed")
    assert len(told) == len(wanted) == 8
    for entry, (part, result) in zip(told, wanted, strict=True):
        trace = result.run.trace
        assert (entry["part"], entry["variant"]) == (part, result.variant)
        assert entry["run"] == result.run.name
        data = entry["configuration"]["data"]
        data |= rows[data.pop("rows")]
        assert entry["configuration"] == result.run.config.model_dump(mode="json")
        assert entry["ending"]["kind"] == trace.ending.kind
        assert entry["losses"] == trace.losses.tolist()
        assert entry["recorded"] == trace.recorded.tolist()
        assert list(entry["weights"]) == list(result.names)
        for position, name in enumerate(result.names):
            assert entry["weights"][name] == trace.weights[:, position].tolist()
            assert entry["gradients"][name] == trace.gradients[:, position].tolist()
        assert entry["outputs"][0]["o1"] == trace.outputs[:, 0, 0].tolist()
    assert {entry["ending"]["kind"] for entry in told} == {"completed", "refused", "diverged"}


def test_safetensors_has_the_bits_of_the_store(built: Any, tmp_path: Path) -> None:
    file = tmp_path / "mixed.safetensors"
    done = run("export", "mixed", built.path, "--to", file)
    assert (done.exit_code, done.stdout) == (0, f"written {file}\n")
    arrays = load(file.read_bytes())
    wanted = parts(built, "mixed")
    rows = {f"rows-{r.run.config.data.rows.digest}": r.run.config.data for _, r in wanted}
    names = {r.run.name for _, r in wanted}
    assert {name.partition(".")[0] for name in arrays} == names | rows.keys()
    for name, data in rows.items():
        assert arrays[f"{name}.inputs"].tolist() == list(map(list, data.inputs))
        assert arrays[f"{name}.targets"].tolist() == list(map(list, data.targets))
    for _, result in wanted:
        for key in ("losses", "weights", "gradients", "outputs", "recorded", "shown"):
            stored, found = getattr(result.run.trace, key), arrays[f"{result.run.name}.{key}"]
            assert (found.dtype, found.shape) == (stored.dtype, stored.shape)
            assert found.tobytes() == np.ascontiguousarray(stored).tobytes()
    length = int.from_bytes(file.read_bytes()[:8], "little")
    metadata = json.loads(file.read_bytes()[8 : 8 + length])["__metadata__"]
    assert [e["run"] for e in json.loads(metadata["runs"])] == [r.run.name for _, r in wanted]


@pytest.mark.parametrize("name", ["mixed", "starts"])
def test_parquet_has_what_csv_has(built: Any, name: str, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    file = tmp_path / "x.parquet"
    assert run("export", name, built.path, "--to", file).exit_code == 0
    rows = parquet.read_table(BytesIO(file.read_bytes())).to_pylist()
    wanted = rows_of(run("export", name, built.path).stdout_bytes)
    assert len(rows) == len(wanted)
    for row, text in zip(rows, wanted, strict=True):
        assert {k: "" if v is None else str(v) for k, v in row.items()} == text


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_runs_give_the_same_bytes(built: Any, name: str, tmp_path: Path) -> None:
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    files = [tmp_path / f"{k}.{name}" for k in range(2)]
    for file in files:
        assert run("export", "mixed", built.path, "--to", file).exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_is_printed_is_what_is_written(built: Any, tmp_path: Path) -> None:
    for name in ("csv", "json"):
        file = tmp_path / f"x.{name}"
        run("export", "starts", built.path, "--to", file)
        printed = run("export", "starts", built.path, "--format", name, "--to", "-")
        mark = BYTE_ORDER_MARK.encode() if name == "csv" else b""
        # It is for programs that open a file, and would be part of the first name in a pipe.
        assert mark + printed.stdout_bytes == file.read_bytes()


@pytest.mark.parametrize("ending", ["xlsx", "xls", "txt", "cvs"])
def test_an_ending_that_no_format_has(built: Any, ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"x.{ending}"
    done = run("export", "mixed", built.path, "--to", file)
    assert done.exit_code == 2
    assert f".{ending}" in done.stderr
    assert ".csv, .json, .parquet, .safetensors" in done.stderr
    assert not file.exists()
    assert run("export", "mixed", built.path, "--to", file, "--format", "csv").exit_code == 0


def test_the_training_by_a_formula_is_exported(built: Any) -> None:
    rows = rows_of(run("export", "checked", built.path).stdout_bytes)
    rows = [row for row in rows if row["part"] == "main"]
    wrong = [row for row in rows if row["variant"] == "wrong"]
    right = [row for row in rows if row["variant"] == "base"]
    assert len(wrong) == len(right) == 4
    assert float(wrong[0]["w1"]) == pytest.approx(float(right[0]["w1"]))
    # Twice the derivative is twice the step, of this weight alone.
    moved = [float(r[1]["w1"]) - float(r[0]["w1"]) for r in (wrong, right)]
    assert moved[0] == pytest.approx(2 * moved[1], rel=1e-4)
    assert float(wrong[1]["w2"]) == pytest.approx(float(right[1]["w2"]))


@pytest.mark.parametrize("name", ["parquet", "safetensors"])
def test_binary_formats_are_not_printed(
    built: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labreport.export.arrays_parquet.require", lambda: None)
    done = run("export", "mixed", built.path, "--format", name)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "name a file with --to" in done.stderr


def test_parquet_without_pyarrow_says_what_to_install(
    built: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = run("export", "mixed", built.path, "--to", tmp_path / "x.parquet")
    assert done.exit_code == 2
    assert "pip install pyarrow" in done.stderr
    assert not (tmp_path / "x.parquet").exists()


def test_an_unknown_format_is_told_with_the_nearest(built: Any) -> None:
    done = run("export", "mixed", built.path, "--format", "jsno")
    assert done.exit_code == 2
    assert "did you mean “json”?" in done.stderr


def test_a_file_that_is_there_is_kept_unless_forced(built: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("mine", encoding="utf-8")
    done = run("export", "mixed", built.path, "--to", file)
    assert done.exit_code == 2
    assert "add --force" in done.stderr
    assert file.read_text(encoding="utf-8") == "mine"
    assert run("export", "mixed", built.path, "--to", file, "--force").exit_code == 0
    assert len(rows_of(file.read_bytes())) > 10
    leftover = [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert leftover == []


@pytest.mark.parametrize("where", ["folder", "store"])
def test_some_places_are_never_written_to(built: Any, where: str, tmp_path: Path) -> None:
    stored = sorted((built.output / "runs").iterdir())
    before = [path.read_bytes() for path in stored]
    file = {"folder": tmp_path, "store": stored[0]}[where]
    done = run("export", "mixed", built.path, "--to", file, "--force", "--format", "csv")
    assert done.exit_code == 2
    assert sorted((built.output / "runs").iterdir()) == stored
    assert [path.read_bytes() for path in stored] == before


def test_runs_that_are_missing_leave_no_file(built: Any, tmp_path: Path) -> None:
    for path in (built.output / "runs").glob(RUNS):
        path.write_bytes(path.read_bytes()[:-1])
    file = tmp_path / "new" / "x.csv"
    done = run("export", "mixed", built.path, "--to", file)
    assert done.exit_code == 1
    assert "this stored file is damaged" in done.stderr
    assert "labreport build" in done.stderr
    assert not file.parent.exists()


def test_a_reader_that_leaves_is_no_traceback(built: Any) -> None:
    code = "import sys; sys.argv[0] = 'labreport'; from labreport.cli.app import app; app()"
    command = [sys.executable, "-c", code, "export", "starts", str(built.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said
    assert "Error" not in said


def test_a_name_that_no_file_can_have_is_told(built: Any) -> None:
    done = run("export", "mixed", built.path, "--to", "x" * 300)
    assert done.exit_code == 1
    assert "cannot write" in done.stderr
    done = run("export", "mixed", built.path, "-o", "x" * 300)
    assert done.exit_code == 2
    assert "cannot read" in done.stderr
