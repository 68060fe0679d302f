"""A part whose bytes change and whose size stays is noticed: before the commit, and by `verify`; uploads that stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bifrost_export.destinations.local.destination import LocalConfig, LocalDestination
from bifrost_export.destinations.object_store import upload_stream
from bifrost_export.destinations.object_store.manifest import Manifest
from bifrost_export.destinations.object_store.port import PutOptions
from bifrost_export.destinations.port import Piece
from bifrost_export.errors import DestinationError, FormatError
from bifrost_export.pipeline.file_verification import Rereading
from bifrost_export.testing.object_store_runs import Place, Run
from tests.contract.places import azure_place, gcs_place, s3_place
from tests.servers.azure import BlobStorage
from tests.servers.buckets import Buckets
from tests.servers.gcs import CloudStorage
from tests.servers.identities import identity

BLOCK = 5 * 1024 * 1024
RIGHTS = ("s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject", "s3:ListBucketMultipartUploads")


@pytest.fixture(params=["local", "s3", "s3 without checksums", "gcs", "azure"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty bucket, container or folder."""
    kind = request.param
    if kind == "gcs":
        gcs: CloudStorage = request.getfixturevalue("gcs")
        return gcs_place(gcs.make_bucket(), gcs.account.key_json)
    if kind == "azure":
        azure: BlobStorage = request.getfixturevalue("azure")
        return azure_place(azure.url, azure.make_container(), account_key=azure.key)
    if kind == "local":
        return Place(lambda prefix, target: LocalDestination(LocalConfig(path=str(tmp_path), prefix=prefix), target))
    buckets: Buckets = request.getfixturevalue("buckets")
    more = {"checksums": "off"} if kind != "s3" else {}
    return s3_place(buckets.url, buckets.make_bucket(), "testing-key", "testing-secret", **more)


def alter(run: Run, data: bytes) -> None:
    """Put other bytes under the name of the run's first part."""
    store: Any = run.destination.store
    store.delete(run.keys()[0])
    store.put(run.keys()[0], data, PutOptions("application/octet-stream"))


def test_a_part_that_is_altered_before_the_commit_is_refused(place: Place) -> None:
    """With the default `verify: size`; what is published stays."""
    place.run().load(b"one").publish()
    before = place.manifest()
    run = place.run().load(b"two")
    alter(run, b"tow")

    with pytest.raises(DestinationError, match=r"is not what was loaded: its .*; nothing was published"):
        run.publish()

    assert place.manifest() == before


def test_verify_notices_a_published_part_that_is_altered(place: Place) -> None:
    """It reads every byte, whatever the store keeps of an object."""
    run = place.run().load(b"one")
    run.publish()
    alter(run, b"eno")
    rereading = Rereading(run.destination.store)

    rereading.read(Manifest.model_validate(place.manifest(), strict=False), lambda key, kind: True)

    assert any("sha256" in problem and run.keys()[0] in problem for problem in rereading.problems)


def test_with_verify_full_a_rerun_replaces_a_published_part_that_was_altered(tmp_path: Path) -> None:
    """It is not taken for unchanged."""
    config = LocalConfig(path=str(tmp_path), prefix="daily/", verify="full")
    place = Place(lambda prefix, target: LocalDestination(config, target))
    run = place.run().load(b"one")
    run.publish()
    alter(run, b"eno")

    assert place.run().load(b"one").publish().revision == 2
    place.check_whole()


def test_an_upload_that_the_store_does_not_let_go_is_named_and_swept_later(
    buckets: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first error ends the load; the next run of the window that may takes the upload away."""
    monkeypatch.setattr(upload_stream, "BLOCK", BLOCK)
    bucket = buckets.make_bucket()

    def fail(sink: Any) -> int:
        sink.write(bytes(2 * BLOCK + 1))
        raise FormatError("the row is no row", hint="Fix the row.")

    with identity(buckets.server, RIGHTS) as (key_id, secret):
        place = s3_place(buckets.url, bucket, key_id, secret)
        run = place.run()
        with pytest.raises(FormatError, match="the row is no row") as raised:
            run.destination.load(Piece("request_logs", 1, 1, fail))
        told = str(raised.value)
        assert "Fix the row. An unfinished upload could not be taken away" in told
        assert f"s3://{bucket}/" in told
        assert "s3:AbortMultipartUpload" in told
        outcome = place.run().load(b"one").publish()
        assert any("an unfinished upload of s3://" in each for each in outcome.warnings)

    place = s3_place(buckets.url, bucket, "testing-key", "testing-secret")
    assert len(place.uploads()) == 1
    place.run().load(b"two").publish()
    assert place.uploads() == []


def test_an_error_that_is_none_of_ours_names_the_upload_too(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a note, which a traceback shows."""
    monkeypatch.setattr(upload_stream, "BLOCK", BLOCK)

    def fail(sink: Any) -> int:
        sink.write(bytes(2 * BLOCK + 1))
        raise ZeroDivisionError

    bucket = buckets.make_bucket()
    with identity(buckets.server, RIGHTS) as (key_id, secret):
        run = s3_place(buckets.url, bucket, key_id, secret).run()
        with pytest.raises(ZeroDivisionError) as raised:
            run.destination.load(Piece("request_logs", 1, 1, fail))
    assert any("An unfinished upload could not be taken away" in note for note in raised.value.__notes__)
