"""Whatever a lab file contains, reading it ends in a lab or in an InputError that tells where."""

import copy
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_texts import MINIMAL, changed, toml

from labreport.errors import Fault, InputError
from labreport.lab.plan import Lab
from labreport.lab.reading.faults import MAXIMUM_FAULTS
from labreport.lab.reading.load import load
from labreport.lab.reading.toml_file import MAXIMUM_BYTES, MAXIMUM_DEPTH

Faults = Callable[[str | bytes], tuple[Fault, ...]]
Loaded = Callable[[str], Lab]

SHIPPED = tomllib.loads(
    (Path(__file__).resolve().parents[2] / "experiments.toml").read_text(encoding="utf-8")
)
for _experiment in SHIPPED["experiment"].values():
    for _variant in _experiment.get("variant", ()):
        if "seeds" in _variant:
            _variant["seeds"] = 2  # a thousand starts take time, and show nothing more


def code_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(path)
    (fault,) = caught.value.faults
    assert fault.file == path
    return fault.code


# ------------------------------------------------------------------------------------- the file


def test_no_file(tmp_path: Path) -> None:
    assert code_of(tmp_path / "none.toml") == "file-missing"
    assert code_of(tmp_path / "no folder" / "none.toml") == "file-missing"


def test_a_folder(tmp_path: Path) -> None:
    assert code_of(tmp_path) == "file-unreadable"


def test_a_file_where_a_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert code_of(tmp_path / "file" / "lab.toml") == "file-unreadable"


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    assert code_of(tmp_path / name) == "file-unreadable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(MINIMAL)
    path.chmod(0)
    assert code_of(path) == "file-unreadable"


def test_a_huge_file_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse
    with pytest.raises(InputError) as caught:
        load(path)
    (fault,) = caught.value.faults
    assert fault.code == "file-too-large"
    assert dict(fault.values) == {"bytes": 2**40, "limit": MAXIMUM_BYTES}


def test_the_largest_file(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    comment = "#" * (MAXIMUM_BYTES - len(MINIMAL))
    path.write_text(MINIMAL + comment)
    assert load(path).names == ("first",)
    path.write_text(MINIMAL + comment + "#")
    assert code_of(path) == "file-too-large"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_that_never_ends() -> None:
    assert code_of(Path("/dev/zero")) == "not-regular"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_into_which_nobody_writes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lab.toml")
    assert code_of(tmp_path / "lab.toml") == "not-regular"
    (tmp_path / "link.toml").symlink_to("lab.toml")
    assert code_of(tmp_path / "link.toml") == "not-regular"


def test_a_link_that_leads_to_itself(tmp_path: Path) -> None:
    (tmp_path / "lab.toml").symlink_to("lab.toml")
    assert code_of(tmp_path / "lab.toml") == "file-unreadable"


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no such folder here")
def test_a_pipe_is_a_file_too() -> None:
    reader, writer = os.pipe()
    os.write(writer, MINIMAL.encode())
    os.close(writer)
    try:
        assert load(Path(f"/dev/fd/{reader}")).names == ("first",)
    finally:
        os.close(reader)


def test_an_empty_file_lacks_what_every_lab_has(faults: Faults) -> None:
    for nothing in ("", "\n\n", "# nothing\n", "\ufeff"):
        found = faults(nothing)
        assert {(fault.code, fault.line) for fault in found} == {("missing-key", 1)}
        assert {"base", "experiment"} <= {fault.key for fault in found}


# ------------------------------------------------------------------------------------- the text


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(
    loaded: Loaded, faults: Faults
) -> None:
    plain = loaded(MINIMAL)
    text = "\ufeff" + MINIMAL.replace("\n", "\r\n")
    assert loaded(text).base == plain.base
    (fault,) = faults(text.replace("rounds = 10", "rounds = 0"))
    assert (fault.line, fault.column, fault.excerpt) == (5, 1, "rounds = 0")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "gb18030"])
def test_another_encoding(faults: Faults, encoding: str) -> None:
    (fault,) = faults(changed(add='question = "é"\n').encode(encoding))
    assert fault.code == "not-utf-8"
    assert fault.line == (1 if encoding == "utf-16" else len(MINIMAL.split("\n")))


