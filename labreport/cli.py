"""The command line: parse, call the pipeline, print, exit code."""

from __future__ import annotations

import json
import locale
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from unicodedata import east_asian_width

import typer

from labreport import __version__

if TYPE_CHECKING:
    from labreport.errors import Fault, LabreportError
    from labreport.pipeline import Summary
    from labreport.report.language import Language
    from labreport.work import Progress

app = typer.Typer(
    name="labreport",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
    add_completion=True,
    help="把一个神经网络实验文件变成一份可逐数核对的实验报告。\n\n"
    "Turn a file of neural-network experiments into a lab report that can be checked.",
    epilog="退出码 / exit codes: 0 完成 done, 1 运行失败 failed run, 2 输入有误 wrong input.",
)

LabArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[LAB.toml]",
        help="实验文件，默认为当前目录的 experiments.toml，没有则用自带的一份 / the lab file; "
        "experiments.toml here, or the one that ships with the tool.",
        show_default=False,
    ),
]
OutputOption = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="DIR", help="输出目录 / where everything is written."),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"labreport {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="版本 / version."),
    ] = False,
) -> None:
    pass


@app.command(
    epilog="例 / examples:  labreport build;  labreport build --only adam --lang en;  "
    "labreport build mine.toml -o out"
)
def build(
    lab: LabArgument = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="NAME",
            help="只做这一项实验，可重复 / this experiment only; may be repeated.",
            show_default=False,
        ),
    ] = None,
    lang: Annotated[
        list[str] | None,
        typer.Option(
            "--lang",
            metavar="zh|en",
            help="报告的语言，可重复 / language of the report; may be repeated.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = Path("output"),
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            help="同时训练的进程数，默认按处理器 / processes that train at a time; "
            "as many as processors if left out.",
            show_default=False,
        ),
    ] = None,
    memory: Annotated[
        int, typer.Option("--memory", min=16, metavar="MIB", help="训练可用的内存 / memory for it.")
    ] = 1024,
    device: Annotated[
        str, typer.Option("--device", metavar="cpu|cuda", help="计算设备 / where to compute.")
    ] = "cpu",
) -> None:
    """运行缺少的实验并写出报告 / run what is missing and write the report."""
    from labreport.pipeline import Request, build
    from labreport.work import Machine

    machine = Machine(device, jobs or os.cpu_count() or 1, memory * 2**20)
    request = Request(lab, tuple(only or ()), tuple(lang or ()), output, machine)
    with _reported(), _progress() as progress:
        summary = build(request, progress)
    _print_summary(summary)


@app.command("list")
def list_(
    lab: LabArgument = None,
    output: OutputOption = Path("output"),
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON alone.")] = False,
) -> None:
    """列出实验、训练次数和已存的结果 / list experiments, their runs and what is stored."""
    from labreport.pipeline import list_experiments

    with _reported():
        listed = list_experiments(lab, output)
    if as_json:
        rows = [
            {"name": e.name, "title": e.title, "runs": e.runs, "stored": e.stored} for e in listed
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    words = _language()
    table = Table(box=None, pad_edge=False)
    table.add_column(words.text("cli.list-experiment"))
    table.add_column(words.text("cli.list-title"))
    table.add_column(words.text("cli.list-runs"), justify="right")
    table.add_column(words.text("cli.list-stored"), justify="right")
    for entry in listed:
        title = _printable(entry.title[words.code])
        table.add_row(entry.name, Text(title), str(entry.runs), str(entry.stored))
    Console().print(table)


@app.command(epilog="例 / examples:  labreport clean;  labreport clean mine.toml other.toml --yes")
def clean(
    labs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[LAB.toml]...",
            help="所用的训练要保留的实验文件，默认同 build / the lab files whose runs are kept; "
            "as for build if left out.",
            show_default=False,
        ),
    ] = None,
    output: OutputOption = Path("output"),
    yes: Annotated[bool, typer.Option("--yes", help="不询问 / do not ask.")] = False,
) -> None:
    """删除没有实验用到的存储 / remove from the store what no lab refers to."""
    from labreport.errors import Fault, InputError
    from labreport.pipeline import clean, plan_cleaning

    words = _language()
    with _reported():
        plan = plan_cleaning(labs or (), output)
        names = ", ".join(_printable(path) for path in plan.labs)
        typer.echo(words.text("cli.clean-labs", names=names))
        for group in plan.found:
            count = len(group.paths)
            text = words.text(
                f"cli.clean-{group.kind}", count=count, runs=group.runs, size=group.size
            )
            typer.echo(text)
        if not plan.found:
            typer.echo(words.text("cli.clean-nothing"))
            return
        if not yes and not sys.stdin.isatty():
            raise InputError(Fault("clean-unasked"))
        if not yes and not _agreed(words.text("cli.clean-question")):
            typer.echo(words.text("cli.clean-kept"))
            return
        with _progress() as progress:
            clean(plan, progress)
        typer.echo(words.text("cli.clean-done"))


