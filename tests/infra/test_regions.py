import boto3
import pytest
from botocore.loaders import Loader

from infra.regions import REGIONS, check_region
from infra.settings import ConfigurationError


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_with_all_three_services_is_taken(region: str) -> None:
    check_region(region)


@pytest.mark.parametrize(
    ("region", "named"),
    [
        ("eu-west-1", "The Region is eu-west-1, but "),
        ("us-gov-west-1", r"The Region is us-gov-west-1 \(partition aws-us-gov\), but "),
        ("cn-north-1", r"The Region is cn-north-1 \(partition aws-cn\), but "),
        ("nowhere", r"The Region is nowhere \(partition unknown\), but "),
    ],
)
def test_another_region_is_named_with_those_there_are(region: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named + "only us-east-1, us-east-2 and us-west-2 .*; set AWS_REG"):
        check_region(region)


@pytest.mark.parametrize("service", ["transcribe", "comprehendmedical", "cleanrooms"])
def test_every_region_has_the_endpoints_that_the_sdk_lists(service: str) -> None:
    assert set(REGIONS) <= set(boto3.Session().get_available_regions(service))


def test_the_names_are_those_of_aws() -> None:
    (aws,) = [item for item in Loader().load_data("endpoints")["partitions"] if item["partition"] == "aws"]
    assert {region: aws["regions"][region]["description"] for region in REGIONS} == dict(REGIONS)
