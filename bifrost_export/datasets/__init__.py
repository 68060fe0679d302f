"""What an export can include: each dataset has a schema, a version, and words for every column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.config.log_columns import LOG_COLUMNS
from bifrost_export.datasets.columns import Column, arrow_schema
from bifrost_export.datasets.request_logs import REQUEST_LOGS
from bifrost_export.errors import UnknownNameError

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.config.models import Data
    from bifrost_export.datasets.columns import Dataset

_DATASETS = {dataset.name: dataset for dataset in (REQUEST_LOGS,)}

__all__ = ["Column", "arrow_schema", "columns_of", "describe", "names", "schema_of"]


def names() -> list[str]:
    """The datasets that an export can include."""
    return list(_DATASETS)


def columns_of(name: str, data: Data | None = None) -> tuple[Column, ...]:
    """The columns of a dataset's rows, before any transformation.

    Args:
        name: The dataset.
        data: What an export asks for; without it, the columns that every export has.

    Raises:
        UnknownNameError: No such dataset.
    """
    extra = [Column(each, LOG_COLUMNS[each], False, f"`logs.{each}`.") for each in (data.extra_fields if data else ())]
    return (*_dataset(name).columns, *extra)


def schema_of(name: str, data: Data | None = None) -> pa.Schema:
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
    dataset = _dataset(name)
    return {"version": dataset.version, "columns": [each.to_json() for each in columns or dataset.columns]}


def _dataset(name: str) -> Dataset:
    if name not in _DATASETS:
        raise UnknownNameError(f"there is no dataset {name!r}", allowed=", ".join(names()))
    return _DATASETS[name]
