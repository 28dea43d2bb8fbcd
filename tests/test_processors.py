"""No number of a report is the doing of one kind of processor."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from whole import ends

from labreport.shipped import shipped

KINDS = ("default", "avx2", "avx512")
"""Kernels that torch has for different processors, by ``ATEN_CPU_CAPABILITY``."""

HERE = torch.backends.cpu.get_cpu_capability().lower()


def told(folder: Path, kind: str) -> list[str]:
    """The lines of the English report that is built with the kernels of a kind."""
    chosen = ["--lang", "en", "--format", "text", "--output", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "labreport", "build", str(shipped("experiments.toml")), *chosen],
        env={**os.environ, "ATEN_CPU_CAPABILITY": kind},
        check=True,
        capture_output=True,
    )
    text = (folder / "report.txt").read_text(encoding="utf-8")
    # Names of runs and digests are those of bits, as the evidence is, which is that of one machine.
    return re.sub(r"\b[0-9a-f]{64}\b|--output \S+", "", text.split("\n[1] ")[0]).splitlines()


@pytest.mark.skipif(HERE not in KINDS[1:], reason="the processor has one kind of kernels")
def test_no_printed_number_depends_on_the_kind_of_processor(tmp_path: Path) -> None:
    kinds = ends(KINDS[: KINDS.index(HERE) + 1])
    oldest, *others = (told(tmp_path / kind, kind) for kind in kinds)
    assert len(oldest) > 300
    for other in others:
        assert [pair for pair in zip(oldest, other, strict=True) if pair[0] != pair[1]] == []
