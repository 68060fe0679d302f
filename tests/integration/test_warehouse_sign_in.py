"""The ways to sign in to warehouses, beside user and password in a connection."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import rsa

from bifrost_export.destinations.redshift import connection
from bifrost_export.destinations.redshift.config import RedshiftConfig
from bifrost_export.errors import CredentialsRefusedError, DestinationError, DestinationUnavailableError
from bifrost_export.window import Window
from tests.integration.exports import Export
from tests.servers.redshift.server import Redshift
from tests.servers.redshift.serverless import Serverless, serverless
from tests.servers.snowflake.server import USER, Snowflake
from tests.servers.tls_proxy import certificate

DAY = Window.parse("2026-03-01", "2026-03-02")
CLUSTER = "bifrost-cluster"


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


# The driver makes its own context so.
@pytest.mark.filterwarnings("ignore:ssl.:DeprecationWarning")
class TestRedshift:
    """A cluster or a workgroup by its name, host and port, and a password of IAM's."""

    @staticmethod
    def credentials(redshift: Redshift, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
        """User and password, by references."""
        monkeypatch.setenv("REDSHIFT_USERNAME", redshift.postgres.user)
        monkeypatch.setenv("REDSHIFT_PASSWORD", redshift.postgres.password)
        monkeypatch.delenv("AIRFLOW_CONN_REDSHIFT_TEST")
        return {"username": "${REDSHIFT_USERNAME}", "password": "${REDSHIFT_PASSWORD}"}

    def test_host_and_port_and_credentials_are_enough_and_go_by_tls(
        self, redshift: Redshift, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No Airflow connection says anything of the session; the certificate is compared with the host."""
        monkeypatch.setenv("SSL_CERT_FILE", str(redshift.pem))
        here = {"host": "127.0.0.1", "port": redshift.proxy.port}
        config = redshift.config(conn_id=None, credentials=self.credentials(redshift, monkeypatch), **here)
        assert export(tmp_path, log_store, "redshift", config).run(DAY)["revision"] == 1

    def test_a_certificate_that_nobody_vouches_for_is_refused_for_good(
        self, redshift: Redshift, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No password is sent."""
        here = {"host": "127.0.0.1", "port": redshift.proxy.port}
        config = redshift.config(conn_id=None, credentials=self.credentials(redshift, monkeypatch), **here)
        with pytest.raises(DestinationError, match=r"by TLS failed.*sslmode") as raised:
            export(tmp_path, log_store, "redshift", config).run(DAY)
        assert not isinstance(raised.value, DestinationUnavailableError)
        assert redshift.proxy.statements == []

    @pytest.fixture
    def workgroup(self, redshift: Redshift, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serverless]:
        """A serverless workgroup, whose users are made as their passwords are drawn; its certificate is trusted."""
        monkeypatch.setenv("SSL_CERT_FILE", str(redshift.pem))
        users: set[str] = set()

        def make_user(user: str, password: str) -> None:
            how = "ALTER" if user in users else "CREATE"
            redshift.sql(f"{how} USER \"{user}\" SUPERUSER PASSWORD '{password}'")
            users.add(user)

        groups = {"bifrost-group": ("127.0.0.1", redshift.proxy.port), "young-group": None}
        with serverless(groups, make_user) as service:
            told = json.loads(redshift.connections()["AIRFLOW_CONN_REDSHIFT_TEST_AWS"])
            told["extra"]["service_config"] = {"redshift-serverless": {"endpoint_url": service.url}}
            monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_TEST_AWS", json.dumps(told))
            yield service
            for user in users:
                redshift.sql(f'DROP OWNED BY "{user}"; DROP USER "{user}"')

    def test_a_serverless_workgroup_is_found_by_its_name(
        self,
        redshift: Redshift,
        workgroup: Serverless,
        tmp_path: Path,
        log_store: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """With user and password."""
        config = redshift.config(
            conn_id=None, workgroup="bifrost-group", credentials=self.credentials(redshift, monkeypatch)
        )
        assert export(tmp_path, log_store, "redshift", config).run(DAY)["revision"] == 1
        assert set(workgroup.asked) == {"GetWorkgroup"}

    def test_iam_signs_in_to_a_serverless_workgroup(
        self, redshift: Redshift, workgroup: Serverless, tmp_path: Path, log_store: Path
    ) -> None:
        """No user is named: who asks has one."""
        config = redshift.config(conn_id=None, workgroup="bifrost-group", iam=True)
        assert export(tmp_path, log_store, "redshift", config).run(DAY)["revision"] == 1
        assert set(workgroup.asked) == {"GetWorkgroup", "GetCredentials"}

    def test_a_workgroup_that_is_not_there_is_named(
        self, redshift: Redshift, workgroup: Serverless, tmp_path: Path, log_store: Path
    ) -> None:
        """For good."""
        with pytest.raises(DestinationError, match=r"endpoint of workgroup nowhere: .*ResourceNotFound") as raised:
            export(tmp_path, log_store, "redshift", redshift.config(workgroup="nowhere")).run(DAY)
        assert not isinstance(raised.value, DestinationUnavailableError)

    def test_a_workgroup_without_an_endpoint_passes(
        self, redshift: Redshift, workgroup: Serverless, tmp_path: Path, log_store: Path
    ) -> None:
        """It is being made."""
        with pytest.raises(DestinationUnavailableError, match=r"young-group has no endpoint now \(it is CREATING\)"):
            export(tmp_path, log_store, "redshift", redshift.config(workgroup="young-group")).run(DAY)

    def test_a_right_of_aws_that_is_missing_is_named(
        self, redshift: Redshift, workgroup: Serverless, tmp_path: Path, log_store: Path
    ) -> None:
        """As IAM calls it."""
        workgroup.may_not.add("GetWorkgroup")
        with pytest.raises(DestinationError, match=r"AccessDeniedException: .*Grant redshift-serverless:GetWorkgroup"):
            export(tmp_path, log_store, "redshift", redshift.config(workgroup="bifrost-group")).run(DAY)

    @pytest.fixture
    def aws(self, redshift: Redshift, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """AWS's service with one cluster, whose host is found on the loopback, and has a certificate."""
        server = redshift.buckets.server
        client = boto3.client(
            "redshift",
            endpoint_url=redshift.buckets.url,
            region_name="us-west-2",
            aws_access_key_id=server.access_key_id,
            aws_secret_access_key=server.secret_access_key,
        )
        cluster = client.create_cluster(
            ClusterIdentifier=CLUSTER,
            NodeType="ra3.large",
            MasterUsername="somebody",
            MasterUserPassword="Not-of-any-worth-1",
            Port=redshift.proxy.port,
        )["Cluster"]
        host, find = cluster["Endpoint"]["Address"], socket.getaddrinfo

        def resolve(*args: Any, **how: Any) -> Any:
            """Find the cluster's host on the loopback, as a name server of the test's would."""
            args = tuple("127.0.0.1" if each == host else each for each in args)
            return find(*args, **{**how, **({"host": "127.0.0.1"} if how.get("host") == host else {})})

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert redshift.proxy.tls is not None
        redshift.pem, key = certificate(tmp_path, host)
        redshift.proxy.tls.load_cert_chain(redshift.pem, key)
        yield client
        client.delete_cluster(ClusterIdentifier=CLUSTER, SkipFinalClusterSnapshot=True)

    def test_a_cluster_is_found_by_its_name(
        self, redshift: Redshift, aws: Any, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its endpoint is AWS's answer; the connection has a port where nothing listens."""
        nowhere = redshift.connections()["AIRFLOW_CONN_REDSHIFT_TEST"].replace(str(redshift.proxy.port), "1")
        monkeypatch.setenv("AIRFLOW_CONN_REDSHIFT_TEST", nowhere)
        found = export(tmp_path, log_store, "redshift", redshift.config(cluster=CLUSTER)).run(DAY)
        assert found["revision"] == 1

    def test_the_published_block_signs_in_to_a_cluster(
        self, redshift: Redshift, aws: Any, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Cluster, region, user and password, and no Airflow connection of Redshift's; by TLS, with the host's name."""
        monkeypatch.setenv("SSL_CERT_FILE", str(redshift.pem))
        config = redshift.config(conn_id=None, cluster=CLUSTER, credentials=self.credentials(redshift, monkeypatch))
        assert export(tmp_path, log_store, "redshift", config).run(DAY)["revision"] == 1

    def test_a_cluster_that_is_not_there_is_named(
        self, redshift: Redshift, aws: Any, tmp_path: Path, log_store: Path
    ) -> None:
        """For good."""
        with pytest.raises(DestinationError, match=r"endpoint of cluster no-such-cluster: .*ClusterNotFound"):
            export(tmp_path, log_store, "redshift", redshift.config(cluster="no-such-cluster")).run(DAY)

    def test_iam_gives_the_password(
        self, redshift: Redshift, aws: Any, tmp_path: Path, log_store: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """AWS's stand-in draws one, which the database, another stand-in, is told here."""
        ask = connection._iam_password
        users: set[str] = set()

        def asked(config: RedshiftConfig) -> tuple[str, str]:
            login, password = ask(config)
            how = "ALTER" if login in users else "CREATE"
            quoted = password.replace("'", "''")
            redshift.sql(f"{how} USER \"{login}\" SUPERUSER PASSWORD '{quoted}'")
            users.add(login)
            return login, password

        monkeypatch.setattr(connection, "_iam_password", asked)
        config = redshift.config(cluster=CLUSTER, iam=True, db_user="exporter")
        try:
            assert export(tmp_path, log_store, "redshift", config).run(DAY)["revision"] == 1
        finally:
            for login in users:
                redshift.sql(f'DROP OWNED BY "{login}"; DROP USER "{login}"')
        assert users == {"IAM:exporter"}
