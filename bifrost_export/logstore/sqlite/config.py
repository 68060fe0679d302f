"""Keys of `source.config` for `sqlite`."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import Field

from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import PathText
from bifrost_export.logstore.payloads.config import Offloading


class SQLiteConfig(Offloading):
    """Keys of `source.config` for `sqlite`."""

    ADDRESS: ClassVar[str] = "sqlite:////absolute/path/logs.db, with four slashes"

    path: PathText = Field(min_length=1, description="The SQLite file that Bifrost writes.")

    @classmethod
    def from_address(cls, address: str, where: str) -> dict[str, Any]:
        """Return the path after `sqlite:///`."""
        parts = urlsplit(address)
        path = unquote(parts.path[1:])
        if parts.netloc or not path:
            raise ConfigError(f"{where} names no file", allowed=cls.ADDRESS)
        return {"path": path}

    @classmethod
    def from_connection(cls, connection: Any, conn_id: str) -> dict[str, Any]:
        """Return the path, which the connection has as its host."""
        path = str(connection.host or connection.schema or "")
        if not path:
            raise ConfigError(
                f"the connection {conn_id} names no file", allowed="the SQLite file's absolute path as its host"
            )
        return {"path": path}
