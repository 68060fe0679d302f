"""Keys of `destination.config` for `azure_blob`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from bifrost_export import trust
from bifrost_export.destinations.bucket_names import check_blob_host, check_container, check_endpoint
from bifrost_export.destinations.object_store.keys import Prefix
from bifrost_export.destinations.object_store.tags import Tags
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, Strict
from bifrost_export.fields.plain_text import KeyText, PlaceText
from bifrost_export.fields.reference_text import has_references, without_references

ENDPOINT = "destination.config.endpoint_url"


_ACCOUNT = re.compile(r"[A-Za-z0-9-]{1,63}")


_TOKEN = re.compile(r"[^;\s]*")


class AzureBlobConfig(Strict):
    """Keys of `destination.config` for `azure_blob`."""

    container: ConnectionText = Field(min_length=1, description="The container; it must exist.")
    account_name: PlaceText | None = Field(default=None, description="The storage account.")
    account_key: KeyText | None = Field(default=None, description="A key of the account.")
    sas_token: KeyText | None = Field(default=None, description="A SAS token with the permissions rcwdl.")
    prefix: Prefix = Field(default="", description="Folders; {year} {month} {day} {hour} {dataset} {export}.")
    endpoint_url: PlaceText | None = Field(
        default=None, description="The account's address, where it is not https://ACCOUNT.blob.core.windows.net."
    )
    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of key and token.")
    access_tier: Literal["Hot", "Cool", "Cold", "Archive"] | None = Field(
        default=None, description="Access tier of the parts; without it, the account's own."
    )
    tags: Tags = Field(default={}, description="Index tags of the parts.")
    verify: Literal["size", "full"] = Field(
        default="size", description="What is compared before the commit: size and checksum, or a re-reading."
    )

    @field_validator("account_name")
    @classmethod
    def _account_is_one(cls, value: str | None) -> str | None:
        if value is not None and not _ACCOUNT.fullmatch(without_references(value)):
            raise ConfigError(
                f"{value!r} is not a valid name of a storage account",
                allowed="3 to 24 lower-case letters and digits",
                hint="Set an address of your own in endpoint_url.",
            )
        return value

    @field_validator("sas_token")
    @classmethod
    def _token_is_one(cls, value: str | None) -> str | None:
        # It becomes a part of a connection string, which could name another address.
        if value is not None and not _TOKEN.fullmatch(without_references(value)):
            raise ConfigError("sas_token contains ';' or a blank", allowed="a query such as sv=...&sig=...")
        return value

    @field_validator("container")
    @classmethod
    def _container_is_one(cls, value: str) -> str:
        check_container(value)
        return value

    @field_validator("endpoint_url")
    @classmethod
    def _endpoint_is_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            check_endpoint(value, info.data.get("container"))
            check_blob_host(value)
        return value

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> AzureBlobConfig:
        given = [name for name in ("conn_id", "account_key", "sas_token") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other: give one of them")
        if self.conn_id is None and self.account_name is None and self.endpoint_url is None:
            raise ValueError("account_name is missing: give it, or endpoint_url or conn_id, which name the account")
        if self.account_key is not None and self.account_name is None:
            raise ValueError("account_key needs account_name: the key signs in the account's name")
        if self.access_tier == "Archive" and self.verify == "full":
            raise ValueError("verify: full can't read what access_tier: Archive puts away: use verify: size")
        return self

    @property
    def url(self) -> str:
        """The account's address, where the document names it."""
        return self.endpoint_url or f"https://{self.account_name}.blob.core.windows.net"

    @property
    def sent_in_clear(self) -> str | None:
        """What a request carries in clear, in words; an account's key only signs."""
        if self.conn_id is not None:
            return f"credentials of the Airflow connection {self.conn_id!r}"
        if self.sas_token is not None:
            return "a SAS token"
        return None if self.account_key is not None else "a bearer token of this machine"

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield the endpoint when a secret would reach it that nobody vouches for; a connection may name it, too."""
        secret = self.sent_in_clear
        if self.endpoint_url and self.conn_id is None and secret and not has_references(self.endpoint_url):
            yield from trust.refusal("endpoint_url", trust.of_url(self.endpoint_url), "Azure", ENDPOINT, secret)
