"""The page in a browser: everything in it works, and without script everything is there."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Open = Callable[..., Any]

FIRST_TABLE = "#table-5"

DRAWN = (0, 1, 4)
"""Rows of that table that have a curve of their own: the others are the same runs."""


def values(page: Any, column: int, table: str = FIRST_TABLE) -> list[str]:
    cells = page.locator(f"{table} tbody tr > :nth-child({column})")
    return [text.strip() for text in cells.all_inner_texts()]


def drawn(page: Any, column: int) -> list[str]:
    """The numbers of the curves in a column of the first table."""
    shown = [text.split()[0] for text in values(page, column)]
    return [shown[row] for row in DRAWN]


# --- accessibility -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "size", "scheme"),
    [
        ("zh", "wide", "light"),
        ("zh", "phone", "light"),
        ("zh", "wide", "dark"),
        ("en", "phone", "dark"),
    ],
)
def test_axe_finds_nothing(
    open_page: Open, report: Path, code: str, size: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(report, size, scheme, place=code)
    # What is drawn only when it comes near is looked at too.
    for figure in page.locator(f"#{code} figure").all():
        figure.scroll_into_view_if_needed()
    page.locator(f"#{code} .reader canvas").first.wait_for()
    page.locator(f"#{code} details.evidence").first.evaluate("details => { details.open = true }")
    found = Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]][:3]) for v in found] == []


def test_a_page_is_no_wider_than_its_screen(open_page: Open, report: Path) -> None:
    for size in ("wide", "phone"):
        page = open_page(report, size)
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, size


def test_the_first_tab_stop_leads_to_the_text(open_page: Open, report: Path) -> None:
    page = open_page(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#text")
    assert page.locator("#text").evaluate("e => Math.abs(e.getBoundingClientRect().top)") < 60


# --- without script ----------------------------------------------------------------------------


def test_without_script_everything_is_readable(open_page: Open, report: Path) -> None:
    page = open_page(report, java_script_enabled=False)
    for selector, least in (
        (".report", 2), (".picture svg", 20), (".table table", 28), ("math", 30),
        ("li[id], .running-text span[id]", 120), ("span[id]", 60),
    ):  # fmt: skip
        every = page.locator(selector).all()
        assert len(every) >= least, selector
        assert all(element.is_visible() for element in every[:: max(1, len(every) // 25)]), selector
    assert page.locator("button:visible").count() == 0
    # What a claim rests on opens without a script.
    details = page.locator("details.evidence").first
    details.locator("summary").click()
    assert details.locator(".grounds").is_visible()
    # The other language is a link away.
    page.locator("#zh .language-switch").click()
    assert page.url.endswith("#en")
    assert page.locator("#en h1").is_visible()


def test_paper_has_pictures_and_no_controls(open_page: Open, report: Path) -> None:
    page = open_page(report, scheme="dark", place="figure-4")
    page.locator("#figure-4 canvas").wait_for()
    page.locator("#claim-9 summary").click()
    page.emulate_media(media="print")
    # What a reader has opened is printed, with its numbers.
    assert page.locator("#claim-9 .reading .value").first.is_visible()
    assert page.locator("#figure-4 .picture svg").is_visible()
    for selector in ("#figure-4 .reader", "#zh .switches", "#figure-4 .here", "#figure-1 .rounds"):
        assert not page.locator(selector).is_visible(), selector
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


# --- languages, colours, places ----------------------------------------------------------------


def test_the_language_changes_and_the_place_stays(open_page: Open, report: Path) -> None:
    page = open_page(report, place="table-5")
    assert page.locator("#zh").is_visible()
    assert not page.locator("#en").is_visible()
    page.evaluate("scrollTo(0, 0)")
    page.locator("#zh .language-switch").click()
    assert page.locator("#en").is_visible()
    assert not page.locator("#zh").is_visible()
    assert page.url.endswith("#en-table-5")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title() == page.locator("#en h1").inner_text()
    page.go_back()
    page.locator("#zh").wait_for()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_a_link_to_a_figure_leads_there_in_the_other_language_and_in_the_other_file(
    open_page: Open, report: Path
) -> None:
    page = open_page(report, place="figure-9")
    page.wait_for_function("document.getElementById('figure-9').getBoundingClientRect().top < 400")
    page.locator("#zh .language-switch").click()
    assert page.url.endswith("#en-figure-9")
    # There the English places have no language in front.
    other = open_page(report.with_name("report.en.html"), place="en-figure-9")
    top = "document.getElementById('figure-9').getBoundingClientRect().top"
    other.wait_for_function(f"Math.abs({top}) < 400")


def test_a_figure_that_can_be_zoomed_is_described_like_its_picture(
    open_page: Open, report: Path
) -> None:
    page = open_page(report, place="figure-4")
    figure = page.locator("#figure-4.interactive")
    figure.wait_for()
    words = figure.locator(".picture [aria-label]").first.get_attribute("aria-label")
    assert words
    assert figure.locator(".reader > .spoken").first.inner_text() == words


def test_the_drawing_that_moves_says_what_its_units_are(open_page: Open, report: Path) -> None:
    page = open_page(report, place="figure-1")
    drawing = page.locator("#figure-1 .rounds .network")
    drawing.wait_for()
    before = drawing.get_attribute("aria-label")
    assert "o1 0.4769" in before
    page.locator("#figure-1 .rounds input").press("End")
    after = drawing.get_attribute("aria-label")
    assert after != before
    assert "o1 0.4047" in after


def test_the_page_is_dark_where_the_system_is_and_where_it_is_told(
    open_page: Open, report: Path
) -> None:
    def background(page: Any) -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    page = open_page(report, scheme="light")
    button = page.locator("#zh .theme-switch")
    assert background(page) == "rgb(255, 255, 255)"
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert background(page) == "rgb(26, 26, 26)"
    assert button.get_attribute("aria-pressed") == "true"
    page.reload()
    assert background(page) == "rgb(26, 26, 26)"
    dark = open_page(report, scheme="dark")
    assert background(dark) == "rgb(26, 26, 26)"
    dark.locator("#zh .theme-switch").click()
    assert background(dark) == "rgb(255, 255, 255)"


def test_a_link_to_a_claim_opens_what_it_rests_on(open_page: Open, report: Path) -> None:
    page = open_page(report, place="claim-9")
    assert page.locator("#claim-9 details").evaluate("details => details.open")
    assert page.locator("#claim-9 .grounds").is_visible()
    assert page.locator("#claim-9").evaluate("e => Math.abs(e.getBoundingClientRect().top)") < 60
    # From a key finding to its evidence.
    link = page.locator("#key-answers a.evidence").first
    target = str(link.get_attribute("href"))
    link.click()
    assert page.locator(f"{target} .grounds").is_visible()
    # In the other language, too.
    page.goto(page.url.split("#")[0] + "#en-claim-4")
    assert page.locator("#en-claim-4 .grounds").is_visible()


def test_every_figure_table_and_claim_has_a_link_that_leads_to_it(
    open_page: Open, report: Path
) -> None:
    page = open_page(report)
    for place in ("figure-4", "table-5", "formula-2", "claim-4", "experiment-relu"):
        link = page.locator(f'#zh a.here[href="#{place}"]')
        link.focus()
        link.press("Enter")
        assert page.url.endswith(f"#{place}")
        assert page.locator(f"#{place}").evaluate("e => e.matches(':target')")


def test_the_contents_follow_and_stay_in_sight(open_page: Open, report: Path) -> None:
    page = open_page(report)
    for name in ("set-up", "experiment-relu", "conclusions"):
        page.evaluate("name => document.getElementById(name).scrollIntoView()", name)
        link = page.locator(f'#zh .contents a[aria-current="true"][href="#{name}"]')
        link.wait_for()
        assert link.evaluate("e => e.getBoundingClientRect().top < innerHeight")


# --- tables ------------------------------------------------------------------------------------


def test_a_table_sorts_by_click_and_by_keyboard(open_page: Open, report: Path) -> None:
    page = open_page(report)
    written = values(page, 1)
    head = page.locator(f"{FIRST_TABLE} thead th").nth(4)
    head.scroll_into_view_if_needed()
    # The curves beside it take their place first, and the table moves.
    page.locator("#figure-2.interactive").wait_for()
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    numbers = [float(re.sub(r"[^\d.]", "", text)) for text in values(page, 5)]
    assert numbers == sorted(numbers)
    assert values(page, 1) != written
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    numbers = [float(re.sub(r"[^\d.]", "", text)) for text in values(page, 5)]
    assert numbers == sorted(numbers, reverse=True)
    head.locator("button").press(" ")
    assert head.get_attribute("aria-sort") is None
    assert values(page, 1) == written


ORDER = [
    *("−∞", "−445.3", "−0.5", "0", "1.2×10<sup>−5</sup>", "0.02890 ★", "0.5 (7)", "85.1%"),
    *("10<sup>3</sup>", "6.7×10<sup>8</sup>", "∞"),
]


def test_numbers_of_every_shape_sort_by_size_and_dashes_last(
    open_page: Open, report: Path, tmp_path: Path
) -> None:
    text = report.read_text(encoding="utf-8")
    rows = "".join(f"<tr><td>{number}</td></tr>" for number in [*reversed(ORDER), "—"])
    head = '<thead><tr><th scope="col">n</th></tr></thead>'
    odd = f'<div class="table" id="odd"><table>{head}<tbody>{rows}</tbody></table></div>'
    path = tmp_path / "report.html"
    path.write_text(text.replace("</article>", odd + "</article>", 1), encoding="utf-8")
    page = open_page(path)
    button = page.locator("#odd button")
    shown = [re.sub("<[^>]+>", "", number) for number in ORDER]
    button.click()
    assert values(page, 1, "#odd") == [*shown, "—"]
    button.click()
    assert values(page, 1, "#odd") == [*reversed(shown), "—"]


def test_markup_that_somebody_brings_in_runs_nothing(
    chromium: Any, report: Path, tmp_path: Path
) -> None:
    text = report.read_text(encoding="utf-8")
    evil = "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
    path = tmp_path / "report.html"
    path.write_text(text.replace("</article>", evil + "</article>", 1), encoding="utf-8")
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path.as_uri())
    page.locator("#zh .theme-switch").wait_for()
    assert page.evaluate("window.ran === undefined")
    assert sum("Content Security Policy" in text for text in complaints) >= 2
    page.context.close()


# --- curves ------------------------------------------------------------------------------------


def test_curves_are_zoomed_by_dragging_and_shown_whole_again(open_page: Open, report: Path) -> None:
    page = open_page(report, place="figure-4")
    figure = page.locator("#figure-4")
    figure.locator("canvas").wait_for()
    assert not figure.locator(".picture svg").is_visible()
    assert not figure.locator(".whole").is_visible()
    figure.locator(".frame").scroll_into_view_if_needed()
    box = figure.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 70, steps=6)
    page.mouse.up()
    figure.locator(".whole").wait_for()
    figure.locator(".whole").click()
    assert not figure.locator(".whole").is_visible()
    figure.locator(".swap").click()
    assert figure.locator(".picture svg").is_visible()
    assert not figure.locator("canvas").is_visible()
    figure.locator(".swap").click()
    assert figure.locator("canvas").is_visible()


RECORD = """() => {
  const own = CanvasRenderingContext2D.prototype.fillText;
  window.written = [];
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    window.written.push(text);
    return own.call(this, text, ...rest);
  };
}"""


@pytest.mark.parametrize(("start", "end"), [(0.2, 0.5), (0.55, 0.8), (0.9, 0.97)])
def test_a_part_of_the_rounds_has_numbers_along_its_axis(
    open_page: Open, report: Path, start: float, end: float
) -> None:
    page = open_page(report, place="figure-4")
    figure = page.locator("#figure-4")
    figure.locator("canvas").wait_for()
    figure.locator(".frame").scroll_into_view_if_needed()
    box = figure.locator(".u-over").bounding_box()
    page.evaluate(RECORD)
    page.mouse.move(box["x"] + start * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 60, steps=6)
    page.mouse.up()
    figure.locator(".whole").wait_for()
    written = {text for text in page.evaluate("window.written") if re.fullmatch(r"[\d.]+", text)}
    rounds = {float(text) for text in written if float(text) > 1}
    assert len(rounds) >= 2


def test_curves_are_read_off_by_pointer_and_by_keyboard(open_page: Open, report: Path) -> None:
    page = open_page(report, place="figure-2")
    figure = page.locator("#figure-2")
    figure.locator("canvas").wait_for()
    read = figure.locator(".legend .value")
    # At rest: the last losses, as the table below has them.
    at_the_end = drawn(page, 5)
    assert read.all_inner_texts() == at_the_end
    figure.locator(".frame").focus()
    page.keyboard.press("Home")
    assert figure.locator(".at").inner_text().endswith(" 0")
    assert read.all_inner_texts() == drawn(page, 2)
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert figure.locator(".at").inner_text().endswith(" 10")
    assert read.all_inner_texts() == drawn(page, 3)
    assert read.first.inner_text() in figure.locator(".spoken[aria-live]").inner_text()
    page.keyboard.press("+")
    figure.locator(".whole").wait_for()
    page.keyboard.press("0")
    assert not figure.locator(".whole").is_visible()
    figure.locator(".frame").scroll_into_view_if_needed()
    box = figure.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 60)
    assert read.all_inner_texts() == at_the_end
    curve = figure.locator(".legend button").first
    curve.click()
    assert curve.get_attribute("aria-pressed") == "false"


# --- rounds ------------------------------------------------------------------------------------


def test_the_slider_moves_network_gradients_and_place_together(
    open_page: Open, report: Path, shipped_build: Any
) -> None:
    page = open_page(report, place="figure-1")
    figure = page.locator("#figure-1")
    slider = figure.locator("input[type=range]")
    slider.wait_for()

    def shown() -> list[Any]:
        lines = figure.locator(".network line").evaluate_all(
            "all => all.map(line => line.getAttribute('stroke-width'))"
        )
        point = figure.locator(".point")
        cells = figure.locator(".stage td").all_inner_texts()
        return [lines, (point.get_attribute("cx"), point.get_attribute("cy")), cells]

    before = shown()
    trace = shipped_build.measured.base.trace
    assert before[2][1] == "0.2000"
    assert slider.get_attribute("aria-valuetext").endswith(f"{trace.losses[0]:.4f}")
    slider.focus()
    page.keyboard.press("ArrowRight")
    after = shown()
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert slider.get_attribute("aria-valuetext").endswith(f"{trace.losses[1]:.4f}")
    page.keyboard.press("End")
    assert slider.get_attribute("aria-valuetext").endswith(f"{trace.losses[-1]:.4f}")
    figure.locator(".play").click()
    for _ in range(100):
        if slider.input_value() in "345":
            break
        page.wait_for_timeout(30)
    assert slider.input_value() in "345"
    figure.locator(".play").click()
    figure.locator(".swap").click()
    assert figure.locator(".picture svg").is_visible()


def test_nothing_moves_by_itself_where_that_is_not_wanted(open_page: Open, report: Path) -> None:
    page = open_page(report, place="figure-1", reduced_motion="reduce")
    page.locator("#figure-1 input[type=range]").wait_for()
    assert not page.locator("#figure-1 .play").is_visible()
