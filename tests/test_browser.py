"""The page in a real browser: no text of an author runs, fetches, or becomes part of the page.

Chromium parses the page as readers' browsers do. The name that texts ask of leads to a listener
here, which counts who comes. That scripts do run and requests are made is tried with the same texts
put into a page as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pytest
from pages import check_policy
from test_injection import CODES, CORPUS, Shape, lab_with, notes_with

from labreport.cli.serve import Server, serving

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = os.environ.get("LABREPORT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (LABREPORT_CHROMIUM=…)")

RAN = "document.documentElement.setAttribute('data-ran',1)"
"""A script that can be seen to have run."""

RUNNING = [
    f"<script>{RAN}</script>",
    f"</title><script>{RAN}</script>",
    f"</style><script>{RAN}</script>",
    f"</script><script>{RAN}</script>",
    f"</textarea></noscript></template><script>{RAN}</script>",
    f"--><script>{RAN}</script>",
    f"]]><script>{RAN}</script>",
    f'"><script>{RAN}</script>',
    f"'><script>{RAN}</script>",
    f"</details></figure></table><script>{RAN}</script>",
    f'<img src=x onerror="{RAN}">',
    f'"><img src=x onerror="{RAN}">',
    f'<svg onload="{RAN}"></svg>',
    f'<svg><animate onbegin="{RAN}" attributeName=x dur=1s></svg>',
    f'<details open ontoggle="{RAN}">x</details>',
    f'<input autofocus onfocus="{RAN}">',
    f'" autofocus tabindex=0 onfocus="{RAN}" x="',
    f"' autofocus tabindex=0 onfocus=\"{RAN}\" x='",
    f'<iframe src="javascript:parent.{RAN}"></iframe>',
    f'<iframe srcdoc="<script>parent.{RAN}</script>"></iframe>',
    f'<object data="javascript:{RAN}"></object>',
    f'<math><mtext><table><mglyph><style><img src=x onerror="{RAN}">',
    f"&lt;script&gt;{RAN}&lt;/script&gt;",
    f"&#60;script&#62;{RAN}&#60;/script&#62;",
    f"\\u003cscript\\u003e{RAN}\\u003c/script\\u003e",
    "<img src=http://evil.example/image.png>",
    "<link rel=stylesheet href=http://evil.example/style.css>",
    "<style>body{background:url(http://evil.example/a.png)}</style>",
    "</style><style>@import 'http://evil.example/b.css'; *{color:red}",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<script src=//evil.example/x.js></script>",
    "<link rel=prefetch href=http://evil.example/p><link rel=dns-prefetch href=//evil.example>",
    "<video src=http://evil.example/v poster=http://evil.example/w></video>",
    "<base href=http://evil.example/><iframe src=page></iframe>",
    "![x](http://evil.example/i.png) [x](javascript:alert(1)) <http://evil.example>",
]
"""Texts each of which would run or fetch something, were it more than text."""


@dataclass
class Listener:
    """Counts who comes, whatever they want."""

    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    asked: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    self.asked.append(connection.recv(1000).partition(b"\r\n")[0])
                except OSError:
                    self.asked.append(b"")


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    threading.Thread(target=listener.listen, daemon=True).start()
    yield listener
    listener.listening.close()


def command(listener: Listener, profile: Path) -> list[str]:
    """Chromium without what it does of its own accord; of all names it finds the listener's."""
    rules = f"MAP evil.example 127.0.0.1:{listener.port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    return [
        CHROMIUM,
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", "--disable-background-networking", "--disable-sync"),
        *("--disable-component-update", "--disable-default-apps", "--disable-extensions"),
        *("--no-proxy-server", f"--host-resolver-rules={rules}", f"--user-data-dir={profile}"),
    ]


@pytest.fixture
def opened(listener: Listener, tmp_path: Path) -> Callable[[Path], str]:
    """Open a page, wait until nothing more happens; gives the document as it is then."""

    def opened(page: Path) -> str:
        arguments = ["--virtual-time-budget=3000", "--dump-dom", page.as_uri()]
        done = subprocess.run(
            [*command(listener, tmp_path / "profile"), *arguments],
            capture_output=True,
            check=False,
            timeout=120,
        )
        document = done.stdout.decode("utf-8")
        assert "</html>" in document, done.stderr.decode("utf-8", "replace")[-2000:]
        return document

    return opened


def ran(document: str) -> bool:
    """Whether a script has left its mark, which as text stands elsewhere."""
    return re.search(r"<html[^>]*data-ran", document) is not None


