from typing import Any

from local.progress import Progress, read_progress, transitions


class StepFunctions:
    """Answers as Step Functions does for one execution with one Map Run of two children."""

    status = "RUNNING"
    states: tuple[str, ...] = ("PlanBatch", "TranscribeMedia")

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        return {"name": "drop-1", "status": self.status}

    def list_map_runs(self, executionArn: str) -> dict[str, Any]:
        return {"mapRuns": [{"mapRunArn": "run"}] if executionArn == "parent" else []}

    def describe_map_run(self, mapRunArn: str) -> dict[str, Any]:
        return {"itemCounts": {"succeeded": 1, "total": 2}}

    def list_executions(self, stateMachineArn: str) -> dict[str, Any]:
        return {"executions": [{"executionArn": "parent"}]}

    def get_paginator(self, operation: str) -> Any:
        events: dict[str, list[dict[str, Any]]] = {
            "parent": [{"type": "ExecutionStarted"}]
            + [{"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": name}} for name in self.states],
            "child-1": [{"type": "ExecutionStarted"}, {"type": "TaskStateEntered"}, {"type": "TaskStateExited"}],
            "child-2": [{"type": "ExecutionStarted"}, {"type": "WaitStateEntered"}],
        }

        class Pages:
            def paginate(self, mapRunArn: str = "", executionArn: str = "") -> list[dict[str, Any]]:
                if operation == "list_executions":
                    return [{"executions": [{"executionArn": f"child-{number}"}]} for number in (1, 2)]
                return [{"events": [event]} for event in events[executionArn]]

        return Pages()


def test_progress_tells_the_stages_and_how_many_recordings_are_through() -> None:
    progress = read_progress(StepFunctions(), "parent")
    assert progress.entered == ["Plan the batch", "Transcribe"]
    assert progress.mark("Plan the batch") == "done"
    assert progress.mark("Transcribe") == "running 1/2"
    assert progress.mark("Summarize") == "·"


def test_a_stage_that_a_finished_execution_skipped_is_not_called_done() -> None:
    progress = Progress("drop-1", "SUCCEEDED", ["Plan the batch", "Summarize"], (0, 0), None)
    assert progress.mark("Detect entities") == "–"
    assert progress.mark("Summarize") == "done"


def test_the_stage_in_which_an_execution_failed_says_so() -> None:
    assert Progress("drop-1", "FAILED", ["Plan the batch"], (0, 0), None).mark("Plan the batch") == "failed"


def test_transitions_are_counted_over_parents_and_children() -> None:
    assert transitions(StepFunctions(), "machine") == 3 + 2 + 2
