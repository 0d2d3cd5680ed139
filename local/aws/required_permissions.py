"""The permissions that a call to an AWS service needs: actions, resources and condition keys.

It covers the services that this application calls. The rules are those of the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/). A call to any other service needs one permission,
`<service>:<Operation>` on the resource that moto names, or "*".
"""

from collections.abc import Callable, Iterator
from typing import Any

from moto.athena.models import athena_backends

from local.aws.calls import Call, Permission
from local.aws.dynamodb_permissions import dynamodb_permissions
from local.aws.role_trust import assumption
from local.aws.s3_permissions import s3_permissions


def required_permissions(call: Call) -> list[Permission]:
    """All permissions that the caller needs; each must be allowed."""
    rule = _RULES.get(call.service)
    return list(rule(call)) if rule else [Permission(f"{call.service}:{call.operation}", call.resource)]


def _transcribe(call: Call) -> Iterator[Permission]:
    parameters = call.parameters()
    name = parameters.get("MedicalTranscriptionJobName")
    job = call.arn("transcribe", f"medical-transcription-job/{name}")
    if call.operation == "StartMedicalTranscriptionJob":
        members = ("OutputBucketName", "OutputKey", "OutputEncryptionKMSKeyId")
        context = {f"transcribe:{member}": parameters[member] for member in members if member in parameters}
        yield Permission("transcribe:StartMedicalTranscriptionJob", "*", context)
        if parameters.get("Tags"):
            yield Permission("transcribe:TagResource", job)
    else:
        yield Permission(f"transcribe:{call.operation}", job if name else "*")


def _comprehendmedical(call: Call) -> Iterator[Permission]:
    yield Permission(f"comprehendmedical:{call.operation}", "*")
    if role := call.parameters().get("DataAccessRoleArn"):
        yield Permission("iam:PassRole", role, {"iam:PassedToService": "comprehendmedical.amazonaws.com"})


def _cleanrooms_ml(call: Call) -> Iterator[Permission]:
    parameters = call.parameters()
    action = f"cleanrooms-ml:{call.operation}"
    if call.operation == "StartAudienceGenerationJob":
        context = {}
        if "collaborationId" in parameters:
            context["cleanrooms-ml:CollaborationId"] = parameters["collaborationId"]
        model = parameters.get("configuredAudienceModelArn", "*")
        yield Permission(action, model, context)
        # The job doesn't exist yet, so a policy names it with a wildcard. A job with another account's model has an ARN
        # there too: https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-behaviors.html
        job = call.arn("cleanrooms-ml", "audience-generation-job/new")
        for arn in {
            job: None,
            f"{model.partition(':configured-audience-model/')[0]}:audience-generation-job/new": None,
        }:
            yield Permission(action, arn, context)
        if parameters.get("tags"):
            yield Permission("cleanrooms-ml:TagResource", job)
        role = parameters.get("seedAudience", {}).get("roleArn", "")
        yield Permission("iam:PassRole", role, {"iam:PassedToService": "cleanrooms-ml.amazonaws.com"})
    else:
        resource = (
            call.path_label("audience-generation-job")
            or call.path_label("configured-audience-model")
            or parameters.get("audienceGenerationJobArn")
            or call.query().get("audienceGenerationJobArn")
        )
        yield Permission(action, resource or "*")


def _lambda(call: Call) -> Iterator[Permission]:
    name = call.path_label("functions")
    arn = name if name.startswith("arn:") else call.arn("lambda", f"function:{name}") if name else "*"
    action = "InvokeFunction" if call.operation in ("Invoke", "InvokeAsync") else call.operation
    yield Permission(f"lambda:{action}", arn)


def _logs(call: Call) -> Iterator[Permission]:
    parameters = call.parameters()
    group, stream = parameters.get("logGroupName"), parameters.get("logStreamName")
    # The ARN of a log group ends in a colon and the stream, if any: policies name it `log-group:<name>:*`.
    arn = call.arn("logs", f"log-group:{group}:" + (f"log-stream:{stream}" if stream else "")) if group else "*"
    yield Permission(f"logs:{call.operation}", arn)


def _kms(call: Call) -> Iterator[Permission]:
    parameters = call.parameters()
    actions = {call.operation: "KeyId"}
    if call.operation == "ReEncrypt":
        actions = {"ReEncryptFrom": "SourceKeyId", "ReEncryptTo": "DestinationKeyId"}
    for action, member in actions.items():
        key_id = parameters.get(member)
        yield Permission(f"kms:{action}", call.key_arn(key_id) if key_id else "*")


