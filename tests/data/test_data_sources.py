"""Examples from files, bundled sets and rules: what is read, and what is wrong with a file."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_blobs, make_circles, make_moons

from labreport.data.array_file import read_arrays
from labreport.data.bundled import bundled
from labreport.data.csv_file import Wanted, read_csv
from labreport.data.examples import RULE_NAMES, SET_NAMES, DataError, Problem
from labreport.data.generated import RULES, Drawn, generate

FLOWERS = "length,width,kind\n5.1,3.5,setosa\n7.0,3.2,versicolor\n6.3,3.3,virginica\n"


def wanted(**given: Any) -> Wanted:
    return Wanted(**{"target": None, "columns": None, "missing": "refuse", **given})


def problems(content: bytes | str, **given: Any) -> tuple[Problem, ...]:
    raw = content.encode() if isinstance(content, str) else content
    with pytest.raises(DataError) as caught:
        read_csv("a.csv", raw, wanted(**given))
    return caught.value.problems


# --- tables of text ----------------------------------------------------------------------------


def test_last_column_is_the_target_and_text_is_classes() -> None:
    found = read_csv("a.csv", FLOWERS.encode(), wanted())
    assert found.columns == ("length", "width")
    assert found.inputs == ((5.1, 3.5), (7.0, 3.2), (6.3, 3.3))
    assert found.classes == ("setosa", "versicolor", "virginica")
    assert found.targets == (0, 1, 2)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_separator_and_encoding_are_found(separator: str, encoding: str) -> None:
    text = "面积,房间,总价\n80.5,2,300\n120,3,455.5\n".replace(",", separator)
    found = read_csv("a.csv", text.encode(encoding), wanted())
    assert found.columns == ("面积", "房间")
    assert found.targets == ((300.0,), (455.5,))


def test_quoted_cells_and_empty_lines() -> None:
    text = '"a, b",y\r\n\r\n"1.5",2\r\n-3e2, 4 \r\n\r\n'
    found = read_csv("a.csv", text.encode(), wanted())
    assert (found.columns, found.inputs) == (("a, b",), ((1.5,), (-300.0,)))


def test_columns_by_name() -> None:
    found = read_csv("a.csv", b"a,b,c,d\n1,2,3,4\n5,6,7,8\n", wanted(target=("b", "d")))
    assert (found.columns, found.names) == (("a", "c"), ("b", "d"))
    assert found.targets == ((2.0, 4.0), (6.0, 8.0))
    found = read_csv("a.csv", b"a,b,c\n1,2,3\n", wanted(columns=("b",)))
    assert found.inputs == ((2.0,),)


def test_numbers_that_are_names_of_classes_are_in_order_of_their_size() -> None:
    found = read_csv("a.csv", b"a,y\n1,c10\n2,9\n3,10\n4,c\n5,d\n", wanted())
    assert found.classes == ("9", "10", "c", "c10", "d")


def test_a_few_cells_of_text_do_not_make_classes_of_numbers() -> None:
    told = problems("a,y\n1,2.5\n2,3.5x\n3,4.5\n4,inf\n5,1\n")
    assert [(p.code, p.values["line"], p.values["found"]) for p in told] == [
        ("data-not-a-number", 3, "3.5x"),
        ("data-not-a-number", 5, "inf"),
    ]


def test_line_ends_in_quotes_are_no_ends_of_rows() -> None:
    (problem, _) = problems('a,y\n1,"a\nb"\n2,ab\n3,"c\u202e"\n')
    assert (problem.code, problem.values["found"]) == ("data-control-character", "'a\\nb'")
    found = read_csv("a.csv", b"a,y\n1,x z\n2,ab\n", wanted())
    assert found.classes == ("ab", "x z")


@pytest.mark.parametrize("name", ["\x1b[31m", "a\u202eb", "\u2028", "\x07"])
def test_names_that_cannot_be_printed_are_refused(name: str) -> None:
    assert problems(f"a{name}b,y\n1,2\n")[0].code == "data-control-character"
    assert problems(f"a,y\n1,k{name}k\n2,b\n3,c\n")[0].code == "data-control-character"


def test_names_that_are_too_long_or_too_many_are_refused() -> None:
    assert problems("a" * 101 + ",y\n1,2\n")[0].code == "data-long-name"
    many = "a,y\n" + "".join(f"1,c{k}\n" for k in range(1001))
    assert [p.code for p in problems(many)] == ["data-too-many-classes"]


def test_missing_values() -> None:
    text = "a,b,y\n1,,3\n4,NA,6\n7,8,9\n"
    told = problems(text)
    assert [(p.code, p.values["line"], p.values["column"]) for p in told] == [
        ("data-missing", 2, "b"),
        ("data-missing", 3, "b"),
    ]
    dropped = read_csv("a.csv", text.encode(), wanted(missing="drop"))
    assert (dropped.inputs, dropped.dropped) == (((7.0, 8.0),), 2)
    kept = read_csv("a.csv", text.encode(), wanted(missing="mean"))
    assert [math.isnan(row[1]) for row in kept.inputs] == [True, True, False]
    # A target that is missing is nothing that a mean could stand for.
    assert [p.code for p in problems("a,y\n1,\n2,3\n", missing="mean")] == ["data-missing"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "data-empty"),
        (b"a,b\n", "data-empty"),
        (b"\n\n", "data-empty"),
        (b"a\n1\n2\n", "data-one-column"),
        (b"a,a,y\n1,2,3\n", "data-column-names"),
        (b"a,,y\n1,2,3\n", "data-column-names"),
        (b"a,y\n1,2\n1,2,3\n", "data-row-length"),
        (b'a,y\n"' + b"1" * 200_000 + b'",2\n', "data-not-csv"),
        (b'a,y\n1,"a\n2,b\n', "data-not-csv"),
        (b"a,y\nx,2\n", "data-not-a-number"),
        (b"a,y\ninf,2\n", "data-not-a-number"),
        (b"a,y\n1_000,2\n", "data-not-a-number"),
        (b"\xff\xfe\x00\x00", "data-encoding"),
        (b"a,y\n1,2\x00\n", "data-encoding"),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xff\x80", "data-encoding"),
    ],
)
def test_files_that_are_no_table(content: bytes, code: str) -> None:
    assert [p.code for p in problems(content)] == [code]


def test_every_cell_at_fault_is_told_with_its_line() -> None:
    told = problems("a,b,y\n1,2,3\nx,2,3\n1,yy,3\n")
    assert [(p.values["line"], p.values["column"], p.values["found"]) for p in told] == [
        (3, "a", "x"),
        (4, "b", "yy"),
    ]


def test_names_that_are_not_there() -> None:
    told = problems(FLOWERS, target=("kinds",), columns=("length", "depth"))
    assert [(p.key, p.values["found"]) for p in told] == [
        (("target",), "kinds"),
        (("columns",), "depth"),
    ]
    assert told[0].allowed == ("length", "width", "kind")
    assert [p.code for p in problems(FLOWERS, columns=("kind",))] == ["data-target-as-input"]


def test_a_column_that_is_named_twice() -> None:
    header = FLOWERS.split("\n")[0].split(",")[0]
    (told,) = problems(FLOWERS, columns=(header, header))
    assert (told.code, told.key) == ("data-column-twice", ("columns",))


def test_nothing_is_left() -> None:
    assert [p.code for p in problems("a,y\n,2\n,3\n", missing="drop")] == ["data-all-missing"]
    assert [p.code for p in problems("a,y\n1,2\n", target=("a", "y"))] == ["data-no-inputs"]


def test_too_many_rows_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labreport.data.csv_file.MOST_ROWS", 3)
    assert [p.code for p in problems("a,y\n" + "1,2\n" * 9)] == ["data-too-many-rows"]


# --- arrays ------------------------------------------------------------------------------------


def saved(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def test_arrays() -> None:
    inputs, targets = np.arange(6.0).reshape(3, 2), np.array([0.5, 1.5, 2.5])
    for names in (("inputs", "targets"), ("X", "y"), ("data", "target")):
        found = read_arrays("a.npz", saved(**dict(zip(names, (inputs, targets), strict=True))))
        assert found.inputs == ((0, 1), (2, 3), (4, 5))
        assert found.targets == ((0.5,), (1.5,), (2.5,))
    file = io.BytesIO()
    np.save(file, np.column_stack([inputs, targets]))
    assert read_arrays("a.npy", file.getvalue()).targets == ((0.5,), (1.5,), (2.5,))
    named = read_arrays("a.npz", saved(X=inputs, y=np.array(["b", "a", "b"])))
    assert (named.classes, named.targets) == (("a", "b"), (1, 0, 1))
    pictures = read_arrays("a.npz", saved(X=np.zeros((3, 2, 2)), y=targets))
    assert len(pictures.columns) == 4


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no arrays", "data-not-arrays"),
        (saved(X=np.zeros((3, 2))), "data-no-such-array"),
        (saved(X=np.zeros((3, 2)), y=np.zeros(4)), "data-shapes"),
        (saved(X=np.zeros((0, 2)), y=np.zeros(0)), "data-empty"),
        (saved(X=np.full((3, 2), np.nan), y=np.zeros(3)), "data-not-finite"),
        (saved(X=np.zeros((3, 2)), y=np.array([1j, 2, 3])), "data-not-finite"),
        (saved(X=np.array([[object()]]), y=np.zeros(1)), "data-not-arrays"),
        (saved(X=np.zeros((3, 2)), y=np.array([["a", "b"]] * 3)), "data-shapes"),
        (saved(X=np.array([[np.longdouble("1e4000")]] * 2), y=np.zeros(2)), "data-not-finite"),
        (saved(X=np.zeros((3, 2)), y=np.zeros(3))[:-40], "data-not-arrays"),
        (
            saved(X=np.zeros((3, 2)), y=np.zeros(3)).replace(b"'shape': (3,", b"'shape': (9,"),
            "data-not-arrays",
        ),
    ],
)
def test_files_that_are_no_arrays(content: bytes, code: str) -> None:
    with pytest.raises(DataError) as caught:
        read_arrays("a.npz", content)
    assert [p.code for p in caught.value.problems] == [code]


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, X=np.zeros((1000, 10)), y=np.zeros(1000))
    assert len(file.getvalue()) < 2000
    monkeypatch.setattr("labreport.data.array_file.LARGEST_UNPACKED", 50_000)
    with pytest.raises(DataError) as caught:
        read_arrays("a.npz", file.getvalue())
    assert caught.value.problems[0].code == "data-too-many-values"


# --- sets and rules ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SET_NAMES)
def test_bundled_sets(name: str) -> None:
    found = bundled(name)
    assert len(found.inputs) == len(found.targets) > 100
    assert len(found.inputs[0]) == len(found.columns)


def test_bundled_sets_are_those_of_scikit_learn() -> None:
    assert np.array_equal(bundled("iris").inputs, load_iris().data)
    assert bundled("iris").classes == ("setosa", "versicolor", "virginica")
    assert np.array_equal(bundled("digits").targets, load_digits().target)


def test_the_rows_of_digits_are_pictures() -> None:
    digits = bundled("digits")
    assert digits.picture is not None
    images = np.array(digits.inputs).reshape(-1, *digits.picture)
    assert np.array_equal(images, load_digits().images)
    assert all(bundled(name).picture is None for name in SET_NAMES if name != "digits")


def drawn(**given: Any) -> Drawn:
    usual = {"rows": 60, "noise": 0.2, "seed": 3, "classes": 3, "coefficients": (1.0, 2.0)}
    return Drawn(**{**usual, **given})


def test_every_rule_has_its_name() -> None:
    assert tuple(RULES) == RULE_NAMES


def test_moons_circles_and_blobs_are_those_of_scikit_learn() -> None:
    made = generate("moons", drawn())
    inputs, classes = make_moons(60, noise=0.2, random_state=3)
    assert np.array_equal(made.inputs, np.round(inputs, 6))
    assert np.array_equal(made.targets, classes)
    inputs, classes = make_circles(60, noise=0.2, random_state=3, factor=0.5)
    assert np.array_equal(generate("circles", drawn()).inputs, np.round(inputs, 6))
    angles = 2 * np.pi * np.arange(3) / 3
    centres = 3 * np.column_stack([np.cos(angles), np.sin(angles)])
    inputs, classes = make_blobs(60, centers=centres, cluster_std=0.2, random_state=3)
    assert np.array_equal(generate("blobs", drawn()).inputs, np.round(inputs, 6))


def test_rules_without_noise_are_their_formula() -> None:
    for name, truth in (
        ("line", lambda x: 1 + 2 * x),
        ("polynomial", lambda x: 1 + 2 * x),
        ("sine", lambda x: np.sin(2 * np.pi * x)),
    ):
        made = generate(name, drawn(noise=0.0))
        x, y = np.array(made.inputs)[:, 0], np.array(made.targets)[:, 0]
        assert np.allclose(y, truth(x), atol=1e-5)
    corners = generate("xor", drawn(noise=0.0))
    assert {(*row, label) for row, label in zip(corners.inputs, corners.targets, strict=True)} == {
        (0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0),
    }  # fmt: skip
    arms = generate("spirals", drawn(noise=0.0))
    radius = np.hypot(*np.array(arms.inputs).T)
    assert radius.max() <= 1
    assert set(arms.targets) == {0, 1, 2}


@pytest.mark.parametrize("name", RULE_NAMES)
def test_rules_draw_the_same_again_and_else_with_another_seed(name: str) -> None:
    assert generate(name, drawn()) == generate(name, drawn())
    assert generate(name, drawn()).inputs != generate(name, drawn(seed=4)).inputs
