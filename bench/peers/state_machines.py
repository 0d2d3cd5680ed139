"""State machines like those of the services' samples and tutorials, in the Amazon States Language.

Resources have the names of our own definition, so that the same service models run both.
"""

from typing import Any


def fixed_wait_loop(start: str, poll: str, seconds: int) -> dict[str, Any]:
    """Start a job, then wait and poll until it has ended: the usual job-status poller."""
    return {
        "StartAt": "Start",
        "States": {
            "Start": {"Type": "Task", "Resource": start, "ResultPath": "$.job", "Next": "Wait"},
            "Wait": {"Type": "Wait", "Seconds": seconds, "Next": "Ask"},
            "Ask": {"Type": "Task", "Resource": poll, "ResultPath": "$.job", "Next": "Ended?"},
            "Ended?": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.job.status", "StringEquals": "COMPLETED", "Next": "Done"}],
                "Default": "Wait",
            },
            "Done": {"Type": "Succeed"},
        },
    }


def execution_per_recording(start: str, poll: str) -> dict[str, Any]:
    """An execution with a fixed loop for each recording; Tasks are retried six times, from two seconds on."""
    definition = fixed_wait_loop(start, poll, 30)
    for name in ("Start", "Ask"):
        definition["States"][name]["Retry"] = [
            {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 6}
        ]
    return definition


def one_map(start: str, poll: str, jobs: int) -> dict[str, Any]:
    """One Distributed Map over all recordings, with a fixed loop for each and the job quota as concurrency.

    Its retries have jitter, so that the initial burst succeeds.
    """
    child = execution_per_recording(start, poll)
    for name in ("Start", "Ask"):
        child["States"][name]["Retry"][0].update(MaxAttempts=12, MaxDelaySeconds=60, JitterStrategy="FULL")
    return {
        "StartAt": "Recordings",
        "States": {
            "Recordings": {
                "Type": "Map",
                "ItemReader": {"Parameters": {"Key": "recordings"}},
                "MaxConcurrency": jobs,
                "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, **child},
                "End": True,
            }
        },
    }
