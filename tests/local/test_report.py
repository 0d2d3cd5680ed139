from typing import Any

from local.report import transitions


class StepFunctions:
    """Answers as Step Functions does for one execution with one Map Run of two children."""

    def list_map_runs(self, executionArn: str) -> dict[str, Any]:
        return {"mapRuns": [{"mapRunArn": "run"}] if executionArn == "parent" else []}

    def list_executions(self, stateMachineArn: str) -> dict[str, Any]:
        return {"executions": [{"executionArn": "parent"}]}

    def get_paginator(self, operation: str) -> Any:
        events = {
            "parent": ["ExecutionStarted", "TaskStateEntered", "MapStateEntered"],
            "child-1": ["ExecutionStarted", "TaskStateEntered", "TaskStateExited"],
            "child-2": ["ExecutionStarted", "WaitStateEntered"],
        }

        class Pages:
            def paginate(self, mapRunArn: str = "", executionArn: str = "") -> list[dict[str, Any]]:
                if operation == "list_executions":
                    return [{"executions": [{"executionArn": f"child-{number}"}]} for number in (1, 2)]
                return [{"events": [{"type": event}]} for event in events[executionArn]]

        return Pages()


def test_transitions_are_counted_over_parents_and_children() -> None:
    assert transitions(StepFunctions(), "machine") == 3 + 2 + 2
