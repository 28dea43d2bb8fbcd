"""What the style sheets of a theme may ask for, and what room they leave on a page."""

from __future__ import annotations

import pytest

from labreport.report.sheets import fetched

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
