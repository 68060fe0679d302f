"""What differs between the Airflows from 3.1 to the newest, in one place."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from bifrost_export.window import UTC

if TYPE_CHECKING:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
else:
    try:
        from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
    except ImportError:  # 3.1
        from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException

__all__ = [
    "GROWING_PAUSES",
    "AirflowException",
    "AirflowFailException",
    "AirflowSkipException",
    "has_policies",
    "setting",
]

# 3.1 takes a switch, and 3.2 a factor; each refuses or misreads the other's.
GROWING_PAUSES: Any = True if isinstance(BaseOperator.retry_exponential_backoff, bool) else 2.0
"""The value of `retry_exponential_backoff` by which each pause is about twice as long as the one before."""


def setting(section: str, key: str, default: str) -> str:
    """A setting of the Airflow that this task runs in."""
    try:
        from airflow.sdk.configuration import conf
    except ImportError:  # 3.1
        from airflow.configuration import conf
    return str(conf.get(section, key, fallback=default))


def has_policies() -> bool:
    """Return whether an administrator has set a cluster policy for DAGs or tasks."""
    from airflow import settings

    try:
        manager: Any = settings.get_policy_plugin_manager()
    except AttributeError:  # 3.1
        manager = getattr(settings, "POLICY_PLUGIN_MANAGER", None)
    return manager is not None and bool(
        manager.hook.dag_policy.get_hookimpls() or manager.hook.task_policy.get_hookimpls()
    )


def plain(instant: dt.datetime) -> dt.datetime:
    """The same instant as a `datetime` in UTC.

    Airflow gives pendulum's subclass, which in a zone that isn't pendulum's own loses the zone when a time is added.
    """
    moved = instant.astimezone(UTC)
    return dt.datetime.combine(
        dt.date(moved.year, moved.month, moved.day),
        dt.time(moved.hour, moved.minute, moved.second, moved.microsecond, UTC),
    )
