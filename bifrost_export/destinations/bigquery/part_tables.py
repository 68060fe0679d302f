"""The tables that hold the rows of one part each, until they are published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_export.destinations.bigquery import errors
from bifrost_export.destinations.bigquery.jobs import TIMEOUT, retry
from bifrost_export.destinations.warehouse.engine import moment
from bifrost_export.destinations.warehouse.names import PART_TABLES, PartTable

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.dialect import Dialect
    from bifrost_export.destinations.warehouse.names import StagedNames


@dataclass(frozen=True)
class PartTables:
    """The part tables of a dataset.

    Args:
        client: BigQuery's client.
        dialect: Its SQL.
        names: The names of the run.
        dataset: The dataset with its project.
    """

    client: Any
    dialect: Dialect
    names: StagedNames
    dataset: str

    def _of_window(self) -> list[tuple[str, PartTable]]:
        """Those of this export and window, whichever run has staged them; a view of such a name is none of ours."""
        moment("list tables")
        with errors.told(f"listing the tables of {self.dataset}"):
            listed = self.client.list_tables(self.dataset, retry=retry(), timeout=TIMEOUT)
            names = [each.table_id for each in listed if each.table_type == "TABLE"]
        read = [(name, PartTable.read(name)) for name in names if name.startswith(PART_TABLES)]
        return [(name, part) for name, part in read if part and part.window_hash == self.names.window_hash]

    def of_others(self) -> list[str]:
        """What other tokens have staged for this window."""
        return [name for name, part in self._of_window() if part.token != self.names.target.token]

    def of_this_run(self) -> list[str]:
        """What this run has staged."""
        return [name for name, part in self._of_window() if part.token == self.names.target.token]

    def remove(self, keys: Iterable[str]) -> None:
        """Delete tables; those that are gone are fine."""
        for key in keys:
            moment(f"delete table {key}")
            with errors.told(f"deleting the table {self.dialect.address(key)}"):
                self.client.delete_table(self.dialect.address(key), not_found_ok=True, retry=retry(), timeout=TIMEOUT)
