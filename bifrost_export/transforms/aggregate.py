"""`aggregate`: rows of the whole window as groups with metrics; percentiles are exact, and memory is bounded."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from bifrost_export.columns import Column, arrow_schema
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import LiteralText
from bifrost_export.fields.suggestions import nearest
from bifrost_export.hidden_columns import MEASURED, is_hidden
from bifrost_export.transforms.metrics import METRICS
from bifrost_export.transforms.port import Columns, Setting, Transform, TransformConfig
from bifrost_export.transforms.time_groups import TIME_GROUPS

if TYPE_CHECKING:
    import pyarrow as pa


def check_metric(name: str) -> str:
    """Refuse what is no metric.

    Raises:
        ConfigError: It is none.
    """
    if name not in METRICS:
        raise ConfigError(f"there is no metric {name!r}", allowed=", ".join(METRICS), hint=nearest(name, list(METRICS)))
    return name


_TYPES_OF_NEEDS = {
    "latency_ms": ("int32", "int64"),
    "input_tokens": ("int32", "int64"),
    "output_tokens": ("int32", "int64"),
    "status_code": ("int32", "int64"),
    "cost_usd": ("double",),
    "customer_id": ("string",),
    "timestamp": ("timestamp",),
}

MetricName = Annotated[
    LiteralText, AfterValidator(check_metric), WithJsonSchema({"type": "string", "enum": list(METRICS)})
]


class AggregateConfig(TransformConfig):
    """Group the rows of the whole window."""

    group_by: tuple[LiteralText, ...] = Field(
        min_length=1,
        description="Columns of the dataset; date, hour, week and month of the timestamp in the export's timezone.",
        examples=[["provider", "model", "date"]],
    )
    metrics: tuple[MetricName, ...] = Field(
        min_length=1, description="What is told of each group.", examples=[["count", "p95_latency", "total_cost"]]
    )

    @field_validator("group_by", "metrics")
    @classmethod
    def _names_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((name for index, name in enumerate(value) if name in value[:index]), None)
        if twice is not None:
            raise ConfigError(f"{twice!r} stands twice in the list")
        return value


class Aggregate(Transform):
    """Groups rows. A column of a dataset comes before a word for time of the same name."""

    Config: ClassVar[type[TransformConfig]] = AggregateConfig
    whole_window: ClassVar[bool] = True
    config: AggregateConfig

    def fields(self) -> tuple[str, ...]:
        """The columns that are grouped by, and what the metrics are made of."""
        named = [name for name in self.config.group_by if name not in TIME_GROUPS]
        needed = [need for metric in self.config.metrics for need in METRICS[metric].needs]
        return tuple(dict.fromkeys([*named, *needed]))

    def missing(self, names: Collection[str]) -> tuple[str, ...]:
        """Also the timestamp, for a word for time that is no column."""
        lacking = super().missing(names)
        return (*lacking, "timestamp") if self._times(names) and "timestamp" not in names else lacking

    def _times(self, names: Collection[str]) -> list[str]:
        return [name for name in self.config.group_by if name in TIME_GROUPS and name not in names]

    def columns(self, given: Columns) -> Columns:
        """The groups, then the metrics in the order written.

        Raises:
            ConfigError: A metric can't be made of a column, or has the name of a group.
        """
        known = {column.name: column for column in given}
        times = self._times(known)
        needed = {need for metric in self.config.metrics for need in METRICS[metric].needs} | set(
            ["timestamp"] if times else []
        )
        for need in sorted(needed):
            if known[need].type not in _TYPES_OF_NEEDS[need]:
                raise ConfigError(
                    f"the column {need!r} is {known[need].type} here, and no metric is made of that",
                    allowed=" or ".join(_TYPES_OF_NEEDS[need]),
                )
        if times and not known["timestamp"].required:
            raise ConfigError(f"{times[0]} is made of the column 'timestamp', which may be null here")
        for name in self.config.metrics:
            if name in self.config.group_by:
                raise ConfigError(f"{name!r} is a column to group by, and a metric", hint="Leave one of them out.")
        groups = [TIME_GROUPS[name] if name in times else known[name] for name in self.config.group_by]
        return (*groups, *(_column(name, known) for name in self.config.metrics))

    def changed(self, given: Columns) -> frozenset[str]:
        """Every column: a value stands once for all rows of its group."""
        return frozenset(column.name for column in given)

    def measured(self) -> tuple[str, ...]:
        """Return what its metrics are made of and the record can't always show."""
        return tuple(name for name in MEASURED if any(name in METRICS[each].needs for each in self.config.metrics))

    def accounts(self) -> dict[str, tuple[str, ...]]:
        """The metrics that add up to rows, tokens and cost of what came in."""
        return {name: METRICS[name].accounts for name in self.config.metrics if METRICS[name].accounts}

    def describe(self) -> str:
        """What by what."""
        return f"{', '.join(self.config.metrics)} by {', '.join(self.config.group_by)}"

    def apply(self, batches: Iterator[pa.RecordBatch], given: Columns, setting: Setting) -> Iterator[pa.RecordBatch]:
        """Group the rows."""
        from bifrost_export.transforms.group_measures import Wanted
        from bifrost_export.transforms.grouping import Grouping

        wanted = Wanted(self.config.group_by, self.config.metrics)
        grouping = Grouping(wanted, arrow_schema(self.columns(given)), setting)
        yield from grouping.of(self._with_times(batches, given, setting))

    def _with_times(
        self, batches: Iterator[pa.RecordBatch], given: Columns, setting: Setting
    ) -> Iterator[pa.RecordBatch]:
        """The columns that are needed alone, and the words for time."""
        import pyarrow as pa

        from bifrost_export.transforms.time_groups import time_groups

        times = self._times([column.name for column in given])
        names = [name for name in dict.fromkeys([*self.config.group_by, *self.fields()]) if name not in times]
        for batch in batches:
            made = time_groups(batch.column("timestamp"), times, setting.timezone) if times else {}
            beside = {name: batch.column(name) for name in batch.schema.names if is_hidden(name)}
            columns = {**{name: batch.column(name) for name in names}, **made, **beside}
            yield pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _column(name: str, known: dict[str, Column]) -> Column:
    metric = METRICS[name]
    required = metric.required and all(known[need].required or "tokens" in need for need in metric.needs)
    required = required or name in ("error_rate", "error_count", "success_count", "unique_customers")
    return Column(name, metric.type, required, metric.description)
