"""The cover of a report, from its template, which a theme may replace.

A theme is its author's own, as in any generator of pages. Its template is given plain values alone
and runs in Jinja's sandbox: it reaches no file, no module and no object of this program.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    Environment,
    FunctionLoader,
    StrictUndefined,
    TemplateRuntimeError,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from markupsafe import Markup

from labreport.errors import Fault, InputError
from labreport.formats.cover_values import cover_values, refuse_objects
from labreport.lab.reading.faults import nearest
from labreport.language.catalogue import Language
from labreport.render.printed import PrintedReport
from labreport.render.theme import COVER
from labreport.shipped import shipped

_HEADING = re.compile(r"<h1[\s>]", re.IGNORECASE)
"""The outline of the PDF begins with the heading of the cover."""


class UnknownNameError(TemplateRuntimeError):
    """A template asks for a name that it is not given.

    Attributes:
        found: the name.
        known: names that there are; none where these are the values of the template.
    """

    def __init__(self, found: str, known: tuple[str, ...]) -> None:
        super().__init__(found)
        self.found, self.known = found, known


class _Unknown(StrictUndefined):
    """An undefined value whose use raises an error with the names that there are."""

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        def unknown(_: str | None) -> UnknownNameError:
            return UnknownNameError(str(name)[:80], tuple(obj) if isinstance(obj, dict) else ())

        of_values = hint is None and (obj is missing or isinstance(obj, dict))
        super().__init__(hint, obj, name, unknown if of_values else exc)  # type: ignore[arg-type]


def cover(report: PrintedReport, language: Language, printed: bool) -> Markup:
    """The cover as it stands on the page, or on paper.

    Raises:
        InputError: with the fault of the template.
    """
    theme = report.theme
    file = theme.cover_file if theme.cover else shipped("templates") / COVER
    source = theme.cover or file.read_text(encoding="utf-8")
    values = cover_values(report, language, printed)
    refuse_objects(values)
    try:
        html = _environment(source, str(file)).get_template(COVER).render(values)
    except Exception as error:
        # Whatever is raised in a template of somebody's is a fault of the template.
        raise InputError(_fault(source, file, error, tuple(values))) from None
    if (headings := len(_HEADING.findall(html))) != 1:
        raise InputError(Fault("theme-heading", {"found": headings}, file=file))
    return Markup(html)


@cache
def _environment(source: str, file: str) -> Environment:
    own = {COVER: (source, file, lambda: True)}
    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(own.get),
        autoescape=True,
        undefined=_Unknown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals = {"range": environment.globals["range"]}
    return environment


def _fault(source: str, file: Path, error: Exception, given: tuple[str, ...]) -> Fault:
    """A fault of the template, at its line.

    Args:
        source: the text of the template.
        file: its place.
        error: what was raised.
        given: names of the values that it has.
    """
    line = 0
    if isinstance(error, TemplateSyntaxError):
        line = error.lineno
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == str(file):
                line = frame.lineno or 0
    lines = source.split("\n")
    excerpt = lines[line - 1][:200] if 0 < line <= len(lines) else ""
    if isinstance(error, UnknownNameError):
        allowed = error.known or given
        near = nearest(error.found, allowed)
        values: Mapping[str, object] = {"found": error.found}
        return Fault("theme-undefined", values, file, line, 0, "", excerpt, allowed, near)
    detail = str(error) or type(error).__name__
    return Fault("theme-template", {"detail": detail[:300]}, file, line, 0, "", excerpt)
