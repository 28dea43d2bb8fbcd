"""Data and networks as a lab writes them, turned into rows, layers and rounds of a run.

Files are read, sets loaded and examples drawn once, however many runs see them. Numerical libraries
are imported only where a lab asks for anything but rows of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labreport.data.examples import DataError, Examples, Problem, numbered
from labreport.lab.class_targets import OF_SIGNS
from labreport.lab.configuration import Data
from labreport.lab.lab import Change
from labreport.lab.reading.faults import Mismatch, nearest
from labreport.lab.schema.written import DrawnExamples, WrittenConfig, WrittenData

if TYPE_CHECKING:
    from labreport.data.data_set import DataSet, Origin, Preparation

LARGEST_FILE = 20_000_000
"""Bytes of a file with examples."""

ONE_EACH = frozenset({"cross_entropy", "kl_div"})
"""Losses that want an output for every class, also where there are two."""

OF_TWO = frozenset({"bce", "bce_with_logits", "soft_margin", "hinge_embedding"})
"""Losses of which one output tells two classes apart."""

SOURCES = ("inputs", "file", "set", "rule")
PLAIN = frozenset({"inputs", "targets", "batch_size"})
"""Keys of data that are what a run's configuration has."""


class UnusableDataError(ValueError):
    """Data that do not fit a lab, or cannot be read; it has what is wrong."""

    def __init__(self, found: Sequence[Mismatch]) -> None:
        super().__init__(", ".join(mismatch.code for mismatch in found))
        self.found = tuple(found)


def is_written_out(merged: Change) -> bool:
    """Return whether tables have nothing but rows, layers and rounds as a run has them."""
    data, network = merged.get("data"), merged.get("network")
    if not isinstance(data, dict):
        return "epochs" not in merged
    targets = data.get("targets")
    named = isinstance(targets, list) and bool(targets) and isinstance(targets[0], str)
    hidden = isinstance(network, dict) and "hidden" in network
    return data.keys() <= PLAIN and not named and not hidden and "epochs" not in merged


