"""What Google's sign-in answers, and what stores answer about payloads that Bifrost has offloaded."""

from __future__ import annotations

import pytest

from bifrost_export.destinations.google import errors
from bifrost_export.errors import BifrostExportError, CredentialsRefusedError, LogStoreBusyError, LogStoreError
from bifrost_export.logstore.payloads.config import ObjectStorage
from bifrost_export.logstore.payloads.s3 import S3Payloads
from tests.contract.test_answers import KEY, xml
from tests.servers.fault_proxy import fault_proxy


def test_a_clock_that_google_refuses_is_told_as_such() -> None:
    """By what the sign-in says of a signature's time; of a key it says something else."""
    from google.auth.exceptions import RefreshError

    def answer(words: str) -> str:
        told = {"error": "invalid_grant", "error_description": words}
        with (
            pytest.raises(CredentialsRefusedError, match="Invalid JWT") as raised,
            errors.told("x", "y"),
        ):
            raise RefreshError(f"invalid_grant: {words}", told)
        return str(raised.value.hint)

    late = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
    assert "clock" in answer(f"{late} Check your iat and exp values.")
    assert "service_account_key" in answer("Invalid JWT Signature.")


PAYLOADS = [
    (403, "RequestTimeTooSkewed", LogStoreError, "clock"),
    (403, "InvalidAccessKeyId", LogStoreError, "logs_store.object_storage.access_key_id"),
    (400, "AuthorizationHeaderMalformed", LogStoreError, "logs_store.object_storage.region"),
    (403, "AccessDenied", LogStoreError, "s3:GetObject and s3:ListBucket"),
    (501, "NotImplemented", LogStoreError, "logs_store.object_storage"),
    (503, "SlowDown", LogStoreBusyError, "tries again"),
    (400, "RequestTimeout", LogStoreBusyError, "tries again"),
]


@pytest.mark.parametrize(("status", "code", "kind", "hint"), PAYLOADS)
def test_what_is_answered_about_payloads_is_told_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, kind: type[BifrostExportError], hint: str
) -> None:
    """With the key of the object storage, and the store's words."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with fault_proxy("http://127.0.0.1:9") as server:
        server.gate = lambda method, path, headers: xml(status, code, "So it is said.")
        where = {"type": "s3", "bucket": "lake", "region": "us-west-2", "endpoint": server.url}
        storage = ObjectStorage(**where, access_key_id="id", secret_access_key=KEY)
        storage.stands_at("logs_store.object_storage")
        with pytest.raises(kind, match=f"{code}: So it is said") as raised:
            S3Payloads(storage, 1).read("key", 0, 9)
    assert hint in str(raised.value.hint)
