"""The pictures of the README, made from the lab that ships. Run by script/pictures."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pypdfium2
from PIL import Image, ImageOps

from labreport.build.pipeline import build
from labreport.build.request import Request
from labreport.shipped import shipped

HERE = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

SHOWN = (("2.2", 0), ("4.1", 0), ("4.4", 1))
"""Pages that are shown, as so many behind the first one of a section: formulas, a comparison, a
sweep."""

DPI = 64
SHADOW = "#9aa5ae"
SCREEN = {"width": 1100, "height": 760}
"""In pixels."""


def main() -> None:
    """Build the report, and write pages.png and screen.png."""
    with tempfile.TemporaryDirectory() as name:
        output = Path(name)
        build(Request(shipped("experiments.toml"), (), ("zh", "en"), output), lambda *_: None)
        pages(output / "report.pdf").save(HERE / "pages.png", optimize=True)
        screen(output / "report.en.html", HERE / "screen.png")


def pages(pdf: Path) -> Image.Image:
    """Some pages, side by side."""
    document = pypdfium2.PdfDocument(pdf)
    places = {item.get_title().split()[0]: item.get_dest() for item in document.get_toc()}
    shown = [
        ImageOps.expand(
            document[places[section].get_index() + behind].render(scale=DPI / 72).to_pil(),
            1,
            SHADOW,
        )
        for section, behind in SHOWN
    ]
    width, height = shown[0].size
    gap = width // 30
    whole = Image.new("RGB", (len(shown) * (width + gap) - gap, height), "white")
    for number, page in enumerate(shown):
        whole.paste(page, (number * (width + gap), 0))
    document.close()
    # That many colours are enough, and take a third of the bytes.
    return whole.quantize(256)


def screen(page: Path, picture: Path) -> None:
    """A part of the page in a browser: the slider of the base run."""
    from playwright.sync_api import sync_playwright

    browser = next(found for name in BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = opened.new_page(viewport=SCREEN)
        tab.goto(f"{page.as_uri()}#figure-1")
        slider = tab.locator("#figure-1 input[type=range]")
        slider.wait_for()
        slider.focus()
        for _ in range(5):
            slider.press("ArrowRight")
        tab.screenshot(path=picture)
        opened.close()


if __name__ == "__main__":
    main()
