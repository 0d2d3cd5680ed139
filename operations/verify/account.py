"""The account and Region of the credentials, and the settings of the environment to be deployed there."""

from typing import Any, NamedTuple

from infra.environment import Environment
from operations.deployed import Connection


class Account(NamedTuple):
    """The connection to the environment's account, and the environment's settings."""

    connection: Connection
    environment: Environment

    def client(self, service: str) -> Any:
        return self.connection.client(service)

    @property
    def has_audiences(self) -> bool:
        return self.environment.configured_audience_model_arn is not None
