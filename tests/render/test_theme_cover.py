"""The cover of a theme: what its template reaches, and how long it may take."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from labreport.errors import Fault, InputError
from labreport.formats.cover import cover
from labreport.formats.cover_values import cover_values, refuse_objects
from labreport.formats.limits import limited
from labreport.language.catalogue import language
from labreport.render.printed import PrintedLine, PrintedReport
from labreport.render.theme import PLAIN, is_own

FILE = Path("theme") / "cover.html.j2"
REPORT = PrintedReport(language="en", html_language="en", title="T", course="C", cover=())


def rendered(source: str, printed: bool = False, report: PrintedReport = REPORT) -> str:
    files = {"logo.png": b"\x89PNG\r\n\x1a\n", "seal.png": b"", "Song.ttf": b""}
    theme = replace(PLAIN, cover=source, cover_file=FILE, files=files)
    return cover(replace(report, theme=theme), language("en"), printed)


def faults(source: str, printed: bool = False, report: PrintedReport = REPORT) -> tuple[Fault, ...]:
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


def test_a_font_is_no_picture() -> None:
    (fault,) = faults('<h1>t</h1><img src="{{ picture["Song.ttf"] }}" alt="">')
    assert (fault.code, fault.allowed) == ("theme-undefined", ("logo.png", "seal.png"))


# --- time and room --------------------------------------------------------------------------------

LOOPS = "{% for a in range(99999) %}" * 5 + "{% endfor %}" * 5


@pytest.mark.parametrize(
    "make",
    [
        lambda: rendered("<h1>t</h1>" + LOOPS),
        lambda: rendered("<h1>t</h1>{{ 'x' * 9999999999 }}"),
        lambda: os._exit(9),
        lambda: [bytearray(2**20) for _ in range(5000)],
    ],
)
def test_what_takes_too_long_or_too_much_is_ended(make: Callable[[], object]) -> None:
    with pytest.raises(InputError) as caught:
        limited(make, seconds=2, memory=2**28)
    assert [fault.code for fault in caught.value.faults] in (["theme-limits"], ["theme-template"])


def test_what_ends_within_its_limits_is_given_back() -> None:
    assert limited(lambda: rendered("<h1>t</h1>")) == "<h1>t</h1>"
    with pytest.raises(InputError) as caught:
        limited(lambda: rendered("<h1>t</h1>\n{{ reprt }}"))
    assert [(f.code, f.line, f.nearest) for f in caught.value.faults] == [
        ("theme-undefined", 2, "report")
    ]


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
    "name", ["__class__", "__init__", "__globals__", "__reduce_ex__", "__subclasshook__"]
)
def test_no_value_has_a_way_into_the_program(given: str, name: str) -> None:
    for asked in (f"{given}.{name}", f"{given}['{name}']"):
        with pytest.raises(InputError):
            rendered("<h1>t</h1>{% for a in [1] %}{{ " + asked + " }}{% endfor %}")


def test_a_template_is_given_plain_values_alone() -> None:
    report = replace(
        REPORT,
        theme=replace(PLAIN, files={"logo.png": b"\x89PNG\r\n\x1a\n", "Song.ttf": b""}),
        cover=(PrintedLine("college", "College", "C"), PrintedLine("", "Room", "404")),
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
