"""Compare the rows of a published window with what its audit rows tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.warehouse.audit import Audit
from bifrost_export.destinations.warehouse.identifiers import is_identifier
from bifrost_export.destinations.warehouse.row_statements import bounds, ordering, rows_of
from bifrost_export.destinations.warehouse.statements import Statement
from bifrost_export.errors import ConfigError
from bifrost_export.thresholds import COST_TOLERANCE
from bifrost_export.window import UTC, rfc3339

if TYPE_CHECKING:
    import datetime as dt

    from bifrost_export.destinations.port import Target
    from bifrost_export.destinations.warehouse.engine import Engine
    from bifrost_export.destinations.warehouse.loads import Load
    from bifrost_export.window import Window

_MEASURED = (
    ("input_tokens", "COALESCE(SUM({}), 0)"),
    ("output_tokens", "COALESCE(SUM({}), 0)"),
    ("cost_usd", "COALESCE(SUM(CASE WHEN ABS({0}) <= 1e300 THEN {0} END), 0)"),
    ("timestamp", "MIN({})"),
    ("timestamp", "MAX({})"),
)


def compare(engine: Engine, target: Target, window: Window) -> tuple[list[str], int]:
    """Every difference in a sentence, and the rows that are there.

    Args:
        engine: The warehouse.
        target: A run of the export.
        window: The window.

    Raises:
        ConfigError: The window is not published.
    """
    found = Audit(engine, replace(target, window=window)).find()
    loads = [load for load in found.live if load.window == window]
    if not loads:
        raise ConfigError(
            f"the window {window} of {target.export!r} is not published",
            allowed="a window that `status` counts",
            hint="Export it, or look which window replaced it.",
        )
    problems: list[str] = []
    rows = 0
    for load in loads:
        there, differing = _of_load(engine, target, load)
        rows += there
        problems += differing
    return problems, rows


def _of_load(engine: Engine, target: Target, load: Load) -> tuple[int, list[str]]:
    if not is_identifier(load.table):
        return 0, [f"the audit row of {load.dataset} names the table {load.table!r}, which is not a valid name"]
    name = engine.dialect.address(load.table)
    columns = engine.columns(load.table)
    if columns is None:
        return 0, [f"the table {name} of {load.dataset} is not there"]
    wanted = {"COUNT(*)": "rows"}
    for column, measure in _MEASURED:
        if engine.dialect.key(column) in columns and (column != "timestamp" or load.min_timestamp is not None):
            wanted[measure.format(engine.dialect.quote(column))] = f"{column} {measure[:3]}"
    between = bounds(load.window, load.min_timestamp, load.max_timestamp)
    condition, values = rows_of(engine, target, load.window, ordering(engine, columns, load), between)
    sql = f"SELECT {', '.join(wanted)} FROM {engine.dialect.table(load.table)} WHERE {condition}"
    measured = dict(zip(wanted.values(), engine.query(Statement(sql, values))[0], strict=True))
    return int(measured["rows"]), [f"{name}: {problem}" for problem in _differences(load, measured)]


def _differences(load: Load, measured: dict[str, Any]) -> Iterator[str]:
    told: dict[str, Any] = {
        "rows": load.exported,
        "input_tokens COA": load.input_tokens,
        "output_tokens COA": load.output_tokens,
        "timestamp MIN": load.min_timestamp,
        "timestamp MAX": load.max_timestamp,
    }
    for name, found in measured.items():
        if name == "cost_usd COA":
            if not abs(float(found) - load.cost_usd) <= COST_TOLERANCE * max(1.0, abs(load.cost_usd)):
                yield f"cost_usd {float(found)!r} against {load.cost_usd!r}"
        elif _plain(found) != _plain(told[name]):
            yield f"{name.removesuffix(' COA')} {_shown(found)} against {_shown(told[name])}"


def _plain(value: Any) -> Any:
    if hasattr(value, "tzinfo"):
        return _aware(value)
    return None if value is None else int(value)


def _aware(value: dt.datetime) -> dt.datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _shown(value: Any) -> str:
    return rfc3339(_aware(value)) if hasattr(value, "tzinfo") else f"{value:,}" if value is not None else "none"
