"""What an export can include: each dataset has a schema, a version, and words for every column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.columns import Column, arrow_schema
from bifrost_export.datasets.dataset import Dataset
from bifrost_export.datasets.error_logs import ERROR_LOGS
from bifrost_export.datasets.metrics import METRICS
from bifrost_export.datasets.request_logs import REQUEST_LOGS
from bifrost_export.datasets.response_logs import RESPONSE_LOGS
from bifrost_export.datasets.traces import TRACES
from bifrost_export.errors import UnknownNameError

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.datasets.dataset import Options

_DATASETS = {dataset.name: dataset for dataset in (REQUEST_LOGS, RESPONSE_LOGS, ERROR_LOGS, METRICS, TRACES)}

__all__ = [
    "Column",
    "Dataset",
    "arrow_schema",
    "asked_columns",
    "columns_of",
    "describe",
    "named",
    "names",
    "schema_of",
    "staged_columns",
]


def names() -> list[str]:
    """The datasets that an export can include."""
    return list(_DATASETS)


def named(name: str) -> Dataset:
    """The dataset of a name.

    Raises:
        UnknownNameError: No such dataset.
    """
    if name not in _DATASETS:
        raise UnknownNameError(f"there is no dataset {name!r}", allowed=", ".join(names()))
    return _DATASETS[name]


def columns_of(name: str, data: Options | None = None) -> tuple[Column, ...]:
    """The columns of a dataset's rows, before any transformation.

    Args:
        name: The dataset.
        data: What an export asks for; without it, the columns that every export has.

    Raises:
        UnknownNameError: No such dataset.
    """
    dataset = named(name)
    if data is None or dataset.make is not None:
        return dataset.columns
    return (*dataset.columns, *asked_columns(dataset, data))


def asked_columns(dataset: Dataset, data: Options) -> tuple[Column, ...]:
    """The columns that an export asks for beside a dataset's own: contents and extra fields."""
    own = {column.name for column in dataset.columns}
    wanted = [each for each in data.extra_fields if each not in own] if dataset.with_extra else []
    extra = [Column(each, data.type_of(each), False, f"`logs.{each}`.") for each in wanted]
    contents = (*dataset.contents, *dataset.made_of_contents) if data.include_content else ()
    return (*contents, *extra)


def staged_columns(name: str, data: Options | None = None) -> tuple[Column, ...]:
    """The columns of a dataset's rows before they are grouped; arguments and errors are those of `columns_of`."""
    return named(name).staged or columns_of(name, data)


def schema_of(name: str, data: Options | None = None) -> pa.Schema:
    """The Arrow schema of `columns_of`, whose arguments and errors it has."""
    return arrow_schema(columns_of(name, data))


def describe(name: str, columns: tuple[Column, ...] | None = None) -> dict[str, Any]:
    """A dataset's columns for manifests and people: `{"version", "columns": [{"name", "type", "required"}]}`.

    Args:
        name: The dataset.
        columns: What its rows have, when it is not what every export has.

    Raises:
        UnknownNameError: No such dataset.
    """
    dataset = named(name)
    return {"version": dataset.version, "columns": [each.to_json() for each in columns or dataset.columns]}
