"""Keys of `source.config` for `postgres`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from bifrost_export import trust
from bifrost_export.fields.markers import ConnectionText, Secret
from bifrost_export.fields.reference_text import has_references
from bifrost_export.logstore.payloads.config import Offloading
from bifrost_export.logstore.postgres import address as addresses

_DIGITS = 9
"""Of a port's number, with zeros before it."""


def _number(value: Any) -> Any:
    """Bifrost's own config writes a port as text."""
    is_one = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS
    return int(value) if is_one else value


class PostgresConfig(Offloading):
    """Keys of `source.config` for `postgres`: Bifrost's own, and some more."""

    ADDRESS: ClassVar[str] = addresses.ADDRESS

    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of all keys that say where.")
    host: ConnectionText | None = Field(default=None, min_length=1, description="The server, or its socket's folder.")
    port: Annotated[int, Field(ge=1, le=65535), BeforeValidator(_number)] = Field(
        default=5432, description="The server's port."
    )
    user: ConnectionText | None = Field(default=None, description="A user who may SELECT from the table logs.")
    password: Secret | None = Field(default=None, description="The user's password.")
    db_name: ConnectionText | None = Field(default=None, min_length=1, description="The database.")
    ssl_mode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = Field(
        default=None, description="As libpq has it; prefer when not given."
    )
    ssl_root_cert: ConnectionText | None = Field(
        default=None, description="Certificates that the server's is checked against: an absolute path, or system."
    )
    ssl_cert: ConnectionText | None = Field(default=None, description="The user's certificate: an absolute path.")
    ssl_key: ConnectionText | None = Field(default=None, description="The key of ssl_cert: an absolute path.")
    schema_: ConnectionText | None = Field(
        default=None, alias="schema", min_length=1, description="Where the table logs is; else by the search path."
    )

    @model_validator(mode="after")
    def _one_way_to_connect(self) -> PostgresConfig:
        beside = sorted(self.model_fields_set - {"conn_id", "schema_", *Offloading.model_fields})
        if self.conn_id is not None and beside:
            raise ValueError(f"conn_id excludes {', '.join(beside)}: the connection says it")
        if self.conn_id is None and (self.host is None or self.db_name is None):
            raise ValueError("host and db_name are needed, or conn_id in their place")
        return self

    @classmethod
    def from_address(cls, address: str, where: str) -> dict[str, Any]:
        """Return the keys that `postgresql://...` stands for."""
        return addresses.from_address(address, where)

    @classmethod
    def from_connection(cls, connection: Any, conn_id: str) -> dict[str, Any]:
        """Return the keys that a connection of type `postgres` stands for."""
        return addresses.from_connection(connection, conn_id)

    _is_vouched_for: bool = PrivateAttr(True)

    @property
    def is_vouched_for(self) -> bool:
        """Whether the host may receive a password in clear."""
        return self._is_vouched_for

    def named_by_document(self, written: Mapping[str, Any]) -> None:
        """Note that the document names the host: without an administrator's word it gets no password in clear."""
        password = written.get("password")
        is_own = isinstance(password, str) and not has_references(password)
        if self.host and not self.host.startswith("/") and not is_own:
            self._is_vouched_for = trust.is_trusted(trust.of_host(self.host, self.port), "PostgreSQL")
