"""What is stored about a patient, found by the real search on the real stack."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.definition import SEARCH, read_definition
from lambdas.search_stored import SHORT_MILLISECONDS
from lambdas.searching.files import Scope, request
from lambdas.searching.listing import read_page
from lambdas.searching.traces import Traces
from lambdas.shared.identity import digest
from lambdas.shared.layout import records_key, search_parts_prefix, search_ranges_key, search_request_key
from local.aws.s3_archives import archive
from local.pipeline import STACK_NAME
from tests.statemachine.conftest import Run

FUNCTION = f"{STACK_NAME}-search_range"


class Found:
    """What the parts of a search say, all together."""

    def __init__(self, parts: list[dict[str, Any]]) -> None:
        self.parts = len(parts)
        self.looked_at = sum(part["looked_at"] for part in parts)
        self.versions = [version for part in parts for version in part["versions"]]
        self.items = [item for part in parts for item in part["items"]]

    @property
    def keys(self) -> list[tuple[str, str]]:
        return sorted((version["bucket"], version["key"]) for version in self.versions)


class Searches:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.clinical = run.pipeline.clinical_bucket
        (stack,) = run.pipeline.aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        (self.access_logs,) = [
            item["Name"] for item in run.s3.list_buckets()["Buckets"] if "accesslogs" in item["Name"]
        ]

    def begin(self, traces: Traces, scope: Scope = "stored") -> str:
        name = f"search-{uuid.uuid4().hex[:8]}"
        body = json.dumps(request(traces, scope)).encode()
        self.run.s3.put_object(Bucket=self.clinical, Key=search_request_key(name), Body=body)
        started = self.run.stepfunctions.start_execution(
            stateMachineArn=self.run.pipeline.search_arn, name=name, input=json.dumps({"search_id": name})
        )
        arn: str = started["executionArn"]
        return arn

    def found(self, arn: str) -> Found:
        """What the execution finds, which has to succeed."""
        execution = self.run.ended(arn)
        assert execution["status"] == "SUCCEEDED", self.run.causes(execution)
        return Found(self.run.documents(search_parts_prefix(execution["name"])))

    def ranges(self, arn: str) -> Any:
        return json.loads(self.run.clinical(search_ranges_key(arn.rpartition(":")[2])))


@pytest.fixture
def searches(run: Run) -> Iterator[Searches]:
    """Without the access logs of what the tests themselves do, which arrive at once and name everybody."""
    found = Searches(run)
    for name in [item["Name"] for item in run.s3.list_buckets()["Buckets"] if "-storage" in item["Name"]]:
        if name != found.access_logs:
            run.s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={})
    versions = read_page(run.s3, found.access_logs, {}).entries
    for version, _ in versions:
        run.s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    yield found
    run.pipeline.aws.faults.clear()


@pytest.fixture
def person(run: Run) -> str:
    """A patient whom no other test knows; drops start nothing by themselves."""
    run.pipeline.aws.client("events").disable_rule(Name="clinical-media-local-recordings")
    return f"searched-{uuid.uuid4().hex[:8]}"


def plant(searches: Searches, person: str) -> list[tuple[str, str]]:
    """Something about the person in each bucket and table, and beside it something about another."""
    run, other = searches.run, f"{person}-other"
    media, clinical, audience = run.pipeline.media_bucket, searches.clinical, run.pipeline.audience_bucket
    operations, logs = searches.outputs["OperationsBucketName"], searches.access_logs
    run.drop(f"media/{person}/gone.wav", b"")
    run.s3.delete_object(Bucket=media, Key=f"media/{person}/gone.wav")
    line, plan = json.dumps({"user_id": person}), json.dumps({"recordings": [{"user_id": person}]})
    bodies = {
        (clinical, records_key(digest(media, f"media/{person}/gone.wav"))): line,
        (clinical, f"batches/{person[-8:]}/plan.json"): plan,
        (clinical, f"batches/{person[-8:]}/report.html"): f"<li>Patient {person}</li>",
        (audience, f"seeds/{person[-8:]}/seed.jsonl"): line,
        (operations, f"{person[-8:]}.txt"): f"a note about {person}",
        (logs, f"clinical/2026-11-27-10-00-00-{person[-8:].upper()}"): f'"GET /media/{person}/gone.wav"',
    }
    for (bucket, key), body in bodies.items():
        run.s3.put_object(Bucket=bucket, Key=key, Body=body.replace(person, other).encode())
        if bucket == audience:  # the patient is in an earlier version
            run.s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
            run.s3.put_object(Bucket=bucket, Key=key, Body=body.replace(person, other).encode())
        else:
            run.s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
    run.s3.put_object(Bucket=clinical, Key=f"batches/x-{person[-8:]}/a.json", Body=b"{}", Metadata={"of": person})
    dynamodb = run.pipeline.aws.client("dynamodb")
    for name in (person, other):
        dynamodb.put_item(TableName=searches.outputs["LedgerTableName"], Item={"pk": {"S": f"execution#{name}"}})
        item = {"pk": {"S": f"outline#{name[-8:]}"}, "sk": {"S": name}, "user_id": {"S": name}}
        dynamodb.put_item(TableName=searches.outputs["MembersTableName"], Item=item)
    gone = (media, f"media/{person}/gone.wav")
    of_records = (clinical, records_key(digest(media, f"media/{person}/gone.wav")))
    # Two versions of each object that is the person's by its key: the marker, and the records' first version.
    return sorted([*bodies, (clinical, f"batches/x-{person[-8:]}/a.json"), gone, gone, of_records])


def traces_of(searches: Searches, person: str) -> Traces:
    own = digest(searches.run.pipeline.media_bucket, f"media/{person}/gone.wav")
    return Traces([person], [own], others=[f"{person}-other"])


def test_everything_about_a_patient_is_found_in_every_bucket_and_table_and_nothing_about_another(
    searches: Searches, person: str
) -> None:
    planted = plant(searches, person)
    arn = searches.begin(traces_of(searches, person))
    found = searches.found(arn)
    assert found.keys == planted
    assert sorted(item["key"].get("sk", item["key"]["pk"]) for item in found.items) == [f"execution#{person}", person]
    assert {version["is_latest"] for version in found.versions if "seeds/" in version["key"]} == {False}
    assert [version["is_marker"] for version in found.versions if version["key"].endswith("gone.wav")].count(True) == 1
    assert found.looked_at > 2 * len(planted)
    # In state there are no keys and no names.
    history = json.dumps(searches.run.events(arn), default=str)
    for child in searches.run.children({"executionArn": arn}, of="SearchRanges"):
        history += json.dumps([child, *searches.run.events(child["executionArn"])], default=str)
    for secret in (person, person[-8:], "media/", "gone.wav", "bucket"):
        assert secret not in history


def test_a_search_of_the_logs_finds_access_logs_only(searches: Searches, person: str) -> None:
    planted = plant(searches, person)
    arn = searches.begin(traces_of(searches, person), "logs")
    assert searches.found(arn).keys == [one for one in planted if one[0] == searches.access_logs]
    assert searches.ranges(arn) == [{"bucket": searches.access_logs, "after": "", "until": None}]


@contextmanager
def short_of_time(run: Run) -> Iterator[None]:
    """Each step has less time than it takes as a reason to end."""
    functions = run.pipeline.aws.client("lambda")
    before = functions.get_function_configuration(FunctionName=FUNCTION)["Timeout"]
    functions.update_function_configuration(FunctionName=FUNCTION, Timeout=SHORT_MILLISECONDS // 1000 - 60)
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=FUNCTION, Timeout=before)


def test_steps_that_are_short_of_time_find_the_same(searches: Searches, person: str) -> None:
    planted = plant(searches, person)
    for number in range(5):
        key = f"batches/many-{person[-8:]}/{number}.json"
        searches.run.s3.put_object(Bucket=searches.clinical, Key=key, Body=b"{}")
    with short_of_time(searches.run):
        arn = searches.begin(traces_of(searches, person))
        found = searches.found(arn)
    assert found.keys == planted
    assert found.parts > len(searches.ranges(arn)) + 5


def test_a_search_that_failed_for_a_right_continues_when_it_is_redriven(searches: Searches, person: str) -> None:
    planted = plant(searches, person)
    faults = searches.run.pipeline.aws.faults
    faults.inject("s3", "GetObject", "access_denied", function="search_range", contains="seeds", times=10_000)
    arn = searches.begin(traces_of(searches, person))
    assert searches.run.ended(arn)["status"] == "FAILED"
    faults.clear()
    searches.run.stepfunctions.redrive_execution(executionArn=arn)
    assert searches.found(arn).keys == planted


def test_an_object_that_nobody_can_read_is_found_and_the_search_succeeds(searches: Searches, person: str) -> None:
    key = f"batches/archived-{person[-8:]}/plan.json"
    searches.run.s3.put_object(Bucket=searches.clinical, Key=key, Body=b"{}")
    archive(searches.clinical, key, "GLACIER")
    try:
        assert searches.found(searches.begin(Traces([person]))).keys == [(searches.clinical, key)]
    finally:
        searches.run.s3.delete_object(Bucket=searches.clinical, Key=key)
        (version,) = searches.run.s3.list_object_versions(Bucket=searches.clinical, Prefix=key)["Versions"]
        searches.run.s3.delete_object(Bucket=searches.clinical, Key=key, VersionId=version["VersionId"])


def test_the_recordings_of_a_real_batch_are_found_and_name_nobody_else(searches: Searches, person: str) -> None:
    run = searches.run
    uri = run.drop(f"media/{person}/visit.wav", run.engines.recording("She has asthma."))
    run.summary(run.start(media=[uri]))
    media = run.pipeline.media_bucket
    version = run.s3.head_object(Bucket=media, Key=f"media/{person}/visit.wav")["VersionId"]
    key = f"media/{person}/visit.wav"
    ids = [digest(media, key), digest(media, key, version)]
    found = searches.found(searches.begin(Traces([person], ids)))
    kinds = {key.split("/")[0] for _, key in found.keys}
    assert kinds >= {"media", "transcripts", "deidentified", "reports", "documents", "records", "batches", "entities"}
    assert len(found.items) >= 3
    nobody = searches.found(searches.begin(Traces([f"{person}-nobody"])))
    assert (nobody.versions, nobody.items) == ([], [])


def test_a_child_ends_with_nothing(searches: Searches, person: str) -> None:
    arn = searches.begin(Traces([person]), "logs")
    searches.found(arn)
    (child,) = searches.run.children({"executionArn": arn}, of="SearchRanges")
    assert (json.loads(child["input"]), child["output"]) == (
        {"search_id": arn.rpartition(":")[2], "number": 0, "step": 0},
        "{}",
    )


def test_no_two_states_have_one_name() -> None:
    states = read_definition(SEARCH)["States"]
    names = [*states, *states["SearchRanges"]["ItemProcessor"]["States"]]
    assert len(set(names)) == len(names), "AWS refuses them, in the Map too"
