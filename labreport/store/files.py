"""Files that are whole or not there: temporary name, synced, renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from labreport.errors import BuildError, Fault


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one.

    Raises:
        BuildError: if the folder or the file cannot be written; the old file is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # mkstemp makes files that only their owner reads; a report is for others, too.
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        values = {"detail": error.strerror or str(error)}
        raise BuildError(Fault("not-written", values, file=path)) from None
