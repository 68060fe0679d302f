"""The BigQuery of demo and tests comes and goes without a trace."""

from __future__ import annotations

import http.client
import threading
from contextlib import closing

from demo.servers.bigquery_server import bigquery_server


def test_a_client_that_keeps_its_connection_leaves_no_thread_behind() -> None:
    """Such a thread, holding the database while Python exits, would abort the process."""
    before = set(threading.enumerate())
    with bigquery_server("a-project", "logs") as server:
        client = http.client.HTTPConnection(server.url.removeprefix("http://"))
        client.request("GET", "/projects/a-project/datasets/logs")
        assert client.getresponse().read()
        assert len(set(threading.enumerate()) - before) > 1
    with closing(client):
        assert set(threading.enumerate()) <= before
