"""`python`: a function of the user's own, which is given a batch of rows and gives rows back."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, cast, get_args

from pydantic import Field, field_validator

from bifrost_export import trust
from bifrost_export.columns import Column, ColumnType, arrow_schema
from bifrost_export.errors import BifrostExportError, ConfigError, ForbiddenCodeError, TransformError
from bifrost_export.fields.markers import LiteralText
from bifrost_export.fields.suggestions import nearest
from bifrost_export.transforms.enrich import check_column_name
from bifrost_export.transforms.port import Columns, Setting, Transform, TransformConfig
from bifrost_export.user_code import load_named

if TYPE_CHECKING:
    import pyarrow as pa

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
TYPES: tuple[str, ...] = get_args(ColumnType)


class PythonConfig(TransformConfig):
    """Call a function of your own with the rows, a batch at a time."""

    callable: LiteralText = Field(
        description="package.module:function, importable by the workers.", examples=["my_company.logs:add_region"]
    )
    engine: LiteralText = Field(
        default="pandas",
        description="What it is given and gives back: pandas (DataFrame) or arrow (Table).",
        json_schema_extra={"enum": ["pandas", "arrow"]},
    )
    columns: dict[str, LiteralText | None] = Field(
        default={},
        description="New and changed columns with their types; null for one that it takes away.",
        examples=[{"region": "string", "customer_id": None}],
    )

    @field_validator("callable")
    @classmethod
    def _is_a_path(cls, value: str) -> str:
        if not _PATH.fullmatch(value):
            raise ConfigError(f"{value!r} names no function", allowed="package.module:function")
        trust.require_module(value, "function")
        return value

    @field_validator("engine")
    @classmethod
    def _engine_is_known(cls, value: str) -> str:
        if value not in ("pandas", "arrow"):
            raise ConfigError(
                f"there is no engine {value!r}", allowed="pandas, arrow", hint=nearest(value, ["pandas", "arrow"])
            )
        return value

    @field_validator("columns")
    @classmethod
    def _types_are_known(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        for name, type_ in value.items():
            if type_ is not None and type_ not in TYPES:
                raise ConfigError(
                    f"there is no type {type_!r}, which the column {name!r} has",
                    allowed=", ".join(TYPES),
                    hint=nearest(type_, list(TYPES)),
                )
        return value


class PythonFunction(Transform):
    """Calls the user's function for every batch: it must not depend on how rows are cut into batches.

    It may leave rows out and add some; what comes out are the columns that went in, but for those that `columns` names.
    """

    Config: ClassVar[type[TransformConfig]] = PythonConfig
    config: PythonConfig

    def columns(self, given: Columns) -> Columns:
        """The same columns, but for those that the document says are new, changed or taken away.

        Raises:
            ConfigError: One is taken away that isn't there, or a new name can't be one.
        """
        said = self.config.columns
        names = {column.name for column in given}
        for name, type_ in said.items():
            if name not in names and type_ is None:
                raise ConfigError(f"there is no column {name!r} to take away", allowed=", ".join(sorted(names)))
            if name not in names:
                check_column_name(name)
        kept = [_as_said(column, said) for column in given if said.get(column.name, "") is not None]
        new = [_declared(name, type_) for name, type_ in said.items() if name not in names and type_ is not None]
        return (*kept, *new)

    def changed(self, given: Columns) -> frozenset[str]:
        """Any column may be."""
        return frozenset(column.name for column in given)

    def describe(self) -> str:
        """Which function."""
        return f"call {self.config.callable}"

    def apply(self, batches: Iterator[pa.RecordBatch], given: Columns, setting: Setting) -> Iterator[pa.RecordBatch]:
        """Call the function.

        Raises:
            TransformError: It can't be imported, fails, or gives something else than it should.
        """
        from bifrost_export.transforms.frames import ENGINES

        to_rows, from_rows = ENGINES[self.config.engine]
        function, schema = load_function(self.config.callable), arrow_schema(self.columns(given))
        for batch in batches:
            rows = to_rows(batch)
            try:
                returned = function(rows)
            except BifrostExportError:
                raise
            except (Exception, SystemExit) as error:  # noqa: BLE001 (the function is the user's, and may fail or exit)
                raise TransformError(
                    f"the function {self.config.callable} failed with {type(error).__name__} {_place(error)}",
                    hint="Mend the function. Its message is not repeated here, since it may hold values of rows.",
                ) from None
            yield from from_rows(self.config.callable, returned, schema)


def _declared(name: str, type_: str) -> Column:
    return Column(name, cast("ColumnType", type_), False, "Made by the function.")


def _as_said(column: Column, said: dict[str, str | None]) -> Column:
    type_ = said.get(column.name)
    return column if type_ is None else _declared(column.name, type_)


def load_function(path: str) -> Callable[[Any], Any]:
    """The function that `package.module:function` names.

    Raises:
        TransformError: It can't be imported, or is no function.
    """
    hint = "Install its package on every worker, or put its folder on PYTHONPATH."
    try:
        found: Any = load_named(path, "function")
    except (ForbiddenCodeError, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 (importing the user's module may fail or exit)
        raise TransformError(
            f"the function {path} can't be imported: {type(error).__name__}: {error}", hint=hint
        ) from None
    if not callable(found):
        raise TransformError(f"{path} is no function, but of type {type(found).__name__}")
    function: Callable[[Any], Any] = found
    return function


def _place(error: BaseException) -> str:
    """Where it was raised, without what it says."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"in {frame.filename}, line {frame.lineno}, in {frame.name}"
