"""A place in a lab file is found down to the element, however the file is written."""

import time
import tomllib

import pytest

from labreport.lab.reading.positions import Location, Positions

TEXT = """\
top = 1
# é
"a b".'c d' . e = [
  1,  # one, [not] "an" element
  [2, "é, ]", [ 3, 4 ]],
  { x = 1, y.z = [5,
6] },
]
inline = { p = { q = [7, 8] }, "r s" = 9 }
text = \"\"\"
fake = [1]
\"\"\"
[table.of]
key = [ "é", 2 ]
[[list]]
name = "a"
[list.inner]
deep = 1
[[list.more]]
x = 1
[[list.more]]
x = [[0],
  [1]]
[[list]]
name = "b"
[list.inner]
deep = 2
["quoted.header"]
z = 1
"""


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (("top",), "top = 1"),
        (("a b",), '"a b".'),
        (("a b", "c d"), '"a b".'),
        (("a b", "c d", "e"), '"a b".'),
        (("a b", "c d", "e", 0), "1,  #"),
        (("a b", "c d", "e", 1), "[2,"),
        (("a b", "c d", "e", 1, 1), '"é, ]"'),
        (("a b", "c d", "e", 1, 2, 1), "4 ]]"),
        (("a b", "c d", "e", 2, "x"), "x = 1"),
        (("a b", "c d", "e", 2, "y"), "y.z"),
        (("a b", "c d", "e", 2, "y", "z"), "y.z"),
        (("a b", "c d", "e", 2, "y", "z", 1), "6]"),
        (("a b", "c d", "e", 9), '"a b".'),
        (("inline", "p", "q", 1), "8]"),
        (("inline", "r s"), '"r s"'),
        (("inline", "none"), "inline ="),
        (("fake",), "top = 1"),
        (("table",), "[table.of]"),
        (("table", "of", "key", 1), "2 ]"),
        (("table", "of", "none"), "[table.of]"),
        (("list",), "[[list]]"),
        (("list", 0, "name"), 'name = "a"'),
        (("list", 0, "inner", "deep"), "deep = 1"),
        (("list", 0, "more", 0, "x"), "x = 1"),
        (("list", 0, "more", 1, "x", 1, 0), "1]]"),
        (("list", 1, "name"), 'name = "b"'),
        (("list", 1, "inner", "deep"), "deep = 2"),
        (("quoted.header", "z"), "z = 1"),
        (("nothing", "of", "it"), "top = 1"),
        ((), "top = 1"),
    ],
)
def test_a_place(location: Location, shown: str) -> None:
    line, column = Positions(TEXT).of(location)
    assert TEXT.split("\n")[line - 1][column - 1 :].startswith(shown)


def leaves(value: object, above: Location = ()) -> list[tuple[Location, object]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
    found = []
    for key, inner in items:
        here = (*above, key)
        found += leaves(inner, here) if isinstance(inner, dict | list) else [(here, inner)]
    return found


def test_every_leaf_of_the_text_has_a_place_of_its_own() -> None:
    positions = Positions(TEXT)
    places = [positions.of(location) for location, _ in leaves(tomllib.loads(TEXT))]
    assert len(places) == len(set(places)) == 23
    windows = Positions(TEXT.replace("\n", "\r\n"))
    assert places == [windows.of(location) for location, _ in leaves(tomllib.loads(TEXT))]


def test_a_long_file_takes_time_in_proportion() -> None:
    text = "".join(f"key{n} = {n}\n" for n in range(50_000)) + "a = [\n" + "1,\n" * 50_000 + "]\n"
    start = time.perf_counter()
    positions = Positions(text)
    assert [positions.of(("a", n))[0] for n in range(0, 50_000, 7)] == [
        50_002 + n for n in range(0, 50_000, 7)
    ]
    assert time.perf_counter() - start < 10
