"""The rights that `plan --iam` tells for a warehouse: all together are enough, and each that is missing is named.

Snowflake's stand-in knows no GRANTs, so that its statements are tried nowhere.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.destinations.bigquery.destination import PERMISSIONS
from bifrost_export.errors import DestinationError, DestinationUnavailableError
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.servers.bigquery.server import BigQuery
from tests.servers.identities import policed
from tests.servers.redshift.copying import Lake
from tests.servers.redshift.server import ROLE, Redshift

DAY = Window.parse("2026-03-01", "2026-03-02")
Least = Callable[[Export, str, str], None]
"""Lets a user run an export by what `plan --iam` tells, also of one table of somebody else, but for one word of it."""


def export(folder: Path, log_store: Path, kind: str, config: dict[str, Any]) -> Export:
    """An export of the sample log store."""
    return Export(folder, log_store, destination={"type": kind, "config": config})


def rights(one: Export) -> dict[str, Any]:
    """What `plan --iam` tells."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert execute(["plan", str(one.document()), "--iam", "--count", "1", "--format", "json"]) == 0
    (found,) = [each["iam"] for each in json.loads(printed.getvalue())["exports"]]
    return dict(found)


class TestRedshift:
    """PostgreSQL's own rights."""

    @pytest.fixture
    def least(self, redshift: Redshift, monkeypatch: pytest.MonkeyPatch) -> Iterator[Least]:
        """Lets a user without any other right run an export by what `plan --iam` tells, but for one word of it."""
        redshift.sql(
            "CREATE USER least PASSWORD 'least-password'; REVOKE ALL ON SCHEMA public FROM PUBLIC;"
            f" REVOKE TEMPORARY ON DATABASE {redshift.database} FROM PUBLIC; GRANT USAGE ON SCHEMA public TO least"
        )  # in the real one's public schema stands nothing of the service's own

        def grant(one: Export, also: str, without: str) -> None:
            for statement in rights(one)["statements"]:
                if "only where" not in statement or f'"{also}"' in statement:
                    told = statement.replace('"<user>"', "least")
                    told = re.sub(rf"GRANT {without} ON .*|\b{without}, |, {without}\b", "", told) if without else told
                    redshift.sql(told)
            for name, value in redshift.connections("least", "least-password").items():
                monkeypatch.setenv(name, value)

        yield grant
        redshift.sql("DROP OWNED BY least; DROP USER least")

    @staticmethod
    def in_own_schema(redshift: Redshift, folder: Path, log_store: Path) -> Export:
        """An export into a schema that an administrator has yet to make."""
        return export(folder, log_store, "redshift", redshift.config(schema="logs"))

    def test_what_plan_iam_tells_is_enough(
        self, redshift: Redshift, tmp_path: Path, log_store: Path, least: Least
    ) -> None:
        """Run by an administrator as it is told: for a check, a first run, and a rerun."""
        one = self.in_own_schema(redshift, tmp_path, log_store)
        least(one, "", "")
        assert execute(["check", str(one.document())]) == 0
        assert [one.run(DAY)["revision"] for _ in range(2)] == [1, 2]

    def test_the_policy_that_it_tells_is_enough_for_the_staging_bucket(
        self, redshift: Redshift, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For who puts and takes away, and with it for COPY, whose own is a part of it."""
        one = export(tmp_path, log_store, "redshift", redshift.config())
        told = rights(one)
        assert {each["Sid"] for each in told["policy_of_iam_role"]["Statement"]} == {"Files", "Lists"}
        with policed(redshift.buckets.server, told["policy"]) as (key_id, secret):
            connection = json.loads(redshift.connections()["AIRFLOW_CONN_REDSHIFT_TEST_AWS"])
            signed = {**connection, "login": key_id, "password": secret}
            monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_TEST_AWS", json.dumps(signed))
            redshift.proxy.lake = Lake(redshift.buckets.url, {ROLE: (key_id, secret)})
            assert execute(["check", str(one.document())]) == 0
            assert [one.run(DAY)["revision"] for _ in range(2)] == [1, 2]
        assert redshift.staged() == []

    @pytest.mark.long
    @pytest.mark.parametrize(
        ("right", "expected"),
        [
            ("TEMPORARY", r"CREATE TEMP TABLE .*: permission denied to create temporary tables in database"),
            ("USAGE", r"the user lacks USAGE on the schema logs in \S+\. .*--iam"),
            ("CREATE", r"CREATE TABLE .*: permission denied for schema logs \(42501\)\. .*--iam"),
        ],
    )
    def test_each_of_them_is_needed_and_named_where_it_is_missing(
        self,
        redshift: Redshift,
        tmp_path: Path,
        log_store: Path,
        least: Least,
        right: str,
        expected: str,
    ) -> None:
        """For good, and without a row."""
        one = self.in_own_schema(redshift, tmp_path, log_store)
        least(one, "", right)
        with pytest.raises(DestinationError, match=expected) as raised:
            one.run(DAY)
        assert not isinstance(raised.value, DestinationUnavailableError)

    @pytest.mark.long
    @pytest.mark.parametrize("right", ["", "SELECT", "INSERT", "DELETE"])
    def test_the_rights_on_a_table_of_somebody_else(
        self,
        redshift: Redshift,
        tmp_path: Path,
        log_store: Path,
        least: Least,
        right: str,
    ) -> None:
        """They are enough, and each is needed."""
        one = self.in_own_schema(redshift, tmp_path, log_store)
        redshift.sql("CREATE SCHEMA logs")
        one.run(DAY)
        redshift.sql("DROP TABLE logs.bifrost_export_loads, logs.bifrost_export_rejected")
        least(one, "request_logs", right)
        if not right:
            assert one.run(DAY)["revision"] == 1
            return
        with pytest.raises(DestinationError, match=r"permission denied for table request_logs \(42501\)\. .*--iam"):
            one.run(DAY)


class TestBigQuery:
    """The stand-in demands the permissions that BigQuery's manual names for each request."""

    def may(self, bigquery: BigQuery, permissions: Iterable[str]) -> None:
        """Let the account do this and nothing else."""
        less = replace(bigquery.account, permissions=frozenset(permissions))
        bigquery.auth.accounts[less.email] = less

    def test_what_plan_iam_tells_is_enough(self, bigquery: BigQuery, tmp_path: Path, log_store: Path) -> None:
        """For a check, a first run, a rerun, and what takes staged tables away."""
        one = export(tmp_path, log_store, "bigquery", bigquery.config())
        self.may(bigquery, rights(one)["permissions"])
        assert execute(["check", str(one.document())]) == 0
        assert [one.run(DAY)["revision"] for _ in range(2)] == [1, 2]
        assert bigquery.staged() == []

    @pytest.mark.long
    @pytest.mark.parametrize("permission", PERMISSIONS)
    def test_each_of_them_is_needed_and_named_where_it_is_missing(
        self, bigquery: BigQuery, tmp_path: Path, log_store: Path, permission: str
    ) -> None:
        """With the way to the roles."""
        self.may(bigquery, set(PERMISSIONS) - {permission})
        told = rf"refused it \(accessDenied\): the account lacks {re.escape(permission)}\. .*--iam"
        with pytest.raises(DestinationError, match=told) as raised:
            export(tmp_path, log_store, "bigquery", bigquery.config()).run(DAY)
        assert not isinstance(raised.value, DestinationUnavailableError)
