"""Generate the data dictionary: the columns of every dataset, from their schemas."""

from __future__ import annotations

from collections.abc import Iterator

from bifrost_export import datasets
from bifrost_export.datasets import Column
from bifrost_export.logstore.columns import LOG_COLUMNS
from bifrost_export.logstore.endpoints import ENDPOINTS, LEGACY
from tools.markdown import cell, table

INTRODUCTION = """\
# Data dictionary

The columns of every dataset, in their order, with their Parquet types. This page is generated from the schemas
(`make reference`). JSON and CSV files have the same columns in the same order. [Datasets](../datasets.md) explains what
a row of each dataset is, and [Warehouses](../destinations/warehouses.md) has the types of tables.

`bifrost-export schema --dataset NAME` prints one of these tables. The manifest names the schema version and the columns
of each dataset as it was exported, after its transformations.

"""

_PARQUET = {
    "timestamp": "INT64, TIMESTAMP(MICROS, UTC)",
    "string": "UTF8",
    "int32": "INT32",
    "int64": "INT64",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "INT32, DATE",
}
_EXTRA = """\
## Extra fields

`data.extra_fields` adds columns of Bifrost's table `logs` by name. A column that an older log store lacks is null. A
column of a newer Bifrost, which is not in this list, takes its type from the log store.
"""

_ENDPOINTS = """\
## Endpoints

`endpoint` and `method` follow from the column `object_type` of the log row. Another kind has `POST` and `/v1/<kind>`. A
passthrough row has the method and path of its request, or `POST` and `/v1/passthrough` where its content is hidden.
"""


def page() -> str:
    """Return the page as Markdown."""
    sections = "\n".join(line for name in datasets.names() for line in _section(name))
    extra = table(
        ("column", "Parquet"),
        ((f"`{name}`", f"optional {_PARQUET[kind]}") for name, kind in sorted(LOG_COLUMNS.items())),
    )
    return f"{INTRODUCTION}{sections}\n{_EXTRA}\n{extra}\n{_ENDPOINTS}\n{_endpoints()}"


def _endpoints() -> str:
    older = {name: [old for old, present in LEGACY.items() if present == name] for name in ENDPOINTS}
    rows = (
        (f"`{name}`", ", ".join(f"`{each}`" for each in older[name]), method, f"`{path}`")
        for name, (path, method) in sorted(ENDPOINTS.items())
    )
    return table(("object type", "older names", "method", "endpoint"), rows)


def _section(name: str) -> Iterator[str]:
    dataset = datasets.named(name)
    yield f"## {name}\n\nSchema version {dataset.version}.\n"
    rows = [_row(column, column.description) for column in dataset.columns]
    rows += [_row(column, f"Only with `data.include_content`. {column.description}") for column in dataset.contents]
    yield table(("column", "Parquet", "description"), rows)


def _row(column: Column, description: str) -> tuple[str, str, str]:
    need = "required" if column.required else "optional"
    return f"`{column.name}`", f"{need} {_PARQUET[column.type]}", cell(description)
