"""No test may reach AWS: credentials are made up, and pytest-socket refuses every host but this one."""

import functools
import os
from tempfile import TemporaryDirectory

import botocore.session

# moto hooks into botocore when it is imported, which has to be before the modules under test make their clients.
import moto.core.models
import pytest
from hypothesis import HealthCheck, settings

# Each session reads the SDK's descriptions of the services anew, which is what the making of a client takes.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)
# Nothing here calls AWS by the library `requests`, for which moto would set up thousands of answers before each test.
moto.core.models.RESPONSES_METHODS.clear()

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# With these fixtures a file has a local AWS, with the stack or without, which takes longer than most tests.
_SLOW = {"pipeline", "run", "world", "running", "reader", "deployed", "local_aws", "aws"}

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


def pytest_configure(config: pytest.Config) -> None:
    """Give all processes of this run a folder: what one of them has made there, the others need not make again."""
    if not hasattr(config, "workerinput"):
        folder = TemporaryDirectory(prefix="tests-")
        os.environ["SHARED_BY_TESTS"] = folder.name
        config.add_cleanup(folder.cleanup)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the slow files begun first: the last one of them would be waited for when all else is done."""
    slow = {item.path for item in items if _SLOW & set(getattr(item, "fixturenames", ()))}
    items.sort(key=lambda item: item.path not in slow)
