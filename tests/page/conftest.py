"""A browser for the tests of the page, and pages that it has opened."""

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NEEDED = "LABREPORT_NEEDS_CHROMIUM"

SIZES = {"wide": (1280, 900), "phone": (390, 800)}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium, started once; script/test installs it where it can."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        missing = f"no Chromium here ({', '.join(NAMES)}): the page was not tested in a browser"
        if os.environ.get(NEEDED):
            pytest.fail(missing)
        pytest.skip(missing)
    with warnings.catch_warnings():
        # Playwright's loop is closed when the interpreter ends, which asyncio may say late.
        warnings.simplefilter("ignore", ResourceWarning)
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            # In a container root has no sandbox; the page opened is the tests' own.
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
            yield browser
            browser.close()


@dataclass
class Opened:
    """A page in a browser, with what it said and asked for."""

    page: Any
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open a file; when the test is over, no page may have said or fetched anything."""
    opened: list[Opened] = []
    files: set[str] = set()
    contexts: list[Any] = []

    def open_file(
        path: Path, size: str = "wide", scheme: str = "light", place: str = "", **options: Any
    ) -> Any:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        one = Opened(context.new_page())
        opened.append(one)
        one.page.on("console", lambda message: one.messages.append(message.text))
        one.page.on("pageerror", lambda error: one.messages.append(str(error)))
        one.page.on("request", lambda request: one.requests.append(request.url))
        files.add(path.as_uri())
        one.page.goto(path.as_uri() + (f"#{place}" if place else ""))
        return one.page

    yield open_file
    said = [message for one in opened for message in one.messages]
    fetched = [url for one in opened for url in one.requests if not url.startswith("data:")]
    for context in contexts:
        context.close()
    assert said == []
    # Only the files themselves.
    assert fetched
    assert set(fetched) <= files, fetched


@pytest.fixture(scope="session")
def report(shipped_build: Any) -> Path:
    """The page of the lab that ships, in Chinese first."""
    return shipped_build.output / "report.html"
