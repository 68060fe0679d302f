"""What BigQuery says reaches the user in its own words, with the right next step, told apart as lasting or passing."""

from __future__ import annotations

import pytest
from google.api_core import exceptions as api

from bifrost_export.destinations.bigquery import errors
from bifrost_export.errors import (
    BifrostExportError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)

BILLING = (
    "Billing has not been enabled for this project. Enable billing at https://console.cloud.google.com/billing. DML"
    " queries are not allowed in the free tier. Set up a billing account to remove this restriction."
)
VPC = (
    "VPC Service Controls: Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier:"
    " 7LsDpYpN; see https://cloud.google.com/vpc-service-controls."
)
ELSEWHERE = "Not found: Dataset acme:logs was not found in location US"
LASTING = [
    (403, "billingNotEnabled", BILLING, "Enable billing"),
    (403, "accessDenied", VPC, "VPC Service Controls"),
    (403, "vpcServiceControls", VPC, "VPC Service Controls"),
    (404, "notFound", ELSEWHERE, "destination.config.location"),
    (404, "notFound", "Not found: Project acme", "Create it"),
    (
        403,
        "accessDenied",
        "Access Denied: Table acme:logs.t: Permission bigquery.tables.updateData denied on table acme:logs.t.",
        "plan CONFIG --iam",
    ),
    (403, "accessNotConfigured", "BigQuery API has not been used in project 12 before or it is disabled.", "API"),
    (400, "invalid", "Invalid value: Table names must be qualified.", "BigQuery names"),
    (400, "invalidQuery", "Column `a` is 'not' there; look at [1:7]. Did you mean b?", "BigQuery names"),
    (501, "notImplemented", "This is not implemented.", "BigQuery names"),
]
PASSING = [
    (403, "rateLimitExceeded", "Exceeded rate limits: too many table update operations for this table."),
    (403, "quotaExceeded", "Quota exceeded: Your project exceeded quota for concurrent queries."),
    (503, "backendError", "The service is currently unavailable."),
    (500, "internalError", "An internal error occurred."),
    (400, "jobInternalError", "The job failed; retry it."),
    (429, "rateLimitExceeded", "Too many requests."),
]


def told(code: int, reason: str, message: str) -> BifrostExportError:
    """What becomes of an answer."""
    error = api.from_http_status(code, f"POST https://bigquery.googleapis.com/v2/jobs: {message}")
    error._errors = [{"reason": reason, "message": message}]
    with pytest.raises(BifrostExportError) as raised, errors.told("starting the job x"):
        raise error
    return raised.value


@pytest.mark.parametrize(("code", "reason", "message", "hint"), LASTING, ids=[f"{e[1]} {e[0]}" for e in LASTING])
def test_a_refusal_that_lasts_is_told_whole_with_what_to_do(code: int, reason: str, message: str, hint: str) -> None:
    """No word of it is cut."""
    found = told(code, reason, message)
    assert type(found) is DestinationError
    assert message in found.message
    assert hint in str(found.hint)


@pytest.mark.parametrize(("code", "reason", "message"), PASSING, ids=[f"{e[1]} {e[0]}" for e in PASSING])
def test_what_passes_is_tried_again_and_told_whole(code: int, reason: str, message: str) -> None:
    """A quota is one of these: it is full now."""
    found = told(code, reason, message)
    assert isinstance(found, DestinationUnavailableError)
    assert message in found.message


def test_a_free_quota_that_is_used_up_lasts() -> None:
    """Until somebody pays, or the month ends."""
    said = "Quota exceeded: Your project exceeded quota for free query bytes scanned."
    assert type(told(403, "quotaExceeded", said)) is DestinationError


def test_who_is_not_known_is_told_so() -> None:
    """In Google's words."""
    found = told(401, "authError", "Request had invalid authentication credentials.")
    assert isinstance(found, CredentialsRefusedError)
    assert "invalid authentication credentials" in found.message


@pytest.mark.parametrize(
    "message",
    [
        "Error while reading data, error message: Could not convert value 'secret prompt' to INT64; column status_code",
        "Bad double value: secret prompt",
        'Invalid JSON literal: "secret prompt"',
        "Could not parse 'secret prompt' as a timestamp",
        "Invalid timestamp: 'secret 'prompt''",
        'Failed to parse input string "secret prompt"',
        'Error while reading data, error message: column_name: "status_code" column_type: INT64 value: "secret prompt"',
    ],
)
def test_a_rows_value_is_never_told(message: str) -> None:
    """The words before it are."""
    found = told(400, "invalid", message)
    assert "secret" not in str(found)
    assert message.split(maxsplit=1)[0] in found.message


def test_a_column_is_told_beside_its_value() -> None:
    """Where the service names it before the value."""
    said = 'column_name: "status_code" column_type: INT64 value: "secret"'
    assert 'column_name: "status_code" column_type: INT64' in told(400, "invalid", said).message
