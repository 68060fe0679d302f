"""A fault of a staging area is reported with the keys that the user wrote, not with those of a destination."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bifrost_export import connections
from bifrost_export.destinations.key_names import REDSHIFT, STAGING, rename
from bifrost_export.destinations.object_store.port import PutOptions
from bifrost_export.destinations.redshift.bucket import StagingBucket
from bifrost_export.destinations.redshift.config import RedshiftConfig
from bifrost_export.destinations.redshift.destination import RedshiftDestination
from bifrost_export.errors import ConfigError, DestinationError
from bifrost_export.pipeline.staging import Staging
from bifrost_export.testing.object_store_runs import DAY, target_of
from bifrost_export.testing.warehouse_runs import columns
from tests.servers.buckets import Buckets
from tests.servers.redshift.server import Redshift


@pytest.mark.parametrize(
    ("hint", "of_staging", "of_redshift"),
    [
        (
            "Create the bucket, or fix destination.config.bucket and region.",
            "Create the bucket, or fix log_exports.staging.url and log_exports.staging.conn_id.",
            "Create the bucket, or fix destination.config.staging.bucket and destination.config.region.",
        ),
        (
            "Set destination.config.sse to AES256 or aws:kms.",
            "Set log_exports.staging.sse to AES256 or aws:kms.",
            "Set destination.config.staging.sse to AES256 or aws:kms.",
        ),
        (
            "Fix destination.config.account_name, container or endpoint_url.",
            "Fix log_exports.staging.url and log_exports.staging.conn_id.",
            "Fix destination.config.aws_conn_id.",
        ),
        ("Fix destination.config.", "Fix log_exports.staging.conn_id.", "Fix destination.config.aws_conn_id."),
    ],
)
def test_each_key_of_a_destination_has_its_counterpart(hint: str, of_staging: str, of_redshift: str) -> None:
    """Keys that staging lacks come by its connection."""
    assert rename(hint, STAGING) == of_staging
    assert rename(hint, REDSHIFT) == of_redshift


def _staging(buckets: Buckets, bucket: str, monkeypatch: pytest.MonkeyPatch, conn_type: str = "aws") -> Staging:
    extra = {"endpoint_url": buckets.url, "region_name": "us-west-2"}
    made = connections.make(conn_type, login="testing-key", password="testing-secret", **extra)
    # The registry of connections alone stands in: the bucket is a real server's.
    monkeypatch.setattr(connections, "find", lambda _: made)
    return Staging(f"s3://{bucket}/staging", "stage", "nightly/window__00000000", "host", {}, shared=False)


def test_a_missing_bucket_names_the_url(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of `log_exports.staging`."""
    with pytest.raises(DestinationError) as raised:
        _staging(buckets, "no-such-bucket-here", monkeypatch).create({})
    assert "log_exports.staging.url" in str(raised.value.hint)
    assert "destination.config" not in str(raised.value)


def test_a_connection_of_another_type_is_named_by_its_key(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """`log_exports.staging.conn_id`."""
    with pytest.raises(ConfigError) as raised:
        _staging(buckets, "logs", monkeypatch, "mysql").create({})
    assert "log_exports.staging.conn_id names the Airflow connection" in str(raised.value)


def test_redshifts_staging_bucket_is_named_by_its_own_keys(redshift: Redshift) -> None:
    """`destination.config.staging`."""
    config = redshift.config()
    config["staging"] = {**config["staging"], "bucket": "no-such-bucket-here"}
    destination = RedshiftDestination(
        RedshiftConfig(**config), replace(target_of(DAY, "0" * 8), columns={"request_logs": columns()})
    )
    store = StagingBucket(destination.config, destination.names).store
    with pytest.raises(DestinationError) as raised:
        store.put("key", b"data", PutOptions("text/plain"))
    assert "fix destination.config.staging.bucket and destination.config.region" in str(raised.value.hint)
