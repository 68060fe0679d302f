"""Rows on their way through transformations, measured between each two, and held to what each says of itself."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from zoneinfo import ZoneInfo

from bifrost_export.columns import arrow_schema
from bifrost_export.config.transformations import Stage, Step, make_step, transform_config
from bifrost_export.destinations.temporary_files import unnamed_file
from bifrost_export.errors import BifrostExportError, TransformError
from bifrost_export.pipeline.books import Change, Sums
from bifrost_export.pipeline.changes import Account
from bifrost_export.pipeline.resources import resolver
from bifrost_export.pipeline.twins import Apart
from bifrost_export.transforms.port import Setting

if TYPE_CHECKING:
    import pyarrow as pa

    from bifrost_export.pipeline.plan_document import Plan
    from bifrost_export.pipeline.runtime import Runtime
    from bifrost_export.pipeline.staging import Staging
    from bifrost_export.transforms.port import Transform


def open_transform(runtime: Runtime, plan: Plan, number: int) -> Transform:
    """A transformation with its references filled in.

    Args:
        runtime: The surroundings.
        plan: The run's plan.
        number: Its place in the document, from 1.

    Raises:
        MissingReferenceError: A reference has no value.
        ConfigError: A value is not allowed in its place.
    """
    config = plan.export.data.transformations[number - 1]
    pointer = f"{plan.frozen['pointer']}/data/transformations/{number - 1}"
    resolved = resolver(runtime, plan).resolve(config, transform_config(config["type"]), pointer)
    transform: Transform = make_step(number, resolved).transform
    return transform


def _open(runtime: Runtime, plan: Plan, step: Step) -> Transform:
    transform: Transform = step.transform if step.number == 0 else open_transform(runtime, plan, step.number)
    return transform


def open_transforms(runtime: Runtime, plan: Plan) -> list[Transform]:
    """All transformations of the export, on whichever dataset they run.

    Raises:
        MissingReferenceError: A reference has no value.
        ConfigError: A value is not allowed in its place.
    """
    return [open_transform(runtime, plan, number + 1) for number in range(len(plan.export.data.transformations))]


def setting_of(plan: Plan, staging: Staging, dataset: str) -> Setting:
    """Where the transformations of a dataset run; what they put aside stands by the staged files, without a name."""
    folder = staging.local_folder

    def scratch() -> BinaryIO:
        return unnamed_file(folder if folder and folder.is_dir() else None)

    return Setting(dataset, ZoneInfo(plan.export.schedule.timezone), scratch)


class Chain:
    """Transformations, one after another.

    Args:
        stages: Each with the columns before and after it.
        transforms: The same with their references filled in.
        setting: Where they run.
    """

    def __init__(self, stages: Sequence[Stage], transforms: Sequence[Transform], setting: Setting) -> None:
        self.stages = stages
        self.transforms = transforms
        self.setting = setting
        self._passed = [Sums() for _ in range(len(stages) + 1)]
        self._accounts = [Account(stage) for stage in stages]

    @classmethod
    def open(cls, runtime: Runtime, plan: Plan, staging: Staging, dataset: str, stages: Sequence[Stage]) -> Chain:
        """Open the transformations of a dataset.

        Raises:
            ConfigError: A reference has no value, or one that is not allowed.
        """
        transforms = [_open(runtime, plan, stage.step) for stage in stages]
        return cls(stages, transforms, setting_of(plan, staging, dataset))

    def of(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows that come out at the end.

        Raises:
            TransformError: A transformation fails, or gives other columns than it says.
        """
        rows = self._measured(0, batches)
        for index in range(len(self.stages)):
            rows = self._measured(index + 1, self._applied(index, rows))
        return rows

    @property
    def changes(self) -> tuple[Change, ...]:
        """What each did, once all rows have passed."""
        return tuple(
            Change(stage.step.name, given, gave, account.told, account.compared)
            for stage, given, gave, account in zip(
                self.stages, self._passed, self._passed[1:], self._accounts, strict=False
            )
        )

    @property
    def staged(self) -> Sums:
        """The rows that came out."""
        return self._passed[-1]

    def _measured(self, index: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            measured = Sums.of_batch(batch)
            self._passed[index] += measured
            if index:
                self._accounts[index - 1].add(batch, measured)
            yield batch

    def _applied(self, index: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        stage, transform = self.stages[index], self.transforms[index]
        schema = arrow_schema(stage.after)
        apart = None if transform.measured() else Apart(batches)
        passing = _Passing(batches if apart is None else iter(apart))
        made = self._made(index, transform, stage, passing)
        for batch in made:
            if not batch.schema.equals(schema, check_metadata=False):
                raise TransformError(
                    f"{stage.step.name} gave {_told(batch.schema)}, and said that it would give {_told(schema)}",
                    hint="Mend the transform: its columns() and apply() have to agree.",
                )
            if batch.num_rows:
                yield apart.together(batch) if apart is not None and transform.keeps_rows else batch

    def _made(self, index: int, transform: Transform, stage: Stage, passing: _Passing) -> Iterator[pa.RecordBatch]:
        try:
            yield from transform.apply(iter(passing), stage.before, self.setting)
        except BifrostExportError:
            raise
        except Exception as error:
            if passing.failed is error or isinstance(error, OSError):
                raise  # it came from the step before, or from a disk: nothing of this transform's
            frame = traceback.extract_tb(error.__traceback__)[-1]
            raise TransformError(
                f"{stage.step.name} failed with {type(error).__name__} in {Path(frame.filename).name}, line"
                f" {frame.lineno}, in {frame.name}",
                hint="Its message is not repeated here, since it may hold values of rows.",
            ) from None


class _Passing:
    """Batches, with the error by which they ended."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self.batches = batches
        self.failed: BaseException | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self.batches
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failed = error
            raise


def _told(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}{'' if field.nullable else ' required'}" for field in schema)
