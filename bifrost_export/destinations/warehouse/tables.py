"""The tables of an export: one a dataset, and the two in which every export of a schema keeps its books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bifrost_export.destinations.warehouse.identifiers import DATASET
from bifrost_export.errors import ConfigError

if TYPE_CHECKING:
    from bifrost_export.destinations.port import Target

MAIN = "request_logs"
"""The dataset that goes to `table` itself when an export has several."""

CLUSTERED_BY = ("provider", "model", "customer_id")
_MOST_CLUSTERED = 4


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        name: Its name.
        type: As a dataset's column: `timestamp`, `string`, `int32`, `int64`, `double`, `bool`, `date`, `json`.
        required: Whether it never holds null.
        description: Its comment.
    """

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True)
class Table:
    """A table as it is made when it is missing.

    Args:
        name: Its own name, without schema.
        columns: In their order.
        loaded: How many of them come from files; the rest is told by the run.
        description: Its comment.
        ordered_by: The instant that the table is laid out by.
        clustered_by: What rows of one day are found by.
    """

    name: str
    columns: tuple[Column, ...]
    loaded: int
    description: str
    ordered_by: str
    clustered_by: tuple[str, ...] = ()

    @property
    def from_files(self) -> tuple[Column, ...]:
        """The columns that come from files."""
        return self.columns[: self.loaded]

    def has(self, name: str) -> bool:
        """Whether it has a column of that name."""
        return any(column.name == name for column in self.columns)


OWN = (
    Column("_export_name", "string", True, "The export that loaded the row."),
    Column("_window_start", "timestamp", True, "First instant of the window that was exported, UTC."),
    Column("_window_end", "timestamp", True, "First instant after that window, UTC."),
    Column("_loaded_at", "timestamp", True, "When the row was published, UTC."),
)
"""What every row carries beside its dataset's columns."""

_REJECTED = (
    Column("dataset", "string", True, "The dataset that the row, or the field, belongs to."),
    Column("request_id", "string", False, "Id of the log row; null where it has none that can be read."),
    Column("column_name", "string", False, "The column that could not be filled."),
    Column("reason", "string", True, "What is wrong, in words."),
    Column("value_type", "string", False, "Type of the value; the value itself is never told."),
    Column("value_length", "int64", False, "Length of the value."),
    Column("kind", "string", False, "rejected: the row is not exported; blanked: it is, and the column is null."),
)
REJECTED = Table(
    "bifrost_export_rejected",
    (*_REJECTED, *OWN),
    len(_REJECTED),
    "Log rows that exports rejected, and fields that they blanked, by Bifrost Export.",
    "_window_start",
)
LOADS = Table(
    "bifrost_export_loads",
    (
        Column("kind", "string", True, "load: a dataset of a published window; lock: what publishing runs wait for."),
        Column("export_name", "string", True, "The export."),
        Column("window_start", "timestamp", True, "First instant of the window, UTC."),
        Column("window_end", "timestamp", True, "First instant after it, UTC."),
        Column("dataset", "string", True, "The dataset."),
        Column("table_name", "string", True, "The table that its rows went to."),
        Column("revision", "int64", True, "1 for the first publication of the window, then one more each time."),
        Column("token", "string", True, "Token of the run."),
        Column("run_id", "string", True, "Airflow's run id, or the command line's."),
        Column("job_id", "string", True, "The warehouse's own name of the session or job that published."),
        Column("planned_at", "timestamp", True, "When the run was planned, UTC."),
        Column("loaded_at", "timestamp", True, "When it was published, UTC."),
        Column("superseded_at", "timestamp", False, "When a later load took its place, UTC; null: it counts."),
        Column("source", "int64", True, "Log rows of the window: filtered + rejected + kept."),
        Column("filtered", "int64", True, "Log rows that a filter removed."),
        Column("rejected", "int64", True, "Log rows that could not become a row."),
        Column("exported", "int64", True, "Rows in the table."),
        Column("unsettled", "int64", True, "Log rows that were still processing."),
        Column("input_tokens", "int64", True, "Sum of input_tokens over the exported rows."),
        Column("output_tokens", "int64", True, "Sum of output_tokens over the exported rows."),
        Column("cost_usd", "double", True, "Sum of cost_usd over the exported and priced rows."),
        Column("bytes", "int64", True, "Bytes of the files that were loaded."),
        Column("min_timestamp", "timestamp", False, "Earliest timestamp of the exported rows, UTC."),
        Column("max_timestamp", "timestamp", False, "Latest timestamp of the exported rows, UTC."),
        Column("config_hash", "string", True, "SHA-256 of the export's configuration, without secrets."),
        Column("package_version", "string", True, "Version of the package that loaded."),
        Column("details", "string", True, "The books by rule, blanked and repaired fields, and the schema, as JSON."),
    ),
    0,
    "What each run has published, by Bifrost Export. Sums are right over rows without superseded_at.",
    "window_start",
)


class Tables:
    """The tables that a run writes.

    Args:
        name: `table` of the config, with or without `{dataset}`.
        target: The run.

    Raises:
        ConfigError: A dataset has a column that every row carries anyway, or two that differ in case alone.
    """

    def __init__(self, name: str, target: Target) -> None:
        self.by_dataset = {
            dataset: _table(_name(name, dataset, target.datasets), dataset, target) for dataset in target.datasets
        }

    def __iter__(self) -> Iterator[Table]:
        """Every table that a run writes, books last."""
        return iter((*self.by_dataset.values(), REJECTED, LOADS))

    def of(self, dataset: str | None) -> Table:
        """A dataset's table; that of rejected rows for None."""
        return REJECTED if dataset is None else self.by_dataset[dataset]


def _name(name: str, dataset: str, datasets: tuple[str, ...]) -> str:
    if DATASET in name:
        return name.replace(DATASET, dataset)
    return name if len(datasets) == 1 or dataset == MAIN else f"{name}_{dataset}"


def _table(name: str, dataset: str, target: Target) -> Table:
    columns = tuple(Column(each.name, each.type, each.required, each.description) for each in target.columns[dataset])
    _check_names(dataset, columns)
    names = {column.name: column.type for column in columns}
    return Table(
        name,
        (*columns, *OWN),
        len(columns),
        f"{dataset} of Bifrost, by Bifrost Export.",
        "timestamp" if names.get("timestamp") == "timestamp" else "_window_start",
        ("_export_name", *(each for each in CLUSTERED_BY if names.get(each) == "string"))[:_MOST_CLUSTERED],
    )


def _check_names(dataset: str, columns: tuple[Column, ...]) -> None:
    seen = {column.name: column.name for column in OWN}
    for column in columns:
        taken = seen.setdefault(column.name.lower(), column.name)
        if taken != column.name or any(column.name == own.name for own in OWN):
            raise ConfigError(
                f"the column {column.name!r} of {dataset} can't stand in a table: {taken!r} does",
                allowed="names that differ in more than case, and are none of " + ", ".join(own.name for own in OWN),
            )
