"""What S3, Cloud Storage and Azure answer, by their real clients from a real server: passing, or for good with a hint.

Codes and words are those that the services document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bifrost_export.destinations import azure_hook, s3_hook
from bifrost_export.destinations.azure_blob import AzureBlobConfig
from bifrost_export.destinations.azure_store import AzureStore
from bifrost_export.destinations.gcs import GCSConfig
from bifrost_export.destinations.gcs_store import GCSStore
from bifrost_export.destinations.s3 import S3Config, S3Credentials
from bifrost_export.destinations.s3_store import S3Store
from bifrost_export.destinations.store import (
    DeletionRefusedError,
    KeyTakenError,
    ObjectStore,
    PutOptions,
    VersionChangedError,
)
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
    PassingError,
    PermanentError,
)
from tests.servers.azure import ACCOUNT
from tests.servers.fault_proxy import Proxy, fault_proxy

OPTIONS = PutOptions("text/plain")
KEY = "c4nary-Secret/of+none"
PASSES = "passes"
Rows = list[tuple[int, str, str, str]]

S3: Rows = [
    (400, "BadDigest", "The Content-MD5 you specified did not match what we received.", PASSES),
    (400, "IncompleteBody", "You did not provide the number of bytes specified.", PASSES),
    (400, "RequestTimeout", "Your socket connection to the server was not read from or written to.", PASSES),
    (400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match.", PASSES),
    (400, "ThrottlingException", "Rate exceeded", PASSES),
    (429, "TooManyRequests", "Reduce your request rate.", PASSES),
    (500, "InternalError", "We encountered an internal error. Please try again.", PASSES),
    (503, "ServiceUnavailable", "Reduce your request rate.", PASSES),
    (503, "SlowDown", "Please reduce your request rate.", PASSES),
    (503, "KMS.ThrottlingException", "You have exceeded the rate at which you may call KMS.", PASSES),
    (502, "", "", PASSES),
    (504, "", "", PASSES),
    (
        403,
        "AccessDenied",
        "User: arn:aws:iam::1:user/x is not authorized to perform: s3:PutObject",
        "Grant s3:PutObject",
    ),
    (403, "AccessDenied", "Access Denied with an explicit deny in a resource-based policy", "destination.config.sse"),
    (403, "AccountProblem", "There is a problem with your AWS account.", "support"),
    (403, "AllAccessDisabled", "All access to this Amazon S3 resource has been disabled.", "support"),
    (403, "InvalidAccessKeyId", "The AWS access key Id you provided does not exist.", "credentials.access_key_id"),
    (403, "SignatureDoesNotMatch", "The request signature that the server calculated", "secret_access_key"),
    (
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the server's time is too large.",
        "clock",
    ),
    (403, "NotSignedUp", "Your account is not signed up for the Amazon S3 service.", "Sign the account up"),
    (403, "QuotaExceeded", "The quota of the bucket is used up.", "quota"),
    (403, "InvalidObjectState", "The operation is not valid for the object's storage class.", "restore"),
    (403, "UnauthorizedAccess", "You are not authorized; China's regions need their own account.", "partition"),
    (400, "ExpiredToken", "The provided token has expired.", "session_token"),
    (400, "InvalidToken", "The provided token is malformed or otherwise not valid.", "session_token"),
    (400, "AuthorizationHeaderMalformed", "The region 'us-east-1' is wrong; expecting 'eu-west-1'", "region"),
    (400, "InvalidBucketName", "The specified bucket is not valid.", "destination.config.bucket"),
    (400, "InvalidStorageClass", "The storage class you specified is not valid.", "storage_class"),
    (400, "InvalidTag", "The tag provided was not a valid tag.", "tags"),
    (400, "InvalidArgument", "Argument x-amz-storage-class is not valid.", "the store names"),
    (400, "KeyTooLongError", "Your key is too long.", "prefix"),
    (400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed size.", "name"),
    (400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.", "max_rows_per_file"),
    (400, "KMS.DisabledException", "arn:aws:kms:us-west-2:1:key/x is disabled.", "kms_key_id"),
    (400, "KMS.NotFoundException", "Key 'arn:aws:kms:us-west-2:1:key/x' does not exist", "kms_key_id"),
    (400, "KMS.KMSInvalidStateException", "x is pending deletion.", "kms_key_id"),
    (400, "InvalidRequest", "Content-MD5 is required for Put Object requests with Object Lock parameters", ""),
    (404, "NoSuchBucket", "The specified bucket does not exist", "Create the bucket"),
    (404, "NoSuchAccessPoint", "The specified access point does not exist", "access point"),
    (405, "MethodNotAllowed", "The specified method is not allowed against this resource.", "endpoint_url"),
    (501, "NotImplemented", "A header that you provided implies functionality that is not implemented.", "checksums"),
    (507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold.", "Free space"),
    (418, "SomethingNew", "Nobody has heard of this.", "documentation"),
]

GOOGLE: Rows = [
    (408, "requestTimeout", "The request timed out.", PASSES),
    (429, "rateLimitExceeded", "The object exceeded the rate limit for object mutation operations.", PASSES),
    (403, "userRateLimitExceeded", "User Rate Limit Exceeded", PASSES),
    (403, "rateLimitExceeded", "Rate Limit Exceeded", PASSES),
    (500, "backendError", "We encountered an internal error. Please try again.", PASSES),
    (502, "backendError", "Bad gateway", PASSES),
    (503, "backendError", "Backend Error", PASSES),
    (504, "gatewayTimeout", "Gateway timeout", PASSES),
    (403, "retentionPolicyNotMet", "Object 'lake/key' is subject to bucket's retention policy until 2027", "retention"),
    (403, "objectUnderActiveHold", "Object 'lake/key' is under active Temporary hold", "hold"),
    (403, "forbidden", "x does not have storage.objects.create access to the object.", "storage.objects.create"),
    (403, "insufficientPermissions", "Request had insufficient authentication scopes.", "storage.objects.create"),
    (403, "accessNotConfigured", "Cloud Storage JSON API has not been used in project 1 before.", "project_id"),
    (403, "accountDisabled", "The billing account for the owning project is disabled in state absent", "project_id"),
    (403, "vpcServiceControls", "Request is prohibited by organization's policy.", "VPC Service Controls"),
    (403, "forbidden", "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: x", "VPC"),
    (403, "quotaExceeded", "The quota of the project is used up.", "quota"),
    (403, "forbidden", "Permission denied on Cloud KMS key. Please ensure the service account may use it.", "cloudkms"),
    (400, "userProjectMissing", "Bucket is a requester pays bucket but no user project provided.", "Requester Pays"),
    (400, "required", "Bucket is a requester pays bucket but no user project provided.", "Requester Pays"),
    (400, "invalid", "Invalid argument: The storage class is not supported.", "storage_class"),
    (400, "invalid", "Cannot insert legacy ACL for an object when uniform bucket-level access is enabled.", "reason"),
    (400, "invalid", "The Cloud KMS key is disabled.", "cloudkms"),
    (404, "notFound", "The specified bucket does not exist.", "Create the bucket"),
    (412, "conditionNotMet", "'us' violates constraint 'constraints/gcp.resourceLocations'", "organization's policy"),
    (413, "uploadTooLarge", "The object is too large.", "max_rows_per_file"),
    (501, "notImplemented", "Not implemented", "Cloud Storage itself"),
    (418, "somethingNew", "Nobody has heard of this.", "documentation"),
]

AZURE: Rows = [
    (400, "Md5Mismatch", "The MD5 value specified in the request did not match.", PASSES),
    (408, "RequestTimeout", "The request timed out.", PASSES),
    (409, "ContainerBeingDeleted", "The specified container is being deleted. Try operation later.", PASSES),
    (409, "AccountBeingCreated", "The specified account is in the process of being created.", PASSES),
    (409, "PendingCopyOperation", "There is currently a pending copy operation.", PASSES),
    (429, "TooManyRequests", "Too many requests.", PASSES),
    (500, "InternalError", "The server encountered an internal error. Please retry the request.", PASSES),
    (500, "OperationTimedOut", "The operation could not be completed within the permitted time.", PASSES),
    (503, "ServerBusy", "The server is currently unable to receive requests. Please retry.", PASSES),
    (
        409,
        "BlobImmutableDueToPolicy",
        "This operation is not permitted as the blob is immutable due to a policy.",
        "immutab",
    ),
    (412, "LeaseIdMissing", "There is currently a lease on the blob and no lease ID was specified.", "lease"),
    (
        412,
        "LeaseIdMismatchWithBlobOperation",
        "The lease ID specified did not match the lease ID for the blob.",
        "lease",
    ),
    (409, "LeaseAlreadyPresent", "There is already a lease present.", "lease"),
    (409, "BlobArchived", "This operation is not permitted on an archived blob.", "Rehydrate"),
    (409, "BlobBeingRehydrated", "This operation is not permitted because the blob is being rehydrated.", "rehydrated"),
    (409, "InvalidBlobType", "The blob type is invalid for this operation.", "kind"),
    (409, "SnapshotsPresent", "This operation is not permitted while the blob has snapshots.", "snapshots"),
    (409, "ContainerDisabled", "The specified container is disabled by the administrator.", "container"),
    (409, "PublicAccessNotPermitted", "Public access is not permitted on this storage account.", "anonymous"),
    (409, "FeatureNotYetSupportedForHierarchicalNamespaceAccounts", "Not yet supported.", "tags"),
    (409, "SomethingNew", "Nobody has heard of this.", "documentation"),
    (
        400,
        "AccessTierNotSupportedForAccountType",
        "The access tier is not supported for this account type.",
        "access_tier",
    ),
    (400, "InvalidBlobTier", "The specified blob tier is invalid.", "access_tier"),
    (400, "AccountRequiresHttps", "The account being accessed does not support http.", "https"),
    (400, "InvalidAuthenticationInfo", "Authentication information is not given in the correct format.", "account_key"),
    (400, "InvalidResourceName", "The specified resource name contains invalid characters.", "container"),
    (400, "OutOfRangeInput", "One of the request inputs is out of range.", "container"),
    (400, "MetadataTooLarge", "The size of the specified metadata exceeds the maximum size permitted.", "name"),
    (401, "NoAuthenticationInformation", "Server failed to authenticate the request.", "account_key"),
    (403, "AuthenticationFailed", "Server failed to authenticate the request.", "account_key"),
    (403, "AuthorizationFailure", "This request is not authorized to perform this operation.", "network rules"),
    (403, "AuthorizationPermissionMismatch", "Not authorized using this permission.", "permissions cw"),
    (
        403,
        "InsufficientAccountPermissions",
        "The account being accessed does not have sufficient permissions.",
        "write",
    ),
    (403, "AccountIsDisabled", "The specified account is disabled.", "Enable the storage account"),
    (403, "KeyBasedAuthenticationNotPermitted", "Key based authentication is not permitted.", "refuses keys"),
    (403, "AuthorizationSourceIPMismatch", "Not authorized using this source IP.", "address"),
    (403, "AuthorizationProtocolMismatch", "Not authorized using this protocol.", "https"),
    (403, "UnauthorizedBlobOverwrite", "This request is not authorized to perform blob overwrites.", "permission w"),
    (404, "ContainerNotFound", "The specified container does not exist.", "Create the container"),
    (404, "ResourceNotFound", "The specified resource does not exist.", "account_name"),
    (413, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum.", "max_rows_per_file"),
    (501, "NotImplemented", "The requested operation is not implemented.", "documentation"),
]


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
