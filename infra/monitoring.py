"""The alarms, which go to one encrypted topic, and the dashboard.

Each alarm links to its section of docs/runbook.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import Aws
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra import arns
from infra.dashboard import add_dashboard
from infra.environment import Environment
from infra.ingest import Ingest
from infra.metrics import HOUR, own_metric

RUNBOOK = "docs/runbook.md"
_FIVE_MINUTES = cdk.Duration.minutes(5)
# Longer than the time between two polls (ten minutes), or until a message returns to the queue (eleven).
_QUARTER = cdk.Duration.minutes(15)

# This many recordings with the same fault are no coincidence.
_SUSPICIOUS = 3


@dataclass(frozen=True)
class _Rule:
    """An alarm's condition: at least `threshold` (with `below`, less) in `periods` consecutive periods."""

    metric: cloudwatch.Metric
    says: str
    threshold: float = 1
    periods: int = 1
    below: bool = False


class Monitoring(Construct):
    """The topic, the alarms (`alarms`, by the anchor of their section in the runbook) and the dashboard."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        key: kms.Key,
        ingest: Ingest,
        functions: Mapping[str, lambda_.IFunction],
        state_machine: sfn.IStateMachine,
        compaction: sfn.IStateMachine,
    ) -> None:
        """`key` encrypts the topic, and admits CloudWatch for this environment's alarms; `functions` are by name."""
        super().__init__(scope, construct_id)
        self._environment = environment
        self.topic = self._encrypted_topic(key)
        rules = self._rules(ingest, functions, state_machine, compaction)
        self.alarms = {anchor: self._alarm(anchor, rule) for anchor, rule in rules.items()}
        add_dashboard(
            self,
            prefix=environment.prefix,
            alarms=list(self.alarms.values()),
            ingest=ingest,
            state_machine=state_machine,
        )

    def _encrypted_topic(self, key: kms.Key) -> sns.Topic:
        """A topic that this environment's alarms can publish to.

        The key's policy builds the alarms' ARNs from their names: a reference would be a circular dependency.
        SNS's guide recommends both conditions for a key. CloudWatch's guide doesn't document whether KMS gets the
        alarm's ARN, hence `IfExists`, with which no alarm is lost. For a topic's policy AWS documents the ARN.
        https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
        https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger
        """
        prefix = self._environment.prefix
        account = {"aws:SourceAccount": Aws.ACCOUNT_ID}
        alarms = {"aws:SourceArn": arns.alarms(prefix)}
        cloudwatch_service = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsToTopic",
                principals=[cloudwatch_service],
                actions=["kms:GenerateDataKey", "kms:Decrypt"],
                resources=["*"],
                conditions={"StringEqualsIfExists": account, "ArnLikeIfExists": alarms},
            )
        )
        topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"{prefix}-alarms",
            display_name=f"{prefix} alarms",
            master_key=key,
            enforce_ssl=True,
        )
        # An explicit policy replaces the default one, which would admit the account's alarms.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="FromAlarms",
                principals=[cloudwatch_service],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": account, "ArnLike": alarms},
            )
        )
        for address in self._environment.monitoring.alarm_emails:
            topic.add_subscription(subscriptions.EmailSubscription(address))
        return topic

    def _rules(
        self,
        ingest: Ingest,
        functions: Mapping[str, lambda_.IFunction],
        machine: sfn.IStateMachine,
        compaction: sfn.IStateMachine,
    ) -> Mapping[str, _Rule]:
        prefix, limits = self._environment.prefix, self._environment.monitoring
        ceiling = self._environment.costs.batch_ceiling_usd
        return {
            "execution-failed": _Rule(machine.metric_failed(period=_FIVE_MINUTES), "A batch failed."),
            "execution-timed-out": _Rule(
                machine.metric_timed_out(period=_FIVE_MINUTES), "A batch timed out after 90 days."
            ),
            "job-stuck": _Rule(
                own_metric(prefix, "JobAgeSeconds", "Maximum", _QUARTER),
                f"A service's job has been running for more than {limits.stuck_after_hours} hours.",
                threshold=limits.stuck_after_hours * 3600,
            ),
            # Every step writes a 0 and the last one a 1, so an hour without work has no value, and the alarm stays off.
            "nothing-finished": _Rule(
                own_metric(prefix, "BatchesFinished", "Sum", HOUR),
                f"Functions have run in each of the last {limits.nothing_finished_hours} hours, but no batch finished.",
                periods=limits.nothing_finished_hours,
                below=True,
            ),
            "dead-letters": _Rule(
                ingest.dead_letter_queue.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=_FIVE_MINUTES
                ),
                "The events of uploaded recordings are in the dead-letter queue, and start no execution.",
            ),
            "oldest-event": _Rule(
                ingest.queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_FIVE_MINUTES),
                f"An uploaded recording has been waiting for more than {limits.oldest_event_minutes} minutes.",
                threshold=limits.oldest_event_minutes * 60,
            ),
            # A message that was received three times no longer counts in the queue's age.
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
            "events-returned": _Rule(
                own_metric(prefix, "EventsReturned", "Sum", _QUARTER),
                "Executions could not be started for half an hour; the recordings' events return to the queue.",
                periods=2,
            ),
            "ingest-failed": _Rule(
                functions["ingest"].metric_errors(statistic="Sum", period=_QUARTER),
                "The function that starts the executions has failed for half an hour.",
                periods=2,
            ),
            "job-sharing-failed": _Rule(
                functions["share_jobs"].metric_errors(statistic="Sum", period=_QUARTER),
                "share_jobs has failed for half an hour: batches keep their transcription jobs, and new ones may wait.",
                periods=2,
            ),
            "event-delivery-failed": _Rule(
                self._of_the_rule("FailedInvocations"), "Events of uploaded recordings could not be queued."
            ),
            "events-lost": _Rule(
                self._of_the_rule("InvocationsFailedToBeSentToDlq"),
                "Events of uploaded recordings are lost: both queues refused them.",
            ),
            # A batch counts only if most of it was rejected; batches of one file add up over the hour.
            "rejected-alike": _Rule(
                own_metric(prefix, "RecordingsRejectedAlike", "Sum", HOUR),
                "Most recordings of a batch, or of several, were rejected for one and the same reason.",
                threshold=_SUSPICIOUS,
            ),
            "records-unreadable": _Rule(
                own_metric(prefix, "RecordsUnreadable", "Sum", HOUR),
                "Entity records can't be read, so their patients are in no seed.",
            ),
            "compaction-failed": _Rule(
                compaction.metric_failed(period=HOUR), "New records are not in the analysis tables."
            ),
            "cost-ceiling": _Rule(
                own_metric(prefix, "CostCeilingExceeded", "Sum", _FIVE_MINUTES),
                f"A batch would cost more than {ceiling:g} USD, or than a whole day may cost, and was stopped.",
            ),
            # An execution that waits is retried at least every five minutes.
            "day-ceiling": _Rule(
                own_metric(prefix, "DayCeilingReached", "Sum", _QUARTER),
                "Batches wait, because they would cost more than the day's ceiling has left.",
            ),
        }

    def _alarm(self, anchor: str, rule: _Rule) -> cloudwatch.Alarm:
        operator = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            "".join(word.title() for word in anchor.split("-")),
            alarm_name=f"{self._environment.prefix}-{anchor}",
            alarm_description=f"{rule.says} {self._environment.monitoring.runbook_url or RUNBOOK}#{anchor}",
            metric=rule.metric,
            threshold=rule.threshold,
            evaluation_periods=rule.periods,
            datapoints_to_alarm=rule.periods,
            comparison_operator=operator.LESS_THAN_THRESHOLD
            if rule.below
            else operator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        return alarm

    def _of_the_rule(self, name: str) -> cloudwatch.Metric:
        """A metric of the rule; RuleName without a bus means the default bus, which gets S3's events.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
        """
        return cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name=name,
            statistic="Sum",
            period=_FIVE_MINUTES,
            dimensions_map={"RuleName": arns.recordings_rule_name(self._environment.prefix)},
        )
