"""`python -m demo`: the demo as a command, with the error messages and redaction of the command line."""

from __future__ import annotations

from bifrost_export.cli.group import main
from demo.command import demo

if __name__ == "__main__":
    main(demo)
