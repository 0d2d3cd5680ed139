"""AWS Health's operations as HTTP."""

from moto.core.responses import ActionResult, BaseResponse

from local.aws.health.models import HealthBackend, health_backends


class HealthResponse(BaseResponse):
    """One method for each operation, found by moto by its name."""

    def __init__(self) -> None:
        super().__init__(service_name="health")
        self.automated_parameter_parsing = True

    def describe_service_lifecycle(self) -> ActionResult:
        service = (self.params.get("filter") or {}).get("service")
        return ActionResult({"serviceLifecycles": self._backend.service_lifecycles(service)})

    @property
    def _backend(self) -> HealthBackend:
        return health_backends[self.current_account][self.region]
