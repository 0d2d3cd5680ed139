import json
from typing import Any

from local.server import LocalAws
from tests.local.aws.stacks import Stack

QUEUE: dict[str, Any] = {
    "Type": "AWS::SQS::Queue",
    "Properties": {"VisibilityTimeout": 420, "MessageRetentionPeriod": 345600},
}
TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "Batches"}}
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Sid": "S"}],
}


def arn(name: Any) -> Any:
    return {"Fn::GetAtt": [name, "Arn"]}


def test_a_queue_with_a_dead_letter_queue_and_policy(local_aws: LocalAws, create_stack: Any) -> None:
    queue = {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            **QUEUE["Properties"],
            "KmsMasterKeyId": "alias/operations",
            "KmsDataKeyReusePeriodSeconds": 3600,
            "RedrivePolicy": {"deadLetterTargetArn": arn("DeadLetters"), "maxReceiveCount": 5},
        },
    }
    policy = {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": DOCUMENT, "Queues": [{"Ref": "Queue"}]}}
    outputs = create_stack(
        {"DeadLetters": QUEUE, "Queue": queue, "Policy": policy}, {"Url": {"Ref": "Queue"}, "Dead": arn("DeadLetters")}
    )
    url = outputs["Url"]
    attributes = local_aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "420"
    assert attributes["KmsMasterKeyId"] == "alias/operations"
    assert attributes["KmsDataKeyReusePeriodSeconds"] == "3600"
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"] == outputs["Dead"]
    assert json.loads(attributes["Policy"]) == DOCUMENT


def test_a_topic_with_policy_and_subscription(local_aws: LocalAws, create_stack: Any) -> None:
    resources = {
        "Topic": TOPIC,
        "Queue": QUEUE,
        "Policy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {"PolicyDocument": DOCUMENT, "Topics": [{"Ref": "Topic"}]},
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": arn("Queue"),
                "RawMessageDelivery": True,
                "FilterPolicy": {"kind": ["summary"]},
            },
        },
    }
    outputs = create_stack(resources, {"Topic": {"Ref": "Topic"}, "Queue": arn("Queue"), "Url": {"Ref": "Queue"}})
    sns = local_aws.client("sns")
    assert json.loads(sns.get_topic_attributes(TopicArn=outputs["Topic"])["Attributes"]["Policy"]) == DOCUMENT
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=outputs["Topic"])["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("sqs", outputs["Queue"])
    attributes = {"kind": {"DataType": "String", "StringValue": "summary"}}
    sns.publish(TopicArn=outputs["Topic"], Message="done", MessageAttributes=attributes)
    sns.publish(TopicArn=outputs["Topic"], Message="filtered out")
    messages = local_aws.client("sqs").receive_message(QueueUrl=outputs["Url"], MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in messages] == ["done"]


def test_the_policies_of_a_queue_and_a_topic_are_changed_in_place(local_aws: LocalAws, stack: Stack) -> None:
    sqs, sns = local_aws.client("sqs"), local_aws.client("sns")

    def resources(sid: str, timeout: int) -> dict[str, Any]:
        document = {**DOCUMENT, "Statement": [{**DOCUMENT["Statement"][0], "Sid": sid}]}  # type: ignore[dict-item]
        for_queue = {"Queues": [{"Ref": "Queue"}], "PolicyDocument": document}
        for_topic = {"Topics": [{"Ref": "Topic"}], "PolicyDocument": document}
        return {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": timeout}},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": sid}},
            "QueuePolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": for_queue},
            "TopicPolicy": {"Type": "AWS::SNS::TopicPolicy", "Properties": for_topic},
        }

    def queue_policy() -> str:
        attributes = sqs.get_queue_attributes(QueueUrl=before["Queue"], AttributeNames=["All"])["Attributes"]
        return str(attributes.get("Policy", ""))

    stack.create(resources("first", 10))
    before = stack.physical_ids()
    stack.update(resources("first", 20))
    assert "first" in queue_policy()
    stack.update(resources("second", 20))
    assert stack.physical_ids() == before and "second" in queue_policy()
    attributes = sns.get_topic_attributes(TopicArn=before["Topic"])["Attributes"]
    assert attributes["DisplayName"] == "second" and "second" in attributes["Policy"]
    without = resources("second", 20)
    del without["QueuePolicy"]
    stack.update(without)
    assert "second" not in queue_policy()


def test_another_endpoint_replaces_a_subscription_and_another_filter_does_not(
    local_aws: LocalAws, stack: Stack
) -> None:
    def resources(queue: str, value: str) -> dict[str, Any]:
        properties = {
            "TopicArn": {"Ref": "Topic"},
            "Protocol": "sqs",
            "Endpoint": arn(queue),
            "FilterPolicy": {"kind": [value]},
        }
        subscription = {"Type": "AWS::SNS::Subscription", "Properties": properties}
        return {"Topic": TOPIC, "A": QUEUE, "B": QUEUE, "Subscription": subscription}

    sns = local_aws.client("sns")
    stack.create(resources("A", "done"))
    first = stack.physical_ids()["Subscription"]
    stack.update(resources("A", "failed"))
    assert stack.physical_ids()["Subscription"] == first
    attributes = sns.get_subscription_attributes(SubscriptionArn=first)["Attributes"]
    assert json.loads(attributes["FilterPolicy"]) == {"kind": ["failed"]}
    stack.update(resources("B", "failed"))
    (found,) = sns.list_subscriptions_by_topic(TopicArn=stack.physical_ids()["Topic"])["Subscriptions"]
    assert found["SubscriptionArn"] == stack.physical_ids()["Subscription"] != first
