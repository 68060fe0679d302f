"""What S3's parts and a warehouse's tables hold of one window, compared value by value; each type has one form."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bifrost_export.window import Window
from tests.independent import micros
from tests.integration.truth_runs import Comparison

KEYS = {
    "request_logs": ("request_id",),
    "response_logs": ("request_id",),
    "error_logs": ("request_id",),
    "metrics": ("bucket_start", "provider", "model"),
    "traces": ("span_id",),
}
"""What tells the rows of each dataset apart."""
OWN = ("_export_name", "_window_start", "_window_end", "_loaded_at")
LONGEST = 65_535
"""Bytes of Redshift's longest text."""

Rows = dict[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Warehouse:
    """A warehouse, as it is asked beside the product.

    Args:
        name: What it is called.
        rows: Every row of a table.
        types: The type of each of a table's columns, as the warehouse says it.
        of_type: For each type of the contract, what the warehouse says.
        text: A text as the warehouse holds it, or None for one that it holds shortened.
    """

    name: str
    rows: Callable[[str], pa.Table]
    types: Callable[[str], dict[str, str]]
    of_type: Mapping[str, str]
    text: Callable[[str], str | None] = lambda text: text


@dataclass
class Counted:
    """How many rows were compared, and of which texts a warehouse holds another form."""

    rows: int = 0
    replaced: int = 0
    shortened: list[str] = field(default_factory=list)


def published(client: Any, bucket: str, key: str) -> Iterator[tuple[str, dict[str, str], Rows]]:
    """Each dataset of a manifest in a bucket: its name, the types of its columns, its rows.

    Args:
        client: Of S3.
        bucket: The bucket.
        key: The manifest's.
    """
    manifest = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    for dataset, entry in manifest["datasets"].items():
        types = {each["name"]: each["type"] for each in entry["schema"]["columns"]}
        bodies = [client.get_object(Bucket=bucket, Key=part["key"])["Body"].read() for part in entry["parts"]]
        tables = [pq.read_table(io.BytesIO(body)) for body in bodies]
        assert [table.num_rows for table in tables] == [part["rows"] for part in entry["parts"]]
        yield dataset, types, keyed(dataset, pa.concat_tables(tables))


def keyed(dataset: str, table: pa.Table) -> Rows:
    """The rows of a dataset by what tells them apart; none is there twice."""
    rows = {tuple(plain(row[each]) for each in KEYS[dataset]): row for row in table.to_pylist()}
    assert len(rows) == table.num_rows
    return rows


def plain(value: object) -> object:
    """A value in the form that is compared: instants as microseconds, floats to the last bit, bytes as they are."""
    if isinstance(value, dt.datetime):
        return micros(value)
    return value.hex() if isinstance(value, float) else value


def compare(
    comparison: Comparison,
    dataset: str,
    types: dict[str, str],
    rows: Rows,
    warehouse: Warehouse,
    export: str,
    window: Window,
) -> Counted:
    """Compare each row and each column of a dataset with its table, and the table's own columns with the window.

    Args:
        comparison: Counts what is compared.
        dataset: The dataset.
        types: The types of its columns in S3, by name.
        rows: Its rows in S3.
        warehouse: The warehouse.
        export: The export that has loaded it.
        window: The window.
    """
    counted, table = Counted(), dataset if dataset == "request_logs" else f"request_logs_{dataset}"
    assert list(warehouse.types(table)) == [*types, *OWN]
    told = {name: warehouse.types(table)[name] for name in types}
    assert told == {name: warehouse.of_type[type_] for name, type_ in types.items()}
    found = keyed(dataset, warehouse.rows(table))
    assert set(found) == {tuple(_in(warehouse, each) for each in key) for key in rows}
    for key, row in rows.items():
        there = found[tuple(_in(warehouse, each) for each in key)]
        for name in types:
            _compare(comparison, counted, warehouse, f"{dataset}.{name}", (row[name], there[name]))
        own = {"_export_name": export, "_window_start": micros(window.start), "_window_end": micros(window.end)}
        for name, expected in own.items():
            comparison.value(dataset, name, plain(there[name]), expected)
        counted.rows += 1
    return counted


def _in(warehouse: Warehouse, value: object) -> object:
    return warehouse.text(value) if isinstance(value, str) else value


def _compare(
    comparison: Comparison, counted: Counted, warehouse: Warehouse, name: str, values: tuple[object, object]
) -> None:
    whole, found = values
    expected = _in(warehouse, whole)
    if isinstance(whole, str) and expected is None:
        counted.shortened.append(name)
        comparison.value(name, "shortened", isinstance(found, str) and is_short_form(found, whole), True)
        return
    counted.replaced += expected != whole
    comparison.value(name, "value", (type(found), plain(found)), (type(expected), plain(expected)))


def in_redshift(text: str) -> str | None:
    """A text in Redshift: no NUL, and none beyond its longest."""
    return None if len(text.encode()) > LONGEST else text.replace("\0", "\ufffd")


def is_short_form(short: str, whole: str) -> bool:
    """Whether a text is another one cut to Redshift's longest: in JSON its strings are cut, else its end."""
    if len(short.encode()) > LONGEST:
        return False
    if whole[:1] in ("{", "["):
        return _begins(json.loads(short), json.loads(whole)) and len(short.encode()) > LONGEST // 2
    return whole.startswith(short) and len(short.encode()) > LONGEST - 4


def _begins(short: Any, whole: Any) -> bool:
    if isinstance(whole, str):
        return isinstance(short, str) and whole.startswith(short)
    if isinstance(whole, dict):
        return list(short) == list(whole) and all(_begins(short[key], whole[key]) for key in whole)
    if isinstance(whole, list):
        return len(short) == len(whole) and all(map(_begins, short, whole))
    return bool(short == whole)
