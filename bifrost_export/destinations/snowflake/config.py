"""Keys of `destination.config` for `snowflake`."""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from bifrost_export.config.fields import ConnectionText, Secret, Strict
from bifrost_export.config.plain_texts import Password
from bifrost_export.config.references import without_references
from bifrost_export.destinations.warehouse.identifiers import Identifier, TableName
from bifrost_export.errors import ConfigError

_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?::[0-9]{1,5})?")


class SnowflakeCredentials(Strict):
    """Keys of `credentials` for `snowflake`."""

    username: Password = Field(min_length=1, description="The user.")
    password: Password | None = Field(default=None, description="The user's password, or the private key's passphrase.")
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
        if value is not None and not _ACCOUNT.fullmatch(without_references(value)):
            raise ConfigError(
                f"{value!r} is no account",
                allowed="organization-account, or a locator with its region, with or without .snowflakecomputing.com",
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
