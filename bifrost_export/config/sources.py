"""The keys of `source.config`, for each log store; light, since a DAG file reads them."""

from __future__ import annotations

from pydantic import BaseModel

from bifrost_export.logstore.postgres.config import PostgresConfig
from bifrost_export.logstore.sqlite.config import SQLiteConfig

SOURCE_CONFIGS: dict[str, type[BaseModel]] = {"sqlite": SQLiteConfig, "postgres": PostgresConfig}
"""`source.type` -> the model of its `config`."""

NOT_YET = {"clickhouse": "the log store clickhouse is not supported"}
"""Log stores of Bifrost that can't be read, and what is said of them."""
