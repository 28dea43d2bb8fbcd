"""Thousands of bad lab files: each ends in a message and exit code 2, quickly, and writes nothing.

A few hundred are made in every run of the tests. LABREPORT_FUZZ=10000 makes so many, which takes
some minutes; CONTRIBUTING.md says when to.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_texts import MINIMAL, toml
from test_lab_hostile import mutated
from typer.testing import CliRunner

from labreport.cli.app import app
from labreport.shipped import shipped

EXAMPLES = int(os.environ.get("LABREPORT_FUZZ", "200"))
SECONDS = 1.0
LOCALES = ("zh_CN.UTF-8", "en_US.UTF-8")

GOOD = [
    MINIMAL,
    *(
        # Thousands of starts take time, and show nothing more.
        re.sub(r"^seeds = .*", "seeds = 2", path.read_text(encoding="utf-8"), flags=re.M)
        for path in (
            shipped("experiments.toml"),
            *sorted((shipped("templates") / "labs").glob("*.toml")),
        )
    ),
]

TOKENS = st.sampled_from(
    [
        *("nan", "inf", "-inf", "1e400", "-0.0", "0", "-1", "1_000_000_000_000", "9" * 30, "0x10"),
        *("true", '""', '"x"', "''", "[]", "[[]]", "[1, 1.0]", "{}", "{ from = 1 }", "1979-05-27"),
        *('"../../etc/passwd"', '"C:\\\\lab"', '"C:\\lab"', '"<script>x</script>"', "'''a\nb'''"),
        *('"\\u0007"', '"\\u202e"', '"\u202e"', '"\U0010fff0"', '"=1+1"', '"{x}"', '"%s"', "?"),
        *("[" * 40 + "]" * 40, '{ name = "adam" }', '["sigmoid", "relu"]', "{ a.b.c = [1] }"),
        *("{ from = 1, to = 1, count = 2 }", "{ from = 1, to = 10, count = 10000 }", "[1, 'a']"),
    ]
)
LINES = st.sampled_from(
    [
        *(
            "[base]",
            "[[base]]",
            "[experiment]",
            "[experiment.'../x']",
            "[experiment.first.variant]",
        ),
        *("seeds = 1000000000000", "seeds = [1, 1]", "rounds = -3", "= 1", "a.b.c = 1", "x"),
        *("sweep.rounds = [1, 1]", "sweep.seed = [0, 1]", "against = 'base'", "change = 1"),
        *("change.network.layers = [2]", "sweep = { optimizer = 1 }", "languages = ['fr']", "\x00"),
        *(
            "change.base.rounds = 1",
            "check_fonts = 'no'",
            "format = 99",
            "'' = ''",
            '"\\ud800" = 1',
        ),
        *("budgets = [0]", "budgets = [1000000]", "record_every = 0", "[appendix.a.b]", "\ufeff"),
    ]
)


@st.composite
def garbled(draw: st.DrawFn) -> bytes:
    """A good lab whose text was changed in up to four places, and perhaps its bytes."""
    lines = draw(st.sampled_from(GOOD)).split("\n")
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        action = draw(st.integers(0, 8))
        key, equals, _ = line.partition(" = ")
        if action <= 2 and equals:
            lines[place] = f"{key} = {draw(TOKENS)}"
        elif action == 3:
            lines.insert(place, draw(LINES))
        elif action == 4 and len(lines) > 1:
            del lines[place]
        elif action == 5:
            lines.insert(place, line)
        elif action == 6 and line:
            at = draw(st.integers(0, len(line) - 1))
            lines[place] = line[:at] + line[at + 1 :]
        elif action == 7:
            at = draw(st.integers(0, len(line)))
            lines[place] = (
                line[:at] + draw(st.sampled_from(list("\"'[]{}=,.#\\\x07é中\u202e"))) + line[at:]
            )
        else:
            other = draw(st.integers(0, len(lines) - 1))
            lines[place], lines[other] = lines[other], line
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    manner = draw(st.integers(0, 19))
    if manner == 0:
        return content.replace(b"\n", b"\r\n")
    if manner == 1:
        return b"\xef\xbb\xbf" + content
    if manner == 2:
        return content.decode("utf-8", "replace").encode("utf-16")
    if manner == 3:
        return content.decode("utf-8", "replace").encode("gb18030")
    if manner == 4:
        return content[: draw(st.integers(0, len(content)))]
    if manner == 5:
        at = draw(st.integers(0, len(content)))
        return content[:at] + draw(st.binary(min_size=1, max_size=4)) + content[at:]
    return content


BAD = st.one_of(garbled(), garbled(), mutated().map(lambda raw: toml(raw).encode()))

seen: Counter[str] = Counter()


def checked(path: Path, locale: str) -> tuple[Result, float]:
    """What the command says, and how long it kept the processor busy, in seconds."""
    start = time.process_time()
    done = CliRunner().invoke(app, ["check", str(path)], env={"LC_ALL": locale})
    return done, time.process_time() - start


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES < 1000,
    suppress_health_check=list(HealthCheck),
)
@given(content=BAD, locale=st.sampled_from(LOCALES))
def test_a_bad_lab_is_told_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, locale: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    folder.mkdir(exist_ok=True)
    path = folder / "lab.toml"
    path.write_bytes(content)
    done, took = checked(path, locale)
    assert [entry.name for entry in folder.iterdir()] == ["lab.toml"]
    seen["good" if done.exit_code == 0 else "bad"] += 1
    if done.exit_code == 0:
        return
    # Once more where it took long: the first one imports, and a machine may be held up.
    assert took < SECONDS or checked(path, locale)[1] < SECONDS
    assert (done.exit_code, done.stdout) == (2, "")
    assert isinstance(done.exception, SystemExit)
    first, *_, last = done.stderr.splitlines()
    assert first.startswith(f"{path}:")
    assert re.search(r"^\d+ 处错误。$" if locale == LOCALES[0] else r"^\d+ faults?\.$", last)
    # What the file holds cannot speak to the terminal.
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e]", done.stderr)
    # No fault is left to pydantic's words, which are English alone.
    assert not re.search(r"(不合格式：|invalid: )", done.stderr)


def test_most_of_them_were_bad() -> None:
    assert seen["bad"] > 2 * seen["good"] > 0
    print(dict(seen))


def test_the_labs_that_are_garbled_were_good(tmp_path: Path) -> None:
    for path in (shipped("templates") / "labs").glob("*.csv"):
        shutil.copy(path, tmp_path)
    for number, text in enumerate(GOOD):
        tomllib.loads(text)
        path = tmp_path / f"{number}.toml"
        path.write_text(text, encoding="utf-8")
        assert CliRunner().invoke(app, ["check", str(path)]).exit_code == 0
