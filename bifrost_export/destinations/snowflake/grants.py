"""The statements by which an administrator lets a role use a warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_export.destinations.snowflake.dialect import SnowflakeDialect

if TYPE_CHECKING:
    from bifrost_export.destinations.snowflake.config import SnowflakeConfig


def of_warehouse(config: SnowflakeConfig) -> str:
    """The statement that grants the warehouse to the role; what the config does not name stands in angle brackets."""
    dialect = SnowflakeDialect((config.database, config.schema_))
    role = dialect.quote(config.role) if config.role else '"<role>"'
    warehouse = dialect.quote(config.warehouse) if config.warehouse else '"<warehouse>"'
    return f"GRANT USAGE, OPERATE ON WAREHOUSE {warehouse} TO ROLE {role};"
