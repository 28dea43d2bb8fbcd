"""report.pdf: the printed report, by WeasyPrint."""

from __future__ import annotations

import gc
import logging
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote

from labreport.errors import BuildError, Fault
from labreport.formats.page import paper
from labreport.formats.paper.settle import settled
from labreport.formats.pdf_structure import attach, mend
from labreport.formats.table import AttachedFile
from labreport.language.catalogue import Language
from labreport.render.figures.style import code_font_path, font_path
from labreport.render.printed import PrintedReport
from labreport.render.theme import MEDIA
from labreport.runs.files import writing

FONT_URL = "labreport:font"
"""The name that the style sheet has for the font that ships with the tool."""

CODE_FONT_URL = "labreport:code-font"
"""The name that it has for the monospaced font for the formulas of the evidence."""

THEME_URL = "theme:"
"""The prefix of the address of a theme's file, in its style sheet for print."""

FIXED_TIME = "1704067200"
"""2024-01-01: the time that fonts and documents are stamped with, so that bytes do not change."""


OPTIONS = {"pdf_variant": "pdf/ua-1", "uncompressed_pdf": False}
"""How WeasyPrint lays a document out and writes it."""


def render(
    report: PrintedReport, language: Language, attached: Sequence[AttachedFile] = ()
) -> bytes:
    """The PDF.

    Args:
        report: what is printed.
        language: of the report.
        attached: files that the PDF carries.

    Raises:
        BuildError: if Pango is missing, if WeasyPrint reports an error, or if a character has
            no glyph (unless the lab says not to check).
    """
    latex = {formula.latex for section in report.sections for formula in section.formulas}

    def finish(_: Any, pdf: Any) -> None:
        mend(pdf, latex)
        attach(pdf, attached, language)

    with _fixed_time(), _collected_log() as messages, _no_garbage_collection(), _temporary():
        document = laid_out(report, language)
        content = document.write_pdf(finisher=finish, **OPTIONS)
    _check(messages, report.check_fonts)
    return bytes(content)


def laid_out(report: PrintedReport, language: Language) -> Any:
    """The document that WeasyPrint makes of a report, its pages filled."""
    html = paper(report, language)
    fetcher = _fetcher(report.theme.files)
    source = _weasyprint().HTML(string=html, url_fetcher=fetcher, base_url=None)
    # Pictures are read once for all layouts.
    read: dict[str, Any] = {}
    return settled(source.etree_element, lambda: source.render(cache=read, **OPTIONS))


def glyphless(html: str) -> list[str]:
    """Characters of a page for which no font has a glyph. Raises BuildError without Pango."""
    with _collected_log() as messages, _temporary():
        weasyprint = _weasyprint()
        weasyprint.HTML(string=html, url_fetcher=_fetcher(), base_url=None).write_pdf()
    return [c for message in messages for c in _code_points(message.getMessage())]


def _weasyprint() -> Any:
    try:
        import weasyprint
    except OSError as error:
        detail = str(error).splitlines()[0]
        raise BuildError(Fault("pango-missing", {"detail": detail})) from None
    return weasyprint


def complaints(report: PrintedReport, language: Language) -> list[str]:
    """Return WeasyPrint's messages on a report, and its failure; missing glyphs apart.

    Raises:
        BuildError: if Pango is missing.
    """
    return complaints_of(paper(report, language), report.theme.files)


def complaints_of(html: str, files: Mapping[str, bytes] | None = None) -> list[str]:
    """Return WeasyPrint's messages on a document, and its failure; missing glyphs apart.

    Args:
        html: the document.
        files: of a theme, by their names.

    Raises:
        BuildError: if Pango is missing.
    """
    with _fixed_time(), _collected_log() as messages, _temporary():
        weasyprint, failure = _weasyprint(), ""
        fetcher = _fetcher(files)
        try:
            document = weasyprint.HTML(string=html, url_fetcher=fetcher, base_url=None)
            document.write_pdf(pdf_variant="pdf/ua-1")
        except OSError:
            raise
        except Exception as error:
            # There are style sheets that WeasyPrint stumbles over instead of complaining of them.
            failure = f"{type(error).__name__}: {error}"
    said = [message.getMessage() for message in messages]
    said += [failure] if failure else []
    return [text for text in dict.fromkeys(said) if ".notdef" not in text]


def _fetcher(files: Mapping[str, bytes] | None = None) -> Any:
    """Serves data: URIs, the shipped fonts and a theme's files, and nothing else."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    own = files or {}

    fonts = {FONT_URL: font_path, CODE_FONT_URL: code_font_path}

    class Closed(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in fonts:
                return URLFetcherResponse(
                    url, body=fonts[url]().read_bytes(), headers={"Content-Type": "font/ttf"}
                )
            name = unquote(url.removeprefix(THEME_URL))
            if url.startswith(THEME_URL) and name in own:
                kind = MEDIA[PurePath(name).suffix.lower()]
                return URLFetcherResponse(url, body=own[name], headers={"Content-Type": kind})
            if url.startswith("data:"):
                return super().fetch(url, headers)
            raise ValueError(f"a report fetches nothing: {url[:80]}")

    return Closed()


def _check(messages: list[logging.LogRecord], check_fonts: bool) -> None:
    """A renderer that complains has left something out, even though it wrote a file."""
    glyphs: list[str] = []
    others: list[str] = []
    for message in messages:
        text = message.getMessage()
        (glyphs if ".notdef" in text else others).append(text)
    if others:
        raise BuildError(Fault("renderer", {"detail": "; ".join(dict.fromkeys(others))[:500]}))
    if glyphs and check_fonts:
        characters = " ".join(dict.fromkeys(c for text in glyphs for c in _characters(text)))
        raise BuildError(Fault("missing-glyphs", {"characters": characters}))


def _characters(message: str) -> list[str]:
    """The characters that a warning about missing glyphs names, or the whole warning."""
    return [f"{c} (U+{ord(c):04X})" for c in _code_points(message)] or [message]


def _code_points(message: str) -> list[str]:
    codes = re.findall(r"U\+([0-9A-Fa-f]{4,6})", message) if ".notdef" in message else []
    return [chr(int(code, 16)) for code in codes]


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _collected_log() -> Iterator[list[logging.LogRecord]]:
    logger = logging.getLogger("weasyprint")
    collector, propagate = _Collector(), logger.propagate
    logger.addHandler(collector)
    logger.propagate = False
    try:
        yield collector.records
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagate


@contextmanager
def _fixed_time() -> Iterator[None]:
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ.setdefault("SOURCE_DATE_EPOCH", FIXED_TIME)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]


def _temporary() -> AbstractContextManager[None]:
    """Tell what the system says of the temporary files into which WeasyPrint puts fonts."""
    return writing(Path(tempfile.gettempdir()))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Layout makes millions of objects and no garbage: a quarter of the time goes to looking."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
