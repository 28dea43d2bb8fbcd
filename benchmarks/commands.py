"""How long the commands take that have next to nothing to do, against `import typer`.

    python benchmarks/commands.py [ROUNDS]

Each round runs every command once, each right after a process that imports typer and ends; a ratio
is that of the two. What else the machine does falls on both. The unchanged build is of the lab that
ships, whole, in both languages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

PROGRAM = "import sys; sys.argv[0] = 'labreport'; from labreport.__main__ import main; main()"
TYPER = "import typer"
LEAST = """
import typer
from pathlib import Path
app = typer.Typer()
@app.command()
def least(lab: Path | None = None, output: Path = Path("output"), json: bool = False): pass
app([])
"""
"""A command that takes what `labreport list` takes and does nothing."""

COMMANDS = {
    "labreport build, unchanged": (PROGRAM, ("build",), "under 3"),
    "labreport --help": (PROGRAM, ("--help",), "under 1.3"),
    "labreport list": (PROGRAM, ("list",), "under 2"),
    "typer, three parameters, nothing to do": (LEAST, (), ""),
}
"""The program, its arguments, and the ratio that is aimed at."""


def main(rounds: int) -> None:
    """Print a table: seconds of each command and of typer beside it, and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        # Twice, so that the build is unchanged and everything is compiled and in memory.
        for program, arguments, _ in (*COMMANDS.values(), *COMMANDS.values()):
            seconds(program, arguments, Path(folder))
        pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            for name, (program, arguments, _) in COMMANDS.items():
                typer = seconds(TYPER, (), Path(folder))
                pairs[name].append((seconds(program, arguments, Path(folder)), typer))
    print("| command | s | times `import typer` | half of the pairs within | aim |")
    print("|---|---|---|---|---|")
    for name, measured in pairs.items():
        ratios = [command / typer for command, typer in measured]
        low, _, high = quantiles(ratios, n=4)
        middle = median(command for command, _ in measured)
        aim = COMMANDS[name][2]
        print(
            f"| `{name}` | {middle:.3f} | {median(ratios):.2f} | {low:.2f} to {high:.2f} | {aim} |"
        )
    typers = [typer for measured in pairs.values() for _, typer in measured]
    print(f"\n`import typer`: {median(typers):.3f} s, {len(typers)} times.")


def seconds(program: str, arguments: Sequence[str], folder: Path) -> float:
    """From the start of a process to its end; modules are compiled once, as they are for users."""
    compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begun = perf_counter()
    subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=compiled,
        check=True,
        capture_output=True,
    )
    return perf_counter() - begun


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
