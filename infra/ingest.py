"""From an uploaded recording to the ingest function: bucket event -> rule -> queue -> batches."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import arns
from infra.environment import Environment
from infra.storage import Storage, removal_policy

# A message returns every few minutes, so events survive an outage of Step Functions for some hours.
_RECEIVES_BEFORE_DEAD_LETTER = 50
# Events of a drop of a million are taken within an hour and a half (`python -m bench.simulation.million`), because
# executions wait for their turn to transcribe, not events.
RETENTION = cdk.Duration.days(4)
# The minimum; it keeps a burst from becoming many small executions.
_CONCURRENT_BATCHES = 2


class Ingest(Construct):
    """The queue of uploaded recordings. Messages are EventBridge events, also in the dead-letter queue."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        storage: Storage,
        function_timeout: cdk.Duration,
    ) -> None:
        super().__init__(scope, construct_id)
        self._batch_size = environment.batch_size
        self._window = cdk.Duration.seconds(environment.batch_window_seconds)
        key = storage.operations.key
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            queue_name=f"{environment.prefix}-ingest-dead-letters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
            removal_policy=removal_policy(environment),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=f"{environment.prefix}-ingest",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=cdk.Duration.hours(1),
            enforce_ssl=True,
            retention_period=RETENTION,
            # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
            visibility_timeout=cdk.Duration.seconds(6 * function_timeout.to_seconds() + self._window.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letter_queue, max_receive_count=_RECEIVES_BEFORE_DEAD_LETTER
            ),
            removal_policy=removal_policy(environment),
        )
        self._send_events(environment.prefix, storage)

    def feed(self, function: lambda_.IFunction) -> None:
        """Invoke `function` with batches of messages; it returns the ones that failed."""
        function.add_event_source(
            event_sources.SqsEventSource(
                self.queue,
                batch_size=self._batch_size,
                max_batching_window=self._window,
                max_concurrency=_CONCURRENT_BATCHES,
                report_batch_item_failures=True,
            )
        )

    def _send_events(self, prefix: str, storage: Storage) -> None:
        # No condition: EventBridge's guide shows this statement without one ("Amazon EventBridge targets": "you must
        # include"), and according to SNS's guide aws:SourceAccount and aws:SourceArn don't work for EventBridge with an
        # encrypted topic. If a condition weren't met, no recording would ever start. The queues' policies admit
        # EventBridge for our rule only.
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        storage.operations.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RecordingsToQueue",
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:GenerateDataKey", "kms:Decrypt"],
                resources=["*"],
            )
        )
        for queue in (self.queue, self.dead_letter_queue):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="FromRecordingsRule",
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": arns.recordings_rule(prefix)}},
                )
            )
        events.CfnRule(
            self,
            "Rule",
            name=arns.recordings_rule_name(prefix),
            description=f"{prefix}: recordings uploaded to the media bucket",
            state="ENABLED",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [storage.media.bucket.bucket_name]},
                    "object": {"key": [{"prefix": "media/"}]},
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.dead_letter_queue.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_retry_attempts=185, maximum_event_age_in_seconds=86_400
                    ),
                )
            ],
        )
