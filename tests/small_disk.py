"""A program for a mount namespace of its own: builds on a disk that is full or read-only.

    unshare --map-root-user --mount python small_disk.py FOLDER

FOLDER has small.toml and large.toml; on FOLDER/output a file system of some megabytes is mounted.
It prints, as JSON, for each step: the exit code, what was said, and every file with its digest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

SIZE = 4 * 2**20
"""Enough for the report of the small lab twice; not for the runs of the large one."""


def main(folder: Path) -> None:
    output = folder / "output"
    output.mkdir()
    mount("-t", "tmpfs", "-o", f"size={SIZE}", "labreport", str(output))
    steps = {"small": build(folder, "small"), "full while training": build(folder, "large")}
    mount("-o", f"remount,size={10 * SIZE}", str(output))
    # Room for all runs but not for a report: as much is left as a few pages.
    steps["trained"] = build(folder, "large")
    filling = output / "filling"
    with filling.open("wb", buffering=0) as file:
        free = os.statvfs(output)
        file.write(bytes(free.f_bavail * free.f_frsize - 100_000))
    (folder / "small.toml").write_text(
        (folder / "small.toml").read_text(encoding="utf-8").replace("Small", "Small, anew"),
        encoding="utf-8",
    )
    steps["full while writing"] = build(folder, "small")
    mount("-o", "remount,ro", str(output))
    steps["read-only"] = build(folder, "small")
    (folder / "more.toml").write_text(
        (folder / "small.toml").read_text(encoding="utf-8").replace("rounds = 10", "rounds = 11"),
        encoding="utf-8",
    )
    steps["read-only, something to train"] = build(folder, "more")
    mount("-o", "remount,rw", str(output))
    filling.unlink()
    steps["room again"] = build(folder, "small")
    print(json.dumps(steps))


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


UNWARNED = """
import labreport.training.execution
from labreport.cli.app import app

labreport.training.execution.free_space = lambda output: 2**50
app()
"""
"""The command without its estimate, which would refuse beforehand what is to fail here."""


def build(folder: Path, lab: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", UNWARNED, "build", f"{lab}.toml", "--lang", "en"],
        cwd=folder,
        env={**os.environ, "LC_ALL": "en_US.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    output = folder / "output"
    files = (path for path in sorted(output.rglob("*")) if path.is_file())
    return {
        "code": done.returncode,
        "said": done.stderr,
        "files": {
            str(path.relative_to(output)): sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.name not in (".lock", "filling")
        },
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
