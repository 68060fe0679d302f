"""The one registry behind the four ports: what is built in, and what others bring by entry points.

What is built in is a `module:Class` string, so that looking at the names imports nothing.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from bifrost_export.errors import UnknownNameError


class Registry:
    """The names of one port.

    Args:
        port: What is registered, in one word for messages: "destination".
        group: The entry point group by which others add to it.
        built_in: Name -> `module:Class`.
    """

    def __init__(self, port: str, group: str, built_in: dict[str, str]) -> None:
        self.port = port
        self.group = group
        self.built_in = dict(built_in)

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*self.built_in, *(point.name for point in entry_points(group=self.group))})

    def load(self, name: str) -> Any:
        """The class of that name.

        Raises:
            UnknownNameError: No such name; the message lists those that there are.
        """
        if name in self.built_in:
            module, _, attribute = self.built_in[name].partition(":")
            return getattr(import_module(module), attribute)
        for point in entry_points(group=self.group):
            if point.name == name:
                return point.load()
        near = get_close_matches(name.lower(), self.names(), n=1)
        raise UnknownNameError(
            f"there is no {self.port} {name!r}",
            allowed=", ".join(self.names()),
            hint=f"Did you mean {near[0]!r}?" if near else None,
        )


LOG_STORES = Registry(
    "log store",
    "bifrost_export.logstores",
    {
        "sqlite": "bifrost_export.logstore.sqlite:SQLiteLogStore",
        "postgres": "bifrost_export.logstore.postgres:PostgresLogStore",
    },
)
FORMATS = Registry(
    "format",
    "bifrost_export.formats",
    {
        "parquet": "bifrost_export.formats.parquet:ParquetFormat",
        "json": "bifrost_export.formats.json_lines:JSONFormat",
        "csv": "bifrost_export.formats.csv_text:CSVFormat",
        "arrow": "bifrost_export.formats.arrow_file:ArrowFormat",
    },
)
TRANSFORMS = Registry("transform", "bifrost_export.transforms", {})
DESTINATIONS = Registry(
    "destination",
    "bifrost_export.destinations",
    {
        "local": "bifrost_export.destinations.local:LocalDestination",
        "s3": "bifrost_export.destinations.s3:S3Destination",
        "redshift": "bifrost_export.destinations.redshift:RedshiftDestination",
        "snowflake": "bifrost_export.destinations.snowflake:SnowflakeDestination",
        "bigquery": "bifrost_export.destinations.bigquery:BigQueryDestination",
    },
)
