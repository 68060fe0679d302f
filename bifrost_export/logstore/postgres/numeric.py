"""Numbers of PostgreSQL as SQL that never fails: a plain cast of what a float can't hold would stop the whole query."""

from __future__ import annotations

import math
from decimal import Context, Decimal
from typing import Final

from bifrost_export.thresholds import SUMMED_COST, SUMMED_TOKENS

INTEGERS: Final = ("int2", "int4", "int8")
FLOATS: Final = ("float4", "float8")
NUMERIC: Final = "numeric"
NUMBER_TYPES: Final = (*INTEGERS, *FLOATS, NUMERIC)

_INFINITE: Final = str(2**1024 - 2**970)  # halfway between the largest float and the one that would come next
_NOTHING: Final = format(Context(prec=1100).power(Decimal(2), -1075), "e")  # half of the smallest float
_WHOLE: Final = "{0} >= -9223372036854775808 AND {0} < 9223372036854775808 AND {0} = trunc({0})"
_SUMMED: Final = f"BETWEEN -{SUMMED_TOKENS} AND {SUMMED_TOKENS}"


def real(value: str, type_: str) -> str:
    """A number as a float, rounded as everywhere: beyond its range infinite, too small for it 0."""
    if type_ != NUMERIC:
        return f"{value}::float8"
    return (
        f"CASE WHEN abs({value}) BETWEEN 1e-300 AND 1e300 THEN {value}::float8 WHEN {value} = 0 THEN 0"
        f" WHEN {value} = 'NaN' THEN 'NaN' WHEN {value} >= {_INFINITE} THEN 'Infinity'"
        f" WHEN {value} <= -{_INFINITE} THEN '-Infinity' WHEN abs({value}) <= {_NOTHING} THEN 0"
        f" ELSE {value}::float8 END"
    )


def is_whole(value: str, type_: str) -> str | None:
    """Whether a number is a whole one of 64 bits; None where its type is of such numbers alone."""
    return None if type_ in INTEGERS else _WHOLE.format(value)


def whole(value: str, type_: str) -> str:
    """A whole number of 64 bits, or null."""
    test = is_whole(value, type_)
    return f"{value}::int8" if test is None else f"CASE WHEN {test} THEN {value}::int8 END"


def summed_tokens(value: str, type_: str) -> str:
    """The sum of the whole numbers within `SUMMED_TOKENS`."""
    test = is_whole(value, type_)
    whole_test = "" if test is None else f"{test} AND "
    return f"sum(CASE WHEN {whole_test}{value} {_SUMMED} THEN {value}::int8 END)"


def is_summed(value: str, type_: str) -> str:
    """Whether a cost is added up: as a float it is within `SUMMED_COST`."""
    if type_ != NUMERIC:
        return f"abs({value}::float8) <= {SUMMED_COST}"
    # The last number that is rounded to the bound, not the bound itself.
    middle = (int(SUMMED_COST) + int(math.nextafter(SUMMED_COST, math.inf))) // 2
    return f"abs({value}) {'<=' if float(middle) == SUMMED_COST else '<'} {middle}"
