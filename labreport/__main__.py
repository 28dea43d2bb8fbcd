"""The program: `labreport`, or `python -m labreport`."""

from __future__ import annotations

import errno
import gc
import io
import os
import sys

# Nothing that takes time to import stands here: an interruption would find nobody to say so.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

STARTING = 50_000
"""Objects from which on garbage is looked for. Importing makes many that stay, and the looking, at
every 700th as Python is set, takes a tenth of the time of a short command."""


def main() -> None:
    """Run the command line; an interruption ends it in one line, however early it comes."""
    try:
        _run()
    except KeyboardInterrupt:
        import signal

        # Another one shall not interrupt the saying of it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        from labreport.cli.startup_texts import startup_text

        sys.stderr.write(startup_text("cli.interrupted") + "\n")
        raise SystemExit(130) from None


def _run() -> None:
    gc.set_threshold(STARTING)
    # Figures need no window: a setting for programs that have some must not stop this one.
    os.environ["MPLBACKEND"] = "agg"
    _open_streams()
    _buffer_output()
    # A terminal or a file that lacks a character gets its number, and all of the rest.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    from labreport.cli.app import app

    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        # Of a file the commands tell themselves; this is mostly what is printed to.
        _fail("stdout" if _is_of_output(error) else "", error.strerror or str(error))


def _buffer_output() -> None:
    """Put a buffer before an output that has none, as with PYTHONUNBUFFERED.

    What such an output writes in part only, on a full disk, it would leave without a word.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and isinstance(sys.stdout.buffer, io.RawIOBase):
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        raw = sys.stdout.detach()
        assert isinstance(raw, io.RawIOBase)
        buffered = io.BufferedWriter(raw)
        sys.stdout = io.TextIOWrapper(buffered, encoding, errors, line_buffering=True)


def _is_of_output(error: OSError) -> bool:
    """Return whether an error comes from printing: by a command, or as the program ends."""
    from traceback import walk_tb

    frames = (frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__))
    own = [str(name) for name in frames if str(name).startswith(("__main__", "labreport"))]
    return own[-1].startswith(("__main__", "labreport.__main__", "labreport.cli"))


def _open_streams() -> None:
    """Give a place to the streams that whoever started the program has closed.

    Else the first file that is opened would be what the program prints to.
    """
    closed = []
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDWR)
            closed.append(number)
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115
    if 1 in closed:
        sys.stdout = open(1, "w")  # noqa: SIM115
        _fail("stdout", os.strerror(errno.EBADF))


def _fail(file: str, detail: str) -> NoReturn:
    """End with what the system says of a file, printing no more."""
    sys.stderr.write(": ".join(filter(None, ("labreport", file, detail))) + "\n")
    # What is still to be printed cannot be: Python shall not try it again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(1) from None


if __name__ == "__main__":
    main()
