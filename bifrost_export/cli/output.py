"""Where a command's words go: results on standard output, progress and messages on standard error."""

from __future__ import annotations

import contextlib
import json
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bifrost_export.redaction.printable import printable, printable_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from rich.console import Console

Command = TypeVar("Command", bound="Callable[..., Any]")

_WIDTH_OF_A_FILE = 160

_apart: list[TextIO] = []


def format_option(command: Command) -> Command:
    """Give a command the option `--format text|json`, as the parameter `output_format`."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="json prints one JSON object on standard output, and nothing else there.",
    )(command)


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, also where the rest of it is wrong."""
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


@contextlib.contextmanager
def results_apart() -> Iterator[None]:
    """Keep standard output for results: what anything else prints there goes to standard error."""
    _apart.append(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _apart.pop()


def results() -> TextIO:
    """The stream for results."""
    return _apart[-1] if _apart else sys.stdout


def print_json(value: Any) -> None:
    """Print the one JSON object of a command."""
    results().write(printable_json(json.dumps(value, ensure_ascii=False)) + "\n")
    results().flush()


def print_text(text: str) -> None:
    """Print a line of a command's result."""
    results().write(printable(text) + "\n")
    results().flush()


def for_people() -> Console:
    """A console on standard error, for progress and messages."""
    return _console(stderr=True, highlight=False, soft_wrap=True)


def result_console() -> Console:
    """A console on the stream for results, for tables."""
    stream = results()
    return _console(file=stream, highlight=False, width=None if stream.isatty() else _WIDTH_OF_A_FILE)


def _console(**options: Any) -> Console:
    """A console that lets no text of a document, a log store or a service steer the terminal."""
    from rich.console import Console
    from rich.segment import Segment

    class SafeConsole(Console):
        def render(self, *arguments: Any, **named: Any) -> Iterator[Segment]:
            for segment in super().render(*arguments, **named):
                yield segment if segment.control else Segment(printable(segment.text), segment.style)

    return SafeConsole(**options)
