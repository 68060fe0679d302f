"""What Snowflake says reaches the user in its own words, with the right next step, told apart as lasting or passing."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snowflake.connector.errors import DatabaseError, ForbiddenError, HttpError, OperationalError, ProgrammingError

from bifrost_export.destinations.snowflake import errors
from bifrost_export.destinations.snowflake.config import SnowflakeConfig
from bifrost_export.destinations.snowflake.connection import account_of, connect
from bifrost_export.errors import (
    BifrostExportError,
    ConfigError,
    CredentialsRefusedError,
    DestinationError,
    DestinationUnavailableError,
)

GRANT = 'GRANT USAGE, OPERATE ON WAREHOUSE "WH" TO ROLE "EXPORTER";'
SIGN_INS = [
    (
        (
            "Failed to authenticate: MFA authentication is required, but none of your current MFA methods are supported"
            " for programmatic authentication."
        ),
        "private_key.*programmatic access token",
    ),
    ("Multi-factor authentication is required for this account. Log in to Snowsight to enroll.", "private_key"),
    ("Fail : Network policy is required.", "network policy, which programmatic access tokens need"),
    (
        (
            "Role 'EXPORTER' specified in the connect string is not granted to this user. Contact your local system"
            " administrator, or attempt to login with another role, e.g. PUBLIC."
        ),
        "GRANT ROLE",
    ),
    (
        (
            "Your user account has been temporarily locked due to too many failed attempts. Try again after 15 minutes"
            " or contact your account administrator for assistance."
        ),
        "MINS_TO_UNLOCK",
    ),
    ("Specified password has expired.  Password must be changed using the Snowflake web console.", "new password"),
    ("Incoming request with IP/Token 203.0.113.7 is not allowed to access Snowflake.", "address in the network policy"),
    ("Incorrect username or password was specified.", "credentials"),
    ("JWT token is invalid. [0ce9eb56-821d-4ca9-a774-04ae89a0cf5a]", "RSA_PUBLIC_KEY_FP"),
    ("User access disabled. Contact your local system administrator.", "DISABLED = FALSE"),
    ("Programmatic access token is invalid.", "new programmatic access token"),
    ("Something that Snowflake says only from tomorrow on.", "credentials"),
]


def told(error: Exception, what: str = "signing in", grant: str | None = GRANT) -> BifrostExportError:
    """What becomes of an error of the driver."""
    with pytest.raises(BifrostExportError) as raised, errors.told(what, seconds=60, grant=grant):
        raise error
    return raised.value


@pytest.mark.parametrize("prefix", ["", "None: "], ids=["connector 3.x and later", "older ones"])
@pytest.mark.parametrize(("sentence", "hint"), SIGN_INS, ids=[each[0][:30] for each in SIGN_INS])
def test_a_sign_in_that_is_refused_is_told_in_snowflakes_words_and_for_good(
    prefix: str, sentence: str, hint: str
) -> None:
    """Whatever the reason is, the number is the same."""
    text = f"{prefix}Failed to connect to DB: org-account.snowflakecomputing.com:443. {sentence}"
    found = told(DatabaseError(msg=text, errno=250001, sqlstate="08001"))

    assert isinstance(found, CredentialsRefusedError)
    assert " ".join(sentence.split()) in " ".join(found.message.split())
    assert re.search(hint, str(found.hint)), found.hint


@pytest.mark.parametrize(
    "sentence",
    [
        "Service is unavailable: org-account.snowflakecomputing.com:443. 503 Service Unavailable",
        "Could not connect to Snowflake backend after 4 attempt(s).Aborting",
        "Request timed out",
    ],
)
def test_a_service_that_is_not_there_passes(sentence: str) -> None:
    """The number is the same as that of a refusal."""
    found = told(OperationalError(msg=f"Failed to connect to DB. {sentence}", errno=250001))
    assert isinstance(found, DestinationUnavailableError)


@pytest.mark.parametrize(
    "error",
    [
        HttpError(msg="404 Not Found: POST nowhere.snowflakecomputing.com/session/v1/login-request", errno=290404),
        ForbiddenError(
            msg="Failed to connect to DB. Verify the account name is correct: nowhere.snowflakecomputing.com:443."
            " 000403: 403: HTTP 403: Forbidden",
            errno=250001,
        ),
    ],
    ids=["404", "403"],
)
def test_an_account_that_is_not_there_is_refused_for_good(error: Exception) -> None:
    """With the form of an account."""
    found = told(error)
    assert isinstance(found, CredentialsRefusedError)
    assert "destination.config.account" in str(found.hint)


def test_a_server_error_on_the_way_passes() -> None:
    """An answer that is not Snowflake's own."""
    assert isinstance(told(HttpError(msg="503 Service Unavailable", errno=290503)), DestinationUnavailableError)


def test_no_warehouse_names_the_grant_when_one_is_set() -> None:
    """The one that `plan --iam` prints; without a warehouse in the document, the key."""
    said = "No active warehouse selected in the current session.  Select an active warehouse with the 'use warehouse'"
    error = ProgrammingError(msg=f"{said} command.", errno=606)
    assert GRANT in str(told(error, "COPY INTO").hint)
    assert "Set destination.config.warehouse" in str(told(error, "COPY INTO", None).hint)
    assert "'use warehouse' command" in told(error, "COPY INTO").message


TOO_LONG = (
    "String '{}' is too long and would be truncated\n  File 'nightly/part.parquet', line 1, character 20\n  Row 1,"
    ' column "REQUEST_LOGS"["PROVIDER":3]'
)


