"""Staged rows: Arrow IPC files whose metadata says which plan, slice, dataset and steps made them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypedDict

import orjson
import pyarrow as pa
import pyarrow.ipc as ipc

from bifrost_export.errors import PlanMismatchError, StagingGoneError

if TYPE_CHECKING:
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.staging import Staging

KEY = b"bifrost_export"


class StagedFile(TypedDict):
    """What an XCom item says of a staged file: the one that the attempt wrote whose item it is.

    Args:
        name: Its name in the run's folder.
        sha256: Of its bytes.
    """

    name: str
    sha256: str


@dataclass(frozen=True)
class Stamp:
    """What a staged file says of itself.

    Args:
        plan: The plan's hash.
        token: The run's token.
        slice: Number of the slice, or -1 for a file over all slices.
        dataset: The dataset.
        steps: The steps that made it, in order.
    """

    plan: str
    token: str
    slice: int
    dataset: str
    steps: tuple[str, ...]

    @classmethod
    def of(cls, plan: Plan, slice_: int, dataset: str, steps: tuple[str, ...]) -> Stamp:
        """The stamp of a file of this plan."""
        return cls(plan.hash, plan.token, slice_, dataset, steps)


def file_name(stamp: Stamp, attempt: str) -> str:
    """A name that no other attempt of any task writes."""
    return f"{_number(stamp.slice)}.{stamp.dataset}.{stamp.steps[-1]}.{attempt}.arrow"


def _number(slice_: int) -> str:
    return "all" if slice_ < 0 else f"{slice_:05d}"


def write_rows(
    staging: Staging, stamp: Stamp, attempt: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> tuple[StagedFile, int]:
    """Write batches, zstd-compressed, and give the file and its rows."""
    name = file_name(stamp, attempt)
    stamped = schema.with_metadata({KEY: orjson.dumps(asdict(stamp))})
    rows = 0
    options = ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))
    with staging.write(name) as stream, ipc.new_file(stream, stamped, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(stamped.metadata))
            rows += batch.num_rows
    return {"name": name, "sha256": stream.sha256}, rows


def read_rows(
    staging: Staging, file: StagedFile, stamp: Stamp, offset: int = 0, count: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Read batches of a staged file, from row `offset`, `count` rows of them (None: to the end).

    Raises:
        StagingGoneError: The file isn't there, or has fewer rows.
        StagingChangedError: The file isn't the one that its task wrote.
        PlanMismatchError: The file isn't what `stamp` says.
    """
    name = file["name"]
    with staging.read(name, file["sha256"]) as stream:
        reader = ipc.open_file(stream)
        _check(name, reader.schema, stamp)
        left = count
        for index in range(reader.num_record_batches):
            if left == 0:
                return
            batch = reader.get_batch(index)
            if offset >= batch.num_rows:
                offset -= batch.num_rows
                continue
            batch = batch.slice(offset, left)
            offset = 0
            left = None if left is None else left - batch.num_rows
            yield batch.replace_schema_metadata(None)
        if left:
            raise StagingGoneError(f"the staged file {name} lacks {left:,} rows", hint="Clear from plan.")


def _check(name: str, schema: pa.Schema, stamp: Stamp) -> None:
    found = orjson.loads((schema.metadata or {}).get(KEY, b"{}"))
    wanted = {**asdict(stamp), "steps": list(stamp.steps)}
    differing = [key for key in wanted if found.get(key) != wanted[key]]
    if differing:
        raise PlanMismatchError(
            f"the staged file {name} is not what the plan says: "
            + "; ".join(f"{key} is {found.get(key)!r} instead of {wanted[key]!r}" for key in differing),
            hint="Clear from plan.",
        )
