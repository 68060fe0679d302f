"""The policies that `plan --iam` tells are ones that AWS takes: partitions, keys, access points."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_export.destinations.redshift.config import RedshiftConfig
from bifrost_export.destinations.redshift.policies import policies
from bifrost_export.destinations.s3.config import S3Config
from bifrost_export.destinations.s3.destination import S3Destination
from bifrost_export.destinations.s3.policy import partition_of
from bifrost_export.testing.object_store_runs import DAY, target_of

TARGET = target_of(DAY, "0" * 8)
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ACCOUNT = "123456789012"
WORDS = r"[A-Za-z0-9_.*/{}=:-]*"
ARN = re.compile(
    r"\*|arn:aws(?:-cn|-us-gov|-iso|-iso-b|-iso-e|-iso-f|-eusc)?:(?:"
    rf"s3:::[a-z0-9._-]+(?:/{WORDS})?"
    rf"|s3:[a-z0-9-]+:[0-9]{{12}}:accesspoint/[a-z0-9-]+(?:/object/{WORDS})?"
    r"|kms:(?:[a-z0-9-]+|\*):(?:[0-9]{12}|\*):key/[A-Za-z0-9-]+"
    r"|iam::[0-9]{12}:role/[A-Za-z0-9/_+=,.@-]+"
    rf"|redshift:(?:[a-z0-9-]+|\*):\*:db(?:user|name):{WORDS})"
)
"""What stands in a policy as a resource."""
PARTITIONS = {
    "us-east-1": "aws",
    "eu-central-2": "aws",
    "il-central-1": "aws",
    "cn-north-1": "aws-cn",
    "cn-northwest-1": "aws-cn",
    "us-gov-west-1": "aws-us-gov",
    "us-gov-east-1": "aws-us-gov",
    "us-iso-east-1": "aws-iso",
    "us-isob-east-1": "aws-iso-b",
    "eu-isoe-west-1": "aws-iso-e",
    "us-isof-south-1": "aws-iso-f",
    "eusc-de-east-1": "aws-eusc",
}


def rights(**config: Any) -> dict[str, Any]:
    """What `plan --iam` tells of an export to S3."""
    return S3Destination(S3Config(**{"bucket": "lake", "prefix": "logs/{day}/", **config}), TARGET).rights()


def resources(told: dict[str, Any]) -> list[str]:
    """Every resource of every policy; each policy is one that AWS takes."""
    found = []
    for name, policy in told.items():
        if "policy" not in name:
            continue
        assert policy["Version"] == "2012-10-17"
        assert policy["Statement"]
        for statement in policy["Statement"]:
            assert re.fullmatch("[A-Za-z0-9]+", statement["Sid"])
            assert statement["Action"]
            assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action) for action in statement["Action"])
            assert statement["Resource"]
            found += statement["Resource"]
    wrong = [each for each in found if not ARN.fullmatch(each)]
    assert wrong == []
    return found


@pytest.mark.parametrize(("region", "partition"), PARTITIONS.items())
def test_arns_name_the_partition_of_the_region(region: str, partition: str) -> None:
    """Of bucket, objects and key; AWS refuses a policy that names another."""
    found = resources(rights(region=region, kms_key_id=KEY_ID))

    assert {each.split(":")[1] for each in found} == {partition}
    assert f"arn:{partition}:kms:{region}:*:key/{KEY_ID}" in found


@pytest.mark.parametrize(
    ("config", "partition"),
    [
        ({"kms_key_id": f"arn:aws-cn:kms:cn-north-1:{ACCOUNT}:key/{KEY_ID}"}, "aws-cn"),
        ({"credentials": {"role_arn": f"arn:aws-us-gov:iam::{ACCOUNT}:role/exporter"}}, "aws-us-gov"),
        ({"endpoint_url": "https://s3.cn-north-1.amazonaws.com.cn"}, "aws-cn"),
        ({"endpoint_url": "https://s3.us-gov-west-1.amazonaws.com"}, "aws-us-gov"),
        ({"endpoint_url": "https://s3.eu-west-1.amazonaws.com"}, "aws"),
        ({"endpoint_url": "https://store.example:9000"}, "aws"),
        ({}, "aws"),
    ],
)
def test_without_a_region_another_key_tells_the_partition(config: dict[str, Any], partition: str) -> None:
    """An ARN or an address."""
    found = [each for each in resources(rights(**config)) if ":s3:" in each]

    assert {each.split(":")[1] for each in found} == {partition}


@pytest.mark.parametrize(
    "key", ["alias/lake", f"arn:aws:kms:us-west-2:{ACCOUNT}:alias/lake", "alias/aws/s3", "no-such-form"]
)
def test_an_alias_is_no_resource_and_the_keys_arn_is_asked_for(key: str) -> None:
    """The rest of the policy stands."""
    told = rights(region="us-west-2", kms_key_id=key)

    assert not [each for each in resources(told) if ":kms:" in each]
    (note,) = told["notes"]
    assert key in note
    assert "kms:GenerateDataKey and kms:Decrypt" in note
    assert "arn:aws:kms:us-west-2:ACCOUNT:key/ID" in note


@pytest.mark.parametrize("key", [KEY_ID, "mrk-" + "0a" * 16, f"arn:aws:kms:us-west-2:{ACCOUNT}:key/mrk-" + "0a" * 16])
def test_a_key_is_named_by_its_id_or_arn(key: str) -> None:
    """A multi-Region key too."""
    told = rights(kms_key_id=key)

    assert [each for each in resources(told) if ":kms:" in each]
    assert "notes" not in told


@pytest.mark.parametrize("separator", ["/", ":"])
def test_an_access_point_has_objects_of_its_own(separator: str) -> None:
    """Its ARN, and below it `object/`; the bucket's own policy has a say too."""
    arn = f"arn:aws-cn:s3:cn-north-1:{ACCOUNT}:accesspoint{separator}exporter"
    told = rights(bucket=arn)

    root = f"arn:aws-cn:s3:cn-north-1:{ACCOUNT}:accesspoint/exporter"
    found = resources(told)
    assert root in found
    assert f"{root}/object/logs/_manifests/nightly/*" in found
    assert all(each == root or each.startswith(f"{root}/object/") for each in found)
    assert "bucket's own policy" in told["notes"][0]


