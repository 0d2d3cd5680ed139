"""CloudFormation's queues, topics, their policies and subscriptions."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.sns.models import Topic
from moto.sqs.models import Queue

from local.aws.resource_types import AddedResource, Properties, ResourceType, operator_client, put_tags


def create_queue_policy(name: str, properties: Properties) -> AddedResource:
    """AWS::SQS::QueuePolicy"""
    _put_queue_policy(properties["Queues"], properties["PolicyDocument"])
    return _with_deletion(AddedResource(name), lambda had: _put_queue_policy(had["Queues"], None))


def update_queue_policy(policy: AddedResource, properties: Properties, previous: Properties) -> None:
    _put_queue_policy([url for url in previous["Queues"] if url not in properties["Queues"]], None)
    _put_queue_policy(properties["Queues"], properties["PolicyDocument"])


def _put_queue_policy(urls: list[str], document: Any) -> None:
    for url in urls:
        attributes = {"Policy": json.dumps(document) if document else ""}
        operator_client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)


def _with_deletion(resource: AddedResource, delete: Callable[[Properties], None]) -> AddedResource:
    """The resource, which is deleted by its latest properties."""
    resource.delete_resource = lambda: delete(resource.deployed_properties)
    return resource


def update_queue(queue: Queue, properties: Properties, previous: Properties) -> None:
    """Change the attributes; those that the template no longer has get their initial value."""
    sqs, url = operator_client("sqs"), queue.physical_resource_id
    attributes = {name: properties.get(name, initial) for name, initial in _QUEUE_ATTRIBUTES.items()}
    # moto sets the policy with every call.
    policy = {"Policy": queue.policy} if queue.policy else {}
    sqs.set_queue_attributes(
        QueueUrl=url,
        Attributes={
            **policy,
            **{name: value if isinstance(value, str) else json.dumps(value) for name, value in attributes.items()},
        },
    )
    tags = {item["Key"]: item["Value"] for item in properties.get("Tags", [])}
    if gone := sorted({item["Key"] for item in previous.get("Tags", [])} - set(tags)):
        sqs.untag_queue(QueueUrl=url, TagKeys=gone)
    if tags:
        sqs.tag_queue(QueueUrl=url, Tags=tags)


# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
_QUEUE_ATTRIBUTES: Mapping[str, Any] = {
    "DelaySeconds": 0,
    "KmsDataKeyReusePeriodSeconds": 300,
    "KmsMasterKeyId": "",
    "MaximumMessageSize": 1_048_576,
    "MessageRetentionPeriod": 345_600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "RedrivePolicy": "",
    "VisibilityTimeout": 30,
}


def create_topic_policy(name: str, properties: Properties) -> AddedResource:
    """AWS::SNS::TopicPolicy"""
    _put_topic_policy(properties["Topics"], properties["PolicyDocument"])
    return AddedResource(name)


def update_topic_policy(policy: AddedResource, properties: Properties, previous: Properties) -> None:
    """Raises ValueError for a topic that the policy leaves, which would get its default policy back on AWS."""
    if left := sorted(set(previous["Topics"]) - set(properties["Topics"])):
        raise ValueError(f"Topics: the local AWS can't take the policy off {', '.join(left)}")
    _put_topic_policy(properties["Topics"], properties["PolicyDocument"])


def _put_topic_policy(arns: list[str], document: Any) -> None:
    for arn in arns:
        operator_client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(document)
        )


def update_topic(topic: Topic, properties: Properties, previous: Properties) -> None:
    """Raises ValueError for another list of subscriptions within the topic."""
    if properties.get("Subscription") != previous.get("Subscription"):
        raise ValueError("Subscription can't be changed here; declare an AWS::SNS::Subscription instead")
    sns = operator_client("sns")
    for name in ("DisplayName", "KmsMasterKeyId"):
        sns.set_topic_attributes(TopicArn=topic.arn, AttributeName=name, AttributeValue=properties.get(name, ""))
    put_tags(
        properties,
        previous,
        lambda tags: sns.tag_resource(ResourceArn=topic.arn, Tags=tags),
        lambda keys: sns.untag_resource(ResourceArn=topic.arn, TagKeys=keys),
    )


def create_subscription(name: str, properties: Properties) -> AddedResource:
    """AWS::SNS::Subscription"""
    sns = operator_client("sns")
    arn = sns.subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=_subscription_attributes(properties),
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return AddedResource(arn, {"Arn": arn}, lambda: sns.unsubscribe(SubscriptionArn=arn))


def update_subscription(subscription: AddedResource, properties: Properties, previous: Properties) -> None:
    gone = dict.fromkeys(set(_subscription_attributes(previous)) - set(properties), "{}")
    for name, value in {**gone, **_subscription_attributes(properties)}.items():
        operator_client("sns").set_subscription_attributes(
            SubscriptionArn=subscription.physical_resource_id, AttributeName=name, AttributeValue=value
        )


def _subscription_attributes(properties: Properties) -> dict[str, str]:
    return {
        attribute: value if isinstance(value, str) else json.dumps(value)
        for attribute in ("RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")
        if (value := properties.get(attribute)) is not None
    }


TYPES = {
    "AWS::SQS::Queue": ResourceType(
        frozenset(
            {
                "DelaySeconds",
                "KmsDataKeyReusePeriodSeconds",
                "KmsMasterKeyId",
                "MaximumMessageSize",
                "MessageRetentionPeriod",
                "QueueName",
                "ReceiveMessageWaitTimeSeconds",
                "RedrivePolicy",
                "SqsManagedSseEnabled",
                "Tags",
                "VisibilityTimeout",
            }
        ),
        replaced_by=frozenset({"QueueName"}),
        update=update_queue,
    ),
    "AWS::SQS::QueuePolicy": ResourceType(
        frozenset({"PolicyDocument", "Queues"}), create=create_queue_policy, update=update_queue_policy
    ),
    "AWS::SNS::Topic": ResourceType(
        frozenset({"DisplayName", "KmsMasterKeyId", "Subscription", "Tags", "TopicName"}),
        replaced_by=frozenset({"TopicName"}),
        update=update_topic,
    ),
    "AWS::SNS::TopicPolicy": ResourceType(
        frozenset({"PolicyDocument", "Topics"}), create=create_topic_policy, update=update_topic_policy
    ),
    "AWS::SNS::Subscription": ResourceType(
        frozenset(
            {
                "Endpoint",
                "FilterPolicy",
                "FilterPolicyScope",
                "Protocol",
                "RawMessageDelivery",
                "RedrivePolicy",
                "TopicArn",
            }
        ),
        create=create_subscription,
        attributes=("Arn",),
        replaced_by=frozenset({"Endpoint", "Protocol", "TopicArn"}),
        update=update_subscription,
    ),
}
