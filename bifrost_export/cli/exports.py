"""Which exports of a document a command is about: the one that is named, or all that can run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bifrost_export.cli import output

if TYPE_CHECKING:
    from bifrost_export.config.documents import LoadedExport


def export_option(command: output.Command) -> output.Command:
    """Give a command the option `--export NAME`, as the parameter `export_name`."""
    return click.option(
        "--export", "export_name", metavar="NAME", help="Only this export. [default: all that are enabled]"
    )(command)


@dataclass(frozen=True)
class Chosen:
    """The exports that a command is about.

    Args:
        exports: Good ones.
        exit_code: 2 when others are broken, else 0.
    """

    exports: list[LoadedExport]
    exit_code: int


def choose(config: str, name: str | None) -> Chosen:
    """The export of that name, enabled or not; without a name all that are enabled, broken ones told and left out.

    Args:
        config: A document, or a folder of them.
        name: As the option gives it.

    Raises:
        DocumentError: The export of that name is broken, or no export is good.
        UnknownExportError: There is none of that name.
        ConfigError: No export is enabled.
    """
    from bifrost_export.config.loader import load, load_export
    from bifrost_export.errors import ConfigError, DocumentError

    if name is not None:
        return Chosen([load_export(config, name)], 0)
    loaded = load(config)
    broken = [each for each in loaded.exports if each.errors]
    good = [each for each in loaded.exports if each.export is not None and each.enabled]
    if not good and broken:
        raise DocumentError(loaded.errors)
    if not good:
        raise ConfigError(f"{config} has no export that is enabled", hint="Name one by --export.")
    for each in broken:
        console = output.for_people()
        console.print(f"[yellow]warning:[/] {each.name or each.pointer} is broken, and left out:", end=" ")
        console.print(f"run bifrost-export validate {config}", markup=False)
    return Chosen(good, 2 if broken else 0)
