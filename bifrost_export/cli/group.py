"""The command `bifrost-export`: its subcommands, each imported when it is called, and what their errors look like."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING

import click

from bifrost_export import __version__
from bifrost_export.cli import output
from bifrost_export.cli.errors import tell
from bifrost_export.cli.masking import Masker, masked_logs
from bifrost_export.redaction.listeners import listening

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "validate": ("bifrost_export.cli.validate:validate", "Tell every problem of a document."),
    "plan": ("bifrost_export.cli.plan:plan", "Show the next windows, where they go, and the SQL; no network."),
    "check": ("bifrost_export.cli.check:check", "Probe the log store and the destination, step by step."),
    "preview": ("bifrost_export.cli.preview:preview", "Show the first rows of a window, as they would be exported."),
    "run": ("bifrost_export.cli.run:run", "Export one window, or several, now and in this process."),
    "status": ("bifrost_export.cli.status:status", "Tell which windows are published, and which are missing."),
    "verify": ("bifrost_export.cli.verify:verify", "Compare published files with their manifest."),
    "schema": ("bifrost_export.cli.schema:schema", "Print the document's JSON Schema, or a dataset's columns."),
    "sample-logs": ("bifrost_export.cli.sample_logs:sample_logs", "Make a log store with plausible rows."),
    "demo": ("bifrost_export.cli.demo:demo", "Show one export from end to end, in a real Airflow."),
}
"""Name -> where the command stands, and what it does."""


class LazyGroup(click.Group):
    """A group that imports a command only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, so that help imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bifrost-export")
def bifrost_export() -> None:
    """Export Bifrost's request logs.

    Exit codes: 0 done, 1 failed, 2 the input is wrong.
    """


def execute(arguments: Sequence[str], command: click.Command | None = None) -> int:
    """Run the command line once.

    With `--format json`, standard output gets one JSON object and nothing else: whatever else a library prints there
    goes to standard error.

    Args:
        arguments: What was typed after `bifrost-export`.
        command: The command that they belong to, when it is not `bifrost-export` itself.

    Returns:
        The exit code.
    """
    masker = Masker()
    as_json = output.wants_json(arguments)
    with contextlib.ExitStack() as stack:
        # In this order: what is overheard in a line is masked in it.
        stack.enter_context(listening(masker.learn))
        stack.enter_context(masked_logs(masker))
        if as_json:
            stack.enter_context(output.results_apart())
        if not sys.warnoptions:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
        try:
            code = (command or bifrost_export).main(
                list(arguments), "bifrost-export", standalone_mode=False, obj=masker
            )
        except Exception as error:  # noqa: BLE001 (every error ends here, as one message)
            return tell(error, masker, as_json=as_json)
        return code if isinstance(code, int) else 0


def main(command: click.Command | None = None) -> None:
    """The entry point of the console script, and of a program with a command of its own, such as the demo.

    Args:
        command: The command to run in place of `bifrost-export`.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` has it ignored
            signal.signal(number, signal.default_int_handler)  # ends as Ctrl-C does: staging is removed
    # Airflow's hooks tell at the level INFO how they found their credentials.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    sys.exit(execute(sys.argv[1:], command))
