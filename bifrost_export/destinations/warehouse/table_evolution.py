"""Whether a table fits what is to be loaded: made when missing, widened by new columns, refused when a type changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bifrost_export.destinations.warehouse.engine import TABLE
from bifrost_export.destinations.warehouse.tables import OWN
from bifrost_export.errors import DestinationError

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.dialect import FoundColumn
    from bifrost_export.destinations.warehouse.engine import Engine, FoundTable
    from bifrost_export.destinations.warehouse.tables import Column, Table


def lacking(engine: Engine, table: Table) -> list[Column] | None:
    """The columns that a table lacks, or None where there is no table.

    Raises:
        DestinationError: A column's type has changed, or the table demands what no row has.
    """
    there = engine.look(table.name)
    if there is None:
        return None
    dialect, found = engine.dialect, there.columns
    if there.kind != TABLE:
        kind = f"{'an' if there.kind[0] in 'aeiou' else 'a'} {there.kind}"
        raise DestinationError(
            f"{dialect.address(table.name)} is {kind}, and rows can only be loaded into a table; no row was moved",
            hint=f"Rename or drop the {there.kind}: the table is created then. Or set destination.config.table.",
        )
    problems = [*there.problems, *_problems(engine, table, found)]
    if problems:
        raise DestinationError(
            f"the table {dialect.address(table.name)} does not fit: {'; '.join(problems)}; no row was moved",
            hint="Change the column by hand, name another table, or rename the old one away: a new one is made.",
        )
    return [column for column in table.columns if dialect.key(column.name) not in found]


def _problems(engine: Engine, table: Table, found: dict[str, FoundColumn]) -> Iterator[str]:
    dialect = engine.dialect
    known = set()
    for column in table.columns:
        name = dialect.key(column.name)
        known.add(name)
        there = found.get(name)
        if there is None:
            continue
        wanted = dialect.type_of(column)
        if there.type not in dialect.accepted[column.type]:
            yield f"its column {name} is {there.type} and would have to be {wanted}"
        elif too_narrow := dialect.too_narrow(column, there):
            yield f"its column {name} is {too_narrow} and would have to be {wanted}"
        elif not there.takes_null and not column.required:
            yield f"its column {name} takes no null, and some rows have none"
    for name, there in found.items():
        if name not in known and not there.takes_null and not there.has_default:
            yield f"its column {name} takes no null, and no row has it"


def is_of_exports(engine: Engine, there: FoundTable) -> bool:
    """Whether a table that an audit row names is one that exports load: an audit row is a hint, never an order.

    Args:
        engine: The warehouse.
        there: The table.
    """
    dialect = engine.dialect
    found = [(own, there.columns.get(dialect.key(own.name))) for own in OWN]
    return there.kind == TABLE and all(
        column is not None and column.type in dialect.accepted[own.type] for own, column in found
    )


def fit(engine: Engine, table: Table) -> None:
    """Make a table that is missing, and add the columns that it lacks.

    Raises:
        DestinationError: It can't be made to fit.
    """
    missing = lacking(engine, table)
    try:
        if missing is None:
            engine.create(table)
        else:
            engine.complete(table)
            if missing:
                engine.add(table, missing)
    except DestinationError:
        # Another run may have made it in the same moment.
        if lacking(engine, table) != []:
            raise