def test_an_alias_of_an_access_point_gets_no_policy_that_is_refused() -> None:
    """It stands for a bucket in requests alone; the ARN is asked for."""
    told = rights(bucket="exporter-abc123-s3alias")

    assert set(told) == {"notes"}
    assert "set bucket to its ARN" in told["notes"][0]


def redshift(**config: Any) -> RedshiftConfig:
    """A destination with a staging bucket."""
    staging = {"bucket": "lake", "iam_role": f"arn:aws:iam::{ACCOUNT}:role/copy", **config.pop("staging", {})}
    base = {"cluster": "c", "database": "d", "table": "t", "iam": True, "db_user": "u", "staging": staging}
    return RedshiftConfig.model_validate({**base, **config})


@pytest.mark.parametrize(("region", "partition"), PARTITIONS.items())
def test_redshifts_policies_name_the_partition_too(region: str, partition: str) -> None:
    """Of the staging bucket, its key and the database's users; COPY's role may read with the key."""
    told = policies(redshift(region=region, staging={"kms_key_id": KEY_ID}))

    assert {each.split(":")[1] for each in resources(told) if each != "*"} == {partition}
    assert told["policy_of_iam_role"]["Statement"][-1]["Action"] == ["kms:Decrypt"]
    assert told["policy"]["Statement"][-1]["Action"] == ["kms:GenerateDataKey", "kms:Decrypt"]


def test_redshifts_key_by_an_alias_is_told() -> None:
    """As with S3."""
    told = policies(redshift(region="us-west-2", staging={"kms_key_id": "alias/lake"}))

    assert not [each for each in resources(told) if ":kms:" in each]
    assert "arn:aws:kms:us-west-2:ACCOUNT:key/ID" in told["notes"][0]


@given(st.from_regex(r"[a-z]{2}(-[a-z]{3,9}){1,2}-[1-9]", fullmatch=True))
def test_any_region_has_a_partition(region: str) -> None:
    """One that AWS has, whatever its name."""
    assert re.fullmatch("aws(-cn|-us-gov|-iso(-b|-e|-f)?|-eusc)?", partition_of(region))
