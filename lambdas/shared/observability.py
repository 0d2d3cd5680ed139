"""The one logger and the one metrics collector. Neither may ever see text, file names or user ids."""

from aws_lambda_powertools import Logger, Metrics

logger = Logger()
metrics = Metrics()