def test_separators_that_only_python_takes_for_line_ends(faults: Faults) -> None:
    (fault,) = faults(changed(("rounds = 10", "# a\u2028b\u0085c\u2029d\nrounds = 0")))
    assert fault.excerpt == "rounds = 0"


DEPTHS = [MAXIMUM_DEPTH, 100, 500, 2000, 200_000]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "write",
    [
        lambda depth: f"change.{'.'.join('a' * depth)} = 1\n",
        lambda depth: f"sweep.{'.'.join('a' * depth)} = [1]\n",
        lambda depth: f"[base.{'.'.join('a' * depth)}]\n",
        lambda depth: f"change.rounds = {'[' * depth}{']' * depth}\n",
        lambda depth: f"change.x = {'{a=' * depth}1{'}' * depth}\n",
    ],
    ids=["change", "sweep", "table", "array", "inline"],
)
def test_deep_nesting(faults: Faults, write: Callable[[int], str], depth: int) -> None:
    (fault,) = faults(changed(add=write(depth)))
    assert fault.code == "toml-syntax"
    assert fault.line >= 1


@pytest.mark.parametrize(
    "text",
    ["\x1b[31mred", "a\\u0007b", "a\\u001b]0;title\\u0007", "line\\rline", "\\u009b31m"],
)
@pytest.mark.parametrize("key", ["title", "question"])
def test_control_characters_in_a_text(faults: Faults, key: str, text: str) -> None:
    other = changed(('title = "First"', f'{key} = "{text}"'))
    codes = {fault.code for fault in faults(other) if fault.code != "missing-key"}
    assert codes <= {"control-character", "toml-syntax"}
    assert codes


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "&amp;", "{{ 7 * 7 }}", "$x$", "\\\\"]
)
def test_markup_in_a_text_is_text(loaded: Loaded, text: str) -> None:
    title = loaded(changed(('title = "First"', f'title = "{text}"'))).plan("first").experiment.title
    assert title.within("en") == text.replace("\\\\", "\\")


ENDLESS = {
    "inputs": changed(("[[0.5, 0.3]]", "[[" + "'', " * 300_000 + "]]")),
    "rows": changed(("[[0.5, 0.3]]", "[" + "[1], " * 200_000 + "]")),
    "keys": changed(add="".join(f"k{n} = {n}\n" for n in range(30_000))),
    "swept": changed(add="sweep.optimizer.learning_rate = [" + "1, " * 19_000 + "]\n"),
    "seeds": changed(add="change.initial.scheme = 'ones'\nseeds = [" + "1, " * 19_000 + "]\n"),
    "variants": changed(
        add="".join(
            f"[experiment.e{n}]\ntitle = 't'\n" + f"[[experiment.e{n}.variant]]\nname = 'a'\n" * 100
            for n in range(90)
        )
    ),
    "experiments": changed(add="".join(f"[experiment.e{n}]\n" for n in range(20_000))),
}
"""Labs with faults without end."""


@pytest.mark.parametrize("name", ENDLESS)
def test_of_faults_without_end_the_first_are_told(faults: Faults, name: str) -> None:
    start = time.perf_counter()
    *told, last = faults(ENDLESS[name])
    assert time.perf_counter() - start < 30  # seconds, where anything quadratic takes hours
    assert len(told) == MAXIMUM_FAULTS
    assert (last.code, last.values) == ("more-faults", {"limit": MAXIMUM_FAULTS})
    places = [(fault.line, fault.column) for fault in told]
    assert places == sorted(places)


# ---------------------------------------------------------------------- before anything is made

DRAWN = MINIMAL[: MINIMAL.index("[base.initial]")] + MINIMAL[MINIMAL.index("[base.optimizer]") :]


def rows(count: int, width: int) -> str:
    return "[" + ", ".join(["[" + ", ".join(["0.25"] * width) + "]"] * count) + "]"


def with_rows(count: int) -> str:
    other = DRAWN.replace("[[0.5, 0.3]]", rows(count, 2))
    return other.replace("[[0.23, -0.07]]", rows(count, 2))


