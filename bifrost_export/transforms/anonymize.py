"""`anonymize`: mask columns, each by its distinct values; what is masked is masked in all columns that hold it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from bifrost_export.columns import Column, arrow_schema
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import LiteralText, Secret
from bifrost_export.fields.suggestions import nearest
from bifrost_export.transforms.port import Columns, Setting, Transform, TransformConfig
from bifrost_export.transforms.related import SHAPES, attributes_of, same_as

if TYPE_CHECKING:
    import pyarrow as pa

Method = Literal["hash", "mask", "redact", "null", "drop"]
METHODS: tuple[Method, ...] = ("hash", "mask", "redact", "null", "drop")
_WORDS = {"hash": "hash", "mask": "mask all but the end of", "redact": "redact", "null": "empty", "drop": "drop"}
_LEAVES_TEXT = ("hash", "mask", "redact")


class AnonymizeConfig(TransformConfig):
    """Mask columns."""

    fields: tuple[LiteralText, ...] = Field(
        min_length=1, description="The columns to mask.", examples=[["customer_id", "request_id"]]
    )
    method: LiteralText = Field(
        default="hash",
        description="hash, mask (keeps the last 4), redact (a constant), null (optional columns only) or drop.",
        json_schema_extra={"enum": list(METHODS)},
    )
    key: Secret | None = Field(
        default=None,
        min_length=1,
        description="A reference to the key of hash: HMAC-SHA-256 with it, else SHA-256.",
        examples=["${BIFROST_ANONYMIZE_KEY}"],
    )

    @field_validator("fields")
    @classmethod
    def _fields_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ConfigError(f"fields names a column twice: {', '.join(value)}")
        return value

    @field_validator("method")
    @classmethod
    def _method_is_known(cls, value: str) -> str:
        if value not in METHODS:
            raise ConfigError(
                f"there is no method {value!r}", allowed=", ".join(METHODS), hint=nearest(value, list(METHODS))
            )
        return value

    @model_validator(mode="after")
    def _key_belongs_to_hash(self) -> AnonymizeConfig:
        if self.key is not None and self.method != "hash":
            raise ConfigError(f"a key belongs to the method hash, and the method is {self.method}")
        return self


class Anonymize(Transform):
    """Masks columns. `null` and `drop` work on any type, the other methods on text."""

    Config: ClassVar[type[TransformConfig]] = AnonymizeConfig
    keeps_rows: ClassVar[bool] = True
    looks_inside: ClassVar[bool] = True
    config: AnonymizeConfig

    def fields(self) -> tuple[str, ...]:
        """The columns that the document names."""
        return self.config.fields

    def missing(self, names: Collection[str]) -> tuple[str, ...]:
        """The fields that no column of a dataset holds, under whatever name."""
        return tuple(field for field in self.config.fields if not any(name in names for name in same_as(field)))

    def takes(self, names: Collection[str]) -> bool:
        """Whether a dataset has any column to mask: one that it lacks must not leave the others in the open."""
        return bool(self._targets(names))

    def _targets(self, names: Collection[str]) -> dict[str, list[str]]:
        """Columns to mask -> the fields of the document that they hold."""
        found: dict[str, list[str]] = {}
        for field in self.config.fields:
            for name in (*same_as(field), "attributes"):
                if name in names:
                    found.setdefault(name, []).append(field)
        return found

    def _is_object(self, column: Column) -> bool:
        return SHAPES.get(column.name) == "object" and column.name not in self.config.fields

    def columns(self, given: Columns) -> Columns:
        """The columns; `drop` takes the masked ones away.

        Raises:
            ConfigError: The method can't work on a column.
        """
        method, targets = self.config.method, self._targets([column.name for column in given])
        masked = [column for column in given if column.name in targets and not self._is_object(column)]
        for column in masked:
            if method in _LEAVES_TEXT and column.type != "string":
                raise ConfigError(
                    f"the method {method} works on text, and {column.name!r} is {column.type}",
                    allowed="drop" if column.required else "null, drop",
                )
            if method == "null" and column.required:
                raise ConfigError(
                    f"the column {column.name!r} is required, and can't be null", allowed="hash, mask, redact, drop"
                )
        return tuple(column for column in given if not (method == "drop" and column in masked))

    def changed(self, given: Columns) -> frozenset[str]:
        """What is masked."""
        return self.masked(given)

    def masked(self, given: Columns) -> frozenset[str]:
        """What is masked: the fields, and the columns that hold the same."""
        return frozenset(self._targets([column.name for column in given]))

    def remarks(self) -> Iterable[tuple[str, str]]:
        """A hash without a key can be undone."""
        if self.config.method == "hash" and self.config.key is None:
            yield (
                "a hash without a key: whoever can guess a value can look its hash up",
                'Add "key": "${NAME}", a variable of the workers with a long random text.',
            )

    def describe(self) -> str:
        """Which columns are masked, and how."""
        keyed = " (HMAC-SHA-256)" if self.config.key is not None else ""
        return f"{_WORDS[self.config.method]} {', '.join(self.config.fields)}{keyed}"

    def mask_value(self, column: str, value: str | None) -> str | None:
        """One value as it stands in a masked column; None where nothing of it is left."""
        from bifrost_export.transforms.masking import mask_of

        if value is None or column not in self._targets([column]):
            return value
        return mask_of(self.config.method, self.config.key)(value)

    def apply(self, batches: Iterator[pa.RecordBatch], given: Columns, setting: Setting) -> Iterator[pa.RecordBatch]:
        """Mask the columns."""
        import pyarrow as pa

        schema = arrow_schema(self.columns(given))
        changes = self._changes(given)
        for batch in batches:
            columns = [
                _by_distinct_values(batch.column(name), changes[name]) if name in changes else batch.column(name)
                for name in schema.names
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _changes(self, given: Columns) -> dict[str, Callable[[str], str | None] | None]:
        """What becomes of each text of a column; None where nothing is left of any value."""
        from bifrost_export.transforms.masking import Mask, mask_list, mask_object, mask_of

        mask = mask_of(self.config.method, self.config.key)

        def change(column: Column, fields: list[str]) -> Mask | None:
            if self._is_object(column):
                keys = list(dict.fromkeys(key for field in fields for key in attributes_of(field)))
                return lambda text: mask_object(text, mask, keys)
            if self.config.method == "null":
                return None
            if SHAPES.get(column.name) == "list":
                return lambda text: mask_list(text, mask) if text else text
            return mask

        targets = self._targets([column.name for column in given])
        return {column.name: change(column, targets[column.name]) for column in given if column.name in targets}


def _by_distinct_values(column: pa.Array, change: Callable[[str], str | None] | None) -> pa.Array:
    """A column of text with each of its distinct values changed once."""
    import pyarrow as pa

    if change is None:
        return pa.nulls(len(column), column.type)
    encoded = column.dictionary_encode()
    changed = pa.array([change(value) for value in encoded.dictionary.to_pylist()], column.type)
    return changed.take(encoded.indices)
