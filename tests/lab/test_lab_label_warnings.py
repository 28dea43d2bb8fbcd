"""A label that names a setting which its variant does not have."""

from collections.abc import Callable
from pathlib import Path

import pytest
from lab_texts import changed

from labreport.lab.plan import Lab
from labreport.lab.reading.toml_file import read
from labreport.lab.reading.warnings import warnings

PAIR = """
[[experiment.first.variant]]
name = "a"
label = "{label}"

[[experiment.first.variant]]
name = "b"
change.optimizer.name = "adam"
"""


@pytest.mark.parametrize(
    ("label", "warned"),
    [
        ("Adam", True),
        ("ReLU", True),
        ("L1", True),
        ("SGD", False),
        ("Sigmoid", False),
        ("Mine", False),
    ],
)
def test_a_label_of_another_setting(
    loaded: Callable[[str], Lab], tmp_path: Path, label: str, warned: bool
) -> None:
    text = changed(add=PAIR.format(label=label))
    found = warnings(loaded(text), read(tmp_path / "lab.toml"))
    assert [fault.code for fault in found] == ["label-of-another"] * warned
    assert all("label" in fault.excerpt for fault in found)
