"""The timetable of an export: windows that tile time, each run `settle` after its window's end.

Airflow asks for the next run with
    no automatic run yet:  last = None,  restriction = (start_date, end_date, the DAG's catchup)
    later:                 last = interval of the scheduled or backfill run with the latest logical date
    a backfill:            last = None, then this timetable's own last answer; restriction = (from, to, True)
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, Timetable

from bifrost_export.airflow.versions import plain
from bifrost_export.schedules.schedule import Schedule, read_schedule
from bifrost_export.window import UTC, Window

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from airflow.timetables.base import TimeRestriction
    from pendulum import DateTime


def _interval(window: Window) -> DataInterval:
    return DataInterval(pendulum.instance(window.start), pendulum.instance(window.end))


class ExportTimetable(Timetable):
    """Runs an export on its schedule.

    Args:
        schedule: The export's schedule, which does all arithmetic.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        # Airflow shows it as the schedule's text.
        self.description = f"{schedule.describe()}; each run starts {schedule.settle} after its window's end"

    def serialize(self) -> dict[str, Any]:
        """The schedule, as JSON."""
        return {"schedule": self.schedule.model_dump(mode="json")}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ExportTimetable:
        """Read what `serialize` gave."""
        return cls(read_schedule(data["schedule"]))

    def __eq__(self, other: object) -> bool:
        """Whether both give the same runs."""
        return isinstance(other, ExportTimetable) and other.schedule == self.schedule

    def __hash__(self) -> int:
        return hash(self.schedule)

    @property
    def summary(self) -> str:
        """The schedule in a few words, for the DAG's header."""
        return self.schedule.describe()

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The window of a manual run with a logical date: the last settled one at that date.

        A date on which a window starts means that window. Scheduled runs have the same logical dates, which are unique
        in a DAG: by any other answer that window would be left without a run.
        """
        at = plain(run_after)
        if self.schedule.last_firing(at) == at:
            return _interval(self.schedule.window_from(at))
        return _interval(self.schedule.latest_settled(at))

    def run_info_from_dag_run(self, *, dag_run: DagRun) -> DagRunInfo:
        """What the scheduler goes on from (Airflow 3.2 and later ask this).

        It also asks about a manual run that has taken a window's logical date. Answered with that run's own interval
        it would offer the taken date again, for ever.
        """
        info: DagRunInfo = super().run_info_from_dag_run(dag_run=dag_run)
        if dag_run.run_type == "manual" and dag_run.logical_date is not None:
            return info._replace(data_interval=_interval(self.schedule.window_from(plain(dag_run.logical_date))))
        return info

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next run: it goes on where the last automatic one ended, so that no window is skipped."""
        start = self._next_start(last_automated_data_interval, restriction)
        if restriction.latest is not None and start > plain(restriction.latest):
            return None
        interval = _interval(self.schedule.window_from(start))
        return DagRunInfo(run_after=interval.end + self.schedule.settle_delta, data_interval=interval)

    def _next_start(self, last: DataInterval | None, restriction: TimeRestriction) -> dt.datetime:
        earliest = None if restriction.earliest is None else plain(restriction.earliest)
        if last is not None:
            start = plain(last.end)
            # In a backfill the restriction's catchup is true, and skipping would lose windows.
            if self.schedule.missed_windows == "skip" and not restriction.catchup:
                start = max(start, self.schedule.latest_settled(dt.datetime.now(UTC)).start)
        elif restriction.catchup and earliest is not None:
            return self.schedule.first_firing_from(earliest)
        else:
            start = self.schedule.latest_settled(dt.datetime.now(UTC)).start
        if earliest is not None and start < earliest:
            return self.schedule.first_firing_from(earliest)
        return start
