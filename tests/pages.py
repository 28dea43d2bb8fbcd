"""What tests of pages share: a page taken apart, and what may be in it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from labreport.shipped import shipped

VOID = {"meta", "br", "hr", "img", "link", "input"}

ALLOWED = {
    "html", "head", "body", "meta", "title", "style", "script", "header", "nav", "main", "article",
    "section", "div", "h1", "h2", "h3", "h4", "h5", "h6", "p", "span", "a", "ol", "ul", "li", "dl",
    "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption",
    "pre", "br", "hr", "sup", "em", "strong", "code", "blockquote", "details", "summary", "button",
    "math", "mrow", "mi", "mn", "mo", "mspace", "msub", "msup", "msubsup", "munder", "munderover",
    "mfrac", "mtable", "mtr", "mtd", "mtext", "mstyle", "mover", "msqrt",
}  # fmt: skip
"""Elements of a page, beside those of its pictures."""

DRAWN = {"svg", "defs", "g", "path", "use", "clippath", "rect", "pattern", "image"}
"""Elements of a picture."""

SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
EMBEDDED = re.compile(r'<script type="application/json" class="[a-z]+">([^<]*)</script>')
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


def digest(text: str) -> str:
    """What a policy calls an inline script or style sheet."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def edition(page: str, code: str) -> str:
    """The report in one language, out of a page with several."""
    pattern = rf'<article [^>]*data-language="{code}".*?</article>'
    (found,) = re.findall(pattern, page, re.DOTALL)
    return str(found)


def check_policy(page: str) -> None:
    """One script, the tool's own, and data that is no script; the policy allows no other."""
    (script,), (style,) = SCRIPT.findall(page), STYLE.findall(page)
    files = (shipped("templates") / name for name in ("vendor/uPlot.min.js", "page.js"))
    assert script == "\n".join(file.read_text(encoding="utf-8") for file in files)
    assert POLICY.findall(page) == [
        f"default-src 'none'; img-src data:; font-src data:; style-src '{digest(style)}'; "
        f"script-src '{digest(script)}'"
    ]
    embedded = EMBEDDED.findall(page)
    assert page.count("<script") == 1 + len(embedded)
    for data in embedded:
        json.loads(data)


class Page(HTMLParser):
    """A page, or a part of one, whose every element is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == [], "elements that were never closed"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names), f"an attribute twice in <{tag}>"
        self.elements.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def of(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        """All that a reader reads."""
        return "".join(data for tag, data in self.words if tag not in ("style", "script"))


def check_closed_off(text: str) -> None:
    """Nothing runs but the page's own script, nothing is fetched, nothing leads away."""
    check_policy(text)
    page = Page(text)
    assert {tag for tag, _ in page.elements} <= ALLOWED | DRAWN
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        for name, value in attributes.items():
            if name in ("src", "href", "srcset", "action", "data", "poster", "background"):
                start = "data:image/png;base64," if tag == "image" else "#"
                assert value.startswith(start), (tag, name)
    for style in (data for tag, data in page.words if tag == "style"):
        assert not re.search(r"@import|expression|<", style)
        assert all(url.startswith("data:font/") for url in re.findall(r"url\((.*?)\)", style))
