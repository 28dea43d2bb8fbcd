"""What a theme's cover may be made of, and how long it may take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from labreport.errors import Fault, InputError
from labreport.formats.cover import ELEMENTS, EVERYWHERE, cover
from labreport.formats.cover_values import cover_values, refuse_objects
from labreport.report.language import language
from labreport.report.style_sheets import DEEPEST
from labreport.report.theme import PLAIN, is_own
from labreport.report.tree import CoverLine, Report

FILE = Path("theme") / "cover.html.j2"
REPORT = Report(language="en", html_language="en", title="T", course="C", cover=())


def rendered(source: str, printed: bool = False, report: Report = REPORT) -> str:
    files = {"logo.png": b"\x89PNG\r\n\x1a\n", "seal.png": b"", "Song.ttf": b""}
    theme = replace(PLAIN, cover=source, cover_file=FILE, files=files)
    return cover(replace(report, theme=theme), language("en"), printed)


def faults(source: str, printed: bool = False, report: Report = REPORT) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        rendered(source, printed, report)
    return caught.value.faults


ALLOWED = [
    '<p class="a" id="b" lang="en" title="c" aria-label="d">x</p>',
    '<img src="{{ logo }}" alt="" width="20" height="20">',
    '<table><tr><th scope="row">a</th><td colspan="2" rowspan="1">b</td></tr></table>',
    "<ul><li>a<br>b</li></ul><hr><dl><dt>a</dt><dd>b</dd></dl>",
    '<p><strong>a</strong><em>b</em><sup>2</sup><a href="#top">c</a></p>',
    "<!-- the seal --><p>1 < 2 &amp; 3 &gt; 2</p>",
    "<BR><P>x</P>",
]


@pytest.mark.parametrize("html", ALLOWED)
def test_what_a_cover_needs_is_allowed(html: str) -> None:
    rendered(f"<header><h1>t</h1>{html}</header>")


ELSEWHERE = [
    ('<meta http-equiv="refresh" content="0; url=https://example.org">', "meta"),
    ('<iframe src="https://example.org"></iframe>', "iframe"),
    ('<form action="https://example.org"></form>', "form"),
    ('<base href="https://example.org">', "base"),
    ('<object data="x"></object>', "object"),
    ("<script>alert(1)</script>", "script"),
    ("<style>p { color: red; }</style>", "style"),
    ('<svg><a href="#x">x</a></svg>', "svg"),
    ('<IFRAME SRC="x"></IFRAME>', "iframe"),
    ("<!DOCTYPE html>", "!DOCTYPE html"),
    ("<?php x ?>", "?php x ?"),
    ("<!--> <iframe></iframe> -->", "!--"),
    ("{{ '<embed>' | safe }}</embed>", "embed"),
]


@pytest.mark.parametrize(("html", "name"), ELSEWHERE)
def test_another_element_is_told_with_its_line_and_what_is_allowed(html: str, name: str) -> None:
    first = faults(f"<h1>t</h1>\n\n<p>{html}</p>")[0]
    assert (first.code, first.values, first.line) == ("theme-element", {"found": name}, 3)
    assert first.file == FILE
    assert first.allowed == tuple(sorted(ELEMENTS))


@pytest.mark.parametrize(
    ("tag", "attribute"),
    [
        ("p", 'onclick="alert(1)"'),
        ("p", 'ONCLICK="alert(1)"'),
        ("p", 'style="color: red"'),
        ("p", "contenteditable"),
        ("a", 'target="_top" href="#x"'),
        ("td", 'src="x"'),
    ],
)
def test_another_attribute_is_told(tag: str, attribute: str) -> None:
    (fault,) = faults(f"<h1>t</h1>\n<{tag} {attribute}>x</{tag}>")
    name = attribute.partition("=")[0].lower()
    assert (fault.code, fault.line) == ("theme-attribute", 2)
    assert fault.values == {"found": name, "tag": tag}
    assert set(EVERYWHERE) < set(fault.allowed) or fault.allowed == EVERYWHERE


@pytest.mark.parametrize("number", ["100000000", "21", "0", "-1", "1e9", "2.5", "", "٣", "9" * 99])
@pytest.mark.parametrize("name", ["colspan", "rowspan"])
def test_a_cell_spans_few_others(name: str, number: str) -> None:
    (fault,) = faults(f'<h1>t</h1>\n<table><tr><td {name}="{number}">x</td></tr></table>')
    assert (fault.code, fault.line) == ("theme-number", 2)
    assert fault.values == {"found": number[:80], "name": name, "limit": 20}


def test_a_cover_is_about_a_page_long() -> None:
    word = "{% set x = 'xxxxxxxxxx' %}" + "{% set x = x ~ x %}" * 12
    for html in ("<p>{{ x }}</p>", '<p class="{{ x }}"></p>', "{{ x }}" * 9):
        assert [f.code for f in faults(f"<h1>t</h1>\n{word}{html}")] == ["theme-long"]
    rows = "{% for i in range(999) %}<p></p><p></p><p></p>{% endfor %}"
    (fault,) = faults(f"<h1>t</h1>\n{rows}")
    assert (fault.code, fault.line) == ("theme-many", 2)


@pytest.mark.parametrize(
    "html",
    [
        '<ol start="9999999"><li>x</li></ol>',
        '<img src="{{ logo }}" alt="" width="99999999">',
        '<table><col span="99999999"><tr><td>x</td></tr></table>',
    ],
)
def test_numbers_of_other_attributes_are_limited_too(html: str) -> None:
    assert [fault.code for fault in faults(f"<h1>t</h1>{html}")] == ["theme-number"]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://example.org">x</a>',
        '<a href=" #x">x</a>',
        '<a href="javascript:alert(1)">x</a>',
        '<a href="#x" href="//example.org">x</a>',
        '<img src="seal.png" alt="">',
        '<img src="data:text/html,x" alt="">',
    ],
)
def test_an_address_elsewhere_is_told(html: str) -> None:
    (fault,) = faults(f"<h1>t</h1>\n{html}")
    assert (fault.code, fault.line) == ("theme-link", 2)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("<h1>t</h1>\n<div>", 2),
        ("<h1>t</h1>\n<p/>", 2),
        ("<h1>t</h1>\n\n</p>", 3),
        ("<h1>t</h1>\n<p><b>x</p></b>", 2),
        ("<h1>t</h1>\n{% if true %}\n<p>\n{% endif %}\n", 3),
        ('<h1>t</h1>\n<p title="x', 2),
    ],
)
def test_tags_that_do_not_match_are_told_with_their_line(source: str, line: int) -> None:
    found = faults(source)
    assert {fault.code for fault in found} == {"theme-unclosed"}
    assert found[0].line == line


def test_a_font_is_no_picture() -> None:
    (fault,) = faults('<h1>t</h1><img src="{{ picture["Song.ttf"] }}" alt="">')
    assert (fault.code, fault.allowed) == ("theme-undefined", ("logo.png", "seal.png"))


@pytest.mark.parametrize("deep", [DEEPEST - 1, DEEPEST])
def test_elements_inside_of_each_other_are_limited(deep: int) -> None:
    source = "<h1>t</h1>\n" + "<div>" * deep + "<p>x</p>" + "</div>" * deep
    if deep < DEEPEST:
        rendered(source)
    else:
        (fault,) = faults(source)
        assert (fault.code, fault.line, fault.values) == ("theme-nested", 2, {"limit": DEEPEST})


def test_each_fault_is_told_once() -> None:
    found = faults("<h1>t</h1>\n" + "<form></form>\n" * 3 + "<iframe></iframe>")
    assert [(fault.values["found"], fault.line) for fault in found] == [("form", 2), ("iframe", 5)]


def test_what_is_on_paper_alone_or_in_a_whole_report_alone_is_checked_as_well() -> None:
    """A trial sees neither."""
    for_paper = "<h1>t</h1>{% if printed %}<form></form>{% endif %}"
    assert faults(for_paper, printed=True)
    assert "form" not in rendered(for_paper)
    for_a_part = "<h1>t</h1>{% if report.part %}<form></form>{% endif %}"
    assert faults(for_a_part, report=replace(REPORT, part="some"))
    assert "form" not in rendered(for_a_part)


# --- time and room --------------------------------------------------------------------------------

ENDLESS = [
    ("{{ 'x' * 9999999999 }}", "theme-operator"),
    ("{{ 9999999999 * 'x' }}", "theme-operator"),
    ("{{ [1] * 9999999999 }}", "theme-operator"),
    ("{{ 999999 * 999999 }}", "theme-operator"),
    ("{{ 9 ** 9 ** 9 ** 9 }}", "theme-operator"),
    ("{{ '%9999999999d' % 1 }}", "theme-operator"),
    ("{% for i in range(1001) %}x{% endfor %}", "theme-range"),
    ("{{ range(10000000000000000000000) }}", "theme-range"),
    ("{{ range(0, -2000, -1) | list | length }}", "theme-range"),
    (
        "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}"
        "{% endfor %}{% endfor %}{% endfor %}",
        "theme-steps",
    ),
    ("{% set x = 'xxxx' %}" + "{% set x = x ~ x %}" * 40, "theme-long"),
    ("{% set x = 'xxxx' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40, "theme-long"),
    ("{% set x = 'xxxx' %}" + "{% set x = x | replace('', x) %}" * 9, "theme-long"),
    ("{% set x = 'xxxx' %}" + "{% set x = x | join(x) %}" * 9, "theme-long"),
    ("{% for i in range(900) %}" + "x" * 9000 + "{% endfor %}", "theme-long"),
    ("{{ 'x'.ljust(9999999999) }}", "theme-template"),
    ("{{ '{:9999999999}'.format(1) }}", "theme-template"),
    ("{{ 'x' | center(9999999999) }}", "theme-template"),
    ("{{ lipsum(9999999) }}", "theme-undefined"),
    ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "theme-template"),
    ('{% include "cover.html.j2" %}', "theme-steps"),
    ("{{ " + "(" * 500 + "1" + ")" * 500 + " }}", "theme-template"),
]


@pytest.mark.parametrize(("source", "code"), ENDLESS, ids=range(len(ENDLESS)))
def test_what_would_not_end_is_a_fault_at_its_line(source: str, code: str) -> None:
    (fault,) = faults(f"<h1>t</h1>\n{source}")
    assert fault.code == code
    # Where the whole has become too long, or cannot be compiled, no line is to blame.
    assert fault.line == 2 or source.startswith(("{% for i in range(900)", "{{ ("))


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{ 2 * 3 + 1 }}", "7"),
        ("{% for i in range(3) %}{{ loop.index }}{% endfor %}", "123"),
        ("{{ range(1000) | length }}", "1000"),
        ('{{ ["a", "b"] | join("/") }}', "a/b"),
        ('{{ "2026-01-02" | replace("-", ".") }}', "2026.01.02"),
        ('{{ "a" ~ "b".upper() }}', "aB"),
        ('{% set x = report.title %}{{ x | default("") }}', "T"),
        ("{% macro line(x) %}<p>{{ x }}</p>{% endmacro %}{{ line(1) }}", "<p>1</p>"),
    ],
)
def test_what_a_cover_computes_is_allowed(source: str, shown: str) -> None:
    assert rendered(f"<h1>t</h1>\n{source}") == f"<h1>t</h1>\n{shown}"


def test_what_watched_the_program_before_watches_it_again() -> None:
    import sys

    before = sys.gettrace()
    faults("<h1>t</h1>{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}")
    assert sys.gettrace() is before


# --- what a template reaches ----------------------------------------------------------------------

HERE = "{secret}"
"""Stands in an attack for a file that is not the template's."""

