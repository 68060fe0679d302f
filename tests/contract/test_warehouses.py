"""The contract of warehouses, held by each of them against its server on the loopback."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from bifrost_export.destinations.bigquery.config import BigQueryConfig
from bifrost_export.destinations.bigquery.destination import BigQueryDestination
from bifrost_export.destinations.redshift.config import RedshiftConfig
from bifrost_export.destinations.redshift.destination import RedshiftDestination
from bifrost_export.destinations.snowflake.config import SnowflakeConfig
from bifrost_export.destinations.snowflake.destination import SnowflakeDestination
from bifrost_export.destinations.warehouse import commit
from bifrost_export.testing.warehouse_contract import WarehouseContract
from bifrost_export.testing.warehouse_runs import Place
from tests.servers.bigquery.server import PROJECT, BigQuery
from tests.servers.redshift.server import Redshift
from tests.servers.snowflake.server import Snowflake

HAND_MADE = (
    "cost_usd {double}, _loaded_at {instant}, _window_end {instant}, theirs {text}, _window_start {instant},"
    " _export_name {text}, output_tokens {whole}, input_tokens {whole}, status_code {whole}, provider {text},"
    " request_id {text}, timestamp {instant}"
)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conflicts are tried again soon."""
    monkeypatch.setattr(commit, "PAUSE", 0.02)


class RedshiftContract(WarehouseContract):
    """Redshift, with or without a staging bucket."""

    has_bucket = True
    relaxes = False

    @pytest.fixture
    def place(self, redshift: Redshift) -> Place:
        """An empty schema."""
        config = redshift.config() if self.has_bucket else redshift.config(staging=None)

        def lose_commit() -> None:
            def fault(sql: str) -> str:
                if sql != "COMMIT":
                    return "pass"
                redshift.proxy.fault = lambda _sql: "pass"
                return "cut after"

            redshift.proxy.fault = fault

        def hand_made() -> None:
            types = {"double": "double precision", "instant": "timestamptz", "text": "text", "whole": "integer"}
            redshift.sql(f"CREATE TABLE request_logs ({HAND_MADE.format(**types)})")

        def comments(table: str) -> dict[str, str]:
            columns = f"pg_attribute WHERE attrelid = 'public.{table}'::regclass AND attnum > 0"
            return dict(redshift.sql(f"SELECT attname, col_description(attrelid, attnum) FROM {columns}"))

        return Place(
            lambda target: RedshiftDestination(RedshiftConfig(**config), target),
            lambda sql: redshift.sql(sql.replace("{}", "public")),
            redshift.staged,
            lose_commit,
            hand_made,
            comments,
        )


class TestRedshift(RedshiftContract):
    """COPY from S3."""


class TestRedshiftWithoutStaging(RedshiftContract):
    """Batched inserts."""

    has_bucket = False


class TestSnowflake(WarehouseContract):
    """PUT and COPY."""

    @pytest.fixture
    def place(self, snowflake: Snowflake) -> Place:
        """An empty schema."""
        config = snowflake.config()

        def lose_commit() -> None:
            lost = {"statement": "^COMMIT", "number": 390114, "text": "Authentication token has expired."}
            snowflake.server.tell(faults=[{**lost, "is_done": True, "state": "08001"}])

        def hand_made() -> None:
            types = {"double": "float", "instant": "timestamp_tz", "text": "varchar", "whole": "number(38, 0)"}
            snowflake.sql(f"CREATE TABLE request_logs ({HAND_MADE.format(**types)})")

        def comments(table: str) -> dict[str, str]:
            # The stand-in keeps none: those of the statements that it was sent.
            found = {}
            for sql in snowflake.server.tell():
                if sql.startswith(("CREATE TABLE", "ALTER TABLE")) and f'"{table.upper()}"' in sql:
                    for column in sqlglot.parse_one(sql, read="snowflake").find_all(exp.ColumnDef):
                        (comment,) = column.find_all(exp.CommentColumnConstraint)
                        found[column.name.lower()] = comment.this.name
            return found

        return Place(
            lambda target: SnowflakeDestination(SnowflakeConfig(**config), target),
            lambda sql: snowflake.sql(sql.replace("{}", "PUBLIC")),
            snowflake.staged,
            lose_commit,
            hand_made,
            comments,
        )


class TestBigQuery(WarehouseContract):
    """Load jobs and a script."""

    @pytest.fixture
    def place(self, bigquery: BigQuery) -> Place:
        """An empty dataset."""
        config = bigquery.config()

        def lose_commit() -> None:
            def lose(method: str, path: str) -> bool:
                lost = method == "POST" and path.endswith("/jobs") and "publish" in str(list(bigquery.api.service.jobs))
                if lost:
                    bigquery.api.lose = lambda _method, _path: False
                return lost

            bigquery.api.lose = lose

        def hand_made() -> None:
            types = {"double": "FLOAT", "instant": "TIMESTAMP", "text": "STRING", "whole": "INTEGER"}
            pairs = [each.strip().split(" ", 1) for each in HAND_MADE.format(**types).split(",")]
            body: dict[str, Any] = {"schema": {"fields": [{"name": name, "type": kind} for name, kind in pairs]}}
            bigquery.api.service.catalog.make_table((PROJECT, bigquery.dataset, "request_logs"), body)

        def comments(table: str) -> dict[str, str]:
            schema = bigquery.api.service.catalog.tables[PROJECT, bigquery.dataset, table]["schema"]
            return {each["name"]: each["description"] for each in schema["fields"]}

        return Place(
            lambda target: BigQueryDestination(BigQueryConfig(**config), target),
            bigquery.sql,
            bigquery.staged,
            lose_commit,
            hand_made,
            comments,
        )
