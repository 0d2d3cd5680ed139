"""The schedule of share_jobs, which gives executions their turns and divides the transcription jobs."""

from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import arns
from infra.environment import Environment


class JobSharing(Construct):
    """Calls `function` once a minute. A failed call needs no retry: the next one does the same work."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, function: lambda_.IFunction
    ) -> None:
        super().__init__(scope, construct_id)
        rule = events.CfnRule(
            self,
            "Rule",
            name=arns.job_sharing_rule_name(environment.prefix),
            description=f"{environment.prefix}: divide the transcription jobs among the running executions",
            state="ENABLED",
            schedule_expression="rate(1 minute)",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Function",
                    arn=function.function_arn,
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_retry_attempts=0, maximum_event_age_in_seconds=60
                    ),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "Permission",
            action="lambda:InvokeFunction",
            function_name=function.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
