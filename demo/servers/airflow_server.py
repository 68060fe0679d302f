"""A real Airflow on this machine, for the demo and for tests: the components that an installation has, on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bifrost_export.errors import PermanentError
from demo.servers.processes import Process, free_port, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

COMPONENTS = {
    "api-server": ("api-server",),
    "dag-processor": ("dag-processor",),
    # Without -s the scheduler would serve logs to everyone on the network.
    "scheduler": ("scheduler", "-s"),
}


@dataclass(frozen=True)
class AirflowHome:
    """Where an Airflow keeps its things, and the variables that make it.

    Args:
        home: Its `AIRFLOW_HOME`; it is made.
        dags: Its DAGs folder.
        extra: Variables beside the ones that it needs.
        port: Of its API server.
    """

    home: Path
    dags: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Address of its API server and its pages."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, secret: str) -> dict[str, str]:
        """All variables of its processes: quick to react, nobody needs to sign in, nothing listens but on loopback."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        return {
            **inherited,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__SECRET_KEY": secret,
            "AIRFLOW__API_AUTH__JWT_SECRET": secret,
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
            # A scheduler that is up before the API server must not make the first task fail.
            "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "20",
            "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "5",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            **self.extra,
        }


@dataclass(frozen=True)
class AirflowServer:
    """A running Airflow.

    Args:
        home: Where it keeps its things.
        environment: The variables of its processes.
        processes: Its components, by name.
    """

    home: AirflowHome
    environment: Mapping[str, str]
    processes: Mapping[str, Process]

    def request(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Ask its public API.

        Args:
            path: Below `/api/v2/`.
            method: Of HTTP.
            body: Sent as JSON, when there is one.

        Returns:
            The answer's JSON, or None when it has none.

        Raises:
            urllib.error.HTTPError: It refuses.
        """
        request = urllib.request.Request(  # noqa: S310 (loopback)
            f"{self.home.url}/api/v2/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 (loopback)
            text = answer.read()
        return json.loads(text) if text else None

    def is_healthy(self) -> bool:
        """Whether the API answers, and says that the scheduler and the DAG processor are alive."""
        try:
            health = self.request("monitor/health")
        except (OSError, ValueError):
            return False
        return all(health[name]["status"] == "healthy" for name in ("scheduler", "dag_processor"))

    def knows(self, dag_id: str) -> bool:
        """Whether it has read the DAG."""
        try:
            self.request(f"dags/{dag_id}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return False
        return True

    def wait(self, seconds: float = 120) -> None:
        """Wait until it is healthy.

        Raises:
            PermanentError: A component has ended, or the time is over.
        """
        wait_until(self.is_healthy, list(self.processes.values()), seconds, "Airflow")


@contextlib.contextmanager
def migration(home: AirflowHome, log: Path, secret: str) -> Iterator[Process]:
    """Make the metadata database in a process of its own, which runs on while the block lasts."""
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    with running("airflow db migrate", command, log, home.environment(secret)) as process:
        yield process
        try:
            code = process.handle.wait(180)
        except subprocess.TimeoutExpired:
            code = None
        if code != 0:
            last = "\n".join(process.output().splitlines()[-10:])
            raise PermanentError(f"airflow db migrate failed:\n{last}", hint=f"See {log}.")


@contextlib.contextmanager
def airflow_server(home: AirflowHome, logs: Path, secret: str | None = None) -> Iterator[AirflowServer]:
    """Run an Airflow whose database exists while the block lasts; all its processes are ended by their ids.

    Args:
        home: Where it keeps its things.
        logs: The folder for the components' output.
        secret: Signs the components' tokens; drawn when not given.
    """
    environment = home.environment(secret or secrets.token_hex(32))
    with contextlib.ExitStack() as stack:
        processes = {
            name: stack.enter_context(
                running(name, [sys.executable, "-m", "airflow", *arguments], logs / f"{name}.log", environment)
            )
            for name, arguments in COMPONENTS.items()
        }
        try:
            yield AirflowServer(home, environment, processes)
        finally:
            for process in processes.values():  # all at once; leaving the stack then waits for each
                with contextlib.suppress(ProcessLookupError):
                    process.handle.send_signal(signal.SIGINT)
