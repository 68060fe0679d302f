"""What exports delete in a warehouse is their own: names are compared with the exact pattern, audit rows are hints."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.destinations.warehouse.names import StagedNames
from bifrost_export.window import UTC, Window
from tests.integration.exports import Export
from tests.servers.bigquery.server import PROJECT, BigQuery
from tests.servers.redshift.server import Redshift
from tests.servers.snowflake.server import Snowflake

DAY = Window.parse("2026-03-01", "2026-03-02")
NAME = "20260301T000000Z_20260302T000000Z"
PART = "request_logs__part-00001-of-00001.parquet"
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=UTC)
FOREIGN = (
    "report.csv",
    f"other/{NAME}__0123abcd/{PART}",
    f"nightly/{NAME}__0123abcd/notes.txt",
    f"nightly/{NAME}__0123abcd/deep/{PART}",
    f"nightly/{NAME}__0123ABCD/{PART}",
    f"nightly/{NAME}__0123abcd",
    f"nightly/2026__0123abcd/{PART}",
    f"nightly/{PART}",
    f"nightly-2/{NAME}__0123abcd/{PART}",
)


@pytest.fixture
def all_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything was staged long ago."""
    is_left = StagedNames.is_left
    monkeypatch.setattr(StagedNames, "is_left", lambda names, path, _put, since: is_left(names, path, LONG_AGO, since))


def export(folder: Path, log_store: Path, kind: str, config: dict[str, Any]) -> Export:
    """An export of the sample log store."""
    return Export(folder, log_store, destination={"type": kind, "config": config})


@pytest.mark.usefixtures("all_old")
def test_the_sweep_of_a_staging_bucket_leaves_what_is_not_this_exports(
    redshift: Redshift, tmp_path: Path, log_store: Path
) -> None:
    """However old, and though it stands in the folder of staged files."""
    root = "warehouse/bifrost_export_staging/"
    ours = [f"nightly/{NAME}__0123abcd/{PART}", f"nightly/{NAME}__0123abcd/request_logs.manifest"]
    elsewhere = ["warehouse/report.csv", f"nightly/{NAME}__0123abcd/{PART}"]
    client = redshift.buckets.client
    for key in [*(root + each for each in (*FOREIGN, *ours)), *elsewhere]:
        client.put_object(Bucket=redshift.bucket, Key=key, Body=b"rows")

    export(tmp_path, log_store, "redshift", redshift.config()).run(DAY)

    assert sorted(redshift.buckets.contents(redshift.bucket)) == sorted(
        [*(root + each for each in FOREIGN), *elsewhere]
    )


@pytest.mark.long
@pytest.mark.usefixtures("all_old")
def test_the_sweep_of_a_stage_leaves_what_is_not_this_exports(
    snowflake: Snowflake, tmp_path: Path, log_store: Path
) -> None:
    """A stage is shared by all exports of a schema."""
    one = export(tmp_path / "run", log_store, "snowflake", snowflake.config())
    one.run(DAY)
    foreign = [each for each in FOREIGN if not each.endswith("abcd")]
    for path in [*foreign, f"nightly/{NAME}__0123abcd/{PART}"]:
        folder, _, name = path.rpartition("/")
        file = tmp_path / name
        file.write_bytes(b"rows")
        place = f"@{snowflake.database}.PUBLIC.bifrost_export_stage/{folder}"
        snowflake.sql(f"PUT 'file://{file}' {place} AUTO_COMPRESS=FALSE SOURCE_COMPRESSION=NONE OVERWRITE=TRUE")

    one.run(DAY)

    assert snowflake.staged() == sorted(foreign)


