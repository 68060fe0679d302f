"""Keys of `source.config` for `sqlite`."""

from __future__ import annotations

from pydantic import Field

from bifrost_export.fields.markers import PathText
from bifrost_export.logstore.payloads.config import Offloading


class SQLiteConfig(Offloading):
    """Keys of `source.config` for `sqlite`."""

    path: PathText = Field(min_length=1, description="The SQLite file that Bifrost writes.")
