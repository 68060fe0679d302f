"""The server as a process of its own: `python -m tests.servers.snowflake.program PORT CERTIFICATE KEY`.

What tests tell it and ask of it goes by `/test`, which is not Snowflake's.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import fakesnow.server
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.servers.snowflake import stages
from tests.servers.snowflake.service import Fault, Service, User, application


def _set(service: Service, told: dict[str, Any]) -> None:
    if "users" in told:
        service.users = {
            name: User(each.get("password"), each.get("public_key"), _pattern(each.get("may_not")))
            for name, each in told["users"].items()
        }
    if "faults" in told:
        service.faults = [Fault(**{**each, "statement": re.compile(each["statement"])}) for each in told["faults"]]
    service.idle_seconds = told.get("idle_seconds", service.idle_seconds)
    if told.get("forget"):
        service.statements.clear()


def _pattern(text: str | None) -> re.Pattern[str] | None:
    return re.compile(text) if text else None


def _connect(database: str | None, *, makes: bool) -> Any:
    """A connection by the side door; it makes the database, as no session of a client may."""
    server = fakesnow.server.shared_fs
    server.create_database_on_connect = server.create_schema_on_connect = makes
    try:
        return server.connect(database, "PUBLIC")
    finally:
        server.create_database_on_connect = server.create_schema_on_connect = False


def _answer(service: Service, told: dict[str, Any]) -> Any:
    connection = _connect(told.get("database"), makes=True)
    if "sql" in told:
        cursor = connection.cursor()
        cursor.execute(told["sql"])
        return [["" if value is None else str(value) for value in row] for row in cursor.fetchall() or []]
    if "tags" in told:
        return service.tags
    if "stage" in told:
        root = stages.folder_of(f"{told['database']}.PUBLIC.{told['stage']}", connection)
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    _set(service, told)
    return service.statements


def main(port: int, certificate: str, key: str) -> None:
    """Serve until a signal ends it."""
    service = Service()
    _connect(None, makes=False)

    async def told(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(_answer, service, await request.json()))

    with application(service) as app:
        app.routes.append(Route("/test", told, methods=["POST"]))
        uvicorn.run(
            app,
            host="127.0.0.1",
            port=port,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            log_level="warning",
            timeout_keep_alive=600,
            timeout_graceful_shutdown=1,
            lifespan="off",
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
