"""Whether a table fits what is to be loaded: made when missing, widened by new columns, refused when a type changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bifrost_export.destinations.warehouse.engine import TABLE
from bifrost_export.destinations.warehouse.tables import OWN
from bifrost_export.errors import DestinationError

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.dialect import Dialect, FoundColumn
    from bifrost_export.destinations.warehouse.engine import Engine, FoundTable
    from bifrost_export.destinations.warehouse.tables import Column, Table


@dataclass(frozen=True)
class Gaps:
    """What a table lacks, and can be given.

    Args:
        missing: Columns that it does not have.
        strict: Columns that take no null, and may get one.
    """

    missing: list[Column] = field(default_factory=list)
    strict: list[FoundColumn] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether it lacks anything."""
        return bool(self.missing or self.strict)


def gaps_of(engine: Engine, table: Table) -> Gaps | None:
    """Return what a table lacks, or None where there is no table.

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
    strict = list(_strict(engine, table, found))
    problems = [*there.problems, *_problems(engine, table, found)]
    fixable: list[FoundColumn] = []
    if not dialect.relaxes:
        problems += [f"its column {each.name} takes no null, and some rows have none" for each in strict]
        fixable += strict
    if foreign := list(_foreign(engine, table, found)):
        problems += [f"its column {each.name} takes no null, and no row has it" for each in foreign]
        fixable += foreign
    if problems:
        raise DestinationError(
            f"the table {dialect.address(table.name)} does not fit: {'; '.join(problems)}; no row was moved",
            hint="Change the column by hand, name another table, or rename the old one away: a new one is made."
            + _by_hand(dialect, table, fixable),
        )
    return Gaps([column for column in table.columns if dialect.key(column.name) not in found], strict)


def _problems(engine: Engine, table: Table, found: dict[str, FoundColumn]) -> Iterator[str]:
    dialect = engine.dialect
    for column in table.columns:
        name = dialect.key(column.name)
        there = found.get(name)
        if there is None:
            continue
        wanted = dialect.type_of(column)
        if there.type not in dialect.accepted[column.type]:
            yield f"its column {name} is {there.type} and would have to be {wanted}"
        elif too_narrow := dialect.too_narrow(column, there):
            yield f"its column {name} is {too_narrow} and would have to be {wanted}"


def _strict(engine: Engine, table: Table, found: dict[str, FoundColumn]) -> Iterator[FoundColumn]:
    """Columns of the rows that take no null, such as those that every row had in an earlier version."""
    for column in table.columns:
        there = found.get(engine.dialect.key(column.name))
        if there is not None and not there.takes_null and not column.required:
            yield there


def _foreign(engine: Engine, table: Table, found: dict[str, FoundColumn]) -> Iterator[FoundColumn]:
    """Columns that no row has, and every row must have."""
    known = {engine.dialect.key(column.name) for column in table.columns}
    for name, there in found.items():
        if name not in known and not there.takes_null and not there.has_default:
            yield there


def _by_hand(dialect: Dialect, table: Table, columns: Sequence[FoundColumn]) -> str:
    """The statements by which the table's owner lets columns take null."""
    statements = [statement.sql for column in columns for statement in dialect.relax(table.name, column)]
    return f" To let it take null, run as the table's owner. Run: {'; '.join(statements)}" if statements else ""


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
    """Make a table that is missing, add the columns that it lacks, and let columns take null that may get one.

    Raises:
        DestinationError: It can't be made to fit.
    """
    gaps = gaps_of(engine, table)
    try:
        if gaps is None:
            engine.create(table)
        else:
            _close(engine, table, gaps)
    except DestinationError:
        # Another run may have made it in the same moment.
        again = gaps_of(engine, table)
        if again is None or again:
            raise


def _close(engine: Engine, table: Table, gaps: Gaps) -> None:
    engine.complete(table)
    if gaps.missing:
        engine.add(table, gaps.missing)
    if not gaps.strict:
        return
    try:
        engine.relax(table, gaps.strict)
    except DestinationError as error:
        names = ", ".join(column.name for column in gaps.strict)
        raise DestinationError(
            f"columns of {engine.dialect.address(table.name)} take no null, and some rows have none: {names}. They"
            f" could not be changed: {error.message}; no row was published",
            hint=_by_hand(engine.dialect, table, gaps.strict).strip(),
        ) from None
