"""What is sent to a warehouse: quoted names, bound values, and rights in words."""

from __future__ import annotations

from typing import Any

import pytest

from bifrost_export.destinations.bigquery.config import BigQueryConfig
from bifrost_export.destinations.bigquery.destination import BigQueryDestination
from bifrost_export.destinations.bigquery.scripts import script
from bifrost_export.destinations.port import Target
from bifrost_export.destinations.redshift.config import RedshiftConfig
from bifrost_export.destinations.redshift.destination import RedshiftDestination
from bifrost_export.destinations.snowflake.config import SnowflakeConfig
from bifrost_export.destinations.snowflake.destination import SnowflakeDestination
from bifrost_export.destinations.warehouse.statements import Check, Do, Statement, text, whole
from bifrost_export.errors import ConfigError
from bifrost_export.testing.warehouse_runs import Column, columns
from bifrost_export.window import Window

DAY = Window.parse("2026-03-01", "2026-03-02")


def target(*datasets: str, more: tuple[Column, ...] = ()) -> Target:
    """A run of some datasets."""
    found = {dataset: (*columns(), *more) for dataset in datasets}
    return Target("nightly", DAY, "0a0b0c0d", "UTC", datasets, ".parquet", "", found)


def snowflake(run: Target, **changes: Any) -> SnowflakeDestination:
    """Snowflake, without a connection."""
    return SnowflakeDestination(SnowflakeConfig(conn_id="sf", database="db", table="logs", **changes), run)


def test_one_dataset_goes_to_the_table_and_of_several_each_to_its_own() -> None:
    """But for request_logs, which goes to the table itself."""
    assert snowflake(target("metrics")).targets()[:-1] == ["DB.PUBLIC.LOGS"]
    assert snowflake(target("request_logs", "metrics")).targets()[:-1] == ["DB.PUBLIC.LOGS", "DB.PUBLIC.LOGS_METRICS"]


def test_a_dataset_may_stand_anywhere_in_the_table() -> None:
    """By its placeholder."""
    config = SnowflakeConfig(conn_id="sf", database="db", table="b_{dataset}")
    found = SnowflakeDestination(config, target("request_logs", "metrics")).targets()
    assert found[:-1] == ["DB.PUBLIC.B_REQUEST_LOGS", "DB.PUBLIC.B_METRICS"]


@pytest.mark.parametrize("name", ["_loaded_at", "Provider"])
def test_a_column_that_a_table_can_not_hold_is_refused(name: str) -> None:
    """One of ours, or one that differs in case alone."""
    with pytest.raises(ConfigError, match="can't stand in a table"):
        snowflake(target("request_logs", more=(Column(name, "string", False),)))


def test_plain_words_are_folded_as_snowflake_folds_them_and_others_are_not() -> None:
    """Always quoted."""
    dialect = snowflake(target("request_logs")).dialect
    assert dialect.table("logs") == '"DB"."PUBLIC"."LOGS"'
    assert dialect.quote("my logs") == '"my logs"'


def test_values_are_bound_and_never_written_into_a_statement() -> None:
    """Each place by its own name."""
    where = Do(Statement("DELETE FROM t WHERE a = :a", {"a": text("it's; DROP TABLE t")}))
    check = Check(Statement("(SELECT COUNT(*) FROM t) = :n", {"n": whole(3)}), "rows")
    sql, parameters = script([where, check])
    assert sql.splitlines() == [
        "BEGIN TRANSACTION;",
        "DELETE FROM t WHERE a = @s0_a;",
        "ASSERT (SELECT COUNT(*) FROM t) = @s1_n AS 'bifrost_export_check_rows';",
        "COMMIT TRANSACTION;",
    ]
    assert [(each.name, each.value) for each in parameters] == [("s0_a", "it's; DROP TABLE t"), ("s1_n", 3)]


def test_each_warehouse_names_the_rights_that_a_run_needs() -> None:
    """Without a connection, and without a secret."""
    run = target("request_logs")
    redshift = RedshiftConfig(host="h", database="db", table="logs", iam=True, db_user="exporter")
    bigquery = BigQueryConfig(project_id="a-project", dataset="ds", table="logs")
    told = {
        "snowflake": snowflake(run, role="loader").rights()["statements"],
        "redshift": RedshiftDestination(redshift, run).rights()["statements"],
        "bigquery": BigQueryDestination(bigquery, run).rights()["statements"],
    }
    assert 'GRANT USAGE, CREATE TABLE, CREATE STAGE ON SCHEMA "DB"."PUBLIC" TO ROLE "LOADER";' in told["snowflake"]
    assert 'GRANT USAGE, CREATE ON SCHEMA "public" TO "exporter";' in told["redshift"]
    assert told["bigquery"] == [
        'GRANT `roles/bigquery.dataEditor` ON SCHEMA `a-project`.`ds` TO "serviceAccount:<account>";'
    ]


@pytest.mark.parametrize(
    ("changes", "actions"),
    [
        ({"host": "h", "credentials": {"username": "u", "password": "p"}}, []),
        ({"cluster": "c", "credentials": {"username": "u", "password": "p"}}, ["redshift:DescribeClusters"]),
        (
            {"cluster": "c", "iam": True, "db_user": "exporter"},
            ["redshift:DescribeClusters", "redshift:GetClusterCredentials"],
        ),
        (
            {"workgroup": "w", "iam": True},
            ["redshift-serverless:GetWorkgroup", "redshift-serverless:GetCredentials"],
        ),
        (
            {"host": "h", "iam": True, "db_user": "exporter", "staging": {"bucket": "b", "prefix": "p"}},
            [
                "redshift:GetClusterCredentials",
                *("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListBucket"),
            ],
        ),
    ],
)
def test_redshift_names_the_actions_that_aws_itself_is_asked_for(changes: dict[str, Any], actions: list[str]) -> None:
    """And no other."""
    config = RedshiftConfig(database="db", table="logs", **changes)
    told = RedshiftDestination(config, target("request_logs")).rights()
    found = [action for each in told.get("policy", {"Statement": []})["Statement"] for action in each["Action"]]
    assert found == actions
