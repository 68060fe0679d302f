"""A format that somebody else wrote: the package in `examples`, built, installed, and named in each way."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bifrost_export.airflow.dag_page import page
from bifrost_export.airflow.markdown import plain
from bifrost_export.cli.group import execute
from bifrost_export.config.freezing import freeze
from bifrost_export.config.loader import load
from bifrost_export.errors import FormatError
from bifrost_export.registry import FORMATS
from bifrost_export.window import Window
from demo.servers.postgres_server import PostgresServer
from tests.integration.built_examples import built, installed
from tests.integration.exports import Export
from tests.integration.test_transformations import rows_of
from tests.unit.formats.rows import ODD_TEXTS, written

DAY = Window.parse("2026-03-01", "2026-03-02")
CLASS = "bifrost_pg_copy:PgCopyText"
TABLE = """CREATE TABLE request_logs (timestamp timestamptz NOT NULL, request_id text NOT NULL,
    customer_id text NOT NULL, provider text NOT NULL, model text NOT NULL, endpoint text NOT NULL,
    method text NOT NULL, status_code int NOT NULL, latency_ms int NOT NULL, input_tokens int, output_tokens int,
    cost_usd double precision)"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as a wheel."""
    return built("custom_format", tmp_path_factory.mktemp("dist"))


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Iterator[None]:
    """The example, installed."""
    with installed(wheel, tmp_path / "site"):
        yield


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("format_", ["pg_copy", CLASS, {"type": "pg_copy"}, {"type": CLASS}], ids=str)
def test_a_format_of_ones_own_is_written_by_entry_point_and_by_path(
    format_: Any, tmp_path: Path, log_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Manifest and names tell it, and `verify` says what it can't look at."""
    export = Export(tmp_path / "copy", log_store, {"format": format_})
    export.run(DAY)

    word = format_ if isinstance(format_, str) else format_["type"]
    manifest = export.manifest(DAY)
    assert (manifest["format"], manifest["compression"]) == (word, "gzip")
    [(key, body)] = export.parts().items()
    assert key.endswith(".copy.gz")
    assert gzip.decompress(body).count(b"\n") == manifest["datasets"]["request_logs"]["exported"] > 0

    path = export.out / f"logs/_manifests/nightly/{DAY.name}.json"
    capsys.readouterr()
    assert execute(["verify", str(path), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    [note] = told["notes"]
    assert note.startswith(f"the parts are of the format {word}, which is not read here: their bytes and sha256 were")
    (export.out / key).write_bytes(b"other bytes")
    assert execute(["verify", str(path)]) == 1


@pytest.mark.usefixtures("site")
def test_postgresql_reads_the_rows_that_parquet_has(
    tmp_path: Path, log_store: Path, postgres: PostgresServer, postgres_database: str
) -> None:
    """By its own COPY."""
    copy = Export(tmp_path / "copy", log_store, {"format": {"type": CLASS}, "compression": "none"})
    parquet = Export(tmp_path / "parquet", log_store)
    copy.run(DAY)
    parquet.run(DAY)
    [body] = copy.parts().values()
    postgres.psql(TABLE, postgres_database)
    postgres.psql("COPY request_logs FROM STDIN", postgres_database, stdin=body.decode())

    columns = "request_id, customer_id, model, status_code, input_tokens, cost_usd"
    found = postgres.psql(f"SELECT jsonb_build_array({columns}) FROM request_logs", postgres_database)
    assert sorted(map(json.loads, found.splitlines())) == sorted(
        [row[name] for name in columns.split(", ")] for row in rows_of(parquet)
    )


@pytest.mark.usefixtures("site")
def test_postgresql_reads_odd_texts(postgres: PostgresServer, postgres_database: str) -> None:
    """Tabs, line ends, backslashes and what looks like a null; a NUL character, which it has not, is refused."""
    texts = [text for text in ODD_TEXTS if "\0" not in text]
    schema = pa.schema([("text", pa.string()), ("other", pa.large_string())])
    batch = pa.record_batch([pa.array([*texts, None]), pa.array([None, *texts], pa.large_string())], schema)
    postgres.psql("CREATE TABLE odd (number serial, text text, other text)", postgres_database)

    body = written([batch], schema, CLASS)
    postgres.psql("COPY odd (text, other) FROM STDIN", postgres_database, stdin=body.decode())

    found = postgres.psql("SELECT json_build_array(text, other) FROM odd ORDER BY number", postgres_database)
    assert [json.loads(line) for line in found.rstrip("\n").split("\n")] == [
        list(row.values()) for row in batch.to_pylist()
    ]
    with pytest.raises(FormatError, match="the column 'text' holds a NUL"):
        written([pa.record_batch([pa.array(["a\0"])], pa.schema([("text", pa.string())]))], schema, CLASS)


@pytest.mark.usefixtures("site")
def test_schema_page_and_checks_know_what_is_installed(tmp_path: Path, log_store: Path) -> None:
    """An editor completes its name, and a compression that it lacks is refused."""
    assert "pg_copy" in FORMATS.names()
    [loaded] = load(Export(tmp_path, log_store, {"format": {"type": CLASS}}).document()).exports
    shown = page(loaded.good, freeze(loaded), "0" * 64)
    assert f"**Format**: {plain(CLASS)} with gzip compression, up to 1,000,000 rows a file." in shown

    [problem] = load(Export(tmp_path, log_store, {"format": "pg_copy", "compression": "zstd"}).document()).errors
    assert (problem.message, problem.allowed) == ("pg_copy has no compression 'zstd'", "none, gzip")


def test_without_its_package_the_document_says_so(tmp_path: Path, log_store: Path) -> None:
    """With the names that there are."""
    [problem] = load(Export(tmp_path, log_store, {"format": "pg_copy"}).document()).errors
    assert problem.message == "there is no format 'pg_copy'"
    assert problem.allowed == "arrow, csv, json, parquet, package.module:Class"