GIVEN = (
    "report",
    "logo",
    "picture",
    "text",
    "printed",
    "''",
    "[]",
    "range",
    "dict",
    "self",
    "loop",
)

ATTACKS = [
    '{{ (report.theme.cover_file / "{secret}").read_text() }}',
    '{{ (report.theme.cover_file / "{secret}").write_text("x") }}',
    '{{ (report.theme.cover_file / "{secret}").unlink() }}',
    "{{ report.theme.files }}",
    "{{ report.sections }}",
    "{{ report.on_cover.__self__ }}",
    "{{ report.on_cover.__func__.__globals__ }}",
    "{{ picture.func.__globals__ }}",
    "{{ picture.__globals__ }}",
    "{{ text.__self__._translations }}",
    "{{ text.__func__.__globals__['__builtins__'] }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ report | map(attribute='__class__') | list }}",
    "{{ [report] | map(attribute='__class__') | list }}",
    "{{ [report] | sort(attribute='__class__') }}",
    "{{ [report] | join(attribute='__class__') }}",
    "{{ [report] | selectattr('__class__') | list }}",
    "{{ [''] | map('attr', '__class__') | list }}",
    "{{ '' | attr('__class__') }}",
    "{{ '{0.__class__}'.format(report) }}",
    "{{ '{0.__class__}'.format_map({'0': report}) }}",
    "{{ ('{0.__class__}' | safe).format(report) }}",
    "{{ 'x'.format.__self__ }}",
    "{{ '%s' | format(report.__class__) }}",
    "{{ range.__globals__ }}",
    "{{ range.__code__ }}",
    "{{ dict.__base__.__subclasses__() }}",
    "{{ dict.mro() }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__ }}",
    "{% for a in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% for a in [1] %}{{ loop._iterable }}{{ loop.__class__ }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "{% macro m() %}{{ caller.__class__ }}{% endmacro %}{% call m() %}{% endcall %}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum.__globals__.os }}",
    "{{ joiner.__init__ }}",
    "{{ namespace.__init__ }}",
    "{% set a.__class__ = 1 %}",
    "{{ report.update({'title': 'x'}) }}",
    "{{ report.cover.append(1) }}",
    "{{ report.cover.clear() }}",
    "{{ report.pop('title') }}",
    "{% do report.clear() %}",
    "{{ undefined_thing.__class__ }}",
    "{{ (undefined_thing | default).__class__ }}",
    "{{ caller }}",
    "{{ varargs }}",
    "{{ eval('1') }}{{ open('{secret}').read() }}",
    "{% include '{secret}' %}",
    "{% import '{secret}' as x %}",
    "{% extends '{secret}' %}",
    "{{ (1).__class__ }}",
    "{{ (1).to_bytes(9) }}",
    "{{ printed.real.__class__ }}",
    "{{ (report.items() | first).__class__ }}",
    "{{ report.items().mapping.__class__ }}",
    "{{ ('a' | string).__html__.__globals__ }}",
    "{{ debug() }}",
    "{% debug %}",
]


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_a_template_touches_nothing_but_what_it_is_given(attack: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    source = "<h1>t</h1>" + attack.replace(HERE, str(secret))
    try:
        made = rendered(source)
    except InputError as error:
        made = "".join(f"{fault.values} {fault.allowed}" for fault in error.faults)
    assert "hidden" not in made
    assert not any(word in made for word in ("&lt;class", "&lt;module", "0x", "<class", "builtins"))
    assert secret.read_text() == "hidden"
    assert list(tmp_path.iterdir()) == [secret]


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize(
    "name", ["__class__", "__init__", "__globals__", "__reduce_ex__", "__subclasshook__", "format"]
)
def test_no_value_has_a_way_into_the_program(given: str, name: str) -> None:
    for asked in (f"{given}.{name}", f"{given}['{name}']"):
        with pytest.raises(InputError):
            rendered("<h1>t</h1>{% for a in [1] %}{{ " + asked + " }}{% endfor %}")


def test_a_template_is_given_plain_values_alone() -> None:
    report = replace(
        REPORT,
        theme=replace(PLAIN, files={"logo.png": b"\x89PNG\r\n\x1a\n", "Song.ttf": b""}),
        cover=(CoverLine("college", "College", "C"), CoverLine("", "Room", "404")),
    )
    values = cover_values(report, language("zh"), printed=True)
    refuse_objects(values)
    assert set(values) == {"report", "logo", "picture", "text", "printed"}
    assert values["picture"] == {"logo.png": values["logo"]}
    assert values["report"]["on_cover"]["college"] == "C"
    assert values["report"]["on_cover"]["class"] == ""
    assert [line["value"] for line in values["report"]["cover"]] == ["C", "404"]
    assert values["text"]
    assert all(map(is_own, values["text"]))


@pytest.mark.parametrize(
    "odd", [FILE, REPORT, len, "".upper, ("a",), {1}, b"x", None, type("Str", (str,), {})("a")]
)
def test_what_is_not_plain_is_not_given_to_a_template(odd: object) -> None:
    for values in ({"a": odd}, {"a": [{"b": [odd]}]}):
        with pytest.raises(TypeError, match="no plain value"):
            refuse_objects(values)
