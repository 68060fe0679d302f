"""`bifrost-export validate`: every problem of a document, with the line that it is about."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bifrost_export.cli import output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from bifrost_export.config.documents import Loaded, LoadedExport
    from bifrost_export.config.text.excerpts import Excerpts
    from bifrost_export.problem import Problem


_SHOWN = 1_000
"""Problems that people are shown; the first are for them to fix."""


@click.command("validate")
@click.argument("config", type=click.Path())
@output.format_option
def validate(config: str, output_format: str) -> int:
    """Tell every problem of the document CONFIG, or of each document in the folder CONFIG.

    It reads no variable that the document refers to, and connects to nothing. Exit code 2 when there is an error;
    warnings alone leave it 0.
    """
    from bifrost_export.config.loader import load

    loaded = load(config)
    problems = [*loaded.problems, *_warnings(loaded)]
    errors = [problem for problem in problems if problem.severity == "error"]
    if output_format == "json":
        is_folder = Path(config).is_dir()
        output.print_json({"ok": not errors, "problems": [_to_json(problem, is_folder) for problem in problems]})
    else:
        _show(output.result_console(), config, loaded, problems)
    return 2 if errors else 0


def _warnings(loaded: Loaded) -> Iterator[Problem]:
    """What only shows when an export is looked at with its surroundings and the calendar."""
    from bifrost_export.config.source import warn_of_unnamed

    yield from warn_of_unnamed(loaded, os.environ)
    for each in loaded.exports:
        yield from _odd_range(each)
        yield from _cut_buckets(each)
        yield from _short_retention(each)
        yield from _former_names(each)
    yield from _relative_paths(loaded)


def _relative_paths(loaded: Loaded) -> Iterator[Problem]:
    """Relative paths inside a DAG bundle; Airflow is only asked where there is one."""
    from bifrost_export.config.checks.relative_paths import documents_with_relative_paths, warn_of_relative_paths

    documents = documents_with_relative_paths(loaded)
    if not documents:
        return
    from bifrost_export.dag_bundles import bundle_folders, bundle_of, checkout_of

    with output.results_apart():
        folders = bundle_folders()
        found = [(each, bundle_of(each.path, folders) or checkout_of(each.path)) for each in documents]
    for document, bundle in found:
        if bundle is not None:
            yield from warn_of_relative_paths(loaded, document, bundle)


def _cut_buckets(loaded: LoadedExport) -> Iterator[Problem]:
    from bifrost_export.config.checks.buckets import check_buckets
    from bifrost_export.config.checks.checker import Checker

    if loaded.export is not None and loaded.document.text is not None:
        checker = Checker(loaded.document.text, loaded.document.path.name, loaded.document.origins)
        check_buckets(checker, loaded.export, loaded.pointer)
        yield from checker.take()


def _short_retention(loaded: LoadedExport) -> Iterator[Problem]:
    from bifrost_export.config.checks.checker import Checker
    from bifrost_export.errors import WindowError
    from bifrost_export.pipeline.retention import falls_short
    from bifrost_export.window import UTC

    export, text = loaded.export, loaded.document.text
    if export is None or text is None:
        return
    try:
        told = falls_short(export.schedule, loaded.document.log_retention_days, dt.datetime.now(UTC))
    except WindowError:
        return  # a calendar that ends is an error of its own
    if told is not None:
        checker = Checker(text, loaded.document.path.name, loaded.document.origins)
        hint = "Raise client.log_retention_days in Bifrost, export more often, or set a later start_date."
        checker.add(f"{loaded.pointer}/schedule", told, severity="warning", hint=hint)
        yield from checker.take()


def _former_names(loaded: LoadedExport) -> Iterator[Problem]:
    """Warn of a renamed export; only a `local` destination can be read without a network."""
    from bifrost_export.config import loader, source
    from bifrost_export.config.checks.checker import Checker
    from bifrost_export.errors import BifrostExportError
    from bifrost_export.pipeline.plan import draft
    from bifrost_export.pipeline.rename_check import renamed_on_this_machine, time_ahead
    from bifrost_export.pipeline.runtime import Runtime

    export, text = loaded.export, loaded.document.text
    if export is None or text is None:
        return
    own = ("AIRFLOW_HOME", loader.VARIABLE, source.VARIABLE)  # no variable that the document refers to
    runtime = Runtime(environ={name: os.environ[name] for name in own if name in os.environ})
    try:
        ahead = time_ahead(export.schedule, runtime.now())
        found = (
            renamed_on_this_machine(runtime, loaded, draft(runtime, loaded, ahead, "validate"), ahead) if ahead else []
        )
    except BifrostExportError:
        return  # what is wrong is a problem of its own
    for each in found:
        checker = Checker(text, loaded.document.path.name, loaded.document.origins)
        checker.add(f"{loaded.pointer}/name", each.message, severity="warning", hint=each.hint)
        yield from checker.take()


def _odd_range(loaded: LoadedExport) -> Iterator[Problem]:
    from bifrost_export.config.checks.checker import Checker
    from bifrost_export.errors import WindowError
    from bifrost_export.filters.date_range import warning
    from bifrost_export.window import UTC

    export, text = loaded.export, loaded.document.text
    if export is None or text is None:
        return
    schedule, wanted = export.schedule, export.data.filters.date_range
    pointer = f"{loaded.pointer}/data/filters/date_range"
    checker = Checker(text, loaded.document.path.name, loaded.document.origins)
    try:
        told = warning(wanted, schedule, dt.datetime.now(UTC))
    except WindowError as error:
        checker.add_error(pointer, error)
    else:
        if told is not None:
            hint = "Leave date_range out to export each window's rows once."
            checker.add(pointer, told, severity="warning", hint=hint)
    yield from checker.take()


def _to_json(problem: Problem, is_folder: bool) -> dict[str, Any]:
    return {**({"file": problem.file} if is_folder else {}), **problem.to_json()}


def _show(console: Console, config: str, loaded: Loaded, problems: list[Problem]) -> None:
    from bifrost_export.config.text.excerpts import Excerpts

    excerpts = {each.path.name: Excerpts(each.text) for each in loaded.documents if each.text is not None}
    for problem in problems[:_SHOWN]:
        _show_problem(console, problem, excerpts.get(str(problem.file)))
    if len(problems) > _SHOWN:
        console.print(f"{len(problems) - _SHOWN} more problems are not shown here. --format json reports all.\n")
    counts = {name: sum(problem.severity == name for problem in problems) for name in ("error", "warning")}
    told = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items())
    good = [each.name for each in loaded.exports if each.export is not None]
    colour = "red" if counts["error"] else "yellow" if counts["warning"] else "green"
    console.print(f"[{colour}]{told}[/] in ", end="")
    console.print(config, markup=False, soft_wrap=True)
    console.print(f"{len(good)} of {len(loaded.exports)} exports can run: {', '.join(map(str, good)) or 'none'}")


def _show_problem(console: Console, problem: Problem, excerpts: Excerpts | None) -> None:
    from rich.text import Text

    colour = "red" if problem.severity == "error" else "yellow"
    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part is not None)
    head = Text.assemble((problem.severity, f"bold {colour}"), f" {place} ", (problem.pointer, "dim"))
    console.print(head, soft_wrap=True)
    if excerpts is not None and excerpts.text.lines and problem.line is not None and problem.column is not None:
        line, caret = excerpts.line(problem.line, problem.column)
        margin = str(problem.line)
        console.print(Text(f"  {margin} | {line}"), soft_wrap=True)
        console.print(Text(f"  {' ' * len(margin)} | {' ' * caret}^", colour), soft_wrap=True)
    allowed = f"Allowed: {problem.allowed}" if problem.allowed else None
    for sentence in (problem.message, allowed, problem.hint):
        if sentence:
            console.print(Text(f"  {sentence}"), soft_wrap=True)
    console.print()