def _by_parameter(*names: str) -> Callable[[Call], Iterator[Permission]]:
    def rule(call: Call) -> Iterator[Permission]:
        parameters = call.parameters()
        named = (parameters[name] for name in names if parameters.get(name))
        yield Permission(f"{call.service}:{call.operation}", next(named, call.resource))

    return rule


def _glue(call: Call) -> Iterator[Permission]:
    parameters, action = call.parameters(), f"glue:{call.operation}"
    # All of them: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
    match call.operation:
        case "GetDatabase":
            resources = ["catalog", f"database/{parameters['Name']}"]
        case "GetTable":
            database, table = parameters["DatabaseName"], parameters["Name"]
            resources = ["catalog", f"database/{database}", f"table/{database}/{table}"]
        case _:
            yield Permission(action, call.resource)
            return
    for resource in resources:
        yield Permission(action, call.arn("glue", resource))


def _athena(call: Call) -> Iterator[Permission]:
    parameters, athena = call.parameters(), athena_backends[call.account][call.region]
    # A query belongs to its workgroup, and so does the permission to it.
    found: Any = athena.executions.get(parameters.get("QueryExecutionId", "")) or athena.named_queries.get(
        parameters.get("NamedQueryId", "")
    )
    in_primary = "primary" if call.operation == "StartQueryExecution" else None
    workgroup = found.workgroup.name if found else parameters.get("WorkGroup", in_primary)
    resource = call.arn("athena", f"workgroup/{workgroup}") if workgroup else call.resource
    yield Permission(f"athena:{call.operation}", resource)


def _cloudwatch(call: Call) -> Iterator[Permission]:
    name = call.parameters().get("AlarmName")
    yield Permission(f"cloudwatch:{call.operation}", call.arn("cloudwatch", f"alarm:{name}") if name else call.resource)


def _events(call: Call) -> Iterator[Permission]:
    parameters = call.parameters()
    # Rules of the default event bus, which has no part in their ARN.
    name = parameters.get("Rule") or (parameters.get("Name") if "Rule" in call.operation else None)
    yield Permission(f"events:{call.operation}", call.arn("events", f"rule/{name}") if name else call.resource)


def _ssm(call: Call) -> Iterator[Permission]:
    name = call.parameters().get("Name")
    yield Permission(
        f"ssm:{call.operation}", call.arn("ssm", f"parameter/{name.lstrip('/')}") if name else call.resource
    )


def _cloudformation(call: Call) -> Iterator[Permission]:
    yield Permission(f"cloudformation:{call.operation}", call.resource)
    if role := call.parameters().get("RoleARN"):
        yield Permission("iam:PassRole", role, {"iam:PassedToService": "cloudformation.amazonaws.com"})


# moto knows X-Ray's operations by their paths.
_XRAY_ACTIONS = {
    "TelemetryRecords": "PutTelemetryRecords",
    "TraceSegments": "PutTraceSegments",
    "TraceSummaries": "GetTraceSummaries",
    "Traces": "BatchGetTraces",
    "ServiceGraph": "GetServiceGraph",
    "TraceGraph": "GetTraceGraph",
}


def _xray(call: Call) -> Iterator[Permission]:
    yield Permission(f"xray:{_XRAY_ACTIONS.get(call.operation, call.operation)}", "*")


def _sts(call: Call) -> Iterator[Permission]:
    yield from assumption(call) if call.operation == "AssumeRole" else [Permission(f"sts:{call.operation}", "*")]


_RULES: dict[str, Callable[[Call], Iterator[Permission]]] = {
    "s3": s3_permissions,
    "dynamodb": dynamodb_permissions,
    "transcribe": _transcribe,
    "comprehendmedical": _comprehendmedical,
    "cleanrooms-ml": _cleanrooms_ml,
    "athena": _athena,
    "cloudformation": _cloudformation,
    "monitoring": _cloudwatch,
    "glue": _glue,
    "lambda": _lambda,
    "logs": _logs,
    "kms": _kms,
    "states": _by_parameter("stateMachineArn", "executionArn", "mapRunArn"),
    "events": _events,
    "sts": _sts,
    "sns": _by_parameter("TopicArn"),
    "ssm": _ssm,
    "xray": _xray,
}
