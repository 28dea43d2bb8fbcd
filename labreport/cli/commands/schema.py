"""`labreport schema`: the lab file, or the report, as JSON Schema."""

from __future__ import annotations

from typing import Annotated

import typer

from labreport.cli.help import option

ReportOption = Annotated[bool, option("--report", text="schema-report")]


def schema(report: ReportOption = False) -> None:
    """Print the schema of the lab file, or of what `labreport build --format json` writes."""
    if report:
        from labreport.report.json_form import document
    else:
        from labreport.lab.json_schema import document

    typer.echo(document(), nl=False)
