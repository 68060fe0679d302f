"""Decide whom a document may reach: hosts for secrets, types of connections, names of variables, modules with code.

Whoever edits a document chooses what is exported and where to. What the worker knows beside that (secrets, files,
code) stays out of the document's reach, except where an administrator allows it with these variables:

- `BIFROST_EXPORT_HOSTS`: hosts that may receive a secret in clear, such as `127.0.0.1:*,*.corp.example`.
- `BIFROST_EXPORT_ENV`: variables that may become values, such as `BIFROST_EXPORT_VALUE_*`.
- `BIFROST_EXPORT_CODE`: modules that a document may name, such as `my_company,my_company.*`.

Every destination, source and staging area asks here, before it makes a request.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from bifrost_export.errors import ConfigError, ForbiddenCodeError, UntrustedHostError

HOSTS = "BIFROST_EXPORT_HOSTS"
REFERENCES = "BIFROST_EXPORT_ENV"
CODE = "BIFROST_EXPORT_CODE"
DEFAULT_REFERENCES = "BIFROST_EXPORT_VALUE_*"

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]"
_AUTHORITY = re.compile(rf"(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?")
_URL = re.compile(rf"(?P<scheme>https?)://{_AUTHORITY.pattern}(?P<path>/[A-Za-z0-9._~/-]*)?", re.IGNORECASE)
_REGION = r"[a-z]{2}(?:-[a-z]+)+-[0-9]"
_CLOUDS = {
    # Others can name machines below amazonaws.com (load balancers, instances): only the service's own names count.
    "AWS": rf"(?:.+\.)?(?:s3|sts)[a-z0-9-]*(?:\.dualstack)?(?:\.{_REGION})?(?:\.vpce)?\.amazonaws\.com(?:\.cn)?",
    "Redshift": rf"(?:.+\.)?{_REGION}\.redshift(?:-serverless)?\.amazonaws\.com(?:\.cn)?",
    "Azure": r"(?:.+\.)(?:blob\.core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net|cloudapi\.de)"
    r"|blob\.storage\.azure\.net)",
    "Google": r"(?:.+\.)?googleapis\.com",
    "Google's sign-in": r"oauth2\.googleapis\.com|oauth2\.mtls\.googleapis\.com|accounts\.google\.com"
    r"|www\.googleapis\.com",
    "Snowflake": r"(?:.+\.)snowflakecomputing\.(?:com|cn)",
}
"""Cloud -> the hosts that are its own. Every other service has none, such as PostgreSQL."""

_TYPES = {
    "AWS": ("aws", "s3"),
    "Azure": ("wasb",),
    "Google": ("google_cloud_platform", "gcpbigquery"),
    "Snowflake": ("snowflake",),
    "Redshift": ("redshift",),
}
"""Cloud -> the types of Airflow connections whose secrets are for it, as its provider's hooks declare them."""

_AIRFLOWS = ("AIRFLOW__*", "AIRFLOW_CONN_*", "AIRFLOW_VAR_*")
_LIKE_A_SECRET = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|PRIVATE"
    r"|(?<!MON)(?<!TUR)(?<!DON)(?<!HOC)(?<!JOC)(?<!KMS_)KEY(?!CLOAK|BOARD|SPACE|WORD|NOTE)"
)
_WITH_PASSWORDS = ("BIFROST_LOG_STORE",)
"""Variables that hold an address with a password."""


