"""The house: small functions, files and folders, and names that stand for one thing each."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import labreport

PACKAGE = Path(labreport.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

MOST_LINES = 400
LONGEST_FUNCTION = 40
MOST_FILES = 18
MOST_ON_TOP = 7
MOST_CLASSES_TWICE = 3
MOST_MODULES_TWICE = 5


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            yield path, node


def test_no_file_is_long() -> None:
    lines = {path.name: path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_function_is_long() -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    lengths = {
        f"{path.name}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, node in nodes()
        if isinstance(node, functions)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_no_folder_has_many_files() -> None:
    folders = Counter(path.parent for path in FILES)
    assert {f.name: count for f, count in folders.items() if count > MOST_FILES} == {}
    assert folders[PACKAGE] <= MOST_ON_TOP


def test_few_names_stand_for_two_things() -> None:
    classes = Counter(node.name for _, node in nodes() if isinstance(node, ast.ClassDef))
    public = {name for name, count in classes.items() if count > 1 and not name.startswith("_")}
    assert len(public) <= MOST_CLASSES_TWICE, public
    modules = Counter(path.stem for path in FILES if not path.stem.startswith("__"))
    twice = {name for name, count in modules.items() if count > 1}
    assert len(twice) <= MOST_MODULES_TWICE, twice
