"""No number of a report is the doing of one kind of processor."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from whole import ends

from labreport.formats.text import render
from labreport.language.catalogue import language
from labreport.shipped import shipped

KINDS = ("default", "avx2", "avx512")
"""Kernels that torch has for different processors, by ``ATEN_CPU_CAPABILITY``."""

HERE = torch.backends.cpu.get_cpu_capability().lower()


def built_with(kind: str, folder: Path) -> list[str]:
    """The lines of the English report that is built with the kernels of a kind."""
    chosen = ["--lang", "en", "--format", "text", "--output", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "labreport", "build", str(shipped("experiments.toml")), *chosen],
        env={**os.environ, "ATEN_CPU_CAPABILITY": kind},
        check=True,
        capture_output=True,
    )
    return lines((folder / "report.txt").read_text(encoding="utf-8"))


def lines(text: str) -> list[str]:
    """What does not depend on who builds the report, and where."""
    # Names of runs and digests are those of bits, as the evidence is, which is that of one machine.
    own = r"\b[0-9a-f]{64}\b| --(?:lang|format|output) \S+"
    return re.sub(own, "", text.split("\n[1] ")[0]).splitlines()


@pytest.mark.skipif(HERE not in KINDS[1:], reason="the processor has one kind of kernels")
def test_no_printed_number_depends_on_the_kind_of_processor(
    shipped_build: Any, tmp_path: Path
) -> None:
    *others, here = ends(KINDS[: KINDS.index(HERE) + 1])
    assert here == HERE
    told = lines(render(shipped_build.reports["en"], language("en")).decode())
    assert len(told) > 300
    for kind in others:
        other = built_with(kind, tmp_path / kind)
        assert [pair for pair in zip(told, other, strict=True) if pair[0] != pair[1]] == []
