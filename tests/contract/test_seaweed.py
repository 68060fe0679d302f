"""SeaweedFS keeps the contract of object stores, and refuses what S3 refuses."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from bifrost_export.destinations.object_store.port import PutOptions
from bifrost_export.destinations.s3.config import S3Config
from bifrost_export.destinations.s3.destination import S3Destination
from bifrost_export.errors import BifrostExportError, CredentialsRefusedError, DestinationError
from bifrost_export.testing.object_store_contract import ObjectStoreContract, Place
from bifrost_export.testing.object_store_runs import DAY, PREFIX, manifest_key, target_of
from tests.contract.places import s3_place
from tests.servers.seaweed import Seaweed, keys_of

pytestmark = pytest.mark.long


class TestSeaweed(ObjectStoreContract):
    """Broken at every call, with all parts."""

    block: ClassVar[int] = 5 * 1024 * 1024

    @pytest.fixture
    def place(self, seaweed_server: Seaweed) -> Place:
        """An empty bucket."""
        return s3_place(seaweed_server.url, seaweed_server.make_bucket(), *keys_of("writer"))


def probed(place: Place) -> dict[str, Any]:
    """The steps of `check`, by name."""
    return {probe.what: probe for probe in place.open(place.prefix, target_of(DAY, "0" * 8)).check()}


def test_who_may_read_and_write_passes_every_step(seaweed_server: Seaweed) -> None:
    """And conditional puts are found."""
    place = s3_place(seaweed_server.url, seaweed_server.make_bucket(), *keys_of("writer"))

    assert all(probe.ok for probe in probed(place).values())


def test_who_may_only_read_is_told_to_write(seaweed_server: Seaweed) -> None:
    """A run fails for good, and what was published stands."""
    bucket = seaweed_server.make_bucket()
    writer = s3_place(seaweed_server.url, bucket, *keys_of("writer"))
    writer.run().load(b"one").publish()
    before = writer.contents()
    reader = s3_place(seaweed_server.url, bucket, *keys_of("reader"))

    steps = probed(reader)

    assert [name for name, probe in steps.items() if probe.was_tried and not probe.ok] == ["write"]
    assert "s3:PutObject" in steps["write"].hint
    with pytest.raises(DestinationError, match="s3:PutObject"):
        reader.run().load(b"two")
    assert writer.contents() == before


def test_who_may_only_write_is_told_to_read(seaweed_server: Seaweed) -> None:
    """By the step that needs it; what the probes wrote is taken away as far as it may."""
    place = s3_place(seaweed_server.url, seaweed_server.make_bucket(), *keys_of("write-only"))

    steps = probed(place)

    assert steps["write"].ok
    assert not steps["read"].ok
    assert "s3:GetObject" in steps["read"].hint
    with pytest.raises(DestinationError, match="s3:GetObject"):
        place.run()


def planned(bucket: str, *lacking: str) -> dict[str, Any]:
    """The policy that `plan --iam` tells for runs of the contract, without some of its rights."""
    target = target_of(DAY, "0" * 8)
    policy: dict[str, Any] = S3Destination(S3Config(bucket=bucket, prefix=PREFIX), target).rights()["policy"]
    for statement in policy["Statement"]:
        statement["Action"] = [each for each in statement["Action"] if each not in lacking]
    return policy


def test_the_planned_policy_is_all_that_check_and_runs_need(seaweed_server: Seaweed) -> None:
    """First, again, with an upload that a dead run has left; and nothing elsewhere in the bucket may be touched."""
    bucket = seaweed_server.make_bucket()
    place = s3_place(seaweed_server.url, bucket, *seaweed_server.user_with(planned(bucket)))
    assert all(probe.ok for probe in probed(place).values())
    place.run().load(b"one", b"two", rejected=b"r").publish()
    dead = place.run().destination
    dead.store.begin(dead.keys.part("request_logs", 1, 1), PutOptions("text/plain")).block(bytes(5 * 1024 * 1024))

    run = place.run().load(b"three")
    assert run.publish().warnings == []

    everything = s3_place(seaweed_server.url, bucket, *keys_of("writer"))
    assert set(everything.contents()) == {*run.keys(), manifest_key(DAY)}
    assert everything.uploads() == []
    with pytest.raises(DestinationError, match="s3:PutObject"):
        place.run().destination.store.put("elsewhere", b"x", PutOptions("text/plain"))


@pytest.mark.parametrize("right", ["s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject"])
def test_none_of_the_planned_policy_is_too_much(seaweed_server: Seaweed, right: str) -> None:
    """Without any of it, check says what is missing."""
    bucket = seaweed_server.make_bucket()
    place = s3_place(seaweed_server.url, bucket, *seaweed_server.user_with(planned(bucket, right)))

    failed = [probe for probe in probed(place).values() if probe.was_tried and not probe.ok]

    assert right in str(failed[0].hint)


@pytest.mark.parametrize(
    ("key_id", "secret"), [("AKIAWRITER", "wrong"), ("AKIANOBODY", "secret-of-writer")], ids=["secret", "id"]
)
def test_a_wrong_key_is_refused(seaweed_server: Seaweed, key_id: str, secret: str) -> None:
    """As a fault of the sign-in; the key is not told."""
    place = s3_place(seaweed_server.url, seaweed_server.make_bucket(), key_id, secret)

    with pytest.raises(CredentialsRefusedError) as raised:
        place.run()
    assert secret not in str(raised.value)


def test_bytes_that_change_on_the_way_are_refused(seaweed_server: Seaweed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checksum that is sent is not theirs."""
    from bifrost_export.destinations.s3 import checksums

    place = s3_place(seaweed_server.url, seaweed_server.make_bucket(), *keys_of("writer"))
    run = place.run()
    original = checksums.checksum_of
    monkeypatch.setattr(checksums, "checksum_of", lambda data: original(bytes(data) + b"!"))

    with pytest.raises(BifrostExportError):
        run.load(b"one")
    assert place.contents() == {}
