"""What the style sheets of a theme may ask for, and what room they leave on a page."""

from __future__ import annotations

import pytest

from labreport.report.page_room import Room
from labreport.report.style_sheets import DEEPEST, fetched, too_deep, unpaired
from labreport.shipped import shipped

ASKED = [
    ("a { b: url(x.png); }", "x.png"),
    ("a { b: URL( 'x.png' ); }", "x.png"),
    (r"a { b: \75rl(x.png); }", "x.png"),
    (r"a { b: u\000072 l('x.png'); }", "x.png"),
    (r"a { b: url(\78.png); }", "x.png"),
    ("a { b: image-set('x.png' 1x); }", "x.png"),
    ("a { b: -webkit-image-set(url(x.png) 1x); }", "x.png"),
    ("a { b: image-set(var(--x) 1x); }", "var("),
    ("a { b: src('x.png'); }", "x.png"),
    ("a { --b: url(x.png); }", "x.png"),
    ("@media screen { a { b: c(url(x.png)); } }", "x.png"),
    ("@import 'x.png';", "@import"),
    (r"@\69mport 'x.png';", "@import"),
    ("a { b: url(x y); }", "url("),
    ("a { b: url(x.png", "x.png"),
    ("a { b: url(); }", '""'),
    ("/* </style> */", "</"),
    ("(" * 5000 + "url(x.png)", "x.png"),
]


@pytest.mark.parametrize(("text", "address"), ASKED, ids=range(len(ASKED)))
def test_what_a_style_sheet_asks_for_is_found_with_its_line(text: str, address: str) -> None:
    assert (2, address) in list(fetched(f"/* first */\n{text}"))


@pytest.mark.parametrize(
    "text",
    [
        "a { color: red; content: 'url(x.png)'; }",
        "/* url(x.png), @import */",
        "a { width: calc(1px + var(--x)); font-family: 'x'; }",
        ".url { --image-set: 1; }",
        "@font-face { src: local('x'); }",
    ],
)
def test_what_asks_for_nothing_is_silent(text: str) -> None:
    assert list(fetched(text)) == []


def test_brackets_inside_of_each_other_are_limited() -> None:
    assert too_deep("a { b: c(d(e)) }\n" * 100) == 0
    assert too_deep("a { b: c }\n" + "(" * DEEPEST) == 0
    assert too_deep("a { b: c }\n" + "(" * DEEPEST + "d") == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("p { color: red", [(2, "{")]),
        ("p { color: red\nh2 { color: blue }", [(2, "{")]),
        ("@media print { p { color: red }", [(2, "{")]),
        ("p } h2 { color: red }", [(2, "}")]),
        ("p { color: red } }\n}", [(2, "}"), (3, "}")]),
        ("/* never closed\np { color: red }", [(2, "/*")]),
        ("a[href { color: red }", [(2, "[")]),
        ("p { color: red } ) \n/*", [(2, ")"), (3, "/*")]),
        ("p { color: red } /* } { */ q { content: '{' }", []),
        ("p { width: calc(1px + (2px)) } a[href] { color: red }", []),
    ],
)
def test_brackets_and_comments_without_a_partner_are_found(
    text: str, found: list[tuple[int, str]]
) -> None:
    assert list(unpaired(f"/* first */\n{text}")) == found


# --- the room on a page ---------------------------------------------------------------------------


def said(*texts: str) -> list[tuple[str, int, object]]:
    """Code, line and what was found, of style sheets that follow the one that ships."""
    room = Room()
    assert not list(room.follow((shipped("templates") / "print.css").read_text(encoding="utf-8")))
    found = [narrow for text in texts for narrow in room.follow(text)]
    return [(narrow.code, narrow.line, narrow.values["found"]) for narrow in found]


@pytest.mark.parametrize(
    ("text", "code", "found"),
    [
        ("@page { size: 1mm }", "theme-page-size", "1"),
        ("@page { size: 69.9mm 300mm; margin: 0 }", "theme-page-size", "69.9"),
        ("@page { size: 10in 1cm; margin: 0 }", "theme-page-size", "10"),
        ("@page { size: 72pt 300mm; margin: 0 }", "theme-page-size", "25.4"),
        ("@page :first { size: 1mm !important; margin: 0 }", "theme-page-size", "1"),
        ("@media print { @page { size: 1mm 300mm } }", "theme-page-size", "1"),
        (r"@\70 age { s\69ze: 1mm 300mm }", "theme-page-size", "1"),
        ("@page { margin: 90mm }", "theme-page-room", "30"),
        ("@page { margin-left: 150mm }", "theme-page-room", "38"),
        ("@page { margin: 10mm 500mm }", "theme-page-room", "-790"),
        ("@page { padding: 0 80mm }", "theme-page-room", "6"),
        ("@page cover { margin-right: 150mm }", "theme-page-room", "35"),
        ("@page { size: 80mm 297mm }", "theme-page-room", "36"),
        ("@page { size: calc(1mm) }", "theme-page-length", "calc(1mm)"),
        ("@page { size: 5em }", "theme-page-length", "5em"),
        ("@page { margin: 49% }", "theme-page-length", "49%"),
        ("@page { margin: var(--m) }", "theme-page-length", "var(--m)"),
        ("@page { size: a10 }", "theme-page-length", "a10"),
        ("@page { width: 1mm }", "theme-page-property", "width"),
        ("@page { max-height: 1mm }", "theme-page-property", "max-height"),
        ("@page { border: 90mm solid }", "theme-page-property", "border"),
    ],
)
def test_pages_without_room_are_told(text: str, code: str, found: str) -> None:
    (first, *_) = said(f"/* first */\n{text}")
    assert first == (code, 2, found)


@pytest.mark.parametrize(
    "text",
    [
        "@page { size: A5 landscape; margin: 15mm }",
        "@page { size: landscape }",
        "@page { size: 70mm 300mm; margin: 1cm 15mm 20px }",
        "@page cover { margin: 0; background: red; @top-left { width: 1mm; border: 0 } }",
        "h1 { width: 1mm; margin: 900mm; }",
        "/* @page { size: 1mm } */",
    ],
)
def test_pages_with_room_are_silent(text: str) -> None:
    assert said(text) == []


def test_margins_of_several_style_sheets_count_together() -> None:
    first, second = "@page { margin-left: 90mm }", "@page { margin-right: 90mm }"
    assert said(first) == said(second) == []
    assert said(first, second) == [("theme-page-room", 1, "30")]
