"""The attack, thinned: each role tries a part of the calls, together all of them; `make attack` lets each try all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.attack.allowed import TRUSTED, allow_list
from tests.attack.inputs import attack_executions, attack_functions, attack_keys, crafted_invocations, crafted_requests
from tests.attack.jobs import attack_jobs, jobs
from tests.attack.ledger import attack_queries
from tests.attack.matrix import Verdict, attack_as_roles, attack_trust, controls, own_log
from tests.attack.probe import Probe
from tests.attack.probes import probes
from tests.attack.stage import Stage, stage
from tests.attack.uploads import attack_uploads


@pytest.fixture(scope="module")
def deployed() -> Iterator[Stage]:
    with stage() as deployed:
        yield deployed


@pytest.fixture(scope="module")
def calls(deployed: Stage) -> list[Probe]:
    return probes(deployed)


def problems(verdicts: Iterator[Verdict]) -> list[str]:
    found = list(verdicts)
    assert found
    return [verdict.problem for verdict in found if verdict.problem]


def test_each_role_may_do_what_is_on_its_list(deployed: Stage, calls: list[Probe]) -> None:
    for name, rights in allow_list().items():
        wanted = {own_log(right, name) for right in rights}
        mine = [probe for probe in calls if probe.right in wanted]
        assert {probe.right for probe in mine} == wanted
        assert problems(attack_as_roles(deployed, mine, [name])) == []


def test_each_role_is_refused_everything_else(deployed: Stage, calls: list[Probe]) -> None:
    found: list[str] = []
    for number, name in enumerate(deployed.roles):
        found += problems(attack_as_roles(deployed, calls[number :: len(deployed.roles)], [name]))
    assert found == []


def test_no_role_may_query_the_ledger(deployed: Stage) -> None:
    assert problems(attack_queries(deployed)) == []


def test_only_its_service_may_assume_a_role_and_for_our_jobs_only(deployed: Stage) -> None:
    assert problems(attack_trust(deployed)) == []


def test_every_role_of_the_stack_is_on_the_list(deployed: Stage) -> None:
    assert set(deployed.roles) == set(allow_list()) == set(TRUSTED)


def test_an_input_that_asks_for_more_is_refused_before_anything_is_read(deployed: Stage) -> None:
    assert problems(attack_executions(deployed, list(crafted_requests(deployed))[::3])) == []


def test_a_key_that_climbs_out_of_its_prefix_is_rejected_and_never_resolved(deployed: Stage) -> None:
    assert problems(attack_keys(deployed)) == []


def test_a_function_invoked_with_another_place_starts_nothing(deployed: Stage) -> None:
    assert problems(attack_functions(deployed, list(crafted_invocations(deployed)))) == []


def test_an_upload_that_would_not_end_under_our_key_is_refused(deployed: Stage) -> None:
    assert problems(attack_uploads(deployed)) == []


def test_no_job_reads_or_writes_for_a_role_what_the_role_itself_may_not(deployed: Stage) -> None:
    assert problems(attack_jobs(deployed, list(jobs(deployed))[::4])) == []


# A right that no role has, and the probe that has to find it.
HOLES = [
    ("poll_transcription", "s3:GetObject", "arn:aws:s3:::{clinical}/transcripts/*", "head clinical/transcripts"),
    ("summarize_batch", "s3:DeleteObject", "arn:aws:s3:::{clinical}/*", "delete clinical/batchesother"),
    ("plan_batch", "kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/{media-key}", "read media/media"),
    ("ingest", "states:StopExecution", "*", "stop_execution pipeline"),
    ("start_entity_detection", "iam:PassRole", "*", "pass_to_comprehendmedical SeedReader"),
    ("state machine", "lambda:InvokeFunction", "*", "invoke bystander"),
    ("SeedReader", "s3:ListBucket", "arn:aws:s3:::{clinical}", "list clinical"),
    ("select_seeds", "dynamodb:UpdateItem", "arn:aws:dynamodb:*:*:table/{ledger}", "update_item ledger/object"),
    ("select_seeds", "dynamodb:GetItem", "arn:aws:dynamodb:*:*:table/{ledger}", "get_item ledger/claim"),
    ("start_entity_detection", "dynamodb:ConditionCheckItem", "*", "take ledger/job"),
]


@contextmanager
def planted(deployed: Stage, role: str, statement: dict[str, str]) -> Iterator[None]:
    """The role with one more statement."""
    iam, name = deployed.world.run.pipeline.aws.client("iam"), deployed.roles[role].arn.rpartition("/")[2]
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=name, PolicyName="hole", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="hole")


@pytest.mark.parametrize(("role", "action", "resource", "right"), HOLES)
def test_a_planted_hole_is_reported(
    deployed: Stage, calls: list[Probe], role: str, action: str, resource: str, right: str
) -> None:
    resource = resource.format_map({**deployed.buckets, **deployed.keys, **deployed.tables})
    mine = [probe for probe in calls if probe.right == right]
    with planted(deployed, role, {"Effect": "Allow", "Action": action, "Resource": resource}):
        found = problems(attack_as_roles(deployed, mine, [role]))
    assert f"{role}: {right} is allowed, though it is not on the allow list" in found
    assert problems(attack_as_roles(deployed, mine, [role])) == []


def test_a_query_that_a_policy_would_allow_is_reported(deployed: Stage) -> None:
    with planted(deployed, "select_seeds", {"Effect": "Allow", "Action": "dynamodb:PartiQLSelect", "Resource": "*"}):
        found = problems(attack_queries(deployed))
    assert "select_seeds: PartiQLSelect ledger/claim is allowed, though nobody has that right" in found


def test_a_right_that_is_missing_is_reported(deployed: Stage, calls: list[Probe]) -> None:
    mine = [probe for probe in calls if probe.right == "write clinical/batches"]
    with planted(deployed, "summarize_batch", {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}):
        found = problems(attack_as_roles(deployed, mine, ["summarize_batch"]))
    assert set(found) == {
        "summarize_batch: write clinical/batches is refused, though it is on the allow list",
    }


def test_a_call_about_nothing_shows_nothing(deployed: Stage) -> None:
    def absent(actor: object) -> None:
        deployed.world.run.s3.get_object(Bucket=deployed.buckets["clinical"], Key="absent")

    probe = Probe("clinical", "read clinical/absent", absent)
    (problem,) = problems(attack_as_roles(deployed, [probe], ["ingest"]))
    assert "ends in NoSuchKey, which shows neither" in problem
    assert list(controls(deployed, [probe]))
