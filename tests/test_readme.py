"""The README shows what is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_picture_and_page_that_is_referred_to_is_there() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_picture_is_made_by_the_script() -> None:
    script = (ROOT / "docs/images/pictures.py").read_text(encoding="utf-8")
    pictures = sorted((ROOT / "docs/images").glob("*.png"))
    assert pictures
    assert all(f'"{picture.name}"' in script for picture in pictures)
