"""Memory of an aggregation with exact percentiles: bounded, however many rows and groups there are."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import re, sys, tempfile
from zoneinfo import ZoneInfo
import numpy as np, pyarrow as pa
from bifrost_export.config.transformations import make_step
from bifrost_export.datasets import columns_of
from bifrost_export.datasets.dataset import arrow_schema
from bifrost_export.transforms.metrics import METRICS
from bifrost_export.transforms.port import Setting

rows, groups = int(sys.argv[1]), int(sys.argv[2])
given = columns_of("request_logs")
schema = arrow_schema(given)
random = np.random.default_rng(1)

def batches():
    for start in range(0, rows, 32768):
        count = min(32768, rows - start)
        numbers = random.integers(0, groups, count)
        whole = lambda values: pa.array(values.astype("int32"))
        text = lambda value: pa.repeat(pa.scalar(value), count)
        yield pa.RecordBatch.from_arrays([
            pa.array(np.arange(start, start + count) * 8640 + 1767225600000000).cast(pa.timestamp("us", tz="UTC")),
            pa.array(np.arange(start, start + count)).cast(pa.string()),
            pa.array([f"cust_{each:08d}" for each in numbers]), text("openai"),
            pa.array([f"model-{each % 7}" for each in numbers]), text("/v1"), text("POST"),
            whole(random.choice([200, 500], count)), whole(random.lognormal(7, 1, count)),
            whole(random.integers(0, 5000, count)), whole(random.integers(0, 5000, count)),
            pa.array(random.random(count) / 100),
        ], schema=schema)

config = {"type": "aggregate", "group_by": ["provider", "model", "customer_id"], "metrics": list(METRICS)}
transform = make_step(1, config).transform
setting = Setting("request_logs", ZoneInfo("Europe/Berlin"), tempfile.TemporaryFile)
found = counted = 0
for batch in transform.apply(batches(), given, setting):
    found += batch.num_rows
    counted += sum(batch.column("count").to_pylist())
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) // 1024
print(found, counted, peak)
"""


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("rows", "groups"), [(1_000_000, 500), (10_000_000, 500), (10_000_000, 1_000_000)])
def test_an_aggregation_takes_less_than_a_gibibyte(rows: int, groups: int) -> None:
    """Also with 1,000,000 groups of 10,000,000 rows: they are divided on disk."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(rows), str(groups)], capture_output=True, text=True, check=True
    )
    found, counted, peak = map(int, done.stdout.split())
    print(f"\n{rows:,} rows, {groups:,} groups: {peak} MiB")  # noqa: T201 (the figure is what the test is for)
    assert counted == rows
    assert groups * 0.99 < found <= groups
    assert peak < 1024