class ExamplesReader:
    """Resolves what a lab writes of its data; what was read is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._examples: dict[tuple[object, ...], tuple[Examples, Origin]] = {}
        self._sets: dict[tuple[object, ...], tuple[DataSet, Data]] = {}
        self._batched: dict[tuple[int, int | None], Data] = {}
        self._of_data: dict[int, DataSet] = {}
        self._kept: tuple[str, int | None] | None = None
        self.files: dict[str, str] = {}

    def data_set(self, data: Data) -> DataSet | None:
        """The data set that the data of a configuration are the training part of."""
        return self._of_data.get(id(data))

    def resolved(self, merged: Change, written: WrittenConfig) -> Change:
        """The tables of a run's configuration: rows, layers and rounds.

        Args:
            merged: the tables as they were written.
            written: the same, checked each for itself.

        Raises:
            UnusableDataError: with what is wrong with the data, or does not fit them.
        """
        try:
            return self._resolved(merged, written)
        except DataError as error:
            raise UnusableDataError([_mismatch(p, written) for p in error.problems]) from None

    def _resolved(self, merged: Change, written: WrittenConfig) -> Change:
        _check_alternatives(merged, written)
        self._check_kept(written.data)
        examples, origin = self._read(written)
        outputs = _outputs(written, examples)
        made, data = self._data_set(written, examples, origin, outputs)
        network = _layers(merged["network"], written, len(made.features), outputs)
        key = (id(data), written.data.batch_size)
        # What an identity belongs to is kept, so that nothing else can get it.
        batched = self._batched.setdefault(key, data.in_batches(written.data.batch_size))
        self._of_data[id(batched)] = made
        known = {**merged, "data": batched, "network": network}
        epochs = known.pop("epochs", None)
        if epochs is not None:
            known["rounds"] = epochs * batched.rounds_of_a_pass
        return known

    def _check_kept(self, data: WrittenData) -> None:
        """Raises UnusableDataError where what is kept of a run cannot be known, or varies."""
        found = []
        if data.keep == "best" and (data.split is None or data.split.validation is None):
            found.append(Mismatch(("data", "keep"), "keep-no-validation", {}))
        if data.patience is not None and data.keep != "best":
            found.append(Mismatch(("data", "patience"), "patience-no-best", {}))
        mine = (data.keep, data.patience)
        # The base comes first. The same run cannot count twice, each time with other weights.
        if self._kept is not None and mine != self._kept:
            found.append(Mismatch(("data", "keep"), "keep-varies", {}))
        if found:
            raise UnusableDataError(found)
        self._kept = mine

    def _data_set(
        self, written: WrittenConfig, examples: Examples, origin: Origin, outputs: int
    ) -> tuple[DataSet, Data]:
        from labreport.data.data_set import Outputs, asking, prepare

        wanted = Outputs(outputs, written.loss in OF_SIGNS, written.loss in OF_TWO)
        key = (id(examples), _preparation_key(written.data), wanted)
        if key not in self._sets:
            prepared = prepare(examples, origin, _preparation(written.data), wanted)
            best, patience = written.data.keep == "best", written.data.patience
            kept = replace(prepared, keeps_best=best, patience=patience)
            made = asking(kept, written.data.predict or ())
            rows = made.train
            data = Data.model_construct(inputs=rows.inputs, targets=rows.targets)
            self._sets[key] = (made, data)
        return self._sets[key]

    def _read(self, written: WrittenConfig) -> tuple[Examples, Origin]:
        data = written.data
        source = (data.file, data.target, data.columns, data.missing, data.set, data.rule)
        key = (*source, id(data.inputs), id(data.targets))
        if key not in self._examples:
            self._examples[key] = self._found(data)
        return self._examples[key]

    def _found(self, data: WrittenData) -> tuple[Examples, Origin]:
        from labreport.data.data_set import Origin

        if data.file is not None:
            return self._from_file(data, data.file)
        if data.set is not None:
            from labreport.data.bundled import bundled

            return bundled(data.set), Origin("set", data.set)
        if data.rule is not None:
            return _drawn(data.rule)
        written = repr((data.inputs, data.targets))
        return _inline(data), Origin("inline", "", {}, hashlib.sha256(written.encode()).hexdigest())

    def _from_file(self, data: WrittenData, name: str) -> tuple[Examples, Origin]:
        from labreport.data.data_set import Origin

        content = self._content(name)
        digest = hashlib.sha256(content).hexdigest()
        self.files[name] = digest
        ending = Path(name).suffix.lower()
        if ending in (".npz", ".npy"):
            from labreport.data.array_file import read_arrays

            found = read_arrays(name, content)
        else:
            from labreport.data.csv_file import Wanted, read_csv

            target = (data.target,) if isinstance(data.target, str) else data.target
            found = read_csv(name, content, Wanted(target, data.columns, data.missing))
        return found, Origin("file", name, {}, digest)

    def _content(self, name: str) -> bytes:
        """The bytes of a file. Raises DataError if it cannot be read, or is too large."""
        path = self._folder / name
        if not _is_file(path):
            if _is_there(path):
                raise DataError(Problem(("file",), "data-not-a-file", {"file": name}))
            there = _names_beside(path)
            raise DataError(Problem(("file",), "data-no-file", {"file": name}, tuple(there)))
        size = path.stat().st_size
        if not size:
            # Also what only looks like a file: reading it might never end.
            raise DataError(Problem(("file",), "data-empty", {"file": name}))
        if size > LARGEST_FILE:
            values = {"file": name, "limit": LARGEST_FILE}
            raise DataError(Problem(("file",), "data-file-too-large", values))
        try:
            return path.read_bytes()
        except OSError as error:
            values = {"file": name, "detail": str(error.strerror)}
            raise DataError(Problem(("file",), "data-unreadable", values)) from None


def _names_beside(path: Path) -> list[str]:
    """Names of files in the folder of a path."""
    try:
        return sorted(p.name for p in path.parent.glob("*") if _is_file(p))[:100]
    except OSError:
        return []


def _is_there(path: Path) -> bool:
    """Return whether there is something else in place of a file: a folder, a pipe, a device."""
    try:
        return path.exists()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    """Return whether there is a regular file; a name that no file may have is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _check_alternatives(merged: Change, written: WrittenConfig) -> None:
    """Raises UnusableDataError where nothing, or two things, say what the examples are."""
    data = written.data
    named = [source for source in SOURCES if getattr(data, source) is not None]
    found = []
    if not named:
        found.append(Mismatch(("data", "inputs"), "data-no-source", {}, SOURCES))
    if len(named) > 1:
        values = {"one": f"data.{named[0]}", "other": f"data.{named[1]}"}
        found.append(Mismatch(("data", named[1]), "two-of-one-kind", values))
    if named == ["inputs"] and data.targets is None:
        found.append(Mismatch(("data", "targets"), "missing-key", {}))
    if named and named[0] != "inputs" and data.targets is not None:
        values = {"one": f"data.{named[0]}", "other": "data.targets"}
        found.append(Mismatch(("data", "targets"), "two-of-one-kind", values))
    idle = [key for key in ("target", "columns") if getattr(data, key) is not None]
    if data.file is None or not data.file.lower().endswith(".csv"):
        found += [Mismatch(("data", key), "data-only-csv", {}) for key in idle]
    for table, one, other in (
        (merged, "epochs", "rounds"),
        (merged["network"], "hidden", "layers"),
    ):
        if one in table and other in table:
            place = (one,) if table is merged else ("network", one)
            found.append(Mismatch(place, "two-of-one-kind", {"one": one, "other": other}))
    if written.network.hidden is None and written.network.layers is None:
        found.append(Mismatch(("network", "layers"), "missing-key", {}))
    if found:
        raise UnusableDataError(found)


