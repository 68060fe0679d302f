"""What a document may say of a warehouse, and what is said of what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bifrost_export.destinations.snowflake.config import account_of
from tests.unit.config.documents import document, export, loaded

SNOWFLAKE = {
    "account": "your-account.snowflakecomputing.com",
    "database": "BIFROST_LOGS",
    "schema": "PUBLIC",
    "table": "request_logs",
    "warehouse": "COMPUTE_WH",
    "credentials": {"username": "${SNOWFLAKE_USERNAME}", "password": "${SNOWFLAKE_PASSWORD}"},
}
REDSHIFT = {
    "cluster": "bifrost-cluster",
    "database": "bifrost_logs",
    "schema": "public",
    "table": "request_logs",
    "region": "us-west-2",
    "credentials": {"username": "${REDSHIFT_USERNAME}", "password": "${REDSHIFT_PASSWORD}"},
}
BIGQUERY = {
    "project_id": "your-project-id",
    "dataset": "bifrost_logs",
    "table": "request_logs",
    "credentials": {"service_account_key": "${GCP_SERVICE_ACCOUNT_KEY}"},
}
PUBLISHED = {"snowflake": SNOWFLAKE, "redshift": REDSHIFT, "bigquery": BIGQUERY}


def problems(folder: Path, kind: str, config: dict[str, Any]) -> list[str]:
    """What is said of an export to a warehouse, warnings left out."""
    told = {name: value for name, value in config.items() if value is not None}
    found = loaded(folder, document(export(destination={"type": kind, "config": told})))
    return [f"{each.pointer.rpartition('/config')[2]}: {each.message}" for each in found.errors]


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_published_block_is_taken_as_written(kind: str, tmp_path: Path) -> None:
    """In the long form; the short form is the same."""
    assert problems(tmp_path, kind, PUBLISHED[kind]) == []


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("snowflake", {"tabel": "x"}, "unknown key"),
        ("snowflake", {"credentials": {"username": "u"}}, "username alone signs nobody in"),
        ("snowflake", {"credentials": None}, "nothing says who signs in"),
        ("snowflake", {"conn_id": "sf"}, "exclude each other"),
        ("snowflake", {"account": "https://x"}, "is not a valid account"),
        ("snowflake", {"table": "other.request_logs"}, "is no name that a warehouse takes"),
        ("snowflake", {"database": 'a"; DROP TABLE x; --'}, "is no name that a warehouse takes"),
        ("redshift", {"host": "h"}, "cluster and host name the endpoint twice"),
        ("redshift", {"cluster": None}, "nothing says where Redshift is"),
        ("redshift", {"port": 5439}, "port goes with host"),
        ("redshift", {"credentials": None, "iam": True}, "iam needs db_user"),
        ("redshift", {"credentials": None}, "nothing says who signs in"),
        ("redshift", {"staging": {"prefix": "../x", "bucket": "b"}}, "could leave its own folder"),
        ("bigquery", {"project_id": "No Project"}, "is no name that BigQuery takes"),
        ("bigquery", {"dataset": "a-b"}, "is no name that BigQuery takes"),
        ("bigquery", {"conn_id": "gcp"}, "exclude each other"),
        ("bigquery", {"table": None}, "table"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(kind: str, changes: dict[str, Any], expected: str, tmp_path: Path) -> None:
    """In one sentence."""
    found = problems(tmp_path, kind, {**PUBLISHED[kind], **changes})
    assert [expected in each for each in found] == [True], found


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("org-name", {"account": "org-name"}),
        ("org-name.snowflakecomputing.com", {"account": "org-name"}),
        ("xy12345.eu-central-1.SnowflakeComputing.com", {"account": "xy12345.eu-central-1"}),
        ("xy1.privatelink.snowflakecomputing.com", {"account": "xy1.privatelink"}),
        ("xy1.cn.snowflakecomputing.cn", {"account": "xy1", "host": "xy1.cn.snowflakecomputing.cn"}),
        ("gateway.corp:8443", {"account": "gateway", "host": "gateway.corp", "port": 8443}),
    ],
)
def test_an_account_may_stand_with_its_domain_or_without(account: str, expected: dict[str, Any]) -> None:
    """Another host, or a port, is taken as it is."""
    assert account_of(account) == expected
