"""`labreport schema`: the lab file as JSON Schema, for editors."""

from __future__ import annotations

import typer


def schema() -> None:
    """Print the schema."""
    from labreport.lab.json_schema import document

    typer.echo(document(), nl=False)
