"""What `make ui` decides before an Airflow runs."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from bifrost_export.cli.group import execute
from bifrost_export.errors import PermanentError
from demo import browsing
from demo.command import demo


def test_it_takes_a_free_port_where_the_preferred_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people look at two of them on one machine."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(browsing, "PREFERRED_PORT", taken.getsockname()[1])
        found = browsing.preferred_port()
    assert found != browsing.PREFERRED_PORT


def test_it_takes_the_preferred_port_where_nobody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that its address can be kept."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    monkeypatch.setattr(browsing, "PREFERRED_PORT", free)
    assert browsing.preferred_port() == free


def test_a_port_without_pages_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The demo that ends by itself shows none."""
    assert execute(["--port", "8081"], demo) == 2
    assert "--port goes with --ui" in capsys.readouterr().err


def test_it_says_what_to_install_where_the_metadata_database_has_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's own message would name a module."""

    def none(name: str) -> None:
        assert name == "psycopg"

    monkeypatch.setattr(browsing, "find_spec", none)
    server: Any = None
    with pytest.raises(PermanentError, match=r"make setup"):
        browsing.metadata_database(server)
