"""Names and addresses that can't be right are refused by validate, with how they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.cli.group import execute
from bifrost_export.destinations.bucket_names import check_container, check_gcs_bucket, check_s3_bucket
from bifrost_export.errors import ConfigError

KEYS = {"access_key_id": "${AWS_ACCESS_KEY_ID}", "secret_access_key": "${AWS_SECRET_ACCESS_KEY}"}
S3 = {"bucket": "lake", "region": "us-west-2"}
GCS = {"bucket": "lake"}
AZURE = {"container": "lake", "account_name": "acct", "account_key": "${KEY}"}
REDSHIFT = {"host": "h.redshift.amazonaws.com", "database": "d", "table": "t", "conn_id": "c"}

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("s3", {"bucket": "s3://b"}, "bucket", 'bucket: "b"'),
    ("s3", {"bucket": "s3://b/logs/2024"}, "bucket", 'bucket: "b", and prefix: "logs/2024/"'),
    ("s3", {"bucket": "s3a://b/"}, "bucket", 'bucket: "b"'),
    ("s3", {"bucket": "b/prefix"}, "bucket", 'bucket: "b", and prefix: "prefix/"'),
    ("s3", {"bucket": "b/"}, "bucket", 'bucket: "b"'),
    ("s3", {"bucket": "/b"}, "bucket", 'bucket: "b"'),
    ("s3", {"bucket": "https://b.s3.us-west-2.amazonaws.com/x"}, "bucket", 'bucket: "b", and prefix: "x/"'),
    ("s3", {"bucket": "https://s3.us-west-2.amazonaws.com/b/x"}, "bucket", 'bucket: "b", and prefix: "x/"'),
    ("s3", {"bucket": "b.s3.amazonaws.com"}, "bucket", 'bucket: "b"'),
    ("s3", {"bucket": "b.s3.cn-north-1.amazonaws.com.cn"}, "bucket", 'bucket: "b"'),
    ("s3", {"bucket": "arn:aws:s3:::b"}, "bucket", 'bucket: "b"'),
    ("s3", {"bucket": "arn:aws-cn:s3:::b/logs/*"}, "bucket", 'bucket: "b", and prefix: "logs/"'),
    ("s3", {"bucket": "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"}, "bucket", "one region"),
    ("s3", {"bucket": "mfzwi23gnjvgw.mrap"}, "bucket", "another bucket"),
    ("s3", {"bucket": "arn:aws:s3-outposts:us-west-2:123456789012:outpost/op-1/bucket/b"}, "bucket", "Fix bucket"),
    ("s3", {"bucket": "arn:aws:s3:us-west-2:12345:accesspoint/x"}, "bucket", "Fix bucket"),
    ("s3", {"bucket": "b--usw2-az1--x-s3"}, "bucket", "another bucket"),
    ("s3", {"bucket": "My-Bucket"}, "bucket", "did you mean 'my-bucket'"),
    ("s3", {"bucket": "my_bucket"}, "bucket", "Fix bucket"),
    ("s3", {"bucket": "a..b"}, "bucket", "Fix bucket"),
    ("s3", {"bucket": "192.168.0.1"}, "bucket", "Fix bucket"),
    ("s3", {"bucket": "-lake"}, "bucket", "Fix bucket"),
    ("s3", {"bucket": "lake\n"}, "bucket", "printf"),
    ("s3", {"bucket": " lake"}, "bucket", "printf"),
    ("s3", {"bucket": "lake?x"}, "bucket", "Fix bucket"),
    ("s3", {"region": "us-west-2\n"}, "region", "printf"),
    ("s3", {"endpoint_url": "https://store.example/lake"}, "endpoint_url", "'https://store.example'"),
    ("s3", {"endpoint_url": "https://store.example/lake/"}, "endpoint_url", "'https://store.example'"),
    ("s3", {"endpoint_url": "https://lake.s3.us-west-2.amazonaws.com"}, "endpoint_url", "'https://s3.us-west-2"),
    ("s3", {"endpoint_url": "https://lake.ams3.example.com"}, "endpoint_url", "'https://ams3.example.com'"),
    ("s3", {"endpoint_url": "store.example:9000"}, "endpoint_url", "https://"),
    ("s3", {"endpoint_url": "s3://store.example"}, "endpoint_url", "https://"),
    ("s3", {"endpoint_url": "https://store.example?x=1"}, "endpoint_url", "'https://store.example'"),
    ("s3", {"endpoint_url": "https://store.example\n"}, "endpoint_url", "printf"),
    ("s3", {"sse": "AES256", "kms_key_id": "1234"}, "sse", ""),
    ("gcs", {"bucket": "gs://b"}, "bucket", 'bucket: "b"'),
    ("gcs", {"bucket": "gs://b/logs"}, "bucket", 'bucket: "b", and prefix: "logs/"'),
    ("gcs", {"bucket": "https://storage.googleapis.com/b/logs"}, "bucket", 'bucket: "b", and prefix: "logs/"'),
    ("gcs", {"bucket": "https://storage.cloud.google.com/b"}, "bucket", 'bucket: "b"'),
    ("gcs", {"bucket": "projects/_/buckets/b"}, "bucket", 'bucket: "b"'),
    ("gcs", {"bucket": "b/x"}, "bucket", 'bucket: "b", and prefix: "x/"'),
    ("gcs", {"bucket": "Lake"}, "bucket", "did you mean 'lake'"),
    ("gcs", {"bucket": "a..b"}, "bucket", "Fix bucket"),
    ("gcs", {"bucket": "lake "}, "bucket", "printf"),
    (
        "azure_blob",
        {"container": "https://acct.blob.core.windows.net/c/x"},
        "container",
        'container: "c", and prefix: "x/"',
    ),
    (
        "azure_blob",
        {"container": "abfss://c@acct.dfs.core.windows.net/x"},
        "container",
        'container: "c", and prefix: "x/"',
    ),
    ("azure_blob", {"container": "az://c"}, "container", 'container: "c"'),
    ("azure_blob", {"container": "c/x/y"}, "container", 'container: "c", and prefix: "x/y/"'),
    ("azure_blob", {"container": "Logs"}, "container", "did you mean 'logs'"),
    ("azure_blob", {"container": "my_logs"}, "container", "Fix container"),
    ("azure_blob", {"container": "my.logs"}, "container", "Fix container"),
    ("azure_blob", {"container": "a--b"}, "container", "Fix container"),
    ("azure_blob", {"container": "logs\r\n"}, "container", "printf"),
    ("azure_blob", {"endpoint_url": "https://acct.blob.core.windows.net/lake"}, "endpoint_url", "windows.net'"),
    ("azure_blob", {"endpoint_url": "https://acct.dfs.core.windows.net"}, "endpoint_url", "acct.blob.core"),
    ("redshift", {"staging": {"bucket": "s3://b/x"}}, "bucket", 'bucket: "b", and prefix: "x/"'),
    ("redshift", {"staging": {"bucket": "arn:aws:s3:us-west-2:123456789012:accesspoint/x"}}, "bucket", ""),
]
BASES = {"s3": S3, "gcs": GCS, "azure_blob": AZURE, "redshift": REDSHIFT}


def told(folder: Path, capsys: pytest.CaptureFixture[str], type_: str, config: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors that validate finds in a destination's config."""
    export = {"name": "n", "schedule": "daily", "destination": {"type": type_, "config": config}}
    source = {"type": "sqlite", "config": {"path": "logs.db"}}
    path = folder / "log_exports.json"
    path.write_text(json.dumps({"log_exports": {"source": source, "exports": [export]}}))
    execute(["validate", str(path), "--format", "json"])
    problems: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["problems"]
    return [each for each in problems if each["severity"] == "error"]


