"""Published files are read again by what is promised of their formats."""

from __future__ import annotations

import gzip
import io
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from bifrost_export.formats.reading import can_read, read

COLUMNS = ["timestamp", "input_tokens", "cost_usd"]
ROWS: list[dict[str, Any]] = [
    {"timestamp": 1_709_287_200_000_000, "request_id": 'a "quoted",\n id', "input_tokens": 3, "cost_usd": 0.25},
    {"timestamp": 1_709_287_201_120_000, "request_id": "", "input_tokens": None, "cost_usd": None},
]
JSON = (
    b'{"timestamp":"2024-03-01T10:00:00Z","request_id":"a \\"quoted\\",\\n id","input_tokens":3,"cost_usd":0.25}\n'
    b'{"timestamp":"2024-03-01T10:00:01.12Z","request_id":"","input_tokens":null,"cost_usd":null}\n'
)
CSV = (
    b"timestamp,request_id,input_tokens,cost_usd\n"
    b'2024-03-01T10:00:00Z,"a ""quoted"",\n id",3,0.25\n'
    b'2024-03-01T10:00:01.12Z,"",,\n'
)


def table() -> pa.Table:
    """The rows as Arrow has them."""
    kinds = {"timestamp": pa.timestamp("us", tz="UTC"), "request_id": pa.string()}
    kinds |= {"input_tokens": pa.int32(), "cost_usd": pa.float64()}
    return pa.table({name: pa.array([row[name] for row in ROWS], kind) for name, kind in kinds.items()})


def parquet() -> bytes:
    """A Parquet file."""
    sink = io.BytesIO()
    pq.write_table(table(), sink)
    return sink.getvalue()


def arrow() -> bytes:
    """An Arrow file."""
    sink = io.BytesIO()
    with ipc.new_file(sink, table().schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table())
    return sink.getvalue()


FILES = [
    ("parquet", "zstd", parquet()),
    ("arrow", "zstd", arrow()),
    ("json", "none", JSON),
    ("json", "gzip", gzip.compress(JSON)),
    ("json", "zstd", pa.compress(JSON, codec="zstd", asbytes=True)),
    ("csv", "none", CSV),
    ("csv", "gzip", gzip.compress(CSV[:60]) + gzip.compress(CSV[60:])),
]


@pytest.mark.parametrize(("format_", "compression", "data"), FILES, ids=[f"{one} {other}" for one, other, _ in FILES])
def test_rows_are_read(format_: str, compression: str, data: bytes) -> None:
    """Times, whole numbers, numbers and nulls, whatever stands in the other columns."""
    batches = list(read(format_, io.BytesIO(data), compression, COLUMNS))
    found = pa.Table.from_batches([batch.select(COLUMNS) for batch in batches])
    assert found.column("timestamp").cast(pa.int64()).to_pylist() == [row["timestamp"] for row in ROWS]
    assert found.column("input_tokens").to_pylist() == [3, None]
    assert found.column("cost_usd").to_pylist() == [0.25, None]


@pytest.mark.parametrize(("format_", "compression", "data"), FILES, ids=[f"{one} {other}" for one, other, _ in FILES])
def test_rows_without_a_column_of_interest_are_counted(format_: str, compression: str, data: bytes) -> None:
    """Each of them."""
    assert sum(batch.num_rows for batch in read(format_, io.BytesIO(data), compression, [])) == 2


@pytest.mark.parametrize("format_", ["parquet", "arrow", "json", "csv"])
def test_what_is_no_such_file_is_an_error(format_: str) -> None:
    """Of Arrow's own, or of the system."""
    with pytest.raises((pa.ArrowException, OSError, EOFError)):
        list(read(format_, io.BytesIO(b"\x00{nonsense"), "gzip", COLUMNS))


def test_formats_of_others_are_not_read() -> None:
    """They bring no reader."""
    assert [can_read(name) for name in ("parquet", "json", "csv", "arrow", "xml")] == [True] * 4 + [False]


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("format_", ["json", "csv"])
@pytest.mark.parametrize("at", [0, 1, 2], ids=["first", "in the middle", "last"])
def test_rows_of_many_mebibytes_are_read(format_: str, compression: str, at: int) -> None:
    """Wherever they stand, with quotes and line ends in them."""
    texts = ["a", "b", "c"]
    texts[at] = 'x"\n,' * 1_500_000
    if format_ == "json":
        data = b"".join(orjson.dumps({"input_tokens": n, "text": text}) + b"\n" for n, text in enumerate(texts))
    else:
        told = (f'{n},"{text.replace(chr(34), chr(34) * 2)}"\n' for n, text in enumerate(texts))
        data = f"input_tokens,text\n{''.join(told)}".encode()
    packed = {"none": bytes, "gzip": gzip.compress, "zstd": lambda each: pa.compress(each, codec="zstd", asbytes=True)}

    batches = list(read(format_, io.BytesIO(packed[compression](data)), compression, ["input_tokens"]))

    assert [value for batch in batches for value in batch.column("input_tokens").to_pylist()] == [0, 1, 2]
