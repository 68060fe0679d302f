"""What an export to S3 says about its objects, and the rights that it needs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from demo.servers.s3_server import REGION
from tests.integration.commands import Desk, bucket_of
from tests.integration.test_check import failed
from tests.servers.buckets import Buckets
from tests.servers.identities import policed

DAY = ("2026-03-01", "2026-03-02")
WINDOW = "20260301T000000Z_20260302T000000Z"
KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_what_is_said_about_a_part_stands_beside_it(desk: Desk, buckets: Buckets) -> None:
    """Media type, export, window, rows, storage class, key and tags; on the manifest no storage class."""
    tags = {"team": "data platform", "cost": "a+b"}
    desk.destination = bucket_of(buckets, storage_class="STANDARD_IA", kms_key_id=KEY, tags=tags)

    published = desk.run(*DAY)

    where = {"Bucket": desk.destination["config"]["bucket"]}
    (part,) = published["datasets"]["request_logs"]["parts"]
    found = buckets.client.head_object(**where, Key=part["key"])
    assert found["ContentType"] == "application/vnd.apache.parquet"
    assert found["Metadata"] == {"export": "nightly", "window": WINDOW, "rows": str(part["rows"])}
    assert (found["StorageClass"], found["SSEKMSKeyId"]) == ("STANDARD_IA", KEY)
    stored = buckets.client.get_object_tagging(**where, Key=part["key"])["TagSet"]
    assert {each["Key"]: each["Value"] for each in stored} == tags
    manifest = buckets.client.head_object(**where, Key=f"logs/_manifests/nightly/{WINDOW}.json")
    assert (manifest["ContentType"], manifest.get("StorageClass")) == ("application/json", None)
    assert manifest["SSEKMSKeyId"] == KEY


def test_a_role_is_assumed_with_the_credentials(desk: Desk, buckets: Buckets) -> None:
    """The session's keys do the rest."""
    server = buckets.server
    keys = {"aws_access_key_id": server.access_key_id, "aws_secret_access_key": server.secret_access_key}
    iam: Any = boto3.client("iam", endpoint_url=buckets.url, region_name=REGION, **keys)
    role = iam.create_role(RoleName="exporter", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17"}))
    desk.destination = bucket_of(buckets)
    desk.destination["config"]["credentials"]["role_arn"] = role["Role"]["Arn"]
    try:
        code, found = desk.told("check")
        assert (code, failed(found)) == (0, [])
        (rights,) = [each["iam"] for each in desk.told("plan", "--iam", "--count", "1")[1]["exports"]]
        assert rights["policy_to_assume_it"]["Statement"][0]["Resource"] == [role["Role"]["Arn"]]
    finally:
        iam.delete_role(RoleName="exporter")


def test_the_policy_that_plan_tells_is_enough_and_none_of_it_is_too_much(
    desk: Desk, buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check and run pass with it; without any one of the rights to files and lists, check says what is missing."""
    desk.destination = bucket_of(buckets, prefix="logs/{year}/{export}/{day}/")
    (rights,) = [each["iam"] for each in desk.told("plan", "--iam", "--count", "1")[1]["exports"]]
    bucket = desk.destination["config"]["bucket"]
    assert rights["policy"]["Statement"][0]["Resource"] == [
        f"arn:aws:s3:::{bucket}/logs/*/nightly/*/request_logs/nightly__request_logs__*",
        f"arn:aws:s3:::{bucket}/logs/_rejected/nightly/*",
        f"arn:aws:s3:::{bucket}/logs/_manifests/nightly/*",
    ]
    with policed(buckets.server, rights["policy"]) as (key_id, secret):
        monkeypatch.setenv("TEST_KEY_ID", key_id)
        monkeypatch.setenv("TEST_SECRET", secret)
        assert desk.told("check")[0] == 0
        assert not desk.run(*DAY)["unchanged"]
        assert desk.run(*DAY)["unchanged"]
    for right in ("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"):
        lesser = json.loads(json.dumps(rights["policy"]))
        for statement in lesser["Statement"]:
            statement["Action"] = [each for each in statement["Action"] if each != right]
        with policed(buckets.server, lesser) as (key_id, secret):
            monkeypatch.setenv("TEST_KEY_ID", key_id)
            monkeypatch.setenv("TEST_SECRET", secret)
            code, found = desk.told("check")
        assert code == 1
        assert any(right in str(each["hint"]) for each in found["checks"] if not each["ok"]), right


def test_people_see_the_policy(desk: Desk, buckets: Buckets) -> None:
    """Whole, to copy."""
    desk.destination = bucket_of(buckets)

    code, shown, _ = desk.shown("plan", "--iam", "--count", "1")

    assert code == 0
    _, _, rest = shown.partition("What the destination's identity needs\n")
    assert json.JSONDecoder().raw_decode(rest)[0]["policy"]["Version"] == "2012-10-17"


def test_a_prefix_of_days_is_read_as_a_partitioned_table(desk: Desk) -> None:
    """As the documentation shows it for DuckDB."""
    desk.destination = {"type": "local", "config": {"path": "out", "prefix": "dt={year}-{month}-{day}/"}}
    rows = [desk.run(*days)["datasets"]["request_logs"]["exported"] for days in (DAY, ("2026-03-02", "2026-03-03"))]
    page = Path(__file__).parents[2].joinpath("docs", "reading.md").read_text("utf-8")
    shown = "FROM read_parquet('dt=*/request_logs/nightly__*.parquet', hive_partitioning = true)"
    assert shown in page

    with duckdb.connect() as connection:
        table = shown.replace("dt=", f"{desk.out}/dt=")
        found = connection.sql(f"SELECT dt::VARCHAR, count(*) {table} GROUP BY dt ORDER BY dt").fetchall()

    assert found == [("2026-03-01", rows[0]), ("2026-03-02", rows[1])]


def test_an_archive_that_is_to_be_read_again_is_refused(desk: Desk, buckets: Buckets) -> None:
    """Before any data moves."""
    desk.destination = bucket_of(buckets, storage_class="GLACIER", verify="full")

    code, found = desk.told("validate")

    assert code == 2
    assert any("verify: full can't read" in each["message"] for each in found["problems"])
