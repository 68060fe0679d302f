"""Which faults a task tries again after, and how long it waits: the error tree in Airflow's terms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bifrost_export.airflow.versions import GROWING_PAUSES, AirflowFailException
from bifrost_export.errors import ConfigError, PassingError, PermanentError
from bifrost_export.redaction.printable import printable

if TYPE_CHECKING:
    from airflow.sdk.types import Logger

PAUSES: dict[str, Any] = {
    "retry_delay": dt.timedelta(seconds=30),
    "retry_exponential_backoff": GROWING_PAUSES,
    "max_retry_delay": dt.timedelta(minutes=10),
}
"""Arguments of every task: the default of five tries takes some minutes."""


@contextmanager
def told_apart(log: Logger) -> Iterator[None]:
    """Fail at once after a fault that no retry mends; let one that passes be tried again.

    Args:
        log: The task's, which gets the message on a line of its own.

    Raises:
        AirflowFailException: In place of a ConfigError or PermanentError, with its message.
    """
    try:
        yield
    except (ConfigError, PermanentError) as error:
        log.error("%s", printable(str(error)))
        raise AirflowFailException(printable(str(error))) from None
    except PassingError as error:
        log.warning("%s This may pass: the task will be tried again.", printable(str(error)))
        raise