GRID = "sweep.optimizer.learning_rate = { from = 0.1, to = 1, count = 10000 }\n"
WIDE = DRAWN.replace("[2, 2, 2]", "[2, 4096, 4096, 2]") + 'kind = "gradient-check"\n'

LARGE = {
    "parameters": (WIDE, "check-of-many-parameters"),
    "formula": (
        WIDE + '[[experiment.first.formula]]\nname = "a"\nderivatives.w1 = "w2"\n',
        "check-of-many-parameters",
    ),
    "data of runs": (
        with_rows(5000)
        + GRID
        + '[[experiment.first.variant]]\nname = "a"\n'
        + '[[experiment.first.variant]]\nname = "b"\nchange.dtype = "float64"\n',
        "too-many-numbers",
    ),
    "seeds": (DRAWN + "seeds = 99999\n", "too-many-runs"),
    "grid": (DRAWN + GRID + "sweep.rounds = [1, 2, 3]\n", "too-many-runs"),
    "appendices": (
        DRAWN + "".join(f'[appendix.a{n}]\ntitle = "t"\nchange.rounds = 3\n' for n in range(9999)),
        "too-long",
    ),
    "values": (MINIMAL + "q = [" + "1," * 1_900_000 + "]\n", "too-many-values"),
    "tables": (MINIMAL + "q = [" + "{}," * 900_000 + "]\n", "too-many-values"),
    "headers": (MINIMAL + "".join(f"[a.b.c.d{n}]\n" for n in range(60_000)), "too-many-keys"),
    "keys": (MINIMAL + "".join(f"k{n} = 1\n" for n in range(200_000)), "too-many-keys"),
    "empty parts": (MINIMAL + "q." + ".".join(['""'] * 500_000) + " = 1\n", "toml-syntax"),
    "spaced parts": (MINIMAL + "q" + "      .      a" * 200_000 + " = 1\n", "toml-syntax"),
    "other alphabet": (MINIMAL + "[" + ".".join(["é"] * 500_000) + "]\n", "toml-syntax"),
    "quoted alphabet": (MINIMAL + "[" + ".".join(['"é"'] * 500_000) + "]\n", "toml-syntax"),
    "long parts": (
        MINIMAL + "[" + ".".join(['"' + "a" * 70 + '"'] * 50_000) + "]\n",
        "toml-syntax",
    ),
    "brackets": (MINIMAL + "q = " + "[" * 3_900_000 + "\n", "toml-syntax"),
    "letters": (MINIMAL + "q" * 3_900_000 + "\n", "toml-syntax"),
    "quotes": (MINIMAL + '"""\\"""' * 500_000, "toml-syntax"),
    "text": (MINIMAL + 'q = "' + "." * 3_900_000 + '"\n', "unknown-key"),
}
"""Labs that would take minutes or gigabytes, and the fault that says so from the counts."""


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused_before_it_is_made(faults: Faults, name: str) -> None:
    text, code = LARGE[name]
    start = time.process_time()
    found = faults(text)
    assert time.process_time() - start < 6  # seconds, where it was 6 to 120 and more
    assert {fault.code for fault in found} == {code}


COMMENTS = {
    "parts": "#" + ".a" * 1_900_000 + "\n",
    "spaces": "#" + ". " * 1_900_000 + "\n",
    "lines": ("#" + ".a" * 1_999 + "\n") * 900,
    "quotes": "# \"'\n" * 500_000,
}


@pytest.mark.parametrize("name", COMMENTS)
def test_a_comment_costs_nothing(loaded: Loaded, name: str) -> None:
    start = time.process_time()
    assert loaded(MINIMAL + COMMENTS[name]).names == ("first",)
    assert time.process_time() - start < 6  # seconds


def test_what_stands_in_texts_is_no_key_and_no_value(loaded: Loaded) -> None:
    dots, commas = "." * 100, "," * 500_000
    text = f"'{dots}' # {dots}"
    assert loaded(changed(add=f"question = {text}\n")).names == ("first",)
    for mark in ('"', '"' * 3, "'" * 3):
        other = changed(add=f"question = {mark}{dots}{mark}\n# {commas}\n")
        assert loaded(other).names == ("first",)


