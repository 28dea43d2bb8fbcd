"""Themes: what they may change, and that their faults are told before anything is trained."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from command_line import run

from labreport.build.checking import check
from labreport.build.pipeline import build
from labreport.build.request import Request
from labreport.errors import InputError
from labreport.lab.lab import LEAST_CONTRAST, ThemeTable, contrast_with_white
from labreport.render.theme import FILES, LARGEST_PICTURE, PLAIN, read_theme
from labreport.shipped import shipped

THEMES = shipped("templates") / "themes"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
EXPERIMENT = "[experiment.a]\ntitle = 'a'\nchange.rounds = 2\n"

Files = dict[str, bytes | str]


@pytest.fixture
def lab(tmp_path: Path, base_text: str) -> Callable[..., Path]:
    """A lab file with a table [theme], and the files of the folder beside it."""

    def written(files: Files, table: str = "", cover: str = "") -> Path:
        path = tmp_path / "experiments.toml"
        head, base = base_text.split("[base]", 1)
        theme = f"[theme]\n{table}\n" if table else ""
        path.write_text(f"{head}{cover}\n{theme}[base]{base}{EXPERIMENT}", encoding="utf-8")
        for name, content in files.items():
            file = tmp_path / "theme" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


OWN = (
    *("cover.html.j2", "logo.svg", "print.css", "screen.css", "seal.png", "style.css"),
    "languages/en.po",
)
"""Files of the theme below, in the order in which folders are read."""


def own_digest(folder: Path, names: tuple[str, ...]) -> str:
    """As `sha256sum NAMES | sha256sum` has it."""
    lines = (f"{sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    return sha256("".join(lines).encode()).hexdigest()


def faults(path: Path) -> list[tuple[str, str, int]]:
    """Codes, names of files and lines of the faults of a lab."""
    with pytest.raises(InputError) as caught:
        check(path)
    return [(f.code, f.file.name if f.file else "", f.line) for f in caught.value.faults]


def built(path: Path) -> tuple[str, pikepdf.Pdf]:
    output = path.parent / "output"
    build(Request(path, (), ("zh", "en"), output), lambda *_: None)
    return (output / "report.html").read_text(encoding="utf-8"), pikepdf.open(output / "report.pdf")


# --- what a theme changes -------------------------------------------------------------------------


def test_a_folder_changes_cover_style_texts_and_pictures(lab: Callable[..., Path]) -> None:
    path = lab(
        {
            "cover.html.j2": '<header class="cover"><h1>{{ report.title }}</h1><p>ours</p>'
            '<img src="{{ logo }}" alt="logo"><img src="{{ picture["seal.png"] }}" alt="seal">'
            '<p>{{ report.on_cover.school }}|{{ report.on_cover["place"] }}|</p></header>',
            "logo.svg": SVG,
            "seal.png": PNG,
            "style.css": ".ours { color: #123456; }",
            "screen.css": ".only-screen { color: #234567; }",
            "print.css": ".only-print { color: #345678; }",
            "languages/en.po": 'msgid "report.conclusions"\nmsgstr "Our verdict"\n',
            ".DS_Store": b"\0",
            "README.md": "for people",
        },
        table='accent = "#7a1021"\ntitles.set-up.zh = "器材"',
        cover="[cover]\nschool = 'S'\n",
    )
    html, pdf = built(path)
    assert "<p>ours</p>" in html
    assert "<p>S||</p>" in html
    assert html.count("data:image/svg+xml;base64,") == 2
    assert html.count("data:image/png;base64,") == 2
    assert ".ours" in html
    assert ".only-screen" in html
    assert ".only-print" not in html
    assert ":root { --accent: #7a1021; }" in html
    assert "Our verdict" in html
    assert "实验结论" in html
    with pdf.open_outline() as outline:
        titles = [str(item.title) for first in outline.root for item in first.children]
    assert any("器材" in title for title in titles)
    assert not any("实验设置" in title for title in titles)
    # What somebody else's looks can do is told, in both languages, with a digest to compare.
    assert html.count(own_digest(path.parent / "theme", OWN)) == 2
    assert "README.md" not in html.split("SHA-256")[0]
    assert "from a theme made for it" in html
    assert "采用另外制作的主题" in html


def test_without_a_theme_nothing_is_changed(lab: Callable[..., Path], tmp_path: Path) -> None:
    lab({})
    assert read_theme(ThemeTable.model_validate({}), THEMES, tmp_path / "theme") == PLAIN


def test_the_cover_of_a_school(lab: Callable[..., Path]) -> None:
    path = lab(
        {},
        table='name = "school"',
        cover="[cover]\nschool = '某某大学'\nstudent = '张三'\n"
        "[[cover.field]]\nlabel = '实验室'\nvalue = '404'\n",
    )
    html, pdf = built(path)
    for text in ("某某大学", "张三", "实验室", "404", "课程名称"):
        assert text in html
    # A design that ships is nobody's own.
    assert "from a theme made for it" not in html
    # What is filled in by hand is on paper alone.
    assert "成绩" not in html
    import pypdfium2

    document = pypdfium2.PdfDocument(path.parent / "output" / "report.pdf")
    pages = ["".join(page.get_textpage().get_text_range().split()) for page in document]
    document.close()
    for text in ("某某大学", "张三", "成绩", "评语", "指导教师签字", "学院", "实验室"):
        assert text in pages[0]
    assert all(mark in page for page in pages for mark in "装订线")
    with pdf.open_outline() as outline:
        assert outline.root


def test_an_own_folder_goes_over_a_theme_that_ships(lab: Callable[..., Path]) -> None:
    path = lab({"print.css": ".mine { color: red; }"}, table='name = "school"')
    theme = read_theme(ThemeTable.model_validate({"name": "school"}), THEMES, path.parent / "theme")
    of_the_school, own = theme.sheets["print.css"]
    assert "@left-middle" in of_the_school.text
    assert own.text == ".mine { color: red; }"
    assert "grade" in theme.cover


@pytest.mark.parametrize("name", [t.name for t in THEMES.iterdir()])
def test_every_theme_that_ships_is_whole_and_can_be_named(name: str, tmp_path: Path) -> None:
    assert read_theme(ThemeTable.model_validate({"name": name}), THEMES, tmp_path / "none").cover


def test_any_byte_of_a_theme_makes_the_report_one_to_build_anew(lab: Callable[..., Path]) -> None:
    path = lab({"style.css": ".a { color: #111111; }"})
    arguments = ("build", path, "--lang", "en", "-o", path.parent / "output")
    assert run(*arguments).exit_code == 0
    assert "up to date" in run(*arguments).stderr
    (path.parent / "theme" / "style.css").write_text(".a { color: #111112; }")
    again = run(*arguments)
    assert again.exit_code == 0
    assert "up to date" not in again.stderr
    assert "up to date" in run(*arguments).stderr


# --- what is refused ------------------------------------------------------------------------------

BAD_FILES: list[tuple[Files, list[tuple[str, str, int]]]] = [
    ({"covr.html.j2": ""}, [("theme-file", "covr.html.j2", 0)]),
    ({"cover.html.j2": "a\n{% if %}"}, [("theme-template", "cover.html.j2", 2)]),
    ({"cover.html.j2": "a\n\n{{ report.titel }}"}, [("theme-undefined", "cover.html.j2", 3)]),
    ({"cover.html.j2": '{{ text["cover.x"] }}'}, [("theme-undefined", "cover.html.j2", 1)]),
    ({"cover.html.j2": '{{ picture["x.png"] }}'}, [("theme-undefined", "cover.html.j2", 1)]),
    ({"cover.html.j2": "{{ 1 / 0 }}"}, [("theme-template", "cover.html.j2", 1)]),
    (
        {"cover.html.j2": "{{ report.__class__.__mro__ }}"},
        [("theme-template", "cover.html.j2", 1)],
    ),
    ({"cover.html.j2": '{% include "/etc/passwd" %}'}, [("theme-template", "cover.html.j2", 1)]),
    ({"cover.html.j2": '{% include "../x" %}'}, [("theme-template", "cover.html.j2", 1)]),
    ({"cover.html.j2": b"\xff\xfe"}, [("not-utf-8", "cover.html.j2", 0)]),
    ({"cover.html.j2": "<p>no heading</p>"}, [("theme-heading", "cover.html.j2", 0)]),
    ({"cover.html.j2": "<h1>a</h1>\n<h1>b</h1>"}, [("theme-heading", "cover.html.j2", 0)]),
    ({"style.css": "a {\n  color: blurple;\n}"}, [("theme-sheet", "style.css", 2)]),
    (
        {
            "logo.svg": '<svg xmlns="http://www.w3.org/2000/svg">\n<image href="http://a.b/c"/></svg>'
        },
        [("theme-svg", "logo.svg", 2)],
    ),
    (
        {"logo.svg": '<svg xmlns="http://www.w3.org/2000/svg">\n<script/><g onclick="a"/>\n</svg>'},
        [("theme-svg", "logo.svg", 2), ("theme-svg", "logo.svg", 2)],
    ),
    ({"logo.svg": "<svg>\n<g>\n"}, [("theme-svg", "logo.svg", 3)]),
    (
        {"cover.html.j2": "<h1>a</h1>\n{{ report.titel }}"},
        [("theme-undefined", "cover.html.j2", 2)],
    ),
    ({"cover.html.j2": "<h1>a</h1>\n{{ reprt }}"}, [("theme-undefined", "cover.html.j2", 2)]),
    # What no renderer complains of, because it fails.
    ({"print.css": "* { position: running(x) }"}, [("theme-style", "", 0)]),
    (
        {
            "style.css": "a { color: red; }\n\n.b { colour: red; }",
            "print.css": "@font-face { font-family: x; }\n:root { --c: blurple; }\n"
            "h1 {\n  color: var(--c);\n}",
        },
        [
            ("theme-sheet", "style.css", 3),
            ("theme-sheet", "print.css", 1),
            ("theme-sheet", "print.css", 4),
        ],
    ),
    # Nothing is fetched for paper, and whatever asks for it is told.
    ({"print.css": "p { background: url(http://a.b/c.png); }"}, [("theme-style", "", 0)]),
    (
        {"cover.html.j2": '<h1>t</h1><img src="file:///etc/passwd" alt="x">'},
        [("theme-style", "", 0)],
    ),
    ({"style.css": "\n</style><script>"}, [("theme-sheet", "style.css", 2)]),
    ({"languages/en.po": 'msgid "report.conclusion"\nmsgstr "x"'}, [("theme-key", "en.po", 1)]),
    (
        {"languages/en.po": 'msgid "observation.stuck"\nmsgstr "all is well"'},
        [("theme-key", "en.po", 1)],
    ),
    (
        {"languages/zh.po": '\nmsgid "report.figure"\nmsgstr "图 {number}"'},
        [("theme-key", "zh.po", 2)],
    ),
    (
        {"languages/zh.po": 'msgid "cover.place"\nmsgstr "{number.__class__}"'},
        [("theme-values", "zh.po", 1)],
    ),
    *(
        ({"languages/en.po": f'msgid "{key}"\nmsgstr "x {values}"'}, [("theme-key", "en.po", 1)])
        for key, values in (
            ("report.comparison-table", ""),
            ("report.column-loss", "{budget}"),
            ("report.table", "{number}"),
            ("report.limits", ""),
            ("report.replays-all", "{replayed} {runs} {steps} {largest}"),
            ("report.own-look", "{files} {digest}"),
            ("report.page", "{page} {pages}"),
            ("evidence.claim", ""),
        )
    ),
    *(
        ({"languages/en.po": f'msgid "cover.place"\nmsgstr "{text}"'}, [(code, "en.po", 1)])
        for text, code in (
            ("{x:999999999}", "theme-values"),
            ("{x!r}", "theme-values"),
            ("{x:{y}}", "theme-values"),
            ("{0.__class__}", "theme-values"),
            ("{", "theme-values"),
            ("{:>999999999}", "theme-values"),
            ("x" * 101, "theme-long-text"),
            ("x" * 900_000, "theme-long-text"),
        )
    ),
    ({"languages/zh.po": "\nmsgid nonsense\n"}, [("theme-texts", "zh.po", 2)]),
    ({"languages/zh.po": '\nmsgid "cover.place\nmsgstr "x"'}, [("theme-quotes", "zh.po", 2)]),
    ({"languages/zh.po": 'msgid "cover.place"\nmsgstr "'}, [("theme-quotes", "zh.po", 2)]),
    ({"languages/zh.po": 'msgid "cover.place"\nmsgstr "\\"'}, [("theme-quotes", "zh.po", 2)]),
    ({"languages/zh.po": 'msgid "cover.place"\nmsgstr "a" b'}, [("theme-quotes", "zh.po", 2)]),
    ({"languages/zh.po": 'msgid "cover.place"\n'}, [("theme-texts", "zh.po", 1)]),
    ({"languages/zh.po": 'msgstr[x] "a"'}, [("theme-texts", "zh.po", 0)]),
    ({"languages/fr.po": ""}, [("theme-file", "fr.po", 0)]),
    ({"logo.png": SVG}, [("theme-picture", "logo.png", 0)]),
    (
        {"logo.svg": b'<!DOCTYPE x [<!ENTITY a "aaaa">]><svg>&a;</svg>'},
        [("theme-picture", "logo.svg", 0)],
    ),
    ({"logo.svg": b"x" * (LARGEST_PICTURE + 1)}, [("theme-too-large", "logo.svg", 0)]),
    # All in one pass.
    (
        {"covr.html.j2": "", "logo.png": b"", "style.css": "</", "notes.pdf": b""},
        [
            ("theme-file", "covr.html.j2", 0),
            ("theme-picture", "logo.png", 0),
            ("theme-file", "notes.pdf", 0),
            ("theme-sheet", "style.css", 1),
        ],
    ),
]


@pytest.mark.parametrize(("files", "wanted"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_faults_of_a_theme_are_told_with_file_and_line(
    lab: Callable[..., Path], files: Files, wanted: list[tuple[str, str, int]]
) -> None:
    path = lab(files)
    assert faults(path) == wanted
    for code in ("zh", "en"):
        done = run("build", path, "-o", path.parent / "output", code=code)
        assert done.exit_code == 2
        assert not (path.parent / "output").exists()


def test_a_file_or_a_link_that_leads_out_is_no_folder(
    lab: Callable[..., Path], tmp_path: Path
) -> None:
    path = lab({})
    (tmp_path / "theme").write_text("a file")
    assert faults(path) == [("not-a-folder", "theme", 0)]
    (tmp_path / "theme").unlink()
    (tmp_path / "theme").mkdir()
    (tmp_path / "secret.css").write_text("a { color: red; }")
    (tmp_path / "theme" / "style.css").symlink_to(tmp_path / "secret.css")
    (tmp_path / "theme" / "logo.svg").symlink_to(tmp_path / "nowhere.svg")
    assert faults(path) == [
        ("file-unreadable", "logo.svg", 0),
        ("theme-outside", "style.css", 0),
    ]


@pytest.mark.parametrize("name", ["logo.svg", "style.css", "cover.html.j2", "x.ttf"])
def test_only_regular_files_of_a_theme_are_opened(
    lab: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    path = lab({"print.css": ""})
    os.mkfifo(tmp_path / "theme" / name)
    assert faults(path) == [("not-regular", name, 0)]
    (tmp_path / "theme" / name).unlink()
    (tmp_path / "theme" / name).symlink_to(name)
    assert faults(path) == [("file-unreadable", name, 0)]


def test_quotation_marks_and_notes_in_texts_are_read(lab: Callable[..., Path]) -> None:
    text = '\ufeff# a "note\nmsgid "cover.place"\nmsgstr ""\n"the \\"room\\""\n'
    check(lab({"languages/en.po": text}))
    theme = read_theme(ThemeTable.model_validate({}), THEMES, lab({}).parent / "theme")
    assert theme.texts["en"] == {"cover.place": 'the "room"'}


def test_a_picture_that_is_not_there_is_told_with_those_that_are(lab: Callable[..., Path]) -> None:
    cover = '<h1>t</h1>\n<img src="{{ picture["seal.pgn"] }}" alt="">'
    path = lab({"cover.html.j2": cover, "seal.png": PNG, "logo.svg": SVG, "a.css.txt": ""})
    with pytest.raises(InputError) as caught:
        check(path)
    (fault,) = caught.value.faults
    assert (fault.code, fault.line, fault.values) == ("theme-undefined", 2, {"found": "seal.pgn"})
    assert (fault.allowed, fault.nearest) == (("logo.svg", "seal.png"), "seal.png")


def test_the_nearest_name_is_told(lab: Callable[..., Path]) -> None:
    path = lab({"covr.html.j2": "", "languages/en.po": 'msgid "report.conclusion"\nmsgstr "x"'})
    said = " ".join(run("check", path).output.split())
    assert "cover.html.j2" in said
    assert "report.conclusions" in said
    assert all(name in said for name in FILES)


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ('name = "schol"', "unknown-name"),
        ('accent = "#ffee00"', "low-contrast"),
        ('accent = "red"', "not-a-colour"),
        ("titles.conclusion = 'x'", "unknown-key"),
        ('font = "x"', "unknown-key"),
    ],
)
def test_faults_of_the_table(lab: Callable[..., Path], table: str, code: str) -> None:
    path = lab({}, table=table)
    ((found, file, line),) = faults(path)
    assert file == path.name
    assert path.read_text(encoding="utf-8").split("\n")[line - 1] == table
    assert found == code


def test_contrast_is_that_of_the_guidelines() -> None:
    """Black, white, and a grey and a blue whose contrasts WebAIM's checker gives."""
    expected = {"#000000": 21.0, "#ffffff": 1.0, "#767676": 4.54, "#0000ff": 8.59}
    for colour, ratio in expected.items():
        assert contrast_with_white(colour) == pytest.approx(ratio, abs=0.005)
    assert LEAST_CONTRAST <= 4.54


def test_the_page_runs_nothing_but_its_own_script(lab: Callable[..., Any]) -> None:
    path = lab({"cover.html.j2": "<header><h1>t</h1></header>"})
    html, pdf = built(path)
    policy = html.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy
    assert "/JavaScript" not in pdf.Root.get("/Names", pikepdf.Dictionary())
