"""Sign in to Google: by a key from the document, by an Airflow connection, or by the machine's own account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import Field

from bifrost_export import connections, trust
from bifrost_export.errors import ConfigError, DestinationError
from bifrost_export.fields.markers import Secret, Strict
from bifrost_export.services.google_key import read_key, refused_key

KEY = "destination.config.credentials.service_account_key"


class GoogleCredentials(Strict):
    """Keys of `credentials` for Google's destinations."""

    service_account_key: Secret = Field(min_length=1, description="A service account's key: its JSON, or its path.")

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield a key that is written out and is not a service account's."""
        yield from refused_key("credentials/service_account_key", self.service_account_key, KEY)


def google_hook(
    kind: type, conn_id: str | None, credentials: GoogleCredentials | None, project_id: str | None, **arguments: Any
) -> Any:
    """A hook of Google's provider, signed in as the config says.

    Args:
        kind: The hook's class.
        conn_id: An Airflow connection, in place of credentials.
        credentials: From the document; with neither, the default chain signs in.
        project_id: The project, where it is not the account's own.
        arguments: Others of the hook.

    Raises:
        ConfigError: There is no such connection, or the key is none.
    """
    if conn_id:
        found = connections.find(conn_id)
        trust.require_type(found, "Google", "destination.config.conn_id")
        connection = connections.altered(found, project=project_id)
    else:
        key = None if credentials is None else read_key(credentials.service_account_key, KEY)
        connection = connections.make("google_cloud_platform", project=project_id, keyfile_dict=key)
    return connections.hook_with(kind, connection, gcp_conn_id=conn_id or connections.IN_MEMORY, **arguments)


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
