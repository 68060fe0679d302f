"""The service behind the API: jobs that run in threads, what may be told to it, and its answers."""

from __future__ import annotations

import datetime as dt
import re
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from demo.servers.bigquery.catalog import Catalog, now
from demo.servers.bigquery.errors import ApiError, missing
from demo.servers.bigquery.loading import load
from demo.servers.bigquery.queries import Queries, Result


@dataclass
class Fault:
    """What befalls the next job whose id fits.

    Args:
        job: Which ids fit.
        reason: The error of the job.
        message: What it says.
        is_done: The job is carried out all the same.
    """

    job: str
    reason: str
    message: str
    is_done: bool = False


@dataclass
class Service:
    """All that the service knows.

    Args:
        catalog: Its tables.
        jobs: Their resources, by id.
        results: What query jobs gave.
        faults: Each befalls one job.
    """

    catalog: Catalog = field(default_factory=Catalog)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    starting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Let queries run on the catalog."""
        self.queries = Queries(self.catalog)

    def insert(self, project: str, body: dict[str, Any], data: bytes | None = None) -> dict[str, Any]:
        """Start a job; it is done when this gives its resource."""
        reference = {"jobId": uuid.uuid4().hex, **body.get("jobReference", {}), "projectId": project}
        reference["location"] = place = self._place(project, reference.get("location"), body["configuration"])
        job_id = reference["jobId"]
        job: dict[str, Any] = {
            "kind": "bigquery#job",
            "id": f"{project}:{place}.{job_id}",
            "jobReference": reference,
            "configuration": {**body["configuration"], "jobType": "LOAD" if data is not None else "QUERY"},
            "statistics": {"creationTime": now(), "startTime": now()},
            "status": {"state": "RUNNING"},
        }
        with self.starting:
            if job_id in self.jobs:
                raise ApiError(409, "duplicate", f"Already Exists: Job {project}:{place}.{job_id}")
            self.jobs[job_id] = job
        try:
            self._befall(job_id, lambda: self._carry_out(project, job, data))
        except ApiError as error:
            job["status"].update(errorResult=error.proto, errors=[error.proto])
            if error.code == 403 or (error.code == 404 and "Dataset" in error.message):
                del self.jobs[job_id]  # it is refused before it begins
                raise
        job["status"]["state"] = "DONE"
        job["statistics"]["endTime"] = now()
        return job

    def _place(self, project: str, location: str | None, configuration: dict[str, Any]) -> str:
        """Where a job runs: where it is told to, which is where its dataset is; without a word in that place."""
        query = str(configuration.get("query", {}).get("query", ""))
        target = configuration.get("load", {}).get("destinationTable", {})
        used = {name for _, name in self.catalog.datasets if name == target.get("datasetId") or f".{name}." in query}
        for name in sorted(used):
            found = str(self.catalog.dataset(project, name)["location"])
            if location is not None and location.lower() != found.lower():
                raise missing("Dataset", f"{project}:{name} was not found in location {location}")
            location = found
        return location or "US"

    def _befall(self, job_id: str, carry_out: Any) -> None:
        fault = next((each for each in self.faults if re.search(each.job, job_id)), None)
        if fault is None:
            carry_out()
            return
        self.faults.remove(fault)
        if fault.is_done:
            carry_out()
        raise ApiError(400, fault.reason, fault.message)

    def _carry_out(self, project: str, job: dict[str, Any], data: bytes | None) -> None:
        configuration = job["configuration"]
        if data is not None:
            job["statistics"]["load"] = load(self.catalog, configuration["load"], data)
            return
        result = self.queries.run(project, configuration["query"])
        self.results[job["jobReference"]["jobId"]] = result
        told: dict[str, Any] = {"statementType": result.kind, "totalBytesProcessed": "0"}
        if result.changed is not None:
            told["numDmlAffectedRows"] = str(result.changed)
        job["statistics"]["query"] = told

    def job(self, project: str, job_id: str, location: str | None) -> dict[str, Any]:
        """A job's resource; without a location only jobs of the multi-regions US and EU are found."""
        found = self.jobs.get(job_id)
        place = str(found["jobReference"]["location"]).lower() if found else ""
        if found is None or (place not in ("us", "eu") if location is None else place != location.lower()):
            raise missing("Job", f"{project}:{job_id}")
        return found

    def rows_of(self, project: str, job_id: str, location: str | None) -> dict[str, Any]:
        """What a query job gave, once it is done."""
        job = self.job(project, job_id, location)
        if (error := job["status"].get("errorResult")) is not None:
            raise ApiError(400, error["reason"], error["message"])
        base = {"kind": "bigquery#getQueryResultsResponse", "jobReference": job["jobReference"]}
        if job["status"]["state"] != "DONE":
            return {**base, "jobComplete": False}
        result = self.results[job_id]
        return {
            **base,
            "jobComplete": True,
            "schema": {"fields": result.fields},
            "totalRows": str(len(result.rows)),
            "rows": [
                {"f": [{"v": _cell(value, each["type"])} for value, each in zip(row, result.fields, strict=True)]}
                for row in result.rows
            ],
            **({} if result.changed is None else {"numDmlAffectedRows": str(result.changed)}),
        }


def _cell(value: Any, kind: str) -> str | None:
    if value is None:
        return None
    if kind == "TIMESTAMP":
        return str((value - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1))  # noqa: DTZ001 (in UTC)
    if kind == "BOOLEAN":
        return "true" if value else "false"
    return repr(value) if kind == "FLOAT" else str(value)
