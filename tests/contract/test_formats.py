"""What every format keeps, whatever it writes."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import nanoarrow
import nanoarrow.ipc
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.ipc as ipc
import pyarrow.json as pa_json
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from bifrost_export.errors import FormatError
from bifrost_export.formats import compression as compression_module
from bifrost_export.formats import groups, text_file
from bifrost_export.registry import FORMATS
from tests.unit.formats.rows import (
    CUTS,
    RECORD,
    UTC,
    WIDE,
    cut,
    odd_table,
    plausible,
    told,
    unpacked,
    wide_rows,
    written,
)

BUILT_IN = sorted(FORMATS.built_in)
CHOICES = [(name, compression) for name in BUILT_IN for compression in FORMATS.load(name).compressions]
EXTENSIONS = {
    **dict.fromkeys((("parquet", each) for each in ("none", "snappy", "gzip", "zstd", "lz4", "brotli")), ".parquet"),
    **dict.fromkeys((("arrow", each) for each in ("none", "lz4", "zstd")), ".arrow"),
    ("json", "none"): ".jsonl",
    ("json", "gzip"): ".jsonl.gz",
    ("json", "zstd"): ".jsonl.zst",
    ("csv", "none"): ".csv",
    ("csv", "gzip"): ".csv.gz",
    ("csv", "zstd"): ".csv.zst",
}
each_choice = pytest.mark.parametrize(("name", "compression"), CHOICES, ids=["-".join(each) for each in CHOICES])


def test_names_compressions_and_file_endings_are_the_contracts() -> None:
    """All of them, and nothing else."""
    found = {(name, each): FORMATS.load(name)().extension(each) for name, each in CHOICES}

    assert found == EXTENSIONS
    defaults = {name: FORMATS.load(name).default_compression for name in BUILT_IN}
    assert defaults == {"parquet": "zstd", "json": "gzip", "csv": "gzip", "arrow": "zstd"}
    assert {name: FORMATS.load(name).kind for name in BUILT_IN} == {name: name for name in BUILT_IN}


@each_choice
@settings(max_examples=20)
@given(rows=wide_rows(), cuts=CUTS)
def test_how_rows_are_batched_changes_no_byte(
    name: str, compression: str, rows: list[dict[str, Any]], cuts: list[int]
) -> None:
    """Slices of a longer array, arrays of their own and one whole batch give the same file."""
    whole = pa.Table.from_pylist(rows, WIDE)
    batches = cut(whole, cuts)
    copies = [pa.RecordBatch.from_pylist(batch.to_pylist(), WIDE) for batch in batches]

    bodies = {written(given, WIDE, name, compression) for given in (batches, copies, whole.to_batches())}

    assert len(bodies) == 1


@each_choice
def test_how_rows_are_batched_changes_no_byte_of_a_file_of_many_blocks(
    name: str, compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks, groups and pieces that are full, with the limits made small."""
    monkeypatch.setattr(compression_module, "BLOCK", 4096)
    monkeypatch.setattr(groups, "GROUP_ROWS", 100)
    monkeypatch.setattr(groups, "GROUP_BYTES", 9_000)
    whole = pa.concat_tables([odd_table()] * 5).combine_chunks()

    expected = written(whole.to_batches(), WIDE, name, compression)

    for size in (3, 64, 301):
        monkeypatch.setattr(text_file, "PIECE_BYTES", size * 50)
        assert written(whole.to_batches(max_chunksize=size), WIDE, name, compression) == expected


def test_what_lies_below_a_null_changes_no_byte() -> None:
    """Arrow leaves any bytes there, by the way in which a column was made."""
    numbers, texts = pa.array([1, 2, 3], pa.int32()), pa.array(["a", "bc", "d"])
    bits = pa.array([True, False, True]).buffers()[1]
    schema = pa.schema([("number", pa.int32()), ("text", pa.string())])
    messy = [pa.Array.from_buffers(column.type, 3, [bits, *column.buffers()[1:]]) for column in (numbers, texts)]
    clean = pa.RecordBatch.from_pylist(
        [{"number": 1, "text": "a"}, {"number": None, "text": None}, {"number": 3, "text": "d"}], schema
    )
    unclean = pa.RecordBatch.from_arrays(messy, schema=schema)
    assert unclean.equals(clean)

    for name in BUILT_IN:
        assert written([unclean], schema, name) == written([clean], schema, name), name


