"""Keys of `destination.config` for `snowflake`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import Field, field_validator, model_validator

from bifrost_export import trust
from bifrost_export.destinations.warehouse.identifiers import Identifier, TableName
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, Secret, Strict
from bifrost_export.fields.plain_text import Password
from bifrost_export.fields.reference_text import has_references, without_references

ACCOUNT = "destination.config.account"
DOMAIN = ".snowflakecomputing.com"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,251}[A-Za-z0-9])?"
_ACCOUNT = re.compile(rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?")
_CONSOLE = re.compile(r"app\.snowflake\.com/([\w-]+)/([\w-]+)", re.IGNORECASE)


def account_fix(account: str) -> str | None:
    """What to write in place of an account that is none, or None for one that can be.

    Args:
        account: As it stands in the document.
    """
    bare = re.sub(r"^[a-z][a-z0-9+.-]*://", "", account.strip(), flags=re.IGNORECASE)
    if console := _CONSOLE.match(bare):
        return f"Set destination.config.account to '{console[1]}-{console[2]}'."
    host = re.split(r"[/?#]", bare, maxsplit=1)[0].rpartition("@")[2].rstrip(".")
    if host == account and _ACCOUNT.fullmatch(host):
        return None
    if slash := re.fullmatch(r"([\w-]+)/([\w-]+)", bare):
        return f"Set destination.config.account to '{slash[1]}-{slash[2]}'."
    if _ACCOUNT.fullmatch(host):
        return f"Set destination.config.account to {host!r}."
    return "Ask Snowflake: SELECT CURRENT_ORGANIZATION_NAME() || '-' || CURRENT_ACCOUNT_NAME()."


class SnowflakeCredentials(Strict):
    """Keys of `credentials` for `snowflake`."""

    username: Password = Field(min_length=1, description="The user.")
    password: Password | None = Field(
        default=None, description="The user's programmatic access token or password, or the private key's passphrase."
    )
    private_key: Secret | None = Field(default=None, description="The user's private key: PEM, or a path to it.")

    @model_validator(mode="after")
    def _one_of_two(self) -> SnowflakeCredentials:
        if self.password is None and self.private_key is None:
            raise ConfigError("username alone signs nobody in", allowed="password, or private_key")
        return self


class SnowflakeConfig(Strict):
    """Keys of `destination.config` for `snowflake`."""

    account: ConnectionText | None = Field(
        default=None, description="The account, with or without .snowflakecomputing.com; or its host and port."
    )
    database: Identifier = Field(description="The database; it must exist.")
    schema_: Identifier = Field(default="PUBLIC", alias="schema", description="The schema of the tables.")
    table: TableName = Field(description="The table; {dataset} stands for the dataset.")
    warehouse: ConnectionText | None = Field(default=None, description="The warehouse; the user's own without it.")
    role: ConnectionText | None = Field(default=None, description="The role; the user's own without it.")
    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of credentials.")
    credentials: SnowflakeCredentials | None = Field(default=None, description="User, and password or private key.")

    @field_validator("account")
    @classmethod
    def _account_is_one(cls, value: str | None) -> str | None:
        if value is not None and (fix := account_fix(without_references(value))) is not None:
            raise ConfigError(
                f"{value!r} is not a valid account",
                allowed="<organization>-<account>, or a locator with its region (xy12345.eu-central-1), with or without"
                " .privatelink and .snowflakecomputing.com",
                hint=fix,
            )
        return value

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> SnowflakeConfig:
        if self.conn_id is not None and self.credentials is not None:
            raise ConfigError("conn_id and credentials exclude each other", allowed="one of them")
        if self.conn_id is None and self.credentials is None:
            raise ConfigError("nothing says who signs in", allowed="conn_id, or credentials")
        if self.conn_id is None and self.account is None:
            raise ConfigError("account is missing", allowed="the account, or conn_id of a connection that names it")
        return self

    @property
    def address(self) -> trust.Address | None:
        """Where the driver signs in by the document's account."""
        found = account_of(str(self.account))
        return trust.of_host(found.get("host") or f"{found['account']}{DOMAIN}", found.get("port"))

    @property
    def sent_in_clear(self) -> str:
        """What signing in sends, in words."""
        if self.conn_id is not None:
            return f"credentials of the Airflow connection {self.conn_id!r}"
        return "the user's name and password" if self.credentials and self.credentials.password else "the user's name"

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield the account when it names a host that nobody vouches for; a connection may name it, too."""
        if self.account and self.conn_id is None and not has_references(self.account):
            yield from trust.refusal("account", self.address, "Snowflake", ACCOUNT, self.sent_in_clear)


def account_of(account: str) -> dict[str, Any]:
    """Account, host and port that the config's `account` stands for.

    Args:
        account: With or without its domain; another host (a private one, China's) or a port is taken as it is.
    """
    host, _, port = account.partition(":")
    if host.lower().endswith(DOMAIN):
        host = host[: -len(DOMAIN)]
        is_named = bool(port) or "_" in host
        named = {"host": host.replace("_", "-") + DOMAIN, **({"port": int(port)} if port else {})}
        return {"account": host, **(named if is_named else {})}
    if port or host.lower().endswith(".snowflakecomputing.cn"):
        return {"account": host.partition(".")[0], "host": host, **({"port": int(port)} if port else {})}
    # A name with an underscore has no certificate: Snowflake's hosts have hyphens in their place.
    return {"account": host, **({"host": host.replace("_", "-") + DOMAIN} if "_" in host else {})}
