"""Google BigQuery."""

from bifrost_export.destinations.bigquery.destination import BigQueryConfig, BigQueryDestination

__all__ = ["BigQueryConfig", "BigQueryDestination"]
