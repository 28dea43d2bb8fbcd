"""What a gradient check may say in a lab file."""

from collections.abc import Callable

import pytest
from lab_texts import changed

from labreport.errors import Fault
from labreport.lab.plan import Lab

CHECK = 'kind = "gradient-check"\n'
FORMULA = '[[experiment.first.formula]]\nname = "wrong"\n'


def formula(line: str, *, kind: str = CHECK) -> str:
    return changed(add=f"{kind}{FORMULA}{line}\n")


def test_a_check_is_one_run_with_its_formulas(loaded: Callable[[str], Lab]) -> None:
    lab = loaded(formula('derivatives.w1 = "(d_w5 + d_w6) * h1 * (1 - h1) * x1 + y1 * o2"'))
    (plan,) = lab.plans
    assert len(plan.trials) == 1
    assert list(plan.experiment.formula[0].derivatives) == ["w1"]


@pytest.mark.parametrize(
    ("text", "code", "key", "nearest"),
    [
        (formula('derivatives.w9 = "x1"'), "unknown-name", "derivatives.w9", ""),
        (formula('derivatives.w1 = "x1 * h3"'), "unknown-name", "derivatives.w1", ""),
        # A derivative that is itself replaced has no value of its own.
        (formula('derivatives.w1 = "d_w1"'), "unknown-name", "derivatives.w1", "d_w8"),
        (formula('derivatives.w1 = "exit()"'), "not-a-formula", "derivatives.w1", ""),
        (formula('derivatives.w1 = "x1"', kind=""), "formula-without-check", "formula", ""),
        (changed(add=f"{CHECK}seeds = 3\n"), "check-of-one-run", "seeds", ""),
        (
            changed(add=f"{CHECK}sweep.optimizer.learning_rate = [1, 2]\n"),
            "check-of-one-run",
            "sweep",
            "",
        ),
        (changed(add=f"{CHECK}change.data.batch_size = 1\n"), "check-of-batches", "kind", ""),
    ],
)
def test_faults(
    faults: Callable[[str], tuple[Fault, ...]], text: str, code: str, key: str, nearest: str
) -> None:
    found = faults(text)
    assert [(f.code, f.nearest) for f in found] == [(code, nearest)]
    assert key in found[0].key
    assert found[0].line > 0


def test_formulas_are_for_one_row(faults: Callable[[str], tuple[Fault, ...]]) -> None:
    text = formula('derivatives.w1 = "x1"').replace("[[0.5, 0.3]]", "[[0.5, 0.3], [0.1, 0.2]]")
    text = text.replace("[[0.23, -0.07]]", "[[0.23, -0.07], [0.1, 0.2]]")
    assert [fault.code for fault in faults(text)] == ["formula-rows"]


def test_two_formulas_need_two_names(faults: Callable[[str], tuple[Fault, ...]]) -> None:
    line = 'derivatives.w1 = "x1"\n'
    text = formula(line) + FORMULA + line
    assert [fault.code for fault in faults(text)] == ["duplicate"]