def test_files_are_the_same_in_another_process(tmp_path: Path) -> None:
    """No time, no name and no random number stands in them."""
    table = odd_table()
    rows = tmp_path / "rows.arrow"
    with ipc.new_file(rows, table.schema) as writer:
        writer.write_table(table)
    script = f"""
import pyarrow.ipc as ipc
from bifrost_export.registry import FORMATS
table = ipc.open_file({str(rows)!r}).read_all()
for name, compression in {CHOICES!r}:
    with open({str(tmp_path)!r} + f"/{{name}}.{{compression}}", "wb") as sink:
        FORMATS.load(name)().write(table.to_batches(), table.schema, sink, compression)
"""
    subprocess.run([sys.executable, "-c", script], check=True)

    for name, compression in CHOICES:
        found = (tmp_path / f"{name}.{compression}").read_bytes()
        assert found == written(table.to_batches(), WIDE, name, compression), (name, compression)


@each_choice
def test_the_sink_stays_open(name: str, compression: str) -> None:
    """Who has opened it closes it, and may write on."""
    sink = io.BytesIO()

    FORMATS.load(name)().write(odd_table().to_batches(), WIDE, sink, compression)

    assert sink.tell() > 0


@each_choice
def test_a_sink_that_fails_fails_the_file(name: str, compression: str) -> None:
    """Also where a thread writes to it."""

    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        FORMATS.load(name)().write(odd_table().to_batches(), WIDE, Full(), compression)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_null_in_a_required_column_is_refused(name: str) -> None:
    """It is never written as something else."""
    fields = [field.with_nullable(True) for field in WIDE]
    [batch] = pa.Table.from_pylist([{"request_id": "a"}], pa.schema(fields)).to_batches()
    broken = pa.RecordBatch.from_arrays(batch.columns, schema=WIDE)

    with pytest.raises(FormatError, match="the required column 'timestamp' holds 1 nulls"):
        written([broken], WIDE, name)


@each_choice
@pytest.mark.parametrize("batches", [[], WIDE.empty_table().to_batches(), odd_table().slice(0, 0).to_batches()])
def test_no_rows_make_a_valid_file(name: str, compression: str, batches: list[pa.RecordBatch]) -> None:
    """With the schema where the format has one: CSV's header, an empty file of JSON lines."""
    body = written(batches, WIDE, name, compression)

    if name == "csv":
        assert unpacked(body, compression).decode() == ",".join(WIDE.names) + "\n"
    elif name == "json":
        assert unpacked(body, compression) == b""
    else:
        assert read(name, compression, body).num_rows == 0


