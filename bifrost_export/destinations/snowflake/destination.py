"""Snowflake, through `SnowflakeHook`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bifrost_export.destinations.snowflake.config import SnowflakeConfig
from bifrost_export.destinations.snowflake.dialect import SnowflakeDialect
from bifrost_export.destinations.snowflake.grants import of_warehouse
from bifrost_export.destinations.warehouse.destination import WarehouseDestination

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.engine import Engine

__all__ = ["SnowflakeConfig", "SnowflakeDestination"]


class SnowflakeDestination(WarehouseDestination):
    """Tables of one schema."""

    kind: ClassVar[str] = "snowflake"
    Config = SnowflakeConfig
    config: SnowflakeConfig

    @property
    def dialect(self) -> SnowflakeDialect:
        """Snowflake's SQL."""
        return SnowflakeDialect((self.config.database, self.config.schema_))

    @property
    def place(self) -> str:
        """Account, database and schema."""
        account = (self.config.account or self.config.conn_id or "").removesuffix(".snowflakecomputing.com")
        return "/".join([account, *(self.dialect.fold(name) for name in self.dialect.schema)])

    def open_engine(self) -> Engine:
        """A session, signed in when first used."""
        from bifrost_export.destinations.snowflake.engine import SnowflakeEngine

        return SnowflakeEngine(self.config, self.names)

    def rights(self) -> dict[str, Any]:
        """What an administrator runs once; the role then owns what it makes."""
        dialect = self.dialect
        database = dialect.quote(self.config.database)
        schema = f"{database}.{dialect.quote(self.config.schema_)}"
        role = dialect.quote(self.config.role) if self.config.role else '"<role>"'
        statements = [
            of_warehouse(self.config),
            f"GRANT USAGE ON DATABASE {database} TO ROLE {role};",
            f"GRANT USAGE, CREATE TABLE, CREATE STAGE ON SCHEMA {schema} TO ROLE {role};",
            *(
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {dialect.table(table.name)} TO ROLE {role};"
                " -- only where somebody else has made it"
                for table in self.tables
            ),
        ]
        return {"statements": statements}
