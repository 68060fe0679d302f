"""Generate the reference of the command line from its commands."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from bifrost_export.cli.group import COMMANDS, bifrost_export
from tools.markdown import cell, table

INTRODUCTION = """\
# Command reference

Every command with its arguments and options. This page is generated from the commands (`make reference`).
[Command line](../command_line.md) explains how to use them, their exit codes, and their JSON output.

"""


def page() -> str:
    """Return the page as Markdown."""
    context = click.Context(bifrost_export, info_name="bifrost-export")
    summary = table(
        ("command", "purpose"), ((f"[`{name}`](#{name})", cell(about)) for name, (_, about) in COMMANDS.items())
    )
    sections = (line for name in bifrost_export.list_commands(context) for line in _section(context, name))
    return INTRODUCTION + summary + "\n" + "\n".join(sections)


def _section(parent: click.Context, name: str) -> Iterator[str]:
    command = bifrost_export.get_command(parent, name)
    if command is None:
        raise ValueError(f"bifrost-export has no command {name!r}")
    context = click.Context(command, info_name=name, parent=parent)
    yield f"## {name}\n"
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\nbifrost-export {name} {usage}\n```\n"
    yield _paragraphs(command.help or "")
    options = [each for each in command.params if isinstance(each, click.Option)]
    yield table(("option", "description"), (_option(each, context) for each in options))


def _paragraphs(text: str) -> str:
    return (
        "\n\n".join(re.sub(r"\s+", " ", each).strip() for each in re.split(r"\n\s*\n", text.strip())).replace(
            "<", "&lt;"
        )
        + "\n"
    )


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    record = option.get_help_record(context)
    if record is None:
        raise ValueError(f"{option.name} has no help")
    names, about = record
    return f"`{names.replace('|', chr(92) + '|')}`", cell(about)
