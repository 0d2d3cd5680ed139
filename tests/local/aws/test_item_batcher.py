import json
from typing import Any

import pytest

from local.aws.item_batcher import MAX_INPUT_BYTES, json_bytes
from tests.local.aws.in_process import InProcessAws
from tests.local.aws.maps import PASS, call, distributed_map_of, map_run_of


def executions(sfn: Any, execution: Any) -> list[dict[str, Any]]:
    run = map_run_of(sfn, execution)
    found: list[dict[str, Any]] = sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]
    return sorted(found, key=lambda child: child["itemCount"])


def test_a_child_receives_a_batch_of_selected_items_and_the_fixed_input(aws: InProcessAws) -> None:
    definition = distributed_map_of(
        PASS,
        ItemsPath="$.items",
        ItemSelector={"item.$": "$$.Map.Item.Value", "from.$": "$.origin"},
        ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"who.$": "$.origin", "name.$": "$$.Execution.Name", "n": 1}},
    )
    machine = aws.state_machine("batches", definition)
    execution = aws.run(machine, name="named", input={"origin": "here", "items": [1, 2, 3]})
    assert json.loads(execution["output"]) == [
        {
            "BatchInput": {"who": "here", "name": "named", "n": 1},
            "Items": [{"item": 1, "from": "here"}, {"item": 2, "from": "here"}],
        },
        {"BatchInput": {"who": "here", "name": "named", "n": 1}, "Items": [{"item": 3, "from": "here"}]},
    ]


def test_eleven_hundred_and_thirty_items_make_twelve_batches_of_at_most_a_hundred(aws: InProcessAws, sfn: Any) -> None:
    definition = distributed_map_of(PASS, ItemBatcher={"MaxItemsPerBatch": 100})
    execution = aws.run(aws.state_machine("documented", definition), input=list(range(1130)))
    run = map_run_of(sfn, execution)
    assert (run["executionCounts"]["total"], run["itemCounts"]["total"]) == (12, 1130)
    assert (run["executionCounts"]["succeeded"], run["itemCounts"]["succeeded"]) == (12, 1130)
    assert [child["itemCount"] for child in executions(sfn, execution)] == [30] + [100] * 11
    assert "BatchInput" not in json.loads(execution["output"])[0]


@pytest.mark.parametrize("field", ["MaxInputBytesPerBatch", "MaxInputBytesPerBatchPath"])
def test_a_batch_ends_before_its_input_exceeds_the_bytes(aws: InProcessAws, field: str) -> None:
    limit: Any = 60 if field == "MaxInputBytesPerBatch" else "$.most"
    items = ["é" * 5] * 10
    definition = distributed_map_of(PASS, ItemsPath="$.items", ItemBatcher={field: limit, "MaxItemsPerBatch": 9})
    execution = aws.run(aws.state_machine(field, definition), input={"most": 60, "items": items})
    batches = json.loads(execution["output"])
    assert [item for batch in batches for item in batch["Items"]] == items
    assert all(json_bytes(batch) <= 60 < json_bytes({"Items": [*batch["Items"], items[0]]}) for batch in batches[:-1])


def test_the_number_of_items_may_come_from_the_input(aws: InProcessAws) -> None:
    definition = distributed_map_of(PASS, ItemsPath="$.items", ItemBatcher={"MaxItemsPerBatchPath": "$.most"})
    machine = aws.state_machine("path", definition)
    assert len(json.loads(aws.run(machine, input={"most": 2, "items": [1, 2, 3]})["output"])) == 2
    for given in ({"items": [1]}, {"most": 0, "items": [1]}):
        refused = aws.run(machine, input=given)
        assert (refused["status"], refused["error"]) == ("FAILED", "States.Runtime")
        assert "MaxItemsPerBatchPath $.most" in refused["cause"]


def test_without_a_size_a_batch_has_at_most_256_kib(aws: InProcessAws) -> None:
    definition = distributed_map_of(
        {"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": 0, "End": True}}},
        ItemsPath="$.items",
        ItemSelector={"x.$": "$.long"},
        ItemBatcher={"MaxItemsPerBatch": 1000},
    )
    execution = aws.run(aws.state_machine("size", definition), input={"long": "x" * 100_000, "items": [1, 2, 3, 4, 5]})
    assert json.loads(execution["output"]) == [0, 0, 0]


