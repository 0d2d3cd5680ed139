"""Somebody with every right that the probes are about, to tell a probe that is refused for nothing from one that works.

The rights are spelled as in the Service Authorization Reference, not as the local AWS would have them: a call that it
knows by another name, or without its resource, would be refused to everybody, whatever their policies say.
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import json

from local.aws.credentials import assume_service_role
from tests.attack.actor import Actor

NAME = "intruder"
SERVICE = "lambda.amazonaws.com"
TRUST: dict[str, object] = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
# On resources that have a name; the local AWS has to know which.
ON_RESOURCES = """
    s3:GetObject s3:GetObjectVersion s3:GetObjectTagging s3:GetObjectAcl s3:PutObject s3:PutObjectTagging
    s3:DeleteObject s3:DeleteObjectVersion s3:ListBucket s3:ListBucketVersions s3:ListBucketMultipartUploads
    s3:GetBucketPolicy s3:PutBucketPolicy s3:DeleteBucketPolicy s3:PutBucketVersioning s3:PutLifecycleConfiguration
    s3:PutBucketNotification s3:DeleteBucket s3:CreateBucket
    kms:Decrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:Encrypt kms:ReEncryptFrom kms:ReEncryptTo
    kms:DescribeKey kms:GetKeyPolicy kms:CreateGrant kms:PutKeyPolicy kms:DisableKeyRotation kms:DisableKey
    kms:ScheduleKeyDeletion
    sqs:ReceiveMessage sqs:DeleteMessage sqs:ChangeMessageVisibility sqs:GetQueueAttributes sqs:SendMessage
    sqs:SetQueueAttributes sqs:PurgeQueue sqs:DeleteQueue
    sns:Publish sns:Subscribe sns:GetTopicAttributes sns:DeleteTopic
    lambda:InvokeFunction lambda:GetFunction lambda:UpdateFunctionConfiguration lambda:UpdateFunctionCode
    lambda:AddPermission lambda:DeleteFunction
    states:StartExecution states:ListExecutions states:DescribeStateMachine states:UpdateStateMachine
    states:DeleteStateMachine states:DescribeExecution states:GetExecutionHistory states:StopExecution
    states:RedriveExecution states:ListMapRuns states:DescribeMapRun states:UpdateMapRun
    transcribe:GetMedicalTranscriptionJob transcribe:DeleteMedicalTranscriptionJob transcribe:TagResource
    cleanrooms-ml:StartAudienceGenerationJob cleanrooms-ml:GetAudienceGenerationJob cleanrooms-ml:StartAudienceExportJob
    cleanrooms-ml:DeleteAudienceGenerationJob cleanrooms-ml:TagResource
    sts:AssumeRole iam:PassRole iam:GetRole iam:PutRolePolicy iam:AttachRolePolicy iam:UpdateAssumeRolePolicy
    iam:DeleteRole
    dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:Scan dynamodb:ConditionCheckItem dynamodb:UpdateItem
    dynamodb:PutItem dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:DescribeTable dynamodb:CreateBackup
    dynamodb:UpdateTable dynamodb:UpdateContinuousBackups dynamodb:DeleteTable
    logs:CreateLogStream logs:PutLogEvents logs:FilterLogEvents logs:PutRetentionPolicy logs:DeleteLogGroup
"""
# Without resources on AWS; from IAM's creations on, only in the local AWS, where a right on one of them isn't seen.
ON_ALL = """
    transcribe:StartMedicalTranscriptionJob transcribe:ListMedicalTranscriptionJobs transcribe:StartTranscriptionJob
    comprehendmedical:StartEntitiesDetectionV2Job comprehendmedical:ListEntitiesDetectionV2Jobs
    comprehendmedical:DescribeEntitiesDetectionV2Job comprehendmedical:StopEntitiesDetectionV2Job
    comprehendmedical:DetectEntitiesV2 cleanrooms-ml:ListAudienceGenerationJobs cleanrooms-ml:ListAudienceExportJobs
    states:ListStateMachines logs:DescribeLogGroups logs:DescribeResourcePolicies logs:PutResourcePolicy
    s3:ListAllMyBuckets sqs:ListQueues kms:ListKeys lambda:ListFunctions iam:ListRoles secretsmanager:ListSecrets
    dynamodb:ListTables states:CreateStateMachine states:SendTaskSuccess
    iam:CreateUser iam:CreateAccessKey iam:CreatePolicy iam:CreateRole
    secretsmanager:GetSecretValue ssm:GetParameter cleanrooms-ml:GetConfiguredAudienceModel
    events:PutEvents events:DescribeRule events:PutTargets events:DisableRule
    cloudformation:GetTemplate cloudformation:DescribeStackResources cloudformation:DeleteStack
"""


def let_in(actor: Actor) -> dict[str, str]:
    """Make the intruder's role, with the operator's rights, and return its credentials."""
    iam = actor.client("iam")
    arn = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    statements: list[dict[str, object]] = [
        {"Effect": "Allow", "Action": ON_RESOURCES.split(), "Resource": "arn:aws:*:*:*:*"},
        {"Effect": "Allow", "Action": ON_ALL.split(), "Resource": "*"},
    ]
    iam.put_role_policy(RoleName=NAME, PolicyName=NAME, PolicyDocument=policy(*statements))
    return assume_service_role(arn, SERVICE)


def policy(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
