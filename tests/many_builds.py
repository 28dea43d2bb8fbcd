"""A program that builds in forked processes, several at once, and kills some of them.

It reads an order a line from stdin and answers with a line: for each build, what it said, or null
if it was killed. What takes long (importing torch) is done once, before the forks, so that kills
fall into building. The disk is slow: a file is written in pieces, between which a kill may fall.
PDFs are a few bytes that depend on the report, a formula is drawn by the first build that shows it,
and processes are started for however little there is to train.

An order, as JSON: ``builds`` (each with ``lab``, ``output``, ``jobs``), ``kill`` (how many of them,
the first ones) and ``after`` (seconds).
"""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        for line in sys.stdin:
            order = json.loads(line)
            print(json.dumps(carry_out(order)), flush=True)


def prepare(folder: Path) -> None:
    import labreport.training.trainer  # noqa: F401
    from labreport.formats import html, pdf
    from labreport.render import draw, figures, printing, typeset_formulas  # noqa: F401
    from labreport.report import compose  # noqa: F401
    from labreport.training import execution

    execution.WORTH_SECONDS = 0.0
    typeset_formulas.drawn = drawn_once(typeset_formulas.drawn, folder)
    pdf.render = lambda report, words, _: f"%PDF {hash_of(html.render([(report, words)]))}".encode()
    os.fdopen = lambda handle, mode: SlowFile(io.FileIO(handle, mode))  # type: ignore[assignment]


def drawn_once(draw: Callable[[str], Any], folder: Path) -> Callable[[str], Any]:
    """The same, with what it returns kept in files, which builds have in common."""

    def drawn(mathml: str) -> Any:
        kept = folder / hash_of(mathml)
        if not kept.is_file():
            made = folder / f"{kept.name}.{os.getpid()}"
            made.write_bytes(pickle.dumps(draw(mathml)))
            made.replace(kept)
        return pickle.loads(kept.read_bytes())

    return drawn


class SlowFile(io.BufferedWriter):
    """Writes in 64 pieces, which take some milliseconds."""

    def write(self, content: Any) -> int:
        pieces = range(0, len(content), len(content) // 64 + 1)
        for start in pieces:
            super().write(content[start : start + pieces.step])
            self.flush()
            time.sleep(0.0001)
        return len(content)


def hash_of(content: bytes | str) -> str:
    import hashlib

    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()


def carry_out(order: dict[str, Any]) -> list[Any]:
    began, begin = os.pipe()
    processes = [start(build, began, begin) for build in order["builds"]]
    os.close(began)
    os.close(begin)  # All of them go at once.
    time.sleep(order.get("after", 0))
    for process, _ in processes[: order.get("kill", 0)]:
        os.kill(process, signal.SIGKILL)
    answers = []
    for process, answer in processes:
        _, status = os.waitpid(process, 0)
        # An answer fits into a pipe, so it is there; processes that outlive a build that was killed
        # may hold the other end for ever.
        answers.append(None if os.WIFSIGNALED(status) else json.loads(os.read(answer, 65536)))
        os.close(answer)
    return answers


def start(build: dict[str, Any], began: int, begin: int) -> tuple[int, int]:
    """A forked process that waits for the pipe to be closed, and where its answer comes from."""
    answer, say = os.pipe()
    process = os.fork()
    if process:
        os.close(say)
        return process, answer
    os.setpgid(0, 0)
    os.close(begin)
    os.read(began, 1)
    said = json.dumps(built(build))
    os.write(say, said.encode())
    os._exit(0)


def built(build: dict[str, Any]) -> dict[str, Any]:
    from labreport.build.pipeline import build as run
    from labreport.build.request import Request
    from labreport.errors import LabreportError
    from labreport.training.execution import Resources

    waited: list[str] = []

    trained: list[float] = []

    def progress(what: str, done: int, total: int) -> None:
        if what == "waiting":
            waited.append(what)
        if what == "training":
            trained.append(time.monotonic() - started)

    machine = Resources(jobs=build.get("jobs", 1))
    request = Request(Path(build["lab"]), (), ("en",), Path(build["output"]), machine)
    started = time.monotonic()
    try:
        summary = run(request, progress)
    except LabreportError as error:
        return {"error": str(error)}
    return {
        "trained": summary.trained,
        "stored": summary.stored,
        "damaged": [str(path) for path in summary.damaged],
        "waited": len(waited),
        "seconds of training": trained[-1] if trained else 0,
        "seconds": time.monotonic() - started,
    }


if __name__ == "__main__":
    main()
