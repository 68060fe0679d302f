"""`object_storage`, in a source or as Bifrost's own key: what is wrong with it is told in words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bifrost_export.logstore.payloads.config import ObjectStorage

GOOD = {"type": "s3", "bucket": "b"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "azure"}, "no object storage of type 'azure'"),
        ({"credentials_json": "{}"}, "credentials_json is no key of an object storage of type s3"),
        ({"type": "gcs", "region": "eu-west-1"}, "region is no key of an object storage of type gcs"),
        ({"access_key_id": "AKIA"}, "go together"),
        ({"conn_id": "aws", "role_arn": "arn:aws:iam::1:role/r"}, "conn_id excludes role_arn"),
    ],
)
def test_a_broken_block_is_refused_in_words(change: dict[str, str], said: str) -> None:
    """The message names the key."""
    with pytest.raises(ValidationError, match=said):
        ObjectStorage.model_validate({**GOOD, **change})


def test_bifrosts_defaults_hold() -> None:
    """Its prefix is `bifrost`."""
    assert ObjectStorage.model_validate(GOOD).prefix == "bifrost"
