"""TLS in front of the tests' PostgreSQL, whose build has none: grants a client's wish for it, then hands bytes on."""

from __future__ import annotations

import datetime as dt
import ipaddress
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_SSL_REQUEST = 80_877_103
_LENGTH = 8


def certificate(folder: Path, *hosts: str) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 and hosts that vouches for itself; gives its file, and that of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the tests' PostgreSQL")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address, *(x509.DNSName(host) for host in hosts)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    told = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    files = folder / "server.pem", folder / "server.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(told)
    return files


@contextmanager
def tls_proxy(port: int, folder: Path) -> Iterator[tuple[int, Path]]:
    """Run it in front of a port of the loopback; gives its own port, and the file of its certificate."""
    pem, key = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, context, port), daemon=True)
        thread.start()
        yield int(listening.getsockname()[1]), pem
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_handle, args=(client, context, port), daemon=True).start()


def _handle(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with client, suppress(OSError):
        while True:
            _, code = struct.unpack("!ii", client.recv(_LENGTH, socket.MSG_WAITALL))
            client.sendall(b"S" if code == _SSL_REQUEST else b"N")
            if code == _SSL_REQUEST:
                break
        with (
            context.wrap_socket(client, server_side=True) as inner,
            socket.create_connection(("127.0.0.1", port)) as to,
        ):
            _hand_on(inner, to)


def _hand_on(inner: ssl.SSLSocket, to: socket.socket) -> None:
    other = {inner: to, to: inner}
    while True:
        for source in [inner] if inner.pending() else select.select([inner, to], [], [])[0]:
            data = source.recv(65_536)
            if not data:
                return
            other[source].sendall(data)
