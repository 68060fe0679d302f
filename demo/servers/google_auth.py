"""Google's sign-in on the loopback: service accounts with real keys, and the endpoint that gives tokens for them."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from demo.servers.serving import serving

PROJECT = "bifrost-test"
LIFETIME = 3600
GOOGLE = "https://oauth2.googleapis.com/token"
"""What Google's library always names as the audience, wherever it sends the assertion."""
_NUMBERS = itertools.count(1)


@dataclass
class Account:
    """A service account.

    Args:
        email: Its name.
        key: What Google's console would hand out as its key file.
        permissions: What it may do (`storage.objects.get`); None: everything.
        is_disabled: Its assertions and its tokens are refused.
    """

    email: str
    key: dict[str, str]
    permissions: frozenset[str] | None = None
    is_disabled: bool = False

    @property
    def key_json(self) -> str:
        """The key file's text."""
        return json.dumps(self.key)

    def may(self, permission: str) -> bool:
        """Whether it has a permission."""
        return self.permissions is None or permission in self.permissions


@dataclass
class GoogleAuth:
    """The token endpoint, with the accounts and tokens that it knows.

    Args:
        url: Its address, without a path.
        accounts: By e-mail address.
        tokens: The tokens that hold, each with its account.
    """

    url: str = ""
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, Account] = field(default_factory=dict)

    def make_account(self, permissions: frozenset[str] | None = None) -> Account:
        """An account with a fresh key."""
        number = next(_NUMBERS)
        private = rsa.generate_private_key(65_537, 2048)
        told = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        email = f"exporter-{number}@{PROJECT}.iam.gserviceaccount.com"
        key = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": secrets.token_hex(20),
            "private_key": told.decode(),
            "client_email": email,
            "client_id": f"{number:021d}",
            "token_uri": f"{self.url}/token",
            "universe_domain": "googleapis.com",
        }
        account = self.accounts[email] = Account(email, key, permissions)
        return account

    def token_for(self, assertion: str) -> str:
        """A token for a signed assertion.

        Raises:
            jwt.InvalidTokenError: It is not signed by a key of an account that is known.
        """
        claimed = jwt.decode(assertion, options={"verify_signature": False}).get("iss", "")
        account = self.accounts.get(claimed)
        if account is None or account.is_disabled:
            raise jwt.InvalidTokenError("Invalid grant: account not found")
        private = serialization.load_pem_private_key(account.key["private_key"].encode(), None)
        public = private.public_key()
        audience = [account.key["token_uri"], GOOGLE]
        jwt.decode(assertion, public, algorithms=["RS256"], audience=audience)  # type: ignore[arg-type]
        token = f"ya29.{secrets.token_urlsafe(32)}"
        self.tokens[token] = account
        return token

    def account_of(self, authorization: str) -> Account | None:
        """Who sent a request, by its `Authorization` header; None where no token holds."""
        account = self.tokens.get(authorization.removeprefix("Bearer "))
        return None if account is None or account.is_disabled else account

    def expire(self) -> None:
        """Let every token run out."""
        self.tokens.clear()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class names it so)
        """Say nothing."""

    def do_POST(self) -> None:
        """Give a token for an assertion."""
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        try:
            token = self.server.auth.token_for(asked.get("assertion", [""])[0])
        except jwt.InvalidTokenError as error:
            self._answer(400, {"error": "invalid_grant", "error_description": str(error)})
        else:
            self._answer(200, {"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, auth: GoogleAuth) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.auth = auth


@contextmanager
def google_auth() -> Iterator[GoogleAuth]:
    """A running token endpoint."""
    auth = GoogleAuth()
    server = _Server(auth)
    auth.url = f"http://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        yield auth
