"""What a warehouse refuses is one clear error: for good with what to do, or passing."""

from __future__ import annotations

import gc
import json
import threading
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.destinations.redshift import engine as redshift_engine
from bifrost_export.destinations.snowflake import connection as snowflake_connection
from bifrost_export.destinations.snowflake.config import SnowflakeConfig
from bifrost_export.destinations.warehouse import commit
from bifrost_export.errors import CredentialsRefusedError, DestinationError, DestinationUnavailableError
from bifrost_export.window import Window
from demo.servers.bigquery.service import Fault
from tests.integration.exports import Export
from tests.servers.bigquery.server import PROJECT, BigQuery
from tests.servers.identities import identity
from tests.servers.redshift.copying import Lake
from tests.servers.redshift.server import ROLE, Redshift
from tests.servers.snowflake.server import PASSWORD, USER, Snowflake

DAY = Window.parse("2026-03-01", "2026-03-02")


@pytest.fixture(autouse=True)
def few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conflicts are given up soon."""
    monkeypatch.setattr(commit, "TRIES", 2)
    monkeypatch.setattr(commit, "PAUSE", 0.01)


def export(folder: Path, log_store: Path, kind: str, config: dict[str, Any]) -> Export:
    """An export of the sample log store."""
    return Export(folder, log_store, destination={"type": kind, "config": config})


class TestRedshift:
    """PostgreSQL's own refusals, and COPY's."""

    @pytest.fixture(autouse=True)
    def sockets(self) -> Iterator[None]:
        """The driver leaves the socket of a refused sign-in to the garbage collector, which says so."""
        yield
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def test_a_wrong_password(
        self, redshift: Redshift, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is refused for good."""
        for name, value in redshift.connections(password="wrong-password").items():
            monkeypatch.setenv(name, value)
        with pytest.raises(CredentialsRefusedError, match="refused user or password") as raised:
            export(tmp_path, log_store, "redshift", redshift.config()).run(DAY)
        assert "wrong-password" not in str(raised.value)

    def test_a_missing_database(self, redshift: Redshift, tmp_path: Path, log_store: Path) -> None:
        """It is named."""
        with pytest.raises(DestinationError, match=r'database "nowhere" does not exist.*Create the database'):
            export(tmp_path, log_store, "redshift", redshift.config(database="nowhere")).run(DAY)

    def test_a_missing_schema(self, redshift: Redshift, tmp_path: Path, log_store: Path) -> None:
        """Before any data moves."""
        with pytest.raises(DestinationError, match="there is no schema nowhere"):
            export(tmp_path, log_store, "redshift", redshift.config(schema="nowhere")).run(DAY)
        assert redshift.staged() == []

    def test_a_role_that_copy_may_not_take(self, redshift: Redshift, tmp_path: Path, log_store: Path) -> None:
        """It says whom to let."""
        staging = {"bucket": redshift.bucket, "iam_role": "arn:aws:iam::123456789012:role/other"}
        with pytest.raises(DestinationError, match=r"may not assume staging\.iam_role"):
            export(tmp_path, log_store, "redshift", redshift.config(staging=staging)).run(DAY)

    def test_a_bucket_that_is_not_there(self, redshift: Redshift, tmp_path: Path, log_store: Path) -> None:
        """The store's own word."""
        staging = {"bucket": "no-such-bucket", "iam_role": "default"}
        with pytest.raises(DestinationError, match="NoSuchBucket"):
            export(tmp_path, log_store, "redshift", redshift.config(staging=staging)).run(DAY)

    @pytest.mark.parametrize("action", ["PutObject", "DeleteObject"])
    def test_a_request_to_the_staging_bucket_that_is_refused(
        self, redshift: Redshift, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch, action: str
    ) -> None:
        """For good, with the rights that are needed: nothing stays there in silence."""
        actions = {"s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"}
        with identity(redshift.buckets.server, sorted(actions - {f"s3:{action}"})) as (key_id, secret):
            redshift.proxy.lake = Lake(redshift.buckets.url, {ROLE: (key_id, secret)})
            told = json.loads(redshift.connections()["AIRFLOW_CONN_REDSHIFT_TEST_AWS"])
            monkeypatch.setenv(
                "AIRFLOW_CONN_REDSHIFT_TEST_AWS", json.dumps({**told, "login": key_id, "password": secret})
            )
            told_of = rf"{action[:3].lower()}\w* s3://.*AccessDenied.* Grant s3:PutObject"
            with pytest.raises(DestinationError, match=told_of) as raised:
                export(tmp_path, log_store, "redshift", redshift.config()).run(DAY)
        assert not isinstance(raised.value, DestinationUnavailableError)

    def test_a_statement_that_is_cancelled_passes(self, redshift: Redshift, tmp_path: Path, log_store: Path) -> None:
        """By an administrator, or by a queue's rule; it is worth another try."""
        one = export(tmp_path, log_store, "redshift", redshift.config())
        one.run(DAY)
        redshift.sql(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
            "CREATE TRIGGER dawdle BEFORE INSERT ON request_logs FOR EACH ROW EXECUTE FUNCTION dawdle()"
        )
        cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        ended = threading.Event()

        def administer() -> None:
            while not redshift.sql(cancel) and not ended.wait(0.2):
                pass

        thread = threading.Thread(target=administer)
        thread.start()
        try:
            with pytest.raises(DestinationUnavailableError, match="Redshift cancelled the statement"):
                one.run(DAY)
        finally:
            ended.set()
            thread.join()
        redshift.sql("DROP TRIGGER dawdle ON request_logs")
        assert one.run(DAY)["revision"] == 2

    @pytest.mark.parametrize(
        ("table", "mode"),
        [
            ("bifrost_export_loads", "SHARE"),
            ("bifrost_export_loads", "ACCESS EXCLUSIVE"),
            ("request_logs", "SHARE"),
            ("bifrost_export_rejected", "SHARE"),
        ],
    )
    def test_a_table_that_somebody_else_holds(
        self,
        redshift: Redshift,
        tmp_path: Path,
        log_store: Path,
        monkeypatch: pytest.MonkeyPatch,
        table: str,
        mode: str,
    ) -> None:
        """The run gives up after a while, says which table and how to find who it is, and is worth another try."""
        monkeypatch.setattr(redshift_engine, "LOCK_SECONDS", 1)
        one = export(tmp_path, log_store, "redshift", redshift.config())
        one.run(DAY)
        import redshift_connector

        with redshift_connector.connect(
            host="127.0.0.1",
            port=redshift.proxy.port,
            user=redshift.postgres.user,
            password=redshift.postgres.password,
            database=redshift.database,
            ssl=False,
        ) as other:
            other.cursor().execute(f"LOCK TABLE {table} IN {mode} MODE")
            told = rf"somebody else holds the table public\.{table} for longer.*svv_transactions.*pg_terminate_backend"
            with pytest.raises(DestinationUnavailableError, match=told):
                one.run(DAY)
            other.rollback()
        assert one.run(DAY)["revision"] == 2


