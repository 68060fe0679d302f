"""Identities of the tests' S3 server, for as long as it asks for them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import boto3

from demo.servers.s3_server import REGION, S3Server

_NEVER = 99_999_999


def _check_from(server: S3Server, request: int) -> None:
    """Let the server look at signatures and policies from its n-th request on."""
    url, kind = f"{server.url}/moto-api/reset-auth", {"Content-Type": "text/plain"}
    wanted = urllib.request.Request(url, str(request).encode(), kind, method="POST")  # noqa: S310 (loopback)
    urllib.request.urlopen(wanted, timeout=30).close()  # noqa: S310 (loopback)


def identity(server: S3Server, actions: Sequence[str]) -> AbstractContextManager[tuple[str, str]]:
    """A user who may do these actions and nothing else, as (access key id, secret), while the server checks."""
    allowed = {"Effect": "Allow", "Action": list(actions) or ["s3:GetBucketTagging"], "Resource": "*"}
    return policed(server, {"Version": "2012-10-17", "Statement": [allowed]})


@contextmanager
def policed(server: S3Server, policy: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A user with a policy, as (access key id, secret), while the server checks."""
    iam: Any = boto3.client(
        "iam",
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
    )
    name = "probe"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    _check_from(server, 0)
    try:
        yield key["AccessKeyId"], key["SecretAccessKey"]
    finally:
        _check_from(server, _NEVER)
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName=name, PolicyName="only")
        iam.delete_user(UserName=name)
