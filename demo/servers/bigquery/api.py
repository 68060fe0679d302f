"""The REST API, version 2: the part of it that the client library needs for jobs and tables."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import socket
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from demo.servers.bigquery.errors import ApiError, denied
from demo.servers.bigquery.service import Service

_PROJECT = r"/(?:bigquery/v2/)?projects/(?P<project>[^/]+)"
_DATASET = rf"{_PROJECT}/datasets/(?P<dataset>[^/]+)"
_NEEDS = (
    ("POST", r"/jobs$", "bigquery.jobs.create"),
    ("GET", r"/tables$", "bigquery.tables.list"),
    ("POST", r"/tables$", "bigquery.tables.create"),
    ("GET", r"/tables/[^/]+$", "bigquery.tables.get"),
    ("PATCH", r"/tables/[^/]+$", "bigquery.tables.update"),
    ("DELETE", r"/tables/[^/]+$", "bigquery.tables.delete"),
    ("GET", r"/datasets/[^/]+$", "bigquery.datasets.get"),
)


class Api(ThreadingHTTPServer):
    """The server.

    Args:
        auth: Knows who holds a token; None lets everybody in.
    """

    allow_reuse_address = True

    def __init__(self, auth: Any = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = Service()
        self.auth = auth
        self.uploads: dict[str, tuple[str, dict[str, Any], bytearray]] = {}
        self.lose: Callable[[str, str], bool] = lambda _method, _path: False
        self.requests: list[str] = []
        self.clients: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a client on a thread of its own."""
        self.clients.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Say goodbye to a client."""
        self.clients.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close it, and end the threads of clients that keep their connections.

        A thread that outlived this and dropped the last reference to the database while Python exits would abort the
        process: there DuckDB waits for the interpreter's lock, which such a thread gets no more.
        """
        for client in list(self.clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        super().server_close()
        self.service.catalog.database.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Api

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
        """Say nothing."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        parts = urlsplit(self.path)
        self.server.requests.append(f"{self.command} {self.path}")
        try:
            self._check(parts.path)
            status, headers, answer = self._answer(parts.path, parse_qs(parts.query), body)
        except ApiError as error:
            status, headers, answer = error.code, {}, error.body
        except Exception as error:  # noqa: BLE001 (the client would ask again and again)
            told = ApiError(400, "fault", f"a fault of the stand-in: {type(error).__name__}: {error}")
            status, headers, answer = told.code, {}, told.body
        if self.server.lose(self.command, parts.path):
            self.close_connection = True
            return
        data = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 (the base class names them so)

    def _check(self, path: str) -> None:
        """Refuse whoever holds no token, or lacks a permission."""
        self.server.service.catalog.asking.account = None
        if self.server.auth is None:
            return
        account = self.server.auth.account_of(self.headers.get("Authorization", ""))
        if account is None:
            raise ApiError(401, "authError", "Request had invalid authentication credentials.")
        self.server.service.catalog.asking.account = account
        for method, pattern, permission in _NEEDS:
            if method == self.command and (match := re.search(pattern, path)) and not account.may(permission):
                raise self._denied(permission, match.string)

    def _denied(self, permission: str, path: str) -> ApiError:
        """What the service says: of a project, of a dataset, or of a table."""
        names = re.search(r"projects/([^/]+)(?:/datasets/([^/]+))?(?:/tables/([^/]+))?", path)
        project, dataset, table = names.groups() if names else ("", None, None)
        if dataset is None:
            told = f"User does not have {permission} permission in project {project}."
            return ApiError(403, "accessDenied", f"Access Denied: Project {project}: {told}")
        if table is None:
            return denied("Dataset", f"{project}:{dataset}", permission)
        return denied("Table", f"{project}:{dataset}.{table}", permission)

    def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, dict[str, str], Any]:
        if path.startswith("/upload"):
            return self._upload(path, query, body)
        service, catalog = self.server.service, self.server.service.catalog
        given = json.loads(body) if body else {}
        if match := re.fullmatch(rf"{_PROJECT}/jobs", path):
            return 200, {}, service.insert(match["project"], given)
        location = query.get("location", [None])[0]
        if match := re.fullmatch(rf"{_PROJECT}/queries", path):
            reference = {"location": given["location"]} if given.get("location") else {}
            job = service.insert(match["project"], {"configuration": {"query": given}, "jobReference": reference})
            told = job["jobReference"]
            return 200, {}, service.rows_of(match["project"], told["jobId"], told["location"])
        if match := re.fullmatch(rf"{_PROJECT}/jobs/(?P<job>[^/]+)", path):
            return 200, {}, service.job(match["project"], match["job"], location)
        if match := re.fullmatch(rf"{_PROJECT}/queries/(?P<job>[^/]+)", path):
            return 200, {}, service.rows_of(match["project"], match["job"], location)
        if match := re.fullmatch(rf"{_PROJECT}/datasets", path):
            return 200, {}, catalog.make_dataset(match["project"], given)
        if match := re.fullmatch(_DATASET, path):
            return 200, {}, catalog.dataset(match["project"], match["dataset"])
        if match := re.fullmatch(rf"{_DATASET}/tables", path):
            return self._tables(match["project"], match["dataset"], given)
        if match := re.fullmatch(rf"{_DATASET}/tables/(?P<table>[^/]+)", path):
            return self._table((match["project"], match["dataset"], unquote(match["table"])), given)
        raise ApiError(501, "notImplemented", f"the stand-in has no {self.command} {path}")

    def _tables(self, project: str, dataset: str, given: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        catalog = self.server.service.catalog
        if self.command == "POST":
            return 200, {}, catalog.make_table((project, dataset, given["tableReference"]["tableId"]), given)
        catalog.dataset(project, dataset)
        tables = [each for key, each in catalog.tables.items() if key[:2] == (project, dataset)]
        return 200, {}, {"kind": "bigquery#tableList", "tables": tables, "totalItems": len(tables)}

    def _table(self, key: tuple[str, str, str], given: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        catalog = self.server.service.catalog
        if self.command == "DELETE":
            catalog.drop_table(key)
            return 204, {}, None
        if self.command == "PATCH":
            return 200, {}, catalog.patch_table(key, given, self.headers.get("If-Match"))
        return 200, {}, catalog.describe(key)

    def _upload(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, dict[str, str], Any]:
        """A load job with its file: in one request of two parts, or as an upload that can be resumed."""
        match = re.search(r"/projects/([^/]+)/jobs", path)
        project = match[1] if match else ""
        if self.command == "POST" and query.get("uploadType") == ["resumable"]:
            upload = uuid.uuid4().hex
            self.server.uploads[upload] = (project, json.loads(body), bytearray())
            where = f"{self.server.url}{path}?uploadType=resumable&upload_id={upload}"
            return 200, {"Location": where}, {}
        if self.command == "POST":
            found = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
            pieces = body.split(b"--" + (found[1].encode() if found else b""))[1:3]
            told, data = (piece.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for piece in pieces)
            return 200, {}, self.server.service.insert(project, json.loads(told), data)
        upload = query["upload_id"][0]
        project, told_of, data_ = self.server.uploads[upload]
        data_ += body
        total = self.headers.get("Content-Range", "").rpartition("/")[2]
        if total in ("", "*") or int(total) > len(data_):
            return 308, {"Range": f"bytes=0-{len(data_) - 1}"}, None
        del self.server.uploads[upload]
        return 200, {}, self.server.service.insert(project, told_of, bytes(data_))
