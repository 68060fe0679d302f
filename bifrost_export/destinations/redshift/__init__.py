"""Amazon Redshift: clusters and serverless workgroups."""

from bifrost_export.destinations.redshift.destination import RedshiftConfig, RedshiftDestination

__all__ = ["RedshiftConfig", "RedshiftDestination"]
