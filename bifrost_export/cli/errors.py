"""What a person or a program sees of an error: one message that says what to do, never a traceback, never a secret."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Any

import click

from bifrost_export.cli import output
from bifrost_export.errors import BifrostExportError, DocumentError
from bifrost_export.redaction.printable import printable

if TYPE_CHECKING:
    from bifrost_export.cli.masking import Masker

_DEBUG = "BIFROST_EXPORT_DEBUG"


def tell(error: Exception, masker: Masker, *, as_json: bool) -> int:
    """Print an error, and say with which code the process ends.

    Args:
        error: What a command raised.
        masker: Knows the secrets that the command has resolved.
        as_json: Print it as the command's one JSON object too.

    Returns:
        2 when the input is wrong, else 1.
    """
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(printable(error.format_message()), err=True)
        return error.exit_code
    if os.environ.get(_DEBUG) and not isinstance(error, (click.ClickException, click.Abort)):
        click.echo(printable(masker.mask("".join(traceback.format_exception(error)))), err=True)
    facts, code = facts_of(error, masker)
    if as_json:
        output.print_json({"error": facts})
    else:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {printable(_sentences(facts))}", err=True)
    return code


def facts_of(error: Exception, masker: Masker) -> tuple[dict[str, Any], int]:
    """What is told of an error, `{"type", "message", "allowed", "hint"}` without secrets, and the exit code."""
    facts, code = _facts(error)
    return {name: masker.mask(value) if isinstance(value, str) else value for name, value in facts.items()}, code


def _facts(error: Exception) -> tuple[dict[str, Any], int]:
    facts = {"type": type(error).__name__, "message": str(error), "allowed": None, "hint": None}
    if isinstance(error, BifrostExportError):
        facts |= {"message": error.message, "allowed": error.allowed, "hint": error.hint}
        if isinstance(error, DocumentError):
            facts["hint"] = "Run bifrost-export validate on the document for the offending lines."
        return facts, error.exit_code
    if isinstance(error, click.Abort):
        return facts | {"type": "Interrupted", "message": "interrupted"}, 1
    if isinstance(error, click.ClickException):
        return facts | {"message": error.format_message(), "hint": _usage(error)}, error.exit_code
    if isinstance(error, OSError) and error.filename is not None:
        return facts | {"message": f"{error.filename}: {error.strerror}"}, 1
    message = f"{type(error).__name__}: {_first_line(error)}"
    hint = f"This is not an error that we expected. Run it again with {_DEBUG}=1 for the traceback."
    return facts | {"message": message, "hint": hint}, 1


def _usage(error: click.ClickException) -> str | None:
    context = getattr(error, "ctx", None)
    return f"See {context.command_path} --help." if context is not None else None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or "no message"


def _sentences(facts: dict[str, Any]) -> str:
    parts = [facts["message"], f"Allowed: {facts['allowed']}" if facts["allowed"] else None, facts["hint"]]
    return " ".join(part if part.endswith((".", "!", "?", ":")) else f"{part}." for part in parts if part)
