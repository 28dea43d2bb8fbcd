"""How often rules speak wrongly: labs at random, trained, stored, read, observed and checked.

    python benchmarks/false_alarms.py                    # 10 000 labs, some minutes
    python benchmarks/false_alarms.py --labs 200         # a first look
    python benchmarks/false_alarms.py --data-sets        # labs with rows held out
    python benchmarks/false_alarms.py --write            # and the table into docs/observations.md

Every observation is checked twice: by its own formulas, and by a check that was written from its
sentence (``claim_checks/``). Then claims on chance are made where there is nothing but chance
(``same_distribution.py``). What is wrong is printed, with the lab that it was said of. Whether what
is said of other starts and of longer training holds where nobody has looked is asked by
``unseen_runs.py``.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import same_distribution
import torch
from claim_checks import CHECKS, LAB_CHECKS, OF_EVERY_RUN, Effort, Seen
from random_data_labs import data_lab
from random_labs import WORLDS, World, lab, world

from labreport.analysis.attach import attach_all
from labreport.analysis.formulas.evidence import Known, data_sets_of, failures
from labreport.analysis.lab_rules.conclusions import LAB_RULES, Conclusion, conclude
from labreport.analysis.lab_rules.lab_rule import Observed
from labreport.analysis.observation import Observation
from labreport.analysis.observe import RULES, observe, observe_base
from labreport.analysis.replays import replay_lab
from labreport.analysis.results import ExperimentResults
from labreport.analysis.rule import WITHOUT_ROW
from labreport.build.origin import this_environment
from labreport.errors import InputError
from labreport.lab.configuration import RunConfig
from labreport.lab.plan import Lab, Trial
from labreport.lab.reading.load import load
from labreport.lab.schedule import Schedule
from labreport.runs.file_format import run_name
from labreport.runs.run import Run
from labreport.runs.store import Store
from labreport.training.execution import Resources, train_missing

Draw = Callable[[random.Random, list[World]], str]
"""Draws a lab, as TOML."""

BATCH = 250
"""Labs that are trained together."""

PAGE = Path(__file__).parent.parent / "docs" / "observations.md"
MARKS = ("<!-- false alarms -->\n", "<!-- end of false alarms -->\n")


@dataclass
class Tally:
    """Of one rule: how often it spoke, and how often that was wrong."""

    fired: int = 0
    by_formula: int = 0
    by_sentence: int = 0


@dataclass
class Found:
    """What was found in all labs.

    Attributes:
        tallies: by rule; those of whole labs are among them.
        labs: that were observed.
        redrawn: labs that were refused when they were loaded.
        runs: that were trained.
        replayed: that were computed again by hand.
        unlike: of these, that differed by more than rounding.
        wrong: in words, what was wrong.
    """

    tallies: dict[str, Tally] = field(
        default_factory=lambda: {name: Tally() for name in (*RULES, *WITHOUT_ROW, *LAB_RULES)}
    )
    labs: int = 0
    redrawn: int = 0
    runs: int = 0
    replayed: int = 0
    unlike: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Found) -> None:
        """Take in what was found in other labs."""
        for name, tally in other.tallies.items():
            mine = self.tallies[name]
            mine.fired += tally.fired
            mine.by_formula += tally.by_formula
            mine.by_sentence += tally.by_sentence
        for count in ("labs", "redrawn", "runs", "replayed", "unlike"):
            setattr(self, count, getattr(self, count) + getattr(other, count))
        self.wrong += other.wrong


def refuse_gaps() -> None:
    """Raises SystemExit if a rule has no check, or a check no rule."""
    for rules, checks in (({**RULES, **WITHOUT_ROW}, CHECKS), (LAB_RULES, LAB_CHECKS)):
        if rules.keys() != checks.keys():
            raise SystemExit(f"rules and checks differ: {sorted(rules.keys() ^ checks.keys())}")


def measure_in(
    jobs: int, labs: int, seed: int, keep: Path | None = None, draw_lab: Draw = lab
) -> Found:
    """Measure in several processes at once, each with a part of the labs and a seed of its own."""
    found = Found()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        parts = [
            pool.submit(_part, labs // jobs, f"{seed}/{job}", keep and keep / str(job), draw_lab)
            for job in range(jobs)
        ]
        for part in parts:
            found.add(part.result())
    return found


def _part(labs: int, seed: str, keep: Path | None, draw_lab: Draw) -> Found:
    torch.set_num_threads(1)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
    return measure(labs, seed, keep, tell=True, draw_lab=draw_lab)


def measure(
    labs: int,
    seed: int | str,
    keep: Path | None = None,
    *,
    tell: bool = False,
    draw_lab: Draw = lab,
) -> Found:
    """Draw, train, observe and check so many labs.

    Args:
        labs: how many.
        seed: of the drawing.
        keep: a folder for labs of which something wrong was said.
        tell: whether to print what is wrong as soon as it is found.
        draw_lab: what draws a lab.
    """
    refuse_gaps()
    draw, found, effort = random.Random(seed), Found(), Effort()
    while found.labs < labs:
        count = min(BATCH, labs - found.labs)
        with tempfile.TemporaryDirectory() as folder:
            batch = list(drawn(draw, count, Path(folder) / "lab.toml", found, draw_lab))
            runs = trained([one for one, _ in batch], Path(folder) / "output", found)
            for one, text in batch:
                before = len(found.wrong)
                _check_lab(one, runs, found, effort)
                if keep and len(found.wrong) > before:
                    (keep / f"{found.labs}.toml").write_text(text, encoding="utf-8")
                if tell:
                    for line in found.wrong[before:]:
                        print(f"lab {found.labs}: {line}", flush=True)
                found.labs += 1
        if tell:
            print(f"{found.labs} labs, {found.runs} runs", file=sys.stderr, flush=True)
    return found


def check_file(path: Path) -> Found:
    """Train, observe and check the lab of one file."""
    found, one = Found(labs=1), load(path)
    with tempfile.TemporaryDirectory() as folder:
        runs = trained([one], Path(folder) / "output", found)
        _check_lab(one, runs, found, Effort())
    return found


def drawn(
    draw: random.Random, count: int, path: Path, found: Found, draw_lab: Draw = lab
) -> Iterator[tuple[Lab, str]]:
    """Labs as they are loaded, with their text; what is refused is drawn again."""
    worlds = [world(draw) for _ in range(WORLDS)]
    while count:
        text = draw_lab(draw, worlds)
        path.write_text(text, encoding="utf-8")
        try:
            yield load(path), text
        except InputError:
            found.redrawn += 1
        else:
            count -= 1


def trained(labs: Sequence[Lab], output: Path, found: Found) -> dict[str, Run]:
    """All runs of some labs, trained together, stored, and read from the store."""
    stored = stored_runs([pair for one in labs for pair in one.recordings()], output)
    found.runs += len(stored)
    return stored


def stored_runs(
    recordings_of: Iterable[tuple[RunConfig, Schedule]], output: Path
) -> dict[str, Run]:
    """Train, store and read runs, by the digest of their configuration."""
    recordings = {}
    for config, schedule in recordings_of:
        recordings.setdefault(config.digest, (config, schedule))
    environment, store = this_environment(), Store(output)
    store.folder.mkdir(parents=True)
    machine = Resources(memory=2**29)
    train_missing(list(recordings.values()), environment, store, machine, lambda *_: None)
    names = {digest: run_name(config, environment) for digest, (config, _) in recordings.items()}
    stored = store.read(list(names.values()))
    return {digest: stored[name] for digest, name in names.items()}


def _check_lab(one: Lab, runs: dict[str, Run], found: Found, effort: Effort) -> None:
    mine = {config.digest: runs[config.digest] for config in one.configurations()}
    known = {run.name: run for run in mine.values()}
    _replay(one, mine, found)
    controls = {config.digest for config in one.controls}
    experiments = attach_all(one.plans, mine, controls)
    seen = [Seen(e.plan, [(r.trial, r.run) for r in e.results], mine, effort) for e in experiments]
    for here, results in zip(seen, experiments, strict=True):
        for observation in _observed(results, found):
            check = partial(CHECKS[observation.rule], _seen_by(observation, here), observation)
            _check(observation, Known(known, results.check, data_sets_of(results)), found, check)
    concluded: tuple[Conclusion, ...] = ()
    try:
        with _strict():
            concluded = conclude([Observed(e, observe(e)) for e in experiments])
    except Exception:
        found.wrong.append(f"concluding: {traceback.format_exc()}")
    for plan, observation in concluded:
        seen_by = [_seen_by(observation, here) for here in seen]
        lab_check = partial(LAB_CHECKS[observation.rule], seen_by, plan, observation)
        check_of_plan = next(e.check for e in experiments if e.plan is plan)
        _check(observation, Known(known, check_of_plan), found, lab_check)
    tested = [mine[config.digest] for config in one.base_tested if config.digest in mine]
    base = mine[one.base.digest]
    for observation in observe_base(base, tested):
        which = tested[0] if observation.rule == "linear-reaches" else base
        alone = Seen(one.plans[0], [(Trial("base", (), None, which.config), which)], mine, effort)
        check = partial(CHECKS[observation.rule], alone, observation)
        _check(observation, Known(known), found, check)


def _seen_by(observation: Observation, seen: Seen) -> Seen:
    """What a rule looks at: most leave out runs whose loss is 0 whatever their weights."""
    return seen if observation.rule in OF_EVERY_RUN else seen.without_constant_losses()


def _replay(one: Lab, runs: dict[str, Run], found: Found) -> None:
    """Compute all runs again by hand; each was trained honestly, so that none may differ."""
    try:
        with _strict():
            replays = replay_lab(one, runs)
    except Exception:
        found.wrong.append(f"replaying: {traceback.format_exc()}")
        return
    found.replayed += replays.runs
    for each in replays.replayed:
        if not each.replay.agrees:
            found.unlike += 1
            found.wrong.append(f"replay: {each.fault.values} {each.run.config.canonical}")


def _observed(results: ExperimentResults, found: Found) -> Sequence[Observation]:
    try:
        with _strict():
            observed = observe(results)
    except Exception:
        found.wrong.append(f"observing {results.plan.name}: {traceback.format_exc()}")
        return ()
    return (*observed.answers, *observed.others, *observed.limits)


def _strict() -> warnings.catch_warnings:  # type: ignore[type-arg]
    """A warning where rules look at a run would reach the user's terminal."""
    return warnings.catch_warnings(action="error")


