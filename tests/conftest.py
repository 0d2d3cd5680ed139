"""No test may reach AWS: credentials are made up, and pytest-socket refuses every host but this one."""

import functools
import os

import botocore.session

# moto hooks into botocore when it is imported, which has to be before the modules under test make their clients.
import moto  # noqa: F401

# Each session reads the SDK's descriptions of the services anew, which is what the making of a client takes.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)

os.environ.update(
    {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "tests",
        "POWERTOOLS_METRICS_NAMESPACE": "tests",
    }
)
os.environ.pop("AWS_ENDPOINT_URL", None)
os.environ.pop("AWS_PROFILE", None)
