"""Makes BigQuery's client, by the provider's `BigQueryHook`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export import connections
from bifrost_export.destinations.google.sign_in import google_hook

if TYPE_CHECKING:
    from bifrost_export.destinations.bigquery.config import BigQueryConfig


def connect(config: BigQueryConfig) -> Any:
    """A client of the project, signed in as the config says when it is first used.

    Raises:
        DestinationError: The google provider isn't installed.
        ConfigError: There is no connection of the id that the config names, or the key is none.
    """
    try:
        from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
    except ImportError as error:
        raise connections.missing("the destination bigquery", "google", "google", error) from None
    # What the client asks is standard SQL in any case; newer providers warn of whoever leaves this to its default.
    how = {"use_legacy_sql": False}
    hook = google_hook(BigQueryHook, config.conn_id, config.credentials, config.project_id, **how)
    return hook.get_client(project_id=config.project_id, location=config.location)
