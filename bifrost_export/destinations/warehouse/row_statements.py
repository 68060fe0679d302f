"""The statements that take the former rows of a window away, bring the new ones, and count them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.warehouse.statements import Statement, Value, instant, real, text, whole
from bifrost_export.errors import DestinationError
from bifrost_export.thresholds import COST_TOLERANCE, SUMMED_COST
from bifrost_export.window import Window, parse_instant

if TYPE_CHECKING:
    from bifrost_export.destinations.port import Target
    from bifrost_export.destinations.warehouse.dialect import FoundColumn
    from bifrost_export.destinations.warehouse.engine import Engine
    from bifrost_export.destinations.warehouse.loads import Load
    from bifrost_export.destinations.warehouse.tables import Table

AT_ONCE = 100
"""Tables that one statement reads."""


def rows_of(
    engine: Engine, target: Target, window: Window, ordered_by: str, between: tuple[dt.datetime, dt.datetime]
) -> tuple[str, dict[str, Value]]:
    """The condition on the rows of a window, with bounds by which a warehouse finds them without reading all."""
    quote = engine.dialect.quote
    values = {
        "export_name": text(target.export),
        "window_start": instant(window.start),
        "window_end": instant(window.end),
    }
    # A table may require a filter on the column that it is partitioned by: every statement bounds that column.
    condition = (
        f"{quote('_export_name')} = :export_name AND {quote('_window_start')} = :window_start"
        f" AND {quote('_window_end')} = :window_end"
    )
    if ordered_by == "_window_start":
        return condition, values
    between_them = f"{quote(ordered_by)} >= :earliest AND {quote(ordered_by)} <= :latest"
    return f"{condition} AND {between_them}", {**values, "earliest": instant(between[0]), "latest": instant(between[1])}


def bounds(window: Window, earliest: dt.datetime | None, latest: dt.datetime | None) -> tuple[dt.datetime, dt.datetime]:
    """The times that the rows of a window lie between: the window's, and those that their audit row names."""
    return min(window.start, earliest or window.start), max(window.end, latest or window.end)


def ordering(engine: Engine, columns: Mapping[str, FoundColumn], load: Load) -> str:
    """The column whose bounds find the rows of an audit row.

    Args:
        engine: The warehouse.
        columns: Of the table that the rows are in.
        load: The audit row.
    """
    found = columns.get(engine.dialect.key("timestamp"))
    is_time = found is not None and found.type in engine.dialect.accepted["timestamp"]
    return "timestamp" if is_time and (load.min_timestamp is not None or not load.exported) else "_window_start"


def delete(
    engine: Engine,
    target: Target,
    table: str,
    ordered_by: str,
    window: Window,
    earliest: dt.datetime | None,
    latest: dt.datetime | None,
) -> Statement:
    """Take away the rows that this export has loaded for a window.

    Args:
        engine: The warehouse.
        target: The run.
        table: The table's own name.
        ordered_by: The instant that it is laid out by.
        window: The window.
        earliest: The earliest timestamp of its rows, as their audit row tells; None: the window's.
        latest: The latest.
    """
    condition, values = rows_of(engine, target, window, ordered_by, bounds(window, earliest, latest))
    return Statement(f"DELETE FROM {engine.dialect.table(table)} WHERE {condition}", values)


def insert(engine: Engine, target: Target, table: Table, source: str, now: dt.datetime) -> Statement:
    """Bring staged rows in, each column by its name."""
    dialect, window = engine.dialect, target.window
    columns = ", ".join(dialect.quote(column.name) for column in table.columns)
    staged = ", ".join(dialect.unstaged(column) for column in table.from_files)
    return Statement(
        f"INSERT INTO {dialect.table(table.name)} ({columns})"
        f" SELECT {staged}, :export_name, :window_start, :window_end, :loaded_at FROM {source}",
        {
            "export_name": text(target.export),
            "window_start": instant(window.start),
            "window_end": instant(window.end),
            "loaded_at": instant(now),
        },
    )


def unions(tables: Sequence[str]) -> list[str]:
    """Tables of the same columns as what may stand after FROM, some of them at a time."""
    chunks = [tables[first : first + AT_ONCE] for first in range(0, len(tables), AT_ONCE)]
    return [f"({' UNION ALL '.join(f'SELECT * FROM {table}' for table in chunk)}) AS staged" for chunk in chunks]


def is_whole(
    engine: Engine, target: Target, table: Table, parts: list[dict[str, Any]], sums: dict[str, Any]
) -> Statement:
    """The condition that a table holds the rows of this window that the books tell, with their sums.

    Args:
        engine: The warehouse.
        target: The run.
        table: The table.
        parts: The files that were loaded, as the manifest tells them.
        sums: Tokens and cost of their rows.
    """
    quote, window = engine.dialect.quote, target.window
    moments = [parse_instant(part[name]) for part in parts for name in ("min_timestamp", "max_timestamp") if part[name]]
    between = min([window.start, *moments]), max([window.end, *moments])
    condition, values = rows_of(engine, target, window, table.ordered_by, between)
    values["rows"] = whole(sum(part["rows"] for part in parts))
    compared = ["COUNT(*) = :rows"]
    for name in ("input_tokens", "output_tokens"):
        if table.has(name):
            compared.append(f"COALESCE(SUM({quote(name)}), 0) = :{name}")
            values[name] = whole(sums[name])
    if table.has("cost_usd"):
        cost = f"CASE WHEN ABS({quote('cost_usd')}) <= :summed THEN {quote('cost_usd')} END"
        scale = f":tolerance * COALESCE(SUM(ABS({cost})), 0)"
        compared.append(f"ABS(COALESCE(SUM({cost}), 0) - :cost) <= {scale}")
        values |= {"cost": real(sums["cost_usd"]), "tolerance": real(COST_TOLERANCE), "summed": real(SUMMED_COST)}
    whole_ = f"SELECT CASE WHEN {' AND '.join(compared)} THEN 1 ELSE 0 END"
    return Statement(f"({whole_} FROM {engine.dialect.table(table.name)} WHERE {condition}) = 1", values)


def check_count(engine: Engine, relation: str, rows: int) -> None:
    """Compare the rows that were read from files with those that were staged.

    Raises:
        DestinationError: They differ.
    """
    found = int(engine.query(Statement(f"SELECT COUNT(*) FROM {relation}"))[0][0])
    if found != rows:
        raise DestinationError(
            f"the staged files hold {found:,} rows instead of {rows:,}; nothing was published",
            hint="Clear load and what follows it; if it happens again, look for who else writes there.",
        )
