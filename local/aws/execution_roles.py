"""Checks a state machine's role before Step Functions runs an execution with it.

https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html (the trust policy)
https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html (the key)
"""

from moto.stepfunctions.models import StateMachine

from local.aws import kms_keys
from local.aws.credentials import AccessDenied, check_trust
from local.aws.iam import role_allows

SERVICE = "states.amazonaws.com"
_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")


def refusal(role_arn: str, machine: StateMachine, source_arn: str) -> str | None:
    """Why executions of `machine` may not run with the role, in one sentence; None if they may.

    Step Functions sends `source_arn` to the role's trust policy as `aws:SourceArn`, and to the policies of the
    machine's key, if it has one, as encryption context.
    """
    try:
        check_trust(role_arn, SERVICE, source_arn)
    except AccessDenied as error:
        return str(error)
    name = machine.encryptionConfiguration.get("kmsKeyId")
    if name is None:
        return None
    key = kms_keys.find(name)
    if key is None:
        return f"{name}, the key of {machine.arn}, does not exist"
    context = {"kms:EncryptionContext:aws:states:stateMachineArn": source_arn}
    for action in _KEY_ACTIONS:
        if not role_allows(role_arn, action, key.arn, context):
            return f"{role_arn} must be allowed {action} on {key.arn} with aws:states:stateMachineArn {source_arn}"
    return None
