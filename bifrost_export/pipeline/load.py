"""`load`: encode parts and put them at the destination, under the run's token."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from bifrost_export.destinations.port import Piece
from bifrost_export.pipeline.arrow_files import Stamp, read_rows
from bifrost_export.pipeline.books import Sums
from bifrost_export.pipeline.content_digest import ContentDigest, LinesDigest
from bifrost_export.pipeline.encoding import encoding_of
from bifrost_export.pipeline.flows import last_schema
from bifrost_export.pipeline.measured import Tally
from bifrost_export.pipeline.plan_document import check_token
from bifrost_export.pipeline.resources import open_destination, open_staging

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging


def load(runtime: Runtime, plan: Plan, group: dict[str, Any]) -> dict[str, Any]:
    """Load a group of files.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        group: What `reconcile` gave.

    Returns:
        `{"token", "group", "label", "pieces"}`, each piece with what landed and what its rows add up to.

    Raises:
        DestinationError: The destination refuses.
        DestinationUnavailableError: It is likely to take it later.
        StagingGoneError: A staged file isn't there.
        StagingChangedError: A staged file has other bytes than its task wrote.
    """
    check_token(plan, group, [])
    staging = open_staging(runtime, plan)
    destination = open_destination(runtime, plan)
    pieces = []
    for piece in group["pieces"]:
        rows = _Rows(plan, staging, piece)
        write = rows.write_part if piece["dataset"] else rows.write_rejected
        landed = destination.load(Piece(piece["dataset"], piece["number"], piece["of"], write, piece["rows"]))
        landed = replace(landed, content_digest=rows.digest)
        pieces.append({**{key: piece[key] for key in ("dataset", "number", "of")}, **asdict(landed), **rows.facts()})
        runtime.report("load", {"key": landed.key, "rows": landed.rows, "bytes": landed.bytes})
    return {**{key: group[key] for key in ("token", "group", "label")}, "pieces": pieces}


class _Rows:
    """The staged rows of one file, measured as they pass."""

    def __init__(self, plan: Plan, staging: Staging, piece: dict[str, Any]) -> None:
        self.plan, self.staging, self.piece = plan, staging, piece
        self.tally = Tally()
        self.digest = ""

    def write_part(self, sink: BinaryIO) -> int:
        """Encode a part."""
        encoding = encoding_of(self.plan.export)
        schema = last_schema(self.plan, self.piece["dataset"])
        content = ContentDigest(schema)
        rows: int = encoding.format.write(self._batches(content), schema, sink, encoding.compression)
        self.digest = content.hex()
        return rows

    def _batches(self, content: ContentDigest) -> Iterator[pa.RecordBatch]:
        dataset = self.piece["dataset"]
        for each in self.piece["from"]:
            stamp = Stamp.of(self.plan, each["slice"], dataset, self.plan.steps[dataset])
            for batch in read_rows(self.staging, each["file"], stamp, each["offset"], each["rows"]):
                self.tally.add(batch)
                content.add(batch)
                yield batch

    def write_rejected(self, sink: BinaryIO) -> int:
        """Join the slices' rejected rows into one gzip file, the same bytes for the same rows."""
        rows, content = 0, LinesDigest()
        with gzip.GzipFile(filename="", mode="wb", fileobj=sink, compresslevel=6, mtime=0) as packed:
            for each in self.piece["from"]:
                with self.staging.read(each["name"], each["sha256"]) as stream:
                    for line in stream:
                        packed.write(line)
                        content.add(line)
                        rows += 1
        self.tally.sums, self.digest = Sums(rows), content.hex()
        return rows

    def facts(self) -> dict[str, Any]:
        """What the rows add up to, and their first and last moment."""
        return {"sums": self.tally.sums.to_json(), **self.tally.ends()}
