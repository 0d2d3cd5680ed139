"""AWS Health's one list."""

from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend

from local.aws.account import current


class HealthBackend(BaseBackend):
    """Reads of the account's facts."""

    def service_lifecycles(self, service: str | None) -> list[dict[str, Any]]:
        """The announcements for `service`, or for all services."""
        return [item for item in current().service_lifecycles if service in (None, item["service"])]


health_backends = BackendDict(HealthBackend, "ec2")
