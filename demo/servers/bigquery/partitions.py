"""Tables that require a filter on their partition column: a statement without one is refused, as the service does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import exp

from demo.servers.bigquery.errors import bad_query

_BOUNDS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)


def check(tables: Mapping[tuple[str, str, str], dict[str, Any]], tree: Any) -> None:
    """Refuse a statement that reads or changes all partitions of a table which does not let it.

    Args:
        tables: The resources of all tables.
        tree: The statement.

    Raises:
        ApiError: A filter is missing.
    """
    for table in tree.find_all(exp.Table):
        names = ".".join(each.name for each in table.parts).split(".")
        resource = tables.get((names[0], names[1], names[2])) if len(names) == 3 else None
        column = _required(resource or {})
        statement = table.find_ancestor(exp.Select, exp.Update, exp.Delete, exp.Insert)
        if column is None or statement is None or isinstance(statement, exp.Insert):
            continue
        where = statement.args.get("where")
        if where is None or not any(_bounds(each, column) for each in _joined(where.this)):
            raise bad_query(
                f"Cannot query over table '{'.'.join(names)}' without a filter over column(s) '{column}' that can be"
                " used for partition elimination"
            )


def _required(resource: dict[str, Any]) -> str | None:
    parts = resource.get("timePartitioning") or {}
    if resource.get("requirePartitionFilter") or parts.get("requirePartitionFilter"):
        return str(parts.get("field") or "_PARTITIONTIME")
    return None


def _joined(condition: Any) -> Iterator[Any]:
    """The conditions that AND joins."""
    if isinstance(condition, exp.And):
        yield from _joined(condition.this)
        yield from _joined(condition.expression)
    elif isinstance(condition, exp.Paren):
        yield from _joined(condition.this)
    else:
        yield condition


def _bounds(condition: Any, column: str) -> bool:
    """Whether a condition compares the column itself with something that is no column."""
    if not isinstance(condition, _BOUNDS):
        return False
    sides = [condition.this, *(condition.args.get(name) for name in ("expression", "low", "high"))]
    named = [each for each in sides if isinstance(each, exp.Column)]
    return len(named) == 1 and named[0].name.lower() == column.lower()
