"""The dashboard: recordings received, outcomes, durations, waiting times and costs."""

from collections.abc import Sequence
from functools import partial

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.ingest import Ingest
from infra.metrics import HOUR, JOBS, STAGES, own_metric


def add_dashboard(
    scope: Construct,
    *,
    prefix: str,
    alarms: Sequence[cloudwatch.IAlarm],
    ingest: Ingest,
    state_machine: sfn.IStateMachine,
) -> cloudwatch.Dashboard:
    """Add the dashboard called `prefix` to `scope`."""
    own = partial(own_metric, prefix)

    def graph(title: str, *metrics: cloudwatch.IMetric, unit: str) -> cloudwatch.GraphWidget:
        axis = cloudwatch.YAxisProps(label=unit, min=0, show_units=False)
        return cloudwatch.GraphWidget(title=title, width=12, height=6, left=list(metrics), left_y_axis=axis)

    recordings = [
        own(f"Recordings{outcome}", "Sum", label=outcome.lower())
        for outcome in ("Received", "Transcribed", "Reused", "Elsewhere", "Rejected")
    ]
    # The default period of five minutes would leave most graphs empty.
    return cloudwatch.Dashboard(
        scope,
        "Dashboard",
        dashboard_name=prefix,
        default_interval=cdk.Duration.days(7),
        widgets=[
            [cloudwatch.AlarmStatusWidget(title="Alarms", width=24, height=4, alarms=list(alarms))],
            [
                graph("Recordings", *recordings, unit="recordings"),
                graph(
                    "Batches",
                    state_machine.metric_started(period=HOUR, label="started"),
                    state_machine.metric_succeeded(period=HOUR, label="succeeded"),
                    state_machine.metric_failed(period=HOUR, label="failed"),
                    state_machine.metric_timed_out(period=HOUR, label="timed out"),
                    state_machine.metric_aborted(period=HOUR, label="stopped"),
                    unit="batches",
                ),
            ],
            [
                graph(
                    "How long a stage takes (90 of 100 are quicker)",
                    *(own("DurationSeconds", "p90", stage=stage) for stage in STAGES),
                    unit="seconds",
                ),
                graph(
                    "Jobs that run: the oldest",
                    *(own("JobAgeSeconds", "Maximum", stage=stage) for stage in JOBS),
                    unit="seconds",
                ),
            ],
            [
                graph(
                    "From upload to execution",
                    own("WaitingSeconds", "p90", stage="ingest", label="waited (90 of 100 less)"),
                    ingest.queue.metric_approximate_age_of_oldest_message(
                        statistic="Maximum", period=HOUR, label="oldest in the queue"
                    ),
                    unit="seconds",
                ),
                graph(
                    "Events",
                    own("EventsReceived", "Sum", stage="ingest", label="received"),
                    own("EventsReturned", "Sum", stage="ingest", label="returned"),
                    ingest.queue.metric_approximate_number_of_messages_visible(
                        statistic="Maximum", period=HOUR, label="in the queue"
                    ),
                    ingest.dead_letter_queue.metric_approximate_number_of_messages_visible(
                        statistic="Maximum", period=HOUR, label="dead letters"
                    ),
                    unit="events",
                ),
            ],
            [
                graph(
                    "Cost at list price",
                    own("TranscriptionUsd", "Sum", label="Transcribe Medical"),
                    own("EntityDetectionUsd", "Sum", label="Comprehend Medical"),
                    unit="USD",
                ),
                graph(
                    "Results",
                    own("EntityRecords", "Sum", label="entity records"),
                    own("Audiences", "Sum", label="audiences"),
                    unit="results",
                ),
            ],
        ],
    )