def _inline(data: WrittenData) -> Examples:
    """Rows that stand in the lab file. Raises DataError if they are uneven."""
    inputs, targets = data.inputs or (), data.targets or ()
    widths = {len(row) for row in inputs}
    if len(widths) > 1 or 0 in widths:
        raise DataError(Problem(("inputs",), "data-uneven", {"found": _listed(widths)}))
    if len(inputs) != len(targets):
        values = {"found": len(targets), "expected": len(inputs)}
        raise DataError(Problem(("targets",), "row-count", values))
    columns = tuple(f"x{k}" for k in range(1, len(inputs[0]) + 1))
    if isinstance(targets[0], str):
        numbers, classes = numbered([str(label) for label in targets])
        return Examples(columns, inputs, numbers, ("y",), classes)
    if isinstance(targets[0], int):
        whole = tuple(int(target) for target in targets if isinstance(target, int))
        if min(whole) < 0:
            raise DataError(
                Problem(("targets",), "out-of-range", {"found": min(whole), "bound": "≥ 0"})
            )
        classes = tuple(str(k) for k in range(max(whole) + 1))
        return Examples(columns, inputs, whole, ("y",), classes)
    rows = tuple(row for row in targets if isinstance(row, tuple))
    lengths = {len(row) for row in rows}
    if len(lengths) > 1 or 0 in lengths:
        raise DataError(Problem(("targets",), "data-uneven", {"found": _listed(lengths)}))
    names = ("y",) if lengths == {1} else tuple(f"y{k}" for k in range(1, max(lengths) + 1))
    return Examples(columns, inputs, rows, names)


def _listed(widths: set[int]) -> str:
    return ", ".join(str(width) for width in sorted(widths))


def _drawn(rule: DrawnExamples) -> tuple[Examples, Origin]:
    from labreport.data.data_set import Origin
    from labreport.data.generated import Drawn, generate

    settings = rule.model_dump(exclude={"name"})
    return generate(rule.name, Drawn(**settings)), Origin("rule", rule.name, settings)


def _outputs(written: WrittenConfig, examples: Examples) -> int:
    """Output units: those that the network has, or those that the targets need."""
    from labreport.data.data_set import output_count

    layers = written.network.layers
    if layers is not None:
        return layers[-1]
    return output_count(examples, one_each=written.loss in ONE_EACH)


def _preparation_key(data: WrittenData) -> tuple[object, ...]:
    kept = (data.keep, data.patience, data.predict)
    return (data.split, data.standardise, data.degree, *kept)


def _preparation(data: WrittenData) -> Preparation:
    from labreport.data.data_set import Preparation

    split = data.split
    if split is None:
        return Preparation(standardise=data.standardise, degree=data.degree)
    sizes: Mapping[str, Any] = {
        part: size
        for part in ("train", "validation", "test")
        if (size := getattr(split, part)) is not None
    }
    return Preparation(sizes, split.seed, split.stratified, data.standardise, data.degree)


def _layers(network: Change, written: WrittenConfig, inputs: int, outputs: int) -> Change:
    """The table of a network with all of its layers and an activation for each.

    Raises:
        UnusableDataError: if it has another number of inputs than the data.
    """
    layers = written.network.layers
    if layers is not None:
        if layers[0] != inputs:
            values = {"found": layers[0], "expected": inputs}
            raise UnusableDataError([Mismatch(("network", "layers"), "data-inputs", values)])
        return network
    hidden = written.network.hidden or ()
    names = network.get("activations")
    if isinstance(names, list) and len(names) == 2:
        names = [*(names[:1] * len(hidden)), names[1]]
    rest = {key: value for key, value in network.items() if key != "hidden"}
    return {**rest, "layers": [inputs, *hidden, outputs], "activations": names}


def _mismatch(problem: Problem, written: WrittenConfig) -> Mismatch:
    """A problem of the data as one of the lab; what concerns outputs is at the network's layers."""
    if problem.key:
        place: tuple[str | int, ...] = ("data", *problem.key)
    elif written.network.layers is not None:
        place = ("network", "layers")
    else:
        place = ("loss",)
    found = str(problem.values.get("found", problem.values.get("file", "")))
    return Mismatch(
        place, problem.code, problem.values, problem.allowed, nearest(found, problem.allowed)
    )
