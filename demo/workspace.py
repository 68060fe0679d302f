"""The demo's folder: its documents, the DAG file, and the variables that its Airflow gets."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_export.errors import ConfigError

if TYPE_CHECKING:
    from demo.servers.bigquery_server import BigQueryServer
    from demo.servers.s3_server import S3Server

EXPORT = "daily_s3_export"
DAG_ID = f"bifrost_export__{EXPORT}"
WEEKLY_EXPORT = "weekly_bigquery_export"
WEEKLY_DAG_ID = f"bifrost_export__{WEEKLY_EXPORT}"
PROJECT, DATASET, TABLE = "your-analytics-project", "bifrost_analytics", "weekly_logs"
BUCKET = "bifrost-logs-prod"
LOCAL_EXPORT = "daily_local_export"
_MARKER = ".bifrost-export-demo"

# The description's two complete exports, as they are.
_DAILY_S3_EXPORT: dict[str, Any] = {
    "name": EXPORT,
    "enabled": True,
    "schedule": {"frequency": "daily", "time": "02:00", "timezone": "UTC"},
    "destination": {
        "type": "s3",
        "config": {
            "bucket": BUCKET,
            "region": "us-west-2",
            "prefix": "daily-exports/{year}/{month}/{day}/",
            "credentials": {
                "access_key_id": "${AWS_ACCESS_KEY_ID}",
                "secret_access_key": "${AWS_SECRET_ACCESS_KEY}",
            },
        },
    },
    "data": {
        "format": "parquet",
        "compression": "gzip",
        "include": ["request_logs", "response_logs", "error_logs"],
        "filters": {"date_range": "last_24_hours", "status_codes": [200, 400, 401, 403, 404, 500]},
    },
}
_WEEKLY_BIGQUERY_EXPORT: dict[str, Any] = {
    "name": WEEKLY_EXPORT,
    "enabled": True,
    "schedule": {"frequency": "weekly", "day": "sunday", "time": "03:00", "timezone": "UTC"},
    "destination": {
        "type": "bigquery",
        "config": {
            "project_id": PROJECT,
            "dataset": DATASET,
            "table": TABLE,
            "credentials": {"service_account_key": "${GCP_SERVICE_ACCOUNT_KEY}"},
        },
    },
    "data": {
        "format": "json",
        "include": ["request_logs", "metrics", "traces"],
        "transformations": [
            {
                "type": "aggregate",
                "group_by": ["provider", "model", "customer_id"],
                "metrics": ["total_requests", "avg_latency", "error_rate"],
            }
        ],
    },
}


@dataclass(frozen=True)
class Workspace:
    """The demo's folder.

    Args:
        folder: Absolute.
    """

    folder: Path

    @property
    def log_store(self) -> Path:
        """The sample log store."""
        return self.folder / "logs.db"

    @property
    def document(self) -> Path:
        """The document that Airflow reads."""
        return self.folder / "include" / "log_exports.json"

    @property
    def local_document(self) -> Path:
        """A document that exports to files, to try the command line with."""
        return self.folder / "try_it.json"

    @property
    def dags(self) -> Path:
        """The DAGs folder."""
        return self.folder / "dags"

    @property
    def output(self) -> Path:
        """What the servers write."""
        return self.folder / "output"

    @property
    def downloads(self) -> Path:
        """Copies of the published objects, since the S3 server's memory ends with it."""
        return self.folder / "downloads"

    def make(self) -> None:
        """Make the folder afresh; what a former demo has left in it is removed.

        Raises:
            ConfigError: There is a folder of that name that no demo has made.
        """
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / _MARKER).exists():
                raise ConfigError(
                    f"{self.folder} is not empty, and no demo has made it", hint="Name another folder with --folder."
                )
            shutil.rmtree(self.folder)
        for each in (self.document.parent, self.dags, self.output, self.downloads):
            each.mkdir(parents=True)
        (self.folder / _MARKER).touch()
        for name, text in dag_files().items():
            (self.dags / name).write_text(text, "utf-8")

    def write_documents(self, server: S3Server) -> None:
        """Write the document of the demo, and one for the next steps."""
        local = {"type": "local", "config": {"path": str(self.folder / "exports")}}
        source = {"type": "sqlite", "config": {"path": str(self.log_store)}}
        to_s3 = _with(_DAILY_S3_EXPORT, "destination", "config", endpoint_url=server.url)
        to_files = {**_with(_DAILY_S3_EXPORT, "data", filters={}), "name": LOCAL_EXPORT, "destination": local}
        _write(self.document, {"log_exports": {"enabled": True, "exports": [to_s3]}})
        _write(self.local_document, {"log_exports": {"enabled": True, "source": source, "exports": [to_files]}})

    def write_complete_document(self) -> None:
        """Write the description's document: where its servers are, only the variables say."""
        exports = [_DAILY_S3_EXPORT, _WEEKLY_BIGQUERY_EXPORT]
        _write(self.document, {"log_exports": {"enabled": True, "exports": exports}})

    def server_variables(self, s3: S3Server, bigquery: BigQueryServer) -> dict[str, str]:
        """What leads the clouds' own clients to the servers of this machine."""
        return {
            "AWS_ENDPOINT_URL_S3": s3.url,
            "BIGQUERY_EMULATOR_HOST": bigquery.url,
            "BIFROST_EXPORT_HOSTS": "127.0.0.1:*",
            "GCP_SERVICE_ACCOUNT_KEY": bigquery.account.key_json,
        }

    def variables(self, server: S3Server) -> dict[str, str]:
        """What the document refers to, and where it finds the log store."""
        return {
            "AWS_ACCESS_KEY_ID": server.access_key_id,
            "AWS_SECRET_ACCESS_KEY": server.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "BIFROST_LOG_STORE": f"sqlite:///{self.log_store}",
            "BIFROST_EXPORT_CONFIG": str(self.document),
        }


def dag_files() -> dict[str, str]:
    """Return name and text of the DAG files of this checkout."""
    folder = Path(__file__).parents[1] / "dags"
    return {each.name: each.read_text("utf-8") for each in folder.glob("bifrost_export*.py")}


def _with(document: dict[str, Any], *path: str, **values: Any) -> dict[str, Any]:
    """A copy with these keys set in the object at a path."""
    if not path:
        return {**document, **values}
    return {**document, path[0]: _with(document[path[0]], *path[1:], **values)}


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
