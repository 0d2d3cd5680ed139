"""The AWS Regions with all three of Transcribe Medical, Comprehend Medical and Clean Rooms ML.

Sources, read in November 2026: for Comprehend Medical, AWS General Reference, "Amazon Comprehend Medical endpoints and
quotas", and botocore's endpoints; for Clean Rooms ML, the Clean Rooms user guide, and botocore's endpoints of Clean
Rooms (those of Clean Rooms ML aren't listed there); for Transcribe, botocore's endpoints (AWS General Reference,
"Amazon Transcribe endpoints and quotas", has a table of its own for medical batch jobs). Comprehend Medical and Clean
Rooms also have endpoints in ap-southeast-2, eu-west-1 and eu-west-2, but it isn't confirmed that Transcribe Medical's
batch jobs and Clean Rooms ML run there. A Region that is confirmed is added to REGIONS only.
"""

from collections.abc import Mapping

from botocore.exceptions import UnknownRegionError
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from infra.settings import ConfigurationError

# Code -> AWS's name.
REGIONS: Mapping[str, str] = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
}


def check_region(region: str) -> None:
    """Refuse a Region in which a stack could be deployed, but its jobs couldn't be started.

    Raises:
        ConfigurationError: the Region isn't in REGIONS.
    """
    if region in REGIONS:
        return
    try:
        # A session would read the user's configuration, and fail if AWS_PROFILE names no profile.
        partition = EndpointResolver(create_loader().load_data("endpoints")).get_partition_for_region(region)
    except UnknownRegionError:
        partition = "unknown"
    where = "" if partition == "aws" else f" (partition {partition})"
    *others, last = REGIONS
    raise ConfigurationError(
        f"The Region is {region}{where}, but only {', '.join(others)} and {last} have all of Transcribe Medical, "
        "Comprehend Medical and Clean Rooms ML; set AWS_REGION and AWS_DEFAULT_REGION to one of these."
    )
