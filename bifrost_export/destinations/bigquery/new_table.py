"""A table as BigQuery is asked to create it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.bigquery import expiration

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from bifrost_export.destinations.warehouse.dialect import Dialect, FoundColumn
    from bifrost_export.destinations.warehouse.tables import Column, Table


def field(dialect: Dialect, column: Column, *, is_new: bool = False, is_staged: bool = False) -> Any:
    """A column as the client describes it.

    Args:
        dialect: BigQuery's SQL.
        column: The column.
        is_new: It is added to a table that has rows, which then hold null.
        is_staged: It is of a table that files are loaded into.
    """
    from google.cloud.bigquery import SchemaField

    mode = "REQUIRED" if column.required and not is_new else "NULLABLE"
    kind = dialect.type_of(column, is_staged=is_staged)
    return SchemaField(column.name, kind, mode=mode, description=column.description)


def relaxed(fields: Iterable[Any], columns: Iterable[FoundColumn]) -> list[Any]:
    """The same columns, of which some take null from now on.

    Args:
        fields: The columns as the client describes them.
        columns: Those that take null.
    """
    from google.cloud.bigquery import SchemaField

    names = {column.name for column in columns}
    return [
        SchemaField.from_api_repr({**each.to_api_repr(), "mode": "NULLABLE"}) if each.name in names else each
        for each in fields
    ]


def of(dialect: Dialect, table: Table, kept: dt.timedelta | None) -> Any:
    """A table partitioned by the day of its instant, and clustered.

    Args:
        dialect: BigQuery's SQL.
        table: The table.
        kept: How long rows are kept after their day; None: for ever.
    """
    from google.cloud import bigquery

    made = bigquery.Table(dialect.address(table.name), schema=[field(dialect, each) for each in table.columns])
    made.description = table.description
    if table.loaded:
        made.time_partitioning = bigquery.TimePartitioning(
            type_="DAY",
            field=table.ordered_by,
            expiration_ms=None if kept is None else expiration.milliseconds(kept),
        )
        made.clustering_fields = list(table.clustered_by) or None
    return made
