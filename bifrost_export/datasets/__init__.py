"""What an export can include: each dataset has a schema, a version, and words for every column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export.datasets.columns import Column
from bifrost_export.datasets.request_logs import REQUEST_LOGS
from bifrost_export.errors import UnknownNameError

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.datasets.columns import Dataset

_DATASETS = {dataset.name: dataset for dataset in (REQUEST_LOGS,)}

__all__ = ["Column", "columns_of", "describe", "names", "schema_of"]


def names() -> list[str]:
    """The datasets that an export can include."""
    return list(_DATASETS)


def columns_of(name: str) -> tuple[Column, ...]:
    """The columns of a dataset's rows.

    Raises:
        UnknownNameError: No such dataset.
    """
    return _dataset(name).columns


def schema_of(name: str) -> pa.Schema:
    """The Arrow schema of a dataset's rows.

    Raises:
        UnknownNameError: No such dataset.
    """
    return _dataset(name).schema()


def describe(name: str) -> dict[str, Any]:
    """A dataset's columns for manifests and people: `{"version", "columns": [{"name", "type", "required", ...}]}`.

    Raises:
        UnknownNameError: No such dataset.
    """
    dataset = _dataset(name)
    return {"version": dataset.version, "columns": [column.to_json() for column in dataset.columns]}


def _dataset(name: str) -> Dataset:
    if name not in _DATASETS:
        raise UnknownNameError(f"there is no dataset {name!r}", allowed=", ".join(names()))
    return _DATASETS[name]
