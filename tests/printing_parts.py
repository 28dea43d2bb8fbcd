"""Parts of a report printed in a language, for tests of what one part says."""

from __future__ import annotations

from collections.abc import Sequence

from labreport.analysis.results import ExperimentResults
from labreport.language.catalogue import language
from labreport.language.words import Words
from labreport.render.printed import PrintedBlock, PrintedTable
from labreport.render.printing import print_blocks
from labreport.report.compose import experiment_names
from labreport.report.tree import Block, ExperimentNames, Table


def names_in(experiments: Sequence[ExperimentResults]) -> dict[str, ExperimentNames]:
    return {e.plan.name: experiment_names(e.plan) for e in experiments}


def words_of(experiments: Sequence[ExperimentResults], code: str = "en") -> Words:
    return Words(language(code), names_in(experiments))


def printed(
    blocks: Sequence[Block], experiments: Sequence[ExperimentResults] = (), code: str = "en"
) -> list[PrintedBlock]:
    return print_blocks(blocks, names_in(experiments), language(code))


def printed_table(
    table: Table | None, experiments: Sequence[ExperimentResults] = (), code: str = "en"
) -> PrintedTable | None:
    if table is None:
        return None
    (block,) = printed([table], experiments, code)
    assert isinstance(block, PrintedTable)
    return block
