"""How far what is said of other starts, roundings and longer training holds where nobody looked.

    python benchmarks/unseen_runs.py --labs 200 --seed 3 --jobs 2

Labs at random are trained and observed. Each sentence that speaks of random starts is then asked of
30 starts that it has not seen (seeds 1000 to 1029), each that says who leads or what stays of runs
in roundings that no control has, and each that speaks of longer training of three times as many
rounds. What is said of starts fails where the new ones contradict it more often than chance
explains: Fisher's exact test, one-sided, against the starts that it rests on. What is said of the
runs themselves fails with the first that contradicts it.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from math import comb
from multiprocessing import get_context
from pathlib import Path

import torch
from false_alarms import Found, drawn, stored_runs, trained
from unseen_questions import Question, questions

from labreport.lab.schedule import Schedule

BATCH = 50
"""Labs that are trained together."""


@dataclass
class Tally:
    """Of one kind of sentence: how many were asked, and what was found.

    Attributes:
        asked: sentences.
        cases: new starts, or longer runs, that were tried.
        against: of these, how many contradict their sentence.
        none: sentences that none of them contradicts.
        failed: sentences that more contradict than chance explains at 1 %, or any at all.
    """

    asked: int = 0
    cases: int = 0
    against: int = 0
    none: int = 0
    failed: int = 0
    worst: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what another process has counted."""
        self.asked += other.asked
        self.cases += other.cases
        self.against += other.against
        self.none += other.none
        self.failed += other.failed
        self.worst += other.worst


def answered(asked: Sequence[Question], folder: Path, tallies: dict[str, Tally]) -> None:
    """Train what is asked for, and count what contradicts."""
    recordings = [
        (config, Schedule.of(config, max(1, config.rounds // 20), question.budgets))
        for question in asked
        for case in question.cases
        for config in case
    ]
    runs = stored_runs(recordings, folder)
    for question in asked:
        tally = tallies.setdefault(question.kind, Tally())
        found = [
            question.contradicts([runs[config.digest] for config in case])
            for case in question.cases
        ]
        tally.asked += 1
        tally.cases += len(found)
        tally.against += sum(found)
        tally.none += not any(found)
        tally.worst.append(sum(found) / len(found))
        tally.failed += (
            any(found)
            if question.told is None
            else chance(question.told, (len(found), sum(found))) < 0.01
        )


def chance(told: tuple[int, int], new: tuple[int, int]) -> float:
    """How probable it is that so many of the new starts, or more, contradict by chance alone.

    Given how many of all contradict, each share of them is as probable as any that draws as many.
    """
    (seen, before), (count, now) = told, new
    against, whole = before + now, seen + count
    ways = comb(whole, against)
    return sum(
        comb(count, k) * comb(seen, against - k) for k in range(now, min(count, against) + 1)
    ) / ways  # fmt: skip


def measure(labs: int, seed: str) -> dict[str, Tally]:
    """Ask what is said of so many labs."""
    torch.set_num_threads(1)
    draw, found, tallies = random.Random(seed), Found(), dict[str, Tally]()
    while found.labs < labs:
        count = min(BATCH, labs - found.labs)
        with tempfile.TemporaryDirectory() as folder:
            batch = [one for one, _ in drawn(draw, count, Path(folder) / "lab.toml", found)]
            runs = trained(batch, Path(folder) / "output", found)
            asked = [question for one in batch for question in questions(one, runs)]
            answered(asked, Path(folder) / "fresh", tallies)
        found.labs += count
        print(f"{found.labs} labs", flush=True)
    return tallies


def measure_in(jobs: int, labs: int, seed: int) -> dict[str, Tally]:
    """Measure in several processes at once, each with a part of the labs and a seed of its own."""
    whole: dict[str, Tally] = {}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        parts = [pool.submit(measure, labs // jobs, f"{seed}/{job}") for job in range(jobs)]
        for part in parts:
            for kind, tally in part.result().items():
                whole.setdefault(kind, Tally()).add(tally)
    return whole


def table(tallies: Mapping[str, Tally]) -> str:
    """What was found, in Markdown."""
    rows = [
        f"| {kind} | {t.asked} | {t.cases} | {t.against / t.cases:.1%} | {t.none / t.asked:.0%} "
        f"| {sum(w > 0.1 for w in t.worst) / t.asked:.0%} | {t.failed} |"
        for kind, t in sorted(tallies.items())
    ]
    head = [
        "| sentence | asked | new cases | contradict | none contradicts | more than 10 % do "
        "| fail |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*head, *rows])


def main() -> None:
    """Parse, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--labs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    print(table(measure_in(chosen.jobs, chosen.labs, chosen.seed)))


if __name__ == "__main__":
    main()
