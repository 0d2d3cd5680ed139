from typing import Any

from local.server import LocalAws
from tests.local.aws.stacks import Stack, queue, queue_attributes


def test_an_export_has_a_name_that_no_other_stack_has(local_aws: LocalAws, stack: Stack) -> None:
    def exported(name: str) -> dict[str, Any]:
        return {"Url": {"Value": {"Ref": "Queue"}, "Export": {"Name": name}}}

    other = Stack(local_aws)
    other.create({"Queue": queue()}, Outputs=exported(f"{other.name}-1"))
    stack.create({"Queue": queue()})
    assert stack.update({"Queue": queue()}, Outputs=exported(f"{other.name}-1")) == "UPDATE_ROLLBACK_COMPLETE"
    other.update({"Queue": queue()}, Outputs=exported(f"{other.name}-2"))
    assert stack.update({"Queue": queue()}, Outputs=exported(f"{other.name}-1")) == "UPDATE_COMPLETE"
    exports = {item["Name"]: item["ExportingStackId"] for item in stack.cloudformation.list_exports()["Exports"]}
    assert exports[f"{other.name}-1"] == stack.described["StackId"]


def test_another_logical_id_for_the_same_name_is_refused_and_loses_nothing(local_aws: LocalAws, stack: Stack) -> None:
    named = queue(QueueName=stack.name)
    stack.create({"Old": named})
    before = stack.physical_ids()
    local_aws.client("sqs").send_message(QueueUrl=before["Old"], MessageBody="kept")
    assert stack.update({"New": named}) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"{stack.name} already exists in stack" in stack.events("New")[0][1]
    assert stack.physical_ids() == before
    assert queue_attributes(local_aws, before["Old"])["ApproximateNumberOfMessages"] == "1"
