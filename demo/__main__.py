"""`python -m demo`: the demo as a command, with the error messages and redaction of the command line."""

from __future__ import annotations

import os
import sys

from bifrost_export.cli.group import execute
from demo.command import demo

if __name__ == "__main__":
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    sys.exit(execute(sys.argv[1:], demo))
