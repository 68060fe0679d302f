"""A log store of an installed package is treated as a built-in one is: keys, references, secrets, hosts, places."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bifrost_export import registry, trust
from bifrost_export.airflow.dag_page import page
from bifrost_export.config.freezing import freeze
from bifrost_export.config.references.resolver import Resolver
from bifrost_export.config.schema.document import document_schema
from bifrost_export.config.source import find_source
from bifrost_export.errors import BifrostExportError, ConfigError
from bifrost_export.logstore.inspection import Inspected, answers, with_defaults
from bifrost_export.logstore.port import Totals
from bifrost_export.window import Window
from tests.unit.config.documents import document, export, loaded

MODULE = '''
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit
from pydantic import BaseModel, Field
from bifrost_export import trust
from bifrost_export.errors import ConfigError
from bifrost_export.fields.markers import ConnectionText, PathText, Secret, Strict
from bifrost_export.fields.reference_text import has_references
from bifrost_export.logstore.source_config import SourceConfig


class VaultConfig(SourceConfig):
    """Keys of `source.config`."""

    host: ConnectionText = Field(description="The server.")
    cache: PathText | None = Field(default=None, description="A folder.")
    token: Secret | None = Field(default=None, description="Signs in.")
    tries: int = Field(default=3, ge=1, description="How often.")

    @classmethod
    def from_address(cls, address: str, where: str) -> dict[str, Any]:
        parts = urlsplit(address)
        return {"host": parts.hostname, "token": parts.password, "cache": parts.path[1:]}

    @classmethod
    def from_connection(cls, connection: Any, conn_id: str) -> dict[str, Any]:
        return {"host": connection.host, "token": connection.password}

    def refused(self) -> Iterator[tuple[str, ConfigError]]:
        if self.token and not has_references(self.host):
            yield from trust.refusal("host", trust.of_host(self.host), "Vault", "source.config.host", "the token")


class VaultLogs:
    Config: ClassVar[type[BaseModel]] = VaultConfig


class PlainConfig(SourceConfig):
    """Keys of `source.config`, which only a document names."""

    path: PathText = Field(description="A file.")


class PlainLogs:
    Config: ClassVar[type[BaseModel]] = PlainConfig


class WithoutConfig:
    pass
'''
POINTS = """[bifrost_export.logstores]
vault_logs = vault_logs:VaultLogs
broken_logs = broken_logs:BrokenLogs
bare_logs = vault_logs:WithoutConfig
plain_logs = vault_logs:PlainLogs
"""
HOST = "127.0.0.1"
NAMES = "bare_logs, broken_logs, plain_logs, postgres, sqlite, vault_logs"


@dataclass
class Connection:
    """What is read of an Airflow connection."""

    conn_type: str
    host: str | None = None
    password: str | None = None
    extra_dejson: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with three log stores, two of which are of no use."""
    site = tmp_path / "site"
    info = site / "vault_logs-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vault-logs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (site / "vault_logs.py").write_text(MODULE)
    (site / "broken_logs.py").write_text("raise OSError('no licence')")
    monkeypatch.syspath_prepend(str(site))
    registry._added.cache_clear()
    yield
    for name in ("vault_logs", "broken_logs"):
        sys.modules.pop(name, None)
    registry._added.cache_clear()


def source(type_: str = "vault_logs", **config: Any) -> dict[str, Any]:
    """A source in the document."""
    return {"type": type_, "config": {"host": HOST, **config} if type_ == "vault_logs" else config}


def errors(folder: Path, given: Any) -> list[Any]:
    """The errors of an export with this source."""
    return list(loaded(folder, document(export(source=given))).errors)


def test_its_keys_are_checked_by_its_own_model(tmp_path: Path) -> None:
    """With position, bounds, and a "did you mean"."""
    assert errors(tmp_path, source()) == []
    [unknown] = errors(tmp_path, source(tokn="${VAULT_TOKEN}"))
    assert (unknown.pointer, unknown.hint) == ("/log_exports/exports/0/source/config/tokn", "Did you mean 'token'?")
    assert unknown.line is not None
    [low] = errors(tmp_path, source(tries=0))
    assert low.pointer.endswith("/source/config/tries")


def test_an_unknown_type_lists_the_installed_ones_too(tmp_path: Path) -> None:
    """With the nearest of them."""
    [problem] = errors(tmp_path, source("vault_log"))
    assert problem.pointer == "/log_exports/exports/0/source/type"
    assert problem.message == "there is no log store 'vault_log'"
    assert problem.allowed == NAMES
    assert problem.hint == "Did you mean 'vault_logs'?"
    [path] = errors(tmp_path, source("vault_logs:VaultLogs"))
    assert "there is no log store" in path.message


@pytest.mark.parametrize(
    ("type_", "told"), [("broken_logs", "OSError: no licence"), ("bare_logs", "its class has no config model")]
)
def test_a_package_that_is_of_no_use_breaks_only_what_names_it(tmp_path: Path, type_: str, told: str) -> None:
    """The other exports stand, and so does the schema."""
    found = loaded(tmp_path, document(export(source=source(type_)), export(name="other", source=source())))

    [problem] = found.errors
    assert problem.pointer == "/log_exports/exports/0/source/type"
    assert told in problem.message
    assert found.exports[1].good.name == "other"
    assert type_ not in json.dumps(document_schema()["$defs"]["Source"])


