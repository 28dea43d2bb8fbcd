"""The report as an HTML document, for reading or for printing, from the Jinja2 templates."""

from __future__ import annotations

import base64
import re
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from labreport.report.language import Language
from labreport.report.tree import Report
from labreport.shipped import shipped

_SUPERSCRIPTS = "⁻⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN = str.maketrans(_SUPERSCRIPTS, "−()0123456789")


def page(report: Report, language: Language, *, printed: bool) -> str:
    """The HTML document.

    Args:
        report: what to render.
        language: its language, for the few words of the page itself.
        printed: for the PDF: with running heads and page numbers, without what a screen needs.
    """
    template = _environment().get_template("report.html.j2")
    before, between, after = re.split(
        r"PAGES?", language.text("report.page", page="PAGE", pages="PAGES")
    )
    return template.render(
        report=report,
        text=language.text,
        printed=printed,
        page_number=(before, between, after),
        style=_style("print" if printed else "screen"),
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["typeset"] = typeset
    environment.filters["data_uri"] = data_uri
    environment.tests["of_kind"] = lambda block, kind: type(block).__name__ == kind
    environment.policies["ext.i18n.trimmed"] = True
    return environment


def typeset(text: str) -> Markup:
    """Text with its superscript digits as <sup>: few fonts have all of the characters."""
    safe = str(escape(text))
    return Markup(
        re.sub(f"[{_SUPERSCRIPTS}]+", lambda m: f"<sup>{m[0].translate(_PLAIN)}</sup>", safe)
    )


def data_uri(svg: bytes) -> str:
    """An SVG as a data: URI: nothing is fetched, and ids of two figures never meet."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


@cache
def _style(medium: str) -> Markup:
    sheets = (shipped("templates") / f"{name}.css" for name in ("style", medium))
    return Markup("\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets))
