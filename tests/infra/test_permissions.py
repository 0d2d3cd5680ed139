"""All grants of each role, as `action on resource`; a changed grant has to be changed here too."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from infra.functions import FUNCTIONS, pascal_case
from local.aws.policies import Decision, Request, evaluate
from tests.infra.conftest import Deployed, parameters_with_model_of, synthesized

if TYPE_CHECKING:
    from infra.stack import PipelineStack

MEDIA, CLINICAL, AUDIENCE = "Storage/Media/Bucket.Arn", "Storage/Clinical/Bucket.Arn", "Storage/Audience/Bucket.Arn"
MEDIA_KEY, CLINICAL_KEY, AUDIENCE_KEY = (f"Storage/{store}/Key.Arn" for store in ("Media", "Clinical", "Audience"))
OPERATIONS_KEY = "Storage/Operations/Key.Arn"
LEDGER, MEMBERS = "Ledger/Table.Arn", "Ledger/Members.Arn"
TRANSCRIPTIONS = "arn:aws:transcribe:us-east-1:123456789012:medical-transcription-job/*"
GENERATIONS = "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-generation-job/*"
MODEL = "arn:aws:cleanrooms-ml:us-east-1:123456789012:configured-audience-model/local"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:clinical-media-local-pipeline"
MAP_RUNS = "arn:aws:states:us-east-1:123456789012:mapRun:clinical-media-local-pipeline/*"
EXECUTIONS = "arn:aws:states:us-east-1:123456789012:execution:clinical-media-local-pipeline"

JOB_RECORDS = {
    "s3:PutObject": {f"{CLINICAL}/batches/*"},
    "kms:GenerateDataKey": {CLINICAL_KEY},
    "kms:Decrypt": {CLINICAL_KEY},
}


def of_ledger(read: str, update: str = "", check: str = "") -> dict[str, set[str]]:
    """Items of these kinds, in the notation of `grants`."""
    kinds = {"BatchGetItem": read, "UpdateItem": update, "ConditionCheckItem": check}
    return {
        f"dynamodb:{action}": {f"{LEDGER}/{kind}#*" for kind in of_action.split()}
        for action, of_action in kinds.items()
        if of_action
    }


def of_both_tables(
    read: str, update: str, *, members: str = "", delete: str = "", query: str = ""
) -> dict[str, set[str]]:
    """Items of the ledger table, and those of the members table: `members` to update, `delete`, `query`."""
    found = of_ledger(read, update=update)
    kinds = {"UpdateItem": members, "DeleteItem": delete, "Query": query}
    for action, of_action in kinds.items():
        if of_action:
            found.setdefault(f"dynamodb:{action}", set()).update(f"{MEMBERS}/{kind}#*" for kind in of_action.split())
    return found


# A commit of records: each part of a transaction may need the right for the keys of all parts.
COMMITTED = "object index outline changed"
# SendTaskSuccess has no resource-level permissions.
TURNS = of_ledger("turn turns", update="turn turns") | {"states:SendTaskSuccess": {"*"}, "kms:Decrypt": {CLINICAL_KEY}}
FUNCTION_GRANTS: dict[str, dict[str, set[str]]] = {
    "ingest": {
        "sqs:ReceiveMessage": {"Ingest/Queue.Arn"},
        "sqs:DeleteMessage": {"Ingest/Queue.Arn"},
        "sqs:ChangeMessageVisibility": {"Ingest/Queue.Arn"},
        "sqs:GetQueueAttributes": {"Ingest/Queue.Arn"},
        "kms:Decrypt": {OPERATIONS_KEY},
        "states:StartExecution": {MACHINE},
    },
    "plan_batch": {
        "s3:GetObject": {f"{MEDIA}/media/*", f"{CLINICAL}/records/*", f"{CLINICAL}/entity-jobs/*"},
        "s3:ListBucket": {MEDIA, CLINICAL},
        "s3:PutObject": {f"{CLINICAL}/batches/*"},
        # Each part of a transaction may need the right for the keys of all parts.
        **of_both_tables(
            "object claim execution spending",
            update="object claim execution spending index",
            members="patient",
            delete="object index",
        ),
        "dynamodb:ConditionCheckItem": {f"{LEDGER}/execution#*", f"{LEDGER}/claim#*"},
        "states:DescribeExecution": {f"{EXECUTIONS}:*"},
        "kms:GenerateDataKey": {CLINICAL_KEY},
        "kms:Decrypt": {CLINICAL_KEY},
    },
    "share_jobs": {
        "states:ListExecutions": {MACHINE},
        "states:ListMapRuns": {f"{EXECUTIONS}:*"},
        "states:DescribeMapRun": {MAP_RUNS},
        "states:UpdateMapRun": {MAP_RUNS},
        **TURNS,
    },
    "wait_for_turn": TURNS,
    "start_transcription": {
        "s3:GetObject": {f"{MEDIA}/media/*", f"{CLINICAL}/transcripts/*"},
        "s3:ListBucket": {MEDIA, CLINICAL},
        "s3:PutObject": {f"{CLINICAL}/transcripts/*", f"{CLINICAL}/batches/*"},
        "kms:Decrypt": {MEDIA_KEY, CLINICAL_KEY},
        "kms:GenerateDataKey": {CLINICAL_KEY},
        "kms:GenerateDataKeyWithoutPlaintext": {CLINICAL_KEY},
        "kms:ReEncryptFrom": {CLINICAL_KEY},
        "kms:ReEncryptTo": {CLINICAL_KEY},
        "kms:DescribeKey": {CLINICAL_KEY},
        "kms:Encrypt": {CLINICAL_KEY},
        "transcribe:StartMedicalTranscriptionJob": {"*"},
        "transcribe:GetMedicalTranscriptionJob": {TRANSCRIPTIONS},
        "transcribe:TagResource": {"*"},
    },
    "poll_transcription": {
        "transcribe:GetMedicalTranscriptionJob": {TRANSCRIPTIONS},
        "s3:ListBucket": {CLINICAL},
        **JOB_RECORDS,
    },
    "prepare_documents": {
        "s3:GetObject": {
            f"{MEDIA}/media/*",
            f"{CLINICAL}/batches/*",
            f"{CLINICAL}/transcripts/*",
            f"{CLINICAL}/entity-jobs/*",
            f"{CLINICAL}/entities/*",
        },
        "s3:ListBucket": {CLINICAL},
        "s3:PutObject": {f"{CLINICAL}/documents/*", f"{CLINICAL}/batches/*", f"{CLINICAL}/entity-jobs/*"},
        **of_ledger("object claim job", update="execution spending"),
        "kms:GenerateDataKey": {CLINICAL_KEY},
        "kms:Decrypt": {CLINICAL_KEY},
    },
    "start_entity_detection": {
        "comprehendmedical:StartEntitiesDetectionV2Job": {"*"},
        "comprehendmedical:ListEntitiesDetectionV2Jobs": {"*"},
        "comprehendmedical:DescribeEntitiesDetectionV2Job": {"*"},
        "iam:PassRole": {"DataAccessRoles/EntityDetection/Role.Arn"},
        "s3:GetObject": {f"{CLINICAL}/batches/*"},
        "kms:Decrypt": {CLINICAL_KEY},
        **of_ledger("job", update="execution job"),
    },
    "poll_entity_detection": {
        "comprehendmedical:DescribeEntitiesDetectionV2Job": {"*"},
        "s3:GetObject": {f"{CLINICAL}/batches/*"},
        **JOB_RECORDS,
        **of_ledger("job", update="job"),
    },
    "collect_entities": {
        "s3:GetObject": {f"{CLINICAL}/{prefix}/*" for prefix in ("batches", "entities", "transcripts", "records")},
        "s3:ListBucket": {CLINICAL},
        "s3:PutObject": {f"{CLINICAL}/{prefix}/*" for prefix in ("records", "deidentified", "reports", "batches")},
        "kms:GenerateDataKey": {CLINICAL_KEY},
        "kms:Decrypt": {CLINICAL_KEY},
        **of_both_tables("object job indexes", COMMITTED, members=COMMITTED, delete=COMMITTED),
    },
    "prepare_cohorts": {
        **of_ledger("indexes", update="indexes"),
        "states:DescribeExecution": {f"{EXECUTIONS}:*"},
        "kms:Decrypt": {CLINICAL_KEY},
    },
    "index_records": {
        "s3:GetObject": {f"{CLINICAL}/records/*"},
        "s3:ListBucket": {CLINICAL},
        "s3:PutObject": {f"{CLINICAL}/batches/*"},
        "kms:GenerateDataKey": {CLINICAL_KEY},
        "kms:Decrypt": {CLINICAL_KEY},
        **of_both_tables("object indexes", COMMITTED, members=COMMITTED, delete=COMMITTED),
    },
    "finish_rebuild": {
        "s3:GetObject": {f"{CLINICAL}/batches/*"},
        "s3:ListBucket": {CLINICAL},
        "kms:Decrypt": {CLINICAL_KEY},
        **of_ledger("indexes", update="indexes"),
    },
    "select_seeds": {
        "s3:GetObject": {f"{AUDIENCE}/seeds/*", f"{AUDIENCE}/suppression/*"},
        "s3:ListBucket": {AUDIENCE},
        "s3:PutObject": {f"{AUDIENCE}/seeds/*"},
        "kms:GenerateDataKey": {AUDIENCE_KEY},
        "kms:Decrypt": {CLINICAL_KEY, AUDIENCE_KEY},
        **of_both_tables("indexes", "", query="index outline"),
    },
    "start_audience_generation": {
        "cleanrooms-ml:StartAudienceGenerationJob": {MODEL, GENERATIONS},
        "cleanrooms-ml:TagResource": {GENERATIONS},
        "cleanrooms-ml:ListAudienceGenerationJobs": {"*"},
        "iam:PassRole": {"DataAccessRoles/SeedReader/Role.Arn"},
        "s3:ListBucket": {"Storage/Audience/Bucket.Arn"},
    },
    "poll_audience_generation": {"cleanrooms-ml:GetAudienceGenerationJob": {GENERATIONS}} | JOB_RECORDS,
    "start_audience_export": {
        "cleanrooms-ml:StartAudienceExportJob": {GENERATIONS},
        "cleanrooms-ml:ListAudienceExportJobs": {"*"},
    },
    "poll_audience_export": {"cleanrooms-ml:ListAudienceExportJobs": {"*"}} | JOB_RECORDS,
    "summarize_batch": {
        "s3:GetObject": {f"{CLINICAL}/batches/*"},
        "s3:ListBucket": {CLINICAL},
        "s3:PutObject": {f"{CLINICAL}/batches/*"},
        "kms:GenerateDataKey": {CLINICAL_KEY},
        "kms:Decrypt": {CLINICAL_KEY},
    },
    "mark_records": {"dynamodb:UpdateItem": {"Ledger/Members.Arn/changed#*"}, "kms:Decrypt": {CLINICAL_KEY}},
    "compact_records": {
        "s3:GetObject": {
            f"{CLINICAL}/{prefix}/*"
            for prefix in ("records", "transcripts", "analysis/findings", "analysis/utterances")
        },
        "s3:ListBucket": {CLINICAL},
        "s3:PutObject": {f"{CLINICAL}/analysis/{table}/*" for table in ("findings", "utterances")},
        "kms:GenerateDataKey": {CLINICAL_KEY},
        "kms:Decrypt": {CLINICAL_KEY},
        **of_both_tables("analysed compaction", "analysed compaction", query="changed", delete="changed"),
    },
}
SEARCH_STEPS = ("divide_search", "search_range")
STEPS = set(FUNCTIONS) - {"ingest", "share_jobs", "mark_records", "compact_records", *SEARCH_STEPS}
ALL_BUCKETS = {MEDIA, CLINICAL, AUDIENCE, "Storage/Operations/Bucket.Arn", "Storage/AccessLogs.Arn"}
FUNCTION_GRANTS["divide_search"] = {
    "s3:ListBucketVersions": ALL_BUCKETS,
    "s3:GetObject": {f"{CLINICAL}/searches/*"},
    "s3:PutObject": {f"{CLINICAL}/searches/*"},
    "dynamodb:DescribeTable": {LEDGER, MEMBERS},
    "kms:Decrypt": {CLINICAL_KEY},
    "kms:GenerateDataKey": {CLINICAL_KEY},
}
FUNCTION_GRANTS["search_range"] = {
    "s3:ListBucketVersions": ALL_BUCKETS,
    "s3:ListBucket": ALL_BUCKETS,
    "s3:GetObjectVersion": {f"{bucket}/*" for bucket in ALL_BUCKETS},
    "s3:GetObject": {f"{CLINICAL}/searches/*"},
    "s3:PutObject": {f"{CLINICAL}/searches/*"},
    "dynamodb:Scan": {LEDGER, MEMBERS},
    # Not the key of the media bucket: of recordings, only the heads can be read.
    "kms:Decrypt": {CLINICAL_KEY, AUDIENCE_KEY, OPERATIONS_KEY},
    "kms:GenerateDataKey": {CLINICAL_KEY},
}
LISTING = (
    "plan_batch",
    "start_transcription",
    "poll_transcription",
    "prepare_documents",
    "collect_entities",
    "index_records",
    "finish_rebuild",
    "select_seeds",
    "summarize_batch",
    "search_range",
    "compact_records",
)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Action -> resources; for the ledger, the items to which a condition narrows the action."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        assert statement["Effect"] == "Allow"
        resources = as_list(statement["Resource"])
        if keys := statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys"):
            resources = [f"{resource}/{key}" for resource in resources for key in keys]
        for action in as_list(statement["Action"]):
            found.setdefault(action, set()).update(resources)
    return found


def conditions(deployed: Deployed, policy: str, action: str) -> list[Any]:
    return [s.get("Condition") for s in deployed.statements(policy) if action in as_list(s["Action"])]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_exactly_this(local: Deployed, function: str) -> None:
    scope = f"Functions/{pascal_case(function)}"
    own_log = {action: {f"{scope}/Logs.Arn"} for action in ("logs:CreateLogStream", "logs:PutLogEvents")}
    assert grants(local.statements(f"{scope}/Policy")) == own_log | FUNCTION_GRANTS[function]
    role = local.resources[f"{scope}/Role"]["Properties"]
    assert role["ManagedPolicyArns"] == [f"{scope}/Policy", "Tracing"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Action"], trust["Principal"]) == ("sts:AssumeRole", {"Service": "lambda.amazonaws.com"})


@pytest.mark.parametrize("function", LISTING)
def test_a_function_that_meets_missing_objects_may_list_on_no_condition_that_s3_might_not_offer(
    local: Deployed, function: str
) -> None:
    assert set(conditions(local, f"Functions/{pascal_case(function)}/Policy", "s3:ListBucket")) == {None}


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name not in ("ingest", "start_transcription")])
def test_a_function_reaches_the_keys_of_data_through_s3_and_the_ledger_only(local: Deployed, function: str) -> None:
    found: dict[str, set[str]] = {}
    for statement in local.statements(f"Functions/{pascal_case(function)}/Policy"):
        actions = as_list(statement["Action"])
        if any(action.startswith("kms:") for action in actions):
            ((operator, via),) = statement["Condition"].items()
            ((key, service),) = via.items()
            assert (operator, key) == ("StringEquals", "kms:ViaService")
            found.setdefault(service, set()).update(actions)
    granted = FUNCTION_GRANTS[function]
    used = {
        "s3.us-east-1.amazonaws.com": {
            action
            for action in granted
            if action.startswith("kms:") and granted.keys() & {"s3:GetObject", "s3:PutObject"}
        },
        "dynamodb.us-east-1.amazonaws.com": {"kms:Decrypt"}
        if any(action.startswith("dynamodb:") for action in granted.keys() - {"dynamodb:DescribeTable"})
        else set(),
    }
    assert found == {service: actions for service, actions in used.items() if actions}


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name not in SEARCH_STEPS])
def test_items_of_the_ledger_are_granted_by_their_keys_and_to_no_request_without_keys(
    local: Deployed, function: str
) -> None:
    actions = [action for action in FUNCTION_GRANTS[function] if action.startswith("dynamodb:")]
    found = [
        given for action in actions for given in conditions(local, f"Functions/{pascal_case(function)}/Policy", action)
    ]
    for condition in found:
        assert set(condition) == {"ForAllValues:StringLike", "Null"}
        assert set(condition["ForAllValues:StringLike"]) == {"dynamodb:LeadingKeys"}
        assert condition["Null"] == {"dynamodb:LeadingKeys": "false"}


@pytest.mark.parametrize(
    ("function", "action", "keys", "allowed"),
    [
        ("plan_batch", "BatchGetItem", ["claim#1", "object#1", "execution#1"], True),
        ("plan_batch", "BatchGetItem", ["claim#1", "job#1"], False),
        ("plan_batch", "UpdateItem", ["claim#1"], True),
        ("plan_batch", "ConditionCheckItem", ["execution#1"], True),
        # A transaction, in the variant that checks each part with the keys of all.
        ("plan_batch", "ConditionCheckItem", ["execution#1", "claim#1"], True),
        ("plan_batch", "UpdateItem", ["execution#1", "claim#1"], True),
        ("plan_batch", "UpdateItem", ["execution#1", "spending#1"], True),
        ("prepare_documents", "UpdateItem", ["spending#1"], True),
        ("prepare_documents", "BatchGetItem", ["spending#1"], False),
        ("start_entity_detection", "UpdateItem", ["spending#1"], False),
        ("plan_batch", "ConditionCheckItem", ["execution#1", "object#1"], False),
        ("collect_entities", "BatchGetItem", ["claim#1"], False),
        ("collect_entities", "UpdateItem", ["job#1"], False),
        ("wait_for_turn", "UpdateItem", ["turn#e"], True),
        ("wait_for_turn", "UpdateItem", ["turns#holders"], True),
        ("wait_for_turn", "BatchGetItem", ["claim#1"], False),
        ("share_jobs", "UpdateItem", ["execution#1"], False),
        ("collect_entities", "UpdateItem", ["object#1", "index#1", "outline#1"], True),
        ("select_seeds", "BatchGetItem", ["indexes#1"], True),
        ("select_seeds", "BatchGetItem", ["indexesother#1"], False),
        ("select_seeds", "BatchGetItem", ["indexes"], False),
        ("select_seeds", "BatchGetItem", ["INDEXES#1"], False),
        ("select_seeds", "BatchGetItem", None, False),
        ("select_seeds", "Query", ["indexes#1"], False),
        ("select_seeds", "Scan", None, False),
        ("select_seeds", "PutItem", ["object#1"], False),
    ],
)
def test_a_function_reaches_the_kinds_of_items_that_it_works_with(
    local: Deployed, function: str, action: str, keys: list[str] | None, allowed: bool
) -> None:
    document = {"Statement": local.statements(f"Functions/{pascal_case(function)}/Policy")}
    request = Request(f"dynamodb:{action}", LEDGER, {"dynamodb:LeadingKeys": keys} if keys else {})
    assert (evaluate([document], request) is Decision.ALLOW) == allowed


def test_transcription_may_only_put_its_output_into_our_bucket(local: Deployed) -> None:
    found = conditions(local, "Functions/StartTranscription/Policy", "transcribe:StartMedicalTranscriptionJob")
    assert found == [{"StringEquals": {"transcribe:OutputBucketName": "Storage/Clinical/Bucket"}}]


@pytest.mark.parametrize(
    ("function", "service"),
    [("StartEntityDetection", "comprehendmedical"), ("StartAudienceGeneration", "cleanrooms-ml")],
)
def test_a_role_is_passed_to_its_service_only(local: Deployed, function: str, service: str) -> None:
    found = conditions(local, f"Functions/{function}/Policy", "iam:PassRole")
    assert found == [{"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}]


def test_without_an_audience_model_none_can_be_used(deploy: Callable[..., Deployed]) -> None:
    statements = deploy("dev").statements("Functions/StartAudienceGeneration/Policy")
    resources = grants(statements)["cleanrooms-ml:StartAudienceGenerationJob"]
    assert {resource.rsplit(":", 1)[1] for resource in resources} == {"audience-generation-job/*"}


def test_a_generation_with_another_account_s_model_has_a_second_arn_in_that_account(
    new_stack: Callable[..., "PipelineStack"], environments: dict[str, Any]
) -> None:
    stack = new_stack("local", parameters=parameters_with_model_of("222233334444", environments))
    statements = synthesized(stack).statements("Functions/StartAudienceGeneration/Policy")
    theirs = "arn:aws:cleanrooms-ml:us-east-1:222233334444"
    assert grants(statements)["cleanrooms-ml:StartAudienceGenerationJob"] == {
        GENERATIONS,
        f"{theirs}:audience-generation-job/*",
        f"{theirs}:configured-audience-model/local",
    }
    assert grants(statements)["cleanrooms-ml:TagResource"] == {GENERATIONS}, "theirs are never tagged by us"


def test_the_state_machine_may_do_exactly_this(local: Deployed) -> None:
    steps = {f"Functions/{pascal_case(function)}/Function.Arn" for function in STEPS}
    children = {f"{EXECUTIONS}:*", f"{EXECUTIONS}/*"}
    deliveries = ["Create", "Get", "Update", "Delete"]
    assert grants(local.statements("Workflow/Policy")) == {
        "lambda:InvokeFunction": steps,
        "s3:GetObject": {f"{CLINICAL}/batches/*"},
        "s3:ListBucket": {CLINICAL},
        "kms:Decrypt": {CLINICAL_KEY, OPERATIONS_KEY},
        "kms:GenerateDataKey": {OPERATIONS_KEY},
        "states:StartExecution": {MACHINE},
        "states:DescribeExecution": children,
        "states:StopExecution": children,
        "states:RedriveExecution": children,
        **{f"logs:{verb}LogDelivery": {"*"} for verb in deliveries},
        "logs:ListLogDeliveries": {"*"},
        "logs:PutResourcePolicy": {"*"},
        "logs:DescribeResourcePolicies": {"*"},
        "logs:DescribeLogGroups": {"*"},
    }


def test_the_state_machine_uses_the_operations_key_for_itself_its_maps_and_its_log_only(local: Deployed) -> None:
    contexts = [
        statement["Condition"]
        for statement in local.statements("Workflow/Policy")
        if statement["Resource"] == OPERATIONS_KEY
    ]
    assert contexts == [
        {"StringLike": {"kms:EncryptionContext:aws:states:stateMachineArn": [MACHINE, f"{MACHINE}/*"]}},
        {"StringEquals": {"kms:EncryptionContext:SourceArn": "arn:aws:logs:us-east-1:123456789012:*"}},
    ]


@pytest.mark.parametrize(
    ("acting", "allowed"),
    [
        (MACHINE, True),
        (f"{MACHINE}/TranscribeMedia", True),
        (f"{MACHINE}2", False),
        (MACHINE.replace("clinical-media-local", "clinical-media-dev"), False),
        (MACHINE.replace("123456789012", "210987654321"), False),
    ],
)
def test_the_operations_key_encrypts_the_state_of_this_machine_under_either_name_of_it(
    local: Deployed, acting: str, allowed: bool
) -> None:
    document = {"Statement": local.statements("Workflow/Policy")}
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        request = Request(action, OPERATIONS_KEY, {"kms:EncryptionContext:aws:states:stateMachineArn": acting})
        assert (evaluate([document], request) is Decision.ALLOW) == allowed


def test_permissions_are_in_managed_policies_that_exist_before_their_roles(local: Deployed) -> None:
    types = {resource["Type"] for resource in local.resources.values()}
    assert "AWS::IAM::Policy" not in types
    for path, role in local.of_type("AWS::IAM::Role").items():
        assert "Policies" not in role, path
    for path, policy in local.of_type("AWS::IAM::ManagedPolicy").items():
        assert "Roles" not in policy, path


def test_nobody_may_do_everything_a_service_offers(local: Deployed) -> None:
    for path, policy in local.of_type("AWS::IAM::ManagedPolicy").items():
        for action in grants(policy["PolicyDocument"]["Statement"]):
            assert "*" not in action, path
