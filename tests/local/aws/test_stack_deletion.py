import json
from typing import Any

from local.server import LocalAws
from tests.local.aws.stacks import Stack, queue, queues


def resources(protected: bool) -> dict[str, Any]:
    table = {
        "TableName": "ledger",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": protected,
    }
    return {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": table},
        "Kept": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain", "Properties": {"QueueName": "kept"}},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "queue"}},
    }


def test_a_stack_stays_with_what_could_not_be_deleted_and_goes_when_it_can(local_aws: LocalAws) -> None:
    cloudformation, sqs = local_aws.client("cloudformation"), local_aws.client("sqs")
    cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps({"Resources": resources(protected=True)}))
    cloudformation.delete_stack(StackName="stack")
    (stack,) = cloudformation.describe_stacks(StackName="stack")["Stacks"]
    assert stack["StackStatus"] == "DELETE_FAILED"
    events = cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    failed = {event["LogicalResourceId"]: event for event in events if event["ResourceStatus"] == "DELETE_FAILED"}
    assert failed["Table"]["ResourceStatusReason"].startswith("DeletionProtectedException")
    reason = failed["stack"]["ResourceStatusReason"]
    assert reason.startswith("The following resource(s) failed to delete: [Table]. DeletionProtectedException")
    left = cloudformation.list_stack_resources(StackName="stack")["StackResourceSummaries"]
    assert {resource["LogicalResourceId"] for resource in left} == {"Table", "Kept"}
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["kept"]

    local_aws.client("dynamodb").update_table(TableName="ledger", DeletionProtectionEnabled=False)
    cloudformation.delete_stack(StackName="stack")
    assert local_aws.client("dynamodb").list_tables()["TableNames"] == []
    names = {summary["StackName"]: summary["StackStatus"] for summary in cloudformation.list_stacks()["StackSummaries"]}
    assert names["stack"] == "DELETE_COMPLETE"
    assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["kept"]


def test_a_bucket_with_an_old_version_stays_with_the_key_that_it_needs(local_aws: LocalAws, stack: Stack) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    rules = [{"ServerSideEncryptionByDefault": default}]
    bucket = {
        "BucketEncryption": {"ServerSideEncryptionConfiguration": rules},
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    key = {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}}
    stack.create(
        {
            "Key": {"Type": "AWS::KMS::Key", "Properties": key},
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": bucket},
            "Queue": queue(QueueName=stack.name),
        }
    )
    before, s3, kms = stack.physical_ids(), local_aws.client("s3"), local_aws.client("kms")
    s3.put_object(Bucket=before["Bucket"], Key="k", Body=b"1")
    s3.delete_object(Bucket=before["Bucket"], Key="k")
    stack.cloudformation.delete_stack(StackName=stack.name)
    assert stack.status == "DELETE_FAILED"
    assert stack.physical_ids() == {name: before[name] for name in ("Key", "Bucket")}
    assert "The bucket you tried to delete is not empty" in stack.events("Bucket")[0][1]
    assert kms.describe_key(KeyId=before["Key"])["KeyMetadata"]["KeyState"] == "Enabled"
    assert queues(local_aws, stack) == set()

    for version in s3.list_object_versions(Bucket=before["Bucket"])["Versions"]:
        s3.delete_object(Bucket=before["Bucket"], Key="k", VersionId=version["VersionId"])
    for marker in s3.list_object_versions(Bucket=before["Bucket"])["DeleteMarkers"]:
        s3.delete_object(Bucket=before["Bucket"], Key="k", VersionId=marker["VersionId"])
    stack_id = stack.described["StackId"]
    stack.cloudformation.delete_stack(StackName=stack.name)
    (deleted,) = stack.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
    assert deleted["StackStatus"] == "DELETE_COMPLETE"
    assert kms.describe_key(KeyId=before["Key"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_what_somebody_has_deleted_already_counts_as_deleted(local_aws: LocalAws, stack: Stack) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    properties = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    rule = {"ScheduleExpression": "rate(1 day)"}
    stack.create(
        {
            "Queue": queue(QueueName=stack.name),
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Logs": {"Type": "AWS::Logs::LogGroup"},
            "Role": {"Type": "AWS::IAM::Role", "Properties": properties},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
        }
    )
    ids = stack.physical_ids()
    stack_id = stack.described["StackId"]
    local_aws.client("sqs").delete_queue(QueueUrl=ids["Queue"])
    local_aws.client("s3").delete_bucket(Bucket=ids["Bucket"])
    local_aws.client("logs").delete_log_group(logGroupName=ids["Logs"])
    local_aws.client("iam").delete_role(RoleName=ids["Role"])
    local_aws.client("events").delete_rule(Name=ids["Rule"])
    stack.cloudformation.delete_stack(StackName=stack.name)
    (deleted,) = stack.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
    assert deleted["StackStatus"] == "DELETE_COMPLETE"


def test_cloudformations_own_requests_leave_no_log_that_keeps_its_bucket(local_aws: LocalAws, stack: Stack) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObjectAcl", "Resource": "*"}
    deliver = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": {"Fn::Sub": "${Logs.Arn}/*"},
    }

    def policy(bucket: str, *statements: Any) -> dict[str, Any]:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": bucket}, "PolicyDocument": document}}

    logging = {"DestinationBucketName": {"Ref": "Logs"}}
    resources = {
        "Logs": {"Type": "AWS::S3::Bucket"},
        "LogsPolicy": policy("Logs", deliver),
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"LoggingConfiguration": logging}},
        "BucketPolicy": policy("Bucket", statement),
    }
    stack.create(resources)
    ids, stack_id = stack.physical_ids(), stack.described["StackId"]
    local_aws.client("s3").get_bucket_policy(Bucket=ids["Bucket"])
    (log,) = local_aws.client("s3").list_objects_v2(Bucket=ids["Logs"])["Contents"]
    local_aws.client("s3").delete_object(Bucket=ids["Logs"], Key=log["Key"])
    stack.cloudformation.delete_stack(StackName=stack.name)
    (deleted,) = stack.cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
    assert deleted["StackStatus"] == "DELETE_COMPLETE"
