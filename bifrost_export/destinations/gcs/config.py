"""Keys of `destination.config` for `gcs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator, model_validator

from bifrost_export.destinations.bucket_names import check_gcs_bucket
from bifrost_export.destinations.google.sign_in import GoogleCredentials
from bifrost_export.destinations.object_store.keys import Prefix
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, Strict
from bifrost_export.fields.plain_text import PlaceText


class GCSConfig(Strict):
    """Keys of `destination.config` for `gcs`."""

    bucket: ConnectionText = Field(min_length=1, description="The bucket; it must exist.")
    prefix: Prefix = Field(default="", description="Folders; {year} {month} {day} {hour} {dataset} {export}.")
    project_id: PlaceText | None = Field(default=None, description="The project, where not the account's own.")
    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of credentials.")
    credentials: GoogleCredentials | None = Field(
        default=None, description="Without it and conn_id: the default chain."
    )
    storage_class: str | None = Field(default=None, description="Storage class of the parts, such as NEARLINE.")
    kms_key_name: PlaceText | None = Field(
        default=None, description="Cloud KMS key: projects/P/locations/L/keyRings/R/cryptoKeys/K."
    )
    verify: Literal["size", "full"] = Field(
        default="size", description="What is compared before the commit: size and checksum, or a re-reading."
    )

    @field_validator("bucket")
    @classmethod
    def _bucket_is_one(cls, value: str) -> str:
        check_gcs_bucket(value)
        return value

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> GCSConfig:
        if self.conn_id is not None and self.credentials is not None:
            raise ValueError("conn_id and credentials exclude each other: give one of them")
        return self

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield a key that is written out and is not a service account's."""
        if self.credentials is not None:
            yield from self.credentials.refused()