def _agreed(question: str) -> bool:
    typer.echo(f"{question} ", nl=False)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是")


def _language() -> Language:
    """The language of the terminal: Chinese where the locale says so, else English."""
    from labreport.report.language import language

    names = [os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    chosen = next((name for name in names if name), None) or locale.getlocale()[0] or ""
    return language("zh" if chosen.lower().startswith(("zh", "chinese")) else "en")


@contextmanager
def _reported() -> Iterator[None]:
    """The one place that catches the tool's own errors, prints them and sets the exit code."""
    from labreport.errors import LabreportError

    try:
        yield
    except LabreportError as error:
        _print_faults(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        _say(_language().text("cli.interrupted"))
        raise typer.Exit(130) from None


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _print_faults(error: LabreportError) -> None:
    words = _language()
    for fault in error.faults:
        _print_fault(fault, words)
    key = "cli.faults" if error.exit_code == 2 else "cli.failed"
    _say(words.text(key, count=len(error.faults)))


def _print_fault(fault: Fault, words: Language) -> None:
    is_type = fault.code == "wrong-type"
    values = {
        name: words.text(f"type.{value}") if is_type else _printable(value)
        for name, value in fault.values.items()
    }
    place = "" if fault.file is None else str(fault.file)
    place += f":{fault.line}" if fault.line else ""
    place += f":{fault.column}" if fault.column else ""
    head = ": ".join(part for part in (place, fault.key) if part)
    message = words.text(f"fault.{fault.code}", **values)
    _say(_printable(f"{head}: {message}" if head else message))
    if fault.excerpt:
        # A long line is cut around the place that is at fault.
        start = max(0, fault.column - 60)
        _say("    " + _printable(fault.excerpt[start : start + 110]))
        before = fault.excerpt[start : max(fault.column, 1) - 1]
        # A Chinese character is as wide as two others in a terminal.
        _say("    " + " " * sum(1 + (east_asian_width(c) in "WF") for c in before) + "^")
    if fault.nearest:
        _say("    " + words.text("fault-part.nearest", name=fault.nearest))
    if fault.allowed:
        _say("    " + words.text("fault-part.allowed", names=", ".join(fault.allowed)))


def _printable(value: object) -> str:
    """Text without control characters, which a terminal would obey."""
    text = "".join(c if c.isprintable() else "�" for c in str(value))
    return text if len(text) <= 400 else text[:400] + "…"


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr, where that is a terminal; that a build waits is said everywhere."""
    words = _language()

    def say_if_waiting(what: str, done: int, total: int) -> None:
        if what == "waiting":
            _say(words.text("cli.waiting"))

    if not sys.stderr.isatty():
        yield say_if_waiting
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    description = TextColumn("{task.description}")
    columns = (description, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {
            what: bar.add_task(words.text(f"cli.{what}"), total=None, visible=False)
            for what in ("training", "writing")
        }

        def show(what: str, done: int, total: int) -> None:
            if what in tasks:
                bar.update(tasks[what], completed=done, total=total, visible=True)
            else:
                say_if_waiting(what, done, total)

        yield show


def _print_summary(summary: Summary) -> None:
    words = _language()
    _say(words.text("cli.trained", trained=summary.trained, stored=summary.stored))
    if summary.damaged:
        names = ", ".join(path.name for path in summary.damaged)
        _say(words.text("cli.damaged", count=len(summary.damaged), names=names))
    if summary.outdated:
        _say(words.text("cli.outdated", count=len(summary.outdated)))
    if summary.without_reflection:
        _say(words.text("cli.no-reflection"))
    for path in summary.written:
        typer.echo(f"{words.text('cli.written')} {path}")
