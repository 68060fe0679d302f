"""When BigQuery deletes tables and rows by itself: what is set, and what a person should know of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.tables import Table

_DAY = dt.timedelta(days=1)
_MILLISECOND = dt.timedelta(milliseconds=1)
TRIES = 5
"""How often a new table is looked at anew when somebody else changes it meanwhile."""
LABEL, NEW = "bifrost_export", "new"
"""What a table is labelled with until its expirations are as they were asked for."""


def milliseconds(time: dt.timedelta) -> int:
    """A duration as the API writes it."""
    return time // _MILLISECOND


def _words(milliseconds_: Any) -> str:
    """A duration in days where it is whole days, else in hours."""
    time = int(milliseconds_) * _MILLISECOND
    return f"{time // _DAY} days" if not time % _DAY else f"{time / dt.timedelta(hours=1):g} hours"


def of_dataset(dataset: Any, name: str) -> Iterator[str]:
    """Warnings about the defaults that a dataset gives to new tables.

    Args:
        dataset: As the client describes it.
        name: The dataset's name with its project.
    """
    for key, what in (("defaultTableExpirationMs", "tables"), ("defaultPartitionExpirationMs", "partitions")):
        if value := dataset._properties.get(key):
            yield (
                f"the dataset {name} deletes new {what} after {_words(value)} ({key}). Tables that this export creates"
                " do not use this default. In a project without billing (the BigQuery sandbox) the default of 60 days"
                " cannot be removed: enable billing"
            )


def of_table(found: Any, table: Table, name: str, wanted: dt.timedelta | None) -> Iterator[str]:
    """Warnings about a table that BigQuery is going to delete, in whole or in part.

    Args:
        found: As the client describes it.
        table: What the export makes.
        name: Its name, with project and dataset.
        wanted: `expiration` of the config.
    """
    if is_new(found):
        return  # `publish` completes it
    if found.expires is not None:
        yield (
            f"BigQuery deletes the table {name} with all its rows at {found.expires:%Y-%m-%dT%H:%M:%SZ}. To keep it:"
            f" ALTER TABLE `{name}` SET OPTIONS (expiration_timestamp = NULL)"
        )
    parts = found.time_partitioning
    there = int(parts.expiration_ms) if parts is not None and parts.expiration_ms is not None else None
    configured = milliseconds(wanted) if wanted is not None and table.loaded else None
    if there == configured:
        return
    days = "NULL" if configured is None else f"{configured / milliseconds(_DAY):g}"
    change = f"To change it: ALTER TABLE `{name}` SET OPTIONS (partition_expiration_days = {days})"
    if there is None:
        yield f"the table {name} keeps its rows, and destination.config.expiration is {_words(configured)}. {change}"
    else:
        column = parts.field or "_PARTITIONTIME"
        yield f"BigQuery deletes rows of the table {name} {_words(there)} after the day of their {column}. {change}"


def mark(table: Any) -> None:
    """Label a table whose expirations have to be taken away once it is created."""
    table.labels = {LABEL: NEW}


def is_new(found: Any) -> bool:
    """Whether a table still has the expirations that its dataset gave it, since the run that created it has died."""
    return bool((found.labels or {}).get(LABEL) == NEW)


def keep(client: Any, found: Any, wanted: dt.timedelta | None, **request: Any) -> None:
    """Take away the expirations that a new table has from its dataset.

    The service takes null in the request that creates a table for no word at all, so that a second request is needed.

    Args:
        client: The client.
        found: The table as the service describes it.
        wanted: `expiration` of the config, which the table was created with.
        request: How requests are made.
    """
    from google.api_core.exceptions import PreconditionFailed

    for _ in range(TRIES):
        if not is_new(found):
            return
        changed = ["expires", "labels"]
        found.expires = None
        found.labels = {LABEL: None}
        parts = found.time_partitioning
        if parts is not None and wanted is None:
            parts.expiration_ms = None
            found.time_partitioning = parts
            changed.append("time_partitioning")
        try:
            found = client.update_table(found, changed, **request)
        except PreconditionFailed:  # another run was quicker, or the answer to this request was lost
            found = client.get_table(found.reference, **request)
