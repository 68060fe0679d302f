"""Statements for BigQuery: bound by named parameters, alone or as the one script of a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bifrost_export.destinations.bigquery.errors import CHECK
from bifrost_export.destinations.warehouse.statements import Check, Do, Statement, Value

_TYPES = {"string": "STRING", "timestamp": "TIMESTAMP", "int64": "INT64", "double": "FLOAT64"}


def bound(statement: Statement, prefix: str = "") -> tuple[str, list[Any]]:
    """A statement with its parameters.

    Args:
        statement: The statement.
        prefix: Put before the names of its parameters.
    """
    from google.cloud.bigquery import ScalarQueryParameter

    parameters = {}

    def place(name: str, value: Value) -> str:
        parameters[name] = ScalarQueryParameter(f"{prefix}{name}", _TYPES[value.type], value.value)
        return f"@{prefix}{name}"

    return statement.render(place), list(parameters.values())


def script(steps: Sequence[Do | Check]) -> tuple[str, list[Any]]:
    """The script that takes all steps in one transaction; a check that fails ends it, which rolls it back."""
    lines, parameters = ["BEGIN TRANSACTION;"], []
    for number, step in enumerate(steps):
        statement = step.statement if isinstance(step, Do) else step.condition
        sql, found = bound(statement, f"s{number}_")
        parameters += found
        lines.append(f"{sql};" if isinstance(step, Do) else f"ASSERT {sql} AS '{CHECK}{step.code}';")
    return "\n".join([*lines, "COMMIT TRANSACTION;"]), parameters
