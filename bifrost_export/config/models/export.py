"""What a user writes: an export of the document, in long form. References stay text here."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from bifrost_export import datasets
from bifrost_export.config.models.airflow_options import AirflowOptions
from bifrost_export.config.models.extra_types import ExtraTypes
from bifrost_export.config.models.file_formats import FormatName, check_compression, format_kind
from bifrost_export.config.models.kinds import load_kind, source_model
from bifrost_export.datasets.metrics import LEAST_BUCKET, MOST_BUCKET
from bifrost_export.datasets.request_logs import REQUEST_LOGS
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import LITERAL, LiteralText, Strict
from bifrost_export.fields.suggestions import brief, nearest
from bifrost_export.fields.units import parse_duration, parse_size
from bifrost_export.filters.config import Filters
from bifrost_export.logstore.columns import check_extra_field
from bifrost_export.registry import DESTINATIONS
from bifrost_export.schedules.schedule import Schedule

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
"""Of the names of exports, in which `__` may not stand either."""

_NAME = re.compile(NAME_PATTERN)

SHARE_PATTERN = r"(100|[0-9]{1,2})(\.[0-9]{1,6})?%"
"""Of a share of rows."""

_SHARE = re.compile(SHARE_PATTERN)


class Source(Strict):
    """Where the log rows come from."""

    type: LiteralText = Field(description="The kind of log store: sqlite, postgres, or the name of an installed one.")
    config: dict[str, Any] = Field(description="Its keys; path for sqlite, conn_id or host and more for postgres.")

    @field_validator("type")
    @classmethod
    def _type_is_known(cls, value: str) -> str:
        source_model(value)
        return value


def _dataset_is_known(name: str) -> str:
    if name not in datasets.names():
        raise ConfigError(
            f"there is no dataset {name!r}", allowed=", ".join(datasets.names()), hint=nearest(name, datasets.names())
        )
    return name


DatasetName = Annotated[LiteralText, AfterValidator(_dataset_is_known)]
ExtraField = Annotated[LiteralText, AfterValidator(check_extra_field)]


class Data(ExtraTypes):
    """What is exported, and how it is written."""

    include: tuple[DatasetName, ...] = Field(default=(REQUEST_LOGS.name,), min_length=1, description="The datasets.")
    format: FormatName = Field(
        default="parquet", description='The format of the files: a word, or {"type": "package.module:Class"}.'
    )
    compression: LiteralText | None = Field(default=None, description="Its compression; without it, the format's own.")
    csv_safe: bool = Field(
        default=False,
        description="true, with csv: texts that a spreadsheet would take for a formula begin with an apostrophe.",
    )
    filters: Filters = Field(default=Filters(), description="Which rows are exported.")
    transformations: tuple[dict[str, Any], ...] = Field(default=(), description="How rows are changed, in order.")
    extra_fields: tuple[ExtraField, ...] = Field(default=(), description="Columns of Bifrost's logs to add, by name.")
    include_content: bool = Field(default=False, description="true: with what was asked and answered.")
    metrics_bucket: LiteralText = Field(default="1h", description="How long a bucket of the dataset metrics is.")
    max_rows_per_file: int = Field(default=1_000_000, ge=1, description="Rows of a part.")
    max_file_size: LiteralText | None = Field(
        default=None, description="How much of the rows' values goes into a part, on average: 256MB, 1GiB."
    )
    max_rejected: LiteralText | int = Field(default="1%", description="A share, or a number of rows.")

    @field_validator("csv_safe")
    @classmethod
    def _csv_alone_can_be_safe(cls, value: bool, info: ValidationInfo) -> bool:
        name = info.data.get("format")
        if value and name is not None and name != "csv":
            raise ConfigError(
                f"csv_safe is an option of csv, and the format is {name}",
                hint='Write "format": "csv", or leave it out.',
            )
        return value

    @field_validator("include")
    @classmethod
    def _datasets_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ConfigError(f"include names a dataset twice: {', '.join(value)}")
        return value

    @field_validator("extra_fields")
    @classmethod
    def _extra_fields_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ConfigError(f"extra_fields names a column twice: {', '.join(value)}")
        return value

    @field_validator("metrics_bucket")
    @classmethod
    def _bucket_is_a_duration(cls, value: str) -> str:
        parse_duration(value, "metrics_bucket", LEAST_BUCKET, MOST_BUCKET)
        return value

    @field_validator("max_rejected", mode="before")
    @classmethod
    def _share_or_number(cls, value: object) -> object:
        if isinstance(value, str):
            good = bool(_SHARE.fullmatch(value)) and float(value[:-1]) <= 100
        else:
            good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not good:
            raise ConfigError(
                f"max_rejected is {brief(value, value)}", allowed="a share such as 1% or 0.5%, or a number of rows"
            )
        return value

    @field_validator("max_file_size")
    @classmethod
    def _size_is_one(cls, value: str | None) -> str | None:
        if value is not None:
            parse_size(value, "max_file_size")
        return value

    @field_validator("format")
    @classmethod
    def _format_is_known(cls, value: str) -> str:
        format_kind(value)
        return value

    @field_validator("compression")
    @classmethod
    def _format_can_do_it(cls, value: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("format")
        if name is not None:
            check_compression(name, value)
        return value

    @property
    def written_compression(self) -> str:
        """The compression, or without one the format's own."""
        own: str = format_kind(self.format).default_compression
        return self.compression or own

    @property
    def max_file_bytes(self) -> int | None:
        """`max_file_size` in bytes."""
        return None if self.max_file_size is None else parse_size(self.max_file_size, "max_file_size")


class Destination(Strict):
    """Where the files go."""

    type: LiteralText = Field(description="The kind of destination.")
    config: dict[str, Any] = Field(description="Keys of the destination, such as bucket or path.")

    @field_validator("type")
    @classmethod
    def _type_is_known(cls, value: str) -> str:
        load_kind(DESTINATIONS, value)
        return value


class Export(Strict):
    """One export: a schedule, a destination, and the data to send."""

    name: LiteralText = Field(description="Names the DAG and the files; unique over all documents.")
    enabled: bool = Field(default=True, description="false keeps its DAG out.", json_schema_extra={LITERAL: True})
    description: str = Field(default="", description="Words for the DAG's page.")
    owner: str = Field(default="", description="The owner of the DAG.")
    schedule: Schedule = Field(description="When it runs.")
    destination: Destination = Field(description="Where the files go.")
    data: Data = Field(default=Data(), description="What is exported.")
    source: Source | None = Field(default=None, description="A log store of its own.")
    airflow: AirflowOptions = Field(default=AirflowOptions(), description="How its DAG and tasks stand in Airflow.")

    @field_validator("name")
    @classmethod
    def _name_is_one(cls, value: str) -> str:
        check_name(value)
        return value


def check_name(value: str) -> None:
    """Refuse a name that can't name a DAG and files.

    Raises:
        ConfigError: It can't.
    """
    if not _NAME.fullmatch(value) or "__" in value:
        raise ConfigError(
            f"{value!r} is no name of an export",
            allowed="1 to 100 letters, digits, '_', '.' and '-', the first a letter or digit, without '__'",
        )
