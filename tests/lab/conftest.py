"""Reading a lab from a text instead of a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from labreport.errors import Fault, InputError
from labreport.lab.plan import Lab
from labreport.lab.reading.load import load

SHIPPED = Path(__file__).resolve().parents[2] / "experiments.toml"


@pytest.fixture(scope="session")
def shipped_lab() -> Lab:
    return load(SHIPPED)


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[str], Lab]:
    """The lab in a text."""

    def loaded(text: str) -> Lab:
        path = tmp_path / "lab.toml"
        path.write_bytes(text.encode())
        return load(path)

    return loaded


@pytest.fixture
def faults(tmp_path: Path) -> Callable[[str | bytes], tuple[Fault, ...]]:
    """The faults of a text or of some bytes; a lab without fault fails the test."""

    def faults(content: str | bytes) -> tuple[Fault, ...]:
        path = tmp_path / "lab.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(InputError) as caught:
            load(path)
        for fault in caught.value.faults:
            assert fault.file == path
        return caught.value.faults

    return faults
