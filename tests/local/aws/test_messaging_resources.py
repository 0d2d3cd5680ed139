import json
from typing import Any

from local.server import LocalAws

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


def test_an_eventbridge_rule_with_its_targets(local_aws: LocalAws, create_stack: Any) -> None:
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": "recordings",
            "Description": "recordings uploaded",
            "EventPattern": {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "media/"}]}}},
            "State": "ENABLED",
            "Targets": [
                {
                    "Arn": arn("Queue"),
                    "Id": "Queue",
                    "DeadLetterConfig": {"Arn": arn("DeadLetters")},
                    "RetryPolicy": {"MaximumRetryAttempts": 3},
                }
            ],
        },
    }
    outputs = create_stack({"Queue": QUEUE, "DeadLetters": QUEUE, "Rule": rule}, {"Queue": arn("Queue")})
    events = local_aws.client("events")
    described = events.describe_rule(Name="recordings")
    assert json.loads(described["EventPattern"])["detail"]["object"]["key"] == [{"prefix": "media/"}]
    assert described["State"] == "ENABLED"
    (target,) = events.list_targets_by_rule(Rule="recordings")["Targets"]
    assert target["Arn"] == outputs["Queue"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 3
