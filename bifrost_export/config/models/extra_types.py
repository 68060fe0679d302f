"""The types of extra fields, those of columns that only the log store knows among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from pydantic import PrivateAttr

from bifrost_export.fields.markers import Strict
from bifrost_export.logstore.columns import LOG_COLUMNS, LogColumnType


class ExtraTypes(Strict):
    """Data with extra fields."""

    if TYPE_CHECKING:  # the field itself stands in its place among the keys of `data`
        extra_fields: tuple[str, ...]

    _types: dict[str, LogColumnType] = PrivateAttr(default_factory=dict)

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """The extra fields that only the log store knows."""
        return tuple(name for name in self.extra_fields if name not in LOG_COLUMNS)

    def type_of(self, name: str) -> LogColumnType:
        """Return the type of an extra field; text for one of which the log store has not been asked yet."""
        return LOG_COLUMNS.get(name) or self._types.get(name, "string")

    def with_types(self, types: Mapping[str, LogColumnType]) -> Self:
        """Return the same with what the log store says of the fields that only it knows."""
        data = self.model_copy()
        data._types = dict(types)
        return data
