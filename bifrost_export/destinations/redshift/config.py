"""Keys of `destination.config` for `redshift`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator, model_validator

from bifrost_export import trust
from bifrost_export.destinations.bucket_names import check_s3_bucket
from bifrost_export.destinations.object_store.keys import Prefix
from bifrost_export.destinations.warehouse.identifiers import Identifier, TableName
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, Strict
from bifrost_export.fields.plain_text import Password, PlaceText
from bifrost_export.fields.reference_text import has_references

HOST = "destination.config.host"
PORT = 5439


class RedshiftCredentials(Strict):
    """Keys of `credentials` for `redshift`."""

    username: Password = Field(min_length=1, description="The user.")
    password: Password = Field(min_length=1, description="The user's password.")


class RedshiftStaging(Strict):
    """Keys of `staging` for `redshift`: where files wait for COPY."""

    bucket: ConnectionText = Field(min_length=1, description="A bucket in Redshift's own region; it must exist.")
    prefix: Prefix = Field(default="", description="Folders in the bucket.")
    iam_role: PlaceText | None = Field(
        default=None, description="The role by which COPY reads the bucket, or default; without it aws_conn_id's keys."
    )
    kms_key_id: PlaceText | None = Field(default=None, description="KMS key that the files are encrypted with.")
    sse: Literal["AES256", "aws:kms"] | None = Field(
        default=None, description="Server-side encryption of the files; aws:kms when kms_key_id is given."
    )

    @field_validator("bucket")
    @classmethod
    def _bucket_is_one(cls, value: str) -> str:
        check_s3_bucket(value)
        if value.startswith("arn:"):
            raise ConfigError(f"bucket {value!r} is an ARN, which COPY does not take", allowed="the name of a bucket")
        return value

    @model_validator(mode="after")
    def _one_encryption(self) -> RedshiftStaging:
        if self.sse == "AES256" and self.kms_key_id is not None:
            raise ConfigError(
                "sse: AES256 and kms_key_id exclude each other", allowed="sse: aws:kms with kms_key_id, or one of them"
            )
        return self


class RedshiftConfig(Strict):
    """Keys of `destination.config` for `redshift`."""

    cluster: ConnectionText | None = Field(default=None, description="A cluster, whose endpoint AWS is asked for.")
    workgroup: ConnectionText | None = Field(default=None, description="A workgroup of Redshift Serverless.")
    host: ConnectionText | None = Field(default=None, description="The endpoint's host.")
    port: int | None = Field(default=None, ge=1, le=65535, description="The endpoint's port; 5439 when not told.")
    region: ConnectionText | None = Field(default=None, description="The region of cluster, workgroup and bucket.")
    database: Identifier = Field(description="The database.")
    schema_: Identifier = Field(default="public", alias="schema", description="The schema of the tables.")
    table: TableName = Field(description="The table; {dataset} stands for the dataset.")
    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of credentials.")
    aws_conn_id: str | None = Field(default=None, description="An Airflow connection for AWS: endpoint, IAM, staging.")
    iam: bool = Field(default=False, description="Sign in by a password that IAM gives for an hour.")
    db_user: ConnectionText | None = Field(default=None, description="The user that iam signs in as.")
    credentials: RedshiftCredentials | None = Field(default=None, description="User and password.")
    on_long_text: Literal["fail", "cut", "null"] | None = Field(
        default=None,
        description="What happens to a text of more than 65,535 bytes: fail, cut or null. Without it the record's texts"
        " fail, and contents and all other texts are cut.",
    )
    staging: RedshiftStaging | None = Field(default=None, description="Where files wait for COPY.")

    @model_validator(mode="after")
    def _one_endpoint(self) -> RedshiftConfig:
        named = [name for name in ("cluster", "workgroup", "host") if getattr(self, name)]
        if len(named) > 1:
            raise ConfigError(
                f"{' and '.join(named)} name the endpoint twice", allowed="one of cluster, workgroup and host"
            )
        if not named and self.conn_id is None:
            raise ConfigError(
                "nothing says where Redshift is", allowed="cluster, workgroup, host, or conn_id of a connection"
            )
        if self.port is not None and not self.host:
            raise ConfigError("port goes with host", allowed="host and port, or neither")
        return self

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> RedshiftConfig:
        ways = [name for name in ("conn_id", "credentials", "iam") if getattr(self, name)]
        if ways == ["conn_id", "iam"]:  # the connection may name the endpoint alone
            ways = ["iam"]
        if len(ways) > 1:
            raise ConfigError(f"{' and '.join(ways)} exclude each other", allowed="one of conn_id, credentials and iam")
        if not ways:
            raise ConfigError("nothing says who signs in", allowed="conn_id, credentials, or iam: true with db_user")
        if self.iam and not self.db_user and not self.workgroup:
            raise ConfigError("iam needs db_user, unless a workgroup is named", allowed="the user to sign in as")
        return self

    @property
    def address(self) -> trust.Address | None:
        """The endpoint, where the document names its host."""
        return trust.of_host(self.host, self.port or PORT)

    @property
    def sent_in_clear(self) -> str:
        """What the endpoint receives, in words: the driver sends a password as the server asks for it."""
        sent = "the user's name and password"
        if self.iam:
            sent = "a password that IAM makes"
        elif self.conn_id is not None:
            sent = f"credentials of the Airflow connection {self.conn_id!r}"
        in_sql = self.staging is not None and not self.staging.iam_role
        return f"{sent}, and AWS keys in COPY" if in_sql else sent

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield the host when nobody vouches for it; a connection may name it, too."""
        if self.host and self.conn_id is None and not has_references(self.host):
            yield from trust.refusal("host", self.address, "Redshift", HOST, self.sent_in_clear)
