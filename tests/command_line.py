"""Running commands as a user does, in a locale and at a width."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from labreport.cli.app import app

LOCALES = {"zh": "zh_CN.UTF-8", "en": "en_US.UTF-8"}


def run(*arguments: str | Path, code: str = "en", width: int = 100) -> Result:
    """A command with the terminal in a language and so many columns wide."""
    environment = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": LOCALES[code], "COLUMNS": str(width)}
    return CliRunner().invoke(app, list(map(str, arguments)), env=environment)
