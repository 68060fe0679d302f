"""The ways to sign in to warehouses, beside user and password in a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import rsa

from bifrost_export.errors import CredentialsRefusedError
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.servers.snowflake.server import USER, Snowflake

DAY = Window.parse("2026-03-01", "2026-03-02")


def export(folder: Path, log_store: Path, kind: str, config: dict[str, Any]) -> Export:
    """An export of the sample log store."""
    return Export(folder, log_store, destination={"type": kind, "config": config})


class TestSnowflake:
    """A key pair in place of a password; the document names the account, and no connection is needed."""

    @pytest.fixture(autouse=True)
    def no_connection(self, snowflake: Snowflake, monkeypatch: pytest.MonkeyPatch) -> None:
        """The document says everything."""
        for name in snowflake.connections():
            monkeypatch.delenv(name)

    @pytest.fixture
    def key(self) -> rsa.RSAPrivateKey:
        """A key."""
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @staticmethod
    def pem(key: rsa.RSAPrivateKey) -> str:
        """The private key as text."""
        return key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()).decode()

    @staticmethod
    def trust(snowflake: Snowflake, key: rsa.RSAPrivateKey) -> None:
        """Let the user sign in by a key, and by no password."""
        public = key.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
        snowflake.server.tell(users={USER: {"public_key": public.decode()}})

    @staticmethod
    def config(snowflake: Snowflake) -> dict[str, Any]:
        """The account by its host and port."""
        account = f"127.0.0.1:{snowflake.server.port}"
        credentials = {"username": USER, "private_key": "${SNOWFLAKE_KEY}"}
        return snowflake.config(conn_id=None, account=account, warehouse="WH", credentials=credentials)

    @pytest.mark.parametrize("is_path", [False, True], ids=["as text", "as a path"])
    def test_a_key_signs_in(
        self,
        snowflake: Snowflake,
        key: rsa.RSAPrivateKey,
        tmp_path: Path,
        log_store: Path,
        monkeypatch: pytest.MonkeyPatch,
        is_path: bool,
    ) -> None:
        """The key's PEM, or a file with it."""
        self.trust(snowflake, key)
        file = tmp_path / "key.p8"
        file.write_text(self.pem(key))
        monkeypatch.setenv("SNOWFLAKE_KEY", str(file) if is_path else self.pem(key))
        found = export(tmp_path, log_store, "snowflake", self.config(snowflake)).run(DAY)
        assert found["revision"] == 1
        exported = found["datasets"]["request_logs"]["exported"]
        assert snowflake.sql("SELECT COUNT(*) FROM PUBLIC.REQUEST_LOGS") == [[str(exported)]]

    def test_another_key_is_refused_and_told_nowhere(
        self,
        snowflake: Snowflake,
        key: rsa.RSAPrivateKey,
        tmp_path: Path,
        log_store: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """For good."""
        self.trust(snowflake, rsa.generate_private_key(public_exponent=65537, key_size=2048))
        monkeypatch.setenv("SNOWFLAKE_KEY", self.pem(key))
        with pytest.raises(CredentialsRefusedError, match="refused user, password or key") as raised:
            export(tmp_path, log_store, "snowflake", self.config(snowflake)).run(DAY)
        assert self.pem(key).splitlines()[1] not in str(raised.value)

    def test_a_key_that_is_none_is_refused(
        self, snowflake: Snowflake, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before anything is asked."""
        monkeypatch.setenv("SNOWFLAKE_KEY", "-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----\n")
        with pytest.raises(CredentialsRefusedError, match=r"private key can't be used.*PKCS#8"):
            export(tmp_path, log_store, "snowflake", self.config(snowflake)).run(DAY)
