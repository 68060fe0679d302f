"""Sign in to Google: by a key from the document, by an Airflow connection, or by the machine's own account."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from bifrost_export import connections
from bifrost_export.config.fields import Secret, Strict
from bifrost_export.config.learnt_secrets import tell
from bifrost_export.errors import ConfigError, DestinationError

ALLOWED = "the JSON of a service account's key, or the path of the file that holds it"
KEY_FIELDS = ("client_email", "private_key", "token_uri")


class GoogleCredentials(Strict):
    """Keys of `credentials` for Google's destinations."""

    service_account_key: Secret = Field(min_length=1, description="A service account's key: its JSON, or its path.")


def google_hook(kind: type, conn_id: str | None, credentials: GoogleCredentials | None, project_id: str | None) -> Any:
    """A hook of Google's provider, signed in as the config says.

    Args:
        kind: The hook's class.
        conn_id: An Airflow connection, in place of credentials.
        credentials: From the document; with neither, the default chain signs in.
        project_id: The project, where it is not the account's own.

    Raises:
        ConfigError: There is no such connection, or the key is none.
    """
    if conn_id:
        connection = connections.altered(connections.find(conn_id), project=project_id)
    else:
        connection = connections.make("google_cloud_platform", project=project_id, **_extra(credentials))
    return connections.hook_with(kind, connection, gcp_conn_id=conn_id or connections.IN_MEMORY)


def _extra(credentials: GoogleCredentials | None) -> dict[str, Any]:
    if credentials is None:
        return {}
    key = read_key(credentials.service_account_key)
    if key.get("type") == "external_account":  # workload identity federation: what it holds is no secret
        return {"credential_config_file": key}
    return {"keyfile_dict": key}


def read_key(text: str) -> dict[str, Any]:
    """A service account's key, from its JSON or from the file that a path names.

    Raises:
        ConfigError: It is neither; what it holds is never told.
    """
    where = "credentials.service_account_key"
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).expanduser().read_text("utf-8")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{where} is no JSON, and no file of that path can be read ({type(error).__name__})", allowed=ALLOWED
            ) from None
        tell(text)
    try:
        key = json.loads(text)
    except ValueError:
        raise ConfigError(f"{where} is not JSON", allowed=ALLOWED, hint="Look whether it was cut or quoted.") from None
    if isinstance(key, dict) and key.get("type") == "external_account":
        return key
    lacking = [name for name in KEY_FIELDS if not (isinstance(key, dict) and key.get(name))]
    if lacking:
        raise ConfigError(f"{where} is no key of a service account: it lacks {', '.join(lacking)}", allowed=ALLOWED)
    return dict(key)


def signed_in(sign_in: Callable[[], Any]) -> Any:
    """What a hook gives when it has signed in, such as a client.

    Raises:
        DestinationError: The key can't be used.
    """
    from google.auth.exceptions import GoogleAuthError, MalformedError

    try:
        return sign_in()
    except Exception as error:
        if isinstance(error, GoogleAuthError) and not isinstance(error, MalformedError):
            raise
        # The message may quote the key.
        raise DestinationError(
            f"the service account's key can't be used to sign ({type(error).__name__})",
            hint="Mend credentials.service_account_key or the connection: make the account a new key.",
        ) from None
