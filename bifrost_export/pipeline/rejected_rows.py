"""What is reported of rejected rows and of blanked fields, as lines of JSON in the order of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bifrost_export.datasets import named
from bifrost_export.datasets.tool_calls import TRACES
from bifrost_export.logstore.rejected import place_of
from bifrost_export.pipeline.flows import TOOL_CALLS
from bifrost_export.pipeline.odd_rows import OddRow, columns_of
from bifrost_export.pipeline.transform_chain import open_transforms

if TYPE_CHECKING:
    from bifrost_export.logstore.port import Rejected
    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging
    from bifrost_export.transforms.port import Transform

_PLACE = "at"
"""Where the row of a line stands, in microseconds since 1970: in lines that others are put among later."""


@dataclass(frozen=True)
class _Line:
    """One line, before its id is masked."""

    place: tuple[int, bytes]
    is_call: bool
    dataset: str
    request_id: str
    column: str
    kind: str
    reason: str
    value_type: str
    value_length: int | None


class Report:
    """Stages what is reported of one slice.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        staging: The run's staging.
        slice_: Number of the slice.
    """

    def __init__(self, runtime: Runtime, plan: Plan, staging: Staging, slice_: int) -> None:
        self.runtime, self.plan, self.staging, self.slice = runtime, plan, staging, slice_
        self.having = {dataset: columns_of(plan, dataset) for dataset in plan.datasets}

    def stage(
        self, rejected: dict[str, list[Rejected]], odd: Iterable[OddRow], *, is_whole: bool
    ) -> dict[str, Any] | None:
        """Stage the lines of a slice.

        Args:
            rejected: By dataset, or what stands for one.
            odd: Rows with blanked fields.
            is_whole: Whether these are all lines of the slice; else `add` puts others among them.

        Returns:
            `{"name", "sha256", "rows"}`, or None where there is nothing to report.
        """
        lines = [*self._of_rejected(rejected), *self._of_blanked(odd)]
        lines.sort(key=lambda line: (line.place, line.is_call))
        return self._write("rejected", self._dumped(lines, with_place=not is_whole))

    def add(self, staged: dict[str, Any] | None, odd: Iterable[OddRow]) -> dict[str, Any] | None:
        """Put the lines of rows with blanked fields among those that `stage` has staged."""
        told: list[dict[str, Any]] = []
        if staged is not None:
            with self.staging.read(staged["name"], staged["sha256"]) as stream:
                told = [orjson.loads(line) for line in stream]
        told += self._dumped(sorted(self._of_blanked(odd), key=lambda line: (line.place, line.is_call)), True)
        told.sort(key=lambda line: (line[_PLACE], (line["request_id"] or "").encode()))
        plain = ({name: value for name, value in line.items() if name != _PLACE} for line in told)
        return self._write("reported", list(plain))

    def _write(self, word: str, lines: list[dict[str, Any]]) -> dict[str, Any] | None:
        if not lines:
            return None
        name = f"{self.slice:05d}.{word}.{self.runtime.attempt}.jsonl"
        with self.staging.write(name) as stream:
            for line in lines:
                stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
        return {"name": name, "sha256": stream.sha256, "rows": len(lines)}

    def _of_rejected(self, rejected: dict[str, list[Rejected]]) -> Iterator[_Line]:
        for name, rows in rejected.items():
            for row in rows:
                shape = (row.reason, row.value_type, row.value_length)
                dataset, column = self._told_as(row.column, name == TOOL_CALLS)
                place = place_of(row)
                yield _Line(place, name == TOOL_CALLS, dataset, row.request_id, column, "rejected", *shape)

    def _of_blanked(self, rows: Iterable[OddRow]) -> Iterator[_Line]:
        for row in rows:
            for field in row.blanked():
                shape = (field.reason, field.value_type, field.value_length)
                dataset, column = self._told_as(field.column, row.is_call)
                place = (row.timestamp, row.request_id.encode())
                yield _Line(place, row.is_call, dataset, row.request_id, column, "blanked", *shape)

    def _told_as(self, column: str, is_call: bool) -> tuple[str, str]:
        """The first dataset that has a column, and its name there."""
        first = next((each for each, columns in self.having.items() if column in columns), self.plan.datasets[0])
        dataset = TRACES if is_call else first
        return dataset, named(dataset).told_as.get(column, column)

    def _dumped(self, lines: list[_Line], with_place: bool) -> list[dict[str, Any]]:
        transforms: list[Transform] = open_transforms(self.runtime, self.plan) if lines else []
        keys = ("dataset", "request_id", "column", "kind", "reason", "value_type", "value_length")
        told = []
        for line in lines:
            found = {key: getattr(line, key) for key in keys}
            for transform in transforms:
                found["request_id"] = transform.mask_value("request_id", found["request_id"])
            told.append({_PLACE: line.place[0], **found} if with_place else found)
        return told
