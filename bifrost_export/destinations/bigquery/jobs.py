"""BigQuery's jobs: each has an id that tells what it is for, so that a retry finds the one that runs."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from bifrost_export.destinations.bigquery import errors
from bifrost_export.destinations.warehouse.engine import moment

if TYPE_CHECKING:
    from bifrost_export.destinations.warehouse.names import StagedNames

TIMEOUT = 60.0
"""Seconds that one request is tried for."""
FOUND_WITHIN = 20.0
"""Seconds that a job is looked for which the service says that it has."""
WAIT = 3600.0
"""Seconds that a job is waited for."""


def retry() -> Any:
    """How requests that fail on the way are tried again."""
    from google.cloud.bigquery.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(TIMEOUT)


class Jobs:
    """The jobs of one run.

    Args:
        client: BigQuery's client.
        names: The names of the run.
        location: Where the dataset is, and so where its jobs run.
    """

    def __init__(self, client: Any, names: StagedNames, location: str | None) -> None:
        self.client = client
        self.names = names
        self.location = location

    def stem(self, what: str) -> str:
        """What the ids of a run's jobs for one thing begin with."""
        return f"bifrost_export_{self.names.window_hash}_{self.names.target.token}_{what}"

    def run(self, what: str, start: Callable[[str], Any]) -> str:
        """Run a job once, however often it is asked for; gives its id.

        A job of the same name that runs or has succeeded is waited for in place of a new one; after one that has
        failed a new one gets the next number.

        Args:
            what: What it is for.
            start: Starts it under an id.

        Raises:
            DestinationError: It failed, and a person must mend why.
            DestinationUnavailableError: It failed, and is likely to succeed later.
        """
        for number in itertools.count():
            job_id = f"{self.stem(what)}_{number}"
            found = self._find(job_id)
            is_new = found is None
            job = self._start(job_id, start) if found is None else found
            if is_new or not self._has_failed(job):
                self._wait(what, job)
                return job_id
        raise AssertionError  # numbers have no end

    def _find(self, job_id: str) -> Any:
        from google.api_core.exceptions import NotFound

        moment(f"get job {job_id}")
        with errors.told(f"looking for the job {job_id}"):
            try:
                return self.client.get_job(job_id, location=self.location, retry=retry(), timeout=TIMEOUT)
            except NotFound:
                return None

    def _start(self, job_id: str, start: Callable[[str], Any]) -> Any:
        from google.api_core.exceptions import Conflict

        moment(f"insert job {job_id}")
        with errors.told(f"starting the job {job_id}"):
            try:
                return start(job_id)
            except Conflict:  # a double of this task, or a request whose answer was lost
                return self._found_soon(job_id)

    def _found_soon(self, job_id: str) -> Any:
        """A job that the service has, though it may need a moment to find it."""
        from google.api_core.exceptions import NotFound
        from google.api_core.retry import Retry, if_exception_type

        def find() -> Any:
            return self.client.get_job(job_id, location=self.location, retry=retry(), timeout=TIMEOUT)

        return Retry(predicate=if_exception_type(NotFound), timeout=FOUND_WITHIN)(find)()

    def _has_failed(self, job: Any) -> bool:
        return job.state == "DONE" and bool(job.error_result)

    def _wait(self, what: str, job: Any) -> None:
        moment(f"wait for job {job.job_id}")
        with errors.told(f"the job {job.job_id} ({what.partition('_')[0]})"):
            if job.state == "DONE" and job.error_result is None and getattr(job, "job_type", "") == "load":
                return
            job.result(retry=retry(), timeout=WAIT)

    def load(self, name: str, stream: BinaryIO, table: Any, config: Any) -> str:
        """Load a file into a table, whatever was there before; gives the job's id.

        Args:
            name: The file's name.
            stream: Its bytes, in something that can be rewound.
            table: The table.
            config: Of the load job.
        """

        def start(job_id: str) -> Any:
            size = stream.seek(0, io.SEEK_END)
            return self.client.load_table_from_file(
                stream,
                table,
                rewind=True,
                size=size,
                num_retries=3,
                job_id=job_id,
                location=self.location,
                job_config=config,
                timeout=TIMEOUT,
            )

        return self.run(f"load_{name.removesuffix('.parquet')}", start)
