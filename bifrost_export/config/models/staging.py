"""Keys of `log_exports.staging`: where rows wait between tasks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator, model_validator

from bifrost_export import trust
from bifrost_export.config.models.staging_url import staging_url_problem
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, Strict
from bifrost_export.fields.reference_text import has_references

ENCRYPTED = {"kms_key_id": ("s3", "gs", "gcs"), "sse": ("s3",)}
"""Keys of `staging` that say how files are encrypted, and the schemes that know them."""

_IN_AZURE = re.compile(r"(?:https?://|(?:abfss?|wasbs?)://[^/@]*@)(?P<host>[^/]*)(?:/.*)?", re.IGNORECASE | re.DOTALL)


class Staging(Strict):
    """Where rows wait between tasks."""

    url: ConnectionText | None = Field(
        default=None,
        description="file:///folder, s3://bucket/prefix, gs://bucket/prefix, or az://container/prefix with conn_id.",
    )
    conn_id: str | None = Field(default=None, description="An Airflow connection for an object store.")
    kms_key_id: ConnectionText | None = Field(
        default=None, description="s3, gs: KMS key that staged files are encrypted with."
    )
    sse: Literal["AES256", "aws:kms"] | None = Field(
        default=None, description="s3: server-side encryption of staged files; aws:kms when kms_key_id is given."
    )
    keep_days: int = Field(default=7, ge=1, le=3650, description="Days after which what dead runs left is swept.")
    shared: bool = Field(default=False, description="The folder is on a disk that all workers share.")

    @field_validator("url")
    @classmethod
    def _url_is_one(cls, value: str | None) -> str | None:
        is_reference = value is not None and has_references(value)
        if value is not None and not is_reference and (problem := staging_url_problem(value)) is not None:
            raise problem
        return value

    @model_validator(mode="after")
    def _encryption_is_known(self) -> Staging:
        if self.sse == "AES256" and self.kms_key_id is not None:
            raise ConfigError(
                "sse: AES256 and kms_key_id exclude each other", allowed="sse: aws:kms with kms_key_id, or one of them"
            )
        scheme, separator, _ = (self.url or "file://").partition("://")
        for key, schemes in ENCRYPTED.items():
            if getattr(self, key) is not None and separator and scheme not in schemes:
                raise ConfigError(
                    f"{key} does not go with staging on {scheme}://",
                    allowed=f"{key} with {' or '.join(f'{each}://' for each in schemes)}",
                    hint=f"Leave {key} out, or set log_exports.staging.url to another store.",
                )
        return self

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield an address in Azure that would receive this machine's token, and that nobody vouches for."""
        found = _IN_AZURE.fullmatch(self.url or "")
        if found and self.conn_id is None and not has_references(str(self.url)):
            host = found["host"].replace(".dfs.", ".blob.", 1)
            token = "a bearer token of this machine"  # noqa: S105 (words)
            yield from trust.refusal("url", trust.of_host(host), "Azure", "log_exports.staging.url", token)
