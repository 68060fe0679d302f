"""What makes `metrics` of requests: a built-in aggregation by time, provider and model, which no document names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import Field

from bifrost_export.columns import arrow_schema
from bifrost_export.datasets.metrics import LEAST_BUCKET, METRICS, MOST_BUCKET
from bifrost_export.fields.units import parse_duration
from bifrost_export.hidden_columns import MEASURED
from bifrost_export.transforms.metrics import METRICS as MEASURES
from bifrost_export.transforms.port import Columns, Setting, Transform, TransformConfig

if TYPE_CHECKING:
    import pyarrow as pa

_KEYS: Final = ("bucket_start", "provider", "model")
_MADE_OF: Final = {
    "requests": "count",
    "errors": "error_count",
    "error_rate": "error_rate",
    "avg_latency_ms": "avg_latency",
    "p50_latency_ms": "p50_latency",
    "p95_latency_ms": "p95_latency",
    "p99_latency_ms": "p99_latency",
    "input_tokens": "total_input_tokens",
    "output_tokens": "total_output_tokens",
    "cost_usd": "total_cost",
}
"""Column -> the metric of `aggregate` that it holds."""


class BucketsConfig(TransformConfig):
    """The built-in aggregation."""

    bucket: str = Field(description="Length of a bucket, as `data.metrics_bucket` has it.")


class Buckets(Transform):
    """Groups requests."""

    Config: ClassVar[type[TransformConfig]] = BucketsConfig
    whole_window: ClassVar[bool] = True
    config: BucketsConfig

    def takes(self, names: Collection[str]) -> bool:
        """It belongs to its dataset, whatever the columns."""
        return True

    def columns(self, given: Columns) -> Columns:
        """Those of the dataset."""
        return METRICS.columns

    def changed(self, given: Columns) -> frozenset[str]:
        """Every column: a value stands once for all rows of its group."""
        return frozenset(column.name for column in given)

    def measured(self) -> tuple[str, ...]:
        """Return what its columns are made of and the record can't always show."""
        return tuple(MEASURED)

    def accounts(self) -> dict[str, tuple[str, ...]]:
        """Rows, tokens and cost of what came in."""
        return {name: MEASURES[metric].accounts for name, metric in _MADE_OF.items() if MEASURES[metric].accounts}

    def describe(self) -> str:
        """What it makes."""
        return f"metrics by provider and model, every {self.config.bucket}"

    def apply(self, batches: Iterator[pa.RecordBatch], given: Columns, setting: Setting) -> Iterator[pa.RecordBatch]:
        """Group the rows."""
        import pyarrow as pa

        from bifrost_export.transforms.group_measures import Wanted
        from bifrost_export.transforms.grouping import Grouping

        schema = arrow_schema(METRICS.columns)
        wanted = Wanted(_KEYS, tuple(_MADE_OF.values()))
        named = pa.schema([schema.field(name).with_name(_MADE_OF.get(name, name)) for name in schema.names])
        for batch in Grouping(wanted, named, setting).of(self._with_buckets(batches)):
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

    def _with_buckets(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import pyarrow.compute as pc

        length = parse_duration(self.config.bucket, "metrics_bucket", LEAST_BUCKET, MOST_BUCKET)
        micros = pa.scalar(int(length.total_seconds()) * 1_000_000, pa.int64())
        for batch in batches:
            instants = batch.column("timestamp").cast(pa.int64()).to_numpy(zero_copy_only=False)
            starts = pa.array(instants // micros.as_py() * micros.as_py(), pa.int64())
            buckets = pc.cast(starts, pa.timestamp("us", tz="UTC"))
            yield batch.append_column(pa.field("bucket_start", buckets.type, nullable=False), buckets)
