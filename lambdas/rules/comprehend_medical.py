"""Comprehend Medical's rules for StartEntitiesDetectionV2Job, beyond the SDK's model of it.

Source: https://docs.aws.amazon.com/comprehend-medical/latest/api/API_StartEntitiesDetectionV2Job.html. It calls
S3Bucket a URI, but the model's pattern allows only a name.
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
# The API reference allows only `en`, and so does the SDK's enum; a later SDK may have more.
_ONLY = {"LanguageCode": ("en",)}
# The service takes 256 characters. The pipeline adds "-", 32 hexadecimal digits, "-" and an attempt of up to 2 digits.
LONGEST_JOB_NAME = 256 - len("-") - 32 - len("-") - 2


def settings_problems(parameters: Any, shape: StructureShape) -> list[str]:
    """One sentence per setting of cdk.json or an input that the service or the pipeline refuses.

    `shape` is the SDK's model of the request. Missing members are no problem, because the pipeline adds them.
    """
    settings, refused = without(SET_BY_PIPELINE, parameters, operation=OPERATION)
    broken = broken_constraints(shape, settings, operation=OPERATION, complete=False, only=_ONLY)
    return [*refused, *broken, *_rules_of_the_job_name(given(settings).get("JobName"))]


def request_problems(request: Any, shape: StructureShape) -> list[str]:
    """One sentence per member of a complete request that the service would refuse or misunderstand."""
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
        # "Does not allow sequential forward slash characters (//) in file paths for async jobs"; a slash precedes the
        # key, too. https://docs.aws.amazon.com/comprehend-medical/latest/dev/comprehendmedical-quotas.html
        if "//" in f"/{location.get('S3Key', '')}":
            yield f"{path}.S3Key is {shown(location['S3Key'])}; {OPERATION} takes no path with two slashes in a row."
    # Derived: S3Key is a prefix, and every object below it is a document. A prefix that is empty or ends inside a name
    # includes other jobs' documents.
    prefix = source.get("S3Key", "")
    if not str(prefix).endswith("/"):
        yield (
            f'InputDataConfig.S3Key is {shown(prefix)}; it must end in "/", '
            "so that the job reads no documents of another one."
        )
    # Derived: the job would read its own output, which the service writes to a new directory below the output's S3Key.
    elif source.get("S3Bucket") == target.get("S3Bucket"):
        directory = str(target.get("S3Key", "")).rstrip("/") + "/"
        if directory.startswith(str(prefix)):
            yield (
                f"OutputDataConfig.S3Key is {shown(target.get('S3Key', ''))}, below InputDataConfig.S3Key "
                f"{shown(prefix)} in the same bucket; {OPERATION} would read its own output."
            )
