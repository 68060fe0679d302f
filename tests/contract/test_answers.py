"""What S3, Cloud Storage and Azure answer, by their real clients from a real server: passing, or for good with a hint.

Codes and words are those that the services document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bifrost_export.destinations.azure_blob import hook as azure_hook
from bifrost_export.destinations.azure_blob.config import AzureBlobConfig
from bifrost_export.destinations.azure_blob.store import AzureStore
from bifrost_export.destinations.gcs.config import GCSConfig
from bifrost_export.destinations.gcs.store import GCSStore
from bifrost_export.destinations.object_store.port import (
    DeletionRefusedError,
    KeyTakenError,
    ObjectStore,
    PutOptions,
    VersionChangedError,
)
from bifrost_export.destinations.s3 import hook as s3_hook
from bifrost_export.destinations.s3.config import S3Config, S3Credentials
from bifrost_export.destinations.s3.store import S3Store
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
    PassingError,
    PermanentError,
)
from tests.contract.documented_answers import AZURE, GOOGLE, PASSES, S3, Rows
from tests.servers.azure import ACCOUNT
from tests.servers.fault_proxy import Proxy, fault_proxy

OPTIONS = PutOptions("text/plain")
KEY = "c4nary-Secret/of+none"


def xml(status: int, code: str, words: str) -> tuple[int, bytes]:
    """An error as S3 and Azure write it."""
    told = f"<?xml version='1.0' encoding='utf-8'?><Error><Code>{code}</Code><Message>{words}</Message></Error>"
    return status, told.encode() if code else b""


def azures(status: int, code: str, words: str) -> tuple[int, bytes]:
    """With what Azure adds to its words."""
    return xml(status, code, f"{words}\nRequestId:1f1b-x\nTime:2026-03-01T00:00:00Z")


def googles(status: int, code: str, words: str) -> tuple[int, bytes]:
    """An error as Google's JSON API writes it."""
    errors = [{"message": words, "domain": "global", "reason": code}]
    return status, json.dumps({"error": {"code": status, "message": words, "errors": errors}}).encode()


@pytest.fixture
def server() -> Iterator[Proxy]:
    """A server that gives one answer."""
    with fault_proxy("http://127.0.0.1:9") as proxy:
        yield proxy


