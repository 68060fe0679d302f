"""Google BigQuery, through `BigQueryHook`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from bifrost_export.destinations.bigquery.config import BigQueryConfig
from bifrost_export.destinations.bigquery.dialect import BigQueryDialect
from bifrost_export.destinations.warehouse.destination import WarehouseDestination

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.engine import Engine

__all__ = ["BigQueryConfig", "BigQueryDestination"]

PERMISSIONS = (
    "bigquery.jobs.create",
    "bigquery.datasets.get",
    "bigquery.tables.create",
    "bigquery.tables.delete",
    "bigquery.tables.get",
    "bigquery.tables.getData",
    "bigquery.tables.list",
    "bigquery.tables.update",
    "bigquery.tables.updateData",
)


class BigQueryDestination(WarehouseDestination):
    """Tables of one dataset."""

    kind: ClassVar[str] = "bigquery"
    Config = BigQueryConfig
    config: BigQueryConfig

    @property
    def dialect(self) -> BigQueryDialect:
        """BigQuery's SQL."""
        return BigQueryDialect((self.config.project_id, self.config.dataset))

    def open_engine(self) -> Engine:
        """A client, signed in when first used."""
        from bifrost_export.destinations.bigquery.engine import BigQueryEngine

        return BigQueryEngine(self.config, self.names)

    def rights(self) -> dict[str, Any]:
        """The roles that hold what a run needs, the permissions themselves, and the statement that grants the first."""
        schema = f"`{self.config.project_id}`.`{self.config.dataset}`"
        account = '"serviceAccount:<account>"'
        return {
            "permissions": list(PERMISSIONS),
            "predefined_roles": {
                "roles/bigquery.dataEditor": f"on the dataset {self.config.project_id}.{self.config.dataset}",
                "roles/bigquery.jobUser": f"on the project {self.config.project_id}",
            },
            "statements": [f"GRANT `roles/bigquery.dataEditor` ON SCHEMA {schema} TO {account};"],
        }