def is_harmed(document: str, listener: Listener) -> bool:
    return ran(document) or listener.asked != []


HARMFUL = (
    f"<script>{RAN}</script>",
    f'<img src=x onerror="{RAN}">',
    f'<details open ontoggle="{RAN}">x</details>',
    "<img src=http://evil.example/image.png>",
    "<link rel=stylesheet href=http://evil.example/style.css>",
)


@pytest.mark.parametrize("text", HARMFUL, ids=lambda text: text[1:8])
def test_a_page_that_takes_texts_for_more_than_text_is_found_out(
    opened: Callable[[Path], str], listener: Listener, tmp_path: Path, text: str
) -> None:
    """The checks below, of a page that they must not let pass."""
    assert text in RUNNING
    for written, harmed in ((text, True), (escape(text), False)):
        page = tmp_path / "page.html"
        page.write_text(f"<!DOCTYPE html><title>x</title><p>{written}</p>", encoding="utf-8")
        listener.asked.clear()
        assert is_harmed(opened(page), listener) == harmed


POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


@pytest.fixture
def pages(
    build_pages: Callable[..., Any], base_text: str, tmp_path: Path
) -> Callable[[list[str], list[str]], dict[str, Path]]:
    """The pages of a lab with these texts and notes, with their policy and without it."""

    def pages(texts: list[str], notes: list[str]) -> dict[str, Path]:
        built = build_pages(lab_with(texts, base_text), notes_with(notes))
        found = {}
        for code in CODES:
            page = built.html(code)
            assert len(POLICY.findall(page)) == 1
            for name, content in ((code, page), (f"{code}, no policy", POLICY.sub("", page))):
                found[name] = tmp_path / f"{len(texts)} {texts[0][:4].strip('<')} {name}.html"
                found[name].write_text(content, encoding="utf-8")
        return found

    return pages


def unscrolled(shape: Shape) -> list[tuple[str, ...]]:
    """Elements with their attributes, but for that of a table that is too wide for its place."""
    return [tuple(word for word in tag if word != "tabindex") for tag in shape.tags]


def test_no_text_runs_or_fetches_or_becomes_part_of_the_page(
    pages: Callable[[list[str], list[str]], dict[str, Path]],
    opened: Callable[[Path], str],
    listener: Listener,
) -> None:
    """Not even without the policy that forbids it; the structure is what the browser has made."""
    harmless = [f"word{number}x" for number in range(len(RUNNING))]
    plain = pages(harmless, harmless)
    hostile = pages(RUNNING, harmless)
    for name, page in hostile.items():
        document = opened(page)
        assert not is_harmed(document, listener), (name, listener.asked)
        found = Shape(document)
        assert unscrolled(found) == unscrolled(Shape(opened(plain[name]))), name
        assert RUNNING[0] in found.text


def test_no_note_runs_or_fetches(
    pages: Callable[[list[str], list[str]], dict[str, Path]],
    opened: Callable[[Path], str],
    listener: Listener,
) -> None:
    for name, page in pages(CORPUS, [*RUNNING, *CORPUS]).items():
        if "no policy" not in name:
            check_policy(page.read_text(encoding="utf-8"))
        document = opened(page)
        assert not is_harmed(document, listener), (name, listener.asked)
        found = Shape(document)
        assert RUNNING[0] in found.text
        tags = {tag for tag, *_ in found.tags}
        assert not tags & {"iframe", "object", "embed", "form", "link", "base"}
        for attribute, value in found.values:
            assert not attribute.startswith("on")
            if attribute in ("href", "src", "xlink:href"):
                assert value.startswith(("#", "data:image/svg+xml"))


def test_a_page_that_is_served_loads_again_and_runs_nothing_else(
    build_pages: Callable[..., Any],
    base_text: str,
    listener: Listener,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one script that is put in does run: told of another report, it loads the page again."""
    built = build_pages(lab_with(RUNNING, base_text), notes_with(RUNNING))
    asked: list[str] = []
    twice = threading.Event()

    def changed_at_first(server: Server, version: str) -> bool:
        asked.append(version)
        if len(asked) == 2:
            twice.set()
        return len(asked) == 1 or twice.wait(60)

    monkeypatch.setattr(Server, "wait", changed_at_first)
    with serving(built.output) as server:
        arguments = [*command(listener, tmp_path / "profile"), "--remote-debugging-port=0"]
        with subprocess.Popen(
            [*arguments, server.address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as browser:
            loaded_again = twice.wait(60)
            browser.terminate()
        assert loaded_again
        assert asked[:2] == [server.version()] * 2
    assert listener.asked == []