@pytest.mark.parametrize(("type_", "changes", "key", "hint"), WRONG, ids=[f"{w[0]}-{w[1]}"[:60] for w in WRONG])
def test_a_name_that_cant_be_right_is_refused_with_how_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], type_: str, changes: dict[str, Any], key: str, hint: str
) -> None:
    """By validate, which needs no network."""
    found = told(tmp_path, capsys, type_, {**BASES[type_], **changes})

    assert len(found) == 1
    assert key in found[0]["message"]
    assert hint in (found[0]["hint"] or "")


RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("s3", {"bucket": "my.dotted.bucket-1"}),
    ("s3", {"bucket": "b"}),
    ("s3", {"bucket": "arn:aws:s3:us-west-2:123456789012:accesspoint/exporter"}),
    ("s3", {"bucket": "arn:aws-us-gov:s3:us-gov-west-1:123456789012:accesspoint:exporter"}),
    ("s3", {"bucket": "exporter-abc-s3alias"}),
    ("s3", {"bucket": "Old_Bucket", "endpoint_url": "https://ceph.example", "credentials": KEYS}),
    ("s3", {"bucket": "Old_Bucket", "conn_id": "ceph"}),
    ("s3", {"bucket": "${BUCKET}", "endpoint_url": "https://store.example", "credentials": KEYS}),
    ("s3", {"bucket": "logs-${STAGE}", "endpoint_url": "${ENDPOINT}"}),
    ("s3", {"endpoint_url": "https://x.storage.example/storage/v1/s3", "credentials": KEYS}),
    ("s3", {"endpoint_url": "http://127.0.0.1:9000/"}),
    ("gcs", {"bucket": "my_dotted.bucket-1.example.com"}),
    ("gcs", {"bucket": "${BUCKET}"}),
    ("azure_blob", {"container": "$web"}),
    ("azure_blob", {"container": "a-b-c"}),
    ("azure_blob", {"endpoint_url": "http://127.0.0.1:10000/acct"}),
    ("redshift", {"staging": {"bucket": "lake", "kms_key_id": "${KMS_KEY_ID}"}}),
]


@pytest.mark.parametrize(("type_", "changes"), RIGHT, ids=[f"{r[0]}-{r[1]}"[:60] for r in RIGHT])
def test_a_name_that_may_be_right_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], type_: str, changes: dict[str, Any]
) -> None:
    """Other stores than Amazon's have rules of their own, and references are looked at when they are filled in."""
    assert told(tmp_path, capsys, type_, {**BASES[type_], **changes}) == []


@given(st.text(max_size=80))
def test_no_text_breaks_the_rules_in_another_way(text: str) -> None:
    """It passes, or it is refused in words."""
    for check in (check_s3_bucket, check_gcs_bucket, check_container):
        try:
            check(text)
        except ConfigError as error:
            assert error.allowed  # noqa: PT017 (what passes is fine too)
