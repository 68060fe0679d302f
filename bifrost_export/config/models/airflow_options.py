"""`airflow` of an export: how its DAG and its tasks stand in Airflow."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field, field_validator

from bifrost_export.fields.markers import LITERAL, LiteralText, Strict
from bifrost_export.fields.units import parse_duration

_SHORTEST, _LONGEST = dt.timedelta(minutes=1), dt.timedelta(days=31)

Tag = Annotated[str, Field(min_length=1, max_length=100, json_schema_extra={LITERAL: True})]
"""Airflow drops a file with a DAG whose tag is longer."""


class AirflowOptions(Strict):
    """How an export's DAG and its tasks stand in Airflow. References can't stand here: the DAG is made without them."""

    paused: bool = Field(default=False, description="Whether the DAG is paused when it first appears.")
    pool: LiteralText | None = Field(
        default=None, min_length=1, max_length=256, description="An Airflow pool for all tasks; it must exist."
    )
    queue: LiteralText | None = Field(
        default=None, min_length=1, max_length=256, description="A queue of the workers, for executors that have some."
    )
    retries: int = Field(default=4, ge=0, le=100, description="How often a task is tried again after a passing fault.")
    execution_timeout: LiteralText = Field(
        default="2h", description="How long one try of a task may take: 30m, 2h, 1d.", examples=["2h", "1d"]
    )
    max_active_runs: int = Field(
        default=1, ge=1, le=1000, description="Scheduled and manual runs side by side; a backfill has its own limit."
    )
    extract_concurrency: int = Field(default=4, ge=1, le=1000, description="Slices of a run that are read at a time.")
    tags: tuple[Tag, ...] = Field(default=(), description="Tags of the DAG, beside those that every export has.")

    @field_validator("execution_timeout")
    @classmethod
    def _timeout_is_a_duration(cls, value: str) -> str:
        _timeout(value)
        return value

    @property
    def timeout(self) -> dt.timedelta:
        """How long one try of a task may take."""
        return _timeout(self.execution_timeout)


def _timeout(text: str) -> dt.timedelta:
    return parse_duration(text, "execution_timeout", _SHORTEST, _LONGEST)
