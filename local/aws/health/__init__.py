"""AWS Health, which moto lacks: the announced ends of services (`local.aws.account`), and nothing else.

https://docs.aws.amazon.com/health/latest/APIReference/API_DescribeServiceLifecycle.html
"""

from local.aws.health.models import health_backends

__all__ = ["health_backends"]
