"""The account and Region that the credentials lead to, and the settings of the environment to be deployed there."""

from typing import Any, NamedTuple

from infra.environment import Environment
from operations.deployed import Connection


class Account(NamedTuple):
    """Where the environment is, or is to be, and what it is set to."""

    connection: Connection
    environment: Environment

    def client(self, service: str) -> Any:
        return self.connection.client(service)

    @property
    def has_audiences(self) -> bool:
        return self.environment.configured_audience_model_arn is not None
