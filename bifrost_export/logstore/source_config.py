"""The base of the config models of all log stores: names outside of a document, and hosts that a document names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import Strict

_IN_A_DOCUMENT = 'Set source in the document: {"type": ..., "config": {...}}.'


class SourceConfig(Strict):
    """Keys of `source.config`. A log store's own model is a subclass, and has a description for each key."""

    ADDRESS: ClassVar[str] = ""
    """The form of an address in `BIFROST_LOG_STORE`, for messages. Its scheme is the log store's registered name."""

    @classmethod
    def from_address(cls, address: str, where: str) -> dict[str, Any]:
        """Return the keys of `source.config` that an address stands for.

        Args:
            address: As it is written.
            where: What holds it, for messages.

        Raises:
            ConfigError: It isn't understood; the message must not contain it.
        """
        raise ConfigError(f"{where} names a log store of a type that has no address", hint=_IN_A_DOCUMENT)

    @classmethod
    def from_connection(cls, connection: Any, conn_id: str) -> dict[str, Any]:
        """Return the keys of `source.config` that an Airflow connection stands for.

        Args:
            connection: Its type is the log store's registered name.
            conn_id: Its id, for messages.

        Raises:
            ConfigError: It isn't understood.
        """
        raise ConfigError(
            f"the connection {conn_id} is for a log store of a type that no connection can name", hint=_IN_A_DOCUMENT
        )

    def named_by_document(self, written: Mapping[str, Any]) -> None:
        """Note that the document names the host: without an administrator's word it gets no secret of this machine.

        Args:
            written: The keys as the document writes them. A secret without a reference is the document's own.
        """
