import json
from typing import Any

import pytest

from tests.local.aws.in_process import InProcessAws
from tests.local.aws.maps import PASS, distributed_map_of, map_run_of

BUCKET = "recordings"
KEYS = [f"many/{number:04}.wav" for number in range(1005)]


@pytest.fixture(scope="module")
def aws(aws: InProcessAws) -> InProcessAws:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for key in KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    s3.put_object(Bucket=BUCKET, Key="media/", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="media/p 1/é+%.wav", Body=b"sound")
    s3.put_object(Bucket=BUCKET, Key="other/x.wav", Body=b"sound")
    return aws


def listing(**fields: Any) -> dict[str, Any]:
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": BUCKET}}
    return {"ItemReader": {**reader, **fields}}


KEY_ONLY = {"StartAt": "Key", "States": {"Key": {"Type": "Pass", "OutputPath": "$.Key", "End": True}}}


def test_an_item_is_what_the_list_says_of_an_object_and_a_folder_is_one(aws: InProcessAws) -> None:
    definition = distributed_map_of(PASS, **listing(Parameters={"Bucket": BUCKET, "Prefix": "media/"}))
    folder, recording = json.loads(aws.run(aws.state_machine("listing", definition))["output"])
    assert (folder["Key"], folder["Size"]) == ("media/", 0)
    head = aws.client("s3").head_object(Bucket=BUCKET, Key="media/p 1/é+%.wav")
    assert recording == {
        "Etag": head["ETag"],
        "Key": "media/p 1/é+%.wav",
        "LastModified": int(head["LastModified"].timestamp()),
        "Size": 5,
        "StorageClass": "STANDARD",
    }


def test_all_pages_are_read_of_a_prefix_from_the_input(aws: InProcessAws, sfn: Any) -> None:
    parameters = {"Bucket.$": "$.bucket", "Prefix.$": "$.prefix"}
    definition = distributed_map_of(
        {"StartAt": "P", "States": {"P": {"Type": "Pass", "OutputPath": "$.Items[*].key", "End": True}}},
        ItemSelector={"key.$": "$$.Map.Item.Value.Key"},
        ItemBatcher={"MaxItemsPerBatch": 500},
        **listing(Parameters=parameters),
    )
    execution = aws.run(aws.state_machine("pages", definition), input={"bucket": BUCKET, "prefix": "many/"})
    assert [len(batch) for batch in json.loads(execution["output"])] == [500, 500, 5]
    assert [key for batch in json.loads(execution["output"]) for key in batch] == KEYS
    run = map_run_of(sfn, execution)
    assert (run["itemCounts"]["total"], run["executionCounts"]["total"]) == (1005, 3)


@pytest.mark.parametrize("config", [{"MaxItems": 1002}, {"MaxItemsPath": "$.most"}], ids=["number", "path"])
def test_no_more_items_are_read_than_max_items(aws: InProcessAws, config: dict[str, Any]) -> None:
    reader = listing(ReaderConfig=config, Parameters={"Bucket": BUCKET, "Prefix": "many/"})
    definition = distributed_map_of(
        {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"n.$": "States.ArrayLength($.Items)"},
                                          "OutputPath": "$.n", "End": True}}},
        ItemBatcher={"MaxItemsPerBatch": 2000}, **reader,
    )  # fmt: skip
    machine = aws.state_machine(f"most-{next(iter(config))}", definition)
    assert json.loads(aws.run(machine, input={"most": 1002})["output"]) == [1002]


def test_a_map_over_no_objects_succeeds_with_nothing(aws: InProcessAws, sfn: Any) -> None:
    reader = listing(Parameters={"Bucket": BUCKET, "Prefix": "none/"})
    definition = distributed_map_of(PASS, ItemBatcher={"MaxItemsPerBatch": 2}, **reader)
    execution = aws.run(aws.state_machine("no-objects", definition))
    assert (execution["status"], execution["output"]) == ("SUCCEEDED", "[]")
    assert map_run_of(sfn, execution)["executionCounts"]["total"] == 0


def test_a_redrive_reads_the_list_again_only_if_no_child_was_started(aws: InProcessAws, sfn: Any) -> None:
    s3 = aws.client("s3")
    reader = listing(Parameters={"Bucket": "made-later"})
    failed = aws.run(aws.state_machine("list-again", distributed_map_of(KEY_ONLY, **reader)))
    assert (failed["status"], failed["error"]) == ("FAILED", "States.ItemReaderFailed")
    s3.create_bucket(Bucket="made-later")
    s3.put_object(Bucket="made-later", Key="a.wav", Body=b"")
    sfn.redrive_execution(executionArn=failed["executionArn"])
    assert json.loads(aws.ended(failed["executionArn"])["output"]) == ["a.wav"]


def test_a_transformation_is_refused(aws: InProcessAws, sfn: Any) -> None:
    reader = listing(ReaderConfig={"InputType": "JSON", "Transformation": "LOAD_AND_FLATTEN"})
    with pytest.raises(sfn.exceptions.InvalidDefinition, match="no Transformation"):
        aws.state_machine("flattened", distributed_map_of(PASS, **reader))
