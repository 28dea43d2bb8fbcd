"""Data sets: split, completed, expanded, scaled and encoded, as scikit-learn would."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from labreport.data.bundled import bundled
from labreport.data.data_set import DataSet, Origin, Outputs, Preparation, output_count, prepare
from labreport.data.examples import DataError, Examples

ORIGIN = Origin("inline", "")
THIRDS = {"train": 90, "validation": 30, "test": 30}


def made(
    examples: Examples, outputs: int, *, signs: bool = False, of_two: bool = False, **given: Any
) -> DataSet:
    preparation = Preparation(**given)
    return prepare(examples, ORIGIN, preparation, Outputs(outputs, signs, of_two))


def code_of(examples: Examples, outputs: int, **given: Any) -> str:
    with pytest.raises(DataError) as caught:
        made(examples, outputs, **given)
    (problem,) = caught.value.problems
    return problem.code


def test_parts_share_out_all_rows_and_every_class() -> None:
    found = made(bundled("iris"), 3, sizes=THIRDS, seed=5)
    assert sorted(place for part in found.places.values() for place in part) == list(range(150))
    assert {name: len(part) for name, part in found.parts.items()} == THIRDS
    assert found.class_counts == {"train": (30,) * 3, "validation": (10,) * 3, "test": (10,) * 3}
    inputs = load_iris().data
    for name, part in found.parts.items():
        assert np.array_equal(part.inputs, inputs[list(found.places[name])])


def test_shares_are_rounded_to_rows_and_none_is_lost() -> None:
    shares = {"train": 0.7, "validation": 0.15, "test": 0.15}
    found = made(bundled("iris"), 3, sizes=shares)
    assert {name: len(part) for name, part in found.parts.items()} == {
        "train": 104,
        "validation": 23,
        "test": 23,
    }


def test_another_seed_deals_otherwise_and_the_same_one_alike() -> None:
    first, again, other = (made(bundled("iris"), 3, sizes=THIRDS, seed=s) for s in (1, 1, 2))
    assert first.places == again.places != other.places


def test_scaling_is_fitted_on_training_alone() -> None:
    found = made(bundled("wine"), 3, sizes={"train": 0.6, "test": 0.4}, standardise=True)
    raw = np.array(bundled("wine").inputs)
    scaler = StandardScaler().fit(raw[list(found.places["train"])])
    for name, part in found.parts.items():
        expected = scaler.transform(raw[list(found.places[name])])
        assert np.allclose(part.inputs, expected, rtol=1e-12, atol=1e-12)
    assert np.allclose(found.inputs_of(raw), scaler.transform(raw))
    assert np.allclose(found.columns_of("test"), raw[list(found.places["test"])])


def test_constant_inputs_are_zero_and_named() -> None:
    examples = Examples(("a", "b"), ((1.0, 0.1), (2.0, 0.1), (4.0, 0.1)), ((1.0,),) * 3, ("y",))
    found = made(examples, 1, standardise=True)
    assert found.constant == ("b",)
    assert [row[1] for row in found.train.inputs] == [0.0, 0.0, 0.0]


def test_missing_values_take_the_mean_of_training() -> None:
    nan = float("nan")
    examples = Examples(
        ("a",), ((1.0,), (nan,), (3.0,), (8.0,)), tuple((float(k),) for k in range(4)), ("y",)
    )
    found = made(examples, 1, sizes={"train": 3, "test": 1}, seed=1)
    train = np.array(examples.inputs)[list(found.places["train"])]
    imputer = SimpleImputer().fit(train)
    for name, part in found.parts.items():
        expected = imputer.transform(np.array(examples.inputs)[list(found.places[name])])
        assert np.array_equal(part.inputs, expected)
    assert found.filled == 1


def test_a_column_without_any_value_in_training() -> None:
    nan = float("nan")
    examples = Examples(("a",), ((nan,), (nan,)), ((1.0,), (2.0,)), ("y",))
    assert code_of(examples, 1) == "data-column-empty"


def test_powers_and_products_are_those_of_scikit_learn() -> None:
    raw = np.arange(12.0).reshape(6, 2)
    examples = Examples(
        ("a", "b"), tuple(map(tuple, raw.tolist())), tuple((float(k),) for k in range(6)), ("y",)
    )
    found = made(examples, 1, degree=3)
    expected = PolynomialFeatures(3, include_bias=False).fit_transform(raw)
    assert np.array_equal(found.train.inputs, expected)
    assert found.features[:5] == ("a", "b", "a^2", "a b", "b^2")
    many = Examples(tuple("abcdefghij"), ((1.0,) * 10,), ((1.0,),), ("y",))
    assert code_of(many, 1, degree=9) == "out-of-range"


@pytest.mark.parametrize(
    ("value", "given"),
    [(1e20, {"degree": 30}), (1e308, {"standardise": True}), (5e-324, {"standardise": True})],
)
def test_numbers_that_overflow(value: float, given: dict[str, Any]) -> None:
    rows = ((value,), (-value,), (value,))
    examples = Examples(("a",), rows, ((1.0,), (2.0,), (3.0,)), ("y",))
    assert code_of(examples, 1, **given) == "data-overflow"


TWO = Examples(("a",), ((1.0,), (2.0,), (3.0,)), (0, 1, 1), ("y",), ("no", "yes"))


def test_classes_as_targets() -> None:
    assert made(TWO, 2).train.targets == ((1, 0), (0, 1), (0, 1))
    assert made(TWO, 1).train.targets == ((0,), (1,), (1,))
    assert made(TWO, 1, signs=True).train.targets == ((-1,), (1,), (1,))
    assert made(TWO, 2, signs=True).train.targets == ((1, -1), (-1, 1), (-1, 1))
    assert [output_count(TWO, one_each=each) for each in (False, True)] == [1, 2]


def test_whole_numbers_are_classes_where_there_are_several_outputs() -> None:
    whole = Examples(("a",), ((1.0,),) * 3, ((3.0,), (1.0,), (3.0,)), ("y",))
    assert made(whole, 2).classes == ("1", "3")
    assert made(whole, 2).train.targets == ((0, 1), (1, 0), (0, 1))
    assert made(whole, 1).train.targets == ((3,), (1,), (3,))
    assert made(whole, 1, of_two=True).train.targets == ((1,), (0,), (1,))
    assert made(whole, 1, of_two=True, signs=True).train.targets == ((1,), (-1,), (1,))
    large = Examples(("a",), ((1.0,),) * 2, ((1000001.0,), (1000002.0,)), ("y",))
    assert made(large, 2).classes == ("1000001", "1000002")
    assert (output_count(whole, one_each=True), output_count(whole, one_each=False)) == (2, 1)


@pytest.mark.parametrize(
    ("sizes", "code"),
    [
        ({"train": 100, "test": 40}, "split-counts"),
        ({"train": 100, "test": 60}, "split-counts"),
        ({"train": 0.5, "test": 0.4}, "split-shares"),
        ({"train": 100, "test": 0.5}, "split-mixed"),
        ({"train": 149, "test": 1}, "split-classes"),
        ({"train": 0.999, "test": 0.001}, "split-empty"),
    ],
)
def test_splits_that_do_not_fit(sizes: dict[str, Any], code: str) -> None:
    assert code_of(bundled("iris"), 3, sizes=sizes) == code


def test_outputs_that_do_not_fit() -> None:
    assert code_of(bundled("iris"), 2) == "data-class-outputs"
    assert code_of(bundled("iris"), 1) == "data-class-outputs"
    assert code_of(bundled("diabetes"), 2) == "data-class-outputs"
    fractions = Examples(("a",), ((1.0,), (2.0,)), ((0.5,), (1.5,)), ("y",))
    assert code_of(fractions, 2) == "data-outputs"
    one = Examples(("a",), ((1.0,), (2.0,)), (0, 0), ("y",), ("only",))
    assert code_of(one, 1) == "data-one-class"


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=2, max_size=3),
    classes=st.integers(2, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_split_shares_out_every_row_once(sizes: list[int], classes: int, seed: int) -> None:
    rows = sum(sizes)
    labels = tuple(k % classes for k in range(rows))
    names = tuple(str(k) for k in range(classes))
    examples = Examples(("a",), tuple((float(k),) for k in range(rows)), labels, ("y",), names)
    parts = dict(zip(("train", "validation", "test"), sizes, strict=False))
    fewest = min(Counter(labels).values()) if rows >= classes else 0
    if fewest < len(sizes) or min(sizes) < classes:
        assert code_of(examples, classes, sizes=parts, seed=seed) == "split-classes"
        return
    found = made(examples, classes, sizes=parts, seed=seed)
    assert {name: len(part) for name, part in found.parts.items()} == parts
    assert sorted(p for part in found.places.values() for p in part) == list(range(rows))
    for counts in found.class_counts.values():
        assert max(counts) - min(counts) <= 2
