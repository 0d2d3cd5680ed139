"""Lifts the termination protection of a stack whose creation failed.

The CDK CLI protects a stack before it executes the first change set. After a failed creation it deletes the stack
before it tries again, and CloudFormation refuses that while the protection is on.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-protect-stacks.html
"""

import boto3
from botocore.exceptions import ClientError

from operations.deployed import BOOTSTRAP_QUALIFIER, LOCAL, Connection, connect, find_stack, prefix_of

# A stack has these only after its creation failed (API reference, Stack, StackStatus).
CREATION_FAILED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")


def unblock(environment: str, endpoint_url: str | None = None) -> str | None:
    """Lift the protection of the environment's stack if its creation failed, and return a sentence about it.

    None if nothing was done: there is no stack, it isn't protected, or its creation succeeded.

    Raises:
        botocore.exceptions.BotoCoreError: no credentials, no Region, or no answer.
        botocore.exceptions.ClientError: a call was refused.
    """
    connection = connect(environment, endpoint_url)
    if environment != LOCAL:
        connection = _as_deploy_role(connection)
    name = prefix_of(environment)
    cloudformation = connection.client("cloudformation")
    stack = find_stack(cloudformation, name)
    if stack is None:
        return None
    status = stack["StackStatus"]
    if status not in CREATION_FAILED or not stack.get("EnableTerminationProtection"):
        return None
    cloudformation.update_termination_protection(StackName=stack["StackId"], EnableTerminationProtection=False)
    return (
        f"The creation of {name} failed ({status}), so its termination protection was lifted: "
        "the next deployment deletes the rest of it and creates it again."
    )


def _as_deploy_role(connection: Connection) -> Connection:
    """A connection with the bootstrap's deploy role; like the CDK CLI, with the caller's if it can't be assumed."""
    sts = connection.client("sts")
    identity = sts.get_caller_identity()
    partition, account = identity["Arn"].split(":")[1], identity["Account"]
    region = connection.session.region_name
    role = f"arn:{partition}:iam::{account}:role/cdk-{BOOTSTRAP_QUALIFIER}-deploy-role-{account}-{region}"
    try:
        found = sts.assume_role(RoleArn=role, RoleSessionName="clinical-media-unblock")["Credentials"]
    except ClientError:
        return connection
    session = boto3.Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], region)
    return connection._replace(session=session)