def test_it_is_loaded_only_when_a_document_names_it(tmp_path: Path) -> None:
    """What is built in is not loaded for its neighbours."""
    loaded(tmp_path, document(export(source={"type": "sqlite", "config": {"path": "/logs.db"}})))
    assert "vault_logs" not in sys.modules
    loaded(tmp_path, document(export(source=source())))
    assert "vault_logs" in sys.modules


def test_a_secret_is_neither_frozen_nor_shown(tmp_path: Path) -> None:
    """A literal one gives a warning; the page tells the rest."""
    found = loaded(tmp_path, document(export(source=source(token="canary-token", cache="cache"))))
    [one] = found.exports
    frozen = freeze(one)

    [warned] = [each.pointer for each in found.problems if "secret" in each.message]
    assert warned == f"{one.pointer}/source/config/token"
    assert "canary" not in json.dumps(frozen)
    shown = page(one.good, frozen, "0" * 64)
    assert HOST in shown
    assert "canary" not in shown


def test_references_are_filled_in_by_their_class(tmp_path: Path) -> None:
    """A secret takes what an address may not; every form of it is reported."""
    frozen = freeze(loaded(tmp_path, document(export(source=source(token="${VAULT_TOKEN}", cache="sub")))).exports[0])
    secrets: list[str] = []
    resolver = Resolver({"VAULT_TOKEN": "canary"}, document=Path(frozen["document"]), on_secret=secrets.append)

    kind, config = find_source(frozen, resolver, None)
    assert (kind, config["token"], config["cache"]) == ("vault_logs", "canary", str(tmp_path / "sub"))
    assert "canary" in secrets
    [refused] = errors(tmp_path, {"type": "vault_logs", "config": {"host": "${DB_PASSWORD}"}})
    assert "DB_PASSWORD" in refused.message


def test_a_host_that_nobody_vouches_for_gets_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the patterns that hold for built-in log stores."""
    given = {"type": "vault_logs", "config": {"host": "evil.example", "token": "${VAULT_TOKEN}"}}
    [problem] = errors(tmp_path, given)
    assert problem.pointer.endswith("/source/config/host")
    assert problem.message == "source.config.host names the host 'evil.example', which would receive the token"
    assert "hosts of Vault" not in problem.allowed

    monkeypatch.setenv(trust.HOSTS, "evil.example")
    assert errors(tmp_path, given) == []


def test_each_of_the_five_places_may_name_it(tmp_path: Path) -> None:
    """Address and connection by its registered name."""

    def find(content: Any, environ: dict[str, str] | None = None, connection: Any = None) -> Any:
        frozen = freeze(loaded(tmp_path, content).exports[0])
        resolver = Resolver(environ or {}, document=Path(frozen["document"]), on_secret=secrets.append)
        return find_source(frozen, resolver, connection and (lambda _: connection))

    secrets: list[str] = []
    of_all = document(logs_store={"type": "vault_logs", "config": {"host": "third", "of_bifrost": 1}})
    assert find(of_all) == ("vault_logs", {"host": "third"})
    of_all["log_exports"]["source"] = source()
    assert find(of_all)[1] == {"host": HOST}
    variable = {"BIFROST_LOG_STORE": "vault-logs://user:canary-4@fourth/sub"}
    assert find(document(), variable)[1] == {"host": "fourth", "token": "canary-4", "cache": str(tmp_path / "sub")}
    with pytest.raises(ConfigError, match="a type that has no address") as caught:
        find(document(), {"BIFROST_LOG_STORE": variable["BIFROST_LOG_STORE"].replace("vault", "plain")})
    assert "canary" not in str(caught.value)
    with pytest.raises(ConfigError, match="there is no such log store") as caught:
        find(document(), {"BIFROST_LOG_STORE": "vault-lgs://user:canary-4@fourth/sub"})
    assert caught.value.allowed == NAMES
    assert "canary" not in str(caught.value)
    assert find(document(), None, Connection("vault_logs", "fifth", "canary-5"))[1] == {
        "host": "fifth",
        "token": "canary-5",
    }
    with pytest.raises(ConfigError, match="of a type that no connection can name"):
        find(document(), None, Connection("plain_logs", "fifth"))
    assert secrets == ["canary-4", "canary-5"]


def test_the_methods_that_it_lacks_have_defaults() -> None:
    """They tell nothing; those that it has are its own."""

    class Small:
        """A log store without what only a check asks."""

        def unplaced(self) -> int:
            """One row."""
            return 1

    small = with_defaults(Small)()
    window = Window.parse("2026-03-01", "2026-03-02")

    assert small.unplaced() == 1
    assert (small.remarks(), small.kinds(window), small.caught_up(window.end)) == ([], [], None)
    assert (small.count_tool_calls(window), small.unplaced_tool_calls(), small.has_table("x")) == (Totals(), 0, False)
    assert list(small.read_tool_calls(window, None).batches) == []
    assert (small.column_types([]), small.offloaded.is_named, small.sql(window, None)) == ({}, False, [])
    with pytest.raises(BifrostExportError, match="new_column"):
        small.column_types(["new_column"])
    assert answers(small, "unplaced")
    assert not answers(small, "newest")
    assert with_defaults(type(small)) is type(small)
    assert Inspected in with_defaults(Small).__mro__