def test_a_text_that_is_too_long_names_its_column_and_never_its_value() -> None:
    """Though it stands behind the value."""
    found = told(ProgrammingError(msg=TOO_LONG.format("a secret prompt"), errno=100078), "COPY INTO")
    assert type(found) is DestinationError
    assert 'column "REQUEST_LOGS"["PROVIDER":3]' in found.message
    assert "too long and would be truncated" in found.message
    assert "secret" not in str(found)


@given(value=st.text(alphabet=st.sampled_from("abZ '\"\n.:is to[]0"), max_size=60))
def test_no_value_is_told_whatever_stands_in_it(value: str) -> None:
    """Quotes, lines, and words of the message itself."""
    marked = f"QQ{value}QQ"
    for text, errno in (
        (TOO_LONG.format(marked), 100078),
        (f"Numeric value '{marked}' is not recognized", 100038),
        (f'Failed to cast variant value "{marked}" to FIXED', 100071),
        (f'Error parsing JSON: unknown keyword "{marked}", pos 6', 100069),
    ):
        assert "QQ" not in str(told(ProgrammingError(msg=text, errno=errno), "COPY INTO"))


def test_other_messages_are_told_whole() -> None:
    """They quote names, not values."""
    said = "SQL compilation error: Table 'DB.PUBLIC.REQUEST_LOGS' is not allowed in 'this' context; ask 'them'."
    assert said in told(ProgrammingError(msg=said, errno=2028), "INSERT INTO").message


def config(account: str) -> dict[str, Any]:
    """A config with an account."""
    credentials = {"username": "${USER}", "password": "${PASSWORD}"}
    return {"account": account, "database": "DB", "table": "t", "credentials": credentials}


@pytest.mark.parametrize(
    ("account", "host"),
    [
        ("myorg-account1", None),
        ("myorg-account1.snowflakecomputing.com", None),
        ("xy12345", None),
        ("xy12345.eu-central-1", None),
        ("xy12345.us-east-2.aws", None),
        ("xy12345.west-europe.azure.snowflakecomputing.com", None),
        ("myorg-account1.privatelink", None),
        ("xy12345.eu-central-1.privatelink.snowflakecomputing.com", None),
        ("MYORG-ACCOUNT1", None),
        ("myorg-my_account", "myorg-my-account.snowflakecomputing.com"),
        ("myorg-my_account.snowflakecomputing.com", "myorg-my-account.snowflakecomputing.com"),
        ("my_org-my_account.privatelink", "my-org-my-account.privatelink.snowflakecomputing.com"),
        ("xy12345.cn-northwest-1.aws.snowflakecomputing.cn", "xy12345.cn-northwest-1.aws.snowflakecomputing.cn"),
    ],
)
def test_every_form_of_an_account_is_taken(account: str, host: str | None) -> None:
    """An underscore has no place in a host's certificate."""
    SnowflakeConfig(**config(account))
    found = account_of(account)
    assert found.get("host") == host
    assert not found["account"].endswith(".snowflakecomputing.com")


@pytest.mark.parametrize(
    ("account", "fix"),
    [
        ("https://myorg-account1.snowflakecomputing.com", "'myorg-account1.snowflakecomputing.com'"),
        ("https://myorg-account1.snowflakecomputing.com/console#/", "'myorg-account1.snowflakecomputing.com'"),
        ("myorg-account1.snowflakecomputing.com/", "'myorg-account1.snowflakecomputing.com'"),
        ("https://app.snowflake.com/myorg/account1/#/homepage", "'myorg-account1'"),
        ("app.snowflake.com/myorg/account1", "'myorg-account1'"),
        ("myorg/account1", "'myorg-account1'"),
        (" myorg-account1", "'myorg-account1'"),
        ("snowflake://user@myorg-account1/db", "'myorg-account1'"),
        ("myorg-account1.", "'myorg-account1'"),
        ("my org", "CURRENT_ORGANIZATION_NAME"),
        ("", "CURRENT_ORGANIZATION_NAME"),
        ("myorg..account1", "CURRENT_ORGANIZATION_NAME"),
    ],
)
def test_what_is_no_account_is_refused_with_what_to_write(account: str, fix: str) -> None:
    """By `validate`, before anything is asked."""
    with pytest.raises(ValueError, match="is not a valid account") as raised:
        SnowflakeConfig(**config(account))
    [problem] = raised.value.errors()  # type: ignore[attr-defined]
    cause = problem["ctx"]["error"]
    assert isinstance(cause, ConfigError)
    assert fix in str(cause.hint)


@pytest.mark.parametrize("fault", [ImportError("cannot import name 'x'"), AttributeError("module 'y' has no 'z'")])
def test_a_provider_that_is_not_imported_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    """Whatever a package beside it that doesn't fit makes of the import."""
    name = "airflow.providers.snowflake.hooks.snowflake"

    class Broken:
        """Finds modules before all others do."""

        @staticmethod
        def find_spec(asked: str, *_: object) -> None:
            """Fail as the module would."""
            if asked == name:
                raise fault

    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(DestinationError, match=re.escape(f"needs Airflow's snowflake provider ({fault})")) as raised:
        connect(SnowflakeConfig(database="D", schema="S", table="t", conn_id="c"), "tag")
    assert "pip install 'bifrost-export[snowflake]'" in str(raised.value.hint)
