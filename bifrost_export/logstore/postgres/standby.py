"""How far a PostgreSQL server has followed the one that Bifrost writes to."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from bifrost_export.errors import BifrostExportError, LogStoreBusyError, LogStoreError
from bifrost_export.logstore.postgres.connection import Connection
from bifrost_export.window import rfc3339

SILENCE: Final = dt.timedelta(minutes=1)
"""How long ago an idle primary may have been heard before the time that matters."""

_IN_RECOVERY = "SELECT pg_is_in_recovery() AS is_standby"
# A user without pg_read_all_stats sees of the receiver only that it runs; its timeout then bounds its silence.
# The position of replay is asked for before that of receipt: in between, only more can be received.
_PROGRESS = """
SELECT pg_last_xact_replay_timestamp() AS replayed,
       coalesce(pg_last_wal_replay_lsn() = pg_last_wal_receive_lsn(), false)
           AND coalesce(receiver.latest_end_lsn <= pg_last_wal_replay_lsn(), true) AS is_even,
       receiver.pid IS NOT NULL AS is_receiving,
       coalesce(receiver.last_msg_receipt_time, CASE WHEN timeout.seconds > 0
                THEN clock_timestamp() - make_interval(secs => timeout.seconds) END) AS heard,
       pg_is_wal_replay_paused() AS is_paused
FROM (SELECT extract(epoch FROM current_setting('wal_receiver_timeout')::interval)::float8 AS seconds) AS timeout
LEFT JOIN pg_stat_wal_receiver AS receiver ON true
"""
_PRIMARY = "Retry later, or set the source to the primary server."


def caught_up(connection: Connection, until: dt.datetime) -> str | None:
    """Check that a server holds what was committed up to a time.

    Args:
        connection: To the server.
        until: The time, by the primary's clock.

    Returns:
        How far a standby has replayed, in words; None for a server that is no standby.

    Raises:
        LogStoreBusyError: It is a standby that has not replayed so far yet, or can't prove it.
        LogStoreError: It is a standby that doesn't say how far it has replayed.
    """
    with connection.snapshot():
        [server] = connection.execute(_IN_RECOVERY)
        if not server["is_standby"]:
            return None
    return _judged(connection.place.address, _progress(connection), until)


def _progress(connection: Connection) -> dict[str, Any]:
    try:
        with connection.snapshot():
            [progress] = connection.execute(_PROGRESS)
    except LogStoreBusyError:
        raise
    except BifrostExportError as error:
        raise LogStoreError(
            f"the log store {connection.place.address} is a standby that does not report what it has replayed:"
            f" {error.message}",
            hint="Set the source to the primary server.",
        ) from None
    return progress


def _judged(place: str, progress: dict[str, Any], until: dt.datetime) -> str:
    replayed = progress["replayed"]
    known = f"replayed up to {rfc3339(replayed)}" if replayed else "no transaction replayed since it was started"
    # While replay is paused, what waits to be replayed may have been committed at any time.
    is_held = progress["is_paused"] and not (progress["is_even"] and progress["is_receiving"])
    if replayed is not None and replayed > until and not is_held:
        return f"a standby, {known}"
    heard = progress["heard"]
    is_heard = progress["is_receiving"] and heard is not None and heard + SILENCE >= until
    if progress["is_even"] and is_heard:
        return f"a standby that has replayed all that it received ({known})"
    raise LogStoreBusyError(
        f"the standby {place} lags behind: {known}, and rows written until {rfc3339(until)} are needed",
        hint=_hint(progress, is_heard=is_heard),
    )


def _hint(progress: dict[str, Any], *, is_heard: bool) -> str:
    if progress["is_paused"]:
        return f"Replay is paused: SELECT pg_wal_replay_resume() on the standby. {_PRIMARY}"
    if not progress["is_receiving"]:
        return (
            "The standby receives nothing from its primary now: rows may be missing, even if the primary is idle."
            f" Check primary_conninfo and the standby's log. {_PRIMARY}"
        )
    if progress["is_even"] and not is_heard:
        return f"The standby cannot prove that its primary is idle: GRANT pg_read_all_stats to the user. {_PRIMARY}"
    return _PRIMARY
