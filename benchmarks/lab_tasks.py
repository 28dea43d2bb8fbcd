"""Where the labs of `labreport new` deal with the tasks of a course: every task, and its place.

    python benchmarks/lab_tasks.py

Builds each lab into a folder of its own, in text, and looks for each task in the section of the
experiment that deals with it, or in the chapters before (""). Prints a line a task, with the place
that was found, and ends with 1 if one is missing.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

LABREPORT = (sys.executable, "-m", "labreport")

Task = tuple[str, str, Sequence[str]]
"""What is to be done, the title of the section that does it, and patterns to be found there."""

SCORES = r"variant \| .*loss, training \| loss, validation"
CONFUSION = r"class given by column; precision, recall and F1"
REGIONS = r"Figure \d+ .*regions"
TESTED = r"of the test, which neither training nor the choice has seen"

TASKS: Mapping[str, Sequence[Task]] = {
    "regression": (
        ("a straight line: data with noise, a split", "", (r"drawn by rule",)),
        ("a straight line: its parameters and the closed form", "A straight line", (r"linear",)),
        ("polynomials: error of training and validation by degree", "Degree of the polynomial", (
            r"degree \| .*loss, training \| loss, validation", r"Overfitting|overfit|worse")),
        ("polynomials: regularisation", "Weight decay", (r"weight decay", SCORES)),
        ("house prices: file, missing values, scaling", "House prices", (r"houses\.csv",)),
        ("house prices: R² on the test, predictions on rows", "House prices", (
            r"R²|explained", r"target, prediction and what is left")),
    ),
    "linear": (
        ("logistic regression on two moons: accuracy, line", "Logistic regression on two moons", (
            SCORES, REGIONS, TESTED)),
        ("its learning rate", "Learning rate", (r"learning rate \| loss, training",)),
        ("softmax regression on clusters", "Softmax regression on three clusters", (
            SCORES, REGIONS)),
        ("softmax regression on Iris: accuracy, classes mistaken", "Softmax regression on Iris", (
            SCORES, CONFUSION, TESTED)),
    ),
    "moons": (
        ("a network of two layers beside logistic regression, on one split",
         "Logistic regression or two layers?", (SCORES, TESTED)),
        ("the weights of the best round on validation rows", "Logistic regression or two layers?", (
            r"kept",)),
        ("derivatives by hand for each operator", "Gradients by hand", (r"autograd",)),
        ("one more hidden layer, width, parameters counted", "Width and depth", (
            r"hidden units \| parameters", r"\(5, 3\)")),
        ("random starts", "Random starts", (r"Over random starts",)),
    ),
    "depth": (
        ("search over depth and width", "Depth and width", (r"hidden units \| parameters",)),
        ("weights all zero: units stay alike", "All weights zero, or all equal", (
            r"change alike|same answer",)),
        ("vanishing gradients: norm by layer, sigmoid and ReLU", "Vanishing gradients", (
            r"norm of the gradient by layer|Gradient by layer", r"shrinks towards the input")),
        ("dead ReLU by a bad bias, and what cures it", "Dead ReLU", (r"at most 0 for every",)),
    ),
    "iris": (
        ("softmax regression beside a hidden layer", "Softmax regression or a hidden layer?", (
            SCORES, CONFUSION, TESTED)),
        ("prediction for one flower", "Softmax regression or a hidden layer?", (
            r"predicts after .* for the rows that the lab asks about",)),
        ("mini-batches, loss by round on training and validation", "Batch size", (
            r"Learning curves", SCORES)),
        ("width of the hidden layer", "Width of the hidden layer", (
            r"hidden units \| parameters",)),
        ("random starts", "Random starts", (r"Over random starts",)),
    ),
}  # fmt: skip


def built(lab: str, folder: Path) -> str:
    """The English report of a lab of `labreport new`, as plain text."""
    for arguments in (("new", str(folder), lab), ("build", "--format", "text", "--lang", "en")):
        where = folder if folder.is_dir() else None
        subprocess.run([*LABREPORT, *arguments], cwd=where, check=True, capture_output=True)
    (report,) = (folder / "output").glob("report*.txt")
    return report.read_text(encoding="utf-8")


def sections(report: str) -> dict[str, str]:
    """The text of each section by its title, and all of the report under ""."""
    found = {"": report}
    parts = re.split(r"\n(?:\d+\.\d+|\d+) ([^\n]+)\n[-=]{3,}\n", report)
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        found[title] = text
    return found


def main() -> None:
    """Build every lab, and print where each task is dealt with."""
    missing = 0
    with tempfile.TemporaryDirectory() as name:
        for lab, tasks in TASKS.items():
            there = sections(built(lab, Path(name) / lab))
            for task, title, patterns in tasks:
                text = there.get(title, "")
                without = [p for p in patterns if not re.search(p, text)]
                missing += bool(without or not text)
                told = f"not found: {', '.join(without) or title}" if without or not text else "ok"
                print(f"{lab:11}{task:64}{title or 'set-up':40}{told}")
    sys.exit(1 if missing else 0)


if __name__ == "__main__":
    main()
