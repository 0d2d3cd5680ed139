from typing import Any

import pytest

from infra.stack import PipelineStack
from tests.infra.conftest import Deployed, synthesized


def statements(local: Deployed, role: str) -> list[tuple[Any, Any]]:
    return [(s["Action"], s["Resource"]) for s in local.statements(f"DataAccessRoles/{role}/Policy")]


@pytest.mark.parametrize(
    ("role", "service", "jobs", "if_sent"),
    [
        (
            "EntityDetection",
            "comprehendmedical.amazonaws.com",
            "arn:aws:comprehendmedical:us-east-1:123456789012:*",
            "",
        ),
        (
            "SeedReader",
            "cleanrooms-ml.amazonaws.com",
            "arn:aws:cleanrooms-ml:us-east-1:123456789012:audience-generation-job/*",
            "IfExists",
        ),
    ],
)
def test_a_service_may_act_in_our_name_for_our_jobs_only(
    local: Deployed, role: str, service: str, jobs: str, if_sent: str
) -> None:
    properties = local.resources[f"DataAccessRoles/{role}/Role"]["Properties"]
    assert properties["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": service},
            "Condition": {
                f"StringEquals{if_sent}": {"aws:SourceAccount": "123456789012"},
                f"ArnLike{if_sent}": {"aws:SourceArn": jobs},
            },
        }
    ]
    assert properties["ManagedPolicyArns"] == [f"DataAccessRoles/{role}/Policy"]


def test_comprehend_medical_reads_documents_and_writes_entities(local: Deployed) -> None:
    assert statements(local, "EntityDetection") == [
        ("s3:ListBucket", "Storage/Clinical/Bucket.Arn"),
        ("s3:GetObject", "Storage/Clinical/Bucket.Arn/documents/*"),
        ("s3:PutObject", "Storage/Clinical/Bucket.Arn/entities/*"),
        (["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], "Storage/Clinical/Key.Arn"),
    ]


def test_clean_rooms_ml_reads_seeds_and_writes_nothing(local: Deployed) -> None:
    assert statements(local, "SeedReader") == [
        ("s3:ListBucket", "Storage/Audience/Bucket.Arn"),
        ("s3:GetObject", "Storage/Audience/Bucket.Arn/seeds/*"),
        (["kms:Decrypt", "kms:DescribeKey"], "Storage/Audience/Key.Arn"),
    ]


def test_only_where_a_query_selects_a_seed_may_clean_rooms_ml_run_queries(
    local: Deployed, with_query: PipelineStack
) -> None:
    deployed = synthesized(with_query)
    assert "DataAccessRoles/SeedQueries" not in local.resources
    found = [(s["Action"], s["Resource"]) for s in deployed.statements("DataAccessRoles/SeedQueries")]
    assert found == [
        (
            ["cleanrooms:GetCollaborationAnalysisTemplate", "cleanrooms:GetSchema", "cleanrooms:StartProtectedQuery"],
            "*",
        ),
        (
            ["cleanrooms:GetProtectedQuery", "cleanrooms:UpdateProtectedQuery"],
            "arn:aws:cleanrooms:us-east-1:123456789012:membership/*",
        ),
    ]
    role = deployed.resources["DataAccessRoles/SeedReader/Role"]["Properties"]
    assert role["ManagedPolicyArns"] == ["DataAccessRoles/SeedReader/Policy", "DataAccessRoles/SeedQueries"]
