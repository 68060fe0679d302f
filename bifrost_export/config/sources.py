"""The keys of `source.config`, for each log store; light, since a DAG file reads them."""

from __future__ import annotations

from pydantic import BaseModel, Field

from bifrost_export.config.fields import PathText, Strict


class SQLiteConfig(Strict):
    """Keys of `source.config` for `sqlite`."""

    path: PathText = Field(min_length=1, description="The SQLite file that Bifrost writes.")


SOURCE_CONFIGS: dict[str, type[BaseModel]] = {"sqlite": SQLiteConfig}
"""`source.type` -> the model of its `config`."""

NOT_YET = {
    "postgres": "the log store postgres comes with a later version",
    "clickhouse": "the log store clickhouse is not supported",
}
"""Log stores of Bifrost that can't be read, and what is said of them."""
