"""What a user writes: an export of the document, in long form. References stay text here."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from bifrost_export.config.airflow_options import AirflowOptions
from bifrost_export.config.durations import parse_duration
from bifrost_export.config.extra_types import ExtraTypes
from bifrost_export.config.fields import LITERAL, LiteralText, Strict
from bifrost_export.config.file_formats import FormatName, check_compression, format_kind
from bifrost_export.config.kinds import load_kind
from bifrost_export.config.log_columns import check_extra_field
from bifrost_export.config.schedules import Schedule
from bifrost_export.config.sizes import parse_size
from bifrost_export.config.sources import NOT_YET, SOURCE_CONFIGS
from bifrost_export.config.wording import brief, nearest, nearest_date_word
from bifrost_export.errors import ConfigError
from bifrost_export.registry import DESTINATIONS
from bifrost_export.window import parse_instant

DATASETS = ("request_logs", "response_logs", "error_logs", "metrics", "traces")
"""The datasets that `data.include` takes in this version."""

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
"""Of the names of exports, in which `__` may not stand either."""

_NAME = re.compile(NAME_PATTERN)
DATE_WORD_PATTERN = (
    r"last_[1-9][0-9]{0,3}_(hours|days|weeks|months)|today|yesterday|this_week|last_week|this_month|last_month"
)
"""Of the words of `filters.date_range`."""

SHARE_PATTERN = r"(100|[0-9]{1,2})(\.[0-9]{1,6})?%"
"""Of a share of rows."""

LEAST_BUCKET, MOST_BUCKET = dt.timedelta(minutes=1), dt.timedelta(days=31)
"""Of `data.metrics_bucket`."""

_WORD = re.compile(DATE_WORD_PATTERN)
_SHARE = re.compile(SHARE_PATTERN)


class Source(Strict):
    """Where the log rows come from."""

    type: LiteralText = Field(description="The kind of log store: sqlite or postgres.")
    config: dict[str, Any] = Field(description="Its keys; path for sqlite, conn_id or host and more for postgres.")

    @field_validator("type")
    @classmethod
    def _type_is_known(cls, value: str) -> str:
        if value not in SOURCE_CONFIGS:
            raise ConfigError(
                NOT_YET.get(value, f"there is no log store {value!r}"),
                allowed=", ".join(sorted(SOURCE_CONFIGS)),
                hint=nearest(value, list(SOURCE_CONFIGS)),
            )
        return value


class DateRange(Strict):
    """Two times that narrow the window."""

    start: LiteralText = Field(description="First instant; without a zone, in the export's.")
    end: LiteralText = Field(description="Last instant, inclusive at the precision in which it is written.")

    @field_validator("start", "end")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        parse_instant(value)
        return value

    @model_validator(mode="after")
    def _not_turned_round(self) -> DateRange:
        if parse_instant(self.start) > parse_instant(self.end):
            raise ConfigError(
                f"start {self.start!r} is later than end {self.end!r}", hint="Give the earlier time first."
            )
        return self


def _is_word(value: Any) -> str:
    return "a word" if isinstance(value, str) else "two times"


# Which of the two is meant is told apart first, so that an error speaks of that one alone.
DateRangeChoice = Annotated[
    Annotated[LiteralText, Tag("a word")] | Annotated[DateRange, Tag("two times")], Discriminator(_is_word)
]


Code = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Filters(Strict):
    """Which rows are exported: all that pass every filter."""

    date_range: DateRangeChoice | None = Field(default=None, description="A word, or start and end.")
    providers: tuple[LiteralText, ...] | None = Field(default=None, min_length=1, description="One of these providers.")
    models: tuple[LiteralText, ...] | None = Field(default=None, min_length=1, description="One of these models.")
    customers: tuple[LiteralText, ...] | None = Field(default=None, min_length=1, description="One of these customers.")
    status_codes: tuple[Code, ...] | None = Field(default=None, min_length=1, description="One of these status codes.")
    min_latency_ms: int | None = Field(default=None, ge=0, le=2**31 - 1, description="At least so slow, inclusive.")
    max_latency_ms: int | None = Field(default=None, ge=0, le=2**31 - 1, description="At most so slow, inclusive.")
    has_errors: bool | None = Field(default=None, description="true: status 400 and above; false: the rest.")

    @field_validator("date_range")
    @classmethod
    def _word_is_known(cls, value: str | DateRange | None) -> str | DateRange | None:
        if isinstance(value, str) and not _WORD.fullmatch(value):
            raise ConfigError(
                f"there is no date_range {value!r}",
                allowed="last_N_hours, last_N_days, last_N_weeks, last_N_months, today, yesterday, this_week,"
                ' last_week, this_month, last_month, or {"start": ..., "end": ...}',
                hint=nearest_date_word(value),
            )
        return value

    @model_validator(mode="after")
    def _latencies_leave_room(self) -> Filters:
        low, high = self.min_latency_ms, self.max_latency_ms
        if low is not None and high is not None and low > high:
            raise ConfigError(f"min_latency_ms {low} is above max_latency_ms {high}: no row would pass")
        return self


def _dataset_is_known(name: str) -> str:
    if name not in DATASETS:
        raise ConfigError(
            f"there is no dataset {name!r}", allowed=", ".join(DATASETS), hint=nearest(name, list(DATASETS))
        )
    return name


DatasetName = Annotated[LiteralText, AfterValidator(_dataset_is_known)]
ExtraField = Annotated[LiteralText, AfterValidator(check_extra_field)]


class Data(ExtraTypes):
    """What is exported, and how it is written."""

    include: tuple[DatasetName, ...] = Field(default=("request_logs",), min_length=1, description="The datasets.")
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
