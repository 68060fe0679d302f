"""Snowflake."""

from bifrost_export.destinations.snowflake.destination import SnowflakeConfig, SnowflakeDestination

__all__ = ["SnowflakeConfig", "SnowflakeDestination"]
