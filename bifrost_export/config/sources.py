"""The keys of `source.config`, for each log store; light, since a DAG file reads them."""

from __future__ import annotations

from pydantic import BaseModel, Field

from bifrost_export.config.fields import ConnectionText, Strict


class SQLiteConfig(Strict):
    """Keys of `source.config` for `sqlite`."""

    path: ConnectionText = Field(min_length=1, description="The SQLite file that Bifrost writes.")


SOURCE_CONFIGS: dict[str, type[BaseModel]] = {"sqlite": SQLiteConfig}
