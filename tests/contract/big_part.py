"""Loads one part of 200,000 rows with 10 KB of random text each, uncompressed, and tells what it took.

    python -m tests.contract.big_part KIND

The store's settings stand in the variable BIG_PART, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

ROWS, WIDTH, BATCH = 200_000, 10_240, 500


def batches() -> Iterator[Any]:
    """The rows, a few MiB at a time."""
    import numpy as np
    import pyarrow as pa

    # Made as rows come from staging: as Arrow's buffers, without a Python object for each text.
    ends = pa.py_buffer(np.arange(0, (BATCH + 1) * WIDTH, WIDTH, np.int32))
    for number in range(ROWS // BATCH):
        text = random.Random(number).randbytes(BATCH * WIDTH // 2).hex()  # noqa: S311 (no secret)
        content = pa.StringArray.from_buffers(BATCH, ends, pa.py_buffer(text.encode()))
        yield pa.record_batch({"content": content})


def write(sink: BinaryIO) -> int:
    """The rows as JSON lines, as the format's writer makes them."""
    import pyarrow as pa

    from bifrost_export.registry import FORMATS

    rows: int = FORMATS.load("json")().write(batches(), pa.schema({"content": pa.string()}), sink, "none")
    return rows


def main(kind: str) -> None:
    """Load the part, publish it, and print what it took as JSON."""
    from bifrost_export.destinations.port import Piece, Target
    from bifrost_export.registry import DESTINATIONS
    from bifrost_export.testing.object_store_runs import DAY

    target = Target("big", DAY, "0badcafe", "UTC", ("request_logs",), ".jsonl", "application/x-ndjson")
    destination_type = DESTINATIONS.load(kind)
    config = destination_type.Config.model_validate_json(os.environ["BIG_PART"], strict=False)
    landed = destination_type(config, target).load(Piece("request_logs", 1, 1, write, ROWS))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"bytes": landed.bytes, "rows": landed.rows, "key": landed.key, "peak_mib": peak}))


if __name__ == "__main__":
    main(sys.argv[1])
