"""Which hosts may receive a secret, and which modules a document may name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export import trust
from bifrost_export.connections import addresses_of
from bifrost_export.errors import ForbiddenCodeError
from bifrost_export.user_code import load_named

OWN = {
    "AWS": (
        *("https://s3.amazonaws.com", "https://s3.us-west-2.amazonaws.com", "https://s3-us-west-2.amazonaws.com"),
        *("https://s3.cn-north-1.amazonaws.com.cn", "https://bucket.s3.eu-west-1.amazonaws.com/"),
        *("https://s3.dualstack.us-east-1.amazonaws.com", "https://s3-fips.us-gov-west-1.amazonaws.com"),
        *("https://bucket.vpce-1a-2b.s3.us-east-1.vpce.amazonaws.com", "HTTPS://S3.AMAZONAWS.COM:443"),
    ),
    "Azure": (
        *("https://mine.blob.core.windows.net", "https://mine.blob.core.chinacloudapi.cn/c"),
        *("https://mine.privatelink.blob.core.windows.net", "https://mine.blob.core.usgovcloudapi.net"),
    ),
    "Google's sign-in": ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token"),
    "Snowflake": (
        *("https://org-account.snowflakecomputing.com", "https://a.b.privatelink.snowflakecomputing.com"),
        "https://a.cn-northwest-1.snowflakecomputing.cn",
    ),
    "Redshift": (
        *("https://c.abc.us-west-2.redshift.amazonaws.com:5439", "https://c.x.cn-north-1.redshift.amazonaws.com.cn"),
        "https://w.123456789012.eu-west-1.redshift-serverless.amazonaws.com",
    ),
}
DRESSED_UP = (
    *("https://evil.com/s3.amazonaws.com", "https://s3.amazonaws.com@evil.com", "https://s3.amazonaws.com:x@evil.com/"),
    *("https://s3.amazonaws.com.evil.com", "https://evils3.amazonaws.com.", "https://s3.amazonaws.com\\@evil.com"),
    *("https://evil.com\\.s3.amazonaws.com", "https://evil.com%2f.s3.amazonaws.com", "https://evil.com#.amazonaws.com"),
    *(
        "https://evil.com?.s3.amazonaws.com",
        "https://evil.com\t.s3.amazonaws.com",
        "https://s3.amazonaws.com\n.evil.com",
    ),
    *(
        "https://s3.amazonaws.com;x=https://evil.com",
        "//s3.amazonaws.com",
        "s3.amazonaws.com",
        "ftp://s3.amazonaws.com",
    ),
    *(
        "http://s3.amazonaws.com",
        "https://s3..amazonaws.com",
        "https://s3.amazonaws.com./",
        "https://",
        "",
        "https://é.com",
    ),
    *("https://s3-1.us-east-1.elb.amazonaws.com", "https://ec2-1-2-3-4.compute-1.amazonaws.com", "https://[::1"),
    *("https://x.execute-api.us-east-1.amazonaws.com", "https://[s3.amazonaws.com]", "https://127.0.0.1"),
    "https://mine.blob.core.windows.net;BlobEndpoint=https://evil.com",
)


@pytest.mark.parametrize(("cloud", "url"), [(cloud, url) for cloud, urls in OWN.items() for url in urls])
def test_a_cloud_vouches_for_its_own_hosts(cloud: str, url: str) -> None:
    """In each of its partitions, and by private links."""
    assert trust.is_trusted(trust.of_url(url), cloud, environ={})


@pytest.mark.parametrize("cloud", [*OWN, "PostgreSQL", "Google"])
@pytest.mark.parametrize("url", DRESSED_UP)
def test_no_other_address_passes_for_a_clouds(url: str, cloud: str) -> None:
    """However it is written, and without encryption neither."""
    assert not trust.is_trusted(trust.of_url(url), cloud, environ={})


@pytest.mark.parametrize(
    ("pattern", "url", "expected"),
    [
        ("127.0.0.1:*", "http://127.0.0.1:9000", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9000", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9001", False),
        ("127.0.0.1", "http://127.0.0.1:9001", True),
        ("127.0.0.1:*", "http://127.0.0.10:9000", False),
        ("127.0.0.1:*", "http://127.1:9000", False),
        ("*.corp.example", "https://minio.corp.example", True),
        ("*.corp.example", "https://minio.CORP.example:9000/x", True),
        ("*.CORP.example", "https://minio.corp.example", True),
        ("*.corp.example", "https://corp.example", False),
        ("*.corp.example", "https://corp.example.evil.com", False),
        ("*.corp.example", "https://evil.com/.corp.example", False),
        ("*.corp.example", "https://x@evil.com#.corp.example", False),
        ("minio.corp.example:443", "https://minio.corp.example", True),
        ("minio.corp.example:443", "http://minio.corp.example", False),
        ("minio.corp.example:80", "http://minio.corp.example", True),
        ("[::1]:9000", "http://[0:0:0:0:0:0:0:1]:9000", True),
        ("[::1]", "http://[::1]:9000", True),
        ("[::1]:9000", "http://[::2]:9000", False),
        (" a.example , b.example ", "https://b.example", True),
        ("", "https://b.example", False),
        (",,", "https://b.example", False),
        ("*", "https://user@b.example", False),
    ],
)
def test_an_administrator_vouches_for_hosts_by_patterns(pattern: str, url: str, expected: bool) -> None:
    """Of the host, in any case of letters, and of the port where one is wanted."""
    assert trust.is_trusted(trust.of_url(url), "AWS", environ={trust.HOSTS: pattern}) is expected


def test_a_connection_vouches_for_the_host_that_it_names() -> None:
    """With its port, and for no other."""
    from airflow.sdk import Connection

    connection = Connection(
        conn_id="c",
        conn_type="aws",
        host="db.example",
        port=5439,
        extra=json.dumps(
            {
                "endpoint_url": "http://minio:9000/",
                "host": "h",
                "port": "443",
                "service_config": {"s3": {"endpoint_url": "https://other:1"}},
                "connection_string": "A=b;BlobEndpoint=https://blob.example/x;C=d",
            }
        ),
    )
    named = addresses_of(connection)
    for url in ("http://minio:9000", "https://other:1", "https://blob.example"):
        assert trust.is_trusted(trust.of_url(url), "AWS", named, environ={})
    for host, port in (("db.example", 5439), ("h", 443)):
        assert trust.is_trusted(trust.of_host(host, port), "Redshift", named, environ={})
    for url in ("http://minio:9001", "https://db.example", "https://evil.example"):
        assert not trust.is_trusted(trust.of_url(url), "AWS", named, environ={})


@given(st.text(max_size=40))
def test_whatever_stands_in_an_address_is_read_as_one_host_or_none(text: str) -> None:
    """And is never a cloud's own where it isn't written so."""
    for url in (f"https://{text}", f"https://s3.amazonaws.com{text}", f"https://{text}.evil.example"):
        address = trust.of_url(url)
        if address is not None:
            assert address.host.startswith("s3.amazonaws.com") or not url.startswith("https://s3.amazonaws.com")
            assert not address.host.endswith("evil.example") or not trust.is_trusted(address, "AWS", environ={})


@pytest.mark.parametrize("path", ["os:system", "unittest.__main__:main", "bifrost_export.cli.group:main", ".x:y"])
def test_a_document_names_no_code_that_nobody_allows(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even of this package."""
    monkeypatch.delenv(trust.CODE)
    with pytest.raises(ForbiddenCodeError, match="may not name code in the module"):
        load_named(path, "format")


@pytest.mark.parametrize("name", ["pytest", "pytest.raises", "load_named", "st.text", "trust.os.system"])
def test_an_allowed_module_is_no_way_to_what_it_imports(name: str) -> None:
    """A name leads to what the module or its own package defines."""
    with pytest.raises(ForbiddenCodeError, match="is not of the module"):
        load_named(f"{__name__}:{name}", "format")
    assert load_named(f"{__name__}:test_a_connection_vouches_for_the_host_that_it_names", "function")
