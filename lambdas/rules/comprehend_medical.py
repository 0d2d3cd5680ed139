"""What Comprehend Medical documents about StartEntitiesDetectionV2Job, beyond the SDK's model of it.

https://docs.aws.amazon.com/comprehend-medical/latest/api/API_StartEntitiesDetectionV2Job.html calls S3Bucket a URI; its
pattern, which is in the model, admits only a name.
"""

from collections.abc import Iterator
from typing import Any, Final

from botocore.model import StructureShape

from lambdas.rules.sdk_model import broken_constraints, given, shown, without

SERVICE = "comprehendmedical"
OPERATION: Final = "StartEntitiesDetectionV2Job"
SET_BY_PIPELINE = frozenset(
    {"InputDataConfig", "OutputDataConfig", "DataAccessRoleArn", "ClientRequestToken", "KMSKey"}
)
# So does the model today.
_ONLY = {"LanguageCode": ("en",)}
# The pipeline adds "-", an id of 32 hexadecimal digits, "-" and the attempt, of up to two digits; the model takes 256.
LONGEST_JOB_NAME = 256 - len("-") - 32 - len("-") - 2


def settings_problems(parameters: Any, shape: StructureShape) -> list[str]:
    """What would be refused of what a person asks for, by the service or by the pipeline: a sentence each.

    `shape` is the SDK's model of the request. Nothing is said of what is missing: others add to it.
    """
    settings, refused = without(SET_BY_PIPELINE, parameters, operation=OPERATION)
    broken = broken_constraints(shape, settings, operation=OPERATION, complete=False, only=_ONLY)
    return [*refused, *broken, *_rules_of_the_job_name(given(settings).get("JobName"))]


def request_problems(request: Any, shape: StructureShape) -> list[str]:
    """What the service would refuse, or take to mean something else, of a complete request: a sentence each."""
    return [*broken_constraints(shape, request, operation=OPERATION, only=_ONLY), *_rules_of_locations(request)]


def _rules_of_the_job_name(name: Any) -> Iterator[str]:
    if isinstance(name, str) and len(name) > LONGEST_JOB_NAME:
        yield (
            f"JobName is {shown(name)} with {len(name)} characters; it may have up to {LONGEST_JOB_NAME}, "
            "since the pipeline adds an id and a number to it."
        )


def _rules_of_locations(request: Any) -> Iterator[str]:
    members = given(request)
    source, target = given(members.get("InputDataConfig")), given(members.get("OutputDataConfig"))
    for path, location in (("InputDataConfig", source), ("OutputDataConfig", target)):
        # "Does not allow sequential forward slash characters (//) in file paths for async jobs"; the bucket's name ends
        # in one. https://docs.aws.amazon.com/comprehend-medical/latest/dev/comprehendmedical-quotas.html
        if "//" in f"/{location.get('S3Key', '')}":
            yield f"{path}.S3Key is {shown(location['S3Key'])}; {OPERATION} takes no path with two slashes in a row."
    # Derived from S3Key being a prefix: every object below it is a document, and what ends inside a name, or nowhere,
    # takes in the documents of others.
    prefix = source.get("S3Key", "")
    if not str(prefix).endswith("/"):
        yield (
            f'InputDataConfig.S3Key is {shown(prefix)}; it must end in "/", '
            "so that the job reads no documents of another one."
        )
    # Derived as well: output would become input. The service puts a directory of its own below the output's S3Key.
    elif source.get("S3Bucket") == target.get("S3Bucket"):
        directory = str(target.get("S3Key", "")).rstrip("/") + "/"
        if directory.startswith(str(prefix)):
            yield (
                f"OutputDataConfig.S3Key is {shown(target.get('S3Key', ''))}, below InputDataConfig.S3Key "
                f"{shown(prefix)} in the same bucket; {OPERATION} would read its own output."
            )