def test_tables_that_look_like_parts_and_are_not_ours_stay(bigquery: BigQuery, tmp_path: Path, log_store: Path) -> None:
    """Of another window, of another shape, or no tables."""
    one = export(tmp_path, log_store, "bigquery", bigquery.config())
    names: list[str] = []
    make = bigquery.api.service.catalog.make_table

    def watched(key: Any, body: dict[str, Any]) -> dict[str, Any]:
        names.append(key[2])
        return make(key, body)

    bigquery.api.service.catalog.make_table = watched  # type: ignore[method-assign]
    try:
        one.run(DAY)
    finally:
        bigquery.api.service.catalog.make_table = make  # type: ignore[method-assign]
    part = next(name for name in names if name.startswith("bifrost_part_"))
    window_hash = part.split("_")[2]
    ours = f"bifrost_part_{window_hash}_0123abcd_request_logs_00001"
    foreign = [
        "bifrost_part_0123456789_0123abcd_request_logs_00001",
        f"bifrost_part_{window_hash}_of_our_own",
        f"bifrost_part_{window_hash}_0123abcd_request_logs_00001_copy",
        "bifrost_part_list",
    ]
    fields = {"schema": {"fields": [{"name": "a", "type": "STRING"}]}}
    for name in (*foreign, ours):
        make((PROJECT, bigquery.dataset, name), fields)
    view = f"bifrost_part_{window_hash}_0123abcd_request_logs_00002"
    make((PROJECT, bigquery.dataset, view), {**fields, "view": {"query": "SELECT 'a' AS a"}})

    one.run(DAY)

    assert bigquery.staged() == sorted([*foreign, view])


class Tampered:
    """An audit row that names a table which no export has loaded."""

    def __init__(self, sql: Any, schema: str) -> None:
        self.sql, self.schema = sql, schema

    def point_to(self, name: str) -> None:
        """Let the live audit row name another table."""
        quoted = name.replace("'", "''")
        self.sql(f"UPDATE {self.schema}.bifrost_export_loads SET table_name = '{quoted}' WHERE kind = 'load'")


NAMES = (
    "invoices",
    'x" WHERE 1 = 1; DROP TABLE invoices; --',
    "x` WHERE TRUE; DROP TABLE invoices; --",
    "public.invoices",
    "bifrost_export_loads",
)


@pytest.mark.parametrize("name", NAMES)
def test_an_audit_row_that_names_a_foreign_table_of_redshift_deletes_nothing_there(
    redshift: Redshift, tmp_path: Path, log_store: Path, name: str
) -> None:
    """Neither rows nor the table; the run goes on."""
    one = export(tmp_path, log_store, "redshift", redshift.config())
    exported = one.run(DAY)["datasets"]["request_logs"]["exported"]
    redshift.sql("CREATE TABLE invoices (id int); INSERT INTO invoices VALUES (1)")
    Tampered(redshift.sql, "public").point_to(name)

    assert one.run(DAY)["revision"] == 2

    assert redshift.sql("SELECT COUNT(*) FROM invoices") == [["1"]]
    assert redshift.sql("SELECT COUNT(*) FROM request_logs") == [[str(exported)]]
    assert redshift.sql("SELECT COUNT(*) FROM bifrost_export_loads WHERE kind = 'load'") == [["2"]]


@pytest.mark.parametrize("name", NAMES)
def test_an_audit_row_that_names_a_foreign_table_of_bigquery_deletes_nothing_there(
    bigquery: BigQuery, tmp_path: Path, log_store: Path, name: str
) -> None:
    """Neither rows nor the table; the run goes on."""
    one = export(tmp_path, log_store, "bigquery", bigquery.config())
    exported = one.run(DAY)["datasets"]["request_logs"]["exported"]
    fields = {"schema": {"fields": [{"name": "id", "type": "STRING"}]}}
    bigquery.api.service.catalog.make_table((PROJECT, bigquery.dataset, "invoices"), fields)
    bigquery.sql("INSERT INTO {}.invoices VALUES ('1')")
    Tampered(bigquery.sql, "{}").point_to(name)

    assert one.run(DAY)["revision"] == 2

    assert bigquery.sql("SELECT COUNT(*) FROM {}.invoices") == [["1"]]
    assert bigquery.sql("SELECT COUNT(*) FROM {}.request_logs") == [[str(exported)]]
