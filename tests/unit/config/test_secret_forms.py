"""A secret is known again in whatever form a library writes it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from bifrost_export.redaction.encodings import forms_of

SECRET = "canary/5ecret + of=no?worth"


@pytest.mark.parametrize("write", [str, lambda text: quote(text, safe=""), quote, quote_plus])
def test_a_secret_is_known_as_it_is_and_as_urls_write_it(write: object) -> None:
    """With and without slashes."""
    assert callable(write)
    assert write(SECRET) in forms_of(SECRET)


def test_a_secret_is_known_in_base64() -> None:
    """With or without its padding."""
    encoded = base64.b64encode(SECRET.encode()).decode()

    assert any(form in encoded for form in forms_of(SECRET) if form != SECRET)


def test_the_signature_of_a_query_is_a_secret_by_itself() -> None:
    """The client takes the query apart and writes it anew."""
    forms = forms_of("?sv=2025-01-05&sp=rcwdl&sig=abc%2Bdef%2F0123456789%3D")

    assert {
        "abc+def/0123456789=",
        "abc%2Bdef%2F0123456789%3D",
        "sv=2025-01-05&sp=rcwdl&sig=abc%2Bdef%2F0123456789%3D",
    } <= {*forms}


def test_each_line_of_an_accounts_key_is_a_secret_by_itself() -> None:
    """What is no secret of the key's file is none."""
    lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"]
    pem = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])
    key = json.dumps(
        {"type": "service_account", "private_key": pem, "token_uri": "https://oauth2.googleapis.com/token"}
    )

    forms = forms_of(key)

    assert {key, pem, *lines} <= set(forms)
    assert not {"https://oauth2.googleapis.com/token", "-----BEGIN PRIVATE KEY-----", "service_account"} & set(forms)


@pytest.mark.parametrize("text", ["s", "abc", "{no json", "{}", '{"private_key": 3}'])
def test_what_is_short_or_strange_is_known_as_it_is(text: str) -> None:
    """A short secret stands encoded in too many words that are none of it."""
    assert forms_of(text)[0] == text
    assert len(text) > 3 or forms_of(text) == [text]
