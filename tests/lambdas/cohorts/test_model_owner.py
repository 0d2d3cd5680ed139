from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.cohorts.model_owner import not_visible, refusal
from lambdas.shared.state import NotVisible

OURS, THEIRS = "123456789012", "222233334444"
ROLE = f"arn:aws:iam::{OURS}:role/seed-reader"
JOB = f"arn:aws:cleanrooms-ml:us-east-1:{OURS}:audience-generation-job/1f0c"


def model_of(account: str) -> str:
    return f"arn:aws:cleanrooms-ml:us-east-1:{account}:configured-audience-model/m"


def refused(message: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, "StartAudienceGenerationJob")


@pytest.mark.parametrize("message", ["no policy allows it", "no policy allows it."])
def test_a_refusal_says_what_the_service_says_and_whom_to_ask(message: str) -> None:
    assert refusal(refused(message), model_of(THEIRS), ROLE) == (
        f"AccessDeniedException: no policy allows it. The model belongs to account {THEIRS}: ask its owner whether the "
        f"model's policy lets account {OURS} use it, and in which collaboration."
    )


def test_a_refusal_of_our_own_account_s_model_is_ours_to_repair() -> None:
    assert refusal(refused("no"), model_of(OURS), ROLE) is None


def hidden_by(account: str, metrics: Any, export_uri: str | None = None, *, exported: bool = True) -> NotVisible:
    return not_visible(JOB, model_of(account), metrics=metrics, exported=exported, export_uri=export_uri)


@pytest.mark.parametrize("account", [OURS, THEIRS])
def test_what_is_shown_and_what_is_not_there_is_not_hidden(account: str) -> None:
    assert hidden_by(account, {}, exported=False) == {}
    assert hidden_by(account, {}, "s3://owner/out/") == {}


def test_what_the_owner_hides_names_their_account_and_what_to_ask_for() -> None:
    hidden = hidden_by(THEIRS, None)
    assert set(hidden) == {"metrics", "export_uri"}
    assert all(f"ccount {THEIRS}" in reason for reason in map(str, hidden.values()))
    assert "sharedAudienceMetrics" in hidden["metrics"]
    assert "generation job 1f0c" in hidden["export_uri"]


def test_what_our_own_account_hides_names_nobody_to_ask() -> None:
    hidden = hidden_by(OURS, None)
    assert set(hidden) == {"metrics", "export_uri"}
    assert not any("Ask" in reason or "account" in reason.lower() for reason in map(str, hidden.values()))
