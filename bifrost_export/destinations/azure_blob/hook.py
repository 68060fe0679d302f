"""Makes the `WasbHook`: from a key or token in the document, from an Airflow connection, or from the default chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bifrost_export import connections, trust
from bifrost_export.destinations.azure_blob.config import ENDPOINT
from bifrost_export.errors import DestinationError
from bifrost_export.services import certificates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bifrost_export.destinations.azure_blob.config import AzureBlobConfig

PATIENCE: dict[str, Any] = {
    "initial_backoff": 1,
    "increment_base": 2,
    "random_jitter_range": 1,
    "retry_total": 4,
    "connection_timeout": 20,
    "read_timeout": 60,
}
"""How the client tries again what passes; a connection's own settings go before these."""


def make_hook(config: AzureBlobConfig) -> Any:
    """The provider's hook, signed in as the config says.

    Raises:
        DestinationError: The azure provider isn't installed.
        ConfigError: There is no connection of the id that the config names.
    """
    try:
        from airflow.providers.microsoft.azure.hooks.wasb import WasbHook
    except ImportError as error:
        raise connections.missing("the destination azure_blob", "microsoft-azure", "azure", error) from None
    if config.conn_id:
        found = connections.find(config.conn_id)
        trust.require_type(found, "Azure", "destination.config.conn_id")
        _require_host(config, connections.addresses_of(found))
        extra = {**PATIENCE, **found.extra_dejson}
        if config.endpoint_url and extra.get("connection_string"):
            extra["connection_string"] = _at(config.endpoint_url, extra["connection_string"])
        connection = connections.altered(found, host=config.endpoint_url, **extra)
        return connections.hook_with(WasbHook, _Patient(connection), wasb_conn_id=config.conn_id)
    _require_host(config)
    return connections.hook_with(WasbHook, _Patient(_connection(config)), wasb_conn_id=connections.IN_MEMORY)


class _Patient:
    """A connection whose client gives up at once on a certificate that it does not trust.

    Args:
        connection: The connection.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """The connection's settings, for the hook to hand to the client."""
        settings = dict(self.connection.extra_dejson)
        return {**settings, "transport": _transport(settings)}


def _transport(settings: dict[str, Any]) -> Any:
    from azure.core.exceptions import ServiceRequestError
    from azure.core.pipeline.transport import RequestsTransport

    class Transport(RequestsTransport):  # type: ignore[misc]
        """What the client sends its requests by; the client itself would try a certificate again for half a minute."""

        def send(self, request: Any, **options: Any) -> Any:
            try:
                return super().send(request, **options)
            except ServiceRequestError as error:
                untrusted = certificates.fault(error)
                if untrusted is None:
                    raise
                hint = certificates.hint("destination.config.endpoint_url", "REQUESTS_CA_BUNDLE")
                raise DestinationError(
                    f"asking {request.url.partition('?')[0]}: the store's {untrusted}", hint=hint
                ) from None

    known = ("connection_timeout", "read_timeout", "connection_verify", "connection_cert", "connection_data_block_size")
    return Transport(**{name: settings[name] for name in known if name in settings})


def _require_host(config: AzureBlobConfig, named: Sequence[trust.Address | None] = ()) -> None:
    """Refuse an address for a secret in clear; one that only sees signatures must be an address all the same."""
    if config.conn_id and not config.endpoint_url:
        return
    address, secret = trust.of_url(config.url), config.sent_in_clear
    if secret or address is None:
        trust.require_host(address, "Azure", ENDPOINT, secret or "a signature", named)


def _at(url: str, text: str) -> str:
    """A connection string with another address."""
    stated = [each for each in text.split(";") if each and not each.lower().startswith("blobendpoint=")]
    return ";".join([*stated, f"BlobEndpoint={url}"])


def _connection(config: AzureBlobConfig) -> Any:
    url = config.url
    # A connection string, since the hook takes the names of hosts apart that stand beside a key.
    if config.account_key:
        scheme = url.partition("://")[0]
        text = f"DefaultEndpointsProtocol={scheme};AccountName={config.account_name};AccountKey={config.account_key}"
        return connections.make("wasb", connection_string=f"{text};BlobEndpoint={url}", **PATIENCE)
    if config.sas_token:
        text = f"BlobEndpoint={url};SharedAccessSignature={config.sas_token.lstrip('?')}"
        return connections.make("wasb", connection_string=text, **PATIENCE)
    return connections.make("wasb", host=url, login=config.account_name, **PATIENCE)