@dataclass(frozen=True)
class Address:
    """Where a request goes.

    Args:
        host: In lower case; an IPv6 address in its shortest form, without brackets.
        port: None where the address names none.
        is_plain: The address asks for http, without encryption.
    """

    host: str
    port: int | None = None
    is_plain: bool = False

    def __str__(self) -> str:
        """`host` or `host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def of_url(text: str | None) -> Address | None:
    """Return the address of an http or https URL; None for a text in which a client could see another host."""
    match = _URL.fullmatch(text or "")
    return None if match is None else _address(match, is_plain=match["scheme"].lower() == "http")


def of_host(text: str | None, port: int | None = None) -> Address | None:
    """Return the address of a host, with or without a port of its own; None for a text that is not a host."""
    match = _AUTHORITY.fullmatch(text or "")
    return None if match is None else _address(match, port)


def _address(match: re.Match[str], port: int | None = None, *, is_plain: bool = False) -> Address | None:
    host = match["host"].lower()
    if host.startswith("["):
        try:
            host = ipaddress.IPv6Address(host[1:-1]).compressed
        except ValueError:
            return None
    elif ".." in host:
        return None
    return Address(host, int(match["port"]) if match["port"] else port, is_plain)


def is_trusted(
    address: Address | None, cloud: str, named: Iterable[Address | None] = (), environ: Mapping[str, str] | None = None
) -> bool:
    """Return whether a secret may be sent to an address in clear.

    Args:
        address: Where the secret would go; None is never trusted.
        cloud: Whose secret it is: a key of the table above, or another service.
        named: The addresses that the Airflow connection itself names.
        environ: Holds `BIFROST_EXPORT_HOSTS`; the process's own variables when not given.
    """
    if address is None:
        return False
    if not address.is_plain and _is_of(cloud, address.host):
        return True
    same = (each.host == address.host and each.port == address.port for each in named if each is not None)
    return any(same) or any(_matches(address, pattern) for pattern in _patterns(HOSTS, "", environ))


def _is_of(cloud: str, host: str) -> bool:
    return cloud in _CLOUDS and re.fullmatch(_CLOUDS[cloud], host) is not None


def _matches(address: Address, pattern: str) -> bool:
    host, port = pattern.lower(), "*"
    bracketed = re.fullmatch(r"\[([0-9a-f:.]+)\](?::([0-9*?]+))?", host)
    if bracketed:
        try:
            host, port = ipaddress.IPv6Address(bracketed[1]).compressed, bracketed[2] or "*"
        except ValueError:
            return False
    elif ":" in host:
        host, _, port = host.rpartition(":")
    return fnmatchcase(address.host, host) and fnmatchcase(str(_port_of(address)), port)


def _port_of(address: Address) -> int | str:
    if address.port is not None:
        return address.port
    return 80 if address.is_plain else 443


def require_host(
    address: Address | None, cloud: str, key: str, secret: str, named: Iterable[Address | None] = ()
) -> None:
    """Refuse to send a secret in clear to a host that nobody but the document vouches for.

    Args:
        address: Where it would go; None for a text that is not an address.
        cloud: Whose secret it is.
        key: The key of the document that names the host, in full.
        secret: What would be sent, in words.
        named: The addresses that the Airflow connection itself names.

    Raises:
        UntrustedHostError: The host is neither the cloud's, nor the connection's, nor allowed.
    """
    if is_trusted(address, cloud, named):
        return
    if address is None:
        raise UntrustedHostError(
            f"{key} is not an address that {secret} may be sent to",
            allowed="https://host, https://host:port or https://host:port/path, without user, query or escapes",
            hint=f"Fix {key}.",
        )
    plain = " without encryption" if address.is_plain and _is_of(cloud, address.host) else ""
    own = f"hosts of {cloud} over TLS, " if cloud in _CLOUDS else ""
    raise UntrustedHostError(
        f"{key} names the host '{address}', which would receive {secret}{plain}",
        allowed=f"{own}the host that the Airflow connection itself names, and hosts that match {HOSTS}",
        hint=f"If the host is yours, ask an administrator to set {HOSTS}={address} where tasks run.",
    )


def refusal(
    field: str, address: Address | None, cloud: str, key: str, secret: str
) -> Iterator[tuple[str, UntrustedHostError]]:
    """Yield the field and the error where `require_host` refuses, for a document that is only looked at."""
    try:
        require_host(address, cloud, key, secret)
    except UntrustedHostError as error:
        yield field, error


def secret_of_aws(*, conn_id: str | None, has_keys: bool, has_token: bool) -> str | None:
    """Return what a request to an S3 endpoint carries in clear, in words; None where its signature is all.

    Args:
        conn_id: The Airflow connection that signs.
        has_keys: The document names the keys that sign.
        has_token: The document names a session token beside them.
    """
    if conn_id is not None:
        return f"credentials of the Airflow connection {conn_id!r}"
    if not has_keys:
        return "credentials of this machine"
    return "a session token" if has_token else None


def require_type(connection: Any, cloud: str, key: str) -> None:
    """Refuse an Airflow connection whose secrets are for something else.

    Args:
        connection: The connection.
        cloud: What it would be used for.
        key: The key of the document that names it, in full.

    Raises:
        ConfigError: Its type does not fit.
    """
    type_ = str(connection.conn_type or "").lower().replace("-", "_")
    if type_ not in _TYPES[cloud]:
        raise ConfigError(
            f"{key} names the Airflow connection {connection.conn_id!r}, which is of type {connection.conn_type!r}",
            allowed=f"a connection of type {' or '.join(_TYPES[cloud])}",
            hint=f"Set {key} to a connection for {cloud}.",
        )


def is_airflows(name: str) -> bool:
    """Return whether a variable is Airflow's own: no document may refer to it."""
    return any(fnmatchcase(name.upper(), pattern) for pattern in _AIRFLOWS)


def airflows() -> str:
    """Return the names of Airflow's own variables, for messages."""
    return f"{', '.join(_AIRFLOWS[:-1])} and {_AIRFLOWS[-1]}"


def is_like_a_secret(name: str) -> bool:
    """Return whether a variable looks as if it held a secret, by its name."""
    return bool(_LIKE_A_SECRET.search(name.upper())) or name.upper() in _WITH_PASSWORDS


def patterns_of_values(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the patterns of the variables that may become values."""
    return _patterns(REFERENCES, DEFAULT_REFERENCES, environ)


def may_be_value(name: str, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether a variable may become a value that is exported."""
    return not is_airflows(name) and any(fnmatchcase(name, pattern) for pattern in patterns_of_values(environ))


def require_module(path: str, port: str, environ: Mapping[str, str] | None = None) -> None:
    """Refuse code that the document names and no administrator allows; nothing is imported.

    Args:
        path: `package.module:name`.
        port: What it is to be, in one word.
        environ: Holds `BIFROST_EXPORT_CODE`; the process's own variables when not given.

    Raises:
        ForbiddenCodeError: The module matches no pattern.
    """
    module = path.partition(":")[0]
    if is_allowed_module(module, environ):
        return
    patterns = ", ".join(_patterns(CODE, "", environ))
    raise ForbiddenCodeError(
        f"the document names the {port} {path!r}, and may not name code in the module {module!r}",
        allowed=f"modules that match {CODE} ({patterns or 'not set'}), and names of entry points",
        hint=f"Install the code with an entry point, or ask an administrator to set {CODE} wherever Airflow runs.",
    )


def is_allowed_module(module: str, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether a document may name code of a module."""
    return any(fnmatchcase(module, pattern) for pattern in _patterns(CODE, "", environ))


def _patterns(variable: str, default: str, environ: Mapping[str, str] | None) -> list[str]:
    found = (os.environ if environ is None else environ).get(variable, default)
    return [each.strip() for each in found.split(",") if each.strip()]