@pytest.mark.parametrize("batcher", [None, {"MaxItemsPerBatch": 2}], ids=["alone", "batch"])
def test_an_input_above_256_kib_fails_the_map_and_a_redrive_makes_a_new_map_run(
    aws: InProcessAws, sfn: Any, batcher: Any
) -> None:
    fields = {"ItemBatcher": batcher} if batcher else {}
    selector = {"x.$": "States.Format('{}{}', $.long, $.long)"}
    definition = distributed_map_of(PASS, ItemsPath="$.items", ItemSelector=selector, **fields)
    machine = aws.state_machine(f"too-large-{bool(batcher)}", definition)
    execution = aws.run(machine, input={"long": "x" * (MAX_INPUT_BYTES // 2), "items": [1]})
    assert (execution["status"], execution["error"]) == ("FAILED", "States.DataLimitExceeded")
    sfn.redrive_execution(executionArn=execution["executionArn"])
    aws.ended(execution["executionArn"])
    assert len(sfn.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]) == 2


def test_failures_are_counted_in_items(aws: InProcessAws, sfn: Any) -> None:
    def fail_for_three(event: Any) -> None:
        if 3 in event["Items"]:
            raise ValueError("three")

    definition = distributed_map_of(
        call(aws.function("three", fail_for_three)),
        ItemsPath="$.items",
        ItemBatcher={"MaxItemsPerBatch": 3},
        ToleratedFailurePercentage=60,
    )
    machine = aws.state_machine("tolerant-batches", definition)
    tolerated = aws.run(machine, input={"items": [1, 2, 3, 4, 5]})
    assert tolerated["status"] == "SUCCEEDED"
    run = map_run_of(sfn, tolerated)
    assert (run["itemCounts"]["failed"], run["executionCounts"]["failed"]) == (3, 1)
    assert aws.run(machine, input={"items": [1, 2, 3, 4]})["error"] == "States.ExceedToleratedFailureThreshold"


def test_a_redrive_repeats_only_the_failed_batches(aws: InProcessAws, sfn: Any) -> None:
    calls: list[list[int]] = []

    def fail_once(event: Any) -> None:
        calls.append(event["Items"])
        if event["Items"] == [3, 4] and calls.count([3, 4]) == 1:
            raise ValueError("once")

    definition = distributed_map_of(
        call(aws.function("fail-a-batch", fail_once)), MaxConcurrency=1, ItemBatcher={"MaxItemsPerBatch": 2}
    )
    failed = aws.run(aws.state_machine("redriven-batches", definition), input=[1, 2, 3, 4, 5])
    assert failed["status"] == "FAILED"
    sfn.redrive_execution(executionArn=failed["executionArn"])
    assert aws.ended(failed["executionArn"])["status"] == "SUCCEEDED"
    assert calls == [[1, 2], [3, 4], [3, 4], [5]]
    run = map_run_of(sfn, failed)
    assert (run["itemCounts"]["succeeded"], run["executionCounts"]["succeeded"], run["redriveCount"]) == (5, 3, 1)


@pytest.mark.parametrize(
    ("batcher", "part"),
    [
        ({}, "must have MaxItemsPerBatch or MaxInputBytesPerBatch"),
        ({"BatchInput": {"a": 1}}, "must have MaxItemsPerBatch or MaxInputBytesPerBatch"),
        ({"MaxItemsPerBatch": 1, "MaxItemsPerBatchPath": "$.n"}, "not both"),
        ({"MaxItemsPerBatch": 0}, "must be a positive integer, not 0"),
        ({"MaxItemsPerBatch": True}, "must be a positive integer, not True"),
        ({"MaxInputBytesPerBatch": MAX_INPUT_BYTES + 1}, "may be at most 262144"),
        ({"MaxItemsPerBatch": 1, "Batch": 2}, "unknown field Batch"),
    ],
)
def test_an_item_batcher_that_aws_refuses_makes_no_state_machine(
    aws: InProcessAws, sfn: Any, batcher: dict[str, Any], part: str
) -> None:
    with pytest.raises(sfn.exceptions.InvalidDefinition, match=part):
        aws.state_machine("refused", distributed_map_of(PASS, ItemBatcher=batcher))


def test_an_inline_map_has_no_batches(aws: InProcessAws, sfn: Any) -> None:
    definition = distributed_map_of(PASS, ItemBatcher={"MaxItemsPerBatch": 1})
    definition["States"]["Map"]["ItemProcessor"]["ProcessorConfig"] = {"Mode": "INLINE"}
    with pytest.raises(sfn.exceptions.InvalidDefinition, match="only a Distributed Map"):
        aws.state_machine("inline", definition)
