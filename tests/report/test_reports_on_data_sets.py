"""Data sets in the report: where they come from, how they are shared out, how runs do on them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from labreport.analysis.held_out import held_out, own_classes
from labreport.report.held_out.answers_table import measures
from labreport.report.held_out.held_out_figures import MOST_PICTURES

LAB = """
robustness = "none"
[base]
loss = "bce_with_logits"
rounds = 40
[base.data]
rule = { name = "moons", rows = 60, noise = 0.3, seed = 1 }
split = { train = 30, validation = 20, test = 10 }
standardise = true
[base.network]
hidden = [3]
activations = ["tanh", "identity"]
[base.initial]
scheme = "pytorch"
[base.optimizer]
name = "adam"
learning_rate = 0.3
[experiment.model]
title = {zh = "模型", en = "Model"}
[[experiment.model.variant]]
name = "linear"
change.network = { hidden = [], activations = "identity" }
[[experiment.model.variant]]
name = "three"
[experiment.width]
title = {zh = "宽度", en = "Width"}
sweep.network.hidden = [[1], [2], [4]]
[experiment.starts]
title = {zh = "起点", en = "Starts"}
seeds = 5
[experiment.table]
title = {zh = "表格", en = "Table"}
change.loss = "mse"
change.data.file = "points.csv"
change.data.missing = "mean"
change.data.split = { train = 4, validation = 2, test = 2 }
[[experiment.table.variant]]
name = "three"
[[experiment.table.variant]]
name = "five"
change.network.hidden = [5]
"""

POINTS = "a,b,y\n" + "".join(f"{k},{'' if k == 3 else k % 4},{k * k}\n" for k in range(8))


@pytest.fixture
def built(build_pages: Callable[..., Any], tmp_path: Path) -> Any:
    (tmp_path / "points.csv").write_text(POINTS, encoding="utf-8")
    return build_pages(LAB)


def tables_of(report: Any, code: str) -> list[list[list[str]]]:
    """The cells of each table of a printed report, its head first."""
    found = []

    def walk(section: Any) -> None:
        for block in section.blocks:
            if type(block).__name__ == "PrintedTable":
                rows = (block.header, *block.rows)
                found.append([[cell.text for cell in row] for row in rows])
        for inner in section.sections:
            walk(inner)

    for section in report.reports[code].sections:
        walk(section)
    return found


def test_a_report_on_a_data_set(built: Any) -> None:
    english = tables_of(built, "en")
    data = next(t for t in english if ["source", "drawn by rule: moons, noise 0.3, seed 1"] in t)
    assert ["inputs", "x1 and x2"] in data
    parts = next(t for t in english if t[0] == ["part", "rows", "0", "1"])
    assert parts[1:] == [
        ["training", "30", "15", "15"],
        ["validation", "20", "10", "10"],
        ["test", "10", "5", "5"],
    ]
    scores = next(t for t in english if t[0][1:3] == ["parameters", "loss, training"])
    assert scores[0][-1] == "right, test"
    # The test is told of one run at the most: that which the validation rows choose.
    assert sum(row[-1] != "—" for row in scores[1:]) <= 1
    starts = next(t for t in english if t[0][:3] == ["variant", "starts", "mean"])
    assert starts[1][1] == "5"
    assert starts[1][2].endswith("%")
    text = re.sub(r"<[^>]+>", "", built.html("en"))
    assert "file points.csv (SHA-256 " in text
    assert "missing values, mean of training filled in: 1" in text
    assert "inputs x:" not in text


def test_both_languages_have_the_same_tables(built: Any) -> None:
    chinese, english = (tables_of(built, code) for code in ("zh", "en"))
    assert [[len(row) for row in t] for t in chinese] == [[len(row) for row in t] for t in english]


def test_figures_show_what_held_out_rows_say(built: Any) -> None:
    made = str(built.tree)
    for drawing in ("RegionsDrawing", "CurveDrawing"):
        assert drawing in made


def test_precision_recall_and_f1_are_those_of_scikit_learn() -> None:
    random = np.random.RandomState(0)
    own = random.randint(0, 3, size=60)
    given = np.where(random.uniform(size=60) < 0.3, random.randint(0, 3, size=60), own)
    found = measures(confusion_matrix(own, given))
    expected = precision_recall_fscore_support(own, given)[:3]
    assert np.allclose(np.array(found).T, expected)


def test_a_class_that_nothing_is_put_into_has_no_precision() -> None:
    assert measures(np.array([[2, 0], [3, 0]])) == [(0.4, 1.0, 4 / 7), (None, 0.0, 0.0)]


def test_networks_of_several_sizes_have_their_parameters_counted(built: Any) -> None:
    counted = [t for t in tables_of(built, "en") if t[0][1:2] == ["parameters"]]
    by_name = {row[0]: row[1] for table in counted for row in table[1:]}
    # Two inputs and one output: 2 + 1 without a hidden layer, else 4 a unit and a last bias.
    assert by_name["linear"] == "3"
    assert {by_name[f"({units})"] for units in (1, 2, 4)} == {"5", "9", "17"}


def test_predictions_and_classes_of_the_chosen_run(built: Any) -> None:
    english = tables_of(built, "en")
    confusion = next(t for t in english if t[0][0] == "class")
    assert confusion[0] == ["class", "0", "1", "precision", "recall", "F1"]
    # The ten rows of the test, five of each class.
    assert [sum(map(int, row[1:3])) for row in confusion[1:]] == [5, 5]
    predicted = [t for t in english if t[0][:2] == ["a", "b"]]
    for table in predicted:
        assert table[0] == ["a", "b", "y", "prediction", "residual"]
        for row in table[1:]:
            target, given, left = (float(cell.replace("−", "-")) for cell in row[2:])
            assert target - given == pytest.approx(left, abs=2e-3 * max(abs(target), abs(given)))


ASKED = """
robustness = "none"
[base]
loss = "LOSS"
rounds = 30
[base.data]
rule = { name = "RULE", rows = 60, noise = 0.3, seed = 1 }
predict = [[0.5, 0.25], [-1.5, 2.0]]
[base.network]
hidden = []
activations = "LAST"
[base.initial]
scheme = "pytorch"
[base.optimizer]
name = "adam"
learning_rate = 0.1
[experiment.model]
title = {zh = "模型", en = "Model"}
[[experiment.model.variant]]
name = "linear"
[[experiment.model.variant]]
name = "scaled"
change.data.standardise = true
"""


@pytest.mark.parametrize(
    ("loss", "rule", "last", "probabilities"),
    [
        ("bce_with_logits", "moons", "identity", lambda o: torch.sigmoid(o)),
        ("bce", "moons", "sigmoid", lambda o: torch.sigmoid(o)),
        ("mse", "moons", "sigmoid", lambda o: torch.sigmoid(o)),
        ("mse", "moons", "identity", None),
        ("soft_margin", "moons", "identity", None),
        ("cross_entropy", "blobs", "identity", lambda o: torch.softmax(o, dim=1)),
    ],
)
def test_rows_that_are_asked_about(
    loss: str, rule: str, last: str, probabilities: Any, build_pages: Callable[..., Any]
) -> None:
    text = ASKED.replace("LOSS", loss).replace("RULE", rule).replace("LAST", last)
    report = build_pages(text)
    found = [t for t in tables_of(report, "en") if t[0][:3] == ["x1", "x2", "variant"]]
    (experiment,) = report.measured.experiments
    ((head, *rows),) = found
    assert head[3:] == ["class", "probability"]
    assert [row[:3] for row in rows] == [
        [*inputs, name]
        for inputs in (["0.5", "0.25"], ["−1.5", "2"])
        for name in ("linear", "scaled")
    ]
    border = 0.5 if loss == "mse" else 0.0
    for name, result in zip(("linear", "scaled"), experiment.singles, strict=True):
        scale = result.trial.data_set
        inputs = torch.tensor([[0.5, 0.25], [-1.5, 2.0]], dtype=torch.float64)
        if name == "scaled":
            inputs = (inputs - torch.tensor(scale.means)) / torch.tensor(scale.deviations)
        flat = torch.tensor(result.run.trace.weights[-1], dtype=torch.float64)
        units = len(result.run.config.data.targets[0])
        outputs = inputs @ flat[: 2 * units].reshape(units, 2).T + flat[2 * units :]
        mine = [row for row in rows if row[2] == name]
        if probabilities is None:
            assert [row[3] for row in mine] == ["01"[int(o > border)] for o in outputs[:, 0]]
            assert {row[4] for row in mine} == {"—"}
            continue
        told = probabilities(outputs)
        told = told if units > 1 else torch.hstack([1 - told, told])
        for row, chances in zip(mine, told, strict=True):
            assert row[3] == str(int(chances.argmax()))
            assert float(row[4].rstrip("%")) / 100 == pytest.approx(float(chances.max()), abs=6e-4)


@pytest.mark.parametrize(("hidden", "drawn"), [([3] * 6, True), ([3], False)])
def test_a_deep_network_shows_its_gradients_by_layer(
    hidden: list[int], drawn: bool, build_pages: Callable[..., Any]
) -> None:
    text = LAB[: LAB.index("[[experiment.model.variant]]")].replace('"tanh"', '"sigmoid"')
    report = build_pages(text.replace("hidden = [3]", f"hidden = {hidden}"))
    assert ("the gradient shrinks" in report.html("en")) == drawn
    assert ("SizesDrawing" in str(report.tree)) == drawn
    assert ("RegionsDrawing" in str(report.tree)) != drawn


def test_one_variant_alone_is_asked(build_pages: Callable[..., Any]) -> None:
    text = (
        ASKED.replace("LOSS", "bce_with_logits")
        .replace("RULE", "moons")
        .replace("LAST", "identity")
    )
    asked = "predict = [[0.5, 0.25], [-1.5, 2.0]]\n"
    report = build_pages(text.replace(asked, "") + f"change.data.{asked}")
    ((_, *rows),) = [t for t in tables_of(report, "en") if t[0][:3] == ["x1", "x2", "variant"]]
    assert [row[2] for row in rows] == ["scaled", "scaled"]


TWO_EXPERIMENTS = LAB[: LAB.index("[experiment.starts]")]
ONE_EXPERIMENT = LAB[: LAB.index("[experiment.width]")]
KEPT = TWO_EXPERIMENTS.replace("standardise = true", 'standardise = true\nkeep = "best"')


def across_experiments(report: Any) -> list[list[list[str]]]:
    """The tables that rank runs of all experiments by their loss on the validation rows."""
    head = ["variant", "rounds", "loss, training", "loss, validation", "right, validation"]
    return [t for t in tables_of(report, "en") if t[0] == head]


def test_runs_of_all_experiments_are_ranked_by_validation(build_pages: Callable[..., Any]) -> None:
    (table,) = across_experiments(build_pages(TWO_EXPERIMENTS))
    losses = [float(row[3].split()[0]) for row in table[1:]]
    assert len(losses) >= 2
    assert losses == sorted(losses)
    assert {row[1] for row in table[1:]} == {"40"}


def test_runs_of_one_experiment_are_not_ranked_twice(build_pages: Callable[..., Any]) -> None:
    assert across_experiments(build_pages(ONE_EXPERIMENT)) == []


def test_losses_on_held_out_rows_are_those_of_the_rounds_that_are_kept(
    build_pages: Callable[..., Any],
) -> None:
    last, kept = (build_pages(lab) for lab in (TWO_EXPERIMENTS, KEPT))
    sized = ["variant", "parameters"]
    (before,) = (t for t in tables_of(last, "en") if t[0][:3] == [*sized, "loss, training"])
    (after,) = (t for t in tables_of(kept, "en") if t[0][:3] == [*sized, "kept after"])
    for own, best in zip(before[1:], after[1:], strict=True):
        assert own[0] == best[0]
        assert 0 <= int(best[2]) <= 40
        # No kept round has a higher loss there than the last one.
        assert float(best[4]) <= float(own[3]) * 1.001


PICTURES = """
robustness = "none"
[base]
loss = "cross_entropy"
rounds = 30
[base.data]
set = "digits"
split = {{ train = 1077, validation = 360, test = 360, seed = 1 }}
standardise = true
[base.network]
layers = [64, 10]
activations = "identity"
[base.initial]
scheme = "pytorch"
[base.optimizer]
name = "sgd"
learning_rate = {rate}
[experiment.read]
title = {{zh = "识别", en = "Reading"}}
"""


def figures_of(section: Any) -> list[Any]:
    """The figures of a section and of those within it."""
    own = [block for block in section.blocks if type(block).__name__ == "Figure"]
    return own + [figure for inner in section.sections for figure in figures_of(inner)]


def test_misread_pictures_are_those_of_the_source(build_pages: Callable[..., Any]) -> None:
    built = build_pages(PICTURES.format(rate=0.5))
    drawings = [f.drawing for s in built.tree.sections for f in figures_of(s)]
    (drawing,) = (d for d in drawings if type(d).__name__ == "PicturesDrawing")
    ((result,),) = (r.singles for r in built.measured.experiments)
    found = held_out(result)
    assert found is not None
    own = own_classes(found.data_set.parts["validation"])
    given = found.classes("validation", 30)
    wrong = np.flatnonzero(own != given)
    assert 0 < len(drawing.pictures) == min(len(wrong), MOST_PICTURES)
    images = load_digits().images
    places = found.data_set.places["validation"]
    for picture, row in zip(drawing.pictures, wrong, strict=False):
        assert np.allclose(picture.pixels.numpy, images[places[row]], atol=1e-9)
        values = dict(picture.name.values)
        assert values["own"].values == (str(load_digits().target[places[row]]),)
        assert values["given"].values == (str(given[row]),)
    caption = re.sub(r"<[^>]+>", "", built.html("en"))
    assert f"misreads {len(wrong)} of the 360 pictures of the validation part" in caption


def test_without_a_misread_picture_there_is_no_figure_of_them(
    build_pages: Callable[..., Any],
) -> None:
    # One picture of each class, which is also all that is asked.
    lab = PICTURES.format(rate=0.5).replace("rounds = 30", "rounds = 300")
    lab = lab.replace(
        "split = { train = 1077, validation = 360, test = 360, seed = 1 }",
        "split = { train = 1787, validation = 10, seed = 3, stratified = true }",
    )
    built = build_pages(lab)
    ((result,),) = (r.singles for r in built.measured.experiments)
    found = held_out(result)
    assert found is not None
    assert found.score("validation", 300) == 1
    assert "PicturesDrawing" not in str(built.tree)
