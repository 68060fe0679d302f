"""Amazon Redshift, through `RedshiftSQLHook` and `S3Hook`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bifrost_export.destinations.redshift.config import RedshiftConfig
from bifrost_export.destinations.redshift.dialect import RedshiftDialect
from bifrost_export.destinations.redshift.policies import policies
from bifrost_export.destinations.warehouse.destination import WarehouseDestination
from bifrost_export.destinations.warehouse.tables import REJECTED

if TYPE_CHECKING:
    from pathlib import Path

    from bifrost_export.destinations.warehouse.engine import Engine
    from bifrost_export.destinations.warehouse.tables import Table

__all__ = ["RedshiftConfig", "RedshiftDestination"]


class RedshiftDestination(WarehouseDestination):
    """Tables of one schema."""

    kind: ClassVar[str] = "redshift"
    Config = RedshiftConfig
    config: RedshiftConfig

    @property
    def dialect(self) -> RedshiftDialect:
        """Redshift's SQL."""
        return RedshiftDialect((self.config.schema_,))

    @property
    def place(self) -> str:
        """Endpoint, database and schema."""
        endpoint = self.config.cluster or self.config.workgroup or self.config.host or self.config.conn_id
        return f"{endpoint}/{self.config.database.lower()}/{self.config.schema_.lower()}"

    def open_engine(self) -> Engine:
        """A session, signed in when first used."""
        from bifrost_export.destinations.redshift.engine import RedshiftEngine

        return RedshiftEngine(self.config, self.names)

    def prepare(self, file: Path, table: Table) -> dict[str, int]:
        """Make its texts fit into VARCHAR; a rejected row is told whatever its id is."""
        from bifrost_export.destinations.redshift import texts

        how = "cut" if table is REJECTED else self.config.on_long_text
        return texts.fit(file, table, texts.methods_of(table, how))

    def remarks(self) -> list[str]:
        """Without a staging bucket rows go in by batched inserts."""
        if self.config.staging is not None:
            return []
        slow = "rows went in by batched inserts, which is slow from some 100,000 rows on"
        return [f"{slow}: set destination.config.staging to load by COPY"]

    def rights(self) -> dict[str, Any]:
        """What a superuser runs once, the tables then belong to the user; and policies for what AWS itself is asked."""
        schema = self.dialect.quote(self.config.schema_)
        user = self.config.db_user or (self.config.credentials.username if self.config.credentials else None)
        # A user that is a reference stays one: no secret is resolved for a plan.
        name = f'"{user}"' if user and "${" not in user and user != "***" else '"<user>"'
        database = f'"{self.config.database.lower()}"'
        statements = [
            f"CREATE SCHEMA IF NOT EXISTS {schema};",
            f"GRANT TEMPORARY ON DATABASE {database} TO {name};",
            f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {name};",
            *(
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {self.dialect.table(table.name)} TO {name};"
                " -- only where somebody else has made it"
                for table in self.tables
            ),
        ]
        return {"statements": statements, **policies(self.config)}
