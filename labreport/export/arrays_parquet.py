"""The arrays of runs as one long table in Parquet, which needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from labreport.errors import Fault, InputError
from labreport.export.arrays import ABOUT, SERIES, Parts, about, columns, filled, members


def require() -> None:
    """Raises InputError if pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise InputError(Fault("no-pyarrow")) from None


def render(parts: Parts) -> Iterator[bytes]:
    """The table; numbers are float64, and what was not recorded in a round is null.

    Raises:
        InputError: if pyarrow is not installed.
    """
    require()
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    names = columns(parts)
    schema = pa.schema(
        [(name, pa.int64() if name == "seed" else pa.string()) for name in ABOUT]
        + [("round", pa.int64())]
        + [(name, pa.float64()) for name in ("loss", *names)]
    )
    assert schema.names == [*ABOUT, *SERIES, *names]
    tables = []
    for part, experiment, result in members(parts):
        rounds = len(result.losses)
        first = [[value] * rounds for value in about(part, experiment, result)]
        found = [*first, list(range(rounds)), *filled(result, ("loss", *names))]
        tables.append(pa.table(found, schema=schema))
    buffer = BytesIO()
    with ParquetWriter(buffer, schema, compression="zstd") as writer:
        writer.write_table(pa.concat_tables(tables))
    yield buffer.getvalue()