def read(name: str, compression: str, body: bytes) -> pa.Table:
    """The rows as Arrow's own reader sees them."""
    if name == "parquet":
        return pq.read_table(io.BytesIO(body))
    if name == "arrow":
        return ipc.open_file(pa.BufferReader(body)).read_all()
    text = pa.BufferReader(unpacked(body, compression))
    # Arrow's readers of text don't read times without seconds' fractions and with them into one column.
    schema = pa.schema([field.with_type(pa.string()) if is_time(field) else field for field in WIDE])
    if name == "json":
        return pa_json.read_json(text, parse_options=pa_json.ParseOptions(schema))
    convert = pa_csv.ConvertOptions(
        column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    return pa_csv.read_csv(text, parse_options=pa_csv.ParseOptions(newlines_in_values=True), convert_options=convert)


def is_time(field: pa.Field) -> bool:
    """Whether a column holds instants or dates."""
    return bool(pa.types.is_temporal(field.type))


@each_choice
@settings(max_examples=30)
@given(rows=wide_rows())
def test_arrows_readers_read_what_was_written(name: str, compression: str, rows: list[dict[str, Any]]) -> None:
    """Every value, null and text."""
    whole = pa.concat_tables([pa.Table.from_pylist(rows, WIDE), odd_table()])

    found = read(name, compression, written(whole.to_batches(), WIDE, name, compression))

    assert found.schema.names == WIDE.names
    assert told(found) == told(whole)


DUCKDB_TYPES = {
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
}
COLUMNS = str({field.name: DUCKDB_TYPES.get(field.type, "VARCHAR") for field in WIDE})
DUCKDB_READERS = {
    "json": f"read_json(?, format = 'newline_delimited', columns = {COLUMNS})",
    "csv": "read_csv(?, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"',"
    f" nullstr = '', allow_quoted_nulls = false, columns = {COLUMNS})",
}
"""How DuckDB is asked to read a file of text, by its ending."""


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
@pytest.mark.parametrize("name", ["json", "csv"])
@settings(max_examples=15)
@given(rows=wide_rows())
def test_duckdb_reads_text_as_it_was_written(
    name: str, compression: str, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A reader that shares no code with Arrow finds every value, and tells nulls from empty texts."""
    whole = pa.concat_tables([pa.Table.from_pylist(rows, WIDE), odd_table()])
    path = tmp_path_factory.mktemp("duckdb") / f"part{FORMATS.load(name)().extension(compression)}"
    path.write_bytes(written(whole.to_batches(), WIDE, name, compression))

    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM {DUCKDB_READERS[name]}", [str(path)]).fetchall()

    assert found == [tuple(row.values()) for row in told(whole)]


def as_numbers(table: pa.Table) -> list[tuple[Any, ...]]:
    """Rows with instants as microseconds and dates as text, which readers can't tell in their own ways."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=UTC)

    def plain(value: Any) -> Any:
        if isinstance(value, dt.datetime):
            return (value - epoch) // dt.timedelta(microseconds=1)
        return value.isoformat() if isinstance(value, dt.date) else value

    return [tuple(plain(value) for value in row.values()) for row in table.to_pylist()]


AS_NUMBERS = ", ".join(
    f"epoch_us({field.name})"
    if pa.types.is_timestamp(field.type)
    else f"{field.name}::VARCHAR"
    if pa.types.is_date(field.type)
    else field.name
    for field in WIDE
)


@pytest.mark.parametrize("compression", FORMATS.load("parquet").compressions)
@settings(max_examples=10)
@given(rows=wide_rows())
def test_duckdb_reads_parquet_as_it_was_written(
    compression: str, rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every type, with its nulls, in each codec: its reader is its own."""
    whole = pa.concat_tables([pa.Table.from_pylist(rows, WIDE), odd_table()])
    path = tmp_path_factory.mktemp("duckdb") / "part.parquet"
    path.write_bytes(written(whole.to_batches(), WIDE, "parquet", compression))

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        types = connection.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()
        found = connection.execute(f"SELECT {AS_NUMBERS} FROM '{path}'").fetchall()

    known = {pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE", pa.date32(): "DATE", **DUCKDB_TYPES}
    assert [each[:2] for each in types] == [(field.name, known.get(field.type, "VARCHAR")) for field in WIDE]
    assert found == as_numbers(whole)


@pytest.mark.parametrize("compression", FORMATS.load("arrow").compressions)
@settings(max_examples=15)
@given(rows=wide_rows())
def test_nanoarrow_reads_arrow_as_it_was_written(compression: str, rows: list[dict[str, Any]]) -> None:
    """It shares no code with pyarrow, and reads the stream that stands in a file behind its first 8 bytes."""
    whole = pa.concat_tables([pa.Table.from_pylist(rows, WIDE), odd_table()])
    body = written(whole.to_batches(), WIDE, "arrow", compression)
    assert body.startswith(b"ARROW1\0\0")

    with nanoarrow.ipc.InputStream.from_readable(io.BytesIO(body[8:])) as stream:
        found = nanoarrow.Array(stream).to_pylist()

    assert found == whole.to_pylist()


@pytest.mark.parametrize("name", ["json", "csv"])
def test_text_and_parquet_of_the_same_rows_are_equal(name: str, tmp_path: Path) -> None:
    """In a reader that finds the types by itself, over plausible rows."""
    whole = plausible(2_000)
    paths = {each: tmp_path / f"part{FORMATS.load(each)().extension('gzip')}" for each in ("parquet", name)}
    for each, path in paths.items():
        path.write_bytes(written(whole.to_batches(), RECORD, each, "gzip"))

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        columns = "timestamp::TIMESTAMPTZ AS timestamp, * EXCLUDE (timestamp)"
        text, parquet = (
            f"SELECT {columns} FROM {reader}('{paths[each]}'{options})"
            for each, reader, options in (
                (name, f"read_{name}", ", allow_quoted_nulls = false" if name == "csv" else ""),
                ("parquet", "read_parquet", ""),
            )
        )
        [(count,)] = connection.execute(f"SELECT count(*) FROM ({text})").fetchall()
        assert count == 2_000
        assert connection.execute(f"({text}) EXCEPT ALL ({parquet})").fetchall() == []