def test_the_line_of_a_deep_key_counts_texts_of_several_lines(faults: Faults) -> None:
    deep = ".".join("a" * 50)
    text = changed(add=f'question.en = """\na\nb\n"""\n{deep} = 1\n')
    (fault,) = faults(text)
    assert fault.line == text[: text.index(deep)].count("\n") + 1


def test_many_runs_share_their_data(loaded: Loaded) -> None:
    lab = loaded(with_rows(100) + "sweep.rounds = [1, 2]\nseeds = 3\n")
    configurations = [trial.config for plan in lab.plans for trial in plan.trials]
    assert len(configurations) == 6
    assert len({id(config.data) for config in configurations}) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="no such limits here")
def test_the_largest_labs_that_are_taken_stay_small(tmp_path: Path) -> None:
    """Ten thousand runs of a thousand rows: in 400 MB of address space."""
    path = tmp_path / "lab.toml"
    path.write_text(with_rows(1000) + GRID)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400_000_000, 400_000_000))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (20, 20))\n"
        "from labreport.lab.reading.load import load\n"
        "assert len(load(Path(sys.argv[1])).configurations()) == 10_000\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


# --------------------------------------------------------------------------- random mutations

SCALARS = st.one_of(
    st.sampled_from(
        [
            *("", "x", "adam", "given", "pytorch", "constant", "relu", "../x", "<b>", "a\x07b"),
            *(0, 1, -1, 2, 10**12, 2**63 - 1, 2**63, 2**70, True, False),
            *(0.0, -0.0, 1.5, 1e308, 5e-324, float("nan"), float("inf")),
        ]
    ),
    st.integers(),
    st.floats(),
    st.text(max_size=5).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
)
KEYS = st.sampled_from(
    [
        *("name", "scheme", "value", "weights", "layers", "momentum", "nesterov", "from", "to"),
        *("count", "change", "sweep", "seeds", "against", "variant", "title", "zh", "class_"),
        *("", "0", "1", "x", "a.b", "a b", "é", "<b>", "~", "/", "[key]", "__proto__"),
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def places(raw: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = (
        raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    )
    for key, value in items:
        yield (*above, key)
        yield from places(value, (*above, key))


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """The lab that ships, with a key deleted, a value replaced or a key renamed, up to thrice."""
    raw = copy.deepcopy(SHIPPED)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(list(places(raw)) or [("base",)]))
        here: Any = raw
        for key in above:
            here = here[key]
        action = draw(st.sampled_from(["delete", "replace", "rename", "add"]))
        if action == "replace" or isinstance(here, list):
            here[last] = draw(VALUES)
        elif action == "add":
            here[draw(KEYS)] = draw(VALUES)
        else:
            value = here.pop(last, None)
            if action == "rename":
                here[draw(KEYS)] = value if value is not None else 0
    return raw


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(raw=mutated())
def test_a_mutated_lab_is_a_lab_or_an_input_error(tmp_path: Path, raw: dict[str, Any]) -> None:
    path = tmp_path / "lab.toml"
    path.write_bytes(toml(raw).encode())
    for fault in faults_or_lab(path):
        assert fault.file == path
        assert fault.line >= 1
        assert fault.code
        # Nothing that the writer of TOML above got wrong.
        assert fault.code != "toml-syntax"
        # A fault can be told: its values can be printed.
        assert str(dict(fault.values))


def faults_or_lab(path: Path) -> tuple[Fault, ...]:
    """The faults of a file, at least one; none if it is a lab with runs."""
    try:
        lab = load(path)
    except InputError as error:
        return error.faults or pytest.fail("an InputError without a fault")
    assert lab.configurations()
    return ()


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    content=st.binary(max_size=60)
    | st.text(alphabet='abc=[]{}".\n#1_é\r\0', max_size=60).map(str.encode)
)
def test_any_bytes_are_a_fault(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lab.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(path)
    assert all(fault.line >= 1 and fault.code for fault in caught.value.faults)


def test_the_writer_of_toml_writes_what_it_is_given() -> None:
    assert tomllib.loads(toml(SHIPPED)) == SHIPPED