@pytest.fixture
def s3(server: Proxy, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A bucket there, whose client doesn't try again."""
    monkeypatch.setattr(s3_hook, "RETRIES", {"max_attempts": 1, "mode": "standard"})
    credentials = S3Credentials(access_key_id=KEY, secret_access_key=KEY)
    where = {"bucket": "lake", "region": "us-west-2", "endpoint_url": server.url}
    return S3Store(S3Config(**where, credentials=credentials))


@pytest.fixture
def gcs(server: Proxy, monkeypatch: pytest.MonkeyPatch) -> GCSStore:
    """The same of Google's."""
    from google.api_core.retry import Retry

    from bifrost_export.services.google_answers import is_passing

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    anonymous = {"conn_type": "google_cloud_platform", "extra": {"is_anonymous": True, "project": "p"}}
    monkeypatch.setenv("AIRFLOW_CONN_ANYBODY", json.dumps(anonymous))
    monkeypatch.setattr(GCSStore, "retry", Retry(predicate=is_passing, initial=0.01, timeout=0.02))
    return GCSStore(GCSConfig(bucket="lake", conn_id="anybody"))


@pytest.fixture
def azure(server: Proxy, monkeypatch: pytest.MonkeyPatch) -> AzureStore:
    """The same of Azure's."""
    monkeypatch.setitem(azure_hook.PATIENCE, "retry_total", 0)
    where = {"container": "lake", "account_name": ACCOUNT, "endpoint_url": f"{server.url}/{ACCOUNT}"}
    return AzureStore(AzureBlobConfig(**where, account_key="c2VjcmV0"))


def put(store: ObjectStore) -> None:
    """Put a part."""
    store.put("key", b"part", OPTIONS)


def put_manifest(store: ObjectStore) -> None:
    """Put a manifest over another; one whose version may have changed is read again, and then told."""
    store.put_if("key", b"manifest", None if isinstance(store, S3Store) else "1", OPTIONS)


def judged(store: ObjectStore, act: Callable[[ObjectStore], None], code: str, words: str, expected: str) -> None:
    """Hold what is told of an answer to the table."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 (which is what is asked)
        act(store)
    error = raised.value
    if expected == PASSES:
        assert isinstance(error, PassingError | VersionChangedError), repr(error)
        return
    assert isinstance(error, PermanentError), repr(error)
    told = str(error)
    assert code in told
    assert words.rstrip(".").partition(".")[0] in told
    assert expected in str(error.hint)
    assert KEY not in told
    assert "RequestId" not in told


def named(rows: Rows) -> dict[str, Any]:
    """Parameters of a test, and their names."""
    ids = [f"{row[0]}-{row[1] or 'none'}-{number}" for number, row in enumerate(rows)]
    return {"argvalues": rows, "ids": ids}


@pytest.mark.parametrize(("status", "code", "words", "expected"), **named(S3))
@pytest.mark.parametrize("act", [put, put_manifest])
def test_s3(s3: S3Store, server: Proxy, act: Any, status: int, code: str, words: str, expected: str) -> None:
    """The codes of S3 and of stores that speak its language."""
    server.gate = lambda method, path, headers: xml(status, code, words)

    judged(s3, act, code, words, expected)


@pytest.mark.parametrize(("status", "code", "words", "expected"), **named(GOOGLE))
@pytest.mark.parametrize("act", [put, put_manifest])
def test_cloud_storage(
    gcs: GCSStore, server: Proxy, act: Any, status: int, code: str, words: str, expected: str
) -> None:
    """The reasons of Google's JSON API."""
    server.gate = lambda method, path, headers: googles(status, code, words)

    judged(gcs, act, code, words, expected)


@pytest.mark.parametrize(("status", "code", "words", "expected"), **named(AZURE))
@pytest.mark.parametrize("act", [put, put_manifest])
def test_azure(azure: AzureStore, server: Proxy, act: Any, status: int, code: str, words: str, expected: str) -> None:
    """The codes of Azure's blob service; a blob is looked for where a policy keeps it."""

    def gate(method: str, path: str, headers: Any) -> tuple[int, bytes]:
        return azures(404, "BlobNotFound", "None.") if method == "HEAD" else azures(status, code, words)

    server.gate = gate

    judged(azure, act, code, words, expected)


CONFLICTS = [
    ("s3", xml(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")),
    ("s3", xml(409, "ConditionalRequestConflict", "A conflicting operation occurred.")),
    ("gcs", googles(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")),
    ("azure", azures(412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.")),
    ("azure", azures(409, "BlobAlreadyExists", "The specified blob already exists.")),
]


@pytest.mark.parametrize(("store", "answer"), CONFLICTS)
def test_a_condition_that_is_not_met_is_no_fault(
    request: pytest.FixtureRequest, server: Proxy, store: str, answer: tuple[int, bytes]
) -> None:
    """It says that somebody else was first."""
    opened = request.getfixturevalue(store)
    server.gate = lambda method, path, headers: answer

    with pytest.raises(KeyTakenError):
        put(opened)
    with pytest.raises(VersionChangedError):
        put_manifest(opened)


KEPT = [
    ("s3", xml(403, "AccessDenied", "Access Denied because object protected by object lock."), "object lock"),
    ("gcs", googles(403, "retentionPolicyNotMet", "Object is subject to bucket's retention policy"), "retention"),
    ("gcs", googles(403, "objectUnderActiveHold", "Object is under active Event-Based hold"), "hold"),
    ("azure", azures(409, "BlobImmutableDueToPolicy", "The blob is immutable due to a policy."), "immutable"),
    ("azure", azures(412, "LeaseIdMissing", "There is currently a lease on the blob."), "lease"),
    ("azure", azures(409, "SnapshotsPresent", "The blob has snapshots."), "snapshots"),
]


@pytest.mark.parametrize(("store", "answer", "words"), KEPT)
def test_a_deletion_that_is_refused_is_told_as_such(
    request: pytest.FixtureRequest, server: Proxy, store: str, answer: tuple[int, bytes], words: str
) -> None:
    """In the store's words, for a warning: nothing of it fails a run."""
    opened = request.getfixturevalue(store)
    server.gate = lambda method, path, headers: answer

    with pytest.raises(DeletionRefusedError, match=words) as raised:
        opened.delete("key")
    assert raised.value.hint


def test_clocks_that_differ_are_told_with_both_times(s3: S3Store, server: Proxy) -> None:
    """S3 says them."""
    words = "<Message>The difference is too large.</Message><RequestTime>20260301T000000Z</RequestTime>"
    told = f"<Error><Code>RequestTimeTooSkewed</Code>{words}<ServerTime>2026-03-01T01:00:00Z</ServerTime></Error>"
    server.gate = lambda method, path, headers: (403, told.encode())

    with pytest.raises(DestinationError, match=r"sent at 20260301T000000Z, the store has 2026-03-01T01:00:00Z"):
        put(s3)
    with pytest.raises(DestinationError, match="NTP"):
        s3.sign_in()


@pytest.mark.parametrize(
    ("detail", "hint"),
    [
        ("Request date header too old: 'Sun, 01 Mar 2026 00:00:00 GMT'", "clock"),
        ("Signature not valid in the specified time frame: Start [x] - Expiry [y] - Current [z]", "Renew sas_token"),
        ("The MAC signature found in the HTTP request 'abc' is not the same", "Fix account_key"),
    ],
)
def test_azures_detail_tells_a_clock_from_a_key(azure: AzureStore, server: Proxy, detail: str, hint: str) -> None:
    """What quotes a signature is left out."""
    told = (
        f"<Error><Code>AuthenticationFailed</Code><Message>Server failed.</Message><AuthenticationErrorDetail>{detail}"
    )
    server.gate = lambda method, path, headers: (403, f"{told}</AuthenticationErrorDetail></Error>".encode())

    with pytest.raises(CredentialsRefusedError, match=hint) as raised:
        put(azure)
    assert "MAC" not in str(raised.value)


def test_a_store_that_demands_a_sign_in_is_told(gcs: GCSStore, server: Proxy) -> None:
    """An anonymous connection has nothing to renew."""
    server.gate = lambda method, path, headers: googles(401, "required", "Anonymous caller does not have access")

    with pytest.raises(CredentialsRefusedError, match="service_account_key"):
        put(gcs)


def test_an_immutable_blob_that_a_double_has_put_is_taken(azure: AzureStore, server: Proxy) -> None:
    """Its bytes are compared by who asks, as with any other."""

    def gate(method: str, path: str, headers: Any) -> tuple[int, bytes]:
        return (200, b"") if method == "HEAD" else azures(409, "BlobImmutableDueToPolicy", "It is immutable.")

    server.gate = gate

    with pytest.raises(KeyTakenError):
        put(azure)


@pytest.mark.parametrize("words", ["sig=c4nary&se=2026", "Bearer c4nary", "AKIAC4NARYC4NARYC4NA", "a\x1b[31mc4nary"])
def test_words_are_made_safe(s3: S3Store, server: Proxy, words: str) -> None:
    """No signature, no key, no sequence that a terminal obeys, and no more than a few lines."""
    server.gate = lambda method, path, headers: xml(
        403, "AccessDenied", "no " + words.replace("&", "&amp;").replace("\x1b", "\x9b") + " " + "x" * 5000
    )

    with pytest.raises(BifrostExportError) as raised:
        put(s3)
    told = str(raised.value)
    assert "C4NARY" not in told
    assert "c4nary" not in told.replace("[31mc4nary", "")
    assert not [each for each in told if ord(each) < 32 or 127 <= ord(each) < 160]
    assert len(told) < 1000


def test_what_passes_is_tried_again_by_the_task(s3: S3Store, server: Proxy) -> None:
    """And says so."""
    server.gate = lambda method, path, headers: xml(503, "SlowDown", "Please reduce your request rate.")

    with pytest.raises(
        DestinationUnavailableError, match=r"SlowDown: Please reduce your request rate\. The task tries"
    ):
        put(s3)
