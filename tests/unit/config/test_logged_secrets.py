"""Secrets that Amazon's client logs: found in each way in which it writes them."""

from __future__ import annotations

import logging

import pytest

from bifrost_export.redaction.client_logs import secrets_in
from bifrost_export.redaction.listeners import listening

TOKEN = "IQoJ/b3Jp+Z2lu=="


@pytest.mark.parametrize(
    ("line", "secrets"),
    [
        (
            "body:\nb'<Credentials><AccessKeyId>ASIA1</AccessKeyId>\\n<SecretAccessKey>s/e+c=</SecretAccessKey>"
            "<SessionToken>TOKEN</SessionToken></Credentials>'".replace("TOKEN", TOKEN),
            ["ASIA1", "s/e+c=", TOKEN],
        ),
        ('b\'{"accessKeyId": "ASIA1", "secretAccessKey":"sec", "Token" : "tok"}\'', ["ASIA1", "sec", "tok"]),
        ("<SessionToken>a&amp;b</SessionToken>", ["a&amp;b", "a&b"]),
        ("b'<DbUser>IAM:u</DbUser><DbPassword>pw==</DbPassword>'", ["pw=="]),
        ('{"dbPassword": "pw", "dbUser": "IAM:u"}', ["pw"]),
        (
            f"CanonicalRequest:\nGET\n/\n\nhost:h\nx-amz-security-token:{TOKEN}\n\nhost;x-amz-security-token\nab12",
            [TOKEN],
        ),
        (f"<AWSPreparedRequest headers={{'X-Amz-Security-Token': b'{TOKEN}', 'Host': 'h'}}>", [TOKEN]),
        ("b'<ListBucketResult><NextContinuationToken>n</NextContinuationToken></ListBucketResult>'", []),
        ("<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>", []),
    ],
)
def test_secrets_are_found_in_what_the_client_logs(line: str, secrets: list[str]) -> None:
    """XML, JSON, headers; nothing else is taken for one."""
    assert secrets_in(line) == secrets


def test_a_listener_is_told_once_and_before_the_line_is_written() -> None:
    """Of the client's lines only, and no longer when the block is over."""
    told: list[str] = []
    written: list[bool] = []

    class Writing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(TOKEN in told)

    handler, parsers, others = Writing(), logging.getLogger("botocore.parsers"), logging.getLogger("others")
    make, before = logging.getLogRecordFactory(), (parsers.level, others.level)
    for logger in (parsers, others):
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        with listening(told.append):
            others.debug("<SessionToken>of no interest</SessionToken>")
            parsers.debug("%r", f"<SessionToken>{TOKEN}</SessionToken>")
            parsers.debug("%r", f"<SessionToken>{TOKEN}</SessionToken>")
        parsers.debug("<SessionToken>later</SessionToken>")
    finally:
        for logger, level in zip((parsers, others), before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)

    assert written == [False, True, True, True]
    assert told.count(TOKEN) == 1
    assert not {"of no interest", "later"} & set(told)
    assert logging.getLogRecordFactory() is make