def _check(observation: Observation, known: Known, found: Found, check: object) -> None:
    assert callable(check)
    tally = found.tallies[observation.rule]
    tally.fired += 1
    failed = list(failures(observation, known))
    if failed:
        tally.by_formula += 1
        found.wrong.append(f"formula of {observation.message}: {failed[0]}")
    try:
        with warnings.catch_warnings(action="ignore"):
            holds = bool(check())
    except Exception:
        holds = False
        found.wrong.append(traceback.format_exc())
    if not holds:
        tally.by_sentence += 1
        found.wrong.append(f"sentence of {observation.message}: {dict(observation.facts)}")


def table(found: Found, seed: int, jobs: int, chance: same_distribution.Rates) -> str:
    """What docs/observations.md says of it, in Markdown."""
    rows = [
        f"`python benchmarks/false_alarms.py --labs {found.labs} --seed {seed} --jobs {jobs}` drew "
        f"{found.labs:,} labs at random ({found.redrawn:,} more were refused by the check of lab "
        f"files and drawn again), trained their {found.runs:,} runs, stored and read them, and let "
        "every rule speak. What each said was computed again by its formulas, and checked against "
        "its sentence by code that shares nothing with the rules: with NumPy on the stored arrays, "
        "with floors found by trial, and, for a sample, with stock torch trained again. All "
        f"{found.replayed:,} runs were also replayed by hand, as a build does it, and "
        f"{found.unlike:,} of them differed by more than their rounding, which is a false alarm.",
        "",
        "| rule | spoke | wrong by formula | wrong by sentence |",
        "|---|---:|---:|---:|",
        *(
            f"| `{name}` | {t.fired:,} | {t.by_formula} | {t.by_sentence} |"
            for name, t in found.tallies.items()
        ),
        "",
        *same_distribution.lines(chance),
    ]
    return "\n".join(rows) + "\n"


def write(text: str) -> None:
    """Put the table between its marks in docs/observations.md."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    """Parse, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--labs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes, each with a part of them")
    parser.add_argument("--data-sets", action="store_true", help="labs with rows held out")
    parser.add_argument("--simulations", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="folder for labs with something wrong")
    parser.add_argument("--write", action="store_true", help="write docs/observations.md")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.keep:
        chosen.keep.mkdir(parents=True, exist_ok=True)
    draw_lab: Draw = data_lab if chosen.data_sets else lab
    if chosen.jobs > 1:
        found = measure_in(chosen.jobs, chosen.labs, chosen.seed, chosen.keep, draw_lab)
    else:
        found = measure(chosen.labs, chosen.seed, chosen.keep, tell=True, draw_lab=draw_lab)
    chance = same_distribution.measure(chosen.simulations, chosen.seed)
    text = table(found, chosen.seed, chosen.jobs, chance)
    print(text)
    if chosen.write:
        write(text)
    if found.wrong:
        raise SystemExit(f"{len(found.wrong)} things are wrong")


if __name__ == "__main__":
    main()
