"""CloudFormation's queues, topics, their policies, subscriptions and EventBridge rules."""

import json

from local.aws.resource_types import AddedResource, Properties, ResourceType, operator_client


def create_queue_policy(name: str, properties: Properties) -> AddedResource:
    """AWS::SQS::QueuePolicy"""
    for url in properties["Queues"]:
        operator_client("sqs").set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(properties["PolicyDocument"])}
        )
    return AddedResource(name)


def create_topic_policy(name: str, properties: Properties) -> AddedResource:
    """AWS::SNS::TopicPolicy"""
    for arn in properties["Topics"]:
        operator_client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(properties["PolicyDocument"])
        )
    return AddedResource(name)


def create_subscription(name: str, properties: Properties) -> AddedResource:
    """AWS::SNS::Subscription"""
    attributes = {
        attribute: value if isinstance(value, str) else json.dumps(value)
        for attribute in ("RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy")
        if (value := properties.get(attribute)) is not None
    }
    sns = operator_client("sns")
    arn = sns.subscribe(
        TopicArn=properties["TopicArn"],
        Protocol=properties["Protocol"],
        Endpoint=properties["Endpoint"],
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return AddedResource(arn, {"Arn": arn}, lambda: sns.unsubscribe(SubscriptionArn=arn))


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
        )
    ),
    "AWS::SQS::QueuePolicy": ResourceType(frozenset({"PolicyDocument", "Queues"}), create=create_queue_policy),
    "AWS::SNS::Topic": ResourceType(frozenset({"DisplayName", "KmsMasterKeyId", "Subscription", "Tags", "TopicName"})),
    "AWS::SNS::TopicPolicy": ResourceType(frozenset({"PolicyDocument", "Topics"}), create=create_topic_policy),
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
    ),
    "AWS::Events::Rule": ResourceType(
        frozenset({"Description", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State", "Targets"}),
    ),
}
