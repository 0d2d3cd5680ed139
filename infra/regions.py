"""The AWS Regions in which Transcribe Medical, Comprehend Medical and Clean Rooms ML are together.

Sources, read in November 2026: for Comprehend Medical, AWS General Reference, "Amazon Comprehend Medical endpoints and
quotas", and botocore's endpoints; for Clean Rooms ML, the Clean Rooms user guide, and botocore's endpoints of Clean
Rooms (those of Clean Rooms ML aren't listed there); for Transcribe, botocore's endpoints (AWS General Reference,
"Amazon Transcribe endpoints and quotas", has a table of its own for medical batch jobs). Comprehend Medical and Clean
Rooms also have endpoints in ap-southeast-2, eu-west-1 and eu-west-2: whether both other services take jobs there wasn't
confirmed. Once it is, a Region belongs into REGIONS and nowhere else.
"""

from collections.abc import Mapping

from botocore.exceptions import UnknownRegionError
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver

from infra.settings import ConfigurationError

# With the names that AWS gives them.
REGIONS: Mapping[str, str] = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
}


def check_region(region: str) -> None:
    """Refuse a Region in which a stack could be deployed and its jobs couldn't be started.

    Raises:
        ConfigurationError: it names the Region, its partition unless that is `aws`, and the Regions there are.
    """
    if region in REGIONS:
        return
    try:
        # Not a session's: that reads the user's configuration first, and fails where a profile isn't there.
        partition = EndpointResolver(create_loader().load_data("endpoints")).get_partition_for_region(region)
    except UnknownRegionError:
        partition = "unknown"
    where = "" if partition == "aws" else f" (partition {partition})"
    *others, last = REGIONS
    raise ConfigurationError(
        f"The Region is {region}{where}, but Transcribe Medical, Comprehend Medical and Clean Rooms ML are together in "
        f"{', '.join(others)} and {last} only; set AWS_REGION and AWS_DEFAULT_REGION to one of these."
    )
