"""How long the DAG file takes to load for hundreds of exports, beyond Airflow's own import.

`python -m bench.parsing [exports]` prints the figures; each is the least of several processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXPORTS = 500
TRIES = 2
HEAVY = (
    *("airflow.providers.amazon.aws", "airflow.providers.google.cloud", "airflow.providers.microsoft.azure.hooks"),
    *("airflow.providers.snowflake.hooks", "boto3", "botocore", "adbc_driver_manager", "pandas", "numpy", "pyarrow"),
)
"""What a DAG file may not import. Airflow itself imports each provider's `get_provider_info`."""

_SCHEDULES: list[dict[str, Any]] = [
    {"frequency": "daily", "time": "02:00", "timezone": "Europe/Berlin"},
    {"frequency": "weekly", "day": "sunday", "time": "03:00"},
    {"frequency": "monthly", "day": "last"},
    {"frequency": "hourly", "minute": 15},
    {"frequency": "cron", "expression": "30 2 * * 1-5"},
]

_MEASURE = """
import sys, time
start = time.perf_counter()
import airflow, airflow.sdk
from airflow.sdk import DAG, Asset, BaseOperator, get_parsing_context, task_group
import airflow.timetables.base
DAG; Asset; BaseOperator; get_parsing_context; task_group
ready = time.perf_counter()
import runpy
found = runpy.run_path(sys.argv[1])
loaded = time.perf_counter()
dags = sum(type(each) is DAG for each in found.values())
heavy = [name for name in sys.argv[2].split(",") if name in sys.modules]
print(dags, ready - start, loaded - ready, ",".join(heavy) or "none")
"""


def document(count: int) -> dict[str, Any]:
    """A document with so many exports to S3, of every schedule."""
    exports = [
        {
            "name": f"export_{number:04}",
            "schedule": _SCHEDULES[number % len(_SCHEDULES)],
            "destination": {"type": "s3", "config": {"bucket": "${BUCKET}", "prefix": f"logs/{number}/{{year}}/"}},
            "data": {"filters": {"providers": ["openai"], "status_codes": [200, 500]}},
        }
        for number in range(count)
    ]
    return {"log_exports": {"source": {"type": "sqlite", "config": {"path": "/logs.db"}}, "exports": exports}}


def measure(folder: Path, dag_id: str | None = None) -> tuple[int, float, float, str]:
    """Load the DAG file in a new process.

    Args:
        folder: Holds the document.
        dag_id: Of the one DAG that is wanted, as a worker says it; None for all of them.

    Returns:
        DAGs, seconds of Airflow's own import, seconds beyond it, heavy modules that were imported.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "BIFROST"))}
    variables |= {"AIRFLOW_HOME": str(folder), "BIFROST_EXPORT_CONFIG": str(folder / "log_exports.json")}
    variables |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False", "PYTHONPATH": str(ROOT)}
    if dag_id is not None:
        variables |= {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": dag_id, "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "plan"}
    command = [sys.executable, "-c", _MEASURE, str(ROOT / "dags" / "bifrost_exports.py"), ",".join(HEAVY)]
    done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    dags, own, beyond, heavy = done.stdout.splitlines()[-1].split()
    return int(dags), float(own), float(beyond), heavy


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EXPORTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "log_exports.json").write_text(json.dumps(document(count), indent=1), "utf-8")
        for dag_id in (None, "bifrost_export__export_0001"):
            dags, own, beyond, heavy = min((measure(folder, dag_id) for _ in range(TRIES)), key=lambda each: each[2])
            what = "for the DAG processor" if dag_id is None else "for a worker that needs one"
            print(f"{count} exports, {what}: {dags} DAGs in {beyond:.2f} s beyond Airflow's own import of {own:.2f} s")
            print(f"  providers, drivers, pandas, numpy, pyarrow imported: {heavy}")


if __name__ == "__main__":
    main()
