"""`data.transformations`: what each entry is, on which dataset it runs, and the columns before and after it.

The columns are known without any row: a document's check, a plan, a DAG's page and every task ask here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from bifrost_export.config.models.kinds import load_kind
from bifrost_export.config.references.resolver import DOCUMENT
from bifrost_export.datasets import columns_of, staged_columns
from bifrost_export.errors import BifrostExportError, ConfigError, UnknownNameError
from bifrost_export.registry import BUILT_IN_GROUPINGS, TRANSFORMS, load_object

if TYPE_CHECKING:
    from bifrost_export.config.models.export import Data

HIDDEN = "***"
"""Stands for a secret where a transformation is only looked at."""

_NO_WORD = re.compile(r"[^A-Za-z0-9_]+")
"""What doesn't stand in the names of staged files."""


def transform_kind(type_: object) -> Any:
    """The class that a `type` stands for.

    Raises:
        ConfigError: There is none, it can't be loaded, or it is no transform.
    """
    if not isinstance(type_, str):
        raise ConfigError("a transformation's type is a text", allowed=", ".join(TRANSFORMS.names()))
    kind = load_kind(TRANSFORMS, type_)
    if not (isinstance(kind, type) and isinstance(getattr(kind, "Config", None), type) and hasattr(kind, "apply")):
        raise ConfigError(
            f"{type_} is no transform: it has no Config and apply",
            hint="Let the class inherit from bifrost_export.transforms.port.Transform.",
        )
    return kind


def transform_config(type_: object) -> type[BaseModel] | None:
    """The model of an entry with that `type`; None where there is none, which is told at the type."""
    try:
        found: type[BaseModel] = transform_kind(type_).Config
    except (ConfigError, UnknownNameError):
        return None
    return found


@dataclass(frozen=True)
class Step:
    """One transformation of an export.

    Args:
        number: Its place in the document, from 1; 0 for the grouping that is built into a dataset.
        transform: A `transforms.port.Transform`.
    """

    number: int
    transform: Any

    @property
    def type(self) -> str:
        """The word in the document."""
        return str(self.transform.config.type)

    @property
    def name(self) -> str:
        """How staged files and books name it: `2-anonymize`."""
        return f"{self.number}-{_NO_WORD.sub('_', self.type.rpartition(':')[2])}"

    def runs_on(self, dataset: str, names: Collection[str]) -> bool:
        """Whether it changes a dataset whose rows have columns of these names when they come to it."""
        wanted = self.transform.config.datasets
        return (wanted is None or dataset in wanted) and bool(self.transform.takes(names))


@dataclass(frozen=True)
class Stage:
    """A transformation of a dataset, between the columns that it gets and those that it gives."""

    step: Step
    before: tuple[Any, ...]
    after: tuple[Any, ...]


@dataclass(frozen=True)
class Flow:
    """The way of a dataset's rows through the transformations.

    Args:
        dataset: The dataset.
        columns: Before the first.
        stages: The transformations that run on it, in order.
    """

    dataset: str
    columns: tuple[Any, ...]
    stages: tuple[Stage, ...]

    @property
    def result(self) -> tuple[Any, ...]:
        """The columns after the last."""
        return self.stages[-1].after if self.stages else self.columns

    @property
    def per_slice(self) -> tuple[Stage, ...]:
        """The stages before the first that needs the whole window."""
        return self.stages[: self._first_whole]

    @property
    def whole(self) -> tuple[Stage, ...]:
        """The first stage that needs the whole window, and all after it."""
        return self.stages[self._first_whole :]

    @property
    def _first_whole(self) -> int:
        wholes = (index for index, stage in enumerate(self.stages) if stage.step.transform.whole_window)
        return next(wholes, len(self.stages))


def make_step(number: int, config: Mapping[str, Any]) -> Step:
    """A step of a config that has been checked.

    Args:
        number: Its place in the document, from 1.
        config: With references filled in, or as they are written.

    Raises:
        ConfigError: Its kind can't be loaded, or refuses a value that a reference has brought.
    """
    kind = transform_kind(config.get("type"))
    try:
        return Step(number, kind(kind.Config.model_validate(config, strict=False)))
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise ConfigError(f"transformation {number} ({config.get('type')}) is wrong: {told}") from None


def steps_of(data: Data) -> tuple[Step, ...]:
    """The transformations as they are written, secrets hidden."""
    return tuple(make_step(number, _hidden(each)) for number, each in enumerate(data.transformations, start=1))


def flow_of(data: Data, dataset: str, steps: Sequence[Step] | None = None) -> Flow:
    """The way of a dataset through the transformations of an export.

    Args:
        data: `data` of the export, without faults.
        dataset: The dataset.
        steps: As `steps_of` gives them, when they are known.

    Raises:
        ConfigError: A transformation can't work on the columns.
    """
    columns = base_columns(data, dataset)
    first, stages = _grouped(data, dataset, columns)
    for step in steps_of(data) if steps is None else steps:
        if step.runs_on(dataset, names_of(columns)):
            after = columns_after(step, columns)
            stages.append(Stage(step, columns, after))
            columns = after
    return Flow(dataset, first, tuple(stages))


def _grouped(data: Data, dataset: str, columns: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Stage]]:
    """The columns before a built-in grouping, and its stage; neither differs where the dataset has none."""
    if dataset not in BUILT_IN_GROUPINGS:
        return columns, []
    first = staged_columns(dataset, data)
    kind = load_object(BUILT_IN_GROUPINGS[dataset])
    config = kind.Config.model_validate({"type": dataset, "bucket": data.metrics_bucket})
    return first, [Stage(Step(0, kind(config)), first, columns)]


def told(data: Data) -> list[tuple[Step, list[str]]]:
    """Each transformation, with the datasets that it runs on."""
    steps = steps_of(data)
    flows = [flow_of(data, dataset, steps) for dataset in data.include]
    return [(step, [each.dataset for each in flows if step in [stage.step for stage in each.stages]]) for step in steps]


def base_columns(data: Data, dataset: str) -> tuple[Any, ...]:
    """The columns of a dataset before any transformation."""
    return columns_of(dataset, data)


def columns_after(step: Step, columns: tuple[Any, ...]) -> tuple[Any, ...]:
    """The columns that a transformation gives.

    Raises:
        ConfigError: It can't work on these, or fails.
    """
    try:
        return tuple(step.transform.columns(columns))
    except (BifrostExportError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 (an extension may fail or exit)
        raise ConfigError(f"{step.type} can't tell its columns: {type(error).__name__}: {error}") from None


def names_inside(data: Data, columns: Sequence[Any]) -> list[str]:
    """The columns of `logs` and of the record that stand inside a span's `attributes`; none where there are none."""
    return ["customer_id", *data.extra_fields] if "attributes" in names_of(columns) else []


def names_of(columns: Sequence[Any]) -> list[str]:
    """The names of columns."""
    return [column.name for column in columns]


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return HIDDEN if set(value) == {DOCUMENT} else {key: _hidden(each) for key, each in value.items()}
    return [_hidden(each) for each in value] if isinstance(value, list | tuple) else value
