"""Keys of `destination.config` for `bigquery`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from pydantic import Field, field_validator, model_validator

from bifrost_export.destinations.google.sign_in import GoogleCredentials
from bifrost_export.destinations.warehouse.identifiers import TableName
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, Strict
from bifrost_export.fields.reference_text import without_references
from bifrost_export.fields.units import duration_of, parse_duration

NEVER = "never"
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{2,60}")
_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")


class BigQueryConfig(Strict):
    """Keys of `destination.config` for `bigquery`."""

    project_id: ConnectionText = Field(description="The project of the dataset, which jobs run in and are billed to.")
    dataset: ConnectionText = Field(description="The dataset; it must exist.")
    table: TableName = Field(description="The table; {dataset} stands for the dataset of Bifrost.")
    location: ConnectionText | None = Field(default=None, description="Where jobs run; the dataset's own without it.")
    conn_id: str | None = Field(default=None, description="An Airflow connection, in place of credentials.")
    credentials: GoogleCredentials | None = Field(
        default=None, description="Without it and conn_id: the default chain."
    )
    expiration: str = Field(
        default=NEVER,
        description="How long tables that are created keep a row after its day, such as 400d; or never: for good.",
        json_schema_extra={"pattern": "^([0-9]{1,9}[smhd]|never)$", "examples": ["never", "400d"]},
    )

    @field_validator("expiration")
    @classmethod
    def _expiration_is_one(cls, value: str) -> str:
        if value != NEVER:
            parse_duration(value, "expiration", dt.timedelta(days=1), dt.timedelta(days=36_500))
        return value

    @property
    def expires_after(self) -> dt.timedelta | None:
        """How long rows are kept; None: for ever."""
        return duration_of(self.expiration)

    @field_validator("project_id")
    @classmethod
    def _project_is_one(cls, value: str) -> str:
        return _checked(value, _PROJECT, "6 to 30 lower-case letters, digits and -, the first a letter")

    @field_validator("dataset")
    @classmethod
    def _dataset_is_one(cls, value: str) -> str:
        return _checked(value, _DATASET, "letters, digits and _")

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> BigQueryConfig:
        if self.conn_id is not None and self.credentials is not None:
            raise ConfigError("conn_id and credentials exclude each other", allowed="one of them")
        return self

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        """Yield a key that is written out and is not a service account's."""
        if self.credentials is not None:
            yield from self.credentials.refused()


def _checked(value: str, pattern: re.Pattern[str], allowed: str) -> str:
    # The `x` that stands for a reference is too short for a project.
    if "${" not in value and not value.startswith("env.") and not pattern.fullmatch(without_references(value)):
        raise ConfigError(f"{value!r} is no name that BigQuery takes", allowed=allowed)
    return value
