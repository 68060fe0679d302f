"""Keys of `data.filters`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import LiteralText, Strict
from bifrost_export.fields.suggestions import nearest
from bifrost_export.thresholds import ERRORS_FROM, INT32_MAX
from bifrost_export.window import parse_instant

_COUNTED_UNITS = ("hours", "days", "weeks", "months")
_CALENDAR_WORDS = ("today", "yesterday", "this_week", "last_week", "this_month", "last_month")
_NUMBER = "[1-9][0-9]{0,3}"

DATE_WORD_PATTERN = "|".join((f"last_{_NUMBER}_({'|'.join(_COUNTED_UNITS)})", *_CALENDAR_WORDS))
"""Of the words of `filters.date_range`."""

_WORDS_ALLOWED = ", ".join((*(f"last_N_{unit}" for unit in _COUNTED_UNITS), *_CALENDAR_WORDS))
_WORD = re.compile(DATE_WORD_PATTERN)


class DateRange(Strict):
    """Two times that narrow the window."""

    start: LiteralText = Field(description="First instant; without a zone, in the export's.")
    end: LiteralText = Field(description="Last instant, inclusive at the precision in which it is written.")

    @field_validator("start", "end")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        parse_instant(value)
        return value

    @model_validator(mode="after")
    def _not_turned_round(self) -> DateRange:
        if parse_instant(self.start) > parse_instant(self.end):
            raise ConfigError(
                f"start {self.start!r} is later than end {self.end!r}", hint="Give the earlier time first."
            )
        return self


def _is_word(value: Any) -> str:
    return "a word" if isinstance(value, str) else "two times"


# Which of the two is meant is told apart first, so that an error speaks of that one alone.
DateRangeChoice = Annotated[
    Annotated[LiteralText, Tag("a word")] | Annotated[DateRange, Tag("two times")], Discriminator(_is_word)
]


Code = Annotated[int, Field(ge=0, le=INT32_MAX)]


class Filters(Strict):
    """Which rows are exported: all that pass every filter."""

    date_range: DateRangeChoice | None = Field(default=None, description="A word, or start and end.")
    providers: tuple[LiteralText, ...] | None = Field(default=None, min_length=1, description="One of these providers.")
    models: tuple[LiteralText, ...] | None = Field(default=None, min_length=1, description="One of these models.")
    customers: tuple[LiteralText, ...] | None = Field(default=None, min_length=1, description="One of these customers.")
    status_codes: tuple[Code, ...] | None = Field(default=None, min_length=1, description="One of these status codes.")
    min_latency_ms: int | None = Field(default=None, ge=0, le=INT32_MAX, description="At least so slow, inclusive.")
    max_latency_ms: int | None = Field(default=None, ge=0, le=INT32_MAX, description="At most so slow, inclusive.")
    has_errors: bool | None = Field(default=None, description=f"true: status {ERRORS_FROM} and above; false: the rest.")

    @field_validator("date_range")
    @classmethod
    def _word_is_known(cls, value: str | DateRange | None) -> str | DateRange | None:
        if isinstance(value, str) and not _WORD.fullmatch(value):
            raise ConfigError(
                f"there is no date_range {value!r}",
                allowed=f'{_WORDS_ALLOWED}, or {{"start": ..., "end": ...}}',
                hint=nearest_date_word(value),
            )
        return value

    @model_validator(mode="after")
    def _latencies_leave_room(self) -> Filters:
        low, high = self.min_latency_ms, self.max_latency_ms
        if low is not None and high is not None and low > high:
            raise ConfigError(f"min_latency_ms {low} is above max_latency_ms {high}: no row would pass")
        return self


def nearest_date_word(word: str) -> str | None:
    """The hint that names the word of a date range that is meant, with the number that is written."""
    numbers = re.findall(_NUMBER, word[:100])
    counted = [f"last_{number}_{unit}" for number in numbers[:1] for unit in _COUNTED_UNITS]
    return nearest(word.replace("-", "_").replace(" ", "_"), [*counted, *_CALENDAR_WORDS])
