"""The one registry behind the four ports: what is built in, and what others bring by entry points.

What is built in is a `module:Class` string, so that looking at the names imports nothing.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from typing import Any

from bifrost_export.errors import UnknownNameError
from bifrost_export.user_code import load_named


class Registry:
    """The names of one port.

    Args:
        port: What is registered, in one word for messages: "destination".
        group: The entry point group by which others add to it.
        built_in: Name -> `module:Class`.
        takes_paths: Whether a document may name a class of its own as `module:Class`.
        configs: Name -> `module:Class` of the config model, for classes whose modules are too heavy for a DAG file.
    """

    def __init__(
        self,
        port: str,
        group: str,
        built_in: dict[str, str],
        *,
        takes_paths: bool = False,
        configs: dict[str, str] | None = None,
    ) -> None:
        self.port = port
        self.group = group
        self.built_in = dict(built_in)
        self.takes_paths = takes_paths
        self.configs = dict(configs or {})

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*self.built_in, *(point.name for point in _added(self.group))})

    def load(self, name: str) -> Any:
        """The class of that name.

        Raises:
            UnknownNameError: No such name; the message lists those that there are.
        """
        if name in self.built_in:
            return load_object(self.built_in[name])
        if self.takes_paths and ":" in name:
            return load_named(name, self.port)
        for point in _added(self.group):
            if point.name == name:
                return point.load()
        near = get_close_matches(name.lower(), self.names(), n=1)
        raise UnknownNameError(
            f"there is no {self.port} {name!r}",
            allowed=", ".join([*self.names(), *(["package.module:Class"] if self.takes_paths else [])]),
            hint=f"Did you mean {near[0]!r}?" if near else None,
        )

    def config_model(self, name: str) -> Any:
        """Return the model of the `config` beside a name: the attribute `Config` of its class, or None without one.

        Raises:
            UnknownNameError: No such name; the message lists those that there are.
        """
        return load_object(self.configs[name]) if name in self.configs else getattr(self.load(name), "Config", None)


def load_object(path: str) -> Any:
    """What `module:name` stands for."""
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)


@cache
def _added(group: str) -> EntryPoints:
    """What others add; looking for it reads a file of every installed package, so it is done once in a process."""
    return entry_points(group=group)


LOG_STORES = Registry(
    "log store",
    "bifrost_export.logstores",
    {
        "sqlite": "bifrost_export.logstore.sqlite.store:SQLiteLogStore",
        "postgres": "bifrost_export.logstore.postgres.store:PostgresLogStore",
    },
    configs={
        "sqlite": "bifrost_export.logstore.sqlite.config:SQLiteConfig",
        "postgres": "bifrost_export.logstore.postgres.config:PostgresConfig",
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
    takes_paths=True,
)
TRANSFORMS = Registry(
    "transform",
    "bifrost_export.transforms",
    {
        "aggregate": "bifrost_export.transforms.aggregate:Aggregate",
        "anonymize": "bifrost_export.transforms.anonymize:Anonymize",
        "enrich": "bifrost_export.transforms.enrich:Enrich",
        "python": "bifrost_export.transforms.python_function:PythonFunction",
    },
    takes_paths=True,
)
BUILT_IN_GROUPINGS = {"metrics": "bifrost_export.transforms.buckets:Buckets"}
"""Dataset -> the transform that makes it of requests, before those of the document."""

DESTINATIONS = Registry(
    "destination",
    "bifrost_export.destinations",
    {
        "azure_blob": "bifrost_export.destinations.azure_blob.destination:AzureBlobDestination",
        "gcs": "bifrost_export.destinations.gcs.destination:GCSDestination",
        "local": "bifrost_export.destinations.local.destination:LocalDestination",
        "s3": "bifrost_export.destinations.s3.destination:S3Destination",
        "redshift": "bifrost_export.destinations.redshift.destination:RedshiftDestination",
        "snowflake": "bifrost_export.destinations.snowflake.destination:SnowflakeDestination",
        "bigquery": "bifrost_export.destinations.bigquery.destination:BigQueryDestination",
    },
)
