"""The program: `labreport`, or `python -m labreport`."""

from __future__ import annotations

import gc
import io
import os
import sys

STARTING = 50_000
"""Objects from which on garbage is looked for. Importing makes many that stay, and the looking, at
every 700th as Python is set, takes a tenth of the time of a short command."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(STARTING)
    # A terminal or a file that lacks a character gets its number, and all of the rest.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from labreport.cli import app
    except KeyboardInterrupt:
        # So early nothing has begun, and nobody is there to say so.
        raise SystemExit(130) from None
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OSError as error:
        # Of a file the commands tell themselves; this is what is printed to.
        sys.stderr.write(f"labreport: stdout: {error.strerror or error}\n")
        # What is still to be printed cannot be: Python shall not try it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
