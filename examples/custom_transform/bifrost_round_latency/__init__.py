"""A transformation of one's own: latencies rounded down to a step, so that they tell less of a single request."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from bifrost_export.transforms.port import Columns, Setting, Transform, TransformConfig

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


class RoundLatencyConfig(TransformConfig):
    """Round latencies down."""

    step_ms: int = Field(default=100, ge=1, description="Milliseconds to which latencies are rounded down.")


class RoundLatency(Transform):
    """Keeps all rows, and changes one column."""

    Config: ClassVar[type[TransformConfig]] = RoundLatencyConfig
    keeps_rows: ClassVar[bool] = True
    config: RoundLatencyConfig

    def fields(self) -> tuple[str, ...]:
        """It runs on the datasets that have this column."""
        return ("latency_ms",)

    def changed(self, given: Columns) -> frozenset[str]:
        """The books don't compare what it changes."""
        return frozenset(["latency_ms"])

    def describe(self) -> str:
        """For the DAG's page."""
        return f"round latencies down to {self.config.step_ms} ms"

    def apply(self, batches: Iterator[pa.RecordBatch], given: Columns, setting: Setting) -> Iterator[pa.RecordBatch]:
        """Round them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        step = pa.scalar(self.config.step_ms, pa.int32())
        for batch in batches:
            index = batch.schema.get_field_index("latency_ms")
            rounded = pc.multiply(pc.divide(batch.column(index), step), step)
            yield batch.set_column(index, batch.schema.field(index), rounded)