@pytest.mark.long
class TestSnowflake:
    """fakesnow's refusals, and those that it is told to make."""

    def test_a_wrong_password(
        self, snowflake: Snowflake, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is refused for good."""
        for name, value in snowflake.connections(password="wrong-password").items():
            monkeypatch.setenv(name, value)
        with pytest.raises(CredentialsRefusedError, match="refused user, password or key") as raised:
            export(tmp_path, log_store, "snowflake", snowflake.config()).run(DAY)
        assert "wrong-password" not in str(raised.value)

    def test_a_missing_schema(self, snowflake: Snowflake, tmp_path: Path, log_store: Path) -> None:
        """Before any data moves."""
        with pytest.raises(DestinationError, match="NOWHERE"):
            export(tmp_path, log_store, "snowflake", snowflake.config(schema="nowhere")).run(DAY)

    @pytest.mark.parametrize("what", ["CREATE TABLE", "^PUT"], ids=["a table", "a file"])
    def test_a_missing_right(self, snowflake: Snowflake, tmp_path: Path, log_store: Path, what: str) -> None:
        """The way to the GRANTs is told."""
        snowflake.server.tell(users={USER: {"password": PASSWORD, "may_not": what}})
        with pytest.raises(DestinationError, match=r"Insufficient privileges.*3001.*--iam"):
            export(tmp_path, log_store, "snowflake", snowflake.config()).run(DAY)

    def test_a_missing_database(self, snowflake: Snowflake, tmp_path: Path, log_store: Path) -> None:
        """Before any data moves."""
        with pytest.raises(DestinationError, match="NOWHERE") as raised:
            export(tmp_path, log_store, "snowflake", snowflake.config(database="nowhere")).run(DAY)
        assert not isinstance(raised.value, DestinationUnavailableError)

    def test_a_statement_that_is_cancelled_passes(self, snowflake: Snowflake, tmp_path: Path, log_store: Path) -> None:
        """It is worth another try."""
        snowflake.server.tell(faults=[{"statement": "^COPY", "number": 604, "text": "SQL execution canceled"}])
        one = export(tmp_path, log_store, "snowflake", snowflake.config())
        with pytest.raises(DestinationUnavailableError, match="was cancelled in Snowflake"):
            one.run(DAY)
        assert one.run(DAY)["revision"] == 1

    @pytest.mark.parametrize("table", ["BIFROST_EXPORT_LOADS", "REQUEST_LOGS", "BIFROST_EXPORT_REJECTED"])
    def test_a_table_that_somebody_else_holds(
        self, snowflake: Snowflake, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch, table: str
    ) -> None:
        """The run gives up after a while, says which table and how to find who it is, and is worth another try."""
        monkeypatch.setattr(snowflake_connection, "LOCK_SECONDS", 1)
        one = export(tmp_path, log_store, "snowflake", snowflake.config())
        one.run(DAY)
        config = SnowflakeConfig(**snowflake.config())
        with closing(snowflake_connection.connect(config, "somebody else")) as other:
            other.cursor().execute("BEGIN")
            other.cursor().execute(f'DELETE FROM "{snowflake.database}"."PUBLIC"."{table}" WHERE 1 = 0')
            told = rf"somebody else holds the table {table} for longer.*SHOW LOCKS.*SYSTEM\$ABORT_TRANSACTION"
            with pytest.raises(DestinationUnavailableError, match=told):
                one.run(DAY)
            other.cursor().execute("ROLLBACK")
        assert one.run(DAY)["revision"] == 2


class TestBigQuery:
    """The service's refusals."""

    def test_a_key_that_google_does_not_know(
        self, bigquery: BigQuery, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is refused for good."""
        bigquery.account.is_disabled = True
        with pytest.raises(CredentialsRefusedError, match="Google's sign-in refused"):
            export(tmp_path, log_store, "bigquery", bigquery.config()).run(DAY)

    def test_a_missing_dataset(self, bigquery: BigQuery, tmp_path: Path, log_store: Path) -> None:
        """It is named."""
        with pytest.raises(DestinationError, match="Not found: Dataset bifrost-test:nowhere"):
            export(tmp_path, log_store, "bigquery", bigquery.config(dataset="nowhere")).run(DAY)

    @pytest.mark.parametrize("table", ["bifrost_export_loads", "request_logs", "bifrost_export_rejected"])
    def test_a_table_that_somebody_else_changes(
        self, bigquery: BigQuery, tmp_path: Path, log_store: Path, table: str
    ) -> None:
        """The run's transaction is cancelled each time; it gives up after some, and is worth another try."""
        one = export(tmp_path, log_store, "bigquery", bigquery.config())
        one.run(DAY)
        held = {(PROJECT, bigquery.dataset, table): object()}
        bigquery.api.service.queries.mutating.update(held)
        told = rf"nothing was published, after 2 tries; .*cancelled the transaction.* changed the table \S+\.{table}\. "
        try:
            with pytest.raises(DestinationUnavailableError, match=told) as raised:
                one.run(DAY)
        finally:
            for key in held:
                del bigquery.api.service.queries.mutating[key]
        assert "BQ.ABORT_SESSION" in str(raised.value)
        assert one.run(DAY)["revision"] == 2

    def test_a_load_job_that_is_cancelled_passes_and_the_next_one_has_the_next_number(
        self, bigquery: BigQuery, tmp_path: Path, log_store: Path
    ) -> None:
        """It is worth another try."""
        bigquery.api.service.faults.append(Fault("_load_", "stopped", "Job execution was cancelled: User requested"))
        one = export(tmp_path, log_store, "bigquery", bigquery.config())
        with pytest.raises(DestinationUnavailableError, match="the job was cancelled"):
            one.run(DAY)
        assert one.run(DAY)["revision"] == 1

    def test_a_transaction_that_is_cancelled_for_another_is_tried_again_by_the_run_itself(
        self, bigquery: BigQuery, tmp_path: Path, log_store: Path
    ) -> None:
        """By a job with the next number."""
        told = "Transaction is aborted due to concurrent update against table x. Transaction ID: 1"
        bigquery.api.service.faults.append(Fault("_publish_", "invalidQuery", told))
        found = export(tmp_path, log_store, "bigquery", bigquery.config()).run(DAY)
        assert found["revision"] == 1
        assert [job[-2:] for job in bigquery.api.service.jobs if "_publish_" in job][-2:] == ["_0", "_1"]
