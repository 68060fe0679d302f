"""The port of an object storage that Bifrost has offloaded payloads to: it is only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from bifrost_export import connections, trust
from bifrost_export.errors import ConfigError, LogStoreError

if TYPE_CHECKING:
    from bifrost_export.logstore.payloads.config import ObjectStorage

RIGHTS = {"s3": "s3:GetObject and s3:ListBucket", "gcs": "storage.objects.get and storage.objects.list"}
"""What a reader needs: without the right to list, a store answers that a missing object is forbidden."""


def way_out(place: str = "source.config.object_storage") -> str:
    """What a run without access to the payloads can do.

    Args:
        place: Where the object storage stands in the document, or would stand.
    """
    where = (
        "the config of a log_exports.source in place of logs_store"
        if place.startswith("logs_store")
        else (place.rpartition(".")[0])
    )
    return f'Or set offloaded: "skip" in {where}: then the rows are exported by what they still have, and counted.'


def named_connection(config: ObjectStorage, **extra: Any) -> Any:
    """The Airflow connection that an object storage names.

    Args:
        config: The object storage, with a `conn_id`.
        extra: Settings that the document gives in place of the connection's own; None for those that it doesn't.

    Raises:
        LogStoreError: Airflow has no such connection.
        ConfigError: Its type does not fit, or the document's endpoint may not receive its secrets.
    """
    try:
        found = connections.find(str(config.conn_id))
    except ConfigError as error:
        raise LogStoreError(f"{config.place}.conn_id: {error.message}", hint=error.hint) from None
    trust.require_type(found, {"s3": "AWS", "gcs": "Google"}[config.type], f"{config.place}.conn_id")
    config.require_host(connections.addresses_of(found))
    return connections.altered(found, **extra)


class PayloadReader(Protocol):
    """**Protocol.** Reads objects of one bucket; many threads may use it at once."""

    def read(self, key: str, first: int, last: int) -> bytes | None:
        """The bytes from `first` to `last`, both inclusive, or as many as there are; None without such an object.

        Raises:
            LogStoreError: Access is refused, or there is no such bucket.
            LogStoreBusyError: The store throttles or can't be reached, after the client's own retries.
        """
        ...

    def any_key(self, folder: str) -> str | None:
        """The key of some object whose key begins so, or None."""
        ...
