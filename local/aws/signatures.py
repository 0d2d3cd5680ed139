"""What a request's signature says about it: the caller's access key and the service that is called.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import re

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
# Services whose signing name isn't boto3's name.
_BOTO3_NAMES = {
    "states": "stepfunctions",
    "cleanrooms-ml": "cleanroomsml",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "s3-object-lambda": "s3",
    "tagging": "resourcegroupstaggingapi",
}


def access_key_id(authorization: str) -> str:
    """The access key id in an Authorization header, or in a presigned URL's decoded query; empty if there is none."""
    found = _SCOPE.search(authorization)
    return found[1] if found else ""


def service_of(authorization: str) -> str:
    """boto3's name of the service that an Authorization header, or a presigned URL's decoded query, is for.

    Empty if there is none.
    """
    found = _SCOPE.search(authorization)
    return _BOTO3_NAMES.get(found[3], found[3]) if found else ""
