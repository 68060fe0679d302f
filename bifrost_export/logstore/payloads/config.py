"""Keys of `object_storage`: where Bifrost has offloaded payloads to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from bifrost_export import trust
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, LiteralText, Secret, Strict
from bifrost_export.fields.plain_text import KeyText, PlaceText
from bifrost_export.fields.reference_text import has_references
from bifrost_export.fields.suggestions import nearest
from bifrost_export.logstore.source_config import SourceConfig
from bifrost_export.services.google_key import refused_key

KINDS = ("s3", "gcs")
"""The kinds of object storage that Bifrost offloads to."""


_OF_ONE_KIND = {
    "s3": ("region", "endpoint", "access_key_id", "secret_access_key", "session_token", "role_arn", "force_path_style"),
    "gcs": ("project_id", "credentials_json"),
}


_CREDENTIALS = ("access_key_id", "secret_access_key", "session_token", "role_arn", "credentials_json")


class ObjectStorage(Strict):
    """Keys of `object_storage`: Bifrost's own, and `conn_id`."""

    type: LiteralText = Field(description="s3 or gcs.")
    bucket: PlaceText = Field(min_length=1, description="The bucket that Bifrost offloads to.")
    prefix: ConnectionText = Field(default="bifrost", description="Folders before logs/; bifrost when not given.")
    compress: bool = Field(default=False, description="Bifrost's own; what is read is found out from its bytes.")
    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of credentials.")
    region: PlaceText | None = Field(default=None, description="s3: the bucket's region.")
    endpoint: PlaceText | None = Field(default=None, description="s3: address of an S3-compatible store.")
    force_path_style: bool = Field(default=False, description="s3: the bucket stands in the path of addresses.")
    access_key_id: KeyText | None = Field(default=None, description="s3: access key id.")
    secret_access_key: KeyText | None = Field(default=None, description="s3: secret access key.")
    session_token: KeyText | None = Field(default=None, description="s3: session token of temporary credentials.")
    role_arn: PlaceText | None = Field(default=None, description="s3: a role to assume.")
    project_id: PlaceText | None = Field(default=None, description="gcs: the project that is billed.")
    credentials_json: Secret | None = Field(
        default=None, description="gcs: a service account's key, as JSON or as the absolute path of its file."
    )

    @property
    def sent_in_clear(self) -> str | None:
        """What a request to `endpoint` carries in clear beside its signature, in words."""
        # Amazon gives out the role's token, whatever the endpoint is.
        has_token = bool(self.session_token or self.role_arn)
        return trust.secret_of_aws(conn_id=self.conn_id, has_keys=bool(self.access_key_id), has_token=has_token)

    def require_host(self, named: Sequence[trust.Address | None] = ()) -> None:
        """Refuse an endpoint that would receive a secret, and that nobody vouches for.

        Args:
            named: The addresses that the Airflow connection itself names.

        Raises:
            UntrustedHostError: Neither Amazon, nor the connection, nor an administrator does.
        """
        secret = self.sent_in_clear
        if self.endpoint and secret:
            trust.require_host(trust.of_url(self.endpoint), "AWS", f"{self.place}.endpoint", secret, named)

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield the endpoint when it is refused, and a key of Google's that is not a service account's."""
        secret = self.sent_in_clear
        if self.endpoint and self.conn_id is None and secret and not has_references(self.endpoint):
            yield from trust.refusal("endpoint", trust.of_url(self.endpoint), "AWS", f"{self.place}.endpoint", secret)
        yield from refused_key("credentials_json", self.credentials_json, f"{self.place}.credentials_json")

    _place: str = PrivateAttr("source.config.object_storage")

    @property
    def place(self) -> str:
        """Where it stands in the document, for messages."""
        return self._place

    def stands_at(self, place: str) -> None:
        """Tell where it stands in the document."""
        self._place = place

    @field_validator("type")
    @classmethod
    def _type_is_known(cls, value: str) -> str:
        if value not in KINDS:
            raise ConfigError(
                f"Bifrost offloads to no object storage of type {value!r}",
                allowed=", ".join(KINDS),
                hint=nearest(value, list(KINDS))
                or "Write the type that logs_store.object_storage has in Bifrost's own config.",
            )
        return value

    @model_validator(mode="after")
    def _keys_go_together(self) -> ObjectStorage:
        given = {name for name in self.model_fields_set if getattr(self, name) not in (None, "", False)}
        wrong = [name for kind, names in _OF_ONE_KIND.items() if kind != self.type for name in names if name in given]
        if wrong:
            raise ValueError(f"{', '.join(wrong)} is no key of an object storage of type {self.type}")
        if ("access_key_id" in given) != ("secret_access_key" in given):
            raise ValueError("access_key_id and secret_access_key go together: give both or neither")
        beside = [name for name in _CREDENTIALS if name in given]
        if self.conn_id is not None and beside:
            raise ValueError(f"conn_id excludes {', '.join(beside)}: the connection says it")
        return self


class Offloading(SourceConfig):
    """Keys of `source.config` for every log store that Bifrost writes."""

    object_storage: ObjectStorage | None = Field(
        default=None, description="Where Bifrost has offloaded payloads to, as logs_store.object_storage says it."
    )
    offloaded: Literal["fail", "skip"] = Field(
        default="fail", description="Without access to offloaded payloads: fail the run, or count the rows as skipped."
    )

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield what is refused of the object storage."""
        if self.object_storage is not None:
            yield from ((f"object_storage/{field}", error) for field, error in self.object_storage.refused())
