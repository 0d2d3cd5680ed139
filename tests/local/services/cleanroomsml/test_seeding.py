import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.services.cleanroomsml import seeding


def test_the_configured_model_has_the_arn_that_the_application_names(client: Any, configured_model: str) -> None:
    model = client.get_configured_audience_model(configuredAudienceModelArn=configured_model)
    assert model["configuredAudienceModelArn"] == configured_model
    assert model["minMatchingSeedSize"] == 25
    assert model["sharedAudienceMetrics"] == ["ALL"]
    assert model["audienceSizeConfig"] == {"audienceSizeType": "PERCENTAGE", "audienceSizeBins": [1, 2, 5, 10, 20]}


def test_the_owners_roles_trust_nobody_but_the_service_for_their_own_resources(aws: Any, configured_model: str) -> None:
    for role, source_arn in (
        ("reader", "arn:aws:cleanrooms-ml:us-east-1:123456789012:training-dataset/*"),
        ("writer", configured_model),
    ):
        document = aws.client("iam").get_role(RoleName=f"audience-model-owner-{role}")["Role"][
            "AssumeRolePolicyDocument"
        ]
        (statement,) = document["Statement"]
        assert statement["Principal"] == {"Service": "cleanrooms-ml.amazonaws.com"}
        assert statement["Condition"] == {
            "StringEqualsIfExists": {"aws:SourceAccount": "123456789012"},
            "ArnLikeIfExists": {"aws:SourceArn": source_arn},
        }, json.dumps(document)


def test_the_model_is_provided_only_once(aws: Any, configured_model: str, tmp_path: Path) -> None:
    interactions = tmp_path / "interactions.csv"
    interactions.write_text("user_id,item_id,timestamp\nu,i,1\n")
    with pytest.raises(ClientError, match="already exists"):
        seeding.provide_audience_model(aws, configured_model, interactions)
