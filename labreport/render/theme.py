"""The look of a report: a design that ships, and over it the folder ``theme`` beside the lab.

Both have the same files, which are all read at once and checked, so that a fault in one is told
before anything is trained. A theme says nothing about what was computed: of the texts it may change
titles and labels, and no sentence of an observation.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from labreport.errors import Fault, InputError
from labreport.lab.lab import ThemeTable
from labreport.lab.reading.faults import nearest
from labreport.render.drawing_check import oddities
from labreport.runs.files import NotRegularError, read_regular, refuse_irregular

if TYPE_CHECKING:
    from babel.messages.catalog import Message

    from labreport.language.catalogue import Language

COVER = "cover.html.j2"
SHEETS = ("style.css", "screen.css", "print.css")
CATALOGUES = {"languages/zh.po": "zh", "languages/en.po": "en"}
FILES = (COVER, *SHEETS, *CATALOGUES)
"""Files that a theme may have, by their names in its folder."""

MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
}
"""Kinds of other files, which the cover and the style sheet for print may use."""

LOGO = ("logo.svg", "logo.png", "logo.jpg")
"""The picture of the cover, whichever is there."""

LARGEST_TEXT = 1_000_000
LARGEST = 40_000_000
"""Bytes of a file; a whole Chinese font has 10 to 20 million."""

LARGEST_PICTURE = 400_000
"""Bytes of a picture, which is in every page, too."""

TITLES = tuple(
    f"report.{name}"
    for name in (
        *("default-title", "contents", "key-findings", "list-of-figures", "list-of-tables"),
        *("purpose", "principle", "set-up", "experiments", "comparison", "conclusions"),
        *("content", "equipment", "steps", "procedure", "part-before", "part-after"),
        "reflection",
    )
)
"""Keys of the titles that a theme may change; of tables, figures and sentences it changes none."""

LONGEST_TEXT = 100
"""Characters of such a text: a title, and no paragraph."""

_UNENDED = re.compile(r'\s*(?!#)[^"]*"(?!(?:[^"\\]|\\.)*"\s*$)')
"""A line of a .po file with a quotation mark and not one more at its end."""

_MAGIC = {".png": b"\x89PNG\r\n\x1a\n", ".jpg": b"\xff\xd8\xff", ".jpeg": b"\xff\xd8\xff"}


def is_own(key: str) -> bool:
    """Return whether a theme may change the text with this key: a title, or one of the cover."""
    return key.startswith("cover.") or key in TITLES


@dataclass(frozen=True)
class Sheet:
    """A style sheet, and the file that it is.

    Attributes:
        file: its place.
        text: what it says.
    """

    file: Path
    text: str


@dataclass(frozen=True)
class Theme:
    """The changes that a theme makes.

    Attributes:
        cover: a template in place of the cover that ships; "" for none.
        cover_file: where that is.
        sheets: style sheets to follow those that ship, by name, in their order.
        texts: by language, texts in place of others, by key.
        files: pictures and fonts, by name.
        accent: colour of headings and links; "" for that of the design.
        own: names of the files that are not of a design that ships.
        digest: of these, what ``sha256sum NAMES | sha256sum`` prints; "" for none.
    """

    cover: str = ""
    cover_file: Path = Path(COVER)
    sheets: Mapping[str, tuple[Sheet, ...]] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    accent: str = ""
    own: tuple[str, ...] = ()
    digest: str = ""

    @property
    def logo(self) -> str:
        """Name of the picture for the cover; "" if there is none."""
        return next((name for name in LOGO if name in self.files), "")


PLAIN = Theme()


def read_theme(table: ThemeTable, designs: Path, own: Path) -> Theme:
    """The theme that a lab asks for.

    Args:
        table: what the lab says.
        designs: the folder of the designs that ship.
        own: the folder beside the lab, which need not be there.

    Raises:
        InputError: with all faults of the folder.
    """
    read = _ThemeReader()
    if table.name != "plain":
        read.folder(designs / table.name)
    files = read.folder(own) if os.path.lexists(own) else {}
    if read.faults:
        raise InputError(read.faults)
    for name, text in table.titles:
        if text is not None:
            for code in CATALOGUES.values():
                read.texts[code][f"report.{name.replace('_', '-')}"] = text.within(code)
    return Theme(
        read.cover,
        read.cover_file,
        read.sheets,
        {code: texts for code, texts in read.texts.items() if texts},
        read.files,
        table.accent or "",
        tuple(files),
        _digest(files),
    )


def _digest(files: Mapping[str, bytes]) -> str:
    """One digest of files, as the tool ``sha256sum`` makes it of its own list of them."""
    lines = (f"{sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    return sha256("".join(lines).encode()).hexdigest() if files else ""


class _ThemeReader:
    """A theme while it is being read, folder by folder, and what is wrong with it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.cover, self.cover_file = "", Path(COVER)
        self.sheets: dict[str, tuple[Sheet, ...]] = {}
        self.texts: dict[str, dict[str, str]] = {code: {} for code in CATALOGUES.values()}
        self.files: dict[str, bytes] = {}

    def folder(self, folder: Path) -> dict[str, bytes]:
        """Take in a folder; gives the bytes of its files by their names, in order."""
        if not folder.is_dir():
            self.faults.append(Fault("not-a-folder", file=folder))
            return {}
        found = dict(_found(folder))
        contents = {name: self._content(folder, name, path) for name, path in found.items()}
        # Files first: style sheets may name them.
        for name, content in contents.items():
            if content is not None and name not in FILES:
                self.files[name] = content
        for name, content in contents.items():
            if content is not None and name in FILES:
                self._text(name, found[name], content)
        return {name: content for name, content in contents.items() if content is not None}

    def _content(self, folder: Path, name: str, path: Path) -> bytes | None:
        """The bytes of a file that a theme may have."""
        ending = path.suffix.lower()
        if name not in FILES and ending not in MEDIA:
            allowed = (*FILES, *(f"*{kind}" for kind in MEDIA))
            self._fault(path, "theme-file", {"found": name}, allowed, nearest(name, FILES))
            return None
        largest = LARGEST
        if name in FILES:
            largest = LARGEST_TEXT
        elif MEDIA[ending].startswith("image/"):
            largest = LARGEST_PICTURE
        try:
            if not path.resolve(strict=True).is_relative_to(folder.resolve()):
                self._fault(path, "theme-outside")
                return None
            refuse_irregular(path)
            if path.stat().st_size > largest:
                self._fault(path, "theme-too-large", {"limit": largest // 1000})
                return None
            content = read_regular(path, largest)
        except NotRegularError:
            self._fault(path, "not-regular")
            return None
        except (OSError, RuntimeError) as error:
            # A link that leads to itself is one or the other, by the version of Python.
            self._fault(path, "file-unreadable", {"detail": _said(error)})
            return None
        if not content.startswith(_MAGIC.get(ending, b"")) or (
            ending == ".svg" and (b"<!" in content.replace(b"<!--", b"") or b"<svg" not in content)
        ):
            self._fault(path, "theme-picture", {"kind": MEDIA[ending]})
            return None
        odd = oddities(content) if ending == ".svg" else ()
        for each in odd:
            self._fault(path, "theme-svg", {"detail": each.detail}, line=each.line)
        return None if odd else content

    def _text(self, name: str, path: Path, content: bytes) -> None:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self._fault(path, "not-utf-8")
            return
        if name == COVER:
            self.cover, self.cover_file = text, path
        elif name in SHEETS:
            if "</" in text:
                line = text[: text.index("</")].count("\n") + 1
                self._fault(path, "theme-sheet", {"detail": "</"}, line=line)
            self.sheets[name] = (*self.sheets.get(name, ()), Sheet(path, text))
        else:
            self._read_texts(CATALOGUES[name], path, text)

    def _read_texts(self, code: str, path: Path, content: str) -> None:
        from io import StringIO

        from babel.messages.pofile import PoFileError, read_po

        from labreport.language.catalogue import language

        # The reader takes the last character away, whether it is a quotation mark or not.
        lines = enumerate(content.split("\n"), start=1)
        if unended := [(number, text) for number, text in lines if _UNENDED.match(text)]:
            for number, text in unended:
                self._fault(path, "theme-quotes", line=number, excerpt=text)
            return
        try:
            catalogue = read_po(StringIO(content), locale=code, abort_invalid=True)
        except (PoFileError, ValueError, LookupError) as error:
            number = error.lineno + 1 if isinstance(error, PoFileError) else 0
            self._fault(path, "theme-texts", {"detail": str(error)}, line=number)
            return
        words = language(code)
        allowed = [key for key in words.keys if is_own(key)]
        for message in catalogue:
            if message.id:
                self._read_text(path, words, allowed, message)

    def _read_text(
        self,
        path: Path,
        words: Language,
        allowed: Sequence[str],
        message: Message,
    ) -> None:
        """Take in a text of a catalogue, or say what is at fault in it."""
        key, text, line = message.id, str(message.string), message.lineno or 0
        if not isinstance(key, str) or key not in allowed:
            shown = key if isinstance(key, str) else key[0]
            near = nearest(shown, allowed)
            self._fault(path, "theme-key", {"found": shown}, (), near, line)
            return
        if len(text) > LONGEST_TEXT:
            values = {"found": key, "limit": LONGEST_TEXT}
            self._fault(path, "theme-long-text", values, line=line)
            return
        own, other = _placeholders(text), _placeholders(words.template(key))
        if own is None or own != other:
            names = ", ".join(f"{{{name}}}" for name in other or ()) or "—"
            self._fault(path, "theme-values", {"found": key, "names": names}, line=line)
            return
        self.texts[words.code][key] = text

    def _fault(
        self,
        path: Path,
        code: str,
        values: Mapping[str, object] | None = None,
        allowed: tuple[str, ...] = (),
        near: str = "",
        line: int = 0,
        excerpt: str = "",
    ) -> None:
        self.faults.append(
            Fault(
                code,
                values or {},
                file=path,
                line=line,
                excerpt=excerpt[:200],
                allowed=allowed,
                nearest=near,
            )
        )


def _found(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files by their names in a folder, in order; hidden ones and notes for people are none."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and path.suffix.lower() not in (".md", ".txt"):
                yield path.relative_to(folder).as_posix(), path


def _said(error: OSError | RuntimeError) -> str:
    """Return the system's message about a file."""
    return getattr(error, "strerror", None) or str(error)


def _placeholders(text: str) -> list[str] | None:
    """Names of the values that a text takes, in order; None where one is not a mere ``{name}``.

    A width could be a thousand million characters, a conversion shows a value as a program has it.
    """
    try:
        fields = [field[1:] for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError:
        return None
    if any(spec or conversion for _, spec, conversion in fields):
        return None
    return sorted(name or "" for name, _, _ in fields)
