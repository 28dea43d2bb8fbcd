"""The report as an HTML document, for reading or for printing, from the Jinja2 templates."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from labreport.formats.chinese import set_in_chinese
from labreport.formats.cover import cover
from labreport.formats.glossary_links import Explained
from labreport.formats.math_font import math_font
from labreport.formats.paper.figure_lists import listings
from labreport.formats.paper.folds import folded, folds
from labreport.formats.pictures import Pictures
from labreport.language.catalogue import Language
from labreport.render import printed as tree
from labreport.render.printed import Plot, PrintedReport
from labreport.render.svg_uri import data_uri
from labreport.render.theme import Theme
from labreport.report.illustration.drawings import Course
from labreport.shipped import shipped

_SUPERSCRIPTS = "⁻⁽⁾⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN = str.maketrans(_SUPERSCRIPTS, "−()0123456789")

_WORDS = (
    *("help", "static", "whole", "round", "loss", "weight", "gradient", "play", "pause"),
    *("drawing", "surface", "reading"),
)
"""Keys of what the script says, in the catalogues under page."""


@dataclass(frozen=True)
class Edition:
    """The report in one language, as a part of a page.

    Attributes:
        report: what is rendered.
        name: of the language, in itself.
        prefix: in front of every anchor, so that the same place in two languages has two.
        html: the part.
    """

    report: PrintedReport
    name: str
    prefix: str
    html: Markup


def page(reports: Sequence[tuple[PrintedReport, Language]]) -> str:
    """A document for the screen, with the report in each of these languages, the first in front.

    It has one script, and the policy of the document allows no other.

    Raises:
        InputError: if the theme's cover is at fault.
    """
    pictures = Pictures()
    bare = [
        Edition(
            report, language.text("page.language"), f"{report.language}-" if k else "", Markup()
        )
        for k, (report, language) in enumerate(reports)
    ]
    editions = [
        Edition(e.report, e.name, e.prefix, _edition(e, language, bare, pictures))
        for e, (_, language) in zip(bare, reports, strict=True)
    ]
    sections = (section for edition in editions for section in edition.report.sections)
    formulas = frozenset(formula.mathml for section in sections for formula in section.formulas)
    theme = reports[0][0].theme
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            first=reports[0][0],
            editions=editions,
            printed=False,
            style=_screen_style(formulas, theme),
            script=_script(),
            shared=pictures.shared,
        )
    )


def paper(report: PrintedReport, language: Language) -> str:
    """A document for the PDF: with running heads and page numbers, without what a screen needs.

    Raises:
        InputError: if the theme's cover is at fault.
    """
    before, between, after = re.split(
        r"PAGES?", language.text("report.page", page="PAGE", pages="PAGES")
    )
    bare = Edition(report, "", "", Markup())
    html = _edition(bare, language, [], None)
    if language.code == "zh":
        html = Markup(set_in_chinese(html))
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            first=report,
            editions=[Edition(report, "", "", html)],
            printed=True,
            page_number=(before, between, after),
            style=Markup("\n".join([_style("style", "print"), _own(report.theme, "print")])),
        )
    )


def _edition(
    edition: Edition, language: Language, editions: Sequence[Edition], pictures: Pictures | None
) -> Markup:
    """One report; for a page with its pictures put in, for paper without any."""

    def at(anchor: str) -> str:
        return edition.prefix + anchor

    template = _environment().get_template("edition.html.j2")
    return Markup(
        template.render(
            report=edition.report,
            cover=cover(edition.report, language, printed=pictures is None),
            text=language.text,
            printed=pictures is None,
            at=at,
            explained=Explained(language, at("glossary")),
            editions=editions,
            pictures=pictures,
            listings=listings(edition.report, language) if pictures is None else (),
            words={
                "between": language.text("list.clause"),
                **{key: language.template(f"page.{key}") for key in _WORDS},
            },
        )
    )


@cache
def _environment() -> Environment:
    """The templates that ship."""
    environment = Environment(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["typeset"] = typeset
    environment.filters["data_uri"] = data_uri
    environment.filters["digest"] = digest
    environment.filters["json"] = embedded
    environment.filters["folds"] = folds
    environment.filters["folded"] = folded
    environment.tests["of_kind"] = lambda block, kind: type(block) is getattr(tree, kind)
    environment.policies["ext.i18n.trimmed"] = True
    return environment


def typeset(text: str) -> Markup:
    """Text with its superscript digits as <sup>: few fonts have all of the characters."""
    safe = str(escape(text))
    return Markup(
        re.sub(f"[{_SUPERSCRIPTS}]+", lambda m: f"<sup>{m[0].translate(_PLAIN)}</sup>", safe)
    )


def digest(text: str) -> str:
    """Compute the name of an inline style sheet or script in a Content-Security-Policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def embedded(value: Plot | Course | dict[str, Any]) -> Markup:
    """A value as JSON inside an element of the page, which no text in it can close."""
    plain = value if isinstance(value, dict) else asdict(value)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _own(theme: Theme, medium: str) -> str:
    """Return the additions of a theme to the style sheets."""
    accent = f":root {{ --accent: {theme.accent}; }}" if theme.accent else ""
    names = ("style.css", f"{medium}.css")
    sheets = (sheet.text for name in names for sheet in theme.sheets.get(name, ()))
    return "\n".join(filter(None, (accent, *sheets)))


@cache
def _style(*names: str) -> Markup:
    sheets = (shipped("templates") / f"{name}.css" for name in names)
    return Markup("\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets))


def _screen_style(formulas: frozenset[str], theme: Theme) -> Markup:
    sheets = [_style("style", "screen", "vendor/uPlot.min"), _own(theme, "screen")]
    if formulas:
        face = f'@font-face {{ font-family: "Formulas"; src: url({math_font(formulas)}); }}'
        sheets.insert(0, face)
    return Markup("\n".join(filter(None, sheets)))


@cache
def _script() -> Markup:
    """The one script of a page: the library for curves, and then the page's own."""
    files = (shipped("templates") / name for name in ("vendor/uPlot.min.js", "page.js"))
    return Markup("\n".join(file.read_text(encoding="utf-8") for file in files))
