"""Whether the ceilings of an environment let a full batch of usual visits through."""

import aws_cdk as cdk
from constructs import Construct

from infra.environment import Environment
from lambdas.shared.pricing import cost_of_speech

VISIT_MINUTES = 30


def full_batch_usd(environment: Environment) -> float:
    """The estimated cost of `batch_size` visits of half an hour."""
    return environment.batch_size * cost_of_speech(VISIT_MINUTES * 60).total


def warn_of_low_ceilings(scope: Construct, environment: Environment) -> None:
    """Warn at synthesis of each ceiling below the cost of a full batch: such a batch would be stopped or cut."""
    costs, full = environment.costs, full_batch_usd(environment)
    ceilings = {"batch_ceiling_usd": costs.batch_ceiling_usd, "day_ceiling_usd": costs.day_ceiling_usd}
    for name, usd in ceilings.items():
        if usd is not None and usd < full:
            cdk.Annotations.of(scope).add_warning_v2(
                f"clinical-media:{name}",
                f"environments.{environment.name}.costs.{name} is {usd:g} USD, but a full batch of "
                f"{environment.batch_size} visits of {VISIT_MINUTES} minutes costs about {full:,.0f} USD and would be "
                f"{'stopped' if costs.above_batch_ceiling == 'stop' else 'cut'}. Raise it, or lower batch_size.",
            )
